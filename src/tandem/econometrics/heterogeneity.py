"""Is a coefficient the same in all groups, windows and without any entity, and not by chance?"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy import stats

from tandem.econometrics.chi_square import ChiSquare, wald
from tandem.econometrics.complete_rows import complete_rows, require_balanced
from tandem.econometrics.in_text import in_text
from tandem.econometrics.panel_arrays import check_numbers
from tandem.econometrics.static import panel_regression
from tandem.econometrics.within_blocks import within_blocks
from tandem.errors import TandemError

EFFECTS = ("entity", "two-way")


@dataclass(frozen=True, eq=False)
class GroupComparison:
    """A regression in each group of entities, and tests that one coefficient is alike.

    Attributes
    ----------
    terms : DataFrame
        Index group: estimate, std_error (clustered by entity), p_value, conf_low, conf_high, n_obs,
        n_clusters.
    chow : ChiSquare
        Wald test that the coefficient is equal in all groups; groups are independent samples.
    permutation_p : float
        Share of random splits of the entities into groups of these sizes whose estimates, weighted
        by group size, vary as much.
    facts : dict
    """

    terms: pd.DataFrame
    chow: ChiSquare
    permutation_p: float
    facts: dict

    @property
    def summary(self) -> str:
        """The groups and both tests in plain text."""
        return (
            f"{self.terms.to_string(float_format='%.5g')}\n"
            f"equal in all groups: chi2({self.chow.df}) = {self.chow.stat:.3f}, "
            f"p = {self.chow.pval:.4f}; by permutation p = {self.permutation_p:.4f}"
        )


def compare_groups(
    y: pd.Series,
    x: pd.DataFrame,
    groups: pd.Series,
    effects: str = "two-way",
    draws: int = 999,
    seed: int = 1,
) -> GroupComparison:
    """Fit the same regression in each group of entities and test the first regressor's coefficient.

    Each group has effects and controls of its own, so the test is Chow's for one coefficient, with
    clustered variances (few clusters a group: read the permutation p first).

    Parameters
    ----------
    y : Series, x : DataFrame (entity-years, k)
        The first column of x is compared.
    groups : Series
        Group of each entity, indexed by entity.
    effects : {"entity", "two-way"}
    draws : int
        Random splits.
    seed : int or SeedSequence

    Raises
    ------
    TandemError
        An entity without a group, fewer than two groups, a group too small for the regression.

    References
    ----------
    Chow (1960), Econometrica 28, 591-605; permutation of group labels: Fisher's exact idea, as in
    Cleary (1999), Journal of Finance 54, 673-692 (from memory).
    """
    _check(effects)
    rows, dropped = complete_rows(y, x)
    blocks = within_blocks(rows, effects)
    of = groups.reindex(blocks.entities)
    if of.isna().any():
        raise TandemError(f"{of.index[of.isna()][0]} has no group; add it to one.")
    names = list(dict.fromkeys(groups[groups.index.isin(blocks.entities)]))
    if len(names) < 2:
        raise TandemError("A comparison of groups needs at least two of them.")
    fits = {name: _fit_group(rows, of, name, effects) for name in names}
    terms = pd.DataFrame(fits).T.rename_axis("group").infer_objects()
    b, v = terms["estimate"].to_numpy(float), terms["std_error"].to_numpy(float) ** 2
    chow = wald(np.diff(b), np.diag(v[1:] + v[:-1]) - _neighbours(v[1:-1]))
    code = np.array([names.index(g) for g in of])
    rng = np.random.default_rng(seed)
    labels = np.vstack([code, [rng.permutation(code) for _ in range(draws)]])
    split = [blocks.fit((labels == g).astype(float), y.name, list(x))[:, 0] for g in range(len(b))]
    spread = _spread(np.array(split), np.bincount(code))
    p = (1 + (spread[1:] >= spread[0] * (1 - 1e-12)).sum()) / (draws + 1)
    facts = {"n_obs": len(rows), "n_dropped": dropped, "effects": effects, "draws": draws}
    return GroupComparison(terms, chow, float(p), facts)


def _check(effects: str) -> None:
    if effects not in EFFECTS:
        raise TandemError(f"Effects are {' or '.join(EFFECTS)} here; '{effects}' is neither.")


def _neighbours(shared: np.ndarray) -> np.ndarray:
    """Minus the covariances of successive differences, which share one group."""
    return np.diag(shared, 1) + np.diag(shared, -1) if len(shared) else 0.0


def _fit_group(rows: pd.DataFrame, of: pd.Series, name, effects: str) -> dict:
    mine = rows[rows.index.get_level_values(0).isin(of.index[of == name])]
    try:
        result, facts = panel_regression(mine.iloc[:, 0], mine.iloc[:, 1:], effects)
    except TandemError as err:
        raise TandemError(f"Group {name}: {err}") from err
    estimate, error = float(result.params.iloc[0]), float(result.std_errors.iloc[0])
    reach = error * stats.t.ppf(0.975, facts["t_df"])
    return {
        "estimate": estimate,
        "std_error": error,
        "p_value": float(2 * stats.t.sf(abs(estimate / error), facts["t_df"])),
        "conf_low": estimate - reach,
        "conf_high": estimate + reach,
        "n_obs": int(result.nobs),
        "n_clusters": facts["n_clusters"],
    }


def _spread(estimates: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Variance of the groups' estimates (groups, draws) about their mean, weighted by size."""
    share = (sizes / sizes.sum())[:, None]
    return (share * (estimates - (share * estimates).sum(axis=0)) ** 2).sum(axis=0)


