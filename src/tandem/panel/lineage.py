"""Where every value of the base panel comes from: cell, publication, vintage, and why one lacks."""

import numpy as np
import pandas as pd

from tandem.panel.build import selected
from tandem.study import Study

KEY = ["series", "entity", "year"]
LINEAGE = [
    *KEY, "value", "published", "unit", "vintage", "rule", "factor", "footing", "link", "cell",
    "raw", "changes", "source", "flag",
]  # fmt: skip


def base_lineage(
    study: Study, observations: pd.DataFrame, chosen: pd.DataFrame, ledger: pd.DataFrame
) -> pd.DataFrame:
    """One row a series, entity and year of the base panel, gaps included.

    Parameters
    ----------
    observations, chosen, ledger : DataFrame
        From `tandem.analysis.panel.observe`.

    Returns
    -------
    DataFrame
        Columns series, entity, year; value (used) and published (before chaining), both in `unit`;
        vintage; rule ("as published", "chained" or "missing"), factor (value over published), the
        vintage whose level the value has (footing) and the year in which the two meet (link);
        cell (file!sheet!cell), the raw text if the ledger has a line for it and changes (its rules,
        "; "-joined); source (publication, table) and flag. A gap has no value; its cell and changes
        are those of the blank cell that should hold it, where a table in use has one.
    """
    used = selected(study, observations, chosen).rename(columns={"region": "entity"})
    factor = used["value"] / used["published"].where(used["published"] != 0)
    used["factor"] = factor.fillna(1.0)
    used["rule"] = np.where(used["link"].isna(), "as published", "chained")
    entities = sorted(used["entity"].unique())
    first, last = study.panel.years
    every = pd.MultiIndex.from_product(
        [study.base_series, entities, range(first, last + 1)], names=KEY
    )
    table = used.set_index(KEY).reindex(every)
    gaps = table.index[table["value"].isna()]
    table.loc[gaps, "rule"] = "missing"
    table.loc[gaps, "cell"] = _blank_cells(gaps, observations, chosen, ledger)
    noted = _with_places(ledger)
    said = noted.groupby("place")
    table["raw"] = table["cell"].map(said["raw"].first())
    table["changes"] = table["cell"].map(said["rule"].agg("; ".join))
    units = observations.drop_duplicates("series").set_index("series")["unit"]
    table["unit"] = table.index.get_level_values("series").map(units)
    words = ["unit", "vintage", "footing", "cell", "raw", "changes", "source", "flag"]
    table[words] = table[words].astype(object).fillna("")
    return table.reset_index()[LINEAGE]


def split_cell(cell: str) -> tuple[str, str, str]:
    """File, sheet and cell of a `cell` such as raw/nbs/gdp.csv!!B5; blank for a blank."""
    file, sheet, name = cell.rsplit("!", 2) if cell else ("", "", "")
    return file, sheet, name


def _blank_cells(gaps, observations, chosen, ledger) -> list[str]:
    """For each (series, entity, year) without value, the cell that says so, "" if none does.

    The ledger names cells, not years: a table's values say which row and column is whose.
    """
    noted = _with_places(ledger)
    blank = set(noted.loc[noted["value"].fillna("") == "", "place"])
    parts = observations["cell"].str.extract(r"^(?P<place>.*!)(?P<column>[A-Z]+)(?P<row>\d+)$")
    places = observations.join(parts).dropna(subset=["place"])
    with_blanks = {cell.split("!")[0] for cell in blank}
    by_file = places.groupby(places["place"].str.split("!").str[0])
    tables = {file: table for file, table in by_file if file in with_blanks}
    files = chosen.sort_values("rank").groupby("series")["file"].unique()
    found = []
    for series, entity, year in gaps:
        cells = [
            cell
            for file in files.get(series, [])
            if file in tables
            for cell in _cells_of(tables[file], series, entity, year)
            if cell in blank
        ]
        found.append(cells[0] if cells else "")
    return found


def _with_places(ledger: pd.DataFrame) -> pd.DataFrame:
    """Lines of the ledger that name a cell, with its place as observations write it."""
    parts = ledger[["file", "sheet", "cell"]].fillna("")
    place = parts["file"] + "!" + parts["sheet"] + "!" + parts["cell"]
    return ledger.assign(place=place)[parts["cell"] != ""]


def _cells_of(table: pd.DataFrame, series: str, entity: str, year: int) -> list[str]:
    """Cells in which a table would print a value, judged by the values that it does print."""
    regions_down = table["region"].nunique() > 1
    one_year = regions_down and table["year"].nunique() == 1
    mine = table[table["region"] == entity] if regions_down else table[table["series"] == series]
    if one_year:  # indicators across
        known = table[(table["series"] == series) & (table["year"] == year)]
    else:
        known = table[table["year"] == year]
    columns = known["column"].unique()
    if not len(columns) and not one_year:
        columns = _column_by_step(table, year)
    rows = mine[["place", "row"]].drop_duplicates().itertuples(index=False)
    return [f"{place}{column}{row}" for place, row in rows for column in columns]


def _column_by_step(table: pd.DataFrame, year: int) -> list[str]:
    """Column of a year that no entity has, where all the others run on in steps of one."""
    known = table.drop_duplicates(["year", "column"])
    numbers = known["column"].map(_number)
    for step in (1, -1):
        origin = (numbers - step * known["year"]).unique()
        if len(known) > 1 and len(origin) == 1 and origin[0] + step * year > 0:
            return [_letters(origin[0] + step * year)]
    return []


def _number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - 64
    return number


def _letters(number: int) -> str:
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
