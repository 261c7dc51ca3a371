# results store and indices -> tables, figures, report


# everything that the study's report shows; each step writes only what the study asks for
STEPS = {
    "panel": True,
    "revisions": True,
    "indices": True,
    "uncertainty": study.coupling.ensemble is not None,
    "dynamics": study.dynamics is not None,
    "regressions": bool(study.models.regressions),
    "robustness": study.models.robustness is not None,
    "panel_var": study.models.panel_var is not None,
    "var": study.models.var is not None,
    "verdict": study.models.verdict is not None,
    "claims": bool(study.claims),
    "printed": bool(study.published),
    "seed_paper": study.seed_paper,
}
SHOWN = [
    *(f for step, wanted in STEPS.items() if wanted for f in getattr(rules, step).output),
    *(f"{R}/variants/{v}/{f}.csv" for v in variants for f in ("two_way", "summary", "coverage")),
]


rule tables:
    input:
        SHOWN,
    output:
        update(directory(f"{R}/tables")),
    log:
        f"{R}/logs/tables.log",
    conda:
        "../../environment.yml"
    params:
        study=part(study, *Study.model_fields),
        code=code("tables"),
        env=ENVIRONMENT,
    script:
        "../scripts/tables.py"


rule figures:
    input:
        SHOWN,
    output:
        update(directory(f"{R}/figures")),
    log:
        f"{R}/logs/figures.log",
    conda:
        "../../environment.yml"
    params:
        study=part(study, *Study.model_fields),
        code=code("figures"),
        env=ENVIRONMENT,
    script:
        "../scripts/figures.py"


CHANGES = ("cells", "panel", "degrees", "terms", "models", "claims", "tables", "files", "summary")


# compares with the runs kept in history/ and adds this one to them, as no other rule does
rule changes:
    input:
        SHOWN,
    output:
        **kept("changes", *CHANGES),
        page=update(f"{R}/changes.md"),
    log:
        f"{R}/logs/changes.log",
    conda:
        "../../environment.yml"
    params:
        code=code("changes"),
        env=ENVIRONMENT,
    script:
        "../scripts/changes.py"


PAGE = Path("src/tandem/report")
PARTS = (".html.j2", ".css", ".js", ".yaml")
TEMPLATES = sorted(str(f) for f in PAGE.iterdir() if f.name.endswith(PARTS))


rule report:
    input:
        SHOWN,
        rules.changes.output,
        tables=f"{R}/tables",
        figures=f"{R}/figures",
        templates=TEMPLATES,
        codebook="data/codebook.csv",
    output:
        report=update(f"{R}/report.html"),
    log:
        f"{R}/logs/report.log",
    conda:
        "../../environment.yml"
    params:
        study=part(study, *Study.model_fields),
        templates=digest(*TEMPLATES),
        code=code("report"),
        env=ENVIRONMENT,
    script:
        "../scripts/report.py"


PAPER = [
    *(f"src/tandem/report/{name}" for name in ("paper.typ.j2", "references.bib")),
    f"studies/{study.font}" if study.font else "src/tandem/report/fonts/NotoSerifSC-Subset.otf",
]


rule pdf:
    input:
        SHOWN,
        figures=f"{R}/figures",
        parts=PAPER,
    output:
        paper=update(f"{R}/report.pdf"),
    log:
        f"{R}/logs/pdf.log",
    conda:
        "../../environment.yml"
    params:
        study=part(study, *Study.model_fields),
        parts=digest(*PAPER),
        code=code("pdf"),
        env=ENVIRONMENT,
    script:
        "../scripts/pdf.py"
