"""Panel cointegration tests: formulas one entity at a time, size, power, refusals."""

import numpy as np
import pandas as pd
import pytest

from tandem.econometrics import cointegration_table, kao, pedroni, westerlund
from tandem.econometrics.panel_cointegration import (
    _kao,
    _pedroni,
    _pooled_slopes,
    _westerlund,
)
from tandem.errors import TandemError


def panel(seed, n=20, t=20, link=0.0, common=0.0, k=1):
    """y = sum of x + u with u's own root 1 - link, or y and x unrelated walks."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(size=(n, k, t + 20)) + common * rng.normal(size=(1, k, t + 20))
    e = rng.normal(size=(n, t + 20)) + common * rng.normal(size=(1, t + 20))
    x, u = steps.cumsum(axis=2), np.zeros((n, t + 20))
    for s in range(1, t + 20):
        u[:, s] = (1 - link) * u[:, s - 1] + e[:, s]
    y = u + (x.sum(axis=1) if link else 0)
    index = pd.MultiIndex.from_product([range(n), range(t)], names=["entity", "year"])
    values = x[..., -t:].transpose(0, 2, 1).reshape(-1, k)
    names = [f"x{i}" for i in range(k)]
    return pd.Series(y[:, -t:].ravel(), index), pd.DataFrame(values, index, names)


def cube_of(y, x):
    parts = [y.unstack(), *(x[c].unstack() for c in x)]
    return np.stack([p.to_numpy() for p in parts], axis=1)


def test_group_statistics_are_means_over_entities():
    cube = cube_of(*panel(1, n=3))
    together = _pedroni(cube[None], "c", 1)[0]
    alone = np.array([_pedroni(cube[None, [i]], "c", 1)[0] for i in range(3)])
    assert together[4:] == pytest.approx(alone[:, 4:].sum(axis=0) / np.sqrt(3))
    four = np.array([_westerlund(cube[None, [i]], "c", 1)[0] for i in range(3)])
    assert _westerlund(cube[None], "c", 1)[0][:2] == pytest.approx(four[:, :2].mean(axis=0))


@pytest.mark.parametrize("lags", [0, 1, 2])
def test_group_adf_of_one_entity_is_the_regression_of_its_residuals(lags):
    y, x = panel(2, n=1, t=30)
    z = np.column_stack([np.ones(30), x])
    e = y.to_numpy() - z @ np.linalg.lstsq(z, y, rcond=None)[0]
    d = np.diff(e)
    columns = [e[lags:-1], *(d[lags - j : 29 - j] for j in range(1, lags + 1))]
    w = np.column_stack(columns)
    b = np.linalg.lstsq(w, d[lags:], rcond=None)[0]
    u = d[lags:] - w @ b
    error = np.sqrt((u @ u / len(u)) * np.linalg.inv(w.T @ w)[0, 0])
    assert _pedroni(cube_of(y, x)[None], "c", lags)[0][6] == pytest.approx(b[0] / error)


def by_hand(y, x, trend):
    """alpha, its error, alpha(1), s and the years of one entity's regression (one x, one lag)."""
    dy, dx, t = np.diff(y), np.diff(x), len(y)
    steady = [np.ones(t - 2), np.arange(t - 2.0)][: len(trend)]
    w = np.column_stack([y[1:-1], x[1:-1], dy[:-1], *steady, dx[1:], dx[:-1]])
    b = np.linalg.lstsq(w, dy[1:], rcond=None)[0]
    e = dy[1:] - w @ b
    s = np.sqrt(e @ e / (len(e) - w.shape[1]))
    u = e + w[:, -2:] @ b[-2:]
    v = dy[1:] - (dy[1:].mean() if trend == "ct" else 0.0)

    def long_run(z):
        reach = int(4 * (len(z) / 100) ** (2 / 9))
        near = [(1 - j / (reach + 1)) * (z[j:] @ z[:-j]) for j in range(1, reach + 1)]
        return (z @ z + 2 * sum(near)) / len(z)

    error = s * np.sqrt(np.linalg.inv(w.T @ w)[0, 0])
    return b[0], error, np.sqrt(long_run(u) / long_run(v)), s, t - 2


@pytest.mark.parametrize("trend", ["c", "ct"])
def test_westerlund_is_his_regressions(trend):
    cube = cube_of(*panel(3, n=4, t=30))
    parts = np.array([by_hand(y, x, trend) for y, x in cube])
    alpha, error, alpha_1, s, steps = parts.T
    size = (s / error) ** 2  # of the lagged level without the other terms
    pooled = (alpha * size / alpha_1).sum() / size.sum()
    pooled_error = np.sqrt(((s / alpha_1) ** 2).mean() / size.sum())
    theirs = [(alpha / error).mean(), (steps * alpha / alpha_1).mean(), pooled / pooled_error,
              steps[0] * pooled]  # fmt: skip
    assert _westerlund(cube[None], trend, 1)[0] == pytest.approx(theirs)


