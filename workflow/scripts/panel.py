"""Read the raw tables that the study names, check them, derive its panel."""

from pathlib import Path

from tandem.analysis.panel import make_panel, observe
from tandem.files import read, save, step
from tandem.sources import check_identities
from tandem.study import load_study

with step(snakemake.log[0]) as say:
    study = load_study(f"studies/{snakemake.config['study']}.yaml")
    observations, ledger, tables = observe(study, Path("data"))
    checks = check_identities(observations)
    frames = make_panel(study, observations, tables, read(snakemake.input.codebook))
    # nothing is written before everything is checked
    frames |= {"observations": observations, "ledger": ledger, "checks": checks}
    save(frames, snakemake.output)
    panel = frames["panel"]
    n, t = (panel.index.get_level_values(k).nunique() for k in ("entity", "year"))
    cases = f"{checks['passed'].sum()} of {len(checks)}"
    say(
        f"panel: {len(observations)} values from {len(snakemake.input.raw)} tables, {cases} checks "
        f"passed; {n} x {t} entity-years, {panel.shape[1]} series, {panel.isna().sum().sum()} gaps"
    )
