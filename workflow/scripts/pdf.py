"""Set the report as a paper."""

from pathlib import Path

from tandem.files import step, write_whole
from tandem.report.paper import make_paper
from tandem.study import load_study

with step(snakemake.log[0]) as say:
    study = load_study(f"studies/{snakemake.config['study']}.yaml")
    paper = Path(snakemake.output.paper)
    write_whole(paper, make_paper(study, paper.parent))
    say(f"pdf: {paper} ({paper.stat().st_size / 1e6:.1f} MB)")
