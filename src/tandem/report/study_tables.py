"""Every table of a study's report, in its order."""

import re
from pathlib import Path

import pandas as pd

from tandem.analysis.regressions import two_way_terms
from tandem.report.store import degree, label, records, regions
from tandem.report.tables import Table, frame_table, layout_table
from tandem.study import Study

LAG = re.compile(r"L\d+\.")


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
    for name, spec in study.tables.items():
        tables.append(layout_table(terms, models, _layout(name, spec, terms)))
    tables += _link_tables(study, results, terms)
    return tables


def _layout(name: str, spec, terms: pd.DataFrame) -> dict:
    """The study's layout as `layout_table` takes it, without lags beyond the order chosen."""
    layout = spec.model_dump()
    known = set(terms.loc[terms["table"] == spec.records, "term"])
    rows = {t: text for t, text in spec.rows.items() if t in known or not LAG.match(t)}
    return layout | {
        "rows": rows,
        "name": name,
        "table": spec.records,
        "models": list(spec.columns),
        "headers": spec.columns,
        "groups": [{"label": g.label, "models": g.columns} for g in spec.groups],
    }


def _data_tables(study: Study, results: dict[str, pd.DataFrame]) -> list[Table]:
    used = results["data/vintages"].assign(
        years=lambda d: [_span(a, b) for a, b in zip(d["first"], d["last"], strict=True)]
    )[["series", "vintage", "years", "values", "file"]]
    definitions = pd.DataFrame(
        [(s.label.en, s.formula, s.unit, s.why) for s in study.used_series.values()],
        columns=["series", "formula", "unit", "why"],
    ).set_index("series")
    tables = [
        frame_table(
            used.set_index("series"),
            "data_vintages",
            {"en": "Published series, vintages and tables", "zh": "原始序列、版本与来源表"},
            ["Values: published figures of the study's entities and years."],
        ),
        frame_table(
            definitions,
            "data_definitions",
            {"en": "Derived series", "zh": "派生指标"},
            ["Formulas are those of the study file; no value is interpolated."],
        ),
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
    if len(results["data/splices"]):
        splices = results["data/splices"].set_index("series")
        why = splices.pop("why")
        title = {"en": "Explicit splices and what they do", "zh": "序列衔接及其影响"}
        notes = [
            "Ratio: the vintage that gives way over the one used, in the years both print; "
            "largest gap in percent.",
            *(f"{name}: {text}." for name, text in why[~why.index.duplicated()].items()),
        ]
        tables.append(frame_table(splices, "data_splices", title, notes))
    if "data/seed_checks" in results:
        checks = results["data/seed_checks"].assign(
            consistent=lambda d: d["consistent"].map({True: "yes", False: "no"})
        )
        title = {"en": "The seed paper's own figures, checked", "zh": "种子论文数据的一致性检验"}
        tables.append(frame_table(checks.set_index("statement"), "seed_checks", title))
    return tables


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
    tables = []
    notes = {
        "weights": [
            f"The study uses the {study.coupling.weights} weights; weights add to 1 in a system.",
            "Entropy gives most weight to the most skewed indicator, whatever it means.",
        ],
        "goalposts": ["Pooled minimum and maximum over all entities and years."],
    }
    for name, title in (
        ("weights", {"en": "Weights of the indicators", "zh": "指标权重"}),
        ("goalposts", {"en": "Goalposts of the normalisation", "zh": "标准化上下限"}),
    ):
        frame = results[f"indices/{name}"].copy()
        frame["indicator"] = frame["indicator"].map(lambda n: label(study, n))
        frame["system"] = frame["system"].map(lambda n: label(study, n))
        frame = frame.rename(columns={"entropy_value": "entropy e"}).dropna(axis=1, how="all")
        tables.append(
            frame_table(
                frame.set_index(["system", "indicator"]), f"index_{name}", title, notes[name]
            )
        )
    coupling = results["indices/coupling"]
    if len(coupling.index.get_level_values("entity").unique()) > 1:
        if study.panel.groups:
            tables.append(_by_region(study, coupling))
        tables.append(_levels(study, coupling))
        tables += [_last_year(study, coupling), _null(results["indices/null"])]
    else:
        tables.append(_all_years(study, coupling))
    if len(results["indices/structure"]):
        tables.append(_structure(study, results["indices/structure"]))
    return tables


def _region_means(study: Study, frame: pd.DataFrame) -> pd.DataFrame:
    """Unweighted means by region in the first and last year, regions in the study's order."""
    region = regions(study, frame.index.get_level_values("entity").unique())
    years = frame.dropna(how="all").index.get_level_values("year")
    ends = frame[frame.index.get_level_values("year").isin([years.min(), years.max()])]
    by = ends.groupby([ends.index.get_level_values("entity").map(region), "year"], sort=False)
    means = by.mean().rename_axis(["region", "year"])
    return means.reindex(region.unique(), level="region")


def _by_region(study: Study, coupling: pd.DataFrame) -> Table:
    columns = [*study.systems, "C_standard", "D_standard", "D_wang", "D_fan"]
    return frame_table(
        _region_means(study, coupling[columns]).rename(columns=_names(study)),
        "coupling_regions",
        {"en": "Scores, coupling and coordination by region", "zh": "各区域耦合协调度"},
        [
            "Unweighted means. C lies near 1 for nearly any pair of scores; read D.",
            "With equal shares D is only the fourth root of the product of two scores; two "
            "unrelated systems with evenly spread scores would average D = 0.64.",
        ],
    )


def _levels(study: Study, coupling: pd.DataFrame) -> Table:
    table = coupling.dropna(subset=["level"]).reset_index()
    counts = table.groupby(["level", "level_name", "year"]).size().unstack("year", fill_value=0)
    counts.index = pd.Index([name for _, name in counts.index], name="level of D")
    return frame_table(
        counts.rename(columns=str),
        "coupling_levels",
        {"en": "Entities by level of coordination", "zh": "各协调等级的地区数"},
        [
            f"Ten levels of D ({study.coupling.model}), closed on the right (Tian et al. 2021, "
            "Table 1)."
        ],
    )


def _last_year(study: Study, coupling: pd.DataFrame) -> Table:
    year = coupling.dropna(subset=[degree(study)]).index.get_level_values("year").max()
    table = coupling.xs(year, level="year").sort_values(degree(study), ascending=False)
    title = {"en": f"Coupling and coordination in {year}", "zh": f"{year}年耦合协调度"}
    return _coupling(study, table, "coupling_entities", title)


def _all_years(study: Study, coupling: pd.DataFrame) -> Table:
    table = coupling.dropna(subset=[degree(study)]).droplevel("entity")
    title = {"en": "Coupling and coordination by year", "zh": "历年耦合协调度"}
    return _coupling(study, table, "coupling_years", title)


def _coupling(study: Study, table: pd.DataFrame, name: str, title: dict) -> Table:
    columns = [*study.systems, "C_standard", "D_standard", "D_wang", "D_fan", "beta"]
    shown = [c for c in (*columns, "level_name", "lag_type") if c in table]
    return frame_table(
        table[shown].rename(columns=_names(study)),
        name,
        title,
        ["beta: first score over second; it has no cardinal meaning across normalisations."],
    )


def _names(study: Study) -> dict[str, str]:
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


def _null(null: pd.DataFrame) -> Table:
    names = {"null_mean": "chance: mean", "null_p5": "5 %", "null_p95": "95 %"}
    return frame_table(
        null.rename(columns=names).set_index("statistic").rename_axis("mean of"),
        "coupling_null",
        {"en": "What chance alone would give", "zh": "置换检验"},
        [
            "999 permutations of the second system's scores between entities within each year; "
            "percentile: of the observed mean among them."
        ],
        {"percentile": ".1f"},
    )


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
    if study.models.regressions:
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
            granger = results[f"estimates/{room}/granger"].copy()
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
    for name, title in (
        ("unit_roots", {"en": "Unit-root tests", "zh": "单位根检验"}),
        ("lag_choice", {"en": "Lag order of the VAR", "zh": "滞后阶数选择"}),
    ):
        if f"estimates/var/{name}" in results:
            frame = results[f"estimates/var/{name}"]
            index = ["series", "test"] if name == "unit_roots" else ["lags"]
            decimals = {"p_value": "p"} if name == "unit_roots" else 3
            notes = {
                "unit_roots": [
                    "ADF: null of a unit root; KPSS: null of stationarity, p within 0.01-0.10; "
                    "both with a constant and no trend."
                ],
                "lag_choice": ["Smaller is better; the order with the smallest BIC is taken."],
            }
            tables.append(
                frame_table(frame.set_index(index), f"var_{name}", title, notes[name], decimals)
            )
    if study.variants:
        tables += _variant_tables(study, results)
    return tables


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
