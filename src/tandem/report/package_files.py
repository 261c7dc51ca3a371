"""The files of a journal package: which go in, and the manifest that names them."""

import hashlib
import shutil
import subprocess
from pathlib import Path

from tandem.errors import TandemError

MANIFEST = "MANIFEST.sha256"
# made by the run for the next run, not for a reader
LEFT_OUT = (
    "history", "logs", "chunks", "curve", "changes", "changes.md", "explained.md",
    "provenance.html", ".snakemake_timestamp",
)  # fmt: skip


def source_files(root: Path) -> list[str]:
    """What is under version control; in an unpacked package, what its manifest names.

    Results are not among them, nor the README and manifest that the package itself writes.
    """
    if (root / ".git").exists() and shutil.which("git"):
        listed = ["git", "ls-files", "-z", "--cached"]
        done = subprocess.run(listed, cwd=root, capture_output=True, text=True)
        if done.returncode:
            raise TandemError(f"git could not list the files: {done.stderr.strip()}")
        names = [n for n in done.stdout.split("\0") if n and (root / n).is_file()]
    elif (root / MANIFEST).exists():
        names = list(read_manifest(root))
    else:
        raise TandemError(f"There is neither .git nor {MANIFEST} here: nothing says what to pack.")
    return sorted(n for n in names if not n.startswith("results/") or n == "results/README.md")


def result_files(study: str, root: Path) -> list[str]:
    """Results of a study for a reader: report, tables, figures, data, estimates."""
    folder = root / "results" / study
    paths = (p for p in folder.rglob("*") if p.is_file())
    return sorted(
        p.relative_to(root).as_posix()
        for p in paths
        if not set(p.relative_to(folder).parts) & set(LEFT_OUT)
    )


def manifest(contents: dict[str, bytes]) -> bytes:
    """Lines that ``sha256sum -c`` reads, one a file."""
    lines = [f"{hashlib.sha256(contents[n]).hexdigest()}  {n}\n" for n in sorted(contents)]
    return "".join(lines).encode()


def read_manifest(root: Path) -> dict[str, str]:
    """SHA-256 by file name."""
    lines = (root / MANIFEST).read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, name in (line.split("  ", 1) for line in lines)}


def sha256(path: Path) -> str:
    """SHA-256 of a file's content."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
