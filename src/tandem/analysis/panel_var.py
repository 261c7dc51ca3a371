"""Step: the panel VARs of the systems' scores, Granger both ways, impulse responses, FEVD."""

import pandas as pd

from tandem import estimates
from tandem.econometrics import PanelVAR, select_lags
from tandem.errors import TandemError
from tandem.study import Study


def fit_panel_vars(study: Study, scores: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Every panel VAR of the study; responses and decompositions of the first.

    Parameters
    ----------
    scores : DataFrame (entity-years, systems)

    Returns
    -------
    dict of DataFrame
        terms, models; granger (model, cause, effect, statistic, df, p_value); irf (order, impulse,
        response, horizon, estimate, pointwise and joint bands) for both Cholesky orders; fevd
        (order, response, impulse, horizon, share and its band), empty if the fit is not stable;
        diagnostics (model, equation, tests of the residuals); roots (model, real, imaginary,
        modulus); lag_choice (lags, criteria), empty where the years allow one lag only; cautions
        (model, caution): entities dropped, too many instruments, a singular weight, no stability.
    """
    block = study.models.panel_var
    fits = {}
    for name, spec in block.models.items():
        model = PanelVAR(
            scores,
            lags=block.lags,
            transform=spec.transform,
            instrument_lags=block.instrument_lags,
            collapse=block.collapse,
            time_effects=block.time_effects,
        )
        fits[name] = model.fit(steps=spec.steps)
    years = scores.dropna().index.get_level_values("year")
    terms, models = estimates.stack(_records(n, fit, block, years) for n, fit in fits.items())
    granger = pd.concat([f.granger.reset_index().assign(model=n) for n, f in fits.items()])
    granger = granger.rename(columns={"stat": "statistic", "pval": "p_value"})
    if len(study.systems) == 2:  # "all" others is then the one other system
        granger = granger[granger["cause"] != "all"]
    irf, fevd = _responses(study, next(iter(fits.values())))
    tests = pd.concat([f.diagnostics.reset_index().assign(model=n) for n, f in fits.items()])
    roots = pd.concat(
        [
            pd.DataFrame({"real": f.roots.real, "imaginary": f.roots.imag, "modulus": f.moduli})
            .assign(model=name)
            .reset_index(drop=True)
            for name, f in fits.items()
        ]
    )
    return {
        "terms": terms,
        "models": models,
        "granger": granger,
        "irf": irf,
        "fevd": fevd,
        "diagnostics": tests,
        "roots": roots,
        "lag_choice": _lag_choice(block, scores),
        "cautions": pd.DataFrame(
            [(name, text) for name, fit in fits.items() for text in fit.cautions],
            columns=["model", "caution"],
        ),
    }


def _lag_choice(block, scores: pd.DataFrame) -> pd.DataFrame:
    """Criteria of the first model for one lag more than it has, and fewer."""
    first = next(iter(block.models.values()))
    try:
        return select_lags(
            scores,
            block.lags + 1,
            first.transform,
            block.instrument_lags,
            block.collapse,
            time_effects=block.time_effects,
        ).reset_index()
    except TandemError:  # too few years for another lag: the table is empty
        columns = ["lags", "bic", "aic", "hqic", "j", "df", "pval", "cd", "max_modulus", "n_obs"]
        return pd.DataFrame(columns=columns)


def _records(name: str, fit, block, years: pd.Index) -> estimates.Records:
    """Terms and facts of one fit; year dummies stay out of tables. Years: of the complete rows."""
    spec = block.models[name]
    words = "Windmeijer (2005)" if spec.steps == 2 else "robust, one-step"
    instruments = f"{block.instrument_lags[0]} to {block.instrument_lags[1]}"
    return estimates.from_panel_var(
        fit,
        "panel_var",
        name,
        words,
        transform=spec.transform.upper(),
        steps=spec.steps,
        collapse=block.collapse,
        instrument_lags=instruments,
        entity_effects=True,
        time_effects=block.time_effects,
        n_clusters=fit.n_entities,
        first_year=years.min() + block.lags,
        last_year=years.max(),
    )


def _responses(study: Study, fit) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Orthogonal responses in the study's order of systems and in the reverse."""
    block, names = study.models.panel_var, list(study.systems)
    irfs, fevds = [], []
    for stream, order in enumerate((names, names[::-1])):
        seed = [study.seed, stream]
        irf = fit.irf(block.horizon, order=order, bands="bootstrap", draws=block.draws, seed=seed)
        label = f"order: {', '.join(order)}"
        irfs.append(irf.table.assign(order=label))
        if fit.stable:
            fevds.append(irf.fevd().assign(order=label))
    columns = ["response", "impulse", "horizon", "share", "order"]
    return pd.concat(irfs), pd.concat(fevds) if fevds else pd.DataFrame(columns=columns)
