"""Fit the panel VARs; bootstrap the responses of the first."""

from pathlib import Path

from tandem import estimates
from tandem.analysis.panel_var import fit_panel_vars
from tandem.files import read, save, step
from tandem.study import load_study

with step(snakemake.log[0]) as say:
    study = load_study(f"studies/{snakemake.config['study']}.yaml")
    frames = fit_panel_vars(study, read(snakemake.input.scores))
    records = frames.pop("terms"), frames.pop("models")
    estimates.write(*records, Path(snakemake.output.terms).parent, snakemake.config["study"])
    save(frames, snakemake.output)
    block = study.models.panel_var
    say(f"panel VAR: {len(block.models)} models, bands from {block.draws} draws")
