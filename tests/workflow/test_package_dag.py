"""A small study from a change to the package, unpacked elsewhere and reproduced there."""

import json
import zipfile
from pathlib import Path

import pytest
from small_project import SMALL, make_project, snakemake

from tandem.errors import TandemError
from tandem.report.explain import explain
from tandem.report.history import kept
from tandem.report.package import package
from tandem.report.package_files import manifest
from tandem.report.reproduce import reproduce, write_expected

# without the panel VAR: regressions are enough to compare
TINY = SMALL[: SMALL.index("  panel_var:")] + SMALL[SMALL.index("tables:") :]
ENTITY = TINY.replace("effects: two-way", "effects: entity")
CHANGES, TABLES = "results/small/changes.md", "results/small/tables"


def run(project: Path, study: str = "small", cores: str = "2", targets=(TABLES,)) -> None:
    done = snakemake(project, *targets, "--cores", cores)
    assert done.returncode == 0, done.stdout + done.stderr


def manifested(project: Path) -> None:
    """A package as it is before it is packed: no git, but a manifest."""
    files = [p for p in project.rglob("*") if p.is_file() and ".snakemake" not in p.parts]
    files = [p for p in files if "__pycache__" not in p.parts and "results" not in p.parts]
    contents = {p.relative_to(project).as_posix(): p.read_bytes() for p in files}
    (project / "MANIFEST.sha256").write_bytes(manifest(contents))


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A study run twice, with other effects the second time."""
    folder = make_project(tmp_path_factory.mktemp("package"))
    study = folder / "studies/small.yaml"
    study.write_text(TINY, encoding="utf-8")
    run(folder, targets=[CHANGES])
    first = (folder / CHANGES).read_text(encoding="utf-8")
    assert "No earlier run with other results is kept." in first
    study.write_text(ENTITY, encoding="utf-8")
    run(folder, targets=[CHANGES, TABLES])
    return folder


def test_what_changed_is_told_and_explained(project, monkeypatch):
    monkeypatch.chdir(project)
    page = Path(CHANGES).read_text(encoding="utf-8")
    assert "Only the study changed between the two runs: that is the cause." in page
    assert "| study | studies/small.yaml | changed |" in page
    assert "| up | two_way | up | L1.tech |" in page
    assert "## Published values\n\nNone." in page
    assert [p.name[:4] for p in kept("results/small")] == ["0001", "0002"]
    # one part changed: no run is needed
    assert "comes from: code and study 100 %." in explain("small", "results/small")


def test_the_package_reproduces_itself_elsewhere(project, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(project)
    with pytest.raises(TandemError, match="no published numbers"):
        reproduce(["small"], "2", run)
    write_expected("small")
    manifested(project)
    with pytest.raises(TandemError, match="was not reproduced yet; run make reproduce"):
        package(["small"], tmp_path / "a.zip")
    assert reproduce(["small"], "2", run)
    assert "| tables/up_on_tech |" in capsys.readouterr().out
    facts = json.loads(Path("results/small/reproduced.json").read_text(encoding="utf-8"))
    assert facts["passed"] and facts["seconds"] > 0 and facts["peak_memory_mb"] > 50

    for name in ("a.zip", "b.zip"):
        package(["small"], tmp_path / name)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        archive.extractall(tmp_path)
    unpacked = tmp_path / "tandem"
    text = (unpacked / "README.md").read_text(encoding="utf-8")
    assert "| `results/small/tables/up_on_tech` | `studies/small.yaml:" in text
    assert f"| small | PASS | {facts['seconds']} |" in text
    assert (unpacked / "results/small/data/panel.csv").exists()
    assert not list(unpacked.rglob("history"))

    monkeypatch.chdir(unpacked)
    published = Path("tests/expected/small/indices/coupling.csv")
    assert reproduce(["small"], "2", run)
    published.write_text(published.read_text("utf-8").replace("Beijing,2019", "Beijing,2020"))
    with pytest.raises(TandemError, match="coupling.csv is not as MANIFEST.sha256 says"):
        reproduce(["small"], "2", run)


def test_a_stale_proof_stops_the_package(project, tmp_path, monkeypatch):
    monkeypatch.chdir(project)
    study = project / "studies/small.yaml"
    study.write_text(ENTITY + "# edited\n", encoding="utf-8")
    with pytest.raises(TandemError, match="changed since small was reproduced"):
        package(["small"], tmp_path / "a.zip")
    study.write_text(ENTITY, encoding="utf-8")
    table = project / "results/small/tables/up_on_tech.csv"
    content = table.read_bytes()
    table.write_bytes(content.replace(b"Technology", b"Technik"))
    with pytest.raises(TandemError, match="up_on_tech.csv is not as published"):
        package(["small"], tmp_path / "a.zip")
    table.write_bytes(content)
