"""Dynamic threshold model (Seo & Shin): linearity test, threshold (true value 0.2), its change."""

import numpy as np
import pandas as pd

from tandem.econometrics.dynamic_threshold import dynamic_threshold

GAMMA, BURN = 0.2, 20
REPLICATIONS = 2000
NULL = {"change": 0.0}
SIZES = ["linearity", "hansen"]
READ = """
With a random sign an entity the linearity test is within the band; with the paper's normal
numbers it rejected .072 of 1500 true nulls (q exogenous) and .076 of 1000 (not). The J test
rejects too often where there is no threshold, as its place is then not identified; with 30
entities the place is hardly found at all, and the interval of the change is too wide but for a
kink. Seo & Shin's (2016) tables were out of reach.
"""
DESIGNS = [
    {"n": n, "t": t, "change": change, "q_exogenous": exogenous, "kink": kink}
    for n, t, change, exogenous, kink in (
        (30, 20, 0.0, True, False),
        (30, 20, 1.0, True, False),
        (30, 20, 0.0, False, False),
        (30, 20, 0.0, True, True),
        (30, 20, 1.0, True, True),
        (200, 10, 0.0, True, False),
        (200, 10, 1.0, True, False),
    )
]


def simulate(rng: np.random.Generator, n: int, t: int, change: float, kink: bool) -> pd.DataFrame:
    """``y = 0.4 L1.y + x + a + change (0.5 + x) 1(q > 0.2) + e``, q autoregressive."""
    effect, y, q = rng.normal(size=n), np.zeros(n), rng.normal(size=n)
    years = []
    for _ in range(BURN + t):
        q = 0.5 * q + rng.normal(size=n)
        x = rng.normal(size=n)
        step = (q - GAMMA) * (q > GAMMA) if kink else (0.5 + x) * (q > GAMMA)
        y = 0.4 * y + x + effect + change * step + 0.5 * rng.normal(size=n)
        years.append(np.stack([y, x, q], axis=1))
    index = pd.MultiIndex.from_product([range(n), range(t)], names=["entity", "year"])
    values = np.stack(years[-t:], axis=1).reshape(n * t, 3)
    return pd.DataFrame(values, index, ["y", "x", "q"])


def one(rng, n: int, t: int, change: float, q_exogenous: bool, kink: bool, draws: int = 99) -> dict:
    """One sample: linearity rejected at 5 %?, threshold and the change of x's slope."""
    frame = simulate(rng, n, t, change, kink)
    fit = dynamic_threshold(
        frame["y"], frame["q"], frame[["x"]], shape="kink" if kink else "jump",
        q_exogenous=q_exogenous, grid=30, draws=draws, seed=int(rng.integers(2**31)),
    )  # fmt: skip
    changed = fit.terms.loc["change: slope of the kink" if kink else "change: x"]
    return {
        "linearity": fit.linearity_p <= 0.05,
        "median_threshold": fit.terms["estimate"]["threshold"],
        "median_bias_change": changed["estimate"] - change,
        "coverage_95_change": changed["conf_low"] <= change <= changed["conf_high"],
        "hansen": fit.hansen_j.pval < 0.05,
    }
