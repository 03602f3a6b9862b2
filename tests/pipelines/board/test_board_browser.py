"""The board and the comparison in a real browser: all is drawn, nothing complains, links lead somewhere, on a phone and in the dark."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from pipelines.board.comparison import comparison_path, write_comparison
from pipelines.board.page import write_board
from pipelines.compare import compare
from tests.conftest import Tiny
from tests.pipelines.board.recorded import Recorded
from tests.pipelines.conftest import CHROMIUM, PATIENCE
from tests.pipelines.test_report_browser import Opened

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium here; install one to see what the page's script does"),
]

_N_RUNS = 40
Look = Callable[..., Opened]


@pytest.fixture(scope="module")
def pages(first_run: Tiny, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A board of two competitions, one of them with many runs, and a comparison."""
    folder = tmp_path_factory.mktemp("board")
    shutil.copytree(first_run.runs, folder / "runs")
    recorded = Recorded(folder / "runs", next((folder / "runs" / "tiny" / "history").iterdir()))
    rng = np.random.default_rng(0)
    for at in range(1, _N_RUNS):
        run_id = f"209901{1 + at // 24:02d}-{at % 24:02d}0000-aaaaaa"
        entry = recorded.add(run_id, shift=float(rng.normal(-10 * at, 100)))
        recorded.declare(entry, "alpha: 1.0", f"alpha: {at + 1}.0")
        if at % 5 == 0:
            recorded.submit(run_id, float(12000 - 10 * at + rng.normal(0, 50)))
    recorded.add("20990110-120000-bbbbbb", competition="another one with a long name")
    found = compare(recorded.template.name, "20990101-010000-aaaaaa", recorded.runs)
    return {
        "board": write_board(recorded.runs, recorded.runs / "board.html"),
        "comparison": write_comparison(found, comparison_path(found)),
    }


@pytest.fixture
def look(browser: Browser, pages: dict[str, Path]) -> Iterator[Look]:
    """Opens one of the pages in a window of its own."""
    windows = []

    def open_page(name: str, **window: Any) -> Opened:
        windows.append(browser.new_context(reduced_motion="reduce", **window))
        return Opened(windows[-1].new_page(), SimpleNamespace(path=pages[name])).open()  # type: ignore[arg-type]

    yield open_page
    for window in windows:
        window.close()


@pytest.mark.parametrize("name", ["board", "comparison"])
def test_every_figure_is_drawn_without_a_complaint(look: Look, name: str) -> None:
    opened = look(name)
    opened.unfold()
    for choice in opened.page.query_selector_all(".choice select"):
        for at in range(len(choice.query_selector_all("option"))):
            choice.select_option(index=at)
            opened.wait_until_drawn(".choice")
    opened.wait_until_drawn("body")
    assert opened.page.locator(".plot.js-plotly-plot").count() == opened.page.locator(".plot").count() > 5
    assert opened.complaints == []
    assert {*opened.requests} <= {opened.made.path.as_uri(), "data:,"}


@pytest.mark.parametrize("name", ["board", "comparison"])
def test_a_phone_need_not_scroll_sideways(look: Look, name: str) -> None:
    opened = look(name, viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    opened.unfold()
    opened.wait_until_drawn("body")
    assert opened.page.evaluate("() => document.scrollingElement.scrollWidth") == 390


def test_the_dark_is_dark_and_readable(look: Look) -> None:
    opened = look("board", color_scheme="dark")
    for front, back in (
        ("td a", "td:first-child"),
        (".listing .find", ".table"),
        (".listing button", ".listing button"),
        ("summary", "details"),
    ):
        text, ground = opened.lightness(front, back)
        assert ground < 0.05, back
        assert (text + 0.05) / (ground + 0.05) > 4.5, front
    assert opened.complaints == []


def test_a_listing_is_turned_sorted_and_searched(look: Look) -> None:
    page = look("board").page
    listing = page.locator(".listing", has=page.get_by_role("heading", name=f"All {_N_RUNS} runs"))
    first, where = listing.locator("tbody tr td:first-child"), listing.locator(".pages span")
    assert (first.count(), where.inner_text()) == (15, f"1 to 15 of {_N_RUNS}")
    newest = first.all_inner_texts()
    assert newest == sorted(newest, reverse=True) and listing.locator("tr.marked").count() <= 1
    listing.get_by_role("button", name="later rows").click()
    listing.get_by_role("button", name="later rows").click()
    assert (first.count(), where.inner_text()) == (10, f"31 to {_N_RUNS} of {_N_RUNS}")
    assert listing.get_by_role("button", name="later rows").is_disabled()
    listing.get_by_role("button", name="score", exact=True).click()
    scores = [float(text.replace(",", "")) for text in listing.locator("tbody tr td:nth-child(4)").all_inner_texts()]
    assert scores == sorted(scores) and where.inner_text().startswith("1 to 15")
    assert listing.locator("tr.marked td").first.inner_text() == first.first.inner_text(), "the smallest rmse is the best"
    listing.get_by_role("button", name="public", exact=True).click()
    known = [text for text in listing.locator("tbody tr td:nth-child(8)").all_inner_texts() if text]
    assert len(known) == 7, "runs without a public score come last"
    listing.get_by_role("searchbox").fill("20990102-03")
    assert first.all_inner_texts() == ["20990102-030000-aaaaaa"]
    listing.get_by_role("searchbox").fill("nothing of that sort")
    assert (first.count(), where.inner_text()) == (0, "none")


def test_links_lead_to_sections_and_reports(look: Look) -> None:
    page = look("board").page
    page.get_by_role("link", name="another one with a long name").last.click()
    page.wait_for_function("() => document.querySelectorAll('main > section')[1].getBoundingClientRect().top < innerHeight")
    page.locator("td a[href$='report.html']").first.click()
    page.wait_for_function("() => document.title.includes('Tiny houses')", timeout=PATIENCE)
