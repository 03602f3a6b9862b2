"""Reading declarations: YAML 1.2 with places, and settings on top."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from features.errors import InputError
from pipelines.declaration import Declaration, read_declaration

TEXT = """\
title: Tiny            # 1
data:
  train: train.csv     # 3
  joins:
    - {file: a.csv, on: b}
    - file: c.csv      # 6
      on: [d, e]
models:
  lasso: {lasso: {alpha: 1e-4}}
"""


def read(tmp_path: Path, text: str) -> Declaration:
    """A declaration of this text."""
    path = tmp_path / "pipeline.yaml"
    path.write_text(text, encoding="utf-8")
    return read_declaration(path)


@pytest.mark.parametrize(
    ("where", "line"),
    [
        ((), 1),
        (("title",), 1),
        (("data",), 2),
        (("data", "train"), 3),
        (("data", "joins", 0), 5),
        (("data", "joins", 0, "on"), 5),
        (("data", "joins", 1), 6),
        (("data", "joins", 1, "on", 0), 7),
        (("models", "lasso", "lasso", "alpha"), 9),
        (("models", "lasso", "lasso", "unknown"), 9),
        (("data", "nowhere", "deeper"), 2),
        (("nowhere",), 1),
    ],
)
def test_places(where: tuple[Any, ...], line: int, tmp_path: Path) -> None:
    assert read(tmp_path, TEXT).place(where) == f"{tmp_path / 'pipeline.yaml'}:{line}"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"),
        ("No", "No"),
        ("yes", "yes"),
        ("true", True),
        ("1e-4", 1e-4),
        ("012", 12),
        ("0.5", 0.5),
        ("3", 3),
        ("~", None),
        ("2020-01-31", "2020-01-31"),
        ("'3'", "3"),
        ("[No, Mn, on]", ["No", "Mn", "on"]),
        ("{on: off}", {"on": "off"}),
        ("{2: a, 0.5: b, true: c, x: d}", {2: "a", 0.5: "b", True: "c", "x": "d"}),
        (".inf", float("inf")),
        ("!foo rmse", "rmse"),
        ("!!python/object/apply:os.system [ls]", ["ls"]),
        ("{? [1, 2] : 3}", {"[1, 2]": 3}),
    ],
)
def test_values_are_plain_and_mean_what_they_look_like(text: str, value: Any, tmp_path: Path) -> None:
    found = read(tmp_path, f"key: {text}\n").data["key"]
    assert found == value
    assert type(found) is type(value)
    assert str(type(found).__module__) == "builtins"


def test_anchors_and_merges(tmp_path: Path) -> None:
    declaration = read(tmp_path, "a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  y: 3\nc: *a\n")
    assert declaration.data == {"a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 3}, "c": {"x": 1, "y": 2}}
    assert declaration.line(("b", "x")) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title: a\ntitle: b\n", r'pipeline\.yaml:2: this is not YAML: found duplicate key "title"'),
        ("data:\n  train: a\n  train: b\n", r'pipeline\.yaml:3: this is not YAML: found duplicate key "train"'),
        ("a: [*Qual]\n", r"pipeline\.yaml:1: this is not YAML: found undefined alias 'Qual'.*Quote globs"),
        ("a: b\nc: d: e\n", r"pipeline\.yaml:2: this is not YAML: mapping values are not allowed here"),
        ("a: {b: 1\n", r"this is not YAML"),
        ("\ta: 1\n", r"pipeline\.yaml:1: this is not YAML: found character"),
        ("a: 'b\n", r"this is not YAML: found unexpected end of stream while scanning a quoted scalar"),
        ("a: \x00\n", r"this is not YAML: unacceptable character"),
        ("", r"pipeline\.yaml:1: a declaration is a mapping of keys such as 'data:' and 'models:', found NoneType"),
        ("- a\n", r"a declaration is a mapping"),
        ("just text\n", r"a declaration is a mapping"),
    ],
)
def test_what_is_no_declaration(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        read(tmp_path, text)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"pipeline\.yaml cannot be read: .*No such file.*A competition is a folder with a pipeline\.yaml"):
        read_declaration(tmp_path / "pipeline.yaml")
    (tmp_path / "pipeline.yaml").write_bytes("title: Häuser\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"cannot be read: 'utf-8' codec"):
        read_declaration(tmp_path / "pipeline.yaml")


# ---------------------------------------------------------------------- settings


@pytest.mark.parametrize(
    ("setting", "path", "value"),
    [
        ("title=Other", ("title",), "Other"),
        ("data.train=No", ("data", "train"), "No"),
        ("models.lasso.lasso.alpha=1e-3", ("models", "lasso", "lasso", "alpha"), 1e-3),
        ("models.lasso.lasso={alpha: 2, max_iter: 9}", ("models", "lasso", "lasso"), {"alpha": 2, "max_iter": 9}),
        ("models.ridge={ridge: {}}", ("models", "ridge"), {"ridge": {}}),
        ("split.kfold.seed=1", ("split", "kfold", "seed"), 1),
        ("data.joins.1.on=x", ("data", "joins", 1, "on"), "x"),
        ("data.joins.0={file: z}", ("data", "joins", 0), {"file": "z"}),
        ("title=", ("title",), None),
        ("title=a=b", ("title",), "a=b"),
        (" title =x", ("title",), "x"),
    ],
)
def test_settings(setting: str, path: tuple[Any, ...], value: Any, tmp_path: Path) -> None:
    before = read(tmp_path, TEXT)
    after: Any = before.with_settings((setting,)).data
    for key in path:
        after = after[key]
    assert after == value
    assert before.data == read(tmp_path, TEXT).data, "the declaration itself is left as it was"


def test_the_last_setting_wins(tmp_path: Path) -> None:
    assert read(tmp_path, TEXT).with_settings(("title=a", "title=b")).data["title"] == "b"


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("title", r"--set takes key\.key=value, found 'title'. Example: --set split\.kfold\.seed=1"),
        ("=3", r"--set takes key\.key=value"),
        ("title.deeper=1", r"'title' holds 'Tiny', which has no keys. Set 'title' itself"),
        ("data.joins.7.on=1", r"'7' is no position in a list of 2; positions count from 0"),
        ("data.joins.x=1", r"'x' is no position in a list of 2"),
        ("data.joins.-1=1", r"'-1' is no position"),
        ("title=[1", r"--set title:1: this is not YAML"),
    ],
)
def test_wrong_settings(setting: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        read(tmp_path, TEXT).with_settings((setting,))
