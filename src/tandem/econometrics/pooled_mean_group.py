"""Long-run coefficients in error-correction form: pooled mean group and mean group."""

import numpy as np
import pandas as pd

from tandem.econometrics.coefficient_table import coefficient_table
from tandem.econometrics.hausman import Hausman
from tandem.econometrics.long_run import (
    MARGIN,
    LongRun,
    entity_arrays,
    mean_over_entities,
    refuse_collinear,
    without,
    years_in_words,
)
from tandem.errors import TandemError

MOST_ROUNDS = 2000


def mean_group(y: pd.Series, x: pd.DataFrame, level: float = 0.95) -> LongRun:
    """Mean over entities of ``theta_i = -b_i / phi_i`` of an ARDL(1, 1) in error-correction form.

    ``dy_it = a_i + phi_i y_i,t-1 + b_i' x_it + c_i' dx_it + e_it``.

    Parameters
    ----------
    y : Series, x : DataFrame (entity-years, k)
        Indexed by (entity, year), without gaps within an entity.
    level : float

    Returns
    -------
    LongRun
        `terms`: long-run coefficients and "speed" (phi); variances are those of the mean over
        entities. `entities` holds those of each. `facts` has the half-life of a deviation, years.

    Raises
    ------
    TandemError
        A gap, too few years in an entity, collinear regressors.

    References
    ----------
    Pesaran & Smith (1995), Journal of Econometrics 68, 79-113.
    """
    panel, parts, facts = _parts(y, x, "mean group, ARDL(1, 1)")
    names = [*map(str, x.columns), "speed"]
    rows = []
    for now, past, levels, others in parts:
        z = without(np.column_stack([past, levels]), others)
        b = np.linalg.lstsq(z, without(now, others), rcond=None)[0]
        rows.append([*(-b[1:] / b[0]), b[0]])
    own = np.array(rows)
    mean, cov = mean_over_entities(own, np.full((len(names),) * 2, np.nan))
    facts |= {"se_type": "spread over entities"} | _half_life(mean[-1])
    return _result(mean, cov, names, own, panel, facts, level)


def pooled_mean_group(y: pd.Series, x: pd.DataFrame, level: float = 0.95) -> LongRun:
    """One long-run relation for all entities, everything else their own, by maximum likelihood.

    The model of `mean_group` with ``b_i = -phi_i theta``. Given theta each entity's phi, other
    slopes and variance are least squares; given those theta is weighted least squares; the two
    alternate until theta stays.

    Returns
    -------
    LongRun
        As `mean_group`; the variance of theta is the inverse information with the speeds estimated
        too. "speed" is the mean of phi_i with the spread over entities.

    Raises
    ------
    TandemError
        As `mean_group`, or rounds that do not settle.

    References
    ----------
    Pesaran, Shin & Smith (1999), Journal of the American Statistical Association 94, 621-634.
    """
    panel, parts, facts = _parts(y, x, "pooled mean group, ARDL(1, 1)")
    k = x.shape[1]
    clean = [tuple(without(a, others) for a in (now, past, levels)) for now, past, levels, others in
             parts]  # fmt: skip
    start = mean_group(y, x).terms["estimate"].to_numpy()[:k]
    theta = np.where(np.isfinite(start), start, 0.0)
    for _ in range(MOST_ROUNDS):
        before = theta
        speeds, information, score = [], np.zeros((k, k)), np.zeros(k)
        for now, past, levels in clean:
            gap = past - levels @ theta
            phi = (gap @ now) / (gap @ gap)
            s2 = ((now - phi * gap) ** 2).mean()
            information += phi**2 / s2 * levels.T @ levels
            score += phi / s2 * levels.T @ (phi * past - now)
            speeds.append(phi)
        theta = np.linalg.solve(information, score)
        if np.abs(theta - before).max() <= 1e-10 * max(1.0, np.abs(theta).max()):
            break
    else:
        raise TandemError(
            f"The pooled mean group does not settle in {MOST_ROUNDS} rounds; speeds of adjustment "
            "near zero leave the long run unidentified."
        )
    known = np.zeros((k, k))  # of theta, the speeds estimated as well
    for now, past, levels in clean:
        gap = past - levels @ theta
        phi = (gap @ now) / (gap @ gap)
        s2 = ((now - phi * gap) ** 2).mean()
        beside = levels - np.outer(gap, gap @ levels) / (gap @ gap)
        known += phi**2 / s2 * beside.T @ beside
    speeds = np.array(speeds)
    mean, variance = mean_over_entities(speeds[:, None], np.full((1, 1), np.nan))
    cov = np.zeros((k + 1, k + 1))
    cov[:k, :k], cov[k:, k:] = np.linalg.inv(known), variance
    own = np.column_stack([np.tile(theta, (len(speeds), 1)), speeds])
    facts |= {"se_type": "information (long run), spread over entities (speed)"}
    facts |= _half_life(mean[0])
    names = [*map(str, x.columns), "speed"]
    return _result(np.append(theta, mean), cov, names, own, panel, facts, level)


def compare_mean_groups(pooled: LongRun, mean: LongRun) -> Hausman:
    """Hausman's test that one long-run relation holds for all: pooled against mean group.

    Where the difference of the variances is not positive definite, `valid` is False.
    """
    names = [n for n in pooled.terms.index if n != "speed"]
    d = (mean.terms.loc[names, "estimate"] - pooled.terms.loc[names, "estimate"]).to_numpy()
    v = (mean.cov.loc[names, names] - pooled.cov.loc[names, names]).to_numpy()
    scale = np.sqrt(np.diag(mean.cov.loc[names, names]))
    if not np.isfinite(v).all() or np.linalg.eigvalsh(v / np.outer(scale, scale)).min() <= 0:
        message = (
            "The variance of the mean group less that of the pooled mean group is not positive "
            "definite, so Hausman's statistic does not exist in this sample."
        )
        return Hausman(np.nan, len(names), np.nan, False, message)
    from tandem.econometrics.chi_square import wald

    return Hausman(*wald(d, v), True, "")


def _parts(y: pd.Series, x: pd.DataFrame, estimator: str) -> tuple[dict, list, dict]:
    """dy, past y, x of the year, and constant with dx, of each entity."""
    k = x.shape[1]
    panel, n_dropped = entity_arrays(y, x, 1 + 2 + 2 * k + MARGIN)
    parts = []
    for entity, values in panel.items():
        change = np.diff(values, axis=0)
        others = np.column_stack([np.ones(len(change)), change[:, 1:]])
        refuse_collinear(entity, list(map(str, x.columns)), values[1:, 1:], others)
        parts.append((change[:, 0], values[:-1, 0], values[1:, 1:], others))
    facts = {
        "estimator": estimator,
        "trend": "constant",
        "n_obs": sum(len(v) - 1 for v in panel.values()),
        "n_entities": len(panel),
        "n_years": years_in_words(panel),
        "n_dropped": n_dropped,
    }
    return panel, parts, facts


def _half_life(speed: float) -> dict:
    """Years until half of a deviation is gone; none where the mean speed does not correct."""
    if not -2 < speed < 0:
        return {"half_life": "none: deviations do not die out"}
    return {"half_life": float(np.log(0.5) / np.log(abs(1 + speed))) if speed != -1 else 0.0}


def _result(estimate, cov, names, own, panel, facts, level) -> LongRun:
    error = pd.Series(np.sqrt(np.diag(cov)), names)
    terms = coefficient_table(pd.Series(estimate, names), error, level=level)
    entities = pd.DataFrame(own, pd.Index(panel, name="entity"), names)
    return LongRun(terms, pd.DataFrame(cov, names, names), entities, facts)
