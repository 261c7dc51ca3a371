"""Step: tests around the regressions, and what the two-way estimate rests on, both directions."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd

from tandem import estimates
from tandem.analysis.heterogeneity import (
    dealt_out,
    left_out,
    mediated,
    moving,
    regions,
    sizes,
    trimmed,
)
from tandem.analysis.link import (
    Link,
    complete,
    estimate_line,
    line_of_test,
    records_of,
    records_of_tests,
    seed_of,
)
from tandem.analysis.two_way import directions
from tandem.econometrics import (
    DynamicPanel,
    PanelThreshold,
    bias_corrected_within,
    common_correlated_effects,
    correlations,
    cross_section_tests,
    curve_regression,
    describe_panel,
    dols,
    dumitrescu_hurlin,
    dynamic_threshold,
    fmols,
    half_panel_jackknife_causality,
    heterogeneous_residuals,
    instrumental_regression,
    interaction_regression,
    kao,
    mean_group,
    pedroni,
    pooled_mean_group,
    slope_homogeneity,
    spatial_panel,
    spatial_tests,
    specification_table,
    unit_root_table,
    variance_inflation,
    westerlund,
)
from tandem.econometrics.static import lags, panel_regression
from tandem.errors import TandemError
from tandem.indices import border_steps, contiguity_weights, nearness, row_standardise
from tandem.study import Study

STREAM = 6  # spawn key of this step; the others draw from keys of their own
SPATIAL = {"sar": "spatial lag", "sem": "spatial error", "sdm": "spatial Durbin"}
WIDTHS = (5, 6, 7)  # years of the moving windows
TAILS = (0.01, 0.05)  # winsorised at either end
COINTEGRATION = {"Pedroni": pedroni, "Kao": kao, "Westerlund": westerlund}
CAUSALITY_LAGS = (1, 2, 3, 4)
GMM_FACTS = ("n_obs", "n_instruments", "ar1_p", "ar2_p", "hansen_p")
LONG = 20  # years
MANY = 100  # entities that the dynamic threshold needs for its place to be found


def study_robustness(
    study: Study,
    scores: pd.DataFrame,
    panel: pd.DataFrame,
    pairs: pd.DataFrame | None = None,
) -> tuple[estimates.Records, dict[str, pd.DataFrame]]:
    """Every test and model of this step that the study carries; the others are told in words.

    Parameters
    ----------
    scores : DataFrame (entity-years, systems)
    panel : DataFrame (entity-years, derived series)
    pairs : DataFrame, optional
        Neighbours, from `tandem.indices.read_contiguity`.

    Returns
    -------
    records : (terms, models)
        Table "robustness_<effect>", a model for each of the step's regressions.
    tables : dict of DataFrame
        Tidy, a column direction where there are two, and not_carried: part, direction, why.
    """
    found, told, records = before(study, scores, panel), [], []
    if scores.index.get_level_values("entity").nunique() == 1:
        told.append(
            ("Panel tests and models", "both", "There is one entity, and all compare several.")
        )
    else:
        found["unit_roots"], refused = unit_roots(study, scores)
        told += refused
        seeds = np.random.SeedSequence(study.seed, spawn_key=(STREAM,)).spawn(
            len(study.systems) ** 2
        )
        for (cause, effect), seed in zip(directions(study), seeds, strict=False):
            x = lags(scores[cause], [1]).join(panel[list(study.models.controls)])
            link = Link(study, cause, effect, scores, panel, scores[effect], x, pairs, seed)
            name = f"{cause} → {effect}"
            for part, compute in _parts(link):
                try:
                    frames, some = compute(link)
                except TandemError as err:
                    told.append((part, name, str(err)))
                    continue
                records += some
                if "tests" in frames:
                    records.append(records_of_tests(link, frames["tests"]))
                for key, frame in frames.items():
                    frame.insert(0, "direction", name)
                    found.setdefault(key, []).append(frame)
    tables = {k: v if isinstance(v, pd.DataFrame) else pd.concat(v) for k, v in found.items()}
    tables["not_carried"] = pd.DataFrame(told, columns=["part", "direction", "why"])
    return estimates.stack(records), tables


def before(study: Study, scores: pd.DataFrame, panel: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """What is regressed, described: spread, correlations."""
    data = scores.join(panel[list(study.models.controls)])
    return {
        "describe": describe_panel(data).reset_index(names="variable"),
        "correlations": correlations(data).reset_index(),
    }


def unit_roots(study: Study, scores: pd.DataFrame) -> tuple[pd.DataFrame, list[tuple]]:
    """Every panel test of each score's logit, with a constant and with a trend as well."""
    logit = np.log(scores / (1 - scores)).replace([np.inf, -np.inf], np.nan)
    tables, told = [], []
    for trend, name in {"c": "constant", "ct": "constant and trend"}.items():
        table, refused = unit_root_table(
            logit, trend=trend, lags="bic", max_lags=1, seed=study.seed
        )
        tables.append(table.reset_index().assign(trend=name))
        told += [(f"Unit roots: {r.test}, {name}", r.series, r.why) for r in refused.itertuples()]
    return pd.concat(tables), told


