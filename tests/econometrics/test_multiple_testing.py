import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.multitest import multipletests

from tandem.econometrics import holm, romano_wolf
from tandem.errors import TandemError


def test_holm_equals_statsmodels_and_leaves_out_what_is_missing():
    p = pd.Series([0.01, np.nan, 0.04, 0.03, 0.2, 0.01], list("abcdef"))
    found = holm(p)
    assert np.isnan(found["b"])
    expected = multipletests(p.dropna(), method="holm")[1]
    assert found.dropna().to_numpy() == pytest.approx(expected)


def test_romano_wolf_of_one_test_is_its_bootstrap_p():
    drawn = np.random.default_rng(1).normal(size=(999, 1))
    p = romano_wolf(np.array([1.5]), drawn)
    assert p[0] == pytest.approx((1 + (np.abs(drawn) >= 1.5).sum()) / 1000)


def test_romano_wolf_by_hand():
    statistics = np.array([1.0, -3.0, 2.0])
    drawn = np.array([[0.5, 0.1, 2.5], [1.5, -3.5, 0.2], [0.1, 0.2, 0.3], [2.2, 0.0, 0.0]])
    # largest of all: 2.5 3.5 .3 2.2 against 3 -> 1; of tests 3 and 1 against 2: 2.5 1.5 .3 2.2 -> 2
    # of test 1 against 1: .5 1.5 .1 2.2 -> 2, but no less than before
    assert romano_wolf(statistics, drawn) == pytest.approx(np.array([3, 2, 3]) / 5)


def test_romano_wolf_keeps_the_size_of_a_family_and_beats_holm_on_dependent_tests():
    rng = np.random.default_rng(2)
    least, rejected = [], []
    for _ in range(400):
        common = rng.normal(size=(300, 1))
        drawn = 0.95 * common + np.sqrt(1 - 0.95**2) * rng.normal(size=(300, 8))
        stat = 0.95 * rng.normal() + np.sqrt(1 - 0.95**2) * rng.normal(size=8)
        least.append(romano_wolf(stat, drawn).min())
        p = pd.Series(2 * (1 - pd.Series(np.abs(stat)).map(lambda z: 0.5 + 0.5 * _erf(z))))
        rejected.append(holm(p).min() < 0.05)
    assert 0.025 <= np.mean(np.array(least) < 0.05) <= 0.08
    assert np.mean(rejected) < np.mean(np.array(least) < 0.05)


def _erf(z):
    from math import erf, sqrt

    return erf(z / sqrt(2))


def test_bad_input_is_refused_in_words():
    with pytest.raises(TandemError, match="outside 0 and 1"):
        holm(pd.Series([1.2]))
    with pytest.raises(TandemError, match="as many columns"):
        romano_wolf(np.ones(2), np.ones((5, 3)))


def test_what_is_no_p_value_and_no_draws_are_refused():
    for p in (-0.1, 1.1):
        with pytest.raises(TandemError, match="outside 0 and 1"):
            holm(pd.Series([0.5, p]))
    assert holm(pd.Series([0.0, 1.0])).tolist() == [0.0, 1.0]
    with pytest.raises(TandemError, match="2 statistics need draws"):
        romano_wolf(np.ones(2), np.ones((0, 2)))
    with pytest.raises(TandemError, match="as many columns"):
        romano_wolf(np.ones(2), np.ones(2))
    assert romano_wolf(np.ones(2), np.zeros((1, 2))).tolist() == [0.5, 0.5]


def test_equal_p_values_keep_their_places():
    assert holm(pd.Series([0.02, 0.01, 0.02], list("abc"))).to_dict() == pytest.approx(
        {"a": 0.04, "b": 0.03, "c": 0.04}
    )
    assert holm(pd.Series([0.4, 0.5], list("ab"))).to_dict() == {"a": 0.8, "b": 0.8}
