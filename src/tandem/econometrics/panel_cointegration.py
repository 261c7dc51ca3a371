"""Panel cointegration: Pedroni's seven statistics, Kao's, and Westerlund's error-correction tests.

All take y and x of a balanced panel. Pedroni's limits need moments that depend on the regressors
and the deterministic terms, and are far off with twenty years; here his statistics are standardised
by, and their p-values are shares of, panels of independent random walks of the same size.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tandem.econometrics.half_panels import half_panels
from tandem.econometrics.panel_arrays import panel_cube
from tandem.errors import TandemError

TRENDS = {"c": "constant", "ct": "constant and trend"}
PEDRONI = (
    "panel v", "panel rho", "panel PP", "panel ADF", "group rho", "group PP", "group ADF",
)  # fmt: skip
KAO = ("DF rho", "DF t", "DF rho*", "DF t*", "ADF")
WESTERLUND = ("Gt", "Ga", "Pt", "Pa")
VALUES_PER_CHUNK = 2_000_000


@dataclass(frozen=True, eq=False)
class Cointegration:
    """Tests of no cointegration.

    Attributes
    ----------
    table : DataFrame
        Index test; statistic, standardised (in units of its null distribution), p_value.
    facts : dict
        Conventions: method, trend, lags, bandwidth, draws, n_entities, n_years.
    """

    table: pd.DataFrame
    facts: dict

    @property
    def summary(self) -> str:
        """Everything in plain text."""
        facts = ", ".join(f"{k} {v}" for k, v in self.facts.items())
        return f"{self.table.to_string(float_format='%.4f')}\n{facts}"


def pedroni(
    y: pd.Series, x: pd.DataFrame, trend: str = "c", lags: int = 1, draws: int = 999, seed=1
) -> Cointegration:
    """Pedroni's (1999, table 1) seven tests that no entity's y and x are cointegrated.

    Residuals of each entity's own regression of y on x; long-run variances by Bartlett's kernel of
    ``4 (T / 100)^(2/9)`` lags; ADF regressions with `lags` changes. The panel v statistic rejects
    for large values, the others for small ones.

    Parameters
    ----------
    y : Series, x : DataFrame (entity-years, k)
        Indexed by (entity, year), balanced.
    trend : {"c", "ct"}
    lags : int
    draws : int
        Panels of independent random walks for the null distribution.
    seed : int, sequence of int or SeedSequence

    Raises
    ------
    TandemError
        An unbalanced panel, too few years, an unknown trend.

    References
    ----------
    Pedroni (1999), Oxford Bulletin of Economics and Statistics 61, 653-670 (statistics from
    memory).
    """
    cube, facts = _balanced(y, x, trend, 2 * x.shape[1] + lags + 8)
    n, k, t = cube.shape
    found = _pedroni(cube[None], trend, lags)[0]
    rng = np.random.default_rng(seed)
    null = _simulated(lambda c: _pedroni(c, trend, lags), n, k, t, draws, rng)
    lower = (null <= found).sum(axis=0)
    upper = (null >= found).sum(axis=0)
    beyond = np.where(np.arange(len(found)) == 0, upper, lower)
    facts |= {"method": "Pedroni", "lags": lags, "bandwidth": _reach(t), "draws": draws}
    return Cointegration(_table(PEDRONI, found, null, (1 + beyond) / (1 + draws)), facts)


def kao(y: pd.Series, x: pd.DataFrame, lags: int = 1, draws: int = 999, seed=1) -> Cointegration:
    """Kao's (1999) tests: residuals of one within regression for all entities.

    DF rho and t take errors as independent and x as exogenous; the starred ones and the ADF test
    correct by the long-run and one-year covariances of the changes. All reject for small values.
    `statistic` is Kao's, normal for many years and entities; with twenty years the normal limit
    rejects too often by the unstarred ones, so p-values and `standardised` are taken from simulated
    panels of independent random walks, as in `pedroni`. Errors that follow their own past make the
    ADF test reject too often and the DF tests too seldom.

    Parameters
    ----------
    y, x, lags, draws, seed
        As in `pedroni`.

    References
    ----------
    Kao (1999), Journal of Econometrics 90, 1-44, eqs. 21-27 (from memory).
    """
    cube, facts = _balanced(y, x, "c", x.shape[1] + lags + 6)
    n, m, t = cube.shape
    found = _kao(cube[None], lags)[0]
    rng = np.random.default_rng(seed)
    null = _simulated(lambda c: _kao(c, lags), n, m, t, draws, rng)
    p = (1 + (null <= found).sum(axis=0)) / (1 + draws)
    facts |= {"method": "Kao", "lags": lags, "bandwidth": _reach(t), "draws": draws}
    return Cointegration(_table(KAO, found, null, p), facts)


def westerlund(
    y: pd.Series,
    x: pd.DataFrame,
    trend: str = "c",
    lags: int = 1,
    draws: int = 999,
    seed=1,
    together: bool = True,
) -> Cointegration:
    """Westerlund's (2007) error-correction tests with bootstrap p-values.

    ``dy_t = d_t' a + alpha (y_t-1 - b' x_t-1) + lags of dy and dx + dx_t + e_t`` for each entity;
    Gt and Ga average alpha's t statistic and ``T alpha / alpha(1)`` over entities, Pt and Pa pool.
    alpha(1) is the ratio of the long-run standard deviations of e plus the terms in dx and of dy.
    All reject for small values. Bootstrap: under the null the changes follow their own and dx's
    past, with slopes of all entities together, less their bias: those of one entity are too
    uncertain with twenty years and make the resamples' statistics spread too far.

    Parameters
    ----------
    y, x, trend, lags, draws, seed
        As in `pedroni`.
    together : bool
        Draw the same years for all entities, so that dependence between them stays. With more
        entities than years chance correlations stay as well, and the test rejects less than it
        should where there is no dependence; False draws years for each entity apart.

    References
    ----------
    Westerlund (2007), Oxford Bulletin of Economics and Statistics 69, 709-748, as in Persyn &
    Westerlund's xtwest (2008, Stata Journal 8, 232-241), whose bootstrap has slopes of each entity
    and which counts degrees of freedom, not years, in Ga and Pa.
    """
    k = x.shape[1]
    cube, facts = _balanced(y, x, trend, 2 + len(trend) + lags * (1 + k) + 2 * k + 7)
    found = _westerlund(cube[None], trend, lags)[0]
    rng = np.random.default_rng(seed)
    null = _sieve(cube, trend, lags, draws, rng, together)
    p = (1 + (null <= found).sum(axis=0)) / (1 + draws)
    facts |= {"method": "Westerlund", "lags": lags, "bandwidth": _reach(cube.shape[2]),
              "draws": draws, "years_drawn": "together" if together else "apart"}  # fmt: skip
    return Cointegration(_table(WESTERLUND, found, null, p), facts)


def cointegration_table(
    y: pd.Series, x: pd.DataFrame, trend: str = "c", lags: int = 1, draws: int = 999, seed=1
) -> tuple[pd.DataFrame, list[tuple[str, str]]]:
    """All tests under one another, as papers print them.

    Returns
    -------
    table : DataFrame
        method, test, statistic, standardised, p_value.
    refused : list of (method, sentence)
    """
    options = {"trend": trend, "lags": lags, "draws": draws, "seed": seed}
    frames, refused = [], []
    for name, test in (
        ("Pedroni", lambda: pedroni(y, x, **options)),
        ("Kao", lambda: kao(y, x, lags, draws, seed)),
        ("Westerlund", lambda: westerlund(y, x, **options)),
    ):
        try:
            frames.append(test().table.reset_index().assign(method=name))
        except TandemError as err:
            refused.append((name, str(err)))
    columns = ["method", "test", "statistic", "standardised", "p_value"]
    return (pd.concat(frames)[columns] if frames else pd.DataFrame(columns=columns)), refused


def _balanced(y: pd.Series, x: pd.DataFrame, trend: str, least: int) -> tuple[np.ndarray, dict]:
    """y and x as (N, 1 + k, T), standardised, and the first facts."""
    if trend not in TRENDS:
        raise TandemError(f"The trend is 'c' or 'ct'; '{trend}' is neither.")
    cube, entities, years = panel_cube(pd.concat([y.rename("__y__"), x], axis=1))
    gaps = ~np.isfinite(cube).all(axis=1)
    if gaps.any():
        i, j = np.argwhere(gaps)[0]
        raise TandemError(
            f"{entities[i]} lacks {years[j]}; the panel cointegration tests need the same years "
            "for all: shorten the panel or leave the entity out."
        )
    if len(years) < least:
        raise TandemError(
            f"{len(years)} years are too few for the cointegration test with these lags and "
            f"regressors; it needs {least}."
        )
    spread = np.diff(cube, axis=2).std(axis=2, keepdims=True)
    if (spread <= 1e-12 * np.abs(cube).max(axis=2, keepdims=True)).any():
        i = int(np.argwhere(spread[..., 0] <= 1e-12 * np.abs(cube).max(axis=2))[0, 0])
        raise TandemError(f"A series hardly changes in {entities[i]}; leave the entity out.")
    facts = {"trend": TRENDS[trend], "n_entities": len(entities), "n_years": len(years)}
    return cube / np.nanstd(cube, axis=(0, 2))[:, None], facts


def _table(names, found, null, p) -> pd.DataFrame:
    standardised = (found - null.mean(axis=0)) / null.std(axis=0)
    columns = {"statistic": found, "standardised": standardised, "p_value": p}
    return pd.DataFrame(columns, index=pd.Index(names, name="test"))


def _reach(t: int) -> int:
    return int(4 * (t / 100) ** (2 / 9))


def _simulated(test, n: int, k: int, t: int, draws: int, rng) -> np.ndarray:
    """Statistics of panels of independent random walks."""
    size = max(1, VALUES_PER_CHUNK // (n * k * t))
    found = []
    for start in range(0, draws, size):
        steps = rng.standard_normal((min(size, draws - start), n, k, t))
        found.append(test(steps.cumsum(axis=3)))
    return np.concatenate(found)


def _terms(t: int, trend: str) -> np.ndarray:
    """Deterministic terms (d, t)."""
    return np.stack([np.ones(t), np.arange(t) - (t - 1) / 2])[: len(trend)]


def _left(y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """y (..., T) without what z (..., m, T) explains."""
    zz = z @ np.swapaxes(z, -1, -2)
    b = np.linalg.solve(zz, z @ y[..., None])
    return y - (np.swapaxes(z, -1, -2) @ b)[..., 0]


def _long_run(u: np.ndarray) -> np.ndarray:
    """Bartlett long-run variance (...) of mean-zero series (..., T)."""
    t = u.shape[-1]
    reach = _reach(t)
    total = (u**2).mean(axis=-1)
    for j in range(1, reach + 1):
        total = total + 2 * (1 - j / (reach + 1)) * (u[..., j:] * u[..., :-j]).sum(axis=-1) / t
    return total


def _pedroni(cube: np.ndarray, trend: str, lags: int) -> np.ndarray:
    """Seven statistics (draws, 7) of panels (draws, N, 1 + k, T)."""
    *_, n, _, t = cube.shape
    shape = (*cube.shape[:2], len(trend), t)
    z = np.concatenate([np.broadcast_to(_terms(t, trend), shape), cube[:, :, 1:]], axis=2)
    e = _left(cube[:, :, 0], z)
    change = np.diff(cube, axis=3)
    change = change - change.mean(axis=3, keepdims=True)
    l2 = _long_run(_left(change[:, :, 0], change[:, :, 1:]))
    past, step = e[..., :-1], np.diff(e, axis=-1)
    size = (past**2).sum(axis=-1)
    u = step - ((past * step).sum(axis=-1) / size)[..., None] * past
    s2, sigma2 = (u**2).mean(axis=-1), _long_run(u)
    moved = (past * step).sum(axis=-1) - (t - 1) * (sigma2 - s2) / 2
    whole = (size / l2).sum(axis=1)
    pooled = (moved / l2).sum(axis=1)
    sigma = (sigma2 / l2).mean(axis=1)
    adf_top, adf_size, adf_s2 = _adf_parts(e, lags)
    star = (adf_s2 / l2).mean(axis=1)
    return np.stack(
        [
            t**2 * n**1.5 / whole,
            t * np.sqrt(n) * pooled / whole,
            pooled / np.sqrt(sigma * whole),
            (adf_top / l2).sum(axis=1) / np.sqrt(star * (adf_size / l2).sum(axis=1)),
            t * (moved / size).sum(axis=1) / np.sqrt(n),
            (moved / np.sqrt(sigma2 * size)).sum(axis=1) / np.sqrt(n),
            (adf_top / np.sqrt(adf_s2 * adf_size)).sum(axis=1) / np.sqrt(n),
        ],
        axis=1,
    )


def _adf_parts(e: np.ndarray, lags: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cross-product and size of the lagged residual without lagged changes, error variance."""
    t = e.shape[-1]
    step = np.diff(e, axis=-1)
    now, past = step[..., lags:], e[..., lags:-1]
    if lags:
        z = np.stack([step[..., lags - j : t - 1 - j] for j in range(1, lags + 1)], axis=-2)
        now, past = _left(now, z), _left(past, z)
    top, size = (past * now).sum(axis=-1), (past**2).sum(axis=-1)
    error = now - (top / size)[..., None] * past
    return top, size, (error**2).mean(axis=-1)


