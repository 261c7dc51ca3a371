"""Bias-corrected within estimates: closed form of the bias, recovery, identities, refusals."""

import numpy as np
import pandas as pd
import pytest

from tandem.econometrics import lsdvc
from tandem.econometrics.lsdvc import bias_corrected_within
from tandem.econometrics.static import lags, panel_regression
from tandem.errors import TandemError


def made_up(seed=0, n=30, t=8, a=0.5):
    rng = np.random.default_rng(seed)
    e, effect = rng.normal(size=(n, t + 40)), rng.normal(size=n)
    x, y = np.zeros((n, t + 40)), np.zeros((n, t + 40))
    for s in range(1, t + 40):
        x[:, s] = 0.5 * x[:, s - 1] + rng.normal(size=n)
        y[:, s] = a * y[:, s - 1] + x[:, s] + effect + e[:, s]
    index = pd.MultiIndex.from_product([range(n), range(2001, 2001 + t)], names=["entity", "year"])
    return pd.Series(y[:, -t:].ravel(), index, name="y"), pd.DataFrame(
        {"x": x[:, -t:].ravel()}, index
    )


@pytest.mark.parametrize("time_effects", [False, True])
def test_the_uncorrected_estimates_are_the_within_ones(time_effects):
    y, x = made_up()
    fit = bias_corrected_within(y, x, time_effects, draws=50)
    design = lags(y, [1]).join(x)
    within, _ = panel_regression(y, design, "two-way" if time_effects else "entity")
    assert fit.within.to_numpy() == pytest.approx(within.params.to_numpy(), rel=1e-8)


def test_the_correction_is_nickells_bias():
    """Without regressors the within estimate of a large panel is a plus Nickell's (1981) bias."""
    a, t = 0.5, 5  # years with a lag
    rng = np.random.default_rng(3)
    e, effect = rng.normal(size=(1500, t + 41)), rng.normal(size=1500)
    y = np.zeros_like(e)
    for s in range(1, t + 41):
        y[:, s] = a * y[:, s - 1] + effect + e[:, s]
    index = pd.MultiIndex.from_product([range(1500), range(t + 1)], names=["entity", "year"])
    fit = bias_corrected_within(
        pd.Series(y[:, -(t + 1) :].ravel(), index, name="y"), time_effects=False, draws=20
    )
    top = 1 - (1 - a**t) / (t * (1 - a))
    bias = -(1 + a) / (t - 1) * top / (1 - 2 * a / ((1 - a) * (t - 1)) * top)
    assert fit.within["L1.y"] == pytest.approx(a + bias, abs=0.02)
    assert fit.terms.loc["L1.y", "estimate"] == pytest.approx(a, abs=0.05)


def test_most_of_the_bias_is_gone():
    found = []
    for seed in range(40):
        fit = bias_corrected_within(*made_up(seed), draws=60)
        found.append((fit.within["L1.y"], fit.terms.loc["L1.y", "estimate"]))
    within, corrected = np.mean(found, axis=0)
    assert within < 0.42 and corrected == pytest.approx(0.5, abs=0.04)


def test_one_seed_one_result_in_any_order_and_unit():
    y, x = made_up()
    first = bias_corrected_within(y, x, draws=50, seed=4).terms
    rows = y.sample(frac=1, random_state=2).index
    again = bias_corrected_within(10 * y[rows], x.loc[rows] * 5, draws=50, seed=4).terms
    assert again.loc["L1.y"].to_numpy() == pytest.approx(first.loc["L1.y"].to_numpy(), rel=1e-5)
    assert again.loc["x", "std_error"] == pytest.approx(2 * first.loc["x", "std_error"], rel=1e-5)
    other = bias_corrected_within(y, x, draws=50, seed=5).terms
    assert other.loc["L1.y", "std_error"] != first.loc["L1.y", "std_error"]


