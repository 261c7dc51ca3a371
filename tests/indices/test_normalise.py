import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm, rankdata

from tandem.errors import TandemError
from tandem.indices import (
    NORMALISATIONS,
    goalposts,
    minmax_within_years,
    normal_score,
    normalise,
    outside,
    percentile,
)

INDEX = pd.MultiIndex.from_product([["A", "B", "C"], [2015, 2016, 2017]], names=["entity", "year"])
RAW = pd.DataFrame(
    {
        "x1": [1, 1.2, 1.5, 2, 2.1, 2.4, 0.5, 0.6, 0.8],
        "x2": [10, 14, 20, 30, 33, 41, 5, 6, 9],
        "x3": [50, 48, 45, 40, 38, 33, 60, 59, 55],
    },
    index=INDEX,
)
DIRECTIONS = {"x1": "+", "x2": "+", "x3": "-"}


def test_goalposts_are_pooled_over_entities_and_years():
    posts = goalposts(RAW, DIRECTIONS)
    assert posts["direction"].to_dict() == DIRECTIONS
    assert posts["minimum"].to_dict() == {"x1": 0.5, "x2": 5, "x3": 33}
    assert posts["maximum"].to_dict() == {"x1": 2.4, "x2": 41, "x3": 60}


def test_normalise_reverses_cost_indicators():
    z = normalise(RAW, goalposts(RAW, DIRECTIONS))
    assert z.index.equals(RAW.index) and list(z) == ["x1", "x2", "x3"]
    np.testing.assert_allclose(z.loc[("B", 2017)], 1)
    np.testing.assert_allclose(z.loc[("C", 2015)], 0)
    np.testing.assert_allclose(z.loc[("A", 2015)], [0.5 / 1.9, 5 / 36, 10 / 27])


def test_optimum_is_best_and_the_farther_goalpost_worst():
    x = pd.DataFrame({"rate": [1.0, 4.0, 5.0, 6.0]})
    posts = goalposts(x, {"rate": 5})
    assert posts.loc["rate", "direction"] == "optimum" and posts.loc["rate", "optimum"] == 5
    np.testing.assert_allclose(normalise(x, posts)["rate"], [0, 0.75, 1, 0.75])


def test_new_year_keeps_old_scores_and_is_clipped_and_flagged():
    posts = goalposts(RAW, DIRECTIONS)
    new = pd.DataFrame(
        {"x1": [3.0], "x2": [41], "x3": [70]},
        index=pd.MultiIndex.from_tuples([("A", 2018)], names=["entity", "year"]),
    )
    longer = pd.concat([RAW, new])
    z = normalise(longer, posts)
    pd.testing.assert_frame_equal(z.loc[RAW.index], normalise(RAW, posts))
    assert z.loc[("A", 2018)].tolist() == [1, 1, 0]
    assert outside(longer, posts).loc[("A", 2018)].tolist() == [True, False, True]
    assert not outside(RAW, posts).any(axis=None)


def test_stored_goalposts_survive_csv(tmp_path):
    posts = goalposts(RAW, DIRECTIONS)
    posts.to_csv(tmp_path / "goalposts.csv")
    stored = pd.read_csv(tmp_path / "goalposts.csv", index_col="indicator")
    pd.testing.assert_frame_equal(normalise(RAW, stored), normalise(RAW, posts))


def test_constant_indicator_is_left_out_with_a_warning():
    x = RAW.assign(flat=3.0, nearly=0.3)
    x.loc[("A", 2015), "nearly"] = 0.1 + 0.2
    with pytest.warns(UserWarning) as caught:
        posts = goalposts(x, DIRECTIONS | {"flat": "+", "nearly": "+"})
    assert [str(w.message).split()[1] for w in caught] == ["flat", "nearly"]
    assert list(posts.index) == ["x1", "x2", "x3"]
    assert list(normalise(x, posts)) == ["x1", "x2", "x3"]


def test_missing_stays_missing_and_is_never_zero():
    x = RAW.astype(float)
    x.loc[("C", 2016), "x2"] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        posts = goalposts(x, DIRECTIONS)
        z = normalise(x, posts)
    assert np.isnan(z.loc[("C", 2016), "x2"]) and z.isna().sum().sum() == 1
    assert not outside(x, posts).loc[("C", 2016), "x2"]


@pytest.mark.parametrize(
    ("value", "words"),
    [(np.inf, "finite"), ("n/a", "is n/a"), ("3.5", "give a number")],
)
def test_text_and_infinity_name_the_cell(value, words):
    x = RAW.astype(object)
    x.loc[("B", 2016), "x2"] = value
    with pytest.raises(TandemError, match=r"x2 \(entity B, year 2016\)") as error:
        goalposts(x, DIRECTIONS)
    assert words in str(error.value)
    with pytest.raises(TandemError, match=r"x2 \(entity B, year 2016\)"):
        normalise(x, goalposts(RAW, DIRECTIONS))


def test_nullable_columns_are_read():
    x = RAW.astype("Float64")
    x.loc[("B", 2016), "x2"] = pd.NA
    assert normalise(x, goalposts(x, DIRECTIONS))["x2"].isna().sum() == 1


@pytest.mark.parametrize("direction", ["up", None, np.nan, True])
def test_unknown_direction(direction):
    with pytest.raises(TandemError, match="x3 has the direction"):
        goalposts(RAW, DIRECTIONS | {"x3": direction})


