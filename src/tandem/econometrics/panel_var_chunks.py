"""Panel VAR of a panel larger than memory: the entities' cross-products, chunk by chunk.

Each pass reads the panel once; what is kept of an entity are its L (k + K) cross-products of
instruments with regressors and variables, the same that `PanelVAR` estimates from.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from tandem.econometrics.chi_square import ChiSquare, chi_square
from tandem.econometrics.panel_var_design import Design, Levels
from tandem.econometrics.panel_var_gmm import fit_blocks
from tandem.econometrics.panel_var_moments import (
    check_crossproducts,
    check_entities,
    check_options,
    errors_times,
    past_instruments,
    transformed,
    year_dummies,
)
from tandem.econometrics.panel_var_results import VectorAutoregression
from tandem.econometrics.transforms import lag
from tandem.errors import TandemError

Cubes = Callable[[], Iterable[np.ndarray]]


@dataclass(frozen=True, eq=False)
class ChunkedPanelVARResults(VectorAutoregression):
    """A panel VAR fitted in chunks; what needs the panel itself (residuals, bootstrap) is absent.

    Attributes
    ----------
    hansen_j, n_instruments, n_moments, rank, steps
        As in `PanelVARResults`.
    """

    BANDS: ClassVar[tuple] = ("gaussian",)

    hansen_j: ChiSquare
    n_instruments: int
    n_moments: int
    rank: int
    steps: int


def panel_var_in_chunks(
    cubes: Cubes,
    variables: list[str],
    lags: int = 1,
    transform: str = "fod",
    instrument_lags: tuple[int, int] = (2, 99),
    collapse: bool = True,
    time_effects: bool = False,
    steps: int = 2,
) -> ChunkedPanelVARResults:
    """Fit `PanelVAR` to a panel that is read several times, never held.

    Parameters
    ----------
    cubes : function
        Gives the panel anew at each call: arrays (entities, K, years), NaN where missing; an
        entity stands in one of them, the years are the same in all.
    variables : list of str
        The K variables.
    lags, transform, instrument_lags, collapse, time_effects
        As in `PanelVAR`.
    steps : {1, 2}

    Returns
    -------
    ChunkedPanelVARResults
        The estimates of `PanelVAR` but for rounding; `irf` has bands "gaussian".

    Raises
    ------
    TandemError
        As `PanelVAR`.
    """
    design = Design(lags, transform, instrument_lags, collapse, time_effects=time_effects)
    check_options(design)
    if steps not in (1, 2):
        raise TandemError(f"GMM in chunks is one- or two-step (1, 2); steps={steps} was given.")
    scale = _scales(cubes, variables)
    effects = _year_coefficients(cubes, design, scale) if time_effects else None
    sums = _cross_products(cubes, design, scale, effects)
    n = len(sums["zx"])
    check_entities(n, lags)
    regressors = [f"L{j}.{name}" for j in range(1, lags + 1) for name in variables]
    check_crossproducts(sums["xx"], sums["zx"].sum(axis=0), sums["size"], regressors)
    gmm = fit_blocks(sums["zx"], sums["zy"], sums["zhz"], steps)
    x_scale = np.tile(scale, lags)
    units = scale[:, None] / x_scale
    cov = gmm.cov * np.outer(units.ravel(), units.ravel())
    xy = gmm.coef @ sums["xy"]
    ssr = sums["yy"] - xy - xy.T + gmm.coef @ sums["xx"] @ gmm.coef.T
    freedom = sums["n_obs"] - len(regressors) - (effects[1] if effects else 0)
    sigma = ssr / freedom / (1.0 if transform == "fod" else 2.0) * np.outer(scale, scale)
    terms = pd.MultiIndex.from_product([variables, regressors], names=["equation", "regressor"])
    errors = np.sqrt(np.diag(cov)).reshape(units.shape)
    return ChunkedPanelVARResults(
        params=pd.DataFrame(gmm.coef * units, index=variables, columns=regressors),
        std_errors=pd.DataFrame(errors, index=variables, columns=regressors),
        cov=pd.DataFrame(cov, index=terms, columns=terms),
        residual_cov=pd.DataFrame(sigma, index=variables, columns=variables),
        hansen_j=chi_square(gmm.j_stat, gmm.rank - gmm.coef.size),
        n_obs=sums["n_obs"],
        n_entities=n,
        n_instruments=sums["zx"].shape[1],
        n_moments=sums["zx"].shape[1] * len(variables),
        rank=gmm.rank,
        lags=lags,
        steps=steps,
        method=design.method,
        dropped_entities=(),
        n_incomplete=sums["n_incomplete"],
        _data=None,
        _design=design,
    )


def _scales(cubes: Cubes, variables: list[str]) -> np.ndarray:
    """Standard deviation (K,) of each variable, chunks joined as in Chan et al. (1983)."""
    n = mean = squares = np.zeros(len(variables))
    for cube in cubes():
        known = np.isfinite(cube)
        more = known.sum(axis=(0, 2))
        centre = np.where(known, cube, 0).sum(axis=(0, 2)) / np.maximum(more, 1)
        spread = (np.where(known, cube - centre[:, None], 0) ** 2).sum(axis=(0, 2))
        total, apart = n + more, centre - mean
        squares = squares + spread + apart**2 * n * more / np.maximum(total, 1)
        mean, n = mean + apart * more / np.maximum(total, 1), total
    flat = [name for name, s in zip(variables, squares, strict=True) if not s > 0]
    if flat:
        raise TandemError(f"'{flat[0]}' is constant or has no value at all; leave it out.")
    return np.sqrt(squares / n)


def _equations(cube: np.ndarray, design: Design, scale: np.ndarray) -> tuple:
    """Transformed y, x, z of a chunk's entities that have one; rows and usable years (N, T)."""
    if cube.shape[2] < design.lags + 2:
        raise TandemError(
            f"The panel covers {cube.shape[2]} year(s); {design.lags} lag(s) need at least "
            f"{design.lags + 2}."
        )
    x = np.concatenate([lag(cube, j) for j in range(1, design.lags + 1)], axis=1)
    k = x.shape[1]
    levels = Levels(
        y=cube,
        x=x,
        usable=np.isfinite(cube).all(axis=1) & np.isfinite(x).all(axis=1),
        entities=[],
        years=np.arange(cube.shape[2]),
        variables=[],
        regressors=[],
        predetermined=slice(k, k),
        outside=slice(k, k),
        n_incomplete=0,
    )
    x_scale = np.tile(scale, design.lags)
    y, x, _, _, rows, kept = transformed(levels, design, scale, x_scale)
    z = past_instruments(levels, kept, rows, design, scale, x_scale)
    return y, x, z, rows, levels.usable[kept]


