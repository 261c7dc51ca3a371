"""Every table of a study's report, in its order."""

import re
from pathlib import Path

import pandas as pd

from tandem.analysis.two_way import two_way_terms
from tandem.panel.vintages import SAME_QUANTITY
from tandem.report.claims import claim_tables
from tandem.report.dynamics import dynamics_tables
from tandem.report.robustness import robustness_tables
from tandem.report.series_tables import series_tables
from tandem.report.store import degree, label, labelled, records, regions
from tandem.report.tables import Table, frame_table, layout_table
from tandem.report.two_way import two_way_tables
from tandem.report.uncertainty import null_table, uncertainty_tables
from tandem.study import Study

LAG = re.compile(r"L\d+\.")
FEW = 6  # vintages that a note still lists


def make_tables(study: Study, results: dict[str, pd.DataFrame], folder: str | Path) -> list[Table]:
    """Every table of the report, in the order of the report.

    Parameters
    ----------
    results : dict of DataFrame
        From `load`.
    folder : path
        The study's results, for the results store.
    """
    terms, models = records(folder)
    tables = [*_data_tables(study, results), *_index_tables(study, results)]
    tables += [*uncertainty_tables(study, results), *dynamics_tables(study, results)]
    for name, spec in study.tables.items():
        made = layout(name, spec, terms)
        more = [_vintage_note(results["data/vintages"]), *_break_notes(results, "tables", name)]
        made["notes"] = [*made["notes"], *more]
        tables.append(layout_table(terms, models, made))
    tables += _link_tables(study, results, terms)
    return [*tables, *robustness_tables(study, results), *claim_tables(study, results)]


def layout(name: str, spec, terms: pd.DataFrame) -> dict:
    """The study's layout as `layout_table` takes it, without lags beyond the order chosen."""
    keys = spec.model_dump()
    known = set(terms.loc[terms["table"] == spec.records, "term"])
    rows = {t: text for t, text in spec.rows.items() if t in known or not LAG.match(t)}
    return keys | {
        "rows": rows,
        "name": name,
        "table": spec.records,
        "models": list(spec.columns),
        "headers": spec.columns,
        "groups": [{"label": g.label, "models": g.columns} for g in spec.groups],
    }


def _vintage_note(vintages: pd.DataFrame) -> str:
    names = sorted(vintages["vintage"].unique())
    listed = ", ".join(names) if len(names) <= FEW else f"{len(names)}, listed in data_vintages"
    return f"Vintages of the data: {listed}."


def _break_notes(results: dict[str, pd.DataFrame], column: str, name: str = "") -> list[str]:
    """A note for each definition break that reaches a table, a system or a derived series.

    Parameters
    ----------
    column : str
        "tables", "systems" or "derived": what must be reached, by `name` if it is given.
    """
    notes = []
    for row in results["data/breaks"].astype(object).fillna("").itertuples():
        reached = getattr(row, column).split(";")
        if name in reached if name else any(reached):
            notes.append((row.year, row.what_en, row.series))
    table = pd.DataFrame(notes, columns=["year", "what", "series"])
    return [
        f"The definition of {', '.join(rows['series'])} breaks in {year}: {what}."
        for (year, what), rows in table.groupby(["year", "what"])
    ]


def definitions(study: Study, notes: list[str]) -> Table:
    """Formula, unit and reason of each derived series that the study reads."""
    frame = pd.DataFrame(
        [(s.label.en, s.formula, s.unit, s.why) for s in study.used_series.values()],
        columns=["series", "formula", "unit", "why"],
    ).set_index("series")
    return frame_table(
        frame,
        "data_definitions",
        {"en": "Derived series", "zh": "派生指标"},
        ["Formulas are those of the study file; no value is interpolated.", *notes],
    )


