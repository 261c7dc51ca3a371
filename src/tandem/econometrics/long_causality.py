"""Causality between a few series of one entity: Toda-Yamamoto, by frequency, bounds."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from tandem.econometrics.in_text import in_text
from tandem.econometrics.panel_arrays import check_numbers
from tandem.errors import TandemError


@dataclass(frozen=True)
class TodaYamamoto:
    """Wald statistic with its chi-square and bootstrap p-values, and the sum of the tested lags.

    Attributes
    ----------
    stat, pval, bootstrap_p : float
    df, lags, extra, n_obs : int
    estimate, std_error : float
        Sum of the tested coefficients, in units of the effect for one of the cause.
    critical : float
        The bootstrap's 95 % quantile of the sum's absolute t ratio under the null; NaN without it.
    """

    stat: float
    df: int
    pval: float
    bootstrap_p: float
    lags: int
    extra: int
    n_obs: int
    estimate: float
    std_error: float
    critical: float
    summary = property(in_text)


def toda_yamamoto(
    data: pd.DataFrame,
    cause: str,
    effect: str,
    lags: int = 1,
    extra: int = 1,
    draws: int = 999,
    seed=1,
) -> TodaYamamoto:
    """Wald test of causality in levels, whatever their order of integration up to `extra`.

    A VAR with ``lags + extra`` lags and a constant; the first `lags` lags of the cause are tested
    in the effect's equation, the extra ones are not, which keeps the chi-square limit.

    Parameters
    ----------
    data : DataFrame (years, K)
        Consecutive years without a gap.
    lags, extra : int
        Lags of interest; the largest order of integration.
    draws : int
        Resamples under the null, with residuals divided by ``sqrt(1 - leverage)`` (Hacker &
        Hatemi-J 2006, Applied Economics 38, 1489-1500); 0 for none. With few years the chi-square
        rejects too often.
    seed : int, sequence of int or SeedSequence

    Raises
    ------
    TandemError
        A gap, an unknown name, or too few years for the lags.

    References
    ----------
    Toda & Yamamoto (1995), Journal of Econometrics 66, 225-250.
    """
    values, names = _standardised(data, (cause, effect))
    k, p = len(names), lags + extra
    if lags < 1 or extra < 0:
        raise TandemError(f"Toda-Yamamoto has at least one lag; {lags} and {extra} were given.")
    if len(values) - p <= k * p + 2:
        raise TandemError(
            f"{len(values)} years are too few for {p} lags of {k} series: each equation has "
            f"{1 + k * p} coefficients."
        )
    y, z = values[p:], lagged(values[None], p)[0]
    e, c = names.index(effect), names.index(cause)
    tested = [1 + j * k + c for j in range(lags)]
    stat, total, error = (float(a[0]) for a in wald_and_sum(y[None, :, e], z[None], tested))
    bootstrap_p = critical = np.nan
    if draws:
        rng = np.random.default_rng(seed)
        kept = [[j for j in range(z.shape[1]) if i != e or j not in tested] for i in range(k)]
        built = under_null(values, kept, p, draws, rng)
        drawn, sums, errors = wald_and_sum(built[:, p:, e], lagged(built, p), tested)
        bootstrap_p = float((1 + (drawn >= stat).sum()) / (1 + draws))
        critical = float(np.quantile(np.abs(sums / errors), 0.95))
    unit = data[effect].std(ddof=0) / data[cause].std(ddof=0)
    return TodaYamamoto(
        stat,
        lags,
        float(stats.chi2.sf(stat, lags)),
        bootstrap_p,
        lags,
        extra,
        len(y),
        float(total * unit),
        float(error * unit),
        critical,
    )


def frequency_causality(
    data: pd.DataFrame, cause: str, effect: str, lags: int = 3, points: int = 50
) -> pd.DataFrame:
    """Test causality at each frequency (Breitung & Candelon 2006).

    At frequency w the lags' coefficients b satisfy ``sum b_k cos(k w) = sum b_k sin(k w) = 0``.

    Parameters
    ----------
    data : DataFrame (years, K)
        Stationary series, consecutive years.
    lags : int
        At least 3: with two lags both restrictions take all coefficients at every frequency.
    points : int

    Returns
    -------
    DataFrame (points,)
        frequency (0 to pi), years (length of the cycle), stat (F with 2 degrees of freedom in the
        numerator), df, p_value.

    References
    ----------
    Breitung & Candelon (2006), Journal of Econometrics 132, 363-378.
    """
    if lags < 3:
        raise TandemError(f"Causality by frequency needs at least 3 lags; {lags} was given.")
    values, names = _standardised(data, (cause, effect))
    df = len(values) - lags - 1 - lags * len(names)
    if df < 1:
        raise TandemError(
            f"{len(values)} years are too few for {lags} lags of {len(names)} series."
        )
    y, z = values[lags:, names.index(effect)], lagged(values[None], lags)[0]
    b, _, rank, _ = np.linalg.lstsq(z, y, rcond=None)
    e = y - z @ b
    cov = np.linalg.inv(z.T @ z) * (e @ e / df)
    place = [1 + j * len(names) + names.index(cause) for j in range(lags)]
    steps = np.arange(1, lags + 1)
    rows = []
    for w in np.linspace(0, np.pi, points + 2)[1:-1]:
        r = np.zeros((2, len(b)))
        r[:, place] = np.cos(steps * w), np.sin(steps * w)
        f = float((r @ b) @ np.linalg.solve(r @ cov @ r.T, r @ b)) / 2
        rows.append((w, 2 * np.pi / w, f, f"2, {df}", stats.f.sf(f, 2, df)))
    return pd.DataFrame(rows, columns=["frequency", "years", "stat", "df", "p_value"])


def bounds_test(data: pd.DataFrame, cause: str, effect: str, lags: int = 1) -> pd.DataFrame:
    """Is there a level relation, whether the series are I(0) or I(1)? (Pesaran, Shin & Smith 2001)

    An unrestricted error correction model of the effect with `lags` lags of both and an
    unrestricted constant (case 3), by statsmodels; its p-values are simulated for many years, with
    twenty the true ones are larger (Narayan 2005).

    Returns
    -------
    DataFrame (3,)
        Rows 10 %, 5 %, 1 %: statistic, lower, upper (critical values), verdict: "level relation"
        above the upper bound, "none" below the lower, "undecided" between; p_lower, p_upper.
    """
    from statsmodels.tsa.ardl import UECM

    values, names = _standardised(data, (cause, effect))
    frame = pd.DataFrame(values, columns=names)
    if len(frame) < 3 * (2 * lags + 3):
        raise TandemError(
            f"{len(frame)} years are too few for a bounds test with {lags} lag(s); it needs "
            f"{3 * (2 * lags + 3)}."
        )
    model = UECM(frame[effect], lags, frame[[cause]], lags, trend="c")
    test = model.fit().bounds_test(case=3, cov_type="nonrobust", use_t=True, asymptotic=True)
    table = test.critical_values.loc[[90.0, 95.0, 99.0]]
    stat = float(test.statistic)
    words = [
        "level relation" if stat > high else "none" if stat < low else "undecided"
        for low, high in table.to_numpy()
    ]
    return pd.DataFrame(
        {
            "statistic": stat,
            "lower": table["lower"].to_numpy(),
            "upper": table["upper"].to_numpy(),
            "verdict": words,
            "p_lower": float(test.pvalue["lower"]),
            "p_upper": float(test.pvalue["upper"]),
        },
        index=pd.Index(["10 %", "5 %", "1 %"], name="level"),
    )


def checked_series(data: pd.DataFrame) -> np.ndarray:
    """Values (T, K) of consecutive years; a gap, a constant or a collinear series is refused."""
    if len(data) < 2:
        raise TandemError("The series have fewer than two years.")
    if data.isna().any(axis=None) or (np.diff(np.asarray(data.index)) != 1).any():
        raise TandemError("The series need a value in each of consecutive years.")
    for name in data:
        check_numbers(data[name])
    values = data.to_numpy(float)
    spread = values.std(axis=0)
    if (spread == 0).any():
        raise TandemError("A series is constant; leave it out.")
    if np.linalg.matrix_rank((values - values.mean(axis=0)) / spread) < values.shape[1]:
        names = ", ".join(map(str, data.columns))
        raise TandemError(f"The series {names} are collinear; leave one out.")
    return values


def _standardised(data: pd.DataFrame, wanted: tuple) -> tuple[np.ndarray, list[str]]:
    """Standardised values (T, K), the statistics do not depend on units, and names."""
    names = [str(c) for c in data.columns]
    if unknown := [w for w in wanted if w not in names]:
        raise TandemError(f"'{unknown[0]}' is not among {', '.join(names)}.")
    if wanted[0] == wanted[1]:
        raise TandemError("Cause and effect are one series.")
    values = checked_series(data)
    return (values - values.mean(axis=0)) / values.std(axis=0), names


def lagged(values: np.ndarray, p: int) -> np.ndarray:
    """Constant and lags 1 to p of all series (draws, T - p, 1 + K p) out of (draws, T, K)."""
    draws, t, _ = values.shape
    past = [values[:, p - j : t - j] for j in range(1, p + 1)]
    return np.concatenate([np.ones((draws, t - p, 1)), *past], axis=2)


def wald_and_sum(y: np.ndarray, z: np.ndarray, tested: list[int]) -> tuple[np.ndarray, ...]:
    """Least squares of y (draws, n) on z (draws, n, k), divisor n - k.

    Returns
    -------
    stat : array (draws,)
        Wald statistic that the tested coefficients are zero.
    total, std_error : array (draws,)
        Their sum.
    """
    turned = z.transpose(0, 2, 1)
    inverse = np.linalg.inv(turned @ z)
    b = inverse @ (turned @ y[..., None])
    e = y - (z @ b)[..., 0]
    s2 = (e**2).sum(axis=1) / (z.shape[1] - z.shape[2])
    part = b[:, tested, 0]
    middle = inverse[:, tested][:, :, tested]
    stat = np.einsum("bi,bi->b", part, np.linalg.solve(middle, part[..., None])[..., 0]) / s2
    return stat, part.sum(axis=1), np.sqrt(s2 * middle.sum(axis=(1, 2)))


def under_null(values: np.ndarray, kept: list, p: int, draws: int, rng) -> np.ndarray:
    """Series (draws, T, K) built from a VAR with p lags, its first values as they were.

    Residuals are divided by ``sqrt(1 - leverage)`` and drawn by year for all equations.

    Parameters
    ----------
    values : array (T, K)
    kept : list of list of int
        For each equation the columns of `lagged` that it has; the others are zero.
    """
    y, z = values[p:], lagged(values[None], p)[0]
    n, k = y.shape
    coef, residuals = np.zeros((k, z.shape[1])), np.zeros((n, k))
    for i, mine in enumerate(kept):
        q, _ = np.linalg.qr(z[:, mine])
        coef[i, mine] = np.linalg.lstsq(z[:, mine], y[:, i], rcond=None)[0]
        left = y[:, i] - q @ (q.T @ y[:, i])
        residuals[:, i] = left / np.sqrt(1 - (q**2).sum(axis=1))
    residuals -= residuals.mean(axis=0)
    drawn = residuals[rng.integers(0, n, (draws, n))]
    built = np.empty((draws, n + p, k))
    built[:, :p] = values[:p]
    for t in range(p, n + p):
        past = np.concatenate([built[:, t - j] for j in range(1, p + 1)], axis=1)
        built[:, t] = coef[:, 0] + past @ coef[:, 1:].T + drawn[:, t - p]
    return built
