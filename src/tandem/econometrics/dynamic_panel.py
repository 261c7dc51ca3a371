"""Dynamic panel models by difference and system GMM.

``y_it = sum_j a_j y_i,t-j + x_it' b + effects + e_it`` is transformed so that the entity effect
goes out (first differences or forward orthogonal deviations) and estimated with lags of the levels
as instruments; system GMM adds the equation in levels with lagged differences as instruments.
"""

import warnings
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from tandem.econometrics.chi_square import ChiSquare, chi_square
from tandem.econometrics.coefficient_table import coefficient_table
from tandem.econometrics.dynamic_panel_moments import Equations, build_equations
from tandem.econometrics.maketables import ForMaketables
from tandem.econometrics.panel_var_gmm import Gmm, fit_blocks
from tandem.econometrics.serial_correlation import m_statistic
from tandem.errors import TandemError


class DynamicPanel:
    """A regression with lags of its dependent variable, by GMM.

    Parameters
    ----------
    y : Series (entity-years,)
        Indexed by (entity, year); unbalanced panels and gaps are allowed.
    exog : DataFrame (entity-years, k), optional
        Strictly exogenous regressors; transformed, they are their own instruments (and in levels in
        the equation in levels).
    predetermined, endogenous : DataFrame, optional
        Regressors uncorrelated with later errors only (instruments from lag 1), or not with the
        present one either (from lag 2).
    instruments : DataFrame, optional
        External instruments, used as `exog` is, but not regressors.
    lags : int
        Of y.
    transform : {"fd", "fod"}
        First differences or forward orthogonal deviations.
    system : bool
        Add the equation in levels (Blundell & Bond 1998) with a constant.
    instrument_lags : (first, last)
        Lags of y and of endogenous regressors (one less for predetermined ones), from 2.
    collapse : bool
        One column a lag, not a lag and year (Roodman 2009).
    time_effects : bool
        Year dummies, exogenous; in system GMM they instrument the equation in levels.

    Raises
    ------
    TandemError
        Text, a constant, collinear regressors, too few years, fewer instruments than coefficients.

    References
    ----------
    Arellano & Bond (1991), Review of Economic Studies 58, 277-297; Arellano & Bover (1995);
    Blundell & Bond (1998), Journal of Econometrics 87, 115-143; Roodman (2009), Stata Journal 9,
    86-136.
    """

    def __init__(
        self,
        y: pd.Series,
        exog: pd.DataFrame | None = None,
        predetermined: pd.DataFrame | None = None,
        endogenous: pd.DataFrame | None = None,
        instruments: pd.DataFrame | None = None,
        lags: int = 1,
        transform: str = "fd",
        system: bool = False,
        instrument_lags: tuple[int, int] = (2, 99),
        collapse: bool = False,
        time_effects: bool = False,
    ):
        parts = {
            "exog": exog,
            "predetermined": predetermined,
            "endogenous": endogenous,
            "instruments": instruments,
        }
        self.dependent = str(y.name)
        self.equations = build_equations(
            y, parts, lags, transform, system, instrument_lags, collapse, time_effects
        )
        words = {"fd": "first differences", "fod": "forward orthogonal deviations"}[transform]
        self.method = f"{'system' if system else 'difference'} GMM, {words}"

    def fit(self, steps: int = 2, level: float = 0.95) -> "DynamicPanelResults":
        """Estimate.

        Parameters
        ----------
        steps : {1, 2}
            One step: robust errors. Two steps: Windmeijer's (2005) correction.
        level : float
            Of the intervals, from the normal distribution.
        """
        if steps not in (1, 2):
            raise TandemError(f"GMM has one step or two; steps={steps} was given.")
        eq = self.equations
        gmm = fit_blocks(eq.zx, eq.zy, eq.zhz, steps)
        scale = eq.y_scale / eq.x_scale
        shown = [i for i, name in enumerate(eq.regressors) if not name.startswith("year ")]
        names = pd.Index([eq.regressors[i] for i in shown])
        estimate = pd.Series((gmm.coef[0] * scale)[shown], names)
        errors = pd.Series((np.sqrt(np.diag(gmm.cov)) * scale)[shown], names)
        terms = coefficient_table(estimate, errors, level=level)
        results = DynamicPanelResults(terms, steps, self.method, self.dependent, eq, gmm)
        _warn(results)
        return results


