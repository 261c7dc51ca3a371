"""Reading and writing of a step's files: whole or not at all, and one sentence when it fails."""

import contextlib
import fcntl
import os
import re
import resource
import shutil
import sys
import time
import traceback
import warnings
from pathlib import Path

import pandas as pd

from tandem.errors import TandemError

PANEL = ["entity", "year"]
MAC = sys.platform == "darwin"  # getrusage counts bytes there, elsewhere kibibytes
# a spreadsheet runs text that starts like this as a formula, unless it is a sign or a number
FORMULA = re.compile(r"'*[=+\-@\t\r]")
NUMBER = re.compile(r"[-+]?([\d.,]+(e[-+]?\d+)?%?\**)?")


def inert(text: str) -> str:
    """Text that no spreadsheet takes for a formula: an apostrophe before it, as there."""
    return f"'{text}" if FORMULA.match(text) and not NUMBER.fullmatch(text) else text


def _texts(frame: pd.DataFrame, change) -> pd.DataFrame:
    """The frame with its text changed; columns in which nothing changes stay as they are."""
    for name, values in frame.select_dtypes(["object", "str"]).items():
        changed = values.map(lambda x: change(x) if isinstance(x, str) else x)
        if not changed.equals(values):
            frame = frame.assign(**{name: changed})
    return frame


def read(path: str | Path) -> pd.DataFrame:
    """A CSV written by `save`; indexed by (entity, year) where it starts with these columns."""
    frame = pd.read_csv(path, keep_default_na=False, na_values=[""])
    frame = _texts(frame, lambda x: x[1:] if x[:1] == "'" and FORMULA.match(x) else x)
    return frame.set_index(PANEL) if list(frame.columns[:2]) == PANEL else frame


def write_whole(path: str | Path, content: bytes) -> None:
    """Write a file whole or not at all: a temporary name in the same folder, then a rename."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(content)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def write_text(path: str | Path, text: str) -> None:
    """Write a text file whole or not at all, in UTF-8 with line feeds."""
    write_whole(path, text.encode())


def save(frames: dict[str, pd.DataFrame], paths) -> None:
    """Write each frame to the path of the same name; floats in full precision.

    Parameters
    ----------
    frames : dict of DataFrame
    paths : mapping of str
        For instance ``snakemake.output``.
    """
    for name, frame in frames.items():
        path = paths[name]
        frame = frame.reset_index() if list(frame.index.names) == PANEL else frame
        write_text(path, _texts(frame, inert).to_csv(index=False, lineterminator="\n"))


@contextlib.contextmanager
def whole_folder(path: str | Path):
    """Fill a folder whole or not at all: another one beside it, then a rename.

    Yields
    ------
    Path
        The folder to write into.
    """
    path = Path(path)
    part, old = _drafts(path)
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        yield part
        if path.exists():
            path.rename(old)
        part.rename(path)
    finally:
        _settle(path)


def _drafts(path: Path) -> tuple[Path, Path]:
    """Where a folder is filled, and where the earlier one waits meanwhile."""
    return path.with_name(f".{path.name}.part"), path.with_name(f".{path.name}.old")


def _settle(path: Path) -> None:
    part, old = _drafts(path)
    if old.exists() and not path.exists():
        old.rename(path)
    for draft in (part, old):
        shutil.rmtree(draft) if draft.is_dir() else draft.unlink(missing_ok=True)


def settle(folder: str | Path) -> None:
    """Undo what a killed run left half-done: drafts go, folders it had moved away come back."""
    for draft in [*Path(folder).rglob(".*.part"), *Path(folder).rglob(".*.old")]:
        _settle(draft.with_name(draft.stem[1:]))


def back_from_the_future(*folders: str | Path) -> None:
    """Give files that are dated in the future, from another clock, the present time.

    Snakemake stops where an output is older than its input; contents decide what runs anyway.
    """
    now = time.time()
    for path in (p for folder in folders for p in Path(folder).rglob("*")):
        with contextlib.suppress(OSError):  # not ours to change, or gone meanwhile
            if path.lstat().st_mtime > now:
                os.utime(path, (now, now))


def lock(folder: str | Path):
    """Keep a second run out of a study's results for as long as the file returned is open.

    The system frees the lock when the process ends, however it ends.

    Raises
    ------
    TandemError
        If another run holds it, or the folder cannot be written.
    """
    path = Path(folder) / "logs" / "lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = open(path, "a", encoding="utf-8")
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise TandemError(
            f"another run is at work on {folder}; wait until it has ended, or stop it."
        ) from None
    except OSError as err:
        raise TandemError(
            f"{path} cannot be written ({err.strerror}); give yourself the right to write in "
            f"{folder}, or make room on its disk."
        ) from None
    return file


@contextlib.contextmanager
def step(log: str | Path):
    """Run a step: warnings, what it used and traceback go to its log; a stop's last line says why.

    Yields
    ------
    say : function
        Prints one plain line on the console.
    """
    Path(log).parent.mkdir(parents=True, exist_ok=True)
    with open(log, "w", encoding="utf-8") as file, warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: print(f"Note: {message}", file=file)
        begun = time.process_time()
        try:
            yield lambda line: print(f"  {line}", flush=True)
            print(_used(begun), file=file)
        except Exception as err:
            print(_used(begun), file=file)
            traceback.print_exc(file=file)
            print(f"Stopped: {_sentence(err)}", file=file)
            raise SystemExit(1) from None


def _used(begun: float) -> str:
    """Processor seconds before a step began (imports) and in it; peak memory of the process."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if MAC else 1e3)
    spent = time.process_time() - begun
    return f"Used: {begun:.2f} s to start, {spent:.2f} s to work, {peak:.0f} MB at most"


def progress(width: int = 20):
    """A bar on the console, told what is being done and the share done of it, from 0 to 1.

    Redrawn on a terminal; elsewhere a line when a thing is done.
    """

    def said(name: str, share: float) -> None:
        bar = f"  {name} [{'#' * round(width * share):{width}}] {share:4.0%}"
        if sys.stdout.isatty():
            print(f"\r{bar}", end="\n" if share == 1 else "", flush=True)
        elif share == 1:
            print(bar, flush=True)

    return said


def _sentence(err: Exception) -> str:
    if isinstance(err, TandemError):
        return str(err)
    return (
        f"{type(err).__name__}: {err}. This is a fault of tandem or of the machine, not of your "
        "data; the lines above say where it arose."
    )


def forget(folder: str | Path) -> None:
    """Remove the logs of earlier stops, so that `why` never quotes an old one."""
    for log in Path(folder).rglob("*.log"):
        if "Stopped: " in log.read_text(encoding="utf-8"):
            log.unlink()


def why(folder: str | Path) -> str:
    """The sentence with which the newest failed step stopped, and where the whole story stands."""
    logs = sorted(Path(folder).rglob("*.log"), key=lambda p: p.stat().st_mtime, reverse=True)
    for log in logs:
        _, mark, sentence = log.read_text(encoding="utf-8").rpartition("Stopped: ")
        if mark:
            told = (
                f"The whole story: {log}. Its step's results and all later ones are as they were."
            )
            return f"Stopped: {sentence.strip()}\n({told})\n"
    return "Stopped: see the messages above.\n"
