"""Industrial structure.

Structure functions take the three sectors, as levels or shares, and normalise inside: an array
(..., 3) in the order primary, secondary, tertiary, or a DataFrame with these columns. They return
an array (...) or a Series, missing where a sector is, and raise a TandemError on text, an infinity,
a negative value or three zeros.
"""

import numpy as np
import pandas as pd

from tandem.errors import TandemError
from tandem.indices._inputs import complete, numbers, paired, refuse, rows_like

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


def productivity_advancement(
    y: np.ndarray | pd.DataFrame,
    labour: np.ndarray | pd.DataFrame,
    begin: np.ndarray | pd.Series,
    end: np.ndarray | pd.Series,
) -> np.ndarray | float | pd.Series:
    """Advancement weighted by productivity, ``sum_i y_i (LP_i - LP_i0) / (LP_i1 - LP_i0)``.

    y_i are the shares of value added and ``LP_i = Y_i / L_i``; about 0 at the begin of
    industrialisation and 1 at its end, not bounded (Liu, Zhang and Huang 2008; from memory, the
    original not seen). The benchmarks are Chenery's, converted to the unit and price level of the
    data: none is built in, as the result is only as good as the conversion.

    Parameters
    ----------
    y : array (..., 3) or DataFrame
        Value added by sector, levels at constant prices, not shares.
    labour : array (..., 3) or DataFrame
        Employment by sector, levels above 0; a DataFrame has the same rows.
    begin, end : array (3,) or Series
        Labour productivity by sector at the begin and the end of industrialisation, in the unit of
        `y` over that of `labour`; a Series is matched by sector.

    Returns
    -------
    float, array (...) or Series
    """
    paired(y, labour)
    share, output = _shares(y), numbers(_sectors(y))
    _shares(labour)
    workers = numbers(_sectors(labour))
    refuse(workers == 0, _sectors(labour), "productivity is undefined, so leave the row empty")
    low, high = (_benchmark(values) for values in (begin, end))
    if (high <= low).any():
        raise TandemError("Productivity at the end of industrialisation must exceed the begin's.")
    progress = (output / workers - low) / (high - low)
    return rows_like((share * progress).sum(axis=-1)[()], y, "productivity_advancement")


def _benchmark(values) -> np.ndarray:
    values = values.reindex(SECTORS) if isinstance(values, pd.Series) else values
    found = complete(values, "give productivity for all three sectors")
    if found.shape != (3,):
        raise TandemError("Productivity benchmarks are one number for each of the three sectors.")
    return found


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
