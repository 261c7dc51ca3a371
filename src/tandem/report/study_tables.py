"""Every table of a study's report, in its order."""

from pathlib import Path

import pandas as pd

from tandem.analysis.regressions import two_way_terms
from tandem.report.store import label, records, regions
from tandem.report.tables import Table, frame_table, layout_table
from tandem.study import Study


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
        tables.append(layout_table(terms, models, _layout(name, spec)))
    tables += _link_tables(study, results, terms)
    return tables


def _layout(name: str, spec) -> dict:
    layout = spec.model_dump()
    return layout | {
        "name": name,
        "table": spec.records,
        "models": list(spec.columns),
        "headers": spec.columns,
    }


def _data_tables(study: Study, results: dict[str, pd.DataFrame]) -> list[Table]:
    used = results["data/vintages"].assign(
        years=lambda d: d["first"].astype(str) + "-" + d["last"].astype(str)
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
        title = {"en": "Explicit splices and what they do", "zh": "序列衔接及其影响"}
        notes = ["Ratio: the vintage that gives way over the one used, in the years both print."]
        tables.append(frame_table(splices, "data_splices", title, notes))
    if "data/seed_checks" in results:
        checks = results["data/seed_checks"]
        checks["consistent"] = checks["consistent"].map({True: "yes", False: "no"})
        title = {"en": "The seed paper's own figures, checked", "zh": "种子论文数据的一致性检验"}
        tables.append(frame_table(checks.set_index("statement"), "seed_checks", title))
    return tables


def _gaps(study: Study, panel: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for name in panel:
        missing = panel[name][panel[name].isna()].reset_index()
        for year, block in missing.groupby("year"):
            n = panel.xs(year, level="year").shape[0]
            who = "all" if len(block) == n else ", ".join(block["entity"])
            rows.append((label(study, name), year, f"{len(block)} of {n}", who))
    columns = ["series", "year", "missing", "entities"]
    frame = pd.DataFrame(rows, columns=columns)
    if frame.empty:
        frame.loc[0] = ["none", "", "0", ""]
    return frame.set_index(["series", "year"])


def _checks(checks: pd.DataFrame) -> pd.DataFrame:
    groups = checks.groupby("check", sort=False)
    table = groups.agg(
        cells=("passed", "size"), passed=("passed", "sum"), tolerance=("tolerance", "max")
    )
    table["largest difference"] = groups["difference"].agg(lambda d: d.abs().max())
    worst = checks.loc[checks["difference"].abs().groupby(checks["check"]).idxmax()]
    table["where"] = worst.set_index("check")["where"]
    return table


def _index_tables(study: Study, results: dict[str, pd.DataFrame]) -> list[Table]:
    tables = []
    for name, title in (
        ("weights", {"en": "Weights of the indicators", "zh": "指标权重"}),
        ("goalposts", {"en": "Goalposts of the normalisation", "zh": "标准化上下限"}),
    ):
        frame = results[f"indices/{name}"].copy()
        frame["indicator"] = frame["indicator"].map(lambda n: label(study, n))
        frame["system"] = frame["system"].map(lambda n: label(study, n))
        notes = {
            "weights": [
                f"The study uses the {study.coupling.weights} weights; weights add to 1 in a system."
            ],
            "goalposts": ["Pooled minimum and maximum over all entities and years."],
        }
        tables.append(
            frame_table(
                frame.set_index(["system", "indicator"]), f"index_{name}", title, notes[name]
            )
        )
    coupling = results["indices/coupling"]
    tables += [_levels(coupling), _last_year(study, coupling)]
    if len(coupling.index.get_level_values("entity").unique()) > 1:
        tables += [_by_region(study, coupling), _null(results["indices/null"])]
    tables.append(_structure(study, results["indices/structure"]))
    return tables


def _by_region(study: Study, coupling: pd.DataFrame) -> Table:
    systems = list(study.systems)
    columns = [*systems, "C_standard", "D_standard", "D_wang", "D_fan"]
    region = regions(study, coupling.index.get_level_values("entity").unique())
    years = coupling.dropna(subset=columns).index.get_level_values("year")
    ends = coupling[coupling.index.get_level_values("year").isin([years.min(), years.max()])]
    by = ends.groupby([ends.index.get_level_values("entity").map(region), "year"], sort=False)
    means = by[columns].mean().rename_axis(["region", "year"])
    return frame_table(
        means.rename(columns={s: label(study, s) for s in systems}),
        "coupling_regions",
        {"en": "Scores, coupling and coordination by region", "zh": "各区域耦合协调度"},
        [
            "Unweighted means. C lies near 1 for nearly any pair of scores; read D.",
            "With equal shares D is only the fourth root of the product of two scores; two "
            "unrelated systems average D = 0.64.",
        ],
    )


def _levels(coupling: pd.DataFrame) -> Table:
    table = coupling.dropna(subset=["level"]).reset_index()
    counts = table.groupby(["level", "level_name", "year"]).size().unstack("year", fill_value=0)
    counts.index = pd.Index([name for _, name in counts.index], name="level of D")
    return frame_table(
        counts.rename(columns=str),
        "coupling_levels",
        {"en": "Entities by level of coordination", "zh": "各协调等级的地区数"},
        ["Ten levels of the standard D, closed on the right (Tian et al. 2021, Table 1)."],
    )


def _last_year(study: Study, coupling: pd.DataFrame) -> Table:
    year = coupling.dropna(subset=["D_standard"]).index.get_level_values("year").max()
    table = coupling.xs(year, level="year").sort_values("D_standard", ascending=False)
    columns = [*study.systems, "C_standard", "D_standard", "D_wang", "D_fan", "beta"]
    table = table[[*columns, "level_name", "lag_type"]]
    names = {s: label(study, s) for s in study.systems}
    return frame_table(
        table.rename(columns={**names, "level_name": "level", "lag_type": "who lags"}),
        "coupling_entities",
        {"en": f"Coupling and coordination in {year}", "zh": f"{year}年耦合协调度"},
        [
            "beta: the first score over the second; it has no cardinal meaning across normalisations."
        ],
    )


def _null(null: pd.DataFrame) -> Table:
    return frame_table(
        null.set_axis(["observed"]).T.rename_axis("statistic"),
        "coupling_null",
        {"en": "What chance alone would give", "zh": "置换检验"},
        ["999 permutations of the second system's scores between entities within each year."],
    )


def _structure(study: Study, structure: pd.DataFrame) -> Table:
    region = regions(study, structure.index.get_level_values("entity").unique())
    years = structure.index.get_level_values("year")
    kept = structure[years.isin([years.min(), years.max()])].dropna(axis=1, how="all")
    by = kept.groupby([kept.index.get_level_values("entity").map(region), "year"], sort=False)
    return frame_table(
        by.mean().rename_axis(["region", "year"]),
        "structure_regions",
        {"en": "Structure of value added", "zh": "产业结构指数"},
        [
            "ts: tertiary to secondary; hierarchy: 1 to 3; fu: angle (4.71 to 7.85 radians); moore: "
            "angle from the year before (radians). Theil and deviation need employment by industry."
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
                    "Standard deviations of the effect for one of the cause a year before; 95 % "
                    "intervals; p-values are not adjusted for the number of models."
                ],
            )
        )
    for room, title in (
        ("panel_var", {"en": "Granger tests of the panel VARs", "zh": "面板格兰杰检验"}),
        ("var", {"en": "Granger tests of the VAR", "zh": "格兰杰检验"}),
    ):
        if f"estimates/{room}/granger" in results:
            granger = results[f"estimates/{room}/granger"]
            first = [c for c in ("model", "cause", "effect") if c in granger]
            tables.append(frame_table(granger.set_index(first), f"{room}_granger", title))
    for name, title in (
        ("unit_roots", {"en": "Unit-root tests", "zh": "单位根检验"}),
        ("lag_choice", {"en": "Lag order of the VAR", "zh": "滞后阶数选择"}),
    ):
        if f"estimates/var/{name}" in results:
            frame = results[f"estimates/var/{name}"]
            index = ["series", "test"] if name == "unit_roots" else ["lags"]
            tables.append(frame_table(frame.set_index(index), f"var_{name}", title))
    if study.variants:
        tables += _variant_tables(study, results)
    return tables


def _variant_tables(study: Study, results: dict[str, pd.DataFrame]) -> list[Table]:
    names = list(study.variants)
    summary = pd.concat([results[f"variants/{v}/summary"] for v in names])
    links = pd.concat([results[f"variants/{v}/two_way"] for v in names])
    titles = dict(zip(summary["variant"], summary["title"]))
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
        ),
    ]
