"""A raw file of any format -> its sheets, cell by cell as text."""

import codecs
import csv
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import IO
from xml.parsers import expat

import python_calamine
from lxml import etree, html

from tandem.errors import TandemError
from tandem.sources.text import cell_name, column_name
from tandem.sources.xls_records import XlsFacts, is_encrypted_package, read_xls_facts

# Bounds beyond which a file is refused, so that a broken or hostile one cannot fill the memory.
MAX_FILE = 100 * 10**6  # bytes
MAX_UNPACKED = 500 * 10**6  # bytes of a workbook's parts
MAX_CELLS = 2 * 10**6  # of a workbook, and of a sheet with the blank ones within its rectangle
MAX_OTHER = 10**6  # formats, links, runs of text and whatever else a workbook has
MAX_SHARED = 10**7  # characters of shared formulas, written out
LAST_ROW, LAST_COLUMN = 2**20, 2**14  # of any .xlsx sheet
MAX_LINE = 10**6  # characters of a line of text

_KINDS = {
    ".xlsx": "xlsx", ".xls": "xls", ".html": "html", ".htm": "html",
    ".csv": "text", ".tsv": "text", ".txt": "text",
}  # fmt: skip
_BROKEN = (
    zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError,
    ValueError, IndexError, struct.error,
)  # fmt: skip  # what reading a spoilt archive raises
_APART = {"br", "p", "div", "li", "del", "s", "strike", "ins", "sub"}  # tags within a cell
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_OLE, _ZIP = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"PK"
# elements as expat names them; those that hold cells may be as many as the cells
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_CELL_PARTS = [_MAIN + tag for tag in ("row", "c", "v", "f", "is", "si", "t", "r", "phoneticPr")]
_SPREAD = {
    _MAIN + tag for tag in ("mergeCell", "hyperlink", "comment")
}  # openpyxl makes their cells
_FORMULA, _SHARED, _OTHER = f"{_MAIN}f", "shared", "other"


@dataclass(frozen=True)
class Sheet:
    """Cells of one sheet as text, all rows equally long but in text files.

    `merged` holds ranges (first row, first column, last row, last column), counted from 0;
    `notes` what was changed while reading: (cell, raw, rule, value), cell "" for the whole sheet.
    """

    name: str
    rows: list[list[str]]
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    notes: list[tuple[str, str, str, str]] = field(default_factory=list)

    @cached_property
    def covered(self) -> dict[tuple[int, int], tuple[int, int, int, int]]:
        """Merged range of each cell that lies in one."""
        return {
            (row, column): (top, left, bottom, right)
            for top, left, bottom, right in self.merged
            for row in range(top, bottom + 1)
            for column in range(left, right + 1)
        }


def read_sheets(path: Path, file: str) -> list[Sheet]:
    """Sheets of an .xlsx, .xls, .html, .csv or tab-separated file, told apart by their content.

    Text is UTF-8, with or without byte-order mark, or GB18030. Numbers become the shortest text
    that gives the stored number to 15 digits; dates become 2010-01-31; formula errors stay as
    #REF! and formulas without a stored result stay as formulas, so that no rule explains them.

    Raises
    ------
    TandemError
        If the file is absent, empty, cut off, encrypted, too large or in another format.
    """
    if not path.is_file():
        raise TandemError(
            f"{file} is named in sources.csv but does not exist; put it back, or delete its line."
        )
    size = path.stat().st_size
    if size > MAX_FILE:
        raise TandemError(
            f"{file} has {size / 10**6:.0f} MB, more than the {MAX_FILE // 10**6} MB that a table "
            "may have; cut the table out of it."
        )
    raw = path.read_bytes()
    if not raw.removeprefix(codecs.BOM_UTF8).strip():
        raise TandemError(f"{file} is empty; download it again.")
    if raw.startswith(_ZIP):
        kind, sheets = "xlsx", _read_xlsx(raw, file)
    elif raw.startswith(_OLE):
        kind, sheets = "xls", _read_xls(raw, file)
    else:
        text, encoding = _decode(raw, file)
        page = re.search(r"(?i)<(?:table|html)\b", text)
        kind, sheets = (
            ("html", _read_html(text, file)) if page else ("text", _read_text(text, file))
        )
        if encoding != "UTF-8":
            sheets[0].notes.append(("", "", f"encoding: {encoding}", ""))
    suffix = path.suffix.lower()
    if _KINDS.get(suffix) != kind:
        sheets[0].notes.append(("", "", f"format: {kind} in a file named {suffix}", ""))
    return sheets


