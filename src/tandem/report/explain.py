"""Why results changed: one part of what they are made of is exchanged at a time, and run again."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd

from tandem.errors import TandemError
from tandem.report.changes import TERM, Frames, compare, files_changed, sentence, to_lines
from tandem.report.history import kept, made_of, previous, read_present, read_run, restore, state

# in the order in which they are exchanged; study and code change together more often than not
CAUSES = {"environment": ("environment",), "data": ("data",), "code and study": ("code", "study")}


def explain(study: str, folder: str | Path, cores: int | str = 1) -> str:
    """Split the differences between the last two runs into environment, data, code and study.

    The earlier run's files are laid out in a temporary folder. There environment, data, and code
    and study are exchanged for the present ones, one on top of the other, and all is run again
    after each: what moves from one run to the next is that part's doing. After the last exchange
    stand the present results, so that it needs no run.

    Parameters
    ----------
    study
        Name of the study.
    folder
        Its results, with ``history/``; the project's folder is the working directory.
    cores
        Cores for the reruns; "all" for all there are.

    Returns
    -------
    str
        A page in Markdown.

    Raises
    ------
    TandemError
        If no earlier run is kept, the files changed since the last run, or no order of exchange
        can be run.
    """
    old, new = _two_runs(study, Path(folder))
    before, made_before = read_run(old)
    after, made_after = read_run(new)
    files = files_changed(made_before, made_after)
    differing = [c for c, parts in CAUSES.items() if files["part"].isin(parts).any()]
    if not differing:
        raise TandemError(
            f"Runs {old.stem} and {new.stem} were made of the same files in the same environment; "
            "were results edited by hand? make clean, then make, tells."
        )
    order, states, notes = _first_that_runs(study, (old, new), differing, cores)
    runs = [before, *states, after]
    parts = {c: compare(runs[i], runs[i + 1]) for i, c in enumerate(order)}
    return _page(study, (old, new), files, compare(before, after), parts, notes)


def _two_runs(study: str, folder: Path) -> tuple[Path, Path]:
    """The earlier run and the one with the present results."""
    old, now = previous(folder), [p for p in kept(folder) if p.stem.endswith(state(folder))]
    if not old or not now:
        raise TandemError(
            f"No earlier run with other results is kept in {folder}/history; there is nothing to "
            "explain yet."
        )
    present = made_of(study)["environment"]
    if read_run(now[-1])[1]["environment"] != present:
        raise TandemError(
            "requirements.txt or the version of Python changed since the last run; run make first."
        )
    return old, now[-1]


def _first_that_runs(study, runs, differing, cores):
    """Results after each exchange but the last, in the first order whose runs come to an end."""
    orders = [differing]
    if differing[-2:] == ["data", "code and study"]:  # old code may not read new data
        orders.append([*differing[:-2], "code and study", "data"])
    notes = []
    for order in orders:
        try:
            states = [_rerun(study, runs, order[: i + 1], cores) for i in range(len(order) - 1)]
            return order, states, notes
        except TandemError as err:
            notes.append(f"In the order {', '.join(order)} a run stopped. {err}")
    raise TandemError("The parts cannot be told apart. " + " ".join(notes))


def _rerun(study: str, runs: tuple[Path, Path], exchanged: list[str], cores: int | str) -> Frames:
    """Results of the earlier run's files with some parts exchanged for the later run's."""
    with tempfile.TemporaryDirectory(prefix="tandem-") as scratch:
        for cause, parts in CAUSES.items():
            # this environment runs, whatever it is told: the lock file only names it
            source = runs[cause in exchanged or cause == "environment"]
            too_large = [name for part in parts for name in restore(source, part, scratch)]
            if too_large:
                raise TandemError(
                    f"{too_large[0]} was too large to be kept with run {source.stem}; the parts "
                    "cannot be told apart without it."
                )
        command = [sys.executable, "-m", "snakemake", f"results/{study}/changes.md"]
        command += ["--workflow-profile", "workflow/profiles/default", "--cores", str(cores)]
        command += ["--config", f"study={study}"]
        path = {"PYTHONPATH": str(Path(scratch) / "src"), "OMP_NUM_THREADS": "1"}
        done = subprocess.run(
            command, cwd=scratch, env=os.environ | path, capture_output=True, text=True
        )
        results = Path(scratch) / "results" / study
        if done.returncode:
            stopped = results / "logs/stopped.txt"
            raise TandemError(stopped.read_text("utf-8") if stopped.exists() else done.stderr)
        return read_present(results)


def _page(study, runs, files, total, parts, notes) -> str:
    lines = [f"# Why it changed: {study}", "", f"From run `{runs[0].stem}` to `{runs[1].stem}`."]
    lines += ["", sentence(total), "", _shares(parts), "", *(f"{note}\n" for note in notes)]
    for cause, names in CAUSES.items():
        mine = files[files["part"].isin(names)]
        lines += [f"## {cause.capitalize()}", ""]
        if cause not in parts:
            lines += ["The same in both runs: nothing of the differences is its doing.", ""]
            continue
        lines += [sentence(parts[cause]), ""]
        if len(parts[cause]["claims"]):
            lines += ["Verdicts:", "", *to_lines(parts[cause]["claims"]), ""]
        lines += ["Files that differ:", "", *to_lines(mine), ""]
    lines += ["## Estimates to look at", "", *to_lines(_by_cause(total, parts)), ""]
    lines += [
        f"The parts were exchanged one at a time in the order {', '.join(parts)}, each on top of "
        "the one before, so that their moves add up to the whole. What two parts do only together "
        "counts for the later one.",
        "",
    ]
    return "\n".join(lines)


def _shares(parts: dict[str, Frames]) -> str:
    """How much of all movement of estimates each part brings, in words."""
    moves = {}
    for cause, changes in parts.items():
        terms = changes["terms"]
        in_errors = (terms["after"] - terms["before"]).abs() / terms["std_error"]
        moves[cause] = float(in_errors[in_errors < float("inf")].sum())
    whole = sum(moves.values())
    if not whole:
        return "No estimate with a standard error moved."
    said = [f"{cause} {100 * move / whole:.0f} %" for cause, move in moves.items()]
    return (
        f"Movement of the estimates, counted in old standard errors, comes from: {', '.join(said)}."
    )


def _by_cause(total: Frames, parts: dict[str, Frames]) -> pd.DataFrame:
    """What a reader notices of each estimate, with the move that each part brings."""
    noticed = total["terms"][total["terms"]["what"] != ""]
    table = noticed[[*TERM, "before", "after", "what"]]
    for cause, changes in parts.items():
        terms = changes["terms"]
        # a term that comes or goes has no move: the word says so
        word = terms["what"].where(terms["what"].isin(["new", "gone"]))
        move = (terms["after"] - terms["before"]).astype(object).where(word.isna(), word)
        mine = terms[TERM].assign(**{cause: move}).drop_duplicates(TERM)
        table = table.merge(mine, on=TERM, how="left").fillna({cause: 0.0})
    return table
