"""Goalposts and min-max normalisation of indicators, pooled over entities and years."""

import warnings
from collections.abc import Mapping
from numbers import Real

import numpy as np
import pandas as pd

from tandem.errors import TandemError
from tandem.indices._inputs import numbers


def goalposts(x: pd.DataFrame, directions: Mapping | pd.Series) -> pd.DataFrame:
    """Smallest and largest value of each indicator over all entities and years.

    Pooled goalposts keep years comparable; min-max within a year would put one entity at 1 and
    one at 0 every year. Stored, they leave old scores unchanged when a year is added.

    Parameters
    ----------
    x : DataFrame (rows, indicators)
        Raw indicators, index (entity, year); missing values are left out.
    directions : mapping or Series
        For each indicator "+" (more is better), "-" (less is better) or a number, the optimum
        of an indicator that is best in the middle.

    Returns
    -------
    DataFrame
        Index indicator; columns direction ("+", "-", "optimum"), minimum, maximum, optimum
        (NaN unless the direction is "optimum"). An indicator that does not vary is left out,
        with a warning that names it.

    Raises
    ------
    TandemError
        On text, an infinity, an indicator without any value, or a direction that is missing or
        none of the three.
    """
    values = numbers(x)
    rows = {}
    for name, column in zip(x.columns, values.T, strict=True):
        direction, optimum = _direction(name, directions)
        if np.isnan(column).all():
            raise TandemError(
                f"Indicator {name} has no value in any entity or year: add its data or take it "
                "out of the study."
            )
        low, high = np.nanmin(column), np.nanmax(column)
        if np.isclose(low, high, rtol=1e-12, atol=0):
            warnings.warn(
                f"Indicator {name} is {low} everywhere, so it gets no weight.", stacklevel=2
            )
            continue
        rows[name] = (direction, low, high, optimum)
    columns = ["direction", "minimum", "maximum", "optimum"]
    posts = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    return posts.rename_axis("indicator")


def _direction(name, directions: Mapping | pd.Series) -> tuple[str, float]:
    if name not in directions:
        raise TandemError(
            f"Indicator {name} has no direction: give '+', '-' or the number at which it is best."
        )
    direction = directions[name]
    if isinstance(direction, str) and direction in ("+", "-"):
        return direction, np.nan
    if isinstance(direction, Real) and not isinstance(direction, bool) and np.isfinite(direction):
        return "optimum", float(direction)
    raise TandemError(
        f"Indicator {name} has the direction {direction!r}: give '+', '-' or the number at which "
        "it is best."
    )


def normalise(x: pd.DataFrame, posts: pd.DataFrame) -> pd.DataFrame:
    """Indicators on [0, 1], 1 the best.

    ``(x - min) / (max - min)`` for "+", ``(max - x) / (max - min)`` for "-", and
    ``1 - |x - x*| / max|x - x*|`` for an indicator with optimum ``x*``, where the largest distance
    is that of the farther goalpost (OECD/JRC, Handbook on Constructing Composite Indicators,
    2008, step 5). Values outside the goalposts are clipped; `outside` flags them.

    Parameters
    ----------
    x : DataFrame (rows, indicators)
        Raw indicators; missing values stay missing.
    posts : DataFrame
        From `goalposts`.

    Returns
    -------
    DataFrame (rows, indicators of `posts`)

    Raises
    ------
    TandemError
        On text, an infinity, or an indicator of `posts` that `x` lacks.
    """
    values = _columns(x, posts)
    low, high, optimum = (posts[c].to_numpy(float) for c in ("minimum", "maximum", "optimum"))
    direction = posts["direction"].to_numpy()
    rising = (values - low) / (high - low)
    farthest = np.maximum(np.abs(low - optimum), np.abs(high - optimum))
    around = 1 - np.abs(values - optimum) / farthest
    z = np.where(direction == "+", rising, np.where(direction == "-", 1 - rising, around))
    return pd.DataFrame(np.clip(z, 0, 1), index=x.index, columns=posts.index)


def outside(x: pd.DataFrame, posts: pd.DataFrame) -> pd.DataFrame:
    """Mark the values of `x` that lie outside the goalposts and that `normalise` may clip.

    Same arguments and errors as `normalise`; returns a DataFrame of booleans, False where missing.
    """
    values = _columns(x, posts)
    beyond = (values < posts["minimum"].to_numpy()) | (values > posts["maximum"].to_numpy())
    return pd.DataFrame(beyond, index=x.index, columns=posts.index)


def _columns(x: pd.DataFrame, posts: pd.DataFrame) -> np.ndarray:
    absent = posts.index.difference(x.columns)
    if len(absent):
        raise TandemError(
            f"Indicator {absent[0]} has goalposts but no column in the data: add it, or make the "
            "goalposts anew."
        )
    return numbers(x[posts.index])
