"""Trees of the real studies: each value is that of its children, down to the raw cells."""

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tandem.analysis.panel import make_panel, observe
from tandem.analysis.scores import index_study
from tandem.errors import TandemError
from tandem.indices import coupling_degree, structure_table
from tandem.panel.formula import evaluate, names_in
from tandem.panel.lineage import base_lineage
from tandem.sources import read_codebook
from tandem.study import load_study
from tandem.trace import draw, missing_leaves, names, quantities, readable, trace

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module", params=["provinces", "nation"])
def case(request):
    return run(request.param)


@pytest.fixture(scope="module")
def provinces():
    return run("provinces")


def run(name):
    """A study and its results, as the steps make them."""
    study = load_study(ROOT / "studies" / f"{name}.yaml")
    observations, ledger, chosen = observe(study, ROOT / "data")
    made = make_panel(study, observations, chosen, read_codebook(ROOT / "data"))
    indices = index_study(study, made["panel"], made["published"])
    lineage = base_lineage(study, observations, chosen, ledger)
    results = {"data/panel": made["panel"], "data/lineage": lineage}
    return study, results | {f"indices/{k}": v for k, v in indices.items()}


def recomputed(study, node):
    """A node's value from those of its children alone."""
    kind, _, name = node["name"].partition(":")
    values = [child["value"] for child in node["children"]]
    if kind == "published":
        return node["published"] * node["factor"]
    if kind == "derived":
        base = pd.Series(
            {(c["name"].split(":")[1], c["year"]): c["value"] for c in node["children"]}
        )
        wide = base.unstack(0)
        wide = wide.reindex(columns=names_in(study.series[name].formula))
        wide = wide.reindex(range(wide.index.min(), max(wide.index.max(), node["year"]) + 1))
        wide.index = pd.MultiIndex.from_product([["here"], wide.index], names=["entity", "year"])
        return evaluate(study.series[name].formula, wide)[("here", node["year"])]
    if kind == "normalised":
        low, high = node["goalposts"]
        direction = {k: d for s in study.systems.values() for k, d in s.indicators.items()}[name]
        z = (values[0] - low) / (high - low)
        return float(np.clip(z if direction == "+" else 1 - z, 0, 1))
    if kind == "structure":
        years = sorted({c["year"] for c in node["children"]})
        by = {(c["name"].split(":")[1], c["year"]): c["value"] for c in node["children"]}
        index = pd.MultiIndex.from_product([["here"], years], names=["entity", "year"])
        blocks = [
            pd.DataFrame({k: [by.get((n, y), np.nan) for y in years] for k, n in
                          zip(("primary", "secondary", "tertiary"), block, strict=True)}, index)
            for block in (study.structure, study.employment) if block
        ]  # fmt: skip
        return structure_table(*blocks).loc[("here", node["year"]), name]
    if kind == "T" or kind == "score":
        return sum(c["weight"] * c["value"] for c in node["children"])
    if kind == "beta":
        return values[0] / values[1]
    if kind.startswith("C_"):
        return float(coupling_degree(np.array(values), kind[2:]))
    assert kind.startswith("D_")
    return float(np.sqrt(values[0] * values[1]))


def walk(node):
    yield node
    for child in node["children"]:
        yield from walk(child)


def test_every_value_is_that_of_its_children(case):
    study, results = case
    rng = np.random.default_rng(11)
    entities = results["data/panel"].index.unique("entity")
    checked = 0
    for key in quantities(study, results):
        entity = str(rng.choice(entities))
        year = int(rng.choice(results["data/panel"].index.unique("year")))
        for node in walk(trace(study, results, key, entity, year)):
            again = recomputed(study, node)
            assert again == pytest.approx(node["value"], rel=1e-9, abs=1e-12, nan_ok=True), node
            checked += not np.isnan(again)
    assert checked > 150


def test_a_leaf_is_the_number_in_the_raw_file(provinces):
    study, results = provinces
    leaves = [n for n in walk(trace(study, results, "D", "Guangdong", 2015)) if not n["children"]]
    assert len({leaf["name"] for leaf in leaves}) == 16
    for leaf in leaves:
        rows = list(csv.reader((ROOT / "data" / leaf["file"]).open(encoding="utf-8-sig")))
        cell = rows[int(leaf["cell"][1:]) - 1][ord(leaf["cell"][0]) - ord("A")]
        assert float(cell) == leaf["published"]  # none of these tables needs another unit
        assert leaf["source"].startswith("NBS National Data") and leaf["vintage"]


def test_goalposts_name_who_set_them(provinces):
    study, results = provinces
    node = trace(study, results, "normalised:patents", "Hebei", 2015)
    panel = results["data/panel"]["patents"]
    assert "max {} ({} {})".format(readable(panel.max()), *panel.idxmax()) in node["how"]


def test_a_goalpost_that_is_no_longer_in_the_data_is_said_so(provinces):
    study, results = provinces
    posts = results["indices/goalposts"].copy()
    mine = posts["indicator"] == "patents"
    posts.loc[mine, ["minimum", "maximum"]] = [5.0, 10.0]
    changed = results | {"indices/goalposts": posts}
    node = trace(study, changed, "normalised:patents", "Beijing", 2019)
    assert "max 10 (of the fitted data, not in the present)" in node["how"]
    assert node["how"].endswith("lies outside and counts as the goalpost")


