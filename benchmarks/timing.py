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


def record(what: str, checked: str, tasks: dict, size: dict | None = None, **how) -> dict:
    """Tasks timed by `in_turns`, the first beside the others; `checked` says what was equal before.

    Records of one `what` whose `size` differs, such as {"entities": 1000}, make a curve.
    """
    seconds = in_turns(tasks, **how)
    return {"what": what, "checked": checked, "size": size, "seconds": seconds, "peak": peak()}


def peak() -> float:
    """GB that this process has used at most so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def installed(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def cpu() -> str:
    """The processor's name, where the system tells."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    return next((x.split(": ")[1] for x in lines if x.startswith("model name")), "")


def write(found) -> None:
    """Write what a benchmark found, and where, to the file that the command line names first."""
    load = os.getloadavg()[0]
    versions = {name: installed(name) for name in PACKAGES}
    page = {
        "command": " ".join(["python", Path(sys.argv[0]).name, *sys.argv[1:]]),
        "date": str(datetime.date.today()),
        "machine": f"{cpu() or platform.machine()}, {os.cpu_count()} cores, load {load:.0f}",
        "versions": {"Python": platform.python_version()}
        | {k: v for k, v in versions.items() if v},
        "found": found,
    }
    Path(sys.argv[1]).write_text(json.dumps(page, indent=1) + "\n", encoding="utf-8")
