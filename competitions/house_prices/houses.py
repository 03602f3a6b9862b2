"""Houses drawn from the shares of ``schema.yaml``, with what hangs together in a house made to hang together.

Years are in order, areas add up, a basement or garage is absent as a whole. The logarithm of the price is linear in place, quality,
age and areas, with an effect of quality on the value of space, and with noise of standard deviation 0.11.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Values: TypeAlias = NDArray[Any]
Houses: TypeAlias = dict[str, Values]

NOISE_SD = 0.11
ERAS = (1946, 1980, 1995)
NEIGHBORHOOD = ("share", "year", "sd", "qual", "area", "lot", "town", "level", "zones")
DWELLING = ("old", "new", "town", "area", "up", "styles", "buildings")
OTHER_SPELLING = {"CemntBd": "CmentBd", "WdShing": "Wd Shng", "BrkComm": "Brk Cmn"}
OF_BASEMENT = ("BsmtQual", "BsmtCond", "BsmtExposure", "BsmtFinType1", "BsmtFinType2")
OF_GARAGE = ("GarageYrBlt", "GarageFinish", "GarageQual", "GarageCond")


def all_houses(rng: Generator, schema: Mapping[str, Any], n_rows: int) -> Houses:
    """All columns of train and test, before anything is planted."""
    houses: Houses = {"Id": np.arange(1, n_rows + 1)}
    for name, shares in schema["levels"].items():
        houses[name] = _draw(rng, [shares], np.zeros(n_rows, int))
    place = _place(rng, houses, schema["neighborhoods"])
    _years(rng, houses, place)
    for name, shares in schema["by_era"].items():
        houses[name] = _by_era(rng, shares, houses)
    houses["OverallQual"] = _quality(rng, houses, place)
    for name, starts in schema["by_quality"].items():
        houses[name] = _graded(rng, houses["OverallQual"], starts)
    dwelling = _dwelling(rng, houses, place, schema["dwellings"])
    _areas(rng, houses, place, dwelling)
    _basement(rng, houses)
    _garage(rng, houses)
    _outside(rng, houses, schema)
    _rooms(rng, houses)
    _extras(rng, houses)
    houses["SalePrice"] = _price(rng, houses, place)
    return houses


def _draw(rng: Generator, tables: Iterable[Mapping[Any, float]], group: Values) -> Values:
    """One level per row, from the table (level: share) of the row's group."""
    tables = list(tables)
    levels = list(dict.fromkeys(level for table in tables for level in table))
    shares = np.array([[table.get(level, 0.0) for level in levels] for table in tables])
    reached = np.cumsum(shares, axis=1) / shares.sum(axis=1, keepdims=True)
    chosen = (rng.random(len(group))[:, None] >= reached[group]).sum(axis=1)
    drawn: Values = np.array(levels)[np.minimum(chosen, len(levels) - 1)]
    return drawn


def _by_era(rng: Generator, shares: Mapping[Any, list[float]], houses: Houses) -> Values:
    era = np.searchsorted(ERAS, houses["YearBuilt"], side="right")
    return _draw(rng, [{level: share[number] for level, share in shares.items()} for number in range(len(ERAS) + 1)], era)


def _graded(rng: Generator, quality: Values, starts: Mapping[str, float]) -> Values:
    score = quality + rng.normal(0, 0.9, len(quality))
    grade = np.searchsorted(list(starts.values()), score, side="right") - 1
    graded: Values = np.array(list(starts))[np.maximum(grade, 0)]
    return graded


def _whole(values: Values, low: Values | float, high: Values | float) -> Values:
    """Rounded to whole numbers within bounds."""
    rounded: Values = np.clip(np.rint(values), low, high).astype(int)
    return rounded


def _happens(rng: Generator, share: Values | float, n_rows: int) -> Values:
    """Whether something happens to each row that happens to a share of them."""
    return rng.random(n_rows) < share


def _place(rng: Generator, houses: Houses, neighborhoods: Mapping[str, list[Any]]) -> Houses:
    """Neighbourhood and zone; returns what is typical of each row's neighbourhood."""
    n_rows = len(houses["Id"])
    names = np.array(list(neighborhoods))
    share, *typical, zones = (list(column) for column in zip(*neighborhoods.values(), strict=True))
    index = _draw(rng, [dict(enumerate(share))], np.zeros(n_rows, int))
    houses["Neighborhood"] = names[index]
    houses["MSZoning"] = _draw(rng, zones, index)
    return {name: np.array(column)[index] for name, column in zip(NEIGHBORHOOD[1:-1], typical, strict=True)}


