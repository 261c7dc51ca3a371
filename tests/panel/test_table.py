"""A panel from Parquet or CSV: what is read, derived and joined, and what is refused in words."""

import duckdb
import numpy as np
import pandas as pd
import pytest

from tandem.errors import TandemError
from tandem.panel import table
from tandem.panel.formula import evaluate
from tandem.panel.formula_sql import formula_sql
from tandem.panel.table import cubes, extent, write_panel
from tandem.study import Study

INDEX = pd.MultiIndex.from_tuples(
    [("B", 2001), ("B", 2002), ("B", 2004), ("A", 2001), ("A", 2002), ("A", 2003)],
    names=["entity", "year"],
)
ROWS = pd.DataFrame(
    {"rd": [1.0, 2.0, 3.0, 4.0, np.nan, 6.0], "staff": [2.0, 4.0, 5.0, 8.0, 10.0, 3.0]}, INDEX
)


def study_of(table=None, years=(2001, 2004), systems=("tech", "mass"), **formulas):
    formulas = {"research": "rd / staff", "size": "log(staff)"} | formulas
    series = {
        k: {"formula": f, "unit": "u", "label": {"en": k}, "why": "test"}
        for k, f in formulas.items()
    }
    source = {"file": "data/firms.csv", "entity": "firm", "year": "when"} | (table or {})
    return Study.model_validate(
        {
            "title": {"en": "T"},
            "question": {"en": "Q"},
            "seed": 1,
            "panel": {"scope": "table", "years": years, "table": source},
            "series": series,
            "systems": {
                systems[0]: {"label": {"en": "T"}, "indicators": {"research": "+"}},
                systems[1]: {"label": {"en": "M"}, "indicators": {"size": "-"}},
            },
            "models": {"controls": [k for k in formulas if k not in ("research", "size")]},
        }
    )


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with data/firms.csv."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    put(ROWS)
    return tmp_path


def put(rows, name="data/firms.csv"):
    rows.rename_axis(["firm", "when"]).reset_index().to_csv(name, index=False)


def panel(study, threads=1):
    write_panel(study, "results/panel.parquet", threads)
    found = duckdb.sql("SELECT * FROM read_parquet('results/panel.parquet')").df()
    return found.set_index(["entity", "year"])


@pytest.mark.parametrize(
    "formula",
    ["staff / rd", "-rd + 2 * staff", "log(staff) - 1", "lag(staff)", "lag(staff, 2)",
     "diff(rd)", "mean(rd, staff)", "diff(log(staff)) / 1e3"],
)  # fmt: skip
def test_a_formula_in_sql_equals_the_evaluator(project, formula):
    found = panel(study_of(asked=formula))["asked"]
    expected = evaluate(formula, ROWS.sort_index())
    pd.testing.assert_series_equal(
        found, expected, check_names=False, check_index_type=False, rtol=1e-14
    )


def test_entities_are_sorted_and_scores_run_from_0_to_1(project):
    found = panel(study_of())
    assert found.index.tolist() == sorted(INDEX)
    assert found["_unit"].tolist() == [0, 0, 0, 1, 1, 1]
    assert (found["tech"].min(), found["tech"].max()) == (0, 1)
    size = found["size"]
    expected = 1 - (size - size.min()) / (size.max() - size.min())
    assert found["mass"].tolist() == pytest.approx(expected.tolist())
    assert np.isnan(found.loc[("A", 2002), "research"])


def test_chunks_hold_every_entity_once_with_gaps_as_nan(project):
    write_panel(study_of(), "results/panel.parquet")
    assert extent("results/panel.parquet") == (2, 2001, 2004)
    found = list(cubes("results/panel.parquet", ["research", "size"], 1))
    assert [c.shape for c in found] == [(1, 2, 4)] * 2
    assert np.isnan(found[1][0, :, 2]).all() and np.isnan(found[0][0, :, 3]).all()
    assert found[1][0, 0].tolist()[:2] == [0.5, 0.5]
    whole = next(cubes("results/panel.parquet", ["research", "size"], 10))
    np.testing.assert_array_equal(whole, np.concatenate(found))


