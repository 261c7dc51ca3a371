import numpy as np
import pandas as pd
import pytest
from scipy.stats import beta, kendalltau, kstest, spearmanr

from tandem.errors import TandemError
from tandem.indices import LEVELS, classify, coordination_degree, ensemble, weighted_score
from tandem.indices.coupling import MODELS
from tandem.indices.normalise import NORMALISATIONS

SYSTEMS = {
    "tech": {"patents": "+", "staff": "+", "spending": "+"},
    "upgrade": {"energy": "-", "services": "+"},
}
INDICATORS = [name for system in SYSTEMS.values() for name in system]


def raw(entities=6, years=4, seed=7):
    rng = np.random.default_rng(seed)
    index = pd.MultiIndex.from_product(
        [[f"p{i}" for i in range(entities)], range(2010, 2010 + years)], names=["entity", "year"]
    )
    return pd.DataFrame(np.exp(rng.normal(size=(len(index), 5))), index, INDICATORS)


X = raw()
PLAN = ensemble.plan(X, SYSTEMS)
RUN = ensemble.run(PLAN, 300, seed=1)


def fixed(**choices):
    """A plan in which nothing is drawn but which indicator is left out."""
    single = {"normalisations": ["minmax"], "weights": ["entropy"], "models": ["standard"]}
    concentrations = {"share_concentration": np.inf, "weight_concentration": np.inf}
    return ensemble.plan(X, SYSTEMS, **(single | concentrations | choices))


@pytest.mark.parametrize("normalisation", NORMALISATIONS)
@pytest.mark.parametrize("weights", ensemble.WEIGHTS)
def test_a_draw_without_noise_is_the_ordinary_index(normalisation, weights):
    shares = {"tech": 0.3, "upgrade": 0.7}
    plan = fixed(normalisations=[normalisation], weights=[weights], shares=shares)
    found = ensemble.run(plan, 20, seed=3)
    for draw in (found.draws["left_out"] == "none").idxmax(), 0, 1:
        left_out = found.draws.loc[draw, "left_out"].split(": ")[-1]
        scores = {}
        for name, system in SYSTEMS.items():
            directions = {k: v for k, v in system.items() if k != left_out}
            z = NORMALISATIONS[normalisation](X[list(directions)], directions)
            scores[name] = weighted_score(z, ensemble.WEIGHTS[weights](z)).clip(0, 1)
        expected = coordination_degree(pd.DataFrame(scores), shares=shares)
        np.testing.assert_allclose(found.D.loc[draw], expected, rtol=1e-12)


def test_d_follows_from_the_recorded_weights_shares_and_model():
    draws = RUN.draws
    assert set(draws["model"]) == set(MODELS) and set(draws["weights"]) == set(ensemble.WEIGHTS)
    for draw in range(10):
        row = draws.loc[draw]
        scores, shares = {}, {}
        for name, system in SYSTEMS.items():
            z = NORMALISATIONS[row["normalisation"]](X[list(system)], system)
            w = pd.Series({i: row[f"weight {name}: {i}"] for i in system}, dtype=float)
            scores[name], shares[name] = weighted_score(z, w), row[f"share {name}"]
        expected = coordination_degree(pd.DataFrame(scores), row["model"], shares)
        np.testing.assert_allclose(RUN.D.loc[draw], expected, rtol=1e-12)
        if row["left_out"] != "none":
            assert row[f"weight {row['left_out']}"] == 0


def test_chunks_are_the_same_to_the_last_digit():
    cuts = [0, 1, 8, 290, 300]
    parts = [ensemble.run(PLAN, range(a, b), 1) for a, b in zip(cuts[:-1], cuts[1:], strict=True)]
    joined = ensemble.join(parts[::-1])
    pd.testing.assert_frame_equal(joined.D, RUN.D, check_exact=True)
    pd.testing.assert_frame_equal(joined.draws, RUN.draws, check_exact=True)
    with pytest.raises(TandemError, match="each draw from 0 to 299 once"):
        ensemble.join([parts[0], parts[3]])
    with pytest.raises(TandemError, match="each draw"):
        ensemble.join([parts[0], parts[0]])
    assert not ensemble.run(PLAN, 5, 2).D.equals(RUN.D.iloc[:5])


def test_order_of_rows_columns_and_systems_does_not_matter():
    turned = {name: dict(reversed(SYSTEMS[name].items())) for name in reversed(SYSTEMS)}
    x = X.sample(frac=1, random_state=0)[INDICATORS[::-1]]
    again = ensemble.run(ensemble.plan(x, turned), 300, seed=1)
    pd.testing.assert_frame_equal(again.D, RUN.D, check_exact=True)


