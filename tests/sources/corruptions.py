"""Ways in which a raw table goes wrong, each a function that spoils a good one.

A corruption draws with hypothesis which row, column and text it spoils, and returns what a refusal
must name (a pattern). It works on the cells of a `Table`, which is then written in some format, on
the bytes of the written file, or on an openpyxl workbook.
"""

import copy
import csv
import html
import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
from hypothesis import assume
from hypothesis import strategies as st
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont

from tandem.sources.regions import PROVINCES, find_province, subtotal_rule
from tandem.sources.text import cell_name, column_name

FILES = Path(__file__).parent / "files"
A_PLACE = r"(cell [A-Z]+\d+|line \d+)"  # what a refusal names unless a corruption says otherwise
WHOLE_FILE = ""
NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)

REFUSED, EXPLAINED, FOUND, UNCHANGED = "refused", "explained", "found", "unchanged"
EXPORTS = ("gdp", "population")  # provinces down, years across, one series
PROVINCIAL = (*EXPORTS, "appendix")  # the appendix has series across
BY_YEAR = (*EXPORTS, "nation")  # the nation has series down
EVERY = (*PROVINCIAL, "nation")
TEXTS = ("csv", "tab", "gb18030")
FORMATS = (*TEXTS, "html", "xlsx")


@dataclass
class Table:
    """Cells of a table, and where its parts lie (counted from 0)."""

    name: str
    rows: list[list[str]]
    head: int
    last: int  # row of the body
    first: int  # column of values

    @classmethod
    def read(cls, name: str, path: Path) -> "Table":
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
        head = next(i for i, row in enumerate(rows) if row[0] in ("地区", "Region", "Indicator"))
        last = max(i for i, row in enumerate(rows) if len(row) == len(rows[head]))
        return cls(name, rows, head, last, 2 if name == "nation" else 1)

    @property
    def header(self) -> list[str]:
        return self.rows[self.head]

    @property
    def body(self) -> range:
        return range(self.head + 1, self.last + 1)

    def row(self, draw) -> int:
        return draw(st.sampled_from(self.body), label="row")

    def column(self, draw) -> int:
        return draw(st.integers(self.first, len(self.header) - 1), label="column")

    def change(self, draw, new: Callable[[str], str], when=NUMBER.fullmatch) -> str:
        """Change one value; the pattern of its place."""
        places = [(r, c) for r in self.body for c in range(self.first, len(self.header))
                  if when(self.rows[r][c])]  # fmt: skip
        row, column = draw(st.sampled_from(places), label="cell")
        self.rows[row][column] = new(self.rows[row][column])
        return at(row, column)


def at(row: int, column: int) -> str:
    return rf"cell {cell_name(row, column)}\b"


def written(table: Table, form: str) -> bytes:
    if form == "xlsx":
        return saved(workbook(table))
    if form == "html":
        lines = ("".join(f"<td>{html.escape(c)}</td>" for c in row) for row in table.rows)
        return f"<html><table><tr>{'</tr><tr>'.join(lines)}</tr></table></html>".encode()
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter="\t" if form == "tab" else ",", lineterminator="\n")
    writer.writerows(table.rows)
    return buffer.getvalue().encode("gb18030" if form == "gb18030" else "utf-8")


def workbook(table: Table) -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    for row in table.rows:
        book.active.append([_stored(cell) for cell in row])
    return book


def _stored(text: str):
    if NUMBER.fullmatch(text) and len(text) < 16:
        return float(text) if "." in text else int(text)
    return text or None


def saved(book: openpyxl.Workbook) -> bytes:
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


@dataclass(frozen=True)
class Corruption:
    spoil: Callable
    what: str  # "cells", "bytes" or "workbook"
    outcomes: tuple[str, ...]
    tables: tuple[str, ...]
    formats: tuple[str, ...]

    def apply(self, draw, good: Table, form: str) -> tuple[bytes, str]:
        """The spoilt file, and the pattern of what a refusal must name."""
        table = copy.deepcopy(good)
        if self.what == "bytes":
            raw = written(table, form)
            content, named = self.spoil(draw, raw)
            assert content != raw, "nothing is spoilt"
            return content, named
        if self.what == "workbook":
            book = workbook(table)
            named = self.spoil(draw, book, table)
            content = saved(book)
            assert parts(content) != parts(written(good, "xlsx")), "nothing is spoilt"
            return content, named or A_PLACE
        named = self.spoil(draw, table)
        assert table.rows != good.rows, "nothing is spoilt"
        return written(table, form), A_PLACE if named is None else named


def parts(content: bytes) -> dict[str, bytes]:
    """Parts of a workbook, but for its date."""
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        return {n: package.read(n) for n in package.namelist() if not n.startswith("docProps")}


CORRUPTIONS: dict[str, Corruption] = {}


