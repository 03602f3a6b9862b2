"""Own steps that learn from rows and say that they do not, and their look-alikes that do it rightly."""

from __future__ import annotations

from pipelines.audit import independence, memory

from .exhibit import Exhibit, own

_BATCH = _CLAIM = independence.check
_SCALE_BODY = """
def _learn(self, X, y):
    self.mean_ = float(X['area'].mean())
def _write(self, X):
    return pd.DataFrame({'centred': X['area'] - self.mean_})
"""
_COUNT_BODY = """
def _learn(self, X, y):
    self.count_ = X['street'].value_counts().to_dict()
def _write(self, X):
    return pd.DataFrame({'n': X['street'].map(self.count_).fillna(0)})
"""
_IMPUTE_BODY = """
def _learn(self, X, y):
    self.median_ = float(X['age'].median())
def _write(self, X):
    return X[['age']].fillna(self.median_)
"""
_PCA_BODY = """
def _learn(self, X, y):
    self.mean_ = X.mean().to_numpy()
    axis = np.linalg.svd(X.to_numpy(float) - self.mean_, full_matrices=False)[2][0]
    self.axis_ = axis * np.sign(axis[0])
def _write(self, X):
    return pd.DataFrame({'first': (X.to_numpy(float) - self.mean_) @ self.axis_}, index=X.index)
"""
_CACHE_BODY = """
def _learn(self, X, y):
    {here}.mean_ = {here}.__dict__.get('mean_') or float(X['area'].mean())
def _write(self, X):
    return pd.DataFrame({{'centred': X['area'] - {here}.mean_}})
"""
_RANDOM_BODY = """
def _learn(self, X, y):
    self.weight_ = float({rng}.normal()) * float(X['area'].std())
def _write(self, X):
    return pd.DataFrame({{'mixed': X['area'] * self.weight_ + X['rooms']}})
"""


def _gaps(table, rng):
    return table.assign(age=table["age"].mask(rng.random(len(table)) < 0.1))


def _writes(name: str, what: str, *, columns: object = "area") -> str:
    return own(name, "NOTHING", f"def _write(self, X):\n    return pd.DataFrame({{'made': {what}}}, index=X.index)", columns=columns)


PLANTED = [
    Exhibit(
        "a mean, learnt by a step that claims nothing",
        _CLAIM,
        steps=own("Center", "NOTHING", _SCALE_BODY),
        declared={"features": ["my_center"]},
    ),
    Exhibit(
        "a median for gaps, learnt by a step that claims nothing",
        _CLAIM,
        change=_gaps,
        steps=own("Impute", "NOTHING", _IMPUTE_BODY, columns="age"),
        declared={"features": ["my_impute"]},
    ),
    Exhibit(
        "principal components of a step that claims nothing",
        _CLAIM,
        steps=own("FirstAxis", "NOTHING", _PCA_BODY, columns=["area", "rooms", "age"]),
        declared={"features": ["my_first_axis"]},
    ),
    Exhibit(
        "counts of a step that claims levels",
        _CLAIM,
        steps=own("Many", "LEVELS", _COUNT_BODY, columns="street"),
        declared={"features": ["my_many"]},
    ),
    Exhibit(
        "a mean of a step that claims levels", _CLAIM, steps=own("Center", "LEVELS", _SCALE_BODY), declared={"features": ["my_center"]}
    ),
    Exhibit(
        "scaled by the batch it stands in",
        _BATCH,
        steps=_writes("Scaled", "X['area'] / X['area'].std()"),
        declared={"features": ["my_scaled"]},
    ),
    Exhibit(
        "counted in the batch it stands in",
        _BATCH,
        steps=_writes("Counted", "X['street'].map(X['street'].value_counts())", columns="street"),
        declared={"features": ["my_counted"]},
    ),
    Exhibit(
        "ranked in the batch it stands in",
        _BATCH,
        steps=_writes("Ranked", "X['area'].rank(pct=True)"),
        declared={"features": ["my_ranked"]},
    ),
    Exhibit("a running total", _BATCH, steps=_writes("Running", "X['area'].cumsum()"), declared={"features": ["my_running"]}),
    Exhibit("the row before", _BATCH, steps=_writes("Before", "X['area'].shift(1).fillna(0)"), declared={"features": ["my_before"]}),
    Exhibit("the number of the row", _BATCH, steps=_writes("Number", "np.arange(len(X))"), declared={"features": ["my_number"]}),
    Exhibit("the label of the row", _BATCH, steps=_writes("Label", "X.index.to_numpy()"), declared={"features": ["my_label"]}),
    Exhibit(
        "a mean of the first fold, kept in the class",
        memory.check,
        steps=own("Cached", "ROWS", _CACHE_BODY.format(here="MyCached")),
        declared={"features": ["my_cached"]},
    ),
    Exhibit(
        "chance without a seed",
        memory.check,
        steps=own("Mixed", "ROWS", _RANDOM_BODY.format(rng="np.random.default_rng()"), columns=["area", "rooms"]),
        declared={"features": ["my_mixed"]},
    ),
    Exhibit(
        "chance that goes on from fold to fold",
        memory.check,
        steps="RNG = np.random.default_rng(0)\n" + own("Mixed", "ROWS", _RANDOM_BODY.format(rng="RNG"), columns=["area", "rooms"]),
        declared={"features": ["my_mixed"]},
    ),
]

