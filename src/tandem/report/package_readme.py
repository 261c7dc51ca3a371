"""The README of a journal package, in the order of the Data Editors' template, from facts."""

import base64
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tandem.sources import read_sources
from tandem.study import load_study

REPORT = Path("src/tandem/report")
TEXTS = (".html.j2", ".typ.j2", "text.en.yaml")  # where the report's sentences stand
FORMATTED = re.compile(r'f"([^"]*\{[^"]*)"')
PRINTED = re.compile(r"(?:\{\{-?|<<)\s*(.+?)\s*(?:-?\}\}|>>)")
SURE = 4  # literal letters of a name such as f"{room}_irf" from which on it is taken for a match
NUMERIC = re.compile(
    r"\b(?:format|number|p|n)\(|\|n\b|\|length|\bfacts\.|\bv\.(?:all|positive|negative)\b|"
    r"\.(?:years|instrument_lags)\[|\.get\(|\.draws|\.seed"
)
WORD = re.compile(r'"[^"]*" if ')  # "s" or no "s": no number
FACT = re.compile(r"\bfacts\.(\w+)")


def package_readme(measured: Mapping[str, dict], contents: Mapping[str, bytes], root: Path) -> str:
    """Markdown text of the package's README.

    Parameters
    ----------
    measured
        By study, the facts that `tandem.report.reproduce` kept of its clean run.
    contents
        Content of the package's files by name.
    root
        The project's folder.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent, encoding="utf-8"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["cell"] = lambda text: " ".join(str(text).split()).replace("|", "\\|")
    return environment.get_template("package_readme.md.j2").render(
        measured=measured,
        studies={name: load_study(root / f"studies/{name}.yaml") for name in measured},
        sources=_sources(measured, contents, root),
        packages=_pinned(contents),
        steps={name: steps(name, root) for name in measured},
        outputs={name: output_map(name, contents) for name in measured},
        numbers=in_text_numbers(contents),
        sizes=_sizes(contents),
    )


def output_map(study: str, contents: Mapping[str, bytes]) -> list[tuple[str, str, str]]:
    """Each table and figure of a study: file, the line that lays it out, the script that writes it.

    The line is blank where none names the output.
    """
    files = {"tables": ".csv", "figures": ".svg"}
    code = {n: contents[n].decode("utf-8") for n in contents if n.endswith(".py")}
    code = {n: text for n, text in code.items() if Path(n).parent == REPORT}
    layouts = contents[f"studies/{study}.yaml"].decode("utf-8")
    rows = []
    for kind, ending in files.items():
        folder = f"results/{study}/{kind}/"
        for name in sorted(n for n in contents if n.startswith(folder) and n.endswith(ending)):
            output = Path(name).stem
            line = _line(rf"^  {re.escape(output)}:", layouts) if kind == "tables" else 0
            where = f"studies/{study}.yaml:{line}" if line else _origin(output, kind, code)
            rows.append((name.removesuffix(ending), where, f"workflow/scripts/{kind}.py"))
    return rows


def in_text_numbers(contents: Mapping[str, bytes]) -> list[tuple[str, str, str]]:
    """Numbers in the report's sentences: line of the template, expression, where computed."""
    code = {n: contents[n].decode("utf-8") for n in contents if n.endswith(".py")}
    rows = []
    for name in sorted(n for n in contents if n.endswith(TEXTS) and Path(n).parent == REPORT):
        renders = [n for n in code if Path(name).name in code[n] and Path(n).parent == REPORT]
        renders = renders or [n for n in code if Path(n) == REPORT / "document.py"]
        for number, line in enumerate(contents[name].decode("utf-8").splitlines(), start=1):
            for expression in filter(NUMERIC.search, PRINTED.findall(line)):
                if WORD.match(expression):
                    continue
                fact = FACT.search(expression)
                found = [(n, _line(rf'"{fact[1]}":', code[n])) for n in renders] if fact else []
                at = [f"{n}:{found_line}" for n, found_line in found if found_line]
                rows.append((f"{name}:{number}", expression, at[0] if at else ""))
    return rows


def steps(study: str, root: Path) -> pd.DataFrame:
    """Seconds that each rule took in the run that made the results, from Snakemake's records.

    Returns
    -------
    DataFrame
        rule, jobs, seconds; empty where the records are not at hand.
    """
    jobs = {}
    for path in (root / ".snakemake/metadata").rglob("*"):
        if path.is_file() and _output_of(path).startswith(f"results/{study}/"):
            job = json.loads(path.read_text(encoding="utf-8"))
            if job.get("endtime"):
                # one record an output: the last says when the job was done
                key, seconds = (job["rule"], *job["log"]), job["endtime"] - job["starttime"]
                jobs[key] = max(seconds, jobs.get(key, 0.0))
    rows = [(key[0], seconds) for key, seconds in sorted(jobs.items())]
    frame = pd.DataFrame(rows, columns=["rule", "seconds"])
    return frame.groupby("rule")["seconds"].agg(["size", "sum"]).reset_index()


def _output_of(record: Path) -> str:
    """The output a record is of: its name in base 64, long ones cut into folders."""
    encoded = "".join(record.parts[record.parts.index("metadata") + 1 :]).replace("@", "")
    return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode("utf-8", "replace")


def _origin(output: str, kind: str, code: Mapping[str, str]) -> str:
    """File and line that name an output: whole, as a pattern, or after the module's own name."""

    def order(path: str) -> tuple[bool, bool, str]:
        stem = Path(path).stem
        return not output.startswith(stem), stem != f"study_{kind}", path

    for path in sorted(code, key=order):
        rest = output.removeprefix(f"{Path(path).stem}_")
        for name in dict.fromkeys((output, rest)):
            line = _line(rf'"{re.escape(name)}"', code[path])
            if line:
                return f"{path}:{line}"
        for number, text in enumerate(code[path].splitlines(), start=1):
            for pattern in FORMATTED.findall(text):
                parts = re.split(r"\{[^}]*\}", pattern)
                if len("".join(parts)) >= SURE and re.fullmatch(
                    r"\w+".join(map(re.escape, parts)), output
                ):
                    return f"{path}:{number}"
    return ""


def _line(pattern: str, text: str) -> int:
    """Number of the first line that holds a pattern; 0 if none does."""
    lines = enumerate(text.splitlines(), start=1)
    return next((number for number, line in lines if re.search(pattern, line)), 0)


def _sources(studies: Iterable[str], contents: Mapping[str, bytes], root: Path) -> pd.DataFrame:
    """The inventory, with the studies that read each table and whether it is in the package."""
    table = read_sources(root / "data")
    used = {}
    for study in studies:
        cells = pd.read_csv(root / f"results/{study}/data/observations.csv", usecols=["cell"])
        for file in cells["cell"].str.partition("!")[0].unique():
            used.setdefault(file, []).append(study)
    return table.assign(
        studies=[", ".join(used.get(file, [])) for file in table["file"]],
        provided=[f"data/{file}" in contents for file in table["file"]],
    )


def _pinned(contents: Mapping[str, bytes]) -> list[str]:
    lines = contents["requirements.txt"].decode().splitlines()
    return [line.partition("#")[0].strip().rstrip("\\ ") for line in lines if "==" in line]


def _sizes(contents: Mapping[str, bytes]) -> pd.DataFrame:
    """Files and megabytes by folder."""
    names = pd.Series([n.split("/")[0] if "/" in n else "." for n in contents])
    sizes = pd.Series([len(c) / 1e6 for c in contents.values()])
    return sizes.groupby(names).agg(["size", "sum"]).reset_index(names="folder")