def spoils(what: str, *outcomes: str, tables=EVERY, formats=None):
    """Register a corruption under its name with the outcomes that it may have."""
    formats = formats or {"cells": FORMATS, "bytes": ("csv",), "workbook": ("xlsx",)}[what]

    def register(function):
        assert function.__name__ not in CORRUPTIONS
        CORRUPTIONS[function.__name__] = Corruption(function, what, outcomes, tables, formats)
        return function

    return register


# --- header -------------------------------------------------------------------------------------


@spoils("cells", REFUSED)
def header_shifted_left(draw, t):
    t.header[t.first :] = [*t.header[t.first + 1 :], ""]


@spoils("cells", REFUSED)
def header_shifted_right(draw, t):
    t.header.insert(t.first, "")


@spoils("cells", REFUSED)
def header_missing(draw, t):
    del t.rows[t.head]
    return WHOLE_FILE


@spoils("cells", REFUSED)
def header_under_the_first_row(draw, t):
    t.rows[t.head], t.rows[t.head + 1] = t.rows[t.head + 1], t.rows[t.head]


@spoils("cells", EXPLAINED, tables=PROVINCIAL)
def header_doubled(draw, t):
    t.rows.insert(t.row(draw), list(t.header))


@spoils("cells", REFUSED, tables=("gdp",))
def year_headers_swapped(draw, t):
    """Seen only beside the value added of the industries."""
    a, b = draw(st.lists(st.integers(1, len(t.header) - 1), min_size=2, max_size=2, unique=True))
    t.header[a], t.header[b] = t.header[b], t.header[a]


@spoils("cells", REFUSED, tables=("gdp",))
def year_headers_rotated(draw, t):
    """Seen only beside the value added of the industries."""
    t.header[1:] = [t.header[-1], *t.header[1:-1]]


@spoils("cells", REFUSED, tables=BY_YEAR)
def year_printed_twice(draw, t):
    a = draw(st.integers(t.first + 1, len(t.header) - 1))
    t.header[a] = t.header[a - 1]
    return at(t.head, a)


@spoils("cells", REFUSED, tables=BY_YEAR)
def year_as_date(draw, t):
    return _change_year(draw, t, ["{}-12-31", "{}/12/31", "31.12.{}", "1 Jan {}"])


@spoils("cells", REFUSED, tables=BY_YEAR)
def year_as_day_number(draw, t):
    column = t.column(draw)
    t.header[column] = str(draw(st.integers(32874, 43830)))  # days of 1990 to 2019
    return at(t.head, column)


@spoils("cells", REFUSED, tables=BY_YEAR)
def year_misread(draw, t):
    return _change_year(draw, t, ["{}.0", "{}-", "I{}", "{} {}", "约{}"])


@spoils("cells", EXPLAINED, tables=BY_YEAR)
def year_with_a_mark(draw, t):
    return _change_year(draw, t, ["{}①", "{}*", "{}[1]", "{} (revised)", "{}（修订）"])


def _change_year(draw, t, ways):
    column = t.column(draw)
    year = t.header[column].removesuffix("年")
    t.header[column] = draw(st.sampled_from(ways)).format(year, year)
    return at(t.head, column)


@spoils("cells", REFUSED, tables=("gdp",))
def year_becomes_a_note(draw, t):
    t.header[t.column(draw)] = draw(st.sampled_from(["备注", "注", "Note"]))


@spoils("cells", REFUSED, tables=("gdp",))
def span_of_other_years(draw, t):
    line = next(row for row in t.rows if row[0].startswith("时间"))
    line[0] = draw(st.sampled_from(["时间：2006-2019", "时间：2005-2018", "时间：2004-2019"]))


@spoils("cells", REFUSED)
def label_misread(draw, t):
    for row, cells in enumerate(t.rows[: t.last + 1]):
        for column, cell in enumerate(cells):
            for label in ("地区生产总值", "年末常住人口", "Gross domestic product", "Net exports"):
                if label in cell:
                    cells[column] = cell.replace(label, draw(st.sampled_from(["总值", "Gross"])))
                    return at(row, column)
    raise AssertionError(t.name)


# --- units --------------------------------------------------------------------------------------

_UNITS = {"(亿元)": "(万元)", "(万人)": "(人)", "100M yuan": "10k yuan", "10k persons": "persons"}


def _units(t) -> list[tuple[int, int, str]]:
    cells = [(r, c, cell) for r in range(t.last + 1) for c, cell in enumerate(t.rows[r])]
    return [(r, c, unit) for r, c, cell in cells for unit in _UNITS if unit in cell]


@spoils("cells", REFUSED, EXPLAINED)
def unit_times_10000(draw, t):
    """Explained where no other unit contradicts it: a line for every value converted."""
    row, column, unit = draw(st.sampled_from(_units(t)))
    t.rows[row][column] = t.rows[row][column].replace(unit, _UNITS[unit])


