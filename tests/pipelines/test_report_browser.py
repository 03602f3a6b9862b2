"""The report in a real browser: all is drawn, nothing complains, nothing leaves the file, and it reads on a phone and in the dark."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from ..conftest import write_tiny
from .conftest import CHROMIUM, PATIENCE
from .reported import Reported, finished, reported

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

_TASKS = ("regression", "binary", "multiclass")
_ARMS = "  weighed: {decision_tree: {max_depth: 3}, view: linear, weights: balanced}\n"
_FINISHED = "calibrate: platt\nthreshold: {cost: {false_positive: 1, false_negative: 5}}\n"
_CONTRAST = """([front, back]) => {
  const parts = (colour) => colour.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255);
  const light = (colour) => {
    const [r, g, b] = parts(colour).map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  return [light(front), light(back)];
}"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium here; install one to see what the page's script does"),
]


@dataclass
class Opened:
    """A page in the browser, and what it said and asked for."""

    page: Page
    made: Reported
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def open(self) -> Opened:
        """Load the file and wait until all that is shown is drawn."""
        self.page.on("console", lambda message: self.complaints.append(message.text) if message.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(self.made.path.as_uri(), timeout=PATIENCE)
        self.page.wait_for_selector('html[data-drawn="all"]', state="attached", timeout=PATIENCE)
        return self

    def unfold(self) -> None:
        """Open everything that is folded."""
        self.page.evaluate("() => document.querySelectorAll('details').forEach((one) => { one.open = true; })")

    def wait_until_drawn(self, scope: str) -> None:
        """Wait until no figure that is shown below a selector is left undrawn."""
        shown = (
            "(scope) => ![...document.querySelectorAll(`${scope} .plot:not(.js-plotly-plot)`)].some((one) => one.getClientRects().length)"
        )
        self.page.wait_for_function(shown, arg=scope, timeout=PATIENCE)

    def lightness(self, front: str, back: str) -> tuple[float, float]:
        """Relative luminance (WCAG 2) of one element's text and another's ground."""
        front_colour = self.page.eval_on_selector(
            front, "(one) => one.tagName === 'text' ? getComputedStyle(one).fill : getComputedStyle(one).color"
        )
        back_colour = self.page.eval_on_selector(back, "(one) => getComputedStyle(one).backgroundColor")
        light: list[float] = self.page.evaluate(_CONTRAST, [front_colour, back_colour])
        return light[0], light[1]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Reported]:
    """The report of a tiny run of a task, made once."""
    there: dict[str, Reported] = {}

    def make(task: str) -> Reported:
        if task not in there:
            folder = tmp_path_factory.mktemp(task)
            tiny = write_tiny(folder / "tiny", task, n_train=120)
            tiny.edit(("ensemble:\n", f"{_ARMS if task == 'binary' else ''}ensemble:\n"))
            with tiny.declaration.open("a", encoding="utf-8") as file:
                file.write("report: {slices: [street, rooms]}\n" + (_FINISHED if task == "binary" else ""))
            there[task] = reported(finished(tiny.folder, tiny.runs, folder), folder / "report.html")
        return there[task]

    return make


@pytest.fixture
def look(browser: Browser, made: Callable[[str], Reported]) -> Iterator[Callable[..., Opened]]:
    """Opens a task's report in a window of its own."""
    windows = []

    def open_report(task: str, **window: Any) -> Opened:
        windows.append(browser.new_context(reduced_motion="reduce", **window))
        return Opened(windows[-1].new_page(), made(task)).open()

    yield open_report
    for window in windows:
        window.close()


@pytest.mark.parametrize("task", _TASKS)
def test_every_figure_is_drawn_without_a_complaint(look: Callable[..., Opened], task: str) -> None:
    opened = look(task)
    opened.unfold()
    opened.wait_until_drawn("body")
    for choice in opened.page.query_selector_all(".choice select"):
        for at in range(len(choice.query_selector_all("option"))):
            choice.select_option(index=at)
            opened.wait_until_drawn(".choice")
    assert opened.page.locator(".plot.js-plotly-plot .main-svg").count() > 0
    assert opened.page.locator(".plot.js-plotly-plot").count() == len(opened.made.figures)
    assert opened.complaints == []
    assert set(opened.requests) <= {opened.made.path.as_uri(), "data:,"}


@pytest.mark.parametrize("task", _TASKS)
def test_a_phone_need_not_scroll_sideways(look: Callable[..., Opened], task: str) -> None:
    opened = look(task, viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    opened.unfold()
    opened.wait_until_drawn("body")
    assert opened.page.evaluate("() => document.scrollingElement.scrollWidth") == 390
    # a figure may not be wider than its frame either, where it would be cut
    cut = (
        "() => [...document.querySelectorAll('figure')].filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.innerText)"
    )
    assert opened.page.evaluate(cut) == []


def test_the_dark_is_dark_and_readable(look: Callable[..., Opened]) -> None:
    opened = look("binary", color_scheme="dark")
    for front, back in (
        ("body", "body"),
        ("h2", "body"),
        ("figure h3", "figure"),
        ("figure .xtick text", "figure"),
        ("td", "td:first-child"),
    ):
        text, ground = opened.lightness(front, back)
        assert ground < 0.05, back
        assert (text + 0.05) / (ground + 0.05) > 4.5, front
    # the same page goes along when the light is turned on
    opened.page.emulate_media(color_scheme="light")
    opened.page.wait_for_function("() => getComputedStyle(document.querySelector('figure .xtick text')).fill === 'rgb(98, 106, 117)'")
    text, ground = opened.lightness("figure .xtick text", "figure")
    assert (ground + 0.05) / (text + 0.05) > 4.5
    assert opened.complaints == []


def test_links_lead_to_their_sections(look: Callable[..., Opened]) -> None:
    opened = look("binary")
    links = opened.page.query_selector_all("nav a")
    assert len(links) == opened.page.locator("main > section").count()
    for link in links:
        link.click()
        anchor = str(link.get_attribute("href")).removeprefix("#")
        # the heading is to be seen, and not behind the bar of links
        seen = "(id) => { const at = document.getElementById(id).querySelector('h2').getBoundingClientRect(); return at.top >= document.querySelector('nav').offsetHeight && at.bottom <= innerHeight; }"
        opened.page.wait_for_function(seen, arg=anchor, timeout=PATIENCE)
