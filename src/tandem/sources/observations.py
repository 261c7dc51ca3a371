"""Many raw tables -> the observations of a study, with all their problems at once."""

from pathlib import Path

import pandas as pd

from tandem.errors import TandemError
from tandem.sources.aliases import read_aliases
from tandem.sources.description import Description
from tandem.sources.inventory import read_codebook, read_sources
from tandem.sources.tables import frames, scan_table

_SHOWN = 20


def read_observations(
    data: Path, files: list[str], descriptions: dict[str, Description] | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Observations of several raw tables.

    A value that two tables print alike under one vintage is kept once, from the table that is not
    flagged (or stands first in `files`); the ledger has a line for the other.

    Parameters
    ----------
    data : Path
        Folder with sources.csv, codebook.csv, raw/ and, if wanted, aliases.csv.
    files : list of str
        Names as in the column file of sources.csv.
    descriptions : dict of Description, optional
        By file; each replaces the one that may lie beside the file.

    Returns
    -------
    observations, ledger : DataFrame
        See `tandem.sources.tables.read_table`; region, series, year and vintage are a key.

    Raises
    ------
    TandemError
        Everything wrong with the tables, one sentence a line, the first 20.
    """
    data = Path(data)
    sources = read_sources(data).set_index("file", drop=False)
    codebook = read_codebook(data).set_index("series").to_dict("index")
    aliases, descriptions = read_aliases(data), descriptions or {}
    observations, ledger, problems = [], [], []
    known = [file for file in files if file in sources.index]
    problems += [
        f"{file} has no line in sources.csv; add one that says what it is."
        for file in files
        if file not in sources.index
    ]
    for file in sorted(known, key=lambda file: sources.loc[file, "flag"] != ""):
        try:
            reading = scan_table(
                data / file, sources.loc[file], codebook, descriptions.get(file), aliases
            )
        except TandemError as err:
            problems.append(str(err))
        else:
            observations += reading.observations
            ledger += reading.ledger
            problems += reading.problems
    observations, repeats, clashes = _merge_repeats(observations)
    problems += clashes
    if problems:
        more = len(problems) - _SHOWN
        tail = [f"There are {more} more problems of this kind."] if more > 0 else []
        raise TandemError("\n".join(problems[:_SHOWN] + tail))
    return frames(observations, ledger + repeats)


def _merge_repeats(observations: list[tuple]) -> tuple[list[tuple], list[tuple], list[str]]:
    """Keep one of the observations that share region, series, year and vintage."""
    first: dict[tuple, tuple] = {}
    repeats, clashes = [], []
    for row in observations:
        code, region, series, _, year, value, vintage, _, cell, _ = row
        kept = first.setdefault((code, series, year, vintage), row)
        if kept is row:
            continue
        if kept[5] == value:
            rule = f"repeat: {kept[8]} prints the same value"
            repeats.append((*cell.split("!"), f"{value:.15g}", rule, ""))
        else:
            clashes.append(
                f"{_place(cell)}, {region} {year}: {series} is {value:.15g} here "
                f"but {kept[5]:.15g} in {_place(kept[8])} under the same vintage "
                f"{vintage}; correct one, or give one table a vintage of its own in sources.csv."
            )
    return list(first.values()), repeats, clashes


def _place(cell: str) -> str:
    """file!sheet!B5 as errors name it."""
    file, sheet, name = cell.split("!")
    return f"{file} sheet {sheet} cell {name}" if sheet else f"{file} cell {name}"
