import csv
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from tandem.errors import TandemError
from tandem.indices import (
    capital_stock,
    dea_distances,
    field_entropy,
    herfindahl,
    malmquist,
    services_share,
    solow_residual,
)

SPENDING = np.array([100, 110, 125, 140, 160])
STOCK = [364.0565, 419.4480, 481.5308, 549.3012, 626.9060]
LAGGED = [364.0565, 409.4480, 458.0308, 514.3262, 577.1773]


def test_capital_stock():
    np.testing.assert_allclose(capital_stock(SPENDING), STOCK, atol=1e-4)
    np.testing.assert_allclose(capital_stock(SPENDING, lagged=True), LAGGED, atol=1e-4)
    np.testing.assert_allclose(capital_stock(SPENDING, growth=0.124683), STOCK, rtol=1e-5)


def test_capital_stock_of_a_panel():
    index = pd.MultiIndex.from_product([["A", "B"], range(2000, 2005)], names=["entity", "year"])
    flow = pd.Series(np.concatenate([SPENDING, 2 * SPENDING]), index, name="rd")
    stock = capital_stock(flow[::-1])
    assert stock.index.equals(index[::-1]) and stock.name == "rd"
    np.testing.assert_allclose(stock["A"].sort_index(), STOCK, atol=1e-4)
    np.testing.assert_allclose(stock["B"].sort_index(), np.multiply(2, STOCK), atol=2e-4)
    np.testing.assert_allclose(capital_stock(flow["A"]), STOCK, atol=1e-4)
    np.testing.assert_allclose(capital_stock(flow, lagged=True)["A"], LAGGED, atol=1e-4)
    np.testing.assert_allclose(capital_stock(flow["A"][::-1]), STOCK[::-1], atol=1e-4)
    arrays = np.stack([SPENDING, 2 * SPENDING])
    np.testing.assert_allclose(capital_stock(arrays), stock.sort_index().to_numpy().reshape(2, 5))


def test_only_the_first_year_must_have_investment_for_mean_growth():
    mean = math.sqrt(1.21) - 1
    np.testing.assert_allclose(
        capital_stock([100, 0, 121]), capital_stock([100, 0, 121], growth=mean)
    )


def test_capital_stock_refuses():
    index = pd.MultiIndex.from_product([["A", "B"], range(2000, 2005)], names=["entity", "year"])
    flow = pd.Series(np.concatenate([SPENDING, SPENDING]), index, name="rd", dtype=float)
    with pytest.raises(TandemError, match=r"2003 \(entity B\) is missing"):
        capital_stock(flow.drop(("B", 2003)))
    with pytest.raises(TandemError, match="rd jumps from 2002 to 2004"):
        capital_stock(flow.drop(2003, level="year"))
    with pytest.raises(TandemError, match="mean growth cannot start from 0"):
        capital_stock([0, 1, 2])
    with pytest.raises(TandemError, match="below 0"):
        capital_stock([1, -1, 2])
    with pytest.raises(TandemError, match="Growth plus depreciation is -0.35"):
        capital_stock([4, 2])
    with pytest.raises(TandemError, match="at least two years"):
        capital_stock([4])


def test_solow_residual():
    y, k, n = np.array([100.0, 120.0]), np.array([200.0, 250.0]), np.array([50.0, 51.0])
    found = solow_residual(y, k, n, 0.4)
    expected = [math.log(a / (b**0.4 * c**0.6)) for a, b, c in zip(y, k, n, strict=True)]
    np.testing.assert_allclose(found, expected)
    free = solow_residual(y, k, n, 0.4, labour_share=0.5)
    np.testing.assert_allclose(free - found, 0.1 * np.log(n))


def test_solow_growth_does_not_depend_on_units_or_rows():
    index = pd.MultiIndex.from_product([["A", "B"], [2000, 2001]], names=["entity", "year"])
    y, k, n = (pd.Series(v, index) for v in ([5.0, 6, 9, 7], [1.0, 2, 3, 4], [4.0, 4, 2, 3]))
    found = solow_residual(y, k, n, 0.3)
    assert found.index.equals(index) and found.name == "ln_tfp"
    other = solow_residual(y * 10, k * 100, n * 7, 0.3)
    np.testing.assert_allclose(other.groupby("entity").diff(), found.groupby("entity").diff())
    turned = solow_residual(y[::-1], k[::-1], n[::-1], 0.3)
    pd.testing.assert_series_equal(turned[::-1], found)


def test_solow_residual_refuses():
    with pytest.raises(TandemError, match="share of capital from 0 to 1"):
        solow_residual([1.0], [1.0], [1.0], 1.2)
    with pytest.raises(TandemError, match="values above 0"):
        solow_residual([1.0], [0.0], [1.0], 0.4)
    with pytest.raises(TandemError, match="is missing"):
        solow_residual([1.0], [1.0], [np.nan], 0.4)


