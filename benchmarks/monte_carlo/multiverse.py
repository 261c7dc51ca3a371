"""Permutation p-values of a specification curve (12 least-squares specifications, 99 draws)."""

import numpy as np
from panel_var import simulate

from tandem.econometrics import specification_curve, specifications

READ = "Sizes of .05 and .08 at link 0, where errors of an entity's two series correlate."
REPLICATIONS = 2000
NULL = {"link": 0.0}
SIZES = ["median", "share"]
DESIGNS = [{"n": n, "t": t, "link": link} for n, t in ((30, 9), (30, 20)) for link in (0.0, 0.2)]
CHOICES = {"lags": [1, 2], "own_lags": [0, 1], "effects": ["entity", "two-way", "difference"]}


def one(rng: np.random.Generator, n: int, t: int, link: float) -> dict:
    """One sample; the link is that of b's past on a."""
    data = simulate(rng, n, t, link, True)
    specs = specifications(["m"], ["w"], ["none"], CHOICES, {})
    seed = int(rng.integers(2**31))
    curve = specification_curve(
        specs, {"m": data}, {"w": (0, t - 1)}, {"none": None}, "b", "a", 99, seed
    )
    return {
        "median": curve.summary["p_median"] <= 0.05,
        "share": curve.summary["p_share"] <= 0.05,
        "own_lag": (curve.table.query("own_lags == 1")["p_value"] < 0.05).mean(),
    }
