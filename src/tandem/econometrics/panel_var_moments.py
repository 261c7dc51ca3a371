"""The moment conditions of a panel VAR: transformed equations and their instruments."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tandem.econometrics.dynamic_panel_moments import operators
from tandem.econometrics.panel_var_design import Design, Levels, level_equations
from tandem.econometrics.transforms import first_difference, forward_orthogonal
from tandem.errors import TandemError

TRANSFORMS = {"fd": first_difference, "fod": forward_orthogonal}


@dataclass(frozen=True)
class Moments:
    """Arrays of N entities x variables x E equations, zero where an entity has no equation.

    E is the T years of the transformed equations, for system GMM followed by those in levels.
    Every variable is divided by its standard deviation, so that no tolerance depends on units;
    `y_scale` and `x_scale` undo it.
    """

    y: np.ndarray  # (N, K, E) dependent variables
    x: np.ndarray  # (N, k, E) regressors
    z: np.ndarray  # (N, L, E) instruments
    hz: np.ndarray  # (N, L, E) instruments times H, the one-step covariance of the errors
    rows: np.ndarray  # (N, T) True where there is a transformed equation
    y_scale: np.ndarray
    x_scale: np.ndarray
    n_years_removed: int  # independent year effects taken out of y, x and z
    error_variance: float  # variance of a transformed error over that of the error: 1 fod, 2 fd
    n_obs: int  # transformed equations, in system GMM those in levels
    variables: list[str]
    regressors: list[str]
    lags: int
    dropped_entities: tuple
    n_incomplete: int

    @property
    def transformed(self) -> tuple[np.ndarray, np.ndarray]:
        """y and x of the transformed equations alone."""
        t = self.rows.shape[1]
        return self.y[..., :t], self.x[..., :t]


def build_moments(data: pd.DataFrame, design: Design, sample_lags: int | None = None) -> Moments:
    """Transform the equations and lay out the instruments.

    An instrument that is not observed is zero (Holtz-Eakin, Newey & Rosen 1988). Parameters as in
    `PanelVAR`; `sample_lags` is at least the lags of the design and lets models of different order
    share one sample.
    """
    check_options(design)
    levels = level_equations(data, design, sample_lags)
    y_scale, x_scale = levels.scales()
    y, x, ly, lx, rows, kept = transformed(levels, design, y_scale, x_scale)
    check_entities(kept.sum(), sample_lags or design.lags)
    usable = levels.usable[kept]
    z = past_instruments(levels, kept, rows, design, y_scale, x_scale)
    equations = rows
    if design.system:
        more = _level_instruments(levels, kept, usable, design, y_scale, x_scale)
        z = np.concatenate([_beside(z, 0 * z), _beside(0 * more, more)], axis=1)
        y, x = _beside(y, ly), _beside(x, lx)
        equations = np.concatenate([rows, usable], axis=1)
    z = z[:, np.abs(z).max(axis=(0, 2)) > 0]
    z = _principal_components(z, equations, design.pca) if design.pca else z
    z = np.concatenate([z, x[:, levels.outside]], axis=1)
    n_years_removed = 0
    if design.time_effects:
        basis = _year_basis(levels.usable, kept, equations, design)
        n_years_removed = basis.shape[1]
        y, x, z = (_residuals(a, basis, equations) for a in (y, x, z))
    z = z[:, np.abs(z).max(axis=(0, 2)) > 0]
    check_identified(x, z, levels.regressors)
    return Moments(
        y=y,
        x=x,
        z=z,
        hz=errors_times(z, rows, usable, design),
        rows=rows,
        y_scale=y_scale,
        x_scale=x_scale,
        n_years_removed=n_years_removed,
        error_variance=1.0 if design.transform == "fod" else 2.0,
        n_obs=int((usable if design.system else rows).sum()),
        variables=levels.variables,
        regressors=levels.regressors,
        lags=design.lags,
        dropped_entities=tuple(
            e for e, keep in zip(levels.entities, kept, strict=True) if not keep
        ),
        n_incomplete=levels.n_incomplete,
    )


def transformed(levels: Levels, design: Design, y_scale, x_scale) -> tuple:
    """Transformed y and x, y and x in levels, of the entities kept; rows (N, T); who is kept."""
    masked = (
        np.where(levels.usable[:, None], a / s[:, None], np.nan)
        for a, s in ((levels.y, y_scale), (levels.x, x_scale))
    )
    ly, lx = masked
    transform = TRANSFORMS[design.transform]
    y, x = transform(ly), transform(lx)
    rows = np.isfinite(y).all(axis=1)
    kept = rows.any(axis=1)
    rows = rows[kept]
    y, x, ly, lx = (np.nan_to_num(a[kept]) for a in (y, x, ly, lx))
    return y * rows[:, None], x * rows[:, None], ly, lx, rows, kept


def check_options(design: Design) -> None:
    if design.transform not in TRANSFORMS:
        raise TandemError(f"The transform is 'fod' or 'fd'; '{design.transform}' is neither.")
    first, last = design.instrument_lags
    if not 2 <= first <= last:
        raise TandemError(
            f"instrument_lags=({first}, {last}) must run upwards from 2 or more, "
            "because the first lag is correlated with the transformed error."
        )
    if design.pca is not None and not 0 < design.pca <= 1:
        raise TandemError(
            f"pca={design.pca} is the share of the instruments' variance that their components "
            "keep; give a number above 0 and up to 1."
        )


def check_entities(n_entities: int, lags: int) -> None:
    if n_entities < 2:
        raise TandemError(
            f"A panel VAR with {lags} lag(s) needs at least two entities with {lags + 2} years in "
            f"a row without a gap; {n_entities} have them: use fewer lags or fill the gaps."
        )


def _beside(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.concatenate([a, b], axis=2)


def past_instruments(levels: Levels, kept, rows, design: Design, y_scale, x_scale) -> np.ndarray:
    """Levels before each transformed equation; predetermined variables are valid a year longer.

    The difference of year t contains the error of t-1, the forward deviation none before t.
    """
    shift = 1 if design.transform == "fod" else 0
    first, last = (bound - shift for bound in design.instrument_lags)
    last = min(last, rows.shape[1] - 1)
    blocks = [_lagged(levels.y[kept] / y_scale[:, None], rows, range(first, last + 1), design)]
    if levels.predetermined.start < levels.predetermined.stop:
        scale = x_scale[levels.predetermined, None]
        x = levels.x[kept, levels.predetermined] / scale
        blocks.append(_lagged(x, rows, range(first - 1, last + 1), design))
    return np.concatenate(blocks, axis=1)


def _level_instruments(levels: Levels, kept, usable, design: Design, y_scale, x_scale):
    """Lagged differences for the equation in levels (Blundell & Bond 1998)."""
    distance = design.instrument_lags[0] - 1
    change = first_difference(levels.y[kept] / y_scale[:, None])
    blocks = [_lagged(change, usable, range(distance, distance + 1), design)]
    if levels.predetermined.start < levels.predetermined.stop:
        scale = x_scale[levels.predetermined, None]
        change = first_difference(levels.x[kept, levels.predetermined] / scale)
        blocks.append(_lagged(change, usable, range(distance - 1, distance), design))
    return np.concatenate(blocks, axis=1)


def _lagged(values: np.ndarray, rows, distances: range, design: Design) -> np.ndarray:
    """Values `distances` years before the equation, a column a distance (and year)."""
    n, n_variables, n_years = values.shape
    values = np.nan_to_num(values)
    found = np.zeros((n, len(distances), n_variables, n_years))
    for i, distance in enumerate(distances):
        found[:, i, :, distance:] = values[..., : n_years - distance]
    found *= rows[:, None, None]
    if not design.collapse:
        found = found[..., None, :] * np.eye(n_years)
    return found.reshape(n, -1, n_years)


def _principal_components(z: np.ndarray, equations: np.ndarray, share: float) -> np.ndarray:
    """Fewest components of the instruments' correlations that hold this share of their variance.

    Source: Bontempi & Mammi (2015), Stata Journal 15, 1075-1097 (from memory).
    """
    values = z.transpose(0, 2, 1)[equations]
    spread = values.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    roots, vectors = np.linalg.eigh(np.corrcoef(values / spread, rowvar=False))
    held = np.cumsum(roots[::-1]) / roots.sum()
    count = int(np.searchsorted(held, share * (1 - 1e-12))) + 1
    return np.swapaxes(z, 1, 2).dot(vectors[:, ::-1][:, :count] / spread[:, None]).swapaxes(1, 2)


def year_dummies(usable, equations: np.ndarray, design: Design) -> tuple[np.ndarray, np.ndarray]:
    """Year dummies (N, T, T) of the entities kept: NaN without an equation, and transformed."""
    n, t = usable.shape
    dummies = np.where(usable[:, None], np.broadcast_to(np.eye(t), (n, t, t)), np.nan)
    moved = np.nan_to_num(TRANSFORMS[design.transform](dummies))
    return dummies, moved * equations[:, None, :t]


def _year_basis(usable, kept, equations: np.ndarray, design: Design) -> np.ndarray:
    """Orthonormal basis (equations, years) of the year dummies, transformed as the equations."""
    dummies, stacked = year_dummies(usable[kept], equations, design)
    stacked = _beside(stacked, np.nan_to_num(dummies)) if design.system else stacked
    stacked = stacked.transpose(0, 2, 1)[equations]
    # dummies are far from collinear but for their sum; a singular value decomposition takes longer
    size, vectors = np.linalg.eigh(stacked.T @ stacked)
    found = size > 1e-12 * size[-1]
    basis = stacked @ (vectors[:, found] / np.sqrt(size[found]))
    return basis @ (1.5 * np.eye(basis.shape[1]) - 0.5 * basis.T @ basis)  # a step of polish


def _residuals(a: np.ndarray, basis: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """What the basis leaves of every variable; rounding errors of what it explains become zero."""
    values = a.transpose(0, 2, 1)[rows]
    left = values - basis @ (basis.T @ values)
    left[:, np.abs(left).max(axis=0) <= 1e-10 * np.abs(values).max(axis=0)] = 0.0
    result = np.zeros((*rows.shape, a.shape[1]))
    result[rows] = left
    return result.transpose(0, 2, 1)


def errors_times(z: np.ndarray, rows, usable, design: Design) -> np.ndarray:
    """Instruments times the covariance of the transformed errors of independent ones."""
    if design.system:
        t = usable.shape[1]
        identity = np.where(usable[:, :, None], np.eye(t), 0.0)
        errors = np.concatenate([operators(usable, design.transform), identity], axis=1)
        return (z @ errors) @ errors.transpose(0, 2, 1)
    return z if design.transform == "fod" else _tridiagonal(z, rows)


def _tridiagonal(z: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Differenced errors: variance 2, covariance -1 with neighbours (Arellano & Bond 1991)."""
    neighbours = np.zeros_like(z)
    neighbours[..., 1:] += z[..., :-1]
    neighbours[..., :-1] += z[..., 1:]
    return (2 * z - neighbours) * rows[:, None]


def check_identified(x: np.ndarray, z: np.ndarray, regressors: list[str]) -> None:
    xx = np.tensordot(x, x, ([0, 2], [0, 2]))
    check_crossproducts(xx, np.tensordot(z, x, ([0, 2], [0, 2])), x.size, regressors)


def check_crossproducts(xx: np.ndarray, zx: np.ndarray, size: int, regressors: list[str]) -> None:
    """Refuse regressors (their cross-products, of `size` values) that cannot be told apart."""
    still = np.flatnonzero(np.diag(xx) < 1e-16 * size)
    if len(still):
        raise TandemError(
            f"'{regressors[still[0]]}' is wholly explained by the fixed effects; leave it out."
        )
    if np.linalg.matrix_rank(xx, hermitian=True) < len(regressors):
        raise TandemError(
            "The regressors of the panel VAR are collinear once the fixed effects are removed "
            f"({', '.join(regressors)}); leave one out."
        )
    if len(zx) < len(regressors) or np.linalg.matrix_rank(zx) < len(regressors):
        raise TandemError(
            f"{len(zx)} instrument(s) cannot identify {len(regressors)} coefficients an "
            "equation; allow more instrument_lags or use fewer lags."
        )
