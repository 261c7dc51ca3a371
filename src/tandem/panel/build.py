"""From observations to the panel of a study: vintages chosen, series derived, gaps kept."""

from difflib import get_close_matches
from fnmatch import fnmatchcase

import numpy as np
import pandas as pd

from tandem.errors import TandemError
from tandem.panel.formula import evaluate, names_in
from tandem.panel.joins import cells_read, refuse_joined_vintages
from tandem.panel.vintages import edition, in_scope
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
    "serves",
    "link_years",
    "mean_factor",
    "why",
]


def choose_files(study: Study, sources: pd.DataFrame) -> pd.DataFrame:
    """Raw files that a study reads: one row a (series, vintage), in order of preference.

    A series takes the vintage that the study names for it under `vintages`, else the study's
    `vintage`, else the only official one there is. "latest" and "first" go by `released`.

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
        If a series is in no file, or in several vintages of which the study names none or more
        than one without a join; if release dates do not tell the latest or first; if the study
        describes a file that is not in `sources`.
    """
    for file in study.descriptions:
        if file not in set(sources["file"]):
            near = get_close_matches(file, list(sources["file"]), n=1)
            hint = f"did you mean '{near[0]}'?" if near else "name a table as it stands there."
            raise TandemError(
                f"descriptions names '{file}', which has no line in data/sources.csv; {hint}"
            )
    listed = in_scope(study, sources)
    chosen = [_files_of(name, study, listed) for name in study.base_series]
    return pd.concat(chosen, ignore_index=True)


