"""Read the raw tables that the study names, check them, derive its panel."""

from pathlib import Path

from tandem.analysis.panel import build_panel
from tandem.files import save, step
from tandem.study import load_study

with step(snakemake.log[0]) as say:
    study = load_study(f"studies/{snakemake.config['study']}.yaml")
    frames = build_panel(study, Path("data"))
    # nothing is written before everything is checked
    save(frames, snakemake.output)
    panel, checks, found = (frames[k] for k in ("panel", "checks", "suspects"))
    n, t = (panel.index.get_level_values(k).nunique() for k in ("entity", "year"))
    say(
        f"panel: {len(frames['observations'])} values from {len(snakemake.input.raw)} tables, "
        f"{checks['passed'].sum()} of {len(checks)} checks passed, {len(found)} jumps to look at; "
        f"{n} x {t} entity-years, {panel.shape[1]} series, {panel.isna().sum().sum()} gaps"
    )
