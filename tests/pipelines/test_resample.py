"""Resampling of a fold's training part, and probabilities back at the true class shares."""

from __future__ import annotations

import inspect
import tracemalloc
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from features.errors import InputError
from pipelines.metrics import Array
from pipelines.parameters import table_of
from pipelines.resample import RESAMPLERS, Resampled, check_memory, class_shifts, correct_prior, prior_odds, prior_shift
from pipelines.resample.nominal import Size, smotenc_bytes
from pipelines.splits import Folds

N_ROWS, N_POSITIVES = 300, 36
COUNTED = ("random_over", "random_under", "smote", "smotenc", "borderline_smote", "near_miss")
"""Those that meet a rate exactly."""
SYNTHETIC = ("smote", "smotenc", "borderline_smote", "adasyn", "smote_tomek", "smote_enn")
ANY_TYPES = ("none", "random_over", "random_under", "negative_sample")
NUMBERS_ONLY = ("smote", "borderline_smote", "adasyn", "smote_tomek", "smote_enn", "near_miss")


def target(n_rows: int = N_ROWS, n_positives: int = N_POSITIVES, seed: int = 0) -> Array:
    """Few positives among many negatives, in random order."""
    return np.random.default_rng(seed).permutation(np.arange(n_rows) < n_positives).astype(np.float64)


def numbers(y: Array, seed: int = 1) -> pd.DataFrame:
    """Numbers of several types; positives lie a little apart. The index is not 0, 1, 2."""
    rng = np.random.default_rng(seed)
    table = {
        "amount": rng.normal(size=len(y)) + y,
        "single": (rng.normal(size=len(y)) - y).astype("float32"),
        "count": rng.integers(0, 50, len(y)).astype("int16"),
        "flag": rng.random(len(y)) < 0.3,
    }
    return pd.DataFrame(table, index=1000 + 3 * np.arange(len(y)))


def mixed(y: Array, seed: int = 2) -> pd.DataFrame:
    """Numbers, declared levels of which one does not occur, and text."""
    rng = np.random.default_rng(seed)
    levels = pd.Categorical(rng.choice(list("abc"), len(y)), categories=list("cbaz"))
    return numbers(y).assign(level=levels, shop=pd.Series(rng.choice(["x", "y"], len(y)), dtype="str").to_numpy())


def table_for(name: str, y: Array) -> pd.DataFrame:
    """A table that a resampler can take."""
    return numbers(y) if name in NUMBERS_ONLY else mixed(y)


def resampled(name: str, y: Array | None = None, seed: int = 0, **params: Any) -> tuple[pd.DataFrame, Array, Resampled]:
    """A table, its target, and both resampled."""
    y = target() if y is None else y
    X = table_for(name, y)
    return X, y, RESAMPLERS[name](**params).resample(X, y, seed)


# ---------------------------------------------------------------------- what all have in common


@pytest.mark.parametrize("name", RESAMPLERS)
def test_parameters_are_read_off_the_signature(name: str) -> None:
    parameters = inspect.signature(RESAMPLERS[name]).parameters.values()
    assert all(parameter.kind is inspect.Parameter.KEYWORD_ONLY for parameter in parameters)
    table = table_of(RESAMPLERS[name])
    defaults = table.model_validate({}).model_dump()
    assert list(defaults) == [parameter.name for parameter in parameters]
    assert RESAMPLERS[name](**defaults).name == name
    assert name in ("none", "negative_sample") or list(defaults)[:2] == ["rate", "ratio"]


