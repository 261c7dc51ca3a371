"""Groups, leave-one-out, windows, winsorising, placebo: each against the plain regression."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tandem.econometrics.heterogeneity import (
    compare_groups,
    leave_one_out,
    placebo,
    windows,
    winsorise,
)
from tandem.econometrics.static import panel_regression
from tandem.econometrics.within_blocks import within_blocks
from tandem.errors import TandemError

N, T = 30, 9


def made_up(slopes, gaps=0, seed=1):
    rng = np.random.default_rng(seed)
    index = pd.MultiIndex.from_product(
        [[f"e{i:02d}" for i in range(N)], range(2001, 2001 + T)], names=["entity", "year"]
    )
    entity, year = np.repeat(rng.normal(size=N), T), np.tile(rng.normal(size=T), N)
    x = pd.DataFrame(rng.normal(size=(N * T, 2)) + entity[:, None], index, ["x", "z"])
    y = np.repeat(slopes, T) * x["x"] + x["z"] + 2 * entity + year + rng.normal(size=N * T)
    kept = np.sort(rng.permutation(N * T)[gaps:])
    return y.rename("y").iloc[kept], x.iloc[kept]


HALVES = pd.Series({f"e{i:02d}": "first" if i < 12 else "second" for i in range(N)})


@pytest.mark.parametrize("gaps", [0, 20])
@pytest.mark.parametrize("effects", ["entity", "two-way"])
def test_blocks_give_the_within_regression(effects, gaps):
    y, x = made_up(np.full(N, 0.5), gaps)
    blocks = within_blocks(pd.concat([y, x], axis=1), effects)
    weights = np.ones((3, N))
    weights[1, 4] = 0
    weights[2, 7] = 2
    found = blocks.fit(weights, "y", ["x", "z"])
    whole, _ = panel_regression(y, x, effects)
    less, _ = panel_regression(y.drop("e04"), x.drop("e04"), effects)
    twice = [pd.concat([v, v.loc[["e07"]].rename({"e07": "again"})]) for v in (y, x)]
    more, _ = panel_regression(*twice, effects)
    for row, plain in zip(found, (whole, less, more), strict=True):
        np.testing.assert_allclose(row, plain.params, rtol=1e-8)


@pytest.mark.parametrize("gaps", [0, 20])
def test_leaving_out_each_entity(gaps):
    y, x = made_up(np.full(N, 0.5), gaps)
    found = leave_one_out(y, x)
    assert found.shape == (N, 2)
    direct, _ = panel_regression(y.drop("e20"), x.drop("e20"), "two-way")
    np.testing.assert_allclose(found.loc["e20"], direct.params, rtol=1e-8)


def test_groups_are_fitted_apart_and_compared():
    y, x = made_up(np.where(np.arange(N) < 12, 0.1, 1.0), gaps=15)
    found = compare_groups(y, x, HALVES)
    for name in ("first", "second"):
        mine = y.index.get_level_values(0).isin(HALVES.index[HALVES == name])
        result, _ = panel_regression(y[mine], x[mine], "two-way")
        assert found.terms.loc[name, "estimate"] == pytest.approx(result.params["x"], rel=1e-10)
        assert found.terms.loc[name, "std_error"] == pytest.approx(result.std_errors["x"])
    b, v = found.terms["estimate"], found.terms["std_error"] ** 2
    assert found.chow.stat == pytest.approx((b["first"] - b["second"]) ** 2 / v.sum(), rel=1e-10)
    assert found.chow.df == 1
    assert found.chow.pval < 0.001 and found.permutation_p == pytest.approx(0.001)
    assert "equal in all groups" in found.summary


def test_the_test_of_three_groups_does_not_depend_on_their_order():
    y, x = made_up(np.full(N, 0.5))
    groups = pd.Series({f"e{i:02d}": "abc"[i % 3] for i in range(N)})
    first = compare_groups(y, x, groups, draws=99)
    again = compare_groups(y.iloc[::-1], x.iloc[::-1], groups[::-1], draws=99)
    assert first.chow.df == 2
    assert first.chow.stat == pytest.approx(again.chow.stat, rel=1e-9)
    b, v = first.terms["estimate"].to_numpy(float), first.terms["std_error"].to_numpy(float) ** 2
    mean = (b / v).sum() / (1 / v).sum()
    assert first.chow.stat == pytest.approx(((b - mean) ** 2 / v).sum(), rel=1e-9)  # Cochran's Q


def test_the_permutation_test_keeps_its_size():
    p = []
    for seed in range(100):
        y, x = made_up(np.full(N, 0.5), seed=seed)
        p.append(compare_groups(y, x, HALVES, draws=99, seed=seed).permutation_p)
    assert np.mean(np.array(p) <= 0.05) <= 0.11  # 0.05 and 2.5 standard errors
    assert np.mean(np.array(p) <= 0.5) == pytest.approx(0.5, abs=0.13)


def test_windows_are_regressions_of_their_years():
    y, x = made_up(np.full(N, 0.5), gaps=10)
    found = windows(y, x, 5)
    assert found.index.tolist() == [(f, f + 4) for f in range(2001, 2006)]
    mine = y.index.get_level_values(1).isin(range(2003, 2008))
    result, _ = panel_regression(y[mine], x[mine], "two-way")
    assert found.loc[(2003, 2007), "estimate"] == pytest.approx(result.params["x"], rel=1e-10)
    with pytest.raises(TandemError, match="No window of 10 years lies in 2001-2009"):
        windows(y, x, 10)


def test_winsorising_pulls_in_the_ends_and_counts():
    x = pd.DataFrame({"a": np.arange(101.0), "b": [np.nan, *np.arange(100.0)]})
    pulled, changed = winsorise(x, 0.05)
    assert (pulled["a"].min(), pulled["a"].max()) == (5, 95)
    assert changed["a"] == 10 and np.isnan(pulled["b"].iloc[0])
    with pytest.raises(TandemError):
        winsorise(x, 0.5)


@pytest.mark.parametrize("effects", ["entity", "two-way"])
def test_a_placebo_is_the_regression_on_another_s_path(effects):
    y, x = made_up(np.full(N, 0.5))
    found = placebo(y, x, effects, draws=3, seed=5)
    rng = np.random.default_rng(5)
    order = [rng.permutation(N) for _ in range(3)]
    plain, _ = panel_regression(y, x, effects)
    assert found.estimate == pytest.approx(plain.params["x"], rel=1e-9)
    path = x["x"].to_numpy().reshape(N, T)
    for drawn, mine in zip(found.drawn, order, strict=True):
        dealt = x.assign(x=path[mine].ravel())
        again, _ = panel_regression(y, dealt, effects)
        assert drawn == pytest.approx(again.params["x"], rel=1e-8)
    assert found.p_value in (0.25, 0.5, 0.75, 1)


def test_a_real_effect_stands_out_of_its_placebos():
    y, x = made_up(np.full(N, 1.0))
    found = placebo(y, x)
    assert found.p_value == 0.001
    assert abs(found.drawn.mean()) < 0.05


def test_bad_input_is_refused_in_words():
    y, x = made_up(np.full(N, 0.5))
    with pytest.raises(TandemError, match="e29 has no group"):
        compare_groups(y, x, HALVES.drop("e29"))
    with pytest.raises(TandemError, match="Group small: "):
        compare_groups(y, x, HALVES.where(HALVES.index != "e00", "small"))
    with pytest.raises(TandemError, match="'random' is neither"):
        leave_one_out(y, x, "random")
    with pytest.raises(TandemError, match="e03 has no complete row for 2004"):
        placebo(y, x.drop(("e03", 2004)))


@pytest.mark.parametrize("effects", ["entity", "two-way"])
def test_the_permutation_p_is_a_share_of_regressions_in_random_groups(effects):
    """Two groups of twelve and eighteen dealt anew; variance of the slopes weighted by size."""
    y, x = made_up(np.full(N, 0.5), gaps=12, seed=8)
    found = compare_groups(y, x, HALVES, effects, draws=15, seed=4)
    code = (HALVES == "second").to_numpy().astype(int)
    rng = np.random.default_rng(4)
    spreads = []
    for labels in [code, *(rng.permutation(code) for _ in range(15))]:
        of = pd.Series(labels, HALVES.index)[y.index.get_level_values(0)].to_numpy()
        b = np.array(
            [panel_regression(y[of == g], x[of == g], effects)[0].params["x"] for g in (0, 1)]
        )
        share = np.array([0.4, 0.6])
        spreads.append((share * (b - share @ b) ** 2).sum())
    beyond = (np.array(spreads[1:]) >= spreads[0]).sum()
    assert found.permutation_p == pytest.approx((1 + beyond) / 16)
    assert 0 < beyond < 15
    assert found.facts == {
        "n_obs": N * T - 12, "n_dropped": 0, "effects": effects, "draws": 15
    }  # fmt: skip


def test_groups_and_windows_have_the_tests_and_intervals_of_their_regression():
    y, x = made_up(np.full(N, 0.5), gaps=10)
    groups, parts = compare_groups(y, x, HALVES, draws=9).terms, windows(y, x, 4)
    first = y.index.get_level_values(0).isin(HALVES.index[HALVES == "first"])
    when = y.index.get_level_values(1).isin(range(2004, 2008))
    for row, mine in ((groups.loc["first"], first), (parts.loc[(2004, 2007)], when)):
        result, facts = panel_regression(y[mine], x[mine], "two-way")
        n = facts["n_clusters"]
        t = result.params["x"] / result.std_errors["x"]
        reach = stats.t.ppf(0.975, n - 1) * result.std_errors["x"]
        assert row["p_value"] == pytest.approx(2 * stats.t.sf(abs(t), n - 1))
        assert (row["conf_low"], row["conf_high"]) == pytest.approx(
            (result.params["x"] - reach, result.params["x"] + reach)
        )
        assert (row["n_obs"], row["n_clusters"]) == (result.nobs, n)
    assert len(windows(y, x, 9)) == 1 and len(windows(y, x, 2)) == 8
    with pytest.raises(TandemError, match="No window of 1 years"):
        windows(y, x, 1)


def test_what_is_not_given_is_said():
    y, x = made_up(np.full(N, 0.1))
    plain, given = compare_groups(y, x, HALVES), compare_groups(y, x, HALVES, "two-way", 999, 1)
    assert plain.permutation_p == given.permutation_p and plain.facts == given.facts
    assert plain.permutation_p != compare_groups(y, x, HALVES, seed=2).permutation_p
    one, other = placebo(y, x), placebo(y, x, "two-way", 999, 1)
    assert np.array_equal(one.drawn, other.drawn) and one.facts == other.facts
    assert not np.array_equal(placebo(y, x, seed=2).drawn, one.drawn)
    assert one.facts == {"n_obs": N * T, "n_dropped": 0, "effects": "two-way", "draws": 999}
    pd.testing.assert_frame_equal(leave_one_out(y, x), leave_one_out(y, x, "two-way"))
    pd.testing.assert_frame_equal(windows(y, x, 5), windows(y, x, 5, "two-way"))


@pytest.mark.parametrize("effects", ["entity", "two-way"])
def test_the_p_value_of_a_placebo_counts_the_real_one(effects):
    y, x = made_up(np.full(N, 0.02), seed=5)
    found = placebo(y, x, effects, draws=40, seed=2)
    beyond = (np.abs(found.drawn) >= abs(found.estimate)).sum()
    assert found.p_value == pytest.approx((1 + beyond) / 41) and 0 < beyond < 40
    alone = placebo(y, x[["x"]], effects, draws=2, seed=2)
    plain, _ = panel_regression(y, x[["x"]], effects)
    assert alone.estimate == pytest.approx(plain.params["x"], rel=1e-9)


def test_shares_to_winsorise_lie_between_none_and_half():
    x = pd.DataFrame({"a": np.arange(5.0)})
    for share in (0.0, -0.1, 0.5):
        with pytest.raises(TandemError, match=f"not {share}"):
            winsorise(x, share)
    pulled, changed = winsorise(x, 0.25)
    assert pulled["a"].tolist() == [1, 1, 2, 3, 3] and changed["a"] == 2


def test_one_group_is_none_to_compare():
    y, x = made_up(np.full(N, 0.5))
    with pytest.raises(TandemError, match="at least two"):
        compare_groups(y, x, HALVES.where(HALVES == "first", "first"))
