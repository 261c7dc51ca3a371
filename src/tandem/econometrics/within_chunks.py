"""Description and within regressions of a panel larger than memory, chunk by chunk."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from tandem.errors import TandemError

Cubes = Callable[[], Iterable[np.ndarray]]
LEFT = 1e-5  # share of a regressor's norm that the effects must leave, as linearmodels has it


def describe_in_chunks(cubes: Cubes, variables: list[str]) -> pd.DataFrame:
    """`describe_panel` of a panel that is read once, never held.

    Parameters
    ----------
    cubes : function
        Gives the panel at a call: arrays (entities, variables, years), NaN where missing; an
        entity stands in one of them.
    variables : list of str

    Returns
    -------
    DataFrame (variables, 8)

    Raises
    ------
    TandemError
        A variable without two values.
    """
    k = len(variables)
    rows, means, within = _Spread(k), _Spread(k), np.zeros(k)
    least, most = np.full(k, np.inf), np.full(k, -np.inf)
    for cube in cubes():
        count, mean = _entity_means(cube)
        within += np.nansum((cube - mean[:, :, None]) ** 2, axis=(0, 2))
        rows.add(cube.transpose(0, 2, 1).reshape(-1, k))
        means.add(np.where(count > 0, mean, np.nan))
        known = np.isfinite(cube)
        least = np.minimum(least, np.where(known, cube, np.inf).min(axis=(0, 2)))
        most = np.maximum(most, np.where(known, cube, -np.inf).max(axis=(0, 2)))
    few = [name for name, n in zip(variables, rows.n, strict=True) if n < 2]
    if few:
        raise TandemError(f"'{few[0]}' has fewer than two values; leave it out.")
    table = {
        "n_obs": rows.n,
        "n_entities": means.n,
        "mean": rows.mean,
        "sd": rows.sd(),
        "sd_between": means.sd(),
        "sd_within": np.sqrt(within / (rows.n - 1)),
        "minimum": least,
        "maximum": most,
    }
    return pd.DataFrame(table, pd.Index(variables, name="variable"))


class _Spread:
    """Number, mean and squares of columns; parts joined as in Chan, Golub & LeVeque (1983)."""

    def __init__(self, k: int):
        self.n, self.mean, self.squares = np.zeros(k, dtype=int), np.zeros(k), np.zeros(k)

    def add(self, values: np.ndarray) -> None:
        known = np.isfinite(values)
        more = known.sum(axis=0)
        centre = np.where(known, values, 0).sum(axis=0) / np.maximum(more, 1)
        total, apart = self.n + more, centre - self.mean
        share = more / np.maximum(total, 1)
        self.squares += (np.where(known, values - centre, 0) ** 2).sum(axis=0)
        self.squares += apart**2 * self.n * share
        self.mean, self.n = self.mean + apart * share, total

    def sd(self) -> np.ndarray:
        return np.sqrt(self.squares / np.where(self.n > 1, self.n - 1, np.nan))


def _entity_means(cube: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values and mean (N, variables) of each entity, 0 without a value."""
    known = np.isfinite(cube)
    count = known.sum(axis=2)
    return count, np.where(known, cube, 0).sum(axis=2) / np.maximum(count, 1)


@dataclass(frozen=True, eq=False)
class ChunkedRegression:
    """Within estimates.

    Attributes
    ----------
    params, std_errors : Series (k,)
    facts : dict
        n_obs, n_entities, n_dropped (incomplete rows), n_singletons (rows alone in their entity),
        r2_within, n_clusters, t_df, se_type, se_factor.
    """

    params: pd.Series
    std_errors: pd.Series
    facts: dict

    @property
    def pvalues(self) -> pd.Series:
        """Two-sided, from t with clusters less one degrees of freedom."""
        t = (self.params / self.std_errors).abs()
        return pd.Series(2 * stats.t.sf(t, self.facts["t_df"]), t.index)


