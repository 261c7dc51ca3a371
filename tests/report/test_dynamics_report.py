"""Tables and figures of spread and moves say what the frames hold."""

import numpy as np
import pandas as pd
import pytest

from tandem.errors import TandemError
from tandem.report.dynamics import dynamics_figures, dynamics_tables, gini_parts, ridgelines
from tandem.report.tile_map import QUADRANTS, quadrant_map
from tandem.study import Study

YEARS = [2001, 2002]
STUDY = Study.model_validate(
    {
        "title": {"en": "t"},
        "question": {"en": "q"},
        "seed": 1,
        "panel": {"years": YEARS, "groups": {"south": ["B"], "north": ["A"]}},
        "series": {
            n: {"formula": f"x_{n}", "unit": "u", "label": {"en": n.upper()}, "why": "w"}
            for n in "ab"
        },
        "systems": {
            f"s{n}": {"label": {"en": f"System {n}"}, "indicators": {n: "+"}} for n in "ab"
        },
        "dynamics": {"research": {"formula": "x_a * 2", "unit": "yuan"}},
    }
)  # fmt: skip


def frame_of(rows, *columns):
    return pd.DataFrame(rows, columns=columns)


@pytest.fixture
def results():
    index = pd.MultiIndex.from_product([["A", "B"], YEARS], names=["entity", "year"])
    stock = pd.DataFrame({"investment": 1.0, "stock": [1, 2, 30, 40], "stock_lagged": 5.0}, index)
    moves = [("stages", "", "low", "low", 3, 0.75), ("stages", "", "low", "high", 1, 0.25)]
    moves += [("stages", "", "high", "low", 0, np.nan), ("stages", "", "high", "high", 0, np.nan)]
    obstacles = [
        ("A", 2001, "sa", "a", 0.2), ("A", 2001, "sb", "b", 0.8),
        ("A", 2002, "sa", "a", 0.6), ("A", 2002, "sb", "b", 0.4),
    ]  # fmt: skip
    return {
        "indices/coupling": pd.DataFrame({"D_standard": [0.2, 0.4, 0.5, 0.9]}, index),
        "dynamics/transitions": frame_of(
            moves, "states", "given", "from", "to", "moves", "probability"
        ),
        "dynamics/obstacles": frame_of(
            obstacles, "entity", "year", "system", "indicator", "share"
        ).set_index(["entity", "year"]),
        "dynamics/research_stock": stock,
        "dynamics/not_carried": frame_of(
            [("X", "no data"), ("Y", "other"), ("Z", "no data")], "part", "why"
        ),
    }


def shown(tables, name):
    table = next(t for t in tables if t.name == name)
    return [[cell.text for cell in row] for row in table.rows], table


def test_a_study_without_dynamics_has_no_such_tables(results):
    assert dynamics_tables(STUDY, {"indices/coupling": results["indices/coupling"]}) == []
    assert list(dynamics_figures(STUDY, {})) == []


def test_tables(results):
    tables = dynamics_tables(STUDY, results)
    rows, _ = shown(tables, "dynamics_stages")
    assert rows == [["2001", "1", "1", "0", "0"], ["2002", "0", "1", "0", "1"]]
    rows, table = shown(tables, "dynamics_moves_stages")
    assert rows == [["low", "4", "0.75", "0.25"], ["high", "0", "–", "–"]]
    assert any("no move starts there" in note for note in table.notes)
    rows, _ = shown(tables, "dynamics_obstacles")
    assert rows == [["A", "System a", "20.0%", "60.0%"], ["B", "System b", "80.0%", "40.0%"]]
    rows, _ = shown(tables, "dynamics_research_stock")
    assert [row[0] for row in rows] == ["south", "north", "all"]  # the study's order
    assert [row[2] for row in rows] == ["30", "1", "31"]
    rows, _ = shown(tables, "dynamics_not_carried")
    assert rows == [["X; Z", "no data"], ["Y", "other"]]


def test_stages_of_one_entity_are_spans_of_years(results):
    one = results["indices/coupling"].loc[["A"]]
    tables = dynamics_tables(STUDY, results | {"indices/coupling": one})
    rows, _ = shown(tables, "dynamics_stages")
    assert rows[:3] == [["budding", "2001"], ["growth", "2002"], ["running-in", "none"]]


def test_ridgelines_stand_one_above_the_other():
    grid = np.linspace(0, 1, 11)
    density = pd.concat(
        pd.DataFrame({"year": y, "score": grid, "density": 1 + k * grid})
        for k, y in enumerate([2001, 2002, 2003])
    )
    ax = ridgelines(density).axes[0]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["2001", "2002", "2003"]
    bases = [line.get_ydata()[0] - 1 for line in ax.lines]
    assert bases == sorted(bases, reverse=True)
    np.testing.assert_allclose(ax.lines[2].get_ydata() - bases[2], 1 + 2 * grid)


def test_gini_parts_are_stacked_to_the_total():
    parts = {"within": 0.03, "between": 0.1, "transvariation": 0.02, "total": 0.15}
    rows = [(y, "gini", part, v) for y in YEARS for part, v in parts.items()]
    ax = gini_parts(frame_of(rows, "year", "measure", "part", "value")).axes[0]
    tops = [bar.get_y() + bar.get_height() for bar in ax.patches[-len(YEARS) :]]
    np.testing.assert_allclose(tops, 0.15)


def test_quadrants_are_firm_where_p_is_small():
    names = ["Beijing", "Hebei", "Hainan", "Gansu"]
    local = pd.DataFrame(
        {"quadrant": QUADRANTS, "p_value": [0.01, 0.5, 0.05, 0.06]},
        pd.Index(names, name="entity"),
    )
    ax = quadrant_map(local, "2019").axes[0]
    firm = [patch for patch in ax.patches if not patch.get_hatch() and patch.get_alpha() == 1]
    assert len(firm) == 2
    assert len(ax.patches) == 31
    with pytest.raises(TandemError, match="Atlantis"):
        quadrant_map(local.rename({"Gansu": "Atlantis"}), "2019")
