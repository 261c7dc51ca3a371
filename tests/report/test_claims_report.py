"""The claims as tables and as path diagrams."""

from itertools import combinations
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from tandem.claims.evaluate import CLAIM_COLUMNS, TEST_COLUMNS
from tandem.mechanism import Diagram
from tandem.report.claims import claim_facts, claim_figures, claim_tables, node_labels
from tandem.report.figures_claims import arrow_words, diagram_arrows, path_diagram, short_name
from tandem.study import load_study

FILE = Path(__file__).parents[2] / "studies/provinces.yaml"
LEVELS = {"supported": 0.4, "contradicted": -0.4, "undetermined": 0.1, "no data": np.nan}


@pytest.fixture(scope="module")
def study():
    return load_study(FILE)


def row(name, claim, verdict):
    b = LEVELS[verdict]
    numbers = (b, b - 0.3, b + 0.3, 0.01, 0.02, np.nan, np.nan, np.nan, 0.5, 120)
    kind = (claim.part, claim.test, claim.cause or "", claim.effect or "", "+")
    return (name, *kind, verdict, *numbers, "two_way", claim.needs)


@pytest.fixture(scope="module")
def found(study):
    rows = [
        row(name, claim, "no data" if claim.test == "none" else "supported")
        for name, claim in study.claims.items()
    ]
    return pd.DataFrame(rows, columns=CLAIM_COLUMNS)


@pytest.fixture(scope="module")
def results(found):
    test = ("h1_talent", "Two-way within", 0.4, 0.1, 0.7, 0.01, 240, 30, "clustered")
    tests = pd.DataFrame([test], columns=TEST_COLUMNS)
    return {"claims/claims": found, "claims/tests": tests}


def test_every_claim_has_a_row_and_every_rule_in_use_is_said(study, results):
    decided, tests, beside = claim_tables(study, results)
    assert [t.name for t in (decided, tests, beside)] == [
        "claims",
        "claims_tests",
        "claims_sources",
    ]
    assert len(decided.rows) == len(beside.rows) == len(study.claims)
    assert len(tests.rows) == 1
    kinds = {claim.test for claim in study.claims.values()}
    assert {note.split(":")[0] for note in decided.notes} >= kinds
    assert "0.400 [0.100, 0.700]" in [cell.text for cell in decided.rows[0]]


def test_a_study_without_claims_has_none(study):
    assert claim_tables(study, {}) == [] and list(claim_figures(study, {})) == []
    assert claim_facts(study, {}) == {"counts": {}, "claims": [], "figures": [], "lost": 0}


def test_every_claim_is_an_arrow_of_some_diagram(study):
    drawn = {c for d in study.diagrams.values() for arrow in d.arrows for c in arrow.claims}
    assert drawn == set(study.claims)
    assert list(study.diagrams) == [f"figure{n}" for n in (1, 2, 4, 5, 6)]


def test_arrows_of_one_pair_without_figures_share_one(study, found):
    arrows = diagram_arrows(study.diagrams["figure1"], found)
    untested = [a for a in arrows if a["kind"] == "no data"]
    assert [a["name"] for a in untested] == ["H5c, H6a, H6b"]
    assert len(arrows) == len(study.diagrams["figure1"].arrows)
    assert arrow_words(untested[0]) == "H5c, H6a, H6b"


@pytest.mark.parametrize(
    ("verdict", "kind", "words"),
    [
        ("supported", "positive, decided", "H1 +0.40\n[0.10, 0.70]"),
        ("contradicted", "negative, decided", "H1 −0.40\n[−0.70, −0.10]"),
        ("undetermined", "positive, undetermined", "H1 +0.10\n[−0.20, 0.40]"),
        ("no data", "no data", "H1"),
    ],
)
def test_an_arrow_carries_sign_verdict_and_interval(study, verdict, kind, words):
    claims = {"h1_talent": verdict}
    frame = pd.DataFrame(
        [row(n, study.claims[n], v) for n, v in claims.items()], columns=CLAIM_COLUMNS
    )
    arrow = diagram_arrows(one_arrow(["h1_talent"]), frame)[0]
    assert (arrow["kind"], arrow_words(arrow)) == (kind, words)


