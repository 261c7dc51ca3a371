"""Size and power of Hansen's threshold test, coverage of the interval of the threshold.

python benchmarks/monte_carlo/threshold.py [replications]
"""

import sys

import numpy as np
import pandas as pd

from tandem.econometrics.threshold import PanelThreshold


def one(rng: np.random.Generator, n: int, t: int, jump: float, draws: int = 199) -> dict:
    """One sample: x's slope grows by `jump` where q passes 0; is the test's p-value below 5 %?"""
    index = pd.MultiIndex.from_product([range(n), range(t)], names=["entity", "year"])
    x, q, e = rng.normal(size=(3, n * t))
    effect = np.repeat(rng.normal(size=n), t)
    x = x + effect
    y = (1 + jump * (q > 0)) * x + effect + e
    frame = pd.DataFrame({"y": y, "x": x, "q": q}, index)
    model = PanelThreshold(frame["y"], frame["x"], frame["q"])
    fit = model.fit(draws=draws, seed=int(rng.integers(2**31)))
    row = fit.thresholds.loc[1]
    return {
        "reject": fit.tests["p_value"][1] <= 0.05,
        "threshold": row["estimate"],
        "covered": row["conf_low"] <= 0 <= row["conf_high"],
    }


def table(replications: int, seed: int = 1) -> pd.DataFrame:
    """Rejection rates at 5 %, median and coverage of the threshold, by design."""
    rows = []
    designs = [(30, 20, 0.0), (30, 20, 0.3), (30, 20, 0.6), (30, 10, 0.0), (100, 10, 0.0)]
    for design, stream in zip(designs, np.random.SeedSequence(seed).spawn(5), strict=True):
        rng = np.random.default_rng(stream)
        runs = pd.DataFrame([one(rng, *design) for _ in range(replications)])
        rows.append(
            (*design, runs["reject"].mean(), runs["threshold"].median(), runs["covered"].mean())
        )
    columns = ["n", "t", "jump", "reject_5", "median_threshold", "coverage_95"]
    found = pd.DataFrame(rows, columns=columns)
    found.loc[found["jump"] == 0, ["median_threshold", "coverage_95"]] = np.nan
    return found.assign(replications=replications)


if __name__ == "__main__":
    print(table(int(sys.argv[1]) if len(sys.argv) > 1 else 2000).to_string(index=False))
