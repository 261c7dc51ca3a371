"""When each vintage was released, and how far successive vintages of one quantity differ."""

import pandas as pd

from tandem.errors import TandemError
from tandem.study import Study

# Series of one scope that print the same quantity: regional GDP by expenditure is made to equal
# GDP by production (the difference enters the net outflow); the nation's keeps a discrepancy.
SAME_QUANTITY = {"provinces": {"gdp_expenditure_approach": "gdp"}}

REVISIONS = [
    "series",
    "entity",
    "year",
    "earlier",
    "earlier_value",
    "earlier_cell",
    "later",
    "later_value",
    "later_cell",
    "ratio",
    "gap",
]


def in_scope(study: Study, sources: pd.DataFrame) -> pd.DataFrame:
    """Lines of `data/sources.csv` for the study's scope, one row a (file, series)."""
    listed = sources[sources["region_scope"] == study.panel.scope]
    return listed.assign(series=listed["series"].str.split(";")).explode("series")


def release_dates(listed: pd.DataFrame) -> pd.Series:
    """Release of each (series, vintage): the earliest `released` of its tables, "" if unknown."""
    dates = listed.groupby(["series", "vintage"])["released"]
    return dates.agg(lambda d: min(filter(None, d), default=""))


def edition(name: str, wish: str, listed: pd.DataFrame) -> str:
    """The vintage of a series that was released first or last.

    Only tables without a flag are looked at: what a third party quotes or transcribes is never
    taken unless it is named.

    Parameters
    ----------
    name : str
        Series.
    wish : {"first", "latest"}
    listed : DataFrame
        From `in_scope`.

    Raises
    ------
    TandemError
        If the dates do not decide: no official table, one without a date, or two vintages of the
        same date (a year and a month of that year count as the same).
    """
    dates = release_dates(listed[(listed["series"] == name) & (listed["flag"] == "")])
    dates = dates.droplevel("series").sort_values(ascending=wish == "first")
    if dates.empty:
        have = sorted(listed.loc[listed["series"] == name, "vintage"].unique())
        raise TandemError(
            f"The study wants the {wish} vintage of '{name}', which is only quoted; name one of "
            f"{', '.join(have)} under vintages in the study."
        )
    best = dates.iloc[0]
    rivals = [v for v, d in dates.items() if d.startswith(best) or best.startswith(d)]
    if len(rivals) > 1:
        dated = ", ".join(f"{v} ({dates[v] or 'no date'})" for v in sorted(rivals))
        raise TandemError(
            f"The {wish} vintage of '{name}' cannot be told by the release dates in "
            f"data/sources.csv: {dated}; name one under vintages in the study."
        )
    return rivals[0]


def _quantities(study: Study) -> dict[str, str]:
    """Published series to compare: name in the tables -> the quantity it measures."""
    same = SAME_QUANTITY.get(study.panel.scope, {})
    wanted = set(study.base_series)
    return {name: name for name in wanted} | {k: v for k, v in same.items() if v in wanted}


def revised_files(study: Study, sources: pd.DataFrame) -> list[str]:
    """Raw files that print a series of the study in any of several vintages.

    More than the study itself reads: a rule of its own should read them, so that a table that only
    serves comparison never stops the panel.
    """
    listed = in_scope(study, sources)
    listed = listed.assign(quantity=listed["series"].map(_quantities(study)))
    several = listed.groupby("quantity")["vintage"].transform("nunique") > 1
    return sorted(listed.loc[several, "file"].unique())


def revisions(study: Study, observations: pd.DataFrame, sources: pd.DataFrame) -> pd.DataFrame:
    """Every value of the study's series that a later vintage prints again.

    The vintages of one series, entity and year are put in the order of their release (a year
    without a month counts as its end, vintages of one date go by name) and each is compared with
    the next; all years are compared, not only those of the study's window. Vintages without a date
    in `data/sources.csv` have no place in that order and are left out; `undated` lists them.

    Parameters
    ----------
    study : Study
    observations : DataFrame
        Of the tables in `revised_files`.
    sources : DataFrame
        `data/sources.csv`.

    Returns
    -------
    DataFrame
        Columns series, entity, year, earlier, earlier_value, earlier_cell, later, later_value,
        later_cell, ratio (earlier over later) and gap (the earlier value less the later one, in
        percent of the later; missing where that is zero).
    """
    dates = release_dates(in_scope(study, sources)).rename("released")
    quantities = _quantities(study)
    obs = observations[observations["series"].isin(quantities)]
    obs = obs.merge(dates.reset_index(), on=["series", "vintage"])
    obs = obs[obs["released"] != ""].assign(series=lambda d: d["series"].map(quantities))
    key = ["series", "region", "year"]
    order = [*key, "released", "vintage", "cell"]
    obs = obs.replace({"released": {r"^\d{4}$": r"\g<0>-13"}}, regex=True)
    obs = obs.sort_values(order).reset_index(drop=True)
    later = obs.groupby(key)[["vintage", "value", "cell"]].shift(-1)
    pairs = obs.rename(columns={"region": "entity", "vintage": "earlier"})
    pairs = pairs.rename(columns={"value": "earlier_value", "cell": "earlier_cell"})
    pairs = pairs.assign(
        later=later["vintage"], later_value=later["value"], later_cell=later["cell"]
    )
    pairs = pairs[pairs["later"].notna()]
    ratio = pairs["earlier_value"] / pairs["later_value"].where(pairs["later_value"] != 0)
    return pairs.assign(ratio=ratio, gap=100 * (ratio - 1))[REVISIONS].reset_index(drop=True)


def undated(study: Study, sources: pd.DataFrame) -> pd.DataFrame:
    """Vintages that `revisions` leaves out: columns series, vintage."""
    listed = in_scope(study, sources)
    dates = release_dates(listed[listed["series"].isin(_quantities(study))])
    return dates[dates == ""].reset_index()[["series", "vintage"]]


def largest_revisions(table: pd.DataFrame) -> pd.DataFrame:
    """`revisions`, entity by entity: how far two successive vintages of a series differ.

    Returns
    -------
    DataFrame
        Columns series, earlier, later, entity, years (compared), mean_gap (percent), largest_gap
        (percent, signed, the largest in size) and year (the first in which it stands).
    """
    by = ["series", "earlier", "later", "entity"]
    known = table.dropna(subset="gap").assign(size=lambda d: d["gap"].abs())
    worst = known.sort_values([*by, "size", "year"], ascending=[True] * 4 + [False, True])
    worst = worst.drop_duplicates(by)[[*by, "gap", "year"]].rename(columns={"gap": "largest_gap"})
    means = known.groupby(by).agg(years=("year", "size"), mean_gap=("gap", "mean")).reset_index()
    merged = means.merge(worst, on=by)
    return merged[[*by, "years", "mean_gap", "largest_gap", "year"]]
