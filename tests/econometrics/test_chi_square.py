"""Chi-square tests in one form."""

import numpy as np
import pytest

from tandem.econometrics.chi_square import chi_square, wald


def test_the_p_value_is_the_upper_tail():
    assert chi_square(3.841459, 1) == pytest.approx((3.841459, 1, 0.05), abs=1e-7)
    assert chi_square(5.991465, 2).pval == pytest.approx(0.05, abs=1e-7)


@pytest.mark.parametrize("df", [0, -2])
def test_without_degrees_of_freedom_nothing_is_tested(df):
    assert np.isnan(chi_square(1.5, df).pval) and chi_square(1.5, df).df == df


def test_a_wald_test_is_a_quadratic_form():
    test = wald(np.array([1.0, 2.0]), np.array([[2.0, 1.0], [1.0, 3.0]]))
    assert (test.stat, test.df) == (pytest.approx(7 / 5), 2)  # (1 2) (3 -1; -1 2) (1 2)' / 5
    assert "stat" in test.summary and "pval" in test.summary
