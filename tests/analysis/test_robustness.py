"""The robustness step says what its estimators say, and tells what a panel cannot carry."""

import numpy as np
import pandas as pd
import pytest

from tandem.analysis.robustness import study_robustness
from tandem.analysis.scores import index_study
from tandem.econometrics import dumitrescu_hurlin, spatial_panel
from tandem.econometrics.static import lags, panel_regression
from tandem.errors import TandemError
from tandem.indices import contiguity_weights, row_standardise
from tandem.study import Study

ENTITIES = [f"e{i:02d}" for i in range(40)]
RING = pd.DataFrame({"province_a": ENTITIES, "province_b": ENTITIES[1:] + ENTITIES[:1]})


def study_of(raw, **robustness):
    groups = {"first": ENTITIES[:15], "second": ENTITIES[15:]}
    models = raw.get("models", {}) | {"robustness": {"draws": 99, **robustness}}
    return Study.model_validate(
        raw | {"panel": raw["panel"] | {"groups": groups}, "models": models}
    )


@pytest.fixture(scope="module")
def found(raw, panel):
    study = study_of(
        raw, **dict.fromkeys(("threshold", "moderator", "mediator", "size", "near"), "size")
    )
    scores = index_study(study, panel, panel)["scores"]
    return study, scores, panel, *study_robustness(study, scores, panel, RING)


def regression(study, scores, panel):
    cause, effect = study.systems
    x = lags(scores[cause], [1]).join(panel[list(study.models.controls)])
    return scores[effect], x, f"{cause} → {effect}"


def test_every_direction_has_its_tests(found):
    study, *_, tables = found
    a, b = study.systems
    assert set(tables["tests"]["direction"]) == {f"{a} → {b}", f"{b} → {a}"}
    assert tables["tests"]["p_value"].between(0, 1).all()


def test_a_spatial_line_is_the_estimators(found):
    study, scores, panel, _, tables = found
    y, x, way = regression(study, scores, panel)
    W = row_standardise(contiguity_weights(RING, ENTITIES))
    fit = spatial_panel(y, x, W, "sdm")
    line = tables["spatial"].set_index(["direction", "weights", "model"])
    line = line.loc[(way, "borders", "spatial Durbin")]
    first = x.columns[0]
    assert line["indirect"] == pytest.approx(fit.impacts.loc[("indirect", first), "estimate"])
    assert line["total p"] == pytest.approx(fit.impacts.loc[("total", first), "p_value"])


def test_left_out_brackets_the_estimate(found):
    study, scores, panel, _, tables = found
    y, x, way = regression(study, scores, panel)
    own = panel_regression(y, x, "two-way")[0].params.iloc[0]
    some = tables["left_out"].set_index("direction").loc[way, "estimate"]
    assert len(some) == len(ENTITIES) and some.min() < own < some.max()
    drop = y.index.get_level_values("entity") != ENTITIES[7]
    without = panel_regression(y[drop], x[drop], "two-way")[0].params.iloc[0]
    mine = tables["left_out"].set_index(["direction", "entity"])["estimate"]
    assert mine[way, ENTITIES[7]] == pytest.approx(without)


def test_what_the_years_cannot_carry_is_told(found):
    study, scores, _, _, tables = found
    cause, effect = study.systems
    for k in (1, 2, 3, 4):
        pair = scores.dropna()
        name = f"Dumitrescu-Hurlin, {k} lag{'s' * (k > 1)}"
        try:
            fit = dumitrescu_hurlin(pair[effect], pair[cause], k)
        except TandemError as err:
            told = tables["not_carried"].set_index(["part", "direction"])["why"]
            assert told[name, f"{cause} → {effect}"] == str(err)
        else:
            rows = tables["tests"].set_index(["direction", "test"])["statistic"]
            test = f"Dumitrescu-Hurlin ztilde, {k} lag{'s' * (k > 1)}"
            assert rows[f"{cause} → {effect}", test] == pytest.approx(fit.ztilde)


def test_records_hold_every_model_once(found):
    terms, models = found[3]
    key = ["table", "model", "equation", "term"]
    assert not terms.duplicated(key).any() and np.isfinite(terms["estimate"]).all()
    assert set(terms["model"]) >= {
        "instruments",
        "curvature",
        "threshold",
        "sdm_borders",
        "sem_size",
        "mediation",
        "regions",
        "halves_by_size",
        "windows_5",
        "winsorised_5",
        "placebo",
        "left_out",
    }
    assert not models.duplicated(["table", "model", "statistic"]).any()


def test_halves_by_size_are_compared(found):
    study, scores, panel, (terms, models), tables = found
    y, x, name = regression(study, scores, panel)
    mean = panel["size"].groupby(level="entity").mean()
    large = y.index.get_level_values("entity").isin(mean.index[mean > mean.median()])
    fit, facts = panel_regression(y[large], x.iloc[:, :1][large], "two-way")
    rows = tables["regions"].set_index(["direction", "region"])
    assert rows.loc[(name, "larger half"), "estimate"] == pytest.approx(fit.params.iloc[0])
    assert rows.loc[(name, "larger half"), "n_clusters"] == facts["n_clusters"] == 20
    table = f"robustness_{y.name}"
    own = terms[(terms["table"] == table) & (terms["model"] == "halves_by_size")]
    assert own.set_index("term").loc["larger half", "estimate"] == pytest.approx(fit.params.iloc[0])
    tests = tables["tests"].set_index(["direction", "test"])
    kept = models[(models["table"] == table) & (models["model"] == "tests")]
    kept = kept.set_index("statistic")["value"]
    chow = tests.loc[(name, "Chow, halves by size"), "p_value"]
    assert float(kept["regions: Chow, halves by size, p"]) == pytest.approx(chow)


def test_row_order_and_repetition_change_nothing(found):
    study, scores, panel, (terms, _), tables = found
    again, others = study_robustness(study, scores.iloc[::-1], panel.iloc[::-1], RING)
    pd.testing.assert_frame_equal(again[0], terms, rtol=1e-6)
    pd.testing.assert_frame_equal(others["placebo"], tables["placebo"], rtol=1e-6)


def test_one_entity_gets_its_description_only(raw, panel):
    study = study_of(raw)
    scores = index_study(study, panel, panel)["scores"]
    one = scores.index.get_level_values("entity") == ENTITIES[0]
    (terms, _), tables = study_robustness(study, scores[one], panel[one])
    assert terms.empty and set(tables) == {"describe", "correlations", "not_carried"}
    assert "one entity" in tables["not_carried"]["why"].iloc[0]


def test_series_that_make_a_score_mediate_nothing(raw):
    indicator = next(iter(next(iter(raw["systems"].values()))["indicators"]))
    with pytest.raises(ValueError, match="explained by what it is made of"):
        study_of(raw, mediator=indicator)
    with pytest.raises(ValueError, match="robustness.threshold names 'void'"):
        study_of(raw, threshold="void")


def test_each_cointegration_test_stands_or_says_why(found):
    *_, tables = found
    told = tables["not_carried"]
    carried = set(tables["cointegration"]["method"]) if "cointegration" in tables else set()
    refused = set(told.loc[told["part"].str.startswith("Panel cointegration"), "part"])
    for method in ("Pedroni", "Kao", "Westerlund"):
        assert (method in carried) != (f"Panel cointegration: {method}" in refused)
