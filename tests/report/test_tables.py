"""Tables: one layout, seven files that say the same, and none that a spreadsheet could run."""

import csv
import io
import re
import shutil
import subprocess
import time
from html.parser import HTMLParser
from zipfile import ZipFile

import numpy as np
import pandas as pd
import pytest
import typst
from docx import Document
from docx.enum.section import WD_ORIENT
from docx.oxml.ns import qn
from docx.shared import Pt
from openpyxl import load_workbook

from tandem.errors import TandemError
from tandem.estimates import models_frame, stack, terms_frame
from tandem.report.table_tex import escape_tex
from tandem.report.table_typ import to_typ
from tandem.report.tables import frame_table, layout_table, stars_for, write_all, write_table


def model(name, estimate, std_error, p_value, **statistics):
    estimate = pd.Series(estimate)
    std_error = pd.Series(std_error, estimate.index)
    terms = terms_frame(
        "static",
        name,
        "upgrade",
        estimate,
        std_error=std_error,
        statistic=estimate / std_error,
        p_value=pd.Series(p_value, estimate.index),
        conf_low=estimate - 2 * std_error,
        conf_high=estimate + 2 * std_error,
        se_type="clustered by entity",
    )
    common = {"se_type": "clustered by entity", "n_entities": 31, "conf_level": 0.95}
    return terms, models_frame("static", name, common | statistics)


def records():
    return stack(
        [
            model(
                "pooled",
                {"ln_tech": 0.291234567, "const": -0.004},
                [0.05, 0.06],
                [0.004, 0.9],
                n_obs=12403,
                r2_within=0.0821,
                entity_effects=False,
            ),
            model(
                "fe",
                {"ln_tech": -1.5},
                [0.9],
                [0.09],
                n_obs=403,
                entity_effects=True,
                r2_inclusive=0.159,
            ),
        ]
    )


def layout(**changes):
    return {
        "name": "static_upgrade",
        "title": {"en": "Pull & push", "zh": "技术进步与产业升级"},
        "table": "static",
        "models": ["pooled", "fe"],
        "headers": {"pooled": "Pooled", "fe": "FE & co."},
        "rows": {"ln_tech": "ln_tech, 100 %", "const": "Constant"},
        "statistics": {
            "n_obs": "Observations",
            "r2_within": "R² within",
            "entity_effects": "Entity effects",
        },
        "stars": "10/5/1",
        "brackets": "std_error",
        "decimals": 3,
        "notes": ["Own note."],
    } | changes


def table(**changes):
    return layout_table(*records(), layout(**changes))


def descriptive():
    frame = pd.DataFrame(
        {
            "region": ["East", "=cmd()", "@x"],
            "share": [0.123, -0.4, np.nan],
            "gdp": [12345.6, 3.0, 4e5],
            "firms": [3, 4, 5],
        },
        index=pd.Index(["Beijing", "<script>", "-1+1"], name="Province"),
    )
    return frame_table(
        frame, "levels", "50 % of {all} & more", ["Source: $x$."], {"share": ".1%", "gdp": ",.0f"}
    )


def written(one, folder):
    return {path.suffix[1:]: path for path in write_table(one, folder)}


def texts(one):
    return [[cell.shown for cell in row] for row in one.rows]


# ---- layouts --------------------------------------------------------------------------------


def test_what_a_regression_table_shows():
    one = table()
    assert one.columns == ("", "Pooled", "FE & co.")
    assert one.numbers == ("", "(1)", "(2)")
    assert texts(one) == [
        ["ln_tech, 100 %", "0.291***", "-1.500*"],
        ["", "(0.050)", "(0.900)"],
        ["Constant", "-0.004", ""],
        ["", "(0.060)", ""],
        ["Observations", "12,403", "403"],
        ["R² within", "0.082", ""],
        ["Entity effects", "no", "yes"],
    ]
    assert one.n_terms == 4
    assert one.rows[0][1].value == 0.291234567
    assert one.rows[0][1].hover == "estimate 0.291235, s.e. 0.05, p 0.004, n 12403, entities 31"


