"""Derive the panel of a study from a table of any size."""

from tandem.files import step
from tandem.panel.table import write_panel
from tandem.study import load_study

with step(snakemake.log[0]) as say:
    study = load_study(f"studies/{snakemake.config['study']}.yaml")
    found = write_panel(study, snakemake.output.panel, snakemake.threads)
    say(
        f"panel: {found['rows']} rows of {found['entities']} entities, "
        f"{found['first_year']}-{found['last_year']}"
    )
