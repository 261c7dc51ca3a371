"""The trees of `tandem.trace` in the report: a click on a value opens where it comes from."""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from tandem.report.store import degree
from tandem.report.study_tables import coupling_headings
from tandem.study import Study
from tandem.trace import NO_ROW, OUTSIDE, Quantity, leaf, names, quantities, window, with_blanks

TEMPLATE = Path(__file__).with_name("lineage_view.html.j2")


def lineage_view(study: Study, results: dict[str, pd.DataFrame]) -> Markup:
    """HTML fragment: data, style, dialog and script, to stand at the end of the report's body.

    The script makes buttons of scores, C and D in the tables of `_tables`, and of every element
    with ``data-trace="quantity|entity or region|year"``; in a drawing the years of a line's markers
    are joined by commas. Without the script the page is unchanged.

    Parameters
    ----------
    results : dict of DataFrame
        As `tandem.report.store.load` returns them.
    """
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    return Markup(template.render(data=embedded(_finite(view_data(study, results)))))


def embedded(data) -> Markup:
    """JSON that may stand in a script element: compact, and without a tag."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))


def view_data(study: Study, results: dict[str, pd.DataFrame]) -> dict:
    """What the script grows trees from.

    Returns
    -------
    dict
        first (year), years (how many), entities, regions {name: positions of its entities};
        quantities, each {key, label, unit, how, values,
        inputs[, goalposts][, origin, cells, notes]}: values run over entities, then years; inputs
        are one list for all years or one a year, of [quantity, years from now[, weight]]; origin
        and cells say where each published value stands, notes {position: [how, raw, changes]}
        where it was not simply taken as published; origins (file, sheet, source, vintage, flag);
        names; tables (id, columns by heading, what the label columns hold, and the entity or year
        of the whole table).
    """
    found = quantities(study, results)
    first, last = window(results)
    entities = sorted(results["data/panel"].index.unique("entity"))
    every = pd.MultiIndex.from_product([entities, range(first, last + 1)])
    place = {key: i for i, key in enumerate(found)}
    packed = [_pack(q, every, place) for q in found.values()]
    origins = _add_cells(packed, results["data/lineage"], every)
    return {
        "first": first,
        "years": last - first + 1,
        "entities": entities,
        "regions": {
            region: [entities.index(e) for e in members if e in entities]
            for region, members in study.panel.groups.items()
        },
        "quantities": packed,
        "origins": origins,
        "names": {name: place[key] for name, key in names(found).items()},
        "tables": _tables(study, results["indices/coupling"], place),
        "outside": OUTSIDE,
    }


def _pack(quantity: Quantity, every: pd.MultiIndex, place: dict[str, int]) -> dict:
    digits = 12 if quantity.key.startswith("published:") else 8
    values = quantity.values.reindex(every).to_numpy(float)
    inputs = [
        [
            [place[key], at - year] if weight is None else [place[key], at - year, round(weight, 8)]
            for key, at, weight in quantity.inputs(year)
        ]
        for year in every.unique(1)
    ]
    packed = {
        "key": quantity.key,
        "label": quantity.label,
        "unit": quantity.unit,
        "how": quantity.how,
        "values": [None if np.isnan(v) else _short(v, digits) for v in values],
        "inputs": inputs[:1] if all(i == inputs[0] for i in inputs) else inputs,
    }
    return packed | ({"goalposts": quantity.goalposts} if quantity.goalposts else {})


def _short(value: float, digits: int) -> float | int:
    """A number with so many significant digits, whole ones without a point."""
    short = float(f"{value:.{digits}g}")
    return int(short) if short.is_integer() else short


def _add_cells(packed: list[dict], lineage: pd.DataFrame, every: pd.MultiIndex) -> list[list[str]]:
    """Give published quantities origin, cells and notes; returns the origins they point to."""
    position = {pair: i for i, pair in enumerate(every)}
    origins: dict[tuple, int] = {}
    rows = {key: rows for key, rows in with_blanks(lineage).groupby("series")}
    for quantity in packed:
        if not quantity["key"].startswith("published:"):
            continue
        leaves = [leaf(NO_ROW)] * len(every)
        for row in rows[quantity["key"].removeprefix("published:")].to_dict("records"):
            leaves[position[(row["entity"], row["year"])]] = leaf(row)
        about = [
            tuple(x[k] for k in ("file", "sheet", "source", "vintage", "flag")) for x in leaves
        ]
        origin = [origins.setdefault(a, len(origins)) for a in about]
        quantity["origin"] = origin[:1] if len(set(origin)) == 1 else origin
        quantity["cells"] = [x["cell"] for x in leaves]
        quantity["notes"] = {
            i: [x["how"], x["raw"], x["changes"]]
            for i, x in enumerate(leaves)
            if x["how"] != "as published" or x["raw"]
        }
    return [list(origin) for origin in origins]


def _tables(study: Study, coupling: pd.DataFrame, place: dict[str, int]) -> list[dict]:
    """Which column of which table shows which quantity."""
    known = {name: place[key] for key in place for name in (key, key.removeprefix("score:"))}
    headings = {coupling_headings(study).get(c, c): known[c] for c in coupling if c in known}
    complete = coupling.dropna(subset=[degree(study)]).index
    if not len(complete):
        return []
    last, only = int(complete.get_level_values("year").max()), coupling.index.unique("entity")[0]
    drawn = {"D": known[degree(study)]}
    return [
        {"id": "coupling_entities", "columns": headings, "labels": ["entity"], "year": last},
        {"id": "coupling_years", "columns": headings, "labels": ["year"], "entity": only},
        {"id": "coupling_regions", "columns": headings, "labels": ["entity", "year"]},
        {"id": "uncertainty_entities", "columns": drawn, "labels": ["entity"], "year": last},
        {"id": "uncertainty_years", "columns": drawn, "labels": ["year"], "entity": only},
    ]


def _finite(value):
    """The same with None for what JSON cannot say: a missing number."""
    if isinstance(value, dict):
        return {key: _finite(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
