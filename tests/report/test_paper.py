"""report.pdf: complete, the same bytes each time, and no text of a study read as markup."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import typst
import yaml
from fontTools.ttLib import TTFont

from tandem import estimates
from tandem.analysis.panel import build_panel, compare_vintages
from tandem.analysis.panel_var import fit_panel_vars
from tandem.analysis.regressions import fit_regressions
from tandem.analysis.scores import index_study
from tandem.errors import TandemError
from tandem.files import save
from tandem.report import figure_style
from tandem.report.paper import CHINESE, FONT, HERE, _show, _size, lay_out, make_paper
from tandem.report.store import load
from tandem.report.study_figures import make_figures
from tandem.report.study_tables import make_tables
from tandem.report.tables import frame_table
from tandem.study import Study

ROOT = Path(__file__).parents[2]
MARKUP = 'R&D #strong[x] "q" \\ $y$ @z <w> // *b*'
SMALL = """
question: {en: "Does it run?"}
seed: 7
panel: {exclude: [Tibet], years: [2011, 2019]}
vintages: {gdp: census4, va_secondary: census4, va_tertiary: census4, patent_grants: nbs-2026}
series:
  patents: {formula: patent_grants / gdp, unit: per 100M yuan, label: {en: Patents}, why: output}
  services: {formula: va_tertiary / va_secondary, unit: ratio, label: {en: TS}, why: structure}
systems:
  tech: {label: {en: Technology}, indicators: {patents: +}}
  up: {label: {en: Upgrading}, indicators: {services: +}}
models:
  regressions: {two_way: {label: Two-way, effects: two-way, controls: false}}
  panel_var: {instrument_lags: [2, 4], horizon: 3, draws: 99, models: {fod: {label: FOD}}}
