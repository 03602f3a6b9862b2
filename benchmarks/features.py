"""Fold-correct features against the libraries people would use instead: time as a ratio, memory as a multiple of the input.

1. Cross-fitted target encoding of 1M rows x 10 columns, 5 outer x 5 inner folds: scikit-learn's ``TargetEncoder`` per outer fold.
2. Group statistics (mean, sd, count, rank, difference to group) of 1M rows: the bare pandas/NumPy expressions; peak memory too.
3. The House Prices plan (clean, features, linear and tree view) in 10 folds: the same in scikit-learn ColumnTransformers, per fold; as one
   pipeline a view, and with what the views share fitted once, which scikit-learn leaves to the caller.
4. Peak memory of a 1M x 50 frame through clean, features and one view.

Arms alternate; the tables give medians.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from pipelines.spec import Spec

# a script's folder comes first on the path, where this file would stand for the package of its name
sys.path[:] = [place for place in sys.path if Path(place or ".").resolve() != Path(__file__).resolve().parent]


def main() -> None:
    """Measure what is asked for and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", default=["target", "groups", "plan", "memory"])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--data", type=Path, help="folder with house_prices/ for the plan; the generated sample without it")
    arguments = parser.parse_args()
    if "target" in arguments.what:
        target_encoding(arguments.rows, arguments.rounds)
    if "groups" in arguments.what:
        group_statistics(arguments.rows, arguments.rounds)
    if "plan" in arguments.what:
        house_prices_plan(arguments.rounds, arguments.data)
    if "memory" in arguments.what:
        peak_memory(arguments.rows)


def alternate(arms: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each arm, in changing order, after one round that does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in arms}
    for number in range(rounds + 1):
        for name, arm in arms.items() if number % 2 else reversed(arms.items()):
            started = time.perf_counter()
            arm()
            if number:
                seconds[name].append(time.perf_counter() - started)
    return seconds


def show(title: str, seconds: dict[str, list[float]]) -> None:
    """A table with the ratio of each arm to the first, pair by pair."""
    first = next(iter(seconds))
    print(f"\n### {title}\n\n| arm | median s | min | max | times the first arm |\n|---|---|---|---|---|")
    for name, values in seconds.items():
        ratio = statistics.median(value / base for value, base in zip(values, seconds[first], strict=True))
        print(f"| {name} | {statistics.median(values):.2f} | {min(values):.2f} | {max(values):.2f} | {ratio:.2f} |")


def target_encoding(n_rows: int, rounds: int) -> None:
    """Benchmark 1."""
    from sklearn.model_selection import KFold
    from sklearn.preprocessing import TargetEncoder

    from features.target import TargetEncode

    rng = np.random.default_rng(0)
    sizes = np.geomspace(10, 100_000, 10).astype(int)
    X = pd.DataFrame({f"c{size}": pd.Series(rng.integers(0, size, n_rows)).astype("str") for size in sizes})
    y = pd.Series(rng.normal(size=n_rows))
    folds = list(KFold(5, shuffle=True, random_state=0).split(X))
    outer = np.empty(n_rows, dtype=np.int64)
    for number, (_, scored) in enumerate(folds):
        outer[scored] = number

    def ours() -> None:
        step = TargetEncode(list(X.columns)).resolve(X)
        totals = step.take_totals(X, y, outer, 5)
        for number, (fit, scored) in enumerate(folds):
            step.learn_outside(totals, number).write_outside(totals, number, fit, scored)

    def theirs() -> None:
        for fit, scored in folds:
            encoder = TargetEncoder(target_type="continuous", cv=KFold(5, shuffle=True, random_state=0))
            encoder.fit_transform(X.iloc[fit], y.iloc[fit])
            encoder.transform(X.iloc[scored])

    title = f"Cross-fitted target encoding, {n_rows:,} rows x 10 columns (10 to 100,000 levels), 5 x 5 folds, all values"
    show(title, alternate({"foldwise": ours, "TargetEncoder per outer fold": theirs}, rounds))


