"""A raw file -> its grid of cells, and where its header and its body lie."""

import codecs
import csv
import io
import re
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

from tandem.errors import TandemError

REGION_HEADS = {"地区", "Region"}
SERIES_HEADS = {"指标", "Indicator"}
_META = {
    "指标": "series",
    "Indicator": "series",
    "年份": "year",
    "Year": "year",
    "时间": "span",
    "Time": "span",
}
_FOOT = ("注", "Note", "数据来源", "资料来源", "Source")


@dataclass(frozen=True)
class Grid:
    """Cells of one table.

    `head` is the index of the header row; `body` the indices of the rows under it; `meta` holds
    what the lines above the header say: (text, index of the row) of "series", "year" and "span".
    """

    file: str
    rows: list[list[str]]
    head: int
    body: list[int]
    encoding: str
    meta: dict[str, tuple[str, int]] = field(default_factory=dict)

    @property
    def down(self) -> str:
        """What stands in the rows: "regions" or "series"."""
        return "regions" if plain(self.rows[self.head][0]) in REGION_HEADS else "series"


def plain(text: str) -> str:
    """Text with full-width characters narrowed and spaces at the ends removed."""
    return unicodedata.normalize("NFKC", text).strip()


def cell_name(row: int, column: int) -> str:
    """Spreadsheet name of a cell, counted from 0: (6, 2) is C7."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{row + 1}"


def read_year(text: str) -> int | None:
    """The year in a header such as 2019 or 2019年, None if it is none from 1949 to 2100."""
    match = re.fullmatch(r"(\d{4})年?", plain(text))
    return int(match[1]) if match and 1949 <= int(match[1]) <= 2100 else None


def read_span(text: str) -> range:
    """The years of a span such as 2005-2019 or 2005年至2019年; none for any other text.

    The bureau also writes 最近10年 (the last ten years), which names no year.
    """
    match = re.fullmatch(r"(\d{4})年?\s*[-–—~至]\s*(\d{4})年?", plain(text))
    return range(int(match[1]), int(match[2]) + 1) if match else range(0)


def read_grid(path: Path, file: str) -> Grid:
    """Cells of a CSV file in UTF-8 (with or without byte-order mark) or GB18030/GBK.

    Raises
    ------
    TandemError
        If the file is absent, empty, in another encoding, or has no header row.
    """
    if not path.is_file():
        raise TandemError(
            f"{file} is named in sources.csv but does not exist; put it back, or delete its line."
        )
    raw = path.read_bytes()
    if not raw.removeprefix(codecs.BOM_UTF8).strip():
        raise TandemError(f"{file} is empty; download it again.")
    text, encoding = _decode(raw, file)
    rows = list(csv.reader(io.StringIO(text, newline="")))
    meta = {}
    for index, row in enumerate(rows):
        first = plain(row[0]) if row else ""
        heads = REGION_HEADS | SERIES_HEADS
        if first in heads and any(cell.strip() for cell in row[1:]):
            return Grid(file, rows, index, _body(rows, index), encoding, meta)
        key, colon, value = first.partition(":")
        if colon and key in _META:
            meta[_META[key]] = (value.strip(), index)
    raise TandemError(
        f"{file} has no header row: no line starts with 地区, Region, 指标 or Indicator; compare "
        "it with the layouts in data/README.md and check that it is saved as UTF-8 or GB18030."
    )


def _decode(raw: bytes, file: str) -> tuple[str, str]:
    for encoding, name in (("utf-8-sig", "UTF-8"), ("gb18030", "GB18030")):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            with_mark = name == "UTF-8" and raw.startswith(codecs.BOM_UTF8)
            return text, "UTF-8 with byte-order mark" if with_mark else name
    raise TandemError(f"{file} is neither UTF-8 nor GB18030 text; save it as CSV in UTF-8.")


def _body(rows: list[list[str]], head: int) -> list[int]:
    body = []
    for index in range(head + 1, len(rows)):
        first = plain(rows[index][0]) if rows[index] else ""
        if re.match(rf"(?:{'|'.join(_FOOT)})\s*\d*\s*:", first):
            break
        if any(cell.strip() for cell in rows[index]):
            body.append(index)
    return body
