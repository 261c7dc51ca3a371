import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tandem.errors import TandemError
from tandem.indices import (
    METHODS,
    ahp_weights,
    critic_weights,
    cv_weights,
    entropy,
    entropy_weights,
    equal_weights,
    game_weights,
    goalposts,
    linear_weights,
    merec_weights,
    multiplicative_weights,
    normalise,
    pca_weights,
    principal_components,
    sd_weights,
    weight_agreement,
    weight_table,
    weighted_score,
)
from tandem.indices.weights import RANDOM_INDEX, _to_one

FIXED = settings(derandomize=True, deadline=None)
INDEX = pd.MultiIndex.from_product([["A", "B", "C"], [2015, 2016, 2017]], names=["entity", "year"])
RAW = pd.DataFrame(
    {
        "x1": [1, 1.2, 1.5, 2, 2.1, 2.4, 0.5, 0.6, 0.8],
        "x2": [10, 14, 20, 30, 33, 41, 5, 6, 9],
        "x3": [50, 48, 45, 40, 38, 33, 60, 59, 55],
    },
    index=INDEX,
)
Z = normalise(RAW, goalposts(RAW, {"x1": "+", "x2": "+", "x3": "-"}))
XU = np.array([[30, 30, 38, 29], [19, 54, 86, 29], [19, 15, 85, 28.9], [68, 70, 60, 29]])
TUS = pd.DataFrame(
    [
        [5000, 3, 3, 4, 3, 2],
        [680, 5, 3, 2, 2, 1],
        [2000, 3, 2, 3, 4, 3],
        [600, 4, 3, 1, 2, 2],
        [800, 2, 4, 3, 3, 4],
    ]
)


def test_entropy_of_a_panel():
    np.testing.assert_allclose(entropy(Z), [0.839690, 0.796016, 0.853569], atol=1e-6)
    w = entropy_weights(Z)
    assert list(w.index) == ["x1", "x2", "x3"]
    np.testing.assert_allclose(w, [0.313888, 0.399400, 0.286712], atol=1e-6)
    scores = [0.244264, 0.342920, 0.490905, 0.737547, 0.808588, 1, 0, 0.038234, 0.147034]
    np.testing.assert_allclose(Z @ w, scores, atol=1e-6)


@pytest.mark.parametrize(
    ("shift", "expected"),
    [(1e-4, [0.313897, 0.399394, 0.286709]), (1e-2, [0.314865, 0.398081, 0.287054])],
)
def test_entropy_shift(shift, expected):
    np.testing.assert_allclose(entropy_weights(Z, shift=shift), expected, atol=1e-6)


def test_entropy_xu_2004():
    np.testing.assert_allclose(entropy_weights(XU), [0.4630, 0.3992, 0.1378, 0.0000], atol=5e-5)


def test_entropy_zavadskas_podvezko_2016():
    x = np.array([[3, 100, 10, 7], [2.5, 80, 8, 5], [1.8, 50, 20, 11], [2.2, 70, 12, 9]])
    np.testing.assert_allclose(entropy_weights(x), [0.1146, 0.1981, 0.4185, 0.2689], atol=5e-5)


def test_entropy_weights_from_printed_entropies_tang_qin_2020():
    # fmt: off
    e = [.863, .850, .917, .940, .951, .887, .772, .851, .853, .691, .851, .898,
         .930, .897, .702, .940, .898, .941, .830, .827, .814, .940, .909]
    w = [.045, .049, .027, .020, .016, .037, .075, .049, .048, .101, .049, .033,
         .023, .034, .098, .020, .034, .019, .056, .057, .061, .020, .030]
    # fmt: on
    np.testing.assert_allclose(_to_one(1 - np.array(e)), w, atol=6e-4)


def test_coefficient_of_variation_shuai_2012():
    np.testing.assert_allclose(cv_weights(XU), [0.4258, 0.3610, 0.2121, 0.0011], atol=5e-5)


def test_critic_tus_aytac_adali_2019_leaves_the_cost_unreversed():
    z = normalise(TUS, goalposts(TUS, dict.fromkeys(TUS, "+")))
    expected = [0.157, 0.249, 0.168, 0.121, 0.154, 0.151]
    np.testing.assert_allclose(critic_weights(z), expected, atol=6e-4)


