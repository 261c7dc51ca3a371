"""Step: spread and moves of the coordination degree, and what a study cannot carry, in words."""

from functools import partial

import numpy as np
import pandas as pd

from tandem.analysis.distribution import (
    Sample,
    beta,
    density,
    inequality,
    neighbours,
    obstacles,
    sigma,
    spatial,
)
from tandem.analysis.technology import division_of_labour, research_stock
from tandem.errors import TandemError
from tandem.indices import (
    ANGLE_STAGES,
    FORECASTS,
    GREY_STAGES,
    STAGES,
    angle_bands,
    classify,
    contiguity_weights,
    dynamic_coupling,
    ergodic,
    first_passage,
    forecast_accuracy,
    gm11,
    grey_check,
    grey_relational,
    homogeneity_test,
    mobility,
    quantile_cuts,
    rolling_errors,
    spatial_markov,
    transition_counts,
    transition_probabilities,
)
from tandem.study import Study

STREAM = 5  # spawn key of this step; the others draw from keys of their own
SHIFTS = (-0.05, 0.0, 0.05)  # of the stages' cut-offs
DEGREES = (2, 3)  # of the polynomials behind the coupling angle: they can decide its stage
QUARTILES = ("lowest quarter", "second quarter", "third quarter", "highest quarter")
AHEAD = 3  # years to forecast


def study_dynamics(
    study: Study,
    frames: dict[str, pd.DataFrame],
    pairs: pd.DataFrame | None = None,
    fields: pd.DataFrame | None = None,
) -> dict[str, pd.DataFrame]:
    """Every statistic of distribution, dynamics, structure and technology that the study carries.

    Parameters
    ----------
    frames : dict of DataFrame
        panel, published, coupling, scores, normalised, weights: the study's, by (entity, year) but
        for the weights.
    pairs : DataFrame, optional
        Neighbours, from `tandem.indices.read_contiguity`.
    fields : DataFrame, optional
        Enterprises by field, from `tandem.sources.seed.survey_fields`.

    Returns
    -------
    dict of DataFrame
        Tidy tables, only those that could be computed, and not_carried: part, why.

    Raises
    ------
    TandemError
        If no entity has D in any year, or the table of neighbours lacks an entity.
    """
    sample, told = take_sample(study, frames, pairs)
    alone = sample.degree.index.get_level_values("entity").nunique() == 1
    found: dict[str, list[pd.DataFrame]] = {}
    for part, compute, several in _parts(frames["published"], fields):
        try:
            if several and alone:
                raise TandemError("There is one entity, and this compares entities.")
            for name, frame in compute(sample).items():
                found.setdefault(name, []).append(frame)
        except TandemError as err:
            told.append((part, str(err)))
    why = "It needs capital at constant prices and employment by entity and year, which no part of "
    told.append(("Total factor productivity", f"{why}the study reads."))
    tables = {name: pd.concat(some) for name, some in found.items()}
    return tables | {"not_carried": pd.DataFrame(told, columns=["part", "why"])}


def _parts(published: pd.DataFrame, fields: pd.DataFrame | None) -> list[tuple]:
    """Name of each part, its function, and whether it compares entities."""
    parts = [
        ("Kernel density", density, True),
        ("Dagum Gini and Theil index", inequality, True),
        ("Sigma convergence", sigma, True),
        ("Beta convergence", beta, True),
        ("Moran's I", spatial, True),
    ]
    for states in ("stages", "quarters"):
        parts += [
            (f"Transitions between {states}", partial(transitions, states=states), True),
            (f"Long run of the {states}", partial(long_run, states=states), True),
            (f"The {states}' moves over time", partial(over_time, states=states), True),
            (f"The {states}' moves by neighbours", partial(by_neighbours, states=states), True),
        ]
    parts += [(f"Moves with cut-offs {s:+.2f}", partial(moves, shift=s), True) for s in SHIFTS]
    parts += [
        ("Obstacle degree", obstacles, False),
        ("Dynamic coupling", angles, False),
        ("Grey relational coupling", grey, False),
        ("GM(1,1) forecast", forecast, False),
        ("R&D stock", lambda s: {"research_stock": research_stock(s.study, published)}, False),
    ]
    if fields is not None:
        parts.append(("Fields", lambda _: {"fields": division_of_labour(fields)}, False))
    return parts