def test_parquet_and_threads_give_the_same_bytes(project):
    wide = pd.concat([ROWS.rename(index=lambda e, i=i: f"{e}{i}", level=0) for i in range(200)])
    put(wide.sample(frac=1, random_state=1))
    duckdb.sql("SELECT * FROM read_csv('data/firms.csv')").write_parquet("data/firms.parquet")
    one = panel(study_of())
    first = (project / "results/panel.parquet").read_bytes()
    pd.testing.assert_frame_equal(panel(study_of({"file": "data/firms.parquet"}), threads=2), one)
    assert (project / "results/panel.parquet").read_bytes() == first


def test_tables_are_joined_by_one_key_or_both(project):
    pd.DataFrame({"when": [2001, 2002, 2003], "prices": [1.0, 2.0, 4.0]}).to_csv(
        "data/prices.csv", index=False
    )
    put(ROWS[["rd"]].rename(columns={"rd": "patents"}).iloc[:2], "data/patents.csv")
    study = study_of({"join": ["data/prices.csv", "data/patents.csv"]}, real="patents / prices")
    found = panel(study)["real"]
    assert found[("B", 2002)] == 1.0 and found[("B", 2001)] == 1.0
    assert found.isna().sum() == 4


def test_rows_of_one_entity_and_year_are_added_or_averaged_if_asked(project):
    put(pd.concat([ROWS, ROWS]))
    with pytest.raises(TandemError, match="two rows for A, 2001.*panel.table.several"):
        panel(study_of())
    found = panel(study_of({"several": "sum"}, both="rd"))["both"]
    assert found[("B", 2002)] == 4.0 and np.isnan(found[("A", 2002)])
    assert panel(study_of({"several": "mean"}, both="rd"))["both"][("B", 2002)] == 2.0


def test_names_meet_neither_internal_columns_nor_those_of_the_table(project):
    names = ("unit", "bad", "printed", "taken", "derived", "rows", "stop", "t0")
    rows = ROWS.assign(year=1990, entity=7, bad=ROWS["rd"], unit=3)
    put(rows)
    plain = panel(study_of()).drop(columns=["research", "size"])
    found = panel(study_of(systems=("unit", "order")))
    assert found["unit"].tolist() == pytest.approx(plain["tech"].tolist(), nan_ok=True)
    assert found["order"].tolist() == pytest.approx(plain["mass"].tolist())
    cube = next(cubes("results/panel.parquet", ["unit"], 9))
    assert np.nanmin(cube) == 0 and np.nanmax(cube) == 1
    # the calendar year is a column like any other
    formulas = {"age": "when - year + entity + unit", "rd": "2 * rd", "staff": "rd"}
    study = study_of(**formulas, **dict.fromkeys(names, "bad"))
    found, rows = panel(study), rows.sort_index()
    assert found["age"].tolist() == [y - 1980 for y in rows.index.get_level_values("year")]
    for name, values in {"rd": 2 * rows["rd"], "staff": rows["rd"], "unit": rows["bad"]}.items():
        np.testing.assert_array_equal(found[name], values)
    assert found["bad"].tolist() == pytest.approx(rows["rd"].tolist(), nan_ok=True)


def test_capitals_make_no_second_column(project):
    put(ROWS[["rd"]].rename(columns={"rd": "RD"}), "data/more.csv")
    with pytest.raises(TandemError, match="'RD' and 'rd' differ in capitals only"):
        panel(study_of({"join": ["data/more.csv"]}, more="RD"))
    with pytest.raises(TandemError, match="no column 'Staff'; did you mean 'staff'"):
        panel(study_of(more="Staff"))
    again = ROWS[["rd"]].set_axis(["x"], axis=1).rename_axis(["firm", "When"])
    again.reset_index().to_csv("data/more.csv", index=False)
    with pytest.raises(TandemError, match="more.csv has 'When' for 'when'; rename it"):
        panel(study_of({"join": ["data/more.csv"]}, more="x"))