def test_critic_with_the_cost_reversed():
    z = normalise(TUS, goalposts(TUS, dict.fromkeys(TUS, "+") | {0: "-"}))
    expected = [0.1841, 0.2130, 0.1422, 0.1583, 0.1684, 0.1340]
    np.testing.assert_allclose(critic_weights(z), expected, atol=5e-5)


def test_standard_deviation_salabun_2020():
    # fmt: off
    x = [[.619, .449, .447], [.862, .466, .006], [.458, .698, .771], [.777, .631, .491],
         [.567, .992, .968]]
    # fmt: on
    np.testing.assert_allclose(sd_weights(np.array(x)), [0.217, 0.294, 0.488], atol=6e-4)


def test_merec_keshavarz_ghorabaee_2021():
    x = pd.DataFrame(
        [
            [450, 8000, 54, 145],
            [10, 9100, 2, 160],
            [100, 8200, 31, 153],
            [220, 9300, 1, 162],
            [5, 8400, 23, 158],
        ],
        columns=list("abcd"),
    )
    expected = [0.5752, 0.0141, 0.4016, 0.0091]
    w = merec_weights(x, {"d": "-", "c": "-", "b": "+", "a": "+"})
    np.testing.assert_allclose(w, expected, atol=5e-5)
    np.testing.assert_allclose(merec_weights(x.to_numpy(), list("++--")), expected, atol=5e-5)


def test_merec_refuses_zero_and_unknown_directions():
    with pytest.raises(TandemError, match=r"x1 \(entity A, year 2015\) is 0"):
        merec_weights(RAW.replace({"x1": {1.0: 0.0}}), dict.fromkeys(RAW, "+"))
    with pytest.raises(TandemError, match="'\\+' or '-'"):
        merec_weights(RAW, {"x1": "+", "x2": "+"})


def test_equal_and_registry():
    assert equal_weights(Z).tolist() == [1 / 3] * 3
    assert set(METHODS) == {"entropy", "critic", "cv", "sd", "equal"}


@pytest.mark.parametrize("method", METHODS)
@FIXED
@given(z=arrays(float, (6, 4), elements=st.floats(0, 1)))
def test_weights_are_shares(method, z):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        w = METHODS[method](z)
    assert (w >= 0).all()
    assert w.sum() == pytest.approx(1, abs=1e-12)


@FIXED
@given(z=arrays(float, (6, 4), elements=st.floats(0, 1)))
def test_entropy_lies_between_0_and_1(z):
    e = entropy(z)
    assert ((e >= 0) & (e <= 1)).all()


@pytest.mark.parametrize("method", METHODS)
def test_rows_order_does_not_matter_and_labels_follow(method):
    w = METHODS[method](Z)
    turned = METHODS[method](Z.iloc[::-1, ::-1])
    assert list(turned.index) == ["x3", "x2", "x1"]
    pd.testing.assert_series_equal(turned[w.index], w)
    np.testing.assert_array_equal(METHODS[method](Z.to_numpy()), w)


@pytest.mark.parametrize("method", ["entropy", "critic", "cv", "sd"])
def test_indicator_that_does_not_vary_counts_as_absent(method):
    w = METHODS[method](Z.assign(flat=0.4, none=0.0))
    assert w["flat"] == w["none"] == 0
    pd.testing.assert_series_equal(w[["x1", "x2", "x3"]], METHODS[method](Z))


@pytest.mark.parametrize("method", ["entropy", "critic", "cv", "sd"])
def test_no_information_gives_equal_weights_with_a_warning(method):
    with pytest.warns(UserWarning, match="weights are equal") as caught:
        w = METHODS[method](Z * 0 + 0.4)
    assert caught[0].filename == __file__
    np.testing.assert_array_equal(w, 1 / 3)


def test_single_indicator_needs_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert critic_weights(Z[["x1"]]).tolist() == [1]


@pytest.mark.parametrize("method", METHODS)
def test_missing_value_names_indicator_entity_and_year(method):
    z = Z.copy()
    z.loc[("B", 2016), "x2"] = np.nan
    with pytest.raises(TandemError, match=r"x2 \(entity B, year 2016\) is missing"):
        METHODS[method](z)


