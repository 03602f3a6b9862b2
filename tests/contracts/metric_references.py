"""What each metric agrees with: scikit-learn, or the definition written as a plain loop where it has none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics as sk

from pipelines.metrics import Array, as_labels


@dataclass(frozen=True)
class Rows:
    """Target, prediction and raw columns of some rows."""

    y: Array
    p: Array
    columns: dict[str, Any] = field(default_factory=dict)

    def take(self, rows: NDArray[np.intp]) -> Rows:
        """Some of the rows."""
        return Rows(self.y[rows], self.p[rows], {name: values[rows] for name, values in self.columns.items()})


Reference: TypeAlias = Callable[[Rows, Array | None, Mapping[str, Any]], float]

WITHOUT_REPEATED_ROWS = {"card_precision"}
"""Metrics whose weights count groups: a row that is there twice says nothing new."""


def _of_values(function: Callable[..., Any], **keys: Any) -> Reference:
    return lambda rows, weights, params: function(rows.y, rows.p, sample_weight=weights, **keys)


def _of_labels(function: Callable[..., Any], **keys: Any) -> Reference:
    return lambda rows, weights, params: function(rows.y, as_labels(rows.p), sample_weight=weights, **keys)


def _averaged(function: Callable[..., Any]) -> Reference:
    return lambda rows, weights, params: function(
        rows.y, as_labels(rows.p), sample_weight=weights, average="binary" if rows.p.ndim == 1 else "macro", zero_division=0
    )


def _auc(rows: Rows, weights: Array | None, params: Mapping[str, Any] = {}) -> float:
    return float(sk.roc_auc_score(rows.y, rows.p, sample_weight=weights, multi_class="ovr"))


def _ks(rows: Rows, weights: Array | None, params: Mapping[str, Any]) -> float:
    false, true, _ = sk.roc_curve(rows.y, rows.p, sample_weight=weights, drop_intermediate=False)
    return float(np.max(true - false))


def _normalised_entropy(rows: Rows, weights: Array | None, params: Mapping[str, Any]) -> float:
    rate = np.full(len(rows.y), np.average(rows.y, weights=weights))
    return float(sk.log_loss(rows.y, rows.p, sample_weight=weights) / sk.log_loss(rows.y, rate, sample_weight=weights))


def _recall_at_precision(rows: Rows, weights: Array | None, params: Mapping[str, Any]) -> float:
    precision, recall, _ = sk.precision_recall_curve(rows.y, rows.p, sample_weight=weights)
    return float(recall[precision >= params["precision"]].max())


def _precision_at_recall(rows: Rows, weights: Array | None, params: Mapping[str, Any]) -> float:
    precision, recall, _ = sk.precision_recall_curve(rows.y, rows.p, sample_weight=weights)
    return float(precision[recall >= params["recall"]].max())


def _cost(rows: Rows, weights: Array | None, params: Mapping[str, Any]) -> float:
    matrix = sk.confusion_matrix(rows.y, as_labels(rows.p), sample_weight=weights)
    return float((params["false_positive"] * matrix[0, 1] + params["false_negative"] * matrix[1, 0]) / matrix.sum())


def parts_of_equal_weight(rows: Rows, weights: Array | None, shares: list[Fraction]) -> list[list[tuple[int, float]]]:
    """Rows and the weight each gives to a part, in exact fractions; ties give the same share of all their rows."""
    exact = [Fraction(1)] * len(rows.y) if weights is None else [Fraction(float(weight)) for weight in weights]
    ends = [share * sum(exact) for share in shares]
    parts: list[list[tuple[int, float]]] = [[] for _ in shares]
    below = Fraction(0)
    for value in sorted(set(rows.p), reverse=True):
        tied = [row for row in range(len(rows.p)) if rows.p[row] == value]
        above = below + sum(exact[row] for row in tied)
        for number, (start, end) in enumerate(zip([Fraction(0), *ends], ends, strict=False)):
            inside = max(min(above, end) - max(below, start), Fraction(0))
            if inside and above > below:
                parts[number] += [(row, float(exact[row] * inside / (above - below))) for row in tied]
        below = above
    return parts


def _gain(rows: Rows, weights: Array | None, params: Mapping[str, Any]) -> float:
    top = parts_of_equal_weight(rows, weights, [Fraction(params.get("share", 0.1))])[0]
    positives = np.sum(rows.y if weights is None else rows.y * weights)
    return float(sum(weight for row, weight in top if rows.y[row] == 1) / positives)


def _lift(rows: Rows, weights: Array | None, params: Mapping[str, Any]) -> float:
    return _gain(rows, weights, params) / float(params.get("share", 0.1))


def _ece(rows: Rows, weights: Array | None, params: Mapping[str, Any]) -> float:
    bins = params.get("bins", 15)
    even = np.ones(len(rows.y)) if weights is None else weights
    if params.get("width", "mass") == "mass":
        parts = parts_of_equal_weight(rows, weights, [Fraction(end + 1, bins) for end in range(bins)])
    else:
        edges = np.linspace(0, 1, bins + 1)
        at = [max(int(np.sum(value > edges)) - 1, 0) for value in rows.p]
        parts = [[(row, float(even[row])) for row in range(len(at)) if at[row] == one] for one in range(bins)]
    error = 0.0
    for part in parts:
        size = sum(weight for _, weight in part)
        if size:
            said, seen = (sum(weight * values[row] for row, weight in part) / size for values in (rows.p, rows.y))
            error += size * abs(said - seen)
    return error / float(even.sum())


def _gauc(rows: Rows, weights: Array | None, params: Mapping[str, Any]) -> float:
    groups, total, area = rows.columns[params["group"]], 0.0, 0.0
    for group in np.unique(groups):
        inside = np.flatnonzero(groups == group)
        even = np.ones(len(inside)) if weights is None else weights[inside]
        if len(np.unique(rows.y[inside])) == 2:
            total += even.sum()
            area += even.sum() * _auc(rows.take(inside), even)
    return area / total if total else float("nan")


def _card_precision(rows: Rows, weights: Array | None, params: Mapping[str, Any]) -> float:
    """Day by day and card by card; a card of weight w holds w places, and what is found of it is gone."""
    days, cards = rows.columns[params["day"]], rows.columns[params["card"]]
    even = np.ones(len(rows.y)) if weights is None else weights
    left: dict[Any, float] = {}
    precisions = []
    for day in np.unique(days):
        alerts = []
        for card in np.unique(cards[days == day]):
            here = np.flatnonzero((days == day) & (cards == card))
            top = here[np.argmax(rows.p[here])]
            alerts.append((-rows.p[top], card, even[top] * left.get(card, 1.0), rows.y[here].max() == 1))
        places, found = float(params["k"]), 0.0
        for _, card, asked, is_fraud in sorted(alerts):
            looked_into = min(asked, places)
            places -= looked_into
            if is_fraud and asked:
                found += looked_into
                left[card] = left.get(card, 1.0) * (1 - looked_into / asked)
        precisions.append(found / params["k"])
    return float(np.mean(precisions))


REFERENCES: dict[str, Reference] = {
    "rmse": _of_values(sk.root_mean_squared_error),
    "rmsle": _of_values(sk.root_mean_squared_log_error),
    "mae": _of_values(sk.mean_absolute_error),
    "medae": _of_values(sk.median_absolute_error),
    "mape": _of_values(sk.mean_absolute_percentage_error),
    "wmae": _of_values(sk.mean_absolute_error),
    # the error of the ratio to the truth
    "rmspe": lambda rows, weights, params: sk.root_mean_squared_error(np.ones_like(rows.y), rows.p / rows.y, sample_weight=weights),
    "r2": _of_values(sk.r2_score),
    "poisson_deviance": _of_values(sk.mean_poisson_deviance),
    "gamma_deviance": _of_values(sk.mean_gamma_deviance),
    "tweedie_deviance": _of_values(sk.mean_tweedie_deviance, power=1.5),
    "mean_pinball_loss": lambda rows, weights, params: sk.mean_pinball_loss(rows.y, rows.p, sample_weight=weights, alpha=params["alpha"]),
    "pinball": lambda rows, weights, params: sk.mean_pinball_loss(rows.y, rows.p, sample_weight=weights, alpha=params["quantile"]),
    "accuracy": _of_labels(sk.accuracy_score),
    "balanced_accuracy": _of_labels(sk.balanced_accuracy_score),
    "mcc": _of_labels(sk.matthews_corrcoef),
    "quadratic_weighted_kappa": _of_labels(sk.cohen_kappa_score, weights="quadratic"),
    "precision": _averaged(sk.precision_score),
    "recall": _averaged(sk.recall_score),
    "f1": _averaged(sk.f1_score),
    "cost": _cost,
    "roc_auc": _auc,
    "gini": lambda rows, weights, params: 2 * _auc(rows, weights) - 1,
    "ks": _ks,
    "average_precision": _of_values(sk.average_precision_score),
    "recall_at_precision": _recall_at_precision,
    "precision_at_recall": _precision_at_recall,
    "lift": _lift,
    "gain": _gain,
    "log_loss": _of_values(sk.log_loss),
    "brier": _of_values(sk.brier_score_loss),
    "normalised_entropy": _normalised_entropy,
    "rig": lambda rows, weights, params: 1 - _normalised_entropy(rows, weights, params),
    "calibration_ratio": lambda rows, weights, params: np.average(rows.p, weights=weights) / np.average(rows.y, weights=weights),
    "ece": _ece,
    "gauc": _gauc,
    "card_precision": _card_precision,
}
