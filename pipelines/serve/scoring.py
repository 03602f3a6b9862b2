"""The code that MLflow keeps with a model and runs to load it: a model from code, so that nothing is pickled.

MLflow copies this file; ``pipelines`` must be installed where it is loaded.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel

from pipelines.serve.predictor import Predictor


class RunModel(PythonModel):
    """A run's predictor, as MLflow wants it."""

    predictor: Predictor

    def load_context(self, context: Any) -> None:
        """Load the predictor, once."""
        self.predictor = Predictor.read(Path(context.artifacts["run"]))

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Predictions for raw rows, as ``foldwise predict`` writes them."""
        return self.predictor.predict(model_input)


set_model(RunModel())
