import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tandem.errors import TandemError
from tandem.indices import (
    COUPLING_STAGES,
    LEVELS,
    SCHEMES,
    STAGES,
    classify,
    classify_as,
    comprehensive,
    coordination_degree,
    coupling_degree,
    coupling_table,
    development_types,
    lag_type,
    relative_development,
    zero_shift,
)

FIXED = settings(derandomize=True, deadline=None)
MODELS = ["standard", "wang", "fan"]
# fmt: off
GOLDEN = [
    ((.2, .8), (.800000, .316228, .400000), (.632456, .397635, .447214)),
    ((.5, .5), (1, 1, 1), (.707107, .707107, .707107)),
    ((.04, .06), (.979796, .808290, .980000), (.221336, .201034, .221359)),
    ((.3, .6, .9), (.908560, .531830, .510102), (.738333, .564887, .553228)),
    ((0, .5), (0, 0, .5), (0, 0, .353553)),
]
# fmt: on


@pytest.mark.parametrize(("u", "c", "d"), GOLDEN)
def test_small_examples(u, c, d):
    np.testing.assert_allclose([coupling_degree(u, m) for m in MODELS], c, atol=2e-6)
    np.testing.assert_allclose([coordination_degree(u, m) for m in MODELS], d, atol=2e-6)


# The vignette of the R package coupling: four systems.
# fmt: off
VIGNETTE = np.array([
    [.8179733, .3246648, .6590316, .1308531], [.3020233, .1318888, .4046987, .5173794],
    [.9209903, .3353516, .6921477, .3141320], [.9604095, .3914758, .7099999, .4316421],
    [.9061589, .3473603, .7297774, .6909494], [.9456379, .4391423, .7304117, .4792905],
])
VIGNETTE_C = {
    "standard": [.8051958, .8914577, .8999423, .9346128, .9440912, .9519923],
    "wang": [.4722274, .6211236, .5375842, .5861986, .6640321, .6319211],
    "fan": [.4593785, .7164548, .4915051, .5399620, .5951898, .5907777],
}
VIGNETTE_D = {
    "standard": [.6237105, .5497290, .7134825],
    "wang": [.4776480, .4588675, .5514412],
    "fan": [.4711049, .4928249, .5272784],
}
# fmt: on


@pytest.mark.parametrize("model", MODELS)
def test_r_package_vignette(model):
    np.testing.assert_allclose(coupling_degree(VIGNETTE, model), VIGNETTE_C[model], atol=1e-6)
    d = coordination_degree(VIGNETTE[:3], model)
    np.testing.assert_allclose(d, VIGNETTE_D[model], atol=1e-6)


def test_lanzhou_li_2022():
    # fmt: off
    u = np.column_stack([
        [.0863, .0444, .0414, .0496, .0788, .1021, .1561, .1349, .1357, .1708],
        [.1875, .0552, .0424, .0781, .0914, .1091, .0934, .1112, .0977, .1340],
    ])
    c = [.9293, .9941, .9999, .9747, .9972, .9994, .9680, .9954, .9867, .9927]
    d = [.3567, .2225, .2046, .2494, .2913, .3249, .3475, .3499, .3393, .3890]
    # fmt: on
    np.testing.assert_allclose(coupling_degree(u), c, atol=1.5e-4)
    np.testing.assert_allclose(coordination_degree(u), d, atol=1e-4)


def test_zhangye_tang_qin_2020_prints_c_as_d():
    # fmt: off
    u = np.column_stack([
        [.028, .070, .114, .155, .183, .246, .327, .412, .555, .651, .758, .885, .928],
        [.487, .583, .617, .597, .622, .599, .397, .390, .440, .513, .527, .739, .794],
    ])
    printed = [.457, .619, .726, .810, .838, .909, .995, 1, .993, .993, .984, .996, .997]
    d = [.342, .449, .515, .552, .581, .620, .600, .633, .703, .760, .795, .899, .926]
    # fmt: on
    np.testing.assert_allclose(coupling_degree(u), printed, atol=4.1e-3)
    np.testing.assert_allclose(coordination_degree(u), d, atol=5.1e-4)
    assert np.abs(coordination_degree(u) - printed).max() > 0.3


