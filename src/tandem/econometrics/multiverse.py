"""Specification curve: one question in every defensible way, with a permutation test of the whole.

The effect of one variable's past on another, over choices of measurement, window, effects, lags,
controls and estimator (Simonsohn, Simmons & Nelson 2020, Nature Human Behaviour 4, 1208-1214).
"""

import warnings
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
from scipy import stats

from tandem.econometrics.panel_arrays import panel_cube
from tandem.econometrics.panel_var import PanelVAR
from tandem.econometrics.panel_var_design import Design
from tandem.econometrics.panel_var_gmm import refit_panels
from tandem.econometrics.panel_var_moments import build_moments
from tandem.econometrics.panel_var_paths import demean
from tandem.econometrics.transforms import first_difference, lag
from tandem.errors import TandemError

LEAST_SQUARES = ("lags", "own_lags", "effects")
GMM = ("lags", "transform", "instrument_lags", "collapse", "steps")
EFFECTS = ("entity", "two-way", "difference")
NUMBERS = ["estimate", "std_error", "p_value", "conf_low", "conf_high", "n_obs", "n_entities"]


@dataclass(frozen=True, eq=False)
class SpecificationCurve:
    """Estimates of one effect in every specification.

    Attributes
    ----------
    table : DataFrame
        A row a specification: its choices, estimate (standard deviations of the effect for one of
        the cause, both within entities and years), std_error, p_value, conf_low, conf_high, n_obs,
        n_entities; in `why` the reason where a specification cannot be estimated.
    summary : Series
        n_specifications, n_failed; median, p_median; share_positive, p_share (of the commoner
        sign); share_significant_positive and _negative at 5 %; draws.
    drawn : DataFrame (draws, 2)
        Median and share of positive estimates under permutation.
    """

    table: pd.DataFrame
    summary: pd.Series
    drawn: pd.DataFrame


def specifications(
    measures: list, windows: list, controls: list, least_squares: dict, gmm: dict
) -> pd.DataFrame:
    """Every combination of choices, least squares first.

    Parameters
    ----------
    measures, windows, controls : list
        Names; every estimator meets all of them.
    least_squares : dict of list
        lags (of the cause), own_lags (of the effect), effects ("entity", "two-way", "difference":
        first differences with year effects). Empty for none.
    gmm : dict of list
        lags (of both), transform, instrument_lags, collapse, steps, as in `PanelVAR`, with year
        effects. Empty for none.

    Raises
    ------
    TandemError
        A choice that no estimator has, or one without a value.
    """
    tables = []
    for estimator, known, choices in (
        ("least squares", LEAST_SQUARES, least_squares),
        ("GMM", GMM, gmm),
    ):
        if not choices:
            continue
        if {*choices} != {*known} or not all(choices.values()):
            raise TandemError(
                f"The choices of {estimator} are {', '.join(known)}, each a list with a value; "
                f"{', '.join(choices)} were given."
            )
        every = product(measures, windows, controls, *(choices[name] for name in known))
        columns = ["measure", "window", "controls", *known]
        tables.append(pd.DataFrame(every, columns=columns).assign(estimator=estimator))
    if not tables or tables[0].empty:
        raise TandemError("A specification curve needs at least one specification.")
    return pd.concat(tables, ignore_index=True)


def specification_curve(
    specs: pd.DataFrame,
    measures: dict[str, pd.DataFrame],
    windows: dict[str, tuple[int, int]],
    controls: dict[str, pd.DataFrame | None],
    cause: str,
    effect: str,
    draws: int = 199,
    seed=1,
    level: float = 0.95,
) -> SpecificationCurve:
    """Estimate every specification, and again with the cause's paths dealt out anew to entities.

    Dealing whole paths keeps what each variable is over time and across entities and breaks only
    which entity's cause belongs to which effect. Entities exchange paths with those that miss the
    same years. One-sided for the commoner sign, doubled.

    Parameters
    ----------
    specs : DataFrame
        From `specifications`; measure, window and controls are keys of the next three.
    measures : dict of DataFrame (entity-years, variables)
        The scores, measured in several ways.
    windows : dict of (first, last)
        Years of the effect; lags reach before them.
    controls : dict of DataFrame or None
    cause, effect : str
        Columns of the measures.
    draws : int
        Permutations; 0 for no test.
    seed : int, sequence of int or SeedSequence
    level : float
        Of the intervals.
    """
    specs = specs.reset_index(drop=True)
    found = estimate_specifications(
        specs, measures, windows, controls, cause, effect, draws, seed, level
    )
    return join_curve(specs, *found)


