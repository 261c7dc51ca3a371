"""Write every table of the report in seven formats, and all in one document."""

from pathlib import Path

from tandem.files import step, whole_folder
from tandem.report.store import load
from tandem.report.study_tables import make_tables
from tandem.report.tables import write_all, write_table
from tandem.study import load_study

with step(snakemake.log[0]) as say:
    study = load_study(f"studies/{snakemake.config['study']}.yaml")
    folder = Path(snakemake.output[0])
    tables = make_tables(study, load(folder.parent), folder.parent)
    with whole_folder(folder) as new:
        files = [path for table in tables for path in write_table(table, new)]
        files.append(write_all(tables, new))
    say(f"tables: {len(tables)} tables, {len(files)} files in {folder}")
