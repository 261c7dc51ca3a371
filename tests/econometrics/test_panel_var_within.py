import numpy as np
import pandas as pd
import pytest
from linearmodels.panel import PanelOLS

from tandem.econometrics import FixedEffectsVAR
from tandem.econometrics.panel_var_paths import demean, rebuilt
from tandem.errors import TandemError

A1 = np.array([[0.5, 0.2], [-0.1, 0.4]])
SIGMA = [[1.0, 0.4], [0.4, 0.5]]


@pytest.fixture(scope="module")
def panel(simulate):
    return simulate([A1], SIGMA, n=40, t=20, seed=3)


@pytest.mark.parametrize("time_effects", [False, True])
def test_uncorrected_is_least_squares_with_effects(panel, time_effects):
    gap = panel.drop([(3, 2004), (7, 2001)])
    results = FixedEffectsVAR(gap, time_effects=time_effects).fit(None)
    lagged = gap.copy()
    lagged.index = lagged.index.set_levels(lagged.index.levels[1] + 1, level=1)
    rows = gap.join(lagged.add_prefix("L1."), how="inner")
    for name in "ab":
        ols = PanelOLS(
            rows[name], rows[["L1.a", "L1.b"]], entity_effects=True, time_effects=time_effects
        ).fit(
            cov_type="clustered",
            cluster_entity=True,
            group_debias=False,
            debiased=False,
            auto_df=False,
            count_effects=False,
        )
        assert results.params.loc[name].to_numpy() == pytest.approx(ols.params.to_numpy())
        factor = np.sqrt(40 / 39)
        assert results.std_errors.loc[name].to_numpy() == pytest.approx(
            ols.std_errors.to_numpy() * factor, rel=1e-6
        )
    assert results.n_obs == len(rows)


@pytest.mark.parametrize("lags", [1, 2])
@pytest.mark.parametrize("correction", ["half-panel", "hahn-kuersteiner"])
def test_corrections_take_the_bias_away(simulate, lags, correction):
    coefs = [A1, 0.2 * np.eye(2)][:lags]
    plain, mended = [], []
    for seed in range(60):
        model = FixedEffectsVAR(simulate(coefs, SIGMA, n=40, t=20, seed=seed), lags=lags)
        plain.append(model.fit(None).params)
        mended.append(model.fit(correction).params)
    truth = np.hstack(coefs)
    bias, left = (np.mean(x, axis=0) - truth for x in (plain, mended))
    assert bias.min() < -0.05
    assert np.abs(left).max() < 0.5 * np.abs(bias).max()


def test_hahn_kuersteiner_of_one_variable_is_its_formula(panel):
    one = panel[["a"]]
    model = FixedEffectsVAR(one)
    plain, mended = model.fit(None), model.fit("hahn-kuersteiner")
    a, s = plain.params.iloc[0, 0], plain.residual_cov.iloc[0, 0]
    lagged = one["a"].groupby(level=0).shift(1).dropna()
    within = lagged - lagged.groupby(level=0).transform("mean")
    expected = a + 40 * s / (1 - a) / (within**2).sum()
    assert mended.params.iloc[0, 0] == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("correction", ["half-panel", None])
def test_errors_are_those_of_leaving_entities_out(panel, correction):
    told = FixedEffectsVAR(panel).fit(correction).std_errors.to_numpy()
    entities = panel.index.unique(0)
    left = [FixedEffectsVAR(panel.drop(e, level=0)).fit(correction).params for e in entities]
    spread = np.std(left, axis=0) * np.sqrt(len(entities) - 1)
    assert told == pytest.approx(spread, rel=0.1)


@pytest.mark.parametrize("correction", ["half-panel", "hahn-kuersteiner", None])
@pytest.mark.parametrize("bands", ["bootstrap", "wild"])
def test_bands_hold_the_estimate_and_spread_as_told(panel, correction, bands):
    results = FixedEffectsVAR(panel, time_effects=True).fit(correction)
    coef, sigma = results.draw(bands, 300, 1)
    told = results.std_errors.to_numpy()
    ratio = coef.std(axis=0) / told
    assert (ratio > 0.75).all() and (ratio < 1.3).all()
    assert np.linalg.eigvalsh(sigma).min() > 0
    table = results.irf(4, bands=bands, draws=100).table
    assert (table["conf_low"] <= table["conf_high"]).all()