def _parts(link: Link) -> list[tuple[str, Callable]]:
    spec = link.spec
    words = {k: v.label.en for k, v in link.study.series.items()}
    parts: list[tuple[str, Callable]] = [
        ("Variance inflation", inflation),
        ("Specification tests", specification),
        ("Dependence between entities", dependence),
        ("Slope homogeneity", partial(slopes, hac=False)),
        ("Slope homogeneity, serially correlated errors", partial(slopes, hac=True)),
        ("Instruments: the cause two and three years before", instrumented),
        ("Curvature", curvature),
        ("Own lag by difference GMM", partial(own_lag, system=False)),
        ("Own lag by system GMM", partial(own_lag, system=True)),
        ("Own lag, bias-corrected", corrected),
    ]
    if spec.threshold:
        parts.append((f"Threshold in {words[spec.threshold]}", threshold))
        parts.append((f"Dynamic threshold in {words[spec.threshold]}", moved_threshold))
    if spec.moderator:
        parts.append((f"Interaction with {words[spec.moderator]}", interaction))
    if spec.mediator:
        parts.append((f"Mediation by {words[spec.mediator]}", mediated))
    if link.study.panel.groups:
        parts.append(("Comparison of regions", regions))
    if spec.size:
        parts.append((f"Comparison of halves by {words[spec.size]}", sizes))
    parts += [("Each entity left out", left_out), ("Placebo", dealt_out)]
    parts += [(f"Windows of {w} years", partial(moving, width=w)) for w in WIDTHS]
    parts += [(f"Winsorised at {s:.0%}", partial(trimmed, share=s)) for s in TAILS]
    if link.pairs is not None:
        weights = ("borders", "border steps", *([spec.near] if spec.near else []))
        parts += [(f"Spatial models, {w}", partial(spatial, weights=w)) for w in weights]
    parts.append(("Half-panel jackknife causality", jackknifed_causality))
    parts += [(f"Panel cointegration: {n}", partial(cointegrated, method=n)) for n in COINTEGRATION]
    parts.append(("Long-run coefficients", long_run))
    return parts + [
        (f"Dumitrescu-Hurlin, {k} lag{'s' * (k > 1)}", partial(causality, k=k))
        for k in CAUSALITY_LAGS
    ]


def _sample(link: Link, *regressors: pd.DataFrame) -> dict:
    """What a table's notes say of a two-way model: years of the effect, effects, intervals."""
    rows, _ = complete(link.y, link.x.join(list(regressors)))
    years = rows.index.get_level_values("year")
    return {
        "first_year": years.min(), "last_year": years.max(), "entity_effects": True,
        "time_effects": True, "conf_level": 0.95,
    }  # fmt: skip


def inflation(link: Link):
    vif = variance_inflation(link.x).rename("vif").rename_axis("regressor")
    return {"inflation": vif.reset_index()}, []


