"""Short-run forecasts of a yearly series: the grey model and the simple ones it must beat."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import exprel

from tandem.errors import TandemError
from tandem.indices._inputs import complete, refuse

# Smallest share P and largest ratio C of each grade (Deng; from memory), best first.
GREY_GRADES = (("good", 0.95, 0.35), ("qualified", 0.8, 0.5), ("barely qualified", 0.7, 0.65))


class GreyForecast(NamedTuple):
    """Parameters, fitted values and forecasts of a GM(1,1) model."""

    a: float
    b: float
    fitted: np.ndarray | pd.Series
    forecast: np.ndarray | pd.Series


class GreyCheck(NamedTuple):
    """Posterior error ratio C, small error probability P, and the grade of both."""

    c: float
    p: float
    grade: str


def gm11(x: np.ndarray | pd.Series, ahead: int, limit: float | None = None) -> GreyForecast:
    """Grey model GM(1,1) of a short positive series.

    ``x_t + a z_t = b`` by least squares, z the mean of neighbouring cumulated sums; the response
    is ``x_t = (b - a x_0) (e^a - 1) / a e^(-a t)`` (Deng 1982, Systems & Control Letters
    1(5):288-294). Growth is exponential, so a bounded score needs a `limit`.

    Parameters
    ----------
    x : array (n,) or Series
        At least four values above 0, none missing; a Series has consecutive years as index, in
        any order.
    ahead : int
        Periods to forecast.
    limit : float, optional
        Largest value that makes sense, 1 for the coordination degree.

    Returns
    -------
    GreyForecast
        a, b, fitted (n,), forecast (ahead,).

    Raises
    ------
    TandemError
        On fewer than four values, a missing value or one of 0 or less, years with a gap, a level
        ratio ``x_{t-1} / x_t`` outside ``(e^(-2/(n+1)), e^(2/(n+1)))``, or a forecast above
        `limit`, which is never clipped.
    """
    x = _in_order(x)
    values = complete(x, "GM(1,1) needs every period, so fill it or shorten the series")
    refuse(values <= 0, x, "GM(1,1) needs values above 0")
    n = len(values)
    if n < 4:
        raise TandemError(f"GM(1,1) needs at least four periods, not {n}.")
    jump = np.abs(np.log(values[1:] / values[:-1])) >= 2 / (n + 1)
    advice = "it jumps too far from the period before for GM(1,1), so use another forecast"
    refuse(np.concatenate([[False], jump]), x, advice)
    total = values.cumsum()
    design = np.column_stack([-(total[1:] + total[:-1]) / 2, np.ones(n - 1)])
    a, b = np.linalg.lstsq(design, values[1:])[0]
    steps = np.arange(1, n + ahead)
    response = (b - a * values[0]) * exprel(a) * np.exp(-a * steps)
    fitted, forecast = np.concatenate([values[:1], response[: n - 1]]), response[n - 1 :]
    if isinstance(x, pd.Series):
        fitted = pd.Series(fitted, index=x.index, name=x.name)
    forecast = _ahead(forecast, x)
    if limit is not None:
        advice = f"the forecast is above {limit}, so forecast fewer periods or use another model"
        refuse(np.asarray(forecast) > limit, forecast, advice)
    return GreyForecast(float(a), float(b), fitted, forecast)


def grey_check(x: np.ndarray | pd.Series, fitted: np.ndarray | pd.Series) -> GreyCheck:
    """Posterior check of a grey model.

    ``C = s_e / s_x``, the standard deviations of residuals and values, and P the share of
    residuals within ``0.6745 s_x`` of their mean; both over all periods, also the first, which
    GM(1,1) fits exactly (Deng; from memory). The grades are lenient: C of 0.35 means that 88 % of
    the variance is explained, in sample.

    Parameters
    ----------
    x, fitted : array (n,) or Series
        Series are matched by year.

    Returns
    -------
    GreyCheck
        grade: good, qualified, barely qualified, or failed.

    Raises
    ------
    TandemError
        On a missing value, other lengths, or values that are all the same.
    """
    if isinstance(x, pd.Series) and isinstance(fitted, pd.Series):
        fitted = fitted.reindex(x.index)
    values = complete(x, "fill it or shorten the series")
    found = complete(fitted, "the fit must cover every period of the series")
    if values.shape != found.shape:
        raise TandemError(f"The series has {values.size} periods, the fit {found.size}.")
    spread = values.std()
    if np.ptp(values) == 0:
        raise TandemError("All values are the same, so there is no variance to explain.")
    error = values - found
    c = float(error.std() / spread)
    p = float((np.abs(error - error.mean()) < 0.6745 * spread).mean())
    grades = [grade for grade, least, most in GREY_GRADES if p >= least and c <= most]
    return GreyCheck(c, p, grades[0] if grades else "failed")


def naive_forecast(x: np.ndarray | pd.Series, ahead: int) -> np.ndarray | pd.Series:
    """The last value, for every period ahead.

    Parameters
    ----------
    x : array (n,) or Series
        Without gaps; a Series has consecutive years as index, in any order.
    ahead : int

    Returns
    -------
    array or Series (ahead,)

    Raises
    ------
    TandemError
        On a missing value, a gap between years, or too few periods.
    """
    x, values = _series(x, 1)
    return _ahead(np.repeat(values[-1], ahead), x)


def drift_forecast(x: np.ndarray | pd.Series, ahead: int) -> np.ndarray | pd.Series:
    """The last value and the mean yearly change, ``x_n + h (x_n - x_1) / (n - 1)``.

    Hyndman and Athanasopoulos (2021, Forecasting: Principles and Practice, 5.2). Arguments and
    errors as `naive_forecast`.
    """
    x, values = _series(x, 2)
    slope = (values[-1] - values[0]) / (len(values) - 1)
    return _ahead(values[-1] + slope * np.arange(1, ahead + 1), x)


def trend_forecast(x: np.ndarray | pd.Series, ahead: int) -> np.ndarray | pd.Series:
    """The straight line fitted by least squares, carried on.

    Arguments and errors as `naive_forecast`.
    """
    x, values = _series(x, 2)
    n = len(values)
    years = np.arange(n) - (n - 1) / 2
    slope = years @ values / (years @ years)
    return _ahead(values.mean() + slope * (np.arange(n, n + ahead) - (n - 1) / 2), x)


FORECASTS = {
    "gm11": lambda x, ahead: gm11(x, ahead).forecast,
    "naive": naive_forecast,
    "drift": drift_forecast,
    "trend": trend_forecast,
}


def rolling_errors(x: np.ndarray | pd.Series, first: int, ahead: int = 1) -> pd.DataFrame:
    """Errors of every model when each period is forecast from those before it alone.

    Parameters
    ----------
    x : array (n,) or Series
        As `gm11`.
    first : int
        Periods in the first sample, at least four.
    ahead : int
        Distance of the forecast.

    Returns
    -------
    DataFrame (n - first - ahead + 1, 4)
        Value less forecast; rows the periods forecast (years of a Series, else positions), columns
        gm11, naive, drift, trend.

    Raises
    ------
    TandemError
        As `gm11` on any of the samples, so that all models are judged on the same periods; or if
        no period is left to forecast.
    """
    x, values = _series(x, first + ahead)
    periods = x.index if isinstance(x, pd.Series) else pd.RangeIndex(len(values))
    rows = x.iloc if isinstance(x, pd.Series) else x
    errors = {}
    for origin in range(first, len(values) - ahead + 1):
        last = origin + ahead - 1
        errors[periods[last]] = {
            name: values[last] - np.asarray(model(rows[:origin], ahead))[-1]
            for name, model in FORECASTS.items()
        }
    return pd.DataFrame.from_dict(errors, orient="index").rename_axis(periods.name)


def forecast_accuracy(errors: pd.DataFrame) -> pd.DataFrame:
    """Mean absolute and root mean square error of each model, and its MAE over the naive one's.

    Parameters
    ----------
    errors : DataFrame (periods, models)
        From `rolling_errors`, with a column naive.

    Returns
    -------
    DataFrame (models, 4)
        mae, rmse, relative (below 1 is better than naive; infinite, or missing if both are 0,
        where the naive forecast has no error), n.
    """
    size = errors.abs()
    mae = size.mean()
    found = {"mae": mae, "rmse": np.sqrt((errors**2).mean()), "relative": mae / mae["naive"]}
    return pd.DataFrame(found).assign(n=len(errors))


def _in_order(x):
    """A Series in order of its years, which must be consecutive; anything else as an array."""
    if not isinstance(x, pd.Series):
        return np.asarray(x)
    x = x.sort_index()
    gap = np.flatnonzero(np.diff(x.index.to_numpy()) != 1)
    if gap.size:
        raise TandemError(
            f"{x.name or 'The series'} jumps from {x.index[gap[0]]} to {x.index[gap[0] + 1]}: fill "
            "the years between or shorten the period."
        )
    return x


def _series(x, least: int):
    x = _in_order(x)
    values = complete(x, "a forecast needs every period, so fill it or shorten the series")
    if len(values) < least:
        raise TandemError(f"This forecast needs at least {least} periods, not {len(values)}.")
    return x, values


def _ahead(values: np.ndarray, x):
    if not isinstance(x, pd.Series):
        return values
    years = pd.RangeIndex(1, len(values) + 1, name=x.index.name) + x.index[-1]
    return pd.Series(values, index=years, name=x.name)
