import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tandem.econometrics import PanelVAR, select_lags
from tandem.econometrics.cross_section import cross_section_tests
from tandem.errors import TandemError

DAHLBERG = Path(__file__).parents[3] / "shared" / "golden" / "data" / "Dahlberg.csv"
A1, A2 = [[0.5, 0.2], [-0.1, 0.4]], [[0.2, 0.0], [0.1, 0.2]]
SIGMA = [[1.0, 0.4], [0.4, 0.5]]


def close(values, target, rel=1e-6):
    return np.asarray(values) == pytest.approx(np.asarray(target), rel=rel)


def test_estimates_equal_the_published_ones(empluk, expected):
    gold = expected["panel_var_EmplUK"]
    one, two = PanelVAR(empluk).fit(steps=1), PanelVAR(empluk).fit(steps=2)
    assert close(one.params, gold["b1"])
    assert close(one.std_errors, gold["se1"])
    assert close(two.params, gold["b2"])
    assert close(two.std_errors, gold["se2_windmeijer"])
    assert close(two.hansen_j.stat, gold["J"])
    assert close(two.moduli, gold["eig_mod"])
    assert (two.hansen_j.df, two.n_obs, two.n_entities) == (gold["df"], gold["n_obs"], gold["N"])
    assert not two.stable


@pytest.mark.skipif(not DAHLBERG.exists(), reason="Dahlberg.csv may not be redistributed")
def test_hansen_j_with_badly_scaled_moments_uses_their_full_rank():
    data = pd.read_csv(DAHLBERG).set_index(["id", "year"])
    results = PanelVAR(data, collapse=False).fit()
    assert results.rank == results.n_moments == 252
    assert results.hansen_j.stat == pytest.approx(264.16, abs=0.005)


@pytest.mark.parametrize("time_effects", [False, True])
def test_differences_equal_deviations_with_all_instruments_and_one_step(simulate, time_effects):
    panel = simulate([A1], SIGMA, n=200, t=7)
    options = {"collapse": False, "time_effects": time_effects}
    fd, fod = (PanelVAR(panel, transform=t, **options).fit(steps=1) for t in ("fd", "fod"))
    assert close(fd.params, fod.params, rel=1e-8)
    assert close(fd.std_errors, fod.std_errors, rel=1e-8)


def reference_one_step(panel, transform):
    """Collapsed one-step GMM of a PVAR(1), entity by entity with explicit matrices."""
    sums = 0, 0, 0
    for _, rows in panel.groupby(level=0):
        y = rows.droplevel(0)
        y = y.reindex(range(y.index.min(), y.index.max() + 1))
        years = [t for t in y.index[1:] if y.loc[[t - 1, t]].notna().all(axis=None)]
        matrix, dates = transform_matrix(years, transform)
        z = np.zeros((len(dates), 2, 12))
        for r, date in enumerate(dates):
            for distance in range(1 if transform == "fod" else 2, 12):
                if date - distance in y.index:
                    z[r, :, distance] = y.loc[date - distance].fillna(0)
        z = z.reshape(len(dates), 24)
        yt, xt = matrix @ y.loc[years], matrix @ y.loc[[t - 1 for t in years]]
        parts = z.T @ matrix @ matrix.T @ z, z.T @ xt.to_numpy(), z.T @ yt.to_numpy()
        sums = tuple(total + part for total, part in zip(sums, parts, strict=True))
    zhz, zx, zy = sums
    w = np.linalg.pinv(zhz)
    return np.linalg.solve(zx.T @ w @ zx, zx.T @ w @ zy).T


def transform_matrix(years, transform):
    n = len(years)
    if transform == "fod":
        rows = [np.r_[np.zeros(i), 1, np.full(n - 1 - i, -1 / (n - 1 - i))] for i in range(n - 1)]
        matrix = np.array([row / np.linalg.norm(row) for row in rows]).reshape(max(n - 1, 0), n)
        return matrix, years[:-1]
    pairs = [i for i in range(1, n) if years[i] - years[i - 1] == 1]
    matrix = np.zeros((len(pairs), n))
    for r, i in enumerate(pairs):
        matrix[r, [i - 1, i]] = -1, 1
    return matrix, [years[i] for i in pairs]


