"""Paths of a fitted panel VAR in levels: residuals, mirrored panels, histories, forecasts."""

import numpy as np
import pandas as pd

from tandem.econometrics.panel_var_design import Levels, level_equations
from tandem.econometrics.panel_var_irf import orthogonal_impact
from tandem.errors import TandemError


def residuals(results) -> pd.DataFrame:
    """Errors in levels less the means of their entity (and year), rows (entity, year)."""
    levels = level_equations(results._data, results._design)
    errors, _ = _errors(results, levels)
    entity, year = np.nonzero(levels.usable)
    index = pd.MultiIndex.from_arrays(
        [np.array(levels.entities)[entity], levels.years[year]], names=["entity", "year"]
    )
    return pd.DataFrame(errors.transpose(0, 2, 1)[entity, year], index, levels.variables)


def rebuilt(results, factors: np.ndarray) -> tuple[pd.DataFrame, list[pd.DataFrame | None]]:
    """Panels built up again from the estimate with every residual times a factor.

    Values before an equation (the first years, those after a gap) stay as they are.

    Parameters
    ----------
    factors : array (C, N, T)
        For all N entities of the data.

    Returns
    -------
    panels : DataFrame (C N T, K)
        Entity i of panel c is c N + i.
    outside : list
        The exogenous and the predetermined regressors under the same index, None if there is none.
    """
    levels = level_equations(results._data, results._design)
    errors, effects = _errors(results, levels)
    coef = results.params.to_numpy()
    k, n_lagged = len(coef), results.lags * len(coef)
    fixed = coef[:, n_lagged:] @ np.nan_to_num(levels.x[:, n_lagged:]) + effects
    y = np.broadcast_to(levels.y, (len(factors), *levels.y.shape)).copy()
    for t in range(results.lags, y.shape[-1]):
        past = np.concatenate([y[..., t - j] for j in range(1, results.lags + 1)], axis=-1)
        now = past @ coef[:, :n_lagged].T + fixed[..., t]
        now += factors[..., t, None] * errors[..., t]
        y[..., t] = np.where(levels.usable[:, t, None], now, y[..., t])
    copies, n, _, n_years = y.shape
    index = pd.MultiIndex.from_product([range(copies * n), levels.years], names=["entity", "year"])
    values = y.transpose(0, 1, 3, 2).reshape(-1, k)
    once = pd.MultiIndex.from_product([levels.entities, levels.years])
    outside = [
        None
        if frame is None
        else pd.DataFrame(np.tile(frame.reindex(once), (copies, 1)), index, frame.columns)
        for frame in (results._design.exog, results._design.predetermined)
    ]
    return pd.DataFrame(values, index, levels.variables), outside


def wild_factors(results, rng: np.random.Generator, copies: int) -> np.ndarray:
    """Rademacher signs (copies, N, T), one an entity and year, for all variables alike.

    They are stretched by ``sqrt(T / (T - 1))``: taking an entity's mean away shrinks its residuals.
    Estimated effects spread more than true ones, which makes instruments of GMM weaker and bands
    wider than those of resampling where years are few (a tenth to a third at 8 years).
    """
    levels = level_equations(results._data, results._design)
    count = levels.usable.sum(axis=1)
    stretch = np.sqrt(count / np.maximum(count - 1, 1))[:, None]
    return rng.choice([-1.0, 1.0], (copies, *levels.usable.shape)) * stretch


def historical_decomposition(results, order: list[str] | None) -> pd.DataFrame:
    """See `VectorAutoregression.historical_decomposition`."""
    levels = level_equations(results._data, results._design)
    errors, _ = _errors(results, levels)
    names = levels.variables
    order = names if order is None else list(order)
    if sorted(order) != sorted(names):
        raise TandemError(f"The order {order} must name each of {names} once.")
    sigma = results.residual_cov.to_numpy()
    impact = orthogonal_impact(sigma, [names.index(name) for name in order])
    shocks = np.nan_to_num(np.linalg.inv(impact) @ errors)
    coef = results._lag_coefficients
    n, k, n_years = shocks.shape
    parts = np.zeros((n, k, k, n_years))  # entity, response, shock, year
    for t in range(results.lags, n_years):
        past = np.concatenate([parts[..., t - j] for j in range(1, results.lags + 1)], axis=1)
        now = coef @ past + impact * shocks[:, None, :, t]
        parts[..., t] = np.where(levels.usable[:, t, None, None], now, 0.0)
    base = np.nan_to_num(levels.y) - parts.sum(axis=2)
    every = np.concatenate([base[:, :, None], parts], axis=2)
    entity, year = np.nonzero(levels.usable)
    index = pd.MultiIndex.from_product([names, ["base", *names]], names=["response", "shock"])
    frame = pd.DataFrame(every[entity, :, :, year].reshape(len(entity), -1), columns=index)
    frame.index = pd.MultiIndex.from_arrays(
        [np.array(levels.entities)[entity], levels.years[year]], names=["entity", "year"]
    )
    return frame.stack(["response", "shock"]).rename("contribution").reset_index()