def test_drawing_every_entity_once_is_the_estimate(panel):
    for correction in ("half-panel", "hahn-kuersteiner"):
        results = FixedEffectsVAR(panel).fit(correction)
        coef, sigma = results._resample(np.ones((1, 40)))
        assert coef[0] == pytest.approx(results.params.to_numpy())
        assert sigma[0] == pytest.approx(results.residual_cov.to_numpy())


def test_panels_rebuilt_with_their_own_residuals_are_the_data(panel):
    results = FixedEffectsVAR(panel, time_effects=True).fit("hahn-kuersteiner")
    again, outside = rebuilt(results, np.ones((2, 40, 20)))
    assert again.loc[40:].to_numpy() == pytest.approx(panel.to_numpy())
    coef, _ = results._refit_panels(again, outside, 2)
    assert coef[1] == pytest.approx(results.params.to_numpy())


def test_order_of_rows_does_not_matter(panel):
    shuffled = panel.sample(frac=1, random_state=1)
    one, two = (FixedEffectsVAR(p).fit() for p in (panel, shuffled))
    pd.testing.assert_frame_equal(one.params, two.params, rtol=1e-12)


def test_short_panels_and_unknown_corrections_are_refused(simulate):
    short = simulate([A1], SIGMA, n=40, t=9)
    with pytest.raises(TandemError, match="need about 15 years"):
        FixedEffectsVAR(short).fit()
    assert FixedEffectsVAR(short).fit(None).n_entities == 40
    with pytest.raises(TandemError, match="'nickell' is none"):
        FixedEffectsVAR(short).fit("nickell")
    x = short[["a"]].groupby(level=0).transform("mean").set_axis(["mean"], axis=1)
    with pytest.raises(TandemError, match="collinear"):
        FixedEffectsVAR(short, exog=x).fit(None)
    twice = short[["a"]].shift().fillna(0.0).assign(b=lambda f: 2 * f["a"] + 1)
    with pytest.raises(TandemError, match="collinear"):
        FixedEffectsVAR(short, exog=twice.set_axis(["x", "z"], axis=1)).fit(None)


@pytest.mark.parametrize("correction", ["half-panel", "hahn-kuersteiner"])
def test_units_do_not_matter(panel, correction):
    units = np.array([1e-3, 1e4])[: panel.shape[1]]
    one, other = (FixedEffectsVAR(d).fit(correction) for d in (panel, panel * units))
    back = np.outer(units, 1 / units)
    for mine, theirs in ((one.params, other.params), (one.std_errors, other.std_errors)):
        assert theirs.to_numpy() == pytest.approx(mine.to_numpy() * back, rel=1e-7)
    assert other.granger["pval"].to_numpy() == pytest.approx(one.granger["pval"].to_numpy())


def least_squares(y, x, entity, year):
    """Slopes (K, k) within the groups, what is left of y and x, effects, what entities add."""
    d = np.hstack([np.asarray(pd.get_dummies(g), float) for g in (entity, year) if g is not None])
    y, x = (a - d @ np.linalg.lstsq(d, a, rcond=None)[0] for a in (y, x))
    b = np.linalg.lstsq(x, y, rcond=None)[0].T
    e, bread = y - x @ b.T, np.linalg.inv(x.T @ x)
    scores = np.einsum("ri,rj->rij", e, x @ bread).reshape(len(e), -1)
    added = np.array([scores[entity == i].sum(axis=0) for i in range(40)])
    return b, e, x, np.linalg.matrix_rank(d), added


def laid_out(panel, lags):
    past = [panel.groupby(level=0).shift(j).add_prefix(f"L{j}.") for j in range(1, lags + 1)]
    rows = pd.concat([panel, *past], axis=1).dropna()
    return rows.iloc[:, :2].to_numpy(), rows.iloc[:, 2:].to_numpy(), rows.index


