"""Each rule decides as it says, on results made by hand or estimated from simulated panels."""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from tandem.claims.evaluate import TESTS, evaluate
from tandem.claims.rules import RULES
from tandem.econometrics import holm
from tandem.econometrics.static import lags, panel_regression
from tandem.study import Study

N, T = 40, 12
WAY = "tech → up"


def study_of(**claims):
    words = {"claim": {"en": "c"}, "part": "talent"}
    series = {n: {"formula": f"x_{n}", "unit": "u", "label": {"en": n}, "why": "w"} for n in "pqzw"}
    return Study.model_validate(
        {
            "title": {"en": "t"},
            "question": {"en": "q"},
            "seed": 1,
            "panel": {"years": [2001, 2012]},
            "series": series,
            "systems": {
                "tech": {"label": {"en": "T"}, "indicators": {"p": "+"}},
                "up": {"label": {"en": "U"}, "indicators": {"q": "+"}},
            },
            "dynamics": {"stages": [0.3, 0.5, 0.8]},
            "models": {
                "controls": ["w"],
                "regressions": {"two_way": {"label": "Two-way", "effects": "two-way"}},
                "panel_var": {"models": {"fod": {"label": "FOD"}}},
            },
            "claims": {k: words | v for k, v in claims.items()},
        }
    )


@pytest.fixture(scope="module")
def results():
    rng = np.random.default_rng(1)
    index = pd.MultiIndex.from_product([range(N), range(2001, 2001 + T)], names=["entity", "year"])
    z, y = np.zeros((N, T + 20)), np.zeros((N, T + 20))
    effect = rng.normal(size=N)
    for t in range(1, T + 20):
        z[:, t] = 0.4 * z[:, t - 1] + rng.normal(size=N)
        y[:, t] = 0.3 * y[:, t - 1] + 0.8 * z[:, t - 1] + effect + 0.5 * rng.normal(size=N)
    panel = pd.DataFrame(
        {"z": z[:, -T:].ravel(), "w": rng.normal(size=N * T), "p": rng.normal(size=N * T)}, index
    )
    scores = pd.DataFrame({"tech": rng.normal(size=N * T), "up": y[:, -T:].ravel()}, index)
    d = pd.DataFrame({"D_standard": np.tile(np.linspace(0.2, 0.9, T), N)}, index)
    d["D_standard"] += rng.normal(0, 0.05, size=N * T)
    return {"data/panel": panel, "indices/scores": scores, "indices/coupling": d}


def counted(table, model, n_obs):
    """The record of a model with so many observations, as the results store has it."""
    values = [(table, model, "n_obs", str(n_obs)), (table, model, "n_entities", str(N))]
    return pd.DataFrame(values, columns=["table", "model", "statistic", "value"])


DURBIN = {"estimates/robustness/models": counted("robustness_up", "sdm_borders", N * (T - 1))}


def decide(results, terms=None, **claim):
    table = evaluate(study_of(h1=claim), results, terms)["claims"]
    assert len(table) == 1
    return table.iloc[0]


def test_every_test_has_a_rule_in_words():
    assert set(TESTS) == set(RULES)


@pytest.mark.parametrize(("sign", "word"), [("+", "supported"), ("-", "contradicted")])
def test_a_true_link_is_seen_from_either_side(results, sign, word):
    row = decide(results, test="link", cause="z", effect="up", sign=sign)
    assert row["verdict"] == word
    y, x = results["indices/scores"]["up"], lags(results["data/panel"]["z"], [1])
    fit, _ = panel_regression(y, x.join(results["data/panel"][["w"]]), "two-way", "clustered")
    within = lambda s: s - s.groupby(level=0).transform("mean")  # noqa: E731
    both = pd.concat([results["data/panel"]["z"], y], axis=1)
    both = both - both.groupby(level=1).transform("mean")
    spread = within(both).std()
    assert row["estimate"] == pytest.approx(fit.params["L1.z"] * spread["z"] / spread["up"])
    assert row["conf_low"] < row["estimate"] < row["conf_high"]


def test_no_link_is_undetermined(results):
    assert decide(results, test="link", cause="p", effect="up")["verdict"] == "undetermined"


