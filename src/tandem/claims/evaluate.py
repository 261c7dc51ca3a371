"""Decide each claim of a study by the rule of its kind of test."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy import stats

from tandem.analysis.two_way import within_scale
from tandem.claims.rules import CONTRADICTED, NO_DATA, SUPPORTED, UNDETERMINED
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

SHIFTS = (-0.05, 0.0, 0.05)  # of the cut-offs between stages, to see what rests on them
CLAIM_COLUMNS = [
    "claim", "part", "test", "cause", "effect", "sign", "verdict", "estimate", "conf_low",
    "conf_high", "p_value", "holm_p", "second", "second_low", "second_high", "agree",
    "specifications", "tables", "why",
]  # fmt: skip
TEST_COLUMNS = [
    "claim", "method", "estimate", "conf_low", "conf_high", "p_value", "n_obs", "n_entities",
    "detail",
]  # fmt: skip


def evaluate(
    study: Study, results: dict[str, pd.DataFrame], terms: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """Decide every claim.

    Parameters
    ----------
    results : dict of DataFrame
        Frames of the earlier steps by their path in the study's results.
    terms : DataFrame
        Records of the regressions and panel VARs.

    Returns
    -------
    claims : DataFrame
        claim, part, test, cause, effect, sign, verdict ("supported", "contradicted",
        "undetermined", "no data"), estimate with interval of the first test (standard deviations,
        for links), p_value (the largest of the tests that must agree: an intersection-union test,
        Berger 1982, Technometrics 24:295), holm_p over the claims tested, second and its interval
        where the rule has two tests, agree (share of specifications with the claimed sign), of how
        many specifications, tables (where to look), why (what stands in the way, or the series that
        would settle it).
    tests : DataFrame
        Every test that was run: claim, method, estimate, interval, p_value, n_obs, n_entities,
        detail.
    """
    rows, records = [], []
    for name, claim in study.claims.items():
        declared = claim.model_dump(include={"part", "test", "cause", "effect", "sign"})
        facts = {"claim": name, **{k: v or "" for k, v in declared.items()}, "why": claim.needs}
        try:
            found = TESTS[claim.test](study, claim, results, terms)
        except TandemError as err:
            found = {"verdict": NO_DATA, "why": str(err)}
        tests = found.pop("tests", [])
        rows.append(facts | _in_short(tests) | found)
        records += [{"claim": name, **test} for test in tests]
    claims = pd.DataFrame(rows).reindex(columns=CLAIM_COLUMNS)
    numbers = claims.columns[7:17]
    claims[numbers] = claims[numbers].astype(float)
    claims["holm_p"] = holm(claims["p_value"])
    tests = pd.DataFrame(records, columns=TEST_COLUMNS)
    claims["tables"] = claims["tables"].astype(object).where(claims["tables"].notna(), "")
    return {"claims": claims, "tests": tests}


def _in_short(tests: list[dict]) -> dict:
    """Of a claim's deciding tests: the first, the second if there is one, and the largest p."""
    deciding = [test for test in tests if not test.get("aside")]
    if not deciding:
        return {}
    facts = {k: deciding[0][k] for k in ("estimate", "conf_low", "conf_high")}
    facts["p_value"] = max(test["p_value"] for test in deciding)
    if len(deciding) > 1:
        keys = {"estimate": "second", "conf_low": "second_low", "conf_high": "second_high"}
        facts |= {short: deciding[1][k] for k, short in keys.items()}
    return facts


def _record(method: str, numbers, scale: float = 1.0, **more) -> dict:
    """One test; `numbers` holds estimate, conf_low, conf_high and p_value."""
    scaled = {k: numbers[k] * scale for k in ("estimate", "conf_low", "conf_high")}
    return {"method": method, **scaled, "p_value": numbers["p_value"], **more}


def _none(study, claim: Claim, results, terms) -> dict:
    return {"verdict": NO_DATA}


def _word(claim: Claim, tests: list[dict]) -> str:
    """Where all intervals lie: on the claimed side of zero, on the other, or neither."""
    turn = 1 if claim.sign == "+" else -1
    ends = [[turn * test[end] for end in ("conf_low", "conf_high")] for test in tests]
    if all(min(pair) > 0 for pair in ends):
        return SUPPORTED
    if all(max(pair) < 0 for pair in ends):
        return CONTRADICTED
    return UNDETERMINED


def _share(claim: Claim, positive: float, n: float) -> dict:
    """Share of n specifications with the claimed sign, from the share that is positive."""
    share = positive if claim.sign == "+" else 1 - positive
    return {"agree": share, "specifications": n}


