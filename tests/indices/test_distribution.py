import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import trapezoid
from scipy.stats import norm

from tandem.errors import TandemError
from tandem.indices import dagum, kernel_density, obstacle, theil_decomposition

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


def test_theil_by_hand():
    # Mean 2; x/mean 0.5, 1.5 and 0, 2.
    found = theil_decomposition([[1.0, 3.0], [0.0, 4.0]])
    within = (4 * (0.25 * np.log(0.5) + 0.75 * np.log(1.5)) + 4 * np.log(2)) / 8
    np.testing.assert_allclose(found, [within, within, 0], atol=1e-15)
    found = theil_decomposition({"poor": [1.0, 1.0], "rich": [3.0]})
    between = (2 * np.log(0.6) + 3 * np.log(1.8)) / 5
    np.testing.assert_allclose(found, [between, 0, between], atol=1e-15)


@given(st.lists(st.lists(st.integers(0, 1000), min_size=1, max_size=6), min_size=1, max_size=4))
def test_theil_sums_up_and_is_bounded(groups):
    groups = [[*g, 1] for g in groups]
    found = theil_decomposition(groups)
    n = sum(len(g) for g in groups)
    assert found.within + found.between == pytest.approx(found.total, abs=1e-12)
    assert -1e-12 <= min(found.within, found.between) and found.total <= np.log(n) + 1e-12


@pytest.mark.parametrize("measure", [dagum, theil_decomposition])
def test_inequality_does_not_depend_on_order_or_units(measure):
    turned = [[1000 * value for value in group[::-1]] for group in GROUPS[::-1]]
    np.testing.assert_allclose(measure(turned), measure(GROUPS), rtol=1e-12)


def test_theil_refuses():
    with pytest.raises(TandemError, match="All values are 0, so the Theil index"):
        theil_decomposition([[0.0], [0.0]])
    with pytest.raises(TandemError, match="empty group for the Theil index"):
        theil_decomposition([])
    with pytest.raises(TandemError, match="is missing"):
        theil_decomposition([[0.1, np.nan]])


@pytest.fixture(scope="module")
def scores():
    rng = np.random.default_rng(np.random.SeedSequence(1))
    index = pd.MultiIndex.from_product([range(30), [2000, 2001, 2002]], names=["entity", "year"])
    return pd.Series(rng.beta([0.5, 2, 6], [0.5, 3, 2], (30, 3)).ravel(), index, name="D")


def test_density_integrates_to_one(scores):
    density, bandwidth = kernel_density(scores)
    assert density.columns.tolist() == bandwidth.index.tolist() == [2000, 2001, 2002]
    np.testing.assert_allclose(trapezoid(density, density.index, axis=0), 1, atol=1e-4)
    assert (density >= 0).all(axis=None)
    spread = scores.groupby("year").std() * 30**-0.2
    np.testing.assert_allclose(bandwidth, spread)


def test_density_of_two_scores_by_hand():
    index = pd.MultiIndex.from_tuples([("A", 2000), ("B", 2000)], names=["entity", "year"])
    found = kernel_density(pd.Series([0.3, 0.9], index), points=3)
    h = np.sqrt(0.18) * 2**-0.2
    assert found.bandwidth[2000] == pytest.approx(h)
    for point in (0, 0.5, 1):
        images = [2 * k + side * x for k in range(-9, 10) for side in (1, -1) for x in (0.3, 0.9)]
        expected = norm.pdf(point, images, h).sum() / 2
        assert found.density.loc[point, 2000] == pytest.approx(expected, rel=1e-6)


def test_density_does_not_depend_on_the_order_of_rows(scores):
    turned = kernel_density(scores.sample(frac=1, random_state=1))
    pd.testing.assert_frame_equal(turned.density, kernel_density(scores).density, check_exact=True)


def test_density_refuses(scores):
    for wrong in (1.5, -0.5):
        with pytest.raises(TandemError, match=rf"D \(entity 0, year 2000\) is {wrong}: normalise"):
            kernel_density(scores.where(scores.index != (0, 2000), wrong))
    with pytest.raises(TandemError, match="is missing"):
        kernel_density(scores.where(scores.index != (3, 2001)))
    with pytest.raises(TandemError, match="All scores of 2000 are the same"):
        kernel_density(scores * 0 + 0.5)


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


def test_obstacles_do_not_depend_on_rows_columns_or_the_scale_of_weights():
    rng = np.random.default_rng(np.random.SeedSequence(5))
    z = pd.DataFrame(rng.random((6, 3)), columns=list("abc"))
    w = pd.Series([0.2, 0.5, 0.3], list("abc"))
    found = obstacle(z, w)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    pd.testing.assert_frame_equal(obstacle(z.iloc[::-1, ::-1], 10 * w).iloc[::-1, ::-1], found)


@pytest.mark.parametrize("value", [-0.01, -0.5, 1.01, 1.9])
def test_obstacle_refuses_what_is_not_between_0_and_1(value):
    with pytest.raises(TandemError, match=f"a .row 0. is {value}"):
        obstacle(pd.DataFrame({"a": [value], "b": [0.5]}), [1.0, 1.0])
    np.testing.assert_allclose(obstacle(np.array([0.0, 1.0]), [1.0, 1.0]), [1, 0])
