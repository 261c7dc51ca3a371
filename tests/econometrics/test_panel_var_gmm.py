import warnings

import numpy as np
import pandas as pd
import pytest

from tandem.econometrics import PanelVAR
from tandem.econometrics import panel_var_gmm as gmm
from tandem.econometrics.panel_var_design import Design
from tandem.econometrics.panel_var_moments import build_moments


def moments_of(data, collapse=True, transform="fod"):
    return build_moments(data, Design(1, transform, collapse=collapse))


@pytest.mark.parametrize("steps", [1, 2])
@pytest.mark.parametrize("collapse", [True, False])
def test_a_draw_of_every_entity_once_is_the_estimate(empluk, collapse, steps):
    moments = moments_of(empluk, collapse)
    fit = gmm.fit_gmm(moments, steps)
    coef, sigma = gmm.refit(moments, steps, np.ones((1, 140)))
    assert coef[0] == pytest.approx(fit.coef, rel=1e-6)
    assert sigma[0] == pytest.approx(gmm.residual_covariance(moments, fit.coef), rel=1e-6)


@pytest.fixture(scope="module")
def balanced(simulate):
    return simulate([[[0.5, 0.2], [-0.1, 0.4]]], [[1.0, 0.4], [0.4, 0.5]], n=80, t=7)


@pytest.mark.parametrize("transform", ["fod", "fd"])
@pytest.mark.parametrize("collapse", [True, False])
@pytest.mark.parametrize("steps", [1, 2])
def test_a_draw_is_a_fit_to_the_drawn_entities(balanced, transform, collapse, steps):
    weights = np.random.default_rng(5).multinomial(80, np.full(80, 1 / 80))
    drawn = [
        balanced.loc[[entity]].rename(index={entity: 1000 * entity + copy}, level=0)
        for entity, times in enumerate(weights)
        for copy in range(times)
    ]
    options = {"transform": transform, "collapse": collapse}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # all instruments: a singular weight
        fit = PanelVAR(pd.concat(drawn), **options).fit(steps=steps)
    moments = moments_of(balanced, **options)
    coef, sigma = gmm.refit(moments, steps, weights[None])
    scale = np.outer(moments.y_scale, 1 / moments.y_scale)
    assert coef[0] * scale == pytest.approx(fit.params.to_numpy(), rel=1e-6)
    sigma = sigma[0] * np.outer(moments.y_scale, moments.y_scale)
    assert sigma == pytest.approx(fit.residual_cov.to_numpy(), rel=1e-6)


@pytest.mark.parametrize("collapse", [True, False])
def test_chunks_do_not_change_the_draws(balanced, monkeypatch, collapse):
    moments = moments_of(balanced, collapse)
    weights = np.random.default_rng(6).multinomial(80, np.full(80, 1 / 80), size=7)
    whole = gmm.refit(moments, 2, weights)
    monkeypatch.setattr(gmm, "FLOATS_PER_CHUNK", 1)
    single = gmm.refit(moments, 2, weights)
    assert single[0] == pytest.approx(whole[0], rel=1e-9)
    assert single[1] == pytest.approx(whole[1], rel=1e-9)


def test_resampling_spreads_estimates_as_the_robust_standard_errors_say(simulate):
    panel = simulate([[[0.5, 0.2], [-0.1, 0.4]]], [[1.0, 0.4], [0.4, 0.5]], n=400, t=8)
    moments = moments_of(panel)
    weights = np.random.default_rng(7).multinomial(400, np.full(400, 1 / 400), size=600)
    for steps in (1, 2):
        coef, _ = gmm.refit(moments, steps, weights)
        errors = np.sqrt(np.diag(gmm.fit_gmm(moments, steps).cov)).reshape(2, 2)
        assert coef.std(axis=0) == pytest.approx(errors, rel=0.15)