def _kao(cube: np.ndarray, lags: int) -> np.ndarray:
    """Five statistics (draws, 5) of panels (draws, N, 1 + k, T)."""
    draws, n, _, t = cube.shape
    within = _stacked(cube - cube.mean(axis=3, keepdims=True))
    e = _left(within[:, 0], within[:, 1:]).reshape(draws, n, t)
    past, now = e[..., :-1], e[..., 1:]
    size = (past**2).sum(axis=(1, 2))
    rho = (past * now).sum(axis=(1, 2)) / size
    s2 = ((now - rho[:, None, None] * past) ** 2).sum(axis=(1, 2)) / (n * (t - 1) - 1)
    t_rho = (rho - 1) / np.sqrt(s2 / size)
    v2, v02 = (
        c[:, 0, 0] - (c[:, 0, 1:] * np.linalg.solve(c[:, 1:, 1:], c[:, 1:, :1])[..., 0]).sum(axis=1)
        for c in _covariances(cube)
    )
    ratio, drift = v2 / v02, np.sqrt(n) * t * (rho - 1)
    scale = np.sqrt(1 / (2 * ratio) + 0.3 * ratio)
    shift = np.sqrt(6 * n) * np.sqrt(ratio) / 2
    return np.stack(
        [
            (drift + 3 * np.sqrt(n)) / np.sqrt(10.2),
            np.sqrt(1.25) * t_rho + np.sqrt(1.875 * n),
            (drift + 3 * np.sqrt(n) * ratio) / np.sqrt(3 + 36 * ratio**2 / 5),
            (t_rho + shift) / scale,
            (_pooled_adf(e, lags) + shift) / scale,
        ],
        axis=1,
    )


