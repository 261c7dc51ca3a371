"""Tables and figures of the robustness step show what its frames hold."""

import numpy as np
import pandas as pd
import pytest

from tandem.analysis.robustness import study_robustness
from tandem.report.robustness import robustness_figures, robustness_tables
from tandem.study import Study

ENTITIES = list("abcdefghijkl")
SERIES = {
    n: {"formula": f"x_{n}", "unit": "u", "label": {"en": n.upper()}, "why": "w"} for n in "pqz"
}
STUDY = Study.model_validate(
    {
        "title": {"en": "t"},
        "question": {"en": "q"},
        "seed": 1,
        "panel": {"years": [2001, 2012], "groups": {"one": ENTITIES[:6], "two": ENTITIES[6:]}},
        "series": SERIES,
        "systems": {
            f"s{n}": {"label": {"en": f"System {n}"}, "indicators": {n: "+"}} for n in "pq"
        },
        "models": {
            "robustness": {"threshold": "z", "moderator": "z", "mediator": "z", "draws": 99}
        },
    }
)


@pytest.fixture(scope="module")
def results():
    rng = np.random.default_rng(1)
    index = pd.MultiIndex.from_product([ENTITIES, range(2001, 2013)], names=["entity", "year"])
    scores = pd.DataFrame(rng.uniform(size=(len(index), 2)), index, ["sp", "sq"])
    panel = pd.DataFrame({"z": rng.uniform(1, 5, size=len(index))}, index)
    pairs = pd.DataFrame({"province_a": ENTITIES[:-1], "province_b": ENTITIES[1:]})
    _, tables = study_robustness(STUDY, scores, panel, pairs)
    return {f"estimates/robustness/{name}": frame for name, frame in tables.items()}


def test_the_tables_of_a_panel(results):
    names = {t.name for t in robustness_tables(STUDY, results)}
    parts = (
        "describe correlations inflation unit_roots tests spatial_tests spatial alternatives "
        "instruments gmm windows left_out regions curvature interaction mediation threshold_tests "
        "thresholds threshold_slopes cointegration not_carried"
    )
    assert names == {f"robustness_{part}" for part in parts.split()}


def test_each_figure_stands_once_a_direction(results):
    names = [name for name, _ in robustness_figures(STUDY, results)]
    kinds = ("threshold", "marginal", "curve")
    assert sorted(names) == sorted(f"robustness_{k}_{s}" for k in kinds for s in ("sp", "sq"))


def test_a_study_without_the_step_has_none():
    assert robustness_tables(STUDY, {}) == [] and list(robustness_figures(STUDY, {})) == []


def test_what_is_left_out_both_ways_stands_once(results):
    frame = results["estimates/robustness/not_carried"]
    table = next(t for t in robustness_tables(STUDY, results) if t.name.endswith("not_carried"))
    assert "Dumitrescu-Hurlin, 4 lags" in set(frame["part"])
    assert len(table.rows) < len(frame)
