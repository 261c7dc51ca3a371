"""What the two-way estimate rests on: tables and figures of the report."""

from collections.abc import Iterator

import pandas as pd
from matplotlib.figure import Figure

from tandem.report.figures_models import marginal_effect, threshold_lr, turning_curve
from tandem.report.store import label
from tandem.report.tables import Table, frame_table
from tandem.study import Study

ROOM = "estimates/robustness/"
P = {"p_value": "p"}
FIT = ["estimate", "std_error", "p_value", "conf_low", "conf_high"]
GROUPS = {
    "specification": "Effects, serial correlation, variances",
    "cross-section": "Dependence between entities",
    "slopes": "Equal slopes",
    "regions": "Equal effects in groups",
    "causality": "Granger causality in entities",
}


def robustness_tables(study: Study, results: dict[str, pd.DataFrame]) -> list[Table]:
    """Tables of what the study's robustness step holds; none if it asks for none."""
    found = _found(results)
    if not found:
        return []
    makers = {
        "describe": _describe,
        "correlations": _correlations,
        "inflation": _inflation,
        "unit_roots": _unit_roots,
        "tests": _tests,
        "alternatives": _alternatives,
        "instruments": _instruments,
        "gmm": _gmm,
        "threshold_tests": _threshold,
        "curvature": _curvature,
        "interaction": _interaction,
        "mediation": _mediation,
        "regions": _regions,
        "windows": _stability,
        "cointegration": _cointegration,
        "long_run": _long_run,
        "spatial": _spatial,
        "not_carried": _not_carried,
    }
    made = [make(study, found) for name, make in makers.items() if len(found.get(name, ()))]
    return [table for some in made for table in (some if isinstance(some, list) else [some])]


def robustness_figures(
    study: Study, results: dict[str, pd.DataFrame]
) -> Iterator[tuple[str, Figure]]:
    """Name and figure, one a direction: likelihood ratio of the threshold, effect, curve."""
    found = _found(results)
    for cause, effect in ((a, b) for a in study.systems for b in study.systems if a != b):
        mine = {
            k: v[v["direction"] == f"{cause} → {effect}"].drop(columns="direction")
            for k, v in found.items()
            if "direction" in v and len(v)
        }
        named = f"effect on\n{label(study, effect)}"
        spec = study.models.robustness
        if len(mine.get("threshold_lr", ())):
            values = mine["threshold_lr"], mine["thresholds"].set_index("threshold")
            critical = float(mine["threshold_critical"]["critical"].iloc[0])
            axis = _axis(study, spec.threshold)
            yield f"robustness_threshold_{effect}", threshold_lr(*values, critical, axis)
        if len(mine.get("marginal", ())):
            drawn = mine["marginal"], mine["moderator"]["value"]
            axis = _axis(study, spec.moderator)
            yield f"robustness_marginal_{effect}", marginal_effect(*drawn, named, axis)
        if len(mine.get("curve", ())):
            axes = f"{label(study, cause)} (t-1)", label(study, effect)
            yield f"robustness_curve_{effect}", turning_curve(mine["curve"], mine["turning"], *axes)


