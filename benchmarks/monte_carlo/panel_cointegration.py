"""Panel cointegration tests at 5 %, one regressor, constant, one lag, 199 draws.

The relation's error has the root 1 - link (link 0: no cointegration); with `shocks` a shock of
every year is common to all entities, of the size of their own.
"""

import numpy as np
import pandas as pd

from tandem.econometrics import cointegration_table

READ = """Under common shocks only Westerlund's bootstrap holds its size; with 20 years Ga has
little power."""
REPLICATIONS = 2000
DESIGNS = [
    {"n": n, "t": t, "link": link, "shocks": shocks}
    for n, t in ((30, 20), (30, 40))
    for link in (0.0, 0.2)
    for shocks in (False, True)
]


def one(rng: np.random.Generator, n: int, t: int, link: float, shocks: bool) -> dict:
    """One sample."""
    size = 1.0 if shocks else 0.0
    x = (rng.normal(size=(n, t + 20)) + size * rng.normal(size=t + 20)).cumsum(axis=1)
    e = rng.normal(size=(n, t + 20)) + size * rng.normal(size=t + 20)
    u = np.zeros((n, t + 20))
    for s in range(1, t + 20):
        u[:, s] = (1 - link) * u[:, s - 1] + e[:, s]
    y = u + (x if link else 0.0)
    index = pd.MultiIndex.from_product([range(n), range(t)], names=["entity", "year"])
    series = pd.Series(y[:, -t:].ravel(), index)
    regressor = pd.DataFrame({"x": x[:, -t:].ravel()}, index)
    table, _ = cointegration_table(series, regressor, draws=199, seed=int(rng.integers(2**31)))
    return dict(zip(table["test"], table["p_value"] <= 0.05, strict=True))
