"""The device of each kind of booster: as asked for, or the one that a timed fit found faster."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from features.errors import InputError, listed
from pipelines.devices.present import LOOKED_FOR, gpus
from pipelines.devices.probe import Probe, Prober, Tried, in_child

CAN_USE_GPU: Mapping[str, tuple[str, ...]] = {
    "catboost": ("cuda",),
    "lightgbm": ("cuda", "gpu"),
    "realmlp": ("cuda",),
    "tabm": ("cuda",),
    "xgboost": ("cuda",),
}
"""The devices besides the CPU that a kind's library knows, in the order they are tried; ``gpu`` is LightGBM's OpenCL."""
ADDED_BY_BUDGETS = ("catboost", "lightgbm", "xgboost")
"""Those that are tried for a budget's own models too; networks, whose fits on the CPU would take most of the probing time, where declared."""
_NEXT_STEPS = {
    "catboost": "an NVIDIA driver as new as the CUDA of CatBoost's wheel",
    "lightgbm": "a LightGBM built with CUDA, or an OpenCL driver for the one that is installed",
    "realmlp": "an NVIDIA driver, and a PyTorch built with CUDA",
    "tabm": "an NVIDIA driver, and a PyTorch built with CUDA",
    "xgboost": "an NVIDIA driver, and 'xgboost' (the extra 'gpu') in place of 'xgboost-cpu'",
}
_LIMIT = 60.0
"""A driver that is started for the first time is slow."""
_MOST_CELLS, _MOST_COLUMNS, _ROUNDS = 4_000_000, 100, 30


@dataclass(frozen=True)
class Size:
    """Rows to fit on, and columns of a fit."""

    rows: int
    columns: int


@dataclass(frozen=True)
class Devices:
    """The device of each kind of booster; all others, and those not named, are on the CPU."""

    asked: str = "cpu"
    of_kind: Mapping[str, str] = field(default_factory=dict)
    said: tuple[str, ...] = ()
    """What the choice rests on, a line for each kind, for people."""
    probes: tuple[Mapping[str, Any], ...] = ()
    """The same as plain data: kind, device, the seconds or what was refused."""

    def of(self, kinds: Iterable[str]) -> str:
        """The device of a model, from its kind and those inside it."""
        return next((self.of_kind[kind] for kind in kinds if kind in self.of_kind), "cpu")

    def __str__(self) -> str:
        """``cpu``, or each kind that is elsewhere with its device."""
        return ", ".join(f"{kind} {device}" for kind, device in sorted(self.of_kind.items()) if device != "cpu") or "cpu"


@dataclass(frozen=True)
class Accelerators:
    """How GPUs are looked for and tried."""

    look: Callable[[], tuple[str, ...]] = gpus
    probe: Prober = in_child
    limit: float = _LIMIT
    """Seconds that one probe may take."""
    until: float = math.inf
    """When all of them must be over, by ``time.monotonic``."""

    def tried(self, probe: Probe) -> Tried:
        """What came out of a probe, within the time there is."""
        left = min(self.limit, self.until - time.monotonic())
        return self.probe(probe, left) if left > 0 else Tried(refused="no time was left to try it")


def boosters(kinds: Iterable[str]) -> list[str]:
    """Those of some kinds that may train on a GPU, each once; what is not installed cannot."""
    from pipelines.models import missing

    return sorted(kind for kind in set(kinds) & set(CAN_USE_GPU) if not missing(kind))


def choose(
    asked: str,
    declared: Mapping[str, list[str]],
    *,
    size: Callable[[], Size],
    threads: int,
    machine: Accelerators,
    added: Iterable[str] = (),
) -> Devices:
    """The devices of a run.

    Parameters
    ----------
    asked
        ``cpu``; ``cuda``: the GPU for every booster, or an error; ``auto``: for each kind the faster one at this size.
    declared
        The names of the models of each kind of booster that a declaration has.
    size
        Gives the rows and columns at hand; asked for when there is a GPU to time.
    threads
        Cores that a fit on the CPU is timed with.
    added
        Kinds that a budget may add; where one cannot use the GPU, it stays on the CPU.

    Raises
    ------
    InputError
        When ``cuda`` is asked for and a declared booster cannot train on a GPU.
    """
    kinds = boosters([*declared, *added])
    if asked == "cpu" or not kinds:
        return Devices(asked, said=() if asked == "cpu" else ("device: cpu, because no model is of a kind that can use a GPU",))
    if asked == "cuda":
        return _demanded(kinds, declared, machine)
    if not machine.look():
        return Devices(asked, said=(f"device: cpu, because this machine shows no GPU ({LOOKED_FOR})",))
    return _faster(kinds, size(), threads, machine)


