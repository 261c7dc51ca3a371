"""A raw table -> tidy observations, and a ledger of every change made on the way.

Every value has a region, a series and a year, each said by its row, by its column or once for the
table. The header says which (`tandem.sources.grid`), or a description beside the file does.
"""

from pathlib import Path

import pandas as pd

from tandem.errors import TandemError
from tandem.sources.aliases import Aliases
from tandem.sources.description import Description, InColumn, InRow, read_description
from tandem.sources.grid import check_rows, find_tables, header_texts, merged_text, place
from tandem.sources.reading import (
    Reading,
    blame_absent_series,
    factor_of,
    find_labelled,
    find_series,
)
from tandem.sources.regions import PROVINCES
from tandem.sources.rows import read_cells, read_region
from tandem.sources.text import cell_name, squeezed
from tandem.sources.workbooks import Sheet, read_sheets
from tandem.sources.years import read_span, read_year, year_hint, year_rules

OBSERVATION_COLUMNS = [
    "region_code",
    "region",
    "series",
    "unit",
    "year",
    "value",
    "vintage",
    "source",
    "cell",
    "flag",
]
LEDGER_COLUMNS = ["file", "sheet", "cell", "raw", "rule", "value"]


def read_table(
    path: Path,
    source: pd.Series,
    codebook: pd.DataFrame,
    description: Description | None = None,
    aliases: Aliases | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Observations of one raw table.

    Parameters
    ----------
    path : Path
        The file.
    source : Series
        Its line of sources.csv.
    codebook : DataFrame
        From `read_codebook`.
    description : Description, optional
        How it is laid out; the file `path`.yaml, if there is one, is read where this is None.
    aliases : Aliases, optional
        From `read_aliases`.

    Returns
    -------
    observations : DataFrame
        Columns region_code, region, series, unit, year, value, vintage, source, cell, flag; one row
        a published value, in the unit of the codebook. Blank cells give no row.
    ledger : DataFrame
        Columns file, sheet, cell, raw, rule, value: every change made on the way, blank cells
        included; `cell` is blank for what concerns the whole file.

    Raises
    ------
    TandemError
        Everything wrong with the table, one sentence a line.
    """
    entries = codebook.set_index("series").to_dict("index")
    reading = scan_table(path, source, entries, description, aliases)
    if reading.problems:
        raise TandemError("\n".join(reading.problems[:20]))
    return frames(reading.observations, reading.ledger)


def frames(observations: list[tuple], ledger: list[tuple]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Data frames of observations and ledger lines."""
    return (
        pd.DataFrame(observations, columns=OBSERVATION_COLUMNS),
        pd.DataFrame(ledger, columns=LEDGER_COLUMNS),
    )


def scan_table(
    path: Path,
    source: pd.Series,
    codebook: dict[str, dict],
    description: Description | None = None,
    aliases: Aliases | None = None,
) -> Reading:
    """Read a file to its end, collecting problems rather than stopping at the first.

    Parameters are those of `read_table`, the codebook by series.

    Raises
    ------
    TandemError
        If the file cannot be read as a table at all.
    """
    file = source["file"]
    description = description or read_description(path, file)
    series = source["series"].split(";")
    sheets = _choose_sheets(read_sheets(path, file), file, description)
    unknown = [name for name in series if name not in codebook]
    if unknown:
        raise TandemError(
            f"{file}: sources.csv names the series {', '.join(unknown)}, which codebook.csv "
            "does not know; add a line to codebook.csv."
        )
    described = description.series
    names = described.values() if isinstance(described, dict) else [described]
    strange = [name for name in names if name and name not in series]
    if strange:
        raise TandemError(
            f"{file}: its description names the series {', '.join(strange)}, which its line of "
            "sources.csv does not; correct one of them."
        )
    entries = {name: codebook[name] for name in series}
    reading = Reading(file, source.to_dict(), entries, description, aliases or Aliases())
    if description.body and description.body[1]:
        longest = max(sheets, key=lambda sheet: len(sheet.rows))
        check_rows(longest, file, [description.body[1] - 1])
    for sheet in sheets:
        reading.ledger += [(file, sheet.name, *note) for note in sheet.notes]
        tables = find_tables(sheet, file, description, source["region_scope"])
        reading.grid = tables[0]
        for row in description.skip:
            raw = next(filter(str.strip, sheet.rows[row - 1]), "")
            reading.note(row - 1, 0, raw, "row left out by the description", "")
        for reading.grid in tables:
            if reading.grid is not tables[0]:
                row, column = reading.grid.head[0], reading.grid.first
                reading.note(row, column, sheet.rows[row][column], "header of a continuation", "")
            _check_scope(reading)
            _read_grid(reading)
    if reading.labelled:
        blame_absent_series(reading)
    if source["region_scope"] == "provinces":
        _blame_absent_provinces(reading)
    return reading


def _choose_sheets(sheets: list[Sheet], file: str, description: Description) -> list[Sheet]:
    """The sheets described, or the only one that is not empty with those that continue it."""
    if description.table:
        if description.table > len(sheets):
            raise TandemError(
                f"{file} has {len(sheets)} tables, but its description names table "
                f"{description.table}; correct the description."
            )
        return [sheets[description.table - 1]]
    filled = [sheet for sheet in sheets if any(any(map(str.strip, row)) for row in sheet.rows)]
    if not filled:
        raise TandemError(f"{file} is empty; download it again.")
    if description.sheets == "all":
        return filled
    if description.sheets is not None:
        by_name = {sheet.name: sheet for sheet in sheets}
        absent = [name for name in description.sheets if name not in by_name]
        if absent:
            raise TandemError(
                f"{file} has no sheet {', '.join(absent)} but {', '.join(by_name)}; correct its "
                "description."
            )
        return [by_name[name] for name in description.sheets]
    others = [sheet for sheet in filled[1:] if not _continues(sheet)]
    if others:
        names = ", ".join(sheet.name for sheet in filled)
        raise TandemError(
            f"{file} has {len(filled)} sheets or tables ({names}); say in a description beside it "
            "which to read (sheets:, or table: in a web page)."
        )
    return filled


def _continues(sheet: Sheet) -> bool:
    first = next((cell for row in sheet.rows for cell in row if cell.strip()), "")
    return any(squeezed(text).startswith(("续", "continued")) for text in (sheet.name, first))


def _check_scope(reading: Reading) -> None:
    grid, scope = reading.grid, reading.source["region_scope"]
    wanted = "regions" if scope in ("provinces", "countries") else "series"
    where = f"{place(grid.file, grid.sheet)} cell {cell_name(grid.head[-1], grid.first)}"
    if grid.down != wanted:
        raise TandemError(
            f"{where}: the table has {grid.down} down its rows, "
            f"but sources.csv gives it the scope {scope}; correct one of them."
        )
    if scope == "countries" and grid.code is None:
        raise TandemError(
            f"{where}: a table of countries needs a column 'code' with their ISO 3166 codes of "
            "three letters; name it in the description (code:)."
        )


def _read_grid(reading: Reading) -> None:
    grid = reading.grid
    columns = _read_columns(reading)
    if columns is None:
        return
    for name, year, _ in columns.values():
        if name and year:
            reading.regions.setdefault((name, year), set())
    for column in sorted(grid.left_out):
        raw = " ".join(header_texts(grid.sheet, grid.head, column))
        reading.note(grid.head[-1], column, raw, "column of notes: left out", "")
    rows = {}
    for row in grid.body:
        region = read_region(reading, row)
        if region is not None:
            read_cells(reading, row, region, columns, rows)


def _read_columns(reading: Reading) -> dict[int, tuple] | None:
    """(series, year, factor) of each column of values, None where the row says it.

    None instead of a dict if the series of the whole table cannot be told.
    """
    grid = reading.grid
    keys = grid.keys | grid.left_out
    width = max((len(grid.rows[row]) for row in grid.head), default=0)
    columns = [
        column
        for column in range(width)
        if column not in keys and header_texts(grid.sheet, grid.head, column)
    ]
    year_of = _years_of_columns(reading, columns)
    if grid.label is not None:
        return {c: (None, year, None) for c, year in year_of.items()}
    whole = _whole_series(reading)
    if whole is not None:
        return {c: (whole[0], year, whole[1]) for c, year in year_of.items()}
    if "series" in grid.meta or isinstance(reading.description.series, str):
        return None
    said_elsewhere = [row.row - 1 for row in (grid.year, grid.unit) if isinstance(row, InRow)]
    label_rows = [row for row in grid.head if row not in said_elsewhere]
    if not label_rows:
        raise TandemError(
            f"{place(grid.file, grid.sheet)} names neither its series (a line 指标： or "
            "Indicator:) nor its year (a line 年份： or Year:) above the header; add the line as "
            "the publication prints it, or describe the table in a file beside it."
        )
    found = {}
    for column, year in year_of.items():
        label = " ".join(header_texts(grid.sheet, label_rows, column))
        if isinstance(grid.unit, InRow):
            label += f" ({merged_text(grid.sheet, grid.unit.row - 1, column).strip()})"
        name, factor = _name_and_factor(reading, label, grid.head[-1], column)
        if name:
            found[column] = (name, year, factor)
    return found


def _name_and_factor(reading: Reading, label: str, row: int, column: int) -> tuple:
    if isinstance(reading.grid.unit, int):  # each row says its unit
        return find_series(reading, label, row, column), None
    return find_labelled(reading, label, row, column)


def _whole_series(reading: Reading) -> tuple | None:
    """Series and factor of a table of one series, None if it is not one or the label is unknown."""
    grid, described = reading.grid, reading.description.series
    if isinstance(described, str):
        reading.labelled.add(described)
        _, row, column = grid.meta.get("unit", ("", grid.head[-1], 0))
        if isinstance(grid.unit, int):  # each row says it
            return described, None
        return described, factor_of(reading, described, "", row, column)
    if "series" in grid.meta:
        label, row, column = grid.meta["series"]
        name, factor = _name_and_factor(reading, label, row, column)
        return (name, factor) if name else None
    return None


def _years_of_columns(reading: Reading, columns: list[int]) -> dict[int, int | None]:
    """Year of each column; None where the row says it."""
    grid = reading.grid
    if isinstance(grid.year, InColumn):
        return dict.fromkeys(columns)
    if isinstance(grid.year, InRow):
        return _years_across(reading, columns)
    if grid.year is not None:
        return dict.fromkeys(columns, grid.year)
    text, row, column = grid.meta["year"]
    year = read_year(text)
    if year is None:
        raise TandemError(
            f"{place(grid.file, grid.sheet)} cell {cell_name(row, column)}: '{text}' is not a year"
            f"{year_hint(text)}; write it as 2019."
        )
    for rule in year_rules(text):
        reading.note(row, column, text, rule, str(year))
    return dict.fromkeys(columns, year)


def _years_across(reading: Reading, columns: list[int]) -> dict[int, int]:
    """Years in a row of the header; those that the line 时间 announces must all have a column."""
    grid, years, seen = reading.grid, {}, set()
    row = grid.year.row - 1
    above = [other for other in grid.head if other != row]
    for column in columns:
        text = merged_text(grid.sheet, row, column)
        year, key = read_year(text), tuple(header_texts(grid.sheet, above, column))
        if year is None:
            reading.unsure = True
            reading.blame(
                row,
                column,
                f": '{text}' is not a year{year_hint(text)}; write it as 2019 or 2019年.",
            )
        elif (key, year) in seen:
            reading.blame(row, column, f": the year {year} has two columns; delete one of them.")
        else:
            years[column] = year
            seen.add((key, year))
            for rule in year_rules(text):
                reading.note(row, column, text, rule, str(year))
    text = grid.meta.get("span", ("", 0, 0))[0]
    absent = [str(year) for year in read_span(text) if year not in years.values()]
    if absent and len(years) == len(columns):  # else a header blamed above may be the absent year
        reading.blame(
            row,
            0,
            f": no column for {', '.join(absent)}, though the line 时间 (Time) announces {text}; "
            "download the table whole, or add the column with blank cells if nothing is published.",
        )
    beyond = [c for c, year in years.items() if read_span(text) and year not in read_span(text)]
    if beyond:
        reading.blame(
            row,
            beyond[0],
            f": a column for {years[beyond[0]]}, though the line 时间 (Time) announces {text}; "
            "correct the header or the line.",
        )
    return years


def _blame_absent_provinces(reading: Reading) -> None:
    """Every series and year must have a row for every province, over all parts of the table."""
    groups: dict[tuple, set[int]] = {}
    for (_, year), present in reading.regions.items():
        absent = tuple(PROVINCES[code] for code in PROVINCES if code not in present)
        if absent:
            groups.setdefault(absent, set()).add(year)
    if reading.unsure:  # what could not be read may be what seems absent
        return
    grid = reading.grid
    for absent, years in groups.items():
        reading.blame(
            grid.body[-1] if grid.body else grid.head[-1],
            0,
            f": the table has no row for {', '.join(absent)} ({min(years)}-{max(years)}); "
            "download it whole, or add the rows with blank cells if nothing is published for them.",
        )
