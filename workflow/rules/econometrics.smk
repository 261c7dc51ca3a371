# scores and panel -> records of the results store

MODEL_PARTS = ("title", "systems", "coupling", "models", "seed")


rule regressions:
    input:
        panel=f"{R}/data/panel.csv",
        scores=f"{R}/indices/scores.csv",
    output:
        **kept("estimates/regressions", "terms", "models"),
    log:
        f"{R}/logs/regressions.log",
    conda:
        "../../environment.yml"
    params:
        study=part(study, "systems", "models", "seed"),
        code=code("regressions"),
        env=ENVIRONMENT,
    script:
        "../scripts/regressions.py"


SPATIAL = study.models.robustness.neighbours if study.models.robustness else ""


# a study has the tables and models that it can carry
rule robustness:
    input:
        panel=f"{R}/data/panel.csv",
        scores=f"{R}/indices/scores.csv",
        neighbours=[f"data/{SPATIAL}"] if SPATIAL else [],
    output:
        update(directory(f"{R}/estimates/robustness")),
    log:
        f"{R}/logs/robustness.log",
    conda:
        "../../environment.yml"
    params:
        sha=digest(*([f"data/{SPATIAL}"] if SPATIAL else [])),
        study=part(study, "panel", "systems", "models", "seed"),
        code=code("robustness"),
        env=ENVIRONMENT,
    script:
        "../scripts/robustness.py"


rule panel_var:
    input:
        scores=f"{R}/indices/scores.csv",
    output:
        **kept(
            "estimates/panel_var",
            "terms",
            "models",
            "granger",
            "irf",
            "fevd",
            "diagnostics",
            "roots",
            "lag_choice",
            "cautions",
        ),
    log:
        f"{R}/logs/panel_var.log",
    conda:
        "../../environment.yml"
    params:
        study=part(study, "systems", "models", "seed"),
        code=code("panel_var"),
        env=ENVIRONMENT,
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
            "cointegration",
            "error_correction",
            "causality",
            "irf",
            "fevd",
        ),
    log:
        f"{R}/logs/var.log",
    conda:
        "../../environment.yml"
    params:
        study=part(study, "models", "seed"),
        code=code("var"),
        env=ENVIRONMENT,
    script:
        "../scripts/var.py"


CURVE = study.models.verdict.curve if study.models.verdict else None
ESTIMATED = {
    "specs": f"{R}/estimates/curve/{{chunk}}.csv",
    "drawn": f"{R}/estimates/curve/{{chunk}}.npy",
}

if CURVE:

    # a share of the specifications
    rule curve:
        input:
            panel=f"{R}/data/panel.csv",
            normalised=f"{R}/indices/normalised.csv",
            weights=f"{R}/indices/weights.csv",
        output:
            **{name: update(path) for name, path in ESTIMATED.items()},
        log:
            f"{R}/logs/curve_{{chunk}}.log",
        conda:
            "../../environment.yml"
        params:
            study=part(study, "systems", "models", "seed"),
            code=code("curve"),
            env=ENVIRONMENT,
        script:
            "../scripts/curve.py"


MODELS = [m for m in ("regressions", "panel_var") if getattr(study.models, m)]


rule verdict:
    input:
        **{
            name: expand(path, chunk=range(CURVE.chunks)) if CURVE else []
            for name, path in ESTIMATED.items()
        },
        panel=f"{R}/data/panel.csv",
        scores=f"{R}/indices/scores.csv",
        records=[f"{R}/estimates/{m}/{f}.csv" for m in MODELS for f in ("terms", "models")],
        further=[rules.robustness.output[0]] if study.models.robustness else [],
        series=[rules.var.output.causality] if study.models.var else [],
    output:
        update(directory(f"{R}/estimates/verdict")),
    log:
        f"{R}/logs/verdict.log",
    conda:
        "../../environment.yml"
    params:
        study=part(study, "panel", "systems", "models", "seed"),
        code=code("verdict"),
        env=ENVIRONMENT,
    script:
        "../scripts/verdict.py"


FOLDERS = [m for m in ("robustness", "verdict") if getattr(study.models, m)]


rule claims:
    input:
        frames=[
            f"{R}/data/panel.csv",
            f"{R}/indices/scores.csv",
            f"{R}/indices/coupling.csv",
            *([f"{R}/data/printed.csv"] if study.published else []),
        ],
        folders=[getattr(rules, m).output[0] for m in FOLDERS],
        records=[f"{R}/estimates/{m}/{f}.csv" for m in MODELS for f in ("terms", "models")],
    output:
        **kept("claims", "claims", "tests"),
    log:
        f"{R}/logs/claims.log",
    conda:
        "../../environment.yml"
    params:
        study=part(study, "claims", "systems", "coupling", "dynamics", "models", "seed"),
        code=code("claims"),
        env=ENVIRONMENT,
    script:
        "../scripts/claims.py"


rule variant:
    input:
        raw=lambda wildcards: raw_files[wildcards.variant],
        sources=ancient("data/sources.csv"),
        rules=RULES,
    output:
        **kept("variants/{variant}", "two_way", "summary", "coverage"),
    log:
        f"{R}/logs/variant_{{variant}}.log",
    conda:
        "../../environment.yml"
    params:
        sha=lambda wildcards: listed(raw_files[wildcards.variant]),
        study=lambda wildcards: part(variants[wildcards.variant], *MODEL_PARTS),
        panel=lambda wildcards: measured(variants[wildcards.variant]),
        code=code("variant"),
        env=ENVIRONMENT,
    script:
        "../scripts/variant.py"