def take_sample(
    study: Study, frames: dict[str, pd.DataFrame], pairs: pd.DataFrame | None
) -> tuple[Sample, list[tuple[str, str]]]:
    """Longest run of consecutive years in which D is known, and the entities complete in it.

    Returns
    -------
    Sample
    list of (part, why)
        What was left out.
    """
    column = f"D_{study.coupling.model}"
    wide = frames["coupling"][column].unstack("year").dropna(axis=1, how="all")
    if wide.empty:
        raise TandemError("No entity has a coordination degree in any year: see data_gaps.")
    years = wide.columns.to_numpy()
    runs = np.split(years, np.flatnonzero(np.diff(years) != 1) + 1)
    run = max(reversed(runs), key=len)  # the latest of the longest
    told, outside = [], [str(year) for year in years if year not in run]
    if outside:
        why = f"D is known without a gap in {run[0]}-{run[-1]}; not used: {', '.join(outside)}."
        told.append(("Years", why))
    wide = wide[run]
    gappy = wide.index[wide.isna().any(axis=1)]
    if len(gappy) == len(wide):
        raise TandemError(
            f"No entity has a coordination degree in every year of {run[0]}-{run[-1]}: see "
            "data_gaps."
        )
    if len(gappy):
        told.append(("Entities", f"Not in every year, so left out: {', '.join(gappy)}."))
    degree = wide.drop(gappy).stack().rename("D").sort_index()
    entities = degree.index.unique("entity")
    rows = [frames[name].loc[degree.index] for name in ("scores", "normalised", "panel")]
    weights = frames["weights"].set_index(["system", "indicator"])["used"]
    near = None if pairs is None else contiguity_weights(pairs, entities)
    seed = np.random.SeedSequence(study.seed, spawn_key=(STREAM,))
    controls = rows[2][list(study.models.controls)]
    return Sample(study, degree, rows[0], rows[1], weights, controls, near, seed), told


def cuts_of(sample: Sample, states: str) -> tuple[tuple[float, ...], tuple[str, ...]]:
    """Cut-offs and labels of the stages, or of the quarters of all values."""
    if states == "stages":
        return sample.study.dynamics.stages, STAGES.labels
    return tuple(quantile_cuts(sample.degree, len(QUARTILES))), QUARTILES


def counts_of(sample: Sample, states: str, given: pd.Series | None = None) -> pd.DataFrame:
    """Moves between states."""
    cuts, labels = cuts_of(sample, states)
    return transition_counts(classify(sample.degree, cuts, labels), labels, given)


def transitions(sample: Sample, states: str) -> dict[str, pd.DataFrame]:
    """Moves and their shares: states, given, from, to, moves, probability.

    A state in which no move starts has moves of 0 and no probability.
    """
    return {"transitions": _tidy(counts_of(sample, states), states, "")}


def _tidy(counts: pd.DataFrame, states: str, given: str) -> pd.DataFrame:
    share = counts.div(counts.sum(axis=1).replace(0, np.nan), axis=0)
    table = pd.DataFrame({"moves": counts.stack(), "probability": share.stack(future_stack=True)})
    table = table.rename_axis(["from", "to"]).reset_index()
    return table.assign(states=states, given=given)[
        ["states", "given", "from", "to", "moves", "probability"]
    ]


def long_run(sample: Sample, states: str) -> dict[str, pd.DataFrame]:
    """Mean first-passage times and ergodic shares: states, from, to, years, share (of to)."""
    chain = transition_probabilities(counts_of(sample, states))
    table = first_passage(chain).stack().rename("years").reset_index()
    table["share"] = table["to"].map(ergodic(chain))
    return {"long_run": table.assign(states=states)[["states", "from", "to", "years", "share"]]}


def over_time(sample: Sample, states: str) -> dict[str, pd.DataFrame]:
    """Whether moves follow the same probabilities in every year: a row of homogeneity."""
    index = sample.degree.index
    given = pd.Series(index.get_level_values("year"), index=index, name="year")
    return _homogeneity(counts_of(sample, states, given), states, "years")


