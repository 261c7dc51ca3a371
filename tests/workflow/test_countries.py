"""Downloads in the DAG: fetched once, kept, refused in one sentence; served from this machine."""

import csv
import hashlib
import json
import runpy
import socket
from pathlib import Path

import pytest
from small_project import ROOT, SMALL, make_project, planned, snakemake, stopped

SERVED = runpy.run_path(str(ROOT / "tests/sources/world_bank.py"))
TITLES = {
    "GB.XPD.RSDV.GD.ZS": "Research and development expenditure (% of GDP)",
    "NV.SRV.TOTL.ZS": "Services, value added (% of GDP)",
    "NV.IND.TOTL.ZS": "Industry (including construction), value added (% of GDP)",
}
COUNTRIES = """
title: {en: Small}
question: {en: Does it run?}
seed: 7
panel: {scope: countries, years: [2010, 2019]}
series:
  rd: {formula: wb_rd_intensity, unit: percent, label: {en: R&D}, why: input}
  services: {formula: wb_services, unit: percent, label: {en: Services}, why: structure}
  ratio: {formula: wb_services / wb_industry, unit: ratio, label: {en: Ratio}, why: structure}
systems:
  tech: {label: {en: Technology}, indicators: {rd: +}}
  up: {label: {en: Upgrading}, indicators: {services: +, ratio: +}}
models:
  regressions:
    two_way: {label: Two-way, effects: two-way, controls: false}
"""
PATENTS = "data/raw/nbs/patent_grants_2011-2024.csv"
FILE = "data/raw/downloaded/patents.csv"
PANEL = "results/small/data/panel.csv"


def closed_port() -> str:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{one.getsockname()[1]}"


def point_to(project: Path, address: str) -> None:
    """The World Bank's API at another address."""
    path = project / "src/tandem/sources/download.py"
    text = (ROOT / "src/tandem/sources/download.py").read_text(encoding="utf-8")
    assert text.count("https://api.worldbank.org") == 1
    path.write_text(text.replace("https://api.worldbank.org", address), encoding="utf-8")


def invented(code: str) -> dict:
    """Numbers of eight countries that mean nothing; one country lacks a year."""
    shift = list(TITLES).index(code)
    return {
        (3 * chr(65 + i), str(year)): round(
            1 + (7 * i + 3 * year + 5 * shift * i * year) % 11 + i / 8, 3
        )
        for i in range(8)
        for year in range(2010, 2020)
        if (i, year) != (3, 2012)
    } | {("WLD", "2015"): 5.0}


@pytest.fixture
def world_bank():
    server = SERVED["Server"](SERVED["world_bank"]())
    for code, title in TITLES.items():
        path = SERVED["DATA"].replace(SERVED["CODE"], code)
        table = SERVED["table"](code, title, invented(code))
        server.answers[path] = json.dumps(table).encode()
        server.script[path] = [(500, b"busy"), (500, b"busy")]
    yield server
    server.stop()


def test_countries(tmp_path, world_bank):
    project = make_project(tmp_path)
    (project / "studies/small.yaml").write_text(COUNTRIES, encoding="utf-8")
    kept = [project / f"data/raw/wdi/{code}.csv" for code in TITLES]

    point_to(project, closed_port())
    assert snakemake(project, "--cores", "3").returncode != 0
    assert stopped(project).startswith("Stopped: The World Bank could not be reached at http://127")
    assert not any(path.exists() for path in kept)

    point_to(project, world_bank.root)
    done = snakemake(project, "--cores", "3")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "last updated 2026-10-13" in done.stdout
    report = (project / "results/small/report.html").read_text(encoding="utf-8")
    assert "World Development Indicators, World Bank, last updated 2026-10-13" in report
    with open(project / PANEL, encoding="utf-8") as file:
        entities = {row["entity"] for row in csv.DictReader(file)}
    assert len(entities) == 8 and "World" not in entities
    before = [path.read_bytes() for path in kept]
    assert planned(project) == set()

    world_bank.stop()  # what is kept needs no network
    done = snakemake(project, "--cores", "2", "--forcerun", "panel")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [path.read_bytes() for path in kept] == before
    kept[0].unlink()  # what is deleted is fetched anew, and what rests on it made anew
    assert {"wdi", "panel", "report"} <= planned(project)


def pinned_study(project: Path, url: str, sha256: str) -> None:
    """The small study with its patents from the network."""
    sources = project / "data/sources.csv"
    rows = list(csv.DictReader((ROOT / "data/sources.csv").read_text("utf-8").splitlines()))
    line = next(row for row in rows if f"data/{row['file']}" == PATENTS)
    changed = {"file": FILE.removeprefix("data/"), "vintage": "fetched", "address": url}
    rows.append(line | changed | {"download": "http", "sha256": sha256})
    with open(sources, "w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, rows[0])
        table.writeheader()
        table.writerows(rows)
    study = SMALL.replace("patent_grants: nbs-2026", "patent_grants: fetched")
    assert study != SMALL
    (project / "studies/small.yaml").write_text(study, encoding="utf-8")


def test_a_pinned_file(tmp_path):
    project = make_project(tmp_path)
    content = (ROOT / PATENTS).read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()

    pinned_study(project, f"{closed_port()}/patents.csv", sha256)
    assert snakemake(project, PANEL, "--cores", "2").returncode != 0
    assert "could not be reached" in stopped(project).splitlines()[0]
    assert "the other studies do not need it" in stopped(project)

    server = SERVED["Server"]({})
    server.answers["/patents.csv"] = content
    try:
        pinned_study(project, f"{server.root}/patents.csv", "0" * 64)
        assert snakemake(project, PANEL, "--cores", "2").returncode != 0
        told = stopped(project).splitlines()[0]
        assert sha256 in told and "0" * 64 in told
        assert not (project / FILE).exists()

        pinned_study(project, f"{server.root}/patents.csv", sha256)
        server.cut = {"/patents.csv"}
        assert snakemake(project, PANEL, "--cores", "2").returncode != 0
        assert stopped(project) == (
            f"Stopped: the download of {server.root}/patents.csv broke off; "
            "nothing of it was kept: run again.\n"
        )
        assert not (project / FILE).exists()

        server.cut = set()
        done = snakemake(project, PANEL, "--cores", "2")
        assert done.returncode == 0, done.stdout + done.stderr
        assert (project / FILE).read_bytes() == content
    finally:
        server.stop()
    # the kept file is an ordinary raw table: no network, nothing to do again
    done = snakemake(project, PANEL, "--cores", "2", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "Nothing to be done" in done.stdout + done.stderr
