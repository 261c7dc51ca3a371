"""Draw every figure of the report as .png, .svg and .pdf."""

import shutil
from pathlib import Path

from tandem.files import step
from tandem.report.figures import save
from tandem.report.store import load
from tandem.report.study_figures import make_figures
from tandem.study import load_study

with step(snakemake.log[0]) as say:
    study = load_study(f"studies/{snakemake.config['study']}.yaml")
    folder = Path(snakemake.output[0])
    shutil.rmtree(folder, ignore_errors=True)
    results = load(folder.parent)
    names = [
        save(f, folder, name) and name for name, f in make_figures(study, results, folder.parent)
    ]
    say(f"figures: {', '.join(names)} in {folder}")
