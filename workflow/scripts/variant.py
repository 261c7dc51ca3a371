"""Run one variant of the study from raw tables to the two-way coefficients."""

from pathlib import Path

from tandem.analysis.variants import run_variant
from tandem.files import save, step
from tandem.study import load_study

with step(snakemake.log[0]) as say:
    name = snakemake.wildcards.variant
    study = load_study(f"studies/{snakemake.config['study']}.yaml", name)
    frames = run_variant(study, Path("data"), name)
    save(frames, snakemake.output)
    say(f"variant {name}: {frames['summary']['complete'].iloc[0]} complete entity-years")
