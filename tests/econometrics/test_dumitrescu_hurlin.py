import numpy as np
import pandas as pd
import pytest

from tandem.econometrics import dumitrescu_hurlin, standardise_wbar
from tandem.econometrics.dumitrescu_hurlin import _bootstrap, _mean_walds
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


def slow_wald(y, x, k):
    """Statistic of one entity by two regressions, and the larger one's sum of squares."""
    t = len(y)
    own = np.column_stack([np.ones(t - k), *(y[k - j : t - j] for j in range(1, k + 1))])
    full = np.column_stack([own, *(x[k - j : t - j] for j in range(1, k + 1))])
    less, ssr = (
        ((y[k:] - z @ np.linalg.lstsq(z, y[k:], rcond=None)[0]) ** 2).sum() for z in (own, full)
    )
    return (less - ssr) / (ssr / (t - k - 2 * k - 1)), ssr


@pytest.mark.parametrize("k", [1, 2])
def test_resamples_are_built_year_by_year(k):
    y, x = walks(3, 15, 7)
    cube = np.stack([s.unstack().to_numpy() for s in (y, x)], axis=1)
    found = _bootstrap(cube, k, 12, np.random.default_rng(4))
    rng = np.random.default_rng(4)
    years, first = rng.integers(0, 15 - k, (12, 15 - k)), rng.integers(0, 15 - k + 1, 12)
    slow = np.zeros(12)
    for d in range(12):
        for own, other in cube:
            z = [np.ones(15 - k), *(own[k - j : 15 - j] for j in range(1, k + 1))]
            z = np.column_stack(z)
            b = np.linalg.lstsq(z, own[k:], rcond=None)[0]
            e = own[k:] - z @ b
            built = list(own[first[d] : first[d] + k])
            for s in range(15 - k):
                built.append(b[0] + b[1:] @ built[: -k - 1 : -1] + e[years[d, s]])
            slow[d] += slow_wald(np.array(built), other, k)[0] / 3
    assert found == pytest.approx(slow, rel=1e-8)
    fit = dumitrescu_hurlin(y, x, k, draws=12, seed=4)
    assert fit.bootstrap_p == (1 + (slow >= fit.wbar).sum()) / 13


@pytest.mark.parametrize("criterion", ["aic", "bic", "hqic"])
def test_criteria_are_means_over_entities_on_one_sample(criterion):
    penalty = {"aic": lambda n: 2.0, "bic": np.log, "hqic": lambda n: 2 * np.log(np.log(n))}
    chosen = []
    for seed, t in enumerate([9, 11, 12, 16, 28, 40, 40, 40, 60, 60]):
        # as many lags as 4 (T / 100)^(2/9), but a regression each of them must leave something
        most = max(1, min((t - 6) // 3, int(4 * (t / 100) ** (2 / 9))))
        y, x = walks(4, t, seed)
        y = y + 0.4 * y.groupby(level=0).shift(seed % 4 + 1).fillna(0.0)
        means = []
        for k in range(1, most + 1):
            total = 0.0
            for e in range(4):
                _, ssr = slow_wald(y[e].to_numpy()[most - k :], x[e].to_numpy()[most - k :], k)
                n = t - most
                total += np.log(ssr / n) + penalty[criterion](n) * (2 * k + 1) / n
            means.append(total)
        found = dumitrescu_hurlin(y, x, criterion).lags
        assert found == np.argmin(means) + 1, (seed, t)
        chosen.append(found)
    assert len(set(chosen)) > 1


def test_entities_of_other_years_count_with_their_own():
    y, x = walks(4, 20, 8)
    year = y.index.get_level_values(1)
    kept = (y.index.get_level_values(0) != 2) | ((year >= 3) & (year < 17))
    fit = dumitrescu_hurlin(y[kept], x[kept])
    wald = [slow_wald(y[kept][e].to_numpy(), x[kept][e].to_numpy(), 1)[0] for e in range(4)]
    assert fit.wald.to_numpy() == pytest.approx(wald)
    expected = standardise_wbar(np.mean(wald), 4, np.array([20, 20, 14, 20]), 1)
    assert (fit.zbar, fit.ztilde) == pytest.approx(expected)


def test_the_least_years_and_lags():
    y, x = walks(3, 20, 9)
    year = y.index.get_level_values(1)
    for lags, least in ((1, 9), (2, 12), (3, 15)):
        assert dumitrescu_hurlin(y[year < least], x[year < least], lags).lags == lags
        with pytest.raises(TandemError, match=f"0 has {least - 1} years; .* more than {least - 1}"):
            dumitrescu_hurlin(y[year < least - 1], x[year < least - 1], lags)
        assert np.isfinite(standardise_wbar(2.0, 3, least, lags)).all()
        with pytest.raises(TandemError, match=f"more than {least - 1} years; {least - 1} are"):
            standardise_wbar(2.0, 3, least - 1, lags)
    assert dumitrescu_hurlin(y[year < 9], x[year < 9], "bic").lags == 1
    with pytest.raises(TandemError, match="8 years allow no lag"):
        dumitrescu_hurlin(y[year < 8], x[year < 8], "bic")
    with pytest.raises(TandemError, match="at least one lag; lags=0"):
        dumitrescu_hurlin(y, x, 0)


def test_what_is_not_given_is_one_lag_and_no_draws():
    y, x = walks(3, 20, 10)
    plain = dumitrescu_hurlin(y, x)
    assert plain.lags == 1 and np.isnan(plain.bootstrap_p)
    assert plain.wbar == dumitrescu_hurlin(y, x, 1).wbar
    drawn = [dumitrescu_hurlin(y, x, draws=99, **o).bootstrap_p for o in ({}, {"seed": 1})]
    assert drawn[0] == drawn[1]
    others = [dumitrescu_hurlin(y, x, draws=99, seed=s).bootstrap_p for s in (0, 2)]
    assert drawn[0] not in others


def test_lags_that_move_as_one_are_refused():
    y, x = walks(3, 20, 11)
    with pytest.raises(TandemError, match="lags of x and y are collinear in 0"):
        dumitrescu_hurlin(y, (2 * y + 1).rename("x"))
    with pytest.raises(TandemError, match="1 has no year with both series"):
        dumitrescu_hurlin(y, x.mask(x.index.get_level_values(0) == 1))
