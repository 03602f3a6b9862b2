"""Ways to combine members on the out-of-fold table: blends with weights, and stacking."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from features.errors import InputError
from pipelines.known import NOTHING_KNOWN, Known
from pipelines.metrics import Array, Metric
from pipelines.oof import OnOof
from pipelines.pinball import linear_quantile, smooth_pinball, width_for
from pipelines.targets import Transform

Scale = Literal["transformed", "target", "log", "probability", "logit", "rank"]
_SCALES: dict[str, tuple[Scale, ...]] = {
    "regression": ("transformed", "target", "log"),
    "binary": ("probability", "logit", "rank"),
    "multiclass": ("probability", "logit"),
}
"""The scales of each task; the first one unless another is asked for."""
Above0 = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]
_EDGE = 1e-6
_KNOTS = 501
"""So many quantiles tell a rank."""


@dataclass(frozen=True)
class Problem:
    """What a combination must know: the task, the metric it is judged by, and the target's transform."""

    task: str
    metric: Metric
    transform: Transform

    def to_scale(self, values: Array, scale: Scale) -> Array:
        """Predictions on the scale that is combined."""
        if scale == "transformed":
            # a prediction below the transform's domain is taken to its edge
            least = self.transform.least if self.transform.least_allowed else self.transform.least + _EDGE
            return self.transform.forward(np.maximum(values, least))
        if scale == "log":
            return np.asarray(np.log(np.maximum(values, _EDGE)), dtype=np.float64)
        if scale == "logit":
            clipped = np.clip(values, _EDGE, 1 - _EDGE)
            return np.log(clipped) - np.log1p(-clipped) if self.task == "binary" else np.log(clipped)
        return values

    def from_scale(self, values: Array, scale: Scale) -> Array:
        """Combined values back in target units or probabilities."""
        if scale == "transformed":
            return self.transform.inverse(values)
        if scale == "log":
            return np.asarray(np.exp(values), dtype=np.float64)
        if scale != "logit":
            return values
        if self.task == "binary":
            return np.asarray(1 / (1 + np.exp(-values)), dtype=np.float64)
        odds: Array = np.exp(values - values.max(axis=1, keepdims=True))
        return np.asarray(odds / odds.sum(axis=1, keepdims=True), dtype=np.float64)

    def default_scale(self) -> Scale:
        """Blends act on the transformed scale, or on probabilities."""
        return _SCALES[self.task][0]


@dataclass
class Blend:
    """A weighted mean of the members; weights are at least 0 and sum to 1.

    On the logarithmic scale it is a weighted geometric mean; on that of ranks each member counts by the share of the rows it was
    fitted on that lie below, so that a row's rank does not hang on the rows beside it.
    """

    problem: Problem
    scale: Scale
    find: Callable[[Array, Known, Blend], Array] | None
    """How the weights are found; None for equal ones."""
    weights: Array | None = field(default=None)
    shrink: float = 0.0
    """The share of the weight that all members have alike."""
    knots: Array | None = None
    """Quantiles of each member on the scale of ranks, shape (n_knots, n_members)."""
    takes_gaps: bool = False

    @property
    def learns(self) -> bool:
        """Whether weights, or the members' quantiles, are looked for."""
        return self.find is not None or self.scale == "rank"

    def fit(self, members: Array, known: Known) -> None:
        """Find the weights on out-of-fold members of shape (n_rows, n_members[, n_classes])."""
        if self.scale == "log" and known.y.min() <= 0:
            raise InputError(f"scale 'log' needs a target above 0; the smallest value is {known.y.min():g}. Use 'target'.")
        if self.scale == "rank":
            self.knots = np.quantile(members, np.linspace(0, 1, _KNOTS), axis=0)
        n = members.shape[1]
        even = np.full(n, 1 / n)
        self.weights = even if self.find is None else (1 - self.shrink) * self.find(self._scaled(members), known, self) + self.shrink * even

    def predict(self, members: Array, known: Known = NOTHING_KNOWN) -> Array:
        """The weighted mean, equal weights before any fit."""
        weights = np.full(members.shape[1], 1 / members.shape[1]) if self.weights is None else self.weights
        return self.problem.from_scale(combine(self._scaled(members), weights), self.scale)

    def _scaled(self, members: Array) -> Array:
        if self.scale != "rank" or self.knots is None:
            return self.problem.to_scale(members, self.scale)
        return np.stack([_ranks(members[:, at], self.knots[:, at]) for at in range(members.shape[1])], axis=1)

    def loss(self, mixed: Array, known: Known) -> float:
        """The declared metric, smaller is better, of mixed members on the blend's scale."""
        return self.problem.metric.loss(known.y, self.problem.from_scale(mixed, self.scale), known.weights, known.columns)

    def describe(self) -> dict[str, Any]:
        """The weights, and the quantiles that tell ranks."""
        weights = None if self.weights is None else [float(weight) for weight in self.weights]
        return {"scale": self.scale, "weights": weights, **({} if self.knots is None else {"knots": self.knots.tolist()})}

    def restore(self, described: dict[str, Any]) -> None:
        """Take them back."""
        self.weights = None if described["weights"] is None else np.array(described["weights"], dtype=np.float64)
        self.knots = None if described.get("knots") is None else np.array(described["knots"], dtype=np.float64)