def by_neighbours(sample: Sample, states: str) -> dict[str, pd.DataFrame]:
    """Moves by the state of the neighbours' mean, and whether it matters."""
    cuts, labels = cuts_of(sample, states)
    counts = spatial_markov(sample.degree, neighbours(sample), cuts, labels)
    tables = [_tidy(counts.loc[c], states, c) for c in counts.index.unique(0)]
    return {"transitions": pd.concat(tables)} | _homogeneity(counts, states, "neighbours")


def _homogeneity(counts: pd.DataFrame, states: str, across: str) -> dict[str, pd.DataFrame]:
    row = {"states": states, "across": across, **homogeneity_test(counts)._asdict()}
    return {"homogeneity": pd.DataFrame([row])}


def moves(sample: Sample, shift: float) -> dict[str, pd.DataFrame]:
    """Moves up and down between stages whose cut-offs are all shifted: a row of mobility."""
    cuts = [cut + shift for cut in sample.study.dynamics.stages]
    counts = transition_counts(classify(sample.degree, cuts, STAGES.labels), STAGES.labels)
    row = {"shift": shift, **mobility(counts)._asdict(), "moves": int(counts.to_numpy().sum())}
    return {"mobility": pd.DataFrame([row])}


def angles(sample: Sample) -> dict[str, pd.DataFrame]:
    """Coupling angle with bands and stage: entity, year, degree, angle, low, high, stage, settled.

    settled: both ends of the band lie in the stage of the angle.
    """
    names = list(sample.scores)
    if len(names) != 2:
        raise TandemError(f"The coupling angle is for two systems, not {len(names)}.")
    first, second = (sample.scores[name] for name in names)
    tables = []
    for degree in DEGREES:
        low, high = angle_bands(
            first, second, sample.study.dynamics.draws, sample.stream(2), degree
        )
        table = pd.DataFrame(
            {"angle": dynamic_coupling(first, second, degree), "low": low, "high": high}
        )
        stages = {column: _angle_stage(table[column]) for column in table}
        settled = stages["low"].eq(stages["angle"]) & stages["high"].eq(stages["angle"])
        settled &= high - low < 90
        extra = {"degree": degree, "stage": stages["angle"], "settled": settled}
        tables.append(table.assign(**extra))
    return {"angles": pd.concat(tables)}


def _angle_stage(angle: pd.Series) -> pd.Series:
    turned = 180 - (180 - angle) % 360  # in (-180, 180], as the stages are closed on the right
    return classify(turned, ANGLE_STAGES.cuts, ANGLE_STAGES.labels)


def grey(sample: Sample) -> dict[str, pd.DataFrame]:
    """Grey relational coupling of the entities' mean indicators: by year, and by pair."""
    names = list(sample.scores)
    if len(names) != 2:
        raise TandemError(f"Grey relational coupling is for two systems, not {len(names)}.")
    mean = sample.normalised.groupby(level="year").mean()
    X, Y = (mean[list(sample.weights.loc[name].index)] for name in names)
    _, gamma, coupling = grey_relational(X, Y)
    stage = classify(coupling, GREY_STAGES.cuts, GREY_STAGES.labels)
    gamma = gamma.rename_axis(index="first", columns="second").stack().rename("gamma")
    years = pd.DataFrame({"coupling": coupling, "stage": stage})
    return {"grey": years.reset_index(), "grey_pairs": gamma.reset_index()}


def forecast(sample: Sample) -> dict[str, pd.DataFrame]:
    """GM(1,1) of the mean D beside the benchmarks it must beat.

    Returns
    -------
    dict of DataFrame
        forecasts (model, year, value), forecast_accuracy (a row a model: one year ahead, each year
        from those before it alone), grey_model (a, b, c, p, grade).
    """
    mean = sample.degree.groupby(level="year").mean()
    fit = gm11(mean, AHEAD, limit=1.0)
    accuracy = forecast_accuracy(rolling_errors(mean, first=max(4, len(mean) // 2)))
    values = {name: model(mean, AHEAD) for name, model in FORECASTS.items()}
    ahead = pd.DataFrame(values).rename_axis("year").melt(
        ignore_index=False, var_name="model", value_name="value"
    )  # fmt: skip
    facts = {"a": fit.a, "b": fit.b, **grey_check(mean, fit.fitted)._asdict()}
    return {
        "forecasts": ahead.reset_index()[["model", "year", "value"]],
        "forecast_accuracy": accuracy.rename_axis("model").reset_index(),
        "grey_model": pd.DataFrame([facts]),
    }
