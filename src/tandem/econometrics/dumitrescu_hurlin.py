"""Granger non-causality in heterogeneous panels (Dumitrescu & Hurlin 2012)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from tandem.econometrics.in_text import in_text
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
    bootstrap_p : float
        Share of resamples under the null whose mean Wald statistic is as large; the same for zbar
        and ztilde, which rise with it. NaN without draws.
    """

    wbar: float
    zbar: float
    ztilde: float
    pvalues: pd.Series
    wald: pd.Series
    n_entities: int
    lags: int
    bootstrap_p: float = np.nan
    summary = property(in_text)


def dumitrescu_hurlin(
    y: pd.Series, x: pd.Series, lags: int | str = 1, draws: int = 0, seed=1
) -> DumitrescuHurlin:
    """Test whether x Granger-causes y in at least one entity.

    Each entity's y is regressed on a constant and `lags` lags of y and of x; its Wald statistic is
    that all lags of x are zero.

    Parameters
    ----------
    y, x : Series (entity-years,)
        Indexed by (entity, year). Entities may start and end in different years.
    lags : int or {"aic", "bic", "hqic"}
        K, or the criterion whose mean over entities chooses it on one sample, up to
        ``4 (T / 100)^(2/9)``.
    draws : int
        Resamples for `bootstrap_p`, 0 for none. Each entity's y is built anew from its regression
        on its own past, with the residuals of years drawn jointly for all entities, so that
        dependence between entities stays; x stays as it is (Dumitrescu & Hurlin 2012, section 6.2).
    seed : int, sequence of int or SeedSequence

    Raises
    ------
    TandemError
        A gap within an entity, a series constant in one, an entity with T <= 5 + 3K years, or a
        bootstrap of entities that cover different years.

    References
    ----------
    Dumitrescu & Hurlin (2012), Economic Modelling 29, 1450-1460; T counts all years, as in Lopez &
    Weber (2017), Stata Journal 17, 972-984.
    """
    if isinstance(lags, str):
        lags = _choose_lags(y, x, lags)
    if lags < 1:
        raise TandemError(f"A Granger test has at least one lag; lags={lags} was given.")
    cube, entities, years = panel_cube(pd.DataFrame({"y": y, "x": x}))
    spans = [_span(*item, years, lags) for item in zip(entities, cube, strict=True)]
    wald = pd.Series([_wald(*span, lags) for span in spans], index=entities, name="wald")
    t = np.array([len(y_i) for _, y_i, _ in spans])
    zbar, ztilde = standardise_wbar(wald.mean(), len(entities), t, lags)
    pvalues = pd.Series({"zbar": zbar, "ztilde": ztilde}).abs().map(lambda z: 2 * stats.norm.sf(z))
    wbar, bootstrap_p = float(wald.mean()), np.nan
    if draws:
        if not np.isfinite(cube).all():
            raise TandemError(
                "The bootstrap draws years for all entities at once; they must cover the same "
                "years: shorten the panel or leave entities out."
            )
        drawn = _bootstrap(cube, lags, draws, np.random.default_rng(seed))
        bootstrap_p = float((1 + (drawn >= wbar).sum()) / (1 + draws))
    return DumitrescuHurlin(wbar, zbar, ztilde, pvalues, wald, len(entities), lags, bootstrap_p)


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


