"""Size of the Anderson-Rubin, Wald and over-identification tests with weak and strong instruments.

python benchmarks/monte_carlo/instruments.py [replications]
"""

import sys

import numpy as np
import pandas as pd

from tandem.econometrics.instruments import instrumental_regression


def one(rng: np.random.Generator, n: int, t: int, strength: float, method: str) -> dict:
    """One sample with three instruments and errors that persist within entities; true slope 1."""
    index = pd.MultiIndex.from_product([range(n), range(t)], names=["entity", "year"])
    noise = rng.normal(size=(n, t, 5))
    noise = 0.5 * noise + 0.5 * np.roll(noise, 1, axis=1)
    z, v, u = noise[:, :, :3], noise[:, :, 3], noise[:, :, 4]
    x = strength * z.sum(axis=2) + v
    y = x + 0.8 * v + 0.6 * u
    names = ["y", "x", "z1", "z2", "z3"]
    frame = pd.DataFrame(np.dstack([y, x, z]).reshape(n * t, 5), index, names)
    fit = instrumental_regression(
        frame["y"], frame["x"], frame[["z1", "z2", "z3"]], effects="entity", method=method
    )
    row = fit.terms.loc["x"]
    return {
        "estimate": row["estimate"],
        "effective_f": fit.effective_f,
        "strong": fit.effective_f > fit.effective_f_critical,
        "wald": not row["conf_low"] <= 1 <= row["conf_high"],
        "anderson_rubin": not any(low <= 1 <= high for low, high in fit.anderson_rubin_set),
        "hansen": fit.overidentification.pval < 0.05,
    }


def table(replications: int, seed: int = 1) -> pd.DataFrame:
    """Shares of samples, and medians of the estimate and the effective F, by design."""
    designs = [(30, 20, s, m) for s in (0.5, 0.1, 0.03) for m in ("2sls", "liml")]
    rows = []
    streams = np.random.SeedSequence(seed).spawn(len(designs))
    for design, stream in zip(designs, streams, strict=True):
        rng = np.random.default_rng(stream)
        runs = pd.DataFrame([one(rng, *design) for _ in range(replications)])
        middle, share = runs[["estimate", "effective_f"]].median(), runs.mean()
        rows.append((*design, *middle, *share[["strong", "wald", "anderson_rubin", "hansen"]]))
    columns = ["n", "t", "strength", "method", "median_estimate", "median_effective_f", "strong"]
    columns += ["wald_5", "anderson_rubin_5", "hansen_5"]
    return pd.DataFrame(rows, columns=columns).assign(replications=replications)


if __name__ == "__main__":
    print(table(int(sys.argv[1]) if len(sys.argv) > 1 else 2000).to_string(index=False))
