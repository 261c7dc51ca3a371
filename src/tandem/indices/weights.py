"""Weights of the indicators of one subsystem, from data or from an expert's comparisons.

Every data-based function takes complete rows only: a matrix (rows, indicators) of entity-years,
usually normalised with `tandem.indices.normalise`, and returns weights that sum to 1, as a Series
if the matrix is a DataFrame. An indicator that does not vary gets weight 0; if none carries
information, weights are equal and a warning says so.
"""

import warnings
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import scipy

from tandem.errors import TandemError
from tandem.indices._inputs import complete, numbers, refuse

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


class PrincipalComponents(NamedTuple):
    """Result of `principal_components`; m indicators, k components kept."""

    weights: np.ndarray | pd.Series  # (m,), sum to 1
    loadings: np.ndarray | pd.DataFrame  # (m, m) eigenvectors, largest eigenvalue first
    eigenvalues: np.ndarray  # (m,)
    kept: int
    kmo: float
    bartlett: float
    bartlett_df: int
    bartlett_pvalue: float


def principal_components(z: np.ndarray | pd.DataFrame) -> PrincipalComponents:
    """Principal components of the correlation matrix, the weights they give and two tests.

    Components with an eigenvalue above 1 are kept, at least the first; ``w_j`` is proportional to
    ``sum_k |a_jk| lambda_k`` with unit eigenvectors a (from memory: common use, no original at
    hand). The sign of each component is such that it rises with the mean of the standardised
    indicators. Kaiser-Meyer-Olkin measure ``sum r^2 / (sum r^2 + sum q^2)`` over pairs, q the
    partial correlations, and Bartlett's test of sphericity ``-(n - 1 - (2 m + 5) / 6) ln det R``
    with ``m (m - 1) / 2`` degrees of freedom (both from memory). KMO is inflated by common trends.

    Parameters
    ----------
    z : array or DataFrame (rows, indicators)
        An indicator that does not vary gets weight and loadings 0 and is in neither test. KMO is
        NaN and Bartlett infinite where indicators are linearly dependent.

    Raises
    ------
    TandemError
        On a missing value or fewer than two rows.
    """
    values = _matrix(z)
    varies = np.ptp(values, axis=0) >= _ROUNDING
    n, m, size = len(values), int(varies.sum()), values.shape[1]
    r = np.atleast_2d(np.corrcoef(values[:, varies], rowvar=False)) if m else np.empty((0, 0))
    lambdas, vectors = np.linalg.eigh(r)
    lambdas, vectors = lambdas[::-1], vectors[:, ::-1]
    # The covariance of a component with the mean of the standardised indicators is a' R 1.
    vectors = vectors * np.where(vectors.T @ r.sum(axis=1) < -_ROUNDING, -1, 1)
    kept = max(int((lambdas > 1 + 1e-9).sum()), min(m, 1))
    information = np.zeros(size)
    information[varies] = np.abs(vectors[:, :kept]) @ lambdas[:kept]
    loadings = np.zeros((size, size))
    loadings[np.flatnonzero(varies), :m] = vectors
    kmo, statistic = _adequacy(r, lambdas, n)
    df = m * (m - 1) // 2
    if isinstance(z, pd.DataFrame):
        loadings = pd.DataFrame(loadings, z.columns, [f"PC{k + 1}" for k in range(size)])
    return PrincipalComponents(
        _labelled(_to_one(information), z),
        loadings,
        np.append(lambdas, np.zeros(size - m)),
        kept,
        kmo,
        statistic,
        df,
        float(scipy.stats.chi2.sf(statistic, df)) if df else np.nan,
    )


