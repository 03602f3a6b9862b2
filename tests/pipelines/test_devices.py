"""Where boosters train: nothing is assumed; what a probe says is obeyed, said and recorded. No GPU is needed: one is played, or tried in vain."""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import InputError
from pipelines.competition import Competition
from pipelines.console import Console
from pipelines.devices import ADDED_BY_BUDGETS, CAN_USE_GPU, Accelerators, Devices, Size, boosters, choose
from pipelines.devices.choosing import _sampled, at_size
from pipelines.devices.present import gpus
from pipelines.devices.probe import Probe, Tried, in_child
from pipelines.models import kinds
from pipelines.options import Options
from pipelines.session import Session, open_session
from pipelines.store import read_json
from pipelines.surroundings import Surroundings
from pipelines.tuning.whole import Wanted, tune
from pipelines.whole_run import run

HAS_GPU = bool(gpus())
needs_no_gpu = pytest.mark.skipif(HAS_GPU, reason="this machine has a GPU: the libraries would use it")
EVERY = {"lightgbm": ["lgb", "lgb_small"], "xgboost": ["xgb"], "catboost": ["cat"]}


class Played:
    """A machine with a GPU that is not there: seconds by kind and device, or the words of a refusal."""

    def __init__(self, answers: Mapping[tuple[str, str], float | str], *, is_there: bool = True) -> None:
        self.answers, self.is_there = answers, is_there
        self.asked: list[Probe] = []

    def __call__(self, probe: Probe, limit: float) -> Tried:
        self.asked.append(probe)
        answer = self.answers.get((probe.kind, probe.device), "nothing of that kind here")
        return Tried(refused=answer) if isinstance(answer, str) else Tried(tuple(answer * max(rows, 1) for rows in probe.rows))

    @property
    def machine(self) -> Accelerators:
        """As a run takes it."""
        return Accelerators(look=lambda: ("/dev/nvidia0",) if self.is_there else (), probe=self)


def chosen(played: Played, asked: str = "auto", rows: int = 1000, columns: int = 10, **more: Any) -> Devices:
    return choose(
        asked, more.pop("declared", EVERY), size=lambda: Size(rows, columns), threads=2, machine=more.pop("machine", played.machine), **more
    )


# ---------------------------------------------------------------------- looking


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("dev/nvidia0", True),
        ("dev/dxg", True),
        ("proc/driver/nvidia/gpus/0000:01:00.0", True),
        ("etc/OpenCL/vendors/nvidia.icd", True),
        ("dev/nvidiactl", False),
        ("dev/null", False),
    ],
)
def test_signs_of_a_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, found: bool) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).touch()
    assert gpus(tmp_path, {}) == ((f"/{path}",) if found else ())
    assert "OCL_ICD_FILENAMES=/opt/pocl.so" in gpus(tmp_path, {"OCL_ICD_FILENAMES": "/opt/pocl.so", "OCL_ICD_VENDORS": ""})


