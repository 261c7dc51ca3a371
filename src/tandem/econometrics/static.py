"""Static panel regressions: linearmodels' estimators with one choice of standard errors each."""

import numpy as np
import pandas as pd
from linearmodels.panel import BetweenOLS, PanelOLS, PooledOLS, RandomEffects

from tandem.econometrics.within import codes_of, demeaned, within_regression
from tandem.errors import TandemError

EFFECTS = ("none", "random", "mundlak", "entity", "two-way", "between", "difference")
LEFT = 1e-5  # share of a regressor's norm that the effects must leave, as linearmodels has it


def panel_regression(y: pd.Series, x: pd.DataFrame, effects: str, se: str = "clustered"):
    """Regress y on x with the effects and standard errors named.

    Parameters
    ----------
    y : Series (entity-years,)
    x : DataFrame (entity-years, k)
        Without a constant; rows with a missing value in y or x are dropped and counted.
    effects : {"none", "random", "mundlak", "entity", "two-way", "between", "difference"}
        Pooled OLS, Swamy-Arora random effects, the same with entity means of x as regressors
        (Mundlak 1978: the slopes of x are then the within ones), within, within entity and year,
        entity means, changes on the year before with a constant.
    se : {"unadjusted", "robust", "clustered", "xtreg", "two-way clustered", "driscoll-kraay"}
        Clustered is by entity with the factor G/(G-1) (n-1)/(n-k) (Cameron & Miller 2015, eq. 12,
        k counts the effects too, unless entity effects stand alone, as these are nested in the
        clusters); xtreg the same with Stata's k: slopes, year dummies and a constant, for entity
        and two-way effects; two-way clustered by entity and year (Cameron, Gelbach & Miller 2011;
        Thompson 2011). Driscoll-Kraay uses a Bartlett kernel with bandwidth
        floor(4 (T/100)^(2/9)) (Driscoll & Kraay 1998; Newey & West 1994). All but the clustered
        have the factor n/(n-k) with every effect counted in k. Between takes the first two.

    Returns
    -------
    result : linearmodels result
    facts : dict
        n_dropped, n_singletons (of these: rows alone in their entity, or year with two-way
        effects, which the effects fit perfectly), se_type, se_factor (text: ratio of the reported
        to the uncorrected variance), n_clusters where clustered, t_df: degrees of freedom for
        p-values and intervals, the fewest clusters less one (Cameron & Miller 2015, section VI) or
        periods less one (Driscoll-Kraay; Hoechle 2007), absent for the others.

    Raises
    ------
    TandemError
        Collinear or constant regressors, an unknown choice, or too few rows.
    """
    if effects not in EFFECTS:
        raise TandemError(f"Effects are {', '.join(EFFECTS)}; '{effects}' is none of them.")
    if effects == "between" and se not in ("unadjusted", "robust"):
        raise TandemError("Between, an entity is one row: take unadjusted or robust errors.")
    rows = _joined(y, x)
    if effects == "difference":
        rows = rows - lags(rows, [1]).set_axis(rows.columns, axis=1)
    whole = np.isfinite(rows.to_numpy(dtype=float)).all(axis=1)
    kept, n_singletons = rows if whole.all() else rows[whole], 0
    if effects in ("entity", "two-way"):
        kept, n_singletons = _without_singletons(kept, effects)
    n_entities, n_periods = (np.count_nonzero(np.bincount(c)) for c in codes_of(kept.index))
    absorbed = {"entity": n_entities, "two-way": n_entities + max(n_periods - 1, 0)}.get(effects, 1)
    if len(kept) <= x.shape[1] + absorbed:
        raise TandemError(
            f"Only {len(kept)} complete rows for {x.shape[1]} regressors and {absorbed} "
            "constants or effects; add entities or years, or take fewer regressors."
        )
    grouped = "cluster" in se or se == "xtreg" or effects in ("random", "mundlak", "between")
    if grouped and min(n_entities, n_periods if se == "two-way clustered" else 2) < 2:
        raise TandemError(
            f"{n_entities} entity(s) and {n_periods} year(s) are too few for {effects} effects "
            f"with {se} errors; take at least two."
        )
    left = _left(kept, effects)
    _refuse_collinear(kept, left, effects)
    own_y, own_x = kept["__y__"].rename(y.name), kept[list(x.columns)]
    if effects in ("entity", "two-way") and se == "clustered":
        result, factor = within_regression(own_y, own_x, left, absorbed, effects)
    else:
        result, factor = _fit(own_y, own_x, effects, se, n_periods)
    facts = {
        "n_dropped": len(rows) - len(kept),
        "n_singletons": n_singletons,
        "se_type": _se_words(se, n_periods),
        "se_factor": f"{factor:.4f}",
    }
    if "clustered" in se or se == "xtreg":
        facts["n_clusters"] = min(n_entities, n_periods) if "two-way" in se else n_entities
        facts["t_df"] = facts["n_clusters"] - 1
    if se == "driscoll-kraay":
        facts["t_df"] = n_periods - 1
    return result, facts