# --- text ---------------------------------------------------------------------------------------


def _decode(raw: bytes, file: str) -> tuple[str, str]:
    for encoding, name in (("utf-8-sig", "UTF-8"), ("gb18030", "GB18030")):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            raise TandemError(
                f"{file} line {text.count(chr(10), 0, text.index(chr(0))) + 1} has a NUL byte, so "
                "the file is damaged or neither UTF-8 nor GB18030 text; download it again, or save "
                "it as CSV in UTF-8."
            )
        with_mark = name == "UTF-8" and raw.startswith(codecs.BOM_UTF8)
        return text, "UTF-8 with byte-order mark" if with_mark else name
    raise TandemError(f"{file} is neither UTF-8 nor GB18030 text; save it as CSV in UTF-8.")


def _read_text(text: str, file: str) -> list[Sheet]:
    lines = text.splitlines()
    for number, line in enumerate(lines, start=1):
        if len(line) > MAX_LINE:
            raise TandemError(
                f"{file} line {number} has {len(line):,} characters, so its line ends are lost; "
                "download it again."
            )
    tabs = sum("\t" in line for line in lines)
    tabbed = 2 * tabs > sum("\t" in line or "," in line for line in lines)
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter="\t" if tabbed else ",", strict=True
    )
    rows = []
    try:
        for row in reader:
            rows.append(row)
    except csv.Error as err:
        raise TandemError(
            f"{file} line {reader.line_num} is not a line of a table ({err}); look for a quotation "
            "mark that is not closed, or download the file again."
        ) from err
    _check_size(len(rows), max(map(len, rows), default=0), f"{file}")
    notes = []
    if rows and rows[-1] and not text.endswith(("\n", "\r")):
        cell, last = cell_name(len(rows) - 1, len(rows[-1]) - 1), rows[-1][-1]
        notes.append((cell, last, "no line end after the last cell: it may be cut off", last))
    return [Sheet("", rows, notes=notes)]


def _check_size(rows: int, columns: int, where: str) -> None:
    if rows * columns > MAX_CELLS:
        raise TandemError(
            f"{where} spans {rows:,} rows and {columns:,} columns, more than {MAX_CELLS:,} cells; "
            "cut the table out of it, or delete the empty rows and columns that it formats."
        )


# --- workbooks ----------------------------------------------------------------------------------


def _read_xlsx(raw: bytes, file: str) -> list[Sheet]:
    """Through openpyxl: calamine turns formula errors into blanks and hides number formats."""
    import openpyxl  # here, since most tables are text and need not wait for it

    has_formulas = _check_package(raw, file)
    try:
        # stored results, and, where there are formulas, a second look at those without a result
        book = openpyxl.load_workbook(io.BytesIO(raw), data_only=True, rich_text=True)
        formulas = openpyxl.load_workbook(io.BytesIO(raw)) if has_formulas else None
    except Exception as err:  # openpyxl raises whatever its parsers raise
        raise TandemError(
            f"{file} cannot be opened as a workbook ({type(err).__name__}: {err}); download it "
            "again, or open it in a spreadsheet program and save it as .xlsx."
        ) from err
    sheets = []
    for sheet in book.worksheets:
        _check_size(sheet.max_row, sheet.max_column, f"{file} sheet {sheet.title}")
        notes = _hidden_parts(sheet)
        if sheet.protection.sheet:
            notes.append(("", "", "sheet protected against changes: read as it stands", ""))
        rows = []
        for cells in sheet.iter_rows():
            rows.append([_text_of(c, notes) if c.value is not None else "" for c in cells])
        if formulas:
            for cells in formulas[sheet.title].iter_rows():
                for cell in cells:
                    if cell.data_type != "f":
                        continue
                    stored = rows[cell.row - 1][cell.column - 1]
                    if stored:
                        rule = "formula: its stored result is read"
                        notes.append((cell.coordinate, str(cell.value), rule, stored))
                    else:
                        rows[cell.row - 1][cell.column - 1] = str(cell.value)
        merged = [
            (r.min_row - 1, r.min_col - 1, r.max_row - 1, r.max_col - 1)
            for r in sheet.merged_cells.ranges
        ]
        sheets.append(Sheet(sheet.title, rows, sorted(merged), notes))
    if not sheets:
        raise TandemError(f"{file} has no sheet of cells; download it again.")
    return sheets


