"""Safe expressions over the columns of a table: parsed to a syntax tree, checked against a short list, never run as code."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, reduce
from typing import Any

import numpy as np
import pandas as pd

from features.errors import InputError, closest, listed

MAX_LENGTH = 2000

_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    # float_power: an integer power of integers could fill the memory
    ast.Pow: np.float_power,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def _where(condition: Any, then: Any, otherwise: Any) -> Any:
    if not isinstance(condition, pd.Series):
        return then if condition else otherwise
    chosen = then if isinstance(then, pd.Series) else pd.Series(then, index=condition.index)
    return chosen.where(condition.astype(bool), otherwise)


def _extreme(pick: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    return lambda *values: reduce(pick, values)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": np.abs,
    "ceil": np.ceil,
    "clip": lambda value, low, high: _extreme(np.fmin)(np.fmax(value, low), high),
    "contains": lambda text, part: text.str.contains(part, regex=False, na=False).astype(bool),
    "exp": np.exp,
    "floor": np.floor,
    "is_missing": lambda value: value.isna(),
    "length": lambda text: text.str.len(),
    "log": np.log,
    "log1p": np.log1p,
    "lower": lambda text: text.str.lower(),
    "max": _extreme(np.fmax),
    "min": _extreme(np.fmin),
    "number": lambda value: value.astype("float64"),
    "round": np.round,
    "sqrt": np.sqrt,
    "starts_with": lambda text, part: text.str.startswith(part, na=False).astype(bool),
    "text": lambda value: as_text(value),
    "upper": lambda text: text.str.upper(),
    "where": _where,
}


def as_text(column: pd.Series) -> pd.Series:
    """A column as strings; a whole number has no ``.0`` (whatever stands in the other rows), missing stays missing."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        # by its levels: cast as a whole, the level 1 would be "1.0" in a column with gaps and "1" in one without
        return column.cat.rename_categories(as_text(pd.Series(column.cat.categories)).tolist()).astype("str")
    if pd.api.types.is_float_dtype(column.dtype):
        written = {value: str(int(value)) if float(value).is_integer() else repr(float(value)) for value in column.dropna().unique()}
        return column.map(written).astype("str")
    return column.astype("str")


@dataclass(frozen=True)
class Expression:
    """A checked expression; ``names`` are the columns it reads, in order of appearance."""

    source: str
    tree: ast.expr
    names: tuple[str, ...]
    aliases: dict[str, str]

    def evaluate(self, X: pd.DataFrame) -> pd.Series:
        """The expression's value for each row; see ``evaluate_columns``."""
        return self.evaluate_columns(X, X.index)

    def evaluate_columns(self, X: Mapping[str, pd.Series] | pd.DataFrame, index: pd.Index) -> pd.Series:
        """The expression's value for each row.

        Parameters
        ----------
        X
            Columns by name: a table, or what costs less to look up in, a dictionary.
        index : Index of shape (n_rows,)
            The index of every column.

        Returns
        -------
        Series of shape (n_rows,)
            A division by zero, a logarithm of nothing and every other infinite result is missing. A comparison with a
            missing value is false.

        Raises
        ------
        InputError
            When a column is not there, or an operation does not fit the columns' types.
        """
        for name in self.names:
            if name not in X:
                raise InputError(f"Expression {self.source!r} needs column {name!r}; there are {listed(list(X))}.{closest(name, list(X))}")
        try:
            with np.errstate(all="ignore"):
                value = _Evaluation(X, self).visit(self.tree)
        except (TypeError, ValueError, AttributeError, OverflowError) as error:
            kinds = ", ".join(f"{name}: {X[name].dtype}" for name in self.names)
            raise InputError(
                f"Expression {self.source!r} does not fit its columns ({kinds}): {error}. Use text(...) or number(...) to change a type."
            ) from error
        series = value if isinstance(value, pd.Series) else pd.Series(value, index=index)
        if pd.api.types.is_float_dtype(series.dtype):
            series = series.where(np.isfinite(series), np.nan)
        return series.rename(None)

    def mask(self, X: pd.DataFrame) -> pd.Series:
        """The expression as a boolean mask of shape (n_rows,); InputError when it is not a yes-or-no question."""
        value = self.evaluate(X)
        if not pd.api.types.is_bool_dtype(value.dtype):
            raise InputError(f"Expression {self.source!r} must be true or false for each row, it gives {value.dtype}. Use a comparison.")
        return value.astype(bool)


def parse(source: object) -> Expression:
    """Parse and check an expression.

    Raises
    ------
    InputError
        When it is no expression, or uses anything beyond columns, numbers, strings, arithmetic, comparison, boolean
        operators, ``in [..]`` and the functions listed in ``FUNCTIONS``.

    Examples
    --------
    >>> parse("`1stFlrSF` + max(a, 2)").names
    ('1stFlrSF', 'a')
    """
    if not isinstance(source, str) or not source.strip():
        raise InputError(f"An expression is a text such as 'GrLivArea > 4000', found {source!r}.")
    if len(source) > MAX_LENGTH:
        raise InputError(f"An expression has at most {MAX_LENGTH} characters, this one has {len(source)}.")
    return _parsed(source)


@lru_cache(maxsize=1024)
def _parsed(source: str) -> Expression:
    """Every fold asks for the same expressions."""
    text, aliases = _without_backticks(source)
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise InputError(f"Expression {source!r} cannot be read: {getattr(error, 'msg', error)}.") from error
    names: dict[str, None] = {}
    _check(tree, source, names)
    return Expression(source, tree, tuple(aliases.get(name, name) for name in names), aliases)


