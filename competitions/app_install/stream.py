"""The stream of clicks, in the order of time, and which of them lead to an install.

Three quarters of the clicks come from addresses of very different activity, from shared ones with hundreds of clicks to most that click
once. The others are bursts: an address of a farm clicks one app on one channel again and again for minutes, on few systems, and hardly
ever installs.

The logarithm of the odds of an install is an intercept plus the effects of app, channel, device and system, minus ``PER_ACTIVITY`` times
the logarithm of the address's activity, minus ``OF_FARM`` for a burst. The intercept makes the mean probability ``INSTALL_RATE``.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit

from competitions.app_install.catalogue import Catalogue, Codes

Values: TypeAlias = NDArray[Any]

INSTALL_RATE = 0.0025
PER_ACTIVITY, OF_FARM = 0.5, 4.0
START, N_HOURS = pd.Timestamp("2017-11-06 16:00:00"), 72
# Clicks in each hour of the day, UTC: it is evening in China at the start, and night a few hours later
BY_HOUR = (18, 17, 17, 17, 20, 18, 17, 16, 15, 16, 18, 18, 18, 18, 19, 17, 13, 7, 4, 3, 2.5, 3, 6.5, 13)
N_ADDRESSES, N_FARMS, LAST_ADDRESS = 90_000, 1_500, 364_777
BURST_SHARE, BURST_MIDDLE, SECONDS_PER_CLICK = 0.25, 40, 6
COLUMNS = ("click_id", "ip", "app", "device", "os", "channel", "click_time", "attributed_time", "is_attributed")


def drawn(rng: Generator, known: Catalogue, n_rows: int) -> pd.DataFrame:
    """Clicks in the columns of the training file, and ``attributed_time`` of each install: never before the click."""
    n_burst = round(BURST_SHARE * n_rows)
    clicks = pd.concat([_ordinary(rng, known, n_rows - n_burst), _bursts(rng, known, n_burst)])
    clicks = clicks.sort_values("second", kind="stable", ignore_index=True)
    click_time = START + pd.to_timedelta(clicks["second"], unit="s")
    is_attributed = rng.random(n_rows) < _probability(known, clicks)
    installed = click_time + pd.to_timedelta(_delays(rng, n_rows), unit="s")
    positions = {"app": known.apps, "device": known.devices, "os": known.systems, "channel": known.channels}
    columns = {name: codes.code[clicks[name]] for name, codes in positions.items()} | {
        "click_id": np.arange(n_rows),
        # Ids that say nothing of the activity: the factor and the number of ids have no common divisor
        "ip": 1 + (clicks["address"].to_numpy() * 104_729 + 4_711) % LAST_ADDRESS,
        "click_time": click_time.astype("datetime64[s]"),
        "attributed_time": installed.where(is_attributed).astype("datetime64[s]"),
        "is_attributed": is_attributed.astype(int),
    }
    return pd.DataFrame(columns)[list(COLUMNS)]


def _ordinary(rng: Generator, known: Catalogue, n_rows: int) -> pd.DataFrame:
    app = _pick(rng, known.apps, n_rows)
    # The third power of an even spread: a few addresses click hundreds of times in a hundred thousand clicks
    address = (N_ADDRESSES * rng.uniform(0.02, 1, n_rows) ** 3).astype(int)
    # The first of an app's channels brings most of its clicks
    channel = known.channels_of[app, (8 * rng.random(n_rows) ** 2).astype(int)]
    device, system = _pick(rng, known.devices, n_rows), _pick(rng, known.systems, n_rows)
    columns = {"address": address, "app": app, "device": device, "os": system, "channel": channel, "in_burst": False}
    return pd.DataFrame({"second": _moments(rng, n_rows), **columns})


def _bursts(rng: Generator, known: Catalogue, n_rows: int) -> pd.DataFrame:
    """Bursts of clicks; what is drawn for a burst is the same for all its clicks, but for the system."""
    sizes = np.maximum(2, rng.lognormal(np.log(BURST_MIDDLE), 0.8, n_rows // 2 + 1).astype(int))
    burst = np.repeat(np.arange(len(sizes)), sizes)[:n_rows]
    n_bursts = len(sizes)
    app = _pick(rng, known.apps, n_bursts)
    columns = {
        "address": N_ADDRESSES + (N_FARMS * rng.random(n_bursts) ** 2).astype(int),
        "app": app,
        "device": np.zeros(n_bursts, int),
        "channel": known.channels_of[app, rng.integers(0, 8, n_bursts)],
    }
    start = _moments(rng, n_bursts)[burst]
    second = start + (rng.random(n_rows) * SECONDS_PER_CLICK * sizes[burst]).astype(int)
    system = rng.integers(0, 4, n_rows)
    shared = {name: values[burst] for name, values in columns.items()}
    return pd.DataFrame({"second": np.minimum(second, 3600 * N_HOURS - 1), **shared, "os": system, "in_burst": True})


def _probability(known: Catalogue, clicks: pd.DataFrame) -> Values:
    """The true probability of an install of each click, of shape (n_rows,)."""
    # The density of clicks at an address of this rank, up to a constant
    activity = np.log((clicks["address"].to_numpy() + 1) / N_ADDRESSES) * (-2 / 3)
    odds = (
        known.apps.effect[clicks["app"]]
        + known.channels.effect[clicks["channel"]]
        + known.devices.effect[clicks["device"]]
        + known.systems.effect[clicks["os"]]
        - np.where(clicks["in_burst"], OF_FARM, PER_ACTIVITY * activity)
    )
    p: Values = expit(odds + _intercept(odds, INSTALL_RATE))
    return p


def _intercept(odds: Values, rate: float) -> float:
    """What is added to all log odds so that the mean probability is the rate."""
    return float(brentq(lambda intercept: expit(odds + intercept).mean() - rate, -50, 50))


def _delays(rng: Generator, n_rows: int) -> Values:
    """Seconds from click to install: minutes where the app is opened at once, hours otherwise."""
    at_once = rng.random(n_rows) < 0.62
    seconds = np.where(at_once, rng.lognormal(np.log(85), 1.1, n_rows), rng.lognormal(np.log(9_000), 1.1, n_rows))
    whole: Values = np.clip(seconds, 2, 60_000).astype(int)
    return whole


def _moments(rng: Generator, n_rows: int) -> Values:
    """Seconds from the start, whose hours of the day have the given weights."""
    weights = np.tile(BY_HOUR, N_HOURS // 24)[(np.arange(N_HOURS) + START.hour) % 24]
    moments: Values = 3600 * rng.choice(N_HOURS, n_rows, p=weights / weights.sum()) + rng.integers(0, 3600, n_rows)
    return moments


def _pick(rng: Generator, codes: Codes, n_rows: int) -> Values:
    positions: Values = rng.choice(len(codes.code), n_rows, p=codes.share)
    return positions
