"""The command `tandem`, to be run in the project's folder: one function a subcommand."""

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

from tandem.errors import TandemError


def main(arguments: list[str] | None = None) -> int:
    """Run the command; a mistake of the user's is one sentence on stderr and exit status 1."""
    options = _parser().parse_args(arguments)
    sys.stdout.reconfigure(encoding="utf-8")  # trees and Chinese names, whatever the locale
    try:
        print(options.run(options), flush=True)
    except TandemError as err:
        print(err, file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tandem", description="Ask the results of a study.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("trace", help="the tree from a value down to raw cells")
    command.add_argument("study", metavar="STUDY", help="name of a file in studies/")
    command.add_argument("--region", required=True, help="e.g. Guangdong")
    command.add_argument("--year", required=True, type=int)
    command.add_argument(
        "--series",
        required=True,
        help="C, D, T, a column of indices/coupling.csv, a system, a derived or published series; "
        "normalised:NAME for a normalised indicator",
    )
    command.set_defaults(run=trace)
    command = commands.add_parser(
        "diagnose-coupling", help="which formula made the C and D printed in a table"
    )
    command.add_argument("file", metavar="FILE", type=Path, help="CSV with U1, U2, ... and C or D")
    command.set_defaults(run=diagnose_coupling)
    command = commands.add_parser("check", help="read and check a study's data, run no model")
    command.add_argument("study", metavar="STUDY", nargs="?", default="provinces")
    command.set_defaults(run=check)
    command = commands.add_parser("new-study", help="write a commented study file to start from")
    command.add_argument("study", metavar="NAME", help="small letters, digits and _")
    command.set_defaults(run=new_study)
    command = commands.add_parser(
        "explain-change", help="how much of what changed is data, code and study, environment"
    )
    command.add_argument("study", metavar="STUDY", nargs="?", default="provinces")
    command.add_argument("--cores", default="all")
    command.set_defaults(run=explain_change)
    command = commands.add_parser("expected", help="take the present results as the published ones")
    command.add_argument("studies", metavar="STUDY", nargs="+")
    command.set_defaults(run=expected)
    command = commands.add_parser(
        "reproduce", help="a clean run in a temporary copy, compared with the published numbers"
    )
    command.add_argument("studies", metavar="STUDY", nargs="+")
    command.add_argument("--cores", default="all")
    command.set_defaults(run=reproduce)
    command = commands.add_parser("package", help="the zip that a journal asks for")
    command.add_argument("studies", metavar="STUDY", nargs="+")
    command.set_defaults(run=package)
    return parser


def trace(options: argparse.Namespace) -> str:
    """`tandem trace`: the tree from a value down to raw cells."""
    # imported here, so that help and other subcommands do not wait for pandas
    from tandem import trace as tree
    from tandem.study import load_study, study_file

    study = load_study(study_file(options.study))
    results = tree.read_results(options.study, Path("results") / options.study)
    node = tree.trace(study, results, options.series, options.region, options.year)
    return tree.draw(node, shutil.get_terminal_size((100, 24)).columns)


def diagnose_coupling(options: argparse.Namespace) -> str:
    """`tandem diagnose-coupling`: which formula made a printed C or D."""
    from tandem.indices import diagnose_coupling as diagnose

    return diagnose(options.file)


def check(options: argparse.Namespace) -> str:
    """`tandem check`: the study file and its variants, every raw table, formula and check."""
    from tandem.analysis.panel import build_panel, printed_series
    from tandem.panel.build import choose_files
    from tandem.sources import read_sources
    from tandem.study import load_study, study_file

    path = study_file(options.study)
    study = load_study(path)
    if study.panel.table:
        return f"{path}: {_checked_table(study)}\nnothing is wrong with the study or its data"
    sources = read_sources(Path("data"))
    for variant in study.variants:
        try:
            choose_files(load_study(path, variant), sources)
        except TandemError as err:
            raise TandemError(f"variant '{variant}': {err}") from None
    built = build_panel(study, Path("data"))
    if study.published:
        printed_series(study, Path("data"))
    panel, checks = built["panel"], built["checks"]
    entities, years = (panel.index.get_level_values(k) for k in ("entity", "year"))
    lines = [
        f"{path}: {len(study.systems)} systems, {panel.shape[1]} series, "
        f"{len(study.variants)} variants, {len(study.claims)} claims",
        f"{len(built['observations'])} values read, {len(built['ledger'])} changes in the ledger",
        f"{len(checks)} checks passed, {len(built['suspects'])} jumps to look at",
        f"panel: {entities.nunique()} entities, {years.min()}-{years.max()}, "
        f"{int(panel.isna().sum().sum())} of {panel.size} cells missing",
        "nothing is wrong with the study or its data",
    ]
    return "\n".join(lines)


def _checked_table(study) -> str:
    from tandem.panel.table import write_panel

    with tempfile.TemporaryDirectory() as folder:
        found = write_panel(study, Path(folder) / "panel.parquet")
    return "{rows} rows of {entities} entities, {first_year}-{last_year}".format(**found)


def new_study(options: argparse.Namespace) -> str:
    """`tandem new-study`: a study file that runs as it is, to be edited."""
    from importlib.resources import files

    from tandem.study import study_file

    path = study_file(options.study)
    if not path.parent.is_dir():
        raise TandemError("There is no folder studies/ here; run tandem in the project's folder.")
    if path.exists():
        raise TandemError(f"{path} is there already; take another name or edit it.")
    template = (files("tandem") / "study_template.yaml").read_text(encoding="utf-8")
    path.write_text(template.format(name=options.study), encoding="utf-8")
    return f"{path} written; edit it, then: tandem check {options.study}"


def explain_change(options: argparse.Namespace) -> str:
    """`tandem explain-change`: the causes of what changed, by reruns; kept beside the results."""
    from tandem.files import write_text
    from tandem.report.explain import explain
    from tandem.study import study_file

    folder = Path("results") / study_file(options.study).stem
    page = explain(options.study, folder, options.cores)
    write_text(folder / "explained.md", page)
    return page


def expected(options: argparse.Namespace) -> str:
    """`tandem expected`: the present results become the published ones."""
    from tandem.report.reproduce import write_expected

    folders = [write_expected(study) for study in options.studies]
    return "\n".join(f"{folder} holds the published numbers" for folder in folders)


def reproduce(options: argparse.Namespace) -> str:
    """`tandem reproduce`: PASS or FAIL for each table; a FAIL is exit status 1."""
    from tandem.report.reproduce import reproduce as clean_run

    if not clean_run(options.studies, options.cores):
        raise TandemError("FAIL: the clean run does not give the published numbers; see above.")
    return "PASS: the clean run gives the published numbers."


def package(options: argparse.Namespace) -> str:
    """`tandem package`: the zip in the Data Editors' form."""
    from tandem.report.package import package as write_package

    path = Path("dist/tandem-package.zip")
    files = write_package(options.studies, path)
    return f"{path}: {files} files, {path.stat().st_size / 1e6:.1f} MB"
