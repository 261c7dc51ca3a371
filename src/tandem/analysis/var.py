"""Step: the VAR of one entity's yearly series (the nation)."""

import numpy as np
import pandas as pd
from scipy.stats import t as student_t

from tandem import estimates
from tandem.analysis.series_links import series_links
from tandem.econometrics import chosen_rank, error_correction, johansen
from tandem.econometrics.time_series import (
    fit_var,
    granger,
    impulse_responses,
    unit_roots,
    variance_decomposition,
)
from tandem.errors import TandemError
from tandem.study import Study

RANKS = 41  # random stream of the rank tests


def fit_nation(study: Study, panel: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """VAR of the study's series with its lag choice, tests, responses and decomposition.

    Parameters
    ----------
    panel : DataFrame (entity-years, derived series)
        One entity.

    Returns
    -------
    dict of DataFrame
        unit_roots, lag_choice, terms, models, granger, irf (both Cholesky orders), fevd;
        cointegration (rank tests); error_correction (equation, term, ...; empty where the rank or
        the years allow no such model); causality (every test both ways, from `series_links`).

    Raises
    ------
    TandemError
        More than one entity, a gap, too few years, a level that is not positive under logs.
    """
    spec = study.models.var
    stages, data = nation_series(study, panel)
    result, orders = fit_var(data, spec.max_lags)
    terms, models = _records(result)
    log = _log(study)
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
    tests = granger(result)
    ranks, model, why = _long_run(study, stages, result.k_ar)
    return {
        "unit_roots": pd.concat(roots, ignore_index=True),
        "cointegration": ranks.reset_index(),
        "error_correction": _vectors_and_terms(model),
        "causality": series_links(study, stages, data, int(result.k_ar), tests, model, why),
        "lag_choice": orders.reset_index(),
        "terms": terms,
        "models": models,
        "granger": tests,
        "irf": pd.concat(irfs, ignore_index=True),
        "fevd": variance_decomposition(result, spec.horizon),
    }


def nation_series(study: Study, panel: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The series by year: as they are (in logs, if changes are of logs), and as the VAR takes them.

    Raises
    ------
    TandemError
        As `fit_nation`.
    """
    spec = study.models.var
    entities = panel.index.get_level_values("entity").unique()
    if len(entities) != 1:
        raise TandemError("models.var is for one entity; use models.panel_var for a panel.")
    years = pd.RangeIndex(spec.years[0], spec.years[1] + 1, name="year")
    levels = panel.xs(entities[0], level="entity")[list(spec.variables)].reindex(years)
    data = _transform(levels, spec.transform)
    return np.log(levels) if _log(study) else levels, data


def _log(study: Study) -> str:
    return "log " if study.models.var.transform == "log-difference" else ""


def _long_run(study: Study, levels: pd.DataFrame, order: int):
    """Rank tests, the error correction model or None, and why there is none."""
    lags = order if _log(study) else order - 1
    seed = np.random.SeedSequence([study.seed, RANKS])
    try:
        ranks = johansen(levels, lags, study.models.var.draws, seed)
    except TandemError as err:
        columns = ["rank", "eigenvalue", "trace", "trace_5", "max_eigenvalue", "max_5"]
        return pd.DataFrame(columns=[*columns, "trace_p", "max_p"]).set_index("rank"), None, err
    try:
        return ranks, error_correction(levels, chosen_rank(ranks), lags), None
    except TandemError as err:
        return ranks, None, err


def _vectors_and_terms(model) -> pd.DataFrame:
    """The cointegrating vectors, then the equations; without a model no row."""
    columns = ["equation", "term", "estimate", "std_error", "p_value", "conf_low", "conf_high"]
    if model is None:
        return pd.DataFrame(columns=columns)
    beta = model.beta.T.stack().rename_axis(["equation", "term"]).rename("estimate")
    found = pd.concat([beta.reset_index(), model.terms.reset_index()], ignore_index=True)
    return found[columns]


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
