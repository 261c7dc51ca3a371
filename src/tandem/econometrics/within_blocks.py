"""Within regressions under many weightings of the entities at once: resampling only re-weights."""

from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class WithinBlocks:
    """Cross-products of each entity's variables and year dummies, less the entity's means.

    Attributes
    ----------
    products : array (n_entities, p, p)
    columns : list of str
        The variables; the remaining columns of `products` are year dummies.
    entities : Index (n_entities,)
    """

    products: np.ndarray
    columns: list[str]
    entities: pd.Index

    def fit(self, weights: np.ndarray, y: str, x: list[str]) -> np.ndarray:
        """Coefficients of x under each weighting of the entities.

        Parameters
        ----------
        weights : array (draws, n_entities)
            0 leaves an entity out, 2 takes it twice (each time with an effect of its own).
        y : str
        x : list of str
            Of `columns`; year effects are there if the blocks have them.

        Returns
        -------
        array (draws, len(x))
            Those of least norm where a draw leaves the regressors or years collinear.
        """
        dummies = range(len(self.columns), self.products.shape[1])
        right = [*(self.columns.index(name) for name in x), *dummies]
        left = self.columns.index(y)
        n, p, _ = self.products.shape
        sums = (weights @ self.products.reshape(n, p * p)).reshape(-1, p, p)
        gram, moment = sums[:, right][:, :, right], sums[:, right, left]
        try:
            found = np.linalg.solve(gram, moment[..., None])[..., 0]
        except np.linalg.LinAlgError:
            found = (np.linalg.pinv(gram, hermitian=True) @ moment[..., None])[..., 0]
        return found[:, : len(x)]


def within_blocks(rows: pd.DataFrame, effects: str) -> WithinBlocks:
    """Cross-products for regressions with entity effects, and year effects if wanted.

    Year effects enter as dummies, so that panels with gaps are exact too.

    Parameters
    ----------
    rows : DataFrame (entity-years, variables)
        Complete rows, from `complete_rows`.
    effects : {"entity", "two-way"}
    """
    z = rows.astype(float)
    if effects == "two-way":
        years = pd.Categorical(rows.index.get_level_values(1))
        dummies = pd.get_dummies(years, dtype=float).iloc[:, 1:].set_axis(rows.index)
        z = z.join(dummies.rename(columns="year {}".format))
    z = z - z.groupby(level=0).transform("mean")
    code, entities = pd.factorize(rows.index.get_level_values(0), sort=True)
    products = np.zeros((len(entities), z.shape[1], z.shape[1]))
    values = z.to_numpy()
    np.add.at(products, code, values[:, :, None] * values[:, None, :])
    return WithinBlocks(products, list(rows.columns), entities)


def resampled(n: int, draws: int, seed) -> np.ndarray:
    """Weights (draws, n) of samples of n entities with replacement."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(n, np.full(n, 1 / n), size=draws).astype(float)
