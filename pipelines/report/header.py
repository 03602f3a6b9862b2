"""The top of the page: what was run, how well it did, and on what machine."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.devices import Devices
from pipelines.report.blocks import Facts, Link
from pipelines.report.evidence import Evidence
from pipelines.report.numbers import count, duration, interval, number
from pipelines.store import version_of

_LIBRARIES = ("foldwise", "numpy", "pandas", "scikit-learn", "lightgbm", "xgboost", "xgboost-cpu")


@dataclass(frozen=True)
class Header:
    """Title, headline score and run facts."""

    title: str
    subtitle: str
    warnings: list[str]
    score: str
    score_note: str
    tiles: list[tuple[str, str]]
    facts: Facts
    links: Sequence[Link] = ()
    """Other pages that belong to this one."""


def header(evidence: Evidence) -> Header:
    """The header of a run."""
    final, spec, metric = evidence.metrics["final"], evidence.session.spec, evidence.metric
    direction = "higher is better" if metric.greater_is_better else "lower is better"
    direction = direction if metric.target is None else f"best at {metric.target:g}"
    return Header(
        title=spec.title,
        subtitle=f"{evidence.session.competition.name} \N{MIDDLE DOT} {spec.task} \N{MIDDLE DOT} {metric}, {direction}",
        warnings=_warnings(evidence),
        score=number(final["score"]),
        score_note=f"out-of-fold {metric} of '{final['name']}'",
        tiles=_tiles(evidence),
        facts=Facts(_run_facts(evidence)),
    )


def _tiles(evidence: Evidence) -> list[tuple[str, str]]:
    final, folds = evidence.metrics["final"], evidence.folds
    limit = (evidence.metrics.get("limit") or {}).get("train")
    repeats, combined = len(folds.repeats), len(evidence.metrics["ensemble"])
    return [
        ("95 % interval", interval(final["interval"], evidence.decimals)),
        ("fold sd", number(final["fold_sd"], evidence.decimals)),
        *([] if limit is None else [("from the best possible", number(abs(final["score"] - limit), evidence.decimals))]),
        ("train rows", count(evidence.prepared.n_train)),
        ("test rows", count(evidence.prepared.n_test)),
        ("folds", count(folds.n_folds) + (f" in {repeats} repeats" if repeats > 1 else "")),
        ("models", f"{len(evidence.metrics['models'])}" + (f" + {combined} combined" if combined else "")),
        ("time", duration(sum(evidence.timings.values()))),
    ]


def _warnings(evidence: Evidence) -> list[str]:
    session, said = evidence.session, []
    if session.data.is_relative_to(session.latest / "sample"):
        said.append("Made on the sample that comes with the competition, not on the competition's own files.")
    if session.options.sample:
        said.append(f"Made on a random sample of at most {count(session.options.sample)} rows of each file.")
    left_out = [name for name in (*session.spec.models, *session.spec.members) if name not in evidence.metrics["models"]]
    if left_out:
        said.append(f"A partial run: without the model(s) {', '.join(left_out)}.")
    if evidence.final != session.spec.final:
        said.append(f"The declared final {session.spec.final!r} could not be made; {evidence.final!r} stands in for it.")
    return said


def _device(devices: Devices) -> str:
    """The device of each kind of booster, and what the choice rests on."""
    return "; ".join([str(devices), *(line.removeprefix("device: ") for line in devices.said)])


def _run_facts(evidence: Evidence) -> list[tuple[str, str]]:
    session = evidence.session
    around = session.around
    versions = [f"{name} {version_of(name)}" for name in _LIBRARIES if version_of(name) != "absent"]
    return [
        ("started", f"{around.now:%Y-%m-%d %H:%M} UTC"),
        ("git commit", around.git_commit or "none"),
        ("machine", f"{around.machine}, {around.cores} cores"),
        ("device", _device(session.keys.devices)),
        ("versions", ", ".join([*versions, f"Python {platform.python_version()}"])),
        ("settings", ", ".join(session.options.settings) or "as declared"),
        *((f"hash of {name}", value) for name, value in {**session.keys.inputs, **session.keys.outside}.items()),
    ]
