import numpy as np
import pandas as pd
import pytest

from tandem.econometrics.resampled_slopes import resampled_slopes
from tandem.econometrics.static import lags, panel_regression
from tandem.errors import TandemError


@pytest.fixture(scope="module")
def sample(simulate):
    panel = simulate([[[0.5, 0.0], [0.3, 0.4]]], np.eye(2), n=20, t=9, seed=1)
    x = lags(panel["a"], [1]).assign(z=np.random.default_rng(1).normal(size=len(panel)))
    return panel["b"], x


@pytest.mark.parametrize("effects", ["none", "entity", "two-way"])
def test_every_entity_once_is_the_estimate(sample, effects):
    y, x = sample
    result, _ = panel_regression(y, x, effects, "clustered")
    once = pd.DataFrame(np.ones((2, 20)), columns=range(20))
    slopes = resampled_slopes(y, x, "L1.a", effects, once)
    assert slopes == pytest.approx(np.full(2, result.params["L1.a"]))


def test_drawn_entities_are_a_panel_of_their_own(sample):
    y, x = sample
    times = np.random.default_rng(2).multinomial(20, np.full(20, 0.05))
    drawn = [e for e, n in enumerate(times) for _ in range(n)]
    ys = pd.concat({i: y.loc[e] for i, e in enumerate(drawn)})
    xs = pd.concat({i: x.loc[e] for i, e in enumerate(drawn)})
    result, _ = panel_regression(ys.rename("b"), xs, "entity", "clustered")
    weights = pd.DataFrame([times], columns=range(20))
    assert resampled_slopes(y, x, "L1.a", "entity", weights)[0] == pytest.approx(
        result.params["L1.a"]
    )


def test_other_effects_are_refused(sample):
    with pytest.raises(TandemError, match="not with random effects"):
        resampled_slopes(*sample, "z", "random", pd.DataFrame(np.ones((1, 20))))


@pytest.mark.parametrize("effects", ["none", "entity"])
def test_incomplete_rows_are_left_out_of_every_draw(sample, effects):
    y, x = sample
    y = y.mask(y.index.isin([(3, 2004), (7, 2008)]))
    weights = np.random.default_rng(3).multinomial(20, np.full(20, 0.05), size=3)
    found = resampled_slopes(y, x, "z", effects, pd.DataFrame(weights, columns=range(20)))
    rows = pd.concat([y.rename("b"), x], axis=1).dropna()
    for slope, times in zip(found, weights, strict=True):
        drawn = [e for e, n in enumerate(times) for _ in range(n)]
        stacked = pd.concat({i: rows.loc[e] for i, e in enumerate(drawn)})
        result, _ = panel_regression(stacked["b"], stacked[["L1.a", "z"]], effects)
        assert slope == pytest.approx(result.params["z"])
