"""The stated model of a click, so that the best possible log loss is known.

The logarithm of the odds of a click is an intercept plus main effects plus crosses; every effect is one draw for each code, and the
same in every row that has the code. N(s) is a normal draw of mean 0 and standard deviation s.

| main effect | size |
|---|---|
| publisher: ``site_id`` or ``app_id`` | N(0.45); 0.5 lower in apps |
| campaign ``C17`` | N(0.4) |
| creative ``C14`` | N(0.1) |
| banner size ``C16`` | ``SIZE``: 250 and 36 high |
| position ``banner_pos`` | 0.2 higher where it is 1 |
| ``device_model`` | N(0.12) |
| ``device_conn_type`` | ``CONNECTION`` |
| busy addresses, shared by many devices | 0.4 lower |
| hour of the day | 0.15 times a cosine that peaks at 20 h |

| cross | size |
|---|---|
| category of site or app x advertiser ``C21`` | ``KIND_BY_ADVERTISER``: the standard deviation of an interaction of rank about 3 |
| publisher x advertiser ``C21`` | ``PLACE_BY_ADVERTISER``: the same |
| ``C18`` x ``banner_pos`` (1 or another) | N(0.6) |
| ``C18`` x quarter of the day | N(0.3) |

The rest (``id``, ``device_id``, ``C19``, ``C20``, and the address beyond being busy) says nothing. The intercept makes the mean
probability of all rows ``CLICK_RATE``. A model of main effects alone cannot reach the limit, however many rows it sees: it lacks the
crosses. The limit itself, ``entropy``, is the mean entropy of the probabilities: the expected log loss of one who knows them.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit

from competitions.ad_click.impressions import Impressions

Values: TypeAlias = NDArray[Any]

CLICK_RATE = 0.168
SIZE = {50: 0.0, 250: 0.9, 36: 0.4, 90: -0.3, 480: 0.5}
CONNECTION = {0: 0.0, 2: -0.1, 3: -0.6, 5: -0.3}
IN_APP, AT_TOP, BUSY = -0.5, 0.2, -0.4
KIND_BY_ADVERTISER, PLACE_BY_ADVERTISER, RANK = 0.8, 0.3, 3


def probabilities(rng: Generator, shown: Impressions) -> Values:
    """The true probability of a click of each impression, of shape (n_rows,); ``rng`` draws the effects."""
    odds = _main(rng, shown) + _crosses(rng, shown)
    p: Values = expit(odds + _intercept(odds, CLICK_RATE))
    return p


def entropy(p: Values) -> float:
    """The expected log loss of one who knows the probabilities: no model can be better, but by luck."""
    return float(np.mean(-p * np.log(p) - (1 - p) * np.log1p(-p)))


def log_loss(clicked: Values, p: Values) -> float:
    """The log loss of probabilities on the labels drawn from them."""
    return float(-np.mean(np.log(np.where(clicked == 1, p, 1 - p))))


def _main(rng: Generator, shown: Impressions) -> Values:
    publishers, creatives = shown.catalogues.publishers.codes, shown.catalogues.creatives.codes
    of_publisher = rng.normal(0, 0.45, len(publishers)) + IN_APP * shown.is_app + AT_TOP * (publishers["banner_pos"] == 1).to_numpy()
    campaign = np.unique(creatives["C17"], return_inverse=True)[1]
    of_creative = rng.normal(0, 0.4, len(creatives))[campaign] + rng.normal(0, 0.1, len(creatives)) + creatives["C16"].map(SIZE).to_numpy()
    of_model = rng.normal(0, 0.12, len(shown.catalogues.models.codes))
    of_connection = np.array([CONNECTION.get(connection, 0.0) for connection in range(6)])
    of_hour = 0.15 * np.cos((np.arange(24) - 20) * 2 * np.pi / 24)
    effects: Values = (
        of_publisher[shown.publisher]
        + of_creative[shown.creative]
        + of_model[shown.model]
        + of_connection[shown.connection]
        + of_hour[shown.hour]
        + BUSY * shown.is_busy
    )
    return effects


def _crosses(rng: Generator, shown: Impressions) -> Values:
    publishers, creatives = shown.catalogues.publishers, shown.catalogues.creatives
    of_kind, of_advertiser = (np.bincount(catalogue.group, catalogue.share) for catalogue in (publishers, creatives))
    advertiser = creatives.group[shown.creative]
    c18, at_top = creatives.codes["C18"].to_numpy()[shown.creative], (publishers.codes["banner_pos"] == 1).to_numpy()[shown.publisher]
    of_position, of_quarter = rng.normal(0, 0.6, (4, 2)), rng.normal(0, 0.3, (4, 4))
    effects: Values = (
        KIND_BY_ADVERTISER * _interaction(rng, of_kind, of_advertiser)[publishers.group[shown.publisher], advertiser]
        + PLACE_BY_ADVERTISER * _interaction(rng, publishers.share, of_advertiser)[shown.publisher, advertiser]
        + of_position[c18, at_top.astype(int)]
        + of_quarter[c18, shown.hour // 6]
    )
    return effects


def _interaction(rng: Generator, first: Values, second: Values) -> Values:
    """Inner products of a drawn vector for each code of two columns, of shape (n_first, n_second), given the shares of the codes.

    Row and column means are taken off, so that it says nothing of either column alone, and the standard deviation becomes 1; both are
    weighted by the shares.
    """
    rows, columns = (rng.normal(0, 1, (len(shares), RANK)) for shares in (first, second))
    table: Values = (rows[:, None, :] * columns).sum(axis=-1)
    table -= (table * second).sum(axis=1, keepdims=True)
    table -= (first[:, None] * table).sum(axis=0)
    table /= np.sqrt((first[:, None] * table**2 * second).sum())
    return table


def _intercept(odds: Values, rate: float) -> float:
    """What is added to all log odds so that the mean probability is the rate."""
    return float(brentq(lambda intercept: expit(odds + intercept).mean() - rate, -50, 50))
