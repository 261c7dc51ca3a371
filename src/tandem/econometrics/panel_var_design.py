"""What a panel VAR is made of, and its equations in levels before any transformation."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tandem.econometrics.panel_arrays import panel_cube
from tandem.econometrics.transforms import lag
from tandem.errors import TandemError


@dataclass(frozen=True, eq=False)
class Design:
    """Choices of `PanelVAR`, under the same names."""

    lags: int
    transform: str = "fod"
    instrument_lags: tuple[int, int] = (2, 99)
    collapse: bool = True
    exog: pd.DataFrame | None = None
    predetermined: pd.DataFrame | None = None
    time_effects: bool = False
    trend: bool = False
    system: bool = False
    pca: float | None = None

    @property
    def method(self) -> str:
        """The choices in words."""
        words = {"fod": "forward orthogonal deviations", "fd": "first differences"}
        told = [("system GMM, " if self.system else "") + words[self.transform]]
        told.append("collapsed instruments" if self.collapse else "all instruments")
        if self.pca:
            told.append(f"their principal components up to {self.pca:.0%} of the variance")
        told += ["year effects removed"] if self.time_effects else []
        return ", ".join(told)


@dataclass(frozen=True, eq=False)
class Levels:
    """Arrays of all N entities x variables x T years, in the units of the data."""

    y: np.ndarray  # (N, K, T) NaN where missing
    x: np.ndarray  # (N, k, T) lags of y, predetermined, exogenous, trend, constant
    usable: np.ndarray  # (N, T) True where an equation has all it needs
    entities: list
    years: np.ndarray
    variables: list[str]
    regressors: list[str]
    predetermined: slice  # their place in x
    outside: slice  # exogenous, trend and constant: their own instruments
    n_incomplete: int

    def scales(self) -> tuple[np.ndarray, np.ndarray]:
        """Standard deviations of y and x, 1 for the constant."""
        k, n_lagged = self.y.shape[1], self.predetermined.start
        y_scale = np.nanstd(self.y, axis=(0, 2))
        rest = np.nanstd(self.x[:, n_lagged:], axis=(0, 2))
        rest = np.where(rest > 0, rest, 1.0)
        return y_scale, np.concatenate([np.tile(y_scale, n_lagged // k), rest])


def level_equations(data: pd.DataFrame, design: Design, sample_lags: int | None = None) -> Levels:
    """Lay the equations out; that of a year needs every variable and `sample_lags` lags.

    Raises
    ------
    TandemError
        Bad data (`panel_cube`), no lag, too few years, a variable given twice.
    """
    sample_lags = sample_lags or design.lags
    if design.lags < 1:
        raise TandemError(f"A panel VAR has at least one lag; lags={design.lags} was given.")
    cube, entities, years = panel_cube(data)
    if len(years) < sample_lags + 2:
        raise TandemError(
            f"The panel covers {len(years)} year(s), {years[0]} to {years[-1]}; {sample_lags} "
            f"lag(s) need at least {sample_lags + 2}."
        )
    variables = [str(name) for name in data.columns]
    lagged = [lag(cube, j) for j in range(1, sample_lags + 1)]
    regressors = [f"L{j}.{name}" for j in range(1, design.lags + 1) for name in variables]
    blocks = lagged[: design.lags]
    taken = set(variables)
    for frame, kind in ((design.predetermined, "predetermined"), (design.exog, "exogenous")):
        if frame is not None:
            both = taken & set(map(str, frame.columns))
            if both:
                raise TandemError(
                    f"'{min(both)}' is a variable of the VAR and {kind}, or given twice; "
                    "choose one."
                )
            panel_cube(frame)
            blocks.append(panel_cube(frame.reindex(data.index))[0])
            regressors += map(str, frame.columns)
            taken |= set(map(str, frame.columns))
    n_pre = 0 if design.predetermined is None else design.predetermined.shape[1]
    needed = np.concatenate([cube, *lagged, *blocks[design.lags :]], axis=1)
    if design.trend:
        blocks.append(np.broadcast_to(np.arange(len(years)) * 1.0, (len(cube), 1, len(years))))
        regressors.append("trend")
    if design.system and not design.time_effects:  # the year effects hold the constant
        blocks.append(np.ones((len(cube), 1, len(years))))
        regressors.append("const")
    start = design.lags * len(variables)
    frames = [f for f in (design.predetermined, design.exog) if f is not None]
    missing = pd.concat([data.isna(), *(f.reindex(data.index).isna() for f in frames)], axis=1)
    return Levels(
        y=cube,
        x=np.concatenate(blocks, axis=1),
        usable=np.isfinite(needed).all(axis=1),
        entities=entities,
        years=years,
        variables=variables,
        regressors=regressors,
        predetermined=slice(start, start + n_pre),
        outside=slice(start + n_pre, len(regressors)),
        n_incomplete=int(missing.any(axis=1).sum()),
    )
