"""Dumitrescu-Hurlin test, 30 x 20: beside panelbox, and its bootstrap beside a loop.

panelbox has no bootstrap of it.
"""

import numpy as np
import pandas as pd
from panelbox.var.causality import dumitrescu_hurlin_test
from timing import record, write

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


def the_test(values: np.ndarray) -> dict:
    index = pd.MultiIndex.from_product([range(N), range(T)], names=["entity", "time"])
    y, x = (pd.Series(values[:, k].ravel(), index) for k in (0, 1))
    flat = pd.DataFrame({"y": y, "x": x}).reset_index()
    tasks = {
        "tandem": lambda: dumitrescu_hurlin(y, x),
        "panelbox": lambda: dumitrescu_hurlin_test(flat, "x", "y", 1),
    }
    np.testing.assert_allclose(tasks["tandem"]().wald, tasks["panelbox"]().individual_W, rtol=1e-8)
    return record("test of 30 x 20", "each entity's Wald to 1e-8", tasks, repeats=20)


def the_bootstrap(values: np.ndarray, draws: int = 20) -> dict:
    tasks = {
        "tandem": lambda: _bootstrap(values, 1, draws, np.random.default_rng(7)),
        "a loop": lambda: loop(values, draws, np.random.default_rng(7)),
    }
    np.testing.assert_allclose(tasks["tandem"](), tasks["a loop"](), rtol=1e-9)
    return record(f"{draws} bootstrap draws", "every draw to 1e-9", tasks)


if __name__ == "__main__":
    write([the_test(cube()), the_bootstrap(cube())])
