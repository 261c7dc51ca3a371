"""What the table of lags says where no order may be used."""

import pandas as pd
import pytest

from tandem.report.study_tables import lag_choice_note


@pytest.mark.parametrize(
    ("pval", "modulus", "said"),
    [
        ((0.4, 0.1), (1.3, 0.9), False),
        ((0.4, 0.1), (1.3, 1.4), True),
        ((0.4, 0.01), (1.3, 0.9), True),
    ],
)
def test_no_order_with_a_modulus_below_one_and_a_j_that_holds_is_said(pval, modulus, said):
    lags = pd.DataFrame({"pval": pval, "max_modulus": modulus})
    assert any("none here" in told for told in lag_choice_note(lags)) == said
