"""An ordered portfolio of diverse configurations: what a drafted declaration starts with, and what a time budget goes on with.

Ideas behind the order: first one quick model of each family, because an ensemble gains most from models that err in
different ways; then variants of boosting, the strongest family on tables. That a fixed list which was chosen beforehand
beats a search of equal length is a finding of Feurer et al. (2022, Auto-sklearn 2.0) and Salinas and Erickson (2024,
TabRepo). ``benchmarks/shootout.py`` measures it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from pipelines.quantiles import QUANTILE_LOSSES

LINEAR, SCALED, TREES, NATIVE = "linear", "scaled", "trees", "native"
"""Views: numbers for models that add up columns; numbers that keep their order, on one scale, for networks and distances; numbers
without gaps for trees; categories and gaps as they are."""
_STAND_INS = {SCALED: LINEAR, NATIVE: TREES}


@dataclass(frozen=True)
class Configuration:
    """One model of the portfolio, as a declaration would name it."""

    name: str
    kind: str
    view: str
    """Empty for a layer that sees predictions alone."""
    params: dict[str, Any] = field(default_factory=dict)
    keys: dict[str, Any] = field(default_factory=dict)
    tasks: tuple[str, ...] = ("regression", "binary", "multiclass")
    min_rows: int = 0
    """Below this many rows another configuration of its name is the better one."""
    max_rows: int | None = None
    """Above this many rows its time or memory grows too fast."""
    max_cells: int | None = None
    """Rows times columns of its view above which it is left out."""

    @property
    def declared(self) -> dict[str, Any]:
        """Its entry under ``models``."""
        return {self.kind: dict(self.params), **({"view": self.view} if self.view else {}), **self.keys}

    def fits(self, task: str, n_rows: int, n_columns: int) -> bool:
        """Whether it is for this task and size, and its library is installed."""
        from pipelines.models import missing

        return (
            task in self.tasks
            and not missing(self.kind)
            and n_rows >= self.min_rows
            and (self.max_rows is None or n_rows <= self.max_rows)
            and (self.max_cells is None or n_rows * n_columns <= self.max_cells)
        )


_CLASSES = ("binary", "multiclass")
_BOOSTERS = ("lightgbm", "xgboost", "catboost")
_FEW_ROWS = 5_000
"""Up to here a network takes small steps through the rows many times."""


def _both(one: Configuration) -> tuple[Configuration, Configuration]:
    """A configuration for classes, and for numbers with its target scaled."""
    return replace(one, tasks=_CLASSES), replace(one, tasks=("regression",), keys={**one.keys, "scale_target": True})


def _network(name: str, hidden: list[int], seeds: int = 1, **params: Any) -> Configuration:
    """A network that is not stopped early: a tenth of few rows tells too little, and scikit-learn would look at accuracy."""
    return Configuration(name, "mlp", SCALED, {"hidden_layer_sizes": hidden, "early_stopping": False, **params}, {"seeds": seeds})


_FOREST = {"n_estimators": 200, "min_samples_leaf": 2, "max_features": "sqrt"}
_FOREST_REGRESSION = {"n_estimators": 200, "min_samples_leaf": 2, "max_features": 0.6}
_SMALL = _network("mlp", [64], 2, activation="tanh", alpha=0.1, batch_size=32, learning_rate_init=0.002, max_iter=60, n_iter_no_change=60)
_LARGE = _network("mlp", [128, 64], alpha=0.01, batch_size=128, max_iter=15, n_iter_no_change=15)
_LBFGS = _network("mlp_lbfgs", [50], solver="lbfgs", max_iter=300)

PORTFOLIO: tuple[Configuration, ...] = (
    Configuration("ridge", "ridge", LINEAR, {"alpha": 10.0}, tasks=("regression",)),
    Configuration("logistic", "logistic_regression", LINEAR, {"C": 0.3, "max_iter": 500}, tasks=_CLASSES, max_cells=100_000_000),
    Configuration("lgb", "lightgbm", NATIVE, {"learning_rate": 0.05, "num_leaves": 31, "feature_fraction": 0.8, "lambda_l2": 1}),
    *_both(replace(_SMALL, max_rows=_FEW_ROWS)),
    *_both(replace(_LARGE, min_rows=_FEW_ROWS + 1, max_rows=100_000)),
    *_both(Configuration("svm", "svm", SCALED, {"C": 1.0}, max_rows=4_000)),
    Configuration("cat", "catboost", NATIVE, {"learning_rate": 0.06, "depth": 6, "max_ctr_complexity": 1}, {"max_rounds": 2000}),
    Configuration("extra_trees", "extra_trees", TREES, _FOREST, tasks=_CLASSES, max_rows=200_000),
    Configuration("extra_trees", "extra_trees", TREES, _FOREST_REGRESSION, tasks=("regression",), max_rows=200_000),
    Configuration(
        "xgb", "xgboost", TREES, {"learning_rate": 0.05, "max_depth": 6, "subsample": 0.8, "colsample_bytree": 0.6, "min_child_weight": 2}
    ),
    Configuration(
        "lgb_random", "lightgbm", NATIVE, {"learning_rate": 0.03, "num_leaves": 15, "extra_trees": True, "feature_fraction": 0.6}
    ),
    # needs the extra torch; scales its target itself. On one core, 2 s for 1,000 rows x 50, 30 s for 10,000, 160 s for 50,000
    Configuration("realmlp", "realmlp", LINEAR, {"n_epochs": 32, "stop_epoch": 32}, tasks=_CLASSES, max_rows=20_000),
    Configuration("realmlp", "realmlp", LINEAR, {"n_epochs": 64, "stop_epoch": 64}, tasks=("regression",), max_rows=20_000),
    *_both(replace(_LBFGS, params={**_LBFGS.params, "activation": "tanh", "alpha": 10.0}, max_rows=_FEW_ROWS)),
    *_both(replace(_LBFGS, params={**_LBFGS.params, "alpha": 3.0}, min_rows=_FEW_ROWS + 1, max_rows=20_000)),
    Configuration(
        "lgb_small",
        "lightgbm",
        NATIVE,
        {"learning_rate": 0.03, "num_leaves": 7, "feature_fraction": 0.5, "bagging_fraction": 0.7, "bagging_freq": 1, "lambda_l2": 3},
    ),
    Configuration(
        "cat_shallow",
        "catboost",
        NATIVE,
        {"learning_rate": 0.06, "depth": 4, "l2_leaf_reg": 5, "max_ctr_complexity": 2},
        {"max_rounds": 2000},
    ),
    replace(_LBFGS, name="mlp_sharp", params={**_LBFGS.params, "alpha": 1.0}, tasks=_CLASSES, max_rows=_FEW_ROWS),
    Configuration("forest", "random_forest", TREES, _FOREST, tasks=_CLASSES, max_rows=200_000),
    Configuration("forest", "random_forest", TREES, _FOREST_REGRESSION, tasks=("regression",), max_rows=200_000),
    Configuration("knn", "knn", SCALED, {"n_neighbors": 20, "weights": "distance"}, max_rows=20_000),
    Configuration(
        "xgb_shallow", "xgboost", TREES, {"learning_rate": 0.05, "max_depth": 3, "subsample": 0.7, "colsample_bytree": 0.4, "reg_lambda": 5}
    ),
    Configuration(
        "lgb_trees",
        "lightgbm",
        TREES,
        {"learning_rate": 0.04, "num_leaves": 20, "feature_fraction": 0.4, "min_data_in_leaf": 30, "path_smooth": 1},
    ),
    Configuration("cat_deep", "catboost", NATIVE, {"learning_rate": 0.06, "depth": 8, "random_strength": 2}, {"max_rounds": 2000}),
    Configuration(
        "lgb_large",
        "lightgbm",
        NATIVE,
        {"learning_rate": 0.03, "num_leaves": 127, "min_data_in_leaf": 5, "feature_fraction": 0.7, "lambda_l1": 0.5},
    ),
    Configuration(
        "xgb_random",
        "xgboost",
        TREES,
        {"learning_rate": 0.08, "max_depth": 8, "subsample": 0.6, "colsample_bynode": 0.3, "min_child_weight": 5, "reg_alpha": 0.5},
    ),
)


LAYERS: tuple[Configuration, ...] = (
    Configuration("top_linear", "logistic_regression", "", {"C": 0.1, "max_iter": 500}, {"passthrough": False}, tasks=_CLASSES),
    Configuration("top_linear", "ridge", "", {"alpha": 10.0}, {"passthrough": False}, tasks=("regression",)),
    Configuration("top_lgb", "lightgbm", NATIVE, {"learning_rate": 0.05, "num_leaves": 15, "feature_fraction": 0.6, "lambda_l2": 1}),
    Configuration("top_forest", "random_forest", TREES, _FOREST, tasks=_CLASSES, max_rows=200_000),
    Configuration("top_forest", "random_forest", TREES, _FOREST_REGRESSION, tasks=("regression",), max_rows=200_000),
    Configuration("top_extra_trees", "extra_trees", TREES, _FOREST, tasks=_CLASSES, max_rows=200_000),
    Configuration("top_extra_trees", "extra_trees", TREES, _FOREST_REGRESSION, tasks=("regression",), max_rows=200_000),
)
"""Second layers, the fast ones first: what they stand on is said where they are declared."""


QUANTILE_PORTFOLIO: tuple[Configuration, ...] = (
    # a linear program: 2 s for 5,000 rows x 50 columns, and more than in proportion beyond
    Configuration(
        "linear_quantile",
        "quantile_regression",
        LINEAR,
        {"alpha": 0.001},
        {"scale_target": True},
        tasks=("regression",),
        max_rows=5_000,
        max_cells=1_000_000,
    ),
    *(one for one in PORTFOLIO if one.kind in QUANTILE_LOSSES),
)
"""For a metric that asks for a quantile: the portfolio without what can only learn a mean."""


def configurations(task: str, n_rows: int, n_columns: int, *, on_log: bool = False, of_quantile: bool = False) -> list[Configuration]:
    """The portfolio for a task and a size, in its order, less what needs an extra that is not installed.

    Parameters
    ----------
    n_rows, n_columns
        Rows to fit on, and columns of the widest view.
    on_log
        Let every other configuration of each kind of booster learn the logarithm of the target: for heavy tails, where the two err in
        different ways. Forests lose by it (their trees' means of logarithms are too low; worse on all five tables tried), and linear
        models and networks would carry a row far from all others to the exponential of a large number.
    of_quantile
        Only kinds that learn a quantile, for a metric that asks for one.
    """
    fitting = [_steadied(one, task) for one in (QUANTILE_PORTFOLIO if of_quantile else PORTFOLIO) if one.fits(task, n_rows, n_columns)]
    logged = [name for kind in _BOOSTERS for name in [one.name for one in fitting if one.kind == kind][::2]] if on_log else []
    return [replace(one, keys={**one.keys, "transform": "log1p"}) if one.name in logged else one for one in fitting]


def layers(task: str, n_rows: int, *, of_quantile: bool = False) -> list[Configuration]:
    """The second layers for a task and a size, in their order; for a quantile those that learn one."""
    return [_steadied(one, task) for one in LAYERS if one.fits(task, n_rows, 1) and (not of_quantile or one.kind in QUANTILE_LOSSES)]


def _steadied(one: Configuration, task: str) -> Configuration:
    """A configuration whose leaves hold some doubt: with few rows of class 1, LightGBM's own limit lets single rows make large steps.

    With its own limit of a thousandth the average precision of frauds was 0.868 out of fold, with 1, as XGBoost has it, 0.893 (8,000 rows).
    """
    if task != "binary" or one.kind != "lightgbm":
        return one
    return replace(one, params={**one.params, "min_sum_hessian_in_leaf": 1.0})


def view_among(view: str, views: Collection[str]) -> str:
    """A view of the portfolio, or the one that stands in for it where it is not among the declared ones."""
    return view if view in views else _STAND_INS.get(view, view)


def starting_models(
    task: str, n_rows: int, n_columns: int, *, on_log: bool = False, of_quantile: bool = False, count: int = 8
) -> dict[str, dict[str, Any]]:
    """The ``models`` of a drafted declaration: the first of the portfolio."""
    return as_declared(configurations(task, n_rows, n_columns, on_log=on_log, of_quantile=of_quantile)[:count])


def as_declared(chosen: Iterable[Configuration]) -> dict[str, dict[str, Any]]:
    """Configurations as the ``models`` of a declaration."""
    return {one.name: one.declared for one in chosen}
