"""The verdict step sets side by side what its estimators say."""

import numpy as np
import pandas as pd
import pytest

from tandem.analysis.curve import run_curve
from tandem.analysis.panel_var import fit_panel_vars
from tandem.analysis.regressions import fit_regressions
from tandem.analysis.scores import index_study
from tandem.analysis.two_way import two_way_terms, within_scale
from tandem.analysis.verdict import study_verdict
from tandem.econometrics import FixedEffectsVAR, half_panel_jackknife_causality, holm
from tandem.study import Study

ENTITIES = [f"e{i:02d}" for i in range(40)]
CURVE = {
    "weights": ["entropy", "equal"],
    "least_squares": {"lags": [1], "own_lags": [0, 1], "effects": ["two-way"]},
    "gmm": {"steps": [1], "transform": ["fod"], "instrument_lags": [[2, 3]]},
    "draws": 19,
}


@pytest.fixture(scope="module")
def found(raw, panel):
    groups = {"first": ENTITIES[:15], "second": ENTITIES[15:]}
    models = {
        "controls": raw.get("models", {}).get("controls", []),
        "regressions": {
            "pooled": {"label": "Pooled", "effects": "none"},
            "two_way": {"label": "Two-way", "effects": "two-way"},
            "random": {"label": "Random", "effects": "random"},
        },
        "panel_var": {
            "instrument_lags": [2, 4],
            "models": {"fod": {"label": "FOD", "steps": 2}},
            "draws": 99,
        },
        "verdict": {"draws": 99, "horizon": 2, "curve": CURVE},
    }
    study = Study.model_validate(
        raw | {"panel": raw["panel"] | {"groups": groups}, "models": models}
    )
    indices = index_study(study, panel, panel)
    scores = indices["scores"]
    terms = pd.concat(
        [fit_regressions(study, scores, panel)[0], fit_panel_vars(study, scores)["terms"]]
    )
    frames = panel, indices["normalised"], indices["weights"]
    chunks = [run_curve(study, *frames, chunk) for chunk in range(2)]
    a, b = study.systems
    more = pd.DataFrame(
        {
            "direction": [f"{a} → {b}"] * 2,
            "model": ["own lag, system GMM", "winsorised at 1%"],
            "estimate": [0.1, 0.2],
            "conf_low": [0.0, 0.1],
            "conf_high": [0.2, 0.3],
            "p_value": [0.04, 0.5],
        }
    )
    words = ["Dumitrescu-Hurlin wbar, bootstrap, 1 lag", "Dumitrescu-Hurlin zbar, 1 lag"]
    tests = pd.DataFrame({"direction": f"{a} → {b}", "test": words, "p_value": [0.03, 0.01]})
    return study, scores, terms, study_verdict(study, scores, panel, terms, more, tests, chunks)


def test_every_method_stands_once_a_direction_with_its_own_estimate(found):
    study, scores, terms, tables = found
    methods = tables["methods"].set_index(["direction", "model"])
    assert not methods.index.has_duplicates
    for row in two_way_terms(study, scores, terms).itertuples():
        mine = methods.loc[(row.direction, row.model)]
        assert mine["estimate"] == pytest.approx(row.estimate)
        assert mine["p_value"] == pytest.approx(row.p_value)


def test_further_estimates_are_scaled_and_other_data_left_out(found):
    study, scores, _, tables = found
    a, b = study.systems
    methods = tables["methods"].set_index(["direction", "model"])
    scale = within_scale(scores, a, b)
    mine = methods.loc[(f"{a} → {b}", "own lag, system GMM")]
    assert mine["estimate"] == pytest.approx(0.1 * scale)
    assert "winsorised at 1%" not in methods.index.get_level_values("model")


def test_adjusted_p_values_are_no_smaller(found):
    methods = found[-1]["methods"]
    assert (methods["holm_p"] >= methods["p_value"] - 1e-12).all()
    assert methods["holm_p"].to_numpy() == pytest.approx(holm(methods["p_value"]).to_numpy())
    several = methods.dropna(subset=["romano_wolf_p"])
    assert set(several["model"]) == {"Pooled", "Two-way", "Panel VAR: FOD"}
    assert several["romano_wolf_p"].between(0.01, 1).all()


def test_a_region_is_a_regression_of_its_own(found):
    study, _, _, tables = found
    regions = tables["regions"]
    assert set(regions["region"]) == {"first", "second"}
    assert set(regions["n_entities"]) == {15, 25}


def test_local_projections_come_in_both_orders(found):
    assert found[-1]["responses"]["order"].nunique() == 2
    assert found[-1]["responses"]["horizon"].max() == 2


def test_the_curve_holds_every_combination(found):
    tables = found[-1]
    controls = 2 if found[0].models.controls else 1
    assert tables["curve_summary"]["n_specifications"].tolist() == [2 * controls * 3] * 2
    assert (tables["curve"]["why"] == "").all()
    assert len(tables["curve_permuted"]) == 2 * 19


def test_a_panel_too_short_for_the_within_var_says_so(found):
    study, scores, _, tables = found
    years = scores.index.get_level_values("year").nunique()
    told = tables["not_carried"]
    refused = (told["part"] == "Within panel VAR").any()
    assert refused == (years < 15)
    if not refused:
        a, b = study.systems
        fit = FixedEffectsVAR(scores, time_effects=True).fit()
        methods = tables["methods"].set_index(["direction", "model"])
        mine = methods.loc[(f"{a} → {b}", "Within panel VAR, half-panel jackknife"), "estimate"]
        assert mine == pytest.approx(fit.params.loc[b, f"L1.{a}"] * within_scale(scores, a, b))


def test_pooled_causes_are_those_of_the_jackknife(found):
    study, scores, _, tables = found
    a, b = study.systems
    methods = tables["methods"].set_index(["direction", "model"])
    mine = methods.loc[(f"{a} → {b}", "Half-panel jackknife causality")]
    fit = half_panel_jackknife_causality(
        scores[b], scores[a], variance="bootstrap", seed=study.seed, time_effects=True
    )
    b_scaled = fit.terms["estimate"].iloc[0] * within_scale(scores, a, b)
    assert mine["estimate"] == pytest.approx(b_scaled)
    assert mine["p_value"] == pytest.approx(fit.test.pval)


def test_a_test_without_an_estimate_counts_in_the_family_and_only_it_has_none(found):
    methods = found[-1]["methods"]
    none = methods[methods["estimate"].isna()]
    assert none["model"].tolist() == ["Dumitrescu-Hurlin, bootstrap, 1 lag"]
    assert none["p_value"].tolist() == [0.03]
    known = methods.dropna(subset=["estimate"])
    assert np.isfinite(known[["conf_low", "conf_high", "p_value"]]).all(axis=None)
