"""Spatial panel models by maximum likelihood: lag (SAR), error (SEM) and Durbin (SDM).

Effects are taken out by orthonormal transformations over years and entities, after which the
errors are as independent as before, so the likelihood is that of T - 1 cross-sections and needs no
correction for the effects (Lee & Yu 2010, Journal of Econometrics 154, 165-185). Point estimates of
the slopes are those of the usual demeaning; standard errors count the years that effects take.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import brentq

from tandem.econometrics.chi_square import chi_square
from tandem.econometrics.coefficient_table import coefficient_table
from tandem.econometrics.complete_rows import complete_rows, require_balanced
from tandem.econometrics.maketables import ForMaketables
from tandem.errors import TandemError

MODELS = {"sar": "spatial lag", "sem": "spatial error", "sdm": "spatial Durbin"}
EFFECTS = ("none", "entity", "two-way")
GRID = 100  # values of the spatial coefficient among which the likelihood's top is first looked for


@dataclass(frozen=True, eq=False)
class SpatialPanel(ForMaketables):
    """A fitted spatial panel model.

    Attributes
    ----------
    terms : DataFrame
        Slopes, in the Durbin model also of the neighbours' regressors ("W x"), and "rho" (of the
        neighbours' y) or "lambda" (of their errors): estimate, std_error, statistic, p_value,
        conf_low, conf_high.
    impacts : DataFrame or None
        Index effect (direct, indirect, total), term: the same columns. Means over entities of what
        a unit of the regressor does at home, elsewhere, and in sum; by the delta method. None for
        the error model, where slopes are direct effects and neighbours have none.
    log_likelihood : float
    facts : dict
        Statistics of the model, as `models.csv` takes them.
    """

    terms: pd.DataFrame
    impacts: pd.DataFrame | None
    log_likelihood: float
    facts: dict

    @property
    def statistics(self) -> dict:
        """Facts and log likelihood under flat names."""
        return self.facts | {"log_likelihood": self.log_likelihood}

    @property
    def summary(self) -> str:
        """Everything in plain text."""
        parts = [self.terms] if self.impacts is None else [self.terms, self.impacts]
        lines = [part.to_string(float_format="%.5g") for part in parts]
        return "\n\n".join([*lines, "\n".join(f"{k}  {v}" for k, v in self.statistics.items())])


@dataclass(frozen=True)
class _Sample:
    """Transformed y (t, n), x (t, n, k), w (n, n) with its roots; the weights as they came."""

    y: np.ndarray
    x: np.ndarray
    w: np.ndarray
    roots: np.ndarray
    names: list[str]
    whole: np.ndarray
    facts: dict

    def lagged(self, z: np.ndarray) -> np.ndarray:
        return np.einsum("ij,tj...->ti...", self.w, z)


def spatial_panel(
    y: pd.Series,
    x: pd.DataFrame,
    W: pd.DataFrame,
    model: str = "sar",
    effects: str = "two-way",
    level: float = 0.95,
) -> SpatialPanel:
    """Fit a spatial panel model.

    ``y_t = rho W y_t + x_t b [+ W x_t theta] + effects + e_t`` (sar, sdm) or
    ``y_t = x_t b + effects + u_t, u_t = lambda W u_t + e_t`` (sem), e normal and independent.

    Parameters
    ----------
    y : Series (entity-years,)
    x : DataFrame (entity-years, k)
        Without a constant. Every entity in every year, once incomplete rows are dropped (counted).
    W : DataFrame (entities, entities)
        Weights, matched by name; rows that sum to 1 (`tandem.indices.row_standardise`).
    model : {"sar", "sem", "sdm"}
    effects : {"none", "entity", "two-way"}
    level : float
        Coverage of the intervals, from the normal distribution.

    Raises
    ------
    TandemError
        A gap, weights that lack an entity or whose rows do not sum to 1, collinear regressors, too
        few rows, an unknown model or effects.

    References
    ----------
    Lee & Yu (2010); Elhorst (2014), Spatial Econometrics, sections 3.3 and 2.7 (direct and indirect
    effects: LeSage & Pace 2009); information matrix: Anselin (1988), section 6.2 (from memory).
    """
    if model not in MODELS:
        raise TandemError(f"Models are {', '.join(MODELS)}; '{model}' is none of them.")
    s = _sample(y, x, W, effects)
    return _fit(s, model, level)


def _sample(y: pd.Series, x: pd.DataFrame, W: pd.DataFrame, effects: str) -> _Sample:
    if effects not in EFFECTS:
        raise TandemError(f"Effects are {', '.join(EFFECTS)}; '{effects}' is none of them.")
    rows, n_dropped = complete_rows(y, x)
    require_balanced(rows)
    entities = rows.index.get_level_values(0).unique()
    whole = _weights(W, entities)
    n, t = len(entities), len(rows) // len(entities)
    cube = rows.to_numpy(float).reshape(n, t, -1).transpose(1, 0, 2)
    names = list(map(str, x.columns))
    w = whole
    if effects == "none":
        cube, names = np.concatenate([cube, np.ones((t, n, 1))], axis=2), [*names, "const"]
    else:
        cube = np.einsum("st,tnk->snk", _contrasts(t), cube)
    if effects == "two-way":
        f = _contrasts(n)
        cube, w = np.einsum("mn,tnk->tmk", f, cube), f @ whole @ f.T
    facts = {"n_obs": n * t, "n_entities": n, "n_years": t, "n_dropped": n_dropped}
    facts["dependent"] = str(y.name)
    facts |= {"entity_effects": effects != "none", "time_effects": effects == "two-way"}
    roots = np.linalg.eigvals(w)
    return _Sample(cube[:, :, 0], cube[:, :, 1:], w, roots, names, whole, facts)


def _contrasts(n: int) -> np.ndarray:
    """Orthonormal rows (n - 1, n), each summing to zero: forward orthogonal deviations."""
    left = np.arange(n - 1, 0, -1.0)
    upper = -np.triu(np.ones((n - 1, n)), 1) / left[:, None]
    upper[np.arange(n - 1), np.arange(n - 1)] = 1.0
    return upper * np.sqrt(left / (left + 1))[:, None]


def _weights(W: pd.DataFrame, entities: pd.Index) -> np.ndarray:
    absent = entities.difference(W.index.intersection(W.columns))
    if len(absent):
        raise TandemError(
            f"The weights have no row and column for {absent[0]}; add its neighbours."
        )
    w = W.loc[entities, entities].to_numpy(float)
    if not np.isfinite(w).all() or (np.diag(w) != 0).any():
        raise TandemError("Weights are finite, with zeros on the diagonal.")
    sums = w.sum(axis=1)
    if np.abs(sums - 1).max() > 1e-9:
        i = int(np.abs(sums - 1).argmax())
        raise TandemError(
            f"The weights of {entities[i]} sum to {sums[i]:.4g}, not 1; use row_standardise on the "
            "entities of the panel."
        )
    return w


def _fit(s: _Sample, model: str, level: float) -> SpatialPanel:
    x, names = s.x, s.names
    if model == "sdm":
        lagged = [i for i, name in enumerate(names) if name != "const"]
        x = np.concatenate([x, s.lagged(x[:, :, lagged])], axis=2)
        names = [*names, *(f"W {names[i]}" for i in lagged)]
    t, n, k = x.shape
    flat = x.reshape(-1, k)
    size = np.linalg.norm(flat, axis=0)
    if t * n <= k + 2:
        raise TandemError(f"{t * n} rows are left for {k + 2} parameters; add years or entities.")
    if (size == 0).any() or np.linalg.matrix_rank(flat / size, tol=1e-9) < k:
        raise TandemError(
            f"The regressors {', '.join(names)} are collinear once effects are taken out; leave "
            "one out."
        )
    r = _top(s, x, model)
    b, e, _ = _given(s, x, model, r)
    var = float((e**2).sum() / e.size)
    cov = _covariance(s, x, model, r, b, var)
    spatial = "lambda" if model == "sem" else "rho"
    estimate = pd.Series([*b, r], index=[*names, spatial])
    std_error = pd.Series(np.sqrt(np.diag(cov)), estimate.index)
    facts = s.facts | {"sigma2": var, "se_type": "maximum likelihood, information matrix"}
    return SpatialPanel(
        coefficient_table(estimate, std_error, level=level),
        None if model == "sem" else _impacts(s, names, estimate, cov, level),
        _log_likelihood(s, x, model, r),
        {"model": MODELS[model]} | facts,
    )


def _given(s: _Sample, x: np.ndarray, model: str, r: float):
    """Slopes, errors and the derivative of the errors' sum of squares given the coefficient r."""
    y, wy = s.y, s.lagged(s.y)
    z = x - r * s.lagged(x) if model == "sem" else x
    flat = z.reshape(-1, x.shape[2])
    target = y - r * wy
    b = np.linalg.lstsq(flat, target.ravel(), rcond=None)[0]
    e = target - z @ b
    slope = wy - s.lagged(x) @ b if model == "sem" else wy
    return b, e, float((slope * e).sum())


