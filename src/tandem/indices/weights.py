"""Objective weights of the indicators of one subsystem.

Every function takes complete rows only: a matrix (rows, indicators) of entity-years, usually
normalised with `tandem.indices.normalise`, and returns weights that sum to 1, as a Series if the
matrix is a DataFrame. An indicator that does not vary gets weight 0; if none carries information,
weights are equal and a warning says so.
"""

import warnings
from collections.abc import Mapping

import numpy as np
import pandas as pd

from tandem.errors import TandemError
from tandem.indices._inputs import complete, refuse

_ROUNDING = 1e-12


def _matrix(z) -> np.ndarray:
    values = complete(z, "weights need complete rows, so fill it or leave the row out")
    if values.ndim != 2 or values.shape[0] < 2 or values.shape[1] < 1:
        raise TandemError(
            f"Weights need at least two entity-years and one indicator, not a table of shape "
            f"{values.shape}: add data or use equal weights."
        )
    return values


def _to_one(information: np.ndarray) -> np.ndarray:
    """Weights in proportion to `information`, equal if there is none."""
    information = np.where(information < _ROUNDING, 0.0, information)
    if information.sum() > 0:
        return information / information.sum()
    if information.size > 1:
        warnings.warn("No indicator tells the rows apart, so weights are equal.", stacklevel=3)
    return np.full(information.size, 1 / information.size)


def _labelled(values: np.ndarray, z):
    return pd.Series(values, index=z.columns) if isinstance(z, pd.DataFrame) else values


def entropy(z: np.ndarray | pd.DataFrame) -> np.ndarray | pd.Series:
    """Shannon entropy of each indicator over the pooled rows.

    ``e_j = -(1 / ln n) sum_i p_ij ln p_ij`` with ``p_ij = z_ij / sum_i z_ij``, ``0 ln 0 = 0`` and
    n the number of rows, entities times years (Xu 2004, European J. Operational Research
    156(2):530-532). An indicator that is 0 throughout is taken as even: e = 1.

    Parameters
    ----------
    z : array or DataFrame (rows, indicators)
        Non-negative values, at least two rows.

    Returns
    -------
    array or Series (indicators,)
        In [0, 1]; 1 for an indicator that is the same everywhere.

    Raises
    ------
    TandemError
        On a missing or negative value, or fewer than two rows.
    """
    values = _matrix(z)
    refuse(values < 0, z, "entropy needs values of 0 or more, so normalise the indicator first")
    total = values.sum(axis=0)
    p = np.divide(values, total, out=np.full_like(values, 1 / len(values)), where=total > 0)
    e = -(p * np.log(np.where(p > 0, p, 1))).sum(axis=0) / np.log(len(values))
    assert (e > -_ROUNDING).all() and (e < 1 + _ROUNDING).all()
    return _labelled(np.clip(e, 0, 1), z)


def entropy_weights(z: np.ndarray | pd.DataFrame, shift: float = 0.0) -> np.ndarray | pd.Series:
    """Entropy weights ``w_j = (1 - e_j) / sum_k (1 - e_k)``.

    Gives most weight to the most skewed indicator.

    Parameters
    ----------
    z : array or DataFrame (rows, indicators)
        Non-negative values, at least two rows.
    shift : float
        Added to every value first, as some papers do to avoid ln 0; not needed here.

    Raises
    ------
    TandemError
        As `entropy`.
    """
    return _labelled(_to_one(1 - np.asarray(entropy(z + shift if shift else z))), z)


def critic_weights(z: np.ndarray | pd.DataFrame) -> np.ndarray | pd.Series:
    """CRITIC weights: contrast times conflict with the other indicators.

    ``c_j = sd_j sum_k (1 - r_jk)``, ``w_j = c_j / sum_k c_k`` (Diakoulaki, Mavrotas and
    Papayannakis 1995). `z` is min-max normalised with the directions already applied; without
    reversing cost indicators the weights differ. An indicator that does not vary counts as absent.

    Raises
    ------
    TandemError
        On a missing value or fewer than two rows.
    """
    values = _matrix(z)
    with np.errstate(divide="ignore", invalid="ignore"):
        r = np.atleast_2d(np.corrcoef(values, rowvar=False))
    still = np.ptp(values, axis=0) < _ROUNDING
    r[still], r[:, still] = 1, 1
    return _labelled(_to_one(values.std(axis=0, ddof=1) * (1 - r).sum(axis=0)), z)


def cv_weights(z: np.ndarray | pd.DataFrame) -> np.ndarray | pd.Series:
    """Weights in proportion to the coefficient of variation, ``sd_j / mean_j``.

    As in Shuai et al. (2012, Chinese Control and Decision Conference).

    Raises
    ------
    TandemError
        On a missing or negative value, or fewer than two rows.
    """
    values = _matrix(z)
    refuse(
        values < 0, z, "the coefficient of variation needs values of 0 or more, so normalise first"
    )
    mean = values.mean(axis=0)
    cv = np.divide(values.std(axis=0, ddof=1), mean, out=np.zeros_like(mean), where=mean > 0)
    return _labelled(_to_one(cv), z)


