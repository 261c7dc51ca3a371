"""U shapes and N shapes: quadratic and cubic regressions, turning points, the U test."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from tandem.econometrics.coefficient_table import coefficient_table
from tandem.econometrics.complete_rows import complete_rows
from tandem.econometrics.confidence_sets import Intervals, in_words, slope_zero_set
from tandem.econometrics.maketables import ForMaketables
from tandem.econometrics.static import panel_regression
from tandem.errors import TandemError

GRID = 101  # points of the curve


class UTest(NamedTuple):
    """Test that the slope has one sign at the low end of an interval and the other at the high.

    `shape` is "U" or "inverse U", `stat` the lesser of the two t statistics in that direction,
    negative where the turning point lies outside the interval (then pval is above 0.5).
    """

    shape: str
    low: float
    high: float
    slope_low: float
    slope_high: float
    stat: float
    pval: float


@dataclass(frozen=True, eq=False)
class CurveRegression(ForMaketables):
    """A regression on the powers of x.

    Attributes
    ----------
    terms : DataFrame
        x, x^2 (and x^3), controls: estimate, std_error, statistic, p_value, conf_low, conf_high.
    turning_points : DataFrame
        A row each: point, kind ("minimum", "maximum"), in_range (of the data), std_error,
        conf_low, conf_high (delta method). Empty if a cubic is monotone.
    flat : tuple of (low, high)
        Where the slope does not differ from zero: for a quadratic Fieller's interval of the
        turning point, which may be unbounded; for a cubic it holds both points.
    u_test : UTest or None
        Of a quadratic.
    curve : DataFrame
        x over the data, value (relative to the mean of x), conf_low, conf_high, slope, slope_low,
        slope_high.
    facts : dict
        Statistics of the model, as `models.csv` takes them.
    """

    terms: pd.DataFrame
    turning_points: pd.DataFrame
    flat: Intervals
    u_test: UTest | None
    curve: pd.DataFrame = field(repr=False)
    facts: dict

    @property
    def statistics(self) -> dict:
        """Facts, turning points and the U test under flat names, a value each."""
        flat = dict(self.facts)
        for number, row in self.turning_points.iterrows():
            flat |= {f"turning_{number}_{name}": row[name] for name in self.turning_points}
        flat["turning_set"] = in_words(self.flat)
        if self.u_test is not None:
            flat |= {f"u_test_{name}": value for name, value in self.u_test._asdict().items()}
        return flat

    @property
    def summary(self) -> str:
        """Everything in plain text."""
        lines = [self.terms.to_string(float_format="%.5g"), ""]
        if len(self.turning_points):
            lines.append(self.turning_points.to_string(float_format="%.5g"))
        else:
            lines.append("No turning point: the curve is monotone.")
        lines.append(f"Slope not different from zero: {in_words(self.flat)}")
        if self.u_test is not None:
            u = self.u_test
            lines.append(
                f"{u.shape} on [{u.low:.4g}, {u.high:.4g}] against a monotone or opposite shape: "
                f"t = {u.stat:.3f}, p = {u.pval:.4f}"
            )
        return "\n".join(lines)


def curve_regression(
    y: pd.Series,
    x: pd.Series,
    controls: pd.DataFrame | None = None,
    degree: int = 2,
    effects: str = "two-way",
    se: str = "clustered",
    interval: tuple[float, float] | None = None,
    level: float = 0.95,
) -> CurveRegression:
    """Regress y on x and its powers, and look where the curve turns.

    The U test of Lind & Mehlum (2010, Oxford Bulletin of Economics and Statistics 72, 109-118)
    takes a U shape as shown if the slope is significantly negative at the low end of the interval
    and positive at the high end (Sasabuchi 1980): its p-value is the larger of both one-sided
    ones. Turning points have intervals by the delta method and by Fieller's (1954) theorem; where
    they differ much, believe Fieller. Attributions from memory.

    Parameters
    ----------
    y, x : Series (entity-years,)
    controls : DataFrame (entity-years, m), optional
    degree : {2, 3}
    effects, se
        As in `panel_regression`.
    interval : (low, high), optional
        Where the U test looks; default is the range of x. Within the data.
    level : float
        Of all intervals.

    Raises
    ------
    TandemError
        Another degree, an interval beyond the data, and what `panel_regression` refuses.
    """
    if degree not in (2, 3):
        raise TandemError(f"A curve is quadratic (2) or cubic (3); degree={degree} was given.")
    rows, n_dropped = complete_rows(y, x, controls)
    names = [x.name, *(f"{x.name}^{power}" for power in range(2, degree + 1))]
    powers = {name: rows[x.name] ** (p + 1) for p, name in enumerate(names)}
    others = [] if controls is None else list(controls)
    design = pd.DataFrame(powers).join(rows[others])
    result, facts = panel_regression(rows[y.name], design, effects, se)
    t_df = facts.get("t_df", int(result.df_resid))
    b = result.params[names].to_numpy()
    v = result.cov.loc[names, names].to_numpy()
    critical = float(stats.t.ppf((1 + level) / 2, t_df))
    data_range = float(rows[x.name].min()), float(rows[x.name].max())
    low, high = data_range if interval is None else interval
    if not data_range[0] <= low < high <= data_range[1]:
        raise TandemError(
            f"The U test looks at [{low:g}, {high:g}], but {x.name} lies in "
            f"[{data_range[0]:g}, {data_range[1]:g}]; take an interval within the data."
        )
    power = np.arange(1, degree + 1)
    return CurveRegression(
        terms=coefficient_table(result.params, result.std_errors, t_df, level),
        turning_points=_turning_points(b, v, critical, data_range),
        flat=slope_zero_set(b * power, v * np.outer(power, power), critical),
        u_test=_u_test(b, v, low, high, t_df) if degree == 2 else None,
        curve=_curve(b, v, critical, np.linspace(*data_range, GRID), float(rows[x.name].mean())),
        facts={
            "dependent": str(y.name),
            "estimator": {2: "quadratic", 3: "cubic"}[degree],
            "n_obs": len(rows),
            "n_entities": rows.index.get_level_values(0).nunique(),
            "effects": effects,
            "r2_within": float(result.rsquared_within),
            **facts,
            "t_df": t_df,
            "n_dropped": n_dropped,
            "x_low": data_range[0],
            "x_high": data_range[1],
            "conf_level": level,
        },
    )


def _slope_weights(x: np.ndarray, degree: int) -> np.ndarray:
    """Rows p with slope ``p'b`` at each x, (len(x), degree): 1, 2x, 3x^2."""
    power = np.arange(1, degree + 1)
    return power * np.asarray(x, float)[:, None] ** (power - 1)


