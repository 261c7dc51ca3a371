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
