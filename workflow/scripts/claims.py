"""Decide the study's claims by their tests."""

from pathlib import Path

import pandas as pd

from tandem import estimates
from tandem.claims.evaluate import evaluate
from tandem.files import read, save, step
from tandem.study import load_study

with step(snakemake.log[0]) as say:
    study = load_study(f"studies/{snakemake.config['study']}.yaml")
    root = Path(f"results/{snakemake.config['study']}")
    files = [Path(f) for f in (*snakemake.input.frames, *snakemake.input.records)]
    files += [f for folder in snakemake.input.folders for f in sorted(Path(folder).glob("*.csv"))]
    results = {str(f.relative_to(root).with_suffix("")): read(f) for f in files}
    folders = dict.fromkeys(Path(f).parent for f in snakemake.input.records)
    terms = estimates.read(folders)[0] if folders else pd.DataFrame()
    found = evaluate(study, results, terms)
    save(found, snakemake.output)
    say(f"claims: {found['claims']['verdict'].value_counts().to_dict()}")