def test_two_columns_of_one_name_are_refused(project):
    twice = "SELECT *, rd AS R_ FROM read_csv('data/firms.csv')"
    for name in ("twice.csv", "twice.parquet"):
        file = project / "data" / name
        duckdb.sql(f"COPY ({twice}) TO '{file}'")
        panel(study_of({"file": f"data/{name}"}))
        file.write_bytes(file.read_bytes().replace(b"R_", b"RD"))
        with pytest.raises(TandemError, match=rf"{name} has two columns of one name, as '(?i:rd)"):
            panel(study_of({"file": f"data/{name}"}))


def test_every_file_of_a_table_has_the_columns_that_are_read(project):
    put(ROWS.loc[["A"]].assign(more=1), "data/firms_a.csv")
    put(ROWS.loc[["B"]].rename(columns={"rd": "RD"}), "data/firms_b.csv")
    assert len(panel(study_of({"file": "data/firms_*.csv"}))) == len(ROWS)
    put(ROWS.loc[["B"]].rename(columns={"rd": "r&d"}), "data/firms_b.csv")
    with pytest.raises(TandemError, match="firms_b.csv has no column 'rd', which other files"):
        panel(study_of({"file": "data/firms_*.csv"}))


@pytest.mark.parametrize(
    "column, value, words",
    [
        ("firm", "'  '", "'firm' is empty in 2001"),
        ("firm", "{'a': 1}", "'firm' holds STRUCT.*text or whole numbers"),
        ("firm", "[firm]", r"'firm' holds VARCHAR\[\]"),
        ("firm", "1.5::DOUBLE", "'firm' holds DOUBLE"),
        ("rd", "true", "'rd' holds BOOLEAN; it must hold numbers"),
        ("rd", "[rd::DECIMAL(9,2)]", r"'rd' holds DECIMAL\(9,2\)\[\]"),
        ("when", 'make_date("when"::INT, 1, 1)', "'when' holds DATE"),
    ],
)
def test_a_column_holds_what_it_is_read_as(project, column, value, words):
    query = f"SELECT * REPLACE ({value} AS \"{column}\") FROM read_csv('data/firms.csv')"
    duckdb.sql(f"COPY ({query}) TO 'data/firms.parquet'")
    with pytest.raises(TandemError, match=words):
        panel(study_of({"file": "data/firms.parquet"}))


def test_decimals_are_numbers_and_years_meet_as_such(project):
    query = """SELECT * REPLACE ("when"::DOUBLE AS "when", rd::DECIMAL(9,2) AS rd)"""
    duckdb.sql(f"COPY ({query} FROM read_csv('data/firms.csv')) TO 'data/firms.parquet'")
    (project / "data/prices.csv").write_text("when,prices\n2001,1\n2002,2\n2004,4\ntotal,\nall,\n")
    study = study_of(
        {"file": "data/firms.parquet", "join": ["data/prices.csv"]}, real="rd / prices"
    )
    assert panel(study)["real"].dropna().tolist() == [4.0, 1.0, 1.0, 0.75]


def test_a_csv_in_another_encoding_is_said_to_be_one(project):
    text = (project / "data/firms.csv").read_text().replace("B,", "企业,")
    (project / "data/firms.csv").write_bytes(text.encode("gb18030"))
    with pytest.raises(TandemError, match="data/firms.csv is not in UTF-8; .*iconv -f GB18030"):
        panel(study_of())
    (project / "data/firms.csv").write_text("\ufeff" + text, encoding="utf-8")
    assert panel(study_of()).index[-1] == ("企业", 2004)


def test_a_number_beyond_all_numbers_is_called_infinite(project):
    with pytest.raises(TandemError, match=r"'huge' is infinite as .* in A, 2001"):
        panel(study_of(huge="rd * 1e300 * 1e300"))
    with pytest.raises(TandemError, match="'research' spreads over more than a number holds"):
        panel(study_of(research="(rd - 3) * 5e7 * 1e300"))


