"""Tests of the static model: published numbers, definitions, size."""

import numpy as np
import pandas as pd
import pytest
from linearmodels.panel import PooledOLS
from scipy import stats

from tandem.econometrics.specification import (
    effects_test,
    random_effects_test,
    serial_correlation_test,
    specification_table,
    unequal_variances_test,
)
from tandem.econometrics.static import panel_regression
from tandem.errors import TandemError


def made_up(rng, n=30, t=10, effect=0.0, rho=0.0, spread=0.0):
    index = pd.MultiIndex.from_product(
        [[f"e{i:03d}" for i in range(n)], range(2001, 2001 + t)], names=["entity", "year"]
    )
    e = rng.normal(size=(n, t)) * np.exp(spread * rng.normal(size=(n, 1)))
    for s in range(1, t):
        e[:, s] += rho * e[:, s - 1]
    x = pd.DataFrame(rng.normal(size=(n * t, 2)), index, ["x", "z"])
    y = x["x"] - x["z"] + np.repeat(effect * rng.normal(size=n), t) + e.ravel()
    return y.rename("y"), x


def test_grunfeld(grunfeld):
    y, x = grunfeld["inv"], grunfeld[["value", "capital"]]
    f = effects_test(y, x)
    assert f.df == (9, 188)
    assert f.stat == pytest.approx(49.1766, abs=5e-5)  # R plm, pFtest
    assert random_effects_test(y, x).lm.stat == pytest.approx(798.16, abs=5e-3)  # plmtest, "bp"


@pytest.mark.parametrize("effects", ["entity", "two-way"])
def test_the_f_test_is_that_of_dummies(effects):
    y, x = made_up(np.random.default_rng(1), n=6, t=5, effect=1)
    y, x = y.drop(("e002", 2003)), x.drop(("e002", 2003))
    design = x.assign(const=1.0)
    entity, year = (y.index.get_level_values(k) for k in (0, 1))
    more = [pd.get_dummies(entity, dtype=float).iloc[:, 1:]]
    if effects == "two-way":
        more.append(pd.get_dummies(year, dtype=float).iloc[:, 1:].add_prefix("y"))
    full = design.join([m.set_axis(y.index) for m in more])
    ss, df = zip(*[(r.resid_ss, r.df_resid) for r in
                   (PooledOLS(y, d).fit() for d in (design, full))], strict=True)  # fmt: skip
    found = effects_test(y, x, effects)
    by_hand = (ss[0] - ss[1]) / (df[0] - df[1]) / (ss[1] / df[1])
    assert found.stat == pytest.approx(by_hand, rel=1e-8)
    assert found.df == (df[0] - df[1], df[1])


def test_the_lm_test_of_a_balanced_panel_is_the_usual_one():
    y, x = made_up(np.random.default_rng(2), n=12, t=7, effect=0.5)
    e = PooledOLS(y, x.assign(const=1.0)).fit().resids.to_numpy().reshape(12, 7)
    usual = 12 * 7 / (2 * 6) * ((e.sum(axis=1) ** 2).sum() / (e**2).sum() - 1) ** 2
    found = random_effects_test(y, x)
    assert found.lm.stat == pytest.approx(usual, rel=1e-10)
    assert found.honda**2 == pytest.approx(usual, rel=1e-10)


def test_wooldridge_by_hand():
    y, x = made_up(np.random.default_rng(3), n=8, t=6)
    d = pd.concat([y, x], axis=1).groupby(level=0).diff().dropna()
    b = np.linalg.lstsq(d[["x", "z"]], d["y"], rcond=None)[0]
    e = (d["y"] - d[["x", "z"]] @ b).to_numpy().reshape(8, 5)
    before, now = e[:, :-1], e[:, 1:]
    r = (before * now).sum() / (before**2).sum()
    score = (before * (now - r * before)).sum(axis=1)
    v = 8 / 7 * (score**2).sum() / (before**2).sum() ** 2
    found = serial_correlation_test(y, x)
    assert found.stat == pytest.approx((r + 0.5) ** 2 / v, rel=1e-10)
    assert found.df == (1, 7)


def test_a_gap_breaks_an_entity_in_two():
    y, x = made_up(np.random.default_rng(4), n=8, t=7)
    gap = [("e001", 2004)]
    apart = y.drop(gap), x.drop(gap)
    renamed = [
        v.set_axis(
            pd.MultiIndex.from_tuples(
                [("e001 later" if (e, t > 2004) == ("e001", True) else e, t) for e, t in v.index]
            )
        )
        for v in apart
    ]
    one, two = serial_correlation_test(*apart), serial_correlation_test(*renamed)
    assert one.df == (1, 7) and two.df == (1, 8)  # the parts are one cluster


@pytest.mark.parametrize(
    ("test", "bounds"),
    [
        (lambda y, x: effects_test(y, x).pval, (0.01, 0.10)),
        (lambda y, x: random_effects_test(y, x).honda_pval, (0.01, 0.10)),
        (lambda y, x: serial_correlation_test(y, x).pval, (0.01, 0.11)),
    ],
)
def test_size(test, bounds):
    rng = np.random.default_rng(5)
    share = np.mean([test(*made_up(rng)) <= 0.05 for _ in range(150)])
    assert bounds[0] <= share <= bounds[1]


