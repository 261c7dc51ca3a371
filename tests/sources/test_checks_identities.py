"""Ratios, shares and price indices recompute from the figures of their own time."""

import pandas as pd
import pytest

from tandem.sources import check_identities
from tandem.sources.checks import not_comparable


def observation(series, year, value, vintage="csy-2012", region=("CN", "China")):
    code, name = region
    cell = f"raw/{vintage}.csv!!{series}-{code}-{year}"
    return {"region_code": code, "region": name, "series": series, "year": year, "value": value,
            "vintage": vintage, "cell": cell}  # fmt: skip


def check(*observations):
    checks = check_identities(pd.DataFrame(list(observations)))
    return checks.set_index("check")


def test_a_ratio_recomputes_within_its_printed_digits():
    """21,737 of 990,865 is 2.19374: 2.19 passes, 2.20 is off by more than half a last digit."""
    parts = observation("rd_expenditure", 2019, 21737.0), observation("gdp", 2019, 990865.0)
    rows = check(*parts, observation("rd_gdp_ratio", 2019, 2.19))
    row = rows.loc["rd_gdp_ratio = 100 rd_expenditure / gdp"]
    assert row["found"] == pytest.approx(2.19374, abs=1e-6)
    assert row["tolerance"] == pytest.approx(0.005 + 2.19374 * (0.5 / 21737 + 0.5 / 990865), 1e-5)
    assert row["passed"] and row["cells"] == ""
    wrong = check(*parts, observation("rd_gdp_ratio", 2019, 2.21))
    row = wrong.loc["rd_gdp_ratio = 100 rd_expenditure / gdp"]
    assert not row["passed"]
    assert set(row["cells"].split("; ")) == {
        "raw/csy-2012.csv!!rd_gdp_ratio-CN-2019",
        "raw/csy-2012.csv!!rd_expenditure-CN-2019",
        "raw/csy-2012.csv!!gdp-CN-2019",
    }


def test_a_ratio_of_another_vintage_is_not_comparable():
    observations = pd.DataFrame(
        [
            observation("rd_gdp_ratio", 2019, 2.23, "st-communique-2019"),
            observation("rd_expenditure", 2019, 22143.6, "st-communique-2019"),
            observation("gdp", 2019, 990865.0, "communique-2019"),
        ]
    )
    assert check_identities(observations).empty
    (row,) = not_comparable(observations).to_dict("records")
    assert row["series"] == "rd_gdp_ratio" and row["vintage"] == "st-communique-2019"
    assert (row["first"], row["last"], row["values"]) == (2019, 2019, 1)
    assert row["why"] == "no gdp of its own vintage and year"


def test_every_published_ratio_is_recomputed_or_said_not_to_be_comparable(everything):
    observations = everything[0]
    checks, rest = check_identities(observations), not_comparable(observations)
    for ratio in ("rd_gdp_ratio", "rd_intensity_published", "consumption_rate", "share_tertiary"):
        recomputed = checks["check"].str.startswith(f"{ratio} = 100 ").sum()
        left = rest.loc[rest["series"] == ratio, "values"].sum()
        assert recomputed + left == (observations["series"] == ratio).sum(), ratio


def test_shares_add_to_100():
    shares = [("share_primary", 7.9), ("share_secondary", 40.5), ("share_tertiary", 51.6)]
    name = "share_primary + share_secondary + share_tertiary = 100"
    assert check(*[observation(s, 2017, v) for s, v in shares]).loc[name, "passed"]
    shares[2] = ("share_tertiary", 51.8)
    row = check(*[observation(s, 2017, v) for s, v in shares]).loc[name]
    assert not row["passed"] and row["difference"] == pytest.approx(0.2)


def test_an_index_on_a_fixed_base_is_the_chain_of_the_yearly_ones():
    """550.0 / 536.1 is 1.02593; a yearly index of 103.6 would not be its link."""
    yearly, fixed = "cpi_index_preceding_year_100", "cpi_index_1978_100"
    rows = [observation(fixed, 2010, 536.1), observation(fixed, 2011, 550.0)]
    rows += [observation(yearly, 2010, 103.3)]
    name = f"{yearly} = 100 {fixed} / {fixed} of the year before"
    row = check(*rows, observation(yearly, 2011, 102.6)).loc[name]
    assert row["passed"] and row["found"] == pytest.approx(102.59280, abs=1e-5)
    assert not check(*rows, observation(yearly, 2011, 103.6)).loc[name, "passed"]


def test_kinds_add_to_the_total_and_provinces_to_the_nation(everything):
    counts = check_identities(everything[0]).groupby("check")["passed"].agg(["size", "sum"])
    at_least = {
        "pollution_control_investment_total = pollution_control_inv_urban_infrastructure + "
        "pollution_control_inv_industrial_sources + pollution_control_inv_three_simultaneities": 2,
        "patent_grants_design = patent_grants_design_domestic + patent_grants_design_foreign": 6,
        "employment_total = employment_primary + employment_secondary + employment_tertiary": 28,
        "provinces' lm_industrial_rd_expenditure = lme_rd_expenditure": 1,
    }
    for name, n in at_least.items():
        assert counts.loc[name, "size"] >= n and counts.loc[name, "sum"] == counts.loc[name, "size"]


def test_float_dust_of_a_unit_conversion_is_no_printed_digit():
    """A share of 10 % in figures of one decimal; 0.1 + 0.2 has seventeen digits, one printed."""
    rows = check(
        observation("rd_expenditure", 2019, 3.0), observation("rd_basic_share", 2019, 10.0),
        observation("rd_basic", 2019, 0.1 + 0.2),
    )  # fmt: skip
    row = rows.loc["rd_basic_share = 100 rd_basic / rd_expenditure"]
    assert row["tolerance"] == pytest.approx(0.5 + 10 * (0.05 / 0.3 + 0.5 / 3))
