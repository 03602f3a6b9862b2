"""Scoring new raw rows with what a run has fitted: from ``foldwise predict``, from Python, or as an MLflow model."""
