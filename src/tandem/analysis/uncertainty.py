"""Step: how far coordination rests on choices, on the entities at hand and on chance.

The draws are shared out among jobs (`run_chunk`) and put together again (`measure`); draw i depends
on the study's seed and on i alone, so the number of jobs changes nothing.
"""

import numpy as np
import pandas as pd

from tandem.errors import TandemError
from tandem.indices import coordination_degree, coupling_degree, ensemble
from tandem.indices.bootstrap import bootstrap_summary, cluster_bootstrap, coupling_statistics
from tandem.indices.normalise import NORMALISATIONS
from tandem.indices.weights import weight_agreement
from tandem.study import Study

RESAMPLES = 499  # bootstrap samples of entities
SOBOL_POINTS = 1024  # the model runs 8 times as often
CHANCE_DRAWS = 999
EVERYONE = "all"
QUANTILES = {"p5": 0.05, "median": 0.5, "p95": 0.95}


def _systems(study: Study) -> dict[str, dict]:
    return {name: dict(system.indicators) for name, system in study.systems.items()}


def _shares(study: Study) -> dict[str, float] | None:
    shares = study.coupling.shares
    return shares and dict(zip(study.systems, shares, strict=True))


def _indicators(study: Study, panel: pd.DataFrame) -> pd.DataFrame:
    return panel[list(dict.fromkeys(i for s in study.systems.values() for i in s.indicators))]


def plan_study(study: Study, panel: pd.DataFrame) -> ensemble.Plan:
    """The choices among which the study's ensemble draws.

    Normalisation by the ratio to the largest value is left out if an indicator has values below 0,
    for which it is not defined.

    Parameters
    ----------
    panel : DataFrame (entity-years, derived series)

    Raises
    ------
    TandemError
        If an indicator does not vary under some normalisation, naming both.
    """
    x = _indicators(study, panel)
    negative = bool((x < 0).any(axis=None))
    kinds = [name for name in NORMALISATIONS if not (negative and name == "ratio")]
    return ensemble.plan(x, _systems(study), _shares(study), kinds)