def _turning_points(b, v, critical, data_range) -> pd.DataFrame:
    """Roots of the slope; the gradient of a root is ``-p / (d slope / d x)``."""
    degree = len(b)
    slope = b * np.arange(1, degree + 1)
    roots = np.roots(slope[::-1])
    points = np.sort(roots.real[np.abs(roots.imag) <= 1e-12 * (1 + np.abs(roots))])
    bend = np.polyval(np.polyder(slope[::-1]), points)
    gradient = -_slope_weights(points, degree) / bend[:, None]
    error = np.sqrt(np.einsum("ij,jk,ik->i", gradient, v, gradient))
    columns = {
        "point": points,
        "kind": np.where(bend > 0, "minimum", "maximum"),
        "in_range": (points >= data_range[0]) & (points <= data_range[1]),
        "std_error": error,
        "conf_low": points - critical * error,
        "conf_high": points + critical * error,
    }
    return pd.DataFrame(columns, index=pd.RangeIndex(1, len(points) + 1, name="turning_point"))


def _u_test(b, v, low: float, high: float, t_df: int) -> UTest:
    weights = _slope_weights([low, high], 2)
    slopes = weights @ b
    t = slopes / np.sqrt(np.einsum("ij,jk,ik->i", weights, v, weights))
    sign = np.sign(b[1])
    stat = float(min(-sign * t[0], sign * t[1]))
    shape = "U" if sign > 0 else "inverse U"
    pval = float(stats.t.sf(stat, t_df))
    return UTest(shape, float(low), float(high), float(slopes[0]), float(slopes[1]), stat, pval)


def _curve(b, v, critical, x, reference) -> pd.DataFrame:
    power = np.arange(1, len(b) + 1)
    away = x[:, None] ** power - reference**power
    weights = _slope_weights(x, len(b))
    reach, slope_reach = (
        critical * np.sqrt(np.einsum("ij,jk,ik->i", w, v, w)) for w in (away, weights)
    )
    value, slope = away @ b, weights @ b
    columns = {
        "x": x,
        "value": value,
        "conf_low": value - reach,
        "conf_high": value + reach,
        "slope": slope,
        "slope_low": slope - slope_reach,
        "slope_high": slope + slope_reach,
    }
    return pd.DataFrame(columns)
