"""Regress each system on the other's past."""

from tandem.analysis.regressions import fit_regressions
from tandem.files import read, save, step
from tandem.study import load_study

with step(snakemake.log[0]) as say:
    study = load_study(f"studies/{snakemake.config['study']}.yaml")
    panel, scores = map(read, snakemake.input)
    terms, models = fit_regressions(study, scores, panel)
    save({"terms": terms, "models": models}, snakemake.output)
    say(f"regressions: {models.groupby(['table', 'model']).ngroups} models, both directions")
