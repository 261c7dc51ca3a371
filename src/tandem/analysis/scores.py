"""Step: panel -> goalposts, weights, scores, coupling and structure indices."""

import pandas as pd

from tandem.errors import TandemError
from tandem.indices import coupling_table, goalposts, normalise, structure_table
from tandem.indices.null import permutation_null
from tandem.indices.weights import METHODS, entropy
from tandem.panel.formula import names_in
from tandem.study import Study

NULL = ["observed", "percentile", "null_mean", "null_p5", "null_p95"]


def score_systems(study: Study, panel: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Scores of the systems, with the goalposts and weights that made them.

    Parameters
    ----------
    panel : DataFrame (entity-years, derived series)

    Returns
    -------
    dict of DataFrame
        goalposts (system, indicator, direction, minimum, maximum), weights (system, indicator,
        entropy, one column a method, chosen marked), normalised, scores (one column a system; NaN
        where an indicator is missing).
    """
    posts, weights, normalised, scores = [], [], {}, {}
    for name, system in study.systems.items():
        x = panel[list(system.indicators)]
        complete = x.dropna()
        if complete.empty:
            scarce = x.notna().sum().sort_values()
            first, last = study.panel.years
            raise TandemError(
                f"No entity has all indicators of the system '{name}' in any year {first}-{last}; "
                f"'{scarce.index[0]}' has {scarce.iloc[0]} of {len(x)} values: look at the "
                f"tables of {', '.join(names_in(study.series[scarce.index[0]].formula))}."
            )
        post = goalposts(x, dict(system.indicators))
        z = normalise(x, post)
        table = pd.DataFrame({m: pd.Series(w(z.dropna())) for m, w in METHODS.items()})
        table.insert(0, "entropy_value", pd.Series(entropy(z.dropna())))
        weight = table[study.coupling.weights]
        scores[name] = (z * weight).sum(axis=1, skipna=False)
        normalised.update({c: z[c] for c in z})
        posts.append(post.rename_axis("indicator").reset_index().assign(system=name))
        weights.append(table.rename_axis("indicator").reset_index().assign(system=name))
    order = ["system", "indicator"]
    return {
        "goalposts": pd.concat(posts)[lambda d: [*order, *(c for c in d if c not in order)]],
        "weights": pd.concat(weights)[lambda d: [*order, *(c for c in d if c not in order)]],
        "normalised": pd.DataFrame(normalised),
        "scores": pd.DataFrame(scores),
    }


def couple(study: Study, scores: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Coupling and coordination of the scores, and what chance alone would give.

    Returns
    -------
    dict of DataFrame
        coupling (see `tandem.indices.coupling_table`), null (a row for C and one for D: observed
        mean, its percentile among 999 permutations of the second system within years, and their
        mean, 5 and 95 %; empty for one entity).
    """
    table = coupling_table(scores, study.coupling.shares, study.coupling.model)
    null = pd.DataFrame(columns=["statistic", *NULL])
    complete = scores.dropna()
    if complete.index.get_level_values("entity").nunique() > 1:
        found = permutation_null(complete, draws=999, seed=study.seed)
        rows = [[s, *(found[f"{s}_{column}"] for column in NULL)] for s in ("C", "D")]
        null = pd.DataFrame(rows, columns=null.columns)
    return {"coupling": table, "null": null}


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
