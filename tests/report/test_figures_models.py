"""Figures of non-linear models draw what the frames hold."""

import numpy as np
import pandas as pd
import pytest

from tandem.errors import TandemError
from tandem.report import figures_models
from tandem.report.figure_style import save


def likelihood_ratios():
    gammas = np.linspace(0, 1, 11)
    parts = [
        pd.DataFrame({"threshold": k, "gamma": gammas, "lr": 100 * (gammas - place) ** 2})
        for k, place in ((1, 0.3), (2, 0.7))
    ]
    thresholds = pd.DataFrame(
        {"estimate": [0.3, 0.7], "conf_low": [0.1, 0.5], "conf_high": [0.5, 0.9]}, index=[1, 2]
    )
    return pd.concat(parts), thresholds


def effects():
    m = np.linspace(0, 5, 6)
    frame = {"moderator": m, "estimate": m - 2, "conf_low": m - 3, "conf_high": m - 1}
    return pd.DataFrame(frame)


def curve():
    x = np.linspace(0, 4, 9)
    frame = {"x": x, "value": (x - 1) ** 2, "slope": 2 * x - 2}
    frame |= {"conf_low": frame["value"] - 1, "conf_high": frame["value"] + 1}
    frame |= {"slope_low": frame["slope"] - 1, "slope_high": frame["slope"] + 1}
    return pd.DataFrame(frame)


def points(*rows):
    return pd.DataFrame(rows, columns=["point", "in_range", "conf_low", "conf_high"])


def drawn(ax, label):
    (line,) = [line for line in ax.lines if line.get_label() == label]
    return np.column_stack([line.get_xdata(), line.get_ydata()])


def test_threshold_lr_draws_a_panel_a_threshold_with_its_critical_value():
    lr, thresholds = likelihood_ratios()
    figure = figures_models.threshold_lr(
        lr.sample(frac=1, random_state=1), thresholds, 7.35, "share, % of GDP"
    )
    assert len(figure.axes) == 2
    for ax, number in zip(figure.axes, (1, 2), strict=True):
        expected = lr.loc[lr["threshold"] == number, ["gamma", "lr"]].to_numpy()
        assert drawn(ax, "likelihood ratio") == pytest.approx(expected)
        assert set(drawn(ax, "7.35")[:, 1]) == {7.35}
        assert f"threshold {number}" in ax.get_title(loc="left")
        (span,) = ax.patches
        assert span.get_x() == thresholds["conf_low"][number]
        assert span.get_x() + span.get_width() == thresholds["conf_high"][number]
    assert figure.get_supxlabel() == "share, % of GDP"


def test_marginal_effect_draws_line_band_and_sample():
    sample = pd.Series([0.5, 1.5, 4.5])
    figure = figures_models.marginal_effect(effects(), sample, "effect of x", "m")
    (ax,) = figure.axes
    zero, line, rug = ax.lines
    assert set(zero.get_ydata()) == {0}
    assert list(line.get_ydata()) == list(effects()["estimate"])
    assert list(rug.get_xdata()) == list(sample)
    band = ax.collections[0].get_paths()[0].get_extents()
    assert (band.ymin, band.ymax) == (-3, 4)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("m", "effect of x")


def test_turning_curve_marks_points_within_the_data_only():
    found = points((1.0, True, -1.0, 1.5), (9.0, False, 8.0, 10.0))
    figure = figures_models.turning_curve(curve(), found, "x", "y")
    left, right = figure.axes
    for ax, column in ((left, "value"), (right, "slope")):
        assert list(ax.lines[1].get_ydata()) == list(curve()[column])
        assert [line.get_xdata()[0] for line in ax.lines[2:]] == [1.0]
        (span,) = ax.patches
        assert (span.get_x(), span.get_width()) == (0.0, 1.5)  # the interval ends with the data
    assert left.get_title(loc="left") == "turns at 1"


def test_turning_curve_without_turning_points():
    figure = figures_models.turning_curve(curve(), points(), "x", "y")
    assert all(not ax.patches and len(ax.lines) == 2 for ax in figure.axes)


def test_files_are_the_same_bytes_each_time(tmp_path):
    for folder in ("a", "b"):
        lr, thresholds = likelihood_ratios()
        save(figures_models.threshold_lr(lr, thresholds, 7.35, "q"), tmp_path / folder, "lr")
    for kind in ("png", "svg", "pdf"):
        assert (tmp_path / "a" / f"lr.{kind}").read_bytes() == (
            tmp_path / "b" / f"lr.{kind}"
        ).read_bytes()


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda: figures_models.marginal_effect(effects()[:0], pd.Series(), "a", "b"), "no rows"),
        (lambda: figures_models.turning_curve(curve()[["x"]], points(), "a", "b"), "column value"),
        (
            lambda: figures_models.threshold_lr(
                likelihood_ratios()[0].drop(columns="lr"), likelihood_ratios()[1], 7.35, "q"
            ),
            "column lr",
        ),
    ],
)
def test_empty_frames_are_refused_in_words(draw, words):
    with pytest.raises(TandemError, match=words):
        draw()
