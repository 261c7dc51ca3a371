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
    _cadf,
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


def adf_p(y, trend, lags):
    """p-values of statsmodels' regression of each entity."""
    return np.array(
        [adfuller(v, lags, trend, None, result_object=False)[1] for _, v in y.groupby(level=0)]
    )


@pytest.mark.parametrize("trend", ["n", "c", "ct"])
def test_combined_p_values_have_the_distributions_of_their_papers(trend):
    y = made_up(11, n=7, t=25, rho=0.8)
    p, n = adf_p(y, trend, 1), 7
    pm, z = (-2 * np.log(p) - 2).sum() / (2 * np.sqrt(n)), stats.norm.ppf(p).sum() / np.sqrt(n)
    # Choi (2001): sqrt(3 (5 n + 4) / (pi^2 n (5 n + 2))) times the sum of logits, t with 5 n + 4
    logit = np.sqrt(3 * 39 / (np.pi**2 * 7 * 37)) * np.log(p / (1 - p)).sum()
    fisher = -2 * np.log(p).sum()
    for test, stat, pval in (
        ("fisher", fisher, stats.chi2.sf(fisher, 14)),
        ("choi-pm", pm, stats.norm.sf(pm)),
        ("choi-z", z, stats.norm.cdf(z)),
        ("choi-l", logit, stats.t.cdf(logit, 39)),
    ):
        found = panel_unit_root(y, test, trend, 1)
        assert (found.stat, found.pval) == pytest.approx((stat, pval), rel=1e-8), test
        assert (found.lags, found.n_entities, found.n_years) == (1.0, 7, 25)
        assert found.note == "variance RSS/(n-k); MacKinnon p-values of the entities"


@pytest.mark.parametrize("trend", ["c", "ct"])
@pytest.mark.parametrize("lags", ["aic", "bic"])
def test_each_entity_chooses_its_lags_as_in_statsmodels(trend, lags):
    y = made_up(12, n=12, t=22, rho=0.8)
    y = y + 0.7 * y.groupby(level=0).shift(2).fillna(0.0)
    p, used = np.array(
        [
            adfuller(v, 2, trend, lags.upper(), result_object=False)[1:3]
            for _, v in y.groupby(level=0)
        ]
    ).T
    found = panel_unit_root(y, "fisher", trend, lags)  # up to two lags if nothing else is said
    assert found.stat == pytest.approx(-2 * np.log(p).sum(), rel=1e-8)
    assert found.lags == used.mean() and len(set(used)) > 1


def test_what_is_not_given_is_said():
    y = made_up(13, n=6, t=20, rho=0.7)
    y = (y + 0.9 * y.groupby(level=0).shift(1).fillna(0.0)).rename("y")
    given = {"trend": "c", "lags": "bic", "max_lags": 2, "small_sample": True, "demean": False}
    for test in ("ips", "fisher", "breitung", "hadri", "cips"):
        plain = panel_unit_root(y, test)
        assert plain == panel_unit_root(y, test, **given, seed=1)
        assert plain.stat != panel_unit_root(y, test, **given | {"demean": True}).stat
    assert panel_unit_root(y) == panel_unit_root(y, "ips")
    assert panel_unit_root(y, "cips", seed=2).pval != panel_unit_root(y, "cips").pval


def breitung_by_hand(wide, trend, p, small_sample):
    """Breitung (2000), entity after entity and year after year."""
    top = bottom = 0.0
    for s in wide:
        d = np.diff(s)
        if p:
            x = np.column_stack([d[p - j : len(d) - j] for j in range(1, p + 1)])
            x = np.column_stack([x, np.ones(len(x))]) if trend == "ct" else x
            b = np.linalg.lstsq(x, d[p:], rcond=None)[0]
            s = np.array(
                [s[i] - sum(b[j - 1] * s[i - j] for j in range(1, p + 1)) for i in range(p, len(s))]
            )
        e, n = np.diff(s), len(s) - 1
        spread = ((e - e.mean()) ** 2).sum() if trend == "ct" else (e**2).sum()
        spent = 1 if trend == "ct" and small_sample else 0
        s2 = spread / (n - spent)
        for i in range(n - (trend == "ct")):
            left, right = e[i], s[i] - (s[0] if trend != "n" else 0.0)
            if trend == "ct":
                later = n - 1 - i
                left = np.sqrt(later / (later + 1)) * (e[i] - e[i + 1 :].mean())
                right -= i * (s[-1] - s[0]) / n
            top, bottom = top + left * right / s2, bottom + right**2 / s2
    return top / np.sqrt(bottom)