def _data_tables(study: Study, results: dict[str, pd.DataFrame]) -> list[Table]:
    used = results["data/vintages"].assign(
        years=lambda d: [_span(a, b) for a, b in zip(d["first"], d["last"], strict=True)]
    )[["series", "vintage", "meaning", "years", "values", "file"]]
    tables = [
        frame_table(
            used.set_index("series"),
            "data_vintages",
            {"en": "Published series, vintages and tables", "zh": "原始序列、版本与来源表"},
            ["Values: published figures of the study's entities and years."],
        ),
        definitions(study, _break_notes(results, "derived")),
        frame_table(
            _gaps(study, results["data/panel"]),
            "data_gaps",
            {"en": "What is missing", "zh": "缺失数据"},
            ["A missing figure stays missing and leaves every model that reads it."],
        ),
        frame_table(
            _checks(results["data/checks"]),
            "data_checks",
            {"en": "Accounting checks on the raw tables", "zh": "原始数据恒等式检验"},
        ),
    ]
    if len(results["data/breaks"]):
        frame = results["data/breaks"].set_index(["series", "year"])
        tables.append(
            frame_table(
                frame[["what_en", "effect", "systems"]].rename(columns={"what_en": "what"}),
                "data_breaks",
                {"en": "Definition breaks inside the window", "zh": "窗口内的统计口径变化"},
                ["The value of the year named is the first on the new definition."],
            )
        )
    if len(results["data/revisions_by_entity"]):
        tables.append(
            _revisions(
                results["data/revisions_by_entity"], SAME_QUANTITY.get(study.panel.scope, {})
            )
        )
    if len(results["data/splices"]):
        splices = results["data/splices"].set_index("series")
        why = splices.pop("why")
        title = {"en": "Explicit splices and what they do", "zh": "序列衔接及其影响"}
        notes = [
            "Ratio: the vintage that gives way over the one used, in the years both print; "
            "largest gap in percent. Serves: years that rest on the other vintage; link years: "
            "those that a chained vintage is scaled by, with the mean factor.",
            *(f"{name}: {text}." for name, text in why[~why.index.duplicated()].items()),
        ]
        tables.append(frame_table(splices, "data_splices", title, notes))
    if "data/seed_figures" in results:
        figures = results["data/seed_figures"].drop(columns="series")
        wide = figures.rename(columns={"place": "", "label": "figure"}).set_index("")
        title = {
            "en": "The seed paper's Tables I and II and text",
            "zh": "种子论文的表I、表II与正文数据",
        }
        tables.append(frame_table(wide, "seed_tables", title, decimals={"value": ",.6g"}))
    if "data/seed_checks" in results:
        checks = results["data/seed_checks"].assign(
            consistent=lambda d: d["consistent"].map({True: "yes", False: "no"})
        )
        title = {"en": "The seed paper's own figures, checked", "zh": "种子论文数据的一致性检验"}
        tables.append(frame_table(checks.set_index("statement"), "seed_checks", title))
    return tables


def _revisions(by_entity: pd.DataFrame, same: dict[str, str]) -> Table:
    """The entity in which each pair of vintages differs most."""
    size = by_entity["largest_gap"].abs()
    pairs = by_entity.groupby(["series", "earlier", "later"])
    worst = by_entity.loc[size.groupby([by_entity[k] for k in pairs.keys]).idxmax()]
    counts = pairs.agg(
        entities=("entity", "size"), values=("years", "sum"), mean=("mean_gap", "mean")
    )
    table = worst.set_index(["series", "earlier", "later"])[["largest_gap", "entity", "year"]]
    table = counts.join(table).rename(
        columns={"mean": "mean gap, %", "largest_gap": "largest gap, %"}
    )
    return frame_table(
        table,
        "data_revisions",
        {"en": "How far vintages of one series differ", "zh": "同一序列不同版本的差异"},
        [
            "Gap: the earlier publication over the next later one, less 1. Every value is in "
            "data/revisions.csv, every entity in data/revisions_by_entity.csv.",
            *(f"{a} is taken for the same quantity as {b}." for a, b in same.items()),
        ],
    )


def _span(first: int, last: int) -> str:
    return f"{first}" if first == last else f"{first}-{last}"


def _gaps(study: Study, panel: pd.DataFrame) -> pd.DataFrame:
    """One row a series and run of years in which the same entities are missing."""
    rows = []
    everyone = panel.index.get_level_values("entity").unique()
    for name in panel:
        missing = panel[name][panel[name].isna()].reset_index()
        who = missing.groupby("year")["entity"].agg(", ".join)
        years = who.index.to_series()
        runs = ((years.diff() != 1) | (who != who.shift())).cumsum()
        for _, run in years.groupby(runs):
            names = who[run.iloc[0]]
            count = names.count(", ") + 1
            entities = "all" if count == len(everyone) else names
            missed = f"{count} of {len(everyone)}"
            rows.append((label(study, name), _span(run.iloc[0], run.iloc[-1]), missed, entities))
    if not rows:
        rows = [("none", "", "", "")]
    frame = pd.DataFrame(rows, columns=["series", "years", "missing", "entities"])
    return frame.set_index(["series", "years"])


