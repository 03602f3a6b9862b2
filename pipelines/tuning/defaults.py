"""What is searched for a kind of model when a declaration does not say: one table, which other modules may extend.

Ranges follow those of the libraries' own guides and of published studies of tabular models (Probst, Boulesteix and Bischl,
2019, Tunability; Salinas and Erickson, 2024, TabRepo), with rates and penalties on a log scale. Boosting rounds are in no
space: they are found by an inner cut, as in a run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.models import kinds
from pipelines.tuning.space import Choice, Dimension, Numbers, Space


@dataclass(frozen=True)
class Searched:
    """A range, and the library's own value where a declaration gives none."""

    dimension: Dimension
    default: Any


def _real(low: float, high: float, default: Any, *, log: bool = False) -> Searched:
    return Searched(Numbers(low, high, log), default)


def _whole(low: int, high: int, default: Any, *, log: bool = False) -> Searched:
    return Searched(Numbers(low, high, log, is_whole=True), default)


def _one_of(*options: Any) -> Searched:
    return Searched(Choice(options), options[0])


_FOREST = {
    "max_features": _real(0.1, 1.0, 1.0),
    "min_samples_leaf": _whole(1, 50, 1, log=True),
    "max_depth": _whole(3, 40, 40, log=True),
    "max_leaf_nodes": _whole(16, 4096, 4096, log=True),
}
_SHRINKAGE = {"alpha": _real(1e-4, 1e3, 1.0, log=True)}
_PENALTY = {"alpha": _real(1e-5, 10.0, 1.0, log=True)}

SPACES: dict[str, Mapping[str, Searched]] = {
    "ridge": _SHRINKAGE,
    "quantile_regression": {"alpha": _real(1e-5, 1.0, 1.0, log=True)},
    "kernel_ridge": {
        "alpha": _real(1e-3, 1e2, 1.0, log=True),
        "kernel": _one_of("linear", "rbf"),
        "gamma": _real(1e-4, 1.0, 0.01, log=True),
    },
    "lasso": _PENALTY,
    "elastic_net": {**_PENALTY, "l1_ratio": _real(0.05, 1.0, 0.5)},
    "logistic_regression": {"C": _real(1e-3, 1e2, 1.0, log=True), "class_weight": _one_of(None, "balanced")},
    "svm": {"C": _real(1e-2, 1e3, 1.0, log=True), "gamma": _real(1e-4, 1.0, 0.01, log=True), "epsilon": _real(1e-3, 1.0, 0.1, log=True)},
    "knn": {"n_neighbors": _whole(1, 100, 5, log=True), "weights": _one_of("uniform", "distance"), "p": _one_of(2, 1)},
    "decision_tree": {"max_depth": _whole(2, 30, 30, log=True), "min_samples_leaf": _whole(1, 100, 1, log=True)},
    "random_forest": _FOREST,
    "extra_trees": _FOREST,
    "gbdt": {
        "learning_rate": _real(0.01, 0.3, 0.1, log=True),
        "n_estimators": _whole(50, 500, 100, log=True),
        "max_depth": _whole(2, 8, 3),
        "min_samples_leaf": _whole(1, 100, 1, log=True),
        "subsample": _real(0.4, 1.0, 1.0),
        "max_features": _real(0.1, 1.0, 1.0),
    },
    "hist_gbdt": {
        "learning_rate": _real(0.01, 0.3, 0.1, log=True),
        "max_iter": _whole(50, 1000, 100, log=True),
        "max_leaf_nodes": _whole(4, 127, 31, log=True),
        "min_samples_leaf": _whole(5, 200, 20, log=True),
        "l2_regularization": _real(1e-4, 30.0, 0.0, log=True),
        "max_features": _real(0.2, 1.0, 1.0),
    },
    "mlp": {
        "hidden_layer_sizes": _one_of([100], [64], [256], [128, 64], [256, 128]),
        "alpha": _real(1e-6, 1.0, 1e-4, log=True),
        "learning_rate_init": _real(1e-4, 1e-2, 1e-3, log=True),
        "batch_size": _one_of("auto", 32, 64, 256),
    },
    "realmlp": {
        "lr": _real(0.01, 0.4, 0.04, log=True),
        "hidden_sizes": _one_of([256, 256, 256], [512], [64, 64, 64, 64, 64]),
        "p_drop": _one_of(0.0, 0.15, 0.3),
        "wd": _one_of(0.0, 0.02),
        "ls_eps": _one_of(0.0, 0.1),
    },
    "tabm": {
        "lr": _real(3e-4, 5e-3, 2e-3, log=True),
        "n_blocks": _whole(1, 4, 3),
        "d_block": _one_of(512, 128, 256),
        "dropout": _one_of(0.1, 0.0, 0.3),
        "weight_decay": _real(1e-4, 0.1, 3e-4, log=True),
    },
    "lightgbm": {
        "learning_rate": _real(0.02, 0.2, 0.1, log=True),
        "num_leaves": _whole(4, 255, 31, log=True),
        "min_data_in_leaf": _whole(2, 200, 20, log=True),
        "feature_fraction": _real(0.3, 1.0, 1.0),
        "bagging_freq": _one_of(0, 1),
        "bagging_fraction": _real(0.4, 1.0, 1.0),
        "lambda_l1": _real(1e-4, 10.0, 0.0, log=True),
        "lambda_l2": _real(1e-4, 30.0, 0.0, log=True),
    },
    "xgboost": {
        "learning_rate": _real(0.02, 0.3, 0.3, log=True),
        "max_depth": _whole(2, 10, 6),
        "min_child_weight": _real(0.1, 100.0, 1.0, log=True),
        "subsample": _real(0.4, 1.0, 1.0),
        "colsample_bytree": _real(0.3, 1.0, 1.0),
        "reg_alpha": _real(1e-4, 10.0, 0.0, log=True),
        "reg_lambda": _real(1e-3, 30.0, 1.0, log=True),
    },
    "catboost": {
        "learning_rate": _real(0.02, 0.2, 0.05, log=True),
        "depth": _whole(3, 9, 6),
        "l2_leaf_reg": _real(0.5, 30.0, 3.0, log=True),
        "random_strength": _real(0.1, 10.0, 1.0, log=True),
        "bagging_temperature": _real(0.0, 2.0, 1.0),
    },
}
"""By kind. A module that brings a kind of its own adds a row, or gives the kind an attribute ``searched``."""

