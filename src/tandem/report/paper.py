"""report.pdf: the study as a paper, set by Typst from the same tables and figures."""

import re
import shutil
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import typst
from fontTools.ttLib import TTFont
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tandem.analysis.two_way import two_way_terms
from tandem.errors import TandemError
from tandem.files import write_text
from tandem.report.store import degree, label, load, main_models, records, verdicts
from tandem.report.study_tables import make_tables
from tandem.report.table_model import NEGATIVE, Table
from tandem.report.table_typ import to_typ, typ
from tandem.study import Study

HERE = Path(__file__).parent
FONT = HERE / "fonts/NotoSerifSC-Subset.otf"
CHINESE = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]")
ENTIRE = 24  # characters that a cell of words is given before it runs over several lines
BROAD, TALL = 471, 729  # points of text across an upright and a turned page of A4
BODY, SMALL, LEAST = 8.5, 7.0, 6.0  # points of a table's text; below SMALL the page is turned
SHORT, LONG = 14, 40  # lines; between them a table goes where a page has room, above it may break

FURTHER = {  # captions of the figures of the appendix, by the beginning of their names
    "uncertainty_ranks": "Rank of each entity by its mean D: as reported, median, 5 to 95 % band",
    "uncertainty_regions": "Mean D as reported, with the bands of the ensemble and of chance",
    "uncertainty_sobol": "Sobol indices of the choices behind D",
    "dynamics_ridgelines": "Kernel density of D by year",
    "dynamics_gini": "Gini of D and its parts by region",
    "dynamics_moran": "Local Moran of D in the last year",
    "two_way_responses": "Impulse responses by local projections and by the panel VAR",
    "two_way_curve": "Specification curve: sorted estimates with 95 % intervals, choices below",
    "panel_var_fevd": "Forecast-error variance decomposition of the first panel VAR",
    "panel_var_roots": "Roots of the panel VARs; inside the circle shocks die out",
    "var_fevd": "Forecast-error variance decomposition of the VAR",
    "robustness_curve": "Fitted curve on the other system a year before, and its slope",
    "robustness_marginal": "Effect of the other system over the moderator, 95 % band",
    "robustness_threshold": "Likelihood ratio of the thresholds; the 95 % set lies below the line",
}


def make_paper(study: Study, folder: str | Path) -> bytes:
    """The PDF of a study; the same bytes for the same results.

    Parameters
    ----------
    folder : path
        The study's results, with figures/ already drawn.

    Raises
    ------
    TandemError
        A Chinese character that the font does not hold, or a font file that cannot be read.
    """
    with TemporaryDirectory() as scratch:
        source = lay_out(study, Path(folder), Path(scratch))
        return typst.compile(**source, format="pdf")


def lay_out(study: Study, folder: Path, root: Path) -> dict:
    """Write the source with its tables, figures and font into `root`.

    Returns
    -------
    dict
        What `typst.compile` and `typst.query` are to be called with. No font of the machine is
        used: Typst's own for Latin and mathematics, one file for Chinese.
    """
    results = load(folder)
    tables = make_tables(study, results, folder)
    figures = sorted((folder / "figures").glob("*.pdf"))
    texts = {f"tables/{table.name}.typ": to_typ(table) for table in tables}
    texts["main.typ"] = _source(study, results, folder, tables, [p.stem for p in figures])
    font = _font(Path("studies") / study.font if study.font else FONT, texts.values())
    for name, text in texts.items():
        write_text(root / name, text)
    (root / "figures").mkdir()
    for path in figures:
        shutil.copyfile(path, root / "figures" / path.name)
    for path in (HERE / "references.bib", font):
        shutil.copyfile(path, root / path.name)
    return {
        "input": root / "main.typ",
        "root": root,
        "font_paths": [root],
        "ignore_system_fonts": True,
        "sys_inputs": {"font": TTFont(font, fontNumber=0)["name"].getBestFamilyName()},
    }


def _font(path: Path, texts: Iterable[str]) -> Path:
    """The font file, if it holds every Chinese character of the document."""
    try:
        known = TTFont(path, fontNumber=0).getBestCmap()
    except Exception as err:
        raise TandemError(
            f"{path} cannot be read as a font ({err}); name an .otf or .ttf file under 'font'."
        ) from None
    needed = {sign for text in texts for sign in CHINESE.findall(text)}
    missing = sorted(needed - set(map(chr, known)))
    if missing:
        raise TandemError(
            f"report.pdf: the font {path.name} has no '{''.join(missing)}'; put a font that has "
            "beside the study and name it there, e.g. 'font: NotoSerifSC-Regular.otf'."
        )
    return path


