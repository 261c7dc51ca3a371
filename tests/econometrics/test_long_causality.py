from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.tsa.api import VAR
from statsmodels.tsa.ardl import UECM

from tandem.econometrics import bounds_test, frequency_causality, toda_yamamoto
from tandem.econometrics.long_causality import under_null
from tandem.errors import TandemError


def series(seed, t=60, link=0.0, walk=False):
    rng = np.random.default_rng(seed)
    a, b = np.zeros(t + 50), np.zeros(t + 50)
    rho = 1.0 if walk else 0.5
    for s in range(1, t + 50):
        a[s] = rho * a[s - 1] + rng.normal()
        b[s] = rho * b[s - 1] + link * (a[s - 1] - rho * (a[s - 2] if walk else 0)) + rng.normal()
    return pd.DataFrame({"a": a[-t:], "b": b[-t:]}, index=range(1950, 1950 + t))


@pytest.mark.parametrize("lags", [1, 2, 3])
def test_without_extra_lags_it_is_the_wald_test_of_the_var(lags):
    data = series(1, link=0.3)
    fit = VAR(data.to_numpy()).fit(lags, trend="c")
    theirs = fit.test_causality(1, 0, kind="wald", signif=0.05)
    mine = toda_yamamoto(data, "a", "b", lags, extra=0, draws=0)
    # statsmodels divides the residual covariance by n - k as well
    assert mine.stat == pytest.approx(theirs.test_statistic, rel=1e-8)
    assert mine.pval == pytest.approx(stats.chi2.sf(mine.stat, lags))


def test_extra_lags_are_in_the_model_and_not_in_the_test():
    data = series(2, link=0.3)
    fit = VAR(data.to_numpy()).fit(2, trend="c")
    b, cov = np.asarray(fit.params)[1, 1], np.asarray(fit.cov_params())
    error = np.sqrt(np.diag(cov).reshape(-1, 2)[1, 1])  # coefficient by coefficient
    mine = toda_yamamoto(data, "a", "b", 1, extra=1, draws=0)
    assert (mine.stat, mine.df) == (pytest.approx((b / error) ** 2, rel=1e-6), 1)


def test_bootstrap_keeps_the_size_of_walks_with_few_years():
    chi, boot = [], []
    for seed in range(200):
        test = toda_yamamoto(series(seed, t=20, walk=True), "a", "b", 1, 1, draws=99, seed=seed)
        chi.append(test.pval <= 0.05)
        boot.append(test.bootstrap_p <= 0.05)
    assert np.mean(boot) <= 0.09
    assert np.mean(boot) <= np.mean(chi)


def test_a_link_between_walks_is_found():
    test = toda_yamamoto(series(3, t=80, link=0.8, walk=True), "a", "b", 1, 1)
    assert test.bootstrap_p <= 0.01 and test.pval < 0.01


def test_causality_by_frequency_follows_the_restrictions():
    data = series(4, t=200, link=0.5)
    table = frequency_causality(data, "a", "b", 3, points=9)
    fit = VAR(data.to_numpy()).fit(3, trend="c")
    r = np.zeros((2, 14))
    w = table["frequency"].iloc[4]
    for j in range(3):  # equation b, coefficients const, L1.a, L1.b, L2.a ...
        r[:, (1 + 2 * j) * 2 + 1] = np.cos((j + 1) * w), np.sin((j + 1) * w)
    b, cov = np.asarray(fit.params).ravel(), np.asarray(fit.cov_params())
    expected = (r @ b) @ np.linalg.solve(r @ cov @ r.T, r @ b) / 2
    assert table["stat"].iloc[4] == pytest.approx(expected, rel=1e-6)
    assert (table["years"] * table["frequency"]).to_numpy() == pytest.approx(np.full(9, 2 * np.pi))
    assert (table["p_value"] < 0.05).all()


def test_bounds_tell_a_level_relation_from_none():
    rng = np.random.default_rng(5)
    x = np.cumsum(rng.normal(size=80))
    y = np.zeros(80)
    for t in range(1, 80):
        y[t] = y[t - 1] - 0.6 * (y[t - 1] - x[t - 1]) + 0.3 * rng.normal()
    data = pd.DataFrame({"x": x, "y": y}, index=range(1900, 1980))
    assert bounds_test(data, "x", "y").loc["1 %", "verdict"] == "level relation"
    apart = data.assign(y=np.cumsum(rng.normal(size=80)))
    assert bounds_test(apart, "x", "y").loc["5 %", "verdict"] != "level relation"


