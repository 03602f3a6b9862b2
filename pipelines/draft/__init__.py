"""Drafting a declaration from files nobody has declared yet."""

from __future__ import annotations

from pipelines.draft.drafting import Asked, Drafted, draft

__all__ = ["Asked", "Drafted", "draft"]
