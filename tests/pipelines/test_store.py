"""Artifacts and files are there whole or not at all, whoever makes them and whenever somebody pulls the plug."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.store import Store, hash_file, key_of, read_json, show, source_hash, version_of, whole_file, whole_folder, write_json

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


def until(is_so: Callable[[], bool], *, seconds: float = 60.0) -> None:
    """Wait for something, with a generous limit."""
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


# ---------------------------------------------------------------------- keys


@given(PLAIN, PLAIN)
def test_keys_tell_values_apart(one: object, other: object) -> None:
    assert (key_of(one) == key_of(other)) == (repr(_typed(one)) == repr(_typed(other)))
    assert len(key_of(one)) == 32 and int(key_of(one), 16) >= 0


def _typed(value: object) -> object:
    """A value with its dicts in the order of their keys."""
    if isinstance(value, dict):
        return {key: _typed(value[key]) for key in sorted(value)}
    return [_typed(item) for item in value] if isinstance(value, list) else value


def test_the_order_of_keys_does_not_matter() -> None:
    assert key_of({"a": 1, "b": 2}) == key_of({"b": 2, "a": 1})
    assert key_of("a", "b") != key_of("ab") != key_of(["a", "b"])


def test_hashes_of_files_and_sources(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"x" * 3_000_000)
    other.write_bytes(b"x" * 3_000_000)
    assert hash_file(one) == hash_file(other)
    other.write_bytes(b"x" * 2_999_999 + b"y")
    assert hash_file(one) != hash_file(other)
    assert source_hash("pipelines.store") == hash_file(Path(sys.modules["pipelines.store"].__file__ or ""))
    assert version_of("numpy")[0].isdigit() and version_of("no-such-thing") == "absent"


# ---------------------------------------------------------------------- whole or not at all


def test_an_artifact_is_made_once(tmp_path: Path) -> None:
    store, made = Store(tmp_path / "store"), list[Path]()

    def make(folder: Path) -> None:
        made.append(folder)
        assert not store.has("k"), "it is not there before it is whole"
        (folder / "x").write_text("1")

    assert store.ensure("k", make) == store.path("k") == store.ensure("k", make)
    assert len(made) == 1 and (store.path("k") / "x").read_text() == "1"
    assert [path.name for path in store.root.iterdir()] == ["k"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_nothing_is_left_of_what_failed(error: type[BaseException], tmp_path: Path) -> None:
    store = Store(tmp_path)

    def make(folder: Path) -> None:
        (folder / "half").write_text("1")
        raise error("stop")

    with pytest.raises(error, match="stop"):
        store.ensure("k", make)
    with pytest.raises(error, match="stop"), whole_file(tmp_path / "file") as file:
        file.write_text("half")
        raise error("stop")
    assert list(tmp_path.iterdir()) == []


def test_a_file_keeps_its_old_content_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "x.json"
    write_json(path, {"a": 1})
    with pytest.raises(TypeError, match="not JSON serializable"):
        write_json(path, {"a": object()})
    assert read_json(path) == {"a": 1}
    write_json(path, [1.5, None, "é"])
    assert read_json(path) == [1.5, None, "é"]
    assert [one.name for one in path.parent.iterdir()] == ["x.json"]


def test_folders_are_readable_by_others(tmp_path: Path) -> None:
    with whole_folder(tmp_path / "k"):
        pass
    with whole_file(tmp_path / "f") as file:
        file.write_text("x")
    assert (tmp_path / "k").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "f").stat().st_mode & 0o777 == 0o644


def test_many_makers_of_one_artifact(tmp_path: Path) -> None:
    """All run at once; one wins, the others take its work, and nobody sees half of it."""
    store, n_makers = Store(tmp_path), 8
    together = threading.Barrier(n_makers)

    def work(number: int) -> str:
        def make(folder: Path) -> None:
            (folder / "a").write_text(str(number))
            together.wait(timeout=60)
            (folder / "b").write_text(str(number))

        path = store.ensure("k", make)
        return f"{(path / 'a').read_text()} {(path / 'b').read_text()}"

    with ThreadPoolExecutor(n_makers) as pool:
        seen = set(pool.map(work, range(n_makers)))
    assert len(seen) == 1
    first, second = seen.pop().split()
    assert first == second
    assert [path.name for path in tmp_path.iterdir()] == ["k"]


def test_two_processes_make_many_artifacts(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from pipelines.store import Store\n"
        "for number in range(200):\n"
        "    make = lambda folder: [(folder / name).write_text('x' * 1000) for name in 'abc']\n"
        "    path = Store(Path(sys.argv[1])).ensure(f'k{number}', make)\n"
        "    assert all((path / name).stat().st_size == 1000 for name in 'abc')\n"
    )
    processes = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)]) for _ in range(2)]
    assert [process.wait(timeout=120) for process in processes] == [0, 0]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(f"k{number}" for number in range(200))


@pytest.mark.parametrize("what", ["folder", "file"])
def test_killed_in_the_middle(what: str, tmp_path: Path) -> None:
    """SIGKILL leaves no artifact of that name, and the next maker succeeds."""
    code = (
        "import sys, time; from pathlib import Path; from pipelines.store import whole_file, whole_folder\n"
        f"with whole_{what}(Path(sys.argv[1]) / 'k') as place:\n"
        "    (place / 'half' if place.is_dir() else place).write_text('half')\n"
        "    (Path(sys.argv[1]) / 'begun').touch()\n"
        "    time.sleep(600)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)])
    until((tmp_path / "begun").exists)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait(timeout=60) == -signal.SIGKILL
    assert not (tmp_path / "k").exists()
    store = Store(tmp_path)
    assert not store.has("k")
    store.ensure("k", lambda folder: [(folder / "x").write_text("whole")])
    assert [path.name for path in store.path("k").iterdir()] == ["x"]


def test_showing_is_a_link_that_replaces(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "shown" / "target"
    source.write_text("1")
    target.parent.mkdir()
    target.write_text("old")
    show(source, target)
    assert target.read_text() == "1" and target.stat().st_ino == source.stat().st_ino
    write_json(target, {"new": 1})
    assert source.read_text() == "1", "writing what is shown does not write the artifact"


def test_showing_where_links_are_not_to_be_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    (tmp_path / "source").write_text("1")
    show(tmp_path / "source", tmp_path / "target")
    assert (tmp_path / "target").read_text() == "1"
