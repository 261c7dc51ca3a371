"""Within panel VAR and its corrections, and local projections: bias, coverage of 95 % intervals.

The panels of panel_var.py without common shocks, link .2.
"""

import numpy as np
from panel_var import SIGMA, simulate

from tandem.econometrics import FixedEffectsVAR, local_projections
from tandem.econometrics.panel_var_irf import responses

REPLICATIONS = 2000
COVERS = ["plain_95", "half_95", "hk_95", "lp_dk_95", "lp_clustered_95"]
DESIGNS = [{"n": n, "t": t} for n in (30, 100) for t in (15, 20, 40)]


def one(rng: np.random.Generator, n: int, t: int) -> dict:
    """One sample: least squares three ways, responses of b to a's shock two years on."""
    data = simulate(rng, n, t, 0.2, False)
    found = {}
    for name, correction in (
        ("plain", None), ("half", "half-panel"), ("hk", "hahn-kuersteiner"),
    ):  # fmt: skip
        fit = FixedEffectsVAR(data).fit(correction)
        b, se = fit.params.iloc[0], fit.std_errors.iloc[0]
        found[f"{name}_bias_own"] = b.iloc[0] - 0.5
        found[f"{name}_bias_link"] = b.iloc[1] - 0.2
        found[f"{name}_95"] = abs(b.iloc[1] - 0.2) <= 1.96 * se.iloc[1]
    truth = responses(np.array([[0.5, 0.2], [0.1, 0.4]]), np.linalg.cholesky(SIGMA), 2)[2, 1, 0]
    for name, se in (("dk", "driscoll-kraay"), ("clustered", "clustered")):
        table = local_projections(data, horizon=2, se=se).table
        row = table.set_index(["impulse", "response", "horizon"]).loc[("a", "b", 2)]
        found["lp_bias"] = row["estimate"] - truth
        found[f"lp_{name}_95"] = row["conf_low"] <= truth <= row["conf_high"]
    return found
