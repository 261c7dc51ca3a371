"""Wild cluster bootstrap p-values for regressions with few clusters."""

import numpy as np
import pandas as pd

from tandem.econometrics.static import panel_regression
from tandem.errors import TandemError

WEBB = np.sqrt([0.5, 1.0, 1.5])  # with both signs: mean 0, variance 1, six points


def wild_cluster_p(
    y: pd.Series, x: pd.DataFrame, name: str, effects: str, draws: int = 9999, seed=1
) -> float:
    """Restricted wild cluster bootstrap-t p-value of one coefficient being zero, two-sided.

    Parameters
    ----------
    y : Series (entity-years,)
        Indexed by (entity, year); entities are the clusters. Rows with a missing or
        infinite value are dropped.
    x : DataFrame (entity-years, k)
        Regressors without a constant, `name` among them.
    effects : {"none", "entity", "two-way"}
    draws : int
        Webb's six-point weights, one a cluster and draw.
    seed : int, sequence of int or SeedSequence

    Returns
    -------
    float
        Share of draws whose |t| is at least the sample's. The factor of the variance cancels.

    Raises
    ------
    TandemError
        Effects that are not absorbed by least squares (random effects).

    References
    ----------
    Cameron, Gelbach & Miller (2008), Review of Economics and Statistics 90, 414-427, section III.B;
    Webb (2023), Canadian Journal of Economics 56, 839-858 (weights).
    """
    if effects not in ("none", "entity", "two-way"):
        raise TandemError(f"The wild bootstrap is for least squares, not for {effects} effects.")
    panel_regression(y, x, effects)  # refuses no panel and what is collinear
    rows = pd.concat([y.rename("__y__"), x], axis=1)
    rows = rows[np.isfinite(rows).all(axis=1)]
    others = _others(rows[[c for c in x if c != name]], effects)
    y1, x1, z = (_absorb(f, effects) for f in (rows["__y__"], rows[name], others))
    q, _ = np.linalg.qr(z)
    r, u = (v - q @ (q.T @ v) for v in (x1, y1))  # both without the other regressors
    cluster = pd.factorize(rows.index.get_level_values(0))[0]
    n = cluster.max() + 1
    a, d = (np.bincount(cluster, r * v, n) for v in (u, r))
    in_r, in_u = (_by_cluster(q * v[:, None], cluster, n) for v in (r, u))
    # residuals under the null are u; with all weights 1 the formulas give the sample's own t
    signs = np.concatenate([-WEBB, WEBB])
    weights = np.random.default_rng(seed).choice(signs, (draws, n))
    t = _t_statistics(np.vstack([np.ones(n), weights]), a, d, in_r, in_u)
    return float((np.abs(t[1:]) >= np.abs(t[0]) * (1 - 1e-12)).mean())


def _t_statistics(weights, a, d, in_r, in_u) -> np.ndarray:
    """t up to the constant variance factor, one a row of weights.

    With y* = w u: b* = sum_g w_g a_g / d, and the score of cluster g is
    w_g a_g - in_r[g] . sum_h w_h in_u[h] - b* d_g.
    """
    b = weights @ a / d.sum()
    score = weights * a - (weights @ in_u) @ in_r.T - b[:, None] * d
    return b / np.sqrt((score**2).sum(axis=1))


def _others(x: pd.DataFrame, effects: str) -> pd.DataFrame:
    """The other regressors, a constant, and year dummies where years have effects."""
    years = x.index.get_level_values(1)
    if effects == "two-way":
        dummies = pd.get_dummies(years, dtype=float).iloc[:, 1:].set_axis(x.index)
        x = x.join(dummies.rename(columns="year {}".format))
    return x.assign(__const__=1.0) if effects == "none" else x


def _absorb(v: pd.Series | pd.DataFrame, effects: str) -> np.ndarray:
    if effects != "none":
        v = v - v.groupby(level=0).transform("mean")
    return v.to_numpy(float)


def _by_cluster(matrix: np.ndarray, cluster: np.ndarray, n: int) -> np.ndarray:
    sums = np.zeros((n, matrix.shape[1]))
    np.add.at(sums, cluster, matrix)
    return sums