@pytest.mark.parametrize("time_effects", [False, True])
@pytest.mark.parametrize("lags", [1, 2])
@pytest.mark.parametrize("correction", [None, "half-panel", "hahn-kuersteiner"])
def test_every_correction_is_its_formula(panel, time_effects, lags, correction):
    fit = FixedEffectsVAR(panel, lags, time_effects=time_effects).fit(correction)
    y, x, index = laid_out(panel, lags)
    entity, year = index.get_level_values(0), index.get_level_values(1)
    b, e, within, spent, added = least_squares(y, x, entity, year if time_effects else None)
    expected, sigma = b, e.T @ e / (len(e) - spent - 2 * lags)
    if correction == "half-panel":
        n = 20 - lags
        parts = [(1, n // 2), (n // 2 + 1, n), (1, n - n // 2), (n - n // 2 + 1, n)]
        place = year - 2000 - lags
        expected, added = 2 * b, 2 * added
        for first, last in parts:
            mine = (place >= first) & (place <= last)
            years = year[mine] if time_effects else None
            half = least_squares(y[mine], x[mine], entity[mine], years)
            expected, added = expected - half[0] / 4, added - half[-1] / 4
        left = e - within @ (expected - b).T
        sigma = left.T @ left / (len(e) - spent - 2 * lags)
    if correction == "hahn-kuersteiner":
        shift = np.vstack([b, np.eye(2 * (lags - 1), 2 * lags)])
        impact = np.vstack([sigma, np.zeros((2 * (lags - 1), 2))])
        bias = 40 * np.linalg.solve(np.eye(2 * lags) - shift, impact)
        expected = b + np.linalg.solve(within.T @ within, bias).T
    assert fit.params.to_numpy() == pytest.approx(expected)
    assert fit.residual_cov.to_numpy() == pytest.approx(sigma)
    # clustered by entity: what each adds to the estimate, corrected as the jackknife corrects it
    assert fit.cov.to_numpy() == pytest.approx(added.T @ added * 40 / 39)
    words = {"half-panel": "half-panel jackknife", "hahn-kuersteiner": "Hahn-Kuersteiner"}
    words = f"least squares within entities, {words.get(correction, 'bias not corrected')}"
    assert fit.method == words + (", year effects removed" if time_effects else "")
    assert fit.method in fit.summary and "Companion moduli" in fit.summary


def test_what_is_not_given_is_said_and_fifteen_years_are_enough(simulate):
    panel = simulate([A1], SIGMA, n=20, t=15, seed=4)
    plain, given = FixedEffectsVAR(panel), FixedEffectsVAR(panel, 1, None, False, False)
    pd.testing.assert_frame_equal(plain.fit().params, given.fit("half-panel").params)
    with pytest.raises(TandemError, match="need about 15 years an entity; there are 14.0"):
        FixedEffectsVAR(panel[panel.index.get_level_values(1) < 2015]).fit()
    short = panel[(panel.index.get_level_values(0) > 0) | (panel.index.get_level_values(1) < 2003)]
    assert FixedEffectsVAR(short).fit().dropped_entities == (0,)
    two = FixedEffectsVAR(panel.loc[:1]).fit(None)
    assert two.n_entities == 2
    with pytest.raises(TandemError, match="1 entities have 3 years in a row"):
        FixedEffectsVAR(short.loc[:1]).fit(None)


def test_drawn_entities_are_a_panel_of_their_own(panel):
    weights = np.random.default_rng(5).multinomial(40, np.full(40, 1 / 40))
    drawn = [e for e, times in enumerate(weights) for _ in range(times)]
    stacked = pd.concat({i: panel.loc[e] for i, e in enumerate(drawn)})
    for correction in (None, "half-panel", "hahn-kuersteiner"):
        coef, sigma = FixedEffectsVAR(panel).fit(correction)._resample(weights[None])
        alone = FixedEffectsVAR(stacked).fit(correction)
        assert coef[0] == pytest.approx(alone.params.to_numpy())
        assert sigma[0] == pytest.approx(alone.residual_cov.to_numpy())


def test_means_go_out_as_dummies_do():
    """Also where a year has one row, an entity one or none."""
    rng = np.random.default_rng(8)
    values, rows = rng.normal(size=(6, 2, 5)), rng.random((6, 5)) < 0.6
    rows[0], rows[1], rows[:, 4] = False, [0, 0, 1, 0, 0], False
    rows[2, 4] = True
    where = np.nonzero(rows)
    for time_effects in (False, True):
        found = demean(values, rows, time_effects)
        d = np.hstack(
            [np.eye(n)[w] for n, w in zip((6, 5), where, strict=True)][: 1 + time_effects]
        )
        flat = values.transpose(0, 2, 1)[rows]
        left = flat - d @ np.linalg.lstsq(d, flat, rcond=None)[0]
        assert found.transpose(0, 2, 1)[rows] == pytest.approx(left, abs=1e-9)
        assert (found.transpose(0, 2, 1)[~rows] == 0).all()
