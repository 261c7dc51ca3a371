"""Estimators in chunks give what the whole panel gives."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tandem.econometrics import PanelVAR
from tandem.econometrics.describe import describe_panel
from tandem.econometrics.panel_arrays import panel_cube
from tandem.econometrics.panel_var_chunks import _scales, panel_var_in_chunks
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


def test_what_is_not_given_is_said(panel):
    data = panel[["a", "b"]]
    plain = panel_var_in_chunks(cubes_of(data), ["a", "b"])
    given = panel_var_in_chunks(
        cubes_of(data), ["a", "b"], 1, "fod", (2, 99), True, False, 2
    )  # fmt: skip
    pd.testing.assert_frame_equal(plain.cov, given.cov)
    assert plain.steps == 2 and plain.method == given.method
    known = data.notna()
    assert plain.n_incomplete == (known.any(axis=1) & ~known.all(axis=1)).sum() > 0
    for steps in (0, 3):
        with pytest.raises(TandemError, match=f"steps={steps} was given"):
            panel_var_in_chunks(cubes_of(data), ["a", "b"], steps=steps)
    with pytest.raises(TandemError, match="'gaussian' or None; 'bootstrap' is none"):
        plain.irf()


@pytest.mark.parametrize("effects", ["entity", "two-way"])
def test_facts_and_p_values_are_those_of_the_whole(panel, effects):
    data = panel[["b", "a", "x"]]
    whole, facts = panel_regression(panel["b"], panel[["a", "x"]], effects)
    found = within_in_chunks(cubes_of(data), ["a", "x"], effects)
    t = np.abs(whole.params / whole.std_errors)
    p = 2 * stats.t.sf(t, facts["n_clusters"] - 1)
    np.testing.assert_allclose(found.pvalues, p, rtol=1e-8, atol=1e-12)
    # rows with a value but not all; that of entity 3 is alone in it
    some, every = data.notna().any(axis=1), data.notna().all(axis=1)
    assert found.facts["n_dropped"] == (some & ~every).sum()
    assert found.facts["n_entities"] == found.facts["n_clusters"] == facts["n_clusters"]
    assert found.facts["n_singletons"] == 1


def test_two_entities_and_three_years_are_the_least(panel):
    whole = panel.drop([3, 5])[["a", "b"]].dropna()
    some = whole.groupby(level=0).filter(lambda v: len(v) > 7)
    first = some.index.unique(0)[:2]
    pair = some.loc[first]
    found = within_in_chunks(cubes_of(pair, 2), ["b"], "entity")
    assert found.facts["n_entities"] == 2 and found.facts["t_df"] == 1
    with pytest.raises(TandemError, match="1 entities have two complete rows"):
        within_in_chunks(cubes_of(some.loc[first[:1]], 1), ["b"], "entity")
    with pytest.raises(TandemError, match="0 entities have two complete rows"):
        within_in_chunks(cubes_of(pair.groupby(level=0).head(1), 1), ["b"], "entity")


def test_three_years_are_enough_for_a_panel_var(simulate):
    data = simulate([[[0.5]]], [[1.0]], n=30, t=3)
    found = panel_var_in_chunks(cubes_of(data), ["a"])
    pd.testing.assert_frame_equal(found.params, PanelVAR(data).fit().params, rtol=1e-9)
    assert found.n_obs == 30


def test_a_description_of_empty_and_lonely_parts(panel):
    data = panel[["a"]].copy()
    data.loc[range(8)] = np.nan  # the first part has no value
    found = describe_in_chunks(cubes_of(data), ["a"])
    pd.testing.assert_frame_equal(found, describe_panel(data), rtol=1e-12)
    with pytest.raises(TandemError, match="'a' has fewer than two values"):
        describe_in_chunks(lambda: [np.array([[[1.0, np.nan]]])], ["a"])
    pair = describe_in_chunks(lambda: [np.array([[[1.0, 2.0]]])], ["a"]).loc["a"]
    assert pair["sd"] == pytest.approx(np.sqrt(0.5)) and np.isnan(pair["sd_between"])
    assert (pair["n_obs"], pair["n_entities"], pair["minimum"], pair["maximum"]) == (2, 1, 1, 2)


def test_a_large_mean_costs_no_digits(panel):
    data = panel[["a", "b"]]
    far = data + 1e7
    one, two = (describe_in_chunks(cubes_of(d), ["a", "b"]) for d in (data, far))
    np.testing.assert_allclose(one[["sd", "sd_between"]], two[["sd", "sd_between"]], rtol=1e-6)
    for d in (data, far):
        scale = _scales(cubes_of(d), ["a", "b"])
        np.testing.assert_allclose(scale, data.std(ddof=0), rtol=1e-6)