def specification(link: Link):
    table = specification_table(link.y, link.x).reset_index()
    table.insert(0, "group", "specification")
    return {"tests": table.astype({"df": str})}, []


def dependence(link: Link):
    """CD of the residuals within, and of a regression on the cause alone in each entity."""
    within, _ = panel_regression(link.y, link.x, "entity")
    kinds = {
        "within": within.resids,
        "each entity on its own": heterogeneous_residuals(
            *complete(link.y, link.lagged.to_frame())
        ),
    }
    rows = []
    for kind, residuals in kinds.items():
        found = cross_section_tests(residuals)
        null = "no dependence between entities"
        group = "cross-section"
        rows.append(line_of_test(group, f"Pesaran CD, {kind}", found.cd, "", found.cd_pval, null))
        rows.append(line_of_test(group, f"Breusch-Pagan LM, {kind}", *found.lm, null))
    return {"tests": pd.DataFrame(rows)}, []


def slopes(link: Link, hac: bool):
    """Slopes on the cause alone: with controls the years would not do."""
    found = slope_homogeneity(*complete(link.y, link.lagged.to_frame()), hac=hac)
    name, null = "Pesaran-Yamagata" if not hac else "Blomquist-Westerlund", "equal slopes"
    rows = [line_of_test("slopes", f"{name} Δ", found.delta, "", found.pval, null)]
    if not hac:
        adjusted = found.delta_adjusted, "", found.pval_adjusted
        rows.append(line_of_test("slopes", f"{name} Δ adjusted", *adjusted, null))
    return {"tests": pd.DataFrame(rows)}, []


def instrumented(link: Link):
    """The cause a year before, instrumented by itself two and three years before."""
    past = lags(link.scores[link.cause], [2, 3])
    fit = instrumental_regression(link.y, link.lagged, past, link.controls, "two-way")
    facts = {k: v for k, v in fit.statistics.items() if np.isscalar(v)}
    rows = pd.DataFrame({"statistic": list(facts), "value": [str(v) for v in facts.values()]})
    line = estimate_line(fit.terms.loc[link.lagged.name], "2SLS, own past as instruments")
    facts |= _sample(link, past) | {"n_clusters": facts["n_entities"]}
    return {"instruments": rows, "alternatives": line}, [
        records_of(link, "instruments", fit.terms, facts)
    ]


def own_lag(link: Link, system: bool):
    """With the effect's own past, by GMM; the cause is predetermined, the controls exogenous."""
    name = f"own lag, {'system' if system else 'difference'} GMM"
    fit = DynamicPanel(
        link.y, link.controls, link.lagged.to_frame(), transform="fod", system=system,
        instrument_lags=(2, 4), collapse=True, time_effects=True,
    ).fit()  # fmt: skip
    facts = fit.facts
    own = fit.terms.loc[f"L1.{link.effect}"]
    row = {
        "model": name, "own lag": own["estimate"], "p_value": own["p_value"],
        **{k: facts.get(k, np.nan) for k in GMM_FACTS},
    }  # fmt: skip
    key = "system_gmm" if system else "difference_gmm"
    line = estimate_line(fit.terms.loc[link.lagged.name], name)
    facts |= _sample(link, lags(link.y, [1])) | {"n_clusters": fit.n_entities}
    return {"gmm": pd.DataFrame([row]), "alternatives": line}, [
        records_of(link, key, fit.terms, facts)
    ]


def corrected(link: Link):
    """With the effect's own past, within, its bias taken out."""
    fit = bias_corrected_within(link.y, link.x, draws=link.spec.draws, seed=seed_of(link, 5))
    name = "own lag, bias-corrected within"
    line = estimate_line(fit.terms.loc[link.lagged.name], name)
    facts = fit.facts | _sample(link, lags(link.y, [1]))
    return {"alternatives": line}, [records_of(link, "corrected", fit.terms, facts)]


