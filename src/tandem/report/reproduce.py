"""A clean run compared with the published numbers: what `make reproduce` does."""

import datetime
import json
import os
import platform
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import pandas as pd

from tandem.errors import TandemError
from tandem.files import write_text
from tandem.report.history import FOUND, fingerprint
from tandem.report.package_files import MANIFEST, read_manifest, sha256, source_files
from tandem.study import study_file

EXPECTED = Path("tests/expected")
PUBLISHED = (*FOUND, "tables/*.csv")  # and every table as printed
RELATIVE = 1e-6  # of the larger of two numbers at full precision
ABSOLUTE = 1e-9  # below this, two numbers at full precision are equal
NUMBER = re.compile(r"[-−]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:e[-+]?\d+)?")
TOLERANCES = (
    f"Numbers at full precision may differ by {RELATIVE:g} of their size (or {ABSOLUTE:g}), "
    "printed ones (tables/) by one unit of the last decimal; counts and words must be equal."
)

Run = Callable[[Path, str, str], None]


def write_expected(study: str, root: str | Path = ".") -> Path:
    """Take the present results of a study as the published ones.

    Returns
    -------
    Path
        ``tests/expected/<study>``, with copies of the CSV files of `PUBLISHED`.
    """
    name = study_file(study).stem  # refuses a name that leads elsewhere
    results, expected = Path(root) / "results" / name, Path(root) / EXPECTED / name
    files = _published(results)
    if not files:
        raise TandemError(f"{results} holds no results; run make STUDY={study} first.")
    shutil.rmtree(expected, ignore_errors=True)
    for name, path in files.items():
        write_text(expected / name, path.read_text(encoding="utf-8"))
    return expected


def reproduce(studies: Iterable[str], cores: str = "all", run: Run | None = None) -> bool:
    """Run studies anew in a clean copy and compare with the published numbers.

    The copy holds what is committed, or, in an unpacked package, the files of its manifest; a
    difference is printed for each table, and kept with machine, time and memory in
    ``results/<study>/reproduced.json`` and ``.md``.

    Parameters
    ----------
    studies
        Names of studies with published numbers in ``tests/expected``.
    cores
        As Snakemake takes it: a number or "all".
    run
        Runs a study in a folder; `make` with an environment of its own if left out.

    Returns
    -------
    bool
        Whether all numbers of all studies are within the tolerances.
    """
    for study in studies:
        if not (EXPECTED / study).is_dir():
            raise TandemError(
                f"There are no published numbers in {EXPECTED / study}; make expected "
                f"STUDY={study} takes the present results."
            )
    with tempfile.TemporaryDirectory(prefix="tandem-") as scratch:
        copy = Path(scratch) / "tandem"
        source = clean_copy(Path("."), copy)
        for study in studies:
            needed = copy / EXPECTED / study, copy / study_file(study)
            if not all(path.exists() for path in needed):
                raise TandemError(
                    f"{study_file(study)} or {EXPECTED / study} is not committed, so that a clean "
                    "copy lacks it; commit both first."
                )
        print(f"A clean copy of {source} in {copy}", flush=True)
        return all([_clean_run(study, copy, source, cores, run or _make) for study in studies])


def _clean_run(study: str, copy: Path, source: str, cores: str, run: Run) -> bool:
    start = time.monotonic()
    run(copy, study, cores)
    seconds = time.monotonic() - start
    outcome = compare_folders(copy / EXPECTED / study, copy / "results" / study)
    facts = {
        "study": study,
        "source": source,
        "passed": bool(outcome["passed"].all()),
        "seconds": round(seconds),
        "cores_used": cores,
        **machine(),
        "fingerprint": fingerprint(study, copy),
    }
    page = _page(facts, outcome)
    write_text(f"results/{study}/reproduced.json", json.dumps(facts, indent=1) + "\n")
    write_text(f"results/{study}/reproduced.md", page)
    print(page, flush=True)
    return facts["passed"]


def clean_copy(root: Path, target: Path) -> str:
    """Lay out what is committed, or what a package holds, without any results.

    Returns
    -------
    str
        What the copy is of, for a sentence.
    """
    if (root / ".git").exists():
        if shutil.which("git") is None:
            raise TandemError("git is not installed; on Debian: apt-get install git.")
        clone = ["git", "clone", "--quiet", root.absolute(), target]
        done = subprocess.run(clone, capture_output=True, text=True)
        if done.returncode:
            raise TandemError(f"git could not clone this folder: {done.stderr.strip()}")
        commit, edited = (
            subprocess.run(["git", *words], cwd=root, capture_output=True, text=True).stdout
            for words in (["rev-parse", "--short=12", "HEAD"], ["status", "--porcelain"])
        )
        left = f", without {len(edited.splitlines())} uncommitted changes" if edited else ""
        return f"commit {commit.strip()}{left}"
    if not (root / MANIFEST).exists():
        raise TandemError(
            f"There is neither .git nor {MANIFEST} here: run this in a clone or in the unpacked "
            "package."
        )
    manifest = read_manifest(root)
    for name in source_files(root):  # results may have been made anew since
        if not (root / name).exists() or sha256(root / name) != manifest[name]:
            raise TandemError(f"{name} is not as {MANIFEST} says; unpack the package anew.")
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / name, target / name)
    shutil.copyfile(root / MANIFEST, target / MANIFEST)
    return f"a package of {len(manifest)} files"