def _files_of(name: str, study: Study, listed: pd.DataFrame) -> pd.DataFrame:
    rows = listed[listed["series"] == name]
    if rows.empty:
        raise TandemError(
            f"No raw table for {study.panel.scope} holds the series '{name}'; "
            "see data/codebook.csv for names and data/sources.csv for tables."
        )
    wish = study.vintages.get(name, study.vintage or None)
    if wish in ("latest", "first"):
        wish = edition(name, wish, listed)
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
    if len(vintages) > 1 and not isinstance(wish, Join):
        raise TandemError(
            f"The vintage '{wish}' of '{name}' fits several ({', '.join(vintages)}); name one, or "
            "splice them with join under vintages in the study."
        )
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
        If one vintage prints two values for an entity and year, or a formula joins years of
        several vintages that the study does not chain (see `tandem.panel.joins`).
    """
    obs = selected(study, observations, chosen)
    refuse_joined_vintages(study, obs)
    first, last = study.panel.years
    entities = sorted(obs["region"].unique())
    index = pd.MultiIndex.from_product([entities, range(first, last + 1)], names=["entity", "year"])
    frames = []
    for column, empty in (("value", np.nan), ("vintage", "")):
        wide = obs.pivot(index=["region", "year"], columns="series", values=column)
        wide = wide.rename_axis(index=["entity", "year"], columns=None)
        wide = wide.reindex(index=index, columns=study.base_series)
        frames.append(wide if column == "value" else wide.astype(object).fillna(empty))
    return frames[0].astype(float), frames[1]


def selected(study: Study, observations: pd.DataFrame, chosen: pd.DataFrame) -> pd.DataFrame:
    """The observations that the panel rests on, one a series, entity and year.

    Returns
    -------
    DataFrame
        The columns of the observations, with `published` (the value as printed, in the unit of the
        codebook) beside `value` (after chaining), `rank`, `footing` (the vintage whose level the
        value has: its own, or the one it is chained to) and `link` (the year in which the two
        meet, missing where nothing is chained).

    Raises
    ------
    TandemError
        If the window holds no figure, or one vintage prints two values for an entity and year.
    """
    obs = _chain_vintages(study, _ranked(study, observations, chosen))
    obs = obs[_in_window(study, obs)]
    if obs.empty:
        first, last = study.panel.years
        raise TandemError(f"No table has a figure for {first}-{last}; change panel.years.")
    key = ["series", "region", "year"]
    return obs.sort_values([*key, "rank", "cell"]).drop_duplicates(key)


def _ranked(study: Study, observations: pd.DataFrame, chosen: pd.DataFrame) -> pd.DataFrame:
    """Every value in the chosen vintages, all years: those outside the window may link two."""
    obs = observations.merge(chosen[["series", "vintage", "rank"]].drop_duplicates())
    obs = obs[~obs["region"].isin(study.panel.exclude)]
    _refuse_contradictions(obs, ["series", "region", "year"])
    return obs


def _in_window(study: Study, obs: pd.DataFrame) -> pd.Series:
    return obs["year"].between(*study.panel.years)


def settled(study: Study, observations: pd.DataFrame) -> Study:
    """The study with its last year as a number.

    "latest" is the last year in which every published series that the study reads has a value for
    some entity, so that a table of a further year widens the window once the others have it too.
    """
    first, last = study.panel.years
    if last != "latest":
        return study
    obs = observations[~observations["region"].isin(study.panel.exclude)]
    last = int(obs.groupby("series")["year"].max().min())
    if last < first:
        raise TandemError(
            f"No year from {first} on has a figure of every series; change panel.years."
        )
    window = study.panel.model_copy(update={"years": (first, last)})
    return study.model_copy(update={"panel": window})


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
    obs = obs.assign(published=obs["value"], footing=obs["vintage"], link=np.nan)
    for name, wish in study.vintages.items():
        for vintage in wish.chain if isinstance(wish, Join) else []:
            mine = (obs["series"] == name) & (obs["vintage"] == vintage)
            rank = obs.loc[mine, "rank"].min()
            used = obs[(obs["series"] == name) & (obs["rank"] < rank)].sort_values("rank")
            used = used.drop_duplicates(["region", "year"]).set_index(["region", "year"])
            for region, block in obs[mine].groupby("region"):
                if _in_window(study, block).any():
                    year = _link_year(study, block, used.index)
                    mine_then = block.loc[block["year"] == year, "value"].iloc[0]
                    value, footing = used.loc[(region, year), ["value", "footing"]]
                    obs.loc[block.index, "value"] *= value / mine_then
                    obs.loc[block.index, "footing"] = footing
                    obs.loc[block.index, "link"] = year
    return obs


def _link_year(study: Study, block: pd.DataFrame, used: pd.MultiIndex) -> int:
    """Year that both print, nearest to the window's years that only the chained vintage prints."""
    name, region, vintage = block[["series", "region", "vintage"]].iloc[0]
    common = [y for y in sorted(block["year"]) if (region, y) in used]
    if not common:
        raise TandemError(
            f"{name} of {region}: the vintage {vintage} shares no year with those "
            "before it, so it cannot be chained; take it out of chain in the study."
        )
    own = [y for y in block.loc[_in_window(study, block), "year"] if y not in common] or common
    return min(common, key=lambda c: min(abs(c - y) for y in own))


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
        Two vintages of one account in one formula, a division by zero, a logarithm of what is not
        positive, a number too large to hold: series, entity and year.
    """
    derived = {}
    for name, series in study.used_series.items():
        inputs = names_in(series.formula)
        _refuse_mixed_vintages(name, inputs, vintages, accounts, observations)
        _refuse_mixed_years(study, name, vintages, accounts, observations)
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


def _refuse_mixed_years(study, name, vintages, accounts, observations) -> None:
    """The same where a formula sets one year of a series against another year of another.

    Vintages that the study chains are left out: they stand on the level of those before them.
    """
    for year in range(study.panel.years[0], study.panel.years[1] + 1):
        cells = [c for c in cells_read(study.series[name].formula, year)[0] if accounts.get(c[0])]
        for account in sorted({accounts[s] for s, _ in cells}):
            family = sorted(c for c in cells if accounts[c[0]] == account)
            if len({s for s, _ in family}) < 2 or len({y for _, y in family}) < 2:
                continue
            used = pd.DataFrame({c: _level(study, vintages, *c) for c in family})
            mixed = (used != "").all(axis=1) & (used.replace("chained", np.nan).nunique(axis=1) > 1)
            if mixed.any():
                entity = mixed.index[mixed][0]
                pairs = ", ".join(
                    f"{s} of {y} is {vintages.at[(entity, y), s]} "
                    f"({_cells(observations, [s], entity, y, vintages.at[(entity, y), s])})"
                    for s, y in family
                )
                raise TandemError(
                    f"The series '{name}' mixes two vintages of {account} in {entity}: {pairs}; "
                    "name or chain one vintage for all of them under vintages in the study."
                )


def _level(study: Study, vintages: pd.DataFrame, name: str, year: int) -> pd.Series:
    """Vintage of a series in one year by entity, "" if none, "chained" if the study scales it."""
    wish = study.vintages.get(name)
    chain = wish.chain if isinstance(wish, Join) else []
    if year not in vintages.index.get_level_values("year"):
        return pd.Series("", vintages.index.unique("entity"))
    return vintages[name].xs(year, level="year").replace(dict.fromkeys(chain, "chained"))


def _cells(observations, names: list[str], entity: str, year: int, vintage: str = "*") -> str:
    """Where the values of some series for an entity and year were read."""
    rows = observations[observations["series"].isin(names)]
    rows = rows[(rows["region"] == entity) & (rows["year"] == year)]
    kept = [fnmatchcase(v, vintage) for v in rows["vintage"]]
    return " and ".join(rows.loc[kept, "cell"])


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

    Years outside the study's window are left out, unless a chained vintage is linked there. An
    overlap decides something only where link_years says so: there the other vintage is scaled, all
    its years alike. Elsewhere it shows how large a step the splice leaves in the series.

    Returns
    -------
    DataFrame
        Columns series, rule, used, other, years, cells (entity-years that both print), mean_ratio
        (other over used, as printed), largest_gap (percent), serves (years of the window in which
        the panel rests on the other vintage), link_years, mean_factor (by which the other vintage
        is multiplied, over entities; both blank if it is not scaled to this one), why.
    """
    if not any(isinstance(study.vintages.get(name), Join) for name in study.base_series):
        return pd.DataFrame(columns=SPLICES)
    every = _chain_vintages(study, _ranked(study, observations, chosen))
    used = selected(study, observations, chosen)
    served = used.groupby(["series", "vintage"])["year"].agg(_span)
    blocks = [
        _splice(study, name, wish, every[every["series"] == name], served)
        for name, wish in sorted(study.vintages.items())
        if isinstance(wish, Join) and name in study.base_series
    ]
    return pd.concat(blocks, ignore_index=True)[SPLICES]


