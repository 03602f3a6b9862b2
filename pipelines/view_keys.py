"""The key of every view as a file, ``views/<view>.json``: what DVC, which knows no keys of ours, tells a changed matrix by."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.store import write_json

if TYPE_CHECKING:
    from pipelines.session import Session

FOLDER = "views"


def view_file(view: str) -> str:
    """Where a view's key stands below ``runs/<competition>/``; the view without a name is the features as they are."""
    return f"{FOLDER}/{view or '(features)'}.json"


def write_view_keys(session: Session, out: Path) -> None:
    """Note the key of every declared view, and of the features, in a run's folder."""
    for view in ("", *session.spec.views):
        write_json(out / view_file(view), {"key": session.keys.view(view)})
