"""Tables as .csv, .md and .html."""

import csv
import io
import re
from html import escape

from tandem.files import inert
from tandem.report.table_model import Cell, Table

MARKDOWN = re.compile(r"([\\`*_{}\[\]<>|$~#&])")


def to_csv(table: Table) -> str:
    """The table as printed, one header line; title and notes stand in the other formats."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(inert(text) for text in table.flat_header)
    for row in table.rows:
        writer.writerow(inert(cell.shown) for cell in row)
    return out.getvalue()


def to_md(table: Table) -> str:
    """A pipe table with its title above and its notes below."""
    columns = range(len(table.columns))
    aligned = ["---:" if table.aligns_right(j) else ":---" for j in columns]
    lines = [[_md(text) for text in table.flat_header], aligned]
    lines += [[_md(cell.shown) for cell in row] for row in table.rows]
    titles = [f"**{_md(title)}**" for _, title in table.titles]
    pipes = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    return "\n\n".join([*titles, pipes, *(_md(note) for note in table.notes)]) + "\n"


def to_html(table: Table) -> str:
    """A fragment for the report's style sheet: caption, thead, tbody and notes in tfoot."""
    titles = [f'<span lang="{lang}">{escape(title)}</span>' for lang, title in table.titles]
    lines = [
        f'<table class="{table.kind}" id="table-{table.name}">',
        f"<caption>{'<br>'.join(titles)}</caption>",
        "<thead>",
        *(_html_header(table, line) for line in table.header),
        "</thead>",
        *_html_body(table),
    ]
    if table.notes:
        span = len(table.columns)
        notes = [f'<tr><td colspan="{span}">{escape(note)}</td></tr>' for note in table.notes]
        lines += ["<tfoot>", *notes, "</tfoot>"]
    return "\n".join([*lines, "</table>"]) + "\n"


def _md(text: str) -> str:
    return MARKDOWN.sub(r"\\\1", text)


def _html_header(table: Table, line: list[tuple[str, int]]) -> str:
    cells, column = [], 0
    for text, width in line:
        scope = 'scope="col"' if width == 1 else f'scope="colgroup" colspan="{width}"'
        words = "" if table.has_numbers(column) else ' class="label"'
        cells.append(
            f"<th {scope}{words}>{escape(text)}</th>" if text else f"<td{_colspan(width)}></td>"
        )
        column += width
    return f"<tr>{''.join(cells)}</tr>"


def _colspan(width: int) -> str:
    return f' colspan="{width}"' if width > 1 else ""


def _html_body(table: Table) -> list[str]:
    """One tbody for the coefficients and one for the statistics."""
    parts = [table.rows[: table.n_terms], table.rows[table.n_terms :]]
    lines = []
    for rows in filter(None, parts):
        body = [f"<tr>{''.join(_html_row(table, row))}</tr>" for row in rows]
        lines += ["<tbody>", *body, "</tbody>"]
    return lines


def _html_row(table: Table, row: tuple[Cell, ...]) -> list[str]:
    labels = [f'<th scope="row">{escape(cell.text)}</th>' for cell in row[: table.n_labels]]
    if row[-1].kind == "bracket":
        labels = ["<td></td>"]
    return labels + [_html_cell(cell) for cell in row[table.n_labels :]]


def _html_cell(cell: Cell) -> str:
    title = f' title="{escape(cell.hover)}"' if cell.hover else ""
    stars = f"<sup>{cell.stars}</sup>" if cell.stars else ""
    return f'<td class="{cell.kind}"{title}>{escape(cell.typeset)}{stars}</td>'