def panel(values, years=(2000, 2001)):
    """Goods of entities A, B, ...: one list of rows a year."""
    values = np.asarray(values, dtype=float)
    names = list("ABCDEFGHIJ")[: values.shape[1]]
    index = pd.MultiIndex.from_product([names, years], names=["entity", "year"])
    return pd.DataFrame(values.swapaxes(0, 1).reshape(len(index), -1), index)


def test_malmquist_of_one_good_is_the_ratio_of_productivities():
    # Productivity y/x: A 2 to 3, B 1 to 3, C 1.5 to 1; best 2, then 3.
    found = malmquist(
        panel([[[4], [2], [3]], [[6], [9], [2]]]), panel([[[2]] * 3, [[2], [3], [2]]])
    )
    assert found.index.tolist() == [("A", 2001), ("B", 2001), ("C", 2001)]
    np.testing.assert_allclose(found["efficiency_before"], [1, 0.5, 0.75])
    np.testing.assert_allclose(found["efficiency"], [1, 1, 1 / 3])
    np.testing.assert_allclose(found["malmquist"], [1.5, 3, 2 / 3])
    np.testing.assert_allclose(found["efficiency_change"], [1, 2, 4 / 9])
    np.testing.assert_allclose(found["technical_change"], 1.5)


def test_distances_with_two_inputs_by_hand():
    # A and B span the isoquant x1 + x2 = 3 between (1, 2) and (2, 1); C uses 4 for the same.
    inputs = np.array([[1.0, 2.0], [2.0, 1.0], [2.0, 2.0], [1.0, 5.0]])
    outputs = np.ones((4, 1))
    np.testing.assert_allclose(dea_distances(outputs, inputs, outputs, inputs), [1, 1, 0.75, 1])
    # Half the input of A for its output lies beyond a frontier without the unit.
    assert dea_distances(outputs[:1], inputs[:1] / 2, outputs, inputs) == pytest.approx(2)


@pytest.fixture(scope="module")
def goods():
    rng = np.random.default_rng(np.random.SeedSequence(3))
    index = pd.MultiIndex.from_product([list("ABCDEFGH"), range(2000, 2004)])
    index.names = ["entity", "year"]
    outputs = pd.DataFrame(rng.uniform(1, 5, (32, 2)), index, ["gdp", "patents"])
    inputs = pd.DataFrame(rng.uniform(1, 5, (32, 3)), index, ["capital", "labour", "energy"])
    return outputs, inputs


def output_distance(y, x, Y, X):
    """The textbook programme of one unit: largest phi with Y'l >= phi y and X'l <= x."""
    a = np.vstack([np.column_stack([y, -Y.T]), np.column_stack([np.zeros(len(x)), X.T])])
    b = np.concatenate([np.zeros(len(y)), x])
    found = linprog([-1] + [0] * len(Y), A_ub=a, b_ub=b, method="highs")
    return 1 / found.x[0]


def test_distances_in_one_programme_equal_one_programme_a_unit(goods):
    (y0, x0), (y1, x1) = (
        [table.xs(year, level="year").to_numpy() for table in goods] for year in (2000, 2001)
    )
    expected = [output_distance(y, x, y0, x0) for y, x in zip(y1, x1, strict=True)]
    np.testing.assert_allclose(dea_distances(y1, x1, y0, x0), expected, rtol=1e-7)
    assert max(expected) > 1


def test_distances_do_not_depend_on_the_size_of_units(goods):
    y, x = (table.xs(2000, level="year").to_numpy() for table in goods)
    size = 10.0 ** np.arange(-4, 4)[:, None]
    expected = dea_distances(y, x, y, x)
    np.testing.assert_allclose(
        dea_distances(y * size, x * size, y * size, x * size), expected, rtol=1e-7
    )


def test_malmquist_identities(goods):
    found = malmquist(*goods)
    assert len(found) == 24
    product = found["efficiency_change"] * found["technical_change"]
    np.testing.assert_allclose(found["malmquist"], product, rtol=1e-12)
    assert found["efficiency"].max() <= 1 + 1e-9
    both = np.isclose(found[["efficiency_before", "efficiency"]], 1).all(axis=1)
    assert both.any()
    np.testing.assert_allclose(found.loc[both, "efficiency_change"], 1)
    # Efficiency after one year is efficiency before the next.
    after = found["efficiency"].unstack().iloc[:, :-1].to_numpy()
    np.testing.assert_allclose(found["efficiency_before"].unstack().iloc[:, 1:], after)


def test_malmquist_does_not_depend_on_rows_columns_or_units(goods):
    outputs, inputs = goods
    found = malmquist(outputs, inputs)
    turned = malmquist(
        outputs.iloc[::-1, ::-1] * 1e6, inputs.iloc[::-1, [2, 0, 1]] * [1e-4, 3, 1e5]
    )
    np.testing.assert_allclose(turned[::-1], found, rtol=1e-7)
    assert turned.index[::-1].equals(found.index)


