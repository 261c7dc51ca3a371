"""Coverage of the delta and Fieller intervals of a turning point, size and power of the U test.

python benchmarks/monte_carlo/curvature.py [replications]
"""

import sys

import numpy as np
import pandas as pd

from tandem.econometrics.curvature import curve_regression


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
        "delta": row["conf_low"] <= point <= row["conf_high"],
        "fieller": any(low <= point <= high for low, high in fit.flat),
        "unbounded": not np.isfinite(np.array(fit.flat)).all(),
    }


def table(replications: int, seed: int = 1) -> pd.DataFrame:
    """Shares of samples by design; a turning point of 0.2 is the edge of the U test's null."""
    designs = [(30, 20, p, b) for p in (0.2, 1.0) for b in (0.6, 0.15)]
    rows = []
    streams = np.random.SeedSequence(seed).spawn(len(designs))
    for design, stream in zip(designs, streams, strict=True):
        rng = np.random.default_rng(stream)
        runs = pd.DataFrame([one(rng, *design) for _ in range(replications)])
        rows.append((*design, *runs.mean()))
    columns = ["n", "t", "point", "bend", "u_test_5", "delta_95", "fieller_95", "fieller_unbounded"]
    return pd.DataFrame(rows, columns=columns).assign(replications=replications)


if __name__ == "__main__":
    print(table(int(sys.argv[1]) if len(sys.argv) > 1 else 2000).to_string(index=False))
