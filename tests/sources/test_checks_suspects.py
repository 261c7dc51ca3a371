"""Errors of unit are named, slow growth and common shocks are not; jumps are listed."""

import numpy as np
import pandas as pd
import pytest

from tandem.sources.suspects import suspects

SERIES = [
    "gdp",
    "va_primary",
    "population_urban",
    "fiscal_expenditure_total",
    "fiscal_education",
    "final_consumption",
    "industrial_main_business_revenue",
    "employment_urban_units",
    "patent_grants",
]


def of(observations, series):
    rows = observations[observations["series"].isin([series]) & (observations["value"] > 0)]
    return rows[rows["region_code"] != "CN"].reset_index(drop=True)


def units(observations):
    found = suspects(observations)
    return found[found["kind"] == "unit"].reset_index(drop=True)


def synthetic(values, series="made_up"):
    """Observations of a (region x year from 2001) array; one region stands for the nation."""
    rows = []
    for i, line in enumerate(values):
        code = "CN" if len(values) == 1 else f"{i + 11}0000"
        for t, value in enumerate(line):
            rows.append((code, f"region {i}", series, 2001 + t, value, "v", f"raw/a.csv!!B{i}-{t}"))
    columns = ["region_code", "region", "series", "year", "value", "vintage", "cell"]
    return pd.DataFrame(rows, columns=columns)


def growing(seed=5, regions=12, years=15, growth=0.1, noise=0.04):
    rng = np.random.default_rng(seed)
    steps = growth + rng.normal(0, noise, (regions, years))
    return np.exp(rng.normal(5, 1, (regions, 1)) + steps.cumsum(axis=1))


def test_230_thousand_units_for_23820(everything):
    """The press printed 230 thousand where the survey counted 23,820 units."""
    observations = everything[0]
    press = observations[observations["series"] == "epi_units_broad_as_quoted"]
    survey = observations[observations["series"] == "survey_enterprises"]
    assert list(press["value"]) == [230_000] and list(survey["value"]) == [23_820]
    pair = pd.concat([press, survey.assign(series="epi_units_broad")])
    found = units(pair).set_index("series")
    assert found.loc["epi_units_broad_as_quoted", "words"] == (
        "suspected unit error: about 10 times its neighbours"
    )
    assert found.loc["epi_units_broad_as_quoted", "neighbours"] == pytest.approx(23_820)
    # with the counts of 2008 and the first result, the press figure alone stands out
    family = observations[observations["series"].str.startswith("epi_units_broad")]
    (row,) = units(family).to_dict("records")
    assert row["value"] == 230_000 and row["cell"].startswith("raw/quoted/epi-survey-2011-press")


def test_the_only_unit_suspect_of_all_data_is_the_known_one(everything):
    found = units(everything[0])
    assert list(found["series"]) == ["epi_units_broad_as_quoted"]


def test_a_tenfold_figure_of_the_export_is_found(everything):
    """New-product sales of Hunan 2009, printed as 231,887,749.0 and left out of our table."""
    rows = of(everything[0], "industrial_new_product_sales_revenue")
    next_year = rows[(rows["region"] == "Hunan") & (rows["year"] == 2011)]
    printed = next_year.assign(year=2009, value=231_887_749.0, cell="raw/a.csv!!C22")
    (row,) = units(pd.concat([rows, printed])).to_dict("records")
    assert (row["region"], row["year"]) == ("Hunan", 2009)
    assert "about 10 times" in row["words"]


@pytest.mark.parametrize("series", SERIES)
@pytest.mark.parametrize("factor", [10, 0.1, 100, 1e4, 1e-4])
def test_a_province_and_year_in_another_unit(everything, series, factor):
    rows = of(everything[0], series)
    assert units(rows).empty
    rng = np.random.default_rng([SERIES.index(series), round(1e4 * factor)])
    found = 0
    for i in rng.choice(len(rows), 4, replace=False):
        spoilt = rows.copy()
        spoilt.loc[i, "value"] *= factor
        blamed = units(spoilt)[["region", "year", "vintage"]].to_numpy().tolist()
        assert blamed in ([], [rows.loc[i, ["region", "year", "vintage"]].to_list()])
        found += len(blamed)
    assert found >= 3


