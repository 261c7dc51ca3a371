import numpy as np
import pandas as pd
import pytest

from tandem.errors import TandemError
from tandem.indices import (
    deviation,
    fu_angle,
    hierarchy,
    moore,
    productivity_advancement,
    structure_table,
    tertiary_secondary,
    theil_rationalisation,
)

# Value added and employment by sector in per cent, then theil, deviation, ts, hierarchy, fu.
# fmt: off
CHINA = {
    1978: ((27.7, 47.7, 24.6), (70.5, 17.3, 12.2), (.3975, 3.3807, .5157, 1.9690, 5.7550)),
    2000: ((14.7, 45.5, 39.8), (50.0, 22.5, 27.5), (.2876, 2.1755, .8747, 2.2510, 6.3743)),
    2009: ((9.6, 46.0, 44.4), (38.1, 27.8, 34.1), (.2165, 1.7048, .9652, 2.3480, 6.6372)),
    2019: ((7.1, 38.6, 54.3), (25.1, 27.5, 47.4), (.1150, 1.2663, 1.4067, 2.4720, 6.9334)),
}
# fmt: on


def indices(y, labour):
    return [
        theil_rationalisation(y, labour),
        deviation(y, labour),
        tertiary_secondary(y),
        hierarchy(y),
        fu_angle(y),
    ]


@pytest.mark.parametrize("year", CHINA)
def test_china(year):
    y, labour, expected = CHINA[year]
    np.testing.assert_allclose(indices(y, labour), expected, atol=6e-5)


def test_china_2012():
    found = indices((10.1, 45.3, 44.6), (33.6, 30.3, 36.1))
    np.testing.assert_allclose(found, [0.15508, 1.42991, 0.98455, 2.3450, 6.62524], atol=1e-5)


def test_gansu_2017():
    y = (11.53, 34.34, 54.13)
    found = [tertiary_secondary(y), hierarchy(y), fu_angle(y)]
    np.testing.assert_allclose(found, [1.57630, 2.4260, 6.79917], atol=1e-5)


def test_fu_angle_of_the_corners():
    found = fu_angle([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]])
    expected = [1.5 * np.pi, 2 * np.pi, 2.5 * np.pi, 5.731900]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_moore():
    angle = moore(CHINA[1978][0], CHINA[2019][0])
    assert angle == pytest.approx(0.584977, abs=1e-6)
    assert np.degrees(angle) == pytest.approx(33.517, abs=5e-4)
    assert moore([1, 2, 3], [2, 4, 6]) == pytest.approx(0, abs=1e-7)
    assert moore([1, 0, 0], [0, 0, 1]) == pytest.approx(np.pi / 2)


def test_levels_and_shares_agree():
    y, labour, _ = CHINA[2000]
    shares = np.divide(y, 100), np.divide(labour, 100)
    np.testing.assert_allclose(indices(y, labour), indices(*shares))


def test_zero_sectors():
    assert theil_rationalisation([0, 1, 1], [0.2, 0.4, 0.4]) == pytest.approx(np.log(1.25))
    assert theil_rationalisation([1, 1, 1], [0, 1, 1]) == np.inf
    assert theil_rationalisation([0, 1, 1], [0, 1, 1]) == 0
    assert deviation([0, 1, 1], [0, 1, 1]) == 0
    with pytest.raises(TandemError, match="tertiary over secondary is undefined"):
        tertiary_secondary([1, 0, 1])
    with pytest.raises(TandemError, match="all three sectors are 0"):
        hierarchy([0, 0, 0])


def test_missing_sector_gives_a_missing_index():
    y = np.array([[1, np.nan, 2], [1, 1, 1]])
    np.testing.assert_allclose(hierarchy(y), [np.nan, 2])
    np.testing.assert_allclose(theil_rationalisation(y, np.ones((2, 3))), [np.nan, 0], atol=1e-12)


INDEX = pd.MultiIndex.from_tuples(
    [("A", 1978), ("A", 2000), ("A", 2001), ("B", 2000), ("B", 2001)], names=["entity", "year"]
)
SECTORS = ["primary", "secondary", "tertiary"]
VALUE_ADDED = pd.DataFrame(
    [CHINA[y][0] for y in (1978, 2000, 2009, 2019, 2000)], INDEX, SECTORS, dtype=float
)
EMPLOYMENT = pd.DataFrame(
    [CHINA[y][1] for y in (1978, 2000, 2009, 2019, 2000)], INDEX, SECTORS, dtype=float
)


