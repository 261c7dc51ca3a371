"""The provinces of China under every name that statistics print for them."""

import re
from collections.abc import Collection
from difflib import get_close_matches

from tandem.sources.cells import strip_marks
from tandem.sources.text import squeezed

NATION = ("CN", "China")

# GB/T 2260 code, English name, full Chinese name, short Chinese name, further names
_TABLE = """
110000|Beijing|北京市|北京
120000|Tianjin|天津市|天津
130000|Hebei|河北省|河北
140000|Shanxi|山西省|山西
150000|Inner Mongolia|内蒙古自治区|内蒙古
210000|Liaoning|辽宁省|辽宁
220000|Jilin|吉林省|吉林
230000|Heilongjiang|黑龙江省|黑龙江
310000|Shanghai|上海市|上海
320000|Jiangsu|江苏省|江苏
330000|Zhejiang|浙江省|浙江
340000|Anhui|安徽省|安徽
350000|Fujian|福建省|福建
360000|Jiangxi|江西省|江西
370000|Shandong|山东省|山东
410000|Henan|河南省|河南
420000|Hubei|湖北省|湖北
430000|Hunan|湖南省|湖南
440000|Guangdong|广东省|广东
450000|Guangxi|广西壮族自治区|广西
460000|Hainan|海南省|海南
500000|Chongqing|重庆市|重庆
510000|Sichuan|四川省|四川
520000|Guizhou|贵州省|贵州
530000|Yunnan|云南省|云南
540000|Tibet|西藏自治区|西藏
610000|Shaanxi|陕西省|陕西
620000|Gansu|甘肃省|甘肃
630000|Qinghai|青海省|青海
640000|Ningxia|宁夏回族自治区|宁夏
650000|Xinjiang|新疆维吾尔自治区|新疆
"""
_ROWS = [line.split("|") for line in _TABLE.strip().splitlines()]

# ISO 3166-2 codes of the provinces, in the order of the table
_ISO = (
    "BJ TJ HE SX NM LN JL HL SH JS ZJ AH FJ JX SD HA HB HN GD GX HI CQ SC GZ YN XZ SN GS QH NX XJ"
).split()

PROVINCES = {code: english for code, english, *_ in _ROWS}
CHINESE_NAMES = {english: short for _, english, _, short, *_ in _ROWS}
# names printed so give no line in the ledger
CANONICAL = {name for _, english, full, *_ in _ROWS for name in (english, full)}
TOTALS = {"全国", "全国总计", "合计", "总计", "National Total", "Total"}
_CODES = {name: code for code, *names in _ROWS for name in names}
_MACRO = (
    "东部 中部 西部 东北 东部地区 中部地区 西部地区 东北地区 华北 华东 华中 华南 中南 西南 西北 "
    "华北地区 华东地区 华中地区 华南地区 中南地区 西南地区 西北地区 沿海地区 内陆地区"
).split() + [
    f"{part} region" for part in
    "eastern central western northeastern northeast north east south southwest northwest".split()
]  # fmt: skip
_BEYOND = (
    "香港 澳门 台湾 香港特别行政区 澳门特别行政区 台湾省 港澳台 香港特区 澳门特区 "
    "hongkong macao macau taiwan hongkongsar macaosar taiwanprovince"
).split()


def _further_names() -> dict[str, str]:
    """Codes, and English and Chinese names with the suffix spelt out, squeezed."""
    names = {squeezed(name): code for name, code in _CODES.items()}
    kinds = {"省": ["province"], "市": ["municipality", "city"], "区": ["autonomous region"]}
    for iso, (code, english, full, short, *_) in zip(_ISO, _ROWS, strict=True):
        further = [code, code[:2], f"CN-{iso}"]
        further += [f"{english} {kind}" for kind in kinds[full[-1]]]
        further += [f"{short}自治区"] if full[-1] == "区" else []
        names |= {squeezed(name): code for name in further}
    people = {"Guangxi": "Zhuang", "Ningxia": "Hui", "Xinjiang": "Uygur"}
    for english, name in people.items():
        names[squeezed(f"{english} {name} autonomous region")] = _CODES[english]
    return names


_NAMES = _further_names()
_SUBTOTALS = {
    **{squeezed(name): "national total: not a province, left out" for name in TOTALS},
    **{squeezed(name): "macro-region subtotal: left out" for name in _MACRO},
    **{squeezed(name): "beyond the 31 provinces: left out" for name in _BEYOND},
}


def find_province(name: str) -> tuple[str, str] | None:
    """Code and English name of a province, or None if no province bears this name.

    Parameters
    ----------
    name : str
        English, full or short Chinese name, with or without 省, 市 or 自治区; a code of GB/T 2260
        (110000 or 11) or ISO 3166-2 (CN-BJ). Spaces, case and footnote marks do not matter.
    """
    code = _CODES.get(name) or _NAMES.get(squeezed(strip_marks(name.strip())))
    return (code, PROVINCES[code]) if code else None


def subtotal_rule(name: str) -> str:
    """Why a row of a table of provinces is left out; "" if it is no total of provinces."""
    return _SUBTOTALS.get(squeezed(strip_marks(name.strip())), "")


def nearest_province(name: str, codes: Collection[str]) -> str:
    """The name that looks most like a misspelt one, "" if none does.

    Parameters
    ----------
    name : str
        The misspelt name.
    codes : collection of str
        The provinces that may be meant.
    """
    # Backwards, so that of two names that differ by the suffix alone the full one is kept.
    known = {_bare(other): other for other in reversed(_CODES) if _CODES[other] in codes}
    nearest = get_close_matches(_bare(name), known, n=1, cutoff=0.5)
    return known[nearest[0]] if nearest else ""


def _bare(name: str) -> str:
    """A name without its suffix, which would make any two provinces look alike."""
    return re.sub("(省|市|自治区)$", "", name)
