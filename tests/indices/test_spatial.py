"""Neighbours and Moran's I; expected numbers of libpysal 4.14.1 and esda 2.8.2, computed once."""

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tandem.errors import TandemError
from tandem.indices import (
    border_steps,
    contiguity_weights,
    local_moran,
    moran,
    moran_test,
    nearness,
    read_contiguity,
    row_standardise,
    spatial_lag,
)
from tandem.sources.regions import PROVINCES

TABLE = Path(__file__).parents[2] / "data" / "contiguity.csv"
X = np.array([0.2, 0.3, 0.6, 0.7])
LINE = np.array([[0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 1], [0, 0, 1, 0]])
ROWS = LINE / LINE.sum(axis=1, keepdims=True)


@pytest.fixture(scope="module")
def pairs():
    return read_contiguity(TABLE)


def test_contiguity_names_all_provinces_by_their_codes(pairs):
    codes = dict(zip(pairs["code_a"], pairs["province_a"], strict=True))
    codes |= dict(zip(pairs["code_b"], pairs["province_b"], strict=True))
    assert codes == PROVINCES
    assert (pairs["by"] == "land").sum() == 68
    sea = pairs.loc[pairs["by"] == "strait", ["province_a", "province_b"]]
    assert sea.to_numpy().tolist() == [["Guangdong", "Hainan"]]


def test_provinces_have_the_neighbours_of_the_map(pairs):
    weights = contiguity_weights(pairs, sorted(PROVINCES.values()))
    np.testing.assert_array_equal(weights, weights.T)
    assert np.diag(weights).sum() == 0
    assert weights.to_numpy().sum() == 2 * 69
    around = {name: sorted(row.index[row == 1]) for name, row in weights.iterrows()}
    assert around["Beijing"] == ["Hebei", "Tianjin"]
    assert around["Shanghai"] == ["Jiangsu", "Zhejiang"]
    assert around["Hainan"] == ["Guangdong"]
    assert around["Chongqing"] == ["Guizhou", "Hubei", "Hunan", "Shaanxi", "Sichuan"]
    assert len(around["Inner Mongolia"]) == len(around["Shaanxi"]) == 8
    # One piece of land: everyone is reached from Beijing.
    reach = np.linalg.matrix_power(np.eye(31) + weights.to_numpy(), 30)
    assert (reach > 0).all()


def test_contiguity_of_some_entities(pairs):
    order = ["Tianjin", "Hebei", "Beijing", "Henan"]
    weights = contiguity_weights(pairs, order)
    assert weights.index.tolist() == weights.columns.tolist() == order
    expected = [[0, 1, 1, 0], [1, 0, 1, 1], [1, 1, 0, 0], [0, 1, 0, 0]]
    np.testing.assert_array_equal(weights, expected)
    np.testing.assert_allclose(row_standardise(weights).loc["Hebei"], [1 / 3, 0, 1 / 3, 1 / 3])


def test_islands_are_refused_not_dropped(pairs):
    land = pairs[pairs["by"] == "land"]
    with pytest.raises(TandemError, match="Hainan has no neighbour"):
        contiguity_weights(land, PROVINCES.values())
    assert len(contiguity_weights(land, [p for p in PROVINCES.values() if p != "Hainan"])) == 30
    with pytest.raises(TandemError, match="Beijing is asked for twice"):
        contiguity_weights(pairs, ["Beijing", "Tianjin", "Beijing"])
    with pytest.raises(TandemError, match="A has no neighbour"):
        row_standardise(pd.DataFrame(np.zeros((2, 2)), list("AB"), list("AB")))
    with pytest.raises(TandemError, match="below 0"):
        row_standardise(pd.DataFrame([[0, -1.0], [1, 0]], list("AB"), list("AB")))


@pytest.mark.parametrize(
    ("lines", "match"),
    [
        (["a,b,A,B,land", "a,b,A,B,land"], "A and B twice"),
        (["b,a,B,A,land"], "smaller code first"),
        (["a,b,A,B,sea"], "meets by 'sea'"),
        (["a,b,,B,land"], r"line 2 \(, B\) has an empty cell"),
        (["a,b,A,B,land", "b,c,X,C,land"], "calls b X, a line above B"),
    ],
)
def test_contiguity_table_is_checked(tmp_path, lines, match):
    path = tmp_path / "pairs.csv"
    path.write_text("\n".join(["code_a,code_b,province_a,province_b,by", *lines]))
    with pytest.raises(TandemError, match=match):
        read_contiguity(path)