def curvature(link: Link):
    fit = curve_regression(link.y, link.lagged, link.controls)
    test = fit.u_test
    row = {
        "square": fit.terms["estimate"].iloc[1],
        "p_value": fit.terms["p_value"].iloc[1],
        "turning point": fit.turning_points["point"].iloc[0],
        "kind": fit.turning_points["kind"].iloc[0],
        "in range": "yes" if fit.turning_points["in_range"].iloc[0] else "no",
        "U test": test.shape,
        "U test p": test.pval,
    }
    frames = {
        "curvature": pd.DataFrame([row]),
        "curve": fit.curve,
        "turning": fit.turning_points.reset_index(drop=True),
    }
    return frames, [records_of(link, "curvature", fit.terms, fit.statistics)]


def threshold(link: Link):
    """Slope of the cause that changes at up to two thresholds, year effects as dummies."""
    q = link.panel[link.spec.threshold]
    rows = pd.concat([link.x, link.y, q], axis=1).notna().all(axis=1).reindex(link.y.index)
    years = pd.Series(link.y[rows].index.get_level_values("year"), link.y[rows].index)
    controls = pd.get_dummies(years, dtype=float).iloc[:, 1:].add_prefix("year ")
    if link.controls is not None:
        controls = link.controls.drop(columns=q.name, errors="ignore").join(controls, how="inner")
    fit = PanelThreshold(link.y[rows], link.lagged[rows], q[rows], controls).fit(
        2, draws=link.spec.draws, seed=seed_of(link, 0)
    )
    tests = fit.tests.rename_axis("thresholds").reset_index()
    frames = {
        "threshold_tests": tests,
        "thresholds": fit.thresholds.rename_axis("threshold").reset_index(),
        "threshold_lr": fit.lr,
        "regimes": fit.regimes.rename_axis("regime").reset_index(),
    }
    terms = fit.terms[~fit.terms.index.str.startswith("year ")]
    frames["threshold_slopes"] = terms[terms.index.str.contains(link.cause)].reset_index()
    critical = pd.DataFrame({"critical": [fit.lr_critical]})
    facts = {k: v for k, v in fit.facts.items() if np.isscalar(v)}
    return frames | {"threshold_critical": critical}, [records_of(link, "threshold", terms, facts)]


def moved_threshold(link: Link):
    """Seo and Shin's threshold with the effect's own past, where there are entities enough."""
    n = link.y.index.get_level_values("entity").nunique()
    if n < MANY:
        raise TandemError(
            f"With {n} entities the place of a dynamic threshold is hardly identified, as "
            f"simulations show (benchmarks/monte_carlo/results.md); it is left out below {MANY}."
        )
    fit = dynamic_threshold(
        link.y, link.panel[link.spec.threshold], endog=link.lagged.to_frame(),
        draws=link.spec.draws, seed=seed_of(link, 4),
    )  # fmt: skip
    return {"dynamic_threshold": fit.terms.reset_index()}, [
        records_of(link, "dynamic_threshold", fit.terms, fit.statistics)
    ]


def interaction(link: Link):
    name = link.spec.moderator
    others = (
        link.controls.drop(columns=name, errors="ignore") if link.controls is not None else None
    )
    fit = interaction_regression(link.y, link.lagged, link.panel[name], others)
    product = fit.terms.loc[[t for t in fit.terms.index if ":" in t]].reset_index()
    frames = {
        "interaction": fit.at_quantiles.reset_index(),
        "product": product,
        "marginal": fit.marginal,
        "moderator": fit.moderator.rename("value").reset_index(drop=True).to_frame(),
    }
    return frames, [records_of(link, "interaction", fit.terms, fit.statistics)]


