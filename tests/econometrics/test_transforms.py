import numpy as np
import pytest

from tandem.econometrics import first_difference, forward_orthogonal
from tandem.econometrics.transforms import lag

NAN = np.nan


def test_forward_orthogonal_deviations_of_a_known_series():
    result = forward_orthogonal(np.array([1.0, 2, 4, 8]))
    assert result == pytest.approx([-3.175426, -3.265986, -2.828427, NAN], abs=1e-6, nan_ok=True)


def test_forward_orthogonal_skips_missing_years():
    full = forward_orthogonal(np.array([1.0, 4, 8]))
    gap = forward_orthogonal(np.array([NAN, 1, NAN, 4, NAN, 8, NAN]))
    assert gap[[1, 3]] == pytest.approx(full[:2])
    assert np.isnan(gap[[0, 2, 4, 5, 6]]).all()


def test_first_difference_does_not_reach_over_a_gap():
    result = first_difference(np.array([[1.0, 3, NAN, 4, 9]]))
    assert result == pytest.approx(np.array([[NAN, 2, NAN, NAN, 5]]), nan_ok=True)


def test_forward_orthogonal_is_an_orthonormal_map_that_removes_the_mean():
    matrix = forward_orthogonal(np.eye(6)).T[:-1]
    assert matrix @ matrix.T == pytest.approx(np.eye(5), abs=1e-12)
    assert matrix @ np.ones(6) == pytest.approx(np.zeros(5), abs=1e-12)


def test_lags_move_values_to_later_years():
    values = np.arange(8.0).reshape(2, 4)
    assert lag(values, 1) == pytest.approx(np.array([[NAN, 0, 1, 2], [NAN, 4, 5, 6]]), nan_ok=True)
    assert lag(values, 3)[:, 3].tolist() == [0, 4] and np.isnan(lag(values, 3)[:, :3]).all()
