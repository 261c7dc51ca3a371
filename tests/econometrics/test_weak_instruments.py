"""Strength of instruments: critical values, and F tests against their definition."""

import numpy as np
import pytest
from scipy import stats

from tandem.econometrics.weak_instruments import (
    anderson_rubin,
    effective_f_critical,
    f_test,
    first_stage,
)


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


class Plain:
    """Classical errors of a regression without effects."""

    effects = 3

    @staticmethod
    def meat(z, u):
        return np.kron(u.T @ u / len(u), z.T @ z)

    @staticmethod
    def factor(k):
        return 80 / (80 - k - 3)

    @staticmethod
    def df(k):
        return 80 - k - 3


def sample(p=2, n_instruments=4, seed=3):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(80, n_instruments)) * [1, 10, 0.1, 3][:n_instruments]
    x = z[:, :p] / [1, 10][:p] + 0.3 * z[:, -1:] + rng.normal(size=(80, p))
    return x.sum(axis=1) * 0.2 + rng.normal(size=80), x, z


@pytest.mark.parametrize("n_included", [0, 2])
def test_cragg_and_donalds_statistic_is_its_eigenvalue(n_included):
    _, x, z = sample()
    found = first_stage(x, z, Plain, n_included)
    fitted = z @ np.linalg.lstsq(z, x, rcond=None)[0]
    left = x - fitted
    spare = 80 - n_included - 4 - 3
    least = np.linalg.eigvals(np.linalg.solve(left.T @ left / spare, fitted.T @ fitted)).real.min()
    assert found["cragg_donald"] == pytest.approx(least / 4)
    assert found["kleibergen_paap"] == pytest.approx(least / 4)
    assert found["effective_f"] is None and found["effective_f_critical"] is None
    _, x, z = sample(p=1)
    found = first_stage(x, z, Plain, n_included)
    b = np.linalg.lstsq(z, x[:, 0], rcond=None)[0]
    s2 = ((x[:, 0] - z @ b) ** 2).sum() / spare
    assert found["effective_f"] == pytest.approx(b @ z.T @ z @ b / s2 / 4)
    assert found["effective_f_critical"] == pytest.approx(effective_f_critical(np.eye(4)))


def test_anderson_and_rubins_test_is_the_reduced_forms_f():
    y, x, z = sample()
    test, kept = anderson_rubin(y, x, z, Plain, 2, 0.95)
    b = np.linalg.lstsq(z, y, rcond=None)[0]
    s2 = ((y - z @ b) ** 2).sum() / (80 - 2 - 4 - 3)
    assert test.stat == pytest.approx(b @ z.T @ z @ b / s2 / 4)
    assert test.df == (4, 71) and kept is None
    assert test.pval == pytest.approx(stats.f.sf(test.stat, 4, 71))


@pytest.mark.parametrize("level", [0.9, 0.99])
@pytest.mark.parametrize("noise", [0.2, 3.0])
def test_the_set_holds_the_coefficients_that_the_test_keeps(level, noise):
    y, x, z = sample(p=1, seed=4)
    y = y + noise * x[:, 0]
    _, kept = anderson_rubin(y, x, z, Plain, 0, level)
    for b in np.linspace(-4, 6, 201):
        test, _ = anderson_rubin(y - b * x[:, 0], x, z, Plain, 0, level)
        assert (test.pval >= 1 - level) == any(low <= b <= high for low, high in kept)


def test_the_f_of_several_restrictions():
    test = f_test(np.array([1.0, 2.0]), np.diag([0.5, 2.0]), 9.0)
    assert test.stat == pytest.approx((2 + 2) / 2) and test.df == (2, 9)
    assert test.pval == pytest.approx(stats.f.sf(2.0, 2, 9))
