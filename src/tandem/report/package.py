"""The journal package: code, data and results of studies in one zip, with a README of facts."""

import json
from collections.abc import Iterable
from pathlib import Path

from tandem.errors import TandemError
from tandem.files import write_whole
from tandem.report.history import fingerprint
from tandem.report.package_checks import findings
from tandem.report.package_files import MANIFEST, manifest, result_files, source_files
from tandem.report.package_readme import package_readme
from tandem.report.reproduce import EXPECTED, compare_folders
from tandem.report.table_archive import zipped

README, PROJECT = "README.md", "README-tandem.md"  # the package's own, and the project's beside it
TOP = "tandem"  # the folder that the zip unpacks into


def package(studies: Iterable[str], path: str | Path, root: str | Path = ".") -> int:
    """Write the package of studies that have been run and reproduced.

    Parameters
    ----------
    studies
        Names of studies.
    path
        The zip to write. It is the same bytes for the same files and the same measured facts.
    root
        The project's folder: a git clone, or an unpacked package.

    Returns
    -------
    int
        How many files it holds.

    Raises
    ------
    TandemError
        One sentence for each thing that stands in the way.
    """
    root, studies = Path(root), list(studies)
    measured = {study: _measured(study, root) for study in studies}
    names = source_files(root)
    names = [n for n in names if n != MANIFEST and not (n == README and PROJECT in names)]
    names += [n for study in studies for n in result_files(study, root)]
    contents = {PROJECT if n == README else n: (root / n).read_bytes() for n in names}
    found = findings(contents, root)
    if found:
        raise TandemError("\n".join(found))
    contents[README] = package_readme(measured, contents, root).encode()
    contents[MANIFEST] = manifest(contents)
    write_whole(path, zipped({f"{TOP}/{name}": content for name, content in contents.items()}))
    return len(contents)


def _measured(study: str, root: Path) -> dict:
    """Facts of the clean run that `make reproduce` made of these very files."""
    results = root / "results" / study
    kept = results / "reproduced.json"
    again = f"run make reproduce STUDY={study} first: the package states its outcome."
    if not (results / "tables").is_dir():
        raise TandemError(f"results/{study} holds no results; run make STUDY={study} first.")
    if not kept.exists():
        raise TandemError(f"{study} was not reproduced yet; {again}")
    facts = json.loads(kept.read_text(encoding="utf-8"))
    if facts["fingerprint"] != fingerprint(study, root):
        raise TandemError(f"Data, code or study changed since {study} was reproduced; {again}")
    if not facts["passed"]:
        raise TandemError(f"The clean run of {study} did not give the published numbers; {again}")
    outcome = compare_folders(root / EXPECTED / study, results)
    if not outcome["passed"].all():
        row = outcome[~outcome["passed"]].iloc[0]
        raise TandemError(
            f"results/{study}/{row.table}.csv is not as published ({row.why}); run make "
            f"STUDY={study}, or make expected STUDY={study} to publish the new numbers."
        )
    return facts
