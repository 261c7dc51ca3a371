"""Panel unit-root tests, constant, no lags: independent walks (rho 1) and rho 0.9."""

import numpy as np
import pandas as pd

from tandem.econometrics.panel_unit_roots import TESTS, panel_unit_root
from tandem.errors import TandemError

READ = """
LLC over-rejects with short panels although its numbers are plm's to 1e-9; Fisher's and Choi's
modified test do as MacKinnon's p-values are for many years. Hadri's null is stationarity: its
shares at rho 1 are power, at rho 0.9 distortion. Breitung's variance of changes had a mean
taken out that the null does not have: 2 % before, as the statistic's mean was .46 in place of
0. Breitung's (2000) own tables were out of reach.
"""
REPLICATIONS = 2000
NULL = {"rho": 1.0}
SIZES = [test for test in TESTS if not test.startswith("hadri")]
DESIGNS = [
    {"n": n, "t": t, "rho": rho} for n, t in ((30, 20), (15, 30), (30, 100)) for rho in (1.0, 0.9)
]


def one(rng: np.random.Generator, n: int, t: int, rho: float) -> dict:
    """One panel, every test."""
    y = np.zeros((n, t + 50))
    for s in range(1, t + 50):
        y[:, s] = rho * y[:, s - 1] + rng.normal(size=n)
    index = pd.MultiIndex.from_product([range(n), range(t)], names=["entity", "year"])
    series = pd.Series(y[:, -t:].ravel(), index, name="y")
    found = {}
    for test in TESTS:
        try:
            found[test] = panel_unit_root(series, test, lags=0).pval < 0.05
        except TandemError:
            found[test] = np.nan  # too few years for its moments
    return found