def _ranks(values: Array, knots: Array) -> Array:
    """The share of rows below each value, from quantiles in increasing order; the middle of those that equal it."""
    known, which = np.unique(knots, return_inverse=True)
    shares = np.linspace(0, 1, len(knots))
    return np.asarray(np.interp(values, known, np.bincount(which, shares) / np.bincount(which)), dtype=np.float64)


def combine(scaled: Array, weights: Array) -> Array:
    """Weighted mean over the members' axis."""
    return np.tensordot(scaled, weights, axes=([1], [0]))


def simplex_weights(scaled: Array, known: Known, blend: Blend) -> Array:
    """Weights on the simplex with the least squared error (regression) or log loss, by sequential quadratic programming.

    For a metric that asks for a quantile it is the pinball loss in target units.
    """
    from scipy.optimize import minimize

    n, loss_of = scaled.shape[1], _smooth_loss(blend, known)

    def loss(weights: Array) -> float:
        return loss_of(combine(scaled, weights))

    start = np.full(n, 1 / n)
    unit = max(loss(start), 1e-12)
    found = minimize(
        lambda weights: loss(weights) / unit,
        start,
        method="SLSQP",
        bounds=[(0, 1)] * n,
        constraints={"type": "eq", "fun": lambda weights: weights.sum() - 1},
    )
    weights = np.clip(found.x, 0, None)
    return np.asarray(weights / weights.sum(), dtype=np.float64)


def _smooth_loss(blend: Blend, known: Known) -> Callable[[Array], float]:
    """A loss with a gradient, of mixed members on the blend's scale."""
    problem, quantile = blend.problem, blend.problem.metric.quantile
    if problem.task != "regression":
        from pipelines.metrics import METRICS

        return lambda mixed: METRICS["log_loss"].loss(known.y, problem.from_scale(mixed, blend.scale), known.weights)
    if quantile is not None:
        width = width_for(known.y)

        def pinball(mixed: Array) -> float:
            losses = smooth_pinball(known.y - problem.from_scale(mixed, blend.scale), quantile, width)
            return float(np.average(losses, weights=known.weights))

        return pinball
    target = problem.to_scale(known.y, blend.scale)
    return lambda mixed: float(np.average((mixed - target) ** 2, weights=known.weights))


_JUDGED, _SCREENED, _FINALISTS, _WITHOUT_GAIN = 100_000, 20_000, 3, 12


