"""The step of the nation's VAR: years as asked, both orders, gaps refused."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student_t

from tandem.analysis.series_verdict import series_verdict
from tandem.analysis.var import fit_nation
from tandem.econometrics.time_series import fit_var
from tandem.errors import TandemError
from tandem.study import Study

VAR = {"variables": ["research", "services"], "years": [1981, 2010], "max_lags": 2, "draws": 99}


@pytest.fixture(scope="module")
def make(raw):
    def study(**changes):
        models = raw["models"] | {"var": VAR | changes}
        return Study.model_validate(raw | {"models": models})

    return study


@pytest.fixture(scope="module")
def nation():
    rng = np.random.default_rng(np.random.SeedSequence(5))
    index = pd.MultiIndex.from_product([["China"], range(1980, 2012)], names=["entity", "year"])
    growth = 0.05 + 0.02 * rng.normal(size=(32, 2))
    levels = np.exp(growth.cumsum(axis=0))
    return pd.DataFrame(levels, index=index, columns=["research", "services"])


def test_growth_rates_of_the_years_asked_are_fitted(make, nation):
    found = fit_nation(make(), nation)
    levels = nation.xs("China", level="entity")
    data = np.log(levels.loc[1981:2010]).diff().iloc[1:]
    result, orders = fit_var(data, 2)
    terms = found["terms"].set_index(["equation", "term"])
    for equation in result.names:
        for term, estimate in result.params[equation].items():
            row = terms.loc[(equation, term)]
            error = result.stderr.loc[term, equation]
            assert row["estimate"] == estimate
            df = result.nobs - len(result.params)
            assert row["p_value"] == pytest.approx(2 * student_t.sf(abs(estimate / error), df))
            assert row["conf_high"] - estimate == pytest.approx(student_t.ppf(0.975, df) * error)
    facts = found["models"].set_index("statistic")["value"]
    assert facts["n_obs"] == str(29 - result.k_ar)
    companion = np.linalg.eigvals(result.coefs[0]) if result.k_ar == 1 else 1 / result.roots
    assert float(facts["max_modulus"]) == pytest.approx(np.abs(companion).max())
    pd.testing.assert_frame_equal(found["lag_choice"], orders.reset_index())
    assert set(found["unit_roots"]["series"]) == {
        "log research",
        "log services",
        "Δ log research",
        "Δ log services",
    }


def test_both_orders_and_shares_that_sum_to_one(make, nation):
    found = fit_nation(make(), nation)
    irf = found["irf"]
    assert set(irf["order"]) == {"order: research, services", "order: services, research"}
    first = irf[(irf["horizon"] == 0) & (irf["impulse"] != irf["response"])]
    at_once = first.set_index(["order", "impulse"])["estimate"]
    assert at_once[("order: research, services", "services")] == 0
    assert at_once[("order: services, research", "research")] == 0
    sums = found["fevd"].groupby(["response", "horizon"])["share"].sum()
    np.testing.assert_allclose(sums, 1, atol=1e-12)


def test_the_same_seed_gives_the_same_bands(make, nation):
    one, other = (fit_nation(make(), nation)["irf"] for _ in range(2))
    pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_levels_are_taken_as_they_are(make, nation):
    facts = fit_nation(make(transform="level"), nation)["models"].set_index("statistic")["value"]
    assert int(facts["n_obs"]) + int(facts["lags"]) == 30


def test_a_gap_names_year_and_series(make, nation):
    gappy = nation.copy()
    gappy.loc[("China", 1995), "services"] = np.nan
    with pytest.raises(TandemError, match="1995 has no figure for services; shorten"):
        fit_nation(make(), gappy)


def test_years_beyond_the_panel_are_refused_not_cut_off(make, nation):
    with pytest.raises(TandemError, match="2012, 2013 has no figure for research, services"):
        fit_nation(make(years=[1981, 2013]), nation)


def test_logs_of_what_is_not_positive_are_refused(make, nation):
    with pytest.raises(TandemError, match="positive.*transform: level"):
        fit_nation(make(), nation - 2)


def test_several_entities_are_refused(make, nation):
    two = pd.concat([nation, nation.rename(index={"China": "Japan"})])
    with pytest.raises(TandemError, match="models.var is for one entity"):
        fit_nation(make(), two)


def test_too_few_years_are_refused(make, nation):
    with pytest.raises(TandemError, match="6 years are too few"):
        fit_nation(make(years=[2004, 2010]), nation)


def together(t=60, seed=3):
    """Services follow research back to a common long run, not the other way round."""
    rng = np.random.default_rng(seed)
    log = np.zeros((t, 2))
    for s in range(1, t):
        gap = log[s - 1, 1] - log[s - 1, 0]
        log[s] = log[s - 1] + 0.05 + [0, -0.5 * gap] + 0.03 * rng.normal(size=2)
    years = pd.MultiIndex.from_product([["China"], range(1950, 1950 + t)], names=["entity", "year"])
    return pd.DataFrame(np.exp(log), index=years, columns=["research", "services"])


def test_every_test_stands_once_a_direction(make, nation):
    found = fit_nation(make(), nation)["causality"]
    assert not found.duplicated(["cause", "effect", "test"]).any()
    assert (found.groupby(["cause", "effect"])["test"].nunique() >= 9).all()
    told = found[found["p_value"].isna()]
    assert (told["why"] != "").all()
    bounded = found.dropna(subset=["estimate"])
    assert (bounded["conf_low"] < bounded["estimate"]).all()
    assert (bounded["estimate"] < bounded["conf_high"]).all()


def test_without_a_common_long_run_there_is_no_error_correction_and_it_is_said(make, nation):
    found = fit_nation(make(), nation)
    assert (found["cointegration"]["trace_p"] > 0.05)[0]
    assert found["error_correction"].empty
    rows = found["causality"][found["causality"]["test"].str.startswith("VECM")]
    assert rows["why"].str.contains("rank 0").tolist() == [True, True]


def test_with_one_the_series_that_follows_is_told(make):
    found = fit_nation(make(years=[1950, 2009], max_lags=1), together())
    terms = found["error_correction"].set_index(["equation", "term"])
    assert terms.loc[("EC1", "research"), "estimate"] == 1
    assert terms.loc[("EC1", "services"), "estimate"] == pytest.approx(-1, abs=0.1)
    rows = found["causality"].set_index(["cause", "effect", "test"])
    assert rows.loc[("research", "services", "VECM, long run"), "p_value"] < 0.001
    assert rows.loc[("services", "research", "VECM, long run"), "p_value"] > 0.05


def test_too_few_years_for_a_rank_test_are_said(make, nation):
    found = fit_nation(make(years=[1997, 2007], max_lags=1), nation)
    assert found["cointegration"].empty
    rows = found["causality"][found["causality"]["test"] == "VECM"]
    assert rows["why"].str.contains("11 years are too few").all()


def test_side_by_side_in_standard_deviations_and_adjusted(make, nation):
    study = make()
    found = fit_nation(study, nation)
    verdict = series_verdict(study, nation, found["causality"])
    rows = verdict["methods"].set_index(["direction", "model"])
    log = np.log(nation.droplevel(0)).loc[1981:2010].diff().iloc[1:]
    terms = found["terms"].set_index(["equation", "term"])
    lags = int(found["models"].set_index("statistic").loc["lags", "value"])
    b = sum(terms.loc[("services", f"L{j}.research"), "estimate"] for j in range(1, lags + 1))
    scaled = b * log["research"].std() / log["services"].std()
    name = f"VAR, {lags} lag{'s' * (lags > 1)}"
    assert rows.loc[("tech → upgrade", name), "estimate"] == pytest.approx(scaled)
    assert (rows["holm_p"] >= rows["p_value"]).all()
    assert rows["romano_wolf_p"].notna().groupby(level=0).sum().tolist() == [3, 3]
    both = len(rows) + len(verdict["not_carried"])
    assert both == len(found["causality"])
    assert (verdict["not_carried"]["why"] != "").all()
