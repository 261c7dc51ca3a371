"""Confidence sets that need not be an interval: found between roots, said in words."""

from collections.abc import Callable, Iterable

import numpy as np

Intervals = tuple[tuple[float, float], ...]


def intervals_between(roots: Iterable[complex], inside: Callable[[float], bool]) -> Intervals:
    """The part of the real line where a condition holds that can change at `roots` only.

    Parameters
    ----------
    roots : iterable of complex
        Those with an imaginary part beyond rounding are left out.
    inside : callable
        True where a point, never a root itself, belongs to the set.

    Returns
    -------
    tuple of (low, high)
        In rising order, ends may be infinite; empty if the condition holds nowhere.
    """
    roots = np.asarray(list(roots), dtype=complex)
    roots = roots[np.isfinite(roots)]
    real = np.sort(roots.real[np.abs(roots.imag) <= 1e-8 * (1 + np.abs(roots))])
    reach = 1 + np.abs(real).max(initial=0.0)
    ends = np.concatenate([[-np.inf], real, [np.inf]])
    probes = np.concatenate([[-2 * reach], (real[1:] + real[:-1]) / 2, [2 * reach]])
    if not len(real):
        probes = np.zeros(1)
    found: list[tuple[float, float]] = []
    for low, high, probe in zip(ends[:-1], ends[1:], probes, strict=True):
        if low == high or not inside(float(probe)):
            continue
        if found and found[-1][1] == low:
            low = found.pop()[0]
        found.append((float(low), float(high)))
    return tuple(found)


def slope_zero_set(slope: np.ndarray, cov: np.ndarray, critical: float) -> Intervals:
    """Points x at which a slope polynomial does not differ from zero: Fieller's set.

    ``{x : (p(x)'b)^2 <= critical^2 p(x)'V p(x)}`` with ``p(x) = (1, x, x^2, ...)``; for two
    coefficients it is Fieller's (1954) interval of -b0/b1.

    Parameters
    ----------
    slope : array (m,)
        Coefficients of the slope, constant first.
    cov : array (m, m)
    critical : float
        Quantile of the t or normal distribution.
    """
    difference = np.outer(slope, slope) - critical**2 * cov
    polynomial = np.array(
        [np.trace(difference[::-1], k) for k in range(1 - len(slope), len(slope))]
    )
    return intervals_between(
        np.roots(polynomial[::-1]), lambda x: np.polyval(polynomial[::-1], x) <= 0
    )


def in_words(found: Intervals, digits: int = 4) -> str:
    """A confidence set as a table prints it: "[0.1, 0.3]", "unbounded: ...", "empty"."""
    if not found:
        return "empty: no value is compatible with the model"
    if found == ((-np.inf, np.inf),):
        return "unbounded: every value"
    parts = []
    for low, high in found:
        left = "(-inf" if low == -np.inf else f"[{low:.{digits}g}"
        right = "inf)" if high == np.inf else f"{high:.{digits}g}]"
        parts.append(f"{left}, {right}")
    bounded = np.isfinite(found[0][0]) and np.isfinite(found[-1][1])
    return ("" if bounded else "unbounded: ") + " or ".join(parts)
