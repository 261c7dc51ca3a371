"""Table layouts are data: records of the results store become a `Table`, a Table seven files."""

import math
import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import pandas as pd

from tandem.errors import TandemError
from tandem.files import write_whole
from tandem.report.table_docx import all_to_docx, to_docx
from tandem.report.table_model import Cell, Table
from tandem.report.table_notes import THRESHOLDS, regression_notes
from tandem.report.table_tex import to_tex
from tandem.report.table_text import to_csv, to_html, to_md
from tandem.report.table_typ import to_typ
from tandem.report.table_xlsx import to_xlsx

WRITERS = {
    "csv": to_csv,
    "md": to_md,
    "html": to_html,
    "tex": to_tex,
    "typ": to_typ,
    "docx": to_docx,
    "xlsx": to_xlsx,
}
NOT_AVAILABLE = "\N{EN DASH}"
HEADINGS = {  # of the columns that results store and steps share
    "std_error": "s.e.",
    "conf_low": "95 % from",
    "conf_high": "to",
    "p_value": "p",
    "n_obs": "observations",
    "n_entities": "entities",
}


def layout_table(terms: pd.DataFrame, models: pd.DataFrame, layout: Mapping) -> Table:
    """A regression table: models across, terms down, then statistics.

    Parameters
    ----------
    terms, models
        Records as `tandem.estimates` reads them.
    layout
        ``name``, ``title`` ({en, zh} or text), ``table`` (which records), ``models`` (the columns;
        "model:equation" for one equation of a system, "table/model" for records of another table),
        ``rows`` {term: label}; optional ``headers`` {column: label}, ``groups`` [{label, models}],
        ``statistics`` {statistic: label}, ``stars`` ("none", "10/5/1" or "aer"), ``brackets``
        ("std_error", "statistic" or "interval"), ``decimals`` or ``digits`` (significant ones),
        ``notes``.

    Returns
    -------
    Table
        Terms and statistics that a model does not have are blank.

    Raises
    ------
    TandemError
        If the layout names a table, model, equation, term or statistic without records, or if the
        records lack what the brackets or stars need.
    """
    name = layout["name"]
    columns = [_column(layout, terms, models, column) for column in layout["models"]]
    layout = {"stars": "none", "brackets": "std_error", "decimals": 3, "digits": None, **layout}
    if layout["stars"] == "aer" and layout["brackets"] != "std_error":
        raise TandemError(f"table {name!r}: stars 'aer' needs brackets 'std_error'.")
    rows = _term_rows(layout, columns)
    statistics = _statistic_rows(layout, columns)
    headers = layout.get("headers") or {}
    title, title_zh = _titles(layout["title"])
    return Table(
        name=_file_name(name),
        title=title,
        title_zh=title_zh,
        columns=(
            "",
            *(_clean(headers.get(column, column)) for column in layout["models"]),
        ),
        n_labels=1,
        groups=_groups(layout),
        numbers=("", *(f"({i})" for i in range(1, len(columns) + 1))),
        rows=(*rows, *statistics),
        n_terms=len(rows) if statistics else 0,
        notes=tuple(_clean(note) for note in regression_notes(layout, columns)),
        kind="regression",
    )


