"""Dependence between entities: published numbers, pairs by hand, size and power."""

import numpy as np
import pandas as pd
import pytest

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