@pytest.mark.parametrize("name", RESAMPLERS)
def test_real_rows_stay_as_they_were_and_synthetic_ones_are_marked(name: str) -> None:
    y = target()
    X = table_for(name, y)
    before, y_before = X.copy(deep=True), y.copy()
    made = RESAMPLERS[name]().resample(X, y, 3)
    pd.testing.assert_frame_equal(X, before)
    np.testing.assert_array_equal(y, y_before)
    assert made.X.index.equals(pd.RangeIndex(len(made.y)))
    assert len(made.X) == len(made.y) == len(made.origin)
    assert made.X.dtypes.equals(X.dtypes), "types, and lists of levels"
    real = made.origin >= 0
    pd.testing.assert_frame_equal(made.X[real].reset_index(drop=True), X.iloc[made.origin[real]].reset_index(drop=True))
    np.testing.assert_array_equal(made.y[real], y[made.origin[real]])
    assert (made.origin[~real] == -1).all()
    assert (~real).any() == (name in SYNTHETIC)
    assert not made.X.isna().any(axis=None)


@pytest.mark.parametrize("name", RESAMPLERS)
def test_the_same_seed_gives_the_same_bytes(name: str) -> None:
    _, _, first = resampled(name, seed=5)
    _, _, again = resampled(name, seed=5)
    pd.testing.assert_frame_equal(first.X, again.X, check_exact=True)
    np.testing.assert_array_equal(first.origin, again.origin)
    _, _, other = resampled(name, seed=6)
    assert (name in ("none", "near_miss")) == first.X.equals(other.X)


@pytest.mark.parametrize("name", RESAMPLERS)
def test_w_is_counted_on_the_rows_that_are_there(name: str) -> None:
    _, y, made = resampled(name)
    assert made.w == pytest.approx((np.sum(made.y == 0) / np.sum(made.y == 1)) / (np.sum(y == 0) / np.sum(y == 1)), rel=1e-14)
    assert made.w == prior_shift(y, made.y)


@pytest.mark.parametrize(
    ("params", "expected"), [({}, 0.5), ({"rate": 0.2}, 0.2), ({"ratio": 0.25}, 0.2), ({"rate": 0.6}, 0.6), ({"ratio": 2.0}, 2 / 3)]
)
@pytest.mark.parametrize("name", COUNTED)
def test_the_asked_share_of_positives_is_met(name: str, params: dict[str, float], expected: float) -> None:
    _, _, made = resampled(name, **params)
    assert made.y.mean() == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize("name", ["adasyn", "smote_tomek", "smote_enn"])
def test_others_meet_it_nearly(name: str) -> None:
    _, _, made = resampled(name, rate=0.4)
    assert 0.25 < made.y.mean() < 0.5


@pytest.mark.parametrize("name", ["random_over", "random_under", "smote"])
def test_where_negatives_are_rarer_they_are_the_ones_that_grow(name: str) -> None:
    _, y, made = resampled(name, 1 - target(), rate=0.7)
    assert made.y.mean() == pytest.approx(0.7, abs=0.005)
    assert (np.sum(made.y == 1) == np.sum(y == 1)) == (name != "random_under")


def test_none_is_the_identity() -> None:
    X, _, made = resampled("none")
    pd.testing.assert_frame_equal(made.X, X.reset_index(drop=True))
    assert made.w == 1 and made.origin.tolist() == list(range(N_ROWS))
    assert RESAMPLERS["none"]().resample(X, np.zeros(N_ROWS), 0).w == 1, "one class is no matter"


@pytest.mark.parametrize("name", COUNTED)
def test_a_rate_that_is_there_already_changes_nothing(name: str) -> None:
    X, _, made = resampled(name, rate=N_POSITIVES / N_ROWS)
    pd.testing.assert_frame_equal(made.X, X.reset_index(drop=True))
    assert made.w == 1


def test_dropping_keeps_the_order_and_smaller_shares_lie_in_larger_ones() -> None:
    kept = [set(resampled("negative_sample", share=share)[2].origin.tolist()) for share in (0.1, 0.3, 1.0)]
    assert kept[0] < kept[1] < kept[2] == set(range(N_ROWS))
    for name in ("random_under", "near_miss", "negative_sample"):
        assert (np.diff(resampled(name)[2].origin) > 0).all()


def test_copies_and_drops_take_missing_values() -> None:
    y = target()
    X = mixed(y)
    X.loc[X.index[::3], ["amount", "level"]] = None
    for name in ANY_TYPES:
        assert RESAMPLERS[name]().resample(X, y, 0).X.isna().any(axis=None)