def _year_coefficients(cubes: Cubes, design: Design, scale) -> tuple[np.ndarray, int]:
    """Coefficients (T, variables) of y, x and z on the transformed year dummies, and their rank."""
    dd = dw = 0
    for cube in cubes():
        y, x, z, rows, usable = _equations(cube, design, scale)
        dummies = year_dummies(usable, rows, design)[1]
        dd = dd + _sum(dummies, dummies)
        dw = dw + _sum(dummies, np.concatenate([y, x, z], axis=1))
    values, vectors = np.linalg.eigh(dd)
    known = values > 1e-10 * values[-1]
    root = vectors[:, known] / values[known]
    return root @ (vectors[:, known].T @ dw), int(known.sum())


def _cross_products(cubes: Cubes, design: Design, scale, effects) -> dict:
    """Z_i X_i' and Z_i Y_i' of each entity, and sums over all."""
    zx, zy, sums = [], [], dict.fromkeys(("zhz", "yy", "xy", "xx", "n_obs", "size"), 0)
    n_incomplete, before, left = 0, 0, 0
    for cube in cubes():
        known = np.isfinite(cube)
        n_incomplete += int((known.any(axis=1) & ~known.all(axis=1)).sum())
        y, x, z, rows, usable = _equations(cube, design, scale)
        before = np.maximum(before, np.abs(z).max(axis=(0, 2), initial=0))
        if effects:
            dummies = year_dummies(usable, rows, design)[1].transpose(0, 2, 1)
            parts = np.split(effects[0], np.cumsum([y.shape[1], x.shape[1]]), axis=1)
            y, x, z = (
                a - (dummies @ b).transpose(0, 2, 1) for a, b in zip((y, x, z), parts, strict=True)
            )
        left = np.maximum(left, np.abs(z).max(axis=(0, 2), initial=0))
        zx.append(z @ x.transpose(0, 2, 1))
        zy.append(z @ y.transpose(0, 2, 1))
        more = {
            "zhz": _sum(z, errors_times(z, rows, usable, design)),
            "yy": _sum(y, y),
            "xy": _sum(x, y),
            "xx": _sum(x, x),
            "n_obs": int(rows.sum()),
            "size": x.size,
        }
        sums = {name: sums[name] + value for name, value in more.items()}
    kept = np.flatnonzero(left > 1e-10 * before)  # not those that the year effects explain
    products = {name: np.concatenate(a)[:, kept] for name, a in (("zx", zx), ("zy", zy))}
    return sums | products | {"zhz": sums["zhz"][np.ix_(kept, kept)], "n_incomplete": n_incomplete}


def _sum(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Cross-products over entities and years."""
    return np.tensordot(a, b, ([0, 2], [0, 2]))
