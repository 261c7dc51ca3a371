"""The command line: one sentence and status 1 for a mistake, a tree otherwise."""

import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tandem.analysis.panel import make_panel, observe
from tandem.analysis.scores import index_study
from tandem.cli import main
from tandem.files import save
from tandem.panel.lineage import base_lineage
from tandem.sources import read_codebook
from tandem.study import load_study

ROOT = Path(__file__).parents[1]
ASKED = ["--region", "China", "--year", "2019", "--series"]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project's folder with the results of one study, and a study that was never run."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "studies").mkdir()
    for name in ("nation", "never_run"):
        shutil.copy(ROOT / "studies/nation.yaml", folder / "studies" / f"{name}.yaml")
    study = load_study(folder / "studies/nation.yaml")
    observations, ledger, chosen = observe(study, ROOT / "data")
    made = make_panel(study, observations, chosen, read_codebook(ROOT / "data"))
    made["lineage"] = base_lineage(study, observations, chosen, ledger)
    indices = index_study(study, made["panel"], made["published"])
    for room, frames in (("data", made), ("indices", indices)):
        save(frames, {name: folder / f"results/nation/{room}/{name}.csv" for name in frames})
    return folder


@pytest.fixture
def run(project, monkeypatch, capsys):
    monkeypatch.chdir(project)

    def run(*arguments):
        status = main(list(arguments))
        return status, *capsys.readouterr()

    return run


def test_trace_prints_the_tree_from_files(run):
    status, out, err = run("trace", "nation", *ASKED, "rd_intensity")
    assert (status, err) == (0, "")
    assert out.splitlines()[0] == "China"
    assert "rd_expenditure / gdp * 100" in out
    assert "├─ gdp, 2019 = " in out and "└─ rd_expenditure, 2019 = " in out
    assert " cell " in out


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["nation", *ASKED, "rd_intensty"], "did you mean 'rd_intensity'?"),
        (["nation", "--region", "Chna", "--year", "2019", "--series", "D"], "mean 'China'?"),
        (["nation", "--region", "China", "--year", "1900", "--series", "D"], "nearest is 1990"),
        (["never_run", *ASKED, "D"], "run `make STUDY=never_run` first"),
        (["absent", *ASKED, "D"], "studies here: nation, never_run"),
    ],
)
def test_a_mistake_is_one_sentence_and_status_1(run, arguments, sentence):
    status, out, err = run("trace", *arguments)
    assert (status, out) == (1, "")
    assert sentence in err and err.count("\n") == 1


def test_a_reader_that_stops_early_is_no_error(project):
    code = "import sys; from tandem.cli import main; sys.exit(main(sys.argv[1:]))"
    with subprocess.Popen(
        [sys.executable, "-c", code, "trace", "nation", *ASKED, "D"],
        cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A project's folder with the real data and no study."""
    (tmp_path / "studies").mkdir()
    (tmp_path / "data").symlink_to(ROOT / "data")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_new_study_is_valid_as_it_is_written(desk, capsys):
    assert main(["new-study", "mine"]) == 0
    assert main(["check", "mine"]) == 0
    told = capsys.readouterr().out
    assert "30 entities, 2011-2019" in told and "nothing is wrong" in told
    assert main(["new-study", "mine"]) == 1
    assert "there already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("variants: {other: {vintages: {gdp: census9}}}", "variant 'other': No table of 'gdp'"),
        (
            "descriptions: {../../etc/passwd: {}}",
            "descriptions names '../../etc/passwd', which has",
        ),
        (
            "variants: {other: {descriptions: {raw/nbs/gdp_census4.cvs: {}}}}",
            "variant 'other': descriptions names 'raw/nbs/gdp_census4.cvs', which has no line in "
            "data/sources.csv; did you mean 'raw/nbs/gdp_census4.csv'?",
        ),
        ("published: {p: {label: {en: x}, series: [nothing_here]}}", "names 'nothing_here'"),
    ],
)
def test_check_reads_variants_and_published_series_too(desk, capsys, more, words):
    main(["new-study", "mine"])
    file = desk / "studies/mine.yaml"
    file.write_text(f"{file.read_text(encoding='utf-8')}\n{more}\n", encoding="utf-8")
    assert main(["check", "mine"]) == 1
    assert words in capsys.readouterr().err


