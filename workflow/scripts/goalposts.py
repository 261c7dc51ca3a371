"""Fit goalposts and weights for a study that has none stored."""

from tandem.analysis.goalposts import fit_goalposts
from tandem.files import read, save, step
from tandem.study import load_study

with step(snakemake.log[0]) as say:
    study = load_study(f"studies/{snakemake.config['study']}.yaml")
    save({"goalposts": fit_goalposts(study, read(snakemake.input.panel))}, snakemake.output)
    say(f"goalposts: stored in {snakemake.output[0]}; keep this file with the study")