@spoils("cells", REFUSED)
def unit_removed(draw, t):
    row, column, unit = draw(st.sampled_from(_units(t)))
    cell = t.rows[row][column].replace(unit, "").removesuffix("()")
    t.rows[row][column] = cell
    return at(row, column)


@spoils("cells", REFUSED, tables=EXPORTS)
def unit_of_another_dimension(draw, t):
    row, column, unit = draw(st.sampled_from(_units(t)))
    t.rows[row][column] = t.rows[row][column].replace(unit, "(件)")
    return at(row, column)


@spoils("cells", REFUSED, tables=EXPORTS)
def unit_line_contradicts_the_label(draw, t):
    t.rows.insert(t.head, [draw(st.sampled_from(["单位：万吨", "单位：元", "计量单位：%"]))])


@spoils("cells", REFUSED, tables=EXPORTS)
def unit_lines_contradict_each_other(draw, t):
    row, column, unit = _units(t)[0]
    t.rows[row][column] = t.rows[row][column].replace(unit, "")
    lines = [f"单位：{unit[1:-1]}", f"单位：{_UNITS[unit][1:-1]}"]
    t.rows[t.head : t.head] = [[line] for line in draw(st.permutations(lines))]


@spoils("cells", EXPLAINED, tables=EXPORTS)
def unit_line_unreadable(draw, t):
    t.rows.insert(t.head, [draw(st.sampled_from(["单位：亿兀", "单位：见表", "Unit: various"]))])


@spoils("cells", EXPLAINED, tables=("nation",))
def unit_in_a_cell(draw, t):
    rates = [row for row in t.body if t.rows[row][1] == "%"]
    row, column = draw(st.sampled_from(rates)), t.column(draw)
    t.rows[row][column] += draw(st.sampled_from(["%", "％", " %"]))


@spoils("cells", REFUSED)
def unit_in_a_cell_contradicts(draw, t):
    return t.change(draw, lambda v: v + draw(st.sampled_from(["万吨", "件", "‰"])))


# --- rows ---------------------------------------------------------------------------------------


def _names(row: str) -> str:
    """Pattern of a province's English name."""
    return re.escape(find_province(row)[1])


@spoils("cells", REFUSED, tables=PROVINCIAL)
def province_duplicated(draw, t):
    row = t.row(draw)
    t.rows.insert(draw(st.integers(t.head + 1, t.last + 1)), list(t.rows[row]))


@spoils("cells", REFUSED, tables=PROVINCIAL)
def province_duplicated_with_other_values(draw, t):
    row, other = t.row(draw), t.row(draw)
    t.rows.insert(row + 1, [t.rows[row][0], *t.rows[other][1:]])


@spoils("cells", REFUSED, tables=PROVINCIAL)
def province_missing(draw, t):
    return _names(t.rows.pop(t.row(draw))[0])


@spoils("cells", REFUSED, tables=PROVINCIAL)
def province_misspelt(draw, t):
    row = t.row(draw)
    name = list(t.rows[row][0])
    name[draw(st.integers(0, 1))] = draw(st.sampled_from("两占比酉厦律讧x0"))
    spoilt = "".join(name)
    assume(find_province(spoilt) is None and not subtotal_rule(spoilt))
    t.rows[row][0] = spoilt
    return at(row, 0)


@spoils("cells", REFUSED, tables=PROVINCIAL)
def province_becomes_another(draw, t):
    a, b = draw(st.lists(st.sampled_from(t.body), min_size=2, max_size=2, unique=True))
    t.rows[a][0] = t.rows[b][0]


@spoils("cells", REFUSED, tables=("gdp",))
def provinces_swapped(draw, t):
    """Seen only beside the value added of the industries."""
    a, b = draw(st.lists(st.sampled_from(t.body), min_size=2, max_size=2, unique=True))
    t.rows[a][0], t.rows[b][0] = t.rows[b][0], t.rows[a][0]


@spoils("cells", REFUSED, tables=PROVINCIAL)
def province_becomes_a_total(draw, t):
    row = t.row(draw)
    named = _names(t.rows[row][0])
    t.rows[row][0] = draw(st.sampled_from(["全国", "东部地区", "Total"]))
    return named


@spoils("cells", REFUSED, tables=PROVINCIAL)
def total_becomes_a_province(draw, t):
    sums = ["1000"] * (len(t.header) - 1)
    name = draw(st.sampled_from(list(PROVINCES.values())))
    t.rows.insert(draw(st.integers(t.head + 1, t.last + 1)), [name, *sums])


@spoils("cells", EXPLAINED, tables=PROVINCIAL)
def total_among_the_provinces(draw, t):
    sums = ["1000"] * (len(t.header) - 1)
    t.rows.insert(t.row(draw), [draw(st.sampled_from(["全国", "华北", "National Total"])), *sums])


