"""Common correlated effects: slopes where entities share unobserved factors."""

import numpy as np
import pandas as pd

from tandem.econometrics.coefficient_table import coefficient_table
from tandem.econometrics.long_run import (
    MARGIN,
    LongRun,
    mean_over_entities,
    refuse_collinear,
    without,
)
from tandem.econometrics.panel_arrays import panel_cube
from tandem.errors import TandemError


def common_correlated_effects(
    y: pd.Series, x: pd.DataFrame, pooling: str = "group", level: float = 0.95
) -> LongRun:
    """``y_it = a_i + x_it' b_i + factors + e_it``, factors proxied by each year's means of y and x.

    Parameters
    ----------
    y : Series, x : DataFrame (entity-years, k)
        Indexed by (entity, year), balanced: the means must be over the same entities every year.
    pooling : {"group", "pooled"}
        Mean of the entities' slopes (CCE-MG), or one slope (CCEP).
    level : float

    Returns
    -------
    LongRun
        Variances from the spread of the entities' slopes around the estimate, also when pooled.

    Raises
    ------
    TandemError
        An unbalanced panel, too few years, collinear regressors.

    References
    ----------
    Pesaran (2006), Econometrica 74, 967-1012, eqs. 53, 58 (mean group), 65, 67-69 (pooled).
    """
    if pooling not in ("group", "pooled"):
        raise TandemError(f"Pooling is 'group' or 'pooled'; '{pooling}' is neither.")
    names, k = list(map(str, x.columns)), x.shape[1]
    cube, entities, years = panel_cube(pd.concat([y.rename("__y__"), x], axis=1))
    if not np.isfinite(cube).all():
        i, j = np.argwhere(~np.isfinite(cube).all(axis=1))[0]
        raise TandemError(
            f"{entities[i]} lacks {years[j]}; means of years must be over the same entities: "
            "shorten the panel or leave the entity out."
        )
    least = 2 * k + 2 + MARGIN
    if len(years) < least:
        raise TandemError(f"{len(years)} years are too few; {k} regressor(s) need {least}.")
    if len(entities) < 2:
        raise TandemError("Means of years need at least two entities.")
    factors = np.column_stack([np.ones(len(years)), cube.mean(axis=0).T])
    own, grams, moments = [], [], []
    for entity, values in zip(entities, cube, strict=True):
        refuse_collinear(entity, names, values[1:].T, factors)
        left = without(values.T, factors)
        gram, moment = left[:, 1:].T @ left[:, 1:], left[:, 1:].T @ left[:, 0]
        own.append(np.linalg.solve(gram, moment))
        grams.append(gram / len(years))
        moments.append(moment / len(years))
    own, n = np.array(own), len(entities)
    mean, cov = mean_over_entities(own, np.full((k, k), np.nan))
    estimate = mean
    if pooling == "pooled":
        total = sum(grams) / n
        estimate = np.linalg.solve(total, sum(moments) / n)
        away = [g @ (b - mean) for g, b in zip(grams, own, strict=True)]
        filling = sum(np.outer(a, a) for a in away) / (n - 1)
        bread = np.linalg.inv(total)
        cov = bread @ filling @ bread / n
    words = {"group": "mean group", "pooled": "pooled"}
    facts = {
        "estimator": f"common correlated effects, {words[pooling]}",
        "se_type": "spread over entities",
        "n_obs": n * len(years),
        "n_entities": n,
        "n_years": str(len(years)),
    }
    terms = coefficient_table(
        pd.Series(estimate, names), pd.Series(np.sqrt(np.diag(cov)), names), level=level
    )
    entity_index = pd.Index(entities, name="entity")
    return LongRun(
        terms, pd.DataFrame(cov, names, names), pd.DataFrame(own, entity_index, names), facts
    )