@pytest.mark.parametrize("transform", ["fod", "fd"])
def test_gaps_and_missing_cells_agree_with_explicit_matrices(simulate, transform):
    panel = simulate([A1], SIGMA, n=60, t=10)
    rng = np.random.default_rng(1)
    panel = panel[rng.random(len(panel)) > 0.15]
    panel.iloc[rng.choice(len(panel), 20), 0] = np.nan
    results = PanelVAR(panel, transform=transform).fit(steps=1)
    assert close(results.params, reference_one_step(panel, transform), rel=1e-8)
    assert results.n_incomplete == panel.isna().any(axis=1).sum() > 0


@pytest.mark.parametrize("transform", ["fod", "fd"])
def test_known_parameters_are_recovered(simulate, transform):
    results = PanelVAR(simulate([A1, A2], SIGMA, 3000, 9), lags=2, transform=transform).fit()
    error = (results.params - np.hstack([A1, A2])) / results.std_errors
    assert list(results.params.columns) == ["L1.a", "L1.b", "L2.a", "L2.b"]
    assert error.abs().max(axis=None) < 3
    assert results.std_errors.max(axis=None) < 0.1
    assert np.asarray(results.residual_cov) == pytest.approx(np.array(SIGMA), rel=0.05)
    assert results.hansen_j.pval > 0.01


def test_exogenous_regressor_and_year_shocks_are_recovered(simulate):
    panel = simulate([A1], SIGMA, 2000, 7)
    rng = np.random.default_rng(2)
    policy = rng.normal(size=(2000, 7))
    shocks = np.array([0, 3, -2, 4, 0, 1, 5])
    moved = np.zeros((2000, 7, 2))
    for t in range(1, 7):
        moved[:, t] = moved[:, t - 1] @ np.transpose(A1) + shocks[t]
        moved[:, t, 0] += 0.7 * policy[:, t]
    observed = panel + moved.reshape(-1, 2)
    exog = pd.DataFrame({"policy": policy.ravel()}, index=panel.index)
    results = PanelVAR(observed, exog=exog, time_effects=True).fit()
    truth = pd.DataFrame(A1, index=["a", "b"], columns=["L1.a", "L1.b"]).assign(policy=[0.7, 0.0])
    assert list(results.params.columns) == list(truth.columns)
    assert ((results.params - truth) / results.std_errors).abs().max(axis=None) < 3
    assert results.std_errors.max(axis=None) < 0.1
    assert results.n_instruments == 2 * 5 + 1


@pytest.mark.parametrize("transform", ["fod", "fd"])
def test_year_effects_are_removed_from_an_unbalanced_panel(simulate, transform):
    panel = simulate([A1], SIGMA, 2000, 8)
    years = panel.index.get_level_values(1)
    # entities enter and leave by their level, so that the mean of a year is not its effect
    level = panel["a"].groupby(level=0).transform("mean").to_numpy()
    inside = np.where(level > 0, years <= 2006, years >= 2003)
    shocks = pd.Series([0, 3, -2, 4, 0, 1, 5, -3], index=range(2001, 2009))
    observed = panel.add(shocks.reindex(years).to_numpy(), axis=0)[inside]
    plain = PanelVAR(panel[inside], transform=transform, time_effects=True).fit()
    results = PanelVAR(observed, transform=transform, time_effects=True).fit()
    assert ((results.params - np.array(A1)) / results.std_errors).abs().max(axis=None) < 3
    assert results.std_errors.max(axis=None) < 0.2
    assert np.asarray(results.params) == pytest.approx(np.asarray(plain.params), abs=0.1)


