"""A small study of real data in a copied tree, and runs of it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PARTS = ("Snakefile", "workflow", "src", "data", "requirements.txt", "environment.yml")
GDP = "data/raw/nbs/gdp_census4.csv"
SMALL = """
title: {en: Small}
question: {en: Does it run?}
seed: 7
panel:
  exclude: [Tibet]
  years: [2011, 2019]
vintages: {gdp: census4, va_secondary: census4, va_tertiary: census4, patent_grants: nbs-2026}
series:
  patents: {formula: patent_grants / gdp, unit: per 100M yuan, label: {en: Patents}, why: output}
  services: {formula: va_tertiary / va_secondary, unit: ratio, label: {en: TS}, why: structure}
  services_share: {formula: va_tertiary / gdp, unit: share, label: {en: Share}, why: structure}
systems:
  tech: {label: {en: Technology}, indicators: {patents: +}}
  up: {label: {en: Upgrading}, indicators: {services: +, services_share: +}}
structure: []
models:
  regressions: {two_way: {label: Two-way, effects: two-way, controls: false}}
  panel_var:
    instrument_lags: [2, 4]
    horizon: 3
    draws: 99
    models: {fod: {label: FOD}}
tables:
  up_on_tech:
    title: {en: Technology on upgrading}
    records: up
    columns: {two_way: Two-way}
    rows: {L1.tech: Technology}
"""


def make_project(folder: Path, study: str = "small") -> Path:
    """A copy of the project with the small study, or with its own ones."""
    for part in PARTS:
        source = ROOT / part
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, folder / part)
    if study != "small":
        shutil.copytree(ROOT / "studies", folder / "studies")
        return folder
    (folder / "studies").mkdir()
    (folder / "studies/small.yaml").write_text(SMALL, encoding="utf-8")
    return folder


def snakemake(project: Path, *options: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "snakemake", "--config", "study=small"]
    command += ["--workflow-profile", "workflow/profiles/default", *options]
    # the copy's own modules, not the installed ones
    env = {**os.environ, "PYTHONPATH": str(project / "src"), "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=project, env=env, capture_output=True, text=True)


def stopped(project: Path) -> str:
    """The sentence with which the last run stopped."""
    return (project / "results/small/logs/stopped.txt").read_text(encoding="utf-8")


def planned(project: Path) -> set[str]:
    """Rules that the next run would execute."""
    done = snakemake(project, "--dry-run", "--cores", "1")
    assert done.returncode == 0, done.stderr
    counts = re.findall(r"^(\w+) +\d+$", done.stdout + done.stderr, flags=re.M)
    return set(counts) - {"total", "all"}


def results(project: Path, study: str = "small") -> dict[str, bytes]:
    folder = project / "results" / study
    files = [p for p in folder.rglob("*") if p.is_file() and "logs" not in p.parts]
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(files)}
