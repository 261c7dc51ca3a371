"""Turning points, their intervals and the U test, against closed forms and coverage."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tandem.econometrics.curvature import curve_regression
from tandem.econometrics.static import panel_regression
from tandem.errors import TandemError


def panel(seed=0, b=(-2.0, 1.0), spread=0.3, n=30, t=8):
    """y is a polynomial of x, uniform on [0, 3]; entity effects."""
    rng = np.random.default_rng(seed)
    index = pd.MultiIndex.from_product([range(n), range(2001, 2001 + t)], names=["entity", "year"])
    frame = pd.DataFrame({"x": rng.uniform(0, 3, n * t), "w": rng.normal(size=n * t)}, index)
    curve = sum(c * frame["x"] ** (power + 1) for power, c in enumerate(b))
    frame["y"] = curve + 0.5 * frame["w"] + np.repeat(rng.normal(size=n), t)
    frame["y"] += spread * rng.normal(size=n * t)
    return frame


def fit(frame, **options):
    return curve_regression(frame["y"], frame["x"], frame[["w"]], **{"effects": "entity"} | options)


def quadratic(frame):
    design = frame.assign(**{"x^2": frame["x"] ** 2})[["x", "x^2", "w"]]
    result, facts = panel_regression(frame["y"], design, "entity")
    return result.params.to_numpy(), result.cov.to_numpy(), facts["t_df"]


def test_the_turning_point_and_both_intervals_are_their_formulas():
    frame = panel(1, spread=1.0)
    result = fit(frame)
    b, v, df = quadratic(frame)
    point = -b[0] / (2 * b[1])
    row = result.turning_points.loc[1]
    assert row["point"] == pytest.approx(point)
    assert row["kind"] == "minimum" and row["in_range"]
    variance = (v[0, 0] + 4 * point * v[0, 1] + 4 * point**2 * v[1, 1]) / (4 * b[1] ** 2)
    reach = stats.t.ppf(0.975, df) * variance**0.5
    assert (row["conf_low"], row["conf_high"]) == pytest.approx((point - reach, point + reach))
    # Fieller: the roots of a quadratic in the turning point
    c = stats.t.ppf(0.975, df) ** 2
    ends = np.roots(
        [
            4 * (b[1] ** 2 - c * v[1, 1]),
            4 * (b[0] * b[1] - c * v[0, 1]),
            b[0] ** 2 - c * v[0, 0],
        ]
    )
    assert result.flat[0] == pytest.approx(sorted(ends))
    assert len(result.flat) == 1


def test_the_u_test_is_the_lesser_of_two_t_tests():
    frame = panel(2, spread=2.0)
    b, v, df = quadratic(frame)
    result = fit(frame, interval=(0.5, 2.5)).u_test
    t = []
    for end in (0.5, 2.5):
        w = np.array([1, 2 * end])
        t.append(w @ b[:2] / np.sqrt(w @ v[:2, :2] @ w))
    assert result.shape == "U" and (result.low, result.high) == (0.5, 2.5)
    assert result.stat == pytest.approx(min(-t[0], t[1]))
    assert result.pval == pytest.approx(max(stats.t.cdf(t[0], df), stats.t.sf(t[1], df)))


def test_shapes_are_told_apart():
    u, inverse = fit(panel(3)), fit(panel(3, b=(2.0, -1.0)))
    assert (u.u_test.shape, inverse.u_test.shape) == ("U", "inverse U")
    assert u.u_test.pval < 1e-6 and inverse.u_test.pval < 1e-6
    assert inverse.turning_points["kind"][1] == "maximum"
    # the vertex -2/2 lies left of the data: bent, but no U
    bent = fit(panel(3, b=(2.0, 1.0)))
    assert not bent.turning_points["in_range"][1]
    assert bent.u_test.pval > 0.5 and bent.u_test.stat < 0


def test_a_straight_line_has_no_bounded_fieller_set():
    results = [fit(panel(seed, b=(0.05, 0.0), spread=1.0)) for seed in range(8)]
    unbounded = [not np.isfinite(np.array(r.flat)).all() for r in results]
    # Fieller's set is unbounded exactly where the bend is insignificant
    assert unbounded == [r.terms["p_value"]["x^2"] > 0.05 for r in results]
    assert sum(unbounded) >= 6
    assert "unbounded" in results[unbounded.index(True)].summary


def test_a_cubic_turns_twice_and_its_errors_are_those_of_finite_differences():
    frame = panel(4, b=(4.0, -4.5, 1.0))  # slope 3x^2 - 9x + 4: turns at 0.5425 and 2.4575
    result = fit(frame, degree=3)
    assert list(result.turning_points["point"]) == pytest.approx([0.5425, 2.4575], abs=0.05)
    assert list(result.turning_points["kind"]) == ["maximum", "minimum"]
    assert result.u_test is None
    assert len(result.flat) == 2
    design = frame.assign(x2=frame["x"] ** 2, x3=frame["x"] ** 3)[["x", "x2", "x3", "w"]]
    fe, _ = panel_regression(frame["y"], design, "entity")
    b, v = fe.params.to_numpy()[:3], fe.cov.to_numpy()[:3, :3]

    def points(c):
        return np.sort(np.roots([3 * c[2], 2 * c[1], c[0]]))

    steps = [1e-6 * e for e in np.eye(3)]
    gradient = np.column_stack([(points(b + s) - points(b - s)) / 2e-6 for s in steps])
    expected = np.sqrt(np.diag(gradient @ v @ gradient.T))
    assert result.turning_points["std_error"].to_numpy() == pytest.approx(expected, rel=1e-6)


def test_a_monotone_cubic_says_so():
    result = fit(panel(5, b=(1.0, 0.0, 0.3)), degree=3)
    assert result.turning_points.empty
    assert "monotone" in result.summary


def test_fiellers_set_covers_where_the_bend_is_weak():
    """95 % sets over samples in which the delta method's interval is far too wide or narrow."""
    inside = []
    for seed in range(40):
        found = fit(panel(seed, b=(-0.4, 0.2), spread=2.0, n=40, t=4)).flat
        inside.append(any(low <= 1.0 <= high for low, high in found))
    # 40 trials: 95 % has a standard error of 3.4 points
    assert 0.84 < np.mean(inside) <= 1.0


