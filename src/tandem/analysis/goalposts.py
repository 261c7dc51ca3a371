"""Goalposts and weights of a study: fitted once, kept in a file beside it, held while data grow."""

import numpy as np
import pandas as pd

from tandem.errors import TandemError
from tandem.indices import goalposts, normalise
from tandem.indices.weights import METHODS
from tandem.panel.formula import names_in
from tandem.study import Study

DEFINITION = ["system", "indicator", "formula", "direction", "method"]


def fit_goalposts(study: Study, panel: pd.DataFrame) -> pd.DataFrame:
    """Pooled goalposts and weights of the study's indicators from the present figures.

    Parameters
    ----------
    panel : DataFrame (entity-years, derived series)

    Returns
    -------
    DataFrame
        Columns system, indicator, formula, direction, method (of the weights), minimum, maximum,
        weight, fitted (years and entities); a constant indicator has weight 0.

    Raises
    ------
    TandemError
        If no entity has all indicators of a system in any year, or two systems share an indicator.
    """
    listed = pd.Series([i for system in study.systems.values() for i in system.indicators])
    if (shared := listed[listed.duplicated()]).size:
        raise TandemError(
            f"'{shared.iloc[0]}' is an indicator of two systems, so that their link would be made "
            "of it; take it out of one of them."
        )
    parts = []
    for name, system in study.systems.items():
        x = panel[list(system.indicators)]
        complete = complete_rows(study, name, panel)
        posts = goalposts(x, dict(system.indicators))
        weights = METHODS[study.coupling.weights](normalise(x, posts).dropna())
        years = complete.index.get_level_values("year")
        entities = complete.index.get_level_values("entity").nunique()
        rows = {
            "system": name,
            "indicator": list(x),
            "formula": [study.series[i].formula for i in x],
            "direction": [system.indicators[i] for i in x],
            "method": study.coupling.weights,
            "minimum": x.min().to_numpy(),
            "maximum": x.max().to_numpy(),
            "weight": pd.Series(weights, index=posts.index).reindex(x.columns).fillna(0).to_numpy(),
            "fitted": f"{years.min()}-{years.max()}, {entities} "
            + ("entity" if entities == 1 else "entities"),
        }
        parts.append(pd.DataFrame(rows))
    return pd.concat(parts, ignore_index=True)


def complete_rows(study: Study, system: str, panel: pd.DataFrame) -> pd.DataFrame:
    """Entity-years with every indicator of a system.

    Raises
    ------
    TandemError
        If there are none, naming the scarcest indicator and the tables it needs.
    """
    x = panel[list(study.systems[system].indicators)]
    complete = x.dropna()
    if complete.empty:
        scarce = x.notna().sum().sort_values()
        years = x.index.get_level_values("year")
        raise TandemError(
            f"No entity has all indicators of the system '{system}' in any year "
            f"{years.min()}-{years.max()}; "
            f"'{scarce.index[0]}' has {scarce.iloc[0]} of {len(x)} values: look at the "
            f"tables of {', '.join(names_in(study.series[scarce.index[0]].formula))}."
        )
    return complete


def refuse_stale(study: Study, stored: pd.DataFrame, file: str) -> None:
    """Stop if stored goalposts were fitted to other indicators than the study now names.

    Raises
    ------
    TandemError
        Naming the first difference and what to do.
    """
    now = {
        (name, i): (study.series[i].formula, direction, study.coupling.weights)
        for name, system in study.systems.items()
        for i, direction in system.indicators.items()
    }
    then = {(r.system, r.indicator): (r.formula, r.direction, r.method) for r in _rows(stored)}
    for system, indicator in [*now, *then]:
        key = (system, indicator)
        if now.get(key) != then.get(key):
            what = (
                "is new in the study" if key not in then
                else "is gone from the study" if key not in now
                else "has another formula, direction or weighting in the study"
            )  # fmt: skip
            raise TandemError(
                f"{file} holds goalposts and weights for other indicators: '{indicator}' of "
                f"{system} {what}; delete the file to fit them anew."
            )


def _rows(stored: pd.DataFrame):
    return stored[DEFINITION].itertuples(index=False)


def clipped(panel: pd.DataFrame, posts: pd.DataFrame) -> pd.DataFrame:
    """Values outside the goalposts, which the scores count as lying on them.

    Returns
    -------
    DataFrame
        Columns entity, year, system, indicator, value, minimum, maximum.
    """
    wide = panel[list(posts["indicator"])]
    low, high = (posts.set_index("indicator")[c] for c in ("minimum", "maximum"))
    values = wide.where((wide < low) | (wide > high)).rename_axis(columns="indicator")
    long = values.stack().dropna().rename("value").reset_index()
    columns = ["system", "indicator", "minimum", "maximum"]
    found = long.merge(posts[columns], on="indicator").sort_values(["indicator", "entity", "year"])
    return found[["entity", "year", "system", "indicator", "value", "minimum", "maximum"]]


def moved(fixed: pd.Series, refit: pd.Series) -> pd.DataFrame:
    """How far every degree moves when goalposts and weights are fitted anew.

    Parameters
    ----------
    fixed, refit : Series (entity-years)

    Returns
    -------
    DataFrame
        Columns entity, year, fixed, refit, moved (refit less fixed).
    """
    both = pd.DataFrame({"fixed": fixed, "refit": refit}).dropna()
    return both.assign(moved=np.subtract(both["refit"], both["fixed"])).reset_index()
