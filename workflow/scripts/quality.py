"""Write the quality page of the study's data."""

from pathlib import Path

from tandem.files import read, step, write_text
from tandem.report.quality import make_quality
from tandem.study import load_study

with step(snakemake.log[0]) as say:
    study = load_study(f"studies/{snakemake.config['study']}.yaml")
    frames = {Path(file).stem: read(file) for file in snakemake.input.frames}
    write_text(snakemake.output[0], make_quality(frames, study))
    say(f"quality: {snakemake.output[0]}")