def sd_weights(z: np.ndarray | pd.DataFrame) -> np.ndarray | pd.Series:
    """Weights in proportion to the standard deviation.

    As in Salabun, Watrobski and Shekhovtsov (2020, Symmetry 12(9):1549).

    Raises
    ------
    TandemError
        On a missing value or fewer than two rows.
    """
    return _labelled(_to_one(_matrix(z).std(axis=0, ddof=1)), z)


def equal_weights(z: np.ndarray | pd.DataFrame) -> np.ndarray | pd.Series:
    """The same weight, 1 / m, for each of the m indicators; raises as `sd_weights`."""
    m = _matrix(z).shape[1]
    return _labelled(np.full(m, 1 / m), z)


def merec_weights(
    x: np.ndarray | pd.DataFrame, directions: Mapping | pd.Series | list
) -> np.ndarray | pd.Series:
    """MEREC weights: how much the overall performance changes when an indicator is removed.

    ``S_i = ln(1 + mean_j |ln n_ij|)`` with ``n_ij = min_j / x_ij`` for "+" and ``x_ij / max_j``
    for "-"; ``w_j`` is proportional to ``sum_i |S_i(without j) - S_i|``
    (Keshavarz-Ghorabaee et al. 2021, Symmetry 13(4):525, eqs. 1-6).

    Parameters
    ----------
    x : array or DataFrame (rows, indicators)
        Raw values above 0.
    directions : mapping, Series or list
        "+" or "-" for each indicator; by name if `x` is a DataFrame, else in order.

    Raises
    ------
    TandemError
        On a missing value, a value of 0 or less, a direction other than "+" and "-", or fewer
        than two rows.
    """
    values = _matrix(x)
    refuse(values <= 0, x, "MEREC takes logarithms, so it needs values above 0")
    if isinstance(x, pd.DataFrame):
        directions = [directions.get(name) for name in x.columns]
    if len(directions) != values.shape[1] or not set(directions) <= {"+", "-"}:
        raise TandemError(f"MEREC needs '+' or '-' for each indicator, not {list(directions)}.")
    gain = np.array(directions) == "+"
    logs = np.abs(np.log(values / np.where(gain, values.min(axis=0), values.max(axis=0))))
    total = logs.sum(axis=1, keepdims=True)
    m = values.shape[1]
    effect = np.abs(np.log1p((total - logs) / m) - np.log1p(total / m)).sum(axis=0)
    return _labelled(_to_one(effect), x)


def _stacked(weights: tuple) -> np.ndarray:
    first = weights[0]
    if isinstance(first, pd.Series):
        weights = [w.reindex(first.index) if isinstance(w, pd.Series) else w for w in weights]
    stacked = np.array([complete(w, "every weight set needs every indicator") for w in weights])
    if (stacked < 0).any() or not np.allclose(stacked.sum(axis=1), 1):
        raise TandemError("Weights to combine must be 0 or more and sum to 1 in each set.")
    return stacked


def _as_first(values: np.ndarray, first):
    return pd.Series(values, index=first.index) if isinstance(first, pd.Series) else values


def multiplicative_weights(*weights: np.ndarray | pd.Series) -> np.ndarray | pd.Series:
    """Combined weights in proportion to the product of the sets, ``a_j b_j / sum_k a_k b_k``.

    As in Li Hengji et al. (2021). Series are matched by indicator.

    Raises
    ------
    TandemError
        If a set does not sum to 1, lacks an indicator, or no indicator has weight in all sets.
    """
    product = _stacked(weights).prod(axis=0)
    if product.sum() == 0:
        raise TandemError(
            "No indicator has weight in all the sets, so their product gives none: combine other "
            "sets."
        )
    return _as_first(product / product.sum(), weights[0])


def game_weights(*weights: np.ndarray | pd.Series) -> np.ndarray | pd.Series:
    """Game-theoretic combination: the mixture closest to all the sets at once.

    Solves ``sum_k alpha_k (w_i . w_k) = w_i . w_i`` for all i, then mixes the sets with
    ``|alpha| / sum |alpha|``. Sets that are linearly dependent have no unique solution and are
    averaged. Series are matched by indicator.

    Raises
    ------
    TandemError
        If a set does not sum to 1 or lacks an indicator.
    """
    w = _stacked(weights)
    gram = w @ w.T
    if np.linalg.matrix_rank(w) < len(w):
        return _as_first(w.mean(axis=0), weights[0])
    alpha = np.abs(np.linalg.solve(gram, np.diag(gram)))
    return _as_first(alpha / alpha.sum() @ w, weights[0])


METHODS = {
    "entropy": entropy_weights,
    "critic": critic_weights,
    "cv": cv_weights,
    "sd": sd_weights,
    "equal": equal_weights,
}