@pytest.mark.parametrize("method", METHODS)
def test_one_row_is_refused(method):
    with pytest.raises(TandemError, match="at least two entity-years"):
        METHODS[method](Z.iloc[:1])


@pytest.mark.parametrize("method", [entropy_weights, cv_weights])
def test_negative_values_are_refused(method):
    with pytest.raises(TandemError, match=r"x1 \(entity A, year 2015\) is -"):
        method(Z - 0.5)


W1, W2 = np.array([0.4, 0.3, 0.2, 0.1]), np.array([0.25, 0.2, 0.3, 0.25])


def test_game_weights():
    w = game_weights(W1, W2)
    np.testing.assert_allclose(w, [0.373568, 0.282379, 0.217621, 0.126432], atol=1e-6)
    alpha = np.linalg.lstsq(np.column_stack([W1, W2]), w)[0]
    np.testing.assert_allclose(alpha, [0.823789, 0.176211], atol=1e-6)


def test_game_weights_of_dependent_sets_are_their_mean():
    np.testing.assert_allclose(game_weights(W1, W1), W1)
    np.testing.assert_allclose(game_weights(W1, W2, (W1 + W2) / 2), (W1 + W2) / 2)


def test_multiplicative_weights():
    product = W1 * W2
    np.testing.assert_allclose(multiplicative_weights(W1, W2), product / product.sum())


@pytest.mark.parametrize("combine", [game_weights, multiplicative_weights])
def test_sets_are_matched_by_indicator(combine):
    a, b = pd.Series(W1, index=list("wxyz")), pd.Series(W2, index=list("wxyz"))
    pd.testing.assert_series_equal(combine(a, b[::-1]), combine(a, b))
    with pytest.raises(TandemError, match="row x\\) is missing"):
        combine(a, b.drop("x"))


def test_combination_refuses_what_is_no_weight():
    with pytest.raises(TandemError, match="sum to 1"):
        game_weights(W1, 2 * W2)
    with pytest.raises(TandemError, match="No indicator has weight in all"):
        multiplicative_weights(np.array([1.0, 0]), np.array([0, 1.0]))


def columns_with(r):
    """Twelve rows whose correlation matrix is exactly `r`."""
    raw = np.random.default_rng(5).normal(size=(12, len(r)))
    q = np.linalg.qr(raw - raw.mean(axis=0))[0]
    return 3 + q @ np.linalg.cholesky(np.array(r)).T


def test_principal_components_of_two_blocks():
    # Eigenvalues 1 +- 0.8 and 1 +- 0.5; of the kept ones each block has loadings 1 / sqrt(2).
    r = np.eye(4)
    r[0, 1] = r[1, 0] = 0.8
    r[2, 3] = r[3, 2] = 0.5
    found = principal_components(columns_with(r))
    np.testing.assert_allclose(found.eigenvalues, [1.8, 1.5, 0.5, 0.2], atol=1e-12)
    assert found.kept == 2
    np.testing.assert_allclose(found.weights, np.array([1.8, 1.8, 1.5, 1.5]) / 6.6, atol=1e-12)
    half = np.sqrt(0.5)
    expected = np.array([[half, half, 0, 0], [0, 0, half, half]]).T
    np.testing.assert_allclose(found.loadings[:, :2], expected, atol=1e-12)


@pytest.mark.parametrize("r", [0.2, 0.7])
def test_kmo_and_bartlett_of_equal_correlations(r):
    m, n = 4, 12
    found = principal_components(columns_with(np.full((m, m), r) + (1 - r) * np.eye(m)))
    partial = r / (1 + (m - 2) * r)
    assert found.kmo == pytest.approx(r**2 / (r**2 + partial**2))
    determinant = (1 - r) ** (m - 1) * (1 + (m - 1) * r)
    bartlett = -(n - 1 - (2 * m + 5) / 6) * np.log(determinant)
    assert found.bartlett == pytest.approx(bartlett)
    assert found.bartlett_df == 6
    # Chi-squared with 6 degrees of freedom above x: exp(-x/2) (1 + x/2 + (x/2)^2 / 2).
    half = bartlett / 2
    tail = np.exp(-half) * (1 + half + half**2 / 2)
    assert found.bartlett_pvalue == pytest.approx(tail, rel=1e-9)
    np.testing.assert_allclose(found.weights, 1 / m, atol=1e-12)