@pytest.mark.parametrize(
    ("one", "two", "word"),
    [
        ((0.1, 0.5), (0.2, 0.3), "supported"),
        ((0.1, 0.5), (-0.1, 0.3), "undetermined"),
        ((-0.5, -0.1), (-0.3, -0.2), "contradicted"),
        ((-0.5, -0.1), (0.2, 0.3), "undetermined"),
    ],
)
def test_both_main_models_must_agree(results, one, two, word):
    terms = pd.DataFrame(
        [
            ("up", "up", "two_way", "L1.tech", 0.3, *one, 0.01),
            ("panel_var", "up", "fod", "L1.tech", 0.25, *two, 0.2),
        ],
        columns=["table", "equation", "model", "term", "estimate", "conf_low", "conf_high",
                 "p_value"],
    )  # fmt: skip
    summary = pd.DataFrame(
        {"direction": [WAY], "share_positive": [0.7], "n_specifications": [600.0]}
    )
    some = results | {
        "estimates/verdict/curve_summary": summary,
        "estimates/regressions/models": counted("up", "two_way", 99),
        "estimates/panel_var/models": counted("panel_var", "fod", 77),
    }
    claim = {"test": "two_way", "cause": "tech", "effect": "up"}
    tests = evaluate(study_of(h1=claim), some, terms)["tests"]
    assert list(tests["n_obs"]) == [99, 77] and list(tests["n_entities"]) == [N, N]
    row = decide(some, terms, **claim)
    assert (row["verdict"], row["agree"], row["specifications"]) == (word, 0.7, 600)
    assert row["p_value"] == 0.2  # of the two tests that must agree the larger one


def test_rising_stages_support_the_claim_and_chance_does_not(results):
    row = decide(results, test="stages")
    assert row["verdict"] == "supported" and row["estimate"] > 0
    assert (row["agree"], row["specifications"]) == (1.0, 3)  # one degree, three sets of cut-offs
    still = results["indices/coupling"].sample(frac=1, random_state=1)
    flat = pd.DataFrame({"D_standard": still["D_standard"].to_numpy()}, still.index.sort_values())
    assert decide(results | {"indices/coupling": flat}, test="stages")["verdict"] == "undetermined"


@pytest.mark.parametrize(
    ("indirect", "p", "word"),
    [(0.2, 0.01, "supported"), (0.2, 0.2, "undetermined"), (-0.2, 0.01, "contradicted")],
)
def test_a_spillover_goes_by_its_interval(results, indirect, p, word):
    spatial = pd.DataFrame(
        {
            "direction": [WAY],
            "weights": ["borders"],
            "model": ["spatial Durbin"],
            "indirect": [indirect],
            "indirect p": [p],
        }
    )
    some = results | {"estimates/robustness/spatial": spatial, **DURBIN}
    row = decide(some, test="spillover", cause="tech", effect="up")
    assert row["verdict"] == word
    assert (row["conf_low"] > 0 or row["conf_high"] < 0) == (p < 0.05)


def test_a_threshold_is_found_where_it_is(results):
    rng = np.random.default_rng(3)
    panel, scores = results["data/panel"].copy(), results["indices/scores"].copy()
    panel["z"] = rng.uniform(0, 4, size=len(panel))
    past = lags(scores["tech"], [1]).iloc[:, 0].fillna(0)
    scores["up"] = past * (1 + 2 * (panel["z"] > 2)) + 0.3 * rng.normal(size=len(panel))
    some = results | {"data/panel": panel, "indices/scores": scores}
    claim = {"test": "threshold", "cause": "tech", "effect": "up", "by": "z"}
    assert decide(some, **claim, value=2)["verdict"] == "supported"
    assert decide(some, **claim, value=3.5)["verdict"] == "contradicted"


@pytest.mark.parametrize(
    ("values", "word"),
    [([1.0, 1.5, 1.2], "supported"), ([2.5, 2.6, 2.1], "contradicted"),
     ([1.0, 2.6, 1.0], "undetermined")],
)  # fmt: skip
def test_a_bound_holds_in_every_vintage(results, values, word):
    printed = pd.DataFrame(
        {"series": "share", "vintage": list("abc"), "year": [2001, 2002, 2003], "value": values}
    )
    row = decide(results | {"data/printed": printed}, test="bound", cause="share", value=2)
    assert row["verdict"] == word and row["estimate"] == max(values)


