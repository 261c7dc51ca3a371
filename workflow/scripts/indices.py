"""Score the systems and couple them."""

from tandem.analysis.scores import index_study
from tandem.files import read, save, step
from tandem.study import load_study

with step(snakemake.log[0]) as say:
    study = load_study(f"studies/{snakemake.config['study']}.yaml")
    panel, published = read(snakemake.input.panel), read(snakemake.input.published)
    stored = [(file, read(file)) for file in snakemake.input.goalposts]
    frames = index_study(study, panel, published, *stored)
    save(frames, snakemake.output)
    mean = frames["coupling"][["C_standard", "D_standard"]].mean()
    beyond = f", {len(frames['clipped'])} values clipped" if len(frames["clipped"]) else ""
    say(f"indices: mean C {mean['C_standard']:.3f}, mean D {mean['D_standard']:.3f}{beyond}")