def _joined(y: pd.Series, x: pd.DataFrame) -> pd.DataFrame:
    """y as "__y__" and x side by side; what is no panel of numbers is refused."""
    for part in (y, x):
        if part.index.nlevels != 2:
            raise TandemError(
                "A panel is indexed by (entity, year); use set_index(['entity', 'year']) first."
            )
        entity, year = codes_of(part.index)
        if len(part) == 0 or min(entity.min(), year.min()) < 0:
            raise TandemError("The panel is empty, or an entity or a year has no name.")
        if np.bincount(entity * (year.max() + 1) + year).max() > 1:
            twice = part.index[part.index.duplicated()][0]
            raise TandemError(f"{twice[0]} has two rows for {twice[1]}; keep one.")
    rows = pd.concat([y.rename("__y__"), x], axis=1)
    for name, dtype in rows.dtypes.items():
        if dtype.kind not in "iufb":
            shown = y.name if name == "__y__" else name
            raise TandemError(f"'{shown}' holds text, not numbers; convert it first.")
    return rows


def _without_singletons(rows: pd.DataFrame, effects: str) -> tuple[pd.DataFrame, int]:
    """Rows that share their entity (and year) with another, and how many do not."""
    kept = rows
    while True:
        codes = codes_of(kept.index)[: 2 if effects == "two-way" else 1]
        alone = np.any([np.bincount(code)[code] == 1 for code in codes], axis=0)
        if not alone.any():
            return kept, len(rows) - len(kept)
        kept = kept[~alone]


def _fit(y: pd.Series, x: pd.DataFrame, effects: str, se: str, n_periods: int) -> tuple:
    """linearmodels' result, and the ratio of its variance to the uncorrected one."""
    covariance = _covariance(se, n_periods, corrected=True)
    try:
        model = (_as_xtreg if se == "xtreg" else _model)(y, x, effects)
        result = model.fit(**covariance)
    except ValueError as err:
        raise TandemError(f"No regression with {effects} effects on these rows: {err}") from err
    uncounted = {"auto_df": False, "count_effects": False} if isinstance(model, PanelOLS) else {}
    plain = model.fit(**_covariance(se, n_periods, corrected=False), **uncounted)
    return result, float(np.median(np.diag(result.cov) / np.diag(plain.cov)))


def _model(y: pd.Series, x: pd.DataFrame, effects: str):
    with_constant = x.assign(const=1.0)
    if effects in ("none", "difference"):
        return PooledOLS(y, with_constant)
    if effects == "between":
        return BetweenOLS(y, with_constant)
    if effects == "mundlak":
        means = x.groupby(level=0).transform("mean")
        varies = (means - x).abs().max() > 1e-12 * x.abs().max()
        with_constant = with_constant.join(means.loc[:, varies].add_suffix(" (entity mean)"))
    if effects in ("random", "mundlak"):
        return RandomEffects(y, with_constant)
    return PanelOLS(y, x, entity_effects=True, time_effects=effects == "two-way")


