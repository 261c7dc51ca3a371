"""Panel VAR by GMM (FOD, lags 2-4 collapsed, two-step): bias, coverage of response bands, Granger.

Two variables, A = [[.5, link], [.1, .4]], errors correlated .3; with `shocks` every year has one
common to all entities and year effects are taken out. Coverage: of the responses one and three
years ahead of the second variable to the first's shock, by resampled entities (199 draws), by the
normal distribution, and of the joint bands over years 1 to 4.
"""

import numpy as np
import pandas as pd

from tandem.econometrics import PanelVAR
from tandem.econometrics.panel_var_irf import joint, pointwise, responses
from tandem.errors import TandemError

REPLICATIONS = 2000
NULL = {"link": 0.0}
SIZES = ["granger_b_to_a"]
COVERS = ["bootstrap_95_h1", "bootstrap_95_h3", "gaussian_95_h1", "gaussian_95_h3", "joint_95"]
SIGMA = np.array([[1.0, 0.3], [0.3, 1.0]])
DESIGNS = [
    {"n": n, "t": t, "link": link, "shocks": shocks}
    for n in (30, 100)
    for t in (12, 20, 40)
    for link in (0.0, 0.2)
    for shocks in (False, True)
]


def simulate(rng, n: int, t: int, link: float, shocks: bool) -> pd.DataFrame:
    """Panel with entity effects after 40 years of burning in."""
    a = np.array([[0.5, link], [0.1, 0.4]])
    effect, root = rng.normal(size=(n, 2)), np.linalg.cholesky(SIGMA)
    y, years = np.zeros((n, 2)), []
    for _ in range(40 + t):
        common = rng.normal(size=2) if shocks else 0.0
        y = y @ a.T + effect + common + rng.normal(size=(n, 2)) @ root.T
        years.append(y)
    values = np.stack(years[-t:], axis=1).reshape(-1, 2)
    index = pd.MultiIndex.from_product([range(n), range(t)], names=["entity", "year"])
    return pd.DataFrame(values, index, ["a", "b"])


def one(rng: np.random.Generator, n: int, t: int, link: float, shocks: bool) -> dict | None:
    """One sample; the link is that of b's past on a."""
    data = simulate(rng, n, t, link, shocks)
    seed = int(rng.integers(2**31))
    try:
        fit = PanelVAR(data, instrument_lags=(2, 4), time_effects=shocks).fit()
    except TandemError:
        return None
    a = np.array([[0.5, link], [0.1, 0.4]])
    impact = np.linalg.cholesky(SIGMA)
    truth = responses(a, impact, 4)
    low_high, found = {}, {}
    base = responses(fit.params.to_numpy(), np.linalg.cholesky(fit.residual_cov.to_numpy()), 4)
    for kind in ("bootstrap", "gaussian"):
        coef, sigma = fit.draw(kind, 199, seed)
        drawn = responses(coef, np.linalg.cholesky(sigma), 4)
        low_high[kind] = drawn
        for level in (0.9, 0.95):
            low, high = pointwise(drawn, level)
            held = (low <= truth) & (truth <= high)
            for year in (1, 3):
                found[f"{kind}_{level * 100:.0f}_h{year}"] = held[year, 1, 0]
    low, high = joint(base[1:], low_high["bootstrap"][:, 1:], 0.95)
    found["joint_95"] = ((low <= truth[1:]) & (truth[1:] <= high))[:, 1, 0].all()
    granger = fit.granger["pval"]
    return {
        "bias_own": fit.params.iloc[0, 0] - 0.5,
        "bias_link": fit.params.iloc[0, 1] - link,
        **found,
        "granger_b_to_a": granger["b", "a"] < 0.05,
        "hansen": fit.hansen_j.pval < 0.05,
    }
