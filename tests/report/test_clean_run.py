"""From results to the journal's zip by the commands, with a stand-in for the clean run itself."""

import json
import zipfile

import pytest

from tandem.cli import main
from tandem.errors import TandemError
from tandem.report import reproduce as module
from tandem.report.package_files import manifest
from tandem.sources.inventory import CODEBOOK_COLUMNS, SOURCE_COLUMNS

TABLE = "results/s/tables/up.csv"
OBSERVED = "region,cell\nHebei,raw/nbs/gdp.csv!!B2\nHebei,raw/nbs/gdp.csv!!B3\n"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """An unpacked project of one raw table, with the results of its study."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "studies").mkdir()
    assert main(["new-study", "s"]) == 0
    source = dict.fromkeys(SOURCE_COLUMNS, "x") | {
        "file": "raw/nbs/gdp.csv", "series": "gdp", "region_scope": "nation", "flag": "",
        "download": "", "sha256": "",
    }  # fmt: skip
    texts = {
        "data/sources.csv": ",".join(SOURCE_COLUMNS) + "\n" + ",".join(source.values()) + "\n",
        "data/codebook.csv": ",".join(CODEBOOK_COLUMNS) + "\n",
        "data/raw/nbs/gdp.csv": "year,gdp\n2001,1\n",
        "requirements.txt": "numpy==2.4.1\n",
        TABLE: "L1.tech,0.123\n",
        "results/s/data/observations.csv": OBSERVED,
    }
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert main(["expected", "s"]) == 0
    manifested(tmp_path)
    return tmp_path


def manifested(project):
    files = [p for p in project.rglob("*") if p.is_file() and "results" not in p.parts]
    contents = {p.relative_to(project).as_posix(): p.read_bytes() for p in files}
    contents.pop("MANIFEST.sha256", None)
    (project / "MANIFEST.sha256").write_bytes(manifest(contents))


def clean_run(monkeypatch, text="L1.tech,0.123\n"):
    """Stands in for make: writes the table into the clean copy."""

    def run(folder, study, cores):
        assert not (folder / "results").exists() and cores == "2"
        path = folder / f"results/{study}/tables/up.csv"
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")

    monkeypatch.setattr(module, "_make", run)


def packed(capsys):
    capsys.readouterr()
    status = main(["package", "s"])
    return status, capsys.readouterr().err


def test_a_clean_run_that_agrees_is_packed_with_its_proof(project, monkeypatch, capsys):
    clean_run(monkeypatch)
    assert main(["reproduce", "s", "--cores", "2"]) == 0
    out = capsys.readouterr().out
    assert "| tables/up | 2 | 0 | PASS |" in out
    assert out.endswith("PASS: the clean run gives the published numbers.\n")
    facts = json.loads((project / "results/s/reproduced.json").read_text(encoding="utf-8"))
    assert facts["passed"] and facts["cores_used"] == "2" and facts["memory_gb"] > 0
    assert main(["package", "s"]) == 0
    with zipfile.ZipFile("dist/tandem-package.zip") as archive:
        names = set(archive.namelist())
        readme = archive.read("tandem/README.md").decode()
    assert {f"tandem/{TABLE}", "tandem/data/raw/nbs/gdp.csv", "tandem/MANIFEST.sha256"} <= names
    assert "| s | PASS | " in readme and "- numpy==2.4.1" in readme
    assert "| `raw/nbs/gdp.csv` | x | x, x | x | x | s |  | yes |" in readme
    assert f"dist/tandem-package.zip: {len(names)} files" in capsys.readouterr().out


def test_a_clean_run_with_other_numbers_fails_and_is_not_packed(project, monkeypatch, capsys):
    clean_run(monkeypatch, "L1.tech,0.125\n")
    assert main(["reproduce", "s", "--cores", "2"]) == 1
    said = capsys.readouterr()
    assert "| tables/up | 2 | 2 units | FAIL row 1: 0.125, published 0.123 |" in said.out
    assert said.err.startswith("FAIL: the clean run does not give the published numbers")
    status, err = packed(capsys)
    assert status == 1 and "did not give the published numbers; run make reproduce STUDY=s" in err


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("results/s/reproduced.json", None, "s was not reproduced yet; run make reproduce"),
        ("results/s/tables", None, "results/s holds no results; run make STUDY=s first"),
        ("requirements.txt", "numpy==2.4.2\n", "changed since s was reproduced; run make"),
        (TABLE, "L1.tech,0.2\n", "tables/up.csv is not as published"),
        ("data/raw/nbs/empty.csv", "", "data/raw/nbs/empty.csv is empty (0 bytes)"),
    ],
)
def test_what_stops_a_package_is_one_sentence(project, monkeypatch, capsys, file, text, words):
    clean_run(monkeypatch)
    if text == "":
        (project / file).write_text("")
        sources = project / "data/sources.csv"
        line = sources.read_text().splitlines()[1].replace("nbs/gdp.csv", "nbs/empty.csv")
        sources.write_text(sources.read_text() + line + "\n")
        manifested(project)
    main(["reproduce", "s", "--cores", "2"])
    if text is None:
        (project / file).rename(project / "gone")
    else:
        (project / file).write_text(text)
    status, err = packed(capsys)
    assert status == 1 and words in err and err.count("\n") == 1
    assert not (project / "dist").exists()


def test_a_study_without_published_numbers_or_that_is_not_packed(project, monkeypatch, capsys):
    clean_run(monkeypatch)
    assert main(["reproduce", "t"]) == 1
    assert "make expected STUDY=t takes the present results" in capsys.readouterr().err
    lines = (project / "MANIFEST.sha256").read_text().splitlines(keepends=True)
    kept = [line for line in lines if "tests/expected" not in line]
    (project / "MANIFEST.sha256").write_text("".join(kept))
    assert main(["reproduce", "s"]) == 1
    assert "is not committed, so that a clean copy lacks it" in capsys.readouterr().err


def test_make_runs_with_settings_of_its_own(tmp_path, monkeypatch):
    (tmp_path / "Makefile").write_text(
        'run:\n\t@echo "$(STUDY) $(CORES) $(FLAGS) [$$PYTHONPATH] [$(EXTRA)]" > said\n'
        "\t@test $(STUDY) = s\n"
    )
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    monkeypatch.setenv("MAKEFLAGS", "EXTRA=outer")
    module._make(tmp_path, "s", "2")
    assert (tmp_path / "said").read_text() == "s 2 --forceall [] []\n"
    with pytest.raises(TandemError, match="FAIL t: the clean run stopped"):
        module._make(tmp_path, "t", "2")


def test_without_git_nothing_is_cloned(tmp_path, monkeypatch):
    (tmp_path / ".git").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TandemError, match="git is not installed; on Debian: apt-get install git"):
        module.clean_copy(tmp_path, tmp_path / "copy")
