"""Writing ``dvc.yaml``: DVC drives the same stages; the store stays the only cache.

A stage depends on the part of the declaration that it reads. What training reads of the tables and steps comes to it as the key
of its view, which ``prepare`` notes, so that a change of one view fits only that view's models again. Metrics and plots alone are
in DVC's cache too: they are small, and revisions can only be compared where DVC has their content.
"""

from __future__ import annotations

import io
import posixpath
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from features.errors import InputError
from pipelines.build_spec import build_spec
from pipelines.competition import DECLARATION, find_competition
from pipelines.plots import FOLDER, FOLDS, PLOTS
from pipelines.spec import Spec, views_of
from pipelines.tuning.tuned import TUNED, read_tuned
from pipelines.view_keys import view_file

FILE = "dvc.yaml"
_HEADER = "# Written by 'foldwise dvc', compared by CI. Every stage takes what is unchanged from runs/<competition>/.store.\n"
_PREPARE_KEYS = ("task", "split", "rows", "target", "clean", "features", "views")
_FIT_KEYS = ("resample", "refit")
_ENSEMBLE_KEYS = ("metric", "members", "ensemble", "calibrate", "postprocess", "threshold")
_REPORT_KEYS = ("title", "report", "tune")
_CODE = ("features", "pipelines")


def write_dvc(root: Path, names: tuple[str, ...], *, check: bool = False) -> str:
    """Write (or compare) ``dvc.yaml`` for some competitions, all below ``competitions/`` by default.

    Raises
    ------
    InputError
        When ``check`` is asked for and the file is not what the declarations give.
    """
    text = dvc_text(root, names or tuple(sorted(path.parent.name for path in (root / "competitions").glob(f"*/{DECLARATION}"))))
    path = root / FILE
    if check:
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            raise InputError(f"{path} is not what the declarations give. Run 'foldwise dvc' and commit the result.")
        return f"{path} is up to date"
    path.write_text(text, encoding="utf-8")
    return f"wrote {path}"


def dvc_text(root: Path, names: tuple[str, ...]) -> str:
    """``dvc.yaml`` for some competitions."""
    from ruamel.yaml import YAML

    stages: dict[str, Any] = {}
    plots: list[dict[str, Any]] = []
    for name in names:
        one = _Declared.read(root, name)
        stages |= one.stages()
        plots += one.plots()
    yaml = YAML()
    yaml.width = 160
    stream = io.StringIO()
    yaml.dump({"stages": stages, **({"plots": plots} if plots else {})}, stream)
    return _HEADER + stream.getvalue()


def competition_stages(root: Path, name: str) -> dict[str, Any]:
    """Prepare, train of each model, ensemble and report of one competition, each with the parameters it reads."""
    return _Declared.read(root, name).stages()


