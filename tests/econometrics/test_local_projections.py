import numpy as np
import pandas as pd
import pytest
from linearmodels.panel import PanelOLS
from scipy import stats

from tandem.econometrics import FixedEffectsVAR, local_projections
from tandem.errors import TandemError

A1 = np.array([[0.5, 0.2], [-0.1, 0.4]])
SIGMA = [[1.0, 0.4], [0.4, 0.5]]


@pytest.fixture(scope="module")
def panel(simulate):
    return simulate([A1], SIGMA, n=50, t=25, seed=3)


@pytest.mark.parametrize("time_effects", [False, True])
@pytest.mark.parametrize("h", [0, 1, 3])
def test_slopes_and_errors_are_those_of_linearmodels(panel, time_effects, h):
    found = local_projections(panel, horizon=3, time_effects=time_effects, correction=None).table
    lagged = panel.groupby(level=0).shift(1).add_prefix("L1.")
    later = panel["b"].groupby(level=0).shift(-h).rename("later")
    rows = pd.concat([later, panel[["a"]], lagged], axis=1).dropna()
    ols = PanelOLS(
        rows["later"],
        rows[["a", "L1.a", "L1.b"]],
        entity_effects=True,
        time_effects=time_effects,
    ).fit(
        cov_type="kernel",
        kernel="bartlett",
        bandwidth=max(h, 2),
        debiased=False,
        auto_df=False,
        count_effects=False,
    )
    mine = found[(found["impulse"] == "a") & (found["response"] == "b") & (found["horizon"] == h)]
    unit = found[(found["impulse"] == "a") & (found["response"] == "a") & (found["horizon"] == 0)]
    scale = unit["estimate"].item()
    assert mine["estimate"].item() / scale == pytest.approx(ols.params["a"], rel=1e-8)
    assert mine["std_error"].item() / scale == pytest.approx(ols.std_errors["a"], rel=1e-6)


def test_clustered_errors_are_those_of_linearmodels(panel):
    found = local_projections(panel, horizon=1, correction=None, se="clustered").table
    lagged = panel.groupby(level=0).shift(1).add_prefix("L1.")
    later = panel["b"].groupby(level=0).shift(-1).rename("later")
    rows = pd.concat([later, panel[["a"]], lagged], axis=1).dropna()
    ols = PanelOLS(rows["later"], rows[["a", "L1.a", "L1.b"]], entity_effects=True).fit(
        cov_type="clustered", cluster_entity=True, debiased=False, auto_df=False,
        count_effects=False,
    )  # fmt: skip
    table = found.set_index(["impulse", "response", "horizon"])
    scale = table.loc[("a", "a", 0), "estimate"]
    mine = table.loc[("a", "b", 1)]
    factor = np.sqrt(50 / 49)
    assert mine["std_error"] / scale == pytest.approx(ols.std_errors["a"] * factor, rel=1e-6)
    assert mine["t_df"] == 49


@pytest.mark.parametrize("order", [["a", "b"], ["b", "a"]])
def test_first_two_horizons_are_those_of_the_var(simulate, order):
    panel = simulate([A1], SIGMA, n=800, t=25, seed=3)
    lp = local_projections(panel, horizon=1, order=order).table
    var = FixedEffectsVAR(panel).fit().irf(1, order=order, bands=None).table
    both = lp.merge(var, on=["impulse", "response", "horizon"])
    assert len(both) == 8
    assert both["estimate_x"].to_numpy() == pytest.approx(both["estimate_y"], abs=0.015)
    first = both[both["horizon"] == 0]
    assert first["estimate_x"].to_numpy() == pytest.approx(first["estimate_y"], rel=0.02)


def test_the_jackknife_takes_the_bias_away(simulate):
    truth = np.linalg.matrix_power(A1, 2) @ np.linalg.cholesky(SIGMA)
    errors = {None: [], "half-panel": []}
    for seed in range(60):
        panel = simulate([A1], SIGMA, n=40, t=20, seed=seed)
        for correction, found in errors.items():
            table = local_projections(panel, horizon=2, correction=correction).table
            last = table[table["horizon"] == 2].pivot(
                index="response", columns="impulse", values="estimate"
            )
            found.append(last.to_numpy() - truth)
    plain, mended = (np.mean(found, axis=0) for found in errors.values())
    assert plain[0, 0] < -0.05
    assert np.abs(mended).max() < 0.6 * np.abs(plain).max()


