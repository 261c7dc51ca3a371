"""What a data editor would send back: found before a package is written."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

BINARY = (".png", ".pdf", ".docx", ".xlsx", ".xls", ".npy", ".parquet", ".otf", ".ttf", ".woff2")
# outputs may be equal: one table of two studies, a score that nothing clipped
OUTPUTS = ("results/", "tests/expected/")
ABSOLUTE = re.compile(
    r"(?<![\w.:/~<-])/(?:home|Users|root|tmp|mnt|media|scratch)/[\w.-]+|\b[A-Z]:\\\\?\w[\w\\]+"
)
PERSONAL = {
    "an e-mail address": re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}\b"),
    "the number of an identity card": re.compile(
        r"(?<!\d)[1-9]\d{5}(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?!\w)"
    ),
    "the number of a mobile phone": re.compile(r"(?<![\w.])1[3-9]\d{9}(?![\w.])"),
}
LICENCE = re.compile(r"OFL|LICEN[CS]E|COPYING")  # texts that must stay as they are
COLUMNS = re.compile(
    r"\b(passport|phone|e-?mail|birth ?date|date of birth|surname)\b|身份证|手机号|出生日期"
)
HEADER_LINES = 10  # of a raw table, searched for columns about persons
PINNED = re.compile(r"[A-Za-z0-9._-]+(?:\[[\w,-]+\])?==[\w.!+]+(?:\s*;.*)?")


def findings(contents: Mapping[str, bytes], root: Path) -> list[str]:
    """One sentence for each thing that should not be in a package.

    Parameters
    ----------
    contents
        Content by file name, relative to the project's folder.
    root
        The project's folder, searched for empty folders.
    """
    return [
        *(
            f"{name} is empty (0 bytes): fill or delete it."
            for name, c in contents.items()
            if not c
        ),
        *_duplicates(contents),
        *(said for name, c in contents.items() for said in _in_text(name, c)),
        *_unpinned(contents),
        *_empty_folders(contents, root),
    ]


def _duplicates(contents: Mapping[str, bytes]) -> Iterator[str]:
    first = {}
    for name, content in contents.items():
        if content and not name.startswith(OUTPUTS):
            other = first.setdefault(hashlib.sha256(content).digest(), name)
            if other != name:
                yield f"{name} is the same as {other}: keep one of them."


def _in_text(name: str, content: bytes) -> Iterator[str]:
    if name.lower().endswith(BINARY):
        return
    text = content.decode("utf-8", errors="replace")
    for number, line in enumerate(text.splitlines(), start=1):
        where = f"{name}, line {number},"
        path = ABSOLUTE.search(line)
        if path:
            yield f"{where} holds the absolute path {path[0]}: write it relative to the project."
        for what, pattern in PERSONAL.items():
            if pattern.search(line) and not LICENCE.search(name):
                yield f"{where} holds what looks like {what}: remove it, or have its use approved."
        column = COLUMNS.search(line.lower())
        if name.startswith("data/raw/") and number <= HEADER_LINES and column:
            yield f"{where} has a column '{column[0]}': data on persons do not go into a package."


def _unpinned(contents: Mapping[str, bytes]) -> Iterator[str]:
    for name in contents:
        if re.fullmatch(r"(.*/)?requirements[\w-]*\.txt", name):
            for line in contents[name].decode().splitlines():
                entry = line.partition("#")[0].strip().rstrip("\\ ")
                if entry and not entry.startswith("--hash=") and not PINNED.fullmatch(entry):
                    yield f"{name}: '{entry}' has no fixed version; make lock pins it."


def _empty_folders(contents: Mapping[str, bytes], root: Path) -> Iterator[str]:
    """Folders that would be lost: those of the package's own rooms that hold no file."""
    for room in sorted({Path(name).parts[0] for name in contents if "/" in name}):
        for folder in sorted(p for p in (root / room).rglob("*") if p.is_dir()):
            if not any(folder.iterdir()):
                yield f"{folder.relative_to(root).as_posix()}/ is an empty folder: delete it."
