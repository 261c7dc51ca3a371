"""Interactions: the effect of x as a moderator changes, with bands."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy import stats

from tandem.econometrics.coefficient_table import coefficient_table
from tandem.econometrics.complete_rows import complete_rows
from tandem.econometrics.confidence_sets import Intervals, in_words, slope_zero_set
from tandem.econometrics.maketables import ForMaketables
from tandem.econometrics.static import panel_regression
from tandem.errors import TandemError

GRID = 51  # points of the marginal effect
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)


@dataclass(frozen=True, eq=False)
class InteractionRegression(ForMaketables):
    """A regression of y on x, a moderator and their product.

    Attributes
    ----------
    terms : DataFrame
        x, moderator, "x:moderator", controls: estimate, std_error, statistic, p_value, conf_low,
        conf_high. The coefficient of x alone is its effect where the moderator is zero.
    marginal : DataFrame
        Effect of x over the moderator's range: moderator, estimate, std_error, statistic, p_value,
        conf_low, conf_high.
    at_quantiles : DataFrame
        The same at the 10, 25, 50, 75 and 90 % quantiles of the moderator.
    insignificant : tuple of (low, high)
        Moderator values at which the effect does not differ from zero (Johnson & Neyman 1936).
    moderator : Series
        Its values in the sample, for the figure.
    facts : dict
        Statistics of the model, as `models.csv` takes them.
    """

    terms: pd.DataFrame
    marginal: pd.DataFrame = field(repr=False)
    at_quantiles: pd.DataFrame
    insignificant: Intervals
    moderator: pd.Series = field(repr=False)
    facts: dict

    @property
    def statistics(self) -> dict:
        """Facts and effects under flat names, a value each."""
        flat = dict(self.facts) | {"insignificant": in_words(self.insignificant)}
        for quantile, row in self.at_quantiles.iterrows():
            flat |= {f"effect_q{quantile * 100:.0f}": row["estimate"]}
            flat |= {f"effect_q{quantile * 100:.0f}_p": row["p_value"]}
        return flat

    @property
    def summary(self) -> str:
        """Everything in plain text."""
        return "\n".join(
            [
                self.terms.to_string(float_format="%.5g"),
                "",
                f"Effect over {self.moderator.name}",
                self.at_quantiles.to_string(float_format="%.5g"),
                f"Not different from zero where {self.moderator.name} is in: "
                f"{in_words(self.insignificant)}",
            ]
        )


def interaction_regression(
    y: pd.Series,
    x: pd.Series,
    moderator: pd.Series,
    controls: pd.DataFrame | None = None,
    effects: str = "two-way",
    se: str = "clustered",
    level: float = 0.95,
) -> InteractionRegression:
    """Regress y on x, a moderator m and x m; the effect of x is ``b_x + b_xm m``.

    Its variance is ``V_x + 2 m V_x,xm + m^2 V_xm`` (Brambor, Clark & Golder 2006, Political
    Analysis 14, 63-82, eq. 8; from memory), with the covariance of the regression.

    Parameters
    ----------
    y, x, moderator : Series (entity-years,)
    controls : DataFrame (entity-years, k), optional
    effects, se
        As in `panel_regression`. A moderator that the effects explain (constant within entities,
        say) is left out as a regressor of its own; facts["moderator_absorbed"] says so.
    level : float
        Of all intervals.

    Raises
    ------
    TandemError
        x as its own moderator, and what `panel_regression` refuses.
    """
    if x.name == moderator.name:
        raise TandemError(f"'{x.name}' moderates itself; take curve_regression for its square.")
    rows, n_dropped = complete_rows(y, x, moderator, controls)
    product = f"{x.name}:{moderator.name}"
    design = rows[[x.name, moderator.name]].assign(**{product: rows[x.name] * rows[moderator.name]})
    design = design.join(rows.drop(columns=[y.name, x.name, moderator.name]))
    absorbed = _absorbed(rows[moderator.name], effects)
    if absorbed:
        design = design.drop(columns=moderator.name)
    result, facts = panel_regression(rows[y.name], design, effects, se)
    t_df = facts.get("t_df", int(result.df_resid))
    pair = [x.name, product]
    b, v = result.params[pair].to_numpy(), result.cov.loc[pair, pair].to_numpy()
    m = rows[moderator.name]
    grid = np.linspace(m.min(), m.max(), GRID)
    at_quantiles = _effect(b, v, m.quantile(list(QUANTILES)).to_numpy(), t_df, level)
    critical = float(stats.t.ppf((1 + level) / 2, t_df))
    return InteractionRegression(
        terms=coefficient_table(result.params, result.std_errors, t_df, level),
        marginal=_effect(b, v, grid, t_df, level),
        at_quantiles=at_quantiles.set_index(pd.Index(QUANTILES, name="quantile")),
        insignificant=slope_zero_set(b, v, critical),
        moderator=m,
        facts={
            "dependent": str(y.name),
            "estimator": "interaction",
            "n_obs": len(rows),
            "n_entities": rows.index.get_level_values(0).nunique(),
            "effects": effects,
            "r2_within": float(result.rsquared_within),
            **facts,
            "t_df": t_df,
            "n_dropped": n_dropped,
            "moderator_absorbed": absorbed,
            "conf_level": level,
        },
    )


def _absorbed(moderator: pd.Series, effects: str) -> bool:
    """True if entity, or entity and year, means explain the moderator wholly."""
    if effects not in ("entity", "two-way"):
        return False
    levels = [0, 1] if effects == "two-way" else [0]
    spread = moderator.std()
    return any(
        (moderator - moderator.groupby(level=k).transform("mean")).abs().max() <= 1e-9 * spread
        for k in levels
    )


def _effect(b, v, at: np.ndarray, t_df: int, level: float) -> pd.DataFrame:
    weights = np.column_stack([np.ones(len(at)), at])
    errors = np.sqrt(np.einsum("ij,jk,ik->i", weights, v, weights))
    table = coefficient_table(pd.Series(weights @ b), pd.Series(errors), t_df, level)
    return table.reset_index(drop=True).assign(moderator=at)[["moderator", *table.columns]]