@pytest.mark.parametrize("trend", ["n", "c", "ct"])
@pytest.mark.parametrize("lags", [0, 1, 2])
@pytest.mark.parametrize("small_sample", [False, True])
def test_breitungs_statistic_is_his_formula(trend, lags, small_sample):
    y = walks(14, n=4, t=15, drift=0.2)
    found = panel_unit_root(y, "breitung", trend, lags, small_sample=small_sample)
    stat = breitung_by_hand(y.unstack().to_numpy(), trend, lags, small_sample)
    assert (found.stat, found.pval) == pytest.approx((stat, stats.norm.cdf(stat)), rel=1e-8)
    assert found.lags == lags


@pytest.mark.parametrize("trend", ["n", "c", "ct"])
@pytest.mark.parametrize("lags", [0, 1, 2])
def test_cips_is_the_mean_of_augmented_regressions(trend, lags):
    y = made_up(15, n=5, t=20, rho=0.6)
    wide = y.unstack().to_numpy()
    mean, t = wide.mean(axis=0), []
    dm = np.diff(mean)
    for s in wide:
        d = np.diff(s)
        columns = [s[lags:-1], mean[lags:-1], *(dm[lags - j : 19 - j] for j in range(lags + 1))]
        columns += [d[lags - j : 19 - j] for j in range(1, lags + 1)]
        columns += [np.ones(19 - lags)] * (trend != "n")
        columns += [np.arange(19.0 - lags)] * (trend == "ct")
        t.append(sm.OLS(d[lags:], np.column_stack(columns)).fit().tvalues[0])
    assert panel_unit_root(y, "cips", trend, lags).stat == pytest.approx(np.mean(t), rel=1e-8)


def test_the_bounds_of_the_truncated_form(monkeypatch):
    for t, trend, bound in (
        (-9.0, "n", -6.12), (9.0, "n", 4.16), (-9.0, "c", -6.19), (9.0, "c", 2.61),
        (-9.0, "ct", -6.42), (9.0, "ct", 1.70), (-6.0, "c", -6.0), (1.5, "c", 1.5),
    ):  # fmt: skip
        monkeypatch.setattr(
            "tandem.econometrics.panel_unit_roots._t_of_first",
            lambda d, x, small, t=t: (np.full(len(d), t), np.ones(len(d))),
        )
        y = made_up(16, n=3, t=20).unstack().to_numpy()
        assert _cadf(y[None], trend, 0, True)[0] == pytest.approx(np.full(3, bound))
        assert _cadf(y[None], trend, 0, False)[0] == pytest.approx(np.full(3, t))


def test_the_p_value_of_cips_is_a_share_of_simulated_panels():
    y = made_up(17, n=4, t=16, rho=0.7)
    steps = np.random.default_rng(1).normal(size=(2000, 4, 16))
    null = _cadf(steps.cumsum(axis=2), "c", 1, False).mean(axis=1)
    found = panel_unit_root(y, "cips", "c", 1)
    assert found.pval == (1 + (null <= found.stat).sum()) / 2001
    assert found.note == "p of 2000 simulated panels of this size"
    chosen = panel_unit_root(y, "cips", "c", "aic", max_lags=2)
    each = [panel_unit_root(y.loc[[e, f]], "fisher", "c", "aic").lags for e, f in ((0, 1), (2, 3))]
    assert chosen.lags == np.ceil(np.mean(each))


@pytest.mark.parametrize("trend", ["c", "ct"])
@pytest.mark.parametrize("small_sample", [False, True])
def test_hadris_statistic_is_his_formula(trend, small_sample):
    y = made_up(18, n=5, t=18, rho=0.5)
    z = np.column_stack([np.ones(18), np.arange(18)])[:, : len(trend)]
    own = []
    for s in y.unstack().to_numpy():
        e = s - z @ np.linalg.lstsq(z, s, rcond=None)[0]
        variance = e @ e / (18 - len(trend) * small_sample)
        own.append(((e.cumsum() ** 2).sum() / 18**2, variance))
    top, variance = np.array(own).T
    mean, spread = {"c": (1 / 6, 1 / 45), "ct": (1 / 15, 11 / 6300)}[trend]
    for test, lm in (
        ("hadri", (top / variance).mean()), ("hadri-common", top.mean() / variance.mean())
    ):  # fmt: skip
        found = panel_unit_root(y, test, trend, small_sample=small_sample)
        stat = np.sqrt(5) * (lm - mean) / np.sqrt(spread)
        assert (found.stat, found.pval) == pytest.approx((stat, stats.norm.sf(stat)), rel=1e-8)
    assert found.lags == 0


