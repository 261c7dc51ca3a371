"""Estimate a share of the specifications of the curve."""

import io

import numpy as np

from tandem.analysis.curve import run_curve
from tandem.files import read, save, step, write_whole
from tandem.study import load_study

with step(snakemake.log[0]) as say:
    study = load_study(f"studies/{snakemake.config['study']}.yaml")
    frames = [read(snakemake.input[name]) for name in ("panel", "normalised", "weights")]
    specs, drawn = run_curve(study, *frames, int(snakemake.wildcards.chunk))
    save({"specs": specs}, snakemake.output)
    content = io.BytesIO()
    np.save(content, drawn)
    write_whole(snakemake.output.drawn, content.getvalue())
    say(f"curve {snakemake.wildcards.chunk}: {len(specs)} specifications")
