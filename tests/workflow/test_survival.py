"""What happens to a run happens: killed, twice at once, no room, other locales. `make survive`.

The study is a small one of real data; `make survive STUDY=provinces` takes a whole one.
"""

import os
import re
import shutil
import signal
import subprocess
import time
from functools import partial

import numpy as np
import pytest
import small_project
from small_project import GDP, ROOT, make_project

STUDY = os.environ.get("STUDY", "small")
MAKE = ("make", "-o", ".venv/ready", f"STUDY={STUDY}")  # the environment stands already
SEED = 20200455
# drafts beside the results, which the next run takes away; the runs kept so far
UNFINISHED = re.compile(r"(^|/)\..*\.(part|old)(/|$)|^history/")
results = partial(small_project.results, study=STUDY)


def environment(project, **more) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(project / "src"), **more}


def make(project, *words, cores=2, **more) -> subprocess.CompletedProcess:
    command = [*MAKE, f"CORES={cores}", *words]
    kept = environment(project, **more)
    return subprocess.run(command, cwd=project, env=kept, capture_output=True, text=True)


def copied(folder):
    """A copy of the project with the environment and the Makefile of this one."""
    folder.mkdir(parents=True, exist_ok=True)
    project = make_project(folder, STUDY)
    shutil.copy(ROOT / "Makefile", project)
    shutil.copy(ROOT / "pyproject.toml", project)
    (project / ".venv").symlink_to((ROOT / ".venv").resolve())
    return project


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """Results of a run that nothing happened to, and its seconds."""
    project = copied(tmp_path_factory.mktemp("undisturbed"))
    start = time.monotonic()
    done = make(project)
    assert done.returncode == 0, done.stdout + done.stderr
    return results(project), time.monotonic() - start


def killed(project, seconds: float) -> bool:
    """Start a run and kill all its processes after some seconds; False if it had ended."""
    run = subprocess.Popen(
        [*MAKE, "CORES=2"],
        cwd=project,
        env=environment(project),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        run.wait(seconds)
        return False
    except subprocess.TimeoutExpired:
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
        return True


def present(files: dict[str, bytes]) -> dict[str, bytes]:
    """Results that do not tell of earlier runs."""
    past = ("history/", "changes/", "changes.md", "report.")
    return {name: content for name, content in files.items() if not name.startswith(past)}


def survives(project, expected):
    done = make(project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert results(project) == expected


def test_a_killed_run_goes_on_to_the_same_bytes(undisturbed, tmp_path):
    expected, seconds = undisturbed
    project = copied(tmp_path)
    assert killed(project, 0.6 * seconds)
    survives(project, expected)
    assert "Nothing to be done" in make(project).stderr
    # without Snakemake's memory of how results were made an edit would go unseen
    shutil.rmtree(project / ".snakemake")
    assert " panel," in make(project, "FLAGS=--dry-run").stdout


def edited(project) -> None:
    """Another value in a raw table."""
    table = project / GDP
    content = table.read_text(encoding="utf-8")
    assert "35445.1" in content
    table.write_text(content.replace("35445.1", "35445.2"), encoding="utf-8")


@pytest.mark.slow
def test_a_killed_rerun_leaves_each_file_as_it_was_or_as_it_will_be(undisturbed, tmp_path):
    before, seconds = undisturbed
    project = copied(tmp_path / "whole")
    survives(project, before)
    edited(project)
    assert make(project).returncode == 0
    after = results(project)
    for i, moment in enumerate(np.random.default_rng(SEED + 2).uniform(0.1, 0.9, size=5)):
        project = copied(tmp_path / str(i))
        survives(project, before)
        edited(project)
        killed(project, moment * seconds)
        left = {name: f for name, f in results(project).items() if not UNFINISHED.search(name)}
        assert not [n for n, f in left.items() if f not in (before.get(n), after.get(n))]
        lasting = {name for name in before if name in after and not UNFINISHED.search(name)}
        assert lasting <= set(left)
        survives(project, after)
        shutil.rmtree(project)


@pytest.mark.slow
def test_twenty_random_moments(undisturbed, tmp_path):
    expected, seconds = undisturbed
    moments = np.random.default_rng(SEED).uniform(0.02, 0.95, size=20) * seconds
    for i, moment in enumerate(moments):
        project = copied(tmp_path / str(i))
        killed(project, moment)
        survives(project, expected)
        shutil.rmtree(project)


@pytest.mark.slow
def test_one_run_killed_twenty_times(undisturbed, tmp_path):
    expected, seconds = undisturbed
    project = copied(tmp_path)
    for moment in np.random.default_rng(SEED + 1).uniform(0.1, 0.5, size=20) * seconds:
        killed(project, moment)
    survives(project, expected)


def test_a_second_run_at_once_stops_in_one_sentence(undisturbed, tmp_path):
    expected, seconds = undisturbed
    project = copied(tmp_path)
    command = [*MAKE, "CORES=1"]
    first = subprocess.Popen(command, cwd=project, env=environment(project), stdout=-3, stderr=-3)
    lock = project / "results" / STUDY / "logs/lock"
    while not lock.exists():
        time.sleep(0.05)
    second = make(project)
    assert first.wait() == 0
    assert second.returncode != 0
    told = [line for line in second.stderr.splitlines() if line.startswith("Stopped: ")]
    assert told == [
        f"Stopped: another run is at work on results/{STUDY}; wait until it has ended, or stop it."
    ]
    assert results(project) == expected


def mounted(folder, megabytes: int) -> bool:
    """A small file system in memory over a folder; False where this may not be done."""
    folder.mkdir(parents=True)
    size = f"size={megabytes}m"
    command = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)]
    return subprocess.run(command, capture_output=True).returncode == 0