@pytest.mark.parametrize("steps", [1, 2])
@pytest.mark.parametrize("collapse", [True, False])
@pytest.mark.parametrize("transform", ["fod", "fd"])
def test_time_effects_are_yearly_means_in_a_balanced_panel(simulate, transform, collapse, steps):
    panel = simulate([A1], SIGMA, n=150, t=6)
    shocks = pd.Series([4.0, 0, -3, 1, 7, 2], index=range(2001, 2007))
    shifted = panel.add(shocks.reindex(panel.index.get_level_values(1)).to_numpy(), axis=0)
    options = {"transform": transform, "collapse": collapse}
    demeaned = PanelVAR(panel - panel.groupby(level=1).transform("mean"), **options).fit(steps)
    for data in (panel, shifted):
        results = PanelVAR(data, time_effects=True, **options).fit(steps)
        assert close(results.params, demeaned.params, rel=1e-8)
        assert close(results.std_errors, demeaned.std_errors, rel=1e-8)
        assert results.hansen_j == pytest.approx(demeaned.hansen_j)


def test_order_names_and_units_do_not_matter(empluk):
    base = PanelVAR(empluk).fit()
    mixed = empluk.sample(frac=1, random_state=4)
    mixed.index = mixed.index.set_levels(
        [f"firm {999 - firm}" for firm in mixed.index.levels[0]], level=0
    )
    units = np.array([1e-4, 1.0, 1e5])
    other = PanelVAR(mixed * units).fit()
    assert close(other.params, base.params * np.outer(units, 1 / units), rel=1e-7)
    assert close(other.std_errors, base.std_errors * np.outer(units, 1 / units), rel=1e-7)
    assert close(other.hansen_j.stat, base.hansen_j.stat, rel=1e-7)
    assert close(other.granger, base.granger, rel=1e-6)


def test_granger_wald_of_one_lag_is_the_squared_t_statistic(empluk):
    results = PanelVAR(empluk).fit()
    granger = results.granger
    assert granger.loc[("wage", "emp"), "stat"] == pytest.approx(
        results.tstats.loc["emp", "L1.wage"] ** 2
    )
    assert granger.loc[("wage", "emp"), "pval"] == pytest.approx(
        results.pvalues.loc["emp", "L1.wage"]
    )
    assert granger.loc[("all", "emp"), "df"] == 2
    assert granger.loc[("all", "emp"), "stat"] >= granger.loc[("wage", "emp"), "stat"]


def test_one_variable_is_a_dynamic_panel(simulate):
    results = PanelVAR(simulate([[[0.6]]], [[1.0]], 1500, 8)).fit()
    assert results.params.loc["a", "L1.a"] == pytest.approx(0.6, abs=0.05)
    assert results.granger.empty


def test_too_many_instruments_warn_with_both_numbers(simulate):
    panel = simulate([A1], SIGMA, n=15, t=8)
    with pytest.warns(UserWarning) as caught:
        results = PanelVAR(panel, collapse=False).fit()
    words = [str(warning.message) for warning in caught]
    assert any("42 instruments an equation for 15 entities" in word for word in words)
    assert any("rank 15 of 84 moments" in word for word in words)
    assert [c for c in results.cautions if "modulus" not in c] == words
    assert all(word in results.summary for word in words)
    assert results.hansen_j.df == 15 - 4


def test_short_entities_are_dropped_and_counted(empluk):
    short = empluk.loc[[5]].iloc[:2].rename(index={5: 999}, level=0)
    results = PanelVAR(pd.concat([empluk, short])).fit()
    assert results.dropped_entities == (999,)
    assert close(results.params, PanelVAR(empluk).fit().params, rel=1e-7)
    assert "dropped as too short 1" in results.summary
    assert results.cautions == [
        "Too short for an equation and dropped: 1 (999).",
        f"The largest modulus is {results.moduli[1]:.3f}: shocks do not die out, and there is no "
        "variance decomposition.",
    ]


def test_lag_selection_finds_the_order_on_one_sample(simulate):
    panel = simulate([A1, A2], SIGMA, 1500, 10)
    table = select_lags(panel, 3)
    assert table["bic"].idxmin() == 2
    assert table["n_obs"].nunique() == 1
    assert list(table["df"].diff().dropna()) == [-4, -4]
    assert table.loc[1, "bic"] == pytest.approx(
        table.loc[1, "j"] - table.loc[1, "df"] * np.log(table.loc[1, "n_obs"])
    )
    longest = PanelVAR(panel, lags=3).fit()
    assert table.loc[3, "j"] == pytest.approx(longest.hansen_j.stat)


