"""Which static model? Tests of effects, serial correlation and unequal variances."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from linearmodels.panel import PanelOLS, PooledOLS
from scipy import stats

from tandem.econometrics.chi_square import ChiSquare, chi_square
from tandem.econometrics.complete_rows import complete_rows
from tandem.econometrics.in_text import in_text
from tandem.econometrics.static import panel_regression
from tandem.errors import TandemError


class FTest(NamedTuple):
    """Statistic, both degrees of freedom and p-value."""

    stat: float
    df: tuple[int, int]
    pval: float
    summary = property(in_text)


class RandomEffectsTest(NamedTuple):
    """Breusch and Pagan's test that entities have no effects, and Honda's one-sided form."""

    lm: ChiSquare
    honda: float
    honda_pval: float
    summary = property(in_text)


def effects_test(y: pd.Series, x: pd.DataFrame, effects: str = "entity") -> FTest:
    """F test that the effects are all zero, classical errors.

    Parameters
    ----------
    y : Series, x : DataFrame (entity-years, k)
    effects : {"entity", "two-way"}
        Against pooled least squares with a constant.

    References
    ----------
    Baltagi (2021), Econometric Analysis of Panel Data, section 4.2 (from memory).
    """
    rows, _ = complete_rows(y, x)
    panel_regression(rows[y.name], rows[list(x)], effects)  # refuses what is collinear
    design = rows[list(x)].assign(const=1.0)
    free = PanelOLS(
        rows[y.name], design, entity_effects=True, time_effects=effects == "two-way"
    ).fit()
    bound = PooledOLS(rows[y.name], design).fit()
    df = int(bound.df_resid - free.df_resid), int(free.df_resid)
    stat = (bound.resid_ss - free.resid_ss) / df[0] / (free.resid_ss / df[1])
    return FTest(float(stat), df, float(stats.f.sf(stat, *df)))


def random_effects_test(y: pd.Series, x: pd.DataFrame) -> RandomEffectsTest:
    """LM test of entity effects from the residuals of pooled least squares, unbalanced too.

    ``LM = n^2 A^2 / (2 (sum T_i^2 - n))``, ``A = sum_i (sum_t e)^2 / sum e^2 - 1``; Honda's is its
    signed root.

    Parameters
    ----------
    y : Series, x : DataFrame (entity-years, k)

    References
    ----------
    Breusch & Pagan (1980), Review of Economic Studies 47, 239-253; Baltagi & Li (1990),
    Econometric Reviews 9, 237-241 (unbalanced); Honda (1985), RES 52, 681-690 (from memory).
    """
    rows, _ = complete_rows(y, x)
    result, _ = panel_regression(rows[y.name], rows[list(x)], "none")
    e = result.resids
    sums, sizes = e.groupby(level=0).sum(), e.groupby(level=0).size()
    if (sizes == 1).all():
        raise TandemError("Every entity has one year only; effects cannot be told from errors.")
    a = (sums**2).sum() / (e**2).sum() - 1
    honda = len(e) * a / np.sqrt(2 * ((sizes**2).sum() - len(e)))
    return RandomEffectsTest(chi_square(honda**2, 1), float(honda), float(stats.norm.sf(honda)))


def serial_correlation_test(y: pd.Series, x: pd.DataFrame) -> FTest:
    """Wooldridge's test that the errors of the levels are not correlated over time.

    Residuals of the regression in first differences are regressed on their lag; without serial
    correlation in levels the coefficient is -1/2. Errors are clustered by entity, with N - 1
    degrees of freedom.

    Parameters
    ----------
    y : Series, x : DataFrame (entity-years, k)
        A gap year breaks an entity in two.

    Raises
    ------
    TandemError
        No entity has three years in a row.

    References
    ----------
    Wooldridge (2010), section 10.6.3; Drukker (2003), Stata Journal 3, 168-177.
    """
    rows, _ = complete_rows(y, x)
    d = _differences(rows).dropna()
    if d.empty:
        raise TandemError("No entity has two years in a row; there are no first differences.")
    right = d[list(x)].to_numpy()
    e = d[y.name] - right @ np.linalg.lstsq(right, d[y.name].to_numpy(), rcond=None)[0]
    pair = pd.concat([e.rename("now"), _lagged(e).rename("before")], axis=1).dropna()
    n = pair.index.get_level_values(0).nunique()
    if n < 2:
        raise TandemError("Fewer than two entities have three years in a row.")
    before, now = pair["before"].to_numpy(), pair["now"].to_numpy()
    b = before @ now / (before @ before)
    score = pd.Series(before * (now - b * before), pair.index).groupby(level=0).sum()
    variance = n / (n - 1) * (score**2).sum() / (before @ before) ** 2
    stat = (b + 0.5) ** 2 / variance
    return FTest(float(stat), (1, n - 1), float(stats.f.sf(stat, 1, n - 1)))


def _lagged(v: pd.Series | pd.DataFrame) -> pd.Series | pd.DataFrame:
    """A year before, by the calendar."""
    entity, year = (v.index.get_level_values(k) for k in (0, 1))
    moved = v.set_axis(pd.MultiIndex.from_arrays([entity, year + 1], names=v.index.names))
    return moved.reindex(v.index)


def _differences(rows: pd.DataFrame) -> pd.DataFrame:
    return rows - _lagged(rows)


def unequal_variances_test(y: pd.Series, x: pd.DataFrame, effects: str = "entity") -> ChiSquare:
    """Modified Wald test that the errors of all entities have the same variance.

    ``W = sum_i (s_i^2 - s^2)^2 / V_i``, s_i^2 the mean square of entity i's residuals, s^2 of all,
    ``V_i = sum_t (e_it^2 - s_i^2)^2 / (T_i (T_i - 1))``. Rejects far too often with few years.

    Parameters
    ----------
    y : Series, x : DataFrame (entity-years, k)
    effects : {"none", "entity", "two-way"}

    Raises
    ------
    TandemError
        An entity with one year only, or with equal squared residuals in all its years, as two years
        have with entity effects.

    References
    ----------
    Greene (2000), Econometric Analysis, 4th edition, page 598; Baum (2001), Stata Journal 1,
    101-104 (from memory).
    """
    rows, _ = complete_rows(y, x)
    size = rows.groupby(level=0).size()
    if (size < 2).any():
        raise TandemError(f"{size.index[size < 2][0]} has one year only; it has no variance.")
    result, _ = panel_regression(rows[y.name], rows[list(x)], effects)
    squares = result.resids**2
    by = squares.groupby(level=0)
    own = by.mean()
    v = by.apply(lambda s: ((s - s.mean()) ** 2).sum()) / (size * (size - 1))
    still = v <= 1e-12 * own**2
    if still.any():
        raise TandemError(
            f"The squared residuals of {v.index[still][0]} are the same in each year; with effects "
            "the test needs three years or more."
        )
    return chi_square(float(((own - squares.mean()) ** 2 / v).sum()), len(own))


def specification_table(y: pd.Series, x: pd.DataFrame) -> pd.DataFrame:
    """The tests of this module and their conventions in one table.

    Returns
    -------
    DataFrame
        Index test: statistic, df, p_value, null.
    """
    f, lm = effects_test(y, x), random_effects_test(y, x)
    both, serial = effects_test(y, x, "two-way"), serial_correlation_test(y, x)
    unequal = unequal_variances_test(y, x)
    rows = {
        "F, entity effects": (f.stat, f"{f.df[0]}, {f.df[1]}", f.pval, "no entity effects"),
        "F, entity and year effects": (
            both.stat, f"{both.df[0]}, {both.df[1]}", both.pval, "no effects",
        ),
        "Breusch-Pagan LM": (lm.lm.stat, "1", lm.lm.pval, "no entity effects"),
        "Honda": (lm.honda, "", lm.honda_pval, "no entity effects (one-sided)"),
        "Wooldridge": (serial.stat, f"1, {serial.df[1]}", serial.pval, "no serial correlation"),
        "Modified Wald": (unequal.stat, str(unequal.df), unequal.pval, "equal variances"),
    }  # fmt: skip
    table = pd.DataFrame.from_dict(rows, "index", columns=["statistic", "df", "p_value", "null"])
    return table.rename_axis("test")
