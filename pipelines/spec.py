"""A checked declaration as frozen objects."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, Field

from pipelines.declaration import Path_
from pipelines.outside import SAME
from pipelines.parameters import Section
from pipelines.tuning.declared import TuneSpec

Task = Literal["regression", "binary", "multiclass"]
Transform = Literal["none", "log1p", "log", "sqrt"]


class Join(Section):
    """A table joined to train and test by a key that is unique in it."""

    file: str
    on: str | list[str]


class HashSample(Section):
    """Which rows of the training file are read, chosen by a hash: for files larger than memory."""

    rate: float = Field(gt=0, le=1, description="Share of the rows, or of the groups, that are kept.")
    by: str | list[str] = Field(
        default=[], description="Columns whose equal values are kept or left together, so that counts by them stay whole; rows without it."
    )
    seed: int = Field(default=0, ge=0, lt=10**16, description="Another seed keeps other rows.")

    @property
    def keys(self) -> list[str]:
        """The columns."""
        return [self.by] if isinstance(self.by, str) else self.by


class Data(Section):
    """Which files there are and what their columns mean."""

    train: str
    target: str
    test: str | None = None
    id: str | None = None
    time: str | None = Field(
        default=None, description="The column that says when a row happened; the audit looks whether features look ahead of it."
    )
    source: dict[str, str | list[str] | dict[str, str]] | None = Field(
        default=None,
        description="Where 'foldwise fetch' gets the files: {kaggle: competition, or owner/data-set} or {url: an address, or a list of them}; "
        "with sha256: a checksum, or {file name: checksum}.",
    )
    joins: list[Join] = []
    sample: HashSample | None = Field(
        default=None, description="Read the training file in parts and keep the rows that a hash chooses; test rows are all kept."
    )
    sample_submission: str | None = None
    weight: str | None = Field(default=None, description="A column with the weight of each row in fits and in the metric.")
    holdout: str | None = Field(default=None, description="Labels of the test rows, where a sample has them; scored once, at the end.")
    limit: str | None = Field(
        default=None, description="A JSON file with the best possible scores, where a sample knows them; the report shows the distance."
    )
    missing: list[str] = Field(
        default=["", "NA", "N/A", "#N/A", "NaN", "nan", "null", "NULL"],
        description="Spellings of a missing value. 'None' is not among them: House Prices has it as a level.",
    )


class Rows(Section):
    """Row roles, by expressions on raw values."""

    fit_only: list[str] = []
    not_in_fit: list[str] = []
    not_scored: list[str] = []
    duplicates: Literal["keep", "once"] = Field(
        default="keep", description="once: of rows that are equal in all columns but the id, only the first is fitted on and scored."
    )


ROLES = ("fit_only", "not_in_fit", "not_scored")


class Target(Section):
    """What is done to the target before a fit and undone after a prediction."""

    transform: Transform = "none"


class Report(Section):
    """What the report shows beyond the standard pages."""

    slices: list[str] = Field(default=[], description="Columns, or expressions that cut the scored rows in two.")


@dataclass(frozen=True)
class Part:
    """A named part with parameters (a step, a splitter, an ensemble entry) and its place in the declaration."""

    name: str
    params: dict[str, Any]
    where: Path_


class PseudoLabels(Section):
    """How test rows join the rows that a model is fitted on."""

    confidence: float = Field(
        default=0.95, gt=0.5, lt=1, description="The probability from which on a test row counts as one of its likeliest class."
    )
    weight: float = Field(default=0.5, gt=0, le=1, description="What such a row counts, beside a training row of mean weight.")


class ModelKeys(Section):
    """Framework keys of a model."""

    view: str = Field(default="", description="The view whose columns it sees; without one it sees the features as they are.")
    seeds: int = Field(default=1, ge=1, description="Fits per fold with different seeds, averaged.")
    seed: int = Field(default=0, ge=0, description="The first of these seeds.")
    rounds_cut: float = Field(
        default=0.15, gt=0, lt=0.9, description="Share of the training part held out to find a booster's rounds when they are not given."
    )
    max_rounds: int = Field(default=5000, ge=1)
    weights: Literal["none", "balanced", "inverse_square"] = Field(
        default="none", description="balanced: every class counts the same; inverse_square: 1 / target^2, for rmspe without a log."
    )
    rows: str | None = Field(
        default=None, description="An expression on columns: the model is fitted on these rows only and predicts them only; see 'route'."
    )
    stack_on: list[str] | None = Field(
        default=None,
        description="Earlier models, or members made elsewhere, whose out-of-fold predictions it sees as columns: a layer on top of them.",
    )
    passthrough: bool = Field(
        default=True,
        description="Whether a layer sees the columns of its view beside these predictions; without, it sees them alone and takes no view.",
    )
    resample: str | dict[str, Any] | None = Field(
        default=None, description="How the training part is resampled, or none; the declaration's own 'resample' where it is not given."
    )
    transform: Transform | None = Field(
        default=None, description="How the target is transformed for this model, where that is another way than 'target' declares for all."
    )
    scale_target: bool = Field(
        default=False,
        description="Fit on the (transformed) target less its mean, over its standard deviation: for svm, mlp and their like.",
    )
    pseudo_labels: PseudoLabels | None = Field(
        default=None, description="In each fold, fit again with the test rows that the model is sure of; classes only. See 'best_of'."
    )
    correct_prior: bool = Field(
        default=True, description="Correct probabilities back to the true rate after resampling or class weights (binary tasks)."
    )


@dataclass(frozen=True)
class ModelSpec:
    """One declared model: its kind, library parameters and framework keys."""

    name: str
    kind: str
    params: dict[str, Any]
    keys: ModelKeys
    where: Path_
    resample: Part | None = None
    """How the training part of each fold is resampled; None for rows as they are."""
    transform: str = "none"
    """How the target is transformed for it: its own way, or that of all."""

    @property
    def stack_on(self) -> list[str]:
        """The models and members whose predictions it sees; empty for one that is no layer."""
        return self.keys.stack_on or []

    @property
    def view(self) -> str | None:
        """The view whose columns it sees, without a name for the features as they are; None for a layer of predictions alone."""
        return self.keys.view if self.keys.passthrough or not self.stack_on else None


def views_of(models: Iterable[ModelSpec]) -> list[str]:
    """The views whose columns some models see, each once."""
    return list(dict.fromkeys(model.view for model in models if model.view is not None))


class MemberFiles(Section):
    """The files of predictions that were made elsewhere, in the folder of the competition's data."""

    oof: str = Field(
        description="Out-of-fold predictions, CSV or parquet: rows by 'row' or the id, and 'prediction' or one 'p_<class>' for each class."
    )
    test: str | None = Field(default=None, description="Predictions of the test rows, in the same form.")
    name: str | None = Field(
        default=None, description="What entries call it; the file name of 'oof' without its ending where it is not given."
    )
    folds: str | None = Field(
        default=None,
        description="How it is known that they come from this run's folds: the other run's folds.parquet, or 'same' on your word; "
        "not needed where 'oof' has a column 'fold' that says which fold scored the row.",
    )