def _years(rng: Generator, houses: Houses, place: Houses) -> None:
    """Built, remodelled and sold in this order, and the kind of sale of new houses."""
    sold = houses["YrSold"]
    n_rows = len(sold)
    place["is_town"] = _happens(rng, place["town"], n_rows)
    earliest = np.where(place["is_town"], 1964, 1872)
    built = np.minimum(_whole(rng.normal(place["year"], place["sd"]), earliest, 2010), sold)
    is_new = (sold - built <= 1) & _happens(rng, 0.85, n_rows)
    houses["SaleType"] = np.where(is_new, "New", houses["SaleType"])
    houses["SaleCondition"] = np.where(is_new, "Partial", houses["SaleCondition"])
    is_remodelled = ~is_new & _happens(rng, np.where(built >= 1990, 0.3, 0.65), n_rows)
    remodelled = _whole(sold - (sold - built) * rng.beta(0.9, 2.2, n_rows), 1950, 2010)
    houses["YearBuilt"] = built
    # The city's records begin in 1950, so that no remodelling is older
    houses["YearRemodAdd"] = np.maximum(np.where(is_remodelled, remodelled, built), 1950)


def _quality(rng: Generator, houses: Houses, place: Houses) -> Values:
    younger = np.clip(houses["YearBuilt"] - place["year"], -20, 20)
    return _whole(place["qual"] + 0.02 * younger + rng.normal(0, 0.85, len(younger)), 1, 10)


def _dwelling(rng: Generator, houses: Houses, place: Houses, dwellings: Mapping[int, list[Any]]) -> Houses:
    """Class, style and building; returns the class's effect on the area and the share of it upstairs."""
    column = dict(zip(DWELLING, zip(*dwellings.values(), strict=True), strict=True))
    kind = np.where(place["is_town"], 2, (houses["YearBuilt"] >= ERAS[0]).astype(int))
    index = _draw(rng, [dict(enumerate(column[name])) for name in ("old", "new", "town")], kind)
    houses["MSSubClass"] = np.array(list(dwellings))[index]
    houses["HouseStyle"] = _draw(rng, column["styles"], index)
    houses["BldgType"] = _draw(rng, column["buildings"], index)
    return {name: np.array(column[name])[index] for name in ("area", "up")}


def _areas(rng: Generator, houses: Houses, place: Houses, dwelling: Houses) -> None:
    """Floors, which add up to the living area, and the lot."""
    n_rows = len(houses["Id"])
    better = houses["OverallQual"] - place["qual"]
    area = np.clip(place["area"] * np.exp(dwelling["area"] + 0.05 * better + rng.normal(0, 0.18, n_rows)), 340, 4400)
    up = np.where(dwelling["up"] > 0, np.clip(rng.normal(dwelling["up"], 0.06, n_rows), 0.15, 0.65), 0)
    is_rough = _happens(rng, 0.07, n_rows) & (houses["YearBuilt"] < 1950)
    houses["1stFlrSF"] = _whole(area * (1 - up), 330, 4400)
    houses["2ndFlrSF"] = _whole(area * up, 0, 2500)
    houses["LowQualFinSF"] = np.where(is_rough, _whole(rng.uniform(60, 600, n_rows), 60, 600), 0)
    houses["GrLivArea"] = houses["1stFlrSF"] + houses["2ndFlrSF"] + houses["LowQualFinSF"]
    wide = np.where(_happens(rng, 0.006, n_rows), rng.uniform(2.5, 8, n_rows), 1)
    lot = place["lot"] * wide * np.exp(rng.normal(0, 0.25, n_rows))
    houses["LotArea"] = _whole(np.where(place["is_town"], np.minimum(lot, 7000) * 0.6, lot), 1300, 215_000)
    frontage = _whole(0.72 * np.sqrt(houses["LotArea"] / wide) * np.exp(rng.normal(0, 0.18, n_rows)), 21, 313)
    is_unknown = _happens(rng, np.where(houses["LotShape"] == "Reg", 0.09, 0.31), n_rows)
    houses["LotFrontage"] = np.where(is_unknown, "NA", frontage.astype(str))