def test_intervals_cover(simulate):
    truth = (A1 @ np.linalg.cholesky(SIGMA))[1, 0]
    held = []
    for seed in range(120):
        table = local_projections(simulate([A1], SIGMA, n=40, t=25, seed=seed), horizon=1).table
        row = table[(table["impulse"] == "a") & (table["response"] == "b")].iloc[1]
        held.append(row["conf_low"] <= truth <= row["conf_high"])
    assert 0.86 <= np.mean(held) <= 0.99


def test_units_do_not_matter(panel):
    one = local_projections(panel, horizon=2).table
    two = local_projections(panel * [10, 1], horizon=2).table
    factor = np.where(one["response"] == "a", 10, 1)
    assert two["estimate"].to_numpy() == pytest.approx(one["estimate"] * factor)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"horizon": 0}, "at least one year"),
        ({"order": ["a"]}, "must name each"),
        ({"correction": "nickell"}, "'nickell' is neither"),
        ({"se": "newey-west"}, "'newey-west' is neither"),
        ({"level": 95}, "between 0 and 1"),
        ({"horizon": 23}, "shorten the horizon"),
    ],
)
def test_bad_options_are_refused_in_words(panel, options, words):
    with pytest.raises(TandemError, match=words):
        local_projections(panel, **options)


def test_order_and_names_of_entities_do_not_matter(panel):
    mixed = panel.sample(frac=1, random_state=2).rename(index=lambda e: f"e{99 - e}", level=0)
    one, other = (local_projections(d, horizon=2).table for d in (panel, mixed))
    pd.testing.assert_frame_equal(other, one, rtol=1e-9)


@pytest.mark.parametrize("se", ["clustered", "driscoll-kraay"])
def test_errors_of_the_jackknife_are_as_large_as_its_spread(simulate, se):
    found = []
    for seed in range(150):
        data = simulate([A1], SIGMA, n=30, t=12, seed=seed)
        table = local_projections(data, horizon=1, time_effects=True, se=se).table
        row = table.set_index(["impulse", "response", "horizon"]).loc[("b", "a", 1)]
        found.append((row["estimate"], row["std_error"]))
    estimates, errors = np.array(found).T
    least = {"clustered": 0.9, "driscoll-kraay": 0.85}[se]  # errors of the plain slope: .81 and .62
    assert least < errors.mean() / estimates.std() < 1.1


def slopes_by_hand(y, x, controls, groups, kind):
    """Slope of y on x beside controls and effects, and what each group adds to it."""
    d = np.hstack([np.asarray(pd.get_dummies(g), float) for g in groups])
    z = np.column_stack([controls, d])
    shock, left = (v - z @ np.linalg.lstsq(z, v, rcond=None)[0] for v in (x, y))
    slope = shock @ left / (shock @ shock)
    scores = shock * (left - slope * shock) / (shock @ shock)
    freedom = len(y) - np.linalg.matrix_rank(d) - controls.shape[1] - 1
    spread = np.sqrt(shock @ shock / freedom)
    added = pd.Series(scores).groupby(groups[0] if kind == "clustered" else groups[-1]).sum()
    return slope, added, spread


