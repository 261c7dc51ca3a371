"""Uncertainty of coupling on 30 entities x 20 years x 10 indicators: time of 1000 and 10,000 draws.

    .venv/bin/python benchmarks/ensemble.py

What is measured is the choices and D of every draw and their summary (bands, levels, ranks), in one
process. Before that, 1000 draws in one piece and in four chunks are held to be equal to the byte.
"""

import platform
import statistics
import sys
import time

import numpy as np
import pandas as pd

from tandem.indices import ensemble

SEED, ENTITIES, YEARS, INDICATORS = 1, 30, 20, 10
RUNS = 5


def made_up() -> tuple[pd.DataFrame, dict]:
    """Skewed indicators with a trend, five in each of two systems."""
    rng = np.random.default_rng(SEED)
    index = pd.MultiIndex.from_product(
        [[f"e{i:02d}" for i in range(ENTITIES)], range(2000, 2000 + YEARS)],
        names=["entity", "year"],
    )
    trend = np.tile(np.arange(YEARS), ENTITIES)[:, None] / YEARS
    x = np.exp(rng.normal(size=(len(index), INDICATORS)) + trend)
    names = [f"x{k}" for k in range(INDICATORS)]
    systems = {"one": dict.fromkeys(names[:5], "+"), "two": dict.fromkeys(names[5:], "+")}
    return pd.DataFrame(x, index, names), systems


def main() -> None:
    x, systems = made_up()
    plan = ensemble.plan(x, systems)
    whole = ensemble.run(plan, 1000, SEED)
    chunks = [ensemble.run(plan, range(k, k + 250), SEED) for k in range(0, 1000, 250)]
    joined = ensemble.join(chunks)
    assert whole.D.to_numpy().tobytes() == joined.D.to_numpy().tobytes()
    baseline = whole.D.median()
    print(f"Python {platform.python_version()}, {platform.machine()}, {sys.platform}")
    for draws in (1000, 10000):
        seconds = []
        for _ in range(RUNS):
            start = time.perf_counter()
            ensemble.summarise(ensemble.run(ensemble.plan(x, systems), draws, SEED).D, baseline)
            seconds.append(time.perf_counter() - start)
        low, mid, high = min(seconds), statistics.median(seconds), max(seconds)
        print(
            f"{draws:6} draws: {low:.2f} / {mid:.2f} / {high:.2f} s (min / median / max of {RUNS})"
        )


if __name__ == "__main__":
    main()
