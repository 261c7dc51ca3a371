"""Put the report together."""

from pathlib import Path

from tandem.files import step, write_text
from tandem.report.document import make_report
from tandem.sources import read_codebook
from tandem.study import load_study

with step(snakemake.log[0]) as say:
    study = load_study(f"studies/{snakemake.config['study']}.yaml")
    report = Path(snakemake.output.report)
    codebook = read_codebook(Path(snakemake.input.codebook).parent)
    write_text(report, make_report(study, report.parent, codebook))
    say(f"report: {report} ({report.stat().st_size / 1e6:.1f} MB)")