def _without_backticks(source: str) -> tuple[str, dict[str, str]]:
    """Replace column names in backticks by identifiers, strings left alone."""
    aliases: dict[str, str] = {}

    def replace(match: re.Match[str]) -> str:
        if not match.group(0).startswith("`"):
            return match.group(0)
        alias = f"column_{len(aliases)}_"
        aliases[alias] = match.group(0)[1:-1]
        return alias

    return re.sub(r"'[^']*'|\"[^\"]*\"|`[^`]+`", replace, source), aliases


def _check(node: ast.AST, source: str, names: dict[str, None]) -> None:
    match node:
        case ast.Name():
            names[node.id] = None
        case ast.Constant() if isinstance(node.value, (int, float, str, bool)):
            pass
        case ast.Call():
            _check_call(node, source, names)
        case ast.BinOp() if type(node.op) in _ARITHMETIC:
            _check_all([node.left, node.right], source, names)
        case ast.UnaryOp() if isinstance(node.op, (ast.Not, ast.USub, ast.UAdd)):
            _check(node.operand, source, names)
        case ast.BoolOp():
            _check_all(node.values, source, names)
        case ast.Compare():
            _check_comparison(node, source, names)
        case _:
            raise InputError(
                f"Expression {source!r} uses {type(node).__name__}, which is not allowed: columns, numbers, strings, arithmetic, "
                f"comparison, and/or/not, in [..] and the functions {', '.join(FUNCTIONS)} are."
            )


def _check_all(nodes: list[ast.expr], source: str, names: dict[str, None]) -> None:
    for node in nodes:
        _check(node, source, names)


def _check_call(node: ast.Call, source: str, names: dict[str, None]) -> None:
    name = node.func.id if isinstance(node.func, ast.Name) else ast.unparse(node.func)
    if name not in FUNCTIONS or node.keywords:
        raise InputError(f"Expression {source!r} calls {name!r}; allowed are {', '.join(FUNCTIONS)}.{closest(name, FUNCTIONS)}")
    _check_all(node.args, source, names)


def _check_comparison(node: ast.Compare, source: str, names: dict[str, None]) -> None:
    _check(node.left, source, names)
    for op, right in zip(node.ops, node.comparators, strict=True):
        if isinstance(op, (ast.In, ast.NotIn)) and isinstance(right, (ast.List, ast.Tuple)):
            _check_all(right.elts, source, names)
        elif type(op) in _COMPARISONS:
            _check(right, source, names)
        else:
            raise InputError(f"Expression {source!r}: compare with ==, !=, <, <=, >, >= or in [..].")


class _Evaluation(ast.NodeVisitor):
    """Walks a checked tree; every node has been allowed by ``_check``."""

    def __init__(self, X: Mapping[str, pd.Series] | pd.DataFrame, expression: Expression) -> None:
        self.X = X
        self.aliases = expression.aliases

    def visit_Name(self, node: ast.Name) -> Any:
        column = self.X[self.aliases.get(node.id, node.id)]
        return as_text(column) if isinstance(column.dtype, pd.CategoricalDtype) else column

    def visit_Constant(self, node: ast.Constant) -> Any:
        return node.value

    def visit_Call(self, node: ast.Call) -> Any:
        assert isinstance(node.func, ast.Name)
        return FUNCTIONS[node.func.id](*(self.visit(argument) for argument in node.args))

    def visit_BinOp(self, node: ast.BinOp) -> Any:
        left, right = self.visit(node.left), self.visit(node.right)
        if not isinstance(left, pd.Series) and not isinstance(right, pd.Series) and isinstance(node.op, (ast.Div, ast.FloorDiv, ast.Mod)):
            left = np.float64(left)
        return _ARITHMETIC[type(node.op)](_as_number(left), _as_number(right))

    def visit_UnaryOp(self, node: ast.UnaryOp) -> Any:
        value = self.visit(node.operand)
        if isinstance(node.op, ast.Not):
            return ~_as_mask(value) if isinstance(value, pd.Series) else not value
        return -_as_number(value) if isinstance(node.op, ast.USub) else value

    def visit_BoolOp(self, node: ast.BoolOp) -> Any:
        join = operator.and_ if isinstance(node.op, ast.And) else operator.or_
        return reduce(join, [_as_mask(self.visit(value)) for value in node.values])

    def visit_Compare(self, node: ast.Compare) -> Any:
        left, outcomes = self.visit(node.left), []
        for op, right_node in zip(node.ops, node.comparators, strict=True):
            if isinstance(op, (ast.In, ast.NotIn)):
                assert isinstance(right_node, (ast.List, ast.Tuple))
                held = left.isin([self.visit(item) for item in right_node.elts])
                outcomes.append(held if isinstance(op, ast.In) else ~held & left.notna())
                continue
            right = self.visit(right_node)
            outcomes.append(_compared(_COMPARISONS[type(op)], left, right))
            left = right
        return reduce(operator.and_, outcomes)


def _compared(compare: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
    outcome = compare(left, right)
    for side in (left, right):
        if isinstance(side, pd.Series):
            outcome = outcome & side.notna()
    return outcome.astype(bool) if isinstance(outcome, pd.Series) else bool(outcome)


def _as_number(value: Any) -> Any:
    """Booleans count as 0 and 1 in arithmetic."""
    if isinstance(value, pd.Series) and pd.api.types.is_bool_dtype(value.dtype):
        return value.astype("int64")
    return value


def _as_mask(value: Any) -> Any:
    if isinstance(value, pd.Series) and not pd.api.types.is_bool_dtype(value.dtype):
        raise TypeError("and, or and not need comparisons on both sides")
    return value
