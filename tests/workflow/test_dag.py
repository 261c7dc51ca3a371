"""The DAG on a small study of real data: what reruns, what stays, what a mistake says."""

import contextlib
import filecmp
import os
from pathlib import Path

import pytest
from small_project import GDP, ROOT, SMALL, make_project, planned, results, snakemake, stopped

ESTIMATES = {"indices", "regressions", "panel_var", "tables", "figures", "changes", "report", "pdf"}
DOWNSTREAM = {"panel", "revisions", "quality", *ESTIMATES}


@contextlib.contextmanager
def edited(project: Path, old: str, new: str):
    """The small study with one text replaced, put back afterwards."""
    path = project / "studies/small.yaml"
    path.write_text(SMALL.replace(old, new), encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(SMALL, encoding="utf-8")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A finished run in a folder with spaces and Chinese characters in its path."""
    folder = make_project(tmp_path_factory.mktemp("面板 数据 tandem"))
    done = snakemake(folder, "--cores", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture
def gdp(project):
    """The raw GDP table, put back after the test with content and time as before."""
    path = project / GDP
    content, stat = path.read_bytes(), path.stat()
    yield path
    path.write_bytes(content)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def test_a_second_run_finds_nothing_to_do(project):
    assert planned(project) == set()
    assert (project / "results/small/report.html").stat().st_size > 50_000


def test_touching_a_raw_table_reruns_nothing(project, gdp):
    os.utime(gdp)
    assert planned(project) == set()


def test_a_changed_value_reruns_what_depends_on_it_even_with_its_old_time(project, gdp):
    stat = gdp.stat()
    changed = gdp.read_text(encoding="utf-8").replace("35445.1", "35445.2")
    gdp.write_text(changed, encoding="utf-8")
    os.utime(gdp, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert planned(project) == DOWNSTREAM


def test_another_vintage_of_a_series_reruns_only_what_compares_vintages(project):
    other = project / "data/raw/nbs/gdp_census5.csv"
    content = other.read_bytes()
    other.write_bytes(content + b"\n")
    try:
        assert planned(project) == {
            "revisions",
            "quality",
            "tables",
            "figures",
            "changes",
            "report",
            "pdf",
        }
    finally:
        other.write_bytes(content)


def test_what_the_study_does_not_read_reruns_nothing(project):
    other = project / "data/raw/nbs/final_consumption.csv"
    sources = project / "data/sources.csv"
    before = {path: path.read_bytes() for path in (other, sources)}
    old, new = (b"nbs/final_consumption.csv,National", b"nbs/final_consumption.csv,The National")
    assert old in before[sources]
    other.write_bytes(before[other] + b"\n")
    sources.write_bytes(before[sources].replace(old, new))
    try:
        assert planned(project) == set()
    finally:
        # the kept run holds every file that it may read: later tests compare its bytes
        for path, content in before.items():
            path.write_bytes(content)


@pytest.mark.parametrize(
    ("module", "rules"),
    [
        ("indices/coupling.py", ESTIMATES),
        (
            "econometrics/panel_var_gmm.py",
            {"panel_var", "regressions", "tables", "figures", "changes", "report", "pdf"},
        ),
        ("report/document.py", {"report"}),
    ],
)
def test_an_edited_module_reruns_the_rules_that_import_it(project, module, rules):
    path = project / "src/tandem" / module
    content, stat = path.read_bytes(), path.stat()
    path.write_bytes(content + b"\n# edited\n")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    try:
        assert planned(project) == rules
    finally:
        path.write_bytes(content)
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def test_deleted_goalposts_are_fitted_anew(project):
    path = project / "studies/small.goalposts.csv"
    content, stat = path.read_bytes(), path.stat()
    path.unlink()
    try:
        assert planned(project) == {"goalposts", *ESTIMATES}
    finally:
        path.write_bytes(content)
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def test_other_versions_in_the_lock_file_rerun_everything(project):
    lock = project / "requirements.txt"
    content = lock.read_bytes()
    lock.write_bytes(content.replace(b"pandas==3", b"pandas==4"))
    try:
        assert planned(project) == DOWNSTREAM
    finally:
        lock.write_bytes(content)


def test_an_edited_part_of_the_study_reruns_only_what_reads_it(project):
    with edited(project, "rows: {L1.tech: Technology}", "rows: {L1.tech: T}"):
        assert planned(project) == {"tables", "figures", "report", "pdf"}


def test_a_bad_cell_stops_in_one_sentence_and_leaves_earlier_results(project, gdp):
    before = results(project)
    gdp.write_text(gdp.read_text(encoding="utf-8").replace("35445.1", "35445.1x"), encoding="utf-8")
    done = snakemake(project, "--cores", "2")
    assert done.returncode != 0
    told = stopped(project)
    first = told.splitlines()[0]
    assert first.startswith("Stopped: raw/nbs/gdp_census4.csv")
    for part in ("cell B5", "Beijing", "2019", "35445.1x"):
        assert part in first
    assert results(project) == before


def test_two_vintages_in_one_ratio_stop_with_their_cells_and_leave_earlier_results(project):
    before = results(project)
    with edited(project, "va_tertiary: census4", "va_tertiary: original-2017"):
        assert snakemake(project, "--cores", "2").returncode != 0
    told = stopped(project)
    for part in ("'services' mixes two vintages", "2017", "va_tertiary is original-2017 (raw/"):
        assert part in told
    assert results(project) == before


def test_a_mended_cell_is_followed_by_a_run_with_the_same_bytes(project):
    before = results(project)
    assert snakemake(project, "--cores", "2").returncode == 0
    assert planned(project) == set()
    assert results(project) == before


def test_a_table_that_cannot_be_made_leaves_the_earlier_ones(project):
    before = results(project)
    with edited(project, "columns: {two_way:", "columns: {too_way:"):
        assert snakemake(project, "--cores", "2").returncode != 0
    told = stopped(project)
    assert "'too_way'" in told and "'two_way'" in told
    assert results(project) == before
    assert planned(project) <= {"tables", "figures", "report", "pdf"}


def test_an_unknown_study_key_stops_in_one_sentence(project):
    with edited(project, "seed: 7", "seed: 7\nsistems: 1"):
        assert snakemake(project, "--cores", "1").returncode != 0
    told = stopped(project)
    assert told.strip() == (
        "Stopped: studies/small.yaml: unknown key 'sistems'; did you mean 'systems'?"
    )


def test_one_core_gives_the_same_bytes_as_two(project, tmp_path):
    again = make_project(tmp_path)
    done = snakemake(again, "--cores", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert results(again) == results(project)


def test_every_output_is_in_the_results_of_the_study_but_its_goalposts(project):
    outside = filecmp.dircmp(ROOT / "data/raw", project / "data/raw")
    assert outside.left_only == outside.right_only == []
    assert [p.name for p in (project / "results").iterdir()] == ["small"]
    kept = sorted(p.name for p in (project / "studies").iterdir())
    assert kept == ["small.goalposts.csv", "small.yaml"]
