"""Run some replications of one design of a Monte Carlo study, or put finished ones into a table.

A study is a module beside this one with DESIGNS, a list of dict, and ``one(rng, **design)``, which
returns a dict of one sample's outcomes or None if the estimator refuses it. Outcomes are averaged,
but for those named median_...; replication i of a design has a random stream of its own, so that
results depend on no number of chunks or cores.
"""

import datetime
import importlib
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

SEED = 1


def replicate(name: str, design: int, first: int, last: int) -> pd.DataFrame:
    """Outcomes (replications,) of replications `first` to `last` - 1; refused ones are all NaN."""
    study = importlib.import_module(name)
    found = {}
    for i in range(first, last):
        rng = np.random.default_rng(np.random.SeedSequence(SEED, spawn_key=(design, i)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found[i] = study.one(rng, **study.DESIGNS[design]) or {}
    return pd.DataFrame.from_dict(found, orient="index").astype(float)


def summarise(name: str, runs: list[pd.DataFrame]) -> pd.DataFrame:
    """A row a design: its choices, outcomes, replications and how many were refused."""
    rows = []
    for design, frame in zip(importlib.import_module(name).DESIGNS, runs, strict=True):
        kept = frame.dropna(how="all")
        if kept.empty:
            sys.exit(f"{name} refuses every sample of {design}; the study is broken.")
        middle = {k: (v.median() if k.startswith("median_") else v.mean()) for k, v in kept.items()}
        facts = {
            "replications": len(frame),
            "refused": len(frame) - len(kept),
            "date": str(datetime.date.today()),
        }
        rows.append({**design, **middle, **facts})
    return pd.DataFrame(rows)


if __name__ == "__main__":
    task, name, *rest = sys.argv[1:]
    if task == "chunk":
        design, first, last, out = rest
        replicate(name, int(design), int(first), int(last)).to_csv(out)
    elif task == "table":
        out, *files = rest
        runs = [
            pd.read_csv(f, index_col=0).assign(design=Path(f).name.split(".")[0]) for f in files
        ]
        every = pd.concat(runs).groupby("design", sort=False)
        numbered = {int(k): g.drop(columns="design") for k, g in every}
        summarise(name, [numbered[k] for k in sorted(numbered)]).to_csv(
            out, index=False, float_format="%.4g"
        )
    else:  # all designs here and now: python run.py NAME REPLICATIONS
        count = len(importlib.import_module(task).DESIGNS)
        runs = [replicate(task, d, 0, int(name)) for d in range(count)]
        print(summarise(task, runs).to_string(index=False, float_format="%.4g"))
