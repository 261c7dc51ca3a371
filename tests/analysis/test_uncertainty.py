"""The ensemble of a study: chunks change nothing, a draw can be made again by hand."""

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from tandem.analysis.scores import index_study
from tandem.analysis.uncertainty import _paired_at_random, agreement, measure, run_chunk
from tandem.errors import TandemError
from tandem.study import Study


def with_chunks(raw, chunks):
    groups = {"first": [f"e{i:02d}" for i in range(20)]}
    return Study.model_validate(
        raw
        | {"panel": raw["panel"] | {"groups": groups}}
        | {"coupling": {"ensemble": {"draws": 1000, "chunks": chunks}}}
    )


def parts_of(study, panel):
    return [
        (found.draws, found.D.to_numpy(), resamples)
        for found, resamples in (
            run_chunk(study, panel, chunk) for chunk in range(study.coupling.ensemble.chunks)
        )
    ]


def measured(study, panel, parts):
    made = index_study(study, panel, panel)
    return measure(study, panel, made["scores"], made["coupling"], made["weights"], parts), made


@pytest.fixture(scope="module")
def small(panel):
    return panel.loc[[f"e{i:02d}" for i in range(25)]]


@pytest.fixture(scope="module")
def one(raw, small):
    study = with_chunks(raw, 1)
    parts = parts_of(study, small)
    return study, parts, *measured(study, small, parts)


def test_the_number_of_chunks_and_their_order_change_nothing(raw, small, one):
    study = with_chunks(raw, 3)
    again, _ = measured(study, small, parts_of(study, small)[::-1])
    assert again.keys() == one[2].keys()
    for name, frame in one[2].items():
        assert_frame_equal(again[name], frame, check_exact=True)


def test_a_missing_chunk_stops(raw, small):
    study = with_chunks(raw, 3)
    with pytest.raises(TandemError, match="There are 667 of 1000 draws"):
        measured(study, small, parts_of(study, small)[1:])


def test_a_draw_made_again_by_hand(small, one):
    study, [(choices, degrees, _)], frames, _ = one
    plain = choices[(choices["normalisation"] == "minmax") & (choices["model"] == "standard")]
    draw = plain.index[0]
    z = (small - small.min()) / (small.max() - small.min())
    z["pollution"] = 1 - z["pollution"]
    w = plain.loc[draw]
    u = {
        name: sum(w[f"weight {name}: {i}"] * z[i] for i in system.indicators)
        for name, system in study.systems.items()
    }
    share = [w[f"share {name}"] for name in study.systems]
    product, total = u["tech"] * u["upgrade"], u["tech"] + u["upgrade"]
    c = 2 * np.sqrt(product) / total
    t = share[0] * u["tech"] + share[1] * u["upgrade"]
    place = choices.index.get_loc(draw)
    np.testing.assert_allclose(degrees[place], np.sqrt(c * t), rtol=1e-10)
    assert frames["draws"].set_index("draw").loc[draw, "mean_D"] == pytest.approx(
        np.sqrt(c * t).mean(), rel=1e-12
    )


def test_bands_hold_what_they_say(one):
    _, [(_, degrees, _)], frames, made = one
    rows = frames["rows"]
    np.testing.assert_allclose(rows["p95"], np.quantile(degrees, 0.95, axis=0), rtol=1e-12)
    assert (rows["p5"] <= rows["median"]).all() and (rows["median"] <= rows["p95"]).all()
    levels = rows.filter(regex="^level_")
    np.testing.assert_allclose(levels.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(rows["baseline"], made["coupling"]["D_standard"], rtol=1e-12)
    regions = frames["regions"].set_index(["region", "year", "quantity"])
    year = made["coupling"].index.get_level_values("year") == 2005
    d = regions.loc[("all", 2005, "D")]
    assert d["reported"] == pytest.approx(made["coupling"].loc[year, "D_standard"].mean())
    assert d["median"] == pytest.approx(np.median(degrees[:, year].mean(axis=1)), rel=1e-9)
    assert regions.loc[("first", 2005, "D"), "entities"] == 20
    assert (regions["p5"] <= regions["p95"]).all()


def test_sobol_indices_of_a_choice_alone_are_no_more_than_with_its_interactions(one):
    sobol = one[2]["sobol"]
    assert (sobol["first"] <= sobol["total"] + 0.03).all()
    assert sobol.groupby("output")["first"].sum().lt(1.05).all()
    assert set(sobol["output"]) == {"mean_D", "D", "rank"}


def test_chance_deals_scores_out_within_years(small, one):
    scores = one[3]["scores"].sort_index()
    dealt = _paired_at_random(scores, 20, seed=3)
    years = scores.index.get_level_values("year")
    assert (dealt[..., 0] == scores["tech"].to_numpy()).all()
    for year in (2001, 2010):
        here = np.flatnonzero(years == year)
        kept = np.sort(dealt[:, here, 1], axis=1)
        assert (kept == np.sort(scores["upgrade"].to_numpy()[here])).all()
    assert (dealt[0, :, 1] != dealt[1, :, 1]).mean() > 0.8


def test_one_entity_has_no_ranks_and_no_bootstrap(raw, panel):
    alone = panel.loc[["e03"]]
    study = Study.model_validate(raw | {"coupling": {"ensemble": {"draws": 1000, "chunks": 2}}})
    frames, made = measured(study, alone, parts_of(study, alone))
    assert frames["entities"].empty and frames["bootstrap"].empty
    assert "rank" not in set(frames["sobol"]["output"])
    chance = frames["regions"].query("quantity == 'D'")
    scores = made["scores"].to_numpy()
    shifts = [np.sqrt(np.sqrt(scores[:, 0] * np.roll(scores[:, 1], k))) for k in range(len(scores))]
    lowest, highest = np.min(shifts, axis=0), np.max(shifts, axis=0)
    assert (chance["chance_p5"] >= lowest - 1e-12).all()
    assert (chance["chance_p95"] <= highest + 1e-12).all()


def test_agreement_is_the_rank_correlation_of_the_methods():
    weights = pd.DataFrame(
        {
            "system": ["s"] * 4 + ["t"],
            "indicator": list("abcde"),
            "entropy_value": 0.5,
            "entropy": [0.1, 0.2, 0.3, 0.4, 1.0],
            "critic": [0.4, 0.3, 0.2, 0.1, 1.0],
            "cv": [0.1, 0.3, 0.2, 0.4, 1.0],
            "used": [0.1, 0.2, 0.3, 0.4, 1.0],
        }
    )
    found = agreement(weights).set_index(["system", "method"])
    assert set(found.index.get_level_values("system")) == {"s"}  # one indicator has no ranks
    assert found.loc[("s", "entropy"), "critic"] == pytest.approx(-1)
    assert found.loc[("s", "entropy"), "cv"] == pytest.approx(0.8)
    assert found.loc[("s", "critic"), "largest_indicator"] == "a"
