"""Inequality, forecast, spatial correlation and obstacles of the coordination degree."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import exprel

from tandem.errors import TandemError
from tandem.indices._inputs import complete, numbers, refuse, same_kind


class Dagum(NamedTuple):
    """Gini coefficient and its three parts, which sum to it."""

    total: float
    within: float
    between: float
    transvariation: float


class GreyForecast(NamedTuple):
    """Parameters, fitted values and forecasts of a GM(1,1) model."""

    a: float
    b: float
    fitted: np.ndarray | pd.Series
    forecast: np.ndarray | pd.Series


def dagum(groups: Sequence | Mapping) -> Dagum:
    """Dagum's decomposition of the Gini coefficient by groups.

    Parts within groups, net between groups, and transvariation, the overlap between groups
    (Dagum 1997, Empirical Economics 22(4):515-531). With ``B_jh`` the sum of the positive
    differences of members of j over members of h, ``G = sum_jh B_jh / (n^2 mean)``, of which
    ``|B_jh - B_hj|`` is net and ``2 min(B_jh, B_hj)`` is overlap for each pair of groups.

    Parameters
    ----------
    groups : sequence or mapping of arrays or Series
        Values of 0 or more, none missing, at least one a group.

    Returns
    -------
    Dagum
        total, within, between, transvariation.

    Raises
    ------
    TandemError
        On an empty group, a missing or negative value, or if all values are 0.
    """
    groups = list(groups.values()) if isinstance(groups, Mapping) else list(groups)
    parts = [complete(g, "the Gini coefficient needs every value, so leave it out") for g in groups]
    for group, part in zip(groups, parts, strict=True):
        refuse(part < 0, group, "the Gini coefficient needs values of 0 or more")
    if not parts or any(part.size == 0 for part in parts):
        raise TandemError("The Gini coefficient has an empty group: drop it or give its members.")
    values = np.concatenate(parts)
    if values.sum() == 0:
        raise TandemError("All values are 0, so the Gini coefficient is undefined.")
    member = np.repeat(np.eye(len(parts)), [part.size for part in parts], axis=0)
    above = member.T @ np.clip(values[:, None] - values, 0, None) @ member
    above /= values.size * values.sum()
    overlap = np.minimum(above, above.T)
    within = np.trace(above)
    between = np.abs(above - above.T).sum() / 2
    transvariation = overlap.sum() - np.trace(overlap)
    return Dagum(*(float(part) for part in (above.sum(), within, between, transvariation)))


def gm11(x: np.ndarray | pd.Series, ahead: int) -> GreyForecast:
    """Grey model GM(1,1) of a short positive series.

    ``x_t + a z_t = b`` by least squares, z the mean of neighbouring cumulated sums; the response
    is ``x_t = (b - a x_0) (e^a - 1) / a e^(-a t)`` (Deng 1982, Systems & Control Letters
    1(5):288-294). Growth is exponential: a forecast of D above 1 is to be reported as 1.

    Parameters
    ----------
    x : array (n,) or Series
        At least four values above 0, none missing; a Series has consecutive years as index.
    ahead : int
        Periods to forecast.

    Returns
    -------
    GreyForecast
        a, b, fitted (n,), forecast (ahead,).

    Raises
    ------
    TandemError
        On fewer than four values, a missing value or one of 0 or less, or if a level ratio
        ``x_{t-1} / x_t`` lies outside ``(e^(-2/(n+1)), e^(2/(n+1)))``.
    """
    values = complete(x, "GM(1,1) needs every period, so fill it or shorten the series")
    refuse(values <= 0, x, "GM(1,1) needs values above 0")
    n = len(values)
    if n < 4:
        raise TandemError(f"GM(1,1) needs at least four periods, not {n}.")
    jump = np.abs(np.log(values[1:] / values[:-1])) >= 2 / (n + 1)
    advice = "it jumps too far from the period before for GM(1,1), so use another forecast"
    refuse(np.concatenate([[False], jump]), x, advice)
    total = values.cumsum()
    design = np.column_stack([-(total[1:] + total[:-1]) / 2, np.ones(n - 1)])
    a, b = np.linalg.lstsq(design, values[1:])[0]
    steps = np.arange(1, n + ahead)
    response = (b - a * values[0]) * exprel(a) * np.exp(-a * steps)
    fitted, forecast = np.concatenate([values[:1], response[: n - 1]]), response[n - 1 :]
    if isinstance(x, pd.Series):
        fitted = pd.Series(fitted, index=x.index, name=x.name)
        years = pd.RangeIndex(1, ahead + 1, name=x.index.name) + x.index[-1]
        forecast = pd.Series(forecast, index=years, name=x.name)
    return GreyForecast(float(a), float(b), fitted, forecast)


def moran(x: np.ndarray, W: np.ndarray) -> tuple[np.ndarray | float, float]:
    """Moran's I and its expectation without spatial correlation, ``-1 / (n - 1)``.

    ``I = n / sum W * z'W z / z'z`` with z the deviations from the mean (Moran 1950, Biometrika
    37(1/2):17-23).

    Parameters
    ----------
    x : array (..., n)
        Values of n places, for instance one row a year, none missing.
    W : array (n, n)
        Spatial weights of 0 or more, 0 on the diagonal, in the order of `x`.

    Returns
    -------
    statistic : array (...)
    expected : float

    Raises
    ------
    TandemError
        On a missing value, values that are all the same, or weights that do not fit.
    """
    values = complete(x, "Moran's I needs every place, so fill it or leave the place out")
    w = complete(W, "spatial weights must all be given")
    n = values.shape[-1]
    if w.shape != (n, n) or (w < 0).any() or np.diag(w).any() or not w.any():
        raise TandemError(
            f"Spatial weights must be a {n} x {n} table of values of 0 or more, not all 0, with 0 "
            "on the diagonal."
        )
    z = values - values.mean(axis=-1, keepdims=True)
    if (np.ptp(values, axis=-1) == 0).any():
        raise TandemError("All places have the same value, so Moran's I is undefined.")
    return n / w.sum() * ((z @ w) * z).sum(axis=-1) / (z * z).sum(axis=-1), -1 / (n - 1)


def obstacle(z: np.ndarray | pd.DataFrame, w: np.ndarray | pd.Series) -> np.ndarray | pd.DataFrame:
    """Share of each indicator in the distance to the best score.

    ``o_ij = w_j (1 - z_ij) / sum_k w_k (1 - z_ik)``; 0 throughout where the best is reached.

    Parameters
    ----------
    z : array (..., m) or DataFrame (rows, m)
        Normalised indicators in [0, 1]; a missing one makes its row missing.
    w : array or Series (m,)
        Weights; a Series is matched by indicator.

    Returns
    -------
    array or DataFrame like `z`
        Rows sum to 1.

    Raises
    ------
    TandemError
        On a value outside [0, 1] or an indicator without weight.
    """
    values = numbers(z)
    refuse((values < 0) | (values > 1), z, "normalise the indicator to [0, 1] first")
    if isinstance(z, pd.DataFrame) and isinstance(w, pd.Series):
        w = w.reindex(z.columns)
    gap = complete(w, "give each indicator a weight") * (1 - values)
    total = gap.sum(axis=-1, keepdims=True)
    return same_kind(np.divide(gap, total, out=np.zeros_like(gap), where=total != 0), z)
