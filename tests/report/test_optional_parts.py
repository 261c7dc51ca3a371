"""Tables and figures of parts that a study may lack, and of what seldom happens."""

import io
import zipfile

import numpy as np
import pandas as pd
import pytest
from test_dynamics_report import STUDY as DYNAMIC
from test_figures import responses, shares, words
from test_robustness_report import STUDY as ROBUST
from test_robustness_report import results as robust  # noqa: F401
from test_tables import layout, model, table, texts

from tandem.errors import TandemError
from tandem.report import figures, study_tables
from tandem.report.dynamics import _spread
from tandem.report.firms import firm_tables
from tandem.report.lineage_view import _tables as lineage_tables
from tandem.report.paper import _caption, _verdicts
from tandem.report.robustness import robustness_tables
from tandem.report.table_archive import fixed_archive
from tandem.report.tables import frame_table, layout_table
from tandem.report.two_way import two_way_figures
from tandem.report.uncertainty import null_table
from tandem.sources.regions import PROVINCES
from tandem.study import Study

YEARS = range(2001, 2005)
INDEX = pd.MultiIndex.from_product([["A", "B"], YEARS], names=["entity", "year"])


# --- the tables of a study ------------------------------------------------------------------------


def test_degrees_moved_by_fitting_anew_name_the_largest_move_of_each_year():
    fixed = pd.Series([0.2, 0.3, 0.4, 0.5] * 2, INDEX)
    by = [0.01, -0.02, 0.03, 0.0, -0.05, 0.01, 0.02, 0.04]
    moved = pd.DataFrame({"fixed": fixed, "refit": fixed + by}).assign(moved=by).reset_index()
    rows = texts(study_tables._moved(moved))
    assert [row[0] for row in rows] == ["2001", "2002", "2003", "2004"]
    assert [row[-2:] for row in rows] == [
        ["-0.050", "B"], ["-0.020", "A"], ["0.030", "A"], ["0.040", "B"],
    ]  # fmt: skip
    assert rows[0][1:4] == ["0.200", "0.180", "-0.020"]


def goalposts(**more):
    keys = {"system": ["sa", "sb"], "indicator": ["a", "b"]}
    posts = pd.DataFrame(keys | {"minimum": 0.0, "maximum": 1.0, "formula": "x", "method": "equal"})
    weights = pd.DataFrame(keys | {"entropy_value": 0.9, "used": 1.0})
    empty = {"clipped": pd.DataFrame(), "moved": pd.DataFrame()}
    frames = {"goalposts": posts, "weights": weights} | empty | more
    return {f"indices/{name}": frame for name, frame in frames.items()}


def test_values_beyond_the_goalposts_have_a_table_where_there_are_any():
    names = [t.name for t in study_tables._goalpost_tables(DYNAMIC, goalposts())]
    assert names == ["index_weights", "index_goalposts"]
    beyond = pd.DataFrame(
        [("A", 2002, "sa", "a", 1.2, 0.0, 1.0)],
        columns=["entity", "year", "system", "indicator", "value", "minimum", "maximum"],
    )
    found = study_tables._goalpost_tables(DYNAMIC, goalposts(clipped=beyond))
    assert [t.name for t in found] == [*names, "index_clipped"]
    assert texts(found[-1]) == [["A", "2002", "System a", "A", "1.200", "0.000", "1.000"]]


def test_variants_stand_side_by_side_under_their_titles():
    variants = {"late": {"panel": {"years": [2002, 2002]}}, "early": {}}
    study = Study.model_validate(DYNAMIC.model_dump() | {"variants": variants})
    results = {}
    for name, estimate in (("late", 0.5), ("early", 0.25)):
        row = {"variant": name, "title": f"Title {name}", "entities": 2, "complete": 8}
        link = {"variant": name, "direction": "sa → sb", "model": "Pooled", "estimate": estimate,
                "conf_low": 0.1, "conf_high": 0.9, "p_value": 0.04}  # fmt: skip
        results[f"variants/{name}/summary"] = pd.DataFrame([row])
        results[f"variants/{name}/two_way"] = pd.DataFrame([link])
    found = study_tables._link_tables(study, results, pd.DataFrame())
    assert [t.name for t in found] == ["variants", "variants_two_way"]
    assert texts(found[0]) == [["Title late", "2", "8"], ["Title early", "2", "8"]]
    assert texts(found[1])[1] == ["Title early", "sa → sb", "Pooled", "0.250", "0.100", "0.900",
                                  "0.040"]  # fmt: skip


