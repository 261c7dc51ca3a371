"""Both studies from raw tables to the report, in process; the report stands on its own."""

import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
import yaml

from tandem import estimates
from tandem.analysis.dynamics import study_dynamics
from tandem.analysis.panel import build_panel, compare_vintages, printed_series
from tandem.analysis.panel_var import fit_panel_vars
from tandem.analysis.regressions import fit_regressions, two_way_terms
from tandem.analysis.scores import index_study
from tandem.analysis.series_verdict import series_verdict
from tandem.analysis.uncertainty import measure, run_chunk
from tandem.analysis.var import fit_nation
from tandem.analysis.verdict import study_verdict
from tandem.claims import evaluate
from tandem.files import save, write_text
from tandem.indices import read_contiguity
from tandem.report import figure_style
from tandem.report.document import make_report
from tandem.report.store import load, records, verdicts
from tandem.report.study_figures import make_figures
from tandem.report.study_tables import make_tables
from tandem.report.table_text import to_html
from tandem.sources import seed_checks, seed_figures
from tandem.sources.seed import survey_fields
from tandem.study import load_study

ROOT = Path(__file__).parents[2]
DATA = ROOT / "data"
SCRIPT = "<script>alert('x')</script> & \"R&D\""


def write(folder, room, frames):
    save(frames, {name: folder / room / f"{name}.csv" for name in frames})


def store(folder, name, frames):
    """Terms and models into the results store, the rest beside them."""
    frames = dict(frames)
    pair = frames.pop("terms"), frames.pop("models")
    (folder / "estimates" / name).mkdir(parents=True)
    estimates.write(*pair, folder / "estimates" / name, "mine")
    write(folder, f"estimates/{name}", frames)


def run(study, folder):
    """What the pipeline leaves in a study's results, without Snakemake."""
    made = build_panel(study, DATA)
    write(folder, "data", made | compare_vintages(study, DATA))
    if study.published:
        write(folder, "data", {"printed": printed_series(study, DATA)})
    if study.seed_paper:
        write(
            folder, "data", {"seed_checks": seed_checks(DATA), "seed_figures": seed_figures(DATA)}
        )
    indices = index_study(study, made["panel"], made["published"])
    scores = indices["scores"]
    write(folder, "indices", indices)
    found, resamples = run_chunk(study, made["panel"], 0)
    chunks = [(found.draws, found.D.to_numpy(), resamples)]
    used = [indices[name] for name in ("scores", "coupling", "weights")]
    write(folder, "uncertainty", measure(study, made["panel"], *used, chunks))
    frames = indices | {name: made[name] for name in ("panel", "published")}
    pairs = read_contiguity(DATA / study.dynamics.neighbours) if study.dynamics.neighbours else None
    write(folder, "dynamics", study_dynamics(study, frames, pairs, survey_fields(DATA)))
    if study.models.regressions:
        terms, models = fit_regressions(study, scores, made["panel"])
        store(folder, "regressions", {"terms": terms, "models": models})
    if study.models.panel_var:
        store(folder, "panel_var", fit_panel_vars(study, scores))
    if study.models.var:
        store(folder, "var", fit_nation(study, made["panel"]))
    if study.models.verdict:
        frames = [scores, made["panel"], indices["normalised"], indices["weights"]]
        if study.models.regressions:
            found = study_verdict(study, *frames, records(folder)[0])
        else:
            found = series_verdict(study, made["panel"], load(folder)["estimates/var/causality"])
        write(folder, "estimates/verdict", found)
    if study.claims:
        terms = records(folder)[0] if study.models.regressions else pd.DataFrame()
        write(folder, "claims", evaluate(study, load(folder), terms))
    tables = make_tables(study, load(folder), folder)
    for table in tables:
        write_text(folder / "tables" / f"{table.name}.html", to_html(table))
    with pytest.MonkeyPatch.context() as patch:  # the report reads no other format
        patch.setattr(figure_style, "METADATA", {"svg": figure_style.METADATA["svg"]})
        for name, figure in make_figures(study, load(folder), folder):
            figure_style.save(figure, folder / "figures", name)
    return tables