def _hidden_parts(sheet) -> list[tuple]:
    """Notes of what a spreadsheet program does not show."""
    rule = "hidden: read as it stands"
    notes = [("", "sheet", rule, "")] if sheet.sheet_state != "visible" else []
    rows = [row for row, shape in sheet.row_dimensions.items() if shape.hidden]
    notes += [("", f"row {row}", rule, "") for row in sorted(rows) if row <= sheet.max_row]
    spans = {(c.min, c.max) for c in sheet.column_dimensions.values() if c.hidden and c.min}
    hidden = {n for low, high in spans for n in range(low, min(high, sheet.max_column) + 1)}
    return notes + [("", f"column {column_name(n - 1)}", rule, "") for n in sorted(hidden)]


def _text_of(cell, notes: list) -> str:
    value = cell.value
    if isinstance(value, list):  # rich text: its runs
        return "".join(map(_run_text, value))
    percent = isinstance(value, int | float) and "%" in re.sub('"[^"]*"', "", cell.number_format)
    return _value_text(value, percent, cell.row - 1, cell.column - 1, notes)


def _run_text(run) -> str:
    """Text of a run of one format; raised digits are a footnote mark, not digits of a number."""
    font = getattr(run, "font", None)
    if font is not None and font.vertAlign == "superscript":
        return _raised(str(run))
    return f" {run} " if font is not None and font.strike else str(run)


def _raised(text: str) -> str:
    digits = re.fullmatch(r"\s*[(\[]?(\d{1,2})[)\]]?\s*", text)
    return f"[{digits[1]}]" if digits else text


def _check_package(raw: bytes, file: str) -> bool:
    """Refuse a damaged, foreign or inflated package; says whether there are formulas in it."""
    try:
        package = zipfile.ZipFile(io.BytesIO(raw))
        unpacked = sum(part.file_size for part in package.infolist())
        if unpacked > MAX_UNPACKED:
            raise TandemError(
                f"{file} unpacks to {unpacked / 10**6:.0f} MB, more than the "
                f"{MAX_UNPACKED // 10**6} MB that a workbook may have; it is not read."
            )
        if "xl/workbook.xml" not in package.namelist():
            raise TandemError(
                f"{file} is an archive but no .xlsx workbook; open it and save the table as .xlsx "
                "or CSV."
            )
        room = dict.fromkeys(_CELL_PARTS, MAX_CELLS) | {_OTHER: MAX_OTHER, _SHARED: MAX_SHARED}
        merged: list[tuple[int, int, int, int]] = []
        for part in package.namelist():  # any part can be a sheet, whatever its name
            with package.open(part) as content:
                _check_part(content, room, merged, f"{file} ({part})")
        _check_merged(merged, file)
        return room[_FORMULA] < MAX_CELLS
    except TandemError:
        raise
    except _BROKEN as err:
        raise TandemError(f"{file} is damaged or cut off ({err}); download it again.") from err


