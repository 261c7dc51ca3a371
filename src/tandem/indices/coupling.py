"""Coupling degree C, comprehensive index T, coordination degree D and their classes.

With equal shares the standard D is only the square root of the geometric mean of the U's, so the
U's and their inputs must never be regressors of D.
"""

import warnings
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from tandem.errors import TandemError
from tandem.indices._inputs import complete, numbers, paired, refuse, rows_like, same_kind

_ROUNDING = 1e-9


class Classes(NamedTuple):
    """Cut-offs in rising order, the name of each class between them, and what they classify."""

    cuts: tuple[float, ...]
    labels: tuple[str, ...]
    labels_zh: tuple[str, ...]
    closed: str = "right"
    of: str = "D"


# Ten levels of D, right-closed: Tian et al. 2021, Acta Geographica Sinica 76(4):781, table 1.
LEVELS = Classes(
    (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9),
    (
        "extreme imbalance",
        "severe imbalance",
        "moderate imbalance",
        "mild imbalance",
        "near imbalance",
        "barely coordinated",
        "primary coordination",
        "intermediate coordination",
        "good coordination",
        "high-quality coordination",
    ),
    (
        "极度失调",
        "严重失调",
        "中度失调",
        "轻度失调",
        "濒临失调",
        "勉强协调",
        "初级协调",
        "中级协调",
        "良好协调",
        "优质协调",
    ),
)

# Four stages of D from budding to mature; the cut-offs of the C stages below, applied to D.
STAGES = Classes(
    (0.3, 0.5, 0.8),
    ("budding", "growth", "running-in", "mature"),
    ("萌芽", "成长", "磨合", "成熟"),
)

# Four stages of C: Tian et al. 2021, table 1. C is nearly always high, so stages are read off D.
COUPLING_STAGES = Classes(
    (0.3, 0.5, 0.8),
    ("low-level coupling", "antagonism", "running-in", "high-level coupling"),
    ("低水平耦合", "拮抗", "磨合", "高水平耦合"),
    of="C",
)


def _numbered(cuts: tuple[float, ...], of: str = "D") -> Classes:
    """Classes whose paper's names were not at hand."""
    count = range(1, len(cuts) + 2)
    names, names_zh = (tuple(text.format(k) for k in count) for text in ("level {}", "第{}级"))
    return Classes(cuts, names, names_zh, of=of)


# Classifications a study can name. Cut-offs are those of the papers; the Lanzhou and Zhangye ones
# print no names we have seen, and which end of their classes is closed is our choice.
SCHEMES = {
    "ten levels": LEVELS,
    "four stages": STAGES,
    "four coupling stages": COUPLING_STAGES,
    # The same ten levels closed on the left, as many papers have them.
    "ten levels, left-closed": LEVELS._replace(closed="left"),
    # Lanzhou: Li Hongfei et al. 2022, Arid Land Geography.
    "Lanzhou C": _numbered((0.25, 0.60, 0.85), of="C"),
    "Lanzhou D": _numbered((0.20, 0.31, 0.41, 0.51, 0.61, 0.71, 0.81)),
    # Gansu: Li Hengji et al. 2021.
    "Gansu D": Classes(
        (0.4, 0.5, 0.6),
        ("decline", "verge", "barely coordinated", "coordinated"),
        ("衰退", "濒临", "勉强协调", "协调"),
        closed="left",
    ),
    # Zhangye: Tang and Qin 2020; the first class is D = 0.
    "Zhangye D": _numbered((0.0, 0.6, 0.7, 0.9)),
    # From memory.
    "four degrees": Classes(
        (0.3, 0.5, 0.8), ("low", "moderate", "high", "extreme"), ("低度", "中度", "高度", "极度")
    ),
    "five levels": _numbered((0.2, 0.4, 0.6, 0.8)),
}

# Relative development: up to the first cut system one lags, from the second on system two does.
LAG_CUTS = (0.8, 1.2)


def _scores(U) -> np.ndarray:
    values = numbers(U)
    if values.ndim < 1 or values.shape[-1] < 2:
        raise TandemError("Coupling needs the scores of at least two systems.")
    bad = (values < -_ROUNDING) | (values > 1 + _ROUNDING)
    refuse(bad, U, "a score lies between 0 and 1, so normalise the indicators first")
    return np.clip(values, 0, 1)


