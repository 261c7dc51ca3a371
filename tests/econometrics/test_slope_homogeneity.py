"""Equal slopes: the definition by a loop, size, power, invariance."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tandem.econometrics.slope_homogeneity import slope_homogeneity
from tandem.errors import TandemError


def made_up(rng, n=30, t=20, spread=0.0, rho=0.0):
    index = pd.MultiIndex.from_product(
        [[f"e{i:03d}" for i in range(n)], range(2001, 2001 + t)], names=["entity", "year"]
    )
    slopes = 1 + spread * rng.normal(size=(n, 1))
    x, e = rng.normal(size=(2, n, t))
    for s in range(1, t):
        e[:, s] += rho * e[:, s - 1]
        x[:, s] += rho * x[:, s - 1]
    z = rng.normal(size=(n, t))
    y = slopes * x + z + e + rng.normal(size=(n, 1))
    return pd.Series(y.ravel(), index, name="y"), pd.DataFrame(
        {"x": x.ravel(), "z": z.ravel()}, index
    )


def test_the_definition_by_a_loop():
    y, x = made_up(np.random.default_rng(1), n=7, t=9)
    parts = []
    for entity in y.index.unique(0):
        a, b = y.loc[entity].to_numpy(), x.loc[entity].to_numpy()
        m = np.eye(9) - 1 / 9
        parts.append((b.T @ m @ b, b.T @ m @ a, a, b, m))
    pooled = np.linalg.solve(sum(p[0] for p in parts), sum(p[1] for p in parts))
    weights = [p[0] / ((p[2] - p[3] @ pooled) @ p[4] @ (p[2] - p[3] @ pooled) / 8) for p in parts]
    own = [np.linalg.solve(p[0], p[1]) for p in parts]
    mean = np.linalg.solve(sum(weights), sum(w @ b for w, b in zip(weights, own, strict=True)))
    s = sum((b - mean) @ w @ (b - mean) for w, b in zip(weights, own, strict=True))
    found = slope_homogeneity(y, x)
    assert found.delta == pytest.approx(np.sqrt(7) * (s / 7 - 2) / 2, rel=1e-9)
    adjusted = np.sqrt(7) * (s / 7 - 2) / np.sqrt(2 * 2 * 6 / 10)
    assert found.delta_adjusted == pytest.approx(adjusted, rel=1e-9)


def test_size_and_power():
    rng = np.random.default_rng(2)
    p = [slope_homogeneity(*made_up(rng)).pval_adjusted for _ in range(300)]
    assert 0.02 <= np.mean(np.array(p) <= 0.05) <= 0.09
    assert slope_homogeneity(*made_up(rng, spread=0.5)).pval_adjusted < 1e-6


def test_the_hac_form_withstands_serial_correlation():
    rng = np.random.default_rng(3)
    plain, hac = [], []
    for _ in range(100):
        y, x = made_up(rng, n=30, t=100, rho=0.6)
        plain.append(slope_homogeneity(y, x).pval_adjusted <= 0.05)
        hac.append(slope_homogeneity(y, x, hac=True).pval <= 0.05)
    assert np.mean(plain) > 0.5 > 0.25 > np.mean(hac)


@pytest.mark.parametrize("hac", [False, True])
def test_order_and_scale_change_nothing(hac):
    y, x = made_up(np.random.default_rng(4))
    mixed = x.assign(y=y).sample(frac=1, random_state=np.random.RandomState(0))
    again = slope_homogeneity(1000 * mixed["y"], mixed[["z", "x"]] * [5, 1e-4], hac)
    assert again.delta == pytest.approx(slope_homogeneity(y, x, hac).delta, rel=1e-7)


def test_bad_input_is_refused_in_words():
    y, x = made_up(np.random.default_rng(5), n=6, t=6)
    with pytest.raises(TandemError, match="e002 has no complete row for 2003"):
        slope_homogeneity(y.drop(("e002", 2003)), x)
    short = y.index.get_level_values(1) <= 2004
    with pytest.raises(TandemError, match="4 years are too few to compare 2 slopes; 5 is"):
        slope_homogeneity(y[short], x[short])
    flat = x.copy()
    flat.loc["e001", "z"] = 1.0
    with pytest.raises(TandemError, match="do not vary apart in e001"):
        slope_homogeneity(y, flat)


@pytest.mark.parametrize(("n", "t"), [(6, 12), (5, 30), (4, 9)])
def test_the_hac_form_by_a_loop(n, t):
    """Blomquist & Westerlund (2013): weights ``T Q V^-1 Q`` with Bartlett's V."""
    y, x = made_up(np.random.default_rng(6), n=n, t=t, spread=0.3, rho=0.4)
    own = []
    for entity in y.index.unique(0):
        a, b = y.loc[entity].to_numpy(), x.loc[entity].to_numpy()
        own.append((a - a.mean(), b - b.mean(axis=0)))
    pooled = np.linalg.solve(sum(b.T @ b for _, b in own), sum(b.T @ a for a, b in own))
    lags = int(4 * (t / 100) ** (2 / 9))
    weights, slopes = [], []
    for a, b in own:
        u = b * (a - b @ pooled)[:, None]
        v = u.T @ u / t
        for j in range(1, lags + 1):
            near = u[j:].T @ u[:-j] / t
            v = v + (1 - j / (lags + 1)) * (near + near.T)
        q = b.T @ b / t
        weights.append(t * q @ np.linalg.inv(v) @ q)
        slopes.append(np.linalg.solve(b.T @ b, b.T @ a))
    pairs = list(zip(weights, slopes, strict=True))
    mean = np.linalg.solve(sum(weights), sum(w @ b for w, b in pairs))
    s = sum((b - mean) @ w @ (b - mean) for w, b in pairs)
    found = slope_homogeneity(y, x, hac=True)
    assert found.delta == pytest.approx(np.sqrt(n) * (s / n - 2) / 2)
    assert found.pval == pytest.approx(2 * stats.norm.sf(abs(found.delta)))
    assert np.isnan(found.delta_adjusted) and found.hac
    plain = slope_homogeneity(y, x)
    assert not plain.hac
    assert plain.pval_adjusted == pytest.approx(2 * stats.norm.sf(abs(plain.delta_adjusted)))


def test_three_years_more_than_regressors_are_enough():
    y, x = made_up(np.random.default_rng(7), n=6, t=5)
    assert np.isfinite(slope_homogeneity(y, x).delta)
    one = x[["x"]]
    four = y.index.get_level_values(1) <= 2004
    assert np.isfinite(slope_homogeneity(y[four], one[four]).delta)
    three = y.index.get_level_values(1) <= 2003
    with pytest.raises(TandemError, match="3 years are too few to compare 1 slopes; 4 is"):
        slope_homogeneity(y[three], one[three])
