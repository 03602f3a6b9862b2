"""What a page is made of: sections of text, facts, tables and figures, all plain values that the template lays out.

Colours in a figure are names such as ``$accent`` or ``$accent/30`` (with 30 % opacity). The page's script turns them into
the colours of its style sheet, light or dark, so that a figure is written once for both.
"""

from __future__ import annotations

import html
import itertools
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, TypeAlias

from markupsafe import Markup


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str
    kind: ClassVar[str] = "text"


@dataclass(frozen=True)
class Notes:
    """Sentences, one a line."""

    title: str
    sentences: list[str]
    kind: ClassVar[str] = "notes"


@dataclass(frozen=True)
class Facts:
    """Names and their values."""

    pairs: list[tuple[str, str]]
    kind: ClassVar[str] = "facts"


@dataclass(frozen=True)
class Table:
    """Rows of formatted cells; the first ``n_text`` columns are text, the others figures set to the right."""

    header: list[str]
    rows: list[list[str]]
    title: str = ""
    caption: str = ""
    n_text: int = 1
    marked: int | None = None
    """The row that stands out."""
    kind: ClassVar[str] = "table"


@dataclass(frozen=True)
class Link:
    """A text that leads somewhere: a cell of a listing, or an entry of links."""

    text: str
    href: str


@dataclass(frozen=True)
class Links:
    """Ways to other pages."""

    links: Sequence[Link]
    kind: ClassVar[str] = "links"


Cell: TypeAlias = str | float | Link | None


@dataclass(frozen=True)
class Listing:
    """A table of any length, which the page's script shows a page at a time, sorts and filters.

    Its figures (all but the first ``n_text`` columns) are numbers, so that they can be sorted; ``decimals`` says how each
    column of them is written, None for five significant digits.
    """

    header: list[str]
    rows: Sequence[Sequence[Cell]]
    title: str = ""
    caption: str = ""
    n_text: int = 1
    decimals: Sequence[int | None] = ()
    marked: int | None = None
    """The row that stands out."""
    per_page: int = 15
    kind: ClassVar[str] = "listing"

    @property
    def json(self) -> Markup:
        """The table for a script element; a link is a pair of text and address."""
        rows = [[[cell.text, cell.href] if isinstance(cell, Link) else cell for cell in row] for row in self.rows]
        decimals = [None] * self.n_text + list(self.decimals or [None] * (len(self.header) - self.n_text))
        shape = {"header": self.header, "nText": self.n_text, "decimals": decimals, "marked": self.marked, "perPage": self.per_page}
        return embedded({**shape, "rows": rows})


@dataclass(frozen=True)
class Figure:
    """A plotly figure as plain data, laid out by the page: axes, fonts and margins have defaults there."""

    title: str
    data: list[dict[str, Any]]
    layout: dict[str, Any]
    caption: str = ""
    height: int = 340
    is_wide: bool = False
    kind: ClassVar[str] = "figure"

    @property
    def json(self) -> Markup:
        """The figure for a script element: no markup in it, gaps as null."""
        return embedded({"data": self.data, "layout": self.layout})


@dataclass(frozen=True)
class Choice:
    """Blocks of which one is shown, chosen by name."""

    label: str
    options: Mapping[str, Sequence[Block]]
    kind: ClassVar[str] = "choice"


@dataclass(frozen=True)
class Folded:
    """Blocks behind a line that opens them."""

    summary: str
    blocks: Sequence[Block]
    is_open: bool = False
    kind: ClassVar[str] = "folded"


@dataclass(frozen=True)
class Gallery:
    """Small figures, as many in a row as there is room for."""

    figures: Sequence[Figure]
    kind: ClassVar[str] = "gallery"


Block: TypeAlias = Text | Notes | Facts | Table | Listing | Links | Figure | Choice | Folded | Gallery


@dataclass(frozen=True)
class Section:
    """A part of the page with a heading and an anchor."""

    anchor: str
    title: str
    blocks: list[Block] = field(default_factory=list)


def has_any(kind: type[Block], blocks: Sequence[Block]) -> bool:
    """Whether there is a block of a kind among blocks or inside them."""
    return any(isinstance(block, kind) or has_any(kind, _inside(block)) for block in blocks)


def _inside(block: Block) -> Sequence[Block]:
    if isinstance(block, Choice):
        return [one for blocks in block.options.values() for one in blocks]
    if isinstance(block, Gallery):
        return block.figures
    return block.blocks if isinstance(block, Folded) else []


def embedded(value: object) -> Markup:
    """JSON that cannot end the script element it stands in."""
    text = json.dumps(_without_gaps(value), allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))


def _without_gaps(value: object) -> object:
    if isinstance(value, dict):
        return {str(key): _without_gaps(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_gaps(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def label(text: object, *, most: int = 28) -> str:
    """A name as plotly's text shows it literally; long ones are cut in the middle.

    >>> label("a < b"), label("x" * 40, most=9)
    ('a &lt; b', 'xxxx...xx')
    """
    plain = str(text)
    if len(plain) > most:
        plain = f"{plain[: most - 5]}...{plain[-2:]}"
    return html.escape(plain, quote=False)


def axis(title: str = "", **more: Any) -> dict[str, Any]:
    """A plotly axis with a title."""
    return {**({"title": {"text": title}} if title else {}), **more}


def ladder(names: Sequence[object], title: str = "", **more: Any) -> dict[str, Any]:
    """A vertical axis of names at 0, 1, ..., the first on top; equal names stay apart."""
    ticks = {"tickvals": [*range(len(names))], "ticktext": [label(name) for name in names]}
    return axis(title, **ticks, range=[len(names) - 0.5, -0.5], showgrid=False, **more)


def paired(blocks: Sequence[Block]) -> list[Block]:
    """Blocks with their narrow figures in pairs of one height; one that has no partner is wide."""
    done: list[Block] = []
    for is_narrow, group in itertools.groupby(blocks, key=lambda block: isinstance(block, Figure) and not block.is_wide):
        run = [*group]
        if not is_narrow:
            done += run
            continue
        figures = [block for block in run if isinstance(block, Figure)]
        for at in range(0, len(figures), 2):
            done += _side_by_side(figures[at : at + 2])
    return done


def _side_by_side(figures: list[Figure]) -> list[Figure]:
    height = max(figure.height for figure in figures)
    return [replace(figure, height=height, is_wide=len(figures) == 1) for figure in figures]


def ladder_height(n: int, *, each: int = 26, least: int = 160) -> int:
    """A height in pixels that gives every name its line."""
    return max(least, 70 + each * n)
