"""Vintages are chosen, joined and chained as the study says, never mixed, and gaps stay gaps."""

import re

import numpy as np
import pandas as pd
import pytest

from tandem.errors import TandemError
from tandem.panel.build import (
    SPLICES,
    base_panel,
    choose_files,
    coverage,
    derive,
    refuse_unknown_entities,
    selected,
    settled,
    splices,
)
from tandem.sources.description import Description
from tandem.study import Study

ACCOUNTS = pd.Series({"gdp": "national accounts", "services": "national accounts", "rd": ""})


def study(vintages=None, formulas=None, years=(2001, 2005), exclude=(), vintage=""):
    """A study of the series that the formulas read; by default gdp alone."""
    formulas = formulas or {"x": "gdp"}
    series = {
        name: {"formula": formula, "unit": "u", "label": {"en": name}, "why": "test"}
        for name, formula in formulas.items()
    }
    system = {"label": {"en": "s"}, "indicators": dict.fromkeys(formulas, "+")}
    return Study.model_validate(
        {
            "title": {"en": "t"},
            "question": {"en": "q"},
            "seed": 1,
            "panel": {"years": years, "exclude": list(exclude)},
            "vintage": vintage,
            "vintages": vintages or {},
            "series": series,
            "systems": {"one": system, "two": system},
        }
    )


def sources(*rows):
    """Lines of sources.csv from (file, series, vintage[, flag[, scope]])."""
    full = [(*row, *("", "provinces")[len(row) - 3 :]) for row in rows]
    return pd.DataFrame(full, columns=["file", "series", "vintage", "flag", "region_scope"])


def dated(**released):
    """Lines of sources.csv for gdp in vintages released at the dates given."""
    table = sources(*((f"{v}.csv", "gdp", v) for v in released))
    return table.assign(released=[str(d) for d in released.values()])


def observations(vintage, values, series="gdp", region="Hebei", first=2001):
    """Values of consecutive years; None where nothing is printed."""
    rows = [
        (series, region, first + i, float(v), vintage, f"{vintage}.csv!!{region}{first + i}")
        for i, v in enumerate(values)
        if v is not None
    ]
    return pd.DataFrame(rows, columns=["series", "region", "year", "value", "vintage", "cell"])


def built(spec, *blocks):
    """Values and vintages of the base panel; every vintage stands in a file of its name."""
    obs = pd.concat(blocks, ignore_index=True)
    pairs = obs[["series", "vintage"]].drop_duplicates()
    lines = [(f"{s}-{v}.csv", s, v) for s, v in pairs.itertuples(index=False)]
    chosen = choose_files(spec, sources(*lines))
    return (*base_panel(spec, obs, chosen), chosen, obs)


def join(*names, chain=(), why="test"):
    return {"join": list(names), "chain": list(chain), "why": why}


# which table serves which series


def test_the_only_official_vintage_needs_no_name():
    table = sources(
        ("a.csv", "gdp;rd", "2018"), ("b.csv", "gdp", "quoted-1", "quoted"), ("c.csv", "cpi", "9")
    )
    chosen = choose_files(study(), table)
    assert chosen.to_dict("records") == [
        {"series": "gdp", "vintage": "2018", "file": "a.csv", "rank": 0}
    ]


@pytest.mark.parametrize(
    ("file", "hint"),
    [("../../etc/passwd", "name a table as it stands there"), ("a.csw", "did you mean 'a.csv'")],
)
def test_a_description_of_no_raw_table_is_refused(file, hint):
    table = sources(("a.csv", "gdp", "2018"))
    described = study().model_copy(update={"descriptions": {file: Description()}})
    words = f"descriptions names '{file}', which has no line in data/sources.csv; {hint}"
    with pytest.raises(TandemError, match=re.escape(words)):
        choose_files(described, table)


def test_several_vintages_want_a_name():
    table = sources(("a.csv", "gdp", "census5"), ("b.csv", "gdp", "census4"))
    with pytest.raises(TandemError, match=r"'gdp' comes in several vintages \(census4, census5\)"):
        choose_files(study(), table)
    assert choose_files(study({"gdp": "census4"}), table)["file"].tolist() == ["b.csv"]