def estimate_specifications(
    specs: pd.DataFrame,
    measures: dict[str, pd.DataFrame],
    windows: dict[str, tuple[int, int]],
    controls: dict[str, pd.DataFrame | None],
    cause: str,
    effect: str,
    draws: int = 199,
    seed=1,
    level: float = 0.95,
) -> tuple[pd.DataFrame, np.ndarray]:
    """Estimates of some specifications of a curve, which do not depend on the others.

    Parameters
    ----------
    specs : DataFrame
        Rows of `specifications`, any number of them.
    measures, windows, controls, cause, effect, draws, seed, level
        As in `specification_curve`.

    Returns
    -------
    DataFrame
        Index of `specs`; estimate, std_error, p_value, conf_low, conf_high, n_obs, n_entities, why.
    array (specifications, draws)
        Estimates under permutation; NaN where a specification cannot be estimated.
    """
    if missing := {cause, effect} - set.intersection(*(set(m) for m in measures.values())):
        raise TandemError(f"The measures have no variable '{min(missing)}'.")
    shuffles = _Shuffles(draws, seed)
    before: dict = {}  # what neighbouring specifications share
    rows, drawn = [], np.full((len(specs), draws), np.nan)
    for place, spec in enumerate(specs.to_dict("records")):
        first, last = windows[spec["window"]]
        data = _aligned(measures[spec["measure"]], controls[spec["controls"]], last)
        try:
            if spec["estimator"] == "least squares":
                found = _least_squares(spec, data, cause, effect, first, shuffles)
            else:
                found = _gmm(spec, data, cause, effect, first, shuffles, before)
        except TandemError as err:
            rows.append(dict.fromkeys(NUMBERS, np.nan) | {"why": str(err)})
            continue
        key = "scale", spec["measure"], spec["window"]
        if key not in before:
            before[key] = _scale(data, cause, effect, first)
        scale = before[key]
        reach = stats.t.ppf((1 + level) / 2, found["df"])
        b, se = found["estimate"] * scale, found["std_error"] * scale
        p = 2 * stats.t.sf(abs(b / se), found["df"])
        numbers = (b, se, p, b - reach * se, b + reach * se, found["n_obs"], found["n_entities"])
        rows.append(dict(zip(NUMBERS, numbers, strict=True)) | {"why": ""})
        drawn[place] = found["drawn"] * scale
    return pd.DataFrame(rows, specs.index, [*NUMBERS, "why"]), drawn


def join_curve(specs: pd.DataFrame, table: pd.DataFrame, drawn: np.ndarray) -> SpecificationCurve:
    """What all specifications say together.

    Parameters
    ----------
    specs : DataFrame
        From `specifications`.
    table, drawn : DataFrame, array (specifications, draws)
        From `estimate_specifications`, for all of them and in their order.

    Raises
    ------
    TandemError
        If none can be estimated.
    """
    if table["estimate"].isna().all():
        raise TandemError(f"No specification can be estimated: {table['why'].iloc[0]}")
    return SpecificationCurve(specs.join(table), *_curve(table, drawn.T))


def _curve(table: pd.DataFrame, drawn: np.ndarray) -> tuple[pd.Series, pd.DataFrame]:
    """What the curve says as a whole, and under permutation."""
    known = table["estimate"].notna().to_numpy()
    b, p = table.loc[known, "estimate"], table.loc[known, "p_value"]
    drawn = drawn[:, known]
    under = pd.DataFrame(
        {"median": np.median(drawn, axis=1), "share_positive": (drawn > 0).mean(axis=1)}
    )
    facts = {
        "n_specifications": len(table),
        "n_failed": int((~known).sum()),
        "median": b.median(),
        "share_positive": (b > 0).mean(),
        "share_significant_positive": ((b > 0) & (p < 0.05)).mean(),
        "share_significant_negative": ((b < 0) & (p < 0.05)).mean(),
        "draws": len(drawn),
    }
    centres = {"median": 0.0, "share_positive": 0.5}
    for name, key in (("p_median", "median"), ("p_share", "share_positive")):
        away, other = facts[key] - centres[key], under[key] - centres[key]
        # a tie in rounding counts against the finding
        beyond = (np.sign(away) * other >= abs(away) - 1e-12).sum()
        facts[name] = min(1.0, 2 * (1 + beyond) / (1 + len(drawn))) if len(drawn) else np.nan
    return pd.Series(facts, name="value"), under


@dataclass(frozen=True, eq=False)
class _Data:
    scores: pd.DataFrame
    controls: pd.DataFrame | None


def _aligned(scores: pd.DataFrame, controls: pd.DataFrame | None, last: int) -> _Data:
    kept = scores[scores.index.get_level_values(1) <= last]
    return _Data(kept, None if controls is None else controls.reindex(kept.index))


