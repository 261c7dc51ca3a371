"""The profiles of clusters: known options with values that Snakemake takes."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).parents[2]
PROFILES = ROOT / "workflow/profiles"
CLUSTERS = ("slurm", "kubernetes")


@pytest.mark.parametrize("name", [*CLUSTERS, "default"])
def test_a_profile_is_that_of_the_schema(name):
    schema = json.loads((PROFILES / "schema.json").read_text(encoding="utf-8"))
    profile = yaml.safe_load((PROFILES / name / "config.yaml").read_text(encoding="utf-8"))
    jsonschema.validate(profile, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(profile | {"job": 100}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(profile | {"retries": "two"}, schema)


@pytest.mark.parametrize("name", CLUSTERS)
def test_a_clusters_plugins_are_pinned_apart(name):
    pins = (PROFILES / name / "requirements.txt").read_text(encoding="utf-8")
    assert f"snakemake-executor-plugin-{name}==" in pins
    common = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    assert "snakemake-executor-plugin" not in common


@pytest.mark.parametrize("name", CLUSTERS)
def test_snakemake_takes_the_profile_with_its_plugin(name):
    if find_spec(f"snakemake_executor_plugin_{name}") is None:
        pytest.skip(f"the plugin is not installed: make cluster-setup PROFILE={name}")
    command = [sys.executable, "-m", "snakemake", "--workflow-profile", PROFILES / "default"]
    command += ["--profile", PROFILES / name, "--config", "study=nation", "--dry-run"]
    if name == "kubernetes":  # the volume is where the project is
        command += ["--default-storage-prefix", ROOT]
    names = ("PYTHONUTF8", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    env = os.environ | dict.fromkeys(names, "1")
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        ("nonsense", "there is no workflow/profiles/nonsense/config.yaml"),
        ("kubernetes", "run make cluster-setup PROFILE=kubernetes once"),
    ],
)
def test_a_profile_that_cannot_run_is_one_sentence(profile, words, tmp_path):
    # hides the plugin, if this machine has it
    (tmp_path / f"snakemake_executor_plugin_{profile}.py").write_text("raise ImportError\n")
    command = ["make", "-o", ".venv/ready", f"PROFILE={profile}", "FLAGS=--dry-run"]
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode != 0
    assert done.stderr.startswith("Stopped: ") and words in done.stderr
