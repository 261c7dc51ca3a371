import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.errors import TandemError
from tandem.indices import (
    coordination_degree,
    coupling_degree,
    diagnose,
    diagnose_coupling,
    diagnose_weights,
    read_table,
    refuse_own_components,
)

# fmt: off
ZHANGYE = np.column_stack([  # Tang and Qin 2020: the column printed as D
    [.028, .070, .114, .155, .183, .246, .327, .412, .555, .651, .758, .885, .928],
    [.487, .583, .617, .597, .622, .599, .397, .390, .440, .513, .527, .739, .794],
])
ZHANGYE_D = [.457, .619, .726, .810, .838, .909, .995, 1, .993, .993, .984, .996, .997]
LANZHOU = np.column_stack([  # Li Hongfei et al. 2022
    [.0863, .0444, .0414, .0496, .0788, .1021, .1561, .1349, .1357, .1708],
    [.1875, .0552, .0424, .0781, .0914, .1091, .0934, .1112, .0977, .1340],
])
LANZHOU_C = [.9293, .9941, .9999, .9747, .9972, .9994, .9680, .9954, .9867, .9927]
LANZHOU_D = [.3567, .2225, .2046, .2494, .2913, .3249, .3475, .3499, .3393, .3890]
# fmt: on


def best(table, printed):
    return table[table["printed"] == printed].iloc[0]


def test_zhangye_prints_c_as_d():
    found = best(diagnose(ZHANGYE, D=ZHANGYE_D), "D")
    assert found["formula"] == "C standard, printed as D"
    assert found["fits"] == found["rows"] == 13
    assert found["max_abs_diff"] < 0.0041
    assert found["verdict"].startswith("fits all 13 rows: C printed as D")


def test_lanzhou_is_right_although_its_printed_formula_lacks_the_factor_2():
    table = diagnose(LANZHOU, LANZHOU_C, LANZHOU_D)
    assert best(table, "C")["formula"] == "C standard"
    assert best(table, "D")["formula"] == "D = sqrt(C T), C standard"
    assert best(table, "C")["fits"] == best(table, "D")["fits"] == 10
    lost = table[(table["printed"] == "C") & (table["formula"] == "C lost coefficient")]
    assert lost["fits"].item() == 0


RNG = np.random.default_rng(11)
TWO, THREE = RNG.uniform(0.05, 0.95, (12, 2)).round(3), RNG.uniform(0.05, 0.95, (12, 3)).round(3)


def sums(u):
    return (u[:, 0] + u[:, 1]) * (u[:, 0] + u[:, 2]) * (u[:, 1] + u[:, 2])


# Each written out for its number of systems, not through the functions under test.
# fmt: off
MADE = [
    (TWO, "C lost coefficient", np.sqrt(TWO[:, 0] * TWO[:, 1]) / TWO.sum(1)),
    (TWO, "C missing root", TWO.prod(1) / (TWO.sum(1) / 2) ** 2),
    (TWO, "C missing root, squared", (4 * TWO.prod(1) / TWO.sum(1) ** 2) ** 2),
    (TWO, "C missing square", np.sqrt(TWO.prod(1) / (TWO.sum(1) / 2))),
    (TWO, "C fan", 1 - np.abs(TWO[:, 0] - TWO[:, 1])),
    (TWO, "C wang", np.sqrt((1 - np.ptp(TWO, axis=1)) * TWO.min(1) / TWO.max(1))),
    (TWO, "T, printed as C", TWO.sum(1) / 2),
    (TWO, "D = sqrt(C T), C standard, printed as C", TWO.prod(1) ** 0.25),
    (THREE, "C lost coefficient", THREE.prod(1) ** (1 / 3) / THREE.sum(1)),
    (THREE, "C missing root", 27 * THREE.prod(1) / THREE.sum(1) ** 3),
    (THREE, "C pairwise, m = 2", 2 * (THREE.prod(1) / sums(THREE)) ** (1 / 3)),
    (THREE, "C pairwise, m = n", 3 * (THREE.prod(1) / sums(THREE)) ** (1 / 3)),
]
# fmt: on


