"""What each artifact is made from, as keys: the part of the declaration it reads, its inputs, the code and its libraries."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any

from pipelines.devices import Devices
from pipelines.frames import REFIT
from pipelines.spec import Part, Spec
from pipelines.store import key_of, source_hash, version_of

_STEP_CORE = (
    "features.step",
    "features.columns",
    "features.expressions",
    "features.crossfit",
    "pipelines.frames",
    "pipelines.step_parameters",
)
_FIT_CORE = (
    "pipelines.training",
    "pipelines.fitted_rows",
    "pipelines.pseudo",
    "pipelines.targets",
    "pipelines.models.contract",
    "pipelines.models.matrix",
    "pipelines.models.rounds",
    "pipelines.objectives",
)
_TABLE_CORE = (
    "pipelines.tables",
    "pipelines.files",
    "pipelines.hash_sample",
    "pipelines.splits",
    "pipelines.held_out",
    "pipelines.time_splits",
    "pipelines.times",
    "pipelines.windows",
    "features.expressions",
)
_LAYER_CORE = ("pipelines.layer_columns", "pipelines.ensembles", "pipelines.oof", "pipelines.targets")
_MEMBER_CORE = ("pipelines.outside", "pipelines.files")
_FRAME_LIBRARIES = ("pandas", "numpy", "scikit-learn", "scipy")


@functools.cache
def _code(modules: tuple[str, ...], distributions: tuple[str, ...]) -> dict[str, str]:
    return {**{module: source_hash(module) for module in modules}, **{name: version_of(name) for name in distributions}}


@dataclass(frozen=True)
class Keys:
    """The keys of a run's artifacts. Threads and workers are in none of them, the device is in those of fits."""

    spec: Spec
    inputs: dict[str, str]
    """Hash of each of the competition's files."""
    sample: int | None
    devices: Devices
    outside: dict[str, str] = field(default_factory=dict)
    """Hash of each file of predictions made elsewhere."""
    holds_out: bool = False
    """Whether the folds are those with rows held out from all but the last (``held_out``)."""

    @functools.cached_property
    def table(self) -> str:
        """Key of the checked table and its folds."""
        spec = self.spec
        declared = [
            spec.data.model_dump(exclude={"source"}),
            spec.rows.model_dump(),
            spec.task,
            spec.split.name,
            spec.split.params,
            spec.target.model_dump(),
        ]
        # tables that were kept under the plain name do not say how wide they are
        held_out = ["held out"] if self.holds_out else []
        return key_of("table with its width", declared, self.inputs, self.sample, _code(_TABLE_CORE, _FRAME_LIBRARIES), *held_out)

    @functools.cached_property
    def _views(self) -> dict[str, str]:
        return {view: self._view(view) for view in (*self.spec.views, "")}

    def _view(self, view: str) -> str:
        parts = (*self.spec.clean, *self.spec.features, *self.spec.views.get(view, ()))
        steps = [(part.name, part.params, _code((_module_of(part),), ())) for part in parts]
        return key_of("view", self.table, steps, _code(_STEP_CORE, _FRAME_LIBRARIES))

    def view(self, view: str) -> str:
        """Key of a view's shared columns; the view without a name is the features as they are."""
        return self._views[view]

    def columns(self, asked: list[str]) -> str:
        """Key of the columns that are asked for by name, besides features."""
        return key_of("columns", self.view(""), asked)

    def fold(self, view: str, fold: int) -> str:
        """Key of a view's fold-bound columns in one fold."""
        return key_of("fold", self.view(view), fold)

    def device(self, model: str) -> str:
        """Where a model is fitted, as its library names it."""
        spec = self.spec.models[model]
        return self.devices.of((spec.kind, *inner_kinds(spec.params)))

    def fit(self, model: str, fold: int, rounds: int | None = None) -> str:
        """Key of one model's fit in one fold; ``rounds`` are those that the fit on all rows takes from the folds."""
        from pipelines.models import kinds

        spec = self.spec.models[model]
        kind = kinds()[spec.kind]
        used = [kinds()[name] for name in (spec.kind, *inner_kinds(spec.params))]
        # a kind in several files names the others itself
        modules = [module for one in used for module in (type(one).__module__, *getattr(one, "modules", ()))]
        resample = None if spec.resample is None else (spec.resample.name, spec.resample.params)
        more = [] if resample is None else ["pipelines.resample"]
        libraries = ("numpy", *kind.distributions, *(["imbalanced-learn"] if resample else []))
        code = _code((*_FIT_CORE, *modules, *more, "pipelines.models.plain"), libraries)
        keys = spec.keys.model_dump(exclude={"view", "resample", "stack_on"})
        asked = [name for name in (spec.keys.rows, self.spec.data.weight) if name is not None]
        layer = self.layer(model, fold) if spec.stack_on else None
        made_from = [spec.kind, spec.params, keys, resample, self.columns(asked) if asked else None, rounds, layer]
        # the fold of the table itself where a layer sees predictions alone
        seen = key_of("fold", self.table, fold) if spec.view is None else self.fold(spec.view, fold)
        return key_of("fit", seen, made_from, self.spec.task, self.device(model), code)

    def layer(self, model: str, fold: int) -> str:
        """Key of the columns that a layer's members make for its fits: one for all folds, one for the fit on all rows.

        The key of a member's fit in one fold stands for those of all its folds, which differ by the fold alone.
        """
        which = (0, REFIT) if fold == REFIT else (0,)
        if (model, which) not in self._layers:
            spec, outside = self.spec.models[model], self.spec.members
            below = [(name, self.member(name) if name in outside else [self.fit(name, one) for one in which]) for name in spec.stack_on]
            made_from = ("layer", self.table, below, spec.transform, self.spec.task)
            self._layers[model, which] = key_of(*made_from, _code(_LAYER_CORE, _FRAME_LIBRARIES))
        return self._layers[model, which]

    @functools.cached_property
    def _layers(self) -> dict[tuple[str, tuple[int, ...]], str]:
        """Keys that are known: a layer on layers would ask for those below it again and again."""
        return {}

    def member(self, name: str) -> str:
        """Key of predictions made elsewhere, as they were found to fit the table and its folds."""
        member = self.spec.members[name]
        files = [(file, self.outside.get(file or "")) for file in (member.oof, member.test, member.folds)]
        return key_of("member", self.table, files, _code(_MEMBER_CORE, _FRAME_LIBRARIES))


def inner_kinds(params: dict[str, Any]) -> list[str]:
    """Kinds of model that stand inside another one's parameters (bagging)."""
    of = params.get("of")
    return [name for key, inner in of.items() for name in (key, *inner_kinds(inner or {}))] if isinstance(of, dict) else []


def _module_of(part: Part) -> str:
    from features.registry import steps

    return steps()[part.name].__module__
