# a table of any size (panel.scope: table) -> its panel -> records -> tables

TABLE_FILES = [file for files in raw_files["table"] for file in files]
FIRM_TABLES = ("terms", "models", "describe", "granger")


rule firm_panel:
    input:
        table=TABLE_FILES,
    output:
        panel=update(f"{R}/data/panel.parquet"),
    log:
        f"{R}/logs/firm_panel.log",
    conda:
        "../../environment.yml"
    threads: 2
    resources:
        mem_mb=4000,
    params:
        sha=stamps(TABLE_FILES),
        study=part(study, "panel", "series", "systems", "models"),
        code=code("firm_panel"),
        env=ENVIRONMENT,
    script:
        "../scripts/firm_panel.py"


rule firm_models:
    input:
        panel=f"{R}/data/panel.parquet",
    output:
        **kept("estimates/firms", *FIRM_TABLES),
    log:
        f"{R}/logs/firm_models.log",
    conda:
        "../../environment.yml"
    threads: 2
    resources:
        mem_mb=8000,
    params:
        study=part(study, "panel", "series", "systems", "models"),
        code=code("firm_models"),
        env=ENVIRONMENT,
    script:
        "../scripts/firm_models.py"


rule firm_tables:
    input:
        **{name: f"{R}/estimates/firms/{name}.csv" for name in FIRM_TABLES},
    output:
        update(directory(f"{R}/tables")),
    log:
        f"{R}/logs/firm_tables.log",
    conda:
        "../../environment.yml"
    params:
        study=part(study, *Study.model_fields),
        code=code("firm_tables"),
        env=ENVIRONMENT,
    script:
        "../scripts/firm_tables.py"
