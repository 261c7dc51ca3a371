"""Read NBS-style tables of 31 provinces x 20 years: time and memory for 30, 300 and 3000 tables.

    .venv/bin/python benchmarks/reading.py

Each size runs in a process of its own, so that its peak memory is its own. What is measured is the
whole of `read_observations`: inventory, cells, ledger, key and range checks.
"""

import csv
import multiprocessing
import platform
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tandem.sources import read_observations
from tandem.sources.inventory import CODEBOOK_COLUMNS, SOURCE_COLUMNS
from tandem.sources.regions import CANONICAL, find_province

YEARS = range(2000, 2020)
NAMES = [name for name in CANONICAL if not name.isascii()]


def make_tables(folder: Path, count: int) -> list[str]:
    """Write `count` exports of one series each, with a footnote mark and a blank in every table."""
    (folder / "raw").mkdir()
    sources, codebook, files = [], [], []
    for k in range(count):
        file, series = f"raw/{k:04}.csv", f"series_{k:04}"
        rows = [["数据库：分省年度数据"], [f"指标：指标{k}(亿元)"], ["时间：2000-2019"]]
        rows.append(["地区", *(f"{year}年" for year in reversed(YEARS))])
        for i, name in enumerate(NAMES):
            rows.append([name, *(f"{1000 + k + 10 * i + t}.5" for t in range(len(YEARS)))])
        rows[4][1] += "①"
        rows[5][2] = ""
        rows.append(["数据来源：国家统计局"])
        with open(folder / file, "w", encoding="utf-8", newline="") as out:
            csv.writer(out).writerows(rows)
        entry = {"file": file, "publication": "made up", "series": series, "vintage": "v"}
        sources.append(entry | {"region_scope": "provinces"})
        label = {"label_en": f"Indicator {k}", "label_zh": f"指标{k}", "unit": "100M yuan"}
        codebook.append({"series": series, "minimum": 0, "maximum": 1e9} | label)
        files.append(file)
    for name, columns, lines in (
        ("sources", SOURCE_COLUMNS, sources),
        ("codebook", CODEBOOK_COLUMNS, codebook),
    ):
        with open(folder / f"{name}.csv", "w", encoding="utf-8", newline="") as out:
            writer = csv.DictWriter(out, columns)
            writer.writeheader()
            writer.writerows(lines)
    return files


def measure(count: int, queue) -> None:
    with tempfile.TemporaryDirectory() as name:
        files = make_tables(Path(name), count)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        start = time.perf_counter()
        observations, ledger = read_observations(Path(name), files)
        seconds = time.perf_counter() - start
    assert len(observations) == count * (31 * 20 - 1), len(observations)
    assert (ledger["rule"] == "footnote mark stripped").sum() == count
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    queue.put((seconds, before, peak))


def main() -> None:
    assert all(find_province(name) for name in NAMES)
    spawn = multiprocessing.get_context("spawn")
    print(f"Python {platform.python_version()}, {platform.machine()}, {sys.platform}")
    medians = {}
    for count, repeats in ((30, 5), (300, 5), (3000, 3)):
        runs = []
        for _ in range(repeats):
            queue = spawn.Queue()
            process = spawn.Process(target=measure, args=(count, queue))
            process.start()
            runs.append(queue.get())
            process.join()
        times = [seconds for seconds, *_ in runs]
        medians[count] = statistics.median(times)
        peak = max(peak for *_, peak in runs)
        print(
            f"{count:5} tables: {min(times):.2f} / {medians[count]:.2f} / {max(times):.2f} s "
            f"(min / median / max of {repeats}), peak {peak:.0f} MB"
        )
    for small, large in ((30, 300), (300, 3000)):
        print(f"{large} / {small} tables: {medians[large] / medians[small]:.1f} times the time")


if __name__ == "__main__":
    main()
