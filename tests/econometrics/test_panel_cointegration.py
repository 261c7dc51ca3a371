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


def left_of(y, *others):
    z = np.column_stack(others)
    return y - z @ np.linalg.lstsq(z, y, rcond=None)[0]


def long_run(u):
    reach = int(4 * (len(u) / 100) ** (2 / 9))
    near = [(1 - j / (reach + 1)) * (u[j:] @ u[:-j]) for j in range(1, reach + 1)]
    return (u @ u + 2 * sum(near)) / len(u)


def pedroni_by_hand(cube, trend, lags):
    """Pedroni (1999), table 1, entity after entity."""
    n, _, t = cube.shape
    sums, groups, weights, pooled_adf = np.zeros(2), np.zeros(3), np.zeros(2), np.zeros(2)
    for values in cube:
        y, x = values[0], values[1:].T
        e = left_of(y, x, np.ones(t), *[np.arange(t)] * (trend == "ct"))
        l2 = long_run(left_of(np.diff(y), np.diff(x, axis=0), np.ones(t - 1)))
        past, step = e[:-1], np.diff(e)
        u = left_of(step, past)
        s2, sigma2 = u @ u / (t - 1), long_run(u)
        moved, size = past @ step - (t - 1) * (sigma2 - s2) / 2, past @ past
        lagged = [step[lags - j : t - 1 - j] for j in range(1, lags + 1)]
        now, level = step[lags:], e[lags:-1]
        if lags:
            now, level = left_of(now, *lagged), left_of(level, *lagged)
        error = left_of(now, level)
        s2_adf = error @ error / len(error)
        sums += np.array([size, moved]) / l2
        weights += np.array([sigma2, s2_adf]) / l2 / n
        pooled_adf += np.array([level @ now, level @ level]) / l2
        groups += [
            moved / size,
            moved / np.sqrt(sigma2 * size),
            level @ now / np.sqrt(s2_adf * (level @ level)),
        ]
    return [
        t**2 * n**1.5 / sums[0],
        t * np.sqrt(n) * sums[1] / sums[0],
        sums[1] / np.sqrt(weights[0] * sums[0]),
        pooled_adf[0] / np.sqrt(weights[1] * pooled_adf[1]),
        *(groups * [t, 1, 1] / np.sqrt(n)),
    ]


@pytest.mark.parametrize("trend", ["c", "ct"])
@pytest.mark.parametrize(("lags", "k", "t"), [(0, 1, 30), (1, 2, 28), (2, 1, 31)])
def test_pedronis_seven_are_his_formulas(trend, lags, k, t):
    cube = cube_of(*panel(11, n=4, t=t, k=k))
    found = _pedroni(cube[None], trend, lags)[0]
    assert found == pytest.approx(pedroni_by_hand(cube, trend, lags), rel=1e-8)


def kao_by_hand(cube, lags):
    """Kao (1999): DF rho, DF t, both starred, ADF."""
    n, _, t = cube.shape
    within = cube - cube.mean(axis=2, keepdims=True)
    flat = within.transpose(1, 0, 2).reshape(cube.shape[1], -1)
    e = left_of(flat[0], flat[1:].T).reshape(n, t)
    past, now = e[:, :-1].ravel(), e[:, 1:].ravel()
    rho = past @ now / (past @ past)
    s2 = ((now - rho * past) ** 2).sum() / (n * (t - 1) - 1)
    t_rho = (rho - 1) / np.sqrt(s2 / (past @ past))
    step = np.diff(e, axis=1)
    columns = [e[:, lags:-1], *(step[:, lags - j : t - 1 - j] for j in range(1, lags + 1))]
    z = np.column_stack([c.ravel() for c in columns])
    b = np.linalg.lstsq(z, step[:, lags:].ravel(), rcond=None)[0]
    left = step[:, lags:].ravel() - z @ b
    t_adf = b[0] / np.sqrt(left @ left / (len(left) - 1 - lags) * np.linalg.inv(z.T @ z)[0, 0])
    w = np.diff(cube, axis=2)
    w = w - w.mean(axis=2, keepdims=True)
    short = sum(a @ a.T for a in w) / (n * (t - 1))
    reach, whole = int(4 * (t / 100) ** (2 / 9)), short.copy()
    for j in range(1, reach + 1):
        near = sum(a[:, j:] @ a[:, :-j].T for a in w) / (n * (t - 1))
        whole += (1 - j / (reach + 1)) * (near + near.T)
    v, v0 = (
        np.sqrt(c[0, 0] - c[0, 1:] @ np.linalg.inv(c[1:, 1:]) @ c[1:, 0]) for c in (short, whole)
    )
    drift = np.sqrt(n) * t * (rho - 1)
    shift = np.sqrt(6 * n) * v / (2 * v0)
    scale = np.sqrt(v0**2 / (2 * v**2) + 3 * v**2 / (10 * v0**2))
    return [
        (drift + 3 * np.sqrt(n)) / np.sqrt(10.2),
        np.sqrt(1.25) * t_rho + np.sqrt(1.875 * n),
        (drift + 3 * np.sqrt(n) * v**2 / v0**2) / np.sqrt(3 + 36 * v**4 / (5 * v0**4)),
        (t_rho + shift) / scale,
        (t_adf + shift) / scale,
    ]


