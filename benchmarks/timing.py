"""One way to time and one to write down: tasks in turns, records that report.py reads."""

import datetime
import importlib.metadata
import json
import os
import platform
import resource
import sys
import time
from pathlib import Path

PACKAGES = (
    "numpy pandas scipy statsmodels linearmodels duckdb snakemake "
    "pydynpd pyxtabond2 pyfixest pyxthreg panelbox"
).split()


def in_turns(tasks: dict, rounds: int = 5, repeats: int = 1, clock=time.process_time) -> dict:
    """Seconds (rounds,) that one call of each named task takes, the tasks taking turns.

    By default of the processor, so that what else the machine does counts little.
    """
    spent = {name: [] for name in tasks}
    for _ in range(rounds):
        for name, task in tasks.items():
            start = clock()
            for _ in range(repeats):
                task()
            spent[name].append((clock() - start) / repeats)
    return spent


def side_by_side(what: str, checked: str, tasks: dict, rounds: int = 5, repeats: int = 1) -> dict:
    """A record of tandem beside its peers; first of `tasks` is tandem, `checked` says what is equal."""
    spent = in_turns(tasks, rounds, repeats)
    return {"what": what, "checked": checked, "seconds": spent}


def peak() -> float:
    """GB that this process has used at most so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def installed(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def write(found) -> None:
    """Write what a benchmark found, and where, to the file that the command line names first."""
    versions = {name: installed(name) for name in PACKAGES}
    page = {
        "command": " ".join(["python", Path(sys.argv[0]).name, *sys.argv[1:]]),
        "date": str(datetime.date.today()),
        "machine": f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.0f}",
        "versions": {"Python": platform.python_version()}
        | {k: v for k, v in versions.items() if v},
        "found": found,
    }
    Path(sys.argv[1]).write_text(json.dumps(page, indent=1) + "\n", encoding="utf-8")
