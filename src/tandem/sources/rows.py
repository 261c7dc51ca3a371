"""The rows of a table: which region each is of, and its values."""

import re

from tandem.sources.cells import parse_cell, split_unit
from tandem.sources.grid import merged_range, merged_text
from tandem.sources.reading import IN_CELLS, Reading, factor_of, find_labelled, find_series
from tandem.sources.regions import (
    CANONICAL,
    NATION,
    PROVINCES,
    find_province,
    nearest_province,
    subtotal_rule,
)
from tandem.sources.text import cell_name, squeezed
from tandem.sources.units import unit_factor, unit_name
from tandem.sources.years import read_year, year_hint, year_rules


def read_region(reading: Reading, row: int) -> tuple[str, str] | None:
    """Code and name of the region of a row; None if the row is left out or blamed."""
    scope = reading.source["region_scope"]
    if scope == "countries":
        return _read_country(reading, row)
    return _read_province(reading, row) if scope == "provinces" else NATION


def _key(reading: Reading, row: int, column: int) -> str:
    """Text that says what a row is; a merged cell says so for all its rows."""
    text = merged_text(reading.grid.sheet, row, column).strip()
    covering = merged_range(reading.grid.sheet, row, column)
    if covering and covering[:2] != (row, column):
        reading.note(row, column, "", f"merged with {cell_name(*covering[:2])}", text)
    return text


def _read_country(reading: Reading, row: int) -> tuple[str, str] | None:
    grid = reading.grid
    code, name = (_key(reading, row, column) for column in (grid.code, grid.region))
    if re.fullmatch("[A-Z]{3}", code) and name:
        return code, name
    reading.unsure = True
    reading.blame(
        row,
        grid.code,
        f": code '{code}' and name '{name}' do not tell the country; write its ISO 3166 code of "
        "three capital letters and its name.",
    )
    return None


def _read_province(reading: Reading, row: int) -> tuple[str, str] | None:
    grid = reading.grid
    name = _key(reading, row, grid.region)
    province, rule = find_province(name), "region name"
    if province is None and squeezed(name) in reading.aliases.regions:
        province, rule = reading.aliases.regions[squeezed(name)], "alias of aliases.csv"
    if province is None:
        left_out = subtotal_rule(name)
        if squeezed(name) in reading.aliases.subtotals:
            left_out = "subtotal of aliases.csv: left out"
        if left_out:
            reading.note(row, grid.region, name, left_out, "")
        else:
            _blame_province(reading, row, name)
        return None
    if name not in CANONICAL:
        reading.note(row, grid.region, name, rule, province[1])
    code = _key(reading, row, grid.code) if grid.code is not None else ""
    if code and find_province(code) != province:
        reading.blame(
            row,
            grid.code,
            f": the code {code} is not that of {province[1]}; correct the code or the name.",
        )
    return province


def _blame_province(reading: Reading, row: int, name: str) -> None:
    grid = reading.grid
    reading.unsure = True
    present = {find_province(merged_text(grid.sheet, other, grid.region)) for other in grid.body}
    absent = [code for code in PROVINCES if (code, PROVINCES[code]) not in present]
    hint = nearest_province(name, absent)
    reading.blame(
        row,
        grid.region,
        f": '{name[:50]}' is not a province; "
        + (f"the nearest known name is {hint}, " if hint else "")
        + "write it as in the layouts of data/README.md, or add it to aliases.csv.",
    )


def read_cells(
    reading: Reading,
    row: int,
    region: tuple[str, str],
    columns: dict[int, tuple],
    labels: dict[str, int],
) -> None:
    """Values of a row.

    `columns` says (series, year, factor) of each, None where the row says it; `labels` are the
    rows of the series read so far.
    """
    columns = _complete(reading, row, columns, labels)
    if columns is None:
        return
    grid = reading.grid
    cells = grid.rows[row]
    key_of = {c: (region[0], name, year) for c, (name, year, _) in columns.items()}
    twice = [c for c in columns if key_of[c] in reading.cells]
    if twice:
        years = "-".join(str(y) for y in sorted({columns[c][1] for c in (twice[0], twice[-1])}))
        reading.blame(
            row,
            twice[0],
            f", {region[1]} {years}: the same region and year stand in "
            f"{reading.cells[key_of[twice[0]]]} too; delete one of them.",
        )
        return
    _blame_headless(reading, row, region)
    for column, key in key_of.items():
        reading.cells[key] = cell_name(row, column)
        reading.regions.setdefault(key[1:], set()).add(region[0])
    for column, (name, year, factor) in columns.items():
        if column >= len(cells):
            reading.blame(
                row,
                column,
                f", {region[1]} {year}: the row is cut off before this cell; download "
                "the table again, or add empty cells if nothing is published.",
            )
            break
        if grid.sheet.merged and merged_range(grid.sheet, row, column):
            reading.blame(
                row,
                column,
                f", {region[1]} {year}: the cell is merged with another, so it is unclear whose "
                "number it is; undo the merging and write each number into its cell.",
            )
            continue
        _read_value(reading, row, column, region, name, year, factor)