def test_units_do_not_matter():
    data = series(6, link=0.3)
    one = toda_yamamoto(data, "a", "b", 2, 1, draws=49)
    other = toda_yamamoto(data * [1024.0, 0.5], "a", "b", 2, 1, draws=49)
    unit = 0.5 / 1024
    assert other.estimate == pytest.approx(one.estimate * unit)
    assert other.std_error == pytest.approx(one.std_error * unit)
    assert replace(other, estimate=one.estimate, std_error=one.std_error) == one


def test_the_sum_of_the_tested_lags_is_that_of_the_var():
    data = series(8, link=0.4)
    fit = VAR(data.to_numpy()).fit(2, trend="c")
    mine = toda_yamamoto(data, "a", "b", 2, extra=0, draws=199)
    places = [1 * 2 + 1, 3 * 2 + 1]  # L1.a and L2.a in the equation of b
    cov = np.asarray(fit.cov_params())[np.ix_(places, places)]
    assert mine.estimate == pytest.approx(np.asarray(fit.params)[[1, 3], 1].sum())
    assert mine.std_error == pytest.approx(np.sqrt(cov.sum()), rel=1e-6)
    # few years: wider than the normal's 1.96, not by much with sixty
    assert 1.7 < mine.critical < 2.6


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda d: toda_yamamoto(d, "q", "b"), "'q' is not among"),
        (lambda d: toda_yamamoto(d, "a", "a"), "one series"),
        (lambda d: toda_yamamoto(d.drop(1960), "a", "b"), "consecutive years"),
        (lambda d: toda_yamamoto(d.iloc[:8], "a", "b", 2, 1), "8 years.*has 7 coefficients"),
        (lambda d: toda_yamamoto(d, "a", "b", 0), "at least one lag"),
        (lambda d: toda_yamamoto(d.assign(a=1.0), "a", "b"), "constant"),
        (lambda d: frequency_causality(d, "a", "b", 2), "at least 3 lags"),
        (lambda d: frequency_causality(d.iloc[:10], "a", "b", 3), "too few"),
        (lambda d: bounds_test(d.iloc[:12], "a", "b"), "too few"),
    ],
)
def test_bad_input_is_refused_in_words(call, words):
    with pytest.raises(TandemError, match=words):
        call(series(7))


def slow_under_null(values, kept, p, draws, rng):
    """Resamples series after series and year after year, residuals by their leverage."""
    t, k = values.shape
    z = np.array([[1.0, *(values[s - j, i] for j in range(1, p + 1) for i in range(k))]
                  for s in range(p, t)])  # fmt: skip
    coef, e = np.zeros((k, z.shape[1])), np.zeros((t - p, k))
    for i, mine in enumerate(kept):
        x = z[:, mine]
        hat = x @ np.linalg.inv(x.T @ x) @ x.T
        coef[i, mine] = np.linalg.inv(x.T @ x) @ x.T @ values[p:, i]
        e[:, i] = (values[p:, i] - hat @ values[p:, i]) / np.sqrt(1 - np.diag(hat))
    e = e - e.mean(axis=0)
    years = rng.integers(0, t - p, (draws, t - p))
    built = []
    for d in range(draws):
        y = list(values[:p])
        for s in range(t - p):
            before = np.array([1.0, *np.concatenate([y[-j] for j in range(1, p + 1)])])
            y.append(coef @ before + e[years[d, s]])
        built.append(y)
    return np.array(built)


@pytest.mark.parametrize("p", [1, 2])
def test_resamples_follow_the_equations_that_are_kept(p):
    values = series(11, link=0.3).to_numpy()
    kept = [[0, *range(1, 1 + 2 * p, 2)], list(range(1 + 2 * p))]
    found = under_null(values, kept, p, 3, np.random.default_rng(3))
    assert found == pytest.approx(slow_under_null(values, kept, p, 3, np.random.default_rng(3)))


@pytest.mark.parametrize(("lags", "extra"), [(1, 1), (2, 0), (2, 1)])
def test_toda_and_yamamotos_bootstrap_is_their_test_of_resamples(lags, extra):
    data = series(12, t=40, link=0.25)
    data["c"] = np.random.default_rng(1).normal(size=40)
    fit = toda_yamamoto(data, "a", "b", lags, extra, draws=60, seed=4)
    values = ((data - data.mean()) / data.std(ddof=0)).to_numpy()
    p = lags + extra
    every = list(range(1 + 3 * p))
    without = [j for j in every if j not in [1 + 3 * j for j in range(lags)]]
    built = slow_under_null(values, [every, without, every], p, 60, np.random.default_rng(4))
    tests = [
        toda_yamamoto(pd.DataFrame(b, data.index, list("abc")), "a", "b", lags, extra, draws=0)
        for b in built
    ]
    beyond = sum(test.stat >= fit.stat for test in tests)
    assert fit.bootstrap_p == pytest.approx((1 + beyond) / 61)
    ratios = [abs(test.estimate / test.std_error) for test in tests]
    assert fit.critical == pytest.approx(np.quantile(ratios, 0.95))
    assert (fit.lags, fit.extra, fit.df, fit.n_obs) == (lags, extra, lags, 40 - p)


