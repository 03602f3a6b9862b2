"""Calibrators: probabilities that come true as often as they say, learnt on out-of-fold predictions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pipelines.metrics import Array

_TINY = 1e-12
"""A probability nearer to 0 or 1 than this counts as this near."""
_BEYOND = 0.1
"""How much a logarithm counts beyond the edge."""
_TILT = 1e-6
"""How much of the old log odds is added to isotonic ones, so that no two probabilities become one."""
_STEEPEST, _HOTTEST = 1000.0, 100.0


def soft_log(p: Array, edge: float) -> Array:
    """The logarithm of probabilities, of which the part below ``log(edge)`` counts a tenth.

    A forest says 0 where none of its trees has seen a positive. Cut off, such values lose their order; as they are, a few
    positives among them would turn the whole curve.
    """
    down_to_edge = np.log(np.maximum(p, edge))
    return np.asarray(down_to_edge + _BEYOND * (np.log(np.maximum(p, _TINY)) - down_to_edge), dtype=np.float64)


class Curve(Protocol):
    """A fitted curve: plain numbers, and what they make of probabilities."""

    def apply(self, p: Array) -> Array:
        """Calibrated probabilities, of the shape of ``p``."""


@dataclass(frozen=True)
class Sigmoid:
    """Log odds a * log(p) - b * log(1 - p) + c; a straight line of the old log odds where a = b."""

    a: float
    b: float
    c: float
    edge: float

    def apply(self, p: Array) -> Array:
        """Calibrated probabilities, shape (n_rows,)."""
        from scipy.special import expit

        return np.asarray(expit(self.a * soft_log(p, self.edge) - self.b * soft_log(1 - p, self.edge) + self.c), dtype=np.float64)


@dataclass(frozen=True)
class Softmax:
    """Shares of exp(slope * log(p) + offset) among the classes."""

    slope: float
    offsets: list[float]
    edge: float

    def apply(self, p: Array) -> Array:
        """Calibrated probabilities, shape (n_rows, n_classes)."""
        from scipy.special import softmax

        return np.asarray(softmax(self.slope * soft_log(p, self.edge) + self.offsets, axis=1), dtype=np.float64)


@dataclass(frozen=True)
class Line:
    """Probabilities on straight lines between points, tilted so little that only ties feel it."""

    p: list[float]
    q: list[float]

    def apply(self, p: Array) -> Array:
        """Calibrated probabilities, shape (n_rows,)."""
        from scipy.special import expit, logit

        old = soft_log(p, _TINY) - soft_log(1 - p, _TINY)
        return np.asarray(expit(logit(np.interp(p, self.p, self.q)) + _TILT * old), dtype=np.float64)


Learn = Callable[[Array, Array, Array], Curve]
"""Probabilities, target (zeros and ones, or class codes) and weights of mean 1 to a curve."""
_CURVES: dict[str, type[Any]] = {"sigmoid": Sigmoid, "softmax": Softmax, "line": Line}


@dataclass
class Calibrator:
    """A calibrator of one method; the identity until it is fitted on rows of every class.

    ``learn`` gives the curve of class 1 of two; for several classes ``learn_joint`` gives one curve of all, or, where that is
    None, every class has a curve of its own against the others and rows are brought to a sum of 1.
    """

    method: str
    learn: Learn
    learn_joint: Learn | None = None
    curves: list[Curve] = field(default_factory=list)
    why: str = "not fitted"

    def fit(self, p: Array, y: Array, weights: Array | None = None) -> None:
        """Learn from out-of-fold predictions.

        Parameters
        ----------
        p
            Probabilities of class 1, shape (n_rows,), or of all classes, shape (n_rows, n_classes).
        y
            Class codes, shape (n_rows,).
        weights
            How much each row counts, shape (n_rows,); all the same without. Only their proportions matter.
        """
        counted = np.ones(len(y)) if weights is None else np.asarray(weights, dtype=np.float64)
        p, y, counted = p[counted > 0], y[counted > 0], counted[counted > 0]
        n_classes = 2 if p.ndim == 1 else p.shape[1]
        missing = np.setdiff1d(np.arange(n_classes), y.astype(np.intp))
        self.curves = []
        if len(missing):
            self.why = f"no row of class {missing[0]}"
            return
        counted = counted / counted.mean()
        if p.ndim == 1:
            self.curves = [self.learn(p, y, counted)]
        elif self.learn_joint is not None:
            self.curves = [self.learn_joint(p, y, counted)]
        else:
            self.curves = [self.learn(p[:, code], (y == code).astype(np.float64), counted) for code in range(n_classes)]

    def predict(self, p: Array) -> Array:
        """Calibrated probabilities of the shape of ``p``; as they are before any fit."""
        if not self.curves:
            return p
        if p.ndim == 1 or self.learn_joint is not None:
            return self.curves[0].apply(p)
        each = np.column_stack([curve.apply(p[:, code]) for code, curve in enumerate(self.curves)])
        return np.asarray(each / each.sum(axis=1, keepdims=True), dtype=np.float64)

    def describe(self) -> dict[str, Any]:
        """The curves as plain data, enough for ``rebuilt``; where there are none, why it stayed the identity."""
        if not self.curves:
            return {"method": self.method, "identity": self.why}
        kinds = {kind: name for name, kind in _CURVES.items()}
        return {"method": self.method, "curves": [{"kind": kinds[type(curve)], **_plain(curve)} for curve in self.curves]}


def rebuilt(described: dict[str, Any]) -> Calibrator:
    """The calibrator that ``Calibrator.describe`` described."""
    calibrator = CALIBRATORS[described["method"]]()
    calibrator.why = described.get("identity", calibrator.why)
    calibrator.curves = [
        _CURVES[curve["kind"]](**{key: curve[key] for key in curve if key != "kind"}) for curve in described.get("curves", [])
    ]
    return calibrator


def platt() -> Calibrator:
    """A straight line of the log odds, with one row more of each class against over-fitting (Platt, 1999)."""

    def learn(p: Array, y: Array, weights: Array) -> Curve:
        edge = _edge(y)
        slope, intercept = _maximum_likelihood(
            np.column_stack([_log_odds(p, edge), np.ones(len(p))]), _smoothed(y, weights), weights, [(-_STEEPEST, _STEEPEST), (None, None)]
        )
        return Sigmoid(slope, slope, intercept, edge)

    return Calibrator("platt", learn)


def beta() -> Calibrator:
    """Beta calibration (Kull et al., 2017): each end has a slope of its own, neither below 0; smoothed like Platt's."""

    def learn(p: Array, y: Array, weights: Array) -> Curve:
        edge = _edge(y)
        sides = np.column_stack([soft_log(p, edge), -soft_log(1 - p, edge), np.ones(len(p))])
        a, b, c = _maximum_likelihood(sides, _smoothed(y, weights), weights, [(0.0, _STEEPEST), (0.0, _STEEPEST), (None, None)])
        return Sigmoid(a, b, c, edge)

    return Calibrator("beta", learn)


