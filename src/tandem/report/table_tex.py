"""Tables as LaTeX: booktabs rules, siunitx columns, notes in threeparttable, never too wide."""

import re
import unicodedata
from itertools import groupby

from tandem.report.table_model import Cell, Table

PREAMBLE = (
    r"% Preamble: \usepackage[utf8]{inputenc}"
    r"\usepackage{textcomp,array,booktabs,siunitx,threeparttable,adjustbox,rotating,CJKutf8}"
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
    '"': "''",  # the sign itself is not in LaTeX's default encoding
    "\N{MINUS SIGN}": r"\ensuremath{-}",
    "\N{LESS-THAN OR EQUAL TO}": r"\ensuremath{\le}",
    "\N{GREATER-THAN OR EQUAL TO}": r"\ensuremath{\ge}",
    "\N{RIGHTWARDS ARROW}": r"\ensuremath{\rightarrow}",
    "\N{INFINITY}": r"\ensuremath{\infty}",
    "\N{SQUARE ROOT}": r"\ensuremath{\surd}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
}
WIDE = 7  # columns beyond which the table is turned
LABEL = 30  # characters; a longer text runs over several lines
GREEK = (
    "GAMMA DELTA THETA LAMBDA XI PI SIGMA UPSILON PHI PSI OMEGA".split()
)  # the other capitals look like Latin ones, and LaTeX has no command for them
CHINESE = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]+")


def to_tex(table: Table) -> str:
    """A table environment; the first line says in a comment what the preamble needs."""
    kinds = groupby(_column(table, i) for i in range(len(table.columns)))
    columns = "".join(f"*{{{len(list(same))}}}{{{kind}}}" for kind, same in kinds)
    rows = [_row(table, row) for row in table.rows]
    if table.n_terms:
        rows.insert(table.n_terms, r"\midrule")
    floating = "sidewaystable" if len(table.columns) > WIDE else "table"
    caption = " / ".join(escape_tex(title) for _, title in table.titles)
    lines = [
        PREAMBLE,
        rf"\begin{{{floating}}}[htbp]",
        r"\centering\footnotesize",
        r"\begin{adjustbox}{max width=\linewidth}",
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
    lines += [r"\end{threeparttable}", r"\end{adjustbox}", rf"\end{{{floating}}}"]
    return "\n".join(lines) + "\n"


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
    name = unicodedata.name(sign, "").replace("LAMDA", "LAMBDA")
    if match := re.fullmatch(r"GREEK SMALL LETTER (\w+)", name):
        return rf"\ensuremath{{\{match[1].lower()}}}"
    if (match := re.fullmatch(r"GREEK CAPITAL LETTER (\w+)", name)) and match[1] in GREEK:
        return rf"\ensuremath{{\{match[1].capitalize()}}}"
    kind, _, digit = unicodedata.decomposition(sign).partition(" ")
    if kind == "<sub>":
        return rf"\textsubscript{{{chr(int(digit, 16))}}}"
    return sign


def _column(table: Table, i: int) -> str:
    """S with room for the widest number, c for a column of words, l or p for texts."""
    texts = i < table.n_labels or table.kind == "descriptive"
    if not table.has_numbers(i) or i < table.n_labels:
        if texts and max((len(row[i].text) for row in table.rows), default=0) > LABEL:
            return rf">{{\raggedright\arraybackslash}}p{{{LABEL // 2}em}}"
        return "l" if texts else "c"
    bare = [row[i].text.strip("()%") for row in table.rows if _is_bare(row[i])]
    whole = max((len(text.lstrip("-").partition(".")[0]) for text in bare), default=1)
    decimals = max((len(text.partition(".")[2]) for text in bare), default=0)
    sign = "-" if any(text.startswith("-") for text in bare) else ""
    return f"S[table-format={sign}{whole}.{decimals},group-digits=none{_around_numbers(table)}]"


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
    return cell.value is not None and not re.search("[,%]", cell.spec) and cell.text[0] != "<"


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
    labels = [_words(cell.text) for cell in row[: table.n_labels]]
    return " & ".join([*labels, *map(_cell, row[table.n_labels :])]) + r" \\"


def _cell(cell: Cell) -> str:
    """A number bare for siunitx with brackets and stars around it; words in braces."""
    if not cell.text:
        return ""
    if not _is_bare(cell):
        return f"{{{_words(cell.typeset)}}}"
    number = cell.text.strip("()")
    if cell.text != number:
        return f"{{(}}{number}{{)}}"
    return number + (rf"{{\sym{{{cell.stars}}}}}" if cell.stars else "")


def _words(text: str) -> str:
    """Escaped text; the long names of a column of texts may break behind an underscore or slash."""
    escaped = escape_tex(text)
    return re.sub(r"(\\_|/)", r"\1\\allowbreak{}", escaped) if len(text) > LABEL else escaped
