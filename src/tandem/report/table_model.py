"""One table, independent of any file format: what the writers of .csv to .xlsx all read."""

import re
from dataclasses import dataclass

# A hyphen that makes the number behind it negative, not one inside a word or a range.
NEGATIVE = re.compile(r"(?<![\w)])-(?=[\d\N{INFINITY}])")


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes
    ----------
    text
        What is printed, brackets included and stars excluded.
    value
        The number behind the text at full precision; None for words and for intervals.
    stars
        "", "*", "**" or "***".
    kind
        "label", "estimate", "bracket" or "statistic".
    spec
        Python format specification that made the number's text, e.g. ".3f".
    hover
        Full detail for a reader on screen.
    """

    text: str
    value: float | int | None = None
    stars: str = ""
    kind: str = "label"
    spec: str = ""
    hover: str = ""

    @property
    def shown(self) -> str:
        """Printed text with its stars."""
        return self.text + self.stars

    @property
    def typeset(self) -> str:
        """Printed text with a true minus sign before negative numbers."""
        return self.text if self.kind == "label" else NEGATIVE.sub("\N{MINUS SIGN}", self.text)


@dataclass(frozen=True)
class Table:
    """A table ready to be written.

    Attributes
    ----------
    name
        File name without extension.
    title, title_zh
        Caption in English and, where given, in Chinese.
    columns
        Headers, those of the label columns included.
    n_labels
        Number of label columns on the left.
    groups
        (label, number of columns) over all columns from the left; empty without groups.
    numbers
        "(1)", "(2)", ... under the headers; empty where columns are not numbered.
    rows
        Cells, one a column.
    n_terms
        Number of rows above the rule between coefficients and statistics; 0 without a rule.
    notes
        Sentences below the table.
    kind
        "regression" or "descriptive".
    """

    name: str
    title: str
    title_zh: str
    columns: tuple[str, ...]
    n_labels: int
    groups: tuple[tuple[str, int], ...]
    numbers: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    n_terms: int
    notes: tuple[str, ...]
    kind: str

    @property
    def header(self) -> list[list[tuple[str, int]]]:
        """Header lines from the top as (text, number of columns)."""
        lines = [self.groups, [(text, 1) for text in self.columns]]
        lines.append([(text, 1) for text in self.numbers])
        return [list(line) for line in lines if line]

    @property
    def flat_header(self) -> list[str]:
        """One text a column, for formats with a single header line."""
        spread = [[text for text, width in line for _ in range(width)] for line in self.header]
        return [" ".join(filter(None, column)) for column in zip(*spread, strict=True)]

    @property
    def titles(self) -> list[tuple[str, str]]:
        """(language, title) for each language given."""
        return [(lang, t) for lang, t in (("en", self.title), ("zh", self.title_zh)) if t]

    def has_numbers(self, column: int) -> bool:
        """True if any cell of this column is a number."""
        return any(row[column].value is not None for row in self.rows)

    def aligns_right(self, column: int) -> bool:
        """False for label columns and for columns of words, also with cells left open."""
        words = any(row[column].kind == "label" for row in self.rows)
        return column >= self.n_labels and (self.has_numbers(column) or not words)
