"""Do the seed paper's own figures agree with each other? All computed from its raw tables."""

from decimal import Decimal
from pathlib import Path

import pandas as pd

from tandem.sources.inventory import read_codebook, read_sources
from tandem.sources.observations import read_observations

FOLDER = "raw/assehr455/"
SURVEY = ("raw/quoted/epi-survey-2011.csv", "raw/quoted/epi-survey-2011-prelim.csv")
PLACES = {"table1_2011": "Table I", "table2_2017": "Table II", "text_2017": "text"}


def seed_checks(data: Path) -> pd.DataFrame:
    """Internal consistency of the figures in the seed paper.

    Source: Advances in Social Science, Education and Humanities Research 455 (2020), Tables I and
    II and text; the rounding intervals follow from the digits printed.

    Parameters
    ----------
    data : Path
        Folder with sources.csv, codebook.csv and raw/.

    Returns
    -------
    DataFrame
        Columns statement, check, finding, consistent (bool); one row a statement.
    """
    x = _figures(data)
    rows = [_shares(x), _fields(x), _tenth(x), *_per_firm(x), *_survey(x, data)]
    return pd.DataFrame(rows, columns=["statement", "check", "finding", "consistent"])


def seed_figures(data: Path) -> pd.DataFrame:
    """The figures that the seed paper prints, as its raw tables hold them.

    Returns
    -------
    DataFrame
        Columns place (Table I, Table II or text), series, label, year, value, unit, in the paper's
        order.
    """
    observations = _read(data, [f for f in read_sources(data)["file"] if f.startswith(FOLDER)])
    file = observations["cell"].str.extract(f"{FOLDER}(.+)[.]csv", expand=False)
    labels = read_codebook(data).set_index("series")["label_en"]
    rows = observations.assign(
        place=file.map(PLACES), label=observations["series"].map(labels)
    ).reset_index(drop=True)
    return rows[["place", "series", "label", "year", "value", "unit"]]


def survey_fields(data: Path) -> pd.DataFrame:
    """Enterprises by field, the seed paper's Table II.

    Parameters
    ----------
    data : Path
        As `seed_checks`.

    Returns
    -------
    DataFrame
        Columns kind (services or products), field, enterprises.
    """
    x = _figures(data)
    names = x.index.str.extract("^survey_(?P<kind>services|products)_(?P<field>.+)$")
    return names.assign(enterprises=x.to_numpy()).dropna(subset="kind").reset_index(drop=True)


def _figures(data: Path) -> pd.Series:
    return seed_figures(data).set_index("series")["value"]


def _read(data: Path, files: list[str]) -> pd.DataFrame:
    return read_observations(data, files)[0]


def implied_total(count: float, percent: float) -> tuple[float, float]:
    """Totals of which `count` is `percent`, given that the percentage is rounded as printed.

    Parameters
    ----------
    count : float
    percent : float
        With as many decimals as printed, at least one.

    Returns
    -------
    low, high : float
    """
    half = Decimal(5).scaleb(min(Decimal(repr(float(percent))).as_tuple().exponent, 0) - 1)
    middle = Decimal(repr(float(percent)))
    return float(100 * Decimal(count) / (middle + half)), float(
        100 * Decimal(count) / (middle - half)
    )


def _shares(x: pd.Series) -> tuple:
    small = implied_total(x["survey_sme"], x["survey_sme_share"])
    income = implied_total(x["survey_low_income"], x["survey_low_income_share"])
    overlap = max(small[0], income[0]) <= min(small[1], income[1])
    return (
        f"{x['survey_sme']:,.0f} small and medium enterprises are {x['survey_sme_share']} %; "
        f"{x['survey_low_income']:,.0f} with income under 20 million yuan are "
        f"{x['survey_low_income_share']} %",
        "both percentages of one total of enterprises",
        f"implied totals {small[0]:.2f}-{small[1]:.2f} and {income[0]:.2f}-{income[1]:.2f} "
        + ("overlap" if overlap else "do not overlap: different denominators or a misprint"),
        overlap,
    )


def _fields(x: pd.Series) -> tuple:
    services = x[x.index.str.startswith("survey_services_")].sum()
    products = x[x.index.str.startswith("survey_products_")].sum()
    low, high = _all_totals(x)
    total = services + products
    return (
        f"Table II lists {services:,.0f} enterprises in services and {products:,.0f} in products",
        f"the fields add up to the total implied by the text ({low:,.0f}-{high:,.0f})",
        f"they add up to {total:,.0f} ({services / total:.1%} services)"
        + ("" if low <= total <= high else ": an enterprise stands in several fields, or the scope "
           "differs"),
        bool(low <= total <= high),
    )  # fmt: skip


def _all_totals(x: pd.Series) -> tuple[float, float]:
    ends = implied_total(x["survey_sme"], x["survey_sme_share"])
    ends += implied_total(x["survey_low_income"], x["survey_low_income_share"])
    return min(ends), max(ends)


def _tenth(x: pd.Series) -> tuple:
    share = x["survey_enterprises_with_rd"] / x["survey_enterprises"]
    return (
        f"{x['survey_enterprises_with_rd']:,.0f} of {x['survey_enterprises']:,.0f} enterprises "
        "have R&D activities, about a tenth",
        "share of enterprises with R&D rounds to 10 %",
        f"{share:.2%}",
        bool(round(share, 2) == 0.10),
    )


def _per_firm(x: pd.Series) -> list[tuple]:
    """Per-head figures against wide bounds of what a firm can be; the bounds are judgements."""
    firms = x["survey_enterprises_with_rd"]
    money, people = x["survey_rd_investment"] * 1e8, x["survey_rd_personnel"] * 1e4
    cases = [
        (f"{x['survey_rd_investment']} hundred million yuan of R&D", "yuan of R&D per active firm",
         money / firms, 1e5, 1e9),
        (f"{x['survey_rd_personnel']} ten thousand R&D staff", "R&D staff per active firm",
         people / firms, 1, 1000),
        (f"{x['survey_patents']:,.0f} patent certificates", "patents per active firm",
         x["survey_patents"] / firms, 0, 100),
        ("R&D investment and R&D staff", "yuan of R&D per R&D person", money / people, 2e4, 2e6),
    ]  # fmt: skip
    return [
        (statement, f"{check} between {low:,.0f} and {high:,.0f}",
         f"{value:,.0f}" if value >= 1000 else f"{value:.1f}", bool(low <= value <= high))
        for statement, check, value, low, high in cases
    ]  # fmt: skip


def _survey(x: pd.Series, data: Path) -> list[tuple]:
    """Table I beside what the ministry announced of the same survey, if its tables are at hand."""
    if not set(SURVEY) <= set(read_sources(data)["file"]):
        return []
    final, first = (_read(data, [file]).set_index("series")["value"] for file in SURVEY)
    revenue, units = final["epi_revenue_broad"], first["epi_units_broad"]
    share, apart = x["survey_rd_investment"] / revenue, x["survey_enterprises"] / units - 1
    return [
        (f"R&D is {x['survey_rd_investment']} hundred million yuan; the ministry gives the revenue "
         f"in this survey as {revenue:,.0f}", "R&D over revenue between 0.1 % and 10 %",
         f"{share:.2%}", bool(0.001 <= share <= 0.1)),
        (f"{x['survey_enterprises']:,.0f} enterprises; the ministry's first count is {units:,.0f}",
         "counts of one survey within 5 %", f"{apart:+.1%}", bool(abs(apart) <= 0.05)),
    ]  # fmt: skip
