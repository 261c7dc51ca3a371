"""Tables as Word documents: a real three-line table with caption and notes."""

import io
from collections.abc import Sequence

from docx import Document
from docx.enum.section import WD_ORIENT, WD_SECTION
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt

from tandem.report.table_archive import fixed_archive
from tandem.report.table_model import Cell, Table

LATIN, EAST_ASIAN = "Times New Roman", "SimSun"
WIDE = 7  # columns beyond which the page is turned
THICK, THIN = 12, 6  # eighths of a point
MARGIN = 2.0  # cm
BODY, NOTE = 9, 8  # points
LABEL = 30  # characters; a longer label runs over several lines
PADDING = 4  # characters that the margins of a cell take


def to_docx(table: Table) -> bytes:
    """A document with one table; landscape when it has more than seven columns."""
    document = _document(table.title)
    _page(document.sections[0], _is_wide(table))
    _add(document, table, table.titles)
    return _bytes(document)


def all_to_docx(tables: Sequence[Table]) -> bytes:
    """A document with every table, numbered; a new page where the paper has to be turned."""
    document = _document("Tables")
    section, wide = document.sections[0], None
    for number, table in enumerate(tables, start=1):
        if wide is not None and wide != _is_wide(table):
            section = document.add_section(WD_SECTION.NEW_PAGE)
        elif wide is not None:
            document.add_paragraph()
        wide = _is_wide(table)
        _page(section, wide)
        (lang, title), *others = table.titles
        _add(document, table, [(lang, f"Table {number}. {title}"), *others])
    return _bytes(document)


def _is_wide(table: Table) -> bool:
    return len(table.columns) > WIDE


def _document(title: str):
    document = Document()
    _fonts(document)
    document.core_properties.title = title
    document.core_properties.author = document.core_properties.comments = ""
    return document


def _bytes(document) -> bytes:
    out = io.BytesIO()
    document.save(out)
    return fixed_archive(out.getvalue())


def _add(document, table: Table, titles: list[tuple[str, str]]) -> None:
    """Titles, the three-line table and its notes, at the end of the document."""
    for _, title in titles:
        paragraph = document.add_paragraph()
        paragraph.paragraph_format.keep_with_next = True
        _say(paragraph, title, bold=True, centred=True)
    header = table.header
    grid = document.add_table(len(header) + len(table.rows), len(table.columns))
    grid.alignment = WD_TABLE_ALIGNMENT.CENTER
    _widths(document.sections[-1], grid, table)
    for i, line in enumerate(header):
        _header_line(grid, i, line, table)
    for row, line in zip(table.rows, list(grid.rows)[len(header) :], strict=True):
        for j, (cell, target) in enumerate(zip(row, line.cells, strict=True)):
            _body_cell(target, cell, is_text=j < table.n_labels)
    _rule(grid, 0, "top", THICK)
    _rule(grid, len(header) - 1, "bottom", THIN)
    if table.n_terms:
        _rule(grid, len(header) + table.n_terms - 1, "bottom", THIN)
    _rule(grid, -1, "bottom", THICK)
    for i, note in enumerate(table.notes):
        paragraph = document.add_paragraph()
        if i == 0:
            paragraph.paragraph_format.space_before = Pt(3)
        _say(paragraph, note, size=NOTE)


def _fonts(document) -> None:
    style = document.styles["Normal"]
    style.font.name, style.font.size = LATIN, Pt(BODY)
    style.element.rPr.rFonts.set(qn("w:eastAsia"), EAST_ASIAN)
    style.paragraph_format.line_spacing = 1.0
    style.paragraph_format.space_after = Pt(1)
    style.paragraph_format.space_before = Pt(1)


def _page(section, landscape: bool) -> None:
    section.orientation = WD_ORIENT.LANDSCAPE if landscape else WD_ORIENT.PORTRAIT
    sides = Cm(29.7), Cm(21)
    section.page_width, section.page_height = sides if landscape else sides[::-1]
    section.left_margin = section.right_margin = Cm(MARGIN)
    section.top_margin = section.bottom_margin = Cm(MARGIN)


def _widths(section, grid, table: Table) -> None:
    """Share the page by the longest text of each column, or so that no column breaks a word."""
    page = section.page_width - section.left_margin - section.right_margin
    needs, wants = [], []
    for j, header in enumerate(table.columns):
        texts = (header, *(row[j].shown for row in table.rows))
        longest = max(len(word) for text in texts for word in [*text.split(), ""])
        needs.append(min(longest, LABEL) + PADDING)
        wants.append(max(min(max(map(len, texts)), LABEL) + PADDING, needs[-1]))
    room = page / Pt(BODY / 2)  # a sign is half as wide as it is high
    if sum(wants) > room > sum(needs):
        given = (room - sum(needs)) / (sum(wants) - sum(needs))
        wants = [need + given * (want - need) for need, want in zip(needs, wants, strict=True)]
    grid.autofit = False
    widths = [int(page * want / sum(wants)) for want in wants]
    for column, width in zip(grid.columns, widths, strict=True):
        column.width = width
    for row in grid.rows:
        row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
        for cell, width in zip(row.cells, widths, strict=True):
            cell.width = width


def _header_line(grid, i: int, line: list[tuple[str, int]], table: Table) -> None:
    start = 0
    for text, width in line:
        cell = grid.cell(i, start)
        if width > 1:
            cell = cell.merge(grid.cell(i, start + width - 1))
        _say(cell.paragraphs[0], text, centred=table.aligns_right(start))
        if width > 1 and text:
            _group_rule(cell.paragraphs[0])
        start += width
    properties = grid.rows[i]._tr.get_or_add_trPr()
    properties.append(OxmlElement("w:tblHeader"))  # repeated on every page of a long table


def _body_cell(target, cell: Cell, is_text: bool) -> None:
    paragraph = target.paragraphs[0]
    text = cell.text if is_text else cell.typeset
    _say(paragraph, text, centred=not is_text and cell.kind != "label")
    if cell.stars:
        paragraph.add_run(cell.stars).font.superscript = True


def _say(paragraph, text: str, bold: bool = False, size: float = BODY, centred: bool = False):
    run = paragraph.add_run(text)
    run.font.size, run.bold = Pt(size), bold
    if centred:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER


def _rule(grid, row: int, side: str, weight: int) -> None:
    for element in grid.rows[row]._tr.tc_lst:
        properties = element.get_or_add_tcPr()
        borders = properties.find(qn("w:tcBorders"))
        if borders is None:
            borders = OxmlElement("w:tcBorders")
            properties.append(borders)
        borders.append(_border(side, weight))


def _group_rule(paragraph) -> None:
    """A rule below a group's header; a paragraph's border leaves a gap between two groups."""
    borders = OxmlElement("w:pBdr")
    borders.append(_border("bottom", THIN))
    paragraph._p.get_or_add_pPr().insert_element_before(
        borders, "w:shd", "w:tabs", "w:spacing", "w:ind", "w:jc", "w:rPr"
    )


def _border(side: str, weight: int):
    """One border; python-docx has no interface for it."""
    border = OxmlElement(f"w:{side}")
    for name, value in (
        ("val", "single"),
        ("sz", str(weight)),
        ("space", "0"),
        ("color", "auto"),
    ):
        border.set(qn(f"w:{name}"), value)
    return border
