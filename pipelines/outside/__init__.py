"""Predictions made elsewhere, a competition's ``members``: declared, read, checked, and held against the run's folds."""

SAME = "same"
"""What stands in the place of a file of folds where the declaration gives its word."""
