"""Which values a formula reads for one year, and which of them must be of one footing."""

import pytest

from tandem.panel.joins import cells_read


@pytest.mark.parametrize(
    ("formula", "together"),
    [
        ("a / b * 100", {("a", 2005), ("b", 2005)}),
        ("-log(a)", {("a", 2005)}),
        ("lag(a)", {("a", 2004)}),
        ("lag(lag(a, 2))", {("a", 2002)}),
        ("a - lag(a, 3)", {("a", 2005), ("a", 2002)}),
        ("diff(a / b)", {("a", 2005), ("a", 2004), ("b", 2005), ("b", 2004)}),
        ("diff(diff(a))", {("a", 2005), ("a", 2004), ("a", 2003)}),
        ("mean(a, lag(b))", {("a", 2005), ("b", 2004)}),
    ],
)
def test_years_read_together(formula, together):
    assert cells_read(formula, 2005) == [together]


@pytest.mark.parametrize(
    ("base", "years"), [(2003, [2004, 2005]), (2007, [2006, 2007]), (2005, [])]
)
def test_each_growth_rate_of_a_chain_stands_alone(base, years):
    level, *rates = cells_read(f"chain(a, b, {base}) / a", 2005)
    assert level == {("a", base), ("a", 2005)}
    assert rates == [{("b", y)} for y in years]


def test_a_growth_rate_made_of_two_years_holds_both():
    assert cells_read("chain(a, b / lag(b) * 100, 2004)", 2005) == [
        {("a", 2004)},
        {("b", 2005), ("b", 2004)},
    ]


def test_what_stands_around_a_chain_moves_its_years():
    level, *rates = cells_read("diff(chain(a, b, 2003))", 2005)
    assert level == {("a", 2003)}
    assert sorted(r.pop() for r in rates) == [("b", 2004), ("b", 2004), ("b", 2005)]
