import numpy as np
import pandas as pd
import pytest
from linearmodels.panel import PooledOLS
from scipy import stats

from tandem.econometrics import (
    PanelVAR,
    estimate_specifications,
    specification_curve,
    specifications,
)
from tandem.econometrics.multiverse import _aligned, _curve, _gmm, _paired, _Shuffles
from tandem.econometrics.panel_var_design import Design
from tandem.econometrics.panel_var_gmm import refit_panels
from tandem.econometrics.panel_var_moments import build_moments
from tandem.econometrics.static import lags, panel_regression
from tandem.errors import TandemError

LINK = [[0.5, 0.0], [0.3, 0.4]]  # a moves b, not the other way
LEAST_SQUARES = {"lags": [1, 2], "own_lags": [0, 1], "effects": ["entity", "two-way", "difference"]}
GMM = {
    "lags": [1],
    "transform": ["fod", "fd"],
    "instrument_lags": [(2, 3), (2, 4)],
    "collapse": [True],
    "steps": [1, 2],
}


@pytest.fixture(scope="module")
def panel(simulate):
    return simulate([LINK], [[1.0, 0.0], [0.0, 1.0]], n=40, t=12, seed=1)


@pytest.fixture(scope="module")
def z(panel):
    return pd.DataFrame({"z": np.random.default_rng(2).normal(size=len(panel))}, panel.index)


def curve(panel, z, cause="a", effect="b", draws=99, **kwargs):
    specs = specifications(["plain", "cubed"], ["all", "late"], ["none", "z"], LEAST_SQUARES, GMM)
    measures = {"plain": panel, "cubed": np.sign(panel) * np.abs(panel) ** 1.2}
    windows = {"all": (2001, 2012), "late": (2005, 2012)}
    controls = {"none": None, "z": z}
    return specification_curve(specs, measures, windows, controls, cause, effect, draws, **kwargs)


@pytest.fixture(scope="module")
def found(panel, z):
    return curve(panel, z)


def scale(panel):
    within = panel - panel.groupby(level=0).transform("mean")
    within = within - within.groupby(level=1).transform("mean")
    return within["a"].std() / within["b"].std()


def test_every_combination_is_there_once(found):
    table = found.table
    assert len(table) == 2 * 2 * 2 * (12 + 8) == found.summary["n_specifications"]
    assert not table.drop(columns=["estimate", "n_obs"]).astype(str).duplicated().any()
    assert (table["why"] == "").all()


@pytest.mark.parametrize("effects", ["entity", "two-way"])
@pytest.mark.parametrize("own", [0, 1])
@pytest.mark.parametrize("order", [1, 2])
def test_least_squares_equals_the_panel_regression(found, panel, z, effects, own, order):
    t = found.table
    row = t[
        (t["measure"] == "plain")
        & (t["window"] == "all")
        & (t["controls"] == "z")
        & (t["effects"] == effects)
        & (t["own_lags"] == own)
        & (t["lags"] == order)
        & (t["estimator"] == "least squares")
    ].iloc[0]
    x = lags(panel["a"], list(range(1, order + 1))).join(z)
    x = x.join(lags(panel["b"], [1])) if own else x
    result, facts = panel_regression(panel["b"], x, effects, "clustered")
    assert row["estimate"] == pytest.approx(result.params["L1.a"] * scale(panel), rel=1e-8)
    assert row["std_error"] == pytest.approx(result.std_errors["L1.a"] * scale(panel), rel=1e-6)
    assert row["n_obs"] == result.nobs


def test_gmm_equals_the_panel_var(found, panel, z):
    t = found.table
    row = t[
        (t["measure"] == "plain")
        & (t["window"] == "all")
        & (t["controls"] == "z")
        & (t["transform"] == "fd")
        & (t["steps"] == 2)
        & (t["instrument_lags"] == (2, 4))
    ].iloc[0]
    var = PanelVAR(
        panel[["a", "b"]], 1, "fd", (2, 4), exog=z, time_effects=True
    ).fit()  # fmt: skip
    assert row["estimate"] == pytest.approx(var.params.loc["b", "L1.a"] * scale(panel), rel=1e-8)
    assert row["std_error"] == pytest.approx(
        var.std_errors.loc["b", "L1.a"] * scale(panel), rel=1e-8
    )


