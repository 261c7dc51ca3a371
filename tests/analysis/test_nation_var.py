"""The step of the nation's VAR: years as asked, both orders, gaps refused."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student_t

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
