import numpy as np
import pandas as pd
import pytest

from tandem.econometrics import PanelVAR
from tandem.econometrics.panel_var_irf import orthogonal_impact, structural_impact
from tandem.econometrics.panel_var_paths import rebuilt
from tandem.errors import TandemError

A1, A2 = [[0.5, 0.2], [-0.1, 0.4]], [[0.2, 0.0], [0.1, 0.2]]
SIGMA = [[1.0, 0.4], [0.4, 0.5]]


@pytest.fixture(scope="module")
def fitted(simulate):
    return PanelVAR(simulate([A1], SIGMA, n=300, t=8)).fit()


def array(table, column):
    """(horizon, response, impulse)."""
    wide = table.set_index(["horizon", "response", "impulse"])[column].unstack("impulse")
    return np.array([wide.loc[h].to_numpy() for h in sorted(table["horizon"].unique())])


def test_orthogonal_responses_are_powers_times_cholesky(fitted):
    a = fitted.params.to_numpy()
    p = np.linalg.cholesky(fitted.residual_cov.to_numpy())
    irf = fitted.irf(horizon=6, bands=None)
    target = np.array([np.linalg.matrix_power(a, h) @ p for h in range(7)])
    assert array(irf.table, "estimate") == pytest.approx(target)
    assert list(irf.table.columns) == ["impulse", "response", "horizon", "estimate"]


def test_two_lags_follow_the_companion_matrix(simulate):
    results = PanelVAR(simulate([A1, A2], SIGMA, n=300, t=9), lags=2).fit()
    companion = np.vstack([results.params.to_numpy(), np.eye(2, 4)])
    p = np.linalg.cholesky(results.residual_cov.to_numpy())
    target = [np.linalg.matrix_power(companion, h)[:2, :2] @ p for h in range(6)]
    assert array(results.irf(5, bands=None).table, "estimate") == pytest.approx(np.array(target))
    moduli = np.sort(np.abs(np.linalg.eigvals(companion)))[::-1]
    assert results.moduli.to_numpy() == pytest.approx(moduli)


def test_the_order_decides_who_moves_at_once(fitted):
    def impact(order):
        table = fitted.irf(1, order=order, bands=None).table
        return table[table["horizon"] == 0].set_index(["impulse", "response"])["estimate"]

    assert impact(["a", "b"])["b", "a"] == 0 != impact(["a", "b"])["a", "b"]
    assert impact(["b", "a"])["a", "b"] == 0 != impact(["b", "a"])["b", "a"]


def test_generalised_responses_equal_orthogonal_ones_to_the_first_variable(fitted):
    generalised = fitted.irf(5, kind="generalised", bands=None).table
    for first, second in (("a", "b"), ("b", "a")):
        orthogonal = fitted.irf(5, order=[first, second], bands=None).table
        one, other = (t[t["impulse"] == first]["estimate"] for t in (generalised, orthogonal))
        assert one.to_numpy() == pytest.approx(other.to_numpy())


def test_variance_shares_sum_to_one_and_follow_their_formula(fitted):
    irf = fitted.irf(8, bands=None)
    shares = irf.fevd()
    assert list(shares.columns) == ["response", "impulse", "horizon", "share"]
    assert shares.groupby(["response", "horizon"])["share"].sum().to_numpy() == pytest.approx(1)
    squared = np.cumsum(array(irf.table, "estimate")[:-1] ** 2, axis=0)
    assert array(shares, "share") == pytest.approx(squared / squared.sum(axis=2, keepdims=True))
    first = shares[(shares["response"] == "a") & (shares["horizon"] == 1)]
    assert list(first["share"]) == [1, 0]


def test_variance_shares_are_refused_where_they_do_not_exist(fitted, empluk):
    with pytest.raises(TandemError, match="not stable"):
        PanelVAR(empluk).fit().irf(bands=None).fevd()
    with pytest.raises(TandemError, match="orthogonal"):
        fitted.irf(kind="generalised", bands=None).fevd()


@pytest.mark.parametrize("kind", ["orthogonal", "generalised"])
@pytest.mark.parametrize("bands", ["bootstrap", "gaussian"])
def test_bands_are_reproducible_and_enclose_the_estimate(fitted, kind, bands):
    first = fitted.irf(4, kind, bands=bands, draws=300, seed=1).table
    again = fitted.irf(4, kind, bands=bands, draws=300, seed=1).table
    other = fitted.irf(4, kind, bands=bands, draws=300, seed=2).table
    pd.testing.assert_frame_equal(first, again)
    assert not first["conf_low"].equals(other["conf_low"])
    assert (first["conf_low"] <= first["estimate"] + 1e-12).all()
    assert (first["estimate"] <= first["conf_high"] + 1e-12).all()


