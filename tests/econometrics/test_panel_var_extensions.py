import numpy as np
import pandas as pd
import pytest

from tandem.econometrics import DynamicPanel, PanelVAR
from tandem.econometrics.panel_var_design import Design
from tandem.econometrics.panel_var_irf import structural_impact
from tandem.econometrics.panel_var_moments import build_moments
from tandem.econometrics.panel_var_paths import rebuilt, wild_factors
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


@pytest.mark.parametrize("order", [None, ["b", "a"]])
@pytest.mark.parametrize("lags", [1, 2])
def test_contributions_are_shocks_times_their_responses(simulate, lags, order):
    """An entity without gaps: the moving average of its orthogonal shocks, shock by shock."""
    panel = simulate([A1], SIGMA, n=40, t=9, seed=7).drop([(3, 2004)])
    fit = PanelVAR(panel, lags, instrument_lags=(2, 4)).fit()
    names = order or ["a", "b"]
    sigma = fit.residual_cov.loc[names, names].to_numpy()
    impact = pd.DataFrame(np.linalg.cholesky(sigma), names, names).loc[["a", "b"], names].to_numpy()
    coef = fit.params.to_numpy()
    companion = np.vstack([coef, np.eye(2 * (lags - 1), 2 * lags)])
    found = fit.historical_decomposition(order).set_index(["entity", "year", "response", "shock"])
    for entity in (0, 17):
        e = fit.residuals.loc[entity].to_numpy()
        shocks = np.linalg.solve(impact, e.T).T
        for s in range(len(e)):
            mine = found.loc[(entity, 2001 + lags + s)]["contribution"]
            for j, shock in enumerate(names):
                parts = [
                    np.linalg.matrix_power(companion, s - r)[:2, :2] @ impact[:, j] * shocks[r, j]
                    for r in range(s + 1)
                ]
                assert mine.xs(shock, level="shock").to_numpy() == pytest.approx(sum(parts))
    # after a gap the past is what was observed, not what was shocked
    after = found.loc[(3, 2005 + lags)]["contribution"]
    e = np.linalg.solve(impact, fit.residuals.loc[(3, 2005 + lags)])
    assert after.xs(names[0], level="shock").to_numpy() == pytest.approx(impact[:, 0] * e[0])


def test_bands_of_forecasts_are_paths_with_errors_added_each_year(simulate):
    panel = simulate([A1], SIGMA, n=30, t=8, seed=8)
    fit = PanelVAR(panel, instrument_lags=(2, 4)).fit()
    found = fit.forecast(3, draws=40, seed=5, level=0.8)
    coefs, sigmas = fit.draw("bootstrap", 40, 5)
    rng = np.random.default_rng(np.random.SeedSequence(5).spawn(1)[0])
    noise = rng.normal(size=(40, 30, 3, 2))
    values = panel.to_numpy().reshape(30, 8, 2)
    drawn = np.empty((40, 30, 3, 2))
    for d, (coef, sigma) in enumerate(zip(coefs, sigmas, strict=True)):
        root = np.linalg.cholesky(sigma)
        for i in range(30):
            effect = (values[i, 1:] - values[i, :-1] @ coef.T).mean(axis=0)
            last = values[i, -1]
            for h in range(3):
                last = drawn[d, i, h] = coef @ last + effect + root @ noise[d, i, h]
    low, high = np.quantile(drawn, [0.1, 0.9], axis=0)
    assert close(found["conf_low"], low.ravel()) and close(found["conf_high"], high.ravel())
    assert found["year"].unique().tolist() == [2009, 2010, 2011]


def test_cumulated_multipliers_and_their_bands(simulate):
    panel = simulate([A1], SIGMA, n=60, t=8, seed=9)
    x = pd.DataFrame({"x": np.random.default_rng(2).normal(size=len(panel))}, panel.index)
    fit = PanelVAR(panel.add(0.5 * x["x"], axis=0), exog=x, trend=True).fit()
    plain = fit.multipliers(3, bands="gaussian", draws=50, seed=2, level=0.8)
    total = fit.multipliers(3, True, "gaussian", 50, 2, 0.8)
    assert plain["impulse"].unique().tolist() == ["x"]  # the trend is no impulse
    assert close(total["estimate"], plain.groupby("response")["estimate"].cumsum())
    coefs, _ = fit.draw("gaussian", 50, 2)
    drawn = [[np.linalg.matrix_power(c[:, :2], h) @ c[:, 2] for h in range(4)] for c in coefs]
    low, high = np.quantile(drawn, [0.1, 0.9], axis=0)
    assert close(plain["conf_low"], low.T.ravel()) and close(plain["conf_high"], high.T.ravel())
    pd.testing.assert_frame_equal(
        fit.multipliers(), fit.multipliers(10, False, "bootstrap", 999, 1, 0.95)
    )


