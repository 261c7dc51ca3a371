"""What coupling chance alone gives: systems paired at random across entities or across years."""

import numpy as np
import pandas as pd

from tandem.errors import TandemError
from tandem.indices.coupling import _degree, _scores


def permutation_null(U: pd.DataFrame, draws: int, seed: int) -> dict[str, float]:
    """Where the observed mean C and D stand among panels whose systems are paired at random.

    Each draw permutes every system but the first across the entities of the same year, so levels
    and trends of each system stay and only their pairing goes. Rows with a missing score are left
    out and counted.

    Parameters
    ----------
    U : DataFrame (entity-years, systems)
        Scores in [0, 1], index (entity, year), at least one year with two entities.
    draws : int
        Number of permutations.
    seed : int

    Returns
    -------
    dict
        For the standard C and D: ``{C,D}_observed`` (the mean over rows), ``{C,D}_percentile``
        (0 to 100; ties count half), ``{C,D}_null_mean``, ``{C,D}_null_p5``, ``{C,D}_null_p95``;
        and n_obs, n_left_out, draws, seed.

    Raises
    ------
    TandemError
        On a score outside [0, 1], or if no year has two entities with all scores.
    """
    grid, counts = _panel_grid(U, level=1)
    if not (counts > 1).any():
        raise TandemError(
            "No year has two entities with all scores, so nothing can be permuted: add entities."
        )
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    keys = rng.random((draws, *grid.shape[:2], grid.shape[2] - 1))
    # Empty places sort last, so they stay empty in every draw.
    keys[:, np.isnan(grid[..., 0])] = np.inf
    return _compare(grid, keys.argsort(axis=2), draws, seed, len(U))


def circular_shift_null(U: pd.DataFrame, draws: int, seed: int) -> dict[str, float]:
    """Where the observed mean C and D stand among panels whose systems are out of step in time.

    Each draw moves every system but the first by a random number of years within each entity, the
    last years coming round to the front, so levels and persistence of each system stay and only
    their timing goes. Every number of years is as likely as any other, 0 included.

    Parameters
    ----------
    U : DataFrame (entity-years, systems)
        Scores in [0, 1], index (entity, year), at least one entity with two years. Rows with a
        missing score are left out and counted; years then follow each other as they come.
    draws : int
        Number of shifted panels.
    seed : int

    Returns
    -------
    dict
        As `permutation_null`.

    Raises
    ------
    TandemError
        On a score outside [0, 1], or if no entity has two years with all scores.
    """
    grid, counts = _panel_grid(U, level=0)
    if not (counts > 1).any():
        raise TandemError(
            "No entity has two years with all scores, so nothing can be shifted: add years."
        )
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    steps = rng.integers(counts[:, None], size=(draws, len(counts), grid.shape[2] - 1))
    place = np.arange(grid.shape[1])[:, None]
    moved = (place - steps[:, :, None, :]) % counts[:, None, None]
    order = np.where(place < counts[:, None, None], moved, place)
    return _compare(grid, order, draws, seed, len(U))


def _panel_grid(U: pd.DataFrame, level: int) -> tuple[np.ndarray, np.ndarray]:
    """Complete rows as an array (groups, places, systems), groups those of the index `level`."""
    U = U.sort_index()  # the same draws whatever the order of the rows
    scores = _scores(U)
    kept = ~np.isnan(scores).any(axis=1)
    group, place, counts = _grid(U.index.get_level_values(level)[kept])
    grid = np.full((len(counts), counts.max(initial=0), scores.shape[1]), np.nan)
    grid[group, place] = scores[kept]
    return grid, counts


def _compare(
    grid: np.ndarray, order: np.ndarray, draws: int, seed: int, rows: int
) -> dict[str, float]:
    """Observed mean C and D against those with the systems but the first put in `order`."""
    mixed = np.take_along_axis(grid[None, ..., 1:], order, axis=2)
    first = np.broadcast_to(grid[None, ..., :1], (*mixed.shape[:3], 1))
    null = _means(np.concatenate([first, mixed], axis=-1))
    observed = _means(grid[None])

    result = {}
    for name in ("C", "D"):
        seen, chance = observed[name][0], null[name]
        low, high = np.percentile(chance, [5, 95])
        result |= {
            f"{name}_observed": float(seen),
            f"{name}_percentile": 50 * float((chance < seen).mean() + (chance <= seen).mean()),
            f"{name}_null_mean": float(chance.mean()),
            f"{name}_null_p5": float(low),
            f"{name}_null_p95": float(high),
        }
    used = int((~np.isnan(grid[..., 0])).sum())
    return result | {"n_obs": used, "n_left_out": rows - used, "draws": draws, "seed": seed}


def _grid(groups: pd.Index) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Group of each observation, its place in the group, and the sizes of the groups."""
    group, _ = pd.factorize(groups)
    place = pd.Series(group).groupby(group).cumcount().to_numpy()
    return group, place, np.bincount(group)


def _means(grid: np.ndarray) -> dict[str, np.ndarray]:
    """Mean C and D of each draw, rounded so that equal means tie."""
    c = _degree(grid, "standard")
    d = np.sqrt(c * grid.mean(axis=-1))
    return {
        "C": np.nanmean(c, axis=(1, 2)).round(12),
        "D": np.nanmean(d, axis=(1, 2)).round(12),
    }
