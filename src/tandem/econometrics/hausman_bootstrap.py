"""Hausman's test with a variance from resampled entities."""

import numpy as np
import pandas as pd

from tandem.econometrics.hausman import Hausman
from tandem.econometrics.panel_arrays import panel_cube
from tandem.econometrics.static import panel_regression
from tandem.errors import TandemError


def hausman_bootstrap(y: pd.Series, x: pd.DataFrame, draws: int = 999, seed=1) -> Hausman:
    """Compare fixed with random effects, ``d' V^-1 d``, V the covariance of d over resamples.

    Both models are fitted anew to entities drawn with replacement, so that errors may be
    heteroskedastic and serially correlated and V always exists. The quasi-demeaning of random
    effects is held at the sample's: under the null the slopes are consistent with any, and variance
    components estimated anew are zero in some resamples, which costs the test its power. The
    p-value is the share of resamples whose centred difference lies as far from zero.

    Parameters
    ----------
    y : Series (entity-years,)
        Indexed by (entity, year); unbalanced panels are allowed, incomplete rows are left out.
    x : DataFrame (entity-years, k)
        Regressors that vary within entities, without a constant.
    draws : int
    seed : int, sequence of int or SeedSequence

    Raises
    ------
    TandemError
        Too few entities, and what `panel_regression` with entity effects refuses.

    References
    ----------
    Cameron & Miller (2015), Journal of Human Resources 50, section III.D (from memory). Random
    effects as in linearmodels: Swamy-Arora components, harmonic mean of the years.
    """
    cube, _, _ = panel_cube(pd.concat([y.rename("__y__"), x], axis=1))
    rows = np.isfinite(cube).all(axis=1)
    cube, rows = cube[rows.any(axis=1)], rows[rows.any(axis=1)]
    scale = np.nanstd(cube, axis=(0, 2))  # no tolerance depends on units
    cube, k = cube / scale[:, None], x.shape[1]
    if len(cube) <= k + 1:
        raise TandemError(f"{len(cube)} entities cannot tell the effects of {k} regressors apart.")
    panel_regression(y, x, "entity", "unadjusted")  # refuses what is collinear within entities
    blocks = _blocks(cube, rows)
    theta = _quasi_demeaning(blocks, k)
    n = len(cube)
    weights = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=draws)
    fixed, random = _slopes(np.vstack([np.ones((1, n)), weights]), blocks, theta, k)
    d, drawn = (fixed - random)[0], (fixed - random)[1:]
    inverse = np.linalg.inv(np.atleast_2d(np.cov(drawn, rowvar=False)))
    stat = float(d @ inverse @ d)
    centred = drawn - d
    far = np.einsum("bi,ij,bj->b", centred, inverse, centred)
    return Hausman(stat, k, float((1 + (far >= stat).sum()) / (1 + draws)), True, "")


def _blocks(cube: np.ndarray, rows: np.ndarray) -> dict[str, np.ndarray]:
    """Per entity: cross-products of y, x within; means with a constant; years."""
    count = rows.sum(axis=1)
    filled = np.where(rows[:, None], np.nan_to_num(cube), 0.0)
    means = filled.sum(axis=2) / count[:, None]
    left = (filled - means[..., None]) * rows[:, None]
    within = left @ left.transpose(0, 2, 1)
    with_constant = np.column_stack([means, np.ones(len(means))])
    outer = with_constant[:, :, None] * with_constant[:, None, :]
    return {"within": within, "means": outer, "count": count.astype(float)}


def _quasi_demeaning(blocks: dict, k: int) -> np.ndarray:
    """Share (N,) of each entity's mean that random effects take away."""
    count = blocks["count"]
    n = len(count)
    _, ssr_within = _least_squares(blocks["within"].sum(axis=0, keepdims=True), k)
    _, ssr_means = _least_squares(blocks["means"].sum(axis=0, keepdims=True), k + 1)
    error = ssr_within / (count.sum() - k - n)
    harmonic = n / (1 / count).sum()
    effect = np.maximum(0.0, ssr_means / (n - k - 1) - error / harmonic)
    return 1 - np.sqrt(error / (count * effect + error))


def _slopes(weights: np.ndarray, blocks: dict, theta, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Slopes (draws, k) of fixed and random effects for weights (draws, N) of the entities."""
    within = np.tensordot(weights, blocks["within"], 1)
    fixed, _ = _least_squares(within, k)
    total = np.tensordot(weights * (1 - theta) ** 2 * blocks["count"], blocks["means"], 1)
    total[:, : k + 1, : k + 1] += within
    return fixed, _least_squares(total, k + 1)[0][:, :k]


def _least_squares(products: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Slopes (draws, k) and residual sums out of cross-products with y first."""
    xx, xy = products[:, 1 : k + 1, 1 : k + 1], products[:, 1 : k + 1, 0]
    b = np.linalg.solve(xx, xy[..., None])[..., 0]
    return b, products[:, 0, 0] - (b * xy).sum(axis=1)
