"""Static panel regressions against R's plm and against linearmodels called by hand."""

import json

import numpy as np
import pandas as pd
import pytest
from linearmodels.panel import PanelOLS

from tandem.econometrics.static import lags, panel_regression
from tandem.errors import TandemError


@pytest.fixture
def y(grunfeld):
    return grunfeld["inv"]


@pytest.fixture
def x(grunfeld):
    return grunfeld[["value", "capital"]]


@pytest.mark.parametrize(
    ("effects", "gold", "rel"),
    [("entity", "within", 1e-10), ("two-way", "twoways", 1e-10), ("random", "random_swar", 1e-8)],
)
def test_estimates_equal_those_of_plm(y, x, expected, effects, gold, rel):
    wanted = expected["static_Grunfeld"][gold]
    result, facts = panel_regression(y, x, effects)
    for term, value in wanted.items():
        name = "const" if term == "(Intercept)" else term
        assert result.params[name] == pytest.approx(value, rel=rel)
    assert facts["n_dropped"] == 0


def test_pooled_estimates_are_least_squares(y, x):
    result, _ = panel_regression(y, x, "none")
    design = np.column_stack([x, np.ones(len(x))])
    by_hand, *_ = np.linalg.lstsq(design, y, rcond=None)
    np.testing.assert_allclose(result.params, by_hand, rtol=1e-9)


def test_clustered_errors_have_the_factor_that_is_printed(y, x, expected):
    gold = expected["static_Grunfeld"]["cluster_firm_value"]
    result, facts = panel_regression(y, x, "entity", "clustered")
    assert result.std_errors["value"] == pytest.approx(gold["group_debias"], abs=5e-8)
    assert facts["n_clusters"] == 10
    assert facts["se_type"] == "clustered by entity"
    factor = 10 / 9 * 199 / (200 - 2)  # effects are nested in clusters, so k counts the slopes
    assert facts["se_factor"] == f"{factor:.4f}"
    assert (gold["group_debias"] / gold["raw"]) ** 2 == pytest.approx(factor, rel=1e-5)


@pytest.mark.parametrize(("effects", "k"), [("none", 3), ("random", 3), ("two-way", 2 + 29)])
def test_the_factor_counts_constants_and_both_effects(y, x, effects, k):
    _, facts = panel_regression(y, x, effects, "clustered")
    assert facts["se_factor"] == f"{10 / 9 * 199 / (200 - k):.4f}"


def test_driscoll_kraay_takes_two_lags_for_twenty_years(y, x, expected):
    gold = expected["static_Grunfeld"]["driscoll_kraay_lag2_value"]
    result, facts = panel_regression(y, x, "entity", "driscoll-kraay")
    assert facts["se_type"] == "Driscoll-Kraay (Bartlett, 2 lags)"
    assert result.std_errors["value"] == pytest.approx(gold["linearmodels"], abs=5e-8)
    assert facts["se_factor"] == f"{200 / 188:.4f}"
    assert "n_clusters" not in facts
    direct = PanelOLS(y, x, entity_effects=True).fit(
        cov_type="kernel", kernel="bartlett", bandwidth=2
    )
    np.testing.assert_allclose(result.std_errors, direct.std_errors, rtol=1e-12)


@pytest.mark.parametrize(
    ("n_years", "n_lags"),
    [(4, 1), (5, 2), (9, 2), (10, 2), (20, 2), (27, 2), (28, 3), (100, 4)],
)
def test_the_bandwidth_grows_with_the_years(n_years, n_lags):
    # floor(4 (T/100)^(2/9)); 3 is reached where T/100 > (3/4)^(9/2) = 0.274
    rng = np.random.default_rng(np.random.SeedSequence(n_years))
    index = pd.MultiIndex.from_product([range(8), range(n_years)])
    data = pd.DataFrame(rng.normal(size=(8 * n_years, 2)), index, columns=["y", "x"])
    _, facts = panel_regression(data["y"], data[["x"]], "entity", "driscoll-kraay")
    assert facts["se_type"] == f"Driscoll-Kraay (Bartlett, {n_lags} lags)"


@pytest.mark.parametrize("se", ["unadjusted", "robust"])
def test_the_other_errors_are_those_of_linearmodels(y, x, se):
    result, facts = panel_regression(y, x, "two-way", se)
    direct = PanelOLS(y, x, entity_effects=True, time_effects=True).fit(cov_type=se)
    np.testing.assert_allclose(result.std_errors, direct.std_errors, rtol=1e-12)
    assert facts["se_factor"] == f"{200 / (200 - 2 - 10 - 19):.4f}"


