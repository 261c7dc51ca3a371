"""What lies in data/: sources.csv, one line a table, and codebook.csv, one line a series."""

import re
from pathlib import Path

import pandas as pd

from tandem.errors import TandemError

SOURCE_COLUMNS = [
    "file", "provider", "publication", "table", "series", "region_scope", "unit", "vintage",
    "vintage_note", "released", "address", "retrieved", "licence", "citation", "flag", "download",
    "sha256",
]  # fmt: skip
CODEBOOK_COLUMNS = [
    "series", "label_en", "label_zh", "aliases", "unit", "definition", "minimum", "maximum",
    "missing_codes", "account",
]  # fmt: skip
SCOPES = ("provinces", "nation", "countries", "survey")
FLAGS = ("", "quoted", "second-hand")
DOWNLOADS = ("", "wdi", "http")  # how a file comes here: with the data, or from the network


def read_sources(data: Path) -> pd.DataFrame:
    """The inventory of raw tables.

    Parameters
    ----------
    data : Path
        Folder with sources.csv and raw/.

    Returns
    -------
    DataFrame
        One row a file; all columns text, blank where nothing is said.

    Raises
    ------
    TandemError
        If a column or an entry is missing, a file is listed twice, or the list and the folder
        raw/ do not agree (a file with an entry under download may not be there yet).
    """
    table = _read_text_table(data / "sources.csv", SOURCE_COLUMNS)
    problems = []
    for line, row in enumerate(table.itertuples(index=False), start=2):
        where = f"sources.csv line {line} ({row.file or 'no file'})"
        for column in ("file", "publication", "series", "region_scope", "vintage"):
            if not getattr(row, column):
                problems.append(f"{where}: the column {column} is blank; fill it in.")
        if row.region_scope and row.region_scope not in SCOPES:
            problems.append(
                f"{where}: region_scope is '{row.region_scope}'; write one of {', '.join(SCOPES)}."
            )
        if row.file and not re.fullmatch(r"raw(/(?!\.)[^/\\]+)+", row.file):
            problems.append(
                f"{where}: '{row.file}' does not lie under raw/; put the table there and name it "
                "as raw/provider/table.csv."
            )
        if row.flag not in FLAGS:
            problems.append(
                f"{where}: flag is '{row.flag}'; write quoted or second-hand, or leave it blank."
            )
        problems += _wrong_download(where, row)
        if row.unit and row.unit.count(";") != row.series.count(";"):
            problems.append(
                f"{where}: series and unit do not have the same number of entries; "
                "name one unit a series, or leave unit blank if the table prints it."
            )
    twice = table["file"][table["file"].duplicated()].unique()
    problems += [f"sources.csv lists {file} twice; delete one of the lines." for file in twice]
    problems += _compare_with_folder(data, table)
    if problems:
        raise TandemError("\n".join(problems[:20]))
    return table


def read_codebook(data: Path) -> pd.DataFrame:
    """The codebook of series.

    Parameters
    ----------
    data : Path
        Folder with codebook.csv.

    Returns
    -------
    DataFrame
        One row a series; `minimum` and `maximum` are numbers in `unit`, the rest is text.

    Raises
    ------
    TandemError
        If a column, a label, a unit or a range is missing, or a series is listed twice.
    """
    table = _read_text_table(data / "codebook.csv", CODEBOOK_COLUMNS)
    problems = []
    for column in ("minimum", "maximum"):
        table[column] = pd.to_numeric(table[column], errors="coerce")
    for line, row in enumerate(table.itertuples(index=False), start=2):
        where = f"codebook.csv line {line} ({row.series or 'no series'})"
        for column in ("series", "label_en", "label_zh", "unit"):
            if not getattr(row, column):
                problems.append(f"{where}: the column {column} is blank; fill it in.")
        if not row.minimum < row.maximum:  # also true where one of them is no number
            problems.append(
                f"{where}: minimum and maximum are not two numbers in ascending order; "
                "give the plausible range of the series."
            )
    twice = table["series"][table["series"].duplicated()].unique()
    problems += [f"codebook.csv lists {name} twice; delete one of the lines." for name in twice]
    if problems:
        raise TandemError("\n".join(problems[:20]))
    return table


def vintage_note(data: Path, source: pd.Series) -> str:
    """What is known of a table's vintage.

    Parameters
    ----------
    data : Path
        Folder with raw/.
    source : Series
        Its line of sources.csv.

    Returns
    -------
    str
        The note in sources.csv; of a table fetched from the World Bank, what its own lines say:
        "World Development Indicators, World Bank, last updated ..., retrieved ...".

    Raises
    ------
    TandemError
        If the fetched table lacks such a line.
    """
    if source["download"] != "wdi":
        return source["vintage_note"]
    lines = (data / source["file"]).read_text(encoding="utf-8").splitlines()[:5]
    said = dict(line.strip('"').split(": ", 1) for line in lines if ": " in line)
    absent = [key for key in ("Database", "Last updated", "Retrieved") if key not in said]
    if absent:
        raise TandemError(
            f"{source['file']} has no line '{absent[0]}:' above its table; delete the file, so "
            "that the next run fetches it again."
        )
    updated, retrieved = said["Last updated"], said["Retrieved"]
    return f"{said['Database']}, last updated {updated}, retrieved {retrieved}"


def _read_text_table(path: Path, columns: list[str]) -> pd.DataFrame:
    if not path.is_file():
        raise TandemError(f"{path} does not exist; it must list what lies in {path.parent}.")
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (UnicodeDecodeError, pd.errors.EmptyDataError, pd.errors.ParserError) as err:
        raise TandemError(f"{path} cannot be read ({err}); save it as UTF-8 CSV.") from err
    absent = [name for name in columns if name not in table.columns]
    if absent:
        raise TandemError(f"{path} lacks the column {', '.join(absent)}; add it to its first line.")
    return table[columns].apply(lambda column: column.str.strip())


def _wrong_download(where: str, row) -> list[str]:
    """What is wrong with the entries that say how a file is downloaded."""
    if row.download not in DOWNLOADS:
        return [f"{where}: download is '{row.download}'; write wdi or http, or leave it blank."]
    if row.download == "wdi" and row.file != f"raw/wdi/{row.address}.csv":
        return [
            f"{where}: the address of a download from the World Bank is the code of its indicator "
            f"and the file is named after it; write raw/wdi/{row.address or 'CODE'}.csv."
        ]
    if row.download != "http":
        return []
    problems = []
    if not re.fullmatch(r"raw/downloaded/[^/]+", row.file):
        problems.append(f"{where}: a downloaded file lies in raw/downloaded/; change its name.")
    if not re.match("https?://", row.address):
        problems.append(f"{where}: address is '{row.address}'; write the http address of the file.")
    if not re.fullmatch("[0-9a-f]{64}", row.sha256):
        problems.append(
            f"{where}: sha256 is '{row.sha256}'; write the 64 digits that sha256sum prints for "
            "the file, in small letters."
        )
    return problems


def _compare_with_folder(data: Path, table: pd.DataFrame) -> list[str]:
    listed, later = set(table["file"]), set(table.loc[table["download"] != "", "file"])
    found = {
        path.relative_to(data).as_posix()
        for path in (data / "raw").rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }
    # table.xlsx.yaml beside table.xlsx says how the table is laid out; it is no table itself
    found -= {f"{file}.yaml" for file in listed}
    return [
        f"{file} has no line in sources.csv; add one that says what it is, or remove the file."
        for file in sorted(found - listed)
    ] + [
        f"{file} is named in sources.csv but does not exist; put it back, or delete its line."
        for file in sorted(listed - found - later - {""})
    ]