@pytest.mark.parametrize(
    "options", [{"system": True}, {"pca": 0.9}, {"trend": True}, {"collapse": False}]
)
def test_lag_selection_takes_every_form_of_the_model(simulate, options):
    panel = simulate([A1], SIGMA, 300, 8)
    table = select_lags(panel, 2, **options)
    longest = PanelVAR(panel, lags=2, **options).fit()
    assert table.loc[2, "j"] == pytest.approx(longest.hansen_j.stat)
    assert table.loc[2, "df"] == longest.hansen_j.df


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"transform": "within"}, "'within' is neither"),
        ({"lags": 0}, "at least one lag"),
        ({"lags": 7}, "covers 8 year"),
        ({"lags": 6, "instrument_lags": (2, 2)}, "cannot identify"),
        ({"instrument_lags": (1, 3)}, "2 or more"),
        ({"instrument_lags": (50, 99)}, "0 instrument"),
    ],
)
def test_bad_options_are_refused_in_words(simulate, options, words):
    with pytest.raises(TandemError, match=words):
        PanelVAR(simulate([A1], SIGMA, 20, 8), **options)


def test_variables_that_cannot_be_told_apart_are_refused(simulate):
    panel = simulate([A1], SIGMA, 20, 8)
    with pytest.raises(TandemError, match="collinear"):
        PanelVAR(panel.assign(c=panel["a"] - 2 * panel["b"]))
    fixed = panel["a"].groupby(level=0).transform("mean")
    with pytest.raises(TandemError, match=r"'L1.c' is wholly explained"):
        PanelVAR(panel.assign(c=fixed))


def test_a_variable_cannot_be_exogenous_too(simulate):
    panel = simulate([A1], SIGMA, 20, 8)
    with pytest.raises(TandemError, match="'b' is a variable of the VAR and exogenous"):
        PanelVAR(panel, exog=panel[["b"]] ** 2)


def test_too_few_entities_are_refused(simulate):
    panel = simulate([A1], SIGMA, 20, 8)
    panel[panel.index.get_level_values(1) % 2 == 0] = np.nan
    with pytest.raises(TandemError, match="3 years in a row without a gap; 0 have them"):
        PanelVAR(panel)
    with pytest.raises(TandemError, match="3 independent moments for 4 coefficients"):
        PanelVAR(simulate([A1], SIGMA, 3, 8)).fit()
    with pytest.raises(TandemError, match="steps=3"):
        PanelVAR(simulate([A1], SIGMA, 30, 8)).fit(steps=3)


def test_an_ordinary_fit_does_not_warn(empluk):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        PanelVAR(empluk).fit()


def transformed_by_hand(panel, lags, transform, time_effects):
    """Transformed equations (rows, K) and lags (rows, K p), year dummies taken out; years lost."""
    y, x, dummies = [], [], []
    all_years = sorted(panel.index.unique(1))
    for _, rows in panel.groupby(level=0):
        v = rows.droplevel(0).reindex(all_years)
        years = [
            t for i, t in enumerate(all_years)
            if i >= lags and v.iloc[i - lags : i + 1].notna().all(axis=None)
        ]  # fmt: skip
        matrix, _ = transform_matrix(years, transform)
        y.append(matrix @ v.loc[years].to_numpy())
        past = [v.shift(j).loc[years].to_numpy() for j in range(1, lags + 1)]
        x.append(matrix @ np.hstack(past))
        dummies.append(matrix @ np.array([[float(t == s) for s in all_years] for t in years]))
    y, x, d = (np.concatenate(a) for a in (y, x, dummies))
    lost = np.linalg.matrix_rank(d) if time_effects else 0
    if time_effects:
        y, x = (a - d @ np.linalg.lstsq(d, a, rcond=None)[0] for a in (y, x))
    return y, x, lost


