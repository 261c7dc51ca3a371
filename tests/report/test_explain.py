"""Which part of a run did what: the order of exchange and the words, with the reruns made up."""

import pandas as pd
import pytest
from test_changes import COLUMNS, edit, project  # noqa: F401

from tandem.cli import main
from tandem.errors import TandemError
from tandem.report import explain as module
from tandem.report.explain import explain
from tandem.report.history import keep, read_run

TERMS = "results/s/estimates/regressions/terms.csv"


@pytest.fixture
def moved(project, monkeypatch):  # noqa: F811
    """Two runs: a table, the code and the estimate differ."""
    monkeypatch.chdir(project)
    keep("s", "results/s")
    edit(project, "data/raw/nbs/gdp.csv", "a", "b")
    edit(project, "src/tandem/x.py", "1", "2")
    edit(project, TERMS, "0.5,0.2,2.5,0.012", "0.9,0.2,4.5,0.0001")
    keep("s", "results/s")
    return project


def between(estimate: str):
    """Stands in for a rerun: the earlier results with another estimate."""

    def rerun(study, runs, exchanged, cores):
        rerun.asked.append(exchanged)
        frames = read_run(runs[0])[0]
        terms = frames["estimates/regressions/terms"].copy()
        terms.loc[terms["term"] == "L1.tech", "estimate"] = estimate
        return frames | {"estimates/regressions/terms": terms}

    rerun.asked = []
    return rerun


def test_shares_add_up(moved, monkeypatch):
    rerun = between("0.6")
    monkeypatch.setattr(module, "_rerun", rerun)
    page = explain("s", "results/s")
    assert rerun.asked == [["data"]]
    assert "comes from: data 25 %, code and study 75 %." in page
    row = "| up | two_way | up | L1.tech |  | 0.5 | 0.9 | stars; > 1 s.e. | 0.1 | 0.3 |"
    assert row in page
    assert "The same in both runs: nothing of the differences is its doing." in page


def test_another_order_where_the_earlier_code_stops(moved, monkeypatch):
    rerun = between("0.5")

    def stops(study, runs, exchanged, cores):
        if exchanged == ["data"]:
            raise TandemError("Stopped: gdp has a new column.")
        return rerun(study, runs, exchanged, cores)

    monkeypatch.setattr(module, "_rerun", stops)
    page = explain("s", "results/s")
    assert rerun.asked == [["code and study"]]
    assert "a run stopped. Stopped: gdp has a new column." in page
    assert "comes from: code and study 0 %, data 100 %." in page


def test_another_environment_is_told_by_a_run_of_the_earlier_files(moved, monkeypatch):
    edit(moved, "requirements.txt", "numpy==2", "numpy==3")
    with pytest.raises(TandemError, match="changed since the last run; run make first"):
        explain("s", "results/s")
    edit(moved, TERMS, "0.9,0.2", "0.8,0.2")
    keep("s", "results/s")
    edit(moved, TERMS, "0.8,0.2", "1.3,0.2")
    edit(moved, "requirements.txt", "numpy==3", "numpy==4")
    edit(moved, "data/raw/nbs/gdp.csv", "b", "c")
    keep("s", "results/s")
    rerun = between("0.9")
    monkeypatch.setattr(module, "_rerun", rerun)
    page = explain("s", "results/s")
    assert rerun.asked == [["environment"]]
    assert "comes from: environment 20 %, data 80 %." in page


def test_nothing_to_explain(project, monkeypatch):  # noqa: F811
    monkeypatch.chdir(project)
    with pytest.raises(TandemError, match="nothing to explain yet"):
        explain("s", "results/s")
    keep("s", "results/s")
    edit(project, "results/s/data/panel.csv", "1.125", "1.1")
    keep("s", "results/s")
    with pytest.raises(TandemError, match="were results edited by hand"):
        explain("s", "results/s")


def test_a_file_too_large_to_keep_is_named(moved, monkeypatch):
    monkeypatch.setattr(module, "restore", lambda source, part, folder: ["data/raw/nbs/gdp.csv"])
    with pytest.raises(TandemError, match="gdp.csv was too large to be kept"):
        explain("s", "results/s")


