"""The analysis on one page: read raw tables, build the panel, index, estimate, report."""

import os
import shutil
import sys
from pathlib import Path

from tandem.errors import TandemError
from tandem.files import back_from_the_future, forget, lock, settle, why, write_text
from tandem.study import Study, study_file

# Snakemake puts the interpreter's path into a shell line without quotes: no folder of the user's in it
sys.executable = os.path.relpath(sys.executable)

STUDY = str(config.get("study", "provinces") or "")
R = f"results/{STUDY}"
STOPPED = Path(f"{R}/logs/stopped.txt")  # the sentence with which a run stops, for the Makefile
KNOWN = Path(f".snakemake/known/{STUDY}")  # there if .snakemake says how all results were made
FIRST = not Path(R).exists()


include: "workflow/rerun.smk"


# jobs on a cluster are runs of this file too; the lock is the first process's
if workflow.is_main_process:
    try:
        study_file(STUDY)  # a name that leads elsewhere is refused before anything is written
        LOCK = lock(R)
    except TandemError as err:
        print(f"Stopped: {err}", file=sys.stderr)
        sys.exit(3)  # said already; stopped.txt is that of the other run, or cannot be written
    STOPPED.unlink(missing_ok=True)
    back_from_the_future(R, "data", "studies", "src")
    settle(R)
    # a killed run leaves copies that stop the next; results themselves are replaced whole
    shutil.rmtree(f".snakemake/backups/{R}", ignore_errors=True)

try:
    study, variants, raw_files, FETCHED = plan(STUDY)
except TandemError as err:
    write_text(STOPPED, f"Stopped: {err}\n")
    sys.exit(1)


if study.panel.scope == "table":

    include: "workflow/rules/firms.smk"

    MADE = [f"{R}/tables"]

else:

    include: "workflow/rules/download.smk"
    include: "workflow/rules/data.smk"
    include: "workflow/rules/indices.smk"
    include: "workflow/rules/dynamics.smk"
    include: "workflow/rules/econometrics.smk"
    include: "workflow/rules/report.smk"

    MADE = [
        f"{R}/report.html",
        f"{R}/report.pdf",
        f"{R}/data/quality.html",
        *ABSENT,  # else a deleted download would not be missed while the results are newer
        *UNFITTED,  # nor would deleted goalposts
    ]


rule all:
    default_target: True
    input:
        MADE,


onstart:
    forget(f"{R}/logs")
    if FIRST:
        write_text(KNOWN, "")


onsuccess:
    STOPPED.unlink(missing_ok=True)
    write_text(KNOWN, "")
    write_text(Path(f"{R}/logs/timings.csv"), timings())


onerror:
    write_text(STOPPED, why(f"{R}/logs"))