@pytest.mark.parametrize("block", [1, 7, 50])
def test_the_draws_do_not_depend_on_the_blocks_they_come_in(monkeypatch, block):
    y, x = made_up()
    whole = bias_corrected_within(y, x, draws=50).terms
    monkeypatch.setattr(lsdvc, "BLOCK", block)
    parts = bias_corrected_within(y, x, draws=50).terms
    np.testing.assert_allclose(parts, whole, rtol=1e-9)


def test_one_simulated_panel_by_hand():
    y, x = made_up(n=4, t=5)
    short = y.drop([(0, 2001), (1, 2005)])
    p = lsdvc._lay_out(short, x.reindex(short.index), True, draws=3, seed=2)
    coef = np.linspace(0.4, 0.8, len(p.names))
    signs = np.concatenate([s * sign for s in p.signs for sign in (1, -1)], axis=2)
    found = lsdvc._simulate(p, coef)
    for draw in range(6):
        made = p.y.copy()
        for i in range(4):
            years = np.flatnonzero(p.rows[i])
            of_x = {t: coef[1:] @ p.x[:, i, t] for t in years}
            left = {t: p.y[i, t] - coef[0] * p.y[i, t - 1] - of_x[t] for t in years}
            effect = np.mean(list(left.values()))
            widened = np.sqrt(len(years) / (len(years) - 1))
            for t in years:
                shock = (left[t] - effect) * widened * signs[i, t, draw]
                made[i, t] = coef[0] * made[i, t - 1] + of_x[t] + effect + shock
        panel = pd.Series(made.ravel(), y.index, name="y").dropna()
        rows = lags(panel, [1]).join(x).dropna()
        fit, _ = panel_regression(panel[rows.index], rows, "two-way", "unadjusted")
        np.testing.assert_allclose(found[draw, :2], fit.params, rtol=1e-8)


def test_entities_may_start_late_and_end_early():
    y, x = made_up()
    short = y.drop([(0, 2001), (0, 2002), (1, 2008)])
    fit = bias_corrected_within(short, x.reindex(short.index), draws=50)
    assert fit.facts["n_obs"] == 30 * 7 - 3
    assert "within" in fit.summary


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda y, x: (y.drop((3, 2004)), x.drop((3, 2004))), "3 has no 'y' in 2004"),
        (lambda y, x: (y, x.drop((3, 2004))), "missing in 3, 2004"),
        (lambda y, x: (y, x.assign(z=2 * x["x"])), "collinear"),
        (lambda y, x: (y, x.assign(z=1.0)), "constant"),
        (lambda y, x: (y, x.assign(z="a")), "text"),
        (lambda y, x: (y.loc[[1]], x.loc[[1]]), "two are needed"),
        (lambda y, x: (y.groupby(level=0).cumsum().rename("y"), x), "random walk"),
    ],
)
def test_bad_input_is_refused_in_words(change, words):
    with pytest.raises(TandemError, match=words):
        bias_corrected_within(*change(*made_up()), draws=50)


def slow_panels(y, x, coef, signs):
    """Panels built from coefficients, observed first values and sign-flipped residuals."""
    built = []
    for draw in signs:
        rows = {}
        for i, e in enumerate(y.index.unique(0)):
            years = list(y[e].index)
            values, z = y[e].to_numpy(), x.loc[e].to_numpy()
            left = values[1:] - coef[0] * values[:-1] - z[1:] @ coef[1:]
            effect = left.mean()
            stretch = np.sqrt(len(left) / (len(left) - 1))
            made = [values[0]]
            for s in range(1, len(values)):
                sign = draw[i, years[s] - 2001]
                error = (left[s - 1] - effect) * stretch * sign
                made.append(coef[0] * made[-1] + z[s] @ coef[1:] + effect + error)
            rows |= {(e, year): value for year, value in zip(years, made, strict=True)}
        built.append(pd.Series(rows).rename("y").rename_axis(["entity", "year"]))
    return built


