"""One printed cell -> one number, with the name of every rule used on the way."""

import re
import unicodedata
from collections.abc import Collection
from decimal import Decimal

_MARKS = re.compile(r"(?:[\u2460-\u2473]|\*|(?<=\d)\s*[a-z]\))+$")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_GROUPED = re.compile(r"-?\d{1,3}(,\d{3})+(\.\d+)?")


def parse_cell(text: str, missing_codes: Collection[str] = ()) -> tuple[Decimal | None, list[str]]:
    """Number in a printed cell.

    Parameters
    ----------
    text : str
        The cell as it stands in the file.
    missing_codes : collection of str
        Words that stand for "no value" in this series; blank always does.

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
    rules = []

    def change(new: str, rule: str, old: str) -> str:
        if new != old:
            rules.append(rule)
        return new

    cell = text.strip()
    if cell == "":
        return None, ["blank: not published"]
    if cell in missing_codes:
        return None, [f"missing code: {cell}"]
    cell = change(cell, "spaces trimmed", text)
    # before the full-width digits: normalising would turn a footnote mark ① into the digit 1
    cell = change(_MARKS.sub("", cell).rstrip(), "footnote mark stripped", cell)
    narrow = "".join(unicodedata.normalize("NFKC", c) if c > "\uff00" else c for c in cell)
    cell = change(narrow, "full-width characters", cell)
    cell = change(re.sub("^[\u2212\u2013]", "-", cell), "typographic minus", cell)
    if _GROUPED.fullmatch(cell) and cell.isascii():
        cell = change(cell.replace(",", ""), "thousands separator removed", cell)
    if not (cell.isascii() and _NUMBER.fullmatch(cell)):
        raise ValueError(f"'{text}' is not a number")
    return Decimal(cell), rules
