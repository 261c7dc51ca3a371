"""Draw every figure of the report as .png, .svg and .pdf."""

from pathlib import Path

from tandem.files import step, whole_folder
from tandem.report.figures import save
from tandem.report.store import load
from tandem.report.study_figures import make_figures
from tandem.study import load_study

with step(snakemake.log[0]) as say:
    study = load_study(f"studies/{snakemake.config['study']}.yaml")
    folder = Path(snakemake.output[0])
    results = load(folder.parent)
    with whole_folder(folder) as new:
        drawn = make_figures(study, results, folder.parent)
        names = [save(figure, new, name) and name for name, figure in drawn]
    say(f"figures: {', '.join(names)} in {folder}")
