"""Before estimating: how each variable varies, what it goes with, what the others explain of it."""

import numpy as np
import pandas as pd
from scipy import stats

from tandem.econometrics.panel_arrays import check_numbers, panel_cube
from tandem.errors import TandemError


def describe_panel(data: pd.DataFrame) -> pd.DataFrame:
    """Spread of each variable: overall, between entities, and within them.

    Parameters
    ----------
    data : DataFrame (entity-years, variables)
        Missing values are left out variable by variable.

    Returns
    -------
    DataFrame (variables, 8)
        n_obs, n_entities, mean, sd, sd_between (of the entities' means), sd_within (of the
        deviations from them, n - 1), minimum, maximum: as Stata's xtsum. With a single entity there
        is no sd_between (NaN).

    Raises
    ------
    TandemError
        Text, an infinite value, or a variable without two values.
    """
    rows = {}
    for name, column in data.items():
        check_numbers(column)
        x = column.dropna()
        if len(x) < 2:
            raise TandemError(f"'{name}' has fewer than two values; leave it out.")
        means = x.groupby(level=0).mean()
        within = x - x.groupby(level=0).transform("mean")
        rows[name] = {
            "n_obs": len(x),
            "n_entities": len(means),
            "mean": x.mean(),
            "sd": x.std(),
            "sd_between": means.std(),
            "sd_within": np.sqrt((within**2).sum() / (len(x) - 1)),
            "minimum": x.min(),
            "maximum": x.max(),
        }
    return pd.DataFrame(rows).T.astype({"n_obs": int, "n_entities": int}).rename_axis("variable")


def correlations(data: pd.DataFrame) -> pd.DataFrame:
    """Pearson correlations of each pair over the rows that both have.

    Returns
    -------
    DataFrame (pairs, 3)
        Index first, second: r, p_value, n_obs. The p-value takes rows as independent, which those
        of a panel are not.

    Raises
    ------
    TandemError
        Text, an infinite value, a pair with fewer than three common rows, or a constant.
    """
    rows = {}
    names = list(data)
    for name in names:
        check_numbers(data[name])
    for i, first in enumerate(names):
        for second in names[i + 1 :]:
            both = data[[first, second]].dropna()
            if len(both) < 3 or both.nunique().min() < 2:
                raise TandemError(
                    f"'{first}' and '{second}' have no correlation: {len(both)} common rows, or "
                    "one of them is constant in these."
                )
            r, p = stats.pearsonr(both[first], both[second])
            rows[first, second] = {"r": r, "p_value": p, "n_obs": len(both)}
    table = pd.DataFrame(rows).T.astype({"n_obs": int})
    return table.rename_axis(["first", "second"])


def variance_inflation(x: pd.DataFrame) -> pd.Series:
    """Variance inflation factor of each regressor, 1 / (1 - R2 on the others and a constant).

    Rows with a missing value are left out. A regressor that the others explain wholly is infinite.

    Raises
    ------
    TandemError
        Text, an infinite value, a constant, or no more complete rows than regressors.
    """
    z = x.dropna()
    if len(z) <= x.shape[1]:
        raise TandemError(f"{len(z)} complete rows are too few for {x.shape[1]} regressors.")
    panel_cube(z)  # refuses text and constants
    z = (z - z.mean()) / z.std()
    found = {}
    for name in z:
        others = z.drop(columns=name).to_numpy()
        fitted = others @ np.linalg.lstsq(others, z[name].to_numpy(), rcond=None)[0]
        left = ((z[name] - fitted) ** 2).sum() / (z[name] ** 2).sum()
        found[name] = np.inf if left < 1e-12 else 1 / left
    return pd.Series(found, name="vif").rename_axis("variable")