@spoils("cells", EXPLAINED, tables=PROVINCIAL)
def province_under_another_name(draw, t):
    row = t.row(draw)
    code = find_province(t.rows[row][0])[0]
    t.rows[row][0] = draw(
        st.sampled_from([code, code[:2], f" {PROVINCES[code].upper()}", f"{code}①"])
    )


@spoils("cells", REFUSED)
def name_blank(draw, t):
    t.rows[t.row(draw)][0] = ""


@spoils("cells", REFUSED, tables=("nation",))
def series_missing(draw, t):
    return re.escape(t.rows.pop(t.row(draw))[0])


@spoils("cells", REFUSED, EXPLAINED)
def row_truncated(draw, t):
    """Text has no cells there; in workbooks and pages they are blank."""
    row = t.row(draw)
    column = t.column(draw)
    del t.rows[row][column:]
    return at(row, column)


@spoils("cells", REFUSED)
def row_too_long(draw, t):
    row = t.row(draw)
    t.rows[row].append("1234.5")
    return at(row, len(t.header))


@spoils("cells", REFUSED)
def row_shifted_right(draw, t):
    row = t.row(draw)
    t.rows[row].insert(t.column(draw), "")
    return at(row, len(t.header))


@spoils("cells", REFUSED, tables=("gdp",))
def row_shifted_left(draw, t):
    """In workbooks and pages seen only beside the value added of the industries."""
    row, column = t.row(draw), draw(st.integers(1, len(t.header) - 3))
    del t.rows[row][column]


@spoils("cells", REFUSED)
def row_moved_under_the_notes(draw, t):
    t.rows.append(t.rows.pop(t.row(draw)))


@spoils("cells", REFUSED)
def row_repeated_under_the_notes(draw, t):
    t.rows.append(list(t.rows[t.row(draw)]))


@spoils("cells", REFUSED)
def note_within_the_body(draw, t):
    t.rows.insert(t.row(draw), [draw(st.sampled_from(["注：下表同", "Source: as above"]))])


@spoils("cells", REFUSED)
def meta_line_within_the_body(draw, t):
    t.rows.insert(t.row(draw), [draw(st.sampled_from(["单位：万元", "Year: 2010", "指标：x"]))])


@spoils("cells", REFUSED)
def table_transposed(draw, t):
    block = t.rows[t.head : t.last + 1]
    t.rows[t.head : t.last + 1] = [list(column) for column in zip(*block, strict=True)]
    return WHOLE_FILE


@spoils("cells", REFUSED)
def table_cut_after_a_row(draw, t):
    del t.rows[draw(st.integers(t.head + 1, t.last)) :]


# --- values -------------------------------------------------------------------------------------


def _times(power: int):
    return lambda v: f"{(Decimal(v) * Decimal(10) ** power).normalize():f}"


@spoils("cells", REFUSED, tables=("gdp", "nation"))
def value_times_a_power_of_ten(draw, t):
    """Seen beside the other series of its identity."""
    return t.change(draw, _times(draw(st.sampled_from([-4, -3, -2, -1, 1, 2, 3, 4]))))


@spoils("cells", REFUSED, tables=("population",))
def population_times_a_power_of_ten(draw, t):
    """Seen beside the other years."""
    return t.change(draw, _times(draw(st.sampled_from([-4, -3, -2, -1, 1, 2, 3, 4]))))


@spoils("cells", FOUND, tables=("population",))
def population_doubled(draw, t):
    """Seen beside the other years, if there is an earlier one."""
    row, column = t.row(draw), draw(st.integers(1, len(t.header) - 2))
    t.rows[row][column] = str(Decimal(t.rows[row][column]) * 2)


@spoils("cells", REFUSED, tables=EXPORTS)
def year_times_10000(draw, t):
    column = t.column(draw)
    for row in t.body:
        t.rows[row][column] = _times(draw(st.just(4)))(t.rows[row][column])
    return rf"cell {column_name(column)}\d"


@spoils("cells", REFUSED, tables=("nation",))
def sign_lost(draw, t):
    return t.change(draw, lambda v: v[1:], when=lambda v: v.startswith("-"))


@spoils("cells", REFUSED, tables=PROVINCIAL)
def negative_where_impossible(draw, t):
    return t.change(draw, lambda v: f"-{v}")


@spoils("cells", EXPLAINED, tables=("nation",))
def minus_typographic(draw, t):
    mark = draw(st.sampled_from("\u2212\u2013－"))
    return t.change(draw, lambda v: mark + v[1:], when=lambda v: v.startswith("-"))


@spoils("cells", REFUSED)
def negative_in_parentheses(draw, t):
    return t.change(draw, lambda v: draw(st.sampled_from(["({})", "（{}）", "-({})"])).format(v))


@spoils("cells", REFUSED, tables=PROVINCIAL)
def percent_sign(draw, t):
    return t.change(draw, lambda v: v + draw(st.sampled_from(["%", "％", " %"])))


