"""Moves between states: transition probabilities, where they lead, and on what they depend.

States come from `classify` with given cut-offs or with `quantile_cuts`. A move is a pair of
neighbouring calendar years of one entity; over a gap there is none. Rows may stand in any order.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import scipy

from tandem.errors import TandemError
from tandem.indices._inputs import complete, paired, refuse
from tandem.indices.coupling import classify
from tandem.indices.spatial import row_standardise, spatial_lag


class Homogeneity(NamedTuple):
    """Pearson and likelihood-ratio statistics, their degrees of freedom and p-values."""

    pearson: float
    likelihood_ratio: float
    df: int
    p_pearson: float
    p_likelihood_ratio: float


class Mobility(NamedTuple):
    """Shares of moves up, to the same state and down, and the p-value against up = down."""

    up: float
    stay: float
    down: float
    p_value: float


def quantile_cuts(x: np.ndarray | pd.Series, k: int) -> np.ndarray:
    """Cut-offs that put equal shares of all values, pooled over years, into k states.

    Parameters
    ----------
    x : array or Series
        None missing.
    k : int
        Number of states, at least 2.

    Returns
    -------
    array (k - 1,)

    Raises
    ------
    TandemError
        On a missing value, or if so many values are the same that cut-offs coincide.
    """
    values = complete(x, "quantiles need every value, so fill it or leave the row out")
    cuts = np.quantile(values, np.arange(1, k) / k)
    if k < 2 or (np.diff(cuts) <= 0).any():
        raise TandemError(f"The values do not fall into {k} states by quantiles: give cut-offs.")
    return cuts


def transition_counts(
    states: pd.Series, labels: Sequence, given: pd.Series | None = None
) -> pd.DataFrame:
    """Number of moves from each state to each state of the next year.

    Parameters
    ----------
    states : Series indexed (entity, year)
        Each one of `labels`.
    labels : sequence (k,)
        All states, lowest first.
    given : Series, optional
        A class of each row, for instance the state of the neighbours or the year; moves are
        counted apart by the class of the year in which they start.

    Returns
    -------
    DataFrame (k, k), or (classes * k, k) with the index (given, from)
        Rows from, columns to. Classes in which no move starts are not listed.

    Raises
    ------
    TandemError
        On a state that is missing or none of the labels, a row given twice, an index of `given`
        other than that of `states`, or if there is no move at all.
    """
    labels = pd.Index(labels)
    code = pd.Series(labels.get_indexer(states), index=states.index)
    advice = "give it one of the states or leave the row out"
    refuse((code < 0).to_numpy(), states.rename(states.name or "The state"), advice)
    if not states.index.is_unique:
        entity, year = states.index[states.index.duplicated()][0]
        raise TandemError(f"The table of states has {entity}, {year} twice: keep one row.")
    entities, years = (states.index.get_level_values(level) for level in (0, 1))
    later = code.reindex(pd.MultiIndex.from_arrays([entities, years + 1])).to_numpy()
    moves = pd.DataFrame({"from": code.to_numpy(), "to": later})
    if given is not None:
        paired(states, given)
        refuse(given.isna().to_numpy(), given.rename(given.name or "The class"), "fill it")
        moves.insert(0, "given", given.to_numpy())
    moves = moves.dropna(subset="to").astype({"to": int})
    if moves.empty:
        raise TandemError("No entity has two neighbouring years, so there is no move to count.")
    if given is None:
        return _table(moves, labels)
    classes = [c for c in labels if (moves["given"] == c).any()]
    if len(classes) < moves["given"].nunique():
        classes = sorted(moves["given"].unique())
    tables = {c: _table(moves[moves["given"] == c], labels) for c in classes}
    return pd.concat(tables, names=["given", "from"])


def _table(moves: pd.DataFrame, labels: pd.Index) -> pd.DataFrame:
    counts = np.zeros((len(labels), len(labels)), dtype=int)
    np.add.at(counts, (moves["from"].to_numpy(), moves["to"].to_numpy()), 1)
    return pd.DataFrame(counts, index=labels.rename("from"), columns=labels.rename("to"))


def transition_probabilities(counts: pd.DataFrame) -> pd.DataFrame:
    """Maximum likelihood estimate ``p_ij = n_ij / sum_j n_ij`` (Anderson and Goodman 1957).

    Parameters
    ----------
    counts : DataFrame (k, k) or (classes * k, k)
        As `transition_counts` gives it.

    Returns
    -------
    DataFrame like `counts`
        Rows sum to 1.

    Raises
    ------
    TandemError
        If no move starts in a state (of a class): its row of probabilities is unknown.
    """
    total = counts.sum(axis=1)
    never = counts.index[total == 0]
    if len(never):
        state = " under ".join(map(str, never[0][::-1])) if counts.index.nlevels > 1 else never[0]
        raise TandemError(
            f"No move starts in the state {state}, so its probabilities are unknown: take fewer or "
            "wider states."
        )
    return counts.div(total, axis=0)


def ergodic(P: pd.DataFrame) -> pd.Series:
    """Long-run share of each state: the solution of ``pi P = pi`` that sums to 1.

    Parameters
    ----------
    P : DataFrame (k, k)
        Transition probabilities.

    Returns
    -------
    Series (k,)
        0 for states that are left for good.

    Raises
    ------
    TandemError
        On rows that do not sum to 1, or if the long run depends on the first state because there
        are several sets of states that are never left.
    """
    p = _stochastic(P)
    count, member = scipy.sparse.csgraph.connected_components(p > 0, connection="strong")
    closed = [c for c in range(count) if not p[np.ix_(member == c, member != c)].any()]
    if len(closed) > 1:
        first, second = P.index[sorted(np.argmax(member == c) for c in closed)[:2]]
        raise TandemError(
            f"The states {first} and {second} never lead to each other, so the long run depends on "
            "the start: take wider states."
        )
    k = len(p)
    system = np.vstack([p.T - np.eye(k), np.ones(k)])
    share = np.linalg.lstsq(system, np.append(np.zeros(k), 1.0))[0]
    return pd.Series(np.where(member == closed[0], share, 0.0), index=P.index, name="ergodic")


def first_passage(P: pd.DataFrame) -> pd.DataFrame:
    """Mean number of years until a state is first reached.

    ``m_ij = 1 + sum_{k != j} p_ik m_kj`` (Kemeny and Snell 1976, Finite Markov Chains, ch. IV;
    from memory); the diagonal is the mean time of return.

    Parameters
    ----------
    P : DataFrame (k, k)
        Transition probabilities.

    Returns
    -------
    DataFrame (k, k)
        Rows from, columns to; infinite where the state may never be reached.

    Raises
    ------
    TandemError
        On rows that do not sum to 1.
    """
    p = _stochastic(P)
    k = len(p)
    times = np.full((k, k), np.inf)
    for j in range(k):
        absorbing = p.copy()
        absorbing[j] = np.eye(k)[j]
        reach = np.linalg.matrix_power(np.eye(k) + (absorbing > 0), k) > 0
        sure = np.array([reach[reach[i], j].all() for i in range(k)])
        before = sure & (np.arange(k) != j)
        system = np.eye(before.sum()) - p[np.ix_(before, before)]
        times[before, j] = np.linalg.solve(system, np.ones(before.sum()))
        onward = (p[j] > 0) & (np.arange(k) != j)
        times[j, j] = 1 + p[j, onward] @ times[onward, j]
    return pd.DataFrame(times, index=P.index, columns=P.columns)


def _stochastic(P: pd.DataFrame) -> np.ndarray:
    p = complete(P, "transition probabilities must all be given")
    if p.ndim != 2 or p.shape[0] != p.shape[1]:
        raise TandemError(f"Transition probabilities must be a square table, not {p.shape}.")
    if (p < 0).any() or not np.allclose(p.sum(axis=1), 1, atol=1e-9):
        raise TandemError("Transition probabilities must be 0 or more and each row sum to 1.")
    return p


def homogeneity_test(counts: pd.DataFrame) -> Homogeneity:
    """Whether transition probabilities are the same in every class.

    ``Q = sum_rij n_i|r (p_ij|r - p_ij)^2 / p_ij`` and
    ``LR = 2 sum_rij n_ij|r ln(p_ij|r / p_ij)`` over pooled ``p_ij > 0``, with
    ``sum_i (a_i - 1)(b_i - 1)`` degrees of freedom: a_i classes in which moves start in i, b_i
    states reached from i (Anderson and Goodman 1957; Bickenbach and Bode 2003, International
    Regional Science Review 26(3), eqs. 9-11; formulas from memory, equal to giddy's). With
    years as classes it tests homogeneity in time, with neighbours' states in space.

    Parameters
    ----------
    counts : DataFrame (classes * k, k)
        From `transition_counts` with `given`.

    Returns
    -------
    Homogeneity
        Chi-square tests; moves of one entity are taken as independent of each other.

    Raises
    ------
    TandemError
        With fewer than two classes, or if no state is left from two classes to two states.
    """
    if counts.index.nlevels != 2 or counts.index.get_level_values(0).nunique() < 2:
        raise TandemError("Homogeneity needs moves of at least two classes: give more years.")
    k = counts.shape[1]
    n = counts.to_numpy(float).reshape(-1, k, k)
    pooled = n.sum(axis=0)
    start, reached = n.sum(axis=2), pooled > 0
    df = int((((start > 0).sum(axis=0) - 1) * (reached.sum(axis=1) - 1))[reached.any(axis=1)].sum())
    if df == 0:
        raise TandemError("Too few moves for a test of homogeneity: take fewer states or classes.")
    p = pooled / np.where(pooled.sum(axis=1) > 0, pooled.sum(axis=1), 1)[:, None]
    expected = start[:, :, None] * p
    possible = expected > 0
    pearson = float(((n - expected)[possible] ** 2 / expected[possible]).sum())
    seen = n > 0
    ratio = float(2 * (n[seen] * np.log(n[seen] / expected[seen])).sum())
    return Homogeneity(
        pearson,
        ratio,
        df,
        float(scipy.stats.chi2.sf(pearson, df)),
        float(scipy.stats.chi2.sf(ratio, df)),
    )


def mobility(counts: pd.DataFrame) -> Mobility:
    """Whether moves up are more frequent than moves down.

    Parameters
    ----------
    counts : DataFrame (k, k) or (classes * k, k)
        From `transition_counts`, states lowest first.

    Returns
    -------
    Mobility
        Shares of all moves; the p-value is that of a one-sided binomial test of the moves that
        change state, which takes them as independent: few large entities that swing between two
        states make it too small.

    Raises
    ------
    TandemError
        If no move changes state.
    """
    k = counts.shape[1]
    total = counts.to_numpy().reshape(-1, k, k).sum(axis=0)
    up, down = int(np.triu(total, 1).sum()), int(np.tril(total, -1).sum())
    if up + down == 0:
        raise TandemError("No move changes state: take more or narrower states.")
    n = int(total.sum())
    p_value = float(scipy.stats.binomtest(up, up + down, 0.5, alternative="greater").pvalue)
    return Mobility(up / n, (n - up - down) / n, down / n, p_value)


def spatial_markov(
    x: pd.Series, W: pd.DataFrame, cuts: Sequence[float], labels: Sequence
) -> pd.DataFrame:
    """Moves between states, apart by the state of the neighbours' mean in the year of the start.

    Rey (2001, Geographical Analysis 33(3):194-214). `homogeneity_test` of the counts asks whether
    neighbours matter; `transition_probabilities` of ``counts.loc[state]`` shows how.

    Parameters
    ----------
    x : Series indexed (entity, year)
        Every entity in every year.
    W : DataFrame (n, n)
        Spatial weights between the entities; rows are standardised here.
    cuts : sequence (k - 1,)
        Cut-offs of the states, right-closed, for the entity and its neighbours' mean alike.
    labels : sequence (k,)
        States, lowest first.

    Returns
    -------
    DataFrame (classes * k, k)
        Index (given, from), columns to.

    Raises
    ------
    TandemError
        As `spatial_lag`, `classify` and `transition_counts`.
    """
    neighbours = classify(spatial_lag(x, row_standardise(W)), cuts, labels)
    return transition_counts(classify(x, cuts, labels), labels, neighbours)
