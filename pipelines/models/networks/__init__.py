"""Networks for tables, trained with PyTorch (the extra ``torch``); what they have learnt is arrays, and NumPy predicts with them."""

from __future__ import annotations

from pipelines.models.networks.realmlp import RealMLP
from pipelines.models.networks.tabm import TabM

KINDS = (RealMLP(), TabM())
