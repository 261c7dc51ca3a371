"""The yearly VAR against formulas by hand and statsmodels called directly, on US macro data."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import f as f_distribution
from statsmodels.datasets import macrodata
from statsmodels.tsa.api import VAR
from statsmodels.tsa.stattools import adfuller, kpss

from tandem.econometrics.time_series import (
    fit_var,
    granger,
    impulse_responses,
    unit_roots,
    variance_decomposition,
)
from tandem.errors import TandemError

NAMES = ["realgdp", "realcons", "realinv"]


@pytest.fixture(scope="module")
def levels():
    """Yearly means of the quarterly series, 1959-2008."""
    quarters = macrodata.load_pandas().data
    yearly = quarters[quarters["year"] < 2009].groupby("year")[NAMES].mean()
    return yearly.set_axis(yearly.index.astype(int))


@pytest.fixture(scope="module")
def growth(levels):
    return np.log(levels).diff().dropna()


@pytest.fixture(scope="module")
def quarterly():
    """The 202 growth rates of statsmodels' own VAR tutorial, on a made-up yearly index."""
    data = np.log(macrodata.load_pandas().data[NAMES]).diff().dropna()
    return data.set_axis(range(1, 203))


def regress(y, x):
    """Coefficients and sums of squared residuals of y on x and a constant."""
    x = np.column_stack([np.ones(len(x)), x])
    beta, *_ = np.linalg.lstsq(x, y, rcond=None)
    return beta, ((y - x @ beta) ** 2).sum(axis=0)


def stacked(data, lags):
    """Left sides and lagged right sides, lag by lag."""
    values = data.to_numpy()
    past = [values[lags - j : len(values) - j] for j in range(1, lags + 1)]
    return values[lags:], np.hstack(past)


def test_the_order_is_the_smallest_bic_on_one_common_sample(growth):
    most = 4
    result, orders = fit_var(growth, most)
    for p in range(1, most + 1):
        y, x = stacked(growth.iloc[most - p :], p)  # every order explains the same years
        x = np.column_stack([np.ones(len(x)), x])
        residuals = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
        n, k = y.shape
        _, log_det = np.linalg.slogdet(residuals.T @ residuals / n)
        n_params = k * (k * p + 1)
        assert n == len(growth) - most
        assert orders.loc[p, "bic"] == pytest.approx(log_det + np.log(n) * n_params / n)
        assert orders.loc[p, "aic"] == pytest.approx(log_det + 2 * n_params / n)
        assert orders.loc[p, "hqic"] == pytest.approx(
            log_det + 2 * np.log(np.log(n)) * n_params / n
        )
    assert result.k_ar == orders["bic"].idxmin()


def test_the_chosen_order_is_fitted_on_all_years(quarterly):
    result, _ = fit_var(quarterly, 8)
    assert result.k_ar == 1
    y, x = stacked(quarterly, result.k_ar)
    assert result.nobs == len(y) == 201
    np.testing.assert_allclose(result.params, regress(y, x)[0], rtol=1e-9)


def test_granger_tests_compare_restricted_with_unrestricted_residuals(quarterly):
    data = quarterly[["realgdp", "realinv"]]
    result, _ = fit_var(data, 3)
    p = result.k_ar
    y, x = stacked(data, p)
    table = granger(result).set_index(["cause", "effect"])
    assert list(table.index) == [("realinv", "realgdp"), ("realgdp", "realinv")]
    for (cause, effect), row in table.iterrows():
        i, j = data.columns.get_loc(effect), data.columns.get_loc(cause)
        without = np.delete(x, range(j, x.shape[1], 2), axis=1)
        free, bound = regress(y[:, i], x)[1], regress(y[:, i], without)[1]
        df = (p, len(y) - 2 * p - 1)
        by_hand = (bound - free) / p / (free / (len(y) - 2 * p - 1))
        assert row["statistic"] == pytest.approx(by_hand, rel=1e-8)
        assert row["df"] == f"{df[0]}, {df[1]}"
        assert row["p_value"] == pytest.approx(f_distribution.sf(by_hand, *df), rel=1e-8)


def test_three_series_give_six_tests(growth):
    table = granger(fit_var(growth, 2)[0])
    assert len(table) == 6
    assert (table["cause"] != table["effect"]).all()
    assert not table.duplicated(["cause", "effect"]).any()


def test_the_first_response_is_the_cholesky_factor_in_either_order(growth):
    for order in (NAMES, NAMES[::-1]):
        irf = impulse_responses(growth[order], 1, 4, 99, seed=1)
        now = irf[irf["horizon"] == 0].pivot(index="response", columns="impulse", values="estimate")
        sigma = VAR(growth[order].reset_index(drop=True)).fit(1).sigma_u
        np.testing.assert_allclose(now.loc[order, order], np.linalg.cholesky(sigma), atol=1e-15)


def test_responses_move_on_by_the_coefficients(growth):
    irf = impulse_responses(growth, 1, 3, 99, seed=1)
    result = VAR(growth.reset_index(drop=True)).fit(1)
    step = result.coefs[0]
    factor = np.linalg.cholesky(result.sigma_u)
    for h in range(4):
        at = irf[irf["horizon"] == h].pivot(index="response", columns="impulse", values="estimate")
        by_hand = np.linalg.matrix_power(step, h) @ factor
        np.testing.assert_allclose(at.loc[NAMES, NAMES], by_hand, atol=1e-15)


