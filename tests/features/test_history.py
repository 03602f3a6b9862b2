"""Steps that look back, against a reference that goes through every row: what is seen, what comes of it, and what may change it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from features.as_of_statistics import AsOfStatistics
from features.cutoffs import NO_DAY
from features.errors import InputError
from features.history import HistoryStep
from features.lags import AsOfLag
from features.trends import AsOfExponentialMean, AsOfTrend, AsOfYearOnYear

Seen = list[tuple[int, float]]
"""Day and value of the rows that a row sees, in order of time."""
Reference = Callable[[Seen, int, int], float]
"""What comes of the rows seen, the cutoff and the row's own day."""

SEVEN_DIGITS = 2e-6
STATISTICS = ["mean", "median", "sd", "hmean", "min", "max", "skew", "kurtosis", "count", "age", "q10", "q25", "q75", "q90"]
CUTOFFS: list[dict[str, int]] = [{}, {"gap": 3}, {"gap": 2, "label_delay": 2}, {"block": 7}, {"block": 5, "label_delay": 4}, {"block": 1}]
KEYS = [["shop"], ["shop", "kind"], []]


def dates(days: Any) -> pd.Series:
    """Dates so many days after 1970-01-01; None is missing."""
    return pd.Series([pd.NaT if day is None else pd.Timestamp(day, unit="D") for day in days], dtype="datetime64[us]")


@st.composite
def rows(draw: st.DrawFn, least: int = 1) -> tuple[pd.DataFrame, pd.Series]:
    """Rows of few keys and days in no order, some missing, several on a day; and a target, some of it missing."""
    drawn = draw(
        st.lists(
            st.tuples(
                st.none() | st.integers(0, 40),
                st.sampled_from(["a", "b", None]),
                st.sampled_from([1.0, 2.0]),
                st.none() | st.integers(-8, 40).map(lambda value: value / 4),
            ),
            min_size=least,
            max_size=40,
        )
    )
    day, shop, kind, y = (list(part) for part in zip(*drawn, strict=True))
    X = pd.DataFrame({"day": dates(day), "shop": pd.Series(shop, dtype="str"), "kind": kind})
    return X, pd.Series(y, dtype="float64")


def expected_cutoff(day: int, last: int, gap: int = 0, block: int | None = None, label_delay: int = 0) -> int:
    """A row's cutoff, by its definition."""
    if block is None:
        return min(day - gap - label_delay, last + 1)
    start = last + 1 + label_delay
    while start > day:
        start -= block
    while start + block <= day:
        start += block
    return min(start - label_delay, last + 1)


def seen_by(row: Any, X: pd.DataFrame, values: pd.Series, key: list[str], cutoff: int) -> Seen:
    """The rows of a row's key before its cutoff."""
    found = [
        (one.day.toordinal() - 719163, value)
        for one, value in zip(X.itertuples(), values, strict=True)
        if not pd.isna(one.day) and not pd.isna(value) and all(getattr(one, part) == getattr(row, part) for part in key)
    ]
    return sorted((day, value) for day, value in found if day < cutoff)


def check(step: HistoryStep, key: list[str], X: pd.DataFrame, y: pd.Series, references: dict[str, Reference], **cutoff: int) -> None:
    """Compare every column for fitted rows and for some that come later or have other keys."""
    values = y if step.of is None else X[step.of]
    known = values.notna() & X["day"].notna()
    if not known.any():
        with pytest.raises(InputError, match=r"needs rows with a date in 'day' and a value of .*; none of \d+ has both"):
            step.fit(X, y)
        return
    last = X["day"][known].max().toordinal() - 719163
    more = pd.DataFrame({"day": dates([0, 20, 41, 55]), "shop": pd.Series(["a", "b", "new", "a"], dtype="str"), "kind": 1.0})
    asking = pd.concat([X, more], ignore_index=True)
    written, cutoffs = step.fit(X, y).write(asking), step.cutoffs(asking)
    assert list(written.columns) == list(references)
    assert set(written.dtypes) == {np.dtype("float32")}
    for number, row in enumerate(asking.itertuples()):
        if pd.isna(row.day) or any(pd.isna(getattr(row, part)) for part in key):
            seen, day, own = [], 0, NO_DAY if pd.isna(row.day) else cutoffs[number]
        else:
            day = row.day.toordinal() - 719163
            own = expected_cutoff(day, last, **cutoff)
            seen = seen_by(row, X, values, key, own)
        assert cutoffs[number] == own
        for column, reference in references.items():
            np.testing.assert_allclose(
                written[column].iloc[number],
                reference(seen, own, day),
                rtol=SEVEN_DIGITS,
                atol=SEVEN_DIGITS,
                err_msg=f"{column}, row {number}",
            )


