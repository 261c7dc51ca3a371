"""The plug-in format of maketables: names and shapes that its ETable asks for."""

import numpy as np
import pandas as pd
import pytest

from tandem.econometrics import (
    DynamicPanel,
    PanelVAR,
    bias_corrected_within,
    instrumental_regression,
    interaction_regression,
)
from tandem.econometrics.static import lags
from tandem.errors import TandemError

CANONICAL = ["b", "se", "t", "p"]
INTERVAL = ["ci95l", "ci95u"]


@pytest.fixture(scope="module")
def panel():
    rng = np.random.default_rng(1)
    index = pd.MultiIndex.from_product([range(40), range(2000, 2008)], names=["entity", "year"])
    x, y = rng.normal(size=(2, 40, 8))
    for t in range(1, 8):
        x[:, t] += 0.5 * x[:, t - 1]
        y[:, t] += 0.4 * y[:, t - 1] + 0.5 * x[:, t - 1]
    return pd.DataFrame({"y": y.ravel(), "x": x.ravel()}, index)


@pytest.fixture(scope="module")
def fits(panel):
    past = lags(panel["x"], [1, 2])
    one = past[["L1.x"]]
    system = PanelVAR(panel[["x", "y"]], 1, "fod", (2, 3), True).fit()
    return {
        "2SLS": instrumental_regression(panel["y"], panel["x"], past[["L2.x"]], one, "two-way"),
        "GMM": DynamicPanel(panel["y"], predetermined=one, instrument_lags=(2, 3)).fit(),
        "LSDVC": bias_corrected_within(panel["y"], one, draws=50),
        "interaction": interaction_regression(panel["y"], past["L1.x"], past["L2.x"]),
        "VAR": system.equation("y"),
    }


def test_every_result_speaks_the_format(fits):
    for name, fit in fits.items():
        table = fit.__maketables_coef_table__
        assert table.index.name == "Coefficient", name
        assert list(table)[:4] == CANONICAL, name
        assert np.isfinite(table.to_numpy(float)).all(), name
        np.testing.assert_array_equal(table["b"], fit.terms["estimate"])
        np.testing.assert_array_equal(table["se"], fit.terms["std_error"])
        assert fit.__maketables_depvar__ == "y", name
        assert fit.__maketables_stat__("N") == fit.statistics["n_obs"], name
        assert fit.__maketables_stat__("no such statistic") is None
        assert fit.__maketables_vcov_info__["vcov_type"] == fit.statistics["se_type"]
        keys = fit.__maketables_default_stat_keys__
        assert isinstance(keys, list) and keys[:2] == ["N", "n_entities"]
        assert all(fit.__maketables_stat__(key) is not None for key in keys), name
        assert set(keys) - {"N"} <= set(fit.__maketables_stat_labels__)


def test_fixed_effects_and_intervals(fits):
    assert fits["2SLS"].__maketables_fixef_string__ == "entity + year"
    assert fits["GMM"].__maketables_fixef_string__ is None
    assert list(fits["2SLS"].__maketables_coef_table__)[4:] == INTERVAL
    # a result that does not record the level of its intervals does not call them 95 %
    assert list(fits["GMM"].__maketables_coef_table__) == CANONICAL


def test_an_equation_that_is_not_there(panel):
    with pytest.raises(TandemError, match="no equation 'z'; equations are x, y"):
        PanelVAR(panel[["x", "y"]], 1, "fod", (2, 3), True).fit().equation("z")


def test_maketables_itself_takes_them(fits):
    maketables = pytest.importorskip(
        "maketables", reason="maketables is not installed; the format is pinned by the other tests"
    )
    shown = maketables.ETable(list(fits.values())).df
    assert shown.shape[1] == len(fits)