def _two_way(study: Study, claim: Claim, results, terms) -> dict:
    """The main models of the study; agreement from the specification curve."""
    models, var = study.models.regressions, study.models.panel_var
    main = next((r for r, s in models.items() if s.effects == "two-way"), None)
    if main is None or not (var and var.models):
        raise TandemError("The study has no two-way regression and panel VAR to decide by.")
    first = next(iter(var.models))
    known = terms.set_index(["table", "equation", "model", "term"])
    scale = within_scale(results["indices/scores"], claim.cause, claim.effect)
    tests = [
        _record(
            method, known.loc[(table, claim.effect, model, f"L1.{claim.cause}")], scale,
            **_counts(results, step, table, model),
        )
        for method, step, table, model in (
            (models[main].label, "regressions", claim.effect, main),
            (f"Panel VAR: {var.models[first].label}", "panel_var", "panel_var", first),
        )
    ]  # fmt: skip
    summary = results.get("estimates/verdict/curve_summary")
    agree, tables = {}, "two_way"
    if summary is not None:
        mine = summary.set_index("direction").loc[f"{claim.cause} → {claim.effect}"]
        agree = _share(claim, mine["share_positive"], mine["n_specifications"])
        tables += ", two_way_curve"
    return {"verdict": _word(claim, tests), "tests": tests, "tables": tables, **agree}


def _counts(results, step: str, table: str, model: str) -> dict:
    """Observations and entities of an estimated model, from its record."""
    models = results[f"estimates/{step}/models"].set_index(["table", "model", "statistic"])["value"]
    return {k: int(models[table, model, k]) for k in ("n_obs", "n_entities")}


def _link(study: Study, claim: Claim, results, terms) -> dict:
    """The cause's past on the effect, two-way within and by GMM with the effect's own past."""
    panel, scores = results["data/panel"], results["indices/scores"]
    both = pd.concat([_series(name, scores, panel) for name in (claim.cause, claim.effect)], axis=1)
    controls = panel[[c for c in study.models.controls if c not in (claim.cause, claim.effect)]]
    x = lags(both[claim.cause], [1])
    tests = [_within(both, x, controls, claim), _gmm(both, x, controls, claim)]
    return {
        "verdict": _word(claim, tests),
        "tests": tests,
        "tables": "claims_tests",
        **_agreement(study, claim, both, controls),
    }


def _within(both: pd.DataFrame, x: pd.DataFrame, controls: pd.DataFrame, claim: Claim) -> dict:
    result, facts = panel_regression(both[claim.effect], x.join(controls), "two-way", "clustered")
    name, df = x.columns[0], facts["t_df"]
    b, se = result.params[name], result.std_errors[name]
    reach = stats.t.ppf(0.975, df) * se
    p = 2 * stats.t.sf(abs(b / se), df)
    numbers = {"estimate": b, "conf_low": b - reach, "conf_high": b + reach, "p_value": p}
    return _record(
        "Two-way within", numbers, within_scale(both, claim.cause, claim.effect),
        n_obs=int(result.nobs), n_entities=facts["n_clusters"],
        detail=f"errors {facts['se_type']}, t({df:g})",
    )  # fmt: skip


def _gmm(both: pd.DataFrame, x: pd.DataFrame, controls: pd.DataFrame, claim: Claim) -> dict:
    fit = DynamicPanel(
        both[claim.effect], controls if len(controls.columns) else None, x, transform="fod",
        instrument_lags=(2, 4), collapse=True, time_effects=True,
    ).fit()  # fmt: skip
    facts = fit.facts
    detail = f"{facts['n_instruments']} instruments, Hansen p = {facts['hansen_p']:.3f}"
    if "ar2_p" in facts:
        detail += f", AR(2) p = {facts['ar2_p']:.3f}"
    return _record(
        "Difference GMM with the effect's own past", fit.terms.loc[x.columns[0]],
        within_scale(both, claim.cause, claim.effect),
        n_obs=fit.n_obs, n_entities=fit.n_entities, detail=detail,
    )  # fmt: skip


def _series(name: str, scores: pd.DataFrame, panel: pd.DataFrame) -> pd.Series:
    return scores[name] if name in scores else panel[name]