def forecast(results, horizon, exog, draws, seed, level) -> pd.DataFrame:
    """See `VectorAutoregression.forecast`."""
    design = results._design
    if design.time_effects:
        raise TandemError(
            "A panel VAR with year effects cannot forecast: the effects of the years to come are "
            "not known; fit it without time_effects."
        )
    levels = level_equations(results._data, design)
    complete = np.isfinite(levels.y[..., -results.lags :]).all(axis=(1, 2))
    found = np.flatnonzero(complete & levels.usable.any(axis=1))
    if not len(found):
        raise TandemError(
            f"No entity has values in the last {results.lags} year(s) up to {levels.years[-1]}; "
            "end the panel earlier."
        )
    entities = [levels.entities[i] for i in found]
    years = levels.years[-1] + np.arange(1, horizon + 1)
    later = _later(results, levels, exog, entities, years)
    rng = np.random.default_rng(np.random.SeedSequence(seed).spawn(1)[0])
    coef, sigma = results.draw("bootstrap", draws, seed)
    noise = rng.normal(size=(draws, len(found), horizon, len(results.params)))
    noise = noise @ np.linalg.cholesky(sigma).transpose(0, 2, 1)[:, None]
    point = _ahead(results.params.to_numpy()[None], levels, found, later, 0.0, results.lags)[0]
    drawn = _ahead(coef, levels, found, later, noise, results.lags)
    tail = (1 - level) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail], axis=0)
    index = pd.MultiIndex.from_product(
        [entities, years, levels.variables], names=["entity", "year", "variable"]
    )
    columns = {"estimate": point.ravel(), "conf_low": low.ravel(), "conf_high": high.ravel()}
    return pd.DataFrame(columns, index).reset_index()


def _ahead(coef, levels: Levels, found, later, noise, lags: int) -> np.ndarray:
    """Paths (draws, entities, horizon, K); the effect is the mean error under each coefficient."""
    k = len(levels.variables)
    usable = levels.usable[found]
    x, y = np.nan_to_num(levels.x[found]), np.nan_to_num(levels.y[found])
    count = usable.sum(axis=1)[:, None]
    mean_x, mean_y = ((a * usable[:, None]).sum(axis=2) / count for a in (x, y))
    turned = np.swapaxes(coef, -1, -2)
    effects = mean_y - mean_x @ turned  # (draws, entities, K)
    past = [np.broadcast_to(y[..., -j], effects.shape) for j in range(1, lags + 1)]
    path = []
    for h in range(later.shape[1]):
        now = np.concatenate(past, axis=-1) @ turned[:, : k * lags]
        now = now + later[:, h] @ turned[:, k * lags :] + effects
        now = now + (noise if np.isscalar(noise) else noise[:, :, h])
        path.append(now)
        past = [now, *past[:-1]]
    return np.stack(path, axis=2)


def _later(results, levels: Levels, exog, entities: list, years: np.ndarray) -> np.ndarray:
    """Values (entities, horizon, k - K p) of the regressors outside the system in later years."""
    outside = levels.regressors[levels.predetermined.start :]
    index = pd.MultiIndex.from_product([entities, years])
    values = pd.DataFrame(index=index)
    for name in outside:
        if name == "trend":
            values[name] = index.get_level_values(1) - levels.years[0]
        elif name == "const":
            values[name] = 1.0
        elif exog is None or name not in exog or exog[name].reindex(index).isna().any():
            raise TandemError(
                f"A forecast to {years[-1]} needs '{name}' for each entity and year after "
                f"{levels.years[-1]}; give them as exog."
            )
        else:
            values[name] = exog[name].reindex(index)
    return values.to_numpy(float).reshape(len(entities), len(years), -1)


def _errors(results, levels: Levels) -> tuple[np.ndarray, np.ndarray]:
    """Errors (N, K, T), zero where no equation, and the effects taken out of them."""
    coef = results.params.to_numpy()
    total = np.where(levels.usable[:, None], levels.y - coef @ np.nan_to_num(levels.x), 0.0)
    left = demean(total, levels.usable, results._design.time_effects)
    return left, total - left


def demean(values: np.ndarray, rows: np.ndarray, time_effects: bool) -> np.ndarray:
    """Less the means of entity (and year) over `rows` (N, T), zero outside them.

    Parameters
    ----------
    values : array (N, variables, T)
    """
    rows = rows[:, None]
    left = np.where(rows, values, 0.0)
    per_entity = np.maximum(rows.sum(axis=2, keepdims=True), 1)
    per_year = np.maximum(rows.sum(axis=0, keepdims=True), 1)
    size = np.abs(left).max(initial=0.0)
    for _ in range(10_000):
        before = left
        left = (left - left.sum(axis=2, keepdims=True) / per_entity) * rows
        if not time_effects:
            return left
        left = (left - left.sum(axis=0, keepdims=True) / per_year) * rows
        if np.abs(left - before).max(initial=0.0) <= 1e-13 * size:
            break
    return left
