"""The shape of observations and panel as pandera schemas; every breach becomes one sentence."""

import re

import numpy as np
import pandas as pd
import pandera.pandas as pa

from tandem.sources.regions import NATION, PROVINCES
from tandem.study import Study

KEY = ["region_code", "series", "year", "vintage"]
FIRST_YEAR, LAST_YEAR = 1949, 2100

# what a breach of each check means, and what to do
_MEANING = {
    "region code": "the code is neither of a province (GB/T 2260) nor of a country (ISO 3166); "
    "correct it",
    "region name": "the name is not the one that belongs to the code; write the English name",
    "year": f"the year is not within {FIRST_YEAR}-{LAST_YEAR}; correct the header of the table",
    "finite": "the value is not a finite number; write the number alone, or leave the cell blank",
    "vintage": "the vintage is blank; name it in sources.csv",
    "series": "the series is not in codebook.csv; add a line",
    "range": "the value is outside the plausible range of codebook.csv; check the number and its "
    "unit, or widen the range",
    "key": "the same stands twice; keep one",
    "window": "the year is not one of the study's; change panel.years",
    "grid": "the panel lacks this entity and year; every entity needs every year of the study",
    "plausible": "the value is outside the plausible range of the study; check the tables it rests "
    "on, or widen plausible in the study",
}


def observation_problems(observations: pd.DataFrame, codebook: pd.DataFrame) -> list[str]:
    """Every breach of the schema of observations, one sentence each.

    Parameters
    ----------
    observations, codebook : DataFrame
        From `read_observations` and `read_codebook`.

    Returns
    -------
    list of str
        Empty if all is well; file, cell, region and year in each sentence.
    """
    ranges = codebook.set_index("series")[["minimum", "maximum"]].astype(float)
    names = {**PROVINCES, NATION[0]: NATION[1]}
    text = {"dtype": None, "coerce": False}
    schema = pa.DataFrameSchema(
        {
            "region_code": pa.Column(
                **text, checks=_check("region code", lambda s: s.isin(PROVINCES) | _iso(s))
            ),
            "region": pa.Column(**text),
            "series": pa.Column(**text, checks=_check("series", lambda s: s.isin(ranges.index))),
            "unit": pa.Column(**text),
            "year": pa.Column(int, checks=_check("year", _in_range(FIRST_YEAR, LAST_YEAR))),
            "value": pa.Column(float, nullable=True, checks=_check("finite", np.isfinite)),
            "vintage": pa.Column(**text, checks=_check("vintage", lambda s: s.str.strip() != "")),
            "source": pa.Column(**text),
            "cell": pa.Column(**text),
            "flag": pa.Column(**text),
        },
        checks=[
            _check("key", lambda d: ~d.duplicated(KEY, keep=False)),
            _check(
                "region name",
                lambda d: d["region_code"].map(names).fillna(d["region"]) == d["region"],
            ),
            _check("range", lambda d: _within(d["value"], *_limits(d["series"], ranges))),
        ],
    )
    table = observations.reset_index(drop=True)
    return [
        f"{place(row['cell'])}, {row['region']} {row['year']}: {row['series']} is "
        f"{_number(row['value'])} ({row['vintage'] or 'no vintage'}); {meaning}."
        if row is not None
        else meaning
        for row, meaning, _ in _breaches(schema, table, "observations")
    ]


