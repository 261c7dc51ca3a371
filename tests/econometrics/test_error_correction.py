import numpy as np
import pandas as pd
import pytest
from statsmodels.regression.linear_model import OLS
from statsmodels.tsa.vector_ar.vecm import VECM, coint_johansen

from tandem.econometrics import chosen_rank, error_correction, johansen
from tandem.econometrics.error_correction import _rank_statistics, _rebuilt
from tandem.errors import TandemError


def related(seed, t=80, pull=(0.0, 0.5), slope=2.0, drift=0.1):
    """b - slope a is stationary; `pull` is how strongly a and b move back to it."""
    rng = np.random.default_rng(seed)
    y = np.zeros((t, 2))
    for s in range(1, t):
        gap = y[s - 1, 1] - slope * y[s - 1, 0]
        moved = drift * np.array([1, slope]) + [pull[0] * gap, -pull[1] * gap]
        y[s] = y[s - 1] + moved + rng.normal(size=2)
    return pd.DataFrame(y, index=range(1900, 1900 + t), columns=["a", "b"])


def walks(seed, t=80, k=2):
    steps = 0.1 + np.random.default_rng(seed).normal(size=(t, k))
    return pd.DataFrame(steps.cumsum(axis=0), index=range(1900, 1900 + t), columns=list("abc")[:k])


@pytest.mark.parametrize("lags", [1, 2])
@pytest.mark.parametrize("k", [2, 3])
def test_batched_statistics_are_those_of_statsmodels(lags, k):
    data = walks(1, k=k)
    theirs = coint_johansen(data.to_numpy(), 0, lags)
    trace, largest = _rank_statistics(data.to_numpy()[None], lags)
    assert trace[0] == pytest.approx(theirs.trace_stat, rel=1e-8)
    assert largest[0] == pytest.approx(theirs.max_eig_stat, rel=1e-8)
    mine = johansen(data, lags, draws=0)
    assert mine["trace_5"].to_numpy() == pytest.approx(theirs.cvt[:, 1])
    assert mine["trace_p"].isna().all()


@pytest.mark.parametrize("lags", [0, 1])
def test_the_trace_compares_no_levels_with_all_levels(lags):
    y = walks(10).to_numpy()
    moves = np.diff(y, axis=0)
    past = [moves[lags - j : len(moves) - j] for j in range(1, lags + 1)]
    less = np.hstack([np.ones((len(moves) - lags, 1)), *past])
    sizes = []
    for x in (less, np.hstack([less, y[lags:-1]])):
        left = moves[lags:] - x @ np.linalg.lstsq(x, moves[lags:], rcond=None)[0]
        sizes.append(np.linalg.slogdet(left.T @ left)[1])
    trace = johansen(walks(10), lags, draws=0).loc[0, "trace"]
    assert trace == pytest.approx((len(moves) - lags) * (sizes[0] - sizes[1]), rel=1e-8)


def test_a_common_long_run_is_found_and_walks_have_none():
    assert chosen_rank(johansen(related(2), 1, draws=199)) == 1
    assert chosen_rank(johansen(walks(3), 1, draws=199)) == 0
    assert chosen_rank(johansen(related(2), 1, draws=0)) == 1
    noise = pd.DataFrame(np.random.default_rng(4).normal(size=(80, 2)), columns=["a", "b"])
    assert chosen_rank(johansen(noise, 0, draws=199)) == 2


def test_with_twenty_years_resampling_keeps_the_size_and_the_table_does_not():
    found = [johansen(walks(seed, t=20), 1, draws=99, seed=seed).loc[0] for seed in range(150)]
    table = np.mean([row["trace"] > row["trace_5"] for row in found])
    drawn = np.mean([row["trace_p"] <= 0.05 for row in found])
    assert drawn <= 0.1
    assert drawn < table