@pytest.mark.parametrize("draws", [3, 50])  # each permutation stacked; every pair once
def test_a_permuted_panel_is_fitted_as_on_its_own(panel, z, draws):
    shuffles = _Shuffles(draws, 1)
    data = _aligned(panel, z, 2012)
    panels, outside, place = _paired(data.scores, data.controls, shuffles)
    assert len(panels) == 12 * min(40 * draws, 40 * 40)
    options = {"lags": 1, "instrument_lags": (2, 4), "time_effects": True}
    moments = build_moments(panels, Design(exog=outside, **options))
    coef, _ = refit_panels(moments, 1, place)
    third = pd.concat({i: panels.loc[pair] for i, pair in enumerate(place[2])})
    alone = PanelVAR(third, exog=z, **options).fit(1)
    mine = coef[2] * moments.y_scale[:, None] / moments.x_scale
    assert mine == pytest.approx(alone.params.to_numpy(), rel=1e-6)
    spec = options | {"transform": "fod", "collapse": True, "steps": 1}
    drawn = _gmm(spec, data, "a", "b", 2001, shuffles, {})["drawn"]
    alone = PanelVAR(third, exog=z, collapse=True, **options).fit(1)
    assert drawn[2] == pytest.approx(alone.params.loc["b", "L1.a"], rel=1e-6)
    assert sorted(third["a"]) == pytest.approx(sorted(panel["a"]))
    assert third["b"].to_numpy() == pytest.approx(panel["b"].to_numpy())
    assert not np.allclose(third["a"], panel["a"])


def test_entities_without_an_equation_are_left_out_of_every_permutation(panel):
    gone = panel.copy()
    gone.loc[[5, 6], "b"] = np.nan
    specs = specifications(["m"], ["all"], ["none"], {}, GMM)
    args = {"all": (2001, 2012)}, {"none": None}, "a", "b", 50
    found = specification_curve(specs, {"m": gone}, *args)
    assert (found.table["n_entities"] == 38).all()
    assert found.drawn["median"].notna().all()


def test_a_true_effect_is_found_and_an_absent_one_is_not(found, panel, z):
    assert found.summary["median"] > 0.15
    assert found.summary["share_positive"] > 0.95
    assert found.summary["p_median"] <= 0.04
    none = curve(panel, z, "b", "a", draws=99)
    assert abs(none.summary["median"]) < 0.15
    assert none.summary["p_median"] > 0.05


def test_permutation_p_values_are_uniform_under_the_null(simulate):
    specs = specifications(["m"], ["all"], ["none"], LEAST_SQUARES | {"lags": [1]}, {})
    p = []
    for seed in range(200):
        panel = simulate([[[0.5, 0.0], [0.0, 0.5]]], np.eye(2), n=15, t=8, seed=seed)
        found = specification_curve(
            specs, {"m": panel}, {"all": (2001, 2008)}, {"none": None}, "a", "b", 39, seed
        )
        p.append(found.summary["p_median"])
    assert 0.02 <= np.mean(np.array(p) <= 0.05) <= 0.09
    assert 0.38 <= np.mean(np.array(p) <= 0.5) <= 0.62


def test_paths_are_dealt_among_entities_that_miss_the_same_years(panel):
    gap = panel.copy()
    gap.loc[[(3, 2004), (7, 2004)], "a"] = np.nan
    observed = gap["a"].notna().unstack().to_numpy()
    order = _Shuffles(50, 1).of(observed)
    assert (order[0] == np.arange(40)).all()
    assert all({*row[[3, 7]]} == {3, 7} for row in order)
    assert (np.sort(order, axis=1) == np.arange(40)).all()


def test_what_cannot_be_estimated_is_counted_with_its_reason(panel, z):
    choices = {**LEAST_SQUARES, "lags": [1, 11]}
    specs = specifications(["m"], ["all"], ["none"], choices, {})
    found = specification_curve(
        specs, {"m": panel}, {"all": (2001, 2012)}, {"none": None}, "a", "b", 9
    )
    assert found.summary["n_failed"] == 6
    assert found.table["why"].str.contains("too few").sum() == 6
    twice = z.assign(twice=2 * z["z"])
    specs = specifications(["m"], ["all"], ["z"], LEAST_SQUARES, {})
    args = {"m": panel}, {"all": (2001, 2012)}, {"z": twice}, "a", "b", 0
    why = estimate_specifications(specs, *args)[0]["why"]
    assert (why == "The controls are collinear once the effects are removed.").all()


def test_order_of_rows_and_draws_of_other_specifications_do_not_matter(panel, z):
    specs = specifications(["m"], ["all"], ["none"], LEAST_SQUARES, {})
    args = {"all": (2001, 2012)}, {"none": None}, "a", "b", 19
    one = specification_curve(specs, {"m": panel}, *args)
    two = specification_curve(specs.iloc[::-1], {"m": panel.sample(frac=1, random_state=1)}, *args)
    assert one.summary["p_median"] == two.summary["p_median"]
    assert one.drawn["median"].to_numpy() == pytest.approx(two.drawn["median"].to_numpy())


