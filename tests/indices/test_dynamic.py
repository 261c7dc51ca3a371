import numpy as np
import pandas as pd
import pytest

from tandem.errors import TandemError
from tandem.indices import (
    ANGLE_STAGES,
    GREY_STAGES,
    angle_bands,
    classify,
    dynamic_coupling,
    grey_relational,
    velocity,
)

U1 = np.array([0.10, 0.14, 0.20, 0.28, 0.38, 0.50])
U2 = np.array([0.30, 0.36, 0.40, 0.42, 0.42, 0.40])
ANGLES = [23.1986, 45, 66.8014, 83.6598, 95.1944, 102.9946]


def test_velocities_of_a_quadratic():
    np.testing.assert_allclose(velocity(U1), [0.03, 0.05, 0.07, 0.09, 0.11, 0.13], atol=1e-12)
    np.testing.assert_allclose(velocity(U2), [0.07, 0.05, 0.03, 0.01, -0.01, -0.03], atol=1e-12)


def test_angle_keeps_the_quadrant():
    angle = dynamic_coupling(U1, U2)
    np.testing.assert_allclose(angle, ANGLES, atol=1e-4)
    without_quadrant = np.degrees(np.arctan(velocity(U1) / velocity(U2)))
    np.testing.assert_allclose(without_quadrant[-2:], [-84.8, -77.0], atol=0.05)
    stages = classify(angle[[0, -1]], ANGLE_STAGES.cuts, ANGLE_STAGES.labels)
    assert stages.tolist() == ["coordinated development", "limit development"]


def test_angle_stages_cover_the_circle():
    stages = classify([-180, -90, -89, 0, 1, 90, 91, 180], ANGLE_STAGES.cuts, ANGLE_STAGES.labels)
    assert stages.tolist() == [label for label in ANGLE_STAGES.labels for _ in range(2)]


def test_velocity_agrees_with_polyfit():
    u, t = np.random.default_rng(0).random((4, 9)), np.arange(9)
    for row, found in zip(u, velocity(u, degree=3), strict=True):
        expected = np.polyval(np.polyder(np.polyfit(t, row, 3)), t)
        np.testing.assert_allclose(found, expected, atol=1e-10)


def test_panel_is_fitted_entity_by_entity():
    index = pd.MultiIndex.from_product([["A", "B"], range(2015, 2021)], names=["entity", "year"])
    first = pd.Series(np.concatenate([U1, U2]), index)
    second = pd.Series(np.concatenate([U2, U2]), index)
    angle = dynamic_coupling(first, second)
    assert angle.index.equals(index)
    np.testing.assert_allclose(angle["A"], ANGLES, atol=1e-4)
    np.testing.assert_allclose(angle["B"], [45, 45, 45, 45, -135, -135])
    with pytest.raises(TandemError, match=r"2016 \(entity A\) is missing"):
        velocity(first.drop(("A", 2016)))
    with pytest.raises(TandemError, match="jumps from 2015 to 2017"):
        velocity(first.drop(2016, level="year"))
    with pytest.raises(TandemError, match="same entities and years"):
        dynamic_coupling(first, second[::-1])


def test_velocity_needs_enough_years():
    with pytest.raises(TandemError, match="more than 2 years, not 2"):
        velocity([0.1, 0.2])


def noisy():
    rng = np.random.default_rng(np.random.SeedSequence(8))
    index = pd.MultiIndex.from_product([["A", "B"], range(2010, 2020)], names=["entity", "year"])
    t = np.tile(np.arange(10), 2)
    one = pd.Series(0.2 + 0.03 * t + rng.normal(0, 0.01, 20), index)
    return one, pd.Series(0.3 + 0.01 * t + rng.normal(0, 0.01, 20), index)


def test_angle_bands_close_on_exact_polynomials():
    low, high = angle_bands(U1, U2, 99, 1)
    np.testing.assert_allclose([low, high], [ANGLES, ANGLES], atol=1e-4)


def test_angle_bands_hold_the_angle_and_ignore_rows_and_units():
    one, two = noisy()
    angle = dynamic_coupling(one, two)
    low, high = angle_bands(one, two, 499, 1)
    assert low.index.equals(one.index) and low.name == "low"
    assert ((low < angle) & (angle < high)).all()
    # Wider coverage and a higher degree both widen the band.
    wide = angle_bands(one, two, 499, 1, level=0.99)
    assert (wide[1] - wide[0] >= high - low).all()
    curved = angle_bands(one, two, 499, 1, degree=3)
    assert (curved[1] - curved[0]).mean() > (high - low).mean()
    order = np.random.default_rng(0).permutation(20)
    turned = angle_bands(5 * one.iloc[order], 5 * two.iloc[order], 499, 1)
    pd.testing.assert_series_equal(turned[0].loc[low.index], low)
    arrays = angle_bands(one.to_numpy().reshape(2, 10), two.to_numpy().reshape(2, 10), 499, 1)
    np.testing.assert_allclose(arrays[1].ravel(), high)
    alone = angle_bands(one["B"], two["B"], 499, 1)
    np.testing.assert_allclose(alone[0], low["B"])


