"""P-values of a family of tests, adjusted for their number."""

import numpy as np
import pandas as pd

from tandem.errors import TandemError


def holm(pvalues: pd.Series) -> pd.Series:
    """Holm's (1979) step-down p-values: valid under any dependence; NaN stays out of the family.

    Parameters
    ----------
    pvalues : Series (m,)
    """
    known = pvalues.dropna().sort_values(kind="stable")
    if ((known < 0) | (known > 1)).any():
        raise TandemError("A p-value lies outside 0 and 1.")
    steps = known * np.arange(len(known), 0, -1)
    return steps.cummax().clip(upper=1.0).reindex(pvalues.index)


def romano_wolf(statistics: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """Step-down p-values of two-sided tests from their joint distribution under the null.

    Parameters
    ----------
    statistics : array (m,)
        Studentised estimates.
    drawn : array (draws, m)
        The same of each resample, centred at the estimates: ``(b* - b) / se``.

    Returns
    -------
    array (m,)

    References
    ----------
    Romano & Wolf (2005), Econometrica 73, 1237-1282; p-values as in Romano & Wolf (2016),
    Statistics and Probability Letters 113, 38-40.
    """
    statistics, drawn = np.abs(np.asarray(statistics)), np.abs(np.asarray(drawn))
    if drawn.ndim != 2 or drawn.shape[1] != len(statistics) or len(drawn) < 1:
        raise TandemError(
            f"{len(statistics)} statistics need draws with as many columns; they have shape "
            f"{drawn.shape}."
        )
    order = np.argsort(-statistics, kind="stable")
    # the largest over this and all weaker tests, from the right
    largest = np.maximum.accumulate(drawn[:, order[::-1]], axis=1)[:, ::-1]
    p = (1 + (largest >= statistics[order]).sum(axis=0)) / (1 + len(drawn))
    found = np.empty(len(order))
    found[order] = np.maximum.accumulate(p)
    return found
