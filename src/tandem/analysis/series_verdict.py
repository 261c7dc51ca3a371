"""Step: every method side by side for both directions of one entity's yearly series."""

import pandas as pd

from tandem.analysis.var import nation_series
from tandem.econometrics import holm
from tandem.study import Study

SHOWN = ["estimate", "conf_low", "conf_high"]


def series_verdict(
    study: Study, panel: pd.DataFrame, causality: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """The tests of the VAR's step in one unit, with p-values adjusted over all of them.

    Parameters
    ----------
    panel : DataFrame (entity-years, derived series)
        One entity.
    causality : DataFrame
        From `fit_nation`.

    Returns
    -------
    dict of DataFrame
        methods (direction, model, estimate, conf_low, conf_high, p_value, holm_p, romano_wolf_p;
        in standard deviations of what the VAR is fitted to, tests without an estimate empty) and
        not_carried (part, direction, why).
    """
    _, data = nation_series(study, panel)
    spread = data.std()
    names = _systems(study)
    rows = causality.rename(columns={"test": "model"})
    scale = rows["cause"].map(spread) / rows["effect"].map(spread)
    rows[SHOWN] = rows[SHOWN].mul(scale, axis=0)
    rows["direction"] = rows["cause"].map(names) + " → " + rows["effect"].map(names)
    known = rows["p_value"].notna()
    methods = rows[known].assign(holm_p=holm(rows.loc[known, "p_value"]))
    refused = rows[~known].rename(columns={"model": "part"})
    columns = ["direction", "model", *SHOWN, "p_value", "holm_p", "romano_wolf_p"]
    return {
        "methods": methods[columns].reset_index(drop=True),
        "not_carried": refused[["part", "direction", "why"]].reset_index(drop=True),
    }


def _systems(study: Study) -> dict[str, str]:
    """The system that each variable stands for, or the variable where two stand for one."""
    owner = {i: s for s, system in study.systems.items() for i in system.indicators}
    variables = study.models.var.variables
    systems = [owner.get(v, v) for v in variables]
    shown = systems if len(set(systems)) == len(systems) else variables
    return dict(zip(variables, shown, strict=True))
