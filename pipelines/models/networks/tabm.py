"""TabM: many perceptrons that share most of their weights, by the authors' package (Gorishniy, Kotelnikov and Babenko, 2025,
TabM: advancing tabular deep learning with parameter-efficient ensembling)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from pipelines.metrics import Array
from pipelines.models.contract import Training
from pipelines.models.networks.descent import Course, Net, Tensor
from pipelines.models.networks.kind import NetworkKind, Range, State, is_number, is_whole

_ARCHITECTURES = ("tabm", "tabm-mini")
_DEFAULTS: Mapping[str, Any] = {
    "arch_type": "tabm",
    "k": 32,
    "n_blocks": 3,
    "d_block": 512,
    "dropout": 0.1,
    "lr": 2e-3,
    "weight_decay": 3e-4,
    "batch_size": 256,
    "patience": 16,
}


@dataclass(frozen=True)
class TabM(NetworkKind):
    """TabM with the defaults of its authors, which are made for a GPU; on a few cores take fewer, narrower members.

    Parameters in a declaration, with the names of the authors' package: ``arch_type`` (``tabm``, or ``tabm-mini``, whose members
    differ by the scale of their inputs alone); ``k`` members (32); ``n_blocks`` (3) of ``d_block`` units (512); ``dropout``
    (0.1); ``lr`` (0.002) and ``weight_decay`` (0.0003) of AdamW; ``batch_size`` (256); ``n_epochs`` (found by an inner cut of
    the training part) and ``patience``, epochs without gain there (16).
    """

    name: str = "tabm"
    rounds_names: tuple[str, ...] = ("n_epochs",)
    distributions: tuple[str, ...] = ("torch", "tabm")
    imports: ClassVar[tuple[str, ...]] = ("torch", "tabm")
    ranges: ClassVar[Mapping[str, Range]] = {
        "arch_type": (f"one of {', '.join(_ARCHITECTURES)}", lambda value: value in _ARCHITECTURES),
        "k": ("a whole number of at least 1", is_whole(1)),
        "n_blocks": ("a whole number of at least 1", is_whole(1)),
        "d_block": ("a whole number of at least 1", is_whole(1)),
        "dropout": ("a number from 0 to below 1", is_number(0.0, 1.0)),
        "lr": ("a number of at least 0", is_number(0.0)),
        "weight_decay": ("a number of at least 0", is_number(0.0)),
        "batch_size": ("a whole number of at least 1", is_whole(1)),
        "n_epochs": ("a whole number of at least 1", is_whole(1)),
        "patience": ("a whole number of at least 1", is_whole(1)),
    }

    def _settings(self, params: dict[str, Any], training: Training) -> dict[str, Any]:
        return {**_DEFAULTS, **{name: value for name, value in params.items() if value is not None}}

    def _most_epochs(self, settings: dict[str, Any], part: Training) -> int:
        return part.max_rounds

    def _course(self, settings: dict[str, Any], epochs: int) -> Course:
        lr, wd = float(settings["lr"]), float(settings["weight_decay"])
        return Course(epochs, epochs, int(settings["batch_size"]), lambda _: lr, lambda _: wd, (0.9, 0.999), int(settings["patience"]))

    def _net(self, settings: dict[str, Any], X: Any, n_outputs: int) -> Net:
        import tabm

        shape = {name: settings[name] for name in ("arch_type", "k", "n_blocks", "d_block", "dropout")}
        module = tabm.TabM.make(n_num_features=X.shape[1], d_out=n_outputs, **shape).to(X.device)

        def forward(rows: Tensor, progress: float | None) -> Tensor:
            module.train(progress is not None)
            return module(rows)

        return Net(forward, [{"params": [*module.parameters()], "factor": 1.0, "decays": 1.0}], dict(module.named_parameters()))

    def outputs(self, state: State, settings: dict[str, Any], X: Array) -> Array:
        """The package's formulas, with NumPy."""
        h = np.broadcast_to(X[:, None, :], (len(X), int(settings["k"]), X.shape[1]))
        if "backbone.affine.weight" in state:
            h = h * state["backbone.affine.weight"]
        for block in range(int(settings["n_blocks"])):
            own = {name: state.get(f"backbone.blocks.{block}.0.{name}") for name in ("weight", "r", "s", "bias")}
            h = (h if own["r"] is None else h * own["r"]) @ np.asarray(own["weight"]).T
            h = np.maximum((h if own["s"] is None else h * own["s"]) + own["bias"], 0.0)
        said = h.swapaxes(0, 1) @ state["output.weight"] + state["output.bias"][:, None, :]
        return np.asarray(said.swapaxes(0, 1))

    def width(self, state: State, settings: dict[str, Any]) -> int:
        """Members times the widest of their layers."""
        rows, columns = state["backbone.blocks.0.0.weight"].shape
        return int(settings["k"]) * max(int(rows), int(columns))