def group_statistics(n_rows: int, rounds: int) -> None:
    """Benchmark 2."""
    X, ours = _group_arm(n_rows)

    def theirs() -> pd.DataFrame:
        grouped = X.groupby("key")["value"]
        out = X.assign(mean=grouped.transform("mean"), sd=grouped.transform("std", ddof=0), count=grouped.transform("count"))
        out["difference"] = out["value"] - out["mean"]
        out["rank"] = grouped.rank(pct=True)
        return out

    show(
        f"Group statistics (mean, sd, count, difference, rank), {n_rows:,} rows, 5,000 groups",
        alternate({"pandas": theirs, "foldwise": lambda: ours(X)}, rounds),
    )
    source, made, peak = _in_child(_group_memory, n_rows)
    print("\n| input MB | output MB | peak above the input MB | that over the output |\n|---|---|---|---|")
    print(f"| {source:.0f} | {made:.0f} | {peak:.0f} | {peak / made:.2f} |")


def _group_arm(n_rows: int) -> tuple[pd.DataFrame, Callable[[pd.DataFrame], pd.DataFrame]]:
    from features.group_ranks import GroupRank
    from features.groups import GroupStatistics

    rng = np.random.default_rng(0)
    X = pd.DataFrame({"key": rng.integers(0, 5_000, n_rows), "value": rng.normal(size=n_rows)})
    summaries = GroupStatistics(["value"], by=["key"], statistics=["mean", "sd", "count", "difference"])
    ranks = GroupRank(["value"], by=["key"])
    return X, lambda table: ranks.fit_transform(summaries.fit_transform(table))


def _group_memory(n_rows: int) -> tuple[float, float, float]:
    X, ours = _group_arm(n_rows)
    # what is loaded and compiled at first use is no memory of the rows
    ours(X.head(1000))
    before = _start_of_peak()
    out = ours(X)
    peak = _megabytes("VmHWM") - before
    return X.memory_usage().sum() / 2**20, out[[name for name in out if name not in X]].memory_usage().sum() / 2**20, peak


def house_prices_plan(rounds: int, data: Path | None) -> None:
    """Benchmark 3."""
    from sklearn.base import clone
    from sklearn.pipeline import make_pipeline

    from pipelines.competition import find_competition, find_data
    from pipelines.console import Console
    from pipelines.frames import FoldRows
    from pipelines.options import Options
    from pipelines.prepare import fold_blocks, plan, split, transformed_target
    from pipelines.session import open_session
    from pipelines.surroundings import Surroundings
    from pipelines.tables import read_tables

    with tempfile.TemporaryDirectory() as runs:
        competition = find_competition("house_prices")
        folder, _ = find_data(competition, competition.declaration(), data, Path(runs))
        session = open_session(competition, folder, Options(runs=Path(runs), data=data), Surroundings.read(Console(is_quiet=True)))
        tables = read_tables(session.spec, folder)
    spec, folds = session.spec, split(session.spec, tables)
    target = transformed_target(spec, tables.y)

    def ours() -> list[int]:
        planned = plan(session.declaration, spec, tables, folds, ["linear", "trees"])
        rows = (FoldRows.of(folds, fold, len(tables.features)) for fold in range(folds.n_folds))
        return [planned.views[one.view].shared.shape[1] + one.bound.shape[1] for one in fold_blocks(planned, folds, target, rows)]

    def theirs(*, is_front_shared: bool) -> list[int]:
        widths, test = [], np.arange(tables.n_train, len(tables.features))
        for fold in range(folds.n_folds):
            y = target(folds.fit_rows(fold))
            parts = [tables.features.iloc[rows] for rows in (folds.fit_rows(fold), folds.scored_rows(fold), test)]
            front, views = sklearn_front(spec, tables.features), sklearn_views()
            if is_front_shared:
                parts = [front.fit_transform(parts[0], y), *map(front.transform, parts[1:])]
            for view in views if is_front_shared else [make_pipeline(clone(front), view) for view in views]:
                widths.append(view.fit_transform(parts[0], y).shape[1])
                for part in parts[1:]:
                    view.transform(part)
        return widths

    arms: dict[str, Callable[[], Any]] = {
        "foldwise": ours,
        "scikit-learn: a pipeline per view and fold": lambda: theirs(is_front_shared=False),
        "scikit-learn: what the views share fitted once, by hand": lambda: theirs(is_front_shared=True),
    }
    if len({tuple(arm()) for arm in arms.values()}) > 1:
        raise SystemExit("The arms make matrices of other widths: they no longer do the same work.")
    show("House Prices plan, 10 folds, linear and tree view", alternate(arms, rounds))


