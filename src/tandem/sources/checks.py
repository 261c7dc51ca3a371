"""Do the published values obey the identities they must obey?"""

from decimal import Decimal

import numpy as np
import pandas as pd

CHECK_COLUMNS = [
    "check", "where", "expected", "found", "difference", "tolerance", "passed", "cells",
]  # fmt: skip

# total: its parts, within one vintage
ADDS_UP = {
    "gdp": ["va_primary", "va_secondary", "va_tertiary"],
    "va_secondary": ["va_industry", "va_construction"],
    "gdp_expenditure_approach": ["final_consumption", "gross_capital_formation", "net_exports"],
    "rd_expenditure": ["rd_basic", "rd_applied", "rd_experimental"],
    "patent_grants_total": [
        "patent_grants_invention",
        "patent_grants_utility",
        "patent_grants_design",
    ],
    "patent_grants_invention": [
        "patent_grants_invention_domestic",
        "patent_grants_invention_foreign",
    ],
    "patent_grants_utility": ["patent_grants_utility_domestic", "patent_grants_utility_foreign"],
    "patent_grants_design": ["patent_grants_design_domestic", "patent_grants_design_foreign"],
    "patent_grants_total_domestic": [
        "patent_grants_domestic_service",
        "patent_grants_domestic_nonservice",
    ],
    "patent_applications_invention": [
        "patent_applications_invention_domestic",
        "patent_applications_invention_foreign",
    ],
    "gdp_const2000": ["va_primary_const2000", "va_secondary_const2000", "va_tertiary_const2000"],
    "gdp_const2005": ["va_primary_const2005", "va_secondary_const2005", "va_tertiary_const2005"],
    "va_secondary_const2000": ["va_industry_const2000", "va_construction_const2000"],
    "va_secondary_const2005": ["va_industry_const2005", "va_construction_const2005"],
    "employment_total": ["employment_primary", "employment_secondary", "employment_tertiary"],
    "pollution_control_investment_total": [
        "pollution_control_inv_urban_infrastructure",
        "pollution_control_inv_industrial_sources",
        "pollution_control_inv_three_simultaneities",
    ],
}

# shares of one whole, in percent, within one vintage
ADD_TO_100 = [
    ["share_primary", "share_secondary", "share_tertiary"],
    ["employment_share_primary", "employment_share_secondary", "employment_share_tertiary"],
    ["rd_basic_share", "rd_applied_share", "rd_experimental_share"],
]

# published ratio: its numerator, denominator, and what one over the other is multiplied by; all
# three of one vintage, because a ratio is computed from the figures of its own time
RATIOS = {
    "consumption_rate": ("final_consumption", "gdp_expenditure_approach", 100),
    "capital_formation_rate": ("gross_capital_formation", "gdp_expenditure_approach", 100),
    "share_primary": ("va_primary", "gdp", 100),
    "share_secondary": ("va_secondary", "gdp", 100),
    "share_tertiary": ("va_tertiary", "gdp", 100),
    "employment_share_primary": ("employment_primary", "employment_total", 100),
    "employment_share_secondary": ("employment_secondary", "employment_total", 100),
    "employment_share_tertiary": ("employment_tertiary", "employment_total", 100),
    "rd_gdp_ratio": ("rd_expenditure", "gdp", 100),
    "rd_gnp_ratio": ("rd_expenditure", "gross_national_income", 100),
    "rd_intensity_published": ("rd_expenditure", "gdp", 100),
    "rd_basic_share": ("rd_basic", "rd_expenditure", 100),
    "rd_applied_share": ("rd_applied", "rd_expenditure", 100),
    "rd_experimental_share": ("rd_experimental", "rd_expenditure", 100),
    "rd_expenditure_per_fte": ("rd_expenditure", "rd_personnel_fte", 1),
    "ind_enterprises_with_rd_share": ("ind_enterprises_with_rd", "ind_enterprises_above_size", 100),
    "sei_industrial_enterprises_above_size_share": (
        "sei_industrial_enterprises_above_size", "ind_enterprises_above_size", 100,
    ),
    "fixed_asset_investment_gdp_ratio": ("fixed_asset_investment_total", "gdp", 100),
    "tech_market_contract_value_gdp_share": ("tech_market_contract_value", "gdp", 100),
    "pollution_control_investment_gdp_share": ("pollution_control_investment_total", "gdp", 100),
    "epi_revenue_gdp_ratio": ("epi_revenue_narrow", "gdp", 100),
    "epi_employment_share": ("epi_employment_narrow", "employment_total", 100),
}  # fmt: skip

