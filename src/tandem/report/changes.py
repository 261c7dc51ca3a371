"""What changed between two runs of a study: cells, panel values, estimates, tests, verdicts."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from tandem import estimates
from tandem.report.table_notes import THRESHOLDS

CELL = ["series", "region", "year", "vintage", "unit"]
TERM = estimates.TERM_KEY
VERDICT = ["claim", "part"]
TERM_COLUMNS = [*TERM, "before", "after", "p_before", "p_after", "what"]
SHOWN = 40  # rows of a list in changes.md; all stand in changes/*.csv

Frames = Mapping[str, pd.DataFrame]


def compare(before: Frames, after: Frames) -> dict[str, pd.DataFrame]:
    """Differences between two runs.

    Parameters
    ----------
    before, after
        Results as text by path, as `tandem.report.history.read_run` gives them.

    Returns
    -------
    dict of DataFrame
        ``cells``: published values new, gone or changed, with the raw cell. ``panel``: values of
        the panel that moved. ``terms``: every estimate that differs; ``what`` lists what a reader
        would notice (new, gone, sign, 5 %, stars, > 1 s.e.). ``models``: statistics that differ,
        ``what`` says where a p-value crossed 5 %. ``claims``: verdicts that differ.
    """
    return {
        "cells": _cells(before, after),
        "panel": _panel(before, after),
        "terms": _terms(before, after),
        "models": _models(before, after),
        "claims": _claims(before, after),
    }


def files_changed(before: Mapping, after: Mapping) -> pd.DataFrame:
    """Files of which two runs are made and that differ: part, file, what (new, gone, changed)."""
    rows = [
        (part, name, _word(before[part].get(name), after[part].get(name)))
        for part in after
        for name in sorted({*before[part], *after[part]})
        if before[part].get(name) != after[part].get(name)
    ]
    return pd.DataFrame(rows, columns=["part", "file", "what"])


def count(changes: Frames) -> dict[str, int]:
    """How many of each kind, for a sentence."""
    what = changes["terms"]["what"]
    kinds = {
        "sign": "sign", "crossed": "5 %", "stars": "stars", "shifted": "> 1 s.e.",
        "new": "new", "gone": "gone",
    }  # fmt: skip
    numbers = {name: len(changes[name]) for name in changes}
    return numbers | {
        name: int(what.str.split("; ").map(lambda words, w=word: w in words).sum())
        for name, word in kinds.items()
    }


def to_markdown(study: str, against: str | None, changes: Frames, files: pd.DataFrame) -> str:
    """The page ``changes.md``."""
    lines = [f"# What changed: {study}", ""]
    if against is None:
        return "\n".join([*lines, "No earlier run with other results is kept.", ""])
    lines += [f"Compared with kept run `{against}`.", "", f"**{sentence(changes, files)}**", ""]
    parts = {
        "Files behind the results": files,
        "Published values": changes["cells"],
        "Panel values": changes["panel"],
        "Estimates to look at": changes["terms"][changes["terms"]["what"] != ""],
        "Samples and tests": changes["models"],
        "Verdicts": changes["claims"],
    }
    for title, frame in parts.items():
        lines += [f"## {title}", "", *_list(frame), ""]
    return "\n".join(lines)


def sentence(changes: Frames, files: pd.DataFrame) -> str:
    """What changed and where its cause may lie, in a few words."""
    n = count(changes)
    causes = list(dict.fromkeys(files["part"]))
    where = {
        0: "none of the files a run is made of differs",
        1: f"only the {''.join(causes)} differ{'' if causes == ['data'] else 's'}, the cause",
    }.get(len(causes), f"{', '.join(causes)} differ: make explain-change tells them apart")
    return (
        f"{n['cells']} published values and {n['panel']} panel values differ; of the estimates "
        f"{n['terms']} moved: {n['sign']} changed sign, {n['crossed']} crossed 5 %, {n['stars']} "
        f"changed stars, {n['shifted']} moved by more than one standard error, {n['new']} are new, "
        f"{n['gone']} gone; {n['claims']} verdicts differ ({where})."
    )


def _cells(before: Frames, after: Frames) -> pd.DataFrame:
    pair = _pair(before, after, "data/observations", CELL)
    changed = pair[pair["value_before"] != pair["value_after"]]
    cell = changed["cell_after"].where(changed["cell_after"].notna(), changed["cell_before"])
    return _tidy(changed, CELL, "value").assign(cell=cell.to_numpy())


def _panel(before: Frames, after: Frames) -> pd.DataFrame:
    long = []
    for frames in (before, after):
        frame = frames.get("data/panel", pd.DataFrame(columns=["entity", "year"]))
        long.append(
            {"data/panel": frame.melt(["entity", "year"], var_name="series", value_name="value")}
        )
    pair = _pair(*long, "data/panel", ["series", "entity", "year"])
    return _tidy(pair[_moved(pair, "value")], ["series", "entity", "year"], "value")


def _terms(before: Frames, after: Frames) -> pd.DataFrame:
    pair = _pair(_store(before, "terms"), _store(after, "terms"), "terms", TERM)
    pair = pair[_moved(pair, "estimate") | _moved(pair, "std_error") | _moved(pair, "p_value")]
    numbers = {
        f"{name}_{when}": pd.to_numeric(pair[f"{name}_{when}"], errors="coerce")
        for name in ("estimate", "std_error", "p_value")
        for when in ("before", "after")
    }
    old, new = numbers["estimate_before"], numbers["estimate_after"]
    p_old, p_new = numbers["p_value_before"], numbers["p_value_after"]
    said = {
        "new": old.isna(),
        "gone": new.isna(),
        "sign": np.sign(old) * np.sign(new) < 0,
        "5 %": p_old.notna() & p_new.notna() & ((p_old < 0.05) != (p_new < 0.05)),
        "stars": p_old.notna() & p_new.notna() & (_stars(p_old) != _stars(p_new)),
        "> 1 s.e.": (new - old).abs() > numbers["std_error_before"],
    }
    columns = {"before": old, "after": new, "p_before": p_old, "p_after": p_new}
    frame = pair[TERM].assign(**columns, what=_words(said, pair.index))
    return frame[TERM_COLUMNS].reset_index(drop=True)


def _models(before: Frames, after: Frames) -> pd.DataFrame:
    key = estimates.MODEL_KEY
    pair = _pair(_store(before, "models"), _store(after, "models"), "models", key)
    pair = pair[_moved(pair, "value")]
    old, new = (pd.to_numeric(pair[f"value_{w}"], errors="coerce") for w in ("before", "after"))
    # hansen_p, ar2_p, granger_p:cause>effect
    is_p = pair["statistic"].str.contains(r"_p(?::|$)")
    said = {
        "new": pair["value_before"].isna(),
        "gone": pair["value_after"].isna(),
        "5 %": is_p & old.notna() & new.notna() & ((old < 0.05) != (new < 0.05)),
    }
    return _tidy(pair, key, "value").assign(what=_words(said, pair.index).to_numpy())


def _claims(before: Frames, after: Frames) -> pd.DataFrame:
    pair = _pair(before, after, "claims/claims", VERDICT, ["verdict"])
    return _tidy(pair[pair["verdict_before"] != pair["verdict_after"]], VERDICT, "verdict")


def _store(frames: Frames, name: str) -> dict[str, pd.DataFrame]:
    """All records of the results store as one frame."""
    columns = estimates.TERMS if name == "terms" else estimates.MODELS
    parts = [f for path, f in frames.items() if path.endswith(f"/{name}")]
    return {name: pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)}


def _pair(before: Frames, after: Frames, name: str, key: list[str], columns=()) -> pd.DataFrame:
    """Both runs side by side; rows of one run only have missing values in the other's columns."""
    sides = []
    for frames in (before, after):
        frame = frames.get(name, pd.DataFrame(columns=[*key, *columns]))
        # the same key twice (a value printed in two tables) is told apart by its turn
        sides.append(frame.assign(turn=frame.groupby(key).cumcount()))
    return sides[0].merge(
        sides[1], on=[*key, "turn"], how="outer", suffixes=("_before", "_after"), sort=True
    )


