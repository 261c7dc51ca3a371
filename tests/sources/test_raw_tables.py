"""The readers on good and on spoilt copies of real tables."""

import re

import pytest

from tandem.errors import TandemError
from tandem.sources import read_codebook, read_sources, read_table

GDP = "raw/nbs/gdp_census4.csv"
APPENDIX = "raw/regional_yearbook/chongqing_2008_appendix3.csv"
NATION = "raw/csy/2012_2-17.csv"
ROW = "北京市,35445.1,33106.0"  # B5 is Beijing 2019, C5 is Beijing 2018


def message(copy, *files) -> str:
    with pytest.raises(TandemError) as caught:
        copy.read(*files)
    return str(caught.value)


def one_sentence(copy, file, *parts) -> None:
    """The only problem of a file is one sentence that names all the parts."""
    text = message(copy, file)
    assert "\n" not in text, text
    assert text.endswith(".") and text.startswith(file)
    for part in parts:
        assert part in text, (part, text)


def test_export_layout(copy):
    observations, ledger = copy.read(GDP)
    assert len(observations) == 465
    row = observations[(observations["region"] == "Shanxi") & (observations["year"] == 2018)]
    first = row.iloc[0].to_dict()
    assert first.pop("value") == 15958.1
    assert first == {
        "region_code": "140000",
        "region": "Shanxi",
        "series": "gdp",
        "unit": "100M yuan",
        "year": 2018,
        "vintage": "census4",
        "source": "NBS National Data, annual data by province, 地区生产总值(亿元)",
        "cell": f"{GDP}!!C8",
        "flag": "",
    }
    assert list(ledger["rule"]) == ["unit name"]


def test_yearbook_layout(copy):
    observations, ledger = copy.read(APPENDIX)
    assert set(observations["year"]) == {2007}
    assert set(observations["series"]) == {
        "gdp", "va_primary", "va_secondary", "va_tertiary", "population_yearend",
    }  # fmt: skip
    assert len(observations) == 150
    assert "Guangxi" not in set(observations["region"])
    assert (ledger["rule"] == "missing code: not copied").sum() == 5


def test_national_layout(copy):
    observations, _ = copy.read(NATION)
    assert len(observations) == 132
    assert set(observations["region_code"]) == {"CN"}
    assert (observations["series"] == "net_exports").sum() == 22


def test_a_table_is_read_on_its_own(copy, codebook):
    source = read_sources(copy.folder).set_index("file", drop=False).loc[GDP]
    observations, ledger = read_table(copy.folder / GDP, source, codebook)
    assert len(observations) == 465 and len(ledger) == 1


@pytest.mark.parametrize(
    ("encoding", "rule"),
    [("gb18030", "encoding: GB18030"), ("gbk", "encoding: GB18030"),
     ("utf-8-sig", "encoding: UTF-8 with byte-order mark")],
)  # fmt: skip
def test_other_encodings_give_the_same_numbers(copy, encoding, rule):
    before, _ = copy.read(GDP)
    copy.write(GDP, copy.text(GDP), encoding)
    after, ledger = copy.read(GDP)
    assert before.equals(after)
    assert (ledger["rule"] == rule).sum() == 1


def test_windows_line_ends(copy):
    before, _ = copy.read(GDP)
    copy.write(GDP, copy.text(GDP).replace("\n", "\r\n"))
    assert copy.read(GDP)[0].equals(before)


def test_ledger_of_a_decorated_cell(copy):
    copy.change(GDP, ROW, '北京,"35,445.1①",３３１０６．０')
    observations, ledger = copy.read(GDP)
    lines = ledger[ledger["cell"].isin(["A5", "B5", "C5"])]
    assert set(ledger["file"]) == {GDP} and set(ledger["sheet"]) == {""}
    assert list(lines[["cell", "raw", "rule", "value"]].itertuples(index=False, name=None)) == [
        ("A5", "北京", "region name", "Beijing"),
        ("B5", "35,445.1①", "footnote mark stripped", "35445.1"),
        ("B5", "35,445.1①", "thousands separator removed", "35445.1"),
        ("C5", "３３１０６．０", "full-width characters", "33106"),
    ]
    beijing = observations[observations["region"] == "Beijing"].set_index("year")["value"]
    assert beijing[2019] == 35445.1 and beijing[2018] == 33106.0


