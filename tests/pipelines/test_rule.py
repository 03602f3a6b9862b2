"""Rules as models: baselines that learn nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.errors import InputError
from pipelines.models import check_parameters, kinds
from pipelines.models.contract import Training

X = pd.DataFrame({"sex": ["female", "male", "female"], "area": [1.0, 4.0, 9.0]})


@pytest.mark.parametrize(
    ("task", "rule", "expected"),
    [
        ("binary", "sex == 'female'", [1, 0, 1]),
        ("binary", "where(area > 3, 0.9, 0.2)", [0.2, 0.9, 0.9]),
        ("regression", "sqrt(area)", [1, 2, 3]),
        ("regression", "7", [7, 7, 7]),
    ],
)
def test_predictions_are_the_rule(task: str, rule: str, expected: list[float], tmp_path: Path) -> None:
    kind = kinds()["rule"]
    fitted = kind.fit({"predict": rule}, Training(X, np.zeros(3), None, task, 2, seed=0))
    assert fitted.predict(X).tolist() == expected
    fitted.save(tmp_path)
    assert kind.load(tmp_path, task).predict(X).tolist() == expected


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "needs the parameter 'predict'"),
        ({"predict": "__import__('os')"}, "calls '__import__'"),
        ({"predikt": "1"}, "unknown parameter of 'rule'; allowed: predict. Closest: 'predict'"),
    ],
)
def test_bad_parameters(params: dict[str, str], message: str) -> None:
    assert message in check_parameters("rule", "binary", params)[0][1]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("area", "must give probabilities from 0 to 1; it gives 1 to 9"),
        ("log(area - 1) > 0 and colour == 'red'", "needs column 'colour'"),
        ("log(area - 1) / 10", "has no value in 1 rows"),
    ],
)
def test_a_rule_that_does_not_fit(rule: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        kinds()["rule"].fit({"predict": rule}, Training(X, np.zeros(3), None, "binary", 2, seed=0)).predict(X)
