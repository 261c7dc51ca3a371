"""Both studies from raw tables to the report, in process; the report stands on its own."""

import re
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
import yaml
from browser import Page, chromium, luminance, opened

from tandem import estimates
from tandem.analysis.curve import run_curve
from tandem.analysis.dynamics import study_dynamics
from tandem.analysis.panel import build_panel, compare_vintages, printed_series
from tandem.analysis.panel_var import fit_panel_vars
from tandem.analysis.regressions import fit_regressions
from tandem.analysis.scores import index_study
from tandem.analysis.series_verdict import series_verdict
from tandem.analysis.two_way import two_way_terms
from tandem.analysis.uncertainty import measure, run_chunk
from tandem.analysis.var import fit_nation
from tandem.analysis.verdict import study_verdict
from tandem.claims.evaluate import evaluate
from tandem.files import read, save, write_text
from tandem.indices import read_contiguity
from tandem.report import figure_style
from tandem.report.document import make_report
from tandem.report.lineage_view import view_data
from tandem.report.store import load, records, verdicts
from tandem.report.study_figures import make_figures
from tandem.report.study_tables import make_tables
from tandem.report.table_tex import to_tex
from tandem.report.table_text import to_csv, to_html
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
        if study.models.regressions:
            frames = made["panel"], indices["normalised"], indices["weights"]
            spec = study.models.verdict.curve
            chunks = [run_curve(study, *frames, c) for c in range(spec.chunks)] if spec else None
            terms = records(folder)[0]
            found = study_verdict(study, scores, made["panel"], terms, chunks=chunks)
        else:
            found = series_verdict(study, made["panel"], load(folder)["estimates/var/causality"])
        write(folder, "estimates/verdict", found)
    if study.claims:
        terms = records(folder)[0] if study.models.regressions else pd.DataFrame()
        kept = {f"estimates/{p.parent.name}/models": read(p) for p in folder.rglob("models.csv")}
        write(folder, "claims", evaluate(study, load(folder) | kept, terms))
    tables = make_tables(study, load(folder), folder)
    for table in tables:
        for kind, writer in (("html", to_html), ("tex", to_tex), ("csv", to_csv)):
            write_text(folder / "tables" / f"{table.name}.{kind}", writer(table))
    with pytest.MonkeyPatch.context() as patch:  # the report reads no other format
        patch.setattr(figure_style, "METADATA", {"svg": figure_style.METADATA["svg"]})
        for name, figure in make_figures(study, load(folder), folder):
            figure_style.save(figure, folder / "figures", name)
    return tables


class Made:
    def __init__(self, name, folder):
        raw = yaml.safe_load((ROOT / "studies" / f"{name}.yaml").read_text(encoding="utf-8"))
        raw.pop("variants", None)
        raw["title"]["en"] = raw["question"]["en"] = SCRIPT
        raw["title"]["zh"] = f"中文 {SCRIPT}"
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
    elsewhere = {name for name in listed if name.startswith(("table-", "figure-"))}
    headings = {v for t, n, v in made.page.attributes if t in ("h2", "h3") and n == "id"}
    headings -= {"lineage-title", "answer-heading"}  # of the dialog; only for a screen reader
    assert listed - elsewhere - {"main", "answer"} == headings
    assert elsewhere <= set(made.page.ids)


def test_every_claim_is_there_with_its_rule_and_every_arrow_in_words(made):
    claims = [i for i in made.page.ids if i.startswith("claim-")]
    assert claims == [f"claim-{name}" for name in made.study.claims]
    labels = [value for _, name, value in made.page.attributes if name == "aria-label"]
    for diagram in made.study.diagrams.values():
        words = next(label for label in labels if label.startswith(diagram.title.en))
        arrows = words.removeprefix(diagram.title.en).split("; ")
        assert len(arrows) >= len(diagram.arrows)
        assert ("div", "data-zh", diagram.title.zh) in made.page.attributes


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
    assert made.page.tags["script"] == 6 and made.page.tags["b"] == 0  # four hold data
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


def minus(text):
    return text.replace("-", "\N{MINUS SIGN}")


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
                interval = minus(
                    f"{m['estimate']:+.3f} [{m['conf_low']:.3f}, {m['conf_high']:.3f}]"
                )
                one = f"{m['model']}: {interval}, {p_value(m['p_value'])}"
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


def test_a_cell_that_opens_its_lineage_shows_the_value_at_its_root(made):
    data, seen = view_data(made.study, made.results), set()
    tables = {table.name: table for table in made.tables}
    for spec in data["tables"]:
        if spec["id"] not in tables:
            continue
        columns = tables[spec["id"]].columns
        for row in tables[spec["id"]].rows:
            place = dict(spec) | dict(zip(spec["labels"], (c.text for c in row), strict=False))
            members = data["regions"].get(place["entity"])
            members = members or [data["entities"].index(place["entity"])]
            for heading, index in spec["columns"].items():
                if heading not in columns or row[columns.index(heading)].value is None:
                    continue
                values = data["quantities"][index]["values"]
                at = [i * data["years"] + int(place["year"]) - data["first"] for i in members]
                mean = sum(values[i] for i in at) / len(at)
                assert row[columns.index(heading)].value == pytest.approx(mean, abs=1e-7)
                seen.add(spec["id"])
    assert len(seen) >= 2


