"""Size and power of the linearity test and bias of the dynamic threshold model.

python benchmarks/monte_carlo/dynamic_threshold.py [replications]
"""

import sys
import warnings

import numpy as np
import pandas as pd

from tandem.econometrics.dynamic_threshold import dynamic_threshold

GAMMA, BURN = 0.2, 20


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
        q_exogenous=q_exogenous, grid=50, draws=draws, seed=int(rng.integers(2**31)),
    )  # fmt: skip
    changed = fit.terms.loc["change: slope of the kink" if kink else "change: x"]
    return {
        "reject": fit.linearity_p <= 0.05,
        "threshold": fit.terms["estimate"]["threshold"],
        "change_error": changed["estimate"] - change,
        "covered": changed["conf_low"] <= change <= changed["conf_high"],
        "hansen_reject": fit.hansen_j.pval < 0.05,
    }


def table(replications: int, seed: int = 1) -> pd.DataFrame:
    """Rejection rates at 5 %, medians and coverage, by design."""
    designs = [
        (30, 20, 0.0, True, False),
        (30, 20, 1.0, True, False),
        (30, 20, 0.0, False, False),
        (30, 20, 0.0, True, True),
        (30, 20, 1.0, True, True),
        (200, 10, 0.0, True, False),
        (200, 10, 1.0, True, False),
    ]
    rows = []
    streams = np.random.SeedSequence(seed).spawn(len(designs))
    for design, stream in zip(designs, streams, strict=True):
        rng = np.random.default_rng(stream)
        runs = pd.DataFrame([one(rng, *design) for _ in range(replications)])
        middle, share = runs.median(), runs.mean()
        rows.append(
            (*design, share["reject"], middle["threshold"], middle["change_error"],
             share["covered"], share["hansen_reject"])
        )  # fmt: skip
    columns = ["n", "t", "change", "q_exogenous", "kink", "linearity_5", "median_threshold"]
    columns += ["median_bias_change", "coverage_95_change", "hansen_5"]
    return pd.DataFrame(rows, columns=columns).assign(replications=replications)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print(table(int(sys.argv[1]) if len(sys.argv) > 1 else 2000).to_string(index=False))
