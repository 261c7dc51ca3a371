"""Spatial panel models: spreg's numbers, identities, recovery of known parameters, refusals."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tandem.econometrics.spatial_panel import _covariance, _sample, spatial_panel, spatial_tests
from tandem.econometrics.static import panel_regression
from tandem.errors import TandemError


def ring(entities):
    """Each entity has the one before and the one after it as neighbours."""
    n = len(entities)
    w = (np.roll(np.eye(n), 1, axis=1) + np.roll(np.eye(n), -1, axis=1)) / 2
    return pd.DataFrame(w, entities, entities)


def made_up(seed=0, n=40, t=12, rho=0.0, theta=0.0, lam=0.0):
    rng = np.random.default_rng(seed)
    W = ring([f"e{i:02d}" for i in range(n)])
    w = W.to_numpy()
    x = rng.normal(size=(t, n)) + rng.normal(size=n)
    u = np.linalg.solve(np.eye(n) - lam * w, rng.normal(size=(n, t))).T
    effect = x.mean(axis=0) + rng.normal(size=(t, 1))
    y = np.linalg.solve(np.eye(n) - rho * w, (x + theta * x @ w.T + effect + u).T).T
    index = pd.MultiIndex.from_product([W.index, range(2001, 2001 + t)], names=["entity", "year"])
    return pd.Series(y.T.ravel(), index, name="y"), pd.DataFrame({"x": x.T.ravel()}, index), W


@pytest.fixture()
def ours(grunfeld):
    return grunfeld["inv"], grunfeld[["value", "capital"]], ring(grunfeld.index.levels[0])


def test_slopes_within_are_those_of_spreg(ours):
    """spreg 1.9.0, Panel_FE_Lag and Panel_FE_Error; its variance divides by T, not T - 1."""
    lag, error = spatial_panel(*ours, "sar", "entity"), spatial_panel(*ours, "sem", "entity")
    assert lag.terms["estimate"].to_numpy() == pytest.approx(
        [0.10982209669109401, 0.30742090617180096, 0.019646750417184174], rel=1e-6
    )
    assert error.terms["estimate"].to_numpy() == pytest.approx(
        [0.11147098421785784, 0.30842262649516866, 0.04327758061451192], rel=1e-6
    )
    theirs = [0.011560641850886061, 0.01750588001684093, 0.04034293895270249]
    assert lag.terms["std_error"].to_numpy() * np.sqrt(19 / 20) == pytest.approx(theirs, rel=1e-6)
    assert lag.facts["sigma2"] * 19 / 20 == pytest.approx(2614.23661162, rel=1e-8)


def test_pooled_is_a_cross_section_of_all_rows(ours):
    """spreg 1.9.0, ML_Lag and the LM tests of OLS, weights block diagonal over the years."""
    lag = spatial_panel(*ours, "sar", "none")
    order = ["const", "value", "capital", "rho"]
    assert lag.terms.loc[order, "estimate"].to_numpy() == pytest.approx(
        [-56.89947927, 0.10973711, 0.22863143, 0.14422598], rel=1e-6
    )
    assert lag.terms.loc[order, "std_error"].to_numpy() == pytest.approx(
        [10.1502618, 0.00577078555, 0.0245186294, 0.0378367704], rel=1e-6
    )
    assert lag.log_likelihood == pytest.approx(-1186.4216009857607, rel=1e-12)
    lm = [7.730076745233252, 22.53091237531515, 40.51118010963015, 55.31201573971206]
    found = spatial_tests(*ours, "none")
    assert found["statistic"].to_numpy()[:4] == pytest.approx(lm, rel=1e-9)
    assert found["p_value"].to_numpy()[0] == pytest.approx(0.005430844091963024, rel=1e-9)


def test_without_dependence_the_slopes_are_those_of_least_squares(ours):
    y, x, W = ours
    for effects in ("entity", "two-way"):
        within, _ = panel_regression(y, x, effects)
        fit = spatial_panel(y, x, W, "sem", effects)
        assert fit.terms.loc["value", "estimate"] == pytest.approx(within.params["value"], rel=0.1)
        assert fit.impacts is None


@pytest.mark.parametrize("effects", ["entity", "two-way"])
def test_row_order_shift_and_scale_change_nothing(effects):
    y, x, W = made_up(rho=0.3, n=12)
    before = spatial_panel(y, x, W, "sdm", effects)
    other = W.index[::-1]
    rows = y.sample(frac=1, random_state=1).index
    entity = y.index.get_level_values(0)
    shift = pd.Series(np.arange(len(W.index), dtype=float), W.index).reindex(entity).to_numpy()
    after = spatial_panel((10 * y + shift)[rows], x.loc[rows], W.loc[other, other], "sdm", effects)
    assert after.terms.loc["rho"].to_numpy() == pytest.approx(before.terms.loc["rho"].to_numpy())
    ratio = after.terms["estimate"].drop("rho") / before.terms["estimate"].drop("rho")
    assert ratio.to_numpy() == pytest.approx(10)


def test_known_parameters_are_found():
    y, x, W = made_up(seed=3, n=60, t=20, rho=0.4, theta=0.5)
    fit = spatial_panel(y, x, W, "sdm")
    for term, true in {"x": 1.0, "W x": 0.5, "rho": 0.4}.items():
        estimate, error = fit.terms.loc[term, ["estimate", "std_error"]]
        assert abs(estimate - true) < 3 * error and error < 0.1
    total = fit.impacts.loc[("total", "x"), "estimate"]
    assert total == pytest.approx(1.5 / 0.6, rel=0.1)
    slopes = fit.terms["estimate"]
    assert total == pytest.approx((slopes["x"] + slopes["W x"]) / (1 - slopes["rho"]))
    parts = fit.impacts["estimate"].xs("x", level="term")
    assert parts["direct"] + parts["indirect"] == pytest.approx(parts["total"])
    y, x, W = made_up(seed=4, n=60, t=20, lam=0.6)
    assert spatial_panel(y, x, W, "sem").terms.loc["lambda", "estimate"] == pytest.approx(
        0.6, abs=0.1
    )


def test_errors_of_impacts_are_the_spread_over_samples():
    fits = [spatial_panel(*made_up(seed, 25, 6, 0.4, 0.5), "sdm") for seed in range(150)]
    for effect in ("direct", "indirect", "total"):
        found = np.array([f.impacts.loc[(effect, "x"), ["estimate", "std_error"]] for f in fits])
        assert found[:, 0].std() == pytest.approx(found[:, 1].mean(), rel=0.2)


def test_size_of_the_lm_tests_without_dependence():
    """Two-way effects, 200 samples: a test at 5 % rejects in about 5 % of them."""
    rejected = np.zeros(4)
    for seed in range(200):
        y, x, W = made_up(seed=seed, n=16, t=6)
        rejected += spatial_tests(y, x, W)["p_value"].to_numpy()[:4] < 0.05
    assert (rejected / 200 < 0.11).all() and (rejected / 200 > 0.01).all()


def test_incomplete_rows_are_counted_and_gaps_refused():
    y, x, W = made_up(n=8, t=5)
    first = y.index.get_level_values(1) == 2001
    assert spatial_panel(y.mask(first), x, W).facts["n_dropped"] == 8
    with pytest.raises(TandemError, match="e03 has no complete row for 2003"):
        spatial_panel(y.drop(("e03", 2003)), x, W)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda y, x, W: (y, x, W.drop("e01")), "no row and column for e01"),
        (lambda y, x, W: (y, x, 2 * W), "sum to 2, not 1"),
        (lambda y, x, W: (y, x, W.mul([1, 1, 0, 1, 1, 1, 1, 1], axis=0)), "e02 sum to 0, not 1"),
        (lambda y, x, W: (y, x.assign(z=2 * x["x"]), W), "collinear"),
        (lambda y, x, W: (y, x.assign(z="a"), W), "z"),
        (lambda y, x, W: (y, x.assign(z=1.0), W), "z"),
    ],
)
def test_bad_input_is_refused_in_words(change, words):
    with pytest.raises(TandemError, match=words):
        spatial_panel(*change(*made_up(n=8, t=5)))


def test_unknown_choices_are_refused():
    y, x, W = made_up(n=8, t=5)
    with pytest.raises(TandemError, match="sar, sem, sdm"):
        spatial_panel(y, x, W, "sac")
    with pytest.raises(TandemError, match="two-way"):
        spatial_panel(y, x, W, effects="random")


def transformed_by_hand(y, x, W, effects):
    """Deviations from means of entities (and years), which lose the years (and entities) that
    orthonormal contrasts lose."""
    wide = [v.unstack(level=0) for v in (y, *(x[c] for c in x))]
    if effects != "none":
        wide = [v - v.mean(axis=0) for v in wide]
    if effects == "two-way":
        wide = [v.sub(v.mean(axis=1), axis=0) for v in wide]
    return wide[0].to_numpy(), np.stack([v.to_numpy() for v in wide[1:]], axis=2)


def likelihood_by_hand(y, x, W, model, effects, b, r, var):
    """Log-likelihood of Lee & Yu (2010), with the determinant of every year that is left."""
    w, (yy, xx) = W.to_numpy(), transformed_by_hand(y, x, W, effects)
    t, n = yy.shape
    if model == "sdm":
        xx = np.concatenate([xx, np.einsum("ij,tjk->tik", w, xx)], axis=2)
    if effects == "none":
        place = x.shape[1]
        xx = np.insert(xx, place, 1.0, axis=2)
    filtered = yy - r * yy @ w.T
    z = xx - r * np.einsum("ij,tjk->tik", w, xx) if model == "sem" else xx
    e = filtered - z @ b
    years = t - (effects != "none")
    log_det = np.linalg.slogdet(np.eye(n) - r * w)[1]
    rows = years * n
    if effects == "two-way":  # the constant over entities has the root 1 and is gone
        log_det, rows = log_det - np.log(1 - r), years * (n - 1)
    return -rows / 2 * np.log(2 * np.pi * var) + years * log_det - (e**2).sum() / (2 * var)


@pytest.mark.parametrize("effects", ["none", "entity", "two-way"])
@pytest.mark.parametrize("model", ["sar", "sem", "sdm"])
def test_estimates_are_where_the_likelihood_is_largest(model, effects):
    y, x, W = made_up(5, n=20, t=10, rho=0.3 * (model != "sem"), lam=0.4 * (model == "sem"))
    x["z"] = np.random.default_rng(1).normal(size=len(x))
    fit = spatial_panel(y, x, W, model, effects)
    found = fit.terms["estimate"].to_numpy()
    best = np.append(found, fit.facts["sigma2"])
    errors = np.append(fit.terms["std_error"].to_numpy(), best[-1] * np.sqrt(2 / len(y)))

    def top(*moves):
        at = best + 0.02 * errors * sum(moves)
        return likelihood_by_hand(y, x, W, model, effects, at[:-2], at[-2], at[-1])

    assert fit.log_likelihood == pytest.approx(top(0.0), rel=1e-9)
    e = np.eye(len(best))
    slope = [(top(s) - top(-s)) / 0.04 for s in e]
    assert slope == pytest.approx(np.zeros(len(best)), abs=1e-3)


@pytest.mark.parametrize("effects", ["none", "entity", "two-way"])
@pytest.mark.parametrize("model", ["sar", "sem", "sdm"])
def test_errors_are_the_information_of_the_normal_distribution(model, effects):
    """``mu_i' S^-1 mu_j + tr(S^-1 S_i S^-1 S_j) / 2`` with derivatives by differences."""
    y, x, W = made_up(10, n=7, t=4, rho=0.3 * (model != "sem"), lam=0.4 * (model == "sem"))
    fit = spatial_panel(y, x, W, model, effects)
    over = [np.eye(4), np.eye(7)]  # orthonormal contrasts of years and entities, any of them
    if effects != "none":
        over[0] = np.linalg.svd(np.eye(4) - 1 / 4)[0][:, :3].T
    if effects == "two-way":
        over[1] = np.linalg.svd(np.eye(7) - 1 / 7)[0][:, :6].T
    w = np.kron(np.eye(len(over[0])), over[1] @ W.to_numpy() @ over[1].T)
    own = np.kron(*over) @ x["x"].unstack(level=0).to_numpy().ravel()
    z = np.column_stack([own] + [np.ones(28)] * (effects == "none") + [w @ own] * (model == "sdm"))
    best = np.append(fit.terms["estimate"].to_numpy(), fit.facts["sigma2"])

    def moments(at):
        inverse = np.linalg.inv(np.eye(len(w)) - at[-2] * w)
        mean = z @ at[:-2] if model == "sem" else inverse @ z @ at[:-2]
        return mean, at[-1] * inverse @ inverse.T

    steps = 1e-5 * np.eye(len(best))
    moved = [[(a - b) / 2e-5 for a, b in zip(moments(best + d), moments(best - d), strict=True)]
             for d in steps]  # fmt: skip
    inverse = np.linalg.inv(moments(best)[1])
    info = [
        [m @ inverse @ k + np.trace(inverse @ v @ inverse @ u) / 2 for k, u in moved]
        for m, v in moved
    ]
    errors = np.sqrt(np.diag(np.linalg.inv(info)))[:-1]
    assert fit.terms["std_error"].to_numpy() == pytest.approx(errors, rel=1e-5)


