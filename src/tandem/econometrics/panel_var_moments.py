"""The moment conditions of a panel VAR: transformed equations and their instruments."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tandem.econometrics.panel_arrays import panel_cube
from tandem.econometrics.transforms import first_difference, forward_orthogonal, lag
from tandem.errors import TandemError

TRANSFORMS = {"fd": first_difference, "fod": forward_orthogonal}


@dataclass(frozen=True)
class Moments:
    """Arrays of N entities x variables x T years, zero where an entity has no equation.

    Every variable is divided by its standard deviation, so that no tolerance depends on units;
    `y_scale` and `x_scale` undo it.
    """

    y: np.ndarray  # (N, K, T) transformed dependent variables
    x: np.ndarray  # (N, k, T) transformed regressors
    z: np.ndarray  # (N, L, T) instruments
    hz: np.ndarray  # (N, L, T) instruments times H, the one-step covariance of the errors
    rows: np.ndarray  # (N, T) True where there is an equation
    y_scale: np.ndarray
    x_scale: np.ndarray
    n_years_removed: int  # independent year effects taken out of y, x and z
    error_variance: float  # variance of a transformed error over that of the error: 1 fod, 2 fd
    variables: list[str]
    regressors: list[str]
    lags: int
    dropped_entities: tuple
    n_incomplete: int


def build_moments(
    data: pd.DataFrame,
    lags: int,
    transform: str,
    instrument_lags: tuple[int, int],
    collapse: bool,
    exog: pd.DataFrame | None,
    time_effects: bool,
    sample_lags: int,
) -> Moments:
    """Transform the equations and lay out the instruments.

    The equation of a year needs every variable and `sample_lags` lags. An instrument that is not
    observed is zero (Holtz-Eakin, Newey & Rosen 1988). Parameters as in `PanelVAR`; `sample_lags`
    is at least `lags` and lets models of different order share one sample.
    """
    _check_options(lags, transform, instrument_lags)
    cube, entities, years = panel_cube(data)
    _check_length(years, sample_lags)
    exog_cube = _exog_cube(data, exog, cube)
    n_incomplete = _count_incomplete(data, exog)
    y_scale, exog_scale = np.nanstd(cube, axis=(0, 2)), np.nanstd(exog_cube, axis=(0, 2))
    cube, exog_cube = cube / y_scale[:, None], exog_cube / exog_scale[:, None]

    lagged = [lag(cube, j) for j in range(1, sample_lags + 1)]
    usable = np.isfinite(np.concatenate([cube, *lagged, exog_cube], axis=1)).all(axis=1)
    x = np.concatenate([*lagged[:lags], exog_cube], axis=1)
    dummies = np.broadcast_to(np.eye(len(years)), (len(cube), len(years), len(years)))
    levels = (np.where(usable[:, None], a, np.nan) for a in (cube, x, dummies))
    y, x, dummies = (TRANSFORMS[transform](a) for a in levels)
    rows = np.isfinite(y).all(axis=1)
    kept = rows.any(axis=1)
    _check_entities(kept.sum(), sample_lags)
    rows, cube = rows[kept], cube[kept]
    y, x, dummies = (np.where(rows[:, None], a[kept], 0.0) for a in (y, x, dummies))
    distances = _distances(instrument_lags, transform, len(years))
    z = _instruments(np.nan_to_num(cube), rows, distances, collapse)
    z = np.concatenate([z, x[:, lags * cube.shape[1] :]], axis=1)
    n_years_removed = 0
    if time_effects:
        basis = _year_basis(dummies, rows)
        n_years_removed = basis.shape[1]
        y, x, z = (_residuals(a, basis, rows) for a in (y, x, z))
    z = z[:, np.abs(z).max(axis=(0, 2)) > 0]

    variables = [str(name) for name in data.columns]
    regressors = [f"L{j}.{name}" for j in range(1, lags + 1) for name in variables]
    regressors += [] if exog is None else [str(name) for name in exog.columns]
    _check_identified(x, z, regressors)
    return Moments(
        y=y,
        x=x,
        z=z,
        hz=z if transform == "fod" else _tridiagonal(z, rows),
        rows=rows,
        y_scale=y_scale,
        x_scale=np.concatenate([np.tile(y_scale, lags), exog_scale]),
        n_years_removed=n_years_removed,
        error_variance=1.0 if transform == "fod" else 2.0,
        variables=variables,
        regressors=regressors,
        lags=lags,
        dropped_entities=tuple(e for e, keep in zip(entities, kept, strict=True) if not keep),
        n_incomplete=n_incomplete,
    )


def _check_options(lags: int, transform: str, instrument_lags: tuple[int, int]) -> None:
    if transform not in TRANSFORMS:
        raise TandemError(f"The transform is 'fod' or 'fd'; '{transform}' is neither.")
    if lags < 1:
        raise TandemError(f"A panel VAR has at least one lag; lags={lags} was given.")
    first, last = instrument_lags
    if not 2 <= first <= last:
        raise TandemError(
            f"instrument_lags=({first}, {last}) must run upwards from 2 or more, "
            "because the first lag is correlated with the transformed error."
        )


def _check_length(years: np.ndarray, lags: int) -> None:
    if len(years) < lags + 2:
        raise TandemError(
            f"The panel covers {len(years)} year(s), {years[0]} to {years[-1]}; {lags} lag(s) need "
            f"at least {lags + 2}."
        )


def _check_entities(n_entities: int, lags: int) -> None:
    if n_entities < 2:
        raise TandemError(
            f"A panel VAR with {lags} lag(s) needs at least two entities with {lags + 2} years in "
            f"a row without a gap; {n_entities} have them: use fewer lags or fill the gaps."
        )


def _exog_cube(data, exog, cube: np.ndarray) -> np.ndarray:
    if exog is None:
        return cube[:, :0]
    panel_cube(exog)
    both = set(map(str, data.columns)) & set(map(str, exog.columns))
    if both:
        raise TandemError(f"'{min(both)}' is a variable of the VAR and exogenous; choose one.")
    return panel_cube(exog.reindex(data.index))[0]


def _count_incomplete(data: pd.DataFrame, exog: pd.DataFrame | None) -> int:
    columns = data if exog is None else data.join(exog)
    return int(columns.isna().any(axis=1).sum())


def _year_basis(dummies: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Orthonormal basis (equations, years) of the transformed year dummies."""
    u, singular, _ = np.linalg.svd(dummies.transpose(0, 2, 1)[rows], full_matrices=False)
    return u[:, singular > 1e-10 * singular[0]]