def test_a_series_that_is_only_quoted_wants_a_name_too():
    table = sources(("a.csv", "gdp", "quoted-1", "quoted"))
    with pytest.raises(TandemError, match=r"\(quoted only\); name one under vintages"):
        choose_files(study(), table)
    assert choose_files(study({"gdp": "quoted-1"}), table)["file"].tolist() == ["a.csv"]


def test_an_unknown_vintage_is_refused_with_those_there_are():
    table = sources(("a.csv", "gdp", "census5"), ("b.csv", "gdp", "census4"))
    with pytest.raises(TandemError, match="'gdp' has the vintage 'census3'.*census4, census5"):
        choose_files(study({"gdp": "census3"}), table)
    with pytest.raises(TandemError, match="vintage 'yearbook-\\*'"):
        choose_files(study({"gdp": join("census4", "yearbook-*")}), table)


def test_a_series_in_no_table_is_refused_also_if_another_scope_has_it():
    table = sources(("a.csv", "gdp", "2018", "", "nation"), ("b.csv", "rd", "2018"))
    with pytest.raises(TandemError, match="No raw table for provinces holds the series 'gdp'"):
        choose_files(study(), table)


def test_a_join_ranks_vintages_in_its_order_and_a_star_in_that_of_names():
    table = sources(
        ("1.csv", "gdp", "report-2003"),
        ("2.csv", "gdp", "report-2002"),
        ("3.csv", "gdp", "book"),
        ("4.csv", "gdp", "other"),
        ("5.csv", "gdp", "report-2003"),
    )
    chosen = choose_files(study({"gdp": join("book", "report-*")}), table)
    ranks = chosen.groupby("vintage")["rank"].unique().map(list).to_dict()
    assert ranks == {"book": [0], "report-2002": [1], "report-2003": [2]}
    assert set(chosen["file"]) == {"1.csv", "2.csv", "3.csv", "5.csv"}
    named = choose_files(study({"gdp": join("report-2003", "report-*")}), table)
    assert named.set_index("file")["rank"].to_dict() == {"1.csv": 0, "5.csv": 0, "2.csv": 1}


def vintage_taken(spec, table):
    return choose_files(spec, table)["vintage"].tolist()


@pytest.mark.parametrize("named", [True, False])
def test_latest_and_first_go_by_the_date_of_release(named):
    table = dated(b=2012, a="2018-02", c="2018-11")
    for wish, expected in (("latest", "c"), ("first", "b")):
        spec = study({"gdp": wish}) if named else study(vintage=wish)
        assert vintage_taken(spec, table) == [expected]


def test_a_vintage_named_for_its_series_goes_before_that_of_the_study():
    table = dated(old=2012, new=2018)
    assert vintage_taken(study({"gdp": "old"}, vintage="latest"), table) == ["old"]
    assert vintage_taken(study(vintage="old"), table) == ["old"]
    with pytest.raises(TandemError, match="'gdp' has the vintage 'older'; there are: new, old"):
        choose_files(study(vintage="older"), table)


def test_quoted_tables_are_never_latest_or_first():
    table = dated(old=2012, press=2020).assign(flag=["", "quoted"])
    assert vintage_taken(study(vintage="latest"), table) == ["old"]
    with pytest.raises(
        TandemError, match="latest vintage of 'gdp', which is only quoted; .* press"
    ):
        choose_files(study(vintage="latest"), table[1:])


def test_tables_of_another_scope_do_not_decide():
    table = dated(old=2012, new=2018).assign(region_scope=["provinces", "nation"])
    assert vintage_taken(study(vintage="latest"), table) == ["old"]


@pytest.mark.parametrize("rival", ["2018", "2018-02", ""])
def test_a_tie_or_a_blank_date_wants_a_name(rival):
    table = dated(old=2012, new="2018", rival=rival)
    with pytest.raises(TandemError) as refused:
        choose_files(study(vintage="latest"), table)
    assert str(refused.value).startswith("The latest vintage of 'gdp' cannot be told by")
    assert f"new (2018), rival ({rival or 'no date'}); name one" in str(refused.value)
    assert vintage_taken(study({"gdp": "rival"}, vintage="latest"), table) == ["rival"]


def test_a_tie_that_does_not_decide_is_no_matter():
    table = dated(a=2012, b="2018", c="2018-03")
    assert vintage_taken(study(vintage="first"), table) == ["a"]


def test_the_first_table_of_a_vintage_dates_it():
    table = pd.concat([dated(a=2015, b=2014), dated(a=2013).assign(file="a2.csv")])
    assert set(vintage_taken(study(vintage="first"), table)) == {"a"}