@pytest.mark.parametrize("effects", ["none", "random", "entity", "two-way"])
@pytest.mark.parametrize("se", ["clustered", "driscoll-kraay"])
def test_the_order_of_rows_does_not_matter(y, x, effects, se):
    mixed = np.random.default_rng(1).permutation(len(y))
    one, _ = panel_regression(y, x, effects, se)
    other, _ = panel_regression(y.iloc[mixed], x.iloc[mixed], effects, se)
    np.testing.assert_allclose(one.params, other.params, rtol=1e-9)
    np.testing.assert_allclose(one.std_errors, other.std_errors, rtol=1e-9)


def test_rows_with_a_gap_are_dropped_and_counted(y, x):
    gappy = x.copy()
    gappy.iloc[[3, 40], 0] = np.nan
    gappy.iloc[77, 1] = np.inf
    result, facts = panel_regression(y, gappy, "entity")
    whole = gappy.replace(np.inf, np.nan).dropna().index
    direct = PanelOLS(y.loc[whole], x.loc[whole], entity_effects=True).fit()
    assert facts["n_dropped"] == 3
    assert result.nobs == 197
    np.testing.assert_allclose(result.params, direct.params, rtol=1e-12)


def fixed(x):
    return x["value"].groupby(level=0).transform("first")


def year(x):
    return pd.Series(x.index.get_level_values(1).astype(float), index=x.index)


@pytest.mark.parametrize(
    ("effects", "make"),
    [
        ("none", lambda x: 3.0 + 0 * x["value"]),
        ("random", lambda x: 3.0 + 0 * x["value"]),
        ("entity", lambda x: 3.0 + 0 * x["value"]),
        ("entity", fixed),
        ("two-way", fixed),
        ("two-way", year),
        ("two-way", lambda x: fixed(x) + 7 * year(x)),
        ("none", lambda x: 2 * x["value"] - x["capital"]),
        ("two-way", lambda x: 2 * x["value"] - x["capital"] + fixed(x)),
        ("two-way", lambda x: 0 * x["value"]),
    ],
    ids=["constant", "constant RE", "constant FE", "fixed", "fixed 2", "year", "both"]
    + ["collinear", "collinear within", "zero"],
)
def test_a_regressor_without_a_share_of_its_own_is_refused_by_name(y, x, effects, make):
    with pytest.raises(TandemError, match="'culprit' is explained wholly .*value, capital"):
        panel_regression(y, x.assign(culprit=make(x)), effects)


def test_the_second_of_two_twins_is_named(y, x):
    with pytest.raises(TandemError, match=r"'twin' .* before it \(value\)"):
        panel_regression(y, pd.DataFrame({"value": x["value"], "twin": x["value"]}), "entity")


@pytest.mark.parametrize(("effects", "make"), [("random", fixed), ("entity", year)])
def test_what_the_effects_leave_is_not_refused(y, x, effects, make):
    result, _ = panel_regression(y, x.assign(more=make(x)), effects)
    assert np.isfinite(result.std_errors["more"])


def test_an_unbalanced_year_trend_is_still_absorbed_by_two_ways(y, x):
    some = np.random.default_rng(2).permutation(len(y))[:150]
    with pytest.raises(TandemError, match="'trend'"):
        panel_regression(y.iloc[some], x.assign(trend=year(x)).iloc[some], "two-way")


def test_a_small_variation_on_a_high_level_is_told_from_a_constant(y, x):
    noise = np.random.default_rng(3).normal(size=len(x))
    for effects in ("none", "random", "entity", "two-way"):
        level, _ = panel_regression(y, x.assign(level=1e4 + noise), effects)
        plain, _ = panel_regression(y, x.assign(level=noise), effects)
        assert level.params["level"] == pytest.approx(plain.params["level"], rel=1e-6)
    with pytest.raises(TandemError, match="'level' is explained wholly"):
        panel_regression(y, x.assign(level=1e6 + noise), "entity")


