"""The provinces of China under every name that statistics print for them."""

import re
from collections.abc import Collection
from difflib import get_close_matches

NATION = ("CN", "China")

# GB/T 2260 code, English name, full Chinese name, short Chinese name, further names
_TABLE = """
110000|Beijing|北京市|北京
120000|Tianjin|天津市|天津
130000|Hebei|河北省|河北
140000|Shanxi|山西省|山西
150000|Inner Mongolia|内蒙古自治区|内蒙古|Nei Mongol|Neimenggu
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
540000|Tibet|西藏自治区|西藏|Xizang
610000|Shaanxi|陕西省|陕西
620000|Gansu|甘肃省|甘肃
630000|Qinghai|青海省|青海
640000|Ningxia|宁夏回族自治区|宁夏
650000|Xinjiang|新疆维吾尔自治区|新疆
"""
_ROWS = [line.split("|") for line in _TABLE.strip().splitlines()]

PROVINCES = {code: english for code, english, *_ in _ROWS}
CANONICAL = {name for _, english, full, *_ in _ROWS for name in (english, full)}
TOTALS = {"全国", "全国总计", "合计", "总计", "National Total", "Total"}
_CODES = {name: code for code, *names in _ROWS for name in names}


def find_province(name: str) -> tuple[str, str] | None:
    """Code and English name of a province, or None if no province bears this name.

    Parameters
    ----------
    name : str
        English, full or short Chinese name; spaces inside Chinese names do not matter.
    """
    code = _CODES.get(name) or _CODES.get(name.replace(" ", "").replace("\u3000", ""))
    return (code, PROVINCES[code]) if code else None


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
