"""Parts of a study that are optional or that few years, entities or systems cannot carry."""

from functools import partial

import numpy as np
import pandas as pd
import pytest

from tandem.analysis import robustness
from tandem.analysis.curve import plan_curve
from tandem.analysis.dynamics import study_dynamics
from tandem.analysis.link import Link
from tandem.analysis.panel_var import fit_panel_vars
from tandem.analysis.regressions import fit_regressions
from tandem.analysis.scores import index_study
from tandem.analysis.series_links import series_links
from tandem.analysis.two_way import two_way_terms, within_scale
from tandem.analysis.verdict import study_verdict
from tandem.econometrics import (
    FixedEffectsVAR,
    common_correlated_effects,
    dynamic_threshold,
    fmols,
    joint_links,
    mean_group,
)
from tandem.econometrics.static import lags
from tandem.errors import TandemError
from tandem.study import Study

TWO_WAY = {"two_way": {"label": "Two-way", "effects": "two-way"}}
WAY, BACK = "tech → upgrade", "upgrade → tech"


def study_of(raw, groups=None, dynamics=None, **models):
    panel = raw["panel"] | {"groups": groups or {}}
    models = {"regressions": TWO_WAY, **models}
    more = {"dynamics": dynamics} if dynamics else {}
    return Study.model_validate(raw | {"panel": panel, "models": models} | more)


@pytest.fixture(scope="module")
def long_scores():
    """12 entities, 24 years, both ways."""
    rng = np.random.default_rng(3)
    index = pd.MultiIndex.from_product(
        [[f"e{i:02d}" for i in range(12)], range(1991, 2015)], names=["entity", "year"]
    )
    x = rng.normal(size=(12, 24, 2))
    for t in range(1, 24):
        x[:, t] += x[:, t - 1] @ np.array([[0.4, 0.2], [0.1, 0.4]])
    return pd.DataFrame(0.5 + x.reshape(-1, 2) / 20, index, columns=["tech", "upgrade"])


# --- regressions and panel VARs -------------------------------------------------------------------


def test_regressions_of_one_entity_are_refused(raw, scores, panel):
    """Nothing varies within one entity and its years, so that no effect has a scale."""
    pooled = {"label": "OLS", "effects": "none", "se": "robust", "controls": False}
    study = study_of(raw, regressions={"ols": pooled})
    with pytest.raises(TandemError, match="one entity, and models.regressions compares several"):
        fit_regressions(study, scores.loc[["e00"]], panel.loc[["e00"]])


def test_without_a_panel_var_the_regressions_stand_alone(raw, scores, panel):
    study = study_of(raw)
    terms, _ = fit_regressions(study, scores, panel)
    table = two_way_terms(study, scores, terms)
    assert table[["direction", "model"]].to_numpy().tolist() == [
        [WAY, "Two-way"], [BACK, "Two-way"],
    ]  # fmt: skip


def test_a_panel_var_of_three_systems_keeps_the_test_of_all_others(raw, scores):
    third = {"label": {"en": "Size"}, "indicators": {"size": "+"}}
    raw = raw | {"systems": raw["systems"] | {"mass": third}}
    block = {"instrument_lags": [2, 3], "models": {"fod": {"label": "FOD", "steps": 1}},
             "draws": 99, "horizon": 2}  # fmt: skip
    rng = np.random.default_rng(4)
    three = scores.assign(mass=rng.normal(size=len(scores)))
    found = fit_panel_vars(study_of(raw, panel_var=block), three)
    tested = found["granger"].set_index("effect")["cause"]
    assert sorted(tested["mass"]) == ["all", "tech", "upgrade"]


def test_years_for_one_lag_leave_no_choice_of_lags(raw, scores):
    fod = {"instrument_lags": [2, 3], "models": {"fod": {"label": "FOD", "steps": 1}}}
    study = study_of(raw, panel_var=raw["models"]["panel_var"] | fod)
    short = scores.loc[(slice(None), slice(2001, 2003)), :]
    found = fit_panel_vars(study, short)
    assert found["lag_choice"].empty
    more = fit_panel_vars(study, scores.loc[(slice(None), slice(2001, 2006)), :])["lag_choice"]
    assert list(more["lags"]) == [1, 2] and list(more) == list(found["lag_choice"])


# --- scores, dynamics, curve ----------------------------------------------------------------------


