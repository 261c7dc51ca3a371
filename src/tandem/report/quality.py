"""quality.html: what the data are worth, on one page without script or outside request."""

import math
from pathlib import Path

import pandas as pd
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape

from tandem.sources.schemas import place
from tandem.study import Study

TEMPLATE = Path(__file__).with_name("quality.html.j2")
STYLE = Path(__file__).with_name("report.css")  # both pages share it
LARGEST = 20


def make_quality(frames: dict[str, pd.DataFrame], study: Study) -> str:
    """HTML page on a study's data: coverage, gaps, checks, suspects, revisions, breaks, ledger.

    Parameters
    ----------
    frames : dict of DataFrame
        As `tandem.files.read` gives them from results/<study>/data/: observations, ledger, checks,
        suspects, panel, published, vintages, and where there are any not_comparable, splices,
        revisions, breaks. A frame that is absent or empty leaves a sentence in its place.
    study : Study
        Gives title, labels and units.

    Returns
    -------
    str
    """
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"number": number, "place": place, "breakable": breakable}
    checks, suspects = _texts(frames["checks"]), _texts(frames.get("suspects", pd.DataFrame()))
    panel = frames["panel"]
    labels = {name: s.label.en for name, s in study.used_series.items()}
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        study=study,
        style=Markup(STYLE.read_text(encoding="utf-8")),
        facts=_facts(frames, checks, suspects),
        matrices=[
            ("Series of the panel", coverage_matrix(panel, labels)),
            ("Published series they rest on", coverage_matrix(frames["published"], {})),
        ],
        gaps=gaps(panel, labels),
        failed=checks[~checks["passed"]].sort_values("accepted").to_dict("records"),
        groups=_groups(checks),
        suspects={kind: _kind(suspects, kind) for kind in ("unit", "jump")},
        not_comparable=_texts(frames.get("not_comparable", pd.DataFrame())),
        revisions=_revisions(frames.get("revisions")),
        tables={name: _texts(frames.get(name, pd.DataFrame())) for name in _GENERIC},
        ledger=_ledger(frames["ledger"]),
    )


_GENERIC = ("breaks", "splices", "vintages")


