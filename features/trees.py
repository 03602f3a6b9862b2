"""One decision tree as plain arrays: grown by scikit-learn, walked without it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.numbers import Numbers

Tree = dict[str, NDArray[Any]]


def grow(rows: Numbers, target: Numbers, *, is_classes: bool, max_leaves: int, min_rows: int) -> Tree:
    """A tree of ``rows`` (n_rows, n_columns; NaN for missing) for ``target``, as arrays over its nodes.

    ``value`` is what a node predicts: the mean, or the most frequent class.
    """
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    kind = DecisionTreeClassifier if is_classes else DecisionTreeRegressor
    fitted = kind(max_leaf_nodes=max_leaves, min_samples_leaf=min_rows, random_state=0).fit(rows, target)
    tree = fitted.tree_
    found = tree.value[:, 0, :]
    return {
        "left": np.array(tree.children_left),
        "right": np.array(tree.children_right),
        "column": np.array(tree.feature),
        "threshold": np.array(tree.threshold),
        "missing_left": np.array(tree.missing_go_to_left, dtype=bool),
        "value": fitted.classes_[found.argmax(axis=1)] if is_classes else found[:, 0].copy(),
    }


def walk(tree: Tree, rows: Numbers) -> Numbers:
    """What the tree predicts for each row; missing goes the way the tree learnt for it, or that of most training rows."""
    at = np.zeros(len(rows), dtype=np.int64)
    # scikit-learn compares in single precision
    values = rows.astype(np.float32)
    while True:
        inner = np.flatnonzero(tree["left"][at] >= 0)
        if len(inner) == 0:
            return np.asarray(tree["value"][at], dtype=np.float64)
        node = at[inner]
        value = values[inner, tree["column"][node]]
        goes_left = np.where(np.isnan(value), tree["missing_left"][node], value <= tree["threshold"][node])
        at[inner] = np.where(goes_left, tree["left"][node], tree["right"][node])