tables:
  up_on_tech:
    title: {en: Technology on upgrading, zh: 技术与升级}
    records: up
    columns: {two_way: Two-way, "panel_var/fod:up": Panel VAR}
    rows: {L1.tech: Technology, L1.up: Own lag}
    statistics: {n_obs: Observations, hansen_p: "Hansen J, p"}
    digits: 3
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The study and its results."""
    raw = yaml.safe_load(SMALL) | {"title": {"en": MARKUP, "zh": "技术进步"}}
    study, folder = Study.model_validate(raw), tmp_path_factory.mktemp("paper") / "small"
    panel = build_panel(study, ROOT / "data")
    indices = index_study(study, panel["panel"], panel["published"])
    frames = {"data": panel | compare_vintages(study, ROOT / "data"), "indices": indices}
    fits = {
        "regressions": dict(
            zip(
                ("terms", "models"),
                fit_regressions(study, indices["scores"], panel["panel"]),
                strict=True,
            )
        ),
        "panel_var": fit_panel_vars(study, indices["scores"]),
    }
    for name, found in fits.items():
        (folder / "estimates" / name).mkdir(parents=True)
        pair = found.pop("terms"), found.pop("models")
        estimates.write(*pair, folder / "estimates" / name, "small")
        frames[f"estimates/{name}"] = found
    for room, found in frames.items():
        save(found, {name: folder / room / f"{name}.csv" for name in found})
    with pytest.MonkeyPatch.context() as patch:  # the paper reads no other format
        patch.setattr(figure_style, "METADATA", {"pdf": figure_style.METADATA["pdf"]})
        for name, figure in make_figures(study, load(folder), folder):
            figure_style.save(figure, folder / "figures", name)
    return study, folder


@pytest.fixture(scope="module")
def laid(made, tmp_path_factory):
    """What Typst is called with."""
    return lay_out(*made, tmp_path_factory.mktemp("source"))


def found(laid, selector, field=None):
    return json.loads(typst.query(**laid, selector=selector, field=field))


def test_the_same_bytes_without_a_date(made):
    first = make_paper(*made)
    assert first.startswith(b"%PDF")
    assert b"CreationDate" not in first and b"ModDate" not in first
    assert first == make_paper(*made)


def test_sections_are_those_of_a_paper(laid):
    headings = [text_of(h["body"]) for h in found(laid, "heading")]
    assert headings[:5] == ["Data", "Indices and coupling", "Models of the two-way link",
                            "Conclusion", "References"]  # fmt: skip
    assert headings[5:] == ["Data sources", "Further tables", "Further figures"]


def text_of(body):
    return body.get("text") or "".join(text_of(part) for part in body.get("children", []))


def test_every_table_and_figure_stands_once_with_a_number(made, laid):
    study, folder = made
    tables = [f"<tab-{t.name}>" for t in make_tables(study, load(folder), folder)]
    drawn = [f"<fig-{path.stem}>" for path in (folder / "figures").glob("*.pdf")]
    figures = found(laid, "figure")
    assert sorted(figure["label"] for figure in figures) == sorted([*tables, *drawn])
    assert all(figure["numbering"] == "1" for figure in figures)
    pictures = found(laid, "image")
    assert len(pictures) == len(drawn) and all(picture["alt"] for picture in pictures)


def test_the_answer_is_the_abstract(made, laid):
    source = (laid["root"] / "main.typ").read_text()
    abstract = source[source.index("*Abstract.*") : source.index("= Data")]
    assert abstract.count("*undetermined*") + abstract.count("*supported*") == 2
    terms, _ = estimates.read([made[1] / "estimates/regressions"])
    assert len(terms) == 2 and "Two-way" in abstract and "\N{MINUS SIGN}" in abstract


def test_a_study_s_texts_are_no_markup(made, laid):
    assert found(laid, "strong") and not any(
        text_of(s["body"]) == "x" for s in found(laid, "strong")
    )
    if shutil.which("pdftotext") is None:
        pytest.skip("there is no pdftotext here to read the pages with")
    pages = subprocess.run(
        ["pdftotext", "-", "-"], input=make_paper(*made), capture_output=True, check=True
    ).stdout.decode()
    assert MARKUP in " ".join(pages.split())
    assert "技术与升级" in pages


def test_a_character_that_the_font_lacks_is_named(made, tmp_path):
    study, folder = made
    rare = study.model_copy(update={"title": study.title.model_copy(update={"zh": "龘技"})})
    with pytest.raises(TandemError, match="NotoSerifSC-Subset.otf has no '龘'; put a font"):
        lay_out(rare, folder, tmp_path)


def test_a_font_that_is_none(made, tmp_path, monkeypatch):
    study, folder = made
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies/own.otf").write_text("no font")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TandemError, match="own.otf cannot be read as a font"):
        lay_out(study.model_copy(update={"font": "own.otf"}), folder, tmp_path)


def test_the_bundled_font_holds_what_the_project_writes():
    known = set(map(chr, TTFont(FONT).getBestCmap()))
    files = [ROOT / "data/codebook.csv", ROOT / "data/sources.csv", *HERE.glob("*.py")]
    files += (ROOT / "studies").glob("*.yaml")
    written = set(CHINESE.findall("".join(path.read_text(encoding="utf-8") for path in files)))
    assert len(written) > 300 and written <= known
    assert FONT.stat().st_size < 500_000
    assert "SIL OPEN FONT LICENSE" in (FONT.parent / "OFL.txt").read_text()


def test_every_work_cited_is_in_the_list():
    keys = set(re.findall(r"^@\w+\{(\w+),", (HERE / "references.bib").read_text(), flags=re.M))
    text = (HERE / "paper.typ.j2").read_text()
    cited = set(re.findall(r"(?:@|by\(<)([a-z]+\d{3,4})", text))
    assert cited == keys


def wide(n_columns, text="1.234"):
    frame = pd.DataFrame([[text] * n_columns] * 3, columns=[f"c{i}" for i in range(n_columns)])
    return frame_table(frame, f"t{n_columns}", "t")


def test_wide_tables_shrink_then_turn():
    assert _size(wide(6)) == (False, 8.5)
    turned, size = _size(wide(17))
    assert not turned and 7 <= size < 8.5
    assert _size(wide(22)) == (True, 8.5)
    assert _size(wide(80)) == (True, 6.0)


def test_turned_tables_follow_and_none_stands_twice():
    used = set()
    shown = _show([wide(22), wide(6), wide(25)], used)
    assert shown.index("t6.typ") < shown.index("flipped: true") < shown.index("t22.typ")
    assert shown.count("flipped") == 1
    assert _show([wide(6)], used) == ""


def test_a_long_table_may_break_and_a_middling_one_may_move():
    def rows(n):
        return frame_table(pd.DataFrame({"a": np.ones(n)}), f"r{n}", "t")

    shown = {n: _show([rows(n)], set()) for n in (5, 30, 60)}
    assert "breakable: false" in shown[5] and "placement" not in shown[5]
    assert "placement: auto" in shown[30]
    assert "breakable" not in shown[60] and "placement" not in shown[60]
