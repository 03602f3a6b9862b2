"""What each kind of model is told so that it learns a quantile, where the metric asks for one.

A quantile keeps under an increasing function: the 0.9 quantile of the logarithm is the logarithm of the 0.9 quantile. So models
learn it on the transformed (and scaled) target, and their predictions are taken back as they are, without a correction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class QuantileLoss:
    """A kind's own loss for quantiles.

    Attributes
    ----------
    names
        The parameters that choose a loss, ours first, then the library's other names for it.
    of
        The parameters for a quantile between 0 and 1.
    """

    names: tuple[str, ...]
    of: Callable[[float], dict[str, Any]]

    def added_to(self, params: Mapping[str, Any], quantile: float) -> dict[str, Any]:
        """The parameters with this loss, where they name no other; what they say themselves holds."""
        wanted = self.of(quantile)
        named = [name for name in self.names if name in params]
        if any(params[name] != wanted.get(self.names[0]) for name in named):
            return dict(params)
        return {**{name: value for name, value in wanted.items() if not (named and name in self.names)}, **params}


QUANTILE_LOSSES: dict[str, QuantileLoss] = {
    "lightgbm": QuantileLoss(
        ("objective", "objective_type", "app", "application", "loss"), lambda alpha: {"objective": "quantile", "alpha": alpha}
    ),
    "xgboost": QuantileLoss(("objective",), lambda alpha: {"objective": "reg:quantileerror", "quantile_alpha": alpha}),
    "catboost": QuantileLoss(("loss_function", "objective"), lambda alpha: {"loss_function": f"Quantile:alpha={alpha}"}),
    "gbdt": QuantileLoss(("loss",), lambda alpha: {"loss": "quantile", "alpha": alpha}),
    "hist_gbdt": QuantileLoss(("loss",), lambda alpha: {"loss": "quantile", "quantile": alpha}),
    "quantile_regression": QuantileLoss((), lambda alpha: {"quantile": alpha}),
}
"""The kinds that learn a quantile; the others (forests, ridge) learn the mean whatever the metric."""


def learning_quantile(kind: str, params: Mapping[str, Any], quantile: float) -> dict[str, Any]:
    """The parameters of a model with its kind's loss for a quantile; those of other kinds as they are.

    >>> learning_quantile("xgboost", {"max_depth": 3}, 0.9)
    {'objective': 'reg:quantileerror', 'quantile_alpha': 0.9, 'max_depth': 3}
    >>> learning_quantile("xgboost", {"objective": "reg:squarederror"}, 0.9)
    {'objective': 'reg:squarederror'}
    """
    of = params.get("of")
    if isinstance(of, Mapping):
        # a kind inside another one (bagging); what is no table of parameters is left for the checks to tell
        inside = {inner: {} if own is None else own for inner, own in of.items()}
        learning = {inner: learning_quantile(inner, own, quantile) if isinstance(own, Mapping) else own for inner, own in inside.items()}
        return {**params, "of": learning}
    return QUANTILE_LOSSES[kind].added_to(params, quantile) if kind in QUANTILE_LOSSES else dict(params)