def frame_table(
    frame: pd.DataFrame,
    name: str,
    title: str | Mapping[str, str],
    notes: Sequence[str] = (),
    decimals: int | Mapping[str, str] = 3,
) -> Table:
    """A descriptive table from a DataFrame: the index labels the rows.

    Parameters
    ----------
    frame
        One row a table row; the index (or its levels, if named or several) gives the label columns.
    name
        File name without extension.
    title
        Text, or {en, zh}.
    notes
        Sentences below the table.
    decimals
        Decimals of every number that is not an integer, or {column: Python format specification},
        ".1%", ",.0f" or "p" for p-values; columns not named get three decimals.

    Returns
    -------
    Table
        A missing number is shown as an en dash, and a note says so.
    """
    specs = decimals if isinstance(decimals, Mapping) else {}
    default = ".3f" if isinstance(decimals, Mapping) else f".{decimals}f"
    unknown = [column for column in specs if column not in frame.columns]
    if unknown:
        raise TandemError(
            f"table {name!r}: there is no column {unknown[0]!r} to format"
            f"{_nearest(unknown[0], frame.columns)}."
        )
    labels = [level if isinstance(level, tuple) else (level,) for level in frame.index]
    cells = [
        [_frame_cell(value, specs.get(column), default) for value in values]
        for column, values in frame.items()
    ]
    rows = tuple(
        (*(_frame_cell(level, None, default, "label") for level in label), *row)
        for label, row in zip(labels, zip(*cells, strict=True), strict=True)
    )
    notes = [_clean(note) for note in notes]
    if any(cell.text == NOT_AVAILABLE for row in rows for cell in row):
        notes.append(f"{NOT_AVAILABLE}: not available.")
    title, title_zh = _titles(title)
    return Table(
        name=_file_name(name),
        title=title,
        title_zh=title_zh,
        columns=tuple(
            _clean(HEADINGS.get(text, text or "")) for text in (*frame.index.names, *frame.columns)
        ),
        n_labels=frame.index.nlevels,
        groups=(),
        numbers=(),
        rows=rows,
        n_terms=0,
        notes=tuple(notes),
        kind="descriptive",
    )


def write_table(table: Table, folder: str | Path) -> list[Path]:
    """Write ``name.csv``, ``.md``, ``.html``, ``.tex``, ``.typ``, ``.docx`` and ``.xlsx``.

    Returns the paths.

    The same table gives the same bytes whenever it is written.
    """
    contents = {suffix: writer(table) for suffix, writer in WRITERS.items()}
    paths = []
    for suffix, content in contents.items():
        paths.append(Path(folder) / f"{table.name}.{suffix}")
        write_whole(paths[-1], content if isinstance(content, bytes) else content.encode())
    return paths


def write_all(tables: Sequence[Table], folder: str | Path) -> Path:
    """Write ``all_tables.docx``: every table in one document, numbered; returns its path."""
    path = Path(folder) / "all_tables.docx"
    write_whole(path, all_to_docx(tables))
    return path


def stars_for(p_value: float, policy: str) -> str:
    """Stars of a p-value: one for each threshold of the policy that it lies below.

    >>> stars_for(0.04, "10/5/1")
    '**'
    """
    return "*" * sum(p_value < threshold for threshold in THRESHOLDS[policy])


def _column(layout: Mapping, terms: pd.DataFrame, models: pd.DataFrame, column: str) -> dict:
    """Records of one column: {"column", "terms": {term: record}, "statistics": {name: text}}."""
    name = layout["name"]
    table, _, inside = column.rpartition("/")
    table = table or layout["table"]
    terms = terms[(terms["table"] == table) & terms["horizon"].isna()]
    models = models[models["table"] == table]
    if terms.empty and models.empty:
        raise TandemError(
            f"table {name!r}: there are no records of {table!r}; "
            "correct 'records' or the column in its layout, or run the step that estimates it."
        )
    known = dict.fromkeys([*terms["model"], *models["model"]])
    model, equation = (inside, "") if inside in known else (inside.rpartition(":")[::2])
    if model not in known:
        raise TandemError(
            f"table {name!r}: there are no records of model {column!r}{_nearest(inside, known)}."
        )
    mine = terms[terms["model"] == model]
    equations = dict.fromkeys(mine["equation"])
    if equation and equation not in equations:
        raise TandemError(
            f"table {name!r}: model {model!r} has no equation {equation!r}"
            f"{_nearest(equation, equations)}."
        )
    if not equation and len(equations) > 1:
        raise TandemError(
            f"table {name!r}: model {model!r} has several equations; "
            f"write the column as '{model}:{next(iter(equations))}'."
        )
    mine = mine[mine["equation"] == equation] if equation else mine
    statistics = models[models["model"] == model]
    for records, key in ((mine, "term"), (statistics, "statistic")):
        if records[key].duplicated().any():
            raise TandemError(
                f"table {name!r}: model {model!r} stands twice in the records; "
                "read the results of one study only."
            )
    return {
        "column": column,
        "terms": {record["term"]: record for record in mine.to_dict("records")},
        "statistics": dict(zip(statistics["statistic"], statistics["value"], strict=True)),
    }


