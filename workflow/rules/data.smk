# raw tables -> observations -> panel


SEED_FILES = sorted(map(str, Path("data/raw/assehr455").iterdir()))


rule panel:
    input:
        raw=raw_files[""],
        sources=ancient("data/sources.csv"),
        codebook="data/codebook.csv",
    output:
        **kept("data", "observations", "ledger", "checks"),
        **kept("data", "panel", "published", "vintages", "coverage", "splices"),
    log:
        f"{R}/logs/panel.log",
    conda:
        "../../environment.yml"
    params:
        sha=listed(raw_files[""]),
        study=measured(study),
        code=code("panel"),
        env=ENVIRONMENT,
    script:
        "../scripts/panel.py"


rule printed:
    input:
        raw=printed_files,
        sources=ancient("data/sources.csv"),
        codebook="data/codebook.csv",
    output:
        **kept("data", "printed"),
    log:
        f"{R}/logs/printed.log",
    conda:
        "../../environment.yml"
    params:
        sha=listed(printed_files),
        study=part(study, "panel", "published"),
        code=code("printed"),
        env=ENVIRONMENT,
    script:
        "../scripts/printed.py"


rule seed_paper:
    input:
        raw=SEED_FILES,
    output:
        **kept("data", "seed_checks"),
    log:
        f"{R}/logs/seed_paper.log",
    conda:
        "../../environment.yml"
    params:
        sha=digest(*SEED_FILES),
        code=code("seed_paper"),
        env=ENVIRONMENT,
    script:
        "../scripts/seed_paper.py"
