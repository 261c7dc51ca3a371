"""What a study's dynamics hold, against direct formulas; what it cannot carry is told."""

import numpy as np
import pandas as pd
import pytest

from tandem.analysis.dynamics import study_dynamics, take_sample
from tandem.analysis.scores import index_study
from tandem.analysis.technology import division_of_labour, research_stock
from tandem.errors import TandemError
from tandem.study import Study

ENTITIES = [f"e{i:02d}" for i in range(40)]
RING = pd.DataFrame({"province_a": ENTITIES, "province_b": ENTITIES[1:] + ENTITIES[:1]})


def study_of(raw, **dynamics):
    groups = {"first": ENTITIES[:15], "second": ENTITIES[15:]}
    dynamics = {"draws": 99, **dynamics}
    return Study.model_validate(
        raw | {"panel": raw["panel"] | {"groups": groups}, "dynamics": dynamics}
    )


def frames_of(study, panel):
    made = index_study(study, panel, panel)
    return {name: made[name] for name in ("coupling", "scores", "normalised", "weights")} | {
        "panel": panel,
        "published": panel,
    }


@pytest.fixture(scope="module")
def found(raw, panel):
    study = study_of(raw)
    frames = frames_of(study, panel)
    return study, frames, study_dynamics(study, frames, RING)


def test_what_is_left_out_is_told(found):
    assert found[2]["not_carried"]["part"].tolist() == ["R&D stock", "Total factor productivity"]


def test_moran_of_a_ring(found):
    _, frames, tables = found
    d = frames["coupling"]["D_standard"].xs(2004, level="year")
    z = d - d.mean()
    near = (np.roll(z, 1) + np.roll(z, -1)) / 2
    by_hand = (z * near).sum() / (z**2).sum()
    moran = tables["moran"].set_index("year")
    assert moran.loc[2004, "statistic"] == pytest.approx(by_hand, rel=1e-10)
    assert moran.loc[2004, "expected"] == pytest.approx(-1 / 39)
    local = tables["local_moran"].xs(2004, level="year")
    signs = np.where(z > 0, "high", "low") + np.array("-") + np.where(near > 0, "high", "low")
    assert (local["quadrant"].reindex(z.index) == signs).all()


def test_moves_between_stages(found):
    study, frames, tables = found
    wide = frames["coupling"]["D_standard"].unstack("year")
    states = np.digitize(wide, study.dynamics.stages, right=True)
    own = tables["transitions"].query("states == 'stages' and given == ''")
    matrix = own.pivot(index="from", columns="to", values="moves")
    names = ["budding", "growth", "running-in", "mature"]
    for i, start in enumerate(names):
        for j, end in enumerate(names):
            by_hand = ((states[:, :-1] == i) & (states[:, 1:] == j)).sum()
            assert matrix.loc[start, end] == by_hand
    started = own.dropna(subset="probability")
    np.testing.assert_allclose(started.groupby("from")["probability"].sum(), 1)
    mobility = tables["mobility"].set_index("shift").loc[0.0]
    assert mobility["up"] == pytest.approx((np.diff(states) > 0).mean())
    assert mobility["down"] == pytest.approx((np.diff(states) < 0).mean())
    near = tables["transitions"].query("states == 'quarters' and given != ''")
    assert near["moves"].sum() == 40 * 9


def test_parts_of_the_gini_add_up_to_all_pairs(found):
    _, frames, tables = found
    d = frames["coupling"]["D_standard"].xs(2007, level="year").to_numpy()
    gini = np.abs(d[:, None] - d).mean() / (2 * d.mean())
    parts = tables["inequality"].query("measure == 'gini' and year == 2007")
    parts = parts.set_index("part")["value"]
    assert parts["total"] == pytest.approx(gini, rel=1e-10)
    assert parts.drop("total").sum() == pytest.approx(gini, rel=1e-10)