def leave_one_out(y: pd.Series, x: pd.DataFrame, effects: str = "two-way") -> pd.DataFrame:
    """Coefficients without each entity in turn.

    Parameters
    ----------
    y : Series, x : DataFrame (entity-years, k)
    effects : {"entity", "two-way"}

    Returns
    -------
    DataFrame (n_entities, k)
        Index: the entity left out.
    """
    _check(effects)
    rows, _ = complete_rows(y, x)
    panel_regression(rows[y.name], rows[list(x)], effects)  # refuses what is collinear
    blocks = within_blocks(rows, effects)
    found = blocks.fit(1.0 - np.eye(len(blocks.entities)), y.name, list(x))
    return pd.DataFrame(found, blocks.entities.rename("left_out"), list(x))


def windows(y: pd.Series, x: pd.DataFrame, width: int, effects: str = "two-way") -> pd.DataFrame:
    """The first regressor's coefficient in every run of `width` years.

    Parameters
    ----------
    y : Series, x : DataFrame (entity-years, k)
    width : int
    effects : {"entity", "two-way"}

    Returns
    -------
    DataFrame
        Index first, last (years): estimate, std_error, p_value, conf_low, conf_high, n_obs,
        n_clusters.

    Raises
    ------
    TandemError
        If no window is that wide, or a window is too short for the regression.
    """
    _check(effects)
    rows, _ = complete_rows(y, x)
    when = rows.index.get_level_values(1)
    starts = range(int(when.min()), int(when.max()) - width + 2)
    if width < 2 or not starts:
        raise TandemError(f"No window of {width} years lies in {when.min()}-{when.max()}.")
    everyone = pd.Series(True, rows.index.unique(level=0))
    fits = {
        (start, start + width - 1): _fit_group(
            rows[(when >= start) & (when < start + width)], everyone, True, effects
        )
        for start in starts
    }
    return pd.DataFrame(fits).T.rename_axis(["first", "last"]).infer_objects()


def winsorise(x: pd.DataFrame, share: float) -> tuple[pd.DataFrame, pd.Series]:
    """Pull the values beyond the `share` and 1 - `share` quantiles of each column in to them.

    Parameters
    ----------
    x : DataFrame
    share : float
        At each end, above 0 and below 0.5.

    Raises
    ------
    TandemError
        Another share, text, or an infinite value.

    Returns
    -------
    DataFrame
        NaN stays NaN.
    Series
        Values changed, by column.
    """
    if not 0 < share < 0.5:
        raise TandemError(f"The share to winsorise lies between 0 and 0.5, not {share}.")
    for name in x:
        check_numbers(x[name])
    low, high = x.quantile(share), x.quantile(1 - share)
    pulled = x.clip(low, high, axis=1)
    return pulled, ((pulled != x) & x.notna()).sum()


@dataclass(frozen=True, eq=False)
class Placebo:
    """Coefficients of a regressor dealt out at random among entities.

    Attributes
    ----------
    estimate : float
        Of the real regressor.
    drawn : array (draws,)
    p_value : float
        Share of draws (with the real one) at least as far from zero.
    facts : dict
    """

    estimate: float
    drawn: np.ndarray = field(repr=False)
    p_value: float
    facts: dict
    summary = property(in_text)


def placebo(
    y: pd.Series, x: pd.DataFrame, effects: str = "two-way", draws: int = 999, seed: int = 1
) -> Placebo:
    """Give each entity the first regressor's path of another, and estimate again.

    Parameters
    ----------
    y : Series, x : DataFrame (entity-years, k)
        Every entity in every year; the first column of x is dealt out, the others stay.
    effects : {"entity", "two-way"}
    draws : int
    seed : int or SeedSequence

    Raises
    ------
    TandemError
        If an entity lacks a year.
    """
    _check(effects)
    rows, dropped = complete_rows(y, x)
    require_balanced(rows)
    panel_regression(rows[y.name], rows[list(x)], effects)
    n, t = (rows.index.get_level_values(k).nunique() for k in (0, 1))
    z = rows.to_numpy(float).reshape(n, t, -1)
    z = z - z.mean(axis=1, keepdims=True)
    if effects == "two-way":
        z = z - z.mean(axis=0)
    outcome, path, others = z[..., 0].ravel(), z[..., 1], z[..., 2:].reshape(n * t, -1)
    q = np.linalg.qr(others)[0] if others.shape[1] else np.zeros((n * t, 0))
    rng = np.random.default_rng(seed)
    order = np.vstack([np.arange(n), [rng.permutation(n) for _ in range(draws)]])
    dealt = path[order].reshape(draws + 1, n * t)
    dealt = dealt - (dealt @ q) @ q.T
    found = dealt @ outcome / (dealt**2).sum(axis=1)
    p = (np.abs(found) >= abs(found[0]) * (1 - 1e-12)).mean()
    facts = {"n_obs": n * t, "n_dropped": dropped, "effects": effects, "draws": draws}
    return Placebo(float(found[0]), found[1:], float(p), facts)
