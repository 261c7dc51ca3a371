from itertools import permutations, product

import numpy as np
import pandas as pd
import pytest

from tandem.errors import TandemError
from tandem.indices import (
    COUPLING_STAGES,
    circular_shift_null,
    classify,
    coordination_degree,
    coupling_degree,
    permutation_null,
)

# Two independent uniform systems: what C and D are by pure chance.
CLASS_SHARES = {
    "standard": ([0.0236, 0.0482, 0.1782, 0.7500], 5e-5),
    "wang": ([0.204, 0.208, 0.346, 0.242], 5e-4),
    "fan": ([0.090, 0.160, 0.390, 0.360], 5e-4),
}


def shares(c):
    found = classify(c, COUPLING_STAGES.cuts, range(4)).astype(int)
    return np.bincount(found.ravel(), minlength=4) / found.size


@pytest.fixture(scope="module")
def midpoints():
    """The unit square cut into equal cells, one midpoint each."""
    u = (np.arange(1000) + 0.5) / 1000
    return np.stack(np.meshgrid(u, u), axis=-1)


@pytest.fixture(scope="module")
def uniforms():
    return np.random.default_rng(np.random.SeedSequence(1)).random((200_000, 2))


def test_cut_offs_of_c_as_ratios_of_the_scores():
    cuts = np.array(COUPLING_STAGES.cuts)
    ratio = ((1 - np.sqrt(1 - cuts**2)) / cuts) ** 2
    np.testing.assert_allclose(ratio, [0.023573, 0.071797, 0.25], atol=1e-6)
    c = coupling_degree(np.column_stack([ratio, np.ones(3)]))
    np.testing.assert_allclose(c, cuts, atol=1e-12)


def test_class_shares_of_standard_c_are_the_gaps_of_the_ratios():
    # The ratio of the smaller to the larger of two uniforms is itself uniform.
    gaps = np.diff([0, 0.023573, 0.071797, 0.25, 1])
    np.testing.assert_allclose(gaps, CLASS_SHARES["standard"][0], atol=5e-5)


def test_class_shares_of_fan_c_in_closed_form():
    below = (1 - (1 - np.array([0, *COUPLING_STAGES.cuts, 1]))) ** 2
    np.testing.assert_allclose(np.diff(below), CLASS_SHARES["fan"][0], atol=5e-4)


@pytest.mark.parametrize("model", CLASS_SHARES)
def test_class_shares_by_integration(model, midpoints):
    expected, printed = CLASS_SHARES[model]
    # Cells cut by a class border misplace at most about one cell in a thousand.
    found = shares(coupling_degree(midpoints, model))
    np.testing.assert_allclose(found, expected, atol=printed + 1e-3)


@pytest.mark.parametrize("model", CLASS_SHARES)
def test_class_shares_by_simulation(model, uniforms):
    expected, printed = CLASS_SHARES[model]
    error = np.sqrt(np.multiply(expected, np.subtract(1, expected)) / len(uniforms))
    found = shares(coupling_degree(uniforms, model))
    assert (np.abs(found - expected) < 4 * error + printed).all()


def test_d_of_chance_in_closed_form_and_by_simulation(uniforms):
    # P(U1 U2 > p) = 1 - p (1 - ln p), with D = (U1 U2)^(1/4).
    above = {cut: 1 - cut**4 * (1 - np.log(cut**4)) for cut in (0.5, 0.8)}
    assert above[0.5] == pytest.approx(0.764213, abs=1e-6)
    assert above[0.8] == pytest.approx(0.2248, abs=5e-5)
    d = coordination_degree(uniforms)
    n = len(d)
    assert d.mean() == pytest.approx(0.64, abs=4 * d.std() / np.sqrt(n))
    for cut, probability in above.items():
        error = np.sqrt(probability * (1 - probability) / n)
        assert (d > cut).mean() == pytest.approx(probability, abs=4 * error)