def _agreement(study: Study, claim: Claim, both: pd.DataFrame, controls: pd.DataFrame) -> dict:
    """Share of specifications with the claimed sign; the choices are those of the study's curve."""
    curve = study.models.verdict.curve if study.models.verdict else None
    if curve is None:
        return {}
    windows, sets = _windows(study, both), _sets(controls)
    choices = [b.model_dump() if b else {} for b in (curve.least_squares, curve.gmm)]
    specs = specifications(["as measured"], list(windows), list(sets), *choices)
    found = specification_curve(
        specs, {"as measured": both}, windows, sets, claim.cause, claim.effect, draws=0
    )
    return _share(claim, found.summary["share_positive"], found.summary["n_specifications"])


def _windows(study: Study, rows: pd.DataFrame) -> dict[str, tuple[int, int]]:
    """The windows of the study's specification curve, or the whole sample."""
    curve = study.models.verdict.curve if study.models.verdict else None
    years = rows.index.get_level_values("year")
    whole = [(int(years.min()), int(years.max()))]
    return {f"{a}-{b}": (a, b) for a, b in (curve.windows if curve else []) or whole}


def _sets(controls: pd.DataFrame) -> dict[str, pd.DataFrame | None]:
    return {"without": None} | ({"with": controls} if len(controls.columns) else {})


def _stages(study: Study, claim: Claim, results, terms) -> dict:
    """Moves between stages of D, up less down, a year; errors clustered by entity."""
    if not study.dynamics:
        raise TandemError("The study has no stages (dynamics.stages).")
    coupling, cuts = results["indices/coupling"], np.array(study.dynamics.stages)
    test = _moves(coupling[f"D_{study.coupling.model}"].dropna(), cuts)
    degrees = [coupling[c].dropna() for c in coupling if c.startswith("D_")]
    other = [_moves(d, cuts + shift)["estimate"] > 0 for d in degrees for shift in SHIFTS]
    return {
        "verdict": _word(claim, [test]),
        "tests": [test],
        "tables": "dynamics_stages, dynamics_moves_stages",
        **_share(claim, float(np.mean(other)), len(other)),
    }


def _moves(d: pd.Series, cuts: np.ndarray) -> dict:
    stage = pd.Series(np.searchsorted(cuts, d), d.index, name="stage")
    moves = np.sign(stage - lags(stage, [1]).iloc[:, 0]).dropna()
    sums = moves.groupby(level=0).agg(["sum", "size"])
    n, total = len(sums), sums["size"].sum()
    if n < 2:
        raise TandemError("Moves of one entity have no interval.")
    b = sums["sum"].sum() / total
    scores = sums["sum"] - b * sums["size"]
    se = np.sqrt((scores**2).sum() * n / (n - 1)) / total
    if np.isclose(se, 0):
        raise TandemError("All entities move alike between stages, so the moves have no interval.")
    reach = stats.t.ppf(0.975, n - 1) * se
    p = 2 * stats.t.sf(abs(b / se), n - 1)
    return _record(
        "Moves between stages of D, up less down",
        {"estimate": b, "conf_low": b - reach, "conf_high": b + reach, "p_value": p},
        n_obs=total, n_entities=n, detail=f"errors clustered by entity, t({n - 1})",
    )  # fmt: skip


def _spillover(study: Study, claim: Claim, results, terms) -> dict:
    """Indirect effect of the spatial Durbin model by borders; its interval from its p-value."""
    spatial = results.get("estimates/robustness/spatial")
    if spatial is None:
        raise TandemError("The study has no spatial models (models.robustness.neighbours).")
    mine = spatial[spatial["direction"] == f"{claim.cause} → {claim.effect}"]
    rows = mine[(mine["weights"] == "borders") & (mine["model"] == "spatial Durbin")]
    if rows.empty:
        raise TandemError(
            f"The spatial Durbin model of {claim.cause} → {claim.effect} by borders was not "
            "estimated."
        )
    b, p = rows["indirect"].iloc[0], rows["indirect p"].iloc[0]
    reach = stats.norm.ppf(0.975) * abs(b) / stats.norm.isf(p / 2)
    numbers = {"estimate": b, "conf_low": b - reach, "conf_high": b + reach, "p_value": p}
    scale = within_scale(results["indices/scores"], claim.cause, claim.effect)
    counts = _counts(results, "robustness", f"robustness_{claim.effect}", "sdm_borders")
    test = _record("Spatial Durbin by borders, indirect effect", numbers, scale, **counts)
    all_ways = mine["indirect"].dropna()
    return {
        "verdict": _word(claim, [test]),
        "tests": [test],
        "tables": "robustness_spatial",
        **_share(claim, float((all_ways > 0).mean()), len(all_ways)),
    }


