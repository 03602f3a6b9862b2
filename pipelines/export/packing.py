"""``foldwise export``: one archive that runs a competition on a machine without a network, such as a Kaggle kernel."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from features.errors import InputError, listed
from pipelines.competition import Competition, find_competition
from pipelines.export.pins import pins
from pipelines.export.wheels import build_own, download_dependencies, is_source_tree
from pipelines.store import read_json, whole_file
from pipelines.unchanged import input_names, member_files

_DECLARED = (".py", ".yaml", ".yml", ".json", ".md")
_LEFT_OUT = ("runs", "data", "__pycache__")
_REQUIREMENTS = "requirements.txt"
_DATE = (1980, 1, 1, 0, 0, 0)
"""Of every entry: the same files give the same archive."""


@dataclass(frozen=True)
class Exported:
    """The archive, the names in it, and what to know about it."""

    archive: Path
    names: list[str]
    notes: list[str] = field(default_factory=list)


def export(name_or_folder: str, output: Path, *, runs: Path = Path("runs"), with_dependencies: bool = False) -> Exported:
    """Pack a competition.

    Parameters
    ----------
    output
        The archive, a ``.zip``; it appears whole.
    runs
        Where its latest run is looked for, whose scores are packed along.
    with_dependencies
        Pack the wheels of all it needs too, for this Python and this machine.

    Raises
    ------
    InputError
        When the declaration is wrong, the output is no place for an archive, or a wheel cannot be built or downloaded.
    """
    competition = find_competition(name_or_folder)
    _check_output(output)
    _check_declaration(competition)
    latest = runs / competition.name
    versions = pins()
    notes = [*_notes(latest, versions), *_member_notes(competition)]
    with tempfile.TemporaryDirectory(prefix="foldwise-export-") as place:
        wheels = Path(place) / "wheels"
        wheels.mkdir()
        build_own(wheels)
        requirements = Path(place) / _REQUIREMENTS
        requirements.write_text("".join(f"{name}=={version}\n" for name, version in versions.items()), encoding="utf-8")
        if with_dependencies:
            download_dependencies(requirements, wheels)
        readme = Path(place) / "README.md"
        readme.write_text(_readme(competition, latest, with_dependencies), encoding="utf-8")
        files = {"README.md": readme, _REQUIREMENTS: requirements}
        files |= {f"wheels/{path.name}": path for path in wheels.iterdir()}
        files |= {f"{competition.name}/{path.relative_to(competition.folder).as_posix()}": path for path in _own_files(competition)}
        files |= {"last_run/metrics.json": latest / "metrics.json"} if (latest / "metrics.json").is_file() else {}
        with whole_file(output) as file:
            _write(file, files)
    return Exported(output, sorted(files), notes)


def _check_output(output: Path) -> None:
    if output.suffix != ".zip":
        raise InputError(f"--output {output}: a name that ends in .zip is needed.")
    if output.is_dir() or not output.parent.is_dir():
        reason = "is a folder" if output.is_dir() else f"lies in {output.parent}, which is no folder"
        raise InputError(f"--output {output} {reason}. Name another file.")


def _check_declaration(competition: Competition) -> None:
    """What cannot run here would not run there."""
    from pipelines.build_spec import build_spec

    competition.load_own_steps()
    build_spec(competition.declaration())


def _own_files(competition: Competition) -> Iterator[Path]:
    """The declaration, tuned parameters, own steps and modules; the embedded data of a sample generator, never downloaded tables."""
    tables = set(input_names(competition.declaration(with_tuned=False).data))
    has_sample = (competition.folder / "sample.py").is_file()
    for path in sorted(competition.folder.rglob("*")):
        inside = path.relative_to(competition.folder)
        if not path.is_file() or path.is_symlink() or inside.as_posix() in tables or any(part.startswith(".") for part in inside.parts):
            continue
        is_embedded = has_sample and inside.parts[0] == "data" and path.suffix == ".csv" and path.name not in tables
        if is_embedded or (path.suffix in _DECLARED and path.name != "checksums.json" and not set(inside.parts) & set(_LEFT_OUT)):
            yield path


def _notes(latest: Path, versions: dict[str, str]) -> Iterator[str]:
    if not is_source_tree():
        yield "Foldwise is not installed from a source tree: its wheel was built from the installed files"
    if not (latest / "run.json").is_file():
        yield f"there is no run in {latest}, so no scores were packed"
        return
    for name, version in read_json(latest / "run.json")["versions"].items():
        if name in versions and version not in (None, versions[name]):
            yield f"the latest run used {name} {version}; {versions[name]} is installed now, and was pinned"


def _member_notes(competition: Competition) -> Iterator[str]:
    files = member_files(competition.declaration(with_tuned=False).data)
    if files:
        yield f"predictions made elsewhere are not packed: put {listed(files)} beside the competition's files, or take them out of 'members'"


def _write(target: Path, files: dict[str, Path]) -> None:
    with zipfile.ZipFile(target, "w") as archive:
        for name, path in sorted(files.items()):
            entry = zipfile.ZipInfo(name, _DATE)
            entry.external_attr = 0o644 << 16
            # wheels are packed already
            entry.compress_type = zipfile.ZIP_STORED if path.suffix == ".whl" else zipfile.ZIP_DEFLATED
            with path.open("rb") as source, archive.open(entry, "w", force_zip64=True) as sink:
                while block := source.read(1 << 20):
                    sink.write(block)


def _readme(competition: Competition, latest: Path, with_dependencies: bool) -> str:
    name = competition.name
    source = competition.declaration(with_tuned=False).data.get("data", {}).get("source") or {}
    files = f"/kaggle/input/{str(source['kaggle']).rpartition('/')[2]}" if "kaggle" in source else "/kaggle/input/FILES"
    packed = "-r /kaggle/input/PACK/requirements.txt foldwise" if with_dependencies else "--no-deps foldwise"
    install = f"!pip install --no-index --find-links /kaggle/input/PACK/wheels {packed}"
    run = (
        f"!mkdir -p data && ln -sfn {files} data/{name} && foldwise run /kaggle/input/PACK/{name} --data data --runs runs "
        f"&& cp runs/{name}/submission.csv ."
    )
    needs = (
        "The wheels of all that Foldwise needs are packed, for the Python and the machine that made this archive."
        if with_dependencies
        else "What Foldwise needs besides is not packed (`--with-dependencies` does that): the kernel must have it. "
        f"`{_REQUIREMENTS}` has the versions it was made with."
    )
    score = ""
    if (latest / "metrics.json").is_file():
        metrics = read_json(latest / "metrics.json")
        score = f"\nIts latest run: {metrics['metric']} {metrics['final']['score']:.5f} out-of-fold (`last_run/metrics.json`).\n"
    return f"""# {name}, to run without a network

Upload this archive as a Kaggle data set (`PACK` below), add it and the competition to a notebook, and run two commands.
Kaggle shows inputs below `/kaggle/input`, for some competitions below `/kaggle/input/competitions`: look where yours are.

```
{install}
{run}
```

{needs}
{score}"""
