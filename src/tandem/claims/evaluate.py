"""Decide each claim of a study by the rule of its kind of test."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy import stats

from tandem.analysis.regressions import within_scale
from tandem.econometrics import (
    DynamicPanel,
    PanelThreshold,
    holm,
    specification_curve,
    specifications,
)
from tandem.econometrics.static import lags, panel_regression
from tandem.errors import TandemError
from tandem.study import Claim, Study

RULES = {
    "two_way": "supported if the 95 % intervals of the first two-way regression and of the first "
    "panel VAR both lie on the claimed side of zero, contradicted if both lie on the other",
    "link": "supported if the 95 % intervals of the two-way regression and of difference GMM with "
    "the effect's own past both lie on the claimed side of zero, contradicted if both lie on the "
    "other",
    "stages": "supported if more moves between stages of D go up than down, 95 % interval over "
    "entities above zero; contradicted if below",
    "spillover": "supported if the indirect effect of the spatial Durbin model by borders has a "
    "95 % interval on the claimed side of zero, contradicted if on the other",
    "threshold": "supported if the effect has a threshold at 5 % whose 95 % set holds the claimed "
    "value and is larger above it, contradicted if it has one elsewhere or is smaller above",
    "bound": "supported if no published value of any vintage passes the bound, contradicted if "
    "every vintage has one that does",
    "none": "cannot be tested with the figures at hand",
}
COLUMNS = [
    "verdict", "estimate", "conf_low", "conf_high", "p_value", "second", "second_low",
    "second_high", "agree", "tables", "why",
]  # fmt: skip
SUPPORTED, CONTRADICTED, UNDETERMINED, NO_DATA = (
    "supported", "contradicted", "undetermined", "no data",
)  # fmt: skip


def evaluate(study: Study, results: dict[str, pd.DataFrame], terms: pd.DataFrame) -> pd.DataFrame:
    """A row a claim.

    Parameters
    ----------
    results : dict of DataFrame
        Frames of the earlier steps by their path in the study's results.
    terms : DataFrame
        Records of the regressions and panel VARs.

    Returns
    -------
    DataFrame
        claim, part, test, cause, effect, sign, verdict ("supported", "contradicted",
        "undetermined", "no data"), estimate with interval and p-value of the test that decides
        (standard deviations, for links), second and its interval where the rule has two, holm_p
        over the claims tested, agree (share of specifications with the claimed sign), tables (where
        to look), why (what stands in the way, or the series that would settle it).
    """
    rows = []
    for name, claim in study.claims.items():
        facts = dict.fromkeys(COLUMNS[1:9], np.nan) | {"tables": "", "why": claim.needs}
        try:
            facts |= TESTS[claim.test](study, claim, results, terms)
        except TandemError as err:
            facts |= {"verdict": NO_DATA, "why": str(err)}
        rows.append({"claim": name, **_declared(claim), **facts})
    table = pd.DataFrame(rows)
    table["holm_p"] = holm(table["p_value"])
    first = ["claim", "part", "test", "cause", "effect", "sign", "verdict"]
    return table[[*first, *COLUMNS[1:5], "holm_p", *COLUMNS[5:]]]


def _declared(claim: Claim) -> dict:
    return {
        "part": claim.part,
        "test": claim.test,
        "cause": claim.cause or "",
        "effect": claim.effect or "",
        "sign": claim.sign,
    }


def _none(study, claim: Claim, results, terms) -> dict:
    return {"verdict": NO_DATA}


def _word(claim: Claim, *intervals: tuple[float, float]) -> str:
    """Where all intervals lie: on the claimed side of zero, on the other, or neither."""
    turn = 1 if claim.sign == "+" else -1
    if all(min(turn * low, turn * high) > 0 for low, high in intervals):
        return SUPPORTED
    if all(max(turn * low, turn * high) < 0 for low, high in intervals):
        return CONTRADICTED
    return UNDETERMINED


def _two_way(study: Study, claim: Claim, results, terms) -> dict:
    """The main models of the study; agreement from the specification curve."""
    main = [r for r, s in study.models.regressions.items() if s.effects == "two-way"][:1]
    var = list(study.models.panel_var.models)[:1] if study.models.panel_var else []
    if not main or not var:
        raise TandemError("The study has no two-way regression and panel VAR to decide by.")
    known = terms.set_index(["table", "equation", "model", "term"])
    scale = within_scale(results["indices/scores"], claim.cause, claim.effect)
    one, two = (
        known.loc[(table, claim.effect, model, f"L1.{claim.cause}")]
        for table, model in ((claim.effect, main[0]), ("panel_var", var[0]))
    )
    intervals = [(m["conf_low"] * scale, m["conf_high"] * scale) for m in (one, two)]
    agree = np.nan
    summary = results.get("estimates/verdict/curve_summary")
    if summary is not None:
        way = f"{claim.cause} → {claim.effect}"
        share = summary.set_index("direction").loc[way, "share_positive"]
        agree = share if claim.sign == "+" else 1 - share
    return {
        "verdict": _word(claim, *intervals),
        "estimate": one["estimate"] * scale,
        "conf_low": intervals[0][0],
        "conf_high": intervals[0][1],
        "p_value": one["p_value"],
        "second": two["estimate"] * scale,
        "second_low": intervals[1][0],
        "second_high": intervals[1][1],
        "agree": agree,
        "tables": "two_way, two_way_curve",
    }


def _link(study: Study, claim: Claim, results, terms) -> dict:
    """The cause's past on the effect, two-way within and by GMM with the effect's own past."""
    panel, scores = results["data/panel"], results["indices/scores"]
    both = pd.concat([_series(name, scores, panel) for name in (claim.cause, claim.effect)], axis=1)
    controls = [c for c in study.models.controls if c not in (claim.cause, claim.effect)]
    x = lags(both[claim.cause], [1])
    result, facts = panel_regression(
        both[claim.effect], x.join(panel[controls]), "two-way", "clustered"
    )
    name, scale = f"L1.{claim.cause}", within_scale(both, claim.cause, claim.effect)
    b, se = result.params[name], result.std_errors[name]
    reach = stats.t.ppf(0.975, facts["t_df"]) * se
    own = DynamicPanel(
        both[claim.effect], panel[controls] if controls else None, x, transform="fod",
        instrument_lags=(2, 4), collapse=True, time_effects=True,
    ).fit().terms.loc[name]  # fmt: skip
    intervals = [
        ((b - reach) * scale, (b + reach) * scale),
        (own["conf_low"] * scale, own["conf_high"] * scale),
    ]
    return {
        "verdict": _word(claim, *intervals),
        "estimate": b * scale,
        "conf_low": intervals[0][0],
        "conf_high": intervals[0][1],
        "p_value": 2 * stats.t.sf(abs(b / se), facts["t_df"]),
        "second": own["estimate"] * scale,
        "second_low": intervals[1][0],
        "second_high": intervals[1][1],
        "agree": _agreement(study, claim, both, panel[controls]),
        "tables": "claims",
    }


def _series(name: str, scores: pd.DataFrame, panel: pd.DataFrame) -> pd.Series:
    return scores[name] if name in scores else panel[name]


def _agreement(study: Study, claim: Claim, both: pd.DataFrame, controls: pd.DataFrame) -> float:
    """Share of specifications with the claimed sign; the choices are those of the study's curve."""
    curve = study.models.verdict.curve if study.models.verdict else None
    if curve is None:
        return np.nan
    years = both.index.get_level_values("year")
    windows = {f"{a}-{b}": (a, b) for a, b in curve.windows or [(int(years.min()),
                                                                 int(years.max()))]}  # fmt: skip
    sets = {"without": None, "with": controls} if len(controls.columns) else {"without": None}
    choices = [b.model_dump() if b else {} for b in (curve.least_squares, curve.gmm)]
    specs = specifications(["as measured"], list(windows), list(sets), *choices)
    found = specification_curve(
        specs, {"as measured": both}, windows, sets, claim.cause, claim.effect, draws=0
    )
    share = found.summary["share_positive"]
    return share if claim.sign == "+" else 1 - share