def spatial(link: Link, weights: str):
    """The three models and their tests under one matrix of weights."""
    entities = link.y.index.get_level_values("entity").unique()
    borders = contiguity_weights(link.pairs, entities)
    if weights == "borders":
        raw = borders
    elif weights == "border steps":
        raw = border_steps(borders)
    else:
        raw = nearness(link.panel[weights].groupby(level="entity").mean().reindex(entities))
    W = row_standardise(raw)
    tests = spatial_tests(link.y, link.x, W).reset_index()
    tests.insert(0, "group", f"space, {weights}")
    rows, records = [], []
    for model, name in SPATIAL.items():
        fit = spatial_panel(link.y, link.x, W, model)
        coefficient = fit.terms.loc["lambda" if model == "sem" else "rho"]
        home = fit.terms if fit.impacts is None else fit.impacts.xs("direct", level="effect")
        line = {"weights": weights, "model": name, "coefficient": coefficient["estimate"]}
        line |= {"p_value": coefficient["p_value"]}
        for effect in ("direct", "indirect", "total"):
            known = fit.impacts is not None
            part = fit.impacts.loc[(effect, link.lagged.name)] if known else None
            if part is None and effect != "indirect":
                part = home.loc[link.lagged.name]
            line[effect] = np.nan if part is None else part["estimate"]
            line[f"{effect} p"] = np.nan if part is None else part["p_value"]
        rows.append(line | {"log likelihood": fit.log_likelihood})
        key = f"{model}_{weights.replace(' ', '_')}"
        records.append(records_of(link, key, fit.terms, fit.statistics))
    return {"spatial": pd.DataFrame(rows), "tests": tests.astype({"df": str})}, records


def causality(link: Link, k: int):
    pair = link.scores[[link.cause, link.effect]].dropna()
    y, x = pair[link.effect], pair[link.cause]
    fit = dumitrescu_hurlin(y, x, k, draws=link.spec.draws, seed=seed_of(link, 8 + k))
    null = "no entity's effect follows the cause"
    words = f"{k} lag{'s' * (k > 1)}"
    rows = [
        line_of_test("causality", f"Dumitrescu-Hurlin {name}, {words}", value, "", p, null)
        for name, value, p in (
            ("zbar", fit.zbar, fit.pvalues["zbar"]),
            ("ztilde", fit.ztilde, fit.pvalues["ztilde"]),
            ("wbar, bootstrap", fit.wbar, fit.bootstrap_p),
        )
    ]
    return {"tests": pd.DataFrame(rows)}, []


def jackknifed_causality(link: Link):
    pair = link.scores[[link.cause, link.effect]].dropna()
    fit = half_panel_jackknife_causality(
        pair[link.effect], pair[link.cause], variance="bootstrap", seed=link.study.seed,
        time_effects=True,
    )  # fmt: skip
    null = "the cause's past, pooled, is no help"
    name = "half-panel jackknife, 1 lag"
    row = line_of_test("causality", name, fit.test.stat, fit.test.df, fit.test.pval, null)
    return {"tests": pd.DataFrame([row])}, []


def cointegrated(link: Link, method: str):
    pair = link.scores[[link.cause, link.effect]].dropna()
    test = COINTEGRATION[method](
        pair[link.effect], pair[[link.cause]], draws=link.spec.draws, seed=seed_of(link, 6)
    )
    frame = test.table.reset_index()
    frame.insert(0, "method", method)
    return {"cointegration": frame}, []


def long_run(link: Link):
    years = link.y.index.get_level_values("year").nunique()
    if years < LONG:
        raise TandemError(
            f"With {years} years the intervals of long-run estimators hold the true slope far too "
            f"seldom (docs/methods.md); they need about {LONG}."
        )
    pair = link.scores[[link.cause, link.effect]].dropna()
    y, x = pair[link.effect], pair[[link.cause]]
    fits = [
        *(f(y, x, pooling=p) for f in (fmols, dols) for p in ("group", "pooled")),
        mean_group(y, x),
        pooled_mean_group(y, x),
        *(common_correlated_effects(y, x, p) for p in ("group", "pooled")),
    ]
    rows = [
        {"model": fit.facts["estimator"], **fit.terms.loc[link.cause].drop("statistic")}
        for fit in fits
    ]
    records = [
        records_of(link, fit.facts["estimator"].replace(" ", "_"), fit.terms, fit.statistics)
        for fit in fits
    ]
    return {"long_run": pd.DataFrame(rows)}, records
