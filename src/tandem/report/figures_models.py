"""Figures of non-linear models: likelihood ratio of a threshold, marginal effects, curves."""

from itertools import cycle

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tandem.report.figure_style import (
    DASHES,
    GREY,
    INK,
    LIGHT,
    MARKERS,
    PALE,
    PALETTE,
    WIDTH,
    new_figure,
    require,
    styled,
)


@styled
def threshold_lr(
    lr: pd.DataFrame, thresholds: pd.DataFrame, critical: float, label: str, level: float = 0.95
) -> Figure:
    """Likelihood ratio over the threshold variable, a panel a threshold (Hansen 1999, figure 1).

    Parameters
    ----------
    lr : DataFrame
        Columns threshold (number), gamma, lr.
    thresholds : DataFrame
        Indexed by the number of the threshold; columns estimate, conf_low, conf_high.
    critical : float
        The interval holds the values with a likelihood ratio up to this one.
    label : str
        Name and unit of the threshold variable, for the axis.
    level : float
        Coverage of the interval, for the legend.
    """
    require(lr, ["threshold", "gamma", "lr"], "threshold_lr")
    require(thresholds, ["estimate", "conf_low", "conf_high"], "threshold_lr")
    numbers = list(thresholds.index)
    figure = new_figure(min(WIDTH, 0.6 + 2.9 * len(numbers)), 2.9)
    panels = figure.subplots(1, len(numbers), sharey=True, squeeze=False)[0]
    for ax, number in zip(panels, numbers, strict=True):
        curve = lr[lr["threshold"] == number].sort_values("gamma")
        row = thresholds.loc[number]
        ax.axvspan(row["conf_low"], row["conf_high"], color=PALE, label=f"{level:.0%} interval")
        ax.plot(curve["gamma"], curve["lr"], color=PALETTE[0], lw=0.9, label="likelihood ratio")
        ax.axhline(critical, color=INK, ls=DASHES[1], lw=0.9, label=f"{critical:.2f}")
        ax.plot(row["estimate"], 0, marker="o", ls="", color=PALETTE[1], clip_on=False, zorder=3)
        ax.set_title(
            f"threshold {number}: {row['estimate']:.4g}\n"
            f"[{row['conf_low']:.4g}, {row['conf_high']:.4g}]"
        )
        ax.set_ylim(0, None)
        ax.xaxis.set_major_locator(MaxNLocator(5))
    panels[0].set_ylabel("likelihood ratio")
    figure.supxlabel(label)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper left", ncols=3)
    return figure


@styled
def marginal_effect(
    marginal: pd.DataFrame, moderator: pd.Series, effect_label: str, moderator_label: str
) -> Figure:
    """Effect of a regressor over its moderator with a band; the ticks are the sample.

    Parameters
    ----------
    marginal : DataFrame
        Columns moderator, estimate, conf_low, conf_high.
    moderator : Series
        Values in the sample.
    effect_label, moderator_label : str
        Names and units for the axes.
    """
    require(marginal, ["moderator", "estimate", "conf_low", "conf_high"], "marginal_effect")
    figure = new_figure(WIDTH, 2.9)
    ax = figure.subplots()
    _band(ax, marginal, "moderator", ("estimate", "conf_low", "conf_high"))
    _rug(ax, moderator)
    ax.set(xlabel=moderator_label, ylabel=effect_label)
    return figure


@styled
def turning_curve(
    curve: pd.DataFrame, turning_points: pd.DataFrame, x_label: str, y_label: str
) -> Figure:
    """A fitted curve and its slope, with bands; turning points within the data are marked.

    Parameters
    ----------
    curve : DataFrame
        Columns x, value, conf_low, conf_high, slope, slope_low, slope_high; values are relative to
        the mean of x, where the band is empty.
    turning_points : DataFrame
        Columns point, in_range, conf_low, conf_high; may have no row.
    x_label, y_label : str
        Names and units for the axes.
    """
    columns = ["x", "value", "conf_low", "conf_high", "slope", "slope_low", "slope_high"]
    require(curve, columns, "turning_curve")
    figure = new_figure(WIDTH, 2.9)
    left, right = figure.subplots(1, 2)
    _band(left, curve, "x", ("value", "conf_low", "conf_high"))
    _band(right, curve, "x", ("slope", "slope_low", "slope_high"))
    ends = curve["x"].min(), curve["x"].max()
    marked = turning_points[turning_points["in_range"].astype(bool)]
    for _, row in marked.iterrows():
        low, high = np.clip([row["conf_low"], row["conf_high"]], *ends)
        for ax in (left, right):
            ax.axvspan(low, high, color=PALE, lw=0, zorder=0)
            ax.axvline(row["point"], color=PALETTE[1], ls=DASHES[1], lw=0.9)
    if len(marked):
        left.set_title("turns at " + " and ".join(f"{point:.4g}" for point in marked["point"]))
    left.set(ylabel=f"{y_label}\nagainst the mean of x", xlim=ends)
    right.set(ylabel=f"slope of\n{y_label}", xlim=ends)
    figure.supxlabel(x_label)
    return figure


@styled
def unit_circle(roots: pd.DataFrame) -> Figure:
    """Roots of the companion matrices in the complex plane; a stable model's lie in the circle.

    Parameters
    ----------
    roots : DataFrame
        Columns model, real, imaginary, modulus.
    """
    require(roots, ["model", "real", "imaginary", "modulus"], "unit_circle")
    figure = new_figure(WIDTH, 3.6)
    ax = figure.subplots()
    angle = np.linspace(0, 2 * np.pi, 361)
    ax.plot(np.cos(angle), np.sin(angle), color=GREY, linewidth=0.8)
    for mark, colour, (name, rows) in zip(
        cycle(MARKERS), cycle(PALETTE), roots.groupby("model", sort=False), strict=False
    ):
        worst = rows["modulus"].max()
        words = f"{name}: {worst:.3f}" + ("" if worst < 1 else ", not stable")
        ax.plot(
            rows["real"], rows["imaginary"], linestyle="", marker=mark, markersize=5,
            color=colour, markerfacecolor="none", label=words,
        )  # fmt: skip
    reach = max(1.15, 1.05 * roots["modulus"].max())
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    ax.set(xlabel="real", ylabel="imaginary")
    ax.grid(True, axis="both")
    figure.legend(title="largest modulus", loc="outside right upper", alignment="left")
    return figure


def _band(ax: Axes, frame: pd.DataFrame, x: str, columns: tuple[str, str, str]) -> None:
    middle, low, high = columns
    ax.axhline(0, color=GREY, linewidth=0.6)
    ax.fill_between(frame[x], frame[low], frame[high], color=PALETTE[0], alpha=0.16, lw=0)
    ax.plot(frame[x], frame[middle], color=PALETTE[0])
    ax.margins(x=0.02)
    ax.xaxis.set_major_locator(MaxNLocator(6))


def _rug(ax: Axes, values: pd.Series) -> None:
    """Ticks at the foot of the axes, one a value."""
    ax.plot(
        values, np.full(len(values), 0.015), ls="", marker="|", ms=5, color=LIGHT,
        transform=ax.get_xaxis_transform(), zorder=0,
    )  # fmt: skip