@pytest.mark.parametrize("transform", ["fod", "fd"])
@pytest.mark.parametrize("time_effects", [False, True])
@pytest.mark.parametrize("lags", [1, 2])
def test_the_residual_covariance_counts_coefficients_and_years(
    simulate, transform, time_effects, lags
):
    panel = simulate([A1], SIGMA, n=40, t=8, seed=4).drop([(3, 2004), (5, 2001), (7, 2008)])
    fit = PanelVAR(panel, lags, transform, (2, 4), time_effects=time_effects).fit()
    y, x, lost = transformed_by_hand(panel, lags, transform, time_effects)
    e = y - x @ fit.params.to_numpy().T
    divisor = (len(e) - 2 * lags - lost) * (2.0 if transform == "fd" else 1.0)
    assert fit.residual_cov.to_numpy() == pytest.approx(e.T @ e / divisor)
    assert fit.n_obs == len(e)


@pytest.mark.parametrize("transform", ["fod", "fd"])
def test_criteria_of_lags_are_those_of_andrews_and_lu(simulate, transform):
    panel = simulate([A1, A2], SIGMA, n=200, t=9, seed=5)
    table = select_lags(panel, 3, transform, (2, 5))
    assert table.index.tolist() == [1, 2, 3]
    log_n = np.log(table["n_obs"])
    assert close(table["bic"], table["j"] - table["df"] * log_n)
    assert close(table["aic"], table["j"] - 2 * table["df"])
    assert close(table["hqic"], table["j"] - 2.1 * table["df"] * np.log(log_n))
    assert close(table["pval"], stats.chi2.sf(table["j"], table["df"]))
    longest = PanelVAR(panel, 3, transform, (2, 5)).fit()
    assert table.loc[3, "max_modulus"] == pytest.approx(longest.moduli.max())
    # 1 - det(S_e) / det(S_y) of the transformed equations
    y, _, _ = transformed_by_hand(panel, 3, transform, False)
    total = y.T @ y / len(y) / (2.0 if transform == "fd" else 1.0)
    share = 1 - np.linalg.det(longest.residual_cov) / np.linalg.det(total)
    assert table.loc[3, "cd"] == pytest.approx(share)
    given = select_lags(panel, 2)
    pd.testing.assert_frame_equal(given, select_lags(panel, 2, "fod", (2, 99), True, None, False))


def test_diagnostics_are_the_tests_of_the_residuals(simulate):
    panel = simulate([A1], SIGMA, n=40, t=9, seed=6)
    fit = PanelVAR(panel, instrument_lags=(2, 4)).fit()
    table = fit.diagnostics
    for name in "ab":
        e = fit.residuals[name]
        normal = stats.jarque_bera(e)
        assert table.loc[name, "jarque_bera"] == pytest.approx(normal.statistic)
        assert table.loc[name, "jarque_bera_p"] == pytest.approx(normal.pvalue)
        cd = cross_section_tests(e)
        assert (table.loc[name, "cd"], table.loc[name, "cd_p"]) == pytest.approx(cd[:2])
    # residuals of the equations in levels, less the means of their entity
    lagged = panel.groupby(level=0).shift(1).dropna()
    left = panel.loc[lagged.index] - lagged.to_numpy() @ fit.params.to_numpy().T
    left = left - left.groupby(level=0).transform("mean")
    assert fit.residuals.to_numpy() == pytest.approx(left.to_numpy())
    years = PanelVAR(panel, instrument_lags=(2, 4), time_effects=True).fit().diagnostics
    assert years[["cd", "cd_p"]].isna().all(axis=None) and years["ar1"].notna().all()
    short = PanelVAR(panel[panel.index.get_level_values(1) < 2005]).fit().diagnostics
    assert short["ar1"].notna().all() and short[["ar2", "ar2_p"]].isna().all(axis=None)


@pytest.mark.parametrize("transform", ["fod", "fd"])
@pytest.mark.parametrize("steps", [1, 2])
def test_serial_correlation_with_year_effects_is_that_of_dynamic_panels(simulate, transform, steps):
    """In a balanced panel year effects are yearly means taken out beforehand."""
    panel = simulate([A1], SIGMA, n=80, t=8, seed=7)
    options = {"transform": transform, "instrument_lags": (2, 4)}
    rows = PanelVAR(panel, time_effects=True, **options).fit(steps).diagnostics
    less = panel - panel.groupby(level=1).transform("mean")
    plain = PanelVAR(less, **options).fit(steps).diagnostics
    columns = ["ar1", "ar1_p", "ar2", "ar2_p"]
    assert close(rows[columns], plain[columns], rel=1e-6)


