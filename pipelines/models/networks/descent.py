"""Training by small batches with AdamW. The only module that needs PyTorch for more than the shape of a network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from pipelines.metrics import Array

Tensor: TypeAlias = Any
"""PyTorch is not there for everybody who reads the types."""
Schedule: TypeAlias = "Callable[[float], float]"
"""From the progress of a training, 0 to 1, to a factor."""


@dataclass(frozen=True)
class Net:
    """A network while it is trained.

    ``forward`` takes rows (n_rows, n_columns) and the progress, or None where it is not trained just now, and gives
    (n_rows, n_members, n_outputs): values, or logits of classes. ``groups`` are AdamW's, each with ``factor``, its multiple of
    the learning rate, and ``decays``, its multiple of the weight decay.
    """

    forward: Callable[[Tensor, float | None], Tensor]
    groups: list[dict[str, Any]]
    state: dict[str, Tensor]


@dataclass(frozen=True)
class Course:
    """How far and how fast a network is trained.

    ``epochs`` are gone through, of ``length`` that the schedules are made for. With rows held out it ends ``patience`` epochs
    after ``stretch`` times the best one.
    """

    epochs: int
    length: int
    batch_size: int
    lr: Schedule
    wd: Schedule
    betas: tuple[float, float]
    patience: int
    stretch: float = 1.0
    smoothing: float = 0.0


@dataclass(frozen=True)
class Rows:
    """Rows on the network's scales: ``X`` (n_rows, n_columns); ``y`` and ``weights`` (n_rows,)."""

    X: Tensor
    y: Tensor
    weights: Tensor | None
    is_regression: bool

    @classmethod
    def of(cls, X: Array, y: Array, weights: Array | None, *, is_regression: bool, device: str) -> Rows:
        """From arrays; weights are brought to a mean of 1."""
        import torch

        def tensor(values: Array, dtype: Any = torch.float32) -> Tensor:
            return torch.tensor(values, dtype=dtype, device=device)

        kept = None if weights is None else tensor(weights / weights.mean())
        return cls(tensor(X), tensor(y, torch.float32 if is_regression else torch.int64), kept, is_regression)


@contextmanager
def torch_alone(seed: int, threads: int, device: str) -> Iterator[None]:
    """PyTorch with a seed and threads of this fit's own; afterwards they are what they were."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with torch.random.fork_rng(devices=[] if device == "cpu" else [torch.device(device)]):
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(before)


def descend(net: Net, rows: Rows, course: Course, held: Rows | None = None) -> int:
    """Train a network; the epoch after which the loss on rows held out was least, or the last one without them."""
    import torch

    optimizer = torch.optim.AdamW(net.groups, lr=1.0, betas=course.betas, fused=True)
    size = min(course.batch_size, len(rows.y))
    n_batches = len(rows.y) // size
    best, best_loss = 1, np.inf
    for epoch in range(course.epochs):
        # what is left over after whole batches differs from epoch to epoch
        order = torch.randperm(len(rows.y), device=rows.X.device)[: n_batches * size]
        for number, batch in enumerate(order.split(size)):
            _step(net, optimizer, rows, batch, (epoch + number / n_batches) / course.length, course)
        if held is None:
            best = epoch + 1
            continue
        loss = _held_loss(net, held)
        if loss <= best_loss:
            best, best_loss = epoch + 1, loss
        if epoch + 1 >= course.stretch * best + course.patience:
            break
    return best


def _step(net: Net, optimizer: Any, rows: Rows, batch: Tensor, progress: float, course: Course) -> None:
    lr, wd = course.lr(progress), course.wd(progress)
    for group in optimizer.param_groups:
        group["lr"], group["weight_decay"] = lr * group["factor"], wd * group["decays"]
    losses = _losses(net.forward(rows.X[batch], progress), rows.y[batch], rows.is_regression, course.smoothing)
    loss = losses.mean() if rows.weights is None else (losses * rows.weights[batch]).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def _losses(outputs: Tensor, y: Tensor, is_regression: bool, smoothing: float) -> Tensor:
    """The loss of each row, of shape (n_rows,): the mean over the members, each of which learns by itself."""
    import torch.nn.functional as functional

    n_rows, members, n_outputs = outputs.shape
    if is_regression:
        return (outputs[:, :, 0] - y[:, None]).square().mean(dim=1)
    logits = outputs.reshape(n_rows * members, n_outputs)
    losses = functional.cross_entropy(logits, y.repeat_interleave(members), reduction="none", label_smoothing=smoothing)
    return losses.reshape(n_rows, members).mean(dim=1)


def _held_loss(net: Net, held: Rows) -> float:
    """The loss of the members' mean prediction."""
    import torch

    with torch.no_grad():
        outputs = torch.cat([net.forward(part, None) for part in held.X.split(1024)])
        if held.is_regression:
            return float((outputs[:, :, 0].mean(dim=1) - held.y).square().mean())
        told = outputs.softmax(dim=2).mean(dim=1).gather(1, held.y[:, None])
        return float(-told.clamp_min(1e-12).log().mean())