@spoils("cells", REFUSED)
def decimal_comma(draw, t):
    return t.change(draw, lambda v: f"{Decimal(v):.2f}".replace(".", ","))


@spoils("cells", REFUSED)
def thousands_separator_misplaced(draw, t):
    digits = draw(st.sampled_from([1, 2, 4]))

    def misplace(value):
        whole, dot, rest = value.partition(".")
        return f"{whole[:-digits]},{whole[-digits:]}{dot}{rest}"

    return t.change(draw, misplace, when=lambda v: len(v.split(".")[0]) > 4 and NUMBER.fullmatch(v))


@spoils("cells", EXPLAINED)
def thousands_separator(draw, t):
    big = lambda v: NUMBER.fullmatch(v) and abs(Decimal(v)) >= 1000  # noqa: E731
    return t.change(draw, lambda v: f"{Decimal(v):,}", when=big)


@spoils("cells", REFUSED)
def thousands_apart(draw, t):
    mark = draw(st.sampled_from([" ", "\xa0", "\u2009", "'", "，", "."]))
    big = lambda v: re.fullmatch(r"\d{4,}\.\d", v) or re.fullmatch(r"\d{7,}", v)  # noqa: E731
    assume(any(big(cell) for row in t.body for cell in (t.rows[row][t.first :])))
    return t.change(draw, lambda v: f"{v[:1]}{mark}{v[1:]}", when=big)


@spoils("cells", REFUSED)
def letters_for_digits(draw, t):
    swap = str.maketrans(draw(st.sampled_from([("0", "O"), ("1", "l"), ("1", "I")]))[0],
                         draw(st.sampled_from(["o"])))  # fmt: skip
    return t.change(draw, lambda v: v.translate(swap),
                    when=lambda v: NUMBER.fullmatch(v) and v.translate(swap) != v)  # fmt: skip


@spoils("cells", EXPLAINED)
def full_width_digits(draw, t):
    wide = str.maketrans("0123456789.-", "０１２３４５６７８９．－")
    return t.change(draw, lambda v: v.translate(wide))


@spoils("cells", EXPLAINED)
def footnote_mark(draw, t):
    return t.change(draw, lambda v: v + draw(st.sampled_from(["①", "*", "[1]", " a)", "⑳*"])))


@spoils("cells", EXPLAINED, formats=("csv", "tab", "gb18030", "xlsx"))
def spaces_around(draw, t):
    return t.change(draw, lambda v: draw(st.sampled_from([" {}", "{}\u3000", "\xa0{}"])).format(v))


@spoils("cells", REFUSED)
def unexplained_mark(draw, t):
    return t.change(draw, lambda v: v + draw(st.sampled_from(["x", "²", "e", "?", "\u200b", "r"])))


@spoils("cells", REFUSED)
def two_numbers_in_a_cell(draw, t):
    way = draw(st.sampled_from(["{} {}", "{}/{}", "{}\n{}", "{};{}", "{} ({})"]))
    return t.change(draw, lambda v: way.format(v, v))


@spoils("cells", EXPLAINED)
def value_blank(draw, t):
    return t.change(draw, lambda v: draw(st.sampled_from(["", "  "])))


@spoils("cells", EXPLAINED)
def missing_code(draw, t):
    return t.change(draw, lambda v: draw(st.sampled_from(["…", "...", "—", "－", "-", "#"])))


@spoils("cells", REFUSED)
def unknown_missing_code(draw, t):
    return t.change(draw, lambda v: draw(st.sampled_from(["n.a.", "缺", "?", "NULL", "x", "0x0"])))


@spoils("cells", REFUSED)
def extreme_number(draw, t):
    absurd = ["1e308", "-1e308", "inf", "Infinity", "nan", "NaN", "9" * 400, "9" * 2000]
    return t.change(draw, lambda v: draw(st.sampled_from(absurd)))


@spoils("cells", REFUSED)
def formula_error(draw, t):
    errors = ["#REF!", "#N/A", "#DIV/0!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!"]
    return t.change(draw, lambda v: draw(st.sampled_from(errors)))


@spoils("cells", REFUSED)
def formula_not_calculated(draw, t):
    return t.change(draw, lambda v: draw(st.sampled_from(["=B5+C5", "=SUM(B5:B9)", "=1/0"])))


# --- what no reader needs to mind: meaning does not change ----------------------------------------


@spoils("cells", UNCHANGED, EXPLAINED)
def rows_reordered(draw, t):
    """Explained where a missing code moves, as its line of the ledger names another cell."""
    block = t.rows[t.head + 1 : t.last + 1]
    t.rows[t.head + 1 : t.last + 1] = draw(st.sampled_from([block[::-1], block[1:] + block[:1]]))


@spoils("cells", UNCHANGED, EXPLAINED)
def columns_reordered_with_their_headers(draw, t):
    for row in (t.head, *t.body):
        t.rows[row][t.first :] = t.rows[row][t.first :][::-1]