@pytest.mark.parametrize(("u", "formula", "c"), MADE)
def test_each_form_of_c_is_recognised(u, formula, c):
    found = best(diagnose(u, C=c.round(4)), "C")
    assert found["formula"].removesuffix(", printed as C") == formula.removesuffix(", printed as C")
    assert found["fits"] == len(u)


@pytest.mark.parametrize(
    ("formula", "d"),
    [
        ("D = sqrt(C T), C standard", TWO.prod(1) ** 0.25),
        ("D = sqrt(C T), C standard, unweighted T", np.sqrt(2) * TWO.prod(1) ** 0.25),
        ("D = sqrt(C T), C lost coefficient", TWO.prod(1) ** 0.25 / np.sqrt(2)),
        ("C T without the root", np.sqrt(TWO.prod(1))),
        ("C lost coefficient, printed as D", np.sqrt(TWO.prod(1)) / TWO.sum(1)),
        ("T", TWO.sum(1) / 2),
    ],
)
def test_each_form_of_d_is_recognised(formula, d):
    found = best(diagnose(TWO, D=d.round(4)), "D")
    assert (found["formula"], found["fits"]) == (formula, 12)


def test_small_golden_forms():
    u = np.array([[0.2, 0.8]])
    for c, formula in ((0.64, "C missing root"), (0.4096, "C missing root, squared")):
        assert best(diagnose(u, C=[c], digits={"U": 6}), "C")["formula"] == formula


def test_shares_in_t_that_do_not_sum_to_1_are_found():
    c = 2 * np.sqrt(TWO.prod(1)) / TWO.sum(1)
    found = best(diagnose(TWO, D=np.sqrt(c * (TWO @ [0.8, 0.5])).round(5)), "D")
    assert found["formula"] == "D = sqrt(C T), C standard, fitted shares"
    assert "shares 0.8, 0.5, which sum to 1.3 and not to 1" in found["verdict"]
    right = best(diagnose(TWO, D=np.sqrt(c * (TWO @ [0.7, 0.3])).round(5)), "D")
    assert "shares 0.7, 0.3;" in right["verdict"]


def test_given_shares_and_shares_inside_c():
    shares = [0.7, 0.3]
    d = coordination_degree(TWO, shares=shares).round(4)
    assert best(diagnose(TWO, D=d, shares=shares), "D")["formula"].endswith("given shares")
    weighted = TWO * shares
    c = 2 * np.sqrt(weighted.prod(1)) / weighted.sum(1)
    found = best(diagnose(TWO, C=c.round(4), shares=shares), "C")
    assert found["formula"] == "weights inside C"


@settings(derandomize=True, deadline=None, max_examples=50)
@given(seed=st.integers(0, 10_000), n=st.integers(2, 4), digits=st.integers(2, 4))
def test_rounded_tables_of_the_right_formula_always_fit(seed, n, digits):
    u = np.random.default_rng(seed).uniform(0, 1, (15, n))
    printed = {"U": digits, "C": digits, "D": digits}
    table = diagnose(
        u.round(digits),
        coupling_degree(u).round(digits),
        coordination_degree(u).round(digits),
        digits=printed,
    )
    right = table.set_index(["printed", "formula"])["fits"]
    assert right[("C", "C standard")] == right[("D", "D = sqrt(C T), C standard")] == 15


def test_noise_fits_nothing():
    table = diagnose(TWO, C=RNG.random(12).round(4))
    assert (table["fits"] < 6).all()
    assert best(table, "C")["fits"] == table["fits"].max()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"U": TWO}, "nothing to diagnose"),
        ({"U": TWO, "C": TWO[:5, 0]}, "C has 5 values but U has 12 rows"),
        ({"U": TWO * 2, "C": TWO[:, 0]}, "between 0 and 1"),
        ({"U": RNG.random((3, 9)), "C": [1, 1, 1]}, "2 to 8 systems"),
        ({"U": TWO, "C": TWO[:, 0], "shares": [1]}, "Give 2 shares"),
        ({"U": np.where(TWO == TWO[0, 0], np.nan, TWO), "C": TWO[:, 0]}, "is missing"),
    ],
)
def test_diagnose_refuses(arguments, words):
    with pytest.raises(TandemError, match=words):
        diagnose(**arguments)