def test_angle_bands_are_those_of_curves_fitted_to_resampled_series():
    # A skewed residual tells a draw added to the fit from one subtracted.
    one, two = U1 + [0.08, 0, 0, 0, 0, 0], U2 + [0, 0, 0, 0.06, 0, 0]
    t = np.arange(6)
    turns = []
    for years in np.random.default_rng(1).integers(6, size=(99, 6)):
        drawn = []
        for u in (one, two):
            fit = np.polyval(np.polyfit(t, u, 2), t)
            drawn.append(fit + np.sqrt(6 / 3) * (u - fit)[years])
        turns.append(dynamic_coupling(*drawn) - dynamic_coupling(one, two))
    turns = np.mod(np.array(turns) + 180, 360) - 180
    expected = dynamic_coupling(one, two) + np.quantile(turns, [0.025, 0.975], axis=0)
    np.testing.assert_allclose(angle_bands(one, two, 99, 1), expected, atol=1e-8)


def test_angle_bands_cover_the_true_angle_of_two_straight_lines():
    rng = np.random.default_rng(np.random.SeedSequence(9))
    t = np.arange(20)
    one, two = ([0.03 * t] + rng.normal(0, 0.02, (200, 20)) for _ in range(2))
    low, high = angle_bands(one, two, 499, 1, degree=1)
    covered = ((low <= 45) & (45 <= high)).mean()
    assert 0.88 < covered < 0.98


def test_angle_bands_cross_the_line_behind():
    # Velocities (0, -1): the angle is 180 and its band reaches beyond.
    t, shake = np.arange(8.0), 0.05 * np.array([1, -1, -1, 1, 1, -1, -1, 1])
    low, high = angle_bands(shake, 5 - t + shake[::-1], 199, 1, degree=1)
    assert (high - low < 20).all()


def test_angle_bands_need_residuals():
    with pytest.raises(TandemError, match="leaves no residuals in 3 years"):
        angle_bands(U1[:3], U2[:3], 9, 1)


def test_grey_relational():
    reference = pd.DataFrame({"x": [0.1, 0.3, 0.5, 0.9]})
    others = pd.DataFrame({"near": [0.2, 0.3, 0.6, 0.8], "far": [0.9, 0.7, 0.4, 0.1]})
    xi, gamma, coupling = grey_relational(reference, others)
    np.testing.assert_allclose(xi[:, 0, 0], [0.8, 1, 0.8, 0.8], atol=1e-6)
    np.testing.assert_allclose(xi[:, 0, 1], [0.333333, 0.5, 0.8, 0.333333], atol=1e-6)
    np.testing.assert_allclose(gamma.loc["x", ["near", "far"]], [0.85, 0.491667], atol=1e-6)
    np.testing.assert_allclose(coupling, xi.mean(axis=(1, 2)))
    assert coupling.index.equals(reference.index)
    strength = classify(gamma.loc["x"], GREY_STAGES.cuts, GREY_STAGES.labels)
    assert strength.tolist() == ["fairly strong", "medium"]


def test_grey_floor_and_identical_series():
    rng = np.random.default_rng(1)
    x = rng.random((8, 2))
    xi, _, _ = grey_relational(x, np.column_stack([x[:, 0], rng.random(8)]))
    assert xi.min() == pytest.approx(1 / 3)
    assert (grey_relational(np.ones((3, 1)), np.ones((3, 2)))[0] == 1).all()


def test_grey_refuses_missing_and_unequal_years():
    with pytest.raises(TandemError, match="is missing"):
        grey_relational(np.array([[np.nan]]), np.array([[1.0]]))
    with pytest.raises(TandemError, match="3 and 2 years"):
        grey_relational(np.ones((3, 1)), np.ones((2, 1)))


def test_grey_relations_do_not_depend_on_the_order_of_years_or_indicators():
    rng = np.random.default_rng(np.random.SeedSequence(7))
    x = pd.DataFrame(rng.random((6, 2)), columns=["a", "b"])
    y = pd.DataFrame(rng.random((6, 3)), columns=["c", "d", "e"])
    _, gamma, coupling = grey_relational(x, y)
    _, turned, other = grey_relational(x.iloc[::-1, ::-1], y.iloc[::-1, ::-1])
    pd.testing.assert_frame_equal(turned.loc[gamma.index, gamma.columns], gamma)
    pd.testing.assert_series_equal(other[::-1], coupling)


def test_stages_of_grey_relations():
    values = [0.1, 0.35, 0.36, 0.65, 0.66, 0.85, 0.86, 1.0]
    stages = classify(values, GREY_STAGES.cuts, GREY_STAGES.labels)
    assert stages.tolist() == [label for label in GREY_STAGES.labels for _ in range(2)]