# index on a fixed base: the same index on the year before
CHAINED = {
    "cpi_index_1978_100": "cpi_index_preceding_year_100",
    "ppi_index_1985_100": "ppi_index_preceding_year_100",
    "purchasing_price_index_1990_100": "purchasing_price_index_preceding_year_100",
    "fai_price_index_1990_100": "fai_price_index_preceding_year_100",
}

# part: the whole it cannot exceed, within one vintage
AT_MOST = {
    "patent_applications_invention": ["patent_applications", "patent_applications_total"],
    "patent_grants_invention": ["patent_grants", "patent_grants_total"],
    "industrial_patent_applications_invention": ["industrial_patent_applications"],
    "population_urban": ["population_yearend"],
    "final_consumption": ["gdp_expenditure_approach"],
    "fiscal_education": ["fiscal_expenditure_total"],
    "fiscal_science_technology": ["fiscal_expenditure_total"],
    "fiscal_environment_protection": ["fiscal_expenditure_total"],
    "rd_performed_by_enterprises": ["rd_expenditure"],
    "rd_enterprise_funds": ["rd_expenditure"],
    "rd_researchers_fte": ["rd_personnel_fte"],
    "rd_fte_scientists_engineers": ["rd_personnel_fte"],
    "st_scientists_engineers": ["st_personnel"],
    "epi_service_revenue_narrow": ["epi_revenue_narrow"],
}

# series and vintage by province; series and vintage of the nation; national per provincial unit
PROVINCES_ADD_UP = [
    *[("rd_expenditure", f"st-communique-{year}") * 2 + (1.0,) for year in range(2017, 2025)],
    ("industrial_rd_expenditure", "nbs-2021", "ind_rd_expenditure", "csy-2012", 1e-4),
    ("industrial_rd_personnel_fte", "nbs-2021", "ind_rd_personnel_fte", "csy-2012", 1e-4),
    ("industrial_new_product_development_expenditure", "nbs-2021",
     "ind_new_product_development_expenditure", "csy-2012", 1e-4),
    ("industrial_enterprises_above_scale", "nbs-2021", "ind_enterprises_above_size", "csy-2002", 1),
    ("industrial_enterprises_above_scale", "nbs-2021", "ind_enterprises_above_size", "csy-2009", 1),
    ("lm_industrial_rd_expenditure", "csy-2011", "lme_rd_expenditure", "csy-2011", 1e-4),
    ("lm_industrial_rd_personnel_fte", "csy-2011", "lme_rd_personnel_fte", "csy-2011", 1e-4),
]  # fmt: skip

# series, and two vintages that are copies of one publication
SAME_IN_BOTH = [
    ("industrial_new_product_development_expenditure", "nbs-2021", "knoema-2022"),
    ("fiscal_environment_protection", "nbs-2021", "nbs-2026"),
]


def check_identities(observations: pd.DataFrame) -> pd.DataFrame:
    """Accounting identities, one row a case in which every value it needs is there.

    The tolerance is what rounding of the printed digits can do: half a unit of the last digit
    printed for each value that enters, carried through a quotient to first order.

    Parameters
    ----------
    observations : DataFrame
        From `read_observations`.

    Returns
    -------
    DataFrame
        Columns check, where, expected, found, difference (found less expected), tolerance, passed,
        cells (of a failed case: where its figures were read).
    """
    key = ["region_code", "region", "year", "vintage"]
    wide = observations.pivot(index=key, columns="series", values="value")
    cells = observations.pivot(index=key, columns="series", values="cell")
    half = _half_digit(observations, ["series", "vintage"])
    parts = [_adds_up(wide, cells, half, total, parts) for total, parts in ADDS_UP.items()]
    parts += [_adds_to_100(wide, cells, half, shares) for shares in ADD_TO_100]
    parts += [_recomputes(wide, cells, half, ratio, *of) for ratio, of in RATIOS.items()]
    parts += [_chains(wide, cells, half, *pair) for pair in CHAINED.items()]
    parts += [
        _at_most(wide, cells, part, whole) for part, wholes in AT_MOST.items() for whole in wholes
    ]
    parts += [_provinces_add_up(observations, half, *case) for case in PROVINCES_ADD_UP]
    parts += [_same_in_both(observations, half, *case) for case in SAME_IN_BOTH]
    filled = [part for part in parts if len(part)] or [pd.DataFrame(columns=CHECK_COLUMNS)]
    return pd.concat(filled, ignore_index=True).astype({"passed": bool})


