"""A whole study by `make` on two cores beside the same scripts in one Python process.

Both run in a copy of what is committed. The one process gets each job's inputs, outputs and
parameters from Snakemake's graph and runs the job's script with them, in the order of the graph.
On a machine with other work the walls do not compare.
"""

import filecmp
import os
import pickle
import re
import resource
import runpy
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from timing import write

from tandem.report.reproduce import clean_copy

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = Path("workflow/scripts")
USED = re.compile(r"Used: (.+) s to start, (.+) s to work, (.+) MB")
HANDED = ("input", "output", "params", "wildcards", "log")


def jobs(study: str, file: str) -> None:
    """Pickle what Snakemake would hand to each script of a study, in an order that may run."""
    from snakemake.api import SnakemakeApi
    from snakemake.settings import types

    with SnakemakeApi(types.OutputSettings(quiet={types.Quietness.ALL})) as api:
        flow = api.workflow(
            types.ResourceSettings(cores=1),
            config_settings=types.ConfigSettings(config={"study": study}),
            snakefile=Path("Snakefile"),
        )
        # builds the graph, which is what is wanted
        flow.dag(types.DAGSettings(forceall=True)).printrulegraph()
        layers = flow._workflow.dag.toposorted()
        handed = [
            (Path(job.rule.script).name, {k: getattr(job, k)._plainstrings() for k in HANDED})
            for layer in layers
            for job in sorted(layer, key=str)
            if job.rule.script
        ]
    for _, given in handed:
        given.update(config={"study": study}, threads=1)
    Path(file).write_bytes(pickle.dumps(handed))


def one(file: str) -> None:
    """Run the pickled jobs in this process."""
    for script, given in pickle.loads(Path(file).read_bytes()):
        runpy.run_path(str(SCRIPTS / script), {"snakemake": SimpleNamespace(**given)}, "__main__")


def clocked(command: list[str], folder: Path) -> tuple[float, float]:
    """Seconds on the wall, and of the processor by the command and all that it started."""

    def spent():
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return np.array([time.perf_counter(), used.ru_utime + used.ru_stime])

    before = spent()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    print(f"{' '.join(command)}: {spent() - before}", file=sys.stderr, flush=True)
    return tuple(spent() - before)


def same(one: Path, other: Path) -> int:
    """Files of one run, all equal to the byte in the other; logs and marks of Snakemake aside."""
    names = [f.relative_to(one) for f in one.rglob("*") if f.is_file()]
    names = [str(n) for n in names if n.parts[0] != "logs" and not n.name.startswith(".")]
    equal, *wrong = filecmp.cmpfiles(one, other, names, shallow=False)
    assert wrong == [[], []], wrong
    return len(equal)


def steps(logs: Path) -> dict[str, list[float]]:
    """Seconds to start and to work, and MB at most, of each job of a run by Snakemake."""
    found = {log.stem: USED.search(log.read_text(encoding="utf-8")) for log in logs.glob("*.log")}
    return {name: [float(x) for x in used.groups()] for name, used in sorted(found.items()) if used}


def main(study: str) -> dict:
    python, here = ".venv/bin/python", str(Path(__file__).resolve())
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / "tandem"
        clean_copy(ROOT, copy)
        (copy / ".venv").symlink_to(ROOT / ".venv")
        os.environ["PYTHONPATH"] = "src"  # the copy's, not that of the environment
        results = copy / "results" / study
        run = [".venv/bin/snakemake", "--workflow-profile", "workflow/profiles/default"]
        run += ["--cores", "2", "--forceall", "--config", f"study={study}"]
        make = clocked(run, copy)
        nothing = clocked([*(w for w in run if w != "--forceall"), "--dry-run"], copy)
        by_make = results.rename(Path(scratch) / "by-make")
        used = steps(by_make / "logs")
        clocked([python, here, "jobs", study, f"{scratch}/jobs"], copy)
        alone = clocked([python, here, "one", f"{scratch}/jobs"], copy)
        files = same(by_make, results)
    return {
        "study": study,
        "files": files,
        "make": make,
        "plan": nothing,
        "one": alone,
        "steps": used,
    }


if __name__ == "__main__":
    task, *rest = sys.argv[1:]
    if task in ("jobs", "one"):
        {"jobs": jobs, "one": one}[task](*rest)
    else:
        write(main(*rest or ["provinces"]))