def written(tmp_path, text, name="table.csv"):
    (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path / name


def test_read_table_keeps_the_printed_decimals(tmp_path):
    path = written(tmp_path, "\ufeffyear, u2,U1 ,D\n2005,0.40,.412,1.000\n2006,.5,.4,.9\n")
    table, digits = read_table(path)
    assert list(table) == ["U1", "U2", "D"] and table.index.tolist() == [2, 3]
    assert table.loc[2].tolist() == [0.412, 0.40, 1.0]
    assert digits == {"U": 3, "D": 3}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("U1,D\n.1,.2\n", "give scores U1, U2"),
        ("U1,U2\n.1,.2\n", "C, D or both"),
        ("U1,U2,C\n", "0 rows"),
        ("U1,U2,C\n.1,.2,.3\n.1,,.3\n", "line 3, column U2 is ''"),
        ("U1,U2,C\n.1,.2,3%\n", "line 2, column C is '3%'"),
        ("U1,U2,C,c\n.1,.2,.3,.3\n", "twice"),
        ("", "is no CSV"),
    ],
)
def test_read_table_refuses(tmp_path, text, words):
    with pytest.raises(TandemError, match=words):
        read_table(written(tmp_path, text))


def test_read_table_of_no_file(tmp_path):
    with pytest.raises(TandemError, match="no file .*absent.csv"):
        read_table(tmp_path / "absent.csv")


def test_diagnose_coupling_says_it_in_words(tmp_path):
    rows = "".join(f"{a},{b},{d:.3f}\n" for (a, b), d in zip(ZHANGYE, ZHANGYE_D, strict=True))
    text = diagnose_coupling(written(tmp_path, "U1,U2,D\n" + rows))
    assert "13 rows, 2 systems" in text
    assert "D: C standard, printed as D; fits all 13 rows" in text
    right = "0.342 0.449 0.515 0.552 0.581 0.620 0.600 0.633 0.703 0.760 0.795 0.899 0.926"
    assert right in text
    columns = zip(LANZHOU, LANZHOU_C, LANZHOU_D, strict=True)
    rows = "".join(f"{a},{b},{c},{d}\n" for (a, b), c, d in columns)
    text = diagnose_coupling(written(tmp_path, "U1,U2,C,D\n" + rows))
    assert "C: C standard; fits all 10 rows" in text and "would be" not in text
    text = diagnose_coupling(written(tmp_path, "U1,U2,C\n.1,.7,.31\n.3,.9,.11\n"))
    assert "no known formula fits every row" in text


def test_entropy_weights_with_the_wrong_denominator():
    e, w = np.array([0.9, 0.8, 0.6]), np.array([1, 2, 4])
    right = diagnose_weights(e, (w / 7).round(4))
    assert right["formula"].iloc[0] == "(1 - e) / sum (1 - e)"
    assert right["verdict"].iloc[0] == "entropy weights"
    wrong = diagnose_weights(e, (w / 23).round(4))
    assert wrong["formula"].iloc[0] == "(1 - e) / sum e"
    assert wrong["sum"].iloc[0] == pytest.approx(7 / 23)
    with pytest.raises(TandemError, match="nothing tells"):
        diagnose_weights([1.0, 1.0], [0.5, 0.5])
    with pytest.raises(TandemError, match="one weight for each"):
        diagnose_weights([0.9, 0.8], [0.5])


INDEX = pd.RangeIndex(12)
U = pd.DataFrame(TWO, INDEX, ["tech", "upgrade"])
D = coordination_degree(U)
OTHER = pd.Series(np.random.default_rng(8).random(12), INDEX, name="openness")


