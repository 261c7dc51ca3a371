"""The report's trees: compact data that say what the results say, and inert text."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from tandem.analysis.panel import make_panel, observe
from tandem.analysis.scores import index_study
from tandem.panel.lineage import base_lineage
from tandem.report.lineage_view import lineage_view, view_data
from tandem.report.study_tables import _all_years, _last_year
from tandem.sources import read_codebook
from tandem.study import load_study
from tandem.trace import trace

ROOT = Path(__file__).parents[2]
MARKUP = "<script>alert('x')</script>"


@pytest.fixture(scope="module", params=["provinces", "nation"])
def case(request):
    study = load_study(ROOT / "studies" / f"{request.param}.yaml")
    observations, ledger, chosen = observe(study, ROOT / "data")
    made = make_panel(study, observations, chosen, read_codebook(ROOT / "data"))
    indices = index_study(study, made["panel"], made["published"])
    results = {f"data/{k}": v for k, v in made.items()}
    results |= {f"indices/{k}": v for k, v in indices.items()}
    results["data/lineage"] = base_lineage(study, observations, chosen, ledger)
    return study, results


def embedded(html):
    return json.loads(re.search(r'id="lineage-data">(.*?)</script>', html, re.S)[1])


def grown(data, index, entity, year):
    """The tree as the script grows it: (key, year, value, children)."""
    quantity, at = data["quantities"][index], year - data["first"]
    inside = 0 <= at < data["years"]
    value = quantity["values"][entity * data["years"] + at] if inside else None
    lists = quantity["inputs"]
    inputs = (lists[0] if len(lists) == 1 else lists[at]) if inside else []
    children = [grown(data, i, entity, year + k) for i, k, *_ in inputs]
    return quantity["key"], year, np.nan if value is None else value, children


def assert_same(compact, node):
    key, year, value, children = compact
    assert (key, year) == (node["name"], node["year"])
    assert value == pytest.approx(node["value"], rel=1e-7, abs=1e-12, nan_ok=True)
    for mine, its in zip(children, node["children"], strict=True):
        assert_same(mine, its)


def test_the_compact_data_grow_the_same_trees(case):
    study, results = case
    data = embedded(lineage_view(study, results))
    rng = np.random.default_rng(5)
    for index, quantity in enumerate(data["quantities"]):
        entity = int(rng.integers(len(data["entities"])))
        year = data["first"] + int(rng.integers(data["years"]))
        node = trace(study, results, quantity["key"], data["entities"][entity], year)
        assert_same(grown(data, index, entity, year), node)


def test_every_cell_of_the_lineage_is_in_the_data(case):
    study, results = case
    data = view_data(study, results)
    seen = 0
    for row in results["data/lineage"].itertuples():
        quantity = data["quantities"][data["names"][f"published:{row.series}"]]
        i = data["entities"].index(row.entity) * data["years"] + row.year - data["first"]
        origin = quantity["origin"][i if len(quantity["origin"]) > 1 else 0]
        file, sheet, source, vintage, _ = data["origins"][origin]
        place = f"{file}!{sheet}!{quantity['cells'][i]}" if file else ""
        assert (place, source, vintage) == (row.cell, row.source, row.vintage)
        seen += 1
    assert seen == len(results["data/panel"]) * len(study.base_series)


def test_the_data_keep_to_a_megabyte(case):
    assert len(lineage_view(*case).encode()) < 1_000_000


def test_the_columns_of_the_reports_tables_are_known(case):
    study, results = case
    coupling = results["indices/coupling"]
    one = coupling.index.unique("entity").size == 1
    table = (_all_years if one else _last_year)(study, coupling, [])
    data = view_data(study, results)
    spec = next(t for t in data["tables"] if t["id"] == table.name)
    shown = [heading for heading in table.columns if heading in spec["columns"]]
    assert len(shown) == 7  # two scores, C, three D, beta
    for row in table.rows:
        label = row[0].text
        where = (spec["entity"], int(label)) if one else (label, spec["year"])
        for heading in shown:
            key = data["quantities"][spec["columns"][heading]]["key"].removeprefix("score:")
            assert row[table.columns.index(heading)].value == coupling.at[where, key]


def test_a_name_in_markup_stays_text(case):
    study, results = case
    first = results["data/panel"].index.unique("entity")[0]
    renamed = {}
    for name, frame in results.items():
        if list(frame.index.names) == ["entity", "year"]:
            frame = frame.rename(index={first: MARKUP}, level="entity")
        elif "entity" in frame:
            frame = frame.assign(entity=frame["entity"].replace({first: MARKUP}))
        renamed[name] = frame
    html = lineage_view(study, renamed)
    assert MARKUP not in html and MARKUP in embedded(html)["entities"]
    assert "innerHTML" not in html