@pytest.mark.parametrize(("lags", "k", "t"), [(0, 1, 20), (1, 1, 28), (2, 2, 29)])
def test_kaos_five_are_his_formulas(lags, k, t):
    cube = cube_of(*panel(12, n=4, t=t, k=k))
    assert _kao(cube[None], lags)[0] == pytest.approx(kao_by_hand(cube, lags), rel=1e-8)


@pytest.mark.parametrize("trend", ["c", "ct"])
@pytest.mark.parametrize(("lags", "k"), [(0, 1), (2, 1), (1, 2), (2, 2)])
def test_westerlund_is_his_regressions_with_other_lags_and_regressors(trend, lags, k):
    cube = cube_of(*panel(13, n=3, t=32, k=k))
    parts, size = [], []
    for values in cube:
        y, x, t = values[0], values[1:].T, values.shape[1]
        dy, dx = np.diff(y), np.diff(x, axis=0)
        steady = np.column_stack([np.ones(t - 1), np.arange(t - 1)])[lags:, : len(trend)]
        own = [dy[lags - j : t - 1 - j] for j in range(1, lags + 1)]
        outside = [dx[lags - j : t - 1 - j] for j in range(lags + 1)]
        z = np.column_stack([y[lags:-1], x[lags:-1], steady, *own, *outside])
        b = np.linalg.lstsq(z, dy[lags:], rcond=None)[0]
        e = dy[lags:] - z @ b
        s = np.sqrt(e @ e / (len(e) - z.shape[1]))
        n_dx = k * (lags + 1)
        u = e + z[:, -n_dx:] @ b[-n_dx:]
        v = dy[lags:] - (dy[lags:].mean() if trend == "ct" else 0.0)
        parts.append((b[0], s, np.sqrt(long_run(u) / long_run(v))))
        size.append(1 / np.linalg.inv(z.T @ z)[0, 0])
    (alpha, s, alpha_1), size = np.array(parts).T, np.array(size)
    pooled = (alpha * size / alpha_1).sum() / size.sum()
    theirs = [
        (alpha * np.sqrt(size) / s).mean(),
        (31 - lags) * (alpha / alpha_1).mean(),
        pooled / np.sqrt(((s / alpha_1) ** 2).mean() / size.sum()),
        (31 - lags) * pooled,
    ]
    assert _westerlund(cube[None], trend, lags)[0] == pytest.approx(theirs, rel=1e-8)


def test_p_values_are_shares_of_panels_of_walks():
    """The seed, the number of draws and the lags that are not given are 1, 999 and 1."""
    y, x = panel(14, n=3, t=14, link=0.3)
    cube = cube_of(y, x)
    walks = np.random.default_rng(1).standard_normal((999, 3, 2, 14)).cumsum(axis=3)
    for test, statistics, upper in (
        (pedroni, lambda c: _pedroni(c, "c", 1), [True] + 6 * [False]),
        (kao, lambda c: _kao(c, 1), 5 * [False]),
    ):
        found, null = statistics(cube[None])[0], statistics(walks)
        beyond = np.where(upper, null >= found, null <= found).sum(axis=0)
        fit = test(y, x)
        assert fit.table["p_value"].to_numpy() == pytest.approx((1 + beyond) / 1000)
        standardised = (found - null.mean(axis=0)) / null.std(axis=0)
        assert fit.table["standardised"].to_numpy() == pytest.approx(standardised, rel=1e-6)
        assert fit.facts | {"method": ""} == {
            "trend": "constant", "n_entities": 3, "n_years": 14, "method": "", "lags": 1,
            "bandwidth": 2, "draws": 999,
        }  # fmt: skip
        assert "n_years 14" in fit.summary


