import numpy as np
import pandas as pd
import pytest
from statsmodels.tsa.vector_ar.vecm import VECM, coint_johansen

from tandem.econometrics import chosen_rank, error_correction, johansen
from tandem.econometrics.error_correction import _rank_statistics
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
