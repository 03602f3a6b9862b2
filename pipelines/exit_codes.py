"""What the command's exit code says."""

from __future__ import annotations

DONE = 0
DEFECT = 1
"""A defect of ours; the traceback is shown."""
INPUT = 2
"""The user's input is wrong."""
LEAK = 3
"""The audit found a leak."""
PART_FAILED = 4
"""A declared part failed: a model, say."""
INTERRUPTED = 130