def test_a_star_over_several_vintages_is_a_splice_and_wants_a_join():
    table = sources(("1.csv", "gdp", "report-2002"), ("2.csv", "gdp", "report-2003"))
    with pytest.raises(TandemError, match="'report-\\*' of 'gdp' fits several .*with join"):
        choose_files(study({"gdp": "report-*"}), table)
    assert vintage_taken(study({"gdp": "*-2003"}), table) == ["report-2003"]


# values and their vintages


def test_a_join_takes_the_first_vintage_that_prints_a_year():
    old, new = observations("old", [1, 2, 3, 4]), observations("new", [30, 40, 50], first=2003)
    values, vintages, *_ = built(study({"gdp": join("new", "old")}), old, new)
    assert values["gdp"].tolist() == [1, 2, 30, 40, 50]
    assert vintages["gdp"].tolist() == ["old", "old", "new", "new", "new"]
    values, vintages, *_ = built(study({"gdp": join("old", "new")}), new, old)
    assert values["gdp"].tolist() == [1, 2, 3, 4, 50]
    assert vintages["gdp"].tolist() == ["old"] * 4 + ["new"]


def test_gaps_stay_gaps_over_every_entity_and_year():
    values, vintages, *_ = built(
        study(formulas={"x": "rd / gdp"}, years=(2001, 2004), exclude=["Tibet"]),
        observations("v", [1, None, 3, 4, 5]),
        observations("v", [7], region="Hainan", first=2002),
        observations("v", [9, 9, 9], region="Tibet"),
        observations("v", [2], series="rd", first=2002),
    )
    assert values.index.tolist() == [
        (e, y) for e in ("Hainan", "Hebei") for y in (2001, 2002, 2003, 2004)
    ]
    assert values.index.names == ["entity", "year"]
    assert list(values) == ["gdp", "rd"]
    nan = np.nan
    np.testing.assert_array_equal(values["gdp"], [nan, 7, nan, nan, 1, nan, 3, 4])
    np.testing.assert_array_equal(values["rd"], [nan] * 5 + [2, nan, nan])
    assert (vintages.to_numpy() == np.where(values.isna(), "", "v")).all()


def test_a_window_without_any_figure_is_refused():
    with pytest.raises(TandemError, match="No table has a figure for 1901-1905"):
        built(study(years=(1901, 1905)), observations("v", [1]))


def test_two_values_in_one_vintage_are_refused_with_both_cells():
    twice = observations("v", [1, 2, 3]).assign(cell=lambda d: "second " + d["cell"])
    twice.loc[1, "value"] = 2.5
    with pytest.raises(TandemError) as refused:
        built(study(), observations("v", [1, 2, 3]), twice)
    assert "gdp of Hebei 2002 has two values in the vintage v" in str(refused.value)
    assert "(second v.csv!!Hebei2002 and v.csv!!Hebei2002)" in str(refused.value)


def test_the_same_value_printed_twice_is_no_contradiction():
    values, *_ = built(study(), observations("v", [1, 2]), observations("v", [1, 2]))
    assert values["gdp"].tolist()[:2] == [1, 2]


def test_vintages_not_chosen_leave_no_trace():
    values, *_ = built(study({"gdp": "new"}), observations("new", [1]), observations("old", [9, 9]))
    np.testing.assert_array_equal(values["gdp"], [1] + [np.nan] * 4)


# chained vintages


def test_a_chained_vintage_is_scaled_in_the_nearest_common_year():
    new = observations("new", [60, 90, 100], first=2003)
    old = observations("old", [10, 20, 30, 40])  # 60/30 in 2003, 90/40 in 2004
    values, vintages, *_ = built(study({"gdp": join("new", "old", chain=["old"])}), new, old)
    assert values["gdp"].tolist() == [10 * 2, 20 * 2, 60, 90, 100]
    assert vintages["gdp"].tolist() == ["old", "old", "new", "new", "new"]


def test_a_later_vintage_is_scaled_in_the_last_common_year():
    new = observations("new", [60, 90])
    old = observations("old", [20, 45, 50, None, 55])  # 60/20 in 2001, 90/45 in 2002
    values, *_ = built(study({"gdp": join("new", "old", chain=["old"])}), new, old)
    np.testing.assert_array_equal(values["gdp"], [60, 90, 100, np.nan, 110])


