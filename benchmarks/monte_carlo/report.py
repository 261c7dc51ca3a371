"""Tables of the Monte Carlo studies as one page: python report.py results.md tables/*.csv

A study may say under which design values, NULL, its outcomes SIZES are shares of true nulls
rejected at 5 %, and which outcomes COVERS are shares of 95 % intervals that hold the truth. With 30
entities and 20 years these cells are marked as within the band of 3.5 to 6.5 % or not.
"""

import datetime
import importlib
import platform
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from run import SEED

BAND = (0.035, 0.065)
WIDE = 14  # columns beyond which designs stand side by side


def marked(row: pd.Series, column: str, words) -> str:
    """A cell with three digits, and whether its size is within the band."""
    value = row[column]
    if value != value:
        return ""
    text = f"{value:.3g}" if isinstance(value, float) else str(value)
    if (row["n"], row["t"]) != (30, 20):
        return text
    null = all(row[name] == wanted for name, wanted in getattr(words, "NULL", {}).items())
    if null and column in getattr(words, "SIZES", ()):
        return f"{text} {'in' if BAND[0] <= value <= BAND[1] else 'OUT'}"
    if column in getattr(words, "COVERS", ()):
        return f"{text} {'in' if BAND[0] <= 1 - value <= BAND[1] else 'OUT'}"
    return text


def page(table: pd.DataFrame, words) -> list[str]:
    """The table as lines of Markdown."""
    cells = pd.DataFrame(
        [{name: marked(row, name, words) for name in table} for _, row in table.iterrows()]
    )
    if table.shape[1] > WIDE:
        cells = cells.T.reset_index()
        cells.columns = cells.iloc[0]
        cells = cells.iloc[1:]
    return [
        f"| {' | '.join(cells.columns)} |",
        "|" + "---|" * cells.shape[1],
        *(f"| {' | '.join(row)} |" for row in cells.itertuples(index=False)),
    ]


if __name__ == "__main__":
    out, *files = sys.argv[1:]
    machine = f"{platform.machine()}, Python {platform.python_version()}, numpy {np.__version__}"
    lines = [
        "# Monte Carlo results",
        "",
        f"`make monte-carlo`, seed {SEED}, written on {datetime.date.today()}, each table run on "
        f"its own date; {machine}. Shares of rejections at 5 % unless a column says otherwise; n "
        "entities, t years. A share of .05 has a standard error of .005 with 2000 replications, "
        ".007 with 1000, .010 with 500, .022 with 100. With 30 entities and 20 years `in` marks "
        "sizes (of intervals: misses) between 3.5 and 6.5 %, `OUT` the others. Designs with fewer "
        "replications than the study's own number were cut short.",
    ]
    for file in sorted(files):
        table = pd.read_csv(file)
        words = importlib.import_module(Path(file).stem)
        lines += ["", f"## {Path(file).stem}", "", words.__doc__.strip(), "", *page(table, words)]
        if getattr(words, "READ", ""):
            lines += ["", words.READ.strip()]
    Path(out).write_text("\n".join(lines) + "\n", encoding="utf-8")
