import numpy as np
import pandas as pd
import pytest

from tandem.econometrics import dumitrescu_hurlin, standardise_wbar
from tandem.econometrics.dumitrescu_hurlin import _mean_walds
from tandem.errors import TandemError


@pytest.mark.parametrize("lags", [1, 2, 3])
def test_statistics_equal_the_published_ones(grunfeld, expected, lags):
    gold = expected["dumitrescu_hurlin_Grunfeld"]["value does not cause inv, K=1..3"][str(lags)]
    result = dumitrescu_hurlin(grunfeld["inv"], grunfeld["value"], lags)
    assert result.wbar == pytest.approx(gold["Wbar"], rel=1e-9)
    assert result.zbar == pytest.approx(gold["Zbar"], rel=1e-9)
    assert result.ztilde == pytest.approx(gold["Ztilde_LopezWeber_T"], rel=1e-9)
    assert (result.n_entities, result.lags, len(result.wald)) == (10, lags, 10)


def test_p_values_are_two_sided(grunfeld):
    result = dumitrescu_hurlin(grunfeld["inv"], grunfeld["value"], 2)
    assert result.ztilde == pytest.approx(1.6832, abs=1e-4)
    assert result.pvalues["ztilde"] == pytest.approx(0.09234, abs=1e-5)


@pytest.mark.parametrize(
    ("k", "wbar", "zbar", "ztilde"), [(1, 2.5, 5.809475, 3.741114), (2, 3.6, 4.381780, 1.866762)]
)
def test_standardisation(k, wbar, zbar, ztilde):
    assert standardise_wbar(wbar, 30, 17, k) == pytest.approx((zbar, ztilde), abs=1e-6)


def test_the_mean_of_its_moments_is_standardised_to_zero():
    t, k = np.array([12, 15, 20]), 1
    mean = (k * (t - 3 * k - 1) / (t - 3 * k - 3)).mean()
    assert standardise_wbar(mean, 3, t, k)[1] == pytest.approx(0, abs=1e-12)


def test_size_without_and_power_with_causality():
    rng = np.random.default_rng(0)
    n, t = 30, 17

    def ztilde(effect):
        x, y = rng.normal(size=(2, n, t))
        for s in range(1, t):
            y[:, s] += 0.4 * y[:, s - 1] + effect * x[:, s - 1]
        index = pd.MultiIndex.from_product([range(n), range(t)])
        series = (pd.Series(v.ravel(), index=index) for v in (y, x))
        return dumitrescu_hurlin(*series).ztilde

    null = np.array([ztilde(0.0) for _ in range(200)])
    assert (np.abs(null) > 1.96).mean() == pytest.approx(0.05, abs=0.05)
    assert min(ztilde(0.5) for _ in range(20)) > 1.96


def test_too_few_years_are_refused_in_words(grunfeld):
    with pytest.raises(TandemError, match="20 years; .* 5 lag.* more than 20"):
        dumitrescu_hurlin(grunfeld["inv"], grunfeld["value"], 5)
    with pytest.raises(TandemError, match="more than 17 years; 17"):
        standardise_wbar(4.0, 30, 17, 4)


def test_gaps_and_constant_series_name_the_entity(grunfeld):
    gap = grunfeld.drop(index=(3, 1940))
    with pytest.raises(TandemError, match="3 has no value in 1940"):
        dumitrescu_hurlin(gap["inv"], gap["value"])
    still = grunfeld.copy()
    still.loc[4, "value"] = 1.0
    with pytest.raises(TandemError, match="x is constant in 4"):
        dumitrescu_hurlin(still["inv"], still["value"])


def walks(n, t, seed, link=0.0, common=0.0):
    rng = np.random.default_rng(seed)
    x, y = np.zeros((n, t + 20)), np.zeros((n, t + 20))
    for s in range(1, t + 20):
        shock = rng.normal(size=2)
        x[:, s] = 0.5 * x[:, s - 1] + rng.normal(size=n) + common * shock[0]
        y[:, s] = 0.4 * y[:, s - 1] + link * x[:, s - 1] + rng.normal(size=n) + common * shock[1]
    index = pd.MultiIndex.from_product([range(n), range(t)], names=["entity", "year"])
    return pd.Series(y[:, -t:].ravel(), index, name="y"), pd.Series(x[:, -t:].ravel(), index)


@pytest.mark.parametrize("lags", [1, 2])
def test_batched_statistics_are_those_of_each_entity(lags):
    y, x = walks(7, 20, 1)
    wide_y, wide_x = (s.unstack().to_numpy() for s in (y, x))
    found = _mean_walds(wide_y.T[:, None], wide_x.T[:, None], lags)
    assert found[0] == pytest.approx(dumitrescu_hurlin(y, x, lags).wbar, rel=1e-10)


def test_bootstrap_p_is_small_for_a_link_and_repeats():
    y, x = walks(10, 20, 2, link=0.4)
    one, two = (dumitrescu_hurlin(y, x, draws=199, seed=3).bootstrap_p for _ in range(2))
    assert one == two == pytest.approx(0.005)
    assert np.isnan(dumitrescu_hurlin(y, x).bootstrap_p)


def test_bootstrap_keeps_the_size_where_entities_move_together_and_the_normal_does_not():
    boot, normal = [], []
    for seed in range(200):
        y, x = walks(15, 20, seed, common=1.5)
        test = dumitrescu_hurlin(y, x, draws=99, seed=seed)
        boot.append(test.bootstrap_p <= 0.05)
        normal.append(test.pvalues["zbar"] <= 0.05)
    assert np.mean(boot) <= 0.09
    assert np.mean(normal) >= 0.12


def test_units_do_not_matter_to_the_bootstrap():
    y, x = walks(8, 20, 4)
    one = dumitrescu_hurlin(y, x, draws=99)
    assert one.bootstrap_p == dumitrescu_hurlin(1e6 * y, 1e-6 * x, draws=99).bootstrap_p


@pytest.mark.parametrize("criterion", ["aic", "bic", "hqic"])
def test_criteria_find_two_lags(criterion):
    rng = np.random.default_rng(5)
    n, t = 20, 40
    y, x = np.zeros((n, t)), rng.normal(size=(n, t))
    for s in range(2, t):
        y[:, s] = 0.2 * y[:, s - 1] + 0.5 * y[:, s - 2] + 0.5 * x[:, s - 2] + rng.normal(size=n)
    index = pd.MultiIndex.from_product([range(n), range(t)])
    y, x = pd.Series(y.ravel(), index), pd.Series(x.ravel(), index)
    assert dumitrescu_hurlin(y, x, criterion).lags == 2


def test_what_the_bootstrap_and_the_criteria_cannot_do_is_said():
    y, x = walks(5, 20, 6)
    with pytest.raises(TandemError, match="the same years"):
        dumitrescu_hurlin(y.drop((0, 0)), x.drop((0, 0)), draws=9)
    with pytest.raises(TandemError, match="'fpe' is none"):
        dumitrescu_hurlin(y, x, "fpe")


def test_order_of_rows_and_units_do_not_matter(grunfeld):
    mixed = grunfeld.sample(frac=1, random_state=3)
    one = dumitrescu_hurlin(grunfeld["inv"], grunfeld["value"])
    other = dumitrescu_hurlin(mixed["inv"] * 1e-4, mixed["value"] * 1e3)
    assert other.ztilde == pytest.approx(one.ztilde, rel=1e-8)
    assert other.wald.sort_index().to_numpy() == pytest.approx(
        one.wald.sort_index().to_numpy(), rel=1e-7
    )
