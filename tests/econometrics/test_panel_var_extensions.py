import numpy as np
import pandas as pd
import pytest

from tandem.econometrics import DynamicPanel, PanelVAR
from tandem.econometrics.panel_var_irf import structural_impact
from tandem.econometrics.panel_var_paths import rebuilt
from tandem.errors import TandemError

A1 = [[0.5, 0.2], [-0.1, 0.4]]
SIGMA = [[1.0, 0.4], [0.4, 0.5]]


@pytest.fixture(scope="module")
def panel(simulate):
    return simulate([A1], SIGMA, n=150, t=8, seed=3)


@pytest.fixture(scope="module")
def fitted(panel):
    return PanelVAR(panel, instrument_lags=(2, 4)).fit()


def close(a, b, rel=1e-8):
    return np.asarray(a) == pytest.approx(np.asarray(b), rel=rel, abs=1e-12)


@pytest.mark.parametrize("transform", ["fd", "fod"])
@pytest.mark.parametrize("collapse", [True, False])
def test_one_step_system_equation_equals_the_dynamic_panel(panel, transform, collapse):
    options = {"transform": transform, "collapse": collapse, "system": True}
    var = PanelVAR(panel, **options).fit(steps=1)
    lagged = panel.groupby(level=0).shift(1)
    predetermined = lagged[["b"]].set_axis(["L1.b"], axis=1)  # its lag 1 is the level of b, lag 2
    one = DynamicPanel(panel["a"], predetermined=predetermined, **options)
    assert one.equations.n_obs == var.n_obs
    gmm = one.fit(steps=1)
    assert set(gmm.terms.index) == {"L1.a", "L1.b", "const"}
    if collapse:  # one column more a lag of b than the panel VAR's, which starts a year later
        assert gmm.n_instruments == var.n_instruments
    assert var.params.loc["a", "L1.a"] == pytest.approx(gmm.terms.loc["L1.a", "estimate"], abs=0.1)


@pytest.mark.parametrize("steps", [1, 2])
def test_a_system_of_one_variable_is_the_dynamic_panel(panel, steps):
    options = {"transform": "fd", "collapse": True, "system": True, "instrument_lags": (2, 4)}
    var = PanelVAR(panel[["a"]], **options).fit(steps)
    gmm = DynamicPanel(panel["a"], **options).fit(steps)
    assert close(var.params.loc["a", ["L1.a", "const"]], gmm.terms["estimate"])
    assert close(var.std_errors.loc["a", ["L1.a", "const"]], gmm.terms["std_error"])
    assert close(var.hansen_j.stat, gmm.hansen.stat)
    assert var.n_obs == gmm.n_obs


@pytest.mark.parametrize("system", [False, True])
@pytest.mark.parametrize("transform", ["fd", "fod"])
def test_predetermined_regressor_equals_the_dynamic_panel(panel, transform, system):
    options = {"transform": transform, "collapse": True, "instrument_lags": (2, 4)}
    x = panel[["b"]]
    var = PanelVAR(panel[["a"]], predetermined=x, system=system, **options).fit()
    gmm = DynamicPanel(panel["a"], predetermined=x, system=system, **options).fit()
    terms = gmm.terms.loc[var.params.columns]
    assert close(var.params.loc["a"], terms["estimate"])
    assert close(var.std_errors.loc["a"], terms["std_error"])


def test_serial_correlation_of_an_equation_is_that_of_the_dynamic_panel(panel):
    var = PanelVAR(panel[["a"]], transform="fod", instrument_lags=(2, 4)).fit()
    options = {"transform": "fod", "collapse": True, "instrument_lags": (2, 4)}
    gmm = DynamicPanel(panel["a"], **options).fit()
    row = var.diagnostics.loc["a"]
    for order in (1, 2):
        test = gmm.serial_correlation(order)
        assert row[f"ar{order}"] == pytest.approx(test.stat, rel=1e-8)
        assert row[f"ar{order}_p"] == pytest.approx(test.pval, rel=1e-6)
    assert row["ar1_p"] < 0.01 < row["ar2_p"]


