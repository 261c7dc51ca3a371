"""Step: panel -> goalposts, weights, scores, coupling and structure indices."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from tandem.analysis.goalposts import (
    clipped,
    complete_rows,
    fit_goalposts,
    moved,
    refuse_stale,
)
from tandem.indices import coupling_table, normalise, structure_table
from tandem.indices.null import circular_shift_null, permutation_null
from tandem.indices.weights import entropy, weight_table
from tandem.study import Study

NULL = ["observed", "percentile", "null_mean", "null_p5", "null_p95"]


def score_systems(
    study: Study, panel: pd.DataFrame, posts: pd.DataFrame | None = None
) -> dict[str, pd.DataFrame]:
    """Scores of the systems, with the goalposts and weights that made them.

    Parameters
    ----------
    panel : DataFrame (entity-years, derived series)
    posts : DataFrame, optional
        Goalposts and weights to hold to, from `fit_goalposts`; fitted to the panel if not given.

    Returns
    -------
    dict of DataFrame
        goalposts (posts), weights (system, indicator, entropy_value, one column a method on the
        present figures, used), normalised, scores (one column a system; NaN where an indicator is
        missing), clipped (values outside the goalposts).
    """
    posts = fit_goalposts(study, panel) if posts is None else posts
    weights, normalised, scores = [], {}, {}
    for name, mine in posts.groupby("system", sort=False):
        mine = mine.set_index("indicator")
        varies = mine[mine["minimum"] < mine["maximum"]]
        z = normalise(panel[list(varies.index)], varies.assign(optimum=np.nan))
        complete = z.loc[complete_rows(study, name, panel).index]
        table = weight_table(complete)
        table.insert(0, "entropy_value", pd.Series(entropy(complete)))
        table["used"] = varies["weight"]
        scores[name] = (z * varies["weight"]).sum(axis=1, skipna=False)
        normalised.update({c: z[c] for c in z})
        weights.append(table.rename_axis("indicator").reset_index().assign(system=name))
    order = ["system", "indicator"]
    return {
        "goalposts": posts,
        "weights": pd.concat(weights)[lambda d: [*order, *(c for c in d if c not in order)]],
        "normalised": pd.DataFrame(normalised),
        "scores": pd.DataFrame(scores),
        "clipped": clipped(panel, posts),
    }


def index_study(
    study: Study,
    panel: pd.DataFrame,
    published: pd.DataFrame,
    stored: tuple[str, pd.DataFrame] | None = None,
) -> dict[str, pd.DataFrame]:
    """All indices of a study.

    Parameters
    ----------
    panel, published : DataFrame
        From `tandem.analysis.panel.make_panel`.
    stored : (str, DataFrame), optional
        File and content of the goalposts kept beside the study.

    Returns
    -------
    dict of DataFrame
        Those of `score_systems` and `couple`, structure, and moved: how far each degree moves by
        fitting anew (empty unless the study refits and has stored goalposts).

    Raises
    ------
    TandemError
        If the stored goalposts are those of other indicators.
    """
    fixed = study.coupling.goalposts == "fixed"
    if fixed and stored:
        refuse_stale(study, stored[1], stored[0])
    frames = score_systems(study, panel, stored[1] if fixed and stored else None)
    frames |= couple(study, frames["scores"]) | {"structure": structure(study, published)}
    degree, old = f"D_{study.coupling.model}", frames["coupling"].iloc[:0]
    if stored and not fixed:
        refuse_stale(study, stored[1], stored[0])
        before = score_systems(study, panel, stored[1])["scores"]
        old = coupling_table(before, study.coupling.shares, study.coupling.model)
    return frames | {"moved": moved(old[degree], frames["coupling"][degree])}


def couple(study: Study, scores: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Coupling and coordination of the scores, and what chance alone would give.

    Returns
    -------
    dict of DataFrame
        coupling (see `tandem.indices.coupling_table`), null (a row for C and one for D: observed
        mean, its percentile among 999 permutations of the second system within years, and their
        mean, 5 and 95 %; empty for one entity), null_shift (the same with the second system moved
        round the years of each entity; empty for one year).
    """
    table = coupling_table(scores, study.coupling.shares, study.coupling.model)
    complete = scores.dropna()
    entities, years = (complete.index.get_level_values(k) for k in ("entity", "year"))
    return {
        "coupling": table,
        "null": _null(permutation_null, complete, study.seed, years.has_duplicates),
        "null_shift": _null(circular_shift_null, complete, study.seed, entities.has_duplicates),
    }


def _null(
    test: Callable[..., dict], scores: pd.DataFrame, seed: int, possible: bool
) -> pd.DataFrame:
    """A row for C and one for D of a test against chance; none if there is nothing to exchange."""
    found = test(scores, draws=999, seed=seed) if possible else {}
    rows = [[s, *(found[f"{s}_{column}"] for column in NULL)] for s in ("C", "D") if found]
    return pd.DataFrame(rows, columns=["statistic", *NULL])


def structure(study: Study, published: pd.DataFrame) -> pd.DataFrame:
    """Structure indices from value added (and, where published, employment) of three industries.

    Empty if the study names no value added.
    """
    if not study.structure:
        return pd.DataFrame(index=published.index[:0])
    names = ["primary", "secondary", "tertiary"]
    va = published[study.structure].set_axis(names, axis=1)
    work = published[study.employment].set_axis(names, axis=1) if study.employment else None
    return structure_table(va, employment=work)