def test_gaussian_bands_are_those_of_the_normal_distribution(simulate):
    results = PanelVAR(simulate([[[0.5]]], [[2.0]], n=200, t=8)).fit()
    table = results.irf(1, bands="gaussian", draws=40_000).table.set_index("horizon")
    sd = np.sqrt(results.residual_cov.iloc[0, 0])
    error = results.std_errors.iloc[0, 0]
    coef = results.params.iloc[0, 0]
    assert table.loc[0, ["conf_low", "conf_high"]].to_numpy() == pytest.approx(sd)
    expected = (coef + np.array([-1.96, 1.96]) * error) * sd
    band = table.loc[1, ["conf_low", "conf_high"]].to_numpy(dtype=float)
    assert band == pytest.approx(expected, abs=0.06 * error * sd)


def test_bands_do_not_depend_on_units(fitted, simulate):
    units = np.array([1e-3, 1e4])
    scaled = PanelVAR(simulate([A1], SIGMA, n=300, t=8) * units).fit()
    base, other = (r.irf(3, draws=50).table for r in (fitted, scaled))
    unit = base["response"].map({"a": units[0], "b": units[1]})
    for column in ("estimate", "conf_low", "conf_high"):
        assert other[column].to_numpy() == pytest.approx((base[column] * unit).to_numpy(), rel=1e-6)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"horizon": 0}, "at least one year"),
        ({"kind": "cumulative"}, "'cumulative' is none"),
        ({"kind": "structural"}, "need restrictions"),
        ({"order": ["a"]}, "must name each"),
        ({"bands": "delta"}, "'delta' is none"),
        ({"draws": 1}, "at least 2 draws"),
        ({"level": 95}, "between 0 and 1"),
    ],
)
def test_bad_options_are_refused_in_words(fitted, options, words):
    with pytest.raises(TandemError, match=words):
        fitted.irf(**options)


def paths(coef, sigma, lags, horizon):
    """Orthogonal responses (horizon + 1, K, K) by the companion matrix."""
    k = len(coef)
    companion = np.vstack([coef[:, : k * lags], np.eye(k * (lags - 1), k * lags)])
    powers = [np.linalg.matrix_power(companion, h)[:k, :k] for h in range(horizon + 1)]
    return np.array(powers) @ np.linalg.cholesky(sigma)


@pytest.fixture(scope="module")
def second(simulate):
    return PanelVAR(simulate([A1, A2], SIGMA, n=80, t=9), lags=2, instrument_lags=(2, 4)).fit()


@pytest.mark.parametrize("bands", ["bootstrap", "gaussian", "wild"])
def test_bands_are_quantiles_and_the_largest_studentised_deviation(second, bands):
    irf = second.irf(4, bands=bands, draws=60, seed=3, level=0.8)
    coefs, sigmas = second.draw(bands, 60, 3)
    drawn = np.array([paths(c, s, 2, 4) for c, s in zip(coefs, sigmas, strict=True)])
    low, high = np.quantile(drawn, [0.1, 0.9], axis=0)
    assert array(irf.table, "conf_low") == pytest.approx(low)
    assert array(irf.table, "conf_high") == pytest.approx(high)
    point, sd = array(irf.table, "estimate"), drawn.std(axis=0)
    for i in range(2):
        for j in range(2):
            moved = sd[:, i, j] > 1e-9
            away = np.abs(drawn[:, moved, i, j] - drawn[:, moved, i, j].mean(axis=0))
            c = np.quantile((away / sd[moved, i, j]).max(axis=1), 0.8)
            for name, sign in (("joint_low", -1), ("joint_high", 1)):
                expected = point[:, i, j] + sign * c * sd[:, i, j]
                assert array(irf.table, name)[:, i, j] == pytest.approx(expected)
    squares = np.cumsum(drawn[:, :-1] ** 2, axis=1)
    low, high = np.quantile(squares / squares.sum(axis=3, keepdims=True), [0.1, 0.9], axis=0)
    assert array(irf.fevd(), "conf_low") == pytest.approx(low)
    assert array(irf.fevd(), "conf_high") == pytest.approx(high)
    assert sorted(irf.fevd()["horizon"].unique()) == [1, 2, 3, 4]


def test_what_is_not_given_is_said(second):
    pd.testing.assert_frame_equal(
        second.irf().table,
        second.irf(10, "orthogonal", ["a", "b"], None, False, "bootstrap", 999, 1, 0.95).table,
    )
    assert not second.irf(seed=2).table.equals(second.irf().table)
    pd.testing.assert_frame_equal(second.forecast(), second.forecast(3, None, 999, 1, 0.95))
    assert not second.forecast(seed=2).equals(second.forecast())


