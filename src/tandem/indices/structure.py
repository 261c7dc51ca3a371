"""Industrial structure and knowledge stocks.

Structure functions take the three sectors, as levels or shares, and normalise inside: an array
(..., 3) in the order primary, secondary, tertiary, or a DataFrame with these columns. They return
an array (...) or a Series, missing where a sector is, and raise a TandemError on text, an infinity,
a negative value or three zeros.
"""

import numpy as np
import pandas as pd

from tandem.errors import TandemError
from tandem.indices._inputs import along_years, complete, numbers, paired, refuse, rows_like

SECTORS = ["primary", "secondary", "tertiary"]


def _sectors(y):
    if not isinstance(y, pd.DataFrame):
        return y
    absent = [sector for sector in SECTORS if sector not in y]
    if absent:
        raise TandemError(f"The table of sectors has no column {absent[0]}: add it.")
    return y[SECTORS]


def _shares(y) -> np.ndarray:
    y = _sectors(y)
    values = numbers(y)
    if values.ndim < 1 or values.shape[-1] != 3:
        raise TandemError(
            "Industrial structure needs three sectors: primary, secondary and tertiary."
        )
    refuse(values < 0, y, "a sector cannot be below 0, so correct the value")
    total = values.sum(axis=-1, keepdims=True)
    empty = np.broadcast_to(total == 0, values.shape)
    refuse(empty, y, "all three sectors are 0, so correct them or leave them empty")
    return values / total


def tertiary_secondary(y: np.ndarray | pd.DataFrame) -> np.ndarray | float | pd.Series:
    """Advancement ``TS = y3 / y2``, from 0 up (Gan, Zheng and Yu 2011, Econ. Research J. 46(5)).

    Rises also when industry collapses. Raises a TandemError if the secondary sector is 0.
    """
    share = _shares(y)
    none = np.zeros(share.shape, dtype=bool)
    none[..., 1] = share[..., 1] == 0
    refuse(none, _sectors(y), "tertiary over secondary is undefined, so leave the row empty")
    return rows_like((share[..., 2] / share[..., 1])[()], y, "ts")


def hierarchy(y: np.ndarray | pd.DataFrame) -> np.ndarray | float | pd.Series:
    """Hierarchy ``H = y1 + 2 y2 + 3 y3`` with shares y, from 1 (all primary) to 3."""
    return rows_like(_shares(y) @ [1.0, 2.0, 3.0], y, "hierarchy")


def fu_angle(y: np.ndarray | pd.DataFrame) -> np.ndarray | float | pd.Series:
    """Fu's advancement ``W = 3 theta1 + 2 theta2 + theta3``, in radians.

    theta_j is the angle between the shares and the unit vector of sector j (Fu 2010, Statistical
    Research 27(8):79-81): 1.5 pi if all is primary, 2 pi secondary, 2.5 pi tertiary.
    """
    share = _shares(y)
    cosine = share / np.linalg.norm(share, axis=-1, keepdims=True)
    return rows_like(np.arccos(np.clip(cosine, 0, 1)) @ [3.0, 2.0, 1.0], y, "fu")


def moore(
    shares_from: np.ndarray | pd.DataFrame, shares_to: np.ndarray | pd.DataFrame
) -> np.ndarray | float | pd.Series:
    """Moore's speed of structural change: the angle between two structures, in radians.

    ``arccos(y . y' / (|y| |y'|))`` (Moore 1978, Review of Income and Wealth 24(1)), from 0 to
    pi / 2; it has no direction. Rows are compared in order, whatever their index.
    """
    a, b = _shares(shares_from), _shares(shares_to)
    cosine = (a * b).sum(axis=-1) / np.linalg.norm(a, axis=-1) / np.linalg.norm(b, axis=-1)
    return rows_like(np.arccos(np.clip(cosine, 0, 1))[()], shares_to, "moore")


def theil_rationalisation(
    y: np.ndarray | pd.DataFrame, labour: np.ndarray | pd.DataFrame
) -> np.ndarray | float | pd.Series:
    """Theil index of rationalisation, ``TL = sum_i y_i ln(y_i / labour_i)``; 0 is rational.

    Gan, Zheng and Yu (2011, Econ. Research J. 46(5):4-16). A sector with output and no employment
    gives infinity, one without output adds 0. Lower is better. DataFrames must have the same rows.

    Parameters
    ----------
    y, labour : array (..., 3) or DataFrame
        Output and employment by sector.
    """
    paired(y, labour)
    output, employed = _shares(y), _shares(labour)
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = output * np.log(output / employed)
    return rows_like(np.where(output == 0, 0, parts).sum(axis=-1)[()], y, "theil")


