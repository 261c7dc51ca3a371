import numpy as np
import pandas as pd
import pytest

from tandem.errors import TandemError
from tandem.indices import (
    ANGLE_STAGES,
    GREY_STAGES,
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
