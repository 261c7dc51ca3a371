import numpy as np
import pandas as pd
import pytest

from tandem.econometrics.panel_arrays import check_numbers, panel_cube
from tandem.errors import TandemError


@pytest.fixture
def panel():
    index = pd.MultiIndex.from_product([["Anhui", "Beijing"], [2001, 2002, 2004]])
    values = np.arange(12.0).reshape(6, 2)
    return pd.DataFrame(values, index=index, columns=["tech", "upgrade"])


def test_rows_in_any_order_fill_the_cube_and_absent_years_stay_missing(panel):
    cube, entities, years = panel_cube(panel.iloc[[3, 0, 5, 1, 4, 2]])
    assert entities == ["Anhui", "Beijing"]
    assert list(years) == [2001, 2002, 2003, 2004]
    assert cube[1, 0] == pytest.approx([6, 8, np.nan, 10], nan_ok=True)


def change(panel, column, value):
    changed = panel.astype(object) if isinstance(value, str) else panel.copy()
    changed.loc[("Beijing", 2002), column] = value
    return changed


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda p: change(p, "tech", np.inf), "'tech' is infinite in Beijing, 2002"),
        (lambda p: change(p, "tech", "n.a."), "'n.a.' in Beijing, 2002"),
        (lambda p: p.assign(tech=3.0), "'tech' is constant"),
        (lambda p: p.assign(tech=np.nan), "'tech' has no value"),
        (lambda p: pd.concat([p, p.iloc[4:5]]), "Beijing has two rows for 2002"),
        (lambda p: p.reset_index(), "indexed by"),
        (lambda p: p.rename(index={2001: 2001.5}, level=1), "whole number"),
        (lambda p: p[["tech", "tech"]], "given twice"),
    ],
)
def test_bad_input_is_refused_in_words(panel, damage, words):
    with pytest.raises(TandemError, match=words):
        panel_cube(damage(panel))


def test_an_index_without_a_name_or_values_is_refused(panel):
    nameless = panel.copy()
    nameless.index = pd.MultiIndex.from_tuples([(np.nan, 2001), *panel.index[1:]])
    with pytest.raises(TandemError, match="has no name; fill the index"):
        panel_cube(nameless)
    with pytest.raises(TandemError, match="indexed by"):
        panel_cube(panel[:0])
    with pytest.raises(TandemError, match="indexed by"):
        panel_cube(panel["tech"])
    with pytest.raises(TandemError, match=r"'tech' is constant \(3 everywhere\)"):
        panel_cube(panel.assign(tech=[np.nan, 3.0, 3, 3, 3, np.nan]))
    assert panel_cube(panel.assign(tech=[np.nan, 3.0, 3, 3, 3, 4]))[0].shape == (2, 2, 4)


def test_text_is_told_with_its_first_cell(panel):
    with pytest.raises(TandemError, match=r"'tech' holds text, not numbers \('x' in Anhui, 2002\)"):
        panel_cube(panel.assign(tech=["1", "x", "y", "2", "3", "4"]))
    with pytest.raises(TandemError, match="'tech' holds text, not numbers; convert it first"):
        panel_cube(panel.assign(tech=list("123456")))
    series = pd.Series([1.0, -np.inf], [2001, 2002], name="s")
    with pytest.raises(TandemError, match="'s' is infinite in 2002"):
        check_numbers(series)
