"""Vintages are chosen, joined and chained as the study says, never mixed, and gaps stay gaps."""

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
    refuse_implausible,
    refuse_unknown_entities,
    splices,
)
from tandem.study import Study

ACCOUNTS = pd.Series({"gdp": "national accounts", "services": "national accounts", "rd": ""})


def study(vintages=None, formulas=None, years=(2001, 2005), exclude=()):
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
            "vintages": vintages or {},
            "series": series,
            "systems": {"one": system, "two": system},
        }
    )


def sources(*rows):
    """Lines of sources.csv from (file, series, vintage[, flag[, scope]])."""
    full = [(*row, *("", "provinces")[len(row) - 3 :]) for row in rows]
    return pd.DataFrame(full, columns=["file", "series", "vintage", "flag", "region_scope"])


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


def test_an_implausible_value_is_refused_with_the_cells_it_rests_on():
    raw = study(formulas={"x": "gdp / rd"}).model_dump()
    raw["series"]["x"]["plausible"] = (1, 10)
    spec = Study.model_validate(raw)
    blocks = (observations("v", [10, 20, 30]), observations("v", [10, 2, 1], series="rd"))
    values, vintages, _, obs = built(spec, *blocks)
    panel = derive(spec, values, vintages, ACCOUNTS, obs)
    refuse_implausible(spec, panel.loc[(slice(None), slice(2001, 2002)), :], obs)
    with pytest.raises(TandemError, match="'x' of Hebei 2003 is 30 u, outside .* 1 to 10"):
        refuse_implausible(spec, panel, obs)
    with pytest.raises(TandemError, match="v.csv!!Hebei2003 and v.csv!!Hebei2003"):
        refuse_implausible(spec, panel, obs)


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
        "why": "because",
    }
    assert (old["rule"], old["used"], old["other"]) == ("chained", "mid", "old")
    assert (old["years"], old["cells"], old["mean_ratio"]) == ("2003-2003", 1, 0.6)
    assert old["largest_gap"] == pytest.approx(40)


def test_without_a_join_there_are_no_splices():
    spec = study({"gdp": "v"})
    _, _, chosen, obs = built(spec, observations("v", [1, 2]))
    table = splices(spec, obs, chosen)
    assert list(table) == SPLICES
    assert table.empty
