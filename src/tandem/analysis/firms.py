"""Step: a panel of any size (panel.scope: table), from its sorted file to records."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from tandem import estimates
from tandem.analysis.two_way import directions
from tandem.econometrics.panel_var_chunks import panel_var_in_chunks
from tandem.econometrics.transforms import lag
from tandem.econometrics.within_chunks import describe_in_chunks, within_in_chunks
from tandem.panel.table import cubes, extent
from tandem.study import Regression, Study

Said = Callable[[str, float], None]


def fit_firms(
    study: Study, file: str | Path, threads: int = 1, said: Said = lambda *_: None
) -> dict[str, pd.DataFrame]:
    """Describe the panel, regress each system on the other's past, fit the panel VARs.

    Parameters
    ----------
    file : file
        From `tandem.panel.table.write_panel`.
    said : function
        Told what is being read and the share that is done, from 0 to 1.

    Returns
    -------
    dict of DataFrame
        terms, models (the tables of regressions are named after the effect, that of the panel VARs
        panel_var), describe (variable and the columns of `describe_panel`), granger (model, cause,
        effect, stat, df, pval).
    """
    n, *years = extent(file)

    def read(columns: list[str], name: str) -> Iterator[np.ndarray]:
        done = 0
        for cube in cubes(file, columns, study.panel.table.chunk, threads):
            yield cube
            done += len(cube)
            said(name, done / n)

    systems, controls = list(study.systems), [k for k in study.used_series]
    names = [*systems, *controls]
    described = describe_in_chunks(lambda: read(names, "description"), names)
    records = []
    for cause, effect in directions(study):
        for key, spec in study.models.regressions.items():
            used = [effect, cause, *(study.models.controls if spec.controls else []), *spec.add]
            records.append(_regression(key, spec, used, lambda u=used, k=key: read(u, k), years))
    granger = []
    block = study.models.panel_var
    for key, spec in (block.models if block else {}).items():
        fit = panel_var_in_chunks(
            lambda k=key: read(systems, k),
            systems,
            block.lags,
            spec.transform,
            block.instrument_lags,
            block.collapse,
            block.time_effects,
            spec.steps,
        )
        words = "Windmeijer (2005)" if spec.steps == 2 else "robust, one-step"
        facts = {"transform": spec.transform.upper(), "steps": spec.steps}
        facts |= {"collapse": block.collapse, "year_effects": block.time_effects}
        facts |= {"instrument_lags": "{} to {}".format(*block.instrument_lags)}
        records.append(estimates.from_panel_var(fit, "panel_var", key, words, **facts))
        granger.append(fit.granger.reset_index().assign(model=key))
    terms, models = estimates.stack(records)
    found = {"terms": terms, "models": models, "describe": described.reset_index()}
    columns = ["cause", "effect", "stat", "df", "pval", "model"]
    return found | {"granger": pd.concat(granger) if granger else pd.DataFrame(columns=columns)}


def _regression(key: str, spec: Regression, used: list[str], read, years) -> estimates.Records:
    """Records of one regression; `used` are effect, cause and controls."""
    effect, cause, *controls = used
    regressors = [f"L{j}.{cause}" for j in range(1, spec.lags + 1)]
    regressors += [f"L{j}.{effect}" for j in range(1, spec.own_lags + 1)]

    def design() -> Iterator[np.ndarray]:
        for cube in read():
            past = [lag(cube[:, 1], j)[:, None] for j in range(1, spec.lags + 1)]
            past += [lag(cube[:, 0], j)[:, None] for j in range(1, spec.own_lags + 1)]
            yield np.concatenate([cube[:, :1], *past, cube[:, 2:]], axis=1)

    fit = within_in_chunks(design, [*regressors, *controls], spec.effects)
    return estimates.from_chunks(fit, effect, key, spec.effects, years)