def test_iterations_end_where_another_step_changes_nothing(panel):
    from tandem.econometrics import panel_var_gmm as gmm

    model = PanelVAR(panel, instrument_lags=(2, 4))
    results = model.fit("iterated")
    moments = model._moments
    coef = results._gmm.coef
    zx, zy = (moments.z @ np.swapaxes(a, 1, 2) for a in (moments.x, moments.y))
    m = gmm._entity_moments(zx, zy, coef)
    again, *_ = gmm._reweighted(m, np.kron(np.eye(2), zx.sum(0)), zy.sum(0).T.ravel())
    assert close(again, coef.ravel())
    assert not close(results.params, model.fit(2).params, rel=1e-6)
    drawn, _ = gmm.refit(moments, "iterated", np.ones((1, len(moments.z))))
    assert drawn[0] == pytest.approx(coef, abs=1e-5)


def test_errors_of_iterated_gmm_are_those_of_repeated_samples(simulate):
    fits = [
        PanelVAR(simulate([A1], SIGMA, n=60, t=7, seed=s), instrument_lags=(2, 5)).fit("iterated")
        for s in range(150)
    ]
    estimates = np.array([f.params for f in fits])
    told = np.mean([f.std_errors.to_numpy() for f in fits], axis=0)
    assert told / estimates.std(axis=0) == pytest.approx(np.ones((2, 2)), abs=0.2), told


def test_all_principal_components_of_the_instruments_are_the_instruments(panel):
    options = {"instrument_lags": (2, 4)}
    assert close(PanelVAR(panel, pca=1.0, **options).fit().params, PanelVAR(panel, **options).fit()
                 .params)  # fmt: skip
    fewer = PanelVAR(panel, pca=0.9, collapse=False, **options).fit()
    assert fewer.n_instruments < PanelVAR(panel, collapse=False, **options).fit().n_instruments
    assert (np.abs(fewer.params - np.array(A1)) < 3 * fewer.std_errors).all(axis=None)


def test_a_common_trend_is_found(panel):
    year = panel.index.get_level_values(1).to_numpy()
    level = panel + np.outer(year - 2001, [0.3, -0.2])
    results = PanelVAR(level, trend=True, instrument_lags=(2, 4)).fit()
    # y_t - g t = A (y_{t-1} - g (t - 1)) + ..., so the trend's slope is (I - A) g
    assert results.params["trend"].to_numpy() == pytest.approx(
        (np.eye(2) - A1) @ [0.3, -0.2], abs=0.05
    )


@pytest.mark.parametrize("steps", [1, 2, "iterated"])
def test_panels_rebuilt_with_their_own_residuals_are_the_data(panel, steps):
    gap = panel.drop([(3, 2004), (7, 2001)])
    x = pd.DataFrame({"x": np.random.default_rng(2).normal(size=len(gap))}, gap.index)
    results = PanelVAR(gap, instrument_lags=(2, 4), exog=x, time_effects=True).fit(steps)
    again, outside = rebuilt(results, np.ones((2, 150, 8)))
    assert again.loc[:149].dropna().to_numpy() == pytest.approx(gap.to_numpy())
    coef, sigma = results._refit_panels(again, outside, 2)
    assert coef[1] == pytest.approx(results.params.to_numpy(), abs=2e-5)
    assert sigma[0] == pytest.approx(results.residual_cov.to_numpy(), rel=0.05)


@pytest.mark.parametrize("steps", [1, 2])
def test_wild_draws_spread_the_coefficients_as_resampling_does(simulate, steps):
    long = simulate([A1], SIGMA, n=150, t=40, seed=3)  # with few years the wild bands are wider
    results = PanelVAR(long, instrument_lags=(2, 4)).fit(steps)
    wild, resampled = (results.draw(kind, 600, 1)[0].std(axis=0) for kind in ("wild", "bootstrap"))
    assert wild / resampled == pytest.approx(np.ones((2, 2)), abs=0.2)
    assert wild / results.std_errors.to_numpy() == pytest.approx(np.ones((2, 2)), abs=0.2)


