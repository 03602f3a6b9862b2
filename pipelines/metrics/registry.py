"""Every metric by its name in a declaration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from features.errors import InputError, closest
from pipelines.metrics.alerts import card_precision
from pipelines.metrics.decisions import (
    accuracy,
    balanced_accuracy,
    cost,
    f1,
    matthews,
    of_confusion,
    precision,
    quadratic_weighted_kappa,
    recall,
)
from pipelines.metrics.deviations import (
    explained,
    gamma_deviance,
    mean_absolute,
    mean_absolute_share,
    mean_pinball_loss,
    median_absolute,
    pinball,
    poisson_deviance,
    root_mean_square,
    root_mean_square_log,
    root_mean_square_share,
    tweedie_deviance,
)
from pipelines.metrics.grouped import gauc
from pipelines.metrics.metric import BINARY, CLASSIFICATION, REGRESSION, Metric
from pipelines.metrics.ordering import (
    average_precision,
    gini,
    kolmogorov_smirnov,
    mean_area,
    of_curve,
    precision_at_recall,
    recall_at_precision,
)
from pipelines.metrics.probabilities import brier, calibration_ratio, ece, log_loss, normalised_entropy, relative_information_gain
from pipelines.metrics.shares import gain, lift

METRIC_FACTORIES: dict[str, Callable[..., Metric]] = {
    factory.__name__: factory
    for factory in (
        mean_pinball_loss,
        pinball,
        tweedie_deviance,
        cost,
        recall_at_precision,
        precision_at_recall,
        lift,
        gain,
        ece,
        gauc,
        card_precision,
    )
}
"""Metrics with parameters; the signature says which, and an example stands beside each that has no default."""

METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("rmse", root_mean_square, False, "values", REGRESSION),
        Metric("rmsle", root_mean_square_log, False, "values", REGRESSION, least=0.0),
        Metric("mae", mean_absolute, False, "values", REGRESSION),
        Metric("medae", median_absolute, False, "values", REGRESSION),
        Metric("mape", mean_absolute_share, False, "values", REGRESSION),
        Metric("rmspe", root_mean_square_share, False, "values", REGRESSION),
        Metric("wmae", mean_absolute, False, "values", REGRESSION),
        Metric("r2", explained, True, "values", REGRESSION),
        poisson_deviance,
        gamma_deviance,
        tweedie_deviance(),
        Metric("accuracy", of_confusion(accuracy), True, "labels", CLASSIFICATION),
        Metric("balanced_accuracy", of_confusion(balanced_accuracy), True, "labels", CLASSIFICATION),
        Metric("precision", of_confusion(precision), True, "labels", CLASSIFICATION),
        Metric("recall", of_confusion(recall), True, "labels", CLASSIFICATION),
        Metric("f1", of_confusion(f1), True, "labels", CLASSIFICATION),
        Metric("mcc", of_confusion(matthews), True, "labels", CLASSIFICATION),
        Metric("quadratic_weighted_kappa", of_confusion(quadratic_weighted_kappa), True, "labels", CLASSIFICATION),
        Metric("roc_auc", mean_area, True, "probabilities", CLASSIFICATION),
        Metric("gini", of_curve(gini), True, "probabilities", BINARY),
        Metric("ks", of_curve(kolmogorov_smirnov), True, "probabilities", BINARY),
        Metric("average_precision", of_curve(average_precision), True, "probabilities", BINARY),
        lift(),
        gain(),
        Metric("log_loss", log_loss, False, "probabilities", CLASSIFICATION),
        Metric("brier", brier, False, "probabilities", BINARY),
        Metric("normalised_entropy", normalised_entropy, False, "probabilities", BINARY),
        Metric("rig", relative_information_gain, True, "probabilities", BINARY),
        Metric("calibration_ratio", calibration_ratio, False, "probabilities", BINARY, target=1.0),
        ece(),
    )
}
"""Metrics that can be named alone: those without parameters, and those whose parameters all have defaults."""


def metric_of(name: str, params: Mapping[str, Any] | None = None) -> Metric:
    """The metric that a declaration names, ``name`` or ``name: {parameters}``.

    >>> str(metric_of("lift", {"share": 0.05}))
    'lift (share 0.05)'

    Raises
    ------
    InputError
        When there is no such metric, or when its parameters are wrong.
    """
    known = {*METRICS, *METRIC_FACTORIES}
    if name not in known:
        raise InputError(f"no metric {name!r}; there are {', '.join(sorted(known))}.{closest(name, known)}")
    if name in METRICS and not params:
        return METRICS[name]
    if name not in METRIC_FACTORIES:
        raise InputError(f"metric {name!r} takes no parameters, found {', '.join(map(repr, params or ()))}. Write 'metric: {name}'.")
    return _built(name, params or {})


def _built(name: str, params: Mapping[str, Any]) -> Metric:
    # here, because most of those who import a metric have no declaration
    from pipelines.declaration import Fault
    from pipelines.parameters import check, table_of

    faults = list[Fault]()
    checked = check(table_of(METRIC_FACTORIES[name]), params, (name,), faults)
    if checked is None:
        raise InputError("; ".join(f"metric {'.'.join(map(str, fault.where))!r}: {fault.message}" for fault in faults))
    given = checked.model_dump()
    return replace(METRIC_FACTORIES[name](**given), params=given)
