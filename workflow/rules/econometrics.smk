# scores and panel -> records of the results store


rule regressions:
    input:
        panel=f"{R}/data/panel.csv",
        scores=f"{R}/indices/scores.csv",
    output:
        **kept("estimates/regressions", "terms", "models"),
    log:
        f"{R}/logs/regressions.log",
    params:
        study=part(study, "systems", "models"),
        code=code("regressions"),
        env=ENVIRONMENT,
    conda:
        "../../environment.yml"
    script:
        "../scripts/regressions.py"


rule panel_var:
    input:
        scores=f"{R}/indices/scores.csv",
    output:
        **kept("estimates/panel_var", "terms", "models", "granger", "irf", "fevd"),
    log:
        f"{R}/logs/panel_var.log",
    params:
        study=part(study, "systems", "models", "seed"),
        code=code("panel_var"),
        env=ENVIRONMENT,
    conda:
        "../../environment.yml"
    script:
        "../scripts/panel_var.py"


rule var:
    input:
        panel=f"{R}/data/panel.csv",
    output:
        **kept(
            "estimates/var",
            "unit_roots",
            "lag_choice",
            "terms",
            "models",
            "granger",
            "irf",
            "fevd",
        ),
    log:
        f"{R}/logs/var.log",
    params:
        study=part(study, "models", "seed"),
        code=code("var"),
        env=ENVIRONMENT,
    conda:
        "../../environment.yml"
    script:
        "../scripts/var.py"


rule variant:
    input:
        raw=lambda wildcards: raw_files[wildcards.variant],
        sources="data/sources.csv",
        codebook="data/codebook.csv",
    output:
        **kept("variants/{variant}", "two_way", "summary", "coverage"),
    log:
        f"{R}/logs/variant_{{variant}}.log",
    params:
        sha=lambda wildcards: digest(
            *raw_files[wildcards.variant], "data/sources.csv", "data/codebook.csv"
        ),
        study=lambda wildcards: part(variants[wildcards.variant], *Study.model_fields),
        code=code("variant"),
        env=ENVIRONMENT,
    conda:
        "../../environment.yml"
    script:
        "../scripts/variant.py"