def test_wang_2021_table_8():
    # fmt: off
    old = np.array([.9989, .9935, .8868, .9073, .6821, .8328, .6816, .7789, .6871, .6101, .8017,
                    .7867, .7191])
    new = np.array([.9404, .8660, .5440, .5769, .3006, .4780, .3344, .4171, .3278, .2700, .4374,
                    .4196, .3738])
    # fmt: on
    # The table prints no scores; the old C gives their ratio and the new C then their level.
    ratio = ((1 - np.sqrt(1 - old**2)) / old) ** 2
    high = (1 - new**2 / ratio) / (1 - ratio)
    assert ((high > 0) & (high < 1)).all()
    u = np.column_stack([ratio * high, high])
    np.testing.assert_allclose(coupling_degree(u), old, atol=1e-9)
    np.testing.assert_allclose(coupling_degree(u, "wang"), new, atol=1e-9)


@pytest.mark.parametrize(
    ("u", "c", "t", "d", "d_wang"),
    [
        ((0.4045, 0.7028, 0.5891, 0.1997, 0.2173), 0.8836, 0.4227, 0.6111, 0.4923),
        ((0.7851, 0.6917, 0.7356, 0.5243, 0.5794), 0.9889, 0.6632, 0.8098, 0.7423),
        ((0.1474, 0.0735, 0.2396, 0.3160, 0.3014), 0.8811, 0.2156, 0.4358, 0.3827),
    ],
)
def test_gansu_five_systems_li_2021(u, c, t, d, d_wang):
    found = [
        coupling_degree(u),
        comprehensive(u),
        coordination_degree(u),
        coordination_degree(u, "wang"),
    ]
    np.testing.assert_allclose(found, [c, t, d, d_wang], atol=6e-5)


score = st.floats(0, 1, allow_subnormal=False)
positive = st.floats(1e-6, 1)
systems = st.integers(2, 6)


def scores(elements):
    return systems.flatmap(lambda n: arrays(float, n, elements=elements))


@pytest.mark.filterwarnings("ignore:All systems are 0")
@pytest.mark.parametrize("model", MODELS)
class TestProperties:
    @FIXED
    @given(u=scores(score))
    def test_range(self, model, u):
        assert 0 <= coupling_degree(u, model) <= 1
        assert 0 <= coordination_degree(u, model) <= 1

    @FIXED
    @given(u=scores(score), seed=st.integers(0, 99))
    def test_symmetry(self, model, u, seed):
        shuffled = np.random.default_rng(seed).permutation(u)
        assert coupling_degree(shuffled, model) == pytest.approx(coupling_degree(u, model))

    @FIXED
    @given(level=positive, n=systems)
    def test_equal_scores_are_fully_coupled(self, model, level, n):
        assert coupling_degree(np.full(n, level), model) == pytest.approx(1, abs=1e-7)

    @FIXED
    @given(u=arrays(float, 2, elements=positive), rise=score)
    def test_raising_the_smaller_of_two_raises_c(self, model, u, rise):
        low, high = np.sort(u)
        raised = low + rise * (high - low)
        before, after = coupling_degree(np.array([[low, high], [raised, high]]), model)
        assert after >= before - 1e-12
        if raised - low > 1e-6:
            assert after > before


@FIXED
@given(u=scores(positive), factor=st.floats(0.01, 1))
def test_standard_c_is_scale_free(u, factor):
    assert coupling_degree(factor * u) == pytest.approx(coupling_degree(u), rel=1e-12)