@pytest.mark.parametrize(
    "regressor",
    [U["tech"], np.log(U["upgrade"]).rename("x"), (-3 * U["tech"]).rename("y")],
)
def test_components_are_refused_under_any_name_and_scale(regressor):
    with pytest.raises(TandemError, match="component of D.*identity"):
        refuse_own_components(D, pd.concat([regressor, OTHER], axis=1), U)


def test_the_identity_is_refused_without_knowing_the_components():
    with pytest.raises(TandemError, match="exact function of a, b, openness"):
        refuse_own_components(
            D,
            pd.concat([U.set_axis(["a", "b"], axis=1), OTHER], axis=1).sample(
                frac=1, random_state=0
            ),
        )
    with pytest.raises(TandemError, match="exact function of geometric"):
        refuse_own_components(D**2, np.sqrt(U.prod(axis=1)).to_frame("geometric"))


def test_other_regressors_pass():
    refuse_own_components(D, OTHER.to_frame(), U)
    refuse_own_components(D, U.shift().add_prefix("lag "), U)


@pytest.mark.parametrize(("off", "fits"), [(0.0004, 1), (0.0006, 0)])
def test_half_a_unit_of_the_last_digit_is_allowed_and_no_more(off, fits):
    found = diagnose([[0.2, 0.8]], C=[0.8 + off], digits={"U": 9, "C": 3})
    found = found.set_index("formula").loc["C standard"]
    assert found["fits"] == fits
    assert found["verdict"].startswith("fits all 1 rows: " if fits else "fits no row: ")


@pytest.mark.parametrize(("c", "fits"), [(0.430, 0), (0.436, 1), (0.714, 1), (0.720, 0)])
def test_scores_may_lie_anywhere_in_their_rounding_box(c, fits):
    """0.1 and 0.9 are (0.05, 0.95), whose C is 0.436, up to (0.15, 0.85), whose C is 0.714."""
    found = diagnose([[0.1, 0.9]], C=[c], digits={"U": 1, "C": 3})
    assert found.set_index("formula")["fits"]["C standard"] == fits


def test_formulas_that_rounding_cannot_tell_apart_are_all_named(tmp_path):
    """Equal scores: every C is 1, and every formula of it fits."""
    text = diagnose_coupling(written(tmp_path, "U1,U2,C\n.3,.3,1.00\n.5,.5,1.00\n"))
    table = diagnose(np.array([[0.3, 0.3], [0.5, 0.5]]), C=[1.0, 1.0], digits={"C": 2})
    whole = table.loc[table["fits"] == 2, "formula"].tolist()
    assert len(whole) > 2
    assert f"Rounding cannot tell it from: {'; '.join(whole[1:])}." in text
    assert "Largest difference 0." in text


@pytest.mark.parametrize(("rows", "fitted"), [(4, True), (3, False)])
def test_shares_are_fitted_to_two_rows_more_than_systems(rows, fitted):
    u = TWO[:rows]
    c = 2 * np.sqrt(u.prod(1)) / u.sum(1)
    table = diagnose(u, D=np.sqrt(c * (u @ [0.8, 0.5])).round(5))
    assert table["formula"].str.contains("C standard, fitted shares").any() == fitted


def test_as_many_rows_as_coefficients_prove_no_identity():
    """Any regressors fit such a sample exactly; a row more, and two do not by chance."""
    some = D.iloc[:3]
    noise = pd.DataFrame(np.random.default_rng(3).normal(size=(len(D), 1)), D.index, ["noise"])
    refuse_own_components(some.iloc[:2], noise)
    refuse_own_components(some, noise)
    whole = (2 * D + 1).rename("twice").to_frame()
    refuse_own_components(D.iloc[:3], whole)
    with pytest.raises(TandemError, match="exact function of twice"):
        refuse_own_components(D.iloc[:4], whole)
