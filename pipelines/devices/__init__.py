"""Where boosters train: looked for, tried and timed, never assumed."""

from pipelines.devices.choosing import CAN_USE_GPU, Accelerators, Devices, Size, boosters, choose

__all__ = ["CAN_USE_GPU", "Accelerators", "Devices", "Size", "boosters", "choose"]
