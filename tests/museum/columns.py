"""Columns that hold the target or are known only after it, and strong, gappy or odd columns that are right."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipelines.audit import absent, too_good

from .exhibit import Exhibit


def _adds(**columns):
    """Adds columns; each is a function of the table and a generator."""
    return lambda table, rng: table.assign(**{name: make(table, rng) for name, make in columns.items()})


def _code(table, rng):
    bins = pd.qcut(table["y"], 30, labels=False)
    return pd.Series([f"x{value:03d}" for value in rng.permutation(999)[:30]])[bins].to_numpy()


def _class_code(table, rng):
    return table["y"].map({"a": 7, "b": 2, "c": 5}) + rng.choice([0, 10, 20], len(table))


def _when_sold(table, rng):
    return pd.Series(rng.normal(50.0, 5.0, len(table))).where(table["y"] == 1)


def _partly(table, rng, other):
    """Values for six in ten of the sold houses of train, ``other`` everywhere else."""
    is_known = (table["y"] == 1) & ~table["is_test"] & (rng.random(len(table)) < 0.6)
    return pd.Series(rng.normal(50.0, 5.0, len(table))).where(is_known, other)


def _gaps(share_train, share_test, of=lambda table: True):
    """A column with gaps, which may be more in test and may hang on the rows."""
    return lambda table, rng: pd.Series(rng.normal(size=len(table))).mask(
        (rng.random(len(table)) < np.where(table["is_test"], share_test, share_train)) & of(table)
    )


_FILLED = {"features": [{"missing_indicator": {"columns": ["late"]}}, {"fill": {"columns": ["late"], "value": 0}}]}

PLANTED = [
    Exhibit("a copy of the target", too_good.check, change=_adds(late=lambda t, r: t["y"])),
    Exhibit(
        "a copy of the target with noise",
        too_good.check,
        change=_adds(late=lambda t, r: t["y"] + r.normal(0.0, 0.08 * t["y"].std(), len(t))),
    ),
    Exhibit("the target in another currency", too_good.check, change=_adds(late=lambda t, r: np.log(t["y"]).round(3))),
    Exhibit("a code for each step of the target", too_good.check, change=_adds(late=_code)),
    Exhibit(
        "a code whose last digit is the class", too_good.check, task="multiclass", change=_adds(late=lambda t, r: _class_code(t, r) % 10)
    ),
    Exhibit(
        "a code with more digits than the class",
        too_good.check,
        task="multiclass",
        change=_adds(late=lambda t, r: _class_code(t, r).astype(str) + "-"),
    ),
    Exhibit("filled only where the target is 1", too_good.check, task="binary", change=_adds(late=_when_sold), declared=_FILLED),
    Exhibit(
        "two columns that add up to the target",
        too_good.check,
        change=lambda t, r: t.assign(tax=t["y"] * r.uniform(0.2, 0.8, len(t))).assign(net=lambda t: t["y"] - t["tax"]),
        declared={"features": [{"derive": {"gross": "net + tax"}}]},
    ),
    Exhibit("an undeclared number of rows sorted by the target", too_good.check, change=_adds(late=lambda t, r: t["y"].rank())),
    Exhibit(
        "filled for some of the sold, never in test",
        absent.check,
        task="binary",
        change=_adds(late=lambda t, r: _partly(t, r, np.nan)),
        declared=_FILLED,
    ),
    Exhibit(
        "other than zero for some of the sold, never in test",
        absent.check,
        task="binary",
        change=_adds(late=lambda t, r: _partly(t, r, 0.0)),
    ),
    Exhibit("a column that is empty in test", absent.check, change=_adds(late=_gaps(0.0, 1.0)), declared=_FILLED),
    Exhibit(
        "filled where the target is high, and rarely in test",
        absent.check,
        change=_adds(late=lambda t, r: _gaps(0.5, 0.95, lambda t: (t["y"] < t["y"].median()) | t["is_test"])(t, r)),
        declared=_FILLED,
    ),
]

CLEAN = [
    Exhibit(
        "a strong column, nine tenths of the target", change=_adds(valued=lambda t, r: t["y"] + r.normal(0.0, 0.33 * t["y"].std(), len(t)))
    ),
    Exhibit(
        "a strong text column",
        change=_adds(band=lambda t, r: pd.cut(t["y"] + r.normal(0.0, 40.0, len(t)), 8, labels=list("hbdacgef")).astype(str)),
    ),
    Exhibit("a copy of the target that is dropped", change=_adds(late=lambda t, r: t["y"]), declared={"features": [{"drop": ["late"]}]}),
    Exhibit(
        "a column without a value in test that is filled and dropped",
        change=_adds(late=_gaps(0.0, 1.0)),
        declared={"clean": [{"fill": {"columns": ["late", "age"], "value": 0}}], "features": [{"drop": ["late"]}]},
    ),
    Exhibit("a constant column", change=_adds(same=lambda t, r: 1.0)),
    Exhibit(
        "a rare flag that test happens not to have",
        change=_adds(pool=lambda t, r: ((np.arange(len(t)) % 100 == 3) & ~t["is_test"]).astype(int)),
    ),
    Exhibit("a few more gaps in test", change=_adds(late=_gaps(0.1, 0.25)), declared=_FILLED),
    Exhibit(
        "gaps that say something, in test as in train",
        change=_adds(late=_gaps(0.5, 0.5, lambda t: t["y"] < t["y"].median())),
        declared=_FILLED,
    ),
    Exhibit("almost empty in both files", change=_adds(late=_gaps(0.97, 0.97)), declared=_FILLED),
    Exhibit(
        "a text of its own for each row",
        change=_adds(name=lambda t, r: [f"n{v}" for v in r.permutation(len(t))]),
        declared={"clean": [{"drop": ["name"]}]},
    ),
    Exhibit("several classes", task="multiclass"),
    Exhibit("a class that is rare", task="binary", change=lambda t, r: t.assign(y=((t["y"] == 1) & (t["age"] < 12)).astype(int))),
    Exhibit(
        "a target on a log scale",
        change=lambda t, r: t.assign(y=np.exp(t["y"] / 100)),
        declared={"target": {"transform": "log1p"}, "metric": "rmsle", "features": [{"derive": {"size": "log(area) * rooms"}}]},
    ),
]