def _source(study, results, folder, tables: list[Table], figures: list[str]) -> str:
    """The Typst source of the document."""
    environment = Environment(
        loader=FileSystemLoader(HERE, encoding="utf-8"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<<",
        variable_end_string=">>",
        comment_start_string="<#",
        comment_end_string="#>",
    )
    environment.filters["typ"] = typ
    environment.filters["t"] = lambda text: f"#{typ(str(text))};"
    environment.filters["n"] = lambda value, spec=".3f": NEGATIVE.sub(
        "\N{MINUS SIGN}", format(value, spec)
    )
    by_name = {table.name: table for table in tables}
    used: set[str] = set()
    drawn: set[str] = set()
    return environment.get_template("paper.typ.j2").render(
        study=study,
        name=folder.name,
        results=results,
        figures=figures,
        draw=lambda name, caption, alt, place="auto": _draw(
            name, caption, alt, place, figures, drawn
        ),
        more={name: _caption(study, name) for name in figures},
        tables=by_name,
        layouts=[name for name in study.tables if name in by_name],
        show=lambda names: _show([by_name[n] for n in names if n in by_name], used),
        rest=lambda: _show(tables, used, in_order=True),
        see=lambda *names: _see(names, {f"fig-{name}" for name in figures}, by_name),
        label=lambda name: label(study, name),
        verdicts=_verdicts(study, results, folder),
        main_models=main_models(study),
        facts=_facts(study, results),
        version=version("tandem"),
    )


def _show(tables: list[Table], used: set[str], in_order: bool = False) -> str:
    """Tables on upright pages, then those that need a turned one; none stands twice."""
    tables = [table for table in tables if table.name not in used]
    used |= {table.name for table in tables}
    sizes = {table.name: _size(table) for table in tables}
    upright, turned = (
        [_include(t, sizes[t.name][1], in_order) for t in tables if sizes[t.name][0] == is_turned]
        for is_turned in (False, True)
    )
    pages = ["#page(flipped: true)[", *turned, "]"] if turned else []
    return "\n".join([*upright, *pages])


def _include(table: Table, size: float, in_order: bool) -> str:
    """A table by its file; in order it stays where it stands, else it may move up or down."""
    rows = _lines(table)
    whole = "#show figure: set block(breakable: false); " if rows <= LONG else ""
    floats = "#set figure(placement: auto); " if SHORT < rows <= LONG and not in_order else ""
    return f'#[{whole}{floats}#set text(size: {size}pt); #include "tables/{table.name}.typ"]'


def _lines(table: Table) -> int:
    """Lines of a table's body at most: long texts run over several."""
    widths = [max(_signs(table, j), ENTIRE) for j in range(len(table.columns))]
    return sum(
        max(-(-len(cell.shown) // width) or 1 for cell, width in zip(row, widths, strict=True))
        for row in table.rows
    )


def _size(table: Table) -> tuple[bool, float]:
    """Whether a table needs a turned page, and the size of its text in points."""
    signs = sum(_signs(table, j) for j in range(len(table.columns))) + 2 * len(table.columns)
    for turned, room in ((False, BROAD), (True, TALL)):
        size = min(BODY, room / signs / 0.5)  # a sign is half as wide as it is high
        if size >= SMALL:
            return turned, round(size, 1)
    return True, max(round(size, 1), LEAST)


def _signs(table: Table, j: int) -> int:
    """Characters that a column needs: its longest word, or an entire short text."""
    texts = [row[j].shown for row in table.rows]
    words = [word for text in (*texts, table.columns[j]) for word in re.split(r"[\s_/|=]", text)]
    return max(max(map(len, words)), min(max(map(len, texts), default=0), ENTIRE))


def _draw(name, caption: str, alt: str, place: str, figures: list[str], drawn: set[str]) -> str:
    """A figure with caption, label and text for those who cannot see it; none stands twice."""
    if name not in figures or name in drawn:
        return ""
    drawn.add(name)
    return (
        f'#figure(image("figures/{name}.pdf", alt: {typ(alt)}), placement: {place}, '
        f"caption: {typ(caption)}) <fig-{name}>"
    )


def _caption(study: Study, name: str) -> str:
    """Caption of a figure that the text of the paper does not place itself."""
    if name in study.published:
        return study.published[name].label.en
    for start, caption in FURTHER.items():
        if name.startswith(start):
            system = name.removeprefix(start).strip("_")
            if system in study.systems:
                caption += f"; dependent variable: {label(study, system)}"
            return f"{caption}."
    return name.replace("_", " ").capitalize() + "."


def _see(names: Iterable[str], figures: Iterable[str], tables: Iterable[str]) -> str:
    """References to what there is of it in a sentence: @tab-a, @tab-b and @fig-c."""
    known = {**{f: f"@{f}" for f in figures}, **{t: f"@tab-{t}" for t in tables}}
    marks = [known[name] for name in names if name in known]
    return " and ".join(filter(None, [", ".join(marks[:-1]), marks[-1]])) if marks else ""


def _verdicts(study: Study, results: dict[str, pd.DataFrame], folder: Path) -> list[dict]:
    if not study.models.regressions:
        return []
    terms, _ = records(folder)
    return verdicts(study, two_way_terms(study, results["indices/scores"], terms))


def _facts(study: Study, results: dict[str, pd.DataFrame]) -> dict:
    """Numbers that the sentences hold."""
    panel, observations = results["data/panel"], results["data/observations"]
    coupling = results["indices/coupling"].dropna(subset=[degree(study)])
    years = coupling.index.get_level_values("year")
    ends = [int(years.min()), int(years.max())]
    null = results["indices/null"].set_index("statistic")
    return {
        "entities": panel.index.get_level_values("entity").nunique(),
        "years": panel.index.get_level_values("year").nunique(),
        "observations": len(observations),
        "sources": sorted(observations["source"].unique()),
        "files": observations["cell"].str.split("!").str[0].nunique(),
        "gaps": int(panel.isna().sum().sum()),
        "cells": int(panel.size),
        "checks": len(results["data/checks"]),
        "passed": int(results["data/checks"]["passed"].sum()),
        "ends": ends,
        "D": [float(coupling.xs(year, level="year")[degree(study)].mean()) for year in ends],
        "null": null.loc["D"].to_dict() if len(null) else None,
    }