def test_blank_gives_a_ledger_line_and_no_value(copy):
    copy.change(GDP, ROW, "北京市,,33106.0")
    observations, ledger = copy.read(GDP)
    assert len(observations) == 464
    line = ledger[ledger["cell"] == "B5"].iloc[0]
    assert line["rule"] == "blank: not published" and line["value"] == ""


def test_unit_conversion(copy):
    copy.change(GDP, "地区生产总值(亿元)", "地区生产总值(万元)")
    book = read_codebook(copy.folder)
    book.loc[book["series"] == "gdp", "minimum"] = 0
    book.to_csv(copy.folder / "codebook.csv", index=False)
    observations, ledger = copy.read(GDP)
    beijing = observations[observations["region"] == "Beijing"].set_index("year")["value"]
    assert beijing[2019] == 3.54451
    assert (ledger["rule"] == "unit: times 0.0001 to 100M yuan").sum() == 465


def test_unit_of_sources_where_the_table_prints_none(copy):
    copy.change(GDP, "指标：地区生产总值(亿元)", "指标：地区生产总值")
    one_sentence(copy, GDP, "cell A2", "the unit of gdp is ''", "give the unit in sources.csv")
    copy.change_sources(GDP, unit="亿元")
    assert len(copy.read(GDP)[0]) == 465


def test_rows_of_totals_are_left_out_with_a_ledger_line(copy):
    copy.change(GDP, ROW, "全国," + "1," * 14 + "1\n" + ROW)
    observations, ledger = copy.read(GDP)
    assert len(observations) == 465
    assert (ledger["rule"] == "national total: not a province, left out").sum() == 1


def test_empty_columns_at_the_end_are_no_problem(copy):
    lines = copy.text(GDP).splitlines()
    copy.write(GDP, "\n".join(f"{line},," if "," in line else line for line in lines))
    assert len(copy.read(GDP)[0]) == 465


def test_misspelt_province(copy):
    copy.change(GDP, "黑龙江省", "黑龙讧省")
    one_sentence(
        copy, GDP, "cell A12", "'黑龙讧省' is not a province", "the nearest known name is 黑龙江省"
    )


@pytest.mark.parametrize(
    ("name", "printed", "nearest"),
    [("河北省", "河比省", "河北省"), ("河南省", "河男省", "河南省"), ("湖北省", "胡北省", "湖北省"),
     ("天津市", "天律", "天津市"), ("广西壮族自治区", "广酉壮族自治区", "广西壮族自治区"),
     ("宁夏回族自治区", "宁厦", "宁夏"), ("陕西省", "Shaanxii", "Shaanxi")],
)  # fmt: skip
def test_misspelt_province_is_near_one_that_the_table_lacks(copy, name, printed, nearest):
    copy.change(GDP, name, printed)
    one_sentence(
        copy, GDP, f"'{printed}' is not a province; the nearest known name is {nearest}, write"
    )


def test_province_unlike_any_other(copy):
    copy.change(GDP, "黑龙江省", "Atlantis")
    one_sentence(copy, GDP, "cell A12: 'Atlantis' is not a province; write it as in")


def test_province_too_many_has_no_nearest(copy):
    copy.change(GDP, ROW, "长江流域," + "1," * 14 + "1\n" + ROW)
    one_sentence(copy, GDP, "cell A5: '长江流域' is not a province; write it as in")


def test_duplicate_province(copy):
    line = next(row for row in copy.text(GDP).splitlines() if row.startswith("山西省"))
    copy.change(GDP, line, line + "\n" + line)
    one_sentence(copy, GDP, "cell B9", "Shanxi 2005-2019", "stand in B8 too", "delete one")


def test_duplicate_year(copy):
    copy.change(GDP, "2018年", "2019年")
    one_sentence(copy, GDP, "cell C4", "the year 2019 has two columns")


def without_column(text: str, year: str) -> str:
    """A table without one of its year columns."""
    rows = [line.split(",") for line in text.splitlines()]
    column = next(row for row in rows if row[0] == "地区").index(year)
    return "\n".join(",".join(row[:column] + row[column + 1 :]) for row in rows)


@pytest.mark.parametrize("span", ["2005-2019", "２００５－２０１９", "2005年至2019年"])
def test_announced_years_without_a_column(copy, span):
    copy.change(GDP, "时间：2005-2019", f"时间：{span}")
    copy.write(GDP, without_column(without_column(copy.text(GDP), "2015年"), "2005年"))
    one_sentence(
        copy, GDP, "cell A4: no column for 2005, 2015,", "announces", "add the column with blank"
    )


