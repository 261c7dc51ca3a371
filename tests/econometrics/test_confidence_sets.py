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
