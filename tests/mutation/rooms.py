"""Branch coverage of each room of src/tandem, of the data that `make coverage` left."""

import json
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

import coverage

ROOT = Path(__file__).resolve().parents[2]
LEAST = 0.9  # share of the branches of every room


def main():
    measured = coverage.Coverage(config_file=str(ROOT / "pyproject.toml"))
    measured.load()
    with tempfile.TemporaryDirectory() as scratch:
        measured.json_report(outfile=f"{scratch}/all.json")
        files = json.loads(Path(scratch, "all.json").read_text(encoding="utf-8"))["files"]
    rooms = defaultdict(Counter)
    for file, found in files.items():
        parts = Path(file).parts
        for room in (parts[-2], "all"):
            rooms[room].update({k: v for k, v in found["summary"].items() if isinstance(v, int)})
    low = []
    for room, sums in sorted(rooms.items()):
        lines = f"{sums['covered_lines']} of {sums['num_statements']} statements"
        branches = f"{sums['covered_branches']} of {sums['num_branches']} branches"
        share = sums["covered_branches"] / max(sums["num_branches"], 1)
        print(f"{room:14} {share:6.1%}  {branches}, {lines}")
        low += [room] if share < LEAST else []
    if low:
        sys.exit(f"Under {LEAST:.0%} of branches: {', '.join(low)}.")


if __name__ == "__main__":
    main()