# ---------------------------------------------------------------------- the reference of each step


def summary(statistic: str, values: list[float]) -> float:
    """A statistic of some values, from SciPy."""
    part = np.array(values)
    if statistic == "count":
        return float(len(part))
    if not len(part) or (statistic == "skew" and len(part) < 3) or (statistic == "kurtosis" and len(part) < 4):
        return np.nan
    match statistic:
        case "sd":
            return float(part.std())
        case "hmean":
            return float(stats.hmean(part)) if part.min() > 0 else np.nan
        case "skew" | "kurtosis":
            return 0.0 if np.ptp(part) == 0 else float(getattr(stats, statistic)(part))
        case "mean" | "median" | "min" | "max":
            return float(getattr(np, statistic)(part))
    return float(np.quantile(part, int(statistic.removeprefix("q")) / 100))


def in_window(seen: Seen, window: int | str, cutoff: int) -> Seen:
    """The rows of a window."""
    if window == "all":
        return seen
    if isinstance(window, int):
        return [(day, value) for day, value in seen if day >= cutoff - window]
    kept = sorted({day for day, _ in seen})[-int(window.removeprefix("last_")) :]
    return [(day, value) for day, value in seen if day in kept]


def of_window(statistic: str, window: int | str, least: int) -> Reference:
    """The reference of one statistic of ``as_of_statistics``."""

    def reference(seen: Seen, cutoff: int, day: int) -> float:
        part = in_window(seen, window, cutoff)
        if statistic != "count" and len(part) < least:
            return np.nan
        return float(cutoff - part[-1][0]) if statistic == "age" else summary(statistic, [value for _, value in part])

    return reference


def mean_between(seen: Seen, first: int, last: int) -> float:
    """The mean of the days' means from ``first`` to ``last``."""
    daily = [np.mean([value for one, value in seen if one == day]) for day in sorted({day for day, _ in seen}) if first <= day <= last]
    return float(np.mean(daily)) if daily else np.nan


def of_lag(days: int, span: int, repeat: bool) -> Reference:
    """The reference of a lag in days."""

    def reference(seen: Seen, cutoff: int, day: int) -> float:
        back = days
        while repeat and seen and day - back + span >= cutoff:
            back += days
        return mean_between(seen, day - back - span, day - back + span) if day - back + span < cutoff else np.nan

    return reference


def of_last(number: int) -> Reference:
    """The reference of the n-th last day seen."""

    def reference(seen: Seen, cutoff: int, day: int) -> float:
        there = sorted({one for one, _ in seen})
        return mean_between(seen, there[-number], there[-number]) if len(there) >= number else np.nan

    return reference


def of_half_life(half_life: float) -> Reference:
    """The reference of a fading mean."""

    def reference(seen: Seen, cutoff: int, day: int) -> float:
        weights = [0.5 ** ((cutoff - one) / half_life) for one, _ in seen]
        return float(np.average([value for _, value in seen], weights=weights)) if seen else np.nan

    return reference


def of_line(window: int, ridge: float, what: str) -> Reference:
    """The reference of a trend: a ridge regression whose intercept is free."""

    def reference(seen: Seen, cutoff: int, day: int) -> float:
        part = in_window(seen, window, cutoff)
        if not part:
            return np.nan
        t, v = np.array([float(one) for one, _ in part]), np.array([value for _, value in part])
        spread = ((t - t.mean()) ** 2).sum()
        slope = 0.0 if spread == 0 else ((t - t.mean()) * v).sum() / (spread + ridge * window**2)
        return float(slope if what == "slope" else v.mean() + slope * (day - t.mean()))

    return reference


def of_year(window: int, how: str) -> Reference:
    """The reference of the change on the year before."""

    def reference(seen: Seen, cutoff: int, day: int) -> float:
        now, before = ([value for one, value in seen if end - window <= one < end] for end in (cutoff, cutoff - 364))
        if not now or not before or (how == "ratio" and np.mean(before) == 0):
            return np.nan
        return float(np.mean(now) - np.mean(before) if how == "difference" else np.mean(now) / np.mean(before))

    return reference


# ---------------------------------------------------------------------- equal to the reference


