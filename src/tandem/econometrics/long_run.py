"""Long-run coefficients of cointegrated panels: fully modified and dynamic OLS."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tandem.econometrics.coefficient_table import coefficient_table
from tandem.econometrics.complete_rows import complete_rows
from tandem.errors import TandemError

MARGIN = 5  # years that each entity must have beyond the coefficients estimated for it
TRENDS = {"c": "constant", "ct": "constant and trend"}
LARGEST = 2  # leads and lags that BIC compares


@dataclass(frozen=True, eq=False)
class LongRun:
    """Long-run coefficients of a panel.

    Attributes
    ----------
    terms : DataFrame
        estimate, std_error, statistic, p_value, conf_low, conf_high; a model in error-correction
        form has the mean speed of adjustment as its last row, "speed".
    cov : DataFrame (k, k)
        Covariance of the long-run coefficients.
    entities : DataFrame (n_entities, ...)
        Coefficients of each entity; for pooled estimators, of the same model fitted to it alone.
    facts : dict
        Statistics of the model and the conventions used, as `models.csv` takes them.
    short_run : DataFrame or None
        Mean short-run coefficients of a model in error-correction form, columns as in `terms`.
    """

    terms: pd.DataFrame
    cov: pd.DataFrame
    entities: pd.DataFrame
    facts: dict
    short_run: pd.DataFrame | None = None

    @property
    def statistics(self) -> dict:
        """Facts under flat names."""
        return self.facts

    @property
    def summary(self) -> str:
        """Everything but the entities in plain text."""
        tables = [self.terms] if self.short_run is None else [self.terms, self.short_run]
        lines = [f"{name:<18}{value}" for name, value in self.facts.items()]
        return "\n\n".join([t.to_string(float_format="%.5g") for t in tables] + ["\n".join(lines)])


def fmols(
    y: pd.Series,
    x: pd.DataFrame,
    pooling: str = "group",
    trend: str = "c",
    bandwidth: int | None = None,
    level: float = 0.95,
) -> LongRun:
    """Fully modified OLS of a cointegrating regression ``y_it = d_it' a_i + x_it' b + u_it``.

    With xi = (u, e), u the OLS residual and e the change of x less its mean, Omega its long-run
    covariance and Delta the one-sided one (``sum_j>=0 E xi_t-j xi_t'``), y is corrected for
    endogeneity, ``y+ = y - e' g`` with ``g = Omega_ee^-1 Omega_eu``, and the moments for serial
    correlation, ``b = (sum Z'Z)^-1 sum (Z'y+ - T (Delta_eu - Delta_ee g))``, Z the regressors less
    the deterministic terms.

    Parameters
    ----------
    y : Series (entity-years,)
        Integrated of order one; entities may start and end in different years.
    x : DataFrame (entity-years, k)
        Integrated of order one, not cointegrated among themselves, with any drift.
    pooling : {"group", "pooled"}
        Group: the mean over entities of their own estimates, variance ``sum V_i / N^2`` with
        ``V_i = w_i (Z_i'Z_i)^-1``, w_i the long-run variance of u given e. Pooled: one b, residuals
        and mean Omega and Delta from all entities, variance
        ``(sum Z'Z)^-1 (sum w_i Z_i'Z_i) (sum Z'Z)^-1``, so that w_i may differ.
    trend : {"c", "ct"}
        A constant, or a constant and a trend, of each entity.
    bandwidth : int, optional
        Lags of the Bartlett kernel; default floor(4 (T / 100)^(2/9)) (Newey & West 1994).
    level : float

    Returns
    -------
    LongRun
        Variances have the factor n/(n - coefficients); p-values and intervals are normal. `facts`
        holds Pedroni's group statistic ``sum t_i / sqrt(N)`` of each coefficient for "group".

    Raises
    ------
    TandemError
        A gap, too few years in an entity, collinear regressors, an unknown choice.

    References
    ----------
    Phillips & Hansen (1990), Review of Economic Studies 57, 99-125; group mean: Pedroni (2000),
    Advances in Econometrics 15, 93-130; pooled: Phillips & Moon (1999), Econometrica 67,
    1057-1111, Kao & Chiang (2000), Advances in Econometrics 15, 179-222 (all from memory).
    """
    _refuse_choice(pooling, trend)
    names, own = list(map(str, x.columns)), len(trend)
    panel, n_dropped = entity_arrays(y, x, 1 + own + x.shape[1] + MARGIN)
    for entity, values in panel.items():
        refuse_collinear(entity, names, values[1:, 1:], deterministic(len(values) - 1, trend))
    facts = _facts("fully modified OLS", pooling, trend, panel, n_dropped)
    facts["n_obs"] = sum(len(values) - 1 for values in panel.values())
    facts["bandwidth"] = _bandwidth_words(panel, bandwidth)
    return _pool(
        panel, names, pooling, level, facts, lambda part: _fully_modified(part, trend, bandwidth)
    )


def dols(
    y: pd.Series,
    x: pd.DataFrame,
    pooling: str = "group",
    trend: str = "c",
    order: int | tuple[int, int] | str = 1,
    bandwidth: int | None = None,
    level: float = 0.95,
) -> LongRun:
    """Dynamic OLS: ``y_it = d_it' a_i + x_it' b + sum_j=-lags..leads dx_i,t+j' c_ij + v_it``.

    Parameters
    ----------
    y, x, pooling, trend, bandwidth, level
        As in `fmols`; w_i is the long-run variance of v_i. Leads and lags have coefficients of
        their own in each entity, also when b is pooled.
    order : int, (int, int) or "bic"
        Leads and lags of the changes: one number for both, or (leads, lags). "bic": one number, 0
        to 2 as the years allow, with the smallest sum of the entities' BIC on the same years.

    Returns
    -------
    LongRun
        Variances have the factor n/(n - coefficients); p-values and intervals are normal. `facts`
        holds Pedroni's group statistic ``sum t_i / sqrt(N)`` of each coefficient for "group".

    Raises
    ------
    TandemError
        As `fmols`.

    References
    ----------
    Stock & Watson (1993), Econometrica 61, 783-820; group mean: Pedroni (2001), Review of
    Economics and Statistics 83, 727-731; pooled: Kao & Chiang (2000), Advances in Econometrics 15,
    179-222, Mark & Sul (2003), Oxford Bulletin of Economics and Statistics 65, 655-680 (all from
    memory).
    """
    _refuse_choice(pooling, trend)
    names = list(map(str, x.columns))
    shortest = _years_of_dols((0, 0) if order == "bic" else _pair(order), x.shape[1], trend)
    panel, n_dropped = entity_arrays(y, x, shortest)
    leads, lags = _smallest_bic(panel, trend) if order == "bic" else _pair(order)
    for entity, values in panel.items():
        _, z, others = _dynamic_rows(values, trend, leads, lags)
        refuse_collinear(entity, names, z, others)
    facts = _facts("dynamic OLS", pooling, trend, panel, n_dropped)
    facts["n_obs"] = sum(len(values) - 1 - leads - lags for values in panel.values())
    facts |= {"leads": leads, "lags": lags, "order_chosen_by": "bic" if order == "bic" else "user"}
    facts["bandwidth"] = _bandwidth_words(panel, bandwidth, 1 + leads + lags)
    return _pool(
        panel,
        names,
        pooling,
        level,
        facts,
        lambda part: _dynamic(part, trend, leads, lags, bandwidth),
    )


def long_run_covariance(shocks: np.ndarray, bandwidth: int) -> tuple[np.ndarray, np.ndarray]:
    """Bartlett long-run covariance of rows, and its one-sided part ``sum_j>=0 E s_t-j s_t'``.

    Parameters
    ----------
    shocks : array (n_years, m)
        Mean zero.
    bandwidth : int
        Lag j has the weight 1 - j / (bandwidth + 1).

    References
    ----------
    Newey & West (1987), Econometrica 55, 703-708.
    """
    n = len(shocks)
    now = shocks.T @ shocks / n
    one_sided = now.copy()
    for j in range(1, min(bandwidth, n - 1) + 1):
        one_sided += (1 - j / (bandwidth + 1)) * shocks[:-j].T @ shocks[j:] / n
    return one_sided + one_sided.T - now, one_sided


def entity_arrays(
    y: pd.Series, x: pd.DataFrame, least: int
) -> tuple[dict[object, np.ndarray], int]:
    """Each entity's y and x (n_years, 1 + k) over consecutive years, and the rows dropped.

    Parameters
    ----------
    y : Series, x : DataFrame (entity-years, k)
    least : int
        Years that the model needs.

    Raises
    ------
    TandemError
        A gap between an entity's years, or fewer than `least` of them.
    """
    rows, n_dropped = complete_rows(y, x)
    panel = {}
    for entity, part in rows.groupby(level=0):
        years = part.index.get_level_values(1).to_numpy()
        jump = np.flatnonzero(np.diff(years) != 1)
        if len(jump):
            raise TandemError(
                f"{entity} has no complete row for {years[jump[0]] + 1}, between years that have "
                "one; fill the gap or leave the entity out."
            )
        if len(years) < least:
            raise TandemError(
                f"{entity} has {len(years)} complete years; the model with {x.shape[1]} "
                f"regressors needs {least}: add years, take fewer regressors or leads and lags, "
                "or leave the entity out."
            )
        panel[entity] = part.to_numpy(float)
    return panel, n_dropped


def deterministic(n: int, trend: str) -> np.ndarray:
    """A constant, with "ct" also a trend: (n, 1 or 2)."""
    return np.column_stack([np.ones(n), np.arange(n) - (n - 1) / 2][: len(trend)])


def without(values: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Residuals of the columns of `values` (n, ...) regressed on `others` (n, m)."""
    basis, _ = np.linalg.qr(others / np.linalg.norm(others, axis=0))
    return values - basis @ (basis.T @ values)


def refuse_collinear(entity, names: list[str], x: np.ndarray, others: np.ndarray) -> None:
    """Name the first column of x (n, k) that the columns before it and `others` explain wholly."""
    size = np.linalg.norm(x, axis=0)
    steady = np.linalg.norm(others, axis=0)
    kept = others[:, steady > 0]
    left = without(x, kept) / np.where(size > 0, size, 1.0)
    if np.linalg.matrix_rank(kept / steady[steady > 0], tol=1e-9) < others.shape[1]:
        raise TandemError(
            f"Changes of {', '.join(names)} do not vary apart in {entity}; take fewer leads and "
            "lags or leave a regressor out."
        )
    for i, name in enumerate(names, start=1):
        if np.linalg.matrix_rank(left[:, :i], tol=1e-9) < i:
            raise TandemError(
                f"'{name}' is explained wholly by the other terms of the model in {entity}; leave "
                "it or the entity out."
            )


def mean_over_entities(estimates: np.ndarray, cov_of_one: np.ndarray):
    """Mean of estimates (n_entities, m) and its covariance from their spread (Pesaran & Smith).

    A single entity has no spread; its own covariance `cov_of_one` (m, m) stands in.
    """
    n = len(estimates)
    if n == 1:
        return estimates[0], cov_of_one
    return estimates.mean(axis=0), np.atleast_2d(np.cov(estimates, rowvar=False)) / n


def years_in_words(panel: dict) -> str:
    """Years an entity: "20", or "18-20" where they differ."""
    lengths = sorted({len(values) for values in panel.values()})
    return str(lengths[0]) if len(lengths) == 1 else f"{lengths[0]}-{lengths[-1]}"


def _pool(panel: dict, names, pooling: str, level: float, facts: dict, fit) -> LongRun:
    """Fit entities together or one by one; `fit` maps a list of arrays to (estimate, cov)."""
    parts = [fit([values]) for values in panel.values()]
    own = pd.DataFrame([b for b, _ in parts], pd.Index(panel, name="entity"), names)
    if pooling == "pooled":
        estimate, cov = fit(list(panel.values()))
    else:
        estimate = own.to_numpy().mean(axis=0)
        cov = sum(v for _, v in parts) / len(parts) ** 2
        ratios = np.array([b / np.sqrt(np.diag(v)) for b, v in parts])
        group = ratios.sum(axis=0) / np.sqrt(len(parts))
        facts |= {f"group_t[{name}]": float(t) for name, t in zip(names, group, strict=True)}
    error = pd.Series(np.sqrt(np.diag(cov)), names)
    terms = coefficient_table(pd.Series(estimate, names), error, level=level)
    return LongRun(terms, pd.DataFrame(cov, names, names), own, facts)


def _fully_modified(parts: list[np.ndarray], trend: str, bandwidth: int | None):
    levels = [without(values, deterministic(len(values), trend)) for values in parts]
    first = np.linalg.solve(
        sum(v[:, 1:].T @ v[:, 1:] for v in levels), sum(v[:, 1:].T @ v[:, 0] for v in levels)
    )
    covariances = []
    for values, level in zip(parts, levels, strict=True):
        change = np.diff(values[:, 1:], axis=0)
        u = level[1:, 0] - level[1:, 1:] @ first
        shocks = np.column_stack([u, change - change.mean(axis=0)])
        covariances.append(long_run_covariance(shocks, _lags(len(values), bandwidth)))
    omega, delta = (np.mean([c[j] for c in covariances], axis=0) for j in (0, 1))
    g = np.linalg.solve(omega[1:, 1:], omega[1:, 0])
    shift = delta[1:, 0] - delta[1:, 1:] @ g
    moments, grams, variances = [], [], []
    for values, (own, _) in zip(parts, covariances, strict=True):
        corrected = values[1:, 0] - np.diff(values[:, 1:], axis=0) @ g
        z = without(values[1:, 1:], deterministic(len(values) - 1, trend))
        moments.append(z.T @ corrected - len(z) * shift)
        grams.append(z.T @ z)
        side = np.concatenate([[1.0], -g])
        variances.append(side @ own @ side)
    n = sum(len(values) - 1 for values in parts)
    spent = len(parts) * len(trend) + len(first)
    return _sandwich(moments, grams, variances, n / (n - spent))


def _dynamic(parts: list[np.ndarray], trend: str, leads: int, lags: int, bandwidth: int | None):
    rows, spent = [], parts[0].shape[1] - 1
    for values in parts:
        left, right, others = _dynamic_rows(values, trend, leads, lags)
        rows.append((without(left, others), without(right, others)))
        spent += others.shape[1]
    moments, grams = [z.T @ w for w, z in rows], [z.T @ z for _, z in rows]
    b = np.linalg.solve(sum(grams), sum(moments))
    variances = []
    for w, z in rows:
        v = (w - z @ b)[:, None]
        variances.append(long_run_covariance(v, _lags(len(v), bandwidth))[0][0, 0])
    n = sum(len(z) for _, z in rows)
    return _sandwich(moments, grams, variances, n / (n - spent))


def _sandwich(moments, grams, variances, factor: float) -> tuple[np.ndarray, np.ndarray]:
    bread = np.linalg.inv(sum(grams))
    filling = sum(w * gram for w, gram in zip(variances, grams, strict=True))
    return bread @ sum(moments), factor * bread @ filling @ bread


def _dynamic_rows(values: np.ndarray, trend: str, leads: int, lags: int):
    """y (n,), x (n, k) and the other terms of one entity over the years with leads and lags."""
    n, change = len(values), np.diff(values[:, 1:], axis=0)
    start, stop = 1 + lags, n - leads
    around = [change[start - 1 + j : stop - 1 + j] for j in range(-lags, leads + 1)]
    others = np.column_stack([deterministic(stop - start, trend), *around])
    return values[start:stop, 0], values[start:stop, 1:], others


def _smallest_bic(panel: dict, trend: str) -> tuple[int, int]:
    """Leads and lags, both the same, with the smallest sum of BIC on the years of the largest."""
    shortest = min(len(values) for values in panel.values())
    k = next(iter(panel.values())).shape[1] - 1
    allowed = [q for q in range(LARGEST + 1) if _years_of_dols((q, q), k, trend) <= shortest]
    largest, totals = allowed[-1], []
    for q in allowed:
        total = 0.0
        for values in panel.values():
            left, right, others = _dynamic_rows(values, trend, q, q)
            cut = slice(largest - q, len(left) - (largest - q))
            design = np.column_stack([right, others])[cut]
            n = len(design)
            total += n * np.log((without(left[cut], design) ** 2).sum() / n)
            total += design.shape[1] * np.log(n)
        totals.append(total)
    best = allowed[int(np.argmin(totals))]
    return best, best


def _years_of_dols(order: tuple[int, int], k: int, trend: str) -> int:
    around = sum(order) + 1
    return around + len(trend) + k * (1 + around) + MARGIN


def _pair(order) -> tuple[int, int]:
    pair = (order, order) if isinstance(order, int) else tuple(order)
    if isinstance(order, str) or len(pair) != 2 or min(pair) < 0:
        raise TandemError(f"The order is a number, (leads, lags) or 'bic'; {order!r} is none.")
    return pair


def _lags(n: int, bandwidth: int | None) -> int:
    return int(4 * (n / 100) ** (2 / 9)) if bandwidth is None else bandwidth


def _bandwidth_words(panel: dict, bandwidth: int | None, lost: int = 0) -> str:
    used = sorted({_lags(len(values) - lost, bandwidth) for values in panel.values()})
    return f"Bartlett, {'-'.join(map(str, (used[0], used[-1])[: len(used)]))} lags"


def _facts(estimator: str, pooling: str, trend: str, panel: dict, n_dropped: int) -> dict:
    variance = "long-run variance by entity" + (", sandwich" if pooling == "pooled" else "")
    return {
        "estimator": f"{estimator}, {'pooled' if pooling == 'pooled' else 'group mean'}",
        "se_type": f"{variance}, n/(n-k)",
        "trend": TRENDS[trend],
        "n_obs": 0,
        "n_entities": len(panel),
        "n_years": years_in_words(panel),
        "n_dropped": n_dropped,
    }


def _refuse_choice(pooling: str, trend: str) -> None:
    if pooling not in ("group", "pooled"):
        raise TandemError(f"Pooling is 'group' or 'pooled'; '{pooling}' is neither.")
    if trend not in TRENDS:
        raise TandemError(f"The trend is 'c' or 'ct'; '{trend}' is neither.")
