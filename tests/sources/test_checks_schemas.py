"""Every breach of a schema is one sentence with cell, province and year; all come at once."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tandem.analysis.panel import make_panel, observe
from tandem.sources.schemas import observation_problems, panel_problems, place
from tandem.study import load_study

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def provinces(data, codebook):
    study = load_study(ROOT / "studies/provinces.yaml")
    observations, _, chosen = observe(study, data)
    return study, make_panel(study, observations, chosen, codebook)["panel"], observations


def test_real_observations_and_panel_have_no_breach(everything, codebook, provinces):
    assert observation_problems(everything[0], codebook) == []
    assert panel_problems(*provinces) == []


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("vintage", " ", "the vintage is blank"),
        ("region_code", "999", "neither of a province"),
        ("region", "Peking", "the name is not the one that belongs to the code"),
        ("series", "gpd", "the series is not in codebook.csv"),
        ("year", 3000, "the year is not within 1949-2100"),
        ("value", np.nan, "not a finite number"),
        ("value", np.inf, "not a finite number"),
        ("value", 1e9, "outside the plausible range of codebook.csv"),
    ],
)
def test_a_breach_names_its_cell(everything, codebook, column, value, said):
    rows = everything[0][everything[0]["series"] == "gdp"].head(40).copy()
    at = rows.index[17]
    rows.loc[at, column] = value
    (problem,) = observation_problems(rows, codebook)
    assert said in problem
    assert problem.startswith(f"{place(rows.loc[at, 'cell'])}, {rows.loc[at, 'region']} ")
    assert f" {rows.loc[at, 'year']}: " in problem


def test_all_breaches_of_all_kinds_come_together(everything, codebook):
    rows = everything[0][everything[0]["series"] == "gdp"].head(40).reset_index(drop=True)
    rows.loc[3, "vintage"], rows.loc[5, "value"], rows.loc[8, "region_code"] = "", -1.0, "1"
    rows = pd.concat([rows, rows.iloc[[20]]])
    problems = "\n".join(observation_problems(rows, codebook))
    for said in ("vintage is blank", "plausible range", "neither of a province", "stands twice"):
        assert said in problems
    assert problems.count("\n") == 4  # a repeated value is two lines, one a cell


def test_a_column_that_is_absent_or_holds_text(everything, codebook):
    rows = everything[0].head(5)
    (problem,) = observation_problems(rows.drop(columns="flag"), codebook)
    assert "The column flag is absent from observations" in problem
    text = observation_problems(rows.assign(value=rows["value"].astype(str)), codebook)
    assert any("column value of observations" in problem for problem in text)


def test_the_panel(provinces):
    study, panel, observations = provinces
    spoilt = panel.copy()
    spoilt.loc[("Anhui", 2012), "urbanisation"] = 101.0
    spoilt.loc[("Gansu", 2013), "fiscal_size"] = np.inf
    spoilt = pd.concat([spoilt.drop(index=("Fujian", 2014)), spoilt.loc[[("Hubei", 2015)]]])
    problems = panel_problems(study, spoilt, observations)
    by_place = {" ".join(p.split(":")[0].split()): p for p in problems}
    assert set(by_place) == {"Anhui 2012", "Gansu 2013", "Fujian 2014", "Hubei 2015"}
    assert "urbanisation is 101, from raw/" in by_place["Anhui 2012"]
    assert "population_urban" in by_place["Anhui 2012"] and "plausible" in by_place["Anhui 2012"]
    assert "fiscal_size is inf" in by_place["Gansu 2013"]
    assert "lacks this entity and year" in by_place["Fujian 2014"]
    assert "twice" in by_place["Hubei 2015"]


def test_a_series_that_the_panel_lacks(provinces):
    study, panel, observations = provinces
    (problem,) = panel_problems(study, panel.drop(columns="patents"), observations)
    assert problem == "The column patents is absent from the panel; read the tables again."


def test_place():
    assert place("raw/nbs/gdp.csv!!B5") == "raw/nbs/gdp.csv cell B5"
    assert place("raw/a.xlsx!Sheet 1!B5") == "raw/a.xlsx sheet Sheet 1 cell B5"
