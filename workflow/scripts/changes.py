"""Compare with the last results that were others, then keep the present ones."""

from pathlib import Path

from tandem.files import save, step, write_text
from tandem.report.changes import compare, files_changed, summary, to_markdown
from tandem.report.history import keep, made_of, previous, read_present, read_run

with step(snakemake.log[0]) as say:
    study = snakemake.config.get("study", "provinces")
    folder = Path(snakemake.output.page).parent
    earlier, now = previous(folder), (read_present(folder), made_of(study))
    before = read_run(earlier) if earlier else now
    changes, files = compare(before[0], now[0]), files_changed(before[1], now[1])
    against = earlier.stem if earlier else None
    frames = {**changes, "files": files, "summary": summary(against, changes, files)}
    save(frames, snakemake.output)
    write_text(snakemake.output.page, to_markdown(study, against, changes, files))
    runs = int(snakemake.config.get("keep", 5))
    say(f"changes: kept as {keep(study, folder, runs=runs)}")
