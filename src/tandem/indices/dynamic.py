"""Coupling of movements rather than levels: evolution velocities and grey relations."""

import numpy as np
import pandas as pd

from tandem.errors import TandemError
from tandem.indices._inputs import along_years, complete, paired, same_kind
from tandem.indices.coupling import Classes

# Stages of the coupling angle in degrees, right-closed.
ANGLE_STAGES = Classes(
    (-90.0, 0.0, 90.0),
    ("re-coupling", "low-level symbiosis", "coordinated development", "limit development"),
    ("螺旋式上升", "低级共生", "协调发展", "极限发展"),
)

# Strength of the grey relational coupling, right-closed.
GREY_STAGES = Classes(
    (0.35, 0.65, 0.85),
    ("weak", "medium", "fairly strong", "very strong"),
    ("弱", "中等", "较强", "极强"),
)


def velocity(u: np.ndarray | pd.Series, degree: int = 2) -> np.ndarray | pd.Series:
    """Yearly change of a score: the derivative of the polynomial fitted to it by least squares.

    Parameters
    ----------
    u : array (..., years) or Series
        Scores of consecutive years, none missing; a Series has the index year or (entity, year).
    degree : int
        Degree of the polynomial; it can decide the stage, so report more than one.

    Returns
    -------
    array (..., years) or Series
        Score points a year.

    Raises
    ------
    TandemError
        On a missing year, or no more years than the degree.
    """
    if isinstance(u, pd.Series):
        return along_years(lambda wide: _velocity(wide, degree), u)
    return _velocity(u, degree)


def _velocity(u, degree: int) -> np.ndarray:
    values = complete(u, "the velocity needs every year, so fill it or shorten the period")
    years = np.arange(values.shape[-1]) - (values.shape[-1] - 1) / 2
    if len(years) <= degree:
        raise TandemError(
            f"A polynomial of degree {degree} needs more than {degree} years, not {len(years)}."
        )
    powers = np.vander(years, degree + 1, increasing=True)
    slopes = np.arange(1, degree + 1) * powers[:, :-1]
    return values @ np.linalg.pinv(powers)[1:].T @ slopes.T


def dynamic_coupling(
    u1: np.ndarray | pd.Series, u2: np.ndarray | pd.Series, degree: int = 2
) -> np.ndarray | pd.Series:
    """Angle between the evolution velocities of two systems, ``atan2(V1, V2)``.

    Qiao and Fang (2005, Acta Ecologica Sinica 25(11)) print ``arctan(V1 / V2)``, which loses the
    quadrant. 45 means equal speed; `ANGLE_STAGES` names the quadrants. Where both velocities are
    near 0 the angle jumps.

    Parameters
    ----------
    u1, u2 : array (..., years) or Series
        Scores of consecutive years.
    degree : int
        Degree of the polynomial fitted to each.

    Returns
    -------
    array (..., years) or Series
        Degrees in (-180, 180].

    Raises
    ------
    TandemError
        As `velocity`, and if two Series differ in their rows.
    """
    paired(u1, u2)
    v1, v2 = (np.asarray(velocity(u, degree)) for u in (u1, u2))
    return same_kind(np.degrees(np.arctan2(v1, v2)), u1, "angle")


def angle_bands(
    u1: np.ndarray | pd.Series,
    u2: np.ndarray | pd.Series,
    draws: int,
    seed: int,
    degree: int = 2,
    level: float = 0.95,
) -> tuple[np.ndarray | pd.Series, np.ndarray | pd.Series]:
    """Bounds of the coupling angle by a bootstrap over the residuals of both polynomials.

    Each draw adds to both fits the residuals of the same resampled years, so their correlation
    stays; they are scaled by sqrt(T / (T - degree - 1)). The bounds are quantiles of the turn from
    the angle, the short way round.

    Parameters
    ----------
    u1, u2 : array (..., years) or Series
        As `dynamic_coupling`, two years more than the degree or longer.
    draws : int
    seed : int
    degree : int
    level : float
        Coverage from 0 to 1.

    Returns
    -------
    low, high : array (..., years) or Series
        Degrees; low may fall below -180 and high rise above 180 where the band crosses that line.

    Raises
    ------
    TandemError
        As `dynamic_coupling`, or if the polynomials leave no residuals.
    """
    paired(u1, u2)
    if not isinstance(u1, pd.Series):
        low, high = _angle_bands(u1, u2, draws, seed, degree, level)
        return low, high
    other = u2.unstack() if u2.index.nlevels == 2 else u2.to_frame().T

    def bound(which):
        def of(wide):
            matched = other[wide.columns].set_axis(wide.index)
            return _angle_bands(wide, matched, draws, seed, degree, level)[which]

        return along_years(of, u1).rename(("low", "high")[which])

    return bound(0), bound(1)


