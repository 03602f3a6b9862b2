"""The order of rows within groups: does the model rank the ads that one user saw?"""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pipelines.metrics.metric import BINARY, Array, Judge, Metric
from pipelines.metrics.ranking import descending

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
    order, begins = kernels.grouped(descending(prediction), codes, len(names))
    ranked, is_positive = np.asarray(prediction[order], dtype=np.float64), (y == 1)[order]
    even = np.ones(len(order))

    def judge(weights: Array | None) -> float:
        arranged = even if weights is None else np.asarray(weights[order], dtype=np.float64)
        areas, totals = kernels.areas(begins, ranked, is_positive, arranged)
        total = float(np.sum(totals))
        return float(np.sum(areas * totals)) / total if total > 0 else float("nan")

    return judge
