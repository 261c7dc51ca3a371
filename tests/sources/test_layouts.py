"""Layouts that a description names, and what is told where table, description or list are wrong."""

import codecs
import datetime
import struct

import openpyxl
import pytest
from openpyxl.chart import BarChart
from test_intake import (  # noqa: F401
    EXPORT,
    FILES,
    body,
    csv,
    folder,
    html,
    is_expected,
    rules,
    saved,
    xlsx,
)

from tandem.errors import TandemError
from tandem.sources import read_codebook, read_observations, read_sources, read_table, workbooks
from tandem.sources.xls_records import read_xls_facts

NATION = {"region_scope": "nation"}


# --- descriptions ---------------------------------------------------------------------------------


def test_unit_and_year_in_columns_that_a_description_names(folder):  # noqa: F811
    rows = [[name, "亿元", late, 2011] for name, late, _ in body()]
    text = csv([["地区", "a", "地区生产总值", "b"], *rows])
    described = {"unit": {"column": "B"}, "year": {"column": "D"}}
    is_expected(folder.read("t.csv", text, description=described)[0], years=(2011,))
    described |= {"series": "gdp"}
    is_expected(folder.read("t.csv", text, description=described)[0], years=(2011,))
    wrong = text.replace("天津,亿元", "天津,公里")
    folder.problem("t.csv", wrong, "cell B3: the unit of gdp is '公里'", description=described)


def test_a_year_that_a_description_gives(folder):  # noqa: F811
    text = csv([["地区", "地区生产总值(亿元)"], *([name, late] for name, late, _ in body())])
    is_expected(folder.read("t.csv", text, description={"year": 2011})[0], years=(2011,))


@pytest.mark.parametrize("described", [
    {"header": 99}, {"year": {"row": 99}}, {"unit": {"row": 99}}, {"skip": [99]}, {"body": [4, 99]},
    {"body": [99, None]},
])  # fmt: skip
def test_a_description_that_points_below_the_table(folder, described):  # noqa: F811
    text = csv(EXPORT)
    folder.problem("t.csv", text, f"has {len(EXPORT)} rows, but its description names row 99",
                   description=described | {"series": "gdp"})  # fmt: skip


def test_a_table_of_a_page_that_it_has_not(folder):  # noqa: F811
    folder.problem(
        "t.html", html(EXPORT), "has 1 tables, but its description names table 3",
        description={"table": 3},
    )  # fmt: skip


def test_all_sheets_are_read_where_a_description_says_so(folder):  # noqa: F811
    book = xlsx([["地区", "2011年"], *([n, a] for n, a, _ in body())])
    more = book.create_sheet("second")
    for row in [["地区", "2010年"], *([n, b] for n, _, b in body())]:
        more.append(row)
    described = {"sheets": "all", "series": "gdp", "unit": "亿元"}
    observations, _ = folder.read("t.xlsx", book, description=described)
    is_expected(observations)
    assert set(observations["cell"].str.split("!").str[1]) == {"表1", "second"}


def test_a_continuation_may_end_before_the_body_that_a_description_names(folder):  # noqa: F811
    book = xlsx([["地区", "2011年"], *([n, a] for n, a, _ in body()), [], ["注：初步数"]])
    more = book.create_sheet("second")
    for row in [["地区", "2010年"], *([n, b] for n, _, b in body()[:-1])]:
        more.append(row)
    last = 1 + len(body())
    described = {"sheets": "all", "series": "gdp", "unit": "亿元", "header": 1, "body": [2, last]}
    problem = f"second cell A{last - 1}: the table has no row for"
    folder.problem("t.xlsx", book, problem, description=described)


def test_a_description_that_is_no_yaml_is_named(folder):  # noqa: F811
    for content in (b"series: [gdp", b"series: \xff\xfe"):
        folder.put("t.csv", csv(EXPORT))
        (folder.folder / "raw/t.csv.yaml").write_bytes(content)
        with pytest.raises(TandemError, match="^raw/t.csv.yaml is not readable YAML in UTF-8"):
            read_observations(folder.folder, ["raw/t.csv"])


# --- what stands in the rows ----------------------------------------------------------------------


def test_a_label_without_unit_loses_its_footnote_mark(folder):  # noqa: F811
    text = csv([["指标", "单位", "2010", "2011"], ["地区生产总值①", "亿元", 5000, 6000]])
    observations, ledger = folder.read("t.csv", text, **NATION)
    assert observations["value"].tolist() == [5000, 6000]
    assert rules(ledger, "A2")[0] == ("地区生产总值①", "footnote mark stripped", "地区生产总值")
    folder.problem("t.csv", text.replace("地区生产总值", "总值"),
                   "cell A2: '总值①' is no label of the series", **NATION)  # fmt: skip


