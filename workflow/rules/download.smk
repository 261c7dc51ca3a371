# optional: raw tables that a study reads and that are fetched from the network. A table that is
# there is a raw table like any other: these rules exist only for those that are not there yet.
import re

WANTED = sorted({f for files in raw_files.values() for f in files})
ABSENT = {f: FETCHED[f] for f in WANTED if f in FETCHED and not Path(f).exists()}
INDICATORS = [re.escape(line.address) for line in ABSENT.values() if line.download == "wdi"]
PINNED = {f: line for f, line in ABSENT.items() if line.download == "http"}


# without a network, Snakemake would stop at a storage input before any step has a log
if PINNED and workflow.is_main_process:
    from tandem.sources.download import refuse_unreachable

    try:
        for file, line in PINNED.items():
            refuse_unreachable(line.address, file)
        # what is true if Snakemake ends without a failed step, as when a download breaks off
        write_text(
            STOPPED,
            f"Stopped: the download of {', '.join(line.address for line in PINNED.values())} broke "
            "off; nothing of it was kept: run again.\n",
        )
    except TandemError as err:
        write_text(STOPPED, f"Stopped: {err}\n")
        sys.exit(1)


if INDICATORS:

    rule wdi:
        output:
            "data/raw/wdi/{indicator}.csv",
        log:
            f"{R}/logs/wdi_{{indicator}}.log",
        wildcard_constraints:
            indicator="|".join(INDICATORS),
        localrule: True
        conda:
            "../../environment.yml"
        params:
            code=code("wdi"),
            env=ENVIRONMENT,
        script:
            "../scripts/wdi.py"


if PINNED:

    rule fetch:
        input:
            lambda wildcards: storage.http(PINNED[f"data/raw/downloaded/{wildcards.name}"].address),
        output:
            "data/raw/downloaded/{name}",
        log:
            f"{R}/logs/fetch_{{name}}.log",
        wildcard_constraints:
            name="|".join(re.escape(Path(f).name) for f in PINNED),
        localrule: True
        conda:
            "../../environment.yml"
        params:
            url=lambda wildcards: PINNED[f"data/raw/downloaded/{wildcards.name}"].address,
            sha256=lambda wildcards: PINNED[f"data/raw/downloaded/{wildcards.name}"].sha256,
            code=code("fetch"),
            env=ENVIRONMENT,
        script:
            "../scripts/fetch.py"
