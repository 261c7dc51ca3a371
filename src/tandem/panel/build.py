"""From observations to the panel of a study: vintages chosen, series derived, gaps kept."""

from difflib import get_close_matches
from fnmatch import fnmatchcase

import numpy as np
import pandas as pd

from tandem.errors import TandemError
from tandem.panel.formula import evaluate, names_in
from tandem.study import Join, Study

SPLICES = [
    "series",
    "rule",
    "used",
    "other",
    "years",
    "cells",
    "mean_ratio",
    "largest_gap",
    "why",
]


def choose_files(study: Study, sources: pd.DataFrame) -> pd.DataFrame:
    """Raw files that a study reads: one row a (series, vintage), in order of preference.

    Parameters
    ----------
    study : Study
    sources : DataFrame
        `data/sources.csv`; `series` holds the names, ";"-joined.

    Returns
    -------
    DataFrame
        Columns series, vintage, file, rank (0 is preferred).

    Raises
    ------
    TandemError
        If a series is in no file, or in several vintages of which the study names none.
    """
    listed = sources.assign(series=sources["series"].str.split(";")).explode("series")
    listed = listed[listed["region_scope"] == study.panel.scope]
    chosen = [_files_of(name, study, listed) for name in study.base_series]
    return pd.concat(chosen, ignore_index=True)


def _files_of(name: str, study: Study, listed: pd.DataFrame) -> pd.DataFrame:
    rows = listed[listed["series"] == name]
    if rows.empty:
        raise TandemError(
            f"No raw table for {study.panel.scope} holds the series '{name}'; "
            "see data/codebook.csv for names and data/sources.csv for tables."
        )
    wish = study.vintages.get(name)
    official = sorted(rows.loc[rows["flag"] == "", "vintage"].unique())
    if wish is None and len(official) != 1:
        raise TandemError(
            f"The series '{name}' comes in several vintages "
            f"({', '.join(official) or 'quoted only'}); name one under vintages in the study."
        )
    patterns = [official[0]] if wish is None else wish.join if isinstance(wish, Join) else [wish]
    vintages = []
    for pattern in patterns:
        found = sorted(v for v in rows["vintage"].unique() if fnmatchcase(v, pattern))
        if not found:
            have = ", ".join(sorted(rows["vintage"].unique()))
            raise TandemError(
                f"No table of '{name}' has the vintage '{pattern}'; there are: {have}."
            )
        vintages += [v for v in found if v not in vintages]
    kept = rows[rows["vintage"].isin(vintages)]
    rank = kept["vintage"].map(vintages.index)
    return pd.DataFrame(
        {"series": name, "vintage": kept["vintage"], "file": kept["file"], "rank": rank}
    )


def base_panel(study: Study, observations: pd.DataFrame, chosen: pd.DataFrame):
    """Published values of the study's series, one column each, and the vintage of each value.

    Returns
    -------
    values, vintages : DataFrame (entity-years, series)
        Every entity with every year of the window; NaN (and "") where nothing was published.

    Raises
    ------
    TandemError
        If one vintage prints two values for an entity and year.
    """
    first, last = study.panel.years
    obs = observations.merge(chosen[["series", "vintage", "rank"]].drop_duplicates())
    obs = obs[obs["year"].between(first, last) & ~obs["region"].isin(study.panel.exclude)]
    if obs.empty:
        raise TandemError(f"No table has a figure for {first}-{last}; change panel.years.")
    key = ["series", "region", "year"]
    _refuse_contradictions(obs, key)
    obs = _chain_vintages(study, obs)
    obs = obs.sort_values([*key, "rank", "cell"]).drop_duplicates(key)
    entities = sorted(obs["region"].unique())
    index = pd.MultiIndex.from_product([entities, range(first, last + 1)], names=["entity", "year"])
    frames = []
    for column, empty in (("value", np.nan), ("vintage", "")):
        wide = obs.pivot(index=["region", "year"], columns="series", values=column)
        wide = wide.rename_axis(index=["entity", "year"], columns=None)
        wide = wide.reindex(index=index, columns=study.base_series)
        frames.append(wide if column == "value" else wide.astype(object).fillna(empty))
    return frames[0].astype(float), frames[1]


