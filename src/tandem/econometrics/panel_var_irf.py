"""Responses of a panel VAR to shocks, their bands and the variance decomposition."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from tandem.econometrics.in_text import in_text
from tandem.errors import TandemError

KINDS = ("orthogonal", "generalised", "structural")


@dataclass(frozen=True, eq=False)
class IRF:
    """Impulse responses.

    Attributes
    ----------
    table : DataFrame
        Tidy: impulse, response, horizon, estimate and, with bands, conf_low, conf_high (pointwise)
        and joint_low, joint_high (all horizons of a response together); in the units of the
        response, to an impulse of one standard deviation.
    kind : str
        "orthogonal", "generalised" or "structural".
    order : list of str
        Cholesky order.
    stable : bool
        False if a modulus is one or more: the responses do not die out.
    """

    table: pd.DataFrame
    kind: str
    order: list[str]
    stable: bool
    _responses: np.ndarray = field(repr=False)  # (horizon + 1, response, impulse), not cumulated
    _drawn: np.ndarray | None = field(repr=False)  # (draws, horizon + 1, response, impulse)
    _names: list[str] = field(repr=False)
    _level: float = field(repr=False)
    summary = property(in_text)

    def fevd(self) -> pd.DataFrame:
        """Share of each impulse in the forecast error variance (Luetkepohl 2005, eq. 2.3.37).

        Returns
        -------
        DataFrame
            Tidy: response, impulse, horizon, share and, with bands, conf_low and conf_high; the
            horizon is the number of years forecast, 1 to that of the responses, and shares of a
            response and horizon sum to 1.

        Raises
        ------
        TandemError
            Generalised responses, whose shares do not sum to 1, or an unstable model, whose
            forecast error variance does not converge.
        """
        if self.kind == "generalised":
            raise TandemError(
                "A variance decomposition needs uncorrelated shocks; use kind='orthogonal'."
            )
        if not self.stable:
            raise TandemError(
                "The panel VAR is not stable (a modulus is one or more), so its forecast error "
                "variance grows without bound; difference the variables or use other lags."
            )
        columns = {"share": _shares(self._responses)}
        if self._drawn is not None:
            low, high = pointwise(_shares(self._drawn), self._level)
            columns |= {"conf_low": low, "conf_high": high}
        horizons = range(1, len(self._responses))
        return tidy(columns, self._names, self._names, horizons, ["response", "impulse"])


def _shares(paths: np.ndarray) -> np.ndarray:
    explained = np.cumsum(paths[..., :-1, :, :] ** 2, axis=-3)
    return explained / explained.sum(axis=-1, keepdims=True)


def companion(coef: np.ndarray) -> np.ndarray:
    """Companion matrix (K p, K p) of lag coefficients (K, K p)."""
    k, kp = coef.shape
    return np.vstack([coef, np.eye(kp - k, kp)])


def responses(coef: np.ndarray, impact: np.ndarray, horizon: int) -> np.ndarray:
    """Responses (..., horizon + 1, K, q) of row variables to column impulses.

    Parameters
    ----------
    coef : array (..., K, K p)
        ``Phi_h = sum_j Phi_{h-j} A_j``, Phi_0 = I (Luetkepohl 2005, eq. 2.1.22).
    impact : array (..., K, q)
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


def structural_impact(sigma: np.ndarray, pattern: np.ndarray) -> np.ndarray:
    """B of ``u = B e``, e uncorrelated with variance 1, by maximum likelihood under restrictions.

    Scoring steps on the log-likelihood ``-ln|det B| - tr(B^-1 Sigma B^-T) / 2``; columns are signed
    so that their diagonal is positive.

    Parameters
    ----------
    sigma : array (..., K, K)
    pattern : array (K, K)
        Row variable, column shock: NaN where free, else the value that is fixed.

    Raises
    ------
    TandemError
        More free elements than K (K + 1) / 2, or ones that the covariance does not identify.

    References
    ----------
    Amisano & Giannini (1997), Topics in Structural VAR Econometrics; Luetkepohl (2005), 9.1, 9.3.
    """
    k = sigma.shape[-1]
    free = np.isnan(pattern)
    if free.sum() > k * (k + 1) // 2:
        raise TandemError(
            f"{free.sum()} free impacts cannot be told apart from {k * (k + 1) // 2} variances and "
            "covariances; fix more of them."
        )
    flat = np.flatnonzero(free.ravel())
    scale = np.sqrt(np.diagonal(sigma, axis1=-2, axis2=-1))
    unit = sigma / scale[..., :, None] / scale[..., None, :]  # no tolerance depends on units
    fixed = np.where(free, 0.0, pattern) / scale[..., :, None]
    # an asymmetric start: at equal columns the score of some patterns is zero
    b = fixed + free * (np.eye(k) + 0.1 * np.tril(np.ones((k, k)), -1))
    swap = np.eye(k * k).reshape(k, k, k, k).transpose(0, 1, 3, 2).reshape(k * k, k * k)
    for _ in range(500):
        inverse = np.linalg.inv(b)
        gap = inverse @ unit @ np.swapaxes(inverse, -1, -2) - np.eye(k)
        # rows of E = B^-1 dB for each free element of B, stacked as columns
        move = np.einsum("...ai,bj->...abij", inverse, np.eye(k))
        move = move.reshape(*b.shape[:-2], k * k, k * k)[..., flat]
        score = np.swapaxes(move, -1, -2) @ gap.reshape(*gap.shape[:-2], k * k, 1)
        info = np.swapaxes(move, -1, -2) @ ((np.eye(k * k) + swap) @ move)
        if np.linalg.cond(info).max() > 1e12:
            raise TandemError(
                "The restrictions do not identify the shocks: other impacts fit as well; fix "
                "other elements."
            )
        step = np.linalg.solve(info, score)[..., 0]
        size = np.abs(step).max(axis=-1, keepdims=True)
        change = np.zeros((*b.shape[:-2], k * k))
        change[..., flat] = step * np.minimum(1.0, 0.5 / np.maximum(size, 0.5))
        b = b + change.reshape(b.shape)
        if size.max() < 1e-12:
            break
    else:
        raise TandemError(
            "The structural impacts do not settle in 500 steps; the restrictions contradict the "
            "covariance or identify the shocks too weakly."
        )
    sign = np.where(np.diagonal(b, axis1=-2, axis2=-1) < 0, -1.0, 1.0)
    return b * sign[..., None, :] * scale[..., :, None]


