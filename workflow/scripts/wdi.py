"""Fetch an indicator of the World Bank and keep it as a raw table."""

from tandem.files import step, write_text
from tandem.sources.download import fetch_wdi

with step(snakemake.log[0]) as say:
    file, indicator = snakemake.output[0], snakemake.wildcards.indicator
    table = fetch_wdi(indicator, file)
    write_text(file, table)
    header = dict(line.strip('"').split(": ", 1) for line in table.splitlines()[:5])
    say(f"wdi: {file}, {header['Indicator']}, last updated {header['Last updated']}")
