"""Tables of a study whose panel is a table (panel.scope: table)."""

import pandas as pd

from tandem import estimates
from tandem.report.study_tables import definitions, layout
from tandem.report.tables import Table, frame_table, layout_table
from tandem.study import Study


def firm_tables(
    study: Study, records: estimates.Records, describe: pd.DataFrame, granger: pd.DataFrame
) -> list[Table]:
    """Definitions, description, the study's layouts, Granger tests of the panel VARs.

    Parameters
    ----------
    records, describe, granger
        From `tandem.analysis.firms.fit_firms`.
    """
    terms, models = records
    labels = {k: v.label.en for k, v in {**study.used_series, **study.systems}.items()}
    shown = describe.assign(variable=describe["variable"].map(labels)).set_index("variable")
    found = [
        definitions(study, []),
        frame_table(
            shown,
            "describe",
            {"en": "Variables", "zh": "变量描述"},
            [
                f"{study.panel.table.file}. Spread overall, between the entities' means and within "
                "entities. A system is the mean of its indicators, each from 0 at its smallest "
                "value to 1 at its largest."
            ],
        ),
    ]
    found += [
        layout_table(terms, models, layout(name, spec, terms))
        for name, spec in study.tables.items()
    ]
    if len(granger):
        titles = {k: m.label for k, m in study.models.panel_var.models.items()}
        names = {"stat": "Wald", "pval": "p"}
        rows = granger[granger["cause"] != "all"] if len(study.systems) == 2 else granger
        rows = rows.assign(
            model=rows["model"].map(titles),
            cause=rows["cause"].map(labels).fillna("all others"),
            effect=rows["effect"].map(labels),
        )
        found.append(
            frame_table(
                rows.set_index(["model", "cause", "effect"])[["stat", "df", "pval"]].rename(
                    columns=names
                ),
                "panel_var_granger",
                {"en": "Granger tests of the panel VARs", "zh": "面板VAR格兰杰检验"},
                ["Wald tests that no lag of the cause enters the equation of the effect."],
                {"p": "p"},
            )
        )
    return found
