"""A study whose panel is a table, through the DAG."""

import runpy

from test_dag import ROOT, make_project, planned, results, snakemake, stopped

BENCH = runpy.run_path(str(ROOT / "benchmarks/firms.py"))


def test_a_table_goes_through_the_dag(tmp_path):
    project = make_project(tmp_path)
    BENCH["generate"](project / "data/firms", 300)
    study = BENCH["STUDY"].replace("year: year}", "year: year, chunk: 90}")
    (project / "studies/small.yaml").write_text(study, encoding="utf-8")

    done = snakemake(project, "--cores", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "fod [####################] 100%" in done.stdout
    first = results(project)
    assert {"tables/panel_var.csv", "tables/market.docx", "tables/describe.xlsx"} <= set(first)
    assert planned(project) == set()

    (project / "studies/small.yaml").write_text(study.replace("log(rd", "log(0 * rd"), "utf-8")
    assert snakemake(project, "--cores", "2").returncode != 0
    assert "log of a number that is not positive in F00000" in stopped(project)
    assert results(project) == first
