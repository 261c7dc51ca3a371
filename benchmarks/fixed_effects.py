"""Two-way fixed effects on a million rows: panel_regression beside pyfixest, slopes checked first.

OPENBLAS_NUM_THREADS=1 python benchmarks/fixed_effects.py
"""

import numpy as np
import pandas as pd
import pyfixest
from timing import median

from tandem.econometrics.static import panel_regression

N, T = 100_000, 10


def made() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    index = pd.MultiIndex.from_product([range(N), range(2001, 2001 + T)], names=["entity", "year"])
    frame = pd.DataFrame(rng.normal(size=(N * T, 3)), index, ["e", "x", "z"])
    effects = np.repeat(rng.normal(size=N), T) + np.tile(rng.normal(size=T), N)
    return frame.assign(y=0.5 * frame["x"] - 0.2 * frame["z"] + effects + frame["e"])


def ours(frame: pd.DataFrame) -> pd.DataFrame:
    result, _ = panel_regression(frame["y"], frame[["x", "z"]], "two-way")
    return pd.DataFrame({"estimate": result.params, "error": result.std_errors})


def theirs(frame: pd.DataFrame) -> pd.DataFrame:
    ssc = pyfixest.ssc(k_fixef="full")  # tandem's factor: every effect counts
    fit = pyfixest.feols("y ~ x + z | entity + year", frame, vcov={"CRV1": "entity"}, ssc=ssc)
    return pd.DataFrame({"estimate": fit.coef(), "error": fit.se()})


if __name__ == "__main__":
    frame = made()
    flat = frame.reset_index()
    np.testing.assert_allclose(ours(frame), theirs(flat), rtol=1e-9)
    spent = [(median(lambda: ours(frame), 1), median(lambda: theirs(flat), 1)) for _ in range(9)]
    mine, other = np.median(spent, axis=0)
    low, high = np.quantile([a / b for a, b in spent], [0, 1])
    print(f"estimates and errors equal to 1e-9; tandem {mine:.2f} s, pyfixest {other:.2f} s:")
    print(f"{mine / other:.2f} times as long ({low:.2f} to {high:.2f} in nine turns)")
