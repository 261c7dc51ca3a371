"""Years in which a published series changed its definition, and which of them a study crosses."""

from fnmatch import fnmatchcase
from pathlib import Path

import pandas as pd

from tandem.errors import TandemError
from tandem.panel.formula import names_in
from tandem.sources.inventory import SCOPES, read_codebook
from tandem.study import Study

BREAK_COLUMNS = ["series", "year", "scope", "what_en", "what_zh", "effect", "source", "checked"]
CHECKED = ("opened", "partly", "from memory")
CROSSED = [
    "series", "year", "what_en", "what_zh", "effect", "source", "checked", "derived", "systems",
    "tables",
]  # fmt: skip


def read_breaks(data: Path) -> pd.DataFrame:
    """Definition breaks of published series.

    Parameters
    ----------
    data : Path
        Folder with breaks.csv and codebook.csv. In breaks.csv, `series` and `scope` hold several
        names joined by ";", and * in a name stands for any text.

    Returns
    -------
    DataFrame
        One row a (series, scope, year): columns of breaks.csv; `year` is the first year of the new
        definition.

    Raises
    ------
    TandemError
        If the file or a column is missing, an entry is blank or wrong, a name fits no series of
        the codebook, or a series breaks twice in one year.
    """
    path = Path(data) / "breaks.csv"
    if not path.is_file():
        raise TandemError(f"{path} does not exist; it must list the definition breaks of series.")
    table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    if absent := [name for name in BREAK_COLUMNS if name not in table.columns]:
        raise TandemError(f"{path} lacks the column {', '.join(absent)}; add it to its first line.")
    table = table[BREAK_COLUMNS].apply(lambda column: column.str.strip())
    known = list(read_codebook(data)["series"])
    problems, rows = [], []
    for line, row in enumerate(table.to_dict("records"), start=2):
        found = _problems(row, known)
        problems += [f"breaks.csv line {line} ({row['series'] or 'no series'}): {p}" for p in found]
        if not found:
            names = [n for n in known if any(fnmatchcase(n, p) for p in row["series"].split(";"))]
            rows += [
                row | {"series": name, "scope": scope, "year": int(row["year"])}
                for name in names
                for scope in row["scope"].split(";")
            ]
    breaks = pd.DataFrame(rows, columns=BREAK_COLUMNS)
    twice = breaks[breaks.duplicated(["series", "scope", "year"])]
    problems += [
        f"breaks.csv lists {r.series} ({r.scope}) twice for {r.year}; write one line for both."
        for r in twice.itertuples()
    ]
    if problems:
        raise TandemError("\n".join(problems[:20]))
    return breaks.sort_values(["series", "scope", "year"], ignore_index=True)


def _problems(row: dict[str, str], known: list[str]) -> list[str]:
    """What is wrong with one line."""
    wanted = ("series", "year", "scope", "what_en", "what_zh", "source")
    problems = [f"the column {c} is blank; fill it in." for c in wanted if not row[c]]
    if row["year"] and not (row["year"].isdecimal() and len(row["year"]) == 4):
        problems.append(f"year is '{row['year']}'; write the first year of the new definition.")
    for name in filter(None, row["series"].split(";")):
        if not any(fnmatchcase(k, name) for k in known):
            problems.append(f"'{name}' is no series of data/codebook.csv; correct the name.")
    for scope in filter(None, row["scope"].split(";")):
        if scope not in SCOPES:
            problems.append(f"scope is '{scope}'; write {', '.join(SCOPES)}, joined by ';'.")
    if row["checked"] not in CHECKED:
        problems.append(f"checked is '{row['checked']}'; write one of {', '.join(CHECKED)}.")
    return problems


def crossed(study: Study, breaks: pd.DataFrame) -> pd.DataFrame:
    """Definition breaks inside a study's window, and what they reach.

    A study crosses a break if it reads the series and first year < break year <= last year.

    Parameters
    ----------
    study : Study
    breaks : DataFrame
        From `read_breaks`.

    Returns
    -------
    DataFrame
        One row a (series, year): columns series, year, what_en, what_zh, effect, source, checked,
        and, joined by ";": derived (series of the study that read it), systems (that hold such an
        indicator), tables (layouts under `tables` whose estimates rest on one of these).
    """
    first, last = study.panel.years
    mine = breaks[(breaks["scope"] == study.panel.scope) & breaks["series"].isin(study.base_series)]
    mine = mine[(mine["year"] > first) & (mine["year"] <= last)]
    reached = [_reached(study, row.series, row.year) for row in mine.itertuples()]
    columns = pd.DataFrame(reached, columns=["derived", "systems", "tables"], index=mine.index)
    table = mine.drop(columns="scope").join(columns)
    return table.sort_values(["series", "year"], ignore_index=True)[CROSSED]


def _reached(study: Study, series: str, year: int) -> list[str]:
    derived = [k for k, v in study.used_series.items() if series in names_in(v.formula)]
    systems = [k for k, v in study.systems.items() if set(v.indicators) & set(derived)]
    tables = [k for k, v in study.tables.items() if _rests_on(study, v.records, derived, year)]
    return [";".join(names) for names in (derived, systems, tables)]


def _rests_on(study: Study, records: str, derived: list[str], year: int) -> bool:
    """Whether the estimates of a table read one of the derived series on both sides of the year."""
    models = study.models
    if records == "var" and models.var:
        first, last = models.var.years
        return first < year <= last and bool(set(models.var.variables) & set(derived))
    read = {name for system in study.systems.values() for name in system.indicators}
    if records in study.systems:  # regressions, in a table named after the system explained
        read |= set(models.controls) | {n for r in models.regressions.values() for n in r.add}
    return bool(read & set(derived))