def test_the_year_of_the_link_may_lie_outside_the_window():
    spec = study({"gdp": join("new", "old", chain=["old"])}, years=(2001, 2002))
    new, old = observations("new", [60], first=2004), observations("old", [1, 2, 3, 4])
    values, vintages, chosen, obs = built(spec, new, old)
    assert values["gdp"].tolist() == [15, 30]
    table = splices(spec, obs, chosen)
    assert table[["years", "cells", "serves", "link_years", "mean_factor"]].values.tolist() == [
        ["2004", 1, "2001-2002", "2004", 15]
    ]


def test_the_link_is_the_one_nearest_to_what_the_window_needs():
    spec = study({"gdp": join("new", "old", chain=["old"])}, years=(2001, 2002))
    old = observations("old", [1, 2, None, 4, None, 6, 7])
    new = observations("new", [40, None, 600], first=2004)  # 10 times in 2004, 100 times in 2006
    assert built(spec, old, new)[0]["gdp"].tolist() == [10, 20]


def test_a_chained_vintage_that_the_window_does_not_need_needs_no_common_year():
    spec = study({"gdp": join("new", "old", chain=["old"])}, years=(2004, 2005))
    new, old = observations("new", [40, 50], first=2004), observations("old", [1, 2])
    assert built(spec, new, old)[0]["gdp"].tolist() == [40, 50]


def test_what_is_selected_says_on_whose_level_it_stands():
    spec = study({"gdp": join("c", "b", "a", chain=["a"])})
    *_, chosen, obs = built(
        spec,
        observations("c", [400, 500], first=2004),
        observations("b", [20, 30, 40], first=2002),
        observations("a", [1, 2]),
    )
    used = selected(spec, obs, chosen)
    assert used["vintage"].tolist() == ["a", "b", "b", "c", "c"]
    assert used["footing"].tolist() == ["b", "b", "b", "c", "c"]
    assert used["published"].tolist() == [1, 20, 30, 400, 500]
    np.testing.assert_array_equal(used["link"], [2002] + [np.nan] * 4)


def test_each_entity_has_its_own_ratio():
    spec = study({"gdp": join("new", "old", chain=["old"])}, years=(2001, 2002))
    values, *_ = built(
        spec,
        observations("new", [20], first=2002),
        observations("old", [5, 10]),
        observations("new", [30], first=2002, region="Hainan"),
        observations("old", [5, 10], region="Hainan"),
    )
    assert values["gdp"].to_dict() == {
        ("Hainan", 2001): 15,
        ("Hainan", 2002): 30,
        ("Hebei", 2001): 10,
        ("Hebei", 2002): 20,
    }


def test_a_third_vintage_is_chained_to_the_second_as_scaled():
    spec = study({"gdp": join("c", "b", "a", chain=["b", "a"])})
    values, *_ = built(
        spec,
        observations("c", [400, 500], first=2004),
        observations("b", [20, 30, 40], first=2002),  # times 10
        observations("a", [1, 2]),  # 200 / 2
    )
    assert values["gdp"].tolist() == [100, 200, 300, 400, 500]


def test_without_a_common_year_nothing_is_chained():
    spec = study({"gdp": join("new", "old", chain=["old"])})
    new, old = observations("new", [60, 90], first=2004), observations("old", [1, 2, 3])
    with pytest.raises(TandemError, match="gdp of Hebei: the vintage old shares no year"):
        built(spec, new, old)
    only_old = observations("old", [1, 2, 3], region="Hainan")
    with pytest.raises(TandemError, match="gdp of Hainan: the vintage old shares no year"):
        built(spec, observations("new", [60, 90]), only_old)


# derived series


def derived(spec, *blocks):
    values, vintages, _, obs = built(spec, *blocks)
    return derive(spec, values, vintages, ACCOUNTS, obs)


def test_derived_series_follow_their_formulas():
    spec = study(formulas={"share": "services / gdp * 100", "growth": "diff(log(gdp))"})
    panel = derived(
        spec,
        observations("v", [10, 20, None, 40, 50]),
        observations("v", [1, 3, 5, 7, 9], series="services"),
    )
    assert list(panel) == ["share", "growth"]
    np.testing.assert_allclose(panel["share"], [10, 15, np.nan, 17.5, 18])
    nan = np.nan
    np.testing.assert_allclose(panel["growth"], [nan, np.log(2), nan, nan, np.log(1.25)])