def test_bands_depend_on_the_seed_alone_and_hold_the_estimate(growth):
    data = growth[["realgdp", "realinv"]]
    one = impulse_responses(data, 1, 3, 199, np.random.SeedSequence([7, 0]))
    same = impulse_responses(data, 1, 3, 199, np.random.SeedSequence([7, 0]))
    other = impulse_responses(data, 1, 3, 199, np.random.SeedSequence([7, 1]))
    pd.testing.assert_frame_equal(one, same, check_exact=True)
    assert (one["conf_low"] != other["conf_low"]).any()
    np.testing.assert_array_equal(one["estimate"], other["estimate"])
    own = one[(one["impulse"] == one["response"]) & (one["horizon"] == 0)]
    assert (own["conf_low"] < own["estimate"]).all() and (own["estimate"] < own["conf_high"]).all()
    assert (one["conf_low"] <= one["conf_high"]).all()


def test_the_last_variable_moves_no_other_at_once(growth):
    irf = impulse_responses(growth, 1, 2, 99, seed=1)
    at_once = irf[(irf["horizon"] == 0) & (irf["impulse"] == "realinv")].set_index("response")
    assert (at_once.loc[NAMES[:2], ["estimate", "conf_low", "conf_high"]] == 0).all(axis=None)
    assert at_once.loc["realinv", "estimate"] > 0


def test_decompositions_sum_to_one_and_follow_from_the_responses(growth):
    result, _ = fit_var(growth, 1)
    shares = variance_decomposition(result, 5)
    sums = shares.groupby(["response", "horizon"])["share"].sum()
    np.testing.assert_allclose(sums, 1, atol=1e-12)
    assert sorted(shares["horizon"].unique()) == [1, 2, 3, 4, 5]
    squares = result.orth_ma_rep(4) ** 2
    total = squares.cumsum(axis=0)[2]
    by_hand = total / total.sum(axis=1, keepdims=True)
    third = shares[shares["horizon"] == 3]
    found = third.pivot(index="response", columns="impulse", values="share")
    np.testing.assert_allclose(found.loc[NAMES, NAMES], by_hand, rtol=1e-10)


def test_unit_roots_are_those_of_statsmodels(levels, growth):
    data = pd.DataFrame({"level": np.log(levels["realgdp"]), "growth": growth["realgdp"]}).dropna()
    table = unit_roots(data).set_index(["series", "test"])
    for name in data:
        stat, p, used, n, *_ = adfuller(
            data[name], maxlag=3, regression="c", autolag="BIC", result_object=False
        )
        row = table.loc[(name, "ADF")]
        assert list(row) == [stat, p, used, n]
    assert table.loc[("growth", "ADF"), "p_value"] < 0.01 < table.loc[("level", "ADF"), "p_value"]
    row = table.loc[("level", "KPSS")]
    with pytest.warns(UserWarning, match="smaller"):  # beyond the printed table
        stat, p, *_ = kpss(data["level"], regression="c", nlags="auto", result_object=False)
    assert (row["statistic"], row["p_value"]) == (stat, p) and p == 0.01


@pytest.mark.parametrize(
    "spoil",
    [lambda d: d.drop([1970, 1971]), lambda d: d.assign(realgdp=d["realgdp"].drop([1970, 1971]))],
    ids=["row", "value"],
)
def test_a_gap_is_refused_with_its_years(growth, spoil):
    with pytest.raises(TandemError, match="consecutive years; 1970, 1971 is missing"):
        fit_var(spoil(growth), 2)


def test_too_few_years_are_refused(growth):
    # 3 series, 2 lags: 7 parameters an equation; 10 explained years leave 3, one an equation
    with pytest.raises(TandemError, match="11 years are too few for a VAR of 3 series with 2 lags"):
        fit_var(growth.iloc[:11], 2)
    result, _ = fit_var(growth.iloc[:12], 2)
    assert np.linalg.matrix_rank(result.sigma_u) == 3


def test_bands_are_those_of_statsmodels_at_five_percent(growth):
    data = growth[["realgdp", "realinv"]]
    table = impulse_responses(data, 2, 3, 99, seed=4)
    fit = VAR(data.reset_index(drop=True)).fit(2, trend="c")
    low, high = fit.irf_errband_mc(
        orth=True, repl=99, steps=3, signif=0.05, rng=np.random.default_rng(4)
    )
    estimate = fit.orth_ma_rep(3)
    names = list(data.columns)
    for _, row in table.iterrows():
        place = row["horizon"], names.index(row["response"]), names.index(row["impulse"])
        found = row[["estimate", "conf_low", "conf_high"]].to_numpy(float)
        assert found == pytest.approx([estimate[place], low[place], high[place]])
    assert len(table) == 2 * 2 * 4 and table["horizon"].max() == 3


def test_kpss_has_its_lags_and_rows(levels):
    data = np.log(levels[["realgdp"]])
    row = unit_roots(data).set_index("test").loc["KPSS"]
    with pytest.warns(UserWarning):
        stat, p, used, _ = kpss(data["realgdp"], regression="c", nlags="auto", result_object=False)
    assert row[["statistic", "p_value", "lags", "n_obs"]].tolist() == [stat, p, used, len(data)]