def compare_folders(expected: Path, results: Path) -> pd.DataFrame:
    """Compare the published files with those of a run.

    Returns
    -------
    DataFrame
        One row a published file: table, numbers (compared), largest (difference: relative at
        full precision, in units of the last decimal as printed), passed, why (it did not).
    """
    published = _published(expected)
    rows = [
        (name.removesuffix(".csv"), *compare_files(path, results / name, name.startswith("tables")))
        for name, path in published.items()
    ]
    rows += [
        (name.removesuffix(".csv"), 0, 0.0, False, "not among the published numbers")
        for name in sorted(set(_published(results)) - set(published))
    ]
    return pd.DataFrame(rows, columns=["table", "numbers", "largest", "passed", "why"])


def compare_files(expected: Path, got: Path, printed: bool) -> tuple[int, float, bool, str]:
    """Compare two CSV files cell by cell.

    Returns
    -------
    numbers : int
    largest : float
        Largest difference: relative, or in units of the last decimal where ``printed``.
    passed : bool
    why : str
        Where it fails; blank where it does not.
    """
    if not got.exists():
        return 0, 0.0, False, "was not made"
    one, other = (pd.read_csv(p, header=None, dtype=str, na_filter=False) for p in (expected, got))
    if one.shape != other.shape:
        return 0, 0.0, False, f"{other.shape} rows and columns, published {one.shape}"
    numbers, largest, why = 0, 0.0, ""
    for row, (cells, new) in enumerate(zip(one.to_numpy(), other.to_numpy(), strict=True), start=1):
        for a, b in zip(cells, new, strict=True):
            x, y = NUMBER.findall(a), NUMBER.findall(b)
            numbers += len(x)
            if a == b:
                continue
            if NUMBER.sub("#", a) != NUMBER.sub("#", b):
                why = why or f"row {row}: '{b}', published '{a}'"
                continue
            far = max(_distance(v, w, printed) for v, w in zip(x, y, strict=True))
            largest = max(largest, far)
            if far > (1.001 if printed else RELATIVE):
                why = why or f"row {row}: {b}, published {a}"
    return numbers, largest, not why, why


def machine() -> dict:
    """The machine, the largest process started from here, and the day."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = re.findall(r"^model name\s*:\s*(.+)$", info.read_text(), flags=re.M)
        cpu = names[0] if names else cpu
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, kilobytes elsewhere
    return {
        "peak_memory_mb": round(
            resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit / 1e6
        ),
        "cpu": cpu,
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "date": datetime.date.today().isoformat(),
    }


def _make(folder: Path, study: str, cores: str) -> None:
    # settings of the make that started this one must not reach the one started here
    ours = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "PYTHONPATH", "VIRTUAL_ENV")
    env = {name: value for name, value in os.environ.items() if name not in ours}
    python = Path(sys.base_prefix) / "bin/python3"
    command = ["make", f"STUDY={study}", f"CORES={cores}", "FLAGS=--forceall", f"PYTHON={python}"]
    if subprocess.run(command, cwd=folder, env=env).returncode:
        raise TandemError(f"FAIL {study}: the clean run stopped; the lines above say where.")


def _published(folder: Path) -> dict[str, Path]:
    paths = sorted(p for pattern in PUBLISHED for p in folder.glob(pattern))
    return {p.relative_to(folder).as_posix(): p for p in paths}


def _distance(a: str, b: str, printed: bool) -> float:
    x, y = (float(v.replace("−", "-").replace(",", "")) for v in (a, b))
    if printed:
        decimals = max(len(v.partition(".")[2]) for v in (a, b))
        return abs(x - y) * 10**decimals if decimals else (x != y) * float("inf")
    return 0.0 if abs(x - y) <= ABSOLUTE else abs(x - y) / max(abs(x), abs(y))


def _page(facts: dict, outcome: pd.DataFrame) -> str:
    word = {True: "PASS", False: "FAIL"}
    lines = [f"# {word[facts['passed']]}: {facts['study']}", ""]
    lines += [
        f"A clean run of {facts['source']} took {facts['seconds']} s with {facts['cores_used']} of "
        f"{facts['cores']} cores; its largest process took {facts['peak_memory_mb']} MB. "
        f"{facts['cpu']}, {facts['memory_gb']} GB, {facts['system']}, Python {facts['python']}, "
        f"{facts['date']}.",
        "",
        TOLERANCES,
        "",
        "| table | numbers | largest difference | |",
        "|---|---|---|---|",
    ]
    for row in outcome.itertuples():
        unit = " units" if row.table.startswith("tables/") and row.largest else ""
        why = f" {row.why}".replace("|", "\\|").rstrip()
        lines.append(
            f"| {row.table} | {row.numbers} | {row.largest:.2g}{unit} | {word[row.passed]}{why} |"
        )
    return "\n".join([*lines, ""])
