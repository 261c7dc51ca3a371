"""Intervals of a turning point (delta, Fieller), U test; a point of 0.2 is the edge of its null."""

import numpy as np
import pandas as pd

from tandem.econometrics.curvature import curve_regression

REPLICATIONS = 2000
NULL = {"point": 0.2}
SIZES = ["u_test"]
COVERS = ["delta_95", "fieller_95"]
DESIGNS = [{"n": 30, "t": 20, "point": p, "bend": b} for p in (0.2, 1.0) for b in (0.6, 0.15)]


def one(rng: np.random.Generator, n: int, t: int, point: float, bend: float) -> dict:
    """One sample of ``y = bend (x - point)^2 + effect + e``, x uniform on [0, 3]."""
    index = pd.MultiIndex.from_product([range(n), range(t)], names=["entity", "year"])
    x, e = rng.uniform(0, 3, n * t), rng.normal(size=n * t)
    effect = np.repeat(rng.normal(size=n), t)
    frame = pd.DataFrame({"x": x, "y": bend * (x - point) ** 2 + effect + e}, index)
    fit = curve_regression(frame["y"], frame["x"], effects="entity", interval=(0.2, 2.8))
    row = fit.turning_points.loc[1]
    return {
        "u_test": fit.u_test.pval < 0.05 and fit.u_test.shape == "U",
        "delta_95": row["conf_low"] <= point <= row["conf_high"],
        "fieller_95": any(low <= point <= high for low, high in fit.flat),
        "fieller_unbounded": not np.isfinite(np.array(fit.flat)).all(),
    }
