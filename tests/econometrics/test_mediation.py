"""Mediation: identities of the paths, known parameters, moderation."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tandem.econometrics.mediation import _bands, mediation
from tandem.econometrics.static import panel_regression
from tandem.errors import TandemError

N, T = 60, 12


def made_up(a3=0.0, seed=2):
    rng = np.random.default_rng(seed)
    index = pd.MultiIndex.from_product(
        [[f"e{i:02d}" for i in range(N)], range(2001, 2001 + T)], names=["entity", "year"]
    )
    effect = np.repeat(rng.normal(size=(N, 2)), T, axis=0)
    x, w, noise, other = rng.normal(size=(4, N * T))
    x = x + effect[:, 0]
    m = 0.5 * x + a3 * x * w + 0.3 * w + effect[:, 1] + noise
    y = 0.2 * x + 0.6 * m + 0.1 * w + effect[:, 0] + other
    return pd.DataFrame({"y": y, "x": x, "m": m, "w": w}, index)


@pytest.mark.parametrize("effects", ["entity", "two-way"])
def test_paths_are_within_regressions_and_the_total_is_their_sum(effects):
    d = made_up()
    found = mediation(d["y"], d["x"], d["m"], d[["w"]], effects=effects, draws=99)
    first, _ = panel_regression(d["m"], d[["x", "w"]], effects)
    second, _ = panel_regression(d["y"], d[["x", "m", "w"]], effects)
    total, _ = panel_regression(d["y"], d[["x", "w"]], effects)
    e = found.terms["estimate"]
    assert e["x -> m"] == pytest.approx(first.params["x"], rel=1e-8)
    assert e["m -> y"] == pytest.approx(second.params["m"], rel=1e-8)
    assert e["direct"] == pytest.approx(second.params["x"], rel=1e-8)
    assert e["total"] == pytest.approx(total.params["x"], rel=1e-8)
    assert e["indirect"] + e["direct"] == pytest.approx(e["total"], rel=1e-8)
    for equation, fit in (("m on x", first), ("y on x and m", second), ("y on x", total)):
        step = found.steps.loc[equation]
        assert step["std_error"].to_numpy() == pytest.approx(fit.std_errors.to_numpy())
    sums = found.draws["indirect"] + found.draws["direct"]
    np.testing.assert_allclose(sums, found.draws["total"], rtol=1e-7)
    assert found.share == pytest.approx(e["indirect"] / e["total"])


def test_bands_cover_the_known_paths_as_often_as_they_say():
    true = pd.Series({"x -> m": 0.5, "m -> y": 0.6, "direct": 0.2, "indirect": 0.3, "total": 0.5})
    covered, errors = [], []
    for seed in range(40):
        d = made_up(seed=seed)
        t = mediation(d["y"], d["x"], d["m"], d[["w"]], draws=199, seed=seed).terms.loc[true.index]
        covered.append((t["conf_low"] < true) & (true < t["conf_high"]))
        errors.append(t.loc["indirect", "std_error"])
        assert t.loc["indirect", "p_value"] == pytest.approx(0.01)  # 2 / (199 + 1)
    share = pd.concat(covered, axis=1).mean(axis=1)
    assert share.between(0.83, 1).all()  # 0.95 less 3.5 standard errors
    assert share.mean() < 1
    n = N * (T - 1)  # delta method; x and the noise of m and y have variance 1
    by_delta = np.sqrt(0.6**2 / n + 0.5**2 / n)
    assert np.mean(errors) == pytest.approx(by_delta, rel=0.05)


def test_no_mediator_no_indirect_effect():
    d = made_up()
    rng = np.random.default_rng(9)
    idle = pd.Series(rng.normal(size=len(d)), d.index, name="m")
    found = mediation(d["y"], d["x"], idle)
    assert found.terms.loc["indirect", "conf_low"] < 0 < found.terms.loc["indirect", "conf_high"]


def test_moderated_mediation():
    d = made_up(a3=0.4)
    found = mediation(d["y"], d["x"], d["m"], moderator=d["w"])
    e = found.terms["estimate"]
    a3 = e["index of moderated mediation"] / e["m -> y"]
    w = d["w"].quantile([0.1, 0.9])
    gap = e["indirect at q90"] - e["indirect at q10"]
    assert gap == pytest.approx(a3 * e["m -> y"] * (w[0.9] - w[0.1]), rel=1e-8)
    assert e["index of moderated mediation"] == pytest.approx(0.24, abs=0.05)
    assert found.terms.loc["index of moderated mediation", "conf_low"] > 0
    plain = mediation(made_up()["y"], made_up()["x"], made_up()["m"], moderator=made_up()["w"])
    band = plain.terms.loc["index of moderated mediation", ["conf_low", "conf_high"]]
    assert band["conf_low"] < 0 < band["conf_high"]


def test_the_order_of_rows_and_the_scale_change_nothing():
    d = made_up()
    first = mediation(d["y"], d["x"], d["m"], draws=99, seed=4)
    mixed = d.sample(frac=1, random_state=np.random.RandomState(0))
    again = mediation(1000 * mixed["y"], mixed["x"], mixed["m"], draws=99, seed=4)
    np.testing.assert_allclose(again.draws["indirect"], 1000 * first.draws["indirect"], rtol=1e-6)


def test_a_share_of_effects_with_other_signs_means_nothing():
    d = made_up()
    y = (d["y"] - 1.2 * d["x"]).rename("y")
    assert np.isnan(mediation(y, d["x"], d["m"], draws=99).share)


def test_bad_input_is_refused_in_words():
    d = made_up()
    with pytest.raises(TandemError, match="not random"):
        mediation(d["y"], d["x"], d["m"], effects="random")
    with pytest.raises(TandemError, match="50 draws are too few"):
        mediation(d["y"], d["x"], d["m"], draws=50)
    with pytest.raises(TandemError, match="'m' is explained wholly"):
        mediation(d["y"], d["x"], (2 * d["x"]).rename("m"))
    with pytest.raises(TandemError, match="no name"):
        mediation(d["y"].rename(None), d["x"], d["m"])


def test_bands_are_percentiles_of_regressions_on_drawn_entities():
    d = made_up()
    found = mediation(d["y"], d["x"], d["m"], d[["w"]], draws=99, seed=3, level=0.8)
    weights = np.random.default_rng(3).multinomial(N, np.full(N, 1 / N), size=99)
    drawn = [
        e for e, times in zip(d.index.unique(0), weights[5], strict=True) for _ in range(times)
    ]
    stacked = pd.concat({i: d.loc[e] for i, e in enumerate(drawn)})
    a = panel_regression(stacked["m"], stacked[["x", "w"]], "two-way")[0].params["x"]
    assert found.draws.loc[5, "x -> m"] == pytest.approx(a, rel=1e-8)
    t = found.terms
    assert t["std_error"].to_numpy() == pytest.approx(found.draws.std().to_numpy())
    assert t["conf_low"].to_numpy() == pytest.approx(found.draws.quantile(0.1).to_numpy())
    assert t["conf_high"].to_numpy() == pytest.approx(found.draws.quantile(0.9).to_numpy())
    step = found.steps.loc[("m on x", "x")]
    reach = stats.t.ppf(0.9, N - 1) * step["std_error"]
    assert step["conf_high"] == pytest.approx(step["estimate"] + reach)
    assert found.facts == {
        "n_obs": N * T, "n_dropped": 0, "n_clusters": N, "effects": "two-way", "draws": 99,
        "se_type": "bootstrap of whole entities",
    }  # fmt: skip


def test_p_values_are_twice_the_share_on_the_other_side():
    table = pd.DataFrame({"a": [1.0, -1, 0.5, 2, 3], "b": [-1.0, -2, -2, -3, -4], "c": [0.1] * 5})
    table.loc[1:, "c"] = [1.0, -1, 1, -1]
    table["d"], table["e"] = [2.0, 0, 1, 2, 3], [-2.0, 0, -1, -2, -3]
    found = _bands(table, 0.5)
    # a: one of four draws below zero; b: none, so one of five; c: half on either side; zero is both
    expected = {"a": 0.5, "b": 0.4, "c": 1.0, "d": 0.5, "e": 0.5}
    assert found["p_value"].to_dict() == pytest.approx(expected)
    assert found["estimate"].tolist() == [1.0, -1.0, 0.1, 2.0, -2.0]


def test_a_share_is_none_where_the_indirect_effect_exceeds_the_total():
    d = made_up()
    y = (d["y"] - 0.35 * d["x"]).rename("y")  # a direct effect of -.15 takes half of .3 away
    found = mediation(y, d["x"], d["m"], draws=99)
    e = found.terms["estimate"]
    assert 0 < e["total"] < e["indirect"] and np.isnan(found.share)
    assert "share: none" in found.summary
    assert 0 < mediation(d["y"], d["x"], d["m"], draws=99).share < 1


def test_moderated_effects_are_those_at_the_quantiles_of_the_moderator():
    d = made_up(a3=0.4)
    found = mediation(d["y"], d["x"], d["m"], moderator=d["w"], draws=99, effects="entity")
    e = found.terms["estimate"]
    first = panel_regression(
        d["m"], d[["x", "w"]].assign(xw=d["x"] * d["w"]), "entity"
    )[0].params  # fmt: skip
    second = panel_regression(d["y"], d[["x", "m", "w"]], "entity")[0].params
    for q in (10, 50, 90):
        at = d["w"].quantile(q / 100)
        expected = (first["x"] + first["xw"] * at) * second["m"]
        assert e[f"indirect at q{q}"] == pytest.approx(expected, rel=1e-8)
    assert e["indirect"] == e["indirect at q50"]
    assert e["index of moderated mediation"] == pytest.approx(first["xw"] * second["m"])
    total = panel_regression(d["y"], d[["x", "w"]], "entity")[0].params["x"]
    assert e["total"] == pytest.approx(total)
    assert found.steps.index.unique(0).tolist() == ["y on x", "m on x", "y on x and m"]


def test_what_is_not_given_is_said():
    d = made_up()
    plain = mediation(d["y"], d["x"], d["m"])
    given = mediation(d["y"], d["x"], d["m"], None, None, "two-way", 999, 1, 0.95)
    pd.testing.assert_frame_equal(plain.terms, given.terms)
    assert not mediation(d["y"], d["x"], d["m"], seed=2).terms.equals(plain.terms)
    with pytest.raises(TandemError, match="98 draws are too few"):
        mediation(d["y"], d["x"], d["m"], draws=98)
