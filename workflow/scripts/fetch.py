"""Keep a fetched file as a raw table if it has the pinned sha256."""

from pathlib import Path

from tandem.files import step, write_whole
from tandem.sources.download import pinned

with step(snakemake.log[0]) as say:
    file, params = snakemake.output[0], snakemake.params
    content = Path(snakemake.input[0]).read_bytes()
    write_whole(file, pinned(content, params.sha256, params.url))
    say(f"fetch: {file}, {len(content)} bytes from {params.url}")
