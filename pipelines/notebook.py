"""What the competitions' notebooks share: finding the data, running the declaration, what each part bought, published figures."""

from __future__ import annotations

import importlib
import json
import math
import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from features.errors import InputError, listed
from pipelines.compare import Row, compare, paired_row
from pipelines.competition import DECLARATION, Competition, find_competition, find_data
from pipelines.console import Console
from pipelines.metrics import metric_of
from pipelines.options import Options
from pipelines.store import whole_file
from pipelines.surroundings import Surroundings
from pipelines.unchanged import table_names
from pipelines.whole_run import Result, run

if TYPE_CHECKING:
    import pandas as pd

PLOTS = {"figure.figsize": (10, 3.6), "figure.dpi": 110, "axes.spines.top": False, "axes.spines.right": False, "axes.titlesize": "medium"}
"""Settings for matplotlib's ``rcParams``."""
DATA, RUNS, ROWS = "FOLDWISE_DATA", "FOLDWISE_RUNS", "FOLDWISE_SAMPLE"


@dataclass(frozen=True)
class Book:
    """A competition as its notebook works with it."""

    competition: Competition
    data: Path
    """Holds ``<competition>/<files>``: the real files, or the sample that stands in for them."""
    runs: Path
    is_sample: bool
    rows: int | None = None
    """Rows of train and of test that are used; all where it is None."""
    quick: tuple[str, ...] = ()
    """Settings that hold only while ``rows`` is given."""

    @property
    def files(self) -> Path:
        """The folder of the competition's files."""
        return self.data / self.competition.name

    @property
    def line(self) -> str:
        """One sentence on the data at work."""
        kind = "sample rows that come with the competition; scores say nothing about the real one" if self.is_sample else "the real files"
        cut = f" At most {self.rows} random rows of each file, for speed." if self.rows else ""
        return f"Data: {kind}.{cut}"

    @property
    def declared(self) -> dict[str, Any]:
        """The declaration as plain data."""
        return self.competition.declaration().data

    def options(self, *settings: str, models: Sequence[str] = ()) -> Options:
        """What ``pipelines.run`` takes: data, runs and rows of this book, with settings, and with some of the models only."""
        asked = (*(self.quick if self.rows else ()), *settings)
        return Options(runs=self.runs, data=self.data, models=tuple(models), settings=asked, sample=self.rows)

    def run(self, *settings: str, models: Sequence[str] = ()) -> Result:
        """Run the declaration with these options; says nothing, and takes from the store what is there."""
        return run(str(self.competition.folder), options=self.options(*settings, models=models), around=quietly())

    def run_declaration(self, text: str, name: str, *, models: Sequence[str] = ()) -> Result:
        """Run another declaration, as YAML text, with the same data, rows and quick settings; its runs are kept apart under a name."""
        runs = self.runs / "other_declarations" / name
        # the folder's name is that of the data's
        folder = runs / "declared" / self.competition.name
        folder.mkdir(parents=True, exist_ok=True)
        with whole_file(folder / DECLARATION) as path:
            path.write_text(text, encoding="utf-8")
        return run(str(folder), options=replace(self.options(models=models), runs=runs), around=quietly())

    def sampled(self, train: pd.DataFrame) -> pd.DataFrame:
        """The rows of a table of training rows that runs use, numbered from 0 as in their out-of-fold predictions."""
        from pipelines.tables import sampled

        return sampled(train, self.rows) if self.rows else train

    def dropping(self, *columns: str, section: str = "features") -> str:
        """The setting that takes columns (names or globs) away at the end of a section."""
        return setting(section, [*self.declared[section], {"drop": list(columns)}])


def quietly() -> Surroundings:
    """This machine and this hour, for a run that says nothing."""
    return Surroundings.read(Console(is_quiet=True))


def open_book(name: str, *, quick: Sequence[str] = (), environment: Mapping[str, str] | None = None) -> Book:
    """Find a competition's data and a place for runs.

    Parameters
    ----------
    name
        A competition by name or folder.
    quick
        Settings for a trial on few rows, such as fewer folds, that all declarations of the notebook understand; they hold only while
        ``FOLDWISE_SAMPLE`` is set.
    environment
        ``FOLDWISE_DATA`` is the folder that holds ``<competition>/<files>`` (by default ``data/`` beside ``competitions/``; the
        sample where that has no files), ``FOLDWISE_RUNS`` that of the runs (by default ``runs/`` beside it), ``FOLDWISE_SAMPLE``
        a number of rows. The process's own by default.

    Raises
    ------
    InputError
        When there is no such competition, no data for it, or ``FOLDWISE_SAMPLE`` is no number of rows.
    """
    _let_tqdm_be()
    given = os.environ if environment is None else environment
    competition = find_competition(name)
    home = competition.folder.resolve().parents[1]
    runs = Path(given.get(RUNS) or home / "runs").resolve()
    first = table_names(competition.declaration().data)[0]
    named = given.get(DATA)
    data = Path(named or home / "data").resolve()
    is_sample = not named and not (data / competition.name / first).is_file()
    if is_sample:
        folder, line = find_data(competition, competition.declaration(), None, runs)
        data, is_sample = folder.resolve().parent, line is not None
    elif not (data / competition.name / first).is_file():
        raise InputError(f"{DATA}={named}: there is no {competition.name}/{first} in it. Put the files there, or unset {DATA}.")
    return Book(competition, data, runs, is_sample, _rows(given.get(ROWS)), tuple(quick))


