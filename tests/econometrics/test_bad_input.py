"""Bad input to every public estimator: an error in words or finite numbers, never a NaN table."""

import dataclasses
import warnings

import numpy as np
import pandas as pd
import pytest

import tandem.econometrics as ec
from tandem.econometrics.convergence import beta_convergence, sigma_convergence
from tandem.econometrics.static import EFFECTS, panel_regression
from tandem.errors import TandemError

ENTITIES, YEARS = list("abcdefghijklmnop"), range(2001, 2017)


def panel():
    rng = np.random.default_rng(7)
    n, t = len(ENTITIES), len(YEARS)
    e = rng.normal(size=(3, n, t))
    x = e[0] + rng.normal(size=(n, 1))
    y = np.zeros((n, t))
    for s in range(t):
        y[:, s] = 0.4 * (y[:, s - 1] if s else 0) + 0.5 * x[:, s] + e[1, :, s]
    index = pd.MultiIndex.from_product([ENTITIES, YEARS], names=["entity", "year"])
    values = {"y": y.ravel() + 10, "x": x.ravel() + 10, "z": e[2].ravel() + 10}
    return pd.DataFrame(values, index)


def without(frame, entity, years):
    gone = (frame.index.get_level_values(0) == entity) & frame.index.get_level_values(1).isin(years)
    return frame[~gone]


def changed(frame, value):
    x = frame["x"].astype(object) if isinstance(value, str) else frame["x"].copy()
    x.loc[("c", 2008)] = value
    return frame.assign(x=x)


DAMAGES = {
    "collinear": lambda f: f.assign(z=2 * f["x"] - 1),
    "constant column": lambda f: f.assign(x=3.0),
    "constant dependent variable": lambda f: f.assign(y=3.0),
    "constant within entities": lambda f: f.assign(x=f["x"].groupby(level=0).transform("mean")),
    "singleton entity": lambda f: without(f, "c", YEARS[1:]),
    "gap year": lambda f: without(f, "c", [2008]),
    "T too short": lambda f: f[f.index.get_level_values(1) < 2003],
    "one entity": lambda f: f.loc[["c"]],
    "NaN": lambda f: changed(f, np.nan),
    "infinite": lambda f: changed(f, np.inf),
    "string": lambda f: changed(f, "n. a."),
    "row twice": lambda f: pd.concat([f, f[39:40]]),
    "empty": lambda f: f[:0],
}


def circle(frame):
    """Each entity beside the next."""
    names = frame.index.unique(level=0)
    w = np.roll(np.eye(len(names)), 1, axis=1)
    return pd.DataFrame((w + w.T) / 2, names, names)


def halves(frame):
    names = frame.index.unique(level=0)
    return pd.Series(np.where(names < "h", "early", "late"), names)


def one(frame):
    """The years of one entity."""
    return frame[frame.index.get_level_values(0) == "c"].droplevel(0)


def static(effects, se="clustered"):
    def fit(f):
        result, facts = panel_regression(f["y"], f[["x", "z"]], effects, se)
        return result.params, result.std_errors, facts

    return fit


def hausman(f):
    y, x = f["y"], f[["x", "z"]]
    both = [panel_regression(y, x, kind, "unadjusted")[0] for kind in ("entity", "random")]
    found = ec.hausman(*both)
    return found.stat if found.valid else 0.0


