"""Which formula made a printed C or D, and refusals of known misuses of coupling indices.

Wrong and non-equivalent forms of C are common: of 379 papers with static coupling models about half
computed C wrongly (Liu 2017, J. Jiangsu Normal University, Natural Sciences; abstract seen).
"""

import re
from collections.abc import Mapping, Sequence
from itertools import combinations, product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from tandem.errors import TandemError
from tandem.indices._inputs import complete
from tandem.indices.coupling import _degree, _scores

# Printed numbers are taken to have at most this many decimals.
_DECIMALS = 12
_SYSTEMS = 8


def _pairwise(u: np.ndarray) -> np.ndarray:
    n = u.shape[-1]
    sums = np.prod([u[..., i] + u[..., j] for i, j in combinations(range(n), 2)], axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.nan_to_num((u.prod(axis=-1) / sums) ** (1 / n))


def _unsquared(u: np.ndarray) -> np.ndarray:
    n = u.shape[-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.nan_to_num((u.prod(axis=-1) / u.mean(axis=-1)) ** (1 / n))


# Forms of C: name -> (formula of scores (..., n), what it means). The right ones stand first.
FORMS = {
    "standard": (lambda u: _degree(u, "standard"), "the standard C"),
    "wang": (lambda u: _degree(u, "wang"), "the C of Wang et al. 2021"),
    "fan": (lambda u: _degree(u, "fan"), "the C of Fan et al. 2024"),
    "lost coefficient": (
        lambda u: _degree(u, "standard") / u.shape[-1],
        "[prod U / (sum U)^n]^(1/n): the factor n was lost, so C never exceeds 1/n",
    ),
    "missing root": (
        lambda u: _degree(u, "standard") ** u.shape[-1],
        "prod U / (mean U)^n: the n-th root was forgotten, so it is the standard C to the power n",
    ),
    "missing root, squared": (
        lambda u: _degree(u, "standard") ** (2 * u.shape[-1]),
        "[prod U / (mean U)^n]^2: the exponent k = 2 of Liao 1999 without the n-th root",
    ),
    "missing square": (
        _unsquared,
        "[prod U / mean U]^(1/n): the denominator lacks its power n, so C depends on the units",
    ),
    "pairwise, m = 2": (
        lambda u: 2 * _pairwise(u),
        "2 [prod U / prod_{i<j} (Ui + Uj)]^(1/n): depends on the units unless n is 3",
    ),
    "pairwise, m = n": (
        lambda u: u.shape[-1] * _pairwise(u),
        "n [prod U / prod_{i<j} (Ui + Uj)]^(1/n): exceeds 1 for three systems",
    ),
}


def _candidates(printed: str, shares: np.ndarray | None) -> dict[str, tuple]:
    """Name -> (formula, meaning) for a column printed as C or as D, the right ones first."""
    t = {"": lambda u: u.mean(axis=-1)}
    if shares is not None:
        t = {", given shares": lambda u: u @ shares} | t
    unweighted = ", unweighted T"
    t[unweighted] = lambda u: u.sum(axis=-1)
    d = {}
    for ending, mean in t.items():
        of = " with T = sum U, so D may exceed 1" if ending == unweighted else ""
        for name, (form, meaning) in FORMS.items():
            if name == "lost coefficient" and ending == unweighted:
                continue  # the two errors cancel: C / n times n T
            d[f"D = sqrt(C T), C {name}{ending}"] = (
                lambda u, form=form, mean=mean: np.sqrt(form(u) * mean(u)),
                f"sqrt(C T){of or ending}; C is {meaning}",
            )
    c = {f"C {name}": form for name, form in FORMS.items()}
    if shares is not None:
        c["weights inside C"] = (
            lambda u: _degree(u * shares, "standard"),
            "the standard C of share times score: shares belong in T only",
        )
    own, other, last = (c, d, "D") if printed == "C" else (d, c, "C")
    swapped = {
        f"{name}, printed as {printed}": (form, f"{last} printed as {printed}: {meaning}")
        for name, (form, meaning) in other.items()
    }
    rest = {
        "T": (lambda u: u.mean(axis=-1), f"the mean score T printed as {printed}"),
        "C T without the root": (
            lambda u: _degree(u, "standard") * u.mean(axis=-1),
            "C T: the square root of D = sqrt(C T) was forgotten",
        ),
    }
    return own | swapped | rest


def _fitted(u: np.ndarray, d: np.ndarray) -> dict[str, tuple]:
    """D = sqrt(C T) with the shares in T that fit best, for enough rows to tell."""
    found = {}
    for name in ("standard", "wang", "fan"):
        form, meaning = FORMS[name]
        c = form(u)
        use = c > 0
        if use.sum() < u.shape[1] + 2 or np.linalg.matrix_rank(u[use]) < u.shape[1]:
            continue
        a = np.linalg.lstsq(u[use], d[use] ** 2 / c[use], rcond=None)[0]
        off = "" if abs(a.sum() - 1) < 0.02 else f", which sum to {a.sum():.3g} and not to 1"
        found[f"D = sqrt(C T), C {name}, fitted shares"] = (
            lambda u, form=form, a=a: np.sqrt(np.clip(form(u) * (u @ a), 0, None)),
            f"sqrt(C T) with shares {', '.join(f'{x:.3g}' for x in a)}{off}; C is {meaning}",
        )
    return found


def _digits(values: np.ndarray) -> int:
    """Decimals of the number printed with the most."""
    for k in range(_DECIMALS):
        if np.allclose(values, values.round(k), rtol=0, atol=1e-13):
            return k
    return _DECIMALS


def _within_rounding(u: np.ndarray, half: float) -> np.ndarray:
    """Scores (points, rows, n) that round to `u`: corners of its box, centre, most equal point."""
    low, high = np.clip(u - half, 0, 1), np.clip(u + half, 0, 1)
    corners = [np.where(side, high, low) for side in product([False, True], repeat=u.shape[1])]
    level = (low.max(axis=1, keepdims=True) + high.min(axis=1, keepdims=True)) / 2
    return np.stack([u, np.clip(level, low, high), *corners])


def diagnose(
    U: np.ndarray | pd.DataFrame,
    C: np.ndarray | pd.Series | None = None,
    D: np.ndarray | pd.Series | None = None,
    shares: Sequence[float] | None = None,
    digits: Mapping[str, int] | None = None,
) -> pd.DataFrame:
    """Which formula made the printed C and D of a table of scores.

    A row fits if the printed value lies within what the formula gives for all scores that round to
    the printed ones, half a unit of its own last digit added.

    Parameters
    ----------
    U : array (rows, n) or DataFrame
        Printed scores in [0, 1], 2 to 8 systems.
    C, D : array (rows,) or Series, optional
        What the table prints as C and D; one of them at least.
    shares : sequence (n,), optional
        Shares the paper gives its systems; tried in T and, wrongly, inside C.
    digits : mapping, optional
        Printed decimals of "U", "C", "D"; where left out, those of the number with the most.

    Returns
    -------
    DataFrame
        Columns printed ("C" or "D"), formula, fits (rows that fit), rows, max_abs_diff, verdict (in
        words); for each printed column the best formula first. Formulas that fit every row stand
        in order from right to far-fetched.

    Raises
    ------
    TandemError
        On a missing value, a score outside [0, 1], another number of rows, more than 8 systems,
        shares that do not fit, or neither C nor D.
    """
    complete(U, "leave the row out or give the score")
    u = _scores(U)
    if u.ndim != 2 or u.shape[1] > _SYSTEMS or not len(u):
        raise TandemError(f"Give a table of scores of 2 to {_SYSTEMS} systems, not {u.shape}.")
    if C is None and D is None:
        raise TandemError(
            "There is nothing to diagnose: give the printed C, the printed D or both."
        )
    if shares is not None:
        shares = complete(shares, "give each system a share")
        if shares.shape != (u.shape[1],):
            raise TandemError(f"Give {u.shape[1]} shares, one a system, not {shares.size}.")
    digits = digits or {}
    nearby = _within_rounding(u, 0.5 * 10.0 ** -digits.get("U", _digits(u)))
    tables = []
    for name, column in (("C", C), ("D", D)):
        if column is None:
            continue
        values = complete(column, f"leave the row out or give the {name}")
        if values.shape != (len(u),):
            raise TandemError(f"{name} has {values.size} values but U has {len(u)} rows.")
        half = 0.5 * 10.0 ** -digits.get(name, _digits(values)) + 1e-9
        forms = _candidates(name, shares) | (_fitted(u, values) if name == "D" else {})
        tables.append(_compare(name, values, half, nearby, forms))
    return pd.concat(tables, ignore_index=True)


def _compare(
    printed: str, values: np.ndarray, half: float, nearby: np.ndarray, forms: Mapping[str, tuple]
) -> pd.DataFrame:
    rows = []
    for order, (name, (form, meaning)) in enumerate(forms.items()):
        found = form(nearby)
        low, high = found.min(axis=0) - half, found.max(axis=0) + half
        fits = int(((low <= values) & (values <= high)).sum())
        gap = float(np.abs(found[0] - values).max())
        rows.append((printed, name, fits, len(values), gap, _verdict(fits, len(values), meaning)))
        # Among formulas that fit everything the more usual one comes first, else the nearer one.
        rows[-1] += (order if fits == len(values) else gap,)
    columns = ["printed", "formula", "fits", "rows", "max_abs_diff", "verdict", "rank"]
    table = pd.DataFrame(rows, columns=columns)
    ranked = table.sort_values(["fits", "rank"], ascending=[False, True], kind="stable")
    return ranked.drop(columns="rank")


def _verdict(fits: int, rows: int, meaning: str) -> str:
    if fits == rows:
        return f"fits all {rows} rows: {meaning}"
    if fits == 0:
        return f"fits no row: {meaning}"
    return f"fits {fits} of {rows} rows: {meaning}"


class PrintedTable(NamedTuple):
    """Result of `read_table`."""

    values: pd.DataFrame  # columns U1, U2, ..., then C and D if printed
    digits: dict[str, int]  # most decimals printed in "U", "C", "D"


def read_table(path: str | Path) -> PrintedTable:
    """Read a CSV of printed scores U1, U2, ... and printed C, D or both; other columns are ignored.

    Raises
    ------
    TandemError
        If the file cannot be read as a CSV, a column is missing or there twice, or a cell is empty
        or no number.
    """
    try:
        raw = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except FileNotFoundError:
        raise TandemError(f"There is no file {path}: check the name.") from None
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise TandemError(f"{path} is no CSV in UTF-8 ({error}): save it as one.") from None
    raw.columns = [str(name).strip().upper() for name in raw.columns]
    scores = sorted((c for c in raw if re.fullmatch(r"U\d+", c)), key=lambda c: int(c[1:]))
    printed = [c for c in raw.columns.unique() if c in ("C", "D")]
    if len(scores) < 2 or not printed or raw.empty:
        raise TandemError(
            f"{path} has the columns {', '.join(raw.columns) or 'none'} and {len(raw)} rows: give "
            "scores U1, U2, ... and C, D or both, a row each."
        )
    columns = [*scores, *printed]
    if not raw.columns[raw.columns.isin(columns)].is_unique:
        raise TandemError(f"{path} has a column of U, C or D twice: keep one.")
    values = pd.DataFrame({c: _cells(raw[c], path) for c in columns}).rename_axis(index="line")
    values.index += 2  # the header is line 1
    decimals = {
        c: int(raw[c].str.extract(r"\.(\d*)")[0].str.len().max() or 0)
        for c in columns
        if raw[c].str.contains(".", regex=False).any()
    }
    digits = {c: decimals.get(c, 0) for c in printed}
    return PrintedTable(values, digits | {"U": max(decimals.get(c, 0) for c in scores)})


def _cells(column: pd.Series, path: str | Path) -> pd.Series:
    text = column.str.strip()
    bad = ~text.str.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)")
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise TandemError(
            f"{path}, line {row + 2}, column {column.name} is {column.iloc[row]!r}: give a number "
            "with a decimal point, or delete the line."
        )
    return text.astype(float)


def diagnose_coupling(path: str | Path) -> str:
    """What `diagnose` finds in a user's CSV (`read_table`), in words for the terminal."""
    table, digits = read_table(path)
    scores = table.drop(columns=["C", "D"], errors="ignore")
    found = diagnose(scores, table.get("C"), table.get("D"), digits=digits)
    right = {
        "C": _degree(scores.to_numpy(), "standard"),
        "D": np.sqrt(_degree(scores.to_numpy(), "standard") * scores.mean(axis=1)).to_numpy(),
    }
    lines = [f"{path}: {len(table)} rows, {scores.shape[1]} systems"]
    for name, ranked in found.groupby("printed"):
        best, others = ranked.iloc[0], ranked.iloc[1:]
        whole = others.loc[others["fits"] == others["rows"], "formula"]
        if best["fits"] == best["rows"]:
            lines.append(f"{name}: {best['formula']}; {best['verdict']}.")
            if len(whole):
                lines.append(f"   Rounding cannot tell it from: {'; '.join(whole)}.")
        else:
            lines.append(
                f"{name}: no known formula fits every row; nearest is {best['formula']}, which "
                f"{best['verdict']}."
            )
        lines.append(f"   Largest difference {best['max_abs_diff']:.2g}.")
        if not best["formula"].startswith((f"{name} standard", f"{name} = sqrt(C T), C standard")):
            values = " ".join(f"{v:.{max(digits[name], 2)}f}" for v in right[name])
            lines.append(f"   The standard {name} with equal shares would be: {values}")
    return "\n".join(lines)


def diagnose_weights(e: np.ndarray | pd.Series, w: np.ndarray | pd.Series) -> pd.DataFrame:
    """Which denominator made printed entropy weights.

    Parameters
    ----------
    e, w : array (m,) or Series
        Printed entropies and weights of the indicators of one system.

    Returns
    -------
    DataFrame
        Columns formula, max_abs_diff, sum (of the weights the formula gives), verdict; the nearest
        formula first.

    Raises
    ------
    TandemError
        On a missing value, entropies outside [0, 1] or all 1, or different lengths.
    """
    entropy = complete(e, "give every entropy")
    weights = complete(w, "give every weight")
    if entropy.shape != weights.shape or not ((entropy >= 0) & (entropy <= 1)).all():
        raise TandemError("Give one weight for each entropy, and entropies between 0 and 1.")
    if not 0 < entropy.sum() < entropy.size:
        raise TandemError("All entropies are 0 or all are 1, so nothing tells the formulas apart.")
    forms = {
        "(1 - e) / sum (1 - e)": (1 - entropy) / (1 - entropy).sum(),
        "(1 - e) / sum e": (1 - entropy) / entropy.sum(),
        "e / sum e": entropy / entropy.sum(),
    }
    right = next(iter(forms))
    rows = [
        (
            name,
            float(np.abs(found - weights).max()),
            float(found.sum()),
            "entropy weights" if name == right else "not entropy weights",
        )
        for name, found in forms.items()
    ]
    table = pd.DataFrame(rows, columns=["formula", "max_abs_diff", "sum", "verdict"])
    return table.sort_values("max_abs_diff", kind="stable", ignore_index=True)


def refuse_own_components(
    dependent: pd.Series, regressors: pd.DataFrame, components: pd.DataFrame | None = None
) -> None:
    """Refuse to regress D on what it is made of.

    With equal shares ``ln D = (ln U1 + ... + ln Un) / (2 n)`` holds row by row, for two systems
    ``(ln U1 + ln U2) / 4``: such a regression estimates the formula, not the world.

    Parameters
    ----------
    dependent : Series (rows,)
        D.
    regressors : DataFrame (rows, k)
        On the same rows; rows with a missing value are passed over.
    components : DataFrame (rows, systems and indicators), optional
        Scores and indicators that D was computed from.

    Raises
    ------
    TandemError
        If a regressor has the name of a component or rises or falls with one in every row, or if D
        or its logarithm is an exact linear function of the regressors or their logarithms.
    """
    why = (
        "with equal shares ln D = (ln U1 + ... + ln Un) / (2n) is an identity, so the regression "
        "would estimate the formula: take it out, or explain the other system instead"
    )
    for name in regressors:
        for part in () if components is None else components:
            pair = pd.concat([regressors[name], components[part]], axis=1, join="inner").dropna()
            ranks = pair.rank().to_numpy()
            turned = len(pair) + 1 - ranks[:, 0]
            varies = len(pair) > 2 and np.ptp(ranks[:, 1]) > 0
            same = varies and any(np.array_equal(r, ranks[:, 1]) for r in (ranks[:, 0], turned))
            if name == part or same:
                raise TandemError(f"Regressor {name} is {part}, a component of D: {why}.")
    rows = pd.concat([dependent.rename("D"), regressors], axis=1, join="inner").dropna()
    sides = [rows.to_numpy(float)]
    if (sides[0] > 0).all():
        sides.append(np.log(sides[0]))
    for values in sides:
        y, x = values[:, 0], np.column_stack([np.ones(len(values)), values[:, 1:]])
        if len(y) <= x.shape[1] + 1 or np.ptp(y) < 1e-12:
            continue
        residual = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
        if np.abs(residual).max() < 1e-8 * np.ptp(y):
            names = ", ".join(map(str, regressors))
            raise TandemError(f"D is an exact function of {names}: {why}.")