def _term_rows(layout: Mapping, columns: list[dict]) -> list[tuple[Cell, ...]]:
    _require_known(layout, columns, "rows", "terms", "term")
    rows = []
    for term, label in layout["rows"].items():
        records = [column["terms"].get(term) for column in columns]
        pairs = [
            _estimate_cells(layout, column, record)
            for column, record in zip(columns, records, strict=True)
        ]
        estimates, brackets = zip(*pairs, strict=True)
        rows.append((Cell(_clean(label)), *estimates))
        rows.append((Cell(""), *brackets))
    return rows


def _estimate_cells(layout: Mapping, column: dict, record: dict | None) -> tuple[Cell, Cell]:
    """The estimate with its stars and what stands in brackets below it."""
    if record is None:
        return Cell("", kind="estimate"), Cell("", kind="bracket")
    brackets = layout["brackets"]
    needed = ["conf_low", "conf_high"] if brackets == "interval" else [brackets]
    for number in [*needed, *(["p_value"] if THRESHOLDS[layout["stars"]] else [])]:
        if not np.isfinite(record[number]):
            raise TandemError(
                f"table {layout['name']!r}: model {column['column']!r} has no {number} for "
                f"{record['term']!r}; choose other brackets or stars in its layout."
            )
    detail = {
        "estimate": record["estimate"],
        "s.e.": record["std_error"],
        "p": record["p_value"],
        "n": column["statistics"].get("n_obs", np.nan),
        "entities": column["statistics"].get("n_entities", np.nan),
    }
    hover = ", ".join(f"{k} {float(v):.6g}" for k, v in detail.items() if np.isfinite(float(v)))
    if "first_year" in column["statistics"]:
        hover += ", years {first_year}–{last_year}".format(**column["statistics"])
    value = record["estimate"]
    stars = stars_for(record["p_value"], layout["stars"])
    spec = _spec(value, layout)
    estimate = Cell(format(value, spec), value, stars, "estimate", spec, hover)
    inside = ", ".join(format(record[number], _spec(record[number], layout)) for number in needed)
    if brackets == "interval":
        return estimate, Cell(f"[{inside}]", kind="bracket")
    spec = _spec(record[brackets], layout)
    return estimate, Cell(f"({inside})", record[brackets], kind="bracket", spec=spec)


def _spec(value: float, layout: Mapping) -> str:
    """The table's decimals, or as many as its significant digits need (whole digits all stay)."""
    digits = layout["digits"]
    if digits is None:
        return f".{layout['decimals']}f"
    rounded = abs(float(f"{value:.{digits - 1}e}"))
    return f".{max(digits - 1 - math.floor(math.log10(rounded)), 0) if rounded else digits - 1}f"


def _statistic_rows(layout: Mapping, columns: list[dict]) -> list[tuple[Cell, ...]]:
    _require_known(layout, columns, "statistics", "statistics", "statistic")
    return [
        (
            Cell(_clean(label)),
            *(
                _statistic_cell(name, column["statistics"].get(name, ""), layout)
                for column in columns
            ),
        )
        for name, label in (layout.get("statistics") or {}).items()
    ]


