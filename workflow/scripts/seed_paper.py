"""The seed paper's own tables, and whether they agree with each other."""

from pathlib import Path

from tandem.files import save, step
from tandem.sources import seed_checks, seed_figures

with step(snakemake.log[0]) as say:
    checks = seed_checks(Path("data"))
    figures = seed_figures(Path("data"))
    save({"seed_checks": checks, "seed_figures": figures}, snakemake.output)
    say(f"seed paper: {len(checks)} statements checked, {int((~checks['consistent']).sum())} fail")