def deviation(
    y: np.ndarray | pd.DataFrame, labour: np.ndarray | pd.DataFrame
) -> np.ndarray | float | pd.Series:
    """Structural deviation ``E = sum_i |y_i / labour_i - 1|``; 0 is best, agriculture dominates.

    Arguments as `theil_rationalisation`; a sector with neither output nor employment adds 0.
    """
    paired(y, labour)
    output, employed = _shares(y), _shares(labour)
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = np.abs(output / employed - 1)
    absent = (output == 0) & (employed == 0)
    return rows_like(np.where(absent, 0, parts).sum(axis=-1)[()], y, "deviation")


def structure_table(va: pd.DataFrame, employment: pd.DataFrame | None = None) -> pd.DataFrame:
    """All structure indices of a panel.

    Parameters
    ----------
    va : DataFrame
        Value added; columns primary, secondary, tertiary (one unit), index (entity, year).
    employment : DataFrame, optional
        Employment, same columns; matched by entity and year.

    Returns
    -------
    DataFrame
        Index of `va`; columns ts, hierarchy, fu, moore (from the previous calendar year; missing
        if the panel lacks it), theil, deviation (missing where employment is).

    Raises
    ------
    TandemError
        On a sector without column, an entity-year given twice, text or a negative value.
    """
    if employment is None:
        employment = pd.DataFrame(columns=SECTORS, index=va.index, dtype=float)
    for frame, what in ((va, "value added"), (employment, "employment")):
        twice = frame.index[frame.index.duplicated()]
        if len(twice):
            entity, year = twice[0]
            raise TandemError(f"The table of {what} has {entity}, {year} twice: keep one row.")
    employment = employment.reindex(va.index)
    entities, years = (va.index.get_level_values(level) for level in (0, 1))
    previous = va.reindex(pd.MultiIndex.from_arrays([entities, years - 1]))
    return pd.DataFrame(
        {
            "ts": tertiary_secondary(va),
            "hierarchy": hierarchy(va),
            "fu": fu_angle(va),
            "moore": moore(previous, va),
            "theil": theil_rationalisation(va, employment),
            "deviation": deviation(va, employment),
        }
    )


def capital_stock(
    investment: np.ndarray | pd.Series,
    delta: float = 0.15,
    growth: float | None = None,
    lagged: bool = False,
) -> np.ndarray | pd.Series:
    """Stock of capital or knowledge by perpetual inventory.

    ``S_t = (1 - delta) S_{t-1} + E_t`` (or ``E_{t-1}``), ``S_0 = E_0 / (growth + delta)``
    (Griliches 1979, Bell Journal of Economics 10(1)).

    Parameters
    ----------
    investment : array (..., years) or Series
        Real investment of consecutive years, none missing; a Series has the index year or
        (entity, year).
    delta : float
        Yearly depreciation.
    growth : float, optional
        Yearly growth before the first year; if left out, the mean growth of `investment` from its
        first to its last year, entity by entity.
    lagged : bool
        Whether investment enters the stock one year later.

    Returns
    -------
    array or Series like `investment`
        Same unit.

    Raises
    ------
    TandemError
        On a missing year, a negative value, no investment in the first year while `growth` is
        left out, or growth + delta of 0 or less.
    """
    if isinstance(investment, pd.Series):
        return along_years(lambda wide: _inventory(wide, delta, growth, lagged), investment)
    return _inventory(investment, delta, growth, lagged)


def _inventory(investment, delta: float, growth: float | None, lagged: bool) -> np.ndarray:
    flow = complete(investment, "a stock needs every year, so fill it or shorten the period")
    refuse(flow < 0, investment, "investment cannot be below 0, so correct the value")
    years = flow.shape[-1]
    if growth is None:
        if years < 2:
            raise TandemError("Mean growth needs at least two years: give the growth rate.")
        none = np.zeros(flow.shape, dtype=bool)
        none[..., 0] = flow[..., 0] == 0
        refuse(none, investment, "mean growth cannot start from 0, so give the growth rate")
        growth = (flow[..., -1] / flow[..., 0]) ** (1 / (years - 1)) - 1
    if np.any(np.asarray(growth) + delta <= 0):
        raise TandemError(
            f"Growth plus depreciation is {np.min(growth) + delta:.3g}, but the first stock needs "
            "it above 0: give another growth rate."
        )
    stock = np.empty_like(flow)
    stock[..., 0] = flow[..., 0] / (growth + delta)
    for t in range(1, years):
        stock[..., t] = (1 - delta) * stock[..., t - 1] + flow[..., t - 1 if lagged else t]
    return stock
