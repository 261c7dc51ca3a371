# panel -> goalposts, weights, scores, coupling, structure

# fitted once and kept beside the study: new figures must not move old scores
GOALPOSTS = f"studies/{STUDY}.goalposts.csv"

UNFITTED = [GOALPOSTS] if study.coupling.goalposts == "fixed" else []
UNFITTED = [file for file in UNFITTED if not Path(file).exists()]

if UNFITTED:

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
            "null_shift",
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


if study.coupling.ensemble:
    CHUNKS = range(study.coupling.ensemble.chunks)
    DRAWN = {
        "choices": f"{R}/uncertainty/chunks/{{chunk}}.choices.csv",
        "degrees": f"{R}/uncertainty/chunks/{{chunk}}.degrees.npy",
        "resamples": f"{R}/uncertainty/chunks/{{chunk}}.resamples.csv",
    }

    # a share of the draws and of the bootstrap over entities
    rule ensemble:
        input:
            panel=f"{R}/data/panel.csv",
        output:
            **{name: update(path) for name, path in DRAWN.items()},
        log:
            f"{R}/logs/ensemble_{{chunk}}.log",
        conda:
            "../../environment.yml"
        params:
            study=part(study, "systems", "coupling", "seed"),
            code=code("ensemble"),
            env=ENVIRONMENT,
        script:
            "../scripts/ensemble.py"

    # all draws together, whatever the number of chunks
    rule uncertainty:
        input:
            **{name: expand(path, chunk=CHUNKS) for name, path in DRAWN.items()},
            panel=f"{R}/data/panel.csv",
            scores=f"{R}/indices/scores.csv",
            coupling=f"{R}/indices/coupling.csv",
            weights=f"{R}/indices/weights.csv",
        output:
            **kept(
                "uncertainty",
                "rows",
                "entities",
                "draws",
                "regions",
                "sobol",
                "bootstrap",
                "agreement",
            ),
        log:
            f"{R}/logs/uncertainty.log",
        conda:
            "../../environment.yml"
        params:
            study=part(study, "panel", "systems", "coupling", "seed"),
            code=code("uncertainty"),
            env=ENVIRONMENT,
        script:
            "../scripts/uncertainty.py"
