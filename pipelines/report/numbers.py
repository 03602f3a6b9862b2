"""Numbers as a reader wants them: five significant digits, thousands apart, gaps said as such."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

MISSING = "n/a"


def number(value: float | None, decimals: int | None = None) -> str:
    """A measured value with five significant digits, or with given decimals to stand under another.

    >>> [number(value) for value in (0.123456, 13, 1234567.8, 0.00001234, float("nan"))]
    ['0.12346', '13.000', '1,234,568', '1.2340e-05', 'n/a']
    >>> number(0.0123456, 5)
    '0.01235'
    """
    if value is None or not math.isfinite(value):
        return MISSING
    if decimals is None:
        if value == 0:
            return "0"
        if not 1e-4 <= abs(value) < 1e12:
            return f"{value:.4e}"
        decimals = decimals_of(value)
    return f"{value:,.{decimals}f}"


def decimals_of(value: float) -> int | None:
    """The digits behind the point that show five significant ones; None for values so small that they need an exponent.

    >>> [decimals_of(value) for value in (0.12, 13, 1234567.8, 0.0)]
    [5, 3, 0, 5]
    """
    if not math.isfinite(value) or value == 0:
        return 5
    wanted = 4 - math.floor(math.log10(abs(value)))
    return max(wanted, 0) if wanted < 9 else None


def signed(value: float | None, decimals: int | None = None) -> str:
    """A difference, with its sign.

    >>> signed(0.5), signed(-0.5), signed(0.0)
    ('+0.50000', '-0.50000', '0')
    """
    text = number(value, decimals)
    return f"+{text}" if value is not None and value > 0 and text != MISSING else text


def interval(ends: Sequence[float], decimals: int | None = None) -> str:
    """Both ends of an interval.

    >>> interval([1.5, 2.25])
    '1.5000 to 2.2500'
    """
    texts = [number(end, decimals) for end in ends]
    return MISSING if MISSING in texts else " to ".join(texts)


def signed_interval(ends: Sequence[float], decimals: int | None = None) -> str:
    """Both ends of the interval of a difference.

    >>> signed_interval([-1.5, 2.25], 2)
    '-1.50 to +2.25'
    """
    texts = [signed(end, decimals) for end in ends]
    return MISSING if MISSING in texts else " to ".join(texts)


def count(value: float) -> str:
    """A whole number.

    >>> count(1460)
    '1,460'
    """
    return f"{int(value):,}"


def share(value: float) -> str:
    """A share as percent.

    >>> share(0.1234)
    '12.3 %'
    """
    return f"{100 * value:.1f} %" if math.isfinite(value) else MISSING


def p_value(value: float) -> str:
    """A p-value; very small ones as a bound.

    >>> p_value(0.0312), p_value(1e-9)
    ('0.031', '< 0.001')
    """
    if not math.isfinite(value):
        return MISSING
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def duration(seconds: float) -> str:
    """A time span in the units one would say.

    >>> [duration(value) for value in (0.0123, 3.21, 75, 3720)]
    ['0.01 s', '3.2 s', '1 min 15 s', '1 h 2 min']
    """
    if not math.isfinite(seconds):
        return MISSING
    if seconds < 60:
        return f"{seconds:.2f} s" if seconds < 1 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


def rounded(values: Iterable[float]) -> list[float | None]:
    """Plot coordinates with five significant digits, which keeps the page small; None where not finite."""
    return [float(f"{value:.5g}") if math.isfinite(value) else None for value in np.asarray([*values], dtype=np.float64).tolist()]
