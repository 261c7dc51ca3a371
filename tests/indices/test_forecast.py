import numpy as np
import pandas as pd
import pytest

from tandem.errors import TandemError
from tandem.indices import (
    drift_forecast,
    forecast_accuracy,
    gm11,
    grey_check,
    naive_forecast,
    rolling_errors,
    trend_forecast,
)

D = np.array([0.3567, 0.37, 0.382, 0.3955, 0.409, 0.424])


def test_gm11():
    a, b, fitted, forecast = gm11(D, 2)
    np.testing.assert_allclose([a, b], [-0.034120, 0.351063], atol=1e-6)
    np.testing.assert_allclose(forecast, [0.438235, 0.453446], atol=1e-6)
    assert fitted.shape == D.shape and fitted[0] == D[0]
    np.testing.assert_allclose(fitted, D, rtol=0.01)


def test_gm11_keeps_years():
    model = gm11(pd.Series(D, index=pd.RangeIndex(2015, 2021, name="year"), name="D"), 2)
    assert model.fitted.index.tolist() == list(range(2015, 2021))
    assert model.forecast.index.tolist() == [2021, 2022]
    np.testing.assert_allclose(model.forecast, gm11(D, 2).forecast)


def test_gm11_of_a_constant_series_is_constant():
    model = gm11([0.4] * 5, 3)
    np.testing.assert_allclose(model.fitted, 0.4)
    np.testing.assert_allclose(model.forecast, 0.4)


def test_gm11_refuses_jumps_and_short_or_non_positive_series():
    jumpy = pd.Series([0.2, 0.21, 0.4, 0.42], index=pd.RangeIndex(2017, 2021, name="year"))
    with pytest.raises(TandemError, match=r"year 2019\) is 0.4: it jumps too far"):
        gm11(jumpy, 1)
    bound = np.exp(2 / 5)
    assert len(gm11(np.cumprod([1, bound - 1e-6, 1, 1]), 1).forecast) == 1
    with pytest.raises(TandemError, match="jumps too far"):
        gm11(np.cumprod([1, bound + 1e-6, 1, 1]), 1)
    with pytest.raises(TandemError, match="at least four periods, not 3"):
        gm11([0.2, 0.21, 0.22], 1)
    with pytest.raises(TandemError, match="above 0"):
        gm11([0.0, 0.2, 0.3, 0.4], 1)


def test_gm11_refuses_a_forecast_above_the_limit():
    rising = pd.Series(0.5 * 1.1 ** np.arange(6), pd.RangeIndex(2015, 2021, name="year"), name="D")
    assert gm11(rising, 1, limit=1).forecast.item() == pytest.approx(0.885, abs=5e-3)
    with pytest.raises(TandemError, match=r"D \(year 2023\) is 1.0\d+: the forecast is above 1"):
        gm11(rising, 5, limit=1)
    assert gm11(rising, 5).forecast.max() > 1


def test_gm11_does_not_depend_on_units_or_the_order_of_years():
    series = pd.Series(D, pd.RangeIndex(2015, 2021, name="year"), name="D")
    found = gm11(series, 2)
    turned = gm11(100 * series[::-1], 2)
    assert turned.a == pytest.approx(found.a)
    pd.testing.assert_series_equal(turned.forecast / 100, found.forecast)
    with pytest.raises(TandemError, match="D jumps from 2016 to 2018"):
        gm11(series.drop(2017), 2)


def test_grey_check_by_hand():
    # Spread sqrt(1.25) of 1, 2, 3, 4; residuals 0, 0.5, -0.5, 0 with spread sqrt(0.125).
    found = grey_check([1.0, 2, 3, 4], [1, 1.5, 3.5, 4])
    assert found.c == pytest.approx(np.sqrt(0.1))
    assert found.p == 1 and found.grade == "good"
    # Residuals 0, 1, -1, 0: both beyond 0.6745 * 1.118 = 0.754.
    found = grey_check([1.0, 2, 3, 4], [1.0, 1, 4, 4])
    assert found == (pytest.approx(np.sqrt(0.4)), 0.5, "failed")


@pytest.mark.parametrize(
    ("size", "grade"),
    [(0.34, "good"), (0.49, "qualified"), (0.64, "barely qualified"), (0.66, "failed")],
)
def test_grades_follow_c(size, grade):
    x = np.tile([1.0, 3.0], 10)  # spread 1; errors of +-size are all within 0.6745
    found = grey_check(x, x + size * np.repeat([1, -1], 10))
    assert found == (pytest.approx(size), 1, grade)