def test_impacts_are_those_of_a_change_in_every_entity_and_their_errors_the_delta_method():
    y, x, W = made_up(6, n=12, t=10, rho=0.3, theta=0.4)
    x["z"] = np.random.default_rng(1).normal(size=len(x))
    fit = spatial_panel(y, x, W, "sdm", level=0.9)
    names, w = list(fit.terms.index), W.to_numpy()

    def effects(values):
        at = dict(zip(names, values, strict=True))
        inverse = np.linalg.inv(np.eye(12) - at["rho"] * w)
        found = []
        for name in ("x", "z"):
            response = inverse @ (at[name] * np.eye(12) + at[f"W {name}"] * w)
            direct, total = np.diag(response).mean(), response.sum(axis=1).mean()
            found += [direct, total - direct, total]
        return np.array(found)

    s = _sample(y, x, W, "two-way")
    design = np.concatenate([s.x, s.lagged(s.x)], axis=2)
    best = fit.terms["estimate"].to_numpy()
    cov = _covariance(s, design, "sdm", best[-1], best[:-1], fit.facts["sigma2"])
    assert np.sqrt(np.diag(cov)) == pytest.approx(fit.terms["std_error"].to_numpy())
    steps = 1e-6 * np.eye(len(best))
    gradient = np.array([(effects(best + d) - effects(best - d)) / 2e-6 for d in steps]).T
    order = [(e, name) for name in ("x", "z") for e in ("direct", "indirect", "total")]
    assert fit.impacts.loc[order, "estimate"].to_numpy() == pytest.approx(effects(best))
    error = np.sqrt(np.diag(gradient @ cov @ gradient.T))
    assert fit.impacts.loc[order, "std_error"].to_numpy() == pytest.approx(error, rel=1e-6)
    reach = fit.impacts["conf_high"] - fit.impacts["estimate"]
    assert (reach / fit.impacts["std_error"]).to_numpy() == pytest.approx(np.full(6, 1.644854))


