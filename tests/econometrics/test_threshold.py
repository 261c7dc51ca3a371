"""Hansen's threshold model against published numbers, its definition, and its own size."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tandem.econometrics.static import panel_regression
from tandem.econometrics.threshold import PanelThreshold, _intervals
from tandem.errors import TandemError

HANSEN = Path(__file__).parents[3] / "shared" / "golden" / "data" / "hansen1999.csv"


def panel(seed=0, n=20, t=10, jumps=((0.3, 1.0),), spread=0.3, ties=False):
    """x's slope is 1 and grows by `jump` where q passes `gamma`; z has one slope."""
    rng = np.random.default_rng(seed)
    index = pd.MultiIndex.from_product([range(n), range(2001, 2001 + t)], names=["entity", "year"])
    frame = pd.DataFrame(rng.normal(size=(n * t, 3)), index, ["x", "z", "q"])
    if ties:
        frame["q"] = frame["q"].round(1)
    effect = np.repeat(rng.normal(size=n), t)
    slope = 1 + sum(jump * (frame["q"] > gamma) for gamma, jump in jumps)
    frame["y"] = slope * frame["x"] + 0.5 * frame["z"] + effect
    frame["y"] += spread * rng.normal(size=n * t)
    return frame


def fit(frame, thresholds=1, trim=0.05, **options):
    model = PanelThreshold(frame["y"], frame[["x"]], frame["q"], frame[["z"]], trim=trim)
    return model.fit(thresholds, **{"draws": 19} | options)


def within(v):
    return (v - v.groupby(level=0).transform("mean")).to_numpy()


def errors_at(frame, gammas):
    """Residuals by least squares on demeaned regressors, regimes spelled out."""
    parts = np.searchsorted(sorted(gammas), frame["q"], side="left")
    columns = [within(frame["x"].where(parts == r, 0.0)) for r in range(len(gammas) + 1)]
    design = np.column_stack([*columns, within(frame["z"])])
    y = within(frame["y"])
    return y - design @ np.linalg.lstsq(design, y, rcond=None)[0]


def ssr_at(frame, gammas):
    return float((errors_at(frame, gammas) ** 2).sum())


@pytest.mark.skipif(not HANSEN.exists(), reason="hansen1999.csv may not be redistributed")
def test_hansens_investment_example(expected):
    golden = expected["threshold_Hansen1999"]
    numbers = golden["every distinct value as grid"]
    data = pd.read_csv(HANSEN).set_index(["id", "year"])
    controls = data[["q1", "q2", "q3", "d1", "qd1"]]
    model = PanelThreshold(data["i"], data["c1"], data["d1"], controls, trim=0.01)
    first = model.fit(1, draws=1000).tests.loc[1]
    assert first["ssr_null"] == pytest.approx(numbers["S0"], rel=1e-5)
    assert first["ssr"] == pytest.approx(numbers["S1"], rel=1e-6)
    assert first["f_stat"] == pytest.approx(numbers["F1 with n(T-1)"], abs=0.005)
    assert first["p_value"] < 0.02  # about 0.005 with 300 draws
    drawn = first[["critical_10", "critical_5", "critical_1"]].to_numpy()
    assert drawn == pytest.approx(golden["critical values 10/5/1 % about"], rel=0.15)
    thresholds = model.fit(2, draws=1).thresholds["estimate"]
    assert thresholds[1] == numbers["gamma1"]
    assert thresholds[2] == pytest.approx(numbers["gamma2 given gamma1"], abs=0.005)


@pytest.mark.parametrize("ties", [False, True])
def test_the_grid_is_least_squares_at_every_value(ties):
    frame = panel(1, n=8, t=6, ties=ties)
    results = fit(frame, trim=0.1)
    values = np.sort(frame["q"].unique())
    share = np.array([(frame["q"] <= v).mean() for v in values])
    values = values[(share >= 0.1) & (share <= 0.9)]
    ssr = np.array([ssr_at(frame, [v]) for v in values])
    assert results.lr["gamma"].to_numpy() == pytest.approx(values)
    divisor = 8 * 5
    assert results.lr["lr"].to_numpy() == pytest.approx((ssr - ssr.min()) / ssr.min() * divisor)
    assert results.thresholds["estimate"][1] == values[ssr.argmin()]
    f_stat = (ssr_at(frame, []) - ssr.min()) / ssr.min() * divisor
    assert results.tests["f_stat"][1] == pytest.approx(f_stat)
    assert results.facts["ssr"] == pytest.approx(ssr.min())