def _threshold(study: Study, claim: Claim, results, terms) -> dict:
    """One threshold of the effect in `by`, with controls and year effects (Hansen 1999)."""
    panel, scores = results["data/panel"], results["indices/scores"]
    y, cause = (_series(name, scores, panel) for name in (claim.effect, claim.cause))
    frame = pd.concat([y, lags(cause, [1]), panel[claim.by]], axis=1)
    controls = panel[[c for c in study.models.controls if c != claim.by]]
    seed = int(np.random.SeedSequence(study.seed).generate_state(1)[0])
    fit = _one_threshold(frame.join(controls).dropna(), draws=999, seed=seed)
    place, (below, above) = _place(fit), _slopes(fit)
    word = UNDETERMINED if place["p_value"] >= 0.05 else CONTRADICTED
    if place["p_value"] < 0.05 and _as_claimed(fit, claim.value):
        word = SUPPORTED
    others = []
    for first, last in _windows(study, frame).values():
        for more in _sets(controls).values():
            rows = (frame if more is None else frame.join(more)).loc[
                (slice(None), slice(first, last)), :
            ]
            others.append(_as_claimed(_one_threshold(rows.dropna(), 1, seed), claim.value))
    facts = {"n_obs": fit.facts["n_obs"], "n_entities": fit.facts["n_entities"]}
    tests = [
        _record("Place of the threshold", place, **facts, detail="Hansen's test, 999 draws"),
        _record("Effect below it", below, aside=True, **facts),
        _record("Effect above it", above, aside=True, **facts),
    ]
    reached = float((frame[claim.by].reindex(fit.regime.index) > claim.value).mean())
    return {
        "verdict": word,
        "tests": tests,
        "tables": "claims_tests",
        "agree": float(np.mean(others)),
        "specifications": len(others),
        "why": f"{reached:.0%} of entity-years lie above {claim.value:g}; the effect is "
        f"{below['estimate']:.3f} below the threshold found and {above['estimate']:.3f} above. "
        f"{claim.needs}".strip(),
    }


def _one_threshold(rows: pd.DataFrame, draws: int, seed: int):
    """Effect, cause of the year before, threshold variable, then controls; year effects added."""
    years = pd.Series(rows.index.get_level_values("year"), rows.index)
    dummies = pd.get_dummies(years, dtype=float).iloc[:, 1:].add_prefix("year ")
    y, x, q = (rows.iloc[:, i] for i in range(3))
    return PanelThreshold(y, x, q, rows.iloc[:, 3:].join(dummies)).fit(1, draws=draws, seed=seed)


def _place(fit) -> dict:
    return {**fit.thresholds.iloc[0], "p_value": fit.tests["p_value"].iloc[0]}


def _slopes(fit) -> tuple[dict, dict]:
    rows = fit.terms[fit.terms.index.str.contains(", regime ", regex=False)]
    return tuple(rows.to_dict("records"))


def _as_claimed(fit, value: float) -> bool:
    """Whether the 95 % set of the threshold holds the value and the effect is larger above."""
    place, (below, above) = _place(fit), _slopes(fit)
    return bool(
        place["conf_low"] <= value <= place["conf_high"] and above["estimate"] > below["estimate"]
    )


def _bound(study: Study, claim: Claim, results, terms) -> dict:
    """Every published value of every vintage against the bound."""
    printed = results.get("data/printed")
    if printed is None or claim.cause not in set(printed["series"]):
        raise TandemError(f"The study publishes no series '{claim.cause}' (published).")
    mine = printed[printed["series"] == claim.cause]
    passed = mine.assign(over=mine["value"] > claim.value).groupby("vintage")["over"].any()
    first, last = mine["year"].min(), mine["year"].max()
    unseen = sorted(set(range(first, last + 1)) - set(mine["year"]))
    word = CONTRADICTED if passed.all() else UNDETERMINED
    if not passed.any() and not unseen:
        word = SUPPORTED
    gaps = f"; no value for {', '.join(map(str, unseen))}" if unseen else ""
    above = f"; above it in {', '.join(passed[passed].index)}" if passed.any() else ""
    largest = dict.fromkeys(("conf_low", "conf_high", "p_value"), np.nan)
    largest["estimate"] = mine["value"].max()
    return {
        "verdict": word,
        "tests": [_record("Largest published value", largest, n_obs=len(mine))],
        "tables": "claims_tests",
        "agree": float((~passed).mean()),
        "specifications": len(passed),
        "why": f"{len(mine)} values of {len(passed)} vintages, {first}-{last}{gaps}{above}. "
        f"{claim.needs}".strip(),
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