def test_units_do_not_matter():
    again = ensemble.run(ensemble.plan(X.assign(patents=1000 * X["patents"]), SYSTEMS), 300, 1)
    np.testing.assert_allclose(again.D, RUN.D, atol=1e-9)


def test_choices_are_equally_likely_and_shares_are_beta():
    draws = ensemble.run(ensemble.plan(raw(3, 2), SYSTEMS), 3000, seed=4).draws
    for factor, options in (("normalisation", 5), ("weights", 6), ("left_out", 6), ("model", 3)):
        counts = draws[factor].value_counts()
        assert len(counts) == options
        expected = 3000 / options
        assert (np.abs(counts - expected) < 5 * np.sqrt(expected)).all()
    # A Dirichlet share of one of two systems is Beta(k / 2, k / 2).
    assert kstest(draws["share tech"], beta(10, 10).cdf).pvalue > 0.001
    np.testing.assert_allclose(draws["share tech"] + draws["share upgrade"], 1)
    of_tech = draws[[f"weight tech: {i}" for i in SYSTEMS["tech"]]]
    np.testing.assert_allclose(of_tech.sum(axis=1), 1)


def test_concentrations_if_none_are_given():
    assert (PLAN.share_concentration, PLAN.weight_concentration) == (20, 100)


def test_weights_are_drawn_around_their_mean():
    found = ensemble.run(fixed(weights=["equal"], weight_concentration=50.0), 4000, seed=2).draws
    whole = found.loc[found["left_out"] == "none", "weight tech: staff"]
    # Beta(50 / 3, 100 / 3): mean 1 / 3, variance (2 / 9) / 51.
    sd = np.sqrt(2 / 9 / 51)
    assert whole.mean() == pytest.approx(1 / 3, abs=4 * sd / np.sqrt(len(whole)))
    assert whole.std() == pytest.approx(sd, rel=4 / np.sqrt(2 * len(whole)))


def test_incomplete_rows_are_left_out_with_a_warning():
    x = X.copy()
    x.loc[("p1", 2011), "energy"] = np.nan
    with pytest.warns(UserWarning, match="1 of 24 entity-years lack"):
        plan = ensemble.plan(x, SYSTEMS)
    assert ("p1", 2011) not in plan.rows and len(plan.rows) == 23


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"weights": ["merec"]}, r"Choose among entropy.*, not \['merec'\]"),
        ({"models": []}, "Choose among standard.*, not nothing"),
        ({"shares": {"tech": 0.5, "upgrade": 0.6}}, "sum to 1"),
        ({"systems": {"tech": SYSTEMS["tech"]}}, "at least two systems"),
        ({"x": X.drop(columns="staff")}, "staff has no column"),
        ({"x": X.assign(staff=1.0)}, "staff of tech does not vary under minmax"),
        ({"x": X.iloc[:1]}, "Fewer than two"),
    ],
)
def test_plan_refuses(change, words):
    with pytest.raises(TandemError, match=words):
        ensemble.plan(**({"x": X, "systems": SYSTEMS} | change))


def test_summary_against_scipy_and_counts():
    baseline = RUN.D.iloc[0].rename("D")
    found = ensemble.summarise(RUN.D, baseline.sample(frac=1, random_state=0))
    rows, column = found["rows"], ("p2", 2012)
    d = RUN.D[column]
    quantiles = d.quantile([0.05, 0.5, 0.95]).tolist()
    assert rows.loc[column, ["p5", "median", "p95"]].tolist() == pytest.approx(quantiles)
    level = classify(d, LEVELS.cuts, range(1, 11))
    for k in range(1, 11):
        assert rows.loc[column, f"level_{k}"] == pytest.approx((level == k).mean())
    assert rows.loc[column, "level"] == level[0]
    assert rows.loc[column, "same_level"] == pytest.approx((level == level[0]).mean())

    means = RUN.D.T.groupby(level="entity").mean()  # entities x draws
    ranks = means.rank(ascending=False)
    entities = found["entities"]
    np.testing.assert_allclose(entities["baseline"], ranks[0])
    np.testing.assert_allclose(entities["p95"], ranks.quantile(0.95, axis=1))
    shift = ranks.sub(ranks[0], axis=0).abs()
    np.testing.assert_allclose(entities["mean_abs_shift"], shift.mean(axis=1))
    draws = found["draws"]
    np.testing.assert_allclose(draws["mean_abs_shift"], shift.mean())
    assert draws.loc[0, ["spearman", "kendall"]].tolist() == pytest.approx([1, 1])
    assert draws.loc[5, "spearman"] == pytest.approx(spearmanr(means[5], means[0]).statistic)
    assert draws.loc[5, "kendall"] == pytest.approx(kendalltau(means[5], means[0]).statistic)
    with pytest.raises(TandemError, match="entity p0, year 2010\\) is missing"):
        ensemble.summarise(RUN.D, baseline.iloc[1:])