def frames_of(study, panel):
    made = index_study(study, panel, panel)
    kept = {name: made[name] for name in ("coupling", "scores", "normalised", "weights")}
    return kept | {"panel": panel, "published": panel}


def test_dynamics_without_a_degree_stop_in_words(raw, panel):
    study = study_of(raw, dynamics={"draws": 99})
    frames = frames_of(study, panel)
    none = frames["coupling"].assign(D_standard=np.nan)
    with pytest.raises(TandemError, match="No entity has a coordination degree in any year"):
        study_dynamics(study, frames | {"coupling": none})
    gaps = frames["coupling"].copy()
    for i, entity in enumerate(gaps.index.unique("entity")):
        gaps.loc[(entity, 2001 + i % 10), "D_standard"] = np.nan
    with pytest.raises(TandemError, match="degree in every year of 2001-2010: see data_gaps"):
        study_dynamics(study, frames | {"coupling": gaps})


def test_angles_and_grey_coupling_are_for_two_systems(raw, panel):
    third = {"label": {"en": "Size"}, "indicators": {"size": "+"}}
    raw = raw | {"systems": raw["systems"] | {"mass": third}}
    study = study_of(raw, dynamics={"draws": 99})
    found = study_dynamics(study, frames_of(study, panel))
    told = found["not_carried"].set_index("part")["why"]
    assert told["Dynamic coupling"] == "The coupling angle is for two systems, not 3."
    assert told["Grey relational coupling"] == "Grey relational coupling is for two systems, not 3."
    assert "angles" not in found and "grey" not in found


def test_growth_on_level_without_controls(raw, panel):
    study = study_of(raw, dynamics={"draws": 99})
    models = study_dynamics(study, frames_of(study, panel))["beta"]["model"].tolist()
    assert models == [
        "absolute", "conditional: entity effects", "conditional: entity and year effects",
    ]  # fmt: skip


def test_a_study_without_controls_has_no_specification_with_them(raw, scores):
    verdict = {"draws": 99, "curve": {"controls": [True, False]}}
    specs, _ = plan_curve(study_of(raw, verdict=verdict), scores.index)
    assert set(specs["controls"]) == {"without"}
    with_size = study_of(raw, verdict=verdict, controls=["size"])
    assert set(plan_curve(with_size, scores.index)[0]["controls"]) == {"with", "without"}


# --- verdict --------------------------------------------------------------------------------------


def verdict_of(raw, scores, panel, groups=None, **models):
    study = study_of(raw, groups, verdict={"draws": 99, "horizon": 2}, **models)
    terms, _ = fit_regressions(study, scores, panel)
    return study_verdict(study, scores, panel, terms, None, None, [])


def test_a_long_panel_has_the_within_var_and_no_curve_unless_asked(raw, long_scores):
    found = verdict_of(raw, long_scores, long_scores)
    assert "curve" not in found and "regions" not in found
    methods = found["methods"].set_index(["direction", "model"])
    mine = methods.loc[(BACK, "Within panel VAR, half-panel jackknife")]
    fit = FixedEffectsVAR(long_scores, time_effects=True).fit()
    scale = within_scale(long_scores, "upgrade", "tech")
    assert mine["estimate"] == pytest.approx(fit.params.loc["tech", "L1.upgrade"] * scale)
    half = (mine["conf_high"] - mine["conf_low"]) / 2
    error = fit.std_errors.loc["tech", "L1.upgrade"] * scale
    assert half == pytest.approx(2.2010 * error, rel=1e-4)  # t(11)
    assert not found["not_carried"]["part"].str.startswith("Within").any()


def test_what_four_years_cannot_carry_is_told_with_its_reason(raw, scores, panel):
    short = scores.loc[(slice(None), slice(2001, 2004)), :]
    groups = {"one": ["e00"], "rest": [f"e{i:02d}" for i in range(1, 40)]}
    found = verdict_of(raw, short, panel, groups)
    told = found["not_carried"].set_index(["part", "direction"])["why"]
    assert "shorten the horizon" in told["Local projections", "both"]
    assert "shorten the horizon" in told["Local projection", WAY]
    assert "half-panel jackknife" in told["Half-panel jackknife causality", BACK]
    assert "Only 0 complete rows" in told["Region one", WAY]
    assert set(found["regions"]["region"]) == {"rest"} and "responses" not in found
    assert set(found["methods"]["model"]) == {"Two-way"}


