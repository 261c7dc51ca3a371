"""The two directions of a study, and its estimates of both side by side."""

import pandas as pd

from tandem.study import Study


def directions(study: Study) -> list[tuple[str, str]]:
    """Ordered pairs (cause, effect) of the study's systems."""
    names = list(study.systems)
    return [(a, b) for a in names for b in names if a != b]


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
