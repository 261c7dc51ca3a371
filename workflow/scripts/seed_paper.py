"""Check the seed paper's own tables against each other."""

from pathlib import Path

from tandem.files import save, step
from tandem.sources import seed_checks

with step(snakemake.log[0]) as say:
    checks = seed_checks(Path("data"))
    save({"seed_checks": checks}, snakemake.output)
    say(f"seed paper: {len(checks)} statements checked, {int((~checks['consistent']).sum())} fail")
