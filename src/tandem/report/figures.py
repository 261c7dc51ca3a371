"""The report's figures: data frames in, one matplotlib Figure out.

Titles stand in the report's captions, not in the figures. Values that are missing are shown as
missing: lines stay open, tiles are hatched, cells are empty.
"""

from itertools import cycle
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.collections import LineCollection
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from tandem.errors import TandemError
from tandem.report.figure_style import (
    DASHES,
    GREY,
    INK,
    LIGHT,
    PALE,
    PALETTE,
    WIDTH,
    looks,
    new_figure,
    regions_of,
    require,
    save,
    segments,
    styled,
    trace_id,
    year_axis,
)
from tandem.report.figures_estimates import fevd_bars, irf_grid, two_way_forest
from tandem.report.tile_map import tile_grids

__all__ = [
    "coupling_by_region",
    "fevd_bars",
    "investment_share",
    "irf_grid",
    "missing_map",
    "national_series",
    "save",
    "tile_grids",
    "two_way_forest",
]

UNRELATED_D = 0.64  # E[D] of two independent uniform systems: E[U^(1/4)]^2 = (4/5)^2


@styled
def investment_share(frame: pd.DataFrame, line: float = 2.0) -> Figure:
    """Share of investment in GDP as published, all vintages, against a line.

    Parameters
    ----------
    frame : DataFrame
        Columns year, value (percent of GDP), vintage, kind (how the share was come by) and flag
        ("" or "quoted"; quoted figures are drawn hollow).
    line : float
        Where to draw the line, percent of GDP.

    Raises
    ------
    TandemError
        If there is nothing to draw.
    """
    frame = frame.dropna(subset=["value"])
    require(frame, ["year", "value", "vintage", "kind", "flag"], "investment_share")
    first, last = int(frame["year"].min()), int(frame["year"].max())
    figure = new_figure(WIDTH, 3.2)
    ax = figure.subplots()
    gaps = sorted(set(range(first, last + 1)) - set(frame["year"]))
    for year in gaps:
        ax.axvspan(year - 0.5, year + 0.5, color=PALE, linewidth=0)
    look = looks(frame["kind"])
    handles = []
    for position, (kind, style) in enumerate(look.items()):
        handles.append(Line2D([], [], linestyle="", label=kind, **style))
        beside = 0.2 * (position - (len(look) - 1) / 2)  # kinds stand side by side in a year
        rows = frame[frame["kind"] == kind]
        for _, vintage in rows.groupby("vintage"):
            lines = segments(vintage) + [beside, 0]
            ax.add_collection(LineCollection(lines, colors=style["color"], zorder=2))
        for quoted, face in ((False, style["color"]), (True, "white")):
            some = rows[(rows["flag"] == "quoted") == quoted]
            ax.plot(some["year"] + beside, some["value"], linestyle="", mfc=face, zorder=3, **style)
    if (frame["flag"] == "quoted").any():
        handles.append(
            Line2D(
                [], [], linestyle="", marker="o", color=GREY, mfc="white", label="hollow: quoted"
            )
        )
    if gaps:
        handles.append(Patch(color=PALE, label="no figure at hand"))
    handles.append(Line2D([], [], color=INK, linestyle=DASHES[1], label=f"{line:g} % of GDP"))
    ax.axhline(line, color=INK, linestyle=DASHES[1], linewidth=0.9)
    ax.set(ylim=(0, 1.1 * max(line, frame["value"].max())), ylabel="percent of GDP")
    year_axis(ax, first, last)
    figure.legend(handles=handles, loc="outside upper left", ncols=3)
    return figure


@styled
def coupling_by_region(coupling: pd.DataFrame, groups: pd.Series) -> Figure:
    """Mean coupling degree C and coordination degree D by region and year.

    Parameters
    ----------
    coupling : DataFrame
        Index (entity, year), columns C_standard, D_standard, D_wang, D_fan.
    groups : Series
        Region of each entity; the regions are drawn in order of first appearance.

    Notes
    -----
    A mean is left open in a year in which an entity of the region has no value, so that it never
    changes because its members do. The grey lines are the mean D of all entities with the
    C of Wang et al. and of Fan et al.; the dotted line is E[D] = (4/5)^2 of two independent
    uniform systems.

    Raises
    ------
    TandemError
        If an entity has no region.
    """
    require(coupling, ["C_standard", "D_standard", "D_wang", "D_fan"], "coupling_by_region")
    regions = regions_of(coupling.index.get_level_values(0), groups)
    years = coupling.index.get_level_values(1)
    years = range(int(years.min()), int(years.max()) + 1)
    look = looks([region for region in groups.unique() if region in set(regions)])
    figure = new_figure(WIDTH, 3.3)
    panels = figure.subplots(1, 2, sharey=True)
    for ax, column, title in zip(
        panels, ["C_standard", "D_standard"], ["Coupling degree C", "Coordination degree D"],
        strict=True,
    ):  # fmt: skip
        wide = coupling[column].unstack().reindex(columns=years)
        for (region, style), dash in zip(look.items(), cycle(DASHES), strict=False):
            mean = wide[(regions == region).reindex(wide.index)].mean(skipna=False)
            gid = trace_id(column, region, mean.dropna().index)
            ax.plot(years, mean, label=region, ls=dash, ms=3, lw=1, clip_on=False, gid=gid, **style)
        ax.set(title=title, ylim=(0, 1), yticks=np.linspace(0, 1, 11))
        year_axis(ax, years[0], years[-1], ticks=6)
    for column, name, dash in (("D_wang", "Wang", (0, (6, 2))), ("D_fan", "Fan", (0, (2, 2)))):
        mean = coupling[column].unstack().reindex(columns=years).mean(skipna=False)
        panels[1].plot(
            years, mean, color=GREY, linewidth=0.8, linestyle=dash, label=f"all, D of {name}"
        )
    panels[1].axhline(
        UNRELATED_D, color=INK, linestyle=":", label="0.64: E[D] of two unrelated uniform systems"
    )
    panels[0].set_ylabel("mean of the region's entities")
    figure.legend(*panels[1].get_legend_handles_labels(), loc="outside lower left", ncols=4)
    return figure


