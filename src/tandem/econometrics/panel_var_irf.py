"""Impulse responses, their bands and the variance decomposition of a panel VAR."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from tandem.econometrics.panel_var_gmm import refit
from tandem.errors import TandemError


@dataclass(frozen=True, eq=False)
class IRF:
    """Impulse responses.

    Attributes
    ----------
    table : DataFrame
        Tidy: impulse, response, horizon, estimate and, with bands, conf_low and conf_high; in the
        units of the response, to an impulse of one standard deviation.
    kind : str
        "orthogonal" or "generalised".
    order : list of str
        Cholesky order.
    stable : bool
        False if a modulus is one or more: the responses do not die out.
    """

    table: pd.DataFrame
    kind: str
    order: list[str]
    stable: bool
    _responses: np.ndarray = field(repr=False)  # (horizon + 1, response, impulse)
    _names: list[str] = field(repr=False)

    def fevd(self) -> pd.DataFrame:
        """Share of each impulse in the forecast error variance (Luetkepohl 2005, eq. 2.3.37).

        Returns
        -------
        DataFrame
            Tidy: response, impulse, horizon, share; the horizon is the number of years forecast,
            1 to that of the responses, and shares of a response and horizon sum to 1.

        Raises
        ------
        TandemError
            Generalised responses, whose shares do not sum to 1, or an unstable model, whose
            forecast error variance does not converge.
        """
        if self.kind != "orthogonal":
            raise TandemError(
                "A variance decomposition needs uncorrelated shocks; use kind='orthogonal'."
            )
        if not self.stable:
            raise TandemError(
                "The panel VAR is not stable (a modulus is one or more), so its forecast error "
                "variance grows without bound; difference the variables or use other lags."
            )
        explained = np.cumsum(self._responses[:-1] ** 2, axis=0)
        shares = explained / explained.sum(axis=2, keepdims=True)
        horizons = range(1, len(self._responses))
        return _tidy({"share": shares}, self._names, horizons, ["response", "impulse"])


def companion(coef: np.ndarray) -> np.ndarray:
    """Companion matrix (K p, K p) of lag coefficients (K, K p)."""
    k, kp = coef.shape
    return np.vstack([coef, np.eye(kp - k, kp)])


def responses(coef: np.ndarray, impact: np.ndarray, horizon: int) -> np.ndarray:
    """Responses (..., horizon + 1, K, K) of row variables to column impulses.

    Parameters
    ----------
    coef : array (..., K, K p)
        ``Phi_h = sum_j Phi_{h-j} A_j``, Phi_0 = I (Luetkepohl 2005, eq. 2.1.22).
    impact : array (..., K, K)
        What an impulse does at once; responses are ``Phi_h @ impact``.
    """
    k, kp = coef.shape[-2:]
    path = [np.broadcast_to(np.eye(k), coef.shape[:-1] + (k,))]
    for h in range(1, horizon + 1):
        steps = range(1, min(h, kp // k) + 1)
        path.append(sum(path[h - j] @ coef[..., (j - 1) * k : j * k] for j in steps))
    return np.stack(path, axis=-3) @ impact[..., None, :, :]


def orthogonal_impact(sigma: np.ndarray, positions: list[int]) -> np.ndarray:
    """Lower Cholesky factor of sigma (..., K, K) in the order of `positions`, put back in place."""
    ordered = sigma[..., positions, :][..., :, positions]
    back = np.argsort(positions)
    try:
        return np.linalg.cholesky(ordered)[..., back, :][..., :, back]
    except np.linalg.LinAlgError:
        raise TandemError(
            "The residuals of two variables of the panel VAR move as one, so their shocks cannot "
            "be told apart; leave one of the variables out."
        ) from None


def generalised_impact(sigma: np.ndarray) -> np.ndarray:
    """Expected joint shock given one variable's: column j is ``sigma_j / sqrt(sigma_jj)``."""
    return sigma / np.sqrt(np.diagonal(sigma, axis1=-2, axis2=-1))[..., None, :]


def impulse_responses(moments, results, horizon, kind, order, bands, draws, seed, level) -> IRF:
    """Responses of a fitted panel VAR; parameters as in `PanelVARResults.irf`."""
    names = list(results.params.index)
    order = names if order is None else list(order)
    _check_options(names, horizon, kind, order, bands, draws, level)
    positions = [names.index(name) for name in order]

    def respond(coef, sigma):
        k = len(names)
        impact = (
            orthogonal_impact(sigma, positions)
            if kind == "orthogonal"
            else generalised_impact(sigma)
        )
        return responses(coef[..., : k * results.lags], impact, horizon)

    estimate = respond(results.params.to_numpy(), results.residual_cov.to_numpy())
    columns = {"estimate": estimate}
    if bands is not None:
        drawn = DRAWS[bands](moments, results, draws, np.random.SeedSequence(seed))
        tail = (1 - level) / 2
        low, high = np.quantile(respond(*drawn), [tail, 1 - tail], axis=0)
        columns |= {"conf_low": low, "conf_high": high}
    table = _tidy(columns, names, range(horizon + 1), ["impulse", "response"])
    return IRF(table, kind, order, results.stable, estimate, names)


def _bootstrap_draws(moments, results, draws: int, seed) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients and residual covariances of refits to entities drawn with replacement."""
    n = results.n_entities
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(n, np.full(n, 1 / n), size=draws)
    coef, sigma = refit(moments, results.steps, weights)
    scale = moments.y_scale
    return coef * (scale[:, None] / moments.x_scale), sigma * np.outer(scale, scale)


def _gaussian_draws(moments, results, draws: int, seed) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients from their normal distribution; the residual covariance stays."""
    mean, sigma = results.params.to_numpy(), results.residual_cov.to_numpy()
    rng = np.random.default_rng(seed)
    coef = rng.multivariate_normal(mean.ravel(), results.cov.to_numpy(), size=draws)
    return coef.reshape(draws, *mean.shape), np.broadcast_to(sigma, (draws, *sigma.shape))


DRAWS = {"bootstrap": _bootstrap_draws, "gaussian": _gaussian_draws}


def _check_options(names, horizon, kind, order, bands, draws, level) -> None:
    if horizon < 1:
        raise TandemError(f"The horizon is at least one year; {horizon} was given.")
    if kind not in ("orthogonal", "generalised"):
        raise TandemError(f"Responses are 'orthogonal' or 'generalised'; '{kind}' is neither.")
    if sorted(order) != sorted(names):
        raise TandemError(f"The order {order} must name each of {names} once.")
    if bands is not None and bands not in DRAWS:
        raise TandemError(f"Bands are 'bootstrap', 'gaussian' or None; '{bands}' is none of them.")
    if bands is not None and (draws < 2 or not 0 < level < 1):
        raise TandemError(
            f"Bands need at least 2 draws and a level between 0 and 1; {draws} and {level} given."
        )


def _tidy(arrays: dict, names: list[str], horizons: range, first: list[str]) -> pd.DataFrame:
    """Arrays (horizon, response, impulse) as columns, sorted by the two names and the horizon."""
    axes = ["response", "impulse"]
    moved = [axes.index(name) + 1 for name in first] + [0]
    index = pd.MultiIndex.from_product([names, names, horizons], names=[*first, "horizon"])
    columns = {name: np.transpose(array, moved).ravel() for name, array in arrays.items()}
    return pd.DataFrame(columns, index=index).reset_index()