def _angle_bands(u1, u2, draws: int, seed: int, degree: int, level: float) -> np.ndarray:
    velocities = [_velocity(u, degree) for u in (u1, u2)]
    angle = np.degrees(np.arctan2(*velocities))
    years = angle.shape[-1]
    if years <= degree + 1:
        raise TandemError(
            f"A polynomial of degree {degree} leaves no residuals in {years} years: take fewer "
            "degrees or more years."
        )
    powers = np.vander(np.arange(years) - (years - 1) / 2, degree + 1)
    leave = np.eye(years) - powers @ np.linalg.pinv(powers)
    scale = np.sqrt(years / (years - degree - 1))
    drawn = np.random.default_rng(seed).integers(years, size=(draws, years))
    moved = []
    for u, v in zip((u1, u2), velocities, strict=True):
        residuals = scale * np.asarray(u, dtype=float) @ leave.T
        # The draw axis comes first; velocity is linear, so the fit keeps its own.
        shaken = np.moveaxis(residuals[..., drawn], -2, 0)
        moved.append(v + _velocity(shaken, degree))
    turn = np.degrees(np.arctan2(*moved)) - angle
    turn = (turn + 180) % 360 - 180
    outside = (1 - level) / 2
    return angle + np.quantile(turn, [outside, 1 - outside], axis=0)


def grey_relational(
    X: np.ndarray | pd.DataFrame, Y: np.ndarray | pd.DataFrame, rho: float = 0.5
) -> tuple[np.ndarray, np.ndarray | pd.DataFrame, np.ndarray | pd.Series]:
    """Grey relational coupling of two sets of normalised indicators.

    ``xi_ij(t) = (dmin + rho dmax) / (|X_i(t) - Y_j(t)| + rho dmax)`` with the smallest and largest
    distance over all i, j, t (Liu, Li and Song 2005, Acta Geographica Sinica 60(2)). The floor is
    ``rho / (1 + rho)`` if dmin is 0, one more series changes every value, and an inverse relation
    scores low however tight.

    Parameters
    ----------
    X : array or DataFrame (years, m)
    Y : array or DataFrame (years, l)
        Indicators on [0, 1], the same years, none missing.
    rho : float
        Distinguishing coefficient above 0.

    Returns
    -------
    xi : array (years, m, l)
    gamma : array or DataFrame (m, l)
        Mean of xi over years.
    coupling : array or Series (years,)
        Mean of xi over pairs.

    Raises
    ------
    TandemError
        On a missing value or different numbers of years.
    """
    advice = "grey relations need every year, so fill it or shorten the period"
    x, y = complete(X, advice), complete(Y, advice)
    if len(x) != len(y):
        raise TandemError(f"The two sets of indicators cover {len(x)} and {len(y)} years.")
    distance = np.abs(x[:, :, None] - y[:, None, :])
    top, spread = distance.min() + rho * distance.max(), distance + rho * distance.max()
    xi = np.divide(top, spread, out=np.ones_like(spread), where=spread > 0)
    gamma, coupling = xi.mean(axis=0), xi.mean(axis=(1, 2))
    if isinstance(X, pd.DataFrame) and isinstance(Y, pd.DataFrame):
        gamma = pd.DataFrame(gamma, index=X.columns, columns=Y.columns)
        coupling = pd.Series(coupling, index=X.index, name="coupling")
    return xi, gamma, coupling
