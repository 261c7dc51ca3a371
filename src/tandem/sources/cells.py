"""One printed cell -> one number, with the name of every rule used on the way."""

import re
import unicodedata
from collections.abc import Collection
from decimal import Decimal

from tandem.sources.units import is_unit

LONGEST = 1000  # characters of a cell that should be a number
_MARKS = re.compile(r"(?:\s*(?:[\u2460-\u2473*]|\[\d{1,2}\]|(?<=\d)\s*[a-z]\)))+$")
_NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
_GROUPED = re.compile(r"-?\d{1,3}(,\d{3})+(\.\d+)?", re.ASCII)
_WITH_UNIT = re.compile(r"([-\u2212\u2013－]?[\d０-９][\d０-９.,．，]*)\s*([^\d\s].*)", re.DOTALL)

# China Statistical Yearbook 1992, notes on the symbols: "…" is less than the smallest unit of the
# table, a blank is unknown or not available, "#" marks a main item. Dashes are other yearbooks'.
_MISSING = {
    "…": "less than the smallest unit of the table",
    "—": "no such value",
    "#": "mark of a main item without a value",
}
_SAME = {"……": "…", "...": "…", "..": "…", "⋯": "…", "-": "—", "－": "—", "–": "—", "——": "—"}


def parse_cell(text: str, missing_codes: Collection[str] = ()) -> tuple[Decimal | None, list[str]]:
    """Number in a printed cell.

    Parameters
    ----------
    text : str
        The cell as it stands in the file.
    missing_codes : collection of str
        Words that stand for "no value" in this series; blank, "…", "—" and "#" always do.

    Returns
    -------
    value : Decimal or None
        None where nothing is published.
    rules : list of str
        The changes made, in order; empty if the text is already a plain number.

    Raises
    ------
    ValueError
        If no rule explains the text.
    """
    if _NUMBER.fullmatch(text):
        return Decimal(text), []
    cell = text.strip()
    if cell == "":
        return None, ["blank: not published"]
    if cell in missing_codes:
        return None, [f"missing code: {cell}"]
    code = _SAME.get(cell, cell)
    if code in _MISSING:
        return None, [f"missing code: {cell} ({_MISSING[code]})"]
    return _parse_number(text, cell)


def _parse_number(text: str, cell: str) -> tuple[Decimal, list[str]]:
    rules = []

    def change(new: str, rule: str, old: str) -> str:
        if new != old:
            rules.append(rule)
        return new

    cell = change(cell, "spaces trimmed", text)
    if len(cell) > LONGEST:
        raise ValueError(f"'{cell[:20]}...', a text of {len(cell)} characters, is not a number")
    # before the full-width digits: normalising would turn a footnote mark ① into the digit 1
    cell = change(strip_marks(cell), "footnote mark stripped", cell)
    narrow = "".join(unicodedata.normalize("NFKC", c) if c > "\uff00" else c for c in cell)
    cell = change(narrow, "full-width characters", cell)
    cell = change(re.sub("^[\u2212\u2013]", "-", cell), "typographic minus", cell)
    if _GROUPED.fullmatch(cell):
        cell = change(cell.replace(",", ""), "thousands separator removed", cell)
    if not _NUMBER.fullmatch(cell):
        error = re.fullmatch(r"#[A-Z/0]+[!?]?", cell)
        raise ValueError(
            f"'{text}' is not a number" + (" but a formula error of the spreadsheet" * bool(error))
        )
    return Decimal(cell), rules


def strip_marks(text: str) -> str:
    """Text without the footnote marks at its end: ① to ⑳, *, [1], and a) after a digit."""
    return _MARKS.sub("", text).rstrip()


def split_unit(text: str) -> tuple[str, str]:
    """Number and unit of a cell such as 35.2亿元; the unit is "" where none is printed."""
    match = _WITH_UNIT.fullmatch(text.strip()) if len(text) <= LONGEST else None
    if match is None:
        return text, ""
    unit = strip_marks(match[2])
    return (match[1] + match[2][len(unit) :], unit) if is_unit(unit) else (text, "")
