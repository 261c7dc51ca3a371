"""Anderson-Rubin, Wald and over-identification tests with weak and strong instruments.

Three instruments, errors that persist within entities, true slope 1.
"""

import numpy as np
import pandas as pd

from tandem.econometrics.instruments import instrumental_regression

REPLICATIONS = 2000
NULL: dict = {}
SIZES = ["wald", "anderson_rubin", "hansen"]
READ = "With a void instrument the Wald interval of 2SLS is wrong and Anderson-Rubin's right."
DESIGNS = [
    {"n": 30, "t": 20, "strength": s, "method": m}
    for s in (0.5, 0.1, 0.03)
    for m in ("2sls", "liml")
]


def one(rng: np.random.Generator, n: int, t: int, strength: float, method: str) -> dict:
    """One sample."""
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
        "median_estimate": row["estimate"],
        "median_effective_f": fit.effective_f,
        "strong": fit.effective_f > fit.effective_f_critical,
        "wald": not row["conf_low"] <= 1 <= row["conf_high"],
        "anderson_rubin": not any(low <= 1 <= high for low, high in fit.anderson_rubin_set),
        "hansen": fit.overidentification.pval < 0.05,
    }
