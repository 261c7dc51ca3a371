"""Figures of estimates: impulse responses, variance decompositions, two-way effects."""

from collections.abc import Mapping
from itertools import cycle
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, PercentFormatter

from tandem.report.figure_style import (
    DASHES,
    FILLS,
    GREY,
    LIGHT,
    PALETTE,
    WIDTH,
    new_figure,
    require,
    styled,
)


@styled
def irf_grid(irf: pd.DataFrame, labels: Mapping[str, str], caution: str = "") -> Figure:
    """Impulse responses with confidence bands: rows are responses, columns are impulses.

    Parameters
    ----------
    irf : DataFrame
        Columns impulse, response, horizon, estimate, conf_low, conf_high and, if several
        orderings are to be compared, kind (each with a line style of its own).
    labels : mapping
        Printed name of each variable; a variable not in it keeps its own name.
    caution : str
        Words after the label of the horizontal axis.
    """
    columns = ["impulse", "response", "horizon", "estimate", "conf_low", "conf_high"]
    require(irf, columns, "irf_grid")
    irf = irf if "kind" in irf else irf.assign(kind="")
    impulses, responses, kinds = (irf[c].unique() for c in ("impulse", "response", "kind"))
    figure = new_figure(min(WIDTH, 1 + 2.7 * len(impulses)), 0.6 + 1.6 * len(responses))
    panels = figure.subplots(
        len(responses), len(impulses), sharex=True, sharey="row", squeeze=False
    )
    for (row, column), ax in np.ndenumerate(panels):
        impulse, response = impulses[column], responses[row]
        ax.axhline(0, color=GREY, linewidth=0.6)
        for kind, colour, dash in zip(kinds, cycle(PALETTE), cycle(DASHES), strict=False):
            rows = irf[
                (irf["impulse"] == impulse) & (irf["response"] == response) & (irf["kind"] == kind)
            ].sort_values("horizon")
            ax.fill_between(
                rows["horizon"], rows["conf_low"], rows["conf_high"], color=colour, alpha=0.16, lw=0
            )
            ax.plot(rows["horizon"], rows["estimate"], color=colour, linestyle=dash, label=kind)
        ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        ax.margins(x=0.03)
        if row == 0:
            ax.set_title("impulse: " + fill(labels.get(impulse, impulse), 30))
        if column == 0:
            ax.set_ylabel("response of\n" + fill(labels.get(response, response), 22))
    figure.supxlabel(f"years after the impulse{caution}")
    if len(kinds) > 1:
        figure.legend(
            *panels[0, 0].get_legend_handles_labels(), loc="outside upper left", ncols=len(kinds)
        )
    return figure


@styled
def fevd_bars(fevd: pd.DataFrame, labels: Mapping[str, str] | None = None) -> Figure:
    """Forecast error variance decomposition: a panel a response, bars stacked over impulses.

    Parameters
    ----------
    fevd : DataFrame
        Columns response, impulse, horizon, share (0 to 1).
    labels : mapping, optional
        Printed name of each variable.
    """
    require(fevd, ["response", "impulse", "horizon", "share"], "fevd_bars")
    labels = labels or {}
    fills = dict(zip(fevd["impulse"].unique(), cycle(FILLS), strict=False))
    responses = fevd["response"].unique()
    columns = min(3, len(responses))
    rows = -(-len(responses) // columns)
    figure = new_figure(min(WIDTH, 3.4 * columns), 0.5 + 2.2 * rows)
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for ax in panels.flat[len(responses) :]:
        ax.remove()
    for ax, response in zip(panels.flat, responses, strict=False):
        shares = fevd[fevd["response"] == response].pivot(
            index="horizon", columns="impulse", values="share"
        )[list(fills)]
        base = np.zeros(len(shares))
        for impulse, colour in fills.items():
            ax.bar(
                shares.index, shares[impulse], bottom=base, width=0.85, edgecolor="white",
                linewidth=0.5, color=colour, label=labels.get(impulse, impulse),
            )  # fmt: skip
            base = base + shares[impulse].to_numpy()
        ax.set(title="variance of\n" + fill(labels.get(response, response), 30), ylim=(0, 1))
        ax.yaxis.set_major_formatter(PercentFormatter(1, symbol=""))
        ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        ax.tick_params(labelbottom=True)
    figure.supxlabel("horizon, years")
    figure.supylabel("percent of error variance")
    figure.legend(
        *panels[0, 0].get_legend_handles_labels(), loc="outside upper left", ncols=3,
        title="due to shocks in", alignment="left",
    )  # fmt: skip
    return figure


@styled
def two_way_forest(terms: pd.DataFrame, unit: str) -> Figure:
    """Estimates of both directions side by side, a row a model, with confidence intervals.

    Parameters
    ----------
    terms : DataFrame
        Columns direction, model, estimate, conf_low, conf_high, p_value; rows keep their order.
        A test without an estimate shows its p-value; a model that a direction lacks is marked "not
        estimated" there.
    unit : str
        Unit of the estimates, for the axis.
    """
    columns = ["direction", "model", "estimate", "conf_low", "conf_high", "p_value"]
    require(terms, columns, "two_way_forest")
    models = list(terms["model"].unique())
    directions = terms["direction"].unique()
    marks = {"p < 0.05": PALETTE[0], "p ≥ 0.05": "white", "no p-value": LIGHT}
    used = set()
    figure = new_figure(WIDTH, 1.1 + 0.24 * len(models))
    panels = figure.subplots(1, len(directions), sharex=True, sharey=True, squeeze=False)[0]
    for ax, direction in zip(panels, directions, strict=True):
        rows = terms[terms["direction"] == direction]
        ax.axvline(0, color=GREY, linewidth=0.6)
        for model, estimate, low, high, p in rows[columns[1:]].itertuples(index=False):
            place = models.index(model)
            if np.isnan(estimate):
                _write(ax, place, "not estimated" if np.isnan(p) else f"no estimate, p = {p:.3f}")
                continue
            ax.plot([low, high], [place, place], color=PALETTE[0], solid_capstyle="butt")
            mark = "p < 0.05" if p < 0.05 else "p ≥ 0.05" if p >= 0.05 else "no p-value"
            used.add(mark)
            ax.plot(estimate, place, marker="o", color=PALETTE[0], markerfacecolor=marks[mark])
        for model in set(models) - set(rows["model"]):
            _write(ax, models.index(model), "not estimated")
        ax.set(title=direction, ylim=(len(models) - 0.5, -0.5))
        ax.set_yticks(range(len(models)), models)
        ax.tick_params(axis="y", length=0)
        ax.grid(True, axis="x")
        ax.spines["left"].set_visible(False)
    figure.supxlabel(unit)
    handles = [
        Line2D([], [], linestyle="", marker="o", color=PALETTE[0], mfc=face, label=mark)
        for mark, face in marks.items()
        if mark in used
    ]
    figure.legend(handles=handles, loc="outside upper right", ncols=3)
    return figure


def _write(ax: Axes, place: int, words: str) -> None:
    """Words in the middle of a row."""
    ax.text(
        0.5, place, words, color=GREY, fontsize=7, ha="center", va="center",
        transform=ax.get_yaxis_transform(),
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5},
    )  # fmt: skip