def sieve_by_hand(cube, lags, draws, rng, together):
    """Panels under the null, value by value."""
    n, m, t = cube.shape
    change = np.diff(cube, axis=2)
    change = change - change.mean(axis=2, keepdims=True)
    z = np.concatenate(
        [change[:, 1:, lags:], *(change[..., lags - j : t - 1 - j] for j in range(1, lags + 1))], 1
    )
    b = _pooled_slopes(change[:, 0, lags:], z)
    e = change[:, 0, lags:] - np.einsum("k,nkt->nt", b, z)
    e = e - e.mean(axis=1, keepdims=True)
    built = np.zeros((draws, n, m, t))
    years = rng.integers(0, t - 1 - lags, (draws, 1 if together else n, t - 1))
    for d in range(draws):
        for i in range(n):
            moves = np.zeros((m, t - 1))
            for s in range(t - 1):
                year = years[d, 0 if together else i, s]
                moves[1:, s] = change[i, 1:, lags + year]
                moves[0, s] = e[i, year] + b[: m - 1] @ moves[1:, s]
                for j in range(1, lags + 1):
                    if s >= j:
                        moves[0, s] += b[m - 1 + (j - 1) * m :][:m] @ moves[:, s - j]
            built[d, i, :, 1:] = moves.cumsum(axis=1)
    return built


@pytest.mark.parametrize(("lags", "k", "together"), [(1, 1, True), (2, 2, False), (0, 1, True)])
def test_westerlunds_resamples_are_built_year_by_year(lags, k, together):
    y, x = panel(15, n=3, t=22, link=0.3, k=k)
    cube = cube_of(y, x)
    cube = cube / cube.std(axis=(0, 2))[:, None]
    built = sieve_by_hand(cube, lags, 25, np.random.default_rng(1), together)
    null, found = _westerlund(built, "c", lags), _westerlund(cube[None], "c", lags)[0]
    fit = westerlund(y, x, lags=lags, draws=25, together=together)
    assert fit.table["standardised"].to_numpy() == pytest.approx(
        (found - null.mean(axis=0)) / null.std(axis=0), rel=1e-7
    )
    assert fit.table["p_value"].to_numpy() == pytest.approx((1 + (null <= found).sum(axis=0)) / 26)
    assert fit.facts["years_drawn"] == ("together" if together else "apart")


def test_pooled_slopes_are_twice_the_whole_less_the_mean_of_the_halves():
    rng = np.random.default_rng(3)
    y, z = rng.normal(size=(5, 9)), rng.normal(size=(5, 2, 9))

    def within(years):
        rows = [(z[i, j, years] - z[i, j, years].mean()) for i in range(5) for j in range(2)]
        left = np.concatenate([y[i, years] - y[i, years].mean() for i in range(5)])
        right = np.array(rows).reshape(5, 2, -1).transpose(0, 2, 1).reshape(-1, 2)
        return np.linalg.lstsq(right, left, rcond=None)[0]

    halves = [within(slice(*part)) for part in ((0, 4), (4, 9), (0, 5), (5, 9))]
    expected = 2 * within(slice(None)) - sum(halves) / 4
    assert _pooled_slopes(y, z) == pytest.approx(expected)


def test_what_is_not_given_is_said_and_chunks_change_nothing(monkeypatch):
    y, x = panel(16, n=3, t=14, link=0.3)
    whole, _ = cointegration_table(y, x)
    given, _ = cointegration_table(y, x, "c", 1, 999, 1)
    pd.testing.assert_frame_equal(whole, given)
    assert whole["p_value"].tolist() == [
        p for test in (pedroni, kao, westerlund) for p in test(y, x).table["p_value"]
    ]
    other, _ = cointegration_table(y, x, seed=2)
    assert (other["p_value"] != whole["p_value"]).any()
    monkeypatch.setattr(
        "tandem.econometrics.panel_cointegration.VALUES_PER_CHUNK", 3 * 2 * 14 * 400
    )
    pieces, _ = cointegration_table(y, x)
    pd.testing.assert_frame_equal(pieces, whole)


@pytest.mark.parametrize(("test", "least"), [(pedroni, 11), (kao, 8), (westerlund, 14)])
def test_the_least_number_of_years_is_the_one_that_the_sentence_names(test, least):
    y, x = panel(17, n=3)
    years = y.index.get_level_values(1)
    assert len(test(y[years < least], x[years < least], draws=9).table)
    with pytest.raises(TandemError, match=f"^{least - 1} years are too few .* it needs {least}"):
        test(y[years < least - 1], x[years < least - 1])
    more = x.assign(z=np.random.default_rng(1).normal(size=len(x)).cumsum())
    # a second regressor takes two years (Pedroni), one (Kao), and three with a lag (Westerlund)
    needed = least + {pedroni: 2, kao: 1, westerlund: 3}[test]
    with pytest.raises(TandemError, match=f"it needs {needed}"):
        test(y[years < least], more[years < least])