def test_a_bound_is_not_known_to_hold_in_years_without_a_value(results):
    printed = pd.DataFrame({"series": "share", "vintage": "a", "year": [2001, 2004], "value": 1.0})
    row = decide(results | {"data/printed": printed}, test="bound", cause="share", value=2)
    assert row["verdict"] == "undetermined" and "no value for 2002, 2003" in row["why"]


def test_what_cannot_be_tested_says_what_is_needed(results):
    row = decide(results, test="none", needs="energy by province")
    assert (row["verdict"], row["why"]) == ("no data", "energy by province")
    row = decide(results, test="spillover", cause="tech", effect="up")
    assert row["verdict"] == "no data" and "no spatial models" in row["why"]


def test_every_test_of_a_claim_is_kept(results):
    study = study_of(h1={"test": "link", "cause": "z", "effect": "up"})
    found = evaluate(study, results, None)
    claim, tests = found["claims"].iloc[0], found["tests"]
    assert list(tests["claim"]) == ["h1", "h1"]
    assert list(tests["n_entities"]) == [N, N] and tests["n_obs"].iloc[0] == N * (T - 1)
    assert claim["p_value"] == tests["p_value"].max()
    assert claim["second"] == tests["estimate"].iloc[1]
    assert "instruments, Hansen p = " in tests["detail"].iloc[1]


def test_spillovers_agree_over_neighbourhoods_and_models(results):
    spatial = pd.DataFrame(
        {
            "direction": WAY,
            "weights": ["borders", "borders", "distance", "distance"],
            "model": ["spatial Durbin", "spatial error", "spatial Durbin", "spatial lag"],
            "indirect": [0.2, np.nan, 0.1, -0.1],
            "indirect p": [0.01, np.nan, 0.2, 0.2],
        }
    )
    some = results | {"estimates/robustness/spatial": spatial, **DURBIN}
    row = decide(some, test="spillover", cause="tech", effect="up")
    assert (row["agree"], row["specifications"]) == (pytest.approx(2 / 3), 3)


def test_p_values_are_adjusted_over_the_claims(results):
    links = {
        "h1": {"test": "link", "cause": "z", "effect": "up"},
        "h2": {"test": "link", "cause": "p", "effect": "up"},
        "h3": {"test": "none", "needs": "x"},
    }
    table = evaluate(study_of(**links), results, None)["claims"]
    assert table["holm_p"].to_numpy() == pytest.approx(
        holm(table["p_value"]).to_numpy(), nan_ok=True
    )


@pytest.mark.parametrize(
    ("claim", "words"),
    [
        ({"test": "link", "cause": "q", "effect": "up"}, "by its own indicator"),
        ({"test": "link", "cause": "z"}, "names its cause and its effect"),
        ({"test": "threshold", "cause": "tech", "effect": "up", "value": 2}, "by"),
        ({"test": "bound", "cause": "s"}, "gives the claimed value"),
        ({"test": "bound", "value": 2}, "names the published series: cause"),
        ({"test": "none"}, "says which series it needs"),
        ({"test": "link", "cause": "zz", "effect": "up"}, "not defined"),
    ],
)
def test_incomplete_claims_are_refused_in_words(claim, words):
    with pytest.raises(ValidationError, match=words):
        study_of(h1=claim)


@pytest.mark.parametrize(
    ("node", "claims", "words"),
    [
        (
            {"at": [0, 0], "label": {"en": "t"}},
            ["h2"],
            "names the claim 'h2', which is not defined",
        ),
        ({"at": [0, 0]}, ["h1"], "is no system and no series; give it a label"),
    ],
)
def test_arrows_of_a_study_are_its_claims_and_boxes_have_names(node, claims, words):
    diagram = {
        "title": {"en": "t"},
        "caption": {"en": "c"},
        "nodes": {"start": node, "up": {"at": [1, 0]}},
        "arrows": [{"ends": ["start", "up"], "claims": claims}],
    }
    raw = study_of(h1={"test": "none", "needs": "x"}).model_dump()
    with pytest.raises(ValidationError, match=words):
        Study.model_validate(raw | {"diagrams": {"d": diagram}})


