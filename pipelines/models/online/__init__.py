"""Models that learn row by row from hashed fields: for click-through data with many levels and more rows than a matrix holds."""

from __future__ import annotations

from pipelines.models.online.ftrl import Ftrl

KINDS = (Ftrl(),)
