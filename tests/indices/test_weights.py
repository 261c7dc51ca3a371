import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tandem.errors import TandemError
from tandem.indices import (
    METHODS,
    critic_weights,
    cv_weights,
    entropy,
    entropy_weights,
    equal_weights,
    game_weights,
    goalposts,
    merec_weights,
    multiplicative_weights,
    normalise,
    sd_weights,
)
from tandem.indices.weights import _to_one

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
@given(z=arrays(float, (6, 4), elements=st.floats(0, 1)))
def test_weights_are_shares(method, z):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        w = METHODS[method](z)
    assert (w >= 0).all()
    assert w.sum() == pytest.approx(1, abs=1e-12)


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
    with pytest.warns(UserWarning, match="weights are equal"):
        w = METHODS[method](Z * 0 + 0.4)
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