def test_cumulated_responses_are_sums_and_leave_shares_alone(fitted):
    plain = fitted.irf(6, draws=50)
    total = fitted.irf(6, cumulative=True, draws=50)
    summed = plain.table.groupby(["impulse", "response"])["estimate"].cumsum()
    assert close(total.table["estimate"], summed)
    pd.testing.assert_frame_equal(total.fevd(), plain.fevd())


def test_joint_bands_hold_the_pointwise_ones_of_the_normal_distribution(fitted):
    table = fitted.irf(8, bands="gaussian", draws=4000, level=0.9).table
    later = table[table["horizon"] > 0]
    joint = later["joint_high"] - later["joint_low"]
    assert (joint > later["conf_high"] - later["conf_low"]).mean() > 0.95
    fixed = table[(table["horizon"] == 0)]
    assert close(fixed["joint_low"], fixed["estimate"])  # the impact is held fixed in these draws


def test_shares_have_bands_that_hold_them(fitted):
    shares = fitted.irf(6, draws=300).fevd()
    first = shares[shares["horizon"] == 1]
    assert (shares["conf_low"] - 1e-12 <= shares["conf_high"]).all()
    assert shares["conf_low"].min() >= 0 and shares["conf_high"].max() <= 1
    inside = (shares["conf_low"] - 0.02 < shares["share"]) & (
        shares["share"] < shares["conf_high"] + 0.02
    )
    assert inside.all() and len(first) == 4


def test_structural_zeros_of_a_triangle_are_cholesky(fitted):
    names = list(fitted.params.index)
    zero = pd.DataFrame([[np.nan, 0.0], [np.nan, np.nan]], names, names)
    structural = fitted.irf(5, "structural", restrictions=zero, draws=30)
    plain = fitted.irf(5, order=["a", "b"], draws=30)
    pd.testing.assert_frame_equal(structural.table, plain.table, rtol=1e-7, atol=1e-9)
    assert close(structural.fevd()["share"], plain.fevd()["share"])


def test_structural_impacts_of_three_variables_are_recovered():
    b = np.array([[1.0, 0.0, 0.5], [0.4, 0.8, 0.0], [0.0, 0.3, 1.2]])
    pattern = np.where(b == 0, 0.0, np.nan)
    found = structural_impact(b @ b.T, pattern)
    assert found @ found.T == pytest.approx(b @ b.T, rel=1e-9)
    assert np.all(found[b == 0] == 0)


def test_impacts_that_are_not_identified_are_refused():
    with pytest.raises(TandemError, match="cannot be told apart"):
        structural_impact(np.eye(2), np.full((2, 2), np.nan))
    loose = np.array([[np.nan, 0, 0], [0, np.nan, np.nan], [0, np.nan, np.nan]])
    with pytest.raises(TandemError, match="do not identify"):
        structural_impact(np.eye(3), loose)


@pytest.mark.parametrize("time_effects", [False, True])
def test_histories_add_up_to_the_values(panel, time_effects):
    gap = panel.drop([(3, 2004)])
    results = PanelVAR(gap, instrument_lags=(2, 4), time_effects=time_effects).fit()
    found = results.historical_decomposition()
    total = found.groupby(["entity", "year", "response"])["contribution"].sum().unstack()
    assert len(total) == len(results.residuals)
    assert total.to_numpy() == pytest.approx(gap.loc[total.index].to_numpy())
    own = found[(found["shock"] == "b") & (found["response"] == "a") & (found["year"] == 2002)]
    assert own["contribution"].abs().max() < 1e-12  # the first shock of b moves a a year later


def test_multipliers_follow_their_recursion(simulate):
    panel = simulate([A1], SIGMA, n=150, t=8, seed=4)
    x = pd.DataFrame({"x": np.random.default_rng(2).normal(size=len(panel))}, panel.index)
    results = PanelVAR(panel.assign(a=panel["a"] + 0.7 * x["x"]), exog=x).fit()
    table = results.multipliers(4, bands=None)
    b, a = results.params[["x"]].to_numpy(), results.params[["L1.a", "L1.b"]].to_numpy()
    expected = [np.linalg.matrix_power(a, h) @ b for h in range(5)]
    for i, name in enumerate("ab"):
        mine = table.loc[table["response"] == name, "estimate"]
        assert close(mine, [m[i, 0] for m in expected])
    with pytest.raises(TandemError, match="no exogenous variable"):
        PanelVAR(panel).fit().multipliers()


