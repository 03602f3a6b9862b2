"""What impressions are made of: publishers, creatives and device models, each a table of codes with a share of the impressions.

The catalogues hang on the seed alone: a larger sample shows more of the same publishers, creatives and models. Shares fall with the
rank as a power of it (Zipf's law), which gives a few codes most of the rows and most codes a handful.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

Values: TypeAlias = NDArray[Any]

# A publisher is a site or an app. These codes stand in the columns of the other, and for a device without an id. They stand for
# the real file's codes (README.md) and are not them.
NO_SITE = {"site_id": "f5170001", "site_domain": "f5170002", "site_category": "f5170003"}
NO_APP = {"app_id": "fa990001", "app_domain": "fa990002", "app_category": "fa990003"}
NO_DEVICE_ID = "fde10001"

N_SITES, N_APPS, N_CATEGORIES, N_SHARED_DOMAINS = 3_000, 5_000, 22, 20
APP_SHARE = 0.25
N_CREATIVES, N_CAMPAIGNS, N_ADVERTISERS = 2_600, 430, 60
SIZES = pd.DataFrame({"C15": [320, 300, 216, 300, 728, 320], "C16": [50, 250, 36, 50, 90, 480]})
SIZE_SHARES = (0.86, 0.08, 0.03, 0.015, 0.01, 0.005)
C19 = (35, 39, 163, 167, 171, 297, 303, 419, 431, 547, 559, 687, 815, 1063, 1327, 1839)
N_MODELS = 8_000
TYPES = pd.DataFrame({"C1": [1005, 1002, 1010, 1010, 1007], "device_type": [1, 0, 4, 5, 1]})
TYPE_SHARES = (0.925, 0.035, 0.032, 0.005, 0.003)


@dataclass(frozen=True)
class Catalogue:
    """Codes of shape (n_entries, n_columns), the share of each entry, and where a cross needs them, the groups of the entries."""

    codes: pd.DataFrame
    share: Values
    group: Values


@dataclass(frozen=True)
class Catalogues:
    """All that an impression is put together from; ``first_day`` and ``last_day`` say when a creative runs, counted from day 0."""

    publishers: Catalogue
    creatives: Catalogue
    models: Catalogue
    first_day: Values
    last_day: Values


def catalogues(rng: Generator, days: int) -> Catalogues:
    """The catalogues of a seed. Day ``days`` is the test day, on which the last site of the catalogue appears for the first time."""
    creatives, campaign = _creatives(rng)
    start = rng.uniform(-20, days + 1, N_CAMPAIGNS)
    end = start + 2 + rng.exponential(9, N_CAMPAIGNS)
    start[:6], end[:6] = -20, days + 1
    return Catalogues(_publishers(rng), creatives, _models(rng), start[campaign], end[campaign])


def hexadecimal(numbers: Values) -> Values:
    """Whole numbers below 2**32 as eight hexadecimal digits each, an array of bytes of shape (n,)."""
    octets = numbers.astype(">u4").view(np.uint8).reshape(-1, 4)
    digits = np.stack([octets >> 4, octets & 15], axis=-1).reshape(-1, 8)
    letters: Values = np.frombuffer(b"0123456789abcdef", dtype="S1")[digits].view("S8").ravel()
    return letters


def _zipf(n_entries: int, power: float, flat: float) -> Values:
    """Shares that fall as ``1 / (flat + rank)**power``."""
    weights = 1 / (flat + np.arange(1, n_entries + 1)) ** power
    shares: Values = weights / weights.sum()
    return shares


def _codes(rng: Generator, n_codes: int) -> Values:
    """Different random codes of eight hexadecimal digits."""
    # A stride spreads them below 3 * 2**30: no code occurs twice, and none is one of the fixed ones, which are above
    numbers = rng.permutation(n_codes).astype(np.uint64) * (2**31 // n_codes) + rng.integers(2**20, 2**30)
    codes: Values = hexadecimal(numbers).astype(str)
    return codes


def _publishers(rng: Generator) -> Catalogue:
    sites, apps = _places(rng, N_SITES, "site", N_SHARED_DOMAINS), _places(rng, N_APPS, "app", 3 * N_SHARED_DOMAINS)
    codes = pd.concat([sites.assign(**NO_APP), apps.assign(**NO_SITE)], ignore_index=True)
    of_sites = np.concatenate([[0.34, 0.1], 0.56 * _zipf(N_SITES - 2, 1.4, 3)])
    of_sites[-1] = 0  # it opens on the test day
    share = np.concatenate([(1 - APP_SHARE) * of_sites / of_sites.sum(), APP_SHARE * _zipf(N_APPS, 1.4, 5)])
    position = rng.choice([0, 1, 2, 3, 4, 5, 7], len(codes), p=[0.7, 0.26, 0.015, 0.005, 0.01, 0.005, 0.005])
    # The two largest sites show their banners at the two usual positions
    position[:2] = [0, 1]
    group = pd.factorize(codes["site_category"] + codes["app_category"], sort=True)[0]
    return Catalogue(codes.assign(banner_pos=position), share, group)


def _places(rng: Generator, n_places: int, kind: str, n_domains: int) -> pd.DataFrame:
    """Sites or apps: each has an id, a category, and a domain of its own or one that many share, as apps mostly do."""
    domains, categories = _codes(rng, n_domains), _codes(rng, N_CATEGORIES)
    has_own = rng.random(n_places) < (0.85 if kind == "site" else 0.01)
    shared = rng.choice(domains, n_places, p=_zipf(n_domains, 1.2, 0))
    category = rng.choice(categories, n_places, p=_zipf(N_CATEGORIES, 1.3, 0.5))
    # The first, which most places share, of an app is the one that stands in the rows of sites as well
    if kind == "app":
        shared = np.where(shared == domains[0], NO_APP["app_domain"], shared)
        category = np.where(category == categories[3], NO_APP["app_category"], category)
    columns = {"id": _codes(rng, n_places), "domain": np.where(has_own, _codes(rng, n_places), shared), "category": category}
    return pd.DataFrame({f"{kind}_{name}": values for name, values in columns.items()})


def _creatives(rng: Generator) -> tuple[Catalogue, Values]:
    """Creatives (C14) of campaigns (C17) of advertisers (C21), and each one's campaign; the group is the advertiser."""
    campaign = np.concatenate([np.arange(N_CAMPAIGNS), rng.choice(N_CAMPAIGNS, N_CREATIVES - N_CAMPAIGNS, p=_zipf(N_CAMPAIGNS, 0.5, 3))])
    advertiser = np.concatenate([np.arange(12), rng.choice(N_ADVERTISERS, N_CAMPAIGNS - 12, p=_zipf(N_ADVERTISERS, 0.6, 1))])
    size = rng.choice(len(SIZES), N_CREATIVES, p=SIZE_SHARES)
    size[:3] = 0
    of_campaign = pd.DataFrame(
        {
            "C17": rng.choice(np.arange(112, 2800), N_CAMPAIGNS, replace=False),
            "C18": rng.choice(4, N_CAMPAIGNS, p=[0.5, 0.03, 0.17, 0.3]),
            "C19": rng.choice(C19, N_CAMPAIGNS, p=_zipf(len(C19), 1.2, 0)),
            "C21": rng.choice(np.arange(13, 256), N_ADVERTISERS, replace=False)[advertiser],
        }
    ).take(campaign)
    c14 = rng.choice(np.arange(375, 24_500), N_CREATIVES, replace=False)
    codes = pd.concat([pd.DataFrame({"C14": c14}), SIZES.take(size).reset_index(drop=True), of_campaign.reset_index(drop=True)], axis=1)
    share = _zipf(N_CAMPAIGNS, 1.5, 3)[campaign] * rng.gamma(0.3, 1, N_CREATIVES)
    # A campaign's weight is shared by its creatives, however many there are
    share /= np.bincount(campaign)[campaign]
    return Catalogue(codes, share / share.sum(), advertiser[campaign]), campaign


def _models(rng: Generator) -> Catalogue:
    kind = rng.choice(len(TYPES), N_MODELS, p=TYPE_SHARES)
    kind[:10] = 0
    codes = pd.concat([pd.DataFrame({"device_model": _codes(rng, N_MODELS)}), TYPES.take(kind).reset_index(drop=True)], axis=1)
    return Catalogue(codes, _zipf(N_MODELS, 1.4, 6), kind)
