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
