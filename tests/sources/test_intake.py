"""Published tables of every format go in as they are, or stop with the place named."""

import io
import zipfile
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
import yaml

from tandem.errors import TandemError
from tandem.sources import read_observations, read_sources, workbooks
from tandem.sources.description import Description
from tandem.sources.regions import PROVINCES

FILES = Path(__file__).parent / "files"
SHORT = (
    "北京 天津 河北 山西 内蒙古 辽宁 吉林 黑龙江 上海 江苏 浙江 安徽 福建 江西 山东 河南 "
    "湖北 湖南 广东 广西 海南 重庆 四川 贵州 云南 西藏 陕西 甘肃 青海 宁夏 新疆"
).split()
EXPORT_HEAD = [["数据库：分省年度数据"], ["指标：地区生产总值(亿元)"], ["时间：2010-2011"],
               ["地区", "2011年", "2010年"]]  # fmt: skip


def body(first=1000.5, step=1000, names=SHORT):
    """One row a province: province i has first + i in the first column, step more in the next."""
    return [[name, first + i, first + step + i] for i, name in enumerate(names)]


class Folder:
    """A data folder with one raw table."""

    def __init__(self, folder: Path, data: Path):
        self.folder = folder
        (folder / "raw").mkdir()
        (folder / "codebook.csv").write_bytes((data / "codebook.csv").read_bytes())
        self.line = read_sources(data).set_index("file", drop=False).loc["raw/nbs/gdp_census4.csv"]

    def put(self, name: str, content, series="gdp", description=None, **entries) -> str:
        file = f"raw/{name}"
        path = self.folder / file
        for other in path.parent.iterdir():
            other.unlink()
        if isinstance(content, openpyxl.Workbook):
            content.save(path)
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        if description:
            path.with_name(f"{name}.yaml").write_text(yaml.safe_dump(description), "utf-8")
        line = {**self.line, "file": file, "series": series, "region_scope": "provinces", **entries}
        pd.DataFrame([line]).to_csv(self.folder / "sources.csv", index=False)
        return file

    def alias(self, *lines: str) -> None:
        text = "\n".join(["kind,printed,means,why", *lines])
        (self.folder / "aliases.csv").write_text(text, "utf-8")

    def read(self, name: str, content, **entries):
        return read_observations(self.folder, [self.put(name, content, **entries)])

    def problem(self, name: str, content, *parts, **entries) -> None:
        """The only problem is one sentence that names the file and all the parts."""
        with pytest.raises(TandemError) as caught:
            self.read(name, content, **entries)
        text = str(caught.value)
        assert "\n" not in text and text.endswith(".") and text.startswith(f"raw/{name}"), text
        for part in parts:
            assert part in text, (part, text)


@pytest.fixture
def folder(tmp_path, data) -> Folder:
    return Folder(tmp_path, data)


def csv(rows, delimiter=",") -> str:
    return "\n".join(delimiter.join(map(str, row)) for row in rows)


def xlsx(rows, merged=(), title="表1") -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    sheet(book.active, rows, merged, title)
    return book


def sheet(target, rows, merged=(), title=None):
    target.title = title or target.title
    for row in rows:
        target.append(row)
    for cells in merged:
        target.merge_cells(cells)


