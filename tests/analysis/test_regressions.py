"""Both directions, the regressors a study names, and effects in standard deviations."""

import numpy as np
import pandas as pd
import pytest
from linearmodels.panel import PanelOLS, RandomEffects
from scipy.stats import t

from tandem.analysis.regressions import fit_regressions
from tandem.analysis.two_way import directions, two_way_terms
from tandem.econometrics import hausman, hausman_robust
from tandem.econometrics.static import lags
from tandem.study import Study


@pytest.fixture(scope="module")
def records(study, scores, panel):
    return fit_regressions(study, scores, panel)


def terms_of(records, effect, model):
    terms = records[0]
    return terms[(terms["table"] == effect) & (terms["model"] == model)].set_index("term")


def test_every_ordered_pair_of_systems_is_a_direction(study, raw):
    assert directions(study) == [("tech", "upgrade"), ("upgrade", "tech")]
    third = {"label": {"en": "Third"}, "indicators": {"size": "+"}}
    models = raw["models"] | {"controls": []}  # size explains no score of which it is a part
    changed = {"systems": raw["systems"] | {"third": third}, "models": models}
    three = Study.model_validate(raw | changed)
    assert len(set(directions(three))) == 6


def test_both_directions_of_every_regression_are_there(study, records):
    found = set(records[0][["table", "model"]].itertuples(index=False, name=None))
    assert found == {(s, m) for s in ("tech", "upgrade") for m in study.models.regressions}


def test_the_cause_is_lagged_and_the_effect_is_not(scores, panel, records):
    y = scores["upgrade"]
    x = lags(scores["tech"], [1]).join(panel["size"])
    rows = x.dropna().index
    direct = PanelOLS(y.loc[rows], x.loc[rows], entity_effects=True, time_effects=True).fit(
        cov_type="clustered", cluster_entity=True, group_debias=True
    )
    found = terms_of(records, "upgrade", "two_way")
    np.testing.assert_allclose(found["estimate"], direct.params[found.index], rtol=1e-10)
    np.testing.assert_allclose(found["std_error"], direct.std_errors[found.index], rtol=1e-10)


def test_each_model_has_the_regressors_the_study_names(records):
    assert set(terms_of(records, "tech", "bare").index) == {"L1.upgrade"}
    own = {"L1.upgrade", "L2.upgrade", "L1.tech", "size"}
    assert set(terms_of(records, "tech", "own").index) == own
    assert set(terms_of(records, "tech", "pooled").index) == {"L1.upgrade", "size", "const"}


def test_the_first_years_are_counted_as_dropped(records):
    models = records[1].set_index(["table", "model", "statistic"])["value"]
    assert models[("upgrade", "two_way", "n_obs")] == str(40 * 9)
    assert models[("upgrade", "two_way", "n_dropped")] == "40"
    assert models[("upgrade", "own", "n_obs")] == str(40 * 8)
    assert models[("upgrade", "own", "n_dropped")] == "80"


def test_random_effects_alone_carry_both_hausman_tests(scores, panel, records):
    models = records[1].set_index(["table", "model", "statistic"])["value"].sort_index()
    for effect, cause in (("tech", "upgrade"), ("upgrade", "tech")):
        data = lags(scores[cause], [1]).join(panel["size"]).join(scores[effect]).dropna()
        y, x = data.pop(effect), data
        fixed = PanelOLS(y, x, entity_effects=True).fit()
        random = RandomEffects(y, x.assign(const=1.0)).fit()
        found = models.xs((effect, "random")).replace("undefined", "nan")
        classic, robust = hausman(fixed, random), hausman_robust(y, x)
        assert float(found["hausman"]) == pytest.approx(classic.stat, rel=1e-8, nan_ok=True)
        assert float(found["hausman_robust_p"]) == pytest.approx(robust.pval, rel=1e-8)
        assert models[(effect, "random", "hausman_robust_df")] == "2"
    assert not [m for m in models.index if m[1] != "random" and m[2].startswith("hausman")]


def test_a_control_may_be_called_y(raw, scores, panel, records):
    series = {"y" if k == "size" else k: v for k, v in raw["series"].items()}
    random = {"random": raw["models"]["regressions"]["random"]}
    models = {"controls": ["y"], "regressions": random}
    study = Study.model_validate(raw | {"series": series, "models": models})
    found = fit_regressions(study, scores, panel.rename(columns={"size": "y"}))
    for effect in study.systems:
        own = terms_of(records, effect, "random")["estimate"].rename({"size": "y"})
        pd.testing.assert_series_equal(terms_of(found, effect, "random")["estimate"], own)


def test_effects_are_scaled_by_the_spread_of_cause_over_effect(study, scores, records):
    table = two_way_terms(study, scores, records[0])
    # within entity and year: the residuals of a regression on both sets of dummies
    complete = scores.dropna()
    entity, year = (complete.index.get_level_values(k) for k in (0, 1))
    dummies = np.column_stack([pd.get_dummies(entity), pd.get_dummies(year)]).astype(float)
    fitted = dummies @ np.linalg.lstsq(dummies, complete.to_numpy(), rcond=None)[0]
    within = (complete - fitted).std()
    scale = within["tech"] / within["upgrade"]
    raw = terms_of(records, "upgrade", "two_way").loc["L1.tech"]
    row = table[(table["direction"] == "tech → upgrade") & (table["model"] == "Two-way")]
    assert len(row) == 1
    for column in ("estimate", "conf_low", "conf_high"):
        assert row[column].item() == pytest.approx(raw[column] * scale, rel=1e-10)
    assert row["p_value"].item() == raw["p_value"]
    assert (row["cause"].item(), row["effect"].item()) == ("tech", "upgrade")


def test_scaling_does_not_depend_on_the_units_of_the_scores(study, scores, panel):
    wide = scores.assign(tech=scores["tech"] * 100)
    one = two_way_terms(study, scores, fit_regressions(study, scores, panel)[0])
    other = two_way_terms(study, wide, fit_regressions(study, wide, panel)[0])
    np.testing.assert_allclose(one["estimate"], other["estimate"], rtol=1e-8)


def test_only_first_lags_of_the_other_system_enter_the_two_way_table(study, scores, records):
    table = two_way_terms(study, scores, records[0])
    assert len(table) == 2 * len(study.models.regressions)
    assert not table.duplicated(["direction", "model"]).any()
    assert set(table["model"]) == {r.label for r in study.models.regressions.values()}
    assert pd.notna(table.drop(columns=["model"])).all(axis=None)


@pytest.mark.parametrize("model", ["two_way", "pooled"])
def test_clustered_p_values_and_intervals_use_clusters_less_one(scores, records, model):
    entities = scores.index.get_level_values("entity").nunique()
    row = terms_of(records, "upgrade", model).loc["L1.tech"]
    assert row["p_value"] == pytest.approx(2 * t.sf(abs(row["statistic"]), entities - 1))
    reach = row["std_error"] * t.ppf(0.975, entities - 1)
    assert row["conf_high"] - row["estimate"] == pytest.approx(reach)