XZ = ["x", "z"]
# what may be without end or undefined, and says so in its docstring
OPEN = {"flat", "insignificant", "anderson_rubin_set", "regimes", "share"}
OPEN |= {"delta_adjusted", "pval_adjusted", "sd_between", "speed", "half_life"}
FITS = {
    **{f"panel_regression, {e}": static(e) for e in EFFECTS if e != "between"},
    "panel_regression, between": static("between", "robust"),
    "panel_regression, Driscoll-Kraay": static("two-way", "driscoll-kraay"),
    "panel_regression, two clusters": static("entity", "two-way clustered"),
    "panel_regression, xtreg": static("two-way", "xtreg"),
    "describe_panel": lambda f: ec.describe_panel(f),
    "correlations": lambda f: ec.correlations(f),
    "variance_inflation": lambda f: ec.variance_inflation(f[XZ]).replace(np.inf, 1e300),
    "cross_section_tests": lambda f: ec.cross_section_tests(f["x"]),
    "heterogeneous_residuals": lambda f: ec.heterogeneous_residuals(f["y"], f[XZ]),
    "slope_homogeneity": lambda f: ec.slope_homogeneity(f["y"], f[XZ]),
    "slope_homogeneity, HAC": lambda f: ec.slope_homogeneity(f["y"], f[XZ], hac=True),
    "effects_test": lambda f: ec.effects_test(f["y"], f[XZ]),
    "random_effects_test": lambda f: ec.random_effects_test(f["y"], f[XZ]),
    "serial_correlation_test": lambda f: ec.serial_correlation_test(f["y"], f[XZ]),
    "unequal_variances_test": lambda f: ec.unequal_variances_test(f["y"], f[XZ]),
    "specification_table": lambda f: ec.specification_table(f["y"], f[XZ]),
    "hausman": hausman,
    "hausman_robust": lambda f: ec.hausman_robust(f["y"], f[XZ]),
    "hausman_bootstrap": lambda f: ec.hausman_bootstrap(f["y"], f[XZ], draws=99),
    "wild_cluster_p": lambda f: ec.wild_cluster_p(f["y"], f[XZ], "x", "two-way", draws=99),
    "DynamicPanel": lambda f: ec.DynamicPanel(f["y"], f[XZ], collapse=True).fit(),
    "DynamicPanel, system": lambda f: ec.DynamicPanel(
        f["y"], f[["z"]], f[["x"]], system=True, collapse=True, transform="fod"
    ).fit(),
    "bias_corrected_within": lambda f: ec.bias_corrected_within(f["y"], f[XZ], draws=50),
    "instrumental_regression": lambda f: ec.instrumental_regression(
        f["y"], f["x"], f[["z"]].join(f["z"].groupby(level=0).shift(1).rename("before"))
    ),
    "PanelThreshold": lambda f: ec.PanelThreshold(f["y"], f["x"], f["z"]).fit(1, draws=20),
    "dynamic_threshold": lambda f: ec.dynamic_threshold(
        f["y"], f["z"], exog=f[["x"]], draws=20, grid=10
    ),
    "curve_regression": lambda f: ec.curve_regression(f["y"], f["x"], f[["z"]]),
    "interaction_regression": lambda f: ec.interaction_regression(f["y"], f["x"], f["z"]),
    "mediation": lambda f: ec.mediation(f["y"], f["x"], f["z"], draws=99),
    "compare_groups": lambda f: ec.compare_groups(f["y"], f[XZ], halves(f), draws=20),
    "leave_one_out": lambda f: ec.leave_one_out(f["y"], f[XZ]),
    "windows": lambda f: ec.windows(f["y"], f[XZ], 8),
    "placebo": lambda f: ec.placebo(f["y"], f[XZ], draws=20),
    "spatial_panel": lambda f: ec.spatial_panel(f["y"], f[XZ], circle(f)),
    "spatial_tests": lambda f: ec.spatial_tests(f["y"], f[XZ], circle(f)),
    "PanelVAR": lambda f: ec.PanelVAR(f[["y", "x"]], exog=f[["z"]]).fit(),
    "FixedEffectsVAR": lambda f: ec.FixedEffectsVAR(f[["y", "x"]], exog=f[["z"]]).fit(),
    "local_projections": lambda f: ec.local_projections(f[["y", "x"]], horizon=2).table.query(
        "horizon > 0"  # the ordering fixes what happens at once, without error
    ),
    "dumitrescu_hurlin": lambda f: ec.dumitrescu_hurlin(f["y"], f["x"], draws=20),
    "half_panel_jackknife_causality": lambda f: ec.half_panel_jackknife_causality(
        f["y"], f["x"], draws=20
    ),
    "fmols": lambda f: ec.fmols(f["y"], f[XZ]),
    "dols": lambda f: ec.dols(f["y"], f[["x"]]),
    "mean_group": lambda f: ec.mean_group(f["y"], f[["x"]]),
    "pooled_mean_group": lambda f: ec.pooled_mean_group(f["y"], f[["x"]]),
    "common_correlated_effects": lambda f: ec.common_correlated_effects(f["y"], f[["x"]]),
    "kao": lambda f: ec.kao(f["y"], f[["x"]]),
    "pedroni": lambda f: ec.pedroni(f["y"], f[["x"]], draws=20),
    "westerlund": lambda f: ec.westerlund(f["y"], f[["x"]], draws=20),
    "panel_unit_root, ips": lambda f: ec.panel_unit_root(f["x"], "ips"),
    "panel_unit_root, llc": lambda f: ec.panel_unit_root(f["x"], "llc"),
    "panel_unit_root, hadri": lambda f: ec.panel_unit_root(f["x"], "hadri"),
    "select_lags": lambda f: ec.select_lags(f[["y", "x"]], 2),
    "toda_yamamoto": lambda f: ec.toda_yamamoto(one(f), "x", "y", draws=20),
    "frequency_causality": lambda f: ec.frequency_causality(one(f), "x", "y"),
    "bounds_test": lambda f: ec.bounds_test(one(f)[["x", "y"]], "x", "y"),
    "johansen": lambda f: ec.johansen(one(f), draws=20),
    "error_correction": lambda f: ec.error_correction(one(f), 1),
    "joint_links": lambda f: ec.joint_links(one(f), draws=20)[0],
    "winsorise": lambda f: ec.winsorise(f[["x"]], 0.05)[0].dropna(),
    "beta_convergence": lambda f: beta_convergence(f["x"]),
    "sigma_convergence": lambda f: sigma_convergence(f["x"]),
}


def numbers(found):
    """Every number of a result's tables and tests, to the bottom."""
    if isinstance(found, pd.DataFrame):
        for name in (name for name in found if name not in OPEN):
            yield from numbers(found[name])
    elif isinstance(found, pd.Series | np.ndarray):
        values = np.asarray(found).ravel()
        yield from (v for v in values if isinstance(v, float | np.floating))
    elif dataclasses.is_dataclass(found):
        public = [f.name for f in dataclasses.fields(found) if not f.name.startswith("_")]
        for name in set(public) - OPEN:
            yield from numbers(getattr(found, name))
    elif isinstance(found, dict):
        for value in found.values():
            yield from numbers(value)
    elif isinstance(found, tuple):
        names = getattr(found, "_fields", [""] * len(found))
        for value in (v for name, v in zip(names, found, strict=True) if name not in OPEN):
            yield from numbers(value)
    elif isinstance(found, float | np.floating):
        yield found


@pytest.mark.parametrize("name", FITS)
def test_sound_input_gives_finite_numbers_and_a_summary(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = FITS[name](panel())
    values = np.array(list(numbers(found)))
    assert len(values) and np.isfinite(values).all()
    if not isinstance(found, pd.DataFrame | pd.Series | float) and type(found) is not tuple:
        assert len(found.summary.splitlines()) > 1


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", FITS)
def test_bad_input_is_refused_in_words_or_survived(name, damage):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = FITS[name](DAMAGES[damage](panel()))
        except TandemError as err:
            assert 20 < len(str(err)) < 500
            return
    values = np.array(list(numbers(found)))
    assert np.isfinite(values).all()