def test_lm_tests_within_entities_are_those_of_the_contrasts_and_the_last_two_ratios():
    """Anselin, Bera, Florax & Yoon (1996), on one block-diagonal cross-section."""
    y, x, W = made_up(7, n=9, t=5, rho=0.3)
    f = np.linalg.svd(np.eye(5) - 1 / 5)[0][:, :4].T  # any orthonormal contrasts
    yy = (f @ y.unstack(level=0).to_numpy()).ravel()
    xx = (f @ x["x"].unstack(level=0).to_numpy()).ravel()
    w = np.kron(np.eye(4), W.to_numpy())
    m = np.eye(36) - np.outer(xx, xx) / (xx @ xx)
    e = m @ yy
    s2 = e @ e / 36
    fitted = w @ (yy - e)
    trace = np.trace(w @ w + w.T @ w)
    j = fitted @ m @ fitted / s2 + trace
    lag, error = e @ w @ yy / s2, e @ w @ e / s2
    found = spatial_tests(y, x, W, "entity")
    assert found["statistic"].to_numpy()[:4] == pytest.approx(
        [
            lag**2 / j,
            error**2 / trace,
            (lag - error) ** 2 / (j - trace),
            (error - trace / j * lag) ** 2 / (trace - trace**2 / j),
        ]
    )
    top = {m: spatial_panel(y, x, W, m, "entity").log_likelihood for m in ("sar", "sem", "sdm")}
    ratios = [2 * (top["sdm"] - top[m]) for m in ("sar", "sem")]
    assert found["statistic"].to_numpy()[4:] == pytest.approx(ratios)
    assert found["df"].tolist() == [1] * 6
    assert found["p_value"].to_numpy() == pytest.approx(stats.chi2.sf(found["statistic"], 1))
    more = spatial_tests(y, x.assign(z=x["x"] ** 2), W, "none")
    assert more["df"].tolist() == [1, 1, 1, 1, 2, 2]