def test_missing_direction_column_and_data():
    with pytest.raises(TandemError, match="x3 has no direction"):
        goalposts(RAW, {"x1": "+", "x2": "+"})
    with pytest.raises(TandemError, match="x2 has goalposts but no column"):
        normalise(RAW.drop(columns="x2"), goalposts(RAW, DIRECTIONS))
    with pytest.raises(TandemError, match="x1 has no value"):
        goalposts(RAW.assign(x1=np.nan), DIRECTIONS)


def test_ratio_to_the_largest():
    z = NORMALISATIONS["ratio"](RAW, DIRECTIONS)
    np.testing.assert_allclose(z["x1"], RAW["x1"] / 2.4)
    np.testing.assert_allclose(z["x3"], 1 - RAW["x3"] / 60)
    none = NORMALISATIONS["ratio"](RAW.assign(x1=RAW["x1"].where(RAW["x1"] > 1.5, 0)), DIRECTIONS)
    assert none["x1"].min() == 0 and none["x1"].max() == 1
    with pytest.raises(TandemError, match=r"x1 \(entity A, year 2015\) is -39"):
        goalposts(RAW - 40, DIRECTIONS, "ratio")
    with pytest.raises(TandemError, match="not 'maximum'"):
        goalposts(RAW, DIRECTIONS, "maximum")


def test_winsorised_goalposts_are_the_1_and_99_percent_quantiles():
    x = pd.DataFrame({"a": [*range(101)], "b": [0.0] * 100 + [1.0]})
    with pytest.warns(UserWarning, match="b is 0.0 from its 1 to its 99 % quantile") as caught:
        posts = goalposts(x, {"a": "+", "b": "+"}, "winsorised")
    assert caught[0].filename == __file__
    assert posts.loc["a", ["minimum", "maximum"]].tolist() == [1, 99]
    z = normalise(x, posts)["a"]
    assert z.iloc[[0, 1, 50, 99, 100]].tolist() == [0, 0, 0.5, 1, 1]


def test_percentile_against_scipy():
    x = RAW.assign(x2=[10, 10, 20, 30, 33, 41, 5, 5, 5])
    z = percentile(x, DIRECTIONS)
    np.testing.assert_allclose(z["x2"], (rankdata(x["x2"]) - 1) / 8)
    np.testing.assert_allclose(z["x3"], (9 - rankdata(x["x3"])) / 8)


def test_normal_score_against_scipy():
    z = normal_score(RAW, DIRECTIONS)
    x3 = RAW["x3"]
    np.testing.assert_allclose(z["x1"], norm.cdf(RAW["x1"], RAW["x1"].mean(), RAW["x1"].std()))
    np.testing.assert_allclose(z["x3"], norm.sf(x3, x3.mean(), x3.std()))


@pytest.mark.parametrize("name", NORMALISATIONS)
def test_every_normalisation_treats_optimum_missing_and_constant_alike(name):
    x = pd.DataFrame({"a": [1.0, 4, 5, 6, np.nan], "flat": 2.0})
    with pytest.warns(UserWarning, match="flat is 2.0 everywhere"):
        z = NORMALISATIONS[name](x, {"a": 5, "flat": "+"})
    assert list(z) == ["a"] and np.isnan(z["a"].iloc[4])
    a = z["a"].to_numpy()
    assert a[2] == a[:4].max() and a[0] == a[:4].min() and a[1] == pytest.approx(a[3])


@pytest.mark.parametrize("name", NORMALISATIONS)
@settings(derandomize=True, deadline=None)
@given(seed=st.integers(0, 99), factor=st.floats(0.01, 100))
def test_order_and_units_do_not_matter(name, seed, factor):
    rng = np.random.default_rng(seed)
    x = pd.DataFrame(rng.random((9, 3)), INDEX, list(DIRECTIONS))
    z = NORMALISATIONS[name](x, DIRECTIONS)
    assert ((z >= 0) & (z <= 1)).all(axis=None)
    turned = (factor * x).sample(frac=1, random_state=seed)[["x3", "x1", "x2"]]
    again = NORMALISATIONS[name](turned, DIRECTIONS).reindex(x.index)[list(x)]
    np.testing.assert_allclose(again, z, atol=1e-9)
    more = x["x1"].rank().astype(int)
    rising = z["x1"].to_numpy()[np.argsort(more)]
    falling = z["x3"].to_numpy()[np.argsort(x["x3"])]
    assert (np.diff(rising) >= 0).all() and (np.diff(falling) <= 0).all()


def test_within_years_the_best_and_worst_are_always_the_same():
    with pytest.raises(TandemError, match="cannot be compared over time .*OECD/JRC"):
        minmax_within_years(RAW, DIRECTIONS, compare="years")
    z = minmax_within_years(RAW.iloc[::-1], DIRECTIONS, compare="entities")
    assert "never years" in z.attrs["note"]
    assert z.index.equals(RAW.index[::-1])
    assert (z.loc["B"] == 1).all(axis=None) and (z.loc["C"] == 0).all(axis=None)
    np.testing.assert_allclose(z.loc[("A", 2015)], [0.5 / 1.5, 5 / 25, 10 / 20])


def test_within_years_an_indicator_must_vary_in_every_year():
    x = RAW.copy()
    x.loc[(slice(None), 2016), "x2"] = 7
    with pytest.raises(TandemError, match="x2 is the same for all entities in 2016"):
        minmax_within_years(x, DIRECTIONS, compare="entities")