def test_what_a_table_unpacks_to_is_bounded_and_given_back(project, monkeypatch):
    rows = 'SELECT hash(i) AS firm, 2001 AS "when", i AS rd, i AS staff FROM range(1, 300001) t(i)'
    duckdb.sql(f"COPY ({rows}) TO 'data/firms.csv.gz'")
    connect = duckdb.connect
    small = {"memory_limit": "30MB", "max_temp_directory_size": "1MB"}
    monkeypatch.setattr(duckdb, "connect", lambda config: connect(config=config | small))
    with pytest.raises(TandemError, match="larger than what is free in memory and on disk"):
        panel(study_of({"file": "data/firms.csv.gz"}))
    assert not list((project / "results").iterdir())


def test_the_sql_of_a_formula_grows_with_the_formula():
    for part in ("log({})", "rd / ({})", "diff(log({}))", "mean({}, rd)", "({}) - rd"):
        lengths = []
        for depth in (40, 80):
            inner, outer = (part[5:-1], "diff({})") if "diff" in part else (part, "{}")
            formula = "rd"
            for _ in range(depth):
                formula = inner.format(formula)
            sql, refused = formula_sql(outer.format(formula))
            lengths.append(len(sql))
            assert sum(len(condition) for condition, _ in refused) < depth * len(sql)
        assert lengths[1] < 2 * lengths[0]


def test_a_deep_formula_is_computed_and_a_long_one_refused(project, monkeypatch):
    deep = "rd"
    for _ in range(30):
        deep = f"log(2 + 1 / ({deep}))"
    found = panel(study_of(deep=deep))["deep"]
    np.testing.assert_allclose(found, evaluate(deep, ROWS.sort_index()), rtol=1e-14)
    steep = "rd"
    for _ in range(11):
        steep = f"mean({steep}, {', '.join(['rd'] * 98)})"
    with pytest.raises(TandemError, match="A formula is too long for a table; split it up"):
        panel(study_of(steep=steep))
    monkeypatch.setattr(table, "LARGEST", 500)
    with pytest.raises(TandemError, match="up to that of 'deep' are too long for a table"):
        panel(study_of(deep=deep))


@pytest.mark.parametrize("name", ["entity", "year", "const", "trend", "all", "panel_var"])
def test_names_that_results_use_are_refused_in_every_scope(name):
    study = study_of().model_dump(mode="json")
    for panel_ in (study["panel"], {"years": [2001, 2004]}):
        series = study["series"] | {name: study["series"]["size"]}
        systems = study["systems"] | {name: study["systems"]["mass"]}
        for change in ({"series": series}, {"systems": systems}):
            with pytest.raises(ValueError, match=f"can be called '{name}'"):
                Study.model_validate(study | change | {"panel": panel_})


@pytest.mark.parametrize(
    "column, values, words",
    [
        ("staff", [2, 4, 0, 8, 10, 3], "rd / staff: it divides by zero in B, 2004"),
        ("staff", [2, 4, -1, 8, 10, 3], "log of a number that is not positive in B, 2004"),
        ("rd", ["1", "2", "n.a.", "4", "", "6"], "'rd' is no number in B, 2004, n.a."),
        ("rd", ["1", "2", "inf", "4", "", "6"], "'rd' is no number in B, 2004, inf"),
        ("rd", [2, 4, 5, 8, 10, 3], "'research' is constant"),
    ],
)
def test_what_is_wrong_is_said_with_entity_and_year(project, column, values, words):
    put(ROWS.assign(**{column: values}))
    with pytest.raises(TandemError, match=words):
        panel(study_of())
    assert not (project / "results/panel.parquet").exists()


def test_an_unknown_column_names_the_nearest(project):
    with pytest.raises(TandemError, match="no column 'staf'; did you mean 'staff'"):
        panel(study_of(more="staf"))
    with pytest.raises(TandemError, match="no file data/none.csv"):
        panel(study_of({"file": "data/none.csv"}))
    put(ROWS.rename(index={2004: 2004.5}, level=1))
    with pytest.raises(TandemError, match="'when' is no year: 2004.5"):
        panel(study_of())


