"""Step: the specification curve of each direction, its specifications shared out among jobs.

A specification's estimates depend on the study's seed and on itself alone, so the number of jobs
changes nothing (`run_curve`, `gather_curve`).
"""

import numpy as np
import pandas as pd

from tandem.analysis.two_way import directions
from tandem.econometrics import estimate_specifications, join_curve, specifications
from tandem.errors import TandemError
from tandem.study import Study

STREAM = 7, 1  # spawn key of the permutations
PLACE = "place"  # of a specification: directions one after the other


def run_curve(
    study: Study, panel: pd.DataFrame, normalised: pd.DataFrame, weights: pd.DataFrame, chunk: int
) -> tuple[pd.DataFrame, np.ndarray]:
    """One job's share of the specifications.

    Parameters
    ----------
    panel, normalised : DataFrame (entity-years, series)
    weights : DataFrame
        A column a method of weighting, from the step of the indices.
    chunk : int
        From 0 to the curve's number of chunks less 1.

    Returns
    -------
    DataFrame
        place, and the columns of `estimate_specifications`.
    array (specifications, draws)
    """
    spec, pairs = study.models.verdict.curve, directions(study)
    specs, windows = plan_curve(study, normalised.index)
    measures = {w: _scores(normalised, weights, w) for w in spec.weights}
    controls = {"without": None, "with": panel[list(study.models.controls)]}
    seeds = np.random.SeedSequence(study.seed, spawn_key=STREAM).spawn(len(pairs))
    # dealt out in twos: neighbours share their moments, and kinds of estimators take unlike times
    mine = np.arange(len(pairs) * len(specs)) // 2 % spec.chunks == chunk
    tables, drawn = [], []
    for d, ((cause, effect), seed) in enumerate(zip(pairs, seeds, strict=True)):
        here = specs[mine[d * len(specs) : (d + 1) * len(specs)]]
        table, b = estimate_specifications(
            here, measures, windows, controls, cause, effect, spec.draws, seed
        )
        tables.append(table.set_index(table.index + d * len(specs)))
        drawn.append(b)
    return pd.concat(tables).rename_axis(PLACE).reset_index(), np.concatenate(drawn)


def gather_curve(
    study: Study, rows: pd.MultiIndex, chunks: list[tuple[pd.DataFrame, np.ndarray]]
) -> dict[str, pd.DataFrame]:
    """The curves, whatever the number of jobs.

    Parameters
    ----------
    rows : MultiIndex (entity, year)
        Of the scores.
    chunks : list of (DataFrame, array)
        From `run_curve`, in any order.

    Returns
    -------
    dict of DataFrame
        curve, curve_summary, curve_permuted, each with the column direction.

    Raises
    ------
    TandemError
        If the chunks do not hold every specification once.
    """
    specs, _ = plan_curve(study, rows)
    pairs = directions(study)
    table = pd.concat([t for t, _ in chunks if len(t)]).set_index(PLACE)
    order = np.argsort(table.index, kind="stable")
    table, drawn = table.iloc[order], np.concatenate([d for _, d in chunks])[order]
    wanted = len(pairs) * len(specs)
    if not np.array_equal(table.index, np.arange(wanted)):
        raise TandemError(
            f"There are {table.index.nunique()} of {wanted} specifications: run the missing chunks."
        )
    table["why"] = table["why"].astype(object).fillna("")  # empty in a file
    found = {"curve": [], "curve_summary": [], "curve_permuted": []}
    for d, (cause, effect) in enumerate(pairs):
        here = slice(d * len(specs), (d + 1) * len(specs))
        curve = join_curve(specs, table.iloc[here].reset_index(drop=True), drawn[here])
        name = f"{cause} → {effect}"
        found["curve"].append(curve.table.assign(direction=name))
        found["curve_summary"].append(curve.summary.to_frame().T.assign(direction=name))
        found["curve_permuted"].append(curve.drawn.assign(direction=name))
    return {k: pd.concat(v, ignore_index=True) for k, v in found.items()}


def plan_curve(study: Study, rows: pd.MultiIndex) -> tuple[pd.DataFrame, dict]:
    """The specifications of each direction, and first and last year of each window.

    Parameters
    ----------
    rows : MultiIndex (entity, year)
    """
    spec, years = study.models.verdict.curve, rows.get_level_values("year")
    pairs = spec.windows or [(int(years.min()), int(years.max()))]
    windows = {f"{first}-{last}": (first, last) for first, last in pairs}
    shown = ["with" if c else "without" for c in spec.controls]
    if not study.models.controls:
        shown = ["without"]
    choices = [
        block.model_dump() if block is not None else {} for block in (spec.least_squares, spec.gmm)
    ]
    shown = list(dict.fromkeys(shown))
    return specifications(list(spec.weights), list(windows), shown, *choices), windows


def _scores(normalised: pd.DataFrame, weights: pd.DataFrame, method: str) -> pd.DataFrame:
    """Scores of all systems under one method of weighting."""
    found = {}
    for system, mine in weights.groupby("system", sort=False):
        w = mine.set_index("indicator")[method].dropna()
        found[system] = (normalised[list(w.index)] * w).sum(axis=1, skipna=False)
    return pd.DataFrame(found)
