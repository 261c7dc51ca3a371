"""Dynamic panel threshold model of Seo & Shin (2016): GMM in first differences."""

import warnings
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from tandem.econometrics.chi_square import ChiSquare, chi_square
from tandem.econometrics.coefficient_table import coefficient_table
from tandem.econometrics.complete_rows import complete_rows, require_balanced
from tandem.econometrics.maketables import ForMaketables
from tandem.errors import TandemError

SHAPES = ("jump", "kink")
TOLERANCE = 1e-10  # relative, of the pseudo-inverse of a weight
BATCH = 8_000_000  # numbers held at once in the bootstrap


@dataclass(frozen=True, eq=False)
class DynamicThreshold(ForMaketables):
    """A fitted dynamic threshold model.

    Attributes
    ----------
    terms : DataFrame
        Slopes below the threshold, changes above it ("change: ..."), and "threshold": estimate,
        std_error, statistic, p_value, conf_low, conf_high (normal). The test of the threshold
        being zero has no meaning of its own.
    above : DataFrame
        Slopes above the threshold, slope plus change (jump only).
    linearity_stat, linearity_p : float
        Largest Wald statistic over the grid of no change, and its bootstrap p-value.
    hansen_j : ChiSquare
        Of the two-step estimate; the threshold counts as a coefficient.
    objective : DataFrame
        gamma, j: the two-step criterion over the grid.
    facts : dict
        Statistics of the model, as `models.csv` takes them.
    """

    terms: pd.DataFrame
    above: pd.DataFrame
    linearity_stat: float
    linearity_p: float
    hansen_j: ChiSquare
    objective: pd.DataFrame = field(repr=False)
    facts: dict

    @property
    def statistics(self) -> dict:
        """Facts and tests under flat names, a value each."""
        return self.facts | {
            "linearity_stat": self.linearity_stat,
            "linearity_p": self.linearity_p,
            "hansen_j": self.hansen_j.stat,
            "hansen_df": self.hansen_j.df,
            "hansen_p": self.hansen_j.pval,
        }

    @property
    def summary(self) -> str:
        """Everything in plain text."""
        facts = self.facts
        j = self.hansen_j
        hansen = f"chi2({j.df}) = {j.stat:.2f}, p = {j.pval:.4f}" if j.df else "exactly identified"
        lines = [
            f"Dynamic panel threshold model (Seo & Shin 2016), {facts['shape']}, two-step FD-GMM",
            f"Entities {facts['n_entities']}, differenced rows {facts['n_obs']}, instruments "
            f"{facts['n_instruments']}, rows dropped as incomplete {facts['n_dropped']}",
            f"Below the threshold of {facts['threshold_variable']}, and change above it",
            self.terms.to_string(float_format="%.5g"),
            "",
            *(
                ["Above it", self.above.to_string(float_format="%.5g"), ""]
                if len(self.above)
                else []
            ),
            f"Linearity: sup-Wald {self.linearity_stat:.2f}, bootstrap p = {self.linearity_p:.4f} "
            f"({facts['draws']} draws, seed {facts['seed']})",
            f"Hansen J {hansen}",
        ]
        return "\n".join(lines)


