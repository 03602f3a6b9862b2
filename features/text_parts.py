"""Parts of texts and keys made of them."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any, ClassVar

import pandas as pd

from features.columns import Selection
from features.design import refuse_too_few
from features.errors import InputError
from features.expressions import as_text
from features.step import Step

_TEXTS = ("categorical", "text")


class SplitTake(Step):
    """Split text at a separator and take one part: ``<column>__part_<take>``.

    A text without that many parts is missing, and so is a missing one. Blanks around the part are left out. The source
    columns stay.

    Parameters
    ----------
    columns
        The text columns to split.
    at
        The separator, as it stands.
    take
        Which part: 0 is the first, -1 the last.

    Examples
    --------
    >>> SplitTake("name", at=",").fit_transform(pd.DataFrame({"name": ["Braund, Mr. Owen"]}))["name__part_0"].tolist()
    ['Braund']
    """

    accepts = _TEXTS
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"columns": ["Owner"], "at": ","},
        {"columns": ["Owner", "Quarter"], "at": " ", "take": -1},
    )

    def __init__(self, columns: Selection, *, at: str, take: int = 0) -> None:
        self.columns = columns
        self.at = at
        self.take = take

    def check(self) -> None:
        """Check the separator."""
        super().check()
        if not self.at:
            raise InputError("Step 'split_take' needs a separator of at least one character in 'at'.")

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        written = {f"{column}__part_{self.take}": self._part(as_text(X[column])) for column in self.selected_}
        return pd.DataFrame(written, index=X.index)

    def _part(self, texts: pd.Series) -> pd.Series:
        known = {text: self._taken(text.split(self.at)) for text in texts.dropna().unique()}
        return texts.map(known).astype("str")

    def _taken(self, parts: list[str]) -> str | None:
        is_there = -len(parts) <= self.take < len(parts)
        return parts[self.take].strip() if is_there else None


class NormaliseText(Step):
    """Write text, in place, in one way: blanks at the ends removed, runs of blanks as one, and more on request.

    Two spellings of one level become one level. A text of which nothing is left is missing; missing stays missing.

    Parameters
    ----------
    columns
        The text columns to rewrite.
    lower
        Write it in lower case.
    punctuation
        Keep punctuation and symbols; false puts a blank in their places.
    accents
        Keep accents; false removes them.

    Examples
    --------
    >>> X = pd.DataFrame({"city": [" São  Paulo", "sao paulo!"]})
    >>> NormaliseText("city", punctuation=False, accents=False).fit_transform(X)["city"].tolist()
    ['sao paulo', 'sao paulo']
    """

    accepts = _TEXTS
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"columns": ["Owner", "Condition"]},
        {"columns": "text", "punctuation": False, "accents": False, "lower": False},
    )

    def __init__(self, columns: Selection, *, lower: bool = True, punctuation: bool = True, accents: bool = True) -> None:
        self.columns = columns
        self.lower = lower
        self.punctuation = punctuation
        self.accents = accents

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({column: self._normalised(as_text(X[column])) for column in self.selected_}, index=X.index)

    def _normalised(self, texts: pd.Series) -> pd.Series:
        known = {text: self._one(text) for text in texts.dropna().unique()}
        return texts.map(known).astype("str")

    def _one(self, text: str) -> str | None:
        text = text.lower() if self.lower else text
        if not self.accents:
            text = "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))
        if not self.punctuation:
            text = "".join(" " if unicodedata.category(sign)[0] in "PS" else sign for sign in text)
        return " ".join(text.split()) or None


class Prefix(Step):
    """Take the first characters of text: ``<column>__prefix_<length>``, or the last ones: ``<column>__suffix_<length>``.

    A shorter text is taken whole; missing stays missing. The source columns stay.

    Parameters
    ----------
    columns
        The columns to cut; numbers as text.
    length
        How many characters: 3 for the first three, -3 for the last three.

    Examples
    --------
    >>> Prefix("zip", length=2).fit_transform(pd.DataFrame({"zip": ["10117", "8"]}))["zip__prefix_2"].tolist()
    ['10', '8']
    """

    accepts = (*_TEXTS, "numeric")
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"columns": ["Owner", "YearBuilt"], "length": 3},
        {"columns": ["Neighborhood"], "length": -2},
    )

    def __init__(self, columns: Selection, *, length: int) -> None:
        self.columns = columns
        self.length = length

    def check(self) -> None:
        """Check the length."""
        super().check()
        if self.length == 0:
            raise InputError("Step 'prefix' needs a length other than 0: 3 for the first three characters, -3 for the last three.")

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        cut = slice(None, self.length) if self.length > 0 else slice(self.length, None)
        name = f"prefix_{self.length}" if self.length > 0 else f"suffix_{-self.length}"
        return pd.DataFrame({f"{column}__{name}": as_text(X[column]).str[cut] for column in self.selected_}, index=X.index)


class MaskLast(Step):
    """Put a mark in the place of the last characters of text: ``<column>__masked``.

    Tickets that differ in their last digit were often bought together: masked, they are one key. A text of no more than so
    many characters is all marks. Missing stays missing. The source columns stay.

    Parameters
    ----------
    columns
        The columns to mask; numbers as text.
    length
        How many characters are masked, at least 1.
    mark
        What stands for each masked character.

    Examples
    --------
    >>> MaskLast("Ticket").fit_transform(pd.DataFrame({"Ticket": ["A/5 21171", "7"]}))["Ticket__masked"].tolist()
    ['A/5 2117X', 'X']
    """

    accepts = (*_TEXTS, "numeric")
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"columns": ["Owner"]},
        {"columns": ["YearBuilt", "Street"], "length": 2, "mark": "?"},
    )

    def __init__(self, columns: Selection, *, length: int = 1, mark: str = "X") -> None:
        self.columns = columns
        self.length = length
        self.mark = mark

    def check(self) -> None:
        """Check the length."""
        super().check()
        if self.length < 1:
            raise InputError(f"Step 'mask_last' needs a length of at least 1, found {self.length!r}.")

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({f"{column}__masked": self._masked(as_text(X[column])) for column in self.selected_}, index=X.index)

    def _masked(self, texts: pd.Series) -> pd.Series:
        known = {text: text[: -self.length] + self.mark * min(self.length, len(text)) for text in texts.dropna().unique()}
        return texts.map(known).astype("str")


class Concat(Step):
    """Write several columns one behind the other as one text, ``<into>``, for use as a key.

    A missing part is empty; a row in which every part is missing has a missing key (``cross`` is missing where one part
    is). The source columns stay.

    Parameters
    ----------
    columns
        The columns to join, in this order; numbers, flags and dates as text.
    into
        Name of the key.
    separator
        What stands between the parts.

    Examples
    --------
    >>> X = pd.DataFrame({"surname": ["Braund", None], "class": [3, 1]})
    >>> Concat(["surname", "class"], into="family").fit_transform(X)["family"].tolist()
    ['Braund-3', '-1']
    """

    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"columns": ["Neighborhood", "MSSubClass", "Sold"], "into": "key"},
        {"columns": ["PoolQC", "LotFrontage"], "into": "pool", "separator": ""},
    )

    def __init__(self, columns: Selection, *, into: str, separator: str = "-") -> None:
        self.columns = columns
        self.into = into
        self.separator = separator

    def _learn(self, X: pd.DataFrame, y: pd.Series | None) -> None:
        refuse_too_few(self.selected_, 1, self.name)

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        first, *rest = (as_text(X[column]).fillna("") for column in self.selected_)
        joined = first
        for part in rest:
            joined = joined + self.separator + part
        return pd.DataFrame({self.into: joined.mask(X[self.selected_].isna().all(axis=1))}, index=X.index)
