import numpy as np
import pandas as pd
import pytest
from linearmodels.panel import PanelOLS, RandomEffects

from tandem.econometrics import hausman_bootstrap, hausman_robust
from tandem.econometrics.hausman_bootstrap import _blocks, _quasi_demeaning, _slopes
from tandem.econometrics.panel_arrays import panel_cube
from tandem.errors import TandemError


def sample(rng, n=30, t=6, link=0.0):
    index = pd.MultiIndex.from_product([range(n), range(2001, 2001 + t)], names=["entity", "year"])
    effect = np.repeat(rng.normal(size=n), t)
    x = rng.normal(size=(n * t, 2)) + link * effect[:, None]
    e = rng.normal(size=(n, t))
    e = (0.7 * e + 0.7 * np.roll(e, 1, axis=1)).ravel() * (1 + np.abs(x[:, 0]))
    frame = pd.DataFrame(x, index, ["x", "z"])
    return pd.Series(x @ [1.0, -0.5] + effect + e, index, name="y"), frame


@pytest.mark.parametrize("gaps", [False, True])
def test_every_entity_once_gives_the_estimates_of_linearmodels(gaps):
    y, x = sample(np.random.default_rng(1))
    if gaps:
        y, x = y.drop([(0, 2001), (3, 2004)]), x.drop([(0, 2001), (3, 2004)])
    cube, _, _ = panel_cube(pd.concat([y.rename("__y__"), x], axis=1))
    blocks = _blocks(cube, np.isfinite(cube).all(axis=1))
    fixed, random = _slopes(np.ones((1, 30)), blocks, _quasi_demeaning(blocks, 2), 2)
    fe = PanelOLS(y, x, entity_effects=True).fit().params
    re = RandomEffects(y, x.assign(const=1.0)).fit().params
    assert fixed[0] == pytest.approx(fe.to_numpy())
    assert random[0] == pytest.approx(re[["x", "z"]].to_numpy(), rel=1e-8)


def test_drawn_entities_are_a_panel_of_their_own():
    y, x = sample(np.random.default_rng(1))
    times = np.random.default_rng(2).multinomial(30, np.full(30, 1 / 30))
    drawn = [e for e, n in enumerate(times) for _ in range(n)]
    ys, xs = (pd.concat({i: a.loc[e] for i, e in enumerate(drawn)}) for a in (y, x))
    slopes = []
    for panel, weights in (((y, x), times[None]), ((ys, xs), np.ones((1, 30)))):
        cube, _, _ = panel_cube(pd.concat([panel[0].rename("__y__"), panel[1]], axis=1))
        blocks = _blocks(cube, np.isfinite(cube).all(axis=1))
        slopes.append(_slopes(weights.astype(float), blocks, np.full(30, 0.4), 2))
    assert np.array(slopes[0]) == pytest.approx(np.array(slopes[1]))


def test_size_and_power_with_errors_that_are_not_independent():
    reject = {0.0: [], 1.0: []}
    for link, found in reject.items():
        for seed in range(150):
            y, x = sample(np.random.default_rng(seed), link=link)
            found.append(hausman_bootstrap(y, x, draws=199, seed=seed).pval <= 0.05)
    assert np.mean(reject[0.0]) <= 0.10
    assert np.mean(reject[1.0]) >= 0.5


def test_it_agrees_with_the_robust_form():
    y, x = sample(np.random.default_rng(4), link=0.5)
    boot, robust = hausman_bootstrap(y, x, draws=1999), hausman_robust(y, x)
    assert boot.df == robust.df == 2
    assert boot.stat == pytest.approx(robust.stat, rel=0.5)


def test_the_sample_counts_as_a_draw_so_that_no_p_value_is_zero():
    y, x = sample(np.random.default_rng(4), n=300, link=0.7)
    assert hausman_bootstrap(y, x, draws=99).pval == 0.01