def test_two_steps_and_windmeijers_covariance_by_hand(simulate):
    """Both equations jointly; the weight's derivative by differences."""
    panel = simulate([[[0.5, 0.2], [-0.1, 0.4]]], [[1.0, 0.4], [0.4, 0.5]], n=40, t=6, seed=2)
    moments = moments_of(panel)
    zx = moments.z @ moments.x.transpose(0, 2, 1)
    zy = moments.z @ moments.y.transpose(0, 2, 1)
    a, g = np.kron(np.eye(2), zx.sum(axis=0)), zy.sum(axis=0).T.ravel()

    def entity_moments(b):
        left = zy - zx @ b.reshape(2, 2).T
        return left.transpose(0, 2, 1).reshape(40, -1)

    zz = np.tensordot(moments.z, moments.hz, ([0, 2], [0, 2]))
    w1 = np.kron(np.eye(2), np.linalg.inv(zz))

    def estimate(w):
        return np.linalg.solve(a.T @ w @ a, a.T @ w @ g)

    def second(b):
        m = entity_moments(b)
        return estimate(np.linalg.inv(m.T @ m))

    b1 = estimate(w1)
    m = entity_moments(b1)
    w2 = np.linalg.inv(m.T @ m)
    b2, bread2 = second(b1), np.linalg.inv(a.T @ w2 @ a)
    bread1 = np.linalg.inv(a.T @ w1 @ a)
    cov1 = bread1 @ a.T @ w1 @ m.T @ m @ w1 @ a @ bread1
    one, two = gmm.fit_gmm(moments, 1), gmm.fit_gmm(moments, 2)
    assert one.coef.ravel() == pytest.approx(b1) and one.cov == pytest.approx(cov1)
    assert two.coef.ravel() == pytest.approx(b2)
    left = g - a @ b2
    assert one.j_stat == two.j_stat == pytest.approx(left @ w2 @ left)
    # Windmeijer holds v = W2 left fixed: the derivative of the estimate by the first one
    steps = 1e-6 * np.eye(4)
    d = np.array([(second(b1 + s) - second(b1 - s)) / 2e-6 for s in steps]).T
    cov2 = bread2 + d @ bread2 + bread2 @ d.T + d @ cov1 @ d.T
    assert two.cov == pytest.approx(cov2, rel=1e-5)
    for fit in (one, two):
        assert fit.project @ g == pytest.approx(fit.coef.ravel())
        assert fit.project @ a == pytest.approx(np.eye(4))
        assert fit.rank == a.shape[0]
    # iterated: where the second step gives itself, with (I - D)^-1 on both sides
    iterated = gmm.fit_gmm(moments, "iterated")
    b = iterated.coef.ravel()
    assert second(b) == pytest.approx(b, abs=1e-8)
    m = entity_moments(b)
    bread = np.linalg.inv(a.T @ np.linalg.inv(m.T @ m) @ a)
    d = np.array([(second(b + s) - second(b - s)) / 2e-6 for s in steps]).T
    inverse = np.linalg.inv(np.eye(4) - d)
    assert iterated.cov == pytest.approx(inverse @ bread @ inverse.T, rel=1e-5)


@pytest.mark.parametrize("transform", ["fod", "fd"])
@pytest.mark.parametrize("steps", [1, 2, "iterated"])
def test_panels_made_of_entities_at_hand_are_fitted_as_weights(balanced, transform, steps):
    moments = moments_of(balanced, transform=transform)
    place = np.random.default_rng(8).integers(80, size=(3, 80))
    weights = np.array([np.bincount(p, minlength=80) for p in place])
    found, theirs = gmm.refit_panels(moments, steps, place), gmm.refit(moments, steps, weights)
    for mine, other in zip(found, theirs, strict=True):
        assert mine == pytest.approx(other, rel=1e-5 if steps == "iterated" else 1e-8)


def test_chunks_of_panels_change_nothing(balanced, monkeypatch):
    moments = moments_of(balanced)
    place = np.random.default_rng(9).integers(80, size=(5, 80))
    whole = gmm.refit_panels(moments, 2, place)
    monkeypatch.setattr(gmm, "FLOATS_PER_CHUNK", 1)
    single = gmm.refit_panels(moments, 2, place)
    assert single[0] == pytest.approx(whole[0]) and single[1] == pytest.approx(whole[1])


def test_a_moment_that_is_always_zero_or_twice_there_changes_nothing():
    rng = np.random.default_rng(10)
    m = rng.normal(size=(30, 4))
    inverse, rank = gmm._inverse_of_crossproduct(m)
    assert inverse == pytest.approx(np.linalg.inv(m.T @ m)) and rank == 4
    wider = np.column_stack([m, np.zeros(30), 2 * m[:, 0]])
    inverse, rank = gmm._inverse_of_crossproduct(wider)
    assert rank == 4
    # a generalised inverse: S S^+ S = S
    s = wider.T @ wider
    assert s @ inverse @ s == pytest.approx(s)
    values = np.array([1e-20, 0.5, 2.0])
    assert gmm._power(values, -1.0) == pytest.approx([0, 2, 0.5])
    assert gmm._power(values, -0.5) == pytest.approx([0, 2**0.5, 0.5**0.5])
