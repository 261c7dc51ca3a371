# scores and degrees -> their distribution, moves, neighbours, obstacles, forecast; stock of research

NEIGHBOURS = (
    [f"data/{study.dynamics.neighbours}"] if study.dynamics and study.dynamics.neighbours else []
)


rule dynamics:
    input:
        panel=f"{R}/data/panel.csv",
        published=f"{R}/data/published.csv",
        coupling=f"{R}/indices/coupling.csv",
        scores=f"{R}/indices/scores.csv",
        normalised=f"{R}/indices/normalised.csv",
        weights=f"{R}/indices/weights.csv",
        neighbours=NEIGHBOURS,
        seed=SEED_FILES if study.seed_paper else [],
    output:
        update(directory(f"{R}/dynamics")),  # a study has the tables that it can carry
    log:
        f"{R}/logs/dynamics.log",
    conda:
        "../../environment.yml"
    params:
        sha=digest(*NEIGHBOURS, *(SEED_FILES if study.seed_paper else [])),
        study=part(
            study, "panel", "systems", "coupling", "dynamics", "models", "seed", "seed_paper"
        ),
        code=code("dynamics"),
        env=ENVIRONMENT,
    script:
        "../scripts/dynamics.py"