@pytest.mark.parametrize(
    ("effects", "rows", "fits"),
    [("none", 4, True), ("none", 3, False), ("entity", 8, True), ("two-way", 8, False)],
)
def test_too_few_rows_are_refused(y, x, effects, rows, fits):
    # two firms: 2 slopes, and 1, 2 or 2 + 3 constants
    half = rows // 2
    pick = [(1, 1935 + t) for t in range(rows - half)] + [(2, 1935 + t) for t in range(half)]
    if fits:
        result, _ = panel_regression(y.loc[pick], x.loc[pick], effects, "unadjusted")
        assert np.isfinite(result.std_errors).all()
    else:
        rows_of = x.loc[pick] if effects == "none" else x.assign(more=x["value"] ** 2).loc[pick]
        with pytest.raises(TandemError, match=f"Only {rows} complete rows for"):
            panel_regression(y.loc[pick], rows_of, effects, "unadjusted")


def test_unknown_choices_are_refused(y, x):
    with pytest.raises(TandemError, match="'fixed' is none of them"):
        panel_regression(y, x, "fixed")
    with pytest.raises(TandemError, match="'hac' are not known"):
        panel_regression(y, x, "entity", "hac")


def test_lags_go_by_the_calendar():
    index = pd.MultiIndex.from_tuples(
        [("b", 2004), ("a", 2001), ("a", 2002), ("a", 2004), ("b", 2001), ("b", 2003)],
        names=["entity", "year"],
    )
    x = pd.Series([60.0, 1, 2, 4, 10, 30], index=index, name="x")
    found = lags(x, [0, 1, 2])
    assert list(found) == ["x", "L1.x", "L2.x"]
    assert found.index.equals(index)
    nan = np.nan
    np.testing.assert_array_equal(found["L1.x"], [30, nan, 1, nan, nan, nan])
    np.testing.assert_array_equal(found["L2.x"], [nan, nan, nan, 2, nan, 10])


def test_lags_of_several_columns_keep_their_names():
    index = pd.MultiIndex.from_product([["a"], [2001, 2002]], names=["entity", "year"])
    found = lags(pd.DataFrame({"x": [1.0, 2], "z": [3.0, 4]}, index=index), [1])
    np.testing.assert_array_equal(found["L1.x"], [np.nan, 1])
    np.testing.assert_array_equal(found["L1.z"], [np.nan, 3])


@pytest.mark.parametrize("effects", ["between", "difference"])
def test_between_and_differences_equal_those_of_plm(y, x, expected, effects):
    gold = expected["static_Grunfeld"]["between" if effects == "between" else "first_difference"]
    result, _ = panel_regression(y, x, effects, "robust")
    for name, value in gold.items():
        found = result.params["const" if name == "(Intercept)" else name]
        assert found == pytest.approx(value, rel=1e-9)


def test_mundlaks_slopes_are_the_within_ones(y, x):
    mundlak, _ = panel_regression(y, x, "mundlak")
    within, _ = panel_regression(y, x, "entity")
    assert mundlak.params[list(x)].to_numpy() == pytest.approx(within.params.to_numpy(), rel=1e-9)
    assert f"{x.columns[0]} (entity mean)" in mundlak.params


def test_xtregs_factor(y, x, expected):
    text = json.dumps(expected["static_Grunfeld"])
    assert "0.0151945" in text  # the golden number below is that of the value of firms
    result, facts = panel_regression(y, x, "entity", "xtreg")
    assert result.std_errors["value"] == pytest.approx(0.0151945, abs=5e-8)
    assert "xtreg" in facts["se_type"] and facts["t_df"] == 9
    plain, _ = panel_regression(y, x, "two-way")
    stata, _ = panel_regression(y, x, "two-way", "xtreg")
    n, k, years = len(y), x.shape[1], y.index.get_level_values(1).nunique()
    ours, theirs = n - k - 10 - years + 1, n - k - years
    assert stata.std_errors["value"] == pytest.approx(
        plain.std_errors["value"] * np.sqrt(ours / theirs), rel=1e-6
    )
    with pytest.raises(TandemError, match="xtreg's factor is for entity and two-way"):
        panel_regression(y, x, "none", "xtreg")


def test_two_way_clusters_are_entities_plus_years_less_rows(y, x):
    """Cameron, Gelbach & Miller (2011), each part with its own factor G/(G-1)."""
    design = x - x.groupby(level=0).transform("mean")
    e = y - y.groupby(level=0).transform("mean")
    score = design.mul(e - design @ np.linalg.lstsq(design, e, rcond=None)[0], axis=0)
    parts = (10 / 9, score.groupby(level=0).sum()), (20 / 19, score.groupby(level=1).sum())
    meat = sum(factor * (s.T @ s).to_numpy() for factor, s in parts)
    meat = meat - 200 / 199 * (score.T @ score).to_numpy()
    bread = np.linalg.inv(design.T @ design)
    result, facts = panel_regression(y, x, "entity", "two-way clustered")
    by_hand = bread @ meat @ bread * 199 / (200 - 2 - 10)  # entity effects are nested in no year
    assert result.cov.to_numpy() == pytest.approx(by_hand, rel=1e-9)
    assert facts["n_clusters"] == 10


