"""What changed between two runs, and the runs that are kept."""

from pathlib import Path

import pandas as pd
import pytest
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tandem.files import read, save
from tandem.report import history
from tandem.report.changes import cause, compare, files_changed, summary, to_markdown
from tandem.report.history import keep, kept, made_of, previous, read_present, read_run, restore

OBSERVATIONS = """region_code,region,series,unit,year,value,vintage,source,cell,flag
440000,Guangdong,gdp,100M yuan,2015,72812.55,census4,NBS,raw/nbs/gdp.csv!!B5,
440000,Guangdong,gdp,100M yuan,2016,80854.91,census4,NBS,raw/nbs/gdp.csv!!C5,
"""
PANEL = "entity,year,services\nGuangdong,2015,1.125\nGuangdong,2016,1.25\n"
COLUMNS = (
    "study,table,model,equation,term,horizon,estimate,std_error,statistic,p_value,conf_low,"
    "conf_high,se_type"
)
TERMS = f"""{COLUMNS}
s,up,two_way,up,L1.tech,,0.5,0.2,2.5,0.012,0.1,0.9,clustered
s,up,two_way,up,const,,1.0,0.1,10.0,0.000,0.8,1.2,clustered
"""
MODELS = """study,table,model,statistic,value
s,up,two_way,n_obs,240
s,up,two_way,hansen_p,0.2
"""
CLAIMS = "claim,part,verdict\nh1,talent,undetermined\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with everything that a kept run holds, in the smallest form."""
    texts = {
        "requirements.txt": "numpy==2\n",
        "data/codebook.csv": "name\n",
        "data/raw/nbs/gdp.csv": "a\n",
        "studies/s.yaml": "seed: 1\n",
        "src/tandem/x.py": "A = 1\n",
        "workflow/rerun.smk": "B = 1\n",
        "results/s/data/observations.csv": OBSERVATIONS,
        "results/s/data/panel.csv": PANEL,
        "results/s/estimates/regressions/terms.csv": TERMS,
        "results/s/estimates/regressions/models.csv": MODELS,
        "results/s/claims/claims.csv": CLAIMS,
    }
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def edit(project: Path, name: str, old: str, new: str) -> None:
    path = project / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def against_first(project: Path) -> dict[str, pd.DataFrame]:
    results = project / "results/s"
    return compare(read_run(kept(results)[0])[0], read_present(results))


def test_the_same_results_have_no_changes(project):
    keep("s", project / "results/s", project)
    changes = against_first(project)
    assert {name: len(frame) for name, frame in changes.items()} == dict.fromkeys(changes, 0)


def test_a_raw_value_is_told_with_its_cell(project):
    keep("s", project / "results/s", project)
    edit(project, "results/s/data/observations.csv", "72812.55", "74732.44")
    edit(project, "results/s/data/panel.csv", "1.125", "1.1")
    changes = against_first(project)
    assert changes["cells"].iloc[0].to_dict() == {
        "series": "gdp",
        "region": "Guangdong",
        "year": "2015",
        "vintage": "census4",
        "unit": "100M yuan",
        "before": "72812.55",
        "after": "74732.44",
        "cell": "raw/nbs/gdp.csv!!B5",
    }
    assert changes["panel"].to_dict("list") == {
        "series": ["services"],
        "entity": ["Guangdong"],
        "year": ["2015"],
        "before": ["1.125"],
        "after": ["1.1"],
    }


def test_values_that_come_in_or_go(project):
    keep("s", project / "results/s", project)
    edit(project, "results/s/data/observations.csv", ",2016,80854.91", ",2017,89705.23")
    changes = against_first(project)["cells"].set_index("year")
    assert pd.isna(changes.at["2016", "after"]) and pd.isna(changes.at["2017", "before"])


@pytest.mark.parametrize(
    ("new", "what"),
    [
        ("0.5,0.2,2.5,0.005,0.1", "stars"),
        ("0.5,0.2,2.5,0.06,0.1", "5 %; stars"),
        ("0.65,0.2,2.5,0.012,0.1", ""),
        ("0.71,0.2,2.5,0.012,0.1", "> 1 s.e."),
        ("-0.1,0.2,-0.5,0.6,0.1", "sign; 5 %; stars; > 1 s.e."),
    ],
)
def test_what_a_reader_notices_of_an_estimate(project, new, what):
    keep("s", project / "results/s", project)
    edit(project, "results/s/estimates/regressions/terms.csv", "0.5,0.2,2.5,0.012,0.1", new)
    terms = against_first(project)["terms"]
    assert terms["term"].tolist() == ["L1.tech"]
    assert terms["what"].tolist() == [what]


