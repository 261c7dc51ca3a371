"""Every value of the base panel knows its cell, and every formula the values it rests on."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.panel.formula import evaluate, inputs_of
from tandem.panel.lineage import base_lineage, split_cell
from tandem.study import Study

YEARS = range(2001, 2008)
PLACES = ["Anhui", "Hebei"]


# what a formula rests on


@pytest.mark.parametrize(
    "formula, pairs",
    [
        ("a / b * 2", [("a", 2003), ("b", 2003)]),
        ("lag(a)", [("a", 2002)]),
        ("lag(a + lag(b, 2), 1)", [("a", 2002), ("b", 2000)]),
        ("diff(a)", [("a", 2002), ("a", 2003)]),
        ("-mean(a, lag(b))", [("a", 2003), ("b", 2002)]),
        ("chain(a, b, 2001)", [("a", 2001), ("b", 2002), ("b", 2003)]),
        ("chain(a, b, 2003)", [("a", 2003)]),
        ("chain(a, b, 2005)", [("a", 2005), ("b", 2004), ("b", 2005)]),
        ("lag(chain(a, b, 2001), 2)", [("a", 2001)]),
    ],
)
def test_inputs_of_a_formula(formula, pairs):
    assert inputs_of(formula, 2003) == pairs


def _combined(inner):
    number = st.integers(11, 97)
    base = st.sampled_from([2002, 2004, 2006])
    return st.one_of(
        st.tuples(number, inner, inner).map("({0[0]} * {0[1]} + {0[2]})".format),
        st.tuples(inner, inner).map("{0[0]} * {0[1]}".format),
        st.tuples(inner, inner).map("{0[0]} / ({0[1]})".format),
        st.tuples(inner, st.integers(0, 2)).map("lag({0[0]}, {0[1]})".format),
        inner.map("diff({})".format),
        st.tuples(number, inner, inner).map("mean({0[0]} * {0[1]}, {0[2]})".format),
        st.tuples(inner, base).map("chain({0[0]}, index, {0[1]})".format),
        st.sampled_from(["a", "b", "c"]).map("log({})".format),
    )  # fmt: skip


FORMULAS = st.recursive(st.sampled_from(["a", "b", "c"]), _combined, max_leaves=4)


@settings(max_examples=60, deadline=None)
@given(formula=FORMULAS, year=st.sampled_from([2001, 2003, 2005, 2007]))
def test_a_value_changes_with_its_inputs_and_with_nothing_else(formula, year):
    index = pd.MultiIndex.from_product([PLACES, YEARS], names=["entity", "year"])
    draws = np.random.default_rng(3).uniform(90, 120, (len(index), 4))
    columns = pd.DataFrame(draws, index=index, columns=["a", "b", "c", "index"])
    before = evaluate(formula, columns)[("Hebei", year)]
    listed = inputs_of(formula, year)
    if np.isnan(before):  # it reaches back beyond the panel
        assert year < 2007 and ("lag" in formula or "diff" in formula)
        return
    for name in columns:
        for other in YEARS:
            changed = columns.copy()
            changed.loc[("Hebei", other), name] = np.nan  # unlike a number, it never cancels out
            after = evaluate(formula, changed)[("Hebei", year)]
            assert np.isnan(after) == ((name, other) in listed)
            changed.loc[("Hebei", other), name] = 1.37 * columns.at[("Hebei", other), name]
            after = evaluate(formula, changed)[("Hebei", year)]
            assert after == before or (name, other) in listed


# the lineage of a small base panel


def study(vintages=None, formula="gdp", years=(2001, 2004)):
    series = {"x": {"formula": formula, "unit": "u", "label": {"en": "x"}, "why": "test"}}
    system = {"label": {"en": "s"}, "indicators": {"x": "+"}}
    return Study.model_validate(
        {
            "title": {"en": "t"},
            "question": {"en": "q"},
            "seed": 1,
            "panel": {"years": years},
            "vintages": vintages or {},
            "series": series,
            "systems": {"one": system, "two": system},
        }
    )


def row(region, year, value, cell, vintage="v", file="raw/gdp.csv", series="gdp"):
    place = f"{file}!!{cell}"
    source = f"Yearbook, {file}"
    return (region, series, "yuan", year, float(value), vintage, source, place, "")


def frame(rows):
    names = ["region", "series", "unit", "year", "value", "vintage", "source", "cell", "flag"]
    return pd.DataFrame(rows, columns=names)


def ledger(*rows):
    lines = [(*split_cell(cell), raw, rule, value) for cell, raw, rule, value in rows]
    return pd.DataFrame(lines, columns=["file", "sheet", "cell", "raw", "rule", "value"])


def chosen(*rows):
    rows = rows or [("gdp", "v", "raw/gdp.csv", 0)]
    return pd.DataFrame(rows, columns=["series", "vintage", "file", "rank"])


def lineage(spec, obs, notes=(), tables=()):
    made = base_lineage(spec, frame(obs), chosen(*tables), ledger(*notes))
    return made.set_index(["series", "entity", "year"])


def test_a_value_has_cell_source_and_what_reading_changed():
    obs = [row(p, y, 10 * y, f"{c}{r}") for p, r in (("Anhui", 5), ("Hebei", 6))
           for y, c in zip(range(2001, 2005), "BCDE", strict=True)]  # fmt: skip
    notes = [("raw/gdp.csv!!C5", "20,020*", rule, "20020") for rule in ("footnote", "thousands")]
    table = lineage(study(), obs, notes)
    one = table.loc[("gdp", "Anhui", 2002)]
    assert (one["value"], one["published"], one["factor"]) == (20020, 20020, 1)
    assert split_cell(one["cell"]) == ("raw/gdp.csv", "", "C5")
    assert (one["raw"], one["changes"]) == ("20,020*", "footnote; thousands")
    assert (one["unit"], one["vintage"], one["rule"]) == ("yuan", "v", "as published")
    assert table.loc[("gdp", "Hebei", 2002), ["raw", "changes"]].tolist() == ["", ""]
    assert len(table) == 8


def test_a_gap_has_the_blank_cell_also_in_a_year_blank_for_all():
    years = dict(zip((2004, 2003, 2002, 2001), "BCDE", strict=True))
    obs = [row(p, y, 1, f"{c}{r}") for p, r in (("Anhui", 5), ("Hebei", 6))
           for y, c in years.items() if y != 2003 and (p, y) != ("Hebei", 2001)]  # fmt: skip
    blanks = [("raw/gdp.csv!!" + c, "", "blank: not published", "") for c in ("C5", "C6", "E6")]
    table = lineage(study(), obs, blanks)
    assert table.loc[("gdp", "Anhui", 2003), "cell"] == "raw/gdp.csv!!C5"
    assert table.loc[("gdp", "Hebei", 2003), "cell"] == "raw/gdp.csv!!C6"
    gap = table.loc[("gdp", "Hebei", 2001)]
    assert (gap["cell"], gap["changes"], gap["rule"]) == (
        "raw/gdp.csv!!E6", "blank: not published", "missing"
    )  # fmt: skip
    assert np.isnan(gap["value"])


def test_a_gap_that_no_table_prints_has_no_cell():
    table = lineage(study(), [row("Hebei", 2001, 1, "B5"), row("Hebei", 2002, 1, "C5")])
    assert table.loc[("gdp", "Hebei", 2004), ["cell", "changes", "rule"]].tolist() == [
        "", "", "missing"
    ]  # fmt: skip


def test_another_series_blank_is_not_taken_for_ones_own():
    obs = [row("China", y, 1, f"{c}5") for y, c in ((2001, "C"), (2003, "E"), (2004, "F"))]
    obs += [row("China", 2002, 1, "D6", series="rd"), row("China", 2001, 1, "C6", series="rd")]
    blanks = [("raw/gdp.csv!!D5", "", "blank: not published", ""),
              ("raw/gdp.csv!!E6", "", "blank: not published", "")]  # fmt: skip
    tables = [("gdp", "v", "raw/gdp.csv", 0), ("rd", "v", "raw/gdp.csv", 0)]
    table = lineage(study(formula="gdp + rd"), obs, blanks, tables)
    assert table.loc[("gdp", "China", 2002), "cell"] == "raw/gdp.csv!!D5"
    assert table.loc[("rd", "China", 2003), "cell"] == "raw/gdp.csv!!E6"
    assert table.loc[("rd", "China", 2004), "cell"] == ""


def test_a_chained_value_has_its_rule_and_factor():
    spec = study({"gdp": {"join": ["new", "old"], "chain": ["old"], "why": "test"}})
    obs = [row("Hebei", y, 100, f"B{y}", "new", "raw/new.csv") for y in (2003, 2004)]
    obs += [row("Hebei", y, 80, f"B{y}", "old", "raw/old.csv") for y in (2001, 2002, 2003)]
    tables = [("gdp", "new", "raw/new.csv", 0), ("gdp", "old", "raw/old.csv", 1)]
    table = lineage(spec, obs, tables=tables)
    one = table.loc[("gdp", "Hebei", 2001)]
    assert (one["published"], one["value"], one["factor"]) == (80, 100, 1.25)
    assert (one["rule"], one["vintage"]) == ("chained", "old")
    assert (one["footing"], one["link"]) == ("new", 2003)
    assert table.loc[("gdp", "Hebei", 2003), ["rule", "vintage"]].tolist() == [
        "as published",
        "new",
    ]


def test_neither_row_order_of_tables_nor_of_observations_matters():
    obs = [row(p, y, y, f"{c}{r}") for p, r in (("Anhui", 5), ("Hebei", 6))
           for y, c in zip(range(2001, 2004), "BCD", strict=True)]  # fmt: skip
    pd.testing.assert_frame_equal(lineage(study(), obs), lineage(study(), obs[::-1]))


def test_a_gap_in_a_yearbook_table_of_one_year_is_in_the_column_of_its_series():
    obs = [row(p, 2001, 1, f"B{r}") for p, r in (("Anhui", 5), ("Hebei", 6))]
    obs += [row("Anhui", 2001, 1, "C5", series="rd")]
    blanks = [(f"raw/gdp.csv!!{cell}", "", "blank: not published", "") for cell in ("C6", "B7")]
    tables = [("gdp", "v", "raw/gdp.csv", 0), ("rd", "v", "raw/gdp.csv", 0)]
    table = lineage(study(formula="gdp + rd"), obs, blanks, tables)
    assert table.loc[("rd", "Hebei", 2001), "cell"] == "raw/gdp.csv!!C6"
    assert table.loc[("rd", "Hebei", 2002), "cell"] == ""  # the table is of another year