def test_saltelli_on_the_ishigami_function():
    a, b = 7, 0.1

    def ishigami(u):
        x = np.pi * (2 * u - 1)
        y = np.sin(x[:, 0]) + a * np.sin(x[:, 1]) ** 2 + b * x[:, 2] ** 4 * np.sin(x[:, 0])
        return np.column_stack([y, y + 100])

    v1, v2 = (1 + b * np.pi**4 / 5) ** 2 / 2, a**2 / 8
    v13 = b**2 * np.pi**8 * (1 / 18 - 1 / 50)
    first, total, variance = ensemble.saltelli(ishigami, {"1": [0], "2": [1], "3": [2]}, 8192, 1)
    for output in (0, 1):  # a constant changes nothing
        np.testing.assert_allclose(variance[output], v1 + v2 + v13, rtol=0.01)
        v = v1 + v2 + v13
        np.testing.assert_allclose(first[:, output] / v, np.array([v1, v2, 0]) / v, atol=0.015)
        np.testing.assert_allclose(total[:, output] / v, [0.5576, 0.4424, 0.2437], atol=0.015)
    with pytest.raises(TandemError, match="power of 2"):
        ensemble.saltelli(ishigami, {"1": [0, 1, 2]}, 1000, 1)


def test_saltelli_takes_columns_together():
    # x1 x2 of two standardised uniforms: all variance is interaction, none is left in a group.
    first, total, variance = ensemble.saltelli(
        lambda u: 12 * np.prod(u - 0.5, axis=1, keepdims=True), {"both": [0, 1]}, 1024, 1
    )
    np.testing.assert_allclose([first[0, 0], total[0, 0], variance[0]], 1, rtol=0.05)


def test_sobol_indices_of_one_factor():
    plan = fixed(models=list(MODELS))._replace(left_out=("none",))
    found = ensemble.sobol_indices(plan, 2048, 1).set_index(["output", "factor"])
    others = [f for f in ensemble.FACTORS if f != "model"]
    for output in ("mean_D", "D", "rank"):
        assert found.loc[(output, "model"), "first"] == pytest.approx(1, abs=0.05)
        assert found.loc[(output, "model"), "total"] == pytest.approx(1, abs=0.05)
        assert (found.loc[output].loc[others, ["first", "total"]] == 0).all(axis=None)
    with pytest.raises(TandemError, match="No choice changes"):
        ensemble.sobol_indices(fixed()._replace(left_out=("none",)), 16, 1)


def test_sobol_indices_of_two_factors_by_enumeration():
    # Model and normalisation are independent and equally likely: effects from all 15 pairs.
    plan = fixed(models=list(MODELS), normalisations=list(NORMALISATIONS))
    plan = plan._replace(left_out=("none",))
    d = np.array(
        [
            [
                ensemble.run(
                    fixed(models=[m], normalisations=[z])._replace(left_out=("none",)), 1, 1
                ).D.iloc[0]
                for m in MODELS
            ]
            for z in NORMALISATIONS
        ]
    )
    found = ensemble.sobol_indices(plan, 4096, 1).set_index(["output", "factor"])
    for output, values in (("mean_D", d.mean(axis=2, keepdims=True)), ("D", d)):
        total = values.var(axis=(0, 1)).sum()
        alone = {
            "normalisation": values.mean(axis=1).var(axis=0).sum() / total,
            "model": values.mean(axis=0).var(axis=0).sum() / total,
        }
        for factor, other in (("normalisation", "model"), ("model", "normalisation")):
            row = found.loc[(output, factor)]
            assert row["first"] == pytest.approx(alone[factor], abs=0.02)
            assert row["total"] == pytest.approx(1 - alone[other], abs=0.02)


def test_two_points_are_the_least_and_others_no_power_of_two():
    for points in (0, 1, 3, 6):
        with pytest.raises(TandemError, match=f"power of 2 of points, not {points}"):
            ensemble.saltelli(lambda u: u, {"one": [0]}, points, 1)
    first, total, variance = ensemble.saltelli(lambda u: u, {"one": [0]}, 2, 1)
    assert first.shape == total.shape == (1, 1) and variance.shape == (1,)
