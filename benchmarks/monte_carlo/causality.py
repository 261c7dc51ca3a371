"""Does x cause y in any entity: shares of rejections at 5 %, size at link 0, power at link .1.

One lag; own slopes of entities uniform on .2 to .6, x autoregressive (.5). With `common`, a shock
of every year moves all entities' y and another all entities' x, half of the variance of either.
Dumitrescu-Hurlin by its two normal statistics and its bootstrap (dh_), half-panel jackknife by
variance (hpj_); 199 draws each.
"""

import numpy as np
import pandas as pd

from tandem.econometrics import dumitrescu_hurlin, half_panel_jackknife_causality

REPLICATIONS = 500
DRAWS = 199
DESIGNS = [
    {"n": n, "t": t, "common": common, "link": link}
    for n in (30, 100)
    for t in (12, 20, 40)
    for common in (False, True)
    for link in (0.0, 0.1)
]


def simulate(rng: np.random.Generator, n: int, t: int, common: bool, link: float) -> tuple:
    """y and x, 20 years run in and left out."""
    own, effect = rng.uniform(0.2, 0.6, size=n), rng.normal(size=n)
    x, y = np.zeros((2, n, t + 20))
    for s in range(1, t + 20):
        shocks = rng.normal(size=(2, n)) + common * rng.normal(size=(2, 1))
        x[:, s] = 0.5 * x[:, s - 1] + shocks[0]
        y[:, s] = effect + own * y[:, s - 1] + link * x[:, s - 1] + shocks[1]
    index = pd.MultiIndex.from_product([range(n), range(t)], names=["entity", "year"])
    return tuple(pd.Series(v[:, -t:].ravel(), index, name=k) for k, v in (("y", y), ("x", x)))


def one(rng: np.random.Generator, n: int, t: int, common: bool, link: float) -> dict:
    """One panel, every test."""
    y, x = simulate(rng, n, t, common, link)
    dh = dumitrescu_hurlin(y, x, draws=DRAWS, seed=rng.integers(2**32))
    found = {f"dh_{name}": p <= 0.05 for name, p in dh.pvalues.items()}
    found["dh_bootstrap"] = dh.bootstrap_p <= 0.05
    for variance in ("robust", "hac", "bootstrap"):
        fit = half_panel_jackknife_causality(
            y, x, variance=variance, draws=DRAWS, seed=rng.integers(2**32)
        )
        found[f"hpj_{variance}"] = fit.test.pval <= 0.05
    return found