def test_power():
    rng = np.random.default_rng(6)
    assert effects_test(*made_up(rng, effect=1)).pval < 1e-4
    assert random_effects_test(*made_up(rng, effect=1)).lm.pval < 1e-4
    assert serial_correlation_test(*made_up(rng, n=100, rho=0.6)).pval < 1e-4
    assert unequal_variances_test(*made_up(rng, spread=1)).pval < 1e-4


def test_equal_variances_of_long_series_are_seldom_rejected():
    rng = np.random.default_rng(7)
    p = [unequal_variances_test(*made_up(rng, n=5, t=400)).pval for _ in range(100)]
    assert np.mean(np.array(p) <= 0.05) <= 0.12


def test_the_table(grunfeld):
    table = specification_table(grunfeld["inv"], grunfeld[["value", "capital"]])
    assert table.loc["F, entity effects", "df"] == "9, 188"
    assert len(table) == 6 and table["p_value"].between(0, 1).all()


def test_bad_input_is_refused_in_words():
    y, x = made_up(np.random.default_rng(8), n=6, t=6)
    short = y.index.get_level_values(1) <= 2002
    with pytest.raises(TandemError, match="three years in a row"):
        serial_correlation_test(y[short], x[short])
    alone = [("e001", year) for year in range(2002, 2007)]
    with pytest.raises(TandemError, match="e001 has one year only"):
        unequal_variances_test(y.drop(alone), x.drop(alone))
    one = y.index.get_level_values(1) == 2001
    with pytest.raises(TandemError, match="one year only"):
        random_effects_test(y[one], x[one])


def test_p_values_and_the_variance_test_by_hand():
    y, x = made_up(np.random.default_rng(9), n=6, t=8, effect=0.3, spread=0.3)
    gap = [("e002", 2003), ("e004", 2001), ("e004", 2002)]
    y, x = y.drop(gap), x.drop(gap)
    lm = random_effects_test(y, x)
    e = PooledOLS(y, x.assign(const=1.0)).fit().resids
    sizes = e.groupby(level=0).size()
    a = (e.groupby(level=0).sum() ** 2).sum() / (e**2).sum() - 1
    stat = len(e) ** 2 * a**2 / (2 * ((sizes**2).sum() - len(e)))
    assert lm.lm == pytest.approx((stat, 1, stats.chi2.sf(stat, 1)))
    assert lm.honda == pytest.approx(np.sign(a) * np.sqrt(stat))
    assert lm.honda_pval == pytest.approx(stats.norm.sf(lm.honda))
    for effects in ("none", "entity", "two-way"):
        found = unequal_variances_test(y, x, effects)
        u = panel_regression(y, x, effects)[0].resids
        total, s2 = 0.0, (u**2).mean()
        for _, mine in u.groupby(level=0):
            n, own = len(mine), (mine**2).mean()
            v = ((mine**2 - own) ** 2).sum() / n / (n - 1)
            total += (own - s2) ** 2 / v
        assert found == pytest.approx((total, 6, stats.chi2.sf(total, 6)))
    assert unequal_variances_test(y, x) == unequal_variances_test(y, x, "entity")
    assert effects_test(y, x) == effects_test(y, x, "entity")
    f, serial = effects_test(y, x), serial_correlation_test(y, x)
    assert f.pval == pytest.approx(stats.f.sf(f.stat, *f.df))
    assert serial.pval == pytest.approx(stats.f.sf(serial.stat, *serial.df))


def test_the_table_holds_each_test(grunfeld):
    y, x = grunfeld["inv"], grunfeld[["value", "capital"]]
    table = specification_table(y, x)
    lm = random_effects_test(y, x)
    for name, stat, df, p in (
        ("F, entity effects", effects_test(y, x).stat, "9, 188", effects_test(y, x).pval),
        ("F, entity and year effects", effects_test(y, x, "two-way").stat, "28, 169",
         effects_test(y, x, "two-way").pval),
        ("Breusch-Pagan LM", lm.lm.stat, "1", lm.lm.pval),
        ("Honda", lm.honda, "", lm.honda_pval),
        ("Wooldridge", serial_correlation_test(y, x).stat, "1, 9",
         serial_correlation_test(y, x).pval),
        ("Modified Wald", unequal_variances_test(y, x).stat, "10",
         unequal_variances_test(y, x).pval),
    ):  # fmt: skip
        assert table.loc[name, ["statistic", "df", "p_value"]].tolist() == [stat, df, p]


def test_two_entities_of_three_years_are_the_least():
    y, x = made_up(np.random.default_rng(10), n=3, t=4)
    two = y.index.get_level_values(0) < "e002"
    three = two & (y.index.get_level_values(1) < 2004)
    assert serial_correlation_test(y[three], x.loc[three, ["x"]]).df == (1, 1)
    alone = y.index.get_level_values(0) == "e000"
    with pytest.raises(TandemError, match="Fewer than two entities have three years"):
        serial_correlation_test(y[alone], x.loc[alone, ["x"]])
    odd = y.index.get_level_values(1) % 2 == 1
    with pytest.raises(TandemError, match="No entity has two years in a row"):
        serial_correlation_test(y[odd], x[odd])
    pair = y.index.get_level_values(1) < 2003
    with pytest.raises(TandemError, match="squared residuals of e000 are the same in each year"):
        unequal_variances_test(y[pair], x.loc[pair, ["x"]])
    assert np.isfinite(unequal_variances_test(y[pair], x.loc[pair, ["x"]], "none").stat)
