"""A sheet -> the tables on it: where the header, the body and the notes of each lie."""

import re
from dataclasses import dataclass, field
from functools import cached_property

from tandem.errors import TandemError
from tandem.sources.description import Description, InColumn, InRow
from tandem.sources.text import cell_name, column_index, column_name, plain, squeezed
from tandem.sources.workbooks import Sheet
from tandem.sources.years import plain_marks, read_year

REGION_HEADS = {"地区", "region", "地区region"}
SERIES_HEADS = {"指标", "indicator"}
_CODE_HEADS = {"code", "代码", "地区代码"}
_YEAR_HEADS = {"年份", "year"}
_UNIT_HEADS = {"单位", "unit"}
_NOTE_HEADS = {"备注", "注", "note"}
_META = {
    "指标": "series", "indicator": "series", "年份": "year", "year": "year", "时间": "span",
    "time": "span", "单位": "unit", "计量单位": "unit", "unit": "unit",
}  # fmt: skip
_FOOT = re.compile(r"(?:注|Note|Notes|数据来源|资料来源|Source)\s*\d*\s*:")
_VALUE = re.compile(r"-?\d[\d,]*(\.\d+)?", re.ASCII)
_CONTINUED = re.compile(r"(?:续表|\(?continued)", re.IGNORECASE)


@dataclass(frozen=True)
class Grid:
    """One table: cells, rows of the header and of the body, columns that say what a row is.

    `meta` holds what the lines above the header say: (text, row, column) of "series", "year",
    "span" and "unit". A column is None where the table has none such; `year` is a year, an InRow,
    an InColumn or None, as in a `Description`.
    """

    file: str
    sheet: Sheet
    head: list[int]
    body: list[int]
    region: int | None
    code: int | None = None
    label: int | None = None
    unit: int | InRow | None = None
    year: int | InRow | InColumn | None = None
    left_out: frozenset[int] = frozenset()
    meta: dict[str, tuple[str, int, int]] = field(default_factory=dict)

    @property
    def rows(self) -> list[list[str]]:
        return self.sheet.rows

    @property
    def years(self) -> int | None:
        """Column of the years."""
        return column_index(self.year.column) if isinstance(self.year, InColumn) else None

    @cached_property
    def keys(self) -> set[int | None]:
        """Columns that say what a row is; the others hold values or notes."""
        unit = self.unit if isinstance(self.unit, int) else None
        return {self.region, self.code, self.label, self.years, unit}

    @cached_property
    def headless(self) -> list[int]:
        """Columns without a key or a header: nothing may stand there."""
        columns = range(max((len(self.rows[row]) for row in self.body), default=0))
        return [
            c for c in columns if c not in self.keys and not header_texts(self.sheet, self.head, c)
        ]

    @property
    def first(self) -> int:
        """Column that says what stands in the rows."""
        known = (self.region, self.label, self.code)
        return next((column for column in known if column is not None), 0)

    @property
    def down(self) -> str:
        """What stands in the rows: "regions" or "series"."""
        return "series" if self.region is None and self.code is None else "regions"


def find_tables(sheet: Sheet, file: str, description: Description, scope: str) -> list[Grid]:
    """The tables of a sheet from top to bottom: one, and those that continue it (续表).

    Raises
    ------
    TandemError
        If there is no header row, or the description points outside the sheet.
    """
    named = [*description.skip, *(description.body or [])[:1]]
    check_rows(sheet, file, [row - 1 for row in named])
    if description.header is not None:
        heads = description.header if isinstance(description.header, list) else [description.header]
        headers = [[row - 1 for row in heads]]
        check_rows(sheet, file, headers[0])
    else:
        found = [row for row in range(len(sheet.rows)) if _is_header(sheet.rows[row], scope)]
        headers = [_header_rows(sheet, row) for row in found]
    if not headers:
        raise TandemError(
            f"{place(file, sheet)} has no header row: no line starts with 地区, Region, 指标 or "
            "Indicator; compare it with the layouts in data/README.md and check that it is saved "
            "as UTF-8 or GB18030, or describe the table in a file beside it."
        )
    tables, meta, start = [], {}, 0
    for head, after in zip(headers, [*headers[1:], [len(sheet.rows)]], strict=True):
        meta = meta | _read_meta(sheet, file, start, head[0])
        body = _body(sheet.rows, head[-1], after[0])
        end = (body or head)[-1] + 1
        if description.header is None and description.body is None:
            outside = [*range(start, head[0]), *range(end, after[0])]
            _refuse_values(sheet, file, [r for r in outside if r + 1 not in description.skip])
        if description.body:
            first, last = description.body
            below = min(last or len(sheet.rows), len(sheet.rows))  # a continuation may be shorter
            body = [row for row in range(first - 1, below)
                    if any(map(str.strip, sheet.rows[row]))]  # fmt: skip
        body = [row for row in body if row + 1 not in description.skip]
        tables.append(_table(sheet, file, description, head, body, meta))
        start = end
    return tables


def place(file: str, sheet: Sheet) -> str:
    """File, and sheet where it has a name."""
    return f"{file} sheet {sheet.name}" if sheet.name else file