def impulse_responses(
    results, horizon, kind, order, restrictions, cumulative, bands, draws, seed, level
) -> IRF:
    """Responses of a fitted panel VAR; parameters as in `VectorAutoregression.irf`."""
    names = list(results.params.index)
    order = names if order is None else list(order)
    check_bands(horizon, bands, draws, level, results.BANDS)
    _check_options(names, kind, order, restrictions)
    impact_of = {
        "orthogonal": lambda sigma: orthogonal_impact(sigma, [names.index(n) for n in order]),
        "generalised": generalised_impact,
        "structural": lambda sigma: structural_impact(sigma, _pattern(restrictions, names)),
    }[kind]

    def respond(coef, sigma):
        return responses(coef[..., : len(names) * results.lags], impact_of(sigma), horizon)

    base = respond(results.params.to_numpy(), results.residual_cov.to_numpy())
    drawn = None if bands is None else respond(*results.draw(bands, draws, seed))
    shown = [base, drawn]
    if cumulative:
        shown = [None if a is None else a.cumsum(axis=-3) for a in shown]
    columns = banded(*shown, level)
    table = tidy(columns, names, names, range(horizon + 1), ["impulse", "response"])
    return IRF(table, kind, order, results.stable, base, drawn, names, level)


def banded(estimate: np.ndarray, drawn: np.ndarray | None, level: float) -> dict:
    """Columns estimate and, with draws, conf_low, conf_high, joint_low, joint_high."""
    columns = {"estimate": estimate}
    if drawn is not None:
        for name, bounds in (("conf", pointwise), ("joint", joint)):
            low, high = bounds(drawn, level) if name == "conf" else bounds(estimate, drawn, level)
            columns |= {f"{name}_low": low, f"{name}_high": high}
    return columns


def pointwise(drawn: np.ndarray, level: float) -> np.ndarray:
    """Percentiles (2, ...) over the draws, which come first."""
    tail = (1 - level) / 2
    return np.quantile(drawn, [tail, 1 - tail], axis=0)


def joint(estimate: np.ndarray, drawn: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Bands that hold a whole path (horizons) of one response with probability `level`.

    ``estimate -+ c * sd``, c the quantile over draws of the largest studentised deviation along the
    path: the plug-in sup-t band of Montiel Olea & Plagborg-Moller (2019), Journal of Applied
    Econometrics 34, 1-17.

    Parameters
    ----------
    estimate : array (H, response, impulse)
    drawn : array (draws, H, response, impulse)
    """
    spread = drawn.std(axis=0)
    moved = spread > 1e-12 * spread.max()
    centred = np.abs(drawn - drawn.mean(axis=0)) / np.where(moved, spread, 1.0) * moved
    critical = np.quantile(centred.max(axis=1), level, axis=0)
    return estimate - critical * spread, estimate + critical * spread


def check_bands(horizon, bands, draws, level, known) -> None:
    """Refuse a horizon, kind of band, number of draws or level that makes no sense."""
    if horizon < 1:
        raise TandemError(f"The horizon is at least one year; {horizon} was given.")
    if bands is not None and bands not in known:
        words = ", ".join(f"'{name}'" for name in known)
        raise TandemError(f"Bands are {words} or None; '{bands}' is none of them.")
    if bands is not None and (draws < 2 or not 0 < level < 1):
        raise TandemError(
            f"Bands need at least 2 draws and a level between 0 and 1; {draws} and {level} given."
        )


def _check_options(names, kind, order, restrictions) -> None:
    if kind not in KINDS:
        words = ", ".join(f"'{name}'" for name in KINDS)
        raise TandemError(f"Responses are {words}; '{kind}' is none of them.")
    if sorted(order) != sorted(names):
        raise TandemError(f"The order {order} must name each of {names} once.")
    if (kind == "structural") != (restrictions is not None):
        raise TandemError(
            "Structural responses, and only they, need restrictions: a DataFrame of the impacts, "
            "NaN where free."
        )


def _pattern(restrictions: pd.DataFrame, names: list[str]) -> np.ndarray:
    same = restrictions.shape == (len(names),) * 2
    if not same or {*restrictions.index} != {*names} or {*restrictions.columns} != {*names}:
        raise TandemError(f"The restrictions need a row and a column for each of {names}.")
    return restrictions.loc[names, names].to_numpy(float)


def tidy(arrays: dict, rows: list[str], columns: list[str], horizons: range, first: list[str]):
    """Arrays (horizon, response, impulse) as columns, sorted by the two names and the horizon."""
    axes = {"response": (1, rows), "impulse": (2, columns)}
    moved = [axes[name][0] for name in first] + [0]
    names = [axes[name][1] for name in first]
    index = pd.MultiIndex.from_product([*names, horizons], names=[*first, "horizon"])
    values = {name: np.transpose(array, moved).ravel() for name, array in arrays.items()}
    return pd.DataFrame(values, index=index).reset_index()
