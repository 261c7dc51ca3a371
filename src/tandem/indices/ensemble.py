"""How far coordination depends on choices: an ensemble over normalisation, weights, shares, model.

Uncertainty and sensitivity analysis of a composite index (Saisana, Saltelli and Tarantola 2005,
J. Royal Statistical Society A 168(2):307-323; OECD/JRC, Handbook on Constructing Composite
Indicators, 2008; both from memory). Every draw is a vector of uniform numbers, a few for each
factor, so the same function serves random draws and the design of the Sobol indices.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import scipy
from scipy.special import gammaincinv

from tandem.errors import TandemError
from tandem.indices._inputs import complete, numbers
from tandem.indices.coupling import LEVELS, MODELS, _degree, _positions
from tandem.indices.normalise import NORMALISATIONS
from tandem.indices.weights import (
    critic_weights,
    cv_weights,
    entropy_weights,
    equal_weights,
    game_weights,
    pca_weights,
)

FACTORS = ("normalisation", "weights", "left_out", "noise", "shares", "model")

WEIGHTS = {
    "entropy": entropy_weights,
    "critic": critic_weights,
    "cv": cv_weights,
    "pca": pca_weights,
    "equal": equal_weights,
    "game": lambda z: game_weights(entropy_weights(z), critic_weights(z)),
}

# Draws evaluated at once, so that memory stays small whatever their number.
_BLOCK = 256


class Plan(NamedTuple):
    """All choices of an ensemble and what can be computed before the first draw.

    Systems and, within them, indicators stand in alphabetical order; m indicators in all, n
    systems.
    """

    rows: pd.MultiIndex  # complete entity-years, sorted
    systems: tuple[str, ...]
    indicators: tuple[str, ...]  # "system: indicator"
    member: np.ndarray  # (n, m) of bool
    left_out: tuple[str, ...]  # "none" and the indicators that can be left out
    normalisations: tuple[str, ...]
    weights: tuple[str, ...]
    models: tuple[str, ...]
    z: np.ndarray  # (normalisations, rows, m)
    w: np.ndarray  # (normalisations, weights, left_out, m), each system sums to 1
    shares: np.ndarray  # (n,)
    share_concentration: float
    weight_concentration: float


class Ensemble(NamedTuple):
    """Result of `run`: the choices of each draw and the D they give."""

    draws: pd.DataFrame  # index draw
    D: pd.DataFrame  # index draw, columns (entity, year)


def plan(
    x: pd.DataFrame,
    systems: Mapping[str, Mapping],
    shares: Mapping[str, float] | None = None,
    normalisations: Sequence[str] = tuple(NORMALISATIONS),
    weights: Sequence[str] = tuple(WEIGHTS),
    models: Sequence[str] = tuple(MODELS),
    share_concentration: float = 20.0,
    weight_concentration: float = 100.0,
) -> Plan:
    """Set out the choices of an ensemble.

    Parameters
    ----------
    x : DataFrame (entity-years, indicators)
        Raw indicators, index (entity, year). Rows that lack an indicator are left out with a
        warning that counts them.
    systems : mapping
        For each system its indicators and their directions, as in `tandem.indices.goalposts`.
    shares : mapping, optional
        Importance of the systems around which shares are drawn, summing to 1; equal if left out.
    normalisations, weights, models : sequence of str
        Keys of `NORMALISATIONS`, `WEIGHTS` and `MODELS`; each as likely as the others.
    share_concentration, weight_concentration : float
        Shares of the systems are Dirichlet(k shares) and weights within a system Dirichlet(k w):
        the larger k, the closer to where they are drawn around; ``inf`` fixes them.

    Raises
    ------
    TandemError
        If a column is missing, an indicator does not vary under some normalisation, shares do not
        sum to 1, a choice is unknown, or fewer than two rows are complete.
    """
    for chosen, known in ((normalisations, NORMALISATIONS), (weights, WEIGHTS), (models, MODELS)):
        unknown = [name for name in chosen if name not in known]
        if unknown or not chosen:
            raise TandemError(f"Choose among {', '.join(known)}, not {unknown or 'nothing'}.")
    columns = [(s, i) for s in sorted(systems) for i in sorted(systems[s])]
    absent = [i for _, i in columns if i not in x]
    if absent:
        raise TandemError(f"Indicator {absent[0]} has no column in the data: add it.")
    names = tuple(sorted(systems))
    if len(names) < 2 or not all(systems.values()):
        raise TandemError("Coupling needs at least two systems with an indicator each.")
    x = x[list(dict.fromkeys(i for _, i in columns))].sort_index()
    whole = ~np.isnan(numbers(x)).any(axis=1)
    if whole.sum() < 2:
        raise TandemError("Fewer than two entity-years have all indicators: add data.")
    if not whole.all():
        warnings.warn(
            f"{(~whole).sum()} of {len(x)} entity-years lack an indicator and are left out.",
            stacklevel=2,
        )
    x = x[whole]
    member = np.array([[s == system for s, _ in columns] for system in names])
    z = np.stack([_normalised(x, systems, columns, name) for name in normalisations])
    # A system keeps at least one indicator.
    removable = [None, *(j for j, (s, _) in enumerate(columns) if len(systems[s]) > 1)]
    labels = tuple(f"{s}: {i}" for s, i in columns)
    share = pd.Series(1 / len(names), names) if shares is None else pd.Series(shares).reindex(names)
    share = complete(share, "give each system a share")
    if (share < 0).any() or not np.isclose(share.sum(), 1):
        raise TandemError(f"Shares must be 0 or more and sum to 1, not {share.tolist()}.")
    return Plan(
        x.index,
        names,
        labels,
        member,
        tuple("none" if j is None else labels[j] for j in removable),
        tuple(normalisations),
        tuple(weights),
        tuple(models),
        z,
        np.stack([_weight_sets(scores, member, weights, removable) for scores in z]),
        share,
        share_concentration,
        weight_concentration,
    )


def _normalised(x: pd.DataFrame, systems: Mapping, columns: list, name: str) -> np.ndarray:
    scores = {}
    for system, directions in systems.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an indicator that does not vary is an error here
            z = NORMALISATIONS[name](x[list(directions)], directions)
        scores |= {(system, indicator): z[indicator].to_numpy() for indicator in z}
    for system, indicator in columns:
        if (system, indicator) not in scores:
            raise TandemError(
                f"Indicator {indicator} of {system} does not vary under {name} normalisation: take "
                "out the indicator or the normalisation."
            )
    return np.column_stack([scores[column] for column in columns])


def _weight_sets(
    z: np.ndarray, member: np.ndarray, methods: Sequence[str], removable: list
) -> np.ndarray:
    """Weights (methods, left out, m) of each system; a system is only computed anew if it loses."""
    sets = np.zeros((len(methods), len(removable), z.shape[1]))
    for k, method in enumerate(methods):
        for system in member:
            full = np.flatnonzero(system)
            sets[k][:, full] = WEIGHTS[method](z[:, full])
            for place, j in enumerate(removable):
                if j is not None and system[j]:
                    kept = full[full != j]
                    sets[k, place, j] = 0
                    sets[k, place, kept] = WEIGHTS[method](z[:, kept])
    return sets


def columns_of(plan: Plan) -> dict[str, np.ndarray]:
    """Which of the uniform numbers of a draw belong to each factor."""
    sizes = {"noise": len(plan.indicators), "shares": len(plan.systems)}
    ends = np.cumsum([sizes.get(factor, 1) for factor in FACTORS])
    return dict(zip(FACTORS, np.split(np.arange(ends[-1]), ends[:-1]), strict=True))


def _choices(plan: Plan, u: np.ndarray) -> dict[str, np.ndarray]:
    """Uniform numbers (draws, columns) -> index of each choice, shares (draws, n), weights."""
    of = columns_of(plan)

    def pick(factor: str, options: Sequence) -> np.ndarray:
        return (u[:, of[factor][0]] * len(options)).astype(int)

    chosen = {
        "normalisation": pick("normalisation", plan.normalisations),
        "weights": pick("weights", plan.weights),
        "left_out": pick("left_out", plan.left_out),
        "model": pick("model", plan.models),
    }
    w = plan.w[chosen["normalisation"], chosen["weights"], chosen["left_out"]]
    for system in plan.member:
        w[:, system] = _dirichlet(
            w[:, system], plan.weight_concentration, u[:, of["noise"][system]]
        )
    shares = np.broadcast_to(plan.shares, (len(u), len(plan.systems)))
    return chosen | {
        "w": w,
        "shares": _dirichlet(shares, plan.share_concentration, u[:, of["shares"]]),
    }


def _dirichlet(mean: np.ndarray, concentration: float, u: np.ndarray) -> np.ndarray:
    """Dirichlet(concentration * mean) rows from uniform numbers: gamma quantiles over their sum."""
    if np.isinf(concentration):
        return mean
    gamma = np.where(mean > 0, gammaincinv(np.where(mean > 0, concentration * mean, 1), u), 0)
    return gamma / gamma.sum(axis=1, keepdims=True)


def _coordination(plan: Plan, chosen: dict[str, np.ndarray]) -> np.ndarray:
    """D (draws, rows) of the choices."""
    d = np.empty((len(chosen["w"]), len(plan.rows)))
    for k, z in enumerate(plan.z):
        for m, model in enumerate(plan.models):
            draws = np.flatnonzero((chosen["normalisation"] == k) & (chosen["model"] == m))
            for part in np.split(draws, range(_BLOCK, len(draws), _BLOCK)):
                w, shares = chosen["w"][part], chosen["shares"][part]
                # Sums term by term, not by matrix product, whose last digit varies with its size.
                scores = [
                    sum(w[:, [j]] * z[:, j] for j in np.flatnonzero(system))
                    for system in plan.member
                ]
                mean = sum(shares[:, [s]] * score for s, score in enumerate(scores))
                u = np.clip(np.stack(scores, axis=-1), 0, 1)
                d[part] = np.sqrt(_degree(u, model) * mean)
    return d


def run(plan: Plan, draws: int | range, seed: int) -> Ensemble:
    """D of many random choices.

    Draw i depends on the seed and i alone, so chunks such as ``range(0, 500)`` and
    ``range(500, 1000)`` put together (`join`) are the same as 1000 draws at once.

    Parameters
    ----------
    plan : Plan
    draws : int or range
        Number of draws, or which of them.
    seed : int

    Returns
    -------
    Ensemble
        draws: normalisation, weights, left_out, model, the share of each system ("share tech")
        and the weight of each indicator ("weight tech: patents"). D: a column an entity-year.
    """
    numbers_of = range(draws) if isinstance(draws, int) else draws
    width = sum(map(len, columns_of(plan).values()))
    children = (np.random.SeedSequence(seed, spawn_key=(i,)) for i in numbers_of)
    u = np.array([np.random.default_rng(child).random(width) for child in children])
    chosen = _choices(plan, u.reshape(-1, width))
    options = {
        "normalisation": plan.normalisations,
        "weights": plan.weights,
        "left_out": plan.left_out,
        "model": plan.models,
    }
    index = pd.Index(numbers_of, name="draw")
    table = pd.DataFrame({k: np.array(v)[chosen[k]] for k, v in options.items()}, index)
    shares = pd.DataFrame(chosen["shares"], index, [f"share {s}" for s in plan.systems])
    weights = pd.DataFrame(chosen["w"], index, [f"weight {i}" for i in plan.indicators])
    d = pd.DataFrame(_coordination(plan, chosen), index, plan.rows)
    return Ensemble(pd.concat([table, shares, weights], axis=1), d)


def join(parts: Sequence[Ensemble]) -> Ensemble:
    """Put chunks of draws together, in the order of their numbers.

    Raises a TandemError if a draw is there twice or missing between the first and the last.
    """
    draws, d = (pd.concat(tables).sort_index() for tables in zip(*parts, strict=True))
    numbers_of = draws.index
    if numbers_of.has_duplicates or numbers_of[-1] - numbers_of[0] + 1 != len(numbers_of):
        raise TandemError(
            f"The chunks do not hold each draw from {numbers_of[0]} to {numbers_of[-1]} once: run "
            "the missing ranges, or leave out the double one."
        )
    return Ensemble(draws, d)


def summarise(
    D: pd.DataFrame, baseline: pd.Series, cuts: Sequence[float] = LEVELS.cuts
) -> dict[str, pd.DataFrame]:
    """How D, its level and the rank of the entities spread over the draws.

    Parameters
    ----------
    D : DataFrame (draws, entity-years)
        From `run`.
    baseline : Series (entity-years)
        The D that is reported, for example of `tandem.indices.coordination_degree`.
    cuts : sequence
        Cut-offs of the levels, closed on the right.

    Returns
    -------
    dict of DataFrame
        rows: by (entity, year) baseline, median, p5, p95, level (of the baseline), same_level
        (share of draws in it), level_1, level_2, ... (share of draws in each).
        entities: by entity, ranked by mean D over the years, 1 the highest and ties at their mean:
        baseline, median, p5, p95, mean_abs_shift (mean distance from the baseline rank).
        draws: by draw mean_D and, between ranks of the draw and of the baseline, spearman,
        kendall (tau-b) and mean_abs_shift; correlations are NaN if all ranks tie.

    Raises
    ------
    TandemError
        If the baseline lacks an entity-year of the draws, or a value is missing.
    """
    d = complete(D, "run the ensemble anew")
    base = complete(baseline.reindex(D.columns), "the baseline needs every row of the draws")
    low, median, high = np.quantile(d, [0.05, 0.5, 0.95], axis=0)
    level = _positions(d, cuts, "right")
    own = _positions(base, cuts, "right")
    rows = pd.DataFrame(
        {"baseline": base, "median": median, "p5": low, "p95": high}
        | {"level": own + 1, "same_level": (level == own).mean(axis=0)}
        | {f"level_{k + 1}": (level == k).mean(axis=0) for k in range(len(cuts) + 1)},
        index=D.columns,
    )
    entity = D.columns.get_level_values(0)
    ranks, first = _ranks(d, entity), _ranks(base[None], entity)[0]
    low, median, high = np.quantile(ranks, [0.05, 0.5, 0.95], axis=0)
    shift = np.abs(ranks - first)
    entities = pd.DataFrame(
        {"baseline": first, "median": median, "p5": low, "p95": high}
        | {"mean_abs_shift": shift.mean(axis=0)},
        index=pd.Index(entity.unique(), name=entity.name),
    )
    a, b = ranks - ranks.mean(axis=1, keepdims=True), first - first.mean()
    with np.errstate(invalid="ignore"):
        spearman = a @ b / np.sqrt((a**2).sum(axis=1) * (b @ b))
    draws = pd.DataFrame(
        {
            "mean_D": d.mean(axis=1),
            "spearman": spearman,
            "kendall": _kendall(ranks, first),
            "mean_abs_shift": shift.mean(axis=1),
        },
        index=D.index,
    )
    return {"rows": rows, "entities": entities, "draws": draws}


def _ranks(d: np.ndarray, entity: pd.Index) -> np.ndarray:
    """Rank (draws, entities) of the mean D over years, 1 the highest."""
    code, names = pd.factorize(entity)
    member = code[:, None] == np.arange(len(names))
    return scipy.stats.rankdata(-(d @ (member / member.sum(axis=0))).round(12), axis=1)


def _kendall(ranks: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Kendall's tau-b of each row of `ranks` with `first`; NaN where all ranks of one tie."""
    i, j = np.triu_indices(len(first), 1)
    own = np.sign(first[i] - first[j])
    found = np.empty(len(ranks))
    for start in range(0, len(ranks), _BLOCK):
        part = ranks[start : start + _BLOCK]
        signs = np.sign(part[:, i] - part[:, j])
        with np.errstate(invalid="ignore"):
            untied = np.abs(signs).sum(axis=1) * np.abs(own).sum()
            found[start : start + _BLOCK] = signs @ own / np.sqrt(untied)
    return found