class Page(HTMLParser):
    """Ids, attributes and words of a page."""

    def __init__(self, html):
        super().__init__()
        self.ids, self.attributes, self.tags, self.words = [], [], Counter(), {}
        self._open = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self.ids += [value for name, value in attrs if name == "id"]
        self._open.append(tag)

    def handle_endtag(self, tag):
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data):
        for tag in self._open:
            self.words[tag] = self.words.get(tag, "") + data

    def text(self, tag="body"):
        return " ".join(self.words[tag].split())


class Made:
    def __init__(self, name, folder):
        raw = yaml.safe_load((ROOT / "studies" / f"{name}.yaml").read_text(encoding="utf-8"))
        raw.pop("variants", None)
        raw["title"]["en"] = raw["title"]["zh"] = raw["question"]["en"] = SCRIPT
        raw["tables"] = {  # the step of robustness does not run here
            k: t for k, t in raw["tables"].items() if "robustness_" not in str(t["columns"])
        }
        for figure in raw.get("published", {}).values():
            figure["label"]["en"] += f' "{SCRIPT}'
        for system in raw["systems"].values():
            system["label"]["en"] += " <b>&"
        for block in (raw["models"].get("var"), raw["models"].get("panel_var")):
            if block:
                block["draws"] = 99
        if (raw["models"].get("verdict") or {}).get("curve"):
            raw["models"]["verdict"] = {"draws": 99, "curve": {"windows": [], "draws": 19}}
        raw["coupling"]["ensemble"] = {"draws": 1000, "chunks": 1}
        path = folder / f"{name}.yaml"
        path.write_text(yaml.safe_dump(raw, allow_unicode=True, sort_keys=False), encoding="utf-8")
        self.study, self.folder = load_study(path), folder / name
        self.tables = run(self.study, self.folder)
        self.html = make_report(self.study, self.folder)
        self.page = Page(self.html)
        self.results = load(self.folder)


@pytest.fixture(scope="module", params=["nation", "provinces"])
def made(request, tmp_path_factory):
    return Made(request.param, tmp_path_factory.mktemp("report"))


def test_nothing_is_loaded_from_elsewhere(made):
    assert not set(made.page.tags) & {"link", "iframe", "object", "embed", "img", "base"}
    for tag, name, value in made.page.attributes:
        if name in ("href", "xlink:href"):
            near = ("#", "data:image/png;base64,", "data/quality.html")
            assert value.startswith(near), (tag, value)
        assert name != "src", (tag, value)
        assert name not in ("src", "srcset", "poster", "action", "data", "background")
        assert not name.startswith("on")
    assert "@import" not in made.html
    assert set(re.findall(r"url\((.)", made.html)) <= {"#"}
    addresses = set(re.findall(r"https?://[^\s\"'<]+", made.html))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


def test_every_id_stands_once(made):
    twice = [name for name, n in Counter(made.page.ids).items() if n > 1]
    assert twice == []


def test_every_link_within_the_page_arrives(made):
    targets = re.findall(r"url\(#([^)\"']+)\)", made.html)
    links = [v for _, n, v in made.page.attributes if n in ("href", "xlink:href")]
    targets += [v[1:] for v in links if v.startswith("#")]
    targets += [v for _, n, v in made.page.attributes if n in ("aria-labelledby", "for")]
    assert len(targets) > 10
    assert set(targets) <= set(made.page.ids)


def test_the_contents_list_every_heading(made):
    listed = {v[1:] for t, n, v in made.page.attributes if (t, n) == ("a", "href") and v[0] == "#"}
    headings = {v for t, n, v in made.page.attributes if (t, n) == ("h2", "id")}
    headings -= {"lineage-title"}  # of the dialog
    elsewhere = {name for name in listed if name.startswith(("table-", "figure-"))}
    assert listed - elsewhere == headings
    assert elsewhere <= set(made.page.ids)


def test_every_claim_is_there_with_its_rule_and_every_arrow_in_words(made):
    claims = [i for i in made.page.ids if i.startswith("claim-")]
    assert claims == [f"claim-{name}" for name in made.study.claims]
    labels = [value for _, name, value in made.page.attributes if name == "aria-label"]
    for diagram in made.study.diagrams.values():
        words = next(label for label in labels if label.startswith(diagram.title.en))
        arrows = words.removeprefix(diagram.title.en).split("; ")
        assert len(arrows) >= len(diagram.arrows) and diagram.title.zh in words