def temperature() -> Calibrator:
    """Log odds, or logarithms of several classes, over one temperature (Guo et al., 2017), between 0.01 and 100."""
    bounds = (1 / _HOTTEST, _HOTTEST)

    def learn(p: Array, y: Array, weights: Array) -> Curve:
        edge = _edge(y)
        (slope,) = _maximum_likelihood(_log_odds(p, edge).reshape(-1, 1), y, weights, [bounds])
        return Sigmoid(slope, slope, 0.0, edge)

    def learn_joint(p: Array, y: Array, weights: Array) -> Curve:
        return _softmax_likelihood(p, y, weights, [bounds, *[(0.0, 0.0)] * p.shape[1]])

    return Calibrator("temperature", learn, learn_joint)


def prior_shift() -> Calibrator:
    """One offset of the log odds (of each class, where there are several), so that the mean is the mean that came true."""

    def learn(p: Array, y: Array, weights: Array) -> Curve:
        from scipy.optimize import brentq
        from scipy.special import expit

        edge = _edge(y)
        old, rate = _log_odds(p, edge), np.average(y, weights=weights)
        offset = brentq(lambda c: np.average(expit(old + c), weights=weights) - rate, -100.0, 100.0, xtol=1e-12)
        return Sigmoid(1.0, 1.0, float(offset), edge)

    def learn_joint(p: Array, y: Array, weights: Array) -> Curve:
        return _softmax_likelihood(p, y, weights, [(1.0, 1.0), *[(None, None)] * p.shape[1]])

    return Calibrator("prior_shift", learn, learn_joint)


