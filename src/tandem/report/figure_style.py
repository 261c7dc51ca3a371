"""How figures look and how they are written: one style, one way to save."""

import os
from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tandem.errors import TandemError

WIDTH = 6.3  # inches: the text width of A4 with 25 mm margins
INK, GREY, LIGHT, PALE = "#222222", "#707070", "#c9c9c9", "#ececec"
# Safe for colour-blind readers; the first four also differ in lightness, for grey print.
PALETTE = ["#0b2f4f", "#c8500a", "#3d95c6", "#e0a526", "#7f7f7f", "#4f7f3a"]
FILLS = [PALETTE[i] for i in (0, 2, 3, 1, 4, 5)]  # side by side, lightness tells more than hue
MARKERS = ["o", "s", "^", "D", "v", "P", "X"]
DASHES = ["-", (0, (5, 1.5)), (0, (3, 1.2, 1, 1.2)), (0, (1.5, 1.2)), "-"]
MAP_COLOURS = "YlGnBu"  # lightness falls steadily, so it can be read in grey

STYLE = {
    # DejaVu Sans comes with matplotlib, so pictures do not depend on the machine; Verdana has
    # nearly the same widths and stands in where an SVG, whose text stays text, meets no DejaVu.
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "sans-serif"],
    "font.size": 8.5,
    "axes.titlesize": 8.5,
    "axes.titlelocation": "left",
    "axes.labelsize": 8.5,
    "figure.labelsize": 8.5,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "legend.fontsize": 7.5,
    "legend.frameon": False,
    "legend.handlelength": 2.4,
    "text.color": INK,
    "text.parse_math": False,  # a name with "$" is a name, not a formula
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.formatter.useoffset": False,
    "grid.color": PALE,
    "grid.linewidth": 0.6,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "lines.linewidth": 1.2,
    "lines.markersize": 4,
    "hatch.linewidth": 0.5,
    "hatch.color": LIGHT,
    "figure.dpi": 200,
    "savefig.dpi": 200,
    "savefig.facecolor": "white",
    "svg.fonttype": "none",
    "svg.hashsalt": "tandem",
    "pdf.fonttype": 42,  # journals refuse Type 3 fonts
}
METADATA = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "ModDate": None, "Creator": None, "Producer": None},
}


def styled(draw: Callable[..., Figure]) -> Callable[..., Figure]:
    """Let a figure function draw in the house style and lay its figure out once and for all."""

    @wraps(draw)
    def drawn(*args, **kwargs) -> Figure:
        with matplotlib.rc_context(STYLE):
            figure = draw(*args, **kwargs)
            figure.draw_without_rendering()
            figure.set_layout_engine("none")  # a second layout pass would move things by a hair
        return figure

    return drawn


def save(figure: Figure, folder: Path | str, name: str) -> list[Path]:
    """Write a figure as name.png (200 dpi), name.svg and name.pdf, each whole or not at all.

    The files hold no date and no version, and the same figure gives the same bytes.

    Returns
    -------
    list of Path
        The files written.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with matplotlib.rc_context(STYLE):
        for kind, metadata in METADATA.items():
            target = folder / f"{name}.{kind}"
            draft = folder / f".{name}.{kind}.part"
            figure.savefig(draft, format=kind, metadata=metadata)
            os.replace(draft, target)
            written.append(target)
    return written


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of so many inches, outside pyplot, so that nothing has to be closed."""
    return Figure(figsize=(width, height), layout="constrained")


def looks(names: Iterable[str]) -> dict[str, dict]:
    """Colour and marker of each name, in the order given."""
    return {
        name: {
            "color": PALETTE[position % len(PALETTE)],
            "marker": MARKERS[position % len(MARKERS)],
        }
        for position, name in enumerate(dict.fromkeys(names))
    }


def segments(frame: pd.DataFrame) -> np.ndarray:
    """Line segments between adjacent years of one series; a missing year leaves the line open.

    Parameters
    ----------
    frame : DataFrame
        Columns year (int) and value of one series.

    Returns
    -------
    ndarray, shape (n_segments, 2, 2)
        Pairs of points (year, value).
    """
    points = frame[["year", "value"]].drop_duplicates()
    pairs = points.assign(next=points["year"] + 1).merge(
        points, left_on="next", right_on="year", suffixes=("", "_next")
    )
    return pairs[["year", "value", "next", "value_next"]].to_numpy(float).reshape(-1, 2, 2)


def trace_id(quantity: str, entity: str, years: Iterable[int]) -> str:
    """Id of a drawn value, or of the markers of a line: the report makes its lineage open there.

    Parameters
    ----------
    quantity : str
        A name that `tandem.trace.names` knows.
    entity : str
        An entity, or a region of the study.
    years : iterable of int
        One a marker, in the order drawn.
    """
    return f"trace:{quantity}|{entity}|{','.join(str(year) for year in years)}"


def year_axis(ax: Axes, first: int, last: int, ticks: int = 10) -> None:
    """Let the x axis run over whole years, a little wider at both ends."""
    margin = 0.5 + 0.02 * (last - first)
    ax.set_xlim(first - margin, last + margin)
    ax.xaxis.set_major_locator(MaxNLocator(ticks, integer=True, steps=[1, 2, 5, 10]))


def require(frame: pd.DataFrame, columns: Iterable[str], figure: str) -> None:
    """Check that a frame has rows and the columns that a figure draws.

    Raises
    ------
    TandemError
        If the frame is empty or a column is missing.
    """
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise TandemError(f"The figure {figure} needs the column {', '.join(missing)}.")
    if frame.empty:
        raise TandemError(
            f"The figure {figure} has no rows to draw; check that the study selects data for it."
        )


def regions_of(entities: Iterable[str], groups: pd.Series) -> pd.Series:
    """Region of each entity.

    Raises
    ------
    TandemError
        If an entity has no region.
    """
    entities = pd.Index(entities).unique()
    regions = groups.reindex(entities)
    if regions.isna().any():
        raise TandemError(
            f"{regions.index[regions.isna()][0]} has no region; add it to one of the groups."
        )
    return regions