def dynamic_threshold(
    y: pd.Series,
    q: pd.Series,
    exog: pd.DataFrame | None = None,
    endog: pd.DataFrame | None = None,
    shape: str = "jump",
    q_exogenous: bool = False,
    instrument_lags: tuple[int, int] = (2, 3),
    collapse: bool = True,
    grid: int = 100,
    trim: float = 0.15,
    draws: int = 300,
    seed: int = 1,
    level: float = 0.95,
) -> DynamicThreshold:
    """Estimate a dynamic threshold model whose regressors and threshold may be endogenous.

    ``y_it = a_i + x_it'b + (1, x_it')d 1(q_it > gamma) + e_it`` with x = (y_i,t-1, exog, endog), or
    with ``k (q_it - gamma) 1(q_it > gamma)`` for a kink, in first differences (Seo & Shin 2016,
    Journal of Econometrics 195, 169-186, eqs. 1-4). For each gamma of the grid GMM is linear; the
    one with the least two-step criterion is the estimate. Weights are eqs. 10 and 11. Standard
    errors treat the threshold as estimated, with a Gaussian kernel (bandwidth
    1.5 x 1.06 sd(q) N^(-1/5)) for the jump, and are not corrected for the estimated weight. The
    linearity test gives each entity's two-step residuals one random sign and repeats both GMM steps
    at every gamma; the residuals are those of the model without a threshold. The paper draws
    standard normal numbers in place of signs (section 4), with which 30 entities reject 7 % of true
    nulls at 5 %. Equation and section numbers from memory; the algorithm was compared with Stata's
    xthenreg (Seo, Kim & Kim 2019, Stata Journal 19, 685-697), which keeps the weights in the
    bootstrap.

    Instruments of the difference in t: a constant, exog's own differences, levels of y, endog and q
    at `instrument_lags`, and each of these times the first of those lags of q, because what they
    have to explain is a product with a step in q. Where q is strictly exogenous: a constant, the
    differences of exog, q and exog times q, levels of y and endog at the lags, and these times q
    of the year before. They are the stronger ones by far. Which functions serve is left open by
    the paper.

    Parameters
    ----------
    y, q : Series (entity-years,)
    exog : DataFrame (entity-years, k), optional
        Strictly exogenous.
    endog : DataFrame (entity-years, l), optional
    shape : {"jump", "kink"}
    q_exogenous : bool
        Whether q of every year is unrelated to every e; else it may depend on e of its year.
    instrument_lags : (first, last)
        2 is the nearest valid for endogenous variables.
    collapse : bool
        One instrument a lag instead of one a lag and year.
    grid : int
        Quantiles of q, evenly spaced between `trim` and 1 - `trim`.
    draws, seed : int
        Of the bootstrap.
    level : float
        Of the intervals.

    Raises
    ------
    TandemError
        A panel that is not balanced over consecutive years once incomplete rows are dropped, fewer
        than four years, fewer independent moments than coefficients, or options out of range.

    Warns
    -----
    UserWarning
        More instruments than entities.
    """
    _check_options(shape, instrument_lags, grid, trim, draws)
    q_name = f"threshold variable {q.name}"
    rows, n_dropped = complete_rows(y, exog, endog, q.rename(q_name))
    require_balanced(rows)
    names = [[] if frame is None else list(frame) for frame in (exog, endog)]
    panel = _moments(rows, y.name, q_name, names, instrument_lags, q_exogenous, collapse)
    _refuse_collinear(panel.fixed, [f"L1.{y.name}", *names[0], *names[1]])
    gammas, products = _grid(panel, q.name, shape, np.linspace(trim, 1 - trim, grid))
    n_coefs = products.shape[3]
    rank = np.linalg.matrix_rank(panel.first_weight, hermitian=True)
    if rank < n_coefs + 1:
        raise TandemError(
            f"{rank} independent moments cannot identify {n_coefs} coefficients and a threshold; "
            "lengthen instrument_lags or take fewer regressors."
        )
    if products.shape[2] > len(panel.zy):
        warnings.warn(
            f"{products.shape[2]} instruments for {len(panel.zy)} entities: standard errors are "
            "too small and Hansen's J is unreliable; collapse or shorten instrument_lags.",
            stacklevel=2,
        )
    fit = _two_step(panel, gammas, products)
    cov = _covariance(panel, fit, shape)
    changes = n_coefs - panel.fixed.shape[2]
    stat, drawn = _linearity(panel, products, changes, draws, seed)
    linearity_p = float((1 + (drawn >= stat).sum()) / (1 + draws))
    return _result(
        panel, fit, cov, changes, shape, (stat, linearity_p), level,
        [f"L1.{y.name}", *names[0], *names[1]], gammas,
        {
            "dependent": str(y.name),
            "estimator": "DynamicThreshold",
            "shape": shape,
            "threshold_variable": str(q.name),
            "n_obs": panel.fixed.shape[0] * panel.fixed.shape[1],
            "n_entities": len(panel.zy),
            "n_instruments": products.shape[2],
            "rank": int(fit.rank),
            "instruments": "collapsed" if collapse else "all",
            "q_exogenous": q_exogenous,
            "n_dropped": n_dropped,
            "draws": draws,
            "seed": seed,
            "conf_level": level,
            "se_type": "two-step GMM, clustered by entity, not corrected for the weight",
        },
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Panel:
    """Differenced rows (N, P) with instruments (N, P, L)."""

    z: np.ndarray
    dy: np.ndarray  # (N, P)
    fixed: np.ndarray  # (N, P, k): differences of x
    now: np.ndarray  # (N, P, k + 1): 1 and x in t
    before: np.ndarray  # the same in t - 1
    q_now: np.ndarray  # (N, P)
    q_before: np.ndarray
    first_weight: np.ndarray  # (L, L): (1/N) sum Z_i' H Z_i

    @property
    def zy(self) -> np.ndarray:
        """``Z_i' dy_i``, (N, L)."""
        return np.einsum("npl,np->nl", self.z, self.dy)

    def products(self, gamma: float, shape: str) -> np.ndarray:
        """``Z_i' D_i(gamma)``, (N, L, coefficients)."""
        return np.einsum("npl,npk->nlk", self.z, self.regressors(gamma, shape))

    def regressors(self, gamma: float, shape: str) -> np.ndarray:
        above, was_above = self.q_now > gamma, self.q_before > gamma
        if shape == "kink":
            bend = (self.q_now - gamma) * above - (self.q_before - gamma) * was_above
            return np.concatenate([self.fixed, bend[:, :, None]], axis=2)
        jump = self.now * above[:, :, None] - self.before * was_above[:, :, None]
        return np.concatenate([self.fixed, jump], axis=2)


@dataclass(frozen=True, eq=False)
class _Fit:
    gamma: float
    coefs: np.ndarray
    criterion: np.ndarray  # (grid,), two-step
    weight: np.ndarray  # inverse of the moments' variance at the estimate
    jacobian: np.ndarray  # (L, coefficients)
    rank: int


def _check_options(shape, instrument_lags, grid, trim, draws) -> None:
    if shape not in SHAPES:
        raise TandemError(f"The threshold is a jump or a kink; '{shape}' is neither.")
    first, last = instrument_lags
    if not 2 <= first <= last:
        raise TandemError(
            f"Instrument lags run from 2 or more to at least as many; {instrument_lags} was given."
        )
    if grid < 2 or not 0 < trim < 0.5 or draws < 1:
        raise TandemError("The grid has 2 points or more, trim lies in (0, 0.5), draws is above 0.")


def _moments(rows, y, q, names, instrument_lags, q_exogenous, collapse) -> _Panel:
    years = np.unique(rows.index.get_level_values(1))
    if len(years) < 4 or len(years) != years[-1] - years[0] + 1:
        raise TandemError(
            f"The dynamic model needs four consecutive years or more; complete are "
            f"{', '.join(map(str, years))}."
        )
    cube = {name: rows[name].unstack().to_numpy(float) for name in rows}  # (N, T)
    exog, endog = names
    usable = len(years) - 2
    levels = np.stack(
        [np.hstack([np.full((len(cube[y]), 1), np.nan), cube[y][:, :-1]])]
        + [cube[name] for name in [*exog, *endog]],
        axis=2,
    )  # (N, T, k), the lag of y first
    now, before = levels[:, 2:], levels[:, 1:-1]
    one = np.ones((*now.shape[:2], 1))
    first, last = instrument_lags
    centred = {name: values - values.mean() for name, values in cube.items()}
    shifts = range(first, last + 1)
    basic = [np.diff(centred[name][:, 1:], axis=1) for name in exog]
    basic += [_lagged(centred[name], lag) for name in dict.fromkeys([y, *endog]) for lag in shifts]
    if q_exogenous:
        products = [centred[q], *(centred[name] * centred[q] for name in exog)]
        mover = centred[q][:, 1:-1]  # q in t - 1
        columns = [*basic, *(np.diff(values[:, 1:], axis=1) for values in products)]
        columns += [past * mover for past in basic[len(exog) :]]
    else:
        basic += [_lagged(centred[q], lag) for lag in shifts]
        mover = _lagged(centred[q], first)
        columns = [*basic, *(values * mover for values in basic)]
    columns = [one[:, :, 0], *columns]
    z = np.stack([c / (c.std() or 1.0) for c in columns], axis=2)
    if not collapse:
        n, p, m = z.shape
        z = (z[:, :, None, :] * np.eye(p)[None, :, :, None]).reshape(n, p, p * m)
    z = z[:, :, np.abs(z).max(axis=(0, 1)) > 0]
    h = 2 * np.eye(usable) - np.eye(usable, k=1) - np.eye(usable, k=-1)
    return _Panel(
        z=z,
        dy=np.diff(cube[y][:, 1:], axis=1),
        fixed=now - before,
        now=np.concatenate([one, now], axis=2),
        before=np.concatenate([one, before], axis=2),
        q_now=cube[q][:, 2:],
        q_before=cube[q][:, 1:-1],
        first_weight=np.einsum("npl,pr,nrm->lm", z, h, z) / len(z),
    )


def _refuse_collinear(differences: np.ndarray, names: list) -> None:
    columns = differences.reshape(-1, len(names))
    norms = np.linalg.norm(columns, axis=0)
    left = np.abs(np.diag(np.linalg.qr(columns / np.where(norms > 0, norms, 1.0))[1]))
    if left.min() < TOLERANCE:
        name = names[int(np.flatnonzero(left < TOLERANCE)[0])]
        raise TandemError(
            f"'{name}' does not vary over the years, or changes only with the regressors before "
            "it; leave it out."
        )


def _grid(panel: _Panel, name, shape: str, shares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values of q at which the coefficients are identified, and their cross-products."""
    gammas = np.unique(np.quantile(panel.q_now, shares))
    products = np.stack([panel.products(gamma, shape) for gamma in gammas])
    jacobians = products.mean(axis=1)
    norms = np.linalg.norm(jacobians, axis=1, keepdims=True)
    scaled = jacobians / np.where(norms > 0, norms, 1.0)
    usable = np.linalg.svd(scaled, compute_uv=False)[:, -1] > TOLERANCE
    if usable.sum() < 2:
        raise TandemError(
            f"'{name}' takes {len(gammas)} values within the grid, at {usable.sum()} of which the "
            "model is identified; take a threshold variable with more values or trim less."
        )
    return gammas[usable], products[usable]


def _lagged(values: np.ndarray, lag: int) -> np.ndarray:
    """Values (N, T) of `lag` years before the years 2 ... T - 1, zero before the first."""
    past = np.zeros((len(values), values.shape[1] - 2))
    kept = values.shape[1] - lag
    if kept > 0:
        past[:, lag - 2 :] = values[:, :kept]
    return past


def _inverse(matrix: np.ndarray) -> np.ndarray:
    """Inverses of symmetric matrices (..., L, L); pseudo-inverses if one is singular."""
    try:
        found = np.linalg.inv(matrix)  # several times faster than the eigenvalues of each
    except np.linalg.LinAlgError:
        return np.linalg.pinv(matrix, rcond=TOLERANCE, hermitian=True)
    condition = np.abs(matrix).sum(axis=-1).max(axis=-1) * np.abs(found).sum(axis=-1).max(axis=-1)
    if (condition < 1 / TOLERANCE).all():
        return found
    return np.linalg.pinv(matrix, rcond=TOLERANCE, hermitian=True)


def _variance(moments: np.ndarray) -> np.ndarray:
    """Centred variance of moments (..., N, L): Seo & Shin (2016), eq. 11."""
    centred = moments - moments.mean(axis=-2, keepdims=True)
    return centred.swapaxes(-1, -2) @ centred / moments.shape[-2]


def _linear(weight: np.ndarray, jacobian: np.ndarray, target: np.ndarray) -> np.ndarray:
    """GMM coefficients of a linear model, (..., p), weights (..., L, L), Jacobian (..., L, p)."""
    bread = jacobian.swapaxes(-1, -2) @ weight
    return np.linalg.solve(bread @ jacobian, bread @ target[..., None])[..., 0]


def _two_step(panel: _Panel, gammas: np.ndarray, products: np.ndarray) -> _Fit:
    zy, jacobians = panel.zy, products.mean(axis=1)
    target = zy.mean(axis=0)
    weight = _inverse(panel.first_weight)
    for _ in range(2):
        coefs = _linear(weight, jacobians, np.broadcast_to(target, jacobians.shape[:2]))
        left = target - (jacobians @ coefs[..., None])[..., 0]
        criterion = len(zy) * np.einsum("gl,lm,gm->g", left, weight, left)
        best = int(np.argmin(criterion))
        moments = zy - products[best] @ coefs[best]
        variance = _variance(moments)
        weight = _inverse(variance)
    return _Fit(
        gamma=float(gammas[best]),
        coefs=coefs[best],
        criterion=criterion,
        weight=weight,
        jacobian=jacobians[best],
        rank=int(np.linalg.matrix_rank(variance, tol=TOLERANCE * np.trace(variance))),
    )


def _covariance(panel: _Panel, fit: _Fit, shape: str) -> np.ndarray:
    """Of coefficients and threshold: ``(G' Omega^-1 G)^-1 / N`` (Seo & Shin 2016, theorem 1)."""
    n, k = len(panel.z), panel.fixed.shape[2]
    if shape == "kink":
        slope = fit.coefs[-1] * (
            (panel.q_now > fit.gamma) * -1.0 + (panel.q_before > fit.gamma) * 1.0
        )
    else:
        spread = np.concatenate([panel.q_now, panel.q_before[:, :1]], axis=1).std()
        width = 1.5 * 1.06 * spread * n ** (-0.2)
        density = [
            np.exp(-(((q - fit.gamma) / width) ** 2) / 2) / (width * np.sqrt(2 * np.pi))
            for q in (panel.q_now, panel.q_before)
        ]
        change = fit.coefs[k:]
        slope = (panel.before @ change) * density[1] - (panel.now @ change) * density[0]
    by_gamma = np.einsum("npl,np->l", panel.z, slope) / n
    g = np.column_stack([fit.jacobian, by_gamma])
    information = g.T @ fit.weight @ g
    scale = np.sqrt(np.diag(information))
    if np.linalg.eigvalsh(information / np.outer(scale, scale))[0] < 1e-12:
        raise TandemError(
            "The coefficients and the threshold are not identified together; lengthen "
            "instrument_lags, take fewer regressors or another threshold variable."
        )
    return np.linalg.inv(information) / n


def _linearity(panel, products, changes, draws, seed) -> tuple[float, np.ndarray]:
    """Largest Wald statistic of no change, of the sample and of each draw."""
    linear, target = products[0][:, :, :-changes], panel.zy.mean(axis=0)
    weight = _inverse(panel.first_weight)
    for _ in range(2):
        coefs = _linear(weight, linear.mean(axis=0), target)
        moments = panel.zy - linear @ coefs  # of the model without a threshold
        weight = _inverse(_variance(moments))
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    noise = rng.choice([-1.0, 1.0], size=(draws, len(panel.z)))
    stat = _sup_wald(panel, products, panel.zy[None], changes)[0]
    batch = max(1, BATCH // moments.size)
    drawn = [
        _sup_wald(panel, products, some[:, :, None] * moments, changes)
        for some in np.split(noise, range(batch, draws, batch))
    ]
    return float(stat), np.concatenate(drawn)


def _sup_wald(panel: _Panel, products: np.ndarray, zy: np.ndarray, changes: int) -> np.ndarray:
    """Two-step GMM at every gamma for each set of moments (draws, N, L); its largest Wald."""
    n, target = zy.shape[1], zy.mean(axis=1)
    first = _inverse(panel.first_weight)
    largest = np.full(len(zy), -np.inf)
    for product in products:
        jacobian = product.mean(axis=0)
        coefs = _linear(first, jacobian, target)
        explained = coefs @ product.reshape(-1, product.shape[2]).T
        moments = zy - explained.reshape(zy.shape)
        weight = _inverse(_variance(moments))
        coefs = _linear(weight, jacobian, target)
        cov = np.linalg.inv(jacobian.T @ weight @ jacobian)[:, -changes:, -changes:] / n
        change = coefs[:, -changes:]
        wald = np.einsum("bi,bi->b", change, np.linalg.solve(cov, change[..., None])[..., 0])
        largest = np.maximum(largest, wald)
    return largest


def _result(panel, fit, cov, changes, shape, linearity, level, names, gammas, facts):
    k = len(names)
    changed = ["const", *names] if shape == "jump" else ["slope of the kink"]
    terms = [*names, *(f"change: {name}" for name in changed), "threshold"]
    estimate = pd.Series([*fit.coefs, fit.gamma], terms)
    errors = pd.Series(np.sqrt(np.diag(cov)), terms)
    above = pd.DataFrame()
    if shape == "jump":
        add = np.hstack([np.eye(k), np.zeros((k, 1)), np.eye(k)])
        both = pd.Series(add @ fit.coefs, names)
        spread = pd.Series(np.sqrt(np.diag(add @ cov[:-1, :-1] @ add.T)), names)
        above = coefficient_table(both, spread, level=level)
    j = float(fit.criterion.min())
    return DynamicThreshold(
        terms=coefficient_table(estimate, errors, level=level),
        above=above,
        linearity_stat=linearity[0],
        linearity_p=linearity[1],
        hansen_j=chi_square(j, fit.rank - k - changes - 1),
        objective=pd.DataFrame({"gamma": gammas, "j": fit.criterion}),
        facts=facts | {"share_above": float((panel.q_now > fit.gamma).mean())},
    )
