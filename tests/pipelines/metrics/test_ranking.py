"""Orders and sums over many rows: the fast ways give what the plain ones do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pipelines.metrics import METRICS, Array, kernels, ranking
from pipelines.metrics.ranking import Ranking
from pipelines.metrics.shares import Bands

numbers = st.one_of(st.floats(allow_nan=False), st.sampled_from([0.0, -0.0, 1.0, 0.1 + 0.2, 0.3, np.inf, -np.inf]))
probabilities = st.one_of(st.floats(0, 1), st.floats(0, 1, width=16), st.sampled_from([0.0, 1.0, 1e-300, 0.3, 0.1 + 0.2]))


@given(hnp.arrays(np.float64, st.integers(0, 40), elements=numbers))
def test_the_compiled_order_is_the_stable_one(values: Array) -> None:
    assert kernels.descending(values).tolist() == np.argsort(-values, kind="stable").tolist()


@pytest.mark.parametrize("name", ["roc_auc", "average_precision"])
def test_many_rows_are_scored_as_few_are(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    y, p, weights = (rng.random(3000) < 0.3).astype(float), rng.random(3000).round(2), rng.random(3000)
    few = METRICS[name].score(y, p, weights)
    monkeypatch.setattr(ranking, "_MANY", 0)
    assert METRICS[name].score(y, p, weights) == few


@pytest.mark.parametrize("n_groups", [1, 3, 40, 2000], ids=lambda n: f"{n} groups")
def test_rows_are_sorted_within_groups_of_any_size(n_groups: int) -> None:
    rng = np.random.default_rng(0)
    codes, values = rng.integers(0, n_groups, 3000), rng.random(3000).round(2)
    order, ranked, begins = kernels.grouped(values, codes, n_groups)
    assert order.tolist() == np.lexsort((-values, codes)).tolist()
    assert ranked.tolist() == values[order].tolist()
    assert begins.tolist() == np.searchsorted(codes[order], np.arange(n_groups + 1)).tolist()


@given(hnp.arrays(np.float64, st.integers(1, 30), elements=probabilities))
def test_steps_are_distinct_predictions(p: Array) -> None:
    found = Ranking.of(p)
    assert p[found.order[found.ends]].tolist() == sorted(set(p.tolist()), reverse=True)


@settings(max_examples=200)
@given(
    st.lists(st.tuples(probabilities, st.integers(0, 3), st.floats(-1, 1)), min_size=1, max_size=40),
    st.lists(st.floats(0, 1), min_size=1, max_size=5),
)
def test_bands_sum_as_a_whole_sort_does(rows: list[tuple[float, int, float]], shares: list[float]) -> None:
    p, weights, values = (np.array(part, dtype=float) for part in zip(*rows, strict=True))
    found = Bands.of(p).sums(np.array(shares), weights, values)
    if not weights.any():
        assert np.isnan(found).all()
        return
    steps = np.unique(-p)
    taken, summed = (np.array([0.0, *(np.sum(part[-p <= step]) for step in steps)]) for part in (weights, weights * values))
    wanted = np.array(shares) * weights.sum()
    np.testing.assert_allclose(found[0], wanted, atol=1e-12)
    np.testing.assert_allclose(found[1], np.interp(wanted, taken, summed), atol=1e-9)


def test_rounding_to_the_next_band_keeps_the_order() -> None:
    p = np.sort(np.concatenate([np.random.default_rng(0).random(5000), np.geomspace(1e-12, 1, 5000), [0.0, 1 + 1e-7, -1e-7]]))
    band = Bands.of(p).band
    assert (np.diff(band) <= 0).all() and set(band) == set(range(band[0] + 1))


def test_probabilities_in_one_narrow_place() -> None:
    """All rows in one band: it is sorted as a whole."""
    p = 0.5 + np.arange(1000) * 1e-9
    y = (np.arange(1000) >= 950).astype(float)
    assert METRICS["lift"].score(y, p) == pytest.approx(10.0) and Bands.of(p).n_bands == 1
