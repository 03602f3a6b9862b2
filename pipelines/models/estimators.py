"""scikit-learn's estimators: a table with a row for each kind."""

from __future__ import annotations

import importlib
import inspect
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd

from features.errors import InputError
from pipelines.metrics import Array
from pipelines.models.contract import Training
from pipelines.models.matrix import as_matrix, as_prediction, no_predictions
from pipelines.models.plain import load_estimator, save_estimator


@dataclass(frozen=True)
class Estimator:
    """A kind of model that scikit-learn has: ``module:Class`` for regression and for classification."""

    name: str
    regressor: str | None = None
    classifier: str | None = None
    defaults: dict[str, Any] = field(default_factory=dict)
    is_threaded: bool = False
    """Whether its ``n_jobs`` is used for fitting."""
    is_calibrated: bool = False
    """Whether the classifier gives scores only: its probabilities are fitted by folds inside the training part."""
    allow_missing: bool = False
    is_constant: bool = False
    """Whether it predicts the same for all rows: a baseline."""
    is_long_by_count: bool = False
    """Whether its iterations say how long it trains: that they are used up then is no fault to be warned of."""

    @property
    def distributions(self) -> tuple[str, ...]:
        """scikit-learn."""
        return ("scikit-learn",)

    @property
    def tasks(self) -> tuple[str, ...]:
        """Regression where there is a regressor, binary and multiclass where there is a classifier."""
        return (("regression",) if self.regressor else ()) + (("binary", "multiclass") if self.classifier else ())

    def parameters(self, task: str) -> frozenset[str]:
        """The estimator's constructor parameters, less the seed and the threads, which the framework gives."""
        return frozenset(self._class(task)().get_params()) - {"random_state", "n_jobs", "verbose", "warm_start"}

    def value_faults(self, task: str, params: dict[str, Any]) -> list[str]:
        """What scikit-learn's own parameter check says."""
        from sklearn.utils._param_validation import InvalidParameterError

        try:
            self._class(task)(**self.defaults | params)._validate_params()
        except InvalidParameterError as error:
            return [str(error)]
        return []

    def fit(self, params: dict[str, Any], training: Training) -> FittedEstimator:
        """Fit on a training part, with the framework's seed and threads."""
        from sklearn import config_context

        X = self.matrix(training.X)
        estimator = self._class(training.task)(**self.defaults | params)
        known = estimator.get_params()
        own = {"random_state": training.seed} if "random_state" in known else {}
        if self.is_threaded:
            own["n_jobs"] = training.threads
        estimator.set_params(**own)
        weights = {} if training.weights is None else {"sample_weight": training.weights}
        if self.is_calibrated and training.task != "regression":
            estimator = _with_probabilities(estimator, training, self.name)
        if weights and "sample_weight" not in inspect.signature(estimator.fit).parameters:
            raise InputError(f"Model {self.name!r} takes no weights. Remove 'weights' from it; 'pseudo_labels' need weight: 1 there.")
        # weights of the rows reach each class's own fit by scikit-learn's routing
        with warnings.catch_warnings(), config_context(enable_metadata_routing=bool(weights) and self.is_calibrated):
            if self.is_long_by_count:
                from sklearn.exceptions import ConvergenceWarning

                warnings.simplefilter("ignore", ConvergenceWarning)
            estimator.fit(X, training.y, **weights)
        if self.is_threaded:
            # several threads add up a forest's votes in changing order: the last bits of its predictions would differ
            estimator.set_params(n_jobs=None)
        return FittedEstimator(self, estimator, training.task)

    def matrix(self, X: pd.DataFrame) -> Array:
        """The columns as scikit-learn takes them; none for a constant, which may stand before columns that no estimator takes."""
        if self.is_constant:
            return np.empty((len(X), 0))
        return as_matrix(X, self.name, allow_missing=self.allow_missing, allow_categories=False)[0]

    def load(self, folder: Path, task: str) -> FittedEstimator:
        """The estimator that was saved in a folder."""
        return FittedEstimator(self, load_estimator(folder / "estimator.safetensors"), task)

    def _class(self, task: str) -> Any:
        module, _, name = str(self.regressor if task == "regression" else self.classifier).partition(":")
        return getattr(importlib.import_module(module), name)


