"""The last runs of a study, kept whole: results to compare with, and the files that made them."""

import hashlib
import io
import json
import sys
import zipfile
from pathlib import Path

import pandas as pd

from tandem.files import write_whole
from tandem.report.package_files import sha256, source_files
from tandem.report.table_archive import zipped

# what a study finds, at full precision
FOUND = (
    "indices/coupling.csv",
    "estimates/*/terms.csv",
    "estimates/*/models.csv",
    "estimates/var/granger.csv",
    "estimates/verdict/methods.csv",
    "estimates/verdict/regions.csv",
    "variants/*/two_way.csv",
    "claims/claims.csv",
)
RESULTS = ("data/observations.csv", "data/panel.csv", *FOUND)
# what a run is made of; a difference in results has its cause in one of these
PARTS = {
    "environment": ("requirements.txt",),
    "data": ("data/*.csv", "data/raw/**/*"),
    "study": ("studies/{study}.yaml", "studies/{study}.goalposts.csv"),
    "code": ("Snakefile", "environment.yml", "src/**/*", "workflow/**/*"),
}
LARGE = 50_000_000  # bytes; of a larger file only the digest is kept

Frames = dict[str, pd.DataFrame]


def made_of(study: str, root: str | Path = ".") -> dict[str, dict[str, str]]:
    """SHA-256 of every file that a run reads, by part: environment, data, study, code."""
    parts = {
        part: {p.relative_to(root).as_posix(): sha256(p) for p in files_of(part, study, root)}
        for part in PARTS
    }
    parts["environment"]["python"] = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return parts


def fingerprint(study: str, root: str | Path = ".") -> str:
    """Digest of what a run is made of, less files that no clean copy has, such as downloads."""
    named = set(source_files(Path(root)))
    made = {
        part: {n: sha for n, sha in files.items() if n in named or n == "python"}
        for part, files in made_of(study, root).items()
    }
    return hashlib.sha256(json.dumps(made).encode()).hexdigest()


def files_of(part: str, study: str, root: str | Path = ".") -> list[Path]:
    """Files of one part of what a run is made of."""
    found = {p for pattern in PARTS[part] for p in Path(root).glob(pattern.format(study=study))}
    left_out = ("__pycache__", ".egg-info")
    return sorted(p for p in found if p.is_file() and not any(w in str(p) for w in left_out))


def keep(study: str, folder: str | Path, root: str | Path = ".", runs: int = 5) -> Path:
    """Add the present results to ``folder/history`` and forget all but the newest ``runs``.

    A run that gives the results of the newest one kept takes its place, so that the same results
    are not kept twice in a row.

    Returns
    -------
    Path
        A .zip, the same bytes for the same results and files.
    """
    folder = Path(folder)
    files = {f"results/{name}": path.read_bytes() for name, path in _results(folder).items()}
    for part in PARTS:
        for path in files_of(part, study, root):
            if path.stat().st_size <= LARGE:
                files[f"made/{path.relative_to(root).as_posix()}"] = path.read_bytes()
    made = json.dumps(made_of(study, root), indent=1, sort_keys=True, ensure_ascii=False)
    now, names = state(folder), kept(folder)
    number = int(names[-1].name[:4]) if names else 0
    if not names or _state_of(names[-1]) != now:
        number += 1
    path = folder / "history" / f"{number:04d}-{now}.zip"
    write_whole(path, zipped(files | {"made.json": made.encode()}))
    for old in kept(folder)[: -max(runs, 1)]:
        old.unlink()
    return path


def kept(folder: str | Path) -> list[Path]:
    """The runs kept, oldest first."""
    return sorted((Path(folder) / "history").glob("[0-9]*-*.zip"))


def previous(folder: str | Path) -> Path | None:
    """The newest run kept whose results are not the present ones."""
    now = state(folder)
    others = [path for path in kept(folder) if _state_of(path) != now]
    return others[-1] if others else None


def state(folder: str | Path) -> str:
    """Twelve digits that tell one set of results from another."""
    digests = [f"{name}\0{sha256(path)}\0" for name, path in _results(Path(folder)).items()]
    return hashlib.sha256("".join(digests).encode()).hexdigest()[:12]


def read_run(path: str | Path) -> tuple[Frames, dict[str, dict[str, str]]]:
    """Results of a kept run by their path without ending, and what it was made of.

    Parameters
    ----------
    path
        A .zip that `keep` wrote.
    """
    with zipfile.ZipFile(path) as archive:
        names = [n for n in archive.namelist() if n.startswith("results/")]
        frames = {
            n.removeprefix("results/").removesuffix(".csv"): _frame(io.BytesIO(archive.read(n)))
            for n in names
        }
        return frames, json.loads(archive.read("made.json"))


def read_present(folder: str | Path) -> Frames:
    """Present results, as `read_run` gives those of a kept run."""
    return {n.removesuffix(".csv"): _frame(p) for n, p in _results(Path(folder)).items()}


def restore(path: str | Path, part: str, folder: str | Path) -> list[str]:
    """Write the files of one part of a kept run into a folder.

    Returns
    -------
    list of str
        Files that were too large to be kept.
    """
    with zipfile.ZipFile(path) as archive:
        made = json.loads(archive.read("made.json"))[part]
        stored = {n.removeprefix("made/") for n in archive.namelist() if n.startswith("made/")}
        for name in sorted(stored & set(made)):
            write_whole(Path(folder) / name, archive.read(f"made/{name}"))
        return sorted(set(made) - stored - {"python"})


def _results(folder: Path) -> dict[str, Path]:
    paths = sorted(p for pattern in RESULTS for p in folder.glob(pattern))
    return {p.relative_to(folder).as_posix(): p for p in paths}


def _frame(source) -> pd.DataFrame:
    # as text: two runs are compared digit for digit before anything is taken for a number
    return pd.read_csv(source, dtype=str, keep_default_na=False)


def _state_of(path: Path) -> str:
    return path.stem.partition("-")[2]
