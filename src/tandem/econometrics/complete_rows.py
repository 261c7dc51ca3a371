"""The rows of a regression: joined, checked, and those with a missing value dropped and counted."""

import numpy as np
import pandas as pd

from tandem.econometrics.panel_arrays import panel_cube
from tandem.errors import TandemError


def complete_rows(*parts: pd.Series | pd.DataFrame | None) -> tuple[pd.DataFrame, int]:
    """Join the columns of a regression and drop rows with a missing or infinite value.

    Parameters
    ----------
    *parts : Series or DataFrame (entity-years, ...)
        Indexed by (entity, year), with names; None is left out.

    Returns
    -------
    rows : DataFrame
        Complete rows, sorted by entity and year.
    n_dropped : int

    Raises
    ------
    TandemError
        A series without a name, two columns of one name, an (entity, year) given twice, text, no
        complete row, or a column that is constant over the complete rows.
    """
    parts = [part for part in parts if part is not None]
    for part in parts:
        if isinstance(part, pd.Series) and part.name is None:
            raise TandemError("A series has no name; give it one with rename('...').")
        if part.index.nlevels != 2:
            raise TandemError(
                "A panel is indexed by (entity, year); use set_index(['entity', 'year']) first."
            )
        if part.index.has_duplicates:
            entity, year = part.index[part.index.duplicated()][0]
            raise TandemError(f"{entity} has two rows for {year}; keep one.")
    joined = pd.concat(parts, axis=1)
    if joined.columns.has_duplicates:
        twice = joined.columns[joined.columns.duplicated()][0]
        raise TandemError(f"The variable '{twice}' is given twice; leave one out or rename it.")
    rows = joined.replace([np.inf, -np.inf], np.nan).dropna().sort_index()
    if rows.empty:
        raise TandemError(
            f"No row has a value of each of {', '.join(map(str, joined.columns))}; "
            "look for a variable that covers other years or entities."
        )
    panel_cube(rows)  # refuses text, constants and years that are not whole numbers
    return rows, len(joined) - len(rows)


def require_balanced(rows: pd.DataFrame) -> None:
    """Refuse a panel that lacks an entity-year, with the first one in words.

    Raises
    ------
    TandemError
        Also for a single entity or a single year.
    """
    present = pd.Series(True, rows.index).unstack(fill_value=False)
    if present.shape[1] < 2:
        raise TandemError(
            f"Only the year {present.columns[0]} is complete; entity effects need at least two."
        )
    if not present.to_numpy().all():
        row, column = np.argwhere(~present.to_numpy())[0]
        raise TandemError(
            f"{present.index[row]} has no complete row for {present.columns[column]}; the "
            "model needs every entity in every year: fill the gap or leave one out."
        )
    if present.shape[0] < 2:
        raise TandemError(f"A panel has several entities; {present.index[0]} alone was given.")
