"""Steps that see targets they must not: a row's own, those of other folds, or all of them from the file."""

from __future__ import annotations

from pipelines.audit import canary, exact, independence, memory, probe, reading, too_good

from .exhibit import Exhibit, own

_MEANS_BODY = """
def _learn(self, X, y):
    self.means_ = y.groupby(X['street']).mean().to_dict()
    self.mean_ = float(y.mean())
def _write(self, X):
    return pd.DataFrame({'said': X['street'].map(self.means_).fillna(self.mean_)})
"""
_CROSS_BODY = (
    _MEANS_BODY
    + """
def write_training(self, X, y):
    inner = pd.Series(inner_folds(X.index, 4, 0), index=X.index)
    said = pd.Series(0.0, index=X.index)
    for fold in range(4):
        others = y[inner {which} fold]
        said[inner == fold] = X['street'][inner == fold].map(others.groupby(X['street']).mean()).fillna(others.mean())
    return pd.DataFrame({{'said': said}})
"""
)
_ORDER_BODY = """
def _learn(self, X, y):
    self.order_ = y.groupby(X['street']).mean().sort_values().index.tolist()
def _write(self, X):
    return pd.DataFrame({'place': X['street'].map({v: k for k, v in enumerate(self.order_)}).fillna(-1)})
"""
_MEMORY_BODY = """
def _learn(self, X, y):
    for row, value in zip(X['area'], y):
        {seen}
    self.mean_ = float(y.mean())
def _write(self, X):
    return pd.DataFrame({{'known': X['area'].map(MyKnown.seen).fillna(self.mean_)}})
def write_training(self, X, y):
    return pd.DataFrame({{'known': pd.Series(self.mean_, index=X.index)}})
"""
_TOLD_TOO_BODY = """
def _learn(self, X, y):
    MyKnown.seen.update(zip(X['area'], y))
def _write(self, X):
    return pd.DataFrame({'known': X['area'].map(MyKnown.seen).fillna(0)})
"""
_FILE = "pd.read_csv(Path(__file__).parent / 'train.csv')"
_TOLD_BODY = "def _write(self, X):\n    return pd.DataFrame({'told': "
_PEEK = """
def _learn(self, X, y):
    SEEN.update(zip(X['area'], y))
def _write(self, X):
    return X
"""
_TELL = """
def _write(self, X):
    return pd.DataFrame({'told': X['area'].map(SEEN).fillna(0)})
"""
_SELECT_BODY = """
def _learn(self, X, y):
    if {here}.__dict__.get('best_') is None:
        {here}.best_ = X.corrwith(y).abs().sort_values(ascending=False).round(6).to_dict()
    self.kept_ = list({here}.best_)[:3]
def _write(self, X):
    return X[{written}]
def _dropped(self):
    return [name for name in self.selected_ if name not in self.kept_]
"""
_NEIGHBOUR_BODY = """
def _learn(self, X, y):
    self.x_, self.t_ = X['area'].to_numpy(), y.to_numpy()
def _nearest(self, X, skip):
    far = np.abs(X['area'].to_numpy()[:, None] - self.x_[None, :])
    return pd.DataFrame({{'like': self.t_[np.argsort(far, axis=1, kind='stable')[:, skip]]}}, index=X.index)
def _write(self, X):
    return self._nearest(X, 0)
def write_training(self, X, y):
    return self._nearest(X, {skip})
"""
_RESIDUAL_BODY = """
def _learn(self, X, y):
    self.slope_, self.base_ = np.polyfit(X['area'], y, 1)
def _write(self, X):
    return pd.DataFrame({'rest': X['area'] * 0.0})
def write_training(self, X, y):
    return pd.DataFrame({'rest': y - self.slope_ * X['area'] - self.base_})
"""


def _noise(table, rng):
    return table.assign(**{f"noise{number}": rng.normal(size=len(table)) for number in range(8)})


_NOISES = [f"noise{number}" for number in range(8)]

