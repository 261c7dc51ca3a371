"""Tables of the Monte Carlo studies as one page: python report.py results.md tables/*.csv"""

import datetime
import importlib
import platform
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from run import SEED

if __name__ == "__main__":
    out, *files = sys.argv[1:]
    machine = f"{platform.machine()}, Python {platform.python_version()}, numpy {np.__version__}"
    lines = [
        "# Monte Carlo results",
        "",
        f"`make monte-carlo`, seed {SEED}, {datetime.date.today()}, "
        f"{machine}. Shares of rejections at 5 % unless a column says otherwise; n entities, t "
        "years. Replications below a study's own number: the run was cut short. A share of .05 has "
        "a standard error of .005 with 2000 replications, .010 with 500, .022 with 100.",
    ]
    for file in sorted(files):
        name = Path(file).stem
        table = pd.read_csv(file)
        words = importlib.import_module(name)
        lines += ["", f"## {name}", "", words.__doc__.strip(), ""]
        lines += [f"| {' | '.join(table.columns)} |", "|" + "---|" * len(table.columns)]
        for row in table.itertuples(index=False):
            cells = ("" if v != v else f"{v:.3g}" if isinstance(v, float) else str(v) for v in row)
            lines.append(f"| {' | '.join(cells)} |")
        if getattr(words, "READ", ""):
            lines += ["", words.READ]
    Path(out).write_text("\n".join(lines) + "\n", encoding="utf-8")
