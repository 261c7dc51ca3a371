"""Stored goalposts hold old scores still while data grow; refitting says what moves."""

import numpy as np
import pandas as pd
import pytest

from tandem.analysis.goalposts import fit_goalposts
from tandem.analysis.scores import index_study, score_systems
from tandem.errors import TandemError
from tandem.study import Study

INDICATORS = ["research", "patents", "services", "pollution"]


def one_year_more(panel):
    """The panel with another year in which everything is half as high again."""
    last = panel.xs(panel.index.get_level_values("year").max(), level="year")
    year = int(panel.index.get_level_values("year").max()) + 1
    new = pd.concat({year: last * 1.5}, names=["year"]).swaplevel()
    return pd.concat([panel, new]).sort_index(), new.index


def test_old_scores_stay_to_the_last_bit_when_a_year_comes_in(study, panel):
    posts = fit_goalposts(study, panel)
    before = score_systems(study, panel, posts)
    longer, new = one_year_more(panel)
    after = score_systems(study, longer, posts)
    pd.testing.assert_frame_equal(
        after["scores"].loc[panel.index], before["scores"], check_exact=True
    )
    assert before["clipped"].empty
    now, then = longer.loc[new, INDICATORS], panel[INDICATORS]
    beyond = (now > then.max()) | (now < then.min())
    assert len(after["clipped"]) == beyond.to_numpy().sum() > 0
    assert (after["normalised"].loc[new].max() <= 1).all()
    row = after["clipped"].iloc[0]
    assert row["value"] == longer.at[(row["entity"], row["year"]), row["indicator"]]
    assert not row["minimum"] <= row["value"] <= row["maximum"]
    # fitted anew the same year does move them
    refit = score_systems(study, longer)["scores"].loc[panel.index]
    assert (refit - before["scores"]).abs().to_numpy().max() > 0.01


def test_stored_goalposts_survive_the_file(study, panel, tmp_path):
    posts = fit_goalposts(study, panel)
    file = tmp_path / "posts.csv"
    posts.to_csv(file, index=False)
    again = pd.read_csv(file)
    a, b = (score_systems(study, panel, p)["scores"] for p in (posts, again))
    np.testing.assert_allclose(a, b, rtol=1e-14)


def test_refitting_says_how_far_every_degree_moves(raw, panel):
    fixed = Study.model_validate(raw)
    stored = fit_goalposts(fixed, panel)
    refit = Study.model_validate(raw | {"coupling": {"goalposts": "refit"}})
    longer, _ = one_year_more(panel)
    old = index_study(fixed, longer, longer, ("x.csv", stored))
    new = index_study(refit, longer, longer, ("x.csv", stored))
    table = new["moved"].set_index(["entity", "year"])
    expected = new["coupling"]["D_standard"] - old["coupling"]["D_standard"]
    np.testing.assert_allclose(table["moved"], expected.dropna(), rtol=1e-12)
    assert table["moved"].abs().max() > 0.001
    assert old["moved"].empty
    assert index_study(refit, longer, longer)["moved"].empty


@pytest.mark.parametrize("what", ["formula", "direction", "indicator", "weights"])
def test_goalposts_of_other_indicators_are_refused(study, raw, panel, what):
    stored = fit_goalposts(study, panel)
    if what == "indicator":
        stored = stored.drop(index=stored.index[0])
    elif what == "weights":
        stored["method"] = "equal"
    else:
        stored.loc[0, what] = "-" if what == "direction" else "something / else"
    with pytest.raises(TandemError, match="x.csv holds goalposts .*delete the file") as caught:
        index_study(study, panel, panel, ("x.csv", stored))
    assert stored.loc[1, "system"] in str(caught.value)


def test_an_indicator_of_two_systems_is_refused(raw, panel):
    upgrade = raw["systems"]["upgrade"]
    both = upgrade | {"indicators": upgrade["indicators"] | {"research": "-"}}
    study = Study.model_validate(raw | {"systems": raw["systems"] | {"upgrade": both}})
    with pytest.raises(TandemError, match="'research' is an indicator of two systems"):
        fit_goalposts(study, panel)