def test_what_is_not_given_is_the_lag_model_with_both_effects():
    y, x, W = made_up(8, n=10, t=6, rho=0.2)
    fit = spatial_panel(y, x, W)
    pd.testing.assert_frame_equal(fit.terms, spatial_panel(y, x, W, "sar", "two-way", 0.95).terms)
    pd.testing.assert_frame_equal(spatial_tests(y, x, W), spatial_tests(y, x, W, "two-way"))
    assert fit.facts | {"sigma2": 0} == {
        "model": "spatial lag", "n_obs": 60, "n_entities": 10, "n_years": 6, "n_dropped": 0,
        "dependent": "y", "entity_effects": True, "time_effects": True, "sigma2": 0,
        "se_type": "maximum likelihood, information matrix",
    }  # fmt: skip
    assert "log_likelihood" in fit.summary and "indirect" in fit.summary
    only = spatial_panel(y, x, W, "sem", "entity").facts
    assert (only["entity_effects"], only["time_effects"]) == (True, False)
    assert not spatial_panel(y, x, W, "sem", "none").facts["entity_effects"]


def test_the_least_rows_and_weights_that_are_none():
    y, x, W = made_up(9, n=5, t=2)
    # one transformed year of five entities for a slope, rho and a variance; four with both effects
    assert np.isfinite(spatial_panel(y, x, W, "sar", "entity").terms).all(axis=None)
    three = W.index[:3]
    y3, x3 = y.loc[three], x.loc[three]
    with pytest.raises(TandemError, match="3 rows are left for 3 parameters"):
        spatial_panel(y3, x3, ring(three), "sar", "entity")
    with pytest.raises(TandemError, match="5 rows are left for 5 parameters"):
        spatial_panel(y, x.assign(a=x["x"] ** 2, b=x["x"] ** 3), W, "sar", "entity")
    loops = W + np.eye(5)
    for bad in (loops, W.mask(W > 0)):
        with pytest.raises(TandemError, match="Weights are finite, with zeros on the diagonal"):
            spatial_panel(y, x, bad)
    with pytest.raises(TandemError, match="e01 sum to 1.01, not 1"):
        spatial_panel(y, x, W.mul([1, 1.01, 1, 1, 1], axis=0))
