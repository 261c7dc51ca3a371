"""A panel of any size in Parquet or CSV: read, joined, aggregated and derived by DuckDB.

DuckDB works out of core and is shut off from everything but the project's data and the folder it
writes to; names go into SQL quoted, formulas through `formula_sql`.
"""

import difflib
import math
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np

from tandem.errors import TandemError
from tandem.panel.formula_sql import column, formula_sql, quoted
from tandem.study import Study

MEMORY = "2GB"  # beyond it DuckDB goes to disk
SIZES = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
WHOLE = {*SIZES, *(f"U{size}" for size in SIZES)}
NAMES = WHOLE | {"VARCHAR", "UUID"}
NUMBERS = WHOLE | {"VARCHAR", "FLOAT", "DOUBLE", "DECIMAL", '"NULL"'}  # text: read as a number
LARGEST = 10**6  # characters of SQL that all formulas of a study may come to; 600 MB once parsed
DATA = Path("data")


def table_files(study: Study) -> list[list[str]]:
    """Files of the study's table and of each one joined to it, * written out.

    Raises
    ------
    TandemError
        A pattern without a file, or a file that lies outside the project's data.
    """
    found = []
    for pattern in (study.panel.table.file, *study.panel.table.join):
        files = sorted(Path().glob(pattern))
        if not files:
            raise TandemError(f"There is no file {pattern}; put the table there.")
        for file in files:
            if not file.resolve().is_relative_to(DATA.resolve()):
                raise TandemError(
                    f"{file} leads out of the project's folder data/; copy the table into it."
                )
        found.append([file.as_posix() for file in files])
    return found


