"""Reading NBS-style tables of 31 provinces x 20 years: inventory, cells, ledger, keys, ranges.

Each size runs in a process of its own, so that its peak memory is its own.
"""

import csv
import multiprocessing
import tempfile
from pathlib import Path

from timing import record, write

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


def measure(count: int) -> dict:
    with tempfile.TemporaryDirectory() as name:
        files = make_tables(Path(name), count)
        read_observations(Path(name), files[:1])  # what happens once
        tasks = {"tandem": lambda: read_observations(Path(name), files)}
        observations, ledger = tasks["tandem"]()
        assert len(observations) == count * (31 * 20 - 1), len(observations)
        assert (ledger["rule"] == "footnote mark stripped").sum() == count
        rounds = 1 if count > 1000 else 3
        equal = "number of cells and of marks"
        return record("reading", equal, tasks, {"tables": count}, rounds=rounds)


if __name__ == "__main__":
    assert all(find_province(name) for name in NAMES)
    spawn = multiprocessing.get_context("spawn")
    found = []
    for count in (30, 300, 3000):
        with spawn.Pool(1) as pool:
            found.append(pool.apply(measure, (count,)))
    write(found)