@styled
def missing_map(frame: pd.DataFrame) -> Figure:
    """What is at hand: series by year, complete, in part (with the count) or not at all.

    Parameters
    ----------
    frame : DataFrame
        Columns series, year, published (entities with a value), entities (entities expected).
        A series-year without a row counts as not at hand.

    Raises
    ------
    TandemError
        If more entities are published than expected.
    """
    require(frame, ["series", "year", "published", "entities"], "missing_map")
    over = frame[frame["published"] > frame["entities"]]
    if len(over):
        worst = over.iloc[0]
        raise TandemError(
            f"{worst['series']} has {worst['published']} values in {worst['year']} for "
            f"{worst['entities']} entities; look for entities that stand twice."
        )
    series = list(frame["series"].unique())
    years = range(int(frame["year"].min()), int(frame["year"].max()) + 1)
    published, entities = (
        frame.pivot(index="series", columns="year", values=column).reindex(series, columns=years)
        for column in ("published", "entities")
    )
    published = published.fillna(0)
    partial = (published > 0) & (published < entities)
    tones = {"not at hand": "white", "in part (number of entities)": "#cfe3ee"}
    tones["complete"] = PALETTE[2]
    figure = new_figure(WIDTH, 0.8 + 0.19 * len(series))
    ax = figure.subplots()
    ax.pcolormesh(
        np.arange(years[0], years[-1] + 2) - 0.5, np.arange(len(series) + 1) - 0.5,
        np.where(partial, 1, np.where(published > 0, 2, 0)),
        cmap=ListedColormap(list(tones.values())), vmin=0, vmax=2, edgecolors=PALE, linewidth=0.5,
    )  # fmt: skip
    for row, column in np.argwhere(partial.to_numpy()):
        count = f"{published.iloc[row, column]:.0f}"
        ax.text(years[column], row, count, ha="center", va="center", fontsize=6)
    ax.set(ylim=(len(series) - 0.5, -0.5), yticks=range(len(series)), yticklabels=series)
    year_axis(ax, years[0], years[-1], ticks=12)
    ax.grid(False)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    handles = [Patch(fc=colour, ec=LIGHT, lw=0.5, label=name) for name, colour in tones.items()]
    figure.legend(handles=handles, loc="outside upper right", ncols=3)
    return figure


@styled
def national_series(frame: pd.DataFrame) -> Figure:
    """National series as small multiples, a line a vintage, open where a year is missing.

    Parameters
    ----------
    frame : DataFrame
        Columns series (printed name), year, value, vintage, unit, kind (gives colour and mark; a
        line never leaves its vintage); optional quantity and entity, for the values' lineage.

    Raises
    ------
    TandemError
        If there is nothing to draw or a series mixes units.
    """
    frame = frame.dropna(subset=["value"])
    require(frame, ["series", "year", "value", "vintage", "unit", "kind"], "national_series")
    look = looks(frame["kind"])
    names = frame["series"].unique()
    columns = min(3, len(names))
    rows = -(-len(names) // columns)
    figure = new_figure(min(WIDTH, 3.4 * columns), 0.5 + 1.75 * rows)
    panels = figure.subplots(rows, columns, sharex=True, squeeze=False)
    first, last = int(frame["year"].min()), int(frame["year"].max())
    for ax in panels.flat[len(names) :]:
        ax.remove()
    for ax, name in zip(panels.flat, names, strict=False):
        series = frame[frame["series"] == name]
        units = series["unit"].unique()
        if len(units) > 1:
            raise TandemError(f"{name} mixes the units {' and '.join(units)}; convert to one.")
        for (kind, _), rows_ in series.groupby(["kind", "vintage"], sort=False):
            style = look[kind]
            ax.add_collection(LineCollection(segments(rows_), colors=style["color"], lw=0.9))
            known = "quantity" in rows_
            gid = trace_id(*rows_.iloc[0][["quantity", "entity"]], rows_["year"]) if known else None
            ax.plot(rows_["year"], rows_["value"], linestyle="", markersize=2.5, gid=gid, **style)
        ax.set_title(f"{fill(name, 28)}\n{units[0]}")
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
        ax.yaxis.set_major_locator(MaxNLocator(5))
        ax.tick_params(labelbottom=True)
        year_axis(ax, first, last, ticks=4)
    handles = [Line2D([], [], label=k, lw=0.9, markersize=3, **style) for k, style in look.items()]
    if len(handles) > 1:
        figure.legend(handles=handles, loc="outside lower left", ncols=4)
    return figure