def panel(u1, u2, entities, years):
    index = pd.MultiIndex.from_product(
        [[f"p{i}" for i in range(entities)], range(2000, 2000 + years)], names=["entity", "year"]
    )
    return pd.DataFrame({"tech": np.ravel(u1), "upgrade": np.ravel(u2)}, index)


RANDOM = np.random.default_rng(3).random((2, 10, 5))


def test_same_seed_same_answer():
    u = panel(*RANDOM, 10, 5)
    assert permutation_null(u, 99, 1) == permutation_null(u, 99, 1)
    assert permutation_null(u, 99, 1) != permutation_null(u, 99, 2)
    assert permutation_null(u, 99, 1) == permutation_null(u.sample(frac=1, random_state=0), 99, 1)


def test_null_mean_agrees_with_every_permutation():
    u1, u2 = np.array([0.1, 0.5, 0.9, 0.3]), np.array([0.2, 0.8, 0.4, 0.6])
    draws = 4000
    found = permutation_null(panel(u1, u2, 4, 1), draws, 1)
    pairings = np.array([np.column_stack([u1, mixed]) for mixed in permutations(u2)])
    for name, degree in (("C", coupling_degree), ("D", coordination_degree)):
        every = degree(pairings).mean(axis=1)
        error = 4 * every.std() / np.sqrt(draws)
        assert found[f"{name}_null_mean"] == pytest.approx(every.mean(), abs=error)
        assert every.min() - 1e-9 <= found[f"{name}_null_p5"] <= np.median(every)
        assert np.median(every) <= found[f"{name}_null_p95"] <= every.max() + 1e-9
        assert found[f"{name}_observed"] == pytest.approx(every[0])


def test_percentile_tells_matched_from_opposed_systems():
    level = np.linspace(0.05, 0.95, 12)[:, None] * np.ones((12, 3))
    matched = permutation_null(panel(level, level, 12, 3), 199, 1)
    opposed = permutation_null(panel(level, level[::-1], 12, 3), 199, 1)
    assert matched["C_percentile"] == 100 and matched["C_observed"] == pytest.approx(1)
    assert opposed["C_percentile"] == 0


def test_years_are_not_mixed():
    # Within each year upgrade is the same everywhere, so permuting it changes nothing.
    u1 = RANDOM[0]
    u2 = np.ones((10, 1)) * np.linspace(0.1, 0.9, 5)
    found = permutation_null(panel(u1, u2, 10, 5), 99, 1)
    for name in ("C", "D"):
        assert found[f"{name}_null_p5"] == pytest.approx(found[f"{name}_observed"], abs=1e-12)
        assert found[f"{name}_null_p95"] == pytest.approx(found[f"{name}_observed"], abs=1e-12)
        assert found[f"{name}_percentile"] == 50


def test_missing_rows_are_left_out_and_counted():
    u = panel(*RANDOM, 10, 5)
    u.iloc[[3, 17], [0, 1]] = np.nan
    found = permutation_null(u, 99, 1)
    assert found["n_obs"] == 48 and found["n_left_out"] == 2
    assert found["C_observed"] == pytest.approx(coupling_degree(u).mean())
    assert found == permutation_null(u.dropna(), 99, 1) | {"n_left_out": 2}


def test_unbalanced_years_permute_only_what_is_there():
    # One year has two entities and the other one, so only two pairings exist.
    u = panel([0.1, 0.5, 0.9, 0.3], [0.2, 0.8, 0.4, 0.6], 2, 2).iloc[:3]
    swapped = u.copy()
    swapped.iloc[[0, 2], 1] = u["upgrade"].iloc[[2, 0]].to_numpy()
    found = permutation_null(u, 400, 1)
    low, high = sorted(coordination_degree(x).mean() for x in (u, swapped))
    assert found["D_null_p5"] == pytest.approx(low) and found["D_null_p95"] == pytest.approx(high)


