"""Card payments of two days, drawn as principal components: honest ones, some that only look dishonest, and four kinds of fraud.

An honest payment has 28 components of falling standard deviation (``SD``) and heavy tails, three of ten of them related to the amount
(``WITH_AMOUNT``) or drifting through the two days (``WITH_TIME``). One of 300 looks like a fraud in some components and not in others
(``LOOK_ALIKE``), so that no single direction separates the two.

A fraud belongs to an incident: one to a few payments within minutes, nearly alike, of one kind (``KINDS``) and one severity. The shifts
of its kind, times the severity, are added to what an honest payment would be. Quiet frauds are shifted by little more than the spread of
honest payments: not all frauds can be found.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

Values: TypeAlias = NDArray[Any]

COMPONENTS = tuple(f"V{number}" for number in range(1, 29))
# Standard deviations and tails of the components of the real file, rounded; a tail is the degrees of freedom of Student's t
SD = (
    *(1.95, 1.65, 1.50, 1.40, 1.35, 1.30, 1.20, 1.15, 1.10, 1.05, 1.00, 0.98, 0.98, 0.95),
    *(0.92, 0.88, 0.85, 0.83, 0.80, 0.75, 0.73, 0.72, 0.62, 0.60, 0.52, 0.48, 0.40, 0.33),
)
TAIL, LONG_TAIL = 6.0, 3.0
LONG_TAILED = ("V2", "V5", "V7", "V8", "V20", "V21", "V23", "V27", "V28")
WITH_AMOUNT = {"V1": -0.2, "V2": -0.5, "V3": -0.2, "V5": -0.35, "V6": 0.2, "V7": 0.35, "V20": 0.3, "V21": 0.1}
WITH_TIME = {"V1": 0.1, "V3": -0.4, "V5": 0.15, "V11": -0.25, "V12": 0.1, "V15": -0.2, "V22": 0.15, "V25": -0.25}
LOOK_ALIKE_SHARE = 1 / 300
LOOK_ALIKE = {"V17": -5.0, "V12": -3.5, "V16": -3.0, "V3": -3.0, "V7": -3.0, "V10": 2.0, "V14": 1.0, "V4": -0.5}

SECONDS_PER_DAY = 86_400
# Payments in each hour of a day, and frauds, which follow the day far less
PAYMENTS_BY_HOUR = (8, 4, 3, 3, 2, 3, 4, 7, 10, 15, 16, 16, 15, 15, 16, 16, 16, 16, 17, 16, 16, 17, 15, 11)
FRAUDS_BY_HOUR = (8, 8, 30, 12, 12, 10, 8, 15, 8, 12, 8, 30, 15, 15, 18, 20, 20, 20, 20, 15, 15, 15, 12, 12)

KINDS = ("loud", "plain", "turned", "quiet")
# Of each kind: its share of the incidents, the middle of its amounts, and the shifts of components at severity 1
SHARES = (0.35, 0.34, 0.10, 0.21)
AMOUNTS = (20, 60, 250, 40)
SHIFTS = {
    "V1": (-8, 0, 0, 0),
    "V2": (6.5, 1.8, 0, 0),
    "V3": (-12, -3, 0, 0),
    "V4": (5.5, 4, 3, 1.2),
    "V5": (-6.5, 0, 0, 0),
    "V6": (-2.5, 0, 0, 0),
    "V7": (-10, -1.5, 0, 0),
    "V8": (0, 0, -4, 0),
    "V9": (-4.5, -1.8, 0, 0),
    "V10": (-9.5, -3.5, 1.5, -0.6),
    "V11": (5.5, 3.5, 0, 0.6),
    "V12": (-9.5, -4.5, 1.5, -0.7),
    "V14": (-9.5, -6, -5, -1.3),
    "V16": (-7.5, -2.5, 0, 0),
    "V17": (-13, -2.5, 2, -0.4),
    "V18": (-5, 0, 0, 0),
    "V19": (1.2, 0.6, 0, 0),
    "V20": (0, 0, 1, 0),
    "V21": (1.5, 0, 3, 0),
}


def drawn(rng: Generator, *, honest: int, frauds: int) -> pd.DataFrame:
    """Payments in the columns of the file, in no order, without duplicates; ``Time`` in seconds from midnight of the first day; ``frauds`` is 1 or more."""
    return pd.concat([_honest(rng, honest), _frauds(rng, frauds)], ignore_index=True)


def _honest(rng: Generator, n_rows: int) -> pd.DataFrame:
    time = _moments(rng, PAYMENTS_BY_HOUR, n_rows)
    size = rng.standard_normal(n_rows)
    values = _components(rng, size, time)
    looks = rng.random(n_rows) < LOOK_ALIKE_SHARE
    severity = rng.gamma(6.0, 1 / 6, n_rows) * looks
    for name, shift in LOOK_ALIKE.items():
        values[:, COMPONENTS.index(name)] += shift * severity
    is_one = rng.random(n_rows) < 0.045
    amount = np.where(is_one, 1.0, np.exp(3.05 + 1.7 * size))
    return _table(time, values, np.where(rng.random(n_rows) < 0.0064, 0, amount), 0)


def _frauds(rng: Generator, n_rows: int) -> pd.DataFrame:
    """Frauds by incident: what is drawn for an incident is the same for all its payments."""
    incident = _incidents(rng, n_rows)
    n_incidents = int(incident[-1]) + 1
    kind = rng.choice(len(KINDS), n_incidents, p=SHARES)
    severity = rng.gamma(4.0, 1 / 4, n_incidents)
    start = _moments(rng, FRAUDS_BY_HOUR, n_incidents)
    time = np.minimum(start[incident] + rng.exponential(120, n_rows).astype(int), 2 * SECONDS_PER_DAY - 1)
    size = rng.standard_normal(n_incidents)
    values = _components(rng, size, start)[incident]
    values += 0.25 * np.array(SD) * rng.standard_normal(values.shape)
    shifts = np.array([SHIFTS.get(name, (0.0,) * len(KINDS)) for name in COMPONENTS]).T
    values += shifts[kind[incident]] * severity[incident][:, None] * rng.normal(1, 0.15, values.shape)
    amount = np.array(AMOUNTS)[kind[incident]] * np.exp(1.4 * size[incident] + 0.3 * rng.standard_normal(n_rows))
    # Thieves try a card with one unit of money, or none, before they buy
    trial = rng.random(n_rows)
    return _table(time, values, np.select([trial < 0.055, trial < 0.28], [0.0, 1.0], amount), 1)


def _incidents(rng: Generator, n_rows: int) -> Values:
    """The number of each fraud's incident, rising; most incidents are one payment."""
    sizes = rng.geometric(0.6, n_rows)
    numbers: Values = np.repeat(np.arange(n_rows), sizes)[:n_rows]
    return numbers


