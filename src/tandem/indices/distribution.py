"""How a score is spread over entities, and which indicators hold it back."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import scipy
from scipy.special import rel_entr

from tandem.errors import TandemError
from tandem.indices._inputs import complete, numbers, refuse, same_kind


class Dagum(NamedTuple):
    """Gini coefficient and its three parts, which sum to it."""

    total: float
    within: float
    between: float
    transvariation: float


class Theil(NamedTuple):
    """Theil index and its two parts, which sum to it."""

    total: float
    within: float
    between: float


class Density(NamedTuple):
    """Density on a grid, one column a year, and the bandwidth of each year."""

    density: pd.DataFrame
    bandwidth: pd.Series


def dagum(groups: Sequence | Mapping) -> Dagum:
    """Dagum's decomposition of the Gini coefficient by groups.

    Parts within groups, net between groups, and transvariation, the overlap between groups
    (Dagum 1997, Empirical Economics 22(4):515-531). With ``B_jh`` the sum of the positive
    differences of members of j over members of h, ``G = sum_jh B_jh / (n^2 mean)``, of which
    ``|B_jh - B_hj|`` is net and ``2 min(B_jh, B_hj)`` is overlap for each pair of groups.

    Parameters
    ----------
    groups : sequence or mapping of arrays or Series
        Values of 0 or more, none missing, at least one a group.

    Returns
    -------
    Dagum
        total, within, between, transvariation.

    Raises
    ------
    TandemError
        On an empty group, a missing or negative value, or if all values are 0.
    """
    parts = _groups(groups, "the Gini coefficient")
    values = np.concatenate(parts)
    member = np.repeat(np.eye(len(parts)), [part.size for part in parts], axis=0)
    above = member.T @ np.clip(values[:, None] - values, 0, None) @ member
    above /= values.size * values.sum()
    overlap = np.minimum(above, above.T)
    within = np.trace(above)
    between = np.abs(above - above.T).sum() / 2
    transvariation = overlap.sum() - np.trace(overlap)
    return Dagum(*(float(part) for part in (above.sum(), within, between, transvariation)))


def theil_decomposition(groups: Sequence | Mapping) -> Theil:
    """Theil index of inequality, within and between groups.

    ``T = 1/n sum_i x_i / mean ln(x_i / mean)``; between: every member has its group's mean; within:
    the groups' own T weighted by their shares of the total (Theil 1967, Economics and Information
    Theory, ch. 4; Shorrocks 1980, Econometrica 48(3):613-625; from memory).

    Parameters
    ----------
    groups : sequence or mapping of arrays or Series
        Values of 0 or more, none missing, at least one a group; a 0 adds 0.

    Returns
    -------
    Theil
        total, within, between; from 0 to ln n.

    Raises
    ------
    TandemError
        On an empty group, a missing or negative value, or if all values are 0.
    """
    parts = _groups(groups, "the Theil index")
    values = np.concatenate(parts)
    smoothed = np.concatenate([np.full(part.size, part.mean()) for part in parts])
    total, between = (rel_entr(v, values.mean()).sum() / values.sum() for v in (values, smoothed))
    within = sum(rel_entr(part, part.mean()).sum() for part in parts) / values.sum()
    return Theil(float(total), float(within), float(between))


def _groups(groups: Sequence | Mapping, what: str) -> list[np.ndarray]:
    groups = list(groups.values()) if isinstance(groups, Mapping) else list(groups)
    parts = [complete(g, f"{what} needs every value, so leave it out") for g in groups]
    for group, part in zip(groups, parts, strict=True):
        refuse(part < 0, group, f"{what} needs values of 0 or more")
    if not parts or any(part.size == 0 for part in parts):
        raise TandemError(f"There is an empty group for {what}: drop it or give its members.")
    if not any(part.any() for part in parts):
        raise TandemError(f"All values are 0, so {what} is undefined.")
    return parts


def kernel_density(x: pd.Series, points: int = 201) -> Density:
    """Gaussian kernel density of scores on [0, 1], year by year on one grid.

    The bandwidth is Scott's, ``s n^(-1/5)`` (Scott 1992, as scipy has it), s over n - 1. Mass that
    the kernels would put below 0 or above 1 is reflected at the bounds (Silverman 1986, section
    2.10; from memory), so each density integrates to 1 on [0, 1] and is flat at the bounds.

    Parameters
    ----------
    x : Series indexed (entity, year)
        Scores in [0, 1], none missing.
    points : int
        Size of the grid, evenly from 0 to 1.

    Returns
    -------
    Density
        density (points, years), index the grid; bandwidth (years,) in score points.

    Raises
    ------
    TandemError
        On a missing value or one outside [0, 1], or a year without two different values.
    """
    values = complete(x, "a density needs every value, so leave the row out")
    refuse((values < 0) | (values > 1), x, "normalise the score to [0, 1] first")
    grid = np.linspace(0, 1, points)
    densities, bandwidths = {}, {}
    for year, scores in x.groupby(level=1, sort=True):
        # Sorted, so that sums round alike whatever the order of the rows.
        found = np.sort(scores.to_numpy(float))
        if np.ptp(found) == 0:
            raise TandemError(f"All scores of {year} are the same, so they have no density.")
        kernel = scipy.stats.gaussian_kde(found)
        bandwidths[year] = float(np.sqrt(kernel.covariance[0, 0]))
        # Reflected twice at either bound, which leaves no mass out even with few scores.
        mirrored = [kernel(shift + side * grid) for shift in (-2, 0, 2) for side in (1, -1)]
        densities[year] = np.sum(mirrored, axis=0)
    year = x.index.names[1]
    density = pd.DataFrame(densities, index=pd.Index(grid, name="score")).rename_axis(columns=year)
    return Density(density, pd.Series(bandwidths, name="bandwidth").rename_axis(year))


def obstacle(z: np.ndarray | pd.DataFrame, w: np.ndarray | pd.Series) -> np.ndarray | pd.DataFrame:
    """Share of each indicator in the distance to the best score.

    ``o_ij = w_j (1 - z_ij) / sum_k w_k (1 - z_ik)``; 0 throughout where the best is reached.

    Parameters
    ----------
    z : array (..., m) or DataFrame (rows, m)
        Normalised indicators in [0, 1]; a missing one makes its row missing.
    w : array or Series (m,)
        Weights; a Series is matched by indicator.

    Returns
    -------
    array or DataFrame like `z`
        Rows sum to 1.

    Raises
    ------
    TandemError
        On a value outside [0, 1] or an indicator without weight.
    """
    values = numbers(z)
    refuse((values < 0) | (values > 1), z, "normalise the indicator to [0, 1] first")
    if isinstance(z, pd.DataFrame) and isinstance(w, pd.Series):
        w = w.reindex(z.columns)
    gap = complete(w, "give each indicator a weight") * (1 - values)
    total = gap.sum(axis=-1, keepdims=True)
    return same_kind(np.divide(gap, total, out=np.zeros_like(gap), where=total != 0), z)