def sobol_indices(plan: Plan, points: int, seed: int) -> pd.DataFrame:
    """Share of the variance of D that each factor accounts for, alone and with its interactions.

    Parameters
    ----------
    plan : Plan
    points : int
        Base points, a power of 2; the model runs ``points * (factors + 2)`` times.
    seed : int

    Returns
    -------
    DataFrame
        Columns output, factor, first, total. Outputs: mean_D (over all rows), D (every
        entity-year) and rank (of every entity by mean D). The last two weigh each one's indices
        with its variance, ``sum of variances explained / sum of variances``. Estimates of small
        indices may come out slightly below 0.

    Raises
    ------
    TandemError
        If `points` is not a power of 2, or no choice changes anything.
    """
    entity = plan.rows.get_level_values(0)

    def outputs(u: np.ndarray) -> np.ndarray:
        d = _coordination(plan, _choices(plan, u))
        return np.concatenate([d.mean(axis=1, keepdims=True), d, _ranks(d, entity)], axis=1)

    first, total, variance = saltelli(outputs, columns_of(plan), points, seed)
    groups = {"mean_D": slice(0, 1), "D": slice(1, 1 + len(plan.rows))}
    if entity.nunique() > 1:
        groups["rank"] = slice(1 + len(plan.rows), None)
    tables = []
    for output, part in groups.items():
        if not variance[part].sum() > 0:
            raise TandemError(f"No choice changes {output}, so it has no variance to explain.")
        indices = {"first": first, "total": total}
        table = {k: v[:, part].sum(axis=1) / variance[part].sum() for k, v in indices.items()}
        tables.append(pd.DataFrame({"output": output, "factor": FACTORS} | table))
    return pd.concat(tables, ignore_index=True)


