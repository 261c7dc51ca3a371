"""Hansen's threshold test: size and power, median and coverage of the threshold (true value 0)."""

import numpy as np
import pandas as pd

from tandem.econometrics.threshold import PanelThreshold

REPLICATIONS = 2000
NULL = {"jump": 0.0}
SIZES = ["reject"]
COVERS = ["coverage_95"]
DESIGNS = [
    {"n": n, "t": t, "jump": jump}
    for n, t, jump in ((30, 20, 0.0), (30, 20, 0.3), (30, 20, 0.6), (30, 10, 0.0), (100, 10, 0.0))
]


def one(rng: np.random.Generator, n: int, t: int, jump: float, draws: int = 199) -> dict:
    """One sample: x's slope grows by `jump` where q passes 0."""
    index = pd.MultiIndex.from_product([range(n), range(t)], names=["entity", "year"])
    x, q, e = rng.normal(size=(3, n * t))
    effect = np.repeat(rng.normal(size=n), t)
    x = x + effect
    y = (1 + jump * (q > 0)) * x + effect + e
    frame = pd.DataFrame({"y": y, "x": x, "q": q}, index)
    model = PanelThreshold(frame["y"], frame["x"], frame["q"])
    fit = model.fit(draws=draws, seed=int(rng.integers(2**31)))
    found = {"reject": fit.tests["p_value"][1] <= 0.05}
    if jump:
        row = fit.thresholds.loc[1]
        found["median_threshold"] = row["estimate"]
        found["coverage_95"] = row["conf_low"] <= 0 <= row["conf_high"]
    return found
