"""Tests around the regressions, and what the two-way estimate rests on."""

from tandem import estimates
from tandem.analysis.robustness import study_robustness
from tandem.files import read, save, step, whole_folder
from tandem.indices import read_contiguity
from tandem.study import load_study

with step(snakemake.log[0]) as say:
    study = load_study(f"studies/{snakemake.config['study']}.yaml")
    scores, panel = read(snakemake.input.scores), read(snakemake.input.panel)
    pairs = next(map(read_contiguity, snakemake.input.neighbours), None)
    records, found = study_robustness(study, scores, panel, pairs)
    with whole_folder(snakemake.output[0]) as new:
        estimates.write(*records, new, snakemake.config["study"])
        save(found, {name: new / f"{name}.csv" for name in found})
    say(f"robustness: {len(found)} tables; left out: {len(found['not_carried'])}, with the reasons")
