"""Dates written as text or as numbers such as 20150731."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd

_DAYS = ("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%m/%d/%y", "%d/%m/%y", "%d.%m.%y", "%Y.%m.%d", "%Y%m%d")
_WORDS = ("%d-%b-%Y", "%d-%b-%y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%a, %d %b %Y")
_HOURS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p", " %H:%M:%S.%f")
FORMATS = ("ISO8601", *(day + hour for day in (*_DAYS, *_WORDS) for hour in _HOURS), "%a %b %d %H:%M:%S %Y")
_LOOKED_AT = 300
_NEARLY_ALL = 0.99
_SEPARATED = r"\d{1,4}\s?[-/.]\s?\w{1,9}\s?[-/.]\s?\d{1,4}|\d{8}T?\d{0,6}|[A-Za-z]{3,9}\.?,?\s\d{1,2}|\d{1,2}\s[A-Za-z]{3,9}"


def date_format(texts: pd.Series) -> str | None:
    """The format of a column of dates: ``ISO8601``, or ``strftime`` codes; None where the texts are no dates.

    Parameters
    ----------
    texts
        Distinct texts, none missing. Where day and month cannot be told apart, the day is taken to come first only if the
        other reading fails for some.
    """
    head = texts.iloc[:_LOOKED_AT].astype("str").str.strip()
    if not len(head) or head.str.match(_SEPARATED).mean() < _NEARLY_ALL:
        return None
    fitting = [one for one in FORMATS if _share(head.iloc[:9], one) > 0.5 and _reads(head, one)]
    for one in sorted(fitting, key=lambda format: (format != "ISO8601", "%d/%m" in format or "%d-%m" in format)):
        if _reads(texts, one):
            return one
    return None


def _reads(texts: pd.Series, format: str) -> bool:
    return _share(texts, format) >= _NEARLY_ALL


def _share(texts: pd.Series, format: str) -> float:
    """The share of texts that are dates of this format, in years that data may be of."""
    dates = read_dates(texts, format)
    return float((dates.notna() & dates.dt.year.between(1700, 2200)).mean())


def read_dates(texts: pd.Series, format: str) -> pd.Series:
    """Texts as dates without a zone, as step ``cast`` reads them; missing where they are none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        dates = pd.to_datetime(texts.astype("str"), format=format, errors="coerce", utc=True)
    return pd.Series(dates, index=texts.index).dt.tz_localize(None)


def is_day_number(values: np.ndarray) -> bool:
    """Whether whole numbers are dates such as 20150731: all of them read as one, and there are several years' worth or days of one."""
    if len(values) < 20 or values.min() < 18_000_101 or values.max() > 22_001_231:
        return False
    dates = pd.to_datetime(pd.Series(values[:2_000]).astype("int64").astype("str"), format="%Y%m%d", errors="coerce")
    return bool(dates.notna().all())
