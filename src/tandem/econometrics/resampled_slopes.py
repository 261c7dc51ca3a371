"""Slopes of a panel regression over many re-weightings of its entities."""

import numpy as np
import pandas as pd

from tandem.econometrics.panel_arrays import panel_cube
from tandem.econometrics.panel_var_paths import demean
from tandem.errors import TandemError


def resampled_slopes(
    y: pd.Series, x: pd.DataFrame, name: str, effects: str, weights: pd.DataFrame
) -> np.ndarray:
    """Coefficient of one regressor for each set of entity weights.

    An entity's cross-products are computed once, the effects of years are those of the sample.

    Parameters
    ----------
    y : Series (entity-years,)
    x : DataFrame (entity-years, k)
        Regressors without a constant; rows with a missing value are left out.
    name : str
        One of them.
    effects : {"none", "entity", "two-way"}
    weights : DataFrame (draws, entities)
        How often each entity is drawn; columns are the entities.

    Returns
    -------
    array (draws,)
    """
    if effects not in ("none", "entity", "two-way"):
        raise TandemError(f"Entities are resampled in least squares, not with {effects} effects.")
    cube, entities, _ = panel_cube(pd.concat([y.rename("__y__"), x], axis=1))
    rows = np.isfinite(cube).all(axis=1)
    if effects == "none":
        const = np.ones_like(cube[:, :1])
        flat = np.where(rows[:, None], np.nan_to_num(np.concatenate([cube, const], axis=1)), 0.0)
    else:
        flat = demean(np.nan_to_num(cube), rows, effects == "two-way")
    blocks = flat[:, 1:] @ flat.transpose(0, 2, 1)  # (N, k, 1 + k)
    total = np.tensordot(weights[entities].to_numpy(float), blocks, 1)
    slopes = np.linalg.solve(total[..., 1:], total[..., :1])
    return slopes[:, list(x.columns).index(name), 0]