@pytest.mark.parametrize("transform", ["fd", "fod"])
@pytest.mark.parametrize("collapse", [True, False])
def test_instruments_lie_as_many_years_back_as_said(panel, transform, collapse):
    """One variable, one predetermined regressor, both equations; values in standard deviations."""
    y, x = panel[["a"]], panel[["b"]]
    design = Design(1, transform, (3, 4), collapse, predetermined=x, system=True)
    moments = build_moments(y, design)
    a, b = (v.unstack().to_numpy() / v.std(ddof=0) for v in (y["a"], x["b"]))
    shift = 1 if transform == "fod" else 0
    wanted = []
    for v, first in ((a, 3 - shift), (b, 2 - shift)):
        for distance in range(first, 4 - shift + 1):
            column = np.zeros((150, 16))
            column[:, distance:8] = v[:, : 8 - distance]
            wanted.append(column * np.concatenate([moments.rows, np.zeros((150, 8))], axis=1))
    for v, distance in ((a, 2), (b, 1)):  # changes before the equations in levels
        column = np.zeros((150, 16))
        column[:, 8 + distance + 1 :] = np.diff(v, axis=1)[:, : 7 - distance]
        wanted.append(column)
    if not collapse:
        wanted = [w * (np.arange(16) == s) for w in wanted for s in range(16)]
        wanted = [w for w in wanted if w.any()]
    constant = np.concatenate([np.zeros((150, 8)), np.ones((150, 8)) * (np.arange(8) > 0)], axis=1)
    found = moments.z.transpose(1, 0, 2)
    assert len(found) == len(wanted) + 1
    for column in [*wanted, constant]:
        assert min(np.abs(f - column).max() for f in found) < 1e-9


def test_principal_components_are_the_fewest_that_hold_the_share(panel):
    options = {"instrument_lags": (2, 5), "collapse": False}
    whole = build_moments(panel, Design(1, **options))
    values = whole.z.transpose(0, 2, 1)[whole.rows]
    roots = np.linalg.eigvalsh(np.corrcoef(values, rowvar=False))[::-1]
    held = np.cumsum(roots) / roots.sum()
    for share in (0.5, 0.8, 0.95, held[6]):
        fewer = build_moments(panel, Design(1, pca=share, **options))
        count = fewer.z.shape[1]
        assert held[count - 1] >= share - 1e-9 and (count == 1 or held[count - 2] < share - 1e-9)
        z = fewer.z.transpose(0, 2, 1)[whole.rows]
        # components of the correlations: uncorrelated, with the roots as variances
        around = (values - values.mean(axis=0)) / values.std(axis=0)
        scores = around @ np.linalg.lstsq(around, z - z.mean(axis=0), rcond=None)[0]
        assert np.cov(scores, rowvar=False, bias=True).reshape(count, count) == pytest.approx(
            np.diag(roots[:count]), abs=1e-6
        )


def test_wild_factors_stretch_the_residuals_of_each_entity(panel):
    gap = panel.drop([(3, 2004), (7, 2001)])
    fit = PanelVAR(gap, instrument_lags=(2, 4)).fit()
    found = np.abs(wild_factors(fit, np.random.default_rng(1), 2))
    assert found.shape == (2, 150, 8)
    assert found[:, 0] == pytest.approx(np.full((2, 8), np.sqrt(7 / 6)))
    assert found[:, 3] == pytest.approx(np.full((2, 8), np.sqrt(5 / 4)))  # 2004 and 2005 are gone
    assert found[:, 7] == pytest.approx(np.full((2, 8), np.sqrt(6 / 5)))


@pytest.mark.parametrize("system", [False, True])
def test_panels_rebuilt_with_other_signs_follow_their_equations(panel, system):
    x = pd.DataFrame({"x": np.random.default_rng(2).normal(size=len(panel))}, panel.index)
    fit = PanelVAR(panel, 2, exog=x, instrument_lags=(2, 4), trend=True, system=system).fit()
    factors = np.random.default_rng(3).normal(size=(2, 150, 8))
    again, outside = rebuilt(fit, factors)
    assert outside[0].to_numpy() == pytest.approx(np.tile(x, (2, 1))) and outside[1] is None
    values, terms = panel.to_numpy().reshape(150, 8, 2), fit.params
    fixed = x.to_numpy().reshape(150, 8, 1) * terms["x"].to_numpy()
    fixed = fixed + np.arange(8)[:, None] * terms["trend"].to_numpy()
    fixed = fixed + (terms["const"].to_numpy() if system else 0)
    a = [terms[[f"L{j}.a", f"L{j}.b"]].to_numpy() for j in (1, 2)]
    for i in (0, 149):
        past = [values[i, t - 1] @ a[0].T + values[i, t - 2] @ a[1].T for t in range(2, 8)]
        e = values[i, 2:] - past - fixed[i, 2:]
        built = [*values[i, :2]]
        for t in range(2, 8):
            moved = a[0] @ built[-1] + a[1] @ built[-2] + fixed[i, t] + e.mean(axis=0)
            built.append(moved + factors[1, i, t] * (e[t - 2] - e.mean(axis=0)))
        assert again.loc[150 + i].to_numpy() == pytest.approx(np.array(built))


def test_a_regressor_that_is_given_twice_or_fixed_is_refused(panel):
    x = pd.DataFrame({"x": np.random.default_rng(2).normal(size=len(panel))}, panel.index)
    with pytest.raises(TandemError, match="'x' is a variable of the VAR and exogenous, or given"):
        PanelVAR(panel, exog=x, predetermined=x)
    with pytest.raises(TandemError, match="'b' is a variable of the VAR and predetermined"):
        PanelVAR(panel, predetermined=panel[["b"]])
    still = x.groupby(level=0).transform("mean")
    with pytest.raises(TandemError, match="'x' is wholly explained by the fixed effects"):
        PanelVAR(panel, exog=still)
    assert PanelVAR(panel, pca=1.0).fit().n_instruments
    for last in (2, 3):
        assert PanelVAR(panel, instrument_lags=(2, last)).fit().n_instruments == 2 * (last - 1)


def test_iterations_that_do_not_settle_are_told(panel, monkeypatch):
    monkeypatch.setattr("tandem.econometrics.panel_var_gmm.MOST_ITERATIONS", 1)
    with pytest.raises(TandemError, match="does not settle in 1 steps"):
        PanelVAR(panel, instrument_lags=(2, 4)).fit("iterated")
