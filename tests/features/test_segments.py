"""Compiled statistics of slices against NumPy, to the last digits: the steps' own results are cut to seven."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from features.kernels.segments import decayed_means, extremes, harmonic_means, lines, means, nested_means, quantiles, shapes

SHARES = np.array([0.0, 0.1, 0.5, 0.9, 1.0])
values_of = st.lists(st.integers(-6, 60).map(lambda value: value / 3), min_size=1, max_size=60).map(np.array)


@st.composite
def slices(draw: st.DrawFn) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Values and slices of them: windows that move on, and others in no order."""
    values = draw(values_of)
    n = len(values)
    length = draw(st.integers(1, n))
    moving = [(max(end - length, 0), end) for end in range(0, n + 1, draw(st.integers(1, 12)))]
    others = draw(st.lists(st.tuples(st.integers(0, n), st.integers(0, n)), max_size=10))
    first, last = np.array([*moving, *others], dtype=np.int64).T
    return values, np.ascontiguousarray(first), np.ascontiguousarray(last)


@given(slices())
def test_as_numpy_says(drawn: tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]) -> None:
    values, first, last = drawn
    averages, ends, shares = means(values, first, last), extremes(values, first, last), quantiles(values, first, last, SHARES)
    inverse, shape = harmonic_means(values, first, last), shapes(values, first, last)
    for i, part in enumerate(values[begin:end] for begin, end in zip(first, last, strict=True)):
        if not len(part):
            for found in (averages[i], ends[i], shares[i], inverse[i], shape[i]):
                assert np.isnan(found).all()
            continue
        np.testing.assert_allclose(averages[i], [part.mean(), part.std()], rtol=1e-9, atol=1e-9)
        np.testing.assert_array_equal(ends[i], [part.min(), part.max()])
        np.testing.assert_allclose(shares[i], np.quantile(part, SHARES), rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(inverse[i], stats.hmean(part) if part.min() > 0 else np.nan, rtol=1e-9)
        if len(part) > 3 and part.std() > 0:
            np.testing.assert_allclose(shape[i], [stats.skew(part), stats.kurtosis(part)], rtol=1e-9, atol=1e-9)


@given(slices(), st.lists(st.integers(0, 60), min_size=1, max_size=4))
def test_slices_with_one_end(drawn: tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]], back: list[int]) -> None:
    values, _, last = drawn
    first = np.maximum(last[:, None] - np.array(back), 0)
    found = nested_means(values, first, last)
    for j in range(len(back)):
        np.testing.assert_allclose(found[:, j], means(values, np.ascontiguousarray(first[:, j]), last), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("value", [0.1, 1e9 / 3, -7e-9, 0.0])
def test_equal_values_have_no_spread(value: float) -> None:
    values, first, last = np.full(1001, value), np.array([0, 3]), np.array([1001, 900])
    assert (means(values, first, last)[:, 1] == 0).all()
    assert (shapes(values, first, last) == 0).all()


def test_a_small_spread_far_from_zero_is_seen() -> None:
    values = 1e6 + 1e-4 * np.arange(100.0)
    found = means(values, np.array([0]), np.array([100]))[0, 1]
    assert found == pytest.approx(np.std(values), rel=1e-6)


@given(values_of, st.floats(0.01, 100))
def test_weights_that_fade(values: NDArray[np.float64], half_life: float) -> None:
    days = np.sort(np.random.default_rng(len(values)).integers(0, 9000, len(values)))
    last = np.arange(len(values) + 1)
    found = decayed_means(days, values, np.zeros_like(last), last, half_life)
    assert np.isnan(found[0])
    for end in last[1:]:
        weights = 0.5 ** ((days[end - 1] - days[:end]) / half_life)
        np.testing.assert_allclose(found[end], np.average(values[:end], weights=weights), rtol=1e-9, atol=1e-9)


@given(values_of)
def test_lines(values: NDArray[np.float64]) -> None:
    days = 16000 + np.cumsum(np.arange(len(values)) % 3)
    (found,) = lines(days, values, np.array([0]), np.array([len(values)]), 0.0)
    slope = np.polyfit(days - days.mean(), values, 1)[0] if len(np.unique(days)) > 1 else 0.0
    np.testing.assert_allclose(found, [days.mean(), values.mean(), slope], rtol=1e-9, atol=1e-9)
