"""The claims of a study: what was decided, by what, and as a path diagram."""

from collections.abc import Iterator

import pandas as pd
from matplotlib.figure import Figure

from tandem.report.figures_claims import path_diagram
from tandem.report.store import label
from tandem.report.tables import Table, frame_table
from tandem.study import Study


def claim_tables(study: Study, results: dict[str, pd.DataFrame]) -> list[Table]:
    """What the claims came to, and what others found; none if the study makes no claim."""
    found = results.get("claims/claims")
    if found is None:
        return []
    decided, beside = [], []
    for row in found.fillna("").to_dict("records"):
        claim = study.claims[row["claim"]]
        name = row["claim"].partition("_")[0].upper()
        decided.append(
            {
                "": name,
                "claim": claim.claim.en,
                "verdict": row["verdict"],
                "estimate": _interval(row, "estimate", "conf_low", "conf_high"),
                "Holm p": _p(row["holm_p"]),
                "second test": _interval(row, "second", "second_low", "second_high"),
                "agree": f"{row['agree']:.0%}" if row["agree"] != "" else "",
            }
        )
        beside.append(
            {
                "": name,
                "measured by": _measure(study, row, claim),
                "found by others": "; ".join(claim.published),
                "what would settle it, or stands in the way": row["why"],
            }
        )
    first, second = (pd.DataFrame(rows).set_index("") for rows in (decided, beside))
    notes = [
        "One rule a kind of test. Links: supported if the 95 % intervals of two tests lie "
        "on the claimed side of zero (two-way regression; panel VAR, or GMM with the effect's own "
        "past), contradicted if both lie on the other, undetermined otherwise. Estimates of links "
        "and spillovers in standard deviations within entities and years; stages: moves up less "
        "moves down, an entity and year; threshold: its place; bound: the largest value.",
        "Holm: over the claims tested. Agree: share of specifications with the claimed sign.",
    ]
    titles = (
        {"en": "The claims and what the figures say", "zh": "论断与检验结果"},
        {"en": "How the claims are measured, and what others found", "zh": "论断的度量与已有研究"},
    )
    return [
        frame_table(first, "claims", titles[0], notes),
        frame_table(second, "claims_sources", titles[1]),
    ]


def claim_figures(study: Study, results: dict[str, pd.DataFrame]) -> Iterator[tuple[str, Figure]]:
    """The mechanism as a path diagram whose arrows carry the estimates."""
    found = results.get("claims/claims")
    if found is not None and len(found) > 2:
        names = {name: label(study, name) for name in study.systems}
        yield "claims_paths", path_diagram(found, names)


def _interval(row: dict, *keys: str) -> str:
    b, low, high = (row[k] for k in keys)
    if b == "":
        return ""
    return f"{b:.3f}" if low == "" else f"{b:.3f} [{low:.3f}, {high:.3f}]"


def _p(p) -> str:
    return "" if p == "" else "<0.001" if p < 0.001 else f"{p:.3f}"


def _measure(study: Study, row: dict, claim) -> str:
    if claim.test == "none":
        return "not measured"
    if claim.test == "stages":
        return "moves between stages of D"
    if claim.test == "bound":
        return f"{claim.cause} never above {claim.value:g}"
    words = f"{label(study, claim.cause)} (t-1) → {label(study, claim.effect)}"
    if claim.test == "spillover":
        words = f"neighbours' {words}"
    if claim.test == "threshold":
        words += f", by {label(study, claim.by)}, threshold at {claim.value:g}"
    return words
