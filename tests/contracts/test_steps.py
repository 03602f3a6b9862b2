"""What every step must keep to. Steps are found by walking the package: a new one is tested without being named here."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, get_type_hints

import numpy as np
import pandas as pd
import pytest
from numpydoc.docscrape import ClassDoc
from pandas.testing import assert_frame_equal, assert_series_equal
from sklearn.base import clone

from features.columns import kind_of
from features.errors import InputError
from features.parameters import choices
from features.registry import steps
from features.saving import dump_step, dumps, load_step
from features.step import Learns, Step, registry_name

STEPS = list(steps().values())
ROUNDING = 1e-12
SUMMATION = 1e-9
"""Sums of the same rows in another order differ by this much at most."""


def needed_parameters(cls: type[Step]) -> list[str]:
    """Parameters without a default."""
    return [name for name, one in inspect.signature(cls).parameters.items() if one.default is inspect.Parameter.empty]


def all_examples(cls: type[Step]) -> list[dict[str, Any]]:
    """The parameters a class is tested with; none when it needs some and names none."""
    return [dict(example) for example in cls.examples] or ([] if needed_parameters(cls) else [{}])


CASES = [pytest.param(cls, example, id=f"{cls.name}-{number}") for cls in STEPS for number, example in enumerate(all_examples(cls))]
every_step = pytest.mark.parametrize("cls", STEPS, ids=lambda cls: cls.name)
every_case = pytest.mark.parametrize(("cls", "example"), CASES)


def cases_that(suit: Callable[[Step], bool]) -> pytest.MarkDecorator:
    """The cases whose step suits."""
    return pytest.mark.parametrize(("cls", "example"), [case for case in CASES if suit(case.values[0](**case.values[1]))])


def written_by(step: Step, X: pd.DataFrame, out: pd.DataFrame) -> pd.DataFrame:
    """The columns of a result that the step made or replaced."""
    return out[list(step.write(X.iloc[:1]).columns)]


def assert_same_values(left: pd.DataFrame, right: pd.DataFrame, tolerance: float) -> None:
    """Equal header and index, and equal values: numbers to a relative tolerance, types left aside."""
    assert list(left.columns) == list(right.columns)
    assert left.index.equals(right.index)
    for column in left.columns:
        one, other = left[column], right[column]
        assert one.isna().tolist() == other.isna().tolist(), column
        if kind_of(one) in ("numeric", "flags") and kind_of(other) in ("numeric", "flags"):
            np.testing.assert_allclose(one.to_numpy(float), other.to_numpy(float), rtol=tolerance, atol=tolerance, err_msg=column)
        else:
            assert one.dropna().astype(object).tolist() == other.dropna().astype(object).tolist(), column


# ---------------------------------------------------------------------- how it is written


@every_step
def test_has_examples(cls: type[Step]) -> None:
    if not all_examples(cls):
        pytest.fail(
            f"{cls.__name__} cannot be tested: it needs {', '.join(needed_parameters(cls))}. Give the class "
            "`examples: ClassVar[tuple[Mapping[str, Any], ...]] = ({...},)`, parameters for the table in tests/contracts/conftest.py."
        )


def test_names_are_derived_and_unique() -> None:
    assert [registry_name(cls) for cls in STEPS] == list(steps())
    assert all(cls.name == registry_name(cls) for cls in STEPS)


@every_step
def test_docstring(cls: type[Step]) -> None:
    first = (inspect.getdoc(cls) or "").split("\n\n")[0]
    assert first.endswith("."), f"the first sentence of {cls.__name__} must end with a full stop: {first!r}"
    documented = [parameter.name for parameter in ClassDoc(cls)["Parameters"]]
    assert documented == list(inspect.signature(cls).parameters), f"the parameters of {cls.__name__}, in order"


@every_step
def test_parameters_are_typed(cls: type[Step]) -> None:
    assert set(inspect.signature(cls).parameters) <= set(get_type_hints(cls.__init__))


@every_case
def test_wrong_choice_is_refused(cls: type[Step], example: dict[str, Any], table: pd.DataFrame) -> None:
    for parameter in choices(cls):
        step = cls(**{**example, parameter: "nonsense"})
        with pytest.raises(InputError, match=f"Step '{cls.name}' has {parameter}='nonsense'; allowed: "):
            step.reads(table)


@every_case
def test_constructor_only_assigns(cls: type[Step], example: dict[str, Any], table: pd.DataFrame, target: pd.Series) -> None:
    step = cls(**example)
    given = {name: one.default for name, one in inspect.signature(cls).parameters.items()} | example
    assert all(getattr(step, name) is value for name, value in given.items())
    assert set(vars(step)) == set(step.get_params())
    copy = clone(step.fit(table, target))
    assert copy.get_params() == step.get_params()
    assert set(vars(copy)) == set(copy.get_params()), "a clone is not fitted"
    assert step.set_params(**step.get_params()) is step


# ---------------------------------------------------------------------- frames in, frames out


@every_case
def test_input_is_not_changed(cls: type[Step], example: dict[str, Any], table: pd.DataFrame, target: pd.Series) -> None:
    X, y = table.copy(deep=True), target.copy(deep=True)
    step = cls(**example)
    step.fit_transform(X, y)
    step.transform(X)
    assert_frame_equal(X, table)
    assert_series_equal(y, target)


@every_case
def test_result_does_not_share_memory_for_writing(cls: type[Step], example: dict[str, Any], table: pd.DataFrame, target: pd.Series) -> None:
    X = table.copy(deep=True)
    out = cls(**example).fit_transform(X, target)
    for column in out.columns:
        out[column] = None
    assert_frame_equal(X, table)


@every_case
def test_index_is_kept(cls: type[Step], example: dict[str, Any], table: pd.DataFrame, target: pd.Series) -> None:
    step = cls(**example)
    assert step.fit_transform(table, target).index.equals(table.index)
    assert step.transform(table).index.equals(table.index)
    assert step.write(table).index.equals(table.index)


@every_case
def test_says_what_it_reads_writes_and_drops(cls: type[Step], example: dict[str, Any], table: pd.DataFrame, target: pd.Series) -> None:
    step = cls(**example)
    read = step.reads(table)
    assert set(read) <= set(table.columns)
    out = step.fit(table, target).transform(table)
    assert not set(step.dropped) & set(out.columns)
    assert list(out.columns) == list(dict.fromkeys([*(c for c in table if c not in step.dropped), *step.write(table).columns]))
    left_alone = [column for column in out.columns if column not in step.write(table).columns]
    assert_frame_equal(out[left_alone], table[left_alone])
    assert_frame_equal(step.write(table[read]), step.write(table))


@every_case
def test_rows_in_another_order(cls: type[Step], example: dict[str, Any], table: pd.DataFrame, target: pd.Series) -> None:
    step = cls(**example).fit(table, target)
    shuffled = table.sample(frac=1.0, random_state=3)
    assert_same_values(step.transform(shuffled), step.transform(table).loc[shuffled.index], ROUNDING)


@every_case
def test_fitted_on_rows_in_another_order(cls: type[Step], example: dict[str, Any], table: pd.DataFrame, target: pd.Series) -> None:
    shuffled = table.sample(frac=1.0, random_state=3)
    once = cls(**example).fit_transform(table, target)
    again = cls(**example).fit_transform(shuffled, target.loc[shuffled.index])
    assert_same_values(again.loc[table.index], once, SUMMATION)


@every_case
def test_one_row_is_its_row_of_the_batch(cls: type[Step], example: dict[str, Any], table: pd.DataFrame, target: pd.Series) -> None:
    step = cls(**example).fit(table, target)
    batch = step.transform(table)
    for position in range(0, len(table), 9):
        assert_same_values(step.transform(table.iloc[[position]]), batch.iloc[[position]], ROUNDING)


@every_case
def test_no_rows(cls: type[Step], example: dict[str, Any], table: pd.DataFrame, target: pd.Series) -> None:
    step = cls(**example).fit(table, target)
    empty = step.transform(table.iloc[:0])
    assert list(empty.columns) == list(step.transform(table).columns)
    assert len(empty) == 0


# ---------------------------------------------------------------------- values it has not seen


@every_case
def test_unseen_and_missing_categories(cls: type[Step], example: dict[str, Any], table: pd.DataFrame, target: pd.Series) -> None:
    step = cls(**example).fit(table, target)
    strange = table.copy()
    for column in table.columns:
        if kind_of(table[column]) in ("text", "categorical"):
            strange[column] = pd.Series(["never seen", None] * (len(table) // 2), index=table.index, dtype=table[column].dtype.name)
    out = step.transform(strange)
    numbers = out.select_dtypes("number").to_numpy(float)
    assert not np.isinf(numbers).any()
    assert list(out.columns) == list(step.transform(table).columns)


# an expression is checked against the types it meets
@cases_that(lambda step: step.name != "derive")
@pytest.mark.parametrize("gap", [np.nan, None], ids=["nan", "none"])
def test_columns_missing_throughout(cls: type[Step], example: dict[str, Any], gap: object, table: pd.DataFrame, target: pd.Series) -> None:
    """A table of few rows may lack a column's values: its type is then float or object, whatever it was in training."""
    step = cls(**example).fit(table, target)
    bare = pd.DataFrame({column: pd.Series([gap] * 2, dtype=float if gap is np.nan else object) for column in table.columns})
    assert len(step.transform(bare)) == 2


