"""A variant runs the whole chain on raw tables of its own window and indicators."""

from pathlib import Path

import pandas as pd
import pytest

from tandem.analysis.panel import make_panel, observe, printed_series
from tandem.analysis.two_way import directions
from tandem.analysis.variants import run_variant
from tandem.sources import read_codebook
from tandem.study import load_study

ROOT = Path(__file__).parents[2]
DATA = ROOT / "data"


@pytest.fixture(scope="module")
def provinces():
    return ROOT / "studies" / "provinces.yaml"


@pytest.fixture(scope="module")
def made(provinces):
    study = load_study(provinces)
    observations, _, chosen = observe(study, DATA)
    return study, make_panel(study, observations, chosen, read_codebook(DATA))


def test_the_panel_covers_every_province_and_year_once(made):
    study, frames = made
    years = range(study.panel.years[0], study.panel.years[1] + 1)
    members = [e for group in study.panel.groups.values() for e in group]
    entities = sorted(set(members) - set(study.panel.exclude))
    full = pd.MultiIndex.from_product([entities, years], names=["entity", "year"])
    for name in ("panel", "published"):
        assert frames[name].index.equals(full)
    assert list(frames["panel"]) == list(study.used_series)
    assert list(frames["published"]) == study.base_series


def test_a_derived_value_follows_from_the_published_ones(made):
    _, frames = made
    at = ("Beijing", 2015)
    published, panel = frames["published"].loc[at], frames["panel"].loc[at]
    share = published["va_tertiary"] / published["va_secondary"]
    assert panel["tertiary_secondary"] == pytest.approx(share, rel=1e-12)
    intensity = published["industrial_rd_expenditure"] / 1e4 / published["gdp"] * 100
    assert panel["rd_intensity"] == pytest.approx(intensity, rel=1e-12)
    real = frames["published"].loc[("Beijing", 2011), "gdp"]
    for year in range(2012, 2016):
        real *= frames["published"].loc[("Beijing", year), "gdp_index_previous_year_100"] / 100
    assert panel["real_gdp_per_head"] == pytest.approx(real / published["population_yearend"])


def test_every_vintage_used_is_one_the_study_chose(made):
    study, frames = made
    table = frames["vintages"].set_index("series")
    assert set(table.index) == set(study.base_series)
    for name in ("gdp", "va_primary"):
        assert table.loc[name, "vintage"] == study.vintages[name] == "census4"
    assert (table["values"] <= len(frames["panel"])).all()


def test_a_variant_gives_both_directions_and_what_it_rests_on(provinces):
    name = "from_2007_without_rd"
    study = load_study(provinces, name)
    found = run_variant(study, DATA, name)
    summary = found["summary"].iloc[0]
    assert (summary["variant"], summary["title"]) == (name, study.title.en)
    assert summary["years"] == "2007-2019"
    assert summary["entities"] == 30
    assert (summary["technology"], summary["upgrading"]) == (4, 3)
    assert 0 < summary["D_standard"] < summary["C_standard"] <= 1
    two_way = found["two_way"]
    pairs = set(two_way[["cause", "effect"]].itertuples(index=False, name=None))
    assert pairs == set(directions(study))
    per_direction = len(study.models.regressions) + len(study.models.panel_var.models)
    assert two_way["direction"].value_counts().tolist() == [per_direction] * 2
    assert (two_way["variant"] == name).all()
    assert found["coverage"]["year"].agg(["min", "max"]).tolist() == [2007, 2019]


def test_printed_series_hold_every_vintage_and_flag_the_quoted():
    study = load_study(ROOT / "studies" / "nation.yaml")
    table = printed_series(study, DATA)
    assert set(table["figure"]) == set(study.published)
    shares = table[table["figure"] == "investment_share"]
    assert set(shares["series"]) == set(study.published["investment_share"].series)
    assert shares["vintage"].nunique() > 1
    assert "quoted" in set(shares["flag"])
    named = {s for spec in study.published.values() for s in spec.series}
    assert named <= set(table["series"])  # no name in the study is without a printed value
