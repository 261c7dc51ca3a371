"""Units: their spellings in Chinese and English, and the factors between them."""

import re
import unicodedata
from decimal import Decimal

# unit: (dimension, size)
_UNITS = {
    "yuan": ("yuan", 1),
    "1k yuan": ("yuan", 10**3),
    "10k yuan": ("yuan", 10**4),
    "1M yuan": ("yuan", 10**6),
    "100M yuan": ("yuan", 10**8),
    "10k USD": ("USD", 10**4),
    "1M USD": ("USD", 10**6),
    "100M USD": ("USD", 10**8),
    "persons": ("persons", 1),
    "1k persons": ("persons", 10**3),
    "10k persons": ("persons", 10**4),
    "person-years": ("person-years", 1),
    "1k person-years": ("person-years", 10**3),
    "10k person-years": ("person-years", 10**4),
    "percent": ("ratio", 1),
    "per mille": ("ratio", "0.1"),
    "per 1k persons": ("per person", 10),
    "per 10k persons": ("per person", 1),
    "per 100k persons": ("per person", "0.1"),
    "tons": ("tons", 1),
    "10k tons": ("tons", 10**4),
    "100M tons": ("tons", 10**8),
    "hectares": ("hectares", 1),
    "1k hectares": ("hectares", 10**3),
    "10k hectares": ("hectares", 10**4),
    "sq km": ("hectares", 100),
    "piece": ("piece", 1),
    "10k piece": ("piece", 10**4),
    "unit": ("unit", 1),
    "10k unit": ("unit", 10**4),
}
_SPELLINGS = {
    "元": "yuan",
    "千元": "1k yuan",
    "万元": "10k yuan",
    "百万元": "1M yuan",
    "亿元": "100M yuan",
    "1,000 yuan": "1k yuan",
    "10,000 yuan": "10k yuan",
    "million yuan": "1M yuan",
    "100 million yuan": "100M yuan",
    "万美元": "10k USD",
    "百万美元": "1M USD",
    "亿美元": "100M USD",
    "100 million usd": "100M USD",
    "人": "persons",
    "千人": "1k persons",
    "万人": "10k persons",
    "person": "persons",
    "1,000 persons": "1k persons",
    "10,000 persons": "10k persons",
    "人年": "person-years",
    "千人年": "1k person-years",
    "万人年": "10k person-years",
    "man-year": "person-years",
    "man-years": "person-years",
    "10,000 man-years": "10k person-years",
    "10,000 person-years": "10k person-years",
    "%": "percent",
    "‰": "per mille",
    "per 1,000 persons": "per 1k persons",
    "每千人": "per 1k persons",
    "per 10,000 persons": "per 10k persons",
    "per 10,000": "per 10k persons",
    "每万人": "per 10k persons",
    "per 100,000 persons": "per 100k persons",
    "每十万人": "per 100k persons",
    "吨": "tons",
    "万吨": "10k tons",
    "亿吨": "100M tons",
    "10,000 tons": "10k tons",
    "公顷": "hectares",
    "千公顷": "1k hectares",
    "万公顷": "10k hectares",
    "平方公里": "sq km",
    "平方千米": "sq km",
    "项": "piece",
    "件": "piece",
    "万项": "10k piece",
    "万件": "10k piece",
    "个": "unit",
    "家": "unit",
    "万个": "10k unit",
    "万家": "10k unit",
    "上年=100": "previous year=100",
    "preceding year=100": "previous year=100",
}


def unit_name(printed: str) -> str:
    """The name that the codebook gives to a printed unit; unknown units stay as they are.

    Spaces inside, and those in place of the thousands separator (10 000 yuan), do not matter; of
    a unit in two languages, 亿元 (100 million yuan), both must mean the same.
    """
    text = unicodedata.normalize("NFKC", printed).strip()
    if text in _SPELLINGS or text in _UNITS:
        return _SPELLINGS.get(text, text)
    spaced = re.sub(r"(?<=\d)[\s,]+(?=000\b)", ",", text.lower())
    squeezed = re.sub(r"\s+", "", text)
    for spelling in (spaced, squeezed):
        if spelling in _SPELLINGS:
            return _SPELLINGS[spelling]
    two = re.fullmatch(r"(.+?)\s*(?:\((.+)\)|/(.+))", text)
    if two and unit_name(two[1]) == unit_name(two[2] or two[3]):
        return unit_name(two[1])
    return printed


def is_unit(printed: str) -> bool:
    """Whether a text is the name of a unit known here."""
    name = unit_name(printed)
    return name in _UNITS or name in _SPELLINGS.values()


def unit_factor(unit: str, canonical: str) -> Decimal | None:
    """Number by which values in `unit` are multiplied to be in `canonical`.

    Returns
    -------
    Decimal or None
        None if the two do not measure the same thing.
    """
    if unit == canonical:
        return Decimal(1)
    dimension, size = _UNITS.get(unit, (None, 1))
    other, canonical_size = _UNITS.get(canonical, ("", 1))
    return Decimal(size) / Decimal(canonical_size) if dimension == other else None
