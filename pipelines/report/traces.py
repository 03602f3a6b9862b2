"""The few kinds of marks that the figures are made of, as plotly's plain data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np

from pipelines.metrics import Array
from pipelines.report.numbers import rounded

Trace: TypeAlias = dict[str, Any]
XY: TypeAlias = tuple[Iterable[float], Iterable[float]]
Ends: TypeAlias = tuple[Sequence[float] | Array, Sequence[float] | Array]


def hover(template: str, name: str = "") -> dict[str, str]:
    """What the pointer shows: a text with plotly's placeholders, and a name beside it."""
    return {"hovertemplate": f"{template}<extra>{name}</extra>"}


def points(at: XY, template: str, *, color: str = "$accent", size: float = 9, name: str = "", **more: Any) -> Trace:
    """Marks at x and y."""
    x, y = at
    marks = {"type": "scatter", "mode": "markers", "x": rounded(x), "y": rounded(y), "marker": {"color": color, "size": size}}
    return {**marks, "name": name, **hover(template, name), **more}


def line(at: XY, template: str, *, color: str = "$accent", width: float = 2, name: str = "", **more: Any) -> Trace:
    """A line through x and y."""
    x, y = at
    drawn = {"type": "scatter", "mode": "lines", "x": rounded(x), "y": rounded(y), "line": {"color": color, "width": width}}
    return {**drawn, "name": name, **hover(template, name), **more}


def guide(at: XY) -> Trace:
    """A dotted line to compare with; the pointer passes it."""
    x, y = at
    style = {"color": "$muted", "width": 1, "dash": "dot"}
    return {"type": "scatter", "mode": "lines", "x": rounded(x), "y": rounded(y), "line": style, "hoverinfo": "skip", "showlegend": False}


def upright(at: float) -> Trace:
    """A dotted line from bottom to top, as a shape of a layout."""
    return {"type": "line", "x0": at, "x1": at, "yref": "paper", "y0": 0, "y1": 1, "line": {"color": "$muted", "width": 1, "dash": "dot"}}


def histogram(heights: Array, edges: Array, *, color: str = "$bar", **more: Any) -> Trace:
    """Bars over bins of one width."""
    bars = {"type": "bar", "x": rounded((edges[:-1] + edges[1:]) / 2), "y": rounded(heights), "width": float(edges[1] - edges[0])}
    return {**bars, "marker": {"color": color}, **hover("%{x}: %{y} rows"), **more}


def lying_bars(values: Sequence[float], template: str, *, color: str = "$bar", name: str = "", **more: Any) -> Trace:
    """A bar to the right for each line of a ladder."""
    bars = {"type": "bar", "orientation": "h", "x": rounded(values), "y": [*range(len(values))], "marker": {"color": color}}
    return {**bars, "name": name, **hover(template, name), **more}


def standing_bars(values: Sequence[float] | Array, template: str, *, color: str = "$bar", name: str = "", **more: Any) -> Trace:
    """A bar upwards at each of 0, 1, ..."""
    bars = {"type": "bar", "x": [*range(len(values))], "y": rounded(values), "marker": {"color": color}}
    return {**bars, "name": name, **hover(template, name), **more}


def band(x: Array, ends: Ends | None, *, color: str = "$accent/18") -> list[Trace]:
    """The area between two curves over the same x, which the pointer passes; nothing where there are no ends."""
    if ends is None:
        return []
    edge = {"type": "scatter", "mode": "lines", "x": rounded(x), "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
    low, high = ({**edge, "y": rounded(end)} for end in ends)
    return [low, {**high, "fill": "tonexty", "fillcolor": color}]


def reach(middle: Sequence[float] | Array, ends: Ends, *, color: str = "$accent", thickness: float = 1.6) -> Trace:
    """Error bars between two ends around a middle, for ``error_x`` or ``error_y``."""
    centre, low, high = (np.asarray(values, dtype=np.float64) for values in (middle, *ends))
    sides = {"array": rounded(high - centre), "arrayminus": rounded(centre - low)}
    return {"type": "data", "symmetric": False, **sides, "color": color, "thickness": thickness, "width": 0}


def heat(table: Iterable[Iterable[float]], template: str, scale: list[list[Any]], ends: tuple[float, float], **more: Any) -> Trace:
    """Cells coloured by their value, between the ends of a scale of colours."""
    cells = {"type": "heatmap", "z": [rounded(row) for row in table], "zmin": ends[0], "zmax": ends[1], "colorscale": scale}
    return {**cells, "showscale": False, **hover(template), **more}


SEQUENTIAL: list[list[Any]] = [[0, "$empty"], [1, "$heat"]]
DIVERGING: list[list[Any]] = [[0, "$second"], [0.5, "$surface"], [1, "$accent"]]
SCALE_BAR: Trace = {"showscale": True, "colorbar": {"thickness": 10, "outlinewidth": 0}}
