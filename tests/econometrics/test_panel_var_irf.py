import numpy as np
import pandas as pd
import pytest

from tandem.econometrics import PanelVAR
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