@pytest.mark.parametrize("line", ["时间：最近15年\n", ""])
def test_years_not_announced_are_not_missed(copy, line):
    copy.change(GDP, "时间：2005-2019\n", line)
    copy.write(GDP, without_column(copy.text(GDP), "2015年"))
    observations, _ = copy.read(GDP)
    assert len(observations) == 434 and 2015 not in set(observations["year"])


def test_unexplained_mark(copy):
    copy.change(GDP, ROW, "北京市,35445.1x,33106.0")
    one_sentence(
        copy, GDP, "cell B5", "Beijing 2019", "'35445.1x' is not a number", "leave the cell blank"
    )


@pytest.mark.parametrize("value", ["3544510000", "-35445.1", "0"])
def test_impossible_value(copy, value):
    copy.change(GDP, ROW, f"北京市,{value},33106.0")
    one_sentence(
        copy, GDP, "cell B5", "Beijing 2019", f"of {value} 100M yuan", "outside the plausible range"
    )


@pytest.mark.parametrize(
    ("series", "value"),
    [("rd_intensity_published", 250), ("rd_gdp_ratio", 250), ("population_yearend", -1),
     ("share_tertiary", 101), ("gdp_index_previous_year_100", 1.08)],
)  # fmt: skip
def test_codebook_refuses_the_absurd(codebook, series, value):
    entry = codebook.set_index("series").loc[series]
    assert not entry["minimum"] <= value <= entry["maximum"]


def test_missing_header(copy):
    copy.change(GDP, "地区,2019年", "省份,2019年")
    one_sentence(copy, GDP, "no header row", "地区", "data/README.md")


def test_missing_indicator_line(copy):
    copy.change(GDP, "指标：地区生产总值(亿元)\n", "")
    one_sentence(copy, GDP, "names neither its series", "指标：")


def test_missing_column(copy):
    text = copy.text(APPENDIX)
    head = "Value added of tertiary industry (100M yuan)"
    assert text.count(head) == 1
    copy.write(APPENDIX, text.replace(head, "Something else (100M yuan)"))
    label, series = message(copy, APPENDIX).splitlines()
    assert label.startswith(f"{APPENDIX} cell E3: 'Something else' is no label")
    assert "the column 'Value added of tertiary industry' of the series va_tertiary" in series


def test_missing_row_of_a_national_table(copy):
    line = next(r for r in copy.text(NATION).splitlines() if r.startswith("Net exports"))
    copy.change(NATION, line + "\n", "")
    one_sentence(
        copy, NATION, "the row 'Net exports of goods and services'", "net_exports is missing"
    )


def test_wrong_series(copy):
    copy.change(GDP, "指标：地区生产总值(亿元)", "指标：第一产业增加值(亿元)")
    one_sentence(copy, GDP, "cell A2", "'第一产业增加值' is no label", "(gdp)")


def test_wrong_unit(copy):
    copy.change(GDP, "地区生产总值(亿元)", "地区生产总值(万人)")
    one_sentence(copy, GDP, "cell A2", "the unit of gdp is '万人'", "100M yuan")


@pytest.mark.parametrize("year", ["20l9年", "1819", "2019.0", "合计"])
def test_year_that_is_none(copy, year):
    copy.change(GDP, "地区,2019年", f"地区,{year}")
    text = message(copy, GDP)
    assert f"{GDP} cell B4: '{year}' is not a year; write it as 2019 or 2019年." in text


def test_year_line_that_is_none(copy):
    copy.change(APPENDIX, "Year: 2007", "Year: last")
    one_sentence(copy, APPENDIX, "cell A2", "'last' is not a year")


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xef\xbb\xbf"])
def test_empty_file(copy, content):
    (copy.folder / GDP).write_bytes(content)
    one_sentence(copy, GDP, "is empty", "download it again")


def test_wrong_encoding(copy):
    copy.write(GDP, copy.text(GDP), "utf-16")
    one_sentence(copy, GDP, "neither UTF-8 nor GB18030", "save it as CSV in UTF-8")


def test_file_without_a_line_in_sources(copy):
    copy.write("raw/nbs/new.csv", copy.text(GDP))
    with pytest.raises(TandemError, match=r"^raw/nbs/new.csv has no line in sources.csv; add one"):
        read_sources(copy.folder)


def test_hidden_files_are_no_tables(copy):
    copy.write("raw/nbs/.DS_Store", "x")
    assert len(read_sources(copy.folder)) == 3


def test_file_named_but_absent(copy):
    (copy.folder / GDP).unlink()
    one_sentence(copy, GDP, "named in sources.csv but does not exist", "put it back")


