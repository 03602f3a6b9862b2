"""Whether the machine has anything that might be a GPU: looked for in a few milliseconds, without any library."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

_NODES = ("dev/nvidia[0-9]*", "dev/dxg", "proc/driver/nvidia/gpus/*")
"""What NVIDIA's drivers show of their GPUs; the second is Windows' subsystem for Linux."""
_OPENCL = "etc/OpenCL/vendors/*.icd"
_OPENCL_VARIABLES = ("OCL_ICD_FILENAMES", "OCL_ICD_VENDORS")
"""Where OpenCL's loader is told of drivers elsewhere."""
LOOKED_FOR = "/dev/nvidia*, nvidia-smi, OpenCL drivers in /etc/OpenCL/vendors"


def gpus(root: Path = Path("/"), environment: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Signs of GPUs, and of OpenCL devices; empty where a library could find none.

    A sign is no promise: a driver may be too old, a library built without it, a GPU hidden. A fit tells.
    """
    signs = [f"/{path.relative_to(root)}" for pattern in (*_NODES, _OPENCL) for path in sorted(root.glob(pattern))]
    signs += [f"{name}={environment[name]}" for name in _OPENCL_VARIABLES if environment.get(name)]
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