@pytest.mark.parametrize(
    ("script", "found"),
    [("echo 'GPU 0: A100 (UUID: GPU-1)'", ("GPU 0: A100",)), ("echo 'No devices were found'; exit 6", ()), ("exit 9", ())],
)
def test_what_nvidia_smi_lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, found: tuple[str, ...]) -> None:
    (tmp_path / "nvidia-smi").write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    (tmp_path / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert gpus(tmp_path / "empty", {}) == found


def test_kinds_that_can_use_a_gpu_are_kinds() -> None:
    assert set(CAN_USE_GPU) <= set(kinds())
    assert boosters(["ridge", "xgboost", "bagging", "lightgbm", "xgboost"]) == ["lightgbm", "xgboost"]


# ---------------------------------------------------------------------- choosing


def test_without_a_gpu_auto_is_the_cpu_and_nothing_is_tried() -> None:
    played = Played({}, is_there=False)
    devices = chosen(played)
    assert str(devices) == "cpu" and devices.of(["lightgbm"]) == "cpu" and not played.asked
    assert "this machine shows no GPU" in devices.said[0]


@pytest.mark.parametrize("asked", ["auto", "cuda"])
def test_without_boosters_nothing_is_tried(asked: str) -> None:
    played = Played({})
    assert str(chosen(played, asked, declared={})) == "cpu" and not played.asked


def test_the_cpu_asks_nobody() -> None:
    played = Played({})
    assert chosen(played, "cpu") == Devices("cpu") and not played.asked


def test_auto_takes_the_faster_device_of_each_kind() -> None:
    played = Played(
        {
            ("xgboost", "cpu"): 4.0,
            ("xgboost", "cuda"): 1.0,
            ("lightgbm", "cpu"): 1.0,
            ("lightgbm", "cuda"): "CUDA Tree Learner was not enabled",
            ("lightgbm", "gpu"): 3.0,
            ("catboost", "cuda"): "driver too old",
        }
    )
    devices = chosen(played, rows=5_000)
    assert dict(devices.of_kind) == {"catboost": "cpu", "lightgbm": "cpu", "xgboost": "cuda"}
    assert str(devices) == "xgboost cuda" and devices.of(["bagging", "xgboost"]) == "cuda" and devices.of(["ridge"]) == "cpu"
    said = "\n".join(devices.said)
    assert "device: xgboost on cuda; 30 rounds of 5,000 x 10: cuda 5e+03 s, cpu 2e+04 s" in said
    assert "device: catboost on cpu; cuda: driver too old" in said
    assert "lightgbm on cpu; 30 rounds" in said and "cuda: CUDA Tree Learner was not enabled" in said
    assert [(one["kind"], one["device"]) for one in devices.probes if one["refused"]] == [("catboost", "cuda"), ("lightgbm", "cuda")]
    json.dumps(devices.probes)
    # where nothing trains on the GPU, the CPU is not timed
    assert ("catboost", "cpu") not in {(one.kind, one.device) for one in played.asked}


def test_a_cpu_that_is_not_done_in_time_loses() -> None:
    played = Played({("xgboost", "cuda"): 1.0, ("xgboost", "cpu"): "the fit was not done after 60 s and was ended"})
    assert chosen(played, declared={"xgboost": ["xgb"]}).of_kind == {"xgboost": "cuda"}


def test_no_probe_is_begun_after_its_time() -> None:
    played = Played({("xgboost", "cuda"): 1.0})
    late = dataclasses.replace(played.machine, until=time.monotonic() - 1)
    devices = chosen(played, machine=late)
    assert str(devices) == "cpu" and not played.asked and "no time was left to try it" in devices.said[0]


@given(st.integers(1, 10_000_000), st.integers(1, 3_000))
def test_what_is_tried_is_bounded_and_covers_small_tables_whole(rows: int, columns: int) -> None:
    sizes = _sampled(Size(rows, columns))
    assert max(sizes) * min(columns, 100) <= 4_000_000 or sizes == (2,)
    assert all(size >= 2 for size in sizes)
    assert rows < 2 or max(sizes) <= max(rows, 2)
    # a cost in proportion to the rows is extrapolated exactly
    expected = max(rows, 2) * max(1.0, columns / 100)
    assert at_size(tuple(float(size) for size in sizes), Size(rows, columns)) == pytest.approx(expected)


# ---------------------------------------------------------------------- demanding


def test_cuda_is_refused_for_declared_boosters_with_words_and_a_next_step() -> None:
    played = Played({("xgboost", "cuda"): 1.0, ("lightgbm", "cuda"): "not in this build", ("lightgbm", "gpu"): "No OpenCL device found"})
    with pytest.raises(InputError) as raised:
        chosen(played, "cuda")
    said = str(raised.value)
    assert said.startswith("--device cuda: catboost, lightgbm cannot train on a GPU here.")
    assert "lightgbm ('lgb', 'lgb_small'): cuda: not in this build; gpu (OpenCL): No OpenCL device found. It needs a LightGBM built" in said
    assert "xgboost" not in said and "--device auto" in said


def test_cuda_falls_to_opencl_for_lightgbm_and_lets_a_budgets_own_kinds_stay() -> None:
    played = Played({("lightgbm", "cuda"): "not in this build", ("lightgbm", "gpu"): 1.0})
    devices = chosen(played, "cuda", declared={"lightgbm": ["lgb"]}, added=CAN_USE_GPU)
    assert devices.of_kind == {"lightgbm": "gpu"} and devices.asked == "cuda"
    assert any("xgboost on cpu; cuda: nothing of that kind here" in line for line in devices.said)
    assert all(probe.rows == () for probe in played.asked)


# ---------------------------------------------------------------------- the child


@needs_no_gpu
@pytest.mark.parametrize(
    ("kind", "device", "words"),
    [
        ("xgboost", "cuda", "Device is changed from GPU to CPU"),
        ("lightgbm", "cuda", "LightGBMError: CUDA Tree Learner was not enabled in this build"),
        ("lightgbm", "gpu", "LightGBMError: No OpenCL device found"),
        ("catboost", "cuda", "CatBoostError"),
    ],
)
def test_what_the_libraries_say_without_a_gpu(kind: str, device: str, words: str) -> None:
    tried = in_child(Probe(kind, device), 60.0)
    assert tried.refused is not None and words in tried.refused and not tried.seconds


def test_a_fit_on_the_cpu_is_timed() -> None:
    tried = in_child(Probe("xgboost", "cpu", rows=(50, 400), columns=3, rounds=2), 60.0)
    assert tried.refused is None and len(tried.seconds) == 2 and min(tried.seconds) > 0


CRASHES = {
    "a signal": ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "the process of the fit was ended by SIGSEGV"),
    "an exit": ("import sys; print('driver: bad day', file=sys.stderr); sys.exit(7)", "ended with exit code 7: driver: bad day"),
    "silence": ("pass", "ended with exit code 0"),
    "no module": ("import no_such_module", "No module named 'no_such_module'"),
}