def _stacked(panels: np.ndarray) -> np.ndarray:
    """Entities one after the other: (draws, N, m, T) to (draws, m, N T)."""
    return panels.transpose(0, 2, 1, 3).reshape(len(panels), panels.shape[2], -1)


def _pooled_adf(e: np.ndarray, lags: int) -> np.ndarray:
    """t (draws,) of the pooled ADF coefficient of residuals (draws, N, T), lags pooled as well."""
    t = e.shape[2]
    step = np.diff(e, axis=2)
    columns = [step[..., lags:], e[..., lags:-1]]
    columns += [step[..., lags - j : t - 1 - j] for j in range(1, lags + 1)]
    z = _stacked(np.stack(columns, axis=2))
    y, past = z[:, 0], z[:, 1]
    if lags:
        y, past = _left(y, z[:, 2:]), _left(past, z[:, 2:])
    size = (past**2).sum(axis=1)
    b = (past * y).sum(axis=1) / size
    s2 = ((y - b[:, None] * past) ** 2).sum(axis=1) / (y.shape[1] - 1 - lags)
    return b / np.sqrt(s2 / size)


def _covariances(cube: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One-year and long-run covariance of the changes of y and x, means over entities."""
    w = np.diff(cube, axis=3)
    w = w - w.mean(axis=3, keepdims=True)
    _, n, _, t = w.shape
    whole = _stacked(w)
    short = whole @ whole.transpose(0, 2, 1) / (n * t)
    long, reach = short.copy(), _reach(t + 1)
    for j in range(1, reach + 1):
        near = _stacked(w[..., j:]) @ _stacked(w[..., :-j]).transpose(0, 2, 1) / (n * t)
        long = long + (1 - j / (reach + 1)) * (near + near.transpose(0, 2, 1))
    return short, long


def _westerlund(cube: np.ndarray, trend: str, lags: int) -> np.ndarray:
    """Four statistics (draws, 4) of panels (draws, N, 1 + k, T)."""
    t, k, own = cube.shape[3], cube.shape[2] - 1, len(trend)
    dy, past, others = _correction(cube, trend, lags)
    both, turned = np.stack([dy, past], axis=-2), np.swapaxes(others, -1, -2)
    b = np.linalg.solve(others @ turned, others @ np.swapaxes(both, -1, -2))
    left = both - np.swapaxes(b, -1, -2) @ others
    now, lagged = left[..., 0, :], left[..., 1, :]
    size = (lagged**2).sum(axis=-1)
    alpha = (lagged * now).sum(axis=-1) / size
    e = now - alpha[..., None] * lagged
    s = np.sqrt((e**2).sum(axis=-1) / (e.shape[-1] - others.shape[-2] - 1))
    # what is left of dy without d_t, levels and its own past: e plus the terms in dx
    rest = dy - alpha[..., None] * past
    b = b[..., 0] - alpha[..., None] * b[..., 1]
    no_dx = [*range(own + k), *(own + 2 * k + j * (1 + k) for j in range(lags))]
    u = rest - (b[..., None, no_dx] @ others[..., no_dx, :])[..., 0, :]
    drift = 0.0 if trend == "c" else dy.mean(axis=-1, keepdims=True)
    alpha_1 = np.sqrt(_long_run(u) / _long_run(dy - drift))
    steps = t - lags - 1
    whole = size.sum(axis=1)
    alpha_p = ((lagged * now).sum(axis=-1) / alpha_1).sum(axis=1) / whole
    return np.stack(
        [
            (alpha / (s / np.sqrt(size))).mean(axis=1),
            (steps * alpha / alpha_1).mean(axis=1),
            alpha_p * np.sqrt(whole / ((s / alpha_1) ** 2).mean(axis=1)),
            steps * alpha_p,
        ],
        axis=1,
    )


def _correction(cube: np.ndarray, trend: str, lags: int) -> tuple:
    """dy, past y, and the other terms (..., m, T - 1 - lags) of the error-correction equations."""
    t = cube.shape[-1]
    change = np.diff(cube, axis=-1)
    steps = t - 1 - lags
    shape = (*cube.shape[:2], len(trend), steps)
    blocks = [
        np.broadcast_to(_terms(steps, trend), shape),
        cube[:, :, 1:, lags:-1],
        change[:, :, 1:, lags:],
        *(change[..., lags - j : t - 1 - j] for j in range(1, lags + 1)),
    ]
    return change[:, :, 0, lags:], cube[:, :, 0, lags:-1], np.concatenate(blocks, axis=2)


def _sieve(cube: np.ndarray, trend: str, lags: int, draws: int, rng, together: bool) -> np.ndarray:
    """Statistics under the null: changes of y by their own and dx's past, dx as drawn.

    Changes are taken less their means: a drift that is only estimated would make the walks of the
    resamples trend, which the tests take for less of a unit root.
    """
    n, m, t = cube.shape
    change = np.diff(cube, axis=2)
    change = change - change.mean(axis=2, keepdims=True)
    steps = t - 1 - lags
    parts = [change[:, 1:, lags:]]
    parts += [change[..., lags - j : t - 1 - j] for j in range(1, lags + 1)]
    y, z = change[:, 0, lags:], np.concatenate(parts, axis=1)
    b = _pooled_slopes(y, z)
    e = y - np.einsum("k,nkt->nt", b, z)
    source = np.concatenate([(e - e.mean(axis=1, keepdims=True))[:, None], change[:, 1:, lags:]], 1)
    size = max(1, VALUES_PER_CHUNK // (n * m * t))
    found = []
    for start in range(0, draws, size):
        count = min(size, draws - start)
        years = rng.integers(0, steps, (count, 1 if together else n, t - 1))
        drawn = source[np.arange(n)[:, None], :, years].transpose(0, 1, 3, 2)
        dy, dx = drawn[:, :, 0].copy(), drawn[:, :, 1:]
        for s in range(t - 1):
            dy[..., s] += dx[..., s] @ b[: m - 1]
            for j in range(1, min(s, lags) + 1):
                own = m - 1 + (j - 1) * m
                dy[..., s] += b[own] * dy[..., s - j] + dx[..., s - j] @ b[own + 1 : own + m]
        levels = np.concatenate([dy[:, :, None], dx], axis=2).cumsum(axis=3)
        levels = np.concatenate([np.zeros((count, n, m, 1)), levels], axis=3)
        found.append(_westerlund(levels, trend, lags))
    return np.concatenate(found)


def _pooled_slopes(y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Within slopes of y (N, T) on z (N, m, T), one for all entities, by half-panel jackknife."""

    def slopes(years: np.ndarray) -> np.ndarray:
        own, others = y[:, years], z[..., years]
        own = own - own.mean(axis=1, keepdims=True)
        others = others - others.mean(axis=2, keepdims=True)
        gram = (others @ others.transpose(0, 2, 1)).sum(axis=0)
        return np.linalg.solve(gram, (others @ own[..., None]).sum(axis=0)[:, 0])

    every = np.ones((1, y.shape[1]), dtype=bool)
    return 2 * slopes(every[0]) - sum(slopes(half[0]) for half in half_panels(every)) / 4