@FIXED
@given(u=scores(positive))
def test_standard_d_is_the_root_of_the_geometric_mean(u):
    assert coordination_degree(u) == pytest.approx(np.prod(u) ** (1 / (2 * u.size)), rel=1e-12)


@FIXED
@given(u=arrays(float, 2, elements=positive))
def test_wang_is_at_most_standard_for_two_systems(u):
    assert coupling_degree(u, "wang") <= coupling_degree(u) + 1e-12


@FIXED
@given(u=scores(positive), zero=st.integers(0, 5))
def test_any_zero_uncouples_exactly(u, zero):
    u[zero % u.size] = 0
    for model in ("standard", "wang"):
        assert coupling_degree(u, model) == 0
        assert coordination_degree(u, model) == 0


def test_fan_bounds():
    assert coupling_degree([0, 1], "fan") == 0
    assert coupling_degree([0, 0, 1], "fan") == pytest.approx(1 - 2 * np.sqrt(2) / 3)


def test_many_systems_do_not_underflow():
    u = np.full((1, 500), 0.01)
    np.testing.assert_allclose([coupling_degree(u, m)[0] for m in MODELS], 1, atol=1e-7)


@pytest.mark.parametrize("model", MODELS)
def test_all_zero_row(model):
    u = np.array([[0.0, 0.0], [0.5, 0.5]])
    with pytest.warns(UserWarning, match=r"0 in 1 row"):
        assert coupling_degree(u, model)[0] == 0
    with pytest.warns(UserWarning, match=r"0 in 1 row"):
        assert coordination_degree(u, model)[0] == 0