def saltelli(
    model: Callable[[np.ndarray], np.ndarray],
    factors: Mapping[str, Sequence[int]],
    points: int,
    seed: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Variance that each factor accounts for alone (first) and with interactions (total).

    ``V_i = mean f(B) (f(A_B^i) - f(A))`` and ``VT_i = mean (f(A) - f(A_B^i))^2 / 2``, where
    ``A_B^i`` is A with the columns of factor i from B (Saltelli et al. 2010, Computer Physics
    Communications 181(2):259-270, table 2; from memory). A and B are halves of a scrambled Sobol
    sequence.

    Parameters
    ----------
    model : function
        From uniform numbers (points, columns) to outputs (points, outputs).
    factors : mapping
        Columns of each factor; together every column once.
    points : int
        A power of 2.
    seed : int

    Returns
    -------
    first, total : array (factors, outputs)
        Divide by the variance for the indices.
    variance : array (outputs,)
    """
    power = int(points).bit_length() - 1
    if points < 2 or 2**power != points:
        raise TandemError(f"Sobol indices need a power of 2 of points, not {points}.")
    width = sum(map(len, factors.values()))
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    a, b = np.hsplit(scipy.stats.qmc.Sobol(2 * width, rng=rng).random_base2(power), 2)
    fa, fb = model(a), model(b)
    both = np.concatenate([fa, fb])
    centre = both.mean(axis=0)  # the estimator of V_i is noisy if f is far from 0
    first, total = [], []
    for columns in factors.values():
        mixed = a.copy()
        mixed[:, columns] = b[:, columns]
        change = model(mixed) - fa
        first.append(((fb - centre) * change).mean(axis=0))
        total.append((change**2).mean(axis=0) / 2)
    return np.array(first), np.array(total), both.var(axis=0)
