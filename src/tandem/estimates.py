"""The results store: tidy records that every table, figure, text number and comparison reads.

``terms.csv`` has one row a coefficient (broom's names), ``models.csv`` one row a statistic of
a model. Numbers keep full precision; nothing is pickled.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import scipy

from tandem.errors import TandemError
from tandem.files import write_whole

NUMBERS = ["estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high"]
TERM_KEY = ["table", "model", "equation", "term", "horizon"]
MODEL_KEY = ["table", "model", "statistic"]
TERMS = ["study", *TERM_KEY, *NUMBERS, "se_type"]
MODELS = ["study", *MODEL_KEY, "value"]
UNDEFINED = "undefined"

Records = tuple[pd.DataFrame, pd.DataFrame]


def terms_frame(
    table: str,
    model: str,
    equation: str,
    estimate: pd.Series,
    *,
    std_error: pd.Series | float = np.nan,
    statistic: pd.Series | float = np.nan,
    p_value: pd.Series | float = np.nan,
    conf_low: pd.Series | float = np.nan,
    conf_high: pd.Series | float = np.nan,
    se_type: str = "",
    horizon: int | None = None,
) -> pd.DataFrame:
    """Records of one equation: one row a term, in the order of ``estimate``.

    Parameters
    ----------
    table, model, equation
        Where the estimates belong; a single-equation model names its dependent variable.
    estimate
        Estimates indexed by term; the other series share that index. NaN where a number does not
        exist (a bootstrap band has no standard error).
    se_type
        How the standard errors were computed, in words, as a table's note prints it.
    horizon
        Years after the shock, for impulse responses only.

    Returns
    -------
    DataFrame
        The columns of ``terms.csv`` without ``study``.
    """
    frame = pd.DataFrame(
        {
            "estimate": estimate,
            "std_error": std_error,
            "statistic": statistic,
            "p_value": p_value,
            "conf_low": conf_low,
            "conf_high": conf_high,
        }
    ).loc[estimate.index]
    frame = frame.rename_axis("term").reset_index()
    where = {"table": table, "model": model, "equation": equation, "se_type": se_type}
    frame = frame.assign(**where, horizon=pd.array([horizon] * len(frame), dtype="Int64"))
    return _typed(frame, TERMS[1:])


def models_frame(table: str, model: str, statistics: Mapping[str, object]) -> pd.DataFrame:
    """Records of one model: one row a statistic, in the order given.

    Numbers become text at full precision, True and False "yes" and "no", and a number that does
    not exist (NaN) the word "undefined".
    """
    values = [(table, model, name, _text(value)) for name, value in statistics.items()]
    return _typed(pd.DataFrame(values, columns=MODELS[1:]), MODELS[1:])


def from_linearmodels(
    result,
    table: str,
    model: str,
    se_type: str,
    equation: str | None = None,
    conf_level: float = 0.95,
    t_df: int | None = None,
    **extra: object,
) -> Records:
    """Records of a fitted linearmodels panel model.

    Parameters
    ----------
    result
        Result of PooledOLS, PanelOLS, RandomEffects, BetweenOLS or FirstDifferenceOLS.
    table, model
        Names under which tables find the model.
    se_type
        Words for the standard errors ("clustered by province").
    equation
        Default: the dependent variable.
    conf_level
        Coverage of the confidence intervals.
    t_df
        Degrees of freedom of the t distribution behind p-values and intervals (clusters less one
        for clustered errors: Cameron & Miller 2015, section VI); linearmodels' own if left out.
    **extra
        Further model statistics, e.g. ``n_clusters=31, se_factor="G/(G-1)"``.

    Returns
    -------
    terms, models : DataFrame
        The F statistic is the robust Wald test that all slopes are zero; it reads "undefined" when
        the covariance of the slopes is singular (fewer clusters than slopes).

    Raises
    ------
    TandemError
        If a standard error is not a finite number.
    """
    t_df = int(result.df_resid) if t_df is None else t_df
    reach = scipy.stats.t.ppf((1 + conf_level) / 2, t_df) * result.std_errors
    terms = terms_frame(
        table,
        model,
        result.model.dependent.vars[0] if equation is None else equation,
        result.params,
        std_error=result.std_errors,
        statistic=result.tstats,
        p_value=pd.Series(2 * scipy.stats.t.sf(result.tstats.abs(), t_df), result.params.index),
        conf_low=result.params - reach,
        conf_high=result.params + reach,
        se_type=se_type,
    )
    _require_std_errors(terms)
    years = result.model.dependent.dataframe.index.get_level_values(1)
    statistics = {
        "estimator": type(result.model).__name__,
        "n_obs": int(result.nobs),
        "n_entities": int(result.entity_info["total"]),
        "n_periods": int(result.time_info["total"]),
        "first_year": years.min(),
        "last_year": years.max(),
        "r2_within": result.rsquared_within,
        "r2_between": result.rsquared_between,
        "r2_overall": result.rsquared_overall,
        **_effects(result),
        **_robust_f(result),
        "se_type": se_type,
        "t_df": t_df,
        "conf_level": conf_level,
    }
    return terms, models_frame(table, model, statistics | extra)


def from_chunks(
    result,
    table: str,
    model: str,
    effects: str,
    years: tuple[int, int],
    conf_level: float = 0.95,
) -> Records:
    """Records of a `ChunkedRegression` with entity or two-way effects; the table names its effect.

    Parameters
    ----------
    years : (first, last)
        Of the panel.

    Raises
    ------
    TandemError
        If a standard error is not a finite number.
    """
    facts = dict(result.facts)
    reach = scipy.stats.t.ppf((1 + conf_level) / 2, facts["t_df"]) * result.std_errors
    terms = terms_frame(
        table,
        model,
        table,
        result.params,
        std_error=result.std_errors,
        statistic=result.params / result.std_errors,
        p_value=result.pvalues,
        conf_low=result.params - reach,
        conf_high=result.params + reach,
        se_type=facts["se_type"],
    )
    _require_std_errors(terms)
    told = {"estimator": "PanelOLS", "first_year": years[0], "last_year": years[1]}
    told |= {"entity_effects": True, "time_effects": effects == "two-way"}
    return terms, models_frame(table, model, told | facts | {"conf_level": conf_level})


def from_panel_var(
    result,
    table: str,
    model: str,
    se_type: str,
    conf_level: float = 0.95,
    **extra: object,
) -> Records:
    """Records of a fitted panel VAR: one equation a row of ``result.params``.

    Parameters
    ----------
    result
        ``PanelVARResults``: params, std_errors, tstats and pvalues (rows equations, columns terms),
        hansen_j, n_obs, n_entities, n_instruments, moduli and granger (rows (cause, effect)).
    table, model, se_type, conf_level, extra
        As in `from_linearmodels`; intervals use the normal distribution, as GMM is asymptotic.

    Returns
    -------
    terms, models : DataFrame
        Granger tests are the statistics ``granger_stat:cause>effect``, ``granger_df:...`` and
        ``granger_p:...``; moduli are ``modulus_1`` (the largest), ``modulus_2``, ...

    Raises
    ------
    TandemError
        If a standard error is not a finite number.
    """
    reach = scipy.stats.norm.ppf((1 + conf_level) / 2)
    equations = []
    for equation, params in result.params.iterrows():
        std_errors = result.std_errors.loc[equation]
        equations.append(
            terms_frame(
                table,
                model,
                str(equation),
                params,
                std_error=std_errors,
                statistic=result.tstats.loc[equation],
                p_value=result.pvalues.loc[equation],
                conf_low=params - reach * std_errors,
                conf_high=params + reach * std_errors,
                se_type=se_type,
            )
        )
    terms = pd.concat(equations, ignore_index=True)
    _require_std_errors(terms)
    moduli = np.sort(np.asarray(result.moduli, dtype=float))[::-1]
    statistics = {
        "estimator": "PanelVAR",
        "n_obs": int(result.n_obs),
        "n_entities": int(result.n_entities),
        "n_instruments": int(result.n_instruments),
        "hansen_j": result.hansen_j.stat,
        "hansen_df": int(result.hansen_j.df),
        "hansen_p": result.hansen_j.pval,
        **{f"modulus_{i}": modulus for i, modulus in enumerate(moduli, start=1)},
        "stable": bool(moduli[0] < 1),
    }
    for (cause, effect), test in result.granger.iterrows():
        statistics[f"granger_stat:{cause}>{effect}"] = test["stat"]
        statistics[f"granger_df:{cause}>{effect}"] = int(test["df"])
        statistics[f"granger_p:{cause}>{effect}"] = test["pval"]
    statistics |= {"se_type": se_type, "conf_level": conf_level}
    return terms, models_frame(table, model, statistics | extra)


def stack(records: Iterable[Records]) -> Records:
    """Several (terms, models) as one, in the order given."""
    pairs = list(records)
    empty = _typed(pd.DataFrame(columns=TERMS[1:]), TERMS[1:])
    empty_models = _typed(pd.DataFrame(columns=MODELS[1:]), MODELS[1:])
    terms = pd.concat([terms for terms, _ in pairs] or [empty], ignore_index=True)
    models = pd.concat([models for _, models in pairs] or [empty_models], ignore_index=True)
    return terms, models


def write(terms: pd.DataFrame, models: pd.DataFrame, folder: str | Path, study: str) -> None:
    """Write ``terms.csv`` and ``models.csv``, rows in the order given.

    Raises
    ------
    TandemError
        If two rows have the same key or an estimate is not a finite number; then nothing is
        written.
    """
    folder = Path(folder)
    _require_unique(terms, TERM_KEY, folder / "terms.csv")
    _require_unique(models, MODEL_KEY, folder / "models.csv")
    bad = terms[~np.isfinite(terms["estimate"].astype(float))]
    if len(bad):
        raise TandemError(
            f"{folder / 'terms.csv'}: {_where(bad.iloc[0])} has no finite estimate; "
            "leave the term out of the model or mend its data."
        )
    for name, frame, columns in (("terms", terms, TERMS), ("models", models, MODELS)):
        text = _typed(frame.assign(study=study), columns).to_csv(index=False, lineterminator="\n")
        write_whole(folder / f"{name}.csv", text.encode())


def read(folders: Iterable[str | Path]) -> Records:
    """Read the records of several folders, in the order given.

    Raises
    ------
    TandemError
        If a file is missing or has other columns.
    """
    folders = [Path(folder) for folder in folders]
    return stack(
        (_read(folder / "terms.csv", TERMS), _read(folder / "models.csv", MODELS))
        for folder in folders
    )


def _effects(result) -> dict[str, object]:
    """Which effects the model has, and the R2 that counts them as explained."""
    kind = type(result.model).__name__
    if kind == "RandomEffects":
        return {"entity_effects": "random", "time_effects": False}
    if kind == "FirstDifferenceOLS":
        return {"entity_effects": "differenced", "time_effects": False}
    entity = kind == "PanelOLS" and result.model.entity_effects
    time = kind == "PanelOLS" and result.model.time_effects
    inclusive = {"r2_inclusive": result.rsquared_inclusive} if entity or time else {}
    return {**inclusive, "entity_effects": bool(entity), "time_effects": bool(time)}


def _robust_f(result) -> dict[str, object]:
    """The robust F test of all slopes, or "undefined" where its covariance cannot be inverted."""
    regressors = result.model.exog.dataframe
    slopes = [name for name in result.params.index if regressors[name].nunique() > 1]
    scale = result.std_errors[slopes].to_numpy()
    correlation = result.cov.loc[slopes, slopes].to_numpy() / np.outer(scale, scale)
    # A rank deficit shows as an eigenvalue of rounding size, far below any real collinearity.
    rank = np.linalg.matrix_rank(correlation, tol=1e-10, hermitian=True) if slopes else 0
    if not slopes or rank < len(slopes):
        return {"f_stat": np.nan, "f_p": np.nan, "f_df": UNDEFINED}
    test = result.f_statistic_robust
    return {
        "f_stat": test.stat,
        "f_p": test.pval,
        "f_df": f"{test.df}, {test.df_denom}",
    }


def _text(value: object) -> str:
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, (float, np.floating)):
        return repr(float(value)) if np.isfinite(value) else UNDEFINED
    return str(value)


def _typed(frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    kinds = dict.fromkeys(columns, "str")
    if "term" in columns:  # in models.csv, statistic is a name
        kinds |= dict.fromkeys(NUMBERS, "float64") | {"horizon": "Int64"}
    return frame[columns].astype(kinds)


def _read(path: Path, columns: list[str]) -> pd.DataFrame:
    if not path.exists():
        raise TandemError(f"{path}: not found; run the step that estimates these models first.")
    # An equation may be called "NA": only an empty number is missing.
    frame = pd.read_csv(path, dtype="str", keep_default_na=False, na_filter=False)
    if list(frame.columns) != columns:
        raise TandemError(
            f"{path}: the columns are {', '.join(frame.columns)} but must be {', '.join(columns)}; "
            "delete the file and run its step again."
        )
    for column in [*NUMBERS, "horizon"] if "term" in columns else []:
        frame[column] = frame[column].replace("", "nan").astype("float64")
    return _typed(frame, columns)


def _require_unique(frame: pd.DataFrame, key: list[str], path: Path) -> None:
    twice = frame[frame.duplicated(key)]
    if len(twice):
        raise TandemError(
            f"{path}: {_where(twice.iloc[0])} stands there twice; rename one of them."
        )


def _require_std_errors(terms: pd.DataFrame) -> None:
    bad = terms[~np.isfinite(terms[["estimate", "std_error"]]).all(axis=1)]
    if len(bad):
        raise TandemError(
            f"{_where(bad.iloc[0])} has no finite estimate and standard error; "
            "look for collinear regressors or too few clusters."
        )


def _where(row: pd.Series) -> str:
    """Table 'a', model 'b', term 'c': where a record stands."""
    names = ("table", "model", "equation", "term", "horizon", "statistic")
    given = {name: row[name] for name in names if isinstance(row.get(name), (str, np.integer))}
    return ", ".join(f"{name} {value!r}" for name, value in given.items() if value != "")