def _check_part(content: IO[bytes], room: dict[str, int], merged: list, where: str) -> None:
    """Take a part's elements off the room that is left, with the parser that openpyxl has."""
    from openpyxl.utils import range_boundaries

    length = longest = 0  # characters of the present and the longest shared formula

    def take(kind: str, number: int) -> None:
        room[kind] -= number
        if room[kind] < 0:
            raise TandemError(
                f"{where} holds more cells, rows, formats or formulas than a workbook may have "
                f"({MAX_CELLS:,} cells); cut the table out of it, or delete the empty rows and "
                "columns that it formats."
            )

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal length
        take(tag if tag in room else _OTHER, 1)
        shared = tag == _FORMULA and attributes.get("t") == "shared"
        parser.CharacterDataHandler = formula if shared else None
        if shared:  # openpyxl writes it out for every cell that has it
            length = 0
            take(_SHARED, longest)
        if tag in _SPREAD:
            left, top, right, bottom = range_boundaries(attributes.get("ref", ""))
            # whole rows or columns, as in A:B, name no end
            merged.append((top or 1, left or 1, bottom or LAST_ROW, right or LAST_COLUMN))

    def formula(text: str) -> None:
        nonlocal length, longest
        length += len(text)
        longest = max(longest, length)
        take(_SHARED, len(text))

    parser = expat.ParserCreate(namespace_separator="}")
    parser.StartElementHandler = start
    try:
        parser.ParseFile(content)
    except expat.ExpatError as err:
        if content.name.endswith((".xml", ".rels")):  # else a picture, a macro, old drawings
            raise TandemError(f"{where} is damaged ({err}); download it again.") from err


def _check_merged(merged: list[tuple[int, int, int, int]], where: str) -> None:
    """Merged or linked ranges are laid out cell by cell: together they must fit in a sheet."""
    covered = sum(
        max(bottom - top + 1, 0) * max(right - left + 1, 0) for top, left, bottom, right in merged
    )
    if covered > MAX_CELLS:
        raise TandemError(
            f"{where} merges or links {covered:,} cells, more than {MAX_CELLS:,}; undo it "
            "for empty rows and columns."
        )


def _read_xls(raw: bytes, file: str) -> list[Sheet]:
    if is_encrypted_package(raw):
        raise TandemError(
            f"{file} is encrypted: it opens with a password only; save it without one."
        )
    try:
        facts = read_xls_facts(raw)
        for name, fact in facts.items():
            _check_size(fact.rows, fact.columns, f"{file} sheet {name}")
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(raw))
        return [
            _xls_sheet(book.get_sheet_by_name(name), facts.get(name, XlsFacts()), file)
            for name in book.sheet_names
        ]
    except python_calamine.PasswordError as err:
        raise TandemError(
            f"{file} is encrypted: it opens with a password only; save it without one."
        ) from err
    except BaseException as err:  # on some damage calamine panics, which is no Exception
        if isinstance(err, TandemError | KeyboardInterrupt | SystemExit):
            raise
        raise TandemError(
            f"{file} cannot be opened as an .xls workbook ({err}); it is damaged or cut off: "
            "download it again, or save it as .xlsx."
        ) from err


def _xls_sheet(sheet, facts: XlsFacts, file: str) -> Sheet:
    """Through calamine, which turns formula errors into blanks: these come from `facts`."""
    notes: list = []
    rows = [
        [
            _value_text(value, (row, column) in facts.percents, row, column, notes)
            for column, value in enumerate(cells)
        ]
        for row, cells in enumerate(sheet.to_python(skip_empty_area=False))
    ]
    for (row, column), error in facts.errors.items():
        rows += [[] for _ in range(row + 1 - len(rows))]
        rows[row] += [""] * (column + 1 - len(rows[row]))
        rows[row][column] = error
    merged = [(*first, *last) for first, last in sheet.merged_cell_ranges or []]
    _check_merged(merged, f"{file} sheet {sheet.name}")
    return Sheet(sheet.name, rows, sorted(merged), notes)


