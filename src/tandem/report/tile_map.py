"""Tile maps of the 31 provinces."""

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from tandem.errors import TandemError
from tandem.report.figure_style import (
    FILLS,
    INK,
    LIGHT,
    MAP_COLOURS,
    WIDTH,
    new_figure,
    require,
    styled,
    trace_id,
)
from tandem.report.provinces import SHORT, TILES, require_provinces

QUADRANTS = ("high-high", "low-low", "high-low", "low-high")  # own value, then the neighbours'


@styled
def tile_grids(frame: pd.DataFrame, label: str, quantity: str = "") -> Figure:
    """Tile maps of the 31 provinces side by side, one a column, on one colour scale.

    Parameters
    ----------
    frame : DataFrame
        Index English province names, columns the maps' headings (years). A province that is
        absent or NaN is drawn hatched.
    label : str
        What the colours measure, with its unit.
    quantity : str
        What it is to `tandem.trace`, if its lineage is known.

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
        values = frame[heading].reindex(TILES)
        _draw_tiles(ax, values, colours, 5.6 if count > 2 else 7, quantity)
        ax.text(-0.45, -0.1, str(heading), fontsize=10, va="center")
    figure.colorbar(
        colours, ax=panels, location="bottom", label=label, aspect=40, shrink=0.8, pad=0.02
    )
    return figure


@styled
def quadrant_map(local: pd.DataFrame, heading: str) -> Figure:
    """Tile map of the quadrants of a local Moran statistic; full colour where p is up to 0.05.

    Parameters
    ----------
    local : DataFrame
        Index English province names, columns quadrant ("high-high", "low-high", "low-low",
        "high-low": own value, then the neighbours') and p_value.
    heading : str

    Raises
    ------
    TandemError
        If a name is not a province.
    """
    require(local, ["quadrant", "p_value"], "quadrant_map")
    require_provinces(local.index)
    colours = dict(zip(QUADRANTS, (FILLS[0], FILLS[2], FILLS[1], FILLS[3]), strict=True))
    figure = new_figure(4.6, 4.6)
    ax = figure.subplots()
    ax.text(-0.45, -0.1, heading, fontsize=10, va="center")
    for province, (row, column) in TILES.items():
        known = province in local.index
        firm = known and local.at[province, "p_value"] <= 0.05
        face = colours[local.at[province, "quadrant"]] if known else "white"
        ax.add_patch(
            Rectangle(
                (column - 0.47, row - 0.47), 0.94, 0.94, facecolor=face, edgecolor=LIGHT,
                linewidth=0.4, alpha=1 if firm or not known else 0.3,
                hatch=None if known else "////",
            )
        )  # fmt: skip
        text = {"ha": "center", "va": "center", "color": _ink(face) if firm else INK, "fontsize": 7}
        ax.text(column, row - 0.19, SHORT[province], fontweight="bold", **text)
        ax.text(
            column, row + 0.2, f"p {local.at[province, 'p_value']:.2f}" if known else "", **text
        )
    ax.set(xlim=(-0.5, 6.5), ylim=(7.5, -0.5), aspect="equal")
    ax.axis("off")
    keys = [Patch(color=colour, label=name) for name, colour in colours.items()]
    figure.legend(handles=keys, loc="outside lower center", ncols=4)
    return figure


def _draw_tiles(ax: Axes, values: pd.Series, colours, size: float, quantity: str) -> None:
    """One map: a coloured tile, short name and value per province, hatched where missing."""
    for province, value in values.items():
        row, column = TILES[province]
        missing = not np.isfinite(value)
        known = quantity and not missing
        face = "white" if missing else colours.to_rgba(value)
        ax.add_patch(
            Rectangle(
                (column - 0.47, row - 0.47), 0.94, 0.94, facecolor=face, edgecolor=LIGHT,
                linewidth=0.4, hatch="////" if missing else None,
                gid=trace_id(quantity, province, [values.name]) if known else None,
            )
        )  # fmt: skip
        number = "" if missing else _short_number(value)
        text = {"ha": "center", "va": "center", "color": _ink(face), "fontsize": size}
        ax.text(column, row - 0.19, SHORT[province], fontweight="bold", **text)
        ax.text(column, row + 0.2, number, **text)
    if not np.isfinite(values).all():
        ax.add_patch(Rectangle((-0.4, 0.75), 0.5, 0.5, fc="white", ec=LIGHT, lw=0.4, hatch="////"))
        ax.text(0.25, 1, "no value", va="center", fontsize=size)
    ax.set(xlim=(-0.5, 6.5), ylim=(7.5, -0.5), aspect="equal")
    ax.axis("off")


def _ink(face) -> str:
    """Dark text reads better on all but the darkest tiles (relative luminance, WCAG 2)."""
    linear = ((np.array(to_rgb(face)) + 0.055) / 1.055) ** 2.4
    return INK if linear @ [0.2126, 0.7152, 0.0722] > 0.22 else "white"


def _short_number(value: float) -> str:
    """A number of three figures or so, which is what a tile holds."""
    return f"{value:.{2 if abs(value) < 10 else 1 if abs(value) < 100 else 0}f}"
