"""The page: sections put into the template, with plotly and the style inside, in one file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from markupsafe import Markup

from pipelines.prepare import Prepared
from pipelines.report.arms import arms_section
from pipelines.report.blends import blends_section
from pipelines.report.blocks import Figure, Listing, Section, has_any, paired
from pipelines.report.calibration import calibration_section
from pipelines.report.course import holdout_section, plan_section, time_section
from pipelines.report.coverage import coverage_section
from pipelines.report.decision import decision_section
from pipelines.report.evidence import Evidence
from pipelines.report.folds import folds_section
from pipelines.report.header import Header, header
from pipelines.report.importances import importances_section
from pipelines.report.scoreboard import scoreboard_section
from pipelines.report.screening import screening_section
from pipelines.report.slices import slices_section
from pipelines.report.truth import truth_section
from pipelines.report.tuning import tuning_section
from pipelines.session import Session
from pipelines.stages import Combined
from pipelines.store import whole_file

_FOLDER = Path(__file__).parent


def write_report(session: Session, prepared: Prepared, combined: Combined, path: Path, *, timings: dict[str, float]) -> None:
    """Write the report of a run as one HTML file that needs no network.

    Parameters
    ----------
    timings
        Wall-clock seconds of each stage so far, in order.
    """
    evidence = Evidence(session, prepared, combined, timings)
    page = render(header(evidence), sections(evidence))
    with whole_file(path) as file:
        file.write_text(page, encoding="utf-8")


def sections(evidence: Evidence) -> list[Section]:
    """The parts of the report that this run has something to say for."""
    made = [
        scoreboard_section(evidence),
        folds_section(evidence),
        coverage_section(evidence),
        truth_section(evidence),
        calibration_section(evidence),
        decision_section(evidence),
        arms_section(evidence),
        slices_section(evidence),
        screening_section(evidence),
        importances_section(evidence),
        blends_section(evidence),
        tuning_section(evidence),
        holdout_section(evidence),
        time_section(evidence),
        plan_section(evidence),
    ]
    return [replace(section, blocks=paired(section.blocks)) for section in made if section is not None]


def render(top: Header, parts: list[Section]) -> str:
    """The page's text; everything that is not our own markup is escaped, and plotly is there when a figure needs it."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined)
    environment.trim_blocks = environment.lstrip_blocks = True
    style = Markup((_FOLDER / "page.css").read_text(encoding="utf-8"))
    plotly = _plotly() if any(has_any(Figure, section.blocks) for section in parts) else ""
    has_listing = any(has_any(Listing, section.blocks) for section in parts)
    return environment.get_template("page.html").render(header=top, sections=parts, style=style, plotly=plotly, has_listing=has_listing)


def _plotly() -> Markup:
    from plotly.offline import get_plotlyjs

    return Markup(get_plotlyjs())
