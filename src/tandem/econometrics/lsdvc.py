"""Within estimation of a dynamic panel with its bias taken out by bootstrap, for few entities."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tandem.econometrics.coefficient_table import coefficient_table
from tandem.econometrics.maketables import ForMaketables
from tandem.econometrics.panel_arrays import panel_cube
from tandem.errors import TandemError

ROUNDS = 200
SMALL = 1e-6  # change of a coefficient, in standard errors, at which the search stops
STEP = 0.01  # of the numerical derivative of the mean within estimate
BLOCK = 100  # draws at a time: few enough to stay in the processor's cache


@dataclass(frozen=True, eq=False)
class BiasCorrectedWithin(ForMaketables):
    """Coefficients that would give the observed within estimates on average.

    Attributes
    ----------
    terms : DataFrame
        L1.y and the regressors: estimate, std_error, statistic, p_value, conf_low, conf_high
        (normal). Year effects are estimated and not shown.
    within : Series
        The uncorrected estimates.
    facts : dict
        Statistics of the model, as `models.csv` takes them.
    """

    terms: pd.DataFrame
    within: pd.Series
    facts: dict

    @property
    def statistics(self) -> dict:
        """Facts under flat names."""
        return self.facts

    @property
    def summary(self) -> str:
        """Everything in plain text."""
        shown = self.terms.assign(within=self.within)
        lines = [f"{name:<12}{value}" for name, value in self.facts.items()]
        return "\n".join([shown.to_string(float_format="%.5g"), "", *lines])


@dataclass(frozen=True)
class _Panel:
    """Years along the last axis; rows where y, its lag and x are there."""

    y: np.ndarray  # (n, t)
    x: np.ndarray  # (k, n, t)
    rows: np.ndarray  # (n, t)
    basis: np.ndarray  # (rows, k) orthonormal, of x less its entity means
    triangle: np.ndarray  # (k, k): basis times it is x less its entity means
    signs: list[np.ndarray]  # blocks (n, t, draws) of -1 and 1
    names: list[str]


def bias_corrected_within(
    y: pd.Series,
    exog: pd.DataFrame | None = None,
    time_effects: bool = True,
    draws: int = 500,
    seed: int = 1,
    level: float = 0.95,
) -> BiasCorrectedWithin:
    """Dynamic panel ``y_it = a y_i,t-1 + x_it' b + effects + e_it`` for few entities and years.

    The within estimate of a is too low by an amount that depends on a itself (Nickell 1981). The
    corrected coefficients are those under which simulated panels, with the observed first values
    and regressors and sign-flipped residuals, have the observed within estimates on average. Their
    covariance is that of the simulated within estimates, carried through the derivative of their
    mean with respect to the coefficients.

    Parameters
    ----------
    y : Series (entity-years,)
        Entities may start and end in different years.
    exog : DataFrame (entity-years, k), optional
        Strictly exogenous.
    time_effects : bool
    draws, seed : int
        Of the simulated panels; the same signs serve every step of the search.
    level : float

    Raises
    ------
    TandemError
        A gap within an entity, fewer than two entities, collinear regressors, or no stationary
        coefficient that would give the observed estimate.

    References
    ----------
    Everaert & Pozzi (2007), Journal of Economic Dynamics and Control 31, 1160-1184 (the search;
    residuals are resampled by signs here, and errors by the delta method, not a second bootstrap).
    """
    p = _lay_out(y, exog, time_effects, draws, seed)
    observed = _within(p, p.y[..., None])[0]
    coef = observed.copy()
    spread = _simulate(p, coef).std(axis=0)
    for _ in range(ROUNDS):
        step = observed - _simulate(p, coef).mean(axis=0)
        coef = coef + step
        if abs(coef[0]) >= 1:
            raise TandemError(
                f"No lag coefficient below 1 gives the within estimate {observed[0]:.3f} of "
                f"'{y.name}' on average; the series looks like a random walk: take differences."
            )
        if (np.abs(step) <= SMALL * spread).all():
            break
    else:
        raise TandemError(f"The search for the corrected coefficients of '{y.name}' did not end.")
    # year effects move all entities alike and so leave the other estimates where they are
    shown = [name for name in p.names if not name.startswith("year ")]
    simulated = _simulate(p, coef)[:, : len(shown)]
    inverse = np.linalg.inv(_derivative(p, coef, simulated.std(axis=0)))
    cov = inverse @ np.cov(simulated, rowvar=False).reshape(inverse.shape) @ inverse.T
    estimate = pd.Series(coef[: len(shown)], shown)
    error = pd.Series(np.sqrt(np.diag(cov)), shown)
    facts = {
        "dependent": str(y.name),
        "n_obs": int(p.rows.sum()),
        "n_entities": int(p.rows.any(axis=1).sum()),
        "n_dropped": len(y) - int(np.isfinite(y).sum()),
        "entity_effects": True,
        "time_effects": time_effects,
        "se_type": "bootstrap of within estimates, delta method",
        "draws": draws,
    }
    terms = coefficient_table(estimate, error, level=level)
    return BiasCorrectedWithin(terms, pd.Series(observed, p.names)[shown], facts)


def _lay_out(y, exog, time_effects: bool, draws: int, seed) -> _Panel:
    data = pd.concat([y, *([] if exog is None else [exog])], axis=1)
    cube, entities, years = panel_cube(data)
    _refuse_gaps(cube[:, 0], entities, years, y.name)
    lagged = np.full_like(cube[:, 0], np.nan)
    lagged[:, 1:] = cube[:, 0, :-1]
    rows = np.isfinite(cube).all(axis=1) & np.isfinite(lagged)
    missing = np.isfinite(cube[:, 0]) & np.isfinite(lagged) & ~rows
    if missing.any():
        i, t = np.argwhere(missing)[0]
        raise TandemError(
            f"A regressor is missing in {entities[i]}, {years[t]}, within the years of "
            f"'{y.name}'; fill it or leave the regressor out."
        )
    kept = rows.sum(axis=1) >= 2
    if kept.sum() < 2:
        raise TandemError(f"{kept.sum()} entities have three years in a row; two are needed.")
    cube, rows = cube[kept], rows[kept]
    x = np.where(rows[:, None], cube[:, 1:], 0.0).transpose(1, 0, 2)
    names = [f"L1.{y.name}", *map(str, data.columns[1:])]
    if time_effects:
        seen = np.flatnonzero(rows.any(axis=0))[1:]
        dummies = np.stack([np.where(rows, np.arange(len(years)) == s, 0.0) for s in seen])
        x = np.concatenate([x, dummies])
        names += [f"year {years[s]}" for s in seen]
    centred = _centred(x[:, rows].T, rows)
    size = np.linalg.norm(x[:, rows], axis=1)
    if np.linalg.matrix_rank(centred / size, tol=1e-9 * len(centred)) < len(x):
        raise TandemError(
            f"The regressors {', '.join(names[1:])} are collinear with each other or the effects; "
            "leave one out."
        )
    basis, triangle = np.linalg.qr(centred)
    rng = np.random.default_rng(seed)
    sizes = [min(BLOCK, draws - start) for start in range(0, draws, BLOCK)]
    signs = [np.moveaxis(rng.choice([-1, 1], size=(size, *rows.shape)), 0, -1).astype(np.int8)
             for size in sizes]  # fmt: skip
    return _Panel(cube[:, 0], x, rows, basis, triangle, signs, names)


def _refuse_gaps(levels: np.ndarray, entities, years, name) -> None:
    present = np.isfinite(levels)
    first, last = present.argmax(axis=1), present.shape[1] - 1 - present[:, ::-1].argmax(axis=1)
    where = np.arange(present.shape[1])
    gaps = ~present & (where > first[:, None]) & (where < last[:, None])
    if gaps.any():
        i, t = np.argwhere(gaps)[0]
        raise TandemError(
            f"{entities[i]} has no '{name}' in {years[t]}, between years that have one; panels "
            "with gaps cannot be simulated: fill it or leave the entity out."
        )


def _within(p: _Panel, y: np.ndarray) -> np.ndarray:
    """Within estimates (draws, k + 1) of panels y (n, t, draws)."""
    at = np.flatnonzero(p.rows)
    flat = y.reshape(-1, y.shape[-1])
    # a row is never an entity's first year, so the place before is its lag
    now, before = _centred(flat[at], p.rows), _centred(flat[at - 1], p.rows)
    left = before - p.basis @ (p.basis.T @ before)
    a = (left * now).sum(axis=0) / (left * before).sum(axis=0)
    b = np.linalg.solve(p.triangle, p.basis.T @ (now - a * before))
    return np.column_stack([a, b.T])


def _centred(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Deviations (rows, ...) from the means of each entity's rows."""
    size = rows.sum(axis=1)
    sums = np.add.reduceat(values, np.cumsum(size) - size, axis=0)
    return values - np.repeat(sums / size[:, None], size, axis=0)