@pytest.mark.parametrize("lags", [0, 1])
def test_estimates_are_those_of_statsmodels(lags):
    data = related(5)
    theirs = VECM(data.to_numpy(), k_ar_diff=lags, coint_rank=1, deterministic="co").fit()
    mine = error_correction(data, 1, lags)
    assert mine.beta.to_numpy() == pytest.approx(theirs.beta)
    for i, name in enumerate(data):
        terms = mine.terms.loc[name, "estimate"]
        assert terms["EC1"] == pytest.approx(theirs.alpha[i, 0], rel=1e-8)
        assert terms["const"] == pytest.approx(theirs.const[i, 0], rel=1e-6)
        gamma = terms.drop(["EC1", "const"]).to_numpy()
        assert gamma == pytest.approx(theirs.gamma[i], rel=1e-8)
        # theirs divides by n, mine by n - k
        ratio = np.sqrt(mine.n_obs / mine.df_resid)
        error = mine.terms.loc[(name, "EC1"), "std_error"]
        assert error == pytest.approx(theirs.stderr_alpha[i, 0] * ratio, rel=1e-6)


def test_the_series_that_moves_back_is_told_from_the_one_that_leads():
    found = error_correction(related(6, t=150), 1, 1)
    assert found.beta.loc["a", "EC1"] / found.beta.loc["b", "EC1"] == pytest.approx(-2, rel=0.1)
    table = found.causality.set_index(["cause", "effect", "part"])
    assert table.loc[("a", "b", "long run"), "p_value"] < 1e-6
    assert table.loc[("b", "a", "long run"), "p_value"] > 0.05
    # b moves by 0.5 * 2 for one of a
    assert table.loc[("a", "b", "long run"), "estimate"] == pytest.approx(1.0, abs=0.3)


def test_f_of_one_coefficient_is_its_squared_t_ratio():
    found = error_correction(related(7), 1, 1)
    table = found.causality.set_index(["cause", "effect", "part"])
    t = found.terms.loc[("b", "EC1"), "statistic"]
    long, short = (table.loc[("a", "b", part)] for part in ("long run", "short run"))
    assert long["statistic"] == pytest.approx(t**2)
    assert (long["estimate"] / long["std_error"]) ** 2 == pytest.approx(t**2)
    lagged = found.terms.loc[("b", "L1.a")]
    assert short["estimate"] == pytest.approx(lagged["estimate"])
    assert short["p_value"] == pytest.approx(lagged["p_value"])
    assert table.loc[("a", "b", "both"), "df"] == f"2, {found.df_resid}"


def test_units_and_order_do_not_matter():
    data = related(8)
    one, other = (johansen(d, 1, draws=0) for d in (data, data[["b", "a"]] * [1e4, 1e-3]))
    assert other["trace"].to_numpy() == pytest.approx(one["trace"].to_numpy(), rel=1e-6)
    keys = ["cause", "effect", "part"]
    one = error_correction(data, 1, 1).causality.set_index(keys)
    other = error_correction(data[["b", "a"]] * [1e4, 1e-3], 1, 1).causality.set_index(keys)
    p = other["p_value"].loc[one.index]
    assert p.to_numpy() == pytest.approx(one["p_value"].to_numpy(), rel=1e-5)
    moved = other.loc[("a", "b", "long run"), "estimate"]
    assert moved == pytest.approx(one.loc[("a", "b", "long run"), "estimate"] * 1e7, rel=1e-5)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda d: error_correction(d, 0), "rank 0"),
        (lambda d: error_correction(d, 2), "levels are stationary"),
        (lambda d: johansen(d.iloc[:10]), "10 years are too few .* it needs 12"),
        (lambda d: error_correction(d.iloc[:10], 1), "too few"),
        (lambda d: johansen(d.drop(1950)), "consecutive years"),
        (lambda d: johansen(d.assign(a=1.0)), "constant"),
        (lambda d: johansen(d[["a"]]), "at least two"),
        (lambda d: johansen(d, -1), "0 or more"),
    ],
)
def test_bad_input_is_refused_in_words(call, words):
    with pytest.raises(TandemError, match=words):
        call(walks(9))


