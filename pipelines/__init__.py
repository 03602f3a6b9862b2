"""What runs: from a declaration to out-of-fold predictions, an ensemble, a submission, a report and a tracked run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import features

# Threads of OpenMP (GNU's) spin for some milliseconds while they wait for each other. Where anything else runs on the cores, the one that
# they wait for does not get its turn, and LightGBM takes up to fifty times as long; asleep at once, they would take twice as long on idle
# cores. A brief spin costs neither (benchmarks/busy.py). Read when the first such library is loaded; the user's own settings count.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")

if Path(features.__file__ or "").parent.parent != Path(__file__).parent.parent:
    raise ImportError(
        f"Foldwise's package 'features' is shadowed: 'pipelines' comes from {Path(__file__).parent.parent}, 'features' from "
        f"{Path(features.__file__ or '').parent.parent}. Rename or remove the other one, or run from another folder."
    )

if TYPE_CHECKING:
    from pipelines.whole_run import Result, run

__all__ = ["Result", "run"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        import importlib

        return getattr(importlib.import_module("pipelines.whole_run"), name)
    raise AttributeError(f"module 'pipelines' has no attribute {name!r}")
