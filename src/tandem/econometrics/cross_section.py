"""Do the entities' residuals move together?"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from tandem.econometrics.chi_square import ChiSquare, chi_square
from tandem.econometrics.complete_rows import complete_rows
from tandem.econometrics.in_text import in_text
from tandem.econometrics.panel_arrays import panel_cube
from tandem.errors import TandemError

LEAST = 3  # common years below which a pair of entities tells nothing


class CrossSectionTests(NamedTuple):
    """Tests of no dependence between entities.

    Attributes
    ----------
    cd : float
        Pesaran's CD, standard normal for many entities.
    cd_pval : float
    lm : ChiSquare
        Breusch and Pagan's, for few entities and many years.
    scaled_lm : float
        Standard normal for many years, then many entities.
    scaled_lm_pval : float
    mean_correlation, mean_abs_correlation : float
    n_pairs, n_left_out : int
        Pairs compared, and pairs with fewer than 3 common years.
    """

    cd: float
    cd_pval: float
    lm: ChiSquare
    scaled_lm: float
    scaled_lm_pval: float
    mean_correlation: float
    mean_abs_correlation: float
    n_pairs: int
    n_left_out: int
    summary = property(in_text)


def cross_section_tests(residuals: pd.Series) -> CrossSectionTests:
    """Pesaran's CD and Breusch and Pagan's LM test of residuals, unbalanced panels too.

    ``CD = sqrt(1 / pairs) sum sqrt(T_ij) r_ij``, ``LM = sum T_ij r_ij^2``; r_ij is the correlation
    over the T_ij years that both entities have. Year effects force the residuals of a year to add
    to zero, which drives CD towards minus: test residuals without them.

    Parameters
    ----------
    residuals : Series (entity-years,)

    Raises
    ------
    TandemError
        Fewer than two entities, no pair with 3 common years, an entity without spread.

    References
    ----------
    Pesaran (2021), Empirical Economics 60, 13-50, equations 7 and 31; Breusch & Pagan (1980),
    Review of Economic Studies 47, 239-253 (equation numbers from memory).
    """
    cube, entities, _ = panel_cube(residuals.rename("residual").to_frame())
    e = cube[:, 0]
    if len(e) < 2:
        raise TandemError(f"Dependence is between entities; there is only {entities[0]}.")
    r, t = _correlations(e, entities)
    upper = np.triu_indices(len(e), 1)
    r, t = r[upper], t[upper]
    use = t >= LEAST
    if not use.any():
        raise TandemError(f"No two entities have {LEAST} common years; CD needs that.")
    r, t = r[use], t[use]
    cd = np.sqrt(t) @ r / np.sqrt(len(r))
    lm = t @ r**2
    scaled = (t * r**2 - 1).sum() / np.sqrt(2 * len(r))
    return CrossSectionTests(
        float(cd), float(2 * stats.norm.sf(abs(cd))), chi_square(lm, len(r)),
        float(scaled), float(2 * stats.norm.sf(abs(scaled))),
        float(r.mean()), float(np.abs(r).mean()), len(r), int((~use).sum()),
    )  # fmt: skip


def _correlations(e: np.ndarray, entities: list) -> tuple[np.ndarray, np.ndarray]:
    """Correlations and numbers of common years of all pairs; means are over the common years."""
    known = np.isfinite(e).astype(float)
    x = np.where(known > 0, e, 0.0)
    t = known @ known.T
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = x @ known.T / t  # of i over the years of j
        cov = x @ x.T / t - mean * mean.T
        var = (x**2) @ known.T / t - mean**2
        r = cov / np.sqrt(var * var.T)
    flat = (t >= LEAST) & (var <= 1e-14 * np.nanmax(x**2))
    if flat.any():
        i = int(np.argwhere(flat)[0][0])
        raise TandemError(f"The residuals of {entities[i]} do not vary; leave that entity out.")
    return np.where(t >= LEAST, r, 0.0), t


def heterogeneous_residuals(y: pd.Series, x: pd.DataFrame) -> pd.Series:
    """Residuals of a regression of y on x and a constant in each entity on its own.

    Parameters
    ----------
    y : Series, x : DataFrame (entity-years, k)

    Raises
    ------
    TandemError
        An entity with too few years for its k + 1 coefficients, or with collinear regressors.
    """
    rows, _ = complete_rows(y, x)
    found = []
    for entity, mine in rows.groupby(level=0):
        design = np.column_stack([np.ones(len(mine)), mine[list(x)]])
        if len(mine) <= design.shape[1] or np.linalg.matrix_rank(design) < design.shape[1]:
            raise TandemError(
                f"{entity} has {len(mine)} years, too few or too alike for {x.shape[1]} slopes of "
                "its own; take fewer regressors or leave it out."
            )
        left = mine[y.name].to_numpy()
        fitted = design @ np.linalg.lstsq(design, left, rcond=None)[0]
        found.append(pd.Series(left - fitted, mine.index))
    return pd.concat(found).rename("residual")