def isotonic() -> Calibrator:
    """Centred isotonic regression (Zadrozny and Elkan, 2002; Oron and Flournoy, 2017).

    Each block of equal values stands at its mean probability and blocks are joined by straight lines, so that ranks are kept:
    a plateau would cost average precision. No value is nearer to 0 or 1 than one row in all of the other class.
    """

    def learn(p: Array, y: Array, weights: Array) -> Curve:
        from sklearn.isotonic import IsotonicRegression

        values = IsotonicRegression(out_of_bounds="clip").fit_transform(p, y, sample_weight=weights)
        # neighbours that are equal but for the rounding of weighted means are one block
        levels, block = np.unique(values.round(12), return_inverse=True)
        centres = np.bincount(block, weights * p) / np.bincount(block, weights)
        positives, negatives = _totals(y, weights)
        return Line(centres.tolist(), np.clip(levels, 1 / (negatives + 2), 1 - 1 / (positives + 2)).tolist())

    return Calibrator("isotonic", learn)


CALIBRATORS: dict[str, Callable[..., Calibrator]] = {
    factory.__name__: factory for factory in (platt, isotonic, temperature, beta, prior_shift)
}


def _plain(curve: Any) -> dict[str, Any]:
    return {key: value if isinstance(value, list) else float(value) for key, value in asdict(curve).items()}


def _edge(y: Array) -> float:
    """One row in all, at most 1e-4: rows do not tell rarer events apart."""
    return min(1e-4, 1 / (len(y) + 2))


def _log_odds(p: Array, edge: float) -> Array:
    return np.asarray(soft_log(p, edge) - soft_log(1 - p, edge), dtype=np.float64)


def _totals(y: Array, weights: Array) -> tuple[float, float]:
    """Positives and negatives by weight."""
    positives = float(weights[y == 1].sum())
    return positives, float(weights.sum()) - positives


def _smoothed(y: Array, weights: Array) -> Array:
    """Platt's targets: the rates of each class after one more row of the other."""
    positives, negatives = _totals(y, weights)
    return np.where(y == 1, (positives + 1) / (positives + 2), 1 / (negatives + 2))


def _maximum_likelihood(columns: Array, targets: Array, weights: Array, bounds: Any) -> list[float]:
    """Coefficients of a logistic regression of targets between 0 and 1 on columns of shape (n_rows, n_coefficients)."""
    from scipy.special import expit

    def loss(coefficients: Array) -> tuple[float, Array]:
        odds = columns @ coefficients
        value = np.average(np.logaddexp(0, odds) - targets * odds, weights=weights)
        return float(value), columns.T @ (weights * (expit(odds) - targets)) / weights.sum()

    start = np.zeros(columns.shape[1])
    start[: 1 if columns.shape[1] < 3 else 2] = 1.0
    return _minimum(loss, start, bounds)


def _softmax_likelihood(p: Array, y: Array, weights: Array, bounds: Any) -> Softmax:
    """Slope and offsets of the classes; bounds, of the slope first, say which of them are learnt."""
    from scipy.special import log_softmax

    edge = _edge(y)
    logs, is_class = soft_log(p, edge), np.eye(p.shape[1])[y.astype(np.intp)]

    def loss(parameters: Array) -> tuple[float, Array]:
        said = log_softmax(parameters[0] * logs + parameters[1:], axis=1)
        wrong = weights[:, None] * (np.exp(said) - is_class) / weights.sum()
        return -float(np.average((said * is_class).sum(axis=1), weights=weights)), np.append((wrong * logs).sum(), wrong.sum(axis=0))

    slope, *offsets = _minimum(loss, np.append(1.0, np.zeros(p.shape[1])), bounds)
    return Softmax(slope, offsets, edge)


def _minimum(loss: Callable[[Array], tuple[float, NDArray[np.float64]]], start: Array, bounds: Any) -> list[float]:
    from scipy.optimize import minimize

    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-15, "gtol": 1e-10, "maxiter": 1000})
    return [float(value) for value in found.x]