# ---------------------------------------------------------------------- synthetic rows


def on_a_segment(row: Array, parents: Array) -> bool:
    """Whether a row lies between two of the parents."""
    for at, first in enumerate(parents):
        along = parents[at:] - first
        length = np.maximum((along**2).sum(axis=1), 1e-300)
        share = np.clip(((row - first) * along).sum(axis=1) / length, 0, 1)
        if np.abs(first + share[:, None] * along - row).max(axis=1).min() < 1e-9:
            return True
    return False


POINTS = arrays(np.float64, (14, 3), elements=st.floats(-5, 5, allow_subnormal=False).map(lambda value: round(value, 3)))


@settings(max_examples=40, deadline=None)
@given(POINTS, st.integers(0, 50), st.sampled_from(["smote", "smote_tomek"]))
def test_a_synthetic_row_lies_between_two_positives_of_the_training_part(points: Array, seed: int, name: str) -> None:
    """Scored rows hold sentinels, negatives others: neither shows in any synthetic value."""
    y = np.tile([1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0], 4)
    table = pd.DataFrame(np.vstack([points, np.full((14, 3), 1e6)]), columns=list("abc"))
    table.loc[(y == 0) & (table.index < 14)] -= 1000.0
    folds = Folds(np.where(np.arange(28) < 14, 1, 2).astype(np.int8)[:, None])
    fit = folds.fit_rows(0)
    made = RESAMPLERS[name](k_neighbors=2).resample(table.iloc[fit], y[fit], seed)
    synthetic = made.X[made.origin < 0].to_numpy()
    parents = table.iloc[fit].to_numpy()[y[fit] == 1]
    assert len(synthetic) and (made.y[made.origin < 0] == 1).all()
    assert all(on_a_segment(row, parents) for row in synthetic)


@pytest.mark.parametrize("name", RESAMPLERS)
def test_scored_rows_do_not_reach_the_resampler(name: str) -> None:
    y = target()
    X, fit = table_for(name, y), np.arange(0, N_ROWS, 2)
    resampler = RESAMPLERS[name]()
    first = resampler.resample(X.iloc[fit], y[fit], 0)
    X.iloc[1::2, 0] = 1e9
    y[1::2] = 1 - y[1::2]
    again = resampler.resample(X.iloc[fit], y[fit], 0)
    pd.testing.assert_frame_equal(first.X, again.X, check_exact=True)
    np.testing.assert_array_equal(first.y, again.y)


@pytest.mark.parametrize("name", SYNTHETIC)
def test_whole_numbers_and_flags_stay_whole_and_between_their_parents(name: str) -> None:
    X, y, made = resampled(name)
    synthetic, positives = made.X[made.origin < 0], X[y == 1]
    for column in ("amount", "single", "count"):
        assert synthetic[column].between(positives[column].min(), positives[column].max()).all()
    assert synthetic["flag"].dtype == bool and synthetic["flag"].nunique() == 2


def test_synthetic_rows_are_those_of_imbalanced_learn() -> None:
    from imblearn.combine import SMOTEENN, SMOTETomek
    from imblearn.over_sampling import SMOTE

    y = target()
    X = numbers(y)[["amount", "single"]].astype("float64")
    for name, reference in {
        "smote": SMOTE(random_state=7),
        "smote_tomek": SMOTETomek(random_state=7),
        "smote_enn": SMOTEENN(random_state=7),
    }.items():
        made = RESAMPLERS[name]().resample(X, y, 7)
        expected, y_expected = reference.fit_resample(X.to_numpy(), y.astype(int))
        ours = made.X.assign(y=made.y).sort_values(["amount", "single"]).to_numpy()
        theirs = pd.DataFrame(expected, columns=X.columns).assign(y=y_expected).sort_values(["amount", "single"]).to_numpy()
        np.testing.assert_array_equal(ours, theirs)


