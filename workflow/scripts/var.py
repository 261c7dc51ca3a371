"""Fit the nation's VAR."""

from pathlib import Path

from tandem import estimates
from tandem.analysis.var import fit_nation
from tandem.files import read, save, step
from tandem.study import load_study

with step(snakemake.log[0]) as say:
    study = load_study(f"studies/{snakemake.config['study']}.yaml")
    frames = fit_nation(study, read(snakemake.input.panel))
    records = frames.pop("terms"), frames.pop("models")
    estimates.write(*records, Path(snakemake.output.terms).parent, snakemake.config["study"])
    save(frames, snakemake.output)
    lags = frames["lag_choice"].set_index("lags")["bic"].idxmin()
    say(f"VAR: {' and '.join(study.models.var.variables)}, {lags} lag(s) by BIC")
