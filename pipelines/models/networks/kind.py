"""What the kinds of network share: parameters checked by a table, epochs found on an inner cut, a fitted network of arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.metrics import Array
from pipelines.models.contract import Training
from pipelines.models.matrix import as_prediction
from pipelines.models.networks.descent import Course, Net, Rows, descend, torch_alone
from pipelines.models.networks.inputs import Inputs, Target, numbers
from pipelines.models.plain import load_estimator, save_estimator

State: TypeAlias = "dict[str, NDArray[np.float64]]"
"""What a network has learnt, by name."""
Range: TypeAlias = "tuple[str, Callable[[Any], bool]]"
"""What a parameter's value must be, in words and as a check."""
_CELLS_AT_ONCE = 4_000_000
"""Of the widest layer, when predicting."""


def is_whole(low: int) -> Callable[[Any], bool]:
    """Whether a value is a whole number of at least ``low``."""
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= low


def is_number(low: float, high: float = np.inf) -> Callable[[Any], bool]:
    """Whether a value is a number of at least ``low`` and below ``high``."""
    return lambda value: isinstance(value, int | float) and not isinstance(value, bool) and low <= value < high


@dataclass(frozen=True)
class NetworkKind:
    """A kind of network; a kind of its own gives the hooks ``_settings``, ``_net``, ``_course``, ``outputs`` and ``width``."""

    name: str
    rounds_names: tuple[str, ...]
    distributions: tuple[str, ...]
    tasks: tuple[str, ...] = ("regression", "binary", "multiclass")

    extra: ClassVar[str] = "torch"
    """The extra of Foldwise that installs what it imports."""
    imports: ClassVar[tuple[str, ...]] = ("torch",)
    are_passes: ClassVar[bool] = True
    """Whether its rounds are passes through the rows, and not more of them where there are more rows."""
    ranges: ClassVar[Mapping[str, Range]] = {}
    modules: ClassVar[tuple[str, ...]] = tuple(f"pipelines.models.networks.{name}" for name in ("kind", "descent", "inputs"))
    """Other modules that its fits are made by."""

    def parameters(self, task: str) -> frozenset[str]:
        """Those of its table: the same whether its library is installed or not."""
        return frozenset(self.ranges)

    def value_faults(self, task: str, params: dict[str, Any]) -> list[str]:
        """Values out of range."""
        return [
            f"{name} is {needs}, found {params[name]!r}."
            for name, (needs, is_allowed) in self.ranges.items()
            if params.get(name) is not None and not is_allowed(params[name])
        ]

    def fit(self, params: dict[str, Any], training: Training) -> FittedNetwork:
        """Fit on a training part for as many epochs as the parameters say."""
        inputs, target, rows = self._learnt(training)
        settings = self._settings(params, training)
        epochs = int(settings[self.rounds_names[0]])
        with torch_alone(training.seed, training.threads, training.device):
            net = self._net(settings, rows.X, self._n_outputs(training))
            descend(net, rows, self._course(settings, epochs))
        state = {name: value.detach().cpu().numpy() for name, value in net.state.items()}
        return FittedNetwork(self, training.task, inputs, target, state, settings, epochs)

    def find_rounds(self, params: dict[str, Any], part: Training, held: Training) -> int:
        """The epochs after which the loss on the rows held out is least."""
        inputs, target, rows = self._learnt(part)
        settings = self._settings(params, part)
        stop = self._rows(held, inputs, target)
        with torch_alone(part.seed, part.threads, part.device):
            net = self._net(settings, rows.X, self._n_outputs(part))
            return descend(net, rows, self._course(settings, self._most_epochs(settings, part)), stop)

    def load(self, folder: Path, task: str) -> FittedNetwork:
        """The network that was saved in a folder; PyTorch is not needed."""
        saved = load_estimator(folder / "estimator.safetensors")
        return FittedNetwork(self, task, Inputs(**saved["inputs"]), Target(**saved["target"]), *(saved[name] for name in _PLAIN))

    def _learnt(self, training: Training) -> tuple[Inputs, Target, Rows]:
        inputs = Inputs.of(numbers(training.X, self.name))
        target = Target.of(training.y, training.task)
        return inputs, target, self._rows(training, inputs, target)

    def _rows(self, training: Training, inputs: Inputs, target: Target) -> Rows:
        X = inputs.scaled(numbers(training.X, self.name))
        is_regression = training.task == "regression"
        return Rows.of(X, target.scaled(training.y), training.weights, is_regression=is_regression, device=training.device)

    def _n_outputs(self, training: Training) -> int:
        return {"regression": 1, "binary": 2}.get(training.task, training.n_classes)

    def _settings(self, params: dict[str, Any], training: Training) -> dict[str, Any]:
        """The given parameters and the defaults of the rest, as plain values."""
        raise NotImplementedError

    def _most_epochs(self, settings: dict[str, Any], part: Training) -> int:
        """How many epochs are tried where their number is looked for."""
        raise NotImplementedError

    def _net(self, settings: dict[str, Any], X: Any, n_outputs: int) -> Net:
        """The network before its first step; ``X`` are the rows that it will be trained on."""
        raise NotImplementedError

    def _course(self, settings: dict[str, Any], epochs: int) -> Course:
        """How far and how fast it is trained."""
        raise NotImplementedError

    def outputs(self, state: State, settings: dict[str, Any], X: Array) -> Array:
        """What a trained network says of scaled rows, of shape (n_rows, n_members, n_outputs)."""
        raise NotImplementedError

    def width(self, state: State, settings: dict[str, Any]) -> int:
        """Cells of a row in the widest layer."""
        raise NotImplementedError


_PLAIN = ("state", "settings", "epochs")


@dataclass(frozen=True)
class FittedNetwork:
    """A trained network as arrays. It predicts in double precision, so that a row alone is its row of a batch."""

    kind: NetworkKind
    task: str
    inputs: Inputs
    target: Target
    state: dict[str, NDArray[np.float32]]
    settings: dict[str, Any]
    epochs: int

    def predict(self, X: pd.DataFrame) -> Array:
        """Values or probabilities."""
        rows = self.inputs.scaled(numbers(X, self.kind.name))
        state = {name: values.astype(np.float64) for name, values in self.state.items()}
        at_once = max(1, _CELLS_AT_ONCE // self.kind.width(state, self.settings))
        # a part of no rows keeps the shape where there are none
        parts = [rows[start : start + at_once] for start in range(0, max(len(rows), 1), at_once)]
        # weights that training has driven beyond all numbers show as predictions that are none
        with np.errstate(over="ignore", invalid="ignore"):
            said = [self._said(self.kind.outputs(state, self.settings, part)) for part in parts]
        return as_prediction(np.concatenate(said), self.task)

    def _said(self, outputs: Array) -> Array:
        if self.task != "regression":
            shares = np.exp(outputs - outputs.max(axis=2, keepdims=True))
            return np.asarray((shares / shares.sum(axis=2, keepdims=True)).mean(axis=1))
        values: Array = outputs[:, :, 0].mean(axis=1) * self.target.spread + self.target.mean
        return np.clip(values, self.target.low, self.target.high) if self.settings.get("clamp_output") else values

    def importances(self) -> Array | None:
        """It has none."""
        return None

    def facts(self) -> dict[str, Any]:
        """Epochs, as the rounds of this kind."""
        return {"rounds": self.epochs}

    def save(self, folder: Path) -> None:
        """One safetensors file."""
        plain = {"inputs": asdict(self.inputs), "target": asdict(self.target)}
        save_estimator({**plain, **{name: getattr(self, name) for name in _PLAIN}}, folder / "estimator.safetensors")
