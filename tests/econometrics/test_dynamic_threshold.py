"""The dynamic threshold model against its definition spelled out, and on simulated panels."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tandem.econometrics.dynamic_threshold import dynamic_threshold
from tandem.errors import TandemError


def panel(seed=0, n=40, t=8, change=1.0, gamma=0.2, kink=False):
    """``y = 0.4 L1.y + x + a + change (0.5 + x) 1(q > gamma) + e``, or a kink in q."""
    rng = np.random.default_rng(seed)
    effect, y, q = rng.normal(size=n), np.zeros(n), rng.normal(size=n)
    years = []
    for _ in range(20 + t):
        q = 0.5 * q + rng.normal(size=n)
        x = rng.normal(size=n)
        step = (q - gamma) * (q > gamma) if kink else (0.5 + x) * (q > gamma)
        y = 0.4 * y + x + effect + change * step + 0.5 * rng.normal(size=n)
        years.append(np.stack([y, x, q], axis=1))
    index = pd.MultiIndex.from_product([range(n), range(2001, 2001 + t)], names=["entity", "year"])
    values = np.stack(years[-t:], axis=1).reshape(n * t, 3)
    return pd.DataFrame(values, index, ["y", "x", "q"])


def fit(frame, **options):
    options = {"draws": 19, "grid": 20} | options
    return dynamic_threshold(frame["y"], frame["q"], frame[["x"]], **options)


def spelled_out(frame, kink, q_exogenous, collapse):
    """Instruments and differenced regressors, entity by entity and year by year."""
    wide = {name: frame[name].unstack().to_numpy() for name in frame}
    y, x, q = wide["y"], wide["x"], wide["q"]
    yc, xc, qc = (v - v.mean() for v in (y, x, q))
    n, t = y.shape

    def past(v, i, s, lag):
        return v[i, s - lag] if s >= lag else 0.0

    def instruments(i, s):
        ys = [past(yc, i, s, 2), past(yc, i, s, 3)]
        dx = xc[i, s] - xc[i, s - 1]
        if q_exogenous:
            dq = qc[i, s] - qc[i, s - 1]
            dxq = xc[i, s] * qc[i, s] - xc[i, s - 1] * qc[i, s - 1]
            return [1.0, dx, *ys, dq, dxq, *(v * qc[i, s - 1] for v in ys)]
        basic = [dx, *ys, past(qc, i, s, 2), past(qc, i, s, 3)]
        return [1.0, *basic, *(v * past(qc, i, s, 2) for v in basic)]

    def regressors(i, s, gamma):
        def bend(s):
            return max(q[i, s] - gamma, 0.0)

        def jump(s):
            return np.array([1.0, y[i, s - 1], x[i, s]]) * (q[i, s] > gamma)

        change = [bend(s) - bend(s - 1)] if kink else jump(s) - jump(s - 1)
        return [y[i, s - 1] - y[i, s - 2], x[i, s] - x[i, s - 1], *change]

    usable = range(2, t)
    z = np.array([[instruments(i, s) for s in usable] for i in range(n)])
    if not collapse:
        wider = np.zeros((n, len(usable), len(usable), z.shape[2]))
        for s in range(len(usable)):
            wider[:, s, s] = z[:, s]
        z = wider.reshape(n, len(usable), -1)
        z = z[:, :, np.abs(z).sum(axis=(0, 1)) > 0]
    dy = np.array([[y[i, s] - y[i, s - 1] for s in usable] for i in range(n)])

    def design(gamma):
        return np.array([[regressors(i, s, gamma) for s in usable] for i in range(n)])

    return z, dy, design


def two_step_by_hand(z, dy, design, gammas):
    n = len(z)
    t = z.shape[1]
    h = np.array(
        [[2.0 if a == b else -1.0 * (abs(a - b) == 1) for b in range(t)] for a in range(t)]
    )
    weight = np.linalg.inv(sum(zi.T @ h @ zi for zi in z) / n)
    for _ in range(2):
        found = []
        for gamma in gammas:
            d = design(gamma)
            zd = sum(zi.T @ di for zi, di in zip(z, d, strict=True)) / n
            zy = sum(zi.T @ yi for zi, yi in zip(z, dy, strict=True)) / n
            b = np.linalg.solve(zd.T @ weight @ zd, zd.T @ weight @ zy)
            g = zy - zd @ b
            found.append((n * g @ weight @ g, gamma, b))
        criterion = [j for j, _, _ in found]
        j, gamma, b = found[int(np.argmin(criterion))]
        moments = np.array(
            [zi.T @ (yi - di @ b) for zi, yi, di in zip(z, dy, design(gamma), strict=True)]
        )
        weight = np.linalg.inv(np.cov(moments.T, bias=True))
    return gamma, b, criterion


@pytest.mark.parametrize("kink", [False, True])
@pytest.mark.parametrize("q_exogenous", [False, True])
@pytest.mark.parametrize("collapse", [False, True])
def test_two_step_gmm_is_what_its_definition_says(kink, q_exogenous, collapse):
    frame = panel(1, n=60, t=5, kink=kink)
    z, dy, design = spelled_out(frame, kink, q_exogenous, collapse)
    q_now = frame["q"].unstack().to_numpy()[:, 2:]
    gammas = np.quantile(q_now, np.linspace(0.2, 0.8, 7))
    gamma, b, criterion = two_step_by_hand(z, dy, design, gammas)
    result = fit(
        frame, shape="kink" if kink else "jump", q_exogenous=q_exogenous, collapse=collapse,
        grid=7, trim=0.2,
    )  # fmt: skip
    assert result.facts["n_instruments"] == z.shape[2]
    assert result.objective["j"].to_numpy() == pytest.approx(criterion, rel=1e-6)
    assert result.terms["estimate"].to_numpy() == pytest.approx([*b, gamma], rel=1e-6)
    df = z.shape[2] - len(b) - 1
    j = min(criterion)
    assert result.hansen_j == pytest.approx((j, df, stats.chi2.sf(j, df)), rel=1e-6)


def test_slopes_above_are_slopes_below_plus_changes():
    result = fit(panel(2))
    b = result.terms["estimate"]
    for name in ("L1.y", "x"):
        assert result.above["estimate"][name] == pytest.approx(b[name] + b[f"change: {name}"])
    assert (result.above["std_error"] > 0).all()
    assert "Seo & Shin" in result.summary and "sup-Wald" in result.summary
    assert result.statistics["hansen_df"] == result.hansen_j.df


def test_the_truth_is_found_in_a_large_panel():
    frame = panel(3, n=800, t=6)
    result = fit(frame, q_exogenous=True, collapse=False, grid=60, draws=1)
    estimate = result.terms["estimate"]
    assert estimate["threshold"] == pytest.approx(0.2, abs=0.15)
    expected = {"L1.y": 0.4, "x": 1, "change: const": 0.5, "change: L1.y": 0, "change: x": 1}
    for name, value in expected.items():
        assert estimate[name] == pytest.approx(value, abs=0.15)


def test_a_kink_is_found():
    frame = panel(4, n=500, t=8, change=1.5, kink=True)
    result = fit(frame, shape="kink", q_exogenous=True, grid=60)
    assert result.terms["estimate"]["threshold"] == pytest.approx(0.2, abs=0.3)
    assert result.terms["estimate"]["change: slope of the kink"] == pytest.approx(1.5, abs=0.4)
    assert result.linearity_p < 0.06
    assert result.above.empty and "Above it" not in result.summary


def test_linearity_is_rejected_where_it_fails_and_seldom_where_it_holds():
    options = {"q_exogenous": True, "draws": 99}
    assert fit(panel(5, n=60, t=10), **options).linearity_p <= 0.05
    p = [fit(panel(s, n=60, t=10, change=0.0), **options).linearity_p for s in range(60)]
    # 60 trials: 5 % has a standard error of 2.8 points
    assert np.mean(np.array(p) <= 0.05) < 0.15
    assert 0.3 < np.mean(p) < 0.75


def test_neither_row_order_nor_units_matter():
    frame = panel(6)
    one = fit(frame, q_exogenous=True)
    shuffled = fit(frame.sample(frac=1, random_state=2), q_exogenous=True)
    pd.testing.assert_frame_equal(one.terms, shuffled.terms)
    assert one.linearity_p == shuffled.linearity_p
    scaled = fit(frame * [1e3, 1e-4, 1e2], q_exogenous=True)
    assert scaled.objective["j"].to_numpy() == pytest.approx(one.objective["j"], rel=1e-5)
    assert scaled.terms["statistic"].to_numpy() == pytest.approx(one.terms["statistic"], rel=1e-4)
    assert scaled.linearity_p == one.linearity_p


def test_endogenous_regressors_take_their_lags_as_instruments():
    frame = panel(7)
    with_x = dynamic_threshold(
        frame["y"], frame["q"], None, frame[["x"]], grid=10, draws=1, instrument_lags=(2, 4)
    )
    # a constant; lags 2-4 of y, x and q; and these nine times the first lag of q
    assert with_x.facts["n_instruments"] == 19
    own_lag = frame["y"].groupby(level=0).shift(1).rename("own").dropna()
    self_exciting = dynamic_threshold(
        frame["y"].loc[own_lag.index], own_lag, frame[["x"]].loc[own_lag.index], grid=10, draws=1
    )
    assert self_exciting.facts["n_obs"] == 40 * 5


def test_incomplete_years_are_dropped_and_counted():
    frame = panel(8)
    frame.loc[(slice(None), 2001), "x"] = np.nan
    assert fit(frame).facts["n_dropped"] == 40
    assert fit(frame).facts["n_obs"] == 40 * 5


def test_many_instruments_warn():
    with pytest.warns(UserWarning, match="62 instruments for 20 entities"):
        fit(panel(9, n=20), collapse=False, draws=1)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.drop((3, 2004)), "3 has no complete row for 2004"),
        (lambda f: f.drop(index=2004, level=1), "four consecutive years"),
        (lambda f: f.groupby(level=0).head(3), "four consecutive years"),
        (lambda f: f.loc[[3]], "3 alone was given"),
        (lambda f: f.assign(x=1.0), "'x' is constant"),
        (lambda f: f.assign(x="a"), "'x' holds text"),
        (lambda f: f.assign(q=0.1), "'threshold variable q' is constant"),
        (lambda f: f.assign(x=f.index.get_level_values(0) * 1.0), "'x' does not vary"),
        (lambda f: f.assign(q=(f["q"] > 0) * 1.0), "takes 2 values"),
    ],
)
def test_what_cannot_be_estimated_is_refused_in_words(change, words):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(TandemError, match=words):
            fit(change(panel(10)))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"shape": "step"}, "'step' is neither"),
        ({"instrument_lags": (1, 2)}, "2 or more"),
        ({"instrument_lags": (3, 2)}, "2 or more"),
        ({"draws": 0}, "draws is above 0"),
        ({"trim": 0.5}, "trim lies in"),
        ({"instrument_lags": (9, 9), "q_exogenous": True}, "cannot identify"),
    ],
)
def test_options_are_refused_in_words(options, words):
    with pytest.raises(TandemError, match=words):
        fit(panel(11), **options)
