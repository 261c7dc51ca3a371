"""Are the slopes the same in all entities? (Pesaran and Yamagata 2008)"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from tandem.econometrics.complete_rows import complete_rows, require_balanced
from tandem.econometrics.in_text import in_text
from tandem.errors import TandemError


class SlopeHomogeneity(NamedTuple):
    """Standard normal for many entities and years; large values speak against equal slopes.

    Attributes
    ----------
    delta, delta_adjusted : float
    pval, pval_adjusted : float
        Two-sided.
    hac : bool
        Whether errors may be correlated over time; then both statistics have no small-sample
        adjustment of their own, and `delta_adjusted` is NaN.
    """

    delta: float
    pval: float
    delta_adjusted: float
    pval_adjusted: float
    hac: bool
    summary = property(in_text)


def slope_homogeneity(y: pd.Series, x: pd.DataFrame, hac: bool = False) -> SlopeHomogeneity:
    """Test that all entities have the same slopes, each with a constant of its own.

    ``S = sum_i (b_i - b_w)' (X_i' M X_i / s_i^2) (b_i - b_w)``, b_w the mean of the b_i weighted
    by these matrices and s_i^2 the variance of entity i's residuals under the within slopes;
    ``delta = sqrt(N) (S / N - k) / sqrt(2 k)``; adjusted, the divisor is
    ``sqrt(2 k (T - k - 1) / (T + 1))``. With `hac` the weights are ``T Q_i V_i^-1 Q_i``, V_i a
    Bartlett estimate with floor(4 (T / 100)^(2/9)) lags.

    Parameters
    ----------
    y : Series, x : DataFrame (entity-years, k)
        Every entity in every year.
    hac : bool

    Raises
    ------
    TandemError
        A gap, T of k + 2 or less, or an entity whose regressors are collinear.

    References
    ----------
    Pesaran & Yamagata (2008), Journal of Econometrics 142, 50-93, equations 27 and 29; Blomquist &
    Westerlund (2013), Economics Letters 121, 374-378 (equation numbers from memory).
    """
    rows, _ = complete_rows(y, x)
    require_balanced(rows)
    n, k = rows.index.get_level_values(0).nunique(), x.shape[1]
    t = len(rows) // n
    if t <= k + 2:
        raise TandemError(f"{t} years are too few to compare {k} slopes; {k + 3} is the least.")
    z = rows.to_numpy(float).reshape(n, t, k + 1)
    z = z - z.mean(axis=1, keepdims=True)
    left, right = z[..., 0], z[..., 1:]
    gram = np.einsum("ntk,ntl->nkl", right, right)
    moment = np.einsum("ntk,nt->nk", right, left)
    scale = np.sqrt(np.einsum("nkk->nk", gram).mean(axis=0))
    bad = np.linalg.matrix_rank(gram / np.outer(scale, scale), tol=1e-10, hermitian=True) < k
    if bad.any():
        entity = rows.index.unique(level=0)[np.flatnonzero(bad)[0]]
        raise TandemError(f"The regressors do not vary apart in {entity}; leave one of them out.")
    pooled = np.linalg.solve(gram.sum(axis=0), moment.sum(axis=0))
    own = np.linalg.solve(gram, moment[..., None])[..., 0]
    e = left - right @ pooled
    weight = (
        _hac_weights(gram, right, e) if hac else gram / (e**2).sum(axis=1)[:, None, None] * (t - 1)
    )
    mean = np.linalg.solve(weight.sum(axis=0), np.einsum("nkl,nl->k", weight, own))
    d = own - mean
    s = np.einsum("nk,nkl,nl->", d, weight, d)
    delta = np.sqrt(n) * (s / n - k) / np.sqrt(2 * k)
    adjusted = np.nan if hac else delta * np.sqrt((t + 1) / (t - k - 1))
    return SlopeHomogeneity(delta, _two_sided(delta), adjusted, _two_sided(adjusted), hac)


def _two_sided(statistic: float) -> float:
    return float(2 * stats.norm.sf(abs(statistic)))


def _hac_weights(gram: np.ndarray, x: np.ndarray, e: np.ndarray) -> np.ndarray:
    t = e.shape[1]
    u = x * e[..., None]
    lags = int(np.floor(4 * (t / 100) ** (2 / 9)))
    v = np.einsum("ntk,ntl->nkl", u, u) / t
    for j in range(1, lags + 1):
        gamma = np.einsum("ntk,ntl->nkl", u[:, j:], u[:, :-j]) / t
        v += (1 - j / (lags + 1)) * (gamma + gamma.transpose(0, 2, 1))
    q = gram / t
    return t * q @ np.linalg.solve(v, q)
