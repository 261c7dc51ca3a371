"""Transformations that remove the fixed effect of an entity; years run along the last axis."""

import numpy as np


def lag(values: np.ndarray, periods: int) -> np.ndarray:
    """Values `periods` years earlier, NaN where that year lies before the first.

    Parameters
    ----------
    values : array (..., n_years)
        Consecutive years along the last axis, NaN for a missing year.
    periods : int
        At least 1.
    """
    shifted = np.full(values.shape, np.nan)
    shifted[..., periods:] = values[..., :-periods]
    return shifted


def first_difference(values: np.ndarray) -> np.ndarray:
    """Change on the year before, ``y_t - y_{t-1}``; NaN where either year is missing.

    Parameters
    ----------
    values : array (..., n_years)
        Consecutive years along the last axis, NaN for a missing year.
    """
    values = np.asarray(values, dtype=float)
    return values - lag(values, 1)


def forward_orthogonal(values: np.ndarray) -> np.ndarray:
    """Scaled deviation from the mean of all later years that are there (Helmert transformation).

    ``sqrt(n / (n + 1)) * (y_t - mean of the n later values)``; NaN where y_t or every later value
    is missing. Independent errors of equal variance keep that variance and stay uncorrelated,
    also in an unbalanced panel with gaps.

    Parameters
    ----------
    values : array (..., n_years)
        Consecutive years along the last axis, NaN for a missing year.

    References
    ----------
    Arellano & Bover (1995), Journal of Econometrics 68, p. 41.
    """
    values = np.asarray(values, dtype=float)
    present = np.isfinite(values)
    later_sum = _sum_after(np.where(present, values, 0.0))
    n_later = _sum_after(present.astype(float))
    defined = present & (n_later > 0)
    n_later = np.where(defined, n_later, 1.0)
    deviation = np.sqrt(n_later / (n_later + 1)) * (values - later_sum / n_later)
    return np.where(defined, deviation, np.nan)


def _sum_after(values: np.ndarray) -> np.ndarray:
    """Sum over the strictly later years."""
    total = np.flip(np.cumsum(np.flip(values, -1), -1), -1)
    return np.concatenate([total[..., 1:], np.zeros_like(total[..., :1])], axis=-1)