def _splice(study, name: str, wish: Join, obs: pd.DataFrame, served: pd.Series) -> pd.DataFrame:
    obs = obs.drop_duplicates(["region", "year", "rank"]).sort_values("rank")
    both = obs.drop_duplicates(["region", "year"])
    both = both.merge(obs, on=["region", "year"], suffixes=("", "_other"))
    linked = both["year"] == both["link_other"]
    both = both[(both["rank"] < both["rank_other"]) & (_in_window(study, both) | linked)]
    both = both.assign(
        ratio=both["published_other"] / both["published"],
        link_years=both["year"].where(linked),
        factor=(both["value_other"] / both["published_other"]).where(linked),
    )
    table = both.groupby(["vintage", "vintage_other"], sort=False).agg(
        years=("year", _span),
        cells=("ratio", "size"),
        mean_ratio=("ratio", "mean"),
        largest_gap=("ratio", lambda r: 100 * (r - 1).abs().max()),
        link_years=("link_years", _span),
        mean_factor=("factor", "mean"),
    )
    table = table.reset_index().rename(columns={"vintage": "used", "vintage_other": "other"})
    rule = ["chained" if other in wish.chain else "as published" for other in table["other"]]
    serves = [served.get((name, other), "") for other in table["other"]]
    return table.assign(series=name, rule=rule, serves=serves, why=wish.why)


def _span(years: pd.Series) -> str:
    ends = sorted({f"{y:.0f}" for y in (years.min(), years.max()) if y == y})
    return "-".join(ends)
