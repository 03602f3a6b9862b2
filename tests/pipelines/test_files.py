"""Files read in parts: a hash keeps the same rows however the file is cut, and only these are read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import InputError
from pipelines.files import read_file, smaller_file
from pipelines.hash_sample import kept
from pipelines.spec import Data, HashSample

DATA = Data(train="train.csv", target="y")


def table(n_rows: int = 3000) -> pd.DataFrame:
    """Clicks of a few hundred addresses, with texts that need quotes, gaps and long numbers."""
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "ip": rng.integers(0, 400, n_rows),
            "app": rng.choice(["a,b", 'say "x"', "two\nlines", "", "é"], n_rows),
            "value": rng.normal(size=n_rows),
            "y": rng.integers(0, 2, n_rows),
        }
    )


def written(folder: Path, rows: pd.DataFrame, kind: str) -> Path:
    path = folder / f"train.{kind}"
    if kind == "parquet":
        rows.to_parquet(path, index=False)
    else:
        rows.to_csv(path, index=False)
    return path


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "parquet"])
@pytest.mark.parametrize("by", [[], "ip", ["ip", "app"]])
def test_the_kept_rows_are_those_of_the_whole_file(kind: str, by: str | list[str], tmp_path: Path) -> None:
    path, sample = written(tmp_path, table(), kind), HashSample(rate=0.3, by=by)
    whole = read_file(path, DATA)
    for rows_at_once in (7, 1000, 100_000):
        with smaller_file(path, sample, rows_at_once) as smaller:
            chosen = read_file(smaller, DATA)
        assert not smaller.exists()
        pd.testing.assert_frame_equal(chosen, read_file(path, DATA, sample))
    mask = kept(whole.fillna("") if by else whole, sample, 0, path.name)
    pd.testing.assert_frame_equal(chosen, whole[mask].reset_index(drop=True))
    assert 0.2 < len(chosen) / len(whole) < 0.4


def test_groups_are_kept_whole(tmp_path: Path) -> None:
    rows = table()
    chosen = read_file(written(tmp_path, rows, "csv"), DATA, HashSample(rate=0.25, by="ip"))
    counts = rows["ip"].value_counts()
    assert (chosen["ip"].value_counts() == counts[chosen["ip"].unique()].sort_index().reindex(chosen["ip"].value_counts().index)).all()
    assert 0.15 < chosen["ip"].nunique() / rows["ip"].nunique() < 0.35


@given(rate=st.floats(0.01, 1.0), more=st.floats(0.0, 1.0), seed=st.integers(0, 10**15))
def test_a_higher_rate_keeps_more_of_the_same_rows(rate: float, more: float, seed: int) -> None:
    rows = table(500)
    few = kept(rows, HashSample(rate=rate, seed=seed), 0, "train.csv")
    many = kept(rows, HashSample(rate=rate + more * (1 - rate), seed=seed), 0, "train.csv")
    assert not (few & ~many).any()


def test_all_rows_at_rate_one_and_others_with_another_seed() -> None:
    rows = table()
    assert kept(rows, HashSample(rate=1.0), 0, "train.csv").all()
    one, two = (kept(rows, HashSample(rate=0.5, seed=seed), 0, "train.csv") for seed in (0, 1))
    assert 0.4 < (one == two).mean() < 0.6


@pytest.mark.parametrize(
    ("text", "sample", "message"),
    [
        ("ip,y\n1,2\n", HashSample(rate=0.5, by="ipp"), r"data\.sample: train\.csv lacks column 'ipp'; it has 'ip', 'y'\. Closest: 'ip'"),
        ("ip,y\n" + "1,2\n" * 9, HashSample(rate=1e-9), r"data\.sample keeps no row of .* at rate 1e-09\. Raise 'rate'"),
        ("ip,y\n1,2,3\n", HashSample(rate=0.5), "more cells in its rows than names in its header"),
        ("ip,ip\n1,2\n", HashSample(rate=0.5), "column\\(s\\) 'ip' more than once"),
    ],
)
def test_what_cannot_be_sampled(text: str, sample: HashSample, message: str, tmp_path: Path) -> None:
    path = tmp_path / "train.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read_file(path, DATA, sample)