def test_check_does_not_wait_for_models_figures_or_workbooks(desk):
    """It takes under 3 s because it opens none of these, most of which take a second each."""
    main(["new-study", "mine"])
    code = (
        "import sys; from tandem.cli import main; main(['check', 'mine']); "
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "nothing is wrong" in done.stdout
    slow = {"scipy", "statsmodels", "linearmodels", "matplotlib", "openpyxl", "snakemake", "jinja2"}
    assert not slow & set(done.stdout.split())


@pytest.mark.parametrize("name", ["My Study", "../x", "9lives"])
def test_a_name_that_is_no_file_name_is_refused(desk, capsys, name):
    assert main(["new-study", name]) == 1
    assert "no name of a study" in capsys.readouterr().err
    assert not list((desk / "studies").iterdir())


def test_check_says_what_is_wrong_and_touches_nothing(desk, capsys):
    main(["new-study", "mine"])
    file = desk / "studies/mine.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("va_tertiary / va_secondary", "va_tertiary / va_secondory"))
    capsys.readouterr()
    assert main(["check", "mine"]) == 1
    assert "va_secondory" in capsys.readouterr().err
    file.write_text(text.replace("exclude: [Tibet]", "exclude: [Tibbet]"))
    assert main(["check", "mine"]) == 1
    told = capsys.readouterr().err
    assert "names 'Tibbet', which no table holds; did you mean 'Tibet'?" in told
    assert told.count("\n") == 1
    file.write_text(text.replace("plausible: [0, 10]", "plausible: [0, 0.1]"))
    assert main(["check", "mine"]) == 1
    assert "rd_intensity" in capsys.readouterr().err
    assert sorted(p.name for p in desk.iterdir()) == ["data", "studies"]


def test_a_new_study_outside_a_project_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["new-study", "mine"]) == 1
    assert "There is no folder studies/ here" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_the_formula_behind_printed_degrees_is_told(tmp_path, capsys):
    scores = [(0.2, 0.8), (0.4, 0.6), (0.3, 0.9)]
    rows = [f"{a},{b},{2 * (a * b) ** 0.5 / (a + b):.3f}" for a, b in scores]
    file = tmp_path / "printed.csv"
    file.write_text("\n".join(["U1,U2,C", *rows]))
    assert main(["diagnose-coupling", str(file)]) == 0
    out = capsys.readouterr().out
    assert "printed.csv: 3 rows, 2 systems" in out and "C: C standard" in out
    file.write_text("U1,C\n0.2,0.8\n")
    assert main(["diagnose-coupling", str(file)]) == 1
    assert "printed.csv" in capsys.readouterr().err


def test_check_reads_a_table_of_firms_too(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for folder in ("studies", "data"):
        (tmp_path / folder).mkdir()
    bench = runpy.run_path(str(ROOT / "benchmarks/firms.py"))
    bench["generate"](Path("data/firms"), 30, part=30)
    (tmp_path / "studies/firms.yaml").write_text(bench["STUDY"], encoding="utf-8")
    assert main(["check", "firms"]) == 0
    told = capsys.readouterr().out
    assert "rows of 30 entities, " in told and "nothing is wrong with the study" in told
    assert sorted(p.name for p in tmp_path.iterdir()) == ["data", "studies"]
    file = tmp_path / "studies/firms.yaml"
    file.write_text(bench["STUDY"].replace("entity: ", "entity: no_", 1), encoding="utf-8")
    assert main(["check", "firms"]) == 1
    assert "has no column 'no_" in capsys.readouterr().err
