"""What is to be predicted: the task and the metric, told from the target's values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from features.errors import InputError
from pipelines.draft.asked_metric import asked_metric
from pipelines.draft.date_texts import date_format
from pipelines.draft.repairs import is_text
from pipelines.draft.vocabulary import is_id_name, is_time_name
from pipelines.metrics import METRICS, Metric, metric_of
from pipelines.targets import is_heavy_tailed

FEWEST_ROWS = 10
_MOST_INTEGER_CLASSES = 20
_MOST_CLASSES = 1_000
_ROWS_OF_A_CLASS = 5
"""Whole numbers are taken for classes when each of them stands for so many rows in the mean."""
_RARE = 0.03
_RELATIVE = ("rmsle", "rmspe", "mape", "poisson_deviance", "gamma_deviance", "tweedie_deviance")
"""Regression metrics that look at ratios: a model of the logarithm is near what they ask for."""
_LOG_LOSSES = ("log_loss", "normalised_entropy", "rig")
"""Metrics that are the log loss, on one scale or another."""
DEFAULTS = {"binary": "roc_auc", "multiclass": "log_loss", "regression": "rmse"}


@dataclass(frozen=True)
class Goal:
    """Task, metric and transform, each with the reason."""

    target: str
    task: str
    metric: str
    transform: str
    threshold: str | dict[str, Any] | None
    """How probabilities become classes where the metric judges classes and 0.5 is not its best cut."""
    why_task: str
    why_metric: str
    why_transform: str
    counts: pd.Series
    """Rows of each class, the rarest last; empty for regression."""
    on_log: bool = False
    """Whether some of the models are to learn the logarithm of a target that is learnt as it is."""
    metric_params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def quantile(self) -> float | None:
        """The quantile that the metric asks for."""
        return metric_of(self.metric, self.metric_params).quantile

    @property
    def is_pooled(self) -> bool:
        """Whether models are combined by the log loss: it is the metric, or classes are judged, where right and wrong tell weights little.

        On three tables the pool had by 0.0004 to 0.0043 more classes right, out of fold, than weights that were looked for by accuracy.
        """
        metric = metric_of(self.metric, self.metric_params)
        return metric.needs == "labels" or metric.name in _LOG_LOSSES

    @property
    def declared_metric(self) -> str | dict[str, Any]:
        """The metric as a declaration writes it."""
        return {self.metric: dict(self.metric_params)} if self.metric_params else self.metric


def goal_of(y: pd.Series, file: str, metric: str | None) -> Goal:
    """Task, metric and transform for a target without gaps.

    Raises
    ------
    InputError
        When nothing can be learnt from the target, or the metric does not fit it.
    """
    name = str(y.name)
    if len(y) < FEWEST_ROWS:
        raise InputError(
            f"{file} has {len(y)} row(s) with a target {name!r}; at least {FEWEST_ROWS} are needed to fit and to score. Add rows."
        )
    if y.nunique() < 2:
        raise InputError(f"{file}: target {name!r} is {str(y.iloc[0])!r} in every row; there is nothing to learn. Choose another --target.")
    asked = None if metric is None else asked_metric(metric)
    tasks = asked.tasks if asked else ()
    task, why = _of_text(y, file) if is_text(y) or pd.api.types.is_bool_dtype(y.dtype) else _of_numbers(y, file, tasks)
    if tasks and task not in tasks:
        fitting = [one for one in METRICS if task in METRICS[one].tasks]
        raise InputError(
            f"--metric {metric}: it is for {' and '.join(tasks)} tasks, and target {name!r} of {file} makes this a {task} task ({why}). "
            f"Metrics for it: {', '.join(fitting)}."
        )
    counts = pd.Series(dtype="int64") if task == "regression" else y.value_counts()
    if len(counts) and counts.iloc[-1] == 1 and len(counts) == 2:
        raise InputError(
            f"{file}: one of the two classes of target {name!r} has a single row ({counts.index[-1]!r}). At least two of each are needed."
        )
    chosen, why_metric = (asked, "as asked for") if asked else _default_metric(task, counts, y)
    transform, why_transform = _transform(y, task, chosen, file)
    on_log = task == "regression" and transform == "none" and is_heavy_tailed(y.to_numpy(dtype=np.float64))
    if on_log:
        why_transform += "; every other booster its logarithm, because few values are very large"
    threshold = _threshold(task, chosen, counts)
    return Goal(name, task, chosen.name, transform, threshold, why, why_metric, why_transform, counts, on_log, chosen.params)


def _of_text(y: pd.Series, file: str) -> tuple[str, str]:
    name, n_classes = str(y.name), int(y.nunique())
    texts = y.drop_duplicates().astype("str")
    if n_classes > 20 and date_format(texts) is not None:
        raise InputError(
            f"{file}: target {name!r} holds dates such as {texts.iloc[0]!r}. Predict a number or a class: make one from them first."
        )
    if n_classes > max(2, 0.5 * len(y)) or n_classes > _MOST_CLASSES:
        is_prose = texts.head(1_000).str.count(r"\S+").mean() >= 3
        what = "free text" if is_prose else "an identifier"
        raise InputError(
            f"{file}: target {name!r} has {n_classes} different texts in {len(y)} rows, such as {texts.iloc[0][:60]!r}: it looks like {what}. "
            "Choose another --target; a class must come again and again."
        )
    return ("binary", "two classes") if n_classes == 2 else ("multiclass", f"{n_classes} classes of text")


def _of_numbers(y: pd.Series, file: str, tasks: tuple[str, ...]) -> tuple[str, str]:
    name = str(y.name)
    if pd.api.types.is_datetime64_any_dtype(y.dtype):
        raise InputError(f"{file}: target {name!r} holds dates. Predict a number or a class: make one from them first.")
    values = y.to_numpy(dtype=np.float64)
    if not np.isfinite(values).all():
        raise InputError(
            f"{file}: target {name!r} holds infinite values in {int((~np.isfinite(values)).sum())} rows. Correct or remove them."
        )
    n_values, is_whole = int(y.nunique()), bool((values == np.floor(values)).all())
    is_run = n_values == len(y) and is_whole and values.max() - values.min() == len(y) - 1
    if is_run and (is_id_name(name) or is_time_name(name) or len(y) >= 50):
        raise InputError(
            f"{file}: target {name!r} numbers the rows ({values.min():.0f} to {values.max():.0f}, each once): an identifier. Choose another --target."
        )
    if tasks == ("regression",):
        return "regression", "the metric is one for numbers"
    if n_values == 2:
        return "binary", "two values"
    if tasks and is_whole and n_values <= _MOST_CLASSES and len(y) >= 2 * n_values:
        return "multiclass", "the metric is one for classes"
    if is_whole and n_values <= _MOST_INTEGER_CLASSES and len(y) >= _ROWS_OF_A_CLASS * n_values:
        return "multiclass", f"{n_values} whole numbers; for amounts rather than classes, write regression and rmse"
    return "regression", f"{n_values} different numbers"


def _default_metric(task: str, counts: pd.Series, y: pd.Series) -> tuple[Metric, str]:
    if task == "binary":
        rate = float((y == np.sort(counts.index.to_numpy())[1]).mean())
        if rate < _RARE:
            return METRICS["average_precision"], f"the default where positives are rare ({rate:.2%})"
    return METRICS[DEFAULTS[task]], f"the default for {task}"


def _transform(y: pd.Series, task: str, metric: Metric, file: str) -> tuple[str, str]:
    if task != "regression":
        return "none", ""
    values = y.to_numpy(dtype=np.float64)
    metric.check(values)
    if metric.name in _RELATIVE and values.min() >= 0:
        return "log1p", f"{metric.name} looks at ratios: models learn the logarithm"
    return "none", f"{metric.name} looks at differences: models learn the target as it is"


def _threshold(task: str, metric: Metric, counts: pd.Series) -> str | dict[str, Any] | None:
    if task == "multiclass":
        # a decision two classes off costs more than one
        return "ordinal_cuts" if metric.name == "quadratic_weighted_kappa" else None
    if task != "binary":
        return None
    if metric.name == "cost":
        return {"cost": dict(metric.params)}
    if metric.name == "balanced_accuracy":
        negatives, positives = counts.sort_index()
        return {"cost": {"false_positive": 1, "false_negative": round(float(negatives / positives), 6)}}
    return "f1" if metric.name in ("f1", "mcc") else None


def classes_text(goal: Goal) -> str:
    """The classes with their shares, for people."""
    shares = goal.counts / goal.counts.sum()
    shown = ", ".join(f"{level!r} {share:.1%}" for level, share in shares.head(6).items())
    return shown + (f" ... ({len(shares)} classes)" if len(shares) > 6 else "")