@dataclass(frozen=True, eq=False)
class DynamicPanelResults(ForMaketables):
    """A fitted dynamic panel.

    Attributes
    ----------
    terms : DataFrame
        Lags of y, regressors, and in system GMM the constant: estimate, std_error, statistic,
        p_value, conf_low, conf_high. Year effects are estimated and not shown.
    steps : int
    method, dependent : str
    """

    terms: pd.DataFrame
    steps: int
    method: str
    dependent: str
    _eq: Equations = field(repr=False)
    _gmm: Gmm = field(repr=False)

    @property
    def n_obs(self) -> int:
        """Equations: transformed ones, in system GMM those in levels."""
        return self._eq.n_obs

    @property
    def n_entities(self) -> int:
        """Entities with an equation."""
        return len(self._eq.z)

    @property
    def n_instruments(self) -> int:
        """Columns of instruments that are not all zero."""
        return self._eq.z.shape[1]

    @property
    def hansen(self) -> ChiSquare:
        """Hansen's J of the two-step estimate, df from the rank of the moments."""
        return chi_square(self._gmm.j_stat, self._gmm.rank - len(self._eq.regressors))

    @cached_property
    def sargan(self) -> ChiSquare:
        """Sargan's test of the one-step estimate; right with independent errors only.

        The variance divides by the transformed equations (Arellano & Bond 1991); Stata takes the
        coefficients off.
        """
        eq = self._eq
        one = fit_blocks(eq.zx, eq.zy, eq.zhz, 1)
        e = _residuals(eq.y[:, 0], eq.x, one.coef[0])
        rows = eq.transformed
        used = e[:, rows]
        k = len(eq.regressors)
        count = (np.abs(eq.x[:, :, rows]).max(axis=1) > 0).sum()
        var = (used**2).sum() / count / eq.error_variance
        g = (eq.zy[..., 0] - eq.zx @ one.coef[0]).sum(axis=0)
        values, vectors = np.linalg.eigh(eq.zhz)
        kept = values > len(values) * np.finfo(float).eps * values[-1]
        turned = vectors[:, kept].T @ g
        return chi_square(float((turned**2 / values[kept]).sum() / var), int(kept.sum()) - k)

    def serial_correlation(self, order: int) -> ChiSquare:
        """Arellano and Bond's m statistic of the differenced errors, squared, and its p-value.

        First order is expected; second order speaks against lag 2 as an instrument. `stat` holds
        the signed statistic, standard normal, `df` the order.

        Raises
        ------
        TandemError
            No entity has differenced errors `order` years apart, or the variance is negative.
        """
        eq, b = self._eq, self._gmm.coef[0]
        moments = eq.zy[..., 0] - eq.zx @ b
        v = _residuals(eq.dy, eq.dx, b)
        return m_statistic(order, v, eq.drows, eq.dx, moments, self._gmm.project, self._gmm.cov)

    @cached_property
    def difference_in_hansen(self) -> pd.DataFrame:
        """Hansen's J with and without each group of instruments, both with weights of their own.

        Returns
        -------
        DataFrame
            Index group: stat, df, p_value, j_without. A group that the coefficients need for
            identification is left out. The difference may be negative in small samples.
        """
        eq, full = self._eq, self.hansen
        groups = {name: np.array(eq.groups) == name for name in dict.fromkeys(eq.groups)}
        if eq.in_levels.any() and not eq.in_levels.all():
            groups["equation in levels"] = eq.in_levels
        rows = {}
        for name, mine in groups.items():
            try:
                less = eq.without(mine)
                fit = fit_blocks(less.zx, less.zy, less.zhz, 2)
            except (TandemError, np.linalg.LinAlgError):
                continue
            df = full.df - (fit.rank - len(eq.regressors))
            if df > 0 and fit.rank >= len(eq.regressors):
                test = chi_square(full.stat - fit.j_stat, df)
                rows[name] = (test.stat, df, test.pval, fit.j_stat)
        columns = ["stat", "df", "p_value", "j_without"]
        return pd.DataFrame.from_dict(rows, "index", columns=columns).rename_axis("group")

    @property
    def facts(self) -> dict:
        """Statistics of the model, as `models.csv` takes them."""
        words = "two-step, Windmeijer" if self.steps == 2 else "one-step, robust"
        found = {
            "dependent": self.dependent,
            "method": self.method,
            "se_type": f"{words}, clustered by entity",
            "n_obs": self.n_obs,
            "n_entities": self.n_entities,
            "n_dropped": self._eq.n_dropped,
            "n_instruments": self.n_instruments,
            "hansen_j": self.hansen.stat,
            "hansen_df": self.hansen.df,
            "hansen_p": self.hansen.pval,
            "sargan": self.sargan.stat,
            "sargan_p": self.sargan.pval,
        }
        for order in (1, 2):
            try:
                test = self.serial_correlation(order)
            except TandemError:
                continue
            found |= {f"ar{order}": test.stat, f"ar{order}_p": test.pval}
        return found

    @property
    def statistics(self) -> dict:
        """Facts under flat names."""
        return self.facts

    @property
    def summary(self) -> str:
        """Everything in plain text."""
        lines = [f"{name:<14}{value}" for name, value in self.facts.items()]
        return "\n".join([self.terms.to_string(float_format="%.5g"), "", *lines])


def _residuals(y: np.ndarray, x: np.ndarray, b: np.ndarray) -> np.ndarray:
    return y - b @ x


def _warn(results: DynamicPanelResults) -> None:
    if results.n_instruments > results.n_entities:
        warnings.warn(
            f"{results.n_instruments} instruments for {results.n_entities} entities: the estimates "
            "lean towards least squares and Hansen's J is unreliable; collapse the instruments or "
            "shorten instrument_lags.",
            stacklevel=3,
        )
    if results._gmm.rank < results.n_instruments:
        warnings.warn(
            f"The two-step weight matrix is singular: rank {results._gmm.rank} of "
            f"{results.n_instruments} moments ({results.n_entities} entities).",
            stacklevel=3,
        )
