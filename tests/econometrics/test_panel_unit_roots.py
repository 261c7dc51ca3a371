"""Panel unit-root tests: R plm's numbers, adfuller's p-values, size and power, refusals."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats
from statsmodels.tsa.adfvalues import mackinnonp
from statsmodels.tsa.stattools import adfuller

from tandem.econometrics.panel_unit_roots import (
    TESTS,
    _breitung,
    panel_unit_root,
    unit_root_table,
)
from tandem.errors import TandemError

TREND = {"none": "n", "intercept": "c", "trend": "ct"}
PLM = "plm purtest, dfcor=FALSE (sigma2=RSS/n)"


def made_up(seed=0, n=15, t=30, rho=1.0):
    rng = np.random.default_rng(seed)
    y = np.zeros((n, t + 50))
    for s in range(1, t + 50):
        y[:, s] = rho * y[:, s - 1] + rng.normal(size=n)
    index = pd.MultiIndex.from_product([range(n), range(2001, 2001 + t)], names=["entity", "year"])
    return pd.Series((y[:, -t:] + rng.normal(size=(n, 1))).ravel(), index, name="y")


@pytest.fixture(scope="module")
def golden(expected):
    return expected["unit_root_Grunfeld_inv"]


@pytest.mark.parametrize("trend", ["none", "intercept", "trend"])
@pytest.mark.parametrize("lags", [1, 2])
def test_levin_lin_chu_is_plms(grunfeld, golden, trend, lags):
    theirs = golden[PLM][f"levinlin|{trend}|{lags}"]
    found = panel_unit_root(grunfeld["inv"], "llc", TREND[trend], lags, small_sample=False)
    assert found.stat == pytest.approx(theirs["statistic"], rel=1e-9)
    assert found.pval == pytest.approx(theirs["p"], rel=1e-9)
    assert "25 years for 20" in found.note


@pytest.mark.parametrize("trend", ["intercept", "trend"])
def test_levin_lin_chu_with_degrees_of_freedom(grunfeld, golden, trend):
    theirs = golden[PLM][f"levinlin_nodfcor|{trend}|1"]
    found = panel_unit_root(grunfeld["inv"], "llc", TREND[trend], 1)
    assert found.stat == pytest.approx(theirs["statistic"], rel=1e-9)


@pytest.mark.parametrize("lags", [1, 2])
@pytest.mark.parametrize(
    ("trend", "test", "key"),
    [("intercept", "ips", "Wtbar"), ("trend", "ips", "Wtbar"), ("intercept", "ips-z", "Ztbar")],
)
def test_im_pesaran_shin_is_plms(grunfeld, golden, trend, lags, test, key):
    theirs = golden[PLM][f"ips|{key}|{trend}|{lags}"]
    found = panel_unit_root(grunfeld["inv"], test, TREND[trend], lags, small_sample=False)
    assert found.stat == pytest.approx(theirs["statistic"], rel=1e-9)
    assert found.pval == pytest.approx(theirs["p"], rel=1e-9)


def test_z_with_a_trend_takes_the_moments_with_a_trend(grunfeld, golden):
    """plm takes those with a constant, -1.52 where the mean is -2.17, and rejects too often."""
    found = panel_unit_root(grunfeld["inv"], "ips-z", "ct", 1, small_sample=False)
    theirs = golden[PLM]["ips|Ztbar|trend|1"]["statistic"]
    constant, trend = np.array([-1.5204, 0.8654]), np.array([-2.1676, 0.7842])  # 18 years
    tbar = theirs * np.sqrt(constant[1] / 10) + constant[0]
    assert found.stat == pytest.approx(
        np.sqrt(10) * (tbar - trend[0]) / np.sqrt(trend[1]), rel=1e-3
    )
    walks = [panel_unit_root(made_up(s), "ips-z", "ct", 0).pval for s in range(60)]
    assert np.mean(np.array(walks) < 0.05) <= 0.17


@pytest.mark.parametrize("trend", ["intercept", "trend"])
@pytest.mark.parametrize(("test", "key"), [("hadri", "TRUE"), ("hadri-common", "FALSE")])
def test_hadri_is_plms(grunfeld, golden, trend, test, key):
    theirs = golden["plm purtest Hadri"][f"hadri|{trend}|Hcons|{key}"]
    found = panel_unit_root(grunfeld["inv"], test, TREND[trend], small_sample=False)
    assert found.stat == pytest.approx(theirs["statistic"], rel=1e-9)
    assert found.pval == pytest.approx(theirs["p"], rel=1e-6)


@pytest.mark.parametrize("lags", [0, 1, 2])
def test_cips_is_plms(grunfeld, expected, lags):
    theirs = expected["cips_Grunfeld_inv"][f"Grunfeld|inv|c|p={lags}"]
    found = panel_unit_root(grunfeld["inv"], "cips", "c", lags)
    assert found.stat == pytest.approx(theirs, rel=1e-9)


@pytest.mark.parametrize("trend", ["n", "c", "ct"])
def test_fisher_and_choi_combine_adfullers_p_values(grunfeld, trend):
    """plm takes p-values of another response surface, so its numbers are near, not the same."""
    p = np.array(
        [
            adfuller(v, 1, trend, autolag=None, result_object=False)[1]
            for _, v in grunfeld["inv"].groupby(level=0)
        ]
    )
    n = len(p)
    by_hand = {
        "fisher": -2 * np.log(p).sum(),
        "choi-pm": (-2 * np.log(p) - 2).sum() / (2 * np.sqrt(n)),
        "choi-z": stats.norm.ppf(p).sum() / np.sqrt(n),
    }
    for test, stat in by_hand.items():
        found = panel_unit_root(grunfeld["inv"], test, trend, 1)
        assert found.stat == pytest.approx(stat, rel=1e-9)


def test_the_logit_of_even_p_values_is_nothing(monkeypatch):
    monkeypatch.setattr("tandem.econometrics.panel_unit_roots.mackinnonp", lambda t, trend: 0.5)
    found = panel_unit_root(made_up(), "choi-l", lags=0)
    assert (found.stat, found.pval) == (0, pytest.approx(0.5))


@pytest.mark.parametrize("test", ["llc", "ips", "ips-z", "fisher", "choi-z", "choi-l", "cips"])
def test_random_walks_are_kept_and_stationary_panels_rejected(test):
    if test != "llc":  # rejects far too often with few years: benchmarks/monte_carlo/results.md
        walks = [panel_unit_root(made_up(s), test, lags=0).pval for s in range(60)]
        assert np.mean(np.array(walks) < 0.05) <= 0.17
    still = [panel_unit_root(made_up(s, rho=0.4), test, lags=0).pval for s in range(10)]
    assert max(still) < 0.05


def test_hadri_has_the_null_the_other_way_round():
    white = [panel_unit_root(made_up(s, n=25, t=60, rho=0.0), "hadri").pval for s in range(60)]
    assert np.mean(np.array(white) < 0.05) <= 0.17
    assert panel_unit_root(made_up(1), "hadri").pval < 0.01


def test_criteria_choose_the_lags_that_are_there():
    rng = np.random.default_rng(2)
    e = rng.normal(size=(10, 200))
    d = np.zeros((10, 200))
    for s in range(2, 200):
        d[:, s] = 0.3 * d[:, s - 1] + 0.5 * d[:, s - 2] + e[:, s]
    index = pd.MultiIndex.from_product([range(10), range(200)], names=["entity", "year"])
    y = pd.Series(d.cumsum(axis=1).ravel(), index, name="y")
    assert panel_unit_root(y, "fisher", lags="bic", max_lags=4).lags == pytest.approx(2, abs=0.5)
    assert panel_unit_root(y, "fisher", lags="aic", max_lags=4).lags >= 2


def test_a_common_shock_goes_with_the_means():
    y = made_up(4)
    year = y.index.get_level_values(1).to_numpy()
    shocked = y + 50 * np.sin(year)
    before = panel_unit_root(y, "ips", demean=True)
    assert panel_unit_root(shocked, "ips", demean=True).stat == pytest.approx(before.stat)


@pytest.mark.parametrize("test", TESTS)
def test_order_scale_and_level_change_nothing(test):
    y = made_up(5)
    before = panel_unit_root(y, test)
    after = panel_unit_root(5 * y.sample(frac=1, random_state=1) + 100, test)
    assert (after.stat, after.pval) == pytest.approx((before.stat, before.pval), rel=1e-6)


def test_the_table_tells_what_it_leaves_out():
    y = made_up(t=9)
    table, refused = unit_root_table(y.to_frame(), lags=0)
    assert ("y", "cips") in table.index and table["p_value"].between(0, 1).all()
    assert refused["test"].tolist() == ["ips"]
    assert "start at 10 years; 8 are left" in refused["why"].iloc[0]


@pytest.mark.parametrize(
    ("change", "options", "words"),
    [
        (lambda y: y.drop((3, 2005)), {}, "3 has no 'y' in 2005"),
        (lambda y: y.drop((3, 2001)), {"test": "llc"}, "same years"),
        (lambda y: y.loc[[1]], {}, "several entities"),
        (lambda y: y.mask(y.index.get_level_values(0) == 2, 1.0), {}, "constant in 2"),
        (lambda y: y[y.index.get_level_values(1) < 2005], {"lags": 2, "test": "fisher"}, "fewer"),
        (lambda y: y, {"test": "moon-perron"}, "none of them"),
        (lambda y: y, {"trend": "quadratic"}, "n, c or ct"),
        (lambda y: y, {"trend": "n"}, "has a constant"),
        (lambda y: y, {"lags": "hall"}, "'aic' or 'bic'"),
        (lambda y: y.astype(str), {}, "text"),
        (lambda y: y * 0, {}, "constant"),
    ],
)
def test_bad_input_is_refused_in_words(change, options, words):
    with pytest.raises(TandemError, match=words):
        panel_unit_root(change(made_up(n=6, t=15)), **options)


def walks(seed, n=20, t=25, rho=1.0, drift=0.0):
    rng = np.random.default_rng(seed)
    y = np.zeros((n, t + 20))
    for s in range(1, t + 20):
        y[:, s] = rho * y[:, s - 1] + drift + rng.normal(size=n)
    index = pd.MultiIndex.from_product([range(n), range(2001, 2001 + t)], names=["entity", "year"])
    return pd.Series(y[:, -t:].ravel() + 5, index, name="y")


@pytest.mark.parametrize("trend", ["c", "ct"])
def test_fisher_pp_of_each_entity_is_phillips_perron_as_hamilton_has_it(trend):
    y = walks(1, n=2)
    total = 0.0
    for e in range(2):
        s = y[e].to_numpy()
        n = len(s) - 1
        z = [s[:-1], np.ones(n), np.arange(1.0, n + 1)][: 2 + (trend == "ct")]
        fit = sm.OLS(s[1:], np.column_stack(z)).fit()  # the level itself, not its change
        u = fit.resid
        gamma = [u[j:] @ u[: n - j] / n for j in range(4)]
        reach = int(4 * (25 / 100) ** (2 / 9))
        long = gamma[0] + 2 * sum((1 - j / (reach + 1)) * gamma[j] for j in range(1, reach + 1))
        t = (fit.params[0] - 1) / fit.bse[0]
        error = np.sqrt(fit.mse_resid)
        zt = np.sqrt(gamma[0] / long) * t - (long - gamma[0]) / 2 / np.sqrt(long) * (
            n * fit.bse[0] / error
        )
        total -= 2 * np.log(mackinnonp(zt, trend))
    assert panel_unit_root(y, "fisher-pp", trend).stat == pytest.approx(total, rel=1e-8)


@pytest.mark.parametrize("test", ["breitung", "fisher-pp"])
@pytest.mark.parametrize("trend", ["n", "c", "ct"])
def test_size_and_power_of_the_newer_tests(test, trend):
    drift = 0.3 if trend == "ct" else 0.0
    size, power = (
        np.mean(
            [panel_unit_root(walks(s, rho=rho, drift=drift) - 5 * (trend == "n"), test, trend,
                             lags=0).pval < 0.05 for s in range(200)]
        )
        for rho in (1.0, 0.7)
    )  # fmt: skip
    assert size <= (0.15 if test == "fisher-pp" else 0.09), size
    assert power >= 0.8, power


@pytest.mark.parametrize("trend", ["n", "c", "ct"])
def test_breitungs_statistic_has_mean_zero_with_twenty_years(trend):
    """A mean taken out of the changes where the null has none would shift it by .46."""
    rng = np.random.default_rng(4)
    found = [_breitung(list(rng.normal(size=(30, 20)).cumsum(axis=1)), trend, 0, 2, True, 1)[0]
             for _ in range(300)]  # fmt: skip
    assert abs(np.mean(found)) < 0.2, np.mean(found)


def test_breitung_takes_out_what_lagged_changes_explain():
    y = walks(3)
    d = y.groupby(level=0).diff().fillna(0.0)
    smooth = (d + 0.4 * d.groupby(level=0).shift(1).fillna(0.0)).groupby(level=0).cumsum()
    plain, white = (panel_unit_root(smooth, "breitung", "c", lags=p).stat for p in (0, 1))
    assert plain != white
    assert panel_unit_root(10 * smooth, "breitung", "c", lags=1).stat == pytest.approx(white)
