"""Tile maps of the 31 provinces."""

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from tandem.errors import TandemError
from tandem.report.figure_style import (
    INK,
    LIGHT,
    MAP_COLOURS,
    WIDTH,
    new_figure,
    require,
    styled,
)
from tandem.report.provinces import SHORT, TILES, require_provinces


@styled
def tile_grids(frame: pd.DataFrame, label: str) -> Figure:
    """Tile maps of the 31 provinces side by side, one a column, on one colour scale.

    Parameters
    ----------
    frame : DataFrame
        Index English province names, columns the maps' headings (years). A province that is
        absent or NaN is drawn hatched.
    label : str
        What the colours measure, with its unit.

    Raises
    ------
    TandemError
        If a name is not a province, a province stands twice, or no province has a value.
    """
    require(frame, [], "tile_grids")
    require_provinces(frame.index)
    if frame.index.has_duplicates:
        twice = frame.index[frame.index.duplicated()][0]
        raise TandemError(f"The province map has two rows for {twice}; keep one value a province.")
    known = frame.to_numpy(float)
    known = known[np.isfinite(known)]
    if known.size == 0:
        raise TandemError(f"The province map of {label} has no value for any province.")
    colours = matplotlib.cm.ScalarMappable(Normalize(known.min(), known.max()), MAP_COLOURS)
    count = frame.shape[1]
    width = min(WIDTH, 3.9 * count)
    figure = new_figure(width, width / count * 8 / 7 + 0.55)
    panels = figure.subplots(1, count, squeeze=False)[0]
    for ax, heading in zip(panels, frame.columns, strict=True):
        _draw_tiles(ax, frame[heading].reindex(TILES), colours, 5.6 if count > 2 else 7)
        ax.text(-0.45, -0.1, str(heading), fontsize=10, va="center")
    figure.colorbar(
        colours, ax=panels, location="bottom", label=label, aspect=40, shrink=0.8, pad=0.02
    )
    return figure


def _draw_tiles(ax: Axes, values: pd.Series, colours, size: float) -> None:
    """One map: a coloured tile, short name and value per province, hatched where missing."""
    for province, value in values.items():
        row, column = TILES[province]
        missing = not np.isfinite(value)
        face = "white" if missing else colours.to_rgba(value)
        ax.add_patch(
            Rectangle(
                (column - 0.47, row - 0.47), 0.94, 0.94, facecolor=face, edgecolor=LIGHT,
                linewidth=0.4, hatch="////" if missing else None,
            )
        )  # fmt: skip
        number = "" if missing else _short_number(value)
        # Relative luminance (WCAG 2): dark text reads better on all but the darkest tiles.
        linear = ((np.array(to_rgb(face)) + 0.055) / 1.055) ** 2.4
        ink = INK if linear @ [0.2126, 0.7152, 0.0722] > 0.22 else "white"
        text = {"ha": "center", "va": "center", "color": ink, "fontsize": size}
        ax.text(column, row - 0.19, SHORT[province], fontweight="bold", **text)
        ax.text(column, row + 0.2, number, **text)
    if not np.isfinite(values).all():
        ax.add_patch(Rectangle((-0.4, 0.75), 0.5, 0.5, fc="white", ec=LIGHT, lw=0.4, hatch="////"))
        ax.text(0.25, 1, "no value", va="center", fontsize=size)
    ax.set(xlim=(-0.5, 6.5), ylim=(7.5, -0.5), aspect="equal")
    ax.axis("off")


def _short_number(value: float) -> str:
    """A number of three figures or so, which is what a tile holds."""
    return f"{value:.{2 if abs(value) < 10 else 1 if abs(value) < 100 else 0}f}"
