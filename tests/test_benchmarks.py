"""The page of timings is what the committed records say, and each record is of a benchmark."""

import subprocess
import sys
from pathlib import Path

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
RECORDS = sorted((BENCHMARKS / "records").glob("*.json"))


def test_the_page_is_made_from_the_records(tmp_path):
    assert RECORDS
    command = [sys.executable, BENCHMARKS / "report.py", tmp_path / "results.md", *RECORDS]
    subprocess.run(command, check=True, cwd=tmp_path)
    assert (tmp_path / "results.md").read_bytes() == (BENCHMARKS / "results.md").read_bytes()
    drawn = sorted((tmp_path / "figures").iterdir())
    assert [f.name for f in drawn] == [f.name for f in sorted((BENCHMARKS / "figures").iterdir())]


def test_every_benchmark_is_named_in_the_workflow():
    workflow = (BENCHMARKS / "Snakefile").read_text(encoding="utf-8")
    shared = {"timing", "report"}
    names = {script.stem for script in BENCHMARKS.glob("*.py")} - shared
    assert all(f'"{name}"' in workflow for name in names)
    assert {record.stem for record in RECORDS} <= names