def _residuals(a: np.ndarray, basis: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """What the basis leaves of every variable; rounding errors of what it explains become zero."""
    values = a.transpose(0, 2, 1)[rows]
    left = values - basis @ (basis.T @ values)
    left[:, np.abs(left).max(axis=0) <= 1e-10 * np.abs(values).max(axis=0)] = 0.0
    result = np.zeros((*rows.shape, a.shape[1]))
    result[rows] = left
    return result.transpose(0, 2, 1)


def _distances(instrument_lags: tuple[int, int], transform: str, n_years: int) -> range:
    """Years from an instrument to the equation it serves.

    The difference of year t contains the error of t-1, the forward deviation none before t.
    """
    shift = 1 if transform == "fod" else 0
    first, last = instrument_lags
    return range(first - shift, min(last - shift, n_years - 1) + 1)


def _instruments(levels, rows, distances: range, collapse: bool) -> np.ndarray:
    """Levels `distances` years before the equation, a column a distance (and year)."""
    n, n_variables, n_years = levels.shape
    collapsed = np.zeros((n, len(distances), n_variables, n_years))
    for i, distance in enumerate(distances):
        collapsed[:, i, :, distance:] = levels[..., :-distance]
    collapsed *= rows[:, None, None]
    if not collapse:
        collapsed = collapsed[..., None, :] * np.eye(n_years)
    return collapsed.reshape(n, -1, n_years)


def _tridiagonal(z: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Differenced errors: variance 2, covariance -1 with neighbours (Arellano & Bond 1991)."""
    neighbours = np.zeros_like(z)
    neighbours[..., 1:] += z[..., :-1]
    neighbours[..., :-1] += z[..., 1:]
    return (2 * z - neighbours) * rows[:, None]


def _check_identified(x: np.ndarray, z: np.ndarray, regressors: list[str]) -> None:
    xx = np.tensordot(x, x, ([0, 2], [0, 2]))
    still = np.flatnonzero(np.diag(xx) < 1e-16 * x.size)
    if len(still):
        raise TandemError(
            f"'{regressors[still[0]]}' is wholly explained by the fixed effects; leave it out."
        )
    if np.linalg.matrix_rank(xx, hermitian=True) < len(regressors):
        raise TandemError(
            "The regressors of the panel VAR are collinear once the fixed effects are removed "
            f"({', '.join(regressors)}); leave one out."
        )
    zx = np.tensordot(z, x, ([0, 2], [0, 2]))
    if len(zx) < len(regressors) or np.linalg.matrix_rank(zx) < len(regressors):
        raise TandemError(
            f"{z.shape[1]} instrument(s) cannot identify {len(regressors)} coefficients an "
            "equation; allow more instrument_lags or use fewer lags."
        )