def _choose_lags(y: pd.Series, x: pd.Series, criterion: str) -> int:
    """Lags with the least mean criterion over entities, all on the sample of the most."""
    penalties = {
        "aic": lambda n: 2.0,
        "bic": np.log,
        "hqic": lambda n: 2 * np.log(np.log(n)),
    }
    if criterion not in penalties:
        raise TandemError(f"Lags are a number, 'aic', 'bic' or 'hqic'; '{criterion}' is none.")
    cube, entities, years = panel_cube(pd.DataFrame({"y": y, "x": x}))
    shortest = int(np.isfinite(cube).all(axis=1).sum(axis=1).min())
    if shortest < 9:
        raise TandemError(f"{shortest} years allow no lag; the test needs at least 9.")
    # a criterion that may go on until few degrees of freedom are left always does
    most = max(1, min((shortest - 6) // 3, int(4 * (shortest / 100) ** (2 / 9))))
    means = []
    for k in range(1, most + 1):
        values = []
        for item in zip(entities, cube, strict=True):
            _, own, other = _span(*item, years, k)
            z = _design(own, other, k)[most - k :]
            n = len(z)
            values.append(
                np.log(_ssr(own[most:], z) / n) + penalties[criterion](n) * z.shape[1] / n
            )
        means.append(np.mean(values))
    return int(np.argmin(means)) + 1


def _bootstrap(cube: np.ndarray, k: int, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Mean Wald statistics (draws,) under the null; no loop over draws or entities."""
    cube = cube / cube.std(axis=2, keepdims=True)  # no tolerance depends on units
    y, x = cube[:, 0], cube[:, 1]
    n, t = y.shape
    past = np.stack([y[:, k - j : t - j] for j in range(1, k + 1)], axis=2)
    z = np.concatenate([np.ones((n, t - k, 1)), past], axis=2)
    coef = np.linalg.solve(z.transpose(0, 2, 1) @ z, z.transpose(0, 2, 1) @ y[:, k:, None])
    residuals = y[:, k:] - (z @ coef)[..., 0]
    years = rng.integers(0, t - k, (draws, t - k))
    first = rng.integers(0, t - k + 1, draws)  # where the first values are taken from
    built = np.empty((t, draws, n))
    for j in range(k):
        built[j] = y.T[first + j]
    constant, slopes = coef[:, 0, 0], coef[:, 1:, 0]
    for s in range(k, t):
        built[s] = constant + residuals.T[years[:, s - k]]
        for j in range(1, k + 1):
            built[s] += slopes[:, j - 1] * built[s - j]
    return _mean_walds(built, x.T[:, None], k)


def _mean_walds(y: np.ndarray, x: np.ndarray, k: int) -> np.ndarray:
    """Mean over entities of Wald statistics, y (T, draws, N), x (T, 1, N)."""
    t = len(y)
    own, other = ([a[k - j : t - j] for j in range(1, k + 1)] for a in (y, x))
    columns = [a - a.mean(axis=0) for a in (*own, *other, y[k:])]
    m = len(columns)
    products = np.empty((*np.broadcast_shapes(y.shape[1:], x.shape[1:]), m, m))
    for i in range(m):
        for j in range(i, m):
            products[..., i, j] = products[..., j, i] = np.einsum(
                "t...,t...->...", columns[i], columns[j]
            )
    full = products[..., -1, -1] - _explained(products, 2 * k)
    less = products[..., -1, -1] - _explained(products, k)
    return ((less - full) / (full / (t - 3 * k - 1))).mean(axis=-1)


def _explained(products: np.ndarray, k: int) -> np.ndarray:
    """Sum of squares of the last variable that the first k explain."""
    xx, xy = products[..., :k, :k], products[..., :k, -1]
    return (xy * np.linalg.solve(xx, xy[..., None])[..., 0]).sum(axis=-1)


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


def _design(y: np.ndarray, x: np.ndarray, lags: int) -> np.ndarray:
    """Constant, lags of y, lags of x, a row a year from `lags` on."""
    own, other = (np.array([lag(s, j) for j in range(1, lags + 1)])[:, lags:] for s in (y, x))
    return np.vstack([np.ones(len(y) - lags), own, other]).T


def _wald(entity, y: np.ndarray, x: np.ndarray, lags: int) -> float:
    """Wald statistic of one entity with the least squares variance, divisor T - 3K - 1."""
    full = _design(y, x, lags)
    if np.linalg.matrix_rank(full) < full.shape[1]:
        raise TandemError(f"The lags of x and y are collinear in {entity}; leave the entity out.")
    ssr_restricted, ssr = (_ssr(y[lags:], z) for z in (full[:, : 1 + lags], full))
    return (ssr_restricted - ssr) / (ssr / (len(full) - full.shape[1]))


def _ssr(y: np.ndarray, z: np.ndarray) -> float:
    residuals = y - z @ np.linalg.lstsq(z, y, rcond=None)[0]
    return float(residuals @ residuals)
