"""Numbers from arrays, Series and DataFrames, with errors that name the cell."""

import numpy as np
import pandas as pd

from tandem.errors import TandemError


def _row(index: pd.Index, row: int) -> str:
    label = index[row]
    parts = label if isinstance(label, tuple) else (label,)
    return ", ".join(
        f"{name or 'row'} {part}" for name, part in zip(index.names, parts, strict=True)
    )


def cell(x, position) -> str:
    """Say in words where `position` (one index per axis) lies in `x`."""
    if isinstance(x, pd.DataFrame):
        return f"{x.columns[position[1]]} ({_row(x.index, position[0])})"
    if isinstance(x, pd.Series):
        return f"{'The value' if x.name is None else x.name} ({_row(x.index, position[0])})"
    return f"The value at position {tuple(int(p) for p in position)}"


def refuse(bad: np.ndarray, x, advice: str) -> None:
    """Raise a TandemError about the first cell of `x` that `bad` marks, ending in `advice`."""
    if not bad.any():
        return
    position = tuple(np.argwhere(bad)[0])
    values = x.to_numpy() if hasattr(x, "to_numpy") else np.asarray(x)
    value = values[position]
    raise TandemError(f"{cell(x, position)} is {'missing' if pd.isna(value) else value}: {advice}.")


def numbers(x) -> np.ndarray:
    """Values of `x` as floats, missing as NaN; text and infinities raise a TandemError."""
    values = x.to_numpy() if hasattr(x, "to_numpy") else np.asarray(x)
    if values.dtype.kind not in "fiu":
        text = np.vectorize(lambda value: isinstance(value, str), otypes=[bool])(values)
        refuse(text, x, "give a number or leave the cell empty")
        values = np.where(pd.isna(values), np.nan, values)
    values = values.astype(float)
    refuse(np.isinf(values), x, "give a finite number or leave the cell empty")
    return values


def complete(x, advice: str) -> np.ndarray:
    """Like `numbers`, but a missing value raises a TandemError ending in `advice`."""
    values = numbers(x)
    refuse(np.isnan(values), x, advice)
    return values


def rows_like(values, x, name: str | None = None):
    """One value a row: a Series on the index of `x` if `x` is a DataFrame, else as it is."""
    return pd.Series(values, index=x.index, name=name) if isinstance(x, pd.DataFrame) else values


def same_kind(values, x, name: str | None = None):
    """As many values as in `x`: a Series or DataFrame if `x` is one, else as they are."""
    if isinstance(x, pd.Series):
        return pd.Series(values, index=x.index, name=name)
    if isinstance(x, pd.DataFrame):
        return pd.DataFrame(values, index=x.index, columns=x.columns)
    return values


def paired(a, b) -> None:
    """Raise a TandemError if two Series or DataFrames do not have the same rows."""
    if isinstance(a, pd.Series | pd.DataFrame) and isinstance(b, pd.Series | pd.DataFrame):
        if not a.index.equals(b.index):
            raise TandemError(
                "The two tables do not cover the same entities and years in the same order: "
                "reindex one by the other."
            )


def along_years(function, series: pd.Series) -> pd.Series:
    """Apply `function`, rows of years in and out, to a Series indexed by year or (entity, year)."""
    panel = series.index.nlevels == 2
    wide = (series.unstack() if panel else series.to_frame().T).sort_index(axis=1)
    gap = np.flatnonzero(np.diff(wide.columns.to_numpy()) != 1)
    if gap.size:
        raise TandemError(
            f"{series.name or 'The series'} jumps from {wide.columns[gap[0]]} to "
            f"{wide.columns[gap[0] + 1]}: fill the years between or shorten the period."
        )
    result = pd.DataFrame(function(wide), index=wide.index, columns=wide.columns)
    result = result.stack() if panel else result.iloc[0]
    return result.reindex(series.index).rename(series.name)
