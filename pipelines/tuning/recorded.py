"""A tuning session on record: ``studies/<session_id>/study.json``, from which the tracker is told of its trials."""

from __future__ import annotations

import datetime
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from optuna.study import Study
from optuna.trial import FrozenTrial

from pipelines.session import Session
from pipelines.store import key_of, read_json, version_of, whole_folder, write_json
from pipelines.tracking.studies import STUDY
from pipelines.tuning.outcome import outcome_of, row_of
from pipelines.tuning.study import has_ended

FOLDER = "studies"
"""Below ``runs/<competition>``."""


@dataclass
class Recorder:
    """Gathers the trials of one ``foldwise tune``; those of a session that was killed before it wrote its own come with it."""

    session: Session
    wanted: dict[str, Any]
    folds: str
    """The tuning folds, as they are called."""
    models: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, model: str, study: Study) -> None:
        """Take the trials of a model's study that have ended and stand in no record yet."""
        known = self._recorded(study.study_name)
        trials = [trial for trial in study.get_trials(deepcopy=False) if has_ended(trial) and trial.number not in known]
        if not trials:
            return
        found = outcome_of(study)
        self.models[model] = {
            "study": study.study_name,
            "best": None if found is None else found.best.values[0],
            "declared": None if found is None or found.declared is None else found.declared.values[0],
            "trials": [_row(trial) for trial in trials],
        }

    def _recorded(self, study: str) -> set[int]:
        records = [read_json(path) for path in (self.session.latest / FOLDER).glob(f"[!.]*/{STUDY}")]
        entries = [entry for record in records for entry in record["models"].values() if entry["study"] == study]
        return {trial["number"] for entry in entries for trial in entry["trials"]}

    def write(self) -> Path | None:
        """Write the record; none where no trial has ended."""
        if not self.models:
            return None
        session, moment = self.session, self.session.around.now
        name = f"tune-{moment:%Y%m%d-%H%M%S}-{key_of(moment.isoformat(), os.getpid(), [*self.models])[:6]}"
        facts = {
            "session_id": name,
            "competition": session.competition.name,
            "started": moment.isoformat(),
            "ended": datetime.datetime.now(datetime.UTC).isoformat(),
            "tracked": session.options.track,
            "metric": session.metric.name,
            "wanted": {**self.wanted, "folds": self.folds},
            "device": str(session.keys.devices),
            "git_commit": session.around.git_commit,
            "versions": {name: version_of(name) for name in ("foldwise", "optuna")},
            "data": {"folder": str(session.data), "hashes": session.keys.inputs},
            "options": {"sample": session.options.sample, "settings": session.options.settings},
            "declaration": session.declaration.data,
            "models": self.models,
        }
        folder = session.latest / FOLDER / name
        with whole_folder(folder) as out:
            write_json(out / STUDY, facts)
        return folder


def _row(trial: FrozenTrial) -> dict[str, Any]:
    began = trial.datetime_start or trial.datetime_complete
    assert began is not None, "a trial that has ended was begun"
    return {**row_of(trial), "folds": trial.user_attrs.get("folds", []), "started": began.astimezone().isoformat()}
