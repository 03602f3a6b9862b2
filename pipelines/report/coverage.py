"""Coverage of predictions of a quantile: the share of rows at or below them, against the share that was asked for."""

from __future__ import annotations

from dataclasses import replace

from pipelines.coverage import COVERAGE
from pipelines.report.blocks import Block, Folded, Section, Table, Text
from pipelines.report.evidence import Evidence
from pipelines.report.numbers import interval, number, signed
from pipelines.report.scoreboard import dot_plot

_DECIMALS = 3


def coverage_section(evidence: Evidence) -> Section | None:
    """The coverage of the final, of every model and of every fold; none where the metric asks for no quantile."""
    quantile = evidence.metric.quantile
    if quantile is None:
        return None
    found = {name: scores["coverage"] for name, scores in evidence.scores.items()}
    final = found[evidence.final]
    low, high = final["interval"]
    verdict = "holds it" if low <= quantile <= high else "lies above it" if low > quantile else "lies below it"
    said = (
        f"{number(final['score'], _DECIMALS)} of the scored rows lie at or below the prediction of '{evidence.final}', "
        f"95 % interval {interval([low, high], _DECIMALS)}; {quantile:g} is asked for, and the interval {verdict}."
    )
    names = sorted(found, key=lambda name: abs(found[name]["score"] - quantile))
    figure = dot_plot(found, names, evidence.final, replace(COVERAGE, target=quantile))
    blocks: list[Block] = [Text(said), replace(figure, title="Coverage"), _table(evidence, names), _by_fold(evidence)]
    return Section("coverage", "Coverage", blocks)


def _table(evidence: Evidence, names: list[str]) -> Table:
    rows = []
    for name in names:
        one = evidence.scores[name]["coverage"]
        off = signed(one["score"] - one["quantile"], _DECIMALS)
        rows.append([name, number(one["score"], _DECIMALS), interval(one["interval"], _DECIMALS), off])
    caption = "Share of the rows at or below their out-of-fold prediction. Interval: bootstrap, as that of the score."
    return Table(
        ["name", "coverage", "95 % interval", "minus what is asked for"], rows, caption=caption, marked=names.index(evidence.final)
    )


def _by_fold(evidence: Evidence) -> Folded:
    shares = evidence.scores[evidence.final]["coverage"]["folds"]
    rows = [[str(fold), number(one, _DECIMALS)] for fold, one in enumerate(shares)]
    return Folded(f"Coverage of each of the {len(shares)} folds", [Table(["fold", f"coverage of {evidence.final}"], rows)])