def test_file_asked_for_but_unknown(copy):
    one_sentence(copy, "raw/nbs/nothing.csv", "has no line in sources.csv")


def test_truncated_table(copy):
    text = copy.text(GDP)
    copy.write(GDP, text[: text.index("青海省")])
    one_sentence(copy, GDP, "cell A32", "no row for Qinghai, Ningxia, Xinjiang (2005-2019)")


def test_row_cut_short(copy):
    line = next(r for r in copy.text(GDP).splitlines() if r.startswith("新疆"))
    copy.change(GDP, line, line.rsplit(",", 3)[0])
    one_sentence(copy, GDP, "cell N35", "Xinjiang 2007", "cut off")


def test_value_without_header(copy):
    line = next(r for r in copy.text(GDP).splitlines() if r.startswith("新疆"))
    copy.change(GDP, line, line + ",5")
    one_sentence(copy, GDP, "cell Q35", "Xinjiang", "'5' stands under no header")


def test_scope_that_does_not_fit(copy):
    copy.change_sources(GDP, region_scope="nation")
    one_sentence(copy, GDP, "cell A4", "regions down its rows", "scope nation")


def test_series_unknown_to_the_codebook(copy):
    copy.change_sources(GDP, series="gnp")
    one_sentence(copy, GDP, "names the series gnp", "add a line to codebook.csv")


@pytest.mark.parametrize(
    ("entries", "part"),
    [
        ({"vintage": ""}, "the column vintage is blank"),
        ({"region_scope": "towns"}, "region_scope is 'towns'"),
        ({"flag": "perhaps"}, "flag is 'perhaps'"),
        ({"unit": "亿元;万元"}, "same number of entries"),
    ],
)
def test_faults_in_sources(copy, entries, part):
    copy.change_sources(GDP, **entries)
    with pytest.raises(TandemError, match=re.escape(f"({GDP}): ")) as caught:
        read_sources(copy.folder)
    assert part in str(caught.value)


def test_sources_listed_twice(copy):
    sources = read_sources(copy.folder)
    copy.write_sources(sources.iloc[[0, 0, 1, 2]])
    with pytest.raises(TandemError, match="lists .* twice"):
        read_sources(copy.folder)


def test_sources_without_a_column(copy):
    copy.write_sources(read_sources(copy.folder).drop(columns="vintage"))
    with pytest.raises(TandemError, match="lacks the column vintage"):
        read_sources(copy.folder)


@pytest.mark.parametrize(
    ("column", "entry", "part"),
    [("minimum", "many", "not two numbers"), ("maximum", "-5", "ascending order"),
     ("unit", "", "the column unit is blank")],
)  # fmt: skip
def test_faults_in_the_codebook(copy, column, entry, part):
    book = read_codebook(copy.folder).astype(str)
    book.loc[book["series"] == "gdp", column] = entry
    book.to_csv(copy.folder / "codebook.csv", index=False)
    with pytest.raises(TandemError, match=part):
        read_codebook(copy.folder)


def test_all_problems_at_once_and_no_more_than_twenty(copy):
    text = copy.text(GDP)
    copy.write(GDP, re.sub(r"(?m)^([^地].+[市省区]),([\d.]+)", r"\1,\2x", text))
    copy.change(NATION, "Net exports", "Gross imports")
    lines = message(copy, GDP, NATION).splitlines()
    assert len(lines) == 21
    assert all("'" in line and line.startswith("raw/") for line in lines[:20])
    assert lines[-1] == "There are 13 more problems of this kind."


def test_same_value_in_two_tables_is_kept_once(copy):
    copy.add("raw/nbs/again.csv", copy.text(GDP), flag="second-hand")
    observations, ledger = copy.read("raw/nbs/again.csv", GDP)
    assert len(observations) == 465
    assert (observations["flag"] == "").all()
    repeats = ledger[ledger["rule"].str.startswith(f"repeat: {GDP}!!")]
    assert len(repeats) == 465 and set(repeats["file"]) == {"raw/nbs/again.csv"}


def test_contradiction_within_a_vintage(copy):
    copy.add("raw/nbs/again.csv", copy.text(GDP).replace("35445.1", "35371.3"))
    text = message(copy, GDP, "raw/nbs/again.csv")
    assert text.startswith("raw/nbs/again.csv cell B5, Beijing 2019: gdp is 35371.3 here but ")
    assert f"35445.1 in {GDP} cell B5 under the same vintage census4" in text
