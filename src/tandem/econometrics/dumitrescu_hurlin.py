"""Granger non-causality in heterogeneous panels (Dumitrescu & Hurlin 2012)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from tandem.econometrics.panel_arrays import panel_cube
from tandem.econometrics.transforms import lag
from tandem.errors import TandemError


@dataclass(frozen=True, eq=False)
class DumitrescuHurlin:
    """Test that x does not Granger-cause y in any entity.

    Attributes
    ----------
    wbar, zbar, ztilde : float
        Mean Wald statistic; standardised for many years; standardised for few years.
    pvalues : Series
        Two-sided normal p-values of zbar and ztilde.
    wald : Series (n_entities,)
        Wald statistic of each entity, chi-square with `lags` degrees of freedom for many years.
    n_entities, lags : int
    """

    wbar: float
    zbar: float
    ztilde: float
    pvalues: pd.Series
    wald: pd.Series
    n_entities: int
    lags: int


def dumitrescu_hurlin(y: pd.Series, x: pd.Series, lags: int = 1) -> DumitrescuHurlin:
    """Test whether x Granger-causes y in at least one entity.

    Each entity's y is regressed on a constant and `lags` lags of y and of x; its Wald statistic is
    that all lags of x are zero.

    Parameters
    ----------
    y, x : Series (entity-years,)
        Indexed by (entity, year). Entities may start and end in different years.
    lags : int
        K.

    Raises
    ------
    TandemError
        A gap within an entity, a series constant in one, or an entity with T <= 5 + 3K years.

    References
    ----------
    Dumitrescu & Hurlin (2012), Economic Modelling 29, 1450-1460; T counts all years, as in Lopez &
    Weber (2017), Stata Journal 17, 972-984.
    """
    if lags < 1:
        raise TandemError(f"A Granger test has at least one lag; lags={lags} was given.")
    cube, entities, years = panel_cube(pd.DataFrame({"y": y, "x": x}))
    spans = [_span(*item, years, lags) for item in zip(entities, cube, strict=True)]
    wald = pd.Series([_wald(*span, lags) for span in spans], index=entities, name="wald")
    t = np.array([len(y_i) for _, y_i, _ in spans])
    zbar, ztilde = standardise_wbar(wald.mean(), len(entities), t, lags)
    pvalues = pd.Series({"zbar": zbar, "ztilde": ztilde}).abs().map(lambda z: 2 * stats.norm.sf(z))
    return DumitrescuHurlin(float(wald.mean()), zbar, ztilde, pvalues, wald, len(entities), lags)


def standardise_wbar(wbar: float, n: int, t: int | np.ndarray, k: int) -> tuple[float, float]:
    """Zbar and Ztilde of a mean Wald statistic.

    Zbar takes the moments of a chi-square, ``sqrt(n / 2k) (wbar - k)``; Ztilde those of k times an
    F(k, t - 3k - 1), averaged over entities (Dumitrescu & Hurlin 2012, eqs. 27 and 33).

    Parameters
    ----------
    wbar : float
        Mean over entities of the Wald statistics.
    n : int
        Entities.
    t : int or array (n,)
        Years of each entity, those lost to lags included; all above 5 + 3k.
    k : int
        Lags.
    """
    t = np.asarray(t, dtype=float)
    if (t <= 5 + 3 * k).any():
        raise TandemError(
            f"The Dumitrescu-Hurlin test with {k} lag(s) needs more than {5 + 3 * k} years; "
            f"{t.min():.0f} are there: use fewer lags."
        )
    mean = k * (t - 3 * k - 1) / (t - 3 * k - 3)
    variance = 2 * mean**2 * (t - 2 * k - 3) / (k * (t - 3 * k - 5))
    zbar = np.sqrt(n / (2 * k)) * (wbar - k)
    ztilde = np.sqrt(n) * (wbar - mean.mean()) / np.sqrt(variance.mean())
    return float(zbar), float(ztilde)


def _span(entity, series: np.ndarray, years: np.ndarray, lags: int) -> tuple:
    """Entity, y and x over the years it is observed."""
    present = np.isfinite(series).all(axis=0)
    if not present.any():
        raise TandemError(f"{entity} has no year with both series; leave it out.")
    first, last = np.flatnonzero(present)[[0, -1]]
    if not present[first : last + 1].all():
        gap = years[first:][~present[first:]][0]
        raise TandemError(f"{entity} has no value in {gap}; fill the gap or leave the entity out.")
    if last - first + 1 <= 5 + 3 * lags:
        raise TandemError(
            f"{entity} has {last - first + 1} years; the Dumitrescu-Hurlin test with {lags} lag(s) "
            f"needs more than {5 + 3 * lags}: use fewer lags or leave it out."
        )
    for name, values in zip("yx", series[:, first : last + 1], strict=True):
        if values.min() == values.max():
            raise TandemError(f"{name} is constant in {entity}; leave the entity out.")
    return entity, *series[:, first : last + 1]


def _wald(entity, y: np.ndarray, x: np.ndarray, lags: int) -> float:
    """Wald statistic of one entity with the least squares variance, divisor T - 3K - 1."""
    own, other = (np.array([lag(s, j) for j in range(1, lags + 1)])[:, lags:] for s in (y, x))
    restricted = np.vstack([np.ones(len(y) - lags), own]).T
    full = np.hstack([restricted, other.T])
    if np.linalg.matrix_rank(full) < full.shape[1]:
        raise TandemError(f"The lags of x and y are collinear in {entity}; leave the entity out.")
    ssr_restricted, ssr = (_ssr(y[lags:], z) for z in (restricted, full))
    return (ssr_restricted - ssr) / (ssr / (len(full) - full.shape[1]))


def _ssr(y: np.ndarray, z: np.ndarray) -> float:
    residuals = y - z @ np.linalg.lstsq(z, y, rcond=None)[0]
    return float(residuals @ residuals)
