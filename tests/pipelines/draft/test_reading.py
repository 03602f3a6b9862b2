"""Numbers and dates in text, orders of levels, names of columns."""

from __future__ import annotations

import pandas as pd
import pytest

from pipelines.draft.date_texts import date_format, is_day_number
from pipelines.draft.number_texts import NumberText, number_text
from pipelines.draft.scales import order_of
from pipelines.draft.vocabulary import is_id_name, is_time_name

NUMBERS = [str(number) for number in range(20)]


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        (NUMBERS, NumberText()),
        ([*NUMBERS, "?", "Unknown"], NumberText(("?", "Unknown"))),
        ([f"{number} kg" for number in NUMBERS], NumberText(units=("#kg",))),
        ([f"${number}.5" for number in NUMBERS], NumberText(units=("$#",))),
        ([*NUMBERS, "20+"], NumberText(units=("#+",))),
        ([f"{number},{number:03}.5" for number in range(1, 20)], NumberText(separators=",")),
        ([f"{number},5" for number in NUMBERS], NumberText(separators=".")),
        ([f"0,{number:03}" for number in range(20)], NumberText(separators=".")),
        ([f"1.{number:03},25" for number in range(20)], NumberText(separators=".")),
        ([f"A{number}" for number in NUMBERS], None),
        ([f"{number}-{number}" for number in NUMBERS], None),
        ([f"10:{number}" for number in NUMBERS], None),
        ([f"2020-01-{number:02}" for number in range(1, 20)], None),
        (["red", "blue"], None),
        (["nan", "1e5", "-2.5"], NumberText(("nan",))),
        (["?", "-"], None),
        ([], None),
    ],
)
def test_number_texts(texts: list[str], found: NumberText | None) -> None:
    assert number_text(pd.Series(1, index=pd.Index(texts, dtype="str"))) == found


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        (["2020-01-31", "2020-02-01"], "ISO8601"),
        (["2020-01-31 10:00:00", "2020-02-01 11:30:00"], "ISO8601"),
        (["20141013T000000", "20150225T000000"], "ISO8601"),
        (["31/01/2020", "01/02/2020"], "%d/%m/%Y"),
        (["01/31/2020", "02/01/2020"], "%m/%d/%Y"),
        (["01/02/2020", "02/03/2020"], "%m/%d/%Y"),
        (["31.01.2020", "01.02.2020"], "%d.%m.%Y"),
        (["31-Jan-20", "01-Feb-20"], "%d-%b-%y"),
        (["Jan 31, 2020", "Feb 1, 2020"], "%b %d, %Y"),
        (["1/31/2020 9:05 PM", "2/1/2020 10:00 AM"], "%m/%d/%Y %I:%M %p"),
        (["12-34", "56-78"], None),
        (["a-b-c", "May"], None),
        (["192.168.1.1", "10.0.0.1"], None),
        ([], None),
    ],
)
def test_date_formats(texts: list[str], found: str | None) -> None:
    assert date_format(pd.Series(texts, dtype="str")) == found


def test_day_numbers() -> None:
    days = pd.Series(pd.date_range("2020-01-01", periods=90).strftime("%Y%m%d").astype(int)).to_numpy()
    assert is_day_number(days) and not is_day_number(days + 60) and not is_day_number(days[:5])


@pytest.mark.parametrize(
    ("levels", "order"),
    [
        (["<18", "18-24", "25-34", "65+"], ["<18", "18-24", "25-34", "65+"]),
        (["100-200", "20-100", "over 200"], ["20-100", "100-200", "over 200"]),
        (["Ex", "Gd", "TA", "Fa"], ["Fa", "TA", "Gd", "Ex"]),
        (["Grade 10", "Grade 9", "Grade 11"], ["Grade 9", "Grade 10", "Grade 11"]),
        (["XL", "S", "M"], ["S", "M", "XL"]),
        (["Mon", "Tue", "Sun"], ["Mon", "Tue", "Sun"]),
        (["low", "high"], None),
        (["A12", "A7", "A3"], None),
        (["low", "high", "purple"], None),
        (["med", "medium", "low"], None),
        (["1-2", "1-3", "1-4"], None),
    ],
)
def test_orders(levels: list[str], order: list[str] | None) -> None:
    assert order_of(levels) == order


@pytest.mark.parametrize("name", ["id", "PassengerId", "user_id", "userid", "Unnamed: 0", "row_no", "ID"])
def test_names_of_ids(name: str) -> None:
    assert is_id_name(name)


@pytest.mark.parametrize("name", ["paid", "humid", "grid", "width", "bidder", "age"])
def test_other_names(name: str) -> None:
    assert not is_id_name(name) and not is_time_name(name)
