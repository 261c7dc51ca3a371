"""Fixed effects taken out exactly, and least squares on what is left: fast on long panels too."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from linearmodels.panel import PanelOLS


def codes_of(index: pd.MultiIndex) -> list[np.ndarray]:
    """Entity and year of each row (n,) as whole numbers from 0, some of which may not occur."""
    return [np.asarray(codes, dtype=np.intp) for codes in index.codes]


def demeaned(values: np.ndarray, codes: list[np.ndarray], effects: str) -> np.ndarray:
    """Residuals of each column on entity effects, and year effects if wanted.

    Entities are demeaned; the years that remain are a regression on year dummies less their means
    by entity, whose cross-products need only the table of which entity has which year. Exact for
    any pattern of gaps.

    Parameters
    ----------
    values : array (n, p)
    codes : [entity, year], as `codes_of` gives them
    effects : {"entity", "two-way"}

    References
    ----------
    Baltagi (2021), Econometric Analysis of Panel Data, section 9.4 (from memory).
    """
    entity, year = codes
    size = np.maximum(np.bincount(entity), 1)
    left = np.empty(values.shape, order="F")
    for i, column in enumerate(values.T):
        left[:, i] = column - (np.bincount(entity, column) / size)[entity]
    if effects == "entity":
        return left
    n_years = year.max() + 1
    seen = np.bincount(entity * n_years + year, minlength=len(size) * n_years)
    seen = seen.reshape(len(size), n_years).astype(float)
    gram = np.diag(seen.sum(axis=0)) - seen.T @ (seen / size[:, None])
    moments = [np.bincount(year, column, n_years) for column in left.T]
    gamma = np.linalg.pinv(gram, 1e-12, hermitian=True) @ np.transpose(moments)
    means = seen @ gamma / size[:, None]
    for i, column in enumerate(left.T):
        column -= gamma[year, i] - means[entity, i]
    return left


@dataclass(frozen=True, eq=False)
class WithinResult:
    """A regression with effects and errors clustered by entity, under linearmodels' names.

    What is not below (R2, F statistics, the model) linearmodels computes when it is asked for.

    Attributes
    ----------
    params, std_errors, tstats : Series (k,)
    cov : DataFrame (k, k)
    resids : Series (n,)
    nobs, df_resid : int
    """

    params: pd.Series
    cov: pd.DataFrame
    resids: pd.Series
    nobs: int
    df_resid: int
    _model: tuple = field(repr=False)

    @property
    def std_errors(self) -> pd.Series:
        return pd.Series(np.sqrt(np.diag(self.cov)), self.params.index, name="std_error")

    @property
    def tstats(self) -> pd.Series:
        return (self.params / self.std_errors).rename("tstat")

    @cached_property
    def _fitted(self):
        y, x, effects = self._model
        model = PanelOLS(y, x, entity_effects=True, time_effects=effects == "two-way")
        return model.fit(cov_type="clustered", cluster_entity=True, group_debias=True)

    def __getattr__(self, name: str):
        if name.startswith("__"):  # copying and pickling look for these before there are fields
            raise AttributeError(name)
        return getattr(self._fitted, name)


def within_regression(
    y: pd.Series, x: pd.DataFrame, left: np.ndarray, n_effects: int, effects: str
) -> tuple[WithinResult, float]:
    """Least squares of what the effects leave, errors clustered by entity.

    Parameters
    ----------
    y : Series (n,), x : DataFrame (n, k)
        Complete rows.
    left : array (n, 1 + k)
        y and x from `demeaned`.
    n_effects : int
        Counted in the small-sample factor of two-way effects; entity effects are nested in the
        clusters.

    Returns
    -------
    result : WithinResult
    factor : float
        Of the covariance, G/(G-1) (n-1)/(n-k) (Cameron & Miller 2015, eq. 12).
    """
    design = left[:, 1:]
    gram = design.T @ design
    b = np.linalg.solve(gram, design.T @ left[:, 0])
    e = left[:, 0] - design @ b
    entity = codes_of(x.index)[0]
    scores = np.column_stack([np.bincount(entity, column * e) for column in design.T])
    n, k = design.shape
    groups = int((np.bincount(entity) > 0).sum())
    counted = k + (n_effects if effects == "two-way" else 0)
    factor = groups / (groups - 1) * (n - 1) / (n - counted)
    half = np.linalg.solve(gram, scores.T)
    names = pd.Index(x.columns)
    result = WithinResult(
        params=pd.Series(b, names, name="parameter"),
        cov=pd.DataFrame(factor * half @ half.T, names, names),
        resids=pd.Series(e, x.index, name="residual"),
        nobs=n,
        df_resid=n - k - n_effects,
        _model=(y, x, effects),
    )
    return result, factor