class Order:
    """A generator that draws the years as they were."""

    def integers(self, low, high, size):
        assert low == 0
        return np.broadcast_to(np.arange(high), size)


@pytest.mark.parametrize("lags", [0, 1, 2])
@pytest.mark.parametrize("rank", [0, 1, 2])
def test_a_resample_of_the_years_as_they_were_is_the_data(lags, rank):
    values = walks(11, k=3).to_numpy()
    assert _rebuilt(values, lags, rank, 2, Order()) == pytest.approx(np.stack([values] * 2))


@pytest.mark.parametrize("lags", [0, 1])
def test_a_resample_follows_its_model_with_the_residuals_of_other_years(lags):
    values = related(12, t=30).to_numpy()
    built = _rebuilt(values, lags, 1, 3, np.random.default_rng(2))
    beta = VECM(values, k_ar_diff=lags, coint_rank=1, deterministic="co").fit().beta
    moves = np.diff(values, axis=0)
    past = [moves[lags - j : len(moves) - j] for j in range(1, lags + 1)]
    x = np.hstack([np.ones((len(moves) - lags, 1)), values[lags:-1] @ beta, *past])
    coef = np.linalg.lstsq(x, moves[lags:], rcond=None)[0]
    e = moves[lags:] - x @ coef
    years = np.random.default_rng(2).integers(0, len(e), (3, len(e)))
    for d in range(3):
        y = list(values[: lags + 1])
        for s in range(len(e)):
            before = [1.0, *(y[-1] @ beta), *(y[-1] - y[-2] if lags else [])]
            y.append(y[-1] + np.array(before) @ coef + e[years[d, s]])
        assert built[d] == pytest.approx(np.array(y))


def test_p_values_are_shares_of_resamples_under_each_rank():
    data = related(13, t=40)
    table = johansen(data)  # one lag, 999 draws, seed 1 if nothing is said
    pd.testing.assert_frame_equal(table, johansen(data, 1, 999, 1))
    rng = np.random.default_rng(1)
    for rank in (0, 1):
        trace, largest = _rank_statistics(_rebuilt(data.to_numpy(), 1, rank, 999, rng), 1)
        for name, drawn, column in (
            ("trace_p", trace, "trace"), ("max_p", largest, "max_eigenvalue"),
        ):  # fmt: skip
            share = (1 + (drawn[:, rank] >= table.loc[rank, column]).sum()) / 1000
            assert table.loc[rank, name] == share


@pytest.mark.parametrize("lags", [1, 2])
def test_eigenvalues_and_critical_values_are_those_of_statsmodels(lags):
    data = walks(14, k=3)
    theirs, mine = coint_johansen(data.to_numpy(), 0, lags), johansen(data, lags, draws=0)
    assert mine["eigenvalue"].to_numpy() == pytest.approx(theirs.eig, rel=1e-8)
    assert mine["max_eigenvalue"].to_numpy() == pytest.approx(theirs.max_eig_stat, rel=1e-8)
    assert mine["max_5"].to_numpy() == pytest.approx(theirs.max_eig_stat_crit_vals[:, 1])
    assert mine["max_p"].isna().all() and mine.index.tolist() == [0, 1, 2]


def test_the_first_rank_that_is_not_rejected_is_chosen():
    table = pd.DataFrame({"trace_p": [0.01, 0.05, 0.2], "trace": 9.0, "trace_5": 0.0})
    assert chosen_rank(table) == 2 and chosen_rank(table, 0.04) == 1
    assert chosen_rank(table, 0.3) == 3
    tabulated = pd.DataFrame({"trace_p": np.nan, "trace": [30.0, 14, 1], "trace_5": [29.8, 15, 4]})
    assert chosen_rank(tabulated) == 1
    assert chosen_rank(tabulated.assign(trace=99.0)) == 3