def _simulate(p: _Panel, coef: np.ndarray) -> np.ndarray:
    """Within estimates of the simulated panels under these coefficients."""
    systematic = np.tensordot(coef[1:], p.x, 1)
    before = np.full_like(p.y, np.nan)
    before[:, 1:] = p.y[:, :-1]
    left = np.where(p.rows, p.y - coef[0] * before - systematic, 0.0)
    size = p.rows.sum(axis=1, keepdims=True)
    effect = left.sum(axis=1, keepdims=True) / size
    residual = np.where(p.rows, left - effect, 0.0) * np.sqrt(size / (size - 1))
    expected = (systematic + effect)[..., None]
    # both signs of each, so that errors average to zero
    return np.concatenate([
        _within(p, _grow(p, coef[0], expected + sign * residual[..., None] * signs))
        for signs in p.signs for sign in (1, -1)
    ])  # fmt: skip


def _grow(p: _Panel, a: float, moved: np.ndarray) -> np.ndarray:
    """Panels (n, t, draws) that start as observed and then move by a times the year before."""
    y = np.where(p.rows[..., None], moved, p.y[..., None])
    for t in range(1, y.shape[1]):
        y[:, t] += np.where(p.rows[:, t, None], a * y[:, t - 1], 0.0)
    return y


def _derivative(p: _Panel, coef: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Of the mean simulated estimates by their coefficients, the first len(spread) of them.

    Central differences.
    """
    columns = []
    for i, width in enumerate(spread):
        move = np.zeros(len(coef))
        move[i] = max(STEP * width, 1e-8)
        up, down = (_simulate(p, coef + s * move)[:, : len(spread)].mean(axis=0) for s in (1, -1))
        columns.append((up - down) / (2 * move[i]))
    return np.column_stack(columns)