def _adequacy(r: np.ndarray, lambdas: np.ndarray, n: int) -> tuple[float, float]:
    """Kaiser-Meyer-Olkin measure and Bartlett's statistic of a correlation matrix of n rows."""
    m = len(r)
    if m < 2:
        return np.nan, np.nan
    if lambdas[-1] < 1e-10:
        return np.nan, np.inf
    inverse = np.linalg.inv(r)
    scale = np.sqrt(np.diag(inverse))
    pairs = np.triu_indices(m, 1)
    simple, partial = (r[pairs] ** 2).sum(), ((inverse / np.outer(scale, scale))[pairs] ** 2).sum()
    kmo = simple / (simple + partial) if simple + partial > 0 else np.nan
    return float(kmo), float(-(n - 1 - (2 * m + 5) / 6) * np.log(lambdas).sum())


def pca_weights(z: np.ndarray | pd.DataFrame) -> np.ndarray | pd.Series:
    """Weights from the principal components of the correlation matrix.

    See `principal_components`, which also reports loadings, KMO and Bartlett's test.
    """
    return principal_components(z).weights


class Comparison(NamedTuple):
    """Result of `ahp_weights`; a consistency ratio above 0.1 calls for new comparisons."""

    weights: np.ndarray | pd.Series
    lambda_max: float
    consistency_ratio: float


# Mean consistency index of random comparison matrices of 1, 2, ... 10 indicators (Saaty 1980; from
# memory).
RANDOM_INDEX = (0, 0, 0.58, 0.90, 1.12, 1.24, 1.32, 1.41, 1.45, 1.49)


def ahp_weights(comparisons: np.ndarray | pd.DataFrame) -> Comparison:
    """Weights from an expert's pairwise comparisons, the analytic hierarchy process.

    The weights are the eigenvector of the largest eigenvalue, with consistency ratio
    ``(lambda_max - m) / (m - 1) / RANDOM_INDEX[m - 1]`` (Saaty 1980; from memory). A ratio above
    0.1 draws a warning.

    Parameters
    ----------
    comparisons : array or DataFrame (m, m)
        How many times indicator i matters as much as indicator j; 1 on the diagonal and
        ``a_ji = 1 / a_ij`` (to 1 %, so that 0.33 may stand for 1 / 3); at most 10 indicators.

    Raises
    ------
    TandemError
        If the matrix is not square, positive and reciprocal, or has more than 10 rows.
    """
    a = complete(comparisons, "compare every pair of indicators")
    if a.ndim != 2 or a.shape[0] != a.shape[1] or not 1 <= len(a) <= len(RANDOM_INDEX):
        raise TandemError(
            f"Comparisons form a square of 1 to {len(RANDOM_INDEX)} indicators, not {a.shape}: "
            "split a longer list into groups."
        )
    refuse(a <= 0, comparisons, "a comparison is above 0")
    with np.errstate(over="ignore"):
        refuse(np.abs(a * a.T - 1) > 0.01, comparisons, "it must be 1 / the opposite comparison")
    values, vectors = np.linalg.eig(a)
    top = np.argmax(values.real)
    weights = np.abs(vectors[:, top].real)
    m, largest = len(a), float(values[top].real)
    ratio = max(largest - m, 0) / (m - 1) / RANDOM_INDEX[m - 1] if m > 2 else 0.0
    if ratio > 0.1:
        warnings.warn(
            f"The comparisons contradict each other: consistency ratio {ratio:.2f} is above 0.1.",
            stacklevel=2,
        )
    return Comparison(_labelled(weights / weights.sum(), comparisons), largest, ratio)


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


def linear_weights(
    *weights: np.ndarray | pd.Series, shares: Sequence[float] | None = None
) -> np.ndarray | pd.Series:
    """Combined weights as the mean of the sets, or their mixture with `shares` that sum to 1.

    Series are matched by indicator.

    Raises
    ------
    TandemError
        If a set does not sum to 1 or lacks an indicator, or the shares are not one a set, 0 or
        more, with sum 1.
    """
    w = _stacked(weights)
    mix = np.full(len(w), 1 / len(w)) if shares is None else np.asarray(shares, dtype=float)
    if mix.shape != (len(w),) or not (mix >= 0).all() or not np.isclose(mix.sum(), 1):
        raise TandemError(
            f"The shares of {len(w)} weight sets must be 0 or more and sum to 1, not "
            f"{mix.tolist()}."
        )
    return _as_first(mix @ w, weights[0])


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
    if np.linalg.matrix_rank(gram, hermitian=True) < len(w):  # the sets may differ by rounding
        return _as_first(w.mean(axis=0), weights[0])
    alpha = np.abs(np.linalg.solve(gram, np.diag(gram)))
    return _as_first(alpha / alpha.sum() @ w, weights[0])