def not_comparable(observations: pd.DataFrame) -> pd.DataFrame:
    """Published ratios that no check recomputes, and what is missing to do so.

    Returns
    -------
    DataFrame
        Columns series, vintage, first, last (years), values, why.
    """
    key = ["region_code", "year", "vintage"]
    at = {name: set(map(tuple, rows[key].to_numpy().tolist()))
          for name, rows in observations.groupby("series")}  # fmt: skip
    rows = []
    for ratio, (numerator, denominator, _) in RATIOS.items():
        for _, year, vintage in sorted(
            case
            for case in at.get(ratio, set())
            if not all(case in at.get(name, set()) for name in (numerator, denominator))
        ):
            held = [n for n in (numerator, denominator)
                    if any(v == vintage and y == year for _, y, v in at.get(n, set()))]  # fmt: skip
            lacking = [n for n in (numerator, denominator) if n not in held]
            why = f"no {' and no '.join(lacking or [numerator])} of its own vintage and year"
            rows.append((ratio, vintage, year, why))
    table = pd.DataFrame(rows, columns=["series", "vintage", "year", "why"])
    years = table.groupby(["series", "vintage", "why"], sort=False)["year"]
    summary = years.agg(first="min", last="max", values="size").reset_index()
    return summary[["series", "vintage", "first", "last", "values", "why"]]


def _half_digit(observations: pd.DataFrame, by: str | list[str]) -> pd.Series:
    """Half a unit of the last digit printed in each group of observations."""
    # 15 significant digits: beyond them stands the float, not the print
    decimals = observations["value"].map(
        lambda v: max(0, -Decimal(f"{v:.15g}").normalize().as_tuple().exponent)
    )
    return 0.5 * 10.0 ** -observations.assign(decimals=decimals).groupby(by)["decimals"].max()


def _rows(check, where, expected, found, tolerance, cells) -> pd.DataFrame:
    difference = (np.asarray(found, float) - np.asarray(expected, float)).round(8)
    table = {
        "check": check,
        "where": where,
        "expected": np.asarray(expected, float),
        "found": np.asarray(found, float),
        "difference": difference,
        "tolerance": tolerance,
        "passed": np.abs(difference) <= np.asarray(tolerance) + 1e-9,
        "cells": cells,
    }
    rows = pd.DataFrame(table, columns=CHECK_COLUMNS)
    return rows.assign(cells=rows["cells"].where(~rows["passed"], ""))


def _where(index: pd.MultiIndex) -> list[str]:
    return [f"{region} {year} ({vintage})" for _, region, year, vintage in index]


