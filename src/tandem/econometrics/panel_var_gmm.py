"""One- and two-step GMM of a panel VAR: one fit with its covariance, or many re-weighted fits.

Moments are stacked over equations. With Z_i (L, T), X_i (k, T) and Y_i (K, T) of an entity, its
moments are m_i(B) = vec(Z_i (Y_i - B X_i)'), equation by equation; their sum is g - A vec(B) with
g = vec(Z Y') and A = I_K (x) Z X'.
"""

from dataclasses import dataclass

import numpy as np

from tandem.econometrics.panel_var_moments import Moments
from tandem.errors import TandemError

FLOATS_PER_CHUNK = 4_000_000
MOST_ITERATIONS = 1000


@dataclass(frozen=True)
class Gmm:
    """Scaled coefficients (K, k), covariance of their rows end to end, Hansen's J and its rank.

    `project` (K k, K L) makes the coefficients out of the sums of the moments.
    """

    coef: np.ndarray
    cov: np.ndarray
    j_stat: float
    rank: int
    project: np.ndarray


def fit_gmm(moments: Moments, steps: int | str) -> Gmm:
    """Estimate once.

    One step: weight (sum Z_i H Z_i')^-1 for every equation and robust covariance. Two steps: weight
    (sum m_i m_i')^+ over all equations jointly and the covariance of Windmeijer (2005, eq. 3.2).
    "iterated": weights anew until the coefficients stay; their dependence on themselves enters
    the covariance as (I - D)^-1 V (I - D)^-T, D the derivative in Windmeijer's formula (in form
    Hansen & Lee 2021, Econometrica 89, 1419-1447, with the model right; from memory).
    Hansen's J is that of the two-step (or iterated) estimate: the one-step weight is not optimal.

    Raises
    ------
    TandemError
        Fewer independent moments than coefficients, or iterations that do not settle.
    """
    zx, zy = _per_entity(moments.z, moments.x), _per_entity(moments.z, moments.y)
    zhz = np.tensordot(moments.z, moments.hz, ([0, 2], [0, 2]))
    return fit_blocks(zx, zy, zhz, steps)


def fit_blocks(zx: np.ndarray, zy: np.ndarray, zhz: np.ndarray, steps: int | str) -> Gmm:
    """`fit_gmm` from the cross-products Z_i X_i' (N, L, k), Z_i Y_i' (N, L, K), sum Z_i H Z_i'."""
    n_equations = zy.shape[2]
    a = _blockwise(n_equations, zx.sum(axis=0))
    g = zy.sum(axis=0).T.ravel()

    w1 = _blockwise(n_equations, _pseudo_inverse(zhz))
    bread1 = np.linalg.inv(a.T @ w1 @ a)
    b1 = bread1 @ a.T @ w1 @ g
    m = _entity_moments(zx, zy, b1.reshape(n_equations, -1))
    half1 = m @ w1 @ a @ bread1
    cov1 = half1.T @ half1

    b2, bread2, w2, rank = _reweighted(m, a, g)
    for _ in range(MOST_ITERATIONS if steps == "iterated" else 0):
        before = b2
        m = _entity_moments(zx, zy, b2.reshape(n_equations, -1))
        b2, bread2, w2, rank = _reweighted(m, a, g)
        if np.abs(b2 - before).max() <= 1e-10:
            break
    else:
        if steps == "iterated":
            raise TandemError(
                f"Iterated GMM does not settle in {MOST_ITERATIONS} steps; use two steps, or fewer "
                "instruments."
            )
    v = w2 @ (g - a @ b2)
    j_stat = float((g - a @ b2) @ v)
    if steps == 1:
        return Gmm(b1.reshape(n_equations, -1), cov1, j_stat, rank, bread1 @ a.T @ w1)
    d = bread2 @ a.T @ w2 @ _weight_derivative(m, zx, v)
    if steps == "iterated":
        inverse = np.linalg.inv(np.eye(len(d)) - d)
        cov2 = inverse @ bread2 @ inverse.T
    else:
        cov2 = bread2 + d @ bread2 + bread2 @ d.T + d @ cov1 @ d.T
    return Gmm(b2.reshape(n_equations, -1), cov2, j_stat, rank, bread2 @ a.T @ w2)


def _reweighted(m: np.ndarray, a: np.ndarray, g: np.ndarray) -> tuple:
    """Coefficients, their bread, the weight out of the entities' moments m, and its rank."""
    w, rank = _inverse_of_crossproduct(m)
    if rank < a.shape[1]:
        raise TandemError(
            f"{len(m)} entities give {rank} independent moments for {a.shape[1]} coefficients; "
            "use fewer lags or variables, or more entities."
        )
    bread = np.linalg.inv(a.T @ w @ a)
    return bread @ a.T @ w @ g, bread, w, rank


