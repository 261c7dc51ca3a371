"""Formulas of derived series as SQL, for panels that DuckDB reads.

The text of a study never reaches SQL: a formula is parsed by the whitelist of
`tandem.panel.formula`, and each node is written out anew.
"""

import ast

from tandem.errors import TandemError
from tandem.panel.formula import parse

OPERATORS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*"}
WINDOWS = ("lag", "diff")


def quoted(name: str) -> str:
    """A column's name as SQL takes it, whatever it holds."""
    return '"' + name.replace('"', '""') + '"'


def column(name: str) -> str:
    """The column of a table's own figures as SQL; with its space it is no name of a study."""
    return quoted(f"raw {name}")


def formula_sql(formula: str) -> tuple[str, list[tuple[str, str]]]:
    """SQL of a formula over columns of doubles (`column`), of a table with entity and year.

    Every part of the formula stands in its SQL once, within diff() twice: what is written grows
    with the formula and not with the power of its depth.

    Returns
    -------
    str
        NULL where an input is missing. It holds where none of the conditions does.
    list of (str, str)
        Conditions under which it must not be computed, and what to say then; those of inner parts
        come first, and each holds where the ones before it do not.

    Raises
    ------
    TandemError
        A formula that the whitelist refuses; chain(), or lag() or diff() within one another.
    """
    refused: list[tuple[str, str]] = []
    sql = _sql(parse(formula), formula, refused, False)
    return sql, list(dict.fromkeys(refused))


def _sql(node: ast.AST, formula: str, refused: list, inside: bool) -> str:
    def sql(part):
        return _sql(part, formula, refused, inside)

    match node:
        case ast.Constant(value=value):
            return f"CAST({float(value)!r} AS DOUBLE)"
        case ast.Name(id=name):
            return column(name)
        case ast.UnaryOp(operand=operand):
            return f"(-{sql(operand)})"
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            above, below = sql(left), sql(right)
            refused.append((f"{below} = 0 AND {above} IS NOT NULL", "it divides by zero"))
            return f"({above} / {below})"
        case ast.BinOp(left=left, op=op, right=right):
            return f"({sql(left)} {OPERATORS[type(op)]} {sql(right)})"
        case ast.Call(func=ast.Name(id="log"), args=[x]):
            of = sql(x)
            refused.append((f"{of} <= 0", "log of a number that is not positive"))
            return f"ln({of})"
        case ast.Call(func=ast.Name(id="mean"), args=parts):
            return f"(({' + '.join(map(sql, parts))}) / {len(parts)})"
        case ast.Call(func=ast.Name(id=name), args=[x, *years]) if name in WINDOWS:
            if inside:
                raise TandemError(
                    f"the formula '{formula}' has {name}() inside lag() or diff(), which a table "
                    "cannot carry; write lag(x, 2) for the value two years before"
                )
            of = _sql(x, formula, refused, True)
            back = years[0].value if years else 1
            before = (
                f"max({of}) OVER (PARTITION BY entity ORDER BY year "
                f"RANGE BETWEEN {back} PRECEDING AND {back} PRECEDING)"
            )
            return before if name == "lag" else f"({of} - {before})"
        case _:
            raise TandemError(f"the formula '{formula}' has chain(), which a table cannot carry")