def _complete(wide: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    return wide.reindex(columns=columns).dropna()


def _cells_of(cells: pd.DataFrame, cases: pd.DataFrame) -> list[str]:
    """Cells of each case's figures, joined."""
    return ["; ".join(row) for row in cells.reindex(cases.index)[list(cases)].to_numpy().tolist()]


def _half_of(half: pd.Series, cases: pd.DataFrame) -> pd.DataFrame:
    """Half a unit of the last digit of each figure of each case."""
    vintages = cases.index.get_level_values("vintage")
    return pd.DataFrame(
        {s: half.reindex([(s, v) for v in vintages]).to_numpy() for s in cases.columns},
        index=cases.index,
    )


def _adds_up(wide, cells, half, total, parts) -> pd.DataFrame:
    cases = _complete(wide, [total, *parts])
    if cases.empty:
        return pd.DataFrame(columns=CHECK_COLUMNS)
    tolerance = _half_of(half, cases).sum(axis=1).to_numpy()
    check = f"{total} = {' + '.join(parts)}"
    found = cases[parts].sum(axis=1)
    return _rows(
        check, _where(cases.index), cases[total], found, tolerance, _cells_of(cells, cases)
    )


def _adds_to_100(wide, cells, half, shares) -> pd.DataFrame:
    cases = _complete(wide, shares)
    if cases.empty:
        return pd.DataFrame(columns=CHECK_COLUMNS)
    tolerance = _half_of(half, cases).sum(axis=1).to_numpy()
    check, found = f"{' + '.join(shares)} = 100", cases.sum(axis=1)
    return _rows(check, _where(cases.index), 100.0, found, tolerance, _cells_of(cells, cases))


def _recomputes(wide, cells, half, ratio, numerator, denominator, times) -> pd.DataFrame:
    """The published ratio is expected, the quotient of its parts found."""
    cases = _complete(wide, [ratio, numerator, denominator])
    if cases.empty:
        return pd.DataFrame(columns=CHECK_COLUMNS)
    found = times * cases[numerator] / cases[denominator]
    h = _half_of(half, cases)
    relative = h[numerator] / cases[numerator].abs() + h[denominator] / cases[denominator].abs()
    tolerance = (h[ratio] + found.abs() * relative).to_numpy()
    check = f"{ratio} = {f'{times} ' if times != 1 else ''}{numerator} / {denominator}"
    where = _where(cases.index)
    return _rows(check, where, cases[ratio], found, tolerance, _cells_of(cells, cases))


def _chains(wide, cells, half, fixed, yearly) -> pd.DataFrame:
    """Of two years of one vintage, the fixed-base index over that of the year before."""
    cases = _complete(wide, [fixed, yearly])
    before = cases[[fixed]].rename(index=lambda year: year + 1, level="year")[fixed]
    cases = cases.assign(before=before.reindex(cases.index)).dropna()
    if cases.empty:
        return pd.DataFrame(columns=CHECK_COLUMNS)
    h = _half_of(half, cases[[fixed, yearly]])
    found = 100 * cases[fixed] / cases["before"]
    tolerance = h[yearly] + found * (h[fixed] / cases[fixed] + h[fixed] / cases["before"])
    check = f"{yearly} = 100 {fixed} / {fixed} of the year before"
    where, read = _where(cases.index), _cells_of(cells, cases[[fixed, yearly]])
    return _rows(check, where, cases[yearly], found, tolerance.to_numpy(), read)


def _at_most(wide, cells, part, whole) -> pd.DataFrame:
    cases = _complete(wide, [part, whole])
    read = _cells_of(cells, cases) if len(cases) else []
    check, where = f"{part} <= {whole}", _where(cases.index)
    rows = _rows(check, where, cases[whole], cases[part], 0.0, read)
    passed = rows["difference"] <= 0
    return rows.assign(passed=passed, cells=pd.Series(read, dtype=object).where(~passed, ""))


def _select(observations, series, vintage) -> pd.DataFrame:
    return observations[(observations["series"] == series) & (observations["vintage"] == vintage)]


def _provinces_add_up(
    observations, half, series, vintage, national, national_vintage, factor
) -> pd.DataFrame:
    """Sum of 31 provinces against the printed national figure; incomplete years are left out."""
    provinces = _select(observations, series, vintage)
    provinces = provinces[provinces["region_code"] != "CN"]
    by_year = provinces.groupby("year")
    nation = _select(observations, national, national_vintage)
    nation = nation[nation["region_code"] == "CN"].set_index("year")
    sums = by_year["value"].sum()[by_year.size() == 31] * factor
    both = pd.concat([sums, nation["value"], by_year["cell"].first(), nation["cell"]], axis=1)
    both.columns = ["found", "expected", "first", "national"]
    both = both.dropna()
    if both.empty:
        return pd.DataFrame(columns=CHECK_COLUMNS)
    yearly = _half_digit(provinces, "year").reindex(both.index).to_numpy()
    tolerance = 31 * factor * yearly + half[national, national_vintage]
    where = [f"nation {year} ({vintage}, {national_vintage})" for year in both.index]
    check = f"provinces' {series} = {national}"
    cells = (both["first"] + " and 30 more; " + both["national"]).to_list()
    return _rows(check, where, both["expected"], both["found"], tolerance, cells)


def _same_in_both(observations, half, series, vintage, copy) -> pd.DataFrame:
    key = ["region", "year"]
    left = _select(observations, series, vintage).set_index(key)[["value", "cell"]]
    right = _select(observations, series, copy).set_index(key)[["value", "cell"]]
    both = left.merge(right, left_index=True, right_index=True, suffixes=("_one", "_other"))
    if both.empty:
        return pd.DataFrame(columns=CHECK_COLUMNS)
    tolerance = max(half[series, vintage], half[series, copy])
    where = [f"{region} {year} ({vintage}, {copy})" for region, year in both.index]
    cells = (both["cell_one"] + "; " + both["cell_other"]).to_list()
    check = f"{series}: same in both"
    return _rows(check, where, both["value_one"], both["value_other"], tolerance, cells)