@pytest.mark.parametrize("cutoff", CUTOFFS, ids=str)
@pytest.mark.parametrize("key", KEYS, ids=str)
@given(drawn=rows(), least=st.integers(1, 3))
@settings(max_examples=12)
def test_statistics(cutoff: dict[str, int], key: list[str], drawn: tuple[pd.DataFrame, pd.Series], least: int) -> None:
    windows: list[int | str] = [6, 20, "all", "last_2"]
    step = AsOfStatistics("day", by=[key], windows=windows, statistics=STATISTICS, min_count=least, **cutoff)  # type: ignore[arg-type]
    suffix = "_".join(["_by", *key]) if key else ""
    references = {
        f"target__{statistic}_{window if isinstance(window, str) else f'{window}d'}{suffix}": of_window(statistic, window, least)
        for window in windows
        for statistic in STATISTICS
    }
    check(step, key, *drawn, references, **cutoff)


@pytest.mark.parametrize("cutoff", CUTOFFS, ids=str)
@given(drawn=rows(), span=st.integers(0, 3), repeat=st.booleans())
@settings(max_examples=12)
def test_lags(cutoff: dict[str, int], drawn: tuple[pd.DataFrame, pd.Series], span: int, repeat: bool) -> None:
    step = AsOfLag("day", by="shop", days=[1, 7], span=span, repeat=repeat, last=[1, 3], **cutoff)
    references = {f"target__lag_{days}d_by_shop": of_lag(days, span, repeat) for days in (1, 7)}
    check(step, ["shop"], *drawn, references | {f"target__last_{n}_by_shop": of_last(n) for n in (1, 3)}, **cutoff)


@pytest.mark.parametrize("cutoff", CUTOFFS, ids=str)
@given(drawn=rows())
@settings(max_examples=12)
def test_exponential_means_and_trends(cutoff: dict[str, int], drawn: tuple[pd.DataFrame, pd.Series]) -> None:
    X, y = drawn
    fading = AsOfExponentialMean("day", by="shop", half_life=[0.5, 10], **cutoff)
    check(fading, ["shop"], X, y, {f"target__ewm_{days:g}d_by_shop": of_half_life(days) for days in (0.5, 10)}, **cutoff)
    for ridge in (0.0, 2.0):
        step = AsOfTrend("day", by="shop", windows=[9, 30], ridge=ridge, **cutoff)
        lines = {f"target__{what}_{window}d_by_shop": of_line(window, ridge, what) for window in (9, 30) for what in ("trend", "slope")}
        check(step, ["shop"], X, y, lines, **cutoff)


@pytest.mark.parametrize("how", ["difference", "ratio"])
@given(drawn=rows(), shift=st.integers(350, 380))
@settings(max_examples=20)
def test_year_on_year(how: Any, drawn: tuple[pd.DataFrame, pd.Series], shift: int) -> None:
    X, y = drawn
    later = X.assign(day=X["day"] + pd.Timedelta(days=shift))
    both, target = pd.concat([X, later], ignore_index=True), pd.concat([y, y + 3.0], ignore_index=True)
    step = AsOfYearOnYear("day", by="shop", windows=[5, 30], how=how, block=7)
    check(step, ["shop"], both, target, {f"target__year_on_year_{window}d_by_shop": of_year(window, how) for window in (5, 30)}, block=7)


@given(drawn=rows())
def test_a_column_instead_of_the_target(drawn: tuple[pd.DataFrame, pd.Series]) -> None:
    X, y = drawn
    step = AsOfStatistics("day", by="shop", windows=["all"], statistics=["mean", "count"], of="visits")
    with_visits = X.assign(visits=y * 2)
    references = {f"visits__{name}_all_by_shop": of_window(name, "all", 1) for name in ("mean", "count")}
    check(step, ["shop"], with_visits, y.fillna(0.0), references)


# ---------------------------------------------------------------------- what may change a row's values

STEPS: list[Callable[..., HistoryStep]] = [
    lambda **cutoff: AsOfStatistics("day", by=[["shop"], []], windows=[9, "all", "last_2"], statistics=STATISTICS, **cutoff),  # type: ignore[arg-type]
    lambda **cutoff: AsOfLag("day", by=[["shop"], []], days=[1, 7], span=2, repeat=True, last=[1, 2], **cutoff),
    lambda **cutoff: AsOfLag("day", by=[["shop"], []], days=[1, 7], **cutoff),
    lambda **cutoff: AsOfExponentialMean("day", by=[["shop"], []], half_life=[3], **cutoff),
    lambda **cutoff: AsOfTrend("day", by=[["shop"], []], windows=[9], **cutoff),
    lambda **cutoff: AsOfYearOnYear("day", by=[["shop"], []], windows=[9], **cutoff),
]
every_step = pytest.mark.parametrize("make", STEPS, ids=["statistics", "repeated lag", "lag", "exponential mean", "trend", "year on year"])


