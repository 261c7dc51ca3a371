"""Score the systems and couple them."""

from tandem.analysis.scores import couple, score_systems, structure
from tandem.files import read, save, step
from tandem.study import load_study

with step(snakemake.log[0]) as say:
    study = load_study(f"studies/{snakemake.config['study']}.yaml")
    panel, published = map(read, snakemake.input)
    frames = score_systems(study, panel)
    frames |= couple(study, frames["scores"]) | {"structure": structure(study, published)}
    save(frames, snakemake.output)
    mean = frames["coupling"][["C_standard", "D_standard"]].mean()
    say(f"indices: mean C {mean['C_standard']:.3f}, mean D {mean['D_standard']:.3f}")