def number(value) -> str:
    """A figure for reading: at most six digits, thousands separated; text as it is."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    digits = max(0, min(6, 5 - math.floor(math.log10(abs(value)))))
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if float(text.replace(",", "")) else f"{value:.2g}"


def breakable(name: str) -> Markup:
    """A name that a narrow column may break after an underscore."""
    return Markup("_<wbr>").join(escape(part) for part in name.split("_"))


def coverage_matrix(panel: pd.DataFrame, labels: dict[str, str]) -> dict:
    """Entities with a value, by series and year, and which ones have none.

    Parameters
    ----------
    panel : DataFrame (entity-years, series)
    labels : dict of str
        What to call a series; its name where it has none.

    Returns
    -------
    dict
        years, entities (their number), rows: (label, name, cells), a cell being (count, share in
        percent, names of the missing entities).
    """
    entities = panel.index.get_level_values("entity").unique()
    years = sorted(panel.index.get_level_values("year").unique())
    rows = []
    for name in panel.columns:
        wide = panel[name].unstack("year").reindex(index=entities, columns=years)
        cells = []
        for year in years:
            missing = list(wide.index[wide[year].isna()])
            count = len(entities) - len(missing)
            cells.append((count, round(100 * count / len(entities)), missing))
        rows.append((labels.get(name, name), name, cells))
    return {"years": years, "entities": len(entities), "rows": rows}


def gaps(panel: pd.DataFrame, labels: dict[str, str]) -> list[tuple[str, str, str, int]]:
    """Missing values in words: (series, years, entities, values), years with the same gap joined.

    Parameters
    ----------
    panel, labels
        As in `coverage_matrix`.
    """
    matrix = coverage_matrix(panel, labels)
    found = []
    for label, _, cells in matrix["rows"]:
        by_entities: dict[tuple, list[int]] = {}
        for year, (_, _, missing) in zip(matrix["years"], cells, strict=True):
            if missing:
                by_entities.setdefault(tuple(missing), []).append(year)
        for missing, years in by_entities.items():
            every = len(missing) == matrix["entities"] > 1
            who = f"all {len(missing)}" if every else ", ".join(missing)
            found.append((label, _spans(years), who, len(missing) * len(years)))
    return found


def _spans(years: list[int]) -> str:
    """Years with runs joined: 2004-2006, 2010."""
    runs: list[list[int]] = []
    for year in years:
        if runs and runs[-1][-1] == year - 1:
            runs[-1].append(year)
        else:
            runs.append([year])
    return ", ".join(f"{r[0]}-{r[-1]}" if len(r) > 1 else str(r[0]) for r in runs)


def _texts(frame: pd.DataFrame) -> pd.DataFrame:
    """Blank text comes back from a CSV as NaN; it is text again."""
    frame = frame.reset_index() if frame.index.names != [None] else frame
    if "passed" in frame:  # without a row a column read from a file has no type
        frame = frame.assign(passed=frame["passed"].astype(bool))
    if "passed" in frame and "accepted" not in frame:
        frame = frame.assign(accepted="")
    text = [name for name in frame if not pd.api.types.is_numeric_dtype(frame[name])]
    text += [name for name in ("accepted", "cells") if name in frame and name not in text]
    return frame.assign(**{name: frame[name].astype(object).fillna("") for name in text})


def _kind(suspects: pd.DataFrame, kind: str) -> list[dict]:
    return suspects[suspects["kind"] == kind].to_dict("records") if len(suspects) else []


def _facts(frames, checks, suspects) -> dict:
    panel, observations = frames["panel"], frames["observations"]
    failed = ~checks["passed"]
    accepted = checks["accepted"] != ""
    kinds = suspects["kind"].value_counts() if len(suspects) else {}
    years = panel.index.get_level_values("year")
    return {
        "checks": len(checks),
        "rules": checks["check"].nunique(),
        "passed": int(checks["passed"].sum()),
        "failed": int((failed & ~accepted).sum()),
        "accepted": int((failed & accepted).sum()),
        "units": int(kinds.get("unit", 0)),
        "jumps": int(kinds.get("jump", 0)),
        "observations": len(observations),
        "files": observations["cell"].str.split("!").str[0].nunique(),
        "entities": panel.index.get_level_values("entity").nunique(),
        "first": int(years.min()),
        "last": int(years.max()),
        "cells": int(panel.size),
        "gaps": int(panel.isna().sum().sum()),
    }


def _groups(checks: pd.DataFrame) -> list[dict]:
    """One line a rule, failed ones first: cases, and the case nearest to or beyond tolerance."""
    lines = []
    for check, rows in checks.groupby("check", sort=False):
        at_most = "<=" in check
        worst = rows.loc[(rows["difference"].abs() - rows["tolerance"]).idxmax()]
        lines.append(
            {
                "check": check,
                "cases": len(rows),
                "passed": int(rows["passed"].sum()),
                "accepted": int((rows["accepted"] != "").sum()),
                "difference": "" if at_most else abs(worst["difference"]),
                "tolerance": "" if at_most else worst["tolerance"],
                "where": "" if at_most or not worst["difference"] else worst["where"],
            }
        )
    return sorted(lines, key=lambda g: g["passed"] == g["cases"])


def _revisions(revisions: pd.DataFrame | None) -> dict:
    """The largest revisions, and a summary by entity."""
    if revisions is None or revisions.empty or "gap" not in revisions:
        return {"n": 0}
    table = _texts(revisions)
    size = table["gap"].abs()
    largest = table.loc[size.sort_values(ascending=False, kind="stable").index[:LARGEST]]
    by_entity = size.groupby(table["entity"]).agg(values="size", median="median", largest="max")
    by_entity["revised"] = size[size > 0].groupby(table["entity"]).size()
    by_entity = by_entity.fillna({"revised": 0}).sort_values(
        ["median", "largest"], ascending=False, kind="stable"
    )
    return {
        "n": len(table),
        "revised": int((size > 0).sum()),
        "largest": largest,
        "by_entity": by_entity.reset_index().to_dict("records"),
    }


def _as_text(value) -> str:
    """A figure that a CSV gave back as a number, as it was written."""
    return value if isinstance(value, str) else f"{value:.15g}"


def _ledger(ledger: pd.DataFrame) -> list[dict]:
    """One line a rule: how often, and its first example."""
    table = ledger.astype(object).where(ledger.notna(), "")
    table = table.assign(
        kind=ledger["rule"].str.split(":").str[0],
        **{name: [_as_text(v) for v in table[name]] for name in ("raw", "value")},
    )
    lines = [
        {"rule": rule, "count": len(rows), **rows.iloc[0].to_dict()}
        | {"rule": rule, "said": rows["rule"].iloc[0]}
        for rule, rows in table.groupby("kind", sort=False)
    ]
    return sorted(lines, key=lambda line: -line["count"])