PLANTED = [
    Exhibit(
        "means of the target that call themselves structure",
        canary.check,
        steps=own("Means", "TARGET_STRUCTURE", _MEANS_BODY, columns="street"),
        declared={"features": ["my_means"]},
    ),
    Exhibit(
        "target values without cross-fitting",
        canary.check,
        steps=own("Means", "TARGET_VALUES", _MEANS_BODY, columns="street"),
        declared={"features": ["my_means"]},
    ),
    Exhibit(
        "cross-fitted with the row's own fold instead of the others",
        canary.check,
        task="binary",
        steps=own("Cross", "TARGET_VALUES", _CROSS_BODY.replace("{which}", "==").replace("{{", "{").replace("}}", "}"), columns="street"),
        declared={"features": ["my_cross"]},
    ),
    Exhibit(
        "the nearest row's target, and the nearest row is the row itself",
        canary.check,
        steps=own("Like", "TARGET_VALUES", _NEIGHBOUR_BODY.format(skip=0)),
        declared={"features": ["my_like"]},
    ),
    Exhibit(
        "what a fit leaves over of the row's own target",
        canary.check,
        steps=own("Rest", "TARGET_STRUCTURE", _RESIDUAL_BODY),
        declared={"features": ["my_rest"]},
    ),
    Exhibit(
        "targets kept in the class from fold to fold",
        exact.check,
        steps=own("Known", "TARGET_VALUES", _MEMORY_BODY.format(seen="MyKnown.seen[row] = value"), state="seen = {}"),
        declared={"features": ["my_known"]},
    ),
    Exhibit(
        "targets kept in the class, the first ones seen",
        memory.check,
        steps=own("Known", "TARGET_VALUES", _MEMORY_BODY.format(seen="MyKnown.seen.setdefault(row, value)"), state="seen = {}"),
        declared={"features": ["my_known"]},
    ),
    Exhibit(
        "targets kept in the class, shuffled ones too",
        probe.check,
        steps=own("Known", "TARGET_VALUES", _TOLD_TOO_BODY, state="seen = {}"),
        declared={"features": ["my_known"]},
    ),
    Exhibit(
        "a step that sees targets and another that tells them",
        exact.check,
        steps="SEEN = {}\n" + own("Peek", "TARGET_STRUCTURE", _PEEK) + own("Tell", "ROWS", _TELL),
        declared={"features": ["my_peek", "my_tell"]},
    ),
    Exhibit(
        "the target read from the file by the row's place",
        independence.check,
        steps=own("Told", "NOTHING", f"{_TOLD_BODY}{_FILE}['y'].reindex(X.index).fillna(0)}})"),
        declared={"features": ["my_told"]},
    ),
    Exhibit(
        "the target read from the file when the step is loaded",
        reading.check,
        steps=f"KNOWN = {_FILE}.set_index('area')['y'] // 100\n" + own("Told", "NOTHING", f"{_TOLD_BODY}X['area'].map(KNOWN).fillna(0)}})"),
        declared={"features": ["my_told"]},
    ),
    Exhibit(
        "the target found again by what a row holds",
        too_good.check,
        steps=f"KNOWN = {_FILE}.set_index('area')['y']\n" + own("Told", "NOTHING", f"{_TOLD_BODY}X['area'].map(KNOWN).fillna(0)}})"),
        declared={"features": ["my_told"]},
    ),
    Exhibit(
        "columns chosen once, by the first fold",
        exact.check,
        change=_noise,
        steps=own("Chosen", "TARGET_STRUCTURE", _SELECT_BODY.format(here="MyChosen", written="self.kept_"), columns=_NOISES),
        declared={"features": ["my_chosen"]},
    ),
]

CLEAN = [
    Exhibit("target values, cross-fitted", task="binary", declared={"features": [{"target_encode": {"columns": ["street"]}}]}),
    Exhibit(
        "the rate of the other members of a group",
        task="binary",
        declared={"features": [{"group_target_rate": {"by": ["street", "rooms"]}}]},
    ),
    Exhibit(
        "the place of a level in the order of its mean target",
        steps=own("Place", "TARGET_STRUCTURE", _ORDER_BODY, columns="street"),
        declared={"features": ["my_place"]},
    ),
    Exhibit(
        "cross-fitted by the other folds",
        task="binary",
        steps=own("Cross", "TARGET_VALUES", _CROSS_BODY.replace("{which}", "!=").replace("{{", "{").replace("}}", "}"), columns="street"),
        declared={"features": ["my_cross"]},
    ),
    Exhibit(
        "the nearest other row's target",
        steps=own("Like", "TARGET_VALUES", _NEIGHBOUR_BODY.format(skip=1)),
        declared={"features": ["my_like"]},
    ),
    Exhibit(
        "columns chosen by each fold",
        change=_noise,
        steps=own("Chosen", "TARGET_STRUCTURE", _SELECT_BODY.format(here="self", written="self.kept_"), columns=_NOISES),
        declared={"features": ["my_chosen"]},
    ),
    Exhibit(
        "a small table of an own step's that is not the training file",
        steps="(Path(__file__).parent / 'rates.csv').write_text('street,rate\\nElm,3\\nOak,4\\n')\n"
        "RATES = pd.read_csv(Path(__file__).parent / 'rates.csv').set_index('street')['rate']\n"
        + own("Told", "NOTHING", f"{_TOLD_BODY}X['street'].map(RATES).fillna(0)}})", columns="street"),
        declared={"features": ["my_told"]},
    ),
]

REFUSED = Exhibit(
    "columns dropped by each fold, and the others not written",
    change=_noise,
    steps=own("Chosen", "TARGET_STRUCTURE", _SELECT_BODY.format(here="self", written="[]"), columns=_NOISES),
    declared={"features": ["my_chosen"]},
)
"""The first fold's choice would be every fold's: it fits on rows that others score."""