# What a study file can choose from. MEREC needs raw values, AHP an expert; PCA: `pca_weights`.
METHODS = {
    "entropy": entropy_weights,
    "critic": critic_weights,
    "cv": cv_weights,
    "sd": sd_weights,
    "equal": equal_weights,
}


def weight_table(z: pd.DataFrame) -> pd.DataFrame:
    """Weights of the indicators by every method that needs `z` alone, and their combinations.

    Returns
    -------
    DataFrame (indicators, methods)
        The methods of `METHODS`, pca, and game and multiplicative of entropy and CRITIC
        (multiplicative is missing where no indicator has weight in both).

    Raises
    ------
    TandemError
        As `entropy`.
    """
    table = pd.DataFrame({name: method(z) for name, method in METHODS.items()})
    table["pca"] = pca_weights(z)
    pair = table["entropy"], table["critic"]
    table["game"] = game_weights(*pair)
    table["multiplicative"] = np.nan
    if (pair[0] * pair[1]).sum() > 0:
        table["multiplicative"] = multiplicative_weights(*pair)
    return table.rename_axis("indicator")


def weight_agreement(table: pd.DataFrame) -> pd.DataFrame:
    """How far weight sets agree.

    Parameters
    ----------
    table : DataFrame (indicators, methods)
        From `weight_table`, at least two indicators.

    Returns
    -------
    DataFrame
        Index method; the Spearman rank correlation with each method (NaN for a set whose weights
        are all the same), largest (the largest weight) and largest_indicator.
    """
    ranks = table.round(12).rank()  # equal but for rounding counts as a tie
    agreement = ranks.corr().rename_axis("method")
    agreement["largest"] = table.max()
    agreement["largest_indicator"] = table.round(12).idxmax()
    return agreement


def weighted_score(z: pd.DataFrame, weights: pd.Series, missing: str = "keep") -> pd.Series:
    """Score of a subsystem, ``U_i = sum_j w_j z_ij``.

    Parameters
    ----------
    z : DataFrame (rows, indicators)
        Normalised indicators.
    weights : Series (indicators,)
        Weights that sum to 1, an indicator of `z` each.
    missing : {"keep", "renormalise", "refuse"}
        A row that lacks an indicator has no score; or the weights of the indicators it has are
        scaled up to 1, with a warning that counts the rows (a row without any stays missing); or
        it raises.

    Raises
    ------
    TandemError
        On text, an infinity, weights that do not fit the indicators or do not sum to 1, an
        unknown `missing`, or a missing value with "refuse".
    """
    if missing not in ("keep", "renormalise", "refuse"):
        raise TandemError(f"A missing value is to keep, renormalise or refuse, not {missing!r}.")
    if set(weights.index) != set(z.columns):
        raise TandemError(
            f"Weights are for {', '.join(map(str, weights.index))} but the indicators are "
            f"{', '.join(map(str, z.columns))}: give each indicator one weight."
        )
    w = _stacked((weights.reindex(z.columns),))[0]
    values = complete(z, "fill it or leave the row out") if missing == "refuse" else numbers(z)
    if missing != "renormalise":
        return pd.Series(values @ w, index=z.index)
    there = ~np.isnan(values)
    rows = int((~there.all(axis=1)).sum())
    if rows:
        warnings.warn(
            f"{rows} row(s) lack an indicator and are scored with the weights of the others.",
            stacklevel=2,
        )
    weight = there @ w
    score = np.where(there, values, 0) @ w
    return pd.Series(np.divide(score, weight, np.full(len(z), np.nan), where=weight > 0), z.index)
