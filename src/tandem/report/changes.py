"""What changed between two runs of a study: cells, panel, degrees, estimates, tests, verdicts."""

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd

from tandem import estimates
from tandem.report.table_notes import THRESHOLDS

CELL = ["series", "region", "year", "vintage", "unit"]
TERM = estimates.TERM_KEY
MODEL = estimates.MODEL_KEY
VERDICT = ["claim", "part"]
# what a reader of a table would notice: its name here, and how `terms` and `models` say it
NOTICED = {
    "sign": "sign", "crossed": "5 %", "stars": "stars", "shifted": "> 1 s.e.", "new": "new",
    "gone": "gone",
}  # fmt: skip
Z_95 = 1.959964  # half a 95 % interval in standard errors, where only the interval is given
LONG = re.compile(r"-?\d+\.\d{6,}(e-?\d+)?")  # a number at full precision, shortened in changes.md
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
        ``cells``: published values new, gone or changed, with the raw cell. ``panel`` and
        ``degrees``: values of the panel, scores and degrees that moved. ``terms``: every estimate
        that differs; ``what`` lists what a reader would notice (`NOTICED`). ``models``: statistics
        that differ; ``what`` says where a p-value crossed 5 %. ``claims``: verdicts that differ.
        ``tables``: how many of each in each table of the results store that differs.
    """
    terms, models = _terms(before, after), _models(before, after)
    return {
        "cells": _cells(before, after),
        "panel": _values(before, after, "data/panel"),
        "degrees": _values(before, after, "indices/coupling"),
        "terms": terms,
        "models": models,
        "claims": _claims(before, after),
        "tables": _by_table(terms, models),
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


def summary(against: str | None, changes: Frames, files: pd.DataFrame) -> pd.DataFrame:
    """Numbers for a sentence: ``against`` (name of the earlier run, or none), then counts."""
    tables = changes["tables"]
    counts = {name: len(changes[name]) for name in changes}
    counts |= {name: int(tables[name].sum()) for name in [*NOTICED, "tests"]}
    counts |= {f"files_{part}": n for part, n in files["part"].value_counts(sort=False).items()}
    rows = [("against", against or "none"), *counts.items()]
    return pd.DataFrame(rows, columns=["what", "value"], dtype=str)


def to_markdown(study: str, against: str | None, changes: Frames, files: pd.DataFrame) -> str:
    """The page ``changes.md``."""
    lines = [f"# What changed: {study}", ""]
    if against is None:
        return "\n".join([*lines, "No earlier run with other results is kept.", ""])
    lines += [f"Compared with kept run `{against}`.", "", f"**{sentence(changes)}**", ""]
    lines += [cause(files), ""]
    parts = {
        "Tables": changes["tables"],
        "Verdicts": changes["claims"],
        "Estimates to look at": changes["terms"][changes["terms"]["what"] != ""],
        "Samples and tests": changes["models"],
        "Published values": changes["cells"],
        "Panel values": changes["panel"],
        "Scores and degrees": changes["degrees"],
        "Files behind the results": files,
    }
    for title, frame in parts.items():
        lines += [f"## {title}", "", *to_lines(frame), ""]
    return "\n".join(lines)


def sentence(changes: Frames) -> str:
    """What changed, in a few words."""
    n = summary(None, changes, pd.DataFrame(columns=["part"])).set_index("what")["value"]
    return (
        f"Published values that differ: {n['cells']}; panel values: {n['panel']}; scores and "
        f"degrees: {n['degrees']}; estimates: {n['terms']}, of which {n['sign']} changed sign, "
        f"{n['crossed']} crossed 5 %, {n['stars']} changed stars, {n['shifted']} moved by more "
        f"than one standard error, {n['new']} are new and {n['gone']} gone; tests that crossed "
        f"5 %: {n['tests']}; verdicts: {n['claims']}."
    )


def cause(files: pd.DataFrame) -> str:
    """Where the cause may lie, from the parts of a run whose files differ."""
    parts = list(dict.fromkeys(files["part"]))
    if not parts:
        return "None of the files that a run is made of differs: were results edited by hand?"
    if len(parts) == 1:
        return f"Only the {parts[0]} changed between the two runs: that is the cause."
    both = f"{', '.join(parts[:-1])} and {parts[-1]}"
    return f"Between the two runs {both} changed: `make explain-change` tells them apart."


def _cells(before: Frames, after: Frames) -> pd.DataFrame:
    pair = _pair(before, after, "data/observations", CELL)
    pair = pair[_moved(pair, "value")]
    cell = pair["cell_after"].where(pair["cell_after"].notna(), pair["cell_before"])
    return _tidy(pair, CELL, "value").assign(cell=cell.to_numpy())


def _values(before: Frames, after: Frames, name: str) -> pd.DataFrame:
    """Values of a table of entities by year, one row a value that moved."""
    key = ["entity", "year"]
    empty = pd.DataFrame(columns=key)
    long = [
        {name: frames.get(name, empty).melt(key, var_name="series")} for frames in (before, after)
    ]
    pair = _pair(*long, name, ["series", *key])
    return _tidy(pair[_moved(pair, "value")], ["series", *key], "value")


def _terms(before: Frames, after: Frames) -> pd.DataFrame:
    pair = _pair({"terms": _term_records(before)}, {"terms": _term_records(after)}, "terms", TERM)
    pair = pair[_moved(pair, "estimate") | _moved(pair, "std_error") | _moved(pair, "p_value")]
    old, new = _numbers(pair, "estimate")
    p_old, p_new = _numbers(pair, "p_value")
    both = p_old.notna() & p_new.notna()
    half = (_numbers(pair, "conf_high")[0] - _numbers(pair, "conf_low")[0]) / 2
    one = _numbers(pair, "std_error")[0].fillna(half / Z_95)
    said = {
        "new": pair["side"] == "right_only",
        "gone": pair["side"] == "left_only",
        "sign": np.sign(old) * np.sign(new) < 0,
        "crossed": both & ((p_old < 0.05) != (p_new < 0.05)),
        "stars": both & (_stars(p_old) != _stars(p_new)),
        "shifted": (new - old).abs() > one,
    }
    columns = {"before": old, "after": new, "std_error": one, "p_before": p_old, "p_after": p_new}
    return pair[TERM].assign(**columns, what=_words(said, pair.index)).reset_index(drop=True)


def _models(before: Frames, after: Frames) -> pd.DataFrame:
    sides = [{"models": _model_records(frames)} for frames in (before, after)]
    pair = _pair(*sides, "models", MODEL)
    pair = pair[_moved(pair, "value")]
    old, new = _numbers(pair, "value")
    # hansen_p, ar2_p, u_test_pval, granger_p:cause>effect
    is_p = pair["statistic"].str.contains(r"_p(?:val)?(?::|$)")
    said = {
        "new": pair["side"] == "right_only",
        "gone": pair["side"] == "left_only",
        "crossed": is_p & old.notna() & new.notna() & ((old < 0.05) != (new < 0.05)),
    }
    return _tidy(pair, MODEL, "value").assign(what=_words(said, pair.index).to_numpy())


def _claims(before: Frames, after: Frames) -> pd.DataFrame:
    pair = _pair(before, after, "claims/claims", VERDICT, ["verdict"])
    return _tidy(pair[_moved(pair, "verdict")], VERDICT, "verdict")


def _by_table(terms: pd.DataFrame, models: pd.DataFrame) -> pd.DataFrame:
    words = terms["what"].str.split("; ")
    counts = {name: words.map(lambda w, said=said: said in w) for name, said in NOTICED.items()}
    moved = terms[["table"]].assign(estimates=1, **counts)
    statistics = models[["table"]].assign(
        sample=models["statistic"].str.startswith("n_"), tests=models["what"] == NOTICED["crossed"]
    )
    columns = ["estimates", *NOTICED, "sample", "tests"]
    frame = pd.concat([moved, statistics], ignore_index=True).reindex(columns=["table", *columns])
    return frame.fillna(0).astype(dict.fromkeys(columns, int)).groupby("table").sum().reset_index()


def _term_records(frames: Frames) -> pd.DataFrame:
    """Estimates of all tables: the results store, the verdict's methods and regions, variants."""
    parts = [f for path, f in frames.items() if path.endswith("/terms")]
    for path, table, model in (
        ("estimates/verdict/methods", "two_way", "model"),
        ("estimates/verdict/regions", "two_way_regions", "region"),
    ):
        if path in frames:
            frame = frames[path].assign(table=table, model=frames[path][model])
            parts.append(frame.rename(columns={"direction": "equation"}))
    for path, frame in frames.items():
        if path.startswith("variants/"):
            model = frame["variant"] + ": " + frame["model"]
            frame = frame.assign(table="variants_two_way", model=model)
            parts.append(frame.rename(columns={"direction": "equation"}))
    blank = pd.DataFrame(columns=estimates.TERMS)
    return pd.concat([blank, *parts], ignore_index=True)[estimates.TERMS].fillna("")


