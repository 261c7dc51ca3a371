"""The one-file HTML report: texts in the template, tables and figures from the results."""

import hashlib
import re
import sys
from importlib.metadata import version
from pathlib import Path

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from tandem.analysis.regressions import two_way_terms
from tandem.files import read
from tandem.report.claims import claim_facts
from tandem.report.lineage_view import lineage_view
from tandem.report.store import degree, label, load, main_models, records, verdicts
from tandem.study import Study

NAMESPACES = (
    'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
    'aria-hidden="true"'
)
PACKAGES = ("snakemake", "pandas", "numpy", "scipy", "statsmodels", "linearmodels", "matplotlib")


def make_report(study: Study, folder: str | Path) -> str:
    """HTML of a study's report, self-contained: no script, font or picture from elsewhere.

    Parameters
    ----------
    folder : path
        The study's results, with tables/ and figures/ already written.
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
    return environment.get_template("report.html.j2").render(
        study=study,
        results=results,
        tables={p.stem: _fragment(p) for p in sorted((folder / "tables").glob("*.html"))},
        figures={p.stem: _svg(p) for p in sorted((folder / "figures").glob("*.svg"))},
        label=lambda name: label(study, name),
        verdicts=_verdicts(study, results, folder),
        main_models=main_models(study),
        facts=_facts(study, results, folder),
        lineage=lineage_view(study, results),
        claims=claim_facts(study, results),
        changed={p.stem: read(p) for p in sorted((folder / "changes").glob("*.csv"))},
    )


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


def _fragment(path: Path) -> Markup:
    return Markup(path.read_text(encoding="utf-8"))


def _svg(path: Path) -> Markup:
    """The drawing without its prolog; ids carry the figure's name, so that none stands twice."""
    text = path.read_text(encoding="utf-8")
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.S)
    text = re.sub(r'\bid="', f'id="{path.stem}-', text)
    text = re.sub(r'(href="#|url\(#)', rf"\g<1>{path.stem}-", text)
    return Markup(re.sub(r"<svg [^>]*?viewBox", f"<svg {NAMESPACES} viewBox", text, count=1))