@spoils("cells", UNCHANGED, EXPLAINED)
def blank_lines(draw, t):
    t.rows.insert(t.row(draw), [""] * draw(st.integers(1, 3)))


@spoils("cells", UNCHANGED)
def notes_dropped(draw, t):
    del t.rows[t.last + 1 :]


@spoils("bytes", UNCHANGED)
def other_line_ends(draw, raw):
    return raw.replace(b"\n", draw(st.sampled_from([b"\r\n", b"\r"]))), A_PLACE


@spoils("bytes", UNCHANGED)
def blank_lines_at_the_end(draw, raw):
    return raw + draw(st.sampled_from([b"\n", b"\n\n\n", b" \n", b",,,\n"])), A_PLACE


@spoils("workbook", UNCHANGED)
def empty_sheet_before(draw, book, t):
    """The sheet stands in the cell of every observation."""
    book.create_sheet("cover", 0)


# --- bytes --------------------------------------------------------------------------------------


@spoils("bytes", REFUSED, EXPLAINED, UNCHANGED, formats=FORMATS)
def truncated(draw, raw):
    """Unchanged where the cut lies among the notes, or just after the last line read."""
    return raw[: draw(st.integers(1, len(raw) - 1))], WHOLE_FILE


@spoils("bytes", REFUSED, EXPLAINED, UNCHANGED, formats=("csv", "tab", "gb18030", "html"))
def truncated_near_the_end(draw, raw):
    return raw[: -draw(st.integers(1, 300))], WHOLE_FILE


@spoils("bytes", EXPLAINED, formats=("csv", "tab"))
def truncated_within_the_last_number(draw, raw):
    numbers = list(re.finditer(rb"(?<=[,\t])\d+\.?\d+(?=\r?\n)", raw))
    cut = draw(st.integers(numbers[-1].start() + 3, numbers[-1].end() - 1))
    assume(raw[cut - 1 : cut] != b".")
    return raw[:cut], WHOLE_FILE


@spoils("bytes", REFUSED)
def nothing_but(draw, raw):
    return draw(st.sampled_from([b"", b"\xef\xbb\xbf", b"\n \n", b"\xef\xbb\xbf\r\n"])), WHOLE_FILE