def _as_xtreg(y: pd.Series, x: pd.DataFrame, effects: str) -> PanelOLS:
    """A constant and, for two-way effects, year dummies as regressors, so that k counts them."""
    if effects not in ("entity", "two-way"):
        raise TandemError(f"xtreg's factor is for entity and two-way effects, not '{effects}'.")
    design = x.assign(const=1.0)
    if effects == "two-way":
        years = pd.Series(x.index.get_level_values(1), x.index)
        design = design.join(pd.get_dummies(years, dtype=float).iloc[:, 1:].add_prefix("year "))
    return PanelOLS(y, design, entity_effects=True)


def _bandwidth(n_periods: int) -> int:
    return int(np.floor(4 * (n_periods / 100) ** (2 / 9)))


def _covariance(se: str, n_periods: int, corrected: bool) -> dict:
    if se in ("clustered", "two-way clustered", "xtreg"):
        return {
            "cov_type": "clustered",
            "cluster_entity": True,
            "cluster_time": se == "two-way clustered",
            "group_debias": corrected,
            "debiased": corrected,
        }
    if se == "driscoll-kraay":
        bandwidth = _bandwidth(n_periods)
        return {
            "cov_type": "kernel",
            "kernel": "bartlett",
            "bandwidth": bandwidth,
            "debiased": corrected,
        }
    if se in ("unadjusted", "robust"):
        return {"cov_type": se, "debiased": corrected}
    raise TandemError(f"Standard errors of type '{se}' are not known.")


def _se_words(se: str, n_periods: int) -> str:
    words = {
        "clustered": "clustered by entity",
        "xtreg": "clustered by entity, Stata's xtreg factor",
        "two-way clustered": "clustered by entity and by year",
        "driscoll-kraay": f"Driscoll-Kraay (Bartlett, {_bandwidth(n_periods)} lags)",
        "unadjusted": "classical",
        "robust": "heteroskedasticity-robust",
    }
    return words[se]


def _left(rows: pd.DataFrame, effects: str) -> np.ndarray:
    """The columns less effects or, without them, less their means."""
    values = rows.to_numpy(dtype=float)
    if effects in ("entity", "two-way"):
        return demeaned(values, codes_of(rows.index), effects)
    return values - values.mean(axis=0)


def _refuse_collinear(rows: pd.DataFrame, left: np.ndarray, effects: str) -> None:
    """Name the first regressor that the effects or the others before it explain wholly; or y."""
    if np.linalg.norm(left[:, 0]) <= 1e-12 * np.linalg.norm(rows.iloc[:, 0]):
        raise TandemError(
            f"The dependent variable does not vary once the {effects} effects are out; there is "
            "nothing to explain."
        )
    values, names = rows.to_numpy(dtype=float)[:, 1:], list(rows.columns[1:])
    scale = np.abs(values).max(axis=0)
    upper = np.linalg.qr(left[:, 1:] / np.where(scale > 0, scale, 1.0), mode="r")
    least = LEFT if effects in ("entity", "two-way") else 0.0
    some = np.linalg.norm(left[:, 1:], axis=0) >= np.linalg.norm(values, axis=0) * least
    for i, name in enumerate(names, start=1):
        rank = np.linalg.matrix_rank(upper[:i, :i], tol=1e-9 * len(rows))
        if rank < i or not some[i - 1]:
            raise TandemError(
                f"The regressor '{name}' is explained wholly by the {effects} effects or by the "
                f"regressors before it ({', '.join(names[: i - 1]) or 'none'}); leave one out."
            )


def lags(x: pd.DataFrame | pd.Series, orders: list[int]) -> pd.DataFrame:
    """Lags by calendar year, columns "L1.name" ...; a gap year gives a missing lag.

    Parameters
    ----------
    x : DataFrame or Series indexed by (entity, year)
    orders : list of int
        0 keeps the name as it is.
    """
    frame = x.to_frame() if isinstance(x, pd.Series) else x
    columns = {}
    for order in orders:
        moved = frame.copy()
        moved.index = moved.index.set_levels(moved.index.levels[1] + order, level=1)
        for name in frame:
            label = f"L{order}.{name}" if order else name
            columns[label] = moved[name].reindex(frame.index)
    return pd.DataFrame(columns, index=frame.index)
