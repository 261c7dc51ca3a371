"""Confidence sets that need not be an interval."""

import numpy as np
import pytest

from tandem.econometrics.confidence_sets import in_words, intervals_between, slope_zero_set


def test_sets_between_roots():
    assert intervals_between([1, 2], lambda x: (x - 1) * (x - 2) <= 0) == ((1.0, 2.0),)
    outside = intervals_between([1, 2], lambda x: (x - 1) * (x - 2) >= 0)
    assert outside == ((-np.inf, 1.0), (2.0, np.inf))
    assert intervals_between([1j, -1j], lambda x: x**2 + 1 <= 0) == ()
    assert intervals_between([1j, -1j], lambda x: True) == ((-np.inf, np.inf),)
    # a root that only touches does not cut the set
    assert intervals_between([1, 3, 2], lambda x: 1 < x < 3) == ((1.0, 3.0),)


def test_fiellers_set_is_where_the_test_keeps():
    cov = np.array([[0.04, -0.01], [-0.01, 0.01]])
    for slope in ([1.0, -0.8], [1.0, -0.15], [0.1, 0.15]):
        found = slope_zero_set(np.array(slope), cov, 1.96)
        for x in np.linspace(-30, 30, 301):
            p = np.array([1, x])
            kept = (p @ slope) ** 2 <= 1.96**2 * (p @ cov @ p)
            assert kept == any(low <= x <= high for low, high in found)
    assert slope_zero_set(np.array([1.0, -0.8]), cov, 1e-6)[0] == pytest.approx((1.25, 1.25))


def test_sets_in_words():
    assert in_words(()).startswith("empty")
    assert in_words(((-np.inf, np.inf),)) == "unbounded: every value"
    assert in_words(((-np.inf, 1.0), (2.0, np.inf))) == "unbounded: (-inf, 1] or [2, inf)"
    assert in_words(((0.5, 1.25),)) == "[0.5, 1.25]"


def test_probes_lie_between_the_roots_and_beyond_the_last():
    for roots in ([10, 11], [-11, -10], [-3, 40], [100]):
        mid = (roots[0] + roots[-1]) / 2
        inside = intervals_between(roots, lambda x, r=roots: r[0] <= x <= r[-1])
        assert inside == (((roots[0], roots[-1]),) if len(roots) > 1 else ())
        above = intervals_between(roots, lambda x, r=roots: x > r[-1])
        assert above == ((roots[-1], np.inf),)
        below = intervals_between(roots, lambda x, r=roots: x < r[0])
        assert below == ((-np.inf, roots[0]),)
        assert intervals_between([*roots, mid], lambda x: True) == ((-np.inf, np.inf),)


def test_pieces_are_joined_with_the_last_one_only():
    found = intervals_between([4, 0, 3, 2, 1, np.inf], lambda x: 0 < x < 1 or 2 < x < 4)
    assert found == ((0.0, 1.0), (2.0, 4.0))
    assert intervals_between([1, 1, 2], lambda x: 1 < x < 2) == ((1.0, 2.0),)
    # complex roots are no ends
    assert intervals_between([1, 2, 1.5 + 1e-3j], lambda x: 1 < x < 2) == ((1.0, 2.0),)


def test_the_set_of_a_cubics_slope_is_where_the_test_keeps():
    slope, cov = np.array([1.0, -3.0, 1.5]), np.diag([0.02, 0.03, 0.01])
    found = slope_zero_set(slope, cov, 2.0)
    assert len(found) == 2
    for x in np.linspace(-3, 6, 181):
        p = np.array([1, x, x**2])
        kept = (p @ slope) ** 2 <= 4 * (p @ cov @ p)
        assert kept == any(low <= x <= high for low, high in found)


def test_sets_of_several_pieces_in_words():
    assert in_words(((1 / 3, 2 / 3),)) == "[0.3333, 0.6667]"
    assert in_words(((1 / 3, 2 / 3),), 2) == "[0.33, 0.67]"
    assert in_words(((0.0, 1.0), (2.0, np.inf))) == "unbounded: [0, 1] or [2, inf)"
    assert in_words(((-np.inf, 0.0), (1.0, 2.0))) == "unbounded: (-inf, 0] or [1, 2]"
    assert in_words(((0.0, 1.0), (2.0, 3.0))) == "[0, 1] or [2, 3]"
