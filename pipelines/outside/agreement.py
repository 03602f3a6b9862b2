"""Whether predictions made elsewhere come from the run's folds: only then is nested what is fitted on the out-of-fold table.

Predictions of other folds come from models that saw rows which the run takes for unseen: an ensemble fitted on them would learn to
trust what those models had only learnt by heart.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import InputError
from pipelines.oof import scored_rows
from pipelines.outside import SAME
from pipelines.outside.table import FOLD
from pipelines.spec import MemberSpec
from pipelines.splits import FIT, SCORED, UNUSED, Folds

_ADVICE = "Make the predictions with the run's own folds (folds.parquet in its folder), or leave the member out."


def agreement(member: MemberSpec, labels: NDArray[np.intp] | None, theirs: pd.DataFrame | None, folds: Folds) -> str:
    """How it is known that a member's folds are those of the run.

    Parameters
    ----------
    labels
        The fold that scored each training row as the member's own file numbers them, -1 where it does not say; shape (n_rows,).
        None where the file has no such column.
    theirs
        The declared ``folds.parquet``; None where there is none.

    Returns
    -------
    Words for the report.

    Raises
    ------
    InputError
        When the folds differ (in how many rows), or nothing says that they agree.
    """
    can_be_labelled = len(folds.repeats) == 1
    if labels is not None and can_be_labelled:
        _check_labels(member.oof, labels, folds)
    if theirs is not None:
        _check_folds(str(member.folds), theirs, folds)
        return f"the same folds by {member.folds}"
    if labels is not None and can_be_labelled:
        return f"the same folds by its column {FOLD!r}"
    if member.folds == SAME:
        return f"the same folds on the word of the declaration (folds: {SAME})"
    by_column = (
        f"a column {FOLD!r} in {member.oof} (which fold scored the row), "
        if can_be_labelled
        else f"(the folds repeat, so a column {FOLD!r} cannot tell) "
    )
    raise InputError(
        f"nothing says that {member.oof} comes from the run's folds. Give {by_column}'folds: FILE' (the other run's folds.parquet), or, "
        f"where you know it, 'folds: {SAME}'."
    )


def differing(own: NDArray[np.intp], other: NDArray[np.intp]) -> int:
    """How many rows lie in another part, where parts are paired so that as few as possible do; shape (n_rows,) each.

    >>> differing(np.array([0, 0, 1, 1]), np.array([7, 7, 2, 2])), differing(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 2]))
    (0, 1)
    """
    from scipy.optimize import linear_sum_assignment

    (_, one), (_, two) = (np.unique(labels, return_inverse=True) for labels in (own, other))
    both = np.zeros((one.max() + 1, two.max() + 1))
    np.add.at(both, (one, two), 1)
    return len(own) - int(both[linear_sum_assignment(both, maximize=True)].sum())


def _check_labels(file: str, labels: NDArray[np.intp], folds: Folds) -> None:
    rows = scored_rows(folds)
    own = folds.status.argmax(axis=1)
    unsaid = int((labels[rows] < 0).sum())
    if unsaid:
        raise InputError(f"{file}: column {FOLD!r} is empty in {unsaid} of {len(rows)} scored rows. {_ADVICE}")
    apart = differing(own[rows], labels[rows])
    if apart:
        n_theirs = len(np.unique(labels[rows]))
        raise InputError(
            f"{file}: by its column {FOLD!r} ({n_theirs} folds), {apart} of {len(rows)} scored rows lie in other folds than in this run "
            f"({folds.n_folds} folds). {_ADVICE}"
        )


def _check_folds(file: str, theirs: pd.DataFrame, folds: Folds) -> None:
    if not all(pd.api.types.is_integer_dtype(dtype) for dtype in theirs.dtypes) or not theirs.isin([UNUSED, FIT, SCORED]).all(axis=None):
        raise InputError(
            f"{file} is no table of folds: one column a fold, with {UNUSED} (unused), {FIT} (fit) or {SCORED} (scored) in each row."
        )
    if len(theirs) != len(folds.status):
        raise InputError(f"{file} has folds of {len(theirs)} rows, the run's table has {len(folds.status)}. {_ADVICE}")
    width = max(theirs.shape[1], folds.n_folds)
    one, two = (_scored(status, width) for status in (folds.status, theirs.to_numpy()))
    apart = int((one != two).any(axis=1).sum())
    if apart:
        raise InputError(
            f"{file}: {apart} of {len(one)} rows are scored in other folds than in this run ({theirs.shape[1]} folds there, {folds.n_folds} "
            f"here). {_ADVICE}"
        )


def _scored(status: NDArray[np.int8], width: int) -> NDArray[np.bool_]:
    return np.pad(status == SCORED, ((0, 0), (0, width - status.shape[1])))
