"""What coupling chance alone gives: permutation of systems across entities within years."""

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
    U = U.sort_index()  # the same draws whatever the order of the rows
    scores = _scores(U)
    kept = ~np.isnan(scores).any(axis=1)
    year, place, counts = _grid(U.index.get_level_values(1)[kept])
    if not (counts > 1).any():
        raise TandemError(
            "No year has two entities with all scores, so nothing can be permuted: add entities."
        )
    systems = scores.shape[1]
    grid = np.full((len(counts), counts.max(), systems), np.nan)
    grid[year, place] = scores[kept]

    rng = np.random.default_rng(np.random.SeedSequence(seed))
    keys = rng.random((draws, *grid.shape[:2], systems - 1))
    # Empty places sort last, so they stay empty in every draw.
    keys[:, np.isnan(grid[..., 0])] = np.inf
    mixed = np.take_along_axis(grid[None, ..., 1:], keys.argsort(axis=2), axis=2)
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
    return result | {
        "n_obs": int(kept.sum()),
        "n_left_out": int((~kept).sum()),
        "draws": draws,
        "seed": seed,
    }


def _grid(years: pd.Index) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Row and place within the row of a year x entity grid for each observation, and row sizes."""
    year, _ = pd.factorize(years)
    place = pd.Series(year).groupby(year).cumcount().to_numpy()
    return year, place, np.bincount(year)


def _means(grid: np.ndarray) -> dict[str, np.ndarray]:
    """Mean C and D of each draw, rounded so that equal means tie."""
    c = _degree(grid, "standard")
    d = np.sqrt(c * grid.mean(axis=-1))
    return {
        "C": np.nanmean(c, axis=(1, 2)).round(12),
        "D": np.nanmean(d, axis=(1, 2)).round(12),
    }
