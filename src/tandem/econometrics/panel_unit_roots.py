"""Panel unit-root tests: Levin-Lin-Chu, Breitung, Im-Pesaran-Shin, Fisher, Choi, Hadri, CIPS."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib.resources import files

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.tsa.adfvalues import mackinnonp

from tandem.econometrics.in_text import in_text
from tandem.econometrics.panel_arrays import panel_cube
from tandem.errors import TandemError

TRENDS = ("n", "c", "ct")
DRAWS = 2000  # simulated panels behind the p-value of CIPS


@dataclass(frozen=True)
class PanelUnitRoot:
    """Statistic and p-value; a small p speaks for stationarity, of Hadri's test for a unit root.

    `lags` is the mean over entities, `note` the convention and moments used.
    """

    stat: float
    pval: float
    lags: float
    n_entities: int
    n_years: int
    note: str
    summary = property(in_text)


def panel_unit_root(
    y: pd.Series,
    test: str = "ips",
    trend: str = "c",
    lags: int | str = "bic",
    max_lags: int = 2,
    small_sample: bool = True,
    demean: bool = False,
    seed: int = 1,
) -> PanelUnitRoot:
    """Test whether all entities of a panel have a unit root.

    Parameters
    ----------
    y : Series (entity-years,)
        No gaps within an entity. Shares and other bounded series: take the logit first.
    test : str
        "llc" Levin, Lin & Chu (2002), balanced, which rejects far too often with few years, as its
        long-run variances are too small then; "ips" Im, Pesaran & Shin (2003), W tbar, and
        "ips-z" with the moments of tests without lags; "fisher" Maddala & Wu
        (1999), inverse chi-square; "choi-pm", "choi-z", "choi-l" Choi (2001), modified, inverse
        normal, logit; "fisher-pp" the inverse chi-square of Phillips and Perron's tests;
        "breitung" Breitung (2000), Breitung & Das (2005), balanced (from memory); "hadri",
        "hadri-common" Hadri (2000), null of stationarity, balanced, with a variance for each entity
        or one for all; "cips", "cips-truncated" Pesaran (2007), balanced.
    trend : {"n", "c", "ct"}
        Nothing, a constant, a constant and a trend.
    lags : int or {"aic", "bic"}
        Lagged differences, or chosen for each entity up to `max_lags` on one sample.
    small_sample : bool
        Variance of the regressions RSS/(n - k) as Stata and statsmodels have it, else RSS/n as
        R's plm by default; for Hadri, T - 1 or T - 2 in place of T.
    demean : bool
        Take out the mean of each year first, against common shocks.
    seed : int
        Of the simulation behind the p-value of CIPS.

    Raises
    ------
    TandemError
        A gap, too few years for the regressions or for the test's published moments, an unbalanced
        panel where the test needs a balanced one, an unknown choice.

    References
    ----------
    As above; moments from Levin, Lin & Chu (2002), table 2, and Im, Pesaran & Shin (2003), tables 1
    and 3, interpolated between their years.
    """
    if test not in TESTS:
        raise TandemError(f"Tests are {', '.join(TESTS)}; '{test}' is none of them.")
    if trend not in TRENDS:
        raise TandemError(f"The trend is n, c or ct; '{trend}' is none of them.")
    series, n_years = _series(y, demean)
    stat, pval, used, note = TESTS[test](series, trend, lags, max_lags, small_sample, seed)
    if not np.isfinite(stat):
        raise TandemError(f"'{y.name}' leaves the test '{test}' without a finite statistic.")
    mean_lags = float(np.mean(used))
    return PanelUnitRoot(float(stat), float(pval), mean_lags, len(series), n_years, note)


def unit_root_table(data: pd.DataFrame, tests: tuple[str, ...] | None = None, **options):
    """Every test of every series that it can be run on; the others with the reason.

    Parameters
    ----------
    data : DataFrame (entity-years, series)
    tests : tuple of str, optional
        Default: all.
    **options
        As for `panel_unit_root`.

    Returns
    -------
    table : DataFrame
        Index series, test: statistic, p_value, lags, entities, years, note.
    refused : DataFrame
        series, test, why.
    """
    rows, refused = {}, []
    for name in data:
        for test in tests or TESTS:
            try:
                r = panel_unit_root(data[name].dropna(), test, **options)
            except TandemError as err:
                refused.append((name, test, str(err)))
                continue
            rows[name, test] = (r.stat, r.pval, r.lags, r.n_entities, r.n_years, r.note)
    index = pd.MultiIndex.from_tuples(rows, names=["series", "test"]) if rows else None
    columns = ["statistic", "p_value", "lags", "entities", "years", "note"]
    table = pd.DataFrame(list(rows.values()), index=index, columns=columns)
    return table, pd.DataFrame(refused, columns=["series", "test", "why"])


def _series(y: pd.Series, demean: bool) -> tuple[list[np.ndarray], int]:
    """Each entity's years in order, and the number of years of the panel."""
    cube, entities, years = panel_cube(y.to_frame())
    levels = cube[:, 0]
    if demean:
        levels = levels - np.nanmean(levels, axis=0)
    found = []
    for entity, row in zip(entities, levels, strict=True):
        there = np.flatnonzero(np.isfinite(row))
        if not len(there):
            continue
        if len(there) < there[-1] - there[0] + 1:
            gap = years[np.setdiff1d(np.arange(there[0], there[-1]), there)[0]]
            raise TandemError(
                f"{entity} has no '{y.name}' in {gap}, between years that have one; fill it, "
                "shorten the panel or leave the entity out."
            )
        if np.ptp(row[there]) == 0:
            raise TandemError(f"'{y.name}' is constant in {entity}; leave the entity out.")
        found.append(row[there])
    if len(found) < 2:
        raise TandemError(f"A panel test needs several entities; '{y.name}' has {len(found)}.")
    return found, len(years)


