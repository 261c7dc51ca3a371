"""Descriptive statistics against their definitions."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tandem.econometrics.describe import correlations, describe_panel, variance_inflation
from tandem.errors import TandemError


def test_spread_is_split_into_between_and_within(grunfeld):
    table = describe_panel(grunfeld)
    inv = grunfeld["inv"]
    means = inv.groupby(level=0).mean()
    row = table.loc["inv"]
    assert row["sd"] == pytest.approx(inv.std())
    assert row["sd_between"] == pytest.approx(means.std())
    between = 20 * ((means - inv.mean()) ** 2).sum()  # sums of squares add up if balanced
    assert row["sd_within"] ** 2 * 199 + between == pytest.approx(inv.var() * 199)
    assert (row["n_obs"], row["n_entities"]) == (200, 10)


def test_missing_values_are_left_out_by_variable():
    index = pd.MultiIndex.from_product([["a", "b"], [1, 2]])
    data = pd.DataFrame({"x": [1, 2, np.nan, np.nan], "y": [1.0, 2, 3, 4]}, index)
    table = describe_panel(data)
    assert table["n_obs"].tolist() == [2, 4] and table["n_entities"].tolist() == [1, 2]
    with pytest.raises(TandemError, match="'x' has fewer than two values"):
        describe_panel(data.iloc[1:])


def test_correlations_of_pairs(grunfeld):
    table = correlations(grunfeld)
    assert table.loc[("inv", "value"), "r"] == pytest.approx(
        grunfeld["inv"].corr(grunfeld["value"])
    )
    r, n = table.loc[("inv", "value"), "r"], 200
    t = r * np.sqrt((n - 2) / (1 - r**2))
    assert t == pytest.approx(23.4, abs=0.1)
    with pytest.raises(TandemError, match="have no correlation"):
        correlations(grunfeld.assign(flat=1.0))


def test_variance_inflation_is_the_inverse_of_the_correlations(grunfeld):
    x = grunfeld.assign(more=grunfeld["value"] ** 0.5)
    by_inverse = np.diag(np.linalg.inv(x.corr()))
    np.testing.assert_allclose(variance_inflation(x), by_inverse, rtol=1e-8)
    assert variance_inflation(x.assign(sum=x["inv"] + x["value"]))["sum"] == np.inf


def test_the_rest_of_the_description(grunfeld):
    row = describe_panel(grunfeld).loc["value"]
    value = grunfeld["value"]
    assert (row["mean"], row["minimum"], row["maximum"]) == (value.mean(), value.min(), value.max())


def test_correlations_of_three_rows_and_of_a_dummy():
    index = pd.MultiIndex.from_product([["a"], [1, 2, 3, 4]])
    data = pd.DataFrame({"x": [1.0, 2, 4, np.nan], "y": [2.0, 1, 5, 7], "d": [0.0, 1, 1, 0]}, index)
    table = correlations(data)
    assert table.index.tolist() == [("x", "y"), ("x", "d"), ("y", "d")]
    assert table["n_obs"].tolist() == [3, 3, 4]
    fit = stats.pearsonr([1, 2, 4], [2, 1, 5])
    assert table.loc[("x", "y")].tolist()[:2] == pytest.approx([fit.statistic, fit.pvalue])
    with pytest.raises(TandemError, match="'x' and 'y' have no correlation: 2 common rows"):
        correlations(data.iloc[1:])


def test_inflation_needs_a_row_more_than_regressors():
    rng = np.random.default_rng(1)
    index = pd.MultiIndex.from_product([["a", "b"], [1, 2]])
    x = pd.DataFrame(rng.normal(size=(4, 3)), index, list("xyz"))
    assert np.isfinite(variance_inflation(x.iloc[:, :2])).all()
    with pytest.raises(TandemError, match="3 complete rows are too few for 3 regressors"):
        variance_inflation(x.iloc[:3])
    near = x["x"] + 1e-3 * x["y"]
    assert np.isfinite(variance_inflation(pd.DataFrame({"x": x["x"], "near": near}))).all()
