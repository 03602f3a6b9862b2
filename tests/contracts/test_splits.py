"""What every splitter must keep to; splitters are taken from the table, with the parameters their signatures ask for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from features.errors import InputError
from pipelines.parameters import table_of
from pipelines.splits import FIT, SCORED, SPLITTERS, UNUSED, Folds, Splittable, make_folds
from pipelines.time_splits import TIME_SPLITTERS
from pipelines.windows import windows

TASKS = ("regression", "binary", "multiclass")
BLOCKS = "blocks"
"""The splitter by time that fits on later rows too."""
every_splitter = pytest.mark.parametrize("splitter", SPLITTERS)
partition = pytest.mark.parametrize("splitter", [name for name in SPLITTERS if name not in TIME_SPLITTERS])
by_time = pytest.mark.parametrize("splitter", TIME_SPLITTERS)
in_order = pytest.mark.parametrize("splitter", [name for name in TIME_SPLITTERS if name != BLOCKS])
repeating = pytest.mark.parametrize(
    "splitter", [name for name, one in SPLITTERS.items() if "repeats" in table_of(one, skip=("table",)).model_fields]
)
seeded = pytest.mark.parametrize(
    "splitter", [name for name, one in SPLITTERS.items() if "seed" in table_of(one, skip=("table",)).model_fields]
)
Mask = NDArray[np.bool_]


def parameters(splitter: str, **wished: Any) -> dict[str, Any]:
    """The wished parameters that a splitter takes, and a column where it needs one."""
    fields = table_of(SPLITTERS[splitter], skip=("table",)).model_fields
    needed = {"column": "day", "group": "town", "days": 5} if splitter in TIME_SPLITTERS else {"column": "part"}
    wished = {name: value for name, value in wished.items() if (name, splitter) != ("folds", "forward")}
    return {name: value for name, value in {**needed, **wished}.items() if name in fields}


def rows(n_rows: int, task: str = "binary", seed: int = 0) -> Splittable:
    """Rows with a column of eight parts, one of 24 days in no order, and a target with as many rows of each class as may be."""
    rng = np.random.default_rng(seed)
    n_classes = {"regression": 0, "binary": 2, "multiclass": 3}[task]
    y = rng.permutation(np.arange(n_rows) % n_classes).astype(float) if n_classes else rng.normal(size=n_rows)
    parts = rng.permutation(np.arange(n_rows) % 8)
    number = rng.permutation(n_rows)
    days = pd.Timestamp("2015-01-01") + pd.to_timedelta(number % 24, unit="D")
    columns = {"part": parts, "street": rng.choice(["a", "b"], n_rows), "day": days, "town": number % 7}
    return Splittable(pd.DataFrame(columns), y, task)


def folds_of(table: Splittable, splitter: str, params: dict[str, Any], **roles: Mask) -> Folds:
    """Folds with roles, none by default."""
    none = np.zeros(len(table.y), dtype=bool)
    return make_folds(table, splitter, params, **{"fit_only": none, "not_in_fit": none, "not_scored": none, **roles})


@st.composite
def drawn_roles(draw: st.DrawFn, n_rows: int = 64) -> dict[str, Mask]:
    """Roles of some rows; they may overlap."""
    share = st.lists(st.integers(0, n_rows - 1), max_size=12)
    return {name: np.isin(np.arange(n_rows), draw(share)) for name in ("fit_only", "not_in_fit", "not_scored")}


# ---------------------------------------------------------------------- without roles


@every_splitter
@given(n_rows=st.integers(48, 90), task=st.sampled_from(TASKS), seed=st.integers(0, 99))
def test_no_row_is_scored_where_it_is_fitted_or_twice_a_repeat(splitter: str, n_rows: int, task: str, seed: int) -> None:
    try:
        folds = folds_of(rows(n_rows, task, seed), splitter, parameters(splitter, folds=4, seed=seed, repeats=2, bins=4))
    except InputError:
        assume(False)
    assert folds.status.dtype == np.int8
    assert folds.status.shape == (n_rows, folds.n_folds)
    assert set(np.unique(folds.status)) <= {UNUSED, FIT, SCORED}
    for repeat in folds.repeats:
        assert ((folds.status[:, repeat] == SCORED).sum(axis=1) <= 1).all()
    for fold in range(folds.n_folds):
        assert not np.intersect1d(folds.fit_rows(fold), folds.scored_rows(fold)).size


@partition
@given(n_rows=st.integers(48, 90), task=st.sampled_from(TASKS), seed=st.integers(0, 99))
def test_each_row_is_scored_once_a_repeat_and_fitted_elsewhere(splitter: str, n_rows: int, task: str, seed: int) -> None:
    folds = folds_of(rows(n_rows, task, seed), splitter, parameters(splitter, folds=4, seed=seed, repeats=2, bins=4))
    assert ((folds.status == FIT) ^ (folds.status == SCORED)).all(), "without roles each row is fitted on or scored"
    for repeat in folds.repeats:
        assert ((folds.status[:, repeat] == SCORED).sum(axis=1) == 1).all()


@in_order
@given(n_rows=st.integers(48, 90), seed=st.integers(0, 99))
def test_what_is_scored_is_later_than_what_is_fitted(splitter: str, n_rows: int, seed: int) -> None:
    table = rows(n_rows, seed=seed)
    folds, day = folds_of(table, splitter, parameters(splitter, seed=seed)), table.columns["day"]
    starts = [day.iloc[folds.scored_rows(fold)].min() for fold in range(folds.n_folds)]
    assert starts == sorted(starts), "the oldest window comes first"
    for fold in range(folds.n_folds):
        assert day.iloc[folds.fit_rows(fold)].max() < starts[fold]


@by_time
@given(seed=st.integers(0, 99))
def test_the_rows_order_does_not_matter(splitter: str, seed: int) -> None:
    table, order = rows(72), np.random.default_rng(seed).permutation(72)
    shuffled = Splittable(table.columns.iloc[order], table.y[order], table.task)
    params = parameters(splitter, folds=3)
    np.testing.assert_array_equal(folds_of(shuffled, splitter, params).status, folds_of(table, splitter, params).status[order])


@by_time
def test_dates_text_and_seconds_are_split_alike(splitter: str) -> None:
    table = rows(72)
    params, day = parameters(splitter, folds=3), table.columns["day"]
    expected = folds_of(table, splitter, params).status
    seconds = (day - pd.Timestamp("1970-01-01")).dt.total_seconds() + 3600.0 * 5
    for values, more in ((day.astype("str"), {}), (day.dt.tz_localize("UTC"), {}), (seconds, parameters(splitter, numbers="seconds"))):
        told = {**params, **({"numbers": more["numbers"]} if "numbers" in more else {})}
        one = Splittable(table.columns.assign(day=values), table.y, table.task)
        np.testing.assert_array_equal(folds_of(one, splitter, told).status, expected)


@by_time
def test_windows_say_what_the_folds_are(splitter: str) -> None:
    table = rows(72)
    folds, day = folds_of(table, splitter, parameters(splitter, folds=3)), table.columns["day"].dt.strftime("%Y-%m-%d")
    for fold, window in enumerate(windows(folds, table.columns["day"])):
        fit, scored = day.iloc[folds.fit_rows(fold)], day.iloc[folds.scored_rows(fold)]
        assert (window.fit_from, window.fit_to, window.fit_rows) == (fit.min(), fit.max(), len(fit))
        assert (window.scored_from, window.scored_to, window.scored_rows) == (scored.min(), scored.max(), len(scored))
        assert window.unused_rows == 72 - len(fit) - len(scored)


@every_splitter
def test_same_seed_same_folds(splitter: str) -> None:
    params = parameters(splitter, folds=4, seed=3)
    one, other = (folds_of(rows(60), splitter, params) for _ in range(2))
    np.testing.assert_array_equal(one.status, other.status)


@seeded
def test_other_seeds_give_other_folds(splitter: str) -> None:
    one, other = (folds_of(rows(60), splitter, parameters(splitter, folds=4, seed=seed, shuffle=True)) for seed in (3, 4))
    assert not np.array_equal(one.status, other.status)


@repeating
def test_repeats_are_of_other_rows(splitter: str) -> None:
    folds = folds_of(rows(60), splitter, parameters(splitter, folds=4, repeats=3))
    assert folds.repeats == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]
    assert not np.array_equal(folds.status[:, :4], folds.status[:, 4:8])
    first = folds_of(rows(60), splitter, parameters(splitter, folds=4))
    np.testing.assert_array_equal(folds.status[:, :4], first.status)


@pytest.mark.parametrize("splitter", [name for name in SPLITTERS if name in ("group", "column")])
@given(seed=st.integers(0, 99), n_rows=st.integers(40, 80))
def test_groups_are_never_split(splitter: str, seed: int, n_rows: int) -> None:
    table = rows(n_rows, seed=seed)
    folds = folds_of(table, splitter, parameters(splitter, folds=4, seed=seed))
    for fold in range(folds.n_folds):
        parts = table.columns["part"]
        assert not set(parts.iloc[folds.fit_rows(fold)]) & set(parts.iloc[folds.scored_rows(fold)])


@pytest.mark.parametrize("task", TASKS)
def test_stratified_folds_have_the_same_shares(task: str) -> None:
    table = rows(120, task)
    folds = folds_of(table, "stratified", {"folds": 4, "bins": 5})
    strata = table.y if task != "regression" else pd.qcut(pd.Series(table.y), 5, labels=False).to_numpy()
    shares = [np.bincount(strata[folds.scored_rows(fold)].astype(int)) for fold in range(4)]
    assert np.ptp(shares, axis=0).max() <= 1


def test_ready_made_folds_follow_their_column() -> None:
    table = Splittable(pd.DataFrame({"part": ["b", "a", "c", "a"]}), np.arange(4.0), "regression")
    folds = folds_of(table, "column", {"column": "part"})
    assert folds.status.T.tolist() == [[1, 2, 1, 2], [2, 1, 1, 1], [1, 1, 2, 1]]


def test_folds_in_order() -> None:
    folds = folds_of(rows(6), "kfold", {"folds": 3, "shuffle": False})
    assert [folds.scored_rows(fold).tolist() for fold in range(3)] == [[0, 1], [2, 3], [4, 5]]


# ---------------------------------------------------------------------- with roles


@every_splitter
@given(roles=drawn_roles(), task=st.sampled_from(TASKS))
def test_roles(splitter: str, roles: dict[str, Mask], task: str) -> None:
    table = rows(64, task)
    try:
        folds = folds_of(table, splitter, parameters(splitter, folds=3, bins=2), **roles)
    except InputError:
        assume(False)
    fitted, scored = folds.status == FIT, folds.status == SCORED
    assert not scored[roles["fit_only"]].any()
    assert fitted[roles["fit_only"] & ~roles["not_in_fit"]].all(), "rows that are for fitting only are in every fit"
    assert not fitted[roles["not_in_fit"]].any()
    assert not scored[roles["not_scored"]].any()
    plain = ~(roles["fit_only"] | roles["not_scored"])
    times = (scored[plain].sum(axis=1) == 1) if splitter not in TIME_SPLITTERS else (scored[plain].sum(axis=1) <= 1)
    assert times.all(), "every other row is scored once, in a fit or not"


@every_splitter
def test_rows_for_fitting_only_do_not_move_the_others(splitter: str) -> None:
    """The folds of the split rows are those of a table without the rows for fitting only."""
    table, extra = rows(64), np.arange(64) >= 56
    inner = Splittable(table.columns.iloc[:56], table.y[:56], table.task)
    params = parameters(splitter, folds=3)
    np.testing.assert_array_equal(folds_of(table, splitter, params, fit_only=extra).status[:56], folds_of(inner, splitter, params).status)


# ---------------------------------------------------------------------- what cannot be split


@pytest.mark.parametrize(
    ("splitter", "params", "message"),
    [
        ("kfold", {"folds": 65}, "65 folds need at least as many rows; there are 64"),
        ("kfold", {"folds": 4, "shuffle": False, "repeats": 2}, "Repeats of an unshuffled k-fold are all the same"),
        ("stratified", {"folds": 33}, "Stratified folds need at least 33 rows of each class, the smallest has 32. Use fewer folds"),
        ("group", {"column": "part", "folds": 9}, "9 group folds need at least as many groups; 'part' has 8"),
        ("group", {"column": "prat"}, "needs column 'prat'; train has 'day', 'part', 'street', 'town'. Closest: 'part'"),
        ("column", {"column": "streets"}, "needs column 'streets'.*Closest: 'street'"),
    ],
)
def test_refused(splitter: str, params: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        folds_of(rows(64), splitter, params)


@pytest.mark.parametrize("splitter", ["group", "column"])
def test_gaps_in_the_column(splitter: str) -> None:
    table = rows(64)
    gappy = Splittable(table.columns.assign(part=table.columns["part"].where(table.columns.index > 2)), table.y, table.task)
    with pytest.raises(InputError, match="needs a value of 'part' in every row; 3 are missing"):
        folds_of(gappy, splitter, parameters(splitter))


def test_a_fold_column_of_one_value() -> None:
    table = Splittable(pd.DataFrame({"part": [1] * 8}), np.arange(8.0), "regression")
    with pytest.raises(InputError, match="A fold column needs at least two values; 'part' has 1"):
        folds_of(table, "column", {"column": "part"})


@pytest.mark.parametrize(("role", "message"), [("not_in_fit", "fits on 0 and scores 22"), ("not_scored", "fits on 42 and scores 0")])
def test_a_role_that_leaves_no_row(role: str, message: str) -> None:
    with pytest.raises(InputError, match=rf"Fold 0 {message} rows; it needs some of both\. Look at 'split' and 'rows'"):
        folds_of(rows(64), "kfold", {"folds": 3}, **{role: np.ones(64, dtype=bool)})


def test_a_class_that_a_fold_does_not_fit_on() -> None:
    y = np.zeros(30)
    y[4] = 1
    with pytest.raises(InputError, match=r"Fold 0 fits on 1 of 2 classes\. Use 'stratified' folds"):
        folds_of(Splittable(pd.DataFrame({"a": y}), y, "binary"), "kfold", {"folds": 3, "shuffle": False})


# ---------------------------------------------------------------------- kept in a file


@given(st.integers(0, 99))
def test_written_and_read(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    path: Path = tmp_path_factory.mktemp("folds") / "folds.parquet"
    folds = folds_of(rows(30), "kfold", {"folds": 3, "seed": seed})
    folds.write(path)
    table = pd.read_parquet(path)
    assert list(table) == ["fold-0", "fold-1", "fold-2"] and set(table.dtypes) == {np.dtype("int8")}
    np.testing.assert_array_equal(Folds.read(path).status, folds.status)