def test_contiguity_table_needs_its_columns(tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_text("code_a,code_b\n")
    with pytest.raises(TandemError, match="no column province_a"):
        read_contiguity(path)


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


# A four by four board, places with a common edge are neighbours.
NAMES = [f"{row}{column}" for row in "abcd" for column in "1234"]
VALUES = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 4]


def board():
    place = np.array([divmod(i, 4) for i in range(16)])
    near = np.abs(place[:, None] - place).sum(axis=2) == 1
    return pd.DataFrame(near.astype(float), NAMES, NAMES)


def year_of(values, names=NAMES, year=2000):
    index = pd.MultiIndex.from_product([names, [year]], names=["entity", "year"])
    return pd.Series(np.asarray(values, dtype=float), index, name="D")


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        (
            board(),
            [-0.0957387935805202, 0.03259259259259259, 0.03477383394156663, -0.1559015804765],
        ),
        (
            row_standardise(board()),
            [-0.038138719793396066, 0.03483932461873638, 0.037232074205133914, 0.14784679054294],
        ),
    ],
)
def test_moran_moments_equal_those_of_esda(weights, expected):
    found = moran_test(year_of(VALUES), weights, 999, 1).loc[2000]
    columns = ["statistic", "variance_normal", "variance", "z"]
    np.testing.assert_allclose(found[columns], expected, rtol=1e-11)
    # esda's z under randomisation has p = 0.8761 and 0.8825.
    assert found["p_value"] == pytest.approx(
        {-1: 0.876111, 1: 0.882464}[np.sign(expected[3])], abs=1e-6
    )
    assert found["p_permutation"] == pytest.approx(found["p_value"], abs=0.05)


def test_permutation_p_value_is_that_of_all_orders():
    every = moran(np.array(list(itertools.permutations(X))), ROWS)[0] + 1 / 3
    seen = abs(moran(X, ROWS)[0] + 1 / 3)
    exact = (np.abs(every) >= seen - 1e-12).mean()
    weights = pd.DataFrame(ROWS, list("wxyz"), list("wxyz"))
    found = moran_test(year_of(X, list("wxyz")), weights, 9999, 1)["p_permutation"].item()
    assert found == pytest.approx(exact, abs=0.02)
    assert 0 < exact < 0.5


@pytest.fixture(scope="module")
def trend():
    """Two years; the second falls steadily from north to south."""
    north = np.repeat([4.0, 3, 2, 1], 4) + np.tile([0, 0.1, 0.3, 0.2], 4)
    return pd.concat([year_of(VALUES), year_of(north, year=2001)]).sort_index()


def test_a_steady_slope_is_correlated_and_clustered(trend):
    weights = row_standardise(board())
    found = moran_test(trend, weights, 999, 7)
    assert found.index.tolist() == [2000, 2001]
    assert found.loc[2001, "statistic"] > 0.6
    assert found.loc[2001, "p_permutation"] == 1 / 1000
    local = local_moran(trend, weights, 999, 7).xs(2001, level="year")
    assert (local.loc[["a1", "a2", "a3", "a4"], "quadrant"] == "high-high").all()
    assert (local.loc[["d1", "d2", "d3", "d4"], "quadrant"] == "low-low").all()
    assert local.loc["a4", "p_value"] < 0.1 < local.loc["c2", "p_value"]
    assert (local["q_value"] >= local["p_value"]).all()


def test_local_moran_equals_esda_and_sums_to_the_global():
    weights = row_standardise(board())
    found = local_moran(year_of(VALUES), weights, 9999, 1)
    # fmt: off
    esda = [
        0.56499032, -0.14613309, 0.52625208, 0.03372302, -0.00501522, -1.20935944, -0.38132955,
        -0.17380327, -0.00501522, -0.39378113, -0.00363171, -0.02438434, 0.49028085, 0.4985819,
        0.14163669, -0.4850927,
    ]
    # fmt: on
    np.testing.assert_allclose(found["statistic"] * 15 / 16, esda, atol=1e-8)
    quadrants = ["high-high", "low-high", "low-low", "high-low"]
    places = [3, 2, 3, 3, 2, 4, 2, 4, 2, 2, 2, 4, 1, 1, 1, 2]
    assert found["quadrant"].tolist() == [quadrants[q - 1] for q in places]
    assert found["statistic"].sum() == pytest.approx(16 * moran(VALUES, weights)[0])