def test_bad_choices_are_refused_in_words(panel):
    with pytest.raises(TandemError, match="The choices of GMM are"):
        specifications(["m"], ["w"], ["c"], {}, {"lags": [1]})
    with pytest.raises(TandemError, match="at least one specification"):
        specifications(["m"], ["w"], ["c"], {}, {})
    specs = specifications(["m"], ["w"], ["c"], LEAST_SQUARES, {})
    with pytest.raises(TandemError, match="no variable 'q'"):
        specification_curve(specs, {"m": panel}, {"w": (2001, 2012)}, {"c": None}, "q", "b")


def row_of(found, **choices):
    t = found.table
    for name, value in choices.items():
        t = t[t[name] == value]
    assert len(t) == 1
    return t.iloc[0]


def within_scale(scores):
    """Standard deviation of a over that of b, years and entities taken out."""
    left = scores - scores.groupby(level=0).transform("mean")
    left = left - left.groupby(level=1).transform("mean")
    return left["a"].std() / left["b"].std()


@pytest.mark.parametrize("own", [0, 1])
@pytest.mark.parametrize("order", [1, 2])
def test_differences_are_regressions_of_changes_on_changes_and_years(found, panel, z, own, order):
    row = row_of(
        found, measure="plain", window="all", controls="z", effects="difference", own_lags=own,
        lags=order, estimator="least squares",
    )  # fmt: skip
    parts = [panel["b"], lags(panel["a"], list(range(1, order + 1))), z]
    parts += [lags(panel["b"], [1])] * own
    change = pd.concat(parts, axis=1).dropna().groupby(level=0).diff().dropna()
    years = pd.get_dummies(change.index.get_level_values(1), dtype=float).set_axis(change.index)
    x = change.drop(columns="b").join(years.add_prefix("year "))
    fit = PooledOLS(change["b"], x).fit(
        cov_type="clustered", cluster_entity=True, group_debias=True
    )
    assert row["estimate"] == pytest.approx(fit.params["L1.a"] * scale(panel), rel=1e-8)
    assert row["std_error"] == pytest.approx(fit.std_errors["L1.a"] * scale(panel), rel=1e-6)
    assert (row["n_obs"], row["n_entities"]) == (len(change), 40)
    reach = stats.t.ppf(0.975, 39) * row["std_error"]
    assert (row["conf_low"], row["conf_high"]) == pytest.approx(
        (row["estimate"] - reach, row["estimate"] + reach)
    )
    p = 2 * stats.t.sf(abs(row["estimate"] / row["std_error"]), 39)
    assert row["p_value"] == pytest.approx(p)


def test_a_window_holds_the_years_of_the_effect_and_lags_reach_before_it(found, panel):
    late = panel.index.get_level_values(1) >= 2005
    unit = within_scale(panel[late])
    row = row_of(
        found, measure="plain", window="late", controls="none", effects="two-way", own_lags=1,
        lags=2, estimator="least squares",
    )  # fmt: skip
    x = lags(panel["a"], [1, 2]).join(lags(panel["b"], [1]))
    fit, _ = panel_regression(panel["b"][late], x[late], "two-way")
    assert row["estimate"] == pytest.approx(fit.params["L1.a"] * unit, rel=1e-8)
    assert row["std_error"] == pytest.approx(fit.std_errors["L1.a"] * unit, rel=1e-6)
    assert row["n_obs"] == 40 * 8
    row = row_of(
        found, measure="plain", window="late", controls="none", transform="fod", steps=1,
        instrument_lags=(2, 3), estimator="GMM",
    )  # fmt: skip
    kept = panel[panel.index.get_level_values(1) >= 2004]
    var = PanelVAR(kept, 1, "fod", (2, 3), time_effects=True).fit(1)
    assert row["estimate"] == pytest.approx(var.params.loc["b", "L1.a"] * unit, rel=1e-8)
    assert row["n_obs"] == var.n_obs
    p = 2 * stats.t.sf(abs(row["estimate"] / row["std_error"]), 39)
    assert row["p_value"] == pytest.approx(p)


@pytest.mark.parametrize("effects", ["entity", "two-way", "difference"])
def test_a_permutation_gives_each_entity_the_causes_path_of_another(panel, z, effects):
    choices = {"lags": [2], "own_lags": [1], "effects": [effects]}
    specs = specifications(["m"], ["all"], ["z"], choices, {})
    args = {"m": panel}, {"all": (2001, 2012)}, {"z": z}, "a", "b"
    _, drawn = estimate_specifications(specs, *args, draws=3, seed=3)
    order = _Shuffles(3, 3).of(np.ones((40, 12), bool))
    wide = panel["a"].unstack().to_numpy()
    for path, slope in zip(order[1:], drawn[0], strict=True):
        dealt = panel.assign(a=wide[path].ravel())
        table, _ = estimate_specifications(specs, {"m": dealt}, *args[1:], draws=0)
        unit = scale(panel) / within_scale(dealt)  # that of the data as it is
        assert slope == pytest.approx(table["estimate"].iloc[0] * unit, rel=1e-7)


