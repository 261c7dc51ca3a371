"""Put the draws together and measure how uncertain the reported degrees are."""

import numpy as np

from tandem.analysis.uncertainty import measure
from tandem.files import read, save, step
from tandem.study import load_study

with step(snakemake.log[0]) as say:
    study = load_study(f"studies/{snakemake.config['study']}.yaml")
    drawn = (snakemake.input[name] for name in ("choices", "degrees", "resamples"))
    chunks = [
        (read(choices).set_index("draw"), np.load(degrees), read(resamples).set_index("draw"))
        for choices, degrees, resamples in zip(*drawn, strict=True)
    ]
    indices = [read(snakemake.input[name]) for name in ("scores", "coupling", "weights")]
    frames = measure(study, read(snakemake.input.panel), *indices, chunks)
    save(frames, snakemake.output)
    rows = frames["rows"]
    say(
        f"uncertainty: {len(frames['draws'])} draws, D {rows['baseline'].mean():.3f} as reported, "
        f"{rows['p5'].mean():.3f} to {rows['p95'].mean():.3f} on average"
    )