CLEAN = [
    Exhibit("a mean, learnt by a step that says so", steps=own("Center", "ROWS", _SCALE_BODY), declared={"features": ["my_center"]}),
    Exhibit(
        "medians for gaps, an own step's and a built-in one's",
        change=_gaps,
        steps=own("Impute", "ROWS", _IMPUTE_BODY, columns="age"),
        declared={"clean": ["my_impute"], "features": [{"fill": {"columns": "age", "with": "median"}}]},
    ),
    Exhibit(
        "principal components of the training part",
        steps=own("FirstAxis", "ROWS", _PCA_BODY, columns=["area", "rooms", "age"]),
        declared={"features": ["my_first_axis"]},
    ),
    Exhibit("counts of all rows, asked for", declared={"features": [{"count_encode": {"columns": "street", "fit_on": "all"}}]}),
    Exhibit(
        "levels in the order of the alphabet",
        steps=own(
            "Codes",
            "LEVELS",
            "def _learn(self, X, y):\n    self.levels_ = sorted(X['street'].dropna().unique().tolist())\n"
            "def _write(self, X):\n    codes = {v: k for k, v in enumerate(self.levels_)}\n"
            "    return pd.DataFrame({'code': X['street'].map(codes).fillna(-1)})",
            columns="street",
        ),
        declared={"features": ["my_codes"]},
    ),
    Exhibit(
        "scaled by the row itself",
        steps=_writes("Scaled", "X['area'] / X.sum(axis=1)", columns=["area", "rooms"]),
        declared={"features": ["my_scaled"]},
    ),
    Exhibit(
        "a running total over the columns of a row",
        steps=_writes("Running", "X.cumsum(axis=1)['age']", columns=["area", "rooms", "age"]),
        declared={"features": ["my_running"]},
    ),
    Exhibit("ranks among the training part", declared={"features": [{"quantile_bins": {"columns": "area", "bins": 8}}]}),
    Exhibit(
        "a mean of each fold, kept in the step",
        steps=own("Cached", "ROWS", _CACHE_BODY.format(here="self")),
        declared={"features": ["my_cached"]},
    ),
    Exhibit(
        "chance with a seed",
        steps=own("Mixed", "ROWS", _RANDOM_BODY.format(rng="np.random.default_rng(0)"), columns=["area", "rooms"]),
        declared={"features": ["my_mixed"]},
    ),
]
