"""Indicators on [0, 1], 1 the best: min-max between goalposts, ratio, percentile, normal score.

Everything is pooled over entities and years, so that years can be compared. A missing value stays
missing, whatever the method; an indicator that does not vary is left out with a warning, which is
weight 0.
"""

import warnings
from collections.abc import Mapping
from numbers import Real

import numpy as np
import pandas as pd
from scipy.special import ndtr

from tandem.errors import TandemError
from tandem.indices._inputs import numbers, refuse

# Share of the values beyond each winsorised goalpost.
TAIL = 0.01


def goalposts(
    x: pd.DataFrame, directions: Mapping | pd.Series, kind: str = "minmax"
) -> pd.DataFrame:
    """The values of each indicator that become 0 and 1, over all entities and years.

    Pooled goalposts keep years comparable; min-max within a year would put one entity at 1 and
    one at 0 every year. Stored, they leave old scores unchanged when a year is added.

    Parameters
    ----------
    x : DataFrame (rows, indicators)
        Raw indicators, index (entity, year); missing values are left out.
    directions : mapping or Series
        For each indicator "+" (more is better), "-" (less is better) or a number, the optimum
        of an indicator that is best in the middle.
    kind : {"minmax", "winsorised", "ratio"}
        Goalposts at the smallest and largest value; at the 1 and 99 % quantiles; or at 0 and the
        largest value, so that "+" becomes x / max and "-" becomes 1 - x / max (an indicator with
        an optimum keeps its smallest value).

    Returns
    -------
    DataFrame
        Index indicator; columns direction ("+", "-", "optimum"), minimum, maximum, optimum
        (NaN unless the direction is "optimum"). An indicator that does not vary is left out,
        with a warning that names it.

    Raises
    ------
    TandemError
        On text, an infinity, an indicator without any value, a direction that is missing or none
        of the three, a negative value with "ratio", or an unknown kind.
    """
    if kind not in ("minmax", "winsorised", "ratio"):
        raise TandemError(f"Goalposts are minmax, winsorised or ratio, not {kind!r}.")
    values = numbers(x)
    if kind == "ratio":
        refuse(values < 0, x, "a ratio to the largest value needs values of 0 or more")
    rows = {}
    for name, column in zip(x.columns, values.T, strict=True):
        direction, optimum = _direction(name, directions)
        if _still(name, column):
            continue
        low, high = np.nanquantile(column, [TAIL, 1 - TAIL] if kind == "winsorised" else [0, 1])
        if low == high:
            warnings.warn(
                f"Indicator {name} is {low} from its 1 to its 99 % quantile, so it gets no weight.",
                stacklevel=2,
            )
            continue
        if kind == "ratio" and direction != "optimum":
            low = 0.0
        rows[name] = (direction, low, high, optimum)
    columns = ["direction", "minimum", "maximum", "optimum"]
    posts = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    return posts.rename_axis("indicator")


def _still(name, column: np.ndarray) -> bool:
    """Whether an indicator does not vary, with a warning; it must have a value."""
    if np.isnan(column).all():
        raise TandemError(
            f"Indicator {name} has no value in any entity or year: add its data or take it "
            "out of the study."
        )
    low, high = np.nanmin(column), np.nanmax(column)
    still = bool(np.isclose(low, high, rtol=1e-12, atol=0))
    if still:
        warnings.warn(f"Indicator {name} is {low} everywhere, so it gets no weight.", stacklevel=3)
    return still


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


def percentile(x: pd.DataFrame, directions: Mapping | pd.Series) -> pd.DataFrame:
    """Indicators as percentile ranks, ``(rank - 1) / (n - 1)``; ties share their mean rank.

    n is the number of values of the indicator over all entities and years. A new year moves old
    ranks, so there is nothing to store. Arguments and errors as `goalposts`; returns a DataFrame
    (rows, indicators that vary).
    """
    better = _more_is_better(x, directions)
    return (better.rank() - 1) / (better.count() - 1)


def normal_score(x: pd.DataFrame, directions: Mapping | pd.Series) -> pd.DataFrame:
    """Indicators as ``Phi((x - mean) / sd)``, Phi the standard normal distribution function.

    Mean and sample standard deviation are those of the indicator over all entities and years.
    Arguments and errors as `goalposts`; returns a DataFrame (rows, indicators that vary).
    """
    better = _more_is_better(x, directions)
    return ndtr((better - better.mean()) / better.std())


def _more_is_better(x: pd.DataFrame, directions: Mapping | pd.Series) -> pd.DataFrame:
    """The indicators that vary, turned so that more is better."""
    turned = {}
    for name, column in zip(x.columns, numbers(x).T, strict=True):
        direction, optimum = _direction(name, directions)
        if not _still(name, column):
            closeness = -np.abs(column - optimum) if direction == "optimum" else -column
            turned[name] = column if direction == "+" else closeness
    return pd.DataFrame(turned, index=x.index)


def minmax_within_years(
    x: pd.DataFrame, directions: Mapping | pd.Series, compare: str
) -> pd.DataFrame:
    """Min-max within each year, for comparing the entities of one year and nothing else.

    In every year some entity is at 1 and another at 0, so these scores say nothing about change:
    comparing them over time is refused (OECD/JRC, Handbook on Constructing Composite Indicators,
    2008, step 5; from memory).

    Parameters
    ----------
    x : DataFrame (entity-years, indicators)
        Raw indicators, index (entity, year); missing values stay missing.
    directions : mapping or Series
        As in `goalposts`.
    compare : {"entities", "years"}
        What the scores are for.

    Returns
    -------
    DataFrame (entity-years, indicators)
        With the caution in ``attrs["note"]``.

    Raises
    ------
    TandemError
        If `compare` is not "entities", if an indicator is the same for all entities of a year, and
        as `goalposts`.
    """
    if compare != "entities":
        raise TandemError(
            "Min-max within years puts one entity at 1 and one at 0 in every year, so its scores "
            "cannot be compared over time (OECD/JRC Handbook 2008, step 5): use pooled goalposts, "
            "or say compare='entities' to rank the entities of one year."
        )
    scores = []
    for year, rows in x.groupby(level=1):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # said below, with the year
            posts = goalposts(rows, directions)
        still = x.columns.difference(posts.index)
        if len(still):
            raise TandemError(
                f"Indicator {still[0]} is the same for all entities in {year}, so min-max within "
                "years is undefined: leave the indicator or the year out, or pool the years."
            )
        scores.append(normalise(rows, posts))
    result = pd.concat(scores).reindex(x.index)
    result.attrs["note"] = "Min-max within years: compare entities of one year, never years."
    return result


# Pooled methods, each (x, directions) -> scores on [0, 1].
NORMALISATIONS = {
    "minmax": lambda x, directions: normalise(x, goalposts(x, directions)),
    "winsorised": lambda x, directions: normalise(x, goalposts(x, directions, "winsorised")),
    "percentile": percentile,
    "normal_score": normal_score,
    "ratio": lambda x, directions: normalise(x, goalposts(x, directions, "ratio")),
}
