"""A specification curve of up to twenty thousand specifications, each with 199 permutations.

Arguments after the first set other numbers of measures, 500 specifications each.
"""

import sys

import numpy as np
import pandas as pd
from timing import record, write

from tandem.econometrics import PanelVAR, specification_curve, specifications
from tandem.econometrics.multiverse import _Shuffles

DRAWS = 199
YEARS = range(2001, 2015)
LEAST_SQUARES = {
    "lags": [1, 2, 3],
    "own_lags": [0, 1],
    "effects": ["entity", "two-way", "difference"],
}
GMM = {
    "lags": [1, 2],
    "transform": ["fod", "fd"],
    "instrument_lags": [(2, 3), (2, 4), (2, 6), (3, 5)],
    "collapse": [True],
    "steps": [1, 2],
}


def choices(count: int, seed: int = 1) -> tuple[dict, dict, dict]:
    """`count` measures, five windows and two sets of controls of 30 entities x 14 years."""
    rng = np.random.default_rng(seed)
    index = pd.MultiIndex.from_product([range(30), YEARS], names=["entity", "year"])
    base = rng.normal(size=(30, len(YEARS), 2))
    for t in range(1, len(YEARS)):
        base[:, t] += 0.5 * base[:, t - 1]
    measures = {
        f"m{i}": pd.DataFrame(
            (base + 0.3 * rng.normal(size=base.shape)).reshape(-1, 2), index, ["a", "b"]
        )
        for i in range(count)
    }
    windows = {f"{first}-{last}": (first, last) for first, last in
               [(2002, 2014), (2004, 2014), (2002, 2012), (2005, 2014), (2003, 2013)]}  # fmt: skip
    z = pd.DataFrame(rng.normal(size=(len(index), 2)), index, ["z1", "z2"])
    return measures, windows, {"none": None, "z": z}


def same_as_alone(permutation: int = 7) -> None:
    """A permutation is estimated within the curve as by a panel VAR of its panel alone."""
    measures, windows, controls = choices(1)
    one = {"lags": [1], "transform": ["fod"], "instrument_lags": [(2, 4)], "collapse": [True]}
    specs = specifications(["m0"], ["2002-2014"], ["none"], {}, one | {"steps": [2]})
    found = specification_curve(specs, measures, windows, controls, "a", "b", DRAWS, 1)
    panel = measures["m0"].copy()
    spread = panel[panel.index.get_level_values(1) >= 2002]
    spread = spread - spread.groupby(level=0).transform("mean")
    spread = (spread - spread.groupby(level=1).transform("mean")).std()
    order = _Shuffles(DRAWS, 1).of(np.ones((30, len(YEARS)), dtype=bool))[1 + permutation]
    panel["a"] = panel["a"].to_numpy().reshape(30, -1)[order].ravel()
    fit = PanelVAR(panel, 1, "fod", (2, 4), time_effects=True).fit()
    b = fit.params.loc["b", "L1.a"] * spread["a"] / spread["b"]
    assert np.isclose(found.drawn["median"].iloc[permutation], b, rtol=1e-6)


def timed(count: int) -> list[dict]:
    measures, windows, controls = choices(count)
    specs = specifications(list(measures), list(windows), list(controls), LEAST_SQUARES, GMM)

    def estimate(mine):
        found = specification_curve(mine, measures, windows, controls, "a", "b", DRAWS, 1)
        assert not found.summary["n_failed"]

    equal = "a permutation and a panel VAR of its panel, to 1e-6"
    return [
        record(kind, equal, {"tandem": lambda m=mine: estimate(m)}, {"specifications": len(mine)},
               rounds=1)
        for kind, mine in specs.groupby("estimator", sort=False)
    ]  # fmt: skip


if __name__ == "__main__":
    same_as_alone()
    write([one for m in sys.argv[2:] or (1, 4, 16, 40) for one in timed(int(m))])