def test_the_interval_is_the_likelihood_ratio_set():
    results = fit(panel(2))
    assert results.lr_critical == pytest.approx(7.3523, abs=1e-4)  # Hansen (1999), table of c
    inside = results.lr["gamma"][results.lr["lr"] <= results.lr_critical]
    row = results.thresholds.loc[1]
    assert (row["conf_low"], row["conf_high"]) == (inside.min(), inside.max())
    assert row["conf_low"] <= row["estimate"] <= row["conf_high"]


def test_two_thresholds_are_the_best_pair_after_refinement():
    frame = panel(3, n=10, t=8, jumps=((-0.5, 2.0), (0.5, -1.0)))
    results = fit(frame, 2, trim=0.1)
    found = list(results.thresholds["estimate"])
    values = np.sort(frame["q"])[7:-8:4]
    pairs = [(a, b) for a in values for b in values if b > a]
    allowed = [p for p in pairs if ((frame["q"] > p[0]) & (frame["q"] <= p[1])).mean() >= 0.1]
    assert ssr_at(frame, found) <= min(ssr_at(frame, p) for p in allowed) * (1 + 1e-9)
    assert found == pytest.approx([-0.5, 0.5], abs=0.15)
    assert (results.lr.groupby("threshold")["lr"].min() == 0).all()
    assert results.regimes["n_obs"].sum() == len(frame)
    assert (results.regimes["share"] >= 0.1).all()


def test_three_thresholds_are_found():
    frame = panel(4, n=60, jumps=((-0.8, 1.5), (0.0, 1.5), (0.8, 1.5)), spread=0.2)
    results = fit(frame, 3)
    assert list(results.thresholds["estimate"]) == pytest.approx([-0.8, 0.0, 0.8], abs=0.05)
    slopes = results.terms["estimate"].filter(like="x, regime")
    assert list(slopes) == pytest.approx([1, 2.5, 4, 5.5], abs=0.1)
    assert results.terms.loc["z", "estimate"] == pytest.approx(0.5, abs=0.05)
    assert (results.tests["p_value"] < 0.06).all()
    assert "Hansen 1999" in results.summary and "clustered by entity" in results.summary


def test_neither_row_order_nor_units_matter():
    frame = panel(5)
    one = fit(frame, 2, draws=99)
    shuffled = fit(frame.sample(frac=1, random_state=1), 2, draws=99)
    pd.testing.assert_frame_equal(one.tests, shuffled.tests)
    pd.testing.assert_frame_equal(one.thresholds, shuffled.thresholds)
    scaled = fit(frame.assign(x=frame["x"] * 1e6, y=frame["y"] * 1e-4), 2, draws=99)
    assert scaled.tests["f_stat"].to_numpy() == pytest.approx(one.tests["f_stat"].to_numpy())
    assert scaled.tests["p_value"].equals(one.tests["p_value"])


def test_a_true_null_is_rejected_about_as_often_as_it_should():
    p = [fit(panel(s, jumps=()), draws=99).tests["p_value"][1] for s in range(60)]
    # 60 trials: 5 % has a standard error of 2.8 points
    assert np.mean(np.array(p) <= 0.05) < 0.15
    assert 0.35 < np.mean(p) < 0.65


def test_the_bootstrap_draws_whole_entities():
    """One draw, repeated by hand from the residuals of the larger model."""
    frame = panel(6, n=6, t=5)
    results = fit(frame, draws=1, seed=3)
    gamma = results.thresholds["estimate"][1]
    errors = errors_at(frame, [gamma]).reshape(6, 5)
    stream = np.random.SeedSequence(3).spawn(1)[0]
    chosen = np.random.default_rng(stream).integers(6, size=(1, 6))[0]
    drawn = frame.assign(y=errors[chosen].ravel())
    ssr = min(ssr_at(drawn, [g]) for g in results.lr["gamma"])
    f_stat = (ssr_at(drawn, []) - ssr) / ssr * 6 * 4
    assert results.tests["critical_5"][1] == pytest.approx(f_stat)


