"""Formulas that join years of one series must not join vintages of different level.

A formula with lag, diff or chain reads several years. All the values of one series that one of its
results reads must stand on one footing: the same vintage, or vintages that the study chains to it.
(`tandem.panel.build.derive` asks the same of different series of one account.) A splice "as
published" will not do, since the step between the vintages would pass for a change of the thing
measured.

The index in chain(level, index, base) is the exception. "Previous year = 100" compares two years
within its own edition, and the level of that edition cancels; the product of such rates from
several editions is what chaining means. So an explicit join may give each year's rate from another
vintage, as long as the rate of one year rests on one footing. For the same reason a rate must not
be scaled: a vintage of it under `chain` would bend every year's growth by the gap in one.
"""

import ast

import pandas as pd

from tandem.errors import TandemError
from tandem.panel.formula import FUNCTIONS
from tandem.study import Study

Cells = set[tuple[str, int]]  # (series, year)


def cells_read(formula: str, year: int) -> list[Cells]:
    """What a formula reads for its value of one year, grouped by what must be of one footing.

    Returns
    -------
    list of set of (series, year)
        First everything but the indices of chain(), then each year's rate of each index.
    """
    rates: list[Cells] = []
    together = _walk(ast.parse(formula.strip(), mode="eval").body, year, rates)
    return [together, *rates]


def _walk(node: ast.AST, year: int, rates: list[Cells]) -> Cells:
    match node:
        case ast.Name(id=name):
            return {(name, year)} if name not in FUNCTIONS else set()
        case ast.Call(func=ast.Name(id="lag"), args=[series, *years]):
            return _walk(series, year - (years[0].value if years else 1), rates)
        case ast.Call(func=ast.Name(id="diff"), args=[series]):
            return _walk(series, year, rates) | _walk(series, year - 1, rates)
        case ast.Call(func=ast.Name(id="chain"), args=[level, index, base]):
            for y in range(min(year, base.value) + 1, max(year, base.value) + 1):
                rates.append(_walk(index, y, rates))
            return _walk(level, base.value, rates)
        case _:
            parts = [_walk(child, year, rates) for child in ast.iter_child_nodes(node)]
            return set().union(*parts)


def _indices(formula: str) -> set[str]:
    """Series that stand alone as the index of a chain()."""
    calls = [n for n in ast.walk(ast.parse(formula.strip(), mode="eval")) if _is_chain(n)]
    return {c.args[1].id for c in calls if isinstance(c.args[1], ast.Name)}


def _is_chain(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and node.func.id == "chain"


def refuse_joined_vintages(study: Study, used: pd.DataFrame) -> None:
    """Stop at a formula that joins years of one series across vintages of different level.

    Parameters
    ----------
    study : Study
    used : DataFrame
        From `tandem.panel.build.selected`: one row a series, entity and year, with its vintage,
        footing and cell.

    Raises
    ------
    TandemError
        For the first such value: derived series, entity, the two years, vintages and cells.
    """
    spliced = used.groupby(["series", "region"])["vintage"].nunique().gt(1)
    spliced = set(spliced.index[spliced].get_level_values("series"))
    rows = used.set_index(["series", "region", "year"]).sort_index()
    for name, derived in study.used_series.items():
        _refuse_scaled_indices(name, _indices(derived.formula) & spliced, rows)
        for year in range(study.panel.years[0], study.panel.years[1] + 1):
            groups = cells_read(derived.formula, year)
            for cells in groups:
                for series in sorted({s for s, _ in cells} & spliced):
                    years = sorted(y for s, y in cells if s == series)
                    if len(years) > 1:
                        _refuse_mixed(name, series, years, set().union(*groups), rows)


def _refuse_scaled_indices(name: str, indices: set[str], rows: pd.DataFrame) -> None:
    for series in sorted(indices):
        scaled = rows.loc[[series]][lambda d: d["link"].notna()]
        if len(scaled):
            (_, entity, year), row = scaled.index[0], scaled.iloc[0]
            raise TandemError(
                f"The series '{name}' chains by {series}, whose vintage {row['vintage']} is scaled "
                f"in {entity} {year} ({row['cell']}); growth rates are joined as published, so "
                "take it out of chain under vintages in the study."
            )


def _refuse_mixed(name: str, series: str, years: list[int], cells: Cells, rows) -> None:
    """Refuse if an entity has the value (all cells are there) on several footings."""
    wide = rows["footing"].unstack("region").reindex(sorted(cells))
    complete = wide.columns[wide.notna().all()]
    mine = wide.loc[[(series, y) for y in years], complete]
    mixed = mine.columns[mine.nunique() > 1]
    if len(mixed):
        entity = sorted(mixed)[0]
        column = mine[entity]
        later = next(k for k in column.index if column[k] != column.iloc[0])
        pair = [(k[1], rows.loc[(series, entity, k[1])]) for k in (column.index[0], later)]
        words = " and ".join(f"{y} is {r['vintage']} ({r['cell']})" for y, r in pair)
        raise TandemError(
            f"The series '{name}' joins two vintages of {series} in {entity}: {words}; scale one "
            "with chain under vintages in the study, or name one vintage for all years."
        )
