"""Figures draw what the frames hold, leave gaps open and are written byte for byte alike."""

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection, PolyCollection, QuadMesh
from matplotlib.patches import Rectangle

from tandem.errors import TandemError
from tandem.report import figures
from tandem.report.figure_style import segments
from tandem.report.provinces import SHORT, TILES

YEARS = range(2005, 2010)
GROUPS = pd.Series({"Beijing": "East", "Shanghai": "East", "Gansu": "West"})


def words(figure):
    """Every text of a figure that is not empty."""
    return [text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))]


def lines_between_years(ax):
    """Segments of an axes as sorted pairs of years (rounded: kinds stand a little beside)."""
    drawn = [c.get_segments() for c in ax.collections if isinstance(c, LineCollection)]
    return sorted((round(s[0][0]), round(s[1][0])) for some in drawn for s in some)


def shares():
    return pd.DataFrame(
        [
            (2001, 1.0, "a", "published share", "quoted"),
            (2002, 1.3, "b", "published share", ""),
            (2002, 1.1, "c", "published share", ""),
            (2003, 1.2, "c", "published share", ""),
            (2006, 1.2, "c", "published share", ""),
            (2007, 1.4, "c", "total / GDP", ""),
        ],
        columns=["year", "value", "vintage", "kind", "flag"],
    )


def coupling():
    index = pd.MultiIndex.from_product([GROUPS.index, YEARS], names=["entity", "year"])
    value = np.linspace(0.2, 0.9, len(index))
    names = ["C_standard", "D_standard", "D_wang", "D_fan"]
    return pd.DataFrame({name: value for name in names}, index=index)


def responses(kinds=("one",)):
    rows = [
        (i, r, h, 0.5**h, 0.5**h - 0.1, 0.5**h + 0.1, kind)
        for kind in kinds
        for i in ("tech", "upgrade")
        for r in ("tech", "upgrade")
        for h in range(4)
    ]
    names = ["impulse", "response", "horizon", "estimate", "conf_low", "conf_high", "kind"]
    return pd.DataFrame(rows, columns=names)


def effects():
    rows = [
        ("a → b", "Within", 0.3, 0.1, 0.5, 0.01),
        ("a → b", "GMM", 0.1, -0.1, 0.3, 0.40),
        ("b → a", "Within", 0.2, 0.0, 0.4, np.nan),
        ("b → a", "GMM", np.nan, np.nan, np.nan, np.nan),
    ]
    names = ["direction", "model", "estimate", "conf_low", "conf_high", "p_value"]
    return pd.DataFrame(rows, columns=names)


def test_segments_join_adjacent_years_only():
    frame = pd.DataFrame({"year": [2001, 2005, 2002, 2004], "value": [1.0, 5.0, 2.0, 4.0]})
    expected = [[[2001, 1], [2002, 2]], [[2004, 4], [2005, 5]]]
    assert sorted(segments(frame).tolist()) == expected


def test_investment_share_shows_all_vintages_and_leaves_gaps_open():
    figure = figures.investment_share(shares(), line=2.0)
    ax = figure.axes[0]
    points = [line for line in ax.lines if line.get_linestyle() == "None"]
    assert sum(len(line.get_xdata()) for line in points) == len(shares())
    assert lines_between_years(ax) == [(2002, 2003)]  # not 2001-02 (other vintage), not 2006-07
    bands = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    assert [band.get_x() + band.get_width() / 2 for band in bands] == [2004, 2005]
    hollow = [line for line in points if line.get_markerfacecolor() == "white"]
    assert sum(len(line.get_xdata()) for line in hollow) == 1
    assert any(set(line.get_ydata()) == {2.0} for line in ax.lines)
    assert "no figure at hand" in words(figure)  # none found is not none published


def test_coupling_by_region_draws_means_and_the_null():
    frame = coupling()
    figure = figures.coupling_by_region(frame, GROUPS)
    left, right = figure.axes
    assert [line.get_label() for line in left.lines] == ["East", "West"]
    east = frame["C_standard"].unstack().loc[["Beijing", "Shanghai"]].mean()
    np.testing.assert_allclose(left.lines[0].get_ydata(), east, rtol=1e-15)
    assert any(set(line.get_ydata()) == {0.64} for line in right.lines)
    assert any("0.64" in text for text in words(figure))


