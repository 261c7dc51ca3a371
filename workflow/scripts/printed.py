"""Collect every printed value of the series that the study shows as published."""

from pathlib import Path

from tandem.analysis.panel import printed_series
from tandem.files import save, step
from tandem.study import load_study

with step(snakemake.log[0]) as say:
    study = load_study(f"studies/{snakemake.config['study']}.yaml")
    printed = printed_series(study, Path("data"))
    save({"printed": printed}, snakemake.output)
    say(f"printed: {len(printed)} values of {printed['series'].nunique()} series, all vintages")