@pytest.mark.parametrize("trend", ["n", "c", "ct"])
@pytest.mark.parametrize("small_sample", [False, True])
def test_phillips_perron_scales_by_the_variance_named(trend, small_sample):
    y = walks(19, n=2, t=20)
    total = 0.0
    for _, s in y.groupby(level=0):
        s, n = s.to_numpy(), 19
        z = np.column_stack([s[:-1], np.ones(n), np.arange(n)])[
            :, : 1 + len(trend) * (trend != "n")
        ]
        fit = sm.OLS(s[1:], z).fit()
        s2 = fit.ssr / (n - z.shape[1] * small_sample)
        error = np.sqrt(s2 * np.linalg.inv(z.T @ z)[0, 0])
        g = [fit.resid[j:] @ fit.resid[: n - j] / n for j in range(3)]
        long = g[0] + 2 * (2 / 3 * g[1] + 1 / 3 * g[2])  # two lags for twenty years
        t = (fit.params[0] - 1) / error
        correction = (long - g[0]) * n * error / (2 * np.sqrt(long * s2))
        total -= 2 * np.log(mackinnonp(np.sqrt(g[0] / long) * t - correction, trend))
    found = panel_unit_root(y, "fisher-pp", trend, small_sample=small_sample)
    assert found.stat == pytest.approx(total, rel=1e-8)
    assert found.pval == pytest.approx(stats.chi2.sf(total, 4), rel=1e-8)


def test_moments_of_im_pesaran_and_shin_are_those_of_each_entitys_years():
    """W of entities of 16 and 26 years without lags: 15 and 25 changes, both in the table."""
    y = made_up(20, n=4, t=26, rho=0.7)
    late = y.index.get_level_values(1) > 2010
    y = y[(y.index.get_level_values(0) < 2) | late]
    t = [adfuller(v, 0, "c", None, result_object=False)[0] for _, v in y.groupby(level=0)]
    # Im, Pesaran & Shin (2003), table 3, no lags: 15 and 25 years
    means, variances = [-1.514] * 2 + [-1.520] * 2, [0.923] * 2 + [0.809] * 2
    found = panel_unit_root(y, "ips", "c", 0)
    stat = 2 * (np.mean(t) - np.mean(means)) / np.sqrt(np.mean(variances))
    assert found.stat == pytest.approx(stat, rel=1e-9)
    assert found.pval == pytest.approx(stats.norm.cdf(found.stat))


def test_a_demeaned_panel_is_less_the_mean_of_each_year():
    y = made_up(21)
    less = y - y.groupby(level=1).transform("mean")
    assert panel_unit_root(y, "ips", demean=True).stat == pytest.approx(
        panel_unit_root(less, "ips").stat
    )


def test_a_gap_and_few_years_are_told_with_their_numbers():
    y = made_up(22, n=4, t=15)
    with pytest.raises(TandemError, match="2 has no 'y' in 2007"):
        panel_unit_root(y.drop([(2, 2007), (2, 2008)]))
    years = y.index.get_level_values(1)
    # 2 lags, level and constant: four coefficients want five changes after the lags, eight years
    assert np.isfinite(panel_unit_root(y[years < 2009], "fisher", lags=2).stat)
    with pytest.raises(TandemError, match="4 changes are left for 4 coefficients"):
        panel_unit_root(y[years < 2008], "fisher", lags=2)
    with pytest.raises(TandemError, match="3 years are too few .* with 2 lag"):
        panel_unit_root(y[years < 2004], "fisher", lags=2)
    with pytest.raises(TandemError, match="4 years are too few to take out 2 lagged"):
        panel_unit_root(y[years < 2005], "breitung", "n", lags=2)
    alone = y.copy()
    alone[y.index.get_level_values(0) > 0] = np.nan
    with pytest.raises(TandemError, match="'y' has 1"):
        panel_unit_root(alone)
    assert panel_unit_root(y[y.index.get_level_values(0) < 2]).n_entities == 2


@pytest.mark.parametrize("p", [0.0, 1.0])
@pytest.mark.parametrize("test", ["fisher", "fisher-pp", "choi-pm", "choi-z", "choi-l"])
def test_a_p_value_at_the_end_of_its_table_leaves_a_finite_statistic(monkeypatch, test, p):
    monkeypatch.setattr("tandem.econometrics.panel_unit_roots.mackinnonp", lambda t, trend: p)
    found = panel_unit_root(made_up(n=4), test, lags=0)
    # the modified statistic of four entities goes no lower than -2
    assert np.isfinite(found.stat) and found.pval == pytest.approx(p, abs=0.03)
