"""Cuts of the expected class: better than the most probable class for kappa, never worse than half-way cuts on the rows they saw."""

from __future__ import annotations

import json

import numpy as np
import pytest

from features.errors import InputError
from pipelines.combiners import COMBINERS
from pipelines.ensembles import Problem
from pipelines.known import Known
from pipelines.metrics import METRICS
from pipelines.ordinal import _counted, _decided, _expected
from pipelines.targets import TRANSFORMS

KAPPA = METRICS["quadratic_weighted_kappa"]
GRADES = Problem("multiclass", KAPPA, TRANSFORMS["none"])


def graded(n_rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """True grades 0 to 4, most of them 0, and honest probabilities of shape (n_rows, 1, 5) from a noisy look at them."""
    rng = np.random.default_rng(seed)
    prior = np.array([0.5, 0.1, 0.2, 0.1, 0.1])
    y = rng.choice(5, n_rows, p=prior).astype(np.float64)
    seen = y + rng.normal(0, 1.2, n_rows)
    likely = prior * np.exp(-((seen[:, None] - np.arange(5)) ** 2) / (2 * 1.2**2))
    return y, (likely / likely.sum(axis=1, keepdims=True))[:, None]


def test_better_than_the_most_probable_class_on_new_rows() -> None:
    (y, members), (new_y, new) = graded(4000), graded(4000, seed=1)
    cuts = COMBINERS["ordinal_cuts"](GRADES, of=["final"])
    half_way = KAPPA.score(y, cuts.predict(members))
    cuts.fit(members, Known(y))
    decided = cuts.predict(new)
    assert set(np.unique(decided)) == {0.0, 1.0} and (decided.sum(axis=1) == 1).all()
    assert KAPPA.score(y, cuts.predict(members)) >= half_way
    assert KAPPA.score(new_y, decided) > KAPPA.score(new_y, new[:, 0]) + 0.01
    assert sorted(cuts.cuts) == cuts.cuts and len(cuts.cuts) == 4


def test_comes_back_from_what_it_tells() -> None:
    y, members = graded(500)
    one, two = (COMBINERS["ordinal_cuts"](GRADES, of=["final"]) for _ in range(2))
    one.fit(members, Known(y))
    two.restore(json.loads(json.dumps(one.describe())))
    assert np.array_equal(one.predict(members), two.predict(members))


@pytest.mark.parametrize("weights", [None, np.tile([0.0, 1.0], 250)])
def test_rows_of_no_weight_say_nothing(weights: np.ndarray | None) -> None:
    y, members = graded(500)
    spoilt = y.copy()
    if weights is not None:
        spoilt[weights == 0] = 4 - spoilt[weights == 0]
    one, two = (COMBINERS["ordinal_cuts"](GRADES, of=["final"]) for _ in range(2))
    one.fit(members, Known(spoilt, weights))
    two.fit(members, Known(y, weights))
    np.testing.assert_allclose(
        KAPPA.score(y, one.predict(members), weights=weights), KAPPA.score(y, two.predict(members), weights=weights), atol=0.02
    )


@pytest.mark.parametrize(
    ("problem", "of", "message"),
    [
        (
            Problem("binary", METRICS["f1"], TRANSFORMS["none"]),
            ["a"],
            "'ordinal_cuts' is for multiclass targets .* the task is 'binary', the metric 'f1'",
        ),
        (Problem("multiclass", METRICS["log_loss"], TRANSFORMS["none"]), ["a"], "the metric 'log_loss'"),
        (GRADES, ["a", "b"], "takes one member; 'of' names 2"),
    ],
)
def test_where_it_does_not_belong(problem: Problem, of: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        COMBINERS["ordinal_cuts"](problem, of=of)


@pytest.mark.parametrize("n_rows", [500, 20_000], ids=["each place", "places together"])
def test_counted_rows_are_judged_as_the_rows_themselves(n_rows: int) -> None:
    y, members = graded(n_rows)
    weights = np.random.default_rng(2).uniform(0.5, 2.0, n_rows)
    expected, true, counted = _counted(_expected(members), Known(y, weights))
    cuts = [0.5, 1.4, 2.5, 3.6]
    whole = KAPPA.score(y, _decided(_expected(members), cuts, 5), weights=weights)
    assert KAPPA.score(true, _decided(expected, cuts, 5), weights=counted) == pytest.approx(whole, abs=1e-12 if n_rows == 500 else 2e-3)
    assert counted.sum() == pytest.approx(weights.sum()) and len(expected) <= 5 * 2_000
