import numpy as np
import pandas as pd
import pytest
from statsmodels.tsa.api import VAR
from statsmodels.tsa.ardl import UECM

from tandem.econometrics import joint_links, romano_wolf, toda_yamamoto
from tandem.econometrics.long_causality import under_null
from tandem.errors import TandemError


def walks(seed, t=40, link=0.0):
    rng = np.random.default_rng(seed)
    steps = rng.normal(size=(t, 2)) @ [[1.0, 0.5], [0.0, 1.0]]
    steps[1:, 1] += link * steps[:-1, 0]
    return pd.DataFrame(steps.cumsum(axis=0), index=range(1950, 1950 + t), columns=["a", "b"])


def test_estimates_are_those_of_the_regressions_named():
    data = walks(1, link=0.4)
    table, _ = joint_links(data, lags=2, draws=9)
    rows = table.set_index(["cause", "effect", "method"])
    var = VAR(data.diff().iloc[1:].to_numpy()).fit(2, trend="c")
    both = var.params[[1, 3], 1].sum()  # lags 1 and 2 of a in the equation of b
    assert rows.loc[("a", "b", "VAR"), "estimate"] == pytest.approx(both)
    assert rows.loc[("a", "b", "VAR"), "df"] == var.df_resid
    levels = toda_yamamoto(data, "a", "b", 1, 1, draws=0)
    mine = rows.loc[("a", "b", "Toda-Yamamoto")]
    assert mine["estimate"] == pytest.approx(levels.estimate)
    assert mine["std_error"] == pytest.approx(levels.std_error)
    plain = data.reset_index(drop=True)
    ardl = UECM(plain["b"], 1, plain[["a"]], 1, trend="c").fit()
    mine = rows.loc[("a", "b", "ARDL")]
    assert mine["estimate"] == pytest.approx(ardl.params["a.L1"])
    # statsmodels takes n - k here too
    assert mine["std_error"] == pytest.approx(ardl.bse["a.L1"], rel=1e-6)


def test_a_var_of_levels_is_fitted_to_levels():
    data = walks(2)
    rows = joint_links(data, differenced=False, draws=9)[0].set_index(["cause", "effect", "method"])
    var = VAR(data.to_numpy()).fit(1, trend="c")
    assert rows.loc[("b", "a", "VAR"), "estimate"] == pytest.approx(var.params[2, 0])


def test_p_values_of_all_together_keep_the_size_with_twenty_years():
    least = []
    for seed in range(200):
        table, drawn = joint_links(walks(seed, t=20), draws=99, seed=seed)
        least.append(romano_wolf(table["estimate"] / table["std_error"], drawn).min())
    assert 0.01 <= np.mean(np.array(least) <= 0.05) <= 0.1


def test_a_link_is_found_one_way():
    table, drawn = joint_links(walks(3, t=80, link=1.0), draws=199)
    p = table.assign(p=romano_wolf(table["estimate"] / table["std_error"], drawn))
    found = p.set_index(["cause", "effect", "method"])["p"]
    assert found[("a", "b", "VAR")] <= 0.01
    assert found[("b", "a", "VAR")] > 0.05


def test_units_do_not_matter_and_the_seed_alone_decides():
    data = walks(4)
    one, drawn = joint_links(data, draws=19)
    other, again = joint_links(data * [1024.0, 0.5], draws=19)
    unit = np.where(one["cause"] == "a", 0.5 / 1024, 1024 / 0.5)
    assert other["estimate"].to_numpy() == pytest.approx(one["estimate"].to_numpy() * unit)
    assert again == pytest.approx(drawn)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda d: joint_links(d.iloc[:8]), "8 years are too few .* needs 9"),
        (lambda d: joint_links(d, lags=0), "at least one lag"),
        (lambda d: joint_links(d.drop(1960)), "consecutive years"),
    ],
)
def test_bad_input_is_refused_in_words(call, words):
    with pytest.raises(TandemError, match=words):
        call(walks(5))


@pytest.mark.parametrize("differenced", [True, False])
@pytest.mark.parametrize("lags", [1, 2])
def test_ratios_under_no_link_are_those_of_resamples_from_own_pasts(differenced, lags):
    data = walks(6, t=30, link=0.3)
    data["c"] = np.random.default_rng(1).normal(size=30).cumsum()
    table, drawn = joint_links(data, differenced, lags, draws=4, seed=3)
    values = data.to_numpy() / data.std(ddof=0).to_numpy()
    moved = np.diff(values, axis=0) if differenced else values
    own = [[0, *(1 + 3 * j + i for j in range(lags))] for i in range(3)]
    built = under_null(moved, own, lags, 4, np.random.default_rng(3))
    for ratios, path in zip(drawn, built, strict=True):
        levels = np.vstack([values[:1], path]).cumsum(axis=0) if differenced else path
        again, _ = joint_links(pd.DataFrame(levels, data.index), differenced, lags, draws=1)
        assert ratios == pytest.approx((again["estimate"] / again["std_error"]).to_numpy())
    pairs = list(zip(table["cause"], table["effect"], strict=True))
    assert pairs[::3] == [(c, e) for c in "abc" for e in "abc" if c != e]
    assert table["method"].tolist() == ["VAR", "Toda-Yamamoto", "ARDL"] * 6


@pytest.mark.parametrize(("k", "lags", "least"), [(2, 1, 9), (2, 3, 13), (3, 1, 11), (3, 3, 16)])
@pytest.mark.parametrize("differenced", [True, False])
def test_the_least_years_leave_each_regression_two_degrees(k, lags, least, differenced):
    """The largest of: lags of all, two lags of all, seven; and two years more."""
    data = pd.DataFrame(
        np.random.default_rng(7).normal(size=(40, k)), range(40), list("abc")[:k]
    ).cumsum()
    needed = max(1 + k * lags + lags + differenced, 2 * k + 3, 7) + 2
    assert needed == least - (not differenced and needed < least)
    table, _ = joint_links(data.iloc[:needed], differenced, lags, draws=2)
    assert (table["df"] >= 2).all() and (table.loc[table["method"] != "ARDL", "df"] == 2).any()
    with pytest.raises(TandemError, match=f"{needed - 1} years are too few .* needs {needed}"):
        joint_links(data.iloc[: needed - 1], differenced, lags, draws=2)


def test_what_is_not_given_is_said():
    data = walks(8)
    for one, other in zip(joint_links(data), joint_links(data, True, 1, 999, 1), strict=True):
        assert np.array_equal(one, other)
    assert not np.array_equal(joint_links(data)[1], joint_links(data, seed=2)[1])