@pytest.mark.slow
def test_results_that_cannot_be_written_stop_in_one_sentence(tmp_path):
    project = copied(tmp_path)
    if not mounted(project / "results", 2):
        pytest.skip("no right to mount a small file system")
    try:
        subprocess.run(["mount", "-o", "remount,ro", str(project / "results")], check=True)
        told = make(project).stderr
    finally:
        subprocess.run(["umount", str(project / "results")], check=True)
    assert f"Stopped: results/{STUDY}/logs/lock cannot be written (Read-only file system)" in told


@pytest.mark.slow
def test_a_full_disk_stops_and_the_run_goes_on_when_there_is_room(undisturbed, tmp_path):
    project = copied(tmp_path)
    results_folder = project / "results"
    if not mounted(results_folder, 2):
        pytest.skip("no right to mount a small file system")
    try:
        done = make(project)
        assert done.returncode != 0
        assert "No space left on device" in done.stderr, done.stderr
        assert not [p for p in results_folder.rglob(".*.part")]
        subprocess.run(["mount", "-o", "remount,size=200m", str(results_folder)], check=True)
        survives(project, undisturbed[0])
    finally:
        subprocess.run(["umount", str(results_folder)], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["C", "zh_CN.UTF-8"])
def test_locales_give_the_same_bytes(undisturbed, tmp_path, name):
    told = subprocess.run(["locale", "-a"], capture_output=True, text=True).stdout
    if name.lower().replace("-", "") not in told.lower().split():
        pytest.skip(f"this machine has no locale {name}")
    project = copied(tmp_path)
    done = make(project, LC_ALL=name)
    assert done.returncode == 0, done.stdout + done.stderr
    assert results(project) == undisturbed[0]


@pytest.mark.slow
def test_two_threads_of_linear_algebra_give_the_same_bytes(undisturbed, tmp_path):
    project = copied(tmp_path)
    # on the command line, where the Makefile's own setting of one does not win
    threads = [f"{name}_NUM_THREADS=2" for name in ("OMP", "OPENBLAS", "MKL")]
    done = make(project, *threads)
    assert done.returncode == 0, done.stdout + done.stderr
    assert results(project) == undisturbed[0]


@pytest.mark.slow
def test_four_cores_a_strict_umask_and_a_chinese_path_give_the_same_bytes(undisturbed, tmp_path):
    project = copied(tmp_path / "数据 与 结果")
    old = os.umask(0o077)
    try:
        done = make(project, cores=4)
    finally:
        os.umask(old)
    assert done.returncode == 0, done.stdout + done.stderr
    assert results(project) == undisturbed[0]
    # what the next run by the same user does with them
    assert "Nothing to be done" in make(project).stderr


@pytest.mark.slow
def test_a_clock_moved_back_does_not_hide_an_edit(undisturbed, tmp_path):
    expected, _ = undisturbed
    project = copied(tmp_path)
    survives(project, expected)
    later = time.time() + 86400
    for folder in ("results", "data"):
        for path in (project / folder).rglob("*"):
            os.utime(path, (later, later))
    table = project / GDP
    content = table.read_text(encoding="utf-8")
    edited(project)
    assert make(project).returncode == 0
    assert results(project) != expected
    table.write_text(content, encoding="utf-8")
    assert make(project).returncode == 0
    # the edited run was a run: it is kept, and the report's first page tells of it
    assert present(results(project)) == present(expected)