@pytest.mark.parametrize("time_effects", [False, True])
@pytest.mark.parametrize("se", ["clustered", "driscoll-kraay"])
@pytest.mark.parametrize(
    ("impulse", "response", "h"), [("a", "b", 1), ("b", "a", 3), ("b", "b", 2)]
)
def test_the_jackknife_and_its_errors_are_their_formulas(
    simulate, time_effects, se, impulse, response, h
):
    panel = simulate([A1], SIGMA, n=15, t=14, seed=5).drop([(3, 2001), (3, 2002)])
    table = local_projections(panel, horizon=3, time_effects=time_effects, se=se, level=0.9).table
    row = table.set_index(["impulse", "response", "horizon"]).loc[(impulse, response, h)]
    groups = panel.groupby(level=0)
    rows = pd.concat(
        [groups[response].shift(-h).rename("later"), panel, groups.shift(1).add_prefix("L.")],
        axis=1,
    ).dropna()
    controls = rows[["L.a", "L.b"] + ["a"] * (impulse == "b")].to_numpy()
    entity, year = (rows.index.get_level_values(k) for k in (0, 1))
    place = rows.groupby(level=0).cumcount().to_numpy() + 1
    count = rows.groupby(level=0)["later"].transform("size").to_numpy()
    cut, other = count // 2, count - count // 2
    masks = [place > 0, place <= cut, place > cut, place <= other, place > other]
    found = []
    for mine in masks:
        kinds = [entity[mine], year[mine]]
        by = kinds if time_effects else [kinds[0]]
        y, x = rows["later"].to_numpy()[mine], rows[impulse].to_numpy()[mine]
        slope, _, spread = slopes_by_hand(y, x, controls[mine], by, se)
        d = np.hstack([np.asarray(pd.get_dummies(g), float) for g in by])
        z = np.column_stack([controls[mine], d])
        shock, left = (v - z @ np.linalg.lstsq(z, v, rcond=None)[0] for v in (x, y))
        scores = shock * (left - slope * shock) / (shock @ shock)
        added = pd.Series(scores).groupby(kinds[0 if se == "clustered" else 1]).sum()
        found.append((slope, added, spread))
    slope = 2 * found[0][0] - sum(f[0] for f in found[1:]) / 4
    added = 2 * found[0][1]
    for _, more, _ in found[1:]:
        added = added.sub(more / 4, fill_value=0.0)
    if se == "clustered":
        variance, df = (added**2).sum() * 15 / 14, 14
    else:
        n = len(added)
        reach, df = max(h, int(4 * (n / 100) ** (2 / 9))), n - 1
        a = added.to_numpy()
        variance = a @ a + 2 * sum(
            (1 - j / (reach + 1)) * (a[j:] @ a[:-j]) for j in range(1, reach + 1)
        )
    # a shock of one standard deviation: what the impulse leaves of the regression of its own year
    own = panel.join(groups.shift(1).add_prefix("L.")).dropna()
    controls = own[["L.a", "L.b"] + ["a"] * (impulse == "b")].to_numpy()
    by = [own.index.get_level_values(k) for k in range(1 + time_effects)]
    x = own[impulse].to_numpy()
    _, _, unit = slopes_by_hand(x, x, controls, by, "clustered")
    assert row["estimate"] == pytest.approx(slope * unit)
    assert row["std_error"] == pytest.approx(np.sqrt(variance) * unit)
    assert (row["t_df"], row["n_obs"]) == (df, len(rows))
    reach = stats.t.ppf(0.95, df) * row["std_error"]
    assert (row["conf_low"], row["conf_high"]) == pytest.approx(
        (row["estimate"] - reach, row["estimate"] + reach)
    )


def test_what_the_order_fixes_has_no_error(panel):
    table = local_projections(panel, horizon=2).table.set_index(["impulse", "response", "horizon"])
    assert table.loc[("b", "a", 0), "estimate"] == 0
    for pair in (("b", "a"), ("a", "a"), ("b", "b")):
        assert table.loc[(*pair, 0), ["std_error", "conf_low", "conf_high"]].isna().all()
    assert table.loc[("a", "b", 0)].notna().all()
    assert table.drop(index=[0], level="horizon").notna().all(axis=None)
    assert table.loc[("a", "a", 0), "estimate"] > 0


def test_what_is_not_given_is_said(panel):
    plain = local_projections(panel)
    given = local_projections(
        panel, 1, 5, ["a", "b"], None, False, "half-panel", "driscoll-kraay", 0.95
    )
    pd.testing.assert_frame_equal(plain.table, given.table)
    assert plain.table["horizon"].max() == 5 and plain.correction == "half-panel"
    assert local_projections(panel, horizon=1).table["horizon"].unique().tolist() == [0, 1]
    for level in (0, 1):
        with pytest.raises(TandemError, match="between 0 and 1"):
            local_projections(panel, level=level)


def test_a_variable_that_the_others_hold_is_refused(simulate):
    panel = simulate([A1], SIGMA, n=20, t=12, seed=6)
    with pytest.raises(TandemError, match="wholly explained by the others' past"):
        local_projections(panel.assign(c=panel["a"].groupby(level=0).shift(1)), correction=None)


def test_one_degree_of_freedom_is_enough(simulate):
    panel = simulate([[[0.5]]], [[1.0]], n=2, t=5, seed=7)
    # five years, one lag: four equations an entity at once; two effects, two slopes
    assert len(local_projections(panel, horizon=1, correction=None).table) == 2
    with pytest.raises(TandemError, match="4 equations for 2 effects and 2 slopes"):
        local_projections(panel, horizon=2, correction=None)