def test_bootstrap_draws_are_fits_to_the_entities_drawn(second):
    weights = np.random.default_rng(np.random.SeedSequence(5)).multinomial(
        80, np.full(80, 1 / 80), size=4
    )
    coef, sigma = second.draw("bootstrap", 4, 5)
    again = second._resample(weights)
    assert coef == pytest.approx(again[0]) and sigma == pytest.approx(again[1])


def test_gaussian_draws_have_the_covariance_of_the_coefficients(second):
    coef, sigma = second.draw("gaussian", 20_000, 1)
    spread = np.cov(coef.reshape(20_000, -1), rowvar=False)
    scale = np.sqrt(np.diag(second.cov))
    assert spread / np.outer(scale, scale) == pytest.approx(
        second.cov.to_numpy() / np.outer(scale, scale), abs=0.05
    )
    assert (sigma == second.residual_cov.to_numpy()).all()


def test_wild_draws_in_chunks_are_one_after_another(second, monkeypatch):
    from tandem.econometrics import panel_var_results

    size = second._data.size
    monkeypatch.setattr(panel_var_results, "VALUES_PER_CHUNK", size * 3)
    found, _ = second.draw("wild", 7, 2)
    rng = np.random.default_rng(np.random.SeedSequence(2))
    coefs = []
    for count in (3, 3, 1):
        signs = rng.choice([-1.0, 1.0], (count, 80, 9))
        # seven equations an entity, whose mean error was taken away
        coefs.append(second._refit_panels(*rebuilt(second, signs * np.sqrt(7 / 6)), count)[0])
    assert found == pytest.approx(np.concatenate(coefs))


def test_generalised_responses_are_pesaran_and_shins(second):
    sigma = second.residual_cov.to_numpy()
    table = second.irf(3, "generalised", bands=None).table
    by_hand = paths(second.params.to_numpy(), sigma, 2, 3) @ np.linalg.inv(
        np.linalg.cholesky(sigma)
    )
    assert array(table, "estimate") == pytest.approx(by_hand @ (sigma / np.sqrt(np.diag(sigma))))


def test_structural_impacts_are_the_likeliest_under_their_restrictions():
    sigma = np.array([[1.0, 0.4, 0.1], [0.4, 0.5, 0.2], [0.1, 0.2, 2.0]])

    def likelihood(b):
        inverse = np.linalg.inv(b)
        return np.log(abs(np.linalg.det(inverse))) - np.trace(inverse @ sigma @ inverse.T) / 2

    diagonal = structural_impact(sigma, np.where(np.eye(3), np.nan, 0.0))
    assert diagonal == pytest.approx(np.diag(np.sqrt(np.diag(sigma))))
    pattern = np.array([[np.nan, 0.3, 0.0], [np.nan, np.nan, 0.0], [0.0, np.nan, np.nan]])
    b = structural_impact(sigma, pattern)
    assert (b[0, 1], b[0, 2], b[1, 2], b[2, 0]) == pytest.approx((0.3, 0, 0, 0))
    assert (np.diag(b) > 0).all()
    best = likelihood(b)
    for i, j in np.argwhere(np.isnan(pattern)):
        for step in (-1e-3, 1e-3):
            moved = b.copy()
            moved[i, j] += step
            assert likelihood(moved) < best
    units = np.array([100.0, 1.0, 0.01])
    scaled = structural_impact(sigma * np.outer(units, units), np.where(pattern == 0, 0.0, np.nan))
    plain = structural_impact(sigma, np.where(pattern == 0, 0.0, np.nan))
    assert scaled == pytest.approx(plain * units[:, None])
    many = structural_impact(np.stack([sigma, 2 * sigma]), np.where(pattern == 0, 0.0, np.nan))
    assert many == pytest.approx(np.stack([plain, np.sqrt(2) * plain]))


def test_restrictions_name_each_variable(second):
    wrong = pd.DataFrame(np.nan, ["a", "c"], ["a", "b"])
    for bad in (wrong, wrong.iloc[:1], wrong.T):
        with pytest.raises(TandemError, match="a row and a column for each"):
            second.irf(2, "structural", restrictions=bad)
    with pytest.raises(TandemError, match="need restrictions"):
        second.irf(2, restrictions=wrong)
    with pytest.raises(TandemError, match="4 free impacts cannot be told apart from 3 variances"):
        second.irf(2, "structural", restrictions=pd.DataFrame(np.nan, ["a", "b"], ["a", "b"]))
    for level in (0, 1):
        with pytest.raises(TandemError, match="between 0 and 1"):
            second.irf(2, level=level)
    assert len(second.irf(1, draws=2).table) == 8


def test_shocks_that_move_as_one_cannot_be_told_apart(second):
    with pytest.raises(TandemError, match="move as one"):
        orthogonal_impact(np.array([[1.0, 1.0], [1.0, 1.0]]) - 1e-9 * np.eye(2), [0, 1])
