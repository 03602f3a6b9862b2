"""The order of rows within groups: does the model rank the ads that one user saw?"""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pipelines.metrics.metric import BINARY, Array, Judge, Metric

Group = Annotated[str, Field(description="A raw column whose values tell groups apart.", examples=["user_id"])]


def gauc(*, group: Group) -> Metric:
    """Area under the ROC curve within each group, averaged by the groups' rows (Zhu et al., 2017).

    Groups that lack a class have no area and do not count; NaN where all do.
    """
    return Metric("gauc", mean_of_groups, True, "probabilities", BINARY, columns=(group,), drawn_by=group)


def mean_of_groups(y: Array, prediction: Array, groups: NDArray[Any]) -> Judge:
    """The mean of the groups' areas, each weighed by the weight of its rows."""
    import pandas as pd

    from pipelines.metrics import kernels

    codes, names = pd.factorize(groups)
    order, ranked, begins = kernels.grouped(np.ascontiguousarray(prediction, dtype=np.float64), codes, len(names))
    is_positive, even = (y == 1)[order], np.ones(len(order))

    def judge(weights: Array | None) -> float:
        arranged = even if weights is None else np.asarray(weights[order], dtype=np.float64)
        areas, totals = kernels.areas(begins, ranked, is_positive, arranged)
        total = float(np.sum(totals))
        return float(np.sum(areas * totals)) / total if total > 0 else float("nan")

    return judge