class _Shuffles:
    """Permutations of entities, the same for every specification with the same entities."""

    def __init__(self, draws: int, seed):
        self.draws, self.seed, self._known = draws, seed, {}

    def of(self, observed: np.ndarray) -> np.ndarray:
        """(draws + 1, N): the order as it is, then permuted among rows that miss the same years."""
        key = observed.tobytes()
        if key not in self._known:
            seed = self.seed
            seed = (
                seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
            )
            # a fresh generator, so that the permutations depend on no earlier specification
            rng = np.random.default_rng(
                np.random.SeedSequence(seed.entropy, spawn_key=seed.spawn_key)
            )
            order = np.tile(np.arange(len(observed)), (self.draws + 1, 1))
            _, stratum = np.unique(observed, axis=0, return_inverse=True)
            for s in range(stratum.max() + 1):
                mine = np.flatnonzero(stratum.ravel() == s)
                if self.draws:
                    order[1:, mine] = rng.permuted(order[1:, mine], axis=1)
            self._known[key] = order
        return self._known[key]


def _scale(data: _Data, cause: str, effect: str, first: int) -> float:
    """Within standard deviation of the cause over that of the effect."""
    years = data.scores.index.get_level_values(1)
    cube, _, _ = panel_cube(data.scores.loc[years >= first, [cause, effect]])
    rows = np.isfinite(cube).all(axis=1)
    left = demean(np.nan_to_num(cube), rows, True).transpose(0, 2, 1)[rows]
    spread = left.std(axis=0)
    return float(spread[0] / spread[1])


def _least_squares(spec, data: _Data, cause, effect, first, shuffles: _Shuffles) -> dict:
    """Slope of the cause a year before, its clustered error, and slopes under permutation."""
    if spec["effects"] not in EFFECTS:
        raise TandemError(f"Effects are {', '.join(EFFECTS)}; '{spec['effects']}' is none.")
    frame = data.scores[[cause, effect]]
    cube, _, years = panel_cube(frame if data.controls is None else frame.join(data.controls))
    order = shuffles.of(np.isfinite(cube[:, 0]))
    y, own = cube[:, 1:2], [lag(cube[:, 1], j) for j in range(1, int(spec["own_lags"]) + 1)]
    past = np.stack([lag(cube[:, 0], j) for j in range(1, int(spec["lags"]) + 1)], axis=1)
    w = np.concatenate([cube[:, 2:], *(o[:, None] for o in own)], axis=1)
    rows = np.isfinite(np.concatenate([y, w, past], axis=1)).all(axis=1)
    if spec["effects"] == "difference":
        y, w, past = (first_difference(np.where(rows[:, None], a, np.nan)) for a in (y, w, past))
        rows = np.isfinite(np.concatenate([y, w, past], axis=1)).all(axis=1)
    rows = rows & (years >= first)
    rows = rows & (rows.sum(axis=1) > 1)[:, None]
    x = past[order].transpose(1, 0, 2, 3)  # entity, permutation, lag, year
    flat = [
        _without_effects(a, rows, spec["effects"])
        for a in (y, w, x.reshape(len(x), -1, x.shape[-1]))
    ]
    y, w, x = flat
    absorbed = _n_effects(rows, spec["effects"])
    k = w.shape[1] + past.shape[1]
    n, groups = len(y), int(rows.any(axis=1).sum())
    if n <= k + absorbed:
        raise TandemError(
            f"{n} complete rows are too few for {k} regressors and {absorbed} effects."
        )
    least = 2 if spec["effects"] == "entity" else 3  # two mirror each other around the year's mean
    if groups < least:
        raise TandemError(f"{groups} entities are too few for clustered errors; it takes {least}.")
    if w.shape[1]:
        if np.linalg.matrix_rank(w / np.linalg.norm(w, axis=0)) < w.shape[1]:
            raise TandemError("The controls are collinear once the effects are removed.")
        q, _ = np.linalg.qr(w)
        y, x = y - q @ (q.T @ y), x - q @ (q.T @ x)
    x = x.reshape(n, len(order), -1).transpose(1, 0, 2)
    xx = x.transpose(0, 2, 1) @ x
    b = np.linalg.solve(xx, x.transpose(0, 2, 1) @ y)  # (draws + 1, lags, 1)
    u = y - x[0] @ b[0]
    scores = np.add.reduceat(x[0] * u, np.flatnonzero(np.diff(np.nonzero(rows)[0], prepend=-1)))
    bread = np.linalg.inv(xx[0])
    counted = k + (0 if spec["effects"] == "entity" else absorbed)
    factor = groups / (groups - 1) * (n - 1) / (n - counted)
    cov = bread @ (scores.T @ scores) @ bread * factor
    return {
        "estimate": float(b[0, 0, 0]),
        "std_error": float(np.sqrt(cov[0, 0])),
        "df": groups - 1,
        "n_obs": n,
        "n_entities": groups,
        "drawn": b[1:, 0, 0],
    }


