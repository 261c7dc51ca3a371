"""What a package must not hold, the README of facts, and the maps from outputs to lines."""

import base64
import json
import re
from pathlib import Path

import pytest

from tandem.errors import TandemError
from tandem.report.package_checks import findings
from tandem.report.package_files import manifest, read_manifest, result_files, source_files
from tandem.report.package_readme import in_text_numbers, output_map, package_readme, steps

ROOT = Path(__file__).parents[2]
# put together here, so that this file can itself be packed
HOME = "/ho" + "me/me/data.csv"
MAIL = "me" + "@example.org"
PHONE = "138" + "12345678"
CARD = "110101" + "19900307" + "1234"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("src/a.py", "", "src/a.py is empty (0 bytes)"),
        (
            "src/a.py",
            f"x\nopen('{HOME}')",
            f"src/a.py, line 2, holds the absolute path {HOME[:8]}:",
        ),
        ("src/a.R", "setwd('C:" + "\\\\me\\\\x')", "line 1, holds the absolute path C:"),
        ("data/raw/a.csv", f"name\n{MAIL}", "line 2, holds what looks like an e-mail address"),
        ("data/raw/a.csv", f"x,{PHONE}", "the number of a mobile phone"),
        ("data/raw/a.csv", f"x,{CARD}", "the number of an identity card"),
        ("data/raw/a.csv", "姓名,身份证", "has a column '身份证'"),
        ("requirements.txt", "numpy>=2\n", "'numpy>=2' has no fixed version"),
    ],
)
def test_what_is_found(tmp_path, name, text, said):
    found = findings({name: text.encode()}, tmp_path)
    assert len(found) == 1 and said in found[0]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("docs/a.md", "https://example.org/home/x and results/home/x.csv and ../home/y"),
        ("data/raw/a.csv", "year,gdp\n2015,13812345678.5\n2016,0.13812345678"),
        ("requirements.txt", "numpy==2.4.1 \\\n    --hash=sha256:1a \\\n    --hash=sha256:2b\n"),
        ("requirements.txt", "numpy==2.4.1 ; python_version < '3.12'\n# a word\ntandem[x]==1.0\n"),
        ("figures/a.png", HOME),
        ("src/fonts/OFL.txt", MAIL),
    ],
)
def test_what_is_no_finding(tmp_path, name, text):
    assert findings({name: text.encode()}, tmp_path) == []


def test_duplicates_among_sources_only_and_empty_folders(tmp_path):
    (tmp_path / "data/raw/none").mkdir(parents=True)
    same = {n: b"x" for n in ("data/a.csv", "src/b.py", "results/s/a.csv", "results/t/a.csv")}
    assert findings(same, tmp_path) == [
        "src/b.py is the same as data/a.csv: keep one of them.",
        "data/raw/none/ is an empty folder: delete it.",
    ]


listed = pytest.mark.skipif(
    not (ROOT / ".git").exists() and not (ROOT / "MANIFEST.sha256").exists(),
    reason="neither .git nor a manifest says which files are the project's",
)


@listed
def test_the_project_itself_has_nothing_to_find():
    names = source_files(ROOT)
    assert "Snakefile" in names and not any(n.startswith("results/p") for n in names)
    contents = {name: (ROOT / name).read_bytes() for name in names}
    # empty folders of a working tree are git's matter
    assert [f for f in findings(contents, ROOT) if "empty folder" not in f] == []


def test_manifest_is_read_as_written(tmp_path):
    (tmp_path / "MANIFEST.sha256").write_bytes(manifest({"b 1.csv": b"1", "a.csv": b""}))
    read = read_manifest(tmp_path)
    assert list(read) == ["a.csv", "b 1.csv"]
    assert source_files(tmp_path) == ["a.csv", "b 1.csv"]
    assert read["a.csv"].startswith("e3b0c44298fc1c14")


def test_a_spoilt_git_folder_is_told_in_gits_words(tmp_path):
    (tmp_path / ".git").mkdir()
    with pytest.raises(TandemError, match="git could not list the files: .*not a git repository"):
        source_files(tmp_path)


def test_without_git_and_manifest_nothing_is_packed(tmp_path):
    with pytest.raises(TandemError, match="neither .git nor MANIFEST.sha256"):
        source_files(tmp_path)


def test_results_leave_out_what_serves_the_next_run(tmp_path):
    for name in ("report.html", "history/1.zip", "logs/a.log", "tables/.snakemake_timestamp"):
        path = tmp_path / "results/s" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x", encoding="utf-8")
    assert result_files("s", tmp_path) == ["results/s/report.html"]