def _log_likelihood(s: _Sample, x: np.ndarray, model: str, r: float) -> float:
    _, e, _ = _given(s, x, model, r)
    jacobian = np.log(np.abs(1 - r * s.roots)).sum()
    concentrated = -e.size / 2 * (np.log(2 * np.pi * (e**2).sum() / e.size) + 1)
    return float(concentrated + len(s.y) * jacobian)


def _top(s: _Sample, x: np.ndarray, model: str) -> float:
    """The coefficient with the highest likelihood, by a grid and then the root of the score."""
    low = np.linalg.eigvals(s.whole).real.min()

    def score(r):
        _, e, cross = _given(s, x, model, r)
        return e.size * cross / (e**2).sum() - len(s.y) * (s.roots / (1 - r * s.roots)).sum().real

    grid = np.linspace(max(1 / low, -20.0), 1.0, GRID + 2)[1:-1]
    best = int(np.argmax([_log_likelihood(s, x, model, r) for r in grid]))
    if best in (0, GRID - 1):
        raise TandemError(
            "The likelihood has its top at the edge of the admissible spatial coefficients; the "
            "model does not fit these weights."
        )
    return float(brentq(score, grid[best - 1], grid[best + 1], xtol=1e-14, rtol=1e-14))


def _covariance(s: _Sample, x, model: str, r: float, b: np.ndarray, var: float) -> np.ndarray:
    """Covariance of the slopes and the spatial coefficient: the information matrix inverted."""
    t, n, k = x.shape
    g = s.w @ np.linalg.inv(np.eye(n) - r * s.w)
    z = x - r * s.lagged(x) if model == "sem" else x
    flat = z.reshape(-1, k)
    info = np.zeros((k + 2, k + 2))
    info[:k, :k] = flat.T @ flat / var
    info[k, k] = t * np.sum(g * (g + g.T))
    if model != "sem":
        gxb = np.einsum("ij,tj->ti", g, x @ b).ravel()
        info[:k, k] = info[k, :k] = flat.T @ gxb / var
        info[k, k] += gxb @ gxb / var
    info[k, k + 1] = info[k + 1, k] = t * np.trace(g) / var
    info[k + 1, k + 1] = n * t / (2 * var**2)
    return np.linalg.inv(info)[: k + 1, : k + 1]