def _without_effects(values: np.ndarray, rows: np.ndarray, effects: str) -> np.ndarray:
    """(equations, variables); differences keep year effects only."""
    if effects == "difference":
        values = np.where(rows[:, None], np.nan_to_num(values), 0.0)
        count = np.maximum(rows.sum(axis=0), 1)
        left = (values - values.sum(axis=0) / count) * rows[:, None]
    else:
        left = demean(np.nan_to_num(values), rows, effects == "two-way")
    return left.transpose(0, 2, 1)[rows]


def _n_effects(rows: np.ndarray, effects: str) -> int:
    entities, years = int(rows.any(axis=1).sum()), int(rows.any(axis=0).sum())
    return {"entity": entities, "two-way": entities + years - 1, "difference": years}[effects]


def _gmm(spec, data: _Data, cause, effect, first, shuffles: _Shuffles, before: dict) -> dict:
    """Coefficient of the cause a year before in the equation of the effect of a panel VAR."""
    steps = int(spec["steps"])
    key = tuple(str(v) for k, v in spec.items() if k != "steps")
    if before.get("key") != key:
        before |= {"key": key, "models": _models(spec, data, cause, effect, first, shuffles)}
    model, moments, place = before["models"]
    with warnings.catch_warnings():  # the tables of the main models count the instruments
        warnings.simplefilter("ignore", UserWarning)
        fit = model.fit(steps)
    name, drawn = f"L1.{cause}", np.empty(0)
    if moments is not None:
        coef, _ = refit_panels(moments, steps, place)
        # cause and effect are columns 0 and 1, their first lags columns 0 and 1 of the regressors
        drawn = coef[:, 1, 0] * moments.y_scale[1] / moments.x_scale[0]
    return {
        "estimate": float(fit.params.loc[effect, name]),
        "std_error": float(fit.std_errors.loc[effect, name]),
        "df": fit.n_entities - 1,
        "n_obs": fit.n_obs,
        "n_entities": fit.n_entities,
        "drawn": drawn,
    }


def _models(spec, data: _Data, cause, effect, first, shuffles: _Shuffles) -> tuple:
    """The panel VAR, and without draws None, else moments and the entities of each permutation."""
    options = {
        "lags": int(spec["lags"]),
        "transform": spec["transform"],
        "instrument_lags": tuple(spec["instrument_lags"]),
        "collapse": bool(spec["collapse"]),
        "time_effects": True,
    }
    kept = data.scores.index.get_level_values(1) >= first - options["lags"]
    scores = data.scores.loc[kept, [cause, effect]]
    controls = None if data.controls is None else data.controls.loc[kept]
    model = PanelVAR(scores, exog=controls, **options)
    if not shuffles.draws:
        return model, None, None
    pairs, outside, place = _paired(scores, controls, shuffles)
    moments = build_moments(pairs, Design(exog=outside, **options))
    kept = ~np.isin(np.arange(len(pairs.index.levels[0])), moments.dropped_entities)
    # whether a pair has equations hangs on its effect alone: causes miss the same years
    place = place[:, kept[place[0]]]
    return model, moments, (np.cumsum(kept) - 1)[place]


def _paired(scores: pd.DataFrame, controls, shuffles: _Shuffles) -> tuple:
    """An entity for every effect and cause that can meet, and which of them each permutation holds.

    All pairs are fewer than entities times permutations unless the panel is wide.

    Returns
    -------
    panels, outside : DataFrame
        Of the pairs, under running numbers; outside is None without controls.
    place : array (draws, N)
        The pairs of each permutation, in the order of the effects.
    """
    cube, entities, years = panel_cube(scores)
    observed = np.isfinite(cube[:, 0])
    order = shuffles.of(observed)[1:]
    n = len(cube)
    _, stratum, count = np.unique(observed, axis=0, return_inverse=True, return_counts=True)
    if (count**2).sum() <= order.size:
        effect, cause = np.nonzero(stratum.reshape(-1, 1) == stratum.reshape(1, -1))
        number = np.zeros((n, n), dtype=int)
        number[effect, cause] = np.arange(len(effect))
        place = number[np.arange(n), order]
    else:
        effect, cause = np.tile(np.arange(n), len(order)), order.ravel()
        place = np.arange(order.size).reshape(order.shape)
    panels = cube[effect]
    panels[:, 0] = cube[cause, 0]
    index = pd.MultiIndex.from_product([range(len(effect)), years])
    outside = None
    if controls is not None:
        once = controls.reindex(pd.MultiIndex.from_product([entities, years])).to_numpy()
        of = once.reshape(n, len(years), -1)[effect].reshape(len(index), -1)
        outside = pd.DataFrame(of, index, controls.columns)
    values = panels.transpose(0, 2, 1).reshape(-1, 2)
    return pd.DataFrame(values, index, scores.columns), outside, place