def test_a_label_that_stands_twice(folder):  # noqa: F811
    line = ["地区生产总值(亿元)", 5000, 6000]
    text = csv([["指标", "2010", "2011"], line, line])
    told = "cell A3: '地区生产总值(亿元)' stands in row 2 too; delete one of them"
    folder.problem("t.csv", text, told, **NATION)


def test_years_down_the_rows_with_marks_and_without_sense(folder):  # noqa: F811
    text = "年份,地区生产总值(亿元)\n2010①,5000\n2011,6000\n"
    observations, ledger = folder.read("t.csv", text, **NATION)
    assert observations["year"].tolist() == [2010, 2011]
    assert rules(ledger, "A2") == [("2010①", "footnote mark stripped", "2010")]
    told = "cell A2: '2010-12' is not a year but a date; write it as 2019"
    folder.problem("t.csv", text.replace("2010①", "2010-12"), told, **NATION)


def test_a_line_over_the_header_may_stand_twice_in_other_widths(folder):  # noqa: F811
    text = csv([["指标：地区生产总值（亿元）①"], *EXPORT])
    is_expected(folder.read("t.csv", text)[0])
    told = "contradicts '指标：地区生产总值（万元）①' in cell A1; delete the one that is wrong"
    folder.problem("t.csv", text.replace("（亿元）", "（万元）"), told)


@pytest.mark.parametrize(
    ("printed", "hint"),
    [("40179", " (as a spreadsheet's day number it would be 2010-01-01, a date)"), ("10000", "")],
)
def test_a_number_over_a_column_is_no_year(folder, printed, hint):  # noqa: F811
    text = csv(EXPORT).replace("2010年\n", f"{printed}\n")
    told = f"cell C4: '{printed}' is not a year{hint}; write it as 2019 or 2019年"
    folder.problem("t.csv", text, told)


def test_a_marked_year_above_the_table(folder):  # noqa: F811
    rows = [["年份：2011①"], ["地区", "地区生产总值(亿元)"], *([n, a] for n, a, _ in body())]
    observations, ledger = folder.read("t.csv", csv(rows))
    is_expected(observations, years=(2011,))
    assert [line[1:] for line in rules(ledger, "A1")] == [("footnote mark stripped", "2011")]


def test_a_code_of_another_province(folder):  # noqa: F811
    codes = [f"{i}0000" for i in (11, 12)]
    rows = [[code, *row] for code, row in zip(codes[::-1], body()[:2], strict=True)]
    rows += [["", *row] for row in body()[2:]]
    text = csv([["代码", "地区", "2011年", "2010年"], *rows])
    described = {"series": "gdp", "unit": "亿元"}
    with pytest.raises(TandemError) as caught:
        folder.read("t.csv", text, description=described)
    assert str(caught.value).splitlines() == [
        f"raw/t.csv cell A{row}: the code {code} is not that of {name}; correct the code or the "
        "name."
        for row, code, name in ((2, 120000, "Beijing"), (3, 110000, "Tianjin"))
    ]


def test_a_number_with_a_unit_that_is_no_number(folder):  # noqa: F811
    text = csv(EXPORT).replace("1000.5", "10.00.5亿元")
    told = "cell B5, Beijing 2011: '10.00.5亿元' is not a number in 100M yuan or contradicts"
    folder.problem("t.csv", text, told)


def test_countries_without_codes(folder):  # noqa: F811
    text = "Region,Year,GDP\nChina,2010,5500\n"
    folder.problem("t.csv", text, "needs a column 'code' with their ISO 3166 codes",
                   region_scope="countries", description={"series": "gdp"})  # fmt: skip


def test_problems_of_one_table_are_told_together(folder):  # noqa: F811
    text = csv(EXPORT).replace("1000.5", "x").replace("1001.5", "y")
    file = folder.put("t.csv", text)
    source = read_sources(folder.folder).iloc[0]
    with pytest.raises(TandemError) as caught:
        read_table(folder.folder / file, source, read_codebook(folder.folder))
    lines = str(caught.value).splitlines()
    assert [line.split(",")[0] for line in lines] == [
        "raw/t.csv cell B5", "raw/t.csv cell B6",
    ]  # fmt: skip


# --- files ----------------------------------------------------------------------------------------


def test_pages_cut_off_or_without_content(folder):  # noqa: F811
    page = html(EXPORT)
    folder.problem("t.html", page[: page.index("</table>")], "ends before its table does; download")
    folder.problem("t.html", "<html><!-- <table></table>", "is a web page without a table")
    folder.problem("t.html", "<!-- <table></table> -->", "is not a web page that can be read (")
    scripted = page.replace("<td>1000.5", "<td><script>var x = 7;</script>1000.5")
    is_expected(folder.read("t.html", scripted)[0])


