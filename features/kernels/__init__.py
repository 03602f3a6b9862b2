"""Compiled loops: imported when a step first needs one, since numba takes a second to load."""