def _balanced(series: list[np.ndarray], test: str) -> np.ndarray:
    if len({len(s) for s in series}) > 1:
        raise TandemError(f"The test '{test}' needs all entities in the same years; shorten some.")
    return np.stack(series)


def _design(y: np.ndarray, trend: str, lags: int, start: int) -> tuple[np.ndarray, np.ndarray]:
    """Changes (m, n) and regressors (m, n, k): level before, lagged changes, deterministics."""
    d = np.diff(y, axis=1)
    n = d.shape[1] - start
    if n < 1:
        raise TandemError(
            f"{y.shape[1]} years are too few for a unit-root test with {lags} lag(s); take fewer."
        )
    columns = [y[:, start:-1]] + [d[:, start - j : d.shape[1] - j] for j in range(1, lags + 1)]
    if trend != "n":
        columns.append(np.ones((len(y), n)))
    if trend == "ct":
        columns.append(np.broadcast_to(np.arange(1.0, n + 1), (len(y), n)))
    return d[:, start:], np.stack(columns, axis=2)


def _t_of_first(d: np.ndarray, x: np.ndarray, small_sample: bool) -> tuple[np.ndarray, np.ndarray]:
    """t statistics of the first regressor and residual sums of squares, series by series."""
    n, k = x.shape[1:]
    if n <= k:
        raise TandemError(
            f"{n} changes are left for {k} coefficients of the test regression; take fewer lags, "
            "no trend or more years."
        )
    q, r = np.linalg.qr(x)
    b = np.linalg.solve(r, q.transpose(0, 2, 1) @ d[..., None])
    rss = ((d - (x @ b)[..., 0]) ** 2).sum(axis=1)
    var = rss / (n - k if small_sample else n)
    inverse = np.linalg.inv(r)
    return b[:, 0, 0] / np.sqrt(var * (inverse[:, 0] ** 2).sum(axis=1)), rss


def _chosen(s: np.ndarray, trend: str, lags: int | str, max_lags: int) -> int:
    """Lag order of one series; criteria compare orders on the sample of the longest."""
    if not isinstance(lags, str):
        return lags
    if lags not in ("aic", "bic"):
        raise TandemError(f"Lags are a number, 'aic' or 'bic'; '{lags}' is none of them.")
    scores = []
    for p in range(max_lags + 1):
        d, x = _design(s[None], trend, p, max_lags)
        _, rss = _t_of_first(d, x, True)
        n, k = x.shape[1:]
        scores.append(np.log(rss[0] / n) + k * (2 if lags == "aic" else np.log(n)) / n)
    return int(np.argmin(scores))


