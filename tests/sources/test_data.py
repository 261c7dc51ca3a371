"""The tables in data/: complete, in order, and adding up as published."""

import hashlib
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from tandem.sources import check_identities, read_sources, read_table, seed_checks, seed_figures
from tandem.sources.regions import PROVINCES
from tandem.sources.seed import implied_total

FIGURES = Path(__file__).parents[3] / "shared" / "figures"


def total(observations, series, vintage, year):
    rows = observations[
        (observations["series"] == series)
        & (observations["vintage"] == vintage)
        & (observations["year"] == year)
        & (observations["region_code"] != "CN")
    ]
    return rows["value"].sum()


def test_counts(everything):
    observations, ledger = everything
    repeats = ledger["rule"].str.startswith("repeat: ")
    provinces = observations["region_code"] != "CN"
    paper = observations["cell"].str.startswith("raw/assehr455/")
    # at least what the first release held; a table added later only adds
    assert provinces.sum() >= 18379
    assert (~provinces & ~paper).sum() + repeats.sum() >= 1886
    assert paper.sum() == 25


def test_one_value_a_region_series_year_and_vintage(everything):
    key = ["region_code", "series", "year", "vintage"]
    assert not everything[0].duplicated(key).any()
    assert not everything[0]["cell"].duplicated().any()
    assert everything[0].notna().all().all()


def test_every_cell_has_its_unit_and_region(everything, codebook):
    observations = everything[0]
    units = codebook.set_index("series")["unit"]
    assert (observations["unit"] == observations["series"].map(units)).all()
    names = {**PROVINCES, "CN": "China"}
    assert (observations["region"] == observations["region_code"].map(names)).all()


def test_flags(everything):
    observations = everything[0]
    quoted = observations["cell"].str.startswith("raw/quoted/")
    assert (observations.loc[quoted, "flag"].isin(["quoted", "second-hand"])).all()
    assert (observations.loc[~quoted, "flag"] == "").all()


def test_codebook_labels_are_unique(codebook):
    assert not codebook["label_en"].duplicated().any()
    assert not codebook["label_zh"].duplicated().any()


