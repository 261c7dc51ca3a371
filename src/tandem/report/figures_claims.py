"""The mechanism of a study's claims as path diagrams."""

from collections import Counter
from collections.abc import Mapping
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from tandem.mechanism import Diagram
from tandem.report.figure_style import GREY, INK, LIGHT, PALETTE, WIDTH, new_figure, styled

EFFECTS = ("link", "two_way", "spillover", "stages")  # tests whose estimate is an effect
BOX = (1.38, 0.44)  # inches
ROW = 0.95  # inches for each box of the fullest column
BOW = 0.32  # inches that arrows between the same two boxes swerve
KINDS = {  # of arrows: sign of the estimate, and whether the claim is decided
    "positive, decided": (PALETTE[0], "-"),
    "positive, undetermined": (PALETTE[2], "-"),
    "negative, decided": (PALETTE[1], "-"),
    "negative, undetermined": (PALETTE[3], "-"),
    "threshold": (GREY, "-"),
    "no data": (LIGHT, (0, (4, 3))),
}


@styled
def path_diagram(diagram: Diagram, claims: pd.DataFrame, names: Mapping[str, str]) -> Figure:
    """A mechanism whose arrows carry the estimates of the claims that they stand for.

    Width is the size of the estimate, colour its sign and whether the claim is decided; the words
    are the claim, its estimate and 95 % interval. Arrows that no figures can test are dashed.

    Parameters
    ----------
    diagram : Diagram
    claims : DataFrame
        From `tandem.claims.evaluate`.
    names : mapping
        Printed names of the diagram's nodes.
    """
    columns = Counter(node.at[0] for node in diagram.nodes.values())
    height = max(3.6, ROW * max(columns.values()))
    figure = new_figure(WIDTH, height + 0.5)
    ax = figure.subplots()
    ax.set(xlim=(0, WIDTH), ylim=(-0.6 * BOX[1], height + 0.6 * BOX[1]), aspect="equal")
    ax.axis("off")
    boxes = {}
    for name, node in diagram.nodes.items():
        x, y = node.at[0] * WIDTH, node.at[1] * height
        boxes[name] = _box(ax, x, y, names[name])
    arrows = diagram_arrows(diagram, claims)
    for arrow in arrows:
        _arrow(ax, boxes, arrow, [a["ends"] for a in arrows])
    shown = [kind for kind in KINDS if any(a["kind"] == kind for a in arrows)]
    handles = [
        Line2D([], [], color=KINDS[k][0], lw=2, linestyle=KINDS[k][1], label=k) for k in shown
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(shown))
    return figure


def diagram_arrows(diagram: Diagram, claims: pd.DataFrame) -> list[dict]:
    """The arrows of a diagram: one a tested claim, and one for those that share ends untested.

    Returns
    -------
    list of dict
        ends, name (of the claims), kind (see `KINDS`), verdict, estimate, conf_low, conf_high.
    """
    known, found = claims.set_index("claim"), []
    for arrow in diagram.arrows:
        rows = [(short_name(c), known.loc[c]) for c in arrow.claims]
        tested = [(name, row) for name, row in rows if pd.notna(row["estimate"])]
        keys = ["verdict", "test", "estimate", "conf_low", "conf_high"]
        found += [
            {"ends": arrow.ends, "name": name, "kind": _kind(row), **row[keys]}
            for name, row in tested
        ]
        rest = [name for name, row in rows if pd.isna(row["estimate"])]
        if rest or not rows:
            blank = dict.fromkeys(("estimate", "conf_low", "conf_high"), np.nan)
            more = {"name": ", ".join(rest), "kind": "no data", "verdict": "no data", "test": ""}
            found.append({"ends": arrow.ends, **more, **blank})
    return found


def short_name(claim: str) -> str:
    """The number of a claim: H4b of h4b_two_percent."""
    number = claim.partition("_")[0]
    return number[:1].upper() + number[1:]


def arrow_words(arrow: Mapping) -> str:
    """Claim and, on a second line, estimate and interval."""
    if pd.isna(arrow["estimate"]):
        return arrow["name"]
    effect = arrow["test"] in EFFECTS
    number = f"{arrow['estimate']:+.2f}" if effect else f"at {arrow['estimate']:.2f}"
    interval = f"[{arrow['conf_low']:.2f}, {arrow['conf_high']:.2f}]"
    return f"{arrow['name']} {number}\n{interval}".replace("-", "−")


def _kind(row: pd.Series) -> str:
    if row["test"] not in EFFECTS:
        return "threshold"
    sign = "positive" if row["estimate"] >= 0 else "negative"
    return f"{sign}, {'undetermined' if row['verdict'] == 'undetermined' else 'decided'}"


def _box(ax: Axes, x: float, y: float, text: str) -> FancyBboxPatch:
    (w, h), style = BOX, "round,pad=0,rounding_size=0.08"
    box = FancyBboxPatch(
        (x - w / 2, y - h / 2), w, h, boxstyle=style, fc="white", ec=INK, lw=0.8, zorder=3
    )
    ax.add_patch(box)
    ax.text(x, y, fill(text, 20), ha="center", va="center", fontsize=7.5, zorder=4)
    return box


def _arrow(ax: Axes, boxes: Mapping, arrow: Mapping, all_ends: list) -> None:
    """One arrow between two boxes, bent away from another one between the same two."""
    colour, line = KINDS[arrow["kind"]]
    start, end = (_centre(boxes[name]) for name in arrow["ends"])
    shared = sum(set(ends) == set(arrow["ends"]) for ends in all_ends) > 1
    effect = arrow["test"] in EFFECTS and pd.notna(arrow["estimate"])
    bend = 2 * BOW / np.linalg.norm(end - start) if shared else 0.0
    ax.add_patch(
        FancyArrowPatch(
            start, end, patchA=boxes[arrow["ends"][0]], patchB=boxes[arrow["ends"][1]],
            arrowstyle="-|>", mutation_scale=9, shrinkA=1, shrinkB=1, zorder=1, color=colour,
            lw=0.8 + (4.0 * min(abs(arrow["estimate"]), 1.0) if effect else 0.0), linestyle=line,
            connectionstyle=f"arc3,rad={bend}",
        )
    )  # fmt: skip
    ax.text(
        *_label_place(start, end, bend), arrow_words(arrow), fontsize=6.8, ha="center",
        va="center", zorder=5, bbox={"boxstyle": "round,pad=0.1", "fc": "white", "ec": "none"},
        color=INK if pd.notna(arrow["estimate"]) else GREY, linespacing=1.1,
    )  # fmt: skip


def _label_place(start: np.ndarray, end: np.ndarray, bend: float) -> np.ndarray:
    """On the arrow: half way along what is seen of it, or, if bent, nearer to where it starts."""
    across, up = end - start
    if bend:
        control = (start + end) / 2 + bend * np.array([up, -across])
        t = 0.35
        return (1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end
    middle = (_edge(start, end) + _edge(end, start)) / 2
    level = abs(up) < 0.05 * abs(across)  # words on a short level arrow would hide it
    return middle + np.array([0.0, 0.2 if level else 0.0])


def _centre(box: FancyBboxPatch) -> np.ndarray:
    return np.array([box.get_x() + box.get_width() / 2, box.get_y() + box.get_height() / 2])


def _edge(inside: np.ndarray, towards: np.ndarray) -> np.ndarray:
    """Where the line from the centre of a box leaves it."""
    way = towards - inside
    with np.errstate(divide="ignore"):
        share = np.min(np.array(BOX) / 2 / np.abs(way))
    return inside + share * way