def test_a_panel_var_with_one_possible_order_has_no_table_of_orders():
    block = {"models": {"fod": {"label": "FOD"}}}
    study = Study.model_validate(DYNAMIC.model_dump() | {"models": {"panel_var": block}})
    names = ["ar1_p", "ar2_p", "cd_p", "jarque_bera_p"]
    tests = pd.DataFrame([{"model": "fod", "equation": "sa"} | dict.fromkeys(names, 0.2)])
    cautions = pd.DataFrame({"model": ["fod"], "caution": ["2 entities dropped"]})
    lags = pd.DataFrame(columns=["lags", "pval", "cd", "max_modulus", "n_obs", "df"])
    frames = {"diagnostics": tests, "cautions": cautions, "lag_choice": lags}
    results = {f"estimates/panel_var/{name}": frame for name, frame in frames.items()}
    (only,) = study_tables._panel_var_tests(study, results)
    assert only.name == "panel_var_diagnostics" and only.notes[1] == "FOD: 2 entities dropped"
    lags = pd.DataFrame(
        [{"lags": 1, "pval": 0.3, "cd": 0.9, "max_modulus": 0.6, "n_obs": 8, "df": 2}]
    )
    more = study_tables._panel_var_tests(study, results | {"estimates/panel_var/lag_choice": lags})
    assert more[1].name == "panel_var_lag_choice"


def test_spread_of_a_study_without_groups_and_neighbours():
    sigma = pd.DataFrame({"year": YEARS, "mean": 0.5, "std": 0.1, "cv": 0.2, "n": 2})
    shown = _spread({"sigma": sigma})
    assert shown.columns == ("year", "mean", "s.d.", "CV")
    assert shown.notes[0] == "CV: standard deviation over mean." and len(shown.notes) == 1


def test_nothing_is_said_of_chance_where_nothing_could_be_exchanged():
    empty = pd.DataFrame(columns=["statistic", "observed"])
    assert null_table({"indices/null": empty, "indices/null_shift": empty}) == []


def test_robustness_without_space_or_placebo(robust):  # noqa: F811
    room = "estimates/robustness/"
    tests = robust[f"{room}tests"]
    less = {k: v for k, v in robust.items() if k not in (f"{room}placebo", f"{room}spatial")}
    less[f"{room}tests"] = tests[~tests["group"].str.startswith("space")]
    found = {t.name: t for t in robustness_tables(ROBUST, less)}
    assert "robustness_spatial_tests" not in found and "robustness_tests" in found
    columns = found["robustness_left_out"].columns
    assert columns == ("direction", "smallest", "without", "largest", "without")


def test_a_table_of_firms_without_panel_vars_has_no_granger_tests():
    study = DYNAMIC.model_dump() | {"dynamics": None, "tables": {}}
    source = {"file": "data/x.csv", "entity": "firm", "year": "year"}
    study["panel"] = {"scope": "table", "years": [2001, 2002], "table": source}
    study = Study.model_validate(study)
    columns = ["mean", "overall", "between", "within", "minimum", "maximum", "n_obs", "n_entities"]
    describe = pd.DataFrame(1.0, ["sa"], columns).rename_axis("variable").reset_index()
    records = pd.DataFrame(), pd.DataFrame()
    found = firm_tables(study, records, describe, pd.DataFrame())
    assert [t.name for t in found] == ["data_definitions", "describe"]


def test_no_table_opens_a_lineage_where_no_degree_is_known():
    coupling = pd.DataFrame({"D_standard": np.nan, "C_standard": np.nan}, INDEX)
    assert lineage_tables(DYNAMIC, coupling, {"D_standard": 0}) == []
    known = coupling.fillna(0.5)
    assert {t["id"] for t in lineage_tables(DYNAMIC, known, {"D_standard": 0})} > {
        "coupling_entities"
    }


# --- the paper ------------------------------------------------------------------------------------


