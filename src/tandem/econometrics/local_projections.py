"""Impulse responses by local projections in panels (Jorda 2005)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from tandem.econometrics.half_panels import half_panels
from tandem.econometrics.in_text import in_text
from tandem.econometrics.panel_var_design import Design, Levels, level_equations
from tandem.econometrics.panel_var_paths import demean
from tandem.errors import TandemError

CORRECTIONS = ("half-panel", None)
ERRORS = ("driscoll-kraay", "clustered")


@dataclass(frozen=True, eq=False)
class LocalProjections:
    """Responses to a shock of one standard deviation.

    Attributes
    ----------
    table : DataFrame
        Tidy: impulse, response, horizon, estimate, std_error, conf_low, conf_high, n_obs, t_df;
        without std_error and bands where the order of the variables fixes a response.
    order : list of str
        Of the variables: a shock moves those before it from the next year on only.
    correction : str or None
    """

    table: pd.DataFrame
    order: list[str]
    correction: str | None
    summary = property(in_text)


def local_projections(
    data: pd.DataFrame,
    lags: int = 1,
    horizon: int = 5,
    order: list[str] | None = None,
    exog: pd.DataFrame | None = None,
    time_effects: bool = False,
    correction: str | None = "half-panel",
    se: str = "driscoll-kraay",
    level: float = 0.95,
) -> LocalProjections:
    """Regress each variable h years later on each variable, its shock told apart as in Cholesky's.

    ``y_k,t+h = b_h y_j,t + lags of all variables + y_m,t of those before j + effects``; b_h times
    the standard deviation of what is left of y_j is the response. In large samples it equals that
    of a VAR with enough lags, and asks less of its form.

    Parameters
    ----------
    data : DataFrame (entity-years, K)
    lags, exog, time_effects
        As in `PanelVAR`.
    horizon : int
    order : list of str, optional
        The variables, the most exogenous first; default is the order of the data.
    correction : {"half-panel", None}
        Least squares with entity effects is biased at every horizon; the split-panel jackknife
        takes twice the estimate less the mean of those of either half of the years.
    se : {"driscoll-kraay", "clustered"}
        Driscoll-Kraay without a small-sample factor, Bartlett kernel of ``max(h, 4 (T/100)^(2/9))``
        lags, t with years less one degrees of freedom: for many years (with ten they are far too
        sure); or clustered by entity with the factor G / (G - 1), t(G - 1). For the jackknife those
        of the corrected slope, to which the halves belong: with few years it spreads far more.
    level : float
        Of the intervals.

    Raises
    ------
    TandemError
        An unknown choice, or too few years for the horizon (each half needs equations).

    References
    ----------
    Jorda (2005), American Economic Review 95, 161-182; Mei, Sheng & Shi (2023), Nickell bias in
    panel local projection (from memory); Driscoll & Kraay (1998), Review of Economics and
    Statistics 80, 549-560.
    """
    levels = level_equations(data, Design(lags, exog=exog, time_effects=time_effects))
    names = levels.variables
    order = names if order is None else list(order)
    _check(names, order, horizon, correction, se, level)
    rows = []
    for j, impulse in enumerate(order):
        before = [names.index(name) for name in order[:j]]
        controls = np.concatenate([levels.x, levels.y[:, before]], axis=1)
        for h in range(horizon + 1):
            fitted = _project(
                levels, names.index(impulse), controls, h, time_effects, correction, se
            )
            if h == 0:
                scale = fitted["spread"]  # that of the shock itself
            rows += _rows(names, impulse, h, fitted, scale, order[:j], level)
    table = pd.DataFrame(rows)
    place = {name: i for i, name in enumerate(names)}
    table = table.sort_values(
        ["impulse", "response", "horizon"],
        key=lambda c: c.map(place) if c.name != "horizon" else c,
        kind="stable",
    )
    return LocalProjections(table.reset_index(drop=True), order, correction)


def _check(names, order, horizon, correction, se, level) -> None:
    if sorted(order) != sorted(names):
        raise TandemError(f"The order {order} must name each of {names} once.")
    if horizon < 1:
        raise TandemError(f"The horizon is at least one year; {horizon} was given.")
    if correction not in CORRECTIONS:
        raise TandemError(f"The correction is 'half-panel' or None; '{correction}' is neither.")
    if se not in ERRORS:
        raise TandemError(f"Errors are 'driscoll-kraay' or 'clustered'; '{se}' is neither.")
    if not 0 < level < 1:
        raise TandemError(f"The level lies between 0 and 1; {level} was given.")


def _project(levels: Levels, j: int, controls, h: int, time_effects: bool, correction, se) -> dict:
    later = np.full_like(levels.y, np.nan)
    later[..., : levels.y.shape[2] - h] = levels.y[..., h:]
    rows = levels.usable & np.isfinite(later).all(axis=1)
    rows = rows & (rows.sum(axis=1) > 1)[:, None]
    full = _fit(levels.y[:, j], later, controls, rows, time_effects, h, se)
    if correction is not None:
        halves = []
        for half in half_panels(rows):
            half = half & (half.sum(axis=1) > 1)[:, None]
            halves.append(_fit(levels.y[:, j], later, controls, half, time_effects, h, se))
        # what an entity or year adds to the estimate is corrected as the estimate is
        for key in ("estimate", "added"):
            full[key] = 2 * full[key] - sum(f[key] for f in halves) / 4
    return full | _errors(full["added"], rows, h, se)


def _fit(x, later, controls, rows, time_effects: bool, h: int, se: str) -> dict:
    """Slopes of all variables h years later on x, by whom they are made up, what is left of x."""
    n_entities, n_years = rows.any(axis=1).sum(), rows.any(axis=0).sum()
    effects = n_entities + (n_years - 1 if time_effects else 0)
    dof = rows.sum() - effects - controls.shape[1] - 1
    if dof < 1:
        raise TandemError(
            f"Local projections {h} year(s) ahead leave {rows.sum()} equations for {effects} "
            f"effects and {controls.shape[1] + 1} slopes; shorten the horizon, use fewer lags, or "
            "go without the jackknife."
        )
    together = np.nan_to_num(np.concatenate([x[:, None], controls, later], axis=1))
    flat = demean(together, rows, time_effects).transpose(0, 2, 1)[rows]
    k = controls.shape[1] + 1
    q, _ = np.linalg.qr(flat[:, 1:k])
    shock, y = (a - q @ (q.T @ a) for a in (flat[:, 0], flat[:, k:]))
    size = shock @ shock
    if size <= 1e-12 * (flat[:, 0] @ flat[:, 0]):
        raise TandemError("A variable is wholly explained by the others' past; leave one out.")
    slope = shock @ y / size
    scores = shock[:, None] * (y - shock[:, None] * slope)
    added = np.zeros((max(rows.shape), y.shape[1]))
    np.add.at(added, np.nonzero(rows)[1 if se == "driscoll-kraay" else 0], scores / size)
    spread = np.sqrt(size / dof)
    return {"estimate": slope, "added": added, "spread": spread, "n_obs": int(rows.sum())}


def _errors(added: np.ndarray, rows: np.ndarray, h: int, se: str) -> dict:
    """Errors of slopes from what each entity or year adds to them (groups, variables)."""
    n_entities, n_years = (int(rows.any(axis=axis).sum()) for axis in (1, 0))
    if se == "clustered":
        t_df = n_entities - 1
        meat = (added**2).sum(axis=0) * n_entities / t_df
    else:
        t_df, added = n_years - 1, added[: rows.shape[1]][rows.any(axis=0)]
        reach = min(max(h, int(4 * (n_years / 100) ** (2 / 9))), n_years - 1)
        meat = (added**2).sum(axis=0)
        for step in range(1, reach + 1):
            weight = 2 * (1 - step / (reach + 1))
            meat = meat + weight * (added[step:] * added[:-step]).sum(axis=0)
    return {"std_error": np.sqrt(np.maximum(meat, 0.0)), "t_df": t_df}


def _rows(names, impulse, h, fitted: dict, scale: float, before: list[str], level: float):
    reach = stats.t.ppf((1 + level) / 2, fitted["t_df"])
    for i, name in enumerate(names):
        # within the year a shock is itself, and moves no variable before it
        still = h == 0 and (name in before or name == impulse)
        value = scale * (fitted["estimate"][i] if not still else float(name == impulse))
        error = np.nan if still else scale * fitted["std_error"][i]
        yield {
            "impulse": impulse,
            "response": name,
            "horizon": h,
            "estimate": value,
            "std_error": error,
            "conf_low": value - reach * error,
            "conf_high": value + reach * error,
            "n_obs": fitted["n_obs"],
            "t_df": fitted["t_df"],
        }
