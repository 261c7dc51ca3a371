"""From an index value down to raw cells: the tree of what each value of a study is computed from.

Every column of the results is a `Quantity` that knows, for a year, the quantities it is computed
from; all of one entity. Trees are grown from these, here for the console and in the report's
script for the browser.
"""

import re
import textwrap
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from math import floor, log10
from pathlib import Path

import numpy as np
import pandas as pd

from tandem.errors import TandemError
from tandem.files import read
from tandem.panel.formula import inputs_of
from tandem.panel.lineage import LINEAGE, split_cell
from tandem.sources.regions import find_province
from tandem.study import Study

NEEDED = (
    "data/panel", "data/lineage",
    "indices/goalposts", "indices/normalised", "indices/scores", "indices/coupling",
    "indices/structure",
)  # fmt: skip
COUPLING = {
    "standard": "geometric over arithmetic mean of the scores",
    "wang": "√((1 − mean gap between scores) × (Π score / largest score)^(1/(n−1)))",
    "fan": "1 − 2 × standard deviation of the scores",
}
STRUCTURE = {
    "ts": "tertiary over secondary value added",
    "hierarchy": "share of primary + 2 × secondary + 3 × tertiary",
    "fu": "Fu's angle of the three shares, in radians",
    "moore": "angle between the shares of this year and the year before, in radians",
    "theil": "Σ share of value added × ln(share of value added / share of employment)",
    "deviation": "Σ |share of value added / share of employment − 1|",
}
OUTSIDE = "; x lies outside and counts as the goalpost"
BLANK = dict.fromkeys(("vintage", "cell", "raw", "changes", "source", "flag"), "")
NO_ROW = BLANK | {
    "published": np.nan,
    "factor": np.nan,
    "rule": "missing",
    "changes": "outside the study's years",
}
Input = tuple[str, int, float | None]  # key, year, weight in a sum


@dataclass(frozen=True)
class Quantity:
    """One column of the results.

    Attributes
    ----------
    key
        Kind and name, e.g. "score:technology", "derived:patents", "published:gdp"; the degrees and
        T bear their column's name.
    label, unit
        As the study and the codebook write them.
    how
        Rule or formula in words.
    values
        Series (entity, year).
    inputs
        For a year, the (key, year, weight) of what the value is computed from; weight is None
        outside weighted sums.
    goalposts
        Minimum, maximum (normalised indicators only).
    """

    key: str
    label: str
    unit: str
    how: str
    values: pd.Series
    inputs: Callable[[int], list[Input]]
    goalposts: tuple[float, float] | None = None

    def at(self, entity: str, year: int) -> float:
        """The value, NaN where there is none."""
        return float(self.values.get((entity, year), np.nan))


def read_results(study: str, folder: Path) -> dict[str, pd.DataFrame]:
    """The results that trees are grown from, by path without ending.

    Raises
    ------
    TandemError
        If the study has not been run.
    """
    absent = [name for name in NEEDED if not (folder / f"{name}.csv").is_file()]
    if absent:
        raise TandemError(
            f"There are no results of '{study}' yet ({folder / absent[0]}.csv is missing); "
            f"run `make STUDY={study}` first."
        )
    return {name: read(folder / f"{name}.csv") for name in NEEDED}


def quantities(study: Study, results: dict[str, pd.DataFrame]) -> dict[str, Quantity]:
    """Every quantity of a study that can be traced, from the degrees down to published series.

    Parameters
    ----------
    results : dict of DataFrame
        As `read_results` or `tandem.report.store.load` return them.

    Raises
    ------
    TandemError
        If the results are of an older version of the study.
    """
    lineage = results["data/lineage"]
    absent = [n for n in study.used_series if n not in results["data/panel"]]
    absent += [n for n in study.base_series if n not in set(lineage["series"])]
    absent += [n for n in study.systems if n not in results["indices/scores"]]
    absent += [column for column in LINEAGE if column not in lineage]
    absent += {"weight"} - set(results["indices/goalposts"])
    if absent:
        raise TandemError(
            f"The results are older than the study or than tandem: they lack '{absent[0]}'; run "
            "make again."
        )
    found = [
        *_degrees(study, results["indices/coupling"]),
        *_scores(study, results["indices/scores"], results["indices/goalposts"]),
        *_derived(study, results["data/panel"]),
        *_normalised(study, results),
        *_structure(study, results["indices/structure"]),
        *_published(lineage),
    ]
    return {quantity.key: quantity for quantity in found}