def test_grey_check_of_the_golden_series():
    series = pd.Series(D, pd.RangeIndex(2015, 2021))
    found = grey_check(series, gm11(series, 1).fitted[::-1])
    assert found.grade == "good" and found.c < 0.05
    with pytest.raises(TandemError, match="6 periods, the fit 5"):
        grey_check(D, D[1:])
    with pytest.raises(TandemError, match="All values are the same"):
        grey_check(np.ones(4), np.ones(4))


def test_simple_forecasts_by_hand():
    x = pd.Series([1.0, 2, 4, 7], pd.RangeIndex(2015, 2019, name="year"), name="D")
    assert naive_forecast(x, 2).to_dict() == {2019: 7, 2020: 7}
    assert drift_forecast(x, 2).to_dict() == {2019: 9, 2020: 11}
    # Slope (-1.5 * 1 - 0.5 * 2 + 0.5 * 4 + 1.5 * 7) / 5 = 2 through (1.5, 3.5).
    np.testing.assert_allclose(trend_forecast(x, 2), [8.5, 10.5])
    for model in (naive_forecast, drift_forecast, trend_forecast):
        turned = model(x[::-1], 2)
        assert turned.index.name == "year" and turned.name == "D"
        np.testing.assert_allclose(turned, model(x.to_numpy(), 2))


def test_rolling_errors_use_earlier_periods_alone():
    rng = np.random.default_rng(np.random.SeedSequence(6))
    series = pd.Series(rng.uniform(0.4, 0.45, 9), pd.RangeIndex(2010, 2019, name="year"), name="D")
    found = rolling_errors(series, 4, ahead=2)
    assert found.index.tolist() == [2015, 2016, 2017, 2018]
    assert list(found) == ["gm11", "naive", "drift", "trend"]
    assert found.loc[2017, "naive"] == pytest.approx(series[2017] - series[2015])
    early = series.loc[:2015]
    assert found.loc[2017, "gm11"] == pytest.approx(series[2017] - gm11(early, 2).forecast[2017])
    changed = series.copy()
    changed[2018] = 0.41
    pd.testing.assert_frame_equal(rolling_errors(changed, 4, 2)[:-1], found[:-1])
    np.testing.assert_allclose(rolling_errors(series[::-1].to_numpy()[::-1], 4, 2), found)
    pd.testing.assert_frame_equal(rolling_errors(series[::-1], 4, 2), found)


def test_each_model_is_best_on_its_own_series():
    line = forecast_accuracy(rolling_errors(0.4 + 0.01 * np.arange(10), 4))
    np.testing.assert_allclose(line.loc[["drift", "trend"], "mae"], 0, atol=1e-12)
    np.testing.assert_allclose(line.loc["naive", ["mae", "rmse", "relative"]], [0.01, 0.01, 1])
    assert line["n"].tolist() == [6] * 4
    growth = forecast_accuracy(rolling_errors(0.4 * 1.1 ** np.arange(10), 4))
    assert growth["mae"].idxmin() == "gm11"
    assert growth.loc["gm11", "relative"] < 0.1


def test_accuracy_by_hand():
    errors = pd.DataFrame({"naive": [1.0, -3.0], "drift": [2.0, 0.0]})
    found = forecast_accuracy(errors)
    np.testing.assert_allclose(found["mae"], [2, 1])
    np.testing.assert_allclose(found["rmse"], [np.sqrt(5), np.sqrt(2)])
    np.testing.assert_allclose(found["relative"], [1, 0.5])


def test_forecasts_refuse():
    with pytest.raises(TandemError, match="at least 2 periods, not 1"):
        drift_forecast([1.0], 1)
    with pytest.raises(TandemError, match="is missing"):
        naive_forecast([1.0, np.nan], 1)
    with pytest.raises(TandemError, match="at least 7 periods, not 6"):
        rolling_errors(D, 6)
    with pytest.raises(TandemError, match="jumps too far"):
        rolling_errors([0.2, 0.21, 0.4, 0.42, 0.44, 0.45], 4)
    with pytest.raises(TandemError, match="at least four periods, not 3"):
        rolling_errors(D, 3)


@pytest.mark.parametrize(
    ("large", "grade"),
    [
        (4, "good"), (6, "qualified"), (20, "qualified"), (22, "barely qualified"),
        (30, "barely qualified"), (32, "failed"),
    ],
)  # fmt: skip
def test_grades_follow_p(large, grade):
    x = np.tile([1.0, 3.0], 50)  # spread 1; so many of 100 errors are beyond 0.6745
    error = np.zeros(100)
    error[:large] = np.tile([0.7, -0.7], large // 2)
    found = grey_check(x, x - error)
    assert found == (pytest.approx(0.07 * np.sqrt(large)), pytest.approx(1 - large / 100), grade)
