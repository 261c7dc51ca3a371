"""Write the tables of a study whose panel is a table."""

from pathlib import Path

from tandem import estimates
from tandem.files import read, step, whole_folder
from tandem.report.firms import firm_tables
from tandem.report.tables import write_table
from tandem.study import load_study

with step(snakemake.log[0]) as say:
    study = load_study(f"studies/{snakemake.config['study']}.yaml")
    records = estimates.read([Path(snakemake.input.terms).parent])
    frames = (read(snakemake.input[name]) for name in ("describe", "granger"))
    tables = firm_tables(study, records, *frames)
    folder = Path(snakemake.output[0])
    with whole_folder(folder) as new:
        files = [path for table in tables for path in write_table(table, new)]
    say(f"tables: {len(tables)} tables, {len(files)} files in {folder}")
