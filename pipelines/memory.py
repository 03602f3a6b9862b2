"""How much memory a fit is likely to need, before it is begun."""

from __future__ import annotations

from pipelines.layer_columns import columns_bytes
from pipelines.training import FoldFit

_WORKER = 350_000_000
"""A worker process with its libraries loaded, in bytes."""
_COPIES = 6.0
"""A fold's matrix as it is read, as its parts, in the library's own form, and what grows beside it."""
_SQUARES = ("kernel_ridge",)
"""Kinds that hold a value for each pair of rows."""


def matrix_bytes(fit: FoldFit) -> int:
    """The size of the columns that a fit reads, as they lie in the store."""
    seen = [] if fit.view is None or fit.fold_block is None else [fit.view / "shared.feather", fit.fold_block / "bound.feather"]
    return sum(path.stat().st_size for path in seen) + (0 if fit.layer is None else columns_bytes(fit.layer))


def estimated_bytes(fit: FoldFit, n_rows: int) -> int:
    """Bytes that a fit of ``n_rows`` rows is likely to need in a process of its own, its process included."""
    pairs = 2 * 8 * n_rows**2 if fit.kind in _SQUARES else 0
    return int(_WORKER + _COPIES * matrix_bytes(fit) + pairs)
