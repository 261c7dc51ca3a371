"""Panel threshold regression of Hansen (1999): one to three thresholds, tests and intervals."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from tandem.econometrics.coefficient_table import coefficient_table
from tandem.econometrics.complete_rows import complete_rows, require_balanced
from tandem.econometrics.maketables import ForMaketables
from tandem.econometrics.static import panel_regression
from tandem.errors import TandemError

MOST = 3  # thresholds
BATCH = 100_000  # numbers held at once in the bootstrap: what a processor caches
LEVELS = {"critical_10": 0.90, "critical_5": 0.95, "critical_1": 0.99}


class PanelThreshold:
    """Slopes that change where a variable crosses thresholds, with entity effects.

    ``y_it = mu_i + sum_r beta_r' x_it 1(gamma_{r-1} < q_it <= gamma_r) + theta' z_it + e_it``
    (Hansen 1999, Journal of Econometrics 93, 345-368, eqs. 1 and 27; equation numbers from memory).

    Parameters
    ----------
    y : Series (entity-years,)
    x : Series or DataFrame (entity-years, k)
        Regressors whose slopes differ between regimes.
    q : Series (entity-years,)
        The threshold variable, exogenous; it may also be one of the regressors.
    controls : DataFrame (entity-years, m), optional
        Regressors with one slope; put year dummies here for year effects.
    trim : float
        Least share of the rows in each regime.

    Raises
    ------
    TandemError
        Text, a constant column, a regressor given twice, a panel that is not balanced once the
        rows with a missing or infinite value are dropped (they are counted), fewer than two
        years, collinear regressors.
    """

    def __init__(
        self,
        y: pd.Series,
        x: pd.Series | pd.DataFrame,
        q: pd.Series,
        controls: pd.DataFrame | None = None,
        trim: float = 0.05,
    ):
        if not 0 < trim < 0.5:
            raise TandemError(f"The share trimmed lies between 0 and 0.5; trim={trim} was given.")
        x = x.to_frame() if isinstance(x, pd.Series) else x
        self._threshold_name = f"threshold variable {q.name}"
        rows, self._n_dropped = complete_rows(y, x, controls, q.rename(self._threshold_name))
        require_balanced(rows)
        self._rows, self._trim = rows, trim
        self._y, self._x = y.name, list(x)
        self._controls = [] if controls is None else list(controls)
        self._panel = _panel(rows, y.name, self._x, self._controls, self._threshold_name)

    def fit(
        self,
        thresholds: int = 1,
        draws: int = 300,
        seed: int = 1,
        se: str = "clustered",
        level: float = 0.95,
    ) -> "PanelThresholdResults":
        """Estimate thresholds one after the other, refine them, and test each.

        The threshold of a step minimises the sum of squares given those found before, over every
        distinct value of q; then each is estimated anew given the others until none moves (Bai
        1997; Hansen 1999, section 5). The test of step j compares j - 1 (refined) thresholds with
        j, by ``F = (S_{j-1} - S_j) / (S_j / (n (T - 1)))``; its p-value resamples whole entities
        from the residuals of the larger model, with the regressors and the first j - 1 thresholds
        held fixed.

        Parameters
        ----------
        thresholds : int
            1 to 3.
        draws : int
            Of the bootstrap, for each test.
        seed : int
        se : {"clustered", "robust", "unadjusted", "driscoll-kraay"}
            Of the slopes, as in `panel_regression`; the thresholds count as known.
        level : float
            Of the intervals.

        Raises
        ------
        TandemError
            Another number of thresholds or draws, or no value that leaves each regime its share.
        """
        if thresholds not in range(1, MOST + 1):
            raise TandemError(f"One to {MOST} thresholds can be estimated, not {thresholds}.")
        if draws < 1:
            raise TandemError(f"The bootstrap needs at least one draw; draws={draws} was given.")
        panel, found, tests = self._panel, (), []
        for step, stream in enumerate(np.random.SeedSequence(seed).spawn(thresholds), start=1):
            search = _search(panel, found, self._trim)
            ssr = search.ssr(search.residuals)
            best = int(np.argmin(ssr))
            drawn = _bootstrap(panel, search, best, draws, np.random.default_rng(stream))
            tests.append(_test(step, search, float(ssr[best]), drawn))
            found = _refine(panel, (*found, float(search.gammas[best])), self._trim)
        curves = _curves(panel, found, self._trim)
        return self._results(found, tests, curves, se, level, draws, seed)

    def _results(self, found, tests, curves, se, level, draws, seed) -> "PanelThresholdResults":
        q = self._rows[self._threshold_name]
        regime = pd.Series(
            np.searchsorted(np.array(found), q.to_numpy(), side="left") + 1, q.index, name="regime"
        )
        parts = {
            f"{name}, regime {r}": self._rows[name].where(regime == r, 0.0)
            for name in self._x
            for r in range(1, len(found) + 2)
        }
        design = pd.DataFrame(parts).join(self._rows[self._controls])
        result, facts = panel_regression(self._rows[self._y], design, "entity", se)
        critical = -2 * np.log(1 - np.sqrt(level))  # Hansen (1999), eq. 20 solved for c
        terms = coefficient_table(
            result.params, result.std_errors, facts.get("t_df", result.df_resid), level
        )
        return PanelThresholdResults(
            thresholds=_intervals(curves, found, critical),
            tests=pd.DataFrame(tests).set_index("thresholds"),
            terms=terms,
            regimes=_regimes(found, regime),
            regime=regime,
            lr=curves,
            lr_critical=float(critical),
            facts={
                "dependent": str(self._y),
                "estimator": "PanelThreshold",
                "n_obs": len(design),
                "n_entities": self._panel.shape[0],
                "n_periods": self._panel.shape[1],
                "r2_within": float(result.rsquared_within),
                "ssr": float(result.resid_ss),
                **facts,
                "n_dropped": self._n_dropped,
                "trim": self._trim,
                "draws": draws,
                "seed": seed,
                "conf_level": level,
            },
            threshold_name=self._threshold_name.removeprefix("threshold variable "),
        )


@dataclass(frozen=True, eq=False)
class PanelThresholdResults(ForMaketables):
    """A fitted threshold model.

    Attributes
    ----------
    thresholds : DataFrame (m,)
        estimate, conf_low, conf_high; `connected` is False where the likelihood-ratio set has
        holes, `at_edge` True where it reaches an end of the trimmed grid, so that the interval is
        a lower bound of what the data allow.
    tests : DataFrame (m,)
        Rows are the number of thresholds under the alternative: f_stat, p_value, critical_10,
        critical_5, critical_1, ssr_null, ssr.
    terms : DataFrame
        Slopes by regime and of the controls: estimate, std_error, statistic, p_value, conf_low,
        conf_high.
    regimes : DataFrame (m + 1,)
        above, up_to, n_obs, share, n_entities.
    regime : Series (entity-years,)
        Number of the regime of each row.
    lr : DataFrame
        threshold (its number), gamma, lr: the likelihood ratio curve of each threshold given the
        others, for `lr_critical` (Hansen 1999, eqs. 18 and 20).
    facts : dict
        Statistics of the model, as `models.csv` takes them.
    """

    thresholds: pd.DataFrame
    tests: pd.DataFrame
    terms: pd.DataFrame
    regimes: pd.DataFrame
    regime: pd.Series = field(repr=False)
    lr: pd.DataFrame = field(repr=False)
    lr_critical: float
    facts: dict
    threshold_name: str

    @property
    def statistics(self) -> dict:
        """Facts, thresholds and tests under flat names, a value each."""
        flat = dict(self.facts)
        for number, row in self.thresholds.iterrows():
            flat |= {f"threshold_{number}": row["estimate"]}
            flat |= {f"threshold_{number}_low": row["conf_low"]}
            flat |= {f"threshold_{number}_high": row["conf_high"]}
        for number, row in self.tests.iterrows():
            flat |= {f"threshold_{number}_f": row["f_stat"]}
            flat |= {f"threshold_{number}_p": row["p_value"]}
        return flat

    @property
    def summary(self) -> str:
        """Everything in plain text."""
        facts = self.facts
        lines = [
            f"Panel threshold model (Hansen 1999), threshold variable {self.threshold_name}",
            f"Entities {facts['n_entities']}, years {facts['n_periods']}, rows dropped as "
            f"incomplete {facts['n_dropped']}",
            f"Bootstrap by entity, {facts['draws']} draws, seed {facts['seed']}; "
            f"each regime at least {facts['trim']:.0%} of the rows",
        ]
        blocks = {
            "Tests": self.tests,
            f"Thresholds, {facts['conf_level']:.0%} likelihood ratio intervals": self.thresholds,
            "Regimes": self.regimes,
            f"Slopes, standard errors {facts['se_type']}": self.terms,
        }
        for title, block in blocks.items():
            lines += ["", title, block.to_string(float_format="%.5g")]
        for number, row in self.thresholds.iterrows():
            if row["at_edge"]:
                lines.append(
                    f"The interval of threshold {number} reaches the edge of the grid: "
                    "the data do not bound it on that side."
                )
        return "\n".join(lines)


@dataclass(frozen=True, eq=False)
class _Panel:
    """Rows in order of q, entity means taken out of y and of x and the controls as they are."""

    y: np.ndarray  # (n,)
    x: np.ndarray  # (n, k), not demeaned, in standard deviations
    fixed: np.ndarray  # (n, k + m), demeaned x and controls
    q: np.ndarray  # (n,)
    entity: np.ndarray  # (n,)
    calendar: np.ndarray  # (N, T): the row of each entity and year
    last: np.ndarray  # last row of each distinct value of q
    cross: np.ndarray  # (values, k, k): (x 1(q <= gamma))~'(x 1(q <= gamma))~

    @property
    def shape(self) -> tuple[int, int]:
        return self.calendar.shape

    def regime_x(self, gamma: float) -> np.ndarray:
        """``(x 1(q <= gamma))~``, (n, k)."""
        return _demean(self.x * (self.q <= gamma)[:, None], self.entity)


@dataclass(frozen=True, eq=False)
class _Search:
    """The grid of a next threshold given those known."""

    known: tuple[float, ...]
    basis: np.ndarray  # (n, f), orthonormal, of the regressors under the null
    residuals: np.ndarray  # (n,), of y on them
    x: np.ndarray  # (n, k)
    gammas: np.ndarray  # (g,)
    last: np.ndarray  # (g,)
    inverse: np.ndarray  # (g, k, k)
    divisor: int  # n (T - 1)

    def ssr(self, residuals: np.ndarray) -> np.ndarray:
        """Sums of squares at every gamma, (..., g), of residuals (..., n) under the null."""
        total = (residuals**2).sum(axis=-1)[..., None]
        c = np.stack(
            [np.cumsum(residuals * column, axis=-1)[..., self.last] for column in self.x.T], axis=-1
        )
        if c.shape[-1] == 1:
            return total - c[..., 0] ** 2 * self.inverse[:, 0, 0]
        return total - np.einsum("...gk,gkl,...gl->...g", c, self.inverse, c)

    def f_stat(self, ssr_null, ssr):
        """Hansen (1999), eq. 15."""
        return (ssr_null - ssr) / (ssr / self.divisor)


def _panel(rows, y, x, controls, q) -> _Panel:
    ordered = rows.sort_values(q, kind="stable")
    entity, year = (
        pd.factorize(ordered.index.get_level_values(level), sort=True)[0] for level in (0, 1)
    )
    calendar = np.empty((entity.max() + 1, year.max() + 1), dtype=int)
    calendar[entity, year] = np.arange(len(ordered))
    values = ordered[q].to_numpy(float)
    last = np.flatnonzero(np.append(np.diff(values) > 0, True))
    scaled = (ordered[[*x, *controls]] / ordered[[*x, *controls]].std()).to_numpy(float)
    columns = scaled[:, : len(x)]
    return _Panel(
        y=_demean(ordered[y].to_numpy(float), entity),
        x=columns,
        fixed=_demean(scaled, entity),
        q=values,
        entity=entity,
        calendar=calendar,
        last=last,
        cross=_cross_products(columns, entity, calendar.shape[1])[last],
    )


def _demean(values: np.ndarray, entity: np.ndarray) -> np.ndarray:
    """Take out entity means, columns (n, ...)."""
    sums = np.zeros((entity.max() + 1, *values.shape[1:]))
    np.add.at(sums, entity, values)
    return values - (sums / np.bincount(entity).reshape(-1, *[1] * (values.ndim - 1)))[entity]


def _cross_products(x: np.ndarray, entity: np.ndarray, n_years: int) -> np.ndarray:
    """Cross-products of the demeaned ``x 1(q <= gamma)`` after each row in order of q.

    ``sum_j x_j x_j' - (1/T) sum_i m_i m_i'`` with m_i the entity's sum so far: both are running
    sums, so that the whole grid costs one pass.
    """
    by_entity = np.argsort(entity, kind="stable")  # within an entity rows stay in order of q
    after = x[by_entity].reshape(-1, n_years, x.shape[1]).cumsum(axis=1).reshape(x.shape)
    so_far = np.empty_like(x)
    so_far[by_entity] = after
    before = so_far - x
    change = _outer(x) - (_outer(so_far) - _outer(before)) / n_years
    return change.cumsum(axis=0)


def _outer(x: np.ndarray) -> np.ndarray:
    return x[:, :, None] * x[:, None, :]


def _search(panel: _Panel, known: tuple[float, ...], trim: float) -> _Search:
    regressors = np.hstack([panel.fixed, *(panel.regime_x(gamma) for gamma in known)])
    basis, r = np.linalg.qr(regressors)
    if np.abs(np.diag(r)).min() < 1e-9 * np.abs(np.diag(r)).max():
        raise TandemError(
            "The regressors of the threshold model are collinear within entities; leave one out."
        )
    residuals = panel.y - basis @ (basis.T @ panel.y)
    with_basis = (panel.x[:, :, None] * basis[:, None, :]).cumsum(axis=0)[panel.last]
    cross = panel.cross - with_basis @ with_basis.swapaxes(1, 2)
    usable = _allowed(panel, known, trim)
    usable &= np.linalg.eigvalsh(cross)[:, 0] > 1e-9 * np.trace(panel.cross[-1])
    if not usable.any():
        raise TandemError(
            f"No value of the threshold variable leaves {trim:.0%} of the rows, with regressors "
            "that vary, in each regime; take fewer thresholds or trim less."
        )
    return _Search(
        known=known,
        basis=basis,
        residuals=residuals,
        x=panel.x,
        gammas=panel.q[panel.last][usable],
        last=panel.last[usable],
        inverse=np.linalg.inv(cross[usable]),
        divisor=panel.shape[0] * (panel.shape[1] - 1),
    )


def _allowed(panel: _Panel, known: tuple[float, ...], trim: float) -> np.ndarray:
    """Which distinct values leave each regime its share of the rows, (values,)."""
    n = len(panel.q)
    borders = np.array([0, *(np.searchsorted(panel.q, sorted(known), side="right")), n])
    upto = panel.last + 1
    above = np.clip(np.searchsorted(borders, upto, side="left"), 1, len(borders) - 1)
    return (upto - borders[above - 1] >= trim * n) & (borders[above] - upto >= trim * n)


def _bootstrap(panel: _Panel, search: _Search, best: int, draws: int, rng) -> np.ndarray:
    """F statistics of samples of whole entities' residuals, (draws,)."""
    added = panel.regime_x(search.gammas[best])
    added -= search.basis @ (search.basis.T @ added)
    errors = search.residuals - added @ np.linalg.lstsq(added, search.residuals, rcond=None)[0]
    by_entity = errors[panel.calendar]
    chosen = rng.integers(panel.shape[0], size=(draws, panel.shape[0]))
    batch = max(1, BATCH // len(errors))
    drawn = []
    for some in np.split(chosen, range(batch, draws, batch)):
        sample = np.empty((len(some), len(errors)))
        sample[:, panel.calendar.ravel()] = by_entity[some].reshape(len(some), -1)
        sample -= (sample @ search.basis) @ search.basis.T
        ssr_null = (sample**2).sum(axis=1)
        drawn.append(search.f_stat(ssr_null, search.ssr(sample).min(axis=1)))
    return np.concatenate(drawn)


def _test(step: int, search: _Search, ssr: float, drawn: np.ndarray) -> dict:
    ssr_null = float(search.residuals @ search.residuals)
    f_stat = search.f_stat(ssr_null, ssr)
    return {
        "thresholds": step,
        "f_stat": f_stat,
        "p_value": float((drawn >= f_stat).mean()),
        **{name: float(np.quantile(drawn, level)) for name, level in LEVELS.items()},
        "ssr_null": ssr_null,
        "ssr": ssr,
    }


def _refine(panel: _Panel, found: tuple[float, ...], trim: float) -> tuple[float, ...]:
    """Estimate each threshold given the others until none moves; S falls with every move."""
    found, before = sorted(found), None
    while len(found) > 1 and found != before:
        before = list(found)
        for gamma in before:
            others = [g for g in found if g != gamma]
            search = _search(panel, tuple(others), trim)
            ssr = search.ssr(search.residuals)
            best = int(np.argmin(ssr))
            here = np.flatnonzero(search.gammas == gamma)
            # a tie must not move a threshold back and forth
            if not len(here) or ssr[best] < ssr[here[0]] * (1 - 1e-12):
                found = sorted([*others, float(search.gammas[best])])
    return tuple(found)


def _curves(panel: _Panel, found: tuple[float, ...], trim: float) -> pd.DataFrame:
    """Likelihood ratio of every value for each threshold, given the others."""
    curves = []
    for number, gamma in enumerate(found, start=1):
        others = tuple(g for g in found if g != gamma)
        search = _search(panel, others, trim)
        ssr = search.ssr(search.residuals)
        lr = search.f_stat(ssr, ssr.min())
        curves.append(pd.DataFrame({"threshold": number, "gamma": search.gammas, "lr": lr}))
    return pd.concat(curves, ignore_index=True)


def _intervals(curves: pd.DataFrame, found: tuple[float, ...], critical: float) -> pd.DataFrame:
    rows = {}
    for number, gamma in enumerate(found, start=1):
        curve = curves[curves["threshold"] == number].reset_index(drop=True)
        inside = np.flatnonzero(curve["lr"] <= critical)
        rows[number] = {
            "estimate": gamma,
            "conf_low": curve["gamma"][inside[0]],
            "conf_high": curve["gamma"][inside[-1]],
            "connected": bool(len(inside) == inside[-1] - inside[0] + 1),
            "at_edge": bool(inside[0] == 0 or inside[-1] == len(curve) - 1),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("threshold")


def _regimes(found: tuple[float, ...], regime: pd.Series) -> pd.DataFrame:
    ends = [-np.inf, *found, np.inf]
    counted = regime.groupby(regime).size()
    entities = regime.reset_index(level=0).groupby("regime").nunique().iloc[:, 0]
    table = {
        "above": ends[:-1],
        "up_to": ends[1:],
        "n_obs": counted.to_numpy(),
        "share": (counted / len(regime)).to_numpy(),
        "n_entities": entities.to_numpy(),
    }
    return pd.DataFrame(table, index=pd.RangeIndex(1, len(ends), name="regime"))
