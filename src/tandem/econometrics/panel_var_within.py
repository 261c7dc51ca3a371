"""Panel VAR by least squares with fixed effects, corrected for its bias in short panels."""

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from tandem.econometrics.half_panels import half_panels
from tandem.econometrics.panel_var_design import Design, Levels, level_equations
from tandem.econometrics.panel_var_paths import demean
from tandem.econometrics.panel_var_results import VectorAutoregression
from tandem.errors import TandemError

CORRECTIONS = ("half-panel", "hahn-kuersteiner", None)
LEAST_YEARS = 15


class FixedEffectsVAR:
    """Panel VAR by least squares within entities, for panels with 15 years and more.

    Least squares is biased by about ``-(1 + a) / T`` (Nickell 1981), GMM is not but needs many
    entities; corrected, least squares is the more precise of the two in long panels.

    Parameters
    ----------
    data, lags, exog, time_effects, trend
        As in `PanelVAR`.
    """

    def __init__(
        self,
        data: pd.DataFrame,
        lags: int = 1,
        exog: pd.DataFrame | None = None,
        time_effects: bool = False,
        trend: bool = False,
    ):
        self._data = data
        self._design = Design(lags, exog=exog, time_effects=time_effects, trend=trend)

    def fit(self, correction: str | None = "half-panel") -> "FixedEffectsVARResults":
        """Estimate.

        Parameters
        ----------
        correction : {"half-panel", "hahn-kuersteiner", None}
            Half-panel jackknife, twice the estimate less the mean of those of either half of the
            years (an odd year goes to each half in turn); the first-order bias by its formula; or
            none.

        Raises
        ------
        TandemError
            An unknown correction, or one with fewer than 15 years a mean entity.

        References
        ----------
        Dhaene & Jochmans (2015), Review of Economic Studies 82, 991-1030; Hahn & Kuersteiner
        (2002), Econometrica 70, 1639-1657, eq. 3.
        """
        if correction not in CORRECTIONS:
            raise TandemError(
                f"The correction is 'half-panel', 'hahn-kuersteiner' or None; '{correction}' is "
                "none of them."
            )
        levels = level_equations(self._data, self._design)
        rows = levels.usable & (levels.usable.sum(axis=1) > 1)[:, None]
        kept = rows.any(axis=1)
        years = rows.sum() / max(kept.sum(), 1) + self._design.lags
        if kept.sum() < 2:
            raise TandemError(
                f"{kept.sum()} entities have {self._design.lags + 2} years in a row; a panel VAR "
                "needs at least two."
            )
        if correction and years < LEAST_YEARS:
            raise TandemError(
                f"The bias corrections need about {LEAST_YEARS} years an entity; there are "
                f"{years:.1f}: use GMM (PanelVAR)."
            )
        return _estimate(self._data, self._design, levels, rows, kept, correction)