def test_the_warnings_point_to_the_fit_and_start_above_the_number_of_entities(simulate):
    for n, told in ((12, 0), (11, 1)):  # two variables, six lags each in eight years
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            fit = PanelVAR(simulate([A1], SIGMA, n=n, t=8)).fit()
        assert fit.n_instruments == 12
        assert sum("instruments an equation for" in str(w.message) for w in caught) == told
        assert caught and all(w.filename == __file__ for w in caught)
        assert any("rank" in c for c in fit.cautions)  # 24 moments of 12 entities


def test_what_is_not_given_is_said(simulate):
    panel = simulate([A1], SIGMA, n=60, t=7)
    plain = PanelVAR(panel).fit()
    given = PanelVAR(panel, 1, "fod", (2, 99), True, None, False, None, False, False, None).fit(2)
    pd.testing.assert_frame_equal(plain.std_errors, given.std_errors)
    assert plain.method == given.method == "forward orthogonal deviations, collapsed instruments"
    assert PanelVAR(panel, transform="fd", collapse=False, system=True)._design.method == (
        "system GMM, first differences, all instruments"
    )
    design = PanelVAR(panel, pca=0.9, time_effects=True)._design
    assert design.method.endswith(
        "their principal components up to 90% of the variance, year effects removed"
    )


def test_six_short_entities_are_told_by_five(simulate):
    panel = simulate([A1], SIGMA, n=40, t=7)
    for n, words in ((6, "6 (0, 1, 2, 3, 4, ...)."), (5, "5 (0, 1, 2, 3, 4).")):
        short = (panel.index.get_level_values(0) < n) & (panel.index.get_level_values(1) > 2002)
        caution = PanelVAR(panel[~short]).fit().cautions[0]
        assert caution == f"Too short for an equation and dropped: {words}"


def test_the_summary_names_what_was_done(simulate):
    panel = simulate([A1], SIGMA, n=60, t=7)
    for steps, words in (
        (1, "one-step GMM, robust"), (2, "two-step GMM, Windmeijer"),
        ("iterated", "iterated GMM, corrected"),
    ):  # fmt: skip
        fit = PanelVAR(panel, instrument_lags=(2, 3)).fit(steps)
        assert words in fit.summary and "Companion moduli" in fit.summary
        assert f"chi2({fit.hansen_j.df})" in fit.summary
        kind = {1: "robust", 2: "Windmeijer"}.get(steps, "iterated")
        assert fit.statistics["se_type"] == f"{kind}, clustered by entity"
    exact = PanelVAR(panel, instrument_lags=(2, 2)).fit()
    assert exact.hansen_j.df == 0 and "Hansen J exactly identified" in exact.summary
    table = fit.equation("a")
    assert table.terms["estimate"].tolist() == fit.params.loc["a"].tolist()
    reach = table.terms["conf_high"] - table.terms["estimate"]
    assert reach.to_numpy() == pytest.approx(1.959964 * fit.std_errors.loc["a"].to_numpy())
    assert table.statistics["conf_level"] == 0.95


def test_three_years_and_two_entities_are_the_least(simulate):
    panel = simulate([[[0.5]]], [[1.0]], n=30, t=4)
    three = panel[panel.index.get_level_values(1) < 2004]
    assert PanelVAR(three).fit().n_obs == 30
    with pytest.raises(TandemError, match="covers 2 year.*, 2001 to 2002; 1 lag.* at least 3"):
        PanelVAR(panel[panel.index.get_level_values(1) < 2003])
    assert PanelVAR(panel.loc[:1]).fit(1).n_entities == 2
    with pytest.raises(TandemError, match="3 years in a row without a gap; 1 have them"):
        PanelVAR(panel.loc[[0]])


def test_a_modulus_of_one_is_not_stable(simulate):
    fit = PanelVAR(simulate([A1], SIGMA, n=60, t=7), instrument_lags=(2, 3)).fit()
    for root, stable in ((1.0, False), (-1.0, False), (1 - 1e-9, True)):
        params = pd.DataFrame(np.diag([root, 0.2]), fit.params.index, fit.params.columns)
        assert replace(fit, params=params).stable == stable
