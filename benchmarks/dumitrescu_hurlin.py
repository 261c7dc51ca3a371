"""999 bootstrap draws of the Dumitrescu-Hurlin test, 30 x 20: batched beside a loop.

OPENBLAS_NUM_THREADS=1 python benchmarks/dumitrescu_hurlin.py
"""

import numpy as np
import pandas as pd
from timing import median

from tandem.econometrics import dumitrescu_hurlin
from tandem.econometrics.dumitrescu_hurlin import _bootstrap

N, T = 30, 20


def cube() -> np.ndarray:
    rng = np.random.default_rng(1)
    values = rng.normal(size=(N, 2, T + 20))
    for t in range(1, T + 20):
        values[:, :, t] += 0.5 * values[:, :, t - 1]
    return values[:, :, -T:]


def loop(values: np.ndarray, draws: int, rng: np.random.Generator) -> np.ndarray:
    """The same random numbers, one draw, entity and regression after the other."""
    index = pd.MultiIndex.from_product([range(N), range(T)])
    y, x = values[:, 0], values[:, 1]
    years, first = rng.integers(0, T - 1, (draws, T - 1)), rng.integers(0, T, draws)
    found = []
    for d in range(draws):
        built = np.empty((N, T))
        for i in range(N):
            z = np.column_stack([np.ones(T - 1), y[i, :-1]])
            b = np.linalg.lstsq(z, y[i, 1:], rcond=None)[0]
            e = y[i, 1:] - z @ b
            built[i, 0] = y[i, first[d]]
            for t in range(1, T):
                built[i, t] = b[0] + b[1] * built[i, t - 1] + e[years[d, t - 1]]
        series = (pd.Series(a.ravel(), index) for a in (built, x))
        found.append(dumitrescu_hurlin(*series).wbar)
    return np.array(found)


if __name__ == "__main__":
    values = cube()
    some = [f(values, *a) for f, a in ((_bootstrap, (1, 20)), (loop, (20,)))
            for a in [(*a, np.random.default_rng(7))]]  # fmt: skip
    assert np.allclose(*some, rtol=1e-9)
    many = median(lambda: _bootstrap(values, 1, 999, np.random.default_rng(1)), 7)
    one = median(lambda: loop(values, 20, np.random.default_rng(1)), 3) / 20 * 999
    print(
        f"999 draws: batched {many:.3f} s, a loop {one:.1f} s (from 20 draws): {one / many:.0f} x"
    )
