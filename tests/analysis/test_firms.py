"""The step of a table: the numbers of the whole panel, whatever the size of chunks."""

import runpy
from pathlib import Path

import duckdb
import pandas as pd
import pytest
import yaml

from tandem.analysis.firms import fit_firms
from tandem.econometrics import PanelVAR
from tandem.econometrics.static import lags, panel_regression
from tandem.panel.table import write_panel
from tandem.report.firms import firm_tables
from tandem.study import Study

BENCH = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks/firms.py"))


def study_of(chunk):
    raw = yaml.load(BENCH["STUDY"], Loader=yaml.CSafeLoader)
    raw["panel"]["table"]["chunk"] = chunk
    raw["models"]["panel_var"]["models"]["fd"] = {"label": "FD", "transform": "fd", "steps": 1}
    return Study.model_validate(raw)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The sorted panel of 250 firms, what the step finds in it, and what it said meanwhile."""
    folder = tmp_path_factory.mktemp("firms")
    told = []
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        BENCH["generate"](Path("data/firms"), 250, part=100)
        write_panel(study_of(100), "panel.parquet")
    file = folder / "panel.parquet"
    found = fit_firms(study_of(100), file, said=lambda *words: told.append(words))
    panel = duckdb.sql(f"SELECT * FROM read_parquet('{file}')").df()
    return file, panel.set_index(["entity", "year"]), found, told


def test_every_model_is_that_of_the_whole_panel(made):
    _, panel, found, _ = made
    terms = (
        found["terms"].set_index(["table", "model", "equation", "term"])["std_error"].sort_index()
    )
    systems = panel[["technology", "market"]]
    for name, transform, steps in (("fod", "fod", 2), ("fd", "fd", 1)):
        whole = PanelVAR(systems, 1, transform, (2, 4), time_effects=True).fit(steps)
        for effect, errors in whole.std_errors.iterrows():
            mine = terms[("panel_var", name, effect)][errors.index]
            pd.testing.assert_series_equal(mine, errors, check_names=False, rtol=1e-8)
    for cause, effect in (("technology", "market"), ("market", "technology")):
        x = lags(panel[cause], [1]).join(panel[["size"]])
        whole, _ = panel_regression(panel[effect], x, "two-way")
        mine = terms[(effect, "two_way", effect)][list(x)]
        pd.testing.assert_series_equal(mine, whole.std_errors, check_names=False, rtol=1e-8)


def test_the_size_of_chunks_changes_nothing_but_rounding(made):
    file, _, found, _ = made
    other = fit_firms(study_of(7), file)
    for name, frame in found.items():
        if name != "models":
            pd.testing.assert_frame_equal(other[name], frame, rtol=1e-8)


def test_the_share_done_rises_to_one_in_every_pass(made):
    told = made[-1]
    assert [share for _, share in told[:3]] == pytest.approx([0.4, 0.8, 1.0])
    assert {name for name, share in told if share == 1} == {"description", "two_way", "fod", "fd"}


def test_tables_hold_the_estimates(made):
    found = made[2]
    records = found["terms"], found["models"]
    tables = firm_tables(study_of(100), records, found["describe"], found["granger"])
    names = ["data_definitions", "describe", "market", "panel_var", "panel_var_granger"]
    assert [t.name for t in tables] == names
    estimate = found["terms"].set_index(["model", "equation", "term"])["estimate"]
    shown = tables[3].rows[0][1].text
    assert shown.startswith(f"{estimate['fod', 'technology', 'L1.technology']:.3f}")
