"""Time Hansen's threshold model beside pyxthreg: same panel, 3 x 300 draws, every value as grid.

python benchmarks/threshold.py [hansen1999.csv]

Without a file the panel is simulated (565 entities, 14 years, as in Hansen 1999). pyxthreg is no
dependency of tandem: `pip install pyxthreg` into another folder and put that on PYTHONPATH; without
it tandem is timed alone. Results are compared before the clocks. Times are processor seconds, as
the machine may be shared, and pyxthreg runs on one core, as tandem does.
"""

import sys
import time

import numpy as np
import pandas as pd
from timing import median

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
    from pyxthreg import ThresholdPanel

    model = ThresholdPanel(
        data=frame, dep="i", indep=CONTROLS, rx=["c1"], qx="d1", entity_col="id", time_col="year"
    )
    model.fit(thnum=thresholds, trim=TRIM, grid=0, bs=DRAWS, n_jobs=1, nobslog=True)
    found = model.results
    return list(found["thresholds"]), [float(row["rss"]) for row in found["boot_results"]]


if __name__ == "__main__":
    panel = pd.read_csv(sys.argv[1]) if len(sys.argv) > 1 else simulated()
    ours = median(lambda: tandem(panel, 3), 5, time.process_time)
    print(f"tandem, 3 x {DRAWS} draws: {ours:.2f} s (median of 5)")
    try:
        theirs = pyxthreg(panel, 1)  # also compiles
    except ImportError:
        sys.exit("pyxthreg is not installed; nothing to compare with.")
    mine = tandem(panel, 1)
    print(f"one threshold: tandem {mine}, pyxthreg {theirs}")
    np.testing.assert_allclose(mine, theirs, rtol=1e-8)
    other = median(lambda: pyxthreg(panel, 3), 3, time.process_time)
    print(f"pyxthreg, 3 x {DRAWS} draws: {other:.2f} s (median of 3), {other / ours:.0f} times")