def run_chunk(
    study: Study, panel: pd.DataFrame, chunk: int
) -> tuple[ensemble.Ensemble, pd.DataFrame]:
    """One job's share of the ensemble and of the bootstrap over entities.

    Parameters
    ----------
    panel : DataFrame (entity-years, derived series)
    chunk : int
        From 0 to the study's number of chunks less 1.

    Returns
    -------
    Ensemble
        From `tandem.indices.ensemble.run`.
    DataFrame
        Index draw, one column a statistic of `coupling_statistics`; without columns for one entity.
    """
    spec = study.coupling.ensemble

    def mine(total: int) -> range:
        return range(total * chunk // spec.chunks, total * (chunk + 1) // spec.chunks)

    found = ensemble.run(plan_study(study, panel), mine(spec.draws), study.seed)
    x = _indicators(study, panel)
    if x.index.get_level_values("entity").nunique() < 2:
        return found, pd.DataFrame(index=pd.Index([], name="draw"))
    resamples = cluster_bootstrap(x, lambda s: _statistics(study, s), mine(RESAMPLES), study.seed)
    return found, resamples


def _statistics(study: Study, x: pd.DataFrame) -> pd.Series:
    """C and D of a panel with goalposts and weights fitted to it."""
    how = {"weights": study.coupling.weights, "model": study.coupling.model}
    return coupling_statistics(x, _systems(study), shares=_shares(study), **how)


def measure(
    study: Study,
    panel: pd.DataFrame,
    scores: pd.DataFrame,
    coupling: pd.DataFrame,
    weights: pd.DataFrame,
    chunks: list[tuple[pd.DataFrame, np.ndarray, pd.DataFrame]],
) -> dict[str, pd.DataFrame]:
    """Uncertainty of the coordination degrees that the study reports.

    Parameters
    ----------
    panel : DataFrame (entity-years, derived series)
    scores, coupling, weights : DataFrame
        From `tandem.analysis.scores.index_study`.
    chunks : list of (DataFrame, array, DataFrame)
        Of each chunk, in any order: the choices (index draw), D (draws, entity-years) and the
        resamples (index draw), as `run_chunk` gives them.

    Returns
    -------
    dict of DataFrame
        rows (by entity-year: the reported D, the ensemble's median, 5 and 95 %, and the share of
        draws in each level), entities (the same for ranks by mean D; no rows for one entity),
        draws (the choices of each draw, its mean D and, for several entities, how its ranks agree
        with the reported ones), regions (region, year, quantity:
        reported, median, p5, p95, and for D what chance gives), sobol (output, factor, first,
        total), bootstrap (statistic, estimate, std_error, conf_low, conf_high, bias, draws; no rows
        for one entity), agreement (rank correlation of the weighting methods within systems).

    Raises
    ------
    TandemError
        If the chunks do not hold every draw once.
    """
    plan = plan_study(study, panel)
    parts = [
        ensemble.Ensemble(choices, pd.DataFrame(d, choices.index, plan.rows))
        for choices, d, _ in chunks
    ]
    draws, d = ensemble.join(parts)
    wanted = study.coupling.ensemble.draws
    if len(draws) != wanted:
        raise TandemError(f"There are {len(draws)} of {wanted} draws: run the missing chunks.")
    reported = coupling[f"D_{study.coupling.model}"]
    found = ensemble.summarise(d, reported)
    entities, of_draw = found["entities"], found["draws"]
    if len(entities) == 1:  # its rank is 1 in every draw
        entities, of_draw = entities.iloc[:0], of_draw[["mean_D"]]
    return {
        "rows": found["rows"],
        "entities": entities.reset_index(),
        "draws": draws.join(of_draw).reset_index(),
        "regions": _regions(study, plan, draws, d, scores, coupling),
        "sobol": ensemble.sobol_indices(plan, SOBOL_POINTS, study.seed),
        "bootstrap": _bootstrap(study, panel, pd.concat([r for *_, r in chunks]).sort_index()),
        "agreement": agreement(weights),
    }


def _bootstrap(study: Study, panel: pd.DataFrame, resamples: pd.DataFrame) -> pd.DataFrame:
    if resamples.empty:
        names = ["estimate", "std_error", "conf_low", "conf_high", "bias", "draws"]
        return pd.DataFrame(columns=["statistic", *names])
    estimates = _statistics(study, _indicators(study, panel))
    return bootstrap_summary(estimates, resamples).reset_index()


def agreement(weights: pd.DataFrame) -> pd.DataFrame:
    """Spearman rank correlation of the weighting methods, for systems of several indicators.

    Parameters
    ----------
    weights : DataFrame
        Columns system, indicator, entropy_value, one a method, used.

    Returns
    -------
    DataFrame
        Columns system, method, one a method, largest and largest_indicator, as
        `tandem.indices.weights.weight_agreement`.
    """
    methods = [c for c in weights if c not in ("system", "indicator", "entropy_value", "used")]
    tables = [
        weight_agreement(mine.set_index("indicator")[methods]).reset_index().assign(system=name)
        for name, mine in weights.groupby("system", sort=False)
        if len(mine) > 1
    ]
    order = ["system", "method", *methods, "largest", "largest_indicator"]
    return pd.concat(tables)[order] if tables else pd.DataFrame(columns=order)


def _regions(
    study: Study,
    plan: ensemble.Plan,
    draws: pd.DataFrame,
    d: pd.DataFrame,
    scores: pd.DataFrame,
    coupling: pd.DataFrame,
) -> pd.DataFrame:
    """Means by region and year: as reported, over the draws and, for D, by chance."""
    u = _drawn_scores(plan, draws)
    drawn = {name: u[..., plan.systems.index(name)] for name in study.systems}
    drawn |= {"C": _drawn_coupling(u, draws["model"]), "D": d.to_numpy()}
    kept = scores.loc[plan.rows, list(study.systems)]
    model = study.coupling.model
    reported = {name: kept[name] for name in kept} | {
        quantity: coupling.loc[plan.rows, f"{quantity}_{model}"] for quantity in ("C", "D")
    }
    paired = _paired_at_random(kept, CHANCE_DRAWS, study.seed)
    chance = coordination_degree(paired, model, study.coupling.shares)
    rows = []
    for region, year, here in _region_years(study, plan.rows):
        for quantity, values in drawn.items():
            row = {"region": region, "year": year, "quantity": quantity, "entities": here.size}
            row["reported"] = reported[quantity].to_numpy()[here].mean()
            row |= _quantiles(values[:, here].mean(axis=1))
            if quantity == "D":
                found = _quantiles(chance[:, here].mean(axis=1))
                row |= {f"chance_{name}": value for name, value in found.items()}
            rows.append(row)
    return pd.DataFrame(rows)


def _quantiles(values: np.ndarray) -> dict[str, float]:
    found = np.quantile(values, list(QUANTILES.values()))
    return dict(zip(QUANTILES, found, strict=True))


def _region_years(study: Study, rows: pd.MultiIndex) -> list[tuple[str, int, np.ndarray]]:
    """Region, year and places of its entities; all entities together come first."""
    entity, year = rows.get_level_values("entity"), rows.get_level_values("year")
    members = {EVERYONE: entity.unique(), **study.panel.groups}
    found = [
        (region, int(when), np.flatnonzero(entity.isin(names) & (year == when)))
        for region, names in members.items()
        for when in sorted(year.unique())
    ]
    return [place for place in found if place[2].size]


def _drawn_scores(plan: ensemble.Plan, draws: pd.DataFrame) -> np.ndarray:
    """Scores (draws, rows, systems) from the normalisation and weights of each draw."""
    w = draws[[f"weight {name}" for name in plan.indicators]].to_numpy()
    u = np.empty((len(draws), len(plan.rows), len(plan.systems)))
    for name, z in zip(plan.normalisations, plan.z, strict=True):
        mine = np.flatnonzero(draws["normalisation"] == name)
        for s, member in enumerate(plan.member):
            u[mine, :, s] = w[np.ix_(mine, member)] @ z[:, member].T
    return np.clip(u, 0, 1)


def _drawn_coupling(u: np.ndarray, models: pd.Series) -> np.ndarray:
    """C (draws, rows), each draw with its own model."""
    c = np.empty(u.shape[:2])
    for model in models.unique():
        mine = np.flatnonzero(models == model)
        c[mine] = coupling_degree(u[mine], model)
    return c


def _paired_at_random(scores: pd.DataFrame, draws: int, seed: int) -> np.ndarray:
    """Scores (draws, rows, systems), every system but the first dealt out anew.

    Among the entities of the same year; for one entity the years are moved round by a random
    number, as in `tandem.indices.null.circular_shift_null`.

    Parameters
    ----------
    scores : DataFrame (entity-years, systems)
        Complete rows, sorted.
    """
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    years = scores.index.get_level_values("year")
    one = scores.index.get_level_values("entity").nunique() == 1
    dealt = np.repeat(scores.to_numpy()[None], draws, axis=0)
    for s in range(1, scores.shape[1]):
        if one:
            steps = rng.integers(len(scores), size=(draws, 1))
            order = (np.arange(len(scores)) - steps) % len(scores)
            dealt[..., s] = np.take_along_axis(dealt[..., s], order, axis=1)
            continue
        for year in sorted(years.unique()):
            here = np.flatnonzero(years == year)
            dealt[:, here, s] = rng.permuted(dealt[:, here, s], axis=1)
    return dealt