@every_step
@pytest.mark.parametrize("cutoff", CUTOFFS, ids=str)
@given(drawn=rows(least=4), at=st.integers(0, 40))
@settings(max_examples=8)
def test_the_future_changes_nothing(
    make: Callable[..., HistoryStep], cutoff: dict[str, int], drawn: tuple[pd.DataFrame, pd.Series], at: int
) -> None:
    """The canary: other targets from a day on, and no row whose cutoff is not later than that day changes at all."""
    X, y = drawn
    y = y.fillna(1.0)
    if X["day"].isna().all():
        return
    day = X["day"].map(lambda one: -1 if pd.isna(one) else one.toordinal() - 719163).to_numpy()
    before = make(**cutoff).fit(X, y)
    after = make(**cutoff).fit(X, y.where(day < at, y * -3 + 100))
    unchanged = before.cutoffs(X) <= at
    assert unchanged[(day <= at + cutoff.get("gap", 0)) if "block" not in cutoff else day <= at].all()
    pd.testing.assert_frame_equal(before.write(X)[unchanged], after.write(X)[unchanged])


@every_step
@pytest.mark.parametrize("cutoff", CUTOFFS, ids=str)
@given(drawn=rows(least=4), seed=st.integers(0, 99))
@settings(max_examples=6)
def test_the_order_of_rows_changes_nothing(
    make: Callable[..., HistoryStep], cutoff: dict[str, int], drawn: tuple[pd.DataFrame, pd.Series], seed: int
) -> None:
    X, y = drawn
    if not (X["day"].notna() & y.notna()).any():
        return
    order = np.random.default_rng(seed).permutation(len(X))
    one = make(**cutoff).fit(X, y).write(X)
    other = make(**cutoff).fit(X.iloc[order], y.iloc[order]).write(X)
    pd.testing.assert_frame_equal(one, other, rtol=SEVEN_DIGITS, atol=SEVEN_DIGITS)


@every_step
@given(drawn=rows(least=4), start=st.integers(5, 40))
@settings(max_examples=20)
def test_fitted_on_everything_or_on_what_came_before(
    make: Callable[..., HistoryStep], drawn: tuple[pd.DataFrame, pd.Series], start: int
) -> None:
    """Where no cutoff of a window's rows passes its start, a step fitted on all rows says what one fitted before it says."""
    X, y = drawn
    known = X["day"].notna() & y.notna()
    X, y = X[known], y[known]
    day = (X["day"] - pd.Timestamp(0)).dt.days
    if not (day == start - 1).any():
        return
    once, per_fold = make(gap=6).fit(X, y), make(gap=6).fit(X[day < start], y[day < start])
    window = X[(day >= start) & (day < start + 7)]
    assert (once.cutoffs(window) <= start).all()
    pd.testing.assert_frame_equal(once.write(window), per_fold.write(window))


# ---------------------------------------------------------------------- edges


@every_step
def test_one_row_and_none(make: Callable[..., HistoryStep]) -> None:
    X = pd.DataFrame({"day": dates([3]), "shop": ["a"]})
    step = make().fit(X, pd.Series([2.0]))
    written = step.write(X)
    is_count = [column.startswith("target__count") for column in written.columns]
    assert written.loc[:, is_count].eq(0).all(axis=None)
    assert written.loc[:, [not one for one in is_count]].isna().all(axis=None)
    assert list(step.write(X.iloc[:0]).columns) == list(written.columns)
    assert len(step.cutoffs(X.iloc[:0])) == 0


