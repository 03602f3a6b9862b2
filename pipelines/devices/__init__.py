"""Where boosters train: looked for, tried and timed, never assumed."""

from pipelines.devices.choosing import ADDED_BY_BUDGETS, CAN_USE_GPU, Accelerators, Devices, Size, boosters, choose

__all__ = ["ADDED_BY_BUDGETS", "CAN_USE_GPU", "Accelerators", "Devices", "Size", "boosters", "choose"]
