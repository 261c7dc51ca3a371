"""Step: the VAR of one entity's yearly series (the nation)."""

from functools import partial
from itertools import permutations

import numpy as np
import pandas as pd
from scipy.stats import t as student_t

from tandem import estimates
from tandem.econometrics import bounds_test, frequency_causality, toda_yamamoto
from tandem.econometrics.time_series import (
    fit_var,
    granger,
    impulse_responses,
    unit_roots,
    variance_decomposition,
)
from tandem.errors import TandemError
from tandem.study import Study

CYCLES = (3, 5, 10)  # years


def fit_nation(study: Study, panel: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """VAR of the study's series with its lag choice, tests, responses and decomposition.

    Parameters
    ----------
    panel : DataFrame (entity-years, derived series)
        One entity.

    Returns
    -------
    dict of DataFrame
        unit_roots, lag_choice, terms, models, granger, irf (both Cholesky orders), fevd; causality
        (further tests both ways: Toda-Yamamoto, by frequency, bounds), with the reason in `why`
        where the years do not carry one.

    Raises
    ------
    TandemError
        More than one entity, a gap, too few years, a level that is not positive under logs.
    """
    spec = study.models.var
    entities = panel.index.get_level_values("entity").unique()
    if len(entities) != 1:
        raise TandemError("models.var is for one entity; use models.panel_var for a panel.")
    levels = panel.xs(entities[0], level="entity")[list(spec.variables)]
    years = pd.RangeIndex(spec.years[0], spec.years[1] + 1, name="year")
    data = _transform(levels.reindex(years), spec.transform)
    result, orders = fit_var(data, spec.max_lags)
    terms, models = _records(result)
    log = "log " if spec.transform == "log-difference" else ""
    stages = (np.log(levels) if log else levels).reindex(years)
    roots = [
        unit_roots(stages.rename(columns=f"{log}{{}}".format)),
        unit_roots(stages.diff().iloc[1:].rename(columns=f"Δ {log}{{}}".format)),
    ]
    names = list(data.columns)
    irfs = []
    for stream, order in enumerate((names, names[::-1])):
        seed = np.random.SeedSequence([study.seed, stream])
        irf = impulse_responses(data[order], result.k_ar, spec.horizon, spec.draws, seed)
        irfs.append(irf.assign(order=f"order: {', '.join(order)}"))
    return {
        "unit_roots": pd.concat(roots, ignore_index=True),
        "causality": _causality(stages, data, study.seed),
        "lag_choice": orders.reset_index(),
        "terms": terms,
        "models": models,
        "granger": granger(result),
        "irf": pd.concat(irfs, ignore_index=True),
        "fevd": variance_decomposition(result, spec.horizon),
    }


def _records(result) -> estimates.Records:
    """One equation a variable; ordinary standard errors with n - k degrees of freedom."""
    words = "classical, n - k degrees of freedom"
    tables = []
    for equation in result.names:
        estimate = result.params[equation]
        error = result.stderr[equation]
        reach = student_t.ppf(0.975, result.df_resid) * error
        tables.append(
            estimates.terms_frame(
                "var",
                "var",
                equation,
                estimate,
                std_error=error,
                statistic=estimate / error,
                p_value=pd.Series(
                    2 * student_t.sf((estimate / error).abs(), result.df_resid), estimate.index
                ),
                conf_low=estimate - reach,
                conf_high=estimate + reach,
                se_type=words,
            )
        )
    facts = {
        "n_obs": int(result.nobs),
        "lags": int(result.k_ar),
        "max_modulus": float(1 / np.abs(result.roots).min()),
        "portmanteau_p": float(result.test_whiteness(nlags=result.k_ar + 2, adjusted=True).pvalue),
        "normality_p": float(result.test_normality().pvalue),
        "se_type": words,
        "conf_level": 0.95,
    }
    return pd.concat(tables, ignore_index=True), estimates.models_frame("var", "var", facts)


def _transform(levels: pd.DataFrame, how: str) -> pd.DataFrame:
    gaps = levels.index[levels.isna().any(axis=1)]
    if len(gaps):
        raise TandemError(
            f"models.var: {', '.join(map(str, gaps))} has no figure for "
            f"{', '.join(levels.columns[levels.isna().any()])}; shorten the years or add it."
        )
    if how == "level":
        return levels
    if (levels <= 0).any().any():
        raise TandemError("models.var: logs need positive series; use transform: level.")
    return np.log(levels).diff().iloc[1:]


def _causality(levels: pd.DataFrame, changes: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Toda-Yamamoto and bounds on the levels, by frequency on what the VAR is fitted to."""
    rows = []
    for stream, (a, b) in enumerate(permutations(range(levels.shape[1]), 2)):
        names = levels.columns[a], levels.columns[b]
        moved = changes.columns[a], changes.columns[b]
        drawn = [seed, 20 + stream]
        tests = {
            "Toda-Yamamoto, 1 + 1 lags, chi-square": partial(_toda_yamamoto, levels, names, 0, 0),
            "Toda-Yamamoto, 1 + 1 lags, bootstrap": partial(
                _toda_yamamoto, levels, names, 999, drawn
            ),
            "bounds of a level relation, 1 lag": partial(_bounds, levels, names),
        }
        for years in CYCLES:
            tests[f"cycles of {years} years, 3 lags"] = partial(_cycle, changes, moved, years)
        for name, test in tests.items():
            try:
                facts = test()
            except TandemError as err:
                facts = {"why": str(err)}
            rows.append({"cause": names[0], "effect": names[1], "test": name, **facts})
    columns = ["cause", "effect", "test", "statistic", "df", "p_value", "why"]
    return pd.DataFrame(rows, columns=columns)


def _toda_yamamoto(levels, names, draws: int, seed) -> dict:
    test = toda_yamamoto(levels, *names, lags=1, extra=1, draws=draws, seed=seed)
    p = test.bootstrap_p if draws else test.pval
    return {"statistic": test.stat, "df": str(test.df), "p_value": p, "why": ""}


def _cycle(changes, names, years: int) -> dict:
    table = frequency_causality(changes, *names, points=199)
    row = table.iloc[(table["years"] - years).abs().argmin()]
    return {"statistic": row["stat"], "df": row["df"], "p_value": row["p_value"], "why": ""}


def _bounds(levels, names) -> dict:
    row = bounds_test(levels, *names).loc["5 %"]
    told = f"{row['verdict']} at 5 % (bounds {row['lower']:.2f}, {row['upper']:.2f})"
    return {"statistic": row["statistic"], "df": "", "p_value": np.nan, "why": told}
