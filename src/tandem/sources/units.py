"""Units: their spellings in Chinese and English, and the factors between them."""

from decimal import Decimal

# unit: (dimension, size)
_UNITS = {
    "yuan": ("yuan", 1),
    "10k yuan": ("yuan", 10**4),
    "100M yuan": ("yuan", 10**8),
    "persons": ("persons", 1),
    "10k persons": ("persons", 10**4),
    "person-years": ("person-years", 1),
    "10k person-years": ("person-years", 10**4),
    "percent": ("ratio", 1),
}
_SPELLINGS = {
    "元": "yuan",
    "万元": "10k yuan",
    "亿元": "100M yuan",
    "人": "persons",
    "万人": "10k persons",
    "人年": "person-years",
    "万人年": "10k person-years",
    "%": "percent",
    "项": "piece",
    "件": "piece",
    "个": "unit",
    "家": "unit",
    "上年=100": "previous year=100",
    "preceding year=100": "previous year=100",
}


def unit_name(printed: str) -> str:
    """The name that the codebook gives to a printed unit."""
    return _SPELLINGS.get(printed, printed)


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
