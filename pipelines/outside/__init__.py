"""Predictions made elsewhere, a competition's ``members``: declared, read, checked, and held against the run's folds."""
