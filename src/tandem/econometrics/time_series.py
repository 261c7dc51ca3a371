"""The VAR of one entity's yearly series, with everything chosen said: statsmodels does the work."""

import warnings

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.tsa.api import VAR
from statsmodels.tsa.stattools import adfuller, kpss

from tandem.errors import TandemError


def unit_roots(data: pd.DataFrame) -> pd.DataFrame:
    """ADF (null: unit root) and KPSS (null: stationary) of each column, with a constant.

    Parameters
    ----------
    data : DataFrame (years, k)
        No gaps.

    Returns
    -------
    DataFrame
        Columns series, test, statistic, p_value, lags, n_obs. ADF lags by BIC up to 3; KPSS
        p-values are bounded to [0.01, 0.10] by its table.
    """
    rows = []
    for name in data:
        stat, p, used, n, *_ = adfuller(
            data[name], maxlag=3, regression="c", autolag="BIC", result_object=False
        )
        rows.append((name, "ADF", stat, p, used, n))
        with warnings.catch_warnings():
            # statsmodels warns when the p-value lies outside KPSS's printed table; the note says so
            warnings.simplefilter("ignore")
            stat, p, used, _ = kpss(data[name], regression="c", nlags="auto", result_object=False)
        rows.append((name, "KPSS", stat, p, used, len(data)))
    return pd.DataFrame(rows, columns=["series", "test", "statistic", "p_value", "lags", "n_obs"])


def fit_var(data: pd.DataFrame, max_lags: int):
    """VAR with a constant, its lag order chosen by BIC on one common sample.

    Parameters
    ----------
    data : DataFrame (years, k)
        Consecutive years, no missing value.
    max_lags : int
        Orders 1 to `max_lags` are compared.

    Returns
    -------
    result : statsmodels VARResults
    orders : DataFrame
        Index lags; columns aic, bic, hqic (smaller is better).

    Raises
    ------
    TandemError
        A gap in the years or too few years for the largest order.
    """
    years = data.index.to_numpy()
    if data.isna().any().any() or (np.diff(years) != 1).any():
        missing = sorted(set(range(years.min(), years.max() + 1)) - set(data.dropna().index))
        raise TandemError(
            f"A VAR needs consecutive years; {', '.join(map(str, missing))} is missing: shorten "
            "the years of models.var in the study or add the figures."
        )
    k = data.shape[1]
    # fewer leave the residuals of k equations a singular covariance
    if len(data) - max_lags < k * max_lags + 1 + k:
        raise TandemError(
            f"{len(data)} years are too few for a VAR of {k} series with {max_lags} lags; "
            "lower max_lags."
        )
    # statsmodels infers a frequency from dates only; plain positions keep it quiet and the same
    model = VAR(data.reset_index(drop=True))
    order = model.select_order(max_lags)
    table = pd.DataFrame({c: order.ics[c][1:] for c in ("aic", "bic", "hqic")})
    table.index = pd.RangeIndex(1, max_lags + 1, name="lags")
    chosen = int(table["bic"].idxmin())
    return model.fit(chosen, trend="c"), table


def granger(result) -> pd.DataFrame:
    """Granger F tests, each on each other: columns cause, effect, statistic, df, p_value.

    The denominator has the n - k degrees of freedom of the effect's equation, so that with one lag
    F is the squared t ratio; statsmodels counts those of all equations, which rejects more often.
    """
    rows = []
    for effect in result.names:
        for cause in result.names:
            if cause != effect:
                test = result.test_causality(effect, [cause], kind="f")
                df = int(test.df[0]), int(result.df_resid)
                p = stats.f.sf(test.test_statistic, *df)
                rows.append((cause, effect, test.test_statistic, f"{df[0]}, {df[1]}", p))
    return pd.DataFrame(rows, columns=["cause", "effect", "statistic", "df", "p_value"])


def impulse_responses(
    data: pd.DataFrame, lags: int, horizon: int, draws: int, seed
) -> pd.DataFrame:
    """Orthogonal impulse responses with Gaussian Monte Carlo bands (95 %, percentile).

    Parameters
    ----------
    data : DataFrame (years, k)
        In Cholesky order: a variable moves at once with those before it only.
    lags, horizon, draws : int
    seed : SeedSequence or int

    Returns
    -------
    DataFrame
        Columns impulse, response, horizon, estimate, conf_low, conf_high.
    """
    result = VAR(data.reset_index(drop=True)).fit(lags, trend="c")
    estimate = result.orth_ma_rep(horizon)
    rng = np.random.default_rng(seed)
    low, high = result.irf_errband_mc(orth=True, repl=draws, steps=horizon, signif=0.05, rng=rng)
    names = list(data.columns)
    rows = [
        (names[j], names[i], h, estimate[h, i, j], low[h, i, j], high[h, i, j])
        for i in range(len(names))
        for j in range(len(names))
        for h in range(horizon + 1)
    ]
    columns = ["impulse", "response", "horizon", "estimate", "conf_low", "conf_high"]
    return pd.DataFrame(rows, columns=columns)


def variance_decomposition(result, horizon: int) -> pd.DataFrame:
    """Forecast-error variance decomposition: columns response, impulse, horizon (1..), share."""
    shares = result.fevd(horizon).decomp
    names = list(result.names)
    rows = [
        (names[i], names[j], h + 1, shares[i, h, j])
        for i in range(len(names))
        for h in range(horizon)
        for j in range(len(names))
    ]
    return pd.DataFrame(rows, columns=["response", "impulse", "horizon", "share"])
