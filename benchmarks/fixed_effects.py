"""Two-way fixed effects on a million rows: panel_regression beside pyfixest, slopes checked first.

OPENBLAS_NUM_THREADS=1 python benchmarks/fixed_effects.py
"""

import numpy as np
import pandas as pd
from timing import median

from tandem.econometrics.static import panel_regression

N, T = 100_000, 10


def made() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    index = pd.MultiIndex.from_product([range(N), range(2001, 2001 + T)], names=["entity", "year"])
    frame = pd.DataFrame(rng.normal(size=(N * T, 3)), index, ["e", "x", "z"])
    effects = np.repeat(rng.normal(size=N), T) + np.tile(rng.normal(size=T), N)
    return frame.assign(y=0.5 * frame["x"] - 0.2 * frame["z"] + effects + frame["e"])


def ours(frame: pd.DataFrame) -> np.ndarray:
    return panel_regression(frame["y"], frame[["x", "z"]], "two-way")[0].params.to_numpy()


def theirs(frame: pd.DataFrame) -> np.ndarray:
    import pyfixest

    fit = pyfixest.feols("y ~ x + z | entity + year", frame, vcov={"CRV1": "entity"})
    return fit.coef().to_numpy()


if __name__ == "__main__":
    frame = made()
    flat = frame.reset_index()
    assert np.allclose(ours(frame), theirs(flat), rtol=1e-8)
    mine, other = median(lambda: ours(frame)), median(lambda: theirs(flat))
    print(f"tandem {mine:.2f} s, pyfixest {other:.2f} s: {mine / other:.1f} times as long")