def test_smotenc_keeps_lists_of_levels_and_takes_levels_that_positives_have() -> None:
    y = target()
    X = mixed(y)
    X.loc[(y == 1) & (X["level"] == "a").to_numpy(), "level"] = "b"
    made = RESAMPLERS["smotenc"]().resample(X, y, 0)
    synthetic = made.X[made.origin < 0]
    assert made.X["level"].cat.categories.tolist() == list("cbaz")
    assert set(synthetic["level"]) == {"b", "c"} and set(synthetic["shop"]) == {"x", "y"}
    assert made.X["shop"].dtype == X["shop"].dtype


# ---------------------------------------------------------------------- several classes


@pytest.mark.parametrize("name", ["none", "random_over", "random_under", "smote", "smotenc"])
def test_several_classes_are_balanced(name: str) -> None:
    y = np.repeat([0.0, 1.0, 2.0], [150, 100, 50])
    made = RESAMPLERS[name]().resample(table_for(name, y), y, 0)
    counts = np.bincount(made.y.astype(int))
    expected = {"none": [150, 100, 50], "random_under": [50, 50, 50]}.get(name, [150, 150, 150])
    assert counts.tolist() == expected and made.w is None
    np.testing.assert_allclose(class_shifts(y, made.y, 3), np.array([3, 2, 1]) / 6 / (counts / counts.sum()))


@pytest.mark.parametrize("name", ["borderline_smote", "adasyn", "smote_tomek", "smote_enn", "near_miss", "negative_sample"])
def test_others_are_for_two_classes(name: str) -> None:
    y = np.arange(300) % 3.0
    assert "multiclass" not in RESAMPLERS[name]().tasks
    with pytest.raises(InputError, match=f"'{name}' is for two classes; there are 3. Use random_over"):
        RESAMPLERS[name]().resample(numbers(y), y, 0)


@pytest.mark.parametrize("params", [{"rate": 0.4}, {"ratio": 1.0}])
@pytest.mark.parametrize("name", ["random_over", "random_under", "smote", "smotenc"])
def test_several_classes_have_no_rate(name: str, params: dict[str, float]) -> None:
    y = np.arange(300) % 3.0
    with pytest.raises(InputError, match=f"'{name}' takes a rate or ratio for two classes; there are 3. Leave it out"):
        RESAMPLERS[name](**params).resample(table_for(name, y), y, 0)


# ---------------------------------------------------------------------- refusals


@pytest.mark.parametrize("name", [name for name in RESAMPLERS if name not in ("none", "negative_sample")])
def test_rate_and_ratio_exclude_each_other(name: str) -> None:
    with pytest.raises(InputError, match=f"'{name}' takes 'rate' or 'ratio'; found rate 0.1 and ratio 0.5. Leave one out."):
        RESAMPLERS[name](rate=0.1, ratio=0.5)


@pytest.mark.parametrize("name", [name for name in RESAMPLERS if name not in ("none", "negative_sample")])
@pytest.mark.parametrize(
    ("params", "message"),
    [
        (
            {"rate": 0.05},
            r"the present rate is 0.12 \(36 positives, 264 negatives\), and rate 0.05 cannot be reached. Ask for a rate above 0.12",
        ),
        ({"ratio": 0.1}, r"the present ratio is 0.1364 \(36 positives, 264 negatives\), and ratio 0.1 cannot"),
    ],
)
def test_a_rate_below_the_present_one_is_refused(name: str, params: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        resampled(name, **params)


@pytest.mark.parametrize("name", ["random_over", "random_under"])
def test_a_rate_above_the_present_one_is_refused_where_positives_are_more(name: str) -> None:
    with pytest.raises(InputError, match=r"the present rate is 0.88 .* Ask for a rate below 0.88"):
        resampled(name, 1 - target(), rate=0.9)


def test_a_rate_that_leaves_no_row_is_refused() -> None:
    with pytest.raises(InputError, match=r"'random_under' drops rows of class 0.*rate 0.999 cannot be reached"):
        resampled("random_under", rate=0.999)


@pytest.mark.parametrize("name", [name for name in RESAMPLERS if name not in ("none", "negative_sample")])
def test_one_class_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=f"'{name}' needs rows of two classes; the training part holds 300 rows of one. Use 'stratified'"):
        resampled(name, np.zeros(N_ROWS))


