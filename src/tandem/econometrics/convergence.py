"""Do entities grow alike? Dispersion by year, and growth on the level it starts from."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import t as student_t

from tandem.econometrics.in_text import in_text
from tandem.econometrics.panel_arrays import check_numbers
from tandem.econometrics.static import panel_regression
from tandem.errors import TandemError


class BetaConvergence(NamedTuple):
    """Coefficient of the log level with its test, and the speed of convergence it means."""

    beta: float
    std_error: float
    p_value: float
    conf_low: float
    conf_high: float
    speed: float
    half_life: float
    result: object
    facts: dict
    summary = property(in_text)


def sigma_convergence(x: pd.Series) -> pd.DataFrame:
    """Dispersion between entities by year; sigma convergence is a falling one.

    Parameters
    ----------
    x : Series indexed (entity, year)
        Above 0, none missing, every entity in every year: entities that come or go would change
        the dispersion.

    Returns
    -------
    DataFrame (years, 4)
        mean; std, over n - 1; cv, their ratio; n.

    Raises
    ------
    TandemError
        On a missing value or one of 0 or less, an entity that lacks a year, or a single entity.
    """
    _check(x)
    sizes = x.groupby(level=1).size()
    if sizes.nunique() > 1 or sizes.iloc[0] < x.index.get_level_values(0).nunique():
        raise TandemError("Not every entity has every year: leave the incomplete ones out.")
    if sizes.iloc[0] < 2:
        raise TandemError("Dispersion needs at least two entities.")
    groups = x.groupby(level=1)
    found = pd.DataFrame({"mean": groups.mean(), "std": groups.std()})
    return found.assign(cv=found["std"] / found["mean"], n=sizes)


def beta_convergence(
    x: pd.Series, controls: pd.DataFrame | None = None, effects: str = "none"
) -> BetaConvergence:
    """Growth regressed on the level of the year before.

    ``ln(x_t / x_{t-1}) = a + b ln x_{t-1} + c'z_{t-1} + effects`` (Barro and Sala-i-Martin 1992,
    Journal of Political Economy 100(2), in its one-year linear form): absolute without controls
    and effects, conditional with either. Entities converge if b < 0, with the speed
    ``-ln(1 + b)`` a year and the half-life ``ln 2 / speed``. Errors are clustered by entity,
    p-value and 95 % interval with t(clusters - 1). With entity effects b is biased downwards in
    short panels (Nickell 1981), so the speed is overstated; errors of measurement do the same.

    Parameters
    ----------
    x : Series indexed (entity, year)
        Above 0, none missing.
    controls : DataFrame (entity-years, k), optional
        Of the same index; those of the year before enter. Rows with a missing one are dropped and
        counted in ``facts["n_dropped"]``.
    effects : {"none", "random", "entity", "two-way"}

    Returns
    -------
    BetaConvergence
        speed in shares a year, not defined (NaN, as is the half-life) if b <= -1, where entities
        overshoot; a half-life is infinite if b >= 0. result and facts are those of
        `panel_regression`.

    Raises
    ------
    TandemError
        On a missing value or one of 0 or less, controls of other rows, a control named log_level,
        no two neighbouring years, or what `panel_regression` refuses.
    """
    _check(x)
    regressors = np.log(x).to_frame("log_level")
    if controls is not None:
        if "log_level" in controls:
            raise TandemError("A control is named log_level, as is the level itself: rename it.")
        if not controls.index.sort_values().equals(x.index.sort_values()):
            raise TandemError("The controls do not cover the entities and years of the series.")
        regressors = regressors.join(controls)
    before = _year_before(regressors, x.index)
    moves = before["log_level"].notna()
    if not moves.any():
        raise TandemError("No entity has two neighbouring years, so there is no growth.")
    growth = (np.log(x) - before["log_level"])[moves].rename("growth").sort_index()
    result, facts = panel_regression(growth, before[moves].sort_index(), effects, "clustered")
    beta, error = float(result.params["log_level"]), float(result.std_errors["log_level"])
    reach = error * float(student_t.ppf(0.975, facts["t_df"]))
    p_value = float(2 * student_t.sf(abs(beta / error), facts["t_df"]))
    speed = float(-np.log1p(beta)) if beta > -1 else np.nan
    half_life = np.inf if beta >= 0 else float(np.log(2) / speed)
    return BetaConvergence(
        beta, error, p_value, beta - reach, beta + reach, speed, half_life, result, facts
    )


def _year_before(frame: pd.DataFrame, index: pd.MultiIndex) -> pd.DataFrame:
    """Rows of the calendar year before, missing where the panel lacks it."""
    entities, years = (index.get_level_values(level) for level in (0, 1))
    wanted = pd.MultiIndex.from_arrays([entities, years - 1], names=index.names)
    return frame.reindex(wanted).set_axis(index)


def _check(x: pd.Series) -> None:
    check_numbers(x)
    if x.empty:
        raise TandemError("The series is empty; there is nothing that could converge.")
    if not x.index.is_unique:
        entity, year = x.index[x.index.duplicated()][0]
        raise TandemError(f"{entity} has {year} twice: keep one row.")
    bad = ~(x > 0)
    if bad.any():
        entity, year = x.index[bad.to_numpy()][0]
        raise TandemError(
            f"{x.name or 'The value'} of {entity} in {year} is {x[bad].iloc[0]}: convergence needs "
            "values above 0, so correct it or leave the row out."
        )