def write_panel(study: Study, target: str | Path, threads: int = 1) -> dict[str, int]:
    """Derive the study's series and scores from its table, sorted, as a Parquet file.

    Parameters
    ----------
    target : file
        Columns _unit (entities from 0 in the order of their names; no name of a study begins with
        _), entity, year, the derived series that the study reads, and the systems' scores: means of
        the indicators, each from 0 at its smallest value to 1 at its largest (turned round where
        its direction is -).

    Returns
    -------
    dict
        entities, rows, first_year, last_year.

    Raises
    ------
    TandemError
        In one sentence with entity and year: a column that is not there or holds text, two rows of
        one entity and year, a division by zero, a value that cannot be true.
    """
    target = Path(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    with (
        tempfile.TemporaryDirectory(dir=target.parent) as spill,
        _connect([str(DATA), str(target.parent)], threads, spill) as con,
    ):
        try:
            _read(con, study)
            _derive(con, study)
            facts = _facts(con)
            con.execute(
                f"COPY ({_sorted(con, study)}) TO {_text(part)} (FORMAT parquet, COMPRESSION zstd)"
            )
            os.replace(part, target)
        except duckdb.Error as err:
            raise TandemError(_words(err, study.panel.table.file)) from err
        finally:
            part.unlink(missing_ok=True)
    return facts


def extent(file: str | Path) -> tuple[int, int, int]:
    """Number of entities, first and last year of a file from `write_panel`."""
    with _connect([str(Path(file).parent)], 1) as con:
        source = f"read_parquet({_text(file)})"
        return con.execute(f"SELECT max(_unit) + 1, min(year), max(year) FROM {source}").fetchone()


def cubes(
    file: str | Path, columns: list[str], size: int, threads: int = 1
) -> Iterator[np.ndarray]:
    """The panel in chunks of entities, each an array (entities, columns, years).

    Parameters
    ----------
    file : file
        From `write_panel`.
    size : int
        Entities in a chunk, the last one fewer.

    Yields
    ------
    array
        NaN where missing; years from the panel's first to its last.
    """
    n, first, last = extent(file)
    wanted = ", ".join(map(quoted, ("_unit", "year", *columns)))
    source = f"read_parquet({_text(file)})"
    with _connect([str(Path(file).parent)], threads) as con:
        for start in range(0, n, size):
            stop = min(start + size, n)
            found = con.execute(
                f"SELECT {wanted} FROM {source} WHERE _unit >= {start} AND _unit < {stop}"
            ).fetchnumpy()
            cube = np.full((stop - start, len(columns), last - first + 1), np.nan)
            place = found["_unit"] - start, found["year"] - first
            for i, name in enumerate(columns):
                cube[place[0], i, place[1]] = np.ma.filled(found[name].astype(float), np.nan)
            yield cube


def _connect(folders: list[str], threads: int, spill: str | None = None):
    con = duckdb.connect(config={"threads": threads, "memory_limit": MEMORY})
    if spill:
        con.execute(f"SET temp_directory={_text(spill)}")
    con.execute(f"SET allowed_directories=[{', '.join(map(_text, folders))}]")
    con.execute("SET enable_external_access=false")
    con.execute("SET lock_configuration=true")
    return con


def _words(err: duckdb.Error, file: str) -> str:
    """What DuckDB says, in one sentence."""
    said = str(err)
    named = re.search(r"^ *file = (.+)$", said, re.M)
    file = named[1] if named else file
    if "not utf-8" in said:
        return (
            f"{file} is not in UTF-8; convert it, for instance with "
            "iconv -f GB18030 -t UTF-8 old.csv > new.csv, or save it in Excel as CSV UTF-8."
        )
    if "expression depth" in said:
        return "A formula is too long for a table; split it up."
    if isinstance(err, duckdb.OutOfMemoryException):
        return f"{file} is larger than what is free in memory and on disk."
    lines = [line[:200] for line in said.splitlines() if line and "Original Line" not in line]
    return f"{file} cannot be read: {' '.join(lines[: 2 if named else 1])}"


def _text(value) -> str:
    return "'" + str(value).replace("'", "''") + "'"


def _source(files: list[str]) -> str:
    names = f"[{', '.join(map(_text, files))}]"
    if files[0].endswith(".parquet"):
        return f"read_parquet({names}, union_by_name=true)"
    return f"read_csv({names}, header=true, all_varchar=true, union_by_name=true)"


def _read(con, study: Study) -> None:
    """Table `rows`: entity, year and the columns that formulas read, once an entity and year."""
    spec, files = study.panel.table, table_files(study)
    sources = [f"(SELECT * FROM {_source(f)})" for f in files]
    used = {spec.entity, spec.year, *study.base_series}
    columns = [_columns(con, f, used) for f in files]
    names = [spec.file, *spec.join]
    for key, kinds in ((spec.entity, NAMES), (spec.year, NUMBERS)):
        _column(key, columns[:1], [spec.file])
        _holds(key, columns[0], kinds, spec.file)
    home = {name: _column(name, columns, names) for name in study.base_series}
    for name, i in home.items():
        _holds(name, columns[i], NUMBERS, names[i])
        if twin := [other for other in home if other < name and other.lower() == name.lower()]:
            raise TandemError(f"'{twin[0]}' and '{name}' differ in capitals only; rename one.")
    joins = [_join(con, spec, i, sources, columns[i], names[i]) for i in range(1, len(sources))]
    entity, year = _keys(spec, "t0").values()
    taken = [f"t{i}.{quoted(name)} AS {column(name)}" for name, i in home.items()]
    con.execute(
        f"CREATE TEMP TABLE taken AS SELECT {entity} AS entity, {year} AS year, "
        f"CAST(t0.{quoted(spec.year)} AS VARCHAR) AS _printed, "
        f"{', '.join(taken)} FROM {sources[0]} AS t0 {' '.join(joins)}"
    )
    _refuse(
        con, "taken", "entity IS NULL OR trim(entity) = ''", "_printed",
        f"{spec.file}: '{spec.entity}' is empty in",
    )  # fmt: skip
    _refuse(
        con, "taken", "year IS NULL OR year <> floor(year)", "_printed",
        f"{spec.file}: '{spec.year}' is no year:",
    )  # fmt: skip
    first, last = study.panel.years
    last = last if last != "latest" else 9999
    values = []
    for name in home:
        raw = column(name)
        number = f"TRY_CAST({raw} AS DOUBLE)"
        bad = f"{raw} IS NOT NULL AND ({number} IS NULL OR isinf({number}))"
        _refuse(con, "taken", bad, f"entity, year, {raw}", f"'{name}' is no number in")
        values.append(f"nullif({number}, CAST('nan' AS DOUBLE)) AS {raw}")
    con.execute(
        f"CREATE TEMP TABLE numbers AS SELECT entity, CAST(year AS INTEGER) AS year, "
        f"{', '.join(values)} FROM taken WHERE year BETWEEN {first} AND {last}"
    )
    con.execute("DROP TABLE taken")
    _once(con, spec, list(home))


def _columns(con, files: list[str], used: set[str]) -> dict[str, str]:
    """Names of a table's columns, and what they hold."""
    whole = _described(con, files)
    for file in files:
        own = _described(con, [file])
        if file.endswith(".parquet"):
            found = con.execute(f"SELECT name FROM parquet_schema({_text(file)})").fetchall()
            printed = [name for (name,) in found]
            renamed = [c for c in own if c not in printed]
        else:
            rows = f"read_csv({_text(file)}, header=false, all_varchar=true)"
            heads = con.execute(f"SELECT * FROM {rows} LIMIT 1").fetchone() or ()
            printed = [head.strip().lower() for head in heads if head]
            renamed = [c for i, c in enumerate(printed) if c in printed[:i]]
        if renamed:  # by DuckDB, which would read the first of two
            raise TandemError(
                f"{file} has two columns of one name, as '{renamed[0][:40]}' (capitals and small "
                "letters are the same); drop or rename one."
            )
        lacking = {c.lower() for c in used & set(whole)} - {c.lower() for c in own}
        if lacking:  # DuckDB would leave it empty
            raise TandemError(
                f"{file} has no column '{min(lacking)}', which other files of the table have; add "
                "it, empty where there are no figures."
            )
    return whole


def _described(con, files: list[str]) -> dict[str, str]:
    found = con.execute(f"DESCRIBE SELECT * FROM {_source(files)}").fetchall()
    return {row[0]: row[1] for row in found}


def _holds(name: str, columns: dict[str, str], kinds: set[str], file: str) -> None:
    kind = re.sub(r"\(\d+,\d+\)$", "", columns[name])
    if kind not in kinds:
        wanted = "numbers" if kinds is NUMBERS else "text or whole numbers"
        raise TandemError(f"{file}: '{name}' holds {columns[name][:40]}; it must hold {wanted}.")


def _keys(spec, table: str) -> dict[str, str]:
    """The two columns by which tables are joined, as they are compared: 2011 equals 2011.0."""
    entity, year = (f"{table}.{quoted(k)}" for k in (spec.entity, spec.year))
    return {spec.entity: f"CAST({entity} AS VARCHAR)", spec.year: f"TRY_CAST({year} AS DOUBLE)"}


def _join(con, spec, i: int, sources: list[str], columns: dict[str, str], file: str) -> str:
    source = sources[i]
    ours, theirs = _keys(spec, "t0"), _keys(spec, f"t{i}")
    for key, kinds in ((spec.entity, NAMES), (spec.year, NUMBERS)):
        if key in columns:
            _holds(key, columns, kinds, file)
        elif near := [c for c in columns if c.lower() == key.lower()]:
            raise TandemError(f"{file} has '{near[0]}' for '{key}'; rename it.")
    keys = [k for k in ours if k in columns]
    if not keys:
        raise TandemError(
            f"{file} has neither '{spec.entity}' nor '{spec.year}'; a table is joined by one of "
            "them or both."
        )
    by = [theirs[k] for k in keys]
    twice = con.execute(
        f"SELECT {', '.join(by)} FROM {source} AS t{i} "
        f"WHERE {' AND '.join(f'{k} IS NOT NULL' for k in by)} "
        "GROUP BY ALL HAVING count(*) > 1 ORDER BY ALL LIMIT 1"
    ).fetchone()
    if twice:
        raise TandemError(f"{file} has two rows for {_shown(twice)}; keep one.")
    join = f"JOIN {source} AS t{i} ON {' AND '.join(f'{theirs[k]} = {ours[k]}' for k in keys)}"
    if not con.execute(f"SELECT 1 FROM {sources[0]} AS t0 {join} LIMIT 1").fetchone():
        least = [
            con.execute(
                f"SELECT {', '.join(f'min({by[k]})' for k in keys)} FROM {table}"
            ).fetchone()
            for by, table in ((ours, f"{sources[0]} AS t0"), (theirs, f"{source} AS t{i}"))
        ]
        raise TandemError(
            f"No row of {spec.file} meets one of {file} by {' and '.join(keys)}: the first of "
            f"them has {_shown(least[0])}, the second {_shown(least[1])}; write them alike."
        )
    return f"LEFT {join}"


def _column(name: str, columns: list[dict[str, str]], files: list[str]) -> int:
    """Which table has the column."""
    found = [i for i, known in enumerate(columns) if name in known]
    if len(found) == 1:
        return found[0]
    if found:
        raise TandemError(f"'{name}' stands in {files[found[0]]} and {files[found[1]]}; drop one.")
    known = [c[:40] for names in columns for c in names]
    near = [c for c in known if c.lower() == name.lower()]
    near = near or difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean '{near[0]}'?" if near else f"it has: {', '.join(known[:20])}."
    raise TandemError(f"{' and '.join(files)} has no column '{name}'; {hint}")


def _once(con, spec, names: list[str]) -> None:
    if spec.several == "refuse":
        twice = con.execute(
            "SELECT entity, year FROM numbers GROUP BY ALL HAVING count(*) > 1 ORDER BY ALL LIMIT 1"
        ).fetchone()
        if twice:
            raise TandemError(
                f"{spec.file} has two rows for {twice[0]}, {twice[1]}; keep one, or say with "
                "panel.table.several whether rows are added (sum) or averaged (mean)."
            )
        con.execute("ALTER TABLE numbers RENAME TO rows")
        return
    # in the order of the values: the same sum whatever the number of threads
    names = [column(n) for n in names]
    sums = [f"sum({n} ORDER BY {n})" for n in names]
    over = " / count(*)" if spec.several == "mean" else ""
    whole = [
        f"CASE WHEN count({n}) = count(*) THEN {s}{over} END AS {n}"
        for n, s in zip(names, sums, strict=True)
    ]
    con.execute(
        f"CREATE TEMP TABLE rows AS SELECT entity, year, {', '.join(whole)} FROM numbers "
        "GROUP BY ALL"
    )


def _refuse(con, table: str, condition: str, shown: str, words: str) -> None:
    """Stop at the first row on which the condition holds."""
    found = con.execute(
        f"SELECT {shown} FROM (SELECT *, ({condition}) AS _bad FROM {table}) WHERE _bad "
        "ORDER BY ALL LIMIT 1"
    ).fetchone()
    if found:
        raise TandemError(f"{words} {_shown(found)}.")


def _shown(values: tuple) -> str:
    return ", ".join(f"{v:g}" if isinstance(v, float) else str(v) for v in values)


def _derive(con, study: Study) -> None:
    """Table `derived`: entity, year, the study's series."""
    columns, size = [], 0
    for name, series in study.used_series.items():
        sql, refused = formula_sql(series.formula)
        size += len(sql)
        if size > LARGEST:
            raise TandemError(f"The formulas up to that of '{name}' are too long for a table.")
        for condition, words in refused:
            _refuse(
                con, "rows", condition, "entity, year",
                f"'{name}' cannot be computed as {series.formula}: {words} in",
            )  # fmt: skip
        columns.append(f"{sql} AS {quoted(name)}")
    con.execute(f"CREATE TEMP TABLE derived AS SELECT entity, year, {', '.join(columns)} FROM rows")
    for name, series in study.used_series.items():
        _refuse(
            con, "derived", f"NOT isfinite({quoted(name)})", "entity, year",
            f"'{name}' is infinite as {series.formula} in",
        )  # fmt: skip
        if series.plausible:
            low, high = series.plausible
            outside = f"{quoted(name)} NOT BETWEEN {low!r} AND {high!r}"
            words = f"'{name}' lies outside {low:g} to {high:g} in"
            _refuse(con, "derived", outside, f"entity, year, {quoted(name)}", words)


def _sorted(con, study: Study) -> str:
    """SQL of the panel with its scores, by entity and year."""
    scores = []
    for system, spec in study.systems.items():
        parts = []
        for name, sign in spec.indicators.items():
            x = quoted(name)
            low, high = con.execute(f"SELECT min({x}), max({x}) FROM derived").fetchone()
            if low is None or low == high:
                raise TandemError(f"'{name}' is constant or has no value; leave it out.")
            if math.isinf(high - low):
                raise TandemError(f"'{name}' spreads over more than a number holds; rescale it.")
            share = f"({x} - ({low!r})) / ({high - low!r})"
            parts.append(share if sign == "+" else f"(1 - {share})")
        scores.append(f"({' + '.join(parts)}) / {len(parts)} AS {quoted(system)}")
    units = "SELECT entity, row_number() OVER (ORDER BY entity) - 1 AS _unit FROM (SELECT DISTINCT entity FROM derived)"  # fmt: skip # noqa: E501
    return (
        f"SELECT _unit, derived.*, {', '.join(scores)} FROM derived JOIN ({units}) USING (entity) "
        "ORDER BY _unit, year"
    )


def _facts(con) -> dict[str, int]:
    names = ("entities", "rows", "first_year", "last_year")
    found = con.execute(
        "SELECT count(DISTINCT entity), count(*), min(year), max(year) FROM derived"
    ).fetchone()
    if not found[1]:
        raise TandemError("The table has no row in the study's years; see panel.years.")
    return dict(zip(names, found, strict=True))
