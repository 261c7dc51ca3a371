"""A generated panel of firms from Parquet through panel VARs to tables.

A second argument sets another number of firms than a million.
"""

import os
import sys
import tempfile
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from tandem.analysis.firms import fit_firms
from tandem.files import progress
from tandem.panel.table import write_panel
from tandem.report.firms import firm_tables
from tandem.report.tables import write_table
from tandem.study import load_study

YEARS = range(2011, 2021)
LINK = np.array([[0.5, 0.1], [0.2, 0.4]])  # rows: effect, columns: cause a year before
STUDY = """
title: {en: Generated firms}
question: {en: Do research and sales of firms that do not exist pull each other along?}
seed: 1
panel:
  scope: table
  years: [2011, 2020]
  table: {file: data/firms/*.parquet, entity: firm, year: year}
series:
  research: {formula: log(rd / staff), unit: log yuan, label: {en: Research}, why: generated}
  sales: {formula: log(revenue / staff), unit: log yuan, label: {en: Sales}, why: generated}
  size: {formula: log(staff), unit: log persons, label: {en: Size}, why: generated}
systems:
  technology: {label: {en: Technology}, indicators: {research: +}}
  market: {label: {en: Market}, indicators: {sales: +}}
models:
  controls: [size]
  regressions: {two_way: {label: Two-way, effects: two-way}}
  panel_var:
    instrument_lags: [2, 4]
    models: {fod: {label: FOD two-step}}
tables:
  market:
    title: {en: Market on technology}
    records: market
    columns: {two_way: Two-way}
    rows: {L1.technology: Technology, size: Size}
    statistics: {n_obs: Observations, n_entities: Firms}
  panel_var:
    title: {en: Panel VAR}
    records: panel_var
    columns: {"fod:technology": Technology, "fod:market": Market}
    rows: {L1.technology: Technology, L1.market: Market}
    statistics: {n_obs: Observations, hansen_p: Hansen p}
"""


def generate(folder: Path, n: int, seed: int = 1, part: int = 100_000) -> None:
    """Parquet files of `part` firms each; one row in a hundred is missing."""
    folder.mkdir(parents=True)
    for i, spawned in enumerate(np.random.SeedSequence(seed).spawn(-(-n // part))):
        rng = np.random.default_rng(spawned)
        m = min(part, n - i * part)
        effect = rng.normal(size=(m, 2))
        y, states = effect.copy(), []
        for _ in range(10 + len(YEARS)):
            y = y @ LINK.T + effect + rng.normal(size=(m, 2))
            states.append(y)
        values = np.stack(states[-len(YEARS) :], axis=1).reshape(-1, 2)
        staff = np.exp(rng.normal(4, 1, size=len(values)))
        rd, revenue = (np.exp(values[:, k] / 4) * staff for k in (0, 1))
        firm = np.repeat(np.arange(i * part, i * part + m), len(YEARS))
        year = np.tile(np.array(YEARS), m)
        rows = pd.DataFrame(
            {"firm": firm, "year": year, "rd": rd, "revenue": revenue, "staff": staff}
        )
        rows = rows[rng.random(len(rows)) > 0.01]
        names = "'F' || lpad(firm::VARCHAR, 8, '0') AS firm, year, rd, revenue, staff"
        duckdb.sql(f"SELECT {names} FROM rows").write_parquet(str(folder / f"{i:03}.parquet"))


def main(n: int) -> list[dict]:
    from timing import record  # beside this file; tests load it from elsewhere

    study, home = load_study("firms.yaml"), "results/data/panel.parquet"
    found = {}

    def tables():
        for table in firm_tables(
            study, (found["terms"], found["models"]), found["describe"], found["granger"]
        ):
            write_table(table, "results/tables")

    tasks = {
        "read, derive, sort": lambda: write_panel(study, home, 2),
        "describe, regress both ways, panel VAR": (
            lambda: found.update(fit_firms(study, home, 2, progress()))
        ),
        "tables": tables,
    }
    return [record(what, "", {"tandem": t}, {"firms": n}, rounds=1) for what, t in tasks.items()]


if __name__ == "__main__":
    from timing import write

    n, home = int(float(sys.argv[2])) if len(sys.argv) > 2 else 1_000_000, os.getcwd()
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)
        generate(Path("data/firms"), n)
        Path("firms.yaml").write_text(STUDY, encoding="utf-8")
        found = main(n)
        table = pd.read_csv("results/tables/panel_var.csv", header=None, dtype=str)
        print(table.to_string())  # the truth is in LINK
        os.chdir(home)
    write(found)