def test_rows_alone_in_their_entity_are_counted(y, x):
    entity = y.index.get_level_values(0)
    first, year = entity[0], y.index.get_level_values(1)
    alone = (entity != first) | (year == year.min())
    result, facts = panel_regression(y[alone], x[alone], "entity")
    without, _ = panel_regression(y[entity != first], x[entity != first], "entity")
    assert facts["n_singletons"] == 1 and facts["n_dropped"] == 1
    assert result.std_errors.to_numpy() == pytest.approx(without.std_errors.to_numpy())


def test_facts_of_every_error(y, x):
    for effects, se, words, clusters, df in (
        ("entity", "clustered", "clustered by entity", 10, 9),
        ("two-way", "xtreg", "clustered by entity, Stata's xtreg factor", 10, 9),
        ("entity", "two-way clustered", "clustered by entity and by year", 10, 9),
        ("entity", "driscoll-kraay", "Driscoll-Kraay (Bartlett, 2 lags)", None, 19),
        ("none", "robust", "heteroskedasticity-robust", None, None),
        ("between", "unadjusted", "classical", None, None),
    ):
        _, facts = panel_regression(y, x, effects, se)
        found = facts["se_type"], facts.get("n_clusters"), facts.get("t_df")
        assert found == (words, clusters, df)
    few = x.index.get_level_values(1) < 1940
    _, facts = panel_regression(y[few], x[few], "entity", "two-way clustered")
    assert (facts["n_clusters"], facts["t_df"]) == (5, 4)  # the years are fewer
    assert panel_regression(y, x, "entity")[1] == panel_regression(y, x, "entity", "clustered")[1]


def test_singletons_go_until_none_is_left(y, x):
    """A row that leaves its year alone drops that year's other row's entity, and so on."""
    keep = [
        (1, 1935),
        (1, 1936),
        (2, 1936),
        *[(f, t) for f in (3, 4, 5) for t in range(1940, 1946)],
    ]
    result, facts = panel_regression(y.loc[keep], x.loc[keep], "two-way")
    # 1935 has firm 1 alone; then firm 1 has 1936 alone; then firm 2 has been alone from the start
    assert (facts["n_singletons"], result.nobs) == (3, 18)
    result, facts = panel_regression(y.loc[keep], x.loc[keep], "entity")
    assert (facts["n_singletons"], result.nobs) == (1, 20)


def test_two_entities_and_two_years_are_the_least(y, x):
    one, two = y.index.get_level_values(0) < 2, y.index.get_level_values(0) < 3
    for effects, se in (("entity", "clustered"), ("none", "xtreg"), ("random", "robust")):
        with pytest.raises(TandemError, match="1 entity.s. and 20 year.s. are too few"):
            panel_regression(y[one], x[one], effects, se)
    assert np.isfinite(panel_regression(y[two], x[two], "entity")[0].std_errors).all()
    assert np.isfinite(panel_regression(y[one], x[one], "none", "robust")[0].std_errors).all()
    year = y.index.get_level_values(1) == 1940
    with pytest.raises(TandemError, match="10 entity.s. and 1 year.s. are too few"):
        panel_regression(y[year], x[year], "none", "two-way clustered")
    assert np.isfinite(panel_regression(y[year], x[year], "none")[0].std_errors).all()


def test_a_dependent_variable_of_the_effects_alone_is_refused(y, x):
    level = y.groupby(level=0).transform("mean")
    with pytest.raises(TandemError, match="does not vary once the entity effects are out"):
        panel_regression(level, x, "entity")
    nearly = level + 1e-3 * y
    assert np.isfinite(panel_regression(nearly, x, "entity")[0].std_errors).all()


@pytest.mark.parametrize("effects", ["mundlak", "random"])
def test_means_that_do_not_vary_apart_are_left_out_of_mundlaks_regression(y, x, effects):
    with_fixed = x.assign(fixed=fixed(x))
    result, _ = panel_regression(y, with_fixed, effects, "robust")
    means = [name for name in result.params.index if "mean" in name]
    wanted = ["value (entity mean)", "capital (entity mean)"] if effects == "mundlak" else []
    assert means == wanted
