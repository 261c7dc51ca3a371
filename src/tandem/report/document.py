"""The one-file HTML report: texts in the template, tables and figures from the results."""

import hashlib
import re
import sys
from importlib.metadata import version
from pathlib import Path

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from tandem.analysis.two_way import two_way_terms
from tandem.files import read
from tandem.report.claims import claim_facts
from tandem.report.languages import glossary, speech, translate
from tandem.report.lineage_view import embedded, lineage_view
from tandem.report.store import degree, label, load, main_models, records, verdicts
from tandem.study import Study

NAMESPACES = (
    'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
    'aria-hidden="true"'
)
PACKAGES = ("snakemake", "pandas", "numpy", "scipy", "statsmodels", "linearmodels", "matplotlib")


def make_report(study: Study, folder: str | Path, codebook: pd.DataFrame | None = None) -> str:
    """HTML of a study's report, self-contained: no script, font or picture from elsewhere.

    Parameters
    ----------
    folder : path
        The study's results, with tables/ and figures/ already written.
    codebook : DataFrame, optional
        As `tandem.sources.read_codebook` gives it; its Chinese labels go into the report.
    """
    folder = Path(folder)
    results = load(folder)
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent, encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    known = glossary(study, codebook)
    environment.filters["translate"] = lambda text: translate(text, known)
    tables = {p.stem: _table(p) for p in sorted((folder / "tables").glob("*.html"))}
    figures = {p.stem: _svg(p) for p in sorted((folder / "figures").glob("*.svg"))}
    return environment.get_template("report.html.j2").render(
        study=study,
        results=results,
        tables=tables,
        figures=figures,
        label=lambda name: label(study, name),
        verdicts=_verdicts(study, results, folder),
        main_models=main_models(study),
        facts=_facts(study, results, folder),
        glossary=known,
        sources=_sources(folder / "tables"),
        details=_details(study, results, folder),
        lineage=lineage_view(study, results),
        claims=claim_facts(study, results),
        changed={p.stem: read(p) for p in sorted((folder / "changes").glob("*.csv"))},
        embedded=embedded,
        contents=_contents,
        unplaced=lambda body: _unplaced(body, tables, figures),
        p=lambda p: "p < 0.001" if p < 0.001 else f"p = {p:.3f}",
        number=lambda form, value: (form % value).replace("-", "\N{MINUS SIGN}"),
        **speech(environment, known),
    )


def _details(study: Study, results: dict[str, pd.DataFrame], folder: Path) -> dict[str, dict]:
    """What the table of all methods has no room for, by "direction|model": errors and samples."""
    if not study.models.regressions:
        return {}
    terms, models = records(folder)
    sample = models.pivot(index=["table", "model"], columns="statistic", values="value")
    details = {}
    for row in two_way_terms(study, results["indices/scores"], terms).itertuples():
        about = sample.loc[(row.table, row.record)]
        shown = {
            "s.e.": f"{row.std_error:.3f}",
            "n": about["n_obs"],
            "entities": about["n_entities"],
        }
        details[f"{row.direction}|{row.model}"] = list(shown.items())
    return {"two_way": details}


def _sources(folder: Path) -> dict[str, dict[str, str]]:
    """What the copy buttons give: each table's .tex and .csv, as they stand in the folder."""
    return {
        kind: {p.stem: p.read_text(encoding="utf-8") for p in sorted(folder.glob(f"*.{kind}"))}
        for kind in ("tex", "csv")
    }


def _contents(body: str) -> list[dict]:
    """Headings with an id, those of the third level below those of the second."""
    found = []
    for level, name, words in re.findall(r'<h([23]) id="([^"]+)"[^>]*>(.*?)</h\1>', body, re.S):
        one = {"id": name, "words": Markup(words), "below": []}
        if level == "3" and found:
            found[-1]["below"].append(one)
        else:
            found.append(one)
    return found


def _unplaced(body: str, tables: dict, figures: dict) -> dict[str, list[str]]:
    """Tables and figures that no section has shown, so that none is ever left out."""
    return {
        "tables": [name for name in tables if f'id="table-{name}"' not in body],
        "figures": [name for name in figures if f'id="figure-{name}"' not in body],
    }


def _verdicts(study: Study, results: dict[str, pd.DataFrame], folder: Path) -> list[dict]:
    if not study.models.regressions:
        return []
    terms, _ = records(folder)
    return verdicts(study, two_way_terms(study, results["indices/scores"], terms))


def _facts(study: Study, results: dict[str, pd.DataFrame], folder: Path) -> dict:
    """Numbers that the report's sentences hold."""
    panel, coupling = (
        results["data/panel"],
        results["indices/coupling"].dropna(subset=[degree(study)]),
    )
    years = coupling.index.get_level_values("year")
    ends = [coupling.xs(y, level="year") for y in (years.min(), years.max())]
    checks = results["data/checks"]
    null = results["indices/null"].set_index("statistic")
    return {
        "entities": panel.index.get_level_values("entity").nunique(),
        "years": panel.index.get_level_values("year").nunique(),
        "observations": len(results["data/observations"]),
        "files": results["data/observations"]["cell"].str.split("!").str[0].nunique(),
        "gaps": int(panel.isna().sum().sum()),
        "cells": int(panel.size),
        "checks": len(checks),
        "checks_failed": int((~checks["passed"]).sum()),
        "ledger": results["data/ledger"]["rule"].str.split(":").str[0].value_counts().to_dict(),
        "first": int(years.min()),
        "last": int(years.max()),
        "null_D": float(null.at["D", "null_mean"]) if len(null) else None,
        "all_D": float(null.at["D", "observed"]) if len(null) else None,
        "D": [float(e[degree(study)].mean()) for e in ends],
        "python": f"{sys.version_info[0]}.{sys.version_info[1]}",
        "packages": {p: version(p) for p in PACKAGES},
        "against_line": _against_line(study, results),
        "sample_hash": hashlib.sha256((folder / "data/panel.csv").read_bytes()).hexdigest()[:16],
    }


def _against_line(study: Study, results: dict[str, pd.DataFrame]) -> dict[str, dict]:
    """For each drawing with a line: years at hand and missing, the largest value and its year."""
    facts = {}
    for name, spec in study.published.items():
        if spec.line is None:
            continue
        printed = results["data/printed"]
        values = [printed.loc[printed["figure"] == name].set_index("year")["value"]]
        values += [results["data/panel"][d].dropna().droplevel("entity") for d in spec.derived]
        all_values = pd.concat(values)
        years = sorted(set(all_values.index))
        facts[name] = {
            "years": years,
            "missing": sorted(set(range(years[0], years[-1] + 1)) - set(years)),
            "largest": float(all_values.max()),
            "when": int(all_values.idxmax()),
        }
    return facts


def _table(path: Path) -> Markup:
    """The fragment, its notes in a block of their own that stays in sight beside a wide table."""
    text = path.read_text(encoding="utf-8")
    note = r'(<td colspan="\d+">)(.*?)(</td></tr>)'
    return Markup(re.sub(note, r'\1<div class="said">\2</div>\3', text))


def _svg(path: Path) -> Markup:
    """The drawing without its prolog; ids carry the figure's name, so that none stands twice."""
    text = path.read_text(encoding="utf-8")
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.S)
    text = re.sub(r'\bid="trace:', 'data-trace="', text)
    text = re.sub(r'\bid="', f'id="{path.stem}-', text)
    text = re.sub(r'(href="#|url\(#)', rf"\g<1>{path.stem}-", text)
    return Markup(re.sub(r"<svg [^>]*?viewBox", f"<svg {NAMESPACES} viewBox", text, count=1))