def panel_problems(study: Study, panel: pd.DataFrame, observations: pd.DataFrame) -> list[str]:
    """Every breach of the schema of a study's panel, one sentence each.

    Parameters
    ----------
    study : Study
    panel : DataFrame (entity-years, derived series)
        From `tandem.analysis.panel.make_panel`.
    observations : DataFrame
        Names the cells that a value rests on.

    Returns
    -------
    list of str
        An entity-year twice or absent, a number that is not finite, a value outside the study's
        plausible range. NaN is a gap and allowed.
    """
    first, last = study.panel.years
    columns = {
        name: _panel_column(*(series.plausible or (-np.inf, np.inf)))
        for name, series in study.used_series.items()
    }
    schema = pa.DataFrameSchema(
        {"entity": pa.Column(None), "year": pa.Column(int), **columns},
        checks=[
            _check("key", lambda d: ~d.duplicated(["entity", "year"], keep=False)),
            _check("window", lambda d: _in_range(first, last)(d["year"])),
        ],
    )
    table = panel.reset_index()
    problems = []
    for row, meaning, column in _breaches(schema, table, "the panel"):
        if row is None:
            problems.append(meaning)
        elif column == "":
            problems.append(f"{row['entity']} {row['year']}: {meaning}.")
        else:
            words = re.findall(r"[A-Za-z_]\w*", study.used_series[column].formula)
            rows = observations[observations["series"].isin(words)]
            rows = rows[(rows["region"] == row["entity"]) & (rows["year"] == row["year"])]
            cells = " and ".join(place(cell) for cell in rows["cell"]) or "no cell of this year"
            problems.append(
                f"{row['entity']} {row['year']}: {column} is {_number(row[column])}, from {cells}; "
                f"{meaning}."
            )
    index = pd.MultiIndex.from_product([table["entity"].unique(), range(first, last + 1)])
    absent = index.difference(pd.MultiIndex.from_frame(table[["entity", "year"]]))
    return problems + [f"{entity} {year}: {_MEANING['grid']}." for entity, year in absent]


def _panel_column(low: float, high: float) -> pa.Column:
    finite = _check("finite", lambda s: np.isfinite(s) | s.isna())
    plausible = _check("plausible", lambda s: ~np.isfinite(s) | _in_range(low, high)(s))
    return pa.Column(float, nullable=True, checks=[finite, plausible])


def place(cell: str) -> str:
    """A cell in words: "raw/nbs/gdp.csv cell B5", with the sheet if there is one."""
    file, sheet, address = (cell.split("!") + ["", ""])[:3]
    return f"{file}{f' sheet {sheet}' if sheet else ''} cell {address}"


def _check(name: str, test) -> pa.Check:
    return pa.Check(test, name=name, ignore_na=False)


def _iso(codes: pd.Series) -> pd.Series:
    return codes.str.fullmatch("[A-Z]{2,3}").fillna(False)


def _in_range(low: float, high: float):
    return lambda values: (values >= low) & (values <= high)


def _limits(series: pd.Series, ranges: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    return series.map(ranges["minimum"]), series.map(ranges["maximum"])


def _within(values: pd.Series, low: pd.Series, high: pd.Series) -> pd.Series:
    """Out of range; what is no number or has no range is the matter of another check."""
    return ~((values < low) | (values > high)) | ~np.isfinite(values)


def _breaches(schema: pa.DataFrameSchema, table: pd.DataFrame, what: str):
    """Each breach once: its row (None if not of one row), what it means, its column (or "")."""
    try:
        schema.validate(table, lazy=True)
    except pa.errors.SchemaErrors as err:
        cases = err.failure_cases
    else:
        return
    whole_row = cases["schema_context"] != "Column"  # pandera repeats these for every column
    cases = cases.assign(column=cases["column"].where(~whole_row, ""), row=cases["index"])
    cases = cases.drop(columns="index").drop_duplicates(["column", "check", "row"])
    for _, case in cases.iterrows():
        if pd.isna(case["row"]):
            yield None, _of_table(what, case), case["column"]
        else:
            yield table.loc[int(case["row"])], _MEANING[case["check"]], case["column"]


def _of_table(what: str, case: pd.Series) -> str:
    if case["check"] == "column_in_dataframe":
        return f"The column {case['failure_case']} is absent from {what}; read the tables again."
    return (
        f"The column {case['column'] or 'value'} of {what} fails the check {case['check']} "
        f"({case['failure_case']}); read the tables again."
    )


def _number(value) -> str:
    return f"{value:.15g}" if isinstance(value, float | int | np.number) else f"'{value}'"
