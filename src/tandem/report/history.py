"""The last runs of a study, kept whole: results to compare with, and the files that made them."""

import hashlib
import io
import json
import sys
import zipfile
from pathlib import Path

import pandas as pd

from tandem.files import write_whole
from tandem.report.table_archive import EPOCH

RESULTS = (
    "data/observations.csv",
    "data/panel.csv",
    "estimates/*/terms.csv",
    "estimates/*/models.csv",
    "estimates/verdict/methods.csv",
    "claims/claims.csv",
)
# what a run is made of; a difference in results has its cause in one of these
PARTS = {
    "environment": ("requirements.txt",),
    "data": ("data/*.csv", "data/raw/**/*"),
    "study": ("studies/{study}.yaml", "studies/{study}.goalposts.csv"),
    "code": (
        "Snakefile", "environment.yml", "src/**/*.py", "src/**/*.j2", "src/**/*.yaml",
        "src/**/*.js", "src/**/*.css", "workflow/**/*",
    ),
}  # fmt: skip


def made_of(study: str, root: str | Path = ".") -> dict[str, dict[str, str]]:
    """SHA-256 of every file that a run reads, by part: environment, data, study, code."""
    parts = {
        part: {str(p.relative_to(root)): _sha(p.read_bytes()) for p in _files(root, part, study)}
        for part in PARTS
    }
    parts["environment"]["python"] = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return parts


def keep(study: str, folder: str | Path, root: str | Path = ".", runs: int = 5) -> Path:
    """Add the present results to ``folder/history`` and forget all but the newest ``runs``.

    A run that gives the results of the newest one kept takes its place.
    """
    folder = Path(folder)
    files = {f"results/{name}": path.read_bytes() for name, path in _results(folder).items()}
    for part in PARTS:
        files |= {f"made/{p.relative_to(root)}": p.read_bytes() for p in _files(root, part, study)}
    made = json.dumps(made_of(study, root), indent=1, sort_keys=True, ensure_ascii=False)
    files["made.json"] = made.encode()
    names = kept(folder)
    number = int(names[-1].name[:4]) if names else 0
    if not names or _sha_of(names[-1]) != state(folder):
        number += 1
    path = folder / "history" / f"{number:04d}-{state(folder)}.zip"
    write_whole(path, _archive(files))
    for old in kept(folder)[:-runs]:
        old.unlink()
    return path


def kept(folder: str | Path) -> list[Path]:
    """The runs kept, oldest first."""
    return sorted((Path(folder) / "history").glob("[0-9]*-*.zip"))


def previous(folder: str | Path) -> Path | None:
    """The newest run kept whose results are not the present ones."""
    others = [path for path in kept(folder) if _sha_of(path) != state(folder)]
    return others[-1] if others else None


def state(folder: str | Path) -> str:
    """Twelve digits that tell one set of results from another."""
    sha = hashlib.sha256()
    for name, path in _results(Path(folder)).items():
        sha.update(f"{name}\0{_sha(path.read_bytes())}\0".encode())
    return sha.hexdigest()[:12]


def read_run(path: str | Path) -> tuple[dict[str, pd.DataFrame], dict]:
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


def read_present(folder: str | Path) -> dict[str, pd.DataFrame]:
    """Present results, as `read_run` gives those of a kept run."""
    return {n.removesuffix(".csv"): _frame(p) for n, p in _results(Path(folder)).items()}


def restore(path: str | Path, folder: str | Path, parts=tuple(PARTS)) -> None:
    """Write the files that made a kept run into a folder, only those of the parts named."""
    with zipfile.ZipFile(path) as archive:
        made = json.loads(archive.read("made.json"))
        for part in parts:
            for name in made[part]:
                if name != "python":
                    write_whole(Path(folder) / name, archive.read(f"made/{name}"))


def _results(folder: Path) -> dict[str, Path]:
    paths = sorted(p for pattern in RESULTS for p in folder.glob(pattern))
    return {p.relative_to(folder).as_posix(): p for p in paths}


def _files(root: str | Path, part: str, study: str) -> list[Path]:
    found = {p for pattern in PARTS[part] for p in Path(root).glob(pattern.format(study=study))}
    return sorted(p for p in found if p.is_file() and "__pycache__" not in p.parts)


def _frame(source) -> pd.DataFrame:
    # as text: two runs are compared digit for digit before anything is taken for a number
    return pd.read_csv(source, dtype=str, keep_default_na=False)


def _archive(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, files[name])
    return out.getvalue()


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _sha_of(path: Path) -> str:
    return path.stem.partition("-")[2]
