"""Size and power at 5 % of the panel unit-root tests: independent random walks, and rho 0.9."""

import sys

import numpy as np
import pandas as pd

from tandem.econometrics.panel_unit_roots import TESTS, panel_unit_root

CASES = [(30, 20), (15, 30), (30, 100)]


def panel(rng, n, t, rho):
    """Panel of n entities and t years whose errors are independent."""
    y = np.zeros((n, t + 50))
    for s in range(1, t + 50):
        y[:, s] = rho * y[:, s - 1] + rng.normal(size=n)
    index = pd.MultiIndex.from_product([range(n), range(t)], names=["entity", "year"])
    return pd.Series(y[:, -t:].ravel(), index, name="y")


if __name__ == "__main__":
    replications = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    tests = sys.argv[2].split(",") if len(sys.argv) > 2 else list(TESTS)
    for n, t in CASES:
        for test in tests:
            shares = []
            for rho in (1.0, 0.9):
                streams = np.random.SeedSequence(1).spawn(replications)
                panels = (panel(np.random.default_rng(s), n, t, rho) for s in streams)
                shares.append(
                    np.mean([panel_unit_root(y, test, lags=0).pval < 0.05 for y in panels])
                )
            print(
                f"{n} x {t} {test:14} rho 1: {shares[0]:.3f}   rho 0.9: {shares[1]:.3f}", flush=True
            )
