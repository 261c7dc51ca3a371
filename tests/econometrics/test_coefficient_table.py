"""Coefficients with tests and intervals."""

import numpy as np
import pandas as pd
import pytest

from tandem.econometrics.coefficient_table import coefficient_table
from tandem.errors import TandemError


def test_tests_and_intervals_agree():
    # t(10): two-sided 5 % quantile 2.228139
    table = coefficient_table(pd.Series({"x": 2.228139}), pd.Series({"x": 1.0}), t_df=10)
    row = table.loc["x"]
    assert row["p_value"] == pytest.approx(0.05, abs=1e-6)
    assert row["conf_low"] == pytest.approx(0, abs=1e-5)
    assert row["conf_high"] == pytest.approx(2 * 2.228139, abs=1e-5)
    normal = coefficient_table(pd.Series({"x": 1.959964}), pd.Series({"x": 1.0}))
    assert normal.loc["x", "p_value"] == pytest.approx(0.05, abs=1e-6)


@pytest.mark.parametrize("bad", [np.nan, 0.0, np.inf])
def test_a_coefficient_without_standard_error_is_refused(bad):
    with pytest.raises(TandemError, match="'z' has no finite estimate and standard error"):
        coefficient_table(pd.Series({"x": 1.0, "z": 2.0}), pd.Series({"x": 1.0, "z": bad}))
