"""Tables as Excel workbooks: numbers stay numbers, brackets and stars are number formats."""

import io
import math
import re
import unicodedata

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.utils import get_column_letter

from tandem.report.table_archive import fixed_archive
from tandem.report.table_model import Cell, Table

LATIN, CHINESE = "Times New Roman", "SimSun"
THICK, THIN = Side("medium"), Side("thin")
LEFT, CENTRE = Alignment("left", wrap_text=True), Alignment("center", wrap_text=True)
RIGHT = Alignment("right")
WORDS = Alignment("left", indent=1, wrap_text=True)  # off the number to their left
WIDE = 7  # columns beyond which the page is turned
SHEET_NAME = 31  # characters Excel allows


def to_xlsx(table: Table) -> bytes:
    """A workbook with one sheet: titles, three-line table, notes."""
    workbook = Workbook()
    workbook.properties.title, workbook.properties.creator = table.title, ""
    sheet = workbook.active
    sheet.title = table.name[:SHEET_NAME]
    width = len(table.columns)
    _widths(sheet, table)
    line = 1
    for lang, title in table.titles:
        font = Font(name=CHINESE if lang == "zh" else LATIN, size=11, bold=True)
        _across(sheet, line, width, title, font, CENTRE)
        line += 1
    top = line
    for spans in table.header:
        _header_line(sheet, line, spans, table)
        line += 1
    body = line
    cells = [cell for row in table.rows for cell in row]
    room = max((max(len(cell.stars), cell.kind == "bracket") for cell in cells), default=0)
    for row in table.rows:
        for j, cell in enumerate(row, start=1):
            _body_cell(sheet.cell(line, j), cell, room, is_text=j <= table.n_labels)
        line += 1
    _rule(sheet, top, width, top=THICK)
    _rule(sheet, body - 1, width, bottom=THIN)
    if table.n_terms:
        _rule(sheet, body + table.n_terms - 1, width, bottom=THIN)
    _rule(sheet, line - 1, width, bottom=THICK)
    for note in table.notes:
        font = Font(name=LATIN, size=9)
        _across(sheet, line, width, note, font, Alignment("left", "top", wrap_text=True))
        line += 1
    _page(sheet, body, landscape=width > WIDE)
    out = io.BytesIO()
    workbook.save(out)
    return fixed_archive(out.getvalue())


def _across(sheet, line: int, width: int, text: str, font: Font, alignment: Alignment) -> None:
    """Text over the whole width, on as many lines as it needs (Excel does not fit merged cells)."""
    cell = _text(sheet.cell(line, 1), text)
    cell.font, cell.alignment = font, alignment
    sheet.merge_cells(start_row=line, end_row=line, start_column=1, end_column=width)
    columns = [sheet.column_dimensions[get_column_letter(j)].width for j in range(1, width + 1)]
    # Widths count digits of 11 points; running text is about a seventh narrower.
    room = sum(columns) * 11 / font.size * 8 / 7
    lines = math.ceil(_cells_wide(text) / room)
    sheet.row_dimensions[line].height = 1.5 * font.size * lines


def _text(cell, text: str):
    """Text that Excel keeps as text even if it starts like a formula, also when edited."""
    cell.value = text
    cell.data_type = "s"
    cell.quotePrefix = text.startswith(("=", "+", "-", "@"))
    return cell


def _header_line(sheet, line: int, spans: list[tuple[str, int]], table: Table) -> None:
    start = 1
    for text, width in spans:
        cell = _text(sheet.cell(line, start), text)
        cell.font = Font(name=LATIN, size=11)
        number_side = CENTRE if table.kind == "regression" else RIGHT
        words_side = LEFT if start <= table.n_labels else WORDS
        cell.alignment = number_side if table.aligns_right(start - 1) else words_side
        if width > 1:
            _rule(sheet, line, start + width - 1, first=start, bottom=THIN)
            sheet.merge_cells(
                start_row=line,
                end_row=line,
                start_column=start,
                end_column=start + width - 1,
            )
        start += width


def _body_cell(target, cell: Cell, room: int, is_text: bool) -> None:
    if cell.value is None:
        _text(target, cell.text)
        target.number_format = "@" + "_*" * room if cell.kind != "label" else "General"
    else:
        target.value = cell.value
        target.number_format = _number_format(cell, room)
    target.font = Font(name=LATIN, size=11)
    side = WORDS if cell.kind == "label" else RIGHT
    target.alignment = LEFT if is_text else side


def _number_format(cell: Cell, room: int) -> str:
    """Excel's format of a cell: 0.000"**" for an estimate, "("0.000")" for what is in brackets.

    ``_*`` leaves the width of an asterisk (or bracket): decimal points stand below each other.
    """
    decimals = int(re.search(r"\.(\d+)", cell.spec)[1])
    number = ("#,##0" if "," in cell.spec else "0") + ("." + "0" * decimals if decimals else "")
    number += "%" if "%" in cell.spec else ""
    if cell.kind == "bracket":
        pad = "_*" * (room - 1)
        return f'"("{number}")"{pad};"("-{number}")"{pad}'
    starred = f'"{cell.stars}"' if cell.stars else ""
    return number + starred + "_*" * (room - len(cell.stars))


def _rule(sheet, line: int, last: int, first: int = 1, **sides: Side) -> None:
    for j in range(first, last + 1):
        cell = sheet.cell(line, j)
        old = cell.border
        cell.border = Border(**{"top": old.top, "bottom": old.bottom, **sides})


def _widths(sheet, table: Table) -> None:
    for j, header in enumerate(table.columns):
        widest = max(_cells_wide(text) for text in (header, *(row[j].shown for row in table.rows)))
        sheet.column_dimensions[get_column_letter(j + 1)].width = min(max(widest + 2, 9), 40)


def _cells_wide(text: str) -> int:
    """Width in Latin characters: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def _page(sheet, body: int, landscape: bool) -> None:
    sheet.sheet_view.showGridLines = False
    sheet.page_setup.orientation = "landscape" if landscape else "portrait"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_title_rows = f"1:{body - 1}"