def test_nothing_outside_the_projects_data_is_read(project, tmp_path_factory):
    other = tmp_path_factory.mktemp("other") / "firms.csv"
    put(ROWS, other)
    (project / "data/link.csv").symlink_to(other)
    with pytest.raises(TandemError, match="leads out of the project's folder data/"):
        panel(study_of({"file": "data/link.csv"}))
    for file in ("data/../firms.csv", str(other), "results/firms.csv"):
        with pytest.raises(ValueError):
            study_of({"file": file})
    hostile = "rd\" FROM read_csv('/etc/passwd') --"
    with pytest.raises(TandemError, match="no column"):
        panel(study_of({"entity": hostile}))


def test_sql_is_written_from_the_whitelist_alone():
    with pytest.raises(TandemError, match="may stand in a formula"):
        formula_sql("read_csv(rd)")
    with pytest.raises(TandemError, match="inside lag"):
        formula_sql("lag(diff(rd))")
    with pytest.raises(TandemError, match="chain"):
        formula_sql("chain(rd, staff, 2001)")


def test_what_a_table_does_not_carry_is_refused():
    study = study_of().model_dump(mode="json")
    for change, words in (
        ({"dynamics": {}}, "take out dynamics"),
        ({"coupling": {"ensemble": {}}}, "coupling.ensemble"),
        ({"models": {"regressions": {"a": {"label": "a", "effects": "none"}}}}, "regressions.a"),
        ({"panel": {"years": [2001, 2004], "scope": "table"}}, "go together"),
    ):
        with pytest.raises(ValueError, match=words):
            Study.model_validate(study | change)
    with pytest.raises(ValueError, match="equal weights"):
        two = {"label": {"en": "T"}, "indicators": {"research": "+", "size": "+"}}
        Study.model_validate(study | {"systems": study["systems"] | {"tech": two}})


def test_a_file_that_is_no_parquet_is_told_with_its_name(project):
    (project / "data/firms.parquet").write_bytes(b"PAR1 but not really")
    with pytest.raises(TandemError, match="data/firms.parquet cannot be read: "):
        panel(study_of({"file": "data/firms.parquet"}))
    assert not (project / "results/panel.parquet").exists()
    assert not list((project / "results").iterdir())


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ("town,price\nx,1\n", "data/other.csv has neither 'firm' nor 'when'; a table is joined by"),
        ("when,price\n2001,1\n2002,1\n2001,2\n", "data/other.csv has two rows for 2001; keep one"),
        ("firm,when,price\nA,2001,1\nA,2001,2\n", "has two rows for A, 2001; keep one"),
        ("firm,price\n007,1\n", "by firm: the first of them has A, the second 007; write them"),
        (
            "firm,when,price\nA,1901,1\n",
            "by firm and when: the first of them has A, 2001, the second A, 19",
        ),
        ("when,staff\n2001,1\n", "'staff' stands in data/firms.csv and data/other.csv; drop one"),
    ],
)
def test_a_table_that_cannot_be_joined_says_why(project, other, words):
    (project / "data/other.csv").write_text(other)
    with pytest.raises(TandemError, match=words):
        panel(
            study_of({"join": ["data/other.csv"]}, more="rd / price" if "price" in other else "rd")
        )


def test_a_derived_value_that_cannot_be_true_names_firm_and_year(project):
    raw = study_of().model_dump()
    raw["series"]["research"]["plausible"] = (0.0, 1.0)
    with pytest.raises(TandemError, match="'research' lies outside 0 to 1 in A, 2003, 2"):
        panel(Study.model_validate(raw))
    raw["series"]["research"]["plausible"] = (0.0, 2.0)
    assert panel(Study.model_validate(raw))["research"].max() == 2


def test_years_that_the_table_has_not_are_refused(project):
    with pytest.raises(TandemError, match="no row in the study's years; see panel.years"):
        panel(study_of(years=(1990, 1995)))