def _moved(pair: pd.DataFrame, name: str) -> pd.Series:
    """Differs beyond rounding: by more than 1e-9 of its size, or as text."""
    old, new = pair[f"{name}_before"], pair[f"{name}_after"]
    x, y = pd.to_numeric(old, errors="coerce"), pd.to_numeric(new, errors="coerce")
    close = np.isclose(x, y, rtol=1e-9, atol=1e-12)
    return (old.fillna("\0") != new.fillna("\0")) & ~close


def _tidy(pair: pd.DataFrame, key: list[str], name: str) -> pd.DataFrame:
    columns = {f"{name}_before": "before", f"{name}_after": "after"}
    return pair[[*key, *columns]].rename(columns=columns).reset_index(drop=True)


def _stars(p_value: pd.Series) -> pd.Series:
    return sum((p_value < threshold).astype(int) for threshold in THRESHOLDS["10/5/1"])


def _words(said: Mapping[str, pd.Series], index: pd.Index) -> pd.Series:
    flags = pd.DataFrame(said, index=index)
    words = [
        "; ".join(w for w, yes in zip(flags, row, strict=True) if yes) for row in flags.to_numpy()
    ]
    return pd.Series(words, index=index, dtype=object)


def _word(before: str | None, after: str | None) -> str:
    return "new" if before is None else "gone" if after is None else "changed"


def _list(frame: pd.DataFrame) -> list[str]:
    """Rows as a Markdown table, long lists cut with a word on how many are left."""
    if frame.empty:
        return ["None."]
    cells = [frame.columns, ["---"] * frame.shape[1], *frame.head(SHOWN).to_numpy()]
    lines = ["| " + " | ".join(_md(value) for value in row) + " |" for row in cells]
    left = len(frame) - SHOWN
    return [*lines, *(["", f"and {left} more in `changes/`."] if left > 0 else [])]


def _md(value: object) -> str:
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:.4g}"
    return "" if pd.isna(value) else str(value).replace("|", "\\|")