def test_three_systems():
    u = panel(*RANDOM, 10, 5)
    u["third"] = u["tech"]
    found = permutation_null(u, 99, 1)
    assert found["C_observed"] == pytest.approx(coupling_degree(u).mean())
    assert found["C_null_p5"] < found["C_null_mean"] < found["C_null_p95"]


def test_one_entity_cannot_be_permuted():
    with pytest.raises(TandemError, match="No year has two entities"):
        permutation_null(panel([0.1, 0.2], [0.3, 0.4], 1, 2), 9, 1)


def test_circular_shift_agrees_with_every_shift():
    u1 = np.array([[0.1, 0.5, 0.9], [0.3, 0.2, 0.6]])
    u2 = np.array([[0.2, 0.8, 0.4], [0.6, 0.7, 0.1]])
    draws = 4000
    found = circular_shift_null(panel(u1, u2, 2, 3), draws, 1)
    shifted = [
        np.stack([u1, np.stack([np.roll(u2[0], a), np.roll(u2[1], b)])], axis=-1)
        for a, b in product(range(3), repeat=2)
    ]
    for name, degree in (("C", coupling_degree), ("D", coordination_degree)):
        every = np.array([degree(u).mean() for u in shifted])
        error = 4 * every.std() / np.sqrt(draws)
        assert found[f"{name}_null_mean"] == pytest.approx(every.mean(), abs=error)
        assert found[f"{name}_null_p5"] == pytest.approx(np.sort(every)[0])
        assert found[f"{name}_null_p95"] == pytest.approx(np.sort(every)[-1])
        assert found[f"{name}_observed"] == pytest.approx(every[0])


def test_circular_shift_keeps_entities_apart():
    # Each system is constant within an entity, so shifting its years changes nothing.
    level = np.ones((1, 5)) * np.linspace(0.1, 0.9, 10)[:, None]
    found = circular_shift_null(panel(level, level[::-1], 10, 5), 99, 1)
    assert found["D_null_p5"] == pytest.approx(found["D_null_p95"], abs=1e-12)
    assert found["D_percentile"] == 50


def test_circular_shift_sees_common_timing():
    waves = 0.5 + 0.4 * np.sin(np.arange(12) * 2 * np.pi / 12 + np.arange(8)[:, None])
    found = circular_shift_null(panel(waves, waves, 8, 12), 199, 1)
    assert found["C_percentile"] == 100 and found["C_observed"] == pytest.approx(1)


def test_circular_shift_of_an_unbalanced_panel():
    # Entity p0 has two years and p1 one, so only two panels exist.
    u = panel([0.1, 0.5, 0.9, 0.3], [0.2, 0.8, 0.4, 0.6], 2, 2).iloc[:3]
    swapped = u.copy()
    swapped.iloc[:2, 1] = u["upgrade"].iloc[[1, 0]].to_numpy()
    found = circular_shift_null(u, 400, 1)
    low, high = sorted(coordination_degree(x).mean() for x in (u, swapped))
    assert found["D_null_p5"] == pytest.approx(low) and found["D_null_p95"] == pytest.approx(high)
    shuffled = u.sample(frac=1, random_state=0)
    assert circular_shift_null(shuffled, 400, 1) == found
    with pytest.raises(TandemError, match="No entity has two years"):
        circular_shift_null(u.iloc[1:], 9, 1)


def test_the_band_of_chance_holds_its_middle_ninety_percent():
    rng = np.random.default_rng(7)
    index = pd.MultiIndex.from_product([range(12), [2001]], names=["entity", "year"])
    u = pd.DataFrame(rng.random((12, 2)), index, ["a", "b"])
    found = permutation_null(u, 400, seed=3)
    order = np.random.default_rng(np.random.SeedSequence(3)).random((400, 12)).argsort(axis=1)
    d = (u["a"].to_numpy() * u["b"].to_numpy()[order]) ** 0.25
    assert found["D_null_p5"] == pytest.approx(np.quantile(d.mean(axis=1), 0.05))
    assert found["D_null_p95"] == pytest.approx(np.quantile(d.mean(axis=1), 0.95))