def test_what_is_not_given_is_said():
    data = series(13, t=40, link=0.2)
    assert toda_yamamoto(data, "a", "b") == toda_yamamoto(data, "a", "b", 1, 1, 999, 1)
    assert toda_yamamoto(data, "a", "b", seed=2).bootstrap_p != toda_yamamoto(
        data, "a", "b"
    ).bootstrap_p  # fmt: skip
    table = frequency_causality(data, "a", "b")
    pd.testing.assert_frame_equal(table, frequency_causality(data, "a", "b", 3, 50))
    pd.testing.assert_frame_equal(
        bounds_test(data, "a", "b"), bounds_test(data, "a", "b", 1)
    )  # fmt: skip
    assert not bounds_test(data, "a", "b", 2).equals(bounds_test(data, "a", "b"))
    assert np.isnan(toda_yamamoto(data, "a", "b", draws=0).critical)


def test_frequencies_lie_evenly_between_zero_and_pi():
    table = frequency_causality(series(14, t=40, link=0.2), "a", "b", 4, points=7)
    assert table["frequency"].to_numpy() == pytest.approx(np.arange(1, 8) * np.pi / 8)
    df = 40 - 4 - 1 - 8
    assert table["df"].unique().tolist() == [f"2, {df}"]
    assert table["p_value"].to_numpy() == pytest.approx(stats.f.sf(table["stat"], 2, df))


@pytest.mark.parametrize("lags", [1, 2])
def test_bounds_are_those_of_statsmodels_with_an_unrestricted_constant(lags):
    verdicts = set()
    for seed in range(12):
        data = series(seed, t=30, link=0.5, walk=seed % 2 == 0)
        z = ((data - data.mean()) / data.std(ddof=0)).reset_index(drop=True)
        fit = UECM(z["b"], lags, z[["a"]], lags, trend="c").fit()
        theirs = fit.bounds_test(case=3)
        table = bounds_test(data, "a", "b", lags)
        assert table.index.tolist() == ["10 %", "5 %", "1 %"]
        assert table["statistic"].to_numpy() == pytest.approx(np.full(3, theirs.statistic))
        limits = theirs.critical_values.loc[[90.0, 95.0, 99.0]]
        assert table[["lower", "upper"]].to_numpy() == pytest.approx(limits.to_numpy())
        assert table["p_lower"].unique() == pytest.approx([theirs.pvalue["lower"]])
        assert table["p_upper"].unique() == pytest.approx([theirs.pvalue["upper"]])
        # the levels' joint F, Pesaran, Shin & Smith (2001)
        f = fit.f_test("b.L1 = 0, a.L1 = 0")
        assert theirs.statistic == pytest.approx(float(f.fvalue), rel=1e-6)
        for _, row in table.iterrows():
            expected = "undecided"
            if row["statistic"] > row["upper"]:
                expected = "level relation"
            elif row["statistic"] < row["lower"]:
                expected = "none"
            assert row["verdict"] == expected
            verdicts.add(expected)
    assert verdicts == {"level relation", "none", "undecided"}


def test_the_least_years_are_those_that_the_sentences_name():
    data = series(15)
    for years, fits in ((12, True), (11, False)):  # three lags of two series: 7 coefficients
        call = [data.iloc[:years], "a", "b", 2, 1, 0]
        if fits:
            assert toda_yamamoto(*call).n_obs == years - 3
        else:
            with pytest.raises(TandemError, match="11 years are too few for 3 lags of 2 series"):
                toda_yamamoto(*call)
    assert len(frequency_causality(data.iloc[:11], "a", "b", points=3)) == 3  # one degree left
    with pytest.raises(TandemError, match="10 years are too few"):
        frequency_causality(data.iloc[:10], "a", "b")
    for lags, least in ((1, 15), (2, 21)):
        assert len(bounds_test(data.iloc[:least], "a", "b", lags)) == 3
        with pytest.raises(TandemError, match=f"{least - 1} years .* it needs {least}"):
            bounds_test(data.iloc[: least - 1], "a", "b", lags)
    with pytest.raises(TandemError, match="fewer than two years"):
        toda_yamamoto(data.iloc[:1], "a", "b")
    with pytest.raises(TandemError, match="are collinear"):
        toda_yamamoto(data.iloc[:2], "a", "b")
    with pytest.raises(TandemError, match="1 and -1 were given"):
        toda_yamamoto(data, "a", "b", 1, -1)
    with pytest.raises(TandemError, match="series a, b, c are collinear"):
        toda_yamamoto(data.assign(c=data["a"] + data["b"]), "a", "b")