def test_the_curve_starts_from_the_mean_of_x():
    frame = panel(6)
    result = fit(frame)
    mean = frame["x"].mean()
    b = result.terms["estimate"]
    x = result.curve["x"].to_numpy()
    assert (x[0], x[-1]) == (frame["x"].min(), frame["x"].max())
    value = b["x"] * (x - mean) + b["x^2"] * (x**2 - mean**2)
    assert result.curve["value"].to_numpy() == pytest.approx(value)
    width = result.curve["conf_high"] - result.curve["conf_low"]
    assert width.min() == pytest.approx(0, abs=0.05) and (width >= 0).all()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"degree": 4}, "degree=4"),
        ({"interval": (-1, 2)}, "take an interval within the data"),
        ({"interval": (2, 1)}, "take an interval within the data"),
        ({"effects": "both"}, "'both' is none of them"),
    ],
)
def test_options_are_refused_in_words(options, words):
    with pytest.raises(TandemError, match=words):
        fit(panel(7), **options)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.assign(x=(f["x"] > 1) * 1.0), r"'x\^2' is explained wholly"),
        (lambda f: f.assign(x=2.0), "'x' is constant"),
        (lambda f: f.assign(x="low"), "'x' holds text"),
        (lambda f: f.assign(w=f["x"]), "'w' is explained wholly"),
        (lambda f: f.loc[[1, 2]].groupby(level=0).head(2), "Only 4 complete rows"),
    ],
)
def test_what_cannot_be_estimated_is_refused_in_words(change, words):
    with pytest.raises(TandemError, match=words):
        fit(change(panel(8)))


def test_incomplete_rows_are_dropped_and_counted():
    frame = panel(9)
    frame.iloc[3, 0] = np.nan
    frame.iloc[4, 1] = np.inf
    assert fit(frame).facts["n_dropped"] == 2
    assert fit(frame).statistics["u_test_shape"] == "U"


@pytest.mark.parametrize("degree", [2, 3])
def test_curve_and_slope_have_the_bands_of_their_coefficients(degree):
    frame = panel(10, b=(-2.0, 1.0, 0.3)[:degree], spread=1.0)
    result = curve_regression(
        frame["y"], frame["x"], frame[["w"]], degree, effects="entity", level=0.9
    )
    x = frame["x"]
    powers = {name: x**p for p, name in enumerate(["x", "x^2", "x^3"][:degree], 1)}
    fe, facts = panel_regression(frame["y"], pd.DataFrame(powers).assign(w=frame["w"]), "entity")
    b, v = fe.params.to_numpy()[:degree], fe.cov.to_numpy()[:degree, :degree]
    grid = np.linspace(x.min(), x.max(), 101)
    assert result.curve["x"].to_numpy() == pytest.approx(grid)
    power = np.arange(1, degree + 1)
    for name, w in (
        ("value", grid[:, None] ** power - x.mean() ** power),
        ("slope", power * grid[:, None] ** (power - 1)),
    ):
        reach = stats.t.ppf(0.95, facts["t_df"]) * np.sqrt(np.diag(w @ v @ w.T))
        ends = {"value": ("conf_low", "conf_high"), "slope": ("slope_low", "slope_high")}[name]
        assert result.curve[name].to_numpy() == pytest.approx(w @ b)
        assert result.curve[ends[0]].to_numpy() == pytest.approx(w @ b - reach)
        assert result.curve[ends[1]].to_numpy() == pytest.approx(w @ b + reach)
    assert result.turning_points.index.tolist() == list(range(1, len(result.turning_points) + 1))
    assert result.facts["conf_level"] == 0.9 and result.facts["t_df"] == facts["t_df"] == 29
    assert result.facts["estimator"] == {2: "quadratic", 3: "cubic"}[degree]
    assert (result.facts["x_low"], result.facts["x_high"]) == (x.min(), x.max())
    assert (result.facts["n_obs"], result.facts["n_entities"]) == (240, 30)
    assert result.facts["r2_within"] == pytest.approx(fe.rsquared_within)


def test_what_is_not_given_is_said():
    frame = panel(11)
    plain = curve_regression(frame["y"], frame["x"])
    given = curve_regression(frame["y"], frame["x"], None, 2, "two-way", "clustered", None, 0.95)
    pd.testing.assert_frame_equal(plain.terms, given.terms)
    assert plain.statistics == given.statistics
    flat = plain.statistics
    assert flat["turning_1_point"] == plain.turning_points.loc[1, "point"]
    assert flat["u_test_stat"] == plain.u_test.stat
    assert f"t = {plain.u_test.stat:.3f}" in plain.summary
    low, high = plain.u_test.low, plain.u_test.high
    assert (low, high) == (frame["x"].min(), frame["x"].max())
    b = plain.terms["estimate"]
    for end, slope in ((low, plain.u_test.slope_low), (high, plain.u_test.slope_high)):
        assert slope == pytest.approx(b["x"] + 2 * b["x^2"] * end)
    classical = curve_regression(frame["y"], frame["x"], se="unadjusted")
    assert classical.facts["t_df"] == 240 - 2 - 30 - 7
