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
    hz: np.ndarray  # (N, L, E) instruments times the one-step covariance of the errors
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
            hz=self.hz[:, keep],
            groups=groups,
            in_levels=self.in_levels[keep],
        )
        _check_identified(less)
        return less


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
    names = {kind: [] if part is None else list(map(str, part.columns)) for kind, part in
             parts.items()}  # fmt: skip
    frames = [y.rename(str(y.name)).to_frame(), *(p for p in parts.values() if p is not None)]
    data = pd.concat(frames, axis=1)
    data.columns = [str(name) for name in data.columns]
    cube, _, years = panel_cube(data)
    if len(years) < lags + 2:
        raise TandemError(
            f"The panel covers {len(years)} year(s); {lags} lag(s) need at least {lags + 2}."
        )
    t = cube.shape[2]
    scales = np.nanstd(cube, axis=(0, 2))
    cube = cube / scales[:, None]
    place = {name: i for i, name in enumerate(data.columns)}
    of = {kind: [place[name] for name in some] for kind, some in names.items()}
    of |= {"y": [0], "names": list(data.columns)}
    regular = of["exog"] + of["predetermined"] + of["endogenous"]

    past = np.stack([lag(cube[:, 0], j) for j in range(1, lags + 1)], axis=1)
    usable = np.isfinite(np.concatenate([cube, past], axis=1)).all(axis=1)
    level_x = np.concatenate([past, cube[:, regular]], axis=1)
    regressors = [f"L{j}.{y.name}" for j in range(1, lags + 1)]
    regressors += [data.columns[i] for i in regular]
    x_scale = [scales[0]] * lags + [scales[i] for i in regular]
    extra, extra_names = _deterministic(usable, years, system, time_effects)
    regressors = [*regressors, *extra_names]
    x_scale = np.array([*x_scale, *[1.0] * len(extra_names)])
    level_x = np.concatenate([level_x, extra], axis=1)

    masked = [np.where(usable[:, None], a, np.nan) for a in (cube[:, :1], level_x)]
    ty, tx = (TRANSFORMS[transform](a) for a in masked)
    rows = np.isfinite(ty).all(axis=1)
    kept = rows.any(axis=1)
    if kept.sum() < 2:
        raise TandemError(
            f"{kept.sum()} entities have {lags + 2} years in a row; a dynamic panel with {lags} "
            "lag(s) needs at least two: use fewer lags or fill the gaps."
        )
    outside = of["exog"] + of["instruments"]
    ty, tx = (np.where(rows[:, None], a, 0.0) for a in (ty, tx))
    own = np.where(usable[:, None], cube[:, outside], np.nan)
    parted = _past_instruments(cube, rows, of, transform, instrument_lags, collapse)
    parted += [(TRANSFORMS[transform](own), [data.columns[i] for i in outside])]
    if not system:
        parted += [(tx[:, len(regressors) - len(extra_names) :], ["years"] * len(extra_names))]
    z = np.where(rows[:, None], np.concatenate([block for block, _ in parted], axis=1), 0.0)
    groups = [name for _, some in parted for name in some]
    in_levels = np.zeros(len(groups), bool)
    errors = operators(usable, transform)
    n_obs = int(rows[kept].sum())
    if system:
        ly, lx, lz = (np.where(usable[:, None], a, 0.0) for a in (cube[:, :1], level_x, own))
        more, names_more = _level_instruments(cube, usable, of, data.columns, collapse, extra)
        z = np.concatenate([z, np.zeros_like(z)], axis=2)
        z[:, len(groups) - len(outside) :, t:] = lz  # one column for both equations
        z = np.concatenate([z, np.concatenate([np.zeros_like(more), more], axis=2)], axis=1)
        groups += names_more
        late = np.arange(len(groups)) >= len(in_levels)
        in_levels = late & (np.array(groups) != FIXED)  # the constant has no other instrument
        ty, tx = np.concatenate([ty, ly], axis=2), np.concatenate([tx, lx], axis=2)
        identity = np.where(usable[:, :, None], np.eye(t), 0.0)
        errors = np.concatenate([errors, identity], axis=1)
        n_obs = int(usable[kept].sum())
    z, ty, tx, errors = z[kept], ty[kept], tx[kept], errors[kept]
    real = np.abs(z).max(axis=(0, 2)) > 0
    z, in_levels = z[:, real], in_levels[real]
    dy, dx = (first_difference(a)[kept] for a in masked)
    drows = np.isfinite(dy[:, 0])
    equations = Equations(
        y=ty,
        x=tx,
        z=z,
        hz=(z @ errors) @ errors.transpose(0, 2, 1),
        dy=np.where(drows, dy[:, 0], 0.0),
        dx=np.where(drows[:, None], dx, 0.0),
        drows=drows,
        transformed=np.arange(ty.shape[2]) < t,
        groups=[g for g, is_real in zip(groups, real, strict=True) if is_real],
        in_levels=in_levels,
        regressors=regressors,
        y_scale=float(scales[0]),
        x_scale=x_scale,
        n_obs=n_obs,
        n_dropped=int(data.isna().any(axis=1).sum()),
        error_variance=1.0 if transform == "fod" else 2.0,
    )
    _check_identified(equations)
    return equations


def _past_instruments(cube, rows, of, transform, instrument_lags, collapse) -> list[tuple]:
    """Lags of the levels for the transformed equation: blocks (N, L, T) and their names."""
    first, last = instrument_lags
    shift = 1 if transform == "fod" else 0  # a forward deviation holds no error before its year
    levels, names = np.nan_to_num(cube), of["names"]
    blocks = []
    for kind, earlier in (("y", 0), ("endogenous", 0), ("predetermined", 1)):
        for i in of[kind]:
            start = first - shift - earlier
            distances = range(start, min(last - shift, cube.shape[2] - 1) + 1)
            block = _lagged(levels[:, i], rows, distances, collapse)
            blocks.append((block, [names[i]] * block.shape[1]))
    return blocks


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


def _lagged(levels, rows, distances: range, collapse: bool) -> np.ndarray:
    """Levels `distances` years before each equation, a column a distance (and year)."""
    n, t = levels.shape
    found = np.zeros((n, len(distances), t))
    for i, distance in enumerate(distances):
        found[:, i, distance:] = levels[:, : t - distance]
    found *= rows[:, None]
    if not collapse:
        found = found[:, :, None, :] * np.eye(t)
    return found.reshape(n, -1, t)


def _level_instruments(cube, usable, of, columns, collapse: bool, extra):
    """Lagged differences for the equation in levels: one year before, of predetermined now."""
    zs, groups = [], []
    for kind, distance in (("y", 1), ("endogenous", 1), ("predetermined", 0)):
        for i in of[kind]:
            change = np.nan_to_num(first_difference(cube[:, i]))
            block = _lagged(change, usable, range(distance, distance + 1), collapse)
            zs.append(block)
            groups += [f"{columns[i]}, levels"] * block.shape[1]
    fixed = np.where(usable[:, None], extra, 0.0)
    return np.concatenate([*zs, fixed], axis=1), groups + [FIXED] * fixed.shape[1]


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


def _check_identified(eq: Equations) -> None:
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
    zx = np.tensordot(eq.z, eq.x, ([0, 2], [0, 2]))
    if len(zx) < len(size) or np.linalg.matrix_rank(zx) < len(size):
        raise TandemError(
            f"{eq.z.shape[1]} instrument(s) cannot identify {len(size)} coefficients; allow more "
            "instrument_lags or use fewer regressors."
        )
