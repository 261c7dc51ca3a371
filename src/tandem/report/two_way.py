"""Both directions side by side: every method, every region, every specification."""

from collections.abc import Iterator
from functools import partial

import pandas as pd
from matplotlib.figure import Figure

from tandem.analysis.two_way import directions
from tandem.report import figures as draw
from tandem.report.figures_curve import specification_curve
from tandem.report.store import label
from tandem.report.tables import Table, frame_table
from tandem.study import Study

ROOM = "estimates/verdict/"
UNIT = "standard deviations (within entities and years) per one of the cause"
WHAT = (
    "Standard deviations of the effect for one of the cause a year before, both within entities "
    "and years; 95 % intervals"
)
SERIES_UNIT = "standard deviations per one of the cause"
SERIES_WHAT = (
    "Standard deviations of the effect for one of the cause a year before, of what the VAR is "
    "fitted to; 95 % intervals"
)
CHOICES = {
    "estimator": "estimator",
    "measure": "weights",
    "window": "years",
    "controls": "controls",
    "lags": "lags",
    "own_lags": "own lags",
    "effects": "effects",
    "transform": "transformation",
    "instrument_lags": "instruments",
    "collapse": "collapsed",
    "steps": "steps",
}


def two_way_tables(study: Study, results: dict[str, pd.DataFrame]) -> list[Table]:
    """Tables of the verdict step; none if the study does not ask for it."""
    found = _found(results)
    makers = {
        "methods": _methods if study.models.regressions else partial(_series_methods, study),
        "regions": _regions,
        "curve_summary": _curve,
        "not_carried": _not_carried,
    }
    return [make(found[name]) for name, make in makers.items() if len(found.get(name, ()))]


def two_way_figures(study: Study, results: dict[str, pd.DataFrame]) -> Iterator[tuple[str, Figure]]:
    """Name and figure: all methods and regions, responses by two methods, curves."""
    found = _found(results)
    if "methods" not in found:
        return
    rows = [found["methods"]]
    if "regions" in found:
        rows.append(found["regions"].assign(model=lambda d: "Region: " + d["region"]))
    unit = UNIT if study.models.regressions else SERIES_UNIT
    yield "two_way", draw.two_way_forest(pd.concat(rows), unit)
    if "responses" in found and "estimates/panel_var/irf" in results:
        yield "two_way_responses", _responses(study, found, results["estimates/panel_var/irf"])
    for cause, effect in directions(study):
        if "curve" not in found:
            return
        mine = {
            k: found[k][found[k]["direction"] == f"{cause} → {effect}"]
            for k in ("curve", "curve_permuted")
        }
        title = f"{label(study, cause)} → {label(study, effect)}"
        yield (
            f"two_way_curve_{effect}",
            specification_curve(mine["curve"], mine["curve_permuted"], CHOICES, title),
        )


def _found(results: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    return {k.removeprefix(ROOM): v for k, v in results.items() if k.startswith(ROOM)}


def _methods(frame: pd.DataFrame) -> Table:
    names = {"p_value": "p", "holm_p": "Holm p", "romano_wolf_p": "Romano-Wolf p"}
    shown = frame.set_index(["direction", "model"]).rename(columns=names)
    return frame_table(
        shown,
        "two_way",
        {"en": "The two-way link by all methods", "zh": "双向关系：全部方法"},
        [
            f"{WHAT}. Holm: over all rows of both directions. Romano-Wolf: over the models that "
            "whole resampled entities can be fitted to at once, from the joint distribution of "
            "their studentised estimates. Dumitrescu and Hurlin's test has a p-value and no single "
            "estimate; it takes no year effects out. The errors of the jackknife of causality are "
            "those of resampled entities. Models that leave out a system's own past answer another "
            "question than those that hold it."
        ],
        {name: "p" for name in names.values()},
    )


def _series_methods(study: Study, frame: pd.DataFrame) -> Table:
    names = {"p_value": "p", "holm_p": "Holm p", "romano_wolf_p": "Romano-Wolf p"}
    told = "; ".join(label(study, v) for v in study.models.var.variables)
    return frame_table(
        frame.set_index(["direction", "model"]).rename(columns=names),
        "two_way",
        {"en": "The two-way link by all methods", "zh": "双向关系：全部方法"},
        [
            f"{SERIES_WHAT}. Series: {told}. Of several lags the sum; its p is that of all lags.",
            "VAR, Toda-Yamamoto and ARDL: effect of the cause's change or level a year before; "
            "bootstrap: intervals and p from resamples without the link, for few years. VECM, long "
            "run: through the gap to the common long run. Bounds (p if the series have unit roots) "
            "and cycles have no single estimate.",
            "Holm: over all rows of both directions. Romano-Wolf: over the regressions redrawn "
            "together from series that follow their own past alone.",
        ],
        {name: "p" for name in names.values()},
    )


def _regions(frame: pd.DataFrame) -> Table:
    names = {"p_value": "p", "wild_p": "wild p", "n_obs": "observations", "n_entities": "entities"}
    shown = frame.set_index(["direction", "region"]).rename(columns=names)
    return frame_table(
        shown.astype({"observations": int, "entities": int}),
        "two_way_regions",
        {"en": "The two-way link by region", "zh": "分地区的双向关系"},
        [
            f"The first two-way regression in each region. {WHAT}, the deviations of all entities "
            "taken for the scale. With so few clusters only the wild bootstrap p is to be used, "
            "and with fewer than about six not even that."
        ],
        {"p": "p", "wild p": "p"},
    )


def _curve(frame: pd.DataFrame) -> Table:
    names = {
        "n_specifications": "specifications",
        "n_failed": "not estimable",
        "median": "median estimate",
        "p_median": "p of the median",
        "share_positive": "share positive",
        "p_share": "p of the share",
        "share_significant_positive": "share positive at 5 %",
        "share_significant_negative": "share negative at 5 %",
        "draws": "permutations",
    }
    wide = frame.set_index("direction")[list(names)].T
    whole = ("n_specifications", "n_failed", "draws")
    shown = pd.DataFrame(
        {
            d: [f"{v:.0f}" if k in whole else f"{v:.3f}" for k, v in column.items()]
            for d, column in wide.items()
        },
        index=pd.Index(list(names.values()), name="statistic"),
    )
    return frame_table(
        shown,
        "two_way_curve",
        {"en": "All specifications together", "zh": "设定曲线"},
        [
            "Every combination of weights, years, controls, lags and estimator. p: the cause's "
            "paths are dealt out anew to the entities, which keeps each variable as it is and "
            "breaks only which belongs to which. Specifications are no independent evidence: they "
            "share their data. The coupling model is no choice here, since D enters no model."
        ],
    )


def _not_carried(frame: pd.DataFrame) -> Table:
    return frame_table(
        frame.set_index(["part", "direction"]),
        "two_way_not_carried",
        {"en": "What these years and entities cannot carry", "zh": "数据无法支持的方法"},
    )


def _responses(study: Study, found: dict, irf: pd.DataFrame) -> Figure:
    """The first order of the panel VAR, and local projections as far as they reach."""
    lp = found["responses"]
    order = irf["order"].iloc[0]
    reach = lp["horizon"].max()
    var = irf[(irf["order"] == order) & (irf["horizon"] <= reach)].assign(kind="panel VAR")
    mine = lp[lp["order"] == order].assign(kind="local projections, half-panel jackknife")
    columns = ["impulse", "response", "horizon", "estimate", "conf_low", "conf_high", "kind"]
    labels = {name: label(study, name) for name in study.systems}
    return draw.irf_grid(pd.concat([var[columns], mine[columns]], ignore_index=True), labels)