def sklearn_front(spec: Spec, features: pd.DataFrame) -> Any:
    """``clean`` and ``features`` as they are declared, in as few scikit-learn transformers as they need.

    Fills by groups, which scikit-learn has not, are plain medians and modes. Our own evaluator evaluates the expressions for both arms.
    """
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.model_selection import KFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, OrdinalEncoder, TargetEncoder

    from features.columns import select

    parts, at = (*spec.clean, *spec.features), len(spec.clean) + [part.name for part in spec.features].index("target_encode")
    columns = {
        part.where: select(features, part.params["columns"])
        for part in parts
        if part.name in ("fill", "cast", "map", "ordinal_map", "drop")
    }
    orders = {
        name: list(part.params.get("order") or part.params["to"]) for part in parts if "map" in part.name for name in columns[part.where]
    }
    casts, drops = ([name for part in parts if part.name == step for name in columns[part.where]] for step in ("cast", "drop"))
    before, after = (
        [pair for part in some if part.name == "derive" for pair in part.params["expressions"].items()] for some in (parts[:at], parts[at:])
    )
    strategies = {"mode": "most_frequent", "median": "median", None: "constant"}
    fills = [
        (str(part.where), SimpleImputer(strategy=strategies[part.params["how"]], fill_value=part.params["value"]), columns[part.where])
        for part in parts
        if part.name == "fill"
    ]
    grades = [("grades", OrdinalEncoder(categories=list(orders.values())), list(orders))]
    encoder = TargetEncoder(target_type="continuous", cv=KFold(5, shuffle=True, random_state=0))
    return make_pipeline(
        ColumnTransformer(fills, remainder="passthrough", verbose_feature_names_out=False),
        ColumnTransformer(grades, remainder="passthrough", verbose_feature_names_out=False),
        FunctionTransformer(lambda X: derived(X, before).astype(dict.fromkeys(casts, "str")).drop(columns=drops)),
        ColumnTransformer(
            [("kept", "passthrough", lambda X: list(X.columns)), ("target", encoder, texts_of)],
            verbose_feature_names_out=lambda branch, name: f"{name}__target" if branch == "target" else name,
        ),
        FunctionTransformer(lambda X: derived(X, after)),
    ).set_output(transform="pandas")


def derived(X: pd.DataFrame, expressions: list[tuple[str, str]]) -> pd.DataFrame:
    """The table with the columns that the expressions make."""
    from features.expressions import parse

    made = {str(name): column for name, column in X.items()}
    for name, source in expressions:
        made[name] = parse(source).evaluate_columns(made, X.index)
    return pd.DataFrame(made, index=X.index, copy=False)


def texts_of(X: pd.DataFrame) -> list[str]:
    """The columns of text."""
    return [name for name in X.columns if not pd.api.types.is_numeric_dtype(X[name].dtype)]


def numbers_of(X: pd.DataFrame) -> list[str]:
    """The columns of numbers, flags left out."""
    return [name for name in X.columns if pd.api.types.is_numeric_dtype(X[name].dtype) and X[name].dtype != bool]