@spoils("bytes", REFUSED)
def line_of_10_megabytes(draw, raw):
    piece = draw(st.sampled_from([b"1", b"1,", b"\t1"]))
    return raw + piece * (10**7 // len(piece)), r"line \d+"


@spoils("bytes", REFUSED)
def line_ends_lost(draw, raw):
    return raw.replace(b"\n", draw(st.sampled_from([b"", b" ", b","]))), WHOLE_FILE


@spoils("bytes", REFUSED)
def nul_bytes(draw, raw):
    cut = draw(st.integers(0, len(raw.decode())))
    spoilt = raw.decode()[:cut] + "\0" * draw(st.integers(1, 3)) + raw.decode()[cut:]
    return spoilt.encode(), rf"line {spoilt[:cut].count(chr(10)) + 1}\b"


@spoils("bytes", REFUSED)
def utf_16(draw, raw):
    code = draw(st.sampled_from(["utf-16", "utf-16-le", "utf-16-be", "utf-32"]))
    return raw.decode().encode(code), WHOLE_FILE


@spoils("bytes", REFUSED, tables=EXPORTS)
def mojibake(draw, raw):
    return raw.decode("latin-1").encode(), WHOLE_FILE


@spoils("bytes", REFUSED, tables=EXPORTS)
def half_gb18030(draw, raw):
    lines = raw.decode().splitlines(keepends=True)
    half = draw(st.integers(3, len(lines) - 3))
    first, second = draw(st.permutations(["utf-8", "gb18030"]))
    return "".join(lines[:half]).encode(first) + "".join(lines[half:]).encode(second), WHOLE_FILE


@spoils("bytes", EXPLAINED)
def byte_order_mark(draw, raw):
    return b"\xef\xbb\xbf" + raw, A_PLACE


@spoils("bytes", REFUSED)
def semicolons(draw, raw):
    return raw.replace(b",", b";"), WHOLE_FILE


def _body_line(draw, raw) -> tuple[list[bytes], int]:
    lines = raw.split(b"\n")
    values = [i for i, line in enumerate(lines) if len(re.findall(rb",[\d.]+(?=,)", line)) > 4]
    return lines, draw(st.sampled_from(values[1:]))  # the first may be a header of years


@spoils("bytes", REFUSED)
def one_line_with_other_delimiters(draw, raw):
    lines, line = _body_line(draw, raw)
    lines[line] = lines[line].replace(b",", draw(st.sampled_from([b"\t", b";", b"|"])))
    return b"\n".join(lines), rf"cell A{line + 1}\b"


@spoils("bytes", REFUSED)
def quotation_mark_not_closed(draw, raw):
    lines, line = _body_line(draw, raw)
    cut = draw(st.sampled_from([0, *(m.end() for m in re.finditer(b",", lines[line]))]))
    lines[line] = lines[line][:cut] + b'"' + lines[line][cut:]
    return b"\n".join(lines), A_PLACE


@spoils("bytes", EXPLAINED)
def line_end_within_quotation_marks(draw, raw):
    lines, line = _body_line(draw, raw)
    lines[line] = re.sub(rb",([\d.]+)(?=,)", draw(st.sampled_from([rb',"\1\n"', rb',"\n\1"'])),
                         lines[line], count=1)  # fmt: skip
    return b"\n".join(lines), A_PLACE


@spoils("bytes", REFUSED)
def thousands_separator_without_quotation_marks(draw, raw):
    numbers = list(re.finditer(rb"(?<=,)(\d{1,3})(\d{3}(?:\.\d)?)(?=,)", raw))
    cut = draw(st.sampled_from(numbers)).end(1)
    return raw[:cut] + b"," + raw[cut:], A_PLACE


@spoils("bytes", REFUSED)
def page_of_an_error(draw, raw):
    return b"<html><body><h1>404</h1><table><tr><td>Not found</td></tr></table></body></html>", ""


@spoils("bytes", REFUSED)
def archive_that_is_no_workbook(draw, raw):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        package.writestr("table.csv", raw)
    return buffer.getvalue(), WHOLE_FILE


@spoils("bytes", REFUSED)
def encrypted_workbook(draw, raw):
    return (FILES / "password.xlsx").read_bytes(), "password"


@spoils("bytes", REFUSED)
def old_workbook_truncated(draw, raw):
    old = (FILES / "gdp.xls").read_bytes()
    return old[: draw(st.integers(9, len(old) * 3 // 4))], WHOLE_FILE


@spoils("bytes", REFUSED, UNCHANGED, formats=("xlsx",))
def one_byte_of_a_workbook(draw, raw):
    """Unchanged where it is of the archive's own dates and flags."""
    cut = draw(st.integers(0, len(raw) - 1))
    return raw[:cut] + bytes([raw[cut] ^ (1 << draw(st.integers(0, 7)))]) + raw[cut + 1 :], ""


# --- pages --------------------------------------------------------------------------------------


def _in_page(draw, raw, way):
    numbers = list(re.finditer(rb"<td>(\d{2,}(?:\.\d)?)</td>", raw))
    numbers = [m for m in numbers if not re.fullmatch(rb"(19|20)\d\d", m[1])]
    found = draw(st.sampled_from(numbers))
    new = way.format(found[1].decode()).encode()
    return raw[: found.start(1)] + new + raw[found.end(1) :], A_PLACE


@spoils("bytes", REFUSED, formats=("html",))
def two_numbers_on_two_lines_of_a_page(draw, raw):
    ways = ["{}<br>7", "<p>{}</p><p>7</p>", "{}<div>7</div>", "<del>{}</del>7", "{}<sub>7</sub>"]
    return _in_page(draw, raw, draw(st.sampled_from(ways)))


@spoils("bytes", REFUSED, formats=("html",))
def hidden_digits_of_a_page(draw, raw):
    return _in_page(draw, raw, draw(st.sampled_from(
        ['{}<span style="display: none">7</span>', "<i hidden>7</i>{}"])))  # fmt: skip


@spoils("bytes", EXPLAINED, formats=("html",))
def raised_mark_of_a_page(draw, raw):
    ways = ["{}<sup>1</sup>", "{}<sup><a>[2]</a></sup>", "{}<sup>3)</sup>"]
    return _in_page(draw, raw, draw(st.sampled_from(ways)))


@spoils("bytes", EXPLAINED, formats=("html",))
def hidden_row_of_a_page(draw, raw):
    row = draw(st.sampled_from([m.start() for m in re.finditer(b"<tr>", raw)][6:20]))
    return raw[:row] + b"<tr style='display:none'>" + raw[row + 4 :], A_PLACE


# --- workbooks ----------------------------------------------------------------------------------


def _cell(draw, book, t, when=lambda v: isinstance(v, int | float)):
    rows = book.active.iter_rows(t.head + 2, t.last + 1, t.first + 1)
    return draw(st.sampled_from([cell for row in rows for cell in row if when(cell.value)]))


def _set(cell, value) -> str:
    cell.value = value
    return rf"cell {cell.coordinate}\b"


@spoils("workbook", REFUSED)
def merged_range_moved(draw, book, t):
    row = draw(st.integers(t.head + 1, t.last))
    column = draw(st.integers(1, len(t.header) - 1))
    down, across = draw(st.sampled_from([(0, 1), (1, 0), (1, 1)]))
    book.active.merge_cells(None, row, column, row + down, column + across)


@spoils("workbook", EXPLAINED)
def row_hidden(draw, book, t):
    book.active.row_dimensions[t.row(draw) + 1].hidden = True


@spoils("workbook", EXPLAINED)
def column_hidden(draw, book, t):
    book.active.column_dimensions[column_name(t.column(draw))].hidden = True


@spoils("workbook", EXPLAINED)
def sheet_hidden(draw, book, t):
    book.active.sheet_state = draw(st.sampled_from(["hidden", "veryHidden"]))
    book.active = book.create_sheet("cover", 0)


@spoils("workbook", EXPLAINED)
def sheet_protected(draw, book, t):
    book.active.protection.sheet = True


@spoils("workbook", REFUSED)
def copy_on_another_sheet(draw, book, t):
    other = book.copy_worksheet(book.active)
    other.sheet_state = draw(st.sampled_from(["visible", "hidden"]))
    return "sheets"


@spoils("workbook", REFUSED)
def emptied_sheet(draw, book, t):
    book.active.delete_rows(1, len(t.rows))
    return "is empty"


@spoils("workbook", REFUSED, tables=BY_YEAR)
def year_stored_as_date(draw, book, t):
    column = t.column(draw)
    year = int(t.header[column].removesuffix("年"))
    cell = book.active.cell(t.head + 1, column + 1)
    cell.number_format = "yyyy"
    return _set(cell, datetime(year, draw(st.integers(1, 12)), 1))


@spoils("workbook", REFUSED)
def value_stored_as_date(draw, book, t):
    return _set(_cell(draw, book, t), datetime(2010, draw(st.integers(1, 12)), 5))


@spoils("workbook", REFUSED)
def value_stored_as_truth(draw, book, t):
    return _set(_cell(draw, book, t), draw(st.booleans()))


@spoils("workbook", REFUSED)
def extreme_number_stored(draw, book, t):
    return _set(_cell(draw, book, t), draw(st.sampled_from([1e308, -1e308, 9.9e15])))


@spoils("workbook", REFUSED, tables=PROVINCIAL)
def percent_format(draw, book, t):
    cell = _cell(draw, book, t)
    cell.number_format = draw(st.sampled_from(["0%", "0.00%"]))
    return rf"cell {cell.coordinate}\b"


@spoils("workbook", EXPLAINED, tables=("gdp", "nation"))
def noise_of_a_stored_float(draw, book, t):
    factor = 1 + draw(st.sampled_from([4e-16, -4e-16]))
    cell = _cell(draw, book, t, lambda v: isinstance(v, float) and f"{v * factor:.16g}" != f"{v}")
    return _set(cell, cell.value * factor)


@spoils("workbook", EXPLAINED)
def raised_mark_of_a_workbook(draw, book, t):
    cell = _cell(draw, book, t)
    raised = TextBlock(InlineFont(vertAlign="superscript"), draw(st.sampled_from(["1", "2)"])))
    return _set(cell, CellRichText(str(cell.value), raised))


@spoils("workbook", REFUSED)
def struck_number_of_a_workbook(draw, book, t):
    cell = _cell(draw, book, t)
    return _set(cell, CellRichText(TextBlock(InlineFont(strike=True), "12"), str(cell.value)))


def _formula_in(draw, raw, result: bool, prefix: str = ""):
    """Put a formula before the stored number of a cell, through the XML, or in its place."""
    content = parts(raw)
    sheet = content["xl/worksheets/sheet1.xml"].decode()
    cells = list(re.finditer(r'(<c r="[C-F](?:1\d|2\d)"[^>]*?)( t="n")?><v>([\d.]+)</v>', sheet))
    assume(cells)
    found = draw(st.sampled_from(cells[:20]))
    value = f"<v>{found[3]}</v>" if result else ""
    sheet = sheet[: found.start()] + f"{found[1]}><f>1+1</f>{value}" + sheet[found.end() :]
    if prefix:
        sheet = re.sub(r"<(/?)(?=[a-zA-Z])", rf"<\1{prefix}:", sheet)
        sheet = sheet.replace(" xmlns=", f" xmlns:{prefix}=")
    content["xl/worksheets/sheet1.xml"] = sheet.encode()
    with zipfile.ZipFile(io.BytesIO(raw)) as package:
        rest = {n: package.read(n) for n in package.namelist() if n not in content}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        for name, part in (rest | content).items():
            package.writestr(name, part)
    return buffer.getvalue(), A_PLACE


@spoils("bytes", EXPLAINED, tables=BY_YEAR[:2], formats=("xlsx",))
def formula_with_a_stored_result(draw, raw):
    return _formula_in(draw, raw, True)


@spoils("bytes", REFUSED, tables=BY_YEAR[:2], formats=("xlsx",))
def formula_without_a_stored_result(draw, raw):
    return _formula_in(draw, raw, False, draw(st.sampled_from(["", "x"])))