@pytest.mark.parametrize(
    ("trend", "k", "means"),
    [
        ("c", 1, (-1.7776, -7.1423, -1.4476, -4.2303)),
        ("c", 2, (-2.0349, -9.1249, -1.7131, -5.8650)),
        ("ct", 1, (-2.3664, -12.0116, -2.1124, -8.9326)),
    ],
)
def test_westerlunds_statistics_have_his_means(trend, k, means):
    """Means of the limits (Westerlund 2007, table 1, as xtwest has them), also where dx counts."""
    rng = np.random.default_rng(5)
    steps = rng.normal(size=(60, 100, 1 + k, 150))
    steps[:, :, 0] += steps[:, :, 1]
    found = _westerlund(steps.cumsum(axis=3), trend, 0).mean(axis=0) / [1, 1, 10, 1]
    assert found == pytest.approx(means, rel=0.06)


def test_kaos_statistics_are_standard_normal_with_many_years():
    steps = np.random.default_rng(6).normal(size=(100, 50, 2, 250))
    found = _kao(steps.cumsum(axis=3), 1)
    assert found.mean(axis=0) == pytest.approx(np.zeros(5), abs=0.35)
    assert found.std(axis=0) == pytest.approx(np.ones(5), abs=0.25)


def test_slopes_of_the_bootstrap_are_those_of_the_changes():
    """Short panels with changes that follow their own past by .5; plain within slopes are .36."""
    rng = np.random.default_rng(2)
    e = rng.normal(size=(400, 30))
    for s in range(1, 30):
        e[:, s] += 0.5 * e[:, s - 1]
    change = e[:, -13:]
    slope = _pooled_slopes(change[:, 1:], change[:, None, :-1])
    assert slope == pytest.approx([0.5], abs=0.05)


def test_years_drawn_together_keep_dependence():
    """Where entities share shocks years drawn apart reject too often, together they do not."""
    shares = []
    for seed in range(60):
        y, x = panel(seed, common=1.0)
        tests = [westerlund(y, x, draws=99, seed=seed, together=way) for way in (True, False)]
        shares.append([(test.table["p_value"] <= 0.05).to_numpy() for test in tests])
    together, apart = np.mean(shares, axis=0)
    assert together.max() <= 0.13 and (apart > together).all(), (together, apart)


def test_size_and_power():
    shares = {}
    for link in (0.0, 0.4):
        runs = [
            cointegration_table(*panel(s, link=link), draws=99, seed=s)[0]["p_value"] <= 0.05
            for s in range(100)
        ]
        shares[link] = np.mean(runs, axis=0)
    assert (shares[0.0] <= 0.12).all(), shares[0.0]
    power = shares[0.4]
    assert (power[:12] >= 0.8).all() and (power[12:] >= 0.6).all(), power


def test_westerlunds_bootstrap_keeps_its_size_where_entities_move_together():
    own, normal = [], []
    for seed in range(100):
        y, x = panel(seed, common=1.0)
        own.append((westerlund(y, x, draws=99, seed=seed).table["p_value"] <= 0.05).to_numpy())
        normal.append((kao(y, x).table["p_value"] <= 0.05).to_numpy())
    assert (np.mean(own, axis=0) <= 0.12).all()
    assert np.mean(normal, axis=0).max() >= 0.2


def test_units_shifts_order_and_repetition_do_not_matter():
    y, x = panel(4, link=0.2)
    one, _ = cointegration_table(y, x, draws=49)
    two, _ = cointegration_table(8 * y + 3, x.sample(frac=1, random_state=1) * 0.25 - 1, draws=49)
    assert two["statistic"].to_numpy() == pytest.approx(one["statistic"].to_numpy(), rel=1e-6)
    assert (two["p_value"] == one["p_value"]).all()
    assert list(one["method"].unique()) == ["Pedroni", "Kao", "Westerlund"] and len(one) == 16


@pytest.mark.parametrize("test", [pedroni, kao, westerlund])
def test_what_they_cannot_do_is_said(test):
    y, x = panel(5)
    with pytest.raises(TandemError, match="3 lacks 7"):
        test(y.drop((3, 7)), x.drop((3, 7)))
    years = y.index.get_level_values(1)
    with pytest.raises(TandemError, match="too few"):
        test(y[years < 6], x[years < 6])
    still = y.where(y.index.get_level_values(0) != 4, 1.0)
    with pytest.raises(TandemError, match="hardly changes in 4"):
        test(still, x)


def test_a_refused_test_is_told_and_the_others_stand():
    y, x = panel(6)
    years = y.index.get_level_values(1)
    table, refused = cointegration_table(y[years < 11], x[years < 11], draws=19)
    assert [name for name, _ in refused] == ["Westerlund"]
    assert set(table["method"]) == {"Pedroni", "Kao"}
    with pytest.raises(TandemError, match="'n' is neither"):
        pedroni(y, x, trend="n")
