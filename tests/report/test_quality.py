"""quality.html says what the frames say, stands on its own, and escapes what it prints."""

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tandem.files import read, save
from tandem.report.quality import coverage_matrix, gaps, make_quality, number
from tandem.study import load_study

ROOT = Path(__file__).parents[2]
SCRIPT = "<script>alert('x')</script> & \"R&D\""
VOID = {"meta", "br", "wbr", "link", "img", "input", "hr"}


class Page(HTMLParser):
    """Tags, attributes and words of a page; fails on tags that do not close."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.words, self.open = [], [], [], []
        self.feed(html)
        self.text = " ".join(" ".join(self.words).split())
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] != ["style"]:
            self.words.append(data)


@pytest.fixture
def study():
    return load_study(ROOT / "studies/provinces.yaml")


@pytest.fixture
def frames(study):
    """A small study: three provinces, two years, one of each thing that can be said."""
    index = pd.MultiIndex.from_product(
        [["Anhui", "Gansu", "Hubei"], [2011, 2012]], names=["entity", "year"]
    )
    names = list(study.used_series)[:2]
    panel = pd.DataFrame({names[0]: range(6), names[1]: [1.0, 2, np.nan, np.nan, 5, np.nan]}, index)
    check = {
        "check": "gdp = va_primary", "expected": 10.0, "found": 10.0, "difference": 0.0,
        "tolerance": 0.1, "passed": True, "cells": "", "accepted": "",
    }  # fmt: skip
    failed = {"found": 12.5, "difference": 2.5, "passed": False, "cells": "raw/a.csv!!B5"}
    suspect = {
        "series": "gdp", "region": "Gansu", "year": 2012, "vintage": "v", "value": 1234.5,
        "cell": "raw/b.xlsx!Sheet 1!C7", "neighbours": 120.0, "factor": 10.2875, "accepted": "",
    }  # fmt: skip
    unit_words = "suspected unit error: about 10 times its neighbours"
    return {
        "observations": pd.DataFrame({"cell": ["raw/a.csv!!B5", "raw/a.csv!!B6", "raw/b.csv!!A1"]}),
        "panel": panel,
        "published": panel.rename(columns={names[0]: "gdp", names[1]: "va_primary"}),
        "vintages": pd.DataFrame({"series": ["gdp"], "vintage": ["census4"], "first": [2011]}),
        "coverage": pd.DataFrame({"series": names, "year": 2011, "published": 3, "entities": 3}),
        "splices": pd.DataFrame({"series": [], "why": []}),
        "checks": pd.DataFrame(
            [
                check | {"where": "Anhui 2011 (v)"},
                check | {"where": "Gansu 2011 (v)"} | failed,
                check | {"where": "Hubei 2012 (v)", "accepted": SCRIPT} | failed,
            ]
        ),
        "suspects": pd.DataFrame(
            [
                suspect | {"kind": "unit", "words": unit_words},
                suspect | {"kind": "jump", "words": "jump", "year": 2011, "factor": 2.0},
            ]
        ),
        "revisions": pd.DataFrame(
            {
                "series": "gdp", "entity": ["Anhui", "Anhui", "Gansu"], "year": [2011, 2012, 2011],
                "first_vintage": "v1", "first_value": 100.0, "latest_vintage": "v2",
                "latest_value": [101.0, 103.0, 93.0], "gap": [1.0, 3.0, -7.0],
                "note": SCRIPT,
            }
        ),
        "breaks": pd.DataFrame({"series": ["gdp"], "year": [2011], "what": [SCRIPT]}),
        "ledger": pd.DataFrame(
            {
                "file": ["raw/a.csv"] * 3, "sheet": ["", "", "S"], "cell": ["B5", "B6", "C1"],
                "raw": ["1,000", "2,000", SCRIPT],
                "rule": ["thousands separator", "thousands separator", "blank: not published"],
                "value": ["1000", "2000", ""],
            }
        ),
    }  # fmt: skip


def test_the_page_says_what_the_frames_say(frames, study):
    text = Page(make_quality(frames, study)).text
    assert (
        "3 checks of 1 rules: 1 passed, 1 failed, 1 failed and accepted with a reason; "
        "1 suspected unit error, 1 jump." in text
    )
    assert "3 published values from 2 raw tables; 3 entities, 2011-2012: 3 of 12 values" in text
    assert "Gansu 2011 (v) raw/a.csv cell B5 10 12.5 2.5 0.1 not accepted" in text
    assert text.index("Gansu 2011 (v)") < text.index("Hubei 2012 (v)") < text.index("All rules")
    assert "about 10 times its neighbours not accepted" in text
    assert "raw/b.xlsx sheet Sheet 1 cell C7" in text
    assert "thousands separator 2 raw/a.csv cell B5 1,000 1000" in text
    assert "raw/a.csv sheet S cell C1 blank: not published" in text


def test_revisions_largest_first_and_by_entity(frames, study):
    text = Page(make_quality(frames, study)).text
    assert "3 values stand in more than one vintage; 3 of them were changed" in text
    assert text.index("93 -7") < text.index("103 3") < text.index("101 1")
    assert "Gansu 1 1 7.00 7.00 Anhui 2 2 2.00 3.00" in text
    many = pd.concat([frames["revisions"]] * 10, ignore_index=True)
    page = make_quality(frames | {"revisions": many}, study)
    assert page.count('<td class="label">v2</td>') == 20


def test_everything_printed_is_escaped_and_nothing_is_asked_of_the_net(frames, study):
    html = make_quality(frames, study)
    page = Page(html)
    assert "script" not in page.tags and page.text.count("alert('x')") == 6
    assert not {"img", "link", "iframe", "object"} & set(page.tags)
    assert not re.search(r"https?://|@import|url\(", html)
    assert all(value.startswith("#") for name, value in page.attributes if name == "href")
    ids = [value for name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    assert {v[1:] for n, v in page.attributes if n == "href"} <= set(ids)


def test_coverage_counts_and_names_the_missing(frames):
    matrix = coverage_matrix(frames["panel"], {})
    assert matrix["years"] == [2011, 2012] and matrix["entities"] == 3
    assert [row[2] for row in matrix["rows"]] == [
        [(3, 100, []), (3, 100, [])],
        [(2, 67, ["Gansu"]), (1, 33, ["Gansu", "Hubei"])],
    ]


def test_a_cell_of_the_matrix_has_its_colour_and_title(frames, study):
    page = Page(make_quality(frames, study))
    label = study.used_series[frames["panel"].columns[1]].label.en
    assert ("title", f"{label} 2012: missing Gansu, Hubei") in page.attributes
    assert ("style", "--share: 33%") in page.attributes


def test_gaps_join_years_with_the_same_entities():
    index = pd.MultiIndex.from_product([["A", "B"], range(2001, 2008)], names=["entity", "year"])
    panel = pd.DataFrame({"x": 1.0, "y": 1.0}, index)
    for year in (2001, 2002, 2003, 2006):
        panel.loc[("B", year), "x"] = np.nan
    panel.loc[(slice(None), 2005), "x"] = np.nan
    assert gaps(panel, {"x": "An x"}) == [
        ("An x", "2001-2003, 2006", "B", 4),
        ("An x", "2005", "all 2", 2),
    ]


def test_frames_that_are_absent_leave_a_sentence(frames, study):
    kept = {k: v for k, v in frames.items() if k not in ("suspects", "revisions", "breaks")}
    passed = kept["checks"].iloc[:1].drop(columns=["accepted", "cells"])
    text = Page(make_quality(kept | {"checks": passed}, study)).text
    assert "1 checks of 1 rules: 1 passed, 0 failed" in text
    for said in ("No check failed.", "No value of this study stands", "No known break"):
        assert said in text


def test_frames_read_back_from_csv_make_the_same_page(frames, study, tmp_path):
    paths = {name: tmp_path / f"{name}.csv" for name in frames}
    save(frames, paths)
    again = {name: read(path) for name, path in paths.items()}
    assert make_quality(again, study) == make_quality(frames, study)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (30.0, "30"), (1234567, "1,234,567"), (1234.5, "1,234.5"), (-0.078796, "-0.078796"),
        (5e-11, "5e-11"), (0.0, "0"), (float("nan"), ""), (None, ""), ("2011-2013", "2011-2013"),
    ],
)  # fmt: skip
def test_number(value, said):
    assert number(value) == said
