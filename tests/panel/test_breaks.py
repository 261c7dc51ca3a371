"""Definition breaks: the file is refused where it is wrong, and a study knows what it crosses."""

from pathlib import Path

import pandas as pd
import pytest

from tandem.errors import TandemError
from tandem.panel.breaks import BREAK_COLUMNS, CROSSED, crossed, read_breaks
from tandem.study import Study, load_study

ROOT = Path(__file__).parents[2]
DATA = ROOT / "data"
GOOD = {
    "series": "gdp;rd_*",
    "year": "2009",
    "scope": "provinces;nation",
    "what_en": "wider",
    "what_zh": "扩大",
    "effect": "",
    "source": "yearbook",
    "checked": "opened",
}


@pytest.fixture
def folder(tmp_path):
    """Write breaks.csv beside a codebook of gdp, rd_basic and rd_total; return the folder."""
    book = pd.read_csv(DATA / "codebook.csv", dtype=str, keep_default_na=False).head(3)
    book.assign(series=["gdp", "rd_basic", "rd_total"]).to_csv(
        tmp_path / "codebook.csv", index=False
    )

    def write(*lines):
        table = pd.DataFrame([GOOD | line for line in lines], columns=BREAK_COLUMNS)
        table.to_csv(tmp_path / "breaks.csv", index=False)
        return tmp_path

    return write


def test_a_line_may_name_several_series_and_scopes(folder):
    table = read_breaks(folder({}))
    assert list(table) == BREAK_COLUMNS
    assert table[["series", "scope", "year"]].values.tolist() == [
        [s, scope, 2009]
        for s in ("gdp", "rd_basic", "rd_total")
        for scope in ("nation", "provinces")
    ]
    assert set(table["what_zh"]) == {"扩大"}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ({"series": "gdp;gpd"}, "'gpd' is no series of data/codebook.csv"),
        ({"series": "industry_*"}, "'industry_\\*' is no series"),
        ({"series": ""}, r"line 2 \(no series\): the column series is blank"),
        ({"what_zh": ""}, "the column what_zh is blank"),
        ({"source": ""}, "the column source is blank"),
        ({"year": "about 2009"}, "year is 'about 2009'"),
        ({"scope": "provinces;world"}, "scope is 'world'"),
        ({"checked": "yes"}, "checked is 'yes'; write one of opened, partly, from memory"),
    ],
)
def test_a_wrong_line_is_refused(folder, line, words):
    with pytest.raises(TandemError, match=words):
        read_breaks(folder(line))


def test_all_wrong_lines_are_told_at_once(folder):
    with pytest.raises(TandemError) as refused:
        read_breaks(folder({"year": "x"}, {}, {"scope": "x"}))
    assert [s.split(" (")[0] for s in str(refused.value).splitlines()] == [
        "breaks.csv line 2",
        "breaks.csv line 4",
    ]


def test_a_break_told_twice_is_refused(folder):
    with pytest.raises(TandemError, match=r"lists gdp \(nation\) twice for 2009"):
        read_breaks(folder({}, {"series": "g*", "scope": "nation"}))
    assert len(read_breaks(folder({}, {"year": "2011"}))) == 12


def test_a_file_that_lacks_a_column_or_is_not_there(folder, tmp_path):
    (folder({}) / "breaks.csv").write_text("series,year\n")
    with pytest.raises(TandemError, match="breaks.csv lacks the column scope, what_en"):
        read_breaks(tmp_path)
    with pytest.raises(TandemError, match="does not exist; it must list the definition breaks"):
        read_breaks(tmp_path / "nowhere")


# what a study crosses


