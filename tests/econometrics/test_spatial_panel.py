"""Spatial panel models: spreg's numbers, identities, recovery of known parameters, refusals."""

import numpy as np
import pandas as pd
import pytest

from tandem.econometrics.spatial_panel import spatial_panel, spatial_tests
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