def _refuse_contradictions(obs: pd.DataFrame, key: list[str]) -> None:
    same = obs.groupby([*key, "rank"])["value"]
    spread = same.transform("max") - same.transform("min")
    if (spread > 0).any():
        bad = obs[spread > 0].sort_values([*key, "cell"])
        one = bad.iloc[0]
        cells = " and ".join(bad.loc[(bad[key] == one[key]).all(axis=1), "cell"])
        raise TandemError(
            f"{one['series']} of {one['region']} {one['year']} has two values in the vintage "
            f"{one['vintage']} ({cells}); keep one."
        )


def refuse_unknown_entities(study: Study, entities: list[str]) -> None:
    """Stop at a name under the study's panel that no table knows.

    Raises
    ------
    TandemError
        Naming the nearest known entity.
    """
    grouped = [name for members in study.panel.groups.values() for name in members]
    for name in [*study.panel.exclude, *grouped]:
        if name not in entities:
            near = get_close_matches(name, entities, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"there are: {', '.join(entities)}."
            raise TandemError(f"The study's panel names '{name}', which no table holds; {hint}")


def _chain_vintages(study: Study, obs: pd.DataFrame) -> pd.DataFrame:
    """Scale the vintages a study chains, entity by entity, to the preferred ones before them."""
    obs = obs.copy()
    for name, wish in study.vintages.items():
        for vintage in wish.chain if isinstance(wish, Join) else []:
            mine = (obs["series"] == name) & (obs["vintage"] == vintage)
            rank = obs.loc[mine, "rank"].min()
            used = obs[(obs["series"] == name) & (obs["rank"] < rank)].sort_values("rank")
            used = used.drop_duplicates(["region", "year"]).set_index(["region", "year"])["value"]
            for region, block in obs[mine].groupby("region"):
                mine_by_year = block.drop_duplicates("year").set_index("year")["value"]
                common = [y for y in sorted(mine_by_year.index) if (region, y) in used.index]
                if not common:
                    raise TandemError(
                        f"{name} of {region}: the vintage {vintage} shares no year with those "
                        "before it, so it cannot be chained; take it out of chain in the study."
                    )
                own = [y for y in mine_by_year.index if y not in common] or common
                year = min(common, key=lambda c: min(abs(c - y) for y in own))
                obs.loc[block.index, "value"] *= used[(region, year)] / mine_by_year[year]
    return obs


def derive(
    study: Study,
    values: pd.DataFrame,
    vintages: pd.DataFrame,
    accounts: pd.Series,
    observations: pd.DataFrame,
) -> pd.DataFrame:
    """Derived series of the study, with vintages of one account never mixed in one formula.

    Parameters
    ----------
    values, vintages : DataFrame
        From `base_panel`.
    accounts : Series
        Codebook: the account (family of vintages) of each published series, "" if none.
    observations : DataFrame
        Names the cells in an error.

    Returns
    -------
    DataFrame (entity-years, derived series)

    Raises
    ------
    TandemError
        Two vintages of one account in one ratio, a division by zero, a logarithm of what is not
        positive, a number too large to hold: series, entity and year.
    """
    derived = {}
    for name, series in study.used_series.items():
        inputs = names_in(series.formula)
        _refuse_mixed_vintages(name, inputs, vintages, accounts, observations)
        try:
            value = evaluate(series.formula, values)
        except TandemError as err:
            raise TandemError(f"The series '{name}' cannot be computed: {err}.") from None
        if np.isinf(value).any():
            entity, year = value.index[np.isinf(value)][0]
            raise TandemError(f"The series '{name}' is infinite in {entity} {year}.")
        derived[name] = value
    return pd.DataFrame(derived, index=values.index)


def _refuse_mixed_vintages(name, inputs, vintages, accounts, observations) -> None:
    for account in sorted({accounts.get(i, "") for i in inputs} - {""}):
        family = [i for i in inputs if accounts.get(i, "") == account]
        used = vintages[family].where(vintages[family] != "")
        mixed = used.nunique(axis=1) > 1
        if mixed.any():
            entity, year = mixed.index[mixed][0]
            pairs = ", ".join(
                f"{i} is {vintages.at[(entity, year), i]} "
                f"({_cells(observations, [i], entity, year, vintages.at[(entity, year), i])})"
                for i in family
            )
            raise TandemError(
                f"The series '{name}' mixes two vintages of {account} in {entity} {year}: {pairs}; "
                "name one vintage for all of them under vintages in the study."
            )


def _cells(observations, names: list[str], entity: str, year: int, vintage: str = "*") -> str:
    """Where the values of some series for an entity and year were read."""
    rows = observations[observations["series"].isin(names)]
    rows = rows[(rows["region"] == entity) & (rows["year"] == year)]
    kept = [fnmatchcase(v, vintage) for v in rows["vintage"]]
    return " and ".join(rows.loc[kept, "cell"])


def refuse_implausible(study: Study, panel: pd.DataFrame, observations: pd.DataFrame) -> None:
    """Stop at a derived value outside its study's plausible range, naming the cells it rests on.

    Raises
    ------
    TandemError
        One sentence for each series with such a value: series, entity, year, value, cells.
    """
    problems = []
    for name, series in study.used_series.items():
        low, high = series.plausible or (-np.inf, np.inf)
        beyond = panel[name][(panel[name] < low) | (panel[name] > high)]
        if len(beyond):
            entity, year = beyond.index[0]
            cells = _cells(observations, names_in(series.formula), entity, year)
            problems.append(
                f"The series '{name}' of {entity} {year} is {beyond.iloc[0]:,.4g} {series.unit}, "
                f"outside the plausible {low:g} to {high:g}; look at {cells}, or widen plausible "
                "in the study."
            )
    if problems:
        raise TandemError("\n".join(problems))


def coverage(panel: pd.DataFrame) -> pd.DataFrame:
    """How many entities have a value: columns series, year, published, entities."""
    counts = panel.notna().groupby(level="year").sum().rename_axis(columns="series").stack()
    table = counts.rename("published").reset_index()[["series", "year", "published"]]
    table["entities"] = panel.index.get_level_values("entity").nunique()
    order = {name: i for i, name in enumerate(panel.columns)}
    return table.sort_values(
        ["series", "year"], key=lambda c: c.map(order) if c.name == "series" else c
    )


def splices(study: Study, observations: pd.DataFrame, chosen: pd.DataFrame) -> pd.DataFrame:
    """What each explicit splice does: both vintages where both print a year.

    Returns
    -------
    DataFrame
        Columns series, rule, used, other, years, cells (entity-years that both print), mean_ratio
        (other over used) and largest_gap (percent), why.
    """
    blocks = []
    for name, wish in sorted(study.vintages.items()):
        if not isinstance(wish, Join) or name not in study.base_series:
            continue
        obs = observations[observations["series"] == name].merge(chosen)
        obs = obs.drop_duplicates(["region", "year", "rank"]).sort_values("rank")
        used = obs.drop_duplicates(["region", "year"])
        both = used.merge(obs, on=["region", "year"], suffixes=("", "_other"))
        both = both[both["rank"] < both["rank_other"]].assign(
            ratio=lambda d: d["value_other"] / d["value"]
        )
        pairs = both.groupby(["vintage", "vintage_other"], sort=False).agg(
            first=("year", "min"),
            last=("year", "max"),
            cells=("ratio", "size"),
            mean_ratio=("ratio", "mean"),
            largest_gap=("ratio", lambda r: 100 * (r - 1).abs().max()),
        )
        blocks.append(
            pairs.reset_index().assign(series=name, why=wish.why, chain=[wish.chain] * len(pairs))
        )
    table = pd.concat(blocks) if blocks else pd.DataFrame(columns=SPLICES)
    if blocks:
        table["rule"] = [
            "chained" if other in chain else "as published"
            for other, chain in zip(table["vintage_other"], table["chain"], strict=True)
        ]
        table["years"] = table["first"].astype(str) + "-" + table["last"].astype(str)
        table = table.rename(columns={"vintage": "used", "vintage_other": "other"})
    return table[SPLICES]