def _checks(checks: pd.DataFrame) -> pd.DataFrame:
    groups = checks.groupby("check", sort=False)
    table = groups.agg(
        cells=("passed", "size"), passed=("passed", "sum"), tolerance=("tolerance", "max")
    )
    # an inequality leaves room by design; only how far an equality misses says something
    equal = checks[~checks["check"].str.contains("<=")]
    miss = equal["difference"].abs().groupby(equal["check"])
    table["largest difference"] = miss.max()
    table["where"] = equal.loc[miss.idxmax()].set_index("check")["where"]
    return table.fillna({"where": ""})


def _index_tables(study: Study, results: dict[str, pd.DataFrame]) -> list[Table]:
    tables = _goalpost_tables(study, results)
    coupling, notes = results["indices/coupling"], _break_notes(results, "systems")
    if len(coupling.index.get_level_values("entity").unique()) > 1:
        if study.panel.groups:
            tables.append(_by_region(study, coupling, notes))
        tables.append(_levels(study, coupling, notes))
        tables.append(_last_year(study, coupling, notes))
    else:
        tables.append(_all_years(study, coupling, notes))
    tables += null_table(results)
    if len(results["indices/structure"]):
        tables.append(_structure(study, results["indices/structure"]))
    return tables


def _goalpost_tables(study: Study, results: dict[str, pd.DataFrame]) -> list[Table]:
    """Weights, goalposts, what lies beyond them, and what fitting them anew moves."""

    def named(name):
        frame = results[f"indices/{name}"].copy()
        for column in ("indicator", "system"):
            frame[column] = frame[column].map(lambda n: label(study, n))
        return frame

    weights = named("weights").rename(columns={"entropy_value": "entropy e"})
    posts = named("goalposts").drop(columns=["formula", "method"])
    key = ["system", "indicator"]
    tables = [
        frame_table(
            weights.dropna(axis=1, how="all").set_index(key),
            "index_weights",
            {"en": "Weights of the indicators", "zh": "指标权重"},
            [
                f"Scores use the last column: {study.coupling.weights} weights of the years in the "
                "table of goalposts; the others are those of the present figures.",
                "Weights add to 1 in a system. Entropy gives most weight to the most skewed "
                "indicator, whatever it means.",
            ],
        ),
        frame_table(
            posts.set_index(key),
            "index_goalposts",
            {"en": "Goalposts of the normalisation", "zh": "标准化上下限"},
            [
                "Pooled minimum and maximum over entities and the years fitted.",
                "Fixed: kept in a file beside the study, so that new years leave old degrees as "
                "they were; values beyond count as lying on the goalpost."
                if study.coupling.goalposts == "fixed"
                else "Fitted anew at every run, so that new years move old degrees.",
            ],
        ),
    ]
    if len(results["indices/clipped"]):
        title = {"en": "Values beyond the goalposts", "zh": "超出上下限的数值"}
        frame = named("clipped").set_index(["entity", "year"])
        tables.append(frame_table(frame, "index_clipped", title))
    if len(results["indices/moved"]):
        tables.append(_moved(results["indices/moved"]))
    return tables


def _moved(moved: pd.DataFrame) -> Table:
    by_year = moved.reset_index().groupby("year")
    largest = by_year["moved"].apply(lambda m: m.abs().idxmax())
    rows = moved.reset_index().loc[largest]
    frame = pd.DataFrame(
        {
            "mean fixed": by_year["fixed"].mean(),
            "mean refit": by_year["refit"].mean(),
            "mean move": by_year["moved"].mean(),
            "largest move": rows.set_index("year")["moved"],
            "where": rows.set_index("year")["entity"],
        }
    )
    return frame_table(
        frame,
        "index_moved",
        {"en": "Degrees moved by fitting the goalposts anew", "zh": "重新拟合上下限引起的变动"},
        ["Fixed: D with the goalposts kept beside the study; every value is in indices/moved.csv."],
    )


def _region_means(study: Study, frame: pd.DataFrame) -> pd.DataFrame:
    """Unweighted means by region in the first and last year, regions in the study's order."""
    region = regions(study, frame.index.get_level_values("entity").unique())
    years = frame.dropna(how="all").index.get_level_values("year")
    ends = frame[frame.index.get_level_values("year").isin([years.min(), years.max()])]
    by = ends.groupby([ends.index.get_level_values("entity").map(region), "year"], sort=False)
    means = by.mean().rename_axis(["region", "year"])
    return means.reindex(region.unique(), level="region")