def _impacts(s: _Sample, names, estimate: pd.Series, cov: np.ndarray, level: float) -> pd.DataFrame:
    """Direct, indirect and total effects with delta-method errors."""
    n = len(s.whole)
    rho, place = estimate["rho"], {name: i for i, name in enumerate(estimate.index)}
    inverse = np.linalg.inv(np.eye(n) - rho * s.whole)
    powers = {"": inverse, "W ": inverse @ s.whole}
    first = [name for name in names if name != "const" and not name.startswith("W ")]
    rows = {}
    for name in first:
        both = {p: estimate.get(p + name, 0.0) for p in powers}
        response = sum(both[p] * powers[p] for p in powers)
        by_rho = inverse @ s.whole @ response
        reads = {"direct": lambda m: np.trace(m) / n, "total": lambda m: m.sum() / n}
        gradient = {}
        for effect, read in reads.items():
            gradient[effect] = np.zeros(len(estimate))
            gradient[effect][place["rho"]] = read(by_rho)
            for p in powers:
                if p + name in place:
                    gradient[effect][place[p + name]] = read(powers[p])
        values = {effect: read(response) for effect, read in reads.items()}
        values["indirect"] = values["total"] - values["direct"]
        gradient["indirect"] = gradient["total"] - gradient["direct"]
        for effect in ("direct", "indirect", "total"):
            error = np.sqrt(gradient[effect] @ cov @ gradient[effect])
            rows[effect, name] = values[effect], error
    frame = pd.DataFrame(rows, index=["estimate", "std_error"]).T
    flat = frame.set_axis([": ".join(key) for key in frame.index])
    table = coefficient_table(flat["estimate"], flat["std_error"], level=level)
    return table.set_axis(frame.index.set_names(["effect", "term"]))


