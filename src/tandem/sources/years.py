"""Years as tables print them."""

import re
from datetime import date, timedelta

from tandem.sources.cells import strip_marks
from tandem.sources.text import plain

_REVISED = re.compile(r"\s*(?:r|\((?:r|revised|修订|修订数|调整数)\))$", re.IGNORECASE)
_DATE = re.compile(
    r"\d{4}[-/年]\d|\d{4}\.\d{1,2}\.|\d{1,2}[-/.]\d"
    r"|.*(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec).*\d{4}",
    re.IGNORECASE,
)
_FIRST, _LAST = 1949, 2100


def read_year(text: str) -> int | None:
    """The year in a header such as 2019, 2019年, 2019① or 2019 (revised); None if it is none.

    Years lie between 1949 and 2100.
    """
    match = re.fullmatch(r"(\d{4})年?", plain(_REVISED.sub("", plain_marks(text))), re.ASCII)
    return int(match[1]) if match and _FIRST <= int(match[1]) <= _LAST else None


def plain_marks(text: str) -> str:
    """Header text narrowed, without footnote marks."""
    # before narrowing, which would turn the mark ① into the digit 1
    return plain(strip_marks(text.strip()))


def year_rules(text: str) -> list[str]:
    """Names of the rules by which `read_year` reads a text, beyond 2019 and 2019年."""
    marked = strip_marks(text.strip()) != text.strip()
    revised = _REVISED.search(plain_marks(text))
    return ["footnote mark stripped"] * marked + ["year marked as revised"] * bool(revised)


def year_hint(text: str) -> str:
    """Why a text that looks like a date is not taken for a year; "" for any other text."""
    text = plain(text)
    if re.fullmatch(r"\d{5}", text, re.ASCII):
        day = date(1899, 12, 30) + timedelta(
            days=int(text)
        )  # how Excel counts days from March 1900
        if _FIRST <= day.year <= _LAST:
            return f" (as a spreadsheet's day number it would be {day}, a date)"
    return " but a date" if _DATE.match(text) else ""


def read_span(text: str) -> range:
    """The years of a span such as 2005-2019 or 2005年至2019年; none for any other text.

    The bureau also writes 最近10年 (the last ten years), which names no year.
    """
    match = re.fullmatch(r"(\d{4})年?\s*[-–—~至]\s*(\d{4})年?", plain(text))
    return range(int(match[1]), int(match[2]) + 1) if match else range(0)
