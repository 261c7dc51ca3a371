"""Panel vector autoregression by GMM with forward orthogonal deviations or first differences."""

import warnings
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from scipy import stats

from tandem.econometrics.chi_square import ChiSquare, chi_square
from tandem.econometrics.cross_section import cross_section_tests
from tandem.econometrics.panel_var_design import Design, level_equations
from tandem.econometrics.panel_var_gmm import (
    Gmm,
    fit_gmm,
    refit,
    refit_panels,
    residual_covariance,
)
from tandem.econometrics.panel_var_moments import Moments, build_moments
from tandem.econometrics.panel_var_results import VectorAutoregression
from tandem.econometrics.serial_correlation import m_statistic
from tandem.econometrics.transforms import first_difference
from tandem.errors import TandemError

STEPS = (1, 2, "iterated")


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
    predetermined : DataFrame (entity-years, q), optional
        Regressors of the same year that are uncorrelated with errors from that year on, not with
        earlier ones; their levels are instruments from one lag less than the variables' own.
    trend : bool
        A linear trend common to all entities, an exogenous regressor "trend" (years since the
        first). Year effects hold it already.
    system : bool
        Adds the equations in levels, instrumented by lagged differences (Blundell & Bond 1998),
        with a constant.
    pca : float, optional
        Replaces the lagged instruments by their principal components up to this share of their
        variance.

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
        predetermined: pd.DataFrame | None = None,
        trend: bool = False,
        system: bool = False,
        pca: float | None = None,
    ):
        self._data = data
        self._design = Design(
            lags,
            transform,
            instrument_lags,
            collapse,
            exog,
            predetermined,
            time_effects,
            trend,
            system,
            pca,
        )
        self._moments = build_moments(data, self._design)

    def fit(self, steps: int | str = 2) -> "PanelVARResults":
        """Estimate by one-step, two-step or iterated GMM: `steps` is 1, 2 or "iterated".

        Raises
        ------
        TandemError
            Another number of steps, fewer independent moments than coefficients, or iterations
            that do not settle.

        Warns
        -----
        UserWarning
            More instruments than entities, or a singular two-step weight matrix.
        """
        if steps not in STEPS:
            raise TandemError(
                f"GMM is one- or two-step (1, 2) or 'iterated'; steps={steps} was given."
            )
        results = _estimate(self._data, self._design, self._moments, steps)
        _warn(results)
        return results


