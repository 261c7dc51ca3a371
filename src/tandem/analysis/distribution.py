"""How the coordination degree is spread: over entities, groups, neighbours and indicators."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from tandem.econometrics.convergence import beta_convergence, sigma_convergence
from tandem.errors import TandemError
from tandem.indices import dagum, kernel_density, local_moran, moran_test, theil_decomposition
from tandem.indices.distribution import obstacle
from tandem.study import Study


class Sample(NamedTuple):
    """What every part reads: entities and years without a gap.

    Attributes
    ----------
    study : Study
    degree : Series (entity-years,)
        Coordination degree of the study's model, named D.
    scores : DataFrame (entity-years, systems)
    normalised : DataFrame (entity-years, indicators)
    weights : Series indexed (system, indicator)
        Weights that made the scores; they add to 1 in a system.
    controls : DataFrame (entity-years, k)
    neighbours : DataFrame (n, n) or None
        Binary spatial weights.
    seed : numpy.random.SeedSequence
    """

    study: Study
    degree: pd.Series
    scores: pd.DataFrame
    normalised: pd.DataFrame
    weights: pd.Series
    controls: pd.DataFrame
    neighbours: pd.DataFrame | None
    seed: np.random.SeedSequence

    def stream(self, number: int) -> int:
        """Seed of one part, independent of all others."""
        return int(self.seed.generate_state(number + 1)[number])


def density(sample: Sample) -> dict[str, pd.DataFrame]:
    """Kernel density of D by year: year, score, density, bandwidth."""
    found = kernel_density(sample.degree, points=101)
    table = found.density.melt(ignore_index=False, value_name="density").reset_index()
    table["bandwidth"] = table["year"].map(found.bandwidth)
    return {"density": table[["year", "score", "density", "bandwidth"]]}


def inequality(sample: Sample) -> dict[str, pd.DataFrame]:
    """Gini (Dagum) and Theil by year and part: year, measure, part, value.

    Raises
    ------
    TandemError
        If the study names no groups.
    """
    of = {e: group for group, members in sample.study.panel.groups.items() for e in members}
    if not of:
        raise TandemError("The study names no groups of entities (panel.groups).")
    rows = []
    for year, values in sample.degree.groupby(level="year"):
        values = values.droplevel("year").sort_index()
        groups = [v for _, v in values.groupby(lambda entity: of.get(entity, entity))]
        for measure, parts in (("gini", dagum(groups)), ("theil", theil_decomposition(groups))):
            rows += [(year, measure, part, value) for part, value in parts._asdict().items()]
    return {"inequality": pd.DataFrame(rows, columns=["year", "measure", "part", "value"])}


def sigma(sample: Sample) -> dict[str, pd.DataFrame]:
    """Dispersion of D by year: year, mean, std, cv, n."""
    return {"sigma": sigma_convergence(sample.degree).reset_index()}


def beta(sample: Sample) -> dict[str, pd.DataFrame]:
    """Growth of D on its level, absolute and conditional, one row a model."""
    controls = sample.controls if sample.controls.shape[1] else None
    models = {
        "absolute": (None, "none"),
        "conditional: controls": (controls, "none"),
        "conditional: entity effects": (None, "entity"),
        "conditional: entity and year effects": (None, "two-way"),
        "conditional: effects and controls": (controls, "two-way"),
    }
    if controls is None:
        models = {k: v for k, v in models.items() if "controls" not in k}
    rows = []
    for name, (some, effects) in models.items():
        fit = beta_convergence(sample.degree, some, effects)
        row = {k: v for k, v in fit._asdict().items() if k not in ("result", "facts")}
        rows.append({"model": name, **row, "n_obs": int(fit.result.nobs)})
    return {"beta": pd.DataFrame(rows)}


def spatial(sample: Sample) -> dict[str, pd.DataFrame]:
    """Global and local Moran of D: moran (a row a year), local_moran (a row an entity-year)."""
    weights, draws = neighbours(sample), sample.study.dynamics.draws
    degree = sample.degree
    return {
        "moran": moran_test(degree, weights, draws, sample.stream(0)).reset_index(),
        "local_moran": local_moran(degree, weights, draws, sample.stream(1)),
    }


def neighbours(sample: Sample) -> pd.DataFrame:
    """Row-standardised spatial weights.

    Raises
    ------
    TandemError
        If the study names no table of neighbours.
    """
    if sample.neighbours is None:
        raise TandemError("The study names no table of neighbours (dynamics.neighbours).")
    return sample.neighbours.div(sample.neighbours.sum(axis=1), axis=0)


def obstacles(sample: Sample) -> dict[str, pd.DataFrame]:
    """Share of each indicator in the distance of T to 1: entity, year, system, indicator, share."""
    names = list(sample.study.systems)
    shares = sample.study.coupling.shares or [1 / len(names)] * len(names)
    weights = sample.weights * sample.weights.index.get_level_values("system").map(
        dict(zip(names, shares, strict=True))
    )
    z = sample.normalised[weights.index.get_level_values("indicator")]
    found = obstacle(z.set_axis(weights.index, axis=1), weights)
    long = found.stack(["system", "indicator"], future_stack=True).rename("share")
    return {"obstacles": long.reset_index(["system", "indicator"])}
