"""The reading of one table: what it has found, and how printed labels become series and units."""

import re
from dataclasses import dataclass, field

from tandem.sources.grid import Grid, cell_name, plain
from tandem.sources.units import unit_factor, unit_name


@dataclass
class Reading:
    """What reading one table has found so far."""

    grid: Grid
    source: dict[str, str]  # its line of sources.csv
    codebook: dict[str, dict]  # by series
    observations: list[tuple] = field(default_factory=list)
    ledger: list[tuple] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    seen: dict[tuple, str] = field(default_factory=dict)

    def name(self, row: int, column: int) -> str:
        return f"{self.grid.file}!!{cell_name(row, column)}"

    def note(self, row: int, column: int, raw: str, rule: str, value: str) -> None:
        self.ledger.append((self.grid.file, self.name(row, column), raw, rule, value))

    def blame(self, row: int, column: int, sentence: str) -> None:
        self.problems.append(f"{self.grid.file} cell {cell_name(row, column)}{sentence}")


def find_series(reading: Reading, label: str, row: int, column: int) -> str | None:
    """Series whose label, in either language, is printed; a problem is noted if there is none."""
    name = _match(reading, label)
    if name is None:
        reading.blame(
            row,
            column,
            f": '{label.strip()}' is no label of the series that sources.csv names for this table "
            f"({reading.source['series'].replace(';', ', ')}); correct sources.csv, or add the "
            "label to aliases in codebook.csv.",
        )
    return name


def _match(reading: Reading, label: str) -> str | None:
    wanted = plain(label)
    for name in reading.source["series"].split(";"):
        entry = reading.codebook[name]
        labels = [entry["label_en"], entry["label_zh"], *entry["aliases"].split(";")]
        if wanted and wanted in map(plain, labels):
            return name
    return None


def find_labelled(reading: Reading, text: str, row: int, column: int):
    """Series and unit factor of a label with its unit in brackets, such as 地区生产总值(亿元)."""
    label, unit = plain(text), ""
    if _match(reading, label) is None:
        match = re.fullmatch(r"(.*?)\s*\(([^()]*)\)", label)
        label, unit = match.groups() if match else (label, unit)
    name = find_series(reading, label, row, column)
    return name, None if name is None else factor_of(reading, name, unit, row, column)


def factor_of(reading: Reading, name: str, printed: str, row: int, column: int):
    """Factor from the printed unit (or that of sources.csv, if none is) to the codebook's."""
    source, canonical = reading.source, reading.codebook[name]["unit"]
    if source["unit"] and not plain(printed):
        printed = source["unit"].split(";")[source["series"].split(";").index(name)]
    unit = unit_name(plain(printed))
    factor = unit_factor(unit, canonical)
    if factor is None:
        reading.blame(
            row,
            column,
            f": the unit of {name} is '{printed}', which cannot be turned into {canonical}; "
            "correct it, or give the unit in sources.csv.",
        )
    elif unit != printed.strip():
        reading.note(row, column, printed, "unit name", unit)
    return factor


def blame_absent_series(reading: Reading, found, what: str) -> None:
    """Note a problem for each series that sources.csv promises and the table does not have."""
    for name in reading.source["series"].split(";"):
        if name not in found:
            label = reading.codebook[name]["label_en"]
            reading.blame(
                reading.grid.head,
                0,
                f": the {what} '{label}' of the series {name} is missing; add it, or take "
                "the series out of sources.csv.",
            )
