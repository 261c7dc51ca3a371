"""Instrumental variables for panels: 2SLS, LIML and GMM within entity and year effects."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from linearmodels.iv import IV2SLS, IVGMM, IVLIML
from linearmodels.panel.data import PanelData

from tandem.econometrics.chi_square import ChiSquare, chi_square
from tandem.econometrics.coefficient_table import coefficient_table
from tandem.econometrics.complete_rows import complete_rows
from tandem.econometrics.confidence_sets import Intervals, in_words
from tandem.econometrics.maketables import ForMaketables
from tandem.econometrics.specification import FTest
from tandem.econometrics.weak_instruments import anderson_rubin, f_test, first_stage
from tandem.errors import TandemError

METHODS = {"2sls": IV2SLS, "liml": IVLIML, "gmm": IVGMM}
EFFECTS = {"none": None, "entity": "entity", "two-way": "both"}
ERRORS = {
    "unadjusted": "classical",
    "robust": "heteroskedasticity-robust",
    "clustered": "clustered by entity",
}
LEFT = 1e-9  # share of a column's norm that the effects and other columns must leave


@dataclass(frozen=True, eq=False)
class InstrumentalRegression(ForMaketables):
    """A regression with endogenous regressors.

    Attributes
    ----------
    terms : DataFrame (k,)
        estimate, std_error, statistic, p_value, conf_low, conf_high.
    first_stage : DataFrame (endogenous,)
        F of the excluded instruments in each first stage, its p-value, and the partial R2.
    cragg_donald, kleibergen_paap : float
        Wald F forms of the rank statistics; with one endogenous regressor Kleibergen-Paap's is the
        first-stage F with the standard errors of the model.
    effective_f, effective_f_critical : float or None
        Montiel Olea and Pflueger's F and its 5 % critical value against a worst-case bias above
        10 % (simplified, conservative); with one endogenous regressor only.
    anderson_rubin : FTest
        That all endogenous regressors have coefficient zero; valid however weak the instruments.
    anderson_rubin_set : tuple of (low, high), or None
        Values of the one endogenous regressor's coefficient that the Anderson-Rubin test keeps:
        an interval, several, the whole line or none.
    overidentification : ChiSquare or None
        Sargan's test (unadjusted errors) or Hansen's J; None if exactly identified or if there are
        too few clusters for the moments.
    endogeneity : FTest
        That least squares would do: Wu's test by regression (first-stage residuals added).
    facts : dict
        Statistics of the model, as `models.csv` takes them.
    """

    terms: pd.DataFrame
    first_stage: pd.DataFrame
    cragg_donald: float
    kleibergen_paap: float
    effective_f: float | None
    effective_f_critical: float | None
    anderson_rubin: FTest
    anderson_rubin_set: Intervals | None
    overidentification: ChiSquare | None
    endogeneity: FTest
    facts: dict

    @property
    def statistics(self) -> dict:
        """Facts and tests under flat names, a value each."""
        flat = dict(self.facts)
        for name, row in self.first_stage.iterrows():
            flat |= {
                f"first_stage_f:{name}": row["f_stat"],
                f"first_stage_p:{name}": row["p_value"],
            }
        flat |= {"cragg_donald_f": self.cragg_donald, "kleibergen_paap_f": self.kleibergen_paap}
        if self.effective_f is not None:
            flat |= {
                "effective_f": self.effective_f,
                "effective_f_critical": self.effective_f_critical,
                "anderson_rubin_set": in_words(self.anderson_rubin_set),
            }
        flat |= _flat("anderson_rubin", self.anderson_rubin)
        if self.overidentification is not None:
            flat |= _flat("overidentification", self.overidentification)
        return flat | _flat("endogeneity", self.endogeneity)

    @property
    def summary(self) -> str:
        """Everything in plain text."""
        flat = {
            name: f"{value:.4f}" if isinstance(value, float) else value
            for name, value in self.statistics.items()
        }
        width = max(map(len, flat))
        lines = [f"{name:<{width}}  {value}" for name, value in flat.items()]
        return "\n".join([self.terms.to_string(float_format="%.5g"), "", *lines])


def instrumental_regression(
    y: pd.Series,
    endog: pd.Series | pd.DataFrame,
    instruments: pd.Series | pd.DataFrame,
    exog: pd.DataFrame | None = None,
    effects: str = "entity",
    method: str = "2sls",
    se: str = "clustered",
    level: float = 0.95,
) -> InstrumentalRegression:
    """Regress y on endogenous and exogenous regressors, with excluded instruments.

    Effects are taken out of every column first. Variances are those without correction times
    ``G/(G-1) (n-1)/(n-k)`` (clustered, G entities) or ``n/(n-k)``; k counts regressors, constant
    and effects, but not entity effects alone under clustering, as they are nested in the clusters
    (the rule of `panel_regression`). Tests use t and F with G - 1 or n - k degrees of freedom.

    Parameters
    ----------
    y : Series (entity-years,)
    endog : Series or DataFrame (entity-years, p)
    instruments : Series or DataFrame (entity-years, L)
        Excluded from the equation, L >= p.
    exog : DataFrame (entity-years, m), optional
        Without a constant.
    effects : {"none", "entity", "two-way"}
    method : {"2sls", "liml", "gmm"}
        GMM is two-step with a weight of the same kind as the standard errors.
    se : {"unadjusted", "robust", "clustered"}
    level : float
        Of the intervals and of the Anderson-Rubin set.

    Returns
    -------
    InstrumentalRegression

    Raises
    ------
    TandemError
        An unknown choice, fewer instruments than endogenous regressors, collinear or constant
        columns (also within effects), text, too few rows or clusters, or for GMM a singular
        weight.

    References
    ----------
    Wooldridge (2010), chapters 5 and 8, and Cameron & Miller (2015), section VI for the degrees of
    freedom; those of the tests stand in `weak_instruments`. Attributions from memory.
    """
    _check_choice(effects, EFFECTS, "Effects")
    _check_choice(method, METHODS, "Methods")
    _check_choice(se, ERRORS, "Standard errors")
    endog, instruments = (
        v.to_frame() if isinstance(v, pd.Series) else v for v in (endog, instruments)
    )
    if instruments.shape[1] < endog.shape[1]:
        raise TandemError(
            f"{endog.shape[1]} endogenous regressors need at least as many instruments; "
            f"{instruments.shape[1]} given: find more or take a regressor as exogenous."
        )
    rows, n_dropped = complete_rows(y, endog, instruments, exog)
    rows, n_singletons = _without_singletons(rows, effects)
    names = [] if exog is None else list(exog)
    _check_size(rows, len(names) + instruments.shape[1], effects)
    demeaned, included = _take_out_effects(rows, names, effects)
    blocks = [[y.name], list(endog), list(instruments)]
    _refuse_collinear(rows, demeaned, [*included, *endog], effects)
    _refuse_collinear(rows, demeaned, [*included, *instruments], effects)
    covariance = _Covariance(demeaned.index, se, _effects_taken(rows.index, effects))
    result = _fit(demeaned, y.name, included, *blocks[1:], method, se)
    if se == "clustered" and covariance.n_entities <= instruments.shape[1]:
        raise TandemError(
            f"{covariance.n_entities} entities are too few to test {instruments.shape[1]} excluded "
            "instruments with clustered errors, whose joint variance is singular; take fewer "
            "instruments or se='robust'."
        )
    order = [*endog, *names, *(name for name in included if name not in names)]
    factor = covariance.factor(len(included) + endog.shape[1])
    t_df = covariance.df(len(included) + endog.shape[1])
    terms = coefficient_table(
        result.params[order], result.std_errors[order] * np.sqrt(factor), t_df, level
    )
    y1, x, z = (_partial(demeaned, block, included) for block in blocks)
    _refuse_explained(x, z, list(endog))
    stage = first_stage(x, z, covariance, len(included))
    test, kept = anderson_rubin(y1[:, 0], x, z, covariance, len(included), level)
    facts = {
        "dependent": str(y.name),
        "estimator": {"2sls": "2SLS", "liml": "LIML", "gmm": "two-step GMM"}[method],
        "n_obs": len(rows),
        "n_entities": covariance.n_entities,
        "n_instruments": instruments.shape[1],
        "effects": effects,
        "se_type": ERRORS[se],
        "se_factor": f"{factor:.4f}",
        "t_df": t_df,
        "n_dropped": n_dropped,
        "n_singletons": n_singletons,
        "conf_level": level,
    }
    if method == "liml":
        facts["kappa"] = float(result.kappa)
    return InstrumentalRegression(
        terms=terms,
        first_stage=_by_regressor(x, z, list(endog), covariance, len(included)),
        **stage,
        anderson_rubin=test,
        anderson_rubin_set=kept,
        overidentification=_overidentification(demeaned, y.name, included, *blocks[1:], covariance),
        endogeneity=_endogeneity(y1[:, 0], x, z, covariance, len(included)),
        facts=facts,
    )


@dataclass(frozen=True, eq=False)
class _Covariance:
    """How sums of scores vary, and what small-sample factor goes with it."""

    index: pd.MultiIndex
    se: str
    effects: int  # constants that the effects took

    @property
    def n_entities(self) -> int:
        return self.index.get_level_values(0).nunique()

    @property
    def effects_counted(self) -> int:
        """Entity effects alone do not count if clustered: they are nested in the clusters."""
        nested = self.se == "clustered" and self.effects == self.n_entities
        return 0 if nested else self.effects

    def df(self, k: int) -> int:
        """Degrees of freedom of t and F, k regressors with the constant."""
        if self.se == "clustered":
            return self.n_entities - 1
        return len(self.index) - k - self.effects_counted

    def factor(self, k: int) -> float:
        """Reported over uncorrected variance, k regressors with the constant."""
        n = len(self.index)
        if self.se == "clustered":
            groups = self.n_entities
            return groups / (groups - 1) * (n - 1) / (n - k - self.effects_counted)
        return n / (n - k - self.effects_counted)

    def meat(self, z: np.ndarray, u: np.ndarray) -> np.ndarray:
        """Variance of ``sum_i vec(z_i u_i')``, (L q, L q) in the order of the q columns of u."""
        if self.se == "unadjusted":
            return np.kron(u.T @ u / len(u), z.T @ z)
        scores = (u[:, :, None] * z[:, None, :]).reshape(len(u), -1)
        if self.se == "clustered":
            code = pd.factorize(self.index.get_level_values(0))[0]
            sums = np.zeros((code.max() + 1, scores.shape[1]))
            np.add.at(sums, code, scores)
            scores = sums
        return scores.T @ scores


def _check_choice(choice: str, known: dict, what: str) -> None:
    if choice not in known:
        raise TandemError(f"{what} are {', '.join(known)}; '{choice}' is none of them.")


def _without_singletons(rows: pd.DataFrame, effects: str) -> tuple[pd.DataFrame, int]:
    """Drop entities of one row, which an effect of their own explains wholly."""
    if effects == "none":
        return rows, 0
    size = rows.groupby(level=0)[rows.columns[0]].transform("size")
    if (size == 1).all():
        raise TandemError("No entity has two complete rows; entity effects explain everything.")
    return rows[size > 1], int((size == 1).sum())


def _effects_taken(index: pd.MultiIndex, effects: str) -> int:
    entities, years = (index.get_level_values(level).nunique() for level in (0, 1))
    return {"none": 0, "entity": entities, "two-way": entities + years - 1}[effects]


def _check_size(rows: pd.DataFrame, columns: int, effects: str) -> None:
    taken = max(_effects_taken(rows.index, effects), 1)
    if len(rows) <= columns + taken + 1:
        raise TandemError(
            f"Only {len(rows)} complete rows for {columns} exogenous columns and {taken} constants "
            "or effects; add entities or years, or take fewer columns."
        )
    if rows.index.get_level_values(0).nunique() < 2:
        raise TandemError(f"A panel has several entities; {rows.index[0][0]} alone was given.")


def _take_out_effects(rows: pd.DataFrame, exog: list, effects: str) -> tuple[pd.DataFrame, list]:
    """Columns without effects, and the names of those included in both stages."""
    if effects == "none":
        return rows.assign(const=1.0), ["const", *exog]
    demeaned = PanelData(rows).demean(EFFECTS[effects]).dataframe
    return demeaned.reindex(rows.index), exog


def _refuse_collinear(rows, demeaned, names: list, effects: str) -> None:
    norms = np.linalg.norm(rows.reindex(columns=names, fill_value=1.0), axis=0)
    left = np.abs(np.diag(np.linalg.qr(demeaned[names].to_numpy() / norms)[1]))
    if left.min() <= LEFT:
        position = int(np.flatnonzero(left <= LEFT)[0])
        raise TandemError(
            f"'{names[position]}' is explained wholly by the effects ({effects}) or by "
            f"{', '.join(names[:position]) or 'nothing else'}; leave one out."
        )


def _fit(data, y, included, endog, instruments, method, se):
    exog = data[included] if included else None
    arguments = (data[y], exog, data[endog], data[instruments])
    clusters = {}
    if se == "clustered":
        codes = pd.factorize(data.index.get_level_values(0))[0]
        clusters = {"clusters": pd.Series(codes, data.index, name="cluster")}
    if method != "gmm":
        return METHODS[method](*arguments).fit(cov_type=se, debiased=False, **clusters)
    try:
        model = IVGMM(*arguments, weight_type=se, **clusters)
        return model.fit(iter_limit=2, cov_type=se, debiased=False, **clusters)
    except ValueError as error:
        raise TandemError(
            f"The two-step GMM weight of {len(included) + len(instruments)} moments is singular "
            f"with {data.index.get_level_values(0).nunique()} entities; take fewer instruments or "
            "method='2sls'."
        ) from error


def _partial(data: pd.DataFrame, names: list, included: list) -> np.ndarray:
    """Columns without what the included exogenous regressors explain, (n, len(names))."""
    values = data[names].to_numpy(float)
    if not included:
        return values
    others = data[included].to_numpy(float)
    return values - others @ np.linalg.lstsq(others, values, rcond=None)[0]


def _refuse_explained(x: np.ndarray, z: np.ndarray, names: list) -> None:
    residuals = x - z @ np.linalg.lstsq(z, x, rcond=None)[0]
    left = np.linalg.norm(residuals, axis=0) / np.linalg.norm(x, axis=0)
    if left.min() <= LEFT:
        raise TandemError(
            f"The instruments explain '{names[int(left.argmin())]}' wholly, so it is as exogenous "
            "as they are; take it into exog."
        )


def _by_regressor(x, z, names, covariance, n_included) -> pd.DataFrame:
    """F of the excluded instruments in the first stage of each endogenous regressor."""
    inverse = np.linalg.inv(z.T @ z)
    factor, df = (f(n_included + z.shape[1]) for f in (covariance.factor, covariance.df))
    rows = []
    for column in x.T:
        pi = inverse @ z.T @ column
        residuals = column - z @ pi
        v = inverse @ covariance.meat(z, residuals[:, None]) @ inverse * factor
        test = f_test(pi, v, df)
        partial_r2 = 1 - residuals @ residuals / (column @ column)
        rows.append((test.stat, test.pval, float(partial_r2)))
    return pd.DataFrame(rows, names, ["f_stat", "p_value", "partial_r2"])


def _endogeneity(y, x, z, covariance, n_included) -> FTest:
    """Wald test that the first-stage residuals do not enter the equation."""
    residuals = x - z @ np.linalg.lstsq(z, x, rcond=None)[0]
    design = np.hstack([x, residuals])
    inverse = np.linalg.inv(design.T @ design)
    b = inverse @ design.T @ y
    k, p = n_included + design.shape[1], x.shape[1]
    meat = covariance.meat(design, (y - design @ b)[:, None])
    v = inverse @ meat @ inverse * covariance.factor(k)
    return f_test(b[p:], v[p:, p:], covariance.df(k))


def _overidentification(data, y, included, endog, instruments, covariance) -> ChiSquare | None:
    """Sargan's test, with as many rows as the effects leave, or the two-step Hansen J."""
    surplus = len(instruments) - len(endog)
    if surplus == 0:
        return None
    fitted = data, y, included, endog, instruments
    if covariance.se == "unadjusted":
        left = 1 - covariance.effects / len(data)
        return chi_square(_fit(*fitted, "2sls", "unadjusted").sargan.stat * left, surplus)
    try:
        return chi_square(_fit(*fitted, "gmm", covariance.se).j_stat.stat, surplus)
    except TandemError:
        return None


def _flat(name: str, test: FTest | ChiSquare) -> dict:
    df = "{}, {}".format(*test.df) if isinstance(test, FTest) else test.df
    return {name: test.stat, f"{name}_df": df, f"{name}_p": test.pval}