@pytest.mark.parametrize(
    ("p_value", "stars"),
    [(0.0, "***"), (0.0099, "***"), (0.01, "**"), (0.05, "*"), (0.0999, "*"), (0.10, ""), (1, "")],
)
def test_star_thresholds(p_value, stars):
    assert stars_for(p_value, "10/5/1") == stars
    assert stars_for(p_value, "none") == stars_for(p_value, "aer") == ""


def test_statistic_in_brackets():
    one = table(brackets="statistic", decimals=2)
    assert [cell.shown for cell in one.rows[1]] == ["", "(5.82)", "(-1.67)"]
    assert one.notes[0].startswith("Estimates divided by their standard errors in parentheses")


def test_interval_in_brackets():
    one = table(brackets="interval", stars="none")
    assert [cell.shown for cell in one.rows[1]] == ["", "[0.191, 0.391]", "[-3.300, 0.300]"]
    assert one.rows[1][1].value is None
    assert one.notes[0].startswith("95% confidence intervals in brackets")


def test_notes_say_errors_stars_and_sample():
    assert table().notes == (
        "Standard errors in parentheses: clustered by entity.",
        "* p < 0.10, ** p < 0.05, *** p < 0.01.",
        "Sample: 31 entities.",
        "Own note.",
    )


def test_notes_tell_columns_apart():
    names = ["a", "b", "c", "d"]
    fits = [model(name, {"x": 1.0}, [1.0], [0.5]) for name in names]
    other = {"se_type": "Driscoll-Kraay", "se_factor": "T/(T-1)", "n_clusters": 9, "t_df": 8}
    fits.append(model("e", {"x": 1.0}, [1.0], [0.5], **other, first_year=2004, last_year=2016))
    spec = layout(models=[*names[:3], "e", "d"], rows={"x": "x"}, statistics={}, headers={})
    notes = layout_table(*stack(fits), spec).notes
    assert notes[0] == (
        "Standard errors in parentheses: clustered by entity in columns (1)–(3), (5); "
        "Driscoll-Kraay (9 clusters) in column (4)."
    )
    assert notes[1:3] == (
        "Small-sample factor on the variance: T/(T-1) in column (4).",
        "p-values: standard normal in columns (1)–(3), (5); t(8) in column (4).",
    )
    assert "31 entities, 2004–2016 in column (4)" in notes[4]


def test_no_stars_no_star_note():
    assert not [note for note in table(stars="aer").notes if "p <" in note]


def test_one_equation_of_a_system():
    tech = terms_frame("var", "v", "tech", pd.Series({"L1.tech": 0.5}), std_error=0.1)
    upgrade = terms_frame("var", "v", "upgrade", pd.Series({"L1.tech": 0.2}), std_error=0.1)
    response = terms_frame("var", "v", "tech", pd.Series({"L1.tech": 9.0}), horizon=3)
    terms = pd.concat([tech, upgrade, response])
    models = models_frame("var", "v", {"se_type": "Windmeijer"})
    spec = layout(table="var", rows={"L1.tech": "lag"}, statistics={}, headers={}, stars="none")
    one = layout_table(terms, models, spec | {"models": ["v:upgrade", "v:tech"]})
    assert texts(one)[0] == ["lag", "0.200", "0.500"]
    with pytest.raises(TandemError, match="several equations; write the column as 'v:tech'"):
        layout_table(terms, models, spec | {"models": ["v"]})
    with pytest.raises(TandemError, match="no equation 'upgrad'.*nearest known name is 'upgrade'"):
        layout_table(terms, models, spec | {"models": ["v:upgrad"]})


