"""Strength of instruments: critical values, and F tests against their definition."""

import numpy as np
import pytest
from scipy import stats

from tandem.econometrics.weak_instruments import effective_f_critical, f_test


def test_critical_values_of_the_effective_f_are_the_published_ones():
    # Montiel Olea & Pflueger (2013): with one instrument 23.1 against a bias of 10 %
    assert effective_f_critical(np.eye(1)) == pytest.approx(23.11, abs=0.005)
    # (1.645 + sqrt(10))^2 in closed form, as the noncentral chi-square has one degree of freedom
    assert effective_f_critical(np.eye(1)) == pytest.approx((1.6448536 + 10**0.5) ** 2, rel=1e-3)
    lopsided = effective_f_critical(np.diag([1.0, 1e-9]))
    assert effective_f_critical(np.eye(2)) < lopsided == pytest.approx(23.11, abs=0.01)


def test_the_critical_value_is_the_percentile_it_says():
    """Against draws from the weighted chi-squares that the matched distribution stands for."""
    rng = np.random.default_rng(1)
    shares = np.array([0.5, 0.3, 0.2])
    # the worst case puts the whole noncentrality on the most variable instrument
    shift = np.array([np.sqrt(10 / 0.5), 0, 0])
    drawn = ((rng.normal(size=(200_000, 3)) + shift) ** 2 @ shares).tolist()
    assert effective_f_critical(np.diag(shares)) == pytest.approx(
        np.quantile(drawn, 0.95), rel=0.02
    )


def test_one_restriction_is_a_squared_t():
    test = f_test(np.array([2.0]), np.array([[0.25]]), 12)
    assert test.stat == 16.0 and test.df == (1, 12)
    assert test.pval == pytest.approx(2 * stats.t.sf(4.0, 12))
