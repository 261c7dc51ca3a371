"""Panel vector autoregression by GMM with forward orthogonal deviations or first differences."""

import warnings
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy import stats

from tandem.econometrics.chi_square import ChiSquare, chi_square, wald
from tandem.econometrics.panel_var_gmm import fit_gmm, residual_covariance
from tandem.econometrics.panel_var_irf import IRF, companion, impulse_responses
from tandem.econometrics.panel_var_moments import Moments, build_moments
from tandem.errors import TandemError


class PanelVAR:
    """Panel VAR, ``y_it = A_1 y_i,t-1 + ... + A_p y_i,t-p + B x_it + f_i + e_it``.

    Parameters
    ----------
    data : DataFrame (entity-years, K)
        The K variables, indexed by (entity, year). An equation whose year or one of whose lags is
        missing is left out; entities left with none are dropped and counted.
    lags : int
        p.
    transform : {"fod", "fd"}
        How the fixed effect is removed: forward orthogonal deviations or first differences.
    instrument_lags : (int, int)
        First and last lag of the untransformed variables used as instruments, counted from the
        year in which the transformed equation ends when differenced: 2 is the latest valid one
        under both transforms (under "fod" it is the level one year before the equation's first).
    collapse : bool
        One instrument a lag and variable instead of one a lag, variable and year (Roodman 2009).
    exog : DataFrame (entity-years, q), optional
        Strictly exogenous regressors; transformed like the rest, they instrument themselves.
    time_effects : bool
        Transformed year dummies are partialled out of the equations and the instruments. In a
        balanced panel this is subtracting the mean of each year beforehand, in an unbalanced one
        it is right where that is not. Dummies as instruments of their own would soon outnumber the
        entities; partialled out, their estimation has no first-order effect on the coefficients.

    References
    ----------
    Holtz-Eakin, Newey & Rosen (1988), Econometrica 56, 1371-1395; Arellano & Bover (1995), Journal
    of Econometrics 68, 29-51; Abrigo & Love (2016), Stata Journal 16, 778-804.
    """

    def __init__(
        self,
        data: pd.DataFrame,
        lags: int = 1,
        transform: str = "fod",
        instrument_lags: tuple[int, int] = (2, 99),
        collapse: bool = True,
        exog: pd.DataFrame | None = None,
        time_effects: bool = False,
    ):
        options = (transform, instrument_lags, collapse, exog, time_effects)
        self._moments = build_moments(data, lags, *options, sample_lags=lags)
        words = {"fod": "forward orthogonal deviations", "fd": "first differences"}[transform]
        self._method = f"{words}, {'collapsed' if collapse else 'all'} instruments"
        self._method += ", year effects removed" if time_effects else ""

    def fit(self, steps: int = 2) -> "PanelVARResults":
        """Estimate by one- or two-step GMM.

        Raises
        ------
        TandemError
            Another number of steps, or fewer independent moments than coefficients.

        Warns
        -----
        UserWarning
            More instruments than entities, or a singular two-step weight matrix.
        """
        if steps not in (1, 2):
            raise TandemError(f"GMM is one- or two-step; steps={steps} was given.")
        results = _estimate(self._moments, steps, self._method)
        _warn(results)
        return results