def spec(years=(2005, 2010), **more):
    formulas = {"a": "gdp / rd_total", "b": "diff(rd_basic)", "c": "gdp", "d": "rd_basic"}
    series = {
        k: {"formula": f, "unit": "u", "label": {"en": k}, "why": "test"}
        for k, f in formulas.items()
    }
    layout = {"title": {"en": "t"}, "columns": {"m": "M"}, "rows": {"r": "R"}}
    return Study.model_validate(
        {
            "title": {"en": "t"},
            "question": {"en": "q"},
            "seed": 1,
            "panel": {"years": years},
            "series": series,
            "systems": {
                "one": {"label": {"en": "1"}, "indicators": {"a": "+"}},
                "two": {"label": {"en": "2"}, "indicators": {"c": "+"}},
            },
            "models": {"controls": ["b"], "var": {"variables": ["a", "d"], "years": years}},
            "tables": {k: layout | {"records": k} for k in ("one", "two", "panel_var", "var")},
        }
        | more
    )


def breaks(*rows):
    """Breaks from (series, year[, scope])."""
    full = [
        GOOD | dict(zip(("series", "year", "scope"), (*r, "provinces"), strict=False)) for r in rows
    ]
    return pd.DataFrame(full, columns=BREAK_COLUMNS)


def test_what_a_break_reaches():
    table = crossed(spec(), breaks(("rd_total", 2009), ("gdp", 2008), ("rd_basic", 2010)))
    assert list(table) == CROSSED
    assert table[["series", "year", "derived", "systems", "tables"]].values.tolist() == [
        ["gdp", 2008, "a;c", "one;two", "one;two;panel_var;var"],
        # a control of the regressions, and through d a variable of the VAR
        ["rd_basic", 2010, "b;d", "", "one;two;var"],
        ["rd_total", 2009, "a", "one", "one;two;panel_var;var"],
    ]
    assert set(table["what_en"]) == {"wider"}


@pytest.mark.parametrize(
    ("years", "count"), [((2009, 2012), 0), ((2008, 2009), 1), ((2005, 2008), 0), ((2005, 2012), 1)]
)
def test_a_break_is_crossed_after_the_first_year_and_up_to_the_last(years, count):
    assert len(crossed(spec(years), breaks(("gdp", 2009)))) == count


def test_breaks_of_other_scopes_and_unused_series_are_not_crossed():
    table = crossed(spec(), breaks(("gdp", 2009, "nation"), ("cpi", 2009)))
    assert list(table) == CROSSED
    assert table.empty


def test_the_var_has_years_of_its_own():
    models = {"var": {"variables": ["a", "d"], "years": (2009, 2010)}}
    assert crossed(spec(models=models), breaks(("gdp", 2008)))["tables"].tolist() == [
        "one;two;panel_var"
    ]


# the breaks of the project


@pytest.fixture(scope="module")
def real():
    return read_breaks(DATA)


@pytest.mark.parametrize(
    ("series", "year"),
    [
        ("hightech_manufacturing_rd_expenditure", 2011),
        ("patent_applications", 2017),
        ("rd_expenditure", 2009),
        ("pollution_control_inv_three_simultaneities", 2013),
        ("industrial_enterprises_above_scale", 2007),
        ("industrial_enterprises_above_scale", 2011),
        ("fixed_asset_investment_total", 2011),
        ("employment_urban_units", 2013),
        ("population_yearend", 2020),
    ],
)
def test_the_known_breaks_are_listed(real, series, year):
    assert ((real["series"] == series) & (real["year"] == year)).any()


def test_pollution_treatment_is_no_survey_of_enterprises_above_size(real):
    assert "industrial_pollution_treatment_investment" not in set(real["series"])


def test_the_provinces_cross_no_break_from_2011_but_do_from_2008(real):
    path = ROOT / "studies" / "provinces.yaml"
    assert crossed(load_study(path), real).empty
    longer = crossed(load_study(path, "from_2008_with_rd"), real).set_index(["series", "year"])
    row = longer.loc[("industrial_rd_expenditure", 2011)]
    assert (row["derived"], row["systems"]) == ("rd_intensity", "technology")
    assert "panel_var" in row["tables"].split(";")


def test_the_nation_crosses_the_wider_r_and_d_of_2009(real):
    table = crossed(load_study(ROOT / "studies" / "nation.yaml"), real).set_index("series")
    row = table.loc["rd_expenditure"]
    assert (row["year"], row["derived"], row["systems"], row["tables"]) == (
        2009,
        "rd_intensity",
        "technology",
        "var",
    )
