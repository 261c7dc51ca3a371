"""All methods side by side, both ways, and the specification curve."""

from pathlib import Path

import numpy as np

from tandem import estimates
from tandem.analysis.series_verdict import series_verdict
from tandem.analysis.verdict import study_verdict
from tandem.files import read, save, step, whole_folder
from tandem.study import load_study

MORE = ("alternatives", "tests")  # of the robustness step, where the panel carries them

with step(snakemake.log[0]) as say:
    study = load_study(f"studies/{snakemake.config['study']}.yaml")
    scores, panel = (read(snakemake.input[name]) for name in ("scores", "panel"))
    if study.models.regressions:
        terms, _ = estimates.read(dict.fromkeys(Path(f).parent for f in snakemake.input.records))
        further = [Path(f) / f"{n}.csv" for f in snakemake.input.further for n in MORE]
        more = {f.stem: read(f) for f in further if f.exists()}
        pairs = zip(snakemake.input.specs, snakemake.input.drawn, strict=True)
        chunks = [(read(specs), np.load(drawn)) for specs, drawn in pairs]
        found = study_verdict(study, scores, panel, terms, **more, chunks=chunks)
    else:
        found = series_verdict(study, panel, read(snakemake.input.series[0]))
    with whole_folder(snakemake.output[0]) as new:
        save(found, {name: new / f"{name}.csv" for name in found})
    say(f"verdict: {len(found['methods'])} estimates, {len(found.get('curve', ()))} specifications")
