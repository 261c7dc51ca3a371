"""The fast fixed effects give the numbers of linearmodels, on any pattern of gaps."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from linearmodels.panel import PanelOLS

from tandem.econometrics.static import panel_regression
from tandem.econometrics.within import codes_of, demeaned
from tandem.errors import TandemError


def made(pattern: str):
    """A panel of three regressors, its rows in no order."""
    rng = np.random.default_rng(4)
    index = pd.MultiIndex.from_product([list("abcdefghijkl"), range(2001, 2011)])
    data = pd.DataFrame(rng.normal(size=(120, 4)), index, ["y", "x", "z", "w"])
    data["y"] += 1e3 * np.repeat(rng.normal(size=12), 10) + np.tile(np.arange(10.0), 12) ** 2
    entity, year = (index.get_level_values(k) for k in (0, 1))
    keep = {
        "balanced": np.ones(120, bool),
        "gaps": rng.random(120) < 0.6,
        "singletons": (entity > "c") | (year == 2003),
        "apart": (entity < "g") == (year < 2006),  # no entity of one half meets one of the other
    }[pattern]
    return data[keep].sample(frac=1, random_state=1)


PATTERNS = ["balanced", "gaps", "singletons"]


@pytest.mark.parametrize("effects", ["entity", "two-way"])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_estimates_errors_and_residuals_are_those_of_linearmodels(pattern, effects):
    data = made(pattern)
    y, x = data["y"], data[["x", "z", "w"]]
    found, facts = panel_regression(y, x, effects)
    alone = y.groupby(level=0).transform("size") == 1
    y, x = y[~alone], x[~alone]
    direct = PanelOLS(y, x, entity_effects=True, time_effects=effects == "two-way").fit(
        cov_type="clustered", cluster_entity=True, group_debias=True
    )
    assert facts["n_singletons"] == alone.sum() == (3 if pattern == "singletons" else 0)
    for name in ("params", "std_errors", "tstats", "resids", "cov"):
        ours, theirs = getattr(found, name), getattr(direct, name)
        assert ours.index.equals(theirs.index)
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)
    assert (found.nobs, found.df_resid) == (direct.nobs, direct.df_resid)
    plain = PanelOLS(y, x, entity_effects=True, time_effects=effects == "two-way").fit(
        cov_type="clustered", cluster_entity=True, debiased=False, auto_df=False,
        count_effects=False,
    )  # fmt: skip
    assert facts["se_factor"] == f"{(direct.std_errors['x'] / plain.std_errors['x']) ** 2:.4f}"


def test_what_is_not_there_linearmodels_computes():
    data = made("gaps")
    found, _ = panel_regression(data["y"], data[["x", "z"]], "two-way")
    direct = PanelOLS(data["y"], data[["x", "z"]], entity_effects=True, time_effects=True).fit(
        cov_type="clustered", cluster_entity=True, group_debias=True
    )
    assert found.rsquared_within == direct.rsquared_within
    assert found.f_statistic_robust.stat == direct.f_statistic_robust.stat
    assert found.model.time_effects
    for twin in (copy.copy(found), pickle.loads(pickle.dumps(found))):
        assert twin.params.equals(found.params)
    with pytest.raises(AttributeError):
        found.no_such_thing  # noqa: B018


@pytest.mark.parametrize("pattern", [*PATTERNS, "apart"])
def test_effects_go_out_as_dummies_do(pattern):
    data = made(pattern)
    codes = codes_of(data.index)
    for effects in ("entity", "two-way"):
        dummies = [np.eye(code.max() + 1)[code] for code in codes[: 1 + (effects == "two-way")]]
        dummies = np.hstack(dummies)
        values = data.to_numpy()
        by_hand = values - dummies @ np.linalg.lstsq(dummies, values, rcond=None)[0]
        np.testing.assert_allclose(demeaned(values, codes, effects), by_hand, atol=1e-9)


def test_a_long_panel_loses_no_digits():
    """The years' cross-products have an exact zero root, which must not be inverted."""
    n, t = 100_000, 10
    table = np.random.default_rng(1).normal(size=(n, t)) + 5.0
    codes = [np.repeat(np.arange(n), t), np.tile(np.arange(t), n)]
    rows, columns = table.mean(axis=1, keepdims=True), table.mean(axis=0)
    found = demeaned(table.reshape(-1, 1), codes, "two-way").reshape(n, t)
    np.testing.assert_allclose(found, table - rows - columns + table.mean(), atol=1e-12)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda y, x: (y, x.assign(s="a")), "'s' holds text"),
        (lambda y, x: (y.astype(str), x), "'y' holds text"),
        (lambda y, x: (pd.concat([y, y[:1]]), x), "two rows for"),
        (lambda y, x: (y.droplevel(1), x.droplevel(1)), r"indexed by \(entity, year\)"),
        (lambda y, x: (y[:0], x[:0]), "empty"),
        (lambda y, x: (y.loc[["a"]], x.loc[["a"]]), "at least two"),
    ],
)
def test_what_is_no_panel_is_refused_in_words(change, words):
    data = made("balanced")
    with pytest.raises(TandemError, match=words):
        panel_regression(*change(data["y"], data[["x", "z"]]), "entity")
