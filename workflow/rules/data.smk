# raw tables -> observations -> panel


# what decides which tables are read and how the panel is made
PANEL_PARTS = ("panel", "vintages", "series", "systems", "models", "structure", "employment")
SEED_FILES = sorted(map(str, Path("data/raw/assehr455").iterdir()))


rule observations:
    input:
        raw=raw_files[""],
        sources="data/sources.csv",
        codebook="data/codebook.csv",
    output:
        **kept("data", "observations", "ledger", "checks", "tables"),
    log:
        f"{R}/logs/observations.log",
    params:
        sha=digest(*raw_files[""], "data/sources.csv", "data/codebook.csv"),
        study=part(study, *PANEL_PARTS),
        code=code("observations"),
        env=ENVIRONMENT,
    conda:
        "../../environment.yml"
    script:
        "../scripts/observations.py"


rule panel:
    input:
        observations=f"{R}/data/observations.csv",
        tables=f"{R}/data/tables.csv",
        codebook="data/codebook.csv",
    output:
        **kept("data", "panel", "published", "vintages", "coverage", "splices"),
    log:
        f"{R}/logs/panel.log",
    params:
        sha=digest("data/codebook.csv"),
        study=part(study, *PANEL_PARTS),
        code=code("panel"),
        env=ENVIRONMENT,
    conda:
        "../../environment.yml"
    script:
        "../scripts/panel.py"


rule printed:
    input:
        raw=printed_files,
        sources="data/sources.csv",
        codebook="data/codebook.csv",
    output:
        **kept("data", "printed"),
    log:
        f"{R}/logs/printed.log",
    params:
        sha=digest(*printed_files, "data/sources.csv", "data/codebook.csv"),
        study=part(study, "panel", "published"),
        code=code("printed"),
        env=ENVIRONMENT,
    conda:
        "../../environment.yml"
    script:
        "../scripts/printed.py"


rule seed_paper:
    input:
        raw=SEED_FILES,
    output:
        **kept("data", "seed_checks"),
    log:
        f"{R}/logs/seed_paper.log",
    params:
        sha=digest(*SEED_FILES),
        code=code("seed_paper"),
        env=ENVIRONMENT,
    conda:
        "../../environment.yml"
    script:
        "../scripts/seed_paper.py"