def _demanded(kinds: list[str], declared: Mapping[str, list[str]], machine: Accelerators) -> Devices:
    """The GPU for all of them; each is tried by a tiny fit."""
    found = {kind: _first_that_fits(kind, machine) for kind in kinds}
    lacking = [kind for kind in kinds if found[kind][0] is None]
    if set(lacking) & set(declared):
        raise InputError(_refusal([kind for kind in lacking if kind in declared], declared, found))
    said = [f"device: {kind} on {device}, tried by a fit" for kind, (device, _) in found.items() if device]
    said += [f"device: {kind} on cpu; {_words(found[kind][1])}" for kind in lacking]
    tried = [_plain(kind, device, one) for kind, (_, tries) in found.items() for device, one in tries.items()]
    return Devices("cuda", {kind: device for kind, (device, _) in found.items() if device}, tuple(said), tuple(tried))


def _first_that_fits(kind: str, machine: Accelerators) -> tuple[str | None, dict[str, Tried]]:
    """The first of a kind's devices that a tiny fit trains on, and all that was tried."""
    tried: dict[str, Tried] = {}
    for device in CAN_USE_GPU[kind]:
        tried[device] = machine.tried(Probe(kind, device))
        if tried[device].refused is None:
            return device, tried
    return None, tried


def _refusal(lacking: list[str], declared: Mapping[str, list[str]], found: Mapping[str, tuple[str | None, dict[str, Tried]]]) -> str:
    lines = [f"  {kind} ({listed(declared[kind])}): {_words(found[kind][1])}. It needs {_NEXT_STEPS[kind]}." for kind in lacking]
    return "\n".join(
        [
            f"--device cuda: {', '.join(lacking)} cannot train on a GPU here. A fit of 200 rows was tried:",
            *lines,
            "Take --device auto, which uses a GPU where there is one and it is faster, or --device cpu.",
        ]
    )


def _faster(kinds: list[str], size: Size, threads: int, machine: Accelerators) -> Devices:
    """The faster device of each kind, one after the other: fits side by side would slow each other down."""
    of_kind, said, probes = dict[str, str](), list[str](), list[Mapping[str, Any]]()
    for kind in kinds:
        tried = {device: machine.tried(_sized(kind, device, size, threads)) for device in CAN_USE_GPU[kind]}
        if any(one.refused is None for one in tried.values()):
            tried["cpu"] = machine.tried(_sized(kind, "cpu", size, threads))
        seconds = {device: at_size(one.seconds, size) for device, one in tried.items() if one.refused is None}
        of_kind[kind] = min(seconds, key=seconds.__getitem__) if seconds else "cpu"
        said.append(f"device: {kind} on {of_kind[kind]}; {_compared(tried, seconds, size)}")
        probes += [{**_plain(kind, device, one), "at_size": seconds.get(device)} for device, one in tried.items()]
    return Devices("auto", of_kind, tuple(said), tuple(probes))


def _compared(tried: Mapping[str, Tried], seconds: Mapping[str, float], size: Size) -> str:
    timed = ", ".join(f"{device} {value:.2g} s" for device, value in seconds.items())
    parts = [f"{_ROUNDS} rounds of {size.rows:,} x {size.columns}: {timed}"] if timed else []
    refused = {device: one for device, one in tried.items() if one.refused is not None}
    return "; ".join([*parts, *([_words(refused)] if refused else [])])


def _sized(kind: str, device: str, size: Size, threads: int) -> Probe:
    """Fits at the size at hand; of a large table at the most rows that are tried, and at a quarter of them."""
    columns = min(size.columns, _MOST_COLUMNS)
    return Probe(kind, device, _sampled(size), columns, _ROUNDS, threads if device == "cpu" else 1)


def _sampled(size: Size) -> tuple[int, ...]:
    most = _MOST_CELLS // min(size.columns, _MOST_COLUMNS)
    return (max(size.rows, 2),) if size.rows <= most else (most // 4, most)


def at_size(seconds: tuple[float, ...], size: Size) -> float:
    """Seconds of a fit at a size, from those of the sampled fits.

    Between rows the line through two fits is followed, because a GPU's start costs the same for few rows and for many; columns
    beyond the sampled ones count in proportion.

    >>> at_size((0.5,), Size(1000, 10)), at_size((1.0, 2.5), Size(800_000, 10))
    (0.5, 4.5)
    """
    rows, wider = _sampled(size), max(1.0, size.columns / _MOST_COLUMNS)
    if len(seconds) == 1:
        return seconds[0] * wider
    slope = max(0.0, (seconds[1] - seconds[0]) / (rows[1] - rows[0]))
    return (seconds[1] + slope * (size.rows - rows[1])) * wider


def _words(tried: Mapping[str, Tried]) -> str:
    """What the libraries said, device by device."""
    named = {"gpu": "gpu (OpenCL)"}
    return "; ".join(f"{named.get(device, device)}: {one.refused}" for device, one in tried.items())


def _plain(kind: str, device: str, tried: Tried) -> dict[str, Any]:
    return {"kind": kind, "device": device, "seconds": [*tried.seconds], "refused": tried.refused}