def residual_covariance(moments: Moments, coef: np.ndarray) -> np.ndarray:
    """Covariance (K, K) of the errors in levels, divisor n - k, year effects in k.

    Forward deviations of independent errors keep their covariance; differences double it.
    """
    y, x = moments.transformed
    residuals = y - coef @ x
    total = np.tensordot(residuals, residuals, ([0, 2], [0, 2]))
    return total / (moments.rows.sum() - _n_estimated(moments)) / moments.error_variance


def _n_estimated(moments: Moments) -> int:
    return moments.x.shape[1] + moments.n_years_removed


def refit(moments: Moments, steps: int | str, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Estimate anew for every set of entity weights, both steps and the weight matrices included.

    Resampling entities only re-weights their cross-products, which are computed once; a chunk of
    draws is then a few stacked matrix products and eigendecompositions. Iterated GMM stops a chunk
    at a change of 1e-6 or 50 rounds.

    Parameters
    ----------
    weights : array (draws, N)
        How often each entity is drawn.

    Returns
    -------
    coef : array (draws, K, k)
    sigma : array (draws, K, K)
        Residual covariances, as `residual_covariance`.
    """
    blocks = _blocks(moments)
    zx, zy = blocks["zx"], blocks["zy"]
    n, n_instruments, n_equations = zy.shape
    n_moments = n_instruments * n_equations
    per_draw = n * n_moments + 3 * min(n, n_moments) ** 2 + 3 * n_instruments**2
    size = max(1, FLOATS_PER_CHUNK // per_draw)
    fits = []
    for start in range(0, len(weights), size):
        w = weights[start : start + size].astype(float)
        total = {name: np.tensordot(w, block, 1) for name, block in blocks.items()}
        b = _weighted(total, zx[None], zy[None], steps, w)
        fits.append((b, _weighted_sigma(moments, total, b, w @ moments.rows.sum(axis=1))))
    coef, sigma = zip(*fits, strict=True)
    return np.concatenate(coef), np.concatenate(sigma)


def refit_panels(
    moments: Moments, steps: int | str, place: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Estimate many panels that are made of the entities at hand, several times or never each.

    Parameters
    ----------
    place : array (panels, n)
        The entities of each panel.

    Returns
    -------
    coef : array (panels, K, k)
    sigma : array (panels, K, K)
    """
    blocks, count = _blocks(moments), moments.rows.sum(axis=1)
    size = max(1, FLOATS_PER_CHUNK // (place.shape[1] * sum(b[0].size for b in blocks.values())))
    fits = []
    for start in range(0, len(place), size):
        mine = place[start : start + size]
        total = {name: block[mine].sum(axis=1) for name, block in blocks.items()}
        own = (blocks[name][mine] for name in ("zx", "zy"))
        b = _weighted(total, *own, steps, np.ones(mine.shape))
        fits.append((b, _weighted_sigma(moments, total, b, count[mine].sum(axis=1))))
    coef, sigma = zip(*fits, strict=True)
    return np.concatenate(coef), np.concatenate(sigma)


def _blocks(moments: Moments) -> dict[str, np.ndarray]:
    """Cross-products of every entity."""
    y, x = moments.transformed
    return {
        "zhz": _per_entity(moments.z, moments.hz),
        "zx": _per_entity(moments.z, moments.x),
        "zy": _per_entity(moments.z, moments.y),
        "yy": _per_entity(y, y),
        "xy": _per_entity(x, y),
        "xx": _per_entity(x, x),
    }


def _weighted(total: dict, zx, zy, steps: int | str, w: np.ndarray) -> np.ndarray:
    b = _weighted_one_step(total)
    for _ in range({1: 0, 2: 1}.get(steps, 50)):
        before, b = b, _weighted_two_step(total, zx, zy, b, w)
        if np.abs(b - before).max() <= 1e-6:
            break
    return b


def _weighted_sigma(moments: Moments, total: dict, b: np.ndarray, count: np.ndarray) -> np.ndarray:
    xy_b = b @ total["xy"]
    ssr = total["yy"] - xy_b - _t(xy_b) + b @ total["xx"] @ _t(b)
    return ssr / (count - _n_estimated(moments))[:, None, None] / moments.error_variance


def _weighted_one_step(total: dict) -> np.ndarray:
    """Coefficients (draws, K, k) with the one-step weight."""
    values, vectors = np.linalg.eigh(total["zhz"])
    root = _power(values, -0.5)[..., None] * _t(vectors)
    wx, wy = root @ total["zx"], root @ total["zy"]
    return _t(_solve_normal(wx, wy))


def _weighted_two_step(total: dict, zx, zy, b1: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Coefficients (draws, K, k) with the joint two-step weight (M'M)^+, M (N, K L) at `b1`.

    zx, zy (draws or 1, N, L, .) are the entities' own. As in `_inverse_of_crossproduct` the
    columns of M are brought to length one. With more moments than entities the same weight is
    M' (MM')^+ (MM')^+ M, a smaller inverse.
    """
    draws, n_equations, n_regressors = b1.shape
    groups, n, n_instruments, _ = zx.shape
    m = zx.reshape(groups, -1, n_regressors) @ _t(b1)  # (draws, N L, K)
    m = zy.reshape(groups, *m.shape[1:]) - m
    m = _t(m).reshape(draws, n_equations, n, n_instruments)
    m = m.transpose(0, 2, 1, 3).reshape(draws, n, -1)
    m *= np.sqrt(w)[..., None]
    length = _lengths(m)
    m /= length
    g = _t(total["zy"]).reshape(draws, -1, 1)
    if m.shape[2] <= n:
        values, vectors = np.linalg.eigh(_t(m) @ m)
        root = _t(vectors) * _power(values, -0.5)[..., None] / length
        wa, wg = _times_a(root, total["zx"], n_equations), root @ g
    else:
        values, vectors = np.linalg.eigh(m @ _t(m))
        root = _t(vectors) * _power(values, -1.0)[..., None]
        m /= length
        wa, wg = root @ _times_a(m, total["zx"], n_equations), root @ (m @ g)
    return _solve_normal(wa, wg).reshape(draws, n_equations, n_regressors)


def _times_a(rows: np.ndarray, zx: np.ndarray, n_equations: int) -> np.ndarray:
    """rows (draws, R, K L) times the block-diagonal A without forming it."""
    draws, n_rows, _ = rows.shape
    split = rows.reshape(draws, n_rows * n_equations, -1)
    return (split @ zx).reshape(draws, n_rows, -1)


def _solve_normal(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Least squares of b on a."""
    values, vectors = np.linalg.eigh(_t(a) @ a)
    return vectors @ (_power(values, -1.0)[..., None] * (_t(vectors) @ (_t(a) @ b)))


def _power(values: np.ndarray, exponent: float) -> np.ndarray:
    """Powers of eigenvalues, zero for those that are zero relative to the largest."""
    significant = values > _tolerance(values.shape[-1]) * values[..., -1:]
    return np.where(significant, np.where(significant, values, 1.0) ** exponent, 0.0)


def _tolerance(size: int) -> float:
    return size * np.finfo(float).eps


def _pseudo_inverse(matrix: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * _power(values, -1.0)) @ vectors.T


def _inverse_of_crossproduct(m: np.ndarray) -> tuple[np.ndarray, int]:
    """(M'M)^+ and its rank, from the singular values of M so that nothing is squared first.

    The columns of M are brought to length one, so that a singular weight depends on no units.
    """
    length = _lengths(m)
    _, singular, vt = np.linalg.svd(m / length, full_matrices=False)
    rank = int((singular**2 > _tolerance(max(m.shape)) * singular[0] ** 2).sum())
    root = vt[:rank] / singular[:rank, None] / length
    return root.T @ root, rank


def _lengths(m: np.ndarray) -> np.ndarray:
    """Length (..., 1, K L) of each column, 1 where it is zero."""
    length = np.sqrt((m**2).sum(axis=-2, keepdims=True))
    return np.where(length > 0, length, 1.0)


def _weight_derivative(m: np.ndarray, zx: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Minus the derivative of (sum m_i m_i') v with respect to each coefficient, v held fixed."""
    v_by_equation = v.reshape(-1, zx.shape[1])
    own = _blockwise(len(v_by_equation), np.tensordot(m @ v, zx, 1))
    other = m.T @ np.einsum("el,nlc->nec", v_by_equation, zx).reshape(len(zx), -1)
    return own + other


def _entity_moments(zx: np.ndarray, zy: np.ndarray, coef: np.ndarray) -> np.ndarray:
    """(N, K L) moments of each entity, equation by equation."""
    return (zy - zx @ coef.T).transpose(0, 2, 1).reshape(len(zx), -1)


def _blockwise(n: int, matrix: np.ndarray) -> np.ndarray:
    """Block-diagonal matrix of n copies."""
    return matrix if n == 1 else np.kron(np.eye(n), matrix)


def _per_entity(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a @ _t(b)


def _t(matrix: np.ndarray) -> np.ndarray:
    return np.swapaxes(matrix, -1, -2)
