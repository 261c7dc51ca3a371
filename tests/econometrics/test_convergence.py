import numpy as np
import pandas as pd
import pytest
from linearmodels.panel import PanelOLS
from scipy.stats import t as student_t

from tandem.econometrics.convergence import beta_convergence, sigma_convergence
from tandem.errors import TandemError


def converging(speed, n=40, years=25, noise=0.0, seed=1):
    """ln x closes the share 1 - e^-speed of the gap to the entity's own target every year."""
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    target, level = rng.normal(0, 1, n), rng.normal(0, 1, n)
    logs = [level]
    for _ in range(years - 1):
        gap = logs[-1] - target
        logs.append(target + np.exp(-speed) * gap + noise * rng.normal(size=n))
    index = pd.MultiIndex.from_product([range(n), range(2000, 2000 + years)])
    index.names = ["entity", "year"]
    return pd.Series(np.exp(np.array(logs)).T.ravel(), index, name="D")


def test_speed_and_half_life_of_exact_convergence():
    found = beta_convergence(converging(0.05), effects="entity")
    assert found.beta == pytest.approx(np.exp(-0.05) - 1)
    assert found.speed == pytest.approx(0.05)
    assert found.half_life == pytest.approx(np.log(2) / 0.05)


def test_absolute_convergence_is_the_regression_of_growth_on_level():
    x = converging(0.1, noise=0.05)
    logs = np.log(x).unstack()
    growth = logs.diff(axis=1).iloc[:, 1:].to_numpy().ravel()
    level = logs.iloc[:, :-1].to_numpy().ravel()
    slope, _ = np.polyfit(level, growth, 1)
    assert beta_convergence(x).beta == pytest.approx(slope)


def test_conditional_convergence_equals_linearmodels_by_hand():
    x = converging(0.1, noise=0.05)
    z = pd.DataFrame({"z": np.random.default_rng(2).normal(size=len(x))}, x.index)
    found = beta_convergence(x, z, "two-way")
    before = np.log(x).groupby("entity").shift().rename("log_level")
    table = pd.concat([np.log(x) - before, before, z.groupby("entity").shift()], axis=1).dropna()
    model = PanelOLS(
        table.iloc[:, 0], table[["log_level", "z"]], entity_effects=True, time_effects=True
    )
    fit = model.fit(cov_type="clustered", cluster_entity=True, group_debias=True)
    assert found.beta == pytest.approx(fit.params["log_level"])
    assert found.std_error == pytest.approx(fit.std_errors["log_level"])
    assert list(found.result.params.index) == ["log_level", "z"]
    reach = student_t.ppf(0.975, 39) * found.std_error
    assert (found.conf_low, found.conf_high) == pytest.approx(
        (found.beta - reach, found.beta + reach)
    )
    statistic = found.beta / found.std_error
    assert found.p_value == pytest.approx(2 * student_t.sf(abs(statistic), 39), abs=1e-15)


def test_neither_rows_nor_columns_nor_units_matter():
    x = converging(0.1, noise=0.05)
    z = pd.DataFrame(np.random.default_rng(2).normal(size=(len(x), 2)), x.index, ["a", "b"])
    found = beta_convergence(x, z, "entity")
    order = np.random.default_rng(3).permutation(len(x))
    turned = beta_convergence(1000 * x.iloc[order], 5 * z.iloc[::-1, ::-1], "entity")
    assert turned[:7] == pytest.approx(found[:7])


def test_growth_does_not_reach_over_a_gap():
    x = converging(0.1, noise=0.05)
    found = beta_convergence(x.drop((3, 2010)), effects="entity")
    assert found.result.nobs == 40 * 24 - 2
    with pytest.raises(TandemError, match="no growth"):
        beta_convergence(x[x.index.get_level_values("year").isin([2001, 2003])])


def test_divergence_has_no_half_life():
    found = beta_convergence(converging(-0.05), effects="entity")
    assert found.beta > 0 and found.speed == pytest.approx(-0.05)
    assert found.half_life == np.inf


def test_overshooting_has_no_speed():
    rng = np.random.default_rng(np.random.SeedSequence(4))
    index = pd.MultiIndex.from_product([range(30), range(2000, 2010)])
    signs = np.tile([1, -1], (30, 5)) * rng.uniform(0.5, 1, (30, 1))
    x = pd.Series(np.exp(signs + 0.01 * rng.normal(size=(30, 10))).ravel(), index)
    found = beta_convergence(x, effects="entity")
    assert found.beta < -1
    assert np.isnan(found.speed) and np.isnan(found.half_life)


def test_beta_refuses():
    x = converging(0.1, 5, 5)
    with pytest.raises(TandemError, match="D of 2 in 2003 is 0.0: convergence needs values above"):
        beta_convergence(x.where(x.index != (2, 2003), 0.0))
    with pytest.raises(TandemError, match="is nan"):
        beta_convergence(x.where(x.index != (2, 2003)))
    with pytest.raises(TandemError, match="2 has 2003 twice"):
        beta_convergence(pd.concat([x, x.loc[[(2, 2003)]]]))
    with pytest.raises(TandemError, match="controls do not cover"):
        beta_convergence(x, x.to_frame("z").iloc[1:])
    with pytest.raises(TandemError, match="named log_level"):
        beta_convergence(x, x.to_frame("log_level"))


def test_sigma_by_hand():
    index = pd.MultiIndex.from_product([["A", "B", "C"], [2000, 2001]])
    x = pd.Series([1.0, 2, 2, 2, 3, 2], index)
    found = sigma_convergence(x)
    np.testing.assert_allclose(found.loc[2000], [2, 1, 0.5, 3])
    np.testing.assert_allclose(found.loc[2001], [2, 0, 0, 3])
    np.testing.assert_allclose(sigma_convergence(100 * x[::-1])["cv"], found["cv"])


def test_dispersion_of_converging_entities_falls():
    # Without targets of their own: ln x_it = e^(-0.1 t) ln x_i0.
    start = np.random.default_rng(np.random.SeedSequence(5)).normal(0, 0.3, (20, 1))
    index = pd.MultiIndex.from_product([range(20), range(2000, 2010)])
    x = pd.Series(np.exp(start * np.exp(-0.1 * np.arange(10))).ravel(), index)
    assert sigma_convergence(x)["cv"].is_monotonic_decreasing


def test_sigma_refuses():
    x = converging(0.1, 4, 3)
    with pytest.raises(TandemError, match="Not every entity has every year"):
        sigma_convergence(x.drop((2, 2001)))
    with pytest.raises(TandemError, match="at least two entities"):
        sigma_convergence(x.loc[[0]])


def test_entities_of_other_years_are_no_dispersion_and_two_are_enough():
    x = converging(0.1, 2, 3)
    assert sigma_convergence(x)["n"].tolist() == [2, 2, 2]
    apart = x[[(0, 2000), (1, 2001)]]
    with pytest.raises(TandemError, match="Not every entity has every year"):
        sigma_convergence(apart)
    with pytest.raises(TandemError, match="empty"):
        sigma_convergence(x[:0])


def test_what_is_not_given_is_no_effects():
    x = converging(0.1, noise=0.05)
    assert beta_convergence(x)[:7] == beta_convergence(x, None, "none")[:7]
    assert beta_convergence(x).facts["se_type"] == "clustered by entity"
    z = pd.DataFrame({"z": np.random.default_rng(1).normal(size=len(x))}, x.index)
    z.iloc[7] = np.nan
    assert beta_convergence(x, z).facts["n_dropped"] == 1