def test_rounding_is_no_change(project):
    keep("s", project / "results/s", project)
    edit(project, "results/s/estimates/regressions/terms.csv", "0.5,0.2", "0.50000000000001,0.2")
    assert len(against_first(project)["terms"]) == 0


def test_new_and_dropped_terms(project):
    keep("s", project / "results/s", project)
    edit(project, "results/s/estimates/regressions/terms.csv", "const", "L1.gdp")
    terms = against_first(project)["terms"].set_index("term")["what"]
    assert terms.to_dict() == {"L1.gdp": "new", "const": "gone"}


def test_hansen_crossing_sample_and_verdict(project):
    keep("s", project / "results/s", project)
    edit(project, "results/s/estimates/regressions/models.csv", "hansen_p,0.2", "hansen_p,0.03")
    edit(project, "results/s/estimates/regressions/models.csv", "n_obs,240", "n_obs,210")
    edit(project, "results/s/claims/claims.csv", "undetermined", "supported")
    changes = against_first(project)
    models = changes["models"].set_index("statistic")
    assert models["what"].to_dict() == {"hansen_p": "5 %", "n_obs": ""}
    assert models.at["n_obs", "after"] == "210"
    assert changes["claims"]["after"].tolist() == ["supported"]


def test_cause_by_the_files_that_differ(project):
    earlier = made_of("s", project)
    assert "edited by hand" in cause(files_changed(earlier, earlier))
    edit(project, "data/raw/nbs/gdp.csv", "a", "b")
    one = files_changed(earlier, made_of("s", project))
    assert one.to_numpy().tolist() == [["data", "data/raw/nbs/gdp.csv", "changed"]]
    assert "Only the data changed" in cause(one)
    edit(project, "src/tandem/x.py", "1", "2")
    assert "data and code changed: `make explain-change`" in cause(
        files_changed(earlier, made_of("s", project))
    )


def test_five_runs_are_kept_and_equal_results_once(project):
    results = project / "results/s"
    assert previous(results) is None
    first = keep("s", results, project)
    assert keep("s", results, project) == first
    assert previous(results) is None
    for i in range(6):
        edit(project, "results/s/data/panel.csv", f"1.25{'0' * i}\n", f"1.25{'0' * (i + 1)}\n")
        keep("s", results, project)
    assert [p.name[:4] for p in kept(results)] == ["0003", "0004", "0005", "0006", "0007"]
    assert previous(results) == kept(results)[-2]


def test_a_kept_run_is_the_same_bytes_and_gives_its_files_back(project, tmp_path, monkeypatch):
    results = project / "results/s"
    path = keep("s", results, project)
    content = path.read_bytes()
    assert keep("s", results, project).read_bytes() == content
    edit(project, "src/tandem/x.py", "A = 1", "A = 2")
    assert restore(path, "code", tmp_path / "old") == []
    assert (tmp_path / "old/src/tandem/x.py").read_text() == "A = 1\n"
    assert not (tmp_path / "old/data").exists()
    monkeypatch.setattr(history, "LARGE", 1)
    path = keep("s", results, project)
    assert restore(path, "data", tmp_path / "large") == [
        "data/codebook.csv",
        "data/raw/nbs/gdp.csv",
    ]


def test_counts_by_table(project):
    keep("s", project / "results/s", project)
    edit(
        project, "results/s/estimates/regressions/terms.csv", "0.5,0.2,2.5,0.012", "-0.1,0.2,-1,0.3"
    )
    edit(project, "results/s/estimates/regressions/models.csv", "hansen_p,0.2", "hansen_p,0.03")
    edit(project, "results/s/estimates/regressions/models.csv", "n_obs,240", "n_obs,210")
    tables = against_first(project)["tables"].set_index("table")
    assert tables.loc["up"].to_dict() == {
        "estimates": 1, "sign": 1, "crossed": 1, "stars": 1, "shifted": 1, "new": 0, "gone": 0,
        "sample": 1, "tests": 1,
    }  # fmt: skip


def test_an_interval_stands_in_for_a_standard_error(project):
    path = project / "results/s/estimates/verdict/methods.csv"
    path.parent.mkdir()
    header = "direction,model,estimate,conf_low,conf_high,p_value,holm_p,romano_wolf_p\n"
    path.write_text(header + "a → b,Pooled,1.0,0.8,1.2,0.001,0.01,0.02\n", encoding="utf-8")
    keep("s", project / "results/s", project)
    edit(project, "results/s/estimates/verdict/methods.csv", "Pooled,1.0", "Pooled,1.11")
    terms = against_first(project)["terms"]
    assert terms.loc[0, ["table", "model", "equation", "what"]].tolist() == [
        "two_way",
        "Pooled",
        "a → b",
        "> 1 s.e.",
    ]
    assert terms.at[0, "std_error"] == pytest.approx(0.4 / 2 / 1.959964)