def test_new_and_gone_terms_are_words(moved):
    before = pd.DataFrame(
        [("t", "m", "e", "x", "", 1.0, 2.0, 0.5, 0.1, 0.1, "gone")],
        columns=[*module.TERM, "before", "after", "std_error", "p_before", "p_after", "what"],
    )
    table = module._by_cause({"terms": before}, {"data": {"terms": before}})
    assert table["data"].tolist() == ["gone"]


def snakemake(monkeypatch, folder, script):
    """Stands in for Python: a shell script that is handed the arguments of a run."""
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{script}", encoding="utf-8")
    path.chmod(0o755)
    monkeypatch.setattr(module.sys, "executable", str(path))


RUN = """
case "$*" in *"results/s/changes.md"*"--cores 2 --config study=s") ;; *) exit 9 ;; esac
test "$PYTHONPATH" = "$PWD/src" || exit 8
mkdir -p results/s/estimates/regressions results/s/logs
data=$(cat data/raw/nbs/gdp.csv); code=$(cat src/tandem/x.py)
"""


def test_a_rerun_is_of_the_earlier_files_but_those_exchanged(moved, monkeypatch):
    write = f"""
cp -r {moved}/results/s/data results/s
test "$data $code" = "b A = 1" || exit 7
printf '%s\\n' '{COLUMNS}' 's,up,two_way,up,L1.tech,,0.7,0.2,3,0.01,0.1,0.9,c' \
  > results/s/estimates/regressions/terms.csv
"""
    snakemake(monkeypatch, moved, RUN + write)
    page = explain("s", "results/s", cores=2)
    assert "comes from: data 50 %, code and study 50 %." in page


def test_a_rerun_that_stops_says_why(moved, monkeypatch):
    stop = "echo 'Stopped: gdp is blank.' > results/s/logs/stopped.txt; exit 1"
    snakemake(monkeypatch, moved, RUN + stop)
    with pytest.raises(TandemError) as told:
        explain("s", "results/s", cores=2)
    assert str(told.value).count("Stopped: gdp is blank.") == 2  # in either order
    snakemake(monkeypatch, moved, "echo 'no such option' >&2; exit 2")
    with pytest.raises(TandemError, match="told apart.*order data, code and study.*no such option"):
        explain("s", "results/s", cores=2)


def test_the_command_keeps_its_page_beside_the_results(moved, monkeypatch, capsys):
    monkeypatch.setattr(module, "_rerun", between("0.6"))
    assert main(["explain-change", "s"]) == 0
    page = (moved / "results/s/explained.md").read_text(encoding="utf-8")
    assert page.startswith("# Why it changed: s") and capsys.readouterr().out == page + "\n"


def test_a_verdict_that_changed_is_laid_at_a_cause(moved, monkeypatch):
    edit(moved, TERMS, "0.9,0.2", "0.8,0.2")
    edit(moved, "results/s/claims/claims.csv", "undetermined", "supported")
    edit(moved, "data/raw/nbs/gdp.csv", "b", "c")
    keep("s", "results/s")
    page = explain("s", "results/s")
    _, _, data = page.partition("## Data")
    told, _, _ = data.partition("Files that differ:")
    head, row = "| claim | part | before | after |", "| h1 | talent | undetermined | supported |"
    assert told.endswith(f"Verdicts:\n\n{head}\n| --- | --- | --- | --- |\n{row}\n\n")


def test_estimates_without_errors_have_no_shares(moved, monkeypatch):
    monkeypatch.setattr(module, "_rerun", lambda study, runs, *_: read_run(runs[1])[0])
    edit(moved, TERMS, "0.9,0.2,4.5,0.0001", "0.5,0.2,2.5,0.012")
    edit(moved, "results/s/data/panel.csv", "1.125", "1.2")
    edit(moved, "data/raw/nbs/gdp.csv", "b", "c")
    keep("s", "results/s")
    edit(moved, "results/s/data/panel.csv", "1.2", "1.3")
    edit(moved, "data/raw/nbs/gdp.csv", "c", "d")
    keep("s", "results/s")
    assert "No estimate with a standard error moved." in explain("s", "results/s")