@pytest.mark.parametrize("gone", ["regressions", "panel_var"])
def test_a_two_way_claim_needs_both_main_models(results, gone):
    raw = study_of(h1={"test": "two_way", "cause": "tech", "effect": "up"}).model_dump()
    raw["models"][gone] = {} if gone == "regressions" else None
    row = evaluate(Study.model_validate(raw), results, None)["claims"].iloc[0]
    assert row["verdict"] == "no data"
    assert row["why"] == "The study has no two-way regression and panel VAR to decide by."


def test_without_a_curve_a_two_way_claim_has_no_agreement(results):
    columns = ["table", "equation", "model", "term", "estimate", "conf_low", "conf_high", "p_value"]
    rows = [
        ("up", "up", "two_way", "L1.tech", 0.3, 0.1, 0.5, 0.01),
        ("panel_var", "up", "fod", "L1.tech", 0.2, 0.1, 0.3, 0.01),
    ]
    some = results | {
        "estimates/regressions/models": counted("up", "two_way", 99),
        "estimates/panel_var/models": counted("panel_var", "fod", 77),
    }
    terms = pd.DataFrame(rows, columns=columns)
    row = decide(some, terms, test="two_way", cause="tech", effect="up")
    assert row["verdict"] == "supported" and row["tables"] == "two_way"
    assert np.isnan(row["agree"]) and np.isnan(row["specifications"])


@pytest.mark.parametrize("test", ["two_way", "spillover"])
@pytest.mark.parametrize(("cause", "effect"), [("z", "up"), ("tech", "z")])
def test_a_claim_decided_by_models_of_systems_is_of_systems(test, cause, effect):
    with pytest.raises(ValidationError, match=f"by '{test}'.* names 'z', which is no system"):
        study_of(h1={"test": test, "cause": cause, "effect": effect})


def test_few_years_leave_out_the_test_of_second_order_correlation(results):
    years = slice(2001, 2004)
    short = results | {
        k: results[k].loc[(slice(None), years), :] for k in ("data/panel", "indices/scores")
    }
    study = study_of(h1={"test": "link", "cause": "z", "effect": "up"})
    told = evaluate(study, short, None)["tests"]["detail"].iloc[1]
    assert "Hansen p = " in told and "AR(2)" not in told
    told = evaluate(study, results, None)["tests"]["detail"].iloc[1]
    assert "AR(2) p = " in told


def test_stages_need_cut_offs_several_entities_and_unlike_moves(results):
    raw = study_of(h1={"test": "stages"}).model_dump() | {"dynamics": None}
    row = evaluate(Study.model_validate(raw), results, None)["claims"].iloc[0]
    assert (row["verdict"], row["why"]) == ("no data", "The study has no stages (dynamics.stages).")
    degree = results["indices/coupling"]
    row = decide(results | {"indices/coupling": degree.loc[[3]]}, test="stages")
    assert (row["verdict"], row["why"]) == ("no data", "Moves of one entity have no interval.")
    alike = pd.DataFrame({"D_standard": np.tile(np.linspace(0.2, 0.9, T), N)}, degree.index)
    row = decide(results | {"indices/coupling": alike}, test="stages")
    assert row["verdict"] == "no data" and "All entities move alike" in row["why"]


def test_a_spillover_that_was_not_estimated_is_named(results):
    columns = ["direction", "weights", "model", "indirect", "indirect p"]
    others = [
        (WAY, "size", "spatial Durbin", 0.2, 0.01),
        (WAY, "borders", "spatial lag", 0.2, 0.01),
        ("up → tech", "borders", "spatial Durbin", 0.2, 0.01),
    ]
    some = results | {"estimates/robustness/spatial": pd.DataFrame(others, columns=columns)}
    row = decide(some, test="spillover", cause="tech", effect="up")
    assert row["verdict"] == "no data" and f"{WAY} by borders was not estimated" in row["why"]


@pytest.mark.parametrize("printed", [None, pd.DataFrame({"series": ["other"]})])
def test_a_bound_of_a_series_that_is_not_printed_says_so(results, printed):
    some = results | ({} if printed is None else {"data/printed": printed})
    row = decide(some, test="bound", cause="share", value=2)
    assert row["verdict"] == "no data" and "publishes no series 'share'" in row["why"]
