"""Mediation within entities: does x act on y through m, and where does it do so more?"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from tandem.econometrics.coefficient_table import coefficient_table
from tandem.econometrics.complete_rows import complete_rows
from tandem.econometrics.static import panel_regression
from tandem.econometrics.within_blocks import resampled, within_blocks
from tandem.errors import TandemError

QUANTILES = (0.1, 0.5, 0.9)  # of the moderator


@dataclass(frozen=True, eq=False)
class Mediation:
    """Effect of x on y, split into a part through the mediator and the rest.

    Attributes
    ----------
    terms : DataFrame
        Index term: "x -> m" (a), "m -> y" (b), direct (c'), indirect (a b), total (c), and with a
        moderator the indirect effect at its quantiles and the index of moderated mediation.
        Columns estimate, std_error (of the bootstrap), conf_low, conf_high (percentiles) and
        p_value (twice the share of draws on the other side of zero).
    share : float
        Indirect over total effect; NaN if the two have other signs, where it means nothing.
    steps : DataFrame
        The three regressions one after the other, y on x, m on x, y on x and m: index (equation,
        term), estimate, std_error (clustered by entity), statistic, p_value, conf_low, conf_high.
    draws : DataFrame (draws, terms)
    facts : dict
    """

    terms: pd.DataFrame
    share: float
    steps: pd.DataFrame
    draws: pd.DataFrame = field(repr=False)
    facts: dict

    @property
    def summary(self) -> str:
        """The terms and facts in plain text."""
        facts = "\n".join(f"{name}: {value}" for name, value in self.facts.items())
        share = "none" if np.isnan(self.share) else f"{self.share:.1%}"
        tables = (table.to_string(float_format="%.5g") for table in (self.terms, self.steps))
        return "\n\n".join([*tables, f"share: {share}\n{facts}"])


def mediation(
    y: pd.Series,
    x: pd.Series,
    m: pd.Series,
    controls: pd.DataFrame | None = None,
    moderator: pd.Series | None = None,
    effects: str = "two-way",
    draws: int = 999,
    seed: int = 1,
    level: float = 0.95,
) -> Mediation:
    """Product-of-coefficients mediation with effects, and bands from a bootstrap of whole entities.

    ``m = a x + ..., y = c' x + b m + ..., y = c x + ...``: indirect a b, and c = c' + a b. With a
    moderator w of the first arrow, ``m = a x + a3 x w + a2 w + ...``: indirect (a + a3 w) b, index
    of moderated mediation a3 b (Hayes 2015, equation 5). The arrows are causal only if nothing left
    out moves m and y, or x and m, together, which no figure here can show.

    Parameters
    ----------
    y, x, m : Series (entity-years,)
        With names, indexed by (entity, year); lag x and m as the theory has it.
    controls : DataFrame (entity-years, k), optional
        In every equation.
    moderator : Series, optional
    effects : {"entity", "two-way"}
    draws : int
    seed : int or SeedSequence
    level : float

    Raises
    ------
    TandemError
        Other effects, fewer than 99 draws, or what `complete_rows` and `panel_regression` refuse.

    References
    ----------
    Baron & Kenny (1986), Journal of Personality and Social Psychology 51, 1173-1182; Hayes (2015),
    Multivariate Behavioral Research 50, 1-22 (both from memory); clusters as the unit of
    resampling: Cameron, Gelbach & Miller (2008), section II.
    """
    if effects not in ("entity", "two-way"):
        raise TandemError(f"Mediation has entity or two-way effects, not {effects}.")
    if draws < 99:
        raise TandemError(f"{draws} draws are too few for a band; take at least 99.")
    rows, dropped = complete_rows(y, x, m, moderator, controls)
    names = [str(part.name) for part in (y, x, m)]
    others = [] if controls is None else list(controls)
    product = []
    if moderator is not None:
        rows = rows.assign(**{"x:w": rows[x.name] * rows[moderator.name]})
        product = ["x:w", moderator.name]
    equations = {
        f"{y.name} on {x.name}": (y.name, [x.name, *product[1:]]),
        f"{m.name} on {x.name}": (m.name, [x.name, *product]),
        f"{y.name} on {x.name} and {m.name}": (y.name, [x.name, m.name, *product[1:]]),
    }
    steps = {}
    for equation, (left, right) in reversed(equations.items()):  # the last refuses the collinear
        fit, facts = panel_regression(rows[left], rows[[*right, *others]], effects)
        steps[equation] = coefficient_table(fit.params, fit.std_errors, facts["t_df"], level)
    steps = pd.concat({name: steps[name] for name in equations}, names=["equation"])
    blocks = within_blocks(rows, effects)
    n = len(blocks.entities)
    weights = np.vstack([np.ones(n), resampled(n, draws, seed)])
    at = {} if moderator is None else rows[moderator.name].quantile(list(QUANTILES)).to_dict()
    found = _effects(blocks, weights, names, product, others, at)
    terms = _bands(found, level)
    indirect, total = (terms.at[name, "estimate"] for name in ("indirect", "total"))
    facts = {
        "n_obs": len(rows), "n_dropped": dropped, "n_clusters": n, "effects": effects,
        "draws": draws, "se_type": "bootstrap of whole entities",
    }  # fmt: skip
    share = indirect / total if indirect * total > 0 and abs(indirect) <= abs(total) else np.nan
    return Mediation(terms, float(share), steps, found.iloc[1:].reset_index(drop=True), facts)


def _effects(blocks, weights, names, product, others, at) -> pd.DataFrame:
    """One row a weighting: paths and effects."""
    y, x, m = names
    first = blocks.fit(weights, m, [x, *product, *others])
    # the moderator of the first arrow stands in the second equation as well, on its own
    second = blocks.fit(weights, y, [x, m, *product[1:], *others])
    total = blocks.fit(weights, y, [x, *product[1:], *others])[:, 0]
    a, direct, b = first[:, 0], second[:, 0], second[:, 1]
    columns = {f"{x} -> {m}": a, f"{m} -> {y}": b, "direct": direct}
    if not product:
        return pd.DataFrame(columns | {"indirect": a * b, "total": total})
    middle = at[0.5]
    columns |= {"indirect": (a + first[:, 1] * middle) * b, "total": total}
    for quantile, value in at.items():
        columns[f"indirect at q{quantile * 100:.0f}"] = (a + first[:, 1] * value) * b
    return pd.DataFrame(columns | {"index of moderated mediation": first[:, 1] * b})


def _bands(found: pd.DataFrame, level: float) -> pd.DataFrame:
    """Estimates (first row) with the bootstrap's standard errors, percentiles and p-values."""
    drawn = found.iloc[1:]
    below, above = (drawn <= 0).mean(), (drawn >= 0).mean()
    columns = {
        "estimate": found.iloc[0],
        "std_error": drawn.std(ddof=1),
        "p_value": np.minimum(1, 2 * np.minimum(below, above).clip(lower=1 / (len(drawn) + 1))),
        "conf_low": drawn.quantile((1 - level) / 2),
        "conf_high": drawn.quantile((1 + level) / 2),
    }
    return pd.DataFrame(columns).rename_axis("term")
