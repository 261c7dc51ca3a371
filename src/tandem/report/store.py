"""What a study has left in its results, and the names it gives things."""

from pathlib import Path

import pandas as pd

from tandem import estimates
from tandem.analysis.two_way import directions
from tandem.files import read
from tandem.study import Study

STORE = ("regressions", "panel_var", "var", "robustness")


def load(folder: str | Path) -> dict[str, pd.DataFrame]:
    """Every CSV of a study's results by its path without ending, e.g. "indices/scores"."""
    folder = Path(folder)
    rooms = (
        "data", "indices", "uncertainty", "dynamics", "estimates/panel_var", "estimates/var",
        "estimates/robustness", "estimates/verdict", "claims",
        "variants/*",
    )  # fmt: skip
    paths = sorted(p for room in rooms for p in folder.glob(f"{room}/*.csv"))
    frames = {
        str(p.relative_to(folder).with_suffix("")): read(p)
        for p in paths
        if p.stem not in ("terms", "models")
    }
    return frames


def records(folder: str | Path) -> estimates.Records:
    """All records of the study's results store."""
    found = [Path(folder) / "estimates" / name for name in STORE]
    return estimates.read(f for f in found if (f / "terms.csv").exists())


def regions(study: Study, entities) -> pd.Series:
    """Region of each entity, in the study's order; entities outside every group stand alone."""
    by_entity = {e: g for g, members in study.panel.groups.items() for e in members}
    order = [e for e in by_entity if e in set(entities)]
    order += [e for e in entities if e not in by_entity]
    return pd.Series({e: by_entity.get(e, e) for e in order}, name="region")


def degree(study: Study) -> str:
    """Column of the coordination degree that the study's coupling model gives."""
    return f"D_{study.coupling.model}"


def label(study: Study, name: str) -> str:
    """English label of a system, a derived series or one shown alone, or the name itself."""
    alone = {p.series[0]: p for p in study.published.values() if len(p.series) == 1}
    known = {**alone, **study.systems, **study.series}
    return known[name].label.en if name in known else name


def labelled(study: Study, frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with labels in its columns of systems and series."""
    named = {"cause", "effect", "series", "equation"} & set(frame)
    return frame.assign(**{c: frame[c].map(lambda name: label(study, name)) for c in named})


def main_models(study: Study) -> list[str]:
    """Labels of the models whose agreement decides the verdict: fixed before looking."""
    labels = [r.label for r in study.models.regressions.values() if r.effects == "two-way"][:1]
    if study.models.panel_var:
        labels += [f"Panel VAR: {m.label}" for m in study.models.panel_var.models.values()][:1]
    return labels


def verdicts(study: Study, two_way: pd.DataFrame) -> list[dict]:
    """Verdict on each direction: supported if the 95 % intervals of all main models lie above zero,
    contradicted if all lie below, undetermined otherwise (also if there is no main model).
    """
    found = []
    for cause, effect in directions(study):
        rows = two_way[(two_way["cause"] == cause) & (two_way["effect"] == effect)]
        main = rows[rows["model"].isin(main_models(study))]
        some = len(main) > 0
        above, below = some and (main["conf_low"] > 0).all(), some and (main["conf_high"] < 0).all()
        word = "supported" if above else "contradicted" if below else "undetermined"
        found.append(
            {
                "cause": label(study, cause),
                "effect": label(study, effect),
                "word": word,
                "models": main.to_dict("records"),
                "positive": int((rows["conf_low"] > 0).sum()),
                "negative": int((rows["conf_high"] < 0).sum()),
                "all": len(rows),
            }
        )
    return found