@pytest.mark.parametrize("model", MODELS)
def test_missing_score_gives_a_missing_row_only(model):
    u = np.array([[np.nan, 0.0], [0.5, 0.5]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_allclose(coupling_degree(u, model), [np.nan, 1])
        np.testing.assert_allclose(coordination_degree(u, model), [np.nan, np.sqrt(0.5)])


def test_leading_axes_are_kept():
    u = np.random.default_rng(0).random((3, 4, 2))
    for model in MODELS:
        c = coupling_degree(u, model)
        assert c.shape == (3, 4)
        assert c[1, 2] == coupling_degree(u[1, 2], model)


INDEX = pd.MultiIndex.from_product([["A", "B"], [2019, 2020]], names=["entity", "year"])
PANEL = pd.DataFrame({"tech": [0.2, 0.5, 0.04, 0.9], "upgrade": [0.8, 0.5, 0.06, 0.7]}, INDEX)


def test_frame_in_series_out():
    d = coordination_degree(PANEL)
    assert d.index.equals(INDEX) and d.name == "D_standard"
    np.testing.assert_array_equal(d, coordination_degree(PANEL.to_numpy()))


def test_scores_outside_0_1_name_the_cell():
    bad = PANEL.copy()
    bad.loc[("B", 2019), "upgrade"] = 1.3
    with pytest.raises(TandemError, match=r"upgrade \(entity B, year 2019\) is 1.3"):
        coupling_degree(bad)
    with pytest.raises(TandemError, match=r"position \(1, 0\) is -0.1"):
        coordination_degree([[0.1, 0.2], [-0.1, 0.2]])
    assert coupling_degree([1 + 1e-12, 1 - 1e-12]) == pytest.approx(1)


def test_unknown_model_and_single_system():
    with pytest.raises(TandemError, match="no coupling model 'liao'"):
        coupling_degree([0.1, 0.2], "liao")
    with pytest.raises(TandemError, match="at least two systems"):
        coupling_degree([[0.1], [0.2]])


def test_shares():
    assert comprehensive([0.2, 0.8], [0.25, 0.75]) == pytest.approx(0.65)
    by_name = comprehensive(PANEL, {"upgrade": 0.75, "tech": 0.25})
    assert by_name[("A", 2019)] == pytest.approx(0.65)
    draws = np.array([[[0.5, 0.5]], [[0.25, 0.75]]])
    np.testing.assert_allclose(comprehensive(PANEL.to_numpy()[:1], draws), [[0.5], [0.65]])
    assert coordination_degree([0.2, 0.8], shares=[0, 1]) == pytest.approx(0.8)


@pytest.mark.parametrize("shares", [[0.5, 0.6], [1.5, -0.5], [0.2, 0.3, 0.5]])
def test_shares_that_do_not_sum_to_1(shares):
    with pytest.raises(TandemError, match="sum to 1"):
        comprehensive([0.2, 0.8], shares)


def test_share_of_a_system_left_out():
    with pytest.raises(TandemError, match="row upgrade\\) is missing"):
        comprehensive(PANEL, {"tech": 1.0})


@pytest.mark.parametrize("k", range(1, 10))
def test_levels_on_a_cut_off_are_float_safe(k):
    sums = np.array([k / 10, k * 0.1, sum([0.1] * k), 1 - (10 - k) * 0.1])
    names = range(1, 11)
    assert classify(sums, LEVELS.cuts, names).tolist() == [k] * 4
    assert classify(sums, LEVELS.cuts, names, closed="left").tolist() == [k + 1] * 4
    near = np.array([k / 10 - 1e-6, k / 10 + 1e-6])
    for closed in ("right", "left"):
        assert classify(near, LEVELS.cuts, names, closed).tolist() == [k, k + 1]


def test_stages_on_a_cut_off():
    values = np.array([0, 0.3, 0.31, 0.5, 0.51, 0.8, 0.81, 1])
    stages = ["budding"] * 2 + ["growth"] * 2 + ["running-in"] * 2 + ["mature"] * 2
    assert classify(values, STAGES.cuts, STAGES.labels).tolist() == stages
    coupled = classify(values, COUPLING_STAGES.cuts, COUPLING_STAGES.labels)
    assert coupled.tolist()[::2] == list(COUPLING_STAGES.labels)
    zh = classify(np.array([0.05, 0.55, 1]), LEVELS.cuts, LEVELS.labels_zh)
    assert zh.tolist() == ["极度失调", "勉强协调", "优质协调"]


@pytest.mark.parametrize("scheme", [LEVELS, STAGES, COUPLING_STAGES])
def test_schemes_fit(scheme):
    assert len(scheme.labels) == len(scheme.labels_zh) == len(scheme.cuts) + 1
    assert len(set(scheme.labels)) == len(set(scheme.labels_zh)) == len(scheme.labels)


def test_classify_keeps_missing_missing():
    series = pd.Series([0.2, np.nan], index=["a", "b"])
    named = classify(series, STAGES.cuts, STAGES.labels)
    assert named["a"] == "budding" and pd.isna(named["b"])
    assert classify(series.to_numpy(), STAGES.cuts, STAGES.labels).tolist() == ["budding", None]


@pytest.mark.parametrize(
    ("cuts", "labels", "closed"),
    [
        ((0.5, 0.3), "abc", "right"),
        ((0.3, 0.3), "abc", "right"),
        ((0.3,), "abc", "right"),
        ((0.3,), "ab", "both"),
    ],
)
def test_classify_refuses(cuts, labels, closed):
    with pytest.raises(TandemError):
        classify([0.1], cuts, labels, closed)


def test_relative_development_and_lags():
    beta = relative_development(np.array([0.8, 0.4, 0.6, 0.3, 0]), np.array([1, 0.4, 0.5, 0, 0]))
    np.testing.assert_allclose(beta, [0.8, 1, 1.2, np.inf, np.nan])
    lags = ["first lags", "synchronous", "second lags", "second lags", None]
    assert lag_type(beta).tolist() == lags
    assert lag_type(np.array([0.3 * 0.8 / 0.3, 1.1 + 0.1, 1.19999])).tolist() == [
        "first lags",
        "second lags",
        "synchronous",
    ]
    with pytest.raises(TandemError, match="same entities and years"):
        relative_development(PANEL["tech"], PANEL["upgrade"][::-1])


def test_coupling_table():
    table = coupling_table(PANEL)
    assert list(table) == (
        ["tech", "upgrade", "T", "C_standard", "C_wang", "C_fan", "D_standard", "D_wang", "D_fan"]
        + ["level", "level_name", "stage", "beta", "lag_type"]
    )
    for model in MODELS:
        pd.testing.assert_series_equal(table[f"C_{model}"], coupling_degree(PANEL, model))
        pd.testing.assert_series_equal(table[f"D_{model}"], coordination_degree(PANEL, model))
    assert table["level"].tolist() == [7, 8, 3, 9]
    assert table["level_name"].iloc[0] == "primary coordination"
    assert table["stage"].tolist() == ["running-in", "running-in", "budding", "mature"]
    lags = ["tech lags", "synchronous", "tech lags", "upgrade lags"]
    assert table["lag_type"].tolist() == lags
    assert "tech" in PANEL and PANEL.shape == (4, 2)


def test_coupling_table_with_shares_zero_and_missing_rows():
    u = PANEL.copy()
    u.iloc[0] = 0
    u.iloc[1, 0] = np.nan
    with pytest.warns(UserWarning, match="0 in 1 row") as caught:
        table = coupling_table(u, shares=[0.4, 0.6])
    assert len(caught) == 1
    assert table["D_standard"].iloc[0] == 0 and table["level"].iloc[0] == 1
    assert table.iloc[1][["T", "C_fan", "D_wang", "level", "stage", "lag_type"]].isna().all()
    assert table["T"].iloc[3] == pytest.approx(0.4 * 0.9 + 0.6 * 0.7)


def test_coupling_table_of_three_systems_has_no_lag_type():
    table = coupling_table(PANEL.assign(third=0.5))
    assert "beta" not in table and "lag_type" not in table
    assert table["stage"].notna().all()


@FIXED
@given(seed=st.integers(0, 99))
def test_order_of_rows_and_systems_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    u = PANEL.assign(third=rng.random(4))
    turned = u.sample(frac=1, random_state=seed)[["third", "upgrade", "tech"]]
    for model in MODELS:
        d = coordination_degree(turned, model).reindex(u.index)
        np.testing.assert_allclose(d, coordination_degree(u, model), rtol=1e-12)


@FIXED
@given(u=scores(positive), rise=score, place=st.integers(0, 5))
def test_standard_d_rises_with_every_score(u, rise, place):
    raised = u.copy()
    raised[place % u.size] += rise * (1 - u[place % u.size])
    assert coordination_degree(raised) >= coordination_degree(u) - 1e-12


def test_a_named_c_is_classified_only_on_request():
    c = coupling_degree(PANEL)
    with pytest.raises(TandemError, match="C_standard is a coupling degree C.*classify D"):
        classify(c, STAGES.cuts, STAGES.labels)
    stages = classify(c, COUPLING_STAGES.cuts, COUPLING_STAGES.labels, of="C")
    assert stages.tolist() == ["running-in"] + ["high-level coupling"] * 3  # C of (.2, .8) is 0.8


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_scheme_at_its_edges(scheme):
    classes = SCHEMES[scheme]
    assert len(classes.labels) == len(classes.labels_zh) == len(classes.cuts) + 1
    on = classify_as(np.array(classes.cuts), scheme, of=classes.of).tolist()
    below, above = list(classes.labels[:-1]), list(classes.labels[1:])
    assert on == (below if classes.closed == "right" else above)
    for step, expected in ((-1e-6, below), (1e-6, above)):
        assert classify_as(np.array(classes.cuts) + step, scheme, classes.of).tolist() == expected


def test_published_schemes():
    gansu = classify_as(np.array([0.39, 0.4, 0.5, 0.6]), "Gansu D", of="D")
    assert gansu.tolist() == ["decline", "verge", "barely coordinated", "coordinated"]
    assert classify_as(np.array([0.81, 0.82]), "Lanzhou D", of="D").tolist() == [
        "level 7",
        "level 8",
    ]
    with pytest.raises(TandemError, match="classifies D, not C"):
        classify_as(np.array([0.9]), "ten levels", of="C")
    with pytest.raises(TandemError, match="classifies C, not D"):
        classify_as(np.array([0.9]), "four coupling stages", of="D")
    with pytest.raises(TandemError, match="no scheme 'seven'"):
        classify_as(np.array([0.9]), "seven", of="D")


def test_lag_type_with_other_cut_offs():
    beta = np.array([0.85, 0.9, 1.0, 1.1, 1.15])
    assert lag_type(beta).tolist() == ["synchronous"] * 5
    narrow = lag_type(beta, cuts=(0.9, 1.1)).tolist()
    assert narrow == ["first lags"] * 2 + ["synchronous"] + ["second lags"] * 2


def test_development_types_count_every_cell():
    counts = development_types(coupling_table(PANEL))
    assert list(counts) == ["tech lags", "synchronous", "upgrade lags"]
    assert counts.to_numpy().tolist() == [[1, 0, 0], [0, 0, 0], [1, 1, 0], [0, 0, 1]]
    levels = development_types(coupling_table(PANEL), "level_name")
    assert levels.shape == (10, 3) and levels.to_numpy().sum() == 4
    with pytest.raises(TandemError, match="two systems"):
        development_types(coupling_table(PANEL.assign(third=0.5)))


def test_zero_shift_moves_a_zero_from_the_lowest_level():
    u = pd.DataFrame({"a": [0.0, 0.25], "b": [0.64, 0.25]})
    found = zero_shift(u)
    shifted = [(0.01 * 0.65) ** 0.25, 0.26**0.5]
    assert found["n_zero"] == 1
    assert found["mean_D"] == pytest.approx(0.25)  # 0 and 0.5
    assert found["mean_D_shifted"] == pytest.approx(np.mean(shifted))
    # 0 -> 0.28 and 0.5, closed on the right, -> 0.51.
    assert found["changed"] == 1 and found["changed_not_zero"] == 1
    assert np.isnan(zero_shift(u.iloc[:1])["changed_not_zero"])
    assert zero_shift(np.ones((1, 2)))["mean_D_shifted"] == 1


def test_schemes_have_the_cut_offs_of_their_papers():
    """No formula gives them: this is the list against which a change must be argued."""
    tenths = tuple(k / 10 for k in range(1, 10))
    cuts = {
        "ten levels": tenths, "ten levels, left-closed": tenths, "four stages": (0.3, 0.5, 0.8),
        "four coupling stages": (0.3, 0.5, 0.8), "Lanzhou C": (0.25, 0.6, 0.85),
        "Lanzhou D": (0.2, 0.31, 0.41, 0.51, 0.61, 0.71, 0.81), "Gansu D": (0.4, 0.5, 0.6),
        "Zhangye D": (0.0, 0.6, 0.7, 0.9), "four degrees": (0.3, 0.5, 0.8),
        "five levels": (0.2, 0.4, 0.6, 0.8),
    }  # fmt: skip
    assert {name: pytest.approx(scheme.cuts) for name, scheme in SCHEMES.items()} == cuts
    for name, scheme in SCHEMES.items():
        assert len(scheme.labels) == len(scheme.labels_zh) == len(scheme.cuts) + 1
        left = name in ("Gansu D", "ten levels, left-closed")
        assert scheme.closed == ("left" if left else "right")
        assert scheme.of == ("C" if name in ("Lanzhou C", "four coupling stages") else "D")
    assert SCHEMES["five levels"].labels == tuple(f"level {k}" for k in range(1, 6))
    assert SCHEMES["Lanzhou C"].labels_zh == tuple(f"第{k}级" for k in range(1, 5))