def test_incomplete_years_are_dropped_and_counted():
    frame = panel(7)
    frame.loc[(slice(None), 2001), "x"] = np.nan
    frame.loc[(3, 2001), "z"] = np.inf
    assert fit(frame).facts["n_dropped"] == 20
    assert fit(frame).facts["n_periods"] == 9


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.drop((3, 2004)), "3 has no complete row for 2004"),
        (lambda f: f.assign(x=f["x"].mask(f.index == (3, 2004))), "3 has no complete row for 2004"),
        (lambda f: f.drop((3, 2004)).drop(index=2004, level=1).loc[[3]], "3 alone was given"),
        (lambda f: f[f.index.get_level_values(1) == 2001], "Only the year 2001"),
        (lambda f: f.assign(z=1.0), "'z' is constant"),
        (lambda f: f.assign(q=0.2), "'threshold variable q' is constant"),
        (lambda f: f.assign(z=f["x"] * 2), "collinear"),
        (lambda f: f.assign(z=f["z"].astype(str)), "'z' holds text"),
        (lambda f: pd.concat([f, f.loc[[(3, 2004)]]]), "3 has two rows for 2004"),
        (lambda f: f.assign(q=(f["q"] > 2.2) * 1.0), "No value of the threshold variable"),
        (lambda f: f.assign(z=np.nan), "No row has a value of each of y, x, z"),
    ],
)
def test_what_cannot_be_estimated_is_refused_in_words(change, words):
    with pytest.raises(TandemError, match=words):
        fit(change(panel(8)))


def test_options_out_of_range_are_refused():
    frame = panel(9)
    with pytest.raises(TandemError, match="One to 3 thresholds"):
        fit(frame, 4)
    with pytest.raises(TandemError, match="at least one draw"):
        fit(frame, draws=0)
    with pytest.raises(TandemError, match="between 0 and 0.5"):
        fit(frame, trim=0.6)


def test_every_edge_of_the_grid_leaves_each_regime_its_share():
    frame = panel(10, n=10, t=10)
    for trim in (0.05, 0.1, 0.25):
        gammas = fit(frame, trim=trim).lr["gamma"]
        ordered = np.sort(frame["q"])
        least = int(round(trim * 100))
        assert gammas.min() == ordered[least - 1] and gammas.max() == ordered[100 - least - 1]
    two = fit(frame, 2, trim=0.1)
    low, high = two.thresholds["estimate"]
    # given the upper threshold the lower one may lie on either side of it, ten rows away
    rank = np.searchsorted(ordered, high, side="right")
    places = [*range(10, rank - 9), *range(rank + 10, 91)]
    first = two.lr.loc[two.lr["threshold"] == 1, "gamma"]
    assert first.tolist() == [ordered[place - 1] for place in places]
    assert low in first.tolist()


def test_critical_values_and_p_are_those_of_the_draws():
    """Every draw by least squares on whole entities' residuals."""
    frame = panel(11, n=5, t=6, jumps=())
    results = fit(frame, draws=12, seed=4, trim=0.1)
    gamma = results.thresholds["estimate"][1]
    errors = errors_at(frame, [gamma]).reshape(5, 6)
    rng = np.random.default_rng(np.random.SeedSequence(4).spawn(1)[0])
    drawn = []
    for chosen in rng.integers(5, size=(12, 5)):
        again = frame.assign(y=errors[chosen].ravel())
        ssr = min(ssr_at(again, [g]) for g in results.lr["gamma"])
        drawn.append((ssr_at(again, []) - ssr) / ssr * 25)
    row = results.tests.loc[1]
    assert row["p_value"] == pytest.approx(np.mean(np.array(drawn) >= row["f_stat"]))
    assert 0 < row["p_value"] < 1
    quantiles = np.quantile(drawn, [0.9, 0.95, 0.99])
    assert row[["critical_10", "critical_5", "critical_1"]].tolist() == pytest.approx(quantiles)
    assert row["ssr_null"] == pytest.approx(ssr_at(frame, []))
    assert row["ssr"] == pytest.approx(ssr_at(frame, [gamma]))


def test_batches_of_the_bootstrap_change_nothing(monkeypatch):
    frame = panel(12)
    whole = fit(frame, 2, draws=23).tests
    for numbers in (1, 200 * 5):
        monkeypatch.setattr("tandem.econometrics.threshold.BATCH", numbers)
        pd.testing.assert_frame_equal(fit(frame, 2, draws=23).tests, whole)


