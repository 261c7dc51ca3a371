# What makes reruns honest: Snakemake does not see an edited module that a script imports, raw data
# replaced with an old mtime, or another environment. Their digests go into each rule's params.
import ast
import functools
import hashlib
import json
import sys
from pathlib import Path

from tandem.panel.build import choose_files
from tandem.panel.vintages import revised_files
from tandem.sources import read_sources
from tandem.study import load_study, study_file

SRC = Path(workflow.basedir) / "src"


# how raw tables are read and what is known about them
RULES = [f"data/{name}.csv" for name in ("codebook", "aliases", "breaks", "known_deviations")]


def digest(*paths):
    """Content hash of files, in the order given."""
    sha = hashlib.sha256()
    for path in paths:
        sha.update(f"{path}\0".encode())
        sha.update(Path(path).read_bytes() if Path(path).exists() else b"absent")
    return sha.hexdigest()[:16]


def _module_file(name):
    """File of a tandem module, or None."""
    stem = SRC / Path(*name.split("."))
    for path in (stem.with_suffix(".py"), stem / "__init__.py"):
        if path.exists():
            return path


@functools.cache  # most scripts import most modules
def _imported(path):
    """Names of tandem modules that a file imports, packages on the way included."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{a.name}" for a in node.names}
    parts = [n.split(".") for n in names if n.split(".")[0] == "tandem"]
    return {".".join(p[:i]) for p in parts for i in range(1, len(p) + 1)}


def code(script):
    """Digest of a script and of every tandem module that it imports, directly or not."""
    first = Path(workflow.basedir) / "workflow" / "scripts" / f"{script}.py"
    seen, todo = set(), [first]
    while todo:
        path = todo.pop()
        if path not in seen:
            seen.add(path)
            todo += [f for f in map(_module_file, _imported(path)) if f]
    return digest(*sorted(p.relative_to(workflow.basedir) for p in seen))


# the lock file and Python: other versions may give other digits
ENVIRONMENT = f"{digest('requirements.txt')} python{sys.version_info[0]}.{sys.version_info[1]}"


def plan(name):
    """The study, its variants, and the raw files that each step reads.

    The files are those of the study (""), of each variant, of the series shown as printed
    ("printed") and of all vintages of the study's series ("revisions"); for a study of a table only
    its files ("table").
    """
    path = study_file(name)
    study = load_study(path)
    if study.panel.scope == "table":
        from tandem.panel.table import table_files  # DuckDB, which the other studies do not need

        return study, {}, {"table": table_files(study)}, {}
    variants = {v: load_study(path, v) for v in study.variants}
    sources = read_sources(Path("data"))
    files = {key: choose_files(s, sources)["file"] for key, s in {"": study, **variants}.items()}
    shown = {s for figure in study.published.values() for s in figure.series}
    scope = sources[sources["region_scope"] == study.panel.scope]
    holds = scope["series"].str.split(";").map(lambda names: bool(shown & set(names)))
    files |= {"printed": scope.loc[holds, "file"], "revisions": revised_files(study, sources)}
    fetched = sources[sources["download"] != ""]
    return (
        study,
        variants,
        {key: sorted(f"data/{f}" for f in set(names)) for key, names in files.items()},
        {f"data/{line.file}": line for line in fetched.itertuples()},
    )


def listed(files):
    """Digest of raw files, their descriptions and lines in sources.csv, and the tables of rules.

    A fetched file is not there when its first run is planned, so its content is left out: Snakemake
    itself sees its time and checksum.
    """
    lines = Path("data/sources.csv").read_text(encoding="utf-8").splitlines()
    names = {str(Path(f).relative_to("data")) for f in files}
    mine = [line for line in lines if line.split(",")[0] in names]
    sha = hashlib.sha256("\n".join(mine).encode()).hexdigest()
    here = [f for f in files if f not in FETCHED]
    return f"{digest(*here, *(f'{f}.yaml' for f in files), *RULES)} {sha[:16]}"


def stamps(files):
    """Digest of the content of files up to 100 MB; of greater ones, their size and time."""
    sizes = {file: Path(file).stat() for file in files}
    great = [(f, s.st_size, s.st_mtime_ns) for f, s in sizes.items() if s.st_size > 1e8]
    return f"{digest(*(f for f, s in sizes.items() if s.st_size <= 1e8))} {_hash(great)}"


def measured(study):
    """What decides the panel: of a study's models, only the series they read."""
    used = {name: series.model_dump(mode="json") for name, series in study.used_series.items()}
    return f"{part(study, 'panel', 'vintage', 'vintages', 'descriptions', 'structure', 'employment')} {_hash(used)}"


def part(study, *keys):
    """Digest of parts of a study, so that an edit reruns only the rules that read the part."""
    dump = study.model_dump(mode="json")
    return _hash([dump[k] for k in keys])


def _hash(content):
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]


def timings():
    """Seconds of each step of the study when it last ran, as Snakemake recorded them: CSV."""
    seconds = {}
    for path in Path(".snakemake/metadata").rglob("*"):
        record = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        for log in record.get("log") or []:
            if Path(log).is_relative_to(R):
                seconds[Path(log).stem] = record["endtime"] - record["starttime"]
    return "step,seconds\n" + "".join(f"{s},{t:.1f}\n" for s, t in sorted(seconds.items()))


def kept(folder, *names):
    """Named CSV outputs that stay as they were if their rule fails."""
    return {name: update(f"{R}/{folder}/{name}.csv") for name in names}
