"""Rows that know each other or stand in an order that says something, and files that only look like it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipelines.audit import order
from pipelines.audit.rows import check_duplicates, check_groups

from .exhibit import Exhibit


def _sorted(by):
    """Train sorted by a column; ids as they are."""

    def change(table, rng):
        train, test = table[~table["is_test"]], table[table["is_test"]]
        return pd.concat([train.sort_values(by), test], ignore_index=True)

    return change


def _copies(share_train, share_test, of=None, **columns):
    """Overwrites some rows of train, and of test, by copies of train rows (all but the id)."""

    def change(table, rng):
        train = np.flatnonzero(~table["is_test"])
        source = train if of is None else np.flatnonzero(~table["is_test"] & of(table))
        into = np.flatnonzero(rng.random(len(table)) < np.where(table["is_test"], share_test, share_train))
        copy = table.copy()
        source = np.setdiff1d(source, into)
        copy["home"] = np.arange(len(table))
        what = [name for name in copy.columns if name not in ("Id", "is_test")]
        copy.loc[into, what] = copy.loc[rng.choice(source, len(into)), what].to_numpy()
        copy = copy.astype({"y": table["y"].dtype, "rooms": int, "area": float, "age": float, "home": int})
        return copy if columns.get("keep") else copy.drop(columns="home")

    return change


def _groups(share_in_test, *, is_number=False):
    """Owners with one kind of house each; test has owners of its own, or the same ones."""

    def change(table, rng):
        owner = rng.integers(0, 50, len(table)) + np.where(table["is_test"] & (rng.random(len(table)) > share_in_test), 100, 0)
        level = rng.normal(0.0, 1.0, 200)[owner]
        name = owner if is_number else [f"owner {value}" for value in owner]
        y = level * 300 + table["area"] if table["y"].nunique() > 2 else (level > 0).astype(int)
        return table.assign(owner=name, y=y)

    return change


def _few_values(table, rng):
    """Three columns of few values: most rows are like another one."""
    is_dear = table["rooms"] + 3 * table["street"].isin(["Elm", "Oak"]) > 4
    return table[["Id", "is_test", "rooms", "street"]].assign(y=is_dear.astype(int))


def _shuffled_ids(table, rng):
    return table.assign(Id=[f"house-{value:05d}" for value in rng.permutation(len(table))])


_BY_OWNER = {
    "split": {"group": {"column": "owner", "folds": 3}},
    "views": {"plain": [{"drop": ["owner"]}, "one_hot", {"scale": "standard"}]},
}
_BY_HOME = {"split": {"group": {"column": "home", "folds": 3}}, "features": [{"drop": ["home"]}]}

PLANTED = [
    Exhibit("a file sorted by the target", order.check, change=_sorted("y")),
    Exhibit("a file with one class after the other, in no order", order.check, task="multiclass", change=_sorted("y")),
    Exhibit(
        "an id that was given after the target was known",
        order.check,
        change=lambda t, r: t.assign(Id=t["y"].rank(method="first").astype(int)),
    ),
    Exhibit(
        "an id that begins with the class",
        order.check,
        task="binary",
        change=lambda t, r: t.assign(Id=[f"{'PR'[y]}{k:04d}" for k, y in enumerate(t["y"])]),
    ),
    Exhibit("copied rows on both sides of a fold", check_duplicates, change=_copies(0.3, 0.0)),
    Exhibit(
        "a class sampled up before the folds were drawn",
        check_duplicates,
        task="binary",
        change=_copies(0.4, 0.0, of=lambda t: t["y"] == 1),
    ),
    Exhibit("copied rows and no test file", check_duplicates, task="binary", change=_copies(0.3, 0.0), n_test=0),
    Exhibit("owners torn apart by folds, and other owners in test", check_groups, change=_groups(0.0)),
    Exhibit("numbered owners of one class each", check_groups, task="binary", change=_groups(0.0, is_number=True)),
]

CLEAN = [
    Exhibit("folds in the order of a file that has none", declared={"split": {"kfold": {"folds": 3, "shuffle": False}}}),
    Exhibit("a file sorted by a column that says nothing of the target", change=_sorted("Id")),
    Exhibit("text ids that say nothing", change=_shuffled_ids),
    Exhibit("copied rows, in test as in train", change=_copies(0.3, 0.3)),
    Exhibit("copied rows that stay together", change=_copies(0.3, 0.0, keep=True), declared=_BY_HOME),
    Exhibit("few values, so that most rows have a twin, and no test file", task="binary", change=_few_values, n_test=0),
    Exhibit("owners kept together", change=_groups(0.0), declared=_BY_OWNER),
    Exhibit("owners that test has too", change=_groups(1.0), declared={"views": _BY_OWNER["views"]}),
    Exhibit("three repeats of folds", task="binary", declared={"split": {"stratified": {"folds": 3, "repeats": 3, "seed": 4}}}),
    Exhibit("rows left out of fits and rows not scored", declared={"rows": {"not_in_fit": ["area > 130"], "not_scored": ["rooms == 7"]}}),
]