def within_in_chunks(cubes: Cubes, regressors: list[str], effects: str) -> ChunkedRegression:
    """Within regression, errors clustered by entity, of a panel that is read twice, never held.

    Parameters
    ----------
    cubes : function
        Gives the panel anew at each call: arrays (entities, 1 + k, years) of the dependent variable
        and the regressors, NaN where missing; the years are the same in all.
    regressors : list of str
    effects : {"entity", "two-way"}

    Returns
    -------
    ChunkedRegression
        `panel_regression` with clustered errors, but for rounding.

    Raises
    ------
    TandemError
        Other effects, a regressor that the effects or the others explain, too few entities.
    """
    if effects not in ("entity", "two-way"):
        raise TandemError(f"In chunks effects are entity or two-way; '{effects}' is neither.")
    k = 1 + len(regressors)
    total, raw, count = 0.0, 0.0, dict.fromkeys(("n_obs", "n_entities", "dropped", "alone"), 0)
    for cube in cubes():
        w, rows, told = _demeaned(cube, effects)
        total = total + np.tensordot(w, w, ([0, 2], [0, 2]))
        raw = raw + (np.where(rows[:, None], cube, 0) ** 2).sum(axis=(0, 2))
        count = {name: count[name] + told[name] for name in count}
    groups, n = count["n_entities"], count["n_obs"]
    if groups < 2:
        raise TandemError(f"{groups} entities have two complete rows; at least two must.")
    years, rank = _on_years(total, k)
    left = total[:k, :k] - total[:k, k:] @ years
    still = np.flatnonzero(np.diag(left)[1:] <= LEFT**2 * raw[1:])
    if len(still):
        name = regressors[still[0]]
        raise TandemError(f"'{name}' is wholly explained by the fixed effects; leave it out.")
    size = np.sqrt(np.diag(left)[1:])
    if np.linalg.matrix_rank(left[1:, 1:] / np.outer(size, size), hermitian=True) < k - 1:
        raise TandemError(f"The regressors {', '.join(regressors)} are collinear; leave one out.")
    bread = np.linalg.inv(left[1:, 1:])
    b = bread @ left[1:, 0]
    turn = np.concatenate([np.eye(k), -years])  # takes the years out of y and x
    meat = 0.0
    for cube in cubes():
        w, _, _ = _demeaned(cube, effects)
        clean = turn.T @ w
        errors = clean[:, 0] - np.einsum("k,nkt->nt", b, clean[:, 1:])
        scores = np.einsum("nkt,nt->nk", clean[:, 1:], errors)
        meat = meat + scores.T @ scores
    counted = k - 1 + (groups + rank if effects == "two-way" else 0)
    factor = groups / (groups - 1) * (n - 1) / (n - counted)
    around = total[0, 0] - 2 * b @ total[1:k, 0] + b @ total[1:k, 1:k] @ b
    return ChunkedRegression(
        pd.Series(b, regressors),
        pd.Series(np.sqrt(np.diag(bread @ meat @ bread) * factor), regressors),
        {
            "n_obs": n,
            "n_entities": groups,
            "n_dropped": count["dropped"],
            "n_singletons": count["alone"],
            "r2_within": 1 - around / total[0, 0],
            "n_clusters": groups,
            "t_df": groups - 1,
            "se_type": "clustered by entity",
            "se_factor": f"{factor:.4f}",
        },
    )


def _demeaned(cube: np.ndarray, effects: str) -> tuple[np.ndarray, np.ndarray, dict]:
    """y, x and, for two-way effects, year dummies less entity means; rows used; counts."""
    complete = np.isfinite(cube).all(axis=1)
    several = complete.sum(axis=1) > 1
    rows = complete & several[:, None]
    told = {
        "n_obs": int(rows.sum()),
        "n_entities": int(several.sum()),
        "alone": int((complete & ~several[:, None]).sum()),
        "dropped": int((np.isfinite(cube).any(axis=1) & ~complete).sum()),
    }
    w = np.where(rows[:, None], cube, 0.0)
    if effects == "two-way":
        n, t = rows.shape
        w = np.concatenate([w, np.broadcast_to(np.eye(t), (n, t, t)) * rows[:, None]], axis=1)
    means = w.sum(axis=2) / np.maximum(rows.sum(axis=1), 1)[:, None]
    return (w - means[:, :, None]) * rows[:, None], rows, told


def _on_years(total: np.ndarray, k: int) -> tuple[np.ndarray, int]:
    """Coefficients (T, k) of y and x on the demeaned year dummies, and how many are independent."""
    if len(total) == k:
        return np.zeros((0, k)), 0
    values, vectors = np.linalg.eigh(total[k:, k:])
    known = values > 1e-10 * values[-1]
    root = vectors[:, known] / values[known]
    return root @ (vectors[:, known].T @ total[k:, :k]), int(known.sum())
