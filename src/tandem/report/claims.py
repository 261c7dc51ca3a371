"""The claims of a study: what was decided, by what, and as path diagrams."""

from collections.abc import Iterator

import pandas as pd
from matplotlib.figure import Figure

from tandem.claims.rules import RULES, SUPPORTED
from tandem.mechanism import Claim, Diagram
from tandem.report.figures_claims import arrow_words, diagram_arrows, path_diagram, short_name
from tandem.report.store import label
from tandem.report.tables import Table, frame_table
from tandem.study import Study

NOTES = [
    "Estimates of links and spillovers in standard deviations within entities and years; stages: "
    "moves up less moves down, an entity and year; threshold: its place; bound: the largest value.",
    "Holm p: the larger p-value of the tests that must agree, adjusted over the claims tested. "
    "Agree: share of specifications with the claimed sign (stages: degrees and cut-offs moved by "
    "0.05; thresholds: windows and controls; bounds: vintages).",
]


def claim_tables(study: Study, results: dict[str, pd.DataFrame]) -> list[Table]:
    """What the claims came to, by which tests, and what others found; none without claims."""
    found = results.get("claims/claims")
    if found is None:
        return []
    rows, tests = _records(found), _records(results["claims/tests"])
    decided = [_decided(study.claims[row["claim"]], row) for row in rows]
    beside = [_beside(study, study.claims[row["claim"]], row) for row in rows]
    run = [_test(row) for row in tests]
    rules = [f"{kind}: {RULES[kind]}." for kind in dict.fromkeys(found["test"])]
    titles = {
        "claims": ("The claims and what the figures say", "论断与检验结果"),
        "claims_tests": ("Every test of a claim", "论断的全部检验"),
        "claims_sources": ("How claims are measured and what others found", "论断的度量与已有研究"),
    }
    return [
        frame_table(
            pd.DataFrame(rows).set_index(""),
            name,
            dict(zip(("en", "zh"), titles[name], strict=True)),
            notes,
        )
        for name, rows, notes in (
            ("claims", decided, NOTES + rules),
            ("claims_tests", run, []),
            ("claims_sources", beside, []),
        )
        if rows
    ]


def claim_figures(study: Study, results: dict[str, pd.DataFrame]) -> Iterator[tuple[str, Figure]]:
    """The study's diagrams, their arrows carrying the estimates."""
    found = results.get("claims/claims")
    for name, diagram in study.diagrams.items() if found is not None else ():
        yield f"claims_{name}", path_diagram(diagram, found, node_labels(study, diagram))


def node_labels(study: Study, diagram: Diagram) -> dict[str, str]:
    """Printed name of each node: its own, or that of the system or series."""
    nodes = diagram.nodes.items()
    return {name: node.label.en if node.label else label(study, name) for name, node in nodes}


def claim_facts(study: Study, results: dict[str, pd.DataFrame]) -> dict:
    """What the report's section on claims says beside its tables.

    Returns
    -------
    dict
        counts (verdict: number); lost (supported ones with a Holm p of 5 % or more); claims (dicts
        of name, short, claim, verdict, rule, figures, tables, needs); figures (dicts of name,
        diagram, alt: every arrow in words).
    """
    found = results.get("claims/claims")
    if found is None:
        return {"counts": {}, "claims": [], "figures": [], "lost": 0}
    claims = [
        {
            "name": row["claim"],
            "short": short_name(row["claim"]),
            "claim": study.claims[row["claim"]].claim,
            "verdict": row["verdict"],
            "rule": RULES[row["test"]],
            "figures": [f"claims_{d}" for d in _diagrams_with(study, row["claim"])],
            "tables": [t for t in row["tables"].split(", ") if t],
            "why": row["why"],
        }
        for row in _records(found)
    ]
    figures = [
        {"name": f"claims_{name}", "diagram": diagram, "alt": _alt(study, diagram, found)}
        for name, diagram in study.diagrams.items()
    ]
    counts = found["verdict"].value_counts().to_dict()
    # a bound has no p-value and is not adjusted
    lost = int(((found["verdict"] == SUPPORTED) & (found["holm_p"] >= 0.05)).sum())
    return {"counts": counts, "claims": claims, "figures": figures, "lost": lost}


def _records(frame: pd.DataFrame) -> list[dict]:
    """Rows, with "" for what is missing."""
    return frame.astype(object).where(frame.notna(), "").to_dict("records")


def _diagrams_with(study: Study, claim: str) -> list[str]:
    return [
        name for name, diagram in study.diagrams.items()
        if any(claim in arrow.claims for arrow in diagram.arrows)
    ]  # fmt: skip


def _alt(study: Study, diagram: Diagram, found: pd.DataFrame) -> str:
    names = node_labels(study, diagram)
    arrows = [
        f"{names[a['ends'][0]]} to {names[a['ends'][1]]}: "
        f"{arrow_words(a).replace(chr(10), ' ')}, {a['verdict']}".replace(": ,", ":")
        for a in diagram_arrows(diagram, found)
    ]
    return f"{diagram.title.en}. {'; '.join(arrows)}."


def _decided(claim: Claim, row: dict) -> dict:
    some = row["agree"] != ""
    return {
        "": short_name(row["claim"]),
        "claim": claim.claim.en,
        "verdict": row["verdict"],
        "estimate": _interval(row, "estimate", "conf_low", "conf_high"),
        "second test": _interval(row, "second", "second_low", "second_high"),
        "Holm p": _p(row["holm_p"]),
        "agree": f"{row['agree']:.0%} of {row['specifications']:.0f}" if some else "",
    }


def _beside(study: Study, claim: Claim, row: dict) -> dict:
    return {
        "": short_name(row["claim"]),
        "measured by": _measure(study, claim),
        "found by others": "; ".join(claim.published),
        "what would settle it, or stands in the way": row["why"],
        "tables": row["tables"],
    }


def _test(row: dict) -> dict:
    return {
        "": short_name(row["claim"]),
        "test": row["method"],
        "estimate": _interval(row, "estimate", "conf_low", "conf_high"),
        "p": _p(row["p_value"]),
        "observations": f"{row['n_obs']:.0f}" if row["n_obs"] != "" else "",
        "entities": f"{row['n_entities']:.0f}" if row["n_entities"] != "" else "",
        "remarks": row["detail"],
    }


def _interval(row: dict, *keys: str) -> str:
    b, low, high = (row[k] for k in keys)
    if b == "":
        return ""
    words = f"{b:.3f}" if low == "" else f"{b:.3f} [{low:.3f}, {high:.3f}]"
    return words.replace("-", "\N{MINUS SIGN}")


def _p(p) -> str:
    return "" if p == "" else "<0.001" if p < 0.001 else f"{p:.3f}"


def _measure(study: Study, claim: Claim) -> str:
    if claim.test == "none":
        return "not measured"
    if claim.test == "stages":
        return "moves between stages of D"
    if claim.test == "bound":
        return f"{label(study, claim.cause)} never above {claim.value:g}"
    words = f"{label(study, claim.cause)} (t-1) → {label(study, claim.effect)}"
    if claim.test == "spillover":
        words = f"neighbours' {words}"
    if claim.test == "threshold":
        words += f", by {label(study, claim.by)}, threshold at {claim.value:g}"
    return words