def _adf(series, trend, lags, max_lags, small_sample) -> tuple[np.ndarray, list[int]]:
    """ADF t statistic and lag order of each entity."""
    orders = [_chosen(s, trend, lags, max_lags) for s in series]
    kinds = [(p, len(s)) for s, p in zip(series, orders, strict=True)]
    found = np.empty(len(series))
    for p, length in sorted(set(kinds)):
        mine = [i for i, kind in enumerate(kinds) if kind == (p, length)]
        together = np.stack([series[i] for i in mine])
        found[mine] = _t_of_first(*_design(together, trend, p, p), small_sample)[0]
    return found, orders


@lru_cache
def _moments(name: str) -> pd.DataFrame:
    path = files("tandem.econometrics") / "tables" / f"{name}.csv"
    with path.open(encoding="utf-8") as lines:
        return pd.read_csv(lines)


def _interpolated(table: pd.DataFrame, years: int, what: str, clip: bool = False) -> np.ndarray:
    """The table's two moments between its years; beyond the last the last."""
    first = int(table["years"].min()) if len(table) else 0
    if table.empty or (years < first and not clip):
        raise TandemError(
            f"The published moments of {what} start at {first or 'no'} years; {years} are left "
            "after lags: take fewer lags or a test that needs fewer years."
        )
    return np.array([np.interp(years, table["years"], table[c]) for c in table.columns[-2:]])


def _ips(series, trend, lags, max_lags, small_sample, seed, own_lags: bool):
    if trend == "n":
        raise TandemError("Im, Pesaran and Shin's test has a constant; take trend='c' or 'ct'.")
    t, orders = _adf(series, trend, lags, max_lags, small_sample)
    moments = []
    for s, p in zip(series, orders, strict=True):
        if trend == "c" and not own_lags:
            table = _moments("ips_no_lags")
        else:
            table = _moments("ips")
            table = table[(table["trend"] == trend) & (table["lags"] == min(p, 8) * own_lags)]
        moments.append(_interpolated(table, len(s) - p - 1, "Im, Pesaran and Shin's test"))
    mean, variance = np.mean(moments, axis=0)
    stat = np.sqrt(len(t)) * (t.mean() - mean) / np.sqrt(variance)
    return stat, stats.norm.cdf(stat), orders, _convention(small_sample)


def _fisher(series, trend, lags, max_lags, small_sample, seed, form: str):
    t, orders = _adf(series, trend, lags, max_lags, small_sample)
    p = np.clip([mackinnonp(v, trend) for v in t], 1e-15, 1 - 1e-15)
    n = len(p)
    if form == "fisher":
        stat = -2 * np.log(p).sum()
        pval = stats.chi2.sf(stat, 2 * n)
    elif form == "choi-pm":
        stat = -(np.log(p) + 1).sum() / np.sqrt(n)
        pval = stats.norm.sf(stat)
    elif form == "choi-z":
        stat = stats.norm.ppf(p).sum() / np.sqrt(n)
        pval = stats.norm.cdf(stat)
    else:
        df = 5 * n + 4
        stat = np.sqrt(3 * df / (np.pi**2 * n * (5 * n + 2))) * np.log(p / (1 - p)).sum()
        pval = stats.t.cdf(stat, df)
    return stat, pval, orders, f"{_convention(small_sample)}; MacKinnon p-values of the entities"


def _fisher_pp(series, trend, lags, max_lags, small_sample, seed):
    t = np.array([_phillips_perron(s, trend, small_sample) for s in series])
    p = np.clip([mackinnonp(v, trend) for v in t], 1e-15, 1 - 1e-15)
    stat = -2 * np.log(p).sum()
    note = f"{_convention(small_sample)}; Bartlett, 4 (T/100)^(2/9) lags; MacKinnon p-values"
    return stat, stats.chi2.sf(stat, 2 * len(p)), [0], note


def _phillips_perron(s: np.ndarray, trend: str, small_sample: bool) -> float:
    """Z_t of one series (Phillips & Perron 1988; Hamilton 1994, eq. 17.6.12)."""
    d, x = _design(s[None], trend, 0, 0)
    t, rss = _t_of_first(d, x, small_sample)
    n, k = x.shape[1:]
    q, _ = np.linalg.qr(x[0])
    u = d[0] - q @ (q.T @ d[0])
    reach = int(4 * (len(s) / 100) ** (2 / 9))
    now = u @ u / n
    long = now + 2 * sum((1 - j / (reach + 1)) * (u[j:] @ u[:-j]) / n for j in range(1, reach + 1))
    s2 = rss[0] / (n - k if small_sample else n)
    level = x[0][:, 0]
    rest = x[0][:, 1:]
    if rest.shape[1]:
        level = level - rest @ np.linalg.lstsq(rest, level, rcond=None)[0]
    error = np.sqrt(s2 / (level @ level))
    return float(np.sqrt(now / long) * t[0] - (long - now) * n * error / (2 * np.sqrt(long * s2)))


