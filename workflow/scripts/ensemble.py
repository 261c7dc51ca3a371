"""Draw a share of the ensemble and of the bootstrap over entities."""

import io

import numpy as np

from tandem.analysis.uncertainty import run_chunk
from tandem.files import read, save, step, write_whole
from tandem.study import load_study

with step(snakemake.log[0]) as say:
    study = load_study(f"studies/{snakemake.config['study']}.yaml")
    found, resamples = run_chunk(study, read(snakemake.input.panel), int(snakemake.wildcards.chunk))
    tables = {"choices": found.draws, "resamples": resamples}
    save({name: t.reset_index() for name, t in tables.items()}, snakemake.output)
    degrees = io.BytesIO()
    np.save(degrees, found.D.to_numpy())
    write_whole(snakemake.output.degrees, degrees.getvalue())
    say(f"ensemble {snakemake.wildcards.chunk}: {len(found.draws)} draws")
