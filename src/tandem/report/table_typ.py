"""Tables as Typst: a figure with a three-line table, to be brought in by ``#include``."""

import re

from tandem.report.table_model import Cell, Table

THICK, THIN = "0.08em", "0.05em"
BREAKABLE = re.compile(r"(?<=[_/|=])(?=\w)")  # where a long name may go on in the next line
NUMBER = re.compile(r"\(?(?P<whole>\N{MINUS SIGN}?\d+)(?P<rest>(\.\d+)?)(?P<close>\)?)")


def to_typ(table: Table) -> str:
    """A labelled figure, ``<tab-name>``: caption above, notes below, header repeated on each page.

    Every text is a string of Typst, so that nothing in it is read as markup.
    """
    columns = range(len(table.columns))
    sides = ", ".join(_side(table, j) for j in columns)
    body = [_row(table, i) for i in range(len(table.rows))]
    if table.n_terms:
        body.insert(table.n_terms, f"table.hline(stroke: {THIN})")
    lines = [
        "// Typst 0.12 or newer. A long table breaks over pages where the document says",
        "// #show figure.where(kind: table): set block(breakable: true)",
        "#figure(",
        "  kind: table,",
        f"  caption: figure.caption(position: top, {_caption(table)}),",
        "  {",
        "    table(",
        f"      columns: {len(table.columns)}, align: ({sides}),",
        "      stroke: none, inset: (x: 0.45em, y: 0.28em),",
        *(f"      {line}{'' if line.endswith('header(') else ','}" for line in _header(table)),
        *(f"      {line}," for line in body),
        f"      table.hline(stroke: {THICK}),",
        "    )",
        "    set align(left)",
        "    set par(spacing: 0.5em)",
        *(f"    par(text(size: 0.9em, {typ(note)}))" for note in table.notes),
        "  },",
        f") <tab-{table.name}>",
    ]
    return "\n".join(lines) + "\n"


def typ(text: str) -> str:
    """Any text as a string of Typst; long names get places to break."""
    text = BREAKABLE.sub("\N{ZERO WIDTH SPACE}", text)
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _caption(table: Table) -> str:
    titles = [f'text(lang: "{lang}", {typ(title)})' for lang, title in table.titles]
    return " + linebreak() + ".join(titles)


def _side(table: Table, j: int) -> str:
    if not table.aligns_right(j):
        return "left"
    return "center" if table.kind == "regression" else "right"


def _header(table: Table) -> list[str]:
    """Header lines between the first and the second rule; groups have a rule of their own."""
    lines = [f"table.hline(stroke: {THICK})", "table.header("]
    for spans in table.header:
        cells, rules, start = [], [], 0
        for text, width in spans:
            wide = width > 1
            side = f"center, colspan: {width}" if wide else f"{_side(table, start)} + bottom"
            cells.append(f"table.cell(align: {side}, {typ(text)})")
            if wide and text:
                ends = f"start: {start}, end: {start + width}"
                rules.append(f"  table.hline({ends}, stroke: {THIN})")
            start += width
        lines += [f"  {', '.join(cells)}", *rules]
    return [*lines, f"  table.hline(stroke: {THIN})", ")"]


def _row(table: Table, i: int) -> str:
    """Cells of a row; a label stands beside its estimate and what is in brackets below."""
    row, below = table.rows[i], table.rows[i + 1 : i + 2]
    cells = [_cell(table, j, cell) for j, cell in enumerate(row)]
    if below and below[0][-1].kind == "bracket":
        cells[0] = f"table.cell(rowspan: 2, {cells[0]})"
    return ", ".join(cells[1:] if row[-1].kind == "bracket" else cells)


def _cell(table: Table, j: int, cell: Cell) -> str:
    """Words, or a number between hidden signs that keep decimal points below each other."""
    if j < table.n_labels:
        return typ(cell.text)
    number = _number(table, cell)
    if number is None:
        return typ(cell.typeset + cell.stars)
    others = [n for n in (_number(table, row[j]) for row in table.rows) if n]
    whole, rest, marks = (max(len(n[part]) for n in others) for part in range(3))
    room = "(" if any(n[2].startswith(")") for n in others) and cell.kind != "bracket" else ""
    left = "0" * (whole - len(number[0])) + room
    right = "0" * (rest - len(number[1])) + "*" * (marks - len(number[2]))
    return " + ".join(
        [
            *([f"hide({typ(left)})"] if left else []),
            typ(cell.typeset + cell.stars),
            *([f"hide({typ(right)})"] if right else []),
        ]
    )


def _number(table: Table, cell: Cell) -> tuple[str, str, str] | None:
    """Signs before the decimal point, from it on, and behind the number; None if not aligned."""
    match = NUMBER.fullmatch(cell.typeset)
    whole_number = cell.kind == "statistic" and isinstance(cell.value, int)
    if table.kind != "regression" or cell.value is None or whole_number or not match:
        return None
    return match["whole"], match["rest"], match["close"] + cell.stars
