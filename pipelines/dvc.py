"""Writing ``dvc.yaml``: DVC drives the same stages; the store stays the only cache."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from features.errors import InputError
from pipelines.build_spec import build_spec
from pipelines.competition import DECLARATION, find_competition

FILE = "dvc.yaml"
_HEADER = "# Written by 'foldwise dvc', compared by CI. Every stage takes what is unchanged from runs/<competition>/.store.\n"
_TABLE_KEYS = ("data", "task", "split", "rows", "target")
_STEP_KEYS = ("clean", "features", "views")
_FIT_KEYS = ("resample", "refit")
_ENSEMBLE_KEYS = ("metric", "ensemble", "calibrate", "postprocess", "threshold")


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
    for name in names:
        stages |= competition_stages(root, name)
    yaml = YAML()
    yaml.width = 160
    stream = io.StringIO()
    yaml.dump({"stages": stages}, stream)
    return _HEADER + stream.getvalue()


def competition_stages(root: Path, name: str) -> dict[str, Any]:
    """Prepare, train of each model, ensemble and report of one competition, each with the parameters it reads."""
    competition = find_competition(str(root / "competitions" / name))
    declared = competition.declaration().data
    file = f"competitions/{name}/{DECLARATION}"
    competition.load_own_steps()
    spec = build_spec(competition.declaration())
    runs, models, entries = f"runs/{name}", [*spec.models], [*spec.ensemble]
    # the folder stands in the repository, empty: DVC refuses a dependency that is not there, and sees files that are put in
    places = (f"data/{name}", "features", "pipelines", *(f"competitions/{name}/{extra}" for extra in ("steps.py", "sample.py", "data")))
    there = [place for place in places if (root / place).exists()]
    read = [key for key in (*_TABLE_KEYS, *_STEP_KEYS) if key in declared]
    return {
        f"{name}-prepare": {
            "cmd": f"foldwise stage prepare {name}",
            "deps": there,
            "params": [{file: read}],
            "outs": _kept(f"{runs}/folds.parquet", f"{runs}/plan.json"),
        },
        f"{name}-train": {
            "foreach": models,
            "do": {
                "cmd": f"foldwise stage train@${{item}} {name}",
                "deps": [f"{runs}/folds.parquet", f"{runs}/plan.json"],
                "params": [{file: ["models.${item}", *(key for key in _FIT_KEYS if key in declared)]}],
                "outs": _kept(f"{runs}/oof/${{item}}.parquet", f"{runs}/test/${{item}}.parquet", f"{runs}/models/${{item}}"),
            },
        },
        f"{name}-ensemble": {
            "cmd": f"foldwise stage ensemble {name}",
            "deps": [f"{runs}/{folder}/{model}.parquet" for model in models for folder in ("oof", "test")],
            "params": [{file: [key for key in _ENSEMBLE_KEYS if key in declared]}],
            "outs": _kept(f"{runs}/ensemble.json", *(f"{runs}/oof/{entry}.parquet" for entry in entries), *_submission(declared, runs)),
            "metrics": [{f"{runs}/metrics.json": {"cache": False, "persist": True}}],
        },
        f"{name}-report": {
            "cmd": f"foldwise stage report {name}",
            "deps": [f"{runs}/metrics.json", f"{runs}/ensemble.json"],
            "params": [{file: [key for key in ("title", "report") if key in declared]}],
            "outs": _kept(f"{runs}/report.html", f"{runs}/run.json"),
        },
    }


def _submission(declared: dict[str, Any], runs: str) -> list[str]:
    return [f"{runs}/submission.csv"] if declared.get("data", {}).get("test") else []


def _kept(*paths: str) -> list[dict[str, Any]]:
    """Outputs that DVC neither deletes before a stage runs nor copies into a cache of its own."""
    return [{path: {"cache": False, "persist": True}} for path in paths]
