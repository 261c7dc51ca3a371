"""Step: one variant of a study, from raw tables to the two-way coefficients."""

from pathlib import Path

import pandas as pd

from tandem.analysis.panel import build_panel
from tandem.analysis.panel_var import fit_panel_vars
from tandem.analysis.regressions import fit_regressions
from tandem.analysis.scores import couple, score_systems
from tandem.analysis.two_way import two_way_terms
from tandem.study import Study


def run_variant(study: Study, data: Path, name: str) -> dict[str, pd.DataFrame]:
    """Two-way coefficients of a variant, and what it rests on.

    Parameters
    ----------
    study : Study
        With the variant's overrides applied.

    Returns
    -------
    dict of DataFrame
        two_way (see `two_way_terms`, with the variant's name), summary (one row: entities, years,
        complete entity-years, indicators per system, mean C and D), coverage.
    """
    built = build_panel(study, data)
    panel = built["panel"]
    years = panel.index.get_level_values("year")
    scores = score_systems(study, panel)["scores"]
    terms = [fit_regressions(study, scores, panel)[0]]
    if study.models.panel_var:
        terms.append(fit_panel_vars(study, scores)["terms"])
    coupling = couple(study, scores)["coupling"]
    summary = {
        "variant": name,
        "title": study.title.en,
        "entities": panel.index.get_level_values("entity").nunique(),
        "years": f"{years.min()}-{years.max()}",
        "complete": len(scores.dropna()),
        **{k: len(s.indicators) for k, s in study.systems.items()},
        "C_standard": coupling["C_standard"].mean(),
        "D_standard": coupling["D_standard"].mean(),
    }
    return {
        "two_way": two_way_terms(study, scores, pd.concat(terms)).assign(variant=name),
        "summary": pd.DataFrame([summary]),
        "coverage": built["coverage"],
    }