def _by_region(study: Study, coupling: pd.DataFrame, notes: list[str]) -> Table:
    columns = [*study.systems, "C_standard", "D_standard", "D_wang", "D_fan"]
    return frame_table(
        _region_means(study, coupling[columns]).rename(columns=coupling_headings(study)),
        "coupling_regions",
        {"en": "Scores, coupling and coordination by region", "zh": "各区域耦合协调度"},
        [
            "Unweighted means. C lies near 1 for nearly any pair of scores; read D.",
            "With equal shares D is only the fourth root of the product of two scores; two "
            "unrelated systems with evenly spread scores would average D = 0.64.",
            *notes,
        ],
    )


def _levels(study: Study, coupling: pd.DataFrame, notes: list[str]) -> Table:
    table = coupling.dropna(subset=["level"]).reset_index()
    counts = table.groupby(["level", "level_name", "year"]).size().unstack("year", fill_value=0)
    counts.index = pd.Index([name for _, name in counts.index], name="level of D")
    return frame_table(
        counts.rename(columns=str),
        "coupling_levels",
        {"en": "Entities by level of coordination", "zh": "各协调等级的地区数"},
        [
            f"Ten levels of D ({study.coupling.model}), closed on the right (Tian et al. 2021, "
            "Table 1).",
            *notes,
        ],
    )


def _last_year(study: Study, coupling: pd.DataFrame, notes: list[str]) -> Table:
    year = coupling.dropna(subset=[degree(study)]).index.get_level_values("year").max()
    table = coupling.xs(year, level="year").sort_values(degree(study), ascending=False)
    title = {"en": f"Coupling and coordination in {year}", "zh": f"{year}年耦合协调度"}
    return _coupling(study, table, "coupling_entities", title, notes)


def _all_years(study: Study, coupling: pd.DataFrame, notes: list[str]) -> Table:
    table = coupling.dropna(subset=[degree(study)]).droplevel("entity")
    title = {"en": "Coupling and coordination by year", "zh": "历年耦合协调度"}
    return _coupling(study, table, "coupling_years", title, notes)


def _coupling(study: Study, table: pd.DataFrame, name: str, title: dict, notes: list) -> Table:
    columns = [*study.systems, "C_standard", "D_standard", "D_wang", "D_fan", "beta"]
    shown = [c for c in (*columns, "level_name", "lag_type") if c in table]
    return frame_table(
        table[shown].rename(columns=coupling_headings(study)),
        name,
        title,
        [
            "beta: first score over second; it has no cardinal meaning across normalisations.",
            *notes,
        ],
    )


def coupling_headings(study: Study) -> dict[str, str]:
    """Headings of the coupling columns."""
    return {
        **{s: label(study, s) for s in study.systems},
        "C_standard": "C",
        "D_standard": "D",
        "D_wang": "D (Wang)",
        "D_fan": "D (Fan)",
        "level_name": "level of D",
        "lag_type": "who lags",
    }


def _structure(study: Study, structure: pd.DataFrame) -> Table:
    one = structure.index.get_level_values("entity").nunique() == 1
    shown = structure.droplevel("entity") if one else _region_means(study, structure)
    return frame_table(
        shown.dropna(axis=1, how="all").dropna(how="all"),
        "structure_regions",
        {"en": "Structure of value added", "zh": "产业结构指数"},
        [
            "ts: tertiary to secondary; hierarchy: 1 to 3; fu: angle (4.71 to 7.85 radians); "
            "moore: angle from the year before (radians). Theil and deviation need employment "
            "by industry."
        ],
    )


