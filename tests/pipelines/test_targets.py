"""Target transforms and scales: back and forth, and what lies outside of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from features.errors import InputError
from pipelines.targets import TRANSFORMS, TargetScale, is_heavy_tailed


@pytest.mark.parametrize("is_scaled", [False, True])
@pytest.mark.parametrize("name", TRANSFORMS)
@given(y=arrays(np.float64, st.integers(1, 30), elements=st.floats(0.001, 1e9)))
def test_there_and_back(name: str, is_scaled: bool, y: np.ndarray) -> None:
    scale = TargetScale.of(y, name, is_scaled=is_scaled)
    np.testing.assert_allclose(scale.inverse(scale.forward(y)), y, rtol=1e-6, atol=1e-6)
    if is_scaled and np.ptp(TRANSFORMS[name].forward(y)) > 1e-3:
        assert abs(scale.forward(y).mean()) < 1e-3 and scale.forward(y).std() == pytest.approx(1.0, rel=1e-3)


def test_a_target_that_never_varies_keeps_its_unit() -> None:
    assert TargetScale.of(np.full(3, 5.0), "none", is_scaled=True) == TargetScale("none", 5.0, 1.0)


def test_probabilities_pass_untouched() -> None:
    values = np.array([[0.1, 0.9], [0.4, 0.6]])
    assert TargetScale("none").inverse(values) is values


@pytest.mark.parametrize(
    ("name", "low", "message"),
    [
        ("log", 0.0, "target transform 'log' needs values above 0; the smallest is 0"),
        ("log1p", -1.0, "target transform 'log1p' needs values above -1; the smallest is -1"),
        ("sqrt", -0.5, r"target transform 'sqrt' needs values at least 0; the smallest is -0\.5"),
    ],
)
def test_outside_its_domain(name: str, low: float, message: str) -> None:
    with pytest.raises(InputError, match=message):
        TRANSFORMS[name].check(np.array([1.0, low]))


@pytest.mark.parametrize(
    ("y", "expected"),
    [
        (np.exp(np.random.default_rng(0).normal(12, 0.5, 500)), True),
        (np.random.default_rng(0).normal(100, 10, 500), False),
        (-np.exp(np.random.default_rng(0).normal(1, 1, 500)), False),
        (np.r_[np.zeros(490), np.arange(1.0, 11.0)], False),
        (np.full(9, 3.0), False),
    ],
    ids=["prices", "bell", "negative", "mostly zero", "constant"],
)
def test_heavy_tails(y: np.ndarray, expected: bool) -> None:
    assert is_heavy_tailed(y) is expected