def test_structure_table():
    table = structure_table(VALUE_ADDED, EMPLOYMENT.drop(("B", 2001)))
    assert list(table) == ["ts", "hierarchy", "fu", "moore", "theil", "deviation"]
    assert table.index.equals(INDEX)
    columns = ["theil", "deviation", "ts", "hierarchy", "fu"]
    np.testing.assert_allclose(table.loc[("A", 1978), columns], CHINA[1978][2], atol=6e-5)
    assert table.loc[("B", 2001), ["theil", "deviation"]].isna().all()
    assert table["theil"].notna().sum() == 4


def test_moore_compares_neighbouring_years_of_one_entity():
    found = structure_table(VALUE_ADDED)["moore"]
    # 1978 and 2000 are neighbouring rows, not years.
    assert found.isna().tolist() == [True, True, False, True, False]
    assert found[("A", 2001)] == pytest.approx(moore(CHINA[2000][0], CHINA[2009][0]))
    assert found[("B", 2001)] == pytest.approx(moore(CHINA[2019][0], CHINA[2000][0]))


def test_column_and_row_order_do_not_matter():
    turned = structure_table(VALUE_ADDED.iloc[::-1, ::-1], EMPLOYMENT)
    pd.testing.assert_frame_equal(
        turned.sort_index(), structure_table(VALUE_ADDED, EMPLOYMENT), check_exact=False
    )


def test_structure_table_without_employment():
    table = structure_table(VALUE_ADDED)
    assert table[["theil", "deviation"]].isna().all(axis=None)
    assert table["fu"].notna().all()


def test_structure_table_refuses():
    with pytest.raises(TandemError, match="no column secondary"):
        structure_table(VALUE_ADDED.drop(columns="secondary"))
    with pytest.raises(TandemError, match="employment has A, 1978 twice"):
        structure_table(VALUE_ADDED, pd.concat([EMPLOYMENT, EMPLOYMENT]))
    bad = VALUE_ADDED.copy()
    bad.loc[("B", 2000), "tertiary"] = -1
    with pytest.raises(TandemError, match=r"tertiary \(entity B, year 2000\) is -1"):
        structure_table(bad)
    with pytest.raises(TandemError, match="same entities and years"):
        theil_rationalisation(VALUE_ADDED, EMPLOYMENT[::-1])
    with pytest.raises(TandemError, match="three sectors"):
        hierarchy([0.5, 0.5])


# Labour productivity at the begin and the end, by sector.
BEGIN, END = np.array([1.0, 2.0, 2.0]), np.array([5.0, 10.0, 6.0])


def test_productivity_advancement():
    labour = np.array([50.0, 20.0, 30.0])
    at_begin, at_end = BEGIN * labour, END * labour
    assert productivity_advancement(at_begin, labour, BEGIN, END) == pytest.approx(0)
    assert productivity_advancement(at_end, labour, BEGIN, END) == pytest.approx(1)
    # Productivities 2, 4, 5: progress 1/4, 1/4, 3/4; shares 100, 80, 150 of 330.
    found = productivity_advancement([100.0, 80.0, 150.0], labour, BEGIN, END)
    assert found == pytest.approx((100 / 4 + 80 / 4 + 150 * 3 / 4) / 330)


def test_productivity_advancement_of_a_panel_and_other_units():
    begin, end = pd.Series(BEGIN, SECTORS), pd.Series(END, SECTORS)
    found = productivity_advancement(VALUE_ADDED, EMPLOYMENT, begin, end)
    assert found.index.equals(INDEX)
    turned = productivity_advancement(
        VALUE_ADDED.iloc[::-1, ::-1] * 10, EMPLOYMENT.iloc[::-1] * 100, begin[::-1] / 10, end / 10
    )
    pd.testing.assert_series_equal(turned[::-1], found)


def test_productivity_advancement_refuses():
    with pytest.raises(TandemError, match="must exceed"):
        productivity_advancement([1, 1, 1], [1, 1, 1], END, BEGIN)
    with pytest.raises(TandemError, match="productivity is undefined"):
        productivity_advancement([1, 1, 1], [0, 1, 1], BEGIN, END)
    with pytest.raises(TandemError, match="one number for each of the three"):
        productivity_advancement([1, 1, 1], [1, 1, 1], BEGIN[:2], END[:2])
    with pytest.raises(TandemError, match="all three sectors"):
        productivity_advancement(
            VALUE_ADDED, EMPLOYMENT, pd.Series({"primary": 1.0}), pd.Series(END, SECTORS)
        )
