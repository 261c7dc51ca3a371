import numpy as np
import pandas as pd
import pytest

from tandem.errors import TandemError
from tandem.indices import (
    bootstrap_summary,
    cluster_bootstrap,
    coordination_degree,
    coupling_degree,
    coupling_statistics,
    entropy_weights,
    goalposts,
    normalise,
    resample_entities,
)

SYSTEMS = {"tech": {"a": "+", "b": "+"}, "upgrade": {"c": "-"}}
INDEX = pd.MultiIndex.from_product(
    [[f"p{i}" for i in range(10)], range(2010, 2014)], names=["entity", "year"]
)
X = pd.DataFrame(np.random.default_rng(4).random((40, 3)) + 1, INDEX, list("abc"))


def test_entities_keep_all_their_years_together():
    x = X.assign(group=[f"g{e}" for e, _ in INDEX])
    sample = resample_entities(x, np.random.default_rng(1))
    assert sample.index.is_unique and sample.index.names == ["entity", "year"]
    assert list(sample.index.levels[0]) == list(range(10))
    seen = set()
    for _, rows in sample.groupby(level="entity"):
        original = rows["group"].iloc[0][1:]
        seen.add(original)
        pd.testing.assert_frame_equal(rows.droplevel(0), x.loc[original])
    assert 1 < len(seen) < 10  # some are there twice


def test_unbalanced_panels_keep_their_rows():
    x = X.drop([("p0", 2010), ("p3", 2013)])
    sample = resample_entities(x, np.random.default_rng(1))
    known = {tuple(row) for row in x.to_numpy()}
    assert {tuple(row) for row in sample.to_numpy()} <= known
    with pytest.raises(TandemError, match="at least two entities"):
        resample_entities(x.loc[["p0"]], np.random.default_rng(1))


def test_standard_error_of_a_mean_in_closed_form():
    draws = cluster_bootstrap(X, lambda x: x.mean(), 2000, seed=1)
    found = bootstrap_summary(X.mean(), draws)
    entity = X.groupby(level="entity").mean()
    expected = entity.std(ddof=0) / np.sqrt(10)
    np.testing.assert_allclose(found["std_error"], expected, rtol=4 / np.sqrt(2 * 2000))
    assert (found["bias"].abs() < 4 * expected / np.sqrt(2000)).all()
    half = 1.959964 * found["std_error"]
    np.testing.assert_allclose(found["conf_low"], X.mean() - half, rtol=1e-6)
    np.testing.assert_allclose(found["conf_high"], X.mean() + half, rtol=1e-6)


def test_chunks_and_order_of_rows_do_not_matter():
    def statistic(x):
        return coupling_statistics(x, SYSTEMS)

    whole = cluster_bootstrap(X, statistic, 12, seed=1)
    shuffled = X.sample(frac=1, random_state=0)
    parts = [cluster_bootstrap(shuffled, statistic, part, 1) for part in (range(5), range(5, 12))]
    pd.testing.assert_frame_equal(pd.concat(parts), whole, check_exact=True)


def test_coupling_statistics():
    scores = {}
    for name, directions in SYSTEMS.items():
        x = X[list(directions)]
        z = normalise(x, goalposts(x, directions))
        scores[name] = z @ entropy_weights(z)
    u = pd.DataFrame(scores)
    d = coordination_degree(u)
    found = coupling_statistics(X, SYSTEMS)
    assert found["mean_C"] == pytest.approx(coupling_degree(u).mean())
    assert found["mean_D"] == pytest.approx(d.mean())
    assert found["mean_D 2012"] == pytest.approx(d.xs(2012, level="year").mean())
    by_year = d.groupby(level="year").mean()  # balanced, so the within slope is that of the means
    assert found["trend_D"] == pytest.approx(np.polyfit(by_year.index, by_year, 1)[0])
    by_year = coupling_degree(u).groupby(level="year").mean()
    assert found["trend_C"] == pytest.approx(np.polyfit(by_year.index, by_year, 1)[0])


def test_goalposts_are_computed_anew_in_each_draw():
    # One entity holds every maximum: without it the others fill the scale.
    x = X.copy()
    x.loc["p0", ["a", "b"]] = 100.0
    x.loc["p0", "c"] = 0.001
    draws = cluster_bootstrap(x, lambda s: coupling_statistics(s, SYSTEMS), 60, seed=2)
    without = [
        not (resample_entities(x, np.random.default_rng(child))["a"] == 100).any()
        for child in (np.random.SeedSequence(2, spawn_key=(i,)) for i in range(60))
    ]
    assert 0 < sum(without) < 60
    assert draws.loc[without, "mean_D"].min() > draws.loc[~np.array(without), "mean_D"].max()


def test_summary_needs_draws_of_every_statistic():
    draws = pd.DataFrame({"a": [1.0, 2.0], "b": [1.0, np.nan]})
    with pytest.raises(TandemError, match="b has 1 draws"):
        bootstrap_summary(pd.Series({"a": 1.0, "b": 1.0}), draws)
