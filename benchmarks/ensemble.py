"""Uncertainty of coupling, 30 entities x 20 years x 10 indicators: draws and their summary."""

import numpy as np
import pandas as pd
from timing import record, write

from tandem.indices import ensemble

SEED, ENTITIES, YEARS, INDICATORS = 1, 30, 20, 10


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


def drawn(draws: int, whole) -> dict:
    def task():
        found = ensemble.run(ensemble.plan(*made_up()), draws, SEED)
        ensemble.summarise(found.D, whole.D.median())

    rounds = 5 if draws <= 1000 else 3
    equal = "1000 draws whole and in four chunks, to the byte"
    return record("ensemble", equal, {"tandem": task}, {"draws": draws}, rounds=rounds)


if __name__ == "__main__":
    plan = ensemble.plan(*made_up())
    whole = ensemble.run(plan, 1000, SEED)
    chunks = [ensemble.run(plan, range(k, k + 250), SEED) for k in range(0, 1000, 250)]
    assert whole.D.to_numpy().tobytes() == ensemble.join(chunks).D.to_numpy().tobytes()
    write([drawn(100, whole), drawn(1000, whole), drawn(10_000, whole)])