def test_forecasts_follow_the_recursion_and_their_bands_cover(simulate):
    whole = simulate([A1], SIGMA, n=400, t=13, seed=5)
    year = whole.index.get_level_values(1)
    results = PanelVAR(whole[year <= 2011], instrument_lags=(2, 4)).fit()
    found = results.forecast(2, draws=300, level=0.9)
    first = found[found["year"] == 2012].pivot(index="entity", columns="variable",
                                               values="estimate")  # fmt: skip
    coef, past = results.params.to_numpy(), whole.xs(2011, level=1)
    lagged = whole.groupby(level=0).shift(1)[year <= 2011].dropna()
    left = whole.loc[lagged.index].to_numpy() - lagged.to_numpy() @ coef.T
    effect = pd.DataFrame(left, lagged.index).groupby(level=0).mean()
    assert first.to_numpy() == pytest.approx(past.to_numpy() @ coef.T + effect.to_numpy())
    truth = whole.stack().reindex(pd.MultiIndex.from_frame(found.iloc[:, :3])).to_numpy()
    assert ((found["conf_low"] <= truth) & (truth <= found["conf_high"])).mean() > 0.85
    with pytest.raises(TandemError, match="year effects cannot forecast"):
        PanelVAR(whole, time_effects=True).fit().forecast()


@pytest.mark.parametrize(("system", "lags"), [(False, 1), (True, 1), (False, 2)])
def test_forecasts_take_later_values_of_the_regressors_outside(simulate, system, lags):
    whole = simulate([A1], SIGMA, n=60, t=10, seed=6)
    x = pd.DataFrame({"x": np.random.default_rng(3).normal(size=len(whole))}, whole.index)
    whole = whole.add(0.7 * x["x"], axis=0)
    now = whole.index.get_level_values(1) <= 2008
    results = PanelVAR(whole[now], lags, exog=x[now], trend=True, system=system).fit(1)
    found = results.forecast(2, exog=x[~now], draws=9)
    found = found.pivot(index=["entity", "year"], columns="variable", values="estimate")

    panel = {year: whole.xs(year, level=1) for year in range(2001, 2009)}

    def step(year):
        before = [panel[year - j].add_prefix(f"L{j}.") for j in range(1, lags + 1)]
        regressors = pd.concat(before, axis=1).assign(x=x.xs(year, level=1)["x"], const=1.0)
        regressors["trend"] = float(year - 2001)
        return regressors[results.params.columns] @ results.params.T

    errors = [panel[year] - step(year) for year in range(2001 + lags, 2009)]
    effect = sum(errors) / len(errors)
    for year in (2009, 2010):
        panel[year] = step(year) + effect
        assert close(found.xs(year, level="year"), panel[year])
    with pytest.raises(TandemError, match="to 2010 needs 'x' for each entity and year after 2008"):
        results.forecast(2, exog=x[x.index.get_level_values(1) == 2009])


def test_what_cannot_be_forecast_or_decomposed_is_refused(panel, fitted):
    late = panel.copy()
    late.loc[late.index.get_level_values(1) == 2008, "a"] = np.nan
    with pytest.raises(TandemError, match="No entity has values in the last 1 year"):
        PanelVAR(late, instrument_lags=(2, 4)).fit().forecast()
    with pytest.raises(TandemError, match="must name each of"):
        fitted.historical_decomposition(["a"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"pca": 0.0}, "share of the instruments' variance"),
        ({"pca": 1.5}, "share of the instruments' variance"),
        ({"instrument_lags": (1, 3)}, "must run upwards from 2"),
    ],
)
def test_bad_designs_are_refused_in_words(panel, options, words):
    with pytest.raises(TandemError, match=words):
        PanelVAR(panel, **options)
