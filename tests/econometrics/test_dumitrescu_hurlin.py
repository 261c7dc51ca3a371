import numpy as np
import pandas as pd
import pytest

from tandem.econometrics import dumitrescu_hurlin, standardise_wbar
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
