"""A run compared with the published numbers, and the copy that it is made in."""

import subprocess
from pathlib import Path

import pytest

from tandem.errors import TandemError
from tandem.report.package_files import manifest
from tandem.report.reproduce import clean_copy, compare_files, compare_folders, write_expected


def pair(folder: Path, one: str, other: str) -> tuple[Path, Path]:
    paths = folder / "one.csv", folder / "other.csv"
    for path, text in zip(paths, (one, other), strict=True):
        path.write_text(text, encoding="utf-8")
    return paths


@pytest.mark.parametrize(
    ("expected", "got", "printed", "passed"),
    [
        ("x,0.123456789012345", "x,0.123456789012999", False, True),
        ("x,0.123456", "x,0.123457", False, False),
        ("x,1e-12", "x,-3e-11", False, True),
        ("x,1.5e-05", "x,1.50000001e-05", False, True),
        ("x,0.611***", "x,0.612***", True, True),
        ("x,0.611***", "x,0.613***", True, False),
        ("x,0.611***", "x,0.611**", True, False),
        ('x,"0.1 [0.2, 0.3]"', 'x,"0.1 [0.2, 0.4]"', True, True),
        ('x,"0.1 [0.2, 0.3]"', 'x,"0.1 [0.2, 0.5]"', True, False),
        ("n,240", "n,241", True, False),
        ('n,"12,345.1"', 'n,"12,345.2"', True, True),
        ('n,"12,345.1"', 'n,"13,345.1"', True, False),
        ("x,−0.1", "x,0.1", True, False),
        ("x,supported", "x,contradicted", False, False),
        ("x,1", "x,1\ny,2", False, False),
    ],
)
def test_tolerances(tmp_path, expected, got, printed, passed):
    numbers, _, is_passed, why = compare_files(*pair(tmp_path, expected, got), printed)
    assert is_passed == passed and bool(why) != passed


def test_the_largest_difference_and_where(tmp_path):
    paths = pair(tmp_path, "a,1.0,2.0\nb,3.0,4.0", "a,1.0,2.00000002\nb,3.0,5.0")
    numbers, largest, passed, why = compare_files(*paths, False)
    assert (numbers, largest, passed) == (4, pytest.approx(0.2), False)
    assert why == "row 2: 5.0, published 4.0"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("tables/a.csv", "estimates/var/terms.csv", "data/panel.csv"):
        path = tmp_path / "results/s" / name
        path.parent.mkdir(parents=True)
        path.write_text("x,1.5\n", encoding="utf-8")
    return tmp_path


def test_present_results_become_the_published_ones(project):
    folder = write_expected("s", project)
    outcome = compare_folders(folder, project / "results/s")
    assert outcome["table"].tolist() == ["estimates/var/terms", "tables/a"]
    assert outcome["passed"].all() and outcome["numbers"].tolist() == [1, 1]
    (project / "results/s/tables/a.csv").rename(project / "results/s/tables/b.csv")
    outcome = compare_folders(folder, project / "results/s").set_index("table")
    assert outcome.loc["tables/a", "why"] == "was not made"
    assert outcome.loc["tables/b", "why"] == "not among the published numbers"
    with pytest.raises(TandemError, match="no name of a study"):
        write_expected("../results", project)
    with pytest.raises(TandemError, match="run make STUDY=t first"):
        write_expected("t", project)


def test_a_copy_of_a_package_without_its_results(tmp_path):
    root, copy = tmp_path / "package", tmp_path / "copy"
    contents = {"Makefile": b"a", "src/a.py": b"b", "results/s/a.csv": b"c"}
    for name, content in contents.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    with pytest.raises(TandemError, match="neither .git nor MANIFEST"):
        clean_copy(root, copy)
    (root / "MANIFEST.sha256").write_bytes(manifest(contents))
    assert clean_copy(root, copy) == "a package of 3 files"
    assert sorted(p.name for p in copy.rglob("*") if p.is_file()) == [
        "MANIFEST.sha256",
        "Makefile",
        "a.py",
    ]
    (root / "results/s/a.csv").write_bytes(b"made anew")
    clean_copy(root, tmp_path / "again")
    (root / "src/a.py").write_bytes(b"edited")
    with pytest.raises(TandemError, match="src/a.py is not as MANIFEST.sha256 says"):
        clean_copy(root, copy)


def test_a_clone_holds_what_is_committed(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.txt").write_text("1", encoding="utf-8")
    git = ["git", "-c", "user.name=x", "-c", "user.email=x"]
    for words in (["init", "-q"], ["add", "a.txt"], ["commit", "-qm", "x"]):
        subprocess.run([*git, *words], cwd=root, check=True)
    (root / "a.txt").write_text("2", encoding="utf-8")
    said = clean_copy(root, tmp_path / "copy")
    assert said.startswith("commit ") and said.endswith(", without 1 uncommitted changes")
    assert (tmp_path / "copy/a.txt").read_text(encoding="utf-8") == "1"
    with pytest.raises(TandemError, match="git could not clone this folder: .*copy"):
        clean_copy(root, tmp_path / "copy")