def test_local_p_values_are_those_of_all_choices_of_neighbours():
    found = local_moran(year_of(VALUES), row_standardise(board()), 9999, 1)["p_value"]
    values, near = np.array(VALUES), board().to_numpy() > 0
    exact = []
    for i in range(16):
        others, k = np.delete(values, i), near[i].sum()
        chance = np.array([sum(chosen) for chosen in itertools.combinations(others, k)])
        seen = values[near[i]].sum()
        exact.append(min(1, 2 * min((chance >= seen).mean(), (chance <= seen).mean())))
    np.testing.assert_allclose(found, exact, atol=0.03)
    assert min(exact) < 0.01


def test_neither_rows_nor_units_nor_other_years_matter(trend):
    weights = row_standardise(board())
    other = weights.sample(frac=1, random_state=1).sample(frac=1, axis=1, random_state=2)
    shuffled = trend.sample(frac=1, random_state=3)
    found = moran_test(trend, weights, 199, 5)
    pd.testing.assert_frame_equal(moran_test(shuffled * 100 + 7, other, 199, 5), found)
    alone = moran_test(trend.xs(2001, level="year", drop_level=False), weights, 199, 5)
    pd.testing.assert_frame_equal(alone, found.loc[[2001]])
    local = local_moran(trend, weights, 199, 5)
    turned = local_moran(shuffled * 100 + 7, other, 199, 5)
    assert turned.index.equals(shuffled.index)
    pd.testing.assert_frame_equal(turned.loc[local.index], local)
    assert not moran_test(trend, weights, 199, 6).equals(found)


def test_spatial_lag_is_the_mean_of_the_neighbours():
    index = pd.MultiIndex.from_product([list("wxyz"), [2000, 2001]], names=["entity", "year"])
    x = pd.Series(np.column_stack([X, 10 * X]).ravel(), index, name="D")
    weights = pd.DataFrame(ROWS, list("wxyz"), list("wxyz"))
    lag = spatial_lag(x[::-1], weights.iloc[::-1])
    assert lag.index.equals(index[::-1]) and lag.name == "D"
    np.testing.assert_allclose(lag.xs(2000, level="year")[list("wxyz")], [0.3, 0.4, 0.5, 0.6])
    np.testing.assert_allclose(lag.xs(2001, level="year")[list("wxyz")], [3, 4, 5, 6])


def test_spatial_measures_refuse(trend):
    weights = board()
    with pytest.raises(TandemError, match=r"a2 \(year 2001\) is missing"):
        spatial_lag(trend.drop(("a2", 2001)), weights)
    with pytest.raises(TandemError, match="lack a1"):
        moran_test(trend, weights.drop("a1"), 9, 1)
    with pytest.raises(TandemError, match="same value in 2000"):
        moran_test(year_of(np.ones(16)), weights, 9, 1)
    three = pd.DataFrame(LINE[:3, :3], list("xyz"), list("xyz"))
    with pytest.raises(TandemError, match="at least four entities, not 3"):
        moran_test(year_of([1, 2, 4], list("xyz")), three, 9, 1)


def test_border_steps_count_the_borders_between():
    names = list("abcd")
    pairs = pd.DataFrame({"province_a": ["a", "b"], "province_b": ["b", "c"]})
    W = contiguity_weights(pairs, names[:3]).reindex(names, fill_value=0.0)
    W["d"] = 0.0
    found = border_steps(W[names])
    assert found.loc["a"].tolist() == [0, 1, 1 / 4, 0]  # d is beyond every chain
    assert (found == found.T).all().all()


def test_nearness_is_one_over_the_difference():
    found = nearness(pd.Series([1.0, 3.0, 7.0], index=list("abc")))
    assert found.loc["a"].tolist() == [0, 1 / 2, 1 / 6]
    with pytest.raises(TandemError, match="c has no value"):
        nearness(pd.Series([1.0, 3.0, None], index=list("abc")))
    with pytest.raises(TandemError, match="b has the value of another"):
        nearness(pd.Series([1.0, 1.0, 2.0], index=list("abc")))
