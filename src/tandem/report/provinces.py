"""The 31 provinces of mainland China: two-letter names and their places on a tile map."""

from collections.abc import Iterable
from difflib import get_close_matches

from tandem.errors import TandemError

SHORT = {
    "Beijing": "BJ",
    "Tianjin": "TJ",
    "Hebei": "HE",
    "Shanxi": "SX",
    "Inner Mongolia": "NM",
    "Liaoning": "LN",
    "Jilin": "JL",
    "Heilongjiang": "HL",
    "Shanghai": "SH",
    "Jiangsu": "JS",
    "Zhejiang": "ZJ",
    "Anhui": "AH",
    "Fujian": "FJ",
    "Jiangxi": "JX",
    "Shandong": "SD",
    "Henan": "HA",
    "Hubei": "HB",
    "Hunan": "HN",
    "Guangdong": "GD",
    "Guangxi": "GX",
    "Hainan": "HI",
    "Chongqing": "CQ",
    "Sichuan": "SC",
    "Guizhou": "GZ",
    "Yunnan": "YN",
    "Tibet": "XZ",
    "Shaanxi": "SN",
    "Gansu": "GS",
    "Qinghai": "QH",
    "Ningxia": "NX",
    "Xinjiang": "XJ",
}

# One tile a province, neighbours kept beside each other as far as a grid allows.
_LAYOUT = """
..  ..  ..  ..  ..  ..  HL
..  ..  ..  ..  ..  ..  JL
XJ  GS  NX  NM  BJ  TJ  LN
XZ  QH  SN  SX  HE  SD  ..
..  SC  CQ  HA  JS  SH  ..
..  YN  GZ  HB  AH  ZJ  ..
..  ..  GX  HN  JX  FJ  ..
..  ..  HI  GD  ..  ..  ..
"""
_PLACES = {
    short: (row, column)
    for row, line in enumerate(_LAYOUT.strip().splitlines())
    for column, short in enumerate(line.split())
}
TILES = {name: _PLACES[short] for name, short in SHORT.items()}  # name -> (row, column)


def require_provinces(names: Iterable[str]) -> None:
    """Check that every name is one of the 31 provinces.

    Raises
    ------
    TandemError
        If a name is unknown; the message gives the nearest known name.
    """
    for name in names:
        if name not in TILES:
            nearest = get_close_matches(str(name), TILES, n=1, cutoff=0)[0]
            raise TandemError(
                f"The province map has no tile for {str(name)!r}; the nearest known name is "
                f"{nearest!r}, so correct the entity's name or leave it out of the map."
            )
