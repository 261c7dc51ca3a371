"""How far the coordination degrees can be relied on: tables and figures of the report."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from tandem.indices import LEVELS
from tandem.report.figure_style import (
    GREY,
    INK,
    PALETTE,
    WIDTH,
    new_figure,
    require,
    styled,
    year_axis,
)
from tandem.report.store import label
from tandem.report.tables import Table, frame_table
from tandem.study import Study

FACTORS = {
    "normalisation": "Normalisation",
    "weights": "Weighting method",
    "left_out": "Indicator left out",
    "noise": "Noise in the weights",
    "shares": "Shares of the systems",
    "model": "Coupling model",
}
OUTPUTS = {"mean_D": "mean D", "D": "each D", "rank": "ranks by mean D"}
NULLS = {"null": "within years", "null_shift": "years shifted"}


def null_table(results: dict[str, pd.DataFrame]) -> list[Table]:
    """Observed mean C and D among what chance gives; no table if nothing could be exchanged."""
    frames = [
        results[f"indices/{key}"].assign(null=name)
        for key, name in NULLS.items()
        if len(results.get(f"indices/{key}", ()))
    ]
    if not frames:
        return []
    names = {"null_mean": "chance: mean", "null_p5": "5 %", "null_p95": "95 %"}
    table = pd.concat(frames).rename(columns={**names, "statistic": "mean of"})
    return [
        frame_table(
            table.set_index(["null", "mean of"]).rename_axis(
                ["second system exchanged", "mean of"]
            ),
            "coupling_null",
            {"en": "What chance alone would give", "zh": "置换检验"},
            [
                "Percentile: of the observed mean among 999 draws. Within years: the second "
                "system's scores are dealt out anew among the entities of each year. Years "
                "shifted: its years are moved round by a random number within each entity, which "
                "breaks the pairing in time but, with trending scores, also puts the last years "
                "beside the first; of one entity there are only as many shifts as years.",
            ],
            {"percentile": ".1f"},
        )
    ]


def uncertainty_tables(study: Study, results: dict[str, pd.DataFrame]) -> list[Table]:
    """Tables of the ensemble, the bootstrap and the weights; none without an ensemble."""
    if "uncertainty/rows" not in results:
        return []
    tables = [_entities(study, results), _levels(results)]
    if len(results["uncertainty/entities"]):
        tables.insert(0, _regions(study, results["uncertainty/regions"]))
    tables.append(_sobol(results["uncertainty/sobol"]))
    if len(results["uncertainty/bootstrap"]):
        tables.append(_bootstrap(study, results["uncertainty/bootstrap"]))
    if len(results["uncertainty/agreement"]):
        tables.append(_agreement(study, results["uncertainty/agreement"]))
    return tables


def uncertainty_figures(
    study: Study, results: dict[str, pd.DataFrame]
) -> Iterator[tuple[str, Figure]]:
    """Name and figure; none without an ensemble."""
    if "uncertainty/rows" not in results:
        return
    yield "uncertainty_regions", degrees_with_bands(results["uncertainty/regions"])
    if len(results["uncertainty/entities"]):
        yield "uncertainty_ranks", rank_bands(results["uncertainty/entities"])
    yield "uncertainty_sobol", sobol_bars(results["uncertainty/sobol"])


def _quantity(study: Study, name: str) -> str:
    return f"{name}, {study.coupling.model}" if name in ("C", "D") else label(study, name)


def _regions(study: Study, regions: pd.DataFrame) -> Table:
    """Reported means with bands in the first and last year."""
    years = [regions["year"].min(), regions["year"].max()]
    names = {"reported": "{}", "p5": "{}: 5 %", "p95": "{}: 95 %"}
    blocks = []
    for year in years:
        block = regions[regions["year"] == year].set_index(["quantity", "region"])[list(names)]
        blocks.append(block.rename(columns={k: v.format(year) for k, v in names.items()}))
    order = [(q, r) for q in regions["quantity"].unique() for r in regions["region"].unique()]
    table = pd.concat(blocks, axis=1).reindex(order)
    table.index = pd.MultiIndex.from_tuples(
        [(_quantity(study, quantity), region) for quantity, region in order],
        names=["mean of", "region"],
    )
    return frame_table(
        table,
        "uncertainty_regions",
        {
            "en": "Scores, C and D by region, with bands of the ensemble",
            "zh": "各区域得分、耦合度与协调度及其不确定区间",
        },
        [
            "First column of a year: as reported; 5 and 95 %: of the draws. All years are in "
            "uncertainty/regions.csv. C of the draws mixes three coupling models.",
        ],
    )


def _entities(study: Study, results: dict[str, pd.DataFrame]) -> Table:
    """D with its band and the chance of its level: the last year, or all years of one entity."""
    rows, ranks = results["uncertainty/rows"], results["uncertainty/entities"]
    names = {"baseline": "D", "median": "median", "p5": "5 %", "p95": "95 %"}
    table = rows[list(names)].rename(columns=names)
    table["level of D"] = [LEVELS.labels[k - 1] for k in rows["level"]]
    table["P(level)"] = rows["same_level"]
    specs = {"P(level)": ".0%"}
    notes = [
        f"D: as reported, {study.coupling.model} model; median, 5 and 95 %: of the draws. "
        "P(level): share of draws in the level of the reported D.",
    ]
    if not len(ranks):
        title = {"en": "D by year with the ensemble's band", "zh": "历年协调度及其不确定区间"}
        return frame_table(table.droplevel("entity"), "uncertainty_years", title, notes, specs)
    year = rows.index.get_level_values("year").max()
    ranks = ranks.set_index("entity")
    columns = {"baseline": "rank", "p5": "rank 5 %", "p95": "rank 95 %"}
    table = table.xs(year, level="year").join(ranks[list(columns)].rename(columns=columns))
    specs |= dict.fromkeys(columns.values(), ".0f")
    notes.append("Ranks are by the mean D over all years, 1 the highest.")
    title = {"en": f"D in {year} with the ensemble's band", "zh": f"{year}年协调度及其不确定区间"}
    table = table.sort_values("D", ascending=False)
    return frame_table(table, "uncertainty_entities", title, notes, specs)


def _levels(results: dict[str, pd.DataFrame]) -> Table:
    """Share of draws in each level by year, averaged over entities."""
    rows = results["uncertainty/rows"]
    columns = {f"level_{k}": name for k, name in enumerate(LEVELS.labels, start=1)}
    shares = rows[list(columns)].groupby(level="year").mean()
    shares = shares.loc[:, shares.max() > 0].rename(columns=columns)
    shares["in the reported level"] = rows["same_level"].groupby(level="year").mean()
    return frame_table(
        shares,
        "uncertainty_levels",
        {"en": "Probability of each level of D by year", "zh": "各协调等级的历年概率"},
        ["Shares of draws, averaged over the entities of the year."],
        dict.fromkeys(shares.columns, ".0%"),
    )


def _sobol(sobol: pd.DataFrame) -> Table:
    wide = sobol.pivot(index="factor", columns="output", values=["first", "total"])
    columns = [(k, o) for o in OUTPUTS if o in set(sobol["output"]) for k in ("first", "total")]
    table = wide[columns].loc[list(FACTORS)].rename(index=FACTORS)
    table.columns = [f"{OUTPUTS[output]}: {kind}" for kind, output in columns]
    return frame_table(
        table.rename_axis("factor"),
        "uncertainty_sobol",
        {"en": "What the spread of D comes from: Sobol indices", "zh": "Sobol敏感性指数"},
        [
            "First: share of the variance that the factor explains alone; total: with its "
            "interactions. Each D and ranks: every one's indices weighed with its variance. "
            "Estimates of small indices may come out slightly below 0.",
        ],
    )


def _bootstrap(study: Study, bootstrap: pd.DataFrame) -> Table:
    names = {"trend_C": "trend of C, a year", "trend_D": "trend of D, a year"}
    table = bootstrap.drop(columns="draws").rename(columns={"std_error": "s.e."})
    table["statistic"] = table["statistic"].replace(names).str.replace("_", " ")
    table = table.rename(columns={"conf_low": "95 % from", "conf_high": "to"})
    return frame_table(
        table.set_index("statistic"),
        "uncertainty_bootstrap",
        {"en": "Sampling error of C and D", "zh": "自助法标准误"},
        [
            f"{bootstrap['draws'].min():.0f} samples of whole entities with replacement; goalposts "
            f"and {study.coupling.weights} weights are fitted anew in each. Bias: mean of the "
            "samples less the estimate; samples lack some of the extremes, so their D is higher.",
        ],
        dict.fromkeys(table.columns.drop("statistic"), ".4f"),
    )


def _agreement(study: Study, agreement: pd.DataFrame) -> Table:
    table = agreement.copy()
    for column in ("system", "largest_indicator"):
        table[column] = table[column].map(lambda name: label(study, name))
    names = {"largest": "largest weight", "largest_indicator": "of"}
    return frame_table(
        table.rename(columns=names).set_index(["system", "method"]),
        "uncertainty_weights",
        {"en": "Rank correlation of the weighting methods", "zh": "赋权方法的秩相关"},
        [
            "Spearman, over the indicators of a system: with few indicators only its sign says "
            "much. A method that gives all indicators the same weight has no ranks.",
            "game and multiplicative combine the entropy and CRITIC weights; pca: principal "
            "components.",
        ],
        {c: ".2f" for c in agreement if c not in ("system", "method", "largest_indicator", *names)},
    )


@styled
def degrees_with_bands(regions: pd.DataFrame) -> Figure:
    """Mean D by region and year as reported, with the bands of the ensemble and of chance.

    Parameters
    ----------
    regions : DataFrame
        Columns region, year, quantity, reported, median, p5, p95, chance_p5, chance_p95; rows of D
        are drawn, a panel a region.

    Notes
    -----
    A year without a value leaves lines and bands open.
    """
    columns = ["region", "year", "quantity", "reported", "median", "p5", "p95"]
    require(regions, [*columns, "chance_p5", "chance_p95"], "degrees_with_bands")
    d = regions[regions["quantity"] == "D"]
    names = list(d["region"].unique())
    across = min(3, len(names))
    down = -(-len(names) // across)
    figure = new_figure(WIDTH, 0.6 + (2.4 if len(names) == 1 else 1.9 * down))
    panels = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False)
    first, last = int(d["year"].min()), int(d["year"].max())
    for ax in panels.flat[len(names) :]:
        ax.remove()
    for ax, name in zip(panels.flat, names, strict=False):
        mine = d[d["region"] == name].set_index("year").reindex(range(first, last + 1))
        years = mine.index
        ax.fill_between(years, mine["p5"], mine["p95"], color=PALETTE[2], alpha=0.3, lw=0)
        ax.fill_between(
            years, mine["chance_p5"], mine["chance_p95"], facecolor="none", edgecolor=GREY,
            hatch="//////", lw=0.5,
        )  # fmt: skip
        ax.plot(years, mine["median"], color=PALETTE[2], ls="--")
        ax.plot(years, mine["reported"], color=PALETTE[0], marker="o", ms=2.5)
        ax.set(ylim=(0, 1), title="" if len(names) == 1 else name)
        ax.tick_params(labelbottom=True)
        year_axis(ax, first, last, ticks=10 if len(names) == 1 else 4)
    figure.supylabel("mean coordination degree D")
    handles = [
        Line2D([], [], color=PALETTE[0], marker="o", ms=2.5, label="as reported"),
        Line2D([], [], color=PALETTE[2], ls="--", label="ensemble: median"),
        Patch(color=PALETTE[2], alpha=0.3, lw=0, label="ensemble: 5 to 95 %"),
        Patch(fc="none", ec=GREY, hatch="//////", lw=0.5, label="chance: 5 to 95 %"),
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=4)
    return figure


@styled
def rank_bands(entities: pd.DataFrame) -> Figure:
    """Rank of each entity as reported and its 5 to 95 % band over the draws, best on top.

    Parameters
    ----------
    entities : DataFrame
        Columns entity, baseline, median, p5, p95 (ranks, 1 the highest).
    """
    require(entities, ["entity", "baseline", "median", "p5", "p95"], "rank_bands")
    rows = entities.sort_values(["baseline", "entity"])
    figure = new_figure(WIDTH, 0.8 + 0.155 * len(rows))
    ax = figure.subplots()
    place = np.arange(len(rows))
    ax.hlines(place, rows["p5"], rows["p95"], color=PALETTE[2], lw=4, alpha=0.45)
    ax.plot(rows["median"], place, ls="", marker="|", color=INK, ms=6)
    ax.plot(rows["baseline"], place, ls="", marker="o", color=PALETTE[0], ms=3.5)
    ax.set_yticks(place, rows["entity"])
    ax.set(ylim=(len(rows) - 0.4, -0.6), xlim=(0.3, len(rows) + 0.7))
    ax.set_xlabel("rank by mean D, 1 the highest")
    ax.xaxis.set_major_locator(MaxNLocator(10, integer=True, steps=[1, 2, 5, 10]))
    ax.tick_params(axis="y", length=0)
    ax.grid(True, axis="x")
    handles = [
        Line2D([], [], ls="", marker="o", color=PALETTE[0], ms=3.5, label="as reported"),
        Line2D([], [], ls="", marker="|", color=INK, ms=6, label="median of the draws"),
        Line2D([], [], color=PALETTE[2], lw=4, alpha=0.45, label="5 to 95 % of the draws"),
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=3)
    return figure


@styled
def sobol_bars(sobol: pd.DataFrame) -> Figure:
    """First-order and total Sobol indices of the factors, a panel an output.

    Parameters
    ----------
    sobol : DataFrame
        Columns output, factor, first, total.
    """
    require(sobol, ["output", "factor", "first", "total"], "sobol_bars")
    outputs = [name for name in OUTPUTS if name in set(sobol["output"])]
    figure = new_figure(WIDTH, 2.2)
    panels = figure.subplots(1, len(outputs), sharex=True, sharey=True, squeeze=False)[0]
    place = np.arange(len(FACTORS))
    for ax, output in zip(panels, outputs, strict=True):
        rows = sobol[sobol["output"] == output].set_index("factor").loc[list(FACTORS)]
        ax.barh(place - 0.2, rows["first"], height=0.38, color=PALETTE[0], label="alone (first)")
        ax.barh(
            place + 0.2, rows["total"], height=0.38, color=PALETTE[2],
            label="with interactions (total)",
        )  # fmt: skip
        ax.set_title(f"variance of\n{OUTPUTS[output]}")
        ax.set_yticks(place, list(FACTORS.values()))
        ax.set(ylim=(len(FACTORS) - 0.5, -0.5), xlim=(min(0, sobol["first"].min()), 1))
        ax.tick_params(axis="y", length=0)
        ax.grid(False, axis="y")
        ax.grid(True, axis="x")
    figure.supxlabel("share of the variance")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper left", ncols=2)
    return figure
