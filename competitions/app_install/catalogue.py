"""Apps, channels, devices and systems: which there are, how often they are clicked, and what they say about an install.

They hang on the seed alone: a larger sample shows more of the same ones. Most clicks go to a few apps that hardly any click installs;
some small apps are installed by every fifth to second click. Effects are differences of the logarithm of the odds of an install.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Values: TypeAlias = NDArray[Any]

N_APPS, N_CHANNELS, N_DEVICES, N_SYSTEMS = 300, 170, 2_000, 300
LAST_APP, LAST_CHANNEL, LAST_DEVICE, LAST_SYSTEM = 551, 498, 3867, 866
WANTED_FROM, WANTED_EVERY, WANTED = 26, 9, 7.0
"""Of the apps from this rank on, one of so many is wanted: its odds of an install are higher by this much."""


@dataclass(frozen=True)
class Codes:
    """The codes of one column, the share of each in ordinary clicks, and its effect on an install; each of shape (n_codes,)."""

    code: Values
    share: Values
    effect: Values


@dataclass(frozen=True)
class Catalogue:
    """The four columns of codes; ``channels_of`` holds the positions of an app's channels, of shape (n_apps, 8), with repetitions."""

    apps: Codes
    channels: Codes
    devices: Codes
    systems: Codes
    channels_of: Values


def catalogue(rng: Generator) -> Catalogue:
    """The catalogue of a seed."""
    apps = Codes(_different(rng, 1, LAST_APP, N_APPS), _zipf(N_APPS, 2.3, 5), _wanted(rng))
    channels = Codes(_different(rng, 3, LAST_CHANNEL, N_CHANNELS), np.full(N_CHANNELS, 1 / N_CHANNELS), rng.normal(0, 0.7, N_CHANNELS))
    return Catalogue(apps, channels, _devices(rng), _systems(rng), _channels_of(rng))


def _wanted(rng: Generator) -> Values:
    effect = rng.normal(0, 0.7, N_APPS)
    effect[WANTED_FROM::WANTED_EVERY] += WANTED
    return effect


def _devices(rng: Generator) -> Codes:
    """Device 1 has nearly all clicks; device 0 and the rare ones are installed on more often."""
    code = np.concatenate([[1, 2, 0, LAST_DEVICE - 800], _different(rng, 4, LAST_DEVICE - 900, N_DEVICES - 4)])
    share = np.concatenate([[0.943, 0.0435, 0.0055, 0.005], 0.003 * _zipf(N_DEVICES - 4, 1.0, 20)])
    effect = np.concatenate([[0.0, -0.7, 4.0, -3.0], rng.normal(1.5, 1.0, N_DEVICES - 4)])
    return Codes(code, share / share.sum(), effect)


def _systems(rng: Generator) -> Codes:
    code = np.concatenate([[19, 13], np.setdiff1d(_different(rng, 0, LAST_SYSTEM, N_SYSTEMS), [19, 13])])
    share = np.concatenate([[0.24, 0.21], 0.55 * _zipf(len(code) - 2, 2.4, 14)])
    effect = rng.normal(0, 0.4, len(code))
    effect[12::15] += 2.0
    return Codes(code, share, effect)


def _channels_of(rng: Generator) -> Values:
    """Popular apps are advertised on up to eight channels, the others on one or two."""
    channels = rng.integers(0, N_CHANNELS, (N_APPS, 8))
    n_channels = np.where(np.arange(N_APPS) < 25, rng.integers(4, 9, N_APPS), rng.integers(1, 3, N_APPS))
    kept: Values = np.take_along_axis(channels, np.arange(8)[None, :] % n_channels[:, None], axis=1)
    return kept


def _different(rng: Generator, low: int, high: int, n_codes: int) -> Values:
    """Different whole numbers from low to high, in random order."""
    numbers: Values = rng.choice(np.arange(low, high + 1), n_codes, replace=False)
    return numbers


def _zipf(n_codes: int, power: float, flat: float) -> Values:
    """Shares that fall as ``1 / (flat + rank)**power``."""
    weights = 1 / (flat + np.arange(1, n_codes + 1)) ** power
    shares: Values = weights / weights.sum()
    return shares
