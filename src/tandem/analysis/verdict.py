"""Step: every method side by side for both directions, and the curve of all specifications."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy import stats

from tandem.analysis.curve import gather_curve
from tandem.analysis.regressions import design
from tandem.analysis.two_way import directions, two_way_terms, within_scale
from tandem.econometrics import (
    FixedEffectsVAR,
    PanelVAR,
    half_panel_jackknife_causality,
    holm,
    local_projections,
    romano_wolf,
)
from tandem.econometrics.resampled_slopes import resampled_slopes
from tandem.econometrics.static import panel_regression
from tandem.econometrics.wild_bootstrap import wild_cluster_p
from tandem.errors import TandemError
from tandem.study import Study

STREAM = 7  # spawn key of this step
SHOWN = ["estimate", "conf_low", "conf_high", "p_value"]
BY_ENTITY = "Dumitrescu-Hurlin wbar, bootstrap"
ALREADY = ("two-way, winsorised", "winsorised")  # other data, not another method


def study_verdict(
    study: Study,
    scores: pd.DataFrame,
    panel: pd.DataFrame,
    terms: pd.DataFrame,
    alternatives: pd.DataFrame | None = None,
    tests: pd.DataFrame | None = None,
    chunks: list[tuple[pd.DataFrame, np.ndarray]] | None = None,
) -> dict[str, pd.DataFrame]:
    """Tables of this step; what the panel cannot carry is told in `not_carried`.

    Parameters
    ----------
    scores, panel : DataFrame (entity-years, ...)
    terms : DataFrame
        Records of the regressions and panel VARs.
    alternatives : DataFrame, optional
        Further estimates of the robustness step: direction, model, estimate ...
    tests : DataFrame, optional
        Its tests: direction, test, p_value; the bootstrapped ones of causality have no estimate.
    chunks : list of (DataFrame, array), optional
        From `tandem.analysis.curve.run_curve`, if the study has a curve.

    Returns
    -------
    dict of DataFrame
        methods (direction, model, estimate, conf_low, conf_high, p_value, holm_p, romano_wolf_p; in
        standard deviations), regions, responses (panel VAR and local projections), curve,
        curve_summary, curve_permuted, not_carried (part, direction, why).
    """
    told: list[tuple[str, str, str]] = []
    seed = np.random.SeedSequence(study.seed, spawn_key=(STREAM, 0))
    found = {"methods": _methods(study, scores, panel, terms, alternatives, tests, seed, told)}
    regions = pd.DataFrame(_regions(study, scores, panel, told))
    found |= {"regions": regions} if len(regions) else {}
    responses = list(_responses(study, scores, told))
    found |= {"responses": pd.concat(responses)} if responses else {}
    if study.models.verdict.curve:
        found |= gather_curve(study, scores.index, chunks)
    found["not_carried"] = pd.DataFrame(told, columns=["part", "direction", "why"])
    return found


def _methods(study, scores, panel, terms, alternatives, tests, seed, told) -> pd.DataFrame:
    """All estimates in standard deviations, with p-values adjusted over the whole family."""
    rows = two_way_terms(study, scores, terms)
    if alternatives is not None:
        more = alternatives[~alternatives["model"].str.startswith(ALREADY)].copy()
        for cause, effect in directions(study):
            mine = more["direction"] == f"{cause} → {effect}"
            scale = within_scale(scores, cause, effect)
            more.loc[mine, ["estimate", "conf_low", "conf_high"]] *= scale
        rows = pd.concat([rows, more[["direction", "model", *SHOWN]]])
    rows = pd.concat([rows, pd.DataFrame(_projected(study, scores, told))], ignore_index=True)
    if tests is not None:
        more = tests[tests["test"].str.startswith(BY_ENTITY)].rename(columns={"test": "model"})
        more["model"] = more["model"].str.replace(" wbar, bootstrap", ", bootstrap")
        rows = pd.concat([rows, more[["direction", "model", "p_value"]]], ignore_index=True)
    rows["holm_p"] = holm(rows["p_value"])
    rows["romano_wolf_p"] = np.nan
    statistics, drawn, places = _resampled(study, scores, panel, rows, terms, seed)
    if len(places):
        rows.loc[places, "romano_wolf_p"] = romano_wolf(statistics, drawn)
    order = [f"{a} → {b}" for a, b in directions(study)]
    rows = rows.sort_values("direction", key=lambda d: d.map(order.index), kind="stable")
    return rows[["direction", "model", *SHOWN, "holm_p", "romano_wolf_p"]]


def _projected(study: Study, scores: pd.DataFrame, told: list) -> Iterator[dict]:
    """Slopes of local projections, of the corrected within panel VAR, of pooled causes."""
    for cause, effect in directions(study):
        name, scale = f"{cause} → {effect}", within_scale(scores, cause, effect)
        try:
            table = (
                local_projections(  # the effect of this year is held, as in a model with own lags
                    scores, horizon=1, order=[effect, cause], time_effects=True, se=_errors(scores)
                ).table.set_index(["impulse", "response", "horizon"])
            )
            row = table.loc[(cause, effect, 1)]
            unit = scale / table.loc[(cause, cause, 0), "estimate"]
            t = row["estimate"] / row["std_error"]
            yield {
                "direction": name,
                "model": "Local projection, half-panel jackknife",
                **{k: row[k] * unit for k in SHOWN[:3]},
                "p_value": _p(t, row["t_df"]),
            }
        except TandemError as err:
            told.append(("Local projection", name, str(err)))
        try:
            fit = FixedEffectsVAR(scores, time_effects=True).fit()
            b, se = (a.loc[effect, f"L1.{cause}"] * scale for a in (fit.params, fit.std_errors))
            df = fit.n_entities - 1
            reach = _reach(df) * se
            yield {
                "direction": name,
                "model": "Within panel VAR, half-panel jackknife",
                **dict(zip(SHOWN, (b, b - reach, b + reach, _p(b / se, df)), strict=True)),
            }
        except TandemError as err:
            told.append(("Within panel VAR", name, str(err)))
        try:
            pair = scores[[cause, effect]].dropna()
            test = half_panel_jackknife_causality(
                pair[effect], pair[cause], variance="bootstrap", seed=study.seed, time_effects=True
            )
            row = test.terms.iloc[0]
            yield {
                "direction": name,
                "model": "Half-panel jackknife causality",
                **{k: row[k] * scale for k in SHOWN[:3]},
                "p_value": row["p_value"],
            }
        except TandemError as err:
            told.append(("Half-panel jackknife causality", name, str(err)))


def _errors(scores: pd.DataFrame) -> str:
    """Driscoll-Kraay errors need years, clustered ones entities: the more numerous decide."""
    entities, years = (scores.index.get_level_values(level).nunique() for level in (0, 1))
    return "driscoll-kraay" if years > entities else "clustered"


def _p(t: float, df: float) -> float:
    return float(2 * stats.t.sf(abs(t), df))


def _reach(df: float) -> float:
    return float(stats.t.ppf(0.975, df))


def _resampled(study, scores, panel, rows, terms, seed) -> tuple[np.ndarray, np.ndarray, list]:
    """Studentised estimates and their joint draws over the same resampled entities."""
    entities = sorted(scores.index.get_level_values(0).unique())
    n, draws = len(entities), study.models.verdict.draws
    counts = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=draws)
    weights = pd.DataFrame(counts, columns=entities)
    keys = rows.reset_index().set_index(["direction", "model"])["index"]
    found = {}
    for cause, effect in directions(study):
        for key, spec in study.models.regressions.items():
            if spec.effects in ("none", "entity", "two-way"):
                y, x = design(study, spec, cause, effect, scores, panel)
                b = resampled_slopes(y, x, f"L1.{cause}", spec.effects, weights)
                found[keys[f"{cause} → {effect}", spec.label]] = (effect, effect, key, cause, b)
    block = study.models.panel_var
    for key, spec in (block.models if block else {}).items():
        model = PanelVAR(
            scores,
            block.lags,
            spec.transform,
            block.instrument_lags,
            block.collapse,
            time_effects=block.time_effects,
        )
        fit = model.fit(spec.steps)
        kept = [e for e in entities if e not in set(fit.dropped_entities)]
        coef, _ = fit._resample(weights[kept].to_numpy())
        for cause, effect in directions(study):
            place = fit.params.index.get_loc(effect), fit.params.columns.get_loc(f"L1.{cause}")
            row = keys[f"{cause} → {effect}", f"Panel VAR: {spec.label}"]
            found[row] = ("panel_var", effect, key, cause, coef[:, place[0], place[1]])
    stat, drawn = [], []
    known = terms.set_index(["table", "equation", "model", "term"])
    for table, effect, model, cause, b in found.values():
        term = known.loc[(table, effect, model, f"L1.{cause}")]
        stat.append(term["estimate"] / term["std_error"])
        drawn.append((b - term["estimate"]) / term["std_error"])
    return np.array(stat), np.array(drawn).T, list(found)


def _regions(study: Study, scores, panel, told: list) -> Iterator[dict]:
    """The first two-way regression in each of the study's regions."""
    first = next((r for r in study.models.regressions.values() if r.effects == "two-way"), None)
    if first is None:
        return
    for cause, effect in directions(study):
        y, x = design(study, first, cause, effect, scores, panel)
        scale = within_scale(scores, cause, effect)
        for region, members in study.panel.groups.items():
            name = f"{cause} → {effect}"
            mine = y.index.get_level_values(0).isin(members)
            try:
                result, facts = panel_regression(y[mine], x[mine], "two-way", "clustered")
                wild = wild_cluster_p(y[mine], x[mine], f"L1.{cause}", "two-way", seed=study.seed)
            except TandemError as err:
                told.append((f"Region {region}", name, str(err)))
                continue
            b, se = (a[f"L1.{cause}"] * scale for a in (result.params, result.std_errors))
            reach = _reach(facts["t_df"]) * se
            row = (b, b - reach, b + reach, _p(b / se, facts["t_df"]))
            yield {
                "direction": name,
                "region": region,
                **dict(zip(SHOWN, row, strict=True)),
                "wild_p": wild,
                "n_obs": int(result.nobs),
                "n_entities": facts["n_clusters"],
            }


def _responses(study: Study, scores: pd.DataFrame, told: list) -> Iterator[pd.DataFrame]:
    """Responses by local projections, with and without the jackknife, in both orders."""
    names = list(study.systems)
    for order in (names, names[::-1]):
        try:
            found = local_projections(
                scores,
                horizon=study.models.verdict.horizon,
                order=order,
                time_effects=True,
                se=_errors(scores),
            )
        except TandemError as err:
            told.append(("Local projections", "both", str(err)))
            return
        yield found.table.assign(order=f"order: {', '.join(order)}")
