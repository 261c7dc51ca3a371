"""A failed check stops the run unless exactly this case is accepted; a stale line stops it too."""

import re

import pandas as pd
import pytest

from tandem.errors import TandemError
from tandem.sources.verify import read_deviations, refuse, verify

TOTAL = "rd_expenditure = rd_basic + rd_applied + rd_experimental"
WHERE = "China 2021 (st-communique-2021)"


@pytest.fixture(scope="module")
def research(everything):
    """R&D by kind, with one total that the print itself gets wrong."""
    series = ["rd_expenditure", "rd_basic", "rd_applied", "rd_experimental"]
    observations = everything[0]
    return observations[
        observations["series"].isin(series)
        & observations["vintage"].str.startswith("st-communique")
        & (observations["region_code"] == "CN")
    ]


def line(check=TOTAL, where=WHERE, difference=2.0, why="in print itself"):
    return pd.DataFrame([dict(check=check, where=where, difference=difference, why=why)])


NONE = line().iloc[:0]


def test_the_published_tables_as_they_are(everything, codebook, data):
    frames, problems = verify(everything[0], codebook, read_deviations(data))
    assert problems == []
    failed = frames["checks"][~frames["checks"]["passed"]]
    assert len(failed) == 4 and (failed["accepted"] != "").all()
    units = frames["suspects"][frames["suspects"]["kind"] == "unit"]
    assert len(units) == 1 and (units["accepted"] != "").all()


def test_every_line_of_known_deviations_is_needed(everything, codebook, data):
    """Without the lines there are as many problems as lines, each naming a cell."""
    deviations = read_deviations(data)
    _, problems = verify(everything[0], codebook, NONE)
    assert len(problems) == len(deviations)
    assert all(re.match(r"raw/\S+ cell [A-Z]+\d+", problem) for problem in problems)


def test_a_failed_identity_says_where_and_what_to_do(research, codebook):
    _, (problem,) = verify(research, codebook, NONE)
    assert problem == (
        "raw/st_communique/2021.csv cell C4 and raw/st_communique/2021.csv cell C5 and "
        "raw/st_communique/2021.csv cell C6 and raw/st_communique/2021.csv cell C7, "
        f"{WHERE}: '{TOTAL}' expects 27956.3 but finds 27958.3, a difference of 2 (rounding allows "
        "0.65); correct the figure, or if it is so in print add a line with the reason to "
        "data/known_deviations.csv."
    )


def test_a_line_accepts_its_case_only(research, codebook):
    frames, problems = verify(research, codebook, line())
    assert problems == []
    accepted = frames["checks"][frames["checks"]["accepted"] != ""]
    assert accepted["where"].to_list() == [WHERE]
    other = line(where="China 2020 (st-communique-2020)")
    problems = verify(research, codebook, other)[1]
    assert len(problems) == 2 and WHERE in problems[0] and "no longer occurs" in problems[1]


def test_a_changed_difference_is_a_problem(research, codebook):
    _, (problem,) = verify(research, codebook, line(difference=1.5))
    assert "accepts a difference of 1.5, not of 2" in problem


def test_a_line_that_no_longer_occurs_is_a_problem_when_its_figures_are_read(research, codebook):
    mended = research.copy()
    here = (mended["series"] == "rd_expenditure") & (mended["year"] == 2021)
    mended.loc[here & (mended["vintage"] == "st-communique-2021"), "value"] = 27958.3
    _, (problem,) = verify(mended, codebook, line())
    assert "no longer occurs; delete the line" in problem
    elsewhere = mended[mended["year"] != 2021]
    assert verify(elsewhere, codebook, line())[1] == []


def test_a_suspected_unit_error_is_accepted_by_its_power_of_ten(everything, codebook):
    rows = everything[0][everything[0]["series"].str.startswith("epi_units_broad")]
    check = "unit error: epi_units_broad_as_quoted"
    where = "China 2012 (epi-survey-2011-press)"
    _, (problem,) = verify(rows, codebook, NONE)
    assert "suspected unit error: about 10 times its neighbours" in problem
    assert problem.startswith("raw/quoted/epi-survey-2011-press.csv cell C4, " + where)
    frames, problems = verify(rows, codebook, line(check, where, 10))
    assert problems == [] and list(frames["suspects"]["accepted"]) == ["in print itself"]
    assert len(verify(rows, codebook, line(check, where, 100))[1]) == 1
    mended = rows.assign(value=rows["value"].replace(230_000, 23_000))
    assert "no longer occurs" in verify(mended, codebook, line(check, where, 10))[1][0]
    alone = rows[rows["value"] == 230_000]
    assert verify(alone, codebook, line(check, where, 10))[1] == []


def test_a_jump_is_no_problem(everything, codebook):
    observations = everything[0]
    rows = observations[observations["series"] == "fixed_asset_investment_total"]
    frames, problems = verify(rows, codebook, NONE)
    assert problems == [] and (frames["suspects"]["kind"] == "jump").sum() >= 3


def test_a_breach_of_the_schema_comes_before_sums(research, codebook):
    frames, problems = verify(research.assign(vintage=""), codebook, NONE)
    assert frames == {} and len(problems) >= len(research)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("check,where,why\n", "lacks the column difference"),
        ("check,where,difference,why\na,b,much,c\n", "line 2: difference 'much' is not a number"),
        ("check,where,difference,why\na,b,1,\n", "line 2: check, where or why is blank"),
        ("check,where,difference,why\na,b,1,c\na,b,2,c\n", "line 3: this case stands in an earl"),
        (None, "does not exist"),
    ],
)
def test_a_bad_list_of_deviations(tmp_path, text, said):
    if text is not None:
        (tmp_path / "known_deviations.csv").write_text(text, encoding="utf-8")
    with pytest.raises(TandemError, match=re.escape(said)):
        read_deviations(tmp_path)


def test_refuse_shows_twenty_and_counts_the_rest():
    refuse([])
    with pytest.raises(TandemError) as stop:
        refuse([f"problem {i}." for i in range(23)])
    lines = str(stop.value).splitlines()
    assert len(lines) == 21 and lines[19] == "problem 19." and "3 more problems" in lines[20]