def test_coupling_by_region_leaves_a_mean_open_where_an_entity_has_no_value():
    frame = coupling()
    frame.loc[("Beijing", 2007), "D_standard"] = np.nan
    east = figures.coupling_by_region(frame, GROUPS).axes[1].lines[0]
    assert list(np.isnan(east.get_ydata())) == [False, False, True, False, False]


def test_coupling_by_region_names_an_entity_without_region():
    with pytest.raises(TandemError, match="Gansu has no region"):
        figures.coupling_by_region(coupling(), GROUPS.drop("Gansu"))


def test_every_province_has_a_tile_of_its_own_and_a_short_name():
    assert len(TILES) == len(set(TILES.values())) == len(set(SHORT.values())) == 31


def test_tile_grids_show_values_and_hatches_what_is_missing():
    figure = figures.tile_grids(pd.DataFrame({2019: {"Beijing": 0.25, "Tibet": np.nan}}), "D")
    ax = figure.axes[0]
    tiles = [patch for patch in ax.patches if patch.get_width() > 0.9]
    assert len(tiles) == 31
    assert sum(tile.get_hatch() is None for tile in tiles) == 1
    texts = words(figure)
    assert set(SHORT.values()) <= set(texts)
    assert {"0.25", "no value"} <= set(texts)
    assert "nan" not in " ".join(texts)


def test_tile_text_contrasts_with_its_tile():
    ax = figures.tile_grids(pd.DataFrame({2019: {"Beijing": 0.0, "Tibet": 1.0}}), "D").axes[0]
    ink = {text.get_text(): text.get_color() for text in ax.texts}
    assert ink["BJ"] != "white"
    assert ink["XZ"] == "white"


def test_tile_grids_share_one_scale():
    frame = pd.DataFrame({2005: {"Beijing": 1.0}, 2019: {"Beijing": 3.0}})
    figure = figures.tile_grids(frame, "D")
    assert len(figure.axes) == 3  # two maps, one colour bar
    assert figure.axes[2].get_xlim() == (1.0, 3.0)
    assert {"2005", "2019"} <= set(words(figure))


def test_an_unknown_province_is_named_with_the_nearest_known_one():
    with pytest.raises(TandemError, match="'Shanxii'.*'Shanxi'"):
        figures.tile_grids(pd.DataFrame({2019: {"Shanxii": 0.5}}), "D")


def test_a_map_refuses_two_values_and_no_values():
    with pytest.raises(TandemError, match="two rows for Beijing"):
        figures.tile_grids(pd.DataFrame({2019: [0.1, 0.2]}, index=["Beijing", "Beijing"]), "D")
    with pytest.raises(TandemError, match="no value for any province"):
        figures.tile_grids(pd.DataFrame({2019: {"Beijing": np.nan}}), "D")


def test_irf_grid_has_a_panel_a_pair_and_a_line_and_band_a_kind():
    figure = figures.irf_grid(responses(("one", "two")), {"tech": "technology"})
    assert len(figure.axes) == 4
    for ax in figure.axes:
        assert len([c for c in ax.collections if isinstance(c, PolyCollection)]) == 2
        styles = [line.get_linestyle() for line in ax.lines[1:]]
        assert styles == ["-", "--"]
    texts = words(figure)
    assert {"impulse: technology", "impulse: upgrade", "one", "two"} <= set(texts)


def test_irf_grid_of_one_kind_needs_no_legend():
    assert not figures.irf_grid(responses().drop(columns="kind"), {}).legends
    figure = figures.irf_grid(responses(), {}, "; not stable")
    assert figure.get_supxlabel() == "years after the impulse; not stable"


def test_fevd_bars_stack_to_one():
    rows = [(r, i, h, s) for r in "ab" for h in (1, 2) for i, s in (("a", 0.7), ("b", 0.3))]
    frame = pd.DataFrame(rows, columns=["response", "impulse", "horizon", "share"])
    figure = figures.fevd_bars(frame, {"a": "technology"})
    assert len(figure.axes) == 2
    tops = [bar.get_y() + bar.get_height() for bar in figure.axes[0].patches]
    np.testing.assert_allclose(sorted(tops), [0.7, 0.7, 1, 1], rtol=1e-15)
    assert "technology" in words(figure)


def coverage():
    rows = [("gdp", 2001, 31, 31), ("gdp", 2003, 30, 31), ("patents", 2001, 0, 31)]
    return pd.DataFrame(rows, columns=["series", "year", "published", "entities"])


