"""Records of the benchmarks as one page and its figures: python report.py results.md records/*.json

A ratio is a package's seconds over tandem's in the same turn.
"""

import ast
import json
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd

matplotlib.use("Agg")
matplotlib.rcParams.update({"svg.hashsalt": "tandem", "font.size": 9})
import matplotlib.pyplot as plt  # noqa: E402

FIGURES = Path("figures")


def three(values, digits: int = 3) -> str:
    """Minimum, median and maximum as one cell."""
    least, middle, most = (
        np.format_float_positional(f(values), digits, False, False, "-")
        for f in (np.min, np.median, np.max)
    )
    return middle if len(values) == 1 else f"{least} / **{middle}** / {most}"


def table(rows: list[dict]) -> list[str]:
    return ["", *pd.DataFrame(rows).to_markdown(index=False).splitlines(), ""] if rows else [""]


def compared(record: dict) -> list[dict]:
    """A row a package; the first is tandem."""
    own = np.array(next(iter(record["seconds"].values())))
    size = f", {_size(record)}" if record["size"] else ""
    return [
        {
            "what": f"{record['what']}{size}",
            "package": name,
            "seconds: min / median / max": three(spent),
            "ratio: min / median / max": "" if i == 0 else three(np.array(spent) / own),
            "equal before timing": record["checked"],
        }
        for i, (name, spent) in enumerate(record["seconds"].items())
    ]


def _size(record: dict) -> str:
    ((unit, count),) = record["size"].items()
    return f"{count:,} {unit}"


def curves(name: str, records: list[dict]) -> list[str]:
    """Seconds and memory by size as rows; with three sizes or more the figure and its slope."""
    sized = [r for r in records if r["size"]]
    rows = [
        {
            "what": r["what"],
            "size": _size(r),
            "seconds: min / median / max": three(r["seconds"]["tandem"]),
            "peak so far, GB": f"{r['peak']:.2f}",
            "equal before timing": r["checked"],
        }
        for r in sized
    ]
    lines, drawn = table(rows), {}
    for r in sized:
        size, seconds = next(iter(r["size"].values())), np.median(r["seconds"]["tandem"])
        drawn.setdefault(r["what"], []).append((size, seconds))
    drawn = {what: np.array(points) for what, points in drawn.items() if len(points) > 1}
    for what, points in drawn.items():
        slope = np.polyfit(*np.log(points).T, 1)[0]
        lines.append(f"{what}: log seconds rise by {slope:.2f} with log {next(iter(r['size']))}.")
    if drawn:
        figure(name, next(iter(r["size"])), drawn)
        lines += ["", f"![Seconds by size](figures/{name}.svg)", ""]
    return lines


def figure(name: str, unit: str, drawn: dict) -> None:
    fig, ax = plt.subplots(figsize=(4.2, 2.8), layout="constrained")
    for what, points in drawn.items():
        ax.loglog(*points.T, marker="o", label=what)
    ax.set(xlabel=unit, ylabel="seconds of the processor")
    ax.legend(frameon=False)
    FIGURES.mkdir(exist_ok=True)
    fig.savefig(FIGURES / f"{name}.svg", metadata={"Date": None})
    plt.close(fig)


def pipeline(found: dict) -> list[str]:
    """What the graph of jobs costs beyond the functions that it calls."""
    (wall, cpu), (one_wall, one_cpu) = found["make"], found["one"]
    steps = pd.DataFrame(found["steps"], index=["to start, s", "to work, s", "peak, MB"]).T
    start, work = steps["to start, s"].sum(), steps["to work, s"].sum()
    rows = [
        {"run": "make, 2 cores", "wall, s": wall, "processor, s": cpu},
        {"run": "one process", "wall, s": one_wall, "processor, s": one_cpu},
        {"run": "Snakemake plans, nothing runs", "wall, s": found["plan"][0],
         "processor, s": found["plan"][1]},
    ]  # fmt: skip
    return [
        f"Study {found['study']}: {len(steps)} jobs. {found['files']} files of the two runs are "
        "equal to the byte.",
        *table([{k: f"{v:.1f}" if k != "run" else v for k, v in row.items()} for row in rows]),
        "Overhead is to be at most 30 % of the wall. By the clock: what make takes longer than one "
        f"process is {max(0, wall - one_wall) / wall:.0%} of its wall. By what two cores offer in "
        f"that time, {2 * wall:.0f} s: the jobs work {work:.1f} s ({work / wall / 2:.0%}); their "
        f"start, Python and imports, takes {start:.1f} s, Snakemake itself and what it starts "
        f"{cpu - start - work:.1f} s (together {(cpu - work) / wall / 2:.0%}); the rest is idle. "
        f"Of make's processor seconds {1 - work / cpu:.0%} are not work.",
        "Peak memory is that of getrusage, which on Linux counts the memory of the process that "
        "started the job too: what Snakemake itself holds is the least that can be seen.",
        *table([{"job": name, **row.round(2)} for name, row in steps.iterrows()]),
    ]


def section(file: str) -> list[str]:
    page, name = json.loads(Path(file).read_text(encoding="utf-8")), Path(file).stem
    versions = ", ".join(f"{k} {v}" for k, v in page["versions"].items())
    head = f"`{page['command']}`, {page['date']}, {page['machine']}; {versions}."
    words = ast.get_docstring(ast.parse(Path(__file__).with_name(f"{name}.py").read_text("utf-8")))
    lines = ["", f"## {name}", "", words, "", head, ""]
    if name == "pipeline":
        return lines + pipeline(page["found"])
    flat = [r for r in page["found"] if not r["size"]]
    rows = [row for r in flat for row in compared(r)]
    return lines + table(rows) + curves(name, page["found"])


if __name__ == "__main__":
    out, *files = sys.argv[1:]
    lines = [
        "# Timings",
        "",
        "`make bench`, or one: `make bench ONLY=fixed_effects`. One thread of linear algebra. "
        "Seconds are those of the processor, all threads together, unless said otherwise: the "
        "machine is shared. A ratio is a package's seconds over tandem's in the same turn; above 1 "
        "tandem is faster. Load: processes that wanted a core when the benchmark ended.",
    ]
    if not any(Path(file).stem == "r" for file in files):
        lines += ["", "plm and panelvar were not installed, so that `r.py` was skipped."]
    for file in sorted(files):
        lines += section(file)
    text = "\n".join(lines) + "\n"
    while "\n\n\n" in text:
        text = text.replace("\n\n\n", "\n\n")
    Path(out).write_text(text, encoding="utf-8")
