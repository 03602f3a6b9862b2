"""Whether the machine has anything that might be a GPU: looked for in a few milliseconds, without any library."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

_NODES = ("dev/nvidia[0-9]*", "dev/dxg", "proc/driver/nvidia/gpus/*")
"""What NVIDIA's drivers show of their GPUs; the second is Windows' subsystem for Linux."""
_OPENCL = "etc/OpenCL/vendors/*.icd"
LOOKED_FOR = "/dev/nvidia*, nvidia-smi, OpenCL drivers in /etc/OpenCL/vendors"


def gpus(root: Path = Path("/")) -> tuple[str, ...]:
    """Signs of GPUs, and of OpenCL devices; empty where a library could find none.

    A sign is no promise: a driver may be too old, a library built without it, a GPU hidden. A fit tells.
    """
    signs = [f"/{path.relative_to(root)}" for pattern in (*_NODES, _OPENCL) for path in sorted(root.glob(pattern))]
    return tuple(signs or _listed())


def _listed() -> list[str]:
    """What nvidia-smi lists."""
    command = shutil.which("nvidia-smi")
    if command is None:
        return []
    try:
        found = subprocess.run([command, "-L"], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        # a driver that hangs is none that can be trained on
        return []
    return [line.partition(" (")[0] for line in found.stdout.splitlines() if line.startswith("GPU ")]