def test_simulated_panels_have_the_observed_estimate_on_average():
    """The search, the covariance and its derivative, with panels made one by one."""
    y, x = made_up(3, n=8, t=7)
    short = ~((y.index.get_level_values(0) == 2) & (y.index.get_level_values(1) < 2003))
    y, x = y[short], x[short]
    fit = bias_corrected_within(y, x, False, draws=15, seed=6)
    signs = np.random.default_rng(6).choice([-1.0, 1.0], size=(15, 8, 7))
    signs = np.concatenate([signs, -signs])

    def within(panel):
        return panel_regression(panel, lags(panel, [1]).join(x), "entity")[0].params.to_numpy()

    b = fit.terms["estimate"].to_numpy()

    def simulate(coef):
        return np.array([within(p) for p in slow_panels(y, x, coef, signs)])

    found = simulate(b)
    observed = within(y)
    assert fit.within.to_numpy() == pytest.approx(observed)
    assert found.mean(axis=0) == pytest.approx(observed, abs=1e-5 * found.std(axis=0).min())
    steps = 0.01 * found.std(axis=0) * np.eye(2)
    slope = [(simulate(b + d) - simulate(b - d)).mean(axis=0) / (2 * d.max()) for d in steps]
    inverse = np.linalg.inv(np.array(slope).T)
    cov = inverse @ np.cov(found, rowvar=False) @ inverse.T
    assert fit.terms["std_error"].to_numpy() == pytest.approx(np.sqrt(np.diag(cov)), rel=1e-4)


def test_what_is_not_given_is_said():
    y, x = made_up(4, n=10, t=6)
    plain = bias_corrected_within(y, x)
    pd.testing.assert_frame_equal(
        plain.terms, bias_corrected_within(y, x, True, 500, 1, 0.95).terms
    )
    assert plain.facts == {
        "dependent": "y", "n_obs": 50, "n_entities": 10, "n_dropped": 0, "entity_effects": True,
        "time_effects": True, "se_type": "bootstrap of within estimates, delta method",
        "draws": 500,
    }  # fmt: skip
    missing = y.copy()
    missing[(0, 2001)] = np.nan
    facts = bias_corrected_within(missing, x, draws=20).facts
    assert (facts["n_dropped"], facts["n_obs"]) == (1, 49)


def test_two_entities_of_three_years_are_the_least():
    y, x = made_up(5, n=4, t=7)
    assert bias_corrected_within(y.loc[:1], time_effects=False, draws=20).facts["n_entities"] == 2
    late = y[(y.index.get_level_values(0) == 0) | (y.index.get_level_values(1) > 2005)]
    with pytest.raises(TandemError, match="1 entities have three years in a row"):
        bias_corrected_within(late, time_effects=False, draws=20)
    # two years have one equation, which the effect takes: such entities are left out
    some = y[(y.index.get_level_values(0) < 3) | (y.index.get_level_values(1) > 2005)]
    assert bias_corrected_within(some, time_effects=False, draws=20).facts["n_entities"] == 3


def test_a_search_that_does_not_end_is_told(monkeypatch):
    monkeypatch.setattr("tandem.econometrics.lsdvc.ROUNDS", 1)
    with pytest.raises(TandemError, match="search for the corrected coefficients of 'y'"):
        bias_corrected_within(*made_up(), draws=20)


def test_shocks_of_years_leave_the_estimates_with_year_effects_where_they_are():
    y, x = made_up(6, n=12, t=7)
    year = y.index.get_level_values(1).to_numpy()
    one, two = (bias_corrected_within(v, x, draws=30).terms for v in (y, y + 5 * np.sin(year)))
    np.testing.assert_allclose(one["estimate"], two["estimate"], rtol=1e-5)
    # the derivative is simulated, and its noise grows with the shocks
    np.testing.assert_allclose(one["std_error"], two["std_error"], rtol=0.1)
