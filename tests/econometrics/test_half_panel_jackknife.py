import numpy as np
import pandas as pd
import pytest

from tandem.econometrics import half_panel_jackknife_causality
from tandem.econometrics.half_panels import half_panels
from tandem.errors import TandemError


def panel(seed, n=30, t=20, link=0.0):
    rng = np.random.default_rng(seed)
    x, y = np.zeros((n, t + 20)), np.zeros((n, t + 20))
    own = rng.uniform(0.2, 0.6, size=n)
    for s in range(1, t + 20):
        x[:, s] = 0.5 * x[:, s - 1] + rng.normal(size=n)
        y[:, s] = own * y[:, s - 1] + link * x[:, s - 1] + rng.normal(size=n)
    index = pd.MultiIndex.from_product([range(n), range(t)], names=["entity", "year"])
    return pd.Series(y[:, -t:].ravel(), index, name="y"), pd.Series(
        x[:, -t:].ravel(), index, name="x"
    )


def by_hand(y, x, years):
    """Pooled slope of x's past after regressing it and y on each entity's own past."""
    top = bottom = 0.0
    for e in y.index.unique(0):
        frame = pd.DataFrame({"y": y[e], "l": y[e].shift(1), "x": x[e].shift(1)}).dropna()
        frame = frame.iloc[years]
        z = np.column_stack([np.ones(len(frame)), frame["l"]])
        m = np.eye(len(frame)) - z @ np.linalg.pinv(z)
        top += frame["x"] @ m @ frame["y"]
        bottom += frame["x"] @ m @ frame["x"]
    return top / bottom


def test_the_estimate_is_twice_the_whole_less_the_halves():
    y, x = panel(1, n=6, t=21)
    fit = half_panel_jackknife_causality(y, x)
    whole, first, second = (by_hand(y, x, s) for s in (slice(None), slice(0, 10), slice(10, None)))
    assert fit.terms.loc["L1.x", "estimate"] == pytest.approx(2 * whole - (first + second) / 2)


def test_an_odd_year_goes_to_each_half_in_turn():
    halves = half_panels(np.ones((1, 7), bool))
    assert [h.sum() for h in halves] == [3, 4, 4, 3]


def test_shocks_of_all_entities_go_with_the_years_means():
    """Common shocks make the plain test reject half of all true nulls."""
    rejected = []
    for seed in range(80):
        y, x = panel(seed)
        rng = np.random.default_rng(1000 + seed)
        years = y.index.get_level_values(1)
        y = y + rng.normal(size=20).cumsum()[years]
        x = x + rng.normal(size=20).cumsum()[years]
        fits = [half_panel_jackknife_causality(y, x, time_effects=way) for way in (False, True)]
        rejected.append([fit.test.pval < 0.05 for fit in fits])
    plain, years_out = np.mean(rejected, axis=0)
    assert plain >= 0.25 and years_out <= 0.15, (plain, years_out)
    with_shift = half_panel_jackknife_causality(y + 3.0 * (years == 5), x, time_effects=True)
    assert with_shift.test.stat == pytest.approx(fits[1].test.stat, rel=1e-9)


@pytest.mark.parametrize("variance", ["hac", "robust", "bootstrap"])
def test_size_power_and_coverage(variance):
    reject, hold = {0.0: [], 0.15: []}, []
    for link, found in reject.items():
        for seed in range(150):
            fit = half_panel_jackknife_causality(
                *panel(seed, link=link), variance=variance, draws=199
            )
            found.append(fit.test.pval < 0.05)
            row = fit.terms.iloc[0]
            hold.append(row["conf_low"] <= link <= row["conf_high"])
    assert 0.01 <= np.mean(reject[0.0]) <= 0.11
    assert np.mean(reject[0.15]) >= 0.75
    assert 0.88 <= np.mean(hold) <= 0.985


def test_the_jackknife_takes_the_bias_of_few_years_away():
    errors = [
        half_panel_jackknife_causality(*panel(s, n=60, t=13, link=0.3)).terms["estimate"].iloc[0]
        - 0.3
        for s in range(80)
    ]
    assert abs(np.mean(errors)) < 0.02


def test_units_and_order_do_not_matter():
    y, x = panel(2, link=0.2)
    one = half_panel_jackknife_causality(y, x, 2)
    two = half_panel_jackknife_causality(1e6 * y, x.sample(frac=1, random_state=1) * 1e-3, 2)
    assert two.test.stat == pytest.approx(one.test.stat)
    assert two.terms["estimate"].to_numpy() == pytest.approx(1e9 * one.terms["estimate"])
    assert one.test.df == 2


def test_what_it_cannot_do_is_said():
    y, x = panel(3, t=8)
    with pytest.raises(TandemError, match="needs 9"):
        half_panel_jackknife_causality(y, x)
    with pytest.raises(TandemError, match="'dk' is none"):
        half_panel_jackknife_causality(*panel(3), variance="dk")
    y, x = panel(3)
    with pytest.raises(TandemError, match="constant in 4"):
        half_panel_jackknife_causality(y, x.where(x.index.get_level_values(0) != 4, 1.0))


