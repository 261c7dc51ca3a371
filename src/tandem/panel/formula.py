"""Formulas of derived series, read by a whitelist: arithmetic and a handful of functions.

A formula is text from a study file and thus untrusted: it is parsed with `ast` and walked; nothing
but the nodes named here is ever evaluated.
"""

import ast
import operator

import numpy as np
import pandas as pd

from tandem.errors import TandemError

SHOWN = 40  # characters of a formula that an error repeats
DEPTH = 100  # brackets and operations inside one another that a formula may have


def _refuse(bad, words: str) -> None:
    """Raise with the first entity and year at which `bad` holds."""
    if np.any(bad):
        where = " in {} {}".format(*bad.index[bad][0]) if isinstance(bad, pd.Series) else ""
        raise TandemError(words + where)


def _divide(x, y):
    _refuse((y == 0) & (x == x), "it divides by zero")  # a missing x stays missing
    return x / y


_OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: _divide,
}


def _by_year(x: pd.Series) -> pd.DataFrame:
    """Entities side by side, every calendar year from the first to the last in a row."""
    wide = x.unstack("entity")
    years = pd.RangeIndex(wide.index.min(), wide.index.max() + 1, name="year")
    return wide.reindex(years)


def _like(wide: pd.DataFrame, index: pd.MultiIndex) -> pd.Series:
    return wide.stack(future_stack=True).swaplevel().reindex(index)


def _log(x: pd.Series) -> pd.Series:
    _refuse(x <= 0, "log of a number that is not positive")
    return np.log(x)


def _lag(x: pd.Series, years: int = 1) -> pd.Series:
    """Value of `years` calendar years before, whatever the row order."""
    return _like(_by_year(x).shift(years), x.index)


def _chain(level: pd.Series, index: pd.Series, base: int) -> pd.Series:
    """The base year's level carried on by an index (previous year = 100): constant prices."""
    _refuse(index <= 0, "chain by an index that is not positive")
    growth = np.log(_by_year(index) / 100)
    if base not in growth.index:
        raise TandemError(f"chain's base year {base} is outside the study's years")
    # a gap breaks the chain for the years beyond it, seen from the base year
    ahead = growth.loc[base + 1 :].cumsum(skipna=False)
    back = growth.loc[:base].iloc[::-1].cumsum(skipna=False).shift(1, fill_value=0.0)
    volume = pd.concat([-back.iloc[::-1], ahead])
    return _like(np.exp(volume) * level.xs(base, level="year"), level.index)


# name: function, fewest and most values, how many of them are series; the rest are whole numbers
FUNCTIONS = {
    "log": (_log, 1, 1, 1),
    "lag": (_lag, 1, 2, 1),
    "diff": (lambda x: x - _lag(x), 1, 1, 1),
    "mean": (lambda *xs: sum(xs) / len(xs), 2, 99, 99),
    "chain": (_chain, 3, 3, 2),
}


def parse(formula: str) -> ast.expr:
    """Parse and check every node, so that a bad formula is refused when the study is read."""
    try:
        tree = ast.parse(formula.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise TandemError(
            f"the formula '{_cut(formula)}' cannot be read; check its brackets"
        ) from None
    _check(tree, formula, DEPTH)
    if not _names(tree):
        raise TandemError(f"the formula '{_cut(formula)}' names no series")
    return tree


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def _check(node: ast.AST, formula: str, room: int) -> None:
    if room == 0:
        raise TandemError(f"a formula is nested too deeply: '{_cut(formula)}'; split it up")
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            if number > 1e300:
                raise TandemError(f"the formula '{_cut(formula)}' holds a number too large")
        case ast.Name(id=name) if name not in FUNCTIONS:
            return
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            _check(left, formula, room - 1)
            _check(right, formula, room - 1)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            _check(operand, formula, room - 1)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in FUNCTIONS:
            _check_call(name, args, formula, room)
        case _:
            allowed = ", ".join(FUNCTIONS)
            raise TandemError(
                f"the formula '{_cut(formula)}' holds "
                f"'{_cut(ast.get_source_segment(formula.strip(), node))}'; "
                f"only numbers, series, + - * / and {allowed} may stand in a formula"
            )


def _check_call(name: str, args: list[ast.expr], formula: str, room: int) -> None:
    _, fewest, most, n_series = FUNCTIONS[name]
    if not fewest <= len(args) <= most:
        raise TandemError(f"the formula '{_cut(formula)}' gives {name}() {len(args)} values")
    for arg in args[:n_series]:
        _check(arg, formula, room - 1)
        if not _names(arg):
            raise TandemError(f"the formula '{_cut(formula)}' gives {name}() a number for a series")
    for arg in args[n_series:]:
        year = arg.value if isinstance(arg, ast.Constant) else None
        if type(year) is not int or year >= 10_000:
            raise TandemError(
                f"the formula '{_cut(formula)}' gives {name}() no whole number of years"
            )


def _names(tree: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)} - set(FUNCTIONS)


def names_in(formula: str) -> list[str]:
    """Series that a formula reads, sorted.

    Raises
    ------
    TandemError
        If the formula holds anything but numbers, series, + - * / and the functions allowed, or no
        series at all.
    """
    return sorted(_names(parse(formula)))


def inputs_of(formula: str, year: int) -> list[tuple[str, int]]:
    """The (series, year) pairs that a formula's value of one year rests on, sorted.

    `lag` and `diff` look back, and `chain` takes the level of its base year and the index of every
    year between the two. A pair may lie outside the study's years; the value is missing then.

    Raises
    ------
    TandemError
        A formula that `names_in` refuses.
    """
    return sorted(_inputs(parse(formula), {year}))


def _inputs(node: ast.AST, years: set[int]) -> set[tuple[str, int]]:
    match node:
        case ast.Name(id=name):
            return {(name, year) for year in years}
        case ast.Call(func=ast.Name(id="lag"), args=[x, *lag]):
            back = lag[0].value if lag else 1
            return _inputs(x, {year - back for year in years})
        case ast.Call(func=ast.Name(id="diff"), args=[x]):
            return _inputs(x, years | {year - 1 for year in years})
        case ast.Call(func=ast.Name(id="chain"), args=[level, index, ast.Constant(value=base)]):
            spans = [range(min(base, year) + 1, max(base, year) + 1) for year in years]
            return _inputs(level, {base}) | _inputs(index, {y for span in spans for y in span})
        case ast.Call(args=parts):
            return set().union(*(_inputs(part, years) for part in parts))
        case _:
            parts = ast.iter_child_nodes(node)
            return set().union(*(_inputs(part, years) for part in parts))


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

    Raises
    ------
    TandemError
        A division by zero or a logarithm of what is not positive, with entity and year; a base year
        of chain() outside the index; a formula that `names_in` refuses.
    """
    return _value(parse(formula), columns)


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
