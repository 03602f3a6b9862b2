"""What resampling and class weights are worth: models that differ in nothing else, compared fold by fold."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pipelines.known import Known
from pipelines.metrics import METRICS, Array, Metric
from pipelines.oof import Predictions
from pipelines.scores import paired_fold_test
from pipelines.spec import ModelSpec, Part
from pipelines.splits import Folds

ALONGSIDE = ("average_precision", "roc_auc", "log_loss", "ece")
"""What is compared besides the declared metric: two rankings, and two measures of probabilities, which resampling distorts."""
LEVEL = 0.05
"""The chance at which one arm of a family is called better though none is."""
_TREATMENT = frozenset({"resample", "weights", "correct_prior"})


@dataclass(frozen=True)
class Family:
    """Models of one kind, parameters and view: the one that takes its rows as they are, and what the others do instead."""

    base: str
    arms: dict[str, str]


def families(models: Mapping[str, ModelSpec]) -> list[Family]:
    """The families of a declaration's models; a group without a model that takes its rows as they are is none.

    >>> from pipelines.spec import ModelKeys
    >>> plain = ModelSpec("plain", "lightgbm", {}, ModelKeys(), ())
    >>> heavy = ModelSpec("heavy", "lightgbm", {}, ModelKeys(weights="balanced"), ())
    >>> families({"plain": plain, "heavy": heavy})
    [Family(base='plain', arms={'heavy': 'balanced weights'})]
    """
    groups: dict[str, dict[str, str]] = {}
    for name, model in models.items():
        groups.setdefault(_apart_from_treatment(model), {})[name] = treatment(model)
    found = []
    for group in groups.values():
        base = next((name for name, what in group.items() if not what), None)
        arms = {name: what for name, what in group.items() if what}
        if base is not None and arms:
            found.append(Family(base, arms))
    return found


def _apart_from_treatment(model: ModelSpec) -> str:
    keys = model.keys.model_dump(exclude=set(_TREATMENT))
    return json.dumps([model.kind, model.params, keys], sort_keys=True, default=str)


def treatment(model: ModelSpec) -> str:
    """What a model does about rare classes, in words; nothing where it takes its rows as they are."""
    resampled = "" if model.resample is None or model.resample.name == "none" else _said(model.resample)
    uncorrected = "probabilities as they come" if (resampled or model.keys.weights == "balanced") and not model.keys.correct_prior else ""
    parts = (resampled, "balanced weights" if model.keys.weights == "balanced" else "", uncorrected)
    return ", ".join(part for part in parts if part)


def _said(part: Part) -> str:
    given = ", ".join(f"{name} {value}" for name, value in part.params.items() if value is not None)
    return f"{part.name} ({given})" if given else part.name


def compare_arms(
    found: Sequence[Family], predictions: Mapping[str, Predictions], known: Known, folds: Folds, metric: Metric
) -> list[dict[str, Any]]:
    """The entry ``arms`` of ``metrics.json``: every arm minus its base, by the folds' scores.

    Differences, their 95 % intervals and p-values are those of the corrected resampled t-test (Nadeau and Bengio, 2003). An arm
    is better where the declared metric says so and p, adjusted for the number of arms (Holm, 1979), is below 0.05.

    Parameters
    ----------
    found
        Families of a binary declaration; those of which a model has no predictions are left out.
    known
        Target, weights and the metric's columns of all training rows.
    metric
        The declared metric; of one with a target (``calibration_ratio``) the distance to it is compared.

    Returns
    -------
    list of dicts
        For each family ``base``, ``metric``, ``greater_is_better`` by metric, ``best`` (an arm, or None), ``verdict`` (a
        sentence) and ``arms``: by name ``what``, ``p_adjusted`` and ``differences``, by metric ``base`` and ``arm`` (mean score of
        the folds), ``difference``, ``low``, ``high`` and ``p_value``. What is not defined is None.
    """
    asked = {str(one): one for one in (metric, *(METRICS[name] for name in ALONGSIDE))}
    there = [
        replace(family, arms={name: what for name, what in family.arms.items() if name in predictions})
        for family in found
        if family.base in predictions
    ]
    return [_compare(family, predictions, known, folds, asked) for family in there if family.arms]


def _compare(
    family: Family, predictions: Mapping[str, Predictions], known: Known, folds: Folds, asked: Mapping[str, Metric]
) -> dict[str, Any]:
    declared = next(iter(asked))
    arms: dict[str, dict[str, Any]] = {}
    for name, what in family.arms.items():
        pairs = _pairs(predictions[name], predictions[family.base], known, folds)
        arms[name] = {"what": what, "differences": {title: _difference(one, pairs, folds) for title, one in asked.items()}}
    adjusted = holm([arm["differences"][declared]["p_value"] for arm in arms.values()])
    for arm, p in zip(arms.values(), adjusted, strict=True):
        arm["p_adjusted"] = p
    greater = {title: one.greater_is_better and one.target is None for title, one in asked.items()}
    best, verdict = _verdict(arms, declared, family.base, greater_is_better=greater[declared])
    return {"base": family.base, "metric": declared, "greater_is_better": greater, "best": best, "verdict": verdict, "arms": arms}


@dataclass(frozen=True)
class _Pair:
    """Predictions of an arm and of its base for the rows of a fold that both predict."""

    known: Known
    arm: Array
    base: Array


def _pairs(arm: Predictions, base: Predictions, known: Known, folds: Folds) -> list[_Pair]:
    pairs = []
    for fold, (one, other) in enumerate(zip(arm.folds, base.folds, strict=True)):
        both = np.isfinite(one) & np.isfinite(other)
        pairs.append(_Pair(known.take(folds.scored_rows(fold)[both]), one[both], other[both]))
    return pairs


def _difference(metric: Metric, pairs: list[_Pair], folds: Folds) -> dict[str, float | None]:
    def by_fold(of: Callable[[_Pair], Array]) -> list[float]:
        scores = [metric.score(pair.known.y, of(pair), pair.known.weights, pair.known.columns) for pair in pairs]
        return scores if metric.target is None else [abs(score - metric.target) for score in scores]

    arm, base = by_fold(lambda pair: pair.arm), by_fold(lambda pair: pair.base)
    tested = paired_fold_test(arm, base, folds_per_repeat=len(folds.repeats[0]))
    means = {"base": _mean(base), "arm": _mean(arm)}
    return {name: value if math.isfinite(value) else None for name, value in {**means, **tested}.items()}


def _mean(scores: list[float]) -> float:
    defined = [score for score in scores if math.isfinite(score)]
    return float(np.mean(defined)) if defined else math.nan


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """P-values adjusted for their number, step by step from the smallest (Holm, 1979); those that are None stay so.

    >>> holm([0.01, 0.04, None, 0.03])
    [0.03, 0.06, None, 0.06]
    """
    order = sorted((p, at) for at, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for rank, (p, at) in enumerate(order):
        largest = max(largest, min(1.0, p * (len(order) - rank)))
        adjusted[at] = largest
    return adjusted


def _verdict(arms: Mapping[str, Any], declared: str, base: str, *, greater_is_better: bool) -> tuple[str | None, str]:
    sign = 1 if greater_is_better else -1
    gains = {name: sign * (arm["differences"][declared]["difference"] or 0.0) for name, arm in arms.items()}
    beyond = [name for name, arm in arms.items() if arm["p_adjusted"] is not None and arm["p_adjusted"] < LEVEL]
    best = max((name for name in beyond if gains[name] > 0), key=gains.__getitem__, default=None)
    worse = [name for name in beyond if gains[name] < 0]
    if all(arm["p_adjusted"] is None for arm in arms.values()):
        return None, "too few folds to tell"
    if best is None:
        harm = f"; beyond chance worse: {', '.join(worse)}" if worse else ""
        return None, f"no arm is better than {base} beyond chance{harm}"
    return best, f"{best} ({arms[best]['what']}) is better than {base} beyond chance"


def arm_lines(arms: Sequence[Mapping[str, Any]]) -> list[str]:
    """What a run says of its arms, a line for each."""
    lines = []
    for family in arms:
        lines.append(f"arms of {family['base']} (minus {family['base']}, 95 % interval over folds): {family['verdict']}")
        for name, arm in family["arms"].items():
            (declared, first), *others = arm["differences"].items()
            beside = "; ".join(f"{title} {_signed(one['difference'])}" for title, one in others)
            p = "n/a" if arm["p_adjusted"] is None else f"{arm['p_adjusted']:.3f}"
            ends = f"{_signed(first['low'])} to {_signed(first['high'])}"
            lines.append(f"  {name}, {arm['what']}: {declared} {_signed(first['difference'])} ({ends}, adjusted p {p}); {beside}")
    return lines


def _signed(value: float | None) -> str:
    return "n/a" if value is None else f"{value:+.5f}"