def test_files_are_those_of_the_checksums(data):
    lines = (data / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    listed = {line[66:]: line[:64] for line in lines}
    assert set(listed) == set(read_sources(data).query("download == ''")["file"])
    for file, digest in listed.items():
        assert hashlib.sha256((data / file).read_bytes()).hexdigest() == digest, file


@pytest.mark.parametrize(
    ("series", "vintage", "year", "expected", "tolerance"),
    [
        ("gdp", "census5", 2010, 421_349.5, 0.05),
        ("industrial_rd_expenditure", "nbs-2021", 2004, 11_045_000, 500),
        ("industrial_rd_expenditure", "nbs-2021", 2008, 30_731_000, 500),
        ("industrial_rd_expenditure", "nbs-2021", 2011, 59_938_000, 500),
        ("industrial_rd_expenditure", "nbs-2021", 2012, 72_006_500, 50),
        ("industrial_rd_expenditure", "nbs-2021", 2017, 120_129_600, 50),
        ("industrial_rd_expenditure", "nbs-2021", 2019, 139_711_000, 500),
        ("industrial_rd_personnel_fte", "nbs-2021", 2004, 541_789, 0.5),
        ("industrial_rd_personnel_fte", "nbs-2021", 2008, 1_229_998, 0.5),
        ("industrial_rd_personnel_fte", "nbs-2021", 2009, 1_446_792, 0.5),
        ("industrial_rd_personnel_fte", "nbs-2021", 2011, 1_939_074, 0.5),
        ("industrial_pollution_treatment_investment", "nbs-2021", 2008, 5_426_400, 50),
        ("industrial_pollution_treatment_investment", "nbs-2021", 2011, 4_443_600, 50),
        ("industrial_pollution_treatment_investment", "nbs-2021", 2013, 8_676_600, 50),
        ("industrial_pollution_treatment_investment", "nbs-2021", 2017, 6_815_300, 50),
        ("industrial_pollution_treatment_investment", "nbs-2021", 2019, 6_151_500, 50),
        ("rd_expenditure", "st-communique-2017", 2017, 15_262.4, 0.05),
        ("rd_expenditure", "st-communique-2018", 2018, 19_678.1, 0.05),
        ("rd_expenditure", "st-communique-2019", 2019, 22_143.6, 0.05),
        ("rd_expenditure", "st-communique-2024", 2024, 36_326.8, 0.05),
        ("population_yearend", "post-2020-census", 2020, 141_013, 0.5),
        ("population_yearend", "pre-2020-census", 2010, 133_384, 0.5),
        ("industrial_enterprises_above_scale", "nbs-2021", 2005, 271_835, 0.5),
        ("industrial_enterprises_above_scale", "nbs-2021", 2011, 325_609, 0.5),
        ("industrial_enterprises_above_scale", "nbs-2021", 2019, 377_815, 0.5),
        ("industrial_main_business_revenue", "nbs-2021", 2016, 1_158_998.5, 0.05),
        ("industrial_new_product_sales_revenue", "nbs-2021", 2019, 2_120_603_000, 500),
        ("industrial_patent_applications", "nbs-2021", 2019, 1_059_808, 0.5),
        ("industrial_valid_invention_patents", "nbs-2021", 2019, 1_218_074, 0.5),
        ("fiscal_expenditure_total", "nbs-2021", 2010, 73_884.4, 0.05),
        ("fiscal_education", "nbs-2021", 2010, 11_829.1, 0.05),
        ("fiscal_science_technology", "nbs-2021", 2010, 1_588.9, 0.05),
        ("fiscal_environment_protection", "nbs-2021", 2019, 6_969.0, 0.05),
        ("gdp_expenditure_approach", "pre-census4", 2017, 847_140, 0.5),
    ],
)  # fmt: skip
def test_sums_over_provinces(everything, series, vintage, year, expected, tolerance):
    assert total(everything[0], series, vintage, year) == pytest.approx(expected, abs=tolerance)


def test_pollution_treatment_of_2018_stays_missing(everything):
    observations, ledger = everything
    rows = observations[observations["series"] == "industrial_pollution_treatment_investment"]
    assert 2018 not in set(rows["year"])
    file = "raw/nbs/industrial_pollution_treatment_investment.csv"
    blank = ledger[(ledger["file"] == file) & (ledger["rule"] == "blank: not published")]
    assert blank["cell"].str.contains(r"(?:^|!)C\d+$").sum() == 31  # the column of 2018


def test_three_industries_add_up_to_gdp(everything):
    checks = check_identities(everything[0])
    rows = checks[checks["check"] == "gdp = va_primary + va_secondary + va_tertiary"]
    census4 = rows[rows["where"].str.contains(r"\(census4\)")]
    assert len(census4) == 465
    assert (census4["tolerance"] == 0.2).all()
    assert rows["passed"].all()


def test_only_known_discrepancies_of_the_print_fail(everything):
    """Three totals and a ratio that do not equal their parts in the publications themselves."""
    checks = check_identities(everything[0])
    failed = checks[~checks["passed"]].set_index("where")["difference"]
    assert failed.to_dict() == {
        "China 1996 (csy-2005)": pytest.approx(33613.1 - 33612.9),
        "China 2021 (st-communique-2021)": pytest.approx(27958.3 - 27956.3),
        "China 2011 (st-communique-2011)": pytest.approx(100 * 7246.8 / 8687.0 - 83.5),
        "nation 2009 (nbs-2021, csy-2012)": pytest.approx(-0.0762),
    }


def test_a_wrong_value_fails_its_check(everything):
    observations = everything[0].copy()
    here = (
        (observations["region"] == "Gansu")
        & (observations["year"] == 2011)
        & (observations["series"] == "va_tertiary")
        & (observations["vintage"] == "census4")
    )
    assert here.sum() == 1
    observations.loc[here, "value"] += 0.3
    checks = check_identities(observations)
    row = checks[(checks["where"] == "Gansu 2011 (census4)") & (checks["expected"] > 4000)]
    row = row[row["check"].str.startswith("gdp = ")]
    assert list(row["passed"]) == [False]


def test_checks_of_a_study_that_has_no_such_series(everything):
    observations = everything[0]
    few = observations[observations["series"] == "fiscal_education"]
    assert check_identities(few).empty


def test_seed_checks(data):
    checks = seed_checks(data).set_index("check")
    shares = checks.loc["both percentages of one total of enterprises"]
    assert "6529.99-6536.81 and 6559.23-6568.90" in shares["finding"]
    assert not shares["consistent"]
    fields = checks[checks.index.str.startswith("the fields add up")].iloc[0]
    assert "7,228" in fields["finding"] and "80.7%" in fields["finding"]
    assert not fields["consistent"]
    assert checks.loc["share of enterprises with R&D rounds to 10 %", "finding"] == "10.01%"
    findings = list(checks["finding"])[3:]
    assert findings == ["14,369,811", "71.4", "12.6", "201,127", "1.11%", "-0.7%"]
    assert checks["consistent"].iloc[2:].all()


def test_seed_figures_are_the_papers(data):
    figures = seed_figures(data)
    assert dict(figures["place"].value_counts()) == {"Table II": 16, "Table I": 5, "text": 4}
    assert figures[figures["place"] == "Table II"]["value"].sum() == 7228
    assert figures["label"].notna().all()


def test_implied_total_by_hand():
    assert implied_total(50, 50.0) == pytest.approx((50 / 0.5005, 50 / 0.4995), rel=1e-12)


def test_seed_checks_follow_the_raw_tables(data, tmp_path):
    """4,457 of 6,566 is 67.9 %; had the paper printed 95.3 %, the two totals would agree."""
    sources = pd.read_csv(data / "sources.csv", dtype=str, keep_default_na=False)
    sources = sources[sources["file"].str.startswith("raw/assehr455/")]
    for file in sources["file"]:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        text = (data / file).read_text(encoding="utf-8")
        (tmp_path / file).write_text(text.replace(",95.8", ",95.3"), encoding="utf-8")
    sources.to_csv(tmp_path / "sources.csv", index=False)
    (tmp_path / "codebook.csv").write_bytes((data / "codebook.csv").read_bytes())
    assert seed_checks(tmp_path)["consistent"].iloc[0]


@pytest.mark.skipif(
    not FIGURES.is_dir(), reason="the compilation of figures lies beside the repository only"
)
def test_every_figure_row_arrives(data, codebook):
    sources = read_sources(data).query("download == ''")
    read = pd.concat(
        read_table(data / row["file"], row, codebook)[0].assign(
            row_address=row["address"], paper=row["region_scope"] == "survey"
        )
        for _, row in sources.iterrows()
    )
    read = read[~read["paper"]]
    units = codebook.set_index("series")["unit"]
    factors = {("10k yuan", "100M yuan"): "0.0001", ("persons", "10k persons"): "0.0001"}
    provinces = pd.read_csv(FIGURES / "nbs_provinces.csv", dtype=str, keep_default_na=False)
    nation = pd.read_csv(FIGURES / "nation.csv", dtype=str, keep_default_na=False)
    nation = nation.assign(region_code="CN", retrieved_from=nation["source_url"])
    columns = ["region_code", "series", "unit", "year", "value", "retrieved_from"]
    figures = pd.concat([provinces[columns], nation[columns]], ignore_index=True)
    arrived = {}
    for row in read.itertuples():
        key = (row.region_code, row.series, row.year, row.value)
        arrived.setdefault(key, []).append(row.row_address)
    assert len(figures) == len(read) == 18379 + 1886
    for row in figures.itertuples():
        factor = Decimal(factors.get((row.unit, units[row.series]), "1"))
        key = (row.region_code, row.series, int(row.year), float(Decimal(row.value) * factor))
        found = [a for a in arrived.get(key, []) if row.retrieved_from in a]
        assert found, row
        arrived[key].remove(found[0])
