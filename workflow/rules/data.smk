# raw tables -> observations -> panel, and what there is to say about them

SEED_FILES = [
    *sorted(map(str, Path("data/raw/assehr455").iterdir())),
    *sorted(map(str, Path("data/raw/quoted").glob("epi-survey-2011*.csv"))),
]
PANEL = ("panel", "published", "lineage", "vintages", "coverage", "splices", "breaks")
CHECKED = ("observations", "ledger", "checks", "suspects", "not_comparable")


rule panel:
    input:
        raw=raw_files[""],
        sources=ancient("data/sources.csv"),
        rules=RULES,
    output:
        **kept("data", *CHECKED, *PANEL),
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


rule revisions:
    input:
        raw=raw_files["revisions"],
        sources=ancient("data/sources.csv"),
        rules=RULES,
    output:
        **kept("data", "revisions", "revisions_by_entity", "undated"),
    log:
        f"{R}/logs/revisions.log",
    conda:
        "../../environment.yml"
    params:
        sha=listed(raw_files["revisions"]),
        study=measured(study),
        code=code("revisions"),
        env=ENVIRONMENT,
    script:
        "../scripts/revisions.py"


rule quality:
    input:
        frames=[*rules.panel.output, *rules.revisions.output],
        template="src/tandem/report/quality.html.j2",
        look="src/tandem/report/report.css",
    output:
        update(f"{R}/data/quality.html"),
    log:
        f"{R}/logs/quality.log",
    conda:
        "../../environment.yml"
    params:
        study=part(
            study, "title", "panel", "series", "systems", "structure", "employment", "models"
        ),
        template=digest("src/tandem/report/quality.html.j2", "src/tandem/report/report.css"),
        code=code("quality"),
        env=ENVIRONMENT,
    script:
        "../scripts/quality.py"


rule printed:
    input:
        raw=raw_files["printed"],
        sources=ancient("data/sources.csv"),
        rules=RULES,
    output:
        **kept("data", "printed"),
    log:
        f"{R}/logs/printed.log",
    conda:
        "../../environment.yml"
    params:
        sha=listed(raw_files["printed"]),
        study=part(study, "panel", "published", "descriptions"),
        code=code("printed"),
        env=ENVIRONMENT,
    script:
        "../scripts/printed.py"


rule seed_paper:
    input:
        raw=SEED_FILES,
    output:
        **kept("data", "seed_checks", "seed_figures"),
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