def test_sigma_density_and_obstacles(found):
    _, frames, tables = found
    d = frames["coupling"]["D_standard"].unstack("year")
    sigma = tables["sigma"].set_index("year")
    np.testing.assert_allclose(sigma["cv"], sigma["std"] / d.mean(), rtol=1e-12)
    density = tables["density"].query("year == 2003").set_index("score")["density"]
    assert np.trapezoid(density, density.index) == pytest.approx(1, abs=0.01)
    shares = tables["obstacles"].groupby(["entity", "year"])["share"].sum()
    np.testing.assert_allclose(shares, 1, rtol=1e-12)
    z, w = frames["normalised"], frames["weights"].set_index("indicator")["used"]
    lack = ((1 - z) * w[z.columns] / 2).loc[("e05", 2006)]
    mine = tables["obstacles"].loc[("e05", 2006)].set_index("indicator")["share"]
    np.testing.assert_allclose(mine, (lack / lack.sum())[mine.index], rtol=1e-12)


def test_the_order_of_rows_changes_nothing(found, panel):
    study, frames, tables = found
    rng = np.random.default_rng(0)
    shuffled = {
        name: f if name == "weights" else f.iloc[rng.permutation(len(f))]
        for name, f in frames.items()
    }
    again = study_dynamics(study, shuffled, RING)
    for name, frame in tables.items():
        pd.testing.assert_frame_equal(again[name], frame)


def test_gaps_are_left_out_and_told(raw, panel):
    gappy = panel.copy()
    gappy.loc[("e07", 2005), "patents"] = np.nan
    gappy.loc[gappy.index.get_level_values("year") == 2002, "services"] = np.nan
    study = study_of(raw)
    sample, told = take_sample(study, frames_of(study, gappy), RING)
    assert sorted(sample.degree.index.unique("year")) == list(range(2003, 2011))
    assert "e07" not in sample.degree.index.unique("entity")
    assert told == [
        ("Years", "D is known without a gap in 2003-2010; not used: 2001."),
        ("Entities", "Not in every year, so left out: e07."),
    ]


def test_one_entity(raw, panel):
    study = study_of(raw)
    alone = panel.loc[["e03"]]
    tables = study_dynamics(study, frames_of(study, alone))
    assert {"angles", "grey", "obstacles"} <= set(tables)
    assert not {"moran", "inequality", "transitions", "beta", "density"} & set(tables)
    told = tables["not_carried"].set_index("part")["why"]
    assert told["Moran's I"] == "There is one entity, and this compares entities."


def test_without_groups_or_neighbours_the_reason_is_told(raw, panel):
    study = Study.model_validate(raw | {"dynamics": {"draws": 99}})
    told = study_dynamics(study, frames_of(study, panel))["not_carried"].set_index("part")["why"]
    assert "panel.groups" in told["Dagum Gini and Theil index"]
    assert "dynamics.neighbours" in told["Moran's I"]


def test_research_stock_by_a_loop(raw, panel):
    flow = panel[["research"]].abs() + 1
    research = {"formula": "2 * research", "unit": "u", "depreciation": 0.2}
    study = study_of(raw, research=research)
    found = research_stock(study, flow).xs("e01", level="entity")
    e = 2 * flow.xs("e01", level="entity")["research"].to_numpy()
    growth = (e[-1] / e[0]) ** (1 / 9) - 1
    at_once = [e[0] / (growth + 0.2)]
    late = at_once.copy()
    for t in range(1, 10):
        at_once.append(0.8 * at_once[-1] + e[t])
        late.append(0.8 * late[-1] + e[t - 1])
    np.testing.assert_allclose(found["stock"], at_once, rtol=1e-10)
    np.testing.assert_allclose(found["stock_lagged"], late, rtol=1e-10)


def test_research_that_nothing_else_reads_is_refused(raw, panel):
    study = study_of(raw, research={"formula": "other / 2", "unit": "u"})
    with pytest.raises(TandemError, match="reads 'other'"):
        research_stock(study, panel)


def test_division_of_labour():
    counts = pd.DataFrame(
        {
            "kind": ["services", "services", "products", "products"],
            "field": list("abcd"),
            "enterprises": [30, 30, 20, 20],
        }
    )
    found = division_of_labour(counts).set_index("kind")
    assert found.loc["services", "share"] == pytest.approx(0.6)
    assert found.loc["services", "entropy"] == pytest.approx(np.log(2))
    assert found.loc["all", "herfindahl"] == pytest.approx(0.3**2 * 2 + 0.2**2 * 2)
    assert found.loc["products", "evenness"] == pytest.approx(1)