def test_every_table_and_figure_stands_in_the_report_once(made):
    tables = [f"table-{table.name}" for table in made.tables]
    assert len(tables) == len(set(tables))
    figures = [f"figure-{path.stem}" for path in (made.folder / "figures").glob("*.svg")]
    # an svg's own ids begin with the name of the drawing
    shown = [i for i in made.page.ids if i.startswith("table-") or i in figures]
    assert sorted(shown) == sorted([*tables, *figures])
    assert made.page.tags["svg"] == made.page.tags["figure"] == len(figures)
    assert made.page.tags["table"] == len(tables)


def test_a_study_s_texts_are_shown_not_run(made):
    assert made.page.tags["script"] == 2 and made.page.tags["b"] == 0  # lineage: data and code
    assert made.page.text("h1") == SCRIPT
    assert made.page.text("title") == SCRIPT
    for system in made.study.systems.values():
        assert system.label.en.endswith("<b>&")
        assert system.label.en in made.page.text()


def test_the_page_says_what_the_data_are(made):
    observations, panel = made.results["data/observations"], made.results["data/panel"]
    files = observations["cell"].str.split("!").str[0].nunique()
    n, t = (panel.index.get_level_values(k).nunique() for k in ("entity", "year"))
    checks = made.results["data/checks"]["passed"]
    sentence = (
        f"Data: {len(observations):,} published values from {files} raw tables; "
        f"{n} {'entity' if n == 1 else 'entities'} × {t} years; "
        f"{panel.isna().sum().sum()} of {panel.size:,} panel cells missing, none filled; "
        f"{checks.sum()} of {len(checks)} accounting checks passed."
    )
    assert sentence in made.page.text()
    lines = len(made.results["data/ledger"])
    assert f"{lines:,} lines of the ledger" in made.page.text()


def test_the_mean_of_d_is_that_of_the_first_and_last_year(made):
    d = made.results["indices/coupling"][f"D_{made.study.coupling.model}"].dropna()
    years = d.index.get_level_values("year")
    first, last = (d.xs(y, level="year").mean() for y in (years.min(), years.max()))
    sentence = f"D: {first:.3f} in {years.min()}, {last:.3f} in {years.max()}."
    assert sentence in made.page.text()


def p_value(p):
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def test_the_answer_is_that_of_the_results(made):
    text = made.page.text()
    if made.study.models.regressions:
        terms, _ = records(made.folder)
        frame = two_way_terms(made.study, made.results["indices/scores"], terms)
        found = verdicts(made.study, frame)
        assert len(found) == 2
        for verdict in found:
            assert f"{verdict['cause']} → {verdict['effect']}: {verdict['word']}." in text
            for m in verdict["models"]:
                interval = f"[{m['conf_low']:.3f}, {m['conf_high']:.3f}]"
                one = f"{m['model']}: {m['estimate']:+.3f} {interval}, {p_value(m['p_value'])}"
                assert one in text
    else:
        granger = made.results["estimates/var/granger"]
        assert len(granger) == 2
        for test in granger.itertuples():
            one = f"F({test.df}) = {test.statistic:.2f}, {p_value(test.p_value)})"
            assert f"(growth rates; Granger {one}" in text


def test_tables_hold_the_numbers_of_the_results(made):
    shown = next(t for t in made.tables if t.name == "index_weights")
    weights = made.results["indices/weights"]
    column = shown.columns.index("entropy")
    assert [row[column].value for row in shown.rows] == weights["entropy"].tolist()
    name = next(iter(made.study.tables))
    layout = made.study.tables[name]
    terms, _ = records(made.folder)
    model, _, equation = next(iter(layout.columns)).partition(":")
    term = next(iter(layout.rows))
    found = terms[(terms["table"] == layout.records) & (terms["term"] == term)]
    found = found[(found["model"] == model) & (found["equation"] == (equation or layout.records))]
    first = next(t for t in made.tables if t.name == name).rows[0][1]
    assert first.value == found["estimate"].item()
    assert first.text == f"{found['estimate'].item():.{layout.decimals}f}"


def test_the_same_results_give_the_same_page(made):
    assert make_report(made.study, made.folder) == made.html


def test_tables_can_be_made_twice_from_the_same_frames(made):
    results = load(made.folder)
    assert make_tables(made.study, results, made.folder) == made.tables
    assert make_tables(made.study, results, made.folder) == made.tables