_SAME_NAMES = {
    "xgboost": (("learning_rate", "eta"), ("reg_lambda", "lambda"), ("reg_alpha", "alpha"), ("gamma", "min_split_loss")),
    "catboost": (
        ("learning_rate", "eta"),
        ("depth", "max_depth"),
        ("l2_leaf_reg", "reg_lambda"),
        ("random_strength",),
        ("bagging_temperature",),
    ),
}


def default_space(kind: str, task: str) -> Space:
    """The dimensions of a kind's own space that it knows for a task; empty where it has none."""
    allowed = kinds()[kind].parameters(task)
    return {name: searched.dimension for name, searched in _table(kind).items() if name in allowed}


def default_value(kind: str, name: str) -> Any:
    """The library's own value of a parameter, as far as the table knows it; None otherwise."""
    row = _table(kind).get(name) or next((row for other, row in _table(kind).items() if name in same_names(kind, other)), None)
    return None if row is None else row.default


def _table(kind: str) -> Mapping[str, Searched]:
    found: Mapping[str, Searched] = getattr(kinds()[kind], "searched", None) or SPACES.get(kind, {})
    return found


def same_names(kind: str, name: str) -> frozenset[str]:
    """All names by which a library knows a parameter, itself included."""
    if kind == "lightgbm":
        from lightgbm.basic import _ConfigAliases

        for main, aliases in _ConfigAliases._get_all_param_aliases().items():
            if name == main or name in aliases:
                return frozenset({main, *aliases})
    return next((frozenset(group) for group in _SAME_NAMES.get(kind, ()) if name in group), frozenset({name}))


def spelled_as(kind: str, name: str, declared: Mapping[str, Any]) -> str:
    """The name by which a declaration gives a parameter already; the same name where it does not."""
    return next((other for other in declared if other in same_names(kind, name)), name)