@dataclass(frozen=True, eq=False)
class PanelVARResults:
    """A fitted panel VAR; rows are equations, columns ``L1.a L1.b ... L2.a ...`` and exog.

    Attributes
    ----------
    params, std_errors : DataFrame (K, k)
        Robust standard errors (one step) or Windmeijer's (two steps), clustered by entity.
    cov : DataFrame (K k, K k)
        Indexed by (equation, regressor).
    residual_cov : DataFrame (K, K)
        Of the errors in levels: residual cross-products over n - k (less the year effects), halved
        for differences.
    hansen_j : ChiSquare
        .stat .df .pval, of the two-step estimate also after one step; df is the rank of the
        moments less the coefficients.
    n_instruments, n_moments, rank : int
        Instruments an equation, moments over all equations, rank of their two-step weight.
    n_obs, n_entities, n_incomplete : int
        Transformed equations, entities with one, rows given with a missing value.
    dropped_entities : tuple
        Entities too short for a single equation.
    """

    params: pd.DataFrame
    std_errors: pd.DataFrame
    cov: pd.DataFrame
    residual_cov: pd.DataFrame
    hansen_j: ChiSquare
    n_obs: int
    n_entities: int
    n_instruments: int
    n_moments: int
    rank: int
    lags: int
    steps: int
    method: str
    dropped_entities: tuple
    n_incomplete: int
    _moments: Moments = field(repr=False)

    @property
    def tstats(self) -> pd.DataFrame:
        """Coefficients over standard errors."""
        return self.params / self.std_errors

    @property
    def pvalues(self) -> pd.DataFrame:
        """Two-sided, from the normal distribution."""
        return 2 * self.tstats.abs().apply(stats.norm.sf)

    @property
    def moduli(self) -> pd.Series:
        """Moduli of the K p companion eigenvalues, largest first (Luetkepohl 2005, eq. 2.1.9)."""
        roots = np.linalg.eigvals(companion(self._lag_coefficients))
        moduli = np.sort(np.abs(roots))[::-1]
        return pd.Series(moduli, index=range(1, len(moduli) + 1), name="modulus")

    @property
    def stable(self) -> bool:
        """True if every modulus is below one."""
        return bool(self.moduli.max() < 1)

    @property
    def granger(self) -> pd.DataFrame:
        """Wald tests that no lag of a cause enters an equation; "all": none of any other cause."""
        names = list(self.params.index)
        rows = {}
        for effect in names:
            others = [name for name in names if name != effect]
            for cause in others:
                rows[cause, effect] = self._exclusion([cause], effect)
            if others:
                rows["all", effect] = self._exclusion(others, effect)
        index = pd.MultiIndex.from_tuples(rows, names=["cause", "effect"])
        return pd.DataFrame(list(rows.values()), index=index, columns=["stat", "df", "pval"])

    @property
    def summary(self) -> str:
        """Everything in plain text."""
        return _summary(self)

    def irf(
        self,
        horizon: int = 10,
        kind: str = "orthogonal",
        order: list[str] | None = None,
        bands: str | None = "bootstrap",
        draws: int = 999,
        seed: int = 1,
        level: float = 0.95,
    ) -> IRF:
        """Responses to a shock of one standard deviation, with bands.

        Parameters
        ----------
        horizon : int
            Last year after the shock, at least 1.
        kind : {"orthogonal", "generalised"}
            Cholesky in the stated order (Luetkepohl 2005, section 2.3.2), or Pesaran & Shin (1998).
        order : list of str, optional
            The variables, the most exogenous first; default is the order of the data. Generalised
            responses do not depend on it.
        bands : {"bootstrap", "gaussian", None}
            Percentiles over refits to resampled entities (both steps and their weights anew), or
            over coefficients drawn from their normal distribution with the residual covariance
            held fixed.
        draws, seed : int
        level : float
            Of the pointwise bands.

        Raises
        ------
        TandemError
            An unknown choice, or a residual covariance that is singular.
        """
        return impulse_responses(
            self._moments, self, horizon, kind, order, bands, draws, seed, level
        )

    @property
    def _lag_coefficients(self) -> np.ndarray:
        return self.params.to_numpy()[:, : self.lags * len(self.params)]

    def _exclusion(self, causes: list[str], effect: str) -> ChiSquare:
        terms = [f"L{j}.{cause}" for j in range(1, self.lags + 1) for cause in causes]
        cov = self.cov.loc[effect, effect].loc[terms, terms]
        return wald(self.params.loc[effect, terms].to_numpy(), cov.to_numpy())


def select_lags(
    data: pd.DataFrame,
    max_lags: int,
    transform: str = "fod",
    instrument_lags: tuple[int, int] = (2, 99),
    collapse: bool = True,
    exog: pd.DataFrame | None = None,
    time_effects: bool = False,
) -> pd.DataFrame:
    """Moment and model selection criteria of Andrews & Lu (2001) for 1 to `max_lags` lags.

    ``bic = J - df ln n``, ``aic = J - 2 df``, ``hqic = J - 2.1 df ln ln n`` with the two-step J, df
    its degrees of freedom (moments less K*K*p and other coefficients) and n the transformed
    equations (Abrigo & Love 2016). All orders share the sample and instruments of the longest.

    Returns
    -------
    DataFrame (max_lags,)
        Rows are orders, columns bic, aic, hqic, j, df, pval, max_modulus, n_obs. The least
        criterion wins, among orders whose J is not rejected and whose moduli are below one.
        pval is NaN where df is 0: such an order is exactly identified and cannot be tested.

    Raises
    ------
    TandemError
        As `PanelVAR`.
    """
    options = (transform, instrument_lags, collapse, exog, time_effects)
    rows = {}
    for lags in range(1, max_lags + 1):
        moments = build_moments(data, lags, *options, sample_lags=max_lags)
        results = _estimate(moments, 2, "")
        j, df, pval = results.hansen_j
        log_n = np.log(results.n_obs)
        criteria = (j - df * log_n, j - 2 * df, j - 2.1 * df * np.log(log_n))
        rows[lags] = (*criteria, j, df, pval, results.moduli.iloc[0], results.n_obs)
    columns = ["bic", "aic", "hqic", "j", "df", "pval", "max_modulus", "n_obs"]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    return table.rename_axis("lags")