def test_random_effects_alone_have_neither_regions_nor_joint_p_values(raw, scores, panel):
    groups = {"a": [f"e{i:02d}" for i in range(20)], "b": [f"e{i:02d}" for i in range(20, 40)]}
    random = {"random": {"label": "Random", "effects": "random"}}
    found = verdict_of(raw, scores, panel, groups, regressions=random)
    assert "regions" not in found
    assert found["methods"]["romano_wolf_p"].isna().all()
    assert found["methods"]["holm_p"].notna().all()


# --- robustness -----------------------------------------------------------------------------------


def link_of(raw, scores, panel, **spec):
    study = study_of(raw, robustness={"draws": 99, **spec})
    x = lags(scores["tech"], [1])
    seed = np.random.SeedSequence(5)
    return Link(study, "tech", "upgrade", scores, panel, scores["upgrade"], x, None, seed)


def test_a_study_that_names_no_series_has_the_parts_that_need_none(raw, scores, panel):
    names = [name for name, _ in robustness._parts(link_of(raw, scores, panel))]
    optional = ("hreshold", "Interaction", "Mediation", "Comparison", "Spatial")
    assert not [n for n in names if any(word in n for word in optional)]
    assert {"Placebo", "Long-run coefficients", "Curvature"} <= set(names)


def test_long_run_coefficients_are_the_estimators_own(raw, long_scores):
    frames, records = robustness.long_run(link_of(raw, long_scores, long_scores))
    y, x = long_scores["upgrade"], long_scores[["tech"]]
    table = frames["long_run"].set_index("model")
    assert len(table) == 8 and table.index.is_unique
    for fit in (fmols(y, x, pooling="group"), mean_group(y, x), common_correlated_effects(y, x)):
        mine, own = table.loc[fit.facts["estimator"]], fit.terms.loc["tech"]
        assert mine["estimate"] == pytest.approx(own["estimate"])
        assert mine["conf_low"] == pytest.approx(own["conf_low"])
    terms = pd.concat([terms for terms, _ in records])
    assert set(terms["model"]) == {name.replace(" ", "_") for name in table.index}
    assert set(terms["table"]) == {"robustness_upgrade"}


def test_a_dynamic_threshold_is_fitted_where_there_are_entities_enough(
    raw, scores, panel, monkeypatch
):
    link = link_of(raw, scores, panel, threshold="size")
    with pytest.raises(TandemError, match="With 40 entities the place of a dynamic threshold is"):
        robustness.moved_threshold(link)
    monkeypatch.setattr(robustness, "MANY", 40)
    frames, ((terms, models),) = robustness.moved_threshold(link)
    own = dynamic_threshold(
        link.y, panel["size"], endog=link.x, draws=99, seed=robustness.seed_of(link, 4)
    )
    shown = frames["dynamic_threshold"]["estimate"].to_numpy()
    np.testing.assert_allclose(shown, own.terms["estimate"])
    assert terms["model"].unique().tolist() == ["dynamic_threshold"]
    assert "n_instruments" in set(models["statistic"])


# --- one entity's series --------------------------------------------------------------------------


def test_series_too_short_for_all_tests_together_say_so_in_each(raw):
    variables = {"variables": ["research", "services"], "years": [2001, 2010], "draws": 99}
    study = study_of(raw, var=variables)
    rng = np.random.default_rng(2)
    names = ["research", "services"]
    levels = pd.DataFrame(rng.normal(size=(8, 2)).cumsum(axis=0), range(2003, 2011), names)
    granger = pd.DataFrame(
        {"cause": names, "effect": names[::-1], "statistic": 1.0, "df": "1", "p_value": 0.3}
    )
    refusal = TandemError("Too few years for ranks.")
    make = partial(joint_links, levels, True, 2, 99, 1)
    with pytest.raises(TandemError, match="8 years are too few") as told:
        make()
    found = series_links(study, levels, levels.diff().dropna(), 2, granger, None, refusal)
    why = found.set_index(["cause", "test"])["why"]["research"]
    for test in ("VAR, 2 lags", "ARDL in levels, 1 lag, bootstrap"):
        assert why[test] == str(told.value)
    assert why["VECM"] == "Too few years for ranks."
    assert found["romano_wolf_p"].isna().all()