def test_the_same_results_give_the_same_page(made):
    assert make_report(made.study, made.folder) == made.html


def test_tables_can_be_made_twice_from_the_same_frames(made):
    results = load(made.folder)
    assert make_tables(made.study, results, made.folder) == made.tables
    assert make_tables(made.study, results, made.folder) == made.tables


# in a browser


@pytest.fixture(scope="module")
def browser():
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def written(made):
    path = made.folder / "report.html"
    path.write_text(made.html, encoding="utf-8")
    return path


@pytest.fixture
def page(browser, written):
    with opened(browser, written) as shown:
        yield shown


def test_no_width_scrolls_the_page_sideways(page):
    for width in (400, 700, 1100):
        page.set_viewport_size({"width": width, "height": 800})
        for _ in ("en", "zh"):
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            page.click("#language")


def test_a_header_sorts_its_column_up_down_and_back(made, page):
    several = made.study.panel.scope == "provinces"
    table = page.locator("#table-coupling_entities" if several else "#table-coupling_years")
    head = table.locator("thead th").filter(has_text=re.compile("^D$"))
    column = head.evaluate("h => h.cellIndex") + 1
    read = table.locator(f"tbody tr > :nth-child({column})").all_inner_texts
    as_made = read()
    numbers = sorted(float(v) for v in as_made if v != "–")
    blanks = len(as_made) - len(numbers)
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    assert [float(v) for v in read()[: len(numbers)]] == numbers
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    assert [float(v) for v in read()[: len(numbers)]] == numbers[::-1]
    assert read()[len(numbers) :] == ["–"] * blanks  # missing values come last either way
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") is None and read() == as_made
    assert page.locator("table.regression th button").count() == 0


def test_search_finds_rows_captions_and_text_and_goes_there(page):
    page.keyboard.press("/")
    page.keyboard.type("sobol")
    assert page.locator("#hits li").count() > 1
    assert page.locator("#count").inner_text().split()[0] == str(page.locator("#hits li").count())
    first = page.locator("#hits li").first
    assert first.locator("b").inner_text().startswith(("Table", "Figure"))
    page.keyboard.press("ArrowDown")
    assert first.get_attribute("aria-selected") == "true"
    page.keyboard.press("Enter")
    assert "Sobol" in page.evaluate("document.activeElement.textContent")
    assert page.locator("#hits").is_hidden()
    page.keyboard.press("/")
    page.keyboard.type("no such words")
    assert page.locator("#count").inner_text() == "0 hits"


def test_the_buttons_copy_what_the_folder_holds(made, page):
    name = next(iter(made.study.tables))
    tools = page.locator(f".scroll:has(#table-{name}) + .tools")
    for kind, suffix in (("LaTeX", "tex"), ("CSV", "csv")):
        tools.locator(f"[data-copy={kind}]").click()
        tools.locator("[role=status]", has_text=f"{kind}: copied").wait_for()
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == (made.folder / f"tables/{name}.{suffix}").read_text(encoding="utf-8")
    tools.locator("[data-copy=Word]").click()
    tools.locator("[role=status]", has_text="Word: copied").wait_for()
    rich = page.evaluate(
        "navigator.clipboard.read().then(i => i[0].getType('text/html')).then(b => b.text())"
    )
    shown = Page(rich)
    table = next(t for t in made.tables if t.name == name)
    assert shown.tags["table"] == 1 and shown.tags["button"] == 0
    assert shown.tags["tr"] == len(table.header) + len(table.rows) + len(table.notes)
    assert table.title in shown.text("caption") and "class" not in {
        n for _, n, _ in shown.attributes
    }


def test_every_estimate_tells_its_error_p_and_sample(made, page):
    name = next(iter(made.study.tables))
    cells = page.locator(f"#table-{name} td.estimate[data-detail]")
    table = next(t for t in made.tables if t.name == name)
    assert cells.count() == sum(
        c.kind == "estimate" and c.hover != "" for r in table.rows for c in r
    )
    box = page.locator("#detail")
    cells.first.hover()
    words = box.locator("span").all_inner_texts()
    pairs = dict(zip(words[::2], words[1::2], strict=True))
    assert ", ".join(f"{k} {v}" for k, v in pairs.items()) == table.rows[0][1].hover
    assert {"estimate", "s.e.", "p", "n"} <= set(pairs)
    page.keyboard.press("Escape")
    assert box.is_hidden()
    cells.first.focus()
    assert box.is_visible()
    page.keyboard.press("ArrowRight")  # one stop of the tab key a table, arrows go on
    assert cells.nth(1).evaluate("c => c === document.activeElement") and box.is_visible()
    assert page.locator("td.estimate:not([data-detail]):not(:empty)").count() == 0