def _stages(study: Study, claim: Claim, results, terms) -> dict:
    """Moves between stages of D, up less down, a year; errors clustered by entity."""
    if not study.dynamics:
        raise TandemError("The study has no stages (dynamics.stages).")
    d = results["indices/coupling"][f"D_{study.coupling.model}"].dropna()
    stage = pd.Series(np.searchsorted(study.dynamics.stages, d), d.index, name="stage")
    before = lags(stage, [1]).iloc[:, 0]
    moves = np.sign(stage - before).dropna()
    sums = moves.groupby(level=0).agg(["sum", "size"])
    n, total = len(sums), sums["size"].sum()
    if n < 2:
        raise TandemError("Moves of one entity have no interval.")
    b = sums["sum"].sum() / total
    scores = sums["sum"] - b * sums["size"]
    se = np.sqrt((scores**2).sum() * n / (n - 1)) / total
    reach = stats.t.ppf(0.975, n - 1) * se
    return {
        "verdict": _word(claim, (b - reach, b + reach)),
        "estimate": b,
        "conf_low": b - reach,
        "conf_high": b + reach,
        "p_value": 2 * stats.t.sf(abs(b / se), n - 1) if se > 0 else np.nan,
        "tables": "dynamics_transitions",
    }


def _spillover(study: Study, claim: Claim, results, terms) -> dict:
    """Indirect effect of the spatial Durbin model by borders; its interval from its p-value."""
    spatial = results.get("estimates/robustness/spatial")
    if spatial is None:
        raise TandemError("The study has no spatial models (models.robustness.neighbours).")
    way = f"{claim.cause} → {claim.effect}"
    rows = spatial[
        (spatial["direction"] == way)
        & (spatial["weights"] == "borders")
        & (spatial["model"] == "spatial Durbin")
    ]
    if rows.empty:
        raise TandemError(f"The spatial Durbin model of {way} by borders was not estimated.")
    b, p = rows["indirect"].iloc[0], rows["indirect p"].iloc[0]
    reach = stats.norm.ppf(0.975) * abs(b) / stats.norm.isf(p / 2)
    scale = within_scale(results["indices/scores"], claim.cause, claim.effect)
    low, high = (b - reach) * scale, (b + reach) * scale
    return {
        "verdict": _word(claim, (low, high)),
        "estimate": b * scale,
        "conf_low": low,
        "conf_high": high,
        "p_value": p,
        "tables": "robustness_spatial",
    }