@pytest.mark.parametrize("name", CRASHES)
def test_a_child_that_crashes_takes_nothing_along(name: str) -> None:
    code, words = CRASHES[name]
    tried = in_child(Probe("xgboost", "cuda"), 30.0, command=(sys.executable, "-c", code))
    assert tried.refused is not None and words in tried.refused


def test_a_child_that_hangs_is_ended_with_what_it_started(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys, time, pathlib\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(child.pid))\n"
        "time.sleep(600)"
    )
    began = time.monotonic()
    tried = in_child(Probe("xgboost", "cuda"), 3.0, command=(sys.executable, "-c", code))
    assert tried.refused == "the fit was not done after 3 s and was ended"
    assert time.monotonic() - began < 20
    pid = int((tmp_path / "pid").read_text())
    until = time.monotonic() + 20
    while Path(f"/proc/{pid}/stat").exists() and _state(pid) not in ("Z", "X") and time.monotonic() < until:
        time.sleep(0.05)
    assert not Path(f"/proc/{pid}/stat").exists() or _state(pid) in ("Z", "X")


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
    except OSError:
        return "X"


# ---------------------------------------------------------------------- runs


@pytest.fixture
def boosted(make_tiny: Callable[..., Any]) -> Any:
    tiny = make_tiny()
    tiny.edit(("  ridge: {ridge: {alpha: 1.0}, view: linear}", "  ridge: {xgboost: {n_estimators: 3}, view: linear}"))
    return tiny


def around(played: Played) -> Surroundings:
    return Surroundings(datetime.now(UTC), 1, "a machine", None, None, Console(is_quiet=True), accelerators=played.machine)