def _found(results: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    return {k.removeprefix(ROOM): v for k, v in results.items() if k.startswith(ROOM)}


def _axis(study: Study, name: str) -> str:
    return f"{study.series[name].label.en}\n({study.series[name].unit})"


def _term(study: Study, term: str) -> str:
    """A term in words: labels for names, (t-1) for the lag."""
    first, arrow, second = term.partition(" -> ")
    lagged = first.removeprefix("L1.")
    words = f"{label(study, lagged)}{' (t-1)' if lagged != first else ''}"
    return f"{words} → {label(study, second)}" if arrow else words


def _make(frame: pd.DataFrame, index: list[str], name: str, title: dict, notes=(), specs=None):
    known = {k: v for k, v in (specs or P).items() if k in frame}
    return frame_table(frame.set_index(index), f"robustness_{name}", title, notes, known or 3)


def _describe(study: Study, found: dict) -> Table:
    frame = found["describe"].assign(
        variable=lambda d: d["variable"].map(lambda v: label(study, v))
    )
    frame = frame.rename(columns={"sd_between": "sd between", "sd_within": "sd within"})
    counts = {"n_obs": int, "n_entities": int}
    return _make(
        frame.astype(counts).rename(columns={"n_obs": "values", "n_entities": "entities"}),
        ["variable"],
        "describe",
        {"en": "Scores and controls", "zh": "描述性统计"},
        ["Between: of the entities' means; within: of the deviations from them."],
    )


def _correlations(study: Study, found: dict) -> Table:
    frame = found["correlations"].copy()
    names = list(dict.fromkeys([*frame["first"], *frame["second"]]))
    square = frame.pivot(index="second", columns="first", values="r")
    square = square.reindex(index=names[1:], columns=names[:-1])
    numbers = {name: f"({i})" for i, name in enumerate(names, start=1)}
    square.index = [f"{numbers[n]} {label(study, n)}" for n in square.index]
    shown = square.rename(columns=numbers).rename_axis("variable").astype(object)
    shown = shown.map(lambda r: "" if pd.isna(r) else f"{r:.3f}")
    return frame_table(
        shown,
        "robustness_correlations",
        {"en": "Correlations", "zh": "相关系数"},
        [
            f"(1) is {label(study, names[0])}. Pooled over {frame['n_obs'].max()} entity-years; "
            "levels of trending variables correlate without any link between them."
        ],
    )


def _inflation(study: Study, found: dict) -> Table:
    frame = found["inflation"].assign(
        regressor=lambda d: d["regressor"].map(lambda t: _term(study, t))
    )
    wide = frame.pivot(index="regressor", columns="direction", values="vif")
    return frame_table(
        wide.reindex(frame["regressor"].unique()),
        "robustness_inflation",
        {"en": "Variance inflation factors", "zh": "方差膨胀因子"},
        ["Of the pooled regressors: 1 / (1 - R²) of each on the others."],
        2,
    )


def _unit_roots(study: Study, found: dict) -> Table:
    frame = found["unit_roots"].copy()
    frame["series"] = frame["series"].map(lambda n: label(study, n))
    wide = frame.set_index(["series", "test", "trend"])[["statistic", "p_value"]].unstack("trend")
    order = frame[["series", "test"]].drop_duplicates()
    trends = list(dict.fromkeys(frame["trend"]))
    wide = wide.reindex(pd.MultiIndex.from_frame(order))
    wide = wide[[(c, t) for t in trends for c in ("statistic", "p_value")]]
    wide.columns = [f"{'p, ' if c == 'p_value' else ''}{t}" for c, t in wide.columns]
    years = int(frame["years"].max())
    return frame_table(
        wide,
        "robustness_unit_roots",
        {"en": "Panel unit roots of the scores", "zh": "面板单位根检验"},
        [
            f"Logit of the scores, {years} years; lags by BIC, at most one; variance RSS/(n-k). "
            "Small p: stationary; Hadri's: a unit root. LLC with the published moments of 25 "
            "years rejects far too often in panels this short; ips-z takes the moments of tests "
            "without lags; CIPS, which allows for a common factor, a simulated p. With "
            f"{years} years no test tells a trend from a random walk.",
        ],
        {f"p, {t}": "p" for t in trends},
    )


def _tests(study: Study, found: dict) -> list[Table]:
    """Tests down, directions across: statistic and p."""
    tests = found["tests"].copy()
    tests["group"] = tests["group"].map(lambda g: GROUPS.get(g, g))
    space = tests["group"].str.startswith("space, ")
    made = []
    for mine, name, title, notes in (
        (
            tests[~space], "tests", {"en": "Tests of the model", "zh": "模型设定检验"},
            [
                "Effects, serial correlation and variances: of the within regression with "
                "controls. Slopes and dependence entity by entity: on the other system alone, as "
                "the years would not do for more. Both need many years; with few they are hints.",
                "Dumitrescu-Hurlin: T counts all years; ztilde is the one for few years.",
            ],
        ),
        (
            tests[space], "spatial_tests",
            {"en": "Tests of spatial dependence", "zh": "空间相关检验"},
            [
                "Two-way effects. LM tests of least squares, the robust ones allowing for the "
                "other kind (Anselin et al. 1996); likelihood ratios of the Durbin model.",
                *_weights_note(study),
            ],
        ),
    ):  # fmt: skip
        if mine.empty:
            continue
        mine = mine.assign(group=mine["group"].str.removeprefix("space, ").map(_weights(study)))
        key = ["group", "test"]
        wide = mine.set_index([*key, "direction"])[["statistic", "p_value"]].unstack("direction")
        order = mine[key].drop_duplicates()
        wide = wide.reindex(pd.MultiIndex.from_frame(order))
        directions = list(dict.fromkeys(mine["direction"]))
        wide = wide[[(c, d) for d in directions for c in ("statistic", "p_value")]]
        specs = {f"p, {d}": "p" for d in directions}
        wide.columns = [f"{'p, ' if c == 'p_value' else ''}{d}" for c, d in wide.columns]
        made.append(frame_table(wide, f"robustness_{name}", title, notes, specs))
    return made


def _weights(study: Study):
    """Name of a weight matrix in words; any other group stays as it is."""
    near = study.models.robustness.near
    return lambda name: label(study, near) if name == near else name


def _weights_note(study: Study) -> list[str]:
    near = study.models.robustness.near
    liked = f", nearness by mean {label(study, near)} (1 over the difference)" if near else ""
    return [
        "Weights, rows summing to 1: common borders (Hainan with Guangdong), border steps (1 over "
        f"their square){liked}; the last is itself an outcome of upgrading."
        if near
        else "Weights, rows summing to 1: common borders, border steps (1 over their square)."
    ]


def _alternatives(study: Study, found: dict) -> Table:
    return _make(
        found["alternatives"][["direction", "model", *FIT]],
        ["direction", "model"],
        "alternatives",
        {"en": "The two-way estimate by other means", "zh": "其他估计方法"},
        [
            "Coefficient of the other system a year before, two-way effects, controls, clustered "
            "by entity, t(G-1). Instruments: the other system two and three years before; they "
            "answer noise in the scores, not a common cause that lasts. GMM: normal distribution.",
        ],
    )


def _instruments(study: Study, found: dict) -> Table:
    wanted = {
        "n_obs": "Observations",
        "n_instruments": "Instruments",
        "kleibergen_paap_f": "Kleibergen-Paap F",
        "effective_f": "Effective F (Montiel Olea-Pflueger)",
        "effective_f_critical": "its 5 % critical value",
        "anderson_rubin_set": "Anderson-Rubin set, 95 %",
        "overidentification_p": "Hansen J, p",
        "endogeneity_p": "Exogeneity of the other system, p",
    }
    wide = found["instruments"].pivot(index="statistic", columns="direction", values="value")
    shown = wide.reindex([k for k in wanted if k in wide.index]).rename(wanted)

    def words(value):
        try:
            number = float(value)
        except (TypeError, ValueError):
            return "" if pd.isna(value) else str(value)
        return f"{number:.0f}" if number.is_integer() else f"{number:.3f}"

    return frame_table(
        shown.map(words)[list(dict.fromkeys(found["instruments"]["direction"]))],
        "robustness_instruments",
        {"en": "How strong the instruments are", "zh": "工具变量诊断"},
        ["The Anderson-Rubin set is right however weak the instruments are."],
    )


def _gmm(study: Study, found: dict) -> Table:
    names = {"n_obs": "equations", "n_instruments": "instruments", "p_value": "p"}
    names |= {"ar1_p": "AR(1) p", "ar2_p": "AR(2) p", "hansen_p": "Hansen p"}
    return _make(
        found["gmm"].rename(columns=names).astype({"equations": int, "instruments": int}),
        ["direction", "model"],
        "gmm",
        {"en": "With its own past: GMM", "zh": "动态面板GMM"},
        [
            "Two-step, Windmeijer errors, forward orthogonal deviations, lags 2 to 4 collapsed, "
            "year effects; the other system is predetermined, controls are exogenous. System GMM "
            "adds the equation in levels and asks for a stationary start. Instruments stay below "
            "the number of entities, yet with few entities Hansen's test has little power.",
        ],
        {"p": "p", "AR(1) p": "p", "AR(2) p": "p", "Hansen p": "p"},
    )


def _threshold(study: Study, found: dict) -> list[Table]:
    name = study.series[study.models.robustness.threshold].label.en
    tests = found["threshold_tests"].drop(columns=["ssr_null", "ssr"], errors="ignore")
    places = found["thresholds"].copy()
    for column in ("connected", "at_edge"):
        if column in places:
            places[column] = places[column].map({True: "yes", False: "no"})
    slopes = found["threshold_slopes"].assign(
        term=lambda d: d["term"].map(lambda t: t.replace("L1.", ""))
    )
    return [
        _make(
            tests,
            ["direction", "thresholds"],
            "threshold_tests",
            {"en": f"Thresholds in {name}: how many", "zh": "门槛效应检验"},
            [
                "Hansen (1999), province and year effects; the null has one threshold less. "
                f"Bootstrap p of {study.models.robustness.draws} draws."
            ],
        ),
        _make(
            places,
            ["direction", "threshold"],
            "thresholds",
            {"en": f"Thresholds in {name}: where", "zh": "门槛值及置信区间"},
            [
                "95 % by likelihood ratio, of the fit with two thresholds, whether or not the test "
                "keeps them; not connected: the set has holes; at the edge: it reaches the end of "
                "the values searched."
            ],
        ),
        _make(
            slopes[["direction", "term", *FIT]],
            ["direction", "term"],
            "threshold_slopes",
            {"en": "Effect of the other system by regime", "zh": "分区间系数"},
            ["Conditional on the thresholds, whose own uncertainty is not in these errors."],
        ),
    ]


def _curvature(study: Study, found: dict) -> Table:
    return _make(
        found["curvature"].rename(columns={"p_value": "p of the square"}),
        ["direction"],
        "curvature",
        {"en": "Is the effect curved?", "zh": "二次项与U型检验"},
        [
            "Two-way effects and controls. The U test of Lind and Mehlum (2010) asks for slopes of "
            "opposite sign at the two ends of the data; p above 0.5 says that the turning point "
            "lies outside."
        ],
        {"p of the square": "p", "U test p": "p"},
    )


def _interaction(study: Study, found: dict) -> Table:
    name = study.series[study.models.robustness.moderator].label.en
    products = found["product"].set_index("direction")
    notes = [
        f"{way}: coefficient of the product {row['estimate']:.3g}, p = {row['p_value']:.3f}."
        for way, row in products.iterrows()
    ]
    frame = found["interaction"]
    first = [c for c in frame if c not in FIT and c not in ("direction", "statistic")]
    return _make(
        frame.drop(columns="statistic", errors="ignore"),
        ["direction", *first],
        "interaction",
        {"en": f"Effect of the other system by {name}", "zh": "调节效应"},
        ["At the 10, 25, 50, 75 and 90 % quantiles of the moderator.", *notes],
    )


def _mediation(study: Study, found: dict) -> Table:
    name = study.series[study.models.robustness.mediator].label.en
    frame = found["mediation"].assign(term=lambda d: d["term"].map(lambda t: _term(study, t)))
    return _make(
        frame[["direction", "term", *FIT]],
        ["direction", "term"],
        "mediation",
        {"en": f"Through {name}?", "zh": "中介效应"},
        [
            "Product of coefficients; errors, percentile intervals and p of "
            f"{study.models.robustness.draws} draws of whole entities. Causal only if nothing else "
            "moves mediator and outcome.",
        ],
    )


def _regions(study: Study, found: dict) -> Table:
    return _make(
        found["regions"].astype({"n_obs": int, "n_clusters": int}),
        ["direction", "region"],
        "regions",
        {"en": "Group by group", "zh": "分组估计"},
        [
            "Two-way effects of each group's own, no controls; halves by the mean of the study's "
            "measure of size. With three entities a clustered interval means little; the tests of "
            "equality are in the table of tests."
        ],
    )


def _stability(study: Study, found: dict) -> list[Table]:
    windows = found["windows"].copy()
    windows["window"] = [f"{a}-{b}" for a, b in zip(windows["first"], windows["last"], strict=True)]
    made = [
        _make(
            windows[["direction", "window", *FIT]],
            ["direction", "window"],
            "windows",
            {"en": "The two-way estimate in shorter windows", "zh": "滚动窗口估计"},
        )
    ]
    rows = []
    placebo = found["placebo"].set_index("direction") if "placebo" in found else pd.DataFrame()
    for way, mine in found["left_out"].groupby("direction", sort=False):
        low, high = mine.loc[mine["estimate"].idxmin()], mine.loc[mine["estimate"].idxmax()]
        row = {
            "direction": way, "smallest": low["estimate"], "without": low["entity"],
            "largest": high["estimate"], "without ": high["entity"],
        }  # fmt: skip
        if way in placebo.index:
            p = placebo.loc[way]
            row |= {"placebo 2.5 %": p["low"], "placebo 97.5 %": p["high"], "p": p["p_value"]}
        rows.append(row)
    made.append(
        _make(
            pd.DataFrame(rows),
            ["direction"],
            "left_out",
            {"en": "One entity left out; a placebo", "zh": "逐一剔除与安慰剂检验"},
            [
                "Smallest and largest estimate when one entity is left out. Placebo: each entity "
                "is given the path of another as the other system; p is the share of "
                f"{study.models.robustness.draws} draws at least as far from zero."
            ],
            {"p": "p"},
        )
    )
    return made


def _cointegration(study: Study, found: dict) -> Table:
    return _make(
        found["cointegration"],
        ["direction", "method", "test"],
        "cointegration",
        {"en": "Panel cointegration", "zh": "面板协整检验"},
        [
            "Null: no entity's scores are cointegrated. Pedroni and Kao: p from panels of "
            "independent walks of this size. Westerlund: bootstrap of years drawn jointly, the one "
            "that holds its size where entities move together or errors follow their own past."
        ],
    )


def _long_run(study: Study, found: dict) -> Table:
    return _make(
        found["long_run"][["direction", "model", *FIT]],
        ["direction", "model"],
        "long_run",
        {"en": "Long-run coefficients", "zh": "长期系数"},
        ["Of the other system's score of the same year; meaningful only if cointegrated."],
    )


def _spatial(study: Study, found: dict) -> Table:
    frame = found["spatial"].assign(weights=lambda d: d["weights"].map(_weights(study)))
    frame = frame.rename(columns={"p_value": "p", "coefficient": "ρ or λ"})
    specs = {"p": "p", "direct p": "p", "indirect p": "p", "total p": "p", "log likelihood": ".1f"}
    return _make(
        frame,
        ["direction", "weights", "model"],
        "spatial",
        {"en": "Spatial panels", "zh": "空间面板模型"},
        [
            "Maximum likelihood with two-way effects taken out by orthonormal transformation (Lee "
            "and Yu 2010); effects of the other system a year before: at home (direct), through "
            "neighbours (indirect), in sum. Errors from the information matrix, not clustered.",
        ],
        specs,
    )


def _not_carried(study: Study, found: dict) -> Table:
    frame = found["not_carried"]
    same = frame.groupby(["part", "why"], sort=False)["direction"].agg(list).reset_index()
    same["direction"] = [ways[0] if len(ways) == 1 else "both" for ways in same["direction"]]
    return frame_table(
        same.set_index(["part", "direction"]),
        "robustness_not_carried",
        {"en": "What these years and entities cannot carry", "zh": "样本不足以进行的分析"},
    )