def html(rows) -> str:
    lines = ("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<html><body><table>{''.join(lines)}</table></body></html>"


def is_expected(observations, first=1000.5, years=(2011, 2010)) -> None:
    """The numbers that `body` wrote, for every province and year."""
    found = observations.set_index(["region_code", "year"])["value"].to_dict()
    assert found == {
        (code, year): first + 1000 * j + i
        for i, code in enumerate(PROVINCES)
        for j, year in enumerate(years)
    }


def rules(ledger, cell: str) -> list[tuple]:
    return list(
        ledger[ledger["cell"] == cell][["raw", "rule", "value"]].itertuples(index=False, name=None)
    )


NOTES = [["注：①2010年为修订数"], ["数据来源：国家统计局"]]
EXPORT = EXPORT_HEAD + body() + NOTES


@pytest.mark.parametrize(
    ("name", "content", "cell", "rule"),
    [
        ("t.csv", csv(EXPORT), "!!B5", None),
        ("t.csv", csv(EXPORT, "\t"), "!!B5", None),
        ("t.csv", csv(EXPORT).encode("gb18030"), "!!B5", "encoding: GB18030"),
        ("t.csv", csv(EXPORT).encode("utf-8-sig"), "!!B5", "encoding: UTF-8 with byte-order mark"),
        ("t.xlsx", xlsx(EXPORT), "!表1!B5", None),
        ("t.html", html(EXPORT), "!1!B5", None),
        ("t.xls", html(EXPORT), "!1!B5", "format: html in a file named .xls"),
        ("t.xls", csv(EXPORT, "\t").encode("gb18030"), "!!B5", "format: text in a file named .xls"),
    ],
    ids=["comma", "tab", "gb18030", "bom", "xlsx", "html", "html-xls", "text-xls"],
)
def test_an_export_of_any_format_needs_no_description(folder, name, content, cell, rule):
    observations, ledger = folder.read(name, content)
    is_expected(observations)
    assert observations["cell"].iloc[0] == f"raw/{name}{cell}"
    assert rule is None or (ledger["rule"] == rule).sum() == 1


def test_xls_with_title_unit_line_and_notes(folder):
    content = (FILES / "gdp.xls").read_bytes()
    observations, _ = folder.read("gdp.xls", content, description={"series": "gdp"})
    assert len(observations) == 62 and set(observations["year"]) == {2010, 2011}
    beijing = observations[observations["region"] == "Beijing"].set_index("year")
    assert beijing["value"].to_dict() == {2010: 1000.1, 2011: 2000.0}
    assert beijing["cell"][2010] == "raw/gdp.xls!GDP!B4"


def test_xls_errors_and_percents_are_not_lost():
    (found,) = workbooks.read_sheets(FILES / "errors.xls", "errors.xls")
    assert found.rows[1][1] == "#REF!" and found.rows[5][:2] == [
        "2010-01-01",
        "=formula without a result",
    ]
    assert [found.rows[2][2], found.rows[3][:2], found.rows[4][:2]] == [
        "35%", ["1.5", "10%"], ["12", "5%"]
    ]  # fmt: skip


def test_encrypted_workbook_is_named(folder):
    content = (FILES / "password.xlsx").read_bytes()
    folder.problem("password.xlsx", content, "is encrypted", "password")


def test_protected_sheet_is_read_and_named(folder):
    book = xlsx(EXPORT)
    book.active.protection.sheet = True
    observations, ledger = folder.read("t.xlsx", book)
    is_expected(observations)
    assert "sheet protected against changes: read as it stands" in set(ledger["rule"])


YEARBOOK = [
    ["2-15 地区生产总值", "", ""],
    ["", "", "单位：亿元"],
    ["地 区", "地区生产总值", ""],
    ["", 2011, 2010],
]


def test_header_merged_over_rows_and_columns(folder):
    book = xlsx(YEARBOOK + body(), ["A1:C1", "A3:A4", "B3:C3"])
    observations, _ = folder.read("t.xlsx", book, description={"year": {"row": 4}})
    is_expected(observations)
    assert observations["cell"].iloc[0] == "raw/t.xlsx!表1!B5"


@pytest.mark.parametrize("mark", ["<sup>\x10</sup>", "<br>\x10", "<sup>&#16;</sup>"])
def test_a_control_character_of_a_web_page_is_not_dropped_from_its_number(folder, mark):
    rows = "".join(f"<tr><td>{a}</td><td>{b}</td></tr>" for a, b, _ in body())
    first = body()[0][1]
    assert rows.count(f"<td>{first}</td>") == 1
    rows = rows.replace(f"<td>{first}</td>", f"<td>{first}{mark}</td>")
    named = "<tr><td>指标：地区生产总值(亿元)</td></tr>"
    page = f"<table>{named}<tr><td>地区</td><td>2011年</td></tr>{rows}</table>"
    folder.problem("t.html", page, "cell B3", description={})


def test_html_spans_count_like_merged_cells(folder):
    rows = "".join(f"<tr><td>{a}</td><td>{b}</td><td>{c}</td></tr>" for a, b, c in body())
    page = (
        "<table><tr><td rowspan=2>地 区</td><td colspan=2>地区生产总值(亿元)</td></tr>"
        f"<tr><td>2011</td><td>2010</td></tr>{rows}</table>"
    )
    is_expected(folder.read("t.html", page, description={"year": {"row": 2}})[0])
    twice = page + page
    folder.problem("t.html", twice, "2 sheets or tables", "table:", description={})
    described = {"year": {"row": 2}, "table": 2}
    observations, _ = folder.read("t.html", twice, description=described)
    is_expected(observations)
    assert observations["cell"].iloc[0] == "raw/t.html!2!B3"


def test_table_continued_on_another_sheet(folder):
    rows = body()
    book = xlsx(YEARBOOK + rows[:15], ["A3:A4", "B3:C3"])
    sheet(book.create_sheet(), [["续表"], *YEARBOOK[1:], *rows[15:]], ["A3:A4", "B3:C3"], "续表1")
    observations, _ = folder.read("t.xlsx", book, description={"year": {"row": 4}})
    is_expected(observations)
    assert set(observations["cell"].str.split("!").str[1]) == {"表1", "续表1"}
    book["续表1"].delete_rows(19)  # Xinjiang
    part = "sheet 续表1 cell A19: the table has no row for", "Ningxia"
    folder.problem("t.xlsx", book, *part, description={"year": {"row": 4}})


def test_table_continued_on_the_same_sheet(folder):
    rows = body()
    text = csv(EXPORT_HEAD + rows[:15] + [["续表"], EXPORT_HEAD[3]] + rows[15:] + NOTES)
    is_expected(folder.read("t.csv", text)[0])


def test_sheets_that_are_no_continuation_must_be_chosen(folder):
    book = xlsx(EXPORT)
    sheet(book.create_sheet(), [["something else"]], title="other")
    folder.problem("t.xlsx", book, "2 sheets or tables (表1, other)", "sheets:")
    is_expected(folder.read("t.xlsx", book, description={"sheets": ["表1"]})[0])
    folder.problem("t.xlsx", book, "no sheet 表2", description={"sheets": ["表2"]})


def test_long_table(folder):
    lines = [[name, year, value] for name, late, early in body()
             for year, value in ((2011, late), (2010, early))]  # fmt: skip
    text = csv([["Region", "Year", "GDP (亿元)"], *lines])
    described = {"series": {"GDP": "gdp"}}
    is_expected(folder.read("t.csv", text, description=described)[0])
    cut = csv([["Region", "Year", "GDP (亿元)"], *lines[:-1]])
    folder.problem("t.csv", cut, "no row for Xinjiang (2010-2010)", description=described)


def test_long_table_of_countries(folder):
    text = "code,region,year,GDP (亿元)\nCHN,China,2010,5500\nDEU,Germany,2010,3500\n"
    entries = {"region_scope": "countries", "description": {"series": {"GDP": "gdp"}}}
    observations, _ = folder.read("t.csv", text, **entries)
    assert observations[["region_code", "region", "year", "value"]].values.tolist() == [
        ["CHN", "China", 2010, 5500], ["DEU", "Germany", 2010, 3500]
    ]  # fmt: skip
    folder.problem("t.csv", text.replace("DEU", "De"), "cell A3: code 'De'", **entries)


def test_description_says_everything(folder):
    rows = [["title"], ["x", "province", "first", "second", "note"], ["", "", 2011, 2010, ""]]
    rows += [[i, *row, "n"] for i, row in enumerate(body())]
    rows.insert(5, ["", "subtitle", "", "", ""])
    described = {
        "header": [3], "region": "B", "year": {"row": 3}, "unit": "亿元", "series": "gdp",
        "body": [4, None], "skip": [6],
    }  # fmt: skip
    for row in rows[3:]:
        row[0] = row[-1] = ""
    observations, ledger = folder.read("t.csv", csv(rows), description=described)
    is_expected(observations)
    assert rules(ledger, "A6") == [("subtitle", "row left out by the description", "")]


def test_descriptions_of_the_study_replace_that_beside_the_file(folder):
    text = csv([["地区", "2011", "2010"], *body()])
    file = folder.put("t.csv", text, description={"series": "gdp", "unit": "万人"})
    study = {file: Description(series="gdp", unit="亿元")}
    is_expected(read_observations(folder.folder, [file], study)[0])


@pytest.mark.parametrize(
    ("described", "part"),
    [({"headers": 3}, "headers: Extra inputs"), ({"header": "3"}, "header"),
     ({"region": "a"}, "region"), ({"header": [4, 3]}, "from top to bottom"),
     ({"header": []}, "at least 1 item"), ({"sheets": []}, "at least 1 item"),
     ({"body": [9, 4]}, "first row first")],
)  # fmt: skip
def test_faults_in_a_description(folder, described, part):
    with pytest.raises(TandemError, match=r"^raw/t.csv.yaml: ") as caught:
        folder.read("t.csv", csv(EXPORT), description=described)
    assert part in str(caught.value)


def test_description_of_a_series_that_sources_does_not_name(folder):
    described = {"series": "va_primary"}
    folder.problem("t.csv", csv(EXPORT), "names the series va_primary", description=described)


@pytest.mark.parametrize(
    "names",
    [[*PROVINCES], [code[:2] for code in PROVINCES], [*PROVINCES.values()],
     [name.upper() for name in PROVINCES.values()], ["\u3000".join(name) for name in SHORT],
     [f"{name}①" for name in SHORT],
     [f"{name} Province" if i not in (0, 1, 4, 8, 19, 21, 25, 29, 30) else name
      for i, name in enumerate(PROVINCES.values())]],
    ids=["code", "short code", "English", "capitals", "spaces", "marks", "suffix"],
)  # fmt: skip
def test_provinces_under_other_names(folder, names):
    is_expected(folder.read("t.csv", csv(EXPORT_HEAD + body(names=names)))[0])


@pytest.mark.parametrize(
    ("name", "rule"),
    [("东部地区", "macro-region subtotal: left out"), ("华 北", "macro-region subtotal: left out"),
     ("Eastern Region", "macro-region subtotal: left out"),
     ("香港特别行政区", "beyond the 31 provinces: left out"),
     ("全 国", "national total: not a province, left out")],
)  # fmt: skip
def test_subtotals_are_left_out_with_a_ledger_line(folder, name, rule):
    text = csv([*EXPORT_HEAD, [name, 9, 9], *body()])
    observations, ledger = folder.read("t.csv", text)
    is_expected(observations)
    assert rules(ledger, "A5") == [(name, rule, "")]


@pytest.mark.parametrize(
    ("printed", "means", "english"),
    [("内蒙占", "内蒙古", "Inner Mongolia"), ("江两", "江西", "Jiangxi"),
     ("两藏", "西藏", "Tibet")],
)  # fmt: skip
def test_a_slip_is_refused_until_an_alias_accepts_it(folder, printed, means, english):
    text = csv(EXPORT).replace(means, printed)
    folder.problem(
        "t.csv", text, f"'{printed}' is not a province; the nearest known name is {means}"
    )
    folder.alias(f"region,{printed},{english},misprint")
    observations, ledger = folder.read("t.csv", text)
    is_expected(observations)
    assert (printed, "alias of aliases.csv", english) in set(
        ledger[["raw", "rule", "value"]].itertuples(index=False, name=None)
    )


def test_old_sichuan_is_no_alias(folder):
    text = csv(EXPORT).replace("四川", "四川(含重庆)")
    folder.problem("t.csv", text, "'四川(含重庆)' is not a province")


def test_other_aliases(folder):
    folder.alias("missing,n.a.,,foot of the table", "subtotal,新疆兵团,,listed apart")
    text = csv([*EXPORT_HEAD, ["新疆兵团", 1, 2], *body()]).replace("1000.5", "n.a.")
    observations, ledger = folder.read("t.csv", text)
    assert len(observations) == 61
    assert rules(ledger, "A5") == [("新疆兵团", "subtotal of aliases.csv: left out", "")]
    assert ("n.a.", "missing code: n.a.", "") in rules(ledger, "B6")


@pytest.mark.parametrize(
    ("line", "part"),
    [("area,x,Tibet,y", "kind is 'area'"), ("region,x,Atlantis,y", "'Atlantis' is not a province"),
     ("region,x,Tibet,", "printed or why is blank"),
     ("region,x,Tibet,y\nregion,x,Hebei,y", "stands twice")],
)  # fmt: skip
def test_faults_in_the_aliases(folder, line, part):
    folder.alias(line)
    with pytest.raises(TandemError, match=r"^aliases.csv line \d") as caught:
        folder.read("t.csv", csv(EXPORT))
    assert part in str(caught.value)


@pytest.mark.parametrize(
    ("printed", "rule"),
    [("2010 (revised)", "year marked as revised"), ("2010（修订）", "year marked as revised"),
     ("2010r", "year marked as revised"), ("2010①", "footnote mark stripped"),
     ("2010年*", "footnote mark stripped")],
)  # fmt: skip
def test_years_with_a_mark(folder, printed, rule):
    observations, ledger = folder.read("t.csv", csv(EXPORT).replace("2010年,", f"{printed},")
                                       .replace("2011年,2010年", f"2011年,{printed}"))  # fmt: skip
    is_expected(observations)
    assert rules(ledger, "C4") == [(printed, rule, "2010")]


@pytest.mark.parametrize(
    ("printed", "hint"),
    [("2010-01-01", "but a date"), ("1 Jan 2010", "but a date"), ("40179", "2010-01-01, a date"),
     ("1948", "is not a year;"), ("2101", "is not a year;")],
)  # fmt: skip
def test_dates_are_no_years(folder, printed, hint):
    text = csv(EXPORT).replace("2011年,2010年", f"2011年,{printed}").replace("时间：2010-2011", "")
    folder.problem("t.csv", text, f"cell C4: '{printed}' is not a year", hint)


def test_unit_line_at_the_right_end_is_converted(folder):
    rows = [["指标：地区生产总值"], ["", "", "单位：百万元"], EXPORT_HEAD[3], *body(100050, 100000)]
    observations, ledger = folder.read("t.csv", csv(rows))
    assert observations["value"].iloc[0] == 1000.5
    assert (ledger["rule"] == "unit: times 0.01 to 100M yuan").sum() == 62


def test_units_that_contradict(folder):
    rows = [["单位：万元"], *EXPORT]
    folder.problem("t.csv", csv(rows), "'亿元' here and '万元' in the line over the header")


def test_units_in_cells(folder):
    rows = [
        ["指标：地区生产总值"],
        EXPORT_HEAD[3],
        *([a, f"{b}亿元", f"{c}亿元"] for a, b, c in body()),
    ]
    observations, ledger = folder.read("t.csv", csv(rows))
    is_expected(observations)
    assert rules(ledger, "B3") == [("1000.5亿元", "unit in the cell: 100M yuan", "1000.5")]
    folder.problem("t.csv", csv(rows).replace("1000.5亿元", "1000.5"), "cell B3", "has no unit")
    stated = csv([["单位：万元"], *rows]).replace("1000.5亿元", "1000.5")
    with pytest.raises(TandemError, match="contradicts the unit stated"):
        folder.read("t.csv", stated)


@pytest.mark.parametrize("printed", ["…", "—", "-", "#", ""])
def test_missing_codes_are_kept_apart(folder, printed):
    observations, ledger = folder.read("t.csv", csv(EXPORT).replace("1000.5", printed))
    assert len(observations) == 61
    rule = f"missing code: {printed} (" if printed else "blank: not published"
    assert [r[1].startswith(rule) for r in rules(ledger, "B5")] == [True]


def test_stored_floats_and_errors_of_a_workbook(folder):
    book = xlsx(EXPORT)
    book.active["B5"] = 1000.1 + 2e-13
    observations, ledger = folder.read("t.xlsx", book)
    assert observations["value"].iloc[0] == 1000.1
    book.active["B5"] = "#REF!"
    book.active["B5"].data_type = "e"
    where = "sheet 表1 cell B5, Beijing 2011: "
    folder.problem("t.xlsx", book, where + "'#REF!' is not a number but a formula error")
    book.active["B5"] = "=1/0"
    folder.problem("t.xlsx", book, where + "'=1/0' is not a number")
    book.active["B5"] = pd.Timestamp("2010-01-31").to_pydatetime()
    folder.problem("t.xlsx", book, where + "'2010-01-31' is not a number")


def test_percent_format_of_a_workbook_counts(folder):
    book = xlsx([["指标：研发强度"], EXPORT_HEAD[3], *body(0.01, 0.001)])
    for row in book.active.iter_rows(min_row=3, min_col=2):
        for cell in row:
            cell.number_format = "0.00%"
            cell.value = 0.025
    described = {"series": "rd_intensity_published"}
    observations, _ = folder.read(
        "t.xlsx", book, series="rd_intensity_published", description=described
    )
    assert set(observations["value"]) == {2.5}


def test_merged_values_are_refused(folder):
    book = xlsx(EXPORT, ["B5:C5"])
    with pytest.raises(TandemError, match="cell B5, Beijing 2011: the cell is merged"):
        folder.read("t.xlsx", book)


def test_shifted_header(folder):
    text = csv(EXPORT).replace("地区,2011年,2010年", "地区,2010年,")
    with pytest.raises(TandemError, match="cell C5, Beijing: '2000.5' stands under no header"):
        folder.read("t.csv", text)


def saved(book) -> bytes:
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("size", [30, 1000, 4000])
def test_cut_workbooks(folder, size):
    folder.problem("t.xlsx", saved(xlsx(EXPORT))[:size], "damaged or cut off")
    content = (FILES / "gdp.xls").read_bytes()[:size]
    folder.problem("t.xls", content, "cannot be opened as an .xls workbook")


def test_archive_that_is_no_workbook(folder):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        package.writestr("readme.txt", "x")
    folder.problem("t.xlsx", buffer.getvalue(), "no .xlsx workbook")


def test_bounds(folder, monkeypatch):
    book = xlsx(EXPORT)
    book.active["XFD1048576"] = 1
    folder.problem("t.xlsx", book, "spans 1,048,576 rows and 16,384 columns")
    page = (
        "<table><tr><td colspan=9999999>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>"
    )
    folder.problem("t.html", page, "columns, more than 2,000,000 cells")
    folder.problem("t.csv", "地区,2010\n" + "x" * 10**7, "line 2 has 10,000,000 characters")
    monkeypatch.setattr(workbooks, "MAX_UNPACKED", 10**4)
    folder.problem("t.xlsx", xlsx(EXPORT * 20), "unpacks to")
    monkeypatch.setattr(workbooks, "MAX_FILE", 100)
    folder.problem("t.csv", csv(EXPORT), "more than the")


def test_quotation_mark_that_is_not_closed(folder):
    folder.problem("t.csv", csv(EXPORT).replace("河北,", '"河北,'), "not closed")


def test_a_description_is_no_raw_table(folder):
    folder.put("t.csv", csv(EXPORT), description={"series": "gdp"})
    assert list(read_sources(folder.folder)["file"]) == ["raw/t.csv"]
    (folder.folder / "raw" / "other.csv.yaml").write_text("{}")
    with pytest.raises(TandemError, match="^raw/other.csv.yaml has no line"):
        read_sources(folder.folder)


def with_sheet(inside, outside=""):
    """A workbook whose sheet is written by hand."""
    with zipfile.ZipFile(io.BytesIO(saved(xlsx(EXPORT)))) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    sheet = f"<worksheet xmlns='{main}'><sheetData>{inside}</sheetData>{outside}</worksheet>"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        for name, part in (parts | {"xl/worksheets/sheet1.xml": sheet}).items():
            package.writestr(name, part)
    return buffer.getvalue()


ALL = "A1:XFD1048576"


@pytest.mark.parametrize(
    ("inside", "outside", "words"),
    [
        ("<row r='1048576'><c t='n' r='XFD1048576'><v>1</v></c></row>", "", "spans 1,048,576 rows"),
        ("<row>" + "<c/>" * 60_000 + "</row>", "", "holds more cells, rows, formats"),
        ("<row/>" * 60_000, "", "holds more cells, rows, formats"),
        ("<row><x/></row>" * 40_000, "", "holds more cells, rows, formats"),
        (
            f"<row><c><f t='shared' ref='A1:A400' si='0'>{'A1+' * 99}A1</f></c></row>"
            + "<row><c><f t='shared' si='0'/></c></row>" * 400,
            "",
            "holds more cells, rows, formats or formulas",
        ),
        ("", f"<mergeCells><mergeCell  ref = '{ALL}'/></mergeCells>", "links 17,179,869,184 cells"),
        ("", f"<hyperlinks><hyperlink ref='{ALL}'/></hyperlinks>", "links 17,179,869,184 cells"),
        ("", "<mergeCells><mergeCell ref='A:B'/></mergeCells>", "links 2,097,152 cells"),
    ],
    ids=["far cell", "cells", "rows", "others", "shared", "merged", "linked", "columns"],
)
def test_a_sheet_is_bounded_as_its_parser_reads_it(folder, monkeypatch, inside, outside, words):
    monkeypatch.setattr(workbooks, "MAX_CELLS", 50_000)
    monkeypatch.setattr(workbooks, "MAX_OTHER", 30_000)
    monkeypatch.setattr(workbooks, "MAX_SHARED", 100_000)
    folder.problem("t.xlsx", with_sheet(inside, outside), words)


def test_what_is_too_large_is_not_told_to_be_damaged(folder, monkeypatch):
    monkeypatch.setattr(workbooks, "MAX_UNPACKED", 10**4)
    with pytest.raises(TandemError, match="t.xlsx unpacks to") as refused:
        folder.read("t.xlsx", xlsx(EXPORT * 20))
    assert "damaged" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[" * 40_000, "more than 50 lists and mappings"),
        ("header: !!bool x", "the tag tag:yaml.org,2002:bool stands before a value"),
        ("header: 3\nheader: 4", "line 2: the key 'header' stands twice"),
        ("header: [", "is not readable YAML"),
    ],
    ids=["deep", "tag", "twice", "no YAML"],
)
def test_a_description_that_is_no_plain_yaml(folder, text, words):
    file = folder.put("t.csv", csv(EXPORT), description={})
    (folder.folder / f"{file}.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(TandemError, match=r"^raw/t.csv.yaml ") as refused:
        read_observations(folder.folder, [file])
    assert words in str(refused.value)


def test_unit_in_a_column_and_in_the_header(folder):
    rows = [[name, "万元", late * 10**4] for name, late, _ in body()]
    described = {"series": "gdp"}
    text = csv([["地区", "单位", "2011"], *rows])
    is_expected(folder.read("t.csv", text, description=described)[0], years=(2011,))
    head = [["地区", *["地区生产总值"] * 2], ["", "2011", "2010"], ["", "亿元", "亿元"]]
    described = {"header": [1, 2, 3], "year": {"row": 2}, "unit": {"row": 3}}
    is_expected(folder.read("t.csv", csv(head + body()), description=described)[0])


def test_indicators_across_with_units_marks_and_a_column_left_out(folder):
    head = ["地 区", '"地区生产总值, 亿元"', "#第一产业增加值(万元)①", "其他", "备注"]
    rows = [["年份：2010"], head, *([n, a, 10**6, 7, "x"] for n, a, _ in body())]
    described = {"series": {"其他": None}}
    observations, ledger = folder.read(
        "t.csv", csv(rows), series="gdp;va_primary", description=described
    )
    is_expected(observations[observations["series"] == "gdp"], years=(2010,))
    assert set(observations["value"][observations["series"] == "va_primary"]) == {100.0}
    assert rules(ledger, "D2") == [("其他", "left out by the description", "")]


def test_long_tables_of_the_nation(folder):
    entries = {"region_scope": "nation"}
    wide = "年份,地区生产总值(亿元)\n2010,5000\n2011,6000\n"
    long = "指标,年份,数值\n地区生产总值(亿元),2010,5000\n地区生产总值(亿元),2011,6000\n"
    for text in (wide, long):
        observations, _ = folder.read("t.csv", text, **entries)
        assert observations[["region", "year", "value"]].values.tolist() == [
            ["China", 2010, 5000], ["China", 2011, 6000]
        ]  # fmt: skip


def test_region_merged_over_the_rows_of_a_long_table(folder):
    lines = [["地区", "年份", "地区生产总值(亿元)"]]
    for name, late, early in body():
        lines += [[name, 2011, late], [None, 2010, early]]
    book = xlsx(lines, [f"A{row}:A{row + 1}" for row in range(2, 64, 2)])
    observations, ledger = folder.read("t.xlsx", book)
    is_expected(observations)
    assert ("", "merged with A2", "北京") in rules(ledger, "A3")


def test_row_order_does_not_matter(folder):
    rows = body()
    forward = folder.read("t.csv", csv(EXPORT_HEAD + rows))[0]
    backward = folder.read("t.csv", csv(EXPORT_HEAD + rows[::-1]))[0]
    key = ["region_code", "year", "value"]
    assert sorted(forward[key].values.tolist()) == sorted(backward[key].values.tolist())
