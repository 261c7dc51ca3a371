import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.errors import TandemError
from tandem.indices import dagum, gm11, moran, obstacle

GROUPS = [[0.6, 0.5, 0.7, 0.4], [0.35, 0.45, 0.3], [0.2, 0.25, 0.4]]


def test_dagum():
    expected = [0.198795, 0.040964, 0.148193, 0.009639]
    np.testing.assert_allclose(dagum(GROUPS), expected, atol=1e-6)
    regions = {name: pd.Series(group) for name, group in zip("abc", GROUPS, strict=True)}
    assert dagum(regions) == dagum(GROUPS)


def dagum_pair_by_pair(groups):
    """Dagum 1997 as printed: distances, relative affluence and shares of each pair of groups."""
    values = np.concatenate(groups)
    n, mean = len(values), values.mean()
    p = [len(g) / n for g in groups]
    s = [g.sum() / (n * mean) for g in groups]
    within = sum(
        np.abs(g[:, None] - g).sum() / (2 * len(g) ** 2 * g.mean()) * p[j] * s[j]
        for j, g in enumerate(groups)
    )
    between = overlap = 0
    for j in range(len(groups)):
        for h in range(j):
            rich, poor = sorted((groups[j], groups[h]), key=np.mean, reverse=True)
            gap = rich[:, None] - poor
            d, q = np.clip(gap, 0, None).mean(), np.clip(-gap, 0, None).mean()
            part = (d + q) / (rich.mean() + poor.mean()) * (p[j] * s[h] + p[h] * s[j])
            affluence = (d - q) / (d + q)
            between += part * affluence
            overlap += part * (1 - affluence)
    total = np.abs(values[:, None] - values).sum() / (2 * n * n * mean)
    return total, within, between, overlap


@given(st.lists(st.lists(st.integers(1, 1000), min_size=1, max_size=6), min_size=1, max_size=4))
def test_dagum_matches_the_printed_formula_and_sums_up(groups):
    # A distinct fraction in each value keeps the printed formula from dividing 0 by 0.
    count = iter(range(1, 100))
    groups = [np.array([v + next(count) / 1000 for v in g]) for g in groups]
    found = dagum(groups)
    np.testing.assert_allclose(found, dagum_pair_by_pair(groups), atol=1e-12)
    assert sum(found[1:]) == pytest.approx(found.total, abs=1e-12)


def test_dagum_of_equal_values_is_zero():
    assert dagum([[0.5, 0.5], [0.5]]) == (0, 0, 0, 0)


def test_dagum_refuses():
    with pytest.raises(TandemError, match="is missing"):
        dagum([[0.1, np.nan]])
    with pytest.raises(TandemError, match="empty group"):
        dagum([[0.1], []])
    with pytest.raises(TandemError, match="is -0.1"):
        dagum([[-0.1, 0.4]])
    with pytest.raises(TandemError, match="All values are 0"):
        dagum([[0.0], [0.0]])


D = np.array([0.3567, 0.37, 0.382, 0.3955, 0.409, 0.424])


def test_gm11():
    a, b, fitted, forecast = gm11(D, 2)
    np.testing.assert_allclose([a, b], [-0.034120, 0.351063], atol=1e-6)
    np.testing.assert_allclose(forecast, [0.438235, 0.453446], atol=1e-6)
    assert fitted.shape == D.shape and fitted[0] == D[0]
    np.testing.assert_allclose(fitted, D, rtol=0.01)


def test_gm11_keeps_years():
    model = gm11(pd.Series(D, index=pd.RangeIndex(2015, 2021, name="year"), name="D"), 2)
    assert model.fitted.index.tolist() == list(range(2015, 2021))
    assert model.forecast.index.tolist() == [2021, 2022]
    np.testing.assert_allclose(model.forecast, gm11(D, 2).forecast)


def test_gm11_of_a_constant_series_is_constant():
    model = gm11([0.4] * 5, 3)
    np.testing.assert_allclose(model.fitted, 0.4)
    np.testing.assert_allclose(model.forecast, 0.4)


def test_gm11_refuses_jumps_and_short_or_non_positive_series():
    jumpy = pd.Series([0.2, 0.21, 0.4, 0.42], index=pd.RangeIndex(2017, 2021, name="year"))
    with pytest.raises(TandemError, match=r"year 2019\) is 0.4: it jumps too far"):
        gm11(jumpy, 1)
    bound = np.exp(2 / 5)
    assert len(gm11(np.cumprod([1, bound - 1e-6, 1, 1]), 1).forecast) == 1
    with pytest.raises(TandemError, match="jumps too far"):
        gm11(np.cumprod([1, bound + 1e-6, 1, 1]), 1)
    with pytest.raises(TandemError, match="at least four periods, not 3"):
        gm11([0.2, 0.21, 0.22], 1)
    with pytest.raises(TandemError, match="above 0"):
        gm11([0.0, 0.2, 0.3, 0.4], 1)


X = np.array([0.2, 0.3, 0.6, 0.7])
LINE = np.array([[0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 1], [0, 0, 1, 0]])
ROWS = LINE / LINE.sum(axis=1, keepdims=True)


def test_moran():
    statistic, expected = moran(X, LINE)
    assert statistic == pytest.approx(0.411765, abs=1e-6)
    assert expected == pytest.approx(-1 / 3)
    assert moran(X, ROWS)[0] == pytest.approx(0.529412, abs=1e-6)


def test_moran_of_several_years():
    statistic, _ = moran(np.stack([X, X[[0, 2, 1, 3]]]), ROWS)
    assert statistic.shape == (2,)
    assert statistic[1] == pytest.approx(moran(X[[0, 2, 1, 3]], ROWS)[0])


def test_moran_refuses():
    with pytest.raises(TandemError, match="same value"):
        moran(np.ones(4), LINE)
    for weights in (np.eye(4), np.zeros((4, 4)), -LINE, LINE[:3]):
        with pytest.raises(TandemError, match="4 x 4"):
            moran(X, weights)


def test_obstacle():
    found = obstacle(np.array([0.8, 0.5, 0.2]), np.array([0.5, 0.3, 0.2]))
    np.testing.assert_allclose(found, [0.243902, 0.365854, 0.390244], atol=1e-6)
    assert obstacle(np.ones(3), np.array([0.5, 0.3, 0.2])).tolist() == [0, 0, 0]


def test_obstacle_of_a_panel():
    z = pd.DataFrame({"a": [0.8, 1, np.nan], "b": [0.5, 1, 0.5], "c": [0.2, 1, 0.2]})
    found = obstacle(z, pd.Series({"c": 0.2, "a": 0.5, "b": 0.3}))
    np.testing.assert_allclose(found.iloc[0], [0.243902, 0.365854, 0.390244], atol=1e-6)
    assert found.iloc[1].tolist() == [0, 0, 0]
    assert found.iloc[2].isna().all()


def test_obstacle_refuses():
    with pytest.raises(TandemError, match=r"a \(row 0\) is 1.2"):
        obstacle(pd.DataFrame({"a": [1.2]}), [1.0])
    with pytest.raises(TandemError, match="give each indicator a weight"):
        obstacle(pd.DataFrame({"a": [0.2], "b": [0.3]}), pd.Series({"a": 1.0}))