def test_columns_from_several_tables():
    terms, models = records()
    gmm, facts = model("system", {"ln_tech": 0.7}, [0.1], [0.001], n_obs=300, hansen_p=0.4)
    gmm, facts = gmm.assign(table="robust"), facts.assign(table="robust")
    spec = layout(
        models=["fe", "robust/system"],
        headers={"robust/system": "System GMM"},
        rows={"ln_tech": "x"},
        statistics={"n_obs": "N", "hansen_p": "Hansen p"},
        groups=[{"label": "Dynamic", "models": ["robust/system"]}],
    )
    one = layout_table(pd.concat([terms, gmm]), pd.concat([models, facts]), spec)
    assert one.columns == ("", "fe", "System GMM")
    assert texts(one)[0] == ["x", "-1.500*", "0.700***"]
    assert texts(one)[2:] == [["N", "403", "300"], ["Hansen p", "", "0.400"]]
    with pytest.raises(TandemError, match="no records of 'robus'"):
        layout_table(terms, models, spec | {"models": ["robus/system"]})


@pytest.mark.parametrize(
    ("digits", "shown"),
    [(2, ["0.29***", "-1.5*", "(0.050)", "(0.90)"]), (4, ["0.2912***", "-1.500*"])],
)
def test_significant_digits(digits, shown):
    one = table(digits=digits)
    assert [*texts(one)[0][1:], *texts(one)[1][1:]][: len(shown)] == shown
    assert texts(one)[4][1:] == ["12,403", "403"]


def test_significant_digits_keep_whole_digits_and_round_up():
    fit = model("a", {"x": 0.09996, "y": 12345.6, "z": 0.0}, [0.1, 1.0, 1.0], [0.5] * 3)
    rows = {name: name for name in "xyz"}
    spec = layout(models=["a"], rows=rows, statistics={}, headers={}, digits=3)
    assert [row[1] for row in texts(layout_table(*fit, spec))][::2] == ["0.100", "12346", "0.00"]


def test_groups_span_columns():
    one = table(groups=[{"label": "Both", "models": ["pooled", "fe"]}])
    assert one.header[0] == [("", 1), ("Both", 2)]
    assert one.flat_header == ["", "Both Pooled (1)", "Both FE & co. (2)"]
    one = table(groups=[{"label": "Right", "models": ["fe"]}])
    assert one.header[0] == [("", 1), ("", 1), ("Right", 1)]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"table": "statc"}, "'static_upgrade'.*no records of 'statc'"),
        ({"models": ["pooled", "fx"]}, "model 'fx'; the nearest known name is 'fe'"),
        ({"rows": {"ln_tec": "x"}}, "term 'ln_tec'; the nearest known name is 'ln_tech'"),
        ({"statistics": {"nobs": "N"}}, "statistic 'nobs'; the nearest known name is 'n_obs'"),
        ({"groups": [{"label": "g", "models": ["fes"]}]}, "'fes'.*nearest known name is 'fe'"),
        ({"stars": "aer", "brackets": "interval"}, "stars 'aer' needs brackets 'std_error'"),
        ({"name": "../escape"}, "use only letters"),
        ({"title": "zero\u200bwidth"}, "invisible character"),
    ],
)
def test_mistakes_in_a_layout(changes, message):
    with pytest.raises(TandemError, match=message):
        table(**changes)


def test_parted_group_is_refused():
    fits = [model(name, {"x": 1.0}, [1.0], [0.5]) for name in "abc"]
    spec = layout(models=["a", "b", "c"], rows={"x": "x"}, statistics={}, headers={})
    spec["groups"] = [{"label": "g", "models": ["a", "c"]}]
    with pytest.raises(TandemError, match="must stand together"):
        layout_table(*stack(fits), spec)


def test_records_that_cannot_fill_the_table():
    terms, models = records()
    with pytest.raises(TandemError, match="'fe' has no std_error for 'ln_tech'"):
        blank = terms.assign(std_error=terms["std_error"].where(terms["model"] != "fe"))
        layout_table(blank, models, layout())
    with pytest.raises(TandemError, match="'pooled' does not record se_type"):
        layout_table(terms, models[models["statistic"] != "se_type"], layout())
    with pytest.raises(TandemError, match="stands twice in the records"):
        layout_table(pd.concat([terms, terms]), models, layout())