def test_the_summary_is_that_of_the_table_and_of_the_draws(found):
    b, p, drawn = found.table["estimate"], found.table["p_value"], found.drawn
    s = found.summary
    assert s["median"] == pytest.approx(b.median()) and s["n_failed"] == 0
    assert s["share_positive"] == (b > 0).mean()
    assert s["share_significant_positive"] == ((b > 0) & (p < 0.05)).mean() > 0
    assert s["share_significant_negative"] == ((b < 0) & (p < 0.05)).mean()
    away = [drawn["median"] >= b.median(), drawn["share_positive"] >= (b > 0).mean()]
    for name, beyond in zip(("p_median", "p_share"), away, strict=True):
        assert s[name] == pytest.approx(min(1, 2 * (1 + beyond.sum()) / 100))
    assert s["draws"] == len(drawn) == 99


def test_a_negative_curve_is_tested_on_its_side():
    table = pd.DataFrame({"estimate": [-0.5, -0.3, 0.1, np.nan], "p_value": [0.01, 0.2, 0.04, 0.0]})
    drawn = np.array([[-0.6, -0.4, -0.2, 0], [0.6, 0.4, 0.3, 0], [-0.3, -0.3, 0.2, 0]])
    summary, under = _curve(table, drawn)
    assert under["median"].tolist() == [-0.4, 0.4, -0.3]
    assert under["share_positive"].tolist() == pytest.approx([0, 1, 1 / 3])
    assert summary["median"] == -0.3 and summary["n_failed"] == 1
    assert summary["share_positive"] == pytest.approx(1 / 3)
    # medians as low as -.3: two of three draws; shares as low as a third: two of three
    assert summary["p_median"] == summary["p_share"] == 1.0
    assert summary["share_significant_positive"] == summary["share_significant_negative"] == 1 / 3
    alone, _ = _curve(table, drawn[1:2])
    assert alone["p_median"] == alone["p_share"] == 1.0  # 2 (1 + 0) / 2
    many, _ = _curve(table, np.repeat(drawn[1:2], 9, axis=0))
    assert many["p_median"] == many["p_share"] == 0.2
    none, _ = _curve(table, np.zeros((0, 4)))
    assert np.isnan(none["p_median"]) and none["draws"] == 0


def test_what_is_not_given_is_said(panel):
    specs = specifications(["m"], ["all"], ["none"], LEAST_SQUARES, {})
    args = {"m": panel}, {"all": (2001, 2012)}, {"none": None}, "a", "b"
    plain, given = (
        specification_curve(specs, *args),
        specification_curve(specs, *args, 199, 1, 0.95),
    )
    pd.testing.assert_frame_equal(plain.drawn, given.drawn)
    pd.testing.assert_frame_equal(plain.table, given.table)
    table, drawn = estimate_specifications(specs, *args)
    assert np.median(drawn, axis=0) == pytest.approx(plain.drawn["median"].to_numpy())
    assert table["conf_low"].tolist() == plain.table["conf_low"].tolist()
    other = specification_curve(specs, *args, seed=np.random.SeedSequence(1))
    pd.testing.assert_frame_equal(other.drawn, plain.drawn)
    assert not specification_curve(specs, *args, seed=2).drawn.equals(plain.drawn)


def test_as_many_rows_as_coefficients_and_too_few_clusters_are_refused(simulate):
    panel = simulate([LINK], [[1.0, 0.0], [0.0, 1.0]], n=3, t=5, seed=3)

    def why(data, own=0, effects="two-way"):
        choices = {"lags": [1], "own_lags": [own], "effects": [effects]}
        specs = specifications(["m"], ["all"], ["none"], choices, {})
        args = {"all": (2001, 2005)}, {"none": None}, "a", "b", 0
        return estimate_specifications(specs, {"m": data}, *args)[0]["why"].item()

    three_years = panel[panel.index.get_level_values(1) < 2004]
    assert why(three_years) == ""  # six rows, a slope, three entities and one year more
    assert why(three_years, 1) == "6 complete rows are too few for 2 regressors and 4 effects."
    two = panel.loc[[0, 1]]
    for effects in ("two-way", "difference"):
        assert why(panel, 0, effects) == ""
        assert why(two, 0, effects) == ("2 entities are too few for clustered errors; it takes 3.")
    assert why(two, 0, "entity") == ""
    one = two.copy()
    one.loc[1, "a"] = np.nan
    assert why(one, 0, "entity") == "1 entities are too few for clustered errors; it takes 2."
