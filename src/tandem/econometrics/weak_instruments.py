"""Strength of instruments, and inference that does not need it.

All functions take columns from which effects and included exogenous regressors are partialled out
(Frisch-Waugh-Lovell), and a covariance with ``meat(z, u)``, ``factor(k)``, ``df(k)``, ``effects``.
"""

import numpy as np
from scipy import linalg, stats

from tandem.econometrics.confidence_sets import Intervals, intervals_between
from tandem.econometrics.specification import FTest

WORST_BIAS = 0.10  # of the worst case, for the effective F
SIZE = 0.05


def f_test(estimate: np.ndarray, cov: np.ndarray, df_denom: int) -> FTest:
    """F test that all of `estimate` (k,) with covariance `cov` (k, k) are zero."""
    k = len(estimate)
    stat = float(estimate @ np.linalg.solve(cov, estimate)) / k
    return FTest(stat, (k, int(df_denom)), float(stats.f.sf(stat, k, df_denom)))


def first_stage(x: np.ndarray, z: np.ndarray, covariance, n_included: int) -> dict:
    """Rank statistics and effective F of the first stages.

    Cragg & Donald (1993): n - k times the least eigenvalue of ``S_vv^-1/2 X'P_z X S_vv^-1/2 / n``.
    Kleibergen & Paap (2006): with instruments and first-stage residuals standardised, coefficients
    Theta (L, p), v its last right singular vector and A an orthonormal basis of the left ones from
    the p-th on, ``(A' Theta v)' W^-1 (A' Theta v)``, W the variance of ``A' Theta v``. Both are
    divided by L. Effective F: ``pi'pi / tr W`` for standardised instruments; the critical value is
    the 95th percentile of a noncentral chi-square matched by Patnaik's method with noncentrality
    1 / bias (Montiel Olea & Pflueger 2013, section 4.2, simplified; checked against the Stata
    package weakivtest). Attributions from memory.

    Parameters
    ----------
    x : array (n, p)
        Endogenous regressors.
    z : array (n, L)
        Excluded instruments.
    n_included : int
        Exogenous regressors partialled out, constant included.

    Returns
    -------
    dict
        cragg_donald, kleibergen_paap, effective_f, effective_f_critical (None if p > 1).
    """
    (n, p), n_instruments = x.shape, z.shape[1]
    k = n_included + n_instruments
    zs = _standardised(z)
    residuals = x - zs @ (zs.T @ x) / n
    xs = x @ np.linalg.inv(np.linalg.cholesky(residuals.T @ residuals / n)).T
    theta = zs.T @ xs / n
    left, singular, right = np.linalg.svd(theta)
    v, a = right[-1], left[:, p - 1 :]
    weak = zs @ a
    w = covariance.meat(weak, (xs @ v - zs @ (theta @ v))[:, None]) / n**2 * covariance.factor(k)
    lam = a.T @ theta @ v
    spare = n - k - covariance.effects
    found = {
        "cragg_donald": float(singular[-1] ** 2 * spare / n_instruments),
        "kleibergen_paap": float(lam @ np.linalg.solve(w, lam)) / n_instruments,
        "effective_f": None,
        "effective_f_critical": None,
    }
    if p == 1:
        w2 = covariance.meat(zs, residuals) / n**2 * covariance.factor(k)
        pi = zs.T @ x[:, 0] / n
        found["effective_f"] = float(pi @ pi / np.trace(w2))
        found["effective_f_critical"] = effective_f_critical(w2)
    return found


def effective_f_critical(w2: np.ndarray) -> float:
    """Critical value of the effective F, from the variance (L, L) of standardised coefficients."""
    share = np.linalg.eigvalsh(w2) / np.trace(w2)
    x = 1 / WORST_BIAS
    k_eff = (1 + 2 * x) / ((share**2).sum() + 2 * x * share.max())
    return float(stats.ncx2.ppf(1 - SIZE, k_eff, k_eff * x) / k_eff)


def anderson_rubin(
    y: np.ndarray, x: np.ndarray, z: np.ndarray, covariance, n_included: int, level: float
) -> tuple[FTest, Intervals | None]:
    """Test that all endogenous regressors have coefficient zero, and its inversion.

    ``AR(b) = (d - Pi b)' V(b)^-1 (d - Pi b) / L`` with d and Pi the reduced forms of y and x on z
    and V(b) the variance of ``d - Pi b`` (Anderson & Rubin 1949, in Wald form; the unadjusted one
    lets the variance vary with b, too). For one regressor the values kept solve a quadratic
    eigenvalue problem: the ends are where ``c L V(b) - (d - Pi b)(d - Pi b)'`` is singular, so the
    set is exact, whatever its shape.

    Returns
    -------
    FTest, and tuple of (low, high) or None
        None with several endogenous regressors.
    """
    p, n_instruments = x.shape[1], z.shape[1]
    z = _standardised(z)
    reduced = z.T @ np.column_stack([y, x]) / len(z)
    k = n_included + n_instruments
    residuals = np.column_stack([y, x]) - z @ reduced
    v = covariance.meat(z, residuals) / len(z) ** 2 * covariance.factor(k)
    df = covariance.df(k)
    test = f_test(reduced[:, 0], v[:n_instruments, :n_instruments], df)
    if p > 1:
        return test, None
    return test, _inverted(reduced, v, stats.f.ppf(level, n_instruments, df))


def _inverted(reduced: np.ndarray, v: np.ndarray, critical: float) -> Intervals:
    m = len(reduced)
    centre = reduced[:, 1] @ reduced[:, 0] / (reduced[:, 1] @ reduced[:, 1])
    d, pi = reduced[:, 0] - centre * reduced[:, 1], reduced[:, 1]
    turn = np.block([[np.eye(m), -centre * np.eye(m)], [np.zeros((m, m)), np.eye(m)]])
    v = turn @ v @ turn.T
    scale = np.sqrt(np.trace(v[:m, :m]) / np.trace(v[m:, m:]))  # b in units of its own spread
    pi, v11 = pi * scale, v[:m, :m]
    v12, v22 = (v[:m, m:] + v[m:, :m]) * scale, v[m:, m:] * scale**2
    c = critical * m
    zero = c * v11 - np.outer(d, d)
    one = -c * v12 + np.outer(d, pi) + np.outer(pi, d)
    two = c * v22 - np.outer(pi, pi)
    eye, none = np.eye(m), np.zeros((m, m))
    roots = linalg.eigvals(
        np.block([[none, eye], [-zero, -one]]), np.block([[eye, none], [none, two]])
    )

    def kept(b: float) -> bool:
        gap = d - b * pi
        return gap @ np.linalg.solve(v11 - b * v12 + b**2 * v22, gap) <= c

    found = intervals_between(roots, kept)
    return tuple((centre + scale * low, centre + scale * high) for low, high in found)


def _standardised(z: np.ndarray) -> np.ndarray:
    """Columns that span those of z with ``Z'Z = n I``."""
    return np.linalg.qr(z)[0] * np.sqrt(len(z))
