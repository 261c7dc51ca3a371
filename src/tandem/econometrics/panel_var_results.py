"""What every estimated panel VAR can tell, however its coefficients were found."""

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import pandas as pd
from scipy import stats

from tandem.econometrics import panel_var_paths as paths
from tandem.econometrics.chi_square import ChiSquare, wald
from tandem.econometrics.coefficient_table import coefficient_table
from tandem.econometrics.maketables import Equation
from tandem.econometrics.panel_var_design import Design
from tandem.econometrics.panel_var_irf import (
    IRF,
    banded,
    check_bands,
    companion,
    impulse_responses,
    responses,
    tidy,
)
from tandem.errors import TandemError

VALUES_PER_CHUNK = 300_000


@dataclass(frozen=True, eq=False)
class VectorAutoregression:
    """Coefficients of a panel VAR; rows are equations, columns ``L1.a L1.b ... L2.a ...`` and exog.

    Attributes
    ----------
    params, std_errors : DataFrame (K, k)
        Standard errors are clustered by entity.
    cov : DataFrame (K k, K k)
        Indexed by (equation, regressor).
    residual_cov : DataFrame (K, K)
        Of the errors in levels.
    n_obs, n_entities, n_incomplete : int
        Equations, entities with one, rows given with a missing value.
    dropped_entities : tuple
        Entities too short for a single equation.
    """

    BANDS: ClassVar[tuple] = ("bootstrap", "wild", "gaussian")

    params: pd.DataFrame
    std_errors: pd.DataFrame
    cov: pd.DataFrame
    residual_cov: pd.DataFrame
    n_obs: int
    n_entities: int
    lags: int
    method: str
    dropped_entities: tuple
    n_incomplete: int
    _data: pd.DataFrame = field(repr=False)
    _design: Design = field(repr=False)

    @property
    def tstats(self) -> pd.DataFrame:
        """Coefficients over standard errors."""
        return self.params / self.std_errors

    @property
    def pvalues(self) -> pd.DataFrame:
        """Two-sided, from the normal distribution."""
        return 2 * self.tstats.abs().apply(stats.norm.sf)

    @property
    def roots(self) -> np.ndarray:
        """Complex eigenvalues (K p,) of the companion matrix, largest modulus first."""
        roots = np.linalg.eigvals(companion(self._lag_coefficients))
        return roots[np.argsort(-np.abs(roots), kind="stable")]

    @property
    def moduli(self) -> pd.Series:
        """Moduli of the K p companion eigenvalues, largest first (Luetkepohl 2005, eq. 2.1.9)."""
        moduli = np.abs(self.roots)
        return pd.Series(moduli, index=range(1, len(moduli) + 1), name="modulus")

    @property
    def stable(self) -> bool:
        """True if every modulus is below one."""
        return bool(self.moduli.max() < 1)

    @property
    def cautions(self) -> list[str]:
        """What a reader must know: entities dropped, shocks that do not die out."""
        told = []
        if dropped := self.dropped_entities:
            names = ", ".join(map(str, dropped[:5])) + ", ..." * (len(dropped) > 5)
            told.append(f"Too short for an equation and dropped: {len(dropped)} ({names}).")
        if not self.stable:
            told.append(
                f"The largest modulus is {self.moduli.iloc[0]:.3f}: shocks do not die out, and "
                "there is no variance decomposition."
            )
        return told

    @property
    def granger(self) -> pd.DataFrame:
        """Wald tests that no lag of a cause enters an equation.

        "all" as the cause: none of any other variable, block exogeneity of the effect.
        """
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

    def equation(self, name: str) -> Equation:
        """One equation with tests from the normal distribution and 95 % intervals.

        Raises
        ------
        TandemError
            An unknown name.
        """
        if name not in self.params.index:
            known = ", ".join(map(str, self.params.index))
            raise TandemError(f"There is no equation '{name}'; equations are {known}.")
        terms = coefficient_table(self.params.loc[name], self.std_errors.loc[name], level=0.95)
        return Equation(terms, {"dependent": name, "conf_level": 0.95, **self.statistics})

    @property
    def statistics(self) -> dict:
        """Statistics of the system under flat names."""
        return {
            "n_obs": self.n_obs,
            "n_entities": self.n_entities,
            "entity_effects": True,
            "time_effects": self._design.time_effects,
            "se_type": "clustered by entity",
        }

    def irf(
        self,
        horizon: int = 10,
        kind: str = "orthogonal",
        order: list[str] | None = None,
        restrictions: pd.DataFrame | None = None,
        cumulative: bool = False,
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
        kind : {"orthogonal", "generalised", "structural"}
            Cholesky in the stated order (Luetkepohl 2005, section 2.3.2), Pesaran & Shin (1998), or
            impacts under restrictions.
        order : list of str, optional
            The variables, the most exogenous first; default is the order of the data. Generalised
            responses do not depend on it.
        restrictions : DataFrame (K, K), optional
            For structural responses: what the shock of a column does to the variable of a row
            within the year; NaN where free, else the fixed value.
        cumulative : bool
            Responses summed up to each horizon: levels, where the variables are changes.
        bands : {"bootstrap", "wild", "gaussian", None}
            Over refits to resampled entities (both steps and their weights anew); over refits to
            panels rebuilt from the estimate with the residuals of an entity and year kept or turned
            in sign (Goncalves & Kilian 2004, Journal of Econometrics 123, 89-120, recursive design;
            the covariance of the errors then hardly moves, so impacts look surer than they are); or
            over coefficients drawn from their normal distribution with the residual covariance held
            fixed.
        draws, seed : int
        level : float
            Of the pointwise bands (percentiles) and of the joint ones (sup-t along the horizon).

        Raises
        ------
        TandemError
            An unknown choice, or a residual covariance that is singular.
        """
        return impulse_responses(
            self, horizon, kind, order, restrictions, cumulative, bands, draws, seed, level
        )

    def multipliers(
        self,
        horizon: int = 10,
        cumulative: bool = False,
        bands: str | None = "bootstrap",
        draws: int = 999,
        seed: int = 1,
        level: float = 0.95,
    ) -> pd.DataFrame:
        """Responses to one unit of an exogenous or predetermined variable in one year.

        ``M_0 = B``, ``M_h = sum_j A_j M_{h-j}`` (Luetkepohl 2005, section 10.6).

        Returns
        -------
        DataFrame
            Tidy: impulse (the variable), response, horizon, estimate and bands as `irf`.

        Raises
        ------
        TandemError
            The model has no such variable.
        """
        check_bands(horizon, bands, draws, level, self.BANDS)
        names, n_lagged = list(self.params.index), self.lags * len(self.params)
        outside = [x for x in self.params.columns[n_lagged:] if x not in ("trend", "const")]
        if not outside:
            raise TandemError("The panel VAR has no exogenous variable; give one as exog.")
        place = [self.params.columns.get_loc(x) for x in outside]

        def respond(coef):
            found = responses(coef[..., :n_lagged], coef[..., place], horizon)
            return found.cumsum(axis=-3) if cumulative else found

        drawn = None if bands is None else respond(self.draw(bands, draws, seed)[0])
        columns = banded(respond(self.params.to_numpy()), drawn, level)
        return tidy(columns, names, outside, range(horizon + 1), ["impulse", "response"])

    @property
    def residuals(self) -> pd.DataFrame:
        """Errors in levels (equations, K) less the means of their entity (and year)."""
        return paths.residuals(self)

    def historical_decomposition(self, order: list[str] | None = None) -> pd.DataFrame:
        """What the past shocks of each variable add to every value.

        Parameters
        ----------
        order : list of str, optional
            Cholesky order of the shocks.

        Returns
        -------
        DataFrame
            Tidy: entity, year, response, shock, contribution; the shock "base" holds what first
            values, effects and regressors outside the system explain. The contributions of a value
            sum to it.
        """
        return paths.historical_decomposition(self, order)

    def forecast(
        self,
        horizon: int = 3,
        exog: pd.DataFrame | None = None,
        draws: int = 999,
        seed: int = 1,
        level: float = 0.95,
    ) -> pd.DataFrame:
        """Values of the years after the last, for every entity observed to the end.

        Parameters
        ----------
        horizon : int
            Years ahead.
        exog : DataFrame, optional
            Later values of the exogenous and predetermined variables, by (entity, year).
        draws : int
            Coefficients from resampled entities, each with normal errors of its covariance; an
            entity's effect is estimated anew in each.

        Returns
        -------
        DataFrame
            Tidy: entity, year, variable, estimate, conf_low, conf_high.

        Raises
        ------
        TandemError
            Year effects (those to come are not known), missing later values of `exog`, or no
            entity with the last years complete.
        """
        return paths.forecast(self, horizon, exog, draws, seed, level)

    @property
    def _lag_coefficients(self) -> np.ndarray:
        return self.params.to_numpy()[:, : self.lags * len(self.params)]

    def _exclusion(self, causes: list[str], effect: str) -> ChiSquare:
        terms = [f"L{j}.{cause}" for j in range(1, self.lags + 1) for cause in causes]
        cov = self.cov.loc[effect, effect].loc[terms, terms]
        return wald(self.params.loc[effect, terms].to_numpy(), cov.to_numpy())

    def draw(self, kind: str, draws: int, seed) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients (draws, K, k) and residual covariances (draws, K, K), kinds as in `irf`."""
        rng = np.random.default_rng(np.random.SeedSequence(seed))
        n = self.n_entities
        if kind == "gaussian":
            mean, sigma = self.params.to_numpy(), self.residual_cov.to_numpy()
            coef = rng.multivariate_normal(mean.ravel(), self.cov.to_numpy(), size=draws)
            return coef.reshape(draws, *mean.shape), np.broadcast_to(sigma, (draws, *sigma.shape))
        if kind == "bootstrap":
            return self._resample(rng.multinomial(n, np.full(n, 1 / n), size=draws))
        size = max(1, VALUES_PER_CHUNK // self._data.size)
        fits = []
        for start in range(0, draws, size):
            factors = paths.wild_factors(self, rng, min(size, draws - start))
            fits.append(self._refit_panels(*paths.rebuilt(self, factors), len(factors)))
        coef, sigma = zip(*fits, strict=True)
        return np.concatenate(coef), np.concatenate(sigma)

    def _resample(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Estimates for weights (draws, N) of the entities."""
        raise NotImplementedError

    def _refit_panels(self, panels, outside, copies: int) -> tuple[np.ndarray, np.ndarray]:
        """Estimates of panels stacked as `rebuilt` does."""
        raise NotImplementedError
