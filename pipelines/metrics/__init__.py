"""Metrics as objects: direction, what they need, the tasks they fit, and their score as a function of weights.

A metric without parameters is a row of ``METRICS`` in ``registry``; one with parameters is a function that makes it, named in
``METRIC_FACTORIES``, whose signature gives the parameters of the declaration.
"""

from pipelines.metrics.metric import BINARY, CLASSIFICATION, REGRESSION, Array, Columns, Judge, Metric, as_labels, check_probabilities
from pipelines.metrics.registry import METRIC_FACTORIES, METRICS, metric_of

__all__ = [
    "BINARY",
    "CLASSIFICATION",
    "METRICS",
    "METRIC_FACTORIES",
    "REGRESSION",
    "Array",
    "Columns",
    "Judge",
    "Metric",
    "as_labels",
    "check_probabilities",
    "metric_of",
]
