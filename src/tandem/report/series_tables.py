"""Tables of the VAR of one entity's yearly series."""

import pandas as pd

from tandem.report.store import labelled
from tandem.report.tables import Table, frame_table
from tandem.study import Study

TABLES = {
    "unit_roots": (
        ["series", "test"],
        {"en": "Unit-root tests", "zh": "单位根检验"},
        "ADF: null of a unit root; KPSS: null of stationarity, p within 0.01-0.10; both with a "
        "constant and no trend.",
    ),
    "lag_choice": (
        ["lags"],
        {"en": "Lag order of the VAR", "zh": "滞后阶数选择"},
        "Smaller is better; the order with the smallest BIC is taken.",
    ),
    "cointegration": (
        ["rank"],
        {"en": "Rank of the long run", "zh": "协整秩检验"},
        "Johansen's tests of the levels with an unrestricted constant, against 5 % values for many "
        "years; p from resamples under each rank. The first rank whose trace test does not reject "
        "is taken.",
    ),
    "error_correction": (
        ["equation", "term"],
        {"en": "Error correction model", "zh": "向量误差修正模型"},
        "The cointegrating vectors (EC) of the levels, then an equation for each change; errors "
        "with n - k degrees of freedom, given the vectors.",
    ),
    "causality": (
        ["cause", "effect", "test"],
        {"en": "All tests of causality", "zh": "全部因果检验"},
        "Estimates are in units of the effect for one of the cause. Toda-Yamamoto, ARDL, VECM and "
        "the bounds on levels, VAR and cycles on what the VAR is fitted to. The bounds are of many "
        "years: with twenty the true ones are larger, and p is that of series with unit roots.",
    ),
}
HEADINGS = {
    "p_value": "p",
    "trace_5": "trace, 5 %",
    "trace_p": "trace p",
    "max_eigenvalue": "largest root",
    "max_5": "largest root, 5 %",
    "max_p": "largest root p",
    "romano_wolf_p": "Romano-Wolf p",
}


def series_tables(study: Study, results: dict[str, pd.DataFrame]) -> list[Table]:
    """Tables of the VAR's step that have a row."""
    tables = []
    for name, (index, title, note) in TABLES.items():
        frame = results.get(f"estimates/var/{name}", pd.DataFrame())
        if len(frame):
            shown = labelled(study, frame).set_index(index).rename(columns=HEADINGS)
            decimals = {c: "p" for c in shown if c == "p" or c.endswith(" p")}
            tables.append(frame_table(shown, f"var_{name}", title, [note], decimals or 3))
    return tables