def test_captions_of_figures_that_the_text_does_not_place():
    published = {"share": {"label": {"en": "Share of investment"}, "series": ["x_a"]}}
    study = Study.model_validate(DYNAMIC.model_dump() | {"published": published})
    assert _caption(study, "share") == "Share of investment"
    assert _caption(study, "robustness_threshold_sa").endswith("; dependent variable: System a.")
    assert "dependent" not in _caption(study, "robustness_threshold_x")
    assert _caption(study, "some_figure") == "Some figure."


def test_a_study_without_regressions_has_no_verdicts_in_words(tmp_path):
    assert _verdicts(DYNAMIC, {}, tmp_path) == []


# --- figures --------------------------------------------------------------------------------------


def test_decompositions_of_four_variables_leave_no_empty_panel():
    names = list("abcd")
    rows = [(r, i, h, 0.25) for r in names for i in names for h in (1, 2)]
    figure = figures.fevd_bars(
        pd.DataFrame(rows, columns=["response", "impulse", "horizon", "share"])
    )
    assert len(figure.axes) == 4  # of two rows of three panels


def test_published_shares_without_gaps_or_quoted_figures_have_no_such_key():
    frame = shares().query("year < 2004").assign(flag="")
    shown = words(figures.investment_share(frame))
    assert "no figure at hand" not in shown and "hollow: quoted" not in shown
    assert "2 % of GDP" in shown


def test_a_map_of_all_provinces_has_no_key_for_missing_values():
    values = dict.fromkeys(PROVINCES.values(), 0.5)
    assert "no value" not in words(figures.tile_grids(pd.DataFrame({2019: values}), "D"))


def test_responses_of_two_methods_share_a_figure_as_far_as_projections_reach():
    models = {"regressions": {"x": {"label": "x", "effects": "two-way"}}}
    systems = {n: s for n, s in zip(("tech", "upgrade"), DYNAMIC.model_dump()["systems"].values(),
                                    strict=True)}  # fmt: skip
    raw = DYNAMIC.model_dump() | {"models": models, "systems": systems}
    study = Study.model_validate(raw)
    irf = responses().rename(columns={"kind": "order"})
    methods = pd.DataFrame(
        {"direction": ["tech → upgrade", "upgrade → tech"], "model": "x", "estimate": 0.1,
         "conf_low": 0.0, "conf_high": 0.2, "p_value": 0.04}
    )  # fmt: skip
    found = {
        "estimates/verdict/methods": methods,
        "estimates/verdict/responses": irf[irf["horizon"] <= 2],
        "estimates/panel_var/irf": irf,
    }
    drawn = dict(two_way_figures(study, found))
    assert set(drawn) == {"two_way", "two_way_responses"}
    ends = [line.get_xdata()[-1] for ax in drawn["two_way_responses"].axes for line in ax.lines
            if len(line.get_xdata()) > 2]  # fmt: skip
    assert ends and set(ends) == {2}


# --- cells and notes ------------------------------------------------------------------------------


def test_truths_and_infinities_in_cells():
    frame = pd.DataFrame(
        {"settled": [True, False], "ratio": [np.inf, -np.inf]}, pd.Index(["a", "b"], name="x")
    )
    assert texts(frame_table(frame, "t", "T")) == [["a", "yes", "∞"], ["b", "no", "-∞"]]


def test_intervals_of_unlike_levels_are_refused():
    fits = [model("pooled", {"x": 1.0}, [1.0], [0.5]),
            model("fe", {"x": 1.0}, [1.0], [0.5], conf_level=0.9)]  # fmt: skip
    spec = layout(rows={"x": "x"}, statistics={}, brackets="interval", stars="none")
    with pytest.raises(TandemError, match="do not share one recorded conf_level; estimate all"):
        layout_table(pd.concat([f[0] for f in fits]), pd.concat([f[1] for f in fits]), spec)


def test_a_layout_of_statistics_alone_says_nothing_of_errors():
    notes = table(rows={}).notes
    assert not [n for n in notes if "Standard errors" in n or "p <" in n]
    assert notes[-1] == "Own note."


def test_an_archive_without_properties_keeps_its_content():
    def packed(names):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as target:
            for name in names:
                target.writestr(name, name)
        return out.getvalue()

    one, other = (fixed_archive(packed(names)) for names in (("b", "a"), ("a", "b")))
    assert one == other
    with zipfile.ZipFile(io.BytesIO(one)) as archive:
        assert {n: archive.read(n) for n in archive.namelist()} == {"a": b"a", "b": b"b"}
