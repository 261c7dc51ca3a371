"""The specification curve as a figure."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from tandem.report.figure_style import GREY, LIGHT, PALETTE, WIDTH, new_figure, require, styled

MANY = 32  # rows of choices that still can be read


@styled
def specification_curve(
    curve: pd.DataFrame, permuted: pd.DataFrame, choices: Mapping[str, str], title: str
) -> Figure:
    """Estimates of all specifications in order, above the choices that make them.

    Parameters
    ----------
    curve : DataFrame
        A row a specification: estimate, conf_low, conf_high, p_value and the columns of `choices`.
    permuted : DataFrame
        Column median: medians under permutation; their central 95 % is shaded.
    choices : mapping
        Column: printed name. Those with a single value are left out.
    title : str
    """
    require(curve, ["estimate", "conf_low", "conf_high", "p_value"], "specification_curve")
    rows = curve.dropna(subset=["estimate"]).sort_values("estimate", kind="stable")
    marks, names = _marks(rows, choices)
    figure = new_figure(WIDTH, 2.6 + 0.16 * len(names))
    top, below = figure.subplots(
        2, 1, sharex=True, height_ratios=[2.2, 0.16 * len(names)], squeeze=True
    )
    place = np.arange(len(rows))
    significant = (rows["p_value"] < 0.05).to_numpy()
    if len(permuted):
        low, high = permuted["median"].quantile([0.025, 0.975])
        top.axhspan(low, high, color=PALETTE[1], alpha=0.25, lw=0)
    top.axhline(0, color=GREY, linewidth=0.6)
    top.vlines(
        place, rows["conf_low"], rows["conf_high"], color=LIGHT, linewidth=0.5, rasterized=True
    )
    for mine, colour in ((significant, PALETTE[0]), (~significant, PALETTE[2])):
        top.plot(
            place[mine], rows["estimate"][mine], linestyle="", marker=".", markersize=2.2,
            color=colour, rasterized=True,
        )  # fmt: skip
    # a weak specification's interval must not flatten all others
    reach = np.quantile(rows[["conf_low", "conf_high"]].abs().max(axis=1), 0.9)
    top.set(title=title, ylabel="estimate, sd", xlim=(-1, len(rows)), ylim=(-reach, reach))
    below.imshow(
        marks, aspect="auto", interpolation="nearest", cmap=ListedColormap(["white", PALETTE[0]]),
        extent=(-0.5, len(rows) - 0.5, len(names) - 0.5, -0.5), vmin=0, vmax=1,
    )  # fmt: skip
    below.set_yticks(range(len(names)), names)
    below.tick_params(axis="both", length=0)
    below.grid(False)
    below.set(xlabel=f"{len(rows)} specifications, by their estimate")
    handles = [
        Line2D([], [], linestyle="", marker="o", markersize=4, color=colour, label=name)
        for colour, name in ((PALETTE[0], "p < 0.05"), (PALETTE[2], "p ≥ 0.05"))
    ]
    handles.append(
        Line2D([], [], color=PALETTE[1], alpha=0.25, linewidth=5, label="medians under permutation")
    )
    figure.legend(handles=handles, loc="outside upper right", ncols=3)
    return figure


def _marks(rows: pd.DataFrame, choices: Mapping[str, str]) -> tuple[np.ndarray, list[str]]:
    """Which specification makes which choice, a row a choice."""
    marks, names = [], []
    for column, name in choices.items():
        values = rows[column].astype(object).where(rows[column].notna(), None)
        known = [v for v in dict.fromkeys(curve_words(values)) if v]
        if len(known) < 2:
            continue
        for value in sorted(known):
            marks.append((curve_words(values) == value).to_numpy())
            names.append(f"{name}: {value}")
    return np.array(marks[:MANY], dtype=float), names[:MANY]


def curve_words(values: pd.Series) -> pd.Series:
    """Choices as words: whole numbers without a decimal point, nothing where not chosen."""
    return values.map(
        lambda v: "" if v is None else f"{v:.0f}" if isinstance(v, float) else str(v).strip("()")
    )