def test_descriptive_table():
    one = descriptive()
    assert one.columns == ("Province", "region", "share", "gdp", "firms")
    assert texts(one) == [
        ["Beijing", "East", "12.3%", "12,346", "3"],
        ["<script>", "=cmd()", "-40.0%", "3", "4"],
        ["-1+1", "@x", "–", "400,000", "5"],
    ]
    assert one.notes == ("Source: $x$.", "–: not available.")


def test_words_with_gaps_stand_on_the_left():
    frame = pd.DataFrame({"why": ["too few years", np.nan], "n": [1.0, np.nan], "r": ["a", 2.0]})
    one = frame_table(frame, "words", "t")
    assert [one.aligns_right(j) for j in range(4)] == [False, False, True, True]


def test_descriptive_table_with_two_index_levels_and_years():
    index = pd.MultiIndex.from_tuples([("Beijing", 2012)], names=["province", "year"])
    one = frame_table(pd.DataFrame({"D": [0.123456]}, index), "d", "D", decimals=2)
    assert one.n_labels == 2
    assert texts(one) == [["Beijing", "2012", "0.12"]]
    with pytest.raises(TandemError, match="no column 'd' to format; the nearest known name is 'D'"):
        frame_table(pd.DataFrame({"D": [1.0]}), "d", "D", decimals={"d": ".1f"})


# ---- files ----------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [table, descriptive])
def test_same_bytes_at_another_time(make, tmp_path, monkeypatch):
    first = written(make(), tmp_path / "a")
    clock = time.time() + 1e8
    monkeypatch.setattr(time, "time", lambda: clock)
    monkeypatch.setattr(time, "localtime", lambda *_: time.gmtime(clock))
    time.sleep(1.1)  # openpyxl reads the clock through datetime, to the second
    second = written(make(), tmp_path / "b")
    assert set(first) == {"csv", "md", "html", "tex", "typ", "docx", "xlsx"}
    for suffix, path in first.items():
        assert path.read_bytes() == second[suffix].read_bytes(), suffix


@pytest.mark.parametrize("suffix", ["docx", "xlsx"])
def test_no_date_of_writing_in_office_files(suffix, tmp_path):
    with ZipFile(written(table(), tmp_path)[suffix]) as archive:
        assert {entry.date_time[:3] for entry in archive.infolist()} == {(1980, 1, 1)}
        core = archive.read("docProps/core.xml").decode()
    dates = re.findall(r"<dcterms:\w+[^>]*>([^<]*)", core)
    assert set(dates) == {"2000-01-01T00:00:00Z"}


def test_csv(tmp_path):
    text = written(table(), tmp_path)["csv"].read_text()
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == ["", "Pooled (1)", "FE & co. (2)"]
    assert rows[1] == ["ln_tech, 100 %", "0.291***", "-1.500*"]
    assert rows[3] == ["Constant", "-0.004", ""]


def test_csv_cells_are_no_formulas(tmp_path):
    rows = list(csv.reader(io.StringIO(written(descriptive(), tmp_path)["csv"].read_text())))
    assert rows[2][:3] == ["<script>", "'=cmd()", "-40.0%"]
    assert rows[3][:2] == ["'-1+1", "'@x"]


def test_markdown(tmp_path):
    lines = written(table(), tmp_path)["md"].read_text().splitlines()
    assert lines[0] == r"**Pull \& push**"
    pipes = [line for line in lines if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in pipes} == {4}
    assert pipes[1] == "| :--- | ---: | ---: |"
    assert pipes[2] == r"| ln\_tech, 100 % | 0.291\*\*\* | -1.500\* |"
    frame = pd.DataFrame({"a|b": ["x|y"]}, index=["<b>"])
    text = written(frame_table(frame, "pipe", "t"), tmp_path)["md"].read_text()
    assert r"|  | a\|b |" in text and r"| \<b\> | x\|y |" in text


