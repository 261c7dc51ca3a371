"""Coefficients with tests and intervals, in the columns of the results store."""

import numpy as np
import pandas as pd
from scipy import special

from tandem.errors import TandemError

COLUMNS = ["estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high"]


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
    b, se = (a.to_numpy(dtype=float) for a in (estimate, std_error))
    bad = ~(np.isfinite(b) & np.isfinite(se) & (se > 0))
    if bad.any():
        raise TandemError(
            f"'{estimate.index[bad][0]}' has no finite estimate and standard error; "
            "look for collinear regressors or too few clusters."
        )
    statistic = b / se
    reach = se * special.stdtrit(t_df, (1 + level) / 2)
    p_value = 2 * special.stdtr(t_df, -np.abs(statistic))
    values = np.column_stack([b, se, statistic, p_value, b - reach, b + reach])
    return pd.DataFrame(values, estimate.index.rename("term"), COLUMNS)
