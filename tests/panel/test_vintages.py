"""How far successive vintages differ: the order of release, and figures known from the tables."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tandem.panel.vintages import (
    REVISIONS,
    in_scope,
    largest_revisions,
    release_dates,
    revised_files,
    revisions,
    undated,
)
from tandem.sources import read_observations, read_sources
from tandem.study import Study, load_study

ROOT = Path(__file__).parents[2]
DATA = ROOT / "data"


def study(scope="provinces"):
    series = {"formula": "gdp", "unit": "u", "label": {"en": "x"}, "why": "test"}
    system = {"label": {"en": "s"}, "indicators": {"x": "+"}}
    return Study.model_validate(
        {
            "title": {"en": "t"},
            "question": {"en": "q"},
            "seed": 1,
            "panel": {"years": (2001, 2002), "scope": scope},
            "series": {"x": series},
            "systems": {"one": system, "two": system},
        }
    )


def sources(*rows):
    """Lines of sources.csv from (series, vintage, released[, scope])."""
    full = [(*row, "provinces")[:4] for row in rows]
    table = pd.DataFrame(full, columns=["series", "vintage", "released", "region_scope"])
    return table.assign(file=table["vintage"] + ".csv", flag="")


def printed(*rows):
    """Observations from (vintage, year, value[, series[, region]])."""
    full = [(*row, *("gdp", "Hebei")[len(row) - 3 :]) for row in rows]
    table = pd.DataFrame(full, columns=["vintage", "year", "value", "series", "region"])
    return table.assign(cell=table["vintage"] + "!!" + table["year"].astype(str))


def steps(table):
    return table[["year", "earlier", "later"]].values.tolist()


def test_each_vintage_is_compared_with_the_next():
    lines = sources(("gdp", "b", "2012"), ("gdp", "a", "2018"), ("gdp", "c", "2009"))
    table = revisions(
        study(), printed(("a", 2001, 10), ("b", 2001, 12), ("c", 2001, 9), ("b", 1990, 1)), lines
    )
    assert list(table) == REVISIONS
    assert steps(table) == [[2001, "c", "b"], [2001, "b", "a"]]
    last = table.iloc[1]
    assert (last["series"], last["entity"]) == ("gdp", "Hebei")
    assert (last["earlier_value"], last["earlier_cell"]) == (12, "b!!2001")
    assert (last["later_value"], last["later_cell"]) == (10, "a!!2001")
    np.testing.assert_allclose(table["ratio"], [0.75, 1.2])
    np.testing.assert_allclose(table["gap"], [-25, 20])


def test_a_year_without_a_month_is_its_end_and_ties_go_by_name():
    lines = sources(
        ("gdp", "book", "2012"), ("gdp", "release", "2012-02"), ("gdp", "annals", "2012")
    )
    table = revisions(study(), printed(*((v, 2001, 1) for v in lines["vintage"])), lines)
    assert steps(table) == [[2001, "release", "annals"], [2001, "annals", "book"]]


def test_the_order_of_rows_does_not_matter():
    lines = sources(("gdp", "a", "2018"), ("gdp", "b", "2012"))
    obs = printed(("a", 2001, 1), ("b", 2001, 2), ("b", 2002, 4), ("a", 2002, 3))
    pd.testing.assert_frame_equal(
        revisions(study(), obs, lines), revisions(study(), obs[::-1], lines[::-1])
    )


def test_a_vintage_without_a_date_is_left_out_and_listed():
    lines = sources(("gdp", "a", "2018"), ("gdp", "b", ""), ("gdp", "c", "2012"), ("rd", "d", ""))
    table = revisions(study(), printed(("a", 2001, 1), ("b", 2001, 2), ("c", 2001, 3)), lines)
    assert steps(table) == [[2001, "c", "a"]]
    assert undated(study(), lines).values.tolist() == [["gdp", "b"]]


def test_another_scope_has_its_own_dates():
    lines = sources(("gdp", "a", "2018"), ("gdp", "a", "2001", "nation"), ("gdp", "b", "2012"))
    assert release_dates(in_scope(study(), lines)).tolist() == ["2018", "2012"]


def test_a_later_zero_has_no_gap_in_percent():
    lines = sources(("gdp", "a", "2012"), ("gdp", "b", "2018"))
    table = revisions(study(), printed(("a", 2001, 1), ("b", 2001, 0)), lines)
    assert table[["ratio", "gap"]].isna().all(axis=None)
    assert largest_revisions(table).empty


def test_gdp_by_expenditure_is_regional_gdp_but_not_that_of_the_nation():
    rows = (("gdp", "b", "2018"), ("gdp_expenditure_approach", "a", "2012"))
    obs = printed(("a", 2001, 12, "gdp_expenditure_approach"), ("b", 2001, 10))
    assert steps(revisions(study(), obs, sources(*rows))) == [[2001, "a", "b"]]
    assert revised_files(study(), sources(*rows)) == ["a.csv", "b.csv"]
    nation = sources(*((*row, "nation") for row in rows))
    assert revisions(study("nation"), obs, nation).empty
    assert revised_files(study("nation"), nation) == []


def test_the_largest_revision_of_an_entity_counts_in_size():
    lines = sources(("gdp", "a", "2012"), ("gdp", "b", "2018"))
    values = [(2001, 11, 10), (2002, 7, 10), (2003, 13, 10)]
    obs = printed(*((v, y, x) for y, *two in values for v, x in zip("ab", two, strict=True)))
    table = largest_revisions(revisions(study(), obs, lines))
    assert table.columns.tolist() == [
        "series", "earlier", "later", "entity", "years", "mean_gap", "largest_gap", "year",
    ]  # fmt: skip
    (row,) = table.to_dict("records")
    assert (row["entity"], row["years"], row["year"]) == ("Hebei", 3, 2002)
    assert row["mean_gap"] == pytest.approx((10 - 30 + 30) / 3)
    assert row["largest_gap"] == pytest.approx(-30)


# the tables of the project


@pytest.fixture(scope="module")
def provinces():
    spec, lines = load_study(ROOT / "studies" / "provinces.yaml"), read_sources(DATA)
    observations, _ = read_observations(DATA, revised_files(spec, lines))
    return revisions(spec, observations, lines)


def one(table, **where):
    found = table[(table[list(where)] == pd.Series(where)).all(axis=1)]
    assert len(found) == 1
    return found.iloc[0]


def test_tianjin_2016_before_and_after_the_fourth_census(provinces):
    row = one(provinces, series="gdp", entity="Tianjin", year=2016, later="census4")
    assert (row["earlier"], row["earlier_value"], row["later_value"]) == (
        "pre-census4",
        17885.39,
        11477.2,
    )
    assert row["earlier_cell"].startswith("raw/nbs/gdp_expenditure_approach.csv!!")
    assert row["later_cell"].startswith("raw/nbs/gdp_census4.csv!!")
    assert row["gap"] == pytest.approx(55.8, abs=0.05)
    worst = one(largest_revisions(provinces), series="gdp", entity="Tianjin", later="census4")
    assert worst["year"] == 2016
    assert worst["largest_gap"] == row["gap"]


def test_jilin_2019_before_and_after_the_census_of_2020(provinces):
    row = one(provinces, series="population_yearend", entity="Jilin", year=2019)
    assert (row["earlier"], row["later"]) == ("pre-2020-census", "post-2020-census")
    assert (row["earlier_value"], row["later_value"]) == (2691, 2448)


def test_the_order_of_release_of_regional_gdp(provinces):
    gdp = provinces[provinces["series"] == "gdp"]
    assert set(zip(gdp["earlier"], gdp["later"], strict=True)) == {
        ("original-2007", "pre-census4"),
        ("original-2009", "pre-census4"),
        ("pre-census4", "census4"),
        ("census4", "census5"),
    }


def test_a_table_of_a_single_vintage_is_not_read_for_comparison():
    spec, lines = load_study(ROOT / "studies" / "provinces.yaml"), read_sources(DATA)
    files = revised_files(spec, lines)
    assert "raw/nbs/gdp_expenditure_approach.csv" in files
    assert "raw/nbs/fiscal_education.csv" not in files


def test_dates_of_release_are_years_or_months():
    released = read_sources(DATA)["released"]
    assert released[released != ""].str.fullmatch(r"(19|20)\d\d(-(0[1-9]|1[0-2]))?").all()
