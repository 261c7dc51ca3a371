"""All methods side by side, both ways, and the specification curve."""

import shutil
from pathlib import Path

from tandem import estimates
from tandem.analysis.series_verdict import series_verdict
from tandem.analysis.verdict import study_verdict
from tandem.files import read, save, step
from tandem.study import load_study

MORE = ("alternatives", "tests")  # of the robustness step, where the panel carries them

with step(snakemake.log[0]) as say:
    study = load_study(f"studies/{snakemake.config['study']}.yaml")
    frames = [read(snakemake.input[k]) for k in ("scores", "panel", "normalised", "weights")]
    if study.models.regressions:
        terms, _ = estimates.read(dict.fromkeys(Path(f).parent for f in snakemake.input.records))
        further = [Path(f) / f"{n}.csv" for f in snakemake.input.further for n in MORE]
        more = {f.stem: read(f) for f in further if f.exists()}
        found = study_verdict(study, *frames, terms, **more)
    else:
        found = series_verdict(study, frames[1], read(snakemake.input.series[0]))
    folder = Path(snakemake.output[0])
    shutil.rmtree(folder, ignore_errors=True)
    save(found, {name: folder / f"{name}.csv" for name in found})
    say(f"verdict: {len(found['methods'])} estimates, {len(found.get('curve', ()))} specifications")