def slow(y, x, lags, parts):
    """Slopes of x's past of each part of the years, what is left of y and x; entity by entity."""
    found = []
    for start, stop in parts:
        xx, xy, rows = 0.0, 0.0, []
        for e in y.index.unique(0):
            a, b = y[e].to_numpy(), x[e].to_numpy()
            past = [[v[lags - j : len(v) - j] for j in range(1, lags + 1)] for v in (a, b)]
            n = len(a) - lags
            mine = slice(start(n), stop(n))
            z = np.column_stack([np.ones(n), *past[0]])[mine]
            m = np.eye(len(z)) - z @ np.linalg.pinv(z)
            left, right = m @ a[lags:][mine], m @ np.column_stack(past[1])[mine]
            xx, xy = xx + right.T @ right, xy + right.T @ left
            rows.append((left, right))
        found.append((np.linalg.solve(xx, xy), xx, rows))
    return found


PARTS = [
    (lambda n: 0, lambda n: n), (lambda n: 0, lambda n: n // 2), (lambda n: n // 2, lambda n: n),
    (lambda n: 0, lambda n: n - n // 2), (lambda n: n - n // 2, lambda n: n),
]  # fmt: skip


@pytest.mark.parametrize("lags", [1, 2])
@pytest.mark.parametrize("variance", ["hac", "robust"])
@pytest.mark.parametrize("t", [21, 30, 35])
def test_estimate_and_variance_are_their_formulas(lags, variance, t):
    y, x = panel(5, n=6, t=t, link=0.2)
    early = y.index.get_level_values(1) >= 3  # entity 4 starts three years later
    kept = (y.index.get_level_values(0) != 4) | early
    y, x = y[kept], x[kept]
    fit = half_panel_jackknife_causality(y, x, lags, variance)
    (plain, xx, rows), *halves = slow(y, x, lags, PARTS)
    b = 2 * plain - sum(h[0] for h in halves) / 4
    assert fit.terms["estimate"].to_numpy() == pytest.approx(b)
    used = np.mean([len(left) for left, _ in rows])
    reach = int(4 * (used / 100) ** (2 / 9)) if variance == "hac" else 0
    meat = 0.0
    for left, right in rows:
        n = len(left)
        scores = right * (left - right @ plain)[:, None] * np.sqrt(n / (n - 1 - lags))
        for s in range(n):
            for r in range(max(0, s - reach), min(n, s + reach + 1)):
                meat = meat + (1 - abs(s - r) / (reach + 1)) * np.outer(scores[s], scores[r])
    cov = np.linalg.inv(xx) @ meat @ np.linalg.inv(xx)
    assert fit.terms["std_error"].to_numpy() == pytest.approx(np.sqrt(np.diag(cov)))
    assert fit.test.stat == pytest.approx(b @ np.linalg.solve(cov, b))
    assert (fit.n_entities, fit.n_obs, fit.lags) == (6, 6 * (t - lags) - 3, lags)
    assert fit.terms.index.tolist() == [f"L{j}.x" for j in range(1, lags + 1)]


def test_the_bootstrap_draws_whole_entities():
    y, x = panel(6, n=5, t=15, link=0.2)
    fit = half_panel_jackknife_causality(y, x, variance="bootstrap", draws=30, seed=4)
    weights = np.random.default_rng(4).multinomial(5, np.full(5, 0.2), size=30)
    parts = slow(y, x, 1, PARTS)
    drawn = []
    for w in weights:
        b = [
            sum(k * r.T @ a for k, (a, r) in zip(w, rows, strict=True))
            / sum(k * r.T @ r for k, (_, r) in zip(w, rows, strict=True))
            for _, _, rows in parts
        ]
        drawn.append((2 * b[0] - sum(b[1:]) / 4).item())
    assert fit.terms["std_error"].item() == pytest.approx(np.std(drawn, ddof=1))


def test_what_is_not_given_is_said_and_the_least_years():
    y, x = panel(7, t=20)
    plain = half_panel_jackknife_causality(y, x)
    pd.testing.assert_frame_equal(
        plain.terms, half_panel_jackknife_causality(y, x, 1, "hac", 999, 1, False).terms
    )
    assert "hac variance" in plain.summary and "chi2(1)" in plain.summary
    boot = [
        half_panel_jackknife_causality(y, x, variance="bootstrap", **o).terms["std_error"].item()
        for o in ({}, {"draws": 999, "seed": 1}, {"draws": 998}, {"draws": 1000}, {"seed": 2})
    ]
    assert boot[0] == boot[1] and boot[0] not in boot[2:]
    years = y.index.get_level_values(1)
    for lags, least in ((1, 9), (2, 14)):  # two halves of 2 lags + 2 equations, and the lags
        assert half_panel_jackknife_causality(y[years < least], x[years < least], lags).n_obs
        with pytest.raises(TandemError, match=f"0 has {least - 1} years in use; .* needs {least}"):
            half_panel_jackknife_causality(y[years < least - 1], x[years < least - 1], lags)
    with pytest.raises(TandemError, match="at least one lag; lags=0"):
        half_panel_jackknife_causality(y, x, 0)
