"""History steps on rows like those of a chain of shops: time as a ratio to pandas, growth with the rows, memory.

1. As-of statistics by blocks of 42 days (4 keys x 4 windows x mean, median, sd = 48 columns): pandas, one groupby for each
   block, key and window, joined to the rows of the block. Both give the same values (checked).
2. The same 48 columns as of each row's own day: pandas' groupby-rolling over time windows and groupby-expanding (checked).
3. The whole plan (statistics, lags, fading means, trends, change on the year, closures, promotions and holidays) on n rows and
   on 4n rows, more shops on the same days, and its peak memory in a process of its own.

Arms alternate; the tables give medians of processor time, since both arms use one core and the machine is shared.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

# a script's folder comes first on the path, where this file would stand for the package of its name
sys.path[:] = [place for place in sys.path if Path(place or ".").resolve() != Path(__file__).resolve().parent]

KEYS = [["Store"], ["Store", "DayOfWeek"], ["Store", "Promo"], ["Store", "DayOfWeek", "Promo"]]
WINDOWS: list[int | str] = [91, 182, 365, "all"]
STATISTICS = ["mean", "median", "sd"]
BLOCK = 42


def main() -> None:
    """Measure what is asked for and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", default=["blocks", "rows", "plan"])
    parser.add_argument("--shops", type=int, default=1115)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--data", type=Path, help="folder with store_sales/ for real rows; generated ones without it")
    arguments = parser.parse_args()
    X = real_rows(arguments.data) if arguments.data else shop_rows(arguments.shops)
    if "blocks" in arguments.what:
        compare("by blocks of 42 days", X, by_blocks, {"block": BLOCK}, arguments.rounds)
    if "rows" in arguments.what:
        compare("as of each row's day", X, by_rows, {}, arguments.rounds)
    if "plan" in arguments.what:
        growth(arguments.shops, arguments.rounds)


