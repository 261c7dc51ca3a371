"""Dependence between entities: published numbers, pairs by hand, size and power."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tandem.econometrics.cross_section import cross_section_tests, heterogeneous_residuals
from tandem.errors import TandemError


def made_up(rng, n=20, t=15, common=0.0):
    index = pd.MultiIndex.from_product(
        [[f"e{i:02d}" for i in range(n)], range(2001, 2001 + t)], names=["entity", "year"]
    )
    e = rng.normal(size=(n, t)) + common * rng.normal(size=t)
    return pd.Series(e.ravel(), index, name="e")


def test_grunfeld(grunfeld):
    e = heterogeneous_residuals(grunfeld["inv"], grunfeld[["value", "capital"]])
    found = cross_section_tests(e)
    assert found.cd == pytest.approx(5.3401, abs=5e-5)  # R plm, pcdtest: z and p-value
    assert found.cd_pval == pytest.approx(9.292e-08, rel=1e-4)
    assert found.n_pairs == 45


def test_pairs_by_hand_with_gaps():
    e = made_up(np.random.default_rng(1), n=5, t=8, common=0.5)
    e = e.drop(
        [("e00", 2003), ("e01", 2001), ("e01", 2008), *[("e04", y) for y in range(2003, 2009)]]
    )
    wide = e.unstack("entity")
    cd = lm = count = 0
    for i in range(5):
        for j in range(i):
            both = wide.iloc[:, [i, j]].dropna()
            if len(both) < 3:
                continue
            r = np.corrcoef(both.T)[0, 1]
            cd, lm, count = cd + np.sqrt(len(both)) * r, lm + len(both) * r**2, count + 1
    found = cross_section_tests(e)
    assert (found.n_pairs, found.n_left_out) == (count, 10 - count) == (6, 4)
    assert found.cd == pytest.approx(cd / np.sqrt(count), rel=1e-10)
    assert found.lm.stat == pytest.approx(lm, rel=1e-10)


def test_size_and_power():
    rng = np.random.default_rng(2)
    p = [cross_section_tests(made_up(rng)).cd_pval for _ in range(300)]
    assert 0.02 <= np.mean(np.array(p) <= 0.05) <= 0.085
    assert cross_section_tests(made_up(rng, common=1)).cd_pval < 1e-6


def test_order_and_scale_change_nothing():
    e = made_up(np.random.default_rng(3), common=0.3)
    again = cross_section_tests(1e6 * e.sample(frac=1, random_state=np.random.RandomState(1)))
    assert again.cd == pytest.approx(cross_section_tests(e).cd, rel=1e-9)


def test_bad_input_is_refused_in_words():
    e = made_up(np.random.default_rng(4))
    with pytest.raises(TandemError, match="there is only e03"):
        cross_section_tests(e.loc[["e03"]])
    flat = e.copy()
    flat.loc["e05"] = 0.0
    with pytest.raises(TandemError, match="e05 do not vary"):
        cross_section_tests(flat)
    with pytest.raises(TandemError, match="No two entities"):
        cross_section_tests(e[e.index.get_level_values(1) <= 2002])
    x = pd.DataFrame({"a": e + 1, "b": 2 * e})
    with pytest.raises(TandemError, match="e00 has 15 years"):
        heterogeneous_residuals(e, x)


def test_every_statistic_by_hand_with_a_pair_of_three_years():
    e = made_up(np.random.default_rng(5), n=4, t=7, common=0.4)
    e = e.drop([("e00", y) for y in (2005, 2006, 2007)] + [("e01", 2001), ("e03", 2002)])
    wide = e.unstack("entity")
    r, t = [], []
    for i in range(4):
        for j in range(i):
            both = wide.iloc[:, [i, j]].dropna()
            r.append(np.corrcoef(both.T)[0, 1])
            t.append(len(both))
    assert min(t) == 3
    r, t = np.array(r), np.array(t)
    found = cross_section_tests(e)
    scaled = (t * r**2 - 1).sum() / np.sqrt(12)
    assert found.n_pairs == 6 and found.n_left_out == 0
    assert found.cd == pytest.approx((np.sqrt(t) * r).sum() / np.sqrt(6))
    assert found.lm == pytest.approx((t @ r**2, 6, stats.chi2.sf(t @ r**2, 6)))
    assert found.scaled_lm == pytest.approx(scaled)
    assert found.scaled_lm_pval == pytest.approx(2 * stats.norm.sf(abs(scaled)))
    assert found.cd_pval == pytest.approx(2 * stats.norm.sf(abs(found.cd)))
    assert found.mean_correlation == pytest.approx(r.mean())
    assert found.mean_abs_correlation == pytest.approx(np.abs(r).mean())
    assert cross_section_tests(e.loc[["e01", "e02"]]).n_pairs == 1


def test_residuals_of_each_entity_need_a_year_more_than_coefficients():
    e = made_up(np.random.default_rng(6), n=3, t=5)
    x = pd.DataFrame({"a": made_up(np.random.default_rng(7), n=3, t=5)})
    years = e.index.get_level_values(1)
    assert len(heterogeneous_residuals(e[years < 2004], x)) == 9
    with pytest.raises(TandemError, match="e00 has 2 years, too few or too alike for 1 slopes"):
        heterogeneous_residuals(e[years < 2003], x)
    left = heterogeneous_residuals(e, x)
    assert left.groupby(level=0).sum().to_numpy() == pytest.approx(np.zeros(3), abs=1e-12)