def test_two_vintages_of_one_account_in_a_ratio_are_refused():
    spec = study(
        {"gdp": join("new", "old"), "services": "old"}, formulas={"share": "services / gdp"}
    )
    blocks = (
        observations("old", [1, 2, 3]),
        observations("new", [30, 40, 50], first=2003),
        observations("old", [1, 2, 3], series="services"),
    )
    with pytest.raises(TandemError) as refused:
        derived(spec, *blocks)
    assert str(refused.value) == (
        "The series 'share' mixes two vintages of national accounts in Hebei 2003: "
        "gdp is new (new.csv!!Hebei2003), services is old (old.csv!!Hebei2003); "
        "name one vintage for all of them under vintages in the study."
    )


def test_vintages_may_change_from_year_to_year_if_they_change_together():
    both = join("new", "old")
    spec = study({"gdp": both, "services": both}, formulas={"share": "services / gdp"})
    blocks = [
        observations(v, values, series=s, first=first)
        for s in ("gdp", "services")
        for v, values, first in (("old", [4, 4], 2001), ("new", [8, 8, 8], 2003))
    ]
    assert derived(spec, *blocks)["share"].tolist() == [1] * 5


# years of several vintages in one formula

OLD, NEW = observations("old", [10, 20, 30]), observations("new", [60, 90, 100], first=2003)


@pytest.mark.parametrize(
    "formula", ["diff(log(gdp))", "gdp - lag(gdp)", "gdp / lag(gdp)", "log(gdp) - log(lag(gdp, 1))"]
)
def test_a_formula_over_years_of_two_vintages_is_refused(formula):
    spec = study({"gdp": join("new", "old")}, formulas={"growth": formula})
    with pytest.raises(TandemError) as refused:
        derived(spec, OLD, NEW)
    assert str(refused.value) == (
        "The series 'growth' joins two vintages of gdp in Hebei: 2002 is old (old.csv!!Hebei2002) "
        "and 2003 is new (new.csv!!Hebei2003); scale one with chain under vintages in the study, "
        "or name one vintage for all years."
    )


def test_a_formula_over_years_of_a_chained_vintage_is_allowed():
    spec = study({"gdp": join("new", "old", chain=["old"])}, formulas={"g": "gdp / lag(gdp)"})
    panel = derived(spec, OLD, NEW)  # 20, 40, 60, 90, 100
    np.testing.assert_allclose(panel["g"], [np.nan, 2, 1.5, 1.5, 10 / 9])


def test_a_vintage_left_unchained_among_chained_ones_is_refused():
    spec = study(
        {"gdp": join("c", "b", "a", chain=["a"])}, formulas={"g": "diff(gdp)"}, years=(2001, 2005)
    )
    blocks = (
        observations("c", [400, 500], first=2004),
        observations("b", [20, 30, 40], first=2002),
        observations("a", [1, 2]),
    )
    with pytest.raises(TandemError, match=r"Hebei: 2003 is b \(.*\) and 2004 is c \("):
        derived(spec, *blocks)


def test_a_lag_alone_or_over_years_of_one_vintage_is_allowed():
    spec = study({"gdp": join("new", "old")}, formulas={"before": "lag(gdp)"})
    np.testing.assert_array_equal(derived(spec, OLD, NEW)["before"], [np.nan, 10, 20, 60, 90])
    spec = study({"gdp": join("new", "old")}, formulas={"d": "diff(gdp)"}, years=(2003, 2005))
    np.testing.assert_array_equal(derived(spec, OLD, NEW)["d"], [np.nan, 30, 10])


def test_years_that_a_gap_keeps_apart_are_not_joined():
    spec = study({"gdp": join("new", "old")}, formulas={"d": "diff(gdp)"})
    old, new = observations("old", [1, 2]), observations("new", [40, 50], first=2004)
    nan = np.nan
    np.testing.assert_array_equal(derived(spec, old, new)["d"], [nan, 1, nan, nan, 10])


def test_a_value_that_is_missing_for_another_reason_joins_nothing():
    spec = study({"gdp": join("new", "old"), "rd": "v"}, formulas={"d": "diff(gdp) / rd"})
    rd = observations("v", [1, 1, None, 1, 1], series="rd")  # the vintages meet in 2003
    nan = np.nan
    np.testing.assert_array_equal(derived(spec, OLD, NEW, rd)["d"], [nan, 10, nan, 30, 10])