def shop_rows(n_shops: int, n_days: int = 900, seed: int = 0) -> pd.DataFrame:
    """Rows of shops and days, some shops closed for half a year: about 870 rows a shop, sales on the logarithmic scale."""
    rng = np.random.default_rng(seed)
    day = np.tile(np.arange(n_days), n_shops)
    shop = np.repeat(np.arange(n_shops), n_days)
    is_refurbished = np.isin(shop, rng.choice(n_shops, n_shops // 6, replace=False)) & (day >= 540) & (day < 724)
    X = pd.DataFrame({"Store": shop, "day": day})[~is_refurbished]
    X["Date"] = pd.Timestamp("2013-01-01") + pd.to_timedelta(X["day"], unit="D")
    X["DayOfWeek"] = (X["day"] + 1) % 7 + 1
    X["Promo"] = ((X["day"] % 14 < 5) & (X["DayOfWeek"] < 6)).astype(int)
    X["StateHoliday"] = (X["day"] % 61 == 0).astype(int)
    X["Open"] = ((X["DayOfWeek"] != 7) & (X["StateHoliday"] == 0)).astype(int)
    level = rng.normal(8.7, 0.4, n_shops)[X["Store"]]
    X["y"] = level + 0.3 * X["Promo"] + 0.05 * np.sin(X["day"] / 58) + rng.normal(0, 0.1, len(X))
    # as in the original file: the latest day first, so that no row stands where a step wants it
    return X.sort_values(["day", "Store"], ascending=[False, True], ignore_index=True).drop(columns="day")


def real_rows(data: Path) -> pd.DataFrame:
    """The rows of the competition's training file."""
    X = pd.read_csv(data / "store_sales" / "train.csv", parse_dates=["Date"], dtype={"StateHoliday": "str"})
    return X.assign(StateHoliday=(X["StateHoliday"] != "0").astype(int), y=np.log1p(X["Sales"])).drop(columns=["Sales", "Customers"])


def alternate(arms: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of processor time of each arm (both use one core), in changing order, after one round that does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in arms}
    for number in range(rounds + 1):
        for name, arm in arms.items() if number % 2 else reversed(arms.items()):
            started = time.process_time()
            arm()
            if number:
                seconds[name].append(time.process_time() - started)
    return seconds


def show(title: str, seconds: dict[str, list[float]]) -> None:
    """A table with the ratio of each arm to the first, pair by pair."""
    first = next(iter(seconds))
    print(f"\n### {title}\n\n| arm | median s | min | max | times the first arm |\n|---|---|---|---|---|")
    for name, values in seconds.items():
        ratio = statistics.median(value / base for value, base in zip(values, seconds[first], strict=True))
        print(f"| {name} | {statistics.median(values):.2f} | {min(values):.2f} | {max(values):.2f} | {ratio:.2f} |")


def compare(how: str, X: pd.DataFrame, by_pandas: Callable[[pd.DataFrame], pd.DataFrame], cutoff: dict[str, int], rounds: int) -> None:
    """Benchmarks 1 and 2: the same columns, made by a step and by pandas."""
    from features.as_of_statistics import AsOfStatistics

    X = X[X["Open"] == 1].reset_index(drop=True)
    step = AsOfStatistics("Date", by=KEYS, windows=WINDOWS, statistics=STATISTICS, **cutoff)  # type: ignore[arg-type]

    def ours() -> pd.DataFrame:
        return step.fit(X, X["y"]).write(X)

    expected, found = by_pandas(X), ours()
    pd.testing.assert_frame_equal(found, expected[list(found.columns)].astype("float32"), rtol=1e-4, atol=1e-4)
    show(f"48 as-of statistics {how}, {len(X):,} rows", alternate({"foldwise": ours, "pandas": lambda: by_pandas(X)}, rounds))


def by_blocks(X: pd.DataFrame) -> pd.DataFrame:
    """One groupby for each block, key and window."""
    end = X["Date"].max() + pd.Timedelta(days=1)
    block = -((end - X["Date"]).dt.days // -BLOCK)
    parts = []
    for number in block.unique():
        cutoff, asking = end - pd.Timedelta(days=BLOCK * int(number)), X[block == number]
        for by in KEYS:
            for window in WINDOWS:
                seen = X[X["Date"] < cutoff]
                if window != "all":
                    seen = seen[seen["Date"] >= cutoff - pd.Timedelta(days=int(window))]
                grouped = seen.groupby(by)["y"]
                found = pd.DataFrame({"mean": grouped.mean(), "median": grouped.median(), "sd": grouped.std(ddof=0)})
                found.columns = [name_of(statistic, window, by) for statistic in STATISTICS]
                asking = asking.join(found, on=by)
        parts.append(asking)
    return pd.concat(parts).sort_index()


def by_rows(X: pd.DataFrame) -> pd.DataFrame:
    """Rolling and expanding windows over time of each group, up to the day before."""
    written = {}
    X = X.rename_axis("row").reset_index()
    for by in KEYS:
        ordered = X.sort_values([*by, "Date"])
        for window in WINDOWS:
            if window == "all":
                grouped = ordered.groupby(by)["y"].expanding()
            else:
                grouped = ordered.set_index("Date").groupby(by)["y"].rolling(f"{window}D", closed="left")
            for statistic, found in {"mean": grouped.mean(), "median": grouped.median(), "sd": grouped.std(ddof=0)}.items():
                values = pd.Series(found.to_numpy(), index=ordered["row"])
                if window == "all":  # expanding takes the row itself; a key has one row a day, so the one before is the day before
                    values = values.groupby(ordered.groupby(by).ngroup().to_numpy()).shift()
                written[name_of(statistic, window, by)] = values
    return pd.DataFrame(written).sort_index().rename_axis(None)


def name_of(statistic: str, window: int | str, by: list[str]) -> str:
    """The name that the step gives a column."""
    return f"target__{statistic}_{window if window == 'all' else f'{window}d'}_by_{'_'.join(by)}"


def plan() -> list[object]:
    """The steps of a whole history plan."""
    from features.as_of_statistics import AsOfStatistics
    from features.closures import Closures
    from features.known_events import DaysSinceEvent, DaysUntilEvent, EventRuns, NearbyEvents
    from features.lags import AsOfLag
    from features.trends import AsOfExponentialMean, AsOfTrend, AsOfYearOnYear

    events = {"promo": "Promo == 1", "holiday": "StateHoliday == 1"}
    return [
        AsOfStatistics("Date", by=KEYS, windows=WINDOWS, statistics=["mean", "median", "sd"], block=BLOCK),
        AsOfStatistics("Date", by=[["Store"]], windows=[182], statistics=["hmean", "skew", "kurtosis", "q10", "q90", "count"], block=BLOCK),
        AsOfLag("Date", by="Store", days=[364], span=10, last=[1, 2, 3], block=BLOCK),
        AsOfExponentialMean("Date", by=KEYS, half_life=[14, 60], block=BLOCK),
        AsOfTrend("Date", by=[["Store"], ["Store", "Promo"]], windows=[91, 365], block=BLOCK),
        AsOfYearOnYear("Date", by="Store", windows=[28], block=BLOCK),
        DaysSinceEvent("Date", by="Store", events=events),
        DaysUntilEvent("Date", by="Store", events=events),
        NearbyEvents("Date", by="Store", events=events, before=[7, 14], after=[7, 14]),
        EventRuns("Date", by="Store", events={"promo": "Promo == 1"}, bridge=2),
        Closures("Date", by="Store", open="Open == 1"),
    ]


def run_plan(X: pd.DataFrame) -> int:
    """Fit and write every step on all rows; how many columns were made."""
    parts = [step.fit(X, X["y"]).write(X) for step in plan()]  # type: ignore[attr-defined]
    return sum(part.shape[1] for part in parts)


def growth(n_shops: int, rounds: int) -> None:
    """Benchmark 3."""
    few, many = shop_rows(n_shops), shop_rows(4 * n_shops)
    seconds = alternate({f"{len(few):,} rows": lambda: run_plan(few), f"{len(many):,} rows": lambda: run_plan(many)}, rounds)
    show(f"The whole plan, {run_plan(few.head(1000))} columns", seconds)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        base, peak, frame, written = pool.apply(_memory, (n_shops,))
    print(f"\n### Peak memory of the whole plan, {len(few):,} rows, all columns kept\n")
    print("| before MB | peak MB | input frame MB | columns written MB |\n|---|---|---|---|")
    print(f"| {base:.0f} | {peak:.0f} | {frame:.0f} | {written:.0f} |")


def _memory(n_shops: int) -> tuple[float, float, float, float]:
    X = shop_rows(n_shops)
    run_plan(X.head(10_000))
    base = _megabytes()
    kept = [step.fit(X, X["y"]).write(X) for step in plan()]  # type: ignore[attr-defined]
    return base, _megabytes(), X.memory_usage().sum() / 2**20, sum(part.memory_usage().sum() for part in kept) / 2**20


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