@pytest.mark.parametrize(("y", "share"), [(np.zeros(N_ROWS), 0.5), (np.ones(N_ROWS), 0.5), (target(), 0.001)])
def test_negative_sample_needs_some_of_both(y: Array, share: float) -> None:
    with pytest.raises(
        InputError, match=r"'negative_sample' would keep \d+ positives and \d+ of \d+ negatives; it needs some of both. Raise 'share'"
    ):
        resampled("negative_sample", y, share=share)


@pytest.mark.parametrize(
    ("name", "parameter"), [("adasyn", "n_neighbors"), *[(name, "k_neighbors") for name in SYNTHETIC if name != "adasyn"]]
)
def test_too_few_positives_for_their_neighbours_are_refused(name: str, parameter: str) -> None:
    message = (
        f"'{name}' with '{parameter}: 5' needs at least 6 rows of class 1; the training part has 5. Lower '{parameter}', use random_over"
    )
    with pytest.raises(InputError, match=message):
        resampled(name, target(n_positives=5))
    enough = {parameter: 4, **({"m_neighbors": 100} if name == "borderline_smote" else {})}
    assert len(resampled(name, target(n_positives=5), **enough)[2].y) > 250


def test_near_miss_needs_neighbours_too() -> None:
    with pytest.raises(InputError, match="'near_miss' with 'n_neighbors: 3' needs at least 3 rows of class 1; the training part has 2"):
        resampled("near_miss", target(n_positives=2))
    with pytest.raises(
        InputError, match=r"'near_miss' version 3 finds \d+ rows of class 0 near those of class 1, and 144 are asked for. Raise"
    ):
        resampled("near_miss", version=3, n_neighbors_ver3=2, ratio=0.25)


def test_borderline_smote_has_two_kinds() -> None:
    first, second = (resampled("borderline_smote", kind=kind)[2] for kind in ("borderline-1", "borderline-2"))
    assert first.y.mean() == second.y.mean() == 0.5 and not first.X.equals(second.X)


@pytest.mark.parametrize("version", [1, 2, 3])
def test_near_miss_has_three_versions(version: int) -> None:
    assert resampled("near_miss", version=version)[2].y.mean() == 0.5


@pytest.mark.parametrize("name", NUMBERS_ONLY)
def test_levels_text_and_dates_are_refused_by_name(name: str) -> None:
    y = target()
    X = mixed(y).assign(day=pd.Timestamp("2020-01-01"))
    with pytest.raises(
        InputError, match=f"'{name}' measures distances .* hold none: 'day', 'level', 'shop'. Use 'smotenc'.*'one_hot' or 'ordinal'"
    ):
        RESAMPLERS[name]().resample(X, y, 0)


@pytest.mark.parametrize("name", [*NUMBERS_ONLY, "smotenc"])
def test_missing_and_infinite_values_are_refused(name: str) -> None:
    y = target()
    X = table_for(name, y)
    X.iloc[:4, 0] = np.nan
    with pytest.raises(
        InputError, match=f"'{name}' cannot .* missing values; 4 are missing in columns 'amount'. Fill them in 'clean', or use random_over"
    ):
        RESAMPLERS[name]().resample(X, y, 0)
    X.iloc[:4, 0] = np.inf
    with pytest.raises(InputError, match=f"'{name}' cannot measure distances to infinite values; columns 'amount' hold some. Clip"):
        RESAMPLERS[name]().resample(X, y, 0)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (["amount", "count"], "'smotenc' needs columns of levels .* beside numbers; all 2 are numbers. Use 'smote'."),
        (["level", "shop", "flag"], "'smotenc' needs columns of numbers beside levels; all 3 hold levels. Put 'count_encode'"),
        (["amount", "level", "day"], "'smotenc' takes numbers and levels; columns 'day' hold dates. Make numbers of them"),
    ],
)
def test_smotenc_needs_numbers_and_levels(columns: list[str], message: str) -> None:
    y = target()
    with pytest.raises(InputError, match=message):
        RESAMPLERS["smotenc"]().resample(mixed(y).assign(day=pd.Timestamp("2020-01-01"))[columns], y, 0)


