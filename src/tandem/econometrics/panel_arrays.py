"""A panel in a DataFrame, checked, as an array (entities, variables, years)."""

import numpy as np
import pandas as pd

from tandem.errors import TandemError


def panel_cube(data: pd.DataFrame) -> tuple[np.ndarray, list, np.ndarray]:
    """Lay a panel out as an array over consecutive years.

    Parameters
    ----------
    data : DataFrame (entity-years, variables)
        Numbers, indexed by (entity, year); rows in any order, NaN or no row where missing.

    Returns
    -------
    cube : array (n_entities, n_variables, n_years)
        NaN where missing; years run from the first to the last without a gap.
    entities : list
        Sorted by name.
    years : array (n_years,)

    Raises
    ------
    TandemError
        Wrong index, a pair (entity, year) given twice, text, an infinite value, a variable that
        is empty or constant.
    """
    _check_index(data)
    values = _numbers(data)
    row, entities = pd.factorize(data.index.get_level_values(0), sort=True)
    year_of = data.index.get_level_values(1).to_numpy(dtype=int)
    years = np.arange(year_of.min(), year_of.max() + 1)
    cube = np.full((len(entities), data.shape[1], len(years)), np.nan)
    cube[row, :, year_of - years[0]] = values
    return cube, list(entities), years


def _check_index(data: pd.DataFrame) -> None:
    if not isinstance(data, pd.DataFrame) or data.empty or data.index.nlevels != 2:
        raise TandemError(
            "A panel is a DataFrame of numbers indexed by (entity, year); "
            "use set_index(['entity', 'year']) first."
        )
    if data.columns.has_duplicates:
        twice = data.columns[data.columns.duplicated()][0]
        raise TandemError(f"The variable '{twice}' is given twice; rename one of the two.")
    if not pd.api.types.is_integer_dtype(data.index.levels[1]):
        raise TandemError(
            f"The second level of the index must be the year as a whole number; it holds "
            f"{data.index[0][1]!r}."
        )
    if min(codes.min() for codes in data.index.codes) < 0:
        raise TandemError("An entity or a year has no name; fill the index.")
    if data.index.has_duplicates:
        entity, year = data.index[data.index.duplicated()][0]
        raise TandemError(f"{entity} has two rows for {year}; keep one.")


def _numbers(data: pd.DataFrame) -> np.ndarray:
    """The values, if every column holds finite numbers that differ, or gaps."""
    if all(dtype.kind in "iuf" for dtype in data.dtypes):
        values = data.to_numpy(dtype=float)
        low, high = np.fmin.reduce(values), np.fmax.reduce(values)
        if (np.isfinite(low) & np.isfinite(high) & (low < high)).all():
            return values
    for name in data.columns:  # looking at each is for the sentence
        _check_column(data[name])
    return data.to_numpy(dtype=float)


def check_numbers(column: pd.Series) -> None:
    """Refuse text and infinite values, with the first one in words.

    Parameters
    ----------
    column : Series (entity-years,)
        With a name, indexed by (entity, year) or year; NaN may be there.

    Raises
    ------
    TandemError
    """
    if not pd.api.types.is_numeric_dtype(column):
        text = column[pd.to_numeric(column, errors="coerce").isna() & column.notna()]
        where = f" ({text.iloc[0]!r} in {_place(text)})" if len(text) else ""
        raise TandemError(f"'{column.name}' holds text, not numbers{where}; convert it first.")
    infinite = column[np.isinf(column.to_numpy(dtype=float))]
    if len(infinite):
        raise TandemError(
            f"'{column.name}' is infinite in {_place(infinite)}; "
            "a logarithm of zero or a division by zero often is the cause."
        )


def _check_column(column: pd.Series) -> None:
    check_numbers(column)
    known = column.dropna()
    if known.empty:
        raise TandemError(f"'{column.name}' has no value at all; leave it out.")
    if known.min() == known.max():
        raise TandemError(
            f"'{column.name}' is constant ({known.iloc[0]:g} everywhere); leave it out."
        )


def _place(column: pd.Series) -> str:
    where = column.index[0]
    return f"{where[0]}, {where[1]}" if isinstance(where, tuple) else str(where)