@dataclass(frozen=True, eq=False)
class FixedEffectsVARResults(VectorAutoregression):
    """A panel VAR fitted by least squares within entities.

    Standard errors are clustered by entity with the factor N / (N - 1); for the jackknife what an
    entity adds to the estimate is corrected as the estimate is, for Hahn and Kuersteiner it is that
    of the uncorrected estimate, which has the same first-order variance. The residual covariance
    takes cross-products over n less coefficients and effects.

    Attributes
    ----------
    correction : str or None
    """

    correction: str | None
    _rows: np.ndarray = field(repr=False)

    @property
    def summary(self) -> str:
        """Everything in plain text."""
        lines = [f"Panel VAR({self.lags}), {self.method}", f"Observations {self.n_obs}"]
        for name in self.params.index:
            columns = {
                "coef": self.params.loc[name],
                "std_error": self.std_errors.loc[name],
                "z": self.tstats.loc[name],
                "p": self.pvalues.loc[name],
            }
            lines += ["", f"Equation {name}", pd.DataFrame(columns).to_string(float_format="%.4f")]
        moduli = ", ".join(f"{modulus:.4f}" for modulus in self.moduli)
        stable = "stable" if self.stable else "NOT stable: shocks do not die out"
        return "\n".join([*lines, "", f"Companion moduli {moduli} ({stable})"])

    def _resample(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        levels = level_equations(self._data, self._design)
        kept = self._rows.any(axis=1)
        samples = _samples(
            levels, self._rows, self.n_entities, self._design.time_effects, self.correction
        )
        sums = [{k: np.tensordot(weights, v[kept], 1) for k, v in s.items()} for s in samples]
        return _solve(sums, self.lags, len(self.params), self.n_entities, self.correction)

    def _refit_panels(self, panels, outside, copies: int) -> tuple[np.ndarray, np.ndarray]:
        design = replace(self._design, exog=outside[0])
        levels = level_equations(panels, design)
        rows = np.tile(self._rows, (copies, 1))
        samples = _samples(levels, rows, self.n_entities, design.time_effects, self.correction)
        sums = [
            {k: v.reshape(copies, -1, *v.shape[1:]).sum(axis=1) for k, v in s.items()}
            for s in samples
        ]
        return _solve(sums, self.lags, len(self.params), self.n_entities, self.correction)


def _estimate(data, design, levels: Levels, rows, kept, correction) -> FixedEffectsVARResults:
    n, names, regressors = int(kept.sum()), levels.variables, levels.regressors
    samples = _samples(levels, rows, n, design.time_effects, correction)
    raw = (np.nan_to_num(levels.x) ** 2 * rows[:, None]).sum(axis=(0, 2))
    _check_collinear(samples[0]["xx"].sum(axis=0), raw, regressors)
    sums = [{k: v.sum(axis=0, keepdims=True) for k, v in s.items()} for s in samples]
    coef, sigma = (a[0] for a in _solve(sums, design.lags, len(names), n, correction))
    added = _added(samples[0], kept)
    if correction == "half-panel":  # what an entity adds is corrected as the estimate is
        added = 2 * added - sum(_added(half, kept) for half in samples[1:]) / 4
    cov = added.T @ added * (n / (n - 1))
    terms = pd.MultiIndex.from_product([names, regressors], names=["equation", "regressor"])
    errors = np.sqrt(np.diag(cov)).reshape(coef.shape)
    words = {"half-panel": "half-panel jackknife", "hahn-kuersteiner": "Hahn-Kuersteiner"}
    method = f"least squares within entities, {words.get(correction, 'bias not corrected')}"
    method += ", year effects removed" if design.time_effects else ""
    return FixedEffectsVARResults(
        params=pd.DataFrame(coef, index=names, columns=regressors),
        std_errors=pd.DataFrame(errors, index=names, columns=regressors),
        cov=pd.DataFrame(cov, index=terms, columns=terms),
        residual_cov=pd.DataFrame(sigma, index=names, columns=names),
        n_obs=int(rows.sum()),
        n_entities=n,
        lags=design.lags,
        method=method,
        dropped_entities=tuple(e for e, k in zip(levels.entities, kept, strict=True) if not k),
        n_incomplete=levels.n_incomplete,
        correction=correction,
        _data=data,
        _design=design,
        _rows=rows,
    )


def _added(sample: dict, kept: np.ndarray) -> np.ndarray:
    """What each entity adds to the least-squares coefficients (n, K k), zero in sum."""
    xx, xy = sample["xx"].sum(axis=0), sample["xy"].sum(axis=0)
    coef = np.linalg.solve(xx, xy).T
    scores = np.swapaxes(sample["xy"], 1, 2)[kept] - coef @ sample["xx"][kept]
    return (scores @ np.linalg.inv(xx)).reshape(len(scores), -1)


def _samples(levels: Levels, rows, n: int, time_effects: bool, correction) -> list[dict]:
    """Cross-products of each entity: all years, then for the jackknife four times a half."""
    masks = [rows]
    if correction == "half-panel":
        masks += half_panels(rows)
    found = []
    for mask in masks:
        parts = (np.nan_to_num(a) for a in (levels.y, levels.x))
        y, x = (demean(a, mask, time_effects) for a in parts)
        turned = np.swapaxes(y, 1, 2)
        years = (mask.any(axis=0).sum() - 1) / n if time_effects else 0.0
        found.append(
            {
                "xx": x @ np.swapaxes(x, 1, 2),
                "xy": x @ turned,
                "yy": y @ turned,
                "dof": mask.sum(axis=1) - mask.any(axis=1) * (1 + years),
            }
        )
    return found


def _solve(sums: list[dict], lags: int, n_variables: int, n: int, correction) -> tuple:
    """Coefficients (draws, K, k), corrected, and residual covariances (draws, K, K)."""
    full = sums[0]
    coefs = [np.swapaxes(np.linalg.solve(s["xx"], s["xy"]), 1, 2) for s in sums]
    coef = coefs[0]
    if correction == "half-panel":
        coef = 2 * coef - sum(coefs[1:]) / 4
    xy_b = coef @ full["xy"]
    ssr = full["yy"] - xy_b - np.swapaxes(xy_b, 1, 2) + coef @ full["xx"] @ np.swapaxes(coef, 1, 2)
    sigma = ssr / (full["dof"] - coef.shape[2])[:, None, None]
    if correction == "hahn-kuersteiner":
        n_lagged = lags * n_variables
        shift = np.zeros((len(coef), n_lagged, n_lagged))
        shift[:, :n_variables] = coef[..., :n_lagged]
        shift[:, n_variables:, : n_lagged - n_variables] = np.eye(n_lagged - n_variables)
        impact = np.zeros((len(coef), n_lagged, n_variables))
        impact[:, :n_variables] = sigma
        bias = np.zeros_like(full["xy"])
        bias[:, :n_lagged] = n * np.linalg.solve(np.eye(n_lagged) - shift, impact)
        coef = coef + np.swapaxes(np.linalg.solve(full["xx"], bias), 1, 2)
    return coef, sigma


def _check_collinear(xx: np.ndarray, raw: np.ndarray, regressors: list[str]) -> None:
    own = np.diag(xx)
    size = np.sqrt(np.where(own > 1e-20 * raw, own, 1.0))
    within = own > 1e-20 * raw
    if not within.all() or np.linalg.matrix_rank(xx / np.outer(size, size)) < len(size):
        raise TandemError(
            "The regressors of the panel VAR are collinear once the fixed effects are removed "
            f"({', '.join(regressors)}); leave one out."
        )