def test_malmquist_of_doubled_output_doubles():
    goods = panel([[[1.0], [2.0]], [[2.0], [4.0]]]), panel([[[1.0], [3.0]], [[1.0], [3.0]]])
    found = malmquist(*goods)
    np.testing.assert_allclose(found["malmquist"], 2)
    np.testing.assert_allclose(found["efficiency_change"], 1)


def test_malmquist_refuses(goods):
    outputs, inputs = goods
    short = outputs.index != ("B", 2001)
    with pytest.raises(TandemError, match="B has no row for 2001"):
        malmquist(outputs[short], inputs[short])
    gap = outputs.index.get_level_values("year") != 2001
    with pytest.raises(TandemError, match="jump from 2000 to 2002"):
        malmquist(outputs[gap], inputs[gap])
    last = outputs.index.get_level_values("year") == 2003
    with pytest.raises(TandemError, match="at least two years"):
        malmquist(outputs[last], inputs[last])
    zero = inputs.copy()
    zero.loc[("C", 2002), "labour"] = 0
    with pytest.raises(TandemError, match=r"labour \(entity C, year 2002\) is 0.0: a frontier"):
        malmquist(outputs, zero)
    with pytest.raises(TandemError, match="same entities and years"):
        malmquist(outputs, inputs[::-1])


@pytest.fixture(scope="module")
def enterprises():
    """Environmental enterprises by field, 2017: services and products."""
    path = Path(__file__).parents[2] / "data" / "raw" / "assehr455" / "table2_2017.csv"
    with open(path, encoding="utf-8") as file:
        rows = [row for row in csv.reader(file) if len(row) == 3 and row[2].isdigit()]
    counts = {row[0]: int(row[2]) for row in rows if row[0] != "Indicator"}
    parts = ("Services: ", "Products: ")
    return [[n for name, n in counts.items() if name.startswith(part)] for part in parts]


def test_division_of_labour_in_2017(enterprises):
    services, products = enterprises
    assert (sum(services), sum(products)) == (5834, 1394)
    expected = math.log(5834) - sum(n * math.log(n) for n in services) / 5834
    assert field_entropy(services) == pytest.approx(expected)
    assert herfindahl(services) == pytest.approx(sum(n * n for n in services) / 5834**2)
    assert herfindahl(products) == pytest.approx(sum(n * n for n in products) / 1394**2)
    assert services_share(sum(services), sum(products)) == pytest.approx(5834 / 7228)


def test_entropy_splits_into_between_and_within(enterprises):
    # Shannon's grouping: H of all fields = H of the two groups + mean H inside.
    services, products = (np.array(part) for part in enterprises)
    share = services_share(services.sum(), products.sum())
    inside = share * field_entropy(services) + (1 - share) * field_entropy(products)
    whole = field_entropy(np.concatenate([services, products]))
    assert whole == pytest.approx(field_entropy([share, 1 - share]) + inside)


def test_entropy_and_herfindahl_at_their_bounds():
    counts = pd.DataFrame({"water": [5.0, 9.0], "air": [5.0, 0.0], "noise": [5.0, 0.0]}, ["A", "B"])
    np.testing.assert_allclose(field_entropy(counts), [math.log(3), 0], atol=1e-15)
    np.testing.assert_allclose(herfindahl(counts), [1 / 3, 1])
    assert field_entropy(counts).index.equals(counts.index)
    turned = counts.iloc[::-1, ::-1] * 1000
    pd.testing.assert_series_equal(field_entropy(turned)[::-1], field_entropy(counts))
    assert math.copysign(1, field_entropy([3, 0])) == 1


def test_fields_and_services_refuse():
    with pytest.raises(TandemError, match="all fields are 0"):
        field_entropy([0, 0])
    with pytest.raises(TandemError, match="below 0"):
        herfindahl([1, -1])
    with pytest.raises(TandemError, match="every field"):
        herfindahl([1, np.nan])
    with pytest.raises(TandemError, match="both 0"):
        services_share([0.0], [0.0])
    with pytest.raises(TandemError, match="cannot be below 0"):
        services_share([1.0], [-1.0])


def test_shares_of_capital_and_labour_run_from_none_to_all():
    y, k, n = np.array([4.0, 9.0]), np.array([2.0, 3.0]), np.array([5.0, 7.0])
    for share in (0.0, 1.0):
        expected = np.log(y) - share * np.log(k) - (1 - share) * np.log(n)
        np.testing.assert_allclose(solow_residual(y, k, n, share), expected)
    np.testing.assert_allclose(solow_residual(y, k, n, 0.5, 0.0), np.log(y) - np.log(k) / 2)
    for shares in ((-0.01,), (1.01,), (0.5, -0.01)):
        with pytest.raises(TandemError, match="share of capital from 0 to 1"):
            solow_residual(y, k, n, *shares)
