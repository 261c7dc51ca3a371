"""Do the published values obey the identities they must obey?"""

import numpy as np
import pandas as pd

CHECK_COLUMNS = ["check", "where", "expected", "found", "difference", "tolerance", "passed"]

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
}

# part: the whole it cannot exceed, within one vintage
AT_MOST = {
    "patent_applications_invention": ["patent_applications", "patent_applications_total"],
    "patent_grants_invention": ["patent_grants", "patent_grants_total"],
    "industrial_patent_applications_invention": ["industrial_patent_applications"],
    "population_urban": ["population_yearend"],
    "final_consumption": ["gdp_expenditure_approach"],
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
]  # fmt: skip

# series, and two vintages that are copies of one publication
SAME_IN_BOTH = [
    ("industrial_new_product_development_expenditure", "nbs-2021", "knoema-2022"),
    ("fiscal_environment_protection", "nbs-2021", "nbs-2026"),
]


def check_identities(observations: pd.DataFrame) -> pd.DataFrame:
    """Accounting identities, one row a case in which every value it needs is there.

    The tolerance is what rounding of the printed digits can do: half a unit of the last digit
    printed for each value that enters.

    Parameters
    ----------
    observations : DataFrame
        From `read_observations`.

    Returns
    -------
    DataFrame
        Columns check, where, expected, found, difference (found less expected), tolerance, passed.
    """
    key = ["region_code", "region", "year", "vintage"]
    wide = observations.pivot(index=key, columns="series", values="value")
    half = _half_digit(observations, ["series", "vintage"])
    parts = [_adds_up(wide, half, total, parts) for total, parts in ADDS_UP.items()]
    parts += [_at_most(wide, part, whole) for part, wholes in AT_MOST.items() for whole in wholes]
    parts += [_provinces_add_up(observations, half, *case) for case in PROVINCES_ADD_UP]
    parts += [_same_in_both(observations, half, *case) for case in SAME_IN_BOTH]
    return pd.concat(parts, ignore_index=True)


def _half_digit(observations: pd.DataFrame, by: str | list[str]) -> pd.Series:
    """Half a unit of the last digit printed in each group of observations."""
    decimals = observations["value"].map(lambda v: len(f"{v:.10f}".rstrip("0").split(".")[1]))
    return 0.5 * 10.0 ** -observations.assign(decimals=decimals).groupby(by)["decimals"].max()


def _rows(check, where, expected, found, tolerance) -> pd.DataFrame:
    difference = (np.asarray(found, float) - np.asarray(expected, float)).round(8)
    table = {
        "check": check,
        "where": where,
        "expected": np.asarray(expected, float),
        "found": np.asarray(found, float),
        "difference": difference,
        "tolerance": tolerance,
        "passed": np.abs(difference) <= np.asarray(tolerance) + 1e-9,
    }
    return pd.DataFrame(table, columns=CHECK_COLUMNS)


def _where(index: pd.MultiIndex) -> list[str]:
    return [f"{region} {year} ({vintage})" for _, region, year, vintage in index]


def _complete(wide: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    return wide.reindex(columns=columns).dropna()


def _adds_up(wide, half, total, parts) -> pd.DataFrame:
    cases = _complete(wide, [total, *parts])
    vintages = cases.index.get_level_values("vintage")
    tolerance = sum(half.reindex([(s, v) for v in vintages]).to_numpy() for s in cases.columns)
    check = f"{total} = {' + '.join(parts)}"
    return _rows(check, _where(cases.index), cases[total], cases[parts].sum(axis=1), tolerance)


def _at_most(wide, part, whole) -> pd.DataFrame:
    cases = _complete(wide, [part, whole])
    rows = _rows(f"{part} <= {whole}", _where(cases.index), cases[whole], cases[part], 0.0)
    return rows.assign(passed=rows["difference"] <= 0)


def _select(observations, series, vintage) -> pd.DataFrame:
    return observations[(observations["series"] == series) & (observations["vintage"] == vintage)]


def _provinces_add_up(
    observations, half, series, vintage, national, national_vintage, factor
) -> pd.DataFrame:
    """Sum of 31 provinces against the printed national figure; incomplete years are left out."""
    provinces = _select(observations, series, vintage)
    provinces = provinces[provinces["region_code"] != "CN"]
    by_year = provinces.groupby("year")["value"]
    nation = _select(observations, national, national_vintage)
    nation = nation[nation["region_code"] == "CN"].set_index("year")["value"]
    both = pd.concat([by_year.sum()[by_year.size() == 31] * factor, nation], axis=1).dropna()
    both.columns = ["found", "expected"]
    tolerance = 0.0
    if len(both):
        yearly = _half_digit(provinces, "year").reindex(both.index).to_numpy()
        tolerance = 31 * factor * yearly + half[national, national_vintage]
    where = [f"nation {year} ({vintage}, {national_vintage})" for year in both.index]
    check = f"provinces' {series} = {national}"
    return _rows(check, where, both["expected"], both["found"], tolerance)


def _same_in_both(observations, half, series, vintage, copy) -> pd.DataFrame:
    key = ["region", "year"]
    left = _select(observations, series, vintage).set_index(key)["value"]
    right = _select(observations, series, copy).set_index(key)["value"]
    both = pd.concat([left.rename("expected"), right.rename("found")], axis=1).dropna()
    tolerance = max(half[series, vintage], half[series, copy]) if len(both) else 0.0
    where = [f"{region} {year} ({vintage}, {copy})" for region, year in both.index]
    return _rows(f"{series}: same in both", where, both["expected"], both["found"], tolerance)