def header_texts(sheet: Sheet, head: list[int], column: int) -> list[str]:
    """Texts over a column, from top to bottom; a merged cell counts for all that it covers."""
    texts = [merged_text(sheet, row, column).strip() for row in head]
    return list(dict.fromkeys(filter(None, texts)))


def merged_text(sheet: Sheet, row: int, column: int) -> str:
    """Text of a cell, or of the first cell of the merged range that covers it."""
    covering = merged_range(sheet, row, column)
    if covering:
        row, column = covering[:2]
    line = sheet.rows[row] if row < len(sheet.rows) else []
    return line[column] if column < len(line) else ""


def merged_range(sheet: Sheet, row: int, column: int) -> tuple[int, int, int, int] | None:
    """The merged range of more than one cell in which a cell lies, None if there is none."""
    return sheet.covered.get((row, column))


def _is_header(row: list[str], scope: str) -> bool:
    filled = [cell for cell in row if cell.strip()]
    if len(filled) < 2:
        return False
    first = squeezed(plain_marks(filled[0]))
    return (
        first in REGION_HEADS | SERIES_HEADS
        or (first in _CODE_HEADS and squeezed(filled[1]) in REGION_HEADS)
        or (first in _YEAR_HEADS and scope == "nation")
    )


def _header_rows(sheet: Sheet, row: int) -> list[int]:
    """Rows of a header whose first cell may be merged with those below it."""
    column = next(c for c, cell in enumerate(sheet.rows[row]) if cell.strip())
    covering = merged_range(sheet, row, column)
    return list(range(row, (covering[2] if covering else row) + 1))


def _read_meta(sheet: Sheet, file: str, start: int, end: int) -> dict[str, tuple[str, int, int]]:
    rows, meta = sheet.rows, {}
    for row in range(start, end):
        for column, cell in enumerate(rows[row]):
            # not narrowed, which would turn the mark ① into the digit 1
            key, colon, value = cell.replace("：", ":").partition(":")
            name = _META.get(squeezed(key))
            if colon and name:
                value = value or next((c for c in rows[row][column + 1 :] if c.strip()), "")
                value = value.strip()
                before, line, first = meta.get(name, (value, row, column))
                if plain_marks(before) != plain_marks(value):
                    raise TandemError(
                        f"{place(file, sheet)} cell {cell_name(row, column)}: '{cell.strip()}' "
                        f"contradicts '{rows[line][first].strip()}' in cell "
                        f"{cell_name(line, first)}; delete the one that is wrong."
                    )
                meta[name] = (value, row, column)
    return meta


def _refuse_values(sheet: Sheet, file: str, rows: list[int]) -> None:
    """Rows above the header or under the notes are not read, so there must be no values in them."""
    for row in rows:
        filled = [c for c, cell in enumerate(sheet.rows[row]) if cell.strip()]
        for column in filled[1:]:
            text = sheet.rows[row][column]
            if _VALUE.fullmatch(text) and read_year(text) is None:
                raise TandemError(
                    f"{place(file, sheet)} cell {cell_name(row, column)}: '{text}' stands above "
                    "the header or under the notes, where no values are read; move the row into "
                    "the table, or delete it."
                )


def _body(rows: list[list[str]], head: int, end: int) -> list[int]:
    """Rows under the header down to the first note, or the line that announces a continuation."""
    body = []
    for row in range(head + 1, end):
        first = plain(next((cell for cell in rows[row] if cell.strip()), ""))
        if _FOOT.match(first) or _CONTINUED.match(first):
            break
        if first:
            body.append(row)
    return body


def _table(sheet, file, description, head, body, meta) -> Grid:
    width = max((len(sheet.rows[row]) for row in head), default=0)
    names = {c: squeezed(plain_marks(" ".join(header_texts(sheet, head, c)))) for c in range(width)}

    def column(letters: str | None, known: set[str]) -> int | None:
        if letters is not None:
            return column_index(letters)
        return next((c for c, name in names.items() if name in known), None)

    region = column(description.region, REGION_HEADS)
    label = column(description.label, SERIES_HEADS)
    code = column(description.code, _CODE_HEADS) if region is not None else None
    unit = description.unit
    if isinstance(unit, InColumn):
        unit = column_index(unit.column)
    elif not isinstance(unit, InRow):
        unit = column(None, _UNIT_HEADS)
    year = description.year
    if isinstance(year, InColumn):
        years = column_index(year.column)
    else:
        years = None if year is not None else column(None, _YEAR_HEADS)
    if years is not None:
        year = InColumn(column=column_name(years))
    elif year is None and (label is not None or "year" not in meta):
        year = InRow(row=head[-1] + 1)
    check_rows(sheet, file, [at.row - 1 for at in (year, unit) if isinstance(at, InRow)])
    notes = frozenset(c for c, name in names.items() if name in _NOTE_HEADS)
    return Grid(file, sheet, head, body, region, code, label, unit, year, notes, meta)


def check_rows(sheet: Sheet, file: str, rows: list[int]) -> None:
    """Refuse rows, counted from 0, that the sheet has not."""
    beyond = [row + 1 for row in rows if row >= len(sheet.rows)]
    if beyond:
        raise TandemError(
            f"{place(file, sheet)} has {len(sheet.rows)} rows, but its description names row "
            f"{beyond[0]}; correct the description."
        )
