"""The file of tuned parameters: merged when the declaration is read, and refused when it does not fit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from features.errors import InputError
from pipelines.competition import Competition
from pipelines.tuning.tuned import read_tuned, tuned_line, write_tuned
from tests.conftest import Tiny

ENTRY: dict[str, Any] = {"kind": "ridge", "params": {"alpha": 3.0}, "score": 1.0, "trials": 12, "study": "tiny/ridge/0", "folds": "others"}


def _declared(tiny: Tiny, **more: Any) -> Any:
    return Competition("tiny", tiny.folder).declaration(**more)


def test_parameters_keys_and_steps_are_merged_over_the_declared_ones(tiny: Tiny) -> None:
    before = tiny.declaration.read_bytes()
    write_tuned(tiny.folder, "ridge", {**ENTRY, "keys": {"view": ""}, "steps": {"features.1.target_encode.smooth": 5.0}})
    merged = _declared(tiny)
    assert merged.data["models"]["ridge"] == {"ridge": {"alpha": 3.0}, "view": ""}
    assert merged.data["features"][1] == {"target_encode": {"columns": ["street"], "smooth": 5.0}}
    assert merged.data["tune"]["ridge"]["found"]["trials"] == 12
    assert (
        tuned_line(merged)
        == "uses the tuned parameters of ridge (12 trials) from tuned.json; delete the file to go back to the declared ones"
    )
    assert tiny.declaration.read_bytes() == before


def test_a_setting_goes_before_a_tuned_parameter_and_the_declared_ones_can_be_had(tiny: Tiny) -> None:
    write_tuned(tiny.folder, "ridge", ENTRY)
    assert _declared(tiny, settings=("models.ridge.ridge.alpha=9",)).data["models"]["ridge"]["ridge"] == {"alpha": 9}
    plain = _declared(tiny, with_tuned=False)
    assert plain.data["models"]["ridge"]["ridge"] == {"alpha": 1.0}
    assert tuned_line(plain) is None


def test_entries_of_other_models_stay(tiny: Tiny) -> None:
    write_tuned(tiny.folder, "ridge", ENTRY)
    write_tuned(tiny.folder, "tree", {**ENTRY, "kind": "decision_tree", "params": {"max_depth": 2}})
    assert [*read_tuned(tiny.folder)] == ["ridge", "tree"]
    assert "date" not in (tiny.folder / "tuned.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "text, message",
    [
        ("{", "cannot be read"),
        ("[]", "holds list"),
        (json.dumps({"ridge": 3}), "the entry of 'ridge' has unknown 'no mapping'"),
        (json.dumps({"ridge": {**ENTRY, "parameters": {}}}), "unknown 'parameters'"),
        (json.dumps({"ridge": {**ENTRY, "params": [1]}}), "not kind, trials, score, study, folds and params as it should"),
        (json.dumps({"ridge": {name: ENTRY[name] for name in ENTRY if name != "score"}}), "not kind, trials, score"),
        (json.dumps({"rigde": ENTRY}), "names model 'rigde'.*Closest: 'ridge'"),
        (json.dumps({"tree": ENTRY}), "'tree' was tuned as 'ridge', and is declared as another kind"),
        (json.dumps({"ridge": {**ENTRY, "steps": {"features.9": "one_hot"}}}), "does not fit the declaration any more"),
        (
            json.dumps(
                {
                    "ridge": {**ENTRY, "steps": {"features.1.target_encode.smooth": 1.0}},
                    "tree": {**ENTRY, "kind": "decision_tree", "params": {}, "steps": {"features.1.target_encode.smooth": 2.0}},
                }
            ),
            "want different values",
        ),
    ],
)
def test_a_file_that_does_not_fit_is_refused(tiny: Tiny, text: str, message: str) -> None:
    Path(tiny.folder / "tuned.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        _declared(tiny)
