import numpy as np
import pandas as pd
import pytest
from linearmodels.panel import PanelOLS, RandomEffects

from tandem.econometrics import hausman, hausman_robust
from tandem.errors import TandemError


def both(y, x, **fit):
    x = x.assign(const=1.0)
    return PanelOLS(y, x, entity_effects=True).fit(**fit), RandomEffects(y, x).fit(**fit)


def test_statistic_equals_the_published_one(grunfeld, expected):
    gold = expected["static_Grunfeld"]["hausman"]
    test = hausman(*both(grunfeld["inv"], grunfeld[["value", "capital"]]))
    assert test.stat == pytest.approx(gold["statistic"]["chisq"], rel=1e-6)
    assert test.pval == pytest.approx(gold["p.value"], rel=1e-6)
    assert (test.df, test.valid) == (2, True)


def test_an_indefinite_variance_is_said_not_computed():
    # x has nearly the same mean everywhere, so both variances differ only by chance
    rng = np.random.default_rng(1)
    index = pd.MultiIndex.from_product([range(8), range(2001, 2007)], names=["entity", "year"])
    found = []
    for _ in range(20):
        y = pd.Series(rng.normal(size=48), index=index, name="y")
        x = pd.Series(np.tile(np.arange(6.0), 8) + 0.01 * rng.normal(size=48), index=index)
        found.append(hausman(*both(y, x.to_frame("x"))))
    invalid = [test for test in found if not test.valid]
    assert 0 < len(invalid) < 20
    assert all(np.isnan(test.stat) and "not positive definite" in test.message for test in invalid)
    assert all(test.stat >= 0 for test in found if test.valid)


def test_clustered_covariances_and_other_rows_are_refused(grunfeld):
    y, x = grunfeld["inv"], grunfeld[["value", "capital"]]
    fe, re = both(y, x)
    with pytest.raises(TandemError, match="unadjusted"):
        hausman(*both(y, x, cov_type="clustered", cluster_entity=True))
    with pytest.raises(TandemError, match="same rows"):
        hausman(fe, both(y.iloc[:-1], x.iloc[:-1])[1])


def test_the_robust_form_tests_entity_means_beside_the_within_slopes(grunfeld):
    y, x = grunfeld["inv"], grunfeld[["value", "capital"]]
    means = x.groupby(level=0).transform("mean").add_suffix("_mean")
    joint = RandomEffects(y, x.join(means).assign(const=1.0)).fit(
        cov_type="clustered", cluster_entity=True, group_debias=True
    )
    names = list(means.columns)
    d, v = joint.params[names], joint.cov.loc[names, names]
    test = hausman_robust(y, x)
    assert test.stat == pytest.approx(d @ np.linalg.inv(v) @ d)
    assert test.df == 2
    labels = pd.Series(y.index.get_level_values(0), index=y.index, name="firm")
    assert hausman_robust(y, x, cluster=labels).stat == pytest.approx(test.stat)


def test_the_robust_form_sees_correlated_effects():
    rng = np.random.default_rng(3)
    index = pd.MultiIndex.from_product([range(200), range(2001, 2007)])
    effect = np.repeat(rng.normal(size=200), 6)
    noise = rng.normal(size=(3, 1200))
    x = pd.DataFrame({"related": effect + noise[0], "unrelated": noise[1]}, index=index)
    y = pd.Series(x["unrelated"] + effect + noise[2], index=index)
    assert hausman_robust(y, x).pval < 1e-6
    assert hausman_robust(y - effect, x).pval > 0.01


def test_bad_input_is_refused_in_words(grunfeld):
    y, x = grunfeld["inv"], grunfeld[["value"]]
    with pytest.raises(TandemError, match="missing or infinite in 1, 1936"):
        hausman_robust(y, x.assign(value=x["value"].where(x.index != (1, 1936))))
    with pytest.raises(TandemError, match="nothing to test"):
        hausman_robust(y, x.groupby(level=0).transform("mean"))


def test_the_statistic_is_a_quadratic_form_of_the_slopes(grunfeld):
    fe, re = both(grunfeld["inv"], grunfeld[["value", "capital"]])
    names = ["value", "capital"]  # not the constant
    d = (fe.params - re.params)[names]
    v = (fe.cov - re.cov).loc[names, names]
    test = hausman(fe, re)
    assert test.stat == pytest.approx(d @ np.linalg.inv(v) @ d) and test.message == ""
    with pytest.raises(TandemError, match="no slope in common"):
        hausman(fe, both(grunfeld["inv"], grunfeld[["value"]].rename(columns=str.upper))[1])


def test_the_robust_form_leaves_out_what_does_not_vary_apart(grunfeld):
    y, x = grunfeld["inv"], grunfeld[["value", "capital"]]
    year = pd.Series(y.index.get_level_values(1) * 1.0, y.index)
    fixed = pd.Series(y.index.get_level_values(0) % 4 * 1.0, y.index)
    test = hausman_robust(y, x.assign(year=year, fixed=fixed, const=1.0))
    assert test.df == 2  # the means of years are equal, that of fixed is itself


def test_a_regressor_that_is_the_entity_mean_of_another_is_refused(grunfeld):
    y, x = grunfeld["inv"], grunfeld[["value", "capital"]]
    means = x.assign(mean=x.iloc[:, 0].groupby(level=0).transform("mean"))
    with pytest.raises(TandemError, match="mean are collinear with their entity means; leave one"):
        hausman_robust(y, means)