def spatial_tests(
    y: pd.Series, x: pd.DataFrame, W: pd.DataFrame, effects: str = "two-way"
) -> pd.DataFrame:
    """Which spatial model? LM tests of least squares, and what the Durbin model reduces to.

    Parameters
    ----------
    y, x, W, effects
        As for `spatial_panel`.

    Returns
    -------
    DataFrame
        Index test: statistic, df, p_value, null. The robust tests allow for the other kind of
        dependence; the last two are likelihood ratios.

    References
    ----------
    Anselin, Bera, Florax & Yoon (1996), Regional Science and Urban Economics 26, 77-104; panels:
    Elhorst (2014), section 3.4.
    """
    s = _sample(y, x, W, effects)
    t, n, k = s.x.shape
    flat = s.x.reshape(-1, k)
    b = np.linalg.lstsq(flat, s.y.ravel(), rcond=None)[0]
    e = s.y - s.x @ b
    var = (e**2).sum() / e.size
    error, lag = (e * s.lagged(e)).sum() / var, (e * s.lagged(s.y)).sum() / var
    fitted = s.lagged(s.x @ b).ravel()
    left = fitted - flat @ np.linalg.lstsq(flat, fitted, rcond=None)[0]
    trace = t * np.sum(s.w * (s.w + s.w.T))
    j = left @ left / var + trace
    ml = {name: _fit(s, name, 0.95).log_likelihood for name in MODELS}
    slopes = k - ("const" in s.names)
    found = {
        "LM, lag": (lag**2 / j, 1, "no spatial lag"),
        "LM, error": (error**2 / trace, 1, "no spatial error"),
        "LM, lag, robust": ((lag - error) ** 2 / (j - trace), 1, "no spatial lag"),
        "LM, error, robust": (
            (error - trace / j * lag) ** 2 / (trace * (1 - trace / j)), 1, "no spatial error",
        ),
        "LR, Durbin against lag": (2 * (ml["sdm"] - ml["sar"]), slopes, "lag model suffices"),
        "LR, Durbin against error": (2 * (ml["sdm"] - ml["sem"]), slopes, "error model suffices"),
    }  # fmt: skip
    rows = {test: (*chi_square(stat, df), null) for test, (stat, df, null) in found.items()}
    columns = ["statistic", "df", "p_value", "null"]
    return pd.DataFrame.from_dict(rows, "index", columns=columns).rename_axis("test")
