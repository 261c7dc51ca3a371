"""The dynamic threshold model against its definition spelled out, and on simulated panels."""

import warnings
from importlib import import_module

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


def gmm_by_hand(first, zd, zy):
    """Two-step estimate, its covariance, what is left, of moments (N, L), derivatives (N, L, k)."""
    n, weight = len(zy), first
    for _ in range(2):
        g = zd.mean(axis=0)
        bread = np.linalg.inv(g.T @ weight @ g)
        b = bread @ g.T @ weight @ zy.mean(axis=0)
        left = zy - zd @ b
        weight = np.linalg.inv(np.cov(left.T, bias=True))
    return b, bread / n, left


def first_weight(z):
    p = z.shape[1]
    h = 2 * np.eye(p) - np.eye(p, k=1) - np.eye(p, k=-1)
    return np.linalg.inv(np.mean([zi.T @ h @ zi for zi in z], axis=0))


@pytest.mark.parametrize("kink", [False, True])
def test_linearity_is_tested_by_signs_of_the_residuals_without_a_threshold(kink):
    """Both steps at every gamma, for the sample and for each draw, entity by entity."""
    frame = panel(12, n=50, t=5, change=0.05 if kink else 0.3, kink=kink)
    z, dy, design = spelled_out(frame, kink, True, True)
    q_now = frame["q"].unstack().to_numpy()[:, 2:]
    gammas = np.quantile(q_now, np.linspace(0.2, 0.8, 5))
    zy = np.array([zi.T @ yi for zi, yi in zip(z, dy, strict=True)])
    zds = [np.array([zi.T @ di for zi, di in zip(z, design(g), strict=True)]) for g in gammas]
    first, changes = first_weight(z), 1 if kink else 3
    _, _, residuals = gmm_by_hand(first, zds[0][:, :, :-changes], zy)

    def largest(target):
        walds = []
        for zd in zds:
            b, cov, _ = gmm_by_hand(first, zd, target)
            change, v = b[-changes:], cov[-changes:, -changes:]
            walds.append(change @ np.linalg.solve(v, change))
        return max(walds)

    rng = np.random.default_rng(np.random.SeedSequence(7))
    signs = rng.choice([-1.0, 1.0], size=(39, 50))
    drawn = np.array([largest(s[:, None] * residuals) for s in signs])
    result = fit(
        frame, shape="kink" if kink else "jump", q_exogenous=True, grid=5, trim=0.2, draws=39,
        seed=7,
    )  # fmt: skip
    assert result.linearity_stat == pytest.approx(largest(zy), rel=1e-6)
    assert result.linearity_p == pytest.approx((1 + (drawn >= result.linearity_stat).sum()) / 40)
    assert 0 < (drawn >= result.linearity_stat).sum() < 39


@pytest.mark.parametrize("kink", [False, True])
def test_standard_errors_take_the_threshold_as_estimated(kink):
    """Seo & Shin (2016), theorem 1, with the kernel that the docstring names."""
    frame = panel(13, n=80, t=6, kink=kink)
    z, dy, design = spelled_out(frame, kink, True, True)
    result = fit(frame, shape="kink" if kink else "jump", q_exogenous=True, grid=9)
    estimate = result.terms["estimate"].to_numpy()
    b, gamma = estimate[:-1], estimate[-1]
    zd = np.array([zi.T @ di for zi, di in zip(z, design(gamma), strict=True)])
    moments = np.array([zi.T @ yi for zi, yi in zip(z, dy, strict=True)]) - zd @ b
    wide = {name: frame[name].unstack().to_numpy() for name in frame}
    spread = wide["q"][:, 1:].std()
    width = 1.5 * 1.06 * spread * 80**-0.2
    by_gamma = np.zeros(z.shape[2])
    for i in range(80):
        for s in range(2, 6):
            move = 0.0
            for year, sign in ((s, -1.0), (s - 1, 1.0)):
                q = wide["q"][i, year]
                if kink:
                    move += sign * b[-1] * (q > gamma)
                else:
                    density = stats.norm.pdf((q - gamma) / width) / width
                    x = [1.0, wide["y"][i, year - 1], wide["x"][i, year]]
                    move += sign * density * (b[2:] @ x)
            by_gamma += z[i, s - 2] * move / 80
    g = np.column_stack([zd.mean(axis=0), by_gamma])
    cov = np.linalg.inv(g.T @ np.linalg.inv(np.cov(moments.T, bias=True)) @ g) / 80
    assert result.terms["std_error"].to_numpy() == pytest.approx(np.sqrt(np.diag(cov)), rel=1e-5)
    if not kink:
        rows = [[0, 2 + 1], [1, 2 + 2]]
        above = [np.sqrt(cov[np.ix_(r, r)].sum()) for r in rows]
        assert result.above["std_error"].to_numpy() == pytest.approx(above, rel=1e-5)
        reach = 1.959964 * np.array(above)
        assert result.above["conf_high"].to_numpy() == pytest.approx(
            result.above["estimate"].to_numpy() + reach, rel=1e-5
        )
    share = (wide["q"][:, 2:] > gamma).mean()
    assert result.facts["share_above"] == pytest.approx(share)
    assert result.facts["rank"] == z.shape[2] and result.facts["n_obs"] == 80 * 4