def test_units_and_order_do_not_matter():
    y, x = sample(np.random.default_rng(5), link=0.5)
    one = hausman_bootstrap(y, x, draws=99)
    other = hausman_bootstrap(1e6 * y, x.sample(frac=1, random_state=1) * [1e-6, 1], draws=99)
    assert (one.stat, one.pval) == pytest.approx((other.stat, other.pval))


def test_a_regressor_without_change_is_refused():
    y, x = sample(np.random.default_rng(6))
    still = x.assign(size=np.repeat(np.arange(30.0), 6))
    with pytest.raises(TandemError, match="'size' is explained wholly by the entity effects"):
        hausman_bootstrap(y, still)
    with pytest.raises(TandemError, match="3 entities"):
        hausman_bootstrap(y.loc[:2], x.loc[:2])


def test_the_statistic_is_the_distance_in_the_spread_of_resamples():
    """Both models refitted to drawn entities, the quasi-demeaning that of the sample."""
    y, x = sample(np.random.default_rng(7), n=12, t=5, link=0.4)
    y, x = y.drop([(0, 2001), (4, 2003)]), x.drop([(0, 2001), (4, 2003)])
    fit = hausman_bootstrap(y, x, draws=40, seed=3)
    # linearmodels says what share of the means random effects take away
    theta = RandomEffects(y, x.assign(const=1.0)).fit().theta["theta"]
    rng = np.random.default_rng(3)
    weights = [np.ones(12, int), *rng.multinomial(12, np.full(12, 1 / 12), size=40)]
    found = []
    for w in weights:
        rows = [(e, i) for e, times in enumerate(w) for i in range(times)]
        left, right = [], []
        for e, _ in rows:
            a = np.column_stack([y[e], x.loc[e], np.ones(len(y[e]))])
            left.append(a[:, :3] - a[:, :3].mean(axis=0))
            right.append(a - theta[e] * a.mean(axis=0))
        left, right = np.vstack(left), np.vstack(right)
        fixed = np.linalg.lstsq(left[:, 1:], left[:, 0], rcond=None)[0]
        random = np.linalg.lstsq(right[:, 1:], right[:, 0], rcond=None)[0][:2]
        found.append(fixed - random)
    d, drawn = found[0], np.array(found[1:])
    inverse = np.linalg.inv(np.cov(drawn, rowvar=False))
    stat = d @ inverse @ d
    beyond = sum((r - d) @ inverse @ (r - d) >= stat for r in drawn)
    assert fit.stat == pytest.approx(stat, rel=1e-6)
    assert fit.pval == pytest.approx((1 + beyond) / 41)
    assert (fit.df, fit.valid, fit.message) == (2, True, "")


def test_what_is_not_given_is_said_and_the_least_entities():
    y, x = sample(np.random.default_rng(8), n=10)
    assert hausman_bootstrap(y, x) == hausman_bootstrap(y, x, 999, 1)
    assert hausman_bootstrap(y, x).stat != hausman_bootstrap(y, x, seed=2).stat
    assert hausman_bootstrap(y, x).stat != hausman_bootstrap(y, x, draws=1000).stat
    with pytest.raises(TandemError, match="3 entities cannot tell the effects of 2 regressors"):
        hausman_bootstrap(y.loc[:2], x.loc[:2])
    assert hausman_bootstrap(y.loc[:4], x[["x"]].loc[:4], draws=50).df == 1


def test_effects_without_variance_leave_pooled_least_squares():
    y, x = sample(np.random.default_rng(9), n=20)
    flat = (y - y.groupby(level=0).transform("mean")).rename("y")
    apart = x - x.groupby(level=0).transform("mean")
    cube, _, _ = panel_cube(pd.concat([flat.rename("__y__"), apart + x.mean()], axis=1))
    cube = cube + 1e-9 * np.random.default_rng(1).normal(size=(20, 3, 1))
    blocks = _blocks(cube, np.isfinite(cube).all(axis=1))
    assert _quasi_demeaning(blocks, 2) == pytest.approx(np.zeros(20))