@dataclass(frozen=True)
class MemberSpec:
    """Predictions made elsewhere: their name, and their files relative to the data's folder."""

    name: str
    oof: str
    test: str | None
    folds: str | None
    where: Path_

    @property
    def files(self) -> list[str]:
        """The files they are read from."""
        return [file for file in (self.oof, self.test, self.folds) if file is not None and file != SAME]


@dataclass(frozen=True)
class Spec:
    """A whole checked declaration."""

    title: str
    data: Data
    task: Task
    metric: Part
    split: Part
    rows: Rows
    target: Target
    clean: tuple[Part, ...]
    features: tuple[Part, ...]
    views: dict[str, tuple[Part, ...]]
    models: dict[str, ModelSpec]
    members: dict[str, MemberSpec]
    """Predictions made elsewhere; entries use them like those of models."""
    ensemble: dict[str, Part]
    """The declared entries, then those that 'calibrate' and 'postprocess' add for the final."""
    decision: Part | None
    """The threshold that turns the final's probabilities into classes."""
    report: Report
    refit: Literal["none", "all"]
    tune: dict[str, TuneSpec]
    """How models are tuned, by model; ``found`` where tuned parameters are used."""

    @property
    def final(self) -> str:
        """The name of the final prediction: the last ensemble entry, or where there is none the last member, or model."""
        return [*self.models, *self.members, *self.ensemble][-1]


SECTIONS: dict[str, type[BaseModel]] = {"data": Data, "rows": Rows, "target": Target, "report": Report}


KEYS = (
    "title",
    "data",
    "task",
    "metric",
    "split",
    "rows",
    "target",
    "resample",
    "clean",
    "features",
    "views",
    "models",
    "members",
    "ensemble",
    "tune",
    "calibrate",
    "postprocess",
    "threshold",
    "refit",
    "report",
)
