"""Links between a few yearly series by several regressions, redrawn together under no link."""

from itertools import permutations

import numpy as np
import pandas as pd

from tandem.econometrics.long_causality import checked_series, lagged, under_null, wald_and_sum
from tandem.errors import TandemError

METHODS = ("VAR", "Toda-Yamamoto", "ARDL")


def joint_links(
    levels: pd.DataFrame, differenced: bool = True, lags: int = 1, draws: int = 999, seed=1
) -> tuple[pd.DataFrame, np.ndarray]:
    """What a unit of each series moves each other by a year later, and t ratios under no link.

    Three regressions of the effect, each with a constant: "VAR" of the changes (or levels) on
    `lags` lags of all, the sum of the cause's; "Toda-Yamamoto" of the level on two lags of all, the
    cause's first (the second is there for the unit root); "ARDL" of the change on the levels of a
    year before and the cause's change, the cause's level (Pesaran, Shin & Smith 2001, one lag).

    Parameters
    ----------
    levels : DataFrame (years, K)
        Consecutive years without a gap.
    differenced : bool
        Whether the VAR is one of changes.
    draws : int
        Resamples from a VAR in which every series follows its own past alone, residuals of a year
        drawn together, so that the errors of all regressions and both directions move together.
    seed : int, sequence of int or SeedSequence

    Returns
    -------
    table : DataFrame (K (K - 1) 3,)
        cause, effect, method, estimate, std_error (n - k degrees of freedom), df.
    drawn : array (draws, rows)
        t ratios under no link, in the order of the table: for `romano_wolf` (as these are drawn
        under the null, step-down p-values of Westfall & Young 1993), or each for its own p-value
        (for "ARDL" that of McNown, Sam & Goh 2018, Applied Economics 50, 1509-1521).

    Raises
    ------
    TandemError
        A gap, a constant series, or too few years.
    """
    values = checked_series(levels)
    k, names = values.shape[1], [str(c) for c in levels.columns]
    needed = max(1 + k * lags + lags + differenced, 2 * k + 3, 7) + 2
    if lags < 1 or len(values) < needed:
        raise TandemError(
            f"{len(values)} years are too few for {lags} lag(s) of {k} series; the side by side "
            f"comparison needs {needed}, and at least one lag."
        )
    scale = values.std(axis=0)
    values = values / scale
    moved = np.diff(values, axis=0) if differenced else values
    own = [[0, *(1 + j * k + i for j in range(lags))] for i in range(k)]
    built = under_null(moved, own, lags, draws, np.random.default_rng(seed))
    if differenced:
        first = np.broadcast_to(values[0], (draws, 1, k))
        built = np.concatenate([first, built], axis=1).cumsum(axis=1)
    rows, drawn = [], []
    for c, e in permutations(range(k), 2):
        for method in METHODS:
            (estimate,), (error,), df = _slope(values[None], method, c, e, lags, differenced)
            unit = scale[e] / scale[c]
            rows.append((names[c], names[e], method, estimate * unit, error * unit, df))
            b, se, _ = _slope(built, method, c, e, lags, differenced)
            drawn.append(b / se)
    columns = ["cause", "effect", "method", "estimate", "std_error", "df"]
    return pd.DataFrame(rows, columns=columns), np.array(drawn).T


def _slope(series: np.ndarray, method: str, c: int, e: int, lags: int, differenced: bool):
    """Slopes (draws,), their errors and degrees of freedom, of series (draws, T, K)."""
    k, moves = series.shape[2], np.diff(series, axis=1)
    if method == "VAR":
        data = moves if differenced else series
        y, z, tested = data[:, lags:, e], lagged(data, lags), [1 + j * k + c for j in range(lags)]
    elif method == "Toda-Yamamoto":
        y, z, tested = series[:, 2:, e], lagged(series, 2), [1 + c]
    else:
        before = series[:, :-1, [e, c]]
        y, tested = moves[..., e], [2]
        z = np.concatenate([np.ones_like(before[..., :1]), before, moves[..., [c]]], axis=2)
    _, b, se = wald_and_sum(y, z, tested)
    return b, se, z.shape[1] - z.shape[2]