def _components(rng: Generator, size: Values, time: Values) -> Values:
    """Components of honest payments, of shape (n_rows, 28), given the standardised size of the amount and the moment."""
    late = (time - SECONDS_PER_DAY) / (0.58 * SECONDS_PER_DAY)
    values: Values = np.empty((len(size), len(COMPONENTS)))
    for number, (name, sd) in enumerate(zip(COMPONENTS, SD, strict=True)):
        by_amount, by_time = WITH_AMOUNT.get(name, 0.0), WITH_TIME.get(name, 0.0)
        own = np.sqrt(1 - by_amount**2 - by_time**2) * _heavy(rng, LONG_TAIL if name in LONG_TAILED else TAIL, len(size))
        values[:, number] = sd * (by_amount * size + by_time * late + own)
    return values


def _heavy(rng: Generator, freedom: float, n_rows: int) -> Values:
    """Student's t with the given degrees of freedom, scaled to a standard deviation of 1."""
    drawn: Values = rng.standard_t(freedom, n_rows) * np.sqrt((freedom - 2) / freedom)
    return drawn


def _moments(rng: Generator, by_hour: tuple[int, ...], n_rows: int) -> Values:
    """Seconds within two days whose hours have the given weights."""
    hour = rng.choice(48, n_rows, p=np.tile(by_hour, 2) / (2 * sum(by_hour)))
    moments: Values = 3600 * hour + rng.integers(0, 3600, n_rows)
    return moments


def _table(time: Values, values: Values, amount: Values, label: int) -> pd.DataFrame:
    table = pd.DataFrame(values.round(8), columns=list(COMPONENTS))
    table.insert(0, "Time", time.astype(float))
    return table.assign(Amount=np.clip(amount, 0, 25_000).round(2), Class=label)
