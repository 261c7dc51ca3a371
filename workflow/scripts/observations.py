"""Read the raw tables that the study names; check the accounting identities."""

from pathlib import Path

from tandem.analysis.panel import observe
from tandem.files import save, step
from tandem.sources import check_identities
from tandem.study import load_study

with step(snakemake.log[0]) as say:
    study = load_study(f"studies/{snakemake.config['study']}.yaml")
    observations, ledger, tables = observe(study, Path("data"))
    checks = check_identities(observations)
    frames = {"observations": observations, "ledger": ledger, "checks": checks, "tables": tables}
    save(frames, snakemake.output)
    say(
        f"observations: {len(observations)} values from {len(snakemake.input.raw)} tables, "
        f"{len(ledger)} ledger lines, {checks['passed'].sum()} of {len(checks)} checks passed"
    )