def _estimate(moments: Moments, steps: int, method: str) -> PanelVARResults:
    gmm = fit_gmm(moments, steps)
    scale = moments.y_scale[:, None] / moments.x_scale
    names, regressors = moments.variables, moments.regressors
    terms = pd.MultiIndex.from_product([names, regressors], names=["equation", "regressor"])
    cov = gmm.cov * np.outer(scale.ravel(), scale.ravel())
    sigma = residual_covariance(moments, gmm.coef) * np.outer(moments.y_scale, moments.y_scale)
    n_moments = moments.z.shape[1] * len(names)
    return PanelVARResults(
        params=pd.DataFrame(gmm.coef * scale, index=names, columns=regressors),
        std_errors=pd.DataFrame(
            np.sqrt(np.diag(cov)).reshape(scale.shape), index=names, columns=regressors
        ),
        cov=pd.DataFrame(cov, index=terms, columns=terms),
        residual_cov=pd.DataFrame(sigma, index=names, columns=names),
        hansen_j=chi_square(gmm.j_stat, gmm.rank - gmm.coef.size),
        n_obs=int(moments.rows.sum()),
        n_entities=len(moments.rows),
        n_instruments=moments.z.shape[1],
        n_moments=n_moments,
        rank=gmm.rank,
        lags=moments.lags,
        steps=steps,
        method=method,
        dropped_entities=moments.dropped_entities,
        n_incomplete=moments.n_incomplete,
        _moments=moments,
    )


def _warn(results: PanelVARResults) -> None:
    if results.n_instruments > results.n_entities:
        warnings.warn(
            f"{results.n_instruments} instruments an equation for {results.n_entities} entities: "
            "the estimates lean towards the within estimator and Hansen's J is unreliable; "
            "collapse the instruments or shorten instrument_lags.",
            stacklevel=3,
        )
    if results.rank < results.n_moments:
        warnings.warn(
            f"The two-step weight matrix is singular: rank {results.rank} of {results.n_moments} "
            f"moments ({results.n_entities} entities); collapse the instruments, shorten "
            "instrument_lags or report the one-step estimates.",
            stacklevel=3,
        )


def _summary(results: PanelVARResults) -> str:
    step = "one-step GMM, robust" if results.steps == 1 else "two-step GMM, Windmeijer"
    j = results.hansen_j
    dropped = f"dropped as too short {len(results.dropped_entities)}"
    lines = [
        f"Panel VAR({results.lags}), {results.method}",
        f"{step} standard errors, clustered by entity",
        f"Observations {results.n_obs}, rows given with a missing value {results.n_incomplete}",
        f"Entities {results.n_entities}, {dropped}",
        f"Instruments an equation {results.n_instruments}",
        f"Moments {results.n_moments}, independent {results.rank}",
    ]
    for name in results.params.index:
        columns = {
            "coef": results.params.loc[name],
            "std_error": results.std_errors.loc[name],
            "z": results.tstats.loc[name],
            "p": results.pvalues.loc[name],
        }
        lines += ["", f"Equation {name}", pd.DataFrame(columns).to_string(float_format="%.4f")]
    hansen = f"chi2({j.df}) = {j.stat:.2f}, p = {j.pval:.4f}" if j.df else "exactly identified"
    stable = "stable" if results.stable else "NOT stable: shocks do not die out"
    moduli = ", ".join(f"{modulus:.4f}" for modulus in results.moduli)
    granger = results.granger.to_string(float_format="%.4f") if len(results.params) > 1 else ""
    lines += ["", f"Hansen J {hansen}", f"Companion moduli {moduli} ({stable})", "", granger]
    return "\n".join(lines).rstrip()