def test_outputs_are_traced_to_the_line_that_names_them():
    contents = {
        "studies/s.yaml": b"tables:\n  up_on_tech:\n    title: x\n",
        "src/tandem/report/dynamics.py": b'x = 1\nyield "gini", g\nyield f"dynamics_map_{e}", m\n',
        "src/tandem/report/study_tables.py": b'frame_table(x,\n  "data_gaps")\n',
        "results/s/tables/up_on_tech.csv": b"1",
        "results/s/tables/data_gaps.csv": b"1",
        "results/s/tables/dynamics_gini.csv": b"1",
        "results/s/tables/unknown.csv": b"1",
        "results/s/figures/dynamics_map_tech.svg": b"1",
        "results/s/figures/dynamics_map_tech.png": b"1",
    }
    lines = {Path(output).name: line for output, line, _ in output_map("s", contents)}
    assert lines == {
        "data_gaps": "src/tandem/report/study_tables.py:2",
        "dynamics_gini": "src/tandem/report/dynamics.py:2",
        "unknown": "",
        "up_on_tech": "studies/s.yaml:2",
        "dynamics_map_tech": "src/tandem/report/dynamics.py:3",
    }


def test_numbers_in_the_text_are_traced_to_template_and_code():
    text = b'<p>\n{{ facts.years }} year{{ "s" if facts.years > 1 }}, {{ "%.2f"|format(x) }}'
    contents = {
        "src/tandem/report/report.html.j2": text,
        "src/tandem/report/paper.typ.j2": b"Of all << v.all >> models of << label >>",
        "src/tandem/report/text.en.yaml": b"a: In {{ facts.years }} years",
        "src/tandem/report/document.py": b't = "report.html.j2"\n    "years": 9,\n',
    }
    at = "src/tandem/report/document.py:2"
    assert in_text_numbers(contents) == [
        ("src/tandem/report/paper.typ.j2:1", "v.all", ""),
        ("src/tandem/report/report.html.j2:2", "facts.years", at),
        ("src/tandem/report/report.html.j2:2", '"%.2f"|format(x)', ""),
        ("src/tandem/report/text.en.yaml:1", "facts.years", at),
    ]


@listed
def test_readme_states_facts_in_the_order_of_the_template():
    names = [n for n in source_files(ROOT) if not n.startswith(("tests/", "docs/"))]
    contents = {name: (ROOT / name).read_bytes() for name in names}
    text = package_readme({}, contents, ROOT)
    heads = [line for line in text.splitlines() if line.startswith("## ")]
    assert [h.split()[1] for h in heads] == [
        "Overview", "Data", "Dataset", "Computational", "Description", "Instructions", "List",
        "Numbers", "References",
    ]  # fmt: skip
    listed = re.search(r"(\d+) of (\d+) tables are in the package; (\d+) are fetched", text)
    files = [n for n in names if re.fullmatch(r"data/raw/.+\.csv", n)]
    assert int(listed[1]) == len(files) and int(listed[1]) + int(listed[3]) == int(listed[2])
    assert re.search(r"^- pandas==[\d.]+$", text, flags=re.M)
    numbers = text.partition("## Numbers")[2].partition("## References")[0]
    assert numbers.count("| `src/tandem/report/") > 50


def test_seconds_by_step_come_from_snakemakes_records(tmp_path):
    folder = tmp_path / ".snakemake/metadata"
    folder.mkdir(parents=True)
    for output, rule, seconds in (
        ("results/s/data/panel.csv", "panel", 2.0),
        ("results/s/data/ledger.csv", "panel", 2.5),
        ("results/s/variants/a/two_way.csv", "variant", 1.0),
        ("results/s/variants/b/two_way.csv", "variant", 3.0),
        ("results/t/data/panel.csv", "panel", 9.0),
    ):
        log = output.rpartition("/")[0] + ".log"
        record = {"rule": rule, "log": [log], "starttime": 100.0, "endtime": 100.0 + seconds}
        name = base64.urlsafe_b64encode(output.encode()).decode()
        (folder / name).write_text(json.dumps(record), encoding="utf-8")
    begun = base64.urlsafe_b64encode(b"results/s/report.html").decode()  # a job that was killed
    (folder / begun).write_text(json.dumps(record | {"rule": "report", "endtime": None}))
    found = steps("s", tmp_path).set_index("rule")
    assert found["sum"].to_dict() == {"panel": 2.5, "variant": 4.0}
    assert found["size"].to_dict() == {"panel": 1, "variant": 2}
    assert steps("s", tmp_path / "none").empty