def hill_climb_weights(scaled: Array, known: Known, blend: Blend, *, steps: int = 50) -> Array:
    """Greedy selection with replacement (Caruana et al., 2004) on the declared metric; the best prefix is kept.

    It ends after 12 steps without a gain. Of more than 100,000 rows as many judge, drawn at random. Where members times rows are many, each step looks at all
    members on 20,000 of these rows and at the best three on all of them.
    """
    rows = drawn_rows(scaled, known, _JUDGED, np.random.default_rng(0)) if len(scaled) > _JUDGED else np.arange(len(scaled))
    # members first: each one's values then lie side by side in memory
    members, judges = np.ascontiguousarray(np.moveaxis(scaled[rows], 1, 0)), known.take(rows)
    few = np.linspace(0, len(rows) - 1, _SCREENED).astype(np.intp) if members.size > 100 * _SCREENED else None
    screened = None if few is None else (np.ascontiguousarray(members[:, few]), judges.take(few))
    counts, total = np.zeros(len(members)), np.zeros_like(members[0])
    best, best_counts, last = np.inf, np.full(len(members), 1.0), 0
    for step in range(1, steps + 1):
        candidates = np.arange(len(members))
        if few is not None and screened is not None:
            rough = [blend.loss((total[few] + one) / step, screened[1]) for one in screened[0]]
            candidates = np.argsort(rough, kind="stable")[:_FINALISTS]
        losses = [blend.loss((total + members[member]) / step, judges) for member in candidates]
        chosen = int(candidates[np.argmin(losses)])
        counts[chosen] += 1
        total += members[chosen]
        if min(losses) < best - 1e-12:
            best, best_counts, last = min(losses), counts.copy(), step
        if step - last >= _WITHOUT_GAIN:
            break
    return np.asarray(best_counts / best_counts.sum(), dtype=np.float64)


