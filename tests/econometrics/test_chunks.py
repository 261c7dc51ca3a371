"""Estimators in chunks give what the whole panel gives."""

import numpy as np
import pandas as pd
import pytest

from tandem.econometrics import PanelVAR
from tandem.econometrics.describe import describe_panel
from tandem.econometrics.panel_arrays import panel_cube
from tandem.econometrics.panel_var_chunks import panel_var_in_chunks
from tandem.econometrics.static import panel_regression
from tandem.econometrics.within_chunks import describe_in_chunks, within_in_chunks
from tandem.errors import TandemError


@pytest.fixture(scope="module")
def panel(simulate):
    """Gaps, an entity alone in one year, one without any complete row."""
    data = simulate([[[0.5, 0.1], [0.2, 0.4]]], np.eye(2), n=60, t=9, seed=3)
    rng = np.random.default_rng(1)
    data["x"] = rng.normal(size=len(data)) + 0.3 * data["a"]
    data["b"] += data.index.get_level_values(1) % 3
    data = data.mask(rng.random(data.shape) < 0.08)
    data.loc[3] = np.nan
    data.loc[(3, 2001), :] = 1.0
    data.loc[5] = np.nan
    return data


def cubes_of(data, parts=7):
    cube, _, _ = panel_cube(data)
    return lambda: np.array_split(cube, parts)


@pytest.mark.parametrize("transform", ["fod", "fd"])
@pytest.mark.parametrize("time_effects", [False, True])
@pytest.mark.parametrize("collapse", [False, True])
@pytest.mark.parametrize("lags, steps", [(1, 2), (2, 1)])
def test_a_panel_var_equals_that_of_the_whole(
    panel, transform, time_effects, collapse, lags, steps
):
    data = panel[["a", "b"]]
    args = lags, transform, (2, 4), collapse
    whole = PanelVAR(data, *args, time_effects=time_effects).fit(steps)
    found = panel_var_in_chunks(cubes_of(data), ["a", "b"], *args, time_effects, steps)
    for name in ("params", "std_errors", "cov", "residual_cov", "granger"):
        pd.testing.assert_frame_equal(getattr(found, name), getattr(whole, name), rtol=1e-7)
    for name in ("n_obs", "n_entities", "n_instruments", "n_moments", "rank", "method"):
        assert getattr(found, name) == getattr(whole, name)
    assert found.hansen_j == pytest.approx(whole.hansen_j, rel=1e-7)
    bands = [fit.irf(3, bands="gaussian", draws=50).table for fit in (whole, found)]
    pd.testing.assert_frame_equal(*bands, rtol=1e-6)


def test_what_is_not_given_is_as_for_the_whole(panel):
    data = panel[["a", "b"]]
    found = panel_var_in_chunks(cubes_of(data), ["a", "b"])
    pd.testing.assert_frame_equal(found.std_errors, PanelVAR(data).fit().std_errors, rtol=1e-7)


@pytest.mark.parametrize("effects", ["entity", "two-way"])
def test_a_within_regression_equals_that_of_the_whole(panel, effects):
    whole, facts = panel_regression(panel["b"], panel[["a", "x"]], effects)
    found = within_in_chunks(cubes_of(panel[["b", "a", "x"]]), ["a", "x"], effects)
    np.testing.assert_allclose(found.params, whole.params, rtol=1e-10)
    np.testing.assert_allclose(found.std_errors, whole.std_errors, rtol=1e-10)
    assert found.facts["r2_within"] == pytest.approx(whole.rsquared_within, rel=1e-10)
    assert found.facts["n_obs"] == whole.nobs
    for name in ("n_clusters", "n_singletons", "se_type", "se_factor", "t_df"):
        assert found.facts[name] == facts[name]


def test_a_description_equals_that_of_the_whole(panel):
    found = describe_in_chunks(cubes_of(panel), list(panel))
    pd.testing.assert_frame_equal(found, describe_panel(panel), rtol=1e-12)


def test_the_size_of_chunks_changes_nothing_but_rounding(panel):
    data = panel[["a", "b"]]
    one, many = (
        panel_var_in_chunks(cubes_of(data, parts), ["a", "b"], time_effects=True)
        for parts in (1, 40)
    )
    pd.testing.assert_frame_equal(one.std_errors, many.std_errors, rtol=1e-9)


def test_what_cannot_be_estimated_is_refused_in_words(panel):
    data = panel[["b", "a"]].assign(year=panel.index.get_level_values(1) * 1.0)
    with pytest.raises(TandemError, match="'year' is wholly explained by the fixed effects"):
        within_in_chunks(cubes_of(data), ["a", "year"], "two-way")
    with pytest.raises(TandemError, match="collinear"):
        twice = panel[["b", "a"]].assign(again=2 * panel["a"])
        within_in_chunks(cubes_of(twice), ["a", "again"], "entity")
    with pytest.raises(TandemError, match="'none' is neither"):
        within_in_chunks(cubes_of(panel), ["a", "x"], "none")
    with pytest.raises(TandemError, match="'a' is constant"):
        flat = np.concatenate([np.ones((60, 1, 9)), *cubes_of(panel[["b"]], 1)()], axis=1)
        panel_var_in_chunks(lambda: [flat], ["a", "b"])
    with pytest.raises(TandemError, match="covers 2 year"):
        short = panel[["a", "b"]][panel.index.get_level_values(1) < 2003]
        panel_var_in_chunks(cubes_of(short), ["a", "b"])
    with pytest.raises(TandemError, match="at least two entities"):
        panel_var_in_chunks(cubes_of(panel.loc[[0], ["a", "b"]].dropna(), 1), ["a", "b"])