@pytest.mark.parametrize("series", ["gdp", "population_urban", "fiscal_expenditure_total"])
def test_a_whole_year_in_another_unit(everything, series):
    rows = of(everything[0], series)
    vintage = rows["vintage"].iloc[-1]
    year = int(rows.loc[rows["vintage"] == vintage, "year"].median())
    column = (rows["vintage"] == vintage) & (rows["year"] == year)
    rows.loc[column, "value"] *= 1e4
    (row,) = units(rows).to_dict("records")
    assert (row["region"], row["year"]) == (f"{column.sum()} regions", year)
    assert "about 10,000 times" in row["words"]
    assert row["cell"].endswith(f" and {column.sum() - 1} more")


def test_tenfold_growth_over_fifteen_years_is_no_error():
    grown = np.exp(np.log(10) * np.arange(15) / 14)
    assert suspects(synthetic(100 * grown[None, :])).empty
    values = growing(growth=0.0) * np.where(np.arange(12) == 3, 1, 0)[:, None] * grown
    values += growing(growth=0.0) * np.where(np.arange(12) == 3, 0, 1)[:, None]
    assert suspects(synthetic(values)).empty


def test_what_happens_to_all_is_a_jump_of_the_column_and_of_no_region():
    values = growing()
    values[:, 8:] /= 2.5
    found = suspects(synthetic(values))
    assert found[["kind", "region", "year"]].to_numpy().tolist() == [["jump", "12 regions", 2009]]
    assert found["factor"].iloc[0] == pytest.approx(0.4, rel=0.1)


def test_a_step_of_one_region_is_a_jump():
    values = growing()
    values[4, 9:] *= 3
    (row,) = suspects(synthetic(values)).to_dict("records")
    assert (row["kind"], row["region"], row["year"]) == ("jump", "region 4", 2010)
    assert row["factor"] == pytest.approx(3, rel=0.15)
    assert row["value"] / row["neighbours"] == pytest.approx(row["factor"])


def test_a_unit_error_is_not_listed_as_two_jumps_too():
    values = growing()
    values[4, 9] *= 100
    (row,) = suspects(synthetic(values)).to_dict("records")
    assert (row["kind"], row["region"], row["year"]) == ("unit", "region 4", 2010)
    assert row["cell"] == "raw/a.csv!!B4-9"


def test_the_order_of_rows_does_not_matter():
    values = growing()
    values[4, 9], values[7, 2:] = values[4, 9] * 10, values[7, 2:] * 4
    rows = synthetic(values)
    shuffled = rows.sample(frac=1, random_state=3)
    pd.testing.assert_frame_equal(suspects(rows), suspects(shuffled))


def test_negative_values_and_zeros_are_left_to_the_ranges():
    values = growing()
    values[2, 5], values[3, 6] = -10_000.0, 0.0
    assert units(synthetic(values)).empty
    assert suspects(synthetic(values).iloc[:0]).empty


def test_the_neighbour_of_an_error_is_not_blamed():
    """Of 100, 100, 10,000 the median gap of the first is one tenth, but no neighbour says so."""
    (row,) = suspects(synthetic(np.array([[100.0, 100.0, 10_000.0]]))).to_dict("records")
    assert row["year"] == 2003 and "about 100 times" in row["words"]


def test_fast_growth_is_taken_out_before_the_last_year_is_judged():
    values = 100 * 1.6 ** np.arange(9)
    values[-1] *= 10
    (row,) = suspects(synthetic(values[None, :])).to_dict("records")
    assert (row["kind"], row["year"]) == ("unit", 2009)
    assert row["factor"] == pytest.approx(10, rel=1e-9)


def test_one_neighbour_years_away_cannot_tell_an_error_from_growth():
    two = synthetic(np.array([[138.0, np.nan, np.nan, np.nan, np.nan, 13_800.0]])).dropna()
    assert units(two).empty
    assert len(units(two.assign(year=[2001, 2002]))) == 2  # adjacent: either may be the error
