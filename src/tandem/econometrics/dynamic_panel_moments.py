"""Equations and instruments of a dynamic panel: transformed, and in levels for system GMM."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from tandem.econometrics.panel_arrays import panel_cube
from tandem.econometrics.transforms import first_difference, forward_orthogonal, lag
from tandem.errors import TandemError

TRANSFORMS = {"fd": first_difference, "fod": forward_orthogonal}

FIXED = "constant and years"


@dataclass(frozen=True)
class Equations:
    """Arrays of N entities x variables x E equations, zero where an entity has no equation.

    Variables are divided by their standard deviation; `y_scale` and `x_scale` undo it. E is the
    years of the transformed equations, for system GMM followed by those of the levels.
    """

    y: np.ndarray  # (N, 1, E)
    x: np.ndarray  # (N, k, E)
    z: np.ndarray  # (N, L, E) instruments
    zx: np.ndarray  # (N, L, k) cross-products of each entity
    zy: np.ndarray  # (N, L, 1)
    zhz: np.ndarray  # (L, L) sum of Z_i H_i Z_i', H_i the one-step covariance of the errors
    dy: np.ndarray  # (N, T) first differences, for the tests of serial correlation
    dx: np.ndarray  # (N, k, T)
    drows: np.ndarray  # (N, T) True where there is a difference
    transformed: np.ndarray  # (E,) True for transformed equations
    groups: list[str]  # of each instrument
    in_levels: np.ndarray  # (L,) True for lagged differences, instruments in levels
    regressors: list[str]
    y_scale: float
    x_scale: np.ndarray
    n_obs: int
    n_dropped: int
    error_variance: float

    def without(self, mine: np.ndarray) -> "Equations":
        """The same equations with fewer instruments."""
        keep = ~mine
        groups = [g for g, kept in zip(self.groups, keep, strict=True) if kept]
        less = replace(
            self,
            z=self.z[:, keep],
            zx=self.zx[:, keep],
            zy=self.zy[:, keep],
            zhz=self.zhz[np.ix_(keep, keep)],
            groups=groups,
            in_levels=self.in_levels[keep],
        )
        _check_instruments(less)
        return less


@dataclass(frozen=True)
class _Levels:
    """The levels of a dynamic panel, arrays of entities x variables x years."""

    cube: np.ndarray  # (N, V, T) the variables given, divided by their standard deviation
    names: list[str]  # of the V variables
    lagged: list[tuple]  # (which of V, 1 if predetermined): those whose lags are instruments
    usable: np.ndarray  # (N, T) True where every variable and every lag of y is there
    fixed: np.ndarray  # (N, d, T) constant and year dummies
    stacked: np.ndarray  # (N, 1 + k + q, T) y, regressors, external instruments; NaN if not usable
    own: list[tuple]  # (which of `stacked`, its group): those that are instruments themselves
    regressors: list[str]
    scales: np.ndarray  # (1 + k,) of y and the regressors
    n_dropped: int

    def of(self, kept: np.ndarray) -> "_Levels":
        """Some entities."""
        names = ("cube", "usable", "fixed", "stacked")
        return replace(self, **{name: getattr(self, name)[kept] for name in names})


def build_equations(
    y: pd.Series,
    parts: dict[str, pd.DataFrame | None],
    lags: int,
    transform: str,
    system: bool,
    instrument_lags: tuple[int, int],
    collapse: bool,
    time_effects: bool,
) -> Equations:
    """Lay out equations and instruments; parameters as in `DynamicPanel`."""
    _check_options(lags, transform, instrument_lags)
    levels = _levels(y, parts, lags, system, time_effects)
    moved = TRANSFORMS[transform](levels.stacked)
    rows = np.isfinite(moved[:, 0])
    kept = rows.any(axis=1)
    if kept.sum() < 2:
        raise TandemError(
            f"{kept.sum()} entities have {lags + 2} years in a row; a dynamic panel with {lags} "
            "lag(s) needs at least two: use fewer lags or fill the gaps."
        )
    levels, moved, rows = levels.of(kept), moved[kept], rows[kept]
    change = moved if transform == "fd" else first_difference(levels.stacked)
    drows = np.isfinite(change[:, 0])
    change, both = _zeroed(change, drows), _zeroed(moved, rows)
    if system:
        both = np.concatenate([both, _zeroed(levels.stacked, levels.usable)], axis=2)
    shift = 1 if transform == "fod" else 0  # a forward deviation holds no error before its year
    distances = [distance - shift for distance in instrument_lags]
    blocks = _past_instruments(levels, rows, distances, collapse)
    blocks += [(group, slice(None), both[:, [i]]) for i, group in levels.own if both[:, i].any()]
    blocks += _level_instruments(levels, collapse) if system else []
    z, groups, in_levels = _joined(blocks, both.shape[2])
    weights = _error_weights(z, levels.usable, transform).swapaxes(0, 1).reshape(len(groups), -1)
    k = len(levels.regressors)
    products = z @ both[:, : k + 1].swapaxes(1, 2)
    equations = Equations(
        y=both[:, :1],
        x=both[:, 1 : k + 1],
        z=z,
        zx=products[..., 1:],
        zy=products[..., :1],
        zhz=weights @ weights.T,
        dy=change[:, 0],
        dx=change[:, 1 : k + 1],
        drows=drows,
        transformed=np.arange(both.shape[2]) < rows.shape[1],
        groups=groups,
        in_levels=in_levels,
        regressors=levels.regressors,
        y_scale=float(levels.scales[0]),
        x_scale=levels.scales[1:],
        n_obs=int((levels.usable if system else rows).sum()),
        n_dropped=levels.n_dropped,
        error_variance=1.0 if transform == "fod" else 2.0,
    )
    _check_regressors(equations)
    _check_instruments(equations)
    return equations


def _levels(y, parts, lags: int, system: bool, time_effects: bool) -> _Levels:
    data = pd.concat([y, *(part for part in parts.values() if part is not None)], axis=1)
    given = {kind: () if part is None else part.columns for kind, part in parts.items()}
    names = [str(y.name), *(str(name) for columns in given.values() for name in columns)]
    data.columns = names
    cube, _, years = panel_cube(data)
    if len(years) < lags + 2:
        raise TandemError(
            f"The panel covers {len(years)} year(s); {lags} lag(s) need at least {lags + 2}."
        )
    scales = np.nanstd(cube, axis=(0, 2))
    cube /= scales[:, None]
    past = np.stack([lag(cube[:, 0], j) for j in range(1, lags + 1)], axis=1)
    usable = np.isfinite(cube).all(axis=1) & np.isfinite(past).all(axis=1)
    fixed, fixed_names = _deterministic(usable, years, system, time_effects)
    n_exog, n_predetermined, n_endogenous, q = (len(columns) for columns in given.values())
    end = len(names) - q  # of y and the regressors that are not lags
    stacked = np.concatenate([cube[:, :1], past, cube[:, 1:end], fixed, cube[:, end:]], axis=1)
    k, middle = lags + end - 1 + len(fixed_names), 1 + n_exog + n_predetermined
    own = [(lags + i, names[i]) for i in range(1, 1 + n_exog)]
    own += [(1 + k + i, names[end + i]) for i in range(q)]
    if not system:
        own += [(1 + k - i, "years") for i in range(len(fixed_names), 0, -1)]
    return _Levels(
        cube=cube,
        names=names,
        lagged=[(i, 0) for i in (0, *range(middle, end))]
        + [(i, 1) for i in range(1 + n_exog, middle)],
        usable=usable,
        fixed=fixed,
        stacked=np.where(usable[:, None], stacked, np.nan),
        own=own,
        regressors=[f"L{j}.{y.name}" for j in range(1, lags + 1)] + names[1:end] + fixed_names,
        scales=np.array([scales[0]] * (1 + lags) + [*scales[1:end]] + [1.0] * len(fixed_names)),
        n_dropped=int(np.isnan(data.to_numpy(dtype=float)).any(axis=1).sum()),
    )


def _check_options(lags: int, transform: str, instrument_lags: tuple[int, int]) -> None:
    if transform not in TRANSFORMS:
        raise TandemError(f"The transform is 'fd' or 'fod'; '{transform}' is neither.")
    if lags < 1:
        raise TandemError(f"A dynamic panel has at least one lag; lags={lags} was given.")
    first, last = instrument_lags
    if not 2 <= first <= last:
        raise TandemError(
            f"instrument_lags=({first}, {last}) must run upwards from 2 or more, because the first "
            "lag is correlated with the transformed error."
        )


def _deterministic(usable, years, system: bool, time_effects: bool) -> tuple[np.ndarray, list[str]]:
    """Constant (system GMM) and year dummies (n, d, t), those that the sample can tell apart."""
    n, t = usable.shape
    present = np.flatnonzero(usable.any(axis=0))
    columns, names = [], []
    if system:
        columns.append(np.ones((n, t)))
        names.append("const")
    if time_effects:
        for s in present[1:]:
            columns.append(np.broadcast_to(np.arange(t) == s, (n, t)).astype(float))
            names.append(f"year {years[s]}")
    return np.stack(columns, axis=1) if columns else np.zeros((n, 0, t)), names


def _zeroed(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    return np.where(rows[:, None], values, 0.0)


def _past_instruments(levels: _Levels, rows, distances, collapse: bool) -> list[tuple]:
    """Lags of the levels for the transformed equations; blocks as `_joined` takes them."""
    first, last = distances[0], min(distances[1], rows.shape[1] - 1)
    blocks = []
    for i, earlier in levels.lagged:
        values = np.nan_to_num(levels.cube[:, i])
        block = _lagged(values, rows, range(first - earlier, last + 1), collapse)
        blocks.append((levels.names[i], slice(rows.shape[1]), block))
    return blocks


def _level_instruments(levels: _Levels, collapse: bool) -> list[tuple]:
    """Differences a year before the equation in levels, of predetermined ones of the same year."""
    part = slice(levels.usable.shape[1], None)
    blocks = []
    for i, earlier in levels.lagged:
        change = np.nan_to_num(first_difference(levels.cube[:, i]))
        block = _lagged(change, levels.usable, range(1 - earlier, 2 - earlier), collapse)
        blocks.append((f"{levels.names[i]}, levels", part, block))
    return [*blocks, (FIXED, part, _zeroed(levels.fixed, levels.usable))]


def _lagged(values: np.ndarray, rows: np.ndarray, distances: range, collapse: bool) -> np.ndarray:
    """Values (N, T) `distances` years before each equation, a column a distance (and year).

    Without columns of zeros.
    """
    n, t = values.shape
    found = np.zeros((n, len(distances), t))
    for i, distance in enumerate(distances):
        found[:, i, distance:] = values[:, : t - distance]
    found *= rows[:, None]
    if collapse:
        return found[:, found.any(axis=(0, 2))]
    place, year = np.nonzero(found.any(axis=0))
    apart = np.zeros((n, len(year), t))
    apart[:, np.arange(len(year)), year] = found[:, place, year]
    return apart


def _joined(blocks: list[tuple], n_equations: int) -> tuple[np.ndarray, list[str], np.ndarray]:
    """Blocks (group, equations, values) as one array (N, L, E), each instrument apart in memory.

    Also the group of each instrument, and whether it is a lagged difference in levels.
    """
    sizes = [values.shape[1] for *_, values in blocks]
    z = np.zeros((sum(sizes), len(blocks[0][2]), n_equations)).swapaxes(0, 1)
    for stop, size, (_, equations, values) in zip(np.cumsum(sizes), sizes, blocks, strict=True):
        z[:, stop - size : stop, equations] = values
    groups = [group for (group, *_), size in zip(blocks, sizes, strict=True) for _ in range(size)]
    # the constant has no other instrument
    apart = [equations.start is not None and group != FIXED for group, equations, _ in blocks]
    return z, groups, np.repeat(apart, sizes)


def _error_weights(z: np.ndarray, usable: np.ndarray, transform: str) -> np.ndarray:
    """What the instruments give each independent error of the levels, Z_i times the transformation.

    Parameters
    ----------
    z : array (N, L, E)
        Zero without an equation; E is T transformed equations, or these and T in levels.
    usable : array (N, T)
        True where the levels enter the transformation.

    Returns
    -------
    array (N, L, T)
        Its cross-products are Z_i H_i Z_i', H_i the one-step covariance of the errors.
    """
    t = usable.shape[1]
    moved, levels = z[..., :t], z[..., t:]
    if transform == "fd":
        weights = moved.copy("K")
        weights[..., :-1] -= moved[..., 1:]
    elif not levels.size:
        return z  # forward deviations of independent errors are independent
    else:
        weights = moved @ operators(usable, transform)
    if levels.size:
        weights += levels
    return weights


def operators(usable: np.ndarray, transform: str) -> np.ndarray:
    """(N, T, T): what the transformation does to errors in levels, a row an equation."""
    n, t = usable.shape
    packed = np.packbits(usable, axis=1)
    packed = packed.view(f"V{packed.shape[1]}").ravel()  # one sortable value an entity
    _, first, which = np.unique(packed, return_index=True, return_inverse=True)
    patterns = usable[first]
    units = np.broadcast_to(np.eye(t), (len(patterns), t, t))
    moved = TRANSFORMS[transform](np.where(patterns[:, None, :], units, np.nan))
    return np.nan_to_num(moved).transpose(0, 2, 1)[which.ravel()]


def _check_regressors(eq: Equations) -> None:
    xx = np.tensordot(eq.x, eq.x, ([0, 2], [0, 2]))
    size = np.sqrt(np.diag(xx))
    still = np.flatnonzero(size < 1e-8 * np.sqrt(eq.x.size))
    if len(still):
        raise TandemError(
            f"'{eq.regressors[still[0]]}' is wholly explained by the entity effects; leave it out."
        )
    if np.linalg.matrix_rank(xx / np.outer(size, size), hermitian=True) < len(size):
        raise TandemError(
            "The regressors are collinear once the entity effects are removed "
            f"({', '.join(eq.regressors)}); leave one out."
        )


def _check_instruments(eq: Equations) -> None:
    zx = eq.zx.sum(axis=0)
    n_instruments, k = zx.shape
    if n_instruments < k or np.linalg.matrix_rank(zx) < k:
        raise TandemError(
            f"{n_instruments} instrument(s) cannot identify {k} coefficients; allow more "
            "instrument_lags or use fewer regressors."
        )