def _model_records(frames: Frames) -> pd.DataFrame:
    parts = [f for path, f in frames.items() if path.endswith("/models")]
    if "estimates/var/granger" in frames:
        granger = frames["estimates/var/granger"]
        name = "granger_p:" + granger["cause"] + ">" + granger["effect"]
        granger = granger.assign(table="var_granger", model="var", statistic=name)
        parts.append(granger.assign(value=granger["p_value"]))
    blank = pd.DataFrame(columns=estimates.MODELS)
    return pd.concat([blank, *parts], ignore_index=True)[estimates.MODELS]


def _pair(before: Frames, after: Frames, name: str, key: list[str], columns=()) -> pd.DataFrame:
    """Both runs side by side; rows of one run only have missing values in the other's columns."""
    sides = []
    for frames in (before, after):
        frame = frames.get(name, pd.DataFrame(columns=[*key, *columns]))
        # the same key twice (a value printed in two tables) is told apart by its turn
        sides.append(frame.assign(turn=frame.groupby(key).cumcount()))
    how = {"how": "outer", "suffixes": ("_before", "_after"), "sort": True, "indicator": "side"}
    return sides[0].merge(sides[1], on=[*key, "turn"], **how)


def _moved(pair: pd.DataFrame, name: str) -> pd.Series:
    """Differs beyond rounding: by more than 1e-9 of its size, or as text."""
    old, new = pair[f"{name}_before"], pair[f"{name}_after"]
    close = np.isclose(*_numbers(pair, name), rtol=1e-9, atol=1e-12)
    return (old.fillna("\0") != new.fillna("\0")) & ~close


