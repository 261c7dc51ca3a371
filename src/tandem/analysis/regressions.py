"""Step: each system regressed on the other's past, in the ways the study lists."""

import pandas as pd

from tandem import estimates
from tandem.analysis.two_way import directions
from tandem.econometrics import hausman, hausman_bootstrap, hausman_robust
from tandem.econometrics.static import lags, panel_regression
from tandem.econometrics.wild_bootstrap import wild_cluster_p
from tandem.errors import TandemError
from tandem.study import Regression, Study


def fit_regressions(study: Study, scores: pd.DataFrame, panel: pd.DataFrame):
    """Every regression of the study, both ways.

    Parameters
    ----------
    scores : DataFrame (entity-years, systems)
    panel : DataFrame (entity-years, derived series)
        Controls are read from here.

    Returns
    -------
    terms, models : DataFrame
        Records; the table is named after the effect, the model after the study's key.

    Raises
    ------
    TandemError
        If there is one entity; what `panel_regression` refuses.
    """
    if study.models.regressions and scores.index.get_level_values("entity").nunique() == 1:
        raise TandemError(
            "There is one entity, and models.regressions compares several; give models.var, which "
            "is for the years of one."
        )
    records = []
    for cause, effect in directions(study):
        for name, spec in study.models.regressions.items():
            y, x = design(study, spec, cause, effect, scores, panel)
            result, facts = panel_regression(y, x, spec.effects, spec.se)
            if spec.effects == "random":
                facts |= _hausman(y, x, study.seed)
            elif spec.se == "clustered":
                facts["wild_p"] = wild_cluster_p(y, x, f"L1.{cause}", spec.effects, seed=study.seed)
            se_type = facts.pop("se_type")
            records.append(
                estimates.from_linearmodels(result, effect, name, se_type, equation=effect, **facts)
            )
    return estimates.stack(records)


def design(study: Study, spec: Regression, cause: str, effect: str, scores, panel):
    """Dependent variable and regressors of one regression of the study."""
    controls = [*(study.models.controls if spec.controls else []), *spec.add]
    x = lags(scores[cause], list(range(1, spec.lags + 1)))
    if spec.own_lags:
        x = x.join(lags(scores[effect], list(range(1, spec.own_lags + 1))))
    x = x.join(panel[controls])
    return scores[effect], x


def _hausman(y: pd.Series, x: pd.DataFrame, seed: int) -> dict:
    """Classic, bootstrapped and cluster-robust Hausman tests of random against fixed effects."""
    fixed, _ = panel_regression(y, x, "entity", "unadjusted")
    random, _ = panel_regression(y, x, "random", "unadjusted")
    complete = x.join(y.rename("__y__")).dropna()
    classic, robust = hausman(fixed, random), hausman_robust(complete["__y__"], complete[list(x)])
    drawn = hausman_bootstrap(y, x, seed=seed)
    return {
        "hausman_bootstrap": drawn.stat,
        "hausman_bootstrap_p": drawn.pval,
        "hausman": classic.stat,
        "hausman_df": classic.df,
        "hausman_p": classic.pval,
        "hausman_robust": robust.stat,
        "hausman_robust_df": robust.df,
        "hausman_robust_p": robust.pval,
    }
