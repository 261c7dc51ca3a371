"""Long-run estimators: bias and coverage; slope 1.5, errors correlated with the steps of x."""

import numpy as np
import pandas as pd

from tandem.econometrics import dols, fmols, mean_group, pooled_mean_group
from tandem.errors import TandemError

READ = """
The intervals of least-squares based estimators are far too short with twenty years, where the
errors are correlated with the steps of the regressor.
"""
REPLICATIONS = 2000
COVERS = [
    f"{name}_95"
    for name in ("fmols_group", "fmols_pooled", "dols_group", "dols_pooled", "mg", "pmg")
]
DESIGNS = [{"n": n, "t": t} for n, t in ((30, 20), (30, 40), (10, 60))]


def one(rng: np.random.Generator, n: int, t: int) -> dict | None:
    """One sample."""
    e = rng.normal(size=(n, t))
    u = np.zeros((n, t))
    for s in range(1, t):
        u[:, s] = 0.4 * u[:, s - 1] + e[:, s]
    x = (rng.normal(size=(n, t)) + 0.5 * e).cumsum(axis=1)
    y = rng.normal(size=n)[:, None] + 1.5 * x + u
    index = pd.MultiIndex.from_product([range(n), range(t)], names=["entity", "year"])
    series, regressor = pd.Series(y.ravel(), index, name="y"), pd.DataFrame({"x": x.ravel()}, index)
    found = {}
    for name, fit in (
        ("fmols_group", lambda: fmols(series, regressor)),
        ("fmols_pooled", lambda: fmols(series, regressor, "pooled")),
        ("dols_group", lambda: dols(series, regressor)),
        ("dols_pooled", lambda: dols(series, regressor, "pooled")),
        ("mg", lambda: mean_group(series, regressor)),
        ("pmg", lambda: pooled_mean_group(series, regressor)),
    ):
        try:
            row = fit().terms.loc["x"]
        except TandemError:
            return None
        found[f"{name}_bias"] = row["estimate"] - 1.5
        found[f"{name}_95"] = row["conf_low"] <= 1.5 <= row["conf_high"]
    return found