def _with_probabilities(estimator: Any, training: Training, name: str) -> Any:
    """Probabilities of scores: Platt's of two classes; of more, the softmax of each class's margin against all others over one temperature.

    Pairwise votes and a sigmoid for each class, which scikit-learn would take, say too little: log loss 0.27 instead of 0.08 on digits,
    0.15 instead of 0.08 on wine, out of fold.
    """
    from sklearn import config_context
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.model_selection import StratifiedKFold
    from sklearn.multiclass import OneVsRestClassifier

    least = int(np.unique(training.y, return_counts=True)[1].min())
    if least < 2:
        raise InputError(f"Model {name!r} needs at least 2 training rows of each class for its probabilities; the smallest has {least}.")
    folds = StratifiedKFold(min(5, least), shuffle=True, random_state=training.seed)
    if training.weights is not None:
        with config_context(enable_metadata_routing=True):
            estimator.set_fit_request(sample_weight=True)
    if training.task == "binary":
        return CalibratedClassifierCV(estimator, ensemble=False, cv=folds)
    return CalibratedClassifierCV(OneVsRestClassifier(estimator), method="temperature", ensemble=False, cv=folds)


@dataclass(frozen=True)
class FittedEstimator:
    """A fitted scikit-learn estimator."""

    kind: Estimator
    estimator: Any
    task: str

    def predict(self, X: pd.DataFrame) -> Array:
        """Values or probabilities."""
        matrix = self.kind.matrix(X)
        if not len(matrix):
            return no_predictions(self.task, lambda: len(self.estimator.classes_))
        raw = self.estimator.predict(matrix) if self.task == "regression" else self.estimator.predict_proba(matrix)
        return as_prediction(raw, self.task)

    def importances(self) -> Array | None:
        """Absolute coefficients, or the mean decrease in impurity."""
        found = getattr(self.estimator, "feature_importances_", None)
        if found is not None:
            return cast(Array, np.asarray(found, dtype=np.float64))
        coefficients = getattr(self.estimator, "coef_", None)
        if coefficients is None or not isinstance(coefficients, np.ndarray):
            return None
        return cast(Array, np.abs(np.atleast_2d(coefficients)).mean(axis=0))

    def facts(self) -> dict[str, Any]:
        """Iterations, where the estimator counts them."""
        rounds = getattr(self.estimator, "n_iter_", None)
        return {} if rounds is None else {"iterations": int(np.max(rounds))}

    def save(self, folder: Path) -> None:
        """One safetensors file."""
        save_estimator(self.estimator, folder / "estimator.safetensors")


_LINEAR, _ENSEMBLE = "sklearn.linear_model", "sklearn.ensemble"

KINDS = (
    Estimator("dummy", "sklearn.dummy:DummyRegressor", "sklearn.dummy:DummyClassifier", is_constant=True),
    Estimator("ridge", f"{_LINEAR}:Ridge"),
    Estimator("lasso", f"{_LINEAR}:Lasso", defaults={"max_iter": 10_000}),
    Estimator("elastic_net", f"{_LINEAR}:ElasticNet", defaults={"max_iter": 10_000}),
    Estimator("bayesian_ridge", f"{_LINEAR}:BayesianRidge"),
    Estimator("quantile_regression", f"{_LINEAR}:QuantileRegressor", defaults={"solver": "highs-ipm"}),
    Estimator("logistic_regression", None, f"{_LINEAR}:LogisticRegression", defaults={"max_iter": 2_000}),
    Estimator("svm", "sklearn.svm:SVR", "sklearn.svm:SVC", is_calibrated=True),
    Estimator("kernel_ridge", "sklearn.kernel_ridge:KernelRidge"),
    Estimator("gaussian_nb", None, "sklearn.naive_bayes:GaussianNB"),
    Estimator("bernoulli_nb", None, "sklearn.naive_bayes:BernoulliNB"),
    Estimator("knn", "sklearn.neighbors:KNeighborsRegressor", "sklearn.neighbors:KNeighborsClassifier"),
    Estimator("decision_tree", "sklearn.tree:DecisionTreeRegressor", "sklearn.tree:DecisionTreeClassifier"),
    Estimator("random_forest", f"{_ENSEMBLE}:RandomForestRegressor", f"{_ENSEMBLE}:RandomForestClassifier", is_threaded=True),
    Estimator("extra_trees", f"{_ENSEMBLE}:ExtraTreesRegressor", f"{_ENSEMBLE}:ExtraTreesClassifier", is_threaded=True),
    Estimator("ada_boost", f"{_ENSEMBLE}:AdaBoostRegressor", f"{_ENSEMBLE}:AdaBoostClassifier"),
    Estimator("gbdt", f"{_ENSEMBLE}:GradientBoostingRegressor", f"{_ENSEMBLE}:GradientBoostingClassifier"),
    Estimator("hist_gbdt", f"{_ENSEMBLE}:HistGradientBoostingRegressor", f"{_ENSEMBLE}:HistGradientBoostingClassifier", allow_missing=True),
    Estimator(
        "mlp",
        "sklearn.neural_network:MLPRegressor",
        "sklearn.neural_network:MLPClassifier",
        defaults={"max_iter": 500, "early_stopping": True},
        is_long_by_count=True,
    ),
)