def test_signs_of_components_do_not_depend_on_the_order_of_columns():
    z = pd.DataFrame(np.random.default_rng(2).random((20, 4)), columns=list("abcd"))
    found, turned = principal_components(z), principal_components(z[list("dbca")])
    pd.testing.assert_frame_equal(turned.loadings.loc[list("abcd")], found.loadings)
    standard = (z - z.mean()) / z.std()
    together = (standard @ found.loadings).T @ standard.mean(axis=1)
    assert (together >= -1e-9).all()


def test_pca_leaves_out_what_does_not_vary_and_reports_dependence():
    w = pca_weights(Z.assign(flat=0.4))
    assert w["flat"] == 0
    pd.testing.assert_series_equal(w[["x1", "x2", "x3"]], pca_weights(Z))
    twice = principal_components(Z.assign(again=Z["x1"]))
    assert np.isnan(twice.kmo) and np.isinf(twice.bartlett) and twice.bartlett_pvalue == 0


def test_ahp_of_three_in_closed_form():
    # For three indicators the eigenvector is the row geometric mean, and lambda = 1 + q + 1 / q.
    a = np.array([[1, 3, 5], [1 / 3, 1, 3], [1 / 5, 1 / 3, 1]])
    found = ahp_weights(pd.DataFrame(a, list("abc"), list("abc")))
    geometric = np.prod(a, axis=1) ** (1 / 3)
    np.testing.assert_allclose(found.weights, geometric / geometric.sum())
    assert list(found.weights.index) == list("abc")
    q = (a[0, 2] / (a[0, 1] * a[1, 2])) ** (1 / 3)
    assert found.lambda_max == pytest.approx(1 + q + 1 / q)
    assert found.consistency_ratio == pytest.approx((q + 1 / q - 2) / 2 / 0.58)


def test_ahp_of_consistent_comparisons_returns_their_weights():
    found = ahp_weights(W1[:, None] / W1)
    np.testing.assert_allclose(found.weights, W1)
    assert found.consistency_ratio == pytest.approx(0, abs=1e-9)
    assert ahp_weights(np.array([[1, 3], [1 / 3, 1]])).weights == pytest.approx([0.75, 0.25])


def test_random_index_is_the_mean_of_random_comparisons():
    rng = np.random.default_rng(np.random.SeedSequence(5))
    scale = [1 / k for k in range(9, 1, -1)] + list(range(1, 10))
    for m in range(3, 11):
        above = np.triu(rng.choice(scale, size=(400, m, m)), 1)
        with np.errstate(divide="ignore"):
            below = np.where(above > 0, 1 / above, 0)
        a = above + below.transpose(0, 2, 1) + np.eye(m)
        index = (np.linalg.eigvals(a).real.max(axis=1) - m).mean() / (m - 1)
        assert index == pytest.approx(RANDOM_INDEX[m - 1], abs=0.1)


def test_ahp_refuses_and_warns():
    with pytest.warns(UserWarning, match="consistency ratio .* above 0.1"):
        ahp_weights(np.array([[1, 9, 1 / 9], [1 / 9, 1, 9], [9, 1 / 9, 1]]))
    with pytest.raises(TandemError, match="1 / the opposite"):
        ahp_weights(np.array([[1, 3], [3, 1]]))
    with pytest.raises(TandemError, match="square"):
        ahp_weights(np.ones((2, 3)))
    with pytest.raises(TandemError, match="above 0"):
        ahp_weights(np.array([[1, -1], [-1, 1]]))


def test_linear_weights():
    np.testing.assert_allclose(linear_weights(W1, W2), (W1 + W2) / 2)
    np.testing.assert_allclose(linear_weights(W1, W2, shares=[1, 0]), W1)
    with pytest.raises(TandemError, match="sum to 1"):
        linear_weights(W1, W2, shares=[0.5, 0.6])


