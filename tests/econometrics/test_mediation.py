"""Mediation: identities of the paths, known parameters, moderation."""

import numpy as np
import pandas as pd
import pytest

from tandem.econometrics.mediation import mediation
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
