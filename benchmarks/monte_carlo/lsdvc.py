"""Bias and coverage of the bias-corrected within estimator: lag 0.3, 0.5, 0.8, slope 1."""

import sys

import numpy as np
import pandas as pd

from tandem.econometrics.lsdvc import bias_corrected_within
from tandem.errors import TandemError

CASES = [(30, 8, 0.3), (30, 8, 0.5), (30, 8, 0.8), (30, 20, 0.5)]


def one(rng, n, t, a):
    """Within and corrected lag coefficient, and whether the intervals hold the true values."""
    e, effect = rng.normal(size=(n, t + 40)), rng.normal(size=n)
    x, y = np.zeros((n, t + 40)), np.zeros((n, t + 40))
    for s in range(1, t + 40):
        x[:, s] = 0.5 * x[:, s - 1] + rng.normal(size=n)
        y[:, s] = a * y[:, s - 1] + x[:, s] + effect + e[:, s]
    index = pd.MultiIndex.from_product([range(n), range(t)], names=["entity", "year"])
    frame = pd.DataFrame({"y": y[:, -t:].ravel(), "x": x[:, -t:].ravel()}, index)
    try:
        fit = bias_corrected_within(frame["y"], frame[["x"]], draws=200, seed=1)
    except TandemError:
        return None
    low, high = fit.terms["conf_low"], fit.terms["conf_high"]
    true = pd.Series({"L1.y": a, "x": 1.0})
    holds = (low <= true) & (true <= high)
    return fit.within["L1.y"], fit.terms["estimate"]["L1.y"], holds["L1.y"], holds["x"]


if __name__ == "__main__":
    replications = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    print("  n  t    a  within  corrected  coverage a  coverage b  refused")
    for n, t, a in CASES:
        streams = np.random.SeedSequence(1).spawn(replications)
        found = [one(np.random.default_rng(s), n, t, a) for s in streams]
        kept = np.array([f for f in found if f is not None], float)
        within, corrected, ca, cb = kept.mean(axis=0)
        refused = replications - len(kept)
        print(
            f"{n:3} {t:2} {a:4} {within:7.3f} {corrected:10.3f} {ca:11.3f} {cb:11.3f} {refused:8}"
        )