@pytest.mark.parametrize(
    ("mark", "encoding"), [(codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")]
)
def test_text_in_utf_16_is_refused_with_what_to_do(folder, mark, encoding):  # noqa: F811
    content = mark + csv(EXPORT).encode(encoding)
    folder.problem("t.csv", content, "is neither UTF-8 nor GB18030 text; save it as CSV in UTF-8")


def test_a_workbook_of_charts_alone(folder):  # noqa: F811
    book = openpyxl.Workbook()
    book.create_chartsheet("chart").add_chart(BarChart())
    book.remove(book.active)
    folder.problem("t.xlsx", saved(book), "has no sheet of cells; download it again")


def test_a_file_that_is_gone_is_named(tmp_path):
    with pytest.raises(TandemError, match="^raw/t.csv is named in sources.csv but does not exist"):
        workbooks.read_sheets(tmp_path / "t.csv", "raw/t.csv")


def test_a_time_in_a_cell_is_no_number(folder):  # noqa: F811
    book = xlsx(EXPORT)
    book.active["B5"] = datetime.time(12, 30)
    folder.problem("t.xlsx", book, "cell B5, Beijing 2011: '12:30:00' is not a number")


GDP_XLS = (FILES / "gdp.xls").read_bytes()


def with_bytes(at: int, form: str, *values: int) -> bytes:
    raw = bytearray(GDP_XLS)
    struct.pack_into(form, raw, at, *values)
    return bytes(raw)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (with_bytes(30, "<H", 3), "its header gives no size of a sector that there is"),
        (with_bytes(48, "<I", 10**6), "the chain of sectors is broken"),
        (with_bytes(68, "<I", 10**6), "the file ends before its last sector"),
        (GDP_XLS.replace("Workbook".encode("utf-16-le"), "Notebook".encode("utf-16-le")),
         "there is no workbook in it"),
    ],
)  # fmt: skip
def test_a_spoilt_compound_file_says_what_is_wrong(folder, content, words):  # noqa: F811
    folder.problem("t.xls", content, "cannot be opened as an .xls workbook", words)


def test_an_xls_stream_that_ends_within_a_sheet(folder):  # noqa: F811
    raw = bytearray(with_bytes(56, "<I", 100))  # streams from 100 bytes on are in whole sectors
    entry = raw.index("Workbook".encode("utf-16-le"))  # of the directory; its length at 120
    struct.pack_into("<I", raw, entry + 120, 3000)
    folder.problem("t.xls", bytes(raw), "the workbook ends in the middle of a sheet")


def test_of_an_encrypted_workbook_nothing_is_known():
    begin = GDP_XLS.index(b"\x09\x08\x10\x00\x00\x06\x05\x00")  # BIFF8, globals
    size = struct.unpack_from("<H", GDP_XLS, begin + 2)[0]
    raw = bytearray(GDP_XLS)
    struct.pack_into("<H", raw, begin + 4 + size, 0x2F)  # the next record says: encrypted
    assert read_xls_facts(GDP_XLS) and read_xls_facts(bytes(raw)) == {}


def test_an_xls_sheet_beyond_the_bounds_keeps_its_own_sentence(folder, monkeypatch):  # noqa: F811
    monkeypatch.setattr(workbooks, "MAX_CELLS", 10)
    folder.problem("t.xls", GDP_XLS, "sheet GDP spans ", "more than 10 cells")


# --- lists ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["aliases.csv", "sources.csv", "codebook.csv"])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("kind,原因".encode("gb18030"), "cannot be read .*save it as UTF-8 CSV"),
        (b"", "cannot be read .*save it as UTF-8 CSV"),
        (b"kind,printed\nregion,x\n", "lacks the column .*; add it to its first line"),
    ],
)
def test_a_list_that_cannot_be_read_is_named(folder, name, content, words):  # noqa: F811
    folder.put("t.csv", csv(EXPORT))
    (folder.folder / name).write_bytes(content)
    with pytest.raises(TandemError, match=f"{name} {words}"):
        read_observations(folder.folder, ["raw/t.csv"])


def test_a_data_folder_without_inventory(tmp_path):
    with pytest.raises(TandemError, match="sources.csv does not exist; it must list what lies in"):
        read_sources(tmp_path)


@pytest.mark.parametrize("file", ["nbs/t.csv", "../raw/t.csv", "raw/../t.csv", "raw/.t.csv"])
def test_tables_lie_under_raw(folder, file):  # noqa: F811
    folder.put("t.csv", csv(EXPORT), file="raw/t.csv")
    sources = folder.folder / "sources.csv"
    sources.write_text(sources.read_text("utf-8").replace("raw/t.csv", file), "utf-8")
    with pytest.raises(TandemError, match=r"line 2 .*does not lie under raw/; put the table there"):
        read_sources(folder.folder)
