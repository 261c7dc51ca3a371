"""Marginal effects over a moderator, against the same regression recentred."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tandem.econometrics.interactions import interaction_regression
from tandem.econometrics.static import panel_regression
from tandem.errors import TandemError


def panel(seed=0, n=30, t=8, slope=0.5):
    """The effect of x is -1 + slope * m; entity effects."""
    rng = np.random.default_rng(seed)
    index = pd.MultiIndex.from_product([range(n), range(2001, 2001 + t)], names=["entity", "year"])
    frame = pd.DataFrame(rng.normal(size=(n * t, 3)), index, ["x", "w", "y"])
    frame["m"] = rng.uniform(0, 5, n * t)
    frame["y"] += (slope * frame["m"] - 1) * frame["x"] + 0.5 * frame["w"] + 0.3 * frame["m"]
    frame["y"] += np.repeat(rng.normal(size=n), t)
    return frame


def fit(frame, **options):
    return interaction_regression(frame["y"], frame["x"], frame["m"], frame[["w"]], **options)


@pytest.mark.parametrize("se", ["clustered", "unadjusted", "driscoll-kraay"])
@pytest.mark.parametrize("effects", ["none", "entity", "two-way"])
def test_the_effect_at_a_value_is_the_coefficient_with_the_moderator_centred_there(effects, se):
    frame = panel(1)
    result = fit(frame, effects=effects, se=se)
    for place in (0, 20, 50):
        row = result.marginal.loc[place]
        moved = frame["m"] - row["moderator"]
        design = pd.DataFrame(
            {"x": frame["x"], "m": moved, "xm": frame["x"] * moved, "w": frame["w"]}
        )
        fe, _ = panel_regression(frame["y"], design, effects, se)
        assert row["estimate"] == pytest.approx(fe.params["x"])
        assert row["std_error"] == pytest.approx(fe.std_errors["x"])


def test_the_range_and_the_quantiles_are_those_of_the_sample():
    frame = panel(2)
    frame.iloc[5, 0] = np.nan
    frame.iloc[6, 1] = np.inf
    result = fit(frame)
    kept = frame["m"].drop(frame.index[[5, 6]])
    assert result.facts["n_dropped"] == 2
    ends = result.marginal["moderator"].iloc[[0, -1]]
    assert list(ends) == [kept.min(), kept.max()]
    assert result.at_quantiles["moderator"][0.5] == kept.median()
    assert len(result.moderator) == len(kept)
    flat = result.statistics
    assert flat["effect_q50"] == result.at_quantiles["estimate"][0.5]


def test_the_effect_is_insignificant_exactly_where_the_set_says():
    result = fit(panel(3))
    (low, high), *more = result.insignificant
    assert not more and low < 2.0 < high  # the true effect is zero at 2
    table = result.marginal
    inside = (table["moderator"] >= low) & (table["moderator"] <= high)
    assert inside.equals(table["p_value"] > 0.05) and inside.any() and not inside.all()
    assert f"[{low:.4g}, {high:.4g}]" in result.summary


def test_a_moderator_fixed_within_entities_is_left_to_the_effects():
    frame = panel(4)
    frame["m"] = frame["m"].groupby(level=0).transform("mean")
    for effects in ("entity", "two-way"):
        result = fit(frame, effects=effects)
        assert result.facts["moderator_absorbed"] and "m" not in result.terms.index
        assert "x:m" in result.terms.index
    assert not fit(frame, effects="none").facts["moderator_absorbed"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.assign(m=3.0), "'m' is constant"),
        (lambda f: f.assign(m="high"), "'m' holds text"),
        (lambda f: f.assign(w=f["m"] * 3), "'w' is explained wholly"),
        (lambda f: f.loc[[1, 2]].groupby(level=0).head(3), "Only 6 complete rows"),
        (lambda f: f.assign(x=np.nan), "No row has a value"),
    ],
)
def test_what_cannot_be_estimated_is_refused_in_words(change, words):
    with pytest.raises(TandemError, match=words):
        fit(change(panel(5)))


def test_a_variable_does_not_moderate_itself():
    frame = panel(6)
    with pytest.raises(TandemError, match="take curve_regression"):
        interaction_regression(frame["y"], frame["x"], frame["x"])


def test_the_effect_lies_on_an_even_grid_and_five_quantiles():
    frame = panel(7)
    result = fit(frame, level=0.9)
    grid = np.linspace(frame["m"].min(), frame["m"].max(), 51)
    assert result.marginal["moderator"].to_numpy() == pytest.approx(grid)
    at = result.at_quantiles
    assert at.index.tolist() == [0.1, 0.25, 0.5, 0.75, 0.9]
    assert at["moderator"].to_numpy() == pytest.approx(frame["m"].quantile(at.index).to_numpy())
    b = result.terms["estimate"]
    assert at["estimate"].to_numpy() == pytest.approx(
        (b["x"] + b["x:m"] * at["moderator"]).to_numpy()
    )
    reach = stats.t.ppf(0.95, 29) * at["std_error"]
    assert at["conf_high"].to_numpy() == pytest.approx((at["estimate"] + reach).to_numpy())
    effects = {name for name in result.statistics if name.startswith("effect_")}
    assert effects == {f"effect_q{q}{p}" for q in (10, 25, 50, 75, 90) for p in ("", "_p")}
    assert result.statistics["effect_q90_p"] == at["p_value"][0.9]
    expected = {"n_obs": 240, "n_entities": 30, "t_df": 29, "conf_level": 0.9, "effects": "two-way"}
    assert {name: result.facts[name] for name in expected} == expected


def test_what_is_not_given_is_said():
    frame = panel(8)
    plain = interaction_regression(frame["y"], frame["x"], frame["m"])
    given = interaction_regression(
        frame["y"], frame["x"], frame["m"], None, "two-way", "clustered", 0.95
    )
    pd.testing.assert_frame_equal(plain.terms, given.terms)
    assert plain.statistics == given.statistics


def test_a_moderator_that_hardly_varies_within_entities_is_not_absorbed():
    frame = panel(9)
    means = frame["m"].groupby(level=0).transform("mean")
    frame["m"] = means + 0.01 * frame["m"]
    assert not fit(frame, effects="entity").facts["moderator_absorbed"]
    years = frame["m"].groupby(level=1).transform("mean")
    for effects, absorbed in (("two-way", True), ("entity", False)):
        assert fit(frame.assign(m=years), effects=effects).facts["moderator_absorbed"] == absorbed
