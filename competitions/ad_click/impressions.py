"""Impressions: when, where, on which device and with which creative, as positions in the catalogues and as the columns of the files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from competitions.ad_click.catalogues import N_SITES, NO_DEVICE_ID, Catalogues, hexadecimal

Values: TypeAlias = NDArray[Any]

FIRST_DAY = pd.Timestamp("2014-10-21")
BY_HOUR = (20, 22, 27, 31, 38, 42, 42, 43, 46, 53, 51, 49, 51, 55, 53, 51, 48, 45, 36, 29, 26, 24, 21, 19)
# Addresses: a few thousand that many devices share, and millions of others, most of which are seen once
N_BUSY, BUSY_SHARE, N_QUIET = 3_000, 0.15, 6_000_000
KNOWN_ID = {"site": 0.04, "app": 0.44}
NEW_SITE_SHARE = 0.08
FIRST_ID = 10**19
COLUMNS = (
    *("id", "hour", "C1", "banner_pos", "site_id", "site_domain", "site_category", "app_id", "app_domain", "app_category", "device_id"),
    *("device_ip", "device_model", "device_type", "device_conn_type", "C14", "C15", "C16", "C17", "C18", "C19", "C20", "C21"),
)


@dataclass(frozen=True)
class Impressions:
    """Positions in the catalogues and other draws, each of shape (n_rows,), in the order of ``day`` and ``hour``."""

    catalogues: Catalogues
    day: Values
    hour: Values
    publisher: Values
    creative: Values
    model: Values
    address: Values
    connection: Values

    @property
    def is_app(self) -> Values:
        """Whether each entry of the catalogue of publishers is an app."""
        flags: Values = np.arange(len(self.catalogues.publishers.codes)) >= N_SITES
        return flags

    @property
    def is_busy(self) -> Values:
        """Whether the address of each impression is one that many devices share."""
        flags: Values = self.address < N_BUSY
        return flags


def drawn(rng: Generator, known: Catalogues, *, day: Values, one_hour: bool, test_day: int) -> Impressions:
    """Impressions on the given days, which must rise; all in the hour 0 where there is one hour only."""
    n_rows = len(day)
    hour = np.zeros(n_rows, int) if one_hour else rng.choice(24, n_rows, p=np.array(BY_HOUR) / sum(BY_HOUR))
    hour = hour[np.lexsort((hour, day))]
    publisher = rng.choice(len(known.publishers.share), n_rows, p=known.publishers.share)
    if not one_hour:
        publisher[(day == test_day) & (rng.random(n_rows) < NEW_SITE_SHARE)] = N_SITES - 1
    is_app = publisher >= N_SITES
    busy, quiet = N_BUSY * rng.random(n_rows) ** 3, N_BUSY + N_QUIET * rng.random(n_rows) ** 2.5
    address = np.where(rng.random(n_rows) < BUSY_SHARE, busy, quiet).astype(np.int64)
    # A quiet address has one device: its model is a fixed draw of the address, by the golden ratio's equal spacing
    own = np.where((address < N_BUSY) | (rng.random(n_rows) < 0.03), rng.random(n_rows), address * 0.6180339887498949 % 1)
    model = np.searchsorted(np.cumsum(known.models.share)[:-1], own, side="right")
    in_app, on_site = (rng.choice([0, 2, 3, 5], n_rows, p=p) for p in ([0.79, 0.15, 0.057, 0.003], [0.94, 0.06, 0, 0]))
    connection = np.where(is_app, in_app, on_site)
    return Impressions(known, day, hour, publisher, _creatives(rng, known, day), model, address, connection)


def as_columns(rng: Generator, shown: Impressions) -> pd.DataFrame:
    """The columns of the test file, in the order of the hours and within an hour of the ids."""
    n_rows, known = len(shown.day), shown.catalogues
    positions = ((known.publishers, shown.publisher), (known.creatives, shown.creative), (known.models, shown.model))
    table = pd.concat([part.codes.take(rows).reset_index(drop=True) for part, rows in positions], axis=1)
    stamp = (FIRST_DAY + pd.to_timedelta(np.arange(shown.day.max() + 1), unit="D")).strftime("%y%m%d").astype(int)
    table["hour"] = 100 * stamp.to_numpy()[shown.day] + shown.hour
    table["id"] = _ids(rng, table["hour"].to_numpy())
    is_known = rng.random(n_rows) < np.where(shown.is_app[shown.publisher], KNOWN_ID["app"], KNOWN_ID["site"])
    offset = rng.integers(2**20, 2**30, 2)
    table["device_ip"] = _scattered(shown.address + offset[0])
    # Up to seven devices share a busy address
    device = 7 * shown.address + shown.is_busy * rng.integers(0, 7, n_rows)
    table["device_id"] = np.where(is_known, _scattered(device + offset[1]), NO_DEVICE_ID)
    table["device_conn_type"] = shown.connection
    segment = (180 * rng.random(n_rows) ** 3).astype(int)
    table["C20"] = np.where(rng.random(n_rows) < 0.47, -1, 100_000 + segment * 37 % 250)
    return table[list(COLUMNS)]


def _creatives(rng: Generator, known: Catalogues, day: Values) -> Values:
    """A creative for each impression, among those that run on its day."""
    chosen = np.empty(len(day), int)
    for number in np.unique(day):
        share = known.creatives.share * ((known.first_day <= number) & (number <= known.last_day))
        rows = day == number
        chosen[rows] = rng.choice(len(share), rows.sum(), p=share / share.sum())
    return chosen


def _ids(rng: Generator, hour: Values) -> Values:
    """Unique ids of 20 digits, too large for a signed integer of 64 bits, rising within each hour."""
    step = (2**64 - FIRST_ID) // (len(hour) + 1)
    ids = FIRST_ID + rng.permutation(len(hour)).astype(np.uint64) * np.uint64(step) + rng.integers(0, step, len(hour)).astype(np.uint64)
    rising: Values = ids[np.lexsort((ids, hour))]
    return rising


def _scattered(numbers: Values) -> Values:
    """A code for each number, different for different numbers below 2**32."""
    # An odd factor is invertible modulo 2**32; this one is the golden ratio's, after Knuth's multiplicative hashing
    codes: Values = hexadecimal(numbers.astype(np.uint64) * np.uint64(2_654_435_761) % np.uint64(2**32)).astype(str)
    return codes