@dataclass(frozen=True)
class _Declared:
    """A competition as its stages see it."""

    root: Path
    name: str
    data: dict[str, Any]
    spec: Spec
    tuned: dict[str, dict[str, Any]]

    @classmethod
    def read(cls, root: Path, name: str) -> _Declared:
        competition = find_competition(str(root / "competitions" / name))
        competition.load_own_steps()
        tuned = read_tuned(competition.folder)
        # as declared: what is tuned has a file of its own
        declared = competition.declaration(with_tuned=False)
        return cls(root, name, declared.data, build_spec(declared), tuned)

    @property
    def runs(self) -> str:
        return f"runs/{self.name}"

    @property
    def file(self) -> str:
        return f"competitions/{self.name}/{DECLARATION}"

    @property
    def tuned_file(self) -> str:
        return f"competitions/{self.name}/{TUNED}"

    def stages(self) -> dict[str, Any]:
        """The four stages; each layer has one more, since it depends on what those below it write."""
        base = [model for model, spec in self.spec.models.items() if not spec.stack_on]
        made = {"prepare": self._prepare(), **({"train": self._train(base)} if base else {})}
        made |= {f"layer-{model}": self._layer(model) for model in self.spec.models if model not in base}
        made |= {"ensemble": self._ensemble(), "report": self._report()}
        return {f"{self.name}-{stage}": facts for stage, facts in made.items()}

    def _prepare(self) -> dict[str, Any]:
        # the data's folder stands in the repository, empty: DVC refuses a dependency that is not there, and sees files that are put in
        own = (f"competitions/{self.name}/{extra}" for extra in ("steps.py", "sample.py", "data"))
        # where the files can be fetched from changes nothing in them
        data = [f"data.{key}" for key in self.data.get("data", {}) if key != "source"]
        steps = [f"{model}.steps" for model, entry in self.tuned.items() if entry.get("steps")]
        return {
            "cmd": f"foldwise stage prepare {self.name}",
            "deps": self._there(f"data/{self.name}", *_CODE, *own),
            "params": [{self.file: [*data, *self._keys(_PREPARE_KEYS)]}, *([{self.tuned_file: steps}] if steps else [])],
            "outs": _kept(*(f"{self.runs}/{name}" for name in ("folds.parquet", "plan.json", *map(view_file, ("", *self.spec.views))))),
        }

    def _train(self, models: list[str]) -> dict[str, Any]:
        params: list[dict[str, list[str]]] = [{self.file: ["models.${key}", *self._keys(_FIT_KEYS)]}]
        if self.tuned:
            params.append({"${item.tuned_in}": ["${item.tuned}"]})
        outs = (f"{self.runs}/{place}" for place in ("oof/${key}.parquet", "test/${key}.parquet", "models/${key}"))
        return {
            "foreach": {model: self._item(model) for model in models},
            "do": {
                "cmd": f"foldwise stage train@${{key}} {self.name}",
                "deps": [*self._there(*_CODE), f"{self.runs}/folds.parquet", f"{self.runs}/${{item.reads}}"],
                "params": params,
                "outs": _kept(*outs),
            },
        }

    def _layer(self, model: str) -> dict[str, Any]:
        spec = self.spec.models[model]
        views = [] if spec.view is None else [f"{self.runs}/{view_file(spec.view)}"]
        below = [f"{self.runs}/{folder}/{name}.parquet" for name in spec.stack_on if name in self.spec.models for folder in ("oof", "test")]
        elsewhere = self._member_files([name for name in spec.stack_on if name in self.spec.members])
        return {
            "cmd": f"foldwise stage train@{model} {self.name}",
            "deps": [*self._there(*_CODE), f"{self.runs}/folds.parquet", *views, *below, *elsewhere],
            "params": [{self.file: [f"models.{model}", *self._keys(_FIT_KEYS)]}],
            "outs": _kept(*(f"{self.runs}/{place}" for place in (f"oof/{model}.parquet", f"test/{model}.parquet", f"models/{model}"))),
        }

    def _item(self, model: str) -> dict[str, str]:
        """What differs from model to model."""
        reads = {"reads": view_file(self.spec.models[model].keys.view)}
        if not self.tuned:
            return reads
        # all models of a competition share one list of parameters: one that is not tuned names its own declaration once more
        own = {"tuned_in": self.tuned_file, "tuned": model} if model in self.tuned else {"tuned_in": self.file, "tuned": f"models.{model}"}
        return {**reads, **own}

    def _ensemble(self) -> dict[str, Any]:
        outs = [f"{self.runs}/ensemble.json", *(f"{self.runs}/oof/{entry}.parquet" for entry in (*self.spec.members, *self.spec.ensemble))]
        if self.data.get("data", {}).get("test"):
            outs.append(f"{self.runs}/submission.csv")
        predicted = [f"{self.runs}/{folder}/{model}.parquet" for model in self.spec.models for folder in ("oof", "test")]
        return {
            "cmd": f"foldwise stage ensemble {self.name}",
            "deps": [*self._there(*_CODE), *self._views(), *predicted, *self._member_files([*self.spec.members])],
            "params": [{self.file: self._keys(_ENSEMBLE_KEYS)}],
            "outs": [*_kept(*outs), {f"{self.runs}/{FOLDER}": {"persist": True}}],
            "metrics": [{f"{self.runs}/metrics.json": {"persist": True}}],
        }

    def _report(self) -> dict[str, Any]:
        predicted = [f"{self.runs}/oof/{name}.parquet" for name in (*self.spec.models, *self.spec.members)]
        keys = self._keys(_REPORT_KEYS)
        return {
            "cmd": f"foldwise stage report {self.name}",
            "deps": [*self._there(*_CODE), f"{self.runs}/metrics.json", f"{self.runs}/ensemble.json", *self._views(), *predicted],
            **({"params": [{self.file: keys}]} if keys else {}),
            "outs": _kept(f"{self.runs}/report.html", f"{self.runs}/run.json"),
        }

    def plots(self) -> list[dict[str, Any]]:
        """What ``dvc plots`` draws: the fold scores of every model, and the curves of the final."""
        place = f"{self.runs}/{FOLDER}"
        columns = {f"{place}/{FOLDS}.csv": [*self.spec.models, *self.spec.members, *self.spec.ensemble]}
        metric = self.spec.metric.name
        folds = {"x": "fold", "y": columns, "y_label": metric, "title": f"{self.name}: {metric} by fold", "template": "scatter"}
        found: list[dict[str, Any]] = [{f"{self.name}-{FOLDS}": folds}]
        for plot in PLOTS[self.spec.task]:
            drawn = {
                "x": plot.x,
                "y": {f"{place}/{plot.name}.csv": plot.y},
                "title": f"{self.name}: {plot.title}",
                "template": plot.template,
            }
            found.append({f"{self.name}-{plot.name}": drawn})
        return found

    def _keys(self, wanted: tuple[str, ...]) -> list[str]:
        return [key for key in wanted if key in self.data]

    def _views(self) -> list[str]:
        used = views_of(self.spec.models.values())
        return [f"{self.runs}/folds.parquet", *(f"{self.runs}/{view_file(view)}" for view in used)]

    def _member_files(self, members: list[str]) -> list[str]:
        """The files of predictions made elsewhere, which may be what another competition's stages write."""
        folders = (f"data/{self.name}", f"competitions/{self.name}")
        home = next((folder for folder in folders if (self.root / folder / self.spec.data.train).is_file()), folders[0])
        return list(
            dict.fromkeys(posixpath.normpath(posixpath.join(home, file)) for name in members for file in self.spec.members[name].files)
        )

    def _there(self, *places: str) -> list[str]:
        return [place for place in places if (self.root / place).exists()]


def _kept(*paths: str) -> list[dict[str, Any]]:
    """Outputs that DVC neither deletes before a stage runs nor copies into a cache of its own."""
    return [{path: {"cache": False, "persist": True}} for path in paths]