def _threshold(study: Study, claim: Claim, results, terms) -> dict:
    """One threshold of the effect in `by`, with controls and year effects (Hansen 1999)."""
    panel, scores = results["data/panel"], results["indices/scores"]
    y, cause = (_series(name, scores, panel) for name in (claim.effect, claim.cause))
    x, q = lags(cause, [1]).iloc[:, 0], panel[claim.by]
    rows = pd.concat([y, x, q, panel[list(study.models.controls)]], axis=1).dropna()
    years = pd.Series(rows.index.get_level_values("year"), rows.index)
    others = rows[[c for c in study.models.controls if c != claim.by]]
    others = others.join(pd.get_dummies(years, dtype=float).iloc[:, 1:].add_prefix("year "))
    fit = PanelThreshold(y[rows.index], x[rows.index], q[rows.index], others).fit(
        1, draws=999, seed=int(np.random.SeedSequence(study.seed).generate_state(1)[0])
    )
    place = fit.thresholds.iloc[0]
    p = fit.tests["p_value"].iloc[0]
    slopes = fit.terms.loc[fit.terms.index.str.contains(x.name, regex=False), "estimate"]
    larger = slopes.iloc[1] > slopes.iloc[0]
    holds = place["conf_low"] <= claim.value <= place["conf_high"]
    reached = float((q[rows.index] > claim.value).mean())
    word = UNDETERMINED if p >= 0.05 else SUPPORTED if holds and larger else CONTRADICTED
    return {
        "verdict": word,
        "estimate": place["estimate"],
        "conf_low": place["conf_low"],
        "conf_high": place["conf_high"],
        "p_value": p,
        "why": f"{reached:.0%} of entity-years lie above {claim.value:g}; the effect is "
        f"{slopes.iloc[0]:.3f} below the threshold found and {slopes.iloc[1]:.3f} above. "
        f"{claim.needs}".strip(),
    }


def _bound(study: Study, claim: Claim, results, terms) -> dict:
    """Every published value of every vintage against the bound."""
    printed = results.get("data/printed")
    if printed is None or claim.cause not in set(printed["series"]):
        raise TandemError(f"The study publishes no series '{claim.cause}' (published).")
    mine = printed[printed["series"] == claim.cause]
    passed = mine.assign(over=mine["value"] > claim.value).groupby("vintage")["over"].any()
    word = SUPPORTED if not passed.any() else CONTRADICTED if passed.all() else UNDETERMINED
    above = f"; above it in {', '.join(passed[passed].index)}" if passed.any() else ""
    return {
        "verdict": word,
        "estimate": mine["value"].max(),
        "tables": "",
        "why": f"{len(mine)} values of {len(passed)} vintages, {mine['year'].min()}-"
        f"{mine['year'].max()}{above}. {claim.needs}".strip(),
    }


TESTS: dict[str, Callable[..., dict]] = {
    "two_way": _two_way,
    "link": _link,
    "stages": _stages,
    "spillover": _spillover,
    "threshold": _threshold,
    "bound": _bound,
    "none": _none,
}
