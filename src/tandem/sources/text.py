"""Text of a cell, and the cell's name."""

import re
import unicodedata
from functools import cache


def plain(text: str) -> str:
    """Text with full-width characters narrowed and spaces at the ends removed."""
    return (text if text.isascii() else unicodedata.normalize("NFKC", text)).strip()


def squeezed(text: str) -> str:
    """Plain text without spaces, in lower case: how labels and names are compared."""
    return re.sub(r"\s+", "", plain(text)).casefold()


def cell_name(row: int, column: int) -> str:
    """Spreadsheet name of a cell, counted from 0: (6, 2) is C7."""
    return f"{column_name(column)}{row + 1}"


@cache
def column_name(column: int) -> str:
    """Letters of a column, counted from 0: 27 is AB."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def column_index(letters: str) -> int:
    """Index of a column, counted from 0: AB is 27."""
    index = 0
    for letter in letters:
        index = 26 * index + ord(letter) - 64
    return index - 1
