"""Panel cointegration tests at 5 %, one regressor, constant, one lag.

The relation's error has the root 1 - link (link 0: no cointegration). With `shocks` a shock of
every year is common to all entities, of the size of their own; with `related` the errors follow
their own past by .4 and correlate .5 with the regressor's steps. Pedroni's and Kao's p-values are
shares of 4999 panels of walks, "normal" those of Kao's limit; Westerlund's bootstrap has 99 draws
of years for all entities together, "apart" for each alone.
"""

from functools import lru_cache

import numpy as np
import pandas as pd
from scipy import stats

from tandem.econometrics import westerlund
from tandem.econometrics.panel_cointegration import (
    KAO,
    PEDRONI,
    WESTERLUND,
    _kao,
    _pedroni,
    _simulated,
)

READ = """
Pedroni's and Kao's p-values from walks hold 5 % where entities and errors are independent, and
only there. Kao's normal limit rejects 13 % by DF rho and t: he standardises by T, while the
mean of rho - 1 with T years is about -3 T / (T^2 - T + 1), which shifts DF rho by -.26 or more
here. Where errors follow their own past and x is endogenous (`related`) his ADF test rejects 30
%, the others next to nothing, as do Pedroni's. Westerlund's bootstrap of years drawn together
holds its size under common shocks and with related errors; where entities are independent it
rejects 2-4 %, as resamples of 18 years keep the chance correlations of 30 entities; years drawn
apart are within the band there and reject 17-21 % under common shocks. With slopes of each
entity, as xtwest has them, years drawn together rejected .022, .014, .014 and .014 of 500 such
nulls by Gt, Ga, Pt and Pa. Originals: Westerlund (2007, table 1, as printed in xtwest's code)
has means of the limits with a constant and one regressor of -1.778 (Gt), -7.142 (Ga), -1.448
sqrt(N) (Pt), -4.230 (Pa); ours with 100 entities and 300 years, 100 samples: -1.766, -6.947,
-1.441, -4.234 (errors .009, .05, .011, .045). His simulations and Kao's were out of reach; from
memory neither has 20 years with 30 entities.
"""
REPLICATIONS = 2000
NULL = {"link": 0.0}
SIZES = [
    *PEDRONI, *KAO, *(f"{name}, normal" for name in KAO),
    *WESTERLUND, *(f"{name}, apart" for name in WESTERLUND),
]  # fmt: skip
DESIGNS = [
    {"n": 30, "t": 20, "link": link, "shocks": shocks, "related": related}
    for link, shocks, related in (
        (0.0, False, False), (0.0, True, False), (0.0, False, True), (0.2, False, False),
        (0.2, True, False),
    )
]  # fmt: skip


def residual_tests(cube: np.ndarray) -> np.ndarray:
    """Pedroni's and Kao's statistics (draws, 12), small ones speaking against the null."""
    first = _pedroni(cube, "c", 1) * np.where(np.arange(7) == 0, -1, 1)  # panel v is large
    return np.concatenate([first, _kao(cube, 1)], axis=1)


@lru_cache
def walks(n: int, t: int) -> np.ndarray:
    """The 5 % quantiles of panels of independent walks, once for all samples."""
    rng = np.random.default_rng(1)
    return np.quantile(_simulated(residual_tests, n, 2, t, 4999, rng), 0.05, axis=0)


def one(rng: np.random.Generator, n: int, t: int, link: float, shocks: bool, related: bool) -> dict:
    """One sample."""
    size = 1.0 if shocks else 0.0
    steps = rng.normal(size=(n, t + 20)) + size * rng.normal(size=t + 20)
    e = rng.normal(size=(n, t + 20)) + size * rng.normal(size=t + 20)
    if related:
        e = 0.5 * steps + np.sqrt(0.75) * e
        for s in range(1, t + 20):
            e[:, s] += 0.4 * e[:, s - 1]
    u = np.zeros((n, t + 20))
    for s in range(1, t + 20):
        u[:, s] = (1 - link) * u[:, s - 1] + e[:, s]
    x = steps.cumsum(axis=1)
    y = u + (x if link else 0.0)
    cube = np.stack([y, x], axis=1)[..., -t:]
    found = residual_tests(cube[None])[0]
    shares = dict(zip((*PEDRONI, *KAO), found <= walks(n, t), strict=True))
    normal = found[-len(KAO) :] <= stats.norm.ppf(0.05)
    shares |= dict(zip((f"{name}, normal" for name in KAO), normal, strict=True))
    index = pd.MultiIndex.from_product([range(n), range(t)], names=["entity", "year"])
    y, x = (pd.Series(v.ravel(), index) for v in cube.transpose(1, 0, 2))
    seed = int(rng.integers(2**31))
    for words, together in (("", True), (", apart", False)):
        test = westerlund(y, x.to_frame("x"), draws=99, seed=seed, together=together).table
        shares |= {f"{name}{words}": p <= 0.05 for name, p in test["p_value"].items()}
    return shares
