"""Coverage-guided fuzzing of the readers of raw tables, descriptions and study files: `make fuzz`.

Whatever the bytes, a reader gives observations or a TandemError, within seconds and in bounded
memory. Anything else is a crash: atheris prints it and keeps the input as crash-*.
"""

import io
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path

import atheris
import pandas as pd  # noqa: F401  not instrumented: the readers are under test, not pandas
import pydantic  # noqa: F401

with atheris.instrument_imports(include=["tandem"]):
    from tandem.errors import TandemError
    from tandem.panel.formula import evaluate, names_in
    from tandem.sources import read_codebook, read_sources
    from tandem.sources.aliases import read_aliases
    from tandem.sources.tables import scan_table
    from tandem.study import load_study

DATA = Path(__file__).parents[2] / "data"
TABLE = "raw/nbs/gdp_census4.csv"
SUFFIXES = {b"PK\x03\x04": ".xlsx", b"\xd0\xcf\x11\xe0": ".xls", b"<htm": ".html"}
ROOM = Path(tempfile.mkdtemp(prefix="tandem-fuzz-"))
LINE = read_sources(DATA).set_index("file", drop=False).loc[TABLE]
CODEBOOK = read_codebook(DATA).set_index("series").to_dict("index")
ALIASES = read_aliases(DATA)


def table(raw: bytes) -> None:
    """Read bytes as a raw table of provinces' GDP."""
    path = ROOM / f"table{SUFFIXES.get(raw[:4], '.csv')}"
    path.write_bytes(raw)
    try:
        scan_table(path, LINE, CODEBOOK, None, ALIASES)
    except TandemError:
        pass


def description(raw: bytes) -> None:
    """Read bytes as the description beside a raw table."""
    path = ROOM / "described.csv"
    if not path.exists():
        shutil.copy(Path(__file__).with_name("corpus") / "table/gdp.csv", path)
    path.with_name("described.csv.yaml").write_bytes(raw)
    try:
        scan_table(path, LINE, CODEBOOK, None, ALIASES)
    except TandemError:
        pass


def study(raw: bytes) -> None:
    """Read bytes as a study file, and what its formulas give on a small panel."""
    path = ROOM / "mine.yaml"
    path.write_bytes(raw)
    try:
        known = load_study(path).used_series
    except TandemError:
        return
    index = pd.MultiIndex.from_product([["a", "b"], range(2001, 2005)], names=["entity", "year"])
    for series in known.values():
        columns = pd.DataFrame({n: range(1, 9) for n in names_in(series.formula)}, index=index)
        try:
            evaluate(series.formula, columns.astype(float))
        except TandemError:
            pass


def mutated(raw: bytes, most: int, seed: int) -> bytes:
    """Of a workbook one part changes, not the archive around it."""
    if seed % 4 == 0 or not raw.startswith(b"PK"):
        return atheris.Mutate(raw, most)
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as package:
            parts = {name: package.read(name) for name in package.namelist()}
    except Exception:  # an archive that an earlier change broke
        return atheris.Mutate(raw, most)
    names = [n for n in parts if n.startswith("xl/worksheets/") or n == "xl/sharedStrings.xml"]
    names = names or sorted(parts)
    if not names:
        return atheris.Mutate(raw, most)
    name = names[seed % len(names)]
    parts[name] = atheris.Mutate(parts[name], most)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as package:
        for part, content in parts.items():
            package.writestr(part, content)
    return out.getvalue()[:most]


if __name__ == "__main__":
    target = {"table": table, "description": description, "study": study}[sys.argv.pop(1)]
    if target is table:
        atheris.Setup(sys.argv, target, custom_mutator=mutated)
    else:
        atheris.Setup(sys.argv, target)
    atheris.Fuzz()
