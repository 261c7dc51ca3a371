"""Step: raw tables -> observations -> panel of the study."""

from pathlib import Path

import pandas as pd

from tandem.errors import TandemError
from tandem.panel.breaks import crossed, read_breaks
from tandem.panel.build import (
    base_panel,
    choose_files,
    coverage,
    derive,
    refuse_unknown_entities,
    settled,
    splices,
)
from tandem.panel.lineage import base_lineage
from tandem.panel.vintages import largest_revisions, revised_files, revisions, undated
from tandem.sources import read_codebook, read_observations, read_sources
from tandem.sources.inventory import vintage_note
from tandem.sources.schemas import panel_problems
from tandem.sources.verify import read_deviations, refuse, verify
from tandem.study import Study


def build_panel(study: Study, data: Path) -> dict[str, pd.DataFrame]:
    """Everything from raw tables to the panel, checked as a whole before any of it is returned.

    Parameters
    ----------
    study : Study
    data : Path
        The folder with raw/, sources.csv, codebook.csv, breaks.csv and known_deviations.csv.

    Returns
    -------
    dict of DataFrame
        observations, ledger; checks, suspects, not_comparable (see `tandem.sources.verify`); breaks
        (definition breaks that the window crosses); lineage (see `tandem.panel.lineage`); and those
        of `make_panel`, vintages with what is known of each (meaning).

    Raises
    ------
    TandemError
        Everything wrong with the tables, or everything wrong with the figures, one sentence each.
    """
    observations, ledger, chosen = observe(study, data)
    codebook = read_codebook(data)
    found, problems = verify(observations, codebook, read_deviations(data))
    study = settled(study, observations)
    try:
        built = make_panel(study, observations, chosen, codebook)
        problems += panel_problems(study, built["panel"], observations)
    except TandemError as err:
        problems.append(str(err))
    refuse(problems)
    built["vintages"] = built["vintages"].merge(_meanings(data, chosen))
    return {
        "observations": observations,
        "ledger": ledger,
        "breaks": crossed(study, read_breaks(data)),
        "lineage": base_lineage(study, observations, chosen, ledger),
        **found,
        **built,
    }


def _meanings(data: Path, chosen: pd.DataFrame) -> pd.DataFrame:
    """What is known of each vintage in use, from sources.csv or the fetched tables themselves."""
    sources = read_sources(data).drop_duplicates("file").set_index("file", drop=False)
    notes = {file: vintage_note(data, sources.loc[file]) for file in chosen["file"].unique()}
    said = chosen.assign(meaning=chosen["file"].map(notes)).groupby(["series", "vintage"])
    return said["meaning"].agg(lambda m: "; ".join(dict.fromkeys(m))).reset_index()


def observe(study: Study, data: Path) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Read the raw tables that a study names.

    Parameters
    ----------
    study : Study
    data : Path
        The folder with raw/, sources.csv and codebook.csv.

    Returns
    -------
    observations, ledger : DataFrame
        The study's published values, and every change made between raw cell and value.
    chosen : DataFrame
        Columns series, vintage, file, rank: which table serves which series.

    Raises
    ------
    TandemError
        Everything wrong with the tables, one sentence each.
    """
    chosen = choose_files(study, read_sources(data))
    files = sorted(chosen["file"].unique())
    observations, ledger = read_observations(data, files, study.descriptions)
    wanted = observations.merge(chosen[["series", "vintage"]].drop_duplicates())
    return wanted, ledger, chosen


def make_panel(
    study: Study, observations: pd.DataFrame, chosen: pd.DataFrame, codebook: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """Panel of the study and what there is to say about it.

    Parameters
    ----------
    observations, chosen : DataFrame
        From `observe`.
    codebook : DataFrame
        `data/codebook.csv`; its column account names series whose vintages must not be mixed.

    Returns
    -------
    dict of DataFrame
        panel (derived series), published (base series), vintages (series, vintage, first and last
        year, values, files), coverage (series, year, published, entities), splices.
    """
    refuse_unknown_entities(study, sorted(observations["region"].unique()))
    values, vintages = base_panel(study, observations, chosen)
    accounts = codebook.set_index("series")["account"].fillna("")
    panel = derive(study, values, vintages, accounts, observations)
    used = (
        vintages.stack().rename("vintage").rename_axis(["entity", "year", "series"]).reset_index()
    )
    used = used[used["vintage"] != ""].groupby(["series", "vintage"])["year"]
    summary = used.agg(first="min", last="max", values="size").reset_index()
    files = chosen.groupby(["series", "vintage"])["file"].agg("; ".join).reset_index()
    return {
        "panel": panel,
        "published": values,
        "vintages": summary.merge(files),
        "coverage": coverage(panel),
        "splices": splices(study, observations, chosen),
    }


def compare_vintages(study: Study, data: Path) -> dict[str, pd.DataFrame]:
    """How far the vintages of the study's series differ, whichever of them the study uses.

    Returns
    -------
    dict of DataFrame
        revisions, revisions_by_entity and undated: see `tandem.panel.vintages`.
    """
    sources = read_sources(data)
    observations, _ = read_observations(data, revised_files(study, sources), study.descriptions)
    table = revisions(study, observations, sources)
    return {
        "revisions": table,
        "revisions_by_entity": largest_revisions(table),
        "undated": undated(study, sources),
    }


def printed_series(study: Study, data: Path) -> pd.DataFrame:
    """Every value ever printed of the series that the study shows as published.

    Returns
    -------
    DataFrame
        Columns figure, series, label, year, value, unit, vintage, flag, source: all vintages,
        quoted ones flagged.
    """
    sources = read_sources(data)
    scope = sources[sources["region_scope"] == study.panel.scope]
    blocks = []
    for name, figure in study.published.items():
        wanted = set(figure.series)
        files = scope.loc[[bool(wanted & set(s.split(";"))) for s in scope["series"]], "file"]
        listed = {n for names in scope["series"] for n in names.split(";")}
        if unknown := sorted(wanted - listed):
            raise TandemError(
                f"published.{name} in the study names '{unknown[0]}', which no table for "
                f"{study.panel.scope} holds; see data/codebook.csv for names."
            )
        found, _ = read_observations(data, sorted(files), study.descriptions)
        blocks.append(found[found["series"].isin(wanted)].assign(figure=name))
    labels = read_codebook(data).set_index("series")["label_en"]
    columns = ["figure", "series", "label", "year", "value", "unit", "vintage", "flag", "source"]
    printed = pd.concat(blocks).assign(label=lambda d: d["series"].map(labels))
    return printed[columns].sort_values(["figure", "series", "year", "vintage", "value"])