def _numbers(pair: pd.DataFrame, name: str) -> list[pd.Series]:
    """A column of both runs as numbers, missing where it is no number."""
    return [pd.to_numeric(pair[f"{name}_{when}"], errors="coerce") for when in ("before", "after")]


def _tidy(pair: pd.DataFrame, key: list[str], name: str) -> pd.DataFrame:
    columns = {f"{name}_before": "before", f"{name}_after": "after"}
    return pair[[*key, *columns]].rename(columns=columns).reset_index(drop=True)


def _stars(p_value: pd.Series) -> pd.Series:
    return sum((p_value < threshold).astype(int) for threshold in THRESHOLDS["10/5/1"])


def _words(said: Mapping[str, pd.Series], index: pd.Index) -> pd.Series:
    flags = pd.DataFrame(said, index=index).to_numpy()
    names = [NOTICED[name] for name in said]
    words = ["; ".join(w for w, yes in zip(names, row, strict=True) if yes) for row in flags]
    return pd.Series(words, index=index, dtype=object)


def _word(before: str | None, after: str | None) -> str:
    return "new" if before is None else "gone" if after is None else "changed"


def to_lines(frame: pd.DataFrame) -> list[str]:
    """Rows as a Markdown table, long lists cut with a word on how many are left."""
    if frame.empty:
        return ["None."]
    cells = [frame.columns, ["---"] * frame.shape[1], *frame.head(SHOWN).to_numpy(dtype=object)]
    lines = ["| " + " | ".join(_md(value) for value in row) + " |" for row in cells]
    left = len(frame) - SHOWN
    return [*lines, *(["", f"and {left} more in `changes/`."] if left > 0 else [])]


def _md(value: object) -> str:
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:.4g}"
    if LONG.fullmatch(str(value)):
        return f"{float(value):.6g}"
    return "" if pd.isna(value) else str(value).replace("|", "\\|")
