"""Moves between states; expected numbers of giddy 2.3.8, computed once, and closed forms."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from tandem.errors import TandemError
from tandem.indices import (
    classify,
    ergodic,
    first_passage,
    homogeneity_test,
    mobility,
    quantile_cuts,
    spatial_markov,
    transition_counts,
    transition_probabilities,
)

LABELS = ["low", "middle", "high", "top"]
CUTS = [5.0, 10.0, 16.0]
NAMES = [f"{row}{column}" for row in "abcd" for column in "1234"]
COUNTS = [[5, 6, 8, 11], [2, 6, 10, 16], [10, 9, 13, 15], [10, 13, 17, 25]]


@pytest.fixture(scope="module")
def x():
    """Sixteen places of a four by four board, twelve years."""
    i, t = np.arange(16)[:, None], np.arange(12)[None, :]
    values = (7 * i + 3 * t * t + 5 * i * t) % 23 + t / 4
    index = pd.MultiIndex.from_product([NAMES, range(2000, 2012)], names=["entity", "year"])
    return pd.Series(values.ravel(), index, name="D")


@pytest.fixture(scope="module")
def states(x):
    return classify(x, CUTS, LABELS)


@pytest.fixture(scope="module")
def board():
    place = np.array([divmod(i, 4) for i in range(16)])
    near = np.abs(place[:, None] - place).sum(axis=2) == 1
    return pd.DataFrame(near.astype(float), NAMES, NAMES)


def chain(p, labels=None):
    labels = labels or list("abcdef")[: len(p)]
    return pd.DataFrame(p, labels, labels, dtype=float)


def test_chain_equals_giddy(states):
    counts = transition_counts(states, LABELS)
    np.testing.assert_array_equal(counts, COUNTS)
    assert counts.index.tolist() == counts.columns.tolist() == LABELS
    p = transition_probabilities(counts)
    np.testing.assert_allclose(p, np.array(COUNTS) / np.sum(COUNTS, axis=1)[:, None])
    steady = [0.1535312180143296, 0.19313459731351007, 0.27272445838404274, 0.3806097262881175]
    np.testing.assert_allclose(ergodic(p), steady, rtol=1e-12)
    times = [
        [6.513333333333333, 5.057564575645755, 3.7035678559519836, 2.676065645996256],
        [7.199999999999999, 5.177736220801121, 3.606202067355784, 2.407864302235929],
        [6.199999999999999, 5.1010502412716425, 3.666704504338325, 2.8068069170613508],
        [6.599999999999999, 5.057337496451887, 3.722907635878625, 2.627363230447271],
    ]
    np.testing.assert_allclose(first_passage(p), times, rtol=1e-11)


def test_homogeneity_in_time_equals_giddy(states):
    years = pd.Series(states.index.get_level_values("year"), states.index)
    counts = transition_counts(states, LABELS, years)
    assert counts.index.get_level_values("given").unique().tolist() == list(range(2000, 2011))
    found = homogeneity_test(counts)
    assert found.df == 117
    expected = [100.73813808740279, 120.0263921703582, 0.8582796682976056, 0.4052941963444877]
    np.testing.assert_allclose([*found[:2], *found[3:]], expected, rtol=1e-8)


def test_spatial_markov_equals_giddy(x, board):
    counts = spatial_markov(x, board, CUTS, LABELS)
    expected = [
        [[1, 0, 0, 0], [0, 0, 0, 1], [2, 1, 2, 0], [0, 0, 1, 0]],
        [[1, 1, 1, 0], [2, 0, 5, 1], [3, 2, 4, 3], [4, 5, 3, 4]],
        [[3, 4, 6, 7], [0, 4, 4, 8], [2, 4, 4, 9], [4, 6, 7, 11]],
        [[0, 1, 1, 4], [0, 2, 1, 6], [3, 2, 3, 3], [2, 2, 6, 10]],
    ]
    np.testing.assert_array_equal(counts.to_numpy().reshape(4, 4, 4), expected)
    assert counts.index[:4].tolist() == [("low", label) for label in LABELS]
    np.testing.assert_array_equal(counts.groupby("from", sort=False).sum(), COUNTS)
    found = homogeneity_test(counts)
    assert found.df == 36
    statistics = [40.585691080576915, 43.54236014962416, 0.2752799763104361, 0.18119539737543044]
    np.testing.assert_allclose([*found[:2], *found[3:]], statistics, rtol=1e-8)


def test_rows_columns_and_units_do_not_matter(x, board):
    turned = board.sample(frac=1, random_state=1).iloc[:, ::-1]
    shuffled = x.sample(frac=1, random_state=2)
    expected = spatial_markov(x, board, CUTS, LABELS)
    found = spatial_markov(shuffled * 8, turned * 3, [8 * cut for cut in CUTS], LABELS)
    pd.testing.assert_frame_equal(found, expected)


def test_quantile_states_are_of_equal_size():
    x = np.random.default_rng(np.random.SeedSequence(1)).random(120)
    cuts = quantile_cuts(x, 4)
    assert pd.Series(classify(x, cuts, LABELS)).value_counts().tolist() == [30] * 4
    np.testing.assert_allclose(quantile_cuts(10 * x, 4), 10 * cuts)
    with pytest.raises(TandemError, match="do not fall into 3 states"):
        quantile_cuts([1, 1, 1, 1, 2], 3)


def test_moves_are_between_calendar_years_of_one_entity():
    index = pd.MultiIndex.from_tuples([("A", 2003), ("A", 2000), ("A", 2001), ("B", 2002)])
    states = pd.Series(["x", "x", "y", "y"], index)
    np.testing.assert_array_equal(transition_counts(states, ["x", "y"]), [[0, 1], [0, 0]])
    with pytest.raises(TandemError, match="no move to count"):
        transition_counts(states.drop(("A", 2001)), ["x", "y"])


def test_two_states_in_closed_form():
    a, b = 0.2, 0.05
    p = chain([[1 - a, a], [b, 1 - b]])
    np.testing.assert_allclose(ergodic(p), [b / (a + b), a / (a + b)])
    np.testing.assert_allclose(first_passage(p), [[(a + b) / b, 1 / a], [1 / b, (a + b) / a]])


def test_mean_return_is_one_over_the_ergodic_share():
    p = np.random.default_rng(np.random.SeedSequence(2)).dirichlet(np.ones(5), 5)
    times, share = first_passage(chain(p)), ergodic(chain(p))
    np.testing.assert_allclose(np.diag(times), 1 / share)
    np.testing.assert_allclose(share @ p, share)
    # Kemeny's constant: the mean time to a state drawn from the long run is the same everywhere.
    away = times.to_numpy() - np.diag(np.diag(times))
    assert np.ptp(away @ share.to_numpy()) < 1e-9


def test_a_ladder_that_only_rises():
    p = chain([[0.5, 0.5, 0], [0, 0.75, 0.25], [0, 0, 1]])
    np.testing.assert_allclose(ergodic(p), [0, 0, 1], atol=0, rtol=1e-14)
    inf = np.inf
    np.testing.assert_allclose(first_passage(p), [[inf, 2, 6], [inf, inf, 4], [inf, inf, 1]])


def test_passage_is_infinite_if_the_chain_may_be_caught_elsewhere():
    p = chain([[0.5, 0.25, 0.25], [0, 1, 0], [0, 0, 1]])
    np.testing.assert_allclose(first_passage(p), np.where(np.diag([0, 1, 1]), 1.0, np.inf))
    with pytest.raises(TandemError, match="b and c never lead to each other"):
        ergodic(p)


def test_a_cycle_has_a_long_run_share():
    p = chain([[0, 1, 0], [0, 0, 1], [1, 0, 0]])
    np.testing.assert_allclose(ergodic(p), 1 / 3)
    np.testing.assert_allclose(first_passage(p), [[3, 1, 2], [2, 3, 1], [1, 2, 3]])


def test_mobility(states):
    found = mobility(transition_counts(states, LABELS))
    total = np.array(COUNTS)
    up, down = np.triu(total, 1).sum(), np.tril(total, -1).sum()
    assert found[:3] == (up / 176, np.trace(total) / 176, down / 176)
    assert found.p_value == pytest.approx(binom.sf(up - 1, up + down, 0.5))
    years = pd.Series(states.index.get_level_values("year"), states.index)
    assert mobility(transition_counts(states, LABELS, years)) == found
    # Nine up, one down: (10 + 1) / 2^10.
    assert mobility(chain([[3, 9], [1, 2]])).p_value == pytest.approx(11 / 1024)
    with pytest.raises(TandemError, match="No move changes state"):
        mobility(chain([[3, 0], [0, 2]]))


def test_pearson_is_that_of_a_contingency_table():
    # One state that is left to two: rows are classes, so this is the two by two table.
    index = pd.MultiIndex.from_product([["poor", "rich"], ["a", "b"]], names=["given", "from"])
    counts = pd.DataFrame([[10, 20], [0, 0], [25, 5], [0, 0]], index, ["a", "b"])
    found = homogeneity_test(counts)
    assert found.df == 1
    assert found.pearson == pytest.approx(60 * (10 * 5 - 20 * 25) ** 2 / (30 * 30 * 35 * 25))


def test_homogeneity_has_its_size():
    rng = np.random.default_rng(np.random.SeedSequence(4))
    p = np.array([[0.7, 0.2, 0.1], [0.2, 0.6, 0.2], [0.1, 0.3, 0.6]])
    index = pd.MultiIndex.from_product([range(4), list("abc")], names=["given", "from"])
    rejected = 0
    for _ in range(400):
        counts = np.concatenate([[rng.multinomial(60, row) for row in p] for _ in range(4)])
        found = homogeneity_test(pd.DataFrame(counts, index, list("abc")))
        assert found.df == 18
        rejected += found.p_pearson < 0.05
    assert 0.02 < rejected / 400 < 0.09


def test_markov_refuses(states):
    with pytest.raises(TandemError, match=r"D \(entity a1, year 2000\) is low: give it one"):
        transition_counts(states, LABELS[1:])
    with pytest.raises(TandemError, match="has a1, 2000 twice"):
        transition_counts(pd.concat([states, states.iloc[:1]]), LABELS)
    with pytest.raises(TandemError, match="same entities and years"):
        transition_counts(states, LABELS, states[::-1])
    with pytest.raises(TandemError, match="No move starts in the state b,"):
        transition_probabilities(chain([[3, 1], [0, 0]]))
    with pytest.raises(TandemError, match="each row sum to 1"):
        ergodic(chain([[0.5, 0.4], [0.5, 0.5]]))
    with pytest.raises(TandemError, match="square"):
        first_passage(pd.DataFrame([[0.5, 0.5]]))
    with pytest.raises(TandemError, match="at least two classes"):
        homogeneity_test(transition_counts(states, LABELS))
    years = pd.Series(states.index.get_level_values("year"), states.index)
    with pytest.raises(TandemError, match="at least two classes"):
        homogeneity_test(transition_counts(states, LABELS, years).loc[[2003]])


def test_a_state_without_moves_is_named_with_its_class():
    plain = pd.DataFrame([[1, 2], [0, 0]], ["low", "high"], ["low", "high"])
    with pytest.raises(TandemError, match="No move starts in the state high,"):
        transition_probabilities(plain)
    index = pd.MultiIndex.from_product([["poor", "rich"], ["low", "high"]])
    counts = pd.DataFrame([[1, 2], [3, 0], [0, 0], [1, 1]], index, ["low", "high"])
    with pytest.raises(TandemError, match="No move starts in the state low under rich,"):
        transition_probabilities(counts)