def test_the_entity_and_the_cells_named_are_those_that_are_joined():
    spec = study({"gdp": join("new", "old")}, formulas={"d": "diff(gdp)"})
    hainan = observations("new", [1, 2, 3, 4, 5], region="Hainan")
    with pytest.raises(TandemError, match="in Hebei: 2002 is old"):
        derived(spec, OLD, NEW, hainan)


def index(vintage, values, first=2001):
    return observations(vintage, values, series="rd", first=first)


CHAINED = {"real": "chain(gdp, rd, 2001)"}


def test_chain_may_join_growth_rates_of_several_vintages():
    spec = study({"gdp": "v", "rd": join("new", "old")}, formulas=CHAINED, years=(2001, 2003))
    panel = derived(
        spec, observations("v", [50]), index("old", [100, 110]), index("new", [103, 200], 2002)
    )
    np.testing.assert_allclose(panel["real"], [50, 50 * 1.03, 50 * 1.03 * 2])


def test_chain_refuses_a_scaled_growth_rate():
    spec = study(
        {"gdp": "v", "rd": join("new", "old", chain=["old"])}, formulas=CHAINED, years=(2001, 2003)
    )
    with pytest.raises(
        TandemError, match="chains by rd, whose vintage old is scaled in Hebei 2001"
    ):
        derived(
            spec, observations("v", [50]), index("old", [99, 110]), index("new", [103, 2], 2002)
        )


def test_chain_refuses_a_growth_rate_across_two_vintages():
    spec = study(
        {"rd": "v", "gdp": join("new", "old")}, formulas={"x": "chain(rd, gdp / lag(gdp), 2001)"}
    )
    with pytest.raises(TandemError, match="joins two vintages of gdp in Hebei: 2002 is old"):
        derived(spec, index("v", [1]), OLD, NEW)


def test_chain_sets_its_base_year_against_the_year_itself():
    spec = study(
        {"gdp": join("new", "old"), "rd": "v"}, formulas={"p": "chain(gdp, rd, 2001) / gdp"}
    )
    with pytest.raises(TandemError, match="2001 is old .* and 2003 is new"):
        derived(spec, OLD, NEW, index("v", [100] * 5))


def test_a_ratio_to_another_series_of_the_account_in_another_year_is_refused():
    formulas = {"share": "services / lag(gdp)"}
    both = [b.assign(series="services") for b in (OLD, NEW)]
    spec = study({"gdp": join("new", "old"), "services": join("new", "old")}, formulas)
    with pytest.raises(TandemError) as refused:
        derived(spec, OLD, NEW, *both)
    assert str(refused.value) == (
        "The series 'share' mixes two vintages of national accounts in Hebei: gdp of 2002 is old "
        "(old.csv!!Hebei2002), services of 2003 is new (new.csv!!Hebei2003); name or chain one "
        "vintage for all of them under vintages in the study."
    )
    chained = join("new", "old", chain=["old"])
    spec = study({"gdp": chained, "services": chained}, formulas)
    np.testing.assert_allclose(
        derived(spec, OLD, NEW, *both)["share"], [np.nan, 2, 1.5, 1.5, 10 / 9]
    )


def test_series_of_no_common_account_may_have_other_vintages():
    spec = study({"gdp": "2018", "rd": "2020"}, formulas={"intensity": "rd / gdp"})
    panel = derived(spec, observations("2018", [2, 4]), observations("2020", [1, 1], series="rd"))
    assert panel["intensity"].tolist()[:2] == [0.5, 0.25]


def test_what_cannot_be_computed_names_series_entity_and_year():
    gdp, zero = observations("v", [1, 2, 3]), observations("v", [1, 0, 3], series="rd")
    with pytest.raises(
        TandemError, match="'x' cannot be computed: it divides by zero in Hebei 2002"
    ):
        derived(study(formulas={"x": "gdp / rd"}), gdp, zero)
    with pytest.raises(TandemError, match="'x' cannot be computed: log of .* in Hebei 2002"):
        derived(study(formulas={"x": "gdp * log(rd)"}), gdp, zero)
    with pytest.raises(TandemError, match="'x' is infinite in Hebei 2002"):
        derived(study(formulas={"x": "gdp * 1e300 * 1e300"}), observations("v", [0, 2]))


