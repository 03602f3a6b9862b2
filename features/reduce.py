"""Many numeric columns as few: principal components and clusters."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from features.columns import Selection
from features.design import by_label, learn_scales, on_one_scale, refuse_too_few
from features.errors import InputError
from features.numbers import Numbers
from features.step import Learns, Step

_NOISE = 1e-10
"""A direction along which rows vary by less than this share of the strongest one is rounding."""


class Pca(Step):
    """Make principal components of numeric columns: ``<into>__0``, ``<into>__1`` and so on, the strongest first.

    Columns are centred and, with ``standardise``, divided by their standard deviation; missing counts as the mean. Where
    the training rows vary in fewer directions than asked for, the last components are 0.

    Parameters
    ----------
    columns
        The columns to reduce.
    components
        How many components; or, below 1, which share of the variance they must explain together, which may give another
        number of columns in every fold.
    standardise
        Give every column the same weight.
    replace
        Drop the source columns.
    into
        What the new columns' names begin with.

    Examples
    --------
    >>> X = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [2.0, 4.0, 6.0]})
    >>> Pca(components=1).fit(X).write(X)["pca__0"].round(3).tolist()
    [-1.732, 0.0, 1.732]
    """

    learns = Learns.ROWS
    accepts = ("numeric",)
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"components": 2},
        {"components": 0.9, "replace": True, "into": "component"},
        {"columns": ["LotFrontage", "Slope"], "components": 3, "standardise": False},
    )

    def __init__(
        self,
        columns: Selection = "numeric",
        *,
        components: int | float = 0.95,
        standardise: bool = True,
        replace: bool = False,
        into: str = "pca",
    ) -> None:
        self.columns = columns
        self.components = components
        self.standardise = standardise
        self.replace = replace
        self.into = into

    def check(self) -> None:
        """Check the number of components."""
        super().check()
        if not self.components > 0 or (self.components >= 1 and self.components != int(self.components)):
            raise InputError(f"Step 'pca' needs a whole number of components or a share below 1, found {self.components!r}.")

    def _learn(self, X: pd.DataFrame, y: pd.Series | None) -> None:
        refuse_too_few(self.selected_, 1, self.name)
        X, _ = by_label(X)
        self.scales_ = learn_scales(X, self.name, standardise=self.standardise)
        self.directions_ = principal_directions(on_one_scale(X, self.scales_, self.name), self.components)

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        values = on_one_scale(X, self.scales_, self.name) @ self.directions_.T
        return pd.DataFrame({f"{self.into}__{number}": column for number, column in enumerate(values.T)}, index=X.index)

    def _dropped(self) -> list[str]:
        return list(self.selected_) if self.replace else []


class Clusters(Step):
    """Put rows into clusters by their numeric columns (k-means): ``<into>__label`` (text) and ``<into>__distance_<n>``.

    Columns are standardised; missing counts as the mean. Fewer distinct training rows than clusters are one cluster each.
    The source columns stay.

    Parameters
    ----------
    columns
        The columns that say how near rows are.
    clusters
        How many clusters.
    make
        ``label`` names the nearest cluster, ``distances`` gives the distance to the centre of each.
    into
        What the new columns' names begin with.
    random_state
        Seed of the first centres.

    Examples
    --------
    >>> X = pd.DataFrame({"a": [1.0, 1.1, 8.0]})
    >>> Clusters(clusters=2).fit_transform(X)["cluster__label"].tolist()
    ['0', '0', '1']
    """

    learns = Learns.ROWS
    accepts = ("numeric",)
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"clusters": 3},
        {"columns": ["LotFrontage", "Slope"], "clusters": 4, "make": ["label", "distances"], "into": "zone"},
    )

    def __init__(
        self,
        columns: Selection = "numeric",
        *,
        clusters: int = 8,
        make: Sequence[Literal["label", "distances"]] = ("label",),
        into: str = "cluster",
        random_state: int = 0,
    ) -> None:
        self.columns = columns
        self.clusters = clusters
        self.make = make
        self.into = into
        self.random_state = random_state

    def check(self) -> None:
        """Check the number of clusters."""
        super().check()
        if self.clusters < 1 or not self.make:
            raise InputError("Step 'clusters' needs at least 1 cluster, and 'label' or 'distances' in 'make'.")

    def _learn(self, X: pd.DataFrame, y: pd.Series | None) -> None:
        refuse_too_few(self.selected_, 1, self.name)
        X, _ = by_label(X)
        self.scales_ = learn_scales(X, self.name)
        self.centres_ = _centres(on_one_scale(X, self.scales_, self.name), self.clusters, self.random_state)

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        rows = on_one_scale(X, self.scales_, self.name)
        distances = np.stack([np.sqrt(((rows - centre) ** 2).sum(axis=1)) for centre in self.centres_], axis=1)
        written: dict[str, Any] = {}
        if "label" in self.make:
            written[f"{self.into}__label"] = pd.Series(distances.argmin(axis=1).astype(str), index=X.index, dtype="str")
        if "distances" in self.make:
            written |= {f"{self.into}__distance_{number}": column for number, column in enumerate(distances.T)}
        return pd.DataFrame(written, index=X.index)


def principal_directions(rows: Numbers, components: float) -> Numbers:
    """The directions of largest variance of centred rows, of shape (n_components, n_columns); zeros where there are no more.

    ``components`` is their number, or below 1 the share of the variance that they explain together at least.
    """
    from sklearn.decomposition import PCA

    if not rows.any():
        # nothing varies: every direction is as good as none
        return np.zeros((int(components) if components >= 1 else 1, rows.shape[1]))
    fitted = PCA(svd_solver="full").fit(rows)
    found = without_noise(fitted.components_, fitted.singular_values_)
    if components < 1:
        explained = np.cumsum(fitted.explained_variance_ratio_)
        return np.asarray(found[: int(np.searchsorted(explained, components * explained[-1])) + 1])
    directions = np.zeros((int(components), rows.shape[1]))
    directions[: len(found)] = found[: int(components)]
    return directions


def without_noise(directions: Numbers, strengths: Numbers) -> Numbers:
    """Directions with zeros in the place of those that are only rounding, each turned so that its largest part is positive."""
    turned = directions * np.sign(directions[np.arange(len(directions)), np.abs(directions).argmax(axis=1)])[:, None]
    return np.where((strengths > _NOISE * strengths.max(initial=0.0))[:, None], turned, 0.0)


def _centres(rows: Numbers, clusters: int, random_state: int) -> Numbers:
    """The centres of the clusters in the order of their first column."""
    from sklearn.cluster import KMeans

    distinct = np.unique(rows, axis=0)
    if len(distinct) <= clusters:
        return distinct
    # with several threads the order of their sums, and so the last bits, would be drawn by chance
    with threadpool_limits(1), warnings.catch_warnings():
        # rows that are nearly equal make fewer clusters
        warnings.simplefilter("ignore")
        found = KMeans(clusters, n_init=3, random_state=random_state).fit(rows).cluster_centers_
    return np.asarray(found[np.lexsort(found.T[::-1])], dtype=np.float64)
