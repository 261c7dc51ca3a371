"""Do a few series of one entity share a long run, and which of them moves back to it?"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from statsmodels.regression.linear_model import OLS
from statsmodels.tsa.vector_ar.vecm import VECM, coint_johansen

from tandem.econometrics.coefficient_table import coefficient_table
from tandem.econometrics.in_text import in_text
from tandem.econometrics.long_causality import checked_series
from tandem.errors import TandemError


@dataclass(frozen=True, eq=False)
class ErrorCorrection:
    """A vector error correction model.

    Attributes
    ----------
    beta : DataFrame (K, rank)
        Cointegrating vectors, the first `rank` series normalised to the identity.
    terms : DataFrame
        Indexed by (equation, term): EC1 ... are the loadings of the vectors of the year before, L1
        ... the lagged changes; estimate, std_error, statistic, p_value, interval.
    causality : DataFrame
        cause, effect, part, estimate, std_error, statistic (F), df, p_value. Part "long run": no
        vector enters the effect's equation, which is its weak exogeneity; "short run": no lagged
        change of the cause does; "both". The estimate is what a unit of the cause's level moves the
        effect by a year later, ``(alpha beta')``; of its changes, their sum.
    rank, lags, n_obs, df_resid : int
    """

    beta: pd.DataFrame
    terms: pd.DataFrame
    causality: pd.DataFrame
    rank: int
    lags: int
    n_obs: int
    df_resid: int
    summary = property(in_text)


def johansen(data: pd.DataFrame, lags: int = 1, draws: int = 999, seed=1) -> pd.DataFrame:
    """Trace and maximum eigenvalue tests of the cointegration rank, with an unrestricted constant.

    Parameters
    ----------
    data : DataFrame (years, K)
        Consecutive years without a gap.
    lags : int
        Lagged changes, one less than the lags of the VAR in levels.
    draws : int
        Resamples under each rank (Cavaliere, Rahbek & Taylor 2012): with few years the tabulated
        values reject far too often. 0 for none.
    seed : int, sequence of int or SeedSequence

    Returns
    -------
    DataFrame (K,)
        Index rank (the null); eigenvalue, trace, trace_5 (critical value, 5 %), max_eigenvalue,
        max_5, trace_p and max_p (bootstrap, NaN without draws).

    Raises
    ------
    TandemError
        A gap, a constant series, or too few years for the lags.

    References
    ----------
    Johansen (1991), Econometrica 59, 1551-1580; critical values of MacKinnon, Haug & Michelis
    (1999) as in statsmodels; Cavaliere, Rahbek & Taylor (2012), Econometrica 80, 1721-1740.
    """
    values = _checked(data, lags)
    # with no lagged change statsmodels pairs a change with the level of its own year
    trace, largest = (found[0] for found in _rank_statistics(values[None], lags))
    tabulated = coint_johansen(values, 0, 1)
    table = pd.DataFrame(
        {
            "eigenvalue": -np.expm1(-largest / (len(values) - lags - 1)),
            "trace": trace,
            "trace_5": tabulated.trace_stat_crit_vals[:, 1],
            "max_eigenvalue": largest,
            "max_5": tabulated.max_eig_stat_crit_vals[:, 1],
            "trace_p": np.nan,
            "max_p": np.nan,
        },
        index=pd.RangeIndex(values.shape[1], name="rank"),
    )
    rng = np.random.default_rng(seed)
    for rank in table.index if draws else ():
        drawn = _rank_statistics(_rebuilt(values, lags, rank, draws, rng), lags)
        observed = table.loc[rank, ["trace", "max_eigenvalue"]]
        beyond = [(d[:, rank] >= o).sum() for d, o in zip(drawn, observed, strict=True)]
        table.loc[rank, ["trace_p", "max_p"]] = (1 + np.array(beyond)) / (1 + draws)
    return table


def chosen_rank(table: pd.DataFrame, level: float = 0.05) -> int:
    """First rank whose trace test does not reject, by bootstrap or else by the 5 % table."""
    kept = table["trace_p"] > level
    if table["trace_p"].isna().all():
        kept = table["trace"] < table["trace_5"]
    return int(kept.to_numpy().argmax()) if kept.any() else len(table)


def error_correction(data: pd.DataFrame, rank: int, lags: int = 1) -> ErrorCorrection:
    """Estimate a vector error correction model with an unrestricted constant (statsmodels).

    ``dy_t = c + alpha beta' y_{t-1} + sum_j Gamma_j dy_{t-j} + e_t``. Given beta, which is found by
    maximum likelihood and settles faster than the rest, each equation is least squares; errors and
    F tests are those of that regression with n - k degrees of freedom.

    Parameters
    ----------
    data, lags
        As in `johansen`.
    rank : int
        Cointegrating vectors, 1 to K - 1; from `chosen_rank`.

    Raises
    ------
    TandemError
        A rank for which there is no such model, and as `johansen`.

    References
    ----------
    Johansen (1991), Econometrica 59, 1551-1580; Luetkepohl (2005), chapter 7.
    """
    values = _checked(data, lags)
    names = [str(c) for c in data.columns]
    if rank == 0:
        raise TandemError(
            "No long-run relation is found (rank 0): there is no error to correct; a VAR of the "
            "changes holds all there is."
        )
    if not 0 < rank < len(names):
        raise TandemError(
            f"Rank {rank} of {len(names)} series says that their levels are stationary: a VAR of "
            "the levels holds all there is."
        )
    scale = values.std(axis=0)  # no tolerance depends on units
    values = values / scale
    beta = VECM(values, k_ar_diff=lags, coint_rank=rank, deterministic="co").fit().beta
    changes, design = _equations(values, beta, lags)
    vectors = [f"EC{i}" for i in range(1, rank + 1)]
    moved = [f"L{j}.{name}" for j in range(1, lags + 1) for name in names]
    x = pd.DataFrame(design, columns=["const", *vectors, *moved])
    units = np.concatenate([[1.0], scale[:rank], np.tile(scale, lags)])
    df, terms, rows = len(x) - x.shape[1], {}, []
    for i, effect in enumerate(names):
        fit = OLS(changes[:, i], x).fit()
        back = scale[i] / units
        terms[effect] = coefficient_table(fit.params * back, fit.bse * back, df)
        for j, cause in enumerate(names):
            if i != j:
                tests = _tests(fit, vectors, cause, beta[j], lags, scale[i] / scale[j])
                rows += [{"cause": cause, "effect": effect, **row} for row in tests]
    return ErrorCorrection(
        beta=pd.DataFrame(beta / scale[:, None] * scale[:rank], index=names, columns=vectors),
        terms=pd.concat(terms, names=["equation", "term"]),
        causality=pd.DataFrame(rows),
        rank=rank,
        lags=lags,
        n_obs=len(x),
        df_resid=df,
    )


def _tests(fit, vectors: list[str], cause: str, loads: np.ndarray, lags: int, unit: float):
    """F tests on one equation, and the effect of the cause's level and changes with its error."""
    changes = [f"L{j}.{cause}" for j in range(1, lags + 1)]
    parts = {"long run": dict(zip(vectors, loads, strict=True))}
    if lags:
        parts["short run"] = dict.fromkeys(changes, 1.0)
        parts["both"] = parts["long run"] | parts["short run"]
    for part, weights in parts.items():
        names = list(weights)
        test = fit.f_test(np.eye(len(fit.params))[[fit.params.index.get_loc(n) for n in names]])
        w = np.array(list(weights.values()))
        yield {
            "part": part,
            "estimate": float(w @ fit.params[names] * unit),
            "std_error": float(np.sqrt(w @ fit.cov_params().loc[names, names] @ w) * unit),
            "statistic": float(test.fvalue),
            "df": f"{test.df_num:.0f}, {test.df_denom:.0f}",
            "p_value": float(test.pvalue),
        }


def _checked(data: pd.DataFrame, lags: int) -> np.ndarray:
    if lags < 0:
        raise TandemError(f"An error correction model has 0 or more lagged changes, not {lags}.")
    if data.shape[1] < 2:
        raise TandemError("A long-run relation needs at least two series.")
    values = checked_series(data)
    coefficients = 1 + values.shape[1] * (lags + 1)
    if len(values) - lags - 1 < 2 * coefficients:
        raise TandemError(
            f"{len(values)} years are too few for an error correction model of {values.shape[1]} "
            f"series with {lags} lagged change(s); it needs {2 * coefficients + lags + 1}."
        )
    return values


def _equations(values: np.ndarray, beta: np.ndarray, lags: int) -> tuple[np.ndarray, np.ndarray]:
    """Changes (n, K) and what explains them: constant, vectors of the year before, past changes."""
    moves = np.diff(values, axis=0)
    past = [moves[lags - j : len(moves) - j] for j in range(1, lags + 1)]
    levels = values[lags:-1] @ beta
    return moves[lags:], np.hstack([np.ones((len(levels), 1)), levels, *past])


def _rebuilt(values: np.ndarray, lags: int, rank: int, draws: int, rng) -> np.ndarray:
    """Series (draws, T, K) from the model of this rank with its residuals drawn by year."""
    k = values.shape[1]
    beta = np.zeros((k, 0))
    if rank:
        beta = VECM(values, k_ar_diff=lags, coint_rank=rank, deterministic="co").fit().beta
    y, x = _equations(values, beta, lags)
    coef = np.linalg.lstsq(x, y, rcond=None)[0]
    residuals = y - x @ coef
    drawn = residuals[rng.integers(0, len(y), (draws, len(y)))]
    built = np.empty((draws, *values.shape))
    built[:, : lags + 1] = values[: lags + 1]
    constant, alpha, gamma = coef[0], coef[1 : 1 + rank], coef[1 + rank :]
    for t in range(lags + 1, len(values)):
        last = built[:, t - 1]
        past = [built[:, t - j] - built[:, t - j - 1] for j in range(1, lags + 1)]
        moved = constant + last @ beta @ alpha + drawn[:, t - lags - 1]
        built[:, t] = last + moved + (np.hstack(past) @ gamma if lags else 0.0)
    return built


def _rank_statistics(built: np.ndarray, lags: int) -> tuple[np.ndarray, np.ndarray]:
    """Trace and maximum eigenvalue statistics (draws, K) of series (draws, T, K)."""
    moves = np.diff(built, axis=1)
    n = moves.shape[1] - lags
    past = [moves[:, lags - j : moves.shape[1] - j] for j in range(1, lags + 1)]
    q, _ = np.linalg.qr(np.concatenate([np.ones((len(built), n, 1)), *past], axis=2))
    left = [a - q @ (q.transpose(0, 2, 1) @ a) for a in (moves[:, lags:], built[:, lags:-1])]
    bases = [np.linalg.qr(a)[0] for a in left]
    # squared canonical correlations of changes and levels
    roots = np.linalg.svd(bases[0].transpose(0, 2, 1) @ bases[1], compute_uv=False) ** 2
    logs = -n * np.log1p(-np.minimum(roots, 1 - 1e-15))
    return logs[:, ::-1].cumsum(axis=1)[:, ::-1], logs