def _degrees(study: Study, coupling: pd.DataFrame) -> list[Quantity]:
    scores = [f"score:{name}" for name in study.systems]
    shares = study.coupling.shares or [1 / len(scores)] * len(scores)

    def both(year: int) -> list[Input]:
        return [(key, year, None) for key in scores]

    def shared(year: int) -> list[Input]:
        return [(key, year, share) for key, share in zip(scores, shares, strict=True)]

    def degree(model: str) -> Callable[[int], list[Input]]:
        return lambda year: [(f"C_{model}", year, None), ("T", year, None)]

    models = sorted(COUPLING, key=lambda m: m != study.coupling.model)
    rows = [(f"D_{m}", f"Coordination degree D ({m})", "√(C × T)", degree(m)) for m in models]
    rows += [(f"C_{m}", f"Coupling degree C ({m})", COUPLING[m], both) for m in models]
    rows += [("T", "Comprehensive index T", "Σ share × score", shared)]
    if "beta" in coupling:
        rows += [("beta", "Relative development beta", "first score over second", both)]
    return [Quantity(k, label, "", how, coupling[k], inputs) for k, label, how, inputs in rows]


def _scores(study: Study, scores: pd.DataFrame, posts: pd.DataFrame) -> list[Quantity]:
    found = []
    for name, system in study.systems.items():
        mine = posts[(posts["system"] == name) & (posts["weight"] > 0)]
        weights = [
            (f"normalised:{i}", float(w))
            for i, w in zip(mine["indicator"], mine["weight"], strict=True)
        ]

        def weighted(year: int, weights=weights) -> list[Input]:
            return [(key, year, weight) for key, weight in weights]

        how = f"Σ weight × normalised indicator ({study.coupling.weights} weights)"
        found.append(Quantity(f"score:{name}", system.label.en, "", how, scores[name], weighted))
    return found


def _normalised(study: Study, results: dict[str, pd.DataFrame]) -> list[Quantity]:
    found = []
    for post in results["indices/goalposts"].itertuples():
        name, low, high = post.indicator, float(post.minimum), float(post.maximum)
        if name not in results["indices/normalised"]:  # a constant indicator has no weight
            continue
        fraction = "(x − min) / (max − min)" if post.direction == "+" else "(max − x) / (max − min)"
        values = results["data/panel"][name]
        ends = [
            f"{word} {readable(end)}{_set_by(values, end)}"
            for word, end in (("min", low), ("max", high))
        ]

        def raw(year: int, name=name) -> list[Input]:
            return [(f"derived:{name}", year, None)]

        found.append(
            Quantity(
                f"normalised:{name}",
                f"{study.series[name].label.en}, normalised",
                "",
                f"{fraction}, {', '.join(ends)}",
                results["indices/normalised"][name],
                raw,
                (low, high),
            )
        )
    return found


def _set_by(values: pd.Series, end: float) -> str:
    """The entity and year that a goalpost comes from, if it is in the data."""
    same = values.index[np.isclose(values, end, rtol=1e-12, atol=0)]
    if not len(same):
        return " (of the fitted data, not in the present)"
    more = f" and {len(same) - 1} more" if len(same) > 1 else ""
    return f" ({same[0][0]} {same[0][1]}{more})"


def _derived(study: Study, panel: pd.DataFrame) -> list[Quantity]:
    found = []
    for name, series in study.used_series.items():

        def inputs(year: int, formula=series.formula) -> list[Input]:
            return [(f"published:{base}", y, None) for base, y in inputs_of(formula, year)]

        found.append(
            Quantity(
                f"derived:{name}", series.label.en, series.unit, series.formula, panel[name], inputs
            )
        )
    return found


def _structure(study: Study, structure: pd.DataFrame) -> list[Quantity]:
    found = []
    for name in structure.dropna(axis=1, how="all"):
        base = study.structure + (study.employment if name in ("theil", "deviation") else [])
        back = (1, 0) if name == "moore" else (0,)

        def inputs(year: int, base=base, back=back) -> list[Input]:
            return [(f"published:{b}", year - k, None) for b in base for k in back]

        label = f"Structure of value added: {name}"
        found.append(
            Quantity(f"structure:{name}", label, "", STRUCTURE[name], structure[name], inputs)
        )
    return found


def _published(lineage: pd.DataFrame) -> list[Quantity]:
    return [
        Quantity(
            f"published:{name}",
            name,
            rows["unit"].iloc[0],
            "as published",
            rows.set_index(["entity", "year"])["value"],
            lambda year: [],
        )
        for name, rows in lineage.groupby("series")
    ]


