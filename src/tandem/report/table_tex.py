"""Tables as LaTeX: booktabs rules, siunitx columns, notes in threeparttable."""

import re
import unicodedata
from itertools import groupby

from tandem.report.table_model import Cell, Table

PREAMBLE = (
    r"% Preamble: \usepackage[utf8]{inputenc}"
    r"\usepackage{textcomp,booktabs,siunitx,threeparttable,CJKutf8}"
    r"\newcommand{\sym}[1]{\ensuremath{^{#1}}}"
    r"\DeclareRobustCommand{\zh}[1]{\begin{CJK}{UTF8}{gbsn}#1\end{CJK}}"
)
SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "[": "{[}",  # after \\ a bracket or asterisk would be an option of the line break
    "]": "{]}",
    "*": "{*}",
    '"': r"\textquotedbl{}",
    "\N{MINUS SIGN}": r"\ensuremath{-}",
    "\N{LESS-THAN OR EQUAL TO}": r"\ensuremath{\le}",
    "\N{GREATER-THAN OR EQUAL TO}": r"\ensuremath{\ge}",
    "\N{RIGHTWARDS ARROW}": r"\ensuremath{\rightarrow}",
    "\N{INFINITY}": r"\ensuremath{\infty}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
}
CHINESE = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]+")


def to_tex(table: Table) -> str:
    """A table environment; the first line says in a comment what the preamble needs."""
    kinds = groupby(_column(table, i) for i in range(len(table.columns)))
    columns = "".join(f"*{{{len(list(same))}}}{{{kind}}}" for kind, same in kinds)
    rows = [_row(table, row) for row in table.rows]
    if table.n_terms:
        rows.insert(table.n_terms, r"\midrule")
    caption = " / ".join(escape_tex(title) for _, title in table.titles)
    lines = [
        PREAMBLE,
        r"\begin{table}[htbp]",
        r"\centering",
        r"\begin{threeparttable}",
        rf"\caption{{{caption}}}",
        rf"\label{{tab:{table.name}}}",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        *_header(table),
        r"\midrule",
        *rows,
        r"\bottomrule",
        r"\end{tabular}",
    ]
    if table.notes:
        notes = [rf"\item {escape_tex(note)}" for note in table.notes]
        lines += [
            r"\begin{tablenotes}[flushleft]",
            r"\footnotesize",
            *notes,
            r"\end{tablenotes}",
        ]
    return "\n".join([*lines, r"\end{threeparttable}", r"\end{table}"]) + "\n"


def escape_tex(text: str) -> str:
    """Any text as LaTeX prints it literally; Chinese runs go into ``\\zh{}``."""
    parts = []
    end = 0
    for run in CHINESE.finditer(text):
        parts += [*map(_escape_sign, text[end : run.start()]), rf"\zh{{{run.group()}}}"]
        end = run.end()
    return "".join([*parts, *map(_escape_sign, text[end:])])


def _escape_sign(sign: str) -> str:
    if sign in SPECIAL:
        return SPECIAL[sign]
    name = unicodedata.name(sign, "")
    if match := re.fullmatch(r"GREEK SMALL LETTER (\w+)", name):
        return rf"\ensuremath{{\{match[1].lower().replace('lamda', 'lambda')}}}"
    return sign


def _column(table: Table, i: int) -> str:
    """S with room for the widest number, c for a column of words, l for labels."""
    if i < table.n_labels:
        return "l"
    if not table.has_numbers(i):
        return "l" if table.kind == "descriptive" else "c"
    bare = [row[i].text.strip("()%") for row in table.rows if _is_bare(row[i])]
    whole = max((len(text.lstrip("-").partition(".")[0]) for text in bare), default=1)
    decimals = max((len(text.partition(".")[2]) for text in bare), default=0)
    sign = "-" if any(text.startswith("-") for text in bare) else ""
    return f"S[table-format={sign}{whole}.{decimals}{_around_numbers(table)}]"


def _around_numbers(table: Table) -> str:
    """Options that put brackets and stars next to their number, in space kept for the widest."""
    cells = [cell for row in table.rows for cell in row]
    if not any(cell.kind == "bracket" for cell in cells):
        return ""
    stars = max(cell.stars for cell in cells)
    after = rf"\sym{{{stars}}}" if stars else ")"
    align = "table-align-text-pre=false,table-align-text-post=false"
    return f",table-space-text-pre={{(}},table-space-text-post={{{after}}},{align}"


def _is_bare(cell: Cell) -> bool:
    """True for a number that siunitx aligns at its decimal point."""
    return cell.value is not None and not re.search("[,%]", cell.spec)


def _header(table: Table) -> list[str]:
    lines = []
    for line in table.header:
        cells = [_head(text, width, i >= table.n_labels) for i, (text, width) in enumerate(line)]
        lines.append(" & ".join(cells) + r" \\")
        if any(width > 1 for _, width in line):
            lines.append(_group_rules(line))
    return lines


def _head(text: str, width: int, is_number: bool) -> str:
    if width > 1:
        return rf"\multicolumn{{{width}}}{{c}}{{{escape_tex(text)}}}"
    return f"{{{escape_tex(text)}}}" if is_number else escape_tex(text)


def _group_rules(line: list[tuple[str, int]]) -> str:
    rules = []
    start = 1
    for text, width in line:
        if text:
            rules.append(rf"\cmidrule(lr){{{start}-{start + width - 1}}}")
        start += width
    return "".join(rules)


def _row(table: Table, row: tuple[Cell, ...]) -> str:
    labels = [escape_tex(cell.text) for cell in row[: table.n_labels]]
    return " & ".join([*labels, *map(_cell, row[table.n_labels :])]) + r" \\"


def _cell(cell: Cell) -> str:
    """A number bare for siunitx with brackets and stars around it; words in braces."""
    if not cell.text:
        return ""
    if not _is_bare(cell):
        return f"{{{escape_tex(cell.typeset)}}}"
    number = cell.text.strip("()")
    if cell.text != number:
        return f"{{(}}{number}{{)}}"
    return number + (rf"{{\sym{{{cell.stars}}}}}" if cell.stars else "")