def _link_tables(
    study: Study, results: dict[str, pd.DataFrame], terms: pd.DataFrame
) -> list[Table]:
    tables = []
    if study.models.verdict:
        tables += two_way_tables(study, results)
    elif study.models.regressions:
        two_way = two_way_terms(study, results["indices/scores"], terms)
        shown = two_way.drop(columns=["cause", "effect"]).set_index(["direction", "model"])
        tables.append(
            frame_table(
                shown[["estimate", "conf_low", "conf_high", "p_value"]],
                "two_way",
                {"en": "The two-way link in all models", "zh": "双向关系：全部模型"},
                [
                    "Standard deviations of the effect for one of the cause a year before, both "
                    "within entities and years; 95 % intervals; p-values are not adjusted for the "
                    "number of models."
                ],
                {"p_value": "p"},
            )
        )
    for room, title in (
        ("panel_var", {"en": "Granger tests of the panel VARs", "zh": "面板格兰杰检验"}),
        ("var", {"en": "Granger tests of the VAR", "zh": "格兰杰检验"}),
    ):
        if f"estimates/{room}/granger" in results:
            granger = labelled(study, results[f"estimates/{room}/granger"])
            if room == "panel_var":
                granger["model"] = granger["model"].map(
                    {k: m.label for k, m in study.models.panel_var.models.items()}
                )
            first = [c for c in ("model", "cause", "effect") if c in granger]
            tables.append(
                frame_table(
                    granger.set_index(first), f"{room}_granger", title, (), {"p_value": "p"}
                )
            )
    if "estimates/panel_var/diagnostics" in results:
        tables += _panel_var_tests(study, results)
    tables += series_tables(study, results)
    if study.variants:
        tables += _variant_tables(study, results)
    return tables


def _panel_var_tests(study: Study, results: dict[str, pd.DataFrame]) -> list[Table]:
    """Tests of the residuals of each panel VAR, and criteria for its lags."""
    labels = {k: m.label for k, m in study.models.panel_var.models.items()}
    names = {"ar1_p": "AR(1) p", "ar2_p": "AR(2) p", "cd_p": "CD p", "jarque_bera_p": "normality p"}
    tests, cautions = (results[f"estimates/panel_var/{n}"] for n in ("diagnostics", "cautions"))
    tests = tests.assign(model=tests["model"].map(labels)).set_index(["model", "equation"])
    found = [
        frame_table(
            tests[list(names)].rename(columns=names),
            "panel_var_diagnostics",
            {"en": "Residuals of the panel VARs", "zh": "面板VAR残差检验"},
            [
                "AR: Arellano and Bond's tests of the differenced errors; the first order is "
                "expected, the second speaks against the latest instruments. CD: dependence "
                "between entities, not given with year effects, which force the errors of a year "
                "to add to zero. Normality: Jarque and Bera.",
                *(f"{labels[c.model]}: {c.caution}" for c in cautions.itertuples()),
            ],
            {name: "p" for name in names.values()},
        )
    ]
    lags = results["estimates/panel_var/lag_choice"]
    if len(lags):
        shown = lags.rename(columns={"pval": "J p", "cd": "CD", "max_modulus": "largest modulus"})
        found.append(
            frame_table(
                shown.astype({"n_obs": int, "df": int}).set_index("lags"),
                "panel_var_lag_choice",
                {"en": "Lags of the panel VAR", "zh": "面板VAR滞后阶数"},
                lag_choice_note(lags),
                {"J p": "p"},
            )
        )
    return found


def lag_choice_note(lags: pd.DataFrame) -> list[str]:
    """How to read the criteria, and whether any order may be used (pval, max_modulus)."""
    usable = (lags["max_modulus"] < 1) & ~(lags["pval"] < 0.05)  # without a J there is no rejection
    told = [
        "Criteria of Andrews and Lu (2001) with K*K*p coefficients, all orders on one sample; the "
        "least wins among orders whose J is not rejected and whose moduli are below one. CD: "
        "coefficient of determination."
    ]
    return told if usable.any() else [*told, "There is none here; the study file sets the order."]


def _variant_tables(study: Study, results: dict[str, pd.DataFrame]) -> list[Table]:
    names = list(study.variants)
    summary = pd.concat([results[f"variants/{v}/summary"] for v in names])
    links = pd.concat([results[f"variants/{v}/two_way"] for v in names])
    titles = summary.set_index("variant")["title"]
    links["variant"] = links["variant"].map(titles)
    return [
        frame_table(
            summary.drop(columns="variant").set_index("title").rename_axis("variant"),
            "variants",
            {"en": "Variants of the study", "zh": "稳健性变体"},
            ["complete: entity-years with both scores; columns of systems count indicators."],
        ),
        frame_table(
            links.set_index(["variant", "direction", "model"])[
                ["estimate", "conf_low", "conf_high", "p_value"]
            ],
            "variants_two_way",
            {"en": "The two-way link in the variants", "zh": "各变体的双向关系"},
            ["In standard deviations, as in the table of the main study."],
            {"p_value": "p"},
        ),
    ]