@cases_that(lambda step: step.learns is Learns.ROWS and step.accepts == ("numeric",))
def test_infinite_numbers(cls: type[Step], example: dict[str, Any], table: pd.DataFrame, target: pd.Series) -> None:
    infinite = table.assign(LotFrontage=table["LotFrontage"].where(table["LotFrontage"] > 20, np.inf))
    with pytest.raises(InputError, match=f"Step '{cls.name}' found an infinite value in column 'LotFrontage'"):
        cls(**example).fit(infinite, target)


@every_case
def test_no_infinite_number_is_made(cls: type[Step], example: dict[str, Any], table: pd.DataFrame, target: pd.Series) -> None:
    step = cls(**example)
    numbers = step.fit_transform(table, target).select_dtypes("number").to_numpy(float)
    assert not np.isinf(numbers).any()
    extreme = table.assign(LotFrontage=1e308, LotArea=-1e308, Slope=-1e308)
    written = step.write(extreme).select_dtypes("number").to_numpy(float)
    assert not np.isinf(written).any()


@every_case
def test_a_column_that_is_gone(cls: type[Step], example: dict[str, Any], table: pd.DataFrame, target: pd.Series) -> None:
    step = cls(**example).fit(table, target)
    for column in step.reads_[:2]:
        with pytest.raises(InputError, match=f"Step '{cls.name}' was fitted with column\\(s\\) '{column}', which this table lacks"):
            step.transform(table.drop(columns=column))