def one_arrow(claims):
    words = {"en": "t"}
    nodes = {"a": {"at": [0.13, 0.5], "label": words}, "b": {"at": [0.87, 0.5], "label": words}}
    arrows = [{"ends": ["a", "b"], "claims": claims}]
    return Diagram(title=words, caption=words, nodes=nodes, arrows=arrows)


def test_an_arrow_that_no_claim_measures_is_dashed(found):
    figure = path_diagram(one_arrow([]), found, {"a": "A", "b": "B"})
    arrow = figure.axes[0].patches[-1]
    assert arrow.get_linestyle() not in ("-", "solid")
    plt.close(figure)


def test_a_wider_arrow_is_a_larger_estimate(found):
    diagram, widths = one_arrow(["h1_talent"]), []
    for size in (0.1, 0.5, 0.9):
        figure = path_diagram(diagram, found.assign(estimate=size), {"a": "A", "b": "B"})
        widths.append(figure.axes[0].patches[-1].get_linewidth())
    assert widths[0] < widths[1] < widths[2]


@pytest.mark.parametrize("name", ["figure1", "figure2", "figure4", "figure5", "figure6"])
def test_no_words_of_a_diagram_cover_others_or_a_box(study, found, name):
    diagram = study.diagrams[name]
    figure = path_diagram(diagram, found, node_labels(study, diagram))
    figure.draw_without_rendering()
    ax = figure.axes[0]
    texts = ax.texts[len(diagram.nodes) :]
    boxes = [p.get_window_extent() for p in ax.patches[: len(diagram.nodes)]]
    labels = [t.get_window_extent() for t in texts]
    assert not [pair for pair in combinations(labels, 2) if pair[0].overlaps(pair[1])]
    assert not [1 for text in labels for box in boxes if text.overlaps(box)]
    inside = [t.get_window_extent() for t in ax.texts[: len(diagram.nodes)]]
    assert all(b.x0 < t.x0 and t.x1 < b.x1 for t, b in zip(inside, boxes, strict=True))


@pytest.mark.parametrize("name", ["figure1", "figure2", "figure4", "figure5", "figure6"])
def test_no_arrow_passes_behind_a_third_box(study, found, name):
    diagram = study.diagrams[name]
    figure = path_diagram(diagram, found, node_labels(study, diagram))
    figure.draw_without_rendering()
    ax = figure.axes[0]
    boxes = dict(zip(diagram.nodes, ax.patches, strict=False))
    centre = {k: np.array(b.get_bbox().p0 + b.get_bbox().p1) / 2 for k, b in boxes.items()}
    for arrow in diagram.arrows:
        start, end = (centre[k] for k in arrow.ends)
        line = [start + t * (end - start) for t in np.linspace(0, 1, 101)]
        others = [b.get_bbox() for k, b in boxes.items() if k not in arrow.ends]
        assert not any(box.contains(*point) for point in line for box in others)


def test_the_numbers_of_claims_are_short():
    assert [short_name(n) for n in ("h4b_two_percent", "h13_x")] == ["H4b", "H13"]


def test_links_lead_to_the_tables_and_figures_of_a_claim(study, results):
    facts = claim_facts(study, results)
    pull = next(c for c in facts["claims"] if c["name"] == "h10a_pull")
    assert pull["figures"] == ["claims_figure1", "claims_figure6"]
    assert pull["tables"] == ["two_way"] and pull["short"] == "H10a"
    assert sum(facts["counts"].values()) == len(study.claims)
    alt = facts["figures"][0]["alt"]
    assert "Talent flow to Industrial upgrading: H1 +0.40 [0.10, 0.70], supported" in alt
    assert "Supply structure to Industrial upgrading: H5c, H6a, H6b, no data" in alt


def test_supported_claims_that_do_not_outlive_holm_are_counted(study, found):
    some = found.assign(holm_p=[0.3, np.nan, 0.01] + [0.01] * (len(found) - 3))
    assert claim_facts(study, {"claims/claims": some})["lost"] == 1


def test_a_diagram_is_checked_in_words():
    words = {"en": "t"}
    node = {"at": [0, 0], "label": words}
    with pytest.raises(ValidationError, match="which is no node of the diagram"):
        Diagram(title=words, caption=words, nodes={"a": node, "b": node},
                arrows=[{"ends": ["a", "c"]}])  # fmt: skip