def _basement(rng: Generator, houses: Houses) -> None:
    """Basement areas that add up, its baths, and ``NA`` throughout where there is none: under houses on a slab."""
    first, n_rows = houses["1stFlrSF"], len(houses["Id"])
    is_absent = houses["Foundation"] == "Slab"
    is_full = _happens(rng, 0.52, n_rows)
    total = np.where(is_absent, 0, _whole(first * np.where(is_full, 1, np.clip(rng.normal(0.83, 0.17, n_rows), 0.2, 1)), 100, 6110))
    is_finished = houses["BsmtFinType1"] != "Unf"
    has_second = is_finished & _happens(rng, 0.17, n_rows)
    share = np.where(_happens(rng, 0.1, n_rows), 1, rng.uniform(0.15, 0.9, n_rows))
    one = np.where(is_finished, _whole(total * np.where(has_second, np.minimum(share, 0.8), share), 0, 6110), 0)
    two = np.where(has_second, _whole((total - one) * rng.uniform(0.1, 0.9, n_rows), 0, 1500), 0)
    houses["BsmtFinType2"] = np.where(has_second, houses["BsmtFinType2"], "Unf")
    houses["BsmtFinSF1"], houses["BsmtFinSF2"], houses["BsmtUnfSF"], houses["TotalBsmtSF"] = one, two, total - one - two, total
    has_bath = _happens(rng, np.clip((one + two) / 1000, 0.03, 0.85) * ~is_absent, n_rows)
    houses["BsmtFullBath"] = has_bath * (1 + _happens(rng, 0.025, n_rows))
    houses["BsmtHalfBath"] = (_happens(rng, 0.09, n_rows) & ~is_absent & ~has_bath).astype(int)
    for name in OF_BASEMENT:
        houses[name] = np.where(is_absent, "NA", houses[name])


def _garage(rng: Generator, houses: Houses) -> None:
    """Cars, area and year of the garage, and ``NA`` throughout where there is none."""
    built, n_rows = houses["YearBuilt"], len(houses["Id"])
    is_absent = houses["GarageType"] == "NA"
    wish = 1.75 + 0.22 * (houses["OverallQual"] - 6) + 0.008 * (built - 1970) + rng.normal(0, 0.45, n_rows)
    cars = np.where(is_absent, 0, _whole(wish, 1, 4))
    houses["GarageCars"] = cars
    houses["GarageArea"] = np.where(is_absent, 0, _whole(60 + 230 * cars + rng.normal(0, 65, n_rows), 160, 1418))
    is_later = (houses["GarageType"] == "Detchd") & _happens(rng, 0.55, n_rows)
    year = np.where(is_later, _whole(built + (houses["YrSold"] - built) * rng.random(n_rows), 1900, 2010), np.maximum(built, 1900))
    houses["GarageYrBlt"] = year.astype(str)
    for name in OF_GARAGE:
        houses[name] = np.where(is_absent, "NA", houses[name])


def _outside(rng: Generator, houses: Houses, schema: Mapping[str, Any]) -> None:
    """Second covering, which the files spell differently, masonry veneer, decks, porches and pools."""
    quality, n_rows = houses["OverallQual"], len(houses["Id"])
    second = np.where(_happens(rng, 0.85, n_rows), houses["Exterior1st"], _by_era(rng, schema["by_era"]["Exterior1st"], houses))
    houses["Exterior2nd"] = np.array([OTHER_SPELLING.get(name, name) for name in second])
    has_veneer = _happens(rng, np.clip(0.4 + 0.1 * (quality - 6), 0.1, 0.8), n_rows)
    veneer = _draw(rng, [{"BrkFace": 92, "BrkCmn": 4, "Stone": 4}, {"BrkFace": 64, "Stone": 36}], (quality >= 7).astype(int))
    houses["MasVnrType"] = np.where(has_veneer, veneer, "None")
    houses["MasVnrArea"] = np.where(has_veneer, _whole(np.exp(rng.normal(5.2, 0.7, n_rows)), 14, 1600), 0)
    is_old = houses["YearBuilt"] < 1960
    share_and_median: dict[str, tuple[Values | float, int]] = {
        "WoodDeckSF": (0.48, 170),
        "OpenPorchSF": (0.55, 60),
        "EnclosedPorch": (0.04 + 0.3 * is_old, 140),
        "3SsnPorch": (0.015, 180),
        "ScreenPorch": (0.08, 180),
    }
    for name, (share, median) in share_and_median.items():
        size = _whole(median * np.exp(rng.normal(0, 0.5, n_rows)), 12, 900)
        houses[name] = np.where(_happens(rng, share, n_rows), size, 0)
    has_pool = _happens(rng, 0.002, n_rows)
    houses["PoolArea"] = np.where(has_pool, _whole(rng.uniform(140, 800, n_rows), 140, 800), 0)
    houses["PoolQC"] = np.where(has_pool, houses["PoolQC"], "NA")