def _statistic_cell(name: str, text: str, layout: Mapping) -> Cell:
    """A count with thousands separated, a number with the table's decimals, or words."""
    if re.fullmatch(r"-?\d+", text):
        spec = ",.0f" if name.startswith("n_") else ".0f"
        return Cell(format(int(text), spec), int(text), kind="statistic", spec=spec)
    if re.fullmatch(r"-?\d+(\.\d+)?(e[-+]\d+)?", text):
        if name.endswith("_p"):
            return _p_cell(float(text))
        spec = _spec(float(text), layout)
        return Cell(format(float(text), spec), float(text), kind="statistic", spec=spec)
    return Cell(_clean(text), kind="statistic")


def _frame_cell(value: object, spec: str | None, default: str, kind: str = "statistic") -> Cell:
    """A cell of a DataFrame; without a format of its own an integer has no decimals."""
    if isinstance(value, str):
        return Cell(_clean(value))
    if isinstance(value, (bool, np.bool_)):
        return Cell("yes" if value else "no", kind=kind)
    if pd.isna(value):
        return Cell(NOT_AVAILABLE, kind=kind)
    if np.isinf(value):
        return Cell("-\N{INFINITY}" if value < 0 else "\N{INFINITY}", kind=kind)
    whole = isinstance(value, (int, np.integer))
    number = int(value) if whole else float(value)
    if spec == "p":
        return _p_cell(number, kind)
    spec = spec or (".0f" if whole else default)
    return Cell(format(number, spec), number, kind=kind, spec=spec)


def _p_cell(p_value: float, kind: str = "statistic") -> Cell:
    """A p-value with three decimals; what would read 0.000 reads <0.001."""
    text = "<0.001" if p_value < 0.0005 else format(p_value, ".3f")
    return Cell(text, p_value, kind=kind, spec=".3f")


def _groups(layout: Mapping) -> tuple[tuple[str, int], ...]:
    """Spans over all columns; ungrouped columns have an empty span of their own."""
    group_of = {}
    for i, group in enumerate(layout.get("groups") or []):
        for model in group["models"]:
            if model not in layout["models"]:
                raise TandemError(
                    f"table {layout['name']!r}: group {group['label']!r} names {model!r}, which is "
                    f"not a column{_nearest(model, layout['models'])}."
                )
            group_of[model] = (i, _clean(group["label"]))
    if not group_of:
        return ()
    spans: list[list] = []
    for column in layout["models"]:
        key = group_of.get(column, (column, ""))
        if spans and spans[-1][0] == key:
            spans[-1][1] += 1
        else:
            spans.append([key, 1])
    keys = [key for key, _ in spans]
    if len(set(keys)) < len(keys):
        raise TandemError(f"table {layout['name']!r}: the columns of a group must stand together.")
    return (("", 1), *((label, width) for (_, label), width in spans))


def _require_known(layout: Mapping, columns: list[dict], part: str, where: str, word: str) -> None:
    known = dict.fromkeys(name for column in columns for name in column[where])
    for name in layout.get(part) or {}:
        if name not in known:
            raise TandemError(
                f"table {layout['name']!r}: no model of it has a {word} {name!r}"
                f"{_nearest(name, known)}."
            )


def _nearest(name: str, known: Sequence[str]) -> str:
    match = get_close_matches(str(name), [str(one) for one in known], n=1, cutoff=0)
    return f"; the nearest known name is {match[0]!r}" if match else ""


def _titles(title: str | Mapping[str, str]) -> tuple[str, str]:
    if isinstance(title, str):
        return _clean(title), ""
    return _clean(title["en"]), _clean(title.get("zh", ""))


def _file_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
        raise TandemError(
            f"table {name!r}: its name becomes a file name; use only letters, digits, - and _."
        )
    return name


def _clean(text: object) -> str:
    """Text on one line; an invisible character is refused, as no reader would find it."""
    line = " ".join(str(text).split())
    if not line.isprintable():
        raise TandemError(f"the text {line!r} holds an invisible character; remove it.")
    return line