def test_the_language_changes_and_comes_back(made, page):
    figure = "missing_map"
    label = next(iter(made.study.used_series.values())).label
    drawn = page.locator(f"#figure-{figure} svg text")
    before = page.locator("main").inner_text()
    assert label.en in drawn.all_text_contents()
    page.click("#language")
    assert page.locator("html").get_attribute("lang") == "zh"
    assert page.locator("h1").inner_text() == made.study.title.zh == page.title()
    assert label.zh in drawn.all_text_contents() and label.en not in drawn.all_text_contents()
    assert page.locator(f"#figure-{figure} [aria-label]").first.get_attribute("aria-label")[0] > "z"
    assert "数据" in page.locator("nav.contents").inner_text()
    page.keyboard.press("/")
    page.keyboard.type("熵权")
    assert page.locator("#hits li").count() > 1
    page.keyboard.press("Escape")
    page.click("#language")
    assert page.locator("main").inner_text() == before


def test_both_themes_can_be_read(browser, written):
    with opened(browser, written, color_scheme="dark") as page:
        for dark in (True, False):
            assert (luminance(page, "backgroundColor") < 0.1) is dark
            assert page.locator("#theme").get_attribute("aria-pressed") == str(dark).lower()
            paper = luminance(page, "backgroundColor")
            for inside in ("main p", ".file", "nav.contents a[aria-current]", ".answer p", "a"):
                ink = luminance(page, "color", f"document.querySelector('{inside}')")
                light, deep = max(ink, paper), min(ink, paper)
                assert (light + 0.05) / (deep + 0.05) >= 4.5, (inside, dark)
            drawing = "getComputedStyle(document.querySelector('figure svg')).filter"
            assert ("invert" in page.evaluate(drawing)) is dark
            page.click("#theme")
        page.emulate_media(media="print")
        assert luminance(page, "backgroundColor") in (0, pytest.approx(1))  # transparent or white
        assert luminance(page, "color") < 0.1
        assert page.locator(".bar").is_hidden() and page.locator(".tools").first.is_hidden()


def test_a_value_opens_its_lineage_from_table_and_figure(made, page):
    several = made.study.panel.scope == "provinces"
    dialog, title = page.locator("#lineage"), page.locator("#lineage-title")
    button = page.locator("table button.trace").first
    shown = float(button.inner_text())
    button.click()
    first = dialog.locator("summary").first.inner_text()
    assert float(first.rpartition("= ")[2]) == pytest.approx(shown, abs=0.0005)
    assert dialog.locator(".cell").count() > 0  # down to the raw cells
    page.keyboard.press("Escape")
    assert dialog.is_hidden()
    name = "coordination_map" if several else "coupling_years"
    mark = page.locator(f"#figure-{name} svg [data-trace]").first
    _, entity, year = mark.get_attribute("data-trace").split("|")
    mark.focus()
    page.keyboard.press("Enter")
    assert title.inner_text() == f"{entity} {year}" and dialog.is_visible()


def test_a_region_s_mean_opens_its_entities(made, page):
    if not made.study.panel.groups:
        return
    region, members = next(iter(made.study.panel.groups.items()))
    mark = page.locator(f"#figure-coupling_by_region [data-trace^='D_standard|{region}|']").first
    year = int(mark.get_attribute("data-trace").rpartition("|")[2])
    mark.focus()
    page.keyboard.press("Enter")
    d = made.results["indices/coupling"]["D_standard"].xs(year, level="year")
    lines = page.locator("#lineage summary").all_inner_texts()
    assert float(lines[0].rpartition("= ")[2]) == pytest.approx(d[members].mean(), abs=1e-6)
    assert page.locator("#lineage-tree > details > details").count() == len(members)


def test_the_keyboard_reaches_everything_and_nothing_is_nameless(page):
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    current = page.locator("nav.contents a[aria-current]")
    assert current.get_attribute("href") == "#answer"
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    current.and_(page.locator("[href='#environment']")).wait_for()
    assert current.count() == 1
    nameless = """[...document.querySelectorAll("button, a, input, dialog, nav, [role]")].filter(
        (e) => !(e.textContent.trim() || e.getAttribute("aria-label") || e.labels?.length
                 || /status|tooltip|search|listbox/.test(e.role ?? ""))).map((e) => e.outerHTML)"""
    assert page.evaluate(nameless) == []
    for landmark in ("banner", "navigation", "main", "search", "contentinfo"):
        assert page.get_by_role(landmark).count() == 1, landmark
