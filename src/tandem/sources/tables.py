"""A raw table -> tidy observations, and a ledger of every change made on the way.

Three layouts are told apart by their header: the export of the National Bureau of Statistics
(one series, provinces down, years across), the yearbook table of one year (provinces down,
indicators across) and the national table (series down, years across).
"""

from pathlib import Path

import pandas as pd

from tandem.errors import TandemError
from tandem.sources.cells import parse_cell
from tandem.sources.grid import cell_name, plain, read_grid, read_span, read_year
from tandem.sources.reading import (
    Reading,
    blame_absent_series,
    factor_of,
    find_labelled,
    find_series,
)
from tandem.sources.regions import (
    CANONICAL,
    NATION,
    PROVINCES,
    TOTALS,
    find_province,
    nearest_province,
)

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
LEDGER_COLUMNS = ["file", "cell", "raw", "rule", "value"]
_NOTE_HEADS = {"Note", "注", "备注"}


def read_table(
    path: Path, source: pd.Series, codebook: pd.DataFrame
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

    Returns
    -------
    observations : DataFrame
        Columns region_code, region, series, unit, year, value, vintage, source, cell, flag; one row
        a published value, in the unit of the codebook. Blank cells give no row.
    ledger : DataFrame
        Columns file, cell, raw, rule, value: every change made on the way, blank cells included.

    Raises
    ------
    TandemError
        Everything wrong with the table, one sentence a line.
    """
    reading = scan_table(path, source, codebook)
    if reading.problems:
        raise TandemError("\n".join(reading.problems[:20]))
    return frames(reading.observations, reading.ledger)


def frames(observations: list[tuple], ledger: list[tuple]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Data frames of observations and ledger lines."""
    return (
        pd.DataFrame(observations, columns=OBSERVATION_COLUMNS),
        pd.DataFrame(ledger, columns=LEDGER_COLUMNS),
    )


def scan_table(path: Path, source: pd.Series, codebook: pd.DataFrame) -> Reading:
    """Read a table to its end, collecting problems rather than stopping at the first.

    Raises
    ------
    TandemError
        If the file cannot be read as a table at all.
    """
    grid = read_grid(path, source["file"])
    series = source["series"].split(";")
    entries = codebook[codebook["series"].isin(series)].set_index("series").to_dict("index")
    unknown = [name for name in series if name not in entries]
    if unknown:
        raise TandemError(
            f"{grid.file}: sources.csv names the series {', '.join(unknown)}, which codebook.csv "
            "does not know; add a line to codebook.csv."
        )
    reading = Reading(grid, source.to_dict(), entries)
    if grid.encoding != "UTF-8":
        reading.ledger.append((grid.file, "", "", f"encoding: {grid.encoding}", ""))
    wanted = "series" if source["region_scope"] != "provinces" else "regions"
    if grid.down != wanted:
        raise TandemError(
            f"{grid.file} cell {cell_name(grid.head, 0)}: the table has {grid.down} down its rows, "
            f"but sources.csv gives it the scope {source['region_scope']}; correct one of them."
        )
    if grid.down == "series":
        _read_series_down(reading)
    elif "year" in grid.meta:
        _read_one_year(reading)
    else:
        _read_one_series(reading)
    return reading


def _read_series_down(reading: Reading) -> None:
    """National table: Indicator, Unit, year, year, ... [, Note]."""
    grid = reading.grid
    header = grid.rows[grid.head]
    if len(header) < 3 or plain(header[1]) not in ("Unit", "单位"):
        raise TandemError(
            f"{grid.file} cell {cell_name(grid.head, 1)}: the second column must be Unit (单位); "
            "add it."
        )
    last = len(header) - 1 if plain(header[-1]) in _NOTE_HEADS else len(header)
    years = _year_columns(reading, 2, last)
    rows = {}
    for row in grid.body:
        cells = grid.rows[row]
        name = find_series(reading, cells[0], row, 0)
        if name is None:
            continue
        if name in rows:
            reading.blame(
                row, 0, f": '{cells[0]}' stands in row {rows[name] + 1} too; delete one of them."
            )
            continue
        rows[name] = row
        factor = factor_of(reading, name, cells[1] if len(cells) > 1 else "", row, 1)
        _read_row(reading, row, NATION, {c: (name, y, factor) for c, y in years.items()})
    blame_absent_series(reading, rows, "row")


def _read_one_series(reading: Reading) -> None:
    """Export of the National Bureau of Statistics: one series, provinces down, years across."""
    grid = reading.grid
    if "series" not in grid.meta:
        raise TandemError(
            f"{grid.file} names neither its series (a line 指标： or Indicator:) nor its year (a "
            "line 年份： or Year:) above the header; add the line as the publication prints it."
        )
    label, row = grid.meta["series"]
    name, factor = find_labelled(reading, label, row, 0)
    years = _year_columns(reading, 1, len(grid.rows[grid.head]))
    if name is not None:
        blame_absent_series(reading, {name}, "line 指标")
        _read_provinces(reading, {c: (name, y, factor) for c, y in years.items()})


def _read_one_year(reading: Reading) -> None:
    """Yearbook table: one year, provinces down, indicators across."""
    grid = reading.grid
    text, row = grid.meta["year"]
    year = read_year(text)
    if year is None:
        raise TandemError(
            f"{grid.file} cell {cell_name(row, 0)}: '{text}' is not a year; write it as 2019."
        )
    columns = {}
    header = grid.rows[grid.head]
    for column in _headed(header, 1, len(header)):
        name, factor = find_labelled(reading, header[column], grid.head, column)
        if name is not None:
            columns[column] = (name, year, factor)
    blame_absent_series(reading, {name for name, *_ in columns.values()}, "column")
    _read_provinces(reading, columns)


def _read_provinces(reading: Reading, columns: dict[int, tuple]) -> None:
    grid = reading.grid
    printed = {row: grid.rows[row][0].strip() for row in grid.body}
    found = {row: find_province(name) for row, name in printed.items()}
    present = {province[0] for province in found.values() if province}
    absent = [code for code in PROVINCES if code not in present]
    unknown = [row for row in grid.body if not found[row] and printed[row] not in TOTALS]
    for row in unknown:
        hint = nearest_province(printed[row], absent)
        reading.blame(
            row,
            0,
            f": '{printed[row]}' is not a province; "
            + (f"the nearest known name is {hint}, " if hint else "")
            + "write it as in the layouts of data/README.md.",
        )
    if absent and not unknown:  # an unknown name may be that of an absent province
        years = sorted({year for _, year, _ in columns.values()})
        span = f"{years[0]}-{years[-1]}" if years else "all years"
        reading.blame(
            grid.body[-1] if grid.body else grid.head,
            0,
            f": the table has no row for {', '.join(PROVINCES[code] for code in absent)} ({span}); "
            "download it whole, or add the rows with blank cells if nothing is published for them.",
        )
    for row, name in printed.items():
        province = found[row]
        if name in TOTALS:
            reading.note(row, 0, name, "national total: not a province, left out", "")
        elif province:
            if name not in CANONICAL:
                reading.note(row, 0, name, "region name", province[1])
            _read_row(reading, row, province, columns)


def _read_row(
    reading: Reading, row: int, region: tuple[str, str], columns: dict[int, tuple]
) -> None:
    cells = reading.grid.rows[row]
    key_of = {c: (region[0], name, year) for c, (name, year, _) in columns.items()}
    twice = [c for c in columns if key_of[c] in reading.seen]
    if twice:
        years = "-".join(str(y) for y in sorted({columns[c][1] for c in (twice[0], twice[-1])}))
        reading.blame(
            row,
            twice[0],
            f", {region[1]} {years}: the same region and year stand in "
            f"{reading.seen[key_of[twice[0]]]} too; delete one of them.",
        )
        return
    header = reading.grid.rows[reading.grid.head]
    for column in range(1, len(cells)):
        if cells[column].strip() and not "".join(header[column : column + 1]).strip():
            reading.blame(
                row,
                column,
                f", {region[1]}: '{cells[column]}' stands under no header; name its "
                "year or series in the header row, or remove it.",
            )
    for column, (name, year, factor) in columns.items():
        reading.seen[key_of[column]] = cell_name(row, column)
        if column < len(cells):
            _read_value(reading, row, column, region, name, year, factor)
        else:
            reading.blame(
                row,
                column,
                f", {region[1]} {year}: the row is cut off before this cell; download "
                "the table again, or add empty cells if nothing is published.",
            )
            break


def _read_value(reading, row, column, region, name, year, factor) -> None:
    raw = reading.grid.rows[row][column]
    entry = reading.codebook[name]
    where = f", {region[1]} {year}: "
    try:
        number, rules = parse_cell(raw, entry["missing_codes"].split(";"))
    except ValueError as err:
        reading.blame(
            row,
            column,
            f"{where}{err}; write the number alone, or leave the cell blank if it is not "
            "published.",
        )
        return
    if number is None or factor is None:
        for rule in rules:
            reading.note(row, column, raw, rule, "")
        return
    value = float(number * factor)
    if factor != 1:
        rules.append(f"unit: times {factor.normalize():f} to {entry['unit']}")
    for rule in rules:
        reading.note(row, column, raw, rule, f"{value:.15g}")
    if not entry["minimum"] <= value <= entry["maximum"]:
        reading.blame(
            row,
            column,
            f"{where}{entry['label_en']} of {value:.15g} {entry['unit']} is outside the plausible "
            f"range {entry['minimum']:.15g} to {entry['maximum']:.15g}; check the number and its "
            "unit, or widen the range in codebook.csv.",
        )
        return
    source = reading.source
    publication = ", ".join(filter(None, (source["publication"], source["table"])))
    reading.observations.append(
        (
            *region,
            name,
            entry["unit"],
            year,
            value,
            source["vintage"],
            publication,
            reading.name(row, column),
            source["flag"],
        )
    )


def _headed(header: list[str], first: int, last: int) -> list[int]:
    """Columns that have a header; an export may end in empty ones."""
    return [column for column in range(first, last) if header[column].strip()]


def _year_columns(reading: Reading, first: int, last: int) -> dict[int, int]:
    """Year of each column; the years that the line 时间 announces must all have one."""
    years = {}
    header = reading.grid.rows[reading.grid.head]
    columns = _headed(header, first, last)
    for column in columns:
        text = header[column]
        year = read_year(text)
        if year is None:
            reading.blame(
                reading.grid.head, column, f": '{text}' is not a year; write it as 2019 or 2019年."
            )
        elif year in years.values():
            reading.blame(
                reading.grid.head, column, f": the year {year} has two columns; delete one of them."
            )
        else:
            years[column] = year
    text, _ = reading.grid.meta.get("span", ("", 0))
    absent = [str(year) for year in read_span(text) if year not in years.values()]
    if absent and len(years) == len(columns):  # else a header blamed above may be the absent year
        reading.blame(
            reading.grid.head,
            0,
            f": no column for {', '.join(absent)}, though the line 时间 (Time) announces {text}; "
            "download the table whole, or add the column with blank cells if nothing is published.",
        )
    return years
