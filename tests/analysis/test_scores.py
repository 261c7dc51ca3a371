"""Scores are weighted sums of normalised indicators; a gap in one leaves a gap in the score."""

import numpy as np
import pandas as pd
import pytest

from tandem.analysis.scores import couple, score_systems, structure
from tandem.errors import TandemError
from tandem.study import Study


def entropy_by_hand(z):
    p = z / z.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        e = -np.nansum(p * np.log(p), axis=0) / np.log(len(z))
    return (1 - e) / (1 - e).sum()


def normalised_by_hand(panel):
    z = (panel - panel.min()) / (panel.max() - panel.min())
    return z.assign(pollution=1 - z["pollution"])


def test_scores_are_normalised_indicators_times_weights(study, panel):
    found = score_systems(study, panel)
    z = normalised_by_hand(panel)
    for name, system in study.systems.items():
        columns = list(system.indicators)
        w = entropy_by_hand(z[columns].to_numpy())
        np.testing.assert_allclose(found["scores"][name], z[columns] @ w, rtol=1e-12)
        table = found["weights"].set_index(["system", "indicator"]).loc[name]
        np.testing.assert_allclose(table.loc[columns, "entropy"], w, rtol=1e-12)
        np.testing.assert_allclose(table.loc[columns, "equal"], 0.5)
    np.testing.assert_allclose(found["normalised"], z[list(found["normalised"])], rtol=1e-12)
    posts = found["goalposts"].set_index(["system", "indicator"])
    assert posts.loc[("upgrade", "pollution"), "direction"] == "-"
    assert posts.loc[("tech", "research"), "maximum"] == panel["research"].max()


@pytest.mark.parametrize("method", ["entropy", "critic", "cv", "sd", "equal"])
def test_the_study_names_the_weights(raw, panel, method):
    study = Study.model_validate(raw | {"coupling": {"weights": method}})
    found = score_systems(study, panel)
    w = found["weights"].set_index("indicator").loc[["research", "patents"], method]
    z = found["normalised"][["research", "patents"]]
    np.testing.assert_allclose(found["scores"]["tech"], z @ w, rtol=1e-12)
    assert w.sum() == pytest.approx(1)


def test_a_gap_leaves_a_gap_in_its_score_and_nothing_else(study, panel):
    whole = score_systems(study, panel)
    more = panel.loc[["e00"]].rename(index={"e00": "e99"})
    more.loc[:, "patents"] = np.nan  # other indicators lie within the goalposts
    gappy = score_systems(study, pd.concat([panel, more]))
    assert gappy["scores"].loc["e99", "tech"].isna().all()
    np.testing.assert_allclose(
        gappy["scores"].loc["e00", "tech"], whole["scores"].loc["e00", "tech"], rtol=1e-14
    )
    for method in ("entropy", "critic", "cv", "sd", "equal"):
        of_tech = [f["weights"].set_index("system").loc["tech", method] for f in (gappy, whole)]
        np.testing.assert_allclose(*of_tech, rtol=1e-12)
    assert gappy["scores"].loc["e99", "upgrade"].notna().all()
    posts = ["indicator", "minimum", "maximum"]
    pd.testing.assert_frame_equal(gappy["goalposts"][posts], whole["goalposts"][posts])


def test_a_system_without_a_complete_row_is_refused_by_name(study, panel):
    odd = panel.index.get_level_values("year") % 2 == 1
    with pytest.raises(TandemError, match="all indicators of the system 'tech'"):
        score_systems(
            study,
            panel.assign(
                research=panel["research"].where(odd), patents=panel["patents"].where(~odd)
            ),
        )


def test_coupling_by_hand_and_what_chance_gives(study, scores):
    found = couple(study, scores)
    u = scores.to_numpy()
    c = 2 * np.sqrt(u.prod(axis=1)) / u.sum(axis=1)
    np.testing.assert_allclose(found["coupling"]["C_standard"], c, rtol=1e-10)
    d = np.sqrt(c * u.mean(axis=1))
    np.testing.assert_allclose(found["coupling"]["D_standard"], d, rtol=1e-10)
    null = found["null"].set_index("statistic")
    assert null.loc["D", "observed"] == pytest.approx(d.mean())
    assert null.loc["D", "percentile"] > 99  # the two systems were made to move together
    pd.testing.assert_frame_equal(couple(study, scores)["null"], found["null"], check_exact=True)


@pytest.mark.parametrize("model", ["standard", "wang", "fan"])
def test_levels_are_those_of_the_study_s_model(raw, scores, model):
    study = Study.model_validate(raw | {"coupling": {"model": model}})
    table = couple(study, scores)["coupling"].dropna()
    by_hand = np.ceil(table[f"D_{model}"] * 10 - 1e-9).clip(1)  # tenths, closed on the right
    np.testing.assert_array_equal(table["level"].astype(float), by_hand)


def test_one_entity_has_no_permutations(study, scores):
    assert couple(study, scores.loc[["e00"]])["null"].empty


def test_structure_reads_the_three_industries_in_order(raw):
    index = pd.MultiIndex.from_product([["a"], [2001, 2002]], names=["entity", "year"])
    published = pd.DataFrame({"s": [40.0, 30], "t": [50.0, 60], "p": [10.0, 10]}, index=index)
    table = structure(Study.model_validate(raw | {"structure": ["p", "s", "t"]}), published)
    np.testing.assert_allclose(table["ts"], [50 / 40, 2])
    np.testing.assert_allclose(table["hierarchy"], [0.1 + 0.8 + 1.5, 0.1 + 0.6 + 1.8])


def test_a_study_without_structure_has_an_empty_table(study, panel):
    assert len(structure(study, panel)) == 0
