"""Compare the vintages of the study's series with each other."""

from pathlib import Path

from tandem.analysis.panel import compare_vintages
from tandem.files import save, step
from tandem.study import load_study

with step(snakemake.log[0]) as say:
    study = load_study(f"studies/{snakemake.config['study']}.yaml")
    frames = compare_vintages(study, Path("data"))
    save(frames, snakemake.output)
    series = frames["revisions"]["series"].nunique()
    say(f"revisions: {len(frames['revisions'])} values of {series} series printed again later")
