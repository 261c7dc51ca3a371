"""Tables and figures of both directions side by side."""

import numpy as np
import pandas as pd
import pytest

from tandem.report.figures_curve import curve_words, specification_curve
from tandem.report.two_way import two_way_figures, two_way_tables
from tandem.study import Study

STUDY = Study.model_validate(
    {
        "title": {"en": "t"},
        "question": {"en": "q"},
        "seed": 1,
        "panel": {"years": [2001, 2012]},
        "series": {
            n: {"formula": f"x_{n}", "unit": "u", "label": {"en": n}, "why": "w"} for n in "pq"
        },
        "systems": {
            f"s{n}": {"label": {"en": f"System {n}"}, "indicators": {n: "+"}} for n in "pq"
        },
        "models": {"regressions": {"x": {"label": "x", "effects": "two-way"}}},
    }
)
WAYS = ["sp → sq", "sq → sp"]


def estimates(n, **columns):
    b = np.linspace(-0.2, 0.8, n)
    frame = pd.DataFrame({"estimate": b, "conf_low": b - 0.3, "conf_high": b + 0.3})
    return frame.assign(p_value=np.linspace(0.9, 0.001, n), **columns)


@pytest.fixture(scope="module")
def results():
    methods = pd.concat(estimates(3, model=list("xyz"), direction=w) for w in WAYS)
    curve = pd.concat(
        estimates(
            8,
            direction=w,
            measure=["a", "b"] * 4,
            lags=[1.0] * 4 + [2.0] * 4,
            instrument_lags=["(2, 3)"] * 4 + [np.nan] * 4,
            window="all",
        )
        for w in WAYS
    )
    facts = "n_specifications n_failed median p_median share_positive p_share draws"
    facts += " share_significant_positive share_significant_negative"
    summary = pd.DataFrame([dict.fromkeys(facts.split(), 0.5) | {"direction": w} for w in WAYS])
    permuted = pd.concat(pd.DataFrame({"median": [-0.1, 0.1], "direction": w}) for w in WAYS)
    tables = {
        "methods": methods.assign(holm_p=0.5, romano_wolf_p=np.nan),
        "regions": estimates(
            2, region=["e", "w"], direction=WAYS, wild_p=0.1, n_obs=9, n_entities=3
        ),  # fmt: skip
        "curve": curve,
        "curve_summary": summary,
        "curve_permuted": permuted,
        "not_carried": pd.DataFrame(columns=["part", "direction", "why"]),
    }
    return {f"estimates/verdict/{k}": v for k, v in tables.items()}


def test_tables_say_what_the_step_found(results):
    tables = {t.name: t for t in two_way_tables(STUDY, results)}
    assert set(tables) == {"two_way", "two_way_regions", "two_way_curve"}


def test_a_study_without_the_step_has_none():
    assert two_way_tables(STUDY, {}) == [] and list(two_way_figures(STUDY, {})) == []


def test_methods_and_regions_share_a_figure_and_each_direction_has_a_curve(results, monkeypatch):
    monkeypatch.setattr("tandem.report.two_way.CHOICES", {"measure": "weights", "lags": "lags"})
    figures = dict(two_way_figures(STUDY, results))
    assert set(figures) == {"two_way", "two_way_curve_sp", "two_way_curve_sq"}
    ticks = [t.get_text() for t in figures["two_way"].axes[0].get_yticklabels()]
    assert ticks == ["x", "y", "z", "Region: e", "Region: w"]


def test_the_curve_is_in_order_and_leaves_out_what_is_no_choice(results):
    curve = results["estimates/verdict/curve"].query("direction == 'sp → sq'")
    names = {"measure": "weights", "lags": "lags", "instrument_lags": "in", "window": "years"}
    figure = specification_curve(curve, pd.DataFrame({"median": []}), names, "t")
    top, below = figure.axes
    ticks = [t.get_text() for t in below.get_yticklabels()]
    assert ticks == ["weights: a", "weights: b", "lags: 1", "lags: 2"]
    drawn = np.concatenate([line.get_ydata() for line in top.lines if line.get_marker() == "."])
    assert sorted(drawn) == pytest.approx(sorted(curve["estimate"]))
    marks = below.images[0].get_array()
    assert marks.sum(axis=1).tolist() == [4, 4, 4, 4]


def test_choices_read_as_words():
    values = pd.Series([1.0, None, "(2, 4)", "fod"], dtype=object)
    assert curve_words(values.where(values.notna(), None)).tolist() == ["1", "", "2, 4", "fod"]


def test_one_entity_has_its_tests_side_by_side_too(results):
    models = {"var": {"variables": ["p", "q"], "years": [2001, 2012]}, "verdict": {}}
    study = Study.model_validate(STUDY.model_dump(exclude={"models"}) | {"models": models})
    frame = pd.concat(estimates(2, model=list("xy"), direction=w) for w in WAYS)
    frame.loc[1, ["estimate", "conf_low", "conf_high"]] = np.nan
    found = {"estimates/verdict/methods": frame.assign(holm_p=0.5, romano_wolf_p=np.nan)}
    (table,) = two_way_tables(study, found)
    assert table.name == "two_way" and "p; q" in table.notes[0]
    figure = dict(two_way_figures(study, found))["two_way"]
    words = [t.get_text() for ax in figure.axes for t in ax.texts]
    assert words == ["no estimate, p = 0.001"] * 2
