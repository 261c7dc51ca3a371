"""The step of the panel VARs: both directions, both orders, reproducible bands."""

import numpy as np
import pandas as pd
import pytest

from tandem.analysis.panel_var import fit_panel_vars
from tandem.analysis.two_way import two_way_terms
from tandem.econometrics import PanelVAR
from tandem.study import Study

ORDERS = {"order: tech, upgrade", "order: upgrade, tech"}


@pytest.fixture(scope="module")
def found(study, scores):
    return fit_panel_vars(study, scores)


def test_each_model_is_the_estimator_as_the_study_sets_it(scores, found):
    fit = PanelVAR(
        scores, lags=1, transform="fod", instrument_lags=(2, 4), collapse=True, time_effects=True
    ).fit(steps=2)
    terms = found["terms"].query("model == 'fod'").set_index(["equation", "term"])
    for equation in ("tech", "upgrade"):
        for cause in ("tech", "upgrade"):
            name = f"L1.{cause}"
            assert terms.loc[(equation, name), "estimate"] == fit.params.loc[equation, name]
            assert terms.loc[(equation, name), "std_error"] == fit.std_errors.loc[equation, name]
    words = found["terms"].set_index("model")["se_type"]
    assert "Windmeijer" in words["fod"].iloc[0]
    assert words["fd"].iloc[0] == "robust, one-step"


def test_both_directions_are_tested_in_every_model(found):
    rows = found["granger"][["model", "cause", "effect"]].itertuples(index=False, name=None)
    pairs = [("tech", "upgrade"), ("upgrade", "tech")]
    assert sorted(rows) == sorted((m, *pair) for m in ("fod", "fd") for pair in pairs)
    assert found["granger"]["p_value"].between(0, 1).all()


def test_responses_come_in_both_orders(found):
    irf = found["irf"]
    assert set(irf["order"]) == ORDERS
    first = irf[(irf["horizon"] == 0) & (irf["impulse"] != irf["response"])]
    at_once = first.set_index(["order", "impulse"])["estimate"]
    assert at_once[("order: tech, upgrade", "upgrade")] == 0  # the last of an order moves no other
    assert at_once[("order: upgrade, tech", "tech")] == 0
    assert (irf["conf_low"] <= irf["conf_high"]).all()


def test_decompositions_sum_to_one_in_both_orders(found):
    assert set(found["fevd"]["order"]) == ORDERS
    sums = found["fevd"].groupby(["order", "response", "horizon"])["share"].sum()
    np.testing.assert_allclose(sums, 1, atol=1e-12)


def test_the_same_seed_gives_the_same_bands_and_another_does_not(raw, study, scores, found):
    again = fit_panel_vars(study, scores)
    pd.testing.assert_frame_equal(again["irf"], found["irf"], check_exact=True)
    other = fit_panel_vars(Study.model_validate(raw | {"seed": 8}), scores)
    assert (other["irf"]["conf_low"].to_numpy() != found["irf"]["conf_low"].to_numpy()).any()
    np.testing.assert_array_equal(other["irf"]["estimate"], found["irf"]["estimate"])


def test_panel_vars_join_the_two_way_table_under_their_labels(study, scores, found):
    table = two_way_terms(study, scores, found["terms"])
    assert set(table["model"]) == {"Panel VAR: FOD", "Panel VAR: FD"}
    assert len(table) == 4


def test_an_unstable_panel_var_has_no_decomposition(study, scores):
    # a common explosive path that year effects do not take away: growth differs by entity
    years = scores.index.get_level_values("year") - 2000
    rate = pd.Series(scores.index.get_level_values("entity"), scores.index).str[1:].astype(float)
    wild = scores.add(np.exp(0.3 * years) * rate / 40, axis=0)
    found = fit_panel_vars(study, wild)
    moduli = found["models"].query("statistic == 'modulus_1' and model == 'fod'")["value"]
    assert float(moduli.item()) >= 1
    assert found["fevd"].empty
    mine = found["cautions"].query("model == 'fod'")["caution"]
    assert mine.str.contains("shocks do not die out").any()
    assert set(found["irf"]["order"]) == ORDERS


def test_roots_residuals_and_lags_are_those_of_the_estimator(scores, found):
    fit = PanelVAR(
        scores, lags=1, transform="fod", instrument_lags=(2, 4), collapse=True, time_effects=True
    ).fit(steps=2)
    roots = found["roots"].query("model == 'fod'")
    assert np.hypot(roots["real"], roots["imaginary"]).tolist() == pytest.approx(list(fit.moduli))
    tests = found["diagnostics"].query("model == 'fod'").set_index("equation")
    assert tests.loc["tech", "ar2_p"] == fit.diagnostics.loc["tech", "ar2_p"]
    assert list(found["lag_choice"]["lags"]) == [1, 2]
