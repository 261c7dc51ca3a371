# panel -> goalposts, weights, scores, coupling, structure

# fitted once and kept beside the study: new figures must not move old scores
GOALPOSTS = f"studies/{STUDY}.goalposts.csv"

if study.coupling.goalposts == "fixed" and not Path(GOALPOSTS).exists():

    rule goalposts:
        input:
            panel=f"{R}/data/panel.csv",
        output:
            goalposts=GOALPOSTS,
        log:
            f"{R}/logs/goalposts.log",
        conda:
            "../../environment.yml"
        script:
            "../scripts/goalposts.py"


rule indices:
    input:
        panel=f"{R}/data/panel.csv",
        published=f"{R}/data/published.csv",
        goalposts=(
            [GOALPOSTS] if study.coupling.goalposts == "fixed" or Path(GOALPOSTS).exists() else []
        ),
    output:
        **kept(
            "indices",
            "goalposts",
            "weights",
            "normalised",
            "scores",
            "coupling",
            "null",
            "structure",
            "clipped",
            "moved",
        ),
    log:
        f"{R}/logs/indices.log",
    conda:
        "../../environment.yml"
    params:
        study=part(study, "panel", "systems", "coupling", "structure", "employment", "seed"),
        code=code("indices"),
        env=ENVIRONMENT,
    script:
        "../scripts/indices.py"
