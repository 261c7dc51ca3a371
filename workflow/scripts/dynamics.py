"""Spread, moves, neighbours, obstacles and forecast of the coordination degree."""

from pathlib import Path

from tandem.analysis.dynamics import study_dynamics
from tandem.files import read, save, step, whole_folder
from tandem.indices import read_contiguity
from tandem.sources.seed import survey_fields
from tandem.study import load_study

FRAMES = ("panel", "published", "coupling", "scores", "normalised", "weights")

with step(snakemake.log[0]) as say:
    study = load_study(f"studies/{snakemake.config['study']}.yaml")
    frames = {name: read(snakemake.input[name]) for name in FRAMES}
    pairs = next(map(read_contiguity, snakemake.input.neighbours), None)
    fields = survey_fields(Path("data")) if study.seed_paper else None
    found = study_dynamics(study, frames, pairs, fields)
    with whole_folder(snakemake.output[0]) as new:
        save(found, {name: new / f"{name}.csv" for name in found})
    say(f"dynamics: {len(found)} tables; left out: {len(found['not_carried'])}, with the reasons")