def test_classes_without_a_border_are_refused_where_it_is_needed() -> None:
    y = target()
    X = pd.DataFrame({"far": y * 1000 + np.random.default_rng(0).normal(size=N_ROWS)})
    with pytest.raises(
        InputError, match=r"'borderline_smote' finds no row of class 1 near the border: .* its 10 neighbours .* Raise 'm_neighbors'"
    ):
        RESAMPLERS["borderline_smote"]().resample(X, y, 0)
    with pytest.raises(
        InputError, match=r"'adasyn' finds no row of class 1 with a neighbour of the other class among its 5. Raise 'n_neighbors'"
    ):
        RESAMPLERS["adasyn"]().resample(X, y, 0)


def test_adasyn_refuses_too_few_new_rows() -> None:
    with pytest.raises(
        InputError, match=r"'adasyn' spreads 2 new row\(s\) over so many that each gets less than half a row. Ask for a higher"
    ):
        resampled("adasyn", rate=38 / 302)


def test_editing_that_takes_a_whole_class_is_refused() -> None:
    y = np.array([1.0, 0.0] * 8)
    X = pd.DataFrame({"same": np.arange(16) // 2 * 1.0})
    with pytest.raises(InputError, match=r"'smote_enn' leaves no row of class [01] in the training part. Use another way"):
        RESAMPLERS["smote_enn"](k_neighbors=1).resample(X, y, 0)


# ---------------------------------------------------------------------- memory


def test_memory_is_refused_with_both_numbers() -> None:
    y = target(20_000, 400)
    X = mixed(y).assign(shop=np.random.default_rng(0).integers(0, 2000, 20_000).astype(str))
    resampler = RESAMPLERS["smotenc"]()
    check_memory(resampler, X, y, 10**10)
    message = (
        "'smotenc' would need about 2.[0-9] GB for 20000 rows and 6 columns; 1 GB are free. Ask for a lower rate, put rare levels together"
    )
    with pytest.raises(InputError, match=message):
        check_memory(resampler, X, y, 10**9)
    check_memory(RESAMPLERS["smotenc"](rate=0.1), X, y, 10**9)
    check_memory(RESAMPLERS["random_over"](), X, y, 0)
    with pytest.raises(InputError, match=r"'near_miss' would need about 0.13 GB"):
        check_memory(RESAMPLERS["near_miss"](version=2), X, y, 10**6)


@pytest.mark.parametrize(("n_positives", "n_levels"), [(60, 300), (60, 20), (900, 600)])
def test_the_estimate_is_near_the_measured_peak(n_positives: int, n_levels: int) -> None:
    y = target(4000, n_positives)
    X = numbers(y).drop(columns="flag").assign(level=pd.Categorical(np.random.default_rng(0).integers(0, n_levels, 4000)))
    resampler = RESAMPLERS["smotenc"]()
    resampler.resample(X.iloc[:2000], y[:2000], 0)
    tracemalloc.start()
    resampler.resample(X, y, 0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 0.8 < resampler.extra_bytes(X, y.astype(np.intp)) / peak < 1.5


def test_the_estimate_grows_with_everything() -> None:
    least = smotenc_bytes(Size(1000, 100, 500), 3, [10, 20], 5)
    more = [
        smotenc_bytes(Size(2000, 100, 500), 3, [10, 20], 5),
        smotenc_bytes(Size(1000, 500, 500), 3, [10, 20], 5),
        smotenc_bytes(Size(1000, 100, 900), 3, [10, 20], 5),
        smotenc_bytes(Size(1000, 100, 500), 9, [10, 20], 5),
        smotenc_bytes(Size(1000, 100, 500), 3, [10, 90], 5),
        smotenc_bytes(Size(1000, 100, 500), 3, [10, 20], 9),
    ]
    assert all(one > least for one in more)


# ---------------------------------------------------------------------- back to the true class shares

PROBABILITIES = arrays(np.float64, st.integers(1, 12), elements=st.floats(0, 1))
SHIFTS = st.floats(1e-4, 1e4)


@given(PROBABILITIES)
def test_a_shift_of_one_is_the_identity(p: Array) -> None:
    np.testing.assert_array_equal(correct_prior(p, 1.0), p)
    np.testing.assert_array_equal(correct_prior(7 * p - 2, 1.0), 7 * p - 2)


@given(PROBABILITIES, SHIFTS)
def test_a_correction_keeps_ranks_and_the_ends(p: Array, w: float) -> None:
    q = correct_prior(np.sort(np.append(p, [0.0, 1.0])), w)
    assert q[0] == 0 and q[-1] == 1 and (np.diff(q) >= 0).all() and ((q >= 0) & (q <= 1)).all()


@given(PROBABILITIES, SHIFTS, SHIFTS)
def test_corrections_compose_and_invert(p: Array, first: float, second: float) -> None:
    np.testing.assert_allclose(correct_prior(correct_prior(p, first), second), correct_prior(p, first * second), rtol=1e-9, atol=1e-12)
    inside = np.clip(p, 1e-6, 1 - 1e-6)
    np.testing.assert_allclose(correct_prior(correct_prior(inside, first), 1 / first), inside, rtol=1e-6)


@given(PROBABILITIES, st.integers(1, 50), st.integers(1, 50))
def test_two_classes_are_a_case_of_several(p: Array, positives: int, negatives: int) -> None:
    before, after = np.repeat([0.0, 1.0], [40, 10]), np.repeat([0.0, 1.0], [negatives, positives])
    several = correct_prior(np.column_stack([1 - p, p]), class_shifts(before, after, 2))
    np.testing.assert_allclose(several[:, 1], correct_prior(p, prior_shift(before, after)), atol=1e-12)
    np.testing.assert_allclose(several.sum(axis=1), 1)


@pytest.mark.parametrize("name", ["random_under", "random_over", "negative_sample"])
def test_corrected_probabilities_have_the_mean_that_is_true(name: str) -> None:
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(0)
    x = rng.normal(size=(40_000, 1))
    y = (rng.random(40_000) < 1 / (1 + np.exp(4 - 1.5 * x[:, 0]))).astype(float)
    X = pd.DataFrame(x, columns=["x"])
    made = RESAMPLERS[name]().resample(X, y, 0)
    model = LogisticRegression(C=1e6).fit(made.X, made.y)
    said = model.predict_proba(X)[:, 1]
    assert made.w is not None and said.mean() > 2 * y.mean()
    assert correct_prior(said, made.w).mean() == pytest.approx(y.mean(), rel=0.05)


def test_class_weights_shift_as_copies_do() -> None:
    y = target()
    weights = np.where(y == 1, 3.0, 1.0)
    copied = np.concatenate([y, y[y == 1], y[y == 1]])
    assert prior_shift(y, y, weights) == pytest.approx(prior_shift(y, copied)) == pytest.approx(1 / 3)
    assert prior_shift(y, y, weights, weights) == 1
    assert prior_odds(y, weights) == pytest.approx(264 / 108)
    np.testing.assert_allclose(class_shifts(y, y, 2, weights), class_shifts(y, copied, 2))


def test_shares_need_rows_of_every_class() -> None:
    with pytest.raises(InputError, match=r"Class shares need rows of both classes; found 0 of class 1 and 4 of class 0 \(by weight\)"):
        prior_shift(np.array([0.0, 1.0]), np.zeros(4))
    with pytest.raises(InputError, match="Class 2 has no row to fit on"):
        class_shifts(np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0]), 3)
