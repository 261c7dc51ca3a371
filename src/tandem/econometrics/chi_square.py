"""One form for every test whose statistic is chi-square under the null."""

from typing import NamedTuple

import numpy as np
from scipy import special

from tandem.econometrics.in_text import in_text


class ChiSquare(NamedTuple):
    """Statistic, degrees of freedom and p-value."""

    stat: float
    df: int
    pval: float
    summary = property(in_text)


def chi_square(stat: float, df: int) -> ChiSquare:
    """Test result from a statistic; with no degree of freedom nothing is tested, p-value NaN."""
    return ChiSquare(float(stat), int(df), float(special.chdtrc(df, stat)) if df > 0 else np.nan)


def wald(estimate: np.ndarray, cov: np.ndarray) -> ChiSquare:
    """Wald test that all of `estimate` (k,) with covariance `cov` (k, k) are zero."""
    return chi_square(estimate @ np.linalg.solve(cov, estimate), len(estimate))
