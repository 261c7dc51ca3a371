"""Rows of a regression are joined, checked, and the incomplete ones counted."""

import numpy as np
import pandas as pd
import pytest

from tandem.econometrics.complete_rows import complete_rows, require_balanced
from tandem.errors import TandemError


def panel():
    index = pd.MultiIndex.from_product([["b", "a"], [2001, 2002, 2003]], names=["entity", "year"])
    return pd.DataFrame({"y": [1.0, 2, 3, 4, 5, 7], "x": [2.0, 1, 4, 3, 6, 5]}, index)


@pytest.mark.parametrize("infinity", [np.inf, -np.inf])
def test_rows_are_sorted_and_incomplete_ones_counted(infinity):
    frame = panel()
    x = frame["x"].mask(frame["x"] == 3).drop(("b", 2002))
    y = frame["y"].replace(7, infinity)
    rows, n_dropped = complete_rows(y, x, None)
    assert list(rows.index) == [("a", 2002), ("b", 2001), ("b", 2003)]
    assert n_dropped == 3


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        (lambda f: (f["y"], f["x"].rename("y")), "'y' is given twice"),
        (lambda f: (f["y"].rename(None), f["x"]), "no name"),
        (lambda f: (f["y"].droplevel(0), f["x"]), r"indexed by \(entity, year\)"),
        (lambda f: (pd.concat([f["y"], f["y"][:1]]), f["x"]), "b has two rows for 2001"),
        (lambda f: (f["y"], f["x"].astype(str)), "'x' holds text"),
        (lambda f: (f["y"], f["x"] * np.nan), "No row has a value of each of y, x"),
        (lambda f: (f["y"], f["x"] * 0), "'x' is constant"),
    ],
)
def test_what_is_no_regression_is_refused_in_words(parts, words):
    with pytest.raises(TandemError, match=words):
        complete_rows(*parts(panel()))


def test_balance():
    require_balanced(panel())
    with pytest.raises(TandemError, match="a has no complete row for 2002"):
        require_balanced(panel().drop(("a", 2002)))


def test_two_entities_and_two_years_are_the_least():
    frame = panel()
    require_balanced(frame.drop(2003, level=1))
    with pytest.raises(TandemError, match="Only the year 2002 is complete"):
        require_balanced(frame[frame.index.get_level_values(1) == 2002])
    with pytest.raises(TandemError, match="b alone was given"):
        require_balanced(frame.loc[["b"]])
    rows, n_dropped = complete_rows(frame["y"], None, frame["x"])
    assert len(rows) == 6 and n_dropped == 0
