"""The reading of one file: what it has found, and how printed labels become series and units."""

import re
from dataclasses import dataclass, field
from functools import cached_property

from tandem.sources.aliases import Aliases
from tandem.sources.cells import split_unit, strip_marks
from tandem.sources.description import Description
from tandem.sources.grid import Grid, place
from tandem.sources.text import cell_name, plain, squeezed
from tandem.sources.units import is_unit, unit_factor, unit_name

IN_CELLS = "in cells"  # the factor of a series whose unit stands beside each number
LEFT_OUT = ""  # the series of a label that the description leaves out


@dataclass
class Reading:
    """What reading one file has found so far; `grid` is the table in hand.

    `cells` gives the place of each value by (region code, series, year); `regions` the codes read
    for each (series, year); `unsure` says that a name or year could not be read, so that whatever
    seems absent may be that one.
    """

    file: str
    source: dict[str, str]  # its line of sources.csv
    codebook: dict[str, dict]  # by series
    description: Description
    aliases: Aliases
    grid: Grid | None = None
    observations: list[tuple] = field(default_factory=list)
    ledger: list[tuple] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    cells: dict[tuple, str] = field(default_factory=dict)
    regions: dict[tuple, set[str]] = field(default_factory=dict)
    labelled: set[str] = field(default_factory=set)
    unsure: bool = False

    @cached_property
    def publication(self) -> str:
        return ", ".join(filter(None, (self.source["publication"], self.source["table"])))

    def name(self, row: int, column: int) -> str:
        return f"{self.file}!{self.grid.sheet.name}!{cell_name(row, column)}"

    def note(self, row: int, column: int, raw: str, rule: str, value: str) -> None:
        self.ledger.append(
            (self.file, self.grid.sheet.name, cell_name(row, column), raw, rule, value)
        )

    def blame(self, row: int, column: int, sentence: str) -> None:
        where = place(self.file, self.grid.sheet)
        self.problems.append(f"{where} cell {cell_name(row, column)}{sentence}")


def find_series(reading: Reading, label: str, row: int, column: int) -> str | None:
    """Series whose label, in either language, is printed; a problem is noted if there is none.

    `LEFT_OUT` if the description leaves the label out.
    """
    name = _match(reading, label)
    if name is None and strip_marks(label) != label:
        name = _match(reading, strip_marks(label))
        if name is not None:
            reading.note(row, column, label, "footnote mark stripped", strip_marks(label))
    if name is None:
        reading.blame(
            row,
            column,
            f": '{label.strip()}' is no label of the series that sources.csv names for this table "
            f"({reading.source['series'].replace(';', ', ')}); correct sources.csv, or add the "
            "label to aliases in codebook.csv.",
        )
    elif name == LEFT_OUT:
        reading.note(row, column, label, "left out by the description", "")
    else:
        reading.labelled.add(name)
    return name


def _match(reading: Reading, label: str) -> str | None:
    wanted = squeezed(label).lstrip("#")  # "#" marks the main items of a total
    described = reading.description.series
    if isinstance(described, dict):
        for printed, name in described.items():
            if wanted == squeezed(printed).lstrip("#"):
                return name or LEFT_OUT
    for name in reading.source["series"].split(";"):
        entry = reading.codebook[name]
        labels = [entry["label_en"], entry["label_zh"], *entry["aliases"].split(";")]
        if wanted and wanted in map(squeezed, labels):
            return name
    return None


def find_labelled(reading: Reading, text: str, row: int, column: int):
    """Series and unit factor of a label with its unit, as 地区生产总值(亿元) or GDP, 亿元."""
    label, unit = split_label(reading, text)
    name = find_series(reading, label, row, column)
    return name, factor_of(reading, name, unit, row, column) if name else None


def split_label(reading: Reading, text: str) -> tuple[str, str]:
    """Label and unit of a printed label; a label known as a whole is not split."""
    label = plain(strip_marks(text)) if _match(reading, text) is None else text
    if _match(reading, label) is not None:
        return text, ""
    match = re.fullmatch(r"(.*?)\s*\(([^()]*)\)", label)
    after = re.fullmatch(r"(.*\S)\s*,\s*([^,]+)", label)
    if not match and after and is_unit(after[2]):
        match = after
    return match.groups() if match else (text, "")


def factor_of(reading: Reading, name: str, printed: str, row: int, column: int):
    """Factor from the unit that is stated to the codebook's; all statements must agree.

    A unit may stand with the label, in a line over the header, in the description and in
    sources.csv; `IN_CELLS` if it stands in none of them but beside the numbers.
    """
    source, canonical = reading.source, reading.codebook[name]["unit"]
    line = reading.grid.meta.get("unit", ("", 0, 0))[0]
    described = reading.description.unit if isinstance(reading.description.unit, str) else ""
    listed = ""
    if source["unit"]:
        listed = source["unit"].split(";")[source["series"].split(";").index(name)]
    if plain(line) and not is_unit(plain(line)) and plain(printed):
        rule = f"unit line without a known unit: that of the label counts, {printed}"
        reading.note(*reading.grid.meta["unit"][1:], line, rule, "")
    stated = {
        "here": printed,
        "in the line over the header": line if is_unit(plain(line)) or not plain(printed) else "",
        "in the description": described,
        "in sources.csv": listed,
    }
    stated = {where: unit for where, unit in stated.items() if plain(unit)}
    if len({unit_name(plain(unit)) for unit in stated.values()}) > 1:
        each = " and ".join(f"'{unit}' {where}" for where, unit in stated.items())
        reading.blame(row, column, f": the unit of {name} is {each}; correct what is wrong.")
        return None
    printed = next(iter(stated.values()), printed)
    unit = unit_name(plain(printed))
    factor = unit_factor(unit, canonical)
    if factor is None and not stated and _units_in_cells(reading.grid):
        return IN_CELLS
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


def _units_in_cells(grid: Grid) -> bool:
    return any(split_unit(cell)[1] for row in grid.body for cell in grid.rows[row])


def blame_absent_series(reading: Reading) -> None:
    """Note a problem for each series that sources.csv promises and the file does not have."""
    grid = reading.grid
    what = "column" if grid.label is None else "row"
    if grid.label is None and "series" in grid.meta:
        what = "line 指标"
    for name in reading.source["series"].split(";"):
        if name not in reading.labelled:
            label = reading.codebook[name]["label_en"]
            reading.blame(
                grid.head[-1],
                0,
                f": the {what} '{label}' of the series {name} is missing; add it, or take "
                "the series out of sources.csv.",
            )
