"""The rule of the verdicts, and what is read back from a study's results."""

from pathlib import Path

import pandas as pd
import pytest

from tandem.report.store import label, labelled, load, main_models, records, regions, verdicts
from tandem.study import Study, load_study

REGRESSIONS = {
    "pooled": {"label": "Pooled", "effects": "none"},
    "two_way": {"label": "Two-way", "effects": "two-way"},
    "other": {"label": "Other two-way", "effects": "two-way"},
}
PANEL_VAR = {"models": {"fod": {"label": "FOD"}, "fd": {"label": "FD", "transform": "fd"}}}


def study(regressions=REGRESSIONS, panel_var=PANEL_VAR, groups=None):
    x = {"formula": "x", "unit": "u", "label": {"en": "An x"}, "why": "test"}
    return Study.model_validate(
        {
            "title": {"en": "t"},
            "question": {"en": "q"},
            "seed": 1,
            "panel": {"years": [2001, 2002], "groups": groups or {}},
            "series": {"x": x},
            "systems": {
                "a": {"label": {"en": "System A"}, "indicators": {"x": "+"}},
                "b": {"label": {"en": "System B"}, "indicators": {"x": "+"}},
            },
            "models": {"regressions": regressions, "panel_var": panel_var},
        }
    )


def two_way(**intervals):
    """Intervals of both directions by model; the other direction lies around zero."""
    names = {"pooled": "Pooled", "two_way": "Two-way", "other": "Other two-way"}
    names |= {"fod": "Panel VAR: FOD", "fd": "Panel VAR: FD"}
    rows = []
    for key, (low, high) in intervals.items():
        rows.append(("a", "b", names[key], low, high))
        rows.append(("b", "a", names[key], -1.0, 1.0))
    return pd.DataFrame(rows, columns=["cause", "effect", "model", "conf_low", "conf_high"])


ABOVE, AROUND, BELOW = (0.1, 0.3), (-0.1, 0.3), (-0.3, -0.1)


@pytest.mark.parametrize(
    ("two_way_interval", "fod", "word"),
    [
        (ABOVE, ABOVE, "supported"),
        (BELOW, BELOW, "contradicted"),
        (ABOVE, AROUND, "undetermined"),
        (AROUND, ABOVE, "undetermined"),
        (ABOVE, BELOW, "undetermined"),
        (AROUND, AROUND, "undetermined"),
        ((0.0, 0.3), ABOVE, "undetermined"),  # zero itself is not above zero
        ((-0.3, 0.0), BELOW, "undetermined"),
        ((float("nan"), float("nan")), ABOVE, "undetermined"),
    ],
)
def test_all_main_models_must_agree(two_way_interval, fod, word):
    frame = two_way(two_way=two_way_interval, fod=fod, pooled=AROUND, other=BELOW, fd=BELOW)
    forth, back = verdicts(study(), frame)
    assert (forth["cause"], forth["effect"], forth["word"]) == ("System A", "System B", word)
    assert (back["cause"], back["effect"], back["word"]) == ("System B", "System A", "undetermined")


def test_the_main_models_are_the_first_two_way_and_the_first_panel_var():
    assert main_models(study()) == ["Two-way", "Panel VAR: FOD"]
    assert main_models(study(panel_var=None)) == ["Two-way"]
    assert main_models(study(regressions={"pooled": REGRESSIONS["pooled"]}, panel_var=None)) == []


def test_other_models_are_counted_but_do_not_decide():
    frame = two_way(two_way=ABOVE, fod=ABOVE, pooled=BELOW, other=ABOVE, fd=AROUND)
    forth, _ = verdicts(study(), frame)
    assert forth["word"] == "supported"
    assert (forth["positive"], forth["negative"], forth["all"]) == (3, 1, 5)
    assert [m["model"] for m in forth["models"]] == ["Two-way", "Panel VAR: FOD"]


def test_without_a_main_model_nothing_is_supported():
    only_pooled = study(regressions={"pooled": REGRESSIONS["pooled"]}, panel_var=None)
    forth, _ = verdicts(only_pooled, two_way(pooled=ABOVE))
    assert (forth["word"], forth["models"], forth["positive"]) == ("undetermined", [], 1)


def test_labels_fall_back_on_the_name():
    assert [label(study(), n) for n in ("a", "x", "gdp")] == ["System A", "An x", "gdp"]


def test_regions_follow_the_study_and_strays_stand_alone():
    spec = study(groups={"West": ["Gansu", "Tibet"], "East": ["Beijing"]})
    found = regions(spec, ["Beijing", "Gansu", "Hainan"])
    assert list(found.items()) == [("Gansu", "West"), ("Beijing", "East"), ("Hainan", "Hainan")]


def test_frames_are_named_by_their_path_and_records_stay_in_their_store(tmp_path):
    for file in ("data/panel", "indices/scores", "estimates/var/irf", "estimates/var/terms"):
        path = tmp_path / f"{file}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("entity,year,x\na,2001,1.5\n")
    (tmp_path / "variants" / "short").mkdir(parents=True)
    (tmp_path / "variants" / "short" / "summary.csv").write_text("variant\nshort\n")
    found = load(tmp_path)
    assert set(found) == {
        "data/panel",
        "indices/scores",
        "estimates/var/irf",
        "variants/short/summary",
    }
    assert found["data/panel"].loc[("a", 2001), "x"] == 1.5


def test_a_study_without_records_has_none(tmp_path):
    terms, models = records(tmp_path)
    assert len(terms) == len(models) == 0


def test_systems_and_series_are_shown_by_their_labels():
    study = load_study(Path(__file__).parents[2] / "studies/nation.yaml")
    one, two = study.models.var.variables
    frame = pd.DataFrame({"cause": [one], "effect": [two], "term": [f"L1.{one}"]})
    found = labelled(study, frame)
    assert found["cause"].item() == study.series[one].label.en != one
    assert found["effect"].item() == study.series[two].label.en
    assert found["term"].item() == f"L1.{one}"  # a column that may hold other things too
    # a published series that a figure shows alone has its label
    assert label(study, "pollution_control_investment_gdp_share").startswith(
        "Pollution-control inv"
    )
    assert label(study, "va_primary") == "va_primary"