def _complete(reading, row, columns, labels) -> dict[int, tuple] | None:
    """The columns with what the row says of them: series, unit and year; None if blamed."""
    grid = reading.grid
    cells = grid.rows[row]
    if grid.label is not None:
        label = _key(reading, row, grid.label)
        if isinstance(grid.unit, int):
            name = find_series(reading, label, row, grid.label)
        else:
            name, factor = find_labelled(reading, label, row, grid.label)
        if not name:
            return None
        if name in labels and grid.region is None and grid.years is None:
            reading.blame(
                row,
                grid.label,
                f": '{label}' stands in row {labels[name] + 1} too; delete one of them.",
            )
            return None
        labels[name] = row
        if isinstance(grid.unit, int):
            unit = _key(reading, row, grid.unit) if grid.unit < len(cells) else ""
            factor = factor_of(reading, name, unit, row, grid.unit)
        columns = {c: (name, year, factor) for c, (_, year, _) in columns.items()}
    elif isinstance(grid.unit, int):
        unit = _key(reading, row, grid.unit) if grid.unit < len(cells) else ""
        columns = {
            c: (name, year, factor_of(reading, name, unit, row, grid.unit))
            for c, (name, year, _) in columns.items()
        }
    if grid.years is not None:
        text = _key(reading, row, grid.years)
        year = read_year(text)
        if year is None:
            reading.unsure = True
            reading.blame(
                row, grid.years, f": '{text}' is not a year{year_hint(text)}; write it as 2019."
            )
            return None
        for rule in year_rules(text):
            reading.note(row, grid.years, text, rule, str(year))
        columns = {c: (name, year, factor) for c, (name, _, factor) in columns.items()}
    return columns


def _blame_headless(reading: Reading, row: int, region: tuple[str, str]) -> None:
    grid = reading.grid
    cells = grid.rows[row]
    for column in grid.headless:
        if column < len(cells) and cells[column].strip():
            reading.blame(
                row,
                column,
                f", {region[1]}: '{cells[column][:50]}' stands under no header; name its "
                "year or series in the header row, or remove it.",
            )


def _read_value(reading, row, column, region, name, year, factor) -> None:
    raw = reading.grid.rows[row][column]
    entry = reading.codebook[name]
    where = f", {region[1]} {year}: "
    codes = {*entry["missing_codes"].split(";"), *reading.aliases.missing}
    try:
        number, rules = parse_cell(raw, codes)
    except ValueError as err:
        text, unit = split_unit(raw)
        if not unit:
            advice = "write the number alone, or leave the cell blank if it is not published."
            reading.blame(row, column, f"{where}{err}; {advice}")
            return
        try:
            number, rules = parse_cell(text, codes)
        except ValueError:
            number = None
        in_cell = unit_factor(unit_name(unit), entry["unit"])
        if number is None or in_cell is None or factor not in (None, IN_CELLS, in_cell):
            reading.blame(
                row,
                column,
                f"{where}'{raw}' is not a number in {entry['unit']} or contradicts the unit stated "
                "for it elsewhere in the table; correct what is wrong.",
            )
            return
        rules.append(f"unit in the cell: {unit_name(unit)}")
        factor = in_cell if factor is IN_CELLS else factor
    if number is not None and factor is IN_CELLS:
        reading.blame(
            row, column, f"{where}'{raw}' has no unit, unlike other cells; add it, or a unit line."
        )
        return
    if number is None or factor is None:
        for rule in rules:
            reading.note(row, column, raw, rule, "")
        return
    _keep(reading, row, column, region, name, year, raw, number * factor, factor, rules)


def _keep(reading, row, column, region, name, year, raw, number, factor, rules) -> None:
    """Add an observation and its lines of the ledger, unless the value cannot be true."""
    entry, source, value = reading.codebook[name], reading.source, float(number)
    if factor != 1:
        rules.append(f"unit: times {factor.normalize():f} to {entry['unit']}")
    for rule in rules:
        reading.note(row, column, raw, rule, f"{value:.15g}")
    if not entry["minimum"] <= value <= entry["maximum"]:
        reading.blame(
            row,
            column,
            f", {region[1]} {year}: {entry['label_en']} of {value:.15g} {entry['unit']} is outside "
            f"the plausible range {entry['minimum']:.15g} to {entry['maximum']:.15g}; check the "
            "number and its unit, or widen the range in codebook.csv.",
        )
        return
    reading.observations.append(
        (
            *region,
            name,
            entry["unit"],
            year,
            value,
            source["vintage"],
            reading.publication,
            reading.name(row, column),
            source["flag"],
        )
    )