def test_missing_map_tells_complete_partial_and_absent():
    figure = figures.missing_map(coverage())
    mesh = next(c for c in figure.axes[0].collections if isinstance(c, QuadMesh))
    assert mesh.get_array().reshape(2, 3).tolist() == [[2, 0, 1], [0, 0, 0]]
    assert [text.get_text() for text in figure.axes[0].texts] == ["30"]
    assert {"not at hand", "in part (number of entities)", "complete"} <= set(words(figure))


def test_missing_map_refuses_more_entities_than_there_are():
    with pytest.raises(TandemError, match="gdp has 32 values in 2001 for 31 entities"):
        figures.missing_map(coverage().replace({"published": {31: 32}}))


def test_two_way_forest_fills_by_p_value_and_says_what_is_not_estimated():
    figure = figures.two_way_forest(effects(), "standard deviations")
    left, right = figure.axes
    faces = [line.get_markerfacecolor() for line in left.lines if line.get_marker() == "o"]
    assert len(set(faces)) == 2
    assert faces[1] == "white"
    assert [text.get_text() for text in right.texts] == ["not estimated"]
    assert {"p < 0.05", "p ≥ 0.05", "no p-value", "a → b", "GMM"} <= set(words(figure))


def test_national_series_keep_vintages_apart_and_gaps_open():
    frame = pd.DataFrame(
        [("GDP", y, float(y), "v1", "yuan", "printed") for y in (2001, 2002, 2004)]
        + [("GDP", 2003, 3.0, "v2", "yuan", "printed"), ("GDP", 2006, 4.0, "v3", "yuan", "quoted")]
        + [("GDP", 2005, np.nan, "v1", "yuan", "printed")],
        columns=["series", "year", "value", "vintage", "unit", "kind"],
    )
    figure = figures.national_series(frame)
    assert lines_between_years(figure.axes[0]) == [(2001, 2002)]
    assert {"printed", "quoted", "GDP\nyuan"} <= set(words(figure))
    with pytest.raises(TandemError, match="GDP mixes the units"):
        figures.national_series(frame.assign(unit=["yuan"] * 5 + ["%"]).fillna(1.0))


def test_an_empty_frame_and_a_lost_column_are_refused_in_words():
    with pytest.raises(TandemError, match="investment_share has no rows"):
        figures.investment_share(shares().iloc[:0])
    with pytest.raises(TandemError, match="needs the column share"):
        figures.fevd_bars(pd.DataFrame(columns=["response", "impulse", "horizon"]))


def test_dollars_and_angle_brackets_are_drawn_as_written(tmp_path):
    name = "a $x_1$ < <b> & c"
    figure = figures.missing_map(coverage().replace({"series": {"gdp": name}}))
    svg = figures.save(figure, tmp_path, "plain")[1].read_text(encoding="utf-8")
    assert ">a $x_1$ &lt; &lt;b&gt; &amp; c</text>" in svg  # not a comment beside a formula


SCRIPT = """
import sys
sys.path.insert(0, sys.argv[2])
import test_figures as t
from tandem.report import figures
figures.save(figures.investment_share(t.shares()), sys.argv[1], "share")
values = t.pd.DataFrame({2019: {"Beijing": 0.2, "Gansu": 0.7}})
figures.save(figures.tile_grids(values, "D"), sys.argv[1], "map")
figures.save(figures.irf_grid(t.responses(("one", "two")), {}), sys.argv[1], "irf")
"""


def test_saved_files_are_alike_in_processes_with_other_hash_seeds(tmp_path):
    written = []
    for seed in ("1", "2"):
        folder = tmp_path / seed
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        here = os.path.dirname(__file__)
        command = [sys.executable, "-c", SCRIPT, str(folder), here]
        subprocess.run(command, check=True, env=environment)
        written.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert len(written[0]) == 9  # three figures, three formats, no draft left
    assert written[0] == written[1]


def test_saving_twice_gives_the_same_bytes_without_dates_or_versions(tmp_path):
    figure = figures.coupling_by_region(coupling(), GROUPS)
    first = [path.read_bytes() for path in figures.save(figure, tmp_path, "one.v1")]
    second = [path.read_bytes() for path in figures.save(figure, tmp_path, "one.v1")]
    assert first == second
    for bytes_ in first:
        for word in (b"CreationDate", b"ModDate", b"dc:date", b"matplotlib.org", b"Producer"):
            assert word not in bytes_
