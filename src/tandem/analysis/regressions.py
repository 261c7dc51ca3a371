"""Step: each system regressed on the other's past, in the ways the study lists."""

import pandas as pd

from tandem import estimates
from tandem.econometrics import hausman, hausman_bootstrap, hausman_robust
from tandem.econometrics.static import lags, panel_regression
from tandem.econometrics.wild_bootstrap import wild_cluster_p
from tandem.study import Regression, Study


def directions(study: Study) -> list[tuple[str, str]]:
    """Ordered pairs (cause, effect) of the study's systems."""
    names = list(study.systems)
    return [(a, b) for a in names for b in names if a != b]


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
    """
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
    complete = x.join(y.rename("y")).dropna()
    classic, robust = hausman(fixed, random), hausman_robust(complete["y"], complete[list(x)])
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


def within_scale(scores: pd.DataFrame, cause: str, effect: str) -> float:
    """Standard deviation of the cause over that of the effect, within entities and years.

    Exact if entities have the same years.
    """
    known = scores.dropna()
    entity, year = (known.groupby(level=k).transform("mean") for k in ("entity", "year"))
    spread = (known - entity - year + known.mean()).std()
    return float(spread[cause] / spread[effect])


def two_way_terms(study: Study, scores: pd.DataFrame, terms: pd.DataFrame) -> pd.DataFrame:
    """First-lag coefficients of both directions in standard deviations, for one figure.

    Parameters
    ----------
    terms : DataFrame
        Records of the regressions and panel VARs.

    Returns
    -------
    DataFrame
        Columns direction, cause, effect, model, estimate, std_error, conf_low, conf_high, p_value,
        and table and record, where the estimate stands in the results store: standard deviations
        of the effect for one of the cause, both after taking out the means of entities and years,
        which is the variation that the two-way models compare.
    """
    rows = []
    labels = {k: r.label for k, r in study.models.regressions.items()}
    if study.models.panel_var:
        labels |= {k: f"Panel VAR: {m.label}" for k, m in study.models.panel_var.models.items()}
    for cause, effect in directions(study):
        scale = within_scale(scores, cause, effect)
        mine = terms["table"].isin([effect, "panel_var"]) & (terms["equation"] == effect)
        found = terms[mine & (terms["term"] == f"L1.{cause}")]
        block = found[["table", "model", "p_value"]].assign(record=found["model"])
        for column in ("estimate", "std_error", "conf_low", "conf_high"):
            block[column] = found[column] * scale
        block["model"] = block["model"].map(labels)
        rows.append(block.assign(cause=cause, effect=effect, direction=f"{cause} → {effect}"))
    return pd.concat(rows, ignore_index=True)
