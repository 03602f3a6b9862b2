"""The process that a probe runs in: real fits of one kind on one device, timed. ``python -m pipelines.devices.child REQUEST``."""

from __future__ import annotations

import json
import sys
import time
import warnings
from typing import Any

import numpy as np
import pandas as pd

from pipelines.devices.probe import MARK
from pipelines.engine import end_with
from pipelines.models import kinds
from pipelines.models.contract import Training
from pipelines.models.rounds import FindsRounds

_WARM_ROWS = 200


def main(request: dict[str, Any]) -> dict[str, Any]:
    """Seconds of a fit for each number of rows, or what the library says instead.

    Parameters
    ----------
    request
        ``kind``, ``device``, ``rows`` (a list), ``columns``, ``rounds``, ``threads``.
    """
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            # the first fit of a process also loads the library and the driver
            used = _device_of(_fitted(request, _training(request, _WARM_ROWS), rounds=2))
        if used is not None and not used.startswith(request["device"]):
            return {"refused": "; ".join(str(one.message) for one in caught) or f"it trained on {used!r} instead"}
        return {"seconds": [_seconds(request, _training(request, rows)) for rows in request["rows"]]}
    except Exception as error:
        # whatever a library or a driver raises is the answer
        return {"refused": f"{type(error).__name__}: {error}"}


def _seconds(request: dict[str, Any], training: Training) -> float:
    began = time.perf_counter()
    _fitted(request, training, rounds=request["rounds"])
    return time.perf_counter() - began


def _fitted(request: dict[str, Any], training: Training, *, rounds: int) -> Any:
    """A fit as a run makes it."""
    kind = kinds()[request["kind"]]
    assert isinstance(kind, FindsRounds), "what can use a GPU has rounds, or epochs"
    return kind.fit({kind.rounds_names[0]: rounds}, training)


def _training(request: dict[str, Any], rows: int) -> Training:
    """Random numbers to fit on."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows, request["columns"])).astype(np.float32)
    y = (X[:, 0] + X[:, -1] ** 2 + rng.normal(size=rows)).astype(np.float64)
    return Training(pd.DataFrame(X).rename(columns=str), y, None, "regression", 0, 0, request["threads"], request["device"])


def _device_of(fitted: Any) -> str | None:
    """Where a model says it was trained: XGBoost takes the CPU with a warning where there is no GPU; the others raise."""
    save_config = getattr(getattr(fitted, "booster", None), "save_config", None)
    return None if save_config is None else str(json.loads(save_config())["learner"]["generic_param"]["device"])


if __name__ == "__main__":
    asked = json.loads(sys.argv[1])
    # a driver that hangs would outlive a run that was killed
    end_with(asked["parent"])
    answer = main(asked)
    sys.stdout.write(f"\n{MARK}{json.dumps(answer)}\n")