@every_step
@pytest.mark.parametrize("rows_of", [lambda X: X.iloc[:0], lambda X: X.assign(day=dates([None, None]))], ids=["none", "no dates"])
def test_nothing_to_learn_from(make: Callable[..., HistoryStep], rows_of: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    X = rows_of(pd.DataFrame({"day": dates([3, 4]), "shop": ["a", "b"]}))
    with pytest.raises(InputError, match=rf"needs rows with a date in 'day' and a value of the target; none of {len(X)} has both"):
        make().fit(X, pd.Series(2.0, index=X.index))


@every_step
@pytest.mark.parametrize(
    ("cutoff", "message"),
    [
        ({"gap": 1, "block": 7}, "takes its cutoff from 'gap' or from 'block', not both; found gap=1 and block=7"),
        ({"gap": -1}, r"needs 'gap' to be at least 0 \(days\); found -1"),
        ({"block": 0}, r"needs 'block' to be at least 1 \(days\); found 0"),
        ({"label_delay": -2}, r"needs 'label_delay' to be at least 0 \(days\); found -2"),
    ],
)
def test_cutoffs_that_make_no_sense(make: Callable[..., HistoryStep], cutoff: dict[str, int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        make(**cutoff).check()


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (AsOfStatistics("day", by="shop", windows=[0]), r"takes windows such as 91 \(days\), 'all' or 'last_10'; found \[0\]"),
        (AsOfStatistics("day", by="shop", windows=["last_0", "last_3"]), r"found \['last_0'\]"),
        (AsOfStatistics("day", by="shop", windows=[]), "found none"),
        (AsOfStatistics("day", by="shop", statistics=[]), "needs at least one of 'statistics'"),
        (AsOfStatistics("day", by="shop", min_count=0), "needs 'min_count' of at least 1 row, found 0"),
        (AsOfLag("day", by="shop"), r"needs lags: 'days: \[7, 364\]'"),
        (AsOfLag("day", by="shop", days=[0, 7]), r"lags of at least 1 and a span of at least 0 days; found \[0\]"),
        (AsOfLag("day", by="shop", days=[7], span=-1), "found span=-1"),
        (AsOfExponentialMean("day", by="shop", half_life=[0, 5]), r"needs half-lives above 0 days, such as \[30\]; found \[0\]"),
        (AsOfExponentialMean("day", by="shop", half_life=[]), "found none"),
        (AsOfTrend("day", by="shop", windows=[1]), r"windows of at least 2 days, such as \[91, 365\]; found \[1\]"),
        (AsOfTrend("day", by="shop", ridge=-1), "needs a ridge of 0 or more rows, found -1"),
        (AsOfYearOnYear("day", by="shop", windows=[365]), r"windows of 1 to 364 days, such as \[28\]; found \[365\]"),
    ],
)
def test_parameters_that_make_no_sense(step: HistoryStep, message: str) -> None:
    with pytest.raises(InputError, match=message):
        step.check()


def test_columns_that_do_not_fit() -> None:
    X = pd.DataFrame({"day": ["2015-01-01"], "shop": ["a"], "when": dates([1])})
    with pytest.raises(InputError, match=r"works on dates columns; 'day' is text \(str\)\. Leave it out with 'except', or cast it first"):
        AsOfStatistics("day", by="shop").fit(X, pd.Series([1.0]))
    with pytest.raises(InputError, match=r"No column 'shops' here.*Closest: 'shop'"):
        AsOfStatistics("when", by="shops").fit(X, pd.Series([1.0]))
    with pytest.raises(InputError, match="needs numbers in column 'shop'"):
        AsOfStatistics("when", by=[], of="shop").fit(X, pd.Series([1.0]))


def test_a_target_of_several_classes() -> None:
    X = pd.DataFrame({"day": dates([1, 2, 3]), "shop": ["a", "b", "a"]})
    y = pd.Series(pd.Categorical([0, 1, 2]))
    with pytest.raises(InputError, match=r"looks back on numbers; a target of several classes is none\. Name a column: 'of: \.\.\.'"):
        AsOfStatistics("day", by="shop").fit(X, y)
    out = AsOfStatistics("day", by="shop", of="n", windows=["all"], statistics=["count"]).fit_transform(X.assign(n=1.0), y)
    assert out["n__count_all_by_shop"].tolist() == [0.0, 0.0, 1.0]


def test_a_constant_has_no_spread() -> None:
    X = pd.DataFrame({"day": dates(range(60)), "shop": "a"})
    out = AsOfStatistics("day", by="shop", windows=["all"], statistics=["sd", "skew", "kurtosis"]).fit_transform(
        X, pd.Series(0.1, index=X.index)
    )
    assert out.filter(like="target__").iloc[5:].eq(0.0).all(axis=None)


def test_numbers_beyond_float32_are_its_largest() -> None:
    X = pd.DataFrame({"day": dates([1, 2]), "shop": "a"})
    out = AsOfStatistics("day", by="shop", windows=["all"], statistics=["mean"]).fit_transform(X, pd.Series([1e300, 1.0]))
    assert out["target__mean_all_by_shop"].iloc[1] == np.finfo(np.float32).max