def test_what_is_not_given_is_said():
    frame = panel(14, n=30, t=6)
    plain = dynamic_threshold(frame["y"], frame["q"], frame[["x"]])
    given = dynamic_threshold(
        frame["y"], frame["q"], frame[["x"]], None, "jump", False, (2, 3), True, 100, 0.15, 300, 1,
        0.95,
    )  # fmt: skip
    pd.testing.assert_frame_equal(plain.terms, given.terms)
    assert plain.statistics == given.statistics
    assert (plain.facts["draws"], plain.facts["seed"], plain.facts["conf_level"]) == (300, 1, 0.95)
    q = np.quantile(frame["q"].unstack().to_numpy()[:, 2:], np.linspace(0.15, 0.85, 100))
    assert plain.objective["gamma"].to_numpy() == pytest.approx(q)


def test_batches_of_the_bootstrap_change_nothing(monkeypatch):
    frame = panel(15, n=30, t=6, change=0.2)
    whole = fit(frame, draws=50).linearity_p
    for numbers in (1, 30 * 11 * 7):
        monkeypatch.setattr(
            import_module("tandem.econometrics.dynamic_threshold"), "BATCH", numbers
        )
        assert fit(frame, draws=50).linearity_p == whole


def test_four_years_are_enough_and_as_many_moments_as_unknowns():
    frame = panel(16, n=200)
    four = frame[frame.index.get_level_values(1) < 2005]
    assert fit(four).facts["n_obs"] == 200 * 2
    # a constant, one lag of y, dq and the product of both: three slopes and a threshold
    exact = dynamic_threshold(
        four["y"], four["q"], q_exogenous=True, instrument_lags=(2, 2), draws=1, grid=2
    )
    assert exact.hansen_j.df == 0 and "Hansen J exactly identified" in exact.summary
    with pytest.raises(TandemError, match="cannot identify 5 coefficients and a threshold"):
        fit(four, q_exogenous=True, instrument_lags=(9, 9))


def test_the_warning_of_many_instruments_starts_above_the_number_of_entities():
    count = fit(panel(17, n=60)).facts["n_instruments"]
    for n, told in ((count, 0), (count - 1, 1)):
        frame = panel(17, n=n)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            dynamic_threshold(frame["y"], frame["q"], frame[["x"]], grid=5, draws=1)
        mine = [w for w in caught if "instruments for" in str(w.message)]
        assert len(mine) == told
        assert all(w.filename == __file__ for w in mine)


def test_the_edges_of_the_options():
    frame = panel(18)
    assert len(fit(frame, grid=2).objective) == 2
    for options in ({"grid": 1}, {"trim": 0.0}, {"trim": -0.1}):
        with pytest.raises(TandemError, match="The grid has 2 points or more"):
            fit(frame, **options)