@dataclass(frozen=True, eq=False)
class PanelVARResults(VectorAutoregression):
    """A panel VAR fitted by GMM.

    Standard errors are robust (one step), Windmeijer's (two steps) or those of iterated GMM,
    clustered by entity; the residual covariance takes cross-products over n - k (less the year
    effects), halved for differences. Further attributes than `VectorAutoregression`:

    Attributes
    ----------
    hansen_j : ChiSquare
        .stat .df .pval, of the two-step estimate also after one step; df is the rank of the
        moments less the coefficients.
    n_instruments, n_moments, rank : int
        Instruments an equation, moments over all equations, rank of their two-step weight.
    """

    hansen_j: ChiSquare
    n_instruments: int
    n_moments: int
    rank: int
    steps: int | str
    _moments: Moments = field(repr=False)
    _gmm: Gmm = field(repr=False)

    @property
    def cautions(self) -> list[str]:
        """What a reader must know: too many instruments, a singular weight, shocks that stay."""
        return [*_doubts(self), *super().cautions]

    @property
    def diagnostics(self) -> pd.DataFrame:
        """Tests of the residuals of each equation.

        Returns
        -------
        DataFrame (K,)
            ar1, ar1_p, ar2, ar2_p: serial correlation of the differenced errors (Arellano & Bond
            1991; the first order is expected, the second speaks against the latest instruments);
            cd, cd_p: dependence between entities (Pesaran); jarque_bera, jarque_bera_p: normality.
            NaN where the panel is too short or too ragged for a test, and cd with year effects,
            which force the errors of a year to add to zero.
        """
        errors = self.residuals
        rows = {name: self._serial(i) for i, name in enumerate(self.params.index)}
        for name, row in rows.items():
            normal = stats.jarque_bera(errors[name])
            row |= {"jarque_bera": normal.statistic, "jarque_bera_p": normal.pvalue}
            cd = np.nan, np.nan
            if not self._design.time_effects:
                try:
                    cd = cross_section_tests(errors[name])[:2]
                except TandemError:
                    pass  # too few common years: told as NaN
            row |= {"cd": cd[0], "cd_p": cd[1]}
        return pd.DataFrame.from_dict(rows, "index").rename_axis("equation")

    def _serial(self, equation: int) -> dict:
        moments, gmm = self._moments, self._gmm
        k = moments.x.shape[1]
        place = slice(equation * k, (equation + 1) * k)
        errors = moments.y - np.einsum("kr,nre->nke", gmm.coef, moments.x)
        sums = np.einsum("nle,nke->nkl", moments.z, errors).reshape(len(errors), -1)
        dy, dx, rows = _differences(self._data, self._design, moments)
        v = dy[:, equation] - np.einsum("r,nrt->nt", gmm.coef[equation], dx)
        found = {}
        for order in (1, 2):
            try:
                test = m_statistic(
                    order, v, rows, dx, sums, gmm.project[place], gmm.cov[place, place]
                )
            except TandemError:
                test = ChiSquare(np.nan, order, np.nan)
            found |= {f"ar{order}": test.stat, f"ar{order}_p": test.pval}
        return found

    @property
    def statistics(self) -> dict:
        """Statistics of the system under flat names."""
        errors = {1: "robust", 2: "Windmeijer"}.get(self.steps, "iterated")
        return super().statistics | {
            "se_type": f"{errors}, clustered by entity",
            "n_instruments": self.n_instruments,
            "hansen_j": self.hansen_j.stat,
            "hansen_p": self.hansen_j.pval,
        }

    @property
    def summary(self) -> str:
        """Everything in plain text."""
        return _summary(self)

    def _resample(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return _unscaled(self._moments, *refit(self._moments, self.steps, weights))

    def _refit_panels(self, panels, outside, copies: int) -> tuple[np.ndarray, np.ndarray]:
        exog, predetermined = outside
        design = replace(self._design, exog=exog, predetermined=predetermined)
        moments = build_moments(panels, design)
        place = np.arange(len(moments.rows)).reshape(copies, -1)
        return _unscaled(moments, *refit_panels(moments, self.steps, place))


def _unscaled(moments: Moments, coef: np.ndarray, sigma: np.ndarray) -> tuple:
    scale = moments.y_scale
    return coef * (scale[:, None] / moments.x_scale), sigma * np.outer(scale, scale)


def _differences(data: pd.DataFrame, design: Design, moments: Moments) -> tuple:
    """First differences of the levels, scaled, less those of the years if they have effects."""
    levels = level_equations(data, design)
    gone = set(moments.dropped_entities)
    kept = np.array([e not in gone for e in levels.entities])
    parts = ((levels.y, moments.y_scale), (levels.x, moments.x_scale))
    masked = [np.where(levels.usable[:, None], a / s[:, None], np.nan)[kept] for a, s in parts]
    dy, dx = (first_difference(a) for a in masked)
    rows = np.isfinite(dy).all(axis=1)
    dy, dx = (np.where(rows[:, None], a, 0.0) for a in (dy, dx))
    if design.time_effects:
        count = np.maximum(rows.sum(axis=0), 1)
        dy, dx = (a - a.sum(axis=0) / count * rows[:, None] for a in (dy, dx))
    return dy, dx, rows


def select_lags(
    data: pd.DataFrame,
    max_lags: int,
    transform: str = "fod",
    instrument_lags: tuple[int, int] = (2, 99),
    collapse: bool = True,
    exog: pd.DataFrame | None = None,
    time_effects: bool = False,
    predetermined: pd.DataFrame | None = None,
    trend: bool = False,
    system: bool = False,
    pca: float | None = None,
) -> pd.DataFrame:
    """Moment and model selection criteria of Andrews & Lu (2001) for 1 to `max_lags` lags.

    ``bic = J - df ln n``, ``aic = J - 2 df``, ``hqic = J - 2.1 df ln ln n`` with the two-step J, df
    its degrees of freedom (moments less K*K*p and other coefficients) and n the transformed
    equations (Abrigo & Love 2016). All orders share the sample and instruments of the longest.

    Parameters
    ----------
    data, transform, instrument_lags, collapse, exog, time_effects, predetermined, trend, system
        As in `PanelVAR`, and so is pca.
    max_lags : int

    Returns
    -------
    DataFrame (max_lags,)
        Rows are orders, columns bic, aic, hqic, j, df, pval, cd, max_modulus, n_obs. The least
        criterion wins, among orders whose J is not rejected and whose moduli are below one. cd is
        the overall coefficient of determination ``1 - det(S_e) / det(S_y)`` of the transformed
        equations; it may be negative, GMM does not minimise the errors.
        pval is NaN where df is 0: such an order is exactly identified and cannot be tested.

    Raises
    ------
    TandemError
        As `PanelVAR`.
    """
    rows = {}
    for lags in range(1, max_lags + 1):
        design = Design(
            lags,
            transform,
            instrument_lags,
            collapse,
            exog,
            predetermined,
            time_effects,
            trend,
            system,
            pca,
        )
        moments = build_moments(data, design, sample_lags=max_lags)
        results = _estimate(data, design, moments, 2)
        j, df, pval = results.hansen_j
        log_n = np.log(results.n_obs)
        criteria = (j - df * log_n, j - 2 * df, j - 2.1 * df * np.log(log_n))
        cd = _determination(moments, results)
        rows[lags] = (*criteria, j, df, pval, cd, results.moduli.iloc[0], results.n_obs)
    columns = ["bic", "aic", "hqic", "j", "df", "pval", "cd", "max_modulus", "n_obs"]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    return table.rename_axis("lags")


def _determination(moments: Moments, results: PanelVARResults) -> float:
    y, _ = moments.transformed
    total = np.tensordot(y, y, ([0, 2], [0, 2])) / moments.rows.sum() / moments.error_variance
    left = residual_covariance(moments, results._gmm.coef)
    return float(1 - np.linalg.det(left) / np.linalg.det(total))


def _estimate(data, design: Design, moments: Moments, steps: int | str) -> PanelVARResults:
    gmm = fit_gmm(moments, steps)
    scale = moments.y_scale[:, None] / moments.x_scale
    names, regressors = moments.variables, moments.regressors
    terms = pd.MultiIndex.from_product([names, regressors], names=["equation", "regressor"])
    cov = gmm.cov * np.outer(scale.ravel(), scale.ravel())
    sigma = residual_covariance(moments, gmm.coef) * np.outer(moments.y_scale, moments.y_scale)
    n_moments = moments.z.shape[1] * len(names)
    errors = np.sqrt(np.diag(cov)).reshape(scale.shape)
    return PanelVARResults(
        params=pd.DataFrame(gmm.coef * scale, index=names, columns=regressors),
        std_errors=pd.DataFrame(errors, index=names, columns=regressors),
        cov=pd.DataFrame(cov, index=terms, columns=terms),
        residual_cov=pd.DataFrame(sigma, index=names, columns=names),
        hansen_j=chi_square(gmm.j_stat, gmm.rank - gmm.coef.size),
        n_obs=moments.n_obs,
        n_entities=len(moments.rows),
        n_instruments=moments.z.shape[1],
        n_moments=n_moments,
        rank=gmm.rank,
        lags=moments.lags,
        steps=steps,
        method=design.method,
        dropped_entities=moments.dropped_entities,
        n_incomplete=moments.n_incomplete,
        _data=data,
        _design=design,
        _moments=moments,
        _gmm=gmm,
    )


def _doubts(results: PanelVARResults) -> list[str]:
    """Why the moments of a fit may not carry it."""
    told = []
    if results.n_instruments > results.n_entities:
        told.append(
            f"{results.n_instruments} instruments an equation for {results.n_entities} entities: "
            "the estimates lean towards the within estimator and Hansen's J is unreliable; "
            "collapse the instruments or shorten instrument_lags."
        )
    if results.rank < results.n_moments:
        told.append(
            f"The two-step weight matrix is singular: rank {results.rank} of {results.n_moments} "
            f"moments ({results.n_entities} entities); collapse the instruments, shorten "
            "instrument_lags or report the one-step estimates."
        )
    return told


def _warn(results: PanelVARResults) -> None:
    for doubt in _doubts(results):
        warnings.warn(doubt, stacklevel=3)


def _summary(results: PanelVARResults) -> str:
    step = {1: "one-step GMM, robust", 2: "two-step GMM, Windmeijer"}
    step = step.get(results.steps, "iterated GMM, corrected")
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
    lines += ["", *results.cautions]
    return "\n".join(lines).rstrip()
