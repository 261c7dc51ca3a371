"""Two-way fixed effects with errors clustered by entity: panel_regression beside its peers.

Seconds of the processor; pyfixest works on all cores. Errors of panelbox count the effects in
another way, so that only its slopes are compared; it makes a dummy of each entity.
"""

import numpy as np
import pandas as pd
import pyfixest
from linearmodels import PanelOLS
from panelbox import FixedEffects
from timing import record, write

from tandem.econometrics.static import panel_regression

T = 10


def made(n: int) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    index = pd.MultiIndex.from_product([range(n), range(2001, 2001 + T)], names=["entity", "year"])
    frame = pd.DataFrame(rng.normal(size=(n * T, 3)), index, ["e", "x", "z"])
    effects = np.repeat(rng.normal(size=n), T) + np.tile(rng.normal(size=T), n)
    return frame.assign(y=0.5 * frame["x"] - 0.2 * frame["z"] + effects + frame["e"])


def ours(frame: pd.DataFrame) -> pd.DataFrame:
    result, _ = panel_regression(frame["y"], frame[["x", "z"]], "two-way")
    return pd.DataFrame({"estimate": result.params, "error": result.std_errors})


def of_pyfixest(frame: pd.DataFrame) -> pd.DataFrame:
    ssc = pyfixest.ssc(k_fixef="full")  # tandem's factor: every effect counts
    fit = pyfixest.feols("y ~ x + z | entity + year", frame, vcov={"CRV1": "entity"}, ssc=ssc)
    return pd.DataFrame({"estimate": fit.coef(), "error": fit.se()})


def of_linearmodels(frame: pd.DataFrame) -> pd.DataFrame:
    model = PanelOLS(frame["y"], frame[["x", "z"]], entity_effects=True, time_effects=True)
    how = {"cluster_entity": True, "group_debias": True, "count_effects": True, "auto_df": False}
    fit = model.fit(cov_type="clustered", **how)
    return pd.DataFrame({"estimate": fit.params, "error": fit.std_errors})


def of_panelbox(frame: pd.DataFrame) -> pd.DataFrame:
    fit = FixedEffects("y ~ x + z", frame, "entity", "year", True, True).fit("clustered")
    return pd.DataFrame({"estimate": fit.params})


def beside(n: int, peers: list[str]) -> dict:
    frame = made(n)
    flat = frame.reset_index()
    tasks = {
        "tandem": lambda: ours(frame),
        "pyfixest": lambda: of_pyfixest(flat),
        "linearmodels": lambda: of_linearmodels(frame),
        "panelbox": lambda: of_panelbox(flat),
    }
    tasks = {name: tasks[name] for name in ("tandem", *peers)}
    for task in tasks.values():
        found = task()
        np.testing.assert_allclose(found, ours(frame)[found.columns], rtol=1e-9)
    return record(f"two-way effects, {n * T:,} rows", "slopes, errors to 1e-9", tasks, rounds=3)


if __name__ == "__main__":
    every = ["pyfixest", "linearmodels", "panelbox"]
    write([beside(500, every), beside(100_000, every[:2])])
