"""Standard errors of coupling statistics when entities, not entity-years, are the sample.

Entities are drawn with their whole history, and goalposts, weights and scores are computed anew in
each draw, so that the error of generated scores is in the standard errors.
"""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import scipy

from tandem.errors import TandemError
from tandem.indices.coupling import _degree, comprehensive
from tandem.indices.normalise import NORMALISATIONS
from tandem.indices.weights import METHODS, weighted_score


def resample_entities(x: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """As many entities as `x` has, drawn with replacement, each with all its years.

    Parameters
    ----------
    x : DataFrame
        Index (entity, year).
    rng : Generator

    Returns
    -------
    DataFrame
        Index (entity, year) with entities numbered from 0, since one may be there more than once.
        A column of `x` that names a group of entities stays with them.

    Raises
    ------
    TandemError
        If there are fewer than two entities.
    """
    x = x.sort_index()  # the same draws whatever the order of the rows
    code, names = pd.factorize(x.index.get_level_values(0))
    if len(names) < 2:
        raise TandemError("A bootstrap over entities needs at least two entities.")
    ends = np.cumsum(np.bincount(code))[:-1]
    rows = np.split(np.arange(len(x)), ends)
    drawn = [rows[k] for k in rng.integers(len(names), size=len(names))]
    sample = x.iloc[np.concatenate(drawn)]
    number = np.repeat(np.arange(len(drawn)), [len(part) for part in drawn])
    years = sample.index.get_level_values(1)
    return sample.set_axis(pd.MultiIndex.from_arrays([number, years], names=x.index.names))


def cluster_bootstrap(
    x: pd.DataFrame,
    statistic: Callable[[pd.DataFrame], pd.Series],
    draws: int | range,
    seed: int,
) -> pd.DataFrame:
    """Statistics of panels made of entities drawn with replacement.

    Parameters
    ----------
    x : DataFrame
        Index (entity, year), at least two entities.
    statistic : function
        From such a panel to a Series of numbers, for example `coupling_statistics`.
    draws : int or range
        Number of draws, or which of them. Draw i depends on the seed and i alone, so tables of
        ``range(0, 500)`` and ``range(500, 1000)`` under each other are the 1000 draws.
    seed : int

    Returns
    -------
    DataFrame (draws, statistics)
    """
    numbers_of = range(draws) if isinstance(draws, int) else draws
    children = (np.random.SeedSequence(seed, spawn_key=(i,)) for i in numbers_of)
    found = [statistic(resample_entities(x, np.random.default_rng(child))) for child in children]
    return pd.DataFrame(found, index=pd.Index(numbers_of, name="draw"))


def coupling_statistics(
    x: pd.DataFrame,
    systems: Mapping[str, Mapping],
    normalisation: str = "minmax",
    weights: str = "entropy",
    model: str = "standard",
    shares: Mapping[str, float] | None = None,
) -> pd.Series:
    """Mean C and D and their trends, from raw indicators.

    Parameters
    ----------
    x : DataFrame (entity-years, indicators)
        Raw indicators, index (entity, year) with whole years; a row that lacks an indicator has no
        C and D.
    systems : mapping
        For each system its indicators and their directions, as in `tandem.indices.goalposts`.
    normalisation, weights, model : str
        Keys of `NORMALISATIONS`, `METHODS` and `MODELS`.
    shares : mapping, optional
        Importance of the systems, summing to 1; equal if left out.

    Returns
    -------
    Series
        mean_C, mean_D; trend_C and trend_D, the slope a year within entities; mean_D of each year
        ("mean_D 2015").
    """
    scores = {}
    for name, directions in systems.items():
        z = NORMALISATIONS[normalisation](x[list(directions)], directions)
        scores[name] = weighted_score(z, METHODS[weights](z.dropna()))
    u = pd.DataFrame(scores).dropna()
    c = pd.Series(_degree(u.to_numpy(), model), u.index)
    d = np.sqrt(c * comprehensive(u, shares))
    year = pd.Series(u.index.get_level_values(1), u.index, dtype=float)
    year = year - year.groupby(level=0).transform("mean")
    by_year = d.groupby(level=1).mean().add_prefix("mean_D ")
    trend = {"trend_C": year @ c / (year @ year), "trend_D": year @ d / (year @ year)}
    return pd.concat([pd.Series({"mean_C": c.mean(), "mean_D": d.mean()} | trend), by_year])


def bootstrap_summary(estimates: pd.Series, draws: pd.DataFrame) -> pd.DataFrame:
    """Standard errors and 95 % normal intervals.

    A resample lacks some of the extreme entities, so its goalposts are narrower and its scores and
    D on average higher: the bias column. Percentiles of the draws would inherit it.

    Parameters
    ----------
    estimates : Series (statistics,)
        Of the panel itself.
    draws : DataFrame (draws, statistics)
        From `cluster_bootstrap`.

    Returns
    -------
    DataFrame
        By statistic: estimate, std_error, conf_low, conf_high, bias (mean of the draws less the
        estimate), draws (with a value; a draw may lack a year that few entities have).

    Raises
    ------
    TandemError
        If a statistic has fewer than two draws.
    """
    found = draws.reindex(columns=estimates.index)
    count = found.notna().sum()
    if (count < 2).any():
        raise TandemError(f"{count.idxmin()} has {count.min()} draws: draw more.")
    half = scipy.stats.norm.ppf(0.975) * found.std()
    return pd.DataFrame(
        {
            "estimate": estimates,
            "std_error": found.std(),
            "conf_low": estimates - half,
            "conf_high": estimates + half,
            "bias": found.mean() - estimates,
            "draws": count,
        }
    ).rename_axis("statistic")