def _let_tqdm_be() -> None:
    """Import tqdm, which libraries of ours use, without its advice to install widgets for progress bars that none of them shows."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="IProgress not found")
        importlib.import_module("tqdm.auto")


def _rows(text: str | None) -> int | None:
    if not text:
        return None
    if not text.isdecimal() or int(text) < 1:
        raise InputError(f"{ROWS}={text!r} is no number of rows. Give a whole number above 0, or unset it to use all rows.")
    return int(text)


def setting(key: str, value: Any) -> str:
    """``key=value`` as ``Options.settings`` and ``--set`` take it.

    >>> setting("features", [{"drop": "hour"}])
    'features=[{"drop": "hour"}]'
    """
    # JSON is YAML
    return f"{key}={json.dumps(value)}"


def ablation(
    book: Book, whole: Result, taken_away: Mapping[str, Sequence[str]], *, models: Sequence[str] = (), of: str = ""
) -> pd.DataFrame:
    """What each part of a declaration bought: the run without it, paired with the whole run fold by fold.

    Parameters
    ----------
    whole
        The run with everything, of the same models.
    taken_away
        By what is taken away, the settings that do so.
    of
        The model or combination that is compared; the final prediction by default.

    Returns
    -------
    pandas.DataFrame
        A row for the whole and one for each part: ``score`` of the prediction; ``bought``, the mean gain of having the part,
        turned so that positive is better; ``low`` and ``high`` of its 95 % interval and ``p`` by the corrected resampled t-test
        (Nadeau and Bengio, 2003); and the ``folds`` that are better with it.

    Raises
    ------
    InputError
        When the whole run has no such prediction, or a run without a part cannot be paired with it.
    """
    import pandas as pd

    tables = {**whole.metrics["models"], **whole.metrics["ensemble"], "": whole.metrics["final"]}
    if of not in tables:
        raise InputError(f"The whole run has no prediction {of!r}; it has {listed(name for name in tables if name)}. Name one of them.")
    rows: dict[str, dict[str, Any]] = {"nothing: the whole": {"score": tables[of]["score"]}}
    for what, settings in taken_away.items():
        less = book.run(*settings, models=models)
        found = compare(less.run_id, whole.run_id, book.runs)
        row = next(row for row in found.rows if not of or row.name == of)
        rows[what] = {"score": row.first, **_gain(row), "folds": f"{row.folds_won} of {found.n_folds}"}
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(_COLUMNS)).rename_axis("taken away").fillna({"folds": ""})


_COLUMNS = ("score", "bought", "low", "high", "p", "folds")


def _gain(row: Row) -> dict[str, float]:
    return {"bought": row.gain, "low": row.low, "high": row.high, "p": row.p_value}


def beside_final(result: Result) -> pd.DataFrame:
    """The models and combinations of one run, and what the final prediction gains on each, fold by fold.

    Returns
    -------
    pandas.DataFrame
        The columns of ``ablation``; one row for each model and combination that has a score, the final first.
    """
    import pandas as pd

    metrics = result.metrics
    metric, folds = metric_of(metrics["metric"], metrics.get("metric_params", {})), metrics["folds"]
    final, per_repeat = metrics["final"], folds["count"] // folds["repeats"]
    rows: dict[str, dict[str, Any]] = {final["name"]: {"score": final["score"]}}
    for name, table in {**metrics["ensemble"], **metrics["models"]}.items():
        if name == final["name"]:
            continue
        row = paired_row(name, table, final, metric, per_repeat)
        paired = sum(not math.isnan(gain) for gain in row.fold_gains)
        rows[name] = {"score": row.first, **_gain(row), "folds": f"{row.folds_won} of {paired}"}
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(_COLUMNS)).rename_axis("prediction").fillna({"folds": ""})


@dataclass(frozen=True)
class Figure:
    """A published figure, and ours by the same recipe."""

    what: str
    published: float
    tolerance: float
    """How far ours may lie from it, either way."""
    ours: float
    not_comparable: str = ""
    """Why the two cannot be compared; empty where they can."""

    @property
    def is_within(self) -> bool:
        """Whether ours is as near as it should be."""
        return math.isfinite(self.ours) and abs(self.ours - self.published) <= self.tolerance

    @property
    def verdict(self) -> str:
        """``within tolerance``, ``not comparable: why``, or how far off ours is."""
        if self.not_comparable:
            return f"not comparable: {self.not_comparable}"
        return "within tolerance" if self.is_within else f"outside: off by {self.ours - self.published:+.4f}"


def published_figures(book: Book, figures: Iterable[Figure]) -> pd.DataFrame:
    """Published figures beside ours; on a sample, or on a part of the rows, none is comparable.

    Returns
    -------
    pandas.DataFrame
        One row for each figure: ``published``, ``tolerance``, ``ours`` and ``verdict``.
    """
    import pandas as pd

    excuse = "sample data" if book.is_sample else "a part of the rows" if book.rows else ""
    rows = {
        figure.what: {
            "published": figure.published,
            "tolerance": figure.tolerance,
            "ours": figure.ours,
            "verdict": f"not comparable on {excuse}" if excuse else figure.verdict,
        }
        for figure in figures
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("figure")


def out_of_fold(result: Result, name: str, column: str = "prediction") -> pd.Series:
    """Out-of-fold predictions of a model or combination of a run, one for each training row; missing where it was not scored."""
    import pandas as pd

    return pd.read_parquet(result.folder / "oof" / f"{name}.parquet")[column]