def _breitung(series, trend, lags, max_lags, small_sample, seed):
    """Pooled t of changes on levels, both so transformed that no entity's mean biases it."""
    y = _balanced(series, "breitung")
    orders = [_chosen(s, trend, lags, max_lags) for s in y]
    top, bottom = 0.0, 0.0
    for s, p in zip(y, orders, strict=True):
        z = _prewhitened(s, trend, p)
        e, past, n = np.diff(z), z[:-1], len(z) - 1
        if trend == "ct":
            drift = (z[-1] - z[0]) / n
            past = past - z[0] - drift * np.arange(n)
            after = np.array([e[j + 1 :].mean() for j in range(n - 1)])
            left = np.arange(n - 1, 0, -1)
            e, past = np.sqrt(left / (left + 1)) * (e[:-1] - after), past[:-1]
        elif trend == "c":
            past = past - z[0]
        d = np.diff(z)
        # a mean taken out where none is in the null would bias the statistic upwards
        d, spent = (d - d.mean(), 1) if trend == "ct" else (d, 0)
        s2 = (d**2).sum() / (n - spent if small_sample else n)
        top += e @ past / s2
        bottom += past @ past / s2
    stat = top / np.sqrt(bottom)
    return stat, stats.norm.cdf(stat), orders, _convention(small_sample)


def _prewhitened(s: np.ndarray, trend: str, p: int) -> np.ndarray:
    """The series less what lagged changes explain of its changes, which drift only with a trend."""
    if not p:
        return s
    d = np.diff(s)
    drift = [np.ones(len(d) - p)] if trend == "ct" else []
    x = np.column_stack([d[p - j : len(d) - j] for j in range(1, p + 1)] + drift)
    if len(x) <= x.shape[1]:
        raise TandemError(f"{len(s)} years are too few to take out {p} lagged change(s).")
    b = np.linalg.lstsq(x, d[p:], rcond=None)[0]
    return s[p:] - sum(b[j - 1] * s[p - j : len(s) - j] for j in range(1, p + 1))


def _llc(series, trend, lags, max_lags, small_sample, seed):
    y = _balanced(series, "llc")
    n, t = y.shape
    orders = [_chosen(s, trend, lags, max_lags) for s in y]
    changes, levels, ratios = [], [], []
    for s, p in zip(y, orders, strict=True):
        d, x = _design(s[None], trend, p, p)
        _, rss = _t_of_first(d, x, small_sample)
        rows, k = x.shape[1:]
        sigma = np.sqrt(rss[0] / (rows - k if small_sample else rows))
        other, both = x[0][:, 1:], np.column_stack([d[0], x[0][:, 0]])
        if other.shape[1]:
            both = both - other @ np.linalg.lstsq(other, both, rcond=None)[0]
        changes.append(both[:, 0] / sigma)
        levels.append(both[:, 1] / sigma)
        ratios.append(np.sqrt(_long_run_variance(s, trend)) / sigma)
    d, v = np.concatenate(changes), np.concatenate(levels)
    rho = v @ d / (v @ v)
    rss = ((d - rho * v) ** 2).sum()
    error = np.sqrt(rss / (len(d) - 1 if small_sample else len(d)) / (v @ v))
    left = t - np.mean(orders) - 1
    table = _moments("llc")
    table = table[table["trend"] == trend]
    mean, sd = _interpolated(table, t, "Levin, Lin and Chu's test", clip=True)
    stat = (rho / error - n * left * np.mean(ratios) / (rss / (n * left)) * error * mean) / sd
    short = f"; moments of 25 years for {t}" if t < 25 else ""
    return stat, stats.norm.cdf(stat), orders, f"{_convention(small_sample)}{short}"