def find_quantity(name: str, found: dict[str, Quantity]) -> Quantity:
    """The quantity that a user means by a name.

    Parameters
    ----------
    name : str
        A key, a key without its kind (the topmost of that name is taken), or C or D for those of
        the study's coupling model.

    Raises
    ------
    TandemError
        Naming the nearest known name.
    """
    known = names(found)
    if name not in known:
        raise TandemError(f"There is no series '{name}'; {_hint(name, list(known))}")
    return found[known[name]]


def names(found: dict[str, Quantity]) -> dict[str, str]:
    """Key of each name that a quantity goes by; of two with one name the topmost has it."""
    known: dict[str, str] = {}
    for key in found:
        short = key[0] if key.startswith(("C_", "D_")) else key.split(":")[-1]
        known.setdefault(key, key)
        known.setdefault(short, key)
    return known


def find_entity(name: str, quantity: Quantity) -> str:
    """The entity of a name, Chinese names of provinces included.

    Raises
    ------
    TandemError
        Naming the nearest known name.
    """
    known = sorted(quantity.values.index.unique("entity"))
    english = (find_province(name) or ("", name))[1]
    if english not in known:
        raise TandemError(f"There is no region '{name}' in the study; {_hint(name, known)}")
    return english


def _hint(name: str, known: list[str]) -> str:
    folded = {k.casefold(): k for k in reversed(known)}
    near = get_close_matches(name.casefold(), folded, n=1, cutoff=0.5)
    return f"did you mean '{folded[near[0]]}'?" if near else f"there are: {', '.join(known)}."


def trace(
    study: Study, results: dict[str, pd.DataFrame], series: str, region: str, year: int
) -> dict:
    """The tree from one value down to raw cells.

    Parameters
    ----------
    results : dict of DataFrame
        As `read_results` returns them.
    series : str
        C, D, T, a column of indices/coupling.csv, a system, a derived or a published series; with
        its kind before it (``normalised:patents``, ``published:gdp``) where a name is not unique.
    region : str
        An entity of the study, by the name in the results or, for provinces, in Chinese.
    year : int

    Returns
    -------
    dict
        name, label, entity, year, value (NaN where missing), unit, weight (in the parent's sum, or
        None), how, children. Normalised indicators also have goalposts (minimum, maximum). Leaves
        are published values: also published (before chaining), factor, file, sheet, cell, raw (the
        cell's text, where reading it changed anything), changes, source, vintage, flag.

    Raises
    ------
    TandemError
        On an unknown series, region or year, naming the nearest known one.
    """
    found = quantities(study, results)
    quantity = find_quantity(series, found)
    entity = find_entity(region, quantity)
    first, last = window(results)
    if not first <= year <= last:
        nearest = min(max(year, first), last)
        raise TandemError(
            f"The study has the years {first}-{last}, not {year}; the nearest is {nearest}."
        )
    lineage = results["data/lineage"]
    rows = with_blanks(lineage[lineage["entity"] == entity]).to_dict("records")
    leaves = {(f"published:{row['series']}", row["year"]): leaf(row) for row in rows}
    return _grow(found, leaves, entity, (quantity.key, year, None))


def window(results: dict[str, pd.DataFrame]) -> tuple[int, int]:
    """First and last year of the results; a study's own last year may be "latest"."""
    years = results["data/panel"].index.unique("year")
    return int(years.min()), int(years.max())


def _grow(found: dict[str, Quantity], leaves: dict, entity: str, wanted: Input) -> dict:
    key, year, weight = wanted
    quantity = found[key]
    node = {
        "name": key,
        "label": quantity.label,
        "entity": entity,
        "year": year,
        "value": quantity.at(entity, year),
        "unit": quantity.unit,
        "weight": weight,
        "how": quantity.how,
        "children": [_grow(found, leaves, entity, i) for i in quantity.inputs(year)],
    }
    if quantity.goalposts:
        node["goalposts"] = quantity.goalposts
        low, high = quantity.goalposts
        if not low <= node["children"][0]["value"] <= high and not np.isnan(node["value"]):
            node["how"] += OUTSIDE
    if key.startswith("published:"):
        node |= leaves.get((key, year), leaf(NO_ROW))
    return node


def with_blanks(lineage: pd.DataFrame) -> pd.DataFrame:
    """The lineage with "" where a file read again has no word."""
    words = list(BLANK)
    return lineage.assign(**lineage[words].astype(object).fillna(""))


