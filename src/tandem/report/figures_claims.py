"""The mechanism of a study's claims as a path diagram."""

from collections.abc import Mapping
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch

from tandem.report.figure_style import GREY, INK, LIGHT, PALETTE, WIDTH, new_figure, styled

COLOURS = {
    "supported": PALETTE[0],
    "contradicted": PALETTE[1],
    "undetermined": PALETTE[2],
    "no data": LIGHT,
}
# the parts of the mechanism stand on the left, the systems on the right
LEFT = [
    "talent", "technology", "capital", "technological support", "institutional support",
    "demand structure", "supply structure",
]  # fmt: skip


@styled
def path_diagram(claims: pd.DataFrame, systems: Mapping[str, str]) -> Figure:
    """Arrows between the parts of the mechanism; width by the estimate, colour by the verdict.

    Parameters
    ----------
    claims : DataFrame
        From `tandem.claims.evaluate`.
    systems : mapping
        Printed names of the two systems.
    """
    figure = new_figure(WIDTH, 5.2)
    ax = figure.subplots()
    ax.set(xlim=(0, 1), ylim=(0, 1))
    ax.axis("off")
    parts = [part for part in LEFT if (claims["part"] == part).any()]
    heights = np.linspace(0.94, 0.06, len(parts))
    places = {("part", part): (0.13, y) for part, y in zip(parts, heights, strict=True)}
    first, second = systems
    places |= {("system", first): (0.84, 0.78), ("system", second): (0.84, 0.24)}
    for (kind, name), (x, y) in places.items():
        text = fill(systems[name] if kind == "system" else name, 22)
        box = {"boxstyle": "round,pad=0.45", "fc": "white", "ec": INK, "lw": 0.8}
        ax.text(x, y, text, ha="center", va="center", fontsize=8, zorder=3, bbox=box)
    turns: dict[tuple, int] = {}
    for ends, row in _arrows(claims, first, second):
        turns[ends] = turns.get(ends, -1) + 1
        _arrow(ax, places[ends[0]], places[ends[1]], row, turns[ends])
    kinds = [k for k in COLOURS if (claims["verdict"] == k).any()]
    handles = [
        Line2D([], [], color=COLOURS[k], lw=2, linestyle="--" if k == "no data" else "-", label=k)
        for k in kinds
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    return figure


def _arrows(claims: pd.DataFrame, first: str, second: str) -> list[tuple[tuple, dict]]:
    """Ends and claim of each arrow; claims without figures share one between the same ends."""
    tested, waiting = [], {}
    for row in claims.to_dict("records"):
        row["name"] = row["claim"].partition("_")[0].upper()
        ends = _ends(row, (first, second))
        if ends is None:
            continue
        if pd.notna(row["estimate"]):
            tested.append((ends, row))
        elif ends in waiting:
            waiting[ends]["name"] += f", {row['name']}"
        else:
            waiting[ends] = row
    return [*tested, *waiting.items()]


def _ends(row: dict, systems: tuple[str, str]) -> tuple | None:
    """From where to where; a claim about stages or a bound is no arrow."""
    part, cause, effect = row["part"], row["cause"], row["effect"]
    if row["test"] in ("stages", "bound"):
        return None
    if part == "two-way link":
        return ("system", cause), ("system", effect)
    if cause in systems and effect not in systems:
        return ("system", cause), ("part", part)  # the system draws the factor in
    return ("part", part), ("system", effect if effect in systems else systems[1])


def _arrow(ax: Axes, start, end, row: dict, turn: int) -> None:
    """One arrow with the number of its claim and, where tested, its estimate and interval."""
    tested = pd.notna(row["estimate"])
    link = row["test"] in ("link", "two_way", "spillover")
    width = 0.8 + (3.2 * min(abs(row["estimate"]), 1.0) if tested and link else 0.0)
    bend = (0.16 if start[0] == end[0] else 0.04) + 0.16 * turn
    ax.add_patch(
        FancyArrowPatch(
            start, end, arrowstyle="-|>", mutation_scale=9, lw=width, zorder=1,
            color=COLOURS[row["verdict"]], linestyle="-" if tested else (0, (4, 3)),
            connectionstyle=f"arc3,rad={bend}", shrinkA=34, shrinkB=34,
        )
    )  # fmt: skip
    words = row["name"]
    if tested and link:
        words += f" {row['estimate']:+.2f}\n[{row['conf_low']:.2f}, {row['conf_high']:.2f}]"
    # along the arc, nearer to the parts, where arrows lie apart; between systems one below another
    (x0, y0), (x1, y1) = start, end
    share = (0.26 if y1 < 0.5 else 0.60) if x0 < x1 else 0.35 if x0 > x1 else 0.36 + 0.24 * turn
    x, y = x0 + share * (x1 - x0), y0 + share * (y1 - y0)
    x, y = x + bend * (y1 - y0) * 0.5, y - bend * (x1 - x0) * 0.5
    box = {"boxstyle": "round,pad=0.12", "fc": "white", "ec": "none", "alpha": 0.85}
    colour = INK if tested else GREY
    ax.text(x, y, words, fontsize=6.2, color=colour, ha="center", va="center", zorder=4, bbox=box)
