"""RealMLP: a multilayer perceptron with defaults that were tuned on many tables (Holzmüller, Grinsztajn and Steinwart, 2024,
Better by default: strong pre-tuned MLPs and boosted trees on tabular data)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar

import numpy as np

from pipelines.metrics import Array
from pipelines.models.contract import Training
from pipelines.models.networks.descent import Course, Net, Tensor
from pipelines.models.networks.kind import NetworkKind, Range, State, is_number, is_whole

_FREQUENCIES, _EMBEDDED, _SPREAD_OF_FREQUENCIES = 16, 3, 0.1
"""Of the embedding of a number: cosines, what they are mixed into, and the spread that frequencies start with."""
_ROWS_TO_START = 10_000
"""The most rows by which the first weights are drawn."""
_LEAST_SPREAD = 1e-5
"""Of a unit over the rows, where one unit of input spread is usual."""
_DEFAULT = "td"
_VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "td_s": {"p_drop": 0.0, "wd": 0.0, "lr": {True: 0.07, False: 0.04}, "clamp_output": False},
    "td": {"p_drop": 0.15, "wd": 0.02, "lr": {True: 0.2, False: 0.04}, "clamp_output": True},
}
_ACTIVATIONS = ("mish", "relu", "selu")


def _are_sizes(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) > 0 and all(is_whole(1)(one) for one in value)


@dataclass(frozen=True)
class RealMLP(NetworkKind):
    """RealMLP with the tuned defaults of its authors, ``td``, or the simplified ones, ``td_s``.

    Parameters in a declaration, with the names of the authors' library (pytabkit): ``variant`` (``td``); ``hidden_sizes``
    ([256, 256, 256]); ``n_epochs``, for which the learning rate's schedule is made (256); ``stop_epoch``, after which it ends
    (found by an inner cut of the training part; ``n_epochs`` goes through to the end); ``batch_size`` (256); ``lr`` (0.04 for
    classes; 0.2, ``td_s`` 0.07, for numbers); ``p_drop`` (0.15, ``td_s`` 0); ``wd``, the weight decay (0.02, ``td_s`` 0);
    ``ls_eps``, label smoothing (0: the library's 0.1 is for the error rate, here probabilities count); ``act``: selu (classes), mish
    (numbers) or relu. ``td`` also embeds each number by cosines and learns how bent its activations are.
    """

    name: str = "realmlp"
    rounds_names: tuple[str, ...] = ("stop_epoch",)
    distributions: tuple[str, ...] = ("torch",)
    ranges: ClassVar[Mapping[str, Range]] = {
        "variant": (f"one of {', '.join(_VARIANTS)}", lambda value: value in tuple(_VARIANTS)),
        "hidden_sizes": ("a list of whole numbers of at least 1", _are_sizes),
        "n_epochs": ("a whole number of at least 1", is_whole(1)),
        "stop_epoch": ("a whole number of at least 1", is_whole(1)),
        "batch_size": ("a whole number of at least 1", is_whole(1)),
        "lr": ("a number of at least 0", is_number(0.0)),
        "p_drop": ("a number from 0 to below 1", is_number(0.0, 1.0)),
        "wd": ("a number of at least 0", is_number(0.0)),
        "ls_eps": ("a number from 0 to below 1", is_number(0.0, 1.0)),
        "act": (f"one of {', '.join(_ACTIVATIONS)}", lambda value: value in _ACTIVATIONS),
    }

    def _settings(self, params: dict[str, Any], training: Training) -> dict[str, Any]:
        given = {name: value for name, value in params.items() if value is not None}
        is_regression = training.task == "regression"
        variant = _VARIANTS[given.get("variant", _DEFAULT)]
        plain = {"variant": _DEFAULT, "hidden_sizes": [256, 256, 256], "n_epochs": 256, "batch_size": 256, "ls_eps": 0.0}
        own = {**variant, "lr": variant["lr"][is_regression], "act": "mish" if is_regression else "selu"}
        settings = {**plain, **own, **given}
        return {**settings, "stop_epoch": min(settings.get("stop_epoch", settings["n_epochs"]), settings["n_epochs"])}

    def _most_epochs(self, settings: dict[str, Any], part: Training) -> int:
        return min(int(settings["n_epochs"]), part.max_rounds)

    def _course(self, settings: dict[str, Any], epochs: int) -> Course:
        lr, wd = float(settings["lr"]), float(settings["wd"])
        return Course(
            epochs,
            int(settings["n_epochs"]),
            int(settings["batch_size"]),
            lambda at: lr * coslog4(at),
            lambda at: wd * flat_cosine(at),
            (0.9, 0.95),
            # each cycle of the learning rate is twice as long as the one before: the next one's end is always waited for
            patience=20,
            stretch=2.0,
            smoothing=float(settings["ls_eps"]),
        )

    def _net(self, settings: dict[str, Any], X: Any, n_outputs: int) -> Net:
        import torch

        state = _start(settings, X, n_outputs)
        p_drop, act = float(settings["p_drop"]), _torch_activation(settings["act"])

        def forward(rows: Tensor, progress: float | None) -> Tensor:
            share = 0.0 if progress is None else p_drop * flat_cosine(progress)
            drop = (lambda h: torch.dropout(h, share, train=True)) if share > 0 else None
            return _forward(state, rows, act, torch, drop)

        groups = [
            {"params": [value.requires_grad_()], "factor": _rate_factor(name), "decays": 0.0 if name.startswith("bias") else 1.0}
            for name, value in state.items()
        ]
        return Net(forward, groups, state)

    def outputs(self, state: State, settings: dict[str, Any], X: Array) -> Array:
        """The same formulas as in training, with NumPy."""
        return np.asarray(_forward(state, X, _NUMPY_ACTIVATIONS[settings["act"]], np))

    def width(self, state: State, settings: dict[str, Any]) -> int:
        """The widest layer; the cosines of the embedding are counted as one."""
        cosines = state["frequency"].size if "frequency" in state else 0
        return max(cosines, *(len(weight) for name, weight in state.items() if name.startswith("weight")))


def coslog4(at: float) -> float:
    """The learning rate's schedule: four cosine cycles, each twice as long as the one before.

    >>> [round(coslog4(at), 6) for at in (0.0, 1 / 15, 3 / 15, 1.0)]
    [0.0, 0.0, 0.0, 0.0]
    """
    return 0.5 - 0.5 * math.cos(2 * math.pi * math.log2(1 + 15 * at))


def flat_cosine(at: float) -> float:
    """One until half-way, then a cosine down to zero.

    >>> [round(flat_cosine(at), 6) for at in (0.0, 0.5, 0.75, 1.0)]
    [1.0, 1.0, 0.5, 0.0]
    """
    return 0.5 + 0.5 * math.cos(math.pi * max(0.0, 2 * at - 1))


def _rate_factor(name: str) -> float:
    """Its multiple of the learning rate: the scale of the inputs goes faster, biases, bends and embeddings more slowly."""
    return 6.0 if name == "scale" else 1.0 if name.startswith("weight") else 0.1


def _start(settings: dict[str, Any], X: Tensor, n_outputs: int) -> dict[str, Tensor]:
    """The first weights: drawn from a normal distribution, in ``td`` scaled and shifted by what the rows are like."""
    import torch

    is_td, act = settings["variant"] == "td", _torch_activation(settings["act"])
    on = {"device": X.device}
    state = _first_embedding(X.shape[1], on) if is_td else {}
    with torch.no_grad():
        h = X[torch.randperm(len(X), **on)[:_ROWS_TO_START]]
        h = _embedded(state, h, torch) if is_td else h
        state["scale"] = torch.ones(h.shape[1], **on)
        sizes = [*settings["hidden_sizes"], n_outputs]
        for layer, size in enumerate(sizes):
            is_last = layer + 1 == len(sizes)
            weight, bias = torch.randn(h.shape[1], size, **on), torch.randn(size, **on)
            h = h @ weight * h.shape[1] ** -0.5
            if is_td:
                spread = h.std(dim=0, correction=0)
                # rows that are all the same differ by rounding alone
                spread = torch.where(spread > _LEAST_SPREAD, spread, 1.0)
                weight, h = weight / spread, h / spread
                bias = _hull_bias(h)
            elif is_last:
                weight, bias = torch.zeros_like(weight), torch.zeros_like(bias)
            state |= {f"weight_{layer}": weight, f"bias_{layer}": bias}
            if is_td and not is_last:
                state[f"bend_{layer}"] = torch.ones(size, **on)
            h = act(h + bias)
    return state


def _first_embedding(n_columns: int, on: dict[str, Any]) -> dict[str, Tensor]:
    import torch

    def uniform(*shape: int) -> Tensor:
        return 2 * torch.rand(*shape, **on) - 1

    return {
        "frequency": _SPREAD_OF_FREQUENCIES * torch.randn(n_columns, _FREQUENCIES, **on),
        "phase": math.pi * uniform(n_columns, _FREQUENCIES),
        "mix": uniform(n_columns, _FREQUENCIES, _EMBEDDED) * _FREQUENCIES**-0.5,
        "mix_bias": uniform(n_columns, _EMBEDDED) * _FREQUENCIES**-0.5,
    }


def _hull_bias(h: Tensor, n_points: int = 5) -> Tensor:
    """Biases that put each unit's kink inside the rows: less a random point between what five rows say (He+5)."""
    import torch

    rows = torch.randint(len(h), (n_points, h.shape[1]), device=h.device)
    shares = -torch.rand(n_points, h.shape[1], device=h.device).clamp_min(1e-12).log()
    return -(h.gather(0, rows) * shares / shares.sum(dim=0)).sum(dim=0)


def _embedded(state: Mapping[str, Any], h: Any, xp: ModuleType) -> Any:
    """Each number beside a few mixtures of its cosines, of shape (n_rows, 4 * n_columns)."""
    waves = xp.cos(2 * math.pi * h[:, :, None] * state["frequency"] + state["phase"])
    mixed = (waves.swapaxes(0, 1) @ state["mix"]).swapaxes(0, 1) + state["mix_bias"]
    return xp.concatenate([mixed.reshape(len(h), mixed.shape[1] * mixed.shape[2]), h], 1)


def _forward(state: Mapping[str, Any], h: Any, act: Callable[[Any], Any], xp: ModuleType, drop: Callable[[Any], Any] | None = None) -> Any:
    """The network's formulas, for PyTorch and for NumPy (``xp``): (n_rows, n_columns) to (n_rows, 1, n_outputs)."""
    if "frequency" in state:
        h = _embedded(state, h, xp)
    h = h * state["scale"]
    n_layers = sum(name.startswith("weight") for name in state)
    for layer in range(n_layers):
        weight = state[f"weight_{layer}"]
        h = h @ weight * weight.shape[0] ** -0.5 + state[f"bias_{layer}"]
        if layer + 1 < n_layers:
            bent = act(h)
            h = h + (bent - h) * state[f"bend_{layer}"] if f"bend_{layer}" in state else bent
            h = h if drop is None else drop(h)
    return h[:, None, :]


def _torch_activation(name: str) -> Callable[[Tensor], Tensor]:
    import torch.nn.functional as functional

    found: Callable[[Tensor], Tensor] = getattr(functional, name)
    return found


def _mish(h: Array) -> Array:
    return np.asarray(h * np.tanh(np.logaddexp(0.0, h)))


def _selu(h: Array) -> Array:
    return np.asarray(1.0507009873554805 * np.where(h > 0, h, 1.6732632423543772 * np.expm1(np.minimum(h, 0.0))))


_NUMPY_ACTIVATIONS: Mapping[str, Callable[[Array], Array]] = {"mish": _mish, "selu": _selu, "relu": lambda h: np.maximum(h, 0.0)}