def test_auto_is_recorded_as_what_it_became(boosted: Any, alone: None) -> None:
    """A GPU that is slower: fits are those of the CPU, found in the store by a run that asks for it."""
    played = Played({("xgboost", "cpu"): 1.0, ("xgboost", "cuda"): 2.0})
    made = run(str(boosted.folder), options=Options(data=boosted.folder.parent, runs=boosted.runs, device="auto"), around=around(played))
    facts = read_json(made.folder / "run.json")
    assert facts["device"] == "cpu" and facts["options"]["device"] == "auto"
    assert [(one["kind"], one["device"]) for one in facts["device_probes"]] == [("xgboost", "cuda"), ("xgboost", "cpu")]
    assert "xgboost on cpu; 30 rounds of" in (made.folder / "report.html").read_text(encoding="utf-8")
    again = run(str(boosted.folder), options=Options(data=boosted.folder.parent, runs=boosted.runs, device="cpu"), around=around(played))
    assert again.is_new and again.fits_made == 0


def opened(boosted: Any, around: Surroundings, device: str, **options: Any) -> Session:
    return open_session(Competition("tiny", boosted.folder), boosted.folder, Options(runs=boosted.runs, device=device, **options), around)


def test_the_device_is_in_the_keys_of_boosters_only(boosted: Any) -> None:
    fast = Played({("xgboost", "cpu"): 2.0, ("xgboost", "cuda"): 1.0})
    cpu, auto, cuda = (opened(boosted, around(fast), device).keys for device in ("cpu", "auto", "cuda"))
    assert (cpu.device("ridge"), auto.device("ridge"), auto.device("tree")) == ("cpu", "cuda", "cpu")
    assert auto.fit("ridge", 0) == cuda.fit("ridge", 0) != cpu.fit("ridge", 0)
    assert auto.fit("tree", 0) == cpu.fit("tree", 0)


def test_probes_count_in_a_budget(boosted: Any) -> None:
    """After a quarter of it none is begun; the kinds that a budget may add are tried, too."""
    played = Played({("xgboost", "cpu"): 2.0, ("xgboost", "cuda"): 1.0})
    in_time = opened(boosted, around(played), "auto", budget=600.0)
    assert {one.kind for one in played.asked} == set(ADDED_BY_BUDGETS) and str(in_time.keys.devices) == "xgboost cuda"
    late = dataclasses.replace(around(played), began=time.monotonic() - 200)
    assert str(opened(boosted, late, "auto", budget=600.0).keys.devices) == "cpu"


@needs_no_gpu
def test_cuda_ends_with_code_2_before_any_fit(boosted: Any, foldwise: Callable[..., Any]) -> None:
    said = foldwise("run", boosted.folder, "--runs", boosted.runs, "--device", "cuda")
    assert said.code == 2
    assert "--device cuda: xgboost cannot train on a GPU here" in said.err and "xgboost ('ridge'): cuda: " in said.err
    assert "Device is changed from GPU to CPU" in said.err and "Traceback" not in said.err
    assert not list(boosted.runs.rglob("facts.json"))


@needs_no_gpu
def test_auto_runs_on_the_cpu_where_there_is_no_gpu(boosted: Any, foldwise: Callable[..., Any]) -> None:
    said = foldwise("run", boosted.folder, "--runs", boosted.runs, "--device", "auto", "--no-track")
    assert said.code == 0 and "device: cpu, because this machine shows no GPU" in said.out + said.err
    assert read_json(boosted.latest / "run.json")["device"] == "cpu"


def test_tuning_resolves_the_same_way(boosted: Any, alone: None) -> None:
    played = Played({("xgboost", "cpu"): 1.0, ("xgboost", "cuda"): 2.0})
    options = Options(data=boosted.folder.parent, runs=boosted.runs, models=("ridge",), device="auto", track=False)
    tuned = tune(str(boosted.folder), options=options, wanted=Wanted(trials=1), around=around(played))
    assert tuned.session.keys.devices.asked == "auto" and str(tuned.session.keys.devices) == "cpu"
    # chosen once for the whole search, not again by each worker
    assert [one.device for one in played.asked] == ["cuda", "cpu"]
    refused = Played({})
    with pytest.raises(InputError, match="--device cuda: xgboost cannot train on a GPU here"):
        tune(str(boosted.folder), options=dataclasses.replace(options, device="cuda"), wanted=Wanted(trials=1), around=around(refused))