def test_weight_table_and_agreement():
    table = weight_table(Z)
    assert list(table) == [*METHODS, "pca", "game", "multiplicative"]
    np.testing.assert_allclose(table.sum(), 1)
    pd.testing.assert_series_equal(table["critic"], critic_weights(Z), check_names=False)
    agreement = weight_agreement(
        pd.DataFrame({"a": [0.5, 0.3, 0.2], "b": [0.2, 0.3, 0.5], "c": [0.5, 0.2, 0.3], "e": 1 / 3})
    )
    # Ranks (3, 2, 1), (1, 2, 3), (3, 1, 2): 1 - 6 sum d^2 / (n (n^2 - 1)).
    assert agreement.loc["a", "b"] == pytest.approx(-1)
    assert agreement.loc["a", "c"] == pytest.approx(0.5)
    assert agreement.loc["b", "c"] == pytest.approx(-0.5)
    assert np.isnan(agreement.loc["a", "e"])
    assert agreement.loc["c", "largest"] == 0.5 and agreement.loc["b", "largest_indicator"] == 2


def test_weighted_score_says_what_it_does_with_missing_values():
    w = entropy_weights(Z)
    scores = [0.244264, 0.342920, 0.490905, 0.737547, 0.808588, 1, 0, 0.038234, 0.147034]
    np.testing.assert_allclose(weighted_score(Z, w[::-1]), scores, atol=1e-6)
    gap = Z.copy()
    gap.loc[("B", 2016), "x2"] = np.nan
    gap.loc[("B", 2017)] = np.nan
    assert weighted_score(gap, w).isna().sum() == 2
    with pytest.warns(UserWarning, match=r"2 row\(s\) lack"):
        found = weighted_score(gap, w, missing="renormalise")
    x1, _, x3 = Z.loc[("B", 2016)]
    expected = (w["x1"] * x1 + w["x3"] * x3) / (w["x1"] + w["x3"])
    assert found[("B", 2016)] == pytest.approx(expected)
    assert np.isnan(found[("B", 2017)]) and found.isna().sum() == 1
    with pytest.raises(TandemError, match=r"x2 \(entity B, year 2016\) is missing"):
        weighted_score(gap, w, missing="refuse")
    with pytest.raises(TandemError, match="give each indicator one weight"):
        weighted_score(Z, w.drop("x1"))


@FIXED
@given(factor=st.floats(0.01, 100), shift=st.floats(-50, 50))
def test_units_of_an_indicator_do_not_matter(factor, shift):
    x = RAW.assign(x1=factor * RAW["x1"] + shift)
    z = normalise(x, goalposts(x, {"x1": "+", "x2": "+", "x3": "-"}))
    for method in METHODS.values():
        np.testing.assert_allclose(method(z), method(Z), rtol=1e-6)


def test_game_weights_of_sets_that_differ_by_rounding_are_their_mean():
    first = np.array([0.5, 0.5])
    np.testing.assert_allclose(game_weights(first, first + [1e-12, -1e-12]), first, atol=1e-11)


def test_multiplicative_weights_are_missing_where_no_indicator_has_both():
    table = weight_table(Z)
    product = table["entropy"] * table["critic"]
    np.testing.assert_allclose(table["multiplicative"], product / product.sum())
    apart = pd.DataFrame({"entropy": [1.0, 0.0], "critic": [0.0, 1.0]}, ["a", "b"])
    with pytest.raises(TandemError):
        multiplicative_weights(apart["entropy"], apart["critic"])


def test_merec_of_indicators_that_all_gain_or_all_cost():
    x = np.array([[1.0, 2.0], [2.0, 3.0], [4.0, 3.5]])
    for sign, ends in (("+", x.min(axis=0)), ("-", x.max(axis=0))):
        logs = np.abs(np.log(x / ends))
        whole = np.log(1 + logs.mean(axis=1))
        effect = [np.abs(np.log(1 + logs[:, 1 - j] / 2) - whole).sum() for j in (0, 1)]
        np.testing.assert_allclose(merec_weights(x, [sign] * 2), np.array(effect) / sum(effect))


@pytest.mark.parametrize("m", [3, 4, 5])
def test_the_consistency_ratio_is_its_definition(m):
    a = np.ones((m, m))
    for i in range(m):
        for j in range(i + 1, m):
            a[i, j] = 1 + (i + j) % 3 / 4
            a[j, i] = 1 / a[i, j]
    largest = np.linalg.eigvals(a).real.max()
    found = ahp_weights(a)
    assert found[1] == pytest.approx(largest)
    assert found[2] == pytest.approx((largest - m) / (m - 1) / RANDOM_INDEX[m - 1])
    assert 0 < found[2] < 0.1
