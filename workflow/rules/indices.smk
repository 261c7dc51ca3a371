# panel -> goalposts, weights, scores, coupling, structure


rule indices:
    input:
        panel=f"{R}/data/panel.csv",
        published=f"{R}/data/published.csv",
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
