"""Hausman's test and its robust form: are entity effects uncorrelated with the regressors?"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from linearmodels.panel import RandomEffects

from tandem.econometrics.chi_square import ChiSquare, wald
from tandem.econometrics.in_text import in_text
from tandem.econometrics.static import panel_regression
from tandem.errors import TandemError


@dataclass(frozen=True)
class Hausman:
    """Statistic, degrees of freedom, p-value; not `valid` and NaN where the test does not exist."""

    stat: float
    df: int
    pval: float
    valid: bool
    message: str
    summary = property(in_text)


def hausman(fe, re) -> Hausman:
    """Compare fixed with random effects, ``d' (V_fe - V_re)^-1 d`` over the slopes both have.

    Parameters
    ----------
    fe, re : linearmodels results
        `PanelOLS` with entity effects and `RandomEffects` on the same rows, both with unadjusted
        covariance: the formula holds only if random effects are efficient under the null.

    Returns
    -------
    Hausman
        Where ``V_fe - V_re`` is not positive definite, `valid` is False and the numbers are NaN.

    Raises
    ------
    TandemError
        Different rows, no common slope, or a covariance that is not unadjusted.

    References
    ----------
    Hausman (1978), Econometrica 46, 1251-1271.
    """
    varying = fe.model.exog.dataframe.nunique() > 1
    slopes = [name for name in fe.params.index if name in re.params.index and varying[name]]
    if not slopes:
        raise TandemError("The fixed and random effects models have no slope in common.")
    if fe.nobs != re.nobs:
        raise TandemError(
            f"Hausman's test compares two models of the same rows; fixed effects have {fe.nobs}, "
            f"random effects {re.nobs}."
        )
    # linearmodels says how it computed the covariance only here and in the printed summary
    if (fe._cov_type, re._cov_type) != ("Unadjusted", "Unadjusted"):
        raise TandemError(
            "Hausman's test needs unadjusted standard errors in both models; "
            "with clustered ones use hausman_robust."
        )
    d = (fe.params - re.params)[slopes].to_numpy()
    v_fe = fe.cov.loc[slopes, slopes].to_numpy()
    v = v_fe - re.cov.loc[slopes, slopes].to_numpy()
    scale = np.sqrt(np.diag(v_fe))
    if np.linalg.eigvalsh(v / np.outer(scale, scale)).min() <= 0:
        message = (
            "The variance of the fixed less that of the random effects is not positive definite, "
            "so Hausman's statistic does not exist in this sample; use the robust form."
        )
        return Hausman(np.nan, len(slopes), np.nan, False, message)
    return Hausman(*wald(d, v), True, "")


def hausman_robust(y: pd.Series, x: pd.DataFrame, cluster: pd.Series | None = None) -> ChiSquare:
    """Hausman's test by regression, valid under heteroskedasticity and serial correlation.

    Random effects of y on x and the entity means of x; the statistic is the clustered Wald test
    that the means do not matter, with linearmodels' group_debias.

    Parameters
    ----------
    y : Series (entity-years,)
    x : DataFrame (entity-years, k)
        Indexed by (entity, year), without missing values. A constant is added if there is none.
    cluster : Series (entity-years,), optional
        Cluster of each row; default is the entity.

    Raises
    ------
    TandemError
        A missing or infinite value, no regressor that varies over the years within an entity,
        regressors collinear with the entity means, and what `panel_regression` refuses.

    References
    ----------
    Mundlak (1978), Econometrica 46, 69-85; Wooldridge (2010), section 10.7.3.
    """
    panel_regression(y, x.loc[:, x.nunique() > 1], "random", "unadjusted")  # refuses no panel
    missing = ~np.isfinite(x).all(axis=1) | ~np.isfinite(y)
    if missing.any():
        entity, year = missing[missing].index[0]
        raise TandemError(
            f"y or x is missing or infinite in {entity}, {year}; drop such rows first."
        )
    means = x.groupby(level=0).transform("mean")
    varies_within = (x - means).abs().max() > 1e-12 * x.abs().max()
    tested = means.loc[:, varies_within & (means.nunique() > 1)].add_suffix(" (entity mean)")
    if tested.empty:
        raise TandemError("No regressor varies both within and between entities; nothing to test.")
    with_constant = x.loc[:, x.nunique() > 1].assign(const=1.0)
    clusters = {"cluster_entity": True} if cluster is None else {"clusters": cluster.to_frame()}
    try:
        model = RandomEffects(y, with_constant.join(tested))
    except ValueError as err:
        names = ", ".join(map(str, x.columns))
        raise TandemError(
            f"{names} are collinear with their entity means; leave one out that does not vary "
            "within entities."
        ) from err
    fit = model.fit(cov_type="clustered", group_debias=True, **clusters)
    names = tested.columns
    return wald(fit.params[names].to_numpy(), fit.cov.loc[names, names].to_numpy())