def drawn_rows(scaled: Array, known: Known, count: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Positions of rows drawn without replacement; which rows they are hangs on their values, not on their order."""
    order = np.lexsort((known.y, scaled.reshape(len(scaled), -1).sum(axis=1)))
    return np.sort(order[rng.choice(len(order), count, replace=False)])


_BAGS, _BAG_STEPS, _ROWS_TO_BAG = 8, 25, 20_000


def bagged_hill_climb_weights(scaled: Array, known: Known, blend: Blend) -> Array:
    """The mean weights of greedy selections on eight random halves of the rows (bagged selection; Caruana et al., 2004).

    One selection follows the rows it was judged by; where few or unusual rows decide, the mean of several errs less. From
    20,000 rows on a single selection is as steady, and is made.
    """
    if len(scaled) >= _ROWS_TO_BAG:
        return hill_climb_weights(scaled, known, blend)
    rng = np.random.default_rng(0)
    halves = [drawn_rows(scaled, known, max(2, len(scaled) // 2), rng) for _ in range(_BAGS)]
    judged = [half for half in halves if blend.problem.task == "regression" or len(np.unique(known.y[half])) == len(np.unique(known.y))]
    if not judged:
        return hill_climb_weights(scaled, known, blend)
    found = [hill_climb_weights(scaled[half], known.take(half), blend, steps=_BAG_STEPS) for half in judged]
    return np.asarray(np.mean(found, axis=0), dtype=np.float64)


@dataclass
class Stack:
    """A meta-model on the members: ridge for regression, logistic regression for classes, on the transformed or logit scale.

    For a metric that asks for a quantile it is a linear quantile regression, with ridge's penalty.
    """

    problem: Problem
    alpha: float
    scale: Scale = "transformed"
    coefficients: Array | None = None
    intercept: Array | None = None
    learns: bool = True
    takes_gaps: bool = False

    def fit(self, members: Array, known: Known) -> None:
        """Fit the meta-model on out-of-fold members; it stays the members' mean where a class has no row to fit on."""
        from sklearn.linear_model import LogisticRegression, Ridge

        y, n_classes = known.y, members.shape[2] if members.ndim == 3 else 2
        if self.problem.task != "regression" and len(np.unique(y)) < n_classes:
            return
        X = _side_by_side(self.problem.to_scale(members, self.scale))
        if self.problem.metric.quantile is not None:
            target = self.problem.to_scale(y, self.scale)
            found, intercept = linear_quantile(X, target, self.problem.metric.quantile, alpha=self.alpha, weights=known.weights)
            self.coefficients, self.intercept = np.atleast_2d(found), np.atleast_1d(intercept)
            return
        if self.problem.task == "regression":
            meta = Ridge(alpha=self.alpha).fit(X, self.problem.to_scale(y, self.scale), sample_weight=known.weights)
        else:
            meta = LogisticRegression(C=1 / self.alpha, max_iter=2000).fit(X, y.astype(int), sample_weight=known.weights)
        self.coefficients, self.intercept = np.atleast_2d(meta.coef_), np.atleast_1d(meta.intercept_)

    def predict(self, members: Array, known: Known = NOTHING_KNOWN) -> Array:
        """The meta-model's predictions; the members' mean before any fit."""
        scaled = self.problem.to_scale(members, self.scale)
        if self.coefficients is None or self.intercept is None:
            return self.problem.from_scale(scaled.mean(axis=1), self.scale)
        raw = _side_by_side(scaled) @ self.coefficients.T + self.intercept
        return self.problem.from_scale(raw[:, 0] if raw.shape[1] == 1 else raw, self.scale)

    def describe(self) -> dict[str, Any]:
        """The meta-model's coefficients."""
        if self.coefficients is None or self.intercept is None:
            return {"scale": self.scale}
        return {"scale": self.scale, "coefficients": self.coefficients.tolist(), "intercept": self.intercept.tolist()}

    def restore(self, described: dict[str, Any]) -> None:
        """Take the meta-model's coefficients back."""
        if "coefficients" in described:
            self.coefficients, self.intercept = np.array(described["coefficients"]), np.array(described["intercept"])


def _side_by_side(scaled: Array) -> Array:
    """Members, and their classes, as columns."""
    return scaled.reshape(len(scaled), int(np.prod(scaled.shape[1:])))


def blend(
    problem: Problem,
    *,
    of: list[str] | None = None,
    method: Literal["mean", "simplex", "hill_climb", "bagged_hill_climb"] = "hill_climb",
    scale: Scale | None = None,
    shrink: Share = 0.0,
) -> OnOof:
    """A weighted mean of the members; ``shrink`` draws weights that are looked for to equal ones.

    Raises
    ------
    InputError
        When the scale does not fit the task or the method.
    """
    if scale not in (None, *_SCALES[problem.task]):
        raise InputError(f"scale {scale!r} does not fit task {problem.task!r}; allowed: {', '.join(_SCALES[problem.task])}.")
    if scale == "rank" and method == "simplex":
        raise InputError("method 'simplex' goes by the log loss, and ranks are no probabilities. Use 'hill_climb'.")
    find = {
        "mean": None,
        "simplex": simplex_weights,
        "hill_climb": hill_climb_weights,
        "bagged_hill_climb": bagged_hill_climb_weights,
    }[method]
    weights = np.full(len(of), 1 / len(of)) if find is None and of else None
    return Blend(problem, scale or problem.default_scale(), find, weights, shrink)


def stack(
    problem: Problem, *, of: list[str] | None = None, meta: Literal["ridge", "logistic", "quantile"] | None = None, alpha: Above0 = 1.0
) -> OnOof:
    """A linear meta-model on the members.

    Raises
    ------
    InputError
        When the meta-model does not fit the task.
    """
    fitting = "ridge" if problem.task == "regression" else "logistic"
    if problem.metric.quantile is not None:
        if meta not in (None, "quantile"):
            raise InputError(f"meta {meta!r} learns a mean, and metric '{problem.metric}' asks for a quantile; allowed: quantile.")
    elif meta not in (None, fitting):
        raise InputError(f"meta {meta!r} does not fit task {problem.task!r}; allowed: {fitting}.")
    return Stack(problem, alpha, "transformed" if problem.task == "regression" else "logit")