def sklearn_views() -> list[Any]:
    """The linear and the tree view in scikit-learn."""
    from scipy.stats import skew
    from sklearn.base import BaseEstimator, TransformerMixin
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, RobustScaler

    class LogOfSkewed(TransformerMixin, BaseEstimator):  # type: ignore[misc]
        def fit(self, X: pd.DataFrame, y: object = None) -> LogOfSkewed:
            values = X.to_numpy(dtype=np.float64)
            self.skewed_ = (values.min(axis=0) >= 0) & (np.abs(skew(values)) > 2)
            return self

        def transform(self, X: pd.DataFrame) -> np.ndarray:
            values = X.to_numpy(dtype=np.float64)
            values[:, self.skewed_] = np.log1p(np.maximum(values[:, self.skewed_], 0))
            return values

    levels = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    linear = [("levels", levels, texts_of), ("numbers", make_pipeline(LogOfSkewed(), RobustScaler()), numbers_of)]
    trees = [("levels", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), texts_of)]
    return [ColumnTransformer(parts, remainder="passthrough") for parts in (linear, trees)]


def peak_memory(n_rows: int) -> None:
    """Benchmark 4, in a child of its own: the peak of a process counts everything it ever held."""
    frame, base, peak = _in_child(_memory, n_rows)
    print(f"\n### Peak memory, {n_rows:,} x 50 frame through clean, features and one view, one fold\n")
    print("| frame MB | before MB | peak MB | (peak - before) / frame, the frame counted |\n|---|---|---|---|")
    print(f"| {frame:.0f} | {base:.0f} | {peak:.0f} | {(peak - base + frame) / frame:.2f} |")


def _in_child(measure: Callable[[int], tuple[float, float, float]], n_rows: int) -> tuple[float, float, float]:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(measure, (n_rows,))


def _memory(n_rows: int) -> tuple[float, float, float]:
    from pipelines.frames import FoldRows, advance, replay, start
    from pipelines.spec import Part
    from pipelines.splits import Folds

    rng = np.random.default_rng(0)
    columns = {f"n{i}": rng.normal(size=n_rows) for i in range(40)} | {f"k{i}": rng.integers(0, 200, n_rows) for i in range(10)}
    columns["n0"][::7] = np.nan
    X = pd.DataFrame(columns)
    del columns
    y = rng.normal(size=n_rows)
    status = np.ones((n_rows, 5), dtype=np.int8)
    for fold in range(5):
        status[fold::5, fold] = 2
    parts = [
        Part("fill", {"columns": ["n0"], "how": "median"}, ("clean", 0)),
        Part("derive", {"expressions": {"total": "n1 + n2", "ratio": "n3 / (1 + abs(n4))"}}, ("features", 0)),
        Part("group_statistics", {"columns": ["n5"], "by": ["k0"], "statistics": ["mean", "difference"]}, ("features", 1)),
        Part("target_encode", {"columns": ["k1", "k2"]}, ("features", 2)),
        Part("scale", {"columns": ["n6", "n7", "n8"], "how": "standard"}, ("views", "trees", 0)),
    ]
    folds = Folds(status)
    rows = FoldRows.of(folds, 0, n_rows)
    base = _start_of_peak()
    frames = advance(start(X, rows), parts, rows, lambda wanted: y[wanted], np.arange(n_rows))
    for fold in range(1, 3):
        replay(
            frames.events,
            pd.DataFrame(index=FoldRows.of(folds, fold, n_rows).all),
            FoldRows.of(folds, fold, n_rows),
            lambda wanted: y[wanted],
        )
    return X.memory_usage().sum() / 2**20, base, _megabytes("VmHWM")


def _start_of_peak() -> float:
    """Forget the peak so far (Linux); gives the memory held now."""
    Path("/proc/self/clear_refs").write_text("5")
    return _megabytes("VmRSS")


def _megabytes(what: str) -> float:
    """A line of this process's status, ``VmRSS`` (now) or ``VmHWM`` (the peak)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return float(next(line for line in lines if line.startswith(what)).split()[1]) / 1024


if __name__ == "__main__":
    main()
