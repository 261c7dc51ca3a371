"""Describe a panel of any size, and estimate its models in chunks."""

from pathlib import Path

from tandem import estimates
from tandem.analysis.firms import fit_firms
from tandem.files import progress, save, step
from tandem.study import load_study

with step(snakemake.log[0]) as say:
    study = load_study(f"studies/{snakemake.config['study']}.yaml")
    found = fit_firms(study, snakemake.input.panel, snakemake.threads, progress())
    records = found.pop("terms"), found.pop("models")
    estimates.write(*records, Path(snakemake.output.terms).parent, snakemake.config["study"])
    save(found, snakemake.output)
    say(f"models: {records[1].groupby(['table', 'model']).ngroups} fitted")
