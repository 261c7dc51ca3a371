"""How the coordination degree is spread and moves: tables and figures of the report."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from tandem.indices import STAGES, classify
from tandem.report.figure_style import (
    FILLS,
    GREY,
    INK,
    PALETTE,
    WIDTH,
    new_figure,
    require,
    styled,
    year_axis,
)
from tandem.report.store import degree, label
from tandem.report.tables import Table, frame_table
from tandem.report.tile_map import quadrant_map
from tandem.study import Study

TOP = 5  # indicators listed as obstacles
PARTS = {"within": "within regions", "between": "between regions", "transvariation": "overlap"}


def dynamics_tables(study: Study, results: dict[str, pd.DataFrame]) -> list[Table]:
    """Tables of what the study's dynamics hold; none if it asks for no dynamics."""
    found = _found(results)
    if not found:
        return []
    makers = [
        (("sigma",), lambda: _spread(found)),
        (("beta",), lambda: _beta(found["beta"])),
        (("transitions",), lambda: _transitions(study, found["transitions"])),
        (("long_run",), lambda: _long_run(found["long_run"])),
        (("homogeneity",), lambda: _homogeneity(found["homogeneity"])),
        (("mobility",), lambda: _mobility(found["mobility"])),
        (("obstacles",), lambda: _obstacles(study, found["obstacles"])),
        (("angles",), lambda: _angles(found["angles"])),
        (("grey", "grey_pairs"), lambda: _grey(study, found)),
        (("forecasts", "forecast_accuracy"), lambda: _forecast(found)),
        (("research_stock",), lambda: _research(study, found["research_stock"])),
        (("fields",), lambda: _fields(found["fields"])),
        (("not_carried",), lambda: _not_carried(found["not_carried"])),
    ]
    tables = [_stages(study, results["indices/coupling"][degree(study)])]
    for needs, make in makers:
        if all(len(found.get(name, ())) for name in needs):
            made = make()
            tables += made if isinstance(made, list) else [made]
    return tables


def dynamics_figures(
    study: Study, results: dict[str, pd.DataFrame]
) -> Iterator[tuple[str, Figure]]:
    """Name and figure; none if the study asks for no dynamics or carries none of them."""
    found = _found(results)
    if "density" in found:
        yield "dynamics_ridgelines", ridgelines(found["density"])
    if "inequality" in found:
        yield "dynamics_gini", gini_parts(found["inequality"])
    if "local_moran" in found and study.panel.scope == "provinces":
        local = found["local_moran"]
        last = local.index.get_level_values("year").max()
        yield "dynamics_moran", quadrant_map(local.xs(last, level="year"), str(last))


