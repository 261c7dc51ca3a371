"""Every figure of a study's report, in its order."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from tandem.analysis.two_way import two_way_terms
from tandem.panel.formula import names_in
from tandem.report import figures as draw
from tandem.report.claims import claim_figures
from tandem.report.dynamics import dynamics_figures
from tandem.report.figures_models import unit_circle
from tandem.report.robustness import robustness_figures
from tandem.report.store import degree, label, records, regions
from tandem.report.two_way import UNIT, two_way_figures
from tandem.report.uncertainty import uncertainty_figures
from tandem.study import Study


def make_figures(
    study: Study, results: dict[str, pd.DataFrame], folder: str | Path
) -> Iterator[tuple[str, Figure]]:
    """Name and figure, one after the other, so that only one is held in memory.

    Parameters
    ----------
    results : dict of DataFrame
        From `tandem.report.store.load`.
    folder : path
        The study's results, for the results store.
    """
    labels = {name: label(study, name) for name in (*study.systems, *study.series)}
    coverage = results["data/coverage"].assign(series=lambda d: d["series"].map(labels))
    yield "missing_map", draw.missing_map(coverage)
    coupling = results["indices/coupling"]
    entities = coupling.index.get_level_values("entity").unique()
    if study.panel.groups:
        groups = regions(study, entities)
        yield "coupling_by_region", draw.coupling_by_region(coupling, groups)
        yield "coordination_map", _tiles(coupling[degree(study)])
    elif len(entities) == 1:
        yield "coupling_years", _over_time(coupling, labels)
    yield from uncertainty_figures(study, results)
    yield from dynamics_figures(study, results)
    if study.models.verdict:
        yield from two_way_figures(study, results)
    elif study.models.regressions:
        yield "two_way", _two_way(study, results, folder)
    for room in ("panel_var", "var"):
        if f"estimates/{room}/irf" in results:
            irf = results[f"estimates/{room}/irf"].rename(columns={"order": "kind"})
            change = room == "var" and study.models.var.transform == "log-difference"
            named = {k: f"Δ log {v}" for k, v in labels.items()} if change else labels
            fevd = results[f"estimates/{room}/fevd"]
            stays = "" if len(fevd) else "; the model is not stable: responses do not die out"
            yield f"{room}_irf", draw.irf_grid(irf, named, stays)
            if len(fevd):
                one = fevd[fevd["order"] == fevd["order"].iloc[0]] if "order" in fevd else fevd
                yield f"{room}_fevd", draw.fevd_bars(one, named)
    if "estimates/panel_var/roots" in results:
        words = {k: m.label for k, m in study.models.panel_var.models.items()}
        roots = results["estimates/panel_var/roots"]
        yield "panel_var_roots", unit_circle(roots.assign(model=roots["model"].map(words)))
    yield from robustness_figures(study, results)
    yield from claim_figures(study, results)
    for name, spec in study.published.items():
        yield name, _published(study, results, name, spec, labels)


def _tiles(coupling: pd.Series) -> Figure:
    wide = coupling.unstack("year").dropna(axis=1, how="all")
    years = [wide.columns[0], wide.columns[-1]]
    return draw.tile_grids(wide[years].rename(columns=str), "coordination degree D", coupling.name)


def _over_time(coupling: pd.DataFrame, labels: dict[str, str]) -> Figure:
    """Scores, C and D of the one entity."""
    names = {**labels, "C_standard": "coupling degree C", "D_standard": "coordination degree D"}
    shown = [c for c in coupling if c in names]
    long = coupling.droplevel("entity")[shown].melt(ignore_index=False, var_name="series")
    long = long.dropna().reset_index().assign(vintage="", kind="", unit="0 to 1")
    long = long.assign(quantity=long["series"], entity=coupling.index.unique("entity")[0])
    return draw.national_series(long.assign(series=long["series"].map(names)))


def _two_way(study: Study, results, folder) -> Figure:
    terms, _ = records(folder)
    frame = two_way_terms(study, results["indices/scores"], terms)
    return draw.two_way_forest(frame, UNIT)


def _published(study: Study, results, name, spec, labels) -> Figure:
    printed = results["data/printed"]
    printed = printed[printed["figure"] == name].fillna({"flag": ""})
    years = results["data/panel"].index.get_level_values("year")
    printed = printed[printed["year"].between(years.min(), years.max())]
    if spec.line is None:
        kinds = {"": "as printed", "second-hand": "reprinted", "quoted": "quoted by others"}
        printed = printed.assign(kind=printed["flag"].map(kinds)).sort_values(
            "kind", key=lambda k: k.map(list(kinds.values()).index), kind="stable"
        )
        return draw.national_series(printed.assign(series=printed["label"]))
    blocks = [printed.assign(kind="share as published")]
    for derived in spec.derived:
        values = results["data/panel"][derived].dropna().reset_index()
        quoted = _quoted_years(study, results["data/observations"], derived)
        block = values.rename(columns={derived: "value"}).assign(
            # every year stands for itself: the totals come from different publications
            vintage=values["year"].astype(str),
            kind=f"{labels[derived]} over one GDP series",
            flag=["quoted" if year in quoted else "" for year in values["year"]],
        )
        blocks.append(block)
    return draw.investment_share(pd.concat(blocks, ignore_index=True), line=spec.line)


def _quoted_years(study: Study, observations: pd.DataFrame, derived: str) -> set[int]:
    """Years in which a derived series rests on a figure that is only quoted by others."""
    inputs = observations[observations["series"].isin(names_in(study.series[derived].formula))]
    only = (inputs["flag"] == "quoted").groupby([inputs["series"], inputs["year"]]).all()
    return set(only[only].index.get_level_values("year"))
