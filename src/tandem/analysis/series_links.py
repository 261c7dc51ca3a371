"""Every test of the link between one entity's series, both ways, with its estimate if any."""

from functools import partial
from itertools import permutations

import numpy as np
import pandas as pd
from scipy import stats

from tandem.econometrics import (
    bounds_test,
    frequency_causality,
    joint_links,
    romano_wolf,
    toda_yamamoto,
)
from tandem.errors import TandemError
from tandem.study import Study

CYCLES = (3, 5, 10)  # years
WALD, VAR, JOINT = 20, 30, 40  # random streams: of the levels, of the VAR, of all together
COLUMNS = [
    "cause", "effect", "test", "estimate", "conf_low", "conf_high", "statistic", "df", "p_value",
    "romano_wolf_p", "why",
]  # fmt: skip


def series_links(
    study: Study, levels, changes, lags: int, granger: pd.DataFrame, vecm, refusal
) -> pd.DataFrame:
    """All tests both ways.

    Parameters
    ----------
    levels, changes : DataFrame (years, variables)
        The series, and what the VAR is fitted to.
    lags : int
        Of the VAR.
    granger : DataFrame
        Its Granger tests: cause, effect, statistic, df, p_value.
    vecm : ErrorCorrection or None
    refusal : TandemError or None
        Why there is no error correction model.

    Returns
    -------
    DataFrame
        cause, effect, test; estimate (what a unit of the cause moves the effect by a year later; of
        several lags the sum), conf_low, conf_high (95 %); statistic, df, p_value; romano_wolf_p
        over the regressions that are redrawn together under no link; in `why` what a bounds test
        says, or the reason why the years carry none.
    """
    draws, seed = study.models.var.draws, study.seed
    differenced = study.models.var.transform == "log-difference"
    try:
        joint = _joint(levels, differenced, lags, draws, [seed, JOINT])
    except TandemError as err:
        joint = err
    tests = granger.set_index(["cause", "effect"])
    rows = []
    for stream, pair in enumerate(permutations(levels.columns, 2)):
        rows += _regressions(
            levels, changes, pair, lags, tests.loc[pair], joint, draws, seed, stream
        )
        if vecm is None:
            rows.append({"cause": pair[0], "effect": pair[1], "test": "VECM", "why": str(refusal)})
        else:
            rows += _error_correction(vecm, pair)
        for years in CYCLES:
            test = partial(_cycle, changes, pair, years)
            rows.append(_row(pair, f"cycles of {years} years, 3 lags", test))
    return pd.DataFrame(rows, columns=COLUMNS)


def _regressions(levels, changes, pair, lags, test, joint, draws, seed, stream) -> list[dict]:
    """Tests by one regression of the effect, in changes and in levels."""
    wald = partial(toda_yamamoto, levels, *pair, lags=1, extra=1)
    small = partial(toda_yamamoto, changes, *pair, lags=lags, extra=0)
    words, ty = f"{lags} lag{'s' * (lags > 1)}", "Toda-Yamamoto, 1 + 1 lags"
    tests = {
        f"VAR, {words}": lambda: _var(test, joint, pair),
        f"VAR, {words}, bootstrap": lambda: _bootstrap(
            small(draws=draws, seed=[seed, VAR + stream])
        ),
        f"{ty}, chi-square": lambda: _toda_yamamoto(wald(draws=0), joint, pair),
        f"{ty}, bootstrap": lambda: _bootstrap(wald(draws=draws, seed=[seed, WALD + stream])),
        "ARDL in levels, 1 lag, bootstrap": lambda: _ardl(joint, pair),
        "bounds of a level relation, 1 lag": lambda: _bounds(levels, pair),
    }
    return [_row(pair, name, found) for name, found in tests.items()]


def _row(pair: tuple, name: str, test) -> dict:
    try:
        facts = test()
    except TandemError as err:
        facts = {"why": str(err)}
    return {"cause": pair[0], "effect": pair[1], "test": name, "why": "", **facts}


def _joint(levels, differenced: bool, lags: int, draws: int, seed) -> pd.DataFrame:
    """Estimates redrawn together, with p-values of each by itself and of all, step by step."""
    table, drawn = joint_links(levels, differenced, lags, draws, seed)
    t = (table["estimate"] / table["std_error"]).to_numpy()
    alone = (1 + (np.abs(drawn) >= np.abs(t)).sum(axis=0)) / (1 + len(drawn))
    return table.assign(
        statistic=t,
        bootstrap_p=alone,
        critical=np.quantile(np.abs(drawn), 0.95, axis=0),
        romano_wolf_p=romano_wolf(t, drawn),
    ).set_index(["cause", "effect", "method"])


def _of(joint, pair: tuple, method: str) -> pd.Series:
    if isinstance(joint, TandemError):
        raise joint
    return joint.loc[(*pair, method)]


def _interval(estimate: float, reach: float) -> dict:
    return {"estimate": estimate, "conf_low": estimate - reach, "conf_high": estimate + reach}


def _var(test: pd.Series, joint, pair) -> dict:
    facts = {k: test[k] for k in ("statistic", "df", "p_value")}
    row = _of(joint, pair, "VAR")
    reach = stats.t.ppf(0.975, row["df"]) * row["std_error"]
    return _interval(row["estimate"], reach) | facts | {"romano_wolf_p": row["romano_wolf_p"]}


def _toda_yamamoto(test, joint, pair) -> dict:
    facts = {"statistic": test.stat, "df": str(test.df), "p_value": test.pval}
    shown = _interval(test.estimate, stats.norm.ppf(0.975) * test.std_error)
    return shown | facts | {"romano_wolf_p": _of(joint, pair, "Toda-Yamamoto")["romano_wolf_p"]}


def _bootstrap(test) -> dict:
    facts = {"statistic": test.stat, "df": str(test.df), "p_value": test.bootstrap_p}
    return _interval(test.estimate, test.critical * test.std_error) | facts


def _ardl(joint, pair) -> dict:
    row = _of(joint, pair, "ARDL")
    facts = {"statistic": row["statistic"] ** 2, "df": "1", "p_value": row["bootstrap_p"]}
    shown = _interval(row["estimate"], row["critical"] * row["std_error"])
    return shown | facts | {"romano_wolf_p": row["romano_wolf_p"]}


def _bounds(levels, names) -> dict:
    row = bounds_test(levels, *names).loc["5 %"]
    told = f"{row['verdict']} at 5 % (bounds {row['lower']:.2f}, {row['upper']:.2f})"
    return {"statistic": row["statistic"], "df": "", "p_value": row["p_upper"], "why": told}


def _error_correction(model, pair) -> list[dict]:
    table = model.causality.set_index(["cause", "effect"]).loc[[pair]]
    rows = []
    for row in table[table["part"] != "both"].itertuples():
        reach = stats.t.ppf(0.975, model.df_resid) * row.std_error
        facts = {"statistic": row.statistic, "df": row.df, "p_value": row.p_value}
        found = partial(dict, **_interval(row.estimate, reach), **facts)
        rows.append(_row(pair, f"VECM, {row.part}", found))
    return rows


def _cycle(changes, names, years: int) -> dict:
    table = frequency_causality(changes, *names, points=199)
    row = table.iloc[(table["years"] - years).abs().argmin()]
    return {"statistic": row["stat"], "df": row["df"], "p_value": row["p_value"]}