def _value_text(value, percent: bool, row: int, column: int, notes: list) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == datetime.min.time() else str(value)
    if isinstance(value, date):
        return value.isoformat()
    if not isinstance(value, int | float):
        return str(value)
    number = Decimal(f"{value:.15g}") if isinstance(value, float) else Decimal(value)
    text = f"{number:f}"
    if isinstance(value, float) and float(text) != value:
        notes.append((cell_name(row, column), repr(value), "rounded to 15 digits", text))
    if percent:
        shown = f"{(number * 100).normalize():f}%"
        notes.append((cell_name(row, column), text, "number format: percent", shown))
        return shown
    return text


# --- web pages ----------------------------------------------------------------------------------


def _read_html(text: str, file: str) -> list[Sheet]:
    """One sheet for each table that holds no other, named by its number."""
    if len(re.findall(r"(?i)<table\b", text)) > len(re.findall(r"(?i)</table\s*>", text)):
        raise TandemError(f"{file} ends before its table does; download the page again.")
    try:
        page = html.document_fromstring(re.sub(r"^\s*<\?xml[^>]*>", "", text))
    except (etree.ParserError, etree.XMLSyntaxError, ValueError) as err:
        raise TandemError(f"{file} is not a web page that can be read ({err}).") from err
    # strings of a single cell or line lay out the page; a table has more
    tables = [t for t in page.iter("table") if t.find(".//table") is None]
    tables = [t for t in tables if len(t.findall(".//tr")) > 1 and len(_cells(t.iter("tr"))) > 3]
    if not tables:
        raise TandemError(
            f"{file} is a web page without a table; check that the page was saved whole."
        )
    return [_html_sheet(table, str(n), file) for n, table in enumerate(tables, start=1)]


def _cells(lines: Iterable) -> list:
    return [cell for line in lines for cell in line.iterchildren("td", "th")]


def _html_sheet(table, name: str, file: str) -> Sheet:
    """Lay the cells on a grid; a cell with spans fills its first place and is a merged range."""
    rows: list[dict[int, str]] = []
    merged, notes = [], []
    for index, line in enumerate(table.iter("tr")):
        if any(map(_is_hidden, [line, *line.iterchildren("td", "th")])):
            notes.append(("", f"row {index + 1}", "hidden: read as it stands", ""))
        rows += [{} for _ in range(index + 1 - len(rows))]
        column = 0
        for cell in line.iterchildren("td", "th"):
            while column in rows[index]:
                column += 1
            down, across = (_span(cell, key) for key in ("rowspan", "colspan"))
            _check_size(index + down, column + across, f"{file} table {name}")
            rows += [{} for _ in range(index + down - len(rows))]
            for r in range(index, index + down):
                rows[r] |= dict.fromkeys(range(column, column + across), "")
            _keep_apart(cell)
            rows[index][column] = " ".join(cell.text_content().replace("\xa0", " ").split())
            if down > 1 or across > 1:
                merged.append((index, column, index + down - 1, column + across - 1))
            column += across
    width = max((max(row, default=-1) + 1 for row in rows), default=0)
    return Sheet(name, [[row.get(c, "") for c in range(width)] for row in rows], merged, notes)


def _keep_apart(cell) -> None:
    """Numbers that the page shows on two lines, struck out, raised or hidden must not run together.

    Raised digits become a footnote mark; around the rest goes a space, which no number has.
    """
    for part in list(cell.iterdescendants()):
        if part.tag in ("script", "style"):
            part.drop_tree()
        elif part.tag == "sup":
            mark = _raised(part.text_content())
            for child in list(part):
                part.remove(child)
            part.text = _settable(mark)
        elif part.tag in _APART or _is_hidden(part):
            part.text = _settable(f" {part.text or ''}")
            part.tail = _settable(f" {part.tail or ''}")


def _settable(text: str) -> str:
    """Text with marks for control characters, which lxml reads and does not write."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def _is_hidden(part) -> bool:
    style = "".join((part.get("style") or "").lower().split())
    return part.get("hidden") is not None or "display:none" in style


def _span(cell, key: str) -> int:
    text = (cell.get(key) or "1").strip()
    return max(int(text), 1) if text.isascii() and text.isdigit() else 1
