"""The wild cluster bootstrap against its definition, and its size."""

import numpy as np
import pandas as pd
import pytest

from tandem.econometrics.static import panel_regression
from tandem.econometrics.wild_bootstrap import WEBB, wild_cluster_p
from tandem.errors import TandemError


def panel(seed, n=12, t=6, beta=0.0):
    rng = np.random.default_rng(seed)
    index = pd.MultiIndex.from_product([range(n), range(2000, 2000 + t)], names=["entity", "year"])
    x = pd.DataFrame(rng.normal(size=(n * t, 2)), index, ["x", "z"]).groupby(level=0).cumsum()
    noise = pd.Series(rng.normal(size=n * t), index).groupby(level=0).cumsum()
    return beta * x["x"] + 0.5 * x["z"] + noise, x


def dummies(index, effects):
    parts = {"none": [], "entity": [0], "two-way": [0, 1]}[effects]
    blocks = [pd.get_dummies(index.get_level_values(k)).to_numpy(float) for k in parts]
    return np.column_stack([np.ones(len(index)), *blocks])


def by_definition(y, x, effects, draws, seed):
    """Every draw refitted from the data, with dummies for the effects."""
    cluster = y.index.get_level_values(0).to_numpy()
    other = np.column_stack([x["z"], dummies(y.index, effects)])
    full = np.column_stack([x["x"], other])
    inverse = np.linalg.pinv(full.T @ full)

    def t(outcome):
        b = inverse @ full.T @ outcome
        score = full * (outcome - full @ b)[:, None]
        meat = sum(np.outer(s, s) for s in (score[cluster == g].sum(0) for g in set(cluster)))
        return b[0] / np.sqrt((inverse @ meat @ inverse)[0, 0])

    fitted = other @ np.linalg.lstsq(other, y.to_numpy(), rcond=None)[0]
    signs = np.concatenate([-WEBB, WEBB])
    weights = np.random.default_rng(seed).choice(signs, (draws, cluster.max() + 1))
    drawn = [t(fitted + w[cluster] * (y.to_numpy() - fitted)) for w in weights]
    return np.mean(np.abs(drawn) >= abs(t(y.to_numpy())))


@pytest.mark.parametrize("effects", ["none", "entity", "two-way"])
def test_it_is_what_its_definition_says(effects):
    y, x = panel(3, beta=0.2)
    ours = wild_cluster_p(y, x, "x", effects, draws=199, seed=5)
    assert ours == pytest.approx(by_definition(y, x, effects, 199, 5), abs=1e-12)
    assert 0 < ours < 1


def test_it_neither_knows_row_order_nor_units():
    y, x = panel(4, beta=0.1)
    one = wild_cluster_p(y, x, "x", "two-way", draws=499)
    assert wild_cluster_p(y * 1e4, x * [1e-3, 10], "x", "two-way", draws=499) == one
    years_back = y.sort_index(level=["entity", "year"], ascending=[True, False]).index
    assert wild_cluster_p(y[years_back], x.loc[years_back], "x", "two-way", draws=499) == one


def test_it_rejects_a_true_null_about_as_often_as_it_says():
    p = [wild_cluster_p(*panel(seed), "x", "two-way", draws=199) for seed in range(400)]
    # 400 trials: 5 % has a standard error of 1.1 points
    assert 0.02 < np.mean(np.array(p) < 0.05) < 0.085


def test_a_strong_effect_is_found_and_missing_rows_are_dropped():
    y, x = panel(6, n=30, beta=2.0)
    y.iloc[7] = np.nan
    assert wild_cluster_p(y, x, "x", "two-way") < 0.01
    assert panel_regression(y, x, "two-way")[0].pvalues["x"] < 0.01


def test_random_effects_are_refused():
    with pytest.raises(TandemError, match="not for random effects"):
        wild_cluster_p(*panel(1), "x", "random")


def test_what_is_not_given_is_said_and_weights_are_webbs():
    y, x = panel(8, beta=0.15)
    plain = wild_cluster_p(y, x, "x", "two-way")
    assert plain == wild_cluster_p(y, x, "x", "two-way", 9999, 1)
    assert plain != wild_cluster_p(y, x, "x", "two-way", seed=2)
    signs = np.concatenate([-WEBB, WEBB])
    # six points with mean 0 and variance 1 (Webb 2023)
    assert signs.mean() == 0 and (signs**2).mean() == pytest.approx(1)
    assert sorted(signs**2) == pytest.approx([0.5, 0.5, 1, 1, 1.5, 1.5])


def test_one_regressor_alone():
    y, x = panel(9, beta=0.1)
    ours = wild_cluster_p(y, x[["x"]], "x", "entity", draws=199, seed=5)
    theirs = by_definition(y, x[["x"]].assign(z=0.0), "entity", 199, 5)
    assert ours == pytest.approx(theirs, abs=1e-12)
