"""Hansen's threshold model beside pyxthreg: 565 entities, 14 years as in Hansen (1999).

The panel is simulated, every value is in the grid, and pyxthreg runs on one core, as tandem does.
"""

import numpy as np
import pandas as pd
from pyxthreg import ThresholdPanel
from timing import record, write

from tandem.econometrics.threshold import PanelThreshold

DRAWS, TRIM = 300, 0.05
CONTROLS = ["q1", "q2", "q3", "d1", "qd1"]


def simulated() -> pd.DataFrame:
    """A panel of the size of Hansen's, two thresholds in d1."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rng.normal(size=(565 * 14, 6)), columns=["i", "c1", *CONTROLS[:-1]])
    frame["qd1"] = frame["q1"] * frame["d1"]
    frame["i"] += (1 + 0.4 * (frame["d1"] > -0.5) - 0.3 * (frame["d1"] > 0.8)) * frame["c1"]
    return frame.assign(id=np.repeat(np.arange(565), 14), year=np.tile(np.arange(14), 565))


def tandem(frame: pd.DataFrame, thresholds: int) -> tuple[list[float], list[float]]:
    """Thresholds, and sums of squares by step."""
    data = frame.set_index(["id", "year"])
    model = PanelThreshold(data["i"], data["c1"], data["d1"], data[CONTROLS], trim=TRIM)
    results = model.fit(thresholds, draws=DRAWS)
    return list(results.thresholds["estimate"]), list(results.tests["ssr"])


def pyxthreg(frame: pd.DataFrame, thresholds: int) -> tuple[list[float], list[float]]:
    model = ThresholdPanel(
        data=frame, dep="i", indep=CONTROLS, rx=["c1"], qx="d1", entity_col="id", time_col="year"
    )
    model.fit(thnum=thresholds, trim=TRIM, grid=0, bs=DRAWS, n_jobs=1, nobslog=True)
    found = model.results
    return list(found["thresholds"]), [float(row["rss"]) for row in found["boot_results"]]


if __name__ == "__main__":
    panel = simulated()
    for mine, theirs in zip(tandem(panel, 1), pyxthreg(panel, 1), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-8)
    tasks = {"tandem": lambda: tandem(panel, 3), "pyxthreg": lambda: pyxthreg(panel, 3)}
    equal = "first threshold, sums of squares to 1e-8"
    write([record(f"three thresholds, {DRAWS} draws each", equal, tasks, rounds=3)])