def test_the_latest_year_is_the_last_that_every_series_reaches():
    gdp, rd = observations("v", [1, 2, 3]), observations("v", [1, 2], series="rd")
    tibet = observations("v", [1, 2, 3, 4], series="rd", region="Tibet")
    raw = study(formulas={"x": "gdp / rd"}, exclude=["Tibet"]).model_dump()
    raw["panel"]["years"] = (2001, "latest")
    spec = Study.model_validate(raw)
    assert settled(spec, pd.concat([gdp, rd, tibet])).panel.years == (2001, 2002)
    longer = observations("v", [1, 2, 3], series="rd")
    assert settled(spec, pd.concat([gdp, longer, tibet])).panel.years == (2001, 2003)
    raw["panel"]["years"] = (2004, "latest")
    with pytest.raises(TandemError, match="No year from 2004 on has a figure of every series;"):
        settled(Study.model_validate(raw), pd.concat([gdp, longer]))


def test_an_entity_that_no_table_holds_is_refused_with_the_nearest():
    with pytest.raises(TandemError, match="'Tibbet'.*did you mean 'Tibet'"):
        refuse_unknown_entities(study(exclude=["Tibbet"]), ["Hebei", "Tibet"])
    raw = study().model_dump()
    raw["panel"]["groups"] = {"North": ["Hebei", "Zzz"]}
    with pytest.raises(TandemError, match="'Zzz', which no table holds; there are: Hebei, Tibet"):
        refuse_unknown_entities(Study.model_validate(raw), ["Hebei", "Tibet"])


# what is said about them


def test_coverage_counts_entities_in_the_order_of_the_series():
    spec = study(formulas={"b": "gdp", "a": "rd"}, years=(2001, 2002))
    panel = derived(
        spec,
        observations("v", [1, 2]),
        observations("v", [1], region="Hainan", first=2002),
        observations("v", [5], series="rd"),
    )
    table = coverage(panel)
    assert list(table.itertuples(index=False, name=None)) == [
        ("b", 2001, 1, 2),
        ("b", 2002, 2, 2),
        ("a", 2001, 1, 2),
        ("a", 2002, 0, 2),
    ]


def test_splices_say_what_the_join_does():
    spec = study({"gdp": join("new", "mid", "old", chain=["old"], why="because")})
    _, _, chosen, obs = built(
        spec,
        observations("new", [100, 200], first=2004),
        observations("mid", [50, 110, 150], first=2003),  # over new: 1.1 in 2004, 0.75 in 2005
        observations("old", [10, 20, 30]),  # over mid: 0.6 in 2003
    )
    table = splices(spec, obs, chosen)
    assert list(table) == SPLICES
    new, old = table.to_dict("records")
    assert new == {
        "series": "gdp",
        "rule": "as published",
        "used": "new",
        "other": "mid",
        "years": "2004-2005",
        "cells": 2,
        "mean_ratio": pytest.approx((1.1 + 0.75) / 2),
        "largest_gap": pytest.approx(25),
        "serves": "2003",
        "link_years": "",
        "mean_factor": pytest.approx(np.nan, nan_ok=True),
        "why": "because",
    }
    assert (old["rule"], old["used"], old["other"]) == ("chained", "mid", "old")
    assert (old["years"], old["cells"], old["mean_ratio"]) == ("2003", 1, 0.6)
    assert old["largest_gap"] == pytest.approx(40)
    assert (old["serves"], old["link_years"]) == ("2001-2002", "2003")
    assert old["mean_factor"] == pytest.approx(50 / 30)


def test_splices_look_at_the_window_alone():
    new, old = observations("new", [8, 9, 20, 30, 40]), observations("old", [5, 5, 22, 33])
    spec = study({"gdp": join("new", "old")}, years=(2003, 2005))
    _, _, chosen, obs = built(spec, new, old)
    (row,) = splices(spec, obs, chosen).to_dict("records")
    assert (row["years"], row["cells"], row["serves"]) == ("2003-2004", 2, "")
    assert row["mean_ratio"] == pytest.approx(1.1)


def test_without_a_join_there_are_no_splices():
    spec = study({"gdp": "v"})
    _, _, chosen, obs = built(spec, observations("v", [1, 2]))
    table = splices(spec, obs, chosen)
    assert list(table) == SPLICES
    assert table.empty
