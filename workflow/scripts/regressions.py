"""Regress each system on the other's past."""

from pathlib import Path

from tandem import estimates
from tandem.analysis.regressions import fit_regressions
from tandem.files import read, step
from tandem.study import load_study

with step(snakemake.log[0]) as say:
    study = load_study(f"studies/{snakemake.config['study']}.yaml")
    panel, scores = map(read, snakemake.input)
    terms, models = fit_regressions(study, scores, panel)
    estimates.write(terms, models, Path(snakemake.output.terms).parent, snakemake.config["study"])
    say(f"regressions: {models.groupby(['table', 'model']).ngroups} models, both directions")