def _standard(u: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        geometric = np.exp(np.log(u).mean(axis=-1))
    return geometric / u.mean(axis=-1)


def _wang(u: np.ndarray) -> np.ndarray:
    n = u.shape[-1]
    # The sum of |Ui - Uj| over pairs is a weighted sum of the sorted scores.
    gap = np.sort(u, axis=-1) @ (2 * np.arange(1, n + 1) - n - 1) / (n * (n - 1) / 2)
    with np.errstate(divide="ignore"):
        ratios = np.log(u / u.max(axis=-1, keepdims=True)).sum(axis=-1)
    return np.sqrt(np.clip(1 - gap, 0, 1) * np.exp(ratios / (n - 1)))


def _fan(u: np.ndarray) -> np.ndarray:
    return 1 - 2 * u.std(axis=-1)


MODELS = {"standard": _standard, "wang": _wang, "fan": _fan}


def _degree(u: np.ndarray, model: str) -> np.ndarray:
    if model not in MODELS:
        raise TandemError(f"There is no coupling model {model!r}: use {', '.join(MODELS)}.")
    with np.errstate(invalid="ignore"):
        c = np.clip(MODELS[model](u), 0, 1)
    return np.where((u == 0).all(axis=-1), 0.0, c)


def _warn_zero(u: np.ndarray) -> None:
    rows = int((u == 0).all(axis=-1).sum())
    if rows:
        warnings.warn(f"All systems are 0 in {rows} row(s): C and D are set to 0.", stacklevel=3)


def _mean(u: np.ndarray, U, shares) -> np.ndarray:
    if shares is None:
        return u.mean(axis=-1)
    if isinstance(shares, Mapping | pd.Series) and isinstance(U, pd.DataFrame):
        shares = pd.Series(shares, dtype=float).reindex(U.columns)
    shares = complete(shares, "give each system a share")
    if shares.shape[-1] != u.shape[-1] or (shares < 0).any() or not np.allclose(shares.sum(-1), 1):
        raise TandemError(
            f"The shares of the {u.shape[-1]} systems must be 0 or more and sum to 1, not "
            f"{shares.tolist()}."
        )
    return (u * shares).sum(axis=-1)


def coupling_degree(
    U: np.ndarray | pd.DataFrame, model: str = "standard"
) -> np.ndarray | float | pd.Series:
    """Coupling degree C of n systems.

    - "standard": geometric over arithmetic mean, ``(prod U)^(1/n) / mean U``; for two systems
      ``2 sqrt(U1 U2) / (U1 + U2)``.
    - "wang": ``sqrt((1 - mean_{i>j} |Ui - Uj|) (prod_i Ui / max U)^(1/(n-1)))``
      (Wang, Kong, Ren, Zhi and Dai 2021, J. Natural Resources 36(3):793-810).
    - "fan": ``1 - 2 sd(U)`` with the population standard deviation (Fan, Ke and Cao 2024,
      Statistics & Decision 40(22):41-46).

    Parameters
    ----------
    U : array (..., n) or DataFrame (rows, systems)
        Scores in [0, 1], n >= 2; a row with a missing score gives a missing C.
    model : {"standard", "wang", "fan"}

    Returns
    -------
    array (...) or Series
        In [0, 1]. Where all scores are 0, C is 0 by convention and a warning says so.

    Raises
    ------
    TandemError
        On a score outside [0, 1], text, an infinity, fewer than two systems or an unknown model.
    """
    u = _scores(U)
    _warn_zero(u)
    return rows_like(_degree(u, model)[()], U, f"C_{model}")


def comprehensive(
    U: np.ndarray | pd.DataFrame, shares: Sequence[float] | Mapping | pd.Series | None = None
) -> np.ndarray | float | pd.Series:
    """Comprehensive index ``T = sum_i share_i U_i`` (Liao 1999, Tropical Geography 19(2):171).

    Parameters
    ----------
    U : array (..., n) or DataFrame (rows, systems)
        Scores in [0, 1].
    shares : sequence (n,), mapping or Series by system, or array (..., n), optional
        Importance of the systems, summing to 1; equal if left out.

    Raises
    ------
    TandemError
        As `coupling_degree`, and if shares are missing, negative or do not sum to 1.
    """
    return rows_like(_mean(_scores(U), U, shares)[()], U, "T")


def coordination_degree(
    U: np.ndarray | pd.DataFrame,
    model: str = "standard",
    shares: Sequence[float] | Mapping | pd.Series | None = None,
) -> np.ndarray | float | pd.Series:
    """Coordination degree ``D = sqrt(C T)`` (Liao 1999, Tropical Geography 19(2):171-177).

    With equal shares the standard D is ``(prod U)^(1/(2n))``. Arguments and errors as
    `coupling_degree` and `comprehensive`.
    """
    u = _scores(U)
    _warn_zero(u)
    return rows_like(np.sqrt(_degree(u, model) * _mean(u, U, shares))[()], U, f"D_{model}")


def _positions(values: np.ndarray, cuts: Sequence[float], closed: str) -> np.ndarray:
    # 0.1 * 3 > 0.3 in floats: a value within rounding of a cut-off counts as on it.
    edges = np.asarray(cuts) + (_ROUNDING if closed == "right" else -_ROUNDING)
    return np.searchsorted(edges, values)


def classify(
    values: np.ndarray | pd.Series,
    cuts: Sequence[float],
    labels: Sequence,
    closed: str = "right",
    of: str | None = None,
) -> np.ndarray | pd.Series:
    """Name the class each value falls in.

    C is nearly always high: of two independent uniform scores, 75 % have C above 0.8. So a Series
    named C or C_... is classified only if `of` says "C".

    Parameters
    ----------
    values : array or Series
        Missing values stay missing (None in an array).
    cuts : sequence (k,)
        Inner cut-offs in rising order; a value within 1e-9 of one counts as equal to it.
    labels : sequence (k + 1,)
        Names of the classes.
    closed : {"right", "left"}
        Whether a value on a cut-off belongs to the class below ("right") or above it.
    of : {"D", "C"}, optional
        What `values` are.

    Returns
    -------
    array of object or Series

    Raises
    ------
    TandemError
        If cut-offs do not rise or do not fit the labels, `closed` is neither word, or `values` is a
        Series of C and `of` does not say so.
    """
    if str(getattr(values, "name", "")).split("_")[0] == "C" and of != "C":
        raise TandemError(
            f"{values.name} is a coupling degree C, which depends only on the ratio of the scores "
            "and is above 0.8 for 75 % of random pairs: classify D, or say of='C'."
        )
    if closed not in ("right", "left"):
        raise TandemError(f"Classes are closed 'right' or 'left', not {closed!r}.")
    if len(labels) != len(cuts) + 1 or (np.diff(cuts) <= 0).any():
        raise TandemError(
            f"Cut-offs must rise and have one label more than cut-offs, not {list(cuts)} with "
            f"{len(labels)} labels."
        )
    found = numbers(values)
    names = np.empty(len(labels) + 1, dtype=object)
    names[:-1] = labels
    position = np.where(np.isnan(found), len(labels), _positions(found, cuts, closed))
    return same_kind(names[position], values, getattr(values, "name", None))


def classify_as(values: np.ndarray | pd.Series, scheme: str, of: str) -> np.ndarray | pd.Series:
    """Name the class each value falls in by one of `SCHEMES`.

    Parameters
    ----------
    values : array or Series
        C or D; missing values stay missing (None in an array).
    scheme : str
        A key of `SCHEMES`.
    of : {"C", "D"}
        What `values` are.

    Raises
    ------
    TandemError
        If there is no such scheme or it is made for the other degree.
    """
    if scheme not in SCHEMES:
        raise TandemError(f"There is no scheme {scheme!r}: use {', '.join(SCHEMES)}.")
    classes = SCHEMES[scheme]
    if of != classes.of:
        raise TandemError(
            f"The scheme {scheme!r} classifies {classes.of}, not {of}: stages read from C are "
            "nearly always the highest, so use D and a scheme for D, or C and a scheme for C."
        )
    return classify(values, classes.cuts, classes.labels, classes.closed, of)


def relative_development(
    u1: np.ndarray | pd.Series, u2: np.ndarray | pd.Series
) -> np.ndarray | float | pd.Series:
    """Relative development ``beta = U1 / U2``: infinite where only U2 is 0, missing where both are.

    The scores come from different goalposts and weights, so beta has no cardinal meaning. Raises a
    TandemError on text, an infinity, or Series that differ in their rows.
    """
    paired(u1, u2)
    a, b = numbers(u1), numbers(u2)
    with np.errstate(divide="ignore", invalid="ignore"):
        return same_kind((a / b)[()], u1, "beta")


def lag_type(
    beta: np.ndarray | pd.Series,
    systems: tuple[str, str] = ("first", "second"),
    cuts: tuple[float, float] = LAG_CUTS,
) -> np.ndarray | pd.Series:
    """Which system lags: the first up to beta 0.8, the second from 1.2, else "synchronous".

    Parameters
    ----------
    beta : array or Series
        From `relative_development`; missing stays missing (None in an array).
    systems : pair of str
        Names of the two systems, used as "... lags".
    cuts : pair of float
        Largest beta at which the first lags and smallest at which the second does; 0.9 and 1.1 are
        also in use.
    """
    values = np.asarray(beta, dtype=float)
    low, high = (cuts[0] + _ROUNDING, cuts[1] - _ROUNDING)
    names = np.array([f"{systems[0]} lags", "synchronous", f"{systems[1]} lags", None], object)
    position = np.where(values <= low, 0, np.where(values < high, 1, 2))
    return same_kind(names[np.where(np.isnan(values), 3, position)], beta, "lag_type")


def coupling_table(
    U: pd.DataFrame,
    shares: Sequence[float] | Mapping | pd.Series | None = None,
    model: str = "standard",
) -> pd.DataFrame:
    """All coupling results of a panel of scores.

    Parameters
    ----------
    U : DataFrame (entity-years, systems)
        Scores in [0, 1], index (entity, year), one column a system.
    shares : sequence, mapping or Series by system, optional
        Importance of the systems in T, summing to 1; equal if left out.
    model : {"standard", "wang", "fan"}
        Whose D is put into levels and stages.

    Returns
    -------
    DataFrame
        The scores; T; C_standard, C_wang, C_fan; D_standard, D_wang, D_fan; level (1 to 10 on the
        model's D), level_name and stage; for two systems also beta and lag_type.

    Raises
    ------
    TandemError
        As `coordination_degree`.
    """
    u = _scores(U)
    _warn_zero(u)
    table = U.copy()
    table["T"] = _mean(u, U, shares)
    for name in MODELS:
        table[f"C_{name}"] = _degree(u, name)
    for name in MODELS:
        table[f"D_{name}"] = np.sqrt(table[f"C_{name}"] * table["T"])
    d = table[f"D_{model}"]
    table["level"] = classify(d, LEVELS.cuts, range(1, 11)).astype("Int64")
    table["level_name"] = classify(d, LEVELS.cuts, LEVELS.labels)
    table["stage"] = classify(d, STAGES.cuts, STAGES.labels)
    if U.shape[1] == 2:
        first, second = U.columns
        table["beta"] = relative_development(U[first], U[second])
        table["lag_type"] = lag_type(table["beta"], (first, second))
    return table


def development_types(table: pd.DataFrame, rows: str = "stage") -> pd.DataFrame:
    """Number of entity-years by class of D and by which system lags.

    Parameters
    ----------
    table : DataFrame
        From `coupling_table`, of two systems.
    rows : {"stage", "level_name"}

    Returns
    -------
    DataFrame (classes, lag types)
        Every class and type, also those that do not occur; rows with a missing D or beta are left
        out.

    Raises
    ------
    TandemError
        If the table has no lag_type.
    """
    if "lag_type" not in table:
        raise TandemError("Which system lags is defined for two systems, not for more.")
    classes = {"stage": STAGES, "level_name": LEVELS}[rows].labels
    first, second = table.columns[:2]
    counts = pd.crosstab(table[rows], table["lag_type"])
    types = [f"{first} lags", "synchronous", f"{second} lags"]
    return counts.reindex(index=classes, columns=types, fill_value=0).rename_axis(index=rows)


def zero_shift(U: pd.DataFrame, model: str = "standard", shift: float = 0.01) -> dict[str, float]:
    """What the usual cure for zero scores, adding a little to every score, does to D.

    Zeros stay zeros everywhere else; this only reports the other policy.

    Parameters
    ----------
    U : DataFrame or array (..., n)
        Scores in [0, 1]; rows with a missing score are left out.
    model : {"standard", "wang", "fan"}
    shift : float
        Added to every score; a score above 1 becomes 1.

    Returns
    -------
    dict
        n_zero (rows with a score of 0), mean_D, mean_D_shifted, changed (share of rows whose level
        of `LEVELS` changes), changed_not_zero (the same among rows without a 0; NaN if none).
    """
    u = _scores(U)
    u = u[~np.isnan(u).any(axis=-1)]
    d, moved = (np.sqrt(_degree(x, model) * x.mean(axis=-1)) for x in (u, np.minimum(u + shift, 1)))
    levels, shifted = (_positions(x, LEVELS.cuts, "right") for x in (d, moved))
    zero = (u == 0).any(axis=-1)
    changed = levels != shifted
    return {
        "n_zero": int(zero.sum()),
        "mean_D": float(d.mean()),
        "mean_D_shifted": float(moved.mean()),
        "changed": float(changed.mean()),
        "changed_not_zero": float(changed[~zero].mean()) if (~zero).any() else np.nan,
    }