class Tags(HTMLParser):
    """Tags with attributes, and the text of every cell, row by row."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.rows, self.inside = [], [], False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self.inside = True

    def handle_endtag(self, tag):
        self.inside = self.inside and tag not in ("td", "th")

    def handle_data(self, data):
        if self.inside:
            self.rows[-1][-1] += data


def test_html(tmp_path):
    groups = [{"label": "Both", "models": ["pooled", "fe"]}]
    page = Tags(written(table(groups=groups), tmp_path)["html"].read_text())
    names = [tag for tag, _ in page.tags]
    assert page.tags[0] == ("table", {"class": "regression", "id": "table-static_upgrade"})
    assert [name for name in names if name in ("caption", "thead", "tbody", "tfoot")] == [
        "caption",
        "thead",
        "tbody",
        "tbody",
        "tfoot",
    ]
    assert ("th", {"scope": "colgroup", "colspan": "2"}) in page.tags
    assert ("th", {"scope": "row"}) in page.tags
    assert not any("style" in attributes for _, attributes in page.tags)
    assert page.rows[3] == ["ln_tech, 100 %", "0.291***", "−1.500*"]
    hovers = [attributes["title"] for _, attributes in page.tags if "title" in attributes]
    assert hovers[1] == "estimate -1.5, s.e. 0.9, p 0.09, n 403, entities 31"
    assert page.rows[-1] == ["Own note."]


def test_html_is_escaped(tmp_path):
    page = Tags(written(descriptive(), tmp_path)["html"].read_text())
    assert "script" not in [tag for tag, _ in page.tags]
    assert page.rows[2][:3] == ["<script>", "=cmd()", "−40.0%"]


def test_tex(tmp_path):
    groups = [{"label": "A_B", "models": ["pooled", "fe"]}]
    text = written(table(groups=groups), tmp_path)["tex"].read_text()
    assert text.startswith("% Preamble:")
    assert r"\caption{Pull \& push / \zh{技术进步与产业升级}}" in text
    assert r"\multicolumn{2}{c}{A\_B}" in text and r"\cmidrule(lr){2-3}" in text
    assert r"ln\_tech, 100 \% & 0.291{\sym{***}} & -1.500{\sym{*}} \\" in text
    assert r" & {(}0.050{)} & {(}0.900{)} \\" in text
    assert r"Observations & {12,403} & {403} \\" in text
    assert r"Entity effects & {no} & {yes} \\" in text
    assert "S[table-format=-1.3,group-digits=none," in text
    for environment in ("table", "adjustbox", "threeparttable", "tabular", "tablenotes"):
        assert text.count(rf"\begin{{{environment}}}") == 1
        assert text.count(rf"\end{{{environment}}}") == 1
    for line in text.splitlines():
        if line.endswith(r" \\") and "multicolumn" not in line:
            assert len(re.findall(r"(?<!\\)&", line)) == 2


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a & b % $ # _ {}", r"a \& b \% \$ \# \_ \{\}"),
        ("~^\\", r"\textasciitilde{}\textasciicircum{}\textbackslash{}"),
        ("[1] *", "{[}1{]} {*}"),
        (
            "λ → 北京 ≤ 1",
            r"\ensuremath{\lambda} \ensuremath{\rightarrow} \zh{北京} \ensuremath{\le} 1",
        ),
        ("Δ Α U₁ √", r"\ensuremath{\Delta} Α U\textsubscript{1} \ensuremath{\surd}"),
    ],
)
def test_tex_escapes(text, escaped):
    assert escape_tex(text) == escaped


def test_tex_of_long_texts_and_many_columns(tmp_path):
    long = "industrial_rd_expenditure over the whole of gdp"
    frame = pd.DataFrame({f"c{i}": [1.0] for i in range(7)}, index=pd.Index([long], name="series"))
    text = written(frame_table(frame, "wide", "t", decimals={"c0": "p"}), tmp_path)[
        "tex"
    ].read_text()
    assert text.count("{sidewaystable}") == 2
    assert r"\raggedright\arraybackslash}p{15em}" in text
    assert r"industrial\_\allowbreak{}rd" in text


def test_a_small_p_is_words_to_siunitx(tmp_path):
    small = frame_table(pd.DataFrame({"p": [1e-9, 0.5]}), "p", "p", decimals={"p": "p"})
    assert r"{\textless{}0.001} \\" in written(small, tmp_path)["tex"].read_text()


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="there is no TeX here to compile with")
def test_tex_compiles(tmp_path):
    signs = "".join(chr(i) for i in range(33, 127)) + " Δ λ ² ₁ ‰ √ ≤ – − → 技术进步，（百分比）"
    frame = pd.DataFrame({signs: ["<0", signs], "n": [1.5, -2e3]}, index=[signs, "=1"])
    groups = [{"label": "A_B & co.", "models": ["pooled", "fe"]}]
    made = [table(groups=groups), table(brackets="interval", digits=3), descriptive()]
    made.append(frame_table(frame, "signs", {"en": signs, "zh": "技术"}, [signs]))
    texts = [written(one, tmp_path / str(i))["tex"].read_text() for i, one in enumerate(made)]
    preamble = texts[0].splitlines()[0].removeprefix("% Preamble: ")
    body = "\n".join(texts)
    page = rf"\documentclass{{article}}{preamble}\begin{{document}}{body}\end{{document}}"
    (tmp_path / "all.tex").write_text(page, encoding="utf-8")
    run = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, errors="replace")
    if "not found" in done.stdout and ".sty" in done.stdout:
        pytest.skip("this TeX lacks a package that the tables need")
    assert done.returncode == 0, done.stdout[-2000:]


def borders(element):
    """{side: width in eighths of a point} of a table cell."""
    found = element.find(qn("w:tcPr")).find(qn("w:tcBorders"))
    if found is None:
        return {}
    return {side.tag.split("}")[1]: int(side.get(qn("w:sz"))) for side in found}


def test_docx(tmp_path):
    document = Document(written(table(), tmp_path)["docx"])
    said = [paragraph.text for paragraph in document.paragraphs]
    assert said[:2] == ["Pull & push", "技术进步与产业升级"]
    assert said[-1] == "Own note."
    grid = document.tables[0]
    cells = [[cell.text for cell in row.cells] for row in grid.rows]
    assert cells[0] == ["", "Pooled", "FE & co."]
    assert cells[2] == ["ln_tech, 100 %", "0.291***", "−1.500*"]
    assert grid.cell(2, 1).paragraphs[0].runs[1].font.superscript
    fonts = document.styles["Normal"].element.rPr.rFonts
    assert fonts.get(qn("w:ascii")) == "Times New Roman"
    assert fonts.get(qn("w:eastAsia")) == "SimSun"
    for column in range(3):
        sides = [borders(row._tr.tc_lst[column]) for row in grid.rows]
        assert sides[0] == {"top": 12}
        assert sides[1] == {"bottom": 6}
        assert sides[5] == {"bottom": 6}
        assert sides[-1] == {"bottom": 12}
        assert not any(sides[2:5] + sides[6:-1])


@pytest.mark.parametrize(
    ("n_columns", "orientation"), [(6, WD_ORIENT.PORTRAIT), (7, WD_ORIENT.LANDSCAPE)]
)
def test_wide_docx_is_landscape(n_columns, orientation, tmp_path):
    frame = pd.DataFrame(np.ones((2, n_columns)), columns=[f"c{i}" for i in range(n_columns)])
    document = Document(written(frame_table(frame, "wide", "Wide"), tmp_path)["docx"])
    assert document.sections[0].orientation == orientation


def test_all_tables_in_one_document(tmp_path):
    wide = frame_table(pd.DataFrame(np.ones((2, 9))).rename(columns=str), "wide", "Wide")
    document = Document(write_all([table(), descriptive(), wide, descriptive()], tmp_path))
    assert len(document.tables) == 4
    said = [p.text for p in document.paragraphs if p.text.startswith("Table ")]
    assert [text.split(".")[0] for text in said] == ["Table 1", "Table 2", "Table 3", "Table 4"]
    sides = [section.orientation for section in document.sections]
    assert sides == [WD_ORIENT.PORTRAIT, WD_ORIENT.LANDSCAPE, WD_ORIENT.PORTRAIT]


def test_word_columns_hold_their_longest_word(tmp_path):
    frame = pd.DataFrame({f"c{i}": ["a text of many words"] for i in range(6)}, index=[2011])
    document = Document(written(frame_table(frame, "w", "t"), tmp_path)["docx"])
    grid = document.tables[0]
    assert grid.columns[0].width > Pt(4.5 * len("2011"))
    assert all(row._tr.trPr.find(qn("w:cantSplit")) is not None for row in grid.rows)


def test_typ(tmp_path):
    groups = [{"label": "Both", "models": ["pooled", "fe"]}]
    text = written(table(groups=groups), tmp_path)["typ"].read_text()
    assert text.rstrip().endswith(") <tab-static_upgrade>")
    assert text.count("table.hline(stroke: 0.08em)") == 2
    assert "table.hline(start: 1, end: 3, stroke: 0.05em)" in text
    assert 'table.cell(rowspan: 2, "ln_\u200btech, 100 %")' in text
    # hidden signs keep the decimal points of a column below each other
    assert 'hide("0(") + "0.291***"' in text and 'hide("0") + "(0.050)" + hide("**")' in text
    assert '"−1.500*"' in text and '"(0.900)"' in text
    assert '"Own note."' in text


def test_typ_compiles_and_reads_no_markup(tmp_path):
    signs = "".join(chr(i) for i in range(33, 127)) + " #strong[x] \\n // $x$ @ref <label>"
    frame = pd.DataFrame({signs: ["=1", signs], "n": [1.5, -2e3]}, index=[signs, "- a"])
    made = [
        table(),
        table(brackets="interval"),
        descriptive(),
        frame_table(frame, "s", signs, [signs]),
    ]
    page = "".join(to_typ(one) for one in made)
    page += "@tab-levels"  # the label can be referred to
    pdf = typst.compile(page.encode(), format="pdf", ignore_system_fonts=True)
    assert pdf.startswith(b"%PDF")


def test_xlsx(tmp_path):
    sheet = load_workbook(written(table(), tmp_path)["xlsx"]).active
    assert [sheet.cell(line, 1).value for line in (1, 2)] == ["Pull & push", "技术进步与产业升级"]
    assert [cell.value for cell in sheet[3]] == [None, "Pooled", "FE & co."]
    found = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=5, max_row=11)]
    assert found[0] == ["ln_tech, 100 %", 0.291234567, -1.5]
    assert found[1] == [None, 0.05, 0.9]
    assert found[4] == ["Observations", 12403, 403]
    assert found[6] == ["Entity effects", "no", "yes"]
    assert sheet["B5"].number_format == '0.000"***"'
    assert sheet["C5"].number_format == '0.000"*"_*_*'
    assert sheet["B6"].number_format == '"("0.000")"_*_*;"("-0.000")"_*_*'
    assert sheet["B9"].number_format == "#,##0_*_*_*"
    assert (sheet["A3"].border.top.style, sheet["A4"].border.bottom.style) == ("medium", "thin")
    assert (sheet["B8"].border.bottom.style, sheet["B11"].border.bottom.style) == ("thin", "medium")
    assert sheet["A15"].value == "Own note."


def test_xlsx_cells_are_no_formulas(tmp_path):
    sheet = load_workbook(written(descriptive(), tmp_path)["xlsx"]).active
    assert [cell.value for cell in sheet[4]] == ["<script>", "=cmd()", -0.4, 3, 4]
    for name, kind in (("A5", "s"), ("B4", "s"), ("B5", "s"), ("C4", "n")):
        assert sheet[name].data_type == kind
        assert sheet[name].quotePrefix == (kind == "s")
    assert (sheet["C4"].number_format, sheet["D4"].number_format) == ("0.0%", "#,##0")
