"""The submission file: written in the order asked for, and checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from features.errors import InputError, listed
from pipelines.files import read_file
from pipelines.metrics import Array, as_labels
from pipelines.oof import Predictions
from pipelines.prepare import Prepared
from pipelines.session import Session
from pipelines.splits import Rows
from pipelines.store import whole_file


def check(session: Session, prepared: Prepared) -> None:
    """Check the sample submission before anything is trained.

    Raises
    ------
    InputError
        When the sample submission does not fit the test file.
    """
    _asked_for(session, prepared)


def write(session: Session, prepared: Prepared, final: Predictions, out: Path) -> None:
    """Write ``submission.csv``: id and target columns, in the order of the sample submission or of the test file."""
    if not prepared.n_test:
        session.console.say("note: no test file is declared, so there is no submission")
        return
    table = _table(session, prepared, final.test)
    asked = _asked_for(session, prepared)
    if asked is not None:
        names, order = asked
        if set(names) == set(table.columns):
            table = table[names]
        else:
            session.console.say(f"note: the sample submission has columns {listed(names)}, the submission {listed(table.columns)}")
        table = table.iloc[order]
    with whole_file(out / "submission.csv") as file:
        table.to_csv(file, index=False)


def _table(session: Session, prepared: Prepared, test: Array) -> pd.DataFrame:
    data = session.spec.data
    ids = {data.id or "row": _test_ids(prepared).to_numpy()}
    return pd.DataFrame({**ids, **prediction_columns(test, data.target, prepared.classes, has_labels=session.metric.needs == "labels")})


def prediction_columns(predictions: Array, target: str, classes: list[Any], *, has_labels: bool) -> dict[str, Any]:
    """Predictions as the submission shows them: labels, values or probabilities below the target, or one column for each class.

    Parameters
    ----------
    predictions
        Of shape (n_rows,) or (n_rows, n_classes).
    has_labels
        Whether the metric judges classes, so that the submission names them.
    """
    if has_labels:
        return {target: labels_of(predictions, classes)}
    if predictions.ndim == 2:
        return {str(name): predictions[:, position] for position, name in enumerate(classes)}
    return {target: predictions}


def _test_ids(prepared: Prepared) -> pd.Series:
    return prepared.ids.iloc[prepared.n_train :]


def labels_of(predictions: Array, classes: list[Any]) -> Any:
    """The most probable class of each row, or the class above one half; of shape (n_rows,)."""
    return np.asarray(classes, dtype=object if isinstance(classes[0], str) else None)[as_labels(predictions).astype(int)]


def _asked_for(session: Session, prepared: Prepared) -> tuple[list[str], Rows] | None:
    """The columns of the sample submission, and the positions of its ids in the test file; None where there is no sample."""
    data, ids = session.spec.data, _test_ids(prepared)
    name, key = data.sample_submission, data.id or "row"
    if not name or not prepared.n_test or not (session.data / name).is_file():
        return None
    sample = read_file(session.data / name, data)
    if key not in sample.columns:
        raise InputError(f"{name} lacks the id column {key!r}; it has {listed(sample.columns)}.")
    wanted = sample[key][sample[key].isin(ids)] if session.options.sample else sample[key]
    return list(sample.columns), _positions(wanted, ids, name)


def _positions(wanted: pd.Series, ids: pd.Series, name: str) -> Rows:
    """Where each id of a file stands in the test file; each must be there once."""
    positions = pd.Index(ids).get_indexer(pd.Index(wanted))
    unknown, absent = wanted[positions < 0], ids[~ids.isin(wanted)]
    if len(unknown) or len(absent) or len(wanted) != len(ids):
        raise InputError(
            f"{name} has {len(wanted)} ids, the test file {len(ids)}; unknown in the test file: {listed(unknown) or 'none'}; only in the test file: "
            f"{listed(absent) or 'none'}; twice: {listed(wanted[wanted.duplicated()]) or 'none'}. Both must have the same ids."
        )
    return np.asarray(positions, dtype=np.intp)


def score_holdout(session: Session, prepared: Prepared, predictions: dict[str, Predictions]) -> dict[str, float] | None:
    """Scores on the labels of the test rows, where a sample comes with them; looked at once, at the end, by nothing else.

    Raises
    ------
    InputError
        When the file of labels does not fit the test file.
    """
    data = session.spec.data
    path = session.data / data.holdout if data.holdout else None
    if path is None or not path.is_file() or not prepared.n_test or session.options.sample:
        return None
    whole = {name: part for name, part in predictions.items() if not np.isnan(part.test).any()}
    labels, ids, key = read_file(path, data), _test_ids(prepared), data.id or "row"
    if data.id is None and len(labels) == len(ids):
        labels = labels.assign(row=ids.to_numpy())
    lacking = [column for column in (key, data.target) if column not in labels.columns]
    if lacking:
        raise InputError(f"{path.name} lacks column(s) {listed(lacking)}; it has {listed(labels.columns)}.")
    truth = np.empty(len(ids), dtype=object)
    truth[_positions(labels[key], ids, path.name)] = labels[data.target]
    codes = {value: code for code, value in enumerate(prepared.classes)}
    y = pd.to_numeric(pd.Series([codes.get(value) for value in truth] if codes else truth), errors="coerce")
    if y.isna().any():
        raise InputError(f"{path.name}: {data.target!r} has {int(y.isna().sum())} values that {data.train} does not allow.")
    columns = prepared.known_of_test.columns
    return {name: session.metric.score(y.to_numpy(dtype=np.float64), part.test, None, columns) for name, part in whole.items()}