def _rooms(rng: Generator, houses: Houses) -> None:
    """Baths, bedrooms, kitchens and rooms above ground, and fireplaces."""
    area, n_rows = houses["GrLivArea"] / 1000, len(houses["Id"])
    is_modern = houses["YearBuilt"] >= 1985
    houses["FullBath"] = _whole(0.55 + 0.55 * area + 0.4 * is_modern + rng.normal(0, 0.3, n_rows), 1, 3)
    houses["HalfBath"] = (_happens(rng, 0.12 + 0.55 * (houses["2ndFlrSF"] > 0), n_rows)).astype(int)
    houses["BedroomAbvGr"] = _whole(1.5 + 0.9 * area + rng.normal(0, 0.6, n_rows), 0, 8)
    houses["KitchenAbvGr"] = np.where(np.isin(houses["MSSubClass"], [90, 190]) & _happens(rng, 0.75, n_rows), 2, 1)
    houses["TotRmsAbvGrd"] = np.maximum(_whole(2.6 + 2.6 * area + rng.normal(0, 0.8, n_rows), 2, 15), houses["BedroomAbvGr"] + 1)
    wish = 0.45 + 0.45 * (area - 1.4) + 0.12 * (houses["OverallQual"] - 6) + rng.normal(0, 0.5, n_rows)
    houses["Fireplaces"] = _whole(wish, 0, 3)
    houses["FireplaceQu"] = np.where(houses["Fireplaces"] == 0, "NA", houses["FireplaceQu"])


def _extras(rng: Generator, houses: Houses) -> None:
    """The value of a miscellaneous feature, nothing without one."""
    value = 50 * _whole(np.exp(rng.normal(2.4, 0.8, len(houses["Id"]))), 1, 300)
    houses["MiscVal"] = np.where(houses["MiscFeature"] == "NA", 0, value)


def _price(rng: Generator, houses: Houses, place: Houses) -> Values:
    """Sale price in dollars, rounded to hundreds."""
    quality = houses["OverallQual"] - 6
    space = np.log(houses["GrLivArea"] / 1450)
    kitchen = np.select([houses["KitchenQual"] == level for level in ("Ex", "Gd", "Fa")], [0.09, 0.04, -0.04])
    sale = np.select([houses["SaleCondition"] == level for level in ("Abnorml", "Partial", "Family")], [-0.10, 0.04, -0.05])
    market = np.select([houses["YrSold"] == year for year in (2008, 2009, 2010)], [-0.01, -0.02, -0.02])
    logarithm = (
        11.91
        + place["level"]
        + 0.062 * quality
        + 0.048 * (houses["OverallCond"] - 5)
        + 0.0027 * (houses["YearBuilt"] - 1970)
        + 0.001 * (houses["YearRemodAdd"] - 1985)
        + (0.42 + 0.03 * quality) * space
        + 0.08 * np.log(houses["LotArea"] / 9500)
        + 0.11 * (houses["TotalBsmtSF"] - 1000) / 1000
        + 0.08 * (houses["BsmtFinSF1"] + houses["BsmtFinSF2"]) / 1000
        + 0.045 * (houses["GarageCars"] - 2)
        + 0.03 * houses["Fireplaces"]
        + 0.05 * (houses["CentralAir"] == "Y")
        - 0.05 * (houses["Functional"] != "Typ")
        - 0.03 * np.isin(houses["Condition1"], ["Artery", "Feedr"])
    )
    noise = rng.normal(0, NOISE_SD, len(quality))
    return 100 * _whole(np.exp(logarithm + kitchen + sale + market + noise) / 100, 349, 7550)
