"""A study of the provinces with a curve of 2000 specifications: 1000 a direction, in eight jobs."""

import sys
from pathlib import Path

import yaml

KEPT = ("title", "question", "seed", "panel", "vintages", "series", "systems", "coupling")

whole = yaml.load(Path("studies/provinces.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader)
study = {name: whole[name] for name in KEPT}
curve = {
    "weights": ["entropy", "critic", "cv", "sd", "equal"],
    "windows": [[2011, 2019], [2012, 2019], [2013, 2019], [2011, 2018], [2011, 2017]],
    "draws": 99,
    "chunks": 8,
}
models = {name: whole["models"][name] for name in ("controls", "regressions")}
study["models"] = models | {"verdict": {"draws": 99, "curve": curve}}
yaml.safe_dump(study, sys.stdout, allow_unicode=True, sort_keys=False)