def _long_run_variance(s: np.ndarray, trend: str) -> float:
    """Of the changes, Bartlett kernel with 3.21 T^(1/3) lags (Levin, Lin & Chu 2002)."""
    d = np.diff(s)
    if trend == "c":
        d = d - d.mean()
    if trend == "ct":
        when = np.column_stack([np.ones(len(d)), np.arange(len(d))])
        d = d - when @ np.linalg.lstsq(when, d, rcond=None)[0]
    q = min(int(np.round(3.21 * len(s) ** (1 / 3))), len(d) - 1)
    around = sum((1 - j / (q + 1)) * (d[:-j] @ d[j:]) for j in range(1, q + 1))
    return max((d @ d + 2 * around) / len(d), 0.0)


def _hadri(series, trend, lags, max_lags, small_sample, seed, common: bool):
    if trend == "n":
        raise TandemError("Hadri's test has a constant; take trend='c' or 'ct'.")
    y = _balanced(series, "hadri")
    n, t = y.shape
    columns = [np.ones(t)] + ([np.arange(t)] if trend == "ct" else [])
    x = np.column_stack(columns)
    e = y - (x @ np.linalg.lstsq(x, y.T, rcond=None)[0]).T
    var = (e**2).sum(axis=1) / (t - x.shape[1] if small_sample else t)
    sums = (np.cumsum(e, axis=1) ** 2).sum(axis=1) / t**2
    lm = sums.mean() / var.mean() if common else (sums / var).mean()
    mean, variance = (1 / 6, 1 / 45) if trend == "c" else (1 / 15, 11 / 6300)
    stat = np.sqrt(n) * (lm - mean) / np.sqrt(variance)
    note = "null of stationarity; errors without serial correlation"
    return stat, stats.norm.sf(stat), [0], note


def _cips(series, trend, lags, max_lags, small_sample, seed, truncated: bool):
    y = _balanced(series, "cips")
    if isinstance(lags, str):
        orders = [_chosen(s, trend, lags, max_lags) for s in y]
        p = int(np.ceil(np.mean(orders)))  # one order for all, since each year's mean enters
    else:
        p = lags
    stat = _cadf(y[None], trend, p, truncated)[0].mean()
    null = _cips_null(y.shape, trend, p, truncated, seed)
    pval = (1 + (null <= stat).sum()) / (1 + DRAWS)
    return stat, pval, [p], f"p of {DRAWS} simulated panels of this size"


@lru_cache(maxsize=16)
def _cips_null(shape: tuple[int, int], trend: str, p: int, truncated: bool, seed) -> np.ndarray:
    """CIPS (DRAWS,) of independent random walks; the series of a study share it."""
    rng = np.random.default_rng(seed)
    walks = np.cumsum(rng.normal(size=(DRAWS, *shape)), axis=2)
    return _cadf(walks, trend, p, truncated).mean(axis=1)


def _cadf(y: np.ndarray, trend: str, p: int, truncated: bool) -> np.ndarray:
    """t statistics (draws, n) of the ADF regressions with the means of levels and changes."""
    draws, n, t = y.shape
    d, x = _design(y.reshape(-1, t), trend, p, p)
    mean = y.mean(axis=1)
    dm = np.diff(mean, axis=1)
    rows = d.shape[1]
    extra = [mean[:, p:-1]] + [dm[:, p - j : dm.shape[1] - j] for j in range(p + 1)]
    extra = np.repeat(np.stack(extra, axis=2), n, axis=0)
    found, _ = _t_of_first(d, np.concatenate([x, extra.reshape(-1, rows, p + 2)], axis=2), True)
    found = found.reshape(draws, n)
    if truncated:  # Pesaran (2007), section 3.3: beyond these bounds moments need not exist
        low, high = {"n": (-6.12, 4.16), "c": (-6.19, 2.61), "ct": (-6.42, 1.70)}[trend]
        found = np.clip(found, low, high)
    return found


def _convention(small_sample: bool) -> str:
    return "variance RSS/(n-k)" if small_sample else "variance RSS/n"


TESTS: dict[str, Callable] = {
    "llc": _llc,
    "ips": partial(_ips, own_lags=True),
    "ips-z": partial(_ips, own_lags=False),
    **{name: partial(_fisher, form=name) for name in ("fisher", "choi-pm", "choi-z", "choi-l")},
    "fisher-pp": _fisher_pp,
    "breitung": _breitung,
    "hadri": partial(_hadri, common=False),
    "hadri-common": partial(_hadri, common=True),
    "cips": partial(_cips, truncated=False),
    "cips-truncated": partial(_cips, truncated=True),
}