def test_a_missing_value_names_the_input_that_is_missing_and_why(provinces):
    study, results = provinces
    node = trace(study, results, "pollution_treatment", "Qinghai", 2018)
    (leaf,) = missing_leaves(node)
    assert leaf["name"] == "published:industrial_pollution_treatment_investment"
    assert leaf["how"] == "missing: blank: not published"
    raw = ROOT / "data" / leaf["file"]
    line = list(csv.reader(raw.open(encoding="utf-8-sig")))[int(leaf["cell"][1:]) - 1]
    assert line[0] == "青海省" and line[ord(leaf["cell"][0]) - ord("A")] == ""
    text = draw(node)
    assert "Missing because of:" in text and leaf["cell"] in text.split("Missing because of:")[1]


def test_names_find_the_topmost_and_kinds_the_others(provinces):
    study, results = provinces
    known = names(quantities(study, results))
    assert known["D"] == "D_standard" and known["C"] == "C_standard" and known["T"] == "T"
    assert known["technology"] == "score:technology" and known["patents"] == "derived:patents"
    assert known["gdp"] == "published:gdp" and known["hierarchy"] == "derived:hierarchy"
    assert {"normalised:patents", "structure:hierarchy", "D_wang", "beta"} <= set(known)


def test_a_mistake_is_one_sentence_with_the_nearest_name(provinces):
    study, results = provinces
    with pytest.raises(TandemError, match="no region 'guangdng'.*did you mean 'Guangdong'"):
        trace(study, results, "D", "guangdng", 2015)
    with pytest.raises(TandemError, match="no series 'patens'.*did you mean 'patents'"):
        trace(study, results, "patens", "Hebei", 2015)
    with pytest.raises(TandemError, match="2011-2019, not 2025; the nearest is 2019"):
        trace(study, results, "D", "Hebei", 2025)
    assert trace(study, results, "D", "广东", 2015)["entity"] == "Guangdong"


def test_results_of_an_older_study_are_refused(provinces):
    study, results = provinces
    older = results | {"data/panel": results["data/panel"].drop(columns="patents")}
    with pytest.raises(TandemError, match="they lack 'patents'; run make again"):
        quantities(study, older)
    older = results | {"data/lineage": results["data/lineage"].drop(columns="footing")}
    with pytest.raises(TandemError, match="they lack 'footing'; run make again"):
        quantities(study, older)


def test_the_drawing_keeps_to_the_width_and_repeats_nothing(provinces):
    study, results = provinces
    text = draw(trace(study, results, "D", "Guangdong", 2015), width=90)
    wide = [sum(2 if "\u2e80" < c < "\uffef" else 1 for c in line) for line in text.splitlines()]
    assert max(wide) <= 90
    assert text.count("gdp_census4.csv cell F23") == 1


@pytest.mark.parametrize(
    "value, text",
    [(0.0, "0"), (0.3516294, "0.351629"), (1628303.7, "1,628,304"), (74732.4, "74,732.4"),
     (-2.5, "-2.5"), (0.00001234, "1.23e-05"), (np.nan, "missing"), (120.0, "120"),
     (np.inf, "∞"), (-np.inf, "-∞")],
)  # fmt: skip
def test_readable_numbers(value, text):
    assert readable(value) == text


def test_a_lag_before_the_first_year_names_the_year_that_is_outside(provinces):
    study, results = provinces
    raw = study.model_dump()
    raw["series"]["patents"]["formula"] = "diff(patent_grants)"
    lagged = type(study).model_validate(raw)
    panel = results["data/panel"].copy()
    panel.loc[(slice(None), 2011), "patents"] = np.nan
    text = draw(trace(lagged, results | {"data/panel": panel}, "patents", "Hebei", 2011))
    assert text.endswith("Missing because of:\n  patent_grants, 2010: outside the study's years")


@pytest.mark.parametrize(
    ("first", "beta", "told"),
    [(0.5, np.inf, "beta, 2015 = ∞"), (0.0, np.nan, "  a division of 0 by 0; all that")],
)
def test_a_ratio_over_a_score_of_zero_is_drawn(provinces, first, beta, told):
    study, results = provinces
    scores, coupling = results["indices/scores"].copy(), results["indices/coupling"].copy()
    scores.loc[("Hebei", 2015)] = [first, 0.0]
    coupling.loc[("Hebei", 2015), "beta"] = beta
    changed = results | {"indices/scores": scores, "indices/coupling": coupling}
    assert told in draw(trace(study, changed, "beta", "Hebei", 2015))


def test_a_constant_indicator_is_no_part_of_the_tree(provinces):
    study, results = provinces
    without = results["indices/normalised"].drop(columns="patents")
    posts = results["indices/goalposts"].copy()
    posts.loc[posts["indicator"] == "patents", "weight"] = 0.0
    changed = results | {"indices/normalised": without, "indices/goalposts": posts}
    assert "normalised:patents" not in quantities(study, changed)
    names_below = [n["name"] for n in walk(trace(study, changed, "technology", "Hebei", 2015))]
    assert "derived:patents" not in names_below and "normalised:rd_intensity" in names_below


def test_a_cell_that_was_read_with_a_change_shows_what_is_printed(provinces):
    study, results = provinces
    lineage = results["data/lineage"].copy()
    mine = (lineage["series"] == "gdp") & (lineage["entity"] == "Hebei") & (lineage["year"] == 2015)
    assert mine.sum() == 1
    lineage.loc[mine, ["raw", "changes"]] = ["26,398.4", "thousands separator removed"]
    text = draw(trace(study, results | {"data/lineage": lineage}, "gdp", "Hebei", 2015))
    assert "printed '26,398.4': thousands separator removed" in text