def test_page_says_numbers_and_escapes(project):
    keep("s", project / "results/s", project)
    edit(project, "results/s/data/observations.csv", "Guangdong,gdp", "Guang|dong,gdp")
    changes = against_first(project)
    none = files_changed(made_of("s", project), made_of("s", project))
    page = to_markdown("s", "0001-x", changes, none)
    assert "Guang\\|dong" in page
    assert "Published values that differ: 4;" in page
    assert "No earlier run" in to_markdown("s", None, changes, none)
    numbers = summary("0001-x", changes, none).set_index("what")["value"]
    assert numbers["cells"] == "4" and numbers["against"] == "0001-x"


def first_page(changes: dict[str, pd.DataFrame]) -> str:
    loader = FileSystemLoader(Path(history.__file__).parent, encoding="utf-8")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
    text = environment.get_template("changed.html.j2").render(changed=changes)
    return " ".join(text.split())


def test_first_page_of_the_report(project, tmp_path):
    keep("s", project / "results/s", project)
    made = made_of("s", project)
    edit(project, "results/s/estimates/regressions/terms.csv", "0.5,0.2,2.5,0.012", "-1,0.2,-5,0.0")
    edit(project, "results/s/claims/claims.csv", "undetermined", "supported")
    edit(project, "data/raw/nbs/gdp.csv", "a", "b")
    changes, files = against_first(project), files_changed(made, made_of("s", project))
    for against in (None, "0001-x"):
        frames = {**changes, "files": files, "summary": summary(against, changes, files)}
        save(frames, {name: tmp_path / f"{name}.csv" for name in frames})
        # as the report reads them
        page = first_page({name: read(tmp_path / f"{name}.csv") for name in frames})
        if against is None:
            assert page == "<p>What changed: no earlier run with other results is kept.</p>"
    assert "1 estimates, of which 1 changed sign, 0 crossed 5 %, 1 changed stars" in page
    verdict = "<td>talent</td><td>undetermined</td><td>supported</td>"
    assert f'<th scope="row">h1</th>{verdict}' in page
    assert '<th scope="row">up</th><td>1</td><td>1</td>' in page
    estimate = "<td>0.5</td><td>-1</td><td>sign; stars; &gt; 1 s.e.</td>"
    assert f'<th scope="row">L1.tech</th><td>up</td><td>up</td><td>two_way</td>{estimate}' in page
    assert "<summary>Published values</summary>" not in page  # none changed
    assert "Files that differ: data: 1." in page
    assert first_page({}) == ""


def test_variants_and_granger_tests_of_a_var_are_compared_too(project):
    results = project / "results/s"
    texts = {
        "variants/short/two_way.csv": "variant,direction,model,estimate,std_error,p_value\n"
        "short,a → b,Pooled,0.5,0.2,0.01\n",
        "estimates/var/granger.csv": "cause,effect,statistic,df,p_value\na,b,4.0,1,0.04\n",
    }
    for name, text in texts.items():
        (results / name).parent.mkdir(parents=True)
        (results / name).write_text(text, encoding="utf-8")
    keep("s", results, project)
    edit(project, "results/s/variants/short/two_way.csv", "0.5,0.2,0.01", "-0.1,0.2,0.6")
    edit(project, "results/s/estimates/var/granger.csv", "0.04", "0.06")
    changes = against_first(project)
    term = changes["terms"].iloc[0]
    assert term[["table", "model", "equation"]].tolist() == [
        "variants_two_way", "short: Pooled", "a → b",
    ]  # fmt: skip
    assert term["what"] == "sign; 5 %; stars; > 1 s.e."
    test = changes["models"].iloc[0]
    assert test[["table", "statistic", "what"]].tolist() == ["var_granger", "granger_p:a>b", "5 %"]


def test_numbers_in_full_precision_are_shortened_on_the_page(project):
    keep("s", project / "results/s", project)
    edit(project, "results/s/data/panel.csv", "1.125", "1.12345678901234")
    changes = against_first(project)
    none = files_changed(made_of("s", project), made_of("s", project))
    assert "| 1.125 | 1.12346 |" in to_markdown("s", "0001-x", changes, none)
