"""Derive the panel of the study from its observations."""

from tandem.analysis.panel import make_panel
from tandem.files import read, save, step
from tandem.study import load_study

with step(snakemake.log[0]) as say:
    study = load_study(f"studies/{snakemake.config['study']}.yaml")
    observations, tables, codebook = map(read, snakemake.input)
    frames = make_panel(study, observations, tables, codebook)
    save(frames, snakemake.output)
    panel = frames["panel"]
    n, t = (panel.index.get_level_values(k).nunique() for k in ("entity", "year"))
    say(
        f"panel: {n} entities x {t} years, {panel.shape[1]} series, {panel.isna().sum().sum()} gaps"
    )