@pytest.mark.parametrize("rank", [1, 2])
def test_effects_of_levels_and_changes_with_their_errors(rank):
    """Several vectors: the effect of a level is a row of alpha beta', its error by differences."""
    data = pd.concat([related(15), walks(115)["a"].rename("c")], axis=1)
    found = error_correction(data, rank, 2)
    theirs = VECM(data.to_numpy(), k_ar_diff=2, coint_rank=rank, deterministic="co").fit()
    assert found.beta.to_numpy() == pytest.approx(theirs.beta, rel=1e-6)
    moves = np.diff(data, axis=0)
    past = [moves[2 - j : len(moves) - j] for j in (1, 2)]
    design = [np.ones((len(moves) - 2, 1)), data.to_numpy()[2:-1] @ theirs.beta, *past]
    design = np.hstack(design)
    table = found.causality.set_index(["cause", "effect", "part"])
    assert len(table) == 6 * 3
    for i, effect in enumerate("abc"):
        fit = OLS(moves[2:, i], design).fit()
        assert found.terms.loc[effect, "std_error"].to_numpy() == pytest.approx(fit.bse, rel=1e-6)
        for j, cause in enumerate("abc"):
            if i == j:
                continue
            level = np.zeros(design.shape[1])
            level[1 : 1 + rank] = theirs.beta[j]
            short = np.zeros(design.shape[1])
            short[[1 + rank + j, 1 + rank + 3 + j]] = 1
            for part, w, tested in (
                ("long run", level, range(1, 1 + rank)),
                ("short run", short, np.flatnonzero(short)),
                ("both", level + short, [*range(1, 1 + rank), *np.flatnonzero(short)]),
            ):
                row = table.loc[(cause, effect, part)]
                t, f = fit.t_test(w), fit.f_test(np.eye(len(w))[list(tested)])
                assert row["estimate"] == pytest.approx(t.effect.item(), rel=1e-6)
                assert row["std_error"] == pytest.approx(t.sd.item(), rel=1e-6)
                assert row["statistic"] == pytest.approx(float(f.fvalue), rel=1e-5)
                assert row["p_value"] == pytest.approx(float(f.pvalue), rel=1e-5)
                assert row["df"] == f"{len(tested)}, {found.df_resid}"
    assert found.n_obs == 77 and found.df_resid == 77 - 1 - rank - 6


def test_units_move_the_coefficients_of_two_vectors():
    data = pd.concat([related(16), walks(116)["b"].rename("c")], axis=1)
    units = np.array([1e3, 1e-2, 10.0])
    one, two = error_correction(data, 2, 1), error_correction(data * units, 2, 1)
    assert two.beta.to_numpy() == pytest.approx(
        one.beta.to_numpy() / units[:, None] * units[:2], rel=1e-5, abs=1e-8
    )
    steady = [*units[:2], *units]
    for name, unit in zip("abc", units, strict=True):
        ratio = two.terms.loc[name, "estimate"] / one.terms.loc[name, "estimate"]
        assert ratio.to_numpy() == pytest.approx([unit, *(unit / np.array(steady))], rel=1e-4)


def test_the_least_years_and_what_is_not_given():
    data = related(17)
    assert len(johansen(data.iloc[:12], draws=0)) == 2
    with pytest.raises(TandemError, match="11 years are too few .* it needs 12"):
        johansen(data.iloc[:11], draws=0)
    three = data.assign(c=walks(18)["a"])
    assert len(johansen(three.iloc[:23], 2, draws=0)) == 3  # 2 (1 + 3 3) and the three years before
    with pytest.raises(TandemError, match="22 years are too few .* it needs 23"):
        johansen(three.iloc[:22], 2, draws=0)
    plain, given = error_correction(data, 1), error_correction(data, 1, 1)
    assert plain.terms.equals(given.terms) and plain.lags == 1
    assert error_correction(data, 1, 0).causality["part"].unique().tolist() == ["long run"]
    with pytest.raises(TandemError, match="Rank -1 of 2 series"):
        error_correction(data, -1)
