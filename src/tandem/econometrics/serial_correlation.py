"""Arellano and Bond's test of serial correlation in differenced errors."""

import numpy as np
from scipy import special

from tandem.econometrics.chi_square import ChiSquare
from tandem.errors import TandemError


def m_statistic(
    order: int,
    v: np.ndarray,
    rows: np.ndarray,
    dx: np.ndarray,
    moments: np.ndarray,
    project: np.ndarray,
    cov: np.ndarray,
) -> ChiSquare:
    """Signed standard normal statistic (`stat`), `order` as df, and its two-sided p-value.

    Parameters
    ----------
    v : array (N, T)
        First differences of the residuals, zero where `rows` is False.
    dx : array (N, k, T)
        First differences of the regressors of the equation.
    moments : array (N, M)
        What each entity adds to the moments.
    project : array (k, M)
        Makes the coefficients out of the sums of the moments.
    cov : array (k, k)
        Their covariance.

    Raises
    ------
    TandemError
        No entity has differenced errors `order` years apart, or the variance is not positive.

    References
    ----------
    Arellano & Bond (1991), Review of Economic Studies 58, eqs. 8 and 9.
    """
    w = np.zeros_like(v)
    w[:, order:] = v[:, :-order] * (rows[:, order:] & rows[:, :-order])
    v = v * rows
    if not w.any():
        raise TandemError(
            f"No entity has differenced errors {order} year(s) apart; the panel is too short "
            f"for the test of order {order}."
        )
    own = (w * v).sum(axis=1)
    wx = np.einsum("ne,nke->k", w, dx)
    cross = wx @ project @ (moments.T @ own)
    variance = (own**2).sum() - 2 * cross + wx @ cov @ wx
    if variance <= 0:
        raise TandemError(
            f"The variance of the test of order {order} is not positive in this sample; there "
            "are too few entities for its many instruments."
        )
    stat = own.sum() / np.sqrt(variance)
    return ChiSquare(float(stat), order, float(2 * special.ndtr(-abs(stat))))