def _found(results: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    return {k.removeprefix("dynamics/"): v for k, v in results.items() if k.startswith("dynamics/")}


def _stages(study: Study, values: pd.Series) -> Table:
    """Entities in each stage by year; of one entity, the years in each stage."""
    cuts = study.dynamics.stages
    stage = classify(values.dropna(), cuts, STAGES.labels)
    if stage.index.unique("entity").size == 1:
        years = stage.index.get_level_values("year").astype(str)
        told = {name: ", ".join(years[stage == name]) or "none" for name in STAGES.labels}
        table = pd.DataFrame({"years": told}).rename_axis("stage")
    else:
        counts = stage.groupby(level="year").value_counts().unstack(fill_value=0)
        table = counts.reindex(columns=list(STAGES.labels), fill_value=0).astype(int)
    return frame_table(
        table,
        "dynamics_stages",
        {"en": "Stages of coordination, budding to mature", "zh": "协调阶段：萌芽至成熟"},
        [
            f"Stages of D: budding up to {cuts[0]}, growth up to {cuts[1]}, running-in "
            f"up to {cuts[2]}, mature above. Pooled goalposts make trending scores, and with them "
            "the stages, rise.",
        ],
    )


def _spread(found: dict[str, pd.DataFrame]) -> Table:
    """One row a year: dispersion, Gini with its parts, Theil, Moran."""
    sigma = found["sigma"].set_index("year")
    table = sigma[["mean", "std", "cv"]].rename(columns={"std": "s.d.", "cv": "CV"})
    notes = ["CV: standard deviation over mean."]
    specs = {}
    if "inequality" in found:
        wide = found["inequality"].pivot(index="year", columns=["measure", "part"], values="value")
        gini, theil = wide["gini"], wide["theil"]
        table["Gini"] = gini["total"]
        for part, name in PARTS.items():
            table[name] = gini[part] / gini["total"]
            specs[name] = ".0%"
        table["Theil"] = theil["total"]
        table["Theil between"] = theil["between"] / theil["total"]
        specs |= {"Theil": ".4f", "Theil between": ".0%"}
        notes.append(
            "Gini after Dagum (1997): its parts within and between regions, and the overlap of "
            "regions (intensity of transvariation), as shares of the total."
        )
    if "moran" in found:
        moran = found["moran"].set_index("year")
        table["Moran's I"], table["p"] = moran["statistic"], moran["p_permutation"]
        specs["p"] = "p"
        notes.append(
            "p of Moran's I: share of permutations of the entities that give as much; "
            f"{moran['expected'].iloc[0]:.3f} is expected without any pattern."
        )
    title = {"en": "Spread of D over entities", "zh": "协调度的区域差异"}
    return frame_table(table, "dynamics_spread", title, notes, specs)


def _beta(beta: pd.DataFrame) -> Table:
    names = {
        "std_error": "s.e.", "p_value": "p", "conf_low": "95 % from", "conf_high": "to",
        "speed": "speed a year", "half_life": "half-life, years", "n_obs": "N",
    }  # fmt: skip
    return frame_table(
        beta.rename(columns=names).set_index("model"),
        "dynamics_beta",
        {"en": "Beta convergence of D", "zh": "协调度的β收敛"},
        [
            "Growth of log D on its level a year before; standard errors clustered by entity. "
            "Below 0: the low grow faster. With entity effects and few years the coefficient is "
            "biased downwards (Nickell 1981), so its half-life is a lower bound.",
        ],
        {"p": "p", "half-life, years": ".1f"},
    )


def _transitions(study: Study, transitions: pd.DataFrame) -> list[Table]:
    """Matrices of the yearly moves, and the quarters' by the state of the neighbours."""
    own = transitions[transitions["given"].fillna("") == ""]
    near = transitions[transitions["given"].fillna("") != ""]
    titles = {
        "stages": {"en": "Yearly moves between stages of D", "zh": "协调阶段的转移概率"},
        "quarters": {"en": "Yearly moves between quarters of D", "zh": "协调度四分位的转移概率"},
    }
    note = "Share of the moves from a row's state; moves: how many start there."
    tables = [
        _matrix(own[own["states"] == states], f"dynamics_moves_{states}", titles[states], [note])
        for states in titles
        if (own["states"] == states).any()
    ]
    if (near["states"] == "quarters").any():
        tables.append(
            _matrix(
                near[near["states"] == "quarters"],
                "dynamics_moves_neighbours",
                {"en": "Moves between quarters by the neighbours' D", "zh": "空间马尔可夫转移概率"},
                [f"{note} Neighbours: quarter of the mean D of the adjacent entities."],
            )
        )
    return tables


def _matrix(moves: pd.DataFrame, name: str, title: dict, notes: list[str]) -> Table:
    keys = ["given", "from"] if moves["given"].fillna("").ne("").any() else ["from"]
    states = list(dict.fromkeys(moves["from"]))
    wide = moves.pivot(index=keys, columns="to", values="probability")[states]
    counts = moves.groupby(keys)["moves"].sum()
    order = list(dict.fromkeys(moves.set_index(keys).index))
    table = wide.reindex(order)
    table.insert(0, "moves", counts.reindex(order))
    table = table.rename_axis(columns=None, index=["neighbours", "from"][-len(keys) :])
    notes = [*notes, *(["A dash: no move starts there."] if (counts == 0).any() else [])]
    return frame_table(table, name, title, notes, dict.fromkeys(states, ".2f"))


def _long_run(long_run: pd.DataFrame) -> Table:
    """Mean first-passage times between quarters, with the ergodic shares below."""
    rows = long_run[long_run["states"] == "quarters"]
    rows = rows if len(rows) else long_run
    states = list(dict.fromkeys(rows["from"]))
    years = rows.pivot(index="from", columns="to", values="years").loc[states, states]
    shares = rows.drop_duplicates("to").set_index("to")["share"]
    table = years.replace(np.inf, np.nan).map(lambda v: "never" if np.isnan(v) else f"{v:.1f}")
    table.loc["share in the long run"] = [f"{shares[s]:.2f}" for s in states]
    return frame_table(
        table.rename_axis(index="from", columns=None),
        "dynamics_long_run",
        {"en": "Years until an entity first reaches a quarter", "zh": "平均首达时间与遍历分布"},
        [
            "Mean first-passage times if the moves above went on for ever; on the diagonal the "
            "years until it comes back. Never: an entity may end up where no observed move leads "
            "there.",
        ],
    )


def _homogeneity(homogeneity: pd.DataFrame) -> Table:
    names = {
        "pearson": "Pearson", "p_pearson": "p", "likelihood_ratio": "likelihood ratio",
        "p_likelihood_ratio": "p of it",
    }  # fmt: skip
    table = homogeneity.rename(columns=names).set_index(["states", "across"])
    return frame_table(
        table[["Pearson", "p", "likelihood ratio", "p of it", "df"]],
        "dynamics_homogeneity",
        {"en": "Are the moves alike over years and neighbours?", "zh": "转移概率的同质性检验"},
        [
            "Chi-square tests that the probabilities are the same in every year, and whatever the "
            "neighbours' state (Bickenbach and Bode 2003). They take moves as independent; an "
            "entity's are not, and many cells hold few moves.",
        ],
        {"Pearson": ".1f", "likelihood ratio": ".1f", "p": "p", "p of it": "p"},
    )


def _mobility(mobility: pd.DataFrame) -> Table:
    table = mobility.assign(shift=[f"{shift:+.2f}" for shift in mobility["shift"]])
    return frame_table(
        table.rename(columns={"p_value": "p"}).set_index("shift"),
        "dynamics_mobility",
        {"en": "Moves up and down with other cut-offs", "zh": "阶段升降的敏感性"},
        ["Shares of all moves between stages when every cut-off is shifted; p: exact sign test."],
        {"up": ".1%", "stay": ".1%", "down": ".1%", "p": "p"},
    )


def _obstacles(study: Study, obstacles: pd.DataFrame) -> Table:
    """The indicators that keep the scores furthest from 1, in the first and last year."""
    mean = obstacles.groupby(["year", "system", "indicator"])["share"].mean().unstack("year")
    first, last = mean.columns.min(), mean.columns.max()
    top = mean.sort_values(last, ascending=False).head(TOP)[[first, last]]
    top.index = pd.MultiIndex.from_tuples(
        [(label(study, indicator), label(study, system)) for system, indicator in top.index],
        names=["indicator", "system"],
    )
    top.columns = [str(year) for year in top.columns]
    return frame_table(
        top,
        "dynamics_obstacles",
        {"en": f"The {len(top)} greatest obstacles", "zh": "主要障碍因子"},
        [
            "Share of an indicator in what the weighted scores lack to 1, mean over entities. It "
            "grows with the indicator's weight, so it is no finding about causes.",
        ],
        dict.fromkeys(top.columns, ".1%"),
    )


def _angles(angles: pd.DataFrame) -> Table:
    """Stages of the coupling angle in the last year, by degree of the fitted polynomial."""
    last = angles.index.get_level_values("year").max()
    rows = angles.xs(last, level="year")
    counts = rows.groupby(["stage", "degree"])["settled"].agg(["size", "sum"]).unstack(fill_value=0)
    table = pd.DataFrame(
        {
            f"polynomial of degree {d}{text}": counts[key, d]
            for d in sorted(rows["degree"].unique())
            for key, text in (("size", ""), ("sum", ", settled"))
        }
    )
    return frame_table(
        table.astype(int),
        "dynamics_angles",
        {"en": f"Dynamic coupling in {last}", "zh": f"{last}年动态耦合阶段"},
        [
            "Entities by stage of the angle between the two scores' speeds, from polynomials "
            "fitted to each score over the years. Settled: the whole band of the angle, from "
            "resampled residuals, lies in that stage.",
        ],
    )


def _grey(study: Study, found: dict[str, pd.DataFrame]) -> list[Table]:
    pairs = found["grey_pairs"].pivot(index="first", columns="second", values="gamma")
    names = (
        dict.fromkeys(found["grey_pairs"]["first"]),
        dict.fromkeys(found["grey_pairs"]["second"]),
    )
    pairs = pairs.loc[list(names[0]), list(names[1])]
    pairs = pairs.rename(index=lambda n: label(study, n), columns=lambda n: label(study, n))
    return [
        frame_table(
            found["grey"].set_index("year"),
            "dynamics_grey",
            {"en": "Grey relational coupling by year", "zh": "灰色关联耦合度"},
            [
                "Of the entities' mean indicators. It is relative to the largest distance in the "
                "table, cannot fall below a third where two indicators ever meet, and averages "
                "0.64 for indicators drawn at random from 0 to 1: it orders, it does not test.",
            ],
        ),
        frame_table(
            pairs.rename_axis(index=study_pair(study), columns=None),
            "dynamics_grey_pairs",
            {"en": "Grey relational grade of the indicators", "zh": "指标间灰色关联度"},
            ["Rows and columns: indicators of the two systems."],
        ),
    ]


def study_pair(study: Study) -> str:
    """The two systems, first over the rows and second over the columns of a matrix."""
    return " / ".join(label(study, name) for name in study.systems)


def _forecast(found: dict[str, pd.DataFrame]) -> Table:
    accuracy = found["forecast_accuracy"].set_index("model")
    ahead = found["forecasts"].pivot(index="model", columns="year", values="value")
    table = accuracy[["mae", "rmse", "relative"]].join(ahead.rename(columns=str))
    table = table.rename(columns={"mae": "MAE", "rmse": "RMSE", "relative": "MAE over naive"})
    names = {"gm11": "GM(1,1)", "naive": "naive", "drift": "drift", "trend": "linear trend"}
    grade = found["grey_model"].iloc[0]
    return frame_table(
        table.rename(index=names),
        "dynamics_forecast",
        {"en": "Forecasts of the mean D", "zh": "平均协调度预测"},
        [
            f"Errors one year ahead, each from the years before it alone ({accuracy['n'].min()} "
            f"forecasts). The usual checks of GM(1,1) within the sample call it "
            f"{grade['grade']} (C = {grade['c']:.3f}, p = {grade['p']:.2f}), which says nothing "
            "of forecasts.",
        ],
        {"MAE": ".4f", "RMSE": ".4f", "MAE over naive": ".2f"},
    )


def _research(study: Study, stock: pd.DataFrame) -> Table:
    """Sums over regions in the first and last year."""
    of = {e: g for g, members in study.panel.groups.items() for e in members}
    first, last = (getattr(stock.index.get_level_values("year"), f)() for f in ("min", "max"))
    names = {"investment": "R&D", "stock": "stock", "stock_lagged": "stock, lagged"}
    sums = stock.groupby([lambda i: of.get(i[0], i[0]), "year"], sort=False).sum(min_count=1)
    blocks = [
        sums.xs(year, level="year")[list(names)].rename(columns=lambda c, y=year: f"{names[c]} {y}")
        for year in (first, last)
    ]
    order = [*study.panel.groups, *sums.index.unique(0)]
    table = pd.concat(blocks, axis=1).reindex(dict.fromkeys(order)).dropna(how="all")
    table = table.rename_axis("region")
    table.loc["all"] = table.sum()
    research = study.dynamics.research
    return frame_table(
        table,
        "dynamics_research_stock",
        {"en": "R&D stock by perpetual inventory", "zh": "研发资本存量（永续盘存法）"},
        [
            f"In {research.unit}; {research.formula}. Depreciation {research.depreciation:.0%} a "
            "year, first stock from the growth of R&D over the years shown. Lagged: R&D counts "
            "from the next year. The first years rest on the first stock, which is assumed.",
        ],
        dict.fromkeys(table.columns, ",.0f"),
    )


def _fields(fields: pd.DataFrame) -> Table:
    return frame_table(
        fields.set_index("kind"),
        "dynamics_fields",
        {"en": "Enterprises over fields, the paper's Table II", "zh": "企业在各领域的分布"},
        [
            "Environmental protection enterprises of 2017 as printed. Share: of all enterprises; "
            "entropy in nats; evenness: over its maximum; Herfindahl: sum of squared shares. One "
            "year alone shows no upgrading.",
        ],
        {"share": ".1%"},
    )


def _not_carried(left_out: pd.DataFrame) -> Table:
    parts = left_out.groupby("why", sort=False)["part"].agg("; ".join).reset_index()
    return frame_table(
        parts.set_index("part")[["why"]],
        "dynamics_not_carried",
        {"en": "What the figures at hand cannot carry", "zh": "数据无法支持的分析"},
        [],
    )


@styled
def ridgelines(density: pd.DataFrame) -> Figure:
    """Kernel density of D by year, one above the other, the latest in front.

    Parameters
    ----------
    density : DataFrame
        Columns year, score (0 to 1), density.
    """
    require(density, ["year", "score", "density"], "ridgelines")
    years = sorted(density["year"].unique())
    step = density["density"].max() / 2.2
    figure = new_figure(WIDTH, 0.9 + 0.28 * len(years))
    ax = figure.subplots()
    for place, year in enumerate(years):
        mine = density[density["year"] == year]
        base = -place * step
        order = 2 + place
        last = place == len(years) - 1
        colour = PALETTE[0] if last else PALETTE[2]
        ax.fill_between(mine["score"], base, base + mine["density"], color="white", zorder=order)
        ax.fill_between(
            mine["score"], base, base + mine["density"], color=colour, alpha=0.35, lw=0,
            zorder=order,
        )  # fmt: skip
        ax.plot(mine["score"], base + mine["density"], color=colour, lw=1, zorder=order)
    ax.set_yticks([-k * step for k in range(len(years))], [str(y) for y in years])
    ax.set(xlim=(0, 1), xlabel="coordination degree D")
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.grid(False)
    ax.grid(True, axis="x")
    return figure


@styled
def gini_parts(inequality: pd.DataFrame) -> Figure:
    """Dagum's parts of the Gini over years, stacked; they add to the total.

    Parameters
    ----------
    inequality : DataFrame
        Columns year, measure, part, value; rows of the measure gini are drawn.
    """
    require(inequality, ["year", "measure", "part", "value"], "gini_parts")
    gini = inequality[inequality["measure"] == "gini"]
    wide = gini.pivot(index="year", columns="part", values="value")
    figure = new_figure(WIDTH, 2.6)
    ax = figure.subplots()
    bottom = np.zeros(len(wide))
    for (part, name), colour in zip(PARTS.items(), FILLS, strict=False):
        ax.bar(wide.index, wide[part], bottom=bottom, color=colour, width=0.7, label=name)
        bottom += wide[part].to_numpy()
    ax.plot(wide.index, wide["total"], ls="", marker="_", color=INK, ms=9, label="total")
    for year, total in wide["total"].items():
        ax.text(year, total, f"{total:.3f}", ha="center", va="bottom", fontsize=6.5, color=GREY)
    year_axis(ax, int(wide.index.min()), int(wide.index.max()))
    ax.set(ylabel="Gini of D", ylim=(0, wide["total"].max() * 1.15))
    figure.legend(loc="outside upper left", ncols=4)
    return figure