def test_regimes_terms_and_facts_are_those_of_the_regression():
    frame = panel(13, n=12, t=8)
    results = fit(frame, 1, level=0.9)
    gamma = results.thresholds["estimate"][1]
    low = frame["q"] <= gamma
    design = pd.DataFrame(
        {"low": frame["x"].where(low, 0.0), "high": frame["x"].where(~low, 0.0), "z": frame["z"]}
    )
    fe, facts = panel_regression(frame["y"], design, "entity")
    assert results.terms["estimate"].to_numpy() == pytest.approx(fe.params.to_numpy())
    assert results.terms["std_error"].to_numpy() == pytest.approx(fe.std_errors.to_numpy())
    reach = stats.t.ppf(0.95, 11) * fe.std_errors.to_numpy()
    assert results.terms["conf_high"].to_numpy() == pytest.approx(fe.params.to_numpy() + reach)
    assert results.terms.index.tolist() == ["x, regime 1", "x, regime 2", "z"]
    assert (results.regime == np.where(low, 1, 2)).all()
    for r, mine in ((1, low), (2, ~low)):
        row = results.regimes.loc[r]
        assert row["n_obs"] == mine.sum() and row["share"] == pytest.approx(mine.mean())
        assert row["n_entities"] == frame[mine].index.get_level_values(0).nunique()
    assert results.regimes["above"].tolist() == [-np.inf, gamma]
    assert results.regimes["up_to"].tolist() == [gamma, np.inf]
    assert results.lr_critical == pytest.approx(-2 * np.log(1 - np.sqrt(0.9)))
    expected = {
        "n_obs": 96, "n_entities": 12, "n_periods": 8, "trim": 0.05, "draws": 19, "seed": 1,
        "conf_level": 0.9, "r2_within": fe.rsquared_within, "n_dropped": 0, "t_df": 11,
    }  # fmt: skip
    assert {name: results.facts[name] for name in expected} == pytest.approx(expected)
    flat = results.statistics
    assert flat["threshold_1"] == gamma and flat["threshold_1_f"] == results.tests["f_stat"][1]
    assert flat["threshold_1_low"] == results.thresholds["conf_low"][1]
    classical = fit(frame, 1, se="unadjusted")
    assert "t_df" not in classical.facts


def test_sets_with_holes_and_at_the_edge_are_told():
    curve = pd.DataFrame({"threshold": 1, "gamma": np.arange(6.0), "lr": [9.0, 1, 9, 0, 2, 9]})
    row = _intervals(curve, (3.0,), 5.0).loc[1]
    assert (row["conf_low"], row["conf_high"]) == (1.0, 4.0)
    assert not row["connected"] and not row["at_edge"]
    for lr in ([9.0, 9, 9, 0, 2, 5], [4.0, 1, 0, 9, 9, 9]):
        row = _intervals(curve.assign(lr=lr), (3.0,), 5.0).loc[1]
        assert row["connected"] and row["at_edge"]
    # without an effect the data bound nothing
    assert "reaches the edge of the grid" in fit(panel(14, n=6, jumps=())).summary


def test_what_is_not_given_is_said():
    frame = panel(15, n=8, t=6)
    model = PanelThreshold(frame["y"], frame["x"], frame["q"])
    given = PanelThreshold(frame["y"], frame[["x"]], frame["q"], None, 0.05)
    one, other = model.fit(), given.fit(1, 300, 1, "clustered", 0.95)
    pd.testing.assert_frame_equal(one.tests, other.tests)
    pd.testing.assert_frame_equal(one.terms, other.terms)
    assert one.facts == other.facts and one.facts["draws"] == 300
    assert not model.fit(seed=2).tests.equals(one.tests)
    for thresholds in (0, 4):
        with pytest.raises(TandemError, match=f"not {thresholds}"):
            model.fit(thresholds)
    for trim in (0.0, 0.5):
        with pytest.raises(TandemError, match="between 0 and 0.5"):
            PanelThreshold(frame["y"], frame["x"], frame["q"], trim=trim)
    assert model.fit(draws=1).facts["draws"] == 1


def test_several_regressors_change_at_once():
    frame = panel(16, n=10, t=8)
    frame["x2"] = np.random.default_rng(1).normal(size=len(frame))
    frame["y"] += frame["x2"] * (1 - 2 * (frame["q"] > 0.3))
    results = PanelThreshold(frame["y"], frame[["x", "x2"]], frame["q"]).fit(draws=5)
    gamma = results.thresholds["estimate"][1]
    best = None
    for g in results.lr["gamma"]:
        low = frame["q"] <= g
        columns = [within(frame[c].where(m, 0.0)) for c in ("x", "x2") for m in (low, ~low)]
        design, y = np.column_stack(columns), within(frame["y"])
        ssr = ((y - design @ np.linalg.lstsq(design, y, rcond=None)[0]) ** 2).sum()
        best = min(best or (np.inf, 0), (ssr, g))
    assert (results.tests["ssr"][1], gamma) == pytest.approx(best)
