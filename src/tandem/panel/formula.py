"""Formulas of derived series, read by a whitelist: arithmetic and a handful of functions.

A formula is text from a study file and thus untrusted: it is parsed with `ast` and walked; nothing
but the nodes named here is ever evaluated.
"""

import ast
import operator

import numpy as np
import pandas as pd

from tandem.errors import TandemError

_OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def _log(x: pd.Series) -> pd.Series:
    if (x <= 0).any():
        entity, year = x.index[(x <= 0).to_numpy()][0]
        raise TandemError(f"log of {x.loc[(entity, year)]:g} in {entity} {year}")
    return np.log(x)


def _lag(x: pd.Series, years: float = 1) -> pd.Series:
    """Value of `years` calendar years before, whatever the row order."""
    return (
        x.unstack("entity").shift(int(years)).stack(future_stack=True).swaplevel().reindex(x.index)
    )


def _chain(level: pd.Series, index: pd.Series, base: float) -> pd.Series:
    """The base year's level carried on by an index (previous year = 100): constant prices."""
    growth = np.log(index.unstack("entity") / 100)
    if int(base) not in growth.index:
        raise TandemError(f"chain's base year {int(base)} is outside the study's years")
    growth.iloc[0] = 0.0
    volume = growth.cumsum(skipna=False)
    prices = np.exp(volume - volume.loc[int(base)]) * level.xs(int(base), level="year")
    return prices.stack(future_stack=True).swaplevel().reindex(level.index)


# name: (function, smallest and largest number of arguments)
FUNCTIONS = {
    "log": (_log, 1, 1),
    "lag": (_lag, 1, 2),
    "diff": (lambda x: x - _lag(x), 1, 1),
    "mean": (lambda *xs: sum(xs) / len(xs), 2, 99),
    "chain": (_chain, 3, 3),
}


def _parse(formula: str) -> ast.expr:
    """Parse and check every node, so that a bad formula is refused when the study is read."""
    try:
        tree = ast.parse(formula.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise TandemError(f"the formula '{formula}' cannot be read; check its brackets") from None
    _check(tree, formula)
    return tree


def _check(node: ast.AST, formula: str) -> None:
    match node:
        case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
            return
        case ast.Name():
            return
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            _check(left, formula)
            _check(right, formula)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            _check(operand, formula)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in FUNCTIONS:
            _, fewest, most = FUNCTIONS[name]
            if not fewest <= len(args) <= most:
                raise TandemError(f"the formula '{formula}' gives {name}() {len(args)} values")
            for arg in args:
                _check(arg, formula)
        case _:
            allowed = ", ".join(FUNCTIONS)
            raise TandemError(
                f"the formula '{formula}' holds '{ast.unparse(node)}'; only numbers, series, "
                f"+ - * / and {allowed} may stand in a formula"
            )


def names_in(formula: str) -> list[str]:
    """Series that a formula reads, sorted.

    Raises
    ------
    TandemError
        If the formula holds anything but numbers, series, + - * / and the functions allowed.
    """
    tree = _parse(formula)
    functions = {n.func.id for n in ast.walk(tree) if isinstance(n, ast.Call)}
    names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
    return sorted(names - functions)


def evaluate(formula: str, columns: pd.DataFrame) -> pd.Series:
    """Value of a formula on base series.

    Parameters
    ----------
    formula : str
        For instance ``"industrial_rd_expenditure / 1e4 / gdp * 100"``.
    columns : DataFrame (entity-years, base series)
        Indexed by (entity, year), one column a series; NaN where nothing was published.

    Returns
    -------
    Series
        On the same index; NaN wherever an input is NaN.
    """
    return _value(_parse(formula), columns)


def _value(node: ast.AST, columns: pd.DataFrame):
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return columns[name]
        case ast.BinOp(left=left, op=op, right=right):
            return _OPERATORS[type(op)](_value(left, columns), _value(right, columns))
        case ast.UnaryOp(operand=operand):
            return -_value(operand, columns)
        case ast.Call(func=ast.Name(id=name), args=args):
            return FUNCTIONS[name][0](*(_value(a, columns) for a in args))