# ---------------------------------------------------------------------- what it learns


@every_case
def test_saved_and_loaded(cls: type[Step], example: dict[str, Any], table: pd.DataFrame, target: pd.Series) -> None:
    step = cls(**example).fit(table, target)
    text = dumps(step)
    assert dumps(cls(**example).fit(table, target)) == text, "the same data must give the same bytes"
    loaded = load_step(dump_step(step))
    assert type(loaded) is cls
    assert dumps(loaded) == text
    assert_frame_equal(loaded.transform(table), step.transform(table))


@every_case
def test_transforming_teaches_nothing(cls: type[Step], example: dict[str, Any], table: pd.DataFrame, target: pd.Series) -> None:
    step = cls(**example).fit(table, target)
    before = dumps(step)
    step.transform(table.iloc[:5])
    assert dumps(step) == before


@every_case
def test_fitting_again_forgets(cls: type[Step], example: dict[str, Any], table: pd.DataFrame, target: pd.Series) -> None:
    step = cls(**example).fit(table, target).fit(table.iloc[:60], target.iloc[:60])
    assert dumps(step) == dumps(cls(**example).fit(table.iloc[:60], target.iloc[:60]))


@cases_that(lambda step: step.learns is Learns.NOTHING)
def test_steps_that_learn_nothing_forget_their_rows(
    cls: type[Step], example: dict[str, Any], table: pd.DataFrame, target: pd.Series
) -> None:
    few = cls(**example).fit(table.iloc[:7], target.iloc[:7])
    assert_frame_equal(few.transform(table), cls(**example).fit(table, target).transform(table))


@cases_that(lambda step: step.learns is Learns.LEVELS)
def test_steps_that_learn_levels_learn_no_counts(cls: type[Step], example: dict[str, Any], table: pd.DataFrame, target: pd.Series) -> None:
    more = pd.concat([table.sample(frac=1.0, random_state=5), table.iloc[:30]])
    assert dumps(cls(**example).fit(more)) == dumps(cls(**example).fit(table))


# ---------------------------------------------------------------------- the target


@cases_that(lambda step: step.learns.needs_target)
def test_target_is_asked_for(cls: type[Step], example: dict[str, Any], table: pd.DataFrame) -> None:
    with pytest.raises(InputError, match=r"learns from the (target|past).*call fit\(X, y\)"):
        cls(**example).fit(table)


@cases_that(lambda step: not step.learns.needs_target)
def test_target_is_not_looked_at(cls: type[Step], example: dict[str, Any], table: pd.DataFrame, target: pd.Series) -> None:
    one, other = cls(**example), cls(**example)
    assert_frame_equal(one.fit_transform(table, target), other.fit_transform(table, 1 - target))
    assert dumps(one) == dumps(other)


@cases_that(lambda step: step.learns is Learns.TARGET_VALUES)
def test_own_target_does_not_reach_own_features(cls: type[Step], example: dict[str, Any], table: pd.DataFrame, target: pd.Series) -> None:
    """The canary: a training row's features stay when its own target changes, and others' may move."""
    step = cls(**example)
    before = written_by(step, table, step.fit_transform(table, target))
    has_moved = False
    for position in range(len(table)):
        changed = target.copy()
        changed.iloc[position] += 10.0
        after = written_by(step, table, step.fit_transform(table, changed))
        assert_same_values(after.iloc[[position]], before.iloc[[position]], SUMMATION)
        has_moved |= not after.equals(before)
    assert has_moved, "no target changes anything: the step learns nothing from it"
