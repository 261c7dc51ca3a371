"""Coefficients with tests and intervals, in the columns of the results store."""

import numpy as np
import pandas as pd
from scipy import stats

from tandem.errors import TandemError


def coefficient_table(
    estimate: pd.Series, std_error: pd.Series, t_df: float = np.inf, level: float = 0.95
) -> pd.DataFrame:
    """Two-sided tests that each coefficient is zero, and intervals.

    Parameters
    ----------
    estimate, std_error : Series (k,)
        Indexed by term.
    t_df : float
        Degrees of freedom of the t distribution; infinite for the normal.
    level : float
        Coverage of the intervals.

    Returns
    -------
    DataFrame (k, 6)
        Columns estimate, std_error, statistic, p_value, conf_low, conf_high.

    Raises
    ------
    TandemError
        A coefficient without a finite estimate and positive standard error.
    """
    bad = ~(np.isfinite(estimate) & np.isfinite(std_error) & (std_error > 0))
    if bad.any():
        raise TandemError(
            f"'{estimate.index[bad.to_numpy()][0]}' has no finite estimate and standard error; "
            "look for collinear regressors or too few clusters."
        )
    statistic = estimate / std_error
    reach = std_error * stats.t.ppf((1 + level) / 2, t_df)
    columns = {
        "estimate": estimate,
        "std_error": std_error,
        "statistic": statistic,
        "p_value": 2 * stats.t.sf(statistic.abs(), t_df),
        "conf_low": estimate - reach,
        "conf_high": estimate + reach,
    }
    return pd.DataFrame(columns).rename_axis("term")
