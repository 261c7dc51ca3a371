"""The claims as tables and as a path diagram."""

import numpy as np
import pandas as pd
import pytest
import yaml

from tandem.report.claims import claim_figures, claim_tables
from tandem.report.figures_claims import path_diagram
from tandem.study import Study


@pytest.fixture(scope="module")
def study():
    from pathlib import Path

    file = Path(__file__).parents[2] / "studies/provinces.yaml"
    raw = yaml.safe_load(file.read_text(encoding="utf-8"))
    return Study.model_validate(raw)


@pytest.fixture(scope="module")
def found(study):
    rows = []
    for name, claim in study.claims.items():
        known = claim.test != "none"
        numbers = (0.4, 0.1, 0.7, 0.01, 0.02) if known else (np.nan,) * 5
        rows.append(
            (name, claim.part, claim.test, claim.cause or "", claim.effect or "", "+",
             "supported" if known else "no data", *numbers, np.nan, np.nan, np.nan, 0.5, "t",
             claim.needs)
        )  # fmt: skip
    columns = "claim part test cause effect sign verdict estimate conf_low conf_high p_value holm_p"
    columns += " second second_low second_high agree tables why"
    return pd.DataFrame(rows, columns=columns.split())


def test_every_claim_has_a_row_in_both_tables(study, found):
    first, second = claim_tables(study, {"claims/claims": found})
    assert (first.name, second.name) == ("claims", "claims_sources")
    assert len(first.rows) == len(second.rows) == len(study.claims)


def test_a_study_without_claims_has_none(study):
    assert claim_tables(study, {}) == [] and list(claim_figures(study, {})) == []


def test_tested_claims_show_their_estimate_and_the_others_are_dashed(study, found):
    figure = path_diagram(found, {"technology": "T", "upgrading": "U"})
    words = [t.get_text() for t in figure.axes[0].texts]
    assert any("H10 +0.40\n[0.10, 0.70]" == w for w in words)
    assert "H5A, H5B" in words
    arrows = figure.axes[0].patches
    solid = [a for a in arrows if a.get_linestyle() in ("-", "solid")]
    tested = found[~found["test"].isin(["none", "stages", "bound"])]
    assert len(solid) == len(tested)


def test_a_wider_arrow_is_a_larger_estimate(study, found):
    larger = found.assign(estimate=np.where(found["claim"] == "h1_talent", 0.9, found["estimate"]))
    names = {"technology": "T", "upgrading": "U"}
    widths = [
        {a.get_linewidth() for a in path_diagram(f, names).axes[0].patches} for f in (found, larger)
    ]
    assert max(widths[1]) > max(widths[0])