def leaf(row: dict) -> dict:
    """What there is to say about a published value: a row of the lineage, with its cell split.

    Parameters
    ----------
    row : dict
        A row of `tandem.panel.lineage.base_lineage`, blank words as "".
    """
    how = row["rule"]
    if how == "chained":
        how = f"chained to {row['footing']} in {row['link']:.0f}: published "
        how += f"{readable(row['published'], 12)} × {row['factor']:.6g}"
    if how == "missing":
        how = f"missing: {row['changes'] or 'no table in use prints it'}"
    place = dict(zip(("file", "sheet", "cell"), split_cell(row["cell"]), strict=True))
    kept = ("published", "factor", "raw", "changes", "source", "vintage", "flag")
    return {"how": how, **place, **{name: row[name] for name in kept}}


def missing_leaves(node: dict) -> list[dict]:
    """The published values that a missing value lacks, each once."""
    if not node["children"]:
        return [node] if np.isnan(node["value"]) else []
    leaves = [leaf for child in node["children"] for leaf in missing_leaves(child)]
    return list({(leaf["name"], leaf["year"]): leaf for leaf in leaves}.values())


def readable(value: float, digits: int = 6) -> str:
    """A number with grouped thousands and `digits` significant digits, at least the whole part."""
    if np.isnan(value):
        return "missing"
    if np.isinf(value):
        return "∞" if value > 0 else "-∞"
    if value != 0 and abs(value) < 1e-4:
        return f"{value:.3g}"
    whole = floor(log10(abs(value))) + 1 if value else 1
    text = f"{value:,.{max(0, digits - max(whole, 0))}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def draw(node: dict, width: int = 100) -> str:
    """The tree as text, with box-drawing characters; a subtree that stands above is not repeated.

    Parameters
    ----------
    node : dict
        From `trace`.
    width : int
        Columns of the screen; longer lines are broken between words.
    """
    lines = [node["entity"], *_draw(node, "", "", width, set())]
    if node["children"] and np.isnan(node["value"]):
        lines += ["", "Missing because of:"]
        if not missing_leaves(node):
            lines.append("  a division of 0 by 0; all that it is computed from is there")
        for leaf in missing_leaves(node):
            why = f"{leaf['label']}, {leaf['year']}: {leaf['how'].removeprefix('missing: ')}"
            lines += _wrapped("; ".join([why, *_origin(leaf)]), "  ", "    ", width)
    return "\n".join(lines)


def _draw(node: dict, head: str, below: str, width: int, seen: set) -> list[str]:
    again = (node["name"], node["year"]) in seen
    seen.add((node["name"], node["year"]))
    texts = [_title(node) + (" (as above)" if again else "")]
    if not again:
        texts += [node["how"], *_origin(node)]
    children = [] if again else node["children"]
    lines, bar = [], below + ("│  " if children else "   ")
    for i, text in enumerate(texts):
        first = head if i == 0 else bar + "  "
        lines += _wrapped(text, first, bar + "  ", width)
    for child in children:
        last = child is children[-1]
        marks = ("└─ ", "   ") if last else ("├─ ", "│  ")
        lines += _draw(child, below + marks[0], below + marks[1], width, seen)
    return lines


def _title(node: dict) -> str:
    digits = 12 if node["name"].startswith("published:") else 6
    weight = f"{node['weight']:.4f} × " if node["weight"] is not None else ""
    unit = f" {node['unit']}" if node["unit"] and not np.isnan(node["value"]) else ""
    return f"{weight}{node['label']}, {node['year']} = {readable(node['value'], digits)}{unit}"


def _origin(node: dict) -> list[str]:
    """Lines on the cell that a published value stands in."""
    if not node.get("file"):
        return []
    sheet = f" sheet {node['sheet']}" if node["sheet"] else ""
    lines = [f"{node['file']}{sheet} cell {node['cell']}"]
    if node["raw"]:
        lines.append(f"printed '{node['raw']}': {node['changes']}")
    if node["source"]:
        about = [node["source"], f"vintage {node['vintage']}", node["flag"]]
        lines.append("; ".join(filter(None, about)))
    return lines


def _wrapped(text: str, first: str, other: str, width: int) -> list[str]:
    """Lines of at most `width` columns; a Chinese character takes two."""
    room = max(20, width - _columns(other))
    wide = re.sub(r"[^\x00-\x7f]", lambda m: m[0] + "\0" * (_columns(m[0]) - 1), text)
    lines = textwrap.wrap(wide, room, break_long_words=False, break_on_hyphens=False) or [""]
    return [(first if i == 0 else other) + x.replace("\0", "") for i, x in enumerate(lines)]


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
